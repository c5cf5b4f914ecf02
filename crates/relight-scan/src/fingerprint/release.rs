//! Which version each copy of a library is, where it is, and what was taken out of it.

use std::collections::{BTreeMap, BTreeSet};

use super::database::FeatureKind;
use super::known::{Catalog, Features};
use super::matching::{Around, Match, Seen, Versions};
use crate::evidence::{ends_with, folder_of};

/// Coverage from which classes that are missing were taken out, in percent.
const WHOLE_PERCENT: u64 = 95;
/// Other versions of a library that must be known, none of which has the code of a copy, before its
/// version is exact: one that nobody learnt may have it. By the rule of succession one in twenty
/// has, at most, when eighteen have not. The size of a library says nothing: neighbouring releases
/// often have equal code, also of thousands of classes.
const OTHERS_MIN: usize = 18;
/// Copies of one class that are compared to find where copies of a library are.
const PAIRS_MAX: usize = 16;
/// Classes that must be doubled in the same way to make two copies.
const DOUBLED_MIN: usize = 3;
/// One class of so many must be doubled in the same way; two far versions share about a fifth.
const DOUBLED_SHARE: usize = 10;
/// The largest copy holds one of so many of all its classes, also beside two other versions.
const COPY_SHARE: usize = 3;

/// Classes and what is known of them.
pub(super) struct Found<'a> {
    classes: &'a [Seen<'a>],
    features: &'a Features,
    /// The feature of each class, if it is one.
    feature_of: Vec<Option<usize>>,
    /// Whether each class says anything about where it comes from, and how many do.
    is_telling: Vec<bool>,
    telling: usize,
    around: Around,
}

impl<'a> Found<'a> {
    /// `order` are the values of the classes with their places, sorted.
    pub(super) fn new(
        classes: &'a [Seen<'a>],
        order: &[(u64, u32)],
        features: &'a Features,
        around: Around,
    ) -> Self {
        let mut feature_of = vec![None; classes.len()];
        let mut at = 0;
        for (value, class) in order {
            while features.values.get(at).is_some_and(|(known, _)| known < value) {
                at += 1;
            }
            let known = features.values.get(at).filter(|(known, _)| known == value);
            feature_of[*class as usize] = known.map(|_| at);
        }
        let is_telling: Vec<bool> = classes.iter().map(Seen::is_telling).collect();
        let telling = is_telling.iter().filter(|is_telling| **is_telling).count();
        Self { classes, features, feature_of, is_telling, telling, around }
    }

    /// The classes that an artifact owns.
    fn of(&self, artifact: u32) -> Vec<usize> {
        let sets = self.features.sets.iter();
        let is_owner: Vec<bool> =
            sets.map(|owners| !owners.releases(artifact).is_empty()).collect();
        let owned = |at: &usize| {
            self.feature_of[*at].is_some_and(|it| is_owner[self.features.values[it].1 as usize])
        };
        (0..self.classes.len()).filter(owned).collect()
    }

    /// How many classes belong to one of these artifacts: what two of them share counts once.
    pub(super) fn owned_by(&self, artifacts: &[u32]) -> u64 {
        let sets = self.features.sets.iter();
        let is_owned: Vec<bool> = sets
            .map(|owners| owners.holders.iter().any(|(artifact, _)| artifacts.contains(artifact)))
            .collect();
        let features = self.feature_of.iter().flatten();
        features.filter(|at| is_owned[self.features.values[**at].1 as usize]).count() as u64
    }
}

/// Each copy of an artifact.
pub(super) fn copies(
    catalog: &Catalog,
    found: &Found<'_>,
    artifact: u32,
    kind: FeatureKind,
) -> Vec<Match> {
    let classes = found.of(artifact);
    let copies = split(found, &classes);
    let is_one_of_many = copies.len() > 1;
    let copies = copies.into_iter().map(|classes| {
        let copy = Copy { catalog, found, artifact, classes };
        let verdict = copy.verdict(kind);
        Match {
            is_one_of_many,
            removed: copy.removed(&verdict.releases, verdict.is_whole),
            ..copy.describe(verdict)
        }
    });
    copies.collect()
}

/// Classes that an advisory names, of artifacts of which nothing else need be there: a jar that
/// was cut down to what is used, or a class that somebody copied.
pub(super) fn named_alone(
    catalog: &Catalog,
    found: &Found<'_>,
    wanted: impl Fn(&u32) -> bool,
) -> Vec<Match> {
    let named = catalog.named.iter().filter(|named| wanted(&named.artifact));
    let is_there = |text: &u64| found.features.find(*text).is_some();
    let there = named.filter(|named| named.texts.iter().any(|(text, _)| is_there(text)));
    let artifacts: BTreeSet<u32> = there.map(|named| named.artifact).collect();
    let mut matches = Vec::new();
    for artifact in artifacts {
        let copy = Copy { catalog, found, artifact, classes: found.of(artifact) };
        let releases = copy.consistent();
        let releases = if releases.is_empty() { copy.of_named() } else { releases };
        let verdict = Verdict { releases, likeness: Likeness::Near, is_whole: false };
        matches.push(Match { is_class_alone: true, ..copy.describe(verdict) });
    }
    matches
}

/// One copy of an artifact.
struct Copy<'a> {
    catalog: &'a Catalog,
    found: &'a Found<'a>,
    artifact: u32,
    classes: Vec<usize>,
}

/// What the classes of a copy say.
struct Verdict {
    /// Releases, in order.
    releases: Vec<u32>,
    likeness: Likeness,
    /// So much of it is there that what is missing was taken out.
    is_whole: bool,
}

/// How much a copy is like the releases of its verdict.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Likeness {
    /// It is one of them.
    Exact,
    /// It has their code, and may be a version that nobody learnt.
    SameCode,
    /// It is only like them.
    Near,
}

/// How one release fits a copy.
#[derive(Clone, Copy)]
struct Fit {
    release: u32,
    matched: u64,
    missing: u64,
    foreign: u64,
}

impl<'a> Copy<'a> {
    /// How many distinct features of the copy each set of owners has.
    fn counts(&self) -> Vec<u64> {
        let found = self.found;
        let mut is_here = vec![false; found.features.values.len()];
        self.classes
            .iter()
            .filter_map(|at| found.feature_of[*at])
            .for_each(|at| is_here[at] = true);
        let mut counts = vec![0; found.features.sets.len()];
        for ((_, set), is_here) in found.features.values.iter().zip(is_here) {
            counts[*set as usize] += u64::from(is_here);
        }
        counts
    }

    fn fits(&self, kind: FeatureKind) -> Vec<Fit> {
        let releases = &self.catalog.artifacts[self.artifact as usize].releases;
        let counts = self.counts();
        let mut matched = vec![0; releases.len()];
        for (owners, count) in self.found.features.sets.iter().zip(&counts) {
            for release in owners.releases(self.artifact) {
                matched[*release as usize] += count;
            }
        }
        let all: u64 = counts.iter().sum();
        let fits = (0..).zip(releases).zip(matched).map(|((release, it), matched)| Fit {
            release,
            matched,
            missing: it.sums[kind as usize].features.saturating_sub(matched),
            foreign: all - matched,
        });
        fits.collect()
    }

    fn verdict(&self, kind: FeatureKind) -> Verdict {
        let fits = self.fits(kind);
        let is_pure = |fit: &&Fit| fit.foreign == 0;
        let whole = |fit: &&Fit| fit.matched * 100 >= (fit.matched + fit.missing) * WHOLE_PERCENT;
        // Every feature of a release and none of another.
        let equal: Vec<u32> = fits
            .iter()
            .filter(|fit| fit.foreign == 0 && fit.missing == 0)
            .map(|fit| fit.release)
            .collect();
        if !equal.is_empty() {
            return self.same_code(equal);
        }
        // Nothing is there that could stand for what is missing: it was taken out. Otherwise a
        // class was changed, and this may be a version that nobody learnt.
        let complete = fits.iter().filter(is_pure).filter(whole);
        let least = complete.clone().map(|fit| fit.missing).min();
        if self.strangers() == 0
            && let Some(least) = least
        {
            let releases = complete.filter(|fit| fit.missing == least).map(|fit| fit.release);
            return self.same_code(releases.collect());
        }
        let is_whole = fits.iter().any(|fit| whole(&fit));
        Verdict { releases: self.nearest(&fits), likeness: Likeness::Near, is_whole }
    }

    /// What is said of a copy with the code of these releases. Bytes that were learnt are the
    /// release that they were learnt of.
    fn same_code(&self, releases: Vec<u32>) -> Verdict {
        let all = &self.catalog.artifacts[self.artifact as usize].releases;
        let archive = self.found.around.archive;
        let is_learnt = |release: &&u32| archive == Some(all[**release as usize].digest);
        let learnt: Vec<u32> = releases.iter().filter(is_learnt).copied().collect();
        if !learnt.is_empty() {
            return Verdict { releases: learnt, likeness: Likeness::Exact, is_whole: true };
        }
        let own: BTreeSet<&str> =
            releases.iter().map(|it| all[*it as usize].version.as_str()).collect();
        let others: BTreeSet<&str> = all.iter().map(|it| it.version.as_str()).collect();
        let are_told_apart = others.difference(&own).count() >= OTHERS_MIN;
        let likeness = if are_told_apart { Likeness::Exact } else { Likeness::SameCode };
        Verdict { releases, likeness, is_whole: true }
    }

    /// The releases that it may be. A copy that was cut down, with nothing unknown beside it, is of
    /// one that owns all of it, even when others share the classes that advisories name.
    fn nearest(&self, fits: &[Fit]) -> Vec<u32> {
        let named = self.of_named();
        if named.is_empty() {
            return around(fits);
        }
        let is_pure =
            |release: &&u32| fits.iter().any(|fit| fit.release == **release && fit.foreign == 0);
        let pure: Vec<u32> = named.iter().filter(is_pure).copied().collect();
        if pure.is_empty() || self.strangers() > 0 { named } else { pure }
    }

    /// The releases that own every feature of the copy.
    fn consistent(&self) -> Vec<u32> {
        let pure = self.fits(FeatureKind::Text).into_iter().filter(|fit| fit.foreign == 0);
        pure.map(|fit| fit.release).collect()
    }

    /// Whether a class that an advisory names has code here that the newest known release has not:
    /// a release after that one would hardly have it again.
    fn has_old_class(&self) -> bool {
        let releases = &self.catalog.artifacts[self.artifact as usize].releases;
        let version = |release: &u32| releases[*release as usize].version.as_str();
        let there = |text: u64| self.classes.iter().any(|at| self.found.classes[*at].value == text);
        // Each database has its own releases with the same text.
        let mut owners: BTreeMap<u64, Vec<&str>> = BTreeMap::new();
        for (text, all) in self.catalog.named_of(self.artifact).flat_map(|named| &named.texts) {
            if there(*text) {
                owners.entry(*text).or_default().extend(all.iter().map(version));
            }
        }
        let is_old = |of: &Vec<&str>| {
            releases.iter().any(|newer| of.iter().all(|it| is_above(&newer.version, it)))
        };
        owners.values().any(is_old)
    }

    /// The releases whose classes that advisories name are those of the copy: the code that is
    /// affected, whatever else was changed. Empty when the copy has none of them.
    fn of_named(&self) -> Vec<u32> {
        let mut common: Option<BTreeSet<u32>> = None;
        for named in self.catalog.named_of(self.artifact) {
            let there =
                |text: u64| self.classes.iter().any(|at| self.found.classes[*at].value == text);
            let texts = named.texts.iter().filter(|(text, _)| there(*text));
            let releases: BTreeSet<u32> = texts.flat_map(|(_, it)| it).copied().collect();
            if !releases.is_empty() {
                common = Some(match common {
                    Some(before) => before.intersection(&releases).copied().collect(),
                    None => releases,
                });
            }
        }
        common.unwrap_or_default().into_iter().collect()
    }

    /// Classes beside those of the copy that nobody knows.
    fn strangers(&self) -> usize {
        let classes = self.found.classes;
        let folders: BTreeSet<&str> =
            self.classes.iter().map(|at| folder_of(classes[*at].path)).collect();
        // Classes of one folder stand together.
        let mut last = ("", folders.contains(""));
        let mut is_beside = |path| {
            let folder = folder_of(path);
            if last.0 != folder {
                last = (folder, folders.contains(folder));
            }
            last.1
        };
        let is_unknown =
            |at: &usize| self.found.feature_of[*at].is_none() && self.found.is_telling[*at];
        let unknown = (0..classes.len()).filter(is_unknown);
        unknown.filter(|at| is_beside(classes[*at].path)).count()
    }

    /// The named classes that every one of the releases has and this copy lacks, or has under a
    /// name by which nothing finds it.
    fn removed(&self, releases: &[u32], is_whole: bool) -> Vec<String> {
        if !is_whole || !self.found.around.is_whole || releases.is_empty() {
            return Vec::new();
        }
        let mut removed = Vec::new();
        for named in self.catalog.named_of(self.artifact) {
            let has = |release: &u32| named.texts.iter().any(|(_, all)| all.contains(release));
            if releases.iter().all(has) && !self.has_live(&named.class, &named.texts) {
                removed.push(named.class.clone());
            }
        }
        removed.sort();
        removed.dedup();
        removed
    }

    /// Whether a class is there, and can be loaded; one of the same name with other code counts.
    fn has_live(&self, class: &str, texts: &[(u64, Vec<u32>)]) -> bool {
        let simple = class.rsplit('/').next().unwrap_or(class);
        let classes = self.found.classes;
        let is_text = |seen: &Seen<'_>| texts.iter().any(|(text, _)| *text == seen.value);
        if self.classes.iter().any(|at| classes[*at].is_loadable && is_text(&classes[*at])) {
            return true;
        }
        let is_beside =
            |folder: &str| self.classes.iter().any(|at| folder_of(classes[*at].path) == folder);
        let mut named =
            classes.iter().filter(|seen| seen.is_loadable && ends_with(seen.path, simple));
        named.any(|seen| is_beside(folder_of(seen.path)))
    }

    fn describe(&self, verdict: Verdict) -> Match {
        let artifact = &self.catalog.artifacts[self.artifact as usize];
        let mut versions: Vec<String> = Vec::new();
        for release in &verdict.releases {
            let version = &artifact.releases[*release as usize].version;
            if !versions.contains(version) {
                versions.push(version.clone());
            }
        }
        let paths = self.classes.iter().map(|at| self.found.classes[*at].path);
        let all = self.found.telling.max(1);
        Match {
            artifact: artifact.name.clone(),
            versions: match (&versions[..], verdict.likeness) {
                ([only], Likeness::Exact) => Versions::Exact(only.clone()),
                (_, Likeness::Near) => Versions::OneOf(versions),
                _ => Versions::SameCode(versions),
            },
            folder: common_folder(paths),
            is_class_alone: false,
            has_old_class: self.has_old_class(),
            is_one_of_many: false,
            share_percent: self.classes.len() as u64 * 100 / all as u64,
            removed: Vec::new(),
        }
    }
}

/// The releases to which the least is foreign, and their neighbours: a version that nobody learnt
/// lies between them. What is missing does not count: of a library that was cut down, the smallest
/// release would be the nearest.
fn around(fits: &[Fit]) -> Vec<u32> {
    let least = fits.iter().map(|fit| fit.foreign).min();
    let nearest = fits.iter().filter(|fit| Some(fit.foreign) == least).map(|fit| fit.release);
    let around = nearest.flat_map(|it| [it.saturating_sub(1), it, it + 1]);
    let around: BTreeSet<u32> = around.filter(|it| (*it as usize) < fits.len()).collect();
    around.into_iter().collect()
}

/// Divides the classes of an artifact into its copies, by the folders under which the same class
/// stands more than once.
fn split(found: &Found<'_>, classes: &[usize]) -> Vec<Vec<usize>> {
    let value = |at: &usize| found.feature_of[*at];
    let mut sorted = classes.to_vec();
    sorted.sort_by_key(value);
    let (mut votes, mut places): (BTreeMap<&str, usize>, usize) = (BTreeMap::new(), 0);
    for same in sorted.chunk_by(|one, other| value(one) == value(other)) {
        places += 1;
        if same.len() > 1 {
            for head in heads(found, &same[..same.len().min(PAIRS_MAX)]) {
                *votes.entry(head).or_default() += 1;
            }
        }
    }
    let most = votes.values().copied().max().unwrap_or_default();
    // A library may hold a few classes of its own twice, in two packages; a copy holds most of it.
    if most * DOUBLED_SHARE < places {
        return vec![classes.to_vec()];
    }
    let enough = (most / 2).max(DOUBLED_MIN);
    let roots: Vec<&str> =
        votes.iter().filter(|(_, count)| **count >= enough).map(|(head, _)| *head).collect();
    if roots.len() < 2 {
        return vec![classes.to_vec()];
    }
    let mut copies: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for at in classes {
        let path = found.classes[*at].path;
        let root = roots.iter().filter(|root| path.starts_with(**root)).max_by_key(|it| it.len());
        copies.entry(root.unwrap_or(&roots[0])).or_default().push(*at);
    }
    // Packages for many versions of a protocol resemble each other, and none is the library.
    let distinct = |copy: &Vec<usize>| {
        copy.iter().map(|at| found.classes[*at].value).collect::<BTreeSet<_>>().len()
    };
    let largest = copies.values().map(distinct).max().unwrap_or_default();
    if largest * COPY_SHARE < places {
        return vec![classes.to_vec()];
    }
    copies.into_values().collect()
}

/// What stands in front of the part that the paths of equal classes share.
fn heads<'a>(found: &Found<'a>, same: &[usize]) -> BTreeSet<&'a str> {
    let path = |at: usize| found.classes[at].path;
    let mut heads = BTreeSet::new();
    for (first, one) in same.iter().enumerate() {
        for other in &same[first + 1..] {
            let (one, other) = (path(*one), path(*other));
            let tail = common_tail(one, other);
            if tail > 0 {
                heads.extend([&one[..one.len() - tail], &other[..other.len() - tail]]);
            }
        }
    }
    heads
}

/// Bytes of the whole segments that two paths share at their ends.
fn common_tail(one: &str, other: &str) -> usize {
    let mut len = 0;
    let mut segments = one.rsplit('/').zip(other.rsplit('/'));
    let mut first = true;
    while let Some((a, b)) = segments.next()
        && a == b
    {
        len += a.len() + usize::from(!first);
        first = false;
    }
    // The `/` in front belongs to the head.
    len
}

/// The folder that holds all of these, with `/` at its end.
fn common_folder<'a>(mut paths: impl Iterator<Item = &'a str>) -> String {
    let mut common = folder_of(paths.next().unwrap_or_default());
    for path in paths {
        while !path.starts_with(common) {
            let shorter = common.trim_end_matches('/');
            common = shorter.rfind('/').map_or("", |at| &common[..=at]);
        }
    }
    common.to_owned()
}

/// Whether a version is above another one for certain: by the numbers that it starts with.
pub(crate) fn is_above(version: &str, other: &str) -> bool {
    let numbers = |version: &str| -> Vec<u64> {
        let end = version.find(|it: char| !it.is_ascii_digit() && it != '.');
        let digits = version[..end.unwrap_or(version.len())].split('.');
        digits.map_while(|digits| digits.parse().ok()).collect()
    };
    let (one, mut two) = (numbers(version), numbers(other));
    // `2.17` is `2.17.0`, and not below it.
    two.resize(two.len().max(one.len()), 0);
    one > two
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_that_are_above_for_certain() {
        let above = |one: &str, other: &str| assert!(is_above(one, other), "{one} {other}");
        above("2.18.0", "2.17.1");
        above("2.17.1.1", "2.17.1");
        above("10", "9.9");
        above("2.0-rc1", "1.9");
        for (one, other) in [
            ("2.17.1", "2.17.1"),
            ("2.17", "2.17.0"),
            ("2.17.0", "2.17"),
            ("2.17.1-fixed", "2.17.1"),
            ("fixed", "1"),
            ("", "1"),
            ("99999999999999999999999", "1"),
        ] {
            assert!(!is_above(one, other), "{one} {other}");
        }
    }
}
