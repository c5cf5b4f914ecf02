//! The text of a code: a secret that is good for one enrolment, and by which key the agent knows
//! the server. So nobody has to hand out a certificate, and nobody in between is believed.

use crate::ServerError;
use crate::access::secret::random;

/// Random bytes of a code: 80 bits, of which a stranger tries five a minute for ten minutes.
const SECRET_BYTES: usize = 10;

/// Bytes of the digest of the server's key: 120 bits, and nobody looks for one of two keys.
pub(crate) const PIN_BYTES: usize = 15;

/// Signs of one group of the text.
const GROUP: usize = 4;

/// Letters and digits that nobody takes for each other (Crockford's base 32).
const SIGNS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A code.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Code {
    /// What the server keeps the digest of.
    pub(crate) secret: [u8; SECRET_BYTES],
    /// The key of the server.
    pub(crate) pin: [u8; PIN_BYTES],
}

impl Code {
    /// A new one, for a server with this key.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub(crate) fn new(pin: [u8; PIN_BYTES]) -> Result<Self, ServerError> {
        Ok(Self { secret: random()?, pin })
    }

    /// The text in groups of four.
    pub(crate) fn text(&self) -> String {
        let bytes = [&self.secret[..], &self.pin[..]].concat();
        let mut text = String::new();
        for (at, five) in bytes.chunks(5).enumerate() {
            let group = five.iter().fold(0, |group, byte| group << 8 | u64::from(*byte));
            for sign in 0..8 {
                if sign % GROUP == 0 && (at, sign) != (0, 0) {
                    text.push('-');
                }
                let value = group >> (35 - 5 * sign) & 31;
                text.push(char::from(SIGNS[value as usize]));
            }
        }
        text
    }

    /// Reads a text, however it is spaced; O is zero, I and L are one. `None` when it is no code.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let signs = text.chars().filter(|sign| !sign.is_whitespace() && *sign != '-');
        let values: Vec<u64> = signs.map(value_of).collect::<Option<_>>()?;
        if values.len() != (SECRET_BYTES + PIN_BYTES) * 8 / 5 {
            return None;
        }
        let mut bytes = Vec::with_capacity(SECRET_BYTES + PIN_BYTES);
        for eight in values.chunks(8) {
            let group = eight.iter().fold(0, |group, value| group << 5 | value);
            bytes.extend_from_slice(&group.to_be_bytes()[3..]);
        }
        let (secret, pin) = bytes.split_first_chunk::<SECRET_BYTES>()?;
        Some(Self { secret: *secret, pin: pin.try_into().ok()? })
    }
}

fn value_of(sign: char) -> Option<u64> {
    let sign = match sign.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        sign => sign,
    };
    SIGNS.iter().position(|known| char::from(*known) == sign).map(|at| at as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_back_however_it_was_typed() {
        let mut code = Code { secret: [0; SECRET_BYTES], pin: [0; PIN_BYTES] };
        for (at, byte) in code.secret.iter_mut().chain(&mut code.pin).enumerate() {
            *byte = (at * 73 + 5) as u8;
        }
        let text = code.text();
        assert_eq!((text.len(), text.split('-').count()), (49, 10), "{text}");
        assert!(text.split('-').all(|group| group.len() == GROUP), "{text}");
        let typed = text.to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l");
        assert!(Code::parse(&text) == Some(code) && Code::parse(&typed) == Some(code));
        for bad in ["", "4KF9", &text[1..], &format!("{text}A"), &text.replace('-', "_")] {
            assert!(Code::parse(bad).is_none(), "{bad}");
        }
        let other = if text.starts_with('2') { "3" } else { "2" };
        let other = Code::parse(&format!("{other}{}", &text[1..]));
        assert!(other.is_some_and(|other| other.secret != code.secret && other.pin == code.pin));
    }

    #[test]
    fn no_code_is_made_twice() {
        let pin = [1; PIN_BYTES];
        let [a, b] = [Code::new(pin).unwrap(), Code::new(pin).unwrap()];
        assert!(a.secret != b.secret && a.text()[..19] != b.text()[..19]);
    }
}
