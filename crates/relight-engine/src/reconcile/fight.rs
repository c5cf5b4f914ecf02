//! Somebody undoes our gate again and again (INCIDENT 5.1): it is said as such, its sites count as
//! exposed until the gate stays as it was left, and it is written again ever more seldom.

use std::collections::{BTreeMap, VecDeque};

use relight_edge::{GateSet, GateView};
use relight_model::{GateKey, Light, Seen};

use super::{EdgeLoop, Turn, Want, shut};
use crate::incident::Gate;

/// Times that the gate of a site has to be undone for a fight over it.
pub const FIGHT_DRIFTS: usize = 3;

/// Within which time, in milliseconds.
pub const FIGHT_WINDOW_MS: i64 = 600_000;

/// A gate that stayed as it was left for so long is not fought over, in milliseconds.
pub const FIGHT_QUIET_MS: i64 = 60_000;

/// Shortest wait before a gate that was undone right after it was written is written again, in
/// milliseconds; it doubles each time.
pub const REWRITE_MS_MIN: i64 = 100;

/// Longest such wait, in milliseconds. Two programs that each put their own right would otherwise
/// write as fast as a disk can, and the second barrier is not held up by it.
pub const REWRITE_MS_MAX: i64 = 5_000;

/// Why a site that is fought over is not proven dark, whatever it shows at this instant.
pub(super) const FOUGHT: &str = "fought";

/// What somebody did to the gate of one edge.
#[derive(Debug, Default)]
pub(super) struct Fight {
    /// When it was found undone, for each site: the last few times.
    drifts: BTreeMap<GateKey, VecDeque<i64>>,
    /// Sites that were closed again and read back so: found open once more, that was somebody.
    closed_again: GateSet,
    /// When a gate that had been closed was written again, and how long the next time waits.
    rewritten_at: i64,
    wait_ms: i64,
}

impl Fight {
    /// Notes which gates somebody undid since the last look, those that were proven and those that
    /// were closed again, and gives them.
    pub(super) fn look(&mut self, wants: &[Want], views: &[GateView], now_ms: i64) -> GateSet {
        let mut undone = GateSet::new();
        for (want, view) in wants.iter().zip(views) {
            let key = &want.target.key;
            if want.light == Light::Lit {
                self.closed_again.remove(key);
            } else if view.durable == Seen::Lit || view.runtime == Seen::Lit {
                let was_closed = self.closed_again.remove(key) || want.gate == Gate::Proven;
                undone.extend(was_closed.then(|| key.clone()));
            }
        }
        self.drifts.retain(|_, times| is_last_near(times, now_ms, FIGHT_WINDOW_MS));
        for key in &undone {
            let times = self.drifts.entry(key.clone()).or_default();
            times.push_back(now_ms);
            if times.len() > FIGHT_DRIFTS {
                times.pop_front();
            }
        }
        undone
    }

    /// Sites that are fought over now: those that were undone a moment ago, and not for the first
    /// time.
    pub(super) fn sites(&self, now_ms: i64) -> GateSet {
        let is_fought = |times: &VecDeque<i64>| {
            times.len() == FIGHT_DRIFTS
                && times.iter().all(|at| is_near(*at, now_ms, FIGHT_WINDOW_MS))
                && is_last_near(times, now_ms, FIGHT_QUIET_MS)
        };
        let fought = self.drifts.iter().filter(|(_, times)| is_fought(times));
        fought.map(|(key, _)| key.clone()).collect()
    }

    /// Whether a gate that was closed before has to wait until it is closed again.
    pub(super) fn waits(&self, now_ms: i64) -> bool {
        is_near(self.rewritten_at, now_ms, self.wait_ms)
    }

    fn rewrote(&mut self, closed: impl Iterator<Item = GateKey>, now_ms: i64) {
        let is_quiet = !is_near(self.rewritten_at, now_ms, FIGHT_QUIET_MS);
        let doubled = (2 * self.wait_ms).clamp(REWRITE_MS_MIN, REWRITE_MS_MAX);
        self.wait_ms = if is_quiet { REWRITE_MS_MIN } else { doubled };
        self.rewritten_at = now_ms;
        self.closed_again.extend(closed);
    }
}

/// A clock that was set back makes it long ago.
fn is_near(at: i64, now_ms: i64, span_ms: i64) -> bool {
    (0..span_ms).contains(&(now_ms - at))
}

fn is_last_near(times: &VecDeque<i64>, now_ms: i64, span_ms: i64) -> bool {
    times.back().is_some_and(|at| is_near(*at, now_ms, span_ms))
}

impl EdgeLoop {
    /// Sites whose gate is open although it was closed before; none when one that is open never
    /// was.
    pub(super) fn opened_again(&self, turn: &Turn<'_>) -> Option<Vec<GateKey>> {
        let both = turn.wants.iter().zip(&turn.views);
        let open = both.filter(|(want, view)| want.light == Light::Dark && !shut(view));
        let was_closed = |key: &&GateKey| self.closed_at.contains_key(*key);
        open.map(|(want, _)| Some(&want.target.key).filter(was_closed).cloned()).collect()
    }

    /// Notes that gates which somebody had opened were closed again.
    pub(super) fn closed_again(&mut self, again: &[GateKey], turn: &Turn<'_>) {
        let views = turn.wants.iter().zip(&turn.views).filter(|(_, view)| shut(view));
        let closed: GateSet = views.map(|(want, _)| want.target.key.clone()).collect();
        let closed = again.iter().filter(|key| closed.contains(*key));
        self.fight.rewrote(closed.cloned(), turn.now_ms);
    }
}
