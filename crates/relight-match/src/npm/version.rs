//! A version as npm reads it: three numbers that JavaScript can hold, and a pre-release.

use std::cmp::Ordering;
use std::fmt;

/// A version that npm accepts; build metadata is dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NpmVersion {
    numbers: [u64; 3],
    labels: Vec<Label>,
}

/// Numbers sort below text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Label {
    Number(u64),
    Text(String),
}

/// Longest version, in bytes.
const NPM_VERSION_BYTES_MAX: usize = 256;

/// The largest whole number that JavaScript holds exactly, `Number.MAX_SAFE_INTEGER`.
pub(super) const NUMBER_MAX: u64 = (1 << 53) - 1;

impl NpmVersion {
    /// Reads a version; `None` for what npm refuses. Loosely, signs and spaces before it, leading
    /// zeros and a missing hyphen are let pass.
    pub fn parse(text: &str, loose: bool) -> Option<Self> {
        if text.len() > NPM_VERSION_BYTES_MAX {
            return None;
        }
        let text = text.trim();
        let text = if loose {
            text.trim_start_matches(['v', '=', ' ', '\t'])
        } else {
            text.strip_prefix('v').unwrap_or(text)
        };
        let (text, build) = text.split_once('+').map_or((text, None), |(a, b)| (a, Some(b)));
        if build.is_some_and(|build| !is_build(build)) {
            return None;
        }
        let (major, rest) = number(text, loose)?;
        let (minor, rest) = number(rest.strip_prefix('.')?, loose)?;
        let (patch, rest) = number(rest.strip_prefix('.')?, loose)?;
        let labels = match (rest.strip_prefix('-'), rest) {
            (Some(labels), _) => labels_of(labels, loose)?,
            (None, "") => Vec::new(),
            (None, labels) if loose => labels_of(labels, loose)?,
            _ => return None,
        };
        Some(Self { numbers: [major, minor, patch], labels })
    }

    pub(super) const fn release(major: u64, minor: u64, patch: u64) -> Self {
        Self { numbers: [major, minor, patch], labels: Vec::new() }
    }

    pub(super) fn is_prerelease(&self) -> bool {
        !self.labels.is_empty()
    }

    pub(super) fn is_same_release(&self, other: &Self) -> bool {
        self.numbers == other.numbers
    }
}

pub(super) fn is_build(build: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    build.split('.').all(|part| !part.is_empty() && part.bytes().all(allowed))
}

/// A number at the start of a text. Strictly it has no leading zeros.
pub(super) fn number(text: &str, loose: bool) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    let has_zero = digits.len() > 1 && digits.starts_with('0');
    let value = digits.parse().ok().filter(|value| *value <= NUMBER_MAX)?;
    (loose || !has_zero).then_some((value, rest))
}

/// The labels of a pre-release.
pub(super) fn labels_of(text: &str, loose: bool) -> Option<Vec<Label>> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let label = |label: &str| {
        if label.is_empty() || !label.bytes().all(allowed) {
            return None;
        }
        if !label.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some(Label::Text(label.to_owned()));
        }
        let has_zero = label.len() > 1 && label.starts_with('0');
        let value = label.parse().ok().filter(|value| *value < NUMBER_MAX);
        // A number that does not fit stays text, as in npm.
        let value = value.map_or_else(|| Label::Text(label.to_owned()), Label::Number);
        (loose || !has_zero).then_some(value)
    };
    text.split('.').map(label).collect()
}

impl Ord for NpmVersion {
    fn cmp(&self, other: &Self) -> Ordering {
        let labels = || match (self.is_prerelease(), other.is_prerelease()) {
            (true, true) => self.labels.cmp(&other.labels),
            // A pre-release stands before its release.
            (mine, theirs) => theirs.cmp(&mine),
        };
        self.numbers.cmp(&other.numbers).then_with(labels)
    }
}

impl PartialOrd for NpmVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for NpmVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.numbers;
        write!(f, "{major}.{minor}.{patch}")?;
        for (index, label) in self.labels.iter().enumerate() {
            f.write_str(if index == 0 { "-" } else { "." })?;
            match label {
                Label::Number(number) => write!(f, "{number}")?,
                Label::Text(text) => f.write_str(text)?,
            }
        }
        Ok(())
    }
}
