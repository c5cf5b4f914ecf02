//! Drills on a real proxy: a reload by other hands, and WebSockets that were open before.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use std::{fs, thread};

use relight_engine::drill::{DrillReport, DrillScope, Pace, STEPS, StepName};
use relight_engine::edge::config::{CANARY_HOST, Secured};
use relight_engine::edge::{Target, UPGRADES, Untried, exec};
use relight_engine::edges;
use relight_engine::incident::Ledger;
use relight_engine::store::{SiteMark, SiteRow, Store};

use crate::engine::row;
use crate::rig::{Kind, Rig, host, key};

/// Passes a little with each look, so that times of grace end whatever the machine does.
fn clock() -> i64 {
    static NOW_MS: AtomicI64 = AtomicI64::new(1_700_000_000_000);
    NOW_MS.fetch_add(25, Ordering::Relaxed)
}

/// An origin that lets every connection be upgraded that wishes it, and then says nothing.
fn origin() -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || {
                let mut lines = BufReader::new(stream);
                loop {
                    let mut head = String::new();
                    while lines.read_line(&mut head).is_ok_and(|read| read > 2) {}
                    if head.is_empty() {
                        return;
                    }
                    let is_upgrade = head.to_lowercase().contains("upgrade: websocket");
                    let answer: &[u8] = match is_upgrade {
                        true => {
                            b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n\
                              Upgrade: websocket\r\n\
                              Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
                        }
                        false => b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
                    };
                    if lines.get_mut().write_all(answer).is_err() {
                        return;
                    }
                    if is_upgrade {
                        // It says nothing more until the other side ends.
                        drop(io::copy(&mut lines, &mut io::sink()));
                        return;
                    }
                }
            });
        }
    });
    address
}

/// A drill of one marked site and the canary, on an edge that is registered so.
fn drilled(kind: Kind, prepare: impl FnOnce(&mut Target, &Rig)) -> DrillReport {
    drilled_as(kind, |text| text, prepare)
}

/// The same on an edge whose configuration somebody changed.
fn drilled_as(
    kind: Kind,
    change: impl Fn(String) -> String,
    prepare: impl FnOnce(&mut Target, &Rig),
) -> DrillReport {
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let mut rig = Rig::start(&folder.path().join("rig"), kind, 2);
    rig.config.sites[1].upstream = origin();
    rig.start_edge(change);
    let mut target = rig.with_origins();
    target.settings.remove(UPGRADES);
    prepare(&mut target, &rig);
    let store = Store::open(&folder.path().join("data")).unwrap();
    let rows = [0, 1].map(|number| SiteRow {
        slug: key(number),
        origin: format!("http://{}", host(number)),
        edge: "north".into(),
        ..row(number, key(number).as_str())
    });
    store.apply_import(&store.plan_import(&rows).unwrap(), 1, "test").unwrap();
    store.put_edge(&edges::to_row(&target).unwrap(), 1, "test").unwrap();
    store.set_mark(&key(1), SiteMark::DrillOk, true, 1, "test").unwrap();
    let scope = DrillScope::read(&store, &["north".to_owned()]).unwrap();
    let pace = Pace { clock, nonce: 7, pause: Duration::from_millis(20), second: None, stop: None };
    scope.edges()[0].run(&Ledger::new(1), &pace, &mut || Ok(()))
}

fn tried(report: &DrillReport, name: StepName) -> bool {
    report.steps.iter().find(|step| step.name == name).unwrap().tried
}

#[test]
fn a_proxy_that_others_reload_stays_dark_and_loses_its_tunnels() {
    let report = drilled(Kind::Nginx, |target, rig| {
        let id = rig.running.as_ref().unwrap().id();
        let reload = format!(r#"["/bin/sh","-c","kill -HUP {id}"]"#);
        target.settings.insert("reload".to_owned(), reload);
    });
    assert!(report.passed(), "{:?}", report.failed());
    assert_eq!(report.steps.len(), STEPS.len());
    for name in [StepName::Tunnels, StepName::Reload, StepName::Redeployed, StepName::Behind] {
        assert!(tried(&report, name), "{name:?}");
    }
    assert_eq!(report.untried(), Untried::default());
}

/// What reloads it loses the gate: visitors meet a light, and the drill says where.
#[test]
fn a_proxy_whose_reload_opens_the_gate_does_not_pass() {
    let report = drilled(Kind::Nginx, |target, _| {
        let current = target.gate.join("current");
        let reload = format!(r#"["/bin/rm","{}"]"#, current.display());
        target.settings.insert("reload".to_owned(), reload);
    });
    let failed = report.failed().unwrap();
    assert_eq!(failed.name, StepName::Reload, "{failed:?}");
    assert!(failed.detail.ends_with("was lit by a reload"), "{failed:?}");
}

#[test]
fn a_proxy_without_a_program_that_reloads_it_is_not_tried_there() {
    let report = drilled(Kind::Haproxy, |_, _| ());
    assert!(report.passed(), "{:?}", report.failed());
    assert!(!tried(&report, StepName::Reload) && tried(&report, StepName::Tunnels));
    assert_eq!(report.untried(), Untried { reload: true, tunnels: false });
    let entry = report.entry().to_body().unwrap();
    assert!(entry.contains(r#""untried":["survives_reload"]"#), "{entry}");
    let report = drilled(Kind::Nginx, |target, _| {
        target.settings.insert("reload".to_owned(), r#"["/bin/false"]"#.to_owned());
    });
    let failed = report.failed().unwrap();
    assert_eq!(failed.name, StepName::Reload);
    assert!(failed.detail.contains("/bin/false"), "{failed:?}");
}

/// An unknown name that ends in a site which has nothing at its root was taken for refused.
#[test]
fn a_proxy_that_gives_unknown_names_to_a_site_does_not_pass_whatever_that_site_answers() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let site = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut lines = BufReader::new(stream);
            let mut head = String::new();
            while lines.read_line(&mut head).is_ok_and(|read| read > 2) {}
            let answer =
                b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            drop(lines.get_mut().write_all(answer));
        }
    });
    let report = drilled_as(
        Kind::Nginx,
        |text| {
            let open = format!("location / {{ proxy_pass http://{site}; }}");
            let changed = text.replacen("return 421;", &open, 1);
            assert_ne!(changed, text);
            changed
        },
        |_, _| (),
    );
    let failed = report.failed().unwrap();
    assert_eq!(failed.name, StepName::Hosts, "{failed:?}");
    assert!(failed.detail.ends_with(": 404"), "{failed:?}");
}

/// Goal: a drill asks over HTTP/2 where it is spoken, and names a listener under TLS that does not
/// speak it. Method: an nginx as we print it; one that is told not to; one that lets visitors past
/// its gate who speak it.
#[test]
fn a_drill_asks_over_http2_and_says_where_it_is_not_spoken() {
    let drilled = |change: fn(String) -> String| {
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let mut rig = Rig::start(&folder.path().join("rig"), Kind::Nginx, 1);
        let (address, certificates) = (exec::free_address().unwrap(), folder.path().join("tls"));
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../relight-edge/fixtures/tls");
        let read = |name: &str| fs::read_to_string(fixtures.join(name)).unwrap();
        fs::create_dir(&certificates).unwrap();
        for name in [CANARY_HOST, &host(0)] {
            let file = certificates.join(format!("{name}.pem"));
            fs::write(file, read("site.pem") + &read("key.pem")).unwrap();
        }
        rig.config.listen.push(address);
        rig.config.tls = Some(Secured { listeners: vec![address], certificates });
        rig.start_edge(change);
        let mut target = rig.target.clone();
        target.listeners.push(address);
        let ca = fixtures.join("ca.pem").display().to_string();
        let settings = [("tls", address.to_string()), ("ca", ca)];
        target.settings.extend(settings.map(|(name, value)| (name.to_owned(), value)));
        let store = Store::open(&folder.path().join("data")).unwrap();
        store.put_edge(&edges::to_row(&target).unwrap(), 1, "test").unwrap();
        let scope = DrillScope::canaries(&store, &["north".to_owned()]).unwrap();
        let pause = Duration::from_millis(20);
        let pace = Pace { clock, nonce: 7, pause, second: None, stop: None };
        let report = scope.edges()[0].run(&Ledger::new(1), &pace, &mut || Ok(()));
        let hosts = report.steps.iter().find(|step| step.name == StepName::Hosts).unwrap();
        (hosts.passed, hosts.detail.replace(&address.to_string(), "HERE"))
    };
    assert_eq!(drilled(|text| text), (true, String::new()));
    let without = drilled(|text| text.replace(" ssl http2", " ssl"));
    assert_eq!(without, (true, "http2-unspoken: HERE".to_owned()));
    let (is_passed, detail) = drilled(|text| {
        let sent = "set $relight_sent \"$server_protocol $http_host\";
  if ($relight_sent ~ \"^HTTP/2.0 .*[A-Z]\") { set $relight_gate \"\"; }";
        let unix = "if ($remote_addr = \"unix:\")";
        text.replace(unix, &format!("{sent}\n  {unix}"))
    });
    assert!(!is_passed && detail.ends_with("HERE: HTTP/2, upper case: 200"), "{detail}");
}
