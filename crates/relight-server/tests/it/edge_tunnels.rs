//! WebSockets: echoed, counted, refused when dark, cut when the gate closes.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Instant;

use relight_server::edge_proxy::{EdgeProxy, EdgeProxyHandle};

use crate::support::{
    DEADLINE, Folders, RawOrigin, Then, Wire, connect, edge_before, header, key, route, verify,
    wait_until, within_a_second,
};

const HANDSHAKE: &str = "GET /socket HTTP/1.1\r\nHost: a.qc\r\nConnection: Upgrade\r\n\
     Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\
     \r\n\r\n";

const GRANTED: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\
     Upgrade: websocket\r\nSec-WebSocket-Accept: kept\r\n\r\n";

/// Grants every upgrade, then echoes bytes; `/half` begins a frame and does not end it.
fn echo_origin() -> RawOrigin {
    RawOrigin::start(|wire, head| {
        let Some(protocol) = header(head, "upgrade") else {
            wire.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
            return Then::Keep;
        };
        assert_eq!(header(head, "connection"), Some("upgrade"));
        assert_eq!(protocol, "websocket");
        wire.send(GRANTED);
        if head.starts_with("GET /half") {
            wire.0.write_all(&[0x82, 100, b'x']).unwrap();
        }
        let mut echo = wire.0.try_clone().unwrap();
        let _ = std::io::copy(&mut wire.0, &mut echo);
        Then::Close
    })
}

fn upgrade(edge: &EdgeProxyHandle) -> Wire<TcpStream> {
    let mut client = connect(edge);
    client.send(HANDSHAKE);
    let head = client.read_head();
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    assert_eq!(header(&head, "upgrade"), Some("websocket"));
    assert_eq!(header(&head, "sec-websocket-accept"), Some("kept"));
    client
}

/// A whole text frame; the origin echoes it as it is.
fn echo(client: &mut Wire<TcpStream>, text: &str) {
    let frame = [&[0x81, text.len() as u8], text.as_bytes()].concat();
    client.0.write_all(&frame).unwrap();
    assert_eq!(client.read_exact(frame.len()), frame);
}

#[test]
fn a_websocket_passes_and_is_counted() {
    let (folders, origin) = (Folders::new(), echo_origin());
    let edge = edge_before(&folders, origin.address);
    let mut client = upgrade(&edge);
    for text in ["one", "two"] {
        echo(&mut client, text);
    }
    assert_eq!(edge.tunnels(&key("a")), Some(1));
    drop(client);
    wait_until("the tunnel is gone", || edge.tunnels(&key("a")) == Some(0));
    assert_eq!(edge.tunnels(&key("x")), None);
}

/// Goal: a closed gate ends tunnels within a second, with a close frame, and no new one begins.
#[test]
fn tunnels_are_cut_when_the_gate_closes() {
    let (folders, origin) = (Folders::new(), echo_origin());
    let edge = edge_before(&folders, origin.address);
    within_a_second(|| {
        folders.set_dark(&[]);
        let mut clients: Vec<_> = (0..20).map(|_| upgrade(&edge)).collect();
        clients.iter_mut().for_each(|client| echo(client, "hello"));
        assert_eq!(edge.tunnels(&key("a")), Some(20));
        folders.set_dark(&["a"]);
        let closed = Instant::now();
        for client in &mut clients {
            assert_eq!(client.read_exact(4), [0x88, 2, 0x03, 0xf4], "close, 1012");
            assert!(client.at_end());
        }
        let over = closed.elapsed();
        clients.clear();
        wait_until("no tunnel", || edge.tunnels(&key("a")) == Some(0));
        over
    });
    let mut client = connect(&edge);
    let reply = client.send(HANDSHAKE).reply_to("GET");
    assert_eq!((reply.status, reply.header("x-relight-gate")), (503, Some("dark=1; site=a")));
    folders.set_dark(&[]);
    echo(&mut upgrade(&edge), "again");
}

/// A client that never hangs up does not keep its tunnel alive.
#[test]
fn a_silent_client_is_cut_too() {
    let (folders, origin) = (Folders::new(), echo_origin());
    let edge = edge_before(&folders, origin.address);
    within_a_second(|| {
        folders.set_dark(&[]);
        let client = upgrade(&edge);
        folders.set_dark(&["a"]);
        let closed = Instant::now();
        wait_until("no tunnel", || edge.tunnels(&key("a")) == Some(0));
        drop(client);
        closed.elapsed()
    });
}

/// A client that has stopped to send still listens: it is cut all the same.
#[test]
fn a_half_closed_tunnel_is_cut_too() {
    let folders = Folders::new();
    let origin = RawOrigin::start(|wire, _| {
        wire.send(GRANTED);
        // The client has ended its direction; the origin goes on.
        assert!(wire.at_end());
        wire.0.write_all(&[0x82, 1, b'x']).unwrap();
        wire.0.set_read_timeout(Some(DEADLINE)).unwrap();
        let mut byte = [0];
        while wire.0.peek(&mut byte).is_ok() && wire.0.write_all(&[0x82, 1, b'x']).is_ok() {
            std::thread::yield_now();
        }
        Then::Close
    });
    let edge = edge_before(&folders, origin.address);
    within_a_second(|| {
        folders.set_dark(&[]);
        let mut client = upgrade(&edge);
        client.0.shutdown(Shutdown::Write).unwrap();
        assert_eq!(client.read_exact(3), [0x82, 1, b'x']);
        folders.set_dark(&["a"]);
        let closed = Instant::now();
        let mut received = Vec::new();
        client.0.read_to_end(&mut received).unwrap();
        let over = closed.elapsed();
        wait_until("no tunnel", || edge.tunnels(&key("a")) == Some(0));
        over
    });
}

/// In the middle of a frame a close frame would be read as payload.
#[test]
fn a_cut_inside_a_frame_is_abrupt() {
    let (folders, origin) = (Folders::new(), echo_origin());
    let edge = edge_before(&folders, origin.address);
    let mut client = connect(&edge);
    client.send(&HANDSHAKE.replace("/socket", "/half")).read_head();
    assert_eq!(client.read_exact(3), [0x82, 100, b'x']);
    folders.set_dark(&["a"]);
    assert!(client.at_end());
}

/// An `h2c` tunnel of a lit site could carry requests for a dark one to the same origin.
#[test]
fn other_protocols_never_become_tunnels() {
    let (folders, origin) = (Folders::new(), RawOrigin::echo_heads());
    let edge = edge_before(&folders, origin.address);
    let mut client = connect(&edge);
    for protocol in ["h2c", "TLS/1.0", "websocket, h2c", "chat"] {
        let reply = client.send(&HANDSHAKE.replace("websocket", protocol)).reply_to("GET");
        assert_eq!(reply.status, 200, "{protocol}");
        assert_eq!(header(reply.text(), "upgrade"), None, "{protocol}");
        assert_eq!(header(reply.text(), "connection"), None, "{protocol}");
    }
    folders.set_dark(&["a"]);
    assert_eq!(client.get("a.qc", "/").status, 503, "same connection");
}

#[test]
fn an_origin_that_grants_something_else_is_502() {
    let folders = Folders::new();
    let origin = RawOrigin::start(|wire, _| {
        wire.send("HTTP/1.1 101 OK\r\nConnection: upgrade\r\nUpgrade: chat\r\n\r\n");
        Then::Close
    });
    let edge = edge_before(&folders, origin.address);
    assert_eq!(connect(&edge).send(HANDSHAKE).reply_to("GET").status, 502);
    wait_until("no tunnel", || edge.tunnels(&key("a")) == Some(0));
}

#[test]
fn the_end_of_the_edge_says_goodbye() {
    let (folders, origin) = (Folders::new(), echo_origin());
    let edge = edge_before(&folders, origin.address);
    let mut client = upgrade(&edge);
    let mut tester = verify(&folders);
    tester.send(HANDSHAKE).read_head();
    edge.stop();
    assert_eq!(client.read_exact(4), [0x88, 2, 0x03, 0xf4]);
    assert_eq!(tester.read_exact(4), [0x88, 2, 0x03, 0xf4]);
}

#[test]
fn tunnels_of_other_sites_and_of_testers_stay() {
    let (folders, origin) = (Folders::new(), echo_origin());
    let routes = vec![route("a", origin.address), route("b", origin.address)];
    let edge = EdgeProxy::start(folders.config(routes)).unwrap();
    let mut other = connect(&edge);
    other.send(&HANDSHAKE.replace("a.qc", "b.qc")).read_head();
    let mut tester = verify(&folders);
    tester.send(HANDSHAKE).read_head();
    let mut cut = upgrade(&edge);
    assert_eq!(edge.tunnels(&key("a")), Some(1), "a tester's tunnel is not a leak");
    folders.set_dark(&["a"]);
    assert_eq!(cut.read_exact(4), [0x88, 2, 0x03, 0xf4]);
    echo(&mut other, "still here");
    tester.send("me too").read_exact(6);
    assert_eq!(edge.tunnels(&key("b")), Some(1));
}

#[test]
fn an_upgrade_that_the_origin_ignores_is_a_request() {
    let folders = Folders::new();
    let origin = RawOrigin::start(|wire, _| {
        wire.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno");
        Then::Keep
    });
    let edge = edge_before(&folders, origin.address);
    let mut client = connect(&edge);
    let reply = client.send(HANDSHAKE).reply_to("GET");
    assert_eq!((reply.status, reply.text()), (200, "no"));
    assert_eq!(client.get("a.qc", "/").status, 200, "same connection");
    assert_eq!(edge.tunnels(&key("a")), Some(0));
}
