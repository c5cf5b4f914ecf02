//! Index, advisories and the match list between them, kept in step.

use std::collections::{BTreeMap, BTreeSet};

use relight_formats::advisory;
use relight_match::{Advisories, Change, Matcher};
use relight_model::{Advisory, AssetId};
use relight_store::{Index, Store, StoreError, StoredAdvisory};
use roaring::RoaringBitmap;

use crate::error::EngineError;
use crate::trust::policy_of;

/// What is installed where, what is bad, and which of the one is the other.
pub(crate) struct Inventoried {
    index: Index,
    matcher: Matcher,
    /// Identities of the index below this number are in the matcher.
    matched: u32,
    /// Number of the newest record of the advisories that was read.
    advisory_seq: u64,
}

/// The sites where an advisory finds something, as numbers of sites.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FoundSites {
    /// Affected for certain, mitigated ones included.
    pub affected: RoaringBitmap,
    /// Perhaps affected; without those that are for certain.
    pub possible: RoaringBitmap,
}

impl Inventoried {
    /// Reads everything.
    pub(crate) fn read(store: &Store) -> Result<Self, EngineError> {
        let advisory_seq = store.advisory_seq()?;
        let index = Index::build(store)?;
        let matcher = Matcher::new(advisories_of(store)?);
        let mut inventory = Self { index, matcher, matched: 0, advisory_seq };
        inventory.match_new();
        Ok(inventory)
    }

    /// The index.
    pub(crate) const fn index(&self) -> &Index {
        &self.index
    }

    /// The advisories in force.
    pub(crate) const fn advisories(&self) -> &Advisories {
        self.matcher.advisories()
    }

    /// The match list.
    pub(crate) const fn matcher(&self) -> &Matcher {
        &self.matcher
    }

    /// Reads the inventories of these assets again.
    pub(crate) fn refresh(&mut self, store: &Store, assets: &[AssetId]) -> Result<(), EngineError> {
        self.index.refresh(store, assets)?;
        self.match_new();
        Ok(())
    }

    /// Takes in the records that came since they were last read.
    pub(crate) fn follow(&mut self, store: &Store) -> Result<(), EngineError> {
        let newest = store.advisory_seq()?;
        let mut changes = BTreeMap::new();
        for stored in store.advisories_since(self.advisory_seq)? {
            if let Some(record) = read(&stored) {
                let key = (record.source.clone(), record.id.clone());
                changes.entry(key).or_insert_with(Vec::new).push(record);
            }
        }
        let changes = changes.into_iter().map(|((source, id), now)| Change { source, id, now });
        self.matcher.apply(changes.collect());
        self.advisory_seq = newest;
        Ok(())
    }

    /// The sites where any of the flaws of an id finds something.
    pub(crate) fn found(&self, id: &str) -> FoundSites {
        let mut found = FoundSites::default();
        for group in self.advisories().groups_of(id) {
            for matched in self.matcher.matches(&group.id) {
                let number = relight_store::IdentityId(matched.identity);
                let Some(assets) = self.index.assets_with(number) else { continue };
                match matched.state() {
                    Some(state) if state.is_affected() => {
                        self.index.add_sites_of(assets, &mut found.affected);
                    }
                    Some(_) => self.index.add_sites_of(assets, &mut found.possible),
                    None => {}
                }
            }
        }
        found.possible -= &found.affected;
        found
    }

    /// As [`crate::Engine::rematch`].
    pub(crate) fn rematch(&mut self) -> bool {
        self.matcher.rematch()
    }

    /// As [`crate::Engine::matched_rows`].
    pub(crate) fn matched_rows(&self) -> u64 {
        let matched: BTreeSet<u32> =
            self.matcher.lists().flat_map(|(_, list)| list).map(|it| it.identity).collect();
        let holders = matched.into_iter().map(relight_store::IdentityId);
        holders.filter_map(|id| self.index.assets_with(id)).map(RoaringBitmap::len).sum()
    }

    /// Gives the matcher the identities that are new in the index. One that nobody holds any more
    /// stays in it: its posting is empty, and its number may come back.
    fn match_new(&mut self) {
        let new = self.index.identities_from(self.matched);
        let new: Vec<_> = new.map(|(id, component)| (id.0, component.clone())).collect();
        self.matched = new.last().map_or(self.matched, |(number, _)| number + 1);
        self.matcher.add(new);
    }
}

/// The advisories of the store, and those that relight ships where the store has no newer record.
///
/// # Errors
/// The store cannot be read.
pub fn advisories_of(store: &Store) -> Result<Advisories, StoreError> {
    let mut records = advisory::builtin_advisories();
    for stored in store.advisories()? {
        records.extend(read(&stored));
    }
    Ok(Advisories::with_policy(records, policy_of(store)?))
}

fn read(stored: &StoredAdvisory) -> Option<Advisory> {
    let mut record = advisory::read_kept(&stored.source, &stored.id, &stored.bytes)?;
    record.withdrawn = record.withdrawn.or(stored.ended);
    Some(record)
}
