//! The origin behind every site: answers everybody, counts who came after a site was proven dark,
//! serves slow downloads and tunnels.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Bytes of a slow download, and the pieces in which they come.
pub(crate) const DOWNLOAD_BYTES: usize = 256 << 10;
const PIECES: usize = 16;
/// Between two pieces: a download lasts about as long as a cycle.
const PIECE_PAUSE: Duration = Duration::from_millis(40);
/// The header in which a visitor says when it asked.
pub(crate) const STARTED: &str = "X-Started";

/// What all visitors did so far.
pub(crate) struct Counts {
    began: Instant,
    /// Requests for each site, without probes of the engine.
    pub(crate) visits: Vec<AtomicUsize>,
    /// The same for all of them, and for whatever else was asked for.
    all: AtomicUsize,
    /// Since when a site is proven dark, in nanoseconds; 0 while it is not.
    dark_since: Vec<AtomicU64>,
    /// Requests that began after the proof and came here all the same.
    pub(crate) leaked: AtomicUsize,
}

impl Counts {
    /// Nanoseconds since the origin started, never 0.
    pub(crate) fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX).max(1)
    }

    pub(crate) fn proven_dark(&self, site: usize) {
        self.dark_since[site].store(self.now(), Ordering::SeqCst);
    }

    pub(crate) fn may_be_lit(&self, site: usize) {
        self.dark_since[site].store(0, Ordering::SeqCst);
    }

    /// Everything that visitors of these sites got from here.
    pub(crate) fn sum(&self, sites: std::ops::Range<usize>) -> usize {
        self.visits[sites].iter().map(|count| count.load(Ordering::SeqCst)).sum()
    }

    /// Everything that visitors got from here, under whichever name they asked.
    pub(crate) fn all(&self) -> usize {
        self.all.load(Ordering::SeqCst)
    }

    fn visit(&self, site: Option<usize>, started: u64) {
        self.all.fetch_add(1, Ordering::SeqCst);
        let known = site.and_then(|site| Some((site, self.visits.get(site)?)));
        let Some((site, count)) = known else { return };
        count.fetch_add(1, Ordering::SeqCst);
        let dark = self.dark_since[site].load(Ordering::SeqCst);
        if dark != 0 && started > dark {
            self.leaked.fetch_add(1, Ordering::SeqCst);
        }
    }
}

pub(crate) struct Origin {
    pub(crate) address: SocketAddr,
    pub(crate) counts: Arc<Counts>,
}

impl Origin {
    /// An origin of `sites` sites on loopback; its threads end with the process.
    pub(crate) fn start(sites: usize) -> Self {
        // Every address of loopback, so that a site can have one of its own; nobody else is served.
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let counts = Arc::new(Counts {
            began: Instant::now(),
            visits: (0..sites).map(|_| AtomicUsize::new(0)).collect(),
            all: AtomicUsize::new(0),
            dark_since: (0..sites).map(|_| AtomicU64::new(0)).collect(),
            leaked: AtomicUsize::new(0),
        });
        let shared = Arc::clone(&counts);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if !stream.peer_addr().is_ok_and(|peer| peer.ip().is_loopback()) {
                    continue;
                }
                let counts = Arc::clone(&shared);
                thread::Builder::new()
                    .stack_size(128 << 10)
                    .spawn(move || serve(stream, &counts))
                    .unwrap();
            }
        });
        Self { address, counts }
    }

    /// The same origin under an address that no other site has.
    pub(crate) fn own_address(&self, site: usize) -> SocketAddr {
        let [high, low] = u16::try_from(site + 1).unwrap().to_be_bytes();
        SocketAddr::from((Ipv4Addr::new(127, 1, high, low), self.address.port()))
    }
}

/// The site that an address belongs to, whatever the request says.
fn owner(address: SocketAddr) -> Option<usize> {
    let SocketAddr::V4(address) = address else { return None };
    let [127, 1, high, low] = address.ip().octets() else { return None };
    usize::from(u16::from_be_bytes([high, low])).checked_sub(1)
}

/// Serves one connection until it ends; never fails, because the counts are looked at.
fn serve(stream: TcpStream, counts: &Counts) -> Option<()> {
    let mut out = stream.try_clone().ok()?;
    out.set_nodelay(true).ok()?;
    let owner = stream.local_addr().ok().and_then(owner);
    let mut lines = BufReader::new(stream);
    let mut line = String::new();
    loop {
        line.clear();
        lines.read_line(&mut line).ok()?;
        let path = line.split(' ').nth(1)?.to_owned();
        let (site, started) = headers(&mut lines)?;
        if let Some(started) = started {
            counts.visit(owner.or(site), started);
        }
        if path.starts_with("/tunnel") {
            return tunnel(&mut out, &mut lines);
        }
        if path.starts_with("/download") {
            download(&mut out)?;
        } else {
            out.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\nthe site itself").ok()?;
        }
    }
}

/// Number of the site, and when the visitor asked; probes do not say.
fn headers(lines: &mut BufReader<TcpStream>) -> Option<(Option<usize>, Option<u64>)> {
    let (mut site, mut started) = (None, None);
    let mut line = String::new();
    loop {
        line.clear();
        if lines.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let text = line.trim();
        if text.is_empty() {
            return Some((site, started));
        }
        let Some((name, value)) = text.split_once(':') else { continue };
        if name.eq_ignore_ascii_case("host") {
            let label = value.trim().split('.').next()?;
            site = label.strip_prefix("site-").and_then(|number| number.parse().ok());
        } else if name.eq_ignore_ascii_case(STARTED) {
            started = value.trim().parse().ok();
        }
    }
}

fn download(out: &mut TcpStream) -> Option<()> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {DOWNLOAD_BYTES}\r\n\r\n");
    out.write_all(head.as_bytes()).ok()?;
    for _ in 0..PIECES {
        out.write_all(&[b'x'; DOWNLOAD_BYTES / PIECES]).ok()?;
        thread::park_timeout(PIECE_PAUSE);
    }
    Some(())
}

/// Echoes until somebody cuts it.
fn tunnel(out: &mut TcpStream, lines: &mut BufReader<TcpStream>) -> Option<()> {
    let head = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n";
    out.write_all(head.as_bytes()).ok()?;
    let mut byte = [0];
    loop {
        lines.read_exact(&mut byte).ok()?;
        out.write_all(&byte).ok()?;
    }
}
