//! Spellings of a host (INCIDENT 8.1): a gate that is keyed by what a client sends lets some of
//! them past. None of them may reach a site that is dark.

use std::time::Instant;

use relight_model::Seen;

use crate::driver::{Lint, Target};
use crate::error::EdgeError;
use crate::http::Response;
use crate::probe::{GATE_HEADER, ProbeTarget, judge};
use crate::tls::Listener;

/// A name that nobody may have (RFC 2606): where it stands beside that of a site, a gate may look
/// at one and the way to the site at the other.
const NOBODY: &str = "nobody.invalid";

/// The spelling that every edge answers.
const PLAIN: &str = "plain";

/// One way to write the name of a site.
struct Spelling {
    name: &'static str,
    request: &'static str,
    /// The name of the site is in it.
    is_of_site: bool,
}

const fn of_site(name: &'static str, request: &'static str) -> Spelling {
    Spelling { name, request, is_of_site: true }
}

const fn of_nobody(name: &'static str, request: &'static str) -> Spelling {
    Spelling { name, request, is_of_site: false }
}

/// Those that confuse gates which are keyed by what a client sends. A method that changes nothing
/// stands for those that write: where the gate is open it reaches the site.
const SPELLINGS: [Spelling; 13] = [
    of_site(PLAIN, "GET / HTTP/1.1\r\nHost: HOST\r\n\r\n"),
    of_nobody("unknown host", "GET / HTTP/1.1\r\nHost: NOBODY\r\n\r\n"),
    of_nobody("HTTP/1.0 without a host", "GET / HTTP/1.0\r\n\r\n"),
    of_site("upper case", "GET / HTTP/1.1\r\nHost: UPPER\r\n\r\n"),
    of_site("port", "GET / HTTP/1.1\r\nHost: HOST:8080\r\n\r\n"),
    of_site("trailing dot", "GET / HTTP/1.1\r\nHost: HOST.\r\n\r\n"),
    of_site("dot and port", "GET / HTTP/1.1\r\nHost: HOST.:8080\r\n\r\n"),
    of_site("absolute form", "GET http://HOST/ HTTP/1.1\r\nHost: HOST\r\n\r\n"),
    of_site("other host in the address", "GET http://NOBODY/ HTTP/1.1\r\nHost: HOST\r\n\r\n"),
    of_site("other host in the header", "GET http://HOST/ HTTP/1.1\r\nHost: NOBODY\r\n\r\n"),
    of_site("two hosts", "GET / HTTP/1.1\r\nHost: HOST\r\nHost: NOBODY\r\n\r\n"),
    of_site("spaces", "GET / HTTP/1.1\r\nHost:   HOST  \r\n\r\n"),
    of_site("another method", "PROPFIND / HTTP/1.1\r\nHost: HOST\r\nContent-Length: 2\r\n\r\nab"),
];

/// What asking for a dark site in every spelling showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spelled {
    /// No spelling leads past the gate.
    Shut,
    /// One does: where, which, and the status that came.
    Past(String),
    /// Nobody knows: the edge did not answer, or there was no time.
    Untold,
}

impl Spelled {
    /// What two listeners, or two names, show together: the worse of the two.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Past(what), _) | (_, Self::Past(what)) => Self::Past(what),
            (Self::Untold, _) | (_, Self::Untold) => Self::Untold,
            (Self::Shut, Self::Shut) => Self::Shut,
        }
    }
}

/// Asks one listener for the canary, which is dark, in every spelling. Whatever the edge does not
/// refuse itself reached the canary or a site: nobody else has a name in it.
///
/// # Errors
/// The plain spelling has no answer.
pub fn spell_canary(listener: &Listener, target: &ProbeTarget) -> Result<Spelled, EdgeError> {
    for spelling in &SPELLINGS {
        let Some(answer) = ask(listener, spelling, &target.host)? else { continue };
        if !is_refusal(&answer, target.key.as_str()) {
            return Ok(past(listener, spelling, &answer));
        }
    }
    Ok(Spelled::Shut)
}

/// Asks one listener for a dark site in every spelling of its name. What is answered as the site
/// answers while it is lit got past the gate, unless names of nobody are answered so too; then
/// nobody can tell whose answer it is.
pub fn spell_site(listener: &Listener, target: &ProbeTarget, until: Instant) -> Spelled {
    let mut unknown = Vec::new();
    for spelling in &SPELLINGS {
        if Instant::now() >= until {
            return Spelled::Untold;
        }
        let answer = match ask(listener, spelling, &target.host) {
            Ok(Some(answer)) => answer,
            Ok(None) => continue,
            Err(_) => return Spelled::Untold,
        };
        if is_refusal(&answer, target.key.as_str()) {
            continue;
        }
        if !spelling.is_of_site {
            unknown.push(answer.status);
        } else if judge(target, &answer).seen == Seen::Lit && !unknown.contains(&answer.status) {
            return past(listener, spelling, &answer);
        }
    }
    Spelled::Shut
}

/// Listeners that do not refuse names that nobody serves. One that does not answer is told
/// elsewhere.
///
/// # Errors
/// As [`Listener::all`].
pub fn open_to_nobody(target: &Target) -> Result<Vec<Lint>, EdgeError> {
    let mut found = Vec::new();
    for listener in Listener::all(target)? {
        for spelling in SPELLINGS.iter().filter(|spelling| !spelling.is_of_site) {
            let Ok(Some(answer)) = ask(&listener, spelling, crate::config::CANARY_HOST) else {
                continue;
            };
            if !is_refusal(&answer, "") {
                let place = format!("{listener}: {}: {}", spelling.name, answer.status);
                found.push(Lint::error("default-open", place));
                break;
            }
        }
    }
    Ok(found)
}

/// One request on a connection of its own. A refused spelling may end the connection without an
/// answer.
fn ask(
    listener: &Listener,
    spelling: &Spelling,
    host: &str,
) -> Result<Option<Response>, EdgeError> {
    let request = spelling
        .request
        .replace("NOBODY", NOBODY)
        .replace("HOST", host)
        .replace("UPPER", &host.to_uppercase());
    let answer = listener.connect(host)?.exchange(request.as_bytes(), false);
    match answer {
        Err(error) if spelling.name == PLAIN => Err(error),
        answer => Ok(answer.ok()),
    }
}

fn past(listener: &Listener, spelling: &Spelling, answer: &Response) -> Spelled {
    Spelled::Past(format!("{listener}: {}: {}", spelling.name, answer.status))
}

/// Whether the edge itself answered so: nobody is served under that name, that is no request, or
/// the gate of this key is closed. A site behind it may answer anything else, 401 and 404 too.
fn is_refusal(answer: &Response, key: &str) -> bool {
    let mut markers = answer.values(GATE_HEADER);
    let is_dark = |marker: &str| marker.strip_prefix("dark=1; site=").is_some_and(|it| it == key);
    match (markers.next(), markers.next()) {
        (Some(marker), None) => answer.status == 503 && is_dark(marker),
        (None, _) => matches!(answer.status, 400 | 421),
        (Some(_), Some(_)) => false,
    }
}
