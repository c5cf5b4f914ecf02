//! INCIDENT 8.1 and 14.5 over HTTP/2, which every browser speaks: the matrix of names, with
//! `:authority` in the place of `Host`, and visitors on kept connections while gates flip.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use relight_edge::config::{CANARY_HOST, Secured};
use relight_edge::exec;
use relight_model::Seen;

use crate::support::{Finish, Http2, Kind, Rig, host, set};

const KINDS: [Kind; 4] = [Kind::Nginx, Kind::Haproxy, Kind::Apache, Kind::Caddy];

/// An edge whose second listener speaks HTTP/2 over TLS; every name has a certificate.
fn start(kind: Kind, sites: usize) -> Rig {
    let mut rig = Rig::start(kind, sites);
    let (address, certificates) = (exec::free_address().unwrap(), rig.path().join("tls"));
    fs::create_dir(&certificates).unwrap();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/tls");
    let read = |name: &str| fs::read_to_string(fixtures.join(name)).unwrap();
    let both = read("site.pem") + &read("key.pem");
    for name in (0..sites).map(host).chain([CANARY_HOST.to_owned()]) {
        fs::write(certificates.join(format!("{name}.pem")), &both).unwrap();
    }
    rig.restart_with(|config| {
        config.listen.push(address);
        config.tls = Some(Secured { listeners: vec![address], certificates });
    });
    rig
}

/// Caddy shows a certificate only for the names in it, and nginx one only for the names it serves.
fn connect(rig: &Rig, name: &str) -> Http2 {
    let name = if rig.kind == Kind::Caddy { "site.example" } else { name };
    Http2::connect(rig.config.listen[1], name).unwrap_or_else(|e| panic!("{:?}: {e}", rig.kind))
}

/// How a request names `site-0`, in front of one origin, or confuses it with `site-1`, in front of
/// the other: what the hello of TLS says, and the headers after the method.
type Variant = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

const DARK: &str = "site-0.example.qc";
const OTHER: &str = "site-1.example.qc";

const VARIANTS: [Variant; 18] = [
    ("plain", DARK, &[(":authority", DARK)]),
    ("upper case", DARK, &[(":authority", "SITE-0.EXAMPLE.QC")]),
    ("port", DARK, &[(":authority", "site-0.example.qc:8080")]),
    ("trailing dot", DARK, &[(":authority", "site-0.example.qc.")]),
    ("dot and port", DARK, &[(":authority", "site-0.example.qc.:8080")]),
    ("user", DARK, &[(":authority", "site-1.example.qc@site-0.example.qc")]),
    ("alias", "www.site-0.example.qc", &[(":authority", "www.site-0.example.qc")]),
    ("unknown name", DARK, &[(":authority", "nobody.example.qc")]),
    ("no name", DARK, &[]),
    ("Host alone", DARK, &[("host", DARK)]),
    ("another Host", DARK, &[(":authority", DARK), ("host", OTHER)]),
    ("another authority", OTHER, &[(":authority", OTHER), ("host", DARK)]),
    ("the connection of another site", OTHER, &[(":authority", DARK)]),
    ("a connection for another site", DARK, &[(":authority", OTHER)]),
    ("two authorities", OTHER, &[(":authority", OTHER), (":authority", DARK)]),
    ("two Hosts", OTHER, &[("host", OTHER), ("host", DARK)]),
    ("spaces", DARK, &[(":authority", " site-0.example.qc ")]),
    (
        "a whole address as path",
        OTHER,
        &[(":authority", OTHER), (":path", "https://site-0.example.qc/")],
    ),
];

/// Names of the variants after which the origin of `site-0` had one more visitor.
fn reaching(rig: &Rig, method: &str) -> Vec<&'static str> {
    let reaches = |(_, name, headers): &Variant| {
        let before = rig.origins[0].visitors();
        let path = headers.iter().any(|(name, _)| *name == ":path");
        let mut all = vec![(":method", method), (":scheme", "https")];
        all.extend((!path).then_some((":path", "/")));
        // Pseudo headers come first.
        let (pseudo, plain): (Vec<_>, Vec<_>) =
            headers.iter().copied().partition(|(name, _)| name.starts_with(':'));
        all.extend(pseudo.into_iter().chain(plain));
        // A spelling that is refused may end the connection; only the origin counts.
        let _ = connect(rig, name).ask(&all);
        rig.origins[0].visitors() > before
    };
    VARIANTS.iter().filter(|variant| reaches(variant)).map(|(name, ..)| *name).collect()
}

#[test]
fn no_spelling_of_an_authority_reaches_a_dark_origin() {
    for kind in KINDS {
        let mut rig = start(kind, 2);
        let lit = reaching(&rig, "GET");
        for name in ["plain", "port", "alias"] {
            assert!(lit.contains(&name), "{kind:?}: lit, {name} must work; worked: {lit:?}");
        }
        for name in ["unknown name", "no name", "a connection for another site"] {
            assert!(!lit.contains(&name), "{kind:?}: {lit:?}");
        }
        assert!(reaching(&rig, "POST").contains(&"plain"), "{kind:?}");
        rig.close(1, &set([0]));
        assert_eq!(rig.seen(0), Seen::Dark, "{kind:?}");
        for method in ["GET", "POST"] {
            assert_eq!(reaching(&rig, method), Vec::<&str>::new(), "{kind:?} {method}");
        }
        assert_eq!(connect(&rig, DARK).get(DARK, "/").unwrap(), Some(503), "{kind:?}");
        assert_eq!(connect(&rig, OTHER).get(OTHER, "/").unwrap(), Some(200), "{kind:?}");
    }
}

/// Goal: on kept connections visitors of untouched sites lose nothing, and after the proof nobody
/// gets through to a dark one, on a connection from before or on a new one. Method: two visitors of
/// sites that no plan touches, one of the site that is darkened and relit.
#[test]
fn flips_lose_nobody_and_leak_nothing_on_kept_connections() {
    for kind in KINDS {
        let mut rig = start(kind, 40);
        let (done, answers) = (AtomicBool::new(false), AtomicUsize::new(0));
        thread::scope(|scope| {
            for n in [31, 33] {
                let mut visitor = connect(&rig, &host(n));
                let (done, answers) = (&done, &answers);
                scope.spawn(move || {
                    while !done.load(Ordering::Relaxed) {
                        let answer = visitor.get(&host(n), "/").unwrap();
                        assert_eq!(answer, Some(200), "{kind:?}");
                        answers.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
            let _finish = Finish(&done);
            let mut kept = connect(&rig, DARK);
            for cycle in 0..10 {
                let keys = if cycle % 2 == 0 { set([0]) } else { set((0..30).step_by(2)) };
                rig.close(2 * cycle + 1, &keys);
                assert_eq!(rig.seen(0), Seen::Dark, "{kind:?}");
                let reached = rig.origins[0].visitors();
                for _ in 0..10 {
                    // A connection that is closed is as good as a holding page.
                    match kept.get(DARK, "/") {
                        Ok(answer) => assert_eq!(answer, Some(503), "{kind:?}"),
                        Err(_) => kept = connect(&rig, DARK),
                    }
                    assert_eq!(connect(&rig, DARK).get(DARK, "/").unwrap(), Some(503), "{kind:?}");
                }
                assert_eq!(rig.origins[0].visitors(), reached, "{kind:?}: leaked after proof");
                rig.open(2 * cycle + 2, &set([]));
                assert_eq!(rig.seen(0), Seen::Lit, "{kind:?}");
                assert_eq!(connect(&rig, DARK).get(DARK, "/").unwrap(), Some(200), "{kind:?}");
            }
        });
        assert!(answers.into_inner() > 40, "{kind:?}");
    }
}
