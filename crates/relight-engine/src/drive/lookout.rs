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
use crate::reconcile::{DARK_PROOF_MAX_MS, PROOF_TTL_MS, Round, Want};
use crate::told::for_incidents;

/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Code of why a site is not dark whose edge is not looked at to the end.
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

/// Since when sites of silent edges are seen to be wanted dark.
type Owed = BTreeMap<GateKey, Instant>;

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
            let (mut wants, _) = engine.wants_of(&edge);
            wants.retain(|want| want.light == Light::Dark);
            for want in &wants {
                let key = &want.target.key;
                owed.insert(key.clone(), before.get(key).copied().unwrap_or(now));
            }
            if silence >= millis(PROOF_TTL_MS) {
                let is_overdue = |site: &GateKey| {
                    let since = owed.get(site).copied().unwrap_or(now);
                    now.saturating_duration_since(since) >= millis(DARK_PROOF_MAX_MS)
                };
                let silence_s = silence.as_secs().try_into().unwrap_or(i64::MAX);
                let since = engine.now().saturating_sub(silence_s);
                let told = unproven(&edge, &wants, &is_overdue, (NO_ROUND, Some(since)));
                round.entries.extend(told);
            }
        }
        let entries = engine.with_ledger(|ledger| for_incidents(ledger, &round));
        // A journal that cannot be written is told the next time.
        drop(engine.append(ACTOR, entries));
    }
}

/// What nobody has looked at for as long as a proof lasts: proven sites are so no more, and those
/// that have waited for a proof for long enough get none.
pub(super) fn unproven(
    edge: &str,
    dark: &[Want],
    is_overdue: &dyn Fn(&GateKey) -> bool,
    (why, since): (&str, Option<Timestamp>),
) -> [Entry; 2] {
    let those = |gate: Gate| dark.iter().filter(move |it| it.gate == gate).map(|it| &it.target.key);
    let expired: Vec<GateKey> = those(Gate::Proven).cloned().collect();
    let failed: Vec<GateKey> =
        those(Gate::Requested).filter(|site| is_overdue(site)).cloned().collect();
    let (edge, what, why) = (|| edge.to_owned(), PROOF_EXPIRED.to_owned(), why.to_owned());
    let expired = Entry::Drifted { sites: expired, edge: edge(), what, since };
    [expired, Entry::EdgeFailed { sites: failed, edge: edge(), why }]
}

#[cfg(test)]
pub(super) mod tests;
#[cfg(test)]
mod unseen_tests;
