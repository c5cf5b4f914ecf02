//! The decoders: what a web server, a framework or a template may undo before a text is logged,
//! and what the log itself did to it.

use relight_model::Escape;

/// Undoes the log's own escaping, once.
pub(crate) fn undo(text: &str, escape: Escape) -> Vec<u8> {
    match escape {
        Escape::None => text.as_bytes().to_vec(),
        Escape::Apache | Escape::Nginx => undo_log_escape(text),
        Escape::Json => undo_json(text),
        Escape::Percent => undo_pairs(text, b'%'),
        Escape::Hash => undo_pairs(text, b'#'),
    }
}

/// `sHH` after the sign `s`.
fn undo_pairs(text: &str, sign: u8) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let (byte, taken) = match &bytes[at..] {
            [first, high, low, ..] if *first == sign => {
                hex_pair(*high, *low).map_or((sign, 1), |byte| (byte, 3))
            }
            rest => (rest[0], 1),
        };
        out.push(byte);
        at += taken;
    }
    out
}

/// The escapes of a JSON string. A high surrogate takes the low one that follows it.
fn undo_json(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let simple = match &bytes[at..] {
            [b'\\', b'"', ..] => Some(b'"'),
            [b'\\', b'\\', ..] => Some(b'\\'),
            [b'\\', b'/', ..] => Some(b'/'),
            [b'\\', b'b', ..] => Some(8),
            [b'\\', b'f', ..] => Some(12),
            [b'\\', b'n', ..] => Some(b'\n'),
            [b'\\', b'r', ..] => Some(b'\r'),
            [b'\\', b't', ..] => Some(b'\t'),
            _ => None,
        };
        if let Some(byte) = simple {
            out.push(byte);
            at += 2;
        } else if let Some((value, taken)) = json_number(&bytes[at..]) {
            value.append_to(&mut out);
            at += taken;
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    out
}

/// `\uHHHH`, in pairs where it is a surrogate, or `\xHH`.
fn json_number(rest: &[u8]) -> Option<(Value, usize)> {
    match rest {
        [b'\\', b'x', high, low, ..] => Some((Value::Byte(hex_pair(*high, *low)?), 4)),
        [b'\\', b'u', digits @ ..] => {
            let first = number(digits.get(..4)?, 16)?;
            let second = digits.get(4..).and_then(|rest| rest.strip_prefix(b"\\u"));
            let second = second.and_then(|rest| number(rest.get(..4)?, 16));
            match (first, second) {
                (0xd800..=0xdbff, Some(second @ 0xdc00..=0xdfff)) => {
                    let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                    Some((Value::Char(code), 12))
                }
                _ => Some((Value::Char(first), 6)),
            }
        }
        _ => None,
    }
}

/// Undoes Apache's and nginx's escaping, once: `\"`, `\\`, `\xhh` and the control letters.
/// Anything else after a backslash was not written by the log and stays.
pub(super) fn undo_log_escape(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let (byte, taken) = match &bytes[at..] {
            [b'\\', b'"', ..] => (b'"', 2),
            [b'\\', b'\\', ..] => (b'\\', 2),
            [b'\\', b'n', ..] => (b'\n', 2),
            [b'\\', b'r', ..] => (b'\r', 2),
            [b'\\', b't', ..] => (b'\t', 2),
            [b'\\', b'x', high, low, ..] => match hex_pair(*high, *low) {
                Some(byte) => (byte, 4),
                None => (b'\\', 1),
            },
            rest => (rest[0], 1),
        };
        out.push(byte);
        at += taken;
    }
    out
}

/// One round: left to right, every decoder at once, each escape once.
pub(super) fn decode(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let found = match rest[0] {
            b'%' => percent(&rest[1..]),
            b'\\' => backslash(&rest[1..]),
            b'&' => ampersand(&rest[1..]),
            _ => None,
        };
        match found {
            Some((value, taken)) => {
                value.append_to(&mut out);
                at += 1 + taken;
            }
            None => {
                out.push(rest[0]);
                at += 1;
            }
        }
    }
    out
}

/// What an escape stands for.
enum Value {
    Byte(u8),
    Char(u32),
}

impl Value {
    fn append_to(self, out: &mut Vec<u8>) {
        match self {
            Self::Byte(byte) => out.push(byte),
            // A lone surrogate is no character; the replacement keeps its place.
            Self::Char(code) => {
                let char = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
                out.extend(char.encode_utf8(&mut [0; 4]).bytes());
            }
        }
    }
}

/// `HH` or `uHHHH` after a percent sign.
fn percent(rest: &[u8]) -> Option<(Value, usize)> {
    match rest {
        [b'u' | b'U', digits @ ..] => Some((Value::Char(number(digits.get(..4)?, 16)?), 5)),
        [high, low, ..] => Some((Value::Byte(hex_pair(*high, *low)?), 2)),
        _ => None,
    }
}

/// `uHHHH` (any number of `u`), `xHH` or `ooo` (000 to 377) after a backslash.
fn backslash(rest: &[u8]) -> Option<(Value, usize)> {
    match rest {
        [b'u' | b'U', ..] => {
            let letters = rest.iter().take_while(|byte| matches!(byte, b'u' | b'U')).count();
            let digits = rest.get(letters..letters + 4)?;
            Some((Value::Char(number(digits, 16)?), letters + 4))
        }
        [b'x' | b'X', high, low, ..] => Some((Value::Byte(hex_pair(*high, *low)?), 3)),
        [b'0'..=b'3', ..] => {
            let value = number(rest.get(..3)?, 8)?;
            Some((Value::Byte(u8::try_from(value).ok()?), 3))
        }
        _ => None,
    }
}

/// Character references of HTML by name; names in any case.
const NAMES: [(&[u8], u8); 11] = [
    (b"dollar;", b'$'),
    (b"lbrace;", b'{'),
    (b"lcub;", b'{'),
    (b"rbrace;", b'}'),
    (b"rcub;", b'}'),
    (b"colon;", b':'),
    (b"amp;", b'&'),
    (b"sol;", b'/'),
    (b"num;", b'#'),
    (b"percnt;", b'%'),
    (b"bsol;", b'\\'),
];

/// `#N`, `#xH` (semicolon optional, leading zeros) or a name after an ampersand.
fn ampersand(rest: &[u8]) -> Option<(Value, usize)> {
    let (radix, start) = match rest {
        [b'#', b'x' | b'X', ..] => (16, 2),
        [b'#', ..] => (10, 1),
        _ => {
            let is_name = |name: &[u8]| {
                rest.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
            };
            let (name, byte) = NAMES.iter().find(|(name, _)| is_name(name))?;
            return Some((Value::Byte(*byte), name.len()));
        }
    };
    let digits = rest[start..].iter().take_while(|byte| char::from(**byte).is_digit(radix)).count();
    let code = number(&rest[start..start + digits], radix)?;
    let end = start + digits;
    let semicolon = usize::from(rest.get(end) == Some(&b';'));
    (code <= u32::from(char::MAX)).then_some((Value::Char(code), end + semicolon))
}

/// A number of at least one digit; `None` for anything else or more than 32 bits.
fn number(digits: &[u8], radix: u32) -> Option<u32> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u32, |value, byte| {
        value.checked_mul(radix)?.checked_add(char::from(*byte).to_digit(radix)?)
    })
}

fn hex_pair(high: u8, low: u8) -> Option<u8> {
    let value = char::from(high).to_digit(16)? * 16 + char::from(low).to_digit(16)?;
    u8::try_from(value).ok()
}

/// Base64 (RFC 4648, both alphabets, padding optional); `None` when it is not.
pub(crate) fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let text = text.trim_ascii();
    let text = text.strip_suffix(b"==").or(text.strip_suffix(b"=")).unwrap_or(text);
    if text.len() % 4 == 1 {
        return None;
    }
    let mut out = Vec::with_capacity(text.len() * 3 / 4);
    for group in text.chunks(4) {
        let mut bits = 0_u32;
        for byte in group {
            let value = match byte {
                b'A'..=b'Z' => byte - b'A',
                b'a'..=b'z' => byte - b'a' + 26,
                b'0'..=b'9' => byte - b'0' + 52,
                b'+' | b'-' => 62,
                b'/' | b'_' => 63,
                _ => return None,
            };
            bits = bits << 6 | u32::from(value);
        }
        bits <<= 6 * (4 - group.len());
        out.extend(&bits.to_be_bytes()[1..group.len()]);
    }
    Some(out)
}
