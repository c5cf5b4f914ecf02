//! FortiGate's traffic, web filter and intrusion logs: names and values.

use relight_model::{Escape, Event};

use super::draft::{Draft, Need::May, Need::Must, Row, Slot};
use super::{Feed, LogParser, pairs, shapes, syslog};

pub(super) const PLUGIN: Fortigate = Fortigate;

/// See the head of the file.
pub(super) struct Fortigate;

const ROWS: &[Row] = &[
    ("eventtime", Slot::Time, May),
    ("date", Slot::LocalDate, Must),
    ("time", Slot::Clock, Must),
    ("tz", Slot::Ahead, May),
    ("logid", Slot::Known, Must),
    ("type", Slot::OneOf(&["traffic", "utm"]), Must),
    ("subtype", Slot::Known, May),
    ("srcip", Slot::Source, Must),
    ("srcport", Slot::SourcePort, May),
    ("dstip", Slot::Destination, May),
    ("dstport", Slot::Port, May),
    ("proto", Slot::Protocol, May),
    ("action", Slot::Action, May),
    ("hostname", Slot::Host, May),
    ("url", Slot::Url, May),
    ("httpmethod", Slot::Method, May),
    ("agent", Slot::Agent, May),
    ("referralurl", Slot::Referer, May),
    ("user", Slot::User, May),
    ("sentbyte", Slot::BytesIn, May),
    ("rcvdbyte", Slot::BytesOut, May),
];

impl LogParser for Fortigate {
    fn name(&self) -> &'static str {
        "fortigate"
    }

    fn parse<'a>(&self, feed: &'a Feed, line: &'a str) -> Result<Event<'a>, &'static str> {
        let (_, message) = syslog::open(line, feed);
        if !message.starts_with("date=") {
            return Err("format-other");
        }
        let mut draft = Draft::new(feed, Escape::Apache);
        let mut seen = 0_u64;
        pairs::walk(message, &mut |key, value| {
            match ROWS.iter().position(|(name, ..)| *name == key) {
                Some(at) => {
                    seen |= 1 << at;
                    draft.put(ROWS[at].1, value)?;
                }
                None => draft.unknown(value),
            }
            Ok(())
        })?;
        shapes::complete(ROWS, seen)?;
        draft.finish()
    }
}
