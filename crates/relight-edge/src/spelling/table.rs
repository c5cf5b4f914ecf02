//! The ways to write the name of a site that confuse gates which are keyed by what a client sends.

use std::time::{Duration, Instant};

use super::Came;
use crate::config::CANARY_HOST;
use crate::error::EdgeError;
use crate::http2::Said;
use crate::tls::{Listener, Under, cause_of, is_refused};

/// A name that nobody may have (RFC 2606): where it stands beside that of a site, a gate may look
/// at one and the way to the site at the other.
const NOBODY: &str = "nobody.invalid";

/// The spelling that every edge answers.
pub(super) const PLAIN: &str = "plain";

/// The one that is no spelling, and asks with another method.
pub(super) const METHOD: &str = "another method";

/// What that method sends along.
const BODY: &[u8] = b"ab";

/// Longest time for the answer to one spelling, so that one that hangs leaves time for the others.
pub const SPELLING_WAIT_MAX: Duration = Duration::from_secs(1);

/// One way to write the name of a site.
pub(super) struct Spelling {
    pub(super) name: &'static str,
    written: Written,
    /// The name of the site is in it.
    pub(super) is_of_site: bool,
    /// Hands are shaken for another name, as on a connection that a browser uses again.
    is_under_other: bool,
}

/// What is sent: bytes, or the fields that name a host.
enum Written {
    Http1(&'static str),
    Http2(&'static [(&'static str, &'static str)]),
}

const fn of_site(name: &'static str, request: &'static str) -> Spelling {
    Spelling { name, written: Written::Http1(request), is_of_site: true, is_under_other: false }
}

const fn of_nobody(name: &'static str, request: &'static str) -> Spelling {
    Spelling { is_of_site: false, ..of_site(name, request) }
}

type Fields = &'static [(&'static str, &'static str)];

const fn fields(name: &'static str, fields: Fields) -> Spelling {
    Spelling { name, written: Written::Http2(fields), is_of_site: true, is_under_other: false }
}

const fn fields_of_nobody(name: &'static str, of: Fields) -> Spelling {
    Spelling { is_of_site: false, ..fields(name, of) }
}

const fn under_other(spelling: Spelling) -> Spelling {
    Spelling { is_under_other: true, ..spelling }
}

const AUTHORITY: &str = ":authority";
const PATH: &str = ":path";

/// Those of HTTP/1. The canary is asked with the method of those who write. Of a site, one that
/// changes nothing stands for it: where the gate is open it reaches the site.
pub(super) const HTTP1: [Spelling; 14] = [
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
    under_other(of_site("other host under TLS", "GET / HTTP/1.1\r\nHost: HOST\r\n\r\n")),
    of_site(METHOD, "METHOD / HTTP/1.1\r\nHost: HOST\r\nContent-Length: 2\r\n\r\nab"),
];

/// Those of HTTP/2, where a host stands in `:authority`, in `host`, or in both.
pub(super) const HTTP2: [Spelling; 17] = [
    fields(PLAIN, &[(AUTHORITY, "HOST")]),
    fields_of_nobody("unknown host", &[(AUTHORITY, "NOBODY")]),
    fields_of_nobody("no host", &[]),
    fields("upper case", &[(AUTHORITY, "UPPER")]),
    fields("port", &[(AUTHORITY, "HOST:8080")]),
    fields("trailing dot", &[(AUTHORITY, "HOST.")]),
    fields("dot and port", &[(AUTHORITY, "HOST.:8080")]),
    fields("user", &[(AUTHORITY, "NOBODY@HOST")]),
    fields("host without an authority", &[("host", "HOST")]),
    fields("other host in the authority", &[(AUTHORITY, "NOBODY"), ("host", "HOST")]),
    fields("other host in the header", &[(AUTHORITY, "HOST"), ("host", "NOBODY")]),
    fields("two authorities", &[(AUTHORITY, "NOBODY"), (AUTHORITY, "HOST")]),
    fields("two hosts", &[("host", "NOBODY"), ("host", "HOST")]),
    fields("spaces", &[(AUTHORITY, " HOST ")]),
    fields("absolute form", &[(AUTHORITY, "NOBODY"), (PATH, "SCHEME://HOST/")]),
    under_other(fields("other host under TLS", &[(AUTHORITY, "HOST")])),
    fields(METHOD, &[(AUTHORITY, "HOST")]),
];

impl Spelling {
    /// Its name among those of both protocols.
    pub(super) fn full_name(&self) -> String {
        match self.written {
            Written::Http1(_) => self.name.to_owned(),
            Written::Http2(_) => format!("HTTP/2, {}", self.name),
        }
    }

    /// Whether there is anything to try at this listener.
    pub(super) fn is_for(&self, listener: &Listener) -> bool {
        !self.is_under_other || listener.is_secured()
    }

    /// One request on a connection of its own.
    pub(super) fn ask(
        &self,
        listener: &Listener,
        host: &str,
        until: Instant,
    ) -> Result<Came, EdgeError> {
        let wait = until.saturating_duration_since(Instant::now()).min(SPELLING_WAIT_MAX);
        if wait.is_zero() {
            return Ok(Came::Late);
        }
        let other = if host == CANARY_HOST { NOBODY } else { CANARY_HOST };
        let under = if self.is_under_other { Under::Other(other) } else { Under::Host(host) };
        let came = match self.written {
            Written::Http1(request) => of_http1(listener, under, &fill(request, host, ""), wait),
            Written::Http2(fields) => self.of_http2(listener, under, (fields, host), wait),
        };
        match came {
            Err(error) if self.is_under_other && is_refused(&error) => Ok(Came::Refused),
            Ok(Came::Unspoken) if self.is_under_other => Ok(Came::Refused),
            came => came,
        }
    }

    fn of_http2(
        &self,
        listener: &Listener,
        under: Under<'_>,
        (fields, host): (Fields, &str),
        wait: Duration,
    ) -> Result<Came, EdgeError> {
        let Some(connection) = listener.connect_http2(under, wait)? else {
            return Ok(Came::Unspoken);
        };
        let (scheme, body) = (scheme(listener), if self.name == METHOD { BODY } else { &[] });
        let method = if self.name == METHOD { fill("METHOD", host, scheme) } else { "GET".into() };
        let mut all = vec![(":method", method), (":scheme", scheme.to_owned())];
        if !fields.iter().any(|(name, _)| *name == PATH) {
            all.push((PATH, "/".to_owned()));
        }
        all.extend(fields.iter().map(|(name, value)| (*name, fill(value, host, scheme))));
        let all: Vec<_> = all.iter().map(|(name, value)| (*name, value.as_str())).collect();
        Ok(match connection.ask(&all, body) {
            Ok(Said::Answer(answer)) => Came::Answer(answer),
            Ok(Said::Refused) => Came::Refused,
            Err(cause) => Came::none(&cause),
        })
    }
}

fn of_http1(
    listener: &Listener,
    under: Under<'_>,
    request: &str,
    wait: Duration,
) -> Result<Came, EdgeError> {
    let mut connection = listener.connect_under(under)?;
    connection.answer_wait_max = wait;
    Ok(match connection.exchange(request.as_bytes(), false) {
        Ok(answer) => Came::Answer(answer),
        Err(error) => cause_of(&error).map_or(Came::Nothing, Came::none),
    })
}

fn scheme(listener: &Listener) -> &'static str {
    if listener.is_secured() { "https" } else { "http" }
}

/// The words in capitals are what the spelling is about.
fn fill(text: &str, host: &str, scheme: &str) -> String {
    text.replace("METHOD", if host == CANARY_HOST { "POST" } else { "PROPFIND" })
        .replace("SCHEME", scheme)
        .replace("NOBODY", NOBODY)
        .replace("HOST", host)
        .replace("UPPER", &host.to_uppercase())
}
