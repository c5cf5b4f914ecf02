//! The upper bounds of an edge, and its end.

use std::io::Read;
use std::net::TcpStream;
use std::sync::mpsc;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use relight_server::edge_proxy::{EdgeLimits, EdgeProxy, EdgeProxyHandle, HEADER_BYTES_MAX};

use crate::support::{
    DEADLINE, Folders, RawOrigin, Then, Wire, World, connect, key, loopback, route, verify,
    wait_until,
};

fn limited(folders: &Folders, origin: &RawOrigin, limits: EdgeLimits) -> EdgeProxyHandle {
    let config = folders.config(vec![route("a", origin.address)]);
    EdgeProxy::start(relight_server::edge_proxy::EdgeProxyConfig { limits, ..config }).unwrap()
}

#[test]
fn connections_over_the_limit_wait() {
    let (folders, origin) = (Folders::new(), RawOrigin::echo_heads());
    let limits = EdgeLimits { connections_max: 2, ..EdgeLimits::default() };
    let edge = limited(&folders, &origin, limits);
    let mut held: Vec<_> = (0..2).map(|_| connect(&edge)).collect();
    held.iter_mut().for_each(|client| assert_eq!(client.get("a.qc", "/").status, 200));
    let mut late = connect(&edge);
    late.send("GET / HTTP/1.1\r\nHost: a.qc\r\n\r\n");
    late.0.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    assert!(late.at_end(), "no answer while both places are taken");
    late.0.set_read_timeout(Some(DEADLINE)).unwrap();
    assert_eq!(verify(&folders).get("a.qc", "/").status, 200, "testers are not locked out");
    held.clear();
    assert_eq!(late.reply_to("GET").status, 200);
}

#[test]
fn a_head_over_the_limit_is_refused() {
    let world = World::start();
    let fits = "x".repeat(HEADER_BYTES_MAX / 2);
    let mut client = world.client();
    client.send(&format!("GET / HTTP/1.1\r\nHost: a.qc\r\nX-Long: {fits}\r\n\r\n"));
    assert_eq!(client.reply_to("GET").status, 200);
    let over = "x".repeat(HEADER_BYTES_MAX + 1);
    let mut client = world.client();
    client.send(&format!("GET / HTTP/1.1\r\nHost: a.qc\r\nX-Long: {over}\r\n\r\n"));
    assert_eq!(client.reply_to("GET").status, 431);
}

#[test]
fn an_answer_with_a_head_over_the_limit_is_502() {
    let folders = Folders::new();
    let origin = RawOrigin::start(|wire, _| {
        let over = "x".repeat(HEADER_BYTES_MAX + 1);
        wire.send(&format!("HTTP/1.1 200 OK\r\nX-Long: {over}\r\nContent-Length: 0\r\n\r\n"));
        Then::Close
    });
    let edge = limited(&folders, &origin, EdgeLimits::default());
    assert_eq!(connect(&edge).get("a.qc", "/").status, 502);
}

#[test]
fn tunnels_over_the_limit_are_refused_without_a_marker() {
    let folders = Folders::new();
    let origin = RawOrigin::start(|wire, _| {
        wire.send("HTTP/1.1 101 OK\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
        wire.at_end();
        Then::Close
    });
    let edge = limited(&folders, &origin, EdgeLimits { tunnels_max: 1, ..EdgeLimits::default() });
    let ask = "GET / HTTP/1.1\r\nHost: a.qc\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";
    let mut first = connect(&edge);
    assert!(first.send(ask).read_head().starts_with("HTTP/1.1 101 "));
    let reply = connect(&edge).send(ask).reply_to("GET");
    assert_eq!((reply.status, reply.header("x-relight-gate")), (503, None));
    drop(first);
    wait_until("the place is free", || edge.tunnels(&key("a")) == Some(0));
    assert!(connect(&edge).send(ask).read_head().starts_with("HTTP/1.1 101 "));
}

#[test]
fn an_origin_that_says_nothing_is_504() {
    let folders = Folders::new();
    let origin = RawOrigin::start(|wire, _| {
        wire.at_end();
        Then::Close
    });
    let response_timeout = Duration::from_millis(100);
    let edge = limited(&folders, &origin, EdgeLimits { response_timeout, ..EdgeLimits::default() });
    let reply = connect(&edge).get("a.qc", "/");
    assert_eq!((reply.status, reply.header("x-relight-gate")), (504, None));
    assert_eq!(edge.counters(&key("a")).unwrap().failed, 1);
}

/// Goal: who was let in before the gate closed cannot talk to the origin behind it for ever.
/// Method: an upload and a download are under way, and never end by themselves.
#[test]
fn requests_under_way_end_after_the_grace() {
    let folders = Folders::new();
    let (ended, ends) = mpsc::channel::<&str>();
    let (began, begun) = mpsc::channel::<()>();
    let origin = RawOrigin::start(move |wire, head| {
        let what = if head.starts_with("PUT ") { "upload" } else { "download" };
        began.send(()).unwrap();
        if what == "download" {
            wire.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n");
        }
        while matches!(wire.0.read(&mut [0; 100]), Ok(1..)) {}
        // The tester's request outlives the test.
        let _ = ended.send(what);
        Then::Close
    });
    let drain_grace = Duration::from_millis(300);
    let edge = limited(&folders, &origin, EdgeLimits { drain_grace, ..EdgeLimits::default() });
    let (mut upload, mut download) = (connect(&edge), connect(&edge));
    upload.send("PUT / HTTP/1.1\r\nHost: a.qc\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n");
    download.send("GET / HTTP/1.1\r\nHost: a.qc\r\n\r\n").read_head();
    assert_eq!(download.read_chunk(), b"x");
    let mut tester = verify(&folders);
    tester.send("GET / HTTP/1.1\r\nHost: a.qc\r\n\r\n").read_head();
    for _ in 0..3 {
        begun.recv_timeout(DEADLINE).unwrap();
    }
    folders.set_dark(&["a"]);
    let mut over = [(); 2].map(|()| ends.recv_timeout(DEADLINE).unwrap());
    over.sort_unstable();
    assert_eq!(over, ["download", "upload"]);
    assert!(download.at_end(), "no last chunk was made up");
    let reply = upload.reply_to("PUT");
    assert_eq!((reply.status, reply.header("x-relight-gate")), (503, None));
    assert!(ends.try_recv().is_err(), "the tester goes on");
}

/// Goal: `stop` lets a request in flight end. Method: the origin answers only after the edge has
/// stopped to accept.
#[test]
fn stopping_finishes_what_has_begun() {
    let folders = Folders::new();
    let (go, wait) = mpsc::channel::<()>();
    let (began, begun) = mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    let origin = RawOrigin::start(move |wire, _| {
        began.send(()).unwrap();
        wait.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(DEADLINE).unwrap();
        wire.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate");
        Then::Keep
    });
    let edge = limited(&folders, &origin, EdgeLimits::default());
    let (address, socket) = (edge.addresses()[0], folders.path("verify.sock"));
    let mut client = connect(&edge);
    client.send("GET / HTTP/1.1\r\nHost: a.qc\r\n\r\n");
    begun.recv_timeout(DEADLINE).unwrap();
    let stopping = std::thread::spawn(move || edge.stop());
    wait_until("the socket file is gone", || !socket.exists());
    go.send(()).unwrap();
    let reply = client.reply_to("GET");
    assert_eq!((reply.status, reply.text()), (200, "late"));
    assert!(client.at_end());
    assert_eq!(stopping.join().unwrap().sites.forwarded, 1);
    assert!(TcpStream::connect(address).map(Wire).is_err(), "the door is closed");
}

#[test]
fn an_edge_that_cannot_start_says_why() {
    let folders = Folders::new();
    let origin = RawOrigin::echo_heads();
    let edge = limited(&folders, &origin, EdgeLimits::default());
    let taken = edge.addresses()[0];
    let start = |listen, routes| {
        let config = folders.config(routes);
        let config = relight_server::edge_proxy::EdgeProxyConfig { listen, ..config };
        EdgeProxy::start(config).map(drop).unwrap_err().to_string()
    };
    let socket = folders.path("verify.sock");
    assert_eq!(start(vec![taken], vec![]), format!("listen on {taken}"));
    let routes = vec![route("a", taken)];
    assert_eq!(start(vec![taken], routes), format!("route a: {taken} is the edge itself"));
    assert_eq!(start(vec![loopback()], vec![]), format!("listen on {}", socket.display()));
    assert!(socket.exists(), "the socket of the running edge is left alone");
}

/// A killed edge leaves its socket file behind; the next one takes its place.
#[test]
fn a_dead_verification_socket_is_replaced() {
    let folders = Folders::new();
    drop(std::os::unix::net::UnixListener::bind(folders.path("verify.sock")).unwrap());
    let origin = RawOrigin::echo_heads();
    let _edge = limited(&folders, &origin, EdgeLimits::default());
    assert_eq!(verify(&folders).get("a.qc", "/").status, 200);
}
