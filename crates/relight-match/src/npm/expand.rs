//! `^1.2`, `~1`, `1.x`, `1.0 - 2.0` to plain conditions, as npm expands them.

use super::version::{is_build, labels_of, number};
use super::{Comparator, NpmOptions, NpmVersion, Operator};

/// Three parts, of which the later ones may be missing or `x`, and a pre-release.
struct Partial<'a> {
    numbers: Vec<u64>,
    pre_release: &'a str,
}

/// One alternative; empty when nothing in it counts, which only loose reading allows. `None` for
/// what npm refuses, and for a condition that cannot be read unless it may be lost.
pub(super) fn alternative(
    text: &str,
    options: NpmOptions,
    may_lose: bool,
) -> Option<Vec<Comparator>> {
    let expanded = match text.split_once(" - ") {
        Some((lo, hi)) if !lo.trim().is_empty() => hyphen(lo.trim(), hi.trim(), options)?,
        _ => text.to_owned(),
    };
    let mut comparators: Vec<Comparator> = Vec::new();
    for word in words(&expanded) {
        let plain = expand(&word, options);
        let parts: Vec<_> = if plain.is_empty() { vec![""] } else { plain.split(' ').collect() };
        for part in parts {
            match comparator(part, options) {
                Some(read) => comparators.push(read),
                // Loosely, what cannot be read is left out.
                None if may_lose => {}
                None => return None,
            }
        }
    }
    if let Some(null) = comparators.iter().find(|it| it.is_null()) {
        return Some(vec![null.clone()]);
    }
    Some(without_doubles(comparators))
}

fn without_doubles(comparators: Vec<Comparator>) -> Vec<Comparator> {
    let mut kept: Vec<Comparator> = Vec::new();
    for comparator in comparators {
        if !kept.contains(&comparator) {
            kept.push(comparator);
        }
    }
    if kept.len() > 1 {
        kept.retain(|it| it.version.is_some());
    }
    kept
}

/// The words of an alternative; an operator alone belongs to the word after it.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut waiting = String::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let is_sign = word.chars().all(|c| "<>=~^".contains(c));
        waiting.push_str(word);
        if !is_sign {
            words.push(std::mem::take(&mut waiting));
        }
    }
    if !waiting.is_empty() || words.is_empty() {
        words.push(waiting);
    }
    words
}

fn comparator(text: &str, options: NpmOptions) -> Option<Comparator> {
    let lowest = if options.include_prerelease { ">=0.0.0-0" } else { ">=0.0.0" };
    if text.is_empty() || text == lowest {
        return Some(Comparator::ANY);
    }
    let (operator, version) = Operator::split(text);
    let version = NpmVersion::parse(version, options.loose)?;
    Some(Comparator { operator, version: Some(version) })
}

/// A word to plain conditions with spaces between; what is none is left as it is.
fn expand(word: &str, options: NpmOptions) -> String {
    if let Some(rest) = word.strip_prefix('^') {
        return Partial::parse(rest, options.loose).map_or(word.into(), |it| it.caret(options));
    }
    if let Some(rest) = word.strip_prefix('~') {
        let rest = rest.strip_prefix('>').unwrap_or(rest);
        return Partial::parse(rest, options.loose).map_or(word.into(), |it| it.tilde());
    }
    let (operator, rest) = Operator::split(word);
    match Partial::parse(rest, options.loose) {
        Some(partial) => partial.ranged(operator, word, options),
        None => word.to_owned(),
    }
}

/// `1.0 - 2.0`; `None` when one of the two is no version.
fn hyphen(lo: &str, hi: &str, options: NpmOptions) -> Option<String> {
    let loose = options.loose;
    let (from, to) = (Partial::parse(lo, loose)?, Partial::parse(hi, loose)?);
    let pre = if options.include_prerelease { "-0" } else { "" };
    let lower = match (&from.numbers[..], from.pre_release) {
        ([], _) => String::new(),
        ([_, _, _], "") => format!(">={}{pre}", from.padded()),
        ([_, _, _], _) => format!(">={}", from.whole()),
        _ => format!(">={}{pre}", from.padded()),
    };
    let upper = match (&to.numbers[..], to.pre_release) {
        ([], _) => String::new(),
        ([_] | [_, _], _) => format!("<{}", to.next(to.numbers.len())),
        (_, "") if options.include_prerelease => format!("<{}", to.next(3)),
        _ => format!("<={}", to.whole()),
    };
    Some(format!("{lower} {upper}").trim().to_owned())
}

impl<'a> Partial<'a> {
    /// `1`, `1.2`, `1.x`, `v1.2.3-pre+build`; `None` for anything else.
    fn parse(text: &'a str, loose: bool) -> Option<Self> {
        let text = text.trim_start_matches(['v', '=', ' ']);
        let (text, build) = text.split_once('+').map_or((text, None), |(a, b)| (a, Some(b)));
        if build.is_some_and(|build| !is_build(build)) {
            return None;
        }
        let mut numbers = Vec::new();
        let (mut rest, mut is_open) = (text, false);
        for place in 0..3 {
            let part = match (place, rest.strip_prefix('.')) {
                (0, _) => rest,
                (_, Some(part)) => part,
                (_, None) => break,
            };
            rest = match part.strip_prefix(['x', 'X', '*']) {
                Some(after) => {
                    is_open = true;
                    after
                }
                None => {
                    let (value, after) = number(part, loose)?;
                    // `1.x.3` means `1.x`.
                    if !is_open {
                        numbers.push(value);
                    }
                    after
                }
            };
        }
        let pre_release = rest.strip_prefix('-').unwrap_or(rest);
        let is_joined = !rest.is_empty() && !rest.starts_with('-');
        let is_whole = numbers.len() == 3;
        if !rest.is_empty() && (labels_of(pre_release, loose).is_none() || is_joined && !loose) {
            return None;
        }
        if !rest.is_empty() && !is_whole && !is_open {
            return None;
        }
        Some(Self { numbers, pre_release: if is_whole { pre_release } else { "" } })
    }

    fn padded(&self) -> String {
        let at = |place: usize| self.numbers.get(place).copied().unwrap_or(0);
        format!("{}.{}.{}", at(0), at(1), at(2))
    }

    fn whole(&self) -> String {
        match self.pre_release {
            "" => self.padded(),
            pre_release => format!("{}-{pre_release}", self.padded()),
        }
    }

    /// The first pre-release after everything that starts with the first `count` numbers.
    fn next(&self, count: usize) -> String {
        let mut numbers: Vec<_> = self.numbers.iter().copied().take(count).collect();
        if let Some(last) = numbers.last_mut() {
            *last = last.saturating_add(1);
        }
        format!("{}-0", Self { numbers, pre_release: "" }.padded())
    }

    fn tilde(&self) -> String {
        match self.numbers.len() {
            0 => String::new(),
            1 => format!(">={} <{}", self.padded(), self.next(1)),
            _ => format!(">={} <{}", self.whole(), self.next(2)),
        }
    }

    fn caret(&self, options: NpmOptions) -> String {
        let pre = if options.include_prerelease { "-0" } else { "" };
        match (&self.numbers[..], self.pre_release) {
            ([], _) => String::new(),
            ([_], _) => format!(">={}{pre} <{}", self.padded(), self.next(1)),
            ([0, _], _) => format!(">={}{pre} <{}", self.padded(), self.next(2)),
            ([_, _], _) => format!(">={}{pre} <{}", self.padded(), self.next(1)),
            ([0, 0, _], "") => format!(">={}{pre} <{}", self.padded(), self.next(3)),
            ([0, _, _], "") => format!(">={}{pre} <{}", self.padded(), self.next(2)),
            ([0, 0, _], _) => format!(">={} <{}", self.whole(), self.next(3)),
            ([0, _, _], _) => format!(">={} <{}", self.whole(), self.next(2)),
            _ => format!(">={} <{}", self.whole(), self.next(1)),
        }
    }

    /// With an operator before it; a whole version stays as it was written.
    fn ranged(&self, operator: Operator, word: &str, options: NpmOptions) -> String {
        let pre = if options.include_prerelease { "-0" } else { "" };
        let count = self.numbers.len();
        match (operator, count) {
            (_, 3) => word.split('+').next().unwrap_or(word).to_owned(),
            (Operator::Greater | Operator::Less, 0) => "<0.0.0-0".to_owned(),
            (_, 0) => String::new(),
            (Operator::Equal, _) => format!(">={}{pre} <{}", self.padded(), self.next(count)),
            (Operator::GreaterOrEqual, _) => format!(">={}{pre}", self.padded()),
            (Operator::Less, _) => format!("<{}-0", self.padded()),
            (Operator::LessOrEqual, _) => format!("<{}", self.next(count)),
            (Operator::Greater, _) => {
                format!(">={}{pre}", self.next(count).trim_end_matches("-0"))
            }
        }
    }
}
