//! An advisory: who says that which versions of which packages are bad.

use crate::{
    AffectedRange, CpeConfiguration, Digest, Ecosystem, Exhibit, Interval, NativeRange, Product,
    RangeStatus, Rating, Signal, Timestamp, VexStatement,
};

/// One record of one source. Several records about one flaw form an alias group (relight-match).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Advisory {
    /// Name of the source (`relight`, `ghsa`, `nvd`, `cve/apache`, …).
    pub source: String,
    /// The source's own id (`GHSA-…`, `CVE-…`, `RLT-…`).
    pub id: String,
    /// Digest of the raw document.
    pub revision: Digest,
    /// When the source published it.
    pub published: Option<Timestamp>,
    /// When the source says that it last changed it.
    pub modified: Option<Timestamp>,
    /// Set when the source has withdrawn it: the record gives no opinion any more.
    pub withdrawn: Option<Timestamp>,
    /// When an advisory of our own was meant to be looked at again. It counts all the same: only a
    /// person retires it.
    pub expires: Option<Timestamp>,
    /// What the record may do.
    pub effect: Effect,
    /// Whether a person of the source has looked at it; `None` where the source does not say.
    pub reviewed: Option<bool>,
    /// What the source calls the state of the record (`Analyzed`, `REVIEWED`, `final`).
    pub status: String,
    /// Who assigned the number or issued the document, by the source's own name for them.
    pub assigner: String,
    /// Other ids of the same flaw.
    pub aliases: Vec<String>,
    /// Ids of other flaws to read about; they merge nothing.
    pub related: Vec<String>,
    /// Ids of the flaws that this record of a distribution is about.
    pub upstream: Vec<String>,
    /// One line for people, in the source's language.
    pub summary: String,
    /// What it says about packages.
    pub affected: Vec<Affected>,
    /// What it says about products that are no packages; a binding turns one into packages.
    pub products: Vec<Product>,
    /// Configurations of CPE names (NVD), any of which is affected.
    pub configurations: Vec<CpeConfiguration>,
    /// Files that it means, whatever they are called (of our own advisories).
    pub exhibits: Vec<Exhibit>,
    /// Statements about products of others (VEX).
    pub statements: Vec<VexStatement>,
    /// Ratings of severity, as published.
    pub severities: Vec<Rating>,
    /// What is known about exploitation.
    pub signals: Vec<Signal>,
    /// Addresses to read further.
    pub references: Vec<String>,
}

impl Advisory {
    /// Whether the record says that the flaw is in a catalogue of known exploited ones.
    pub fn known_exploited(&self) -> bool {
        self.signals.iter().any(|it| matches!(it, Signal::Kev { removed: None, .. }))
    }

    /// Gives back the room that its lists do not use: it is kept for long, and there are many.
    pub fn shrink_to_fit(&mut self) {
        self.affected.iter_mut().for_each(Affected::shrink_to_fit);
        self.affected.shrink_to_fit();
        let Self { aliases, related, upstream, references, .. } = self;
        for list in [aliases, related, upstream, references] {
            list.shrink_to_fit();
        }
        self.severities.shrink_to_fit();
        self.signals.shrink_to_fit();
    }

    /// Whether what it says of packages counts: neither withdrawn, nor a draft or a notice.
    pub fn is_in_force(&self) -> bool {
        self.withdrawn.is_none() && self.effect == Effect::Opinion
    }
}

/// What a record may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Effect {
    /// It says which versions are affected.
    #[default]
    Opinion,
    /// It tells something (`unmaintained`) and makes nothing affected.
    Notice(String),
    /// It is not final: shown, without effect.
    Draft,
}

/// What an advisory says about one package.
///
/// A version is affected when it is one of `versions`, or inside one of `ranges` or of the
/// `intervals` that say so. Otherwise an interval that says *not affected* or *unknown* decides,
/// and for what nothing covers `rest`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Affected {
    /// The package.
    pub package: PackageName,
    /// Whether the lists below are the answer.
    pub stance: Stance,
    /// Sets of events, where the source publishes events.
    pub ranges: Vec<AffectedRange>,
    /// Intervals, where the source publishes intervals.
    pub intervals: Vec<Interval>,
    /// Ranges in the words of the ecosystem, where the source has nothing else.
    pub native: Vec<NativeRange>,
    /// Single affected versions; united with the ranges.
    pub versions: Vec<String>,
    /// What is said of a version that nothing covers.
    pub rest: RangeStatus,
    /// Only for these architectures, as the source names them; empty means all.
    pub arch: Vec<String>,
    /// Only in this module stream (`nodejs:18`) or product stream.
    pub module: Option<String>,
    /// Classes whose absence is a mitigation (`org/apache/…/JndiLookup`).
    pub classes: Vec<String>,
}

impl Affected {
    /// An entry about a package that lists nothing yet.
    pub const fn of(package: PackageName) -> Self {
        Self {
            package,
            stance: Stance::Lists,
            ranges: Vec::new(),
            intervals: Vec::new(),
            native: Vec::new(),
            versions: Vec::new(),
            rest: RangeStatus::NotAffected,
            arch: Vec::new(),
            module: None,
            classes: Vec::new(),
        }
    }

    fn shrink_to_fit(&mut self) {
        self.ranges.iter_mut().for_each(|range| range.events.shrink_to_fit());
        self.ranges.shrink_to_fit();
        self.intervals.shrink_to_fit();
        self.native.shrink_to_fit();
        for list in [&mut self.versions, &mut self.arch, &mut self.classes] {
            list.shrink_to_fit();
        }
    }
}

/// Whether the lists of an entry are its answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stance {
    /// They are.
    #[default]
    Lists,
    /// The source says that no version of this package is affected: an opinion, not silence.
    NotAffected,
    /// Nothing can be evaluated, or something that matters cannot; what the lists name as
    /// affected is affected all the same, everything else is unknown.
    Unresolved(Why),
}

/// Why an entry cannot be evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// Only commits are named.
    GitOnly,
    /// The package is named and no version.
    NoRange,
    /// The versions are told in prose (`4.x`, `n/a`).
    FreeText,
    /// Every version is meant, or none is known (`*` and `-` of NVD).
    AllVersions,
    /// A kind of range that this program does not know.
    UnknownRange,
    /// Who says which versions are affected is not the vendor, and clears none.
    Untrusted,
    /// The source is still looking (`undetermined`, `under_investigation`).
    Undetermined,
}

impl Why {
    /// The stable name used in documents (`git-only`).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GitOnly => "git-only",
            Self::NoRange => "no-range",
            Self::FreeText => "free-text",
            Self::AllVersions => "all-versions",
            Self::UnknownRange => "unknown-range",
            Self::Untrusted => "issuer-untrusted",
            Self::Undetermined => "undetermined",
        }
    }
}

/// A package in an ecosystem, normalised by the rules of that ecosystem.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackageName {
    /// The ecosystem without its release.
    pub ecosystem: Ecosystem,
    /// The release of a distribution (`12` for `Debian:12`).
    pub release: Option<String>,
    /// `group:artifact` for Maven, the plain name elsewhere.
    pub name: String,
}
