//! Several databases as one: artifacts by name, and who owns what was found.

use std::collections::{BTreeMap, HashMap};
use std::sync::OnceLock;

use relight_model::Digest;

use super::archives::{Answer, Learnt};
use super::database::{Damaged, Database, FeatureKind, KnownRelease, OWNERS_MAX, WEIGHT_ONE};

/// The databases of a scan.
#[derive(Debug, Default)]
pub(crate) struct Known {
    databases: Vec<Database>,
    catalog: OnceLock<Catalog>,
}

/// The artifacts of all databases.
#[derive(Debug, Default)]
pub(crate) struct Catalog {
    pub(crate) artifacts: Vec<KnownArtifact>,
    /// Of each database: the number here of each of its artifacts, and of its first release.
    places: Vec<Vec<(u32, u32)>>,
    /// The classes that advisories name.
    pub(crate) named: Vec<NamedClass>,
    by_name: HashMap<String, u32>,
    /// A database whose names cannot be read: what it knows is not known.
    pub(crate) is_damaged: bool,
}

/// An artifact of one database or of several.
#[derive(Debug)]
pub(crate) struct KnownArtifact {
    /// `group:artifact`, or the artifact alone.
    pub(crate) name: String,
    /// Those of each database in the order of versions, one database behind the other.
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
    /// What the feature loses by owners in other databases: the sums of a release know those of
    /// its own only.
    pub(crate) losses: Vec<Loss>,
}

/// What a feature counts less for a release than where it was learnt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Loss {
    pub(crate) artifact: u32,
    pub(crate) release: u32,
    pub(crate) weight: u64,
    /// Nobody else owned it there.
    pub(crate) was_unique: bool,
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

/// A value, a database that knows it, and the number of its owners there.
type Held = (u64, usize, u32);

impl Known {
    pub(crate) fn new(databases: Vec<Database>) -> Self {
        Self { databases, catalog: OnceLock::new() }
    }

    /// The names of the databases.
    pub(crate) fn digests(&self) -> impl Iterator<Item = Digest> {
        self.databases.iter().map(Database::digest)
    }

    /// Nothing is known: nothing need be compared.
    pub(crate) fn is_empty(&self) -> bool {
        self.databases.is_empty()
    }

    /// The artifacts; read when the first class is met.
    pub(crate) fn catalog(&self) -> &Catalog {
        self.catalog.get_or_init(|| Catalog::read(&self.databases))
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

    /// Whether a value is not known for sure; the filters of the databases decide, and no block is
    /// read.
    pub(crate) fn is_stranger(&self, kind: FeatureKind, value: u64) -> bool {
        !self.databases.iter().any(|database| database.may_hold(kind, value))
    }

    /// What is known of an archive with this directory; `is_it` judges by the digest that the
    /// archive had when it was learnt.
    pub(crate) fn archive(
        &self,
        directory: u64,
        is_it: &mut dyn FnMut(Digest) -> bool,
    ) -> Option<Learnt> {
        // What a database cannot say is read from the archive itself.
        let mut databases = self.databases.iter();
        databases.find_map(|database| database.archive(directory, is_it).ok().flatten())
    }

    /// What fast mode says about an archive with this directory. Only of a single database: what
    /// several say together is another answer.
    pub(crate) fn answer(&self, directory: u64) -> Option<Answer> {
        let [database] = &self.databases[..] else { return None };
        database.answer(directory).ok().flatten()
    }

    /// What is known of values, sorted and without doubles.
    ///
    /// # Errors
    /// A block of a database is damaged: what it holds is missing.
    pub(crate) fn features(
        &self,
        kind: FeatureKind,
        values: &[u64],
    ) -> (Features, Result<(), Damaged>) {
        let mut outcome = Ok(());
        let mut owned: Vec<Held> = Vec::new();
        for (number, database) in self.databases.iter().enumerate() {
            let found = |value, owners| owned.push((value, number, owners));
            outcome = outcome.and(database.lookup(kind, values.iter().copied(), found));
        }
        owned.sort_unstable();
        let mut features = Features::default();
        let by_value = owned.chunk_by(|one, other| one.0 == other.0);
        let mut named: Vec<(&[Held], u32)> = by_value.zip(0..).collect();
        features.values = named.iter().map(|(same, _)| (same[0].0, 0)).collect();
        let compare = |(one, _): &(&[Held], u32), (other, _): &(&[Held], u32)| {
            let owners = |(_, database, owners): &Held| (*database, *owners);
            one.iter().map(owners).cmp(other.iter().map(owners))
        };
        named.sort_unstable_by(compare);
        for same in named.chunk_by(|one, other| compare(one, other).is_eq()) {
            let set = features.sets.len() as u32;
            features.sets.push(self.owners(same[0].0));
            same.iter().for_each(|(_, at)| features.values[*at as usize].1 = set);
        }
        (features, outcome)
    }

    fn owners(&self, owners: &[Held]) -> Owners {
        let catalog = self.catalog();
        let mut holders: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        // Artifact, release, and how many owned the feature where that was learnt.
        let mut learnt: Vec<(u32, u32, usize)> = Vec::new();
        for (_, database, number) in owners {
            let Ok(names) = self.databases[*database].names() else { continue };
            let places = &catalog.places[*database];
            let of_database = names.holders(*number);
            let count = of_database.len();
            if count == 0 {
                return Owners::default();
            }
            for (artifact, releases) in of_database {
                let (artifact, first) = places[artifact as usize];
                let releases = releases.iter().map(|release| first + release);
                learnt.extend(releases.clone().map(|release| (artifact, release, count)));
                holders.entry(artifact).or_default().extend(releases);
            }
        }
        let weight = weight_among(holders.len());
        let losses = learnt.into_iter().filter_map(|(artifact, release, count)| {
            let lost = weight_among(count).checked_sub(weight).filter(|lost| *lost > 0)?;
            Some(Loss { artifact, release, weight: lost, was_unique: count == 1 })
        });
        Owners { losses: losses.collect(), holders: holders.into_iter().collect(), weight }
    }
}

/// What a feature of so many owners weighs.
fn weight_among(owners: usize) -> u64 {
    if (1..=OWNERS_MAX).contains(&owners) { WEIGHT_ONE / owners as u64 } else { 0 }
}

impl Catalog {
    fn read(databases: &[Database]) -> Self {
        let mut catalog = Self::default();
        for database in databases {
            let mut places = Vec::new();
            match database.names() {
                Ok(names) => {
                    for artifact in &names.artifacts {
                        places.push(catalog.add(&artifact.name, &artifact.releases));
                    }
                }
                Err(Damaged) => catalog.is_damaged = true,
            }
            catalog.places.push(places);
        }
        catalog.read_named(databases);
        catalog
    }

    /// Adds the releases of an artifact: its number, and that of the first of them.
    fn add(&mut self, name: &str, releases: &[KnownRelease]) -> (u32, u32) {
        let next = self.artifacts.len() as u32;
        let number = *self.by_name.entry(name.to_owned()).or_insert(next);
        if number == next {
            self.artifacts.push(KnownArtifact { name: name.to_owned(), releases: Vec::new() });
        }
        let all = &mut self.artifacts[number as usize].releases;
        let first = all.len() as u32;
        all.extend_from_slice(releases);
        (number, first)
    }

    fn read_named(&mut self, databases: &[Database]) {
        for (database, places) in databases.iter().zip(&self.places) {
            let Ok(names) = database.names() else { continue };
            for named in &names.classes {
                let (artifact, first) = places[named.artifact as usize];
                let mut texts = Vec::new();
                let outcome = database.lookup(
                    FeatureKind::Text,
                    named.texts.iter().copied(),
                    |text, owners| {
                        let held = names.holders(owners).find(|held| held.0 == named.artifact);
                        let releases = held.into_iter().flat_map(|(_, releases)| releases);
                        texts.push((text, releases.map(|release| first + release).collect()));
                    },
                );
                self.is_damaged |= outcome.is_err();
                self.named.push(NamedClass { artifact, class: named.class.clone(), texts });
            }
        }
    }

    /// The classes of an artifact that advisories name.
    pub(crate) fn named_of(&self, artifact: u32) -> impl Iterator<Item = &NamedClass> {
        self.named.iter().filter(move |named| named.artifact == artifact)
    }
}
