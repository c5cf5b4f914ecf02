//! When the loop of an edge gets ready for the next order.

use relight_engine::edge::GateSet;
use relight_engine::incident::Gate;
use relight_engine::reconcile::{CANARY_EVERY_MS, READY_AGAIN_MS};
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
        bench.edge_loop.get_ready((1, keys), bench.now_ms, &|| false);
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

/// Goal: an edge that could not get ready does so once it can, and is not asked all the time.
/// Method: it does not answer, time passes, a clock is set back, and another process answers.
#[test]
fn what_could_not_be_got_ready_is_tried_again_later() {
    let mut bench = Bench::new(|_| ());
    bench.set(|edge| edge.is_unreachable = true);
    assert_eq!(twice(&mut bench), [true, false]);
    assert!(bench.edge_loop.took_over(), "nobody knows which one serves");
    bench.now_ms += READY_AGAIN_MS - 1;
    assert_eq!(twice(&mut bench), [false, false]);
    bench.now_ms += 1;
    assert_eq!(twice(&mut bench), [true, false]);
    bench.now_ms -= 1;
    assert_eq!(twice(&mut bench), [true, false]);
    bench.set(|edge| (edge.is_unreachable, edge.generation) = (false, 1));
    assert!(bench.edge_loop.took_over());
    assert_eq!(twice(&mut bench), [true, false]);
    bench.set(|edge| edge.is_unreachable = true);
    assert!(bench.edge_loop.took_over());
    assert_eq!(twice(&mut bench), [true, false], "what was ready may be gone");
}

/// Goal: the flip of the canary puts away what waited, and is no reason to be unready. Method: an
/// hour passes at rest.
#[test]
fn an_edge_gets_ready_again_after_its_canary() {
    let mut bench = Bench::new(|_| ());
    assert_eq!(twice(&mut bench), [true, false]);
    bench.edge_loop.try_canary(&[], bench.epoch, bench.now_ms);
    assert_eq!(twice(&mut bench), [false, false], "it is not its time");
    bench.now_ms += CANARY_EVERY_MS;
    assert!(bench.edge_loop.try_canary(&[], bench.epoch, bench.now_ms).is_some());
    assert_eq!(twice(&mut bench), [true, false]);
}
