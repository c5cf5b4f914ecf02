//! Which package a component is, under the name that advisories use for it.

use relight_model::{Basis, Component, Ecosystem, PackageName, Purl};

use crate::build::Build;
use crate::distro::{self, DistroPackage};
use crate::entry::{Asked, Entry, Told};
use crate::loose::LooseName;
use crate::opinion::{Stand, Why};
use crate::release::{Kinship, record_release};
use crate::standing::Standing;

/// A component as matching sees it.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    /// Name and, for a distribution, the release.
    pub(crate) package: PackageName,
    /// How much of the name is known.
    pub(crate) reach: Reach,
    /// The name for comparing, where that may be the name of several packages.
    pub(crate) loose: Option<Box<LooseName>>,
    /// The version; empty when it is not known.
    pub(crate) version: String,
    /// A distribution package in a document of somebody else, without epoch: it may have one.
    pub(crate) epoch_may_be_missing: bool,
    /// The architecture that it was built for.
    pub(crate) arch: Option<String>,
    /// The module stream of a modular package.
    pub(crate) stream: Option<String>,
    /// Which builds it is of, where those are numbered for themselves.
    pub(crate) build: Option<Build>,
    /// The source package, where records name the one or the other.
    pub(crate) source: Option<Box<Source>>,
    /// What a finding about it is worth.
    pub(crate) standing: Standing,
    is_modular: bool,
    /// Built for its release from the sources of another suite; `version` and release are those.
    pub(crate) is_backport: bool,
}

/// The source package of a component, which hears what is said of both.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// As if it were the component.
    pub(crate) subject: Subject,
    /// Its version.
    pub(crate) asked: Asked,
}

/// Which packages of that name a component may be. Beyond [`Reach::Package`] it may be the package
/// of an advisory, and never certainly is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Exactly the one that is named.
    Package,
    /// One of any Maven group: no file named the group.
    AnyGroup,
    /// One of any distribution with this kind of package (`deb`): no file named the distribution,
    /// or nobody publishes records about it.
    AnyDistribution(&'static str),
    /// One of these distributions: what it is of is built from theirs, and has no records.
    Kin(&'static [Ecosystem]),
    /// One of any ecosystem: a document gave no purl, or nobody publishes records about whatever
    /// its manager installs, so that those under this name are somebody else's or nobody's.
    AnyEcosystem,
}

/// Kinds of purl that name what holds packages: whatever is in them has names of its own.
const IMAGES: [&str; 4] = ["docker", "huggingface", "mlflow", "oci"];

impl Reach {
    fn of(purl: &Purl) -> Self {
        match (purl.kind.as_str(), purl.namespace.is_empty()) {
            ("generic", _) => Self::AnyEcosystem,
            ("maven", true) => Self::AnyGroup,
            (kind, _) if IMAGES.contains(&kind) => Self::Package,
            (kind, _) => {
                let distribution = distribution_of(purl);
                match distro::KINDS.into_iter().find(|it| *it == kind) {
                    None if matches!(distribution, Ecosystem::Other(_)) => Self::AnyEcosystem,
                    None => Self::Package,
                    Some(_) if distro::has_records(&distribution) => Self::Package,
                    Some(kind) => distro::kin_of(kind, &purl.namespace)
                        .map_or(Self::AnyDistribution(kind), |kin| Self::Kin(kin.ecosystems)),
                }
            }
        }
    }

    /// Whether a package of this ecosystem may be meant, as far as the name alone can tell.
    pub(crate) fn covers(self, ecosystem: &Ecosystem) -> bool {
        match self {
            Self::Package => false,
            Self::AnyGroup => *ecosystem == Ecosystem::Maven,
            // The packages of an ecosystem that is not known may be of any kind.
            Self::AnyDistribution(_) if matches!(ecosystem, Ecosystem::Other(_)) => true,
            Self::AnyDistribution(kind) => ecosystem.purl_kind() == Some(kind),
            Self::Kin(ecosystems) => ecosystems.contains(ecosystem),
            Self::AnyEcosystem => true,
        }
    }
}

/// The release of a distribution in one word, for telling two apart without looking at their
/// texts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ReleaseTag(u64);

impl ReleaseTag {
    /// No tag for no release, and none for a text that does not fit.
    pub(crate) fn of(package: &PackageName) -> Self {
        let text = package.release.as_deref().unwrap_or_default().as_bytes();
        let mut word = [0; 8];
        if text.len() < word.len() {
            let (length, rest) = word.split_at_mut(1);
            length.fill(text.len() as u8);
            rest.iter_mut().zip(text).for_each(|(to, from)| *to = *from);
        }
        Self(u64::from_be_bytes(word))
    }

    /// Whether it tells a release.
    pub(crate) const fn is_known(self) -> bool {
        self.0 != 0
    }

    /// Whether both are known and not the same.
    pub(crate) const fn differs(self, other: Self) -> bool {
        self.0 != 0 && other.0 != 0 && self.0 != other.0
    }
}

impl Subject {
    /// Takes a component apart.
    pub(crate) fn of(component: &Component) -> Self {
        let standing = Standing::of(component);
        let of = |purl: &Purl| Self { standing, ..Self::of_purl(purl, component.basis) };
        let source = distro::source(&component.purl).map(|it| {
            let mut subject = of(&it.purl);
            subject.epoch_may_be_missing |= it.epoch_may_be_missing;
            let asked = subject.asked();
            Box::new(Source { subject, asked })
        });
        Self { source, ..of(&component.purl) }
    }

    fn of_purl(purl: &Purl, basis: Basis) -> Self {
        let package = package_of(purl);
        let distro = DistroPackage::of(purl, &package.ecosystem);
        let is_foreign = basis == Basis::Document;
        let has_epochs = distro.is_some() && purl.kind != "apk";
        let distro = distro.unwrap_or_else(|| DistroPackage {
            version: purl.version.clone(),
            ..DistroPackage::default()
        });
        let reach = Reach::of(purl);
        let is_loose = reach != Reach::Package;
        Self {
            reach,
            loose: is_loose.then(|| Box::new(LooseName::of(&purl.namespace, &package.name))),
            source: None,
            standing: Standing::Counts,
            build: Build::of_component(&package, &distro.version),
            epoch_may_be_missing: has_epochs && is_foreign && !distro.version.contains(':'),
            package,
            arch: purl.qualifier("arch").map(Into::into),
            is_modular: distro.stream.is_some() || distro.version.contains(".module"),
            version: distro.version,
            stream: distro.stream,
            is_backport: distro.is_backport,
        }
    }

    /// Whether it may be this package, as far as names tell, where that is not certain.
    pub(crate) fn may_be(&self, package: &PackageName) -> bool {
        self.has_name_of(package)
            && self.loose.as_ref().is_some_and(|it| it.has_bare_name_of(&package.name))
    }

    /// As [`Self::may_be`], where both were found by the same key.
    pub(crate) fn has_name_of(&self, package: &PackageName) -> bool {
        self.reach.covers(&package.ecosystem)
            && self.loose.as_ref().is_some_and(|it| it.has_group_of(package))
    }

    /// Its version, ready to be compared.
    pub(crate) fn asked(&self) -> Asked {
        Asked::new(&self.package.ecosystem, &self.version)
    }

    /// A build of a module stream.
    pub(crate) const fn is_modular(&self) -> bool {
        self.is_modular
    }

    /// What an entry about its package says of it; `None` when the entry is about another release,
    /// architecture or stream.
    pub(crate) fn hears<'a>(&self, entry: &'a Entry, asked: &Asked) -> Option<Told<'a>> {
        let kinship = self.kinship(entry);
        let told = match self.reach {
            _ if kinship == Kinship::Other => return None,
            Reach::Package => self.without_epoch(entry, entry.told(self, asked)?),
            _ => entry.told(self, &Asked::new(&entry.package.ecosystem, &self.version))?,
        };
        match (kinship, told.stand) {
            (Kinship::Perhaps, Stand::Affected) => Some(Told::unknown(Why::ReleasePerhaps)),
            // That another release has the fix says nothing of this one.
            (Kinship::Perhaps, Stand::NotAffected) => None,
            _ => Some(told),
        }
    }

    /// Whether an entry about its release is of other builds of it, or of both kinds.
    pub(crate) fn is_of_other_build(&self, entry: &Entry) -> bool {
        self.kinship(entry) != Kinship::Other && entry.is_of_other_build(self)
    }

    fn kinship(&self, entry: &Entry) -> Kinship {
        match (&entry.release_name, &self.package.release) {
            (Some(of_entry), Some(own)) => entry.breadth.kinship(of_entry, own),
            _ => Kinship::Same,
        }
    }

    /// A version whose epoch may have been lost: where another epoch of the record would give
    /// another answer, nobody knows.
    fn without_epoch<'a>(&self, entry: &'a Entry, told: Told<'a>) -> Told<'a> {
        if !self.epoch_may_be_missing || matches!(told.stand, Stand::Unknown(_)) {
            return told;
        }
        let differs = entry.epochs().any(|epoch| {
            let other = Asked::new(&self.package.ecosystem, &format!("{epoch}:{}", self.version));
            entry.told(self, &other).is_none_or(|other| other.stand != told.stand)
        });
        if differs { Told::unknown(Why::EpochMissing) } else { told }
    }
}

/// The package that a purl names, in the form that [`crate::Advisories`] uses: the store may key
/// its index by it.
///
/// A Debian package goes by the name of its source package (purl qualifier `upstream`), because
/// that is what the tracker of Debian names.
pub fn package_of(purl: &Purl) -> PackageName {
    let ecosystem = distribution_of(purl);
    let joined = |separator: &str| match purl.namespace.as_str() {
        "" => purl.name.clone(),
        namespace => format!("{namespace}{separator}{}", purl.name),
    };
    let distro = DistroPackage::of(purl, &ecosystem);
    let plain = purl.name.clone();
    let name = match purl.kind.as_str() {
        "maven" => joined(":"),
        "npm" | "golang" | "composer" | "swift" | "github" | "githubactions" => joined("/"),
        "deb" | "apk" => distro.as_ref().and_then(|it| it.source.clone()).unwrap_or(plain),
        _ => plain,
    };
    let release = distro.and_then(|it| it.release);
    normalise(&PackageName { ecosystem, release, name })
}

/// The ecosystem of a purl. Of a distribution the qualifier `distro` (`debian-12`) tells it where
/// there is no namespace.
fn distribution_of(purl: &Purl) -> Ecosystem {
    let of = |namespace: &str| Ecosystem::from_purl(&purl.kind, namespace);
    let own = of(&purl.namespace);
    if !purl.namespace.is_empty() || !distro::KINDS.contains(&purl.kind.as_str()) {
        return own;
    }
    let distro = purl.qualifier("distro").unwrap_or_default();
    let ends = distro.match_indices('-').map(|(at, _)| at).rev();
    let known = ends.map(|at| of(&distro[..at])).find(|it| !matches!(it, Ecosystem::Other(_)));
    known.unwrap_or(own)
}

/// The normal form of a name in its ecosystem (PEP 503 for Python).
pub(crate) fn normalise(package: &PackageName) -> PackageName {
    let name = &package.name;
    let name = match &package.ecosystem {
        Ecosystem::PyPi => {
            // `uvicorn[standard]` is `uvicorn` with more beside it.
            let plain = name.split('[').next().unwrap_or_default();
            let words = plain.split(['-', '_', '.']).filter(|word| !word.is_empty());
            words.collect::<Vec<_>>().join("-").to_ascii_lowercase()
        }
        Ecosystem::NuGet | Ecosystem::Packagist | Ecosystem::Hex => name.to_ascii_lowercase(),
        // `github/codeql-action/init` is a step of `github/codeql-action`.
        Ecosystem::GitHubActions => {
            let parts: Vec<_> = name.split('/').take(2).collect();
            parts.join("/").to_ascii_lowercase()
        }
        Ecosystem::SwiftUrl => repository(name),
        Ecosystem::CratesIo => name.replace('_', "-"),
        // Records have the capital letters of the repository, package URLs must have small ones,
        // and Go itself writes `!b` for `B` in paths.
        Ecosystem::Go => match name.replace('!', "").to_ascii_lowercase().as_str() {
            "std" => "stdlib".to_owned(),
            "cmd" => "toolchain".to_owned(),
            module => module.to_owned(),
        },
        _ => name.clone(),
    };
    let release = package.release.as_deref();
    let release = release.map(|it| record_release(&package.ecosystem, it));
    PackageName { ecosystem: package.ecosystem.clone(), release, name }
}

/// A repository without what its address may have or lack: `github.com/apple/swift-nio` of
/// `https://github.com/apple/swift-nio.git`.
fn repository(address: &str) -> String {
    let address = address.trim().to_ascii_lowercase();
    let rest = address.split_once("://").map_or(address.as_str(), |(_, rest)| rest);
    let rest = rest.trim_start_matches("www.").trim_end_matches('/');
    rest.strip_suffix(".git").unwrap_or(rest).to_owned()
}

/// Whether an ecosystem is a distribution, which alone may speak about its packages.
pub(crate) fn is_distribution(ecosystem: &Ecosystem) -> bool {
    ecosystem.purl_kind().is_some_and(|kind| distro::KINDS.contains(&kind))
}

#[cfg(test)]
mod tests {
    use relight_model::Scope;

    use super::*;

    fn named(purl: &str) -> String {
        let package = package_of(&Purl::parse(purl).unwrap());
        let release = package.release.map(|it| format!(":{it}")).unwrap_or_default();
        format!("{}{release} {}", package.ecosystem.as_str(), package.name)
    }

    #[test]
    fn names_of_each_ecosystem() {
        for (purl, name) in [
            ("pkg:maven/org.example/lib@1", "Maven org.example:lib"),
            ("pkg:maven/lib@1", "Maven lib"),
            ("pkg:npm/%40scope/lib@1", "npm @scope/lib"),
            ("pkg:pypi/Zope.Inter__face@1", "PyPI zope-inter-face"),
            ("pkg:deb/debian/libc6@2.36?distro=debian-12.5&upstream=glibc", "Debian:12 glibc"),
            ("pkg:deb/debian/libc6@2.36?distro=bookworm", "Debian:12 libc6"),
            ("pkg:deb/debian/libc6@2.36", "Debian libc6"),
            ("pkg:deb/ubuntu/libc6@2.36", "Ubuntu libc6"),
            ("pkg:deb/ubuntu/libc6@2.36?distro=ubuntu-22.04", "Ubuntu:22.04 libc6"),
            (
                "pkg:apk/alpine/libssl3@3.1?distro=alpine-3.20.1&upstream=openssl",
                "Alpine:v3.20 openssl",
            ),
            ("pkg:cargo/serde@1", "crates.io serde"),
            ("pkg:golang/std@go1.20.3", "Go stdlib"),
            ("pkg:golang/cmd@1", "Go toolchain"),
            ("pkg:golang/github.com/labstack/echo@v4.9.0#v4", "Go github.com/labstack/echo/v4"),
            (
                "pkg:githubactions/github/codeql-action/init@3",
                "GitHub Actions github/codeql-action",
            ),
            ("pkg:swift/github.com/Vapor/Vapor@4.80.0", "SwiftURL github.com/vapor/vapor"),
            ("pkg:pypi/uvicorn%5Bstandard%5D@0.11.0", "PyPI uvicorn"),
            ("pkg:golang/github.com/a/b@1", "Go github.com/a/b"),
            ("pkg:golang/github.com/BurntSushi/toml@1", "Go github.com/burntsushi/toml"),
            ("pkg:golang/github.com/%21burnt%21sushi/toml@1", "Go github.com/burntsushi/toml"),
            ("pkg:deb/libc6@2.36?distro=debian-12", "Debian:12 libc6"),
            ("pkg:rpm/log@1?distro=opensuse-leap-15.5", "openSUSE:15.5 log"),
            ("pkg:rpm/centos/log@1?distro=centos-7", "rpm:centos:7 log"),
            ("pkg:deb/kali/log@1?distro=kali-2023.4", "deb:kali log"),
            ("pkg:github/A/b@v1", "GitHub Actions a/b"),
            ("pkg:githubactions/A/b@v1", "GitHub Actions a/b"),
            ("pkg:nuget/Newtonsoft.Json@1", "NuGet newtonsoft.json"),
            ("pkg:rpm/almalinux/kernel@1", "AlmaLinux kernel"),
            ("pkg:odd/some/thing@1", "odd:some thing"),
        ] {
            assert_eq!(named(purl), name, "{purl}");
        }
    }

    #[test]
    fn releases_differ_only_where_both_are_known() {
        let tag = |release: Option<&str>| {
            let release = release.map(Into::into);
            let name = "kernel".into();
            ReleaseTag::of(&PackageName { ecosystem: Ecosystem::AlmaLinux, release, name })
        };
        for (a, b, differ) in [
            (Some("8"), Some("9"), true),
            (Some("8"), Some("8"), false),
            (Some("8"), Some("8\0"), true),
            (Some("1234567"), Some("1234568"), true),
            (Some("12345678"), Some("12345679"), false),
            (Some("8"), Some("a long release"), false),
            (Some("8"), None, false),
            (None, None, false),
        ] {
            assert_eq!(tag(a).differs(tag(b)), differ, "{a:?} {b:?}");
        }
    }

    #[test]
    fn what_is_uncertain_is_said() {
        let subject = |purl: &str, basis| {
            let purl = Purl::parse(purl).unwrap();
            Subject::of(&Component::new(purl, "", basis, Scope::Installed))
        };
        let reach = |purl: &str| subject(purl, Basis::Document).reach;
        assert_eq!(reach("pkg:maven/log4j-core@1"), Reach::AnyGroup);
        assert_eq!(reach("pkg:generic/log4j-core@1"), Reach::AnyEcosystem);
        assert_eq!(reach("pkg:deb/libc6@1"), Reach::AnyDistribution("deb"));
        assert_eq!(reach("pkg:npm/lodash@1"), Reach::Package);
        for kind in ["alpm/arch", "ebuild/dev-libs", "nix", "brew", "opkg", "conda", "vcpkg"] {
            assert_eq!(reach(&format!("pkg:{kind}/openssl@1")), Reach::AnyEcosystem, "{kind}");
        }
        for kind in ["cocoapods", "snap", "flatpak", "cpan/FOO", "luarocks", "pear"] {
            assert_eq!(reach(&format!("pkg:{kind}/openssl@1")), Reach::AnyEcosystem, "{kind}");
        }
        assert_eq!(reach("pkg:oci/openssl@sha256:1"), Reach::Package);
        assert_eq!(reach("pkg:deb/debian/libc6@1"), Reach::Package);
        assert_eq!(reach("pkg:deb/kali/libc6@1"), Reach::Kin(&[Ecosystem::Debian]));
        assert_eq!(reach("pkg:apk/unheard/musl@1"), Reach::AnyDistribution("apk"));
        let deb = "pkg:deb/debian/vim@9.0";
        assert!(subject(deb, Basis::Document).epoch_may_be_missing);
        assert!(!subject(deb, Basis::PackageDatabase).epoch_may_be_missing);
        let with_epoch = subject("pkg:deb/debian/vim@9.0?epoch=2", Basis::Document);
        assert_eq!(with_epoch.version, "2:9.0");
        assert!(!with_epoch.epoch_may_be_missing);
        let source = subject("pkg:deb/debian/a@1?upstream=b@3", Basis::PackageDatabase);
        assert_eq!((source.package.name.as_str(), source.version.as_str()), ("b", "3"));
    }
}
