//! Netfilter's log (iptables and nftables), as the kernel hands it to syslog.

use relight_model::{Escape, Event, Outcome};

use super::draft::{Draft, Slot};
use super::{Feed, LogParser, pairs, syslog};

pub(super) const PLUGIN: Iptables = Iptables;

/// See the head of the file. What the rule does is not in the line but in the prefix that people
/// give it; a packet that is logged without a word about it is taken for dropped.
pub(super) struct Iptables;

impl LogParser for Iptables {
    fn name(&self) -> &'static str {
        "iptables"
    }

    fn parse<'a>(&self, feed: &'a Feed, line: &'a str) -> Result<Event<'a>, &'static str> {
        let (at, message) = syslog::open(line, feed);
        let start = message.find("IN=").ok_or("format-other")?;
        let (prefix, tail) = message.split_at(start);
        let mut draft = Draft::new(feed, Escape::None);
        draft.at(at.ok_or("time-missing")?);
        let mut has_destination = false;
        pairs::walk(tail, &mut |key, value| {
            has_destination |= key == "DST";
            match slot(key) {
                Some(slot) => draft.put(slot, value)?,
                None => draft.event.unknown += 1,
            }
            Ok(())
        })?;
        if !has_destination {
            return Err("field-count");
        }
        draft.event.outcome = outcome(prefix);
        draft.finish()
    }
}

fn slot(key: &str) -> Option<Slot> {
    Some(match key {
        "SRC" => Slot::Source,
        "DST" => Slot::Destination,
        "SPT" => Slot::SourcePort,
        "DPT" => Slot::Port,
        "PROTO" => Slot::Protocol,
        "IN" | "OUT" | "MAC" | "LEN" => Slot::Known,
        _ => return None,
    })
}

fn outcome(prefix: &str) -> Outcome {
    let prefix = prefix.to_ascii_lowercase();
    if prefix.contains("accept") || prefix.contains("allow") {
        Outcome::Served
    } else if prefix.contains("reject") {
        Outcome::Refused
    } else {
        Outcome::Dropped
    }
}
