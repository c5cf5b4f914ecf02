//! What waits for a person: bad news about too many sites at once, and a fix that nobody tried.

use relight_engine::incident::{
    Compromise, Counters, Entry, EvidenceKind, Ledger, PartName, PartSeen, Phase, Rejected,
};
use relight_engine::waves::{AUTO_FIRST_MAX, AUTO_VAIN_MAX, Herds};
use relight_engine::{EngineErrorKind, FunctionalTest, INVENTORY_TTL_S, REDARK_AUTO_MAX};
use relight_model::{Digest, DisplayState, GateKey, Sbom, SitePart};

use crate::edge::key;
use crate::engine::{LOG4SHELL, Town, log4j, name, open};

#[test]
fn bad_news_about_too_many_lit_sites_waits_for_a_person() {
    let town = Town::new(REDARK_AUTO_MAX + 1);
    town.ingest(0, log4j("2.17.1"));
    town.incident(LOG4SHELL);
    let attach = |sites: std::ops::Range<usize>| {
        let sites: Vec<GateKey> = sites.map(|site| key(&name(site))).collect();
        town.engine.attach_evidence("scanner", LOG4SHELL, &sites, EvidenceKind::Scan).unwrap()
    };
    assert_eq!(attach(0..REDARK_AUTO_MAX + 1), 0, "one of them is clear");
    let town = Town::new(REDARK_AUTO_MAX + 1);
    town.incident(LOG4SHELL);
    let sites: Vec<GateKey> = (0..=REDARK_AUTO_MAX).map(|site| key(&name(site))).collect();
    let attach = |sites: &[GateKey]| {
        town.engine.attach_evidence("scanner", LOG4SHELL, sites, EvidenceKind::Scan).unwrap()
    };
    assert_eq!(attach(&sites), REDARK_AUTO_MAX + 1);
    assert_eq!(town.journal(), ["opened", "held-back"]);
    assert_eq!(attach(&sites), REDARK_AUTO_MAX + 1);
    assert_eq!(town.journal(), ["opened", "held-back"], "told once");
    let shown = |town: &Town| {
        town.engine.with_ledger(|ledger| {
            let states = sites.iter().map(|site| ledger.display(site).0);
            let exposed = states.filter(|state| *state == DisplayState::Exposed).count();
            let incident = ledger.incident(LOG4SHELL).unwrap();
            let counters = Counters::of(incident, &sites, town.engine.now());
            (exposed, counters.exposed, incident.held_back().count())
        })
    };
    let all = sites.len();
    assert_eq!(shown(&town), (all, all, all), "until a person decides they are exposed");
    let close = || town.engine.record("A. Tremblay", LOG4SHELL, Entry::Closed { current: true });
    let why = Rejected("news about lit sites waits for a person");
    assert_eq!(close().unwrap_err().kind, EngineErrorKind::Rejected(why));
    assert_eq!(attach(&sites[1..]), all - 1, "the same news in pieces is no decision");
    assert_eq!(shown(&town), (all, all, all));
    town.darken(&[0, 1]);
    assert_eq!(shown(&town), (all - 2, all, all - 2), "dark is wanted of two, and not proven");
    town.darken(&(2..all).collect::<Vec<usize>>());
    assert_eq!(shown(&town).2, 0);
    let again = open(town.engine.store(), "second").unwrap();
    assert_eq!(again.with_ledger(Ledger::clone), town.ledger());
}

/// Goal: bad news about a lit site finds no incident closed. Method: two sites are clear, and the
/// advisory is revised, or their inventories grow old; one is exempt. What was closed before that
/// was asked replays.
#[test]
fn an_incident_does_not_close_over_lit_sites_without_current_evidence() {
    let town = Town::new(2);
    town.incident(LOG4SHELL);
    [0, 1].iter().for_each(|site| town.ingest(*site, log4j("2.17.1")));
    town.engine.exempt("A. Tremblay", LOG4SHELL, &key(&name(1))).unwrap();
    let mut ledger = town.ledger();
    let close = |ledger: &mut Ledger, at| {
        ledger.apply(LOG4SHELL, &Entry::Closed { current: true }, at).map_err(|why| why.0)
    };
    let (now, why) = (town.engine.now(), Err("lit sites are without current evidence"));
    let old = now + INVENTORY_TTL_S;
    assert_eq!(close(&mut ledger, old), why, "what is known of them is old");
    let revised = Entry::Revised { revision: Digest([7; 32]), statements: Digest::default() };
    ledger.apply(LOG4SHELL, &revised, now).unwrap();
    assert_eq!(close(&mut ledger, now), why, "nobody matched them under the new revision");
    let before = Entry::from_body(r#"{"kind":"closed"}"#).unwrap();
    assert_eq!(before.to_body().unwrap(), r#"{"kind":"closed"}"#);
    ledger.apply(LOG4SHELL, &before, now).unwrap();
    close(&mut town.ledger(), old - 1).unwrap();
    town.engine.record("A. Tremblay", LOG4SHELL, Entry::Closed { current: true }).unwrap();
    let again = open(town.engine.store(), "second").unwrap();
    assert_eq!(again.with_ledger(Ledger::clone), town.ledger());
}

/// The new artifacts were scanned and reported by whoever deployed them; nobody has tried the site.
#[test]
fn a_fix_that_was_scanned_is_verified_without_another_scan() {
    let town = Town::new(2);
    town.ingest(0, log4j("2.14.1"));
    town.incident(LOG4SHELL);
    town.darken(&[0]);
    town.ingest(0, log4j("2.14.1"));
    assert_eq!(town.phase(LOG4SHELL, 0), Some(Phase::Affected));
    let test = FunctionalTest { uri: "/".into(), status: 200, text: String::new() };
    let verify = || {
        let (site, signs) = (key(&name(0)), Compromise::NoSigns);
        town.engine.verify_scanned("owner", LOG4SHELL, &site, &test, signs)
    };
    let early = verify().unwrap_err();
    assert!(matches!(early.kind, EngineErrorKind::Rejected(_)), "nothing was deployed: {early:?}");
    let sbom = Sbom { artifact: Some(Digest([7; 32])), ..log4j("2.17.1") };
    town.ingest(0, sbom);
    assert_eq!(town.phase(LOG4SHELL, 0), Some(Phase::Verifying));
    assert!(!verify().unwrap(), "an edge without a verification path passes nothing");
    assert_eq!(town.phase(LOG4SHELL, 0), Some(Phase::Affected));
    let kinds = town.journal();
    assert_eq!(kinds.last().map(String::as_str), Some("verified"));
    let nobody = key(&name(1));
    assert!(
        town.engine.verify_scanned("x", LOG4SHELL, &nobody, &test, Compromise::Unknown).is_err()
    );
}

/// Parts come back as whole sites do: a few, then more, and no more once many did not.
#[test]
fn parts_come_back_in_growing_groups_until_many_do_not() {
    let town = Town::new(70);
    town.incident(LOG4SHELL);
    let record = |entry| town.engine.record("test", LOG4SHELL, entry).unwrap();
    let name_of = |site| PartName { site: key(&name(site)), part: SitePart::Write };
    let (plan, parts) = (Digest::default(), (0..70).map(name_of).collect());
    record(Entry::PartsClosed { plan, parts, reason: "test".into() });
    (0..70).for_each(|site| town.ingest(site, log4j("2.17.1")));
    let group = || -> Vec<PartName> {
        town.engine.relight_ready().unwrap();
        town.engine.with_ledger(|ledger| {
            let parts = ledger.incident(LOG4SHELL).unwrap().parts().values();
            parts.filter(|it| it.state() == "opening").map(|it| it.name.clone()).collect()
        })
    };
    let tell = |parts: &[PartName], seen| {
        let (parts, edge, why) = (parts.to_vec(), "east".into(), String::new());
        record(Entry::PartsSeen { parts, edge, seen, why });
    };
    let first = group();
    assert_eq!(first.len(), AUTO_FIRST_MAX);
    assert_eq!(group(), first, "they are on their way");
    tell(&first, PartSeen::Open);
    let second = group();
    assert_eq!(second.len(), 4 * AUTO_FIRST_MAX);
    let (vain, back) = second.split_at(AUTO_VAIN_MAX);
    tell(vain, PartSeen::Stopped);
    tell(back, PartSeen::Open);
    assert_eq!(group(), [], "twenty more are clear, and wait for a person");
    let (ledger, now) = (town.ledger(), town.engine.now());
    let herds = Herds::of_parts(ledger.incident(LOG4SHELL).unwrap(), now, |_| "east");
    assert_eq!(herds.waiting(), 20);
}
