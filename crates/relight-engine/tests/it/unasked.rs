//! What a gate holds dark and nothing in this journal explains, beside what is opened.

use relight_engine::edge::Stage;
use relight_engine::incident::Gate::Proven;
use relight_model::Light::Lit;

use crate::edge::{Fault, key, set};
use crate::loops::{Bench, apply, dark, probe};

/// Found by the simulator: the order for `lost` was in no journal any more, somebody took its gate
/// away where nobody could look, and the opening of `b` closed it again in the running edge alone:
/// after a crash the next reload would have opened it.
#[test]
fn what_nothing_explains_is_in_the_durable_copy_before_others_are_opened() {
    for is_unreadable in [true, false] {
        let mut bench = Bench::new(dark(&["b", "lost"]));
        bench.set(|edge| (edge.has_record, edge.is_unreadable) = (true, is_unreadable));
        // Whoever can look finds that a reload would open it, and that it is still dark.
        bench.set(|edge| edge.durable.remove(&key("lost")));
        bench.set(|edge| is_unreadable && edge.runtime.remove(&key("lost")));
        bench.round(&[("b", Lit, Proven)]);
        let expected = [
            apply(Stage::Durable, &["b", "lost"]),
            apply(Stage::Runtime, &["lost"]),
            probe(&["b"]),
            probe(&["b"]),
            apply(Stage::Durable, &["lost"]),
        ];
        assert_eq!(bench.calls(), expected, "{is_unreadable}");
        bench.set(|edge| assert_eq!(edge.fragile, [], "{is_unreadable}"));
    }
}

/// What cannot be written there is not done in the running edge, and one that is seen to hold it
/// costs no write of its own.
#[test]
fn nothing_is_opened_over_a_durable_copy_that_cannot_be_written() {
    let mut bench = Bench::new(dark(&["b", "lost"]));
    bench.set(|edge| (edge.has_record, edge.is_unreadable) = (true, true));
    bench.set(|edge| (edge.durable.remove(&key("lost")), edge.runtime.remove(&key("lost"))));
    bench.set(|edge| edge.faults = [Fault::Before].into());
    assert!(bench.round(&[("b", Lit, Proven)]).error.is_some());
    bench.set(|edge| assert_eq!((&edge.runtime, edge.fragile.len()), (&set(&["b"]), 0)));
    let mut bench = Bench::new(dark(&["b", "lost"]));
    bench.set(|edge| edge.has_record = true);
    bench.round(&[("b", Lit, Proven)]);
    assert_eq!(bench.calls()[0], apply(Stage::Runtime, &["lost"]));
}
