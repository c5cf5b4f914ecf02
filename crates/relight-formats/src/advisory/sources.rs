//! Who publishes advisories: licence and attribution of each source.

/// What must be known of a source before its words are passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceInfo {
    /// The name under which its records are kept.
    pub name: &'static str,
    /// Who publishes it.
    pub publisher: &'static str,
    /// The licence of its data (SPDX identifier where there is one).
    pub licence: &'static str,
    /// What must be said where its words are shown.
    pub attribution: &'static str,
    /// Where it is published.
    pub url: &'static str,
    /// A record that is missing from a complete list is withdrawn: the list is made anew each time.
    pub absence_withdraws: bool,
}

const fn row(
    name: &'static str,
    publisher: &'static str,
    licence: &'static str,
    attribution: &'static str,
    url: &'static str,
) -> SourceInfo {
    SourceInfo { name, publisher, licence, attribution, url, absence_withdraws: false }
}

const fn list(row: SourceInfo) -> SourceInfo {
    SourceInfo { absence_withdraws: true, ..row }
}

/// The sources whose licence is known, in alphabetical order.
pub const SOURCES: &[SourceInfo] = &[
    list(row(
        "alpine",
        "Alpine Linux",
        "CC-BY-SA-4.0",
        "Alpine Linux security database",
        "https://secdb.alpinelinux.org",
    )),
    row(
        "almalinux",
        "AlmaLinux OS Foundation",
        "MIT",
        "AlmaLinux errata",
        "https://errata.almalinux.org",
    ),
    row(
        "bitnami",
        "Broadcom",
        "Apache-2.0",
        "Bitnami Vulnerability Database",
        "https://github.com/bitnami/vulndb",
    ),
    row(
        "csaf",
        "the publisher of each document",
        "as each document says",
        "the publisher named by the document",
        "",
    ),
    row(
        "cve",
        "CVE Program",
        "CVE terms of use",
        "CVE is a trademark of The MITRE Corporation",
        "https://www.cve.org",
    ),
    row(
        "cyclonedx-vex",
        "the author of each document",
        "as each document says",
        "the author named by the document",
        "",
    ),
    list(row(
        "debian",
        "Debian project",
        "MIT",
        "Debian security tracker",
        "https://security-tracker.debian.org",
    )),
    row(
        "epss",
        "FIRST",
        "FIRST terms of use",
        "EPSS scores by FIRST.org",
        "https://www.first.org/epss",
    ),
    row(
        "ghsa",
        "GitHub",
        "CC-BY-4.0",
        "GitHub Advisory Database, CC-BY-4.0",
        "https://github.com/advisories",
    ),
    row(
        "gitlab-community",
        "GitLab",
        "MIT",
        "GitLab Advisory Database, community edition",
        "https://gitlab.com/gitlab-org/advisories-community",
    ),
    row(
        "go",
        "The Go Authors",
        "CC-BY-4.0",
        "Go vulnerability database, CC-BY-4.0",
        "https://vuln.go.dev",
    ),
    row(
        "kev/cisa",
        "CISA",
        "CC0-1.0",
        "CISA Known Exploited Vulnerabilities",
        "https://www.cisa.gov/known-exploited-vulnerabilities-catalog",
    ),
    row(
        "kev/enisa",
        "ENISA",
        "CC-BY-4.0",
        "European vulnerability database, ENISA",
        "https://euvd.enisa.europa.eu",
    ),
    row(
        "kev/vulncheck",
        "VulnCheck",
        "VulnCheck terms of use",
        "VulnCheck KEV",
        "https://vulncheck.com/kev",
    ),
    row(
        "malicious-packages",
        "OpenSSF",
        "Apache-2.0",
        "OpenSSF malicious packages",
        "https://github.com/ossf/malicious-packages",
    ),
    row(
        "nvd",
        "NIST",
        "public domain",
        "This product uses data of the NVD and is not endorsed by it",
        "https://nvd.nist.gov",
    ),
    row(
        "openvex",
        "the author of each document",
        "as each document says",
        "the author named by the document",
        "",
    ),
    row(
        "osv-debian",
        "Debian project",
        "MIT",
        "Debian security advisories, through OSV",
        "https://www.debian.org/security/",
    ),
    row("own", "this register", "own", "", ""),
    row(
        "pypa",
        "Python Packaging Authority",
        "CC-BY-4.0",
        "PyPA advisory database, CC-BY-4.0",
        "https://github.com/pypa/advisory-database",
    ),
    row("relight", "relight", "Apache-2.0", "", ""),
    row(
        "rubysec",
        "RubySec",
        "public domain, OSVDB texts excepted",
        "RubySec advisory database",
        "https://rubysec.com",
    ),
    row(
        "rustsec",
        "Rust Secure Code WG",
        "CC0-1.0",
        "RustSec advisory database",
        "https://rustsec.org",
    ),
];

/// What is known of a source; the part after `/` names a container or a publisher.
pub fn source_info(name: &str) -> Option<&'static SourceInfo> {
    let base = name.split('/').next().unwrap_or(name);
    let base = if base == "cve-adp" { "cve" } else { base };
    let named = |wanted: &str| SOURCES.iter().find(|info| info.name == wanted);
    named(name).or_else(|| named(base))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_licence_of_each_is_said() {
        for info in SOURCES {
            assert!(!info.licence.is_empty() && !info.publisher.is_empty(), "{}", info.name);
        }
        assert_eq!(source_info("cve-adp/CISA-ADP").unwrap().name, "cve");
        assert_eq!(source_info("csaf/https://example.org").unwrap().name, "csaf");
        assert_eq!(source_info("kev/cisa").unwrap().licence, "CC0-1.0");
        assert!(source_info("unheard-of").is_none());
        assert!(source_info("debian").unwrap().absence_withdraws);
        assert!(!source_info("ghsa").unwrap().absence_withdraws);
    }
}
