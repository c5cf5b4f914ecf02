//! The combined log format of Apache httpd and nginx:
//! `host ident user [time] "request" status bytes "referer" "user agent"`.

use std::net::IpAddr;

use relight_model::{Escape, Event, Outcome, Timestamp};

use crate::civil;
use crate::parsers::{Feed, LogParser};

pub(super) const PLUGIN: Combined = Combined;

/// See the head of the file. nginx's escapes (`\xHH`) are a subset of Apache's, so one rule
/// undoes both.
pub(super) struct Combined;

impl LogParser for Combined {
    fn name(&self) -> &'static str {
        "combined"
    }

    fn parse<'a>(&self, feed: &'a Feed, line: &'a str) -> Result<Event<'a>, &'static str> {
        let (source, rest) = line.split_once(' ').ok_or("line-short")?;
        let source: IpAddr = source.parse().map_err(|_| "address-invalid")?;
        let (user, at, rest) = split_at_time(rest)?;
        let (request, rest) = quoted(rest)?;
        let (status, rest) = number(rest, "status-invalid")?;
        let status = match u16::try_from(status) {
            Ok(status @ 0..=999) => status,
            _ => return Err("status-invalid"),
        };
        let (bytes_out, rest) = number(rest, "bytes-invalid")?;
        // The plain common format ends here, and nothing is missing that we must have.
        let (referer, user_agent, headers) = match rest {
            "" => ("", "", ""),
            rest => {
                let (referer, rest) = quoted(rest)?;
                // Formats that append fields of their own keep the first nine as they are.
                let (user_agent, rest) = quoted(rest)?;
                (referer, user_agent, rest)
            }
        };
        let (method, target) = split_request(request);
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Ok(Event {
            site: feed.site,
            host: &feed.host,
            method,
            path,
            query,
            status,
            bytes_out,
            referer: dash_is_empty(referer),
            user_agent: dash_is_empty(user_agent),
            user: dash_is_empty(user),
            headers,
            outcome: Outcome::of_status(status),
            escape: Escape::Apache,
            ..Event::bare(feed.org, at, source.to_canonical())
        })
    }
}

fn dash_is_empty(text: &str) -> &str {
    if text == "-" { "" } else { text }
}

/// `ident user [time] …` to user, time and what follows. The user may hold blanks, brackets and
/// quotes, so the first bracket that holds a valid time, followed by a quote, ends it.
fn split_at_time(rest: &str) -> Result<(&str, Timestamp, &str), &'static str> {
    let (_ident, rest) = rest.split_once(' ').ok_or("line-short")?;
    let mut from = 0;
    let mut code = "time-missing";
    while let Some(found) = memchr::memchr(b'[', &rest.as_bytes()[from..]) {
        let open = from + found;
        from = open + 1;
        // The time has a fixed width: `18/May/2015:02:05:58 +0000` and the closing bracket.
        let Some((time, after)) = rest[from..].split_at_checked(TIME_BYTES) else { continue };
        let Some(after) = after.strip_prefix("] ") else { continue };
        match time_stamp(time.as_bytes()) {
            // A user name may imitate a time, but no log writes a bare quote into it.
            Some(at) if after.starts_with('"') => {
                return Ok((rest[..open].trim_end_matches(' '), at, after));
            }
            Some(_) => code = "quote-missing",
            None => code = "time-invalid",
        }
    }
    Err(code)
}

const TIME_BYTES: usize = 26;

/// `18/May/2015:02:05:58 +0000` to seconds since the epoch.
fn time_stamp(text: &[u8]) -> Option<Timestamp> {
    const MONTHS: &[u8; 36] = b"JanFebMarAprMayJunJulAugSepOctNovDec";
    const PUNCTUATION: [(usize, u8); 6] =
        [(2, b'/'), (6, b'/'), (11, b':'), (14, b':'), (17, b':'), (20, b' ')];
    if text.len() != TIME_BYTES || PUNCTUATION.iter().any(|&(at, byte)| text[at] != byte) {
        return None;
    }
    let month = MONTHS.chunks_exact(3).position(|month| month == &text[3..6])? as i64 + 1;
    let (day, year) = (digits(&text[..2])?, digits(&text[7..11])?);
    let (hour, minute, second) =
        (digits(&text[12..14])?, digits(&text[15..17])?, digits(&text[18..20])?);
    let sign = match text[21] {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let zone = sign * (digits(&text[22..24])? * 3600 + digits(&text[24..26])? * 60);
    // A leap second is written as :60.
    if !(1..=civil::days_in_month(year, month)).contains(&day)
        || hour > 23
        || minute > 59
        || second > 60
    {
        return None;
    }
    Some(civil::days(year, month, day) * civil::DAY + hour * 3600 + minute * 60 + second - zone)
}

fn digits(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0, |number, byte| {
        byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0'))
    })
}

/// A quoted field at the start, in its own escaping, and what follows the blank after it.
fn quoted(text: &str) -> Result<(&str, &str), &'static str> {
    let text = text.strip_prefix('"').ok_or("quote-missing")?;
    let mut from = 0;
    while let Some(found) = memchr::memchr2(b'"', b'\\', &text.as_bytes()[from..]) {
        let at = from + found;
        if text.as_bytes()[at] == b'\\' {
            // The byte after a backslash never ends the field; both are ASCII or the second is
            // the first byte of a character, whose other bytes are neither quote nor backslash.
            from = (at + 2).min(text.len());
            continue;
        }
        let rest = &text[at + 1..];
        return match rest.strip_prefix(' ') {
            Some(rest) => Ok((&text[..at], rest)),
            None if rest.is_empty() => Ok((&text[..at], rest)),
            None => Err("quote-unexpected"),
        };
    }
    Err("quote-open")
}

/// A number or `-` (0) at the start, and what follows the blank after it.
fn number<'a>(text: &'a str, code: &'static str) -> Result<(u64, &'a str), &'static str> {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    match word {
        "-" => Ok((0, rest)),
        word if word.bytes().all(|byte| byte.is_ascii_digit()) => {
            word.parse().map(|number| (number, rest)).map_err(|_| code)
        }
        _ => Err(code),
    }
}

/// `GET /path HTTP/1.1` to method and target. What is not of that form (a TLS handshake, a
/// single dash) is kept whole as the target, so that nothing escapes the attempt scan.
fn split_request(request: &str) -> (&str, &str) {
    let target = match request.rsplit_once(' ') {
        Some((head, version)) if version.starts_with("HTTP/") => head,
        _ => request,
    };
    match target.split_once(' ') {
        Some((method, target))
            if !method.is_empty()
                && method.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-') =>
        {
            (method, target)
        }
        _ => ("", dash_is_empty(target)),
    }
}
