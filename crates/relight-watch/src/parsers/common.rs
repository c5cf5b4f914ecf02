//! The common log format: `host ident user [time] "request" status bytes`, and nothing more.

use relight_model::Event;

use super::{Feed, LogParser, combined};

pub(super) const PLUGIN: Common = Common;

/// See the head of the file.
pub(super) struct Common;

impl LogParser for Common {
    fn name(&self) -> &'static str {
        "common"
    }

    fn parse<'a>(&self, feed: &'a Feed, line: &'a str) -> Result<Event<'a>, &'static str> {
        let (event, rest) = combined::seven(feed, line)?;
        if rest.is_empty() { Ok(event) } else { Err("format-other") }
    }
}
