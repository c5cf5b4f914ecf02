//! Which site a request belongs to: the fourteen host variants, and hosts of nobody.

use std::time::{Duration, Instant};

use relight_engine::edge::spelling::{Spelled, lacks_http2, spell_site};
use relight_engine::edge::{Listener, ProbeTarget};
use relight_model::GateKey;

use crate::support::{World, mode};

/// Goal: no spelling of a host lets a request past the gate of a dark site. Method: `a` is dark,
/// `b` is lit; each variant goes out on its own connection; the origin of `a` counts.
#[test]
fn fourteen_host_variants_and_none_reaches_the_dark_origin() {
    let world = World::start();
    world.folders.set_dark(&["a"]);
    for (variant, head, status) in [
        ("plain", "GET / HTTP/1.1\r\nHost: a.qc\r\n", 503),
        ("upper case", "GET / HTTP/1.1\r\nHost: A.QC\r\n", 503),
        ("port", "GET / HTTP/1.1\r\nHost: a.qc:8080\r\n", 503),
        ("trailing dot", "GET / HTTP/1.1\r\nHost: a.qc.\r\n", 503),
        ("dot and port", "GET / HTTP/1.1\r\nHost: a.qc.:80\r\n", 503),
        ("absolute, equal", "GET http://a.qc/ HTTP/1.1\r\nHost: a.qc\r\n", 503),
        ("dark in URI, lit in Host", "GET http://a.qc/ HTTP/1.1\r\nHost: b.qc\r\n", 503),
        ("lit in URI, dark in Host", "GET http://b.qc/ HTTP/1.1\r\nHost: a.qc\r\n", 200),
        ("alias", "GET / HTTP/1.1\r\nHost: www.a.qc\r\n", 503),
        ("unknown host", "GET / HTTP/1.1\r\nHost: x.a.qc\r\n", 421),
        ("HTTP/1.0 without Host", "GET / HTTP/1.0\r\n", 421),
        ("two Hosts", "GET / HTTP/1.1\r\nHost: b.qc\r\nHost: a.qc\r\n", 400),
        ("spaces", "GET / HTTP/1.1\r\nHost:  \t a.qc  \r\n", 503),
        ("POST", "POST / HTTP/1.1\r\nHost: a.qc\r\nContent-Length: 0\r\n", 503),
    ] {
        let reply = world.client().send(&format!("{head}\r\n")).reply_to("GET");
        assert_eq!(reply.status, status, "{variant}");
        let marker = (status == 503).then_some("dark=1; site=a");
        assert_eq!(reply.header("x-relight-gate"), marker, "{variant}");
    }
    assert_eq!(world.reached("a"), 0);
    assert_eq!(world.reached("b"), 1, "the host of the URI replaces Host towards the origin");
}

/// Goal: this edge is known not to speak HTTP/2, and no spelling that is asked for leads past it.
/// Method: `a` is dark; what drills and the daily look ask for; the origin of `a` counts.
#[test]
fn nothing_that_a_drill_asks_for_reaches_a_dark_origin() {
    let world = World::start();
    world.folders.set_dark(&["a"]);
    let listener = Listener::from(world.edge.addresses()[0]);
    let site = ProbeTarget::site(GateKey::new("a").unwrap(), "a.qc".to_owned(), Some(2));
    let until = Instant::now() + Duration::from_secs(120);
    assert_eq!(spell_site(&listener, &site, until), Spelled::Shut);
    assert!(lacks_http2(&listener));
    assert_eq!(world.reached("a"), 0);
}

#[test]
fn broken_requests_reach_nobody() {
    let world = World::start();
    for (variant, head, status) in [
        ("no Host", "GET / HTTP/1.1\r\n", 400),
        ("no Host, absolute", "GET http://a.qc/ HTTP/1.1\r\n", 400),
        ("empty Host", "GET / HTTP/1.1\r\nHost:\r\n", 400),
        ("two hosts in one field", "GET / HTTP/1.1\r\nHost: a.qc, b.qc\r\n", 400),
        ("user", "GET http://u@a.qc/ HTTP/1.1\r\nHost: a.qc\r\n", 400),
        ("space before the colon", "GET / HTTP/1.1\r\nHost : a.qc\r\n", 400),
        ("CONNECT", "CONNECT a.qc:80 HTTP/1.1\r\nHost: a.qc\r\n", 405),
        ("TRACE", "TRACE / HTTP/1.1\r\nHost: a.qc\r\n", 405),
        ("address", "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n", 421),
        ("HTTP/2 preface", "PRI * HTTP/2.0\r\n", 400),
    ] {
        let reply = world.client().send(&format!("{head}\r\n")).reply_to("GET");
        assert_eq!(reply.status, status, "{variant}");
        assert_eq!(reply.header("x-relight-gate"), None, "{variant}");
    }
    assert_eq!(world.reached("a") + world.reached("b") + world.origin.unknown(), 0);
    assert_eq!(world.edge.totals().misdirected, 1);
}

#[test]
fn the_canary_is_answered_by_the_edge() {
    let world = World::start();
    let mut client = world.client();
    assert_eq!(client.get("relight-canary.invalid", "/").status, 200);
    world.folders.set_dark(&["relight-canary"]);
    let reply = client.get("relight-canary.invalid", "/");
    assert_eq!(reply.status, 503);
    assert_eq!(reply.header("x-relight-gate"), Some("dark=1; site=relight-canary"));
    assert_eq!(client.get("a.qc", "/").status, 200);
    assert_eq!(world.origin.unknown(), 0);
}

#[test]
fn the_verification_path_passes_a_closed_gate() {
    let world = World::start();
    world.folders.set_dark(&["a"]);
    let (mut public, mut tester) = (world.client(), world.tester());
    assert_eq!(public.get("a.qc", "/healthz").status, 503);
    let reply = tester.get("a.qc", "/healthz");
    assert_eq!((reply.status, reply.text()), (200, "ok a.qc"));
    assert_eq!(tester.get("unknown.qc", "/").status, 421);
    let count = world.origin.requests("a.qc").unwrap();
    assert_eq!((count.visitors, count.verifications), (0, 1));
    let counters = world.edge.counters(&crate::support::key("a")).unwrap();
    assert_eq!((counters.forwarded, counters.refused, counters.verified), (0, 1, 1));
    assert_eq!(mode(&world.folders.path("verify.sock")), 0o660);
}

#[test]
fn a_visitor_cannot_pretend_to_verify() {
    let world = World::start();
    let mut client = world.client();
    let head = "GET / HTTP/1.1\r\nHost: a.qc\r\nX-Relight-Verify: 1\r\n\r\n";
    assert_eq!(client.send(head).reply_to("GET").status, 200);
    let count = world.origin.requests("a.qc").unwrap();
    assert_eq!((count.visitors, count.verifications), (1, 0));
    world.folders.set_dark(&["a"]);
    assert_eq!(client.send(head).reply_to("GET").status, 503);
}
