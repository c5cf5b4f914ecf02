//! AWS application load balancer: blanks between fields, some quoted, the request with a whole
//! URL; fields were appended over the years, so what follows the tenth is optional.

use relight_model::{Escape, Event};

use super::draft::{Draft, Slot};
use super::pairs::until_quote;
use super::{Feed, LogParser};

pub(super) const PLUGIN: AwsAlb = AwsAlb;

/// See the head of the file.
pub(super) struct AwsAlb;

/// Of the load balancer: `type time elb client target …`.
const SLOTS: [Slot; 20] = [
    Slot::OneOf(&["http", "https", "h2", "grpcs", "ws", "wss"]),
    Slot::Time,
    Slot::Known,
    Slot::Peer,
    Slot::Known,
    Slot::Known,
    Slot::Known,
    Slot::Known,
    Slot::Status,
    Slot::Known,
    Slot::BytesIn,
    Slot::BytesOut,
    Slot::Request,
    Slot::Agent,
    Slot::Known,
    Slot::Known,
    Slot::Known,
    Slot::Known,
    Slot::Sni,
    Slot::Known,
];

/// Fields up to the request, without which a line is none.
const FIELDS_MIN: usize = 13;

impl LogParser for AwsAlb {
    fn name(&self) -> &'static str {
        "aws_alb"
    }

    fn parse<'a>(&self, feed: &'a Feed, line: &'a str) -> Result<Event<'a>, &'static str> {
        let mut draft = Draft::new(feed, Escape::Apache);
        let mut rest = line;
        let mut count = 0;
        while !rest.is_empty() {
            let (value, after) = match rest.strip_prefix('"') {
                Some(inside) => until_quote(inside).ok_or("quote-open")?,
                None => rest.split_once(' ').unwrap_or((rest, "")),
            };
            rest = after.strip_prefix(' ').unwrap_or(after);
            match SLOTS.get(count) {
                // A request that was none: `- http://host:80- -`.
                Some(Slot::Request) if value.starts_with("- ") => {}
                Some(slot) => draft.put(*slot, value)?,
                None => draft.unknown(value),
            }
            count += 1;
        }
        if count < FIELDS_MIN {
            return Err("field-count");
        }
        draft.finish()
    }
}
