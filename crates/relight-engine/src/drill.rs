//! A rehearsal on real edges: the whole life of an incident on canaries, and on sites that
//! somebody marked for it (INCIDENT 13).
//!
//! What a drill touches is a type of its own. A [`DrillKey`] is made in this file only, from the
//! canary or from a mark in the register, so that no other site can be named to it.

mod asked;
mod bed;
mod begun;
mod left;
mod script;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::net::SocketAddr;

use relight_edge::exec::RELOAD;
use relight_edge::{Basis, CutsTunnels, EdgeDriver, ProbeTarget, Target, Untried, capabilities_of};
use relight_model::{Criticality, Digest, Epoch, GateKey, Seen, Site, Timestamp};
use relight_store::{SiteMark, Store};

use crate::edges;
use crate::error::{EngineError, EngineErrorKind};
use crate::groups::group_of;
use crate::incident::{Entry, Ledger};
use crate::policy::{ALONE_WINDOW_S, Policy};
use crate::reconcile::{CANARY_HOST, CANARY_KEY, unexplained};

pub use asked::{ASKED_AGE_MAX_S, Answer, Asked, Extent, Unrehearsed};
pub use bed::Bed;
pub use begun::BACK_WAIT_MAX;
pub use left::{is_left, leave, leave_begun, leave_unbegun};
pub use script::{DRILL_PAUSE, Pace, STEPS, StepName};

/// How long a passed drill counts, in seconds: 400 days.
pub const DRILL_AGE_MAX_S: i64 = 400 * 86_400;

/// A key that a drill may close: the canary of an edge, or a site marked for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrillKey {
    key: GateKey,
    host: String,
    aliases: Vec<String>,
}

impl DrillKey {
    /// The canary, which every edge answers by itself.
    fn canary() -> Option<Self> {
        let key = GateKey::new(CANARY_KEY).ok()?;
        Some(Self { key, host: CANARY_HOST.to_owned(), aliases: Vec::new() })
    }

    /// A site that was marked for drills.
    fn marked(site: &Site) -> Self {
        let (key, host) = (site.slug.clone(), site.host().to_owned());
        Self { key, host, aliases: site.aliases.clone() }
    }

    /// The key.
    pub const fn key(&self) -> &GateKey {
        &self.key
    }

    fn target(&self) -> ProbeTarget {
        ProbeTarget::site(self.key.clone(), self.host.clone(), None)
    }
}

/// One edge of a drill and everything that may be closed on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrillEdge {
    target: Target,
    identity: Digest,
    keys: Vec<DrillKey>,
    /// Every site of the register on this edge, to be left alone.
    others: BTreeSet<GateKey>,
}

/// The scope of a drill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrillScope {
    edges: Vec<DrillEdge>,
}

impl DrillScope {
    /// The canaries of these edges (all edges when none is named) and the sites marked for drills
    /// behind them.
    ///
    /// # Errors
    /// An edge has no such name, or the store cannot be read.
    pub fn read(store: &Store, names: &[String]) -> Result<Self, EngineError> {
        Self::with_marks(store, names, &store.marked(SiteMark::DrillOk)?)
    }

    /// The canaries alone.
    ///
    /// # Errors
    /// As [`DrillScope::read`].
    pub fn canaries(store: &Store, names: &[String]) -> Result<Self, EngineError> {
        Self::with_marks(store, names, &BTreeSet::new())
    }

    fn with_marks(
        store: &Store,
        names: &[String],
        marked: &BTreeSet<GateKey>,
    ) -> Result<Self, EngineError> {
        let (rows, sites) = (store.edges()?, store.sites()?);
        if let Some(name) = names.iter().find(|name| rows.iter().all(|row| row.name != **name)) {
            let context = format!("no edge is called {name}");
            return Err(EngineError::new(EngineErrorKind::NotFound, context));
        }
        let mut found = Vec::new();
        let targets = edges::from_rows(&rows)?;
        for target in &targets {
            let is_grouped = group_of(&target.name, &targets).is_some();
            let is_meant = match names.is_empty() {
                // The group is rehearsed with all of its edges.
                true => !is_grouped,
                false => names.contains(&target.name),
            };
            if !is_meant {
                continue;
            }
            if is_grouped {
                let context = format!("{} is in a group: rehearse on that", target.name);
                return Err(EngineError::new(EngineErrorKind::NotFound, context));
            }
            let here = sites.iter().filter(|site| site.edge == target.name);
            let (drilled, others): (Vec<_>, Vec<_>) =
                here.partition(|site| marked.contains(&site.slug));
            let marked = drilled.into_iter().map(DrillKey::marked);
            found.push(DrillEdge {
                identity: edges::identity(target)?,
                target: target.clone(),
                keys: DrillKey::canary().into_iter().chain(marked).collect(),
                others: others.into_iter().map(|site| site.slug.clone()).collect(),
            });
        }
        Ok(Self { edges: found })
    }

    /// What of it more people than one would have to agree to: sites that somebody marked for
    /// drills, that the rules do not name, and that are more than one person may switch, or vital.
    /// What was marked within a day counts wherever it is, so that slices add up. Nothing for
    /// canaries alone.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn unagreed(
        &self,
        store: &Store,
        policy: &Policy,
        now: Timestamp,
    ) -> Result<Option<Unagreed>, EngineError> {
        let mine = self.edges.iter().flat_map(|edge| &edge.keys).map(DrillKey::key);
        if mine.filter(|key| key.as_str() != CANARY_KEY).all(|key| policy.drilled.contains(key)) {
            return Ok(None);
        }
        let mut marked = store.marked(SiteMark::DrillOk)?;
        let mark = SiteMark::DrillOk.as_str();
        let since = now.saturating_sub(ALONE_WINDOW_S);
        for change in store.register_changes(0)?.into_iter().filter(|it| it.at > since) {
            let site = change.what.strip_prefix("mark of site ").filter(|_| change.before == mark);
            marked.extend(site.and_then(|site| GateKey::new(site).ok()));
        }
        marked.retain(|site| !policy.drilled.contains(site));
        let vital =
            |site: &Site| site.criticality == Criticality::Vital && marked.contains(&site.slug);
        let found = Unagreed {
            sites: marked.len(),
            vital: store.sites()?.iter().filter(|it| vital(it)).count(),
        };
        Ok((found.sites > policy.alone_max || found.vital > 0).then_some(found))
    }

    /// The edges, by name.
    pub fn edges(&self) -> &[DrillEdge] {
        &self.edges
    }
}

/// Marked sites that a drill may not close on the word of one person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unagreed {
    /// How many there are.
    pub sites: usize,
    /// How many of them are vital.
    pub vital: usize,
}

/// What one step of a drill did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Which.
    pub name: StepName,
    /// It did what it must, or could not be tried.
    pub passed: bool,
    /// It was tried: this edge has what it is about.
    pub tried: bool,
    /// How long it took, in milliseconds.
    pub took_ms: i64,
    /// What went wrong, in English as in every log.
    pub detail: String,
}

/// What the drill of one edge showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrillReport {
    /// The edge.
    pub edge: String,
    /// What it was (`edges::identity`): another one of its name showed nothing.
    pub identity: Digest,
    /// Everything that was closed on it.
    pub keys: Vec<GateKey>,
    /// The steps, in order; those behind one that failed are not there.
    pub steps: Vec<Step>,
    /// What of it may be dark still: it could not be opened, or was not seen lit.
    pub left: Vec<GateKey>,
}

impl DrillReport {
    /// No step failed. One that could not be tried shows nothing, and is counted as such.
    pub fn passed(&self) -> bool {
        self.steps.iter().all(|step| step.passed) && self.steps.len() == STEPS.len()
    }

    /// What the journal keeps of it.
    pub fn entry(&self) -> Entry {
        let failed = self.failed().map(|step| format!("{}: {}", step.name.as_str(), step.detail));
        let (edge, passed, target) = (self.edge.clone(), self.passed(), Some(self.identity));
        let untried = self.untried().codes().into_iter().map(str::to_owned).collect();
        Entry::Drilled { drill: true, edge, passed, failed, target, untried }
    }

    /// What of the record of the edge it left unshown, of any edge of a group. Where no connection
    /// can be upgraded there is nothing to cut, and nothing to show of that.
    pub fn untried(&self) -> Untried {
        let is_whole = |name| {
            let step = self.steps.iter().find(|step| step.name == name);
            step.filter(|step| step.detail.is_empty())
        };
        let reload = !is_whole(StepName::Reload).is_some_and(|step| step.tried);
        Untried { reload, tunnels: is_whole(StepName::Tunnels).is_none() }
    }

    /// What the journal gets once it is over: what the canary alone showed says nothing about the
    /// edge as a whole.
    pub fn entries(&self, extent: Extent) -> Vec<Entry> {
        let shown = (extent == Extent::Marked).then(|| self.entry());
        shown.into_iter().chain(self.ended()).collect()
    }

    /// What the journal keeps of its end. One that never began has none: it would be the end of
    /// another one.
    pub fn ended(&self) -> Option<Entry> {
        let began = self.steps.first().is_some_and(|step| step.passed);
        let (edge, left) = (self.edge.clone(), self.left.clone());
        began.then_some(Entry::DrillEnded { drill: true, edge, interrupted: false, left })
    }

    /// The first step that did not.
    pub fn failed(&self) -> Option<&Step> {
        self.steps.iter().find(|step| !step.passed)
    }
}

impl DrillEdge {
    /// The name of the edge.
    pub fn name(&self) -> &str {
        &self.target.name
    }

    /// The edges of it of which it is only said what they can do, and of which this was not tried.
    fn unshown(&self, is_left: impl Fn(&Target) -> bool) -> Vec<&str> {
        let told = self.target.all().filter(|one| capabilities_of(one).basis != Basis::Measured);
        told.filter(|one| is_left(one)).map(|one| one.name.as_str()).collect()
    }

    /// Those that nothing reloads.
    fn unshown_reload(&self) -> Vec<&str> {
        self.unshown(|one| !one.settings.contains_key(RELOAD))
    }

    /// Those that let connections be upgraded, and through which none was open: these listeners
    /// had one.
    fn unshown_tunnels(&self, open: &[SocketAddr]) -> Vec<&str> {
        self.unshown(|one| {
            let is_refused =
                one.refuses_upgrades() || capabilities_of(one).cuts_tunnels == CutsTunnels::Refused;
            !is_refused && !open.iter().any(|listener| one.listeners.contains(listener))
        })
    }

    /// Everything that may be closed on it, the canary first.
    pub fn keys(&self) -> &[DrillKey] {
        &self.keys
    }

    /// What has to stand in the journal before anything of it is closed. Where the journal cannot
    /// be written, or takes nothing of it on a full disk, nothing may be closed.
    pub fn begun(&self) -> Entry {
        let keys = self.keys.iter().map(|it| it.key.clone()).collect();
        Entry::DrillBegun { drill: true, edge: self.name().to_owned(), keys }
    }

    /// Rehearses. Ends with everything lit again, whatever failed. `begin` is called once all that
    /// may be closed was seen lit, and before anything is: it journals [`DrillEdge::begun`]. Why it
    /// could not is what the first step fails of.
    pub fn run(
        &self,
        ledger: &Ledger,
        pace: &Pace,
        begin: &mut dyn FnMut() -> Result<(), String>,
    ) -> DrillReport {
        script::run((self, self), ledger, pace, begin)
    }

    /// The same for whoever has another way to that edge, and no journal; what is closed is the
    /// same.
    pub fn run_on(&self, bed: &dyn Bed, ledger: &Ledger, pace: &Pace) -> DrillReport {
        script::run((self, bed), ledger, pace, &mut || Ok(()))
    }

    /// Becomes the second controller of a drill, which is killed in the middle of its effects:
    /// closes and opens what the drill may touch until then, and ends by itself after a while. It
    /// acts under the epoch of the drill, so that whoever takes the edge meanwhile fences it.
    /// `began` is called after the first effect.
    ///
    /// # Errors
    /// An incident uses the edge, the edge has a newer controller, or cannot be opened or written.
    pub fn hold(
        &self,
        epoch: Epoch,
        ledger: &Ledger,
        pace: &Pace,
        began: &mut dyn FnMut(),
    ) -> Result<(), EngineError> {
        const WHAT: &str = "holding an edge in a drill";
        let failed = |error| EngineError::because(WHAT, error);
        let mut driver = relight_edge::open(&self.target).map_err(failed)?;
        let in_use = self.is_in_use(ledger, driver.as_mut(), &[]);
        in_use.map_err(|why| EngineError::because(WHAT, why))?;
        script::hold(self, driver.as_mut(), epoch, pace, began).map_err(failed)
    }

    /// The epoch under which this edge is rehearsed on, unless it is in use: the one that it held
    /// before anybody looked whether it is. So whatever is ordered from then on fences the drill,
    /// which would open it with what is its own. Equal is allowed, so that nobody is fenced by a
    /// drill; on an edge that no controller ever had it is the first of no term: there has to be
    /// an older one.
    fn epoch_unused(
        &self,
        ledger: &Ledger,
        driver: &mut dyn EdgeDriver,
        keys: &[GateKey],
    ) -> Result<Epoch, String> {
        let views = driver.observe(keys).map_err(|error| chain(&error))?;
        let held = views.iter().filter_map(|view| view.epoch).max().unwrap_or_default();
        self.is_in_use(ledger, driver, keys)?;
        Ok(held.max(Epoch { term: 0, seq: 1 }))
    }

    /// Why this edge cannot be rehearsed on now: an incident holds sites of it dark, or ordered one
    /// that is marked for drills, and a drill would be in its way; or the gate holds something dark
    /// that this journal knows nothing of. Of what is the drill's own, `lit` must be lit.
    fn is_in_use(
        &self,
        ledger: &Ledger,
        driver: &mut dyn EdgeDriver,
        lit: &[GateKey],
    ) -> Result<(), String> {
        let wanted = self.others.iter().find(|key| ledger.wants(key) == relight_model::Light::Dark);
        if let Some(key) = wanted {
            return Err(format!("an incident wants {key} dark"));
        }
        if let Some(own) = self.keys.iter().find(|own| is_ordered(ledger, &own.key)) {
            return Err(format!("an open incident ordered {} dark", own.key));
        }
        let mut here = self.others.iter().chain(self.keys.iter().map(DrillKey::key));
        if let Some(key) = here.find(|key| ledger.has_parts_at_work(key)) {
            return Err(format!("an incident closed a part of {key}"));
        }
        let mut all: Vec<GateKey> = self.others.iter().cloned().collect();
        all.extend_from_slice(lit);
        let views = driver.observe(&all).map_err(|error| chain(&error))?;
        // What another register ordered here is no site of this one, and a drill would open it.
        let is_own = |key: &GateKey| self.keys.iter().any(|own| own.key == *key);
        let strange = unexplained(driver, |key| self.others.contains(key) || is_own(key));
        let strange = strange.map_err(|error| chain(&error))?;
        let mut seen = all.into_iter().zip(views).chain(strange);
        let dark = seen.find(|(_, view)| {
            !view.foreign && (view.durable != Seen::Lit || view.runtime != Seen::Lit)
        });
        dark.map_or(Ok(()), |(key, _)| Err(format!("{key} is not seen lit at the gate")))
    }
}

/// A controller follows the light of such a site, and would take a rehearsal for a drift.
fn is_ordered(ledger: &Ledger, key: &GateKey) -> bool {
    let mut cases = ledger.open().filter_map(|(_, incident)| incident.case(key));
    cases.any(|case| case.ordered)
}

pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}
