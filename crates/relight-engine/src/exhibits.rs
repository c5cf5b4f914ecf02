//! Files and classes that an advisory of our own means, looked for in the present inventories: by
//! digest, by example, by path and by name. Nothing is scanned again.
//!
//! Found is affected. Not found is clear only where the inventory would have shown it: of an
//! example with code, or of the name of a class, where every archive was looked into. Inventories
//! name the digests and the paths of some files and not of all, so these find and never clear.

use std::collections::{BTreeMap, BTreeSet};
use std::slice;
use std::sync::Arc;

use relight_match::{Advisories, Comparison, Question};
use relight_model::{
    AskedClass, AssetId, ClassNames, Component, Digest, Example, Exhibit, Glob, Profile,
};
use relight_store::{Index, ProfileLook, Store, StoreError, step_like};
use roaring::RoaringBitmap;

use crate::alike::Looked;

/// Classes shown of one container.
const CLASSES_SHOWN_MAX: usize = 4;

/// What one list of names of classes has of those that are meant.
#[derive(Clone, Debug)]
struct Named {
    /// The first of them.
    names: Vec<String>,
    /// No name is missing from the list.
    is_whole: bool,
}

/// What the present inventories say about the files that one question means.
#[derive(Clone, Debug, Default)]
pub struct Exhibited {
    /// The digests that were looked for.
    hashes: Vec<Digest>,
    /// The paths that were looked for.
    paths: Vec<Glob>,
    /// Where inventories hold them, by snapshot: a snapshot never changes.
    read: BTreeMap<Digest, Arc<[String]>>,
    /// The names of classes that were looked for.
    classes: Vec<Glob>,
    /// What the lists of names hold of them, by their digest.
    named: BTreeMap<Digest, Arc<Named>>,
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
    /// the present ones only, so an example or a class finds nothing there, and clears nobody.
    pub fn of_past(
        store: &Store,
        past: &Index,
        advisories: &Advisories,
        question: &Question,
    ) -> Option<Self> {
        Self::past(store, past, &question.exhibits(advisories))
    }

    /// The same for what a question is known to mean.
    pub(crate) fn past(store: &Store, past: &Index, exhibits: &[&Exhibit]) -> Option<Self> {
        if exhibits.is_empty() {
            return None;
        }
        let is_file = |it: &&Exhibit| matches!(it, Exhibit::File(_) | Exhibit::Path(_));
        let files: Vec<&Exhibit> = exhibits.iter().copied().filter(is_file).collect();
        let mut looked = Self::meaning(&files);
        let found = looked.look_for_files(store, past, &Self::default());
        Some(if found.is_ok() { looked } else { Self::default().unsure() })
    }

    /// Looks for these files; `before` is what was seen of some of the inventories.
    pub(crate) fn look(
        store: &Store,
        index: &Index,
        exhibits: &[&Exhibit],
        before: &Self,
    ) -> Result<Self, StoreError> {
        let mut all = Self::meaning(exhibits);
        all.look_for_files(store, index, before)?;
        let mut examples = Vec::new();
        for exhibit in exhibits {
            if let Exhibit::Like(example) = exhibit {
                examples.push(example);
            }
        }
        store.look_at_profiles(|look| {
            all.look_for_places(look)?;
            let assets: BTreeSet<AssetId> = look.assets()?.into_iter().collect();
            let unseen = all.look_for_classes(look, before)?;
            all.seen = assets.difference(&unseen).copied().collect();
            all.look_for_examples(look, &examples)
        })?;
        if !all.hashes.is_empty() || !all.paths.is_empty() {
            all.seen.clear();
        }
        Ok(all)
    }

    /// What these mean besides examples; nothing was looked for.
    fn meaning(exhibits: &[&Exhibit]) -> Self {
        let mut all = Self::default();
        for exhibit in exhibits {
            match exhibit {
                Exhibit::File(digest) => all.hashes.push(*digest),
                Exhibit::Path(glob) => all.paths.push(glob.clone()),
                Exhibit::Class(glob) => all.classes.push(glob.clone()),
                Exhibit::Like(_) => {}
            }
        }
        all
    }

    /// Files that inventories name: by digest, and by path.
    fn look_for_files(
        &mut self,
        store: &Store,
        index: &Index,
        before: &Self,
    ) -> Result<(), StoreError> {
        if self.hashes.is_empty() && self.paths.is_empty() {
            return Ok(());
        }
        if (&before.hashes, &before.paths) == (&self.hashes, &self.paths) {
            self.read.clone_from(&before.read);
        }
        let present: BTreeMap<AssetId, Digest> =
            index.assets().filter_map(|(asset, state)| Some((asset, state.snapshot?))).collect();
        let snapshots: BTreeSet<Digest> = present.values().copied().collect();
        self.read.retain(|digest, _| snapshots.contains(digest));
        let new = snapshots.into_iter().filter(|digest| !self.read.contains_key(digest));
        let new: Vec<Digest> = new.collect();
        let places = store.places_of_files(&new, (&self.hashes, &self.paths))?;
        for (digest, places) in new.iter().zip(places) {
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

    /// Archives that were looked into, by path, whatever was recognised in them.
    fn look_for_places(&mut self, look: &ProfileLook<'_>) -> Result<(), StoreError> {
        if self.paths.is_empty() {
            return Ok(());
        }
        let Self { paths, found, .. } = self;
        look.each_place(&mut |asset, place| {
            if let Some(step) = step_like(place, paths) {
                found.entry(asset).or_default().insert(step.to_owned());
            }
        })
    }

    /// Classes by name; the assets of which not all names are known.
    fn look_for_classes(
        &mut self,
        look: &ProfileLook<'_>,
        before: &Self,
    ) -> Result<BTreeSet<AssetId>, StoreError> {
        let mut unseen = BTreeSet::new();
        if self.classes.is_empty() {
            return Ok(unseen);
        }
        let is_same = before.classes == self.classes;
        for (id, digest) in look.names()? {
            let known = before.named.get(&digest).filter(|_| is_same).cloned();
            let named = match known {
                Some(known) => known,
                None => Arc::new(Named::of(&look.class_names(id)?, &self.classes)),
            };
            if !named.is_whole || !named.names.is_empty() {
                for (asset, place) in look.places_with(Some(id))? {
                    let places = named.names.iter().map(|name| inside(&place, name));
                    self.found.entry(asset).or_default().extend(places);
                    unseen.extend((!named.is_whole).then_some(asset));
                }
            }
            self.named.insert(digest, named);
        }
        // An asset without any would be one that holds some.
        self.found.retain(|_, places| !places.is_empty());
        unseen.extend(look.places_with(None)?.into_iter().map(|(asset, _)| asset));
        unseen.extend(look.assets_of_before()?);
        Ok(unseen)
    }

    fn look_for_examples(
        &mut self,
        look: &ProfileLook<'_>,
        examples: &[&Example],
    ) -> Result<(), StoreError> {
        let at = |example: &&Example| {
            let least = f64::from(example.least) / 1000.0;
            Looked::at(look, slice::from_ref(&example.values), least)
        };
        let looked: Vec<Looked> = examples.iter().map(at).collect::<Result<_, _>>()?;
        self.seen.retain(|asset| looked.iter().all(|it| it.sees(*asset)));
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

impl Named {
    fn of(list: &ClassNames, classes: &[Glob]) -> Self {
        let mut names = Vec::new();
        let asked: Vec<AskedClass> = classes.iter().map(AskedClass::of).collect();
        list.each(&mut |name| {
            if names.len() < CLASSES_SHOWN_MAX && asked.iter().any(|it| it.fits(name)) {
                names.push(name.to_owned());
            }
        });
        Self { names, is_whole: list.is_whole() }
    }
}

/// Where a class is in a container, or in a folder of a class path.
fn inside(place: &str, name: &str) -> String {
    match place {
        "./" => name.to_owned(),
        folder if folder.ends_with('/') => format!("{folder}{name}"),
        container => format!("{container}!/{name}"),
    }
}

/// Where one scan holds what an exhibit means. Names of packages say nothing about it.
pub fn places_in(
    exhibit: &Exhibit,
    components: &[Component],
    profiles: &[Profile],
) -> BTreeSet<String> {
    let evidence = || components.iter().map(|it| it.evidence.as_str());
    let containers = || profiles.iter().map(|it| it.place.as_str());
    match exhibit {
        Exhibit::File(digest) => {
            let held = components.iter().filter(|it| it.hashes.contains(digest));
            held.map(|it| it.evidence.clone()).collect()
        }
        Exhibit::Like(example) => like(example, profiles).into_iter().map(str::to_owned).collect(),
        Exhibit::Path(glob) => {
            let steps = evidence().chain(containers());
            steps.filter_map(|it| step_like(it, slice::from_ref(glob))).map(str::to_owned).collect()
        }
        Exhibit::Class(glob) => {
            let named = |it: &Profile| {
                let names = it.names.as_ref()?;
                let found = Named::of(names, slice::from_ref(glob)).names;
                Some(found.into_iter().map(|name| inside(&it.place, &name)).collect::<Vec<_>>())
            };
            profiles.iter().filter_map(named).flatten().collect()
        }
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
