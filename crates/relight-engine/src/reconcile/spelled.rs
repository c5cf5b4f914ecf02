//! Spellings of a name that lead past a closed gate (INCIDENT 8.1): they are tried once a day, on
//! the canary where nothing is dark and on some of the sites that are. A site that one of them
//! reaches is not dark, whatever its plain name shows, until the edge refuses them all itself. They
//! are asked for beside the loop, which goes on looking.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use relight_edge::spelling::Spelled;
use relight_edge::{Look, ProbeTarget};
use relight_model::{GateKey, Light};

use super::eyes::{Asking, HURRY_LOOK};
use super::{CANARY_AGAIN_MS, EdgeLoop, Want};
use crate::incident::{Entry, Gate, HOST_SPELLING};

/// How often the canary and some dark sites are asked for in every spelling, in milliseconds: once
/// a day.
pub const SPELL_EVERY_MS: i64 = 86_400_000;

/// Most sites of one edge that are asked for so in that time. The next day others have their turn.
pub const SPELLED_SITES_MAX: usize = 24;

/// Nothing of the sample is spelled sooner after an order or a relight, in milliseconds.
pub const SPELL_AFTER_MS: i64 = 60_000;

/// Of the sites that a spelling reached one is tried again so often, in milliseconds, and each of
/// them once a minute at most.
pub const SPELL_AGAIN_MS: i64 = 5_000;

/// Names of one site that are spelled, the canonical one first: the others are looked at as they
/// are, in every round.
pub const SPELLED_NAMES_MAX: usize = 4;

/// Longest time for one name of a site at one listener, or for the canary: enough for the spellings
/// of both protocols, each on a connection of its own, at an edge that is a tenth of a second away.
pub const SPELL_MAX: Duration = Duration::from_secs(20);

/// Code of a canary of which nobody knows whether a spelling of its name leads past its gate.
const SPELLING_UNTOLD: &str = "spelling-untold";

/// What spellings showed.
#[derive(Debug, Default)]
pub(super) struct Spellings {
    /// Sites that one of them reached, and when that was tried here.
    past: BTreeMap<GateKey, Option<i64>>,
    /// When one of them was tried last.
    again_at: Option<i64>,
    /// Since when something is proven dark here, and nothing was asked.
    quiet_since: Option<i64>,
    /// When the sample began that is gone through now, and what of it was tried.
    begun_at: Option<i64>,
    tried: BTreeSet<GateKey>,
    last: Option<GateKey>,
    /// The site that is asked for now.
    asking: Option<(GateKey, Asking)>,
    /// When nothing led past the gate of the canary, and whether something did since.
    canary_at: Option<i64>,
    is_canary_past: bool,
    /// What led past a gate, and how, that nobody was told of yet.
    found: Vec<(GateKey, String)>,
}

impl Spellings {
    /// Why a site is not dark although its name shows it so.
    pub(super) fn why(&self, site: &GateKey) -> Option<&'static str> {
        self.past.contains_key(site).then_some(HOST_SPELLING)
    }

    /// The site that is to be tried now: none while an order or a relight is under way.
    fn due<'a>(&mut self, wants: &'a [Want], now_ms: i64, nonce: u64) -> Option<&'a Want> {
        if wants.iter().any(is_under_way) {
            self.quiet_since = None;
            return None;
        }
        let dark: Vec<&Want> = wants.iter().filter(|want| is_dark_site(want)).collect();
        let again = self.again(&dark, now_ms);
        if again.is_some() {
            self.again_at = Some(now_ms);
            return again;
        }
        let is_sound = |want: &&Want| {
            let is_whole = want.gate == Gate::Proven && want.target.look == Look::Site;
            is_whole && !self.past.contains_key(&want.target.key)
        };
        let sound: Vec<&Want> = dark.into_iter().filter(is_sound).collect();
        if sound.is_empty() {
            self.quiet_since = None;
            return None;
        }
        let since = *self.quiet_since.get_or_insert(now_ms);
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

    /// Of the sites that a spelling reached the one that waits longest to be tried again.
    fn again<'a>(&self, dark: &[&'a Want], now_ms: i64) -> Option<&'a Want> {
        if self.again_at.is_some_and(|at| !is_over(at, now_ms, SPELL_AGAIN_MS)) {
            return None;
        }
        let past = dark.iter().filter_map(|&want| Some((*self.past.get(&want.target.key)?, want)));
        let is_due = |at: Option<i64>| at.is_none_or(|at| is_over(at, now_ms, CANARY_AGAIN_MS));
        past.filter(|(at, _)| is_due(*at)).min_by_key(|(at, _)| *at).map(|(_, want)| want)
    }

    /// Whether what came of it changes what is proven.
    fn hear(&mut self, key: GateKey, spelled: &Spelled, now_ms: i64) -> bool {
        match spelled {
            Spelled::Shut => self.past.remove(&key).is_some(),
            Spelled::Untold(_) => false,
            Spelled::Past(_) => self.past.insert(key, Some(now_ms)).is_none(),
        }
    }
}

fn is_dark_site(want: &Want) -> bool {
    want.light == Light::Dark && !want.is_part()
}

/// It is ordered and nobody knows yet, or it is on its way back.
fn is_under_way(want: &Want) -> bool {
    match want.light {
        Light::Dark => want.gate == Gate::Requested,
        Light::Lit => want.gate != Gate::Open,
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

    /// The same of the canary.
    pub fn remember_canary_past(&mut self) {
        self.spellings.is_canary_past = true;
        self.suspect();
    }

    /// Tries one site, if it is time, and hears what came of the one before; whether that changes
    /// what is proven, which the next round then says.
    pub fn try_spellings(&mut self, wants: &[Want], now_ms: i64) -> bool {
        let spellings = &mut self.spellings;
        if spellings.asking.is_none() {
            let Some(want) = spellings.due(wants, now_ms, self.nonce) else { return false };
            let key = want.target.key.clone();
            match spellings.past.get_mut(&key) {
                Some(at) => *at = Some(now_ms),
                None => {
                    spellings.tried.insert(key.clone());
                    spellings.last = Some(key.clone());
                }
            }
            let asking = self.eyes.spell(&names_of(want), SPELL_MAX);
            spellings.asking = Some((key, asking));
        }
        let Some((_, asking)) = &mut spellings.asking else { return false };
        let Some(spelled) = asking.within(Duration::ZERO) else { return false };
        let Some((key, _)) = spellings.asking.take() else { return false };
        // Whoever was told to open it since was asked for it as it is.
        let is_dark = |want: &Want| is_dark_site(want) && want.target.key == key;
        if !wants.iter().any(is_dark) {
            return false;
        }
        if let Spelled::Past(how) = &spelled {
            self.proofs.remove(&key);
            spellings.found.push((key.clone(), how.clone()));
        }
        spellings.hear(key, &spelled, now_ms)
    }

    /// Tries whether a spelling leads past the gate of the canary, which is dark now: once a day,
    /// and each time while one does. The loop waits for it, so only where nothing is dark or on its
    /// way back, and no longer than until something has to be closed. Code of what nobody knows.
    pub(super) fn spell_canary(
        &mut self,
        canary: ProbeTarget,
        wants: &[Want],
        now_ms: i64,
    ) -> &'static str {
        let at = self.spellings.canary_at;
        let is_known = at.is_some_and(|at| !is_over(at, now_ms, SPELL_EVERY_MS));
        let is_free = wants.iter().all(|it| it.light == Light::Lit && it.gate == Gate::Open);
        if is_known || !is_free {
            return "";
        }
        let key = canary.key.clone();
        let mut asking = self.eyes.spell(&[canary], SPELL_MAX);
        let spelled = loop {
            if let Some(spelled) = asking.within(HURRY_LOOK) {
                break spelled;
            }
            if self.hurry.as_ref().is_some_and(|hurry| hurry()) {
                return "";
            }
        };
        let spellings = &mut self.spellings;
        match spelled {
            Spelled::Shut => {
                (spellings.canary_at, spellings.is_canary_past) = (Some(now_ms), false);
            }
            Spelled::Past(how) => {
                (spellings.canary_at, spellings.is_canary_past) = (None, true);
                spellings.found.push((key, how));
            }
            Spelled::Untold(what) if what.is_empty() => {}
            Spelled::Untold(_) => return SPELLING_UNTOLD,
        }
        ""
    }

    /// Which spellings led past gates since the last call, for the journal.
    pub fn take_spelled(&mut self) -> Vec<Entry> {
        let found = std::mem::take(&mut self.spellings.found);
        let entry = |(site, spelling)| Entry::LedPast { edge: self.name.clone(), site, spelling };
        found.into_iter().map(entry).collect()
    }

    /// A spelling led past the gate of the canary, and nobody has seen since that none does.
    pub(super) fn is_canary_past(&self) -> bool {
        self.spellings.is_canary_past
    }
}

/// The names of a site that are spelled. What another name answered before the order was never
/// recorded.
fn names_of(want: &Want) -> Vec<ProbeTarget> {
    let name = |host: &str| ProbeTarget {
        host: host.to_owned(),
        baseline: want.target.baseline.filter(|_| host == want.target.host),
        ..want.target.clone()
    };
    want.names().take(SPELLED_NAMES_MAX).map(name).collect()
}
