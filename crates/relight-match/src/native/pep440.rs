//! Python: specifiers of PEP 440 (`~=1.4.2`, `==1.4.*`, `!=1.5`), as pure order.

use super::{bumped, conditions, leading_numbers};
use crate::version::{Version, VersionScheme};
use crate::version_set::{Relation, VersionSet};

const SCHEME: VersionScheme = VersionScheme::Pep440;

pub(super) fn parse(text: &str) -> Option<VersionSet> {
    conditions(SCHEME, text, |relation, version| match (relation, version.strip_suffix(".*")) {
        (Some(Relation::Exactly), Some(prefix)) => starting_with(prefix),
        (Some(Relation::Except), Some(prefix)) => Some(starting_with(prefix)?.complement()),
        // What PEP 440 refuses is no specifier.
        (Some(_), _) if !Version::parse(SCHEME, version)?.is_exact() => None,
        (Some(relation), _) => VersionSet::of(SCHEME, relation, version),
        (None, _) => compatible(version.strip_prefix("~=")?),
    })
}

/// `1.4.*`: every version of that release, pre-releases included.
fn starting_with(prefix: &str) -> Option<VersionSet> {
    let (epoch, release) = split_epoch(prefix);
    let (numbers, rest) = leading_numbers(release)?;
    let next = bumped(&numbers, numbers.len())?;
    let from = VersionSet::of(SCHEME, Relation::From, &format!("{prefix}.dev0"))?;
    let below = VersionSet::of(SCHEME, Relation::Below, &format!("{epoch}{next}.dev0"))?;
    rest.is_empty().then(|| from.intersection(&below))
}

/// `~=1.4.2` is `>=1.4.2, ==1.4.*`.
fn compatible(version: &str) -> Option<VersionSet> {
    let (epoch, release) = split_epoch(version);
    let (numbers, _) = leading_numbers(release)?;
    let kept = numbers.len().checked_sub(1).filter(|kept| *kept > 0)?;
    let next = bumped(&numbers, kept)?;
    let below = VersionSet::of(SCHEME, Relation::Below, &format!("{epoch}{next}.dev0"))?;
    Some(VersionSet::of(SCHEME, Relation::From, version)?.intersection(&below))
}

/// `1!2.0` → `1!` and `2.0`.
fn split_epoch(version: &str) -> (&str, &str) {
    version.split_at(version.find('!').map_or(0, |at| at + 1))
}
