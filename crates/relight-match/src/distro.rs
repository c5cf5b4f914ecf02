//! Packages of distributions: source package, epoch, backports, module streams.

use std::borrow::Cow;

use relight_model::{Ecosystem, Purl};

use crate::release::{BACKPORT_SUITE, release_of};

/// What a purl says about a package of a distribution.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DistroPackage {
    /// Name of the source package, which is what trackers name.
    pub(crate) source: Option<String>,
    /// Version of the source package with its epoch; empty when it is not known.
    pub(crate) version: String,
    /// The release, as records write it.
    pub(crate) release: Option<String>,
    /// The module stream (`nodejs:18`).
    pub(crate) stream: Option<String>,
    /// It was built for this release from the sources of another suite.
    pub(crate) is_backport: bool,
}

/// Kinds of purl that are packages of distributions.
pub(crate) const KINDS: [&str; 3] = ["deb", "rpm", "apk"];

/// Whose packages those of a distribution are built from that publishes no records.
pub(crate) struct Kin {
    pub(crate) ecosystems: &'static [Ecosystem],
    /// Releases have the same numbers.
    pub(crate) same: bool,
}

const OF_RED_HAT: Kin = Kin {
    ecosystems: &[
        Ecosystem::RedHat,
        Ecosystem::AlmaLinux,
        Ecosystem::RockyLinux,
        Ecosystem::OracleLinux,
    ],
    same: true,
};
/// Fedora is known by name, and its errata are in no published form that is read: what stands in a
/// record of one's own is heard beside that of its kin.
const OF_FEDORA: Kin = Kin {
    ecosystems: &[
        Ecosystem::Fedora,
        Ecosystem::RedHat,
        Ecosystem::AlmaLinux,
        Ecosystem::RockyLinux,
        Ecosystem::OracleLinux,
    ],
    same: false,
};
const OF_DEBIAN: Kin = Kin { ecosystems: &[Ecosystem::Debian], same: false };
const OF_UBUNTU: Kin = Kin { ecosystems: &[Ecosystem::Ubuntu, Ecosystem::Debian], same: false };

/// The origin of a distribution, by the kind of its packages and its name in `os-release`.
pub(crate) fn kin_of(kind: &str, distribution: &str) -> Option<Kin> {
    Some(match (kind, distribution.to_ascii_lowercase().as_str()) {
        ("rpm", "centos" | "cloudlinux" | "eurolinux" | "miraclelinux" | "scientific")
        | ("rpm", "springdale" | "virtuozzo" | "vzlinux") => OF_RED_HAT,
        ("rpm", "fedora") => OF_FEDORA,
        ("deb", "raspbian") => Kin { same: true, ..OF_DEBIAN },
        ("deb", "deepin" | "devuan" | "kali" | "lmde" | "mx" | "parrot" | "pureos") => OF_DEBIAN,
        ("deb", "elementary" | "linuxmint" | "neon" | "pop" | "zorin") => OF_UBUNTU,
        _ => return None,
    })
}

/// Whether anybody publishes records about the packages of a distribution.
pub(crate) fn has_records(distribution: &Ecosystem) -> bool {
    !matches!(distribution, Ecosystem::Other(_) | Ecosystem::Fedora)
}

impl DistroPackage {
    /// Reads a purl; `None` when it names no package of a distribution.
    pub(crate) fn of(purl: &Purl, ecosystem: &Ecosystem) -> Option<Self> {
        if !KINDS.contains(&purl.kind.as_str()) {
            return None;
        }
        let (source, version) = source_of(purl);
        let (version, is_backport) = match version.split_once("~bpo") {
            Some((base, _)) if purl.kind == "deb" => (base.to_owned(), true),
            _ => (version, false),
        };
        // Numbers of releases mean the same only where everything is built anew.
        let is_comparable =
            has_records(ecosystem) || kin_of(&purl.kind, &purl.namespace).is_some_and(|it| it.same);
        let distro = purl.qualifier("distro").filter(|_| is_comparable);
        let release = distro.and_then(|distro| release_of(ecosystem, distro));
        let suite = || BACKPORT_SUITE.to_owned();
        Some(Self {
            source,
            version: with_epoch(purl, version),
            release: if is_backport { Some(suite()) } else { release },
            stream: purl.qualifier("rpmmod").and_then(stream_of),
            is_backport,
        })
    }
}

/// What a package goes by instead of its own name, and the version of that.
fn source_of(purl: &Purl) -> (Option<String>, String) {
    let own = purl.version.as_str();
    // Records of RPM distributions name binary packages, or sources, or either: see `source`.
    match purl.upstream().filter(|_| purl.kind != "rpm") {
        Some((name, version)) => {
            (Some(name.into_owned()), version.map_or_else(|| own.to_owned(), Cow::into_owned))
        }
        None => (None, own.to_owned()),
    }
}

/// The source package of an RPM package that has a name of its own, as a package with that name.
/// SUSE, openSUSE and Rocky name sources, and so does Red Hat where it has no fix yet.
pub(crate) fn source(purl: &Purl) -> Option<SourcePackage> {
    let (name, version) = purl.upstream().filter(|_| purl.kind == "rpm")?;
    if name.is_empty() || name == purl.name {
        return None;
    }
    let behind_epoch = |text: &str| match text.split_once(':') {
        Some((epoch, rest)) if epoch.bytes().all(|it| it.is_ascii_digit()) => rest.to_owned(),
        _ => text.to_owned(),
    };
    // The name of a file tells no epoch. Packages that are built together have the same one, but
    // for those that have a version of their own.
    let is_of_it = version.as_deref().is_none_or(|it| it == behind_epoch(&purl.version));
    let version = version.filter(|_| !is_of_it).map_or(purl.version.clone(), Cow::into_owned);
    let named = Purl { name: name.into_owned(), version, ..purl.clone() };
    let epoch = if is_of_it {
        purl.qualifier("epoch").unwrap_or_default().to_owned()
    } else {
        String::new()
    };
    Some(SourcePackage {
        purl: named.with_qualifier("upstream", "").with_qualifier("epoch", &epoch),
        epoch_may_be_missing: !is_of_it,
    })
}

/// See [`source`].
pub(crate) struct SourcePackage {
    /// As if the source had been installed.
    pub(crate) purl: Purl,
    /// It may have an epoch that nothing tells.
    pub(crate) epoch_may_be_missing: bool,
}

fn with_epoch(purl: &Purl, version: String) -> String {
    match purl.qualifier("epoch") {
        Some(epoch) if !version.is_empty() && !version.contains(':') => {
            format!("{epoch}:{version}")
        }
        _ => version,
    }
}

/// `nodejs:18:8060020220523160029:ad008a3a`: name and stream.
fn stream_of(module: &str) -> Option<String> {
    let mut parts = module.split(':');
    let (name, stream) = (parts.next()?, parts.next()?);
    Some(format!("{name}:{stream}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(purl: &str) -> DistroPackage {
        let purl = Purl::parse(purl).unwrap();
        let ecosystem = Ecosystem::from_purl(&purl.kind, &purl.namespace);
        DistroPackage::of(&purl, &ecosystem).unwrap()
    }

    #[test]
    fn source_epoch_backport_and_stream() {
        let deb = read("pkg:deb/debian/libc6@2.36-9?distro=debian-12&upstream=glibc%402.36-8");
        assert_eq!((deb.source.as_deref(), deb.version.as_str()), (Some("glibc"), "2.36-8"));
        let epoch = read("pkg:deb/debian/vim@9.0-1?epoch=2&distro=debian-12");
        assert_eq!((epoch.version.as_str(), epoch.release.as_deref()), ("2:9.0-1", Some("12")));
        let backport = read("pkg:deb/debian/vim@9.1-1~bpo12%2B1?distro=debian-12");
        assert_eq!(backport.version, "9.1-1");
        assert_eq!((backport.release.as_deref(), backport.is_backport), (Some("sid"), true));
        let module = "pkg:rpm/almalinux/nodejs@18.1-1?rpmmod=nodejs:18:8060:ad&upstream=x.src.rpm";
        let rpm = read(module);
        assert_eq!((rpm.stream.as_deref(), rpm.source), (Some("nodejs:18"), None));
        let own = |text: &str| {
            let found = source(&Purl::parse(text).unwrap());
            found.map(|it| (it.purl.to_string(), it.epoch_may_be_missing))
        };
        for (purl, wanted) in [
            (
                "pkg:rpm/suse/libopenssl1_1@1.1.1l-4?epoch=1&upstream=openssl-1_1-1.1.1l-4.src.rpm",
                Some(("pkg:rpm/suse/openssl-1_1@1.1.1l-4?epoch=1", false)),
            ),
            (
                "pkg:rpm/rocky/bind-libs@32:9.11-3?upstream=bind-9.11-3.src.rpm",
                Some(("pkg:rpm/rocky/bind@32:9.11-3", false)),
            ),
            (
                "pkg:rpm/rocky/perl-Errno@1.28-4?epoch=1&upstream=perl-5.26-4.src.rpm",
                Some(("pkg:rpm/rocky/perl@5.26-4", true)),
            ),
            ("pkg:rpm/rocky/a-b@1-1?upstream=a", Some(("pkg:rpm/rocky/a@1-1", false))),
            ("pkg:rpm/rocky/bind@9.11-3?upstream=bind-9.11-3.src.rpm", None),
            ("pkg:rpm/rocky/bind@9.11-3?upstream=x.src.rpm", None),
            ("pkg:rpm/rocky/bind@9.11-3", None),
            ("pkg:deb/debian/libc6@2?upstream=glibc", None),
        ] {
            let wanted = wanted.map(|(purl, missing)| (purl.to_owned(), missing));
            assert_eq!(own(purl), wanted, "{purl}");
        }
        let other = Purl::parse("pkg:npm/a@1").unwrap();
        assert_eq!(DistroPackage::of(&other, &Ecosystem::Npm), None);
    }
}
