//! Where lines end and quotes stand in a stretch of log, and which lines hold a byte that may
//! matter: one pass over the bytes, as many at a time as the processor takes.

use fearless_simd::{Simd, SimdBase as _, SimdMask as _, dispatch, u8x64};

use crate::simd::SIMD;

/// Quotes of an ordinary line.
pub(super) const QUOTES: usize = 6;

/// Bytes of which masks are made together, one bit each.
const BLOCK: usize = 64;

/// One line; all places count from the start of the stretch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) start: usize,
    /// Where its line feed stands, or the end of the stretch.
    pub(super) end: usize,
    /// Its first quotes.
    pub(super) quotes: [u32; QUOTES],
    /// How many it has, in all.
    pub(super) count: u32,
    /// It holds a byte with which an escape or a lookup may begin, or one that is not ASCII.
    pub(super) is_odd: bool,
}

/// Puts the lines of a stretch in the place of those that were there. The last one needs no end.
pub(super) fn outline(bytes: &[u8], lines: &mut Vec<Line>) {
    dispatch!(*SIMD, simd => outline_with(simd, bytes, lines));
}

#[inline(always)]
fn outline_with<S: Simd>(simd: S, bytes: &[u8], lines: &mut Vec<Line>) {
    lines.clear();
    let mut open = Line::default();
    let (blocks, rest) = bytes.as_chunks::<BLOCK>();
    for (number, block) in blocks.iter().enumerate() {
        open.go_through(number * BLOCK, &Masks::of(simd, block), lines);
    }
    // What fills the last block is nothing that is looked for.
    let mut last = [0; BLOCK];
    last[..rest.len()].copy_from_slice(rest);
    open.go_through(blocks.len() * BLOCK, &Masks::of(simd, &last), lines);
    if open.start < bytes.len() {
        lines.push(Line { end: bytes.len(), ..open });
    }
}

impl Line {
    /// Adds what a block holds; lines that end in it are whole.
    #[inline(always)]
    fn go_through(&mut self, from: usize, masks: &Masks, lines: &mut Vec<Self>) {
        let Masks { mut quotes, mut ends, mut odd } = *masks;
        while ends != 0 {
            let end = ends.trailing_zeros();
            let before = (1 << end) - 1;
            self.add(from, quotes & before, odd & before);
            lines.push(Self { end: from + end as usize, ..*self });
            *self = Self { start: from + end as usize + 1, ..Self::default() };
            (quotes, odd, ends) = (quotes & !before, odd & !before, ends & (ends - 1));
        }
        self.add(from, quotes, odd);
    }

    #[inline(always)]
    fn add(&mut self, from: usize, mut quotes: u64, odd: u64) {
        self.is_odd |= odd != 0;
        while quotes != 0 {
            let at = from + quotes.trailing_zeros() as usize;
            if let Some(quote) = self.quotes.get_mut(self.count as usize) {
                // A stretch is far shorter than four thousand million bytes, or its lines are odd.
                *quote = at as u32;
            }
            self.count = self.count.saturating_add(1);
            quotes &= quotes - 1;
        }
    }
}

/// One bit for each byte of a block, the first byte in the lowest.
struct Masks {
    quotes: u64,
    ends: u64,
    odd: u64,
}

impl Masks {
    #[inline(always)]
    fn of<S: Simd>(simd: S, block: &[u8; BLOCK]) -> Self {
        let bytes = u8x64::from_slice(simd, block);
        let is = |byte: u8| bytes.simd_eq(u8x64::splat(simd, byte));
        // `$`, `%` and `&` follow one another.
        let starts = (bytes - u8x64::splat(simd, b'$')).simd_le(u8x64::splat(simd, 2));
        let above_ascii = bytes.simd_ge(u8x64::splat(simd, 0x80));
        let odd = starts | is(b'\\') | above_ascii;
        Self { quotes: is(b'"').to_bitmask(), ends: is(b'\n').to_bitmask(), odd: odd.to_bitmask() }
    }
}

#[cfg(test)]
mod tests {
    use testkit::Rng;

    use super::*;

    /// The same, byte by byte.
    fn plainly(bytes: &[u8]) -> Vec<Line> {
        let mut lines = Vec::new();
        let mut start = 0;
        while start < bytes.len() {
            let end = bytes[start..].iter().position(|byte| *byte == b'\n');
            let end = end.map_or(bytes.len(), |length| start + length);
            let mut line = Line { start, end, ..Line::default() };
            for (at, byte) in (start..end).zip(bytes[start..end].iter().copied()) {
                match byte {
                    b'"' => {
                        if (line.count as usize) < QUOTES {
                            line.quotes[line.count as usize] = at as u32;
                        }
                        line.count += 1;
                    }
                    b'$' | b'%' | b'&' | b'\\' | 0x80.. => line.is_odd = true,
                    _ => {}
                }
            }
            lines.push(line);
            start = end + 1;
        }
        lines
    }

    /// Every byte, at every place of two blocks.
    #[test]
    fn each_byte_is_what_it_is_wherever_it_stands() {
        let mut lines = Vec::new();
        for byte in 0..=u8::MAX {
            for at in 0..2 * BLOCK {
                let mut bytes = [b'a'; 2 * BLOCK + 7];
                bytes[at] = byte;
                outline(&bytes, &mut lines);
                assert_eq!(lines, plainly(&bytes), "{byte} at {at}");
            }
        }
    }

    #[test]
    fn lines_of_all_lengths() {
        let mut rng = Rng::new(0x07_11e5);
        let mut lines = vec![Line::default()];
        let (mut seen, mut odd) = (0, 0);
        for round in 0..3_000 {
            let mut bytes = Vec::new();
            for _ in 0..rng.below(400) {
                let quiet = [b'a', b' ', b'"', b'\n', b'#', b'\'', b'#', b'['];
                let byte =
                    if rng.below(90) == 0 { rng.below(256) as u8 } else { *rng.pick(&quiet) };
                bytes.extend(std::iter::repeat_n(byte, 1 + rng.below(3)));
            }
            outline(&bytes, &mut lines);
            assert_eq!(lines, plainly(&bytes), "{round}");
            seen += lines.iter().filter(|line| line.count as usize == QUOTES).count();
            odd += lines.iter().filter(|line| line.is_odd).count();
        }
        assert!(seen > 500 && odd > 500, "{seen} {odd}");
    }
}
