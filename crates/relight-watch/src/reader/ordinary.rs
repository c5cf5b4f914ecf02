//! The ordinary line of a combined log: one shape, split in one pass.
//!
//! Whatever has another shape is left to the parsers; what is split here is what they would give.

use std::net::{IpAddr, Ipv4Addr};

use relight_model::Timestamp;

use crate::parsers::{CLF_BYTES, clf};

/// Most digits of a number of bytes that cannot overflow.
const DIGITS_MAX: usize = 18;

/// The fields of a line of ASCII without user and without anything behind the user agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ordinary<'a> {
    pub(super) source: IpAddr,
    pub(super) stamp: &'a [u8; CLF_BYTES],
    pub(super) method: &'a [u8],
    /// Begins with a slash.
    pub(super) path: &'a [u8],
    pub(super) query: &'a [u8],
    pub(super) status: u16,
    pub(super) bytes_out: u64,
    pub(super) referer: &'a [u8],
    pub(super) agent: &'a [u8],
}

/// Splits a line of ASCII in which no backslash stands.
pub(super) fn split(line: &[u8]) -> Option<Ordinary<'_>> {
    let (source, rest) = leading_address(line)?;
    let (open, rest) = rest.split_first_chunk::<6>()?;
    let (stamp, rest) = rest.split_first_chunk::<CLF_BYTES>()?;
    let (close, rest) = rest.split_first_chunk::<3>()?;
    if open != b" - - [" || close != b"] \"" {
        return None;
    }
    let (request, rest) = until(b'"', rest)?;
    let (method, target) = split_request(request)?;
    let (path, query) = until(b'?', target).unwrap_or((target, b""));
    let (status, rest) = digits(rest.strip_prefix(b" ")?)?;
    let (bytes_out, rest) = match rest.strip_prefix(b"- ") {
        Some(rest) => (0, rest),
        None => digits(rest)?,
    };
    let (referer, rest) = until(b'"', rest.strip_prefix(b"\"")?)?;
    let agent = rest.strip_prefix(b" \"")?.strip_suffix(b"\"")?;
    let status = u16::try_from(status).ok().filter(|status| *status < 1_000)?;
    let is_whole = memchr::memchr(b'"', agent).is_none();
    let fields = Ordinary { source, stamp, method, path, query, status, bytes_out, referer, agent };
    is_whole.then_some(fields)
}

/// `GET /path HTTP/1.1` to method and target.
fn split_request(request: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = request.iter().rposition(|byte| *byte == b' ')?;
    let is_word = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'-';
    let method = request.iter().position(|byte| !is_word(byte))?;
    let is_ordinary = request[end + 1..].starts_with(b"HTTP/")
        && method > 0
        && request[method] == b' '
        && request.get(method + 1..end)?.first() == Some(&b'/');
    is_ordinary.then(|| (&request[..method], &request[method + 1..end]))
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

/// The address before the first blank, as the standard library reads it, and the rest of the line
/// from that blank on. IPv4 is quick: four numbers of one to three digits without a zero in front.
fn leading_address(line: &[u8]) -> Option<(IpAddr, &[u8])> {
    let (mut address, mut octet, mut digits, mut dots) = (0_u32, 0_u32, 0, 0);
    for (at, byte) in line.iter().enumerate() {
        match byte {
            b'0'..=b'9' if digits < 3 && (digits == 0 || octet > 0) => {
                octet = octet * 10 + u32::from(byte - b'0');
                digits += 1;
            }
            b'.' | b' ' if digits > 0 && octet < 256 && dots < 4 => {
                address = address << 8 | octet;
                (octet, digits, dots) = (0, 0, dots + 1);
                if *byte == b' ' {
                    let address = IpAddr::V4(Ipv4Addr::from(address));
                    return (dots == 4).then(|| (address, &line[at..]));
                }
            }
            _ => return other_address(line),
        }
    }
    None
}

#[cold]
fn other_address(line: &[u8]) -> Option<(IpAddr, &[u8])> {
    let (address, rest) = line.split_at_checked(memchr::memchr(b' ', line)?)?;
    let address = str::from_utf8(address).ok()?.parse::<IpAddr>().ok()?;
    Some((address.to_canonical(), rest))
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

    /// What stands before the first blank.
    fn address(text: &str) -> Option<IpAddr> {
        let line = format!("{text} - -");
        let (address, rest) = leading_address(line.as_bytes())?;
        assert!(rest.starts_with(b" "));
        Some(address)
    }

    #[test]
    fn addresses_are_those_of_the_standard_library() {
        let mut rng = Rng::new(4);
        let parts = ["0", "1", "01", "255", "256", "99", "192", "", "1000", "a", " 1", "1 ", "+1"];
        for _ in 0..20_000 {
            let count = 3 + rng.below(3);
            let text = (0..count).map(|_| *rng.pick(&parts)).collect::<Vec<_>>().join(".");
            let plain = text.split(' ').next().unwrap().parse::<IpAddr>().ok();
            assert_eq!(address(&text), plain, "{text}");
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
        let ordinary = split(whole.as_bytes()).unwrap();
        let text = |field: &[u8]| str::from_utf8(field).unwrap().to_owned();
        let asked = [ordinary.method, ordinary.path, ordinary.query].map(text);
        assert_eq!(asked, ["GET", "/a b", "c"]);
        assert_eq!((ordinary.status, ordinary.bytes_out), (200, 12));
        assert_eq!([ordinary.referer, ordinary.agent].map(text), ["-", "curl/8"]);
        let split = |line: &str| super::split(line.as_bytes()).map(|it| it.bytes_out);
        assert_eq!(split(&line("GET / HTTP/2", "304 - \"\" \"\"")), Some(0));
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
