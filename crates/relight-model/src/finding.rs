//! A finding: one advisory, one component.

/// What matching one component against one alias group of advisories gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The id under which the group is shown (CVE before GHSA before any other).
    pub id: String,
    /// All other ids of the group, sorted.
    pub aliases: Vec<String>,
    /// Affected for certain, or unknown.
    pub state: FindingState,
    /// Why, for logs and `explain`: the source, the range and the event that decided.
    pub rule: String,
    /// Highest CVSS base score of the group in tenths (100 = 10.0); `None` when nobody scored it.
    pub score: Option<u16>,
    /// In a catalogue of known exploited vulnerabilities.
    pub known_exploited: bool,
}

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FindingState {
    /// The version is in an affected range.
    Affected,
    /// As affected, but a class that the advisory names was removed, or a supplier says that
    /// something keeps the flaw away: still affected, never clear.
    Mitigated,
    /// The version is in an affected range, and only a lock file or a build document names the
    /// component: what is installed may be another version.
    DeclaredOnly,
    /// The component may be affected: its version is missing or cannot be ordered.
    PossibleMatch,
    /// The advisory gives no range that can be evaluated.
    RangeUnresolved,
}

impl FindingState {
    /// The stable name used in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Affected => "affected",
            Self::Mitigated => "mitigated",
            Self::DeclaredOnly => "declared-only",
            Self::PossibleMatch => "possible-match",
            Self::RangeUnresolved => "range-unresolved",
        }
    }

    /// Counts as affected (a mitigation is never a clearance).
    pub const fn is_affected(self) -> bool {
        matches!(self, Self::Affected | Self::Mitigated)
    }
}
