//! Each step of the ladder is reached by what it needs, and by nothing less.

use std::net::IpAddr;

use relight_model::{Detection, OrgId, Tried};
use testkit::Rng;

use super::*;

const AT: Timestamp = 1_639_130_000;
const FLAW: &str = "CVE-2021-44228";

fn attempt(site: u32, at: Timestamp) -> Attempt {
    Attempt { at, site: Some(SiteId(site)), flaw: FLAW, exposure: Exposure::Unknown }
}

fn campaign(severity: Severity, sites: &[u32], attempts: Vec<Attempt>) -> Campaign {
    let sources = vec![IpAddr::from([192, 0, 2, 7])];
    let sites: Vec<SiteId> = sites.iter().copied().map(SiteId).collect();
    let detection = Detection {
        detector: "jndi",
        sources: sources.clone(),
        severity,
        first: AT,
        last: AT,
        decided: AT,
        organisations: vec![OrgId(1)],
        sites: sites.clone(),
        contacts: 1,
        likelihood: 25.0,
        threshold: 20.7,
        callbacks: vec!["c.example".to_owned()],
        attempts: attempts.clone(),
        ..Detection::default()
    };
    Campaign {
        id: "C-0001".to_owned(),
        severity,
        confidence: 0.9,
        first: AT,
        last: AT,
        sources,
        organisations: vec![OrgId(1)],
        sites,
        attempts,
        marks_until: u64::MAX,
        detections: vec![detection],
        ..Campaign::default()
    }
}

/// 40 sites: 10 of health, 30 of schools.
fn sectors() -> BTreeMap<SiteId, String> {
    let sector = |site| if site < 10 { "health" } else { "schools" };
    (0..40).map(|site| (SiteId(site), sector(site).to_owned())).collect()
}

fn graded(mut campaign: Campaign, exposure: Exposure, signs: &[Sign]) -> Campaign {
    let sectors = sectors();
    let exposure = |site: SiteId, _: Timestamp, flaw: &str| {
        assert_eq!(flaw, FLAW);
        if site == SiteId(1) { exposure } else { Exposure::Clear }
    };
    let heard = |_: SiteId, _: Timestamp, _: Timestamp| true;
    let runs = |_: SiteId, _: Timestamp, _: &str| Exposure::Unknown;
    let (sectors, heard, exposure) = (&sectors, &heard, &exposure);
    Known { sectors, heard, exposure, runs: &runs, signs }.grade(&mut campaign);
    campaign
}

fn sign(site: u32, at: Timestamp, host: &str) -> Sign {
    Sign { at, site: SiteId(site), kind: "connection", host: host.to_owned() }
}

#[test]
fn an_attempt_rises_only_where_the_site_had_the_flaw() {
    let of = |exposure| {
        graded(campaign(Severity::ExploitAttempt, &[1], vec![attempt(1, AT)]), exposure, &[])
    };
    assert_eq!(of(Exposure::Affected).severity, Severity::AttemptOnVulnerable);
    // Treating unknown as clear, or as affected, fails here.
    let unknown = of(Exposure::Unknown);
    assert_eq!(unknown.severity, Severity::ExploitAttempt);
    assert_eq!(unknown.attempts[0].exposure, Exposure::Unknown);
    assert_eq!(of(Exposure::Clear).severity, Severity::ExploitAttempt);
    let nowhere = Attempt { site: None, ..attempt(1, AT) };
    let nowhere =
        graded(campaign(Severity::ExploitAttempt, &[], vec![nowhere]), Exposure::Affected, &[]);
    assert_eq!(
        (nowhere.severity, nowhere.attempts[0].exposure),
        (Severity::ExploitAttempt, Exposure::Unknown)
    );
}

#[test]
fn a_sign_follows_an_attempt_at_the_same_site_towards_the_same_host() {
    let of = |sign: Sign| {
        let tried = campaign(Severity::ExploitAttempt, &[1], vec![attempt(1, AT)]);
        graded(tried, Exposure::Affected, &[sign]).severity
    };
    assert_eq!(of(sign(1, AT + 60, "c.example")), Severity::SignsOfSuccess);
    assert_eq!(of(sign(1, AT + 60, "192.0.2.7")), Severity::SignsOfSuccess, "back to the source");
    let below = Severity::AttemptOnVulnerable;
    assert_eq!(of(sign(1, AT - 1, "c.example")), below, "before the attempt");
    assert_eq!(of(sign(2, AT + 60, "c.example")), below, "another site");
    assert_eq!(of(sign(1, AT + 60, "d.example")), below, "another host");
    assert_eq!(of(sign(1, AT + SIGN_FOLLOWS_S_MAX + 1, "c.example")), below, "too late");
    assert_eq!(of(sign(1, AT + SIGN_FOLLOWS_S_MAX, "c.example")), Severity::SignsOfSuccess);
}

/// One stranger's callback and another's attempt are no sign: pooling them fails here.
#[test]
fn strangers_who_try_the_same_door_make_no_sign_together() {
    let signs = [sign(1, AT + 60, "c.example"), sign(1, AT + 60, "192.0.2.7")];
    for (shared, fingerprints, expected) in [
        ("class:exploit", &[][..], Severity::AttemptOnVulnerable),
        ("door:jndi-lookup", &[], Severity::AttemptOnVulnerable),
        ("agent:Mozilla/5.0", &["ja4:t"], Severity::AttemptOnVulnerable),
        ("ja4:t", &["ja4:t"], Severity::SignsOfSuccess),
    ] {
        let mut tried = campaign(Severity::ExploitAttempt, &[1], vec![attempt(1, AT)]);
        tried.detections[0].shared = shared.to_owned();
        tried.detections[0].fingerprints = fingerprints.iter().map(|it| it.to_string()).collect();
        let graded = graded(tried, Exposure::Affected, &signs);
        let signs = if expected == Severity::SignsOfSuccess { 2 } else { 0 };
        assert_eq!((graded.severity, graded.signs.len()), (expected, signs), "{shared}");
    }
}

/// Sources of version 6 are kept as their /64, and payloads write brackets.
#[test]
fn hosts_are_compared_in_one_form() {
    for (source, callback, host, found) in [
        ("2001:db8:5:6::", "c.example", "2001:db8:5:6::77", true),
        ("2001:db8:5:7::", "c.example", "2001:db8:5:6::77", false),
        ("192.0.2.7", "[2001:db8:5:6::1]", "2001:db8:5:6::1", true),
        ("192.0.2.7", "[::ffff:203.0.113.9]", "203.0.113.9", true),
        ("192.0.2.7", "203.0.113.9.", "203.0.113.9", true),
        ("192.0.2.7", "c.example.", "c.example", true),
        ("192.0.2.7", "c.example.", "d.example", false),
    ] {
        let mut tried = campaign(Severity::ExploitAttempt, &[1], vec![attempt(1, AT)]);
        tried.sources = vec![source.parse().unwrap()];
        tried.detections[0].sources.clone_from(&tried.sources);
        tried.detections[0].callbacks = vec![callback.to_owned()];
        let graded = graded(tried, Exposure::Affected, &[sign(1, AT + 60, host)]);
        assert_eq!(graded.signs.len() == 1, found, "{source} {callback} {host}");
    }
}

/// Reconnaissance alone never rises above S2, whatever is known: S5 from S3 without a sign, or
/// from a sign without an attempt, fails here.
#[test]
fn nothing_but_an_attempt_rises_above_targeted() {
    let signs = [sign(1, AT + 60, "c.example")];
    let swept = campaign(Severity::Reconnaissance, &[1], Vec::new());
    assert_eq!(graded(swept, Exposure::Affected, &signs).severity, Severity::Reconnaissance);
    let tried = campaign(Severity::ExploitAttempt, &[1], vec![attempt(1, AT)]);
    assert_eq!(graded(tried, Exposure::Clear, &[]).severity, Severity::ExploitAttempt);
}

#[test]
fn a_sector_is_named_when_chance_would_not_meet_it_so_often() {
    let of = |sites: &[u32]| {
        graded(campaign(Severity::Reconnaissance, sites, Vec::new()), Exposure::Clear, &[])
    };
    let aimed = of(&[0, 1, 2, 3, 4, 5]);
    assert_eq!(aimed.aimed_at, ["health"]);
    assert_eq!(aimed.severity, Severity::TargetedReconnaissance);
    for sites in [&[0, 1][..], &[0, 10, 11, 12], &(0..40).collect::<Vec<_>>(), &[]] {
        let alike = of(sites);
        assert_eq!(
            (alike.aimed_at.len(), alike.severity),
            (0, Severity::Reconnaissance),
            "{sites:?}"
        );
    }
    // Sites that are not in the register count neither way.
    assert_eq!(of(&[0, 1, 2, 3, 4, 5, 900, 901]).aimed_at, ["health"]);
}

/// Goal: at most 1 % of campaigns without an aim name a sector. Method: 2,000 random ones.
#[test]
fn chance_names_few_sectors() {
    let mut rng = Rng::new(20_211_210);
    let sectors: BTreeMap<SiteId, String> =
        (0..400).map(|site| (SiteId(site), format!("s{}", site % 12))).collect();
    let named = (0..2_000).filter(|_| {
        let met: BTreeSet<SiteId> = (0..30).map(|_| SiteId(rng.below(400) as u32)).collect();
        !aimed_at(&sectors, &|_| true, &met.into_iter().collect::<Vec<_>>()).is_empty()
    });
    let named = named.count();
    assert!(named <= 20, "{named} of 2,000");
}

/// Goal: sites that send no logs make nobody an aim. Method: all that send some are met.
#[test]
fn sites_that_send_no_logs_count_neither_way() {
    let met: Vec<SiteId> = (0..6).map(SiteId).collect();
    assert_eq!(aimed_at(&sectors(), &|_| true, &met), ["health"]);
    let none: [&str; 0] = [];
    assert_eq!(aimed_at(&sectors(), &|site| site < SiteId(6), &met), none);
}

/// A campaign that tried a door of Solr at these sites; the first ten of 40 run it, and of those
/// from 30 on nobody knows.
fn looked_for_solr(tried: impl IntoIterator<Item = u32>) -> Campaign {
    let sites: Vec<u32> = tried.into_iter().collect();
    let mut campaign = campaign(Severity::Reconnaissance, &sites, Vec::new());
    let tried = sites.iter().map(|site| Tried { site: SiteId(*site), door: "solr-admin", at: AT });
    campaign.detections[0].tried = tried.collect();
    let sectors: BTreeMap<SiteId, String> =
        (0..40).map(|site| (SiteId(site), String::new())).collect();
    let heard = |site: SiteId, _: Timestamp, _: Timestamp| site != SiteId(29);
    let exposure = |_: SiteId, _: Timestamp, _: &str| Exposure::Unknown;
    let runs = |site: SiteId, at: Timestamp, name: &str| {
        assert!(at == AT && name.contains("solr"), "{at} {name}");
        match site.0 {
            0..10 => Exposure::Affected,
            10..30 => Exposure::Clear,
            _ => Exposure::Unknown,
        }
    };
    let (sectors, heard, exposure) = (&sectors, &heard, &exposure);
    let known = Known { sectors, heard, exposure, runs: &runs, signs: &[] };
    known.grade(&mut campaign);
    known.complete(&mut campaign);
    campaign
}

#[test]
fn reconnaissance_of_what_sites_run_is_aimed_and_of_everything_is_not() {
    let told = |campaign: &Campaign| {
        let one = campaign.matched.first();
        one.map(|it| (it.tried, it.running, it.unknown, it.aimed))
    };
    let aimed = looked_for_solr(0..6);
    assert_eq!(told(&aimed), Some((6, 10, 0, true)));
    assert_eq!((aimed.severity, aimed.silent), (Severity::TargetedReconnaissance, 1));
    let everywhere = looked_for_solr(0..40);
    assert_eq!(told(&everywhere), Some((10, 10, 10, false)));
    assert_eq!(everywhere.severity, Severity::Reconnaissance);
    let two = looked_for_solr([0, 1]);
    assert_eq!(told(&two), Some((2, 10, 0, false)), "told, and too few to be called aimed");
    assert_eq!(two.severity, Severity::Reconnaissance);
    let unknown = looked_for_solr(30..40);
    assert_eq!((told(&unknown), unknown.severity), (None, Severity::Reconnaissance));
    let nobody_runs_it = looked_for_solr(10..20);
    assert_eq!(told(&nobody_runs_it), None);
}
