//! Asking a server of ours over its API, with a token.

use std::fmt;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use ureq::http::{HeaderValue, Response, StatusCode, header};
use ureq::{Body, Error as Cause, RequestBuilder};

use super::client::{Client, Fault, cut, fault_of, refusal};
use super::feed::is_asked;

/// Most bytes of one answer of the API.
const ANSWER_BYTES_MAX: u64 = 16 << 20;

/// Longest wait for a whole answer of the API, in seconds: a plan of every site takes a while.
const ANSWER_S_MAX: u64 = 120;

/// A server, and the token that it is asked with.
pub struct Asker {
    client: Client,
    origin: String,
    bearer: Option<HeaderValue>,
    wait_max: Duration,
}

/// The status of an answer, and the document in it.
pub type Answered = (u16, serde_json::Value);

impl fmt::Debug for Asker {
    /// Without the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asker").field("origin", &self.origin).finish_non_exhaustive()
    }
}

impl Asker {
    /// Asks the server at this address (`https://relight.example`, `http://localhost:8420`) and
    /// believes these authorities, or those of the system.
    ///
    /// # Errors
    /// `insecure`: the token would go through the net in the clear; `token`: it is none; or the
    /// authorities cannot be read. No error holds the token.
    pub fn new(authorities: Option<&Path>, url: &str, token: &str) -> Result<Self, Fault> {
        let asker = Self::without_token(authorities, url)?;
        let bearer = HeaderValue::from_str(&format!("Bearer {}", token.trim()));
        let mut bearer = bearer.map_err(|_| Fault::new("token", &asker.origin, "no token"))?;
        bearer.set_sensitive(true);
        Ok(Self { bearer: Some(bearer), ..asker })
    }

    /// The same with nothing to show: to be let in.
    ///
    /// # Errors
    /// As [`Asker::new`]: what comes back may be a token.
    pub fn without_token(authorities: Option<&Path>, url: &str) -> Result<Self, Fault> {
        let origin = url.trim().trim_end_matches('/').to_owned();
        if !is_asked(&origin) || origin.contains('?') {
            return Err(Fault::new("insecure", "the address", "https, or this machine"));
        }
        let wait_max = Duration::from_secs(ANSWER_S_MAX);
        Ok(Self { client: Client::new(authorities)?, origin, bearer: None, wait_max })
    }

    /// Sends a document. A server that is busy says so in `busy`, and until when, where that is no
    /// document. Where the server leads elsewhere, nobody follows with the token.
    ///
    /// # Errors
    /// No answer came that can be read.
    pub fn post(&self, path: &str, document: &serde_json::Value) -> Result<Answered, Fault> {
        let url = format!("{}{path}", self.origin);
        let request = self.client.agent(&self.origin).post(&url).config();
        let request = request.max_redirects(0).timeout_global(Some(self.wait_max)).build();
        let request = self.shown(request);
        let request = request.header(header::CONTENT_TYPE, "application/json");
        read(&url, request.send(document.to_string()))
    }

    /// Asks for a document, as [`Asker::post`] sends one.
    ///
    /// # Errors
    /// No answer came that can be read.
    pub fn get(&self, path: &str) -> Result<Answered, Fault> {
        let url = format!("{}{path}", self.origin);
        let request = self.client.agent(&self.origin).get(&url).config();
        let request = request.max_redirects(0).timeout_global(Some(self.wait_max)).build();
        read(&url, self.shown(request).call())
    }

    /// A request with the token, where there is one.
    fn shown<B>(&self, request: RequestBuilder<B>) -> RequestBuilder<B> {
        match &self.bearer {
            Some(bearer) => request.header(header::AUTHORIZATION, bearer.clone()),
            None => request,
        }
    }
}

fn read(url: &str, answer: Result<Response<Body>, Cause>) -> Result<Answered, Fault> {
    let (head, body) = answer.map_err(|cause| fault_of(url, &cause))?.into_parts();
    let mut bytes = Vec::new();
    let reader = body.into_with_config().limit(u64::MAX).reader();
    let read = reader.take(ANSWER_BYTES_MAX + 1).read_to_end(&mut bytes);
    let count = read.map_err(|cause| cut(url, &cause))?;
    if count as u64 > ANSWER_BYTES_MAX {
        let cause = format!("more than {ANSWER_BYTES_MAX} bytes");
        return Err(Fault::new("too-long", url, cause));
    }
    match serde_json::from_slice(&bytes) {
        Ok(document) => Ok((head.status.as_u16(), document)),
        // What is no document of ours is a proxy's, or of another program.
        Err(_) if head.status != StatusCode::OK => Err(refusal(url, head.status, &head.headers)),
        Err(cause) => Err(Fault::new("answer", url, cause)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::loopback::{Page, Server, fixture};
    use super::*;

    #[test]
    fn a_token_goes_nowhere_in_the_clear() {
        for (url, is_good) in [
            ("https://relight.example/", true),
            ("http://localhost:8420", true),
            ("http://127.0.0.1:1", true),
            ("http://[::1]", true),
            ("http://relight.example", false),
            ("http://localhost.example", false),
            ("http://localhost:x@relight.example", false),
            ("https://somebody:secret@relight.example", false),
            ("http://localhost?@relight.example", false),
            ("http://localhost#@relight.example", false),
            ("relight.example", false),
            ("ftp://localhost", false),
            ("", false),
        ] {
            let made = Asker::new(None, url, "rlt_x");
            assert_eq!(made.is_ok(), is_good, "{url}");
            assert!(made.err().is_none_or(|fault| fault.code == "insecure"), "{url}");
        }
    }

    #[test]
    fn no_error_and_no_debug_text_holds_the_token() {
        let torn = Asker::new(None, "http://localhost", "rlt_se\ncret").unwrap_err();
        assert!(torn.code == "token" && !format!("{torn:?}").contains("cret"), "{torn:?}");
        let asker = Asker::new(None, "http://localhost", "rlt_secret\n").unwrap();
        assert!(!format!("{asker:?}").contains("secret"), "{asker:?}");
    }

    #[test]
    fn a_server_is_believed_by_its_certificate_only() {
        let server = Server::secure("localhost.pem");
        server.put("/a", Page::text("{\"a\":1}"));
        let ask = |ca: &str| {
            let asker = Asker::new(Some(&fixture(ca)), &server.url(""), "rlt_x").unwrap();
            asker.post("/a", &json!({})).map_err(|fault| fault.code)
        };
        assert_eq!(ask("ca.pem"), Ok((200, json!({"a": 1}))));
        assert_eq!(ask("stranger.pem"), Err("certificate"));
        let heads = server.asked().concat().to_ascii_lowercase();
        assert_eq!(heads.matches("authorization: bearer rlt_x").count(), 1, "{heads}");
    }

    #[test]
    fn an_answer_leads_nowhere_and_ends() {
        let (server, other) = (Server::plain(), Server::plain());
        other.put("/a", Page::text("{}"));
        server.put("/away", Page::status(307).header("Location", &other.url("/a")));
        server.put("/page", Page::text("<html>"));
        server.put("/busy", Page::status(429).header("Retry-After", "7"));
        server.put("/long", Page::text(vec![b' '; ANSWER_BYTES_MAX as usize + 1]));
        server.put("/slow", Page::text("{\"a\":1}").stalls(3));
        let mut asker = Asker::new(None, &server.url(""), "rlt_x").unwrap();
        let ask = |asker: &Asker, path: &str| asker.post(path, &json!({})).unwrap_err().code;
        assert_eq!(ask(&asker, "/away"), "status");
        let busy = asker.post("/busy", &json!({})).unwrap_err();
        assert_eq!((busy.code, busy.retry_after_s), ("busy", Some(7)));
        assert_eq!(ask(&asker, "/page"), "answer");
        assert_eq!(ask(&asker, "/long"), "too-long");
        asker.wait_max = Duration::from_secs(1);
        assert_eq!(ask(&asker, "/slow"), "timed-out");
        assert!(other.asked().is_empty(), "{:?}", other.asked());
    }
}
