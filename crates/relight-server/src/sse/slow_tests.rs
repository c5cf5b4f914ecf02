//! Readers who take nothing, and slow ones.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::thread::park_timeout;

use super::tests::console;
use super::*;
use crate::listen::{self, Room, WAITS, Waits};
use crate::{console, runtime};

const PATIENT: Duration = Duration::from_secs(120);

/// More than the system keeps of one connection, on both of its sides.
const KEPT_BYTES_MAX: usize = 24 << 20;

fn open(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENT)).unwrap();
    stream.write_all(b"GET /events?lang=en HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    stream
}

/// Goal: whoever reads nothing holds no place, and no more than the system keeps for a connection.
/// Method: such a reader of a real socket, and long lines for it until its place is free again;
/// then all that was kept for it, and a stream in its place.
#[test]
fn a_reader_who_takes_nothing_is_cut() {
    let console = Arc::new(console(1));
    let runtime = runtime::start("test").unwrap();
    let entered = runtime.enter();
    let (listener, address) = runtime::listen(([127, 0, 0, 1], 0).into()).unwrap();
    let waits = Waits { write_max: Duration::from_millis(500), ..WAITS };
    let router = console::router(Arc::clone(&console));
    runtime.spawn(listen::serve(listener, router, waits, Room::of(8)));
    drop(entered);
    let began = std::time::Instant::now();
    let wait = |what: &str| {
        assert!(began.elapsed() < PATIENT, "{what}");
        park_timeout(COALESCE);
    };
    let mut idle = open(address);
    while console.streams.open() != [1, 0] {
        wait("it has its place");
    }
    let (line, mut made) = ("x".repeat(64 << 10), 0);
    while console.streams.open() != [0, 0] {
        wait("it keeps its place");
        for _ in 0..LOG_LINES_MAX {
            console.board.log(0, "log-relit", vec![line.clone()]);
            made += line.len();
        }
    }
    let mut kept = Vec::new();
    // Cut off, or closed once it took what was on its way.
    let _ = idle.read_to_end(&mut kept);
    assert!(kept.starts_with(b"HTTP/1.1 200"), "it was a stream");
    assert!(kept.len() < KEPT_BYTES_MAX, "{} of {made} bytes were kept", kept.len());
    let lines = BufReader::new(open(address)).lines().map_while(Result::ok);
    assert!(lines.into_iter().any(|line| line == "event: counts"), "its place is another's");
}

/// Goal: who reads slowly, and never stops, gets all of an answer. Method: an answer of more than
/// the system keeps by itself, which is read quickly until the buffers are as large as they get,
/// then so slowly that a third of megabytes takes longer than is waited, and to its end.
#[test]
fn a_reader_who_is_slow_and_steady_gets_all() {
    const SLOW_BYTES: usize = 2 << 20;
    let runtime = runtime::start("test").unwrap();
    let entered = runtime.enter();
    let (listener, address) = runtime::listen(([127, 0, 0, 1], 0).into()).unwrap();
    let waits = Waits { write_max: Duration::from_secs(2), ..WAITS };
    let answer = axum::routing::get(|| async { vec![b'x'; KEPT_BYTES_MAX] });
    let router = axum::Router::new().route("/events", answer);
    runtime.spawn(listen::serve(listener, router, waits, Room::of(8)));
    drop(entered);
    let (mut stream, mut taken) = (open(address), 0);
    let mut piece = vec![0; 4 << 10];
    let slow = KEPT_BYTES_MAX / 4..KEPT_BYTES_MAX / 4 + SLOW_BYTES;
    while taken <= KEPT_BYTES_MAX {
        let count = stream.read(&mut piece).unwrap();
        assert!(count > 0, "cut after {taken} bytes");
        taken += count;
        if slow.contains(&taken) {
            park_timeout(Duration::from_millis(10));
        }
    }
}
