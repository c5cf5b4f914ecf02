//! What becomes of answers that are none, and what is noted here.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Mutex, mpsc};
use std::time::{Duration, Instant};

use super::*;
use crate::agent_line::{Carried, carry, is_elsewhere};
use crate::driver::{held_dark, newest_epoch, open};
use crate::drivers::{GROUP, MEMBERS};

/// An agent that answers as it is told to.
#[derive(Default)]
struct Told(Mutex<VecDeque<Result<Reply, EdgeError>>>);

impl AgentLine for Told {
    fn ask(&self, _: &str, _: Ask) -> Result<Reply, EdgeError> {
        let away = EdgeError::new(EdgeErrorKind::Unreachable, "hear of the agent");
        self.0.lock().unwrap().pop_front().unwrap_or(Err(away))
    }

    fn capabilities(&self, _: &str) -> Option<Capabilities> {
        Some(Capabilities::FILE_GATE)
    }

    fn generation(&self, _: &str) -> Result<u64, EdgeError> {
        Ok(7)
    }
}

fn target(folder: &Path) -> Target {
    Target {
        name: "north".into(),
        kind: AGENT.into(),
        gate: folder.join("agent-edges/north"),
        listeners: Vec::new(),
        verify: None,
        settings: [(AGENT_SETTING.to_owned(), "web-1".to_owned())].into(),
        members: Vec::new(),
    }
}

struct World {
    told: Arc<Told>,
    target: Target,
    driver: Box<dyn EdgeDriver>,
    folder: tempfile::TempDir,
    _line: Carried,
}

impl World {
    fn new() -> Self {
        let folder = durable::quick_folder();
        let told = Arc::new(Told::default());
        let line = carry(&folder.path().join("agent-edges"), Arc::<Told>::clone(&told));
        let target = target(folder.path());
        let driver = open(&target).unwrap();
        Self { told, target, driver, folder, _line: line }
    }

    fn tell(&self, answer: Result<Reply, EdgeError>) {
        self.told.0.lock().unwrap().push_back(answer);
    }

    /// A group of a built-in edge and of this one, and the built-in one.
    fn beside_one(&self) -> (Box<dyn EdgeDriver>, Target) {
        let gate = self.folder.path().join("one");
        let one = Target { name: "one".into(), kind: "builtin".into(), gate, ..self.plain() };
        let settings = [(MEMBERS.to_owned(), "one north".to_owned())].into();
        let members = vec![one.clone(), self.target.clone()];
        let front = Target { kind: GROUP.into(), settings, members, ..self.plain() };
        (open(&front).unwrap(), one)
    }

    fn plain(&self) -> Target {
        Target { settings: [].into(), ..self.target.clone() }
    }

    fn look(&mut self, epoch: Epoch, seen: [Seen; 2]) {
        let view = |seen| GateView {
            durable: seen,
            runtime: seen,
            epoch: Some(epoch),
            ..GateView::default()
        };
        self.tell(Ok(Reply::Views(seen.map(view).to_vec())));
        self.driver.observe(&keys(&["a", "b"])).unwrap();
    }
}

fn told_of(epoch: Epoch) -> GateView {
    let (durable, runtime) = (Seen::Dark, Seen::Dark);
    GateView { durable, runtime, epoch: Some(epoch), ..GateView::default() }
}

fn keys(names: &[&str]) -> Vec<GateKey> {
    names.iter().map(|name| GateKey::new(name).unwrap()).collect()
}

fn set(names: &[&str]) -> GateSet {
    keys(names).into_iter().collect()
}

const fn epoch(term: u64, seq: u64) -> Epoch {
    Epoch { term, seq }
}

/// Safety: an answer to something else, or about other keys, never becomes a light.
#[test]
fn what_is_no_answer_to_the_question_is_an_error() {
    let mut world = World::new();
    let refused = |error: EdgeError| {
        assert!(error.to_string().starts_with("edge north: cannot make out"), "{error}");
        error.kind
    };
    for answer in [Reply::Views(vec![GateView::default()]), Reply::Done, Reply::Ready(true)] {
        world.tell(Ok(answer));
        let kind = refused(world.driver.observe(&keys(&["a", "b"])).unwrap_err());
        assert_eq!(kind, EdgeErrorKind::Refused);
    }
    world.tell(Ok(Reply::Tunnels(vec![TunnelCount::Open(0)])));
    refused(world.driver.tunnels(&keys(&["a", "b"])).unwrap_err());
    world.tell(Ok(Reply::Ready(true)));
    refused(world.driver.close(epoch(1, 1), &set(&["a"])).unwrap_err());
    world.tell(Ok(Reply::Done));
    refused(world.driver.owned().unwrap_err());
    world.tell(Ok(Reply::Done));
    refused(world.driver.lint().unwrap_err());
    world.tell(Ok(Reply::Done));
    refused(world.driver.get_ready(&set(&["a"]), &|| false).unwrap_err());
    let away = world.driver.observe(&keys(&["a"])).unwrap_err();
    assert_eq!((away.kind, away.retry), (EdgeErrorKind::Unreachable, true));
    world.tell(Err(EdgeError::new(EdgeErrorKind::Fenced, "write")));
    let fenced = world.driver.close(epoch(1, 1), &set(&["a"])).unwrap_err();
    assert_eq!(fenced.kind, EdgeErrorKind::Fenced);
}

#[test]
fn what_was_ordered_is_noted_until_a_look_shows_it_lit() {
    let mut world = World::new();
    assert_eq!(newest_epoch(&world.target).unwrap(), None);
    assert_eq!(held_dark(&world.target).unwrap(), GateSet::new());
    // It was ordered, and nobody knows whether it was done.
    assert!(world.driver.close(epoch(3, 1), &set(&["a", "b"])).is_err());
    assert_eq!(held_dark(&world.target).unwrap(), set(&["a", "b"]));
    assert_eq!(newest_epoch(&world.target).unwrap(), Some(epoch(3, 1)));
    // A look of before that order says nothing of it.
    world.look(epoch(2, 9), [Seen::Lit, Seen::Lit]);
    assert_eq!(held_dark(&world.target).unwrap(), set(&["a", "b"]));
    world.look(epoch(3, 1), [Seen::Lit, Seen::Unknown]);
    assert_eq!(held_dark(&world.target).unwrap(), set(&["b"]));
    world.look(epoch(3, 1), [Seen::Lit, Seen::Dark]);
    assert_eq!(held_dark(&world.target).unwrap(), set(&["b"]));
    // An older controller is refused without the agent.
    world.tell(Ok(Reply::Done));
    let older = world.driver.apply(epoch(2, 9), Stage::Runtime, &set(&[])).unwrap_err();
    assert_eq!(older.kind, EdgeErrorKind::Fenced);
    world.driver.apply(epoch(3, 2), Stage::Runtime, &set(&[])).unwrap();
}

/// A register that was restored is behind what its agents have seen: the next start goes above it,
/// and no number that an agent makes up takes every later one away.
#[test]
fn a_newer_controller_that_an_agent_tells_of_is_noted_within_reason() {
    let mut world = World::new();
    world.tell(Ok(Reply::Done));
    world.driver.close(epoch(3, 1), &set(&["a"])).unwrap();
    world.look(epoch(u64::MAX, 1), [Seen::Dark; 2]);
    assert_eq!(newest_epoch(&world.target).unwrap(), Some(epoch(3, 1)));
    world.look(epoch(9, 4), [Seen::Dark; 2]);
    assert_eq!(newest_epoch(&world.target).unwrap(), Some(epoch(9, 4)));
    let fenced = world.driver.close(epoch(3, 2), &set(&["a"])).unwrap_err();
    assert_eq!(fenced.kind, EdgeErrorKind::Fenced);
}

/// Safety: an agent that tells of a newer controller, true or not, keeps no other edge of its group
/// from being closed, and is itself told nothing that is older.
#[test]
fn what_an_agent_tells_keeps_no_other_of_its_group_from_closing() {
    let world = World::new();
    let (mut front, one) = world.beside_one();
    world.tell(Ok(Reply::Done));
    front.close(epoch(3, 1), &set(&["a"])).unwrap();
    let newer = told_of(epoch(9, 4));
    world.tell(Ok(Reply::Views(vec![newer; 2])));
    let views = front.observe(&keys(&["a", "b"])).unwrap();
    assert_eq!(views[0].epoch, Some(epoch(3, 1)));
    assert_eq!(newest_epoch(&world.target).unwrap(), Some(epoch(9, 4)), "for the next start");
    let fenced = front.close(epoch(3, 2), &set(&["a", "b"])).unwrap_err();
    assert_eq!((fenced.kind, fenced.edge.as_str()), (EdgeErrorKind::Fenced, "north"));
    // What it tells may be true: nothing is opened under the older one.
    let opened = set(&["a", "b"]);
    let fenced = front.apply_changes(epoch(3, 3), Stage::Runtime, &set(&[]), &opened);
    assert_eq!(fenced.unwrap_err().kind, EdgeErrorKind::Fenced);
    let shown = open(&one).unwrap().observe(&keys(&["a", "b"])).unwrap();
    assert!(shown.iter().all(|view| view.runtime == Seen::Dark), "{shown:?}");
}

/// Goal: nothing is opened either once the journal of the older one is longer than the lost one
/// was. Method: a group whose agent has seen a newer controller of the same term opens, closes, and
/// opens beyond; and the same where nothing was to be opened before.
#[test]
fn what_an_agent_told_keeps_its_group_from_opening_however_long_the_journal_grows() {
    let (none, opened) = (set(&[]), set(&["a", "b"]));
    for opens_before in [true, false] {
        let world = World::new();
        let (mut front, _) = world.beside_one();
        world.tell(Ok(Reply::Done));
        front.close(epoch(3, 501), &opened).unwrap();
        world.tell(Ok(Reply::Views(vec![told_of(epoch(3, 700)); 2])));
        front.observe(&keys(&["a", "b"])).unwrap();
        let open = |front: &mut Box<dyn EdgeDriver>, seq| {
            let done = front.apply_changes(epoch(3, seq), Stage::Runtime, &none, &opened);
            assert_eq!(done.unwrap_err().kind, EdgeErrorKind::Fenced, "{opens_before} {seq}");
        };
        if opens_before {
            open(&mut front, 502);
            front.close(epoch(3, 503), &opened).unwrap_err();
        }
        open(&mut front, 701);
        world.tell(Ok(Reply::Done));
        front.close(epoch(3, 702), &opened).unwrap();
        open(&mut front, 703);
        // Started again, it acts above what it was told.
        world.tell(Ok(Reply::Done));
        front.apply_changes(epoch(4, 704), Stage::Runtime, &none, &opened).unwrap();
    }
}

/// The same beside one that tells no epoch at all.
#[test]
fn of_an_edge_of_an_agent_a_group_shows_no_epoch_that_was_not_ordered() {
    let world = World::new();
    let (mut front, _) = world.beside_one();
    let newer = told_of(epoch(9, 4));
    world.tell(Ok(Reply::Views(vec![newer])));
    assert_eq!(front.observe(&keys(&["a"])).unwrap()[0].epoch, None);
}

/// An agent that takes a question and never answers it.
struct Silent(Mutex<mpsc::Receiver<()>>);

impl AgentLine for Silent {
    fn ask(&self, _: &str, _: Ask) -> Result<Reply, EdgeError> {
        let _ = self.0.lock().unwrap().recv();
        Err(EdgeError::new(EdgeErrorKind::Unreachable, "hear of the agent"))
    }

    fn capabilities(&self, _: &str) -> Option<Capabilities> {
        Some(Capabilities::FILE_GATE)
    }

    fn generation(&self, _: &str) -> Result<u64, EdgeError> {
        Ok(7)
    }
}

/// Goal: what the group is asked before each order to close waits for such a one no longer than an
/// order does. It was half a minute.
#[test]
fn one_that_does_not_say_what_it_holds_delays_no_order() {
    let world = World::new();
    let (mut front, _) = world.beside_one();
    let (end, never) = mpsc::channel();
    let _line = carry(&world.folder.path().join("agent-edges"), Arc::new(Silent(never.into())));
    let begun = Instant::now();
    assert_eq!(front.owned().unwrap(), set(&[]));
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    drop(end);
}

/// A folder that cannot be written keeps nothing from closing.
#[test]
fn an_order_goes_out_also_where_it_cannot_be_noted() {
    let mut world = World::new();
    std::fs::write(world.folder.path().join("agent-edges"), "no folder").unwrap();
    world.tell(Ok(Reply::Done));
    world.driver.close(epoch(3, 1), &set(&["a"])).unwrap();
}

#[test]
fn without_a_line_nobody_knows_anything_of_the_edge() {
    let mut world = World::new();
    assert!(!is_elsewhere(&world.target));
    assert!(world.driver.capabilities().readback && !world.driver.capabilities().verify_bypass);
    assert_eq!(world.driver.generation().unwrap(), 7);
    let World { target: alone, mut driver, folder: _folder, _line, .. } = world;
    let settings = [(MEMBERS.to_owned(), "north".to_owned())].into();
    let members = vec![alone.clone()];
    let front = Target { kind: GROUP.into(), settings, members, ..alone.clone() };
    let unnamed = Target { settings: [].into(), ..alone.clone() };
    assert_eq!(open(&unnamed).err().unwrap().kind, EdgeErrorKind::Lint);
    drop(_line);
    assert!(is_elsewhere(&alone) && is_elsewhere(&front));
    assert_eq!(driver.capabilities(), Capabilities::NONE);
    let errors = [
        open(&alone).err().unwrap(),
        driver.observe(&keys(&["a"])).unwrap_err(),
        driver.close(epoch(1, 1), &set(&["a"])).unwrap_err(),
        driver.generation().unwrap_err(),
    ];
    for error in errors {
        assert_eq!((error.kind, error.retry), (EdgeErrorKind::Elsewhere, true));
        assert!(error.to_string().starts_with("edge north: cannot ask the agent"), "{error}");
    }
}
