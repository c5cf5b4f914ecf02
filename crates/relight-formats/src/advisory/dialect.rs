//! Dialects of OSV: which database a record is from, by its id, and what it says in its own way.
//!
//! A database that speaks OSV is one line here and one fixture.

/// How one database writes OSV.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dialect {
    /// How its ids start.
    prefix: &'static str,
    /// The name of the source.
    pub(super) source: &'static str,
    /// What it says outside of the fields of OSV.
    pub(super) quirks: &'static [Quirk],
}

/// One thing that a database says in its own way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quirk {
    /// `ecosystem_specific.custom_ranges` beside `introduced: 0` (Go).
    CustomRanges,
    /// `database_specific.last_known_affected_version_range` (GHSA).
    LastKnownBound,
    /// CVE numbers in `related` are what the record is about (errata).
    RelatedAttaches,
    /// `database_specific.informational`: a notice, except `unsound` (RustSec).
    Informational,
    /// Ranges as text: `affected_range`, or `patched` and `unaffected`.
    NativeRange,
    /// `database_specific.tombstone`: no version of this package is affected (GitLab).
    Tombstones,
    /// `database_specific.exclusive_introduced`: some lower bounds are exclusive (GitLab).
    ExclusiveIntroduced,
    /// `database_specific.expires`: when somebody meant to look at it again; `hashes` and
    /// `examples`: files that it means.
    Own,
}

use Quirk::{
    CustomRanges, ExclusiveIntroduced, Informational, LastKnownBound, NativeRange, Own,
    RelatedAttaches, Tombstones,
};

const PLAIN: &[Quirk] = &[];
const ERRATA: &[Quirk] = &[RelatedAttaches];

const fn row(prefix: &'static str, source: &'static str, quirks: &'static [Quirk]) -> Dialect {
    Dialect { prefix, source, quirks }
}

/// The databases that are known; the longest prefix that fits wins.
///
/// What Debian publishes through OSV is a source beside its tracker (`debian`): that one is a
/// complete list, and each of the two would end what the other says.
const DIALECTS: &[Dialect] = &[
    row("ALBA-", "almalinux", ERRATA),
    row("ALEA-", "almalinux", ERRATA),
    row("ALPINE-", "alpine", ERRATA),
    row("ALSA-", "almalinux", ERRATA),
    row("BELL-", "bellsoft", ERRATA),
    row("BIT-", "bitnami", PLAIN),
    row("CGA-", "chainguard", ERRATA),
    row("CVE-", "osv-cve", PLAIN),
    row("DEBIAN-", "osv-debian", ERRATA),
    row("DLA-", "osv-debian", ERRATA),
    row("DSA-", "osv-debian", ERRATA),
    row("DTSA-", "osv-debian", ERRATA),
    row("ECHO-", "echo", ERRATA),
    row("EEF-", "eef", PLAIN),
    row("GHSA-", "ghsa", &[LastKnownBound]),
    row("GLAD-", "gitlab-community", &[NativeRange, Tombstones, ExclusiveIntroduced]),
    row("GO-", "go", &[CustomRanges]),
    row("HSEC-", "haskell", PLAIN),
    row("JLSEC-", "julia", PLAIN),
    row("MAL-", "malicious-packages", PLAIN),
    row("MGASA-", "mageia", ERRATA),
    row("MINI-", "minimos", ERRATA),
    row("OESA-", "openeuler", ERRATA),
    row("OSV-", "oss-fuzz", PLAIN),
    row("PSF-", "psf", PLAIN),
    row("PYSEC-", "pypa", PLAIN),
    row("RHBA-", "redhat", ERRATA),
    row("RHEA-", "redhat", ERRATA),
    row("RHSA-", "redhat", ERRATA),
    row("RLBA-", "rocky", ERRATA),
    row("RLSA-", "rocky", ERRATA),
    row("RLT-", "own", &[ExclusiveIntroduced, Own]),
    row("RSEC-", "r", PLAIN),
    row("RUBYSEC-", "rubysec", &[NativeRange]),
    row("RUSTSEC-", "rustsec", &[Informational, NativeRange]),
    row("RXSA-", "rocky", ERRATA),
    row("SUSE-", "suse", ERRATA),
    row("UBUNTU-", "ubuntu", ERRATA),
    row("USN-", "ubuntu", ERRATA),
    row("V8-", "v8", PLAIN),
    row("openSUSE-", "suse", ERRATA),
];

/// Any other database: everything that the known ones say is understood.
const OTHER: Dialect = row(
    "",
    "osv",
    &[CustomRanges, LastKnownBound, Informational, Tombstones, ExclusiveIntroduced, NativeRange],
);

impl Dialect {
    /// The dialect of a record with this id.
    pub(super) fn of(id: &str) -> Self {
        DIALECTS.iter().find(|dialect| id.starts_with(dialect.prefix)).copied().unwrap_or(OTHER)
    }

    /// Whether it says this in its own way.
    pub(super) fn has(&self, quirk: Quirk) -> bool {
        self.quirks.contains(&quirk)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_database_by_its_ids() {
        for (id, source) in [
            ("GHSA-jfh8-c2jp-5v3q", "ghsa"),
            ("GO-2021-0159", "go"),
            ("PYSEC-2012-5", "pypa"),
            ("RUSTSEC-2020-0024", "rustsec"),
            ("RUBYSEC-rails-CVE-2008-4094", "rubysec"),
            ("GLAD-2017-05-18", "gitlab-community"),
            ("ALSA-2021:1234", "almalinux"),
            ("BIT-tomcat-2021-1", "bitnami"),
            ("DEBIAN-CVE-2021-1", "osv-debian"),
            ("DLA-1-1", "osv-debian"),
            ("DSA-5000-1", "osv-debian"),
            ("MAL-2024-1", "malicious-packages"),
            ("RLT-node-2021-0001", "own"),
            ("X-1", "osv"),
        ] {
            assert_eq!(Dialect::of(id).source, source, "{id}");
        }
    }

    /// A prefix that starts another one would hide it.
    #[test]
    fn prefixes_are_sorted_and_none_hides_another() {
        assert!(DIALECTS.is_sorted_by(|a, b| a.prefix < b.prefix));
        for (at, dialect) in DIALECTS.iter().enumerate() {
            let hides = |other: &Dialect| other.prefix.starts_with(dialect.prefix);
            assert!(!DIALECTS[at + 1..].iter().any(hides), "{}", dialect.prefix);
        }
    }
}
