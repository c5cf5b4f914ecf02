//! An advisory: who says that which versions of which packages are bad.

use crate::{Digest, Timestamp};

/// One record of one source. Several records about one flaw form an alias group (relight-match).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Advisory {
    /// Name of the source (`relight`, `ghsa`, …).
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
    /// Other ids of the same flaw.
    pub aliases: Vec<String>,
    /// One line for people, in the source's language.
    pub summary: String,
    /// What it says about packages.
    pub affected: Vec<Affected>,
    /// CVSS vectors, as published (`CVSS:3.1/AV:N/…`).
    pub severities: Vec<String>,
    /// In CISA's catalogue of known exploited vulnerabilities, as far as the record says.
    pub known_exploited: bool,
    /// Addresses to read further.
    pub references: Vec<String>,
}

/// What an advisory says about one package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Affected {
    /// The package.
    pub package: PackageName,
    /// Ranges of versions; a version in any of them is affected.
    pub ranges: Vec<AffectedRange>,
    /// Single affected versions; united with the ranges.
    pub versions: Vec<String>,
    /// Classes whose absence is a mitigation (`org/apache/…/JndiLookup`).
    pub classes: Vec<String>,
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

/// Who defines names and the order of versions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ecosystem {
    /// Java archives, `group:artifact`.
    Maven,
    /// npm.
    Npm,
    /// PyPI (PEP 440, PEP 503).
    PyPi,
    /// Debian; records carry a release.
    Debian,
    /// Any other, by its OSV name: versions cannot be ordered yet, so answers are unknown.
    Other(String),
}

impl Ecosystem {
    /// From the name that OSV uses, without release.
    pub fn from_osv(name: &str) -> Self {
        match name {
            "Maven" => Self::Maven,
            "npm" => Self::Npm,
            "PyPI" => Self::PyPi,
            "Debian" => Self::Debian,
            other => Self::Other(other.to_owned()),
        }
    }

    /// From the type of a purl; for `deb` the namespace names the distribution.
    pub fn from_purl(kind: &str, namespace: &str) -> Self {
        match (kind, namespace) {
            ("maven", _) => Self::Maven,
            ("npm", _) => Self::Npm,
            ("pypi", _) => Self::PyPi,
            ("deb", "debian") => Self::Debian,
            ("deb", other) => Self::Other(format!("deb:{other}")),
            (other, _) => Self::Other(other.to_owned()),
        }
    }

    /// The OSV name.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Maven => "Maven",
            Self::Npm => "npm",
            Self::PyPi => "PyPI",
            Self::Debian => "Debian",
            Self::Other(name) => name,
        }
    }
}

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RangeKind {
    /// The ecosystem's own order, or SemVer where the ecosystem uses it.
    Ecosystem,
    /// Commits: ancestry is never computed, so such a range alone answers unknown.
    Git,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ecosystems_by_both_names() {
        for (osv, kind, namespace) in [
            ("Maven", "maven", "org.example"),
            ("npm", "npm", ""),
            ("PyPI", "pypi", ""),
            ("Debian", "deb", "debian"),
        ] {
            let ecosystem = Ecosystem::from_osv(osv);
            assert_eq!(ecosystem, Ecosystem::from_purl(kind, namespace));
            assert_eq!(ecosystem.as_str(), osv);
        }
        assert_ne!(Ecosystem::from_purl("deb", "ubuntu"), Ecosystem::Debian);
    }
}
