//! Packages of distributions: release, source package, epoch, backports, module streams.

use relight_model::{Ecosystem, Purl};

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

/// The suite from which Debian's backports are built.
const BACKPORT_SUITE: &str = "sid";

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
        let release = purl.qualifier("distro").and_then(|distro| release_of(ecosystem, distro));
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

/// `upstream=glibc`, `upstream=glibc@2.36-9`, or, for RPM, the file name of the source package.
fn source_of(purl: &Purl) -> (Option<String>, String) {
    let own = purl.version.clone();
    let Some(upstream) = purl.qualifier("upstream") else { return (None, own) };
    if purl.kind == "rpm" {
        // Records of RPM distributions name binary packages.
        return (None, own);
    }
    match upstream.split_once('@') {
        Some((name, version)) => (Some(name.to_owned()), version.to_owned()),
        None => (Some(upstream.to_owned()), own),
    }
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

/// The release as records write it: the major number for Debian and the RPM distributions,
/// `NN.NN` for Ubuntu, `vN.NN` for Alpine; the names of suites that have no number as they are.
pub(crate) fn release_of(ecosystem: &Ecosystem, distro: &str) -> Option<String> {
    let name = ecosystem.as_str();
    let start = distro.find(|c: char| c.is_ascii_digit());
    let number = &distro[start.unwrap_or(distro.len())..];
    let first = |count: usize| {
        let parts: Vec<_> = number.split('.').take(count).collect();
        let whole = parts.len() == count
            && parts
                .iter()
                .all(|it| !it.is_empty() && it.bytes().all(|byte| byte.is_ascii_digit()));
        whole.then(|| parts.join("."))
    };
    match name {
        "Debian" => debian_suite(distro).map(Into::into).or_else(|| first(1)),
        "Ubuntu" => first(2),
        "Alpine" if distro.ends_with("edge") => Some("edge".to_owned()),
        "Alpine" => first(2).map(|number| format!("v{number}")),
        "Wolfi" | "Chainguard" => None,
        _ => first(1),
    }
}

/// The number of a suite of Debian, or its name where it has none.
fn debian_suite(distro: &str) -> Option<&'static str> {
    Some(match distro.strip_prefix("debian-").unwrap_or(distro) {
        "buster" => "10",
        "bullseye" => "11",
        "bookworm" => "12",
        "trixie" => "13",
        "forky" => "14",
        "sid" | "unstable" => BACKPORT_SUITE,
        _ => return None,
    })
}

/// The release of a record in the form that components have: `22.04:LTS` is `22.04`,
/// `unstable` is `sid`.
pub(crate) fn record_release(ecosystem: &Ecosystem, release: &str) -> String {
    match ecosystem.as_str() {
        "Debian" => debian_suite(release).unwrap_or(release).to_owned(),
        "Ubuntu" => {
            // `22.04:LTS`, `Pro:18.04:LTS`: the number is the release.
            let number = |it: &&str| it.starts_with(|c: char| c.is_ascii_digit());
            release.split(':').find(number).unwrap_or(release).to_owned()
        }
        "AlmaLinux" | "Rocky Linux" | "Oracle" => {
            release.split('.').next().unwrap_or(release).to_owned()
        }
        _ => release.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_of_each_distribution() {
        for (name, distro, wanted) in [
            ("Debian", "debian-12", Some("12")),
            ("Debian", "debian-12.5", Some("12")),
            ("Debian", "bookworm", Some("12")),
            ("Debian", "sid", Some("sid")),
            ("Debian", "debian", None),
            ("Ubuntu", "ubuntu-22.04", Some("22.04")),
            ("Ubuntu", "ubuntu-22", None),
            ("Alpine", "alpine-3.20.1", Some("v3.20")),
            ("Alpine", "3.20", Some("v3.20")),
            ("Alpine", "alpine-edge", Some("edge")),
            ("AlmaLinux", "almalinux-8.6", Some("8")),
            ("AlmaLinux", "almalinux-9", Some("9")),
            ("Red Hat", "rhel-8.4", Some("8")),
            ("Wolfi", "wolfi-20230201", None),
        ] {
            let ecosystem = Ecosystem::from_osv(name);
            assert_eq!(release_of(&ecosystem, distro).as_deref(), wanted, "{name} {distro}");
        }
    }

    #[test]
    fn releases_of_records() {
        for (name, release, wanted) in [
            ("Debian", "12", "12"),
            ("Debian", "bookworm", "12"),
            ("Debian", "unstable", "sid"),
            ("Ubuntu", "22.04:LTS", "22.04"),
            ("Ubuntu", "Pro:18.04:LTS", "18.04"),
            ("Alpine", "v3.20", "v3.20"),
            ("AlmaLinux", "8", "8"),
        ] {
            assert_eq!(record_release(&Ecosystem::from_osv(name), release), wanted, "{release}");
        }
    }

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
        let other = Purl::parse("pkg:npm/a@1").unwrap();
        assert_eq!(DistroPackage::of(&other, &Ecosystem::Npm), None);
    }
}
