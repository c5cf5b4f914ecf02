//! Common Event Format: `CEF:0|vendor|product|version|id|name|severity|names and values`.

use relight_model::{Escape, Event};

use super::draft::{Draft, Slot};
use super::{Feed, LogParser, pairs, syslog};

pub(super) const PLUGIN: Cef = Cef;

/// See the head of the file.
pub(super) struct Cef;

impl LogParser for Cef {
    fn name(&self) -> &'static str {
        "cef"
    }

    fn parse<'a>(&self, feed: &'a Feed, line: &'a str) -> Result<Event<'a>, &'static str> {
        let (at, message) = syslog::open(line, feed);
        let head = message.find("CEF:").ok_or("format-other")?;
        let tail = after_head(&message[head..]).ok_or("field-count")?;
        let mut draft = Draft::new(feed, Escape::Apache);
        pairs::walk_open(tail, &mut |key, value| {
            match slot(key) {
                Some(slot) => draft.put(slot, value)?,
                None => draft.unknown(value),
            }
            Ok(())
        })?;
        if let Some(at) = at {
            draft.at(at);
        }
        draft.finish()
    }
}

/// What follows the seventh bar that is not escaped.
fn after_head(text: &str) -> Option<&str> {
    let mut escaped = false;
    let mut bars = 0;
    for (at, byte) in text.bytes().enumerate() {
        bars += usize::from(byte == b'|' && !escaped);
        if bars == 7 {
            return Some(&text[at + 1..]);
        }
        escaped = byte == b'\\' && !escaped;
    }
    None
}

/// Names of the standard dictionary of CEF; LEEF products use many of them too.
pub(super) fn slot(key: &str) -> Option<Slot> {
    Some(match key {
        "rt" | "start" | "devTime" => Slot::Time,
        "src" | "sourceAddress" => Slot::Source,
        "dst" | "destinationAddress" => Slot::Destination,
        "spt" | "srcPort" => Slot::SourcePort,
        "dpt" | "dstPort" => Slot::Port,
        "proto" => Slot::Protocol,
        "act" | "action" => Slot::Action,
        "dhost" | "dstHost" => Slot::Host,
        "request" | "url" => Slot::Url,
        "requestMethod" | "method" => Slot::Method,
        "requestClientApplication" | "userAgent" => Slot::Agent,
        "requestContext" | "referrer" => Slot::Referer,
        "suser" | "usrName" => Slot::User,
        "in" | "srcBytes" => Slot::BytesIn,
        "out" | "dstBytes" => Slot::BytesOut,
        "cn1Label" | "cs1Label" | "cs2Label" | "cs3Label" => Slot::Known,
        _ => return None,
    })
}
