//! npm: the precedence of Semantic Versioning 2.0.0 (section 11), read as loosely as npm reads.

use std::cmp::Ordering;

use super::{Number, split_digits};

/// Three numbers and the labels of a pre-release; build metadata means nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Version {
    numbers: [Number; 3],
    labels: Vec<Label>,
}

/// Numbers sort below text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Label {
    Number(Number),
    Text(String),
}

impl Version {
    /// Reads a version with a leading `v` or `=`, with fewer than three numbers (the others are
    /// 0), with a fourth part (which counts as build metadata), or without the hyphen before the
    /// pre-release.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut rest = text.trim_start_matches(['v', 'V', '=', ' ']);
        let mut numbers = [Number::new(""), Number::new(""), Number::new("")];
        for (place, number) in numbers.iter_mut().enumerate() {
            let after_dot = match (place, rest.strip_prefix('.')) {
                (0, _) => rest,
                (_, Some(after)) => after,
                (_, None) => break,
            };
            let (digits, after) = split_digits(after_dot);
            if digits.is_empty() {
                return None;
            }
            *number = Number::new(digits);
            rest = after;
        }
        let rest = rest.split_once('+').map_or(rest, |(before, _)| before);
        if rest.starts_with('.') {
            return Some(Self { numbers, labels: Vec::new() });
        }
        let labels = rest.strip_prefix('-').unwrap_or(rest);
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
        if !labels.bytes().all(allowed) {
            return None;
        }
        let labels = labels.split('.').filter(|label| !label.is_empty()).map(Label::new).collect();
        Some(Self { numbers, labels })
    }

    pub(super) fn canonical(&self) -> String {
        format!("{self:?}")
    }
}

impl Label {
    fn new(text: &str) -> Self {
        match split_digits(text) {
            (digits, "") => Self::Number(Number::new(digits)),
            _ => Self::Text(text.to_owned()),
        }
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let numbers = self.numbers.cmp(&other.numbers);
        numbers.then_with(|| match (self.labels.is_empty(), other.labels.is_empty()) {
            (false, false) => self.labels.cmp(&other.labels),
            // A pre-release stands before its release.
            (mine, theirs) => mine.cmp(&theirs),
        })
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precedence_and_looseness() {
        for line in [
            "1.0.0-alpha < 1.0.0-alpha.1",
            "1.0.0-alpha.1 < 1.0.0-alpha.beta",
            "1.0.0-beta.2 < 1.0.0-beta.11",
            "1.0.0-rc.1 < 1.0.0",
            "1.2.3-R2 < 1.2.3-r100",
            "1.2.3-beta < 1.2.3",
            "=v1.2.3 = 1.2.3+build",
            "1.2.3beta = 1.2.3-beta",
            "1.2 = 1.2.0",
            "1.1.3.4.5 = 1.1.3",
            "9999999999999999999999.0.0 < 10000000000000000000000.0.0",
            "0.0.0-0 < 0.0.0",
        ] {
            let words: Vec<_> = line.split(' ').collect();
            let (a, b) = (Version::parse(words[0]).unwrap(), Version::parse(words[2]).unwrap());
            let wanted = if words[1] == "=" { Ordering::Equal } else { Ordering::Less };
            assert_eq!(a.cmp(&b), wanted, "{line}");
            assert_eq!(b.cmp(&a), wanted.reverse(), "{line}");
            assert_eq!(a.canonical() == b.canonical(), wanted.is_eq(), "{line}");
        }
    }

    #[test]
    fn refuses_what_npm_cannot_order() {
        for text in ["", "x", "1.x", "1..2", "next", "1.2.3-ü", "git+ssh://host/a.git", "^1.2.3"] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }
}
