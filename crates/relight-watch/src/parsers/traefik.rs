//! Traefik's access log in its own form of the common log format: the combined format, then the
//! number of the request, the router, the server and the duration.

use relight_model::Event;

use super::{Feed, LogParser, combined};

pub(super) const PLUGIN: Traefik = Traefik;

/// See the head of the file.
pub(super) struct Traefik;

impl LogParser for Traefik {
    fn name(&self) -> &'static str {
        "traefik"
    }

    fn parse<'a>(&self, feed: &'a Feed, line: &'a str) -> Result<Event<'a>, &'static str> {
        let (mut event, rest) = combined::seven(feed, line)?;
        let rest = combined::two_more(&mut event, rest)?;
        if !is_tail(rest) {
            return Err("format-other");
        }
        // Router, server and duration are about the proxy, not about the request.
        event.headers = "";
        event.unknown = 4;
        Ok(event)
    }
}

/// `12 "router@file" "http://10.0.0.2:80" 3ms`.
pub(super) fn is_tail(text: &str) -> bool {
    let Some((number, rest)) = text.split_once(' ') else { return false };
    let Some(duration) = rest.rsplit(' ').next().and_then(|word| word.strip_suffix("ms")) else {
        return false;
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits(number) && digits(duration) && rest.starts_with('"') && rest.matches('"').count() >= 4
}
