//! The ordinary line of a combined log: one shape, split in one pass.
//!
//! Whatever has another shape is left to the parsers; what is split here is what they would give.

use relight_model::Timestamp;

use super::outline::{Line, QUOTES};
use super::source::Source;
use crate::line::ended;
use crate::parsers::{CLF_BYTES, clf};

/// Most digits of a number of bytes that cannot overflow.
const DIGITS_MAX: usize = 18;

/// The fields of a line of ASCII without user and without anything behind the user agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ordinary<'a> {
    pub(super) source: Source,
    pub(super) stamp: &'a [u8; CLF_BYTES],
    pub(super) request: &'a [u8],
    pub(super) status: u16,
    pub(super) referer: &'a [u8],
    pub(super) agent: &'a [u8],
}

/// What stands between the six quotes of a line of ASCII in which no backslash stands; one blank
/// alone is between the fourth and the fifth, and nothing behind the sixth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Quoted<'a> {
    pub(super) head: &'a [u8],
    pub(super) request: &'a [u8],
    /// From the second quote to the fifth.
    pub(super) inner: &'a [u8],
    middle: &'a [u8],
    referer: &'a [u8],
    pub(super) agent: &'a [u8],
}

impl<'a> Quoted<'a> {
    /// Of a line and its outline.
    pub(super) fn of(bytes: &'a [u8], line: &Line) -> Option<Self> {
        let [a, b, c, d, e, f] = line.quotes.map(|quote| quote as usize);
        let text = ended(bytes.get(line.start..line.end)?);
        let is_whole = line.count as usize == QUOTES
            && e == d + 2
            && f + 1 == line.start + text.len()
            && bytes.get(d + 1) == Some(&b' ');
        if !is_whole {
            return None;
        }
        Some(Self {
            head: bytes.get(line.start..a)?,
            request: bytes.get(a + 1..b)?,
            inner: bytes.get(b + 1..e)?,
            middle: bytes.get(b + 1..c)?,
            referer: bytes.get(c + 1..d)?,
            agent: bytes.get(e + 1..f)?,
        })
    }

    /// Its fields, of which nobody has looked at the request yet.
    pub(super) fn split(&self) -> Option<Ordinary<'a>> {
        let Self { head, request, inner, middle, referer, agent } = *self;
        let (address, rest) = head.split_last_chunk::<{ CLF_BYTES + 8 }>()?;
        let (open, rest) = rest.split_first_chunk::<6>()?;
        let (stamp, close) = rest.split_first_chunk::<CLF_BYTES>()?;
        if open != b" - - [" || close != b"] " {
            return None;
        }
        let source = Source::of(head, address)?;
        let quick = inner.first_chunk().and_then(|start| status_of(start, middle.len()));
        let status = quick.or_else(|| split_middle(middle))?;
        Some(Ordinary { source, stamp, request, status, referer, agent })
    }
}

/// ` 200 1234 ` of that length at the start: three digits, and no more than ten behind them. How
/// many there are cannot be foretold, so nothing here depends on a jump.
fn status_of(start: &[u8; 16], length: usize) -> Option<u16> {
    const EIGHT: u128 = u128::from_le_bytes([0x80; 16]);
    if !(7..=16).contains(&length) {
        return None;
    }
    let text = u128::from_le_bytes(*start);
    let last = 8 * (length as u32 - 1);
    // Blanks come first, fifth and last; what is between them are digits.
    let blanks: u128 = 0xff | 0xff << 32 | 0xff << last;
    let all = u128::MAX >> (120 - last);
    let digits = (text ^ u128::from_le_bytes([b'0'; 16])) & all & !blanks;
    let are_digits = (digits | (digits + u128::from_le_bytes([0x76; 16]))) & EIGHT == 0;
    let are_blank = (text ^ u128::from_le_bytes([b' '; 16])) & blanks == 0;
    let [_, hundreds, tens, ones, ..] = digits.to_le_bytes();
    let status = u16::from(hundreds) * 100 + u16::from(tens) * 10 + u16::from(ones);
    (are_digits && are_blank).then_some(status)
}

/// ` 200 1234 ` or ` 200 - ` to the status; how many bytes were sent tells nothing about anybody.
fn split_middle(middle: &[u8]) -> Option<u16> {
    let (status, rest) = digits(middle.strip_prefix(b" ")?)?;
    let is_number = |rest| digits(rest).is_some_and(|(_, rest)| rest.is_empty());
    let status = u16::try_from(status).ok().filter(|status| *status < 1_000);
    status.filter(|_| rest == b"- " || is_number(rest))
}

/// `GET /path HTTP/1.1` to its path, which begins with a slash, and its query.
pub(super) fn path_and_query(request: &[u8]) -> Option<(&[u8], &[u8])> {
    let target = target_of(request)?;
    Some(until(b'?', target).unwrap_or((target, b"")))
}

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
    use std::net::IpAddr;

    use testkit::Rng;

    use super::super::outline::outline;
    use super::*;
    use crate::contact::subject;

    fn split(line: &str) -> Option<Ordinary<'_>> {
        let mut lines = Vec::new();
        outline(line.as_bytes(), &mut lines);
        let ordinary = Quoted::of(line.as_bytes(), &lines[0])?.split()?;
        path_and_query(ordinary.request).map(|_| ordinary)
    }

    fn address(text: &str) -> Option<IpAddr> {
        let line =
            format!("{text} - - [10/Dec/2021:02:05:58 +0000] \"GET / HTTP/1.1\" 200 1 \"-\" \"-\"");
        split(&line).and_then(|ordinary| ordinary.source.subject())
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
        for text in [
            "::1",
            "2001:db8::9",
            "2001:db8:0:1:2:3:4:5",
            "::ffff:192.0.2.1",
            "192.0.2.1:80",
            "x",
            "",
            "1.2.3",
            "1.2.3.4\0",
            "\x01.2.3.4",
            "1:2",
        ] {
            let plain = text.parse::<IpAddr>().ok().map(subject);
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
        let (path, query) = path_and_query(ordinary.request).unwrap();
        assert_eq!([path, query].map(text), ["/a b", "c"]);
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

    /// What is told without a jump is what the plain look at each byte gives.
    #[test]
    fn statuses_are_those_of_the_plain_way() {
        let mut rng = Rng::new(7);
        let mut read = 0;
        for _ in 0..40_000 {
            let digits = |rng: &mut Rng, most: usize| -> String {
                (0..1 + rng.below(most)).map(|_| (b'0' + rng.below(10) as u8) as char).collect()
            };
            let status = if rng.chance(90) { "404".to_owned() } else { digits(&mut rng, 5) };
            let mut middle = format!(" {status} {} ", digits(&mut rng, 14)).into_bytes();
            if rng.chance(40) {
                let at = rng.below(middle.len());
                middle[at] = *rng.pick(b" 09/:-a\x00");
            }
            let text = [&middle[..], b"\"- - - - - -"].concat();
            let quick = status_of(text.first_chunk().unwrap(), middle.len());
            if let Some(status) = quick {
                assert_eq!(Some(status), split_middle(&middle), "{middle:?}");
                read += 1;
            }
        }
        assert!(read > 15_000, "{read}");
    }
}
