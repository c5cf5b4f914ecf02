//! Debian: `[epoch:]upstream[-revision]`, by the algorithm of `deb-version(7)`.

use super::split_digits;
use crate::key::Writer;

/// Ends a run of characters, and a part: after `~`, before any letter.
const END: u8 = 0x02;

/// Refuses what `dpkg` refuses: an epoch that is no number, an empty upstream part, and characters
/// that no version may have. A missing epoch is 0, a missing revision compares as `0` and leaves
/// open which one is meant.
pub(super) fn write(text: &str, out: &mut Writer) -> Option<()> {
    let (epoch, rest) = text.split_once(':').unwrap_or(("0", text));
    let (upstream, revision) = match rest.rsplit_once('-') {
        Some((upstream, revision)) => (upstream, Some(revision)),
        None => (rest, None),
    };
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".+-~:_".contains(&byte);
    let is_epoch = !epoch.is_empty() && epoch.bytes().all(|byte| byte.is_ascii_digit());
    if !is_epoch || upstream.is_empty() || !rest.bytes().all(allowed) {
        return None;
    }
    out.number(epoch);
    part(upstream, out);
    out.release_ends();
    if revision.is_none() {
        out.open();
    }
    part(revision.unwrap_or_default(), out);
    Some(())
}

/// Non-digits and digits in turn, at least one pair of them: nothing is worth as much as a 0.
fn part(mut part: &str, out: &mut Writer) {
    loop {
        let end = part.find(|c: char| c.is_ascii_digit()).unwrap_or(part.len());
        let (text, rest) = part.split_at(end);
        let (digits, rest) = split_digits(rest);
        text.bytes().for_each(|byte| out.tag(weight(byte)));
        out.tag(END);
        out.number(digits);
        if rest.is_empty() {
            return out.tag(END);
        }
        part = rest;
    }
}

/// `~` before the end of the text, letters after it, everything else after the letters.
const fn weight(byte: u8) -> u8 {
    match byte {
        b'~' => 0x01,
        _ if byte.is_ascii_alphabetic() => byte,
        _ => byte | 0x80,
    }
}
