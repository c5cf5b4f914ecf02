//! The edges of this machine, one thread each: it asks the server what to do at its gate and does
//! it, with the driver that `relight edge` uses. Without the server, or when it is not let in,
//! nothing changes at the gate.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use relight_engine::edge::{
    self, Ask, Capabilities, EdgeDriver, EdgeError, EdgeErrorKind, GateSet, LintSeverity, Reply,
    Stage, Target,
};
use relight_engine::refusals::configuration_lints;
use relight_model::Epoch;
use relight_server::agents::client::{AgentFault, STOPPED};
use relight_server::agents::edges::hand::{Done, EdgeLine, EdgeState};
use relight_server::web::texts;

use super::edge_file::EdgeEntry;
use super::words;
use crate::context::Context;
use crate::failure::chain;
use crate::report::Report;

/// Rests between two requests that were not answered.
const REST_MIN: Duration = Duration::from_millis(200);
const REST_MAX: Duration = Duration::from_secs(3);

/// A request that was answered without a question sooner than this was not held: the server has no
/// place for it.
const HELD_MIN: Duration = Duration::from_secs(1);

/// How often it is looked whether another process took over the edge, in tenths of a second.
const SAMPLE_TENTHS: u32 = 2;

/// How long getting ready for an order may hold up the order.
const READY_MAX: Duration = Duration::from_millis(100);

/// Longest wait at the end for an edge that is in the middle of something. A kill there leaves what
/// any crash leaves: a gate that falls to dark.
const END_MAX: Duration = Duration::from_secs(2);

/// How soon a rest ends when the agent is to end.
const STOP_EVERY: Duration = Duration::from_millis(50);

/// What is news of an edge.
enum What {
    /// The server gives its orders here.
    InTouch,
    /// It does not.
    Fault(AgentFault),
    /// The driver could not do what it was asked.
    Trouble(String),
}

/// The thread of one edge.
struct Hand {
    entry: EdgeEntry,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

/// The threads of all edges.
pub(super) struct Hands {
    path: PathBuf,
    running: BTreeMap<String, Hand>,
    say: Sender<(String, What)>,
    heard: Receiver<(String, What)>,
}

impl Hands {
    /// None yet, for the agent of this identity.
    pub(super) fn new(identity: &Path) -> Self {
        let (say, heard) = mpsc::channel();
        Self { path: identity.to_owned(), running: BTreeMap::new(), say, heard }
    }

    /// Drives these edges from now on: what is the same goes on, and one that is another thing now
    /// begins when that of before has ended.
    pub(super) fn follow(&mut self, edges: &BTreeMap<String, EdgeEntry>) {
        for (name, hand) in &self.running {
            if edges.get(name) != Some(&hand.entry) {
                hand.stop.store(true, Ordering::Relaxed);
            }
        }
        self.running.retain(|_, hand| !hand.thread.is_finished());
        for (name, entry) in edges {
            // A gate has one driver here at a time.
            let is_free = |hand: &Hand| hand.entry.gate() != entry.gate();
            if self.running.contains_key(name) || !self.running.values().all(is_free) {
                continue;
            }
            let (target, path) = (entry.target(name), self.path.clone());
            let (say, stop) = (self.say.clone(), Arc::new(AtomicBool::new(false)));
            let flag = Arc::clone(&stop);
            let work = move || Worker::new(target, say).run(&path, &flag);
            // Where no thread can be started the next turn tries again.
            let Ok(thread) = thread::Builder::new().name(format!("edge {name}")).spawn(work) else {
                continue;
            };
            let hand = Hand { entry: entry.clone(), stop, thread };
            self.running.insert(name.clone(), hand);
        }
    }

    /// Tells what is news of the edges.
    pub(super) fn tell(&self, context: &Context, report: &mut Report) {
        let lang = context.lang;
        for (edge, what) in self.heard.try_iter() {
            match &what {
                What::InTouch => report.note(&texts::agent_edge_driven(lang, &edge)),
                What::Fault(fault) => {
                    let (what, remedy) = words(lang, &fault.code);
                    report.warn_in_detail(&edge, what, &fault.detail, remedy);
                }
                What::Trouble(trouble) => {
                    let (what, remedy) =
                        (texts::agent_edge_trouble(lang), texts::agent_edge_trouble_remedy(lang));
                    report.warn_in_detail(&edge, what, trouble, remedy);
                }
            }
            report.flush();
        }
    }
}

impl Drop for Hands {
    fn drop(&mut self) {
        for hand in self.running.values() {
            hand.stop.store(true, Ordering::Relaxed);
        }
        let began = Instant::now();
        let is_over = || self.running.values().all(|hand| hand.thread.is_finished());
        while !is_over() && began.elapsed() < END_MAX {
            // A thread that hangs in its edge cannot be waited for any other way.
            thread::sleep(STOP_EVERY);
        }
    }
}

/// One edge and its driver.
struct Worker {
    target: Target,
    driver: Option<Box<dyn EdgeDriver>>,
    /// Its gate has an epoch.
    is_begun: bool,
    say: Sender<(String, What)>,
    /// The fault that was said last, empty for none, and the trouble: once is enough.
    said: (Option<String>, String),
}

impl Worker {
    const fn new(target: Target, say: Sender<(String, What)>) -> Self {
        Self { target, driver: None, is_begun: false, say, said: (None, String::new()) }
    }

    fn run(mut self, path: &Path, stop: &Arc<AtomicBool>) {
        let (mut line, mut done, mut rest) = (None, None, REST_MIN);
        while !stop.load(Ordering::Relaxed) {
            let began = Instant::now();
            let turn = || self.turn(path, &mut line, &mut done, stop);
            // The panic hook told it. This edge has no other thread: it goes on, with a driver that
            // begins anew.
            let Ok(turned) = catch_unwind(AssertUnwindSafe(turn)) else {
                self.driver = None;
                wait(rest, stop);
                rest = (2 * rest).min(REST_MAX);
                continue;
            };
            match turned {
                Ok(is_news) => {
                    self.tell_line(None);
                    rest = REST_MIN;
                    if !is_news && began.elapsed() < HELD_MIN {
                        wait(HELD_MIN, stop);
                    }
                }
                Err(fault) => {
                    // Another identity may be there the next time.
                    line = line.filter(|_| fault.code != "disk");
                    self.tell_line(Some(fault));
                    wait(rest, stop);
                    rest = (2 * rest).min(REST_MAX);
                }
            }
        }
    }

    /// Says how the line of the edge stands, when that is news.
    fn tell_line(&mut self, fault: Option<AgentFault>) {
        let code = fault.as_ref().map_or("", |fault| fault.code.as_str());
        if code != STOPPED && self.said.0.as_deref() != Some(code) {
            self.said.0 = Some(code.to_owned());
            self.say(fault.map_or(What::InTouch, What::Fault));
        }
    }

    /// Says what the driver could not do, when that is news; what it can do again is news then.
    fn tell_work(&mut self, ask: &Ask, answer: &Result<Reply, EdgeError>) {
        let trouble = match answer {
            Err(error) => chain(error),
            Ok(_) if ask.is_effect() => String::new(),
            Ok(_) => return,
        };
        if self.said.1 != trouble {
            self.said.1.clone_from(&trouble);
            if !trouble.is_empty() {
                self.say(What::Trouble(trouble));
            }
        }
    }

    fn say(&self, what: What) {
        // Who ends listens no more.
        let _ = self.say.send((self.target.name.clone(), what));
    }

    /// Asks for a question and answers it; says whether something was to do.
    fn turn(
        &mut self,
        path: &Path,
        line: &mut Option<EdgeLine>,
        done: &mut Option<Done>,
        stop: &Arc<AtomicBool>,
    ) -> Result<bool, AgentFault> {
        let line = match line.take() {
            Some(known) => line.insert(known),
            None => line.insert(EdgeLine::open(path, Arc::clone(stop))?),
        };
        let state = self.state();
        let (mut tenths, mut is_news) = (0, false);
        let name = self.target.name.clone();
        let order = line.poll(&name, state, done, &mut || {
            tenths += 1;
            is_news = tenths % SAMPLE_TENTHS == 0 && self.generation() != state.generation;
            is_news
        })?;
        let Some(order) = order else { return Ok(is_news) };
        *done = order.carry_out(Instant::now(), |ask| self.answer(ask, stop));
        Ok(true)
    }

    /// What is said of the edge with each request.
    fn state(&mut self) -> EdgeState {
        // One that cannot be opened is tried again with each question, and says then why.
        let able = match self.driver() {
            Ok(driver) => driver.capabilities(),
            Err(_) => Capabilities::NONE,
        };
        EdgeState { able, generation: self.generation() }
    }

    fn driver(&mut self) -> Result<&mut Box<dyn EdgeDriver>, EdgeError> {
        let driver = match self.driver.take() {
            Some(driver) => driver,
            None => edge::open(&self.target)?,
        };
        Ok(self.driver.insert(driver))
    }

    fn generation(&mut self) -> Option<u64> {
        self.driver.as_mut().and_then(|driver| driver.generation().ok())
    }

    /// Whatever goes wrong here is an answer too.
    fn answer(&mut self, ask: &Ask, stop: &AtomicBool) -> Result<Reply, EdgeError> {
        let worked = catch_unwind(AssertUnwindSafe(|| self.asked(ask, stop)));
        let answer = worked.unwrap_or_else(|_| {
            // The panic hook told it. The driver begins anew, with a look at the edge as it is.
            self.driver = None;
            let doing = "go on: the driver of this edge broke off";
            Err(EdgeError::new(EdgeErrorKind::Refused, doing))
        });
        self.tell_work(ask, &answer);
        answer
    }

    fn asked(&mut self, ask: &Ask, stop: &AtomicBool) -> Result<Reply, EdgeError> {
        self.prepare()?;
        let begun = Instant::now();
        let is_over = || begun.elapsed() >= READY_MAX || stop.load(Ordering::Relaxed);
        let reply = ask.carry_out(&mut **self.driver()?, &is_over)?;
        let Reply::Lints(mut lints) = reply else { return Ok(reply) };
        // What the server reads of edges beside it, this machine reads for it.
        lints.extend(configuration_lints(&self.target));
        lints.sort_by_key(|lint| lint.severity != LintSeverity::Error);
        Ok(Reply::Lints(lints))
    }

    /// A new gate gets its first generation, in which nothing is dark, as `relight edge add` makes
    /// it; one that an order has reached is as it is.
    fn prepare(&mut self) -> Result<(), EdgeError> {
        if self.is_begun || !edge::needs_first_generation(&self.target) {
            return Ok(());
        }
        if edge::newest_epoch(&self.target).is_ok_and(|newest| newest.is_none()) {
            let first = self.driver()?.apply(Epoch::default(), Stage::Durable, &GateSet::new());
            // What it cannot do now, it says when it is asked to, and is tried again.
            self.is_begun = first.is_ok();
        } else {
            self.is_begun = true;
        }
        Ok(())
    }
}

fn wait(rest: Duration, stop: &AtomicBool) {
    let began = Instant::now();
    while began.elapsed() < rest && !stop.load(Ordering::Relaxed) {
        // Nobody tells when the server is back.
        thread::sleep(STOP_EVERY);
    }
}
