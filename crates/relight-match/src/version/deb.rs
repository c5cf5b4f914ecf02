//! Debian: `[epoch:]upstream[-revision]`, by the algorithm of `deb-version(7)`.

use std::cmp::Ordering;

use super::{Number, split_digits};

/// A missing epoch is 0; a missing revision compares as `0` and is remembered as missing.
#[derive(Clone, Debug)]
pub(super) struct Version {
    epoch: Number,
    upstream: String,
    revision: Option<String>,
}

impl Version {
    /// Refuses what `dpkg` refuses: an epoch that is no number, an empty upstream part, and
    /// characters that no version may have.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (epoch, rest) = text.split_once(':').unwrap_or(("0", text));
        let (upstream, revision) = match rest.rsplit_once('-') {
            Some((upstream, revision)) => (upstream, Some(revision.to_owned())),
            None => (rest, None),
        };
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".+-~:_".contains(&byte);
        let plain_epoch = !epoch.is_empty() && epoch.bytes().all(|byte| byte.is_ascii_digit());
        let good = plain_epoch && !upstream.is_empty() && rest.bytes().all(allowed);
        let upstream = upstream.to_owned();
        good.then(|| Self { epoch: Number::new(epoch), upstream, revision })
    }

    /// A bound without revision means every revision of its upstream version; a version without
    /// one may be any of them.
    pub(super) fn is_of_release(&self, bound: &Self) -> bool {
        let upstream = || compare_part(&self.upstream, &bound.upstream).is_eq();
        if self.revision.is_none() || bound.revision.is_none() {
            return self.epoch == bound.epoch && upstream();
        }
        self.cmp(bound).is_eq()
    }

    /// The epoch, the upstream part and the revision, each in the simplest form that compares as
    /// equal to it.
    pub(super) fn canonical(&self) -> String {
        let (upstream, revision) = (canonical(&self.upstream), canonical(self.revision()));
        format!("{}:{upstream} {revision}", self.epoch.0)
    }

    fn revision(&self) -> &str {
        self.revision.as_deref().unwrap_or("0")
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let upstream = || compare_part(&self.upstream, &other.upstream);
        let revision = || compare_part(self.revision(), other.revision());
        self.epoch.cmp(&other.epoch).then_with(upstream).then_with(revision)
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version {}

/// Compares non-digits and digits in turn, until one pair differs.
fn compare_part(mut a: &str, mut b: &str) -> Ordering {
    while !a.is_empty() || !b.is_empty() {
        let (text_a, rest_a) = split_text(a);
        let (text_b, rest_b) = split_text(b);
        let (digits_a, rest_a) = split_digits(rest_a);
        let (digits_b, rest_b) = split_digits(rest_b);
        let order = compare_text(text_a, text_b)
            .then_with(|| Number::new(digits_a).cmp(&Number::new(digits_b)));
        if order.is_ne() {
            return order;
        }
        (a, b) = (rest_a, rest_b);
    }
    Ordering::Equal
}

fn compare_text(a: &str, b: &str) -> Ordering {
    let places = a.len().max(b.len());
    let weight = |text: &str, at: usize| text.as_bytes().get(at).map_or(0, |&byte| weight(byte));
    let mut orders = (0..places).map(|at| weight(a, at).cmp(&weight(b, at)));
    orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

/// `~` before the end of the text, letters after it, everything else after the letters.
const fn weight(byte: u8) -> i32 {
    match byte {
        b'~' => -1,
        _ if byte.is_ascii_alphabetic() => byte as i32,
        _ => byte as i32 + 256,
    }
}

fn split_text(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| c.is_ascii_digit()).unwrap_or(text.len());
    text.split_at(end)
}

/// Numbers without leading zeros; one 0 at the very end means as much as nothing.
fn canonical(mut part: &str) -> String {
    let mut out = String::new();
    while !part.is_empty() {
        let (text, rest) = split_text(part);
        let (digits, rest) = split_digits(rest);
        let number = Number::new(digits);
        out.push_str(text);
        if !number.is_zero() || !rest.is_empty() {
            out.push_str(if number.is_zero() { "0" } else { &number.0 });
        }
        part = rest;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_of_dpkg() {
        for line in [
            "1.0~rc1 < 1.0",
            "1.0~~ < 1.0~",
            "1.0~ < 1.0",
            "1.0 < 1.0a",
            "1.0a < 1.0+",
            "1.0-1 < 1.0-1+deb12u1",
            "1.0-1~bpo12+1 < 1.0-1",
            "1.0 = 0:1.0-0",
            "1.0-00 = 1.0",
            "1.01 = 1.1",
            "a0 = a",
            "2.0-1 < 1:1.0-1",
            "1.2-3-4 < 1.2-3-10",
            "2.36-9+deb12u9 < 2.36-9+deb12u10",
            "1.99999999999999999999 < 1.100000000000000000000",
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
    fn refuses_what_dpkg_refuses() {
        for text in ["a:1.0", ":1.0", "1:", "-1", "1.0 1", "1.0/2", "é"] {
            assert!(Version::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_bound_without_revision_means_all_of_them() {
        let of = |version, bound| {
            Version::parse(version).unwrap().is_of_release(&Version::parse(bound).unwrap())
        };
        assert!(of("1.2-3", "1.2"));
        assert!(of("1.2", "1.2-3"));
        assert!(!of("1.2-4", "1.2-3"));
        assert!(!of("1:1.2-3", "1.2"));
    }
}
