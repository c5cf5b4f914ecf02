//! What is heard of a site while its edge looks whether it is lit.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use relight_engine::edge::{ProbeResult, ProbeTarget};
use relight_engine::incident::{Entry, Gate};
use relight_engine::reconcile::{EdgeLoop, Eyes, Want};
use relight_model::{Epoch, Light, Seen};

use crate::edge::{Shared, key, set};

/// Eyes during whose looks bad news comes about what they see lit.
struct Late {
    edge: Shared,
    is_clear: Arc<AtomicBool>,
}

impl Eyes for Late {
    fn probe(&mut self, targets: &[ProbeTarget], nonce: u64) -> Vec<ProbeResult> {
        let seen = self.edge.probe(targets, nonce);
        if seen.iter().any(|it| it.seen == Seen::Lit) {
            self.is_clear.store(false, Ordering::Relaxed);
        }
        seen
    }
}

/// Goal: evidence is looked at again before the copy is opened that the next reload reads. Method:
/// bad news comes while the edge looks whether the site is lit.
#[test]
fn news_that_comes_during_a_look_leaves_the_durable_copy_dark() {
    let edge = Shared::default();
    let held = set(&["a"]);
    let mut gate = edge.lock();
    (gate.durable, gate.runtime, gate.own) = (held.clone(), held.clone(), held.clone());
    drop(gate);
    let is_clear = Arc::new(AtomicBool::new(true));
    let eyes = Late { edge: edge.clone(), is_clear: Arc::clone(&is_clear) };
    let mut edge_loop = EdgeLoop::new("east", Box::new(edge.clone()), Box::new(eyes), 7);
    let want = Want {
        target: ProbeTarget::site(key("a"), "a.example".into(), None),
        aliases: Vec::new(),
        light: Light::Lit,
        gate: Gate::Requested,
        seen_dark: false,
    };
    let permits = |_: &_| is_clear.load(Ordering::Relaxed);
    let mut round = |seq| {
        let epoch = Epoch { term: 1, seq };
        edge_loop.round(std::slice::from_ref(&want), epoch, 1_000_000 + seq.cast_signed(), &permits)
    };
    let first = round(1);
    assert!(!is_clear.load(Ordering::Relaxed), "it was seen lit");
    assert_eq!(edge.lock().durable, held);
    assert!(!first.settled);
    assert!(!first.entries.iter().any(|it| matches!(it, Entry::Proved { .. })));
    let second = round(2);
    assert!(second.entries.iter().any(|it| matches!(it, Entry::RelightStopped { .. })));
    assert_eq!(edge.lock().durable, held);
}
