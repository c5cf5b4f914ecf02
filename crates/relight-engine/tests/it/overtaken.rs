//! An edge that has seen a newer controller: looked at, and not written to.

use std::fs;

use relight_engine::edge::{EdgeErrorKind, GateSet};
use relight_engine::edges;
use relight_engine::incident::Gate;
use relight_engine::reconcile::CANARY_EVERY_MS;
use relight_model::{Epoch, Light};

use crate::edge::{key, set};
use crate::engine::Town;
use crate::loops::{Bench, dark, told};

use Gate::{Open, Proven, Requested};
use Light::{Dark, Lit};

/// Goal: what another controller wrote is not written over by one whose term went back. Method: the
/// register came back from a copy of before, under the very term that the edge has seen. Trap: the
/// epochs of the copy grew with its journal, and from the entry on at which it was longer than the
/// lost one, whatever it wanted was written.
#[test]
fn a_controller_that_came_back_under_an_old_term_writes_nothing_however_long_its_journal_is() {
    let mut bench = Bench::new(dark(&["a", "b"]));
    bench.set(|edge| (edge.epoch, edge.has_record) = (Some(Epoch { term: 2, seq: 40 }), true));
    for seq in [9, 39, 41, 4_000] {
        bench.epoch = Epoch { term: 2, seq };
        let round = bench.later(100, &[("a", Lit, Proven), ("c", Dark, Requested)]);
        assert_eq!(round.error.map(|error| error.kind), Some(EdgeErrorKind::Fenced), "{seq}");
        bench.set(|edge| {
            assert_eq!((&edge.durable, &edge.runtime), (&set(&["a", "b"]), &edge.durable))
        });
    }
    assert!(bench.edge_loop.try_canary(&[], bench.epoch, bench.now_ms).is_none());
    let wants = bench.later(CANARY_EVERY_MS, &[("a", Lit, Proven)]);
    assert!(wants.error.is_some());
    // It is started again, and begins above what the edge has seen.
    bench.epoch = Epoch { term: 3, seq: 4_001 };
    bench.later(100, &[("a", Lit, Proven), ("c", Dark, Requested)]);
    bench.set(|edge| assert_eq!(edge.runtime, set(&["b", "c"])));
}

/// It is told at once, and not when something has to be written: what is dark there is dark, and
/// what is not proven counts as exposed.
#[test]
fn an_edge_that_has_seen_a_newer_controller_is_told_with_what_it_shows() {
    let mut bench = Bench::new(dark(&["a", "b"]));
    bench.set(|edge| edge.epoch = Some(Epoch { term: 7, seq: 1 }));
    let round = bench.round(&[("a", Dark, Requested), ("b", Dark, Proven), ("c", Lit, Open)]);
    assert_eq!(told(&round), ["proved-dark a"]);
    assert_eq!(round.error.unwrap().kind, EdgeErrorKind::Fenced);
    assert!(!round.settled && round.is_seen);
    // The other one opens a site; nobody here closes it again.
    bench.set(|edge| (edge.runtime.clear(), edge.durable.clear()));
    let round = bench.later(100, &[("a", Dark, Proven), ("d", Dark, Requested)]);
    assert_eq!(told(&round), ["drifted a", "edge-failed d"]);
    bench.set(|edge| assert!(edge.runtime.is_empty()));
}

/// Its folder is left alone as well while nothing is to do. Method: a real gate that has seen a
/// newer controller; this one is idle, and then another begins above it.
#[test]
fn nothing_is_got_ready_in_the_gate_of_a_newer_controller() {
    let town = Town::new(1);
    let target = edges::from_row(&town.engine.store().edges().unwrap()[0]).unwrap();
    let mut edge_loop = edges::open_loop(&target, 1).unwrap();
    fs::write(target.gate.join("epoch"), "2-40\n").unwrap();
    let many = || -> GateSet { (0..1_000).map(|number| key(&format!("site-{number}"))).collect() };
    edge_loop.look_first(&[], Epoch { term: 2, seq: 9 });
    edge_loop.get_ready((1, |_: &str| many()), 0, &|| false);
    let ready = target.gate.join("ready");
    assert!(!ready.exists());
    let mut edge_loop = edges::open_loop(&target, 2).unwrap();
    edge_loop.look_first(&[], Epoch { term: 3, seq: 41 });
    edge_loop.get_ready((1, |_: &str| many()), 0, &|| false);
    assert_eq!(fs::read_dir(ready).unwrap().count(), 1_000);
}
