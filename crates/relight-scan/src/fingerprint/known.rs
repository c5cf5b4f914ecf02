//! The databases of a scan: artifacts by name, and who owns what was found.

use std::collections::HashMap;
use std::sync::OnceLock;

use relight_model::Digest;

use super::archives::{Answer, Learnt};
use super::database::{Damaged, Database, FeatureKind, KnownRelease, OWNERS_MAX, WEIGHT_ONE};

/// A database, and others beside it.
#[derive(Debug, Default)]
pub(crate) struct Known {
    database: Option<Database>,
    catalog: OnceLock<Catalog>,
    /// Each is asked for itself: what one of them knows adds names, and never takes away what
    /// others or metadata say.
    more: Vec<Known>,
}

/// The artifacts of a database.
#[derive(Debug, Default)]
pub(crate) struct Catalog {
    pub(crate) artifacts: Vec<KnownArtifact>,
    /// The classes that advisories name.
    pub(crate) named: Vec<NamedClass>,
    by_name: HashMap<String, u32>,
    /// A database whose names cannot be read: what it knows is not known.
    pub(crate) is_damaged: bool,
}

/// An artifact of a database.
#[derive(Debug)]
pub(crate) struct KnownArtifact {
    /// `group:artifact`, or the artifact alone.
    pub(crate) name: String,
    /// In the order of versions.
    pub(crate) releases: Vec<KnownRelease>,
}

/// A class that an advisory names.
#[derive(Debug)]
pub(crate) struct NamedClass {
    pub(crate) artifact: u32,
    pub(crate) class: String,
    /// What it is, and the releases in which it is that.
    pub(crate) texts: Vec<(u64, Vec<u32>)>,
}

/// Who owns a feature: artifacts with their releases, and what the feature weighs.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Owners {
    pub(crate) holders: Vec<(u32, Vec<u32>)>,
    pub(crate) weight: u64,
}

impl Owners {
    /// The releases of an artifact that own the feature.
    pub(crate) fn releases(&self, artifact: u32) -> &[u32] {
        let held = self.holders.iter().find(|(holder, _)| *holder == artifact);
        held.map_or(&[], |(_, releases)| releases)
    }
}

/// Values that databases know, and who owns them. Thousands of values share a few sets of owners.
#[derive(Debug, Default)]
pub(crate) struct Features {
    /// Sorted: the value, and the number of its owners in [`Self::sets`].
    pub(crate) values: Vec<(u64, u32)>,
    pub(crate) sets: Vec<Owners>,
}

impl Features {
    /// The place of a value.
    pub(crate) fn find(&self, value: u64) -> Option<usize> {
        self.values.binary_search_by_key(&value, |(value, _)| *value).ok()
    }

    /// How many values each set owns.
    pub(crate) fn counts(&self) -> Vec<u64> {
        let mut counts = vec![0; self.sets.len()];
        self.values.iter().for_each(|(_, set)| counts[*set as usize] += 1);
        counts
    }
}

impl Known {
    pub(crate) fn new(databases: Vec<Database>) -> Self {
        let mut all =
            databases.into_iter().map(|it| Self { database: Some(it), ..Self::default() });
        let first = all.next().unwrap_or_default();
        Self { more: all.collect(), ..first }
    }

    /// The databases beside the first.
    pub(crate) fn more(&self) -> &[Self] {
        &self.more
    }

    /// The names of the databases.
    pub(crate) fn digests(&self) -> impl Iterator<Item = Digest> {
        let all = std::iter::once(self).chain(&self.more);
        all.filter_map(|it| it.database.as_ref()).map(Database::digest)
    }

    /// Nothing is known: nothing need be compared.
    pub(crate) fn is_empty(&self) -> bool {
        self.database.is_none()
    }

    /// The artifacts of the first database; read when the first class is met.
    pub(crate) fn catalog(&self) -> &Catalog {
        self.catalog.get_or_init(|| self.database.as_ref().map(Catalog::read).unwrap_or_default())
    }

    /// Classes of the smallest known release of an artifact with any that tell it from others; 0
    /// when there is none.
    pub(crate) fn classes_min(&self, artifact: &str) -> u64 {
        let telling = self.releases(artifact).iter().map(|release| release.sums[0]);
        telling.filter(|sums| sums.unique > 0).map(|sums| sums.features).min().unwrap_or_default()
    }

    /// The versions of an artifact that were learnt.
    pub(crate) fn versions(&self, artifact: &str) -> impl Iterator<Item = &str> {
        self.releases(artifact).iter().map(|release| release.version.as_str())
    }

    fn releases(&self, artifact: &str) -> &[KnownRelease] {
        let catalog = self.catalog();
        let number = catalog.by_name.get(artifact);
        number.map_or(&[], |number| &catalog.artifacts[*number as usize].releases)
    }

    /// Whether no database knows a value for sure; their filters decide, and no block is read.
    pub(crate) fn is_stranger(&self, kind: FeatureKind, value: u64) -> bool {
        !self.database.as_ref().is_some_and(|it| it.may_hold(kind, value))
            && self.more.iter().all(|it| it.is_stranger(kind, value))
    }

    /// What is known of an archive with this directory; `is_it` judges by the digest that the
    /// archive had when it was learnt. Of the first database alone: what others say of members
    /// would stand for reading them.
    pub(crate) fn archive(
        &self,
        directory: u64,
        is_it: &mut dyn FnMut(Digest) -> bool,
    ) -> Option<Learnt> {
        // What a database cannot say is read from the archive itself.
        self.database.as_ref()?.archive(directory, is_it).ok().flatten()
    }

    /// What fast mode says about an archive with this directory. Only of a single database: what
    /// several say together is another answer.
    pub(crate) fn answer(&self, directory: u64) -> Option<Answer> {
        let database = self.database.as_ref().filter(|_| self.more.is_empty())?;
        database.answer(directory).ok().flatten()
    }

    /// What the first database knows of values, sorted and without doubles.
    ///
    /// # Errors
    /// A block of the database is damaged: what it holds is missing.
    pub(crate) fn features(
        &self,
        kind: FeatureKind,
        values: &[u64],
    ) -> (Features, Result<(), Damaged>) {
        let Some(database) = &self.database else { return (Features::default(), Ok(())) };
        let mut owned: Vec<(u64, u32)> = Vec::new();
        let found = |value, owners| owned.push((value, owners));
        let outcome = database.lookup(kind, values.iter().copied(), found);
        owned.sort_unstable();
        owned.dedup_by_key(|(value, _)| *value);
        let mut numbers: Vec<u32> = owned.iter().map(|(_, owners)| *owners).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let set_of = |owners: u32| numbers.partition_point(|it| *it < owners) as u32;
        let values = owned.iter().map(|(value, owners)| (*value, set_of(*owners))).collect();
        let sets = numbers.iter().map(|number| owners(database, *number)).collect();
        (Features { values, sets }, outcome)
    }
}

fn owners(database: &Database, number: u32) -> Owners {
    let Ok(names) = database.names() else { return Owners::default() };
    let of_number = names.holders(number);
    let holders: Vec<_> =
        of_number.map(|(artifact, releases)| (artifact, releases.into())).collect();
    Owners { weight: weight_among(holders.len()), holders }
}

/// What a feature of so many owners weighs.
fn weight_among(owners: usize) -> u64 {
    if (1..=OWNERS_MAX).contains(&owners) { WEIGHT_ONE / owners as u64 } else { 0 }
}

impl Catalog {
    fn read(database: &Database) -> Self {
        let mut catalog = Self::default();
        let Ok(names) = database.names() else { return Self { is_damaged: true, ..catalog } };
        for (artifact, number) in names.artifacts.iter().zip(0..) {
            let (name, releases) = (artifact.name.clone(), artifact.releases.clone());
            catalog.by_name.entry(name.clone()).or_insert(number);
            catalog.artifacts.push(KnownArtifact { name, releases });
        }
        for named in &names.classes {
            let mut texts = Vec::new();
            let found = |text, owners| {
                let held = names.holders(owners).find(|held| held.0 == named.artifact);
                let releases = held.into_iter().flat_map(|(_, releases)| releases);
                texts.push((text, releases.into_iter().copied().collect()));
            };
            let outcome = database.lookup(FeatureKind::Text, named.texts.iter().copied(), found);
            catalog.is_damaged |= outcome.is_err();
            let (artifact, class) = (named.artifact, named.class.clone());
            catalog.named.push(NamedClass { artifact, class, texts });
        }
        catalog
    }

    /// The classes of an artifact that advisories name.
    pub(crate) fn named_of(&self, artifact: u32) -> impl Iterator<Item = &NamedClass> {
        self.named.iter().filter(move |named| named.artifact == artifact)
    }
}
