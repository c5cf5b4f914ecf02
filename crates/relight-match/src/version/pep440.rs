//! Python: PEP 440 as `packaging` reads it, and the order that the tools of the time gave to what
//! PEP 440 refuses.

use super::split_digits;
use crate::key::Writer;

/// What PEP 440 refuses stands below every version that it knows.
const LEGACY: u8 = 0;
const VALID: u8 = 1;

/// Ends a list: below every further item.
const END: u8 = 0;
const ITEM: u8 = 1;

/// Where there is no pre-release: before all of them for a bare `.devN`, else after all of them.
const BEFORE_PRE: u8 = 0;
const AFTER_PRE: u8 = 4;

const NO_POST: u8 = 0;
const POST: u8 = 1;
const DEV: u8 = 0;
const NO_DEV: u8 = 1;
const LOCAL_TEXT: u8 = 1;
const LOCAL_NUMBER: u8 = 2;
const LEGACY_WORD: u8 = 1;
const LEGACY_NUMBER: u8 = 2;

/// Takes every text; the place of one that PEP 440 refuses (`0.6m5`) is not exact.
pub(super) fn write(text: &str, out: &mut Writer) {
    let lower = text.to_ascii_lowercase();
    match Version::parse(&lower) {
        Some(version) => version.write(out),
        None => legacy(&lower, out),
    }
}

/// The parts of a version, as text; a number that is implied is empty.
struct Version<'a> {
    epoch: &'a str,
    release: Vec<&'a str>,
    /// 1 to 3 for `a`, `b`, `rc`.
    pre: Option<(u8, &'a str)>,
    post: Option<&'a str>,
    dev: Option<&'a str>,
    local: Option<&'a str>,
}

const PRE: [(&str, u8); 8] = [
    ("alpha", 1),
    ("a", 1),
    ("beta", 2),
    ("b", 2),
    ("preview", 3),
    ("pre", 3),
    ("rc", 3),
    ("c", 3),
];
const POST_WORDS: [(&str, u8); 3] = [("post", 0), ("rev", 0), ("r", 0)];
const DEV_WORDS: [(&str, u8); 1] = [("dev", 0)];

impl<'a> Version<'a> {
    /// From a text in lower case.
    fn parse(text: &'a str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let (text, local) = match text.split_once('+') {
            Some((text, local)) => (text, Some(local).filter(|local| is_local(local))),
            None => (text, Some("")),
        };
        let local = Some(local?).filter(|local| !local.is_empty());
        let (epoch, text) = text.split_once('!').unwrap_or(("0", text));
        let is_epoch = !epoch.is_empty() && epoch.bytes().all(|byte| byte.is_ascii_digit());
        let (release, rest) = release(text)?;
        let (pre, rest) = segment(rest, &PRE);
        let (post, rest) = post(rest);
        let (dev, rest) = segment(rest, &DEV_WORDS);
        let dev = dev.map(|(_, number)| number);
        (is_epoch && rest.is_empty()).then_some(Self { epoch, release, pre, post, dev, local })
    }

    fn write(&self, out: &mut Writer) {
        out.tag(VALID);
        out.number(self.epoch);
        let is_zero = |part: &&str| part.bytes().all(|byte| byte == b'0');
        let kept = self.release.iter().rposition(|part| !is_zero(part)).map_or(0, |last| last + 1);
        for part in self.release.iter().take(kept) {
            out.tag(ITEM);
            out.number(part);
        }
        out.tag(END);
        match (self.pre, self.post, self.dev) {
            (Some((rank, number)), ..) => {
                out.tag(rank);
                out.number(number);
            }
            (None, None, Some(_)) => out.tag(BEFORE_PRE),
            (None, ..) => out.tag(AFTER_PRE),
        }
        match self.post {
            Some(number) => {
                out.tag(POST);
                out.number(number);
            }
            None => out.tag(NO_POST),
        }
        match self.dev {
            Some(number) => {
                out.tag(DEV);
                out.number(number);
            }
            None => out.tag(NO_DEV),
        }
        self.write_local(out);
    }

    /// Text before numbers; a version without local part leaves open which one is meant.
    fn write_local(&self, out: &mut Writer) {
        out.release_ends();
        let Some(local) = self.local else {
            out.open_as_bound();
            return out.tag(END);
        };
        for part in local.split(['.', '-', '_']) {
            if part.bytes().all(|byte| byte.is_ascii_digit()) {
                out.tag(LOCAL_NUMBER);
                out.number(part);
            } else {
                out.tag(LOCAL_TEXT);
                out.text(part);
            }
        }
        out.tag(END);
    }
}

fn is_local(local: &str) -> bool {
    let mut parts = local.split(['.', '-', '_']);
    parts.all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// `1.2.3`, and what follows.
fn release(text: &str) -> Option<(Vec<&str>, &str)> {
    let (first, mut rest) = split_digits(text);
    if first.is_empty() {
        return None;
    }
    let mut parts = vec![first];
    while let Some(after) = rest.strip_prefix('.') {
        let (digits, after) = split_digits(after);
        if digits.is_empty() {
            break;
        }
        parts.push(digits);
        rest = after;
    }
    Some((parts, rest))
}

/// `[-_.]?word[-_.]?number`, and what follows; nothing at all where it does not stand.
fn segment<'a>(text: &'a str, words: &[(&str, u8)]) -> (Option<(u8, &'a str)>, &'a str) {
    let sign = |text: &'a str| text.strip_prefix(['-', '_', '.']).unwrap_or(text);
    let at = sign(text);
    let found = words.iter().find_map(|(word, rank)| Some((*rank, at.strip_prefix(word)?)));
    let Some((rank, rest)) = found else { return (None, text) };
    let (digits, after) = split_digits(sign(rest));
    (Some((rank, digits)), after)
}

/// `.post2`, or `-2`.
fn post(text: &str) -> (Option<&str>, &str) {
    let number = text.strip_prefix('-').map(split_digits);
    if let Some((digits, rest)) = number.filter(|(digits, _)| !digits.is_empty()) {
        return (Some(digits), rest);
    }
    let (found, rest) = segment(text, &POST_WORDS);
    (found.map(|(_, number)| number), rest)
}

/// The order of `setuptools` before PEP 440: digits, letters, `.` and `-` apart; numbers as text
/// of at least eight digits, words after a `*`, so that they stand before numbers.
fn legacy(text: &str, out: &mut Writer) {
    out.inexact();
    out.tag(LEGACY);
    let mut parts: Vec<String> = Vec::new();
    for part in legacy_parts(text) {
        if part.starts_with('*') {
            if part.as_str() < "*final" {
                while parts.last().is_some_and(|last| last == "*final-") {
                    parts.pop();
                }
            }
            while parts.last().is_some_and(|last| last == "00000000") {
                parts.pop();
            }
        }
        parts.push(part);
    }
    for part in parts {
        // `*` stands before every digit: so does its tag.
        let word = part.strip_prefix('*');
        out.tag(if word.is_some() { LEGACY_WORD } else { LEGACY_NUMBER });
        out.text(word.unwrap_or(&part));
    }
    out.tag(END);
}

fn legacy_parts(mut text: &str) -> Vec<String> {
    let mut parts = Vec::new();
    while let Some(first) = text.chars().next() {
        let run = |fits: fn(char) -> bool| text.find(|c| !fits(c)).unwrap_or(text.len());
        let is_other = |c: char| !c.is_ascii_alphanumeric() && c != '.' && c != '-';
        let end = match first {
            '.' | '-' => 1,
            '0'..='9' => run(|c| c.is_ascii_digit()),
            'a'..='z' => run(|c| c.is_ascii_lowercase()),
            _ => text.find(|c| !is_other(c)).unwrap_or(text.len()),
        };
        let (part, rest) = text.split_at(end);
        match part {
            "." => {}
            "-" => parts.push("*final-".to_owned()),
            "pre" | "preview" | "rc" => parts.push("*c".to_owned()),
            "dev" => parts.push("*@".to_owned()),
            _ if first.is_ascii_digit() => parts.push(format!("{part:0>8}")),
            _ => parts.push(format!("*{part}")),
        }
        text = rest;
    }
    parts.push("*final".to_owned());
    parts
}
