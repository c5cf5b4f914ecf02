//! The line of an agent to its server: one request on one connection, over TLS, and why there was
//! no answer.

use std::error::Error;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
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
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{AlertDescription, CertificateError, ClientConfig, Error as TlsError};

use super::authority::SERVER_NAME;
use super::client::{ANSWER_WAIT_MAX, AgentFault, STOPPED};
use super::wire::{ANSWER_BYTES_MAX, Refusal};

/// How long a connection may take to end once the answer is there.
const CLOSE_WAIT_MAX: Duration = Duration::from_secs(1);

/// How soon whoever waits for an answer hears that nobody wants it any more.
const STOP_EVERY: Duration = Duration::from_millis(100);

/// How one server is asked.
pub(super) struct Line {
    server: String,
    connector: TlsConnector,
    /// Taken when this is dropped.
    runtime: Option<Runtime>,
    /// Set when nobody waits for answers any more.
    stop: Arc<AtomicBool>,
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Line").field("server", &self.server).finish_non_exhaustive()
    }
}

impl Line {
    pub(super) fn new(
        server: &str,
        config: ClientConfig,
        stop: Arc<AtomicBool>,
    ) -> Result<Self, AgentFault> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = Some(runtime.map_err(|error| AgentFault::new("failed", error))?);
        let connector = TlsConnector::from(Arc::new(config));
        Ok(Self { server: server.to_owned(), connector, runtime, stop })
    }

    /// Asks, and waits for the whole answer.
    pub(super) fn ask<O: DeserializeOwned>(
        &self,
        path: &str,
        request: &impl Serialize,
    ) -> Result<O, AgentFault> {
        self.ask_within(ANSWER_WAIT_MAX, path, request)
    }

    pub(super) fn ask_within<O: DeserializeOwned>(
        &self,
        wait_max: Duration,
        path: &str,
        request: &impl Serialize,
    ) -> Result<O, AgentFault> {
        let asked = self.ask_unless((wait_max, ANSWER_BYTES_MAX), path, request, &mut || false)?;
        asked.ok_or_else(|| AgentFault::new(STOPPED, &self.server))
    }

    /// The same, for an answer of at most so many bytes; none where nobody waits for it any more,
    /// or something else is to do: `is_over` is asked that each time after a tenth of a second.
    pub(super) fn ask_unless<O: DeserializeOwned>(
        &self,
        (wait_max, bytes_max): (Duration, usize),
        path: &str,
        request: &impl Serialize,
        is_over: &mut dyn FnMut() -> bool,
    ) -> Result<Option<O>, AgentFault> {
        let body = serde_json::to_vec(request).map_err(|error| AgentFault::new("failed", error))?;
        // A timer is made inside of the runtime that it belongs to.
        let within = async {
            let mut asked = pin!(timeout(wait_max, self.exchange(path, body, bytes_max)));
            loop {
                match timeout(STOP_EVERY, &mut asked).await {
                    Ok(asked) => break Some(asked),
                    Err(_) if self.stop.load(Ordering::Relaxed) || is_over() => break None,
                    Err(_) => {}
                }
            }
        };
        let asked = self.runtime.as_ref().and_then(|runtime| runtime.block_on(within));
        let late = |_| AgentFault::new("timed-out", &self.server);
        asked.map(|asked| self.read(asked.map_err(late)??)).transpose()
    }

    /// What was answered, or why it was refused.
    fn read<O: DeserializeOwned>(&self, (is_done, body): (bool, Bytes)) -> Result<O, AgentFault> {
        let unread = |error| AgentFault::new("answer", format!("{}: {error}", self.server));
        if is_done {
            return serde_json::from_slice(&body).map_err(unread);
        }
        let Refusal { refused } = serde_json::from_slice(&body).map_err(unread)?;
        // What went wrong there is told apart from what went wrong here.
        let code = if refused == "failed" { "server-failed".to_owned() } else { refused };
        Err(AgentFault { code, detail: String::new() })
    }

    async fn exchange(
        &self,
        path: &str,
        body: Vec<u8>,
        bytes_max: usize,
    ) -> Result<(bool, Bytes), AgentFault> {
        let stream = self.connect().await.map_err(|error| self.fault(&*error, false))?;
        let answered = answered(stream, path, body, bytes_max).await;
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

impl Drop for Line {
    /// A question to a name server that does not answer is not waited for.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Asks one thing. The connection ends with the answer: its place is for the next one.
async fn answered(
    stream: TlsStream<TcpStream>,
    path: &str,
    body: Vec<u8>,
    bytes_max: usize,
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
        let body = Limited::new(answer.into_body(), bytes_max).collect().await?;
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
    use std::net::TcpListener;
    use std::thread;

    use tokio_rustls::rustls::RootCertStore;
    use tokio_rustls::rustls::crypto::ring;
    use tokio_rustls::rustls::version::TLS13;

    use super::*;

    /// It waited a minute for a server that took its connection and said nothing.
    #[test]
    fn who_is_to_end_waits_for_no_answer() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let config = config.with_protocol_versions(&[&TLS13]).unwrap();
        let config = config.with_root_certificates(RootCertStore::empty()).with_no_client_auth();
        let stop = Arc::new(AtomicBool::new(false));
        let line = Line::new(&address, config, Arc::clone(&stop)).unwrap();
        let server = thread::spawn(move || {
            let taken = listener.accept().unwrap();
            stop.store(true, Ordering::Relaxed);
            taken
        });
        let asked: Result<(), AgentFault> = line.ask("/", &());
        assert_eq!(asked.unwrap_err().code, STOPPED);
        drop(server.join().unwrap());
    }

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
}
