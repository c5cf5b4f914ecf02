//! The nginx that holds sites dark for edges that only route: what it shows for each name.

use std::net::SocketAddr;
use std::path::Path;
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
        verify_group: None,
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
    shows_own_pages(listen, &hold);
    assert_eq!(ask("GET", &host(0), "/"), (503, true), "with the marker of its gate");
}

/// A site that says how else it is reached has a page of its own, as soon as it is written.
fn shows_own_pages(listen: SocketAddr, hold: &Path) {
    let own = ("<p>1 800".to_owned(), "{\"own\":1}".to_owned());
    holding_page::write_of(hold, &[(key(0), own)].into()).unwrap();
    let body = |method: &str, host: &str, accept: &str| {
        let fields = [("Accept", accept)];
        let answer = visitor(listen).unwrap().request(method, host, "/a", &fields).unwrap();
        let kind = answer.header("content-type").map(str::to_owned).unwrap_or_default();
        (answer.status, kind, String::from_utf8_lossy(&answer.body).into_owned())
    };
    let (html, json) = ("text/html", "application/problem+json");
    let told = |kind: &str, text: &str| (503, kind.to_owned(), text.to_owned());
    assert_eq!(body("GET", &host(0), "*/*"), told(html, "<p>1 800"));
    assert_eq!(body("GET", &format!("www.{}", host(0)), json), told(json, "{\"own\":1}"));
    assert_eq!(body("GET", &host(1), "*/*"), told(html, "<p>hors ligne / offline"));
    assert_eq!(body("GET", &host(1), json), told(json, "{}"));
}
