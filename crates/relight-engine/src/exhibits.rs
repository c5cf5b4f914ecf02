//! Files that an advisory of our own means, looked for in the present inventories: by digest and by
//! example. Nothing is scanned again.
//!
//! Found is affected. Not found is clear only where the inventory would have shown it: of an
//! example with code, where every archive was looked into. Inventories name the digests of some
//! files and not of all, so a digest finds and never clears.

use std::collections::{BTreeMap, BTreeSet};
use std::slice;
use std::sync::Arc;

use relight_match::{Advisories, Comparison, Question};
use relight_model::{AssetId, Component, Digest, Example, Exhibit, Profile};
use relight_store::{Index, ProfileLook, Store, StoreError};
use roaring::RoaringBitmap;

use crate::alike::Looked;

/// What the present inventories say about the files that one question means.
#[derive(Clone, Debug, Default)]
pub struct Exhibited {
    /// The digests that were looked for.
    hashes: Vec<Digest>,
    /// Where inventories hold them, by snapshot: a snapshot never changes.
    read: BTreeMap<Digest, Arc<[String]>>,
    found: BTreeMap<AssetId, BTreeSet<String>>,
    /// Assets in which all of it would have been found.
    seen: BTreeSet<AssetId>,
    /// The last look failed: what was found before stands, and nobody is clear.
    is_unsure: bool,
}

impl Exhibited {
    /// Looks for the files that a question means; `None` when it means none. What cannot be read
    /// leaves every site unknown.
    pub fn of(
        store: &Store,
        index: &Index,
        advisories: &Advisories,
        question: &Question,
    ) -> Option<Self> {
        let exhibits = question.exhibits(advisories);
        let looked = || Self::look(store, index, &exhibits, &Self::default());
        (!exhibits.is_empty()).then(|| looked().unwrap_or_else(|_| Self::default().unsure()))
    }

    /// As [`Exhibited::of`], in inventories of the past. What containers were made of is kept of
    /// the present ones only, so an example finds nothing there, and clears nobody.
    pub fn of_past(
        store: &Store,
        past: &Index,
        advisories: &Advisories,
        question: &Question,
    ) -> Option<Self> {
        let exhibits = question.exhibits(advisories);
        if exhibits.is_empty() {
            return None;
        }
        let is_file = |it: &&Exhibit| matches!(it, Exhibit::File(_));
        let files: Vec<&Exhibit> = exhibits.into_iter().filter(is_file).collect();
        let looked = Self::look(store, past, &files, &Self::default());
        Some(looked.unwrap_or_else(|_| Self::default().unsure()))
    }

    /// Looks for these files; `before` is what was seen of some of the inventories.
    pub(crate) fn look(
        store: &Store,
        index: &Index,
        exhibits: &[&Exhibit],
        before: &Self,
    ) -> Result<Self, StoreError> {
        let (mut hashes, mut examples) = (Vec::new(), Vec::new());
        for exhibit in exhibits {
            match exhibit {
                Exhibit::File(digest) => hashes.push(*digest),
                Exhibit::Like(example) => examples.push(example),
            }
        }
        let mut all = Self { hashes, ..Self::default() };
        if !all.hashes.is_empty() {
            all.look_for_hashes(store, index, before)?;
        }
        if !examples.is_empty() {
            all.look_for_examples(store, &examples)?;
        }
        if !all.hashes.is_empty() {
            all.seen.clear();
        }
        Ok(all)
    }

    fn look_for_hashes(
        &mut self,
        store: &Store,
        index: &Index,
        before: &Self,
    ) -> Result<(), StoreError> {
        if before.hashes == self.hashes {
            self.read.clone_from(&before.read);
        }
        let present: BTreeMap<AssetId, Digest> =
            index.assets().filter_map(|(asset, state)| Some((asset, state.snapshot?))).collect();
        let snapshots: BTreeSet<Digest> = present.values().copied().collect();
        self.read.retain(|digest, _| snapshots.contains(digest));
        let new = snapshots.into_iter().filter(|digest| !self.read.contains_key(digest));
        let new: Vec<Digest> = new.collect();
        for (digest, places) in new.iter().zip(store.places_of_hashes(&new, &self.hashes)?) {
            self.read.insert(*digest, places.into());
        }
        for (asset, snapshot) in present {
            let places = self.read.get(&snapshot).filter(|places| !places.is_empty());
            if let Some(places) = places {
                self.found.entry(asset).or_default().extend(places.iter().cloned());
            }
        }
        Ok(())
    }

    fn look_for_examples(
        &mut self,
        store: &Store,
        examples: &[&Example],
    ) -> Result<(), StoreError> {
        let each = |look: &ProfileLook<'_>| {
            let at = |example: &&Example| {
                let least = f64::from(example.least) / 1000.0;
                Looked::at(look, slice::from_ref(&example.values), least)
            };
            let looked: Vec<Looked> = examples.iter().map(at).collect::<Result<_, _>>()?;
            Ok((looked, look.assets()?))
        };
        let (looked, assets) = store.look_at_profiles(each)?;
        let sees = |asset: &AssetId| looked.iter().all(|it| it.sees(*asset));
        self.seen = assets.into_iter().filter(sees).collect();
        for (asset, found) in looked.into_iter().flat_map(|it| it.found) {
            let places = found.into_iter().map(|it| it.place);
            self.found.entry(asset).or_default().extend(places);
        }
        Ok(())
    }

    /// What is left of an earlier look when one fails: places that were found, and nobody clear.
    pub(crate) fn unsure(&self) -> Self {
        Self { seen: BTreeSet::new(), is_unsure: true, ..self.clone() }
    }

    /// The last look failed, so that nobody knows who else holds one of the files.
    pub(crate) fn is_unsure(&self) -> bool {
        self.is_unsure
    }

    /// Where an asset holds one of the files, sorted.
    pub fn places(&self, asset: AssetId) -> impl Iterator<Item = &str> {
        self.found.get(&asset).into_iter().flatten().map(String::as_str)
    }

    /// Whether all of it would have been found in an asset.
    pub fn sees(&self, asset: AssetId) -> bool {
        self.seen.contains(&asset)
    }

    /// The numbers of the assets that hold one of the files.
    pub(crate) fn assets(&self) -> RoaringBitmap {
        self.found.keys().map(|asset| asset.0).collect()
    }
}

/// Where one scan holds what an exhibit means. Names of packages say nothing about it.
pub fn places_in<'a>(
    exhibit: &Exhibit,
    components: &'a [Component],
    profiles: &'a [Profile],
) -> BTreeSet<&'a str> {
    match exhibit {
        Exhibit::File(digest) => {
            let held = components.iter().filter(|it| it.hashes.contains(digest));
            held.map(|it| it.evidence.as_str()).collect()
        }
        Exhibit::Like(example) => like(example, profiles),
    }
}

/// The containers of one scan that are like an example: what is rare among them tells most, as it
/// does among the inventories of a register.
fn like<'a>(example: &Example, profiles: &'a [Profile]) -> BTreeSet<&'a str> {
    let kind = example.values.compared();
    let mut holders: BTreeMap<u64, Vec<u32>> = BTreeMap::new();
    for (number, profile) in (0..).zip(profiles) {
        for value in profile.values.of(kind) {
            holders.entry(*value).or_default().push(number);
        }
    }
    let mut whole = vec![0.0; profiles.len()];
    for held in holders.values() {
        held.iter().for_each(|number| whole[*number as usize] += 1.0 / held.len() as f64);
    }
    let asked = example.values.of(kind);
    let mut comparison = Comparison::new(asked.len(), profiles.len());
    for value in asked {
        comparison.value(holders.get(value).map_or(&[], Vec::as_slice));
    }
    let found = comparison.alike(|number| whole[number], f64::from(example.least) / 1000.0);
    found.iter().map(|it| profiles[it.container].place.as_str()).collect()
}

#[cfg(test)]
mod tests;
