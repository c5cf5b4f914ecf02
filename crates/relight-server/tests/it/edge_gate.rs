//! What a closed gate answers, and what stays open beside it.

use std::fs;

use crate::support::{World, key};

#[test]
fn the_holding_page_by_accept() {
    let world = World::start();
    world.folders.set_dark(&["a"]);
    let mut client = world.client();
    let reply = client.get("a.qc", "/any/path?x=1");
    assert_eq!((reply.status, reply.text()), (503, "<p>dark</p>"));
    assert_eq!(reply.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert_eq!(reply.header("vary"), Some("Accept"));
    assert_eq!(reply.header("x-relight-gate"), Some("dark=1; site=a"));
    let seconds: u64 = reply.header("retry-after").unwrap().parse().unwrap();
    assert!((3_240..=3_960).contains(&seconds), "{seconds}");
    client.send("GET / HTTP/1.1\r\nHost: a.qc\r\nAccept: application/json\r\n\r\n");
    let reply = client.reply_to("GET");
    assert_eq!(reply.header("content-type"), Some("application/problem+json"));
    assert_eq!((reply.status, reply.text()), (503, "{\"status\":503}"));
}

/// A site that says how else it is reached has a page of its own; the others keep that of all.
#[test]
fn the_holding_page_of_one_site() {
    let world = World::start();
    world.folders.set_dark(&["a", "b"]);
    let of = world.folders.path("hold/of");
    fs::create_dir(&of).unwrap();
    fs::write(of.join("a.html"), "<p>1 800</p>").unwrap();
    let mut client = world.client();
    let reply = client.get("a.qc", "/");
    assert_eq!((reply.status, reply.text()), (503, "<p>1 800</p>"));
    assert_eq!(reply.header("x-relight-gate"), Some("dark=1; site=a"));
    assert_eq!(client.get("b.qc", "/").text(), "<p>dark</p>");
    // Of what it does not have, that of all.
    client.send("GET / HTTP/1.1\r\nHost: a.qc\r\nAccept: application/json\r\n\r\n");
    assert_eq!(client.reply_to("GET").text(), "{\"status\":503}");
}

/// Every method, and the headers that make servers answer otherwise, get 503 on one connection.
#[test]
fn no_method_and_no_condition_gets_past() {
    let world = World::start();
    world.folders.set_dark(&["a"]);
    let mut client = world.client();
    for (method, fields, length) in [
        ("HEAD", "", Some("11")),
        ("GET", "Range: bytes=0-0\r\n", Some("11")),
        ("GET", "If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT\r\n", Some("11")),
        ("GET", "If-None-Match: *\r\n", Some("11")),
        ("GET", "Connection: Upgrade\r\nUpgrade: websocket\r\n", Some("11")),
        ("POST", "Content-Length: 0\r\n", Some("0")),
        ("PUT", "Content-Length: 0\r\n", Some("0")),
        ("OPTIONS", "Origin: https://x.qc\r\n", Some("0")),
        ("DELETE", "", Some("0")),
        ("PROPFIND", "", Some("0")),
    ] {
        client.send(&format!("{method} / HTTP/1.1\r\nHost: a.qc\r\n{fields}\r\n"));
        let reply = client.reply_to(method);
        assert_eq!(reply.status, 503, "{method} {fields}");
        assert_eq!(reply.header("content-length"), length, "{method} {fields}");
        assert_eq!(reply.header("x-relight-gate"), Some("dark=1; site=a"), "{method} {fields}");
    }
    assert_eq!(world.reached("a"), 0);
    assert_eq!(world.edge.counters(&key("a")).unwrap().refused, 10);
    assert_eq!(world.edge.tunnels(&key("a")), Some(0));
}

/// A refused body is read and thrown away, so the answer is seen and the connection is kept.
#[test]
fn a_refused_upload_gets_its_answer() {
    let world = World::start();
    world.folders.set_dark(&["a"]);
    let mut client = world.client();
    client.send("POST / HTTP/1.1\r\nHost: a.qc\r\nContent-Length: 300000\r\n\r\n");
    client.send(&"x".repeat(300_000));
    assert_eq!(client.reply_to("POST").status, 503);
    assert_eq!(client.get("b.qc", "/").status, 200, "same connection");
    // Who asks first is not told to go on.
    client
        .send("POST / HTTP/1.1\r\nHost: a.qc\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n");
    assert_eq!(client.reply_to("POST").status, 503);
    assert_eq!(world.reached("a"), 0);
}

#[test]
fn gates_open_and_close_one_site_at_a_time() {
    let world = World::start();
    let (mut first, mut second) = (world.client(), world.client());
    for round in 0..20 {
        world.folders.set_dark(if round % 2 == 0 { &["a"] } else { &[] });
        let expected = if round % 2 == 0 { 503 } else { 200 };
        assert_eq!(first.get("a.qc", "/").status, expected, "round {round}");
        assert_eq!(second.get("www.a.qc", "/").status, expected, "round {round}");
        assert_eq!(second.get("b.qc", "/").status, 200, "round {round}");
    }
    assert_eq!(world.reached("a"), 20);
}

/// The site is not closed by a part, and a part is closed in whatever way its path is written.
#[test]
fn a_part_closes_alone_and_under_its_own_key() {
    let world = World::start();
    let mut client = world.client();
    let marker = |reply: &crate::support::Reply| reply.header("x-relight-gate").map(str::to_owned);
    world.folders.set_dark(&["a.booking"]);
    for path in
        ["/booking", "/booking/x?y", "//booking", "/x/../booking", "/%62ooking", "/booking;a"]
    {
        let reply = client.get("a.qc", path);
        assert_eq!(reply.status, 503, "{path}");
        assert_eq!(marker(&reply).as_deref(), Some("dark=1; site=a.booking"), "{path}");
    }
    for path in ["/", "/bookings", "/book"] {
        assert_eq!(client.get("www.a.qc", path).status, 200, "{path}");
    }
    assert_eq!(client.get("b.qc", "/booking").status, 200);
    assert_eq!(world.tester().get("a.qc", "/booking").status, 200, "behind the gate");
    world.folders.set_dark(&["a@write", "a@internet"]);
    assert_eq!(client.get("a.qc", "/").status, 200, "from loopback, reading");
    client.send("POST / HTTP/1.1\r\nHost: a.qc\r\nContent-Length: 0\r\n\r\n");
    let reply = client.reply_to("POST");
    let (status, marker) = (reply.status, marker(&reply));
    assert_eq!((status, marker.as_deref()), (503, Some("dark=1; site=a@write")));
    world.folders.set_dark(&["a", "a@write"]);
    client.send("POST / HTTP/1.1\r\nHost: a.qc\r\nContent-Length: 0\r\n\r\n");
    let reply = client.reply_to("POST");
    assert_eq!(reply.header("x-relight-gate"), Some("dark=1; site=a"), "the site wins");
}

#[test]
fn without_a_gate_directory_nothing_passes_and_nothing_is_proven() {
    let world = World::start();
    world.folders.set_dark(&["b"]);
    let current = world.folders.path("gate/current");
    fs::rename(&current, world.folders.path("gate/aside")).unwrap();
    let mut client = world.client();
    for host in ["a.qc", "b.qc", "relight-canary.invalid"] {
        let reply = client.get(host, "/");
        assert_eq!((reply.status, reply.text()), (503, "<p>dark</p>"), "{host}");
        assert_eq!(reply.header("x-relight-gate"), None, "{host}");
        assert_eq!(reply.header("cache-control"), Some("no-store"), "{host}");
    }
    assert_eq!(world.edge.counters(&key("a")).unwrap().gate_unreadable, 1);
    assert_eq!(world.edge.totals().sites.gate_unreadable, 3);
    assert_eq!(world.tester().get("a.qc", "/").status, 200, "the verification path needs no gate");
    fs::rename(world.folders.path("gate/aside"), &current).unwrap();
    assert_eq!(client.get("a.qc", "/").status, 200);
    assert_eq!(client.get("b.qc", "/").header("x-relight-gate"), Some("dark=1; site=b"));
    assert_eq!((world.reached("a"), world.reached("b")), (1, 0));
}

#[test]
fn challenges_are_answered_by_the_edge_alone() {
    let world = World::start();
    fs::write(world.folders.path("acme/tok-1"), "tok-1.thumb").unwrap();
    fs::write(world.folders.path("secret"), "secret").unwrap();
    for dark in [&[][..], &["a"]] {
        world.folders.set_dark(dark);
        let mut client = world.client();
        let reply = client.get("a.qc", "/.well-known/acme-challenge/tok-1");
        assert_eq!((reply.status, reply.text()), (200, "tok-1.thumb"), "{dark:?}");
        for path in ["none", "", "../secret", "%2e%2e%2fsecret", "tok-1/x", "tok-1%00"] {
            let path = format!("/.well-known/acme-challenge/{path}");
            assert_eq!(client.get("a.qc", &path).status, 404, "{path}");
        }
        assert_eq!(client.get("x.qc", "/.well-known/acme-challenge/tok-1").status, 421);
    }
    assert_eq!(world.reached("a"), 0);
    assert_eq!(world.edge.totals().acme, 14);
}
