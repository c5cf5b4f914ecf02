//! What becomes of answers that are none, and what is noted here.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Mutex;

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
