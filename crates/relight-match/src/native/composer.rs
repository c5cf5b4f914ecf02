//! PHP: constraints of composer/semver 3 (`^1.2`, `~1.2`, `1.2.*`, `1.0 - 2.0`).
//!
//! Lower bounds begin with the development versions, as Composer's do; upper bounds of plain
//! comparisons are pure order, so that a pre-release of the fix counts as affected.

use super::{bumped, conditions, leading_numbers};
use crate::version::VersionScheme;
use crate::version_set::{Relation, VersionSet};

const SCHEME: VersionScheme = VersionScheme::Composer;

pub(super) fn parse(text: &str) -> Option<VersionSet> {
    if let Some((lo, hi)) = text.split_once(" - ") {
        return hyphen(lo.trim(), hi.trim());
    }
    conditions(SCHEME, text, |relation, version| {
        let version = version.split_once('@').map_or(version, |(version, _)| version);
        match (relation, wildcard(version)) {
            (Some(Relation::Exactly), Some(prefix)) => within(prefix),
            (Some(Relation::Except), Some(prefix)) => Some(within(prefix)?.complement()),
            (Some(Relation::From), _) => from(version),
            (Some(relation), None) => VersionSet::of(SCHEME, relation, version),
            (None, None) => match (version.strip_prefix('^'), version.strip_prefix('~')) {
                (Some(version), _) => caret(version),
                (_, Some(version)) => tilde(version),
                _ => None,
            },
            _ => None,
        }
    })
}

/// `1.2.*` → `1.2`.
fn wildcard(version: &str) -> Option<&str> {
    ["*", "x", "X"].iter().find_map(|end| version.strip_suffix(end)?.strip_suffix('.'))
}

/// From a version on; without a stability of its own, from its development versions on.
fn from(version: &str) -> Option<VersionSet> {
    let bare = version.strip_prefix(['v', 'V']).unwrap_or(version);
    match leading_numbers(bare) {
        Some((_, "")) => VersionSet::of(SCHEME, Relation::From, &format!("{bare}-dev")),
        _ => VersionSet::of(SCHEME, Relation::From, version),
    }
}

fn below(numbers: &[u64], count: usize) -> Option<VersionSet> {
    VersionSet::of(SCHEME, Relation::Below, &format!("{}-dev", bumped(numbers, count)?))
}

/// Every version that starts with these numbers.
fn within(prefix: &str) -> Option<VersionSet> {
    let (numbers, _) = leading_numbers(prefix.trim_start_matches(['v', 'V']))?;
    Some(from(prefix)?.intersection(&below(&numbers, numbers.len())?))
}

/// Up to the next change of the first number that is not 0.
fn caret(version: &str) -> Option<VersionSet> {
    let (numbers, _) = leading_numbers(version.trim_start_matches(['v', 'V']))?;
    let first = numbers.iter().position(|number| *number > 0);
    let count = first.map_or(numbers.len(), |at| at + 1);
    Some(from(version)?.intersection(&below(&numbers, count)?))
}

/// Up to the next change of the last number but one.
fn tilde(version: &str) -> Option<VersionSet> {
    let (numbers, _) = leading_numbers(version.trim_start_matches(['v', 'V', '>']))?;
    let count = numbers.len().saturating_sub(1).max(1);
    Some(from(version.trim_start_matches('>'))?.intersection(&below(&numbers, count)?))
}

/// With fewer than three numbers the upper end covers everything that starts with them.
fn hyphen(lo: &str, hi: &str) -> Option<VersionSet> {
    let (numbers, rest) = leading_numbers(hi.trim_start_matches(['v', 'V']))?;
    let upper = match (rest, numbers.len()) {
        ("", 1 | 2) => below(&numbers, numbers.len())?,
        _ => VersionSet::of(SCHEME, Relation::UpTo, hi)?,
    };
    Some(from(lo)?.intersection(&upper))
}
