//! Spellings of a host (INCIDENT 8.1): a gate that is keyed by what a client sends lets some of
//! them past. None of them may reach a site that is dark.

use std::fmt::Display;
use std::time::{Duration, Instant};

use relight_model::Seen;

use crate::config::CANARY_HOST;
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

/// What is said of a spelling to which no answer came.
const NO_ANSWER: &str = "no answer";
const LATE: &str = "no answer in time";

/// The one that is no spelling, and asks with another method.
const METHOD: &str = "another method";

/// Longest time for the answer to one spelling, so that one that hangs leaves time for the others.
pub const SPELLING_WAIT_MAX: Duration = Duration::from_secs(1);

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

/// Those that confuse gates which are keyed by what a client sends. The canary is asked with the
/// method of those who write. Of a site, one that changes nothing stands for it: where the gate is
/// open it reaches the site.
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
    of_site(METHOD, "METHOD / HTTP/1.1\r\nHost: HOST\r\nContent-Length: 2\r\n\r\nab"),
];

/// What asking for a dark site in every spelling showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spelled {
    /// The edge refused every spelling itself.
    Shut,
    /// One leads past the gate: where, which, and the status that came.
    Past(String),
    /// Nobody knows: what could not be told, empty where nobody could ask.
    Untold(String),
}

impl Spelled {
    /// What two listeners, or two names, show together: the worse of the two.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Past(what), _) | (_, Self::Past(what)) => Self::Past(what),
            (Self::Untold(what), _) | (_, Self::Untold(what)) => Self::Untold(what),
            (Self::Shut, Self::Shut) => Self::Shut,
        }
    }
}

/// What came on a connection.
enum Came {
    Answer(Response),
    /// It was ended without an answer.
    Nothing,
    /// Nothing in time.
    Late,
}

/// Asks one listener for the canary, which is dark, in every spelling. Whatever the edge does not
/// refuse itself reached the canary or a site: nobody else has a name in it. To end the connection
/// without an answer is to refuse.
pub fn spell_canary(listener: &Listener, target: &ProbeTarget, until: Instant) -> Spelled {
    let mut all = Spelled::Shut;
    for spelling in &SPELLINGS {
        let what = match ask(listener, spelling, &target.host, until) {
            Ok(Came::Answer(answer)) if is_refusal(&answer, target.key.as_str()) => continue,
            Ok(Came::Answer(answer)) => {
                return Spelled::Past(place(listener, spelling, answer.status));
            }
            Ok(Came::Nothing) if spelling.name != PLAIN => continue,
            Ok(Came::Nothing) => place(listener, spelling, NO_ANSWER),
            Ok(Came::Late) => place(listener, spelling, LATE),
            Err(error) => return Spelled::Untold(place(listener, spelling, error)),
        };
        all = all.and(Spelled::Untold(what));
    }
    all
}

/// Asks one listener for a dark site in every spelling of its name. What is answered as the site
/// answers while it is lit got past the gate, unless names of nobody are answered so too; then
/// nobody can tell whose answer it is. Nobody can either of any other answer that is no refusal of
/// the edge, of none, or where the name as it is is not refused: then its gate is open.
pub fn spell_site(listener: &Listener, target: &ProbeTarget, until: Instant) -> Spelled {
    let (mut all, mut unknown) = (Spelled::Shut, Vec::new());
    for spelling in &SPELLINGS {
        let what = match ask(listener, spelling, &target.host, until) {
            Ok(Came::Answer(answer)) if is_refusal(&answer, target.key.as_str()) => continue,
            Ok(Came::Answer(answer)) if !spelling.is_of_site => {
                unknown.push(answer.status);
                continue;
            }
            Ok(Came::Answer(answer)) => {
                let what = place(listener, spelling, answer.status);
                let is_own = spelling.is_own(target, &answer) && !unknown.contains(&answer.status);
                // The gate may have been opened since the name was asked for as it is.
                if is_own && is_shut(listener, target, until) {
                    return Spelled::Past(what);
                }
                what
            }
            // No answer to a name that is not of the site says nothing of the site.
            Ok(_) if !spelling.is_of_site => continue,
            Ok(Came::Nothing) => place(listener, spelling, NO_ANSWER),
            Ok(Came::Late) => place(listener, spelling, LATE),
            Err(error) => place(listener, spelling, error),
        };
        let is_over = spelling.name == PLAIN || Instant::now() >= until;
        all = all.and(Spelled::Untold(what));
        if is_over {
            break;
        }
    }
    all
}

/// Whether the edge refuses the name as it is.
fn is_shut(listener: &Listener, target: &ProbeTarget, until: Instant) -> bool {
    let plain = ask(listener, &SPELLINGS[0], &target.host, until);
    matches!(plain, Ok(Came::Answer(answer)) if is_refusal(&answer, target.key.as_str()))
}

impl Spelling {
    /// Whether the site answers so while it is lit. An edge may refuse methods itself.
    fn is_own(&self, target: &ProbeTarget, answer: &Response) -> bool {
        let is_of_method = self.name == METHOD && matches!(answer.status, 403 | 405 | 501);
        !is_of_method && judge(target, answer).seen == Seen::Lit
    }
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
            let until = Instant::now() + SPELLING_WAIT_MAX;
            let Ok(Came::Answer(answer)) = ask(&listener, spelling, CANARY_HOST, until) else {
                continue;
            };
            if !is_refusal(&answer, "") {
                let place = place(&listener, spelling, answer.status);
                found.push(Lint::error("default-open", place));
                break;
            }
        }
    }
    Ok(found)
}

/// One request on a connection of its own.
fn ask(
    listener: &Listener,
    spelling: &Spelling,
    host: &str,
    until: Instant,
) -> Result<Came, EdgeError> {
    let wait = until.saturating_duration_since(Instant::now()).min(SPELLING_WAIT_MAX);
    if wait.is_zero() {
        return Ok(Came::Late);
    }
    let request = spelling
        .request
        .replace("METHOD", if host == CANARY_HOST { "POST" } else { "PROPFIND" })
        .replace("NOBODY", NOBODY)
        .replace("HOST", host)
        .replace("UPPER", &host.to_uppercase());
    let mut connection = listener.connect(host)?;
    connection.answer_wait_max = wait;
    let begun = Instant::now();
    Ok(match connection.exchange(request.as_bytes(), false) {
        Ok(answer) => Came::Answer(answer),
        Err(_) if begun.elapsed() >= wait => Came::Late,
        Err(_) => Came::Nothing,
    })
}

/// What came of one spelling, and where.
fn place(listener: &Listener, spelling: &Spelling, came: impl Display) -> String {
    format!("{listener}: {}: {came}", spelling.name)
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

#[cfg(test)]
mod tests;
