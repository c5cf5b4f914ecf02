//! Log Event Extended Format 1.0 and 2.0: a head with bars, then names and values between tabs or
//! the separator that the head names.

use relight_model::{Escape, Event};

use super::draft::Draft;
use super::{Feed, LogParser, cef, syslog};

pub(super) const PLUGIN: Leef = Leef;

/// See the head of the file.
pub(super) struct Leef;

impl LogParser for Leef {
    fn name(&self) -> &'static str {
        "leef"
    }

    fn parse<'a>(&self, feed: &'a Feed, line: &'a str) -> Result<Event<'a>, &'static str> {
        let (at, message) = syslog::open(line, feed);
        let head = message.find("LEEF:").ok_or("format-other")?;
        let (separator, tail) = after_head(&message[head..]).ok_or("field-count")?;
        let mut draft = Draft::new(feed, Escape::None);
        for pair in tail.split(separator).filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').ok_or("pair-invalid")?;
            match cef::slot(key.trim_start()) {
                Some(slot) => draft.put(slot, value)?,
                None => draft.unknown(value),
            }
        }
        if let Some(at) = at {
            draft.at(at);
        }
        draft.finish()
    }
}

/// The separator and what follows the head: five fields in version 1, six in version 2.
fn after_head(text: &str) -> Option<(char, &str)> {
    let (version, rest) = text.split_once('|')?;
    let mut rest = rest;
    for _ in 0..4 {
        rest = rest.split_once('|')?.1;
    }
    if version != "LEEF:2.0" {
        return Some(('\t', rest));
    }
    let (separator, rest) = rest.split_once('|')?;
    let hex = separator.strip_prefix("0x").or_else(|| separator.strip_prefix('x'));
    let separator = match hex {
        Some(digits) => char::from(u8::from_str_radix(digits, 16).ok()?),
        None => separator.chars().next().unwrap_or('\t'),
    };
    Some((separator, rest))
}
