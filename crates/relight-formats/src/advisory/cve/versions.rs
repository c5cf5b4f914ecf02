//! One entry of `versions` of a CVE record to an interval, a version, or events.

use relight_model::{Bound, BoundBasis, Interval, RangeEvent, RangeStatus};

use crate::advisory::json::{EVENTS_MAX, Fault, Object, needed, objects, text};

/// What one entry of `versions` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// One version.
    Single(String, RangeStatus),
    /// From one bound to the other.
    Interval(Interval),
    /// An affected interval that changes inside; relight-match puts the changes in order.
    Events(Vec<RangeEvent>),
    /// From one commit to the other.
    Git(String, String),
    /// Prose.
    FreeText,
}

/// Reads one entry.
pub(super) fn version(item: &Object) -> Result<Reading, Fault> {
    let status = status(needed(item, "status")?)?;
    let from = text(item, "version")?.unwrap_or_default().trim();
    let less = text(item, "lessThan")?.map(str::trim);
    let up_to = text(item, "lessThanOrEqual")?.map(str::trim);
    let end = less.or(up_to);
    if text(item, "versionType")?.is_some_and(|kind| kind.eq_ignore_ascii_case("git")) {
        let affected = status == RangeStatus::Affected;
        let git = Reading::Git(from.to_owned(), end.unwrap_or_default().to_owned());
        return Ok(if affected { git } else { Reading::FreeText });
    }
    let changes = objects(item, "changes", EVENTS_MAX)?;
    let hi = match (less, up_to) {
        (Some(version), _) => upper(version, Bound::Exclusive),
        (None, Some(version)) => upper(version, Bound::Inclusive),
        (None, None) => None,
    };
    match hi {
        Some(hi) if changes.is_empty() => Ok(Reading::Interval(interval(from, hi, status))),
        Some(hi) => changed(from, hi, status, &changes),
        None if end.is_some() => Ok(Reading::FreeText),
        None if !changes.is_empty() => changed(from, Bound::Unbounded, status, &changes),
        None => Ok(without_bounds(from, status)),
    }
}

fn status(text: &str) -> Result<RangeStatus, Fault> {
    match text {
        "affected" => Ok(RangeStatus::Affected),
        "unaffected" => Ok(RangeStatus::NotAffected),
        "unknown" => Ok(RangeStatus::Unknown),
        other => Err(format!("status `{other}` is not known")),
    }
}

fn interval(from: &str, hi: Bound, status: RangeStatus) -> Interval {
    let basis = match hi {
        Bound::Exclusive(_) => BoundBasis::Fixed,
        Bound::Inclusive(_) => BoundBasis::LastAffected,
        Bound::Unbounded => BoundBasis::Limit,
    };
    Interval { lo: lower(from), hi, basis, status }
}

/// A start that is not told is the very first version.
fn lower(from: &str) -> Bound {
    match from {
        "" | "0" | "*" | "unspecified" | "n/a" => Bound::Unbounded,
        version => Bound::Inclusive(version.to_owned()),
    }
}

/// An upper bound; `5.4.*` ends before 5.5, every other one with `*` is open, as is one that is
/// not told. `None` when it is prose.
fn upper(version: &str, bound: fn(String) -> Bound) -> Option<Bound> {
    match version {
        "unspecified" | "*" | "" => return Some(Bound::Unbounded),
        "n/a" => return None,
        _ => {}
    }
    if !version.contains('*') {
        return (!version.contains(' ')).then(|| bound(version.to_owned()));
    }
    let branch = version.strip_suffix(".*").and_then(|branch| {
        let (head, last) = branch.rsplit_once('.').unwrap_or(("", branch));
        let next = last.parse::<u64>().ok()?.checked_add(1)?;
        let is_number = |part: &str| part.bytes().all(|it| it.is_ascii_digit());
        head.split('.').all(is_number).then(|| match head {
            "" => next.to_string(),
            head => format!("{head}.{next}"),
        })
    });
    Some(branch.map_or(Bound::Unbounded, Bound::Exclusive))
}

/// An interval with `changes`: a set of events, for the order of versions is not known here.
fn changed(
    from: &str,
    hi: Bound,
    status: RangeStatus,
    changes: &[&Object],
) -> Result<Reading, Fault> {
    let mut events = Vec::new();
    if status != RangeStatus::Affected {
        // Rare, and not a set of events: nothing is said rather than something wrong.
        return Ok(Reading::FreeText);
    }
    events.push(RangeEvent::Introduced(match lower(from) {
        Bound::Unbounded => "0".to_owned(),
        _ => from.to_owned(),
    }));
    for change in changes {
        let at = needed(change, "at")?.to_owned();
        match self::status(needed(change, "status")?)? {
            RangeStatus::Affected => events.push(RangeEvent::Introduced(at)),
            RangeStatus::NotAffected => events.push(RangeEvent::Fixed(at)),
            RangeStatus::Unknown => return Ok(Reading::FreeText),
        }
    }
    match hi {
        Bound::Unbounded => {}
        Bound::Inclusive(version) => events.push(RangeEvent::LastAffected(version)),
        Bound::Exclusive(version) => events.push(RangeEvent::Fixed(version)),
    }
    Ok(Reading::Events(events))
}

/// A version, or `op version[, op version]`; everything else is prose.
fn without_bounds(words: &str, status: RangeStatus) -> Reading {
    if matches!(words, "*" | "all" | "All") {
        return Reading::Interval(interval("0", Bound::Unbounded, status));
    }
    if words.starts_with(['<', '>', '=']) {
        return operators(words, status).map_or(Reading::FreeText, Reading::Interval);
    }
    if is_version(words) { Reading::Single(words.to_owned(), status) } else { Reading::FreeText }
}

/// A word with a digit that is no pattern: `4.x`, `n/a` and `11 and 12` are not.
pub(in crate::advisory) fn is_version(word: &str) -> bool {
    let is_pattern = word.split(['.', '-']).any(|part| matches!(part, "x" | "X" | "*"));
    let is_word = !word.contains([' ', ',', '<', '>', '*', '/', '(']);
    is_word && !is_pattern && word.bytes().any(|byte| byte.is_ascii_digit())
}

/// `op version[, op version]`; `None` for everything else.
pub(in crate::advisory) fn operators(words: &str, status: RangeStatus) -> Option<Interval> {
    let (mut lo, mut hi) = (Bound::Unbounded, Bound::Unbounded);
    for part in words.split(',').map(str::trim) {
        let rest = part.trim_start_matches(['<', '>', '=']);
        let version = rest.trim();
        let operator = &part[..part.len() - rest.len()];
        if !is_version(version) {
            return None;
        }
        let version = version.to_owned();
        match operator {
            "<" if hi == Bound::Unbounded => hi = Bound::Exclusive(version),
            "<=" if hi == Bound::Unbounded => hi = Bound::Inclusive(version),
            ">" if lo == Bound::Unbounded => lo = Bound::Exclusive(version),
            ">=" if lo == Bound::Unbounded => lo = Bound::Inclusive(version),
            "=" | "==" if lo == Bound::Unbounded && hi == Bound::Unbounded => {
                (lo, hi) = (Bound::Inclusive(version.clone()), Bound::Inclusive(version));
            }
            _ => return None,
        }
    }
    Some(Interval { lo, ..interval("0", hi, status) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        let object = serde_json::from_str(text).unwrap();
        match version(&object) {
            Ok(Reading::Single(version, status)) => format!("{version} {status:?}"),
            Ok(Reading::Interval(Interval { lo, hi, status, .. })) => {
                let lo = match lo {
                    Bound::Unbounded => "(".to_owned(),
                    Bound::Inclusive(version) => format!("[{version}"),
                    Bound::Exclusive(version) => format!("({version}"),
                };
                let hi = match hi {
                    Bound::Unbounded => ")".to_owned(),
                    Bound::Inclusive(version) => format!("{version}]"),
                    Bound::Exclusive(version) => format!("{version})"),
                };
                format!("{lo},{hi} {status:?}")
            }
            Ok(other) => format!("{other:?}"),
            Err(fault) => format!("! {fault}"),
        }
    }

    #[test]
    fn bounds() {
        for (fields, wanted) in [
            (r#""version":"1.0","lessThan":"2.0""#, "[1.0,2.0) Affected"),
            (r#""version":"0","lessThanOrEqual":"2.0""#, "(,2.0] Affected"),
            (r#""version":"1.31.0","lessThan":"unspecified""#, "[1.31.0,) Affected"),
            (r#""version":"unspecified","lessThan":"1.36.1""#, "(,1.36.1) Affected"),
            (r#""version":"2.0-beta9","lessThan":"log4j-core*""#, "[2.0-beta9,) Affected"),
            (r#""version":"5.4.291","lessThanOrEqual":"5.4.*""#, "[5.4.291,5.5) Affected"),
            (r#""version":"5.4","lessThan":"*""#, "[5.4,) Affected"),
            (r#""version":"5","lessThan":"5.*""#, "[5,6) Affected"),
            (r#""version":"1","lessThan":"2 or so""#, "FreeText"),
            (r#""version":"1","lessThan":"n/a""#, "FreeText"),
        ] {
            assert_eq!(read(&format!(r#"{{"status":"affected",{fields}}}"#)), wanted, "{fields}");
        }
    }

    #[test]
    fn words_instead_of_bounds() {
        for (words, wanted) in [
            ("5.6.0", "5.6.0 Affected"),
            ("< 2.0.0-next.193", "(,2.0.0-next.193) Affected"),
            (">= 2.0.0, < 2.0.7", "[2.0.0,2.0.7) Affected"),
            ("> 1, <= 2", "(1,2] Affected"),
            ("= 1.2", "[1.2,1.2] Affected"),
            ("*", "(,) Affected"),
            ("n/a", "FreeText"),
            ("4.x", "FreeText"),
            ("11 and 12", "FreeText"),
            ("unspecified", "FreeText"),
            ("", "FreeText"),
            ("< 1, < 2", "FreeText"),
            ("<> 1", "FreeText"),
            ("< 1.x", "FreeText"),
            (">= 1, and so on 2", "FreeText"),
        ] {
            let item = format!(r#"{{"status":"affected","version":"{words}"}}"#);
            assert_eq!(read(&item), wanted, "{words}");
        }
    }

    #[test]
    fn changes_are_events() {
        let log4j = r#"{"version":"2.0-beta9","status":"affected","lessThan":"log4j-core*",
            "changes":[{"at":"2.3.1","status":"unaffected"},{"at":"2.4","status":"affected"}]}"#;
        let wanted = r#"Events([Introduced("2.0-beta9"), Fixed("2.3.1"), Introduced("2.4")])"#;
        assert_eq!(read(log4j), wanted);
        let bounded = r#"{"version":"0","status":"affected","lessThanOrEqual":"9",
            "changes":[{"at":"3","status":"unaffected"}]}"#;
        assert_eq!(read(bounded), r#"Events([Introduced("0"), Fixed("3"), LastAffected("9")])"#);
        let unknown = r#"{"version":"1","status":"unaffected","lessThan":"*",
            "changes":[{"at":"3","status":"affected"}]}"#;
        assert_eq!(read(unknown), "FreeText");
    }

    #[test]
    fn commits_and_faults() {
        let git = r#"{"version":"a1","lessThan":"b2","status":"affected","versionType":"git"}"#;
        assert_eq!(read(git), r#"Git("a1", "b2")"#);
        assert_eq!(read(r#"{"version":"1"}"#), "! field `status` is missing");
        assert_eq!(read(r#"{"version":"1","status":"bad"}"#), "! status `bad` is not known");
        let number = r#"{"version":2.0,"status":"affected"}"#;
        assert_eq!(read(number), "! field `version` is not text");
    }
}
