//! PHP: Composer's normal form (composer/semver 3), and PHP's own `version_compare`.

use std::cmp::Ordering;

use super::{Number, split_digits};
use crate::key::Writer;

/// What may stand at one place, in ascending order; words that PHP does not know come first.
const UNKNOWN: u8 = 0;
const RELEASE_CANDIDATE: u8 = 4;
const END: u8 = 5;
const NUMBER: u8 = 6;
const PATCH: u8 = 7;

/// The number that Composer writes for the `x` of a branch.
const BRANCH_NUMBER: &str = "9999999";

/// The key of Composer's normal form; of the raw text, and inexact, where Composer refuses it.
pub(super) fn write(text: &str, out: &mut Writer) {
    let form = normal_form(text).unwrap_or_else(|| {
        out.inexact();
        text.strip_prefix(['v', 'V']).unwrap_or(text).to_owned()
    });
    for part in canonical(&form).split('.').filter(|part| !part.is_empty()) {
        match rank(part) {
            NUMBER => {
                out.tag(NUMBER);
                out.number(part);
            }
            word => out.tag(word),
        }
    }
    out.tag(END);
}

/// Whether Composer calls it a branch, which has no place among versions.
pub(super) fn is_branch(text: &str) -> bool {
    let starts = text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("dev-"));
    starts || matches!(text, "master" | "trunk" | "default")
}

/// What PHP's `version_compare` says of the texts as they are, without the leading `v`.
///
/// It is not an order: `#` equals every number, so `1.# = 1`, `1.# = 1.2` and `1 < 1.2`.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let bare = |text: &str| canonical(text.strip_prefix(['v', 'V']).unwrap_or(text));
    let (a, b) = (bare(a), bare(b));
    let parts = |text: &'_ str| text.split('.').map(ToOwned::to_owned).collect::<Vec<_>>();
    let (a, b) = (parts(&a), parts(&b));
    for (a, b) in a.iter().zip(&b) {
        let order = match (rank(a), rank(b)) {
            (NUMBER, NUMBER) if a != "#" && b != "#" => Number::new(a).cmp(&Number::new(b)),
            (a, b) => a.cmp(&b),
        };
        if order.is_ne() {
            return order;
        }
    }
    rest(a.get(b.len()..)).then_with(|| rest(b.get(a.len()..)).reverse())
}

/// What remains of the longer version against nothing: a number is more, a word decides.
fn rest(parts: Option<&[String]>) -> Ordering {
    for part in parts.unwrap_or_default() {
        match rank(part) {
            NUMBER if part == "#" => {}
            other => return other.cmp(&END),
        }
    }
    Ordering::Equal
}

/// `dev < alpha < beta < RC < # < pl`, by the start of the word as PHP compares it.
fn rank(part: &str) -> u8 {
    if part.starts_with(|c: char| c.is_ascii_digit() || c == '#') {
        return NUMBER;
    }
    let known = [
        ("dev", 1),
        ("a", 2),
        ("b", 3),
        ("RC", RELEASE_CANDIDATE),
        ("rc", RELEASE_CANDIDATE),
        ("p", PATCH),
    ];
    known.iter().find(|(word, _)| part.starts_with(word)).map_or(UNKNOWN, |(_, rank)| *rank)
}

/// PHP's canonical form: `.` between digits and anything else, and for every other sign.
fn canonical(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    // The first character stays, whatever it is.
    let mut chars = text.chars();
    let mut last = chars.next().unwrap_or('.');
    out.push(last);
    for c in chars {
        let is_word = c.is_ascii_alphanumeric() || c == '#';
        let changes = last != '.' && last.is_ascii_digit() != c.is_ascii_digit();
        if (!is_word || changes) && !out.ends_with('.') {
            out.push('.');
        }
        if is_word {
            out.push(c);
        }
        last = if is_word { c } else { '.' };
    }
    out
}

/// `1.2` → `1.2.0.0`, `v1.0-b2` → `1.0.0.0-beta2`, `2.x-dev` → `2.9999999.9999999.9999999-dev`.
/// `None` where Composer refuses the text.
fn normal_form(text: &str) -> Option<String> {
    let text = text.split_once(" as ").map_or(text, |(version, _)| version.trim_end());
    let text = without_stability_flag(text);
    let text = match text.split_once('+') {
        Some((version, build)) if !version.is_empty() && is_build(build) => version,
        _ => text,
    };
    let bare = text.strip_prefix(['v', 'V']).unwrap_or(text);
    classical(bare).or_else(|| date(bare)).or_else(|| branch(text))
}

/// `1.0@beta`: a flag of the root package, which says nothing of the version.
fn without_stability_flag(text: &str) -> &str {
    let known = ["stable", "rc", "beta", "alpha", "dev"];
    match text.rsplit_once('@') {
        Some((version, flag)) if known.iter().any(|it| it.eq_ignore_ascii_case(flag)) => version,
        _ => text,
    }
}

fn is_build(build: &str) -> bool {
    !build.is_empty() && !build.contains(char::is_whitespace)
}

/// One to four numbers, the first of at most five digits.
fn classical(text: &str) -> Option<String> {
    let (first, mut rest) = split_digits(text);
    if first.is_empty() || first.len() > 5 {
        return None;
    }
    let mut form = first.to_owned();
    for _ in 0..3 {
        let (digits, after) = match rest.strip_prefix('.') {
            Some(after) => split_digits(after),
            None => ("", rest),
        };
        form.push('.');
        if digits.is_empty() {
            form.push('0');
        } else {
            form.push_str(digits);
            rest = after;
        }
    }
    Some(form + &modifier(rest)?)
}

/// `2010.01.02`, `20100102`, `2010-01-02.5`: four digits, then pairs, then up to two short numbers.
fn date(text: &str) -> Option<String> {
    let (year, mut rest) = text.split_at_checked(4)?;
    if !year.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (mut pairs, mut shorts) = (0, 0);
    loop {
        let after = rest.strip_prefix(['.', ':', '-']).unwrap_or(rest);
        let (digits, _) = split_digits(after);
        let take = match digits.len() {
            0 => break,
            length if length >= 2 && pairs < 6 && shorts == 0 => {
                pairs += 1;
                2
            }
            length => {
                shorts += 1;
                length.min(3)
            }
        };
        rest = &after[take..];
    }
    if pairs == 0 || shorts > 2 {
        return None;
    }
    let numbers = &text[..text.len() - rest.len()];
    Some(numbers.replace([':', '-'], ".") + &modifier(rest)?)
}

/// `-beta2`, `.RC`, `pl1`, `-dev`: what may follow the numbers, in Composer's words.
fn modifier(text: &str) -> Option<String> {
    if text.is_empty() {
        return Some(String::new());
    }
    let lower = text.to_ascii_lowercase();
    let words = [
        ("stable", ""),
        ("beta", "beta"),
        ("b", "beta"),
        ("rc", "RC"),
        ("alpha", "alpha"),
        ("a", "alpha"),
        ("patch", "patch"),
        ("pl", "patch"),
        ("p", "patch"),
    ];
    let word_at = lower.strip_prefix(['.', '_', '-']).unwrap_or(&lower);
    let found = words.iter().find_map(|(word, long)| Some((*long, word_at.strip_prefix(word)?)));
    let (form, rest) = match found {
        Some((long, rest)) => {
            let (numbers, rest) = short_numbers(rest);
            match long {
                "" => (String::new(), rest),
                _ => (format!("-{long}{}", numbers.trim_start_matches(['.', '-'])), rest),
            }
        }
        // A sign alone means nothing.
        None => (String::new(), word_at),
    };
    match rest.strip_prefix(['.', '-']).unwrap_or(rest) {
        // What is called stable stays so, whatever follows.
        "dev" if found.is_some_and(|(long, _)| long.is_empty()) => Some(form),
        "dev" => Some(form + "-dev"),
        "" if rest.is_empty() => Some(form),
        _ => None,
    }
}

/// `((?:[.-]?\d+)*)`
fn short_numbers(text: &str) -> (&str, &str) {
    let mut end = 0;
    loop {
        let rest = &text[end..];
        let digits_at = rest.strip_prefix(['.', '-']).unwrap_or(rest);
        let (digits, after) = split_digits(digits_at);
        if digits.is_empty() {
            return text.split_at(end);
        }
        end = text.len() - after.len();
    }
}

/// `2.x-dev`, `2.1-dev`: a branch with a number is a version, the last one of that number.
fn branch(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let name = lower.strip_suffix("dev")?;
    let name = name.strip_suffix(['.', '-']).unwrap_or(name);
    let parts: Vec<_> = name.strip_prefix('v').unwrap_or(name).split('.').collect();
    let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|it| it.is_ascii_digit());
    let is_part = |part: &&str| is_number(part) || matches!(*part, "x" | "*");
    let (first, others) = parts.split_first()?;
    if parts.len() > 4 || !is_number(first) || !others.iter().all(is_part) {
        return None;
    }
    let part = |at: usize| match parts.get(at) {
        Some(part) if is_number(part) => *part,
        _ => BRANCH_NUMBER,
    };
    Some(format!("{}.{}.{}.{}-dev", part(0), part(1), part(2), part(3)))
}
