//! Spellings of a host (INCIDENT 8.1): a gate that is keyed by what a client sends lets some of
//! them past. None of them may reach a site that is dark.

mod table;

use std::fmt::Display;
use std::io;
use std::time::Instant;

use relight_model::Seen;

use crate::config::CANARY_HOST;
use crate::driver::{Lint, Target};
use crate::error::EdgeError;
use crate::http::Response;
use crate::probe::{GATE_HEADER, ProbeTarget, judge};
use crate::tls::{Listener, Under, is_alert};

pub use table::SPELLING_WAIT_MAX;
use table::{HTTP1, HTTP2, METHOD, PLAIN, Spelling};

/// What is said of a spelling to which no answer came.
const NO_ANSWER: &str = "no answer";
const LATE: &str = "no answer in time";
/// What is said of one to which an answer came that nobody can read.
const UNREAD: &str = "no answer that can be read";
/// What is said of one on a connection on which HTTP/2 was not spoken, unlike on another.
const UNSPOKEN: &str = "no HTTP/2";

/// Code of a listener under TLS that does not speak HTTP/2: nothing is known of it there, because
/// there is nothing to ask.
pub const HTTP2_UNSPOKEN: &str = "http2-unspoken";

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
    /// The edge says itself that this is no request, or shakes no hands for another name.
    Refused,
    /// It was ended without an answer.
    Nothing,
    /// Nothing in time.
    Late,
    /// An answer that cannot be read, or that shows nothing of the request.
    Unread,
    /// The listener does not speak HTTP/2.
    Unspoken,
}

/// The spellings of each protocol.
const PROTOCOLS: [&[Spelling]; 2] = [&HTTP1, &HTTP2];

/// Asks one listener for the canary, which is dark, in every spelling. Whatever the edge does not
/// refuse itself reached the canary or a site: nobody else has a name in it. To end the connection
/// without an answer is to refuse. HTTP/2 is asked for where it is spoken.
pub fn spell_canary(listener: &Listener, target: &ProbeTarget, until: Instant) -> Spelled {
    let of = |spellings: &&[Spelling]| spell_canary_in(spellings, listener, target, until);
    together(PROTOCOLS.iter().map(of))
}

/// Asks one listener for a dark site in every spelling of its name, over HTTP/2 too where it is
/// spoken. What is answered as the site answers while it is lit got past the gate, unless names of
/// nobody are answered so too; then nobody can tell whose answer it is. Nobody can either of any
/// other answer that is no refusal of the edge, of none, or where the name as it is is not refused:
/// then its gate is open.
pub fn spell_site(listener: &Listener, target: &ProbeTarget, until: Instant) -> Spelled {
    let of = |spellings: &&[Spelling]| spell_site_in(spellings, listener, target, until);
    together(PROTOCOLS.iter().map(of))
}

/// The first one that leads past the gate ends it.
fn together(each: impl Iterator<Item = Spelled>) -> Spelled {
    let mut all = Spelled::Shut;
    for one in each {
        all = all.and(one);
        if matches!(all, Spelled::Past(_)) {
            break;
        }
    }
    all
}

fn spell_canary_in(
    spellings: &[Spelling],
    listener: &Listener,
    target: &ProbeTarget,
    until: Instant,
) -> Spelled {
    let mut all = Spelled::Shut;
    for spelling in spellings.iter().filter(|it| it.is_for(listener)) {
        let is_plain = spelling.name == PLAIN;
        let what = match spelling.ask(listener, &target.host, until) {
            Ok(Came::Answer(answer)) if is_refusal(&answer, target.key.as_str()) => continue,
            Ok(Came::Answer(answer)) => {
                return Spelled::Past(place(listener, spelling, answer.status));
            }
            Ok(Came::Refused | Came::Nothing) if !is_plain => continue,
            Ok(Came::Unspoken) if is_plain => break,
            Ok(none) => place(listener, spelling, none.why()),
            Err(error) => return Spelled::Untold(place(listener, spelling, error)),
        };
        all = all.and(Spelled::Untold(what));
    }
    all
}

fn spell_site_in(
    spellings: &[Spelling],
    listener: &Listener,
    target: &ProbeTarget,
    until: Instant,
) -> Spelled {
    let (mut all, mut unknown) = (Spelled::Shut, Vec::new());
    for spelling in spellings.iter().filter(|it| it.is_for(listener)) {
        let is_plain = spelling.name == PLAIN;
        let what = match spelling.ask(listener, &target.host, until) {
            Ok(Came::Answer(answer)) if is_refusal(&answer, target.key.as_str()) => continue,
            Ok(Came::Answer(answer)) if !spelling.is_of_site => {
                unknown.push(answer.status);
                continue;
            }
            Ok(Came::Answer(answer)) => {
                let what = place(listener, spelling, answer.status);
                let is_own = spelling.is_own(target, &answer) && !unknown.contains(&answer.status);
                // The gate may have been opened since the name was asked for as it is.
                if is_own && is_shut(&spellings[0], listener, target, until) {
                    return Spelled::Past(what);
                }
                what
            }
            Ok(Came::Refused) if !is_plain => continue,
            Ok(Came::Unspoken) if is_plain => break,
            // No answer to a name that is not of the site says nothing of the site.
            Ok(_) if !spelling.is_of_site => continue,
            Ok(none) => place(listener, spelling, none.why()),
            Err(error) => place(listener, spelling, error),
        };
        let is_over = is_plain || Instant::now() >= until;
        all = all.and(Spelled::Untold(what));
        if is_over {
            break;
        }
    }
    all
}

/// Whether the edge refuses the name as it is.
fn is_shut(plain: &Spelling, listener: &Listener, target: &ProbeTarget, until: Instant) -> bool {
    let plain = plain.ask(listener, &target.host, until);
    matches!(plain, Ok(Came::Answer(answer)) if is_refusal(&answer, target.key.as_str()))
}

impl Came {
    /// Why there is no answer: a peer that ends what it does not want refuses it, but one whose
    /// answer is beyond us may be the site.
    fn none(cause: &io::Error) -> Self {
        match cause.kind() {
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Self::Late,
            io::ErrorKind::InvalidData if !is_alert(cause) => Self::Unread,
            _ => Self::Nothing,
        }
    }

    /// What it means that there is no answer.
    const fn why(&self) -> &'static str {
        match self {
            Self::Late => LATE,
            Self::Unread => UNREAD,
            Self::Unspoken => UNSPOKEN,
            Self::Answer(_) | Self::Refused | Self::Nothing => NO_ANSWER,
        }
    }
}

impl Spelling {
    /// Whether the site answers so while it is lit. An edge may refuse methods itself.
    fn is_own(&self, target: &ProbeTarget, answer: &Response) -> bool {
        let is_of_method = self.name == METHOD && matches!(answer.status, 403 | 405 | 501);
        !is_of_method && judge(target, answer).seen == Seen::Lit
    }
}

/// The listeners under TLS that do not speak HTTP/2, though every browser would: what is asked for
/// there in its spellings is nothing. One that does not answer is told elsewhere.
///
/// # Errors
/// As [`Listener::all`].
pub fn without_http2(target: &Target) -> Result<Vec<Lint>, EdgeError> {
    let listeners = Listener::all(target)?;
    let lacks = |listener: &&Listener| listener.is_secured() && lacks_http2(listener);
    let lint = |listener: &Listener| Lint::warning(HTTP2_UNSPOKEN, listener.to_string());
    Ok(listeners.iter().filter(lacks).map(lint).collect())
}

/// Whether a listener is seen not to speak HTTP/2.
pub fn lacks_http2(listener: &Listener) -> bool {
    let begun = listener.connect_http2(Under::Host(CANARY_HOST), SPELLING_WAIT_MAX);
    matches!(begun, Ok(None))
}

/// Listeners that do not refuse names that nobody serves. One that does not answer is told
/// elsewhere.
///
/// # Errors
/// As [`Listener::all`].
pub fn open_to_nobody(target: &Target) -> Result<Vec<Lint>, EdgeError> {
    let mut found = Vec::new();
    for listener in Listener::all(target)? {
        let all = PROTOCOLS.into_iter().flatten();
        for spelling in all.filter(|spelling| !spelling.is_of_site) {
            let until = Instant::now() + SPELLING_WAIT_MAX;
            let Ok(Came::Answer(answer)) = spelling.ask(&listener, CANARY_HOST, until) else {
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

/// What came of one spelling, and where.
fn place(listener: &Listener, spelling: &Spelling, came: impl Display) -> String {
    format!("{listener}: {}: {came}", spelling.full_name())
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
