//! Apache's `vhost_combined`: the combined format behind `host:port`.

use relight_model::Event;

use super::{Feed, LogParser, combined};

pub(super) const PLUGIN: VhostCombined = VhostCombined;

/// See the head of the file.
pub(super) struct VhostCombined;

impl LogParser for VhostCombined {
    fn name(&self) -> &'static str {
        "vhost_combined"
    }

    fn parse<'a>(&self, feed: &'a Feed, line: &'a str) -> Result<Event<'a>, &'static str> {
        let (host, rest) = line.split_once(' ').ok_or("line-short")?;
        let (host, port) = host.rsplit_once(':').ok_or("format-other")?;
        let port = port.parse().map_err(|_| "port-invalid")?;
        let (mut event, rest) = combined::seven(feed, rest)?;
        combined::two_more(&mut event, rest)?;
        event.host = host;
        event.site = feed.site_of(host, "");
        event.stray = feed.is_stray(host, "");
        event.port = port;
        Ok(event)
    }
}
