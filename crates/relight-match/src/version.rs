//! The order of versions, by the rules of each ecosystem.

use std::cmp::Ordering;

use relight_model::Ecosystem;

use crate::key::{Key, NoOrder, SortKey, Start, Writer};

mod apk;
mod composer;
mod deb;
mod dotted;
mod gem;
mod generic;
mod maven;
mod pep440;
mod rpm;
mod semver;
mod stated;

/// Who defines the order of versions. A closed set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VersionScheme {
    /// Maven 3.9.9, `ComparableVersion`.
    Maven,
    /// Python: PEP 440; what it refuses has an order of its own, below everything.
    Pep440,
    /// npm: Semantic Versioning 2.0.0, read loosely.
    Npm,
    /// Semantic Versioning 2.0.0 elsewhere; partial versions are padded.
    SemVer,
    /// Bitnami: Semantic Versioning whose number behind the hyphen is a revision of the package.
    Bitnami,
    /// Go modules and the Go toolchain.
    Go,
    /// .NET: four numbers, labels without regard to case.
    NuGet,
    /// Ruby: `Gem::Version`.
    Gem,
    /// PHP: Composer's normal form.
    Composer,
    /// Debian: `deb-version(7)`.
    Deb,
    /// RPM: `rpmvercmp`.
    Rpm,
    /// Alpine: apk-tools.
    Apk,
    /// Dart: Semantic Versioning with ordered builds.
    Pub,
    /// R: numbers split at `.` and `-`.
    Cran,
    /// Haskell: numbers split at `.`.
    IntDot,
    /// Nobody's rules: numbers and words, never exact.
    Generic,
}

impl VersionScheme {
    /// Every scheme.
    pub const ALL: [Self; 16] = [
        Self::Maven,
        Self::Pep440,
        Self::Npm,
        Self::SemVer,
        Self::Bitnami,
        Self::Go,
        Self::NuGet,
        Self::Gem,
        Self::Composer,
        Self::Deb,
        Self::Rpm,
        Self::Apk,
        Self::Pub,
        Self::Cran,
        Self::IntDot,
        Self::Generic,
    ];

    /// Its name, as commands take it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Maven => "maven",
            Self::Pep440 => "pep440",
            Self::Npm => "npm",
            Self::SemVer => "semver",
            Self::Bitnami => "bitnami",
            Self::Go => "go",
            Self::NuGet => "nuget",
            Self::Gem => "gem",
            Self::Composer => "composer",
            Self::Deb => "deb",
            Self::Rpm => "rpm",
            Self::Apk => "apk",
            Self::Pub => "pub",
            Self::Cran => "cran",
            Self::IntDot => "intdot",
            Self::Generic => "generic",
        }
    }

    /// The scheme that a person means: by its own name, by an ecosystem of OSV with or without
    /// release (`Red Hat`, `Alpine:v3.20`), by the type of a purl (`gem`), or by the name of a file
    /// of lines (`redhat-versions-generated.txt`). Case, spaces and hyphens mean nothing.
    pub fn from_name(name: &str) -> Option<Self> {
        let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
        let name = plain(file.split_once(':').map_or(file, |(base, _)| base));
        let name = name.strip_suffix(".txt").unwrap_or(&name);
        let name = name.strip_suffix("generated").unwrap_or(name);
        let name = name.strip_suffix("versions").unwrap_or(name);
        let name = if name.starts_with("maven3.") { "maven" } else { name };
        let own = Self::ALL.into_iter().find(|scheme| scheme.as_str() == name);
        let osv = || Ecosystem::all().find(|it| plain(it.as_str()) == name);
        let purl = || Ecosystem::all().find(|it| it.purl_kind().is_some_and(|it| it == name));
        own.or_else(|| osv().or_else(purl).map(|ecosystem| scheme_of(&ecosystem)))
    }
}

/// A name without case, spaces, hyphens and underscores.
fn plain(name: &str) -> String {
    let kept = name.chars().filter(|c| !matches!(c, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase()
}

/// The order that an ecosystem uses; for one that is not known a guess that never clears anything.
pub const fn scheme_of(ecosystem: &Ecosystem) -> VersionScheme {
    use Ecosystem as E;
    match ecosystem {
        E::Maven => VersionScheme::Maven,
        E::Npm => VersionScheme::Npm,
        E::PyPi => VersionScheme::Pep440,
        E::Go => VersionScheme::Go,
        E::NuGet => VersionScheme::NuGet,
        E::RubyGems => VersionScheme::Gem,
        E::Packagist => VersionScheme::Composer,
        // Julia orders builds as Dart does, and numbers its binary packages by them.
        E::Pub | E::Julia => VersionScheme::Pub,
        E::Bitnami => VersionScheme::Bitnami,
        E::Cran | E::Bioconductor => VersionScheme::Cran,
        E::Hackage | E::Ghc => VersionScheme::IntDot,
        E::CratesIo | E::Hex | E::SwiftUrl | E::GitHubActions | E::VsCode => VersionScheme::SemVer,
        E::Debian | E::Ubuntu | E::Echo | E::Opam => VersionScheme::Deb,
        E::Alpine | E::Alpaquita | E::BellSoft | E::Chainguard | E::Wolfi | E::MinimOs => {
            VersionScheme::Apk
        }
        E::AlmaLinux | E::RockyLinux | E::RedHat | E::OracleLinux | E::Fedora => VersionScheme::Rpm,
        E::AmazonLinux | E::Suse | E::OpenSuse | E::OpenEuler | E::AzureLinux => VersionScheme::Rpm,
        E::Mageia | E::PhotonOs => VersionScheme::Rpm,
        E::ConanCenter | E::Other(_) => VersionScheme::Generic,
    }
}

/// Compares two versions as the ecosystem's published comparator does; `None` when one of them is
/// not a version that it can order.
///
/// This need not be transitive (Maven's order is not, nor PHP's with `#`), and for Composer it is
/// PHP's raw verdict on the texts as they are: matching compares keys.
pub fn compare(scheme: VersionScheme, a: &str, b: &str) -> Option<Ordering> {
    let (a, b) = (a.trim(), b.trim());
    match scheme {
        VersionScheme::Composer => {
            let is_fine = |text| matches!(unordered(text), None | Some(NoOrder::Branch));
            (is_fine(a) && is_fine(b)).then(|| composer::compare(a, b))
        }
        VersionScheme::Apk => {
            let is_fine = |text| unordered(text).is_none();
            (is_fine(a) && is_fine(b)).then(|| apk::compare(a, b))
        }
        _ => Version::parse(scheme, a)?.compare(&Version::parse(scheme, b)?),
    }
}

/// The sort key of a version: where both are ordered, the order of two keys of one scheme is the
/// order of the versions.
pub fn key(scheme: VersionScheme, text: &str) -> Key {
    match Version::read(scheme, text) {
        Ok(Version { key: Some(key), .. }) => Key::Ordered(key),
        Ok(_) => Key::Pairwise,
        Err(why) => Key::Unordered(why),
    }
}

/// Longest text that is a version, in bytes.
pub const VERSION_BYTES_MAX: usize = 512;

/// A version that was read once, to be compared many times.
#[derive(Clone, Debug)]
pub struct Version {
    scheme: VersionScheme,
    key: Option<SortKey>,
    /// Maven compares what has no key pair by pair.
    maven: Option<maven::Version>,
}

impl Version {
    /// Reads a version; `None` when the ecosystem cannot order it: an empty or overlong text, a
    /// placeholder (`unspecified`, `latest`, `${…}`), a commit, a branch (`dev-…`), or text that
    /// the ecosystem's own tool refuses.
    pub fn parse(scheme: VersionScheme, text: &str) -> Option<Self> {
        Self::read(scheme, text).ok()
    }

    /// Reads a version.
    ///
    /// # Errors
    /// Says why the text has no place in the order of the scheme.
    pub fn read(scheme: VersionScheme, text: &str) -> Result<Self, NoOrder> {
        let text = text.trim();
        if let Some(why) = unordered(text) {
            return Err(why);
        }
        let mut out = Writer::new(text.len());
        let maven = (scheme == VersionScheme::Maven).then(|| maven::Version::parse(text));
        let written = match &maven {
            Some(version) => version.write(&mut out),
            None => Some(write(scheme, text, &mut out)?),
        };
        let key = written.map(|()| out.finish());
        Ok(Self { scheme, key, maven })
    }

    /// The order of two versions; `None` when they are of different schemes.
    ///
    /// Maven's order is not transitive (`1-rc < 1 < 1.foo.2 < 1-rc` in Maven's own class), so
    /// this type has no `Ord`.
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        if self.scheme != other.scheme {
            return None;
        }
        match (&self.key, &other.key) {
            (Some(a), Some(b)) => Some(a.cmp(b)),
            _ => Some(self.maven.as_ref()?.compare(other.maven.as_ref()?)),
        }
    }

    /// What stands for the version in sorted lists; `None` where it is compared pair by pair.
    pub const fn sort_key(&self) -> Option<&SortKey> {
        self.key.as_ref()
    }

    /// See [`SortKey::start`].
    pub(crate) fn start(&self) -> Option<Start> {
        self.key.as_ref().and_then(SortKey::start)
    }

    /// Whether the place of this version among others is certain. Where it is not, a version
    /// outside of a range is unknown rather than clear.
    pub fn is_exact(&self) -> bool {
        self.key.as_ref().is_none_or(SortKey::is_exact)
    }

    /// Whether `self` belongs to the release that an inclusive bound names: `2.1.0+cu118` to
    /// `2.1.0` in Python, any revision of `1.2` to `1.2` in Debian.
    pub fn is_of_release(&self, bound: &Self) -> bool {
        match (&self.key, &bound.key) {
            (Some(version), Some(bound)) => version.is_of_release(bound),
            _ => self.compare(bound) == Some(Ordering::Equal),
        }
    }

    /// A text that is the same for exactly the versions that compare as equal, so that members of
    /// a list are found by hash.
    pub(crate) fn canonical(&self) -> String {
        match (&self.key, &self.maven) {
            (Some(key), _) => of_bytes(key.bytes()),
            (None, Some(maven)) => maven.canonical(),
            (None, None) => String::new(),
        }
    }

    /// The canonical text of the published release that this version is a build of, if it is one.
    pub(crate) fn canonical_release(&self) -> Option<String> {
        let key = self.key.as_ref().filter(|_| self.scheme == VersionScheme::Pep440)?;
        // The key of the release itself ends with an empty local part.
        let mut release = of_bytes(key.release());
        release.push('\0');
        (release.len() < key.bytes().len()).then_some(release)
    }
}

/// One character a byte: a text that is made of a key and of nothing else.
fn of_bytes(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte)).collect()
}

/// Every scheme but Maven's.
fn write(scheme: VersionScheme, text: &str, out: &mut Writer) -> Result<(), NoOrder> {
    let written = match scheme {
        VersionScheme::Maven => None,
        VersionScheme::Npm | VersionScheme::SemVer => semver::write(text, out),
        VersionScheme::Bitnami => semver::write_bitnami(text, out),
        VersionScheme::Go => semver::write_go(text, out),
        VersionScheme::NuGet => semver::write_nuget(text, out),
        VersionScheme::Pub => semver::write_pub(text, out),
        VersionScheme::Gem => gem::write(text, out),
        VersionScheme::Deb => deb::write(text, out),
        VersionScheme::Apk => apk::write(text, out),
        VersionScheme::Cran => dotted::write_cran(text, out),
        VersionScheme::IntDot => dotted::write_int_dot(text, out),
        VersionScheme::Composer if composer::is_branch(text) => return Err(NoOrder::Branch),
        VersionScheme::Composer => {
            composer::write(text, out);
            Some(())
        }
        VersionScheme::Pep440 => {
            pep440::write(text, out);
            Some(())
        }
        VersionScheme::Rpm => {
            rpm::write(text, out);
            Some(())
        }
        VersionScheme::Generic => {
            generic::write(text, out);
            Some(())
        }
    };
    written.ok_or(NoOrder::Refused)
}

/// NoOrder a text names no place in any order.
fn unordered(text: &str) -> Option<NoOrder> {
    let placeholder = ["unspecified", "latest", "n/a", "*", "-"];
    let is_placeholder = placeholder.iter().any(|it| text.eq_ignore_ascii_case(it));
    Some(match text {
        "" => NoOrder::Empty,
        _ if text.len() > VERSION_BYTES_MAX => NoOrder::TooLong,
        _ if is_placeholder || text.contains("${") => NoOrder::Placeholder,
        _ if text.starts_with("dev-") => NoOrder::Branch,
        _ if text.chars().any(char::is_control) => NoOrder::Control,
        _ if is_commit(text) => NoOrder::Commit,
        _ => return None,
    })
}

/// A SHA-1 or SHA-256 in hexadecimal. Forty decimal digits are taken for a number.
fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64)
        && text.bytes().all(|byte| byte.is_ascii_hexdigit())
        && text.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// A whole number of any length: its digits without leading zeros.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Number(Box<str>);

impl Number {
    /// From decimal digits; anything else in the text is kept and sorts by length.
    fn new(digits: &str) -> Self {
        Self(digits.trim_start_matches('0').into())
    }

    fn is_zero(&self) -> bool {
        self.0.is_empty()
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.len().cmp(&other.0.len()).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The longest run of decimal digits at the start of a text, and the rest.
fn split_digits(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.split_at(end)
}

#[cfg(test)]
mod tests;
