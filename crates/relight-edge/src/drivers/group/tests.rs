//! What edges of a group show and do together, and how one that hangs is lived with.

use std::io::Read as _;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::*;
use crate::durable::quick_folder;

fn builtin(folder: &Path) -> Target {
    Target {
        name: "one".into(),
        kind: "builtin".into(),
        gate: folder.join("one"),
        listeners: Vec::new(),
        verify: None,
        settings: [].into(),
        members: Vec::new(),
    }
}

/// A HAProxy whose socket takes every command and answers none.
fn hanging(folder: &Path, asked: &Arc<AtomicUsize>) -> Target {
    let (map, socket) = (folder.join("dark.map"), folder.join("socket"));
    std::fs::write(&map, "").unwrap();
    let listener = UnixListener::bind(&socket).unwrap();
    let asked = Arc::clone(asked);
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            asked.fetch_add(1, Ordering::SeqCst);
            thread::spawn(move || {
                let _ = stream.read_to_end(&mut Vec::new());
                // The other side gives up; until then nothing comes.
                thread::park();
            });
        }
    });
    let settings = [("map", map), ("socket", socket)];
    let settings = settings.map(|(name, path)| (name.to_owned(), path.display().to_string()));
    let (name, kind, gate) = ("two".into(), "haproxy".into(), folder.join("two"));
    Target { name, kind, gate, settings: settings.into(), ..builtin(folder) }
}

/// Goal: an order that comes while one of them hangs closes the others before anybody waits for
/// it again. Method: after a look that it held up, it is asked nothing by the next one.
#[test]
fn one_that_hangs_holds_up_one_look_and_no_more() {
    let (folder, asked) = (quick_folder(), Arc::default());
    let members = vec![builtin(folder.path()), hanging(folder.path(), &asked)];
    let settings = [(MEMBERS.to_owned(), "one two".to_owned())].into();
    let kind = GROUP.into();
    let target = Target { kind, members, settings, ..builtin(folder.path()) };
    let mut group = driver::open(&target).unwrap();
    let a = [GateKey::new("a").unwrap()];
    let rests = (0..5).any(|_| {
        assert_eq!(group.observe(&a).unwrap()[0].runtime, Seen::Unknown);
        let before = asked.load(Ordering::SeqCst);
        assert_eq!(group.observe(&a).unwrap()[0].runtime, Seen::Unknown);
        // On a machine that stood still meanwhile the rest may be over.
        asked.load(Ordering::SeqCst) == before
    });
    assert!(rests);
    let error = group.close(Epoch { term: 1, seq: 1 }, &a.iter().cloned().collect());
    assert_eq!(error.unwrap_err().kind, EdgeErrorKind::Unreachable);
    let mut one = driver::open(&builtin(folder.path())).unwrap();
    assert_eq!(one.observe(&a).unwrap()[0].runtime, Seen::Dark);
}

/// Goal: the orders that come while one of them hangs close the others one after the other. Each
/// exchange with that one takes five seconds: a look and two orders that waited for it took
/// fifteen and more.
#[test]
fn orders_do_not_wait_for_one_that_hangs() {
    let (folder, asked) = (quick_folder(), Arc::default());
    let members = vec![builtin(folder.path()), hanging(folder.path(), &asked)];
    let settings = [(MEMBERS.to_owned(), "one two".to_owned())].into();
    let kind = GROUP.into();
    let target = Target { kind, members, settings, ..builtin(folder.path()) };
    let mut group = driver::open(&target).unwrap();
    let keys = ["a", "b"].map(|key| GateKey::new(key).unwrap());
    let begun = Instant::now();
    assert_eq!(group.observe(&keys).unwrap()[0].runtime, Seen::Unknown);
    let mut dark = GateSet::new();
    for (seq, key) in (1..).zip(&keys) {
        dark.insert(key.clone());
        let closed = group.close(Epoch { term: 1, seq }, &dark);
        assert_eq!(closed.unwrap_err().kind, EdgeErrorKind::Unreachable);
    }
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    let mut one = driver::open(&builtin(folder.path())).unwrap();
    let views = one.observe(&keys).unwrap();
    assert!(views.iter().all(|view| view.runtime == Seen::Dark));
    // What it was told and did not say that it did may be dark, and is proven nowhere.
    let views = group.observe(&keys).unwrap();
    assert!(views.iter().all(|view| view.runtime == Seen::Unknown));
    assert!(views.iter().all(|view| view.darkest() == Seen::Dark));
}

#[test]
fn together_they_show_what_all_do_and_else_the_worse() {
    use Seen::{Dark, Lit, Unknown};
    for (seen, dark, lit, before) in [
        ([Dark, Dark], Dark, Dark, Dark),
        ([Lit, Lit], Lit, Lit, Lit),
        ([Unknown, Unknown], Unknown, Unknown, Unknown),
        ([Dark, Lit], Lit, Dark, Unknown),
        ([Lit, Dark], Lit, Dark, Unknown),
        ([Dark, Unknown], Unknown, Dark, Unknown),
        ([Unknown, Lit], Lit, Unknown, Unknown),
    ] {
        assert_eq!(agreed(&seen, Some(true)), dark, "{seen:?}, told to be dark");
        assert_eq!(agreed(&seen, Some(false)), lit, "{seen:?}, told to be lit");
        assert_eq!(agreed(&seen, None), before, "{seen:?}, before anything was told");
    }
}

#[test]
fn connections_are_summed_and_one_that_cannot_tell_makes_all_unknown() {
    use TunnelCount::{ClosedByDataPlane, Open, Shared, Unknown};
    for (one, other, both) in [
        (Open(2), Open(3), Open(5)),
        (Open(2), ClosedByDataPlane, Open(2)),
        (ClosedByDataPlane, ClosedByDataPlane, ClosedByDataPlane),
        (Open(0), Unknown, Unknown),
        (Shared, Open(0), Shared),
        (Shared, Unknown, Unknown),
    ] {
        assert_eq!((sum(one, other), sum(other, one)), (both, both));
    }
}
