//! Archives that unpack to themselves: real ones, byte for byte, made here.
//!
//! The construction is known: literal blocks `L(n)` that say the next n bytes, and repeats `R(n)`
//! that say the last n bytes again, in an order in which what was said is always what stands next
//! in the file. [`program`] says it step by step. What depends on the whole, the check sum, stands
//! in the file several times; CRC-32 is linear, so 32 equations give it.

use std::io::Read as _;

use flate2::Crc;

use crate::one;

/// A stored block of deflate (RFC 1951, 3.2.4): says the next `len` bytes.
fn literal(len: usize) -> Vec<u8> {
    let len = u16::try_from(len).unwrap();
    [&[0][..], &len.to_le_bytes(), &(!len).to_le_bytes()].concat()
}

/// Bits as deflate packs them.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    used: u32,
}

impl Bits {
    fn number(&mut self, value: usize, bits: u32) {
        for at in 0..bits {
            if self.used.is_multiple_of(8) {
                self.bytes.push(0);
            }
            *self.bytes.last_mut().unwrap() |= u8::from(value >> at & 1 == 1) << (self.used % 8);
            self.used += 1;
        }
    }

    /// A code of Huffman stands the other way round.
    fn code(&mut self, code: usize, bits: u32) {
        (0..bits).rev().for_each(|at| self.number(code >> at & 1, 1));
    }
}

/// Says the last `len` bytes again: one match in a block with the fixed codes, `empty` blocks of
/// nothing to make it longer, and an empty stored block that ends at a whole byte.
fn repeat(len: usize, empty: usize) -> Vec<u8> {
    assert!((11..=257).contains(&len), "{len}");
    let mut bits = Bits::default();
    let end = |bits: &mut Bits| bits.code(0, 7);
    bits.number(0b010, 3);
    // Lengths from 11 on: four codes for each number of further bits.
    let over = len - 3;
    let extra = over.ilog2() - 2;
    let code = 257 + 4 * extra as usize + (over >> extra);
    match code {
        ..280 => bits.code(code - 256, 7),
        _ => bits.code(code - 280 + 0b1100_0000, 8),
    }
    bits.number(over & ((1 << extra) - 1), extra);
    // Distances: two codes for each number of further bits.
    let over = len - 1;
    let extra = over.ilog2() - 1;
    bits.code(2 * extra as usize + (over >> extra), 5);
    bits.number(over & ((1 << extra) - 1), extra);
    end(&mut bits);
    for _ in 0..empty {
        bits.number(0b010, 3);
        end(&mut bits);
    }
    bits.number(0, 3);
    [bits.bytes, vec![0, 0, 0xff, 0xff]].concat()
}

/// A file that starts with `head` and ends with the bytes that `tail` makes for a length, if it
/// can, and whose deflated part unpacks to all of it.
fn program(head: &[u8], tail: impl Fn(usize) -> Option<Vec<u8>>) -> Vec<u8> {
    let again = head.len() + 5;
    let nothing = |count: usize| literal(0).repeat(count);
    // How often something of so many bytes fills what is left.
    let fills = |left: Option<usize>| left.filter(|left| left % 5 == 0).map(|left| left / 5);
    // One length must do for both long literals; blocks of nothing stretch either.
    let fitting = |(empty, len): (usize, usize)| {
        let (start, rest) = (repeat(again, empty / 8), repeat(len, empty % 8));
        let few = fills(len.checked_sub(start.len() + 15))?;
        let many = fills((len / 2).checked_sub(rest.len() + 5))?;
        let end = tail(len - rest.len())?;
        Some((start, rest, len, few, many, end))
    };
    let sizes = (0..64).flat_map(|empty| (80..=256).step_by(2).map(move |len| (empty, len)));
    let (start, rest, len, few, many, end) = sizes.into_iter().find_map(fitting).unwrap();
    let (l, l_start) = (literal(len), literal(start.len()));
    let round = [&rest[..], &nothing(many), &l].concat();
    [
        head,
        &literal(again),
        head,
        &literal(again),
        &start,
        &l_start,
        &start,
        &literal(5),
        &l_start,
        &nothing(few),
        &l,
        &[&start[..], &literal(5), &l_start, &nothing(few), &l].concat(),
        &rest,
        &nothing(many),
        &l,
        &round,
        &round,
        &rest,
        &nothing(many),
        &l,
        &rest,
        &end,
        &rest,
        &end,
    ]
    .concat()
}

fn crc_of(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// The check sum that is that of the file which holds it; `None` when there is none.
fn own_crc(file: impl Fn(u32) -> Vec<u8>) -> Option<u32> {
    let zero = crc_of(&file(0));
    // Row by row: which bits of the sum make which bit of (sum of the file, xor sum).
    let columns: Vec<u32> =
        (0..32).map(|bit| crc_of(&file(1 << bit)) ^ zero ^ (1 << bit)).collect();
    let row = |at: u32| {
        let bits = columns.iter().enumerate();
        bits.fold(0_u64, |row, (bit, column)| row | u64::from(column >> at & 1) << bit)
            | u64::from(zero >> at & 1) << 32
    };
    let mut rows: Vec<u64> = (0..32).map(row).collect();
    for bit in 0..32 {
        let pivot = (bit..32).find(|at| rows[*at] >> bit & 1 == 1)?;
        rows.swap(bit, pivot);
        for at in (0..32).filter(|at| *at != bit) {
            if rows[at] >> bit & 1 == 1 {
                rows[at] ^= rows[bit];
            }
        }
    }
    let crc = (0..32).fold(0, |crc, bit| crc | u32::from(rows[bit] >> 32 & 1 == 1) << bit);
    (crc_of(&file(crc)) == crc).then_some(crc)
}

/// The last block of deflate, which says nothing.
const LAST: [u8; 5] = [1, 0, 0, 0xff, 0xff];

/// A zip with one member, which is the zip.
pub(crate) fn zip_quine() -> Vec<u8> {
    let name = b"r.zip";
    let file = |crc: u32, size: usize, packed: usize, time: u16| {
        let fields = |time: u16| {
            let mut out = [&20_u16.to_le_bytes()[..], &[0, 0], &8_u16.to_le_bytes()].concat();
            out.extend(time.to_le_bytes());
            out.extend(0x21_u16.to_le_bytes());
            for field in [crc, packed as u32, size as u32] {
                out.extend(field.to_le_bytes());
            }
            out.extend([name.len() as u8, 0, 0, 0]);
            out
        };
        let head = [&b"PK\x03\x04"[..], &fields(time), name].concat();
        program(&head, |len| {
            let comment = len.checked_sub(LAST.len() + 46 + name.len() + 22)?;
            let central = [&b"PK\x01\x02\x14\0"[..], &fields(time), &[0; 14], name].concat();
            let mut out = [&LAST[..], &central].concat();
            out.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
            out.extend((central.len() as u32).to_le_bytes());
            out.extend(((30 + name.len() + packed) as u32).to_le_bytes());
            out.extend((comment as u16).to_le_bytes());
            out.resize(len, b'q');
            Some(out)
        })
    };
    let size = file(0, 0, 0, 0).len();
    let tail = {
        let whole = file(0, 0, 0, 0);
        let central = whole.windows(4).rposition(|at| at == b"PK\x01\x02").unwrap();
        whole.len() - central
    };
    let packed = size - tail - 30 - name.len();
    let solve = |time| own_crc(|crc| file(crc, size, packed, time)).map(|crc| (crc, time));
    let (crc, time) = (0..64).find_map(solve).unwrap();
    file(crc, size, packed, time)
}

/// A gzip stream that unpacks to itself.
fn gzip_quine() -> Vec<u8> {
    let file = |crc: u32, size: usize, time: u8| {
        // It names its file: without those bytes no lengths fit.
        let head = [0x1f, 0x8b, 8, 8, time, 0, 0, 0, 0, 0xff, b'r', 0];
        program(&head, |len| {
            let blocks = len.checked_sub(13).filter(|left| left % 5 == 0)? / 5;
            let mut out = literal(0).repeat(blocks);
            out.extend(LAST);
            out.extend(crc.to_le_bytes());
            out.extend((size as u32).to_le_bytes());
            Some(out)
        })
    };
    let size = file(0, 0, 0).len();
    let solve = |time| own_crc(|crc| file(crc, size, time)).map(|crc| (crc, time));
    let (crc, time) = (0..64).find_map(solve).unwrap();
    file(crc, size, time)
}

#[test]
fn a_zip_that_unpacks_to_itself_is_a_loop() {
    let quine = zip_quine();
    let mut unpacked = Vec::new();
    flate2::read::DeflateDecoder::new(&quine[35..]).read_to_end(&mut unpacked).unwrap();
    assert_eq!(unpacked, quine, "the sample is no quine");
    assert_eq!(one("q.jar", &quine), "flaw archive-loop q.jar!/r.zip\n");
}

#[test]
fn a_stream_that_unpacks_to_itself_is_a_loop() {
    let quine = gzip_quine();
    let unpacked = relight_formats::limited::gunzip(&quine, 1 << 16).unwrap();
    assert_eq!(unpacked, quine, "the sample is no quine");
    assert_eq!(one("q.gz", &quine), "flaw archive-loop q.gz!/q\n");
}
