//! TLS to a public listener: the certificate has to be good for the very name that visitors ask
//! for, or nothing that the edge says over it proves anything.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, ConfigBuilder, DigitallySignedStruct, RootCertStore,
    SignatureScheme, StreamOwned, WantsVerifier,
};

use crate::config::CANARY_HOST;
use crate::driver::Target;
use crate::error::{EdgeError, EdgeErrorKind};
use crate::http::{ANSWER_WAIT_MAX, Client};
use crate::http2::{HTTP2, Http2};

/// Name of the setting with the listeners that speak TLS, blanks between them.
const LISTENERS: &str = "tls";
/// Name of the setting with the certificates of authorities (PEM); those of the system without it.
const AUTHORITIES: &str = "ca";
/// Where Debian keeps those of the system.
const SYSTEM: &str = "/etc/ssl/certs/ca-certificates.crt";

/// A connection under TLS.
pub(crate) type TlsStream = Box<StreamOwned<ClientConnection, Timed>>;

/// A socket that is given up at one instant, however many bytes still come one by one: TLS reads
/// until a handshake or a record is whole, and a wait for each read alone would never end.
#[derive(Debug)]
pub(crate) struct Timed {
    socket: TcpStream,
    deadline: Instant,
}

impl Timed {
    fn new(socket: TcpStream, wait: Duration) -> Self {
        Self { socket, deadline: Instant::now() + wait }
    }

    /// From now on, at most so long.
    pub(crate) fn wait_at_most(&mut self, wait: Duration) {
        self.deadline = Instant::now() + wait;
    }

    fn left(&self) -> io::Result<Duration> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
    }
}

impl Read for Timed {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.socket.set_read_timeout(Some(self.left()?))?;
        self.socket.read(bytes)
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.socket.set_write_timeout(Some(self.left()?))?;
        self.socket.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}

/// One public listener of an edge, as visitors reach it.
#[derive(Clone, Debug)]
pub struct Listener {
    address: SocketAddr,
    tls: Option<Tls>,
}

impl Listener {
    /// Every public listener of an edge, or of those that a group stands for: those that the
    /// setting `tls` of each names speak TLS.
    ///
    /// # Errors
    /// `Lint` when that setting names no listener of the edge, `Io` when the certificates of
    /// authorities cannot be read.
    pub fn all(target: &Target) -> Result<Vec<Self>, EdgeError> {
        let all = target.all().map(Self::own).collect::<Result<Vec<_>, _>>()?;
        Ok(all.into_iter().flatten().collect())
    }

    fn own(target: &Target) -> Result<Vec<Self>, EdgeError> {
        let setting = |name: &str| target.settings.get(name).map_or("", String::as_str);
        let mut secured = Vec::new();
        for word in setting(LISTENERS).split_whitespace() {
            let address = word.parse().ok().filter(|it| target.listeners.contains(it));
            secured.push(address.ok_or_else(|| {
                let doing = format!("use {word:?} in the setting `{LISTENERS}`: no listener");
                EdgeError::new(EdgeErrorKind::Lint, doing).at(&target.name)
            })?);
        }
        let tls = match (secured.is_empty(), setting(AUTHORITIES)) {
            (true, _) => None,
            (false, "") => Some(Tls::new(Path::new(SYSTEM))?),
            (false, file) => Some(Tls::new(Path::new(file))?),
        };
        let listener = |address: &SocketAddr| Self {
            address: *address,
            tls: tls.clone().filter(|_| secured.contains(address)),
        };
        Ok(target.listeners.iter().map(listener).collect())
    }

    /// Where visitors come to.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// A connection on which this host can be asked for.
    ///
    /// # Errors
    /// `Unreachable` when nobody accepts in time, `Certificate` when the certificate is not good
    /// for the host.
    pub fn connect(&self, host: &str) -> Result<Client, EdgeError> {
        self.connect_under(Under::Host(host))
    }

    /// A connection that is made under this name.
    ///
    /// # Errors
    /// As [`Listener::connect`].
    pub(crate) fn connect_under(&self, name: Under<'_>) -> Result<Client, EdgeError> {
        self.shake(name, |offers| &offers.http1)
    }

    /// The same where HTTP/2 is offered as well: what came of that is [`Client::has_agreed_to`].
    ///
    /// # Errors
    /// As [`Listener::connect`].
    pub(crate) fn connect_offering(&self, name: Under<'_>) -> Result<Client, EdgeError> {
        self.shake(name, |offers| &offers.http2)
    }

    /// The same for one request over HTTP/2: none where the listener does not agree to it under
    /// TLS, or, without TLS, answers the beginning of it with something else. One that ends the
    /// connection is asked once more: it may have been restarted, which says nothing of it.
    ///
    /// # Errors
    /// As [`Listener::connect`], and `Unreachable` when it does not begin within `wait`.
    pub(crate) fn connect_http2(
        &self,
        name: Under<'_>,
        wait: Duration,
    ) -> Result<Option<Http2>, EdgeError> {
        let mut has_ended = false;
        loop {
            let client = self.connect_offering(name)?;
            if self.is_secured() && !client.has_agreed_to(HTTP2) {
                return Ok(None);
            }
            match Http2::begin(client.into_stream(), wait) {
                Ok(begun) => return Ok(Some(begun)),
                Err(cause) if !self.is_secured() && is_end(&cause) && !has_ended => {
                    has_ended = true;
                }
                Err(cause) if !self.is_secured() && is_other(&cause) => {
                    return Ok(None);
                }
                Err(cause) => {
                    let doing = format!("speak HTTP/2 with {self}");
                    return Err(EdgeError::unreachable(doing)(cause));
                }
            }
        }
    }

    fn shake(
        &self,
        name: Under<'_>,
        offer: impl FnOnce(&Offers) -> &Arc<ClientConfig>,
    ) -> Result<Client, EdgeError> {
        let Some(tls) = &self.tls else { return Client::connect(self.address) };
        let (offers, name) = match name {
            Under::Host(host) if host != CANARY_HOST => (&tls.named, host),
            Under::Host(name) | Under::Other(name) => (&tls.unnamed, name),
        };
        Client::connect_tls(self.address, |stream| tls_to(offer(offers), stream, name))
    }

    /// Whether each host needs a connection of its own: its certificate has to be seen.
    pub const fn is_secured(&self) -> bool {
        self.tls.is_some()
    }
}

impl From<SocketAddr> for Listener {
    fn from(address: SocketAddr) -> Self {
        Self { address, tls: None }
    }
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)
    }
}

/// The name under which hands are shaken.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Under<'a> {
    /// The host that is asked for.
    Host(&'a str),
    /// Another one: whatever is shown for it proves nothing.
    Other(&'a str),
}

/// Whom to believe.
#[derive(Clone, Debug)]
struct Tls {
    named: Offers,
    /// For the canary, whose name no authority would certify: what is tried there is the gate.
    unnamed: Offers,
}

/// What is offered to be spoken: nothing, which means HTTP/1.1, or what browsers offer.
#[derive(Clone, Debug)]
struct Offers {
    http1: Arc<ClientConfig>,
    http2: Arc<ClientConfig>,
}

impl Offers {
    fn of(config: ClientConfig) -> Self {
        let mut both = config.clone();
        both.alpn_protocols = vec![HTTP2.to_vec(), b"http/1.1".to_vec()];
        Self { http1: Arc::new(config), http2: Arc::new(both) }
    }
}

impl Tls {
    fn new(authorities: &Path) -> Result<Self, EdgeError> {
        let roots = roots(authorities)?;
        let anybody = Arc::new(Anybody(Arc::new(ring::default_provider())));
        let unnamed = builder()?.dangerous().with_custom_certificate_verifier(anybody);
        let named = builder()?.with_root_certificates(roots);
        Ok(Self {
            named: Offers::of(named.with_no_client_auth()),
            unnamed: Offers::of(unnamed.with_no_client_auth()),
        })
    }
}

fn tls_to(
    config: &Arc<ClientConfig>,
    stream: TcpStream,
    host: &str,
) -> Result<TlsStream, EdgeError> {
    let doing = || format!("speak TLS with {host}");
    let name = ServerName::try_from(host.to_owned())
        .map_err(|cause| EdgeError::new(EdgeErrorKind::Lint, doing()).because(cause))?;
    let connection = ClientConnection::new(Arc::clone(config), name);
    let connection =
        connection.map_err(|cause| EdgeError::new(EdgeErrorKind::Lint, doing()).because(cause))?;
    self::shake(connection, stream, &doing())
}

/// Whether the peer ended the handshake: it wants nobody under that name.
pub(crate) fn is_refused(error: &EdgeError) -> bool {
    cause_of(error).is_some_and(|cause| is_alert(cause) || is_end(cause))
}

/// What a connection said.
pub(crate) fn cause_of(error: &EdgeError) -> Option<&io::Error> {
    std::error::Error::source(error).and_then(|it| it.downcast_ref())
}

/// Whether the peer ended TLS.
pub(crate) fn is_alert(cause: &io::Error) -> bool {
    let inner = cause.get_ref().and_then(|it| it.downcast_ref::<rustls::Error>());
    matches!(inner, Some(rustls::Error::AlertReceived(_)))
}

/// Whether the peer speaks something else: it said so, or ended the connection.
fn is_other(cause: &io::Error) -> bool {
    cause.kind() == io::ErrorKind::InvalidData || is_end(cause)
}

/// Whether the peer ended the connection.
fn is_end(cause: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
    matches!(cause.kind(), BrokenPipe | ConnectionReset | UnexpectedEof)
}

/// The certificates of authorities in a file.
pub(crate) fn roots(authorities: &Path) -> Result<RootCertStore, EdgeError> {
    let doing = || format!("read the authorities in {}", authorities.display());
    let failed = |cause| EdgeError::io(doing())(io::Error::other(cause));
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(authorities).map_err(&failed)? {
        // Stores hold certificates that nobody understands any more; they vouch for nothing.
        let _ = roots.add(certificate.map_err(&failed)?);
    }
    if roots.is_empty() {
        return Err(EdgeError::new(EdgeErrorKind::Lint, doing()).because("there are none"));
    }
    Ok(roots)
}

/// Our side of TLS, before it is known whom to believe.
pub(crate) fn builder() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, EdgeError> {
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|cause| EdgeError::new(EdgeErrorKind::Lint, "set up TLS").because(cause))
}

/// Shakes hands, within the time of one answer.
pub(crate) fn shake(
    mut connection: ClientConnection,
    stream: TcpStream,
    doing: &str,
) -> Result<TlsStream, EdgeError> {
    let mut stream = Timed::new(stream, ANSWER_WAIT_MAX);
    while connection.is_handshaking() {
        connection.complete_io(&mut stream).map_err(|cause| {
            let kind = if is_about_certificate(&cause) {
                EdgeErrorKind::Certificate
            } else {
                EdgeErrorKind::Unreachable
            };
            EdgeError::new(kind, doing).because(cause)
        })?;
    }
    Ok(Box::new(StreamOwned::new(connection, stream)))
}

fn is_about_certificate(error: &io::Error) -> bool {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
    matches!(
        cause,
        Some(rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented)
    )
}

/// Takes any certificate, and still wants its key.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
pub(crate) mod tests;
