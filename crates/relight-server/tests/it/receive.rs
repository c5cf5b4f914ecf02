//! Logs over the wire: what is sent is in the spool, what is not taken is counted, and nothing
//! grows without limit. All of it on loopback.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{fs, thread};

use relight_server::receive::{
    FRAME_BYTES_MAX, ReceiveConfig, ReceiveLimits, ReceiveTally, Receiver, TlsFiles,
};
use tempfile::TempDir;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

const FREE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// How long something may take that takes a moment.
const WAIT_MAX: Duration = Duration::from_secs(60);

fn config(folder: &Path, limits: ReceiveLimits) -> ReceiveConfig {
    ReceiveConfig {
        folder: folder.to_owned(),
        syslog_udp: Some(FREE),
        syslog_tcp: Some(FREE),
        syslog_tls: None,
        flows: Some(FREE),
        limits,
    }
}

fn start(folder: &Path) -> Receiver {
    start_with(folder, ReceiveLimits::default())
}

fn start_with(folder: &Path, limits: ReceiveLimits) -> Receiver {
    Receiver::start(&config(folder, limits)).unwrap()
}

fn address(receiver: &Receiver, kind: &str) -> SocketAddr {
    receiver.addresses().iter().find(|(name, _)| *name == kind).unwrap().1
}

fn connect(receiver: &Receiver) -> TcpStream {
    let stream = TcpStream::connect(address(receiver, "syslog-tcp")).unwrap();
    stream.set_read_timeout(Some(WAIT_MAX)).unwrap();
    stream
}

fn wait(receiver: &Receiver, what: &str, holds: impl Fn(&ReceiveTally) -> bool) {
    let until = Instant::now() + WAIT_MAX;
    while !holds(&receiver.tally()) {
        assert!(Instant::now() < until, "{what}: {:?}", receiver.tally());
        thread::yield_now();
    }
}

/// Every line of the spool but the marks, in order of files.
fn spooled(folder: &Path) -> Vec<String> {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    let texts = files.iter().map(|path| fs::read(path).unwrap());
    let lines = texts.flat_map(|text| {
        assert!(text.ends_with(b"\n"), "no file ends in mid-line");
        let text = String::from_utf8_lossy(&text).into_owned();
        text.lines().map(str::to_owned).collect::<Vec<_>>()
    });
    lines.filter(|line| !line.starts_with("#Remark: relight spool ")).collect()
}

/// The end of the other side, or an error that says the same.
fn is_closed(stream: &mut TcpStream) -> bool {
    matches!(stream.read(&mut [0; 1]), Ok(0) | Err(_))
}

#[test]
fn every_way_in_ends_in_the_spool() {
    let folder = TempDir::new().unwrap();
    let receiver = start(folder.path());
    let udp = UdpSocket::bind(FREE).unwrap();
    udp.send_to(b"<13>over udp\n", address(&receiver, "syslog-udp")).unwrap();
    udp.send_to(b"<13>two\nlines", address(&receiver, "syslog-udp")).unwrap();
    let mut tcp = connect(&receiver);
    tcp.write_all(b"<13>a line\n13 <13>counted x<13>last\n").unwrap();
    let mut record = vec![0, 5, 0, 1];
    record.extend([0, 0, 0, 9, 0x61, 0xb2, 0xb6, 0x46]);
    record.extend([0; 12]);
    record.extend([198, 51, 100, 7, 192, 0, 2, 1]);
    record.extend([0; 40]);
    udp.send_to(&record, address(&receiver, "flows")).unwrap();
    wait(&receiver, "six lines", |tally| tally.lines == 6);
    drop(tcp);
    let tally = receiver.stop();
    assert_eq!((tally.flows.records, tally.torn, tally.dropped), (1, 0, 0));
    let mut lines = spooled(folder.path());
    lines.sort();
    assert!(lines.pop().unwrap().contains("\"sourceIPv4Address\":\"198.51.100.7\""));
    assert_eq!(
        lines,
        ["<13>a line", "<13>counted x", "<13>last", "<13>over udp", "<13>two\\x0Alines"]
    );
}

#[test]
fn the_end_takes_what_was_sent_before() {
    let folder = TempDir::new().unwrap();
    let receiver = start(folder.path());
    let mut tcp = connect(&receiver);
    let lines: String = (0..5_000).map(|number| format!("<13>line {number}\n")).collect();
    tcp.write_all(lines.as_bytes()).unwrap();
    tcp.write_all(b"<13>half").unwrap();
    drop(tcp);
    wait(&receiver, "all of it", |tally| tally.lines >= 5_001);
    assert_eq!(receiver.stop().torn, 1);
    let found = spooled(folder.path());
    assert_eq!((found.len(), found[5_000].as_str()), (5_001, "<13>half"));
    // Another life goes on in another file.
    let receiver = start(folder.path());
    connect(&receiver).write_all(b"<13>again\n").unwrap();
    wait(&receiver, "a line", |tally| tally.lines == 1);
    receiver.stop();
    assert_eq!(spooled(folder.path())[5_001], "<13>again");
}

#[test]
fn one_connection_too_many_is_closed() {
    let folder = TempDir::new().unwrap();
    let limits = ReceiveLimits { connections: 2, ..ReceiveLimits::default() };
    let receiver = start_with(folder.path(), limits);
    let mut held: Vec<TcpStream> = (0..2).map(|_| connect(&receiver)).collect();
    for stream in &mut held {
        stream.write_all(b"<13>here\n").unwrap();
    }
    wait(&receiver, "both", |tally| tally.lines == 2);
    assert!(is_closed(&mut connect(&receiver)));
    assert_eq!(receiver.tally().crowded, 1);
    held.pop();
    // A seat is free again once the system told that one left.
    let until = Instant::now() + WAIT_MAX;
    while receiver.tally().lines < 3 {
        assert!(Instant::now() < until, "{:?}", receiver.tally());
        let _ = connect(&receiver).write_all(b"<13>later\n");
        thread::yield_now();
    }
}

#[test]
fn a_line_that_takes_too_long_ends_its_connection() {
    let folder = TempDir::new().unwrap();
    let slow = Duration::from_millis(100);
    let limits = ReceiveLimits { slow, ..ReceiveLimits::default() };
    let receiver = start_with(folder.path(), limits);
    let mut stream = connect(&receiver);
    stream.write_all(b"<13>whole\n100 <13>and then").unwrap();
    assert!(is_closed(&mut stream));
    wait(&receiver, "slow", |tally| tally.slow == 1);
    let tally = receiver.stop();
    assert_eq!((tally.torn, tally.lines), (1, 2));
    assert_eq!(spooled(folder.path()), ["<13>whole", "<13>and then"]);
}

#[test]
fn silence_ends_too() {
    let folder = TempDir::new().unwrap();
    let idle = Duration::from_millis(50);
    let receiver = start_with(folder.path(), ReceiveLimits { idle, ..ReceiveLimits::default() });
    assert!(is_closed(&mut connect(&receiver)));
    let tally = receiver.stop();
    assert_eq!((tally.slow, tally.failed, tally.torn), (0, 0, 0));
}

#[test]
fn a_line_beyond_the_limit_is_cut_and_counted() {
    let folder = TempDir::new().unwrap();
    let receiver = start(folder.path());
    let mut stream = connect(&receiver);
    stream.write_all(&vec![b'a'; FRAME_BYTES_MAX + 1]).unwrap();
    stream.write_all(b"\n<13>next\n").unwrap();
    wait(&receiver, "two lines", |tally| tally.lines == 2);
    assert_eq!(receiver.stop().cut, 1);
    let lengths: Vec<usize> = spooled(folder.path()).iter().map(String::len).collect();
    assert_eq!(lengths, [FRAME_BYTES_MAX, 8]);
}

/// Nobody reads the spool: connections wait, datagrams are dropped and counted, and what waits is
/// there when there is room again.
#[test]
fn a_full_spool_holds_connections_and_drops_datagrams() {
    let folder = TempDir::new().unwrap();
    let limits = ReceiveLimits {
        queue_bytes: 64 << 10,
        file_bytes: 128 << 10,
        spool_bytes: 1 << 20,
        ..ReceiveLimits::default()
    };
    let receiver = start_with(folder.path(), limits);
    let line = [&vec![b'x'; 999][..], b"\n"].concat();
    let lines = 20_000;
    let mut stream = connect(&receiver);
    let sender = thread::spawn({
        let line = line.clone();
        move || (0..lines).try_for_each(|_| stream.write_all(&line)).unwrap()
    });
    let udp = UdpSocket::bind(FREE).unwrap();
    let mut sent = 0;
    let until = Instant::now() + WAIT_MAX;
    while receiver.tally().dropped < 10 {
        assert!(Instant::now() < until, "{:?}", receiver.tally());
        udp.send_to(&line, address(&receiver, "syslog-udp")).unwrap();
        sent += 1;
    }
    let entries = fs::read_dir(folder.path()).unwrap();
    let held: u64 = entries.map(|entry| entry.unwrap().metadata().unwrap().len()).sum();
    // One batch of the queue may come on top.
    assert!(held <= limits.spool_bytes + limits.queue_bytes as u64, "{held} bytes");
    assert!(!sender.is_finished(), "a sender over TCP waits");
    // Somebody reads: whole files leave, oldest first.
    let mut read = 0;
    let until = Instant::now() + 3 * WAIT_MAX;
    while !sender.is_finished() {
        assert!(Instant::now() < until, "{read} read, {:?}", receiver.tally());
        read += take_files(folder.path());
    }
    sender.join().unwrap();
    let tally = receiver.stop();
    read += u64::try_from(spooled(folder.path()).len()).unwrap();
    assert_eq!(read, tally.lines, "what was counted is there");
    let by_system = tally.dropped_by_system.unwrap();
    assert_eq!(tally.lines + tally.dropped + by_system, lines + sent, "{tally:?}");
}

/// Removes every file but the youngest; gives how many lines that were.
fn take_files(folder: &Path) -> u64 {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    files.pop();
    let lines = |path: &std::path::PathBuf| {
        let text = fs::read(path).unwrap();
        fs::remove_file(path).unwrap();
        let lines = text.iter().filter(|byte| **byte == b'\n').count() - 1;
        u64::try_from(lines).unwrap()
    };
    files.iter().map(lines).sum()
}

/// A key that protects nothing: it is in the repository.
fn tls_files() -> TlsFiles {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/receive");
    // Whoever checks out the repository lets everybody read it, which no key may be.
    let name = format!("key-{}.pem", std::process::id());
    let key = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::copy(folder.join("key.pem"), &key).unwrap();
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    TlsFiles { certificate: folder.join("certificate.pem"), key }
}

fn tls_client() -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(tls_files().certificate).unwrap()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    Arc::new(builder.with_root_certificates(roots).with_no_client_auth())
}

#[test]
fn over_tls_and_what_is_no_tls() {
    let folder = TempDir::new().unwrap();
    let start = |limits| {
        let mut config = config(folder.path(), limits);
        config.syslog_tls = Some((FREE, tls_files()));
        Receiver::start(&config).unwrap()
    };
    let receiver = start(ReceiveLimits::default());
    let connect = || TcpStream::connect(address(&receiver, "syslog-tls")).unwrap();
    let name = "localhost".try_into().unwrap();
    let session = ClientConnection::new(tls_client(), name).unwrap();
    let mut stream = StreamOwned::new(session, connect());
    stream.write_all(b"16 <13>over tls one<13>two\n").unwrap();
    wait(&receiver, "two lines", |tally| tally.lines == 2);
    connect().write_all(b"<13>plain text is not let in\n").unwrap();
    wait(&receiver, "a failure", |tally| tally.failed == 1);
    drop(stream);
    receiver.stop();
    // Who never ends the handshake does not keep a seat; who is only held up is given time above.
    let slow = Duration::from_millis(200);
    let receiver = start(ReceiveLimits { slow, ..ReceiveLimits::default() });
    let mut silent = TcpStream::connect(address(&receiver, "syslog-tls")).unwrap();
    assert!(is_closed(&mut silent));
    wait(&receiver, "a slow one", |tally| tally.slow == 1);
    receiver.stop();
    assert_eq!(spooled(folder.path()), ["<13>over tls one", "<13>two"]);
}

#[test]
fn what_cannot_be_opened_is_told_at_the_start() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, b"in the way").unwrap();
    let told = |config: &ReceiveConfig| Receiver::start(config).unwrap_err().to_string();
    assert!(told(&config(&file, ReceiveLimits::default())).contains("file"));
    let mut bad = config(folder.path(), ReceiveLimits::default());
    let nowhere = folder.path().join("nowhere.pem");
    bad.syslog_tls = Some((FREE, TlsFiles { key: nowhere, ..tls_files() }));
    assert!(told(&bad).contains("nowhere.pem"));
    let held = UdpSocket::bind(FREE).unwrap();
    bad.syslog_tls = None;
    bad.flows = Some(held.local_addr().unwrap());
    assert!(told(&bad).starts_with("listen on 127.0.0.1:"));
}
