//! The canary: a virtual host of the edge itself, on which it is tried before sites are touched and
//! once an hour while nothing is to do (INCIDENT 8.4).

use std::time::Duration;

use relight_edge::{EdgeError, EdgeErrorKind, GateSet, ProbeResult, ProbeTarget, Stage};
use relight_model::{Epoch, GateKey, Seen};

use super::{
    CANARY_AGAIN_MS, CANARY_EVERY_MS, CANARY_HOST, CANARY_KEY, DARK_UNASKED, EdgeLoop, Turn, Want,
    opening,
};
use crate::incident::{Entry, HOST_SPELLING};

/// Longest look at the canary, which is closed before sites: they must not stay lit for the sake of
/// a listener that hangs.
const CANARY_LOOK_MAX: Duration = Duration::from_secs(2);

/// What the canary showed.
struct Flipped {
    /// When it was told to go dark.
    dark: ProbeResult,
    /// Code of what nobody knows of spellings of its name.
    untold: &'static str,
    /// When it was told to come back.
    lit: ProbeResult,
}

fn canary() -> Option<ProbeTarget> {
    let key = GateKey::new(CANARY_KEY).ok()?;
    Some(ProbeTarget::site(key, CANARY_HOST.to_owned(), None))
}

impl EdgeLoop {
    /// Closes the canary beside what is dark already, so that permissions, a wrong instance or a
    /// disabled gate show before a site is touched. A canary that does not close is reported; it
    /// is no reason to leave sites lit, and each of them is proven for itself.
    pub(super) fn show_canary(&mut self, turn: &Turn<'_>) -> Result<ProbeResult, EdgeError> {
        let Ok(key) = GateKey::new(CANARY_KEY) else { return Ok(ProbeResult::default()) };
        let mut dark: GateSet = turn
            .wants
            .iter()
            .zip(&turn.views)
            .filter(|(want, view)| self.is_kept_shut(want, view))
            .map(|(want, _)| want.target.key.clone())
            .collect();
        dark.insert(key);
        dark.extend(self.unasked.iter().cloned());
        self.driver.close(turn.epoch, &dark)?;
        Ok(self.see_canary(Some(CANARY_LOOK_MAX)))
    }

    /// Once an hour, and each minute while it fails: the canary is told to go dark and to return,
    /// and looked at both times. A gate that nobody needs today is then known to be out of order
    /// before it is needed. None when it is not time, or when this controller was replaced.
    pub fn try_canary(&mut self, wants: &[Want], epoch: Epoch, now_ms: i64) -> Option<Entry> {
        let since = *self.canary_at.get_or_insert(now_ms);
        // A clock that was set back begins anew.
        let every = if self.canary_failed { CANARY_AGAIN_MS } else { CANARY_EVERY_MS };
        if now_ms >= since && now_ms - since < every {
            return None;
        }
        self.canary_at = Some(now_ms);
        let permits = |_: &GateKey| false;
        let mut turn = Turn::new(wants, epoch, now_ms, &permits);
        let flipped = self.flip_canary(&mut turn);
        // It was written to the gate, which may have put away what waited there.
        self.ready.lose(false);
        let what = match flipped {
            Ok(Flipped { dark: ProbeResult { seen: Seen::Dark, .. }, .. })
                if self.is_canary_past() =>
            {
                HOST_SPELLING
            }
            Ok(Flipped { dark: ProbeResult { seen: Seen::Dark, .. }, lit, untold }) => {
                match fault(lit, Seen::Lit, "lit-not-seen") {
                    "" => untold,
                    fault => fault,
                }
            }
            Ok(Flipped { dark, .. }) => fault(dark, Seen::Dark, "dark-not-seen"),
            Err(error) if error.kind == EdgeErrorKind::Fenced => return None,
            Err(error) => error.kind.code(),
        };
        // Told beside no other trouble: a gate that does not close is worse.
        let what = if what.is_empty() && self.has_unasked() { DARK_UNASKED } else { what };
        self.canary_failed = !what.is_empty();
        let (edge, passed) = (self.name.clone(), what.is_empty());
        Some(Entry::CanaryTried { edge, passed, what: what.to_owned() })
    }

    fn flip_canary(&mut self, turn: &mut Turn<'_>) -> Result<Flipped, EdgeError> {
        let keys: Vec<GateKey> = turn.wants.iter().map(|want| want.target.key.clone()).collect();
        turn.views = self.driver.observe(&keys)?;
        if self.is_overtaken(turn) {
            return Err(self.fenced(turn));
        }
        self.remember_shut(turn.wants, &turn.views);
        let mut held = self.held(turn, &opening(turn.wants, &turn.views));
        held.extend(self.find_unasked(turn.wants)?.iter().cloned());
        let dark = self.show_canary(turn)?;
        let untold = match canary() {
            Some(canary) if dark.seen == Seen::Dark => {
                self.spell_canary(canary, turn.wants, turn.now_ms)
            }
            _ => "",
        };
        self.driver.apply(turn.epoch, Stage::Runtime, &held)?;
        let lit = self.see_canary(None);
        self.driver.apply(turn.epoch, Stage::Durable, &held)?;
        Ok(Flipped { dark, untold, lit })
    }

    fn see_canary(&mut self, wait_max: Option<Duration>) -> ProbeResult {
        let Some(target) = canary() else { return ProbeResult::default() };
        self.nonce = self.nonce.wrapping_add(1);
        let seen = match wait_max {
            Some(wait_max) => self.eyes.glance(&[target], self.nonce, wait_max),
            None => self.eyes.probe(&[target], self.nonce),
        };
        seen.first().copied().unwrap_or_default()
    }
}

/// What a look at the canary says against what it has to be: nothing, or why nobody could look, or
/// that it shows something else.
fn fault(seen: ProbeResult, wanted: Seen, otherwise: &'static str) -> &'static str {
    match seen.trouble {
        _ if seen.seen == wanted => "",
        Some(trouble) => trouble.code(),
        None => otherwise,
    }
}
