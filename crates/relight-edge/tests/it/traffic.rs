//! INCIDENT 14.5: visitors with kept connections, while gates close and open around them.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use relight_edge::http::Client;
use relight_model::Seen;

use crate::support::{Finish, Kind, Rig, eventually, host, set, visitor};

/// Goal: visitors of untouched sites lose nothing, on kept connections, and visitors of a dark
/// site never reach its origin after the proof. Method: four visitors of sites that no plan
/// touches, one of the site that is darkened and relit, in place and in batches.
#[test]
fn flips_lose_nobody_and_leak_nothing_after_the_proof() {
    for kind in Kind::ALL {
        let mut rig = Rig::start(kind, 60);
        let (done, answers) = (AtomicBool::new(false), AtomicUsize::new(0));
        let listener = rig.listener();
        thread::scope(|scope| {
            for n in [41, 43, 45, 47] {
                let (done, answers) = (&done, &answers);
                scope.spawn(move || {
                    let mut visitor = visitor(listener).unwrap();
                    while !done.load(Ordering::Relaxed) {
                        let answer = visitor.get(&host(n), "/").unwrap();
                        assert_eq!(answer.status, 200, "{kind:?}");
                        assert!(visitor.is_open(), "{kind:?}: a kept connection was closed");
                        answers.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
            let _finish = Finish(&done);
            let mut target = visitor(listener).unwrap();
            for cycle in 0..10 {
                let keys = if cycle % 2 == 0 { set([0]) } else { set((0..40).step_by(2)) };
                rig.close(2 * cycle + 1, &keys);
                assert_eq!(rig.seen(0), Seen::Dark, "{kind:?}");
                let reached = rig.origins[0].visitors();
                for _ in 0..20 {
                    // Apache closes a connection after each 503, and says so.
                    if !target.is_open() {
                        target = visitor(listener).unwrap();
                    }
                    assert_eq!(target.get(&host(0), "/").unwrap().status, 503, "{kind:?}");
                }
                assert_eq!(rig.origins[0].visitors(), reached, "{kind:?}: leaked after proof");
                rig.open(2 * cycle + 2, &set([]));
                assert_eq!(rig.seen(0), Seen::Lit, "{kind:?}");
                if !target.is_open() {
                    target = visitor(listener).unwrap();
                }
                assert_eq!(target.get(&host(0), "/").unwrap().status, 200, "{kind:?}");
            }
        });
        assert!(answers.into_inner() > 100, "{kind:?}");
    }
}

/// Trap: a foreign reload of HAProxy leaves an old process behind, with a map of its own that no
/// socket reaches any more, and with the idle connections of its visitors.
#[test]
fn connections_of_a_retired_process_do_not_get_in() {
    for kind in Kind::ALL {
        let mut rig = Rig::start(kind, 2);
        let mut visitors: Vec<Client> = (0..10).map(|_| rig.visitor()).collect();
        for visitor in &mut visitors {
            assert_eq!(visitor.get(&host(0), "/").unwrap().status, 200);
        }
        rig.running.as_mut().unwrap().reload().unwrap();
        rig.close(1, &set([0]));
        eventually("dark", || rig.seen(0) == Seen::Dark);
        let reached = rig.origins[0].visitors();
        for visitor in &mut visitors {
            // A closed connection is as good as a holding page.
            if let Ok(answer) = visitor.get(&host(0), "/") {
                assert_eq!(answer.status, 503, "{kind:?}");
            }
        }
        assert_eq!(rig.origins[0].visitors(), reached, "{kind:?}");
    }
}
