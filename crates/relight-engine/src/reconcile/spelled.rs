//! Spellings of a name that lead past a closed gate (INCIDENT 8.1): they are tried once a day, on
//! the canary while it is dark and on some of the sites that are. A site that one of them reaches
//! is not dark, whatever its plain name shows.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use relight_edge::spelling::Spelled;
use relight_edge::{Look, ProbeTarget};
use relight_model::{GateKey, Light};

use super::{CANARY_AGAIN_MS, EdgeLoop, Want};
use crate::incident::{Gate, HOST_SPELLING};

/// How often the canary and some dark sites are asked for in every spelling, in milliseconds: once
/// a day.
pub const SPELL_EVERY_MS: i64 = 86_400_000;

/// Most sites of one edge that are asked for so in that time. The next day others have their turn.
pub const SPELLED_SITES_MAX: usize = 24;

/// An order is not held up by it: nothing is spelled sooner after the first proof, in milliseconds.
pub const SPELL_AFTER_MS: i64 = 60_000;

/// Names of one site that are spelled, the canonical one first: the others are looked at as they
/// are, in every round.
pub const SPELLED_NAMES_MAX: usize = 4;

/// Longest time for one site.
const SPELL_MAX: Duration = Duration::from_secs(2);

/// What spellings showed.
#[derive(Debug, Default)]
pub(super) struct Spellings {
    /// Sites that one of them reached, and when that was tried here.
    past: BTreeMap<GateKey, Option<i64>>,
    /// Since when something is proven dark here.
    proven_since: Option<i64>,
    /// When the sample began that is gone through now, and what of it was tried.
    begun_at: Option<i64>,
    tried: BTreeSet<GateKey>,
    last: Option<GateKey>,
    /// When nothing led past the gate of the canary, and whether something did since.
    canary_at: Option<i64>,
    is_canary_past: bool,
}

impl Spellings {
    /// Why a site is not dark although its name shows it so.
    pub(super) fn why(&self, site: &GateKey) -> Option<&'static str> {
        self.past.contains_key(site).then_some(HOST_SPELLING)
    }

    /// The site that is to be tried now.
    fn due<'a>(&mut self, wants: &'a [Want], now_ms: i64, nonce: u64) -> Option<&'a Want> {
        let dark = wants.iter().filter(|want| want.light == Light::Dark && !want.is_part());
        let dark: Vec<&Want> = dark.collect();
        self.past.retain(|key, _| dark.iter().any(|want| want.target.key == *key));
        let again = |want: &&&Want| {
            let tried = self.past.get(&want.target.key);
            tried.is_some_and(|at| at.is_none_or(|at| is_over(at, now_ms, CANARY_AGAIN_MS)))
        };
        if let Some(want) = dark.iter().find(again) {
            return Some(want);
        }
        let is_sound = |want: &&Want| want.gate == Gate::Proven && want.target.look == Look::Site;
        let sound: Vec<&Want> = dark.into_iter().filter(is_sound).collect();
        if sound.is_empty() {
            self.proven_since = None;
            return None;
        }
        let since = *self.proven_since.get_or_insert(now_ms);
        if !is_over(since, now_ms, SPELL_AFTER_MS) {
            return None;
        }
        if self.begun_at.is_none_or(|at| is_over(at, now_ms, SPELL_EVERY_MS)) {
            (self.begun_at, self.tried) = (Some(now_ms), BTreeSet::new());
        }
        if self.tried.len() >= SPELLED_SITES_MAX {
            return None;
        }
        // Where the sample before ended; at first anywhere, so that a program that is started
        // every day comes to all of them.
        let anywhere = usize::try_from(nonce % sound.len() as u64).unwrap_or(0);
        let from = match &self.last {
            Some(last) => sound.partition_point(|want| want.target.key <= *last),
            None => anywhere,
        };
        let mut turn = sound[from..].iter().chain(&sound[..from]);
        turn.find(|want| !self.tried.contains(&want.target.key)).copied()
    }
}

/// A clock that was set back makes it over.
fn is_over(at: i64, now_ms: i64, span_ms: i64) -> bool {
    !(0..span_ms).contains(&(now_ms - at))
}

impl EdgeLoop {
    /// The journal says that spellings of these names led past the gate: nobody has seen yet that
    /// they do not any more.
    pub fn remember_past(&mut self, sites: impl IntoIterator<Item = GateKey>) {
        self.spellings.past.extend(sites.into_iter().map(|site| (site, None)));
    }

    /// Tries one site, if it is time; whether that changes what is proven, which the next round
    /// then says.
    pub fn try_spellings(&mut self, wants: &[Want], now_ms: i64) -> bool {
        let Some(want) = self.spellings.due(wants, now_ms, self.nonce) else { return false };
        let mut all = Spelled::Shut;
        for host in want.names().take(SPELLED_NAMES_MAX) {
            let target = ProbeTarget { host: host.to_owned(), ..want.target.clone() };
            // What another name answered before the order was never recorded.
            let baseline = target.baseline.filter(|_| host == want.target.host);
            all = all.and(self.eyes.spell(&ProbeTarget { baseline, ..target }, SPELL_MAX));
        }
        let (key, spellings) = (&want.target.key, &mut self.spellings);
        if !spellings.past.contains_key(key) {
            spellings.tried.insert(key.clone());
            spellings.last = Some(key.clone());
        }
        match all {
            Spelled::Shut => spellings.past.remove(key).is_some(),
            Spelled::Untold => {
                spellings.past.entry(key.clone()).and_modify(|at| *at = Some(now_ms));
                false
            }
            Spelled::Past(_) => {
                self.proofs.remove(key);
                spellings.past.insert(key.clone(), Some(now_ms)).is_none()
            }
        }
    }

    /// Whether a spelling leads past the gate of the canary, which is dark now; tried once a day,
    /// and each time while one does.
    pub(super) fn is_canary_past(&mut self, canary: &ProbeTarget, now_ms: i64) -> bool {
        let spellings = &mut self.spellings;
        if spellings.canary_at.is_some_and(|at| !is_over(at, now_ms, SPELL_EVERY_MS)) {
            return false;
        }
        match self.eyes.spell(canary, SPELL_MAX) {
            Spelled::Shut => {
                (spellings.canary_at, spellings.is_canary_past) = (Some(now_ms), false)
            }
            Spelled::Past(_) => (spellings.canary_at, spellings.is_canary_past) = (None, true),
            Spelled::Untold => {}
        }
        spellings.is_canary_past
    }
}
