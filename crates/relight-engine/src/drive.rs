//! The threads that bring the edges to what the journal wants: one an edge, one that follows the
//! register, one that looks after them all, and one that opens what became clear.

mod lookout;
mod loops;
mod pressed;
mod rest;
mod spelled;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use std::{io, thread};

use relight_edge::{EdgeErrorKind, Target};
use relight_model::{Digest, Epoch, GateKey, Seen};
use relight_store::Store;

use crate::barriers::BarrierFault;
use crate::engine::{ACTOR, Engine, EngineOptions};
use crate::error::{EngineError, EngineErrorKind};
use crate::incident::{Entry, HOST_SPELLING, Ledger};
use crate::inventoried::Inventoried;
use crate::reconcile::{BARRIER, DARK_UNASKED, EdgeLoop, Round, Want};
pub use crate::told::for_incidents;
use lookout::Lookout;
use loops::Loops;
use pressed::Pressed;
use rest::{Rest, not_permitted};

/// How often an edge that agrees with the journal is read back.
const POLL: Duration = Duration::from_secs(1);

/// How often an edge that agrees is asked whether another process took over: it may have read the
/// gate before the newest order, and a second of light is too long (INCIDENT 5.1).
const SAMPLE: Duration = Duration::from_millis(250);

/// How soon an edge that does not agree yet is looked at again.
const RETRY: Duration = Duration::from_millis(50);

/// Longest head start of the edges before the inventory is read: one that does not answer keeps
/// nobody waiting for it.
const HEAD_START_MAX: Duration = Duration::from_millis(500);

/// Longest wait at the end for a second barrier that is not done yet.
const BARRIER_END_MAX: Duration = Duration::from_secs(40);

/// The running threads. They stop when this is dropped; the gates stay as they are.
pub struct Drive {
    stop: Arc<AtomicBool>,
    engine: Arc<Engine>,
    lookout: Arc<Lookout>,
    threads: Vec<JoinHandle<()>>,
    troubles: Vec<(String, EngineError)>,
}

impl Drive {
    /// Starts one thread for every edge of the register, also of those that are registered later,
    /// those that look after them, and one that relights.
    ///
    /// # Errors
    /// A row of the register is no edge, or a thread cannot be started. An edge that cannot be
    /// opened is tried again; its sites count as exposed meanwhile.
    pub fn start(engine: &Arc<Engine>) -> Result<Self, EngineError> {
        let mut drive = Self::edges_alone(engine)?;
        drive.tend_register()?;
        Ok(drive)
    }

    /// Opens a register, and drives its edges to what the journal wants dark while the inventory is
    /// read, however long that takes: a crash in the middle of an order costs no more than a look
    /// at the journal. What an order has not proven yet gets a head start. Nothing is opened before
    /// the evidence of open incidents follows what was read.
    ///
    /// # Errors
    /// As [`Engine::open`] and [`Drive::start`]; the gates stay as they are.
    pub fn open(
        store: Arc<Store>,
        options: EngineOptions,
    ) -> Result<(Arc<Engine>, Self), EngineError> {
        Self::open_after(store, options, || ())
    }

    /// The same for an inventory that is there after `before` at the earliest, which runs beside
    /// the edges.
    ///
    /// # Errors
    /// As [`Drive::open`].
    pub fn open_after(
        store: Arc<Store>,
        options: EngineOptions,
        before: impl FnOnce() + Send,
    ) -> Result<(Arc<Engine>, Self), EngineError> {
        let folder = store.path().parent().unwrap_or(Path::new("")).to_path_buf();
        let taken = Engine::take_over(&store, &options)?;
        let until = Instant::now() + HEAD_START_MAX;
        let (inventory, begun) = thread::scope(|scope| {
            let (ahead, edges) = mpsc::channel::<()>();
            let inventory = scope.spawn(move || {
                before();
                // What an order still has to prove dark gets every core first. Nobody sends
                // anything: they go ahead until their end is dropped.
                let _ = edges.recv_timeout(HEAD_START_MAX);
                // A connection of its own: what is proven meanwhile is journalled.
                Inventoried::read(&Store::open(&folder)?)
            });
            let begun = Engine::begin(store, options, taken).and_then(|engine| {
                let engine = Arc::new(engine);
                let drive = Self::edges_alone(&engine)?;
                wait_proven(&engine, until);
                Ok((drive, engine))
            });
            drop(ahead);
            // A thread that panicked found a bug of ours: it goes on in this one.
            (inventory.join().unwrap_or_else(|panic| resume_unwind(panic)), begun)
        });
        let (mut drive, engine) = begun?;
        engine.take_inventory(inventory?)?;
        drive.tend_register()?;
        Ok((engine, drive))
    }

    /// As [`Drive::start`], and opens nothing by itself: for whoever relights by waves.
    ///
    /// # Errors
    /// As [`Drive::start`].
    pub fn edges_alone(engine: &Arc<Engine>) -> Result<Self, EngineError> {
        let lookout = Arc::new(Lookout::default());
        // Before anybody looks: what is proven from here on is another proof. A journal that cannot
        // be written keeps no edge from being closed; what reads it counts the same.
        drop(engine.tell_unseen());
        let (loops, troubles) = Loops::begin(engine, &lookout)?;
        let (stop, threads) = (Arc::new(AtomicBool::new(false)), Vec::new());
        let (engine, watcher) = (Arc::clone(engine), Arc::clone(&lookout));
        let mut drive = Self { stop, engine, lookout, threads, troubles };
        drive.spawn("edges", |_, stop| loops.follow(stop))?;
        drive.spawn("lookout", move |engine, stop| watcher.watch(engine, stop))?;
        Ok(drive)
    }

    /// The edges that could not be opened at the start, and why: each is tried again at every look;
    /// until then its canary fails, which the journal says. And those that have no second barrier
    /// although they name one, which stays so until the next start.
    pub fn troubles(&self) -> &[(String, EngineError)] {
        &self.troubles
    }

    /// What is done beside the edges once the inventory is there.
    fn tend_register(&mut self) -> Result<(), EngineError> {
        self.spawn("relight", |engine, stop| relight_what_is_clear(engine, stop))?;
        self.spawn("drills", drill_what_is_asked)
    }

    fn spawn(
        &mut self,
        name: &str,
        run: impl FnOnce(&Engine, &Arc<AtomicBool>) + Send + 'static,
    ) -> Result<(), EngineError> {
        let (engine, stop) = (Arc::clone(&self.engine), Arc::clone(&self.stop));
        let thread = thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || run(&engine, &stop))
            .map_err(|error: io::Error| EngineError::because("starting a thread", error))?;
        self.threads.push(thread);
        Ok(())
    }
}

impl Drop for Drive {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.engine.wake();
        for thread in self.threads.drain(..) {
            // A thread that panicked was told by the panic hook; the others stop all the same.
            drop(thread.join());
        }
        // From here on nobody looks, until the next one begins.
        self.lookout.keep_looks(&self.engine, Instant::now());
    }
}

/// Waits until nothing that is wanted dark waits for its first proof.
fn wait_proven(engine: &Engine, until: Instant) {
    loop {
        let version = engine.version();
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() || !engine.with_ledger(Ledger::has_unproven) {
            return;
        }
        engine.wait_changed(version, left);
    }
}

fn drive_edge(
    engine: &Engine,
    edge: &mut EdgeLoop,
    identity: &Digest,
    (pressed, lookout): (&Pressed, &Lookout),
    stop: &AtomicBool,
) {
    let (mut rest, mut is_known, mut is_told) = (Rest::default(), false, true);
    while !stop.load(Ordering::Relaxed) {
        let seen = engine.version();
        let turn = AssertUnwindSafe(|| {
            if !is_known {
                let (wants, epoch) = engine.wants_of(edge.name());
                edge.look_first(&wants, epoch);
                is_known = true;
            }
            is_told = take_turn(engine, edge, (identity, pressed), (&mut rest, seen), is_told);
            spelled::tell(engine, edge);
        });
        if catch_unwind(turn).is_ok() {
            lookout.note(edge.name(), Instant::now(), is_told);
        } else {
            // The panic hook told it, and if no turn ends the lookout does. The next round begins
            // with a look at the edge as it is, whatever this one left behind.
            rest = Rest::default();
            engine.wait_changed(seen, POLL);
        }
    }
    end_barrier(engine, edge);
}

/// One look of the loop of an edge, and the wait for the next; whether the edge was seen, and the
/// journal was told, which after a rest is as it was before it.
fn take_turn(
    engine: &Engine,
    edge: &mut EdgeLoop,
    (identity, pressed): (&Digest, &Pressed),
    (rest, seen): (&mut Rest, u64),
    mut is_told: bool,
) -> bool {
    let (wants, epoch) = engine.wants_of(edge.name());
    pressed.begin(seen, &wants);
    edge.set_drilled(engine.drilled(edge.name(), identity));
    // Looked at before the round: what is settled meanwhile waits for the next one.
    edge.set_holding(!engine.stage.is_settled());
    let permits = |site: &GateKey| engine.permits(site);
    let left = rest.left(&wants, &permits);
    if wants.is_empty() || (left.is_some() && rest.is_settled()) {
        let tried = edge.try_canary(&wants, epoch, engine.now_ms());
        tell_canary(engine, tried);
    }
    if let Some(left) = left {
        if rest.is_settled() {
            if edge.try_spellings(&wants, engine.now_ms()) {
                *rest = Rest::default();
                return is_told;
            }
            get_ready(engine, edge, seen);
        } else {
            tend_barrier(engine, edge, (&wants, epoch), &Round::default());
        }
        // Nobody is shown light by one that has nothing to hold: it is asked at its next turn.
        let is_held = !wants.is_empty();
        engine.wait_changed(seen, if is_held { left.min(SAMPLE) } else { left });
        if is_held && rest.is_settled() && edge.took_over() {
            *rest = Rest::default();
        }
        return is_told;
    }
    let (mut pause, mut round, mut over) = (POLL, Round::default(), Vec::new());
    if !wants.is_empty() {
        over = not_permitted(&wants, &permits);
        round = edge.round(&wants, epoch, engine.now_ms(), &permits);
        if !round.settled || round.renewals_left {
            pause = RETRY;
        }
        let entries = engine.with_ledger(|ledger| for_incidents(ledger, &round));
        let told = fenced(edge.name(), &round).or_else(|| found(engine, edge, &round));
        tell_canary(engine, told);
        // A journal that cannot be written leaves the gates as they are; the next round sees
        // the edge again and tries to say so again.
        let is_written = engine.append(ACTOR, entries).is_ok();
        if !is_written {
            pause = POLL;
        }
        is_told = is_written && round.is_seen;
    }
    tend_barrier(engine, edge, (&wants, epoch), &round);
    if wants.is_empty() {
        edge.took_over();
        get_ready(engine, edge, seen);
    }
    *rest = Rest::after(&round, &wants, over, pause);
    if round.again_ms.is_none() {
        // What is past its gate is tried again, also where it keeps the edge from any rest.
        if edge.try_spellings(&wants, engine.now_ms()) {
            *rest = Rest::default();
        } else {
            engine.wait_changed(seen, pause);
        }
    }
    is_told
}

/// Gets an edge ready for the next order, until anything is journalled: that may be an order.
fn get_ready(engine: &Engine, edge: &mut EdgeLoop, seen: u64) {
    // Its number first: a list that comes in between is another one at the next call.
    let list = engine.list_of_sites();
    let keys = |edge: &str| engine.keys_of(edge);
    edge.get_ready((list, keys), engine.now_ms(), &|| engine.version() != seen);
}

/// Closes and opens what the second barrier of an edge has to, if it has one.
fn tend_barrier(
    engine: &Engine,
    edge: &mut EdgeLoop,
    (wants, epoch): (&[Want], Epoch),
    round: &Round,
) {
    let permits = |site: &GateKey| engine.permits(site);
    if let Some(entry) = edge.tend_barrier(wants, epoch, engine.now_ms(), &permits, round) {
        // As with a round: what the next one finds there does not depend on it.
        drop(engine.append(ACTOR, vec![(String::new(), entry)]));
    }
    tell_barrier(engine, edge);
}

/// No loop of its own drives a barrier: what it holds dark unasked is told by who does.
fn tell_barrier(engine: &Engine, edge: &EdgeLoop) {
    let Some((barrier, has_unasked)) = edge.barrier_unasked() else { return };
    let known = engine
        .with_ledger(|ledger| ledger.canary_failure(barrier).map(|(_, what)| what == DARK_UNASKED));
    // Any other trouble stays told.
    let what = match (has_unasked, known) {
        (true, None) => DARK_UNASKED,
        (false, Some(true)) => "",
        _ => return,
    };
    let (edge, passed, what) = (barrier.to_owned(), what.is_empty(), what.to_owned());
    let tried = Entry::CanaryTried { edge, passed, what };
    drop(engine.append(ACTOR, vec![(String::new(), tried)]));
}

/// A second barrier that works more slowly than its edge fails is not left in the middle when a
/// command ends: it closes first, or the journal says that it did not.
fn end_barrier(engine: &Engine, edge: &mut EdgeLoop) {
    let permits = |site: &GateKey| engine.permits(site);
    let until = Instant::now() + BARRIER_END_MAX;
    loop {
        let ((wants, epoch), now_ms) = (engine.wants_of(edge.name()), engine.now_ms());
        if !edge.barrier_owes(&wants, now_ms, &permits) || Instant::now() >= until {
            return;
        }
        tend_barrier(engine, edge, (&wants, epoch), &Round::default());
        thread::sleep(RETRY);
    }
}

fn no_barrier(target: &Target, fault: BarrierFault) -> EngineError {
    let name = target.settings.get(BARRIER).map_or("", String::as_str);
    let context = format!("{BARRIER}={name} ({})", fault.code());
    EngineError::new(EngineErrorKind::Barrier(fault), context)
}

/// What the first wave showed of the canary. Under its name as it is nobody sees that no spelling
/// leads past its gate any more.
fn shown(edge: &str, seen: Option<Seen>, is_past: bool) -> Option<Entry> {
    let what = match seen? {
        Seen::Dark if is_past => HOST_SPELLING,
        Seen::Dark => "",
        _ => "dark-not-seen",
    };
    let (edge, passed) = (edge.to_owned(), what.is_empty());
    Some(Entry::CanaryTried { edge, passed, what: what.to_owned() })
}

/// What the round showed of the canary, unless the gate holds sites dark of which this journal
/// knows nothing: that is told beside no other trouble, and no canary that passes ends it.
fn found(engine: &Engine, edge: &EdgeLoop, round: &Round) -> Option<Entry> {
    let is_past = engine.with_ledger(|ledger| ledger.is_canary_past(edge.name()));
    let shown = shown(edge.name(), round.canary, is_past);
    let is_failure = matches!(shown, Some(Entry::CanaryTried { passed: false, .. }));
    if is_failure || !edge.has_unasked() {
        return shown;
    }
    let is_told = engine.with_ledger(|ledger| ledger.canary_failure(edge.name()).is_some());
    let (edge, what) = (edge.name().to_owned(), DARK_UNASKED.to_owned());
    (!is_told).then_some(Entry::CanaryTried { edge, passed: false, what })
}

/// Another controller acts, or this register was restored from a copy that is older than the gate:
/// nothing is written there any more, and everybody has to know. It is looked at as before, and the
/// first write that is let in ends it.
fn fenced(edge: &str, round: &Round) -> Option<Entry> {
    let kind = round.error.as_ref()?.kind;
    let (edge, what) = (edge.to_owned(), kind.code().to_owned());
    (kind == EdgeErrorKind::Fenced).then_some(Entry::CanaryTried { edge, passed: false, what })
}

/// The journal is told when a canary begins to fail, fails otherwise, or passes again.
fn tell_canary(engine: &Engine, tried: Option<Entry>) {
    let Some(Entry::CanaryTried { edge, what, .. }) = &tried else { return };
    let known = engine.with_ledger(|ledger| {
        ledger.canary_failure(edge).map_or(String::new(), |(_, what)| what.clone())
    });
    if known != *what {
        // A journal that cannot be written is told the next time.
        drop(engine.append(ACTOR, tried.into_iter().map(|it| (String::new(), it)).collect()));
    }
}

fn millis(ms: i64) -> Duration {
    Duration::from_millis(ms.max(0).cast_unsigned())
}

fn relight_what_is_clear(engine: &Engine, stop: &AtomicBool) {
    let mut since = BTreeMap::new();
    while !stop.load(Ordering::Relaxed) {
        let seen = engine.version();
        // A journal that cannot be written leaves the gates as they are; the next turn tries again.
        let settled = engine.settle_evidence();
        // What may not be lit any more is no matter of what may be lit again: a journal that takes
        // no relight, on a full disk, takes this.
        let lapsed = engine.lapse(&mut since);
        let relit = settled.and_then(|()| engine.relight_ready());
        if relit.is_err() || lapsed.is_err() {
            engine.wait_changed(seen, RETRY);
        }
        engine.wait_changed(seen, POLL);
    }
}

/// Edges that only this process can ask are rehearsed here, beside their own loops.
fn drill_what_is_asked(engine: &Engine, stop: &Arc<AtomicBool>) {
    let mut next = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        let seen = engine.version();
        let left = next.saturating_duration_since(Instant::now());
        if left.is_zero() {
            // What cannot be read or written now is asked for again.
            drop(engine.end_interrupted());
            drop(engine.take_asked(stop));
            next = Instant::now() + POLL;
        }
        engine.wait_changed(seen, left);
    }
}

#[cfg(test)]
mod ready_tests;
#[cfg(test)]
mod tests;
