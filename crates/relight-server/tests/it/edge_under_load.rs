//! Gates that flip under steady traffic, and the honesty of the counters.

use std::time::Instant;

use relight_engine::edge::exec;
use relight_server::traffic::{Visitors, VisitorsConfig, VisitorsHandle};

use crate::support::{World, key, wait_until};

fn visit(world: &World, rate_per_second: u32) -> VisitorsHandle {
    let hosts = ["a.qc", "b.qc", "c.qc", "d.qc"].map(str::to_owned).to_vec();
    let edge = world.edge.addresses()[0];
    let config = VisitorsConfig { edge, hosts, rate_per_second, connections: CONNECTIONS, seed: 7 };
    Visitors::start(config).unwrap()
}

/// Keep-alive connections of the visitors.
const CONNECTIONS: usize = 24;
/// Requests of somebody who comes after a gate was seen closed.
const LATE: u64 = 25;

/// Goal: closing and opening the gate of one site under keep-alive connections loses nothing
/// anywhere, and nothing that starts after the gate was seen closed reaches the dark origin.
/// Method: ten flips; a flip counts as done when many visitors of `a` have seen the new state. Each
/// connection may have one request that was past the gate before, however long the machine lets it
/// wait; who comes later comes by another name of the site, so that the origin tells them apart.
#[test]
fn flips_lose_nothing_and_leak_nothing() {
    let world = World::start();
    let visitors = visit(&world, 2_000);
    let seen = |host: &str| visitors.report(host).unwrap();
    for _ in 0..10 {
        let before = seen("a.qc").dark;
        world.folders.set_dark(&["a"]);
        wait_until("visitors see the holding page", || seen("a.qc").dark >= before + 40);
        let dark_from = Instant::now();
        let mut late = world.client();
        for _ in 0..LATE {
            assert_eq!(late.get("www.a.qc", "/").status, 503);
        }
        wait_until("it stays dark", || seen("a.qc").dark >= before + 80);
        let dark_to = Instant::now();
        let passed = world.origin.requests_between("a.qc", dark_from, dark_to, true).unwrap();
        assert!(passed <= CONNECTIONS as u64, "{passed}");
        let before = seen("a.qc").ok;
        world.folders.set_dark(&[]);
        wait_until("visitors see the site", || seen("a.qc").ok >= before + 40);
    }
    assert_eq!(world.origin.requests("www.a.qc").unwrap().visitors, 0, "started after the proof");
    for host in ["b.qc", "c.qc", "d.qc"] {
        let report = seen(host);
        assert_eq!((report.dark, report.lost), (0, 0), "{host}: {:?}", report.examples);
        assert!(report.ok > 400, "{host}: {}", report.ok);
    }
    let totals = visitors.stop();
    assert_eq!(totals.lost, 0, "{:?}", totals.examples);
    // Three independent counts of the same traffic agree.
    let edge = world.edge.totals();
    assert_eq!(edge.sites.forwarded, totals.ok);
    assert_eq!(edge.sites.refused, totals.dark + 10 * LATE);
    assert_eq!(world.edge.counters(&key("a")).unwrap().refused, totals.dark + 10 * LATE);
    let reached: u64 = ["a", "b", "c", "d"].map(|name| world.reached(name)).iter().sum();
    assert_eq!(reached, totals.ok);
}

#[test]
fn a_broken_site_is_lost_and_a_healed_one_is_not() {
    let world = World::start();
    world.origin.set_broken("b.qc", true).unwrap();
    assert_eq!(world.client().get("b.qc", "/healthz").status, 500);
    let visitors = visit(&world, 400);
    wait_until("the broken site shows", || visitors.report("b.qc").unwrap().lost >= 8);
    let report = visitors.report("b.qc").unwrap();
    assert_eq!((report.ok, report.dark), (0, 0));
    assert_eq!(report.examples.len(), 5, "examples are bounded");
    assert!(report.examples[0].starts_with("b.qc: status 500"), "{:?}", report.examples);
    world.origin.set_broken("b.qc", false).unwrap();
    wait_until("it is healed", || visitors.report("b.qc").unwrap().ok > 0);
    let totals = visitors.stop();
    assert_eq!(totals.visits(), totals.ok + totals.lost);
    assert!(visitors_of_nobody(&world));
}

/// An origin that does not know a host says so everywhere.
fn visitors_of_nobody(world: &World) -> bool {
    let now = Instant::now();
    world.origin.requests("x.qc").is_none()
        && world.origin.set_broken("x.qc", true).is_err()
        && world.origin.requests_between("x.qc", now, now, true).is_err()
}

#[test]
fn without_an_edge_every_visit_is_lost() {
    let edge = exec::free_address().unwrap();
    let hosts = vec!["a.qc".to_owned()];
    let config = VisitorsConfig { edge, hosts, rate_per_second: 100, connections: 2, seed: 1 };
    let visitors = Visitors::start(config).unwrap();
    wait_until("visits are lost", || visitors.totals().lost >= 5);
    let totals = visitors.stop();
    assert_eq!((totals.ok, totals.dark), (0, 0));
    assert!(totals.examples[0].starts_with("a.qc: connect"), "{:?}", totals.examples);
}
