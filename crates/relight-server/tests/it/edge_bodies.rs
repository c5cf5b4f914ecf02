//! Bodies are streamed both ways, never collected.

use std::sync::mpsc;
use std::sync::{Mutex, PoisonError};

use relight_engine::edge::{GateSet, ProbeTarget, Stage, Target};
use relight_engine::edges::open_loop;
use relight_engine::incident::{Entry, Gate};
use relight_engine::reconcile::Want;
use relight_model::{Epoch, Light};
use relight_server::edge_proxy::EdgeProxy;

use crate::support::{
    DEADLINE, Folders, RawOrigin, Then, connect, edge_before, header, key, route, wait_until,
};

const CHUNK: usize = 64 * 1024;
const CHUNKS: usize = 64;

/// Goal: 4 MiB of chunked upload arrive as they are sent. Method: the client sends a chunk only
/// after the origin has told, outside the edge, that it has the bytes of the one before.
#[test]
fn an_upload_arrives_while_it_is_sent() {
    let folders = Folders::new();
    let (arrived, arrivals) = mpsc::channel();
    let origin = RawOrigin::start(move |wire, head| {
        assert_eq!(header(head, "transfer-encoding"), Some("chunked"));
        let mut total = 0;
        loop {
            let chunk = wire.read_chunk();
            if chunk.is_empty() {
                break;
            }
            assert!(chunk.iter().all(|&byte| byte == b'u'));
            total += chunk.len();
            arrived.send(total).unwrap();
        }
        wire.send(&format!("HTTP/1.1 200 OK\r\nX-Total: {total}\r\nContent-Length: 0\r\n\r\n"));
        Then::Keep
    });
    let edge = edge_before(&folders, origin.address);
    let mut client = connect(&edge);
    client.send("POST / HTTP/1.1\r\nHost: a.qc\r\nTransfer-Encoding: chunked\r\n\r\n");
    let chunk = format!("{CHUNK:x}\r\n{}\r\n", "u".repeat(CHUNK));
    for sent in 1..=CHUNKS {
        client.send(&chunk);
        while arrivals.recv_timeout(DEADLINE).unwrap() < sent * CHUNK {}
    }
    client.send("0\r\n\r\n");
    let reply = client.reply_to("POST");
    assert_eq!(reply.header("x-total"), Some((CHUNK * CHUNKS).to_string().as_str()));
}

/// The client reads each chunk before the origin is allowed to send the next one.
#[test]
fn a_download_arrives_while_it_is_sent() {
    let folders = Folders::new();
    let (go, wait) = mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    let origin = RawOrigin::start(move |wire, _| {
        wire.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        let wait = wait.lock().unwrap_or_else(PoisonError::into_inner);
        for number in 0..5 {
            wire.send(&format!("2\r\n#{number}\r\n"));
            wait.recv_timeout(DEADLINE).unwrap();
        }
        wire.send("0\r\n\r\n");
        Then::Keep
    });
    let edge = edge_before(&folders, origin.address);
    let mut client = connect(&edge);
    client.send("GET / HTTP/1.1\r\nHost: a.qc\r\n\r\n");
    let head = client.read_head();
    assert_eq!(header(&head, "transfer-encoding"), Some("chunked"));
    for number in 0..5 {
        assert_eq!(client.read_chunk(), format!("#{number}").as_bytes());
        go.send(()).unwrap();
    }
    assert!(client.read_chunk().is_empty());
}

#[test]
fn a_known_length_stays_known() {
    let folders = Folders::new();
    let origin = RawOrigin::start(|wire, head| {
        if head.starts_with("HEAD ") {
            wire.send("HTTP/1.1 200 OK\r\nContent-Length: 4321\r\n\r\n");
            return Then::Keep;
        }
        let length: usize = header(head, "content-length").map_or(0, |text| text.parse().unwrap());
        let body = String::from_utf8(wire.read_exact(length)).unwrap();
        wire.send(&format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}"));
        Then::Keep
    });
    let edge = edge_before(&folders, origin.address);
    let mut client = connect(&edge);
    let body = "x".repeat(1_000_000);
    client.send("PUT / HTTP/1.1\r\nHost: a.qc\r\nContent-Length: 1000000\r\n\r\n").send(&body);
    let reply = client.reply_to("PUT");
    assert_eq!(reply.header("content-length"), Some("1000000"));
    assert!(reply.text() == body);
    // A response to HEAD has a length and no body; the connection goes on.
    client.send("HEAD / HTTP/1.1\r\nHost: a.qc\r\n\r\n");
    assert_eq!(client.reply_to("HEAD").header("content-length"), Some("4321"));
    assert_eq!(client.get("a.qc", "/").status, 200);
}

#[test]
fn an_answer_that_breaks_off_is_not_completed() {
    let folders = Folders::new();
    let (go, wait) = mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    let origin = RawOrigin::start(move |wire, _| {
        wire.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
        wait.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(DEADLINE).unwrap();
        Then::Close
    });
    let edge = edge_before(&folders, origin.address);
    let mut client = connect(&edge);
    client.send("GET / HTTP/1.1\r\nHost: a.qc\r\n\r\n").read_head();
    assert_eq!(client.read_chunk(), b"abc");
    go.send(()).unwrap();
    assert!(client.at_end(), "no last chunk was made up");
}

#[test]
fn who_asks_first_is_told_to_go_on() {
    let folders = Folders::new();
    let origin = RawOrigin::start(|wire, head| {
        assert_eq!(header(head, "expect"), Some("100-continue"));
        wire.send("HTTP/1.1 100 Continue\r\n\r\n");
        let body = String::from_utf8(wire.read_exact(3)).unwrap();
        wire.send(&format!("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{body}"));
        Then::Keep
    });
    let edge = edge_before(&folders, origin.address);
    let mut client = connect(&edge);
    client
        .send("PUT / HTTP/1.1\r\nHost: a.qc\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
    assert!(client.read_head().starts_with("HTTP/1.1 100 "));
    assert_eq!(client.send("abc").reply_to("PUT").text(), "abc");
}

/// A client of HTTP/1.0 knows no chunks: its body ends with the connection.
#[test]
fn an_old_client_gets_a_body_without_chunks() {
    let folders = Folders::new();
    let origin = RawOrigin::start(|wire, head| {
        assert!(head.starts_with("GET / HTTP/1.1\r\n"), "{head}");
        wire.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
        Then::Keep
    });
    let edge = edge_before(&folders, origin.address);
    let mut client = connect(&edge);
    let head = client.send("GET / HTTP/1.0\r\nHost: a.qc\r\n\r\n").read_head();
    assert!(head.contains(" 200 "), "{head}");
    assert_eq!(header(&head, "transfer-encoding"), None);
    assert_eq!(client.read_exact(3), b"abc");
    assert!(client.at_end());
}

/// An upload that began before the order goes on talking to the origin: as long as it does, the
/// site is closed and not proven dark.
#[test]
fn dark_is_proven_only_when_a_slow_upload_of_before_has_ended() {
    let folders = Folders::new();
    let (arrived, arrivals) = mpsc::channel();
    let origin = RawOrigin::start(move |wire, _| {
        while !wire.read_chunk().is_empty() {
            arrived.send(()).unwrap();
        }
        wire.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        Then::Keep
    });
    let gate = folders.path("driven");
    let routes = vec![route("a", origin.address)];
    let mut config = folders.config(routes);
    config.gate.clone_from(&gate);
    config.limits.drain_grace = 4 * DEADLINE;
    let edge = EdgeProxy::start(config).unwrap();
    let target = Target {
        name: "hall".into(),
        kind: "builtin".into(),
        gate,
        listeners: edge.addresses().to_vec(),
        verify: None,
        settings: [("grace".to_owned(), "300".to_owned())].into(),
        members: Vec::new(),
    };
    let mut driver = relight_engine::edge::open(&target).unwrap();
    driver.apply(Epoch::default(), Stage::Durable, &GateSet::new()).unwrap();
    let mut edge_loop = open_loop(&target, 7).unwrap();
    let want = Want {
        target: ProbeTarget::site(key("a"), "a.qc".into(), None),
        aliases: Vec::new(),
        light: Light::Dark,
        gate: Gate::Requested,
        seen_dark: false,
    };
    let mut now_ms = 1_000_000;
    let mut is_proven = || {
        now_ms += 5_000;
        let epoch = Epoch { term: 1, seq: 1 };
        let round = edge_loop.round(std::slice::from_ref(&want), epoch, now_ms, &|_| true);
        let failed = round.entries.iter().find(|it| matches!(it, Entry::EdgeFailed { .. }));
        assert_eq!((failed, round.error.is_none()), (None, true));
        round.entries.iter().any(|entry| matches!(entry, Entry::Proved { .. }))
    };
    let mut client = connect(&edge);
    client.send("POST / HTTP/1.1\r\nHost: a.qc\r\nTransfer-Encoding: chunked\r\n\r\n");
    client.send("1\r\nx\r\n");
    arrivals.recv_timeout(DEADLINE).unwrap();
    for _ in 0..5 {
        assert!(!is_proven());
        client.send("1\r\nx\r\n");
        arrivals.recv_timeout(DEADLINE).unwrap();
    }
    let reply = connect(&edge).get("a.qc", "/");
    assert_eq!(reply.header("x-relight-gate"), Some("dark=draining; site=a"));
    client.send("0\r\n\r\n");
    assert_eq!(client.reply_to("POST").status, 200);
    wait_until("nobody is with the site", || {
        let reply = connect(&edge).get("a.qc", "/");
        reply.header("x-relight-gate") == Some("dark=1; site=a")
    });
    assert!(is_proven());
}
