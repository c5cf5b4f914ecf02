//! What advisories change is told once, to whomever it concerns, and no restart is needed.

use std::collections::BTreeSet;
use std::sync::Arc;

use relight_engine::Engine;
use relight_engine::incident::{EvidenceKind, Phase};
use relight_engine::matching::Question;
use relight_engine::notify::{ExploitedAt, ProposalRule, proposals};
use relight_engine::plan::{Action, PlanAsk};
use relight_engine::silenced::{disable_source, enable_source};
use relight_engine::store::{By, Notice, NoticeKind, RawAdvisory, SiteRow};
use relight_model::{
    Answer, Digest, FindingState, GateKey, Light, SiteExposure, UnknownReason, Verdict,
};
use testkit::Rng;

use crate::edge::key;
use crate::engine::{Town, log4j, name, open, pass, row};

/// A record about log4j-core; `state` is one more field of it, or nothing.
fn record(id: &str, state: &str, from: &str, to: &str) -> String {
    let events = format!(r#"[{{"introduced":"{from}"}},{{"fixed":"{to}"}}]"#);
    let package = r#"{"ecosystem":"Maven","name":"org.apache.logging.log4j:log4j-core"}"#;
    let ranges = format!(r#"[{{"type":"ECOSYSTEM","events":{events}}}]"#);
    let score = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H";
    format!(
        r#"{{"id":"{id}","modified":"2021-12-18T00:00:00Z","summary":"one more",{state}
        "severity":[{{"type":"CVSS_V3","score":"{score}"}}],
        "affected":[{{"package":{package},"ranges":{ranges}}}]}}"#
    )
}

const WITHDRAWN: &str = r#""withdrawn":"2021-12-20T00:00:00Z","#;

fn put(engine: &Engine, id: &str, text: &str) {
    let mut revision = [0; 32];
    let digest = text.bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(31) + u64::from(byte));
    revision[..8].copy_from_slice(&digest.to_le_bytes());
    let bytes = text.as_bytes();
    let raw = RawAdvisory { id, revision: Digest(revision), bytes, recorded_at: engine.now() };
    engine.store().put_advisories("osv", &[raw]).unwrap();
}

fn told(notices: &[Notice]) -> Vec<(NoticeKind, u64, Vec<u32>, Vec<u32>)> {
    let row =
        |it: &Notice| (it.kind, it.affected, it.joined.iter().collect(), it.gone.iter().collect());
    notices.iter().map(row).collect()
}

/// Three sites: 2.14.1, 2.17.1, nothing known.
fn town() -> Town {
    let town = Town::new(3);
    town.ingest(0, log4j("2.14.1"));
    town.ingest(1, log4j("2.17.1"));
    assert_eq!(town.engine.tell_changes().unwrap(), [], "what is so already is no news");
    town
}

#[test]
fn a_change_is_told_once_with_who_joined_and_who_left() {
    let town = town();
    let tell = |text: &str| {
        put(&town.engine, "CVE-2099-1", text);
        town.engine.follow_feeds().unwrap();
        told(&town.engine.tell_changes().unwrap())
    };
    let first = tell(&record("CVE-2099-1", "", "2.0", "2.15.0"));
    assert_eq!(first, [(NoticeKind::Advisory, 1, vec![1], vec![])]);
    assert_eq!(town.engine.tell_changes().unwrap(), []);
    let moved = tell(&record("CVE-2099-1", "", "2.17.0", "2.18.0"));
    assert_eq!(moved, [(NoticeKind::Revised, 1, vec![2], vec![1])]);
    let gone = tell(&record("CVE-2099-1", WITHDRAWN, "2.17.0", "2.18.0"));
    assert_eq!(gone, [(NoticeKind::Withdrawn, 0, vec![], vec![2])]);
    let back = tell(&record("CVE-2099-1", "", "2.17.0", "2.18.0"));
    assert_eq!(back, [(NoticeKind::Revised, 1, vec![2], vec![])]);
    let other = tell(&record("CVE-2099-1", "", "3.0", "3.1"));
    assert_eq!(other, [(NoticeKind::Revised, 0, vec![], vec![2])]);
}

/// Goal: a crash between storing an advisory and telling it loses nothing and tells nothing twice.
#[test]
fn what_was_stored_before_a_crash_is_told_after_it() {
    let town = town();
    let store = Arc::clone(town.engine.store());
    put(&town.engine, "CVE-2099-1", &record("CVE-2099-1", "", "2.0", "2.15.0"));
    let again = open(&store, "second").unwrap();
    assert_eq!(told(&again.tell_changes().unwrap()), [(NoticeKind::Advisory, 1, vec![1], vec![])]);
    let again = open(&store, "third").unwrap();
    assert_eq!(again.tell_changes().unwrap(), []);
    assert_eq!(store.notices(0).unwrap().len(), 1);
}

/// Goal: a flaw that gets a number is told as what it was. Method: an advisory of one's own that is
/// bound to a CVE nobody heard of, while an engine runs and between two of them.
#[test]
fn a_flaw_that_gets_a_number_is_no_new_one() {
    for restarts in [false, true] {
        let town = town();
        let own = |state: &str| record("RLT-test-2021-0001", state, "2.0", "2.15.0");
        put(&town.engine, "RLT-test-2021-0001", &own(""));
        town.engine.follow_feeds().unwrap();
        let first = told(&town.engine.tell_changes().unwrap());
        assert_eq!(first, [(NoticeKind::Advisory, 1, vec![1], vec![])]);
        put(&town.engine, "RLT-test-2021-0001", &own(r#""aliases":["CVE-2099-1"],"#));
        let again = restarts.then(|| open(town.engine.store(), "again").unwrap());
        let engine = again.as_ref().unwrap_or(&town.engine);
        engine.follow_feeds().unwrap();
        let bound = engine.tell_changes().unwrap();
        assert!(bound.iter().all(|it| it.advisory == "CVE-2099-1"), "{bound:?}");
        let joined: Vec<_> = told(&bound).into_iter().filter(|it| !it.2.is_empty()).collect();
        assert_eq!(joined, [], "nobody joined, {restarts}");
        assert!(bound.iter().all(|it| it.kind != NoticeKind::Withdrawn), "{bound:?}");
        assert_eq!(engine.tell_changes().unwrap(), []);
        let known = engine.store().told_revisions().unwrap();
        let of_it = known.iter().filter(|(id, _)| id == "CVE-2099-1" || id.starts_with("RLT-"));
        assert_eq!(of_it.count(), 1, "{known:?}");
    }
}

/// An advisory of one's own whose day has come is told once, and once more for another day; it
/// counts all the same.
#[test]
fn the_day_of_an_advisory_of_ones_own_is_told_once() {
    let town = town();
    let expiring = |at: &str| {
        let text = record("RLT-test-2021-0001", "", "2.0", "2.15.0");
        text.replacen('{', &format!(r#"{{"database_specific":{{"expires":"{at}"}},"#), 1)
    };
    let put = |at: &str| {
        put(&town.engine, "RLT-test-2021-0001", &expiring(at));
        town.engine.follow_feeds().unwrap();
    };
    let tell = || told(&town.engine.tell_changes().unwrap());
    put("2021-12-11T00:00:00Z");
    assert_eq!(tell(), [(NoticeKind::Advisory, 1, vec![1], vec![])]);
    pass(3_600);
    assert_eq!(tell(), []);
    pass(86_400);
    assert_eq!(tell(), [(NoticeKind::Expired, 1, vec![], vec![])]);
    pass(86_400);
    assert_eq!((tell(), town.engine.found("RLT-test-2021-0001").affected.len()), (vec![], 1));
    // A server that starts later does not tell it again.
    let again = open(town.engine.store(), "again").unwrap();
    assert_eq!(told(&again.tell_changes().unwrap()), []);
    put("2022-01-01T00:00:00Z");
    assert_eq!(tell(), []);
    pass(30 * 86_400);
    assert_eq!(tell(), [(NoticeKind::Expired, 1, vec![], vec![])]);
}

/// A source that is switched off: its word ends and is told, no site comes back by that, and all
/// is as it was once it is switched on.
#[test]
fn a_source_that_is_switched_off_relights_nothing_and_its_word_returns() {
    const FLAW: &str = "CVE-2021-44228";
    let town = town();
    town.incident(FLAW);
    let site = GateKey::new(&name(0)).unwrap();
    let sites = std::slice::from_ref(&site);
    town.engine.attach_evidence("test", FLAW, sites, EvidenceKind::Scan).unwrap();
    town.darken(&[0]);
    let wants = || town.phase(FLAW, 0).unwrap().wants();
    assert_eq!(wants(), Light::Dark);
    let permits = || town.ledger().incident(FLAW).unwrap().permits(&site, town.engine.now());
    let by = By { actor: "test", at: town.engine.now() };
    disable_source(town.engine.store(), "relight", by).unwrap().unwrap();
    town.engine.follow_store().unwrap();
    let notices = town.engine.tell_changes().unwrap();
    let kinds: BTreeSet<_> = notices.iter().map(|it| it.kind).collect();
    assert_eq!(kinds, [NoticeKind::Withdrawn].into());
    assert_eq!((wants(), permits()), (Light::Dark, false));
    assert!(town.engine.found(FLAW).affected.is_empty());
    enable_source(town.engine.store(), "relight", by).unwrap();
    town.engine.follow_store().unwrap();
    assert_eq!((wants(), town.engine.found(FLAW).affected.len()), (Light::Dark, 1));
    let kinds: BTreeSet<_> =
        town.engine.tell_changes().unwrap().into_iter().map(|it| it.kind).collect();
    assert_eq!(kinds, [NoticeKind::Revised].into());
}

#[test]
fn an_incident_is_proposed_until_somebody_opens_it_or_the_advisory_goes() {
    let town = town();
    let ids = || {
        let engine = town.engine.proposals(ProposalRule::default());
        assert_eq!(engine, proposals(town.engine.store(), ProposalRule::default()).unwrap());
        engine.into_iter().map(|it| it.advisory).collect::<Vec<_>>()
    };
    let shipped = ["CVE-2021-44228", "CVE-2021-45046"];
    assert_eq!(ids(), shipped, "the two of the catalogue");
    put(&town.engine, "CVE-2099-1", &record("CVE-2099-1", "", "2.0", "2.15.0"));
    town.engine.follow_feeds().unwrap();
    assert_eq!(ids(), [shipped[0], shipped[1], "CVE-2099-1"]);
    town.incident("CVE-2021-44228");
    assert_eq!(ids(), [shipped[1], "CVE-2099-1"]);
    put(&town.engine, "CVE-2099-1", &record("CVE-2099-1", WITHDRAWN, "2.0", "2.15.0"));
    town.engine.follow_feeds().unwrap();
    assert_eq!(ids(), [shipped[1]]);
    let strict = ProposalRule { score_min: 101, exploited: ExploitedAt::Never };
    assert_eq!(town.engine.proposals(strict), []);
}

/// Goal: what is exploited is proposed where anybody can reach it, shown to the public or not.
/// Method: the same affected site with each exposure, shown and hidden, under each rule.
#[test]
fn what_is_exploited_is_proposed_by_exposure_and_not_by_what_the_public_page_shows() {
    let town = town();
    let store = town.engine.store();
    for (exposure, within_reach) in [
        (SiteExposure::Internet, true),
        (SiteExposure::Unknown, true),
        (SiteExposure::Controlled, false),
        (SiteExposure::Internal, false),
    ] {
        for public in [true, false] {
            let rows: Vec<_> = (0..3).map(|at| row(at, &name(at))).collect();
            let rows: Vec<_> = rows
                .into_iter()
                .map(|it| SiteRow { exposure: Some(exposure), public, ..it })
                .collect();
            let plan = store.plan_import(&rows).unwrap();
            store.apply_import(&plan, town.engine.now(), "test").unwrap();
            let count = |exploited| {
                let rule = ProposalRule { score_min: 101, exploited };
                proposals(store, rule).unwrap().len()
            };
            let wanted = if within_reach { 2 } else { 0 };
            assert_eq!(count(ExploitedAt::Internet), wanted, "{exposure:?} {public}");
            assert_eq!(count(ExploitedAt::Anywhere), 2, "{exposure:?} {public}");
            assert_eq!(count(ExploitedAt::Never), 0, "{exposure:?} {public}");
        }
    }
}

/// Goal: following the feeds step by step gives what reading everything again gives. Method:
/// seeded records that come, change, are withdrawn and come back; after each step a second engine
/// reads the same store from nothing.
#[test]
fn following_equals_reading_again() {
    for seed in 0..4 {
        println!("seed {seed}");
        let mut rng = Rng::new(seed);
        let town = town();
        for _ in 0..12 {
            let id = format!("CVE-2099-{}", rng.below(3));
            let state = if rng.chance(30) { WITHDRAWN } else { "" };
            let from = *rng.pick(&["2.0", "2.15.0", "2.17.0"]);
            let to = *rng.pick(&["2.12.0", "2.16.0", "2.18.0"]);
            put(&town.engine, &id, &record(&id, state, from, to));
            town.engine.follow_feeds().unwrap();
            let verdicts = |engine: &Engine| -> Vec<Vec<Verdict>> {
                let ask = |id: usize| {
                    relight_engine::matching::Question::Advisory(format!("CVE-2099-{id}"))
                };
                let answer =
                    |id| engine.ask(&ask(id)).sites.iter().map(|it| it.answer.verdict()).collect();
                (0..3).map(answer).collect()
            };
            let found = |engine: &Engine| {
                (0..3).map(|id| engine.found(&format!("CVE-2099-{id}"))).collect::<Vec<_>>()
            };
            let fresh = open(town.engine.store(), "fresh").unwrap();
            assert_eq!(verdicts(&town.engine), verdicts(&fresh));
            assert_eq!(found(&town.engine), found(&fresh));
        }
    }
}

/// Goal: what no version can be asked about is unknown, for the same reason after each upgrade, and
/// no upgrade is news (ADVISORIES.md M2). Method: a record that names the package and nothing else,
/// a component that is upgraded again and again, and the notices of each time.
#[test]
fn m02_an_unknown_stays_the_same_one_through_upgrades() {
    let town = town();
    let package = r#"{"ecosystem":"Maven","name":"org.apache.logging.log4j:log4j-core"}"#;
    let text = format!(r#"{{"id":"CVE-2099-1","affected":[{{"package":{package}}}]}}"#);
    put(&town.engine, "CVE-2099-1", &text);
    town.engine.follow_feeds().unwrap();
    town.engine.tell_changes().unwrap();
    let question = Question::Advisory("CVE-2099-1".into());
    let look = || {
        let answer = &town.engine.ask(&question).sites[1];
        let states: Vec<_> = answer.found.iter().map(|it| it.state).collect();
        (answer.answer.clone(), answer.reasons.clone(), states)
    };
    let first = look();
    assert_eq!(first.0, Answer::Unknown(UnknownReason::RangeUnresolved));
    assert_eq!(first.2, [FindingState::RangeUnresolved], "one finding");
    let count = town.engine.store().notices(0).unwrap().len();
    for version in ["2.17.2", "2.18.0", "2.19.0"] {
        pass(60);
        town.ingest(1, log4j(version));
        assert_eq!(look(), first, "{version}");
        assert_eq!(town.engine.tell_changes().unwrap(), [], "{version}");
    }
    assert_eq!(town.engine.store().notices(0).unwrap().len(), count);
}

/// Goal: nothing is relit because a record is withdrawn, and what it said is there again when it
/// comes back (ADVISORIES.md 2.2, M19). Method: a site that is dark for one record; it is withdrawn
/// twice, in a feed and by a source that is switched off; each time nobody wants the site lit.
#[test]
fn m19_a_withdrawal_relights_nothing() {
    let town = town();
    let id = "CVE-2099-1";
    put(&town.engine, id, &record(id, "", "2.0", "2.15.0"));
    town.engine.follow_feeds().unwrap();
    let incident = town.incident(id);
    let ask = PlanAsk {
        incident: incident.clone(),
        action: Action::Dark,
        part: None,
        reason: "as a precaution".into(),
        advisory_revision: Digest::default(),
        policy: Digest::default(),
        proposer: "A. Tremblay".into(),
        created: town.engine.now(),
    };
    let site = key(&name(0));
    let plan = town.engine.plan(ask, std::slice::from_ref(&site)).unwrap();
    town.engine.execute(&plan, "A. Tremblay").unwrap();
    let by = || By { actor: "test", at: town.engine.now() };
    let check = |why: &str, verdict: Verdict| {
        pass(1);
        town.engine.follow_feeds().unwrap();
        let answer = &town.engine.ask(&Question::Advisory(id.into())).sites[0];
        assert_eq!(answer.answer.verdict(), verdict, "{why}");
        let ledger = town.ledger();
        assert_eq!(ledger.wants(&site), Light::Dark, "{why}");
        let case = ledger.incident(&incident).unwrap();
        assert!(!case.permits(&site, town.engine.now()), "{why}");
        assert_ne!(town.phase(&incident, 0), Some(Phase::RelightEligible), "{why}");
    };
    check("in force", Verdict::Affected);
    put(&town.engine, id, &record(id, WITHDRAWN, "2.0", "2.15.0"));
    check("withdrawn", Verdict::Unknown);
    put(&town.engine, id, &record(id, "", "2.0", "2.15.0"));
    check("back", Verdict::Affected);
    disable_source(town.engine.store(), "osv", by()).unwrap().unwrap();
    check("switched off", Verdict::Unknown);
    enable_source(town.engine.store(), "osv", by()).unwrap();
    check("switched on", Verdict::Affected);
}
