//! HAProxy's HTTP and TCP logs, as syslog carries them.
//!
//! Captured headers have no names there and stand in braces; they are kept as one text.

use relight_model::{Escape, Event, Outcome};

use super::draft::{Draft, Slot, dash_is_empty};
use super::pairs::until_quote;
use super::{Feed, LogParser, syslog, time};

pub(super) const PLUGIN: Haproxy = Haproxy;

/// See the head of the file.
pub(super) struct Haproxy;

impl LogParser for Haproxy {
    fn name(&self) -> &'static str {
        "haproxy"
    }

    fn parse<'a>(&self, feed: &'a Feed, line: &'a str) -> Result<Event<'a>, &'static str> {
        let (_, message) = syslog::open(line, feed);
        let mut draft = Draft::new(feed, Escape::Hash);
        let (client, rest) = message.split_once(' ').ok_or("line-short")?;
        let (stamp, rest) =
            rest.strip_prefix('[').and_then(|rest| rest.split_once("] ")).ok_or("time-missing")?;
        draft.at(accepted(stamp, feed).ok_or("time-invalid")?);
        if !client.contains(':') {
            return Err("address-invalid");
        }
        draft.put(Slot::Source, client)?;
        let (words, tail) = words::<3>(rest).ok_or("line-short")?;
        let [_frontend, backend, timers] = words;
        if !backend.contains('/') {
            return Err("format-other");
        }
        match timers.matches('/').count() {
            4 => http(&mut draft, tail)?,
            2 => tcp(&mut draft, tail)?,
            _ => return Err("format-other"),
        }
        draft.finish()
    }
}

/// `status bytes cookie cookie state connections queues {captured} {captured} "request"`.
fn http<'a>(draft: &mut Draft<'a>, tail: &'a str) -> Result<(), &'static str> {
    let (words, rest) = words::<7>(tail).ok_or("line-short")?;
    draft.put(Slot::Status, words[0])?;
    draft.put(Slot::BytesOut, words[1].trim_start_matches('+'))?;
    let quote = rest.find('"').ok_or("quote-missing")?;
    draft.event.headers = rest[..quote].trim();
    let inside = &rest[quote + 1..];
    // The request is cut where the line is; a missing quotation mark loses nothing before it.
    let (request, after) = until_quote_or_end(inside);
    if !after.trim().is_empty() {
        draft.unknown(after);
    }
    match request {
        "<BADREQ>" => draft.event.outcome = Outcome::Refused,
        _ => draft.put(Slot::Request, dash_is_empty(request))?,
    }
    Ok(())
}

/// HAProxy escapes the quotation mark itself, so the last one ends the request.
fn until_quote_or_end(text: &str) -> (&str, &str) {
    match text.rsplit_once('"') {
        Some(parts) => parts,
        None => until_quote(text).unwrap_or((text, "")),
    }
}

/// `bytes state connections queues`.
fn tcp<'a>(draft: &mut Draft<'a>, tail: &'a str) -> Result<(), &'static str> {
    let (words, _) = words::<3>(tail).ok_or("line-short")?;
    draft.put(Slot::BytesOut, words[0].trim_start_matches('+'))?;
    draft.event.protocol = 6;
    draft.event.outcome = if words[1] == "--" { Outcome::Served } else { Outcome::Failed };
    Ok(())
}

/// `10/Dec/2021:02:05:58.123`, without zone.
fn accepted(text: &str, feed: &Feed) -> Option<i64> {
    let (stamp, fraction) = text.split_at_checked(20)?;
    if !fraction.is_empty() && !fraction.starts_with('.') {
        return None;
    }
    time::clf_local(stamp, &feed.zone)
}

/// The first `N` words, and what follows the blank after them.
fn words<const N: usize>(text: &str) -> Option<([&str; N], &str)> {
    let mut rest = text;
    let mut words = [""; N];
    for word in &mut words {
        if rest.is_empty() {
            return None;
        }
        (*word, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    }
    Some((words, rest))
}
