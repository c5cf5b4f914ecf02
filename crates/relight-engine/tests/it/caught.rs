//! Who is accused of letting visitors in: the edge that said that it is closed, and no other.

use relight_engine::incident::{CAUGHT_MIN, Entry, Gate, Ledger};
use relight_engine::reconcile::DARK_PROOF_MAX_MS;
use relight_model::{Digest, Light};

use crate::edge::{Edge, Fault, key, set};
use crate::loops::Bench;

/// What the journal gets of an edge that is not proven dark in time.
fn failure(prepare: impl FnOnce(&mut Edge)) -> Entry {
    let mut bench = Bench::new(prepare);
    let wants = [("a", Light::Dark, Gate::Requested)];
    bench.round(&wants);
    let mut entries = bench.later(DARK_PROOF_MAX_MS, &wants).entries;
    entries.retain(|entry| matches!(entry, Entry::EdgeFailed { .. }));
    entries.pop().unwrap()
}

/// Goal: an edge is called a liar where its gate read back closed and visitors got in, and never
/// because it is slow or its origin is broken. Method: rounds of such edges, told to a journal as
/// often as it takes.
#[test]
fn only_an_edge_that_says_that_it_is_closed_and_lets_visitors_in_is_caught() {
    let liar = failure(|edge| edge.bypass = set(&["a"]));
    let slow = failure(|edge| edge.faults = [Fault::Lie; 16].into());
    let silent = failure(|edge| edge.blind = set(&["a"]));
    for (entry, is_caught) in [(liar, true), (slow, false), (silent, false)] {
        let mut ledger = Ledger::new(1);
        let opened = Entry::Opened {
            question: "CVE-1".into(),
            title: "flaw".into(),
            revision: Digest([2; 32]),
            statements: Digest::default(),
            policy: "test".into(),
        };
        let (plan, reason) = (Digest::default(), "test".into());
        let ordered = Entry::DarkOrdered { plan, sites: vec![key("a")], reason };
        let mut now = 1_000;
        let failures = std::iter::repeat_n(entry.clone(), CAUGHT_MIN);
        for entry in [opened, ordered].into_iter().chain(failures) {
            now += 600;
            ledger.apply("CVE-1", &entry, now).unwrap();
        }
        assert_eq!(ledger.caught("east", now).is_some(), is_caught, "{entry:?}");
    }
}
