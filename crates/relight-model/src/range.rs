//! Ranges of versions as sources publish them; relight-match puts them in order.

/// One range of an advisory, as a set of events (OSV schema 1.7): their order in the file means
/// nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AffectedRange {
    /// What the events are ordered by.
    pub kind: RangeKind,
    /// The events.
    pub events: Vec<RangeEvent>,
}

/// What the events of a range are ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RangeKind {
    /// The ecosystem's own order, or SemVer where the ecosystem uses it.
    Ecosystem,
    /// The versions under which people know a Go module that has no releases: where an entry has
    /// such ranges, they decide for a release version, and a pseudo-version is unknown.
    Custom,
    /// Commits: ancestry is never computed, so such a range alone answers unknown.
    Git,
    /// A kind that this program does not know: such a range alone answers unknown.
    Unknown,
}

/// Where a range starts or ends. Versions are text as published.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RangeEvent {
    /// Affected from here on, inclusive; `0` means from the very first version.
    Introduced(String),
    /// Not affected from here on.
    Fixed(String),
    /// Affected up to and including this version.
    LastAffected(String),
    /// Affected only below this version.
    Limit(String),
}

/// From one bound to the other, and what is said of the versions between.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Interval {
    /// The lower bound.
    pub lo: Bound,
    /// The upper bound.
    pub hi: Bound,
    /// What the upper bound rests on.
    pub basis: BoundBasis,
    /// What is said of the versions inside.
    pub status: RangeStatus,
}

impl Interval {
    /// Exactly one version.
    pub fn single(version: &str, status: RangeStatus) -> Self {
        Self {
            lo: Bound::Inclusive(version.to_owned()),
            hi: Bound::Inclusive(version.to_owned()),
            basis: BoundBasis::LastAffected,
            status,
        }
    }
}

/// One end of an interval; the version is text as published.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bound {
    /// No end.
    #[default]
    Unbounded,
    /// With this version.
    Inclusive(String),
    /// Without this version.
    Exclusive(String),
}

impl Bound {
    /// The version, if there is one.
    pub fn version(&self) -> Option<&str> {
        match self {
            Self::Unbounded => None,
            Self::Inclusive(version) | Self::Exclusive(version) => Some(version),
        }
    }
}

/// What the upper bound of an interval rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BoundBasis {
    /// The version that fixes it.
    Fixed,
    /// The last version that is affected: those above are not.
    LastAffected,
    /// The last version that was known to be affected: those above are unknown.
    LastKnown,
    /// A limit of what the record speaks about.
    Limit,
    /// A change of status inside a longer range (CVE `changes`).
    Change,
}

/// What is said of versions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum RangeStatus {
    /// They are affected.
    Affected,
    /// They are not.
    #[default]
    NotAffected,
    /// Nobody knows.
    Unknown,
}

/// A range as text in a grammar that relight-match reads.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NativeRange {
    /// The text, as published.
    pub text: String,
    /// Its grammar.
    pub grammar: Grammar,
    /// What is said of the versions inside.
    pub status: RangeStatus,
}

/// The grammar of a [`NativeRange`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grammar {
    /// The one that the ecosystem's own tool reads, and what GitLab makes of it (`||`, `,`).
    Ecosystem,
    /// `vers:npm/>=1.0.0|<2.0.0` (version range specifier).
    Vers,
}
