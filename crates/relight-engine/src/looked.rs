//! When each edge was last looked at, as far as the register tells: a proof is as old as the last
//! look, and where nobody looks any more there is none, whatever the journal says (INCIDENT 2).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use relight_model::{GateKey, Site, Timestamp};
use relight_store::{Store, StoreError};

use crate::engine::{ACTOR, Engine};
use crate::error::EngineError;
use crate::incident::{Entry, Ledger, PROOF_EXPIRED, PartName, PartSeen, is_proven};
use crate::reconcile::PROOF_TTL_MS;

/// The setting that keeps it: a table of seconds by the names of edges.
pub(crate) const LOOKED_KEY: &str = "edges-looked-at";

/// How often it is kept while something is to be dark: one small transaction.
pub(crate) const KEEP_EVERY: Duration = Duration::from_secs(5);

/// How long a look proves anything, in seconds.
pub const PROOF_TTL_S: i64 = PROOF_TTL_MS / 1_000;

/// When each edge was last looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Looks(BTreeMap<String, Timestamp>);

impl Looks {
    /// What the register keeps of it, and what the journal shows: whoever proved something looked.
    pub(crate) fn of(store: &Store, ledger: &Ledger, now: Timestamp) -> Result<Self, StoreError> {
        let mut looks = Self(kept(store)?);
        // A look in the future says nothing: the clock was ahead then.
        looks.0.retain(|_, at| is_past(*at, now));
        for (edge, at) in ledger.proved_at().filter(|(_, at)| is_past(*at, now)) {
            let known = looks.0.entry(edge.to_owned()).or_insert(at);
            *known = at.max(*known);
        }
        Ok(looks)
    }

    /// The last look at an edge; `None` where nobody is known to have looked.
    pub(crate) fn at(&self, edge: &str) -> Option<Timestamp> {
        self.0.get(edge).copied()
    }

    /// Whether what was proven there may be believed now.
    pub(crate) fn is_seen(&self, edge: &str, now: Timestamp) -> bool {
        self.at(edge).is_some_and(|at| now.saturating_sub(at) < PROOF_TTL_S)
    }
}

/// Or so little ahead that it is the same clock.
const fn is_past(at: Timestamp, now: Timestamp) -> bool {
    at.saturating_sub(now) < PROOF_TTL_S
}

/// What the register keeps. What cannot be read was no look.
fn kept(store: &Store) -> Result<BTreeMap<String, Timestamp>, StoreError> {
    let text = store.meta_get(LOOKED_KEY)?.unwrap_or_default();
    Ok(serde_json::from_str(&text).unwrap_or_default())
}

/// Whether anybody looked at any edge within the time that a proof lasts, by what the register
/// keeps alone.
///
/// # Errors
/// The store cannot be read.
pub fn is_looked_after(store: &Store, now: Timestamp) -> Result<bool, StoreError> {
    let looks = Looks(kept(store)?);
    Ok(looks.0.iter().any(|(edge, at)| is_past(*at, now) && looks.is_seen(edge, now)))
}

/// Sites that the journal calls proven dark, or a part of which it calls closed, and at which
/// nobody looks any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unseen {
    /// How many.
    pub sites: usize,
    /// Nobody has looked at any of them since then; `None` where nobody is known to have.
    pub since: Option<Timestamp>,
}

/// Takes for unproven, in a ledger that is only read, what nobody looks at any more; none where all
/// is looked at. Whoever controls the register journals the same: see [`Engine::tell_unseen`].
///
/// # Errors
/// The store cannot be read.
pub fn forget_unseen(
    store: &Store,
    ledger: &mut Ledger,
    sites: &[Site],
    now: Timestamp,
) -> Result<Option<Unseen>, StoreError> {
    let looks = Looks::of(store, ledger, now)?;
    let edges: BTreeMap<&GateKey, &str> =
        sites.iter().map(|site| (&site.slug, site.edge.as_str())).collect();
    let unseen = unseen(ledger, &looks, |site| edges.get(site).copied(), now);
    let (mut gone, mut since) = (BTreeSet::new(), None);
    for (id, entry) in &unseen {
        let (edge, keys) = match entry {
            Entry::PartsSeen { edge, .. } | Entry::Drifted { edge, .. } => (edge, entry.sites()),
            _ => continue,
        };
        gone.extend(keys);
        since = since.max(looks.at(edge));
        let ended = looks.at(edge).map_or(now, |at| at + PROOF_TTL_S);
        // It was made from this ledger, so it follows.
        drop(ledger.apply(id, entry, ended));
    }
    Ok((!gone.is_empty()).then_some(Unseen { sites: gone.len(), since }))
}

/// What says of each open incident that its proofs are none any more.
fn unseen<'a>(
    ledger: &Ledger,
    looks: &Looks,
    edge_of: impl Fn(&GateKey) -> Option<&'a str>,
    now: Timestamp,
) -> Vec<(String, Entry)> {
    let edge_of = |site: &GateKey| edge_of(site).filter(|edge| !looks.is_seen(edge, now));
    let mut entries = Vec::new();
    for (id, incident) in ledger.open() {
        let mut sites: BTreeMap<&str, Vec<GateKey>> = BTreeMap::new();
        for (site, _) in incident.cases().iter().filter(|(_, case)| is_proven(case)) {
            if let Some(edge) = edge_of(site) {
                sites.entry(edge).or_default().push(site.clone());
            }
        }
        let mut parts: BTreeMap<&str, Vec<PartName>> = BTreeMap::new();
        for part in incident.parts().values().filter(|part| part.is_proven()) {
            if let Some(edge) = edge_of(&part.name.site) {
                parts.entry(edge).or_default().push(part.name.clone());
            }
        }
        let what = || PROOF_EXPIRED.to_owned();
        entries.extend(sites.into_iter().map(|(edge, sites)| {
            let since = looks.at(edge);
            (id.to_owned(), Entry::Drifted { sites, edge: edge.to_owned(), what: what(), since })
        }));
        entries.extend(parts.into_iter().map(|(edge, parts)| {
            let (edge, seen) = (edge.to_owned(), PartSeen::Lost);
            (id.to_owned(), Entry::PartsSeen { parts, edge, seen, why: what() })
        }));
    }
    entries
}

impl Engine {
    /// Journals of what the journal calls proven, and nobody looked at for longer than a proof
    /// lasts, that it is so no more, and since when nobody looked.
    ///
    /// # Errors
    /// The store cannot be read, or the journal cannot be written.
    pub(crate) fn tell_unseen(&self) -> Result<(), EngineError> {
        let entries = {
            let (state, now) = (self.journalled(), self.now());
            if !state.ledger.has_dark() {
                return Ok(());
            }
            let looks = Looks::of(&self.store, &state.ledger, now)?;
            let site_of = |key: &GateKey| state.by_key.get(key).map(|index| &state.sites[*index]);
            let edge_of = |key: &GateKey| site_of(key).map(|site| site.edge.as_str());
            unseen(&state.ledger, &looks, edge_of, now)
        };
        self.append(ACTOR, entries).map(drop)
    }

    /// Keeps when edges were looked at, for whoever reads the register while nobody controls it.
    ///
    /// # Errors
    /// Another process controls the register, or the store cannot be written.
    pub(crate) fn keep_looks(&self, looks: BTreeMap<String, Timestamp>) -> Result<(), EngineError> {
        let mut all = kept(&self.store)?;
        all.extend(looks);
        let edges = self.edges_of_sites();
        all.retain(|edge, _| edges.contains(edge));
        // A table of numbers by text: it has a form.
        let text = serde_json::to_string(&all).unwrap_or_default();
        Ok(self.store.put_as_controller(&self.lease, LOOKED_KEY, &text)?)
    }
}
