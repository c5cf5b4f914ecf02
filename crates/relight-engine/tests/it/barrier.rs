//! The second barrier of an edge: closed for what the edge fails to darken, and for nothing else.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use relight_engine::barriers::BarrierFault;
use relight_engine::drive::Drive;
use relight_engine::edge::{
    Capabilities, EdgeDriver, EdgeError, GateSet, GateView, Lint, ProbeTarget, Stage, Target,
    TunnelCount,
};
use relight_engine::incident::{Entry, Gate, Ledger};
use relight_engine::reconcile::{
    BARRIER_AGAIN_MS, BARRIER_SILENT_MS_MAX, DARK_PROOF_MAX_MS, EdgeLoop, FIGHT_DRIFTS,
    FIGHT_QUIET_MS, LIT_PROOF_MAX_MS, Round, Want,
};
use relight_engine::{EngineErrorKind, edges};
use relight_model::{Epoch, GateKey, Light};

use crate::edge::{Edge, Fault, Shared, builtin, key, set};
use crate::engine::Town;

/// Longer than any barrier of a test takes to answer.
const PATIENT: Duration = Duration::from_secs(60);

/// An edge, its barrier, and the loop over both.
struct Pair {
    edge: Shared,
    barrier: Shared,
    edge_loop: EdgeLoop,
    now_ms: i64,
    permits: bool,
}

impl Pair {
    fn new(prepare: impl FnOnce(&mut Edge)) -> Self {
        let (edge, barrier) = (Shared::default(), Shared::default());
        prepare(&mut edge.lock());
        let edge_loop = EdgeLoop::new("east", Box::new(edge.clone()), Box::new(edge.clone()), 7);
        let mut pair = Self { edge, barrier, edge_loop, now_ms: 1_000_000, permits: true };
        pair.give(Box::new(pair.barrier.clone()), PATIENT);
        pair
    }

    fn give(&mut self, barrier: Box<dyn EdgeDriver>, wait: Duration) {
        self.edge_loop.set_barrier("wall", barrier, GateSet::new(), wait).unwrap();
    }

    /// As at the start of a program whose journal says that the barrier was told so.
    fn remember(&mut self, known: &[&str]) {
        let barrier = Box::new(self.barrier.clone());
        self.edge_loop.set_barrier("wall", barrier, set(known), PATIENT).unwrap();
    }

    /// What the barrier would leave undone if everything ended now.
    fn owes(&self, wants: &[(&str, Light, Gate)]) -> bool {
        self.edge_loop.barrier_owes(&wanted(wants), self.now_ms, &|_| self.permits)
    }

    fn round(&mut self, ms: i64, wants: &[(&str, Light, Gate)]) -> Looked {
        self.now_ms += ms;
        let wants = wanted(wants);
        let (epoch, permits) = (Epoch { term: 2, seq: 1 }, self.permits);
        let (now_ms, permits) = (self.now_ms, |_: &GateKey| permits);
        let round = match wants.is_empty() {
            true => Round::default(),
            false => self.edge_loop.round(&wants, epoch, now_ms, &permits),
        };
        let barred = self.edge_loop.tend_barrier(&wants, epoch, now_ms, &permits, &round);
        let proved = round.entries.iter().filter_map(|entry| match entry {
            Entry::Proved { sites, .. } => Some(sites.clone()),
            _ => None,
        });
        let stopped = round.entries.iter().filter_map(|entry| match entry {
            Entry::RelightStopped { sites, why, .. } => Some((sites[0].clone(), why.clone())),
            _ => None,
        });
        let (proved, stopped) = (proved.flatten().collect(), stopped.collect());
        Looked { settled: round.settled, proved, stopped, barred }
    }

    /// What is closed at the barrier by somebody before, or not any more.
    fn hold(&mut self, keys: &[&str]) {
        let (mut barrier, held) = (self.barrier.lock(), set(keys));
        (barrier.durable, barrier.runtime, barrier.own) = (held.clone(), held.clone(), held);
        barrier.has_record = true;
    }

    fn closed(&self) -> GateSet {
        let barrier = self.barrier.lock();
        assert_eq!(barrier.durable, barrier.runtime);
        barrier.durable.clone()
    }
}

fn wanted(wants: &[(&str, Light, Gate)]) -> Vec<Want> {
    let want = |&(name, light, gate): &(&str, Light, Gate)| {
        let host = format!("{name}.example");
        let target = ProbeTarget::site(key(name), host, None);
        Want { target, aliases: Vec::new(), light, gate, seen_dark: false }
    };
    wants.iter().map(want).collect()
}

/// What a round and the look at the barrier after it came to.
struct Looked {
    settled: bool,
    proved: Vec<GateKey>,
    stopped: Vec<(GateKey, String)>,
    barred: Option<Entry>,
}

/// A barrier that does nothing until it is let: says that it is at an effect, and waits.
struct Stuck {
    edge: Shared,
    at_it: Sender<()>,
    let_go: Receiver<()>,
}

impl EdgeDriver for Stuck {
    fn capabilities(&self) -> Capabilities {
        self.edge.capabilities()
    }

    fn lint(&mut self) -> Result<Vec<Lint>, EdgeError> {
        self.edge.lint()
    }

    fn observe(&mut self, keys: &[GateKey]) -> Result<Vec<GateView>, EdgeError> {
        self.edge.observe(keys)
    }

    fn owned(&mut self) -> Result<GateSet, EdgeError> {
        self.edge.owned()
    }

    fn apply(&mut self, epoch: Epoch, stage: Stage, dark: &GateSet) -> Result<(), EdgeError> {
        self.at_it.send(()).unwrap();
        // The test may be over.
        let _ = self.let_go.recv();
        self.edge.apply(epoch, stage, dark)
    }

    fn tunnels(&mut self, keys: &[GateKey]) -> Result<Vec<TunnelCount>, EdgeError> {
        self.edge.tunnels(keys)
    }

    fn cut(&mut self, epoch: Epoch, keys: &[GateKey]) -> Result<(), EdgeError> {
        self.edge.cut(epoch, keys)
    }
}

/// What the journal is told: the sites behind the barrier, and why it failed if it did.
fn told(round: &Looked) -> Option<(Vec<GateKey>, String)> {
    round.barred.as_ref().and_then(|entry| match entry {
        Entry::Barred { sites, why, .. } => Some((sites.clone(), why.clone())),
        _ => None,
    })
}

/// The sites that it was told to open, and holds.
fn held(round: &Looked) -> Vec<GateKey> {
    match &round.barred {
        Some(Entry::Barred { held, .. }) => held.clone(),
        _ => Vec::new(),
    }
}

#[test]
fn what_fails_is_closed_there_and_opened_once_it_is_proven_or_may_be_lit() {
    let mut pair = Pair::new(|edge| edge.bypass = set(&["a"]));
    let wants = [("a", Light::Dark, Gate::Requested), ("b", Light::Dark, Gate::Requested)];
    assert_eq!(told(&pair.round(0, &wants)), None, "there is time yet");
    assert_eq!(pair.closed(), set(&[]));
    let wants = [("a", Light::Dark, Gate::Requested), ("b", Light::Dark, Gate::Proven)];
    let round = pair.round(DARK_PROOF_MAX_MS, &wants);
    assert_eq!(told(&round), Some((vec![key("a")], String::new())));
    assert!(!round.settled, "a barrier proves nothing");
    let wants = [("a", Light::Dark, Gate::Failed), ("b", Light::Dark, Gate::Proven)];
    assert_eq!(told(&pair.round(1_000, &wants)), None, "told once");
    assert_eq!(pair.closed(), set(&["a"]));
    pair.edge.lock().bypass.clear();
    assert_eq!(told(&pair.round(1_000, &wants)), Some((Vec::new(), String::new())));
    assert_eq!(pair.closed(), set(&[]));
    // Failed again, and meanwhile cleared.
    pair.edge.lock().bypass = set(&["a"]);
    pair.round(20_000, &wants);
    assert_eq!(pair.closed(), set(&["a"]));
    let wants = [("a", Light::Lit, Gate::Failed), ("b", Light::Dark, Gate::Proven)];
    pair.permits = false;
    pair.round(1_000, &wants);
    assert_eq!(pair.closed(), set(&["a"]), "nobody permits it");
    pair.permits = true;
    pair.round(1_000, &wants);
    assert_eq!(pair.closed(), set(&[]));
}

/// Whoever undoes the gate again and again meets a second one, until a minute of quiet.
#[test]
fn what_is_fought_over_is_closed_there_until_it_stays_as_it_is() {
    let mut pair = Pair::new(|_| ());
    pair.round(0, &[("a", Light::Dark, Gate::Requested), ("b", Light::Dark, Gate::Requested)]);
    let mut last = None;
    for time in 1..=FIGHT_DRIFTS {
        assert_eq!(pair.closed(), set(&[]), "{time}");
        let mut edge = pair.edge.lock();
        edge.durable.remove(&key("a"));
        edge.runtime.remove(&key("a"));
        drop(edge);
        let wants = [("a", Light::Dark, Gate::Proven), ("b", Light::Dark, Gate::Proven)];
        last = told(&pair.round(1_000, &wants));
    }
    assert_eq!(last, Some((vec![key("a")], String::new())));
    let wants = [("a", Light::Dark, Gate::Failed), ("b", Light::Dark, Gate::Proven)];
    pair.round(FIGHT_QUIET_MS / 2, &wants);
    assert_eq!(pair.closed(), set(&["a"]), "it shows dark, and that is not enough");
    let round = pair.round(FIGHT_QUIET_MS / 2, &wants);
    assert_eq!(round.proved, [key("a")]);
    assert_eq!(pair.closed(), set(&[]));
}

#[test]
fn an_edge_that_does_not_answer_is_closed_there() {
    let mut pair = Pair::new(|edge| edge.is_unreachable = true);
    let wants = [("a", Light::Dark, Gate::Requested), ("b", Light::Lit, Gate::Open)];
    pair.round(0, &wants);
    let round = pair.round(DARK_PROOF_MAX_MS, &wants);
    assert_eq!(told(&round), Some((vec![key("a")], String::new())));
    assert_eq!(pair.closed(), set(&["a"]));
}

#[test]
fn a_barrier_that_fails_is_told_once_and_tried_again() {
    let mut pair = Pair::new(|edge| edge.bypass = set(&["a"]));
    let wants = [("a", Light::Dark, Gate::Failed)];
    pair.barrier.lock().faults = [Fault::Before, Fault::Before].into();
    let (sites, why) = told(&pair.round(0, &wants)).unwrap();
    assert_eq!((sites, why.is_empty()), (vec![key("a")], false));
    assert_eq!(told(&pair.round(1_000, &wants)), None);
    assert_eq!(pair.barrier.lock().faults.len(), 1, "the edge waits for it only now and then");
    assert_eq!(told(&pair.round(BARRIER_AGAIN_MS + 1_000, &wants)), None);
    let round = pair.round(BARRIER_AGAIN_MS + 1_000, &wants);
    assert_eq!(told(&round), Some((vec![key("a")], String::new())));
    assert_eq!(pair.closed(), set(&["a"]));
}

/// Goal: a barrier that says that it opened a site, and holds it, is told as the one that does, and
/// tried again. Method: it says yes to the opening and does nothing.
#[test]
fn a_barrier_that_says_yes_and_opens_nothing_is_told() {
    let mut pair = Pair::new(|edge| edge.bypass = set(&["a", "b"]));
    pair.permits = false;
    let wants = [("a", Light::Dark, Gate::Failed), ("b", Light::Dark, Gate::Failed)];
    pair.round(0, &wants);
    assert_eq!(pair.closed(), set(&["a", "b"]));
    pair.permits = true;
    pair.barrier.lock().faults = [Fault::Lie; 4].into();
    let wants = [("a", Light::Lit, Gate::Requested), ("b", Light::Dark, Gate::Failed)];
    let only_b = Some((vec![key("b")], String::new()));
    assert_eq!(told(&pair.round(1_000, &wants)), only_b, "it may take a while");
    assert_eq!(told(&pair.round(1_000, &wants)), None);
    assert_eq!(pair.barrier.lock().faults.len(), 2, "it is asked again now and then");
    let looked = pair.round(BARRIER_AGAIN_MS, &wants);
    assert_eq!(told(&looked), Some((vec![key("b")], "still-closed".to_owned())));
    assert_eq!(held(&looked), [key("a")]);
    assert_eq!(told(&pair.round(1_000, &wants)), None, "once is enough");
    assert!(pair.barrier.lock().faults.is_empty() && pair.closed() == set(&["a", "b"]));
    assert_eq!(told(&pair.round(BARRIER_AGAIN_MS, &wants)), only_b);
    assert_eq!(pair.closed(), set(&["b"]));
}

/// Goal: a site that a barrier keeps is in nobody's way: another one that fails is closed there at
/// once, and told. Method: that happens a second after the barrier kept the first one.
#[test]
fn a_barrier_that_keeps_a_site_closes_others_at_once() {
    let mut pair = Pair::new(|edge| edge.bypass = set(&["a", "b"]));
    pair.round(0, &[("a", Light::Dark, Gate::Failed)]);
    pair.barrier.lock().faults = [Fault::Lie; 2].into();
    let looked = pair.round(1_000, &[("a", Light::Lit, Gate::Requested)]);
    assert_eq!((told(&looked), pair.closed()), (Some((vec![], String::new())), set(&["a"])));
    let wants = [("a", Light::Lit, Gate::Requested), ("b", Light::Dark, Gate::Failed)];
    assert!(pair.owes(&wants));
    pair.barrier.lock().faults = [Fault::None; 2].into();
    let looked = pair.round(1_000, &wants);
    assert_eq!(told(&looked), Some((vec![key("b")], String::new())));
    assert_eq!(pair.closed(), set(&["b"]));
    assert!(!pair.owes(&wants));
}

/// Goal: nor is anybody else blamed where its read-back lies as well. Method: both edges show the
/// site open, and visitors never see it; later they do.
#[test]
fn a_barrier_behind_which_nobody_sees_the_site_is_told_once_the_relight_stops() {
    let mut pair = Pair::new(|edge| edge.bypass = set(&["a"]));
    pair.round(0, &[("a", Light::Dark, Gate::Failed)]);
    pair.edge.lock().bypass.clear();
    pair.edge.lock().blind = set(&["a"]);
    let wants = [("a", Light::Lit, Gate::Requested)];
    assert_eq!(told(&pair.round(1_000, &wants)), Some((vec![], String::new())));
    assert_eq!(told(&pair.round(LIT_PROOF_MAX_MS - 1_000, &wants)), None);
    let looked = pair.round(1_000, &wants);
    assert_eq!(looked.stopped, [(key("a"), "barrier-holds".to_owned())]);
    assert_eq!(told(&looked), Some((vec![], "not-seen-open".to_owned())));
    assert_eq!(held(&looked), [key("a")]);
    // It waits for a person, and stays told meanwhile.
    pair.round(1_000, &[("a", Light::Dark, Gate::Requested)]);
    assert_eq!(told(&pair.round(1_000, &[("a", Light::Dark, Gate::Proven)])), None);
    pair.edge.lock().blind.clear();
    let looked = pair.round(1_000, &wants);
    assert_eq!((looked.proved.clone(), told(&looked)), (vec![key("a")], Some((vec![], "".into()))));
    // Where the barrier had nothing to do with it, it is not named.
    let mut pair = Pair::new(|edge| edge.blind = set(&["a"]));
    pair.round(0, &wants);
    let looked = pair.round(LIT_PROOF_MAX_MS, &wants);
    assert_eq!(looked.stopped, [(key("a"), "not-permitted-or-not-proven".to_owned())]);
    assert_eq!(told(&looked), None);
}

/// Goal: a barrier is not blamed for what its edge, or a person, did. Method: what it opened does
/// not come back because the edge in front is silent, or because nobody permits it any more.
#[test]
fn a_barrier_is_not_blamed_for_the_edge_in_front_of_it() {
    let wants = [("a", Light::Lit, Gate::Requested)];
    let let_go = || {
        let mut pair = Pair::new(|edge| edge.bypass = set(&["a"]));
        pair.round(0, &[("a", Light::Dark, Gate::Failed)]);
        pair.edge.lock().bypass.clear();
        pair.edge.lock().blind = set(&["a"]);
        assert_eq!(told(&pair.round(1_000, &wants)), Some((vec![], String::new())));
        pair
    };
    let mut pair = let_go();
    pair.edge.lock().is_unreachable = true;
    let looked = pair.round(LIT_PROOF_MAX_MS, &wants);
    assert_eq!(looked.stopped, [(key("a"), "unreachable".to_owned())]);
    assert_eq!(told(&looked), None);
    let mut pair = let_go();
    pair.permits = false;
    let looked = pair.round(1_000, &wants);
    assert_eq!(looked.stopped, [(key("a"), "not-permitted-or-not-proven".to_owned())]);
    assert!(told(&looked).is_none_or(|(_, why)| why.is_empty()));
    let mut pair = let_go();
    pair.round(1_000, &[("a", Light::Lit, Gate::Open)]);
    pair.round(1_000, &[("a", Light::Dark, Gate::Proven)]);
    pair.round(1_000, &wants);
    let looked = pair.round(LIT_PROOF_MAX_MS, &wants);
    assert_eq!(looked.stopped, [(key("a"), "not-permitted-or-not-proven".to_owned())]);
}

/// Goal: a barrier that hangs keeps nothing of its edge waiting, and is told once it is over.
/// Method: one that stays in its effect until it is let; meanwhile another site goes dark.
#[test]
fn an_edge_goes_on_while_its_barrier_hangs() {
    let mut pair = Pair::new(|edge| edge.bypass = set(&["a"]));
    let ((at_it, entered), (go, let_go)) = (mpsc::channel(), mpsc::channel());
    let stuck = Stuck { edge: pair.barrier.clone(), at_it, let_go };
    pair.give(Box::new(stuck), Duration::ZERO);
    let deadline = Instant::now() + PATIENT;
    let wants = [("a", Light::Dark, Gate::Failed)];
    while entered.try_recv().is_err() {
        assert_eq!(told(&pair.round(0, &wants)), None);
        assert!(Instant::now() < deadline, "the barrier was never asked");
        thread::yield_now();
    }
    let wants = [("a", Light::Dark, Gate::Failed), ("b", Light::Dark, Gate::Requested)];
    let round = pair.round(1_000, &wants);
    assert_eq!((round.proved.clone(), told(&round)), (vec![key("b")], None));
    assert_eq!(pair.barrier.lock().durable, set(&[]));
    // One order at a time: what is wanted meanwhile waits for the answer.
    assert!(entered.try_recv().is_err());
    drop(go);
    let wants = [("a", Light::Dark, Gate::Failed), ("b", Light::Dark, Gate::Proven)];
    let answer = loop {
        if let Some(told) = told(&pair.round(0, &wants)) {
            break told;
        }
        assert!(Instant::now() < deadline, "the answer was never taken");
        thread::yield_now();
    };
    assert_eq!(answer, (vec![key("a")], String::new()));
    assert_eq!(pair.closed(), set(&["a"]));
}

/// Goal: a barrier that never answers is told, once, and nobody waits for it at the end. Method:
/// one that stays in its effect; what is owed is asked before it is at it, meanwhile, afterwards.
#[test]
fn a_barrier_that_never_answers_is_told_and_one_that_is_slow_is_waited_for() {
    let mut pair = Pair::new(|edge| edge.bypass = set(&["a"]));
    let ((at_it, entered), (go, let_go)) = (mpsc::channel(), mpsc::channel());
    let stuck = Stuck { edge: pair.barrier.clone(), at_it, let_go };
    pair.give(Box::new(stuck), Duration::ZERO);
    let wants = [("a", Light::Dark, Gate::Failed)];
    assert!(pair.owes(&wants), "it was never asked");
    let deadline = Instant::now() + PATIENT;
    while entered.try_recv().is_err() {
        assert_eq!(told(&pair.round(0, &wants)), None);
        assert!(Instant::now() < deadline, "the barrier was never asked");
        thread::yield_now();
    }
    // A clock that is set back puts that off by nothing.
    assert_eq!(told(&pair.round(-3_600_000, &wants)), None);
    assert_eq!(told(&pair.round(BARRIER_SILENT_MS_MAX - 1, &wants)), None);
    assert!(pair.owes(&wants), "it is at it");
    let silent = (vec![key("a")], "unreachable".to_owned());
    assert_eq!(told(&pair.round(1, &wants)), Some(silent));
    assert_eq!(told(&pair.round(1_000, &wants)), None, "told once");
    assert!(!pair.owes(&wants), "nobody waits for it any more");
    drop(go);
    while told(&pair.round(0, &wants)).is_none() {
        assert!(Instant::now() < deadline, "the answer was never taken");
        thread::yield_now();
    }
    assert!(!pair.owes(&wants));
    assert_eq!(pair.closed(), set(&["a"]));
}

/// The thread of a barrier that panics is a barrier that does not answer.
#[test]
fn a_barrier_whose_thread_has_ended_is_told_as_unreachable() {
    let mut pair = Pair::new(|edge| edge.bypass = set(&["a"]));
    let ((at_it, gone), (_go, let_go)) = (mpsc::channel(), mpsc::channel());
    drop(gone);
    let stuck = Stuck { edge: pair.barrier.clone(), at_it, let_go };
    pair.give(Box::new(stuck), PATIENT);
    let round = pair.round(0, &[("a", Light::Dark, Gate::Failed)]);
    assert_eq!(told(&round), Some((vec![key("a")], "unreachable".to_owned())));
}

/// A restart knows nothing of its own, and opens nothing on a guess.
#[test]
fn a_new_controller_keeps_shut_what_is_not_proven_yet() {
    for is_unreadable in [false, true] {
        let mut pair = Pair::new(|edge| edge.bypass = set(&["a"]));
        pair.hold(&["a", "b"]);
        pair.barrier.lock().is_unreadable = is_unreadable;
        let wants = [("a", Light::Dark, Gate::Requested), ("b", Light::Dark, Gate::Requested)];
        pair.round(0, &wants);
        assert_eq!(pair.closed(), set(&["a"]), "b is proven, a is not");
        pair.edge.lock().bypass.clear();
        pair.round(1_000, &wants);
        assert_eq!(pair.closed(), set(&[]));
    }
}

#[test]
fn what_was_left_is_opened_although_nothing_is_wanted() {
    let mut pair = Pair::new(|_| ());
    pair.hold(&["a"]);
    pair.remember(&["a"]);
    pair.round(0, &[]);
    assert_eq!(pair.closed(), set(&[]));
    assert_eq!(pair.edge_loop.barrier_unasked(), Some(("wall", false)));
}

/// Goal: what a barrier has closed and this journal knows nothing of is not opened: the register
/// came back from an older copy, or another one has the same barrier. Method: with nothing wanted,
/// with another site that goes behind it and comes back, and with one that is wanted here.
#[test]
fn what_nobody_here_knows_of_stays_closed_there() {
    let mut pair = Pair::new(|edge| edge.bypass = set(&["b"]));
    pair.hold(&["a"]);
    // What was told before stays told until somebody looked.
    assert_eq!(pair.edge_loop.barrier_unasked(), None);
    pair.barrier.lock().is_unreachable = true;
    pair.round(0, &[]);
    assert_eq!(pair.edge_loop.barrier_unasked(), None);
    pair.barrier.lock().is_unreachable = false;
    pair.round(60_000, &[]);
    assert_eq!(pair.closed(), set(&["a"]));
    assert_eq!(pair.edge_loop.barrier_unasked(), Some(("wall", true)), "it is told");
    let round = pair.round(1_000, &[("b", Light::Dark, Gate::Failed)]);
    assert_eq!(told(&round), Some((vec![key("b")], String::new())), "only what is ours");
    assert_eq!(pair.closed(), set(&["a", "b"]));
    pair.edge.lock().bypass.clear();
    pair.round(1_000, &[("b", Light::Dark, Gate::Proven)]);
    assert_eq!(pair.closed(), set(&["a"]));
    // Once it is ordered here it is ours.
    let order = ("a", Light::Dark, Gate::Requested);
    pair.round(1_000, &[order]);
    assert_eq!(pair.closed(), set(&[]), "it is proven dark at its edge");
    assert_eq!(pair.edge_loop.barrier_unasked(), Some(("wall", false)));
}

#[test]
fn a_barrier_that_lost_its_state_is_closed_again() {
    let mut pair = Pair::new(|edge| edge.bypass = set(&["a"]));
    let wants = [("a", Light::Dark, Gate::Failed)];
    pair.round(0, &wants);
    assert_eq!(pair.closed(), set(&["a"]));
    pair.hold(&[]);
    pair.round(BARRIER_AGAIN_MS, &wants);
    assert_eq!(pair.closed(), set(&["a"]));
}

/// What an earlier controller closed there, and nobody wants closed any more.
#[test]
fn a_new_controller_opens_what_was_left() {
    let mut pair = Pair::new(|_| ());
    let left = set(&["a"]);
    let mut barrier = pair.barrier.lock();
    (barrier.durable, barrier.runtime, barrier.own) = (left.clone(), left.clone(), left);
    drop(barrier);
    pair.round(0, &[("a", Light::Dark, Gate::Requested)]);
    assert_eq!(pair.closed(), set(&[]));
}

/// Two edges behind one barrier would open what the other closed, and an edge with sites must obey
/// its own orders.
#[test]
fn a_barrier_that_is_not_fit_for_it_is_told_and_not_used() {
    let Town { engine, folder } = Town::new(1);
    let put = |name: &str, barrier: &str| {
        let settings = [("barrier".to_owned(), barrier.to_owned())].into();
        let target = Target { settings, ..builtin(folder.path(), name) };
        engine.store().put_edge(&edges::to_row(&target).unwrap(), 0, "test").unwrap();
        let mut wall = target;
        (wall.name, wall.settings) = ("wall".into(), [].into());
        engine.store().put_edge(&edges::to_row(&wall).unwrap(), 0, "test").unwrap();
    };
    for (name, barrier) in
        [("a", "wall"), ("b", "wall"), ("c", "nobody"), ("d", "east"), ("e", "a"), ("f", "f")]
    {
        put(name, barrier);
    }
    let drive = Drive::edges_alone(&Arc::new(engine)).unwrap();
    let faults: Vec<(&str, BarrierFault)> = drive
        .troubles()
        .iter()
        .filter_map(|(name, error)| match error.kind {
            EngineErrorKind::Barrier(fault) => Some((name.as_str(), fault)),
            _ => None,
        })
        .collect();
    let wanted = [
        ("b", BarrierFault::Shared),
        ("c", BarrierFault::Missing),
        ("d", BarrierFault::HasSites),
        ("e", BarrierFault::Nested),
        ("f", BarrierFault::Itself),
    ];
    assert_eq!(faults, wanted);
}

/// Goal: a barrier that keeps sites is known by what it keeps, whoever wrote the journal. Method: a
/// record as it was written before what is held had a place of its own.
#[test]
fn a_barrier_of_a_journal_of_before_keeps_what_it_was_told_to_open() {
    let mut ledger = Ledger::new(1);
    let mut told = |why: &str| {
        let body = format!(
            r#"{{"barrier":"wall","edge":"east","kind":"barred","sites":["a"],"why":"{why}"}}"#
        );
        ledger.apply("", &Entry::from_body(&body).unwrap(), 1).unwrap();
        let barred = ledger.barred("east").unwrap();
        (barred.sites.len(), barred.held.len(), barred.about().len())
    };
    assert_eq!(["still-closed", "not-seen-open"].map(&mut told), [(0, 1, 1); 2]);
    assert_eq!(["", "unreachable"].map(&mut told), [(1, 0, 1); 2]);
}
