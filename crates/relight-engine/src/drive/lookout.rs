//! Looks after the loops of the edges: one that hangs in its edge, or fails each time in a way that
//! nobody foresaw, renews no proof, and could not say so itself.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use relight_model::{GateKey, Light, Timestamp};

use super::millis;
use crate::engine::{ACTOR, Engine};
use crate::incident::{Entry, Gate, Ledger, PROOF_EXPIRED};
use crate::looked::KEEP_EVERY;
use crate::reconcile::{DARK_PROOF_MAX_MS, LIT_PROOF_MAX_MS, PROOF_TTL_MS, Round, Want};
use crate::told::for_incidents;

/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Code of why a site is not dark, or not lit, whose edge is not looked at to the end.
const NO_ROUND: &str = "no-round";

/// When the loop of each edge last came to the end of a turn.
#[derive(Debug, Default)]
pub(super) struct Lookout(Mutex<BTreeMap<String, Turn>>);

/// The last turn of a loop.
#[derive(Clone, Copy, Debug)]
struct Turn {
    /// Its end; until there was one, when the loop began.
    at: Instant,
    /// The end of the last one whose news the journal was told.
    looked: Option<Instant>,
}

/// Since when a light is seen to be wanted of sites at whose edges nobody looks.
pub(super) type Owed = BTreeMap<(GateKey, Light), Instant>;

impl Lookout {
    /// The loop of an edge begins. One that takes the place of another inherits its silence: that
    /// nobody looked at the edge meanwhile is as true.
    pub(super) fn begin(&self, edge: &str, now: Instant) {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        turns.entry(edge.to_owned()).or_insert(Turn { at: now, looked: None });
    }

    /// The loop of an edge came to the end of a turn, and whether the journal was told what it saw.
    pub(super) fn note(&self, edge: &str, now: Instant, is_told: bool) {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = turns.get(edge).and_then(|turn| turn.looked);
        let looked = if is_told { Some(now) } else { before };
        turns.insert(edge.to_owned(), Turn { at: now, looked });
    }

    /// Keeps when each edge was looked at, while anything is to be dark: whoever reads the register
    /// without us learns how old its proofs are.
    pub(super) fn keep_looks(&self, engine: &Engine, now: Instant) {
        if !engine.with_ledger(Ledger::has_dark) {
            return;
        }
        let now_ms = engine.now_ms();
        let ago_ms = |at: Instant| {
            i64::try_from(now.saturating_duration_since(at).as_millis()).unwrap_or(i64::MAX)
        };
        let looks = {
            let turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let looked = turns.iter().filter_map(|(edge, turn)| Some((edge, turn.looked?)));
            let at = |at: Instant| now_ms.saturating_sub(ago_ms(at)) / 1_000;
            looked.map(|(edge, looked)| (edge.clone(), at(looked))).collect()
        };
        // Where it cannot be kept, nobody is known to look: so it is counted.
        drop(engine.keep_looks(looks));
    }

    /// Forgets the edges that have no loop any more.
    pub(super) fn keep(&self, has_loop: impl Fn(&str) -> bool) {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        turns.retain(|edge, _| has_loop(edge));
    }

    /// The edges whose loop has not come to the end of a turn for so long, and for how long.
    pub(super) fn silent(&self, now: Instant, at_least: Duration) -> Vec<(String, Duration)> {
        let turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let silent =
            turns.iter().map(|(edge, turn)| (edge, now.saturating_duration_since(turn.at)));
        let silent = silent.filter(|(_, since)| *since >= at_least);
        silent.map(|(edge, since)| (edge.clone(), since)).collect()
    }

    /// Looks until everybody stops.
    pub(super) fn watch(&self, engine: &Engine, stop: &AtomicBool) {
        let (mut owed, mut kept) = (Owed::new(), None);
        let mut next = Instant::now();
        while !stop.load(Ordering::Relaxed) {
            let seen = engine.version();
            let left = next.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let now = Instant::now();
                if now.saturating_duration_since(next) >= millis(PROOF_TTL_MS) {
                    // The whole process stood still: nobody looked at all.
                    drop(engine.tell_unseen());
                }
                self.look(engine, &mut owed, now);
                let is_due = |at: Instant| now.saturating_duration_since(at) >= KEEP_EVERY;
                if kept.is_none_or(is_due) {
                    self.keep_looks(engine, now);
                    kept = Some(now);
                }
                next = Instant::now() + LOOK_EVERY;
            }
            engine.wait_changed(seen, left);
        }
    }

    /// Journals what is not proven any more at edges whose loops are silent.
    fn look(&self, engine: &Engine, owed: &mut Owed, now: Instant) {
        let mut round = Round::default();
        let before = std::mem::take(owed);
        for (edge, silence) in self.silent(now, millis(DARK_PROOF_MAX_MS)) {
            let wants = to_be_seen(engine, &edge);
            owe(owed, &before, &wants, now);
            let has_been = |want: &Want, ms| has_been(owed, want, ms, now);
            round.entries.push(not_lit(&wants, has_been, NO_ROUND));
            if silence >= millis(PROOF_TTL_MS) {
                let dark: Vec<Want> = dark(wants);
                let is_overdue = |want: &Want| has_been(want, DARK_PROOF_MAX_MS);
                let silence_s = silence.as_secs().try_into().unwrap_or(i64::MAX);
                let since = engine.now().saturating_sub(silence_s);
                let told = unproven(&edge, &dark, &is_overdue, (NO_ROUND, Some(since)));
                round.entries.extend(told);
            }
        }
        let entries = engine.with_ledger(|ledger| for_incidents(ledger, &round));
        // A journal that cannot be written is told the next time.
        drop(engine.append(ACTOR, entries));
    }
}

/// What is wanted of the sites of an edge and has to be seen: dark, or on the way back. Nothing is,
/// as long as nobody can tell what may be opened.
pub(super) fn to_be_seen(engine: &Engine, edge: &str) -> Vec<Want> {
    let (mut wants, _) = engine.wants_of(edge);
    let is_opening = |want: &Want| want.gate != Gate::Open && engine.is_settled();
    wants.retain(|want| want.light == Light::Dark || is_opening(want));
    wants
}

/// Those of them that are wanted dark.
pub(super) fn dark(mut wants: Vec<Want>) -> Vec<Want> {
    wants.retain(|want| want.light == Light::Dark);
    wants
}

fn owed_of(want: &Want) -> (GateKey, Light) {
    (want.target.key.clone(), want.light)
}

/// Notes since when these are owed; `before` is what was known of them.
pub(super) fn owe(owed: &mut Owed, before: &Owed, wants: &[Want], now: Instant) {
    let wanted = wants.iter().map(owed_of);
    owed.extend(wanted.map(|key| (key.clone(), before.get(&key).copied().unwrap_or(now))));
}

/// True for one that has been owed for so long.
pub(super) fn has_been(owed: &Owed, want: &Want, ms: i64, now: Instant) -> bool {
    let since = owed.get(&owed_of(want)).copied().unwrap_or(now);
    now.saturating_duration_since(since) >= millis(ms)
}

/// What was to open, and nobody saw lit in time: it is wanted dark again, and on its way no more.
pub(super) fn not_lit(wants: &[Want], has_been: impl Fn(&Want, i64) -> bool, why: &str) -> Entry {
    let late = |want: &&Want| want.light == Light::Lit && has_been(want, LIT_PROOF_MAX_MS);
    let sites = wants.iter().filter(late).map(|want| want.target.key.clone()).collect();
    // A loop that is still at its turn may be slow: nobody knows yet whether they came back.
    Entry::RelightStopped { sites, why: why.to_owned(), unseen: why == NO_ROUND }
}

/// What nobody has looked at for as long as a proof lasts: proven sites are so no more, and those
/// that have waited for a proof for long enough get none.
pub(super) fn unproven(
    edge: &str,
    dark: &[Want],
    is_overdue: &dyn Fn(&Want) -> bool,
    (why, since): (&str, Option<Timestamp>),
) -> [Entry; 2] {
    let those = |gate: Gate| dark.iter().filter(move |it| it.gate == gate);
    let key_of = |want: &Want| want.target.key.clone();
    let expired: Vec<GateKey> = those(Gate::Proven).map(key_of).collect();
    let failed: Vec<GateKey> =
        those(Gate::Requested).filter(|want| is_overdue(want)).map(key_of).collect();
    let (edge, what, why) = (|| edge.to_owned(), PROOF_EXPIRED.to_owned(), why.to_owned());
    let expired = Entry::Drifted { sites: expired, edge: edge(), what, since };
    [expired, Entry::EdgeFailed { sites: failed, edge: edge(), why }]
}

#[cfg(test)]
pub(super) mod tests;
#[cfg(test)]
mod unseen_tests;
