//! The agent's end: it enrols, says that it is there, and gets its next certificate. It believes
//! the authority of its own server only, whatever stands between them.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper::{Request, header};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{AlertDescription, CertificateError, ClientConfig, Error as TlsError};

use super::again::{REST, until_free};
use super::authority::{AgentKey, SERVER_NAME, believing, pin_of};
use super::code::Code;
use super::identity::Identity;
use super::pinned::Pinned;
use super::wire::{
    ANSWER_BYTES_MAX, ENROL, EnrolRequest, INVENTORY, InventoryRequest, Issued, RENEW, Refusal,
    RenewRequest, TURN, Taken, TurnAnswer, TurnRequest, Wish,
};
use crate::ServerError;
use crate::access::{digest_of, secret};

/// The port of a server of agents where its address names none.
pub const AGENT_PORT: u16 = 8_422;

/// Longest wait for a whole answer, connection included.
pub const ANSWER_WAIT_MAX: Duration = Duration::from_secs(60);

/// Longest wait until an inventory was taken in.
pub const INVENTORY_WAIT_MAX: Duration = Duration::from_secs(300);

/// How long a connection may take to end once the answer is there.
const CLOSE_WAIT_MAX: Duration = Duration::from_secs(1);

/// Why an agent did not get what it asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentFault {
    /// The stable name, part of the key of its sentence: `bad-address`, `bad-code`, `unreachable`,
    /// `timed-out`, `other-server`, `clock`, `answer`, `disk`, `not-writable`, `failed`,
    /// `server-failed`, or why the server refused it.
    pub code: String,
    /// The technical cause; empty where the server refused it.
    pub detail: String,
}

impl AgentFault {
    fn new(code: &str, detail: impl std::fmt::Display) -> Self {
        Self { code: code.to_owned(), detail: detail.to_string() }
    }
}

impl From<ServerError> for AgentFault {
    fn from(error: ServerError) -> Self {
        let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
        Self::new("failed", format!("{error}{cause}"))
    }
}

/// Name or address, and port, of `https://relight.example[:8422]`. `None` when it is none.
pub fn address_of(url: &str) -> Option<String> {
    let place = url.trim().strip_prefix("https://")?.trim_end_matches('/');
    let plain = |sign: char| sign.is_ascii_alphanumeric() || ".-:[]".contains(sign);
    if place.is_empty() || !place.chars().all(plain) {
        return None;
    }
    let after = place.rsplit_once(']').map_or(place, |(_, after)| after);
    match after.rsplit_once(':') {
        None => Some(format!("{place}:{AGENT_PORT}")),
        Some((name, port)) => {
            let is_port = port.parse::<u16>().is_ok_and(|port| port != 0);
            (is_port && !name.contains(':')).then(|| place.to_owned())
        }
    }
}

/// Enrols this machine: makes a key, shows the code, and keeps what comes back in the file.
///
/// # Errors
/// Address or code are none, the server does not answer, is another one than that of the code, or
/// refuses it; or the file cannot be written.
pub fn enrol(url: &str, code: &str, host: &str, path: &Path) -> Result<Identity, AgentFault> {
    let server = address_of(url).ok_or_else(|| AgentFault::new("bad-address", url))?;
    let parsed = Code::parse(code).ok_or_else(|| AgentFault::new("bad-code", ""))?;
    let key = AgentKey::new()?;
    let request = EnrolRequest {
        code: parsed.text(),
        host: host.to_owned(),
        key: secret::encode(&key.public()),
        proof: secret::encode(&key.proof("enrol", &parsed.secret)),
    };
    let provider = Arc::new(ring::default_provider());
    let verifier = Pinned { pin: parsed.pin, provider: Arc::clone(&provider) };
    let config = tls(provider)?.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
    let line = Line::new(&server, config.with_no_client_auth())?;
    let issued: Issued = line.ask(ENROL, &request)?;
    let identity = Identity::of(&server, key.pkcs8, issued);
    let identity = identity.filter(|it| pin_of(&it.authority) == Some(parsed.pin));
    let identity = identity.ok_or_else(|| AgentFault::new("answer", "it holds no certificate"))?;
    identity.write(path).map_err(|error| on_disk(path, &error))?;
    Ok(identity)
}

fn on_disk(path: &Path, error: &std::io::Error) -> AgentFault {
    AgentFault::new("disk", format!("{}: {error}", path.display()))
}

/// What the server said to an agent that is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Turned {
    /// A site to be looked at again.
    pub wish: Option<Wish>,
    /// Sites that the agent named and that are not its own at the server.
    pub foreign: Vec<String>,
}

/// An agent that has enrolled.
#[derive(Debug)]
pub struct AgentClient {
    identity: Identity,
    path: PathBuf,
    line: Line,
    /// The server said that it is time for the next certificate.
    is_due: AtomicBool,
}

impl AgentClient {
    /// The one that this file is about.
    ///
    /// # Errors
    /// What stands there cannot be used.
    pub fn new(identity: Identity, path: &Path) -> Result<Self, AgentFault> {
        let line = line(&identity)?;
        Ok(Self { identity, path: path.to_owned(), line, is_due: AtomicBool::new(false) })
    }

    /// Who it is.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    #[cfg(test)]
    pub(super) fn line(&self) -> &Line {
        &self.line
    }

    /// Says that it is there and has these sites; gives what the server wishes.
    ///
    /// # Errors
    /// The server does not answer, is another one, or lets it in no more.
    pub fn turn(&self, sites: &[String]) -> Result<Turned, AgentFault> {
        let (version, sites) = (env!("CARGO_PKG_VERSION").to_owned(), sites.to_vec());
        let answer = self.line.ask(TURN, &TurnRequest { version, sites });
        let TurnAnswer { renew, wish, foreign } = answer?;
        self.is_due.store(renew, Ordering::Relaxed);
        Ok(Turned { wish, foreign })
    }

    /// Sends the inventory (CycloneDX) that a wish asks for. Where the server takes in others just
    /// then, it waits: what a machine looked through for an hour is not thrown away.
    ///
    /// # Errors
    /// As [`Self::turn`]; or the server takes it no more.
    pub fn send(&self, wish: &Wish, inventory: String) -> Result<(), AgentFault> {
        let Wish { site, ticket } = wish.clone();
        let request = InventoryRequest { site, ticket, inventory };
        let ask = || self.line.ask_within(INVENTORY_WAIT_MAX, INVENTORY, &request);
        // The server takes in a few at a time and says nothing when a place is free.
        until_free(ask, || thread::sleep(REST)).map(|Taken {}| ())
    }

    /// Gets its next certificate, with another key, when the server said so at the last turn; says
    /// whether it did.
    ///
    /// # Errors
    /// As [`Self::turn`]; or the file cannot be written. The certificate of before still holds.
    pub fn renew_when_due(&mut self) -> Result<bool, AgentFault> {
        // Once for each time that it is said.
        if !self.is_due.swap(false, Ordering::Relaxed) {
            return Ok(false);
        }
        // What could not be kept is not asked for.
        let kept = self.identity.write(&self.path);
        kept.map_err(|error| AgentFault {
            code: "not-writable".to_owned(),
            ..on_disk(&self.path, &error)
        })?;
        let key = AgentKey::new()?;
        let about = digest_of(&self.identity.certificate).0;
        let request = RenewRequest {
            key: secret::encode(&key.public()),
            proof: secret::encode(&key.proof("renew", &about)),
        };
        let issued: Issued = self.line.ask(RENEW, &request)?;
        let next = Identity::of(&self.identity.server, key.pkcs8, issued);
        let next = next.filter(|next| next.authority == self.identity.authority);
        let next = next.ok_or_else(|| AgentFault::new("answer", "it holds no certificate"))?;
        let line = line(&next)?;
        next.write(&self.path).map_err(|error| on_disk(&self.path, &error))?;
        (self.identity, self.line) = (next, line);
        Ok(true)
    }
}

fn line(identity: &Identity) -> Result<Line, AgentFault> {
    let roots = believing(&identity.authority)?;
    let config = tls(Arc::new(ring::default_provider()))?.with_root_certificates(roots);
    let chain = vec![identity.certificate.clone()];
    let config = config.with_client_auth_cert(chain, identity.private_key());
    let config = config.map_err(|error| AgentFault::new("failed", error))?;
    Line::new(&identity.server, config)
}

type Unverified =
    tokio_rustls::rustls::ConfigBuilder<ClientConfig, tokio_rustls::rustls::WantsVerifier>;

fn tls(provider: Arc<CryptoProvider>) -> Result<Unverified, AgentFault> {
    ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&tokio_rustls::rustls::version::TLS13])
        .map_err(|error| AgentFault::new("failed", error))
}

/// How one server is asked.
pub(super) struct Line {
    server: String,
    connector: TlsConnector,
    runtime: Runtime,
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Line").field("server", &self.server).finish_non_exhaustive()
    }
}

impl Line {
    fn new(server: &str, config: ClientConfig) -> Result<Self, AgentFault> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| AgentFault::new("failed", error))?;
        let connector = TlsConnector::from(Arc::new(config));
        Ok(Self { server: server.to_owned(), connector, runtime })
    }

    /// Asks, and waits for the whole answer.
    pub(super) fn ask<O: DeserializeOwned>(
        &self,
        path: &str,
        request: &impl Serialize,
    ) -> Result<O, AgentFault> {
        self.ask_within(ANSWER_WAIT_MAX, path, request)
    }

    fn ask_within<O: DeserializeOwned>(
        &self,
        wait_max: Duration,
        path: &str,
        request: &impl Serialize,
    ) -> Result<O, AgentFault> {
        let body = serde_json::to_vec(request).map_err(|error| AgentFault::new("failed", error))?;
        // A timer is made inside of the runtime that it belongs to.
        let within = async { timeout(wait_max, self.exchange(path, body)).await };
        let asked = self.runtime.block_on(within);
        let late = |_| AgentFault::new("timed-out", &self.server);
        let (is_done, body) = asked.map_err(late)??;
        let unread = |error| AgentFault::new("answer", format!("{}: {error}", self.server));
        if is_done {
            return serde_json::from_slice(&body).map_err(unread);
        }
        let Refusal { refused } = serde_json::from_slice(&body).map_err(unread)?;
        // What went wrong there is told apart from what went wrong here.
        let code = if refused == "failed" { "server-failed".to_owned() } else { refused };
        Err(AgentFault { code, detail: String::new() })
    }

    async fn exchange(&self, path: &str, body: Vec<u8>) -> Result<(bool, Bytes), AgentFault> {
        let stream = self.connect().await.map_err(|error| self.fault(&*error, false))?;
        let answered = answered(stream, path, body).await;
        answered.map_err(|error| self.fault(&*error, true))
    }

    async fn connect(&self) -> Result<TlsStream<TcpStream>, Box<dyn Error + Send + Sync>> {
        let stream = TcpStream::connect(&self.server).await?;
        stream.set_nodelay(true)?;
        let name = ServerName::try_from(SERVER_NAME)?;
        Ok(self.connector.connect(name, stream).await?)
    }

    fn fault(&self, error: &(dyn Error + 'static), is_known: bool) -> AgentFault {
        let code = tls_error(error).map_or("unreachable", |error| code_of(error, is_known));
        let mut detail = format!("{}: {error}", self.server);
        let mut cause = error.source();
        while let Some(inner) = cause {
            detail.push_str(&format!(": {inner}"));
            cause = inner.source();
        }
        AgentFault::new(code, detail)
    }
}

/// Asks one thing. The connection ends with the answer: its place is for the next one.
async fn answered(
    stream: TlsStream<TcpStream>,
    path: &str,
    body: Vec<u8>,
) -> Result<(bool, Bytes), Box<dyn Error + Send + Sync>> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let mut connection = pin!(connection);
    let request = Request::post(path)
        .header(header::HOST, SERVER_NAME)
        .header(header::CONNECTION, "close")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(body)))?;
    let asked = async move {
        let answer = sender.send_request(request).await?;
        let is_done = answer.status().is_success();
        let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await?;
        Ok((is_done, body.to_bytes()))
    };
    let (mut asked, mut has_ended) = (pin!(asked), false);
    let answer = loop {
        tokio::select! {
            biased;
            answer = &mut asked => break answer,
            // What went wrong with it is told by the sender.
            _ = &mut connection, if !has_ended => has_ended = true,
        }
    };
    if !has_ended {
        let _ = timeout(CLOSE_WAIT_MAX, connection).await;
    }
    answer
}

/// What an error of TLS comes to. Before the other side is known to be the server, anybody can say
/// anything: that is never taken for its word about our certificate.
fn code_of(error: &TlsError, is_known: bool) -> &'static str {
    use AlertDescription as Alert;
    use CertificateError as Bad;
    match error {
        // It finds out about a certificate of ours after we are through with its own.
        TlsError::AlertReceived(
            Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::CertificateRequired
            | Alert::UnknownCA
            | Alert::AccessDenied
            | Alert::DecryptError,
        ) if is_known => "not-let-in",
        TlsError::AlertReceived(_) if is_known => "unreachable",
        // It is good for a hundred years.
        TlsError::InvalidCertificate(
            Bad::NotValidYet
            | Bad::NotValidYetContext { .. }
            | Bad::Expired
            | Bad::ExpiredContext { .. },
        ) => "clock",
        _ => "other-server",
    }
}

/// What TLS says in a chain of causes; errors of input and output hide theirs.
fn tls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a TlsError> {
    let mut cause = Some(error);
    while let Some(inner) = cause {
        if let Some(found) = inner.downcast_ref::<TlsError>() {
            return Some(found);
        }
        let hidden = inner.downcast_ref::<std::io::Error>().and_then(|error| error.get_ref());
        if let Some(found) = hidden.and_then(|hidden| tls_error(hidden)) {
            return Some(found);
        }
        cause = inner.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tls_says_counts_when_the_server_said_it() {
        let alert = TlsError::AlertReceived;
        for (error, is_known, code) in [
            (alert(AlertDescription::CertificateRevoked), true, "not-let-in"),
            (alert(AlertDescription::UnknownCA), true, "not-let-in"),
            (alert(AlertDescription::CertificateRevoked), false, "other-server"),
            (alert(AlertDescription::UnrecognisedName), false, "other-server"),
            (alert(AlertDescription::InternalError), true, "unreachable"),
            (TlsError::InvalidCertificate(CertificateError::NotValidYet), false, "clock"),
            (TlsError::InvalidCertificate(CertificateError::UnknownIssuer), false, "other-server"),
        ] {
            assert_eq!(code_of(&error, is_known), code, "{error:?} {is_known}");
        }
    }

    #[test]
    fn addresses_of_servers() {
        for (url, place) in [
            ("https://relight.example", Some("relight.example:8422")),
            ("https://relight.example/", Some("relight.example:8422")),
            ("https://127.0.0.1:9", Some("127.0.0.1:9")),
            ("https://[::1]", Some("[::1]:8422")),
            ("https://[::1]:9", Some("[::1]:9")),
            ("http://relight.example", None),
            ("relight.example", None),
            ("https://", None),
            ("https://a/b", None),
            ("https://u@a", None),
            ("https://a:0", None),
            ("https://a:x", None),
            ("https://a:1:2", None),
        ] {
            assert_eq!(address_of(url).as_deref(), place, "{url}");
        }
    }
}
