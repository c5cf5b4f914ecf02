//! Bounds that databases write as text beside the events of OSV.

use relight_model::{AffectedRange, Bound, BoundBasis, Interval, RangeEvent, RangeStatus};

/// The interval of a range whose lower bound stands as exclusive in GitLab's text: `>2.6.0` or
/// `(2.6.0,`. `None` when it does not, or when the range is no simple interval.
pub(super) fn exclusive_bounds(words: &str, range: &AffectedRange) -> Option<Interval> {
    let (from, hi, basis) = simple(range)?;
    is_exclusive(words, from, hi.version()).then(|| Interval {
        lo: Bound::Exclusive(from.to_owned()),
        hi,
        basis,
        status: RangeStatus::Affected,
    })
}

/// The interval of an open range with GitHub's `<= X` or `< X`: nothing is promised above.
pub(super) fn last_known(words: &str, range: &AffectedRange) -> Option<Interval> {
    let [RangeEvent::Introduced(from)] = &range.events[..] else { return None };
    let hi = match words.trim().strip_prefix("<=") {
        Some(version) => Bound::Inclusive(version.trim().to_owned()),
        None => Bound::Exclusive(words.trim().strip_prefix('<')?.trim().to_owned()),
    };
    let is_version = |text: &str| !text.is_empty() && !text.contains(['<', '>', ',', ' ']);
    hi.version().is_some_and(is_version).then(|| Interval {
        lo: lower(from),
        hi,
        basis: BoundBasis::LastKnown,
        status: RangeStatus::Affected,
    })
}

fn lower(from: &str) -> Bound {
    if from == "0" { Bound::Unbounded } else { Bound::Inclusive(from.to_owned()) }
}

/// A range of one start and at most one end.
fn simple(range: &AffectedRange) -> Option<(&str, Bound, BoundBasis)> {
    let (RangeEvent::Introduced(from), rest) = range.events.split_first()? else { return None };
    match rest {
        [] => Some((from, Bound::Unbounded, BoundBasis::Limit)),
        [RangeEvent::Fixed(to)] => Some((from, Bound::Exclusive(to.clone()), BoundBasis::Fixed)),
        [RangeEvent::LastAffected(to)] => {
            Some((from, Bound::Inclusive(to.clone()), BoundBasis::LastAffected))
        }
        _ => None,
    }
}

/// Whether the text holds `>from` or `(from,`, with `to` as the next version where there is one:
/// `<1.6.12||>1.6.12 <2.0.8` names 1.6.12 twice.
fn is_exclusive(words: &str, from: &str, to: Option<&str>) -> bool {
    let is_end = |rest: &str| rest.is_empty() || rest.starts_with([',', ' ', '|', ')', ']']);
    let next = |rest: &str| {
        let rest = rest.trim_start_matches([',', ' ', '<', '=']);
        let end = rest.find([',', ' ', '|', ')', ']']).unwrap_or(rest.len());
        rest[..end].to_owned()
    };
    words.match_indices(['>', '(']).any(|(at, _)| {
        let rest = words[at + 1..].trim_start();
        let Some(rest) = rest.strip_prefix(from).filter(|rest| is_end(rest)) else { return false };
        to.is_none_or(|to| next(rest) == to)
    })
}

#[cfg(test)]
mod tests {
    use relight_model::RangeKind;

    use super::*;

    fn range(events: Vec<RangeEvent>) -> AffectedRange {
        AffectedRange { kind: RangeKind::Ecosystem, events }
    }

    fn from_to(from: &str, to: &str) -> AffectedRange {
        range(vec![RangeEvent::Introduced(from.into()), RangeEvent::Fixed(to.into())])
    }

    #[test]
    fn only_the_range_that_the_text_calls_exclusive() {
        for (words, from, to, is_exclusive) in [
            ("[2.4,2.4.8],[2.5,2.5.4],(2.6.0,2.6.1]", "2.6.0", "2.6.1", true),
            ("[2.4,2.4.8],[2.5,2.5.4],(2.6.0,2.6.1]", "2.5", "2.5.4", false),
            ("<1.6.12||>1.6.12 <2.0.8", "1.6.12", "2.0.8", true),
            (">=2.7.0 <2.7.23||>3.2.0 <3.2.4", "2.7.0", "2.7.23", false),
            (">=2.7.0 <2.7.23||>3.2.0 <3.2.4", "3.2.0", "3.2.4", true),
            ("> 4.0.0.beta, < 4.0.3", "4.0.0.beta", "4.0.3", true),
            (">4.0.01 <4.0.3", "4.0.0", "4.0.3", false),
            ("(2.8.11.5,2.9.10.3)", "2.8.11.5", "2.9.10.3", true),
            ("", "1", "2", false),
        ] {
            let found = exclusive_bounds(words, &from_to(from, to));
            assert_eq!(found.is_some(), is_exclusive, "{words} {from}");
            assert!(found.is_none_or(|it| it.lo == Bound::Exclusive(from.into())));
        }
        let open = range(vec![RangeEvent::Introduced("0.22a".into())]);
        assert_eq!(exclusive_bounds("<0.21.3||>0.22a", &open).unwrap().hi, Bound::Unbounded);
        let many = range(vec![RangeEvent::Introduced("1".into()); 3]);
        assert_eq!(exclusive_bounds(">1", &many), None);
    }

    #[test]
    fn the_last_known_bound_is_no_end() {
        let open = range(vec![RangeEvent::Introduced("0".into())]);
        let found = last_known("<= 1.2.3", &open).unwrap();
        assert_eq!((found.lo, found.hi), (Bound::Unbounded, Bound::Inclusive("1.2.3".into())));
        assert_eq!(found.basis, BoundBasis::LastKnown);
        assert_eq!(last_known("< 2", &open).unwrap().hi, Bound::Exclusive("2".into()));
        for words in ["1.2.3", "<=", "<= 1, < 2", ">= 1", "== 1"] {
            assert_eq!(last_known(words, &open), None, "{words}");
        }
        assert_eq!(last_known("<= 1", &from_to("0", "1")), None);
    }
}
