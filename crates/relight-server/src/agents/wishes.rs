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
use crate::access::secret::{self, random};

/// Most sites of one agent.
pub const AGENT_SITES_MAX: usize = 256;

/// How long an agent has for an inventory, in seconds.
pub const INVENTORY_WAIT_S: i64 = 6 * 3_600;

/// A site is looked at again after this at the earliest, in seconds: a look costs its machine much.
pub const AGAIN_S: i64 = 3_600;

/// In these phases another inventory decides what is next.
const WAITING: [Phase; 4] = [Phase::Analysing, Phase::Unknown, Phase::Fixing, Phase::FixDeployed];

/// What a site of an agent was asked last.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Asked {
    /// Of a question that waits for its answer.
    ticket: Option<String>,
    at: Timestamp,
    /// When an answer was taken in, the last time.
    answered: Option<Timestamp>,
}

/// The last questions, by agent and site. They are forgotten when the server ends: then they are
/// asked again, and answers to those of before count no more.
#[derive(Debug, Default)]
pub(super) struct Wishes(Mutex<BTreeMap<(u32, GateKey), Asked>>);

impl Wishes {
    fn with<T>(&self, work: impl FnOnce(&mut BTreeMap<(u32, GateKey), Asked>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Sites of an agent in the order in which they have their turn: those first that were asked
    /// longest ago, so that one that gives no answer keeps no other from being looked at. Who has
    /// answered since then has no turn: a look may last longer than its answer is new.
    fn in_turn(&self, agent: u32, sites: Vec<GateKey>, since: Timestamp) -> Vec<GateKey> {
        self.with(|all| {
            let timed = sites.into_iter().filter_map(|site| {
                let asked = all.get(&(agent, site.clone()));
                let has_answered = asked.and_then(|it| it.answered).is_some_and(|at| at > since);
                (!has_answered).then(|| (asked.map(|it| it.at), site))
            });
            let mut timed: Vec<_> = timed.collect();
            timed.sort();
            timed.into_iter().map(|(_, site)| site).collect()
        })
    }

    /// Notes that this is asked now; an answer of before still says when it came.
    pub(super) fn put(&self, key: (u32, GateKey), ticket: &str, at: Timestamp) {
        self.with(|all| {
            let answered = all.get(&key).and_then(|asked| asked.answered);
            all.insert(key, Asked { ticket: Some(ticket.to_owned()), at, answered });
        });
    }

    /// When the question of this ticket was asked; a ticket is good once.
    fn redeem(&self, key: &(u32, GateKey), ticket: &str) -> Option<Timestamp> {
        self.with(|all| {
            let asked = all.get_mut(key).filter(|it| it.ticket.as_deref() == Some(ticket))?;
            asked.ticket = None;
            Some(asked.at)
        })
    }

    /// Notes that an answer was taken in.
    fn answered(&self, key: &(u32, GateKey), now: Timestamp) {
        self.with(|all| {
            if let Some(asked) = all.get_mut(key) {
                asked.answered = Some(now);
            }
        });
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

    /// A site of these that an incident waits for, each in its turn, with a ticket that is new.
    ///
    /// # Errors
    /// The register cannot be read, or the system gives no random numbers.
    pub(super) fn wish(
        &self,
        agent: &AgentRow,
        own: &BTreeSet<GateKey>,
    ) -> Result<Option<Wish>, Refused> {
        let now = self.now();
        for site in self.wishes.in_turn(agent.id, self.awaited(own), now - AGAIN_S) {
            if self.was_seen_since(&site, now - AGAIN_S)? {
                continue;
            }
            let ticket = secret::encode(&random::<16>()?);
            let wish = Wish { site: site.to_string(), ticket: ticket.clone() };
            self.wishes.put((agent.id, site), &ticket, now);
            return Ok(Some(wish));
        }
        Ok(None)
    }

    /// Those of these sites that an incident waits for.
    fn awaited(&self, own: &BTreeSet<GateKey>) -> Vec<GateKey> {
        let waits = |phase: Phase| WAITING.contains(&phase);
        self.engine.with_ledger(|ledger| {
            let is_awaited = |site: &&GateKey| {
                ledger.open().any(|(_, it)| it.case(site).is_some_and(|case| waits(case.phase)))
            };
            own.iter().filter(is_awaited).cloned().collect()
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
        // Whatever comes of it, the ticket is used.
        let asked = self.wishes.redeem(&key, &request.ticket);
        let in_time = |at: &Timestamp| (*at..=*at + INVENTORY_WAIT_S).contains(&now);
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
        let inventory = Inventory { site, sbom, observed_at: asked, profiles: None };
        let taken = self.engine.ingest(&actor, &[inventory], EvidenceKind::Scan);
        taken.map_err(|error| ServerError::caused("take in an inventory", error))?;
        self.wishes.answered(&key, now);
        Ok(Taken {})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: a site that gives no answer keeps no other waiting, and a look that took longer than
    /// its answer is new is not begun again at once. Method: turns by hand.
    #[test]
    fn every_site_has_its_turn() {
        let wishes = Wishes::default();
        let sites = || ["a", "b", "c"].map(|site| GateKey::new(site).unwrap()).to_vec();
        let next = |now: Timestamp| {
            let site = wishes.in_turn(1, sites(), now - AGAIN_S).first().cloned();
            let site = site.unwrap();
            wishes.put((1, site.clone()), &format!("t{now}"), now);
            site.to_string()
        };
        assert_eq!([10, 20, 30, 40].map(next), ["a", "b", "c", "a"]);
        // Another agent has its own turns.
        assert_eq!(wishes.in_turn(2, sites(), 0).len(), 3);
        let b = (1, GateKey::new("b").unwrap());
        assert_eq!(wishes.redeem(&b, "t20"), Some(20));
        assert_eq!(wishes.redeem(&b, "t20"), None, "a ticket is good once");
        // It took two hours, and is not asked for again as soon as it is there.
        wishes.answered(&b, 20 + 2 * AGAIN_S);
        assert_eq!([7_230, 7_240, 7_250].map(next), ["c", "a", "c"]);
        assert_eq!(next(20 + 3 * AGAIN_S), "b");
    }
}
