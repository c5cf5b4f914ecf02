//! INCIDENT 8.6: no gate closes a tunnel; HAProxy's driver does, for that site only.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use relight_edge::{CutsTunnels, EdgeErrorKind, REFUSED, TunnelCount, UPGRADES};

use crate::support::{DEADLINE, Kind, Rig, epoch, eventually, host, key, set};

/// Opens a tunnel through the edge and says something through it.
fn tunnel(rig: &Rig, n: usize) -> TcpStream {
    let mut stream = TcpStream::connect(rig.listener()).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let host = host(n);
    let request = format!(
        "GET /tunnel HTTP/1.1\r\nHost: {host}\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
    assert!(alive(&mut stream));
    stream
}

fn alive(stream: &mut TcpStream) -> bool {
    let mut echo = [0; 5];
    stream.write_all(b"echo\n").is_ok()
        && stream.read_exact(&mut echo).is_ok()
        && &echo == b"echo\n"
}

#[test]
fn haproxy_cuts_the_tunnels_of_one_site() {
    let mut rig = Rig::start(Kind::Haproxy, 40);
    let mut doomed = [tunnel(&rig, 0), tunnel(&rig, 0)];
    let mut innocent = tunnel(&rig, 2);
    rig.close(1, &set([0]));
    assert!(doomed.iter_mut().all(alive), "a gate that closes tunnels needs no cut");
    let counts = rig.driver.tunnels(&[key(0), key(2), key(4)]).unwrap();
    assert_eq!(counts, [TunnelCount::Open(2), TunnelCount::Open(1), TunnelCount::Open(0)]);
    let all: Vec<_> = (0..40).map(key).collect();
    assert_eq!(rig.driver.tunnels(&all).unwrap()[0], TunnelCount::Open(2), "in one command");
    rig.driver.cut(epoch(1), &[key(0)]).unwrap();
    eventually("no session is left", || {
        rig.driver.tunnels(&[key(0)]).unwrap() == [TunnelCount::Open(0)]
    });
    assert!(!doomed.iter_mut().any(alive));
    assert!(alive(&mut innocent));
    let error = rig.driver.cut(epoch(0), &[key(2)]).unwrap_err();
    assert_eq!(error.kind, EdgeErrorKind::Fenced);
    assert!(alive(&mut innocent), "a fenced controller cut a tunnel");
}

/// Where the proxy cannot cut, `ss -K` does, as root; an origin that others use is never touched.
#[test]
fn tunnels_of_the_others_are_cut_from_outside() {
    for kind in [Kind::Nginx, Kind::Apache, Kind::Caddy] {
        let mut rig = Rig::start(kind, 3);
        rig.config.sites.truncate(2);
        rig.name_origins();
        assert_eq!(rig.driver.capabilities().cuts_tunnels, CutsTunnels::Driver, "{kind:?}");
        let mut doomed = [tunnel(&rig, 0), tunnel(&rig, 0)];
        let mut innocent = tunnel(&rig, 1);
        rig.close(1, &set([0]));
        assert!(doomed.iter_mut().all(alive), "{kind:?}");
        let TunnelCount::Open(open) = rig.driver.tunnels(&[key(0)]).unwrap()[0] else {
            panic!("{kind:?}: not counted")
        };
        assert!(open >= 2, "{kind:?}: {open}");
        let cut = rig.driver.cut(epoch(1), &[key(0)]);
        if relight_edge::exec::worker_user().is_none() {
            assert_eq!(cut.unwrap_err().kind, EdgeErrorKind::Lint, "{kind:?}: not root");
            continue;
        }
        cut.unwrap();
        eventually("no connection is left", || {
            rig.driver.tunnels(&[key(0)]).unwrap() == [TunnelCount::Open(0)]
        });
        assert!(!doomed.iter_mut().any(alive), "{kind:?}");
        assert!(alive(&mut innocent), "{kind:?}");
        let error = rig.driver.cut(epoch(0), &[key(1)]).unwrap_err();
        assert_eq!(error.kind, EdgeErrorKind::Fenced, "{kind:?}");
    }
}

#[test]
fn an_origin_that_other_sites_share_is_named_and_not_cut() {
    let mut rig = Rig::start(Kind::Nginx, 3);
    rig.name_origins();
    let mut innocent = tunnel(&rig, 2);
    rig.close(1, &set([0]));
    assert_eq!(rig.driver.tunnels(&[key(0)]).unwrap(), [TunnelCount::Shared]);
    let error = rig.driver.cut(epoch(1), &[key(0)]).unwrap_err();
    assert!(error.to_string().contains("shared-origin"), "{error}");
    assert!(error.to_string().contains("site-2"), "{error}");
    assert!(alive(&mut innocent));
    // Dark together, they are counted together.
    let counts = rig.driver.tunnels(&[key(0), key(2)]).unwrap();
    assert!(matches!(counts[..], [TunnelCount::Open(1..), TunnelCount::Open(1..)]), "{counts:?}");
    std::fs::write(rig.path().join("origins"), "site-0 nowhere\n").unwrap();
    assert_eq!(rig.driver.tunnels(&[key(0)]).unwrap_err().kind, EdgeErrorKind::Lint);
}

/// Where the edge passes no wish for an upgrade on, nothing has to be counted or cut.
#[test]
fn an_edge_without_upgrades_opens_no_tunnel_and_may_be_proven_dark() {
    for kind in [Kind::Nginx, Kind::Apache, Kind::Caddy] {
        let mut rig = Rig::start(kind, 1);
        let lint = |rig: &mut Rig| {
            let lints = rig.driver.lint().unwrap();
            lints.iter().any(|lint| lint.code == "tunnels-uncounted")
        };
        assert_eq!(rig.driver.capabilities().missing_for_dark(None), ["cuts_tunnels"], "{kind:?}");
        assert!(lint(&mut rig), "{kind:?}");
        drop(tunnel(&rig, 0));
        rig.target.settings.insert(UPGRADES.to_owned(), REFUSED.to_owned());
        rig.driver = relight_edge::open(&rig.target).unwrap();
        rig.restart_with(|config| config.upgrades = false);
        let able = rig.driver.capabilities();
        assert_eq!(
            (able.cuts_tunnels, able.missing_for_dark(None)),
            (CutsTunnels::Refused, vec![])
        );
        assert!(!lint(&mut rig), "{kind:?}");
        let wish = [("Connection", "upgrade"), ("Upgrade", "echo")];
        let answer = rig.visitor().request("GET", &host(0), "/tunnel", &wish).unwrap();
        assert_ne!(answer.status, 101, "{kind:?}");
        let counts = rig.driver.tunnels(&[key(0)]).unwrap();
        assert_eq!(counts, [TunnelCount::Unknown], "{kind:?}: said, not counted");
        rig.driver.cut(epoch(1), &[key(0)]).unwrap();
    }
}

#[test]
fn nginx_says_that_it_cannot_cut_nor_count() {
    let mut rig = Rig::start(Kind::Nginx, 1);
    let mut tunnel = tunnel(&rig, 0);
    rig.close(1, &set([0]));
    assert_eq!(rig.driver.capabilities().cuts_tunnels, CutsTunnels::Nobody);
    assert_eq!(rig.driver.tunnels(&[key(0)]).unwrap(), [TunnelCount::Unknown]);
    assert_eq!(rig.driver.cut(epoch(1), &[key(0)]).unwrap_err().kind, EdgeErrorKind::Lint);
    assert!(alive(&mut tunnel));
}
