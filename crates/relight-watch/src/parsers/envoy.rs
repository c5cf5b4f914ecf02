//! Envoy's default text format, and what Istio appends to it:
//! `[time] "request" status flags in out … "forwarded" "agent" "id" "authority" "upstream"`.

use relight_model::{Escape, Event};

use super::draft::{Draft, Slot};
use super::pairs::until_quote;
use super::{Feed, LogParser, time};

pub(super) const PLUGIN: Envoy = Envoy;

/// See the head of the file.
pub(super) struct Envoy;

/// Numbers before the next quoted field: status, flags, and others in between.
const WORDS_MAX: usize = 24;

impl LogParser for Envoy {
    fn name(&self) -> &'static str {
        "envoy"
    }

    fn parse<'a>(&self, feed: &'a Feed, line: &'a str) -> Result<Event<'a>, &'static str> {
        let (stamp, rest) =
            line.strip_prefix('[').and_then(|rest| rest.split_once("] ")).ok_or("format-other")?;
        let mut draft = Draft::new(feed, Escape::None);
        draft.at(time::rfc3339(stamp, &feed.zone).ok_or("time-invalid")?);
        let mut fields = Fields { rest };
        let request = fields.quoted().ok_or("quote-missing")?;
        draft.put(Slot::Request, request)?;
        draft.put(Slot::Status, fields.word().ok_or("line-short")?)?;
        numbers(&mut draft, &mut fields)?;
        let forwarded = fields.quoted().ok_or("quote-missing")?;
        for slot in [Slot::Agent, Slot::Known, Slot::Host, Slot::Known] {
            draft.put(slot, fields.quoted().ok_or("quote-missing")?)?;
        }
        istio(&mut draft, &mut fields)?;
        // Without the connection itself, the address nearest to this proxy is the one it saw.
        draft.put(Slot::Forwarded, forwarded)?;
        if !draft.has_source() {
            draft.put(Slot::Source, forwarded.rsplit(',').next().unwrap_or_default().trim())?;
        }
        draft.finish()
    }
}

/// Response flags and details, bytes, durations: the bytes are the first two numbers.
fn numbers<'a>(draft: &mut Draft<'a>, fields: &mut Fields<'a>) -> Result<(), &'static str> {
    let mut slots = [Slot::BytesIn, Slot::BytesOut].into_iter();
    for _ in 0..WORDS_MAX {
        // Istio quotes the reason why the transport failed.
        if fields.rest.starts_with('"') {
            if fields.rest.starts_with("\"-\" ") && slots.len() == 2 {
                fields.quoted();
                continue;
            }
            return Ok(());
        }
        let word = fields.word().ok_or("line-short")?;
        if word.bytes().all(|byte| byte.is_ascii_digit())
            && let Some(slot) = slots.next()
        {
            draft.put(slot, word)?;
        }
    }
    Err("field-count")
}

/// `cluster upstream-local downstream-local downstream-remote server-name route`.
fn istio<'a>(draft: &mut Draft<'a>, fields: &mut Fields<'a>) -> Result<(), &'static str> {
    for slot in [Slot::Known, Slot::Known, Slot::Destination, Slot::Source, Slot::Sni] {
        let Some(word) = fields.word() else { return Ok(()) };
        draft.put(slot, word)?;
    }
    Ok(())
}

struct Fields<'a> {
    rest: &'a str,
}

impl<'a> Fields<'a> {
    fn word(&mut self) -> Option<&'a str> {
        let rest = self.rest;
        if rest.is_empty() {
            return None;
        }
        let (word, after) = rest.split_once(' ').unwrap_or((rest, ""));
        self.rest = after;
        Some(word)
    }

    fn quoted(&mut self) -> Option<&'a str> {
        let (inside, after) = until_quote(self.rest.strip_prefix('"')?)?;
        self.rest = after.strip_prefix(' ').unwrap_or(after);
        Some(inside)
    }
}
