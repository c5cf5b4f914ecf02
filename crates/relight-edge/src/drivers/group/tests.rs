//! What edges of a group show and do together, and how one that hangs is lived with.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::*;
use crate::config::CANARY_KEY;
use crate::durable::quick_folder;

pub(super) fn builtin(folder: &Path) -> Target {
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

/// A group of a built-in edge and of one that hangs.
fn beside_one_that_hangs(folder: &Path, asked: &Arc<AtomicUsize>) -> Box<dyn EdgeDriver> {
    let members = vec![builtin(folder), hanging(folder, asked)];
    let settings = [(MEMBERS.to_owned(), "one two".to_owned())].into();
    let kind = GROUP.into();
    driver::open(&Target { kind, members, settings, ..builtin(folder) }).unwrap()
}

/// Goal: an order that comes while one of them hangs closes the others before anybody waits for
/// it again. Method: after a look that it held up, it is asked nothing by the next one.
#[test]
fn one_that_hangs_holds_up_one_look_and_no_more() {
    let (folder, asked) = (quick_folder(), Arc::default());
    let mut group = beside_one_that_hangs(folder.path(), &asked);
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
    let mut group = beside_one_that_hangs(folder.path(), &asked);
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

/// Longer than anything takes on a busy machine.
const PATIENT: Duration = Duration::from_secs(60);

/// Two built-in edges in folders of their own, as one.
fn two(folder: &Path) -> (Group, [Target; 2]) {
    let named = |name: &str| {
        let gate = folder.join(name);
        Target { name: name.into(), gate, ..builtin(folder) }
    };
    let both = ["one", "two"].map(named);
    let hand = |target: &Target| Hand::of(Member::of(target.clone()), Arc::new(Threads));
    (Group::of(both.iter().map(hand).collect()), both)
}

fn key(name: &str) -> GateKey {
    GateKey::new(name).unwrap()
}

fn keys<const N: usize>(names: [&str; N]) -> GateSet {
    names.map(key).into()
}

/// What an edge shows of one site to somebody else, who waits for whoever writes there.
fn shown(target: &Target, name: &str) -> Seen {
    driver::open(target).unwrap().observe(&[key(name)]).unwrap()[0].runtime
}

/// Whether an order of this epoch came so far. In nobody's way.
fn has(target: &Target, epoch: Epoch) -> bool {
    driver::newest_epoch(target).unwrap() == Some(epoch)
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENT, "{what}");
        thread::yield_now();
    }
}

/// Keeps everybody else out of the gate of an edge while it is held.
fn shut_out(target: &Target) -> File {
    let lock = File::options().append(true).open(target.gate.join("lock")).unwrap();
    lock.lock().unwrap();
    lock
}

const fn epoch(seq: u64) -> Epoch {
    Epoch { term: 1, seq }
}

/// Goal: a site is open nowhere after an order to close it, whatever waited there meanwhile. Trap:
/// an opening that waited for the gate was carried out after the order to close the site again,
/// which had been dropped for that edge.
#[test]
fn an_order_that_one_cannot_begin_replaces_the_one_that_it_is_at() {
    let folder = quick_folder();
    let (mut group, [_, busy]) = two(folder.path());
    let x = keys(["x"]);
    group.close(epoch(1), &x).unwrap();
    let lock = shut_out(&busy);
    let opened = group.apply_changes(epoch(2), Stage::Runtime, &GateSet::new(), &x);
    assert_eq!(opened.unwrap_err().kind, EdgeErrorKind::Unreachable);
    assert_eq!(group.close(epoch(3), &x).unwrap_err().kind, EdgeErrorKind::Unreachable);
    drop(lock);
    until("the newest order is carried out there, by nobody's call", || has(&busy, epoch(3)));
    assert_eq!(shown(&busy, "x"), Seen::Dark);
}

/// Trap: an order to open waited at one of them until nobody waited for it any more, and was
/// carried out when that one answered, whatever had become of the site meanwhile. The simulator
/// found it.
#[test]
fn an_order_to_open_that_one_has_not_begun_in_time_opens_nothing_there() {
    let folder = quick_folder();
    let (mut group, [free, busy]) = two(folder.path());
    group.close(epoch(1), &keys(["w", "x"])).unwrap();
    let lock = shut_out(&busy);
    let opened = group.apply_changes(epoch(2), Stage::Runtime, &keys(["w", "y"]), &keys(["x"]));
    assert_eq!(opened.unwrap_err().kind, EdgeErrorKind::Unreachable);
    assert_eq!(shown(&free, "x"), Seen::Lit);
    drop(lock);
    until("what it closes is closed", || has(&busy, epoch(2)));
    let all = ["w", "x", "y"].map(|name| shown(&busy, name));
    assert_eq!(all, [Seen::Dark; 3]);
    // Once that is asked again, it is opened.
    let (dark, x) = (keys(["w", "y"]), keys(["x"]));
    until("it answers", || group.apply_changes(epoch(3), Stage::Runtime, &dark, &x).is_ok());
    assert_eq!(shown(&busy, "x"), Seen::Lit);
}

/// The same without an opening: what was ordered while an edge was busy is closed once it answers,
/// and what it holds stays so although the order does not name it.
#[test]
fn what_is_ordered_while_one_is_busy_is_closed_there_when_it_answers_and_opens_nothing() {
    let folder = quick_folder();
    let (mut group, [free, busy]) = two(folder.path());
    group.close(epoch(1), &keys(["x"])).unwrap();
    let lock = shut_out(&busy);
    let views = group.observe(&[key("y")]).unwrap();
    assert_eq!(views[0].runtime, Seen::Unknown);
    assert!(group.close(epoch(2), &keys(["y"])).is_err());
    assert_eq!((shown(&free, "x"), shown(&free, "y")), (Seen::Lit, Seen::Dark));
    drop(lock);
    until("it is told so", || has(&busy, epoch(2)));
    assert_eq!(shown(&busy, "y"), Seen::Dark);
    assert_eq!(shown(&busy, "x"), Seen::Dark, "nobody asked what may be opened then");
    // What nobody could tell is known by the next look, and by no other call.
    until("it answers", || group.owned().is_ok_and(|owned| owned.contains(&key("x"))));
    group.observe(&[key("x"), key("y")]).unwrap();
    group.close(epoch(3), &keys(["y"])).unwrap();
    assert_eq!(shown(&busy, "x"), Seen::Lit);
}

/// Trap: the record of an edge keeps a site that was opened there and could not be read back. An
/// order about another site, which came while that edge was busy, closed it.
#[test]
fn what_is_lit_is_closed_by_no_order_about_others_that_comes_late() {
    let folder = quick_folder();
    let (mut group, [_, busy]) = two(folder.path());
    group.close(epoch(1), &keys(["w", "x"])).unwrap();
    std::fs::remove_file(busy.gate.join("current/x")).unwrap();
    let owned = driver::open(&busy).unwrap().owned().unwrap();
    assert_eq!((owned, shown(&busy, "x")), (keys(["w", "x"]), Seen::Lit));
    let lock = shut_out(&busy);
    group.observe(&[key("y")]).unwrap();
    assert!(group.close(epoch(2), &keys(["y"])).is_err());
    drop(lock);
    until("the order is carried out there", || has(&busy, epoch(2)));
    let all = ["w", "x", "y"].map(|name| shown(&busy, name));
    assert_eq!(all, [Seen::Dark, Seen::Lit, Seen::Dark]);
}

/// Trap: the look at one edge came too late, so that nobody saw what it holds; its record was read
/// a moment later, and the order for another site opened there what it held before this process.
#[test]
fn what_one_holds_that_did_not_answer_the_look_is_opened_by_no_effect_about_others() {
    let folder = quick_folder();
    let (mut group, [other, late]) = two(folder.path());
    driver::open(&late).unwrap().close(epoch(1), &keys(["x"])).unwrap();
    let lock = shut_out(&late);
    let views = group.observe(&[key("x"), key("y")]).unwrap();
    assert_eq!(views[0].darkest(), Seen::Unknown);
    drop(lock);
    until("its record is read", || group.owned().is_ok_and(|owned| owned == keys(["x"])));
    let closed = group.close(epoch(2), &keys(["y"]));
    assert_eq!(closed.unwrap_err().kind, EdgeErrorKind::Unreachable);
    for (target, x) in [(&other, Seen::Lit), (&late, Seen::Dark)] {
        assert_eq!((shown(target, "x"), shown(target, "y")), (x, Seen::Dark));
    }
    // The site itself is opened when that is ordered, and by anything once it was seen.
    let changed = keys(["x"]);
    group.apply_changes(epoch(3), Stage::Runtime, &keys(["y"]), &changed).unwrap();
    assert_eq!(shown(&late, "x"), Seen::Lit);
}

/// Trap: a look at the canary that came too late, and nothing was opened there any more, for nobody
/// looks at it again before the next trial.
#[test]
fn a_late_look_at_the_canary_is_in_the_way_of_no_effect() {
    let folder = quick_folder();
    let (mut group, [_, late]) = two(folder.path());
    group.close(epoch(1), &keys(["x", CANARY_KEY])).unwrap();
    let lock = shut_out(&late);
    assert_eq!(group.observe(&[key(CANARY_KEY)]).unwrap()[0].runtime, Seen::Unknown);
    drop(lock);
    until("it answers", || group.observe(&[key("x")]).unwrap()[0].runtime == Seen::Dark);
    group.close(epoch(2), &keys(["x"])).unwrap();
    assert_eq!((shown(&late, "x"), shown(&late, CANARY_KEY)), (Seen::Dark, Seen::Lit));
}

/// Trap: a relight that only one of them had carried out showed both copies of the site dark, and
/// the order to close it again was taken for one that is done.
#[test]
fn what_one_of_them_alone_holds_is_not_closed_and_not_lit() {
    let folder = quick_folder();
    let (mut group, [_, alone]) = two(folder.path());
    let asked = [key("x")];
    group.close(epoch(1), &GateSet::new()).unwrap();
    driver::open(&alone).unwrap().close(epoch(1), &keys(["x"])).unwrap();
    let view = group.observe(&asked).unwrap()[0];
    assert_eq!((view.durable, view.runtime), (Seen::Unknown, Seen::Dark));
    // The durable copies are written after the proof: until then they are dark at both.
    let of = |runtime| GateView { durable: Seen::Dark, runtime, ..GateView::default() };
    let view = group.view(&asked[0], &[of(Seen::Lit), of(Seen::Dark)]);
    assert_eq!((view.durable, view.runtime), (Seen::Unknown, Seen::Dark));
    // One says that its durable copy was written, and it was not: who closes the site in the
    // running edges writes all of them before, or a reload of the other would light it.
    let lit = GateView { durable: Seen::Lit, runtime: Seen::Lit, ..GateView::default() };
    let view = group.view(&asked[0], &[of(Seen::Lit), lit]);
    assert_eq!((view.durable, view.runtime), (Seen::Unknown, Seen::Lit));
    group.close(epoch(1), &keys(["x"])).unwrap();
    let view = group.observe(&asked).unwrap()[0];
    assert_eq!((view.durable, view.runtime), (Seen::Dark, Seen::Dark));
}

/// A second barrier asks for no record, and may stand for several edges. Trap: one bad look at one
/// of them, and nothing was closed there any more until the server was started again.
#[test]
fn one_that_could_not_be_read_once_is_written_to_after_the_next_look() {
    let folder = quick_folder();
    let (mut group, [_, broken]) = two(folder.path());
    std::fs::write(&broken.gate, "in the way").unwrap();
    let asked = [key("x")];
    assert_eq!(group.observe(&asked).unwrap()[0].darkest(), Seen::Unknown);
    let closed = group.close(epoch(1), &keys(["x"]));
    assert!(closed.is_err());
    std::fs::remove_file(&broken.gate).unwrap();
    group.observe(&asked).unwrap();
    group.close(epoch(2), &keys(["x"])).unwrap();
    assert_eq!(shown(&broken, "x"), Seen::Dark);
    group.close(epoch(3), &GateSet::new()).unwrap();
    assert_eq!(shown(&broken, "x"), Seen::Lit);
}

/// Trap: a look at an edge that hangs ends after five seconds and tells nothing. It was taken for
/// one that takes its time, and was waited for twice as long before the next order of the others.
#[test]
fn one_that_hung_and_showed_nothing_is_not_waited_for_the_next_time() {
    let (folder, asked) = (quick_folder(), Arc::default());
    let hanging = Member::of(hanging(folder.path(), &asked));
    let mut hands = [Hand::of(hanging, Arc::new(Threads))];
    let x: Arc<[GateKey]> = [key("x")].into();
    let look = move |member: &mut Member| Ok(member.observe(&x));
    let looked = hand::look(&mut hands, PATIENT, Looked::is_answer, look);
    assert!(looked[0].as_ref().is_ok_and(|looked| !looked.has_answered));
    assert!(hands[0].patience() < HANGING, "{:?}", hands[0].patience());
}

/// Goal: an order waits for one edge that hangs at most, and no edge is unready for it. Method: two
/// that hang stand before one that does not; something else is to do, and then nothing is.
#[test]
fn getting_ready_waits_for_one_that_hangs_at_most_while_an_order_waits() {
    let (folder, more) = (quick_folder(), quick_folder());
    let asked = [(); 2].map(|()| Arc::new(AtomicUsize::new(0)));
    let hang = [hanging(folder.path(), &asked[0]), hanging(more.path(), &asked[1])];
    let other = builtin(folder.path());
    let hand = |target| Hand::of(Member::of(target), Arc::new(Threads));
    let mut group = Group::of(hang.into_iter().chain([other.clone()]).map(hand).collect());
    let all: GateSet = (0..1_000).map(|number| key(&format!("site-{number}"))).collect();
    assert!(!group.get_ready(&all, &|| true).unwrap());
    assert_eq!(asked[1].load(Ordering::SeqCst), 0);
    assert!(group.get_ready(&all, &|| false).is_err());
    assert_eq!(std::fs::read_dir(other.gate.join("ready")).unwrap().count(), all.len());
}

/// The first of them cannot get ready, and the second does.
#[test]
fn one_that_cannot_get_ready_keeps_no_other_from_it() {
    let folder = quick_folder();
    let (mut group, [broken, other]) = two(folder.path());
    std::fs::write(&broken.gate, "in the way").unwrap();
    let all: GateSet = (0..1_000).map(|number| key(&format!("site-{number}"))).collect();
    // Who is interrupted is asked again, whatever another one said.
    assert!(!group.get_ready(&all, &|| true).unwrap());
    assert!(group.get_ready(&all, &|| false).is_err());
    let ready = std::fs::read_dir(other.gate.join("ready")).unwrap();
    assert_eq!(ready.count(), all.len());
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
