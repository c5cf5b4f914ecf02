//! The nginx that holds sites dark for edges that only route: what it shows for each name.

use std::time::Duration;

use relight_edge::config::{self, CANARY_HOST, CANARY_KEY, CANARY_PATH, EdgeConfig, SiteRoute};
use relight_edge::{ProbeTarget, Prober, exec, holding_page};
use relight_model::{GateKey, Seen};

use crate::support::{host, key, visitor};

#[test]
fn a_holding_service_is_dark_for_every_site_and_for_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let (listen, hold) = (exec::free_address().unwrap(), folder.path().join("hold"));
    holding_page::write(&hold, b"<p>hors ligne / offline", b"{}").unwrap();
    let site = |n: usize| SiteRoute {
        key: key(n),
        host: host(n),
        aliases: vec![format!("www.{}", host(n))],
        upstream: listen,
        partial: Vec::new(),
    };
    let config = EdgeConfig {
        folder: folder.path().join("edge"),
        gate: folder.path().join("gate"),
        hold: hold.clone(),
        acme: folder.path().join("acme"),
        listen: vec![listen],
        verify: "127.0.0.1:1".into(),
        testers: None,
        user: exec::worker_user(),
        upgrades: true,
        tls: None,
        sites: (0..3_000).map(site).collect(),
    };
    let service = config::Holding { listen, folder: &config.folder, hold: &hold };
    let text = config::holding(&config, service).unwrap();
    let text = match &config.user {
        Some(user) => format!("user {user};\n{text}"),
        None => text,
    };
    let wait = Duration::from_secs(30);
    let _running = exec::start_nginx(&config.folder, &text, &[listen], wait).unwrap();
    let canary = GateKey::new(CANARY_KEY).unwrap();
    let target = |key: GateKey, host: &str| {
        let host = host.to_owned();
        ProbeTarget::site(key, host, None)
    };
    let alias = format!("www.{}", host(2_999));
    let targets = [
        target(key(0), &host(0)),
        target(key(2_999), &alias),
        target(canary, CANARY_HOST),
        target(key(1), &host(0)),
        target(key(0), "nobody.example"),
    ];
    let seen: Vec<Seen> =
        Prober::new(listen).probe(&targets, 1).iter().map(|result| result.seen).collect();
    assert_eq!(seen, [Seen::Dark, Seen::Dark, Seen::Dark, Seen::Unknown, Seen::Unknown]);
    let ask = |method: &str, host: &str, uri: &str| {
        let answer = visitor(listen).unwrap().request(method, host, uri, &[]).unwrap();
        (answer.status, answer.header("x-relight-gate").is_some())
    };
    assert_eq!(ask("GET", CANARY_HOST, CANARY_PATH), (200, false), "the lit canary");
    assert_eq!(ask("GET", &host(0), CANARY_PATH), (503, true), "of nobody else");
    assert_eq!(ask("POST", &host(0), "/"), (503, true));
    assert_eq!(ask("GET", "nobody.example", "/").0, 421);
}
