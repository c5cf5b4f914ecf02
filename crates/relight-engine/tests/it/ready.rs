//! When the loop of an edge gets ready for the next order.

use relight_engine::edge::GateSet;
use relight_engine::incident::Gate;
use relight_model::Light;

use crate::loops::Bench;

use Gate::{Open, Proven, Requested};
use Light::{Dark, Lit};

/// Whether it gets ready now, and whether it does so once more.
fn twice(bench: &mut Bench) -> [bool; 2] {
    [(); 2].map(|()| {
        let mut is_asked = false;
        let keys = |_: &str| {
            is_asked = true;
            GateSet::new()
        };
        bench.edge_loop.get_ready(keys, &|| false);
        is_asked
    })
}

/// Goal: what was got ready is there for the next order, and nobody gets ready all the time.
/// Method: the gate is closed, opened site by site, and another process takes over.
#[test]
fn an_edge_gets_ready_after_a_closing_the_last_opening_and_a_takeover() {
    let mut bench = Bench::new(|_| ());
    assert_eq!(twice(&mut bench), [true, false]);
    bench.round(&[("a", Dark, Requested), ("b", Dark, Requested)]);
    assert_eq!(twice(&mut bench), [true, false]);
    bench.later(100, &[("a", Lit, Proven), ("b", Dark, Proven)]);
    assert_eq!(twice(&mut bench), [false, false], "others are dark still");
    bench.later(100, &[("a", Lit, Open), ("b", Lit, Proven)]);
    assert_eq!(twice(&mut bench), [true, false]);
    bench.set(|edge| edge.generation += 1);
    assert!(bench.edge_loop.took_over());
    assert_eq!(twice(&mut bench), [true, false]);
}
