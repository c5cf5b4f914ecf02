//! Who asks, from the text at the start of a line.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::contact::subject;

/// Who asks, as one number: a text that may be an address of version 4, with its length in the
/// highest byte, or who is judged for another address, with a mark there that is no such length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Source(u128);

/// What is in the highest byte of what is no text.
const V6: u128 = 1;
const V4: u128 = 2;

/// Bytes of an address of version 4.
const V4_BYTES: std::ops::RangeInclusive<usize> = 7..=15;

impl Source {
    /// Of the text at the start of a line.
    #[inline]
    pub(super) fn of(head: &[u8], text: &[u8]) -> Option<Self> {
        match head.first_chunk::<16>() {
            // One of version 6 has a colon behind four digits at most.
            Some(start) if V4_BYTES.contains(&text.len()) && !start[..5].contains(&b':') => {
                let mask = (1 << (8 * text.len())) - 1;
                Some(Self(u128::from_le_bytes(*start) & mask | (text.len() as u128) << 120))
            }
            _ => Self::other(text),
        }
    }

    #[cold]
    fn other(text: &[u8]) -> Option<Self> {
        Some(match subject(str::from_utf8(text).ok()?.parse().ok()?) {
            IpAddr::V4(v4) => Self(V4 << 120 | u128::from(u32::from(v4))),
            IpAddr::V6(v6) => Self(V6 << 120 | u128::from(v6) >> 64),
        })
    }

    /// A number that no other address has, and no text that is none; zero when it has none.
    #[inline]
    pub(super) const fn key(self) -> u64 {
        match self.0 >> 120 {
            // Others than these are used inside networks only, or nowhere.
            V6 => match self.0 as u64 {
                prefix if prefix >> 60 < *V4_BYTES.start() as u64 => prefix,
                _ => 0,
            },
            V4 => packed(written(self.0 as u32)),
            _ => packed(self.0),
        }
    }

    /// Who is judged, if it is an address at all.
    pub(super) fn subject(self) -> Option<IpAddr> {
        let plain = match self.0 >> 120 {
            V6 => return Some(IpAddr::V6(Ipv6Addr::from(self.0 << 64))),
            V4 => self.0 as u32,
            length => v4(self.0 & u128::MAX >> 8, length as u32)?,
        };
        Some(IpAddr::V4(Ipv4Addr::from(plain)))
    }
}

/// The address of version 4 that this text is, as the standard library reads it: four numbers of
/// one to three digits without a zero in front. Whether a digit comes next cannot be foretold, so
/// nothing here depends on a jump but that it is such an address.
fn v4(text: u128, length: u32) -> Option<u32> {
    let (mut dots, mut from, mut address, mut is_address) = (dots(text), 0, 0, true);
    for _ in 0..4 {
        // Behind the last one nothing is set, and the text ends.
        let end = (dots.trailing_zeros() / 8).min(length);
        dots &= dots.wrapping_sub(1);
        let digits = end.wrapping_sub(from);
        let (octet, is_number) = octet((text >> (8 * from.min(15))) as u32, digits);
        is_address &= is_number;
        address = address << 8 | octet;
        from = end + 1;
    }
    // The fourth number ended where the text does, and no dot is left.
    (is_address && dots == 0 && from == length + 1).then_some(address)
}

/// An address of version 4 as a text with its length in the highest byte.
#[cold]
const fn written(v4: u32) -> u128 {
    let (octets, mut text, mut length, mut at) = (v4.to_be_bytes(), 0, 0, 0);
    while at < octets.len() {
        let (octet, digits) =
            (octets[at], [octets[at] / 100, octets[at] / 10 % 10, octets[at] % 10]);
        let mut digit = if octet < 10 { 2 } else { (octet < 100) as usize };
        if at > 0 {
            text |= (b'.' as u128) << (8 * length);
            length += 1;
        }
        while digit < digits.len() {
            text |= ((b'0' + digits[digit]) as u128) << (8 * length);
            (digit, length) = (digit + 1, length + 1);
        }
        at += 1;
    }
    text | (length as u128) << 120
}

/// A text of digits and dots with its length in the highest byte, each byte as four bits; zero when
/// there is another byte in it.
const fn packed(text: u128) -> u64 {
    const HIGH: u128 = u128::from_le_bytes([0x80; 16]);
    let length = (text >> 120) as u32;
    let all = u128::MAX >> (8 * (16 - length));
    // A dot is as far from zero as no digit is.
    let values = (text ^ u128::from_le_bytes([b'0'; 16])) & all;
    let dots = dots(text) >> 7;
    let digits = values & !(dots * 0xff);
    let others = (digits | (digits + u128::from_le_bytes([0x76; 16]))) & HIGH;
    if others != 0 {
        return 0;
    }
    let [low, high] = [values as u64, (values >> 64) as u64];
    nibbles(low) | nibbles(high) << 32 | (length as u64) << 60
}

/// The lower halves of eight bytes.
const fn nibbles(bytes: u64) -> u64 {
    let halves = bytes & 0x0f0f_0f0f_0f0f_0f0f;
    let pairs = (halves | halves >> 4) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs | pairs >> 8) & 0x0000_ffff_0000_ffff;
    (fours | fours >> 16) & 0xffff_ffff
}

/// The highest bit of each byte that is a dot.
const fn dots(text: u128) -> u128 {
    const LOW: u128 = u128::from_le_bytes([0x7f; 16]);
    let other = text ^ u128::from_le_bytes([b'.'; 16]);
    !(((other & LOW) + LOW) | other | LOW)
}

/// A number of one to three digits from the first bytes, and whether it is one below 256.
const fn octet(text: u32, digits: u32) -> (u32, bool) {
    let is_short = digits.wrapping_sub(1) < 3;
    // The last digit becomes the third byte, whatever comes before it.
    let shift = 8 * (3_u32.wrapping_sub(digits) & 3);
    let text = (text << shift) & 0x00ff_ffff;
    let [hundreds, tens, ones, _] = (text ^ (0x0030_3030 << shift & 0x00ff_ffff)).to_le_bytes();
    let number = hundreds as u32 * 100 + tens as u32 * 10 + ones as u32;
    let are_digits = hundreds < 10 && tens < 10 && ones < 10;
    let is_plain = digits == 1 || digits == 2 && tens > 0 || digits == 3 && hundreds > 0;
    (number, is_short && are_digits && is_plain && number < 256)
}

#[cfg(test)]
mod tests {
    use testkit::Rng;

    use super::*;

    /// Goal: two addresses have the same key only when both are judged as the same, and what has a
    /// key is an address or a text of digits and dots. Method: texts that are alike.
    #[test]
    fn no_two_addresses_have_the_same_key() {
        let key = |text: &str| {
            let head = format!("{text} - - [10/Dec/2021:02:05:58 +0000] ");
            Source::of(head.as_bytes(), text.as_bytes()).map(Source::key)
        };
        let mut rng = Rng::new(9);
        let mut texts = std::collections::BTreeMap::new();
        for _ in 0..40_000 {
            let length = 7 + rng.below(9);
            let text: String = (0..length).map(|_| *rng.pick(b"0011.9/:2e") as char).collect();
            let known = key(&text).filter(|key| *key != 0);
            if text.bytes().all(|byte| byte == b'.' || byte.is_ascii_digit()) {
                let of = texts.entry(known.unwrap()).or_insert_with(|| text.clone());
                assert_eq!(*of, text);
            } else if !text[..5].contains(':') {
                assert_eq!(known, None, "{text}");
            }
        }
        assert!(texts.len() > 1_000, "{}", texts.len());
        for plain in ["1.2.3.4", "10.20.30.40", "255.0.100.9", "203.0.113.255"] {
            assert_eq!(key(&format!("::ffff:{plain}")), key(plain), "{plain}");
        }
        assert_eq!(key("2001:db8::1"), Some(0x2001_0db8_0000_0000));
        assert_eq!(key("2001:db8::2"), key("2001:db8::1"), "of one network");
        assert_eq!(["fd00::1", "::1"].map(key), [Some(0); 2]);
    }
}
