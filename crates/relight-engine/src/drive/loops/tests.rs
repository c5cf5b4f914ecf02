//! Loops that do not end when they are told to, and sites of edges that have none.

use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use relight_store::Store;

use super::*;
use crate::EngineOptions;
use crate::drive::lookout::tests::{INCIDENT, dark_site, gate, opening, prove};
use crate::drive::millis;
use crate::incident::Phase;
use crate::reconcile::{BARRIER, LIT_PROOF_MAX_MS};

/// Longest wait for something that is about to happen.
const WAIT_MAX: Duration = Duration::from_secs(60);

fn edge(folder: &Path, name: &str, gate: &str, barrier: Option<&str>) -> Target {
    let settings = barrier.map(|name| (BARRIER.to_owned(), name.to_owned()));
    Target {
        name: name.into(),
        kind: "builtin".into(),
        gate: folder.join(gate),
        listeners: Vec::new(),
        verify: None,
        settings: settings.into_iter().collect(),
        members: Vec::new(),
    }
}

fn register(loops: &Loops, edge: &Target) {
    loops.engine.store().put_edge(&edges::to_row(edge).unwrap(), 1, "test").unwrap();
}

fn driven(loops: &Loops) -> Vec<&str> {
    loops.running.keys().map(String::as_str).collect()
}

fn watched(loops: &Loops) -> Vec<String> {
    let all = loops.lookout.silent(Instant::now() + WAIT_MAX, Duration::ZERO);
    all.into_iter().map(|(edge, _)| edge).collect()
}

/// Goal: an edge that hangs keeps no other without a loop, and has never two itself. Method: its
/// loop does not end; meanwhile it is registered anew, or becomes the second barrier of another,
/// and one more edge is registered.
#[test]
fn a_loop_that_hangs_keeps_no_other_edge_waiting() {
    for (barrier, meanwhile, after) in [
        (None, ["east", "north"].as_slice(), ["east", "north", "west"].as_slice()),
        (Some("west"), &["east"], &["east", "north"]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (path, store) = (folder.path(), Store::open(folder.path()).unwrap());
        let holder = "test".into();
        let options = EngineOptions { holder, clock: || 1_000_000, inventory_ttl_s: 1 };
        let engine = Arc::new(Engine::open(Arc::new(store), options).unwrap());
        let (mut loops, _) = Loops::begin(&engine, &Arc::default()).unwrap();
        let (release, hung) = mpsc::channel::<()>();
        let thread = thread::spawn(move || for () in hung {});
        let planned = Planned { target: edge(path, "west", "old", None), barrier: None };
        let (stop, begin) = (Arc::default(), Instant::now());
        loops.running.insert("west".into(), Running { planned, stop, thread });
        loops.lookout.begin("west", begin);
        register(&loops, &edge(path, "east", "east", None));
        register(&loops, &edge(path, "north", "north", barrier));
        register(&loops, &edge(path, "west", "new", None));
        for _ in 0..2 {
            loops.follow_register().unwrap();
            assert_eq!(driven(&loops), meanwhile, "{barrier:?}");
            assert_eq!(watched(&loops), [meanwhile, &["west"]].concat(), "it hangs: {barrier:?}");
        }
        drop(release);
        let until = Instant::now() + WAIT_MAX;
        while driven(&loops) != after && Instant::now() < until {
            engine.wait_changed(engine.version(), Duration::from_millis(10));
            loops.follow_register().unwrap();
        }
        assert_eq!(driven(&loops), after, "{barrier:?}");
        assert_eq!(watched(&loops), after, "{barrier:?}");
    }
}

/// The edges of a group are driven by its loop and by no other, and nobody twice, whatever the
/// register says.
#[test]
fn a_group_has_one_loop_for_all_of_its_edges() {
    let folder = tempfile::tempdir().unwrap();
    let plain = ["a", "b", "c"].map(|name| edge(folder.path(), name, name, None));
    let group = |name: &str, members: &str| Target {
        kind: relight_edge::GROUP.into(),
        settings: [(relight_edge::MEMBERS.to_owned(), members.to_owned())].into(),
        ..edge(folder.path(), name, "", None)
    };
    let rows = |more: &[Target]| -> Vec<EdgeRow> {
        plain.iter().chain(more).map(|target| edges::to_row(target).unwrap()).collect()
    };
    let plan = |more: &[Target]| planned(&(rows(more), BTreeSet::new())).unwrap().0;
    let names = |more: &[Target]| -> Vec<String> {
        plan(more).iter().map(|it| it.target.name.clone()).collect()
    };
    assert_eq!(names(&[]), ["a", "b", "c"]);
    assert_eq!(names(&[group("front", "a b")]), ["c", "front"]);
    let front = plan(&[group("front", "a b")]).pop().unwrap();
    assert!(["front", "a", "b"].iter().all(|name| front.drives(name)) && !front.drives("c"));
    // `b` is not driven twice, and `c` not alone: its group says so.
    assert_eq!(names(&[group("front", "a b"), group("other", "b c")]), ["front"]);
}

/// Goal: what was proven of an edge that left the register is not proven for ever, whatever the
/// clock on the wall says. Method: that clock stands still, and nobody drives the edge of a site
/// that was seen dark.
#[test]
fn what_was_proven_of_an_edge_without_a_loop_expires_and_then_fails() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, _, site) = dark_site(folder.path());
    let (engine, begin) = (Arc::new(engine), Instant::now());
    let (mut loops, _) = Loops::begin(&engine, &Arc::default()).unwrap();
    prove(&engine, &site);
    let mut look = |ms| {
        loops.tell_homeless(begin + millis(ms));
        gate(&engine, &site)
    };
    for ms in [0, PROOF_TTL_MS - 1] {
        assert_eq!(look(ms), Gate::Proven, "{ms}");
    }
    assert_eq!(look(PROOF_TTL_MS), Gate::Requested, "nobody saw it since");
    assert_eq!(look(PROOF_TTL_MS + 1), Gate::Failed);
    let last = engine.store().journal(1).unwrap().pop().unwrap();
    assert!(last.body.contains(NO_EDGE), "{}", last.body);
    assert_eq!(look(2 * PROOF_TTL_MS), Gate::Failed);
    assert_eq!(engine.store().journal(1).unwrap().pop().unwrap(), last, "told once");
}

/// Goal: a site whose edge left the register is not on its way for ever. Method: nobody drives the
/// edge of a site that is being opened; its incident cannot be closed as long as it is.
#[test]
fn what_is_on_its_way_at_an_edge_without_a_loop_is_stopped_after_its_time() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, _, site) = dark_site(folder.path());
    let (engine, begin) = (Arc::new(engine), Instant::now());
    let (mut loops, _) = Loops::begin(&engine, &Arc::default()).unwrap();
    prove(&engine, &site);
    opening(&engine, &site);
    let mut look = |ms| {
        loops.tell_homeless(begin + millis(ms));
        engine.phase(INCIDENT, &site)
    };
    for ms in [0, LIT_PROOF_MAX_MS - 1] {
        assert_eq!(look(ms), Some(Phase::Relighting), "{ms}");
    }
    assert_eq!(look(LIT_PROOF_MAX_MS), Some(Phase::RelightEligible));
    let last = engine.store().journal(1).unwrap().pop().unwrap();
    assert_eq!(last.kind, "relight-stopped");
    assert!(last.body.contains(NO_EDGE), "{}", last.body);
}
