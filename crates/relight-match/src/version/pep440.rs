//! Python: PEP 440 through `pep440_rs`, and a rule of our own for what PEP 440 refuses.

use std::cmp::Ordering;
use std::str::FromStr;

use super::{Number, split_digits};

/// Legacy versions (`0.6m5`, dates) stand below every valid one, as they did in the tool of the
/// time; among themselves they have an order that nobody defines, so it is never exact.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Version {
    Legacy(Vec<Part>),
    Valid(pep440_rs::Version),
}

/// Words stand before the end of a version (they are mostly pre-releases), numbers after it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Word(String),
    End,
    Number(Number),
}

impl Version {
    pub(super) fn parse(text: &str) -> Self {
        match pep440_rs::Version::from_str(text) {
            Ok(version) => Self::Valid(version),
            Err(_) => Self::Legacy(parts(&text.to_ascii_lowercase())),
        }
    }

    pub(super) const fn is_exact(&self) -> bool {
        matches!(self, Self::Valid(_))
    }

    /// A bound without local part means every local build of its release.
    pub(super) fn is_of_release(&self, bound: &Self) -> bool {
        match (self, bound) {
            (Self::Valid(version), Self::Valid(bound)) if !bound.is_local() => {
                version.clone().without_local() == *bound
            }
            _ => self.cmp(bound) == Ordering::Equal,
        }
    }

    pub(super) fn canonical(&self) -> String {
        match self {
            Self::Legacy(parts) => format!("{parts:?}"),
            Self::Valid(version) => canonical(version),
        }
    }

    pub(super) fn canonical_release(&self) -> Option<String> {
        match self {
            Self::Valid(version) if version.is_local() => {
                Some(canonical(&version.clone().without_local()))
            }
            Self::Legacy(_) | Self::Valid(_) => None,
        }
    }
}

/// `1.0` and `1.0.0` are equal: zeros at the end of the release are dropped.
fn canonical(version: &pep440_rs::Version) -> String {
    let release = version.release();
    let kept = release.iter().rposition(|&number| number != 0).map_or(1, |last| last + 1);
    version.clone().with_release(release.iter().take(kept).copied()).to_string()
}

fn parts(mut text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    while let Some(first) = text.chars().next() {
        let (digits, rest) = split_digits(text);
        if !digits.is_empty() {
            parts.push(Part::Number(Number::new(digits)));
            text = rest;
        } else if first.is_alphabetic() {
            let end = text.find(|c: char| !c.is_alphabetic()).unwrap_or(text.len());
            parts.push(Part::Word(text[..end].to_owned()));
            text = &text[end..];
        } else {
            text = &text[first.len_utf8()..];
        }
    }
    parts.push(Part::End);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_canonical_text() {
        for line in [
            "1.0.dev0 < 1.0a0",
            "1.0a1 < 1.0b1",
            "1.0rc1 < 1.0",
            "1.0 < 1.0.post1",
            "1.0 < 1.0+local",
            "1.0+local.a < 1.0+local.1",
            "1.0 = 1.0.0",
            "v1.0 = 1.0",
            "1.0-1 = 1.0.post1",
            "2.0 < 1!1.0",
            "0.9.pre = 0.9rc0",
            "0.6m5 < 0.2rc0",
            "0.6m5 < 0.6m10",
            "0.1-bulbasaur < 0.1-charmander",
            "2013-01-23T17:11:52+0100 < 2013-02-01T20:50:46+0100",
            "trunk < 0",
        ] {
            let words: Vec<_> = line.split(' ').collect();
            let (a, b) = (Version::parse(words[0]), Version::parse(words[2]));
            let wanted = if words[1] == "=" { Ordering::Equal } else { Ordering::Less };
            assert_eq!(a.cmp(&b), wanted, "{line}");
            assert_eq!(b.cmp(&a), wanted.reverse(), "{line}");
            assert_eq!(a.canonical() == b.canonical(), wanted.is_eq(), "{line}");
        }
    }

    #[test]
    fn a_local_build_belongs_to_its_release() {
        let of = |version, bound| Version::parse(version).is_of_release(&Version::parse(bound));
        assert!(of("2.1.0+cu118", "2.1.0"));
        assert!(of("2.1+cu118", "2.1.0"));
        assert!(!of("2.1.0+cu118", "2.1.0+cu117"));
        assert!(!of("2.1.1", "2.1.0"));
        let release = Version::parse("2.1.0+cu118").canonical_release();
        assert_eq!(release, Some(Version::parse("2.1").canonical()));
    }

    #[test]
    fn legacy_is_not_exact() {
        assert!(!Version::parse("0.6m5").is_exact());
        assert!(Version::parse("0.6b5").is_exact());
    }
}
