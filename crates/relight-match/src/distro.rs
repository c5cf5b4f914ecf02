//! Packages of distributions: source package, epoch, backports, module streams.

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
        let other = Purl::parse("pkg:npm/a@1").unwrap();
        assert_eq!(DistroPackage::of(&other, &Ecosystem::Npm), None);
    }
}
