//! What a drill may close on the word of one person: as many marked sites as that person may
//! switch.

use relight_engine::drill::{DrillScope, Unagreed};
use relight_engine::edges;
use relight_engine::policy::{ALONE_WINDOW_S, Policy};
use relight_engine::store::{SiteMark, SiteRow, Store};
use relight_model::{Criticality, Digest};

use crate::edge::{builtin, key};
use crate::engine::row;

const NOW: i64 = 1_800_000_000;

/// Eight sites behind two edges; `s7` is vital.
fn register() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let site = |number: usize| SiteRow {
        edge: if number < 4 { "east" } else { "west" }.into(),
        criticality: if number == 7 { Criticality::Vital } else { Criticality::Normal },
        ..row(number, &format!("s{number}"))
    };
    let rows: Vec<SiteRow> = (0..8).map(site).collect();
    store.apply_import(&store.plan_import(&rows).unwrap(), 1, "test").unwrap();
    for name in ["east", "west"] {
        let target = builtin(folder.path(), name);
        store.put_edge(&edges::to_row(&target).unwrap(), 1, "test").unwrap();
    }
    (folder, store)
}

fn unagreed(store: &Store, edges: &[&str], policy: &Policy, now: i64) -> Option<Unagreed> {
    let names: Vec<String> = edges.iter().map(|name| (*name).to_owned()).collect();
    DrillScope::read(store, &names).unwrap().unagreed(store, policy, now).unwrap()
}

/// Goal: neither slices by edge nor by the hour close more than one person may. Method: marks are
/// set and taken off; each scope is asked, with policies that allow none, three, and name sites.
#[test]
fn marks_of_one_person_close_no_more_than_that_person_may_switch() {
    let (_folder, store) = register();
    let mark = |site: &str, is_set: bool, at: i64| {
        store.set_mark(&key(site), SiteMark::DrillOk, is_set, at, "test").unwrap();
    };
    let three = Policy::signed(Digest([1; 32]), 3, 200);
    let nobody = Policy::strictest();
    assert_eq!(unagreed(&store, &[], &nobody, NOW), None, "canaries are nobody's sites");
    for site in ["s0", "s1", "s4"] {
        mark(site, true, NOW);
    }
    assert_eq!(unagreed(&store, &[], &three, NOW), None);
    let found = |sites, vital| Some(Unagreed { sites, vital });
    assert_eq!(unagreed(&store, &["east"], &nobody, NOW), found(3, 0));
    mark("s5", true, NOW);
    assert_eq!(unagreed(&store, &["east"], &three, NOW), found(4, 0), "not edge by edge");
    mark("s5", false, NOW + 60);
    assert_eq!(unagreed(&store, &["east"], &three, NOW + 60), found(4, 0), "nor by the hour");
    assert_eq!(unagreed(&store, &["east"], &three, NOW + 61 + ALONE_WINDOW_S), None);
    mark("s7", true, NOW + 120);
    let later = NOW + 61 + ALONE_WINDOW_S;
    mark("s4", false, 2);
    assert_eq!(unagreed(&store, &[], &three, later), found(3, 1), "a vital one");
    let drilled = ["s7"].map(key).into();
    let named = Policy { drilled, ..three };
    assert_eq!(unagreed(&store, &[], &named, later), None, "two people named it");
    mark("s0", false, 2);
    mark("s1", false, 2);
    assert_eq!(unagreed(&store, &[], &Policy { alone_max: 0, ..named }, later), None);
}
