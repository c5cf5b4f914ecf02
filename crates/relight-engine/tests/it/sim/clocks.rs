//! The clock is set back: no deadline is put off by that.

use relight_engine::edge::GateSet;
use relight_engine::incident::{Entry, Gate};
use relight_engine::reconcile::{DARK_PROOF_MAX_MS, PROOF_TTL_MS, Want};
use relight_model::Light;

use super::Sim;

/// Dark that is wanted for so long and was neither proven nor told as exposed is owed: while a
/// proof of before is fresh, nobody is told.
const OWED_MS_MAX: i64 = DARK_PROOF_MAX_MS + PROOF_TTL_MS;

impl Sim {
    /// By seconds, or by up to an hour: every deadline begins anew.
    pub(super) fn set_back(&mut self) {
        let longest = if self.later.chance(50) { 20 } else { 3_600 };
        let by_ms = 1_000 * (1 + self.later.below(longest).cast_signed() as i64);
        self.say(|| format!("the clock is set back by {by_ms} ms"));
        self.newest_ms = self.newest_ms.max(self.now_ms);
        self.now_ms -= by_ms;
        self.set_back_ms += by_ms;
        self.owed.clear();
        self.undone.clear();
    }

    /// Somebody puts it right.
    pub(super) fn put_clock_right(&mut self) {
        self.now_ms = self.now_ms.max(self.newest_ms);
    }

    /// Time as nobody can set it back.
    pub(super) const fn steady_ms(&self) -> i64 {
        self.now_ms + self.set_back_ms
    }

    /// The time as the engine under test reads it.
    pub(super) fn time(&self) -> i64 {
        self.mutant.time(self.now_ms, self.newest_ms)
    }

    /// (l): what was to go dark is proven so in time, or told as exposed.
    pub(super) fn check_owed(&mut self, wants: &[Want], entries: &[Entry]) {
        if !self.faults.clocks {
            return;
        }
        let told = entries.iter().filter_map(|entry| match entry {
            Entry::Proved { sites, light: Light::Dark, .. } | Entry::EdgeFailed { sites, .. } => {
                Some(sites)
            }
            _ => None,
        });
        let told: GateSet = told.flatten().cloned().collect();
        let is_owed = |want: &&Want| want.light == Light::Dark && want.gate == Gate::Requested;
        let owed = wants.iter().filter(is_owed).map(|want| want.target.key.clone());
        let owed: GateSet = owed.filter(|key| !told.contains(key)).collect();
        self.owed.retain(|key, _| owed.contains(key));
        let now_ms = self.steady_ms();
        for key in owed {
            let since = *self.owed.entry(key.clone()).or_insert(now_ms);
            if now_ms - since >= OWED_MS_MAX {
                let waited = now_ms - since;
                self.blame(|| format!("(l) nobody was told of {key} for {waited} ms"));
            }
        }
    }
}
