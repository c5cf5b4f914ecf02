//! Ruby and Elixir: `>= 1.2, < 2.0`, `~> 1.2.3`; Elixir joins with `and` and `or`.

use super::{bumped, conditions, leading_numbers};
use crate::version::VersionScheme;
use crate::version_set::{Relation, VersionSet};

pub(super) fn parse(scheme: VersionScheme, text: &str) -> Option<VersionSet> {
    let text = text.replace(" and ", ",");
    let mut set = VersionSet::none(scheme);
    for alternative in text.split(" or ") {
        let part = conditions(scheme, alternative, |relation, version| match relation {
            Some(relation) => VersionSet::of(scheme, relation, version),
            None => pessimistic(scheme, version.strip_prefix("~>")?),
        });
        set = set.union(part?);
    }
    Some(set)
}

/// `~> 1.2.3` is from 1.2.3 up to below 1.3, without the pre-releases of 1.3.
fn pessimistic(scheme: VersionScheme, version: &str) -> Option<VersionSet> {
    let (numbers, _) = leading_numbers(version)?;
    let next = bumped(&numbers, numbers.len().saturating_sub(1).max(1))?;
    // The first pre-release: `A` is the smallest word, and in SemVer `0` the smallest label.
    let next = match scheme {
        VersionScheme::Gem => format!("{next}.A"),
        _ => format!("{next}-0"),
    };
    let below = VersionSet::of(scheme, Relation::Below, &next)?;
    Some(VersionSet::of(scheme, Relation::From, version)?.intersection(&below))
}
