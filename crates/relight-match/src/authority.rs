//! Whose word counts before whose, and what an operator may set about it.

use std::collections::{BTreeMap, BTreeSet};

use relight_model::{Advisory, Ecosystem, PackageName, Rating, Signal, Timestamp};

use crate::bindings::OwnBinding;
use crate::package::is_distribution;

/// How much a record's word counts about a package; the first is the heaviest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rank {
    /// The distribution, for its own packages: only it may speak about them.
    Distribution,
    /// The assigner or the vendor, for the product's packages.
    Vendor,
    /// Reviewed records of GitHub.
    Reviewed,
    /// Everybody else.
    Community,
    /// NVD, through CPE names.
    Nvd,
    /// An advisory of our own: it adds affected versions and never clears any.
    Own,
}

impl Rank {
    /// Every rank, heaviest first.
    pub const ALL: [Self; 6] =
        [Self::Distribution, Self::Vendor, Self::Reviewed, Self::Community, Self::Nvd, Self::Own];

    /// Reads a stable name back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rank| rank.as_str() == text)
    }

    /// The stable name used in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Distribution => "distribution",
            Self::Vendor => "vendor",
            Self::Reviewed => "reviewed",
            Self::Community => "community",
            Self::Nvd => "nvd",
            Self::Own => "own",
        }
    }

    /// The number that people know it by; 0 for our own, which has none.
    pub const fn number(self) -> u8 {
        match self {
            Self::Own => 0,
            _ => self as u8 + 1,
        }
    }
}

/// What an operator may set about sources. The default is what ADVISORIES.md describes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Rank of a source, by its name, where it is not what the record's id says.
    pub ranks: BTreeMap<String, Rank>,
    /// Sources whose "last known affected version" is taken for the last affected one.
    pub last_known_is_last: BTreeSet<String>,
    /// Sources whose `related` ids are the flaws that the record is about.
    pub related_attaches: BTreeSet<String>,
    /// Issuers whose statements have an effect, and whose documents of CSAF may clear versions.
    pub trusted: BTreeSet<String>,
    /// Which packages products are, by the operator's own word: before what relight ships.
    pub bindings: Vec<OwnBinding>,
    /// Sources that the operator has switched off, and when: their records count as withdrawn.
    pub disabled: BTreeMap<String, Timestamp>,
}

/// The source of the records that relight ships: the intervals that Apache published.
const BUILTIN: &str = "relight";

/// How ids of our own advisories begin.
pub const OWN_PREFIX: &str = "RLT-";

/// Prefixes of ids whose records name their flaws in `related`: AlmaLinux and other errata.
const RELATED_ATTACHES: [&str; 3] = ["ALSA-", "ALBA-", "ALEA-"];

impl Policy {
    /// How much a record counts about a package.
    pub fn rank(&self, record: &Advisory, package: &PackageName) -> Rank {
        let Advisory { id, source, reviewed, .. } = record;
        if id.starts_with(OWN_PREFIX) {
            return Rank::Own;
        }
        if is_distribution(&package.ecosystem) && is_word_of(record, &package.ecosystem) {
            return Rank::Distribution;
        }
        if let Some(rank) = self.ranks.get(source) {
            return *rank;
        }
        match (source.as_str(), id.as_str()) {
            ("nvd", _) => Rank::Nvd,
            (BUILTIN, _) => Rank::Vendor,
            (_, id) if id.starts_with("GHSA-") && *reviewed != Some(false) => Rank::Reviewed,
            (_, id) if id.starts_with("GO-") && *reviewed == Some(true) => Rank::Vendor,
            (source, _) if is_vendor(source) => Rank::Vendor,
            _ => Rank::Community,
        }
    }

    /// A record as it counts: one of a source that is switched off is withdrawn, and its catalogue
    /// has let go of the flaw.
    pub(crate) fn as_it_counts(&self, mut record: Advisory) -> Advisory {
        let Some(&since) = self.disabled.get(&record.source) else { return record };
        record.withdrawn = record.withdrawn.or(Some(since));
        for signal in &mut record.signals {
            if let Signal::Kev { removed, .. } = signal {
                *removed = removed.or(Some(since));
            }
        }
        record
    }

    /// Whether what a record of this source and assigner does not name is clear by its word:
    /// anybody can write a document of CSAF and call himself the vendor.
    pub fn may_clear(&self, source: &str, assigner: &str) -> bool {
        base(source) != "csaf" || self.trusted.contains(assigner)
    }

    /// Whether a record only adds versions of a package: whoever is not the distribution may say
    /// that a package of it is affected, and clears none (ADVISORIES.md 3.6).
    pub(crate) fn only_adds(&self, record: &Advisory, package: &PackageName) -> bool {
        let is_own = record.id.starts_with(OWN_PREFIX);
        let is_foreign =
            is_distribution(&package.ecosystem) && !is_word_of(record, &package.ecosystem);
        !self.may_clear(&record.source, &record.assigner) || is_foreign && !is_own
    }

    /// Whether the `related` ids of a record are the flaws that it is about.
    pub(crate) fn attaches_related(&self, record: &Advisory) -> bool {
        self.related_attaches.contains(&record.source)
            || RELATED_ATTACHES.iter().any(|prefix| record.id.starts_with(prefix))
    }
}

/// Whether a rating is of somebody who adds to what others published: NVD where it rates itself,
/// and the containers of a CVE record that are not the assigner's.
pub(crate) fn enriches(record: &Advisory, rating: &Rating) -> bool {
    let is_nvd = matches!(rating.by.as_str(), "" | "nvd@nist.gov");
    base(&record.source) == "cve-adp" || record.source == "nvd" && is_nvd
}

/// How distributions speak of their own packages: the sources under which their records are kept,
/// how the ids of those begin, and the hosts of their documents of CSAF.
struct Voice {
    ecosystems: &'static [Ecosystem],
    sources: &'static [&'static str],
    ids: &'static [&'static str],
    hosts: &'static [&'static str],
}

const fn voice(
    ecosystems: &'static [Ecosystem],
    sources: &'static [&'static str],
    ids: &'static [&'static str],
    hosts: &'static [&'static str],
) -> Voice {
    Voice { ecosystems, sources, ids, hosts }
}

const VOICES: [Voice; 13] = [
    voice(
        &[Ecosystem::Debian],
        &["debian", "osv-debian"],
        &["DEBIAN-", "DLA-", "DSA-", "DTSA-"],
        &["debian.org"],
    ),
    voice(&[Ecosystem::Ubuntu], &["ubuntu"], &["UBUNTU-", "USN-", "LSN-"], &["ubuntu.com"]),
    voice(&[Ecosystem::Echo], &["echo"], &["ECHO-"], &[]),
    voice(&[Ecosystem::Alpine], &["alpine"], &["ALPINE-"], &["alpinelinux.org"]),
    voice(&[Ecosystem::Alpaquita, Ecosystem::BellSoft], &["bellsoft"], &["BELL-"], &[]),
    voice(&[Ecosystem::Chainguard, Ecosystem::Wolfi], &["chainguard"], &["CGA-"], &[]),
    voice(&[Ecosystem::MinimOs], &["minimos"], &["MINI-"], &[]),
    voice(&[Ecosystem::AlmaLinux], &["almalinux"], &["ALBA-", "ALEA-", "ALSA-"], &[]),
    voice(&[Ecosystem::RockyLinux], &["rocky"], &["RLBA-", "RLSA-", "RXSA-"], &[]),
    voice(&[Ecosystem::RedHat], &["redhat"], &["RHBA-", "RHEA-", "RHSA-"], &["redhat.com"]),
    voice(
        &[Ecosystem::Suse, Ecosystem::OpenSuse],
        &["suse"],
        &["SUSE-", "openSUSE-"],
        &["suse.com", "suse.de", "opensuse.org"],
    ),
    voice(&[Ecosystem::OpenEuler], &["openeuler"], &["OESA-"], &["openeuler.org"]),
    voice(&[Ecosystem::Mageia], &["mageia"], &["MGASA-"], &[]),
];

/// Whether a record is of the distribution itself. Of one whose own records have no form that is
/// known, everybody's are.
fn is_word_of(record: &Advisory, ecosystem: &Ecosystem) -> bool {
    let Some(voice) = VOICES.iter().find(|it| it.ecosystems.contains(ecosystem)) else {
        return true;
    };
    if let Some(publisher) = record.source.strip_prefix("csaf/") {
        // Anybody can give a document the number of another's.
        return voice.hosts.iter().any(|host| is_host(publisher, host));
    }
    voice.sources.contains(&base(&record.source))
        || voice.ids.iter().any(|prefix| record.id.starts_with(prefix))
}

/// Whether an address (`https://www.redhat.com/x`) is of a host or of one below it.
fn is_host(address: &str, host: &str) -> bool {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let name = rest.split(['/', ':', '?', '#']).next().unwrap_or_default().to_ascii_lowercase();
    name.strip_suffix(host).is_some_and(|above| above.is_empty() || above.ends_with('.'))
}

/// The container of the assigner itself (`cve`), or a document of a vendor (`csaf`); enrichers
/// (`cve-adp/…`) are not.
fn is_vendor(source: &str) -> bool {
    matches!(base(source), "cve" | "csaf")
}

/// The name of a source without what stands behind `/`.
fn base(source: &str) -> &str {
    source.split('/').next().unwrap_or(source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_by_source_and_id() {
        for (source, id, reviewed, ecosystem, rank) in [
            ("relight", "CVE-1", None, "Maven", Rank::Vendor),
            ("cve", "CVE-1", None, "Maven", Rank::Vendor),
            ("cve-adp/CISA-ADP", "CVE-1", None, "Maven", Rank::Community),
            ("csaf", "RHSA-1", None, "Maven", Rank::Vendor),
            ("csaf/redhat", "RHSA-1", None, "Maven", Rank::Vendor),
            ("nvd", "CVE-1", None, "Maven", Rank::Nvd),
            ("osv", "CVE-1", None, "Maven", Rank::Community),
            ("osv", "GHSA-1", None, "npm", Rank::Reviewed),
            ("ghsa", "GHSA-1", Some(true), "npm", Rank::Reviewed),
            ("ghsa", "GHSA-1", Some(false), "npm", Rank::Community),
            ("go", "GO-1", Some(true), "Go", Rank::Vendor),
            ("go", "GO-1", Some(false), "Go", Rank::Community),
            ("go", "GO-1", None, "Go", Rank::Community),
            ("pypa", "PYSEC-1", None, "PyPI", Rank::Community),
            ("bitnami", "BIT-1", None, "Bitnami", Rank::Community),
            ("almalinux", "ALSA-1", None, "AlmaLinux", Rank::Distribution),
            ("csaf", "RHSA-1", None, "Red Hat", Rank::Distribution),
            ("csaf/https://www.redhat.com", "RHSA-1", None, "Red Hat", Rank::Distribution),
            ("csaf/https://redhat.com.example", "RHSA-1", None, "Red Hat", Rank::Vendor),
            ("csaf/https://notredhat.com", "RHSA-1", None, "Red Hat", Rank::Vendor),
            ("csaf/https://www.suse.com/", "S-1", None, "openSUSE", Rank::Distribution),
            ("debian", "debian/log/CVE-1", None, "Debian", Rank::Distribution),
            ("alpine/v3.20/main", "alpine-v3.20/x/1-r1", None, "Alpine", Rank::Distribution),
            ("mirror", "DSA-1", None, "Debian", Rank::Distribution),
            ("chainguard", "CGA-1", None, "Wolfi", Rank::Distribution),
            ("osv", "X-1", None, "Debian", Rank::Community),
            ("almalinux", "ALSA-1", None, "Debian", Rank::Community),
            ("ghsa", "GHSA-1", None, "Debian", Rank::Reviewed),
            ("cve", "CVE-1", None, "Debian", Rank::Vendor),
            // Whose own records have no form that is known.
            ("osv", "ELSA-1", None, "Oracle Linux", Rank::Distribution),
            ("own", "RLT-1", None, "Debian", Rank::Own),
        ] {
            let (source, id) = (source.to_owned(), id.to_owned());
            let record = Advisory { source, id, reviewed, ..Advisory::default() };
            let ecosystem = Ecosystem::from_osv(ecosystem);
            let package = PackageName { ecosystem, release: None, name: "a".into() };
            let found = Policy::default().rank(&record, &package);
            assert_eq!(found, rank, "{} {} {reviewed:?}", record.source, record.id);
        }
        let numbers: Vec<_> = Rank::ALL.iter().map(|rank| rank.number()).collect();
        assert_eq!(numbers, [1, 2, 3, 4, 5, 0]);
    }

    #[test]
    fn an_operator_ranks_a_source() {
        let ranks = [("house".to_owned(), Rank::Vendor)].into();
        let policy = Policy { ranks, ..Policy::default() };
        let record =
            |id: &str| Advisory { source: "house".into(), id: id.into(), ..Advisory::default() };
        let of = |name: &str| PackageName {
            ecosystem: Ecosystem::from_osv(name),
            release: None,
            name: "a".into(),
        };
        assert_eq!(policy.rank(&record("X-1"), &of("npm")), Rank::Vendor);
        // Nothing puts anybody beside a distribution, or our own word above it.
        assert_eq!(policy.rank(&record("X-1"), &of("Debian")), Rank::Vendor);
        assert_eq!(policy.rank(&record("DSA-1"), &of("Debian")), Rank::Distribution);
        assert_eq!(policy.rank(&record("RLT-1"), &of("npm")), Rank::Own);
    }
}
