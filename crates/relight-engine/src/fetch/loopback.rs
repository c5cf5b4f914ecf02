//! A server of documents on the loopback that does what it is told, however wrong.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A file of the fixtures for TLS.
pub(super) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/tls").join(name)
}

/// One answer.
#[derive(Clone, Debug)]
pub(super) struct Page {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    how: How,
    cut: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum How {
    Whole,
    Chunked,
    Garbage,
    Silent,
    Stalls(usize),
}

impl Page {
    pub(super) fn text(body: impl Into<Vec<u8>>) -> Self {
        Self { status: 200, headers: Vec::new(), body: body.into(), how: How::Whole, cut: None }
    }

    pub(super) fn status(status: u16) -> Self {
        Self { status, ..Self::text("") }
    }

    /// No HTTP at all.
    pub(super) fn garbage() -> Self {
        Self { how: How::Garbage, ..Self::text("") }
    }

    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(super) fn etag(self, etag: &str) -> Self {
        self.header("ETag", etag)
    }

    /// Seconds of the first day of 1970.
    pub(super) fn dated(self, at: u32) -> Self {
        let (hour, minute, second) = (at / 3_600, at / 60 % 60, at % 60);
        let date = format!("Thu, 01 Jan 1970 {hour:02}:{minute:02}:{second:02} GMT");
        self.header("Last-Modified", &date)
    }

    /// The connection ends after so many bytes of the body.
    pub(super) fn cut(self, bytes: usize) -> Self {
        Self { cut: Some(bytes), ..self }
    }

    pub(super) fn chunked(self) -> Self {
        Self { how: How::Chunked, ..self }
    }

    /// Nothing is answered, and the connection stays.
    pub(super) fn silent(self) -> Self {
        Self { how: How::Silent, ..self }
    }

    /// After so many bytes nothing more comes, and the connection stays.
    pub(super) fn stalls(self, bytes: usize) -> Self {
        Self { how: How::Stalls(bytes), ..self }
    }

    fn is_known(&self, head: &str) -> bool {
        let etag = self.headers.iter().find(|(name, _)| name == "ETag");
        etag.is_some_and(|(_, etag)| {
            head.contains(&format!("if-none-match: {}", etag.to_ascii_lowercase()))
        })
    }

    fn write(&self, stream: &mut impl Write) -> io::Result<()> {
        if self.how == How::Garbage {
            return stream.write_all(b"220 mail.example ready\r\n");
        }
        let mut head = format!("HTTP/1.1 {} X\r\nConnection: close\r\n", self.status);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let body = self.body.get(..self.cut.unwrap_or(self.body.len())).unwrap();
        if self.how == How::Chunked {
            stream.write_all(format!("{head}Transfer-Encoding: chunked\r\n\r\n").as_bytes())?;
            for chunk in body.chunks(7) {
                stream.write_all(format!("{:x}\r\n", chunk.len()).as_bytes())?;
                stream.write_all(&[chunk, b"\r\n"].concat())?;
            }
            return stream.write_all(if self.cut.is_none() { b"0\r\n\r\n" } else { b"" });
        }
        stream
            .write_all(format!("{head}Content-Length: {}\r\n\r\n", self.body.len()).as_bytes())?;
        let sent = if let How::Stalls(bytes) = self.how { bytes } else { body.len() };
        stream.write_all(&body[..sent])?;
        stream.flush()
    }
}

/// What happens between a question and its answer, once.
type Meanwhile = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Inside {
    pages: Mutex<BTreeMap<String, Page>>,
    meanwhile: Mutex<Option<Meanwhile>>,
    /// The heads of requests, in lower case.
    asked: Mutex<Vec<String>>,
    busy: AtomicUsize,
    at_once: AtomicUsize,
    is_watched: AtomicBool,
    is_closed: AtomicBool,
}

impl Inside {
    /// Between a question and its answer.
    fn count_busy(&self) {
        let busy = self.busy.fetch_add(1, Ordering::SeqCst) + 1;
        self.at_once.fetch_max(busy, Ordering::SeqCst);
        let turns = if self.is_watched.load(Ordering::SeqCst) { 200 } else { 0 };
        (0..turns).for_each(|_| thread::yield_now());
        self.busy.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A running server.
pub(super) struct Server {
    address: SocketAddr,
    origin: String,
    inside: Arc<Inside>,
}

impl Server {
    pub(super) fn plain() -> Self {
        Self::start("http://127.0.0.1", serve)
    }

    /// One that speaks TLS under a certificate of the fixtures.
    pub(super) fn secure(certificate: &str) -> Self {
        let chain = CertificateDer::pem_file_iter(fixture(certificate)).unwrap();
        let chain = chain.collect::<Result<Vec<_>, _>>().unwrap();
        let key = PrivateKeyDer::from_pem_file(fixture("key.pem")).unwrap();
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let config = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        let config = Arc::new(config.with_single_cert(chain, key).unwrap());
        Self::start("https://localhost", move |stream, inside| {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(connection, stream);
            serve(&mut stream, inside)?;
            stream.conn.send_close_notify();
            stream.flush()
        })
    }

    fn start(
        origin: &str,
        serve: impl Fn(TcpStream, &Inside) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let (inside, serve) = (Arc::<Inside>::default(), Arc::new(serve));
        let shared = Arc::clone(&inside);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if shared.is_closed.load(Ordering::SeqCst) {
                    return;
                }
                let (inside, serve) = (Arc::clone(&shared), Arc::clone(&serve));
                thread::spawn(move || {
                    // A client that goes away in the middle is what some tests are about.
                    let _ = serve(stream, &inside);
                });
            }
        });
        Self { address, origin: format!("{origin}:{}", address.port()), inside }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    pub(super) fn put(&self, path: &str, page: Page) {
        self.inside.pages.lock().unwrap().insert(path.to_owned(), page);
    }

    /// Does this between the next question and its answer.
    pub(super) fn meanwhile(&self, work: impl FnOnce() + Send + 'static) {
        *self.inside.meanwhile.lock().unwrap() = Some(Box::new(work));
    }

    pub(super) fn asked(&self) -> Vec<String> {
        self.inside.asked.lock().unwrap().clone()
    }

    /// The paths that were asked for since the last call.
    pub(super) fn take_paths(&self) -> Vec<String> {
        let heads = std::mem::take(&mut *self.inside.asked.lock().unwrap());
        heads.iter().map(|head| head.split(' ').nth(1).unwrap().to_owned()).collect()
    }

    /// Takes its time between question and answer, so that who asks twice at one moment is seen.
    pub(super) fn watch(self) -> Self {
        self.inside.is_watched.store(true, Ordering::SeqCst);
        self
    }

    /// Most requests that were answered at one moment.
    pub(super) fn at_once(&self) -> usize {
        self.inside.at_once.load(Ordering::SeqCst)
    }

    /// Nobody listens any more once this returns.
    pub(super) fn close(&self) {
        self.inside.is_closed.store(true, Ordering::SeqCst);
        let woken = TcpStream::connect(self.address).unwrap();
        // The other side ends when its listener is gone.
        let _ = (&woken).read(&mut [0]);
        while TcpStream::connect(self.address).is_ok() {
            thread::yield_now();
        }
    }
}

fn serve(stream: impl Read + Write, inside: &Inside) -> io::Result<()> {
    let mut lines = BufReader::new(stream);
    let mut head = String::new();
    while lines.read_line(&mut head)? > 2 {}
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    // Paths keep their case; names of headers do not.
    let (first, rest) = head.split_once('\n').unwrap_or_default();
    let head = format!("{first}\n{}", rest.to_ascii_lowercase());
    inside.asked.lock().unwrap().push(head.clone());
    // What is left unread ends the connection before the answer is read.
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length = length.map_or(0, |length| length.trim().parse().unwrap());
    io::copy(&mut lines.by_ref().take(length), &mut io::sink())?;
    inside.count_busy();
    let meanwhile = inside.meanwhile.lock().unwrap().take();
    meanwhile.into_iter().for_each(|work| work());
    let page = inside.pages.lock().unwrap().get(&path).cloned();
    let page = page.unwrap_or_else(|| Page::status(404));
    let page = if page.is_known(&head) { Page::status(304) } else { page };
    if page.how == How::Silent {
        return wait_for_end(&mut lines);
    }
    page.write(lines.get_mut())?;
    if matches!(page.how, How::Stalls(_)) {
        return wait_for_end(&mut lines);
    }
    Ok(())
}

/// Until the client goes away.
fn wait_for_end(stream: &mut impl Read) -> io::Result<()> {
    io::copy(stream, &mut io::sink()).map(drop)
}

impl Drop for Server {
    fn drop(&mut self) {
        self.inside.is_closed.store(true, Ordering::SeqCst);
        if let Ok(stream) = TcpStream::connect(self.address) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}
