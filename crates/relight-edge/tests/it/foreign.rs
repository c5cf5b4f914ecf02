//! Reloads, restarts and configurations of somebody else, with the exposure counted by requests:
//! what a visitor who never stops asking gets through to a dark origin.

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use relight_edge::TunnelCount;
use relight_edge::config;
use relight_edge::http::Client;
use relight_model::Seen;

use crate::support::{DEADLINE, Finish, Kind, Rig, eventually, host, key, set, within};

/// Longest time until a lost gate is dark again (M6).
const DARK_AGAIN_MAX: Duration = Duration::from_millis(1250);

/// Asks for `site-0` all the time while `act` runs; gives the number of requests sent.
fn while_asking(rig: &mut Rig, act: impl FnOnce(&mut Rig)) -> usize {
    let (done, sent) = (AtomicBool::new(false), AtomicUsize::new(0));
    let listener = rig.listener();
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    // Refused, reset or answered: what counts is what the origin sees.
                    let _ = Client::connect(listener).and_then(|mut client| {
                        sent.fetch_add(1, Ordering::Relaxed);
                        client.get(&host(0), "/")
                    });
                }
            });
        }
        let _finish = Finish(&done);
        act(rig);
        let enough = sent.load(Ordering::Relaxed) + 20;
        let deadline = Instant::now() + DEADLINE;
        while sent.load(Ordering::Relaxed) < enough && Instant::now() < deadline {
            thread::yield_now();
        }
    });
    sent.into_inner()
}

#[test]
fn reloads_and_restarts_expose_nothing_where_the_gate_is_durable() {
    for kind in Kind::ALL {
        let mut rig = Rig::start(kind, 2);
        rig.close(1, &set([0]));
        let before = rig.origins[0].visitors();
        let sent = while_asking(&mut rig, |rig| {
            for _ in 0..2 {
                rig.running.as_mut().unwrap().reload().unwrap();
            }
            rig.running.as_mut().unwrap().kill();
            rig.running = None;
            rig.start_edge();
        });
        assert_eq!(rig.origins[0].visitors() - before, 0, "{kind:?}: exposed of {sent} requests");
        assert!(sent >= 20, "{kind:?}: only {sent} requests");
        assert_eq!((rig.seen(0), rig.seen(1)), (Seen::Dark, Seen::Lit), "{kind:?}");
    }
}

/// A new process that read the map file before we wrote it, and took over after we told the old
/// one: durable dark, runtime lit.
#[test]
fn haproxy_with_an_old_map_is_seen_by_its_process_and_told_again() {
    within(DARK_AGAIN_MAX, lose_an_old_map);
}

/// How long until the edge was dark again.
fn lose_an_old_map() -> Duration {
    let mut again = Duration::ZERO;
    let mut rig = Rig::start(Kind::Haproxy, 2);
    let old = fs::read(rig.map_file()).unwrap();
    rig.close(1, &set([0]));
    let generation = rig.driver.generation().unwrap();
    assert_eq!(rig.driver.generation().unwrap(), generation, "nobody took over");
    let new = fs::read(rig.map_file()).unwrap();
    let sent = while_asking(&mut rig, |rig| {
        fs::write(rig.map_file(), &old).unwrap();
        rig.running.as_mut().unwrap().reload().unwrap();
        fs::write(rig.map_file(), &new).unwrap();
        let lost = Instant::now();
        eventually("the takeover is seen", || rig.driver.generation().unwrap() != generation);
        let view = rig.observe(0);
        assert_eq!((view.durable, view.runtime), (Seen::Dark, Seen::Lit));
        rig.close(1, &set([0]));
        assert_eq!(rig.seen(0), Seen::Dark);
        again = lost.elapsed();
    });
    let exposed = rig.origins[0].visitors();
    println!("HAProxy with an old map: {exposed} of {sent} requests exposed");
    // From here on nothing.
    let after = while_asking(&mut rig, |_| ());
    assert_eq!(rig.origins[0].visitors(), exposed, "of {after}");
    again
}

/// A reload leaves the old worker to its open connections, which are in no statistic of the new
/// one: as long as it is there, no site of that edge is free of tunnels.
#[test]
fn tunnels_in_an_old_worker_of_haproxy_count() {
    let mut rig = Rig::start(Kind::Haproxy, 40);
    rig.running = None;
    let files = config::haproxy(&rig.config).unwrap();
    let (folder, listen) = (rig.config.folder.clone(), rig.config.listen.clone());
    let running = relight_edge::exec::start_haproxy_master(&folder, &files, &listen, DEADLINE);
    rig.running = Some(running.unwrap());
    let master = folder.join(relight_edge::exec::MASTER_SOCKET).display().to_string();
    rig.target.settings.insert("master".to_owned(), master);
    rig.driver = relight_edge::open(&rig.target).unwrap();
    // A tunnel keeps the old worker alive.
    let mut tunnel = rig.visitor();
    let upgrade = format!(
        "GET /tunnel HTTP/1.1\r\nHost: {}\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n",
        host(1)
    );
    assert_eq!(tunnel.exchange(upgrade.as_bytes(), false).unwrap().status, 101);
    rig.running.as_mut().unwrap().reload().unwrap();
    rig.close(1, &set([0]));
    // While the master starts itself again it answers nobody.
    let mut counts = |wanted: TunnelCount| {
        eventually("the count", || {
            rig.driver.tunnels(&[key(0), key(2)]).is_ok_and(|counts| counts == [wanted; 2])
        });
    };
    counts(TunnelCount::Open(1));
    drop(tunnel);
    counts(TunnelCount::Open(0));
    // A master that does not answer: nobody knows.
    rig.target.settings.insert("master".to_owned(), "/nowhere".to_owned());
    rig.driver = relight_edge::open(&rig.target).unwrap();
    assert!(rig.driver.tunnels(&[key(0)]).is_err());
}

/// Without a master to ask, the process of before is found in the system's list. Its tunnels were
/// in no count, and the site was proven dark while they lived.
#[test]
fn tunnels_in_a_process_of_before_count_where_no_master_tells() {
    let mut rig = Rig::start(Kind::Haproxy, 40);
    let none = [TunnelCount::Open(0); 2];
    assert_eq!(rig.driver.tunnels(&[key(0), key(2)]).unwrap(), none);
    let mut tunnel = rig.visitor();
    let upgrade = format!(
        "GET /tunnel HTTP/1.1\r\nHost: {}\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n",
        host(0)
    );
    assert_eq!(tunnel.exchange(upgrade.as_bytes(), false).unwrap().status, 101);
    rig.running.as_mut().unwrap().reload().unwrap();
    rig.close(1, &set([0]));
    assert_eq!(rig.driver.tunnels(&[key(0), key(2)]).unwrap(), [TunnelCount::Open(1); 2]);
    assert!(!rig.driver.lint().unwrap().iter().any(|lint| lint.code == "no-master"));
    drop(tunnel);
    eventually("the process of before is gone", || {
        rig.driver.tunnels(&[key(0), key(2)]).is_ok_and(|counts| counts == none)
    });
}

#[test]
fn a_caddy_configuration_without_our_gate_is_seen_at_once() {
    within(Duration::from_secs(1), load_another_configuration);
}

/// How long until it was seen.
fn load_another_configuration() -> Duration {
    let mut rig = Rig::start(Kind::Caddy, 2);
    rig.close(1, &set([0]));
    let ours = config::caddy(&rig.config).unwrap();
    let elsewhere = config::EdgeConfig { gate: rig.path().join("elsewhere"), ..rig.config.clone() };
    let without = config::caddy(&elsewhere).unwrap();
    let generation = rig.driver.generation().unwrap();
    rig.running.as_ref().unwrap().load(without.as_bytes()).unwrap();
    let lost = Instant::now();
    eventually("it is seen", || rig.driver.generation().unwrap() != generation);
    let seen = lost.elapsed();
    let view = rig.observe(0);
    assert_eq!((view.durable, view.runtime), (Seen::Dark, Seen::Lit), "not dark, and said so");
    assert_eq!(rig.seen(0), Seen::Lit);
    // The folder cannot make it good: dark is not proven until somebody loads the gate again.
    rig.close(1, &set([0]));
    assert_eq!(rig.observe(0).runtime, Seen::Lit);
    let codes: Vec<_> = rig.driver.lint().unwrap().iter().map(|lint| lint.code).collect();
    assert_eq!(codes, ["tunnels-uncounted", "gate-not-in-config"]);
    rig.running.as_ref().unwrap().load(ours.as_bytes()).unwrap();
    assert_eq!(rig.observe(0).runtime, Seen::Dark);
    // The configuration of before may answer once more on a connection that was open.
    eventually("visitors see it", || rig.seen(0) == Seen::Dark);
    // Nobody answers: nothing is known.
    rig.running = None;
    assert_eq!(rig.observe(0).runtime, Seen::Unknown);
    assert!(rig.driver.generation().is_err());
    seen
}

/// An edge that takes every order and serves from somewhere else.
#[test]
fn an_edge_that_reads_another_gate_is_never_proven_dark() {
    for kind in [Kind::Nginx, Kind::Apache, Kind::Caddy] {
        let mut rig = Rig::start(kind, 1);
        let elsewhere = rig.path().join("elsewhere");
        fs::create_dir(&elsewhere).unwrap();
        fs::write(elsewhere.join("dark.txt"), "").unwrap();
        rig.restart_with(|config| config.gate = elsewhere);
        rig.close(1, &set([0]));
        assert_eq!(rig.observe(0).durable, Seen::Dark, "{kind:?}: it says yes");
        assert_eq!(rig.seen(0), Seen::Lit, "{kind:?}: and does nothing");
    }
}
