//! Maven and NuGet: `[1.0,2.0)`, `(,1.0]`, `[1.0]`, several of them with commas between.

use relight_model::Bound;

use crate::version::VersionScheme;
use crate::version_set::{Relation, VersionSet};

pub(super) fn parse(scheme: VersionScheme, text: &str) -> Option<VersionSet> {
    let mut set = VersionSet::none(scheme);
    let mut rest = text.trim();
    while !rest.is_empty() {
        let end = rest.find([']', ')'])?;
        let (range, after) = rest.split_at(end + 1);
        set = set.union(one(scheme, range)?);
        rest = after.trim_start().trim_start_matches(',').trim_start();
    }
    Some(set)
}

/// One range with its brackets.
fn one(scheme: VersionScheme, range: &str) -> Option<VersionSet> {
    let from = if range.starts_with('[') { Relation::From } else { Relation::Above };
    let to = if range.ends_with(']') { Relation::UpTo } else { Relation::Below };
    let inner = range.strip_prefix(['[', '('])?.strip_suffix([']', ')'])?;
    let Some((lo, hi)) = inner.split_once(',') else {
        let is_closed = from == Relation::From && to == Relation::UpTo;
        return is_closed.then(|| VersionSet::of(scheme, Relation::Exactly, inner))?;
    };
    let bound = |relation, text: &str| match text.trim() {
        "" => Some(VersionSet::all(scheme)),
        text => VersionSet::of(scheme, relation, text),
    };
    let set = bound(from, lo)?.intersection(&bound(to, hi)?);
    // Swapped bounds are a slip.
    (!set.is_empty()).then_some(set)
}

pub(super) fn print(set: &VersionSet) -> String {
    let ranges = set.bounds().map(|(lo, hi)| {
        let (open, lo) = match &lo {
            Bound::Inclusive(text) => ('[', text.as_str()),
            Bound::Exclusive(text) => ('(', text.as_str()),
            Bound::Unbounded => ('(', ""),
        };
        let (hi, close) = match &hi {
            Bound::Inclusive(text) => (text.as_str(), ']'),
            Bound::Exclusive(text) => (text.as_str(), ')'),
            Bound::Unbounded => ("", ')'),
        };
        format!("{open}{lo},{hi}{close}")
    });
    ranges.collect::<Vec<_>>().join(",")
}
