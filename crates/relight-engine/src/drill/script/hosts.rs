//! Names that nobody serves, and spellings of the one that is dark: none of them reaches a site.

use relight_edge::Listener;
use relight_edge::http::Response;
use relight_edge::probe::GATE_HEADER;

use super::{Drill, chain};
use crate::reconcile::{CANARY_HOST, CANARY_KEY};

/// The spelling that every edge answers.
const PLAIN: &str = "plain";

/// Spellings of the canary's name that confuse gates which are keyed by what a client sends.
const SPELLINGS: [(&str, &str); 13] = [
    (PLAIN, "GET / HTTP/1.1\r\nHost: HOST\r\n\r\n"),
    ("upper case", "GET / HTTP/1.1\r\nHost: UPPER\r\n\r\n"),
    ("port", "GET / HTTP/1.1\r\nHost: HOST:8080\r\n\r\n"),
    ("trailing dot", "GET / HTTP/1.1\r\nHost: HOST.\r\n\r\n"),
    ("dot and port", "GET / HTTP/1.1\r\nHost: HOST.:8080\r\n\r\n"),
    ("absolute form", "GET http://HOST/ HTTP/1.1\r\nHost: HOST\r\n\r\n"),
    ("other host in the address", "GET http://nobody.invalid/ HTTP/1.1\r\nHost: HOST\r\n\r\n"),
    ("other host in the header", "GET http://HOST/ HTTP/1.1\r\nHost: nobody.invalid\r\n\r\n"),
    ("unknown host", "GET / HTTP/1.1\r\nHost: nobody.invalid\r\n\r\n"),
    ("HTTP/1.0 without a host", "GET / HTTP/1.0\r\n\r\n"),
    ("two hosts", "GET / HTTP/1.1\r\nHost: HOST\r\nHost: nobody.invalid\r\n\r\n"),
    ("spaces", "GET / HTTP/1.1\r\nHost:   HOST  \r\n\r\n"),
    ("POST", "POST / HTTP/1.1\r\nHost: HOST\r\nContent-Length: 2\r\n\r\nab"),
];

/// Whether the edge itself answered so: nobody is served under that name, that is no request, or
/// the canary is dark. A site behind it may answer anything else, 401 and 404 too.
fn is_refusal(answer: &Response) -> bool {
    let mut markers = answer.values(GATE_HEADER);
    let is_dark =
        |marker: &str| marker.strip_prefix("dark=1; site=").is_some_and(|key| key == CANARY_KEY);
    match (markers.next(), markers.next()) {
        (Some(marker), None) => answer.status == 503 && is_dark(marker),
        (None, _) => matches!(answer.status, 400 | 421),
        (Some(_), Some(_)) => false,
    }
}

impl Drill {
    /// Asks every listener in every spelling.
    pub(super) fn hosts(&self) -> Result<(), String> {
        for listener in Listener::all(&self.edge.target).map_err(|error| chain(&error))? {
            for (name, request) in SPELLINGS {
                let request = request
                    .replace("HOST", CANARY_HOST)
                    .replace("UPPER", &CANARY_HOST.to_uppercase());
                let client = listener.connect(CANARY_HOST);
                let mut client = client.map_err(|error| chain(&error))?;
                // A refused spelling may end the connection without an answer.
                match client.exchange(request.as_bytes(), false) {
                    Err(error) if name == PLAIN => return Err(chain(&error)),
                    Ok(answer) if !is_refusal(&answer) => {
                        let status = answer.status;
                        let what = "reached the dark canary, or a site";
                        return Err(format!("{listener}: {name} {what}: {status}"));
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }
}
