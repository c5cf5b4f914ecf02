//! Hashes by which texts are known again while a segment is read. None of them is ever stored.

/// Two products a step of 32 bytes: this runs over every byte that is read. Never zero.
#[inline]
pub(super) fn hash_of(text: &[u8]) -> u64 {
    let mut lanes = [text.len() as u64, 1];
    for step in text.as_chunks::<32>().0 {
        stir(&mut lanes, step.as_chunks::<8>().0);
    }
    stir(&mut lanes, &last_words(text));
    multiplied(lanes[0] ^ 0x2d35_8dcc_aa6c_78a5, lanes[1] ^ 0x8bb8_4b93_962e_acc9) | 1
}

/// The hash of a number.
#[inline]
pub(super) const fn hash_of_number(number: u64) -> u64 {
    multiplied(number ^ 0x2d35_8dcc_aa6c_78a5, 0x8bb8_4b93_962e_acc9) | 1
}

/// The half of a hash by which places are chosen: the last bit of the other half is always set, and
/// every second place would stay empty.
#[inline]
pub(super) const fn place_of(hash: u64) -> usize {
    (hash >> 32) as usize
}

/// The hash of a line, joined of those of four parts: before the first quote, up to the second, up
/// to the fifth, and what is left without the quote at its end. Whoever has looked at the request
/// and the user agent of an ordinary line has half of it.
pub(super) fn line_hash(line: &[u8]) -> u64 {
    let (mut parts, mut count, mut start, mut quotes) = ([0; 3], 0, 0, 0);
    for at in memchr::memchr_iter(b'"', line) {
        quotes += 1;
        if matches!(quotes, 1 | 2 | 5) {
            parts[count] = hash_of(&line[start..at]);
            (count, start) = (count + 1, at + 1);
        }
        if quotes == 5 {
            break;
        }
    }
    let rest = &line[start..];
    let whole = rest.strip_suffix(b"\"").filter(|_| quotes == 5);
    joined(parts, hash_of(whole.unwrap_or(rest)), whole.is_some())
}

/// Of the parts of a line, zero for those that it has not; `is_closed` when it ends with a quote
/// behind the fifth one.
#[inline]
pub(super) const fn joined(parts: [u64; 3], last: u64, is_closed: bool) -> u64 {
    let one = multiplied(parts[0] ^ 0xd6e8_feb8_6659_fd93, parts[1] ^ 0x9e37_79b9_7f4a_7c15);
    let other = multiplied(parts[2] ^ 0x8bb8_4b93_962e_acc9, last ^ 0x2d35_8dcc_aa6c_78a5);
    // Never zero.
    multiplied(one ^ is_closed as u64, other ^ 0xa076_1d64_78bd_642f) | 1
}

/// What is left behind the last whole step and, where there is as much, some of what was taken: no
/// bytes are copied one by one. The length tells apart what looks the same.
#[inline]
fn last_words(text: &[u8]) -> [[u8; 8]; 4] {
    let mut words = [[0; 8]; 4];
    if let (Some(first), Some(last)) = (text.first_chunk::<16>(), text.last_chunk::<16>()) {
        // Of a longer text the last 32 bytes, of a shorter one both of its ends.
        let before = text.last_chunk::<32>().and_then(|tail| tail.first_chunk::<16>());
        words[..2].copy_from_slice(before.unwrap_or(first).as_chunks::<8>().0);
        words[2..].copy_from_slice(last.as_chunks::<8>().0);
    } else if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        (words[0], words[1]) = (*first, *last);
    } else if let (Some(first), Some(last)) = (text.first_chunk::<4>(), text.last_chunk::<4>()) {
        words[0][..4].copy_from_slice(first);
        words[0][4..].copy_from_slice(last);
    } else if let (Some(first), Some(last)) = (text.first(), text.last()) {
        words[0][..3].copy_from_slice(&[*first, text[text.len() / 2], *last]);
    }
    words
}

#[inline]
fn stir(lanes: &mut [u64; 2], words: &[[u8; 8]]) {
    for (lane, pair) in lanes.iter_mut().zip(words.as_chunks::<2>().0) {
        let [a, b] = pair.map(u64::from_le_bytes);
        *lane = multiplied(*lane ^ a ^ 0x9e37_79b9_7f4a_7c15, b ^ 0xd6e8_feb8_6659_fd93);
    }
}

/// Both halves of a product.
#[inline]
const fn multiplied(a: u64, b: u64) -> u64 {
    let product = a as u128 * b as u128;
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use testkit::Rng;

    use super::*;

    /// A hash changes with each byte and with the length, whatever the length.
    #[test]
    fn every_byte_counts() {
        let mut rng = Rng::new(6);
        for length in 0..140 {
            let text: Vec<u8> = (0..length).map(|_| rng.below(256) as u8).collect();
            let mut hashes = BTreeSet::from([hash_of(&text)]);
            for at in 0..length {
                let mut other = text.clone();
                other[at] ^= 1 << rng.below(8);
                hashes.insert(hash_of(&other));
            }
            let longer = [&text[..], &[0]].concat();
            hashes.insert(hash_of(&longer));
            assert_eq!(hashes.len(), length + 2, "{length}");
            assert!(!hashes.contains(&0));
        }
    }

    #[test]
    fn where_the_quotes_stand_counts() {
        let lines = [
            "",
            "\"",
            "a",
            "a\"",
            "\"a",
            "a\"b",
            "ab\"",
            "\"ab",
            "a\"b\"",
            "\"a\"b",
            "\"\"",
            "\"\"\"\"\"a",
            "\"\"\"\"\"a\"",
            "\"\"\"\"a\"",
            "\"\"\"\"\"",
            "\"\"\"\"\"\"",
        ];
        let hashes: BTreeSet<u64> = lines.iter().map(|line| line_hash(line.as_bytes())).collect();
        assert_eq!(hashes.len(), lines.len());
    }
}
