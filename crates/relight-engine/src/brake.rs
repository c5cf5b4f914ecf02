//! What news may darken without an order, and what waits for one (INCIDENT 3.2).

use std::collections::BTreeSet;
use std::sync::{MutexGuard, PoisonError};

use relight_model::{GateKey, Light, Timestamp};

use crate::engine::{Engine, State};
use crate::incident::{Entry, Incident};
use crate::switch::site_of;

/// Sites that may be dark at one time by news of a day without an order (INCIDENT 3.2), in all open
/// incidents together: above it a forged or broken feed could darken a province, so a person
/// decides. It does not matter in how many pieces the news comes, or of how many flaws. What waits
/// is dark nowhere, and counts in its own incident alone: it keeps no other news away.
pub const REDARK_AUTO_MAX: usize = 200;

/// No order darkens this site, so nothing else may: it is protected, or no edge switches it. Wanted
/// dark it would never be proven so, nor come back.
pub(crate) fn is_out_of_reach(state: &State, site: &GateKey) -> bool {
    let has_no_edge = site_of(state, site).is_some_and(|it| it.edge.is_empty());
    has_no_edge || state.protected.contains(site)
}

/// Those of these lit sites that have to wait for an order, though news would darken them: those
/// out of reach, which no plan touches either; those that wait already, under the same advisories;
/// and all of them, where they would be too many together with what waits in this incident and
/// with what news darkened before, in any open one. `released` wait no longer. What an order left
/// lit waits and counts against nothing: somebody decided about it.
pub(crate) fn brake<'a>(
    state: &State,
    incident: &Incident,
    darkening: impl Iterator<Item = &'a GateKey>,
    released: &BTreeSet<GateKey>,
    now: Timestamp,
) -> BTreeSet<GateKey> {
    let (mut held, asked): (BTreeSet<GateKey>, BTreeSet<GateKey>) = darkening
        .cloned()
        .partition(|site| is_out_of_reach(state, site) || incident.is_left_lit_now(site));
    let waits = |site: &&GateKey| !is_out_of_reach(state, site) && !released.contains(*site);
    let mut all: BTreeSet<&GateKey> = asked.iter().collect();
    all.extend(incident.held_by_news().filter(waits));
    all.extend(state.ledger.open().flat_map(|(_, it)| it.darkened_by_news(now)));
    let is_too_many = all.len() > REDARK_AUTO_MAX;
    held.extend(asked.into_iter().filter(|site| is_too_many || incident.is_held_now(site)));
    held
}

impl Engine {
    /// Held from the decision what news may darken until that is journalled: two at once would each
    /// find room.
    pub(crate) fn one_news(&self) -> MutexGuard<'_, ()> {
        self.news.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What tells everybody that these sites should be dark, and wait for an order; nothing
    /// where it was told of each.
    pub(crate) fn hold_back(
        &self,
        id: &str,
        sites: impl Iterator<Item = GateKey>,
    ) -> Option<(String, Entry)> {
        let is_told = |site: &GateKey| {
            self.with_ledger(|ledger| ledger.incident(id).is_some_and(|it| it.is_told_held(site)))
        };
        let sites: Vec<GateKey> = sites.filter(|site| !is_told(site)).collect();
        (!sites.is_empty())
            .then(|| (id.to_owned(), Entry::HeldBack { sites, voids: true, left: false }))
    }

    /// What a permission that is over makes of these lit sites: those that go dark, and what tells
    /// of those that wait for an order.
    pub(crate) fn braked(&self, id: &str, sites: Vec<GateKey>) -> Vec<(String, Entry)> {
        let held = {
            let state = self.read();
            let Some(incident) = state.ledger.incident(id) else { return Vec::new() };
            let lit = sites.iter().filter(|site| incident.wants(site) == Light::Lit);
            brake(&state, incident, lit, &BTreeSet::new(), self.now())
        };
        self.lapsed(id, sites, &held)
    }

    /// The same of a permission whose end somebody chose: however many sites there are, only those
    /// out of reach wait.
    pub(crate) fn braked_at_its_end(&self, id: &str, sites: Vec<GateKey>) -> Vec<(String, Entry)> {
        let held = {
            let state = self.read();
            let Some(incident) = state.ledger.incident(id) else { return Vec::new() };
            let lit = sites.iter().filter(|site| incident.wants(site) == Light::Lit);
            lit.filter(|site| is_out_of_reach(&state, site)).cloned().collect()
        };
        self.lapsed(id, sites, &held)
    }

    fn lapsed(
        &self,
        id: &str,
        mut sites: Vec<GateKey>,
        held: &BTreeSet<GateKey>,
    ) -> Vec<(String, Entry)> {
        let told = self.hold_back(id, held.iter().cloned());
        sites.retain(|site| !held.contains(site));
        let lapsed = (!sites.is_empty()).then(|| (id.to_owned(), Entry::Lapsed { sites }));
        lapsed.into_iter().chain(told).collect()
    }
}
