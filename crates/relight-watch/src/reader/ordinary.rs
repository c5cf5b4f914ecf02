//! The ordinary line of a combined log: one shape, split in one pass.
//!
//! Whatever has another shape is left to the parsers; what is split here is what they would give.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use relight_model::Timestamp;

use crate::parsers::{CLF_BYTES, clf};

/// Most digits of a number of bytes that cannot overflow.
const DIGITS_MAX: usize = 18;

/// The fields of a line of ASCII without user and without anything behind the user agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ordinary<'a> {
    pub(super) source: Address,
    pub(super) stamp: &'a [u8; CLF_BYTES],
    /// Begins with a slash.
    pub(super) path: &'a [u8],
    pub(super) query: &'a [u8],
    pub(super) status: u16,
    pub(super) referer: &'a [u8],
    pub(super) agent: &'a [u8],
}

/// An address as two plain numbers: to hand one around as the standard library has it, a byte and
/// then others, costs more than to read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Address {
    bits: u128,
    is_v4: bool,
}

impl Address {
    fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(v4) => Self { bits: u128::from(u32::from(v4)), is_v4: true },
            IpAddr::V6(v6) => Self { bits: u128::from(v6), is_v4: false },
        }
    }

    /// As the standard library has it.
    pub(super) fn ip(self) -> IpAddr {
        match self {
            Self { bits, is_v4: true } => IpAddr::V4(Ipv4Addr::from(bits as u32)),
            Self { bits, is_v4: false } => IpAddr::V6(Ipv6Addr::from(bits)),
        }
    }
}

/// What stands between the six quotes of a line of ASCII in which no backslash stands; one blank
/// alone is between the fourth and the fifth, and nothing behind the sixth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Quoted<'a> {
    pub(super) head: &'a [u8],
    pub(super) request: &'a [u8],
    pub(super) middle: &'a [u8],
    pub(super) referer: &'a [u8],
    pub(super) agent: &'a [u8],
}

impl<'a> Quoted<'a> {
    pub(super) fn of(line: &'a [u8]) -> Option<Self> {
        let (head, rest) = until(b'"', line)?;
        let (request, rest) = until(b'"', rest)?;
        let (middle, rest) = until(b'"', rest)?;
        let (referer, rest) = until(b'"', rest)?;
        let agent = rest.strip_prefix(b" \"")?.strip_suffix(b"\"")?;
        let is_whole = memchr::memchr(b'"', agent).is_none();
        is_whole.then_some(Self { head, request, middle, referer, agent })
    }

    /// Its fields.
    pub(super) fn split(&self) -> Option<Ordinary<'a>> {
        let Self { head, request, middle, referer, agent } = *self;
        let (address, rest) = head.split_last_chunk::<{ CLF_BYTES + 8 }>()?;
        let (open, rest) = rest.split_first_chunk::<6>()?;
        let (stamp, close) = rest.split_first_chunk::<CLF_BYTES>()?;
        if open != b" - - [" || close != b"] " {
            return None;
        }
        let source = match head.first_chunk() {
            Some(start) => v4(start, address.len()).or_else(|| other(address))?,
            None => return None,
        };
        let target = target_of(request)?;
        let (path, query) = until(b'?', target).unwrap_or((target, b""));
        let status = split_middle(middle)?;
        Some(Ordinary { source, stamp, path, query, status, referer, agent })
    }
}

/// ` 200 1234 ` or ` 200 - ` to the status; how many bytes were sent tells nothing about anybody.
fn split_middle(middle: &[u8]) -> Option<u16> {
    let (status, rest) = digits(middle.strip_prefix(b" ")?)?;
    let is_number = |rest| digits(rest).is_some_and(|(_, rest)| rest.is_empty());
    let status = u16::try_from(status).ok().filter(|status| *status < 1_000);
    status.filter(|_| rest == b"- " || is_number(rest))
}

/// `GET /path HTTP/1.1` to its target.
fn target_of(request: &[u8]) -> Option<&[u8]> {
    let end = match request.last_chunk() {
        // Most end like this.
        Some(b" HTTP/1.1" | b" HTTP/2.0" | b" HTTP/1.0") => request.len() - 9,
        _ => request.iter().rposition(|byte| *byte == b' ')?,
    };
    let is_word = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'-';
    let method = request.iter().position(|byte| !is_word(byte))?;
    let is_ordinary = request[end + 1..].starts_with(b"HTTP/")
        && method > 0
        && request[method] == b' '
        && request.get(method + 1..end)?.first() == Some(&b'/');
    is_ordinary.then(|| &request[method + 1..end])
}

/// What stands before a byte and what stands behind it.
fn until(byte: u8, text: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = memchr::memchr(byte, text)?;
    Some((&text[..at], &text[at + 1..]))
}

/// A number and what follows the blank behind it.
fn digits(text: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0;
    for (at, byte) in text.iter().take(DIGITS_MAX + 1).enumerate() {
        match byte {
            b'0'..=b'9' => number = number * 10 + u64::from(byte - b'0'),
            b' ' if at > 0 => return Some((number, &text[at + 1..])),
            _ => return None,
        }
    }
    None
}

/// The address of version 4 that the first bytes are, as the standard library reads it: four
/// numbers of one to three digits without a zero in front. Whether a digit comes next cannot be
/// foretold, so nothing here depends on a jump but that it is such an address.
fn v4(start: &[u8; 16], length: usize) -> Option<Address> {
    if !(7..=15).contains(&length) {
        return None;
    }
    let text = u128::from_le_bytes(*start) & ((1 << (8 * length)) - 1);
    let (mut dots, mut from, mut address, mut is_address) = (dots(text), 0, 0, true);
    for _ in 0..4 {
        // Behind the last one nothing is set, and the text ends.
        let end = (dots.trailing_zeros() / 8).min(length as u32);
        dots &= dots.wrapping_sub(1);
        let digits = end.wrapping_sub(from);
        let (octet, is_number) = octet((text >> (8 * from.min(15))) as u32, digits);
        is_address &= is_number;
        address = address << 8 | octet;
        from = end + 1;
    }
    // The fourth number ended where the text does, and no dot is left.
    (is_address && dots == 0 && from == length as u32 + 1)
        .then(|| Address { bits: u128::from(address), is_v4: true })
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

#[cold]
fn other(address: &[u8]) -> Option<Address> {
    let address = str::from_utf8(address).ok()?.parse::<IpAddr>().ok()?;
    Some(Address::of(address.to_canonical()))
}

/// The moment of a stamp of the common log format. Lines follow one another within a minute.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Clock {
    /// Date, hour and minute as they are written, the zone, and when that minute began.
    minute: Option<([u8; 18], [u8; 6], Timestamp)>,
}

impl Clock {
    /// As the parsers read it.
    pub(super) fn moment(&mut self, stamp: &[u8; CLF_BYTES]) -> Option<Timestamp> {
        let (minute, rest) = stamp.split_first_chunk::<18>()?;
        let (&[tens, ones], zone) = rest.split_first_chunk::<2>()?;
        let zone: [u8; 6] = zone.try_into().ok()?;
        let second = tens.is_ascii_digit() && ones.is_ascii_digit();
        let second = second.then(|| i64::from(tens - b'0') * 10 + i64::from(ones - b'0'))?;
        if let Some((known, of, begins)) = &self.minute
            && known == minute
            && *of == zone
        {
            return (second <= 60).then_some(begins + second);
        }
        let at = clf(str::from_utf8(stamp).ok()?)?;
        self.minute = Some((*minute, zone, at - second));
        Some(at)
    }
}

#[cfg(test)]
mod tests {
    use testkit::Rng;

    use super::*;

    fn split(line: &str) -> Option<Ordinary<'_>> {
        Quoted::of(line.as_bytes())?.split()
    }

    fn address(text: &str) -> Option<IpAddr> {
        let line =
            format!("{text} - - [10/Dec/2021:02:05:58 +0000] \"GET / HTTP/1.1\" 200 1 \"-\" \"-\"");
        split(&line).map(|ordinary| ordinary.source.ip())
    }

    #[test]
    fn addresses_are_those_of_the_standard_library() {
        let mut rng = Rng::new(4);
        let parts = [
            "0", "1", "01", "255", "256", "99", "192", "", "1000", "a", " 1", "1 ", "+1", "00",
            "09", "100", "199", "300", "1/", ":1", "12/", "000",
        ];
        let mut read = 0;
        for _ in 0..60_000 {
            let count = if rng.chance(90) { 4 } else { 3 + rng.below(3) };
            let mut pick =
                || if rng.chance(80) { parts[0..7][rng.below(7)] } else { rng.pick(&parts) };
            let text = (0..count).map(|_| pick()).collect::<Vec<_>>().join(".");
            let plain = text.parse::<IpAddr>().ok();
            assert_eq!(address(&text), plain, "{text}");
            read += usize::from(plain.is_some());
        }
        assert!(read > 8_000, "{read}");
        for number in 0..=1_000 {
            for text in
                [format!("{number}.1.2.3"), format!("1.2.{number}.3"), format!("1.2.3.{number}")]
            {
                assert_eq!(address(&text), text.parse().ok(), "{text}");
            }
        }
        for text in ["::1", "2001:db8::9", "::ffff:192.0.2.1", "192.0.2.1:80", "x", "", "1.2.3"] {
            let plain = text.parse::<IpAddr>().ok().map(|address| address.to_canonical());
            assert_eq!(address(text), plain, "{text}");
        }
    }

    #[test]
    fn moments_are_those_of_the_parsers() {
        let mut rng = Rng::new(5);
        let mut clock = Clock::default();
        let mut read = 0;
        for _ in 0..20_000 {
            let (minute, second) = (rng.below(61), rng.below(62));
            let day = *rng.pick(&["28/Feb/2021", "29/Feb/2021", "10/Dec/2021"]);
            let zone = *rng.pick(&["+0000", "-0500", "+000x", "*0000"]);
            let stamp = format!("{day}:02:{minute:02}:{second:02} {zone}");
            let bytes = stamp.as_bytes().try_into().unwrap();
            assert_eq!(clock.moment(bytes), clf(&stamp), "{stamp}");
            read += usize::from(clf(&stamp).is_some());
        }
        assert!(read > 5_000, "{read}");
        assert_eq!(Clock::default().moment(&[0; CLF_BYTES]), None);
        assert_eq!(Clock::default().moment(&[0xc3; CLF_BYTES]), None);
    }

    #[test]
    fn only_the_ordinary_shape_is_split() {
        let line = |request: &str, tail: &str| {
            format!("192.0.2.1 - - [10/Dec/2021:02:05:58 +0000] \"{request}\" {tail}")
        };
        let tail = "200 12 \"-\" \"curl/8\"";
        let whole = line("GET /a b?c HTTP/1.1", tail);
        let ordinary = split(&whole).unwrap();
        let text = |field: &[u8]| str::from_utf8(field).unwrap().to_owned();
        assert_eq!([ordinary.path, ordinary.query].map(text), ["/a b", "c"]);
        assert_eq!(ordinary.status, 200);
        assert_eq!([ordinary.referer, ordinary.agent].map(text), ["-", "curl/8"]);
        let split = |line: &str| split(line).map(|it| it.status);
        assert_eq!(split(&line("GET / HTTP/2", "304 - \"\" \"\"")), Some(304));
        for request in [
            "-",
            "",
            "GET",
            "GET /",
            "GET / FTP/1",
            "G3T / HTTP/1.1",
            "GET  HTTP/1.1",
            "GET a HTTP/1.1",
            " / HTTP/1.1",
            "GET HTTP/1.1",
        ] {
            assert_eq!(split(&line(request, tail)), None, "{request}");
        }
        let many = format!("200 {} \"-\" \"-\"", "9".repeat(DIGITS_MAX + 1));
        for tail in [
            "200 12 \"-\" \"curl/8\" x",
            "200 12 \"-\"",
            "-1 12 \"-\" \"-\"",
            "1000 12 \"-\" \"-\"",
            "200 \"-\" \"-\"",
            "200 12 \"-\" \"-\" ",
            "200  1 \"-\" \"-\"",
            &many,
        ] {
            assert_eq!(split(&line("GET / HTTP/1.1", tail)), None, "{tail}");
        }
    }
}
