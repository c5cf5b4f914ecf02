//! The verification path on loopback, where testers show a certificate: each program runs the
//! configuration that we print for it, and lets nobody else behind the gate.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use relight_edge::config::MutualTls;
use relight_edge::{EdgeErrorKind, TESTER, TESTERS_CA, Target, Testers, exec};
use relight_model::Seen;

use crate::support::{Kind, Rig, host, set, visitor};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/mtls").join(name)
}

/// An edge whose testers show a certificate; what it shows itself is a file of the fixtures.
fn start(kind: Kind, shown: &str) -> Rig {
    let mut rig = Rig::start(kind, 2);
    let address = exec::free_address().unwrap();
    // Workers and programs that drop their rights read copies, not the folder of the sources.
    let [certificate, authorities] =
        [(shown, "shown.pem"), ("ca.pem", "testers.pem")].map(|(from, to)| {
            let to = rig.path().join(to);
            fs::copy(fixture(from), &to).unwrap();
            to
        });
    rig.restart_with(|config| {
        config.verify = address.to_string().into();
        config.testers = Some(MutualTls { certificate, authorities });
    });
    rig.target.verify = Some(rig.config.verify.clone());
    shows(&mut rig.target, "tester.pem");
    rig
}

fn shows(target: &mut Target, tester: &str) {
    let files = [(TESTER, tester), (TESTERS_CA, "ca.pem")];
    let settings = files.map(|(name, file)| (name.to_owned(), fixture(file).display().to_string()));
    target.settings.extend(settings);
}

const KINDS: [Kind; 4] = [Kind::Nginx, Kind::Haproxy, Kind::Apache, Kind::Caddy];

#[test]
fn testers_with_a_certificate_reach_a_dark_site_and_nobody_else_does() {
    for kind in KINDS {
        let mut rig = start(kind, "edge.pem");
        rig.close(1, &set([0]));
        if kind == Kind::Nginx {
            // What it hands them on to needs no certificate.
            let socket = fs::metadata(rig.config.folder.join("verify.sock")).unwrap();
            assert_eq!(socket.permissions().mode() & 0o777, 0o660);
        }
        let testers = Testers::of(&rig.target).unwrap().unwrap();
        for site in [0, 1] {
            let answer = testers.ask("GET", &host(site), "/health").unwrap();
            let seen = (answer.status, answer.body.as_slice());
            assert_eq!(seen, (200, &b"the site itself"[..]), "{kind:?}");
            assert_eq!(rig.origins[site].verification(), 1, "{kind:?}: counted apart");
        }
        assert_eq!(testers.ask("HEAD", &host(0), "/").unwrap().status, 200, "{kind:?}");
        assert_eq!(testers.ask("GET", "nobody.example", "/").unwrap().status, 421, "{kind:?}");
        assert_eq!(rig.seen(0), Seen::Dark, "{kind:?}");
        let before = rig.origins[0].visitors() + rig.origins[0].verification();
        // Without a certificate, in plain text, and under a certificate of somebody else.
        let address = rig.config.verify.to_str().unwrap().parse().unwrap();
        let plain = visitor(address).and_then(|mut it| it.get(&host(0), "/"));
        assert!(plain.is_err() || plain.is_ok_and(|it| it.status != 200), "{kind:?}");
        shows(&mut rig.target, "stranger.pem");
        let strange = Testers::of(&rig.target).unwrap().unwrap();
        let strange = strange.ask("GET", &host(0), "/");
        assert!(strange.is_err() || strange.is_ok_and(|it| it.status != 200), "{kind:?}");
        let after = rig.origins[0].visitors() + rig.origins[0].verification();
        assert_eq!(after, before, "{kind:?}: nothing reached the origin");
        rig.open(2, &set([]));
        assert_eq!(rig.seen(0), Seen::Lit, "{kind:?}");
    }
}

/// An address on loopback can be taken by any account of the machine: whoever is there shows a
/// certificate for it, or is not asked.
#[test]
fn a_path_that_shows_no_good_certificate_is_not_asked() {
    let rig = start(Kind::Haproxy, "elsewhere.pem");
    let asked = Testers::of(&rig.target).unwrap().unwrap().ask("GET", &host(0), "/");
    assert_eq!(asked.unwrap_err().kind, EdgeErrorKind::Certificate);
    assert_eq!(rig.origins[0].verification(), 0);
}

/// Bad input: half of the settings, a socket, files that are none.
#[test]
fn a_path_that_cannot_be_meant_is_refused() {
    let target = |verify: &str, settings: &[(&str, PathBuf)]| Target {
        name: "north".into(),
        kind: "haproxy".into(),
        gate: "/gate".into(),
        listeners: Vec::new(),
        verify: Some(verify.into()),
        settings: settings
            .iter()
            .map(|(name, file)| ((*name).to_owned(), file.display().to_string()))
            .collect(),
        members: Vec::new(),
    };
    let (ca, tester) = (fixture("ca.pem"), fixture("tester.pem"));
    let both = [(TESTER, tester.clone()), (TESTERS_CA, ca.clone())];
    let kind = |verify, settings: &[(&str, PathBuf)]| {
        Testers::of(&target(verify, settings)).map(|it| it.is_some()).map_err(|error| error.kind)
    };
    let loopback = "127.0.0.1:9443";
    assert_eq!(kind(loopback, &both), Ok(true));
    assert_eq!(kind("/verify.sock", &[]), Ok(true));
    assert_eq!(kind("/verify.sock", &both), Err(EdgeErrorKind::Lint));
    assert_eq!(kind("10.0.0.1:9443", &both), Err(EdgeErrorKind::Lint), "other machines reach it");
    assert_eq!(kind(loopback, &both[..1]), Err(EdgeErrorKind::Lint));
    assert_eq!(kind(loopback, &both[1..]), Err(EdgeErrorKind::Lint));
    let nothing = [(TESTER, "/nowhere.pem".into()), (TESTERS_CA, ca.clone())];
    assert_eq!(kind(loopback, &nothing), Err(EdgeErrorKind::Io));
    let keyless = [(TESTER, ca), (TESTERS_CA, tester)];
    assert_eq!(kind(loopback, &keyless), Err(EdgeErrorKind::Io));
    let none = Target { verify: None, ..target("", &[]) };
    assert!(Testers::of(&none).unwrap().is_none());
}
