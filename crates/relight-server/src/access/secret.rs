//! Random bits, seals made with a key of this life of the server, and base64url (RFC 4648, 5).

use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};

use crate::ServerError;

/// Bytes of a seal: 128 bits cannot be guessed within the life of a server.
const SEAL_BYTES: usize = 16;

/// Random bytes of the system.
///
/// # Errors
/// The system gives none.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], ServerError> {
    let mut bytes = [0; N];
    match SystemRandom::new().fill(&mut bytes) {
        Ok(()) => Ok(bytes),
        Err(_) => Err(ServerError::new("the system gives no random numbers")),
    }
}

/// A key that never leaves the process.
pub(crate) struct Secret(hmac::Key);

impl Secret {
    /// A new key.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub(crate) fn random() -> Result<Self, ServerError> {
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &random::<32>()?)))
    }

    /// The seal of some bytes for one use; nobody else can make it.
    pub(crate) fn seal(&self, purpose: &str, bytes: &[u8]) -> [u8; SEAL_BYTES] {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(&(purpose.len() as u64).to_be_bytes());
        context.update(purpose.as_bytes());
        context.update(bytes);
        let mut seal = [0; SEAL_BYTES];
        seal.copy_from_slice(&context.sign().as_ref()[..SEAL_BYTES]);
        seal
    }

    /// The seal under a mask that is another one each time: compressed beside text that somebody
    /// else chose, a text that stays the same could be guessed letter by letter (BREACH).
    pub(crate) fn masked(&self, purpose: &str, bytes: &[u8]) -> String {
        // Without random numbers nothing is accepted: the token then fits no seal.
        let Ok(mask) = random::<SEAL_BYTES>() else { return String::new() };
        let mut token = mask.to_vec();
        token.extend(self.seal(purpose, bytes).iter().zip(mask).map(|(byte, mask)| byte ^ mask));
        encode(&token)
    }

    /// Whether a text is the seal under any mask.
    pub(crate) fn is_masked(&self, purpose: &str, bytes: &[u8], token: &str) -> bool {
        let Some(token) = decode(token).filter(|token| token.len() == 2 * SEAL_BYTES) else {
            return false;
        };
        let (mask, masked) = token.split_at(SEAL_BYTES);
        let seal: Vec<u8> = masked.iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect();
        is_equal(&seal, &self.seal(purpose, bytes))
    }
}

/// Whether two texts are equal, in a time that does not tell where they differ.
pub(crate) fn is_equal(a: &[u8], b: &[u8]) -> bool {
    let differing = a.iter().zip(b).fold(0, |differing, (a, b)| differing | (a ^ b));
    a.len() == b.len() && std::hint::black_box(differing) == 0
}

const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Base64url without padding.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk
            .iter()
            .enumerate()
            .fold(0, |group, (at, byte)| group | usize::from(*byte) << (16 - 8 * at));
        let signs = (0..=chunk.len()).map(|at| char::from(SIGNS[group >> (18 - 6 * at) & 63]));
        text.extend(signs);
    }
    text
}

/// Base64 with padding, for headers (RFC 4648, 4).
pub(crate) fn encode_padded(bytes: &[u8]) -> String {
    let text = encode(bytes).replace('-', "+").replace('_', "/");
    let padding = "=".repeat((4 - text.len() % 4) % 4);
    format!("{text}{padding}")
}

/// The bytes of a base64url text without padding; `None` when it is none, or not the only one for
/// its bytes.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    for chunk in text.as_bytes().chunks(4) {
        let mut group = 0;
        for (at, sign) in chunk.iter().enumerate() {
            let value = SIGNS.iter().position(|known| known == sign)?;
            group |= value << (18 - 6 * at);
        }
        bytes.extend(group.to_be_bytes()[5..].iter().take(chunk.len() - 1));
    }
    (text.len() % 4 != 1 && encode(&bytes) == text).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use testkit::Rng;

    use super::*;

    #[test]
    fn base64url_of_the_standard() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg"),
            ("fo", "Zm8"),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg"),
            ("fooba", "Zm9vYmE"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(encode(bytes.as_bytes()), text);
            assert_eq!(decode(text).unwrap(), bytes.as_bytes());
        }
        assert_eq!(encode(&[0xfb, 0xff]), "-_8");
        assert_eq!(encode_padded(&[0xfb, 0xff]), "+/8=");
        assert_eq!(encode_padded(b"fooba"), "Zm9vYmE=");
        assert_eq!((encode_padded(b"f"), encode_padded(b"foo")), ("Zg==".into(), "Zm9v".into()));
        for bad in ["Z", "Zg==", "Zh", "Zm9=", "Zm9 v", "Zm+v", "Zm/v", "Zm9vZ", "é"] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }

    #[test]
    fn any_bytes_are_read_back() {
        let seed = 7;
        let mut rng = Rng::new(seed);
        for _ in 0..500 {
            let bytes: Vec<u8> = (0..rng.below(70)).map(|_| rng.next() as u8).collect();
            assert_eq!(decode(&encode(&bytes)), Some(bytes), "seed {seed}");
        }
    }

    #[test]
    fn a_masked_seal_is_another_text_each_time_and_fits_one_use_only() {
        let secret = Secret::random().unwrap();
        let [a, b] = [0; 2].map(|_| secret.masked("form", b"session"));
        assert_ne!(a, b);
        for token in [&a, &b] {
            assert!(secret.is_masked("form", b"session", token));
            assert!(!secret.is_masked("other", b"session", token));
            assert!(!secret.is_masked("form", b"another", token));
            assert!(!Secret::random().unwrap().is_masked("form", b"session", token));
            assert!(!secret.is_masked("form", b"session", &token[1..]));
        }
        for bad in ["", "A", &"A".repeat(43), "é"] {
            assert!(!secret.is_masked("form", b"session", bad), "{bad}");
        }
        // The length of a use is sealed as well: no two pairs run into each other.
        assert_ne!(secret.seal("ab", b"c"), secret.seal("a", b"bc"));
    }

    #[test]
    fn equal_is_equal() {
        assert!(is_equal(b"", b"") && is_equal(b"abc", b"abc"));
        assert!(!is_equal(b"abc", b"abd") && !is_equal(b"abc", b"ab") && !is_equal(b"ab", b"abc"));
    }
}
