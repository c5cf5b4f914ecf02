//! The packet filter of pfSense and OPNsense: `filterlog` in syslog, values by position, others
//! for IPv6 than for IPv4.

use relight_model::{Escape, Event};

use super::draft::{Draft, Slot};
use super::{Feed, LogParser, syslog};

pub(super) const PLUGIN: Filterlog = Filterlog;

/// See the head of the file.
pub(super) struct Filterlog;

/// Where the values stand: action, protocol, source, destination; the ports follow.
const V4: [usize; 4] = [6, 16, 18, 19];
const V6: [usize; 4] = [6, 12, 15, 16];

/// Most values of a line.
const VALUES_MAX: usize = 40;

impl LogParser for Filterlog {
    fn name(&self) -> &'static str {
        "filterlog"
    }

    fn parse<'a>(&self, feed: &'a Feed, line: &'a str) -> Result<Event<'a>, &'static str> {
        let (at, message) = syslog::open(line, feed);
        let values: Vec<&str> = message.split(',').take(VALUES_MAX).collect();
        if values.len() < 18 || !matches!(values[7], "in" | "out") {
            return Err("format-other");
        }
        let places = match values[8] {
            "4" => V4,
            "6" => V6,
            _ => return Err("format-other"),
        };
        let mut draft = Draft::new(feed, Escape::None);
        draft.at(at.ok_or("time-missing")?);
        let slots = [Slot::Action, Slot::Protocol, Slot::Source, Slot::Destination];
        for (slot, place) in slots.into_iter().zip(places) {
            draft.put(slot, values.get(place).ok_or("field-count")?)?;
        }
        if matches!(draft.event.protocol, 6 | 17) {
            let ports = values.get(places[3] + 1..places[3] + 3).ok_or("field-count")?;
            draft.put(Slot::SourcePort, ports[0])?;
            draft.put(Slot::Port, ports[1])?;
        }
        draft.finish()
    }
}
