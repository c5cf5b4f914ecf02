//! What the edge tests share: a gate directory, a raw client, a raw origin, and a small world.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use relight_model::GateKey;
use relight_server::edge_proxy::{EdgeLimits, EdgeProxy, EdgeProxyConfig, EdgeProxyHandle, Route};
use relight_server::origin::{Origin, OriginConfig, OriginHandle, OriginSite};
use tempfile::TempDir;

/// No step of a test takes longer, however busy the machine is.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);
/// Port 0 of loopback.
pub(crate) fn loopback() -> SocketAddr {
    ([127, 0, 0, 1], 0).into()
}

pub(crate) fn key(text: &str) -> GateKey {
    GateKey::new(text).unwrap()
}

/// Waits for a condition.
pub(crate) fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < DEADLINE, "waited too long: {what}");
        // Whoever only gives way takes a whole core from what is waited for.
        thread::park_timeout(Duration::from_millis(1));
    }
}

/// Whole tries at something that is promised within a second.
const TRIES_MAX: usize = 5;

/// The promise is that of a quiet machine: a busy one gets more tries, each of them whole.
pub(crate) fn within_a_second(mut once: impl FnMut() -> Duration) {
    let mut times = Vec::new();
    while times.iter().all(|time| *time >= Duration::from_secs(1)) {
        assert!(times.len() < TRIES_MAX, "never within a second: {times:?}");
        times.push(once());
    }
}

/// Folders of one edge.
pub(crate) struct Folders {
    root: TempDir,
    generation: AtomicUsize,
}

impl Folders {
    /// Holding pages, and a gate directory in which nothing is dark.
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        for folder in ["gate", "hold", "acme"] {
            fs::create_dir(root.path().join(folder)).unwrap();
        }
        fs::write(root.path().join("hold/hold.html"), "<p>dark</p>").unwrap();
        fs::write(root.path().join("hold/hold.json"), "{\"status\":503}").unwrap();
        let folders = Self { root, generation: AtomicUsize::new(0) };
        folders.set_dark(&[]);
        folders
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Switches the whole gate directory, as its driver does.
    pub(crate) fn set_dark(&self, keys: &[&str]) {
        let gate = self.path("gate");
        let name = format!("gen-1-{}", self.generation.fetch_add(1, Ordering::SeqCst));
        fs::create_dir(gate.join(&name)).unwrap();
        for key in keys {
            fs::write(gate.join(&name).join(key), "").unwrap();
        }
        symlink(&name, gate.join("new")).unwrap();
        fs::rename(gate.join("new"), gate.join("current")).unwrap();
    }

    pub(crate) fn config(&self, routes: Vec<Route>) -> EdgeProxyConfig {
        EdgeProxyConfig {
            listen: vec![loopback()],
            verify: Some(self.path("verify.sock")),
            testers: None,
            gate: self.path("gate"),
            hold: self.path("hold"),
            acme: self.path("acme"),
            routes,
            limits: EdgeLimits::default(),
        }
    }
}

pub(crate) fn route(name: &str, upstream: SocketAddr) -> Route {
    let host = format!("{name}.qc");
    let aliases = vec![format!("www.{host}")];
    let parts = ["booking=/booking", "@internet", "@write"];
    let parts = parts.map(|part| relight_model::SitePart::parse(part).unwrap()).into();
    Route { key: key(name), aliases, host, parts, upstream }
}

/// Sites `a` to `d` on one counting origin, behind one edge.
pub(crate) struct World {
    pub(crate) folders: Folders,
    pub(crate) origin: OriginHandle,
    pub(crate) edge: EdgeProxyHandle,
}

impl World {
    pub(crate) fn start() -> Self {
        let folders = Folders::new();
        let names = ["a", "b", "c", "d"];
        let sites = names
            .iter()
            .flat_map(|name| [format!("{name}.qc"), format!("www.{name}.qc")])
            .map(|host| OriginSite { name: host.clone(), host })
            .collect();
        let origin = Origin::start(OriginConfig { listen: loopback(), sites }).unwrap();
        let routes = names.iter().map(|name| route(name, origin.address())).collect();
        let edge = EdgeProxy::start(folders.config(routes)).unwrap();
        Self { folders, origin, edge }
    }

    pub(crate) fn client(&self) -> Wire<TcpStream> {
        connect(&self.edge)
    }

    pub(crate) fn tester(&self) -> Wire<UnixStream> {
        verify(&self.folders)
    }

    /// Requests of visitors that reached the origin of one site, by either of its names.
    pub(crate) fn reached(&self, name: &str) -> u64 {
        let count = |host: String| self.origin.requests(&host).unwrap().visitors;
        count(format!("{name}.qc")) + count(format!("www.{name}.qc"))
    }
}

/// One edge before one raw origin, as site `a`.
pub(crate) fn edge_before(folders: &Folders, upstream: SocketAddr) -> EdgeProxyHandle {
    EdgeProxy::start(folders.config(vec![route("a", upstream)])).unwrap()
}

pub(crate) fn connect(edge: &EdgeProxyHandle) -> Wire<TcpStream> {
    let stream = TcpStream::connect(edge.addresses()[0]).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream.set_nodelay(true).unwrap();
    Wire(stream)
}

pub(crate) fn verify(folders: &Folders) -> Wire<UnixStream> {
    let stream = UnixStream::connect(folders.path("verify.sock")).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    Wire(stream)
}

/// A client, or an origin's side, that speaks bytes.
pub(crate) struct Wire<S>(pub(crate) S);

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// One field of a head.
pub(crate) fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().skip(1).find_map(|line| {
        let (field, value) = line.split_once(':')?;
        field.eq_ignore_ascii_case(name).then_some(value.trim())
    })
}

impl<S: Read + Write> Wire<S> {
    pub(crate) fn send(&mut self, text: &str) -> &mut Self {
        self.0.write_all(text.as_bytes()).unwrap();
        self
    }

    /// Bytes up to and with an empty line; empty at the end of the stream.
    pub(crate) fn read_head(&mut self) -> String {
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            match self.0.read(&mut byte) {
                Ok(1) => head.push(byte[0]),
                Ok(_) => break,
                Err(error) => panic!("after `{}`: {error}", String::from_utf8_lossy(&head)),
            }
        }
        String::from_utf8(head).unwrap()
    }

    pub(crate) fn read_exact(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.0.read_exact(&mut bytes).unwrap();
        bytes
    }

    /// One chunk of a chunked body; empty at its end.
    pub(crate) fn read_chunk(&mut self) -> Vec<u8> {
        let mut size = Vec::new();
        while !size.ends_with(b"\r\n") {
            size.extend(self.read_exact(1));
        }
        let size = std::str::from_utf8(&size).unwrap().trim();
        let mut chunk = self.read_exact(usize::from_str_radix(size, 16).unwrap() + 2);
        chunk.truncate(chunk.len() - 2);
        chunk
    }

    /// The response to a request of this method.
    pub(crate) fn reply_to(&mut self, method: &str) -> Reply {
        let head = self.read_head();
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.unwrap_or_else(|| panic!("not a response: `{head}`"));
        let mut body = Vec::new();
        if header(&head, "transfer-encoding").is_some() {
            loop {
                let chunk = self.read_chunk();
                if chunk.is_empty() {
                    break;
                }
                body.extend(chunk);
            }
        } else if method != "HEAD" {
            let length = header(&head, "content-length").map_or(0, |text| text.parse().unwrap());
            body = self.read_exact(length);
        }
        Reply { status, head, body }
    }

    pub(crate) fn get(&mut self, host: &str, path: &str) -> Reply {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n")).reply_to("GET")
    }

    /// Whether the other side has closed, without a byte before.
    pub(crate) fn at_end(&mut self) -> bool {
        matches!(self.0.read(&mut [0]), Ok(0) | Err(_))
    }
}

/// An origin that does what a test tells it: `answer` gets each request head.
pub(crate) struct RawOrigin {
    pub(crate) address: SocketAddr,
    pub(crate) connections: Arc<AtomicUsize>,
    stopping: Arc<AtomicBool>,
}

/// Whether a raw origin keeps its connection.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    Keep,
    Close,
}

impl RawOrigin {
    pub(crate) fn start(
        answer: impl Fn(&mut Wire<TcpStream>, &str) -> Then + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(loopback()).unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let stopping = Arc::new(AtomicBool::new(false));
        let answer = Arc::new(answer);
        let (count, stop) = (Arc::clone(&connections), Arc::clone(&stopping));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                count.fetch_add(1, Ordering::SeqCst);
                let answer = Arc::clone(&answer);
                thread::spawn(move || {
                    let mut wire = Wire(stream);
                    loop {
                        let head = wire.read_head();
                        if head.is_empty() || answer(&mut wire, &head) == Then::Close {
                            return;
                        }
                    }
                });
            }
        });
        Self { address, connections, stopping }
    }

    /// An origin that answers each request with its own head.
    pub(crate) fn echo_heads() -> Self {
        Self::start(|wire, head| {
            let length = head.len();
            wire.send(&format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{head}"));
            Then::Keep
        })
    }
}

impl Drop for RawOrigin {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        // Wakes the accept loop so that it sees the flag.
        drop(TcpStream::connect(self.address));
    }
}

/// Mode bits of a file.
pub(crate) fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}
