//! What one record says about one package, ready to be asked about a version.

use std::collections::HashSet;
use std::sync::Arc;

use relight_model::{Advisory, Affected, PackageName, RangeEvent, RangeKind, RangeStatus};

use crate::advisories::without_release;
use crate::authority::Rank;
use crate::build::Build;
use crate::form::form;
use crate::key::{Span, Start};
use crate::native;
use crate::opinion::{Flag, Opinion, Rule, Stand, Why};
use crate::package::{ReleaseTag, Subject};
use crate::range::{Interval, Place, Range};
use crate::release::Breadth;
use crate::version::{Version, VersionScheme, scheme_of};

pub(crate) use asked::Asked;
use reading::{commits, is_pseudo_version, is_tombstone, members, unresolved};

/// What one record says about one package: all its entries for it, united.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// The package, without release.
    pub(crate) package: Arc<PackageName>,
    pub(crate) release_name: Option<Box<str>>,
    pub(crate) release: ReleaseTag,
    /// Which components of its release it is about.
    pub(crate) breadth: Breadth,
    pub(crate) record: Arc<Advisory>,
    pub(crate) rank: Rank,
    /// Classes whose absence is a mitigation.
    pub(crate) classes: Vec<String>,
    /// The canonical text of what matching uses.
    pub(crate) form: Vec<u8>,
    parts: Box<[Part]>,
    /// Where a version may be that it says anything but "not affected" of; `None` when that cannot
    /// be told by the first bytes of a key.
    spans: Option<Box<[Span]>>,
    /// Where it says "affected" for certain.
    sure: Box<[Span]>,
    is_modular: bool,
    /// It speaks of modular packages and of plain ones of the same name.
    has_both_kinds: bool,
    /// Some of it names the stream of a module, so that what names none is about plain packages.
    names_streams: bool,
    /// It speaks of builds that are numbered for themselves.
    is_of_builds: bool,
    /// It names versions or a stream: it is about modular packages, or about others.
    is_of_kind: bool,
    /// A reviewed binding says so, not the record.
    is_binding: bool,
    /// It is about a package by another name, and clears nothing.
    only_adds: bool,
    /// A version above the last known one is taken for not affected.
    known_is_last: bool,
}

/// One answer of an entry, without copies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told<'a> {
    pub(crate) stand: Stand,
    pub(crate) rule: Rule,
    interval: Option<&'a Interval>,
    differs: bool,
}

impl Told<'_> {
    const fn new(stand: Stand, rule: Rule) -> Self {
        Self { stand, rule, interval: None, differs: false }
    }

    pub(crate) const fn unknown(why: Why) -> Self {
        Self::new(Stand::Unknown(why), Rule::Missing)
    }

    /// The order in which the entries of one record are believed: affected first, then whatever
    /// is unknown; commits beside versions say nothing.
    const fn strength(&self) -> u8 {
        match self.stand {
            Stand::Affected => 0,
            Stand::Unknown(Why::GitOnly) => 3,
            Stand::Unknown(_) => 1,
            Stand::NotAffected => 2,
        }
    }
}

impl Entry {
    /// The entries of a record about one package, which is normalised already.
    pub(crate) fn new(
        record: &Arc<Advisory>,
        package: PackageName,
        rank: Rank,
        affected: &[&Affected],
    ) -> Self {
        let scheme = scheme_of(&package.ecosystem);
        let release = package.release.as_deref();
        let breadth = release.map_or(Breadth::Whole, |it| Breadth::of(&package.ecosystem, it));
        let is_whole = breadth == Breadth::Whole;
        let mut classes: Vec<_> = affected.iter().flat_map(|it| it.classes.clone()).collect();
        classes.sort();
        classes.dedup();
        let (parts, spans): (Vec<_>, Vec<_>) =
            affected.iter().map(|it| Part::new(scheme, it)).unzip();
        let parts = parts.into_boxed_slice();
        let spans: Option<Vec<Vec<Span>>> = spans.into_iter().collect();
        Self {
            spans: spans.map(|spans| Span::at_most(spans.concat())),
            sure: Span::at_least(parts.iter().flat_map(Part::sure).collect()),
            form: form(record, &package, rank, affected),
            is_modular: parts.iter().any(Part::is_of_modules),
            has_both_kinds: parts.iter().any(Part::is_of_modules)
                && !parts.iter().all(Part::is_of_modules),
            names_streams: parts.iter().any(|part| part.module.is_some()),
            is_of_builds: parts.iter().any(|part| part.build.is_some()),
            is_of_kind: parts.iter().any(Part::is_of_kind),
            parts,
            record: Arc::clone(record),
            release: if is_whole { ReleaseTag::of(&package) } else { ReleaseTag::default() },
            breadth,
            release_name: release.map(Into::into),
            package: Arc::new(without_release(&package)),
            rank,
            classes,
            is_binding: false,
            only_adds: false,
            known_is_last: false,
        }
    }

    /// Whether it says "not affected" of every version whose key starts so, or nothing.
    pub(crate) fn clears(&self, start: &Start) -> bool {
        let spans = self.spans.as_deref().filter(|_| !self.is_of_builds);
        spans.is_some_and(|spans| !Span::any_holds(spans, start))
    }

    /// What it says of an identity of this start and release of which nothing else counts: no
    /// architecture, no module stream, no epoch that may be missing. The outer `None` asks for a
    /// closer look, the inner one is silence.
    pub(crate) fn at_a_glance(
        &self,
        start: &Start,
        release: Option<ReleaseTag>,
    ) -> Option<Option<Stand>> {
        match release {
            _ if self.release_name.is_none() => {}
            Some(own) if self.release.differs(own) => return Some(None),
            Some(own) if self.release == own => {}
            // Of which release it is, or the entry, is not certain.
            _ => return None,
        }
        if self.is_of_builds || self.has_both_kinds {
            return None;
        }
        if self.is_modular {
            return (self.rank != Rank::Own).then_some(None);
        }
        if Span::any_holds(&self.sure, start) {
            return Some(Some(Stand::Affected));
        }
        self.clears(start).then_some((!self.only_adds).then_some(Stand::NotAffected))
    }

    /// As told by a reviewed binding.
    pub(crate) fn by_binding(mut self) -> Self {
        self.is_binding = true;
        self.form.push(b'b');
        self
    }

    /// About a package by another name, under which versions go on: it adds affected ones.
    pub(crate) fn by_relocation(mut self) -> Self {
        self.only_adds = true;
        self.by_binding()
    }

    /// The operator takes the last known version of this source for the last affected one.
    pub(crate) fn known_is_last(mut self) -> Self {
        self.known_is_last = true;
        self.form.push(b'k');
        self
    }

    /// Whether it speaks of builds that are numbered for themselves.
    pub(crate) const fn is_of_builds(&self) -> bool {
        self.is_of_builds
    }

    /// Whether it says something of other builds than the subject's. Our own word is about all.
    pub(crate) fn is_of_other_build(&self, subject: &Subject) -> bool {
        self.rank != Rank::Own && self.parts.iter().any(|part| part.build != subject.build)
    }

    /// Whether a part counts for packages of the kind that the subject is: modular, or plain. What
    /// names neither a version nor a stream may be about either, unless the record names streams.
    fn is_of_its_kind(&self, part: &Part, subject: &Subject) -> bool {
        if !self.has_both_kinds {
            return true;
        }
        let is_open = !part.is_of_kind() && !self.names_streams;
        part.is_of_modules() == subject.is_modular() || subject.is_modular() && is_open
    }

    /// What it says of a subject; `None` when it does not speak about it at all.
    pub(crate) fn told(&self, subject: &Subject, asked: &Asked) -> Option<Told<'_>> {
        let mut told: Option<Told<'_>> = None;
        let is_meant = |part: &&Part| {
            self.rank == Rank::Own
                || part.build == subject.build
                    && part.may_be_of_stream(subject)
                    && self.is_of_its_kind(part, subject)
        };
        for part in self.parts.iter().filter(is_meant).filter(|it| it.speaks_of(subject)) {
            let next = part.told(asked, self.known_is_last);
            if told.is_none_or(|it| next.strength() < it.strength()) {
                told = Some(next);
            }
        }
        let told = told.filter(|it| !self.only_adds || it.stand != Stand::NotAffected)?;
        if self.has_both_kinds && !subject.is_modular() {
            return Some(told);
        }
        // Our own word is about every build, and what gives no version is of no stream.
        if self.is_modular != subject.is_modular() {
            return match told.stand {
                _ if self.rank == Rank::Own => Some(told),
                Stand::Affected if !self.is_of_kind => Some(Told::unknown(Why::StreamUnknown)),
                Stand::Unknown(_) if !self.is_of_kind => Some(told),
                _ => None,
            };
        }
        match self.is_of_stream(subject) {
            Some(true) => Some(told),
            Some(false) => None,
            None if told.stand == Stand::Affected => Some(Told::unknown(Why::StreamUnknown)),
            None => Some(told),
        }
    }

    /// Whether it is about the stream of a modular package; `None` where one of them is not told.
    /// An erratum that fixes stream A says nothing about stream B.
    fn is_of_stream(&self, subject: &Subject) -> Option<bool> {
        if !self.is_modular {
            return Some(true);
        }
        let stream = subject.stream.as_deref()?;
        let mut named = self.parts.iter().filter_map(|part| part.module.as_deref()).peekable();
        named.peek()?;
        Some(named.any(|module| module == stream))
    }

    /// The epochs that its bounds carry.
    pub(crate) fn epochs(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().flat_map(|part| &part.ranges).flat_map(Range::epochs)
    }

    /// The opinion with everything a reader wants to know.
    pub(crate) fn opinion(&self, told: Told<'_>, asked: &Asked) -> Opinion {
        let mut flags = Vec::new();
        if self.is_binding {
            flags.push(Flag::ByBinding);
        }
        if told.differs {
            flags.push(Flag::ListRangeDisagree);
        }
        let ranges = || self.parts.iter().flat_map(|part| &part.ranges);
        if ranges().any(|range| range.has_empty) {
            flags.push(Flag::EmptyInterval);
        }
        if ranges().any(|range| range.has_ignored) {
            flags.push(Flag::EventsIgnored);
        }
        let interval = match (told.rule, told.interval) {
            (Rule::Listed, _) => format!("={}", asked.text),
            (_, Some(interval)) => interval.to_string(),
            (Rule::Outside, None) => self.shown(),
            (_, None) => String::new(),
        };
        let rule = match told.rule {
            Rule::Tombstone if self.is_binding => Rule::Binding,
            rule => rule,
        };
        Opinion {
            source: self.record.source.clone(),
            record: self.record.id.clone(),
            revision: self.record.revision,
            rank: self.rank,
            stand: told.stand,
            rule,
            interval,
            basis: told.interval.map_or("", |interval| basis_name(interval)),
            flags,
        }
    }

    /// All intervals that say "affected", for a reader who asks why a version is in none.
    fn shown(&self) -> String {
        let ranges = self.parts.iter().flat_map(|part| &part.ranges);
        let affected = ranges.filter(|range| range.status == RangeStatus::Affected);
        let texts: Vec<_> =
            affected.flat_map(|range| &range.intervals).map(ToString::to_string).collect();
        texts.join(" || ")
    }
}

/// The stable name of what an upper bound rests on.
const fn basis_name(interval: &Interval) -> &'static str {
    use relight_model::BoundBasis as Basis;
    match interval.basis {
        Basis::Fixed => "fixed",
        Basis::LastAffected => "last-affected",
        Basis::LastKnown => "last-known",
        Basis::Limit => "",
        Basis::Change => "change",
    }
}

/// One `affected` entry.
#[derive(Clone, Debug)]
struct Part {
    is_tombstone: bool,
    ranges: Box<[Range]>,
    /// Ranges in the numbers that people know a Go module by: they replace the others.
    has_custom: bool,
    /// Commits: where it starts, ends, or ends inclusively.
    affected_commits: Vec<String>,
    fixed_commits: Vec<String>,
    /// Versions as listed, and in canonical form.
    members: HashSet<String>,
    rest: RangeStatus,
    /// Something that would matter cannot be evaluated.
    unresolved: Option<Why>,
    arch: Vec<String>,
    module: Option<String>,
    build: Option<Build>,
    is_modular: bool,
}

impl Part {
    /// The entry, and where a version may be that it says anything but "not affected" of.
    fn new(scheme: VersionScheme, affected: &Affected) -> (Self, Option<Vec<Span>>) {
        let usable = |kind: RangeKind| {
            let has_start = |it: &RangeEvent| matches!(it, RangeEvent::Introduced(_));
            let ranges = affected.ranges.iter().filter(move |range| range.kind == kind);
            ranges.filter(move |range| range.events.iter().any(has_start))
        };
        let has_custom = usable(RangeKind::Custom).next().is_some();
        let kind = if has_custom { RangeKind::Custom } else { RangeKind::Ecosystem };
        let mut ranges = Vec::new();
        let mut unresolved = unresolved(affected, usable(kind).next().is_some());
        // Where a range without a start begins nobody knows, whatever another one says.
        let all = affected.ranges.iter().filter(|range| range.kind == kind);
        let is_half = all.filter(|it| !it.events.is_empty()).count() > usable(kind).count();
        unresolved = unresolved.or(is_half.then_some(Why::NoRange));
        ranges.extend(usable(kind).map(|range| Range::new(scheme, range)));
        ranges.extend(affected.intervals.iter().map(|it| Range::of_interval(scheme, it)));
        for text in &affected.native {
            match native::intervals(&affected.package.ecosystem, text) {
                Some(all) => ranges.extend(all.iter().map(|it| Range::of_interval(scheme, it))),
                None => unresolved = unresolved.or(Some(Why::FreeText)),
            }
        }
        let build = Build::of_record(&affected.package).or_else(|| {
            let holds = |text: &str| ranges.iter().any(|range| range.any_bound_holds(text));
            Build::of_bounds(&affected.package.ecosystem, holds)
        });
        let is_modular = ranges.iter().any(|range| range.any_bound_holds(".module"))
            || affected.versions.iter().any(|text| text.contains(".module"));
        let (affected_commits, fixed_commits) = commits(affected);
        let (members, spans) = members(scheme, &affected.versions);
        let is_tombstone = is_tombstone(affected, &ranges, unresolved);
        // Nothing is in any range, and not because it ends before every version: a slip.
        let is_void = !is_tombstone && !ranges.is_empty() && affected.versions.is_empty();
        if is_void && ranges.iter().all(|range| range.intervals.is_empty()) {
            unresolved = unresolved.or(Some(Why::NoRange));
        }
        let part = Self {
            is_tombstone,
            has_custom,
            affected_commits,
            fixed_commits,
            members,
            rest: affected.rest,
            unresolved,
            arch: affected.arch.clone(),
            module: affected.module.clone(),
            build,
            is_modular,
            ranges: ranges.into_boxed_slice(),
        };
        let spans = part.spans(spans);
        (part, spans)
    }

    /// Whether a stream, a bound or a listed version is that of a module.
    fn is_of_modules(&self) -> bool {
        self.module.is_some() || self.is_modular
    }

    /// Whether it is about the module stream of a subject, as far as both are told: each stream has
    /// a fix of its own.
    fn may_be_of_stream(&self, subject: &Subject) -> bool {
        let both = self.module.as_deref().zip(subject.stream.as_deref());
        both.is_none_or(|(named, own)| named == own)
    }

    /// Whether it names a version, or a stream.
    fn is_of_kind(&self) -> bool {
        let is_bounded = self.ranges.iter().any(|range| range.any_bound_holds(""));
        is_bounded || !self.members.is_empty() || self.module.is_some()
    }

    /// Where its ranges hold a version for certain, and nothing speaks before they do.
    fn sure(&self) -> Vec<Span> {
        let has_commits = !self.affected_commits.is_empty() || !self.fixed_commits.is_empty();
        if self.is_tombstone || self.has_custom || has_commits {
            return Vec::new();
        }
        self.ranges.iter().flat_map(Range::sure).collect()
    }

    /// The spans of its ranges beside those of its members.
    fn spans(&self, mut spans: Vec<Span>) -> Option<Vec<Span>> {
        if self.is_tombstone {
            return Some(Vec::new());
        }
        let is_open = self.rest != RangeStatus::NotAffected || self.unresolved.is_some();
        if is_open || self.has_custom || !self.affected_commits.is_empty() {
            return None;
        }
        for range in &self.ranges {
            spans.extend(range.spans()?);
        }
        Some(spans)
    }

    /// Whether it is about the subject's architecture, as far as both say one.
    fn speaks_of(&self, subject: &Subject) -> bool {
        let any = ["all", "noarch", "src", "source", "any"];
        let Some(arch) = subject.arch.as_deref().filter(|arch| !any.contains(arch)) else {
            return true;
        };
        self.arch.is_empty() || self.arch.iter().any(|it| it == arch || any.contains(&it.as_str()))
    }

    /// A listed version is affected; so is one in any range that says so; else unknown where
    /// anything that could matter is not known; else not affected. One range never ends the search
    /// in the others.
    fn told(&self, asked: &Asked, last: bool) -> Told<'_> {
        if self.is_tombstone {
            return Told::new(Stand::NotAffected, Rule::Tombstone);
        }
        let ranged = self.ranged(asked, last);
        if self.lists(asked) {
            let outside = !self.ranges.is_empty() && ranged.stand == Stand::NotAffected;
            return Told { differs: outside, ..Told::new(Stand::Affected, Rule::Listed) };
        }
        // Beside versions the end of a range of commits clears nothing: an interval may hold all.
        let is_alone = self.ranges.is_empty() && self.members.is_empty();
        let stand = self.by_commit(&asked.text);
        if let Some(stand) = stand.filter(|it| is_alone || *it == Stand::Affected) {
            return Told::new(stand, Rule::Commit);
        }
        let inside = ranged.stand == Stand::Affected && !self.members.is_empty();
        Told { differs: inside, ..ranged }
    }

    fn lists(&self, asked: &Asked) -> bool {
        if self.members.is_empty() {
            return false;
        }
        let Asked { text, canonical, release, .. } = asked;
        let forms = [Some(text), canonical.as_ref(), release.as_ref()];
        forms.into_iter().flatten().any(|it| !it.is_empty() && self.members.contains(it))
    }

    /// What the ranges alone say.
    fn ranged(&self, asked: &Asked, last: bool) -> Told<'_> {
        let affected = || self.ranges.iter().filter(|it| it.status == RangeStatus::Affected);
        let Some(version) = &asked.version else {
            return match affected().find_map(Range::everything) {
                Some(all) => Told { interval: Some(all), ..AFFECTED },
                None => Told::unknown(self.blank().unwrap_or_else(|| asked.unordered())),
            };
        };
        if self.has_custom && is_pseudo_version(&asked.text) {
            return Told::unknown(Why::PseudoVersion);
        }
        let exact = version.is_exact();
        let no_place = if exact { Why::BoundUnordered } else { Why::OrderInexact };
        let mut unsure = None;
        for range in affected() {
            match range.place(version) {
                Place::Inside(interval) => return Told { interval: Some(interval), ..AFFECTED },
                Place::Unsure => unsure = Some(no_place),
                Place::AboveLastKnown if !last => unsure = unsure.or(Some(Why::AboveLastKnown)),
                Place::AboveLastKnown | Place::Outside => {}
            }
        }
        if let Some(told) = self.excluded(version) {
            let known_only = unsure.is_none_or(|why| why == Why::AboveLastKnown);
            if known_only && (exact || told.stand != Stand::NotAffected) {
                return told;
            }
        }
        match unsure.or(self.unresolved) {
            Some(why) => Told::unknown(why),
            None => self.uncovered(version),
        }
    }

    /// Why nothing at all in it can be evaluated, whatever the version.
    fn blank(&self) -> Option<Why> {
        self.unresolved.filter(|_| self.ranges.is_empty() && self.members.is_empty())
    }

    /// Inside an interval that says "unknown" or "not affected".
    fn excluded(&self, version: &Version) -> Option<Told<'_>> {
        let inside = |status: RangeStatus| {
            let mut of_status = self.ranges.iter().filter(move |it| it.status == status);
            of_status.find_map(|range| match range.place(version) {
                Place::Inside(interval) => Some(interval),
                _ => None,
            })
        };
        let unknown = inside(RangeStatus::Unknown);
        let unknown = unknown.map(|it| (it, Stand::Unknown(Why::StatedUnknown)));
        let found =
            unknown.or_else(|| Some((inside(RangeStatus::NotAffected)?, Stand::NotAffected)));
        found.map(|(it, stand)| Told { interval: Some(it), ..Told::new(stand, Rule::Interval) })
    }

    /// A version that no interval covers.
    fn uncovered(&self, version: &Version) -> Told<'_> {
        match self.rest {
            RangeStatus::Affected => Told::new(Stand::Affected, Rule::Rest),
            RangeStatus::Unknown => Told::unknown(Why::StatedUnknown),
            RangeStatus::NotAffected if version.is_exact() => {
                Told::new(Stand::NotAffected, Rule::Outside)
            }
            RangeStatus::NotAffected => Told::unknown(Why::OrderInexact),
        }
    }

    /// A component that carries a commit equal to one of the events. Ancestry is never computed.
    fn by_commit(&self, text: &str) -> Option<Stand> {
        let is = |all: &[String]| all.iter().any(|commit| commit == text);
        if is(&self.affected_commits) {
            return Some(Stand::Affected);
        }
        is(&self.fixed_commits).then_some(Stand::NotAffected)
    }
}

const AFFECTED: Told<'static> = Told::new(Stand::Affected, Rule::Interval);

mod asked;
mod reading;
#[cfg(test)]
mod tests;
