//! Path classes: paths that differ only in numbers, case and spelling are one door.

use std::borrow::Cow;

use crate::decode::decoded;

/// The path with its escapes undone and `//`, `/./` collapsed; borrowed when nothing changes.
pub(crate) fn normalised(path: &str) -> Cow<'_, str> {
    let bytes = path.as_bytes();
    let escaped = memchr::memchr2(b'%', b'\\', bytes).is_some();
    let doubled = bytes.windows(2).any(|pair| pair == b"//" || pair == b"/.");
    if !escaped && !doubled {
        return Cow::Borrowed(path);
    }
    let decoded = if escaped { Cow::Owned(decoded(path)) } else { Cow::Borrowed(path) };
    let mut out = String::with_capacity(decoded.len());
    let segments = decoded.split('/').filter(|segment| !segment.is_empty() && *segment != ".");
    for segment in segments {
        out.push('/');
        out.push_str(segment);
    }
    if out.is_empty() || decoded.ends_with('/') {
        out.push('/');
    }
    Cow::Owned(out)
}

/// The hash of the class of a (normalised) path: letters without case, numbers and identifiers
/// (hexadecimal words of four or more with a digit) all alike. The same everywhere, so that
/// organisations can compare.
pub(crate) fn hash(path: &str) -> u64 {
    let mut state = Hasher::new();
    let bytes = path.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let end = bytes[at..]
            .iter()
            .position(|byte| !byte.is_ascii_alphanumeric())
            .map_or(bytes.len(), |length| at + length);
        let word = &bytes[at..end];
        if is_number(word) {
            state.byte(b'#');
        } else {
            word.iter().for_each(|byte| state.byte(byte.to_ascii_lowercase()));
        }
        if let Some(&separator) = bytes.get(end) {
            state.byte(separator);
        }
        at = end + 1;
    }
    state.finish()
}

/// The hash of a text as it stands: what differs in a number is another callback.
pub(crate) fn exact_hash(text: &str) -> u64 {
    let mut state = Hasher::new();
    text.bytes().for_each(|byte| state.byte(byte));
    state.finish()
}

/// The hash of any text, eight bytes at a time: for long ones that are hashed often.
pub(crate) fn text_hash(text: &str) -> u64 {
    let (words, rest) = text.as_bytes().as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let mut state = folded(text.len() as u64);
    for word in words.iter().chain([&last]) {
        state = folded(state ^ u64::from_le_bytes(*word));
    }
    state
}

/// Both halves of a product: every bit of the input reaches every bit of the result.
const fn folded(state: u64) -> u64 {
    let wide = (state ^ 0xcbf2_9ce4_8422_2325) as u128 * 0x9e37_79b9_7f4a_7c15;
    (wide >> 64) as u64 ^ wide as u64
}

fn is_number(word: &[u8]) -> bool {
    let digits = word.iter().filter(|byte| byte.is_ascii_digit()).count();
    digits > 0
        && (digits == word.len()
            || word.len() >= 4 && word.iter().all(|byte| byte.is_ascii_hexdigit()))
}

/// The prime of FNV-1a.
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// FNV-1a of 64 bits with a final mix: short inputs, no key, equal on every machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hasher(u64);

impl Hasher {
    /// The start value of FNV-1a.
    pub(crate) const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// Takes one byte.
    pub(crate) const fn byte(&mut self, byte: u8) {
        self.0 = (self.0 ^ byte as u64).wrapping_mul(PRIME);
    }

    /// Takes a number, little-endian.
    pub(crate) fn number(&mut self, number: u64) {
        let [a, b, c, d, upper @ ..] = number.to_le_bytes();
        [a, b, c, d].into_iter().for_each(|byte| self.byte(byte));
        if upper == [0; 4] {
            // Most numbers end here: a zero is one multiplication, four are one too.
            self.0 = self.0.wrapping_mul(PRIME.wrapping_pow(4));
        } else {
            upper.into_iter().for_each(|byte| self.byte(byte));
        }
    }

    /// The hash: FNV alone leaves the high bits of short inputs almost equal.
    pub(crate) const fn finish(self) -> u64 {
        let mixed = (self.0 ^ (self.0 >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
        mixed ^ (mixed >> 32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_door_one_class() {
        for (one, other) in [
            ("/News/2021/12", "/news/1999/1"),
            ("/a/550e8400-e29b-41d4-a716-446655440000", "/a/67e55044-10b1-426f-9247-bb680e5fe0c8"),
            ("/item-7.html", "/item-8123.html"),
        ] {
            assert_eq!(hash(one), hash(other), "{one} {other}");
        }
        for (one, other) in [("/a", "/b"), ("/a/1", "/a"), ("/", ""), ("/owa", "/owa/")] {
            assert_ne!(hash(one), hash(other), "{one} {other}");
        }
    }

    #[test]
    fn spellings_of_one_path() {
        for (path, plain) in [
            ("/.env", "/.env"),
            ("//.env", "/.env"),
            ("/./.env", "/.env"),
            ("/%2eenv", "/.env"),
            ("/%252eenv", "/.env"),
            ("/a//b/./", "/a/b/"),
            ("//", "/"),
            ("", ""),
        ] {
            assert_eq!(normalised(path), plain, "{path}");
        }
        assert!(matches!(normalised("/plain/path.html"), Cow::Borrowed(_)));
    }
}
