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

    /// A connection on which this host can be asked for.
    ///
    /// # Errors
    /// `Unreachable` when nobody accepts in time, `Certificate` when the certificate is not good
    /// for the host.
    pub fn connect(&self, host: &str) -> Result<Client, EdgeError> {
        match &self.tls {
            None => Client::connect(self.address),
            Some(tls) => Client::connect_tls(self.address, |stream| tls.shake(stream, host)),
        }
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

/// Whom to believe.
#[derive(Clone, Debug)]
struct Tls {
    named: Arc<ClientConfig>,
    /// For the canary, whose name no authority would certify: what is tried there is the gate.
    unnamed: Arc<ClientConfig>,
}

impl Tls {
    fn new(authorities: &Path) -> Result<Self, EdgeError> {
        let roots = roots(authorities)?;
        let anybody = Arc::new(Anybody(Arc::new(ring::default_provider())));
        let unnamed = builder()?.dangerous().with_custom_certificate_verifier(anybody);
        let named = builder()?.with_root_certificates(roots);
        Ok(Self {
            named: Arc::new(named.with_no_client_auth()),
            unnamed: Arc::new(unnamed.with_no_client_auth()),
        })
    }

    fn shake(&self, stream: TcpStream, host: &str) -> Result<TlsStream, EdgeError> {
        let doing = || format!("speak TLS with {host}");
        let config = if host == CANARY_HOST { &self.unnamed } else { &self.named };
        let name = ServerName::try_from(host.to_owned())
            .map_err(|cause| EdgeError::new(EdgeErrorKind::Lint, doing()).because(cause))?;
        let connection = ClientConnection::new(Arc::clone(config), name);
        let connection = connection
            .map_err(|cause| EdgeError::new(EdgeErrorKind::Lint, doing()).because(cause))?;
        self::shake(connection, stream, &doing())
    }
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
mod tests {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::net::TcpListener;
    use std::path::PathBuf;
    use std::thread;

    use relight_model::{GateKey, Seen};
    use rustls::pki_types::PrivateKeyDer;
    use rustls::{ServerConfig, ServerConnection};

    use super::*;
    use crate::probe::{ProbeTarget, Prober};

    fn fixture(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/tls").join(name)
    }

    fn target(listener: SocketAddr, settings: &[(&str, String)]) -> Target {
        let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        Target {
            name: "north".into(),
            kind: "nginx_file".into(),
            gate: "/gate".into(),
            listeners: vec![listener],
            verify: None,
            settings: settings.collect(),
            members: Vec::new(),
        }
    }

    /// An edge that shows each site dark under one certificate.
    fn edge(certificate: &str) -> SocketAddr {
        let chain = CertificateDer::pem_file_iter(fixture(certificate)).unwrap();
        let chain = chain.collect::<Result<Vec<_>, _>>().unwrap();
        let key = PrivateKeyDer::from_pem_file(fixture("key.pem")).unwrap();
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let config = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        let config = Arc::new(config.with_single_cert(chain, key).unwrap());
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
                drop(answer(StreamOwned::new(connection, stream)));
            }
        });
        address
    }

    fn answer(stream: StreamOwned<ServerConnection, TcpStream>) -> io::Result<()> {
        let mut lines = BufReader::new(stream);
        let (mut line, mut key) = (String::new(), String::new());
        while lines.read_line(&mut line)? > 2 {
            if let Some(host) = line.strip_prefix("Host: ") {
                key = host.split('.').next().unwrap_or_default().to_owned();
            }
            line.clear();
        }
        let head = "HTTP/1.1 503 Dark\r\nContent-Length: 0\r\nCache-Control: no-store\r\n";
        let marker = format!("X-Relight-Gate: dark=1; site={key}\r\n\r\n");
        lines.get_mut().write_all(format!("{head}{marker}").as_bytes())
    }

    fn see(certificate: &str, authorities: &str, host: &str) -> (Seen, Option<EdgeErrorKind>) {
        let address = edge(certificate);
        let ca = fixture(authorities).display().to_string();
        let target = target(address, &[("tls", address.to_string()), ("ca", ca)]);
        let mut probers = Prober::all(&target).unwrap();
        let key = GateKey::new(host.split('.').next().unwrap()).unwrap();
        let site = ProbeTarget::site(key, host.into(), None);
        let results = probers[0].probe(&vec![site; 20], 1);
        assert!(results.iter().all(|result| *result == results[0]), "{results:?}");
        (results[0].seen, results[0].trouble)
    }

    #[test]
    fn dark_counts_under_a_certificate_for_that_name_only() {
        let wrong = (Seen::Unknown, Some(EdgeErrorKind::Certificate));
        for (certificate, authorities, host, expected) in [
            ("site.pem", "ca.pem", "site.example", (Seen::Dark, None)),
            ("site.pem", "ca.pem", "other.example", wrong),
            ("expired.pem", "ca.pem", "site.example", wrong),
            ("site.pem", "stranger.pem", "site.example", wrong),
            ("site.pem", "ca.pem", CANARY_HOST, (Seen::Dark, None)),
        ] {
            let seen = see(certificate, authorities, host);
            assert_eq!(seen, expected, "{certificate} {authorities} {host}");
        }
    }

    /// A listener without TLS where TLS was said, and the other way round.
    #[test]
    fn a_listener_that_speaks_otherwise_than_was_said_proves_nothing() {
        let address = edge("site.pem");
        let key = GateKey::new("site").unwrap();
        let site = ProbeTarget::site(key, "site.example".into(), None);
        let plain = Prober::new(address).probe(std::slice::from_ref(&site), 1)[0];
        assert_eq!(plain.seen, Seen::Unknown);
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
            }
        });
        let ca = fixture("ca.pem").display().to_string();
        let target = target(address, &[("tls", address.to_string()), ("ca", ca)]);
        let seen = Prober::all(&target).unwrap()[0].probe(&[site], 1)[0];
        assert_eq!((seen.seen, seen.trouble), (Seen::Unknown, Some(EdgeErrorKind::Unreachable)));
    }

    /// Bytes that come one by one keep no probe waiting: neither in the handshake nor after it.
    #[test]
    fn a_handshake_that_never_ends_is_given_up_in_time() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            // The head of a record of 16 KiB, and of its bytes one each twentieth of a second.
            let mut next: &[u8] = &[0x16, 3, 3, 0x40, 0];
            while stream.write_all(next).is_ok() {
                next = &[2];
                thread::park_timeout(Duration::from_millis(50));
            }
        });
        let ca = fixture("ca.pem").display().to_string();
        let target = target(address, &[("tls", address.to_string()), ("ca", ca)]);
        let began = Instant::now();
        let error = Listener::all(&target).unwrap()[0].connect("site.example").unwrap_err();
        assert_eq!(error.kind, EdgeErrorKind::Unreachable, "{error}");
        // All bytes of that record would take a quarter of an hour.
        assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
    }

    #[test]
    fn bad_settings_are_named() {
        let address: SocketAddr = "127.0.0.1:443".parse().unwrap();
        let ca = |name: &str| fixture(name).display().to_string();
        for (settings, expected) in [
            (vec![("tls", "127.0.0.1:444".to_owned())], EdgeErrorKind::Lint),
            (vec![("tls", "everywhere".to_owned())], EdgeErrorKind::Lint),
            (vec![("tls", address.to_string()), ("ca", ca("nowhere"))], EdgeErrorKind::Io),
            (vec![("tls", address.to_string()), ("ca", ca("key.pem"))], EdgeErrorKind::Lint),
        ] {
            let error = Listener::all(&target(address, &settings)).unwrap_err();
            assert_eq!(error.kind, expected, "{settings:?}");
        }
        let plain = Listener::all(&target(address, &[])).unwrap();
        assert!(!plain[0].is_secured());
    }
}
