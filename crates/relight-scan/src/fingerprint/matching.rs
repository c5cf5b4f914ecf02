//! Which libraries the classes of one place are, by what each library alone owns.
//!
//! A feature weighs 1 divided by the number of libraries that own it. Libraries are accepted by
//! descending coverage, and what they explain no longer counts for others: an absent sibling then
//! stands on the features that it alone owns, and falls. A higher threshold did not do that: a
//! generated sibling that was absent reached 0.966.

use std::collections::{BTreeMap, BTreeSet};
use std::slice;

use relight_model::Digest;

use super::database::{Damaged, FeatureKind, Sums, WEIGHT_ONE};
use super::known::{Features, Known};
use super::learn::counts;
use super::release::{self, Found};
use crate::cataloger::ClassPrint;

/// Coverage from which a library is there, in percent.
const IDENTIFIED_PERCENT: u64 = 95;
/// Coverage from which part of a library is there, in percent.
const PARTIAL_PERCENT: u64 = 25;
/// Features that tell a library from all others, without which nothing is said; fewer for a
/// smaller library.
const UNIQUE_MIN: u64 = 8;
/// The same for members that are equal to the byte.
const MEMBERS_MIN: u64 = 2;

/// A class in a place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen<'a> {
    /// Its path below the place, without ending.
    pub(crate) path: &'a str,
    /// What it is compared by: its text, or CRC-32 and size.
    pub(crate) value: u64,
    /// What it is, when its bytes were read.
    pub(crate) print: Option<ClassPrint>,
    /// A loader would find it under the name that it gives itself.
    pub(crate) is_loadable: bool,
}

impl Seen<'_> {
    /// Whether it says anything about where it comes from.
    pub(super) fn is_telling(&self) -> bool {
        !self.print.is_some_and(|print| print.trivial) && counts(self.path)
    }
}

/// A library in a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Match {
    /// `group:artifact`, or the artifact alone.
    pub(crate) artifact: String,
    /// The one version that it is, or those that it may be.
    pub(crate) versions: Versions,
    /// The folder that all its classes are in, with `/` at its end; empty for the place itself.
    pub(crate) folder: String,
    /// It is there by a class that advisories name, and too little else.
    pub(crate) is_class_alone: bool,
    /// It has a class that advisories name, with code that the newest known version has not.
    pub(crate) has_old_class: bool,
    /// Several copies are in this place.
    pub(crate) is_one_of_many: bool,
    /// Its classes of all that are there, in percent.
    pub(crate) share_percent: u64,
    /// Classes that advisories name, that its version has, and that this copy lacks.
    pub(crate) removed: Vec<String>,
}

impl Match {
    /// Whether another match says nothing that this one does not.
    pub(crate) fn says(&self, other: &Self) -> bool {
        let (own, versions) = (self.versions.all(), other.versions.all());
        self.artifact == other.artifact
            && self.folder == other.folder
            && versions.iter().all(|version| own.contains(version))
    }
}

/// What the bytes say about the version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Versions {
    /// This one, and no other is equal to it.
    Exact(String),
    /// All of its code is that of these; a version that nobody learnt may have the same.
    SameCode(Vec<String>),
    /// One of these, as far as the bytes tell; in the order of versions.
    OneOf(Vec<String>),
}

impl Versions {
    fn all(&self) -> &[String] {
        match self {
            Self::Exact(version) => slice::from_ref(version),
            Self::SameCode(versions) | Self::OneOf(versions) => versions,
        }
    }
}

/// What is known of a place beside its classes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Around {
    /// Nothing there stayed unread, so that a missing class is missing.
    pub(crate) is_whole: bool,
    /// The SHA-256 of the archive that it is, when one with that was learnt.
    pub(crate) archive: Option<Digest>,
}

/// What was recognised in one place.
#[derive(Debug, Default)]
pub(crate) struct Recognised {
    pub(crate) matches: Vec<Match>,
    /// Names of the libraries of which anything is there that no other one has.
    pub(crate) traces: BTreeSet<String>,
    /// Classes that belong to one of the matches, each counted once.
    pub(crate) explained: u64,
    pub(crate) is_damaged: bool,
}

/// Recognises the libraries of one place, by the first database.
pub(crate) fn recognise(
    known: &Known,
    kind: FeatureKind,
    classes: &[Seen<'_>],
    around: Around,
) -> Recognised {
    let mut recognised = Recognised::default();
    let mut order: Vec<(u64, u32)> = classes.iter().map(|it| it.value).zip(0..).collect();
    order.sort_unstable();
    let mut values: Vec<u64> = order.iter().map(|(value, _)| *value).collect();
    values.dedup();
    let (features, outcome) = known.features(kind, &values);
    recognised.is_damaged = outcome.is_err();
    if features.values.is_empty() {
        return recognised;
    }
    let mut matcher = Matcher::new(known, kind, &features);
    if kind == FeatureKind::Text {
        recognised.is_damaged |= matcher.find_shapes(classes).is_err();
    }
    recognised.traces = matcher.traces();
    let accepted = matcher.accept();
    let found = Found::new(classes, &order, &features, around);
    for artifact in &accepted {
        recognised.matches.extend(release::copies(known.catalog(), &found, *artifact, kind));
    }
    recognised.explained = found.owned_by(&accepted);
    let rest = |artifact: &u32| !accepted.contains(artifact);
    recognised.matches.extend(release::named_alone(known.catalog(), &found, rest));
    recognised.is_damaged |= known.catalog().is_damaged;
    recognised
}

fn distinct(values: impl Iterator<Item = u64>) -> Vec<u64> {
    let mut values: Vec<u64> = values.collect();
    values.sort_unstable();
    values.dedup();
    values
}

struct Matcher<'a> {
    known: &'a Known,
    kind: FeatureKind,
    features: &'a Features,
    /// How many features each set of owners has here.
    counts: Vec<u64>,
    /// The sets that each artifact is in.
    by_artifact: BTreeMap<u32, Vec<usize>>,
    /// Owners of the shapes of classes whose text nobody owns.
    shapes: Features,
    shape_counts: Vec<u64>,
}

/// What is there of one release, and what of it others explain.
#[derive(Clone, Copy, Default)]
struct Tally {
    weight: u64,
    unique: u64,
    explained: u64,
    explained_unique: u64,
}

/// The best release of an artifact.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Score {
    percent_of_percent: u64,
    weight: u64,
    unique: u64,
    unique_min: u64,
}

impl<'a> Matcher<'a> {
    fn new(known: &'a Known, kind: FeatureKind, features: &'a Features) -> Self {
        let mut by_artifact: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for (at, owners) in features.sets.iter().enumerate() {
            for (artifact, _) in &owners.holders {
                by_artifact.entry(*artifact).or_default().push(at);
            }
        }
        let (counts, shapes) = (features.counts(), Features::default());
        Self { known, kind, features, counts, by_artifact, shapes, shape_counts: Vec::new() }
    }

    fn find_shapes(&mut self, classes: &[Seen<'_>]) -> Result<(), Damaged> {
        let strangers = classes.iter().filter(|class| self.features.find(class.value).is_none());
        let shapes = strangers.filter_map(|class| class.print).map(|print| print.shape);
        let (shapes, outcome) = self.known.features(FeatureKind::Shape, &distinct(shapes));
        self.shape_counts = shapes.counts();
        self.shapes = shapes;
        outcome
    }

    /// The names of the artifacts of which anything is there that no other one has.
    fn traces(&self) -> BTreeSet<String> {
        let sets = self.features.sets.iter().filter(|owners| owners.holders.len() == 1);
        let alone: BTreeSet<u32> = sets.map(|owners| owners.holders[0].0).collect();
        let artifacts = &self.known.catalog().artifacts;
        alone.into_iter().map(|artifact| artifacts[artifact as usize].name.clone()).collect()
    }

    /// The artifacts that are there, whole or in part.
    fn accept(&self) -> Vec<u32> {
        let mut explained = vec![false; self.features.sets.len()];
        let mut order: Vec<(Score, u32)> =
            self.by_artifact.keys().map(|it| (self.score(*it, &explained), *it)).collect();
        order.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        let rank: BTreeMap<u32, usize> = order.iter().map(|(_, it)| *it).zip(0..).collect();
        let mut accepted = Vec::new();
        for wanted in [IDENTIFIED_PERCENT, PARTIAL_PERCENT] {
            for (_, artifact) in &order {
                if accepted.contains(artifact) {
                    continue;
                }
                let score = self.score(*artifact, &explained);
                let telling = || self.telling(*artifact, &explained, &rank);
                if self.suffices(score, wanted, &telling) {
                    accepted.push(*artifact);
                    self.by_artifact[artifact].iter().for_each(|at| explained[*at] = true);
                }
            }
        }
        accepted
    }

    /// Features that nothing explains and that no artifact owns of which there is more: an archive
    /// into which somebody merged a library has all of its features and is still not there.
    fn telling(&self, artifact: u32, explained: &[bool], rank: &BTreeMap<u32, usize>) -> u64 {
        let own = rank[&artifact];
        let is_best = |at: &&usize| {
            !explained[**at]
                && self.features.sets[**at].holders.iter().all(|(it, _)| rank[it] >= own)
        };
        self.by_artifact[&artifact].iter().filter(is_best).map(|at| self.counts[*at]).sum()
    }

    fn suffices(&self, score: Score, wanted: u64, telling: &dyn Fn() -> u64) -> bool {
        let is_there = score.percent_of_percent >= wanted * 100 && score.weight > 0;
        match (self.kind, wanted) {
            (FeatureKind::Crc, PARTIAL_PERCENT) => score.unique >= MEMBERS_MIN,
            (_, PARTIAL_PERCENT) => is_there && telling() >= UNIQUE_MIN,
            _ => is_there && score.unique >= score.unique_min && score.weight >= WEIGHT_ONE,
        }
    }

    fn score(&self, artifact: u32, explained: &[bool]) -> Score {
        let releases = &self.known.catalog().artifacts[artifact as usize].releases;
        let mut tallies = vec![Tally::default(); releases.len()];
        for at in &self.by_artifact[&artifact] {
            let (owners, count) = (&self.features.sets[*at], self.counts[*at]);
            let unique = if owners.holders.len() == 1 { count } else { 0 };
            for release in owners.releases(artifact) {
                let tally = &mut tallies[*release as usize];
                if explained[*at] {
                    tally.explained += owners.weight * count;
                    tally.explained_unique += unique;
                } else {
                    tally.weight += owners.weight * count;
                    tally.unique += unique;
                }
            }
        }
        // Code alone, with other literals, is a quarter of a feature.
        for (owners, count) in self.shapes.sets.iter().zip(&self.shape_counts) {
            for release in owners.releases(artifact) {
                tallies[*release as usize].weight += owners.weight / 4 * count;
            }
        }
        let sums = releases.iter().map(|release| release.sums[self.kind as usize]);
        let scores = tallies.iter().zip(sums).map(|(tally, sums)| Score::of(*tally, sums));
        scores.max().unwrap_or_default()
    }
}

impl Score {
    fn of(tally: Tally, sums: Sums) -> Self {
        let total = sums.weight.saturating_sub(tally.explained).max(tally.weight);
        if total == 0 {
            return Self::default();
        }
        Self {
            percent_of_percent: tally.weight * 10_000 / total,
            weight: tally.weight,
            unique: tally.unique,
            unique_min: sums.unique.saturating_sub(tally.explained_unique).min(UNIQUE_MIN),
        }
    }
}
