//! A restart in the middle of an order, on real proxies: what the journal wants dark is closed and
//! proven while the inventory is still read, and nothing is opened before it is there.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use relight_engine::drive::Drive;
use relight_engine::edges;
use relight_engine::incident::{Entry, EvidenceKind, Phase};
use relight_engine::plan::{Action, PlanAsk};
use relight_engine::store::{JournalRecord, SiteRow, Store};
use relight_engine::{Engine, EngineOptions, INVENTORY_TTL_S, Inventory};
use relight_model::{Digest, GateKey, Light, Seen};
use tempfile::TempDir;

use crate::rig::{Kind, Rig, key, targets};
use crate::soak::{ID, publish, row, sbom};

/// Longest wait for what has to come.
const WAIT_MAX: Duration = Duration::from_secs(120);

/// Passes a little with each look.
fn clock() -> i64 {
    static NOW_MS: AtomicI64 = AtomicI64::new(1_700_000_000_000);
    NOW_MS.fetch_add(5, Ordering::Relaxed)
}

fn options(holder: &str) -> EngineOptions {
    EngineOptions { holder: holder.into(), clock, inventory_ttl_s: INVENTORY_TTL_S }
}

fn wait(mut until: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + WAIT_MAX;
    while !until() {
        if Instant::now() >= end {
            return false;
        }
        thread::yield_now();
    }
    true
}

/// A register with three sites on a real proxy, and an open incident.
fn town(kind: Kind) -> (TempDir, Rig, Arc<Store>) {
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let rig = Rig::start(&folder.path().join("edge"), kind, 3);
    let store = Store::open(&folder.path().join("data")).unwrap();
    let rows: Vec<SiteRow> = (0..3).map(row).collect();
    store.apply_import(&store.plan_import(&rows).unwrap(), clock() / 1_000, "test").unwrap();
    store.put_edge(&edges::to_row(&rig.target).unwrap(), 0, "test").unwrap();
    publish(&store, false);
    (folder, rig, Arc::new(store))
}

fn order(engine: &Engine, sites: &[usize]) {
    let ask = PlanAsk {
        incident: ID.to_owned(),
        action: Action::Dark,
        part: None,
        reason: "as a precaution".to_owned(),
        advisory_revision: Digest::default(),
        policy: Digest::default(),
        proposer: "test".to_owned(),
        created: engine.now(),
    };
    let sites: Vec<GateKey> = sites.iter().map(|site| key(*site)).collect();
    engine.execute(&engine.plan(ask, &sites).unwrap(), "test").unwrap();
}

fn scan(engine: &Engine, site: usize, version: usize) {
    let (sbom, observed_at) = (sbom(version), engine.now());
    let inventory = Inventory { site: key(site), sbom, observed_at, profiles: None };
    engine.ingest("scanner", &[inventory], EvidenceKind::Scan).unwrap();
}

/// Whether the journal says that a site was proven to show this light.
fn is_proven(records: &[JournalRecord], site: usize, wanted: Light) -> bool {
    records.iter().filter(|record| record.kind == "proved").any(|record| {
        match Entry::from_body(&record.body).unwrap() {
            Entry::Proved { sites, light, .. } => light == wanted && sites.contains(&key(site)),
            _ => false,
        }
    })
}

/// Goal: a restart costs no more than a look at the journal before edges are driven, and opens
/// nothing on a guess. Method: a controller ends after it ordered two sites dark; the next one
/// reads an inventory that is there only after both are proven so.
fn restart(kind: Kind) {
    let (_folder, rig, store) = town(kind);
    let seen = |site: usize| rig.prober().probe(&targets(site..site + 1), 7)[0].seen;
    let engine = Arc::new(Engine::open(Arc::clone(&store), options("first")).unwrap());
    engine.open_incident("test", ID, "test").unwrap();
    scan(&engine, 2, 0);
    order(&engine, &[0, 1]);
    let begin = store.journal(1).unwrap().len() as u64 + 1;
    drop(engine);
    let (lit, met) = ([0, 1].map(&seen), AtomicBool::new(false));
    assert_eq!(lit, [Seen::Lit; 2], "nobody drove the edge yet");
    let reading = || {
        let is_dark = || {
            let newer = store.journal(begin).unwrap();
            [0, 1].iter().all(|site| is_proven(&newer, *site, Light::Dark))
        };
        let proven = wait(is_dark) && [0, 1].map(&seen) == [Seen::Dark; 2];
        met.store(proven, Ordering::SeqCst);
    };
    let (engine, drive) =
        Drive::open_after(Arc::clone(&store), options("second"), reading).unwrap();
    assert!(met.load(Ordering::SeqCst), "the edge waited for the inventory");
    assert_eq!(engine.rows(), 1, "the inventory is there now");
    drop(drive);
}

#[test]
fn an_edge_of_nginx_is_closed_and_proven_before_the_inventory_is_read() {
    restart(Kind::Nginx);
}

#[test]
fn an_edge_of_haproxy_is_closed_and_proven_before_the_inventory_is_read() {
    restart(Kind::Haproxy);
}

/// Trap: a site on its way back was stopped at each start, or opened before anybody knew whether
/// its evidence still holds. Goal: it waits, and comes back. Method: a relight that was begun and
/// not carried out; a look at the gate while the inventory is not there, and afterwards.
#[test]
fn a_site_on_its_way_back_waits_for_the_inventory_and_is_not_stopped() {
    let (_folder, rig, store) = town(Kind::Nginx);
    let seen = |site: usize| rig.prober().probe(&targets(site..site + 1), 7)[0].seen;
    let engine = Arc::new(Engine::open(Arc::clone(&store), options("first")).unwrap());
    engine.open_incident("test", ID, "test").unwrap();
    order(&engine, &[2]);
    let drive = Drive::edges_alone(&engine).unwrap();
    assert!(wait(|| is_proven(&store.journal(1).unwrap(), 2, Light::Dark)));
    drop(drive);
    scan(&engine, 2, 2);
    assert_eq!(engine.phase(ID, &key(2)), Some(Phase::RelightEligible));
    assert_eq!(engine.relight_ready().unwrap(), 1);
    order(&engine, &[0]);
    let begin = store.journal(1).unwrap().len() as u64 + 1;
    drop(engine);
    let held = AtomicBool::new(false);
    let reading = || {
        // The site beside it is proven: the edge was driven, whole.
        let newer = || store.journal(begin).unwrap();
        let is_driven = wait(|| is_proven(&newer(), 0, Light::Dark));
        let kinds: Vec<String> = newer().into_iter().map(|record| record.kind).collect();
        let is_stopped = kinds.iter().any(|kind| kind == "relight-stopped");
        held.store(is_driven && !is_stopped && seen(2) == Seen::Dark, Ordering::SeqCst);
    };
    let (engine, drive) =
        Drive::open_after(Arc::clone(&store), options("second"), reading).unwrap();
    assert!(held.load(Ordering::SeqCst));
    assert!(wait(|| is_proven(&store.journal(begin).unwrap(), 2, Light::Lit)));
    assert_eq!(engine.phase(ID, &key(2)), Some(Phase::RelitProven));
    assert_eq!([0, 2].map(seen), [Seen::Dark, Seen::Lit]);
    drop(drive);
}
