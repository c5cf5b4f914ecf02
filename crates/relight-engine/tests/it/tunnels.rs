//! What is still open behind a gate that closed: counted, cut after the grace, and told.

use relight_engine::incident::{Entry, Gate};
use relight_engine::reconcile::{DARK_PROOF_MAX_MS, TUNNEL_GRACE_MS};
use relight_model::Light;

use crate::edge::{Call, Edge, key, set};
use crate::loops::{Bench, dark, owned, told};

use Gate::{Proven, Requested};
use Light::{Dark, Lit};

#[test]
fn connections_that_cannot_be_counted_hold_no_opening_back() {
    let mut bench = Bench::new(dark(&["b"]));
    bench.set(|edge| (edge.has_tunnels, edge.is_uncountable) = (true, true));
    let round = bench.round(&[("a", Dark, Requested), ("b", Lit, Proven)]);
    assert_eq!(told(&round), ["proved-lit b"]);
    assert!(round.error.is_some() && !round.settled);
}

#[test]
fn connections_that_nobody_can_tell_apart_are_not_cut_and_dark_is_not_proven() {
    let mut bench = Bench::new(|edge| edge.has_tunnels = true);
    bench.set(|edge| edge.uncounted.insert(key("a")));
    let wants = [("a", Dark, Requested), ("b", Dark, Requested)];
    assert_eq!(told(&bench.round(&wants)), ["proved-dark b"]);
    let round = bench.later(TUNNEL_GRACE_MS, &wants);
    assert!(!round.settled && !told(&round).contains(&"proved-dark a".to_owned()));
    assert!(!bench.calls().iter().any(|call| matches!(call, Call::Cut(_))));
}

/// Safety: an edge whose agent says something else of it a moment later is proven dark by what was
/// counted, and never because nobody counted.
#[test]
fn an_edge_that_can_count_no_more_is_not_proven_dark_uncounted() {
    let mut bench = Bench::new(|edge| (edge.has_tunnels, edge.forgets_tunnels) = (true, true));
    bench.set(|edge| edge.tunnels.insert(key("a"), 3));
    assert_eq!(told(&bench.round(&[("a", Dark, Requested)])), [""; 0]);
}

#[test]
fn tunnels_are_cut_after_the_grace_and_dark_is_proven_when_none_is_left() {
    let mut bench = Bench::new(|edge| edge.has_tunnels = true);
    bench.set(|edge| edge.tunnels.insert(key("a"), 3));
    let wants = [("a", Dark, Requested)];
    assert_eq!(told(&bench.round(&wants)), [""; 0]);
    assert_eq!(told(&bench.later(TUNNEL_GRACE_MS - 1, &wants)), [""; 0]);
    assert!(!bench.calls().contains(&Call::Cut(owned(&["a"]))), "cut within the grace");
    assert_eq!(told(&bench.later(1, &wants)), [""; 0]);
    assert!(bench.calls().contains(&Call::Cut(owned(&["a"]))));
    assert_eq!(told(&bench.later(50, &wants)), ["proved-dark a"]);
}

/// Whoever may still finish is no failure; whoever is there after the grace is, and so is what
/// nobody can count or tell apart.
#[test]
fn what_is_left_open_is_told_as_such_and_not_before_its_time() {
    type Left = fn(&mut Edge);
    let cases: [(Left, i64, &str); 3] = [
        (
            |edge| (edge.tunnels, edge.is_uncuttable) = ([(key("a"), 3)].into(), true),
            TUNNEL_GRACE_MS,
            "tunnels-open",
        ),
        (|edge| edge.uncounted = set(&["a"]), 0, "tunnels-uncounted"),
        (|edge| edge.shared = set(&["a"]), 0, "shared-origin"),
    ];
    for (left, grace_ms, expected) in cases {
        let mut bench = Bench::new(|edge| edge.has_tunnels = true);
        bench.set(left);
        let wants = [("a", Dark, Requested)];
        bench.round(&wants);
        let round = bench.later(DARK_PROOF_MAX_MS + grace_ms - 1, &wants);
        assert_eq!(told(&round), [""; 0], "{expected}");
        let round = bench.later(1, &wants);
        let why = round.entries.iter().find_map(|entry| match entry {
            Entry::EdgeFailed { why, .. } => Some(why.as_str()),
            _ => None,
        });
        assert_eq!(why, Some(expected));
    }
}

#[test]
fn a_hard_edge_cuts_at_once() {
    let mut bench = Bench::new(|edge| edge.has_tunnels = true);
    bench.edge_loop.set_grace(0);
    bench.set(|edge| edge.tunnels.insert(key("a"), 3));
    bench.round(&[("a", Dark, Requested)]);
    assert!(bench.calls().contains(&Call::Cut(owned(&["a"]))));
}
