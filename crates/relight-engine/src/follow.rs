//! A register that other processes write to: what they add is taken in without reading everything
//! again, and evidence follows.

use std::sync::atomic::Ordering;

use relight_model::{AssetId, GateKey};
use relight_store::{LeftInventory, RegisterChange, SiteMark, SiteSet, SnapshotDraft, Store};

use crate::engine::{ACTOR, Engine, orgs_of};
use crate::error::{EngineError, EngineErrorKind};
use crate::incident::{Entry, EvidenceKind, Ledger};
use crate::ingest::Inventory;

/// How a change of what counts of advisories begins in the register.
pub const ADVISORIES_SET: &str = "advisories ";

/// Signs of what was said that the journal keeps; the register keeps all.
const SAID_MAX: usize = 400;

/// Stores inventories for whoever controls the register, who gives the open incidents their
/// evidence: takes no lease, so that a controller goes on undisturbed.
///
/// # Errors
/// A site is not in the register, or the store cannot be written.
pub fn leave(store: &Store, inventories: &[Inventory], now: i64) -> Result<(), EngineError> {
    let mut drafts = Vec::with_capacity(inventories.len());
    for Inventory { site, sbom, observed_at, profiles } in inventories {
        let asset = store.asset_by_key(site.as_str())?.ok_or_else(|| not_registered(site))?;
        let (observed_at, profiles) = (*observed_at, profiles.as_deref());
        drafts.push(SnapshotDraft { asset, sbom, observed_at, recorded_at: now, profiles });
    }
    store.leave_snapshots(&drafts)?;
    Ok(())
}

pub(crate) fn not_registered(site: &GateKey) -> EngineError {
    EngineError::new(EngineErrorKind::NotFound, format!("site {site} is not registered"))
}

impl Engine {
    /// Takes in what other processes added to the store: sites, inventories, advisories, and what
    /// the operator set about them. Open incidents get their evidence. Costs what changed.
    ///
    /// # Errors
    /// The store cannot be read, or the journal cannot be written.
    pub fn follow_store(&self) -> Result<(), EngineError> {
        let sites = self.store.sites()?;
        let (orgs, protected) = (orgs_of(&self.store)?, self.store.marked(SiteMark::Protected)?);
        {
            let mut state = self.write();
            (state.orgs, state.protected) = (orgs, protected);
            state.take_sites(sites);
            state.inventory.follow_inventories(&self.store)?;
            state.inventory.follow(&self.store)?;
        }
        self.tell_sites()?;
        // Good news that waits for room on the disk keeps no bad news of others waiting.
        let followed = self.follow_advisories();
        followed.and(self.take_left())
    }

    /// Journals the drills that other processes left and what people set about advisories beside
    /// this one, and attaches evidence about the assets that they left, to every open incident.
    pub(crate) fn take_left(&self) -> Result<(), EngineError> {
        let done = self.take_drills().and(self.take_changes());
        let left = self.store.left_inventories()?;
        if left.is_empty() {
            return done;
        }
        let sites = self.sites_on(left.iter().map(|LeftInventory { asset, .. }| *asset));
        let heard = self.tell_open(ACTOR, &sites, EvidenceKind::Scan);
        done.and(heard.and_then(|()| Ok(self.store.take_left(&left)?)))
    }

    /// Journals what people set about advisories on the command line, which asks nobody: whoever
    /// follows the journal sees who did it, and when: it may have been long ago.
    fn take_changes(&self) -> Result<(), EngineError> {
        let noted = self.with_ledger(Ledger::changes_noted);
        let seen = self.changes_seen.load(Ordering::Relaxed).max(noted);
        for change in self.store.register_changes(seen + 1)? {
            let RegisterChange { seq: number, at, actor, what, after, .. } = change;
            if let Some(what) = what.strip_prefix(ADVISORIES_SET) {
                let (what, said) = (what.to_owned(), after.chars().take(SAID_MAX).collect());
                let entry = Entry::AdvisoriesSet { number, what, said, at };
                self.append(&actor, vec![(String::new(), entry)])?;
            }
            self.changes_seen.fetch_max(number, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Attaches evidence about these sites to every open incident: one that cannot be told keeps no
    /// other waiting.
    pub(crate) fn tell_open(
        &self,
        actor: &str,
        sites: &[GateKey],
        kind: EvidenceKind,
    ) -> Result<(), EngineError> {
        let mut heard = Ok(());
        for id in self.open_ids() {
            heard = heard.and(self.attach_evidence(actor, &id, sites, kind).map(drop));
        }
        heard
    }

    /// The open incidents.
    pub(crate) fn open_ids(&self) -> Vec<String> {
        self.with_ledger(|ledger| ledger.open().map(|(id, _)| id.to_owned()).collect())
    }

    fn sites_on(&self, assets: impl Iterator<Item = AssetId>) -> Vec<GateKey> {
        let state = self.read();
        let assets: SiteSet = assets.map(|asset| asset.0).collect();
        let numbers = state.inventory.index().sites_of(&assets);
        let held = state.sites.iter().filter(|site| numbers.contains(site.id.0));
        held.map(|site| site.slug.clone()).collect()
    }
}
