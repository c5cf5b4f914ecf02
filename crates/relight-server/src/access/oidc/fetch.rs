//! Asks a provider over HTTP: one request a connection, one deadline for all of it, an answer that
//! is not too long, and no redirect followed.

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper::{Method, Request, StatusCode, Uri, header};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use super::Fault;
use crate::{ServerError, authorities};

/// Longest answer of a provider, in bytes.
pub(super) const ANSWER_BYTES_MAX: usize = 256 << 10;

/// Longest wait for an answer, connecting included, in seconds: somebody looks at an empty page.
pub(super) const ANSWER_S_MAX: u64 = 10;

/// An address in its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    is_https: bool,
    /// Without brackets.
    host: String,
    port: u16,
    /// As it stands in `Host`.
    authority: String,
    /// Path and query.
    path: String,
}

impl Place {
    /// An `https` address; where `plain` says so, an `http` one of this machine as well.
    pub(super) fn parse(url: &str, plain: bool) -> Option<Self> {
        let uri: Uri = url.parse().ok()?;
        let authority = uri.authority()?;
        if authority.as_str().contains('@') || url.contains('#') {
            return None;
        }
        let host = authority.host().trim_matches(['[', ']']).to_ascii_lowercase();
        let is_loopback = host == "localhost"
            || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        let is_https = match uri.scheme_str()? {
            "https" => true,
            "http" if plain && is_loopback => false,
            _ => return None,
        };
        let port = authority.port_u16().unwrap_or(if is_https { 443 } else { 80 });
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let authority = authority.as_str().to_owned();
        (!host.is_empty()).then_some(Self { is_https, host, port, authority, path })
    }

    /// Whether it is asked in plain text.
    pub(super) const fn is_plain(&self) -> bool {
        !self.is_https
    }
}

/// What is sent with POST; nothing is GET.
#[derive(Clone, Debug, Default)]
pub(super) struct Form {
    pub(super) body: String,
    /// The value of `Authorization`, if there is one.
    pub(super) authorization: Option<String>,
}

/// An answer.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
}

/// Asks, and believes the certificates of the authorities that it was given.
pub(super) struct Fetcher {
    tls: Option<TlsConnector>,
    wait_max: Duration,
}

impl Fetcher {
    /// One for an issuer; in plain text there is nobody to believe.
    ///
    /// # Errors
    /// The certificates of authorities cannot be read, or there are none.
    pub(super) fn new(issuer: &Place, authorities: Option<&Path>) -> Result<Self, ServerError> {
        let wait_max = Duration::from_secs(ANSWER_S_MAX);
        let tls = match issuer.is_https {
            true => Some(TlsConnector::from(authorities::believing(authorities)?)),
            false => None,
        };
        Ok(Self { tls, wait_max })
    }

    /// Asks once.
    ///
    /// # Errors
    /// `Unreachable` when there is no answer in time, `Unusable` when it is too long.
    pub(super) async fn ask(&self, place: &Place, form: Option<Form>) -> Result<Answer, Fault> {
        let asked = timeout(self.wait_max, self.try_ask(place, form)).await;
        asked.unwrap_or(Err(Fault::Unreachable))
    }

    async fn try_ask(&self, place: &Place, form: Option<Form>) -> Result<Answer, Fault> {
        let stream = TcpStream::connect((place.host.as_str(), place.port)).await;
        let stream = stream.map_err(|_| Fault::Unreachable)?;
        if !place.is_https {
            return exchange(stream, place, form).await;
        }
        let tls = self.tls.as_ref().ok_or(Fault::Unreachable)?;
        let name = ServerName::try_from(place.host.clone()).map_err(|_| Fault::Unreachable)?;
        let stream = tls.connect(name, stream).await.map_err(|_| Fault::Unreachable)?;
        exchange(stream, place, form).await
    }
}

/// One request and its answer on a fresh connection.
async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    place: &Place,
    form: Option<Form>,
) -> Result<Answer, Fault> {
    let shaken = http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = shaken.map_err(|_| Fault::Unreachable)?;
    // It ends when the sender and the answer are dropped, at the latest with the deadline.
    let driver = tokio::spawn(connection);
    let answered = answer(&mut sender, place, form).await;
    driver.abort();
    answered
}

async fn answer(
    sender: &mut http1::SendRequest<Full<Bytes>>,
    place: &Place,
    form: Option<Form>,
) -> Result<Answer, Fault> {
    let request = request(place, form).map_err(|_| Fault::Unusable)?;
    let response = sender.send_request(request).await.map_err(|_| Fault::Unreachable)?;
    let status = response.status();
    let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
    let body = body.map_err(|error| match error.is::<http_body_util::LengthLimitError>() {
        true => Fault::Unusable,
        false => Fault::Unreachable,
    })?;
    Ok(Answer { status, body: body.to_bytes() })
}

fn request(place: &Place, form: Option<Form>) -> Result<Request<Full<Bytes>>, hyper::http::Error> {
    let request = Request::builder()
        .uri(&place.path)
        .header(header::HOST, &place.authority)
        .header(header::ACCEPT, "application/json")
        .header(header::CONNECTION, "close");
    let Some(Form { body, authorization }) = form else {
        return request.method(Method::GET).body(Full::default());
    };
    let request = match authorization {
        Some(value) => request.header(header::AUTHORIZATION, value),
        None => request,
    };
    request
        .method(Method::POST)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Full::from(body))
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn addresses_in_their_parts() {
        let place = Place::parse("https://id.example:8443/a/b?c=d", false).unwrap();
        assert_eq!((place.host.as_str(), place.port), ("id.example", 8443));
        assert_eq!(
            (place.authority.as_str(), place.path.as_str()),
            ("id.example:8443", "/a/b?c=d")
        );
        assert_eq!(Place::parse("https://ID.example", false).unwrap().port, 443);
        assert_eq!(Place::parse("http://[::1]:9", true).unwrap().host, "::1");
        assert!(Place::parse("http://localhost:9", true).unwrap().is_plain());
        for bad in
            ["", "/a", "http://id.example", "https://a@id.example", "https://id.example/#a", "x:y"]
        {
            assert_eq!(Place::parse(bad, true), None, "{bad}");
        }
        assert_eq!(Place::parse("http://localhost:9", false), None, "https leads to https only");
    }

    /// Goal: no answer of a provider costs more than its limits. Method: a peer that says nothing,
    /// one that closes, one that answers without end, and one that redirects.
    #[test]
    fn an_answer_that_is_late_long_or_elsewhere_is_none() {
        let long = "x".repeat(ANSWER_BYTES_MAX + 1);
        let fits = "x".repeat(ANSWER_BYTES_MAX);
        let answered = |body: &str| format!("HTTP/1.1 200 OK\r\n\r\n{body}");
        let moved = "HTTP/1.1 302 Found\r\nLocation: http://localhost/\r\n\r\n".to_owned();
        for (sent, wanted) in [
            (None, Err(Fault::Unreachable)),
            (Some(String::new()), Err(Fault::Unreachable)),
            (Some("SSH-2.0-x\r\n".to_owned()), Err(Fault::Unreachable)),
            (Some(answered(&fits)), Ok((200, ANSWER_BYTES_MAX))),
            (Some(answered(&long)), Err(Fault::Unusable)),
            (Some(moved), Ok((302, 0))),
        ] {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let url = format!("http://{}/x", listener.local_addr().unwrap());
            let place = Place::parse(&url, true).unwrap();
            // Only who says nothing is given up soon: the others have all the time they need.
            let wait_max = Duration::from_millis(if sent.is_none() { 300 } else { 30_000 });
            let peer = std::thread::spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                let mut lines = BufReader::new(stream.try_clone().unwrap());
                let mut head = String::new();
                while lines.read_line(&mut head).unwrap() > 2 {}
                match sent {
                    Some(sent) => drop(stream.write_all(sent.as_bytes())),
                    // Until the other side has had enough.
                    None => drop(lines.read(&mut [0])),
                }
                head
            });
            let fetcher = Fetcher { tls: None, wait_max };
            let runtime = crate::runtime::start("test").unwrap();
            let got = runtime.block_on(fetcher.ask(&place, None));
            let got = got.map(|answer| (answer.status.as_u16(), answer.body.len()));
            let request = peer.join().unwrap();
            assert_eq!(got, wanted, "{request}");
            assert!(request.starts_with("GET /x HTTP/1.1\r\n"), "{request}");
            assert!(request.contains("host: 127.0.0.1:"), "{request}");
        }
    }
}
