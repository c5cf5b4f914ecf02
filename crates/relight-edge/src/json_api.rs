//! JSON over HTTP/1.1 to an interface on this machine: a loopback address or a unix socket. What
//! needs TLS and tokens stands behind a proxy of its own (`kubectl proxy`), so that no secret of a
//! cluster is ever held here.

use std::path::PathBuf;

use relight_model::GateKey;
use serde_json::Value;

use crate::driver::Target;
use crate::error::{EdgeError, EdgeErrorKind};
use crate::http::{self, Client, Response};

/// Longest answer, in bytes.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// One interface.
#[derive(Debug)]
pub(crate) struct JsonApi {
    peer: PathBuf,
}

impl JsonApi {
    /// The interface that the setting `api` names.
    pub(crate) fn of(target: &Target) -> Result<Self, EdgeError> {
        let peer = PathBuf::from(target.required("api")?);
        if peer.is_absolute() || http::loopback(&peer).is_some() {
            return Ok(Self { peer });
        }
        let doing = "use the setting `api`: a unix socket or an address on loopback";
        Err(EdgeError::new(EdgeErrorKind::Lint, doing))
    }

    pub(crate) fn get(&self, uri: &str) -> Result<(Response, Value), EdgeError> {
        self.call("GET", uri, "", "")
    }

    /// One request; an answer that is no JSON is an error, any status is not.
    pub(crate) fn call(
        &self,
        method: &str,
        uri: &str,
        content_type: &str,
        body: &str,
    ) -> Result<(Response, Value), EdgeError> {
        let mut client = match http::loopback(&self.peer) {
            Some(address) => Client::connect(address)?,
            None => Client::connect_unix(&self.peer)?,
        };
        client.body_bytes_max = ANSWER_BYTES_MAX;
        let mut request = format!("{method} {uri} HTTP/1.1\r\nHost: localhost\r\n");
        if !body.is_empty() {
            let length = body.len();
            request += &format!("Content-Type: {content_type}\r\nContent-Length: {length}\r\n");
        }
        request += "\r\n";
        request += body;
        let answer = client.exchange(request.as_bytes(), false)?;
        let parsed =
            if answer.truncated { None } else { serde_json::from_slice(&answer.body).ok() };
        let value = parsed.ok_or_else(|| {
            let doing =
                format!("understand the answer of {} to {method} {uri}", self.peer.display());
            EdgeError::new(EdgeErrorKind::Refused, doing)
                .because(format!("status {}, no JSON", answer.status))
        })?;
        Ok((answer, value))
    }
}

/// Lines of two words in a file of the person who set up the edge.
pub(crate) fn pairs(path: &str) -> Result<Vec<(String, String)>, EdgeError> {
    let text = std::fs::read_to_string(path).map_err(EdgeError::io(format!("read {path}")))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let pair = |(number, line): (usize, &str)| {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [first, second] => Ok(((*first).to_owned(), (*second).to_owned())),
            _ => {
                let doing = format!("understand line {} of {path}: two words", number + 1);
                Err(EdgeError::new(EdgeErrorKind::Lint, doing))
            }
        }
    };
    lines.map(pair).collect()
}

/// The key in a list, with the list as the place of what is none.
pub(crate) fn key(text: &str, path: &str) -> Result<GateKey, EdgeError> {
    GateKey::new(text).map_err(|why| {
        EdgeError::new(EdgeErrorKind::Lint, format!("use {text:?} in {path} as a key: {why}"))
    })
}
