//! An edge that does not answer, or not as it should, is asked again ever more seldom (INCIDENT 5).

use super::{DARK_PROOF_MAX_MS, EdgeLoop, LIT_PROOF_MAX_MS, PROOF_TTL_MS};

/// Shortest wait before an edge that failed is asked again, in milliseconds.
pub const AGAIN_MS_MIN: i64 = 100;

/// Longest such wait, in milliseconds.
pub const AGAIN_MS_MAX: i64 = 5_000;

/// A wait is shorter than it could be by up to so many of 32 parts: edges that failed together are
/// not asked together.
const JITTER: u64 = 8;

impl EdgeLoop {
    /// How long to wait after a round: half as long as the edge has been silent. So the waits grow
    /// by half each time, and one that comes back after a second is not left for five. What becomes
    /// exposed meanwhile is told at its instant.
    pub(super) fn again(&mut self, is_silent: bool, now_ms: i64) -> Option<i64> {
        if !is_silent {
            self.silent_since = None;
            return None;
        }
        // A clock that was set back begins anew.
        let since = self.silent_since.filter(|since| *since <= now_ms).unwrap_or(now_ms);
        self.silent_since = Some(since);
        let wait_ms = ((now_ms - since) / 2).clamp(AGAIN_MS_MIN, AGAIN_MS_MAX);
        // Bits of a number that no other process and no other round has.
        self.nonce = self.nonce.wrapping_add(1);
        let part = self.nonce.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        let shorter = wait_ms * (part % (JITTER + 1)).cast_signed() / 32;
        Some((wait_ms - shorter).min(self.told_in(now_ms).unwrap_or(AGAIN_MS_MAX)))
    }

    /// How long until the next proof expires, until what is not proven dark is told as failed, or
    /// until what was opened and is not proven lit is closed again.
    fn told_in(&self, now_ms: i64) -> Option<i64> {
        let proofs = self.proofs.values().map(|proof| proof.at_ms + PROOF_TTL_MS);
        let overdue = self.unproven_since.values().map(|at| at + DARK_PROOF_MAX_MS);
        let opening = self.opening_since.values().map(|at| at + LIT_PROOF_MAX_MS);
        proofs.chain(overdue).chain(opening).map(|at| at - now_ms).filter(|left| *left > 0).min()
    }
}
