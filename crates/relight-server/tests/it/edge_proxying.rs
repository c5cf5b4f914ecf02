//! What an open gate passes on, and what happens when the origin fails.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use relight_engine::edge::exec;

use crate::support::{Folders, RawOrigin, Then, World, connect, edge_before, header, key};

#[test]
fn connections_are_kept_on_both_sides() {
    let (folders, origin) = (Folders::new(), RawOrigin::echo_heads());
    let edge = edge_before(&folders, origin.address);
    let mut client = connect(&edge);
    for _ in 0..50 {
        assert_eq!(client.get("a.qc", "/").status, 200);
    }
    // The connection comes back beside the answer, so a fast client may find it a moment too soon.
    assert!(origin.connections.load(Ordering::SeqCst) <= 5);
    assert_eq!(edge.counters(&key("a")).unwrap().forwarded, 50);
}

#[test]
fn the_request_as_the_origin_sees_it() {
    let (folders, origin) = (Folders::new(), RawOrigin::echo_heads());
    let edge = edge_before(&folders, origin.address);
    let mut client = connect(&edge);
    client.send(
        "GET http://A.qc:80/p%20q?x=%2F#f HTTP/1.1\r\nHost: other.qc\r\nConnection: X-Mine\r\n\
         Connection: host\r\nX-Mine: 1\r\nKeep-Alive: timeout=9\r\nTE: trailers\r\n\
         Proxy-Authorization: Basic eA==\r\n\
         X-Relight-Verify: 1\r\nX-Relight-Gate: dark=1\r\nX-Forwarded-For: 192.0.2.1\r\n\
         Cookie: a=b\r\nVia: 1.0 front\r\n\r\n",
    );
    let reply = client.reply_to("GET");
    let seen = reply.text();
    assert!(seen.starts_with("GET /p%20q?x=%2F HTTP/1.1\r\n"), "{seen}");
    for (name, value) in [
        ("host", Some("A.qc:80")),
        ("x-forwarded-host", Some("A.qc:80")),
        ("x-forwarded-proto", Some("http")),
        ("x-forwarded-for", Some("192.0.2.1, 127.0.0.1")),
        ("via", Some("1.0 front, 1.1 relight")),
        ("cookie", Some("a=b")),
        ("connection", None),
        ("x-mine", None),
        ("keep-alive", None),
        ("te", None),
        ("proxy-authorization", None),
        ("x-relight-verify", None),
        ("x-relight-gate", None),
    ] {
        assert_eq!(header(seen, name), value, "{name}");
    }
    assert_eq!(seen.matches("ost:").count(), 2, "one Host, one X-Forwarded-Host");
}

#[test]
fn an_origin_cannot_forge_the_marker() {
    let folders = Folders::new();
    let origin = RawOrigin::start(|wire, _| {
        wire.send(
            "HTTP/1.1 503 Gone Fishing\r\nX-Relight-Gate: dark=1; site=a\r\nX-Own: 1\r\n\
             Connection: X-Own, keep-alive\r\nRetry-After: 5\r\nContent-Length: 2\r\n\r\nno",
        );
        Then::Keep
    });
    let edge = edge_before(&folders, origin.address);
    let reply = connect(&edge).get("a.qc", "/");
    assert_eq!((reply.status, reply.text()), (503, "no"));
    assert_eq!(reply.header("x-relight-gate"), None);
    assert_eq!(reply.header("x-own"), None);
    assert_eq!(reply.header("retry-after"), Some("5"));
    assert_eq!(reply.header("via"), Some("1.1 relight"));
}

#[test]
fn an_origin_that_is_down_is_not_dark() {
    let folders = Folders::new();
    let closed = exec::free_address().unwrap();
    let edge = edge_before(&folders, closed);
    let mut client = connect(&edge);
    for _ in 0..2 {
        let reply = client.get("a.qc", "/");
        assert_eq!((reply.status, reply.header("x-relight-gate")), (502, None));
    }
    assert_eq!(edge.counters(&key("a")).unwrap().failed, 2);
    folders.set_dark(&["a"]);
    assert_eq!(client.get("a.qc", "/").header("x-relight-gate"), Some("dark=1; site=a"));
}

#[test]
fn an_origin_that_speaks_nonsense_is_502() {
    let folders = Folders::new();
    let origin = RawOrigin::start(|wire, head| {
        wire.send(if head.contains("/101") {
            "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"
        } else {
            "SSH-2.0-server\r\n\r\n"
        });
        Then::Close
    });
    let edge = edge_before(&folders, origin.address);
    let mut client = connect(&edge);
    assert_eq!(client.get("a.qc", "/").status, 502);
    assert_eq!(client.get("a.qc", "/101").status, 502, "nobody asked for an upgrade");
}

/// An origin that answers, keeps each connection, and closes the first one that is asked once more.
fn dying_origin() -> (RawOrigin, mpsc::Receiver<String>) {
    let (heard, requests) = mpsc::channel();
    let (known, has_died) = (Mutex::new(BTreeSet::new()), AtomicBool::new(false));
    let origin = RawOrigin::start(move |wire, head| {
        heard.send(head.lines().next().unwrap().to_owned()).unwrap();
        let is_kept = !known.lock().unwrap().insert(wire.0.peer_addr().unwrap());
        if is_kept && !has_died.swap(true, Ordering::SeqCst) {
            return Then::Close;
        }
        wire.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        Then::Keep
    });
    (origin, requests)
}

/// How often a kept connection is waited for.
const TURNS_MAX: usize = 50;

#[test]
fn a_kept_connection_that_died_costs_a_get_nothing() {
    let (folders, (origin, requests)) = (Folders::new(), dying_origin());
    let edge = edge_before(&folders, origin.address);
    let mut client = connect(&edge);
    // The connection comes back beside the answer: a fast client may find it a moment too soon.
    let twice = (1..=TURNS_MAX).find_map(|turn| {
        assert_eq!(client.get("a.qc", &format!("/{turn}")).status, 200);
        let seen: Vec<String> = requests.try_iter().collect();
        (seen.len() > 1).then_some(seen)
    });
    let twice = twice.expect("no connection was kept");
    assert!(twice.len() == 2 && twice[0] == twice[1], "{twice:?}");
}

#[test]
fn a_post_is_never_sent_twice() {
    let (folders, (origin, requests)) = (Folders::new(), dying_origin());
    let edge = edge_before(&folders, origin.address);
    let mut client = connect(&edge);
    assert_eq!(client.get("a.qc", "/1").status, 200);
    let dies = (1..=TURNS_MAX).find(|_| {
        client.send("POST /2 HTTP/1.1\r\nHost: a.qc\r\nContent-Length: 0\r\n\r\n");
        let status = client.reply_to("POST").status;
        assert!(matches!(status, 200 | 502), "{status}");
        status == 502
    });
    let posts = dies.expect("no connection was kept");
    assert_eq!(requests.try_iter().count(), 1 + posts);
}

#[test]
fn pipelined_requests_are_each_gated() {
    let world = World::start();
    world.folders.set_dark(&["a"]);
    let one = |host: &str| format!("GET / HTTP/1.1\r\nHost: {host}.qc\r\n\r\n");
    let mut client = world.client();
    client.send(&[one("b"), one("a"), one("b"), one("a")].concat());
    let statuses: Vec<u16> = (0..4).map(|_| client.reply_to("GET").status).collect();
    assert_eq!(statuses, [200, 503, 200, 503]);
    assert_eq!(world.reached("a"), 0);
}

/// Two lengths are how one request is smuggled inside another: the origin must see one length.
#[test]
fn a_request_with_two_lengths_stays_one_request() {
    let folders = Folders::new();
    let count = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&count);
    let origin = RawOrigin::start(move |wire, head| {
        seen.fetch_add(1, Ordering::SeqCst);
        assert_eq!(header(head, "content-length"), None);
        while !wire.read_chunk().is_empty() {}
        wire.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        Then::Keep
    });
    let edge = edge_before(&folders, origin.address);
    let mut client = connect(&edge);
    client.send(
        "POST / HTTP/1.1\r\nHost: a.qc\r\nContent-Length: 60\r\nTransfer-Encoding: chunked\r\n\r\n\
         0\r\n\r\n",
    );
    let status = client.reply_to("POST").status;
    assert_eq!((status, count.load(Ordering::SeqCst)), (200, 1));
}
