//! One flaw: all records about it, and what they say of a component.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use relight_model::{
    Advisory, Affected, Component, Digest, Ecosystem, Finding, FindingState, PackageName,
    RangeEvent, RangeKind, Stance,
};
use sha2::{Digest as _, Sha256};

use crate::bracket;
use crate::package::{Reach, Subject, bare_name, normalise};
use crate::range::{Place, Range};
use crate::score::base_score;
use crate::version::{Version, VersionScheme, scheme_of};

/// The records about one flaw, ready to be asked.
#[derive(Clone, Debug)]
pub struct Group {
    /// The id under which the flaw is shown: CVE before GHSA before any other.
    pub id: String,
    /// All other ids, sorted.
    pub aliases: Vec<String>,
    records: Vec<Arc<Advisory>>,
    /// What the records in force say, sorted by package (without release).
    entries: Vec<Entry>,
    score: Option<u16>,
    known_exploited: bool,
}

impl Group {
    pub(crate) fn new(id: String, ids: BTreeSet<String>, records: Vec<Arc<Advisory>>) -> Self {
        let mut records = records;
        records.sort_by(|a, b| (&a.source, &a.id, a.revision).cmp(&(&b.source, &b.id, b.revision)));
        records.dedup();
        let in_force = records.iter().filter(|record| record.is_in_force());
        let mut entries: Vec<_> = in_force
            .flat_map(|record| record.affected.iter().map(|affected| Entry::new(record, affected)))
            .collect();
        entries.sort_by(|a, b| a.key().cmp(&b.key()));
        let aliases = ids.into_iter().filter(|other| *other != id).collect();
        let vectors = records.iter().flat_map(|record| &record.severities);
        Self {
            score: vectors.filter_map(|rating| base_score(&rating.vector)).max(),
            known_exploited: records.iter().any(|record| record.known_exploited()),
            id,
            aliases,
            records,
            entries,
        }
    }

    /// Every record of the group, withdrawn ones too; sorted by source and id.
    pub fn records(&self) -> impl Iterator<Item = &Advisory> {
        self.records.iter().map(AsRef::as_ref)
    }

    /// SHA-256 over what matching uses, and nothing else: packages, ranges, versions and classes of
    /// the records in force. Prose, scores and references may change without changing it.
    pub fn revision(&self) -> Digest {
        let mut hash = Sha256::new();
        let mut forms: Vec<_> = self.entries.iter().map(|entry| &entry.form).collect();
        forms.sort();
        for form in forms {
            hash.update((form.len() as u64).to_le_bytes());
            hash.update(form);
        }
        Digest(hash.finalize().into())
    }

    /// One line for people: of the record with the group's own id if it has one, else of the
    /// first that has one; empty when none has.
    pub fn summary(&self) -> &str {
        let own = self.records().filter(|record| record.id == self.id);
        let mut summaries = own.chain(self.records()).map(|record| record.summary.as_str());
        summaries.find(|summary| !summary.is_empty()).unwrap_or_default()
    }

    /// The packages that the records in force name, sorted, without doubles.
    pub fn packages(&self) -> Vec<PackageName> {
        let all: BTreeSet<_> = self.entries.iter().map(|entry| entry.package.clone()).collect();
        all.into_iter().collect()
    }

    /// Highest CVSS v3 base score of the records, in tenths; `None` when nobody gave one.
    pub const fn score(&self) -> Option<u16> {
        self.score
    }

    /// Whether a record says that the flaw is in a catalogue of known exploited ones.
    pub const fn known_exploited(&self) -> bool {
        self.known_exploited
    }

    /// What the group says of a component; `None` when it is not affected, for certain.
    pub fn judge(&self, component: &Component) -> Option<Finding> {
        self.judge_subject(&Subject::of(component), component)
    }

    pub(crate) fn judge_subject(
        &self,
        subject: &Subject,
        component: &Component,
    ) -> Option<Finding> {
        if bracket::is_open(component) {
            return bracket::judge(component, |single| self.judge(single));
        }
        let mut opinions = Vec::new();
        let mut classes = Vec::new();
        for entry in self.entries_for(subject) {
            let opinion = entry.opinion_of(subject);
            if matches!(opinion, Opinion::Affected(_)) {
                classes.extend(&entry.classes);
            }
            opinions.push(opinion);
        }
        let is_mitigated = component.removed.iter().any(|class| classes.contains(&class));
        let (state, rule) = Opinion::strongest(opinions)?;
        let state = match state {
            FindingState::Affected if is_mitigated => FindingState::Mitigated,
            state => state,
        };
        Some(Finding {
            id: self.id.clone(),
            aliases: self.aliases.clone(),
            state,
            rule,
            score: self.score,
            known_exploited: self.known_exploited,
        })
    }

    /// The entries that speak about a subject's package, in its release where both have one.
    fn entries_for(&self, subject: &Subject) -> impl Iterator<Item = &Entry> {
        let key = (&subject.package.ecosystem, subject.package.name.as_str());
        let from = self.entries.partition_point(|entry| entry.key() < key);
        let to = self.entries.partition_point(|entry| entry.key() <= key);
        let (named, bare) = match subject.reach {
            Reach::Package => (&self.entries[from..to], &[][..]),
            _ => (&[][..], &self.entries[..]),
        };
        let fits = |entry: &&Entry| {
            let same_name = bare_name(&entry.package) == subject.package.name;
            same_name && subject.reach.covers(&entry.package.ecosystem)
        };
        let in_release = |entry: &&Entry| match (&entry.package.release, &subject.package.release) {
            (Some(entry), Some(subject)) => entry == subject,
            (None, _) | (_, None) => true,
        };
        named.iter().filter(in_release).chain(bare.iter().filter(fits))
    }
}

/// What one record says about one package.
#[derive(Clone, Debug)]
struct Entry {
    package: PackageName,
    /// Who says it, for the rule of a finding.
    origin: String,
    scheme: VersionScheme,
    ranges: Vec<Range>,
    /// Versions as listed, and in canonical form.
    members: HashSet<String>,
    classes: Vec<String>,
    /// The publisher says that no version is affected.
    is_never: bool,
    /// Nothing in it can be evaluated: no version list, no range with a start.
    is_unresolved: bool,
    /// The canonical text of what matching uses.
    form: Vec<u8>,
}

/// What one entry says about one version.
enum Opinion {
    Affected(String),
    Possible(String),
    Unresolved(String),
    Clear,
}

impl Entry {
    fn new(record: &Advisory, affected: &Affected) -> Self {
        let Affected { package, stance, ranges, versions, classes, .. } = affected;
        let package = normalise(package);
        let scheme = scheme_of(&package.ecosystem);
        let usable: Vec<_> = ranges
            .iter()
            .filter(|range| range.kind == RangeKind::Ecosystem)
            .filter(|range| range.events.iter().any(|it| matches!(it, RangeEvent::Introduced(_))))
            .collect();
        let mut members: HashSet<String> = versions.iter().cloned().collect();
        let canonical = versions.iter().filter_map(|text| Version::parse(scheme, text));
        members.extend(canonical.map(|version| version.canonical()));
        Self {
            origin: format!("{} {}", record.source, record.id),
            scheme,
            is_never: *stance == Stance::NotAffected,
            is_unresolved: is_unresolved(affected, usable.is_empty()),
            ranges: usable.iter().map(|range| Range::new(scheme, range)).collect(),
            members,
            classes: classes.clone(),
            form: form(record, &package, affected),
            package,
        }
    }

    /// Sorting key: the release is left out, because a subject without one hears all of them.
    fn key(&self) -> (&Ecosystem, &str) {
        (&self.package.ecosystem, &self.package.name)
    }

    fn opinion_of(&self, subject: &Subject) -> Opinion {
        let opinion = self.opinion_of_version(&subject.version);
        let is_certain = subject.reach == Reach::Package
            && (self.package.release.is_none() || subject.package.release.is_some());
        match opinion {
            Opinion::Affected(rule) if !is_certain => {
                Opinion::Possible(format!("{rule}, if it is this package"))
            }
            Opinion::Affected(_) | Opinion::Clear if subject.epoch_may_be_missing => {
                self.without_epoch(&subject.version, opinion)
            }
            opinion => opinion,
        }
    }

    /// A Debian version whose epoch may have been lost: where another epoch of the record would
    /// give another answer, nobody knows.
    fn without_epoch(&self, version: &str, opinion: Opinion) -> Opinion {
        let is_affected = matches!(opinion, Opinion::Affected(_));
        let differs = self.ranges.iter().flat_map(Range::epochs).any(|epoch| {
            let other = self.opinion_of_version(&format!("{epoch}:{version}"));
            matches!(other, Opinion::Affected(_)) != is_affected
        });
        if differs { self.possible("the epoch of the version is not known") } else { opinion }
    }

    /// A list member is affected; so is a version in any range; else unknown where anything that
    /// could matter is not known; else clear. One range never ends the search in the others.
    fn opinion_of_version(&self, text: &str) -> Opinion {
        let listed = || Opinion::Affected(format!("{}: version {text} is listed", self.origin));
        let is_never = !self.is_unresolved
            && self.members.is_empty()
            && self.ranges.iter().all(Range::is_empty);
        if is_never || self.is_never {
            return Opinion::Clear;
        }
        if !text.is_empty() && self.members.contains(text) {
            return listed();
        }
        let Some(version) = Version::parse(self.scheme, text) else {
            return match text {
                "" => self.possible("the version is not known"),
                _ => self.possible("the version cannot be ordered"),
            };
        };
        let release = version.canonical_release();
        if [Some(version.canonical()), release].iter().flatten().any(|it| self.members.contains(it))
        {
            return listed();
        }
        let mut is_unsure = self.is_unresolved;
        for range in &self.ranges {
            match range.place(&version) {
                Place::Inside(interval) => {
                    return Opinion::Affected(format!("{}: {interval}", self.origin));
                }
                Place::Unsure => is_unsure = true,
                Place::Outside => {}
            }
        }
        match (is_unsure, version.is_exact()) {
            (true, _) => Opinion::Unresolved(format!("{}: no usable range", self.origin)),
            (false, false) => self.possible("the order of the version is not certain"),
            (false, true) => Opinion::Clear,
        }
    }

    fn possible(&self, why: &str) -> Opinion {
        Opinion::Possible(format!("{}: {why}", self.origin))
    }
}

impl Opinion {
    /// Affected before possible; a record without usable range is silent as long as another one
    /// can be evaluated. `None` is clear.
    fn strongest(opinions: Vec<Self>) -> Option<(FindingState, String)> {
        let (mut possible, mut unresolved, mut is_clear) = (None, None, false);
        for opinion in opinions {
            match opinion {
                Self::Affected(rule) => return Some((FindingState::Affected, rule)),
                Self::Possible(rule) => possible = possible.or(Some(rule)),
                Self::Unresolved(rule) => unresolved = unresolved.or(Some(rule)),
                Self::Clear => is_clear = true,
            }
        }
        let unresolved = unresolved.filter(|_| !is_clear);
        let possible = possible.map(|rule| (FindingState::PossibleMatch, rule));
        possible.or_else(|| unresolved.map(|rule| (FindingState::RangeUnresolved, rule)))
    }
}

/// Whether an entry leaves something open. Intervals and native ranges are not evaluated yet:
/// unknown, never clear.
fn is_unresolved(affected: &Affected, no_range: bool) -> bool {
    let is_partial = !affected.intervals.is_empty() || !affected.native.is_empty();
    match affected.stance {
        Stance::Lists => is_partial || (no_range && affected.versions.is_empty()),
        Stance::Unresolved(_) => true,
        Stance::NotAffected => false,
    }
}

/// The matching form of an entry: every part with its length in front, lists sorted.
fn form(record: &Advisory, package: &PackageName, affected: &Affected) -> Vec<u8> {
    let PackageName { ecosystem, release, name } = package;
    let mut parts = vec![record.source.clone(), record.id.clone()];
    parts.extend([ecosystem.as_str().to_owned(), format!("{release:?}"), name.clone()]);
    let list = |tag: &str, items: &[String]| {
        let mut items = items.to_vec();
        items.sort();
        items.dedup();
        items.insert(0, format!("{tag} {}", items.len()));
        items
    };
    let Affected { stance, intervals, native, rest, arch, module, .. } = affected;
    parts.push(format!("{stance:?} {intervals:?} {native:?} {rest:?} {arch:?} {module:?}"));
    let mut ranges = Vec::new();
    for range in &affected.ranges {
        let events: Vec<_> = range.events.iter().map(|event| format!("{event:?}")).collect();
        ranges.push(list(&format!("{:?}", range.kind), &events));
    }
    ranges.sort();
    parts.extend(ranges.into_iter().flatten());
    parts.extend(list("versions", &affected.versions));
    parts.extend(list("classes", &affected.classes));
    let mut out = Vec::new();
    for part in parts {
        out.extend((part.len() as u64).to_le_bytes());
        out.extend(part.as_bytes());
    }
    out
}
