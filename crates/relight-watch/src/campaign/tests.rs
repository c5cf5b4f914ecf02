//! Joining, order, confidence and explanations of campaigns.

use std::net::IpAddr;

use relight_model::{OrgId, SiteId};

use super::*;

fn detection(source: u8, first: i64, likelihood: f64, callbacks: &[&str]) -> Detection {
    Detection {
        detector: if callbacks.is_empty() { "slow_sweep" } else { "jndi" },
        sources: vec![IpAddr::from([192, 0, 2, source])],
        severity: if callbacks.is_empty() {
            Severity::Reconnaissance
        } else {
            Severity::ExploitAttempt
        },
        first,
        last: first + 10,
        decided: first + 5,
        organisations: vec![OrgId(u32::from(source) % 2), OrgId(7)],
        sites: vec![SiteId(u32::from(source))],
        contacts: 5,
        likelihood,
        threshold: likelihood_threshold(),
        contributions: vec![
            Contribution { class: "probe", contacts: 3, likelihood: likelihood * 0.75 },
            Contribution { class: "not-found-cold", contacts: 2, likelihood: likelihood * 0.25 },
        ],
        callbacks: callbacks.iter().map(|host| (*host).to_owned()).collect(),
        origin: u64::from(source),
        marks: vec![u64::from(source)],
        evidence: vec![format!("0, {source}, 2021-12-10, 404, probe, /{source}"), "same".into()],
        ..Detection::default()
    }
}

#[test]
fn shared_sources_and_callbacks_join_and_chain() {
    let all = [
        detection(1, 300, 30.0, &["a.example"]),
        detection(2, 100, 30.0, &["b.example"]),
        detection(3, 200, 30.0, &["b.example", "a.example"]),
        detection(3, 250, 22.0, &[]),
        detection(4, 50, 22.0, &[]),
    ];
    let found = campaigns(&all);
    let sources = |campaign: &Campaign| campaign.sources.len();
    assert_eq!(found.iter().map(sources).collect::<Vec<_>>(), [1, 3]);
    assert_ne!(found[0].id, found[1].id);
    let joined = &found[1];
    assert_eq!((joined.first, joined.last), (100, 310));
    assert_eq!(joined.severity, Severity::ExploitAttempt);
    assert_eq!(joined.organisations, [OrgId(0), OrgId(1), OrgId(7)]);
    assert_eq!(joined.detections.len(), 4);
    let mut backwards = all.to_vec();
    backwards.reverse();
    assert_eq!(campaigns(&backwards), found, "the order of detections does not matter");
    assert_eq!(campaigns(&[]), []);
}

#[test]
fn confidence_grows_and_is_never_certain() {
    let at = |likelihood| campaigns(&[detection(1, 0, likelihood, &[])])[0].confidence;
    let threshold = likelihood_threshold();
    assert!((at(threshold) - 2.5 / 3.5).abs() < 1e-9, "the budget's odds at the threshold");
    assert!(at(threshold) < at(threshold + 1.0));
    assert!(at(threshold - 5.0) < 0.05);
    assert_eq!(at(1e6), CONFIDENCE_MAX);
}

/// An actor whose addresses share only the software they use is one campaign; two that use what
/// everybody uses stay two, because such clients are not among the fingerprints.
#[test]
fn a_client_that_hardly_anybody_uses_joins() {
    let with = |source, clients: &[&str]| Detection {
        fingerprints: clients.iter().map(|client| (*client).to_owned()).collect(),
        ..detection(source, i64::from(source), 22.0, &[])
    };
    let all = [with(1, &["ja4:t13"]), with(2, &[]), with(3, &["agent:x", "ja4:t13"]), with(4, &[])];
    let found = campaigns(&all);
    assert_eq!(found.iter().map(|it| it.sources.len()).collect::<Vec<_>>(), [2, 1, 1]);
    assert_eq!(found[0].shared, ["ja4:t13"], "what one source alone uses is not shared");
    let group = Detection {
        sources: vec![IpAddr::from([192, 0, 2, 2]), IpAddr::from([192, 0, 2, 4])],
        shared: "ja4:q".to_owned(),
        fingerprints: vec!["ja4:q".to_owned()],
        ..detection(9, 50, 30.0, &[])
    };
    let found = campaigns(&[&all[..], std::slice::from_ref(&group)].concat());
    assert_eq!(found.iter().map(|it| it.sources.len()).collect::<Vec<_>>(), [2, 2]);
    assert_eq!(found[1].shared, ["ja4:q"]);
    // What others use too holds strangers together, and joins nobody to anybody.
    let strangers = Detection { fingerprints: Vec::new(), ..group };
    let found = campaigns(&[&all[..], &[strangers]].concat());
    assert_eq!(found.iter().map(|it| it.sources.len()).collect::<Vec<_>>(), [2, 1, 1, 2]);
}

#[test]
fn an_explanation_says_what_would_change_it() {
    let found = campaigns(&[detection(1, 0, 24.0, &["c.example"]), detection(1, 5, 22.0, &[])]);
    let why = explain(&found[0]);
    assert_eq!((&why.id, why.likelihood), (&found[0].id, 24.0));
    assert_eq!(why.contributions.len(), 2);
    let [probes, misses] = &why.changes[..] else { panic!("two changes") };
    assert_eq!((probes.class, probes.contacts, probes.likelihood), ("probe", 3, 6.0));
    assert!(!probes.still_decided && probes.confidence < 0.01);
    assert_eq!((misses.class, misses.likelihood), ("not-found-cold", 18.0));
    assert!(!misses.still_decided && misses.confidence > probes.confidence);
    assert_eq!(why.evidence.len(), 2, "each line once");
}

/// Fifteen thousand addresses with five doors each are one line, and nothing of them is lost; who
/// tried more, or has something of its own, is told alone.
#[test]
fn very_many_single_addresses_are_one_line() {
    let single = |number: u32| Detection {
        sources: vec![IpAddr::from(number.to_be_bytes())],
        origin: u64::from(number),
        marks: vec![u64::from(number)],
        ..detection(1, i64::from(number), 22.0, &[])
    };
    let most = u32::try_from(SINGLES_MAX).unwrap();
    let few: Vec<Detection> = (0..most).map(single).collect();
    assert_eq!(gather(campaigns(&few)).len(), SINGLES_MAX, "so many are still read");
    let mut many: Vec<Detection> = (0..15_000).map(single).collect();
    many[7].contacts = SINGLE_CONTACTS_MAX + 1;
    many[8].fingerprints = vec!["ja4:t".to_owned()];
    many[9].callbacks = vec!["c.example".to_owned()];
    let found = gather(campaigns(&many));
    assert_eq!(found.len(), 4);
    let gathered: Vec<usize> = found.iter().map(|it| it.gathered).collect();
    assert_eq!(gathered, [14_997, 0, 0, 0]);
    assert_eq!((found[0].sources.len(), found[0].detections.len()), (14_997, 14_997));
    assert_eq!(found[0].severity, Severity::Reconnaissance);
    assert_eq!(found[0].marks.len(), CAMPAIGN_MARKS_MAX);
    many.reverse();
    assert_eq!(gather(campaigns(&many)), found, "the order of detections does not matter");
}

/// What is known about single addresses is known before they are put together: one that is aimed
/// at somebody is told alone, and those who mean well are a line of their own, which is noise.
#[test]
fn singles_are_put_together_by_what_is_known_about_them() {
    let single = |number: u32| Detection {
        sources: vec![IpAddr::from((0x0a00_0000 + number).to_be_bytes())],
        origin: u64::from(number),
        marks: vec![u64::from(number)],
        ..detection(1, i64::from(number), 22.0, &[])
    };
    let most = u32::try_from(SINGLES_MAX).unwrap();
    let mut found = campaigns(&(0..3 * most + 3).map(single).collect::<Vec<_>>());
    found[5].severity = Severity::TargetedReconnaissance;
    for campaign in &mut found[200..300 + 1] {
        campaign.known = vec!["research: Census Example".to_owned()];
        campaign.severity = Severity::Noise;
    }
    found[302].known = vec!["monitor: Us".to_owned()];
    found[302].severity = Severity::Noise;
    let aimed = found[5].clone();
    let found = gather(found);
    let told = |it: &Campaign| (it.gathered, it.severity, it.known.len());
    let [unknown, alone, research, monitor] = &found[..] else { panic!("{}", found.len()) };
    assert_eq!(told(unknown), (200, Severity::Reconnaissance, 0));
    assert_eq!(*alone, aimed);
    assert_eq!(told(research), (101, Severity::Noise, 1));
    assert_eq!(told(monitor), (0, Severity::Noise, 1), "one alone is told alone");
    let ids: BTreeSet<&str> = found.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(ids.len(), 4);
}

/// Who tries a new door has nothing else in common: such a detection joins nobody, not even by
/// what its payloads would have called.
#[test]
fn strangers_at_one_door_join_nobody() {
    let strangers = |shared: &str| Detection {
        detector: "spike",
        shared: shared.to_owned(),
        sources: (0..3).map(|last| IpAddr::from([192, 0, 2, last])).collect(),
        ..detection(0, 100, 30.0, &["a.example"])
    };
    let other = detection(1, 100, 30.0, &["a.example"]);
    for shared in ["door:/new", "class:exploit"] {
        let found = campaigns(&[strangers(shared), other.clone()]);
        assert_eq!(found.len(), 2);
        assert_ne!(found[0].id, found[1].id);
    }
}

#[test]
fn evidence_is_bounded() {
    let many: Vec<Detection> = (0..200).map(|number| detection(number, 0, 30.0, &["c"])).collect();
    assert_eq!(explain(&campaigns(&many)[0]).evidence.len(), EVIDENCE_MAX);
}
