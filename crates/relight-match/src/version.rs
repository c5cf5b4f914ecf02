//! The order of versions, by the rules of each ecosystem.

use std::cmp::Ordering;

use relight_model::Ecosystem;

mod deb;
mod maven;
mod npm;
mod pep440;

/// Who defines the order of versions. A closed set: one file for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VersionScheme {
    /// Maven 3.9.9, `ComparableVersion`.
    Maven,
    /// npm: Semantic Versioning 2.0.0, read loosely.
    Npm,
    /// Python: PEP 440; what it refuses has an order of its own, below everything.
    Pep440,
    /// Debian: `deb-version(7)`.
    Deb,
}

/// The order that an ecosystem uses; `None` when relight cannot order its versions yet.
pub const fn scheme_of(ecosystem: &Ecosystem) -> Option<VersionScheme> {
    match ecosystem {
        Ecosystem::Maven => Some(VersionScheme::Maven),
        Ecosystem::Npm => Some(VersionScheme::Npm),
        Ecosystem::PyPi => Some(VersionScheme::Pep440),
        Ecosystem::Debian => Some(VersionScheme::Deb),
        Ecosystem::Other(_) => None,
    }
}

/// Compares two versions as the ecosystem's own tool does; `None` when one of them is not a
/// version that the ecosystem can order.
pub fn compare(scheme: VersionScheme, a: &str, b: &str) -> Option<Ordering> {
    Version::parse(scheme, a)?.compare(&Version::parse(scheme, b)?)
}

/// Longest text that is a version, in bytes.
pub const VERSION_BYTES_MAX: usize = 512;

/// A version that was read once, to be compared many times.
#[derive(Clone, Debug)]
pub struct Version(Form);

#[derive(Clone, Debug)]
enum Form {
    Maven(maven::Version),
    Npm(npm::Version),
    Pep440(pep440::Version),
    Deb(deb::Version),
}

impl Version {
    /// Reads a version; `None` when the ecosystem cannot order it: an empty or overlong text, a
    /// placeholder (`unspecified`, `latest`, `${…}`), a commit, a branch (`dev-…`), or text that
    /// the ecosystem's own tool refuses.
    pub fn parse(scheme: VersionScheme, text: &str) -> Option<Self> {
        let text = text.trim();
        if is_unordered(text) {
            return None;
        }
        Some(Self(match scheme {
            VersionScheme::Maven => Form::Maven(maven::Version::parse(text)),
            VersionScheme::Npm => Form::Npm(npm::Version::parse(text)?),
            VersionScheme::Pep440 => Form::Pep440(pep440::Version::parse(text)),
            VersionScheme::Deb => Form::Deb(deb::Version::parse(text)?),
        }))
    }

    /// The order of two versions; `None` when they are of different schemes.
    ///
    /// Maven's order is not transitive (`1-rc < 1 < 1.foo.2 < 1-rc` in Maven's own class), so
    /// this type has no `Ord`.
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        match (&self.0, &other.0) {
            (Form::Maven(a), Form::Maven(b)) => Some(a.compare(b)),
            (Form::Npm(a), Form::Npm(b)) => Some(a.cmp(b)),
            (Form::Pep440(a), Form::Pep440(b)) => Some(a.cmp(b)),
            (Form::Deb(a), Form::Deb(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }

    /// Whether the place of this version among others is certain. Where it is not, a version
    /// outside of a range is unknown rather than clear.
    pub(crate) const fn is_exact(&self) -> bool {
        match &self.0 {
            Form::Pep440(version) => version.is_exact(),
            Form::Maven(_) | Form::Npm(_) | Form::Deb(_) => true,
        }
    }

    /// Whether `self` belongs to the release that an inclusive bound names: `2.1.0+cu118` to
    /// `2.1.0` in Python, any revision of `1.2` to `1.2` in Debian.
    pub(crate) fn is_of_release(&self, bound: &Self) -> bool {
        match (&self.0, &bound.0) {
            (Form::Pep440(version), Form::Pep440(bound)) => version.is_of_release(bound),
            (Form::Deb(version), Form::Deb(bound)) => version.is_of_release(bound),
            _ => self.compare(bound) == Some(Ordering::Equal),
        }
    }

    /// A text that is the same for exactly the versions that compare as equal, so that members of
    /// a list are found by hash.
    pub(crate) fn canonical(&self) -> String {
        match &self.0 {
            Form::Maven(version) => version.canonical(),
            Form::Npm(version) => version.canonical(),
            Form::Pep440(version) => version.canonical(),
            Form::Deb(version) => version.canonical(),
        }
    }

    /// The canonical text of the published release that this version is a build of, if it is one.
    pub(crate) fn canonical_release(&self) -> Option<String> {
        match &self.0 {
            Form::Pep440(version) => version.canonical_release(),
            Form::Maven(_) | Form::Npm(_) | Form::Deb(_) => None,
        }
    }
}

/// Text that names no place in any order.
fn is_unordered(text: &str) -> bool {
    let placeholder = ["unspecified", "latest", "n/a", "*", "-"];
    text.is_empty()
        || text.len() > VERSION_BYTES_MAX
        || placeholder.iter().any(|it| text.eq_ignore_ascii_case(it))
        || text.contains("${")
        || text.starts_with("dev-")
        || text.chars().any(char::is_control)
        || is_commit(text)
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SCHEMES: [VersionScheme; 4] =
        [VersionScheme::Maven, VersionScheme::Npm, VersionScheme::Pep440, VersionScheme::Deb];

    #[test]
    fn what_names_no_place_is_not_compared() {
        let hash = "0123456789abcdef0123456789abcdef01234567";
        let long = "1".repeat(VERSION_BYTES_MAX + 1);
        for text in [
            "",
            " ",
            "unspecified",
            "Latest",
            "n/a",
            "*",
            "-",
            "${x}",
            hash,
            &long,
            "dev-a",
            "1\t0",
        ] {
            for scheme in SCHEMES {
                assert_eq!(compare(scheme, text, "1"), None, "{scheme:?} {text}");
                assert_eq!(compare(scheme, "1", text), None, "{scheme:?} {text}");
            }
        }
        let digits = "1".repeat(VERSION_BYTES_MAX);
        for scheme in SCHEMES {
            assert!(compare(scheme, &digits, "1").is_some(), "{scheme:?}");
        }
    }

    #[test]
    fn each_ecosystem_has_its_scheme() {
        for (name, scheme) in [
            ("Maven", Some(VersionScheme::Maven)),
            ("npm", Some(VersionScheme::Npm)),
            ("PyPI", Some(VersionScheme::Pep440)),
            ("Debian", Some(VersionScheme::Deb)),
            ("crates.io", None),
        ] {
            assert_eq!(scheme_of(&Ecosystem::from_osv(name)), scheme);
        }
    }

    /// Text that looks like a version more often than not.
    fn version() -> impl Strategy<Value = String> {
        let number = "0|1|2|10|007|99999999999999999999";
        let word = "a|b|rc|beta|final|sp|foo|dev|post|~|é";
        let part = prop_oneof![number, word];
        let more = prop::collection::vec(("[.+_~-]?", part.clone()), 0..6);
        let likely = ("(1!|2:|v)?", part, more).prop_map(|(start, first, more)| {
            more.into_iter().fold(start + &first, |text, (sign, part)| text + &sign + &part)
        });
        prop_oneof![4 => likely, 1 => "\\PC{0,12}"]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn laws_of_every_order(a in version(), b in version(), c in version()) {
            for scheme in SCHEMES {
                let read = |text: &str| Version::parse(scheme, text);
                let (Some(x), Some(y), Some(z)) = (read(&a), read(&b), read(&c)) else { continue };
                let order = x.compare(&y).unwrap();
                prop_assert_eq!(x.compare(&x), Some(Ordering::Equal));
                prop_assert_eq!(y.compare(&x), Some(order.reverse()));
                prop_assert_eq!(order.is_eq(), x.canonical() == y.canonical());
                // Maven's own order is not transitive, see `mavens_order_is_not_an_order`.
                if scheme != VersionScheme::Maven && order == y.compare(&z).unwrap() {
                    prop_assert_eq!(x.compare(&z), Some(order), "{:?}", scheme);
                }
            }
        }
    }
}
