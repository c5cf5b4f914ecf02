//! Inventories that agents are asked for, and which answers count: those to the last question about
//! a site, within a time, from the agent that has the site.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use relight_engine::Inventory;
use relight_engine::incident::{EvidenceKind, Phase};
use relight_engine::store::AgentRow;
use relight_formats::read_sbom;
use relight_model::{GateKey, Timestamp};

use super::wire::{InventoryRequest, Taken, Wish};
use super::{AgentDesk, Refused};
use crate::ServerError;
use crate::access::secret;
use crate::access::secret::random;

/// Most sites of one agent.
pub const AGENT_SITES_MAX: usize = 256;

/// How long an agent has for an inventory, in seconds.
pub const INVENTORY_WAIT_S: i64 = 6 * 3_600;

/// A site is looked at again after this at the earliest, in seconds: a look costs its machine much.
pub const AGAIN_S: i64 = 3_600;

/// In these phases another inventory decides what is next.
const WAITING: [Phase; 4] = [Phase::Analysing, Phase::Unknown, Phase::Fixing, Phase::FixDeployed];

/// A question that waits for its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Asked {
    ticket: String,
    at: Timestamp,
}

/// The questions that wait, by agent and site. They are forgotten when the server ends: then they
/// are asked again, and answers to those of before count no more.
#[derive(Debug, Default)]
pub(super) struct Wishes(Mutex<BTreeMap<(u32, GateKey), Asked>>);

impl Wishes {
    fn with<T>(&self, work: impl FnOnce(&mut BTreeMap<(u32, GateKey), Asked>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
impl Wishes {
    /// As if this had been asked then.
    pub(super) fn put(&self, key: (u32, GateKey), ticket: &str, at: Timestamp) {
        let asked = Asked { ticket: ticket.to_owned(), at };
        self.with(|all| all.insert(key, asked));
    }
}

impl AgentDesk {
    /// The sites of an agent that are its own, by what it names.
    ///
    /// # Errors
    /// It names too many (`too-many-sites`), or the register cannot be read or written.
    pub(super) fn own_sites(
        &self,
        agent: &AgentRow,
        named: &[String],
    ) -> Result<BTreeSet<GateKey>, Refused> {
        if named.len() > AGENT_SITES_MAX {
            return Err(Refused::Rule("too-many-sites"));
        }
        let sites: Vec<GateKey> = named.iter().filter_map(|it| GateKey::new(it).ok()).collect();
        let own = self.engine.store().claim_sites(agent, &sites, self.now());
        let own = own.map_err(|error| ServerError::caused("note the sites of an agent", error))?;
        // What it asked for before and has no more is forgotten.
        self.wishes
            .with(|asked| asked.retain(|(id, site), _| *id != agent.id || own.contains(site)));
        Ok(own)
    }

    /// A site of these that an incident waits for, with another ticket than before.
    ///
    /// # Errors
    /// The register cannot be read, or the system gives no random numbers.
    pub(super) fn wish(
        &self,
        agent: &AgentRow,
        own: &BTreeSet<GateKey>,
    ) -> Result<Option<Wish>, Refused> {
        let now = self.now();
        for site in own.iter().filter(|site| self.is_awaited(site)) {
            if self.was_seen_since(site, now - AGAIN_S)? {
                continue;
            }
            let ticket = secret::encode(&random::<16>()?);
            let asked = Asked { ticket: ticket.clone(), at: now };
            self.wishes.with(|all| all.insert((agent.id, site.clone()), asked));
            return Ok(Some(Wish { site: site.to_string(), ticket }));
        }
        Ok(None)
    }

    fn is_awaited(&self, site: &GateKey) -> bool {
        let waits = |phase: Phase| WAITING.contains(&phase);
        self.engine.with_ledger(|ledger| {
            ledger.open().any(|(_, it)| it.case(site).is_some_and(|case| waits(case.phase)))
        })
    }

    /// Whether the newest inventory of a site is of that time or later.
    fn was_seen_since(&self, site: &GateKey, since: Timestamp) -> Result<bool, Refused> {
        let store = self.engine.store();
        let newest = || {
            let Some(asset) = store.asset_by_key(site.as_str())? else { return Ok(None) };
            Ok(store.snapshots_of(asset)?.pop())
        };
        let newest = newest();
        let newest = newest.map_err(|error: relight_engine::store::StoreError| {
            ServerError::caused("look for an inventory", error)
        })?;
        Ok(newest.is_some_and(|row| row.last_confirmed > since))
    }

    /// Takes in an inventory that was asked for. What it says was so when the question was asked,
    /// not when the answer came: what was deployed meanwhile may not have been seen.
    ///
    /// # Errors
    /// It answers no question, an old one or too late (`not-asked`); it is no whole document of
    /// ours (`not-an-inventory`); or something failed.
    pub(crate) fn take_inventory(
        &self,
        agent: &AgentRow,
        request: &InventoryRequest,
    ) -> Result<Taken, Refused> {
        let site = GateKey::new(&request.site).map_err(|_| Refused::Rule("not-asked"))?;
        let (key, now) = ((agent.id, site.clone()), self.now());
        // Whatever comes of it: a ticket is good once.
        let asked = self.wishes.with(|all| {
            let fits = all.get(&key).is_some_and(|asked| asked.ticket == request.ticket);
            if fits { all.remove(&key) } else { None }
        });
        let in_time = |asked: &Asked| (asked.at..=asked.at + INVENTORY_WAIT_S).contains(&now);
        let asked = asked.filter(in_time).ok_or(Refused::Rule("not-asked"))?;
        let registered = self.engine.store().site_by_slug(site.as_str());
        let registered =
            registered.map_err(|error| ServerError::caused("look for a site", error))?;
        // It may have gone to another organisation meanwhile.
        if registered.is_none_or(|registered| registered.org != agent.org) {
            return Err(Refused::Rule("not-asked"));
        }
        let read = read_sbom(request.inventory.as_bytes());
        // A program of ours wrote it: what cannot be made out whole is not what it saw.
        let (sbom, _) = read
            .ok()
            .filter(|(sbom, warnings)| warnings.is_empty() && sbom.artifact.is_some())
            .ok_or(Refused::Rule("not-an-inventory"))?;
        let actor = format!("agent {}", agent.host);
        let inventory = Inventory { site, sbom, observed_at: asked.at, profiles: None };
        let taken = self.engine.ingest(&actor, &[inventory], EvidenceKind::Scan);
        taken.map_err(|error| ServerError::caused("take in an inventory", error))?;
        Ok(Taken {})
    }
}
