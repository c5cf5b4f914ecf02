//! Version range specifiers: `vers:npm/>=1.0.0|<2.0.0`.

use std::cmp::Ordering;
use std::fmt;

use crate::version::{Version, VersionScheme};
use crate::version_set::{Relation, VersionSet};

/// Most constraints of one range.
pub(crate) const CONSTRAINTS_MAX: usize = 4096;

/// Reads a range; `scheme` is that of the package, for `vers:all/*`. `None` for a type that is not
/// known, a version that has no place in its order, and what is no range.
pub(crate) fn parse(scheme: VersionScheme, text: &str) -> Option<VersionSet> {
    let rest = text.trim().strip_prefix("vers:")?;
    let (kind, constraints) = rest.split_once('/')?;
    let constraints = constraints.trim_matches('|');
    match (kind, constraints) {
        ("all", "*") => return Some(VersionSet::all(scheme)),
        ("none", "*") => return Some(VersionSet::none(scheme)),
        ("all" | "none", _) => return None,
        _ => {}
    }
    let scheme = VersionScheme::from_name(kind)?;
    if constraints == "*" {
        return Some(VersionSet::all(scheme));
    }
    let mut read = Vec::new();
    for constraint in constraints.split('|') {
        let (relation, version) = relation_of(constraint.trim());
        read.push((relation, decode(version)?));
    }
    if read.len() > CONSTRAINTS_MAX {
        return None;
    }
    united(scheme, &read)
}

/// The set of a list of constraints: single versions are in it, those after `!=` are not, and
/// between a lower bound and the next upper bound everything is.
fn united(scheme: VersionScheme, constraints: &[(Relation, String)]) -> Option<VersionSet> {
    let mut set = VersionSet::none(scheme);
    let mut holes = VersionSet::none(scheme);
    let mut bounds: Vec<(Relation, VersionSet)> = Vec::new();
    for (relation, text) in constraints {
        let part = VersionSet::of(scheme, *relation, text)?;
        match relation {
            Relation::Exactly => set = set.union(part),
            Relation::Except => holes = holes.union(part.complement()),
            _ => bounds.push((*relation, part)),
        }
    }
    let only_holes = bounds.is_empty() && set.is_empty();
    if !is_ascending(scheme, constraints) {
        return None;
    }
    let mut open: Option<VersionSet> = None;
    for (relation, part) in bounds {
        match (relation, open.take()) {
            // The first bound is an upper one: everything below is in.
            (Relation::Below | Relation::UpTo, None) => set = set.union(part),
            (Relation::Below | Relation::UpTo, Some(from)) => {
                let between = from.intersection(&part);
                if between.is_empty() {
                    return None;
                }
                set = set.union(between);
            }
            // Two lower bounds in a row: the wider one holds.
            (_, Some(from)) => open = Some(from),
            (_, None) => open = Some(part),
        }
    }
    set = set.union(open.unwrap_or_else(|| VersionSet::none(scheme)));
    if only_holes {
        set = VersionSet::all(scheme);
    }
    Some(set.intersection(&holes.complement()))
}

/// Whether the bounds stand in the order of their versions, as the specification has them: in
/// another order nobody knows which belong together, and `<2|>=1` would be everything. A release
/// reaches up to the last of its builds: `<1-1|>1`.
fn is_ascending(scheme: VersionScheme, constraints: &[(Relation, String)]) -> bool {
    let is_bound = |it: &&(Relation, String)| !matches!(it.0, Relation::Exactly | Relation::Except);
    let bounds = constraints.iter().filter(is_bound);
    let versions: Vec<_> = bounds.filter_map(|(_, text)| Version::stated(scheme, text)).collect();
    versions.windows(2).all(|pair| {
        let is_before = pair[0].compare(&pair[1]).is_some_and(Ordering::is_le);
        is_before || pair[0].is_of_release(&pair[1])
    })
}

fn relation_of(constraint: &str) -> (Relation, &str) {
    let signs = [
        (">=", Relation::From),
        ("<=", Relation::UpTo),
        ("!=", Relation::Except),
        (">", Relation::Above),
        ("<", Relation::Below),
        ("=", Relation::Exactly),
    ];
    let found = signs.iter().find_map(|(sign, it)| Some((*it, constraint.strip_prefix(sign)?)));
    found.unwrap_or((Relation::Exactly, constraint))
}

/// The type that the specifier has for a scheme.
pub(crate) const fn kind_of(scheme: VersionScheme) -> &'static str {
    match scheme {
        VersionScheme::Pep440 => "pypi",
        VersionScheme::Go => "golang",
        other => other.as_str(),
    }
}

/// Writes a version; what separates constraints is percent-encoded.
pub(crate) fn encode(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'~' | b'+' | b':' => {
                write!(f, "{}", char::from(byte))?;
            }
            _ => write!(f, "%{byte:02X}")?,
        }
    }
    Ok(())
}

fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        if first != b'%' {
            bytes.push(first);
            rest = after;
            continue;
        }
        let digits = std::str::from_utf8(after.get(..2)?).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = after.get(2..)?;
    }
    String::from_utf8(bytes).ok().filter(|text| !text.is_empty())
}
