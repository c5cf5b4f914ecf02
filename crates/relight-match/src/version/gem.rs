//! Ruby: `Gem::Version`. Segments of digits or letters; letters mean a pre-release.

use super::split_digits;
use crate::key::Writer;

/// What may stand at one place, in ascending order. Where a version has ended Ruby reads zeros, so
/// a run of zeros is told apart by what comes after it: a word makes it smaller than the end, a
/// number greater.
const WORD: u8 = 1;
const ZEROS_THEN_WORD: u8 = 2;
const END: u8 = 3;
const ZEROS_THEN_NUMBER: u8 = 4;
const NUMBER: u8 = 5;

/// Refuses what `Gem::Version.correct?` refuses.
pub(super) fn write(text: &str, out: &mut Writer) -> Option<()> {
    if !is_correct(text) {
        return None;
    }
    let text = text.replace('-', ".pre.");
    let segments = canonical(segments(&text));
    let mut zeros: u16 = 0;
    for segment in segments {
        let is_word = segment.starts_with(|c: char| c.is_ascii_alphabetic());
        if is_zero(segment) {
            zeros += 1;
            continue;
        }
        match (zeros, is_word) {
            (0, _) => {}
            (_, true) => {
                out.tag(ZEROS_THEN_WORD);
                zeros.to_be_bytes().into_iter().for_each(|byte| out.tag(byte));
            }
            (_, false) => {
                out.tag(ZEROS_THEN_NUMBER);
                (!zeros).to_be_bytes().into_iter().for_each(|byte| out.tag(byte));
            }
        }
        zeros = 0;
        if is_word {
            out.tag(WORD);
            out.text(segment);
        } else {
            out.tag(NUMBER);
            out.number(segment);
        }
    }
    out.tag(END);
    Some(())
}

/// `[0-9]+(\.[0-9a-zA-Z]+)*(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?`
fn is_correct(text: &str) -> bool {
    let (release, pre) = text.split_once('-').map_or((text, None), |(a, b)| (a, Some(b)));
    let mut parts = release.split('.');
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let word = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let first = parts.next().unwrap_or_default();
    // Ruby splits `1beta` into `1` and `beta` wherever it stands, so the first part may hold it.
    let is_first = first.starts_with(|c: char| c.is_ascii_digit());
    is_first
        && (digits(first) || word(first))
        && parts.all(word)
        && pre.is_none_or(|pre| pre.split('.').all(word))
}

fn segments(mut text: &str) -> Vec<&str> {
    let mut segments = Vec::new();
    while let Some(first) = text.chars().next() {
        let end = if first.is_ascii_digit() {
            split_digits(text).0.len()
        } else if first.is_ascii_alphabetic() {
            text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len())
        } else {
            text = &text[first.len_utf8()..];
            continue;
        };
        segments.push(&text[..end]);
        text = &text[end..];
    }
    segments
}

/// Drops the zeros before the first word and those at the end.
fn canonical(segments: Vec<&str>) -> Vec<&str> {
    let is_word = |segment: &&str| segment.starts_with(|c: char| c.is_ascii_alphabetic());
    let first = segments.iter().position(is_word).unwrap_or(segments.len());
    let (release, pre) = segments.split_at(first);
    let trimmed = |part: &[&str]| {
        part.iter().rposition(|segment| !is_zero(segment)).map_or(0, |last| last + 1)
    };
    [&release[..trimmed(release)], &pre[..trimmed(pre)]].concat()
}

fn is_zero(segment: &str) -> bool {
    segment.bytes().all(|byte| byte == b'0')
}
