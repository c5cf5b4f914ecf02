//! A register that nobody looks after: what it calls proven is so for 15 s after the last look.

use std::cell::Cell;
use std::slice::from_ref;
use std::sync::Arc;

use relight_model::{Digest, DisplayState, Epoch, SitePart};

use super::tests::{INCIDENT, dark_site, gate, prove};
use super::*;
use crate::engine::replay;
use crate::exposure::exposures;
use crate::incident::{Counters, PartName, PartSeen};
use crate::looked::{LOOKED_KEY, PROOF_TTL_S, Unseen, forget_unseen};
use crate::{EngineErrorKind, EngineOptions};

/// When the site of the trials is ordered and proven dark.
const PROVEN: i64 = 1_000;

thread_local! {
    static NOW: Cell<i64> = const { Cell::new(0) };
}

fn clock() -> i64 {
    NOW.get() * 1_000
}

/// Somebody who controls the register from here on.
fn controller(before: &Engine) -> Engine {
    let options = EngineOptions { holder: "next".into(), clock, inventory_ttl_s: 1 };
    Engine::open(Arc::clone(before.store()), options).unwrap()
}

/// A register with one site that was proven dark just now.
fn proven(folder: &std::path::Path) -> (Engine, GateKey) {
    NOW.set(PROVEN);
    let (engine, _, site) = dark_site(folder);
    prove(&engine, &site);
    (controller(&engine), site)
}

/// What whoever reads the register is told at a time: what nobody looks at, how the site is drawn,
/// and how many are exposed.
fn read(engine: &Engine, site: &GateKey, now: i64) -> (Option<Unseen>, DisplayState, usize) {
    let (mut ledger, _) = replay(engine.store()).unwrap();
    let sites = engine.sites();
    let unseen = forget_unseen(engine.store(), &mut ledger, &sites, now).unwrap();
    let counters = Counters::of(ledger.incident(INCIDENT).unwrap(), from_ref(site), now);
    (unseen, ledger.display(site).0, counters.exposed)
}

/// Minutes would round it away.
fn times(engine: &Engine, now: i64) -> (i64, i64) {
    let rows = exposures(engine.store(), INCIDENT, now).unwrap();
    (rows[0].dark_s, rows[0].exposed_s)
}

const DARK: (Option<Unseen>, DisplayState, usize) = (None, DisplayState::Dark, 0);

fn unseen_since(since: i64) -> (Option<Unseen>, DisplayState, usize) {
    (Some(Unseen { sites: 1, since: Some(since) }), DisplayState::DarkRequested, 1)
}

#[test]
fn what_nobody_looks_at_any_more_is_proven_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, site) = proven(folder.path());
    let read = |now| read(&engine, &site, now);
    assert_eq!(read(PROVEN + PROOF_TTL_S - 1), DARK);
    assert_eq!(read(PROVEN + PROOF_TTL_S), unseen_since(PROVEN));
    assert_eq!(times(&engine, PROVEN + 3_600), (PROOF_TTL_S, 3_600 - PROOF_TTL_S));

    // A loop looked at it for a hundred seconds; then it could not tell the journal what it saw.
    let (lookout, begin) = (Lookout::default(), Instant::now());
    let after = |seconds| begin + Duration::from_secs(seconds);
    lookout.begin("east", begin);
    NOW.set(PROVEN + 10);
    lookout.keep_looks(&engine, after(10));
    assert_eq!(read(PROVEN + PROOF_TTL_S), unseen_since(PROVEN), "it only began");
    lookout.note("east", after(100), true);
    lookout.note("east", after(150), false);
    NOW.set(PROVEN + 150);
    lookout.keep_looks(&engine, after(150));
    let looked = PROVEN + 100;
    assert_eq!(read(looked + PROOF_TTL_S - 1), DARK);
    assert_eq!(read(looked + PROOF_TTL_S), unseen_since(looked));
    let dark = looked + PROOF_TTL_S - PROVEN;
    assert_eq!(times(&engine, PROVEN + 200), (dark, 200 - dark));

    // The next one says so once, before it looks, and the time stays what it was.
    NOW.set(PROVEN + 3_600);
    let next = controller(&engine);
    assert_eq!(engine.keep_looks([].into()).unwrap_err().kind, EngineErrorKind::Fenced);
    next.tell_unseen().unwrap();
    next.tell_unseen().unwrap();
    let journal = next.store().journal(1).unwrap();
    let told = &journal.last().unwrap().body;
    assert!(told.contains(&format!("\"since\":{looked}")), "{told}");
    assert_eq!(journal.iter().filter(|record| record.kind == "drifted").count(), 1);
    assert_eq!(gate(&next, &site), Gate::Requested);
    NOW.set(PROVEN + 3_610);
    let (sites, light, epoch) = (vec![site.clone()], Light::Dark, Epoch::default());
    let proved = Entry::Proved { sites, light, edge: "east".into(), epoch };
    next.record("relight", INCIDENT, proved).unwrap();
    assert_eq!(times(&next, PROVEN + 3_620), (dark + 10, 3_610 - dark));
    assert_eq!(gate(&next, &site), Gate::Proven);
}

/// The server keeps looks from the first dark one on, at most 5 s later: until then the journal
/// shows that somebody looked.
#[test]
fn a_part_that_was_just_seen_closed_was_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, _, site) = dark_site(folder.path());
    NOW.set(PROVEN);
    let engine = controller(&engine);
    let part = SitePart::parse("booking=/booking").unwrap();
    let parts = vec![PartName { site: site.clone(), part }];
    let (plan, reason, why) = (Digest::default(), String::new(), String::new());
    let closed = Entry::PartsClosed { plan, parts: parts.clone(), reason };
    let (edge, seen) = ("east".into(), PartSeen::Closed);
    for entry in [closed, Entry::PartsSeen { parts, edge, seen, why }] {
        engine.record("relight", INCIDENT, entry).unwrap();
    }
    assert_eq!(read(&engine, &site, PROVEN + PROOF_TTL_S - 1).0, None);
    let unseen = Unseen { sites: 1, since: Some(PROVEN) };
    assert_eq!(read(&engine, &site, PROVEN + PROOF_TTL_S).0, Some(unseen));
}

/// A clock that was ahead when somebody looked makes no proof last longer.
#[test]
fn a_look_in_the_future_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, site) = proven(folder.path());
    let lookout = Lookout::default();
    let begin = Instant::now();
    NOW.set(PROVEN + 86_400);
    lookout.note("east", begin, true);
    lookout.keep_looks(&engine, begin);
    assert_eq!(read(&engine, &site, PROVEN + PROOF_TTL_S), unseen_since(PROVEN));
    assert_eq!(read(&engine, &site, PROVEN + 86_400 + 1), DARK);
}

/// Nothing is written while nothing is to be dark.
#[test]
fn a_register_without_dark_sites_keeps_no_looks() {
    let folder = tempfile::tempdir().unwrap();
    let store = relight_store::Store::open(folder.path()).unwrap();
    let options = EngineOptions { holder: "one".into(), clock, inventory_ttl_s: 1 };
    let engine = Engine::open(Arc::new(store), options).unwrap();
    let lookout = Lookout::default();
    lookout.note("east", Instant::now(), true);
    lookout.keep_looks(&engine, Instant::now());
    assert_eq!(engine.store().meta_get(LOOKED_KEY).unwrap(), None);
}
