//! Another version of the matching takes over a register: what it journals is replayed as it was
//! judged, by every version after it.

use std::collections::BTreeMap;
use std::sync::Arc;

use relight_engine::incident::{Entry, Evidence, Ledger, Phase};
use relight_engine::store::{JOURNAL_LEASE, JournalDraft, Store};
use relight_match::MATCHER_REVISION;

use crate::brake::exempt;
use crate::edge::key;
use crate::engine::{LOG4SHELL, Town, log4j, name, open, pass};

/// How long two people answer for the site.
const GRANT_S: i64 = 60;

/// A site that may stay online for a minute whatever is known of it, and that an older version
/// found clear.
fn town() -> Town {
    let town = Town::new(1);
    town.incident(LOG4SHELL);
    exempt(&town, 0, town.engine.now() + GRANT_S);
    town.ingest(0, log4j("2.17.1"));
    let site = key(&name(0));
    let evidence = town.ledger().incident(LOG4SHELL).unwrap().case(&site).unwrap().evidence.clone();
    let evidence = Evidence { matcher_revision: MATCHER_REVISION - 1, ..evidence.unwrap() };
    as_before(&town, &[Entry::EvidenceAttached { evidence }]);
    town
}

/// Entries as a version wrote them that did not say which matcher ran.
fn as_before(town: &Town, entries: &[Entry]) {
    let (store, time) = (town.engine.store(), town.engine.now());
    let lease = store.take_lease(JOURNAL_LEASE, "older", time).unwrap();
    let draft = |entry: &Entry| JournalDraft {
        time,
        actor: "older".into(),
        kind: entry.kind().into(),
        incident: LOG4SHELL.into(),
        body: entry.to_body().unwrap(),
    };
    let drafts: Vec<JournalDraft> = entries.iter().map(draft).collect();
    store.append(&lease, &drafts).unwrap();
}

fn store(town: &Town) -> Arc<Store> {
    Arc::new(Store::open(town.folder.path()).unwrap())
}

/// Goal: what a new version does before it has evidence of its own does not lock everybody out of
/// the register. Method: what two people signed ends then.
#[test]
fn what_ends_under_a_new_matcher_is_replayed_under_it() {
    let (town, site) = (town(), key(&name(0)));
    pass(GRANT_S);
    let newer = open(&store(&town), "newer").unwrap();
    let before = town.journal().len();
    newer.lapse(&mut BTreeMap::new()).unwrap();
    assert_eq!(newer.phase(LOG4SHELL, &site), Some(Phase::DarkRequested));
    assert_eq!(town.journal()[before..], ["matcher-runs", "lapsed"]);
    let third = open(&store(&town), "third").unwrap();
    assert_eq!(third.with_ledger(Ledger::clone), newer.with_ledger(Ledger::clone));
    let canary = Entry::CanaryTried { edge: "east".into(), passed: true, what: String::new() };
    third.record("relight", "", canary).unwrap();
    assert_eq!(town.journal()[before..], ["matcher-runs", "lapsed", "canary-tried"], "said once");
}

/// Goal: a register that an older version left like that is opened. Method: the same entries
/// without the one that says which matcher ran; and one that follows under none is still refused.
#[test]
fn a_journal_that_does_not_say_which_matcher_ran_replays() {
    let (town, site) = (town(), key(&name(0)));
    pass(GRANT_S);
    as_before(&town, &[Entry::Lapsed { sites: vec![site.clone()] }]);
    let newer = open(&store(&town), "newer").unwrap();
    assert_eq!(newer.phase(LOG4SHELL, &site), Some(Phase::DarkRequested));
    as_before(&town, &[Entry::VerificationStarted { site }]);
    let refused = open(&store(&town), "third").unwrap_err();
    assert!(refused.to_string().starts_with("replaying journal record"), "{refused}");
}

/// Goal: a site that waits for its relight when the matcher changes does not wait for a scan.
/// Method: a dark site that the old version called clear, and one that it called affected.
#[test]
fn dark_sites_are_matched_again_by_a_newer_matcher() {
    let town = Town::new(2);
    town.incident(LOG4SHELL);
    town.darken(&[0, 1]);
    town.ingest(0, log4j("2.17.1"));
    town.ingest(1, log4j("2.14.1"));
    let older = [0, 1].map(|site| {
        let ledger = town.ledger();
        let case = ledger.incident(LOG4SHELL).unwrap().case(&key(&name(site))).cloned();
        let matcher_revision = MATCHER_REVISION - 1;
        let evidence = Evidence { matcher_revision, ..case.unwrap().evidence.unwrap() };
        Entry::EvidenceAttached { evidence }
    });
    as_before(&town, &older);
    let newer = open(&store(&town), "newer").unwrap();
    let phases = || [0, 1].map(|site| newer.phase(LOG4SHELL, &key(&name(site))).unwrap());
    assert_eq!(phases(), [Phase::RelightEligible, Phase::Affected]);
    assert_eq!(newer.relight_ready().unwrap(), 1);
    assert_eq!(phases(), [Phase::Relighting, Phase::Affected]);
}
