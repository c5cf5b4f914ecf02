//! The combined log format of Apache httpd and nginx:
//! `host ident user [time] "request" status bytes "referer" "user agent"`.

use std::net::IpAddr;

use relight_model::{Escape, Event, Outcome, Timestamp};

use super::draft::{dash_is_empty, split_request};
use super::{Feed, LogParser, time, traefik};

pub(super) const PLUGIN: Combined = Combined;

/// See the head of the file. nginx's escapes (`\xHH`) are a subset of Apache's, so one rule
/// undoes both.
pub(super) struct Combined;

impl LogParser for Combined {
    fn name(&self) -> &'static str {
        "combined"
    }

    fn parse<'a>(&self, feed: &'a Feed, line: &'a str) -> Result<Event<'a>, &'static str> {
        let (mut event, rest) = seven(feed, line)?;
        let rest = two_more(&mut event, rest)?;
        if traefik::is_tail(rest) {
            return Err("format-other");
        }
        Ok(event)
    }
}

/// The seven fields of the common log format, and what follows them.
pub(super) fn seven<'a>(
    feed: &'a Feed,
    line: &'a str,
) -> Result<(Event<'a>, &'a str), &'static str> {
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
    let (method, target) = split_request(request);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let event = Event {
        site: feed.site_of(&feed.host, ""),
        host: &feed.host,
        method,
        path,
        query,
        status,
        bytes_out,
        user: dash_is_empty(user),
        outcome: Outcome::of_status(status),
        escape: Escape::Apache,
        ..Event::bare(feed.org, at, source.to_canonical())
    };
    Ok((event, rest))
}

/// Referer and user agent. Formats that append fields of their own keep the first nine as they
/// are; what they append is looked through for attempts.
pub(super) fn two_more<'a>(event: &mut Event<'a>, rest: &'a str) -> Result<&'a str, &'static str> {
    let (referer, rest) = quoted(rest)?;
    let (user_agent, rest) = quoted(rest)?;
    event.referer = dash_is_empty(referer);
    event.user_agent = dash_is_empty(user_agent);
    event.headers = rest;
    Ok(rest)
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
        let Some((stamp, after)) = rest[from..].split_at_checked(time::CLF_BYTES) else { continue };
        let Some(after) = after.strip_prefix("] ") else { continue };
        match time::clf(stamp) {
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
