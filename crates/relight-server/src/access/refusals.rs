//! Refused requests, for the journal: who tried what the rules do not let him do, and which rule it
//! was. What people mistype and read is not written down, only what they were not allowed; and what
//! failed by a fault of ours.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request};
use axum::http::{Method, StatusCode};
use axum::response::Response;

use super::form::Sender;
use super::limit::Trial;
use super::signed_in::SignedIn;
use super::{Door, Noted};
use crate::console::Console;

/// Longest path that is written down, in bytes: a stranger can ask for any.
const PATH_BYTES_MAX: usize = 200;

/// Which rule refused a request: stands beside the answer, for the journal.
#[derive(Clone, Debug)]
pub(crate) struct Because(pub(crate) String);

/// The answer with the rule that it follows.
pub(crate) fn because(mut response: Response, code: impl Into<String>) -> Response {
    response.extensions_mut().insert(Because(code.into()));
    response
}

/// What somebody tried.
#[derive(Debug)]
pub(crate) struct Tried {
    method: Method,
    path: String,
    from: Sender,
}

impl Tried {
    /// Reads it from a request. What stands after `?` is left out: it may hold a secret.
    pub(crate) fn of(request: &Request, door: &Door) -> Self {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        let peer: Option<IpAddr> = peer.map(|peer| peer.0.ip());
        let path = request.uri().path();
        Self {
            method: request.method().clone(),
            path: path[..path.floor_char_boundary(PATH_BYTES_MAX)].to_owned(),
            from: Sender::of(request.headers(), peer, &door.address),
        }
    }

    /// What its answer is called in the journal, if it stands there.
    fn act(&self, status: StatusCode, is_open: bool, is_told: bool) -> Option<&'static str> {
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            return Some("request-failed");
        }
        self.is_refused(status, is_open, is_told).then_some("request-refused")
    }

    /// Whether its answer is a refusal that somebody may want to know of: of a page that is not for
    /// him, or of anything that would have changed something. The ways to sign in have entries of
    /// their own, but for what no page of ours sends.
    fn is_refused(&self, status: StatusCode, is_open: bool, is_told: bool) -> bool {
        let is_reading = matches!(self.method, Method::GET | Method::HEAD);
        match status {
            StatusCode::NOT_FOUND if is_reading => false,
            _ if is_told => status.is_client_error(),
            _ if is_open => false,
            StatusCode::FORBIDDEN => true,
            StatusCode::METHOD_NOT_ALLOWED => false,
            _ => !is_reading && status.is_client_error(),
        }
    }
}

/// What an answer is, and which rule it follows.
pub(crate) type Told = (StatusCode, Option<String>);

/// Reads that from an answer.
pub(crate) fn told(response: &Response) -> Told {
    let why = response.extensions().get::<Because>().map(|because| because.0.clone());
    (response.status(), why)
}

/// Writes a refusal or a failure into the journal, before it is told; a flood of them is counted,
/// not written.
pub(crate) async fn note(
    console: &Arc<Console>,
    (tried, is_open): (Tried, bool),
    signed: Option<SignedIn>,
    (status, why): Told,
) {
    let Some(act) = tried.act(status, is_open, why.is_some()) else { return };
    let console = Arc::clone(console);
    let work = move || {
        let who = signed.map(|signed| signed.account.name).unwrap_or_default();
        // The answer is what it is, whatever becomes of its entry.
        let _ = console.door.note_refusal((act, &tried), &who, status, why.as_deref());
    };
    let _ = tokio::task::spawn_blocking(work).await;
}

impl Door {
    fn note_refusal(
        &self,
        (act, tried): (&'static str, &Tried),
        who: &str,
        status: StatusCode,
        why: Option<&str>,
    ) -> Result<(), crate::ServerError> {
        let limits = if who.is_empty() { &self.strangers } else { &self.refusals };
        let Some(untold) = limits.tells(Trial::Allowed, self.now()) else { return Ok(()) };
        let status = status.as_u16();
        let why = why.unwrap_or_default();
        let mut facts: Vec<(&str, &dyn std::fmt::Display)> = vec![
            ("address", &tried.from.address),
            ("method", &tried.method),
            ("path", &tried.path),
            ("status", &status),
        ];
        if !why.is_empty() {
            facts.push(("why", &why));
        }
        if untold > 0 {
            facts.push(("untold", &untold));
        }
        let actor = if who.is_empty() { "unknown" } else { who };
        self.note(actor, Noted { act, account: who, facts: &facts })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(method: Method) -> Tried {
        Tried { method, path: "/plan".into(), from: Sender::default() }
    }

    #[test]
    fn what_is_refused_is_told_apart_from_what_is_mistyped() {
        let (get, post) = (tried(Method::GET), tried(Method::POST));
        for (status, by_get, by_post) in [
            (200, false, false),
            (303, false, false),
            (401, false, true),
            (403, true, true),
            (404, false, true),
            (405, false, false),
            (409, false, true),
            (413, false, true),
            (422, false, true),
            (500, false, false),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(get.is_refused(status, false, false), by_get, "{status}");
            assert_eq!(post.is_refused(status, false, false), by_post, "{status}");
            let failed = (status == StatusCode::INTERNAL_SERVER_ERROR).then_some("request-failed");
            assert_eq!(get.act(status, true, false), failed, "{status}");
            assert!(!post.is_refused(status, true, false), "the door has told of {status}");
            assert_eq!(post.is_refused(status, true, true), status.is_client_error(), "{status}");
        }
    }

    #[test]
    fn a_path_is_written_down_without_its_query_and_not_without_end() {
        let door =
            Door::open(None, crate::access::Address::parse("http://localhost:1").unwrap(), || 0)
                .unwrap();
        let of = |uri: &str| {
            let request = Request::builder().uri(uri).body(axum::body::Body::empty()).unwrap();
            Tried::of(&request, &door).path
        };
        assert_eq!(of("/start?code=secret"), "/start");
        let long = format!("/{}", "x".repeat(PATH_BYTES_MAX));
        assert_eq!(of(&long).len(), PATH_BYTES_MAX);
    }
}
