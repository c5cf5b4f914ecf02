//! Certificates that are good for a name and those that are not, and what is asked under them.

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

type Served = StreamOwned<ServerConnection, TcpStream>;

/// An edge that shows each site dark under one certificate.
fn edge(certificate: &str) -> SocketAddr {
    listener_of(certificate, |_| Vec::new(), dark_to_http1)
}

/// A listener for `site.example` that agrees to these protocols on each of its connections, and
/// does so there.
pub(crate) fn listener(
    protocols: impl Fn(usize) -> Vec<&'static str> + Send + 'static,
    serve: impl Fn(Served) -> io::Result<()> + Send + 'static,
) -> SocketAddr {
    listener_of("site.pem", protocols, serve)
}

fn listener_of(
    certificate: &str,
    protocols: impl Fn(usize) -> Vec<&'static str> + Send + 'static,
    serve: impl Fn(Served) -> io::Result<()> + Send + 'static,
) -> SocketAddr {
    let chain = CertificateDer::pem_file_iter(fixture(certificate)).unwrap();
    let chain = chain.collect::<Result<Vec<_>, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_file(fixture("key.pem")).unwrap();
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let config = config.with_single_cert(chain, key).unwrap();
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for (index, stream) in listener.incoming().flatten().enumerate() {
            let mut config = config.clone();
            config.alpn_protocols = protocols(index).into_iter().map(Into::into).collect();
            let mut connection = ServerConnection::new(Arc::new(config)).unwrap();
            let mut stream = stream;
            while connection.is_handshaking() && connection.complete_io(&mut stream).is_ok() {}
            drop(serve(StreamOwned::new(connection, stream)));
        }
    });
    address
}

/// The same as those who look see it.
pub(crate) fn secured(address: SocketAddr) -> Listener {
    let ca = fixture("ca.pem").display().to_string();
    let target = target(address, &[("tls", address.to_string()), ("ca", ca)]);
    Listener::all(&target).unwrap().remove(0)
}

/// What was agreed to.
pub(crate) fn protocol(stream: &Served) -> String {
    String::from_utf8_lossy(stream.conn.alpn_protocol().unwrap_or_default()).into_owned()
}

/// Answers one request over HTTP/1 that the site is dark.
pub(crate) fn dark_to_http1(stream: Served) -> io::Result<()> {
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

/// What a peer does that hears a beginning of HTTP/2.
#[derive(Clone, Copy, Debug)]
enum Does {
    Begin,
    Say,
    End,
    Reset,
}

/// Goal: one connection that ends does not say that a listener speaks no HTTP/2 in plain text, and
/// one that says something else is asked once. Method: a peer that does so on each connection.
#[test]
fn who_ends_a_beginning_is_asked_once_more() {
    use Does::{Begin, End, Reset, Say};
    for (does, is_begun) in [
        (&[Begin][..], true),
        (&[Say], false),
        (&[End, Begin], true),
        (&[Reset, Begin], true),
        (&[End, Say], false),
        (&[End, Reset], false),
        (&[Reset, End], false),
    ] {
        let peer = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let listener = Listener::from(peer.local_addr().unwrap());
        let served = thread::spawn(move || {
            for does in does {
                let (mut stream, _) = peer.accept().unwrap();
                // What was sent and is not read makes the end a reset.
                let heard = &mut [0; 4096];
                let size = stream.peek(heard).unwrap();
                if !matches!(does, Reset) {
                    stream.read_exact(&mut heard[..size]).unwrap();
                }
                let says: &[u8] = match does {
                    Begin => &[0, 0, 0, 4, 0, 0, 0, 0, 0],
                    Say => b"HTTP/1.1 400 Bad Request\r\n\r\n",
                    End | Reset => continue,
                };
                stream.write_all(says).unwrap();
                let _ = stream.read(heard);
            }
        });
        let wait = Duration::from_secs(30);
        let begun = listener.connect_http2(Under::Host("site.example"), wait).unwrap();
        assert_eq!(begun.is_some(), is_begun, "{does:?}");
        drop(begun);
        served.join().unwrap();
    }
}

/// Goal: who agreed to HTTP/2 under TLS and ends it is not taken for one that does not speak it.
/// Method: it does, and one that agrees to something else is.
#[test]
fn who_agreed_speaks_it() {
    let begun = |agrees: &'static str| {
        let address = listener(move |_| vec![agrees], |_| Ok(()));
        let wait = Duration::from_secs(30);
        secured(address).connect_http2(Under::Host("site.example"), wait)
    };
    assert_eq!(begun("h2").unwrap_err().kind, EdgeErrorKind::Unreachable);
    assert!(begun("http/1.1").unwrap().is_none());
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
