//! PAN-OS traffic and threat logs: comma-separated values by position.

use relight_model::{Escape, Event};

use super::draft::{Draft, Slot};
use super::{Feed, LogParser, syslog};

pub(super) const PLUGIN: PanosCsv = PanosCsv;

/// See the head of the file.
pub(super) struct PanosCsv;

/// What both kinds of log have in common, by position.
const SLOTS: [(usize, Slot); 11] = [
    (3, Slot::OneOf(&["TRAFFIC", "THREAT"])),
    (6, Slot::Time),
    (7, Slot::Source),
    (8, Slot::Destination),
    (12, Slot::User),
    (24, Slot::SourcePort),
    (25, Slot::Port),
    (29, Slot::Protocol),
    (30, Slot::Action),
    (32, Slot::Known),
    (33, Slot::Known),
];

/// Values up to the action, without which a line is none.
const VALUES_MIN: usize = 31;

impl LogParser for PanosCsv {
    fn name(&self) -> &'static str {
        "panos_csv"
    }

    fn parse<'a>(&self, feed: &'a Feed, line: &'a str) -> Result<Event<'a>, &'static str> {
        let (_, message) = syslog::open(line, feed);
        let mut draft = Draft::new(feed, Escape::None);
        let mut kind = "";
        let mut count = 0;
        for value in Values(Some(message)) {
            let value = value?;
            if count == 3 {
                kind = value;
            }
            match SLOTS.iter().find(|(at, _)| *at == count) {
                Some((_, slot)) => draft.put(*slot, value)?,
                None => own(&mut draft, kind, count, value)?,
            }
            count += 1;
            if count == 4 && kind.is_empty() {
                return Err("format-other");
            }
        }
        if count < VALUES_MIN {
            return Err("field-count");
        }
        draft.finish()
    }
}

/// Bytes of a traffic log; the URL of a threat log.
fn own<'a>(
    draft: &mut Draft<'a>,
    kind: &str,
    at: usize,
    value: &'a str,
) -> Result<(), &'static str> {
    match (kind, at) {
        ("TRAFFIC", 31) => draft.put(Slot::BytesOut, value),
        ("THREAT", 31) if value.contains('/') => put_url(draft, value),
        (_, 34..) if !value.is_empty() => {
            draft.unknown(value);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// `www.example.test/path?query`, without scheme.
fn put_url<'a>(draft: &mut Draft<'a>, value: &'a str) -> Result<(), &'static str> {
    let slash = value.find('/').unwrap_or(0);
    draft.put(Slot::Host, &value[..slash])?;
    draft.put(Slot::Target, &value[slash..])
}

/// The values of a line; one in quotation marks may hold commas.
struct Values<'a>(Option<&'a str>);

impl<'a> Iterator for Values<'a> {
    type Item = Result<&'a str, &'static str>;

    fn next(&mut self) -> Option<Self::Item> {
        let text = self.0.take()?;
        let (value, rest) = match text.strip_prefix('"') {
            Some(inside) => match inside.split_once("\",") {
                Some((value, rest)) => (value, Some(rest)),
                None => match inside.strip_suffix('"') {
                    Some(value) => (value, None),
                    None => return Some(Err("quote-open")),
                },
            },
            None => text.split_once(',').map_or((text, None), |(value, rest)| (value, Some(rest))),
        };
        self.0 = rest;
        Some(Ok(value))
    }
}
