//! INCIDENT 8.1 and 9 on each program: dark is proven, lit is proven, nothing else passes as dark.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use relight_edge::{EdgeErrorKind, LintSeverity, ProbeTarget, Prober, Stage, Testers};
use relight_model::{Epoch, GateKey, Seen};

use crate::support::{Kind, Rig, epoch, host, key, set};

#[test]
fn flips_dark_and_lit_with_proof() {
    for kind in Kind::ALL {
        let mut rig = Rig::start(kind, 4);
        assert_eq!(rig.seen(0), Seen::Lit, "{kind:?}");
        rig.close(1, &set([0, 1]));
        let seen: Vec<Seen> = rig.probe(&[0, 1, 2, 3]).iter().map(|result| result.seen).collect();
        assert_eq!(seen, [Seen::Dark, Seen::Dark, Seen::Lit, Seen::Lit], "{kind:?}");
        let view = rig.observe(0);
        assert_eq!((view.durable, view.runtime), (Seen::Dark, Seen::Dark), "{kind:?}");
        assert_eq!((view.epoch, view.foreign), (Some(epoch(1)), false), "{kind:?}");
        rig.open(2, &set([1]));
        assert_eq!((rig.seen(0), rig.seen(1)), (Seen::Lit, Seen::Dark), "{kind:?}");
        assert_eq!(rig.observe(0).durable, Seen::Lit, "{kind:?}");
    }
}

/// INCIDENT 8.4: the canary of each edge flips without touching a site.
#[test]
fn the_canary_flips_and_is_never_proxied() {
    for kind in Kind::ALL {
        let mut rig = Rig::start(kind, 2);
        let canary = GateKey::new(relight_edge::config::CANARY_KEY).unwrap();
        let host = relight_edge::config::CANARY_HOST.to_owned();
        let target = [ProbeTarget::site(canary.clone(), host, Some(2))];
        assert_eq!(rig.prober.probe(&target, 1)[0].seen, Seen::Lit, "{kind:?}");
        rig.close(1, &[canary].into());
        assert_eq!(rig.prober.probe(&target, 2)[0].seen, Seen::Dark, "{kind:?}");
        assert_eq!(rig.seen(0), Seen::Lit, "{kind:?}");
    }
}

#[test]
fn every_method_gets_503_when_dark_and_the_page_has_its_headers() {
    for kind in Kind::ALL {
        let mut rig = Rig::start(kind, 2);
        rig.close(1, &set([0]));
        let before = rig.origins[0].visitors();
        for method in ["GET", "HEAD", "POST", "OPTIONS", "DELETE", "PUT"] {
            let headers = [("Range", "bytes=0-1"), ("Content-Length", "0")];
            let answer = rig.visitor().request(method, &host(0), "/x", &headers).unwrap();
            assert_eq!(answer.status, 503, "{kind:?} {method}");
            let marker = answer.header("x-relight-gate");
            assert_eq!(marker, Some("dark=1; site=site-0"), "{kind:?} {method}");
            assert_eq!(answer.header("cache-control"), Some("no-store"), "{kind:?} {method}");
            let retry: u32 = answer.header("retry-after").unwrap().parse().unwrap();
            assert!((3300..=3900).contains(&retry), "{kind:?} {method}: {retry}");
        }
        let json = [("Accept", "application/json")];
        let answer = rig.visitor().request("GET", &host(0), "/", &json).unwrap();
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{kind:?}");
        assert_eq!((answer.status, answer.body), (503, b"{}".to_vec()), "{kind:?}");
        let html = rig.visitor().get(&host(0), "/").unwrap();
        assert_eq!(html.body, b"<p>hors ligne / offline", "{kind:?}");
        assert_eq!(html.header("vary"), Some("Accept"), "{kind:?}");
        assert_eq!(rig.origins[0].visitors(), before, "{kind:?}: an origin was reached");
    }
}

#[test]
fn retry_after_is_spread() {
    for kind in Kind::ALL {
        let mut rig = Rig::start(kind, 40);
        rig.close(1, &set(0..40));
        // Caddy draws no numbers: each site has its own.
        let site = |n: usize| if kind == Kind::Caddy { n } else { 0 };
        let mut retry = |n: usize| {
            let answer = rig.visitor().get(&host(site(n)), "/").unwrap();
            answer.header("retry-after").unwrap().to_owned()
        };
        let values: std::collections::BTreeSet<String> = (0..40).map(&mut retry).collect();
        assert!(values.len() > 3, "{kind:?}: {values:?}");
    }
}

/// Trap: an origin that sent our header passed as dark where it was not removed.
#[test]
fn an_origin_never_passes_as_dark() {
    for kind in Kind::ALL {
        let rig = Rig::start(kind, 2);
        for uri in ["/broken", "/pretends?site-0"] {
            let answer = rig.visitor().get(&host(0), uri).unwrap();
            assert_eq!(answer.status, 503, "{kind:?} {uri}");
            assert_eq!(answer.header("x-relight-gate"), None, "{kind:?} {uri}");
        }
    }
}

#[test]
fn an_origin_that_is_down_is_neither_dark_nor_lit() {
    for kind in Kind::ALL {
        let mut rig = Rig::start(kind, 1);
        rig.running = None;
        rig.config.sites[0].upstream = relight_edge::exec::free_address().unwrap();
        rig.start_edge();
        let result = rig.probe(&[0])[0];
        assert!([502, 503].contains(&result.status), "{kind:?}: {result:?}");
        assert_eq!(result.seen, Seen::Unknown, "{kind:?}");
        let answer = rig.visitor().get(&host(0), "/").unwrap();
        assert_eq!(answer.header("x-relight-gate").filter(|it| it.contains("dark=1")), None);
    }
}

#[test]
fn a_host_that_the_edge_does_not_serve_is_421_and_unknown() {
    for kind in Kind::ALL {
        let mut rig = Rig::start(kind, 1);
        let answer = rig.visitor().get("elsewhere.example", "/").unwrap();
        assert_eq!(answer.status, 421, "{kind:?}");
        let host = "elsewhere.example".to_owned();
        let target = ProbeTarget::site(key(0), host, None);
        let result = rig.prober.probe(&[target], 1)[0];
        assert_eq!((result.seen, result.status), (Seen::Unknown, 421), "{kind:?}");
        assert_eq!(rig.origins[0].visitors(), 0, "{kind:?}");
    }
}

/// A proxied challenge path would hand attacker-chosen headers to the vulnerable origin.
#[test]
fn acme_is_answered_by_the_edge_and_never_proxied() {
    for kind in Kind::ALL {
        let mut rig = Rig::start(kind, 2);
        let token = "/.well-known/acme-challenge/tok-en_1";
        match kind {
            Kind::Nginx | Kind::Command | Kind::Apache | Kind::Caddy => {
                let folder = rig.config.acme.join(".well-known/acme-challenge");
                fs::create_dir_all(&folder).unwrap();
                fs::write(folder.join("tok-en_1"), "tok-en_1.thumb").unwrap();
            }
            Kind::Haproxy => {
                fs::write(rig.config.folder.join("acme.map"), "tok-en_1 tok-en_1.thumb\n").unwrap();
                rig.running = None;
                rig.start_edge();
            }
        }
        for dark in [set([]), set([0])] {
            rig.close(1, &dark);
            let answer = rig.visitor().get(&host(0), token).unwrap();
            assert_eq!(answer.status, 200, "{kind:?}");
            assert_eq!(answer.body.trim_ascii(), b"tok-en_1.thumb", "{kind:?}");
            let other = format!("{token}x");
            assert_eq!(rig.visitor().get(&host(0), &other).unwrap().status, 404, "{kind:?}");
        }
        // Anything that is no token goes the way of every other path.
        let escape = "/.well-known/acme-challenge/../../secret";
        let answer = rig.visitor().get(&host(0), escape).unwrap();
        assert_eq!(answer.status, 503, "{kind:?}");
        assert_eq!(rig.origins[0].visitors(), 0, "{kind:?}");
    }
}

#[test]
fn the_verification_path_is_open_while_the_public_one_is_dark() {
    for kind in Kind::ALL {
        let mut rig = Rig::start(kind, 2);
        rig.close(1, &set([0]));
        let socket = rig.config.verify.clone();
        let testers = Testers::of(&rig.target).unwrap().unwrap();
        let answer = testers.ask("GET", &host(0), "/health").unwrap();
        let seen = (answer.status, answer.body.as_slice());
        assert_eq!(seen, (200, &b"the site itself"[..]), "{kind:?}");
        assert_eq!(rig.origins[0].last_path(), "/health", "{kind:?}");
        assert_eq!(rig.seen(0), Seen::Dark, "{kind:?}");
        let counts = (rig.origins[0].visitors(), rig.origins[0].verification());
        assert_eq!(counts, (0, 1), "{kind:?}");
        // A visitor who claims to be verification is counted as the visitor that they are.
        let forged = [("X-Relight-Verify", "1")];
        rig.visitor().request("GET", &host(1), "/", &forged).unwrap();
        let counts = (rig.origins[1].visitors(), rig.origins[1].verification());
        assert_eq!(counts, (1, 0), "{kind:?}");
        if kind != Kind::Apache {
            let mode = fs::metadata(&socket).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o660, "{kind:?}: who may go behind the gate");
        }
        let headless = testers.ask("HEAD", &host(0), "/health").unwrap();
        assert_eq!((headless.status, headless.body), (200, Vec::new()), "{kind:?}");
        let refused = testers.ask("POST", &host(0), "/health").unwrap_err();
        assert_eq!(refused.kind, EdgeErrorKind::Refused, "{kind:?}");
        let unknown = testers.ask("GET", "elsewhere.example", "/").unwrap();
        assert_eq!(unknown.status, 421, "{kind:?}");
    }
}

/// Trap: nginx refuses to start when its hash of names is too small for one of them.
#[test]
fn the_longest_name_is_served_and_darkened() {
    for kind in Kind::ALL {
        let mut rig = Rig::start(kind, 1);
        rig.running = None;
        let long = ["x".repeat(63), "y".repeat(63), "z".repeat(63), "w".repeat(61)].join(".");
        rig.config.sites[0].host.clone_from(&long);
        rig.start_edge();
        assert_eq!(rig.visitor().get(&long, "/").unwrap().status, 200, "{kind:?}");
        rig.close(1, &set([0]));
        assert_eq!(rig.visitor().get(&long, "/").unwrap().status, 503, "{kind:?}");
    }
}

#[test]
fn an_older_epoch_is_refused_and_an_equal_one_is_not() {
    for kind in Kind::ALL {
        let mut rig = Rig::start(kind, 2);
        rig.close(5, &set([0]));
        for stage in [Stage::Durable, Stage::Runtime] {
            let error = rig.apply(epoch(4), stage, &set([])).unwrap_err();
            assert_eq!(error.kind, EdgeErrorKind::Fenced, "{kind:?}");
            assert!(!error.retry, "{kind:?}");
        }
        assert_eq!(rig.seen(0), Seen::Dark, "{kind:?}");
        rig.open(5, &set([]));
        assert_eq!(rig.seen(0), Seen::Lit, "{kind:?}");
        rig.apply(Epoch { term: 2, seq: 0 }, Stage::Durable, &set([])).unwrap();
        assert!(rig.apply(epoch(9), Stage::Durable, &set([])).is_err(), "{kind:?}");
    }
}

#[test]
fn an_edge_in_order_has_no_error_to_report() {
    for kind in Kind::ALL {
        let mut rig = Rig::start(kind, 1);
        rig.close(1, &set([0]));
        let lints = rig.driver.lint().unwrap();
        let errors: Vec<_> =
            lints.iter().filter(|lint| lint.severity == LintSeverity::Error).collect();
        assert!(errors.is_empty(), "{kind:?}: {errors:?} in {}", rig.path().display());
        assert_eq!(rig.seen(0), Seen::Dark, "{kind:?}: the lint changed the gate");
    }
}

#[test]
fn nobody_on_the_listener_is_unknown_at_once() {
    let nobody = relight_edge::exec::free_address().unwrap();
    let target = |n| ProbeTarget::site(key(n), host(n), None);
    let targets: Vec<_> = (0..4000).map(target).collect();
    let results = Prober::new(nobody).probe(&targets, 1);
    assert_eq!(results.len(), targets.len());
    assert!(results.iter().all(|result| (result.seen, result.status) == (Seen::Unknown, 0)));
}
