//! RPM: `[epoch:]version[-release]`, each part by `rpmvercmp` of RPM 4.18 with `~` and `^`.

use super::split_digits;
use crate::key::Writer;

/// What may stand at one place of a part, in ascending order.
const TILDE: u8 = 1;
const END: u8 = 2;
const CARET: u8 = 3;
const LETTERS: u8 = 4;
const NUMBER: u8 = 5;

/// A missing release stands below every release, and leaves open which one is meant.
const NO_RELEASE: u8 = 0;
const WITH_RELEASE: u8 = 1;

/// Takes every text. An epoch is digits before `:`; anything else before it is part of the version.
pub(super) fn write(text: &str, out: &mut Writer) {
    let (digits, rest) = split_digits(text);
    let (epoch, rest) = match rest.strip_prefix(':') {
        Some(rest) => (digits, rest),
        None => ("0", text),
    };
    out.number(epoch);
    let (version, release) = match rest.rsplit_once('-') {
        Some((version, release)) => (version, Some(release)),
        None => (rest, None),
    };
    part(version, out);
    out.release_ends();
    match release {
        None => {
            out.open();
            out.tag(NO_RELEASE);
        }
        Some(release) => {
            out.tag(WITH_RELEASE);
            part(release, out);
        }
    }
}

/// Runs of digits and of letters, `~` and `^`; every other character only separates.
fn part(mut text: &str, out: &mut Writer) {
    while let Some(first) = text.chars().next() {
        let (run, rest) = match first {
            '~' | '^' => text.split_at(1),
            _ if first.is_ascii_digit() => split_digits(text),
            _ if first.is_ascii_alphabetic() => split_letters(text),
            _ => text.split_at(first.len_utf8()),
        };
        match first {
            '~' => out.tag(TILDE),
            '^' => out.tag(CARET),
            _ if first.is_ascii_digit() => {
                out.tag(NUMBER);
                out.number(run);
            }
            _ if first.is_ascii_alphabetic() => {
                out.tag(LETTERS);
                out.text(run);
            }
            _ => {}
        }
        text = rest;
    }
    out.tag(END);
}

fn split_letters(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
    text.split_at(end)
}
