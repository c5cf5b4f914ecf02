//! Questions and answers between a server and agents, over real sockets.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use relight_engine::edge::{GateSet, GateView};
use relight_model::{Epoch, GateKey, Seen};
use tempfile::TempDir;

use super::hand::{Done, EdgeLine, EdgeState, Order};
use super::*;
use crate::agents::AGENT_KEY_FILE;
use crate::agents::client::enrol;
use crate::agents::identity::IDENTITY_FILE;
use crate::agents::serve::{AgentLimits, AgentListener};
use crate::agents::tests::engine_of;
use crate::clock;

const STATE: EdgeState = EdgeState { able: Capabilities::FILE_GATE, generation: Some(7) };

/// A server with the edge `north`, which the agent of `web-1` writes.
struct World {
    mailbox: Arc<Mailbox>,
    desk: Arc<AgentDesk>,
    listener: AgentListener,
    folder: TempDir,
    _carried: Carried,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let engine = engine_of(folder.path(), &[("Hospital", "north")], clock::now_ms);
        let (mailbox, carried) = Mailbox::open(folder.path());
        let desk = AgentDesk::open(engine, &folder.path().join(AGENT_KEY_FILE)).unwrap();
        let desk = Arc::new(desk.with_edges(Arc::clone(&mailbox)));
        let free = ([127, 0, 0, 1], 0).into();
        let listener =
            AgentListener::start(Arc::clone(&desk), free, AgentLimits::default()).unwrap();
        let world = Self { mailbox, desk, listener, folder, _carried: carried };
        world.put_edge("web-1");
        world
    }

    fn target(&self, agent: &str) -> Target {
        Target {
            name: "north".into(),
            kind: AGENT.into(),
            gate: notes_of(self.folder.path(), "north"),
            listeners: Vec::new(),
            verify: None,
            settings: [(AGENT_SETTING.to_owned(), agent.to_owned())].into(),
            members: Vec::new(),
        }
    }

    fn put_edge(&self, agent: &str) {
        let row = edges::to_row(&self.target(agent)).unwrap();
        self.desk.engine.store().put_edge(&row, 1, "test").unwrap();
    }

    /// The identity of somebody who enrols.
    fn enrol(&self, host: &str) -> PathBuf {
        let hospital = self.desk.organisation("Hospital").unwrap();
        let code = self.desk.make_code("anna", &hospital, host).unwrap().text;
        let path = self.folder.path().join(host).join(IDENTITY_FILE);
        let url = format!("https://{}", self.listener.address());
        enrol(&url, &code, host, &path).unwrap();
        path
    }

    fn line(&self, host: &str) -> EdgeLine {
        EdgeLine::open(&self.enrol(host), Arc::default()).unwrap()
    }

    /// An agent in a thread of its own, which answers each question so.
    fn agent(
        &self,
        path: &Path,
        answer: impl Fn(&Ask) -> Result<Reply, EdgeError> + Send + 'static,
    ) -> Working {
        let (stop, path) = (Arc::new(AtomicBool::new(false)), path.to_owned());
        let flag = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let mut line = EdgeLine::open(&path, Arc::clone(&flag)).unwrap();
            let (mut done, mut faults) = (None, Vec::new());
            while !flag.load(Ordering::SeqCst) {
                match line.poll("north", STATE, &mut done, &mut || false) {
                    Ok(None) => {}
                    Ok(Some(order)) => done = order.carry_out(Instant::now(), &answer),
                    Err(fault) => {
                        faults.push(fault.code);
                        if faults.len() == 3 {
                            break;
                        }
                    }
                }
            }
            faults
        });
        Working { stop, thread: Some(thread) }
    }
}

struct Working {
    stop: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<Vec<String>>>,
}

impl Working {
    /// Why it was not let in, once it was told three times.
    fn faults(mut self) -> Vec<String> {
        self.thread.take().unwrap().join().unwrap()
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn key(name: &str) -> GateKey {
    GateKey::new(name).unwrap()
}

/// How a request ends that brings nothing.
fn code(line: &mut EdgeLine, edge: &str) -> String {
    let asked = line.poll(edge, STATE, &mut None, &mut || true);
    asked.err().map_or_else(|| "done".to_owned(), |fault| fault.code)
}

/// A question that is asked in a thread of its own.
fn asked(world: &World) -> thread::JoinHandle<Result<Reply, EdgeError>> {
    let mailbox = Arc::clone(&world.mailbox);
    thread::spawn(move || mailbox.ask("north", Ask::Owned))
}

/// Brings an answer, and hears what whoever waited for it was told.
fn give(
    line: &mut EdgeLine,
    done: Option<Done>,
    asked: thread::JoinHandle<Result<Reply, EdgeError>>,
) -> Reply {
    let mut done = done;
    let is_over = &mut || asked.is_finished();
    assert!(line.poll("north", STATE, &mut done, is_over).unwrap().is_none());
    asked.join().unwrap().unwrap()
}

/// Goal: the driver here is the driver there. Method: an agent with the gate of a built-in edge in
/// a folder of its own answers the calls of the trait, one after the other.
#[test]
fn what_the_driver_is_asked_here_the_driver_there_does() {
    let world = World::new();
    let own = Target {
        name: "north".into(),
        kind: "builtin".into(),
        gate: world.folder.path().join("machine"),
        settings: [].into(),
        ..world.target("web-1")
    };
    let driver = Mutex::new(edge::open(&own).unwrap());
    let path = world.enrol("web-1");
    let _agent =
        world.agent(&path, move |ask| ask.carry_out(&mut **driver.lock().unwrap(), &|| false));
    let mut here = edge::open(&world.target("web-1")).unwrap();
    let keys = [key("a"), key("b")];
    let (epoch, dark) = (Epoch { term: 2, seq: 1 }, GateSet::from([key("a")]));
    here.close(epoch, &dark).unwrap();
    let seen = |views: Vec<GateView>| views.iter().map(|view| view.runtime).collect::<Vec<_>>();
    assert_eq!(seen(here.observe(&keys).unwrap()), [Seen::Dark, Seen::Lit]);
    assert_eq!(here.owned().unwrap(), dark);
    assert_eq!((here.generation().unwrap(), here.capabilities().readback), (7, true));
    assert_eq!(here.lint().unwrap(), []);
    assert!(here.get_ready(&dark, &|| false).unwrap());
    assert_eq!(here.tunnels(&keys).unwrap().len(), 2);
    here.cut(epoch, &keys).unwrap();
    let many: GateSet = (0..4_000).map(|n| key(&format!("site-{n:0>100}"))).collect();
    here.close(epoch, &many).unwrap();
    let all: Vec<GateKey> = many.iter().cloned().collect();
    assert!(seen(here.observe(&all).unwrap()).iter().all(|seen| *seen == Seen::Dark));
    // An older controller is fenced there, whatever is noted here.
    std::fs::remove_dir_all(notes_of(world.folder.path(), "north")).unwrap();
    let older = here.close(Epoch { term: 1, seq: 9 }, &dark).unwrap_err();
    assert_eq!(older.kind, EdgeErrorKind::Fenced, "{older}");
    assert!(older.to_string().starts_with("edge north: "), "{older}");
}

/// Goal: an edge has one agent, and nobody else hears of it or answers for it.
#[test]
fn an_agent_that_was_not_named_for_an_edge_gets_and_gives_nothing() {
    // A busy machine may take longer than an order has.
    let began = Instant::now();
    let world = World::new();
    let (mut mine, mut other) = (world.line("web-1"), world.line("web-2"));
    assert_eq!(code(&mut other, "north"), "foreign-edge");
    assert_eq!(code(&mut mine, "south"), "foreign-edge");
    let asked = asked(&world);
    let order = next(&mut mine);
    let mut done = order.carry_out(began, |_| Ok(Reply::Keys([key("a")].into())));
    // The other one would answer in its place.
    let fault = other.poll("north", STATE, &mut done, &mut || true).unwrap_err();
    assert_eq!((fault.code.as_str(), done.is_some()), ("foreign-edge", true));
    assert_eq!(give(&mut mine, done, asked), Reply::Keys([key("a")].into()));
    // It becomes the agent of another machine.
    world.put_edge("2");
    assert_eq!(code(&mut mine, "north"), "foreign-edge");
    assert_eq!(code(&mut other, "north"), "done");
}

/// The next question, however long it takes.
fn next(line: &mut EdgeLine) -> Order {
    loop {
        if let Some(order) = line.poll("north", STATE, &mut None, &mut || false).unwrap() {
            return order;
        }
    }
}

/// Safety: whoever is revoked while its request is held gets no question any more, and the edge is
/// one that cannot be reached.
#[test]
fn a_revoked_agent_is_out_at_the_next_question() {
    let world = World::new();
    let path = world.enrol("web-1");
    let agent = world.agent(&path, |_| Ok(Reply::Keys(GateSet::new())));
    world.mailbox.ask("north", Ask::Owned).unwrap();
    world.desk.revoke("anna", 1).unwrap();
    let error = world.mailbox.ask("north", Ask::Owned).unwrap_err();
    assert_eq!(error.kind, EdgeErrorKind::Unreachable, "{error}");
    assert_eq!(agent.faults(), ["not-let-in"; 3]);
    let error = world.mailbox.ask("north", Ask::Owned).unwrap_err();
    assert!(error.to_string().contains("it asks for nothing"), "{error}");
    assert!(world.mailbox.generation("north").is_err());
}

/// Safety: an agent that dies with a question, or whose answer is lost, leaves nothing behind that
/// is taken for an answer; what there is still time for is asked again.
#[test]
fn an_agent_that_was_started_again_is_asked_again() {
    // A busy machine may take longer than an order has.
    let began = Instant::now();
    let world = World::new();
    let path = world.enrol("web-1");
    let mut first = EdgeLine::open(&path, Arc::default()).unwrap();
    let waits = asked(&world);
    let lost = next(&mut first);
    let mut second = EdgeLine::open(&path, Arc::default()).unwrap();
    let again = next(&mut second);
    let answer = |name: &'static str| move |_: &Ask| Ok(Reply::Keys([key(name)].into()));
    let right = again.carry_out(began, answer("right"));
    assert_eq!(give(&mut second, right, waits), Reply::Keys([key("right")].into()));
    // The first one comes back with what it was asked long ago.
    let waits = asked(&world);
    let order = next(&mut second);
    let mut late = lost.carry_out(began, answer("late"));
    let mut ticks = 0;
    while late.is_some() && ticks < 3 {
        ticks += 1;
        let _ = first.poll("north", STATE, &mut late, &mut || true);
    }
    let new = order.carry_out(began, answer("new"));
    assert_eq!(give(&mut second, new, waits), Reply::Keys([key("new")].into()));
}

/// Goal: an answer that the server cannot make out costs that answer, and not every order after it.
#[test]
fn an_answer_that_is_none_is_not_brought_again() {
    // A busy machine may take longer than an order has.
    let began = Instant::now();
    let world = World::new();
    let mut line = world.line("web-1");
    let waits = asked(&world);
    let many = || Ok(Reply::Views(vec![GateView::default(); GATE_KEYS_MAX + 2]));
    let mut done = next(&mut line).carry_out(began, |_| many());
    let fault = line.poll("north", STATE, &mut done, &mut || false).unwrap_err();
    assert_eq!((fault.code.as_str(), done.is_none()), ("malformed", true));
    // It is asked again while there is time, and heard.
    let right = next(&mut line).carry_out(began, |_| Ok(Reply::Keys([key("a")].into())));
    assert_eq!(give(&mut line, right, waits), Reply::Keys([key("a")].into()));
}

/// Goal: what goes wrong there is known here as what it is.
#[test]
fn an_error_comes_back_with_its_kind() {
    let world = World::new();
    let path = world.enrol("web-1");
    let kinds = Mutex::new(VecDeque::from(EdgeErrorKind::ALL));
    let _agent = world.agent(&path, move |_| {
        let kind = kinds.lock().unwrap().pop_front().unwrap();
        Err(EdgeError::new(kind, "write /gate/epoch"))
    });
    for kind in EdgeErrorKind::ALL {
        let error = world.mailbox.ask("north", Ask::Owned).unwrap_err();
        assert_eq!(error.kind, kind);
        assert_eq!(error.to_string(), "edge north: cannot write /gate/epoch");
    }
}

#[test]
fn a_machine_is_named_by_its_number_or_by_a_name_that_no_other_has() {
    let live = [(1, "web-1".to_owned()), (2, "web-2".to_owned()), (3, "web-2".to_owned())];
    let is = |setting: &str, number: u32| {
        let host = &live.iter().find(|(id, _)| *id == number).unwrap().1;
        is_agent_of(setting, (number, host), &live)
    };
    assert!(is("1", 1) && is("web-1", 1) && is("2", 2) && is("3", 3));
    assert!(!is("2", 1) && !is("web-2", 1) && !is("", 1));
    assert!(!is("web-2", 2) && !is("web-2", 3), "two have the name");
    let many: Vec<GateKey> = (0..GATE_KEYS_MAX + 2).map(|n| key(&n.to_string())).collect();
    let error = refuse_too_many(&Ask::Observe(many)).unwrap_err();
    assert_eq!(error.kind, EdgeErrorKind::Refused);
}
