//! Whole blocks of raw lines of which none can hold an attempt, told in one pass over the bytes.
//!
//! Nearly all lines of a log are harmless, and nearly all of the cost of an attempt scan is telling
//! so. Bytes that may begin something are looked for in pieces of a fixed length, which a compiler
//! turns into a few instructions for as many bytes as the processor takes at once; only what it
//! finds is looked at closely.

use fearless_simd::dispatch;
use memchr::{memchr_iter, memrchr};

use crate::prefilter::{is_suspicious, may_begin};
use crate::simd::SIMD;

/// Bytes that are looked at in one go: fewer than 256, so that a count of them fits in a byte.
const PIECE: usize = 128;

/// Bytes behind a piece that are looked at with it: `ic ` begins on its last byte.
const BEHIND: usize = 2;

/// What a pass over bytes saw.
struct Seen {
    /// The first place at which something may begin.
    trace: Option<usize>,
    /// Line feeds before the end of the piece with the trace, or all.
    lines: u64,
}

/// False proves that no field of the line, in whatever format, holds an attempt. A line that is
/// not UTF-8 may hold one.
pub fn may_hold_attempt(line: &[u8]) -> bool {
    seen(line).trace.is_some()
}

/// How many bytes at the start of a block are whole lines that hold no attempt, and how many
/// lines these are. What follows the last line feed is no whole line yet.
pub fn harmless_lines(block: &[u8]) -> (usize, u64) {
    let starts = |bytes: &[u8]| memrchr(b'\n', bytes).map_or(0, |at| at + 1);
    let whole = &block[..starts(block)];
    match seen(whole) {
        Seen { trace: None, lines } => (whole.len(), lines),
        Seen { trace: Some(at), .. } => {
            let harmless = &whole[..starts(&whole[..at])];
            (harmless.len(), memchr_iter(b'\n', harmless).count() as u64)
        }
    }
}

fn seen(bytes: &[u8]) -> Seen {
    dispatch!(*SIMD, _ => look(bytes))
}

#[inline(always)]
fn look(bytes: &[u8]) -> Seen {
    let mut seen = Seen { trace: None, lines: 0 };
    let mut is_ascii = true;
    let mut at = 0;
    while at < bytes.len() && seen.trace.is_none() {
        let last;
        let piece = match bytes.get(at..at + PIECE + BEHIND) {
            Some(piece) => piece,
            None => {
                last = padded(&bytes[at..]);
                &last
            }
        };
        let told = Piece::look(piece);
        seen.lines += u64::from(told.lines);
        is_ascii &= told.is_ascii;
        if told.is_hot && is_hotter(piece) {
            let places = at..bytes.len().min(at + PIECE);
            seen.trace = places.into_iter().find(|at| is_trace(bytes, *at));
        }
        at += PIECE;
    }
    if !is_ascii {
        let before = &bytes[..seen.trace.unwrap_or(bytes.len())];
        let broken = str::from_utf8(before).err().map(|error| error.valid_up_to());
        seen.trace = broken.or(seen.trace);
    }
    seen
}

/// The last bytes and zeros, which begin nothing.
fn padded(rest: &[u8]) -> [u8; PIECE + BEHIND] {
    let mut padded = [0; PIECE + BEHIND];
    let length = rest.len().min(padded.len());
    padded[..length].copy_from_slice(&rest[..length]);
    padded
}

/// What [`PIECE`] bytes hold.
struct Piece {
    lines: u8,
    is_ascii: bool,
    /// Something may begin here.
    is_hot: bool,
}

impl Piece {
    /// Looks at the first [`PIECE`] of the bytes.
    #[inline(always)]
    fn look(bytes: &[u8]) -> Self {
        let (mut lines, mut hot, mut all) = (0, 0, 0);
        for (first, second, third) in triples(bytes) {
            lines += u8::from(first == b'\n');
            all |= first;
            // `$`, `%` and `&` follow one another.
            let starts = (first.wrapping_sub(b'$') <= b'&' - b'$') | (first == b'\\');
            hot |= u8::from(starts | is_basic(first, second, third));
        }
        Self { lines, is_ascii: all < 0x80, is_hot: hot != 0 }
    }
}

/// Whether something may begin in a piece of which one byte alone said so: a query of several
/// parts holds `&` and nothing that matters.
#[inline(always)]
fn is_hotter(piece: &[u8]) -> bool {
    let mut hot = 0;
    for (first, second, third) in triples(piece) {
        let written = (first == b'$') & (second == b'#');
        let starts = may_begin(first, second) | written;
        hot |= u8::from(starts | is_basic(first, second, third));
    }
    hot != 0
}

/// The first [`PIECE`] of the bytes, each with the two behind it.
#[inline(always)]
fn triples(bytes: &[u8]) -> impl Iterator<Item = (u8, u8, u8)> {
    let triples = bytes.iter().zip(&bytes[1..]).zip(&bytes[BEHIND..]).take(PIECE);
    triples.map(|((&first, &second), &third)| (first, second, third))
}

/// The end of `Basic `, which hides what follows it.
#[inline(always)]
fn is_basic(first: u8, second: u8, third: u8) -> bool {
    (first | 0x20 == b'i') & (second | 0x20 == b'c') & (third == b' ')
}

/// Something that the decoders could make a lookup of begins at this place.
fn is_trace(bytes: &[u8], at: usize) -> bool {
    let rest = &bytes[at..];
    match rest {
        // HAProxy alone writes a brace as `#7B`; what `Basic` hides is packed.
        [b'$', b'#', ..] => true,
        [b'$' | b'%' | b'\\' | b'&', ..] => is_suspicious(rest),
        [b'i' | b'I', ..] => {
            let word = at.checked_sub(2).and_then(|start| bytes.get(start..at + 3));
            word.is_some_and(|word| word.eq_ignore_ascii_case(b"asic "))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use testkit::Rng;

    use super::*;
    use crate::prefilter::may_hold_lookup;

    /// The same question, asked of one line in the plainest way.
    fn plainly(line: &[u8]) -> bool {
        let holds =
            |word: &[u8]| line.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word));
        let lookup = str::from_utf8(line).map_or(true, may_hold_lookup);
        lookup || holds(b"$#") || holds(b"asic ")
    }

    /// Goal: the quick look and the plain one say the same, wherever pieces end. Method: lines of
    /// parts that matter and of others, of all lengths, from one seed.
    #[test]
    fn blocks_and_single_lines_are_told_alike() {
        const PARTS: [&[u8]; 20] = [
            b"$",
            b"{",
            b"%",
            b"24",
            b"25",
            b"\\",
            b"&",
            b"u",
            b"#",
            b"amp;",
            b"Basic ",
            b"asic",
            b" ",
            b"ic ",
            b"ASIC ",
            "é".as_bytes(),
            b"\xff",
            b"Mac OS X",
            b"/articles/7",
            b"\r",
        ];
        let mut rng = Rng::new(0xb10c);
        let (mut harmless, mut others) = (0, 0);
        for round in 0..4_000 {
            let mut block = Vec::new();
            let (mut bytes, mut lines, mut met) = (0, 0, false);
            for _ in 0..rng.below(12) {
                let start = block.len();
                block.extend(std::iter::repeat_n(b'x', rng.below(140)));
                for _ in 0..rng.below(3) {
                    let parts: &[&[u8]] = if rng.below(6) == 0 { &PARTS } else { &[b"abc/"] };
                    let part = *rng.pick(parts);
                    block.extend_from_slice(part);
                }
                let line = &block[start..];
                assert_eq!(may_hold_attempt(line), plainly(line), "{round}: {line:?}");
                met |= plainly(line);
                block.push(b'\n');
                if !met {
                    (bytes, lines) = (block.len(), lines + 1);
                }
            }
            block.extend(std::iter::repeat_n(b'y', rng.below(3)));
            assert_eq!(harmless_lines(&block), (bytes, lines), "{round}");
            harmless += lines;
            others += u64::from(met);
        }
        assert!(harmless > 5_000 && others > 500, "{harmless}, {others}");
    }

    /// Goal: no place in a piece is blind. Method: one trace, at every place of two pieces.
    #[test]
    fn a_trace_is_seen_wherever_it_stands() {
        for trace in ["${", "$#", "%24", "\\u", "&#", "bAsIc ", "\u{0}%%25"] {
            for at in 0..2 * PIECE + BEHIND {
                let line = "x".repeat(at) + trace;
                assert!(may_hold_attempt(line.as_bytes()), "{trace} at {at}");
                let block = format!("one\n{line}\nthree\n");
                assert_eq!(harmless_lines(block.as_bytes()), (4, 1), "{trace} at {at}");
            }
        }
    }

    #[test]
    fn only_whole_lines_are_harmless() {
        assert_eq!(harmless_lines(b""), (0, 0));
        assert_eq!(harmless_lines(b"no end"), (0, 0));
        assert_eq!(harmless_lines(b"\n\n a"), (2, 2));
    }
}
