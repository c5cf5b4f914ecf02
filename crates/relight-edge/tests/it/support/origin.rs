//! A vulnerable origin: answers everybody, counts who reached it, and can misbehave on request.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// One origin on loopback; its threads end with the test process.
pub(crate) struct Origin {
    pub(crate) address: SocketAddr,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    visitors: AtomicUsize,
    verification: AtomicUsize,
    last_path: Mutex<String>,
}

impl Origin {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let counts = Arc::new(Counts::default());
        let shared = Arc::clone(&counts);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let counts = Arc::clone(&shared);
                thread::spawn(move || serve(stream, &counts));
            }
        });
        Self { address, counts }
    }

    /// Requests of visitors so far.
    pub(crate) fn visitors(&self) -> usize {
        self.counts.visitors.load(Ordering::SeqCst)
    }

    /// Requests with the header of the verification path so far.
    pub(crate) fn verification(&self) -> usize {
        self.counts.verification.load(Ordering::SeqCst)
    }

    /// Path of the last request.
    pub(crate) fn last_path(&self) -> String {
        self.counts.last_path.lock().unwrap().clone()
    }
}

/// Serves one connection until it ends; never fails, because tests look at the counts.
fn serve(stream: TcpStream, counts: &Counts) -> Option<()> {
    let mut out = stream.try_clone().ok()?;
    let mut lines = BufReader::new(stream).lines();
    loop {
        let path = lines.next()?.ok()?.split(' ').nth(1)?.to_owned();
        let (mut verification, mut is_wish) = (false, false);
        let mut head = false;
        loop {
            let line = lines.next()?.ok()?.to_lowercase();
            head |= line.is_empty();
            if head {
                break;
            }
            is_wish |= line.starts_with("upgrade: echo");
            verification |= line.starts_with("x-relight-verify:");
        }
        let counter = if verification { &counts.verification } else { &counts.visitors };
        counter.fetch_add(1, Ordering::SeqCst);
        counts.last_path.lock().ok()?.clone_from(&path);
        // Whoever is not asked switches nothing (RFC 9110, section 7.8).
        let path = if is_wish { path } else { path.replace("/tunnel", "/") };
        out.write_all(answer(&path).as_bytes()).ok()?;
        if path.starts_with("/tunnel") {
            // A tunnel echoes until somebody cuts it.
            for line in lines.by_ref() {
                out.write_all(format!("{}\n", line.ok()?).as_bytes()).ok()?;
            }
            return None;
        }
    }
}

fn answer(path: &str) -> String {
    let body = "the site itself";
    match path.split('?').next() {
        Some("/tunnel") => "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n\
                            Upgrade: echo\r\n\r\n"
            .to_owned(),
        Some("/broken") => {
            "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n".to_owned()
        }
        // A compromised origin that would like to pass as dark: the key is in its query.
        Some("/pretends") => format!(
            "HTTP/1.1 503 Service Unavailable\r\nCache-Control: no-store\r\n\
             X-Relight-Gate: dark=1; site={}\r\nContent-Length: 0\r\n\r\n",
            path.split_once('?').map_or("", |(_, key)| key)
        ),
        _ => format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()),
    }
}
