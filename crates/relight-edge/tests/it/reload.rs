//! Somebody else's reloads, restarts and edits, and crashes of either side.

use std::net::TcpListener;

use relight_edge::{Lint, Stage};
use relight_model::Seen;

use crate::support::{Kind, Rig, epoch, eventually, set};

/// Exactly the keep-alive visitor that a reload must not let through.
#[test]
fn a_foreign_reload_keeps_dark() {
    for kind in Kind::ALL {
        let mut rig = Rig::start(kind, 2);
        rig.close(1, &set([0]));
        let before = rig.origins[0].visitors();
        let old = rig.running.as_ref().unwrap().id();
        rig.running.as_mut().unwrap().reload().unwrap();
        if kind == Kind::Haproxy {
            assert_ne!(rig.running.as_ref().unwrap().id(), old);
        }
        for _ in 0..50 {
            assert_eq!(rig.seen(0), Seen::Dark, "{kind:?}");
        }
        eventually("the new process has the map", || {
            rig.driver.observe(&[crate::support::key(0)]).unwrap()[0].runtime == Seen::Dark
        });
        assert_eq!(rig.origins[0].visitors(), before, "{kind:?}");
        assert_eq!(rig.seen(1), Seen::Lit, "{kind:?}");
        rig.open(2, &set([]));
        eventually("lit again", || rig.seen(0) == Seen::Lit);
    }
}

#[test]
fn a_crash_and_restart_keeps_dark() {
    for kind in Kind::ALL {
        let mut rig = Rig::start(kind, 30);
        rig.close(1, &set(0..20));
        rig.running.as_mut().unwrap().kill();
        // The last worker is gone too: whoever starts next can listen.
        eventually("the last worker is gone", || TcpListener::bind(rig.listener()).is_ok());
        rig.running = None;
        let view = rig.observe(0);
        assert_eq!(view.durable, Seen::Dark, "{kind:?}");
        if kind == Kind::Haproxy {
            assert_eq!(view.runtime, Seen::Unknown, "what is not running shows nothing");
        }
        rig.start_edge();
        let sites: Vec<usize> = (0..30).collect();
        let dark = rig.probe(&sites).iter().filter(|result| result.seen == Seen::Dark).count();
        assert_eq!(dark, 20, "{kind:?}");
        assert_eq!(rig.observe(0).epoch, Some(epoch(1)), "{kind:?}");
    }
}

/// Killed between the two copies: the next controller applies both again.
#[test]
fn a_controller_killed_between_durable_and_runtime_is_made_good() {
    for kind in Kind::ALL {
        let mut rig = Rig::start(kind, 30);
        rig.driver.apply(epoch(1), Stage::Durable, &set(0..20)).unwrap();
        rig.driver = relight_edge::open(&rig.target).unwrap();
        let view = rig.observe(0);
        assert_eq!((view.durable, view.foreign), (Seen::Dark, false), "{kind:?}");
        if kind == Kind::Haproxy {
            assert_eq!(view.runtime, Seen::Lit);
        }
        rig.close(1, &set(0..20));
        assert_eq!((rig.seen(0), rig.seen(25)), (Seen::Dark, Seen::Lit), "{kind:?}");
        // The same on the way back: a crash while opening falls to dark, and opens next time.
        rig.driver.apply(epoch(2), Stage::Runtime, &set([])).unwrap();
        rig.driver = relight_edge::open(&rig.target).unwrap();
        rig.open(2, &set([]));
        let view = rig.observe(0);
        assert_eq!((view.durable, view.runtime), (Seen::Lit, Seen::Lit), "{kind:?}");
        assert_eq!(rig.seen(0), Seen::Lit, "{kind:?}");
    }
}

/// Ruling: a foreign dark entry stays until a person decides, a foreign removal is rewritten.
#[test]
fn foreign_dark_is_kept_and_a_foreign_removal_is_rewritten() {
    for kind in Kind::ALL {
        let mut rig = Rig::start(kind, 3);
        rig.close(1, &set([0]));
        rig.edit(1, 0);
        assert_eq!((rig.seen(0), rig.seen(1)), (Seen::Lit, Seen::Dark), "{kind:?}");
        assert!(rig.observe(1).foreign, "{kind:?}");
        assert_eq!(rig.observe(0).runtime, Seen::Lit, "{kind:?}");
        rig.close(1, &set([0]));
        assert_eq!((rig.seen(0), rig.seen(1)), (Seen::Dark, Seen::Dark), "{kind:?}");
        rig.open(2, &set([1]));
        rig.open(3, &set([]));
        assert_eq!((rig.seen(0), rig.seen(1)), (Seen::Lit, Seen::Dark), "{kind:?}: not ours");
        if kind != Kind::Command {
            let lints = rig.driver.lint().unwrap();
            let is_named = |lint: &Lint| (lint.code, &*lint.place) == ("foreign-dark", "site-1");
            assert!(lints.iter().any(is_named), "{kind:?}: {lints:?}");
        }
        rig.edit(2, 1);
        rig.open(4, &set([]));
        assert_eq!((rig.seen(1), rig.seen(2)), (Seen::Lit, Seen::Dark), "{kind:?}");
    }
}
