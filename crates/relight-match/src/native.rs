//! Ranges in the words of an ecosystem, as intervals.

use relight_model::{Ecosystem, Grammar, Interval, NativeRange, Purl, RangeStatus};

use crate::npm::{NpmOptions, NpmRange};
use crate::version::{Version, VersionScheme, scheme_of};
use crate::version_set::{Relation, VersionSet};

mod brackets;
mod composer;
mod gem;
mod pep440;
pub(crate) mod vers;

/// Longest text of a range, in bytes.
pub const NATIVE_RANGE_BYTES_MAX: usize = 16 * 1024;

/// The intervals of a range; `None` when its text cannot be read, and then nothing is clear.
pub(crate) fn intervals(ecosystem: &Ecosystem, range: &NativeRange) -> Option<Vec<Interval>> {
    let set = match range.grammar {
        // A condition that is left out makes the rest wider: more is affected, but no more clear.
        Grammar::Ecosystem if range.status == RangeStatus::NotAffected => {
            read_range(ecosystem, &range.text, Loss::Refused)
        }
        Grammar::Ecosystem => parse_range(ecosystem, &range.text),
        Grammar::Vers => parse_vers(ecosystem, &range.text),
    };
    Some(set?.intervals(range.status))
}

/// Whether a version of a statement, a single one or a `vers:` range, is that of a component.
pub(crate) fn holds(text: &str, found: &Purl, is_equal: fn(&str, &Purl) -> bool) -> bool {
    if !text.starts_with("vers:") {
        return is_equal(text, found);
    }
    let ecosystem = Ecosystem::from_purl(&found.kind, &found.namespace);
    let set = parse_vers(&ecosystem, text);
    let version = Version::stated(scheme_of(&ecosystem), &found.version);
    set.zip(version).is_some_and(|(set, version)| set.contains(&version))
}

/// Reads a version range specifier about a package of an ecosystem. `None` when it is of a type
/// that is not known or orders versions in another way than the ecosystem.
pub fn parse_vers(ecosystem: &Ecosystem, text: &str) -> Option<VersionSet> {
    let scheme = scheme_of(ecosystem);
    if text.len() > NATIVE_RANGE_BYTES_MAX {
        return None;
    }
    vers::parse(scheme, text).filter(|set| set.scheme() == scheme)
}

/// Reads a range as the ecosystem's own tool does, and what GitLab makes of it: `||` between
/// alternatives everywhere, and `,` between conditions. `None` for what is no range, and for a
/// version that has no place in the order.
///
/// Ranges of advisories are pure order: a pre-release is inside wherever its place is inside.
///
/// Conditions that exclude each other (`>3, <2`) are a slip, and no range.
pub fn parse_range(ecosystem: &Ecosystem, text: &str) -> Option<VersionSet> {
    read_range(ecosystem, text, Loss::Taken)
}

/// Whether a condition that cannot be read may be left out, as npm does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Loss {
    Taken,
    Refused,
}

fn read_range(ecosystem: &Ecosystem, text: &str, loss: Loss) -> Option<VersionSet> {
    let text = text.trim();
    if text.is_empty() || text.len() > NATIVE_RANGE_BYTES_MAX {
        return None;
    }
    let scheme = scheme_of(ecosystem);
    let mut set = VersionSet::none(scheme);
    let single = if *ecosystem == Ecosystem::Packagist { "|" } else { "||" };
    for alternative in text.split(single).map(str::trim) {
        // Composer takes `|` and `||`; between the two bars nothing stands.
        if !(alternative.is_empty() && single == "|") {
            let part = alternative_of(ecosystem, scheme, alternative, loss)?;
            if part.is_empty() {
                return None;
            }
            set = set.union(part);
        }
    }
    Some(set)
}

fn alternative_of(
    ecosystem: &Ecosystem,
    scheme: VersionScheme,
    text: &str,
    loss: Loss,
) -> Option<VersionSet> {
    if text.starts_with(['[', '(']) {
        return brackets::parse(scheme, text);
    }
    match ecosystem {
        Ecosystem::Maven if text.contains(['[', ']', '(', ')', ',']) => None,
        Ecosystem::Maven => VersionSet::of(scheme, Relation::Exactly, text),
        Ecosystem::NuGet if !text.contains(['<', '>', '=']) => {
            VersionSet::of(scheme, Relation::From, text)
        }
        Ecosystem::Npm => npm(scheme, &text.replace(',', " "), loss),
        Ecosystem::CratesIo => npm(scheme, &cargo(text), loss),
        Ecosystem::Packagist => composer::parse(text),
        Ecosystem::PyPi => pep440::parse(text),
        Ecosystem::RubyGems | Ecosystem::Hex => gem::parse(scheme, text),
        _ => {
            conditions(scheme, text, |relation, version| VersionSet::of(scheme, relation?, version))
        }
    }
}

/// npm's own expansion of `^`, `~`, `x` and hyphens, with pre-releases by their place.
fn npm(scheme: VersionScheme, text: &str, loss: Loss) -> Option<VersionSet> {
    let options = NpmOptions { loose: true, include_prerelease: true };
    match loss {
        Loss::Taken => NpmRange::parse(text, options),
        Loss::Refused => NpmRange::parse_whole(text, options),
    }?
    .to_set(scheme)
}

/// Cargo's requirements are npm's, but for the comma, and that a bare version means `^`.
fn cargo(text: &str) -> String {
    let requirement = |part: &str| {
        let part = part.trim();
        let is_bare = part.starts_with(|c: char| c.is_ascii_digit()) && !part.contains('*');
        if is_bare { format!("^{part}") } else { part.to_owned() }
    };
    text.split(',').map(requirement).collect::<Vec<_>>().join(" ")
}

/// Conditions that must all hold, separated by spaces or commas: a sign and a version each. Other
/// signs than those of order are given to `expand` as `None` with the sign left in the text.
fn conditions(
    scheme: VersionScheme,
    text: &str,
    mut expand: impl FnMut(Option<Relation>, &str) -> Option<VersionSet>,
) -> Option<VersionSet> {
    if text == "*" {
        return Some(VersionSet::all(scheme));
    }
    let mut set = VersionSet::all(scheme);
    let mut rest = text.trim_start_matches([' ', ',']);
    while !rest.is_empty() {
        let (sign, after) = split_sign(rest);
        let after = after.trim_start();
        let end = after.find([' ', ',']).unwrap_or(after.len());
        let (version, next) = after.split_at(end);
        if version.is_empty() {
            return None;
        }
        let part = match relation_of(sign) {
            Some(relation) => expand(Some(relation), version)?,
            None => expand(None, &format!("{sign}{version}"))?,
        };
        set = set.intersection(&part);
        rest = next.trim_start_matches([' ', ',']);
    }
    Some(set)
}

fn split_sign(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !"<>=!~^".contains(c)).unwrap_or(text.len());
    text.split_at(end)
}

fn relation_of(sign: &str) -> Option<Relation> {
    Some(match sign {
        "<" => Relation::Below,
        "<=" | "=<" => Relation::UpTo,
        "" | "=" | "==" | "===" => Relation::Exactly,
        "!=" | "<>" => Relation::Except,
        ">=" | "=>" => Relation::From,
        ">" => Relation::Above,
        _ => return None,
    })
}

/// A set in the words of an ecosystem, so that [`parse_range`] reads the same set again. `None` for
/// the empty set, which no grammar can say.
pub fn print_range(ecosystem: &Ecosystem, set: &VersionSet) -> Option<String> {
    if set.is_empty() {
        return None;
    }
    let (comma, has_brackets) = match ecosystem {
        Ecosystem::Maven | Ecosystem::NuGet => ("", true),
        Ecosystem::PyPi | Ecosystem::RubyGems | Ecosystem::Hex | Ecosystem::CratesIo => {
            (", ", false)
        }
        _ => (" ", false),
    };
    if has_brackets {
        return Some(brackets::print(set));
    }
    if set.is_all() {
        return Some("*".to_owned());
    }
    let has_except = !matches!(ecosystem, Ecosystem::Npm | Ecosystem::CratesIo);
    let alternatives = set.relations(has_except).into_iter().map(|parts| {
        let parts = parts.into_iter().map(|(relation, text)| match (ecosystem, relation) {
            (Ecosystem::PyPi, Relation::Exactly) => format!("=={text}"),
            // Without a word Composer would begin with the development versions.
            (Ecosystem::Packagist, Relation::From) if !text.contains('-') => {
                format!(">={text}-stable")
            }
            _ => format!("{}{text}", relation.as_str()),
        });
        parts.collect::<Vec<_>>().join(comma)
    });
    Some(alternatives.collect::<Vec<_>>().join(" || "))
}

/// The numbers at the start of a version, and what follows them; `None` without any, or for one
/// that does not fit.
fn leading_numbers(text: &str) -> Option<(Vec<u64>, &str)> {
    let mut numbers = Vec::new();
    let mut rest = text;
    loop {
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        numbers.push(rest.get(..end)?.parse().ok()?);
        let after = &rest[end..];
        match after.strip_prefix('.') {
            Some(next) if next.starts_with(|c: char| c.is_ascii_digit()) => rest = next,
            _ => return Some((numbers, after)),
        }
    }
}

/// The first `count` numbers with the last one increased: `[1, 2, 3]`, 2 → `1.3`.
fn bumped(numbers: &[u64], count: usize) -> Option<String> {
    let mut kept = numbers.get(..count)?.to_vec();
    let last = kept.last_mut()?;
    *last = last.checked_add(1)?;
    Some(kept.iter().map(ToString::to_string).collect::<Vec<_>>().join("."))
}

#[cfg(test)]
mod tests;
