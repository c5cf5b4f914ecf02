//! Versions of nobody's rules: numbers and words. The order is a guess and never clears anything.

use super::split_digits;
use crate::key::Writer;

/// Words stand before the end of a version (they are mostly pre-releases), numbers after it.
const WORD: u8 = 1;
const END: u8 = 2;
const NUMBER: u8 = 3;

/// Takes every text.
pub(super) fn write(text: &str, out: &mut Writer) {
    out.inexact();
    let lower = text.to_ascii_lowercase();
    let mut rest = lower.strip_prefix('v').unwrap_or(&lower);
    while let Some(first) = rest.chars().next() {
        if first.is_ascii_digit() {
            let (digits, after) = split_digits(rest);
            out.tag(NUMBER);
            out.number(digits);
            rest = after;
        } else if first.is_alphabetic() {
            let end = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
            out.tag(WORD);
            out.text(&rest[..end]);
            rest = &rest[end..];
        } else {
            rest = &rest[first.len_utf8()..];
        }
    }
    out.tag(END);
}
