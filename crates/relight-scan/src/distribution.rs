//! The distribution of a root file system, attached to its packages after the walk.

use std::collections::{BTreeMap, BTreeSet};

use relight_model::{Basis, Component, FlawCode};

use crate::evidence::ends_with;
use crate::sniff::Gap;

/// Where a distribution describes itself (os-release(5)): the first wins.
const PLACES: [&str; 2] = ["etc/os-release", "usr/lib/os-release"];

/// Where package managers keep what is installed, relative to the root file system, with the type
/// of the purl; a longer place before a shorter one that it ends in.
const DATABASES: [(&str, &str); 14] = [
    ("var/lib/dpkg/", "deb"),
    (CHISEL, "deb"),
    ("usr/lib/apk/db/", "apk"),
    ("lib/apk/db/", "apk"),
    ("var/lib/pacman/local/", "alpm"),
    ("usr/lib/opkg/", "opkg"),
    ("var/lib/opkg/", "opkg"),
    ("usr/lib/ipkg/", "opkg"),
    ("var/db/pkg/", "ebuild"),
    ("var/lib/rpm/", "rpm"),
    ("var/lib/rpmmanifest/", "rpm"),
    ("usr/lib/sysimage/rpm/", "rpm"),
    ("usr/share/rpm/", "rpm"),
    ("var/lib/flatpak/", "flatpak"),
];

/// Where Chisel lists what it took of packages, and not what they were built from: advisories name
/// that, so a question that finds nothing there has no answer.
const CHISEL: &str = "var/lib/chisel/";

/// The root file system that a package database belongs to; `None` for any other file.
pub(crate) fn root_of(path: &str) -> Option<&str> {
    database_of(path).map(|(root, _)| root)
}

fn database_of(path: &str) -> Option<(&str, &'static str)> {
    // All components of a scan are asked: a look at each folder, and no search for each place.
    let folders = memchr::memrchr_iter(b'/', path.as_bytes()).map(|at| at + 1).chain([0]);
    let is_start = |at: &usize| path[*at..].starts_with(['l', 'u', 'v']);
    let mut found: Option<(usize, usize)> = None;
    for at in folders.filter(is_start) {
        let places = &DATABASES[..found.map_or(DATABASES.len(), |(number, _)| number)];
        let number = places.iter().position(|(place, _)| path[at..].starts_with(place));
        found = number.map(|number| (number, at)).or(found);
    }
    found.map(|(number, at)| (&path[..at], DATABASES[number].1))
}

/// Where Nix keeps what is installed: below a root that may have nothing else.
const NIX: &str = "nix/var/nix/db/";

/// What is told of a system whose packages nothing lists.
pub(crate) const UNLISTED: Gap = Gap::Unlisted(FlawCode::SystemUnlisted);

/// Leaves those systems of which no package is known: a question about their packages is answered
/// by no list that was read. Each root once, however often it describes itself.
pub(crate) fn leave_unlisted(gaps: &mut Vec<(Gap, String)>, components: &[Component]) {
    if gaps.iter().all(|(gap, _)| *gap != UNLISTED) {
        return;
    }
    let lists = components.iter().filter(|it| it.basis == Basis::PackageDatabase);
    let listed: BTreeSet<&str> = lists.filter_map(|it| system_of(&it.evidence)).collect();
    gaps.sort();
    let mut told = BTreeSet::new();
    gaps.retain(|(gap, path)| {
        let place = PLACES.iter().find(|place| ends_with(path, place));
        let root = place.and_then(|place| path.strip_suffix(place));
        root.filter(|_| *gap == UNLISTED)
            .is_none_or(|root| !listed.contains(root) && told.insert(root.to_owned()))
    });
}

/// The root file system whose own packages a database lists: applications that Flatpak installed
/// stand beside those.
fn system_of(evidence: &str) -> Option<&str> {
    let of_nix = || {
        let root = &evidence[..evidence.rfind(NIX)?];
        (root.is_empty() || root.ends_with('/')).then_some(root)
    };
    let found = database_of(evidence)
        .filter(|(root, kind)| *kind != "flatpak" && !evidence[root.len()..].starts_with(CHISEL));
    found.map(|(root, _)| root).or_else(of_nix)
}

/// Longest `os-release` that is believed, in bytes.
const OS_RELEASE_BYTES_MAX: usize = 64 << 10;

/// `ID` and `VERSION_ID` of each root file system that was met, by its path and place.
#[derive(Debug, Default)]
pub(crate) struct Distributions(BTreeMap<(String, usize), (String, String)>);

impl Distributions {
    /// Whether a file describes a distribution.
    pub(crate) fn selects(path: &str) -> bool {
        PLACES.iter().any(|place| ends_with(path, place))
    }

    /// Reads one description, and says whether it was one. Without an `ID` it says nothing.
    pub(crate) fn read(&mut self, path: &str, bytes: &[u8]) -> bool {
        let place = PLACES.iter().position(|place| ends_with(path, place));
        let Some(place) = place else { return false };
        let root = path.strip_suffix(PLACES[place]).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes[..bytes.len().min(OS_RELEASE_BYTES_MAX)]);
        let field = |key: &str| {
            let value = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
            value.map(|value| value.trim().trim_matches(['"', '\'']).to_owned())
        };
        let Some(id) = field("ID").filter(|id| !id.is_empty()) else { return false };
        let version = field("VERSION_ID").unwrap_or_default();
        self.0.insert((root.to_owned(), place), (id, version));
        true
    }

    /// Nothing was met.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All that was met: root and place, `ID` and `VERSION_ID`.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&(String, usize), &(String, String))> {
        self.0.iter()
    }

    /// The same back.
    pub(crate) fn of(all: Vec<((String, usize), (String, String))>) -> Self {
        Self(all.into_iter().collect())
    }

    /// Adds what another worker met.
    pub(crate) fn merge(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Names the distribution of each package of a database, where its own root says it.
    pub(crate) fn apply(&self, components: &mut [Component]) {
        for component in components {
            let purl = &component.purl;
            let Some((root, kind)) = database_of(&component.evidence) else { continue };
            if purl.kind != kind || !purl.namespace.is_empty() || kind == "flatpak" {
                continue;
            }
            let found = (0..PLACES.len()).find_map(|place| self.0.get(&(root.to_owned(), place)));
            if let Some((id, version)) = found {
                let distro =
                    if version.is_empty() { id.clone() } else { format!("{id}-{version}") };
                let mut purl = purl.clone().with_qualifier("distro", &distro);
                purl.namespace = namespace(id, kind).to_owned();
                component.purl = purl;
            }
        }
    }
}

/// The namespace of a purl (ECMA-427, types `rpm`, `deb`, `alpm`): mostly the `ID` itself.
fn namespace<'a>(id: &'a str, kind: &str) -> &'a str {
    match id {
        "rhel" if kind == "rpm" => "redhat",
        "sles" | "sled" | "sle-micro" | "sl-micro" => "suse",
        id if id.starts_with("opensuse") => "opensuse",
        id => id,
    }
}

#[cfg(test)]
mod tests {
    use relight_model::{Basis, Purl, Scope};

    use super::*;

    fn package(evidence: &str) -> Component {
        let purl = Purl::new("deb", "", "bash", "5.2");
        Component::new(purl, evidence, Basis::PackageDatabase, Scope::Installed)
    }

    #[test]
    fn every_package_manager_has_its_root() {
        for (path, root) in [
            ("var/lib/dpkg/info/a.list", Some("")),
            ("a/usr/lib/apk/db/installed", Some("a/")),
            ("lib/apk/db/installed", Some("")),
            ("x.tar!/var/lib/rpm/Packages", Some("x.tar!/")),
            ("notvar/lib/rpm/Packages", None),
            // The last of a place, and of two places the one that stands first in the list.
            ("a/var/lib/dpkg/var/lib/dpkg/status", Some("a/var/lib/dpkg/")),
            ("var/lib/rpm/a/usr/lib/apk/db/var/lib/rpm/x", Some("var/lib/rpm/a/")),
            ("a/var/lib/dpkg/b/usr/lib/apk/db/installed", Some("a/")),
            ("var/lib/dpk", None),
            ("", None),
            ("etc/os-release", None),
        ] {
            assert_eq!(root_of(path), root, "{path}");
        }
        // Whoever names another place says how it starts.
        assert!(DATABASES.iter().all(|(place, _)| place.starts_with(['l', 'u', 'v'])));
        assert_eq!(namespace("rhel", "rpm"), "redhat");
        assert_eq!(namespace("opensuse-leap", "rpm"), "opensuse");
        assert_eq!(namespace("alpine", "apk"), "alpine");
    }

    #[test]
    fn each_root_has_its_own_distribution() {
        let mut all = Distributions::default();
        all.read("usr/lib/os-release", b"NAME=x\nID=debian\nVERSION_ID=\"12\"\n");
        let mut other = Distributions::default();
        other.read("images/a/etc/os-release", b"ID=ubuntu\n");
        other.read("images/b/etc/os-release", b"NAME=nothing\n");
        all.merge(other);
        let mut packages = [
            package("var/lib/dpkg/status"),
            package("images/a/var/lib/dpkg/status.d/bash"),
            package("images/b/var/lib/dpkg/status"),
        ];
        all.apply(&mut packages);
        let purls = packages.map(|package| package.purl.to_string());
        assert_eq!(
            purls,
            [
                "pkg:deb/debian/bash@5.2?distro=debian-12",
                "pkg:deb/ubuntu/bash@5.2?distro=ubuntu",
                "pkg:deb/bash@5.2",
            ]
        );
    }
}
