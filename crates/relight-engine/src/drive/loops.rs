//! Which loops run: one for every edge of the register, also for one that is registered, or
//! registered anew, while the others run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use relight_edge::Target;
use relight_store::EdgeRow;

use super::lookout::{Lookout, Owed, dark, has_been, not_lit, owe, to_be_seen, unproven};
use super::pressed::Pressed;
use super::{POLL, SAMPLE, drive_edge, for_incidents, no_barrier};
use crate::barriers::barrier_of;
use crate::edges;
use crate::engine::{ACTOR, Engine};
use crate::error::EngineError;
use crate::groups::group_of;
use crate::incident::Gate;
use crate::reconcile::{BARRIER_WAIT_MAX, DARK_PROOF_MAX_MS, PROOF_TTL_MS, Round, Want};

/// Code of why a site is not dark, or not lit, whose edge nobody drives.
const NO_EDGE: &str = "no-edge";

/// What was wrong with an edge when its loop began.
pub(super) type Troubles = Vec<(String, EngineError)>;

/// An edge, and the one that stands behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Planned {
    target: Target,
    barrier: Option<Target>,
}

impl Planned {
    /// The names of the edges that it drives.
    fn names(&self) -> impl Iterator<Item = &str> {
        let both = std::iter::once(&self.target).chain(&self.barrier);
        let all = both.flat_map(|target| std::iter::once(target).chain(&target.members));
        all.map(|target| target.name.as_str())
    }

    fn drives(&self, edge: &str) -> bool {
        self.names().any(|name| name == edge)
    }
}

struct Running {
    planned: Planned,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

/// The loops that run. They stop when this is dropped; the gates stay as they are.
pub(super) struct Loops {
    engine: Arc<Engine>,
    lookout: Arc<Lookout>,
    running: BTreeMap<String, Running>,
    /// Those that were told to end and have not yet: one may hang in its edge.
    leaving: Vec<Running>,
    /// The register as the loops follow it.
    seen: (Vec<EdgeRow>, BTreeSet<String>),
    /// Some of it is still to be followed.
    is_behind: bool,
    begun: u64,
    /// Since when a light is wanted of sites whose edge nobody drives.
    homeless: Owed,
}

impl Loops {
    /// Starts a loop for every edge of the register.
    pub(super) fn begin(
        engine: &Arc<Engine>,
        lookout: &Arc<Lookout>,
    ) -> Result<(Self, Troubles), EngineError> {
        let seen = (engine.store().edges()?, engine.edges_of_sites());
        let (planned, mut troubles) = planned(&seen)?;
        let (engine, lookout) = (Arc::clone(engine), Arc::clone(lookout));
        let (running, leaving, homeless) = (BTreeMap::new(), Vec::new(), Owed::new());
        let (is_behind, begun) = (false, 0);
        let mut loops =
            Self { engine, lookout, running, leaving, seen, is_behind, begun, homeless };
        for planned in planned {
            troubles.extend(loops.start(planned)?);
        }
        Ok((loops, troubles))
    }

    /// Follows the register until everybody stops.
    pub(super) fn follow(mut self, stop: &AtomicBool) {
        let mut next = Instant::now();
        while !stop.load(Ordering::Relaxed) {
            let version = self.engine.version();
            let left = next.saturating_duration_since(Instant::now());
            if left.is_zero() {
                // What cannot be read or started now is tried again.
                drop(self.follow_register());
                self.tell_homeless(Instant::now());
                next = Instant::now() + if self.leaving.is_empty() { POLL } else { SAMPLE };
            }
            self.engine.wait_changed(version, left);
        }
    }

    /// Ends the loops of edges that left or are another thing now, and starts those of new ones; a
    /// loop that ended by itself begins again. An edge has one loop at a time, and one whose loop
    /// hangs keeps no other edge waiting.
    fn follow_register(&mut self) -> Result<(), EngineError> {
        let now = (self.engine.store().edges()?, self.engine.edges_of_sites());
        let is_whole = self.running.values().all(|it| !it.thread.is_finished());
        if is_whole && !self.is_behind && now == self.seen {
            return Ok(());
        }
        self.leaving.retain(|it| !it.thread.is_finished());
        let (mut planned, _) = planned(&now)?;
        let is_kept = |it: &Running| planned.contains(&it.planned) && !it.thread.is_finished();
        let (kept, over) =
            std::mem::take(&mut self.running).into_iter().partition(|it| is_kept(&it.1));
        self.running = kept;
        self.dismiss(over);
        let is_free = |name: &str| !self.leaving.iter().any(|it| it.planned.drives(name));
        planned.retain(|it| !self.running.contains_key(&it.target.name) && it.names().all(is_free));
        self.lookout.keep(|edge| {
            let begins = planned.iter().any(|it| it.target.name == edge);
            begins || self.running.contains_key(edge) || self.is_leaving(edge)
        });
        let mut done = Ok(());
        for planned in planned {
            done = done.and(self.start(planned).map(drop));
        }
        self.is_behind = done.is_err() || !self.leaving.is_empty();
        self.seen = now;
        done
    }

    /// The loop of this edge was told to end and has not yet.
    fn is_leaving(&self, edge: &str) -> bool {
        self.leaving.iter().any(|it| it.planned.target.name == edge)
    }

    fn dismiss(&mut self, over: BTreeMap<String, Running>) {
        for running in over.values() {
            running.stop.store(true, Ordering::Relaxed);
        }
        self.engine.wake();
        // A thread that panicked was told by the panic hook.
        let left = over.into_values().filter(|it| !it.thread.is_finished());
        self.leaving.extend(left);
    }

    /// An edge that cannot be opened is a loop that tries again, and says what is the matter.
    fn start(&mut self, planned: Planned) -> Result<Option<(String, EngineError)>, EngineError> {
        self.begun += 1;
        let (engine, target) = (Arc::clone(&self.engine), &planned.target);
        let nonce = engine.now_ms().cast_unsigned().rotate_left(20) ^ self.begun;
        let (mut edge, trouble) = match edges::open_loop(target, nonce) {
            Ok(edge) => (edge, None),
            Err(error) => (edges::patient_loop(target, nonce), Some((target.name.clone(), error))),
        };
        let unstarted = |error| EngineError::because("starting a thread", error);
        if let Some(barrier) = &planned.barrier {
            let hand = edges::patient_driver(barrier);
            let known = engine.with_ledger(|ledger| {
                let barred = ledger.barred(&target.name).filter(|it| it.barrier == barrier.name);
                barred.map(|it| it.known()).unwrap_or_default()
            });
            edge.set_barrier(&barrier.name, hand, known, BARRIER_WAIT_MAX).map_err(unstarted)?;
        }
        edge.remember_past(engine.with_ledger(|ledger| ledger.led_past().clone()));
        if engine.with_ledger(|ledger| ledger.is_canary_past(&target.name)) {
            edge.remember_canary_past();
        }
        let (identity, stop) = (edges::identity(target)?, Arc::new(AtomicBool::new(false)));
        let pressed = Pressed::new(Arc::clone(&engine), &target.name, Arc::clone(&stop));
        let (pressed, name) = (Arc::new(pressed), target.name.clone());
        let (asked, lookout) = (Arc::clone(&pressed), Arc::clone(&self.lookout));
        edge.set_hurry(Arc::new(move || asked.is_so()));
        let stopped = Arc::clone(&stop);
        let run = move || {
            drive_edge(&engine, &mut edge, &identity, (&pressed, &lookout), &stopped);
        };
        let begin = Instant::now();
        let thread =
            thread::Builder::new().name(format!("edge {name}")).spawn(run).map_err(unstarted)?;
        self.lookout.begin(&name, begin);
        self.running.insert(name, Running { planned, stop, thread });
        Ok(trouble)
    }

    /// Says of sites that are wanted dark, or are on their way back, and whose edge nobody drives,
    /// that nobody knows.
    fn tell_homeless(&mut self, now: Instant) {
        let mut round = Round::default();
        let before = std::mem::take(&mut self.homeless);
        for edge in self.engine.edges_of_sites() {
            // Of one that does not end the lookout tells.
            if self.running.contains_key(&edge) || self.is_leaving(&edge) {
                continue;
            }
            let wants = to_be_seen(&self.engine, &edge);
            owe(&mut self.homeless, &before, &wants, now);
            let has_been = |want: &Want, ms| has_been(&self.homeless, want, ms, now);
            round.entries.push(not_lit(&wants, has_been, NO_EDGE));
            let mut dark = dark(wants);
            dark.retain(|want| want.gate != Gate::Proven || has_been(want, PROOF_TTL_MS));
            let is_overdue = |want: &Want| has_been(want, DARK_PROOF_MAX_MS);
            round.entries.extend(unproven(&edge, &dark, &is_overdue, (NO_EDGE, None)));
        }
        let entries = self.engine.with_ledger(|ledger| for_incidents(ledger, &round));
        // A journal that cannot be written is told the next time.
        drop(self.engine.append(ACTOR, entries));
    }
}

impl Drop for Loops {
    fn drop(&mut self) {
        let running = std::mem::take(&mut self.running);
        self.dismiss(running);
        for running in self.leaving.drain(..) {
            // A thread that panicked was told by the panic hook.
            drop(running.thread.join());
        }
    }
}

/// The loops that the register asks for, and what cannot be done as it says.
fn planned(
    (rows, with_sites): &(Vec<EdgeRow>, BTreeSet<String>),
) -> Result<(Vec<Planned>, Troubles), EngineError> {
    let targets = edges::from_rows(rows)?;
    let mut troubles = Troubles::new();
    let mut barriers = Vec::new();
    for (number, target) in targets.iter().enumerate() {
        let has_sites = |name: &str| with_sites.contains(name);
        let barrier = barrier_of(target, &targets, &targets[..number], has_sites);
        barriers.push(barrier.unwrap_or_else(|fault| {
            troubles.push((target.name.clone(), no_barrier(target, fault)));
            None
        }));
    }
    // A barrier is held by the loop of the edge that it stands behind, and an edge of a group by
    // that of the group.
    let is_barrier = |target: &Target| barriers.iter().flatten().any(|it| it.name == target.name);
    let own = targets
        .iter()
        .zip(&barriers)
        .filter(|(target, _)| !is_barrier(target) && group_of(&target.name, &targets).is_none());
    let own =
        own.map(|(target, barrier)| Planned { target: target.clone(), barrier: barrier.cloned() });
    let mut planned: Vec<Planned> = Vec::new();
    for one in own {
        // Nobody is driven twice, whatever the register says.
        let is_free = |name: &str| !planned.iter().any(|it| it.drives(name));
        if one.names().all(is_free) {
            planned.push(one);
        }
    }
    Ok((planned, troubles))
}

#[cfg(test)]
mod tests;
