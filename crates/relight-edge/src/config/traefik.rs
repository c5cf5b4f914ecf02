//! Traefik: its static configuration, the routers of every site, and the list of hosts that the
//! driver reads. Written by the documentation and never run: see `Maturity::Experimental`.

use std::net::SocketAddr;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::{CANARY_HOST, CANARY_KEY, CANARY_PATH, EdgeConfig, SiteRoute, VERIFY_HEADER, refuse};
use crate::error::EdgeError;

/// Above the routers that hold sites dark: whoever verifies passes them.
const VERIFY_PRIORITY: u32 = 2_000_000;

/// The files of one Traefik; JSON is YAML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraefikFiles {
    /// `traefik.yml`, the static configuration.
    pub main: String,
    /// `sites.yml`, for the watched folder.
    pub sites: String,
    /// `hosts`: a host and its gate key on each line.
    pub hosts: String,
}

/// What the driver of this edge was told.
#[derive(Clone, Copy, Debug)]
pub struct TraefikPlaces<'a> {
    /// The watched folder, in which the driver writes `relight-dark.yml`.
    pub watched: &'a Path,
    /// Loopback address of the interface.
    pub api: SocketAddr,
    /// URL of the holding service.
    pub holding: &'a str,
}

/// Complete files for one Traefik. Its verification path is an entry point on loopback.
///
/// # Errors
/// `Refused` as for Apache.
pub fn traefik(config: &EdgeConfig, places: TraefikPlaces<'_>) -> Result<TraefikFiles, EdgeError> {
    let verify = config.check_with_loopback()?;
    if config.testers.is_some() {
        return refuse("for Traefik testers show no certificate".to_owned());
    }
    let mut points = Map::new();
    for (number, address) in config.listen.iter().enumerate() {
        points.insert(format!("public-{number}"), json!({"address": address.to_string()}));
    }
    points.insert("verify".to_owned(), json!({"address": verify.to_string()}));
    points.insert("interface".to_owned(), json!({"address": places.api.to_string()}));
    let watched = places.watched.display().to_string();
    let main = json!({
        "entryPoints": points,
        "providers": {"file": {"directory": watched, "watch": true}},
        "api": {},
    });
    let mut hosts = format!("{CANARY_HOST} {CANARY_KEY}\n");
    for site in &config.sites {
        hosts.extend(site.hosts().map(|host| format!("{host} {}\n", site.key)));
    }
    let sites = format!("{:#}\n", dynamic(config, places.holding));
    Ok(TraefikFiles { main: format!("{main:#}\n"), sites, hosts })
}

fn dynamic(config: &EdgeConfig, holding: &str) -> Value {
    let to = |url: String| json!({"loadBalancer": {"servers": [{"url": url}]}});
    let mut services = Map::from_iter([("holding".to_owned(), to(holding.to_owned()))]);
    let mut routers = Map::new();
    let interface = json!({"rule": "PathPrefix(`/api`)", "service": "api@internal",
        "entryPoints": ["interface"]});
    routers.insert("interface".to_owned(), interface);
    let canary = json!({"rule": format!("Host(`{CANARY_HOST}`)"), "service": "holding",
        "middlewares": ["canary"]});
    add(&mut routers, config, "canary", &canary);
    // Names that nobody serves end in the 421 of the holding service.
    let nobody = json!({"rule": "PathPrefix(`/`)", "priority": 1, "service": "holding"});
    add(&mut routers, config, "nobody", &nobody);
    for site in &config.sites {
        let (name, rule) = (format!("site-{}", site.key), rule(site));
        services.insert(name.clone(), to(format!("http://{}", site.upstream)));
        let public = json!({"rule": rule, "service": name, "middlewares": ["visitor"]});
        add(&mut routers, config, &name, &public);
        let verify = json!({"rule": rule, "service": name, "middlewares": ["tester"],
            "priority": VERIFY_PRIORITY, "entryPoints": ["verify"]});
        routers.insert(format!("verify-{}", site.key), verify);
    }
    let mut document = json!({"http": {
        "routers": routers, "services": services, "middlewares": middlewares(config),
    }});
    if let Some(tls) = &config.tls {
        let file = |site: &SiteRoute| {
            let file = tls.file(&site.host);
            json!({"certFile": file, "keyFile": file})
        };
        document["tls"] =
            json!({"certificates": config.sites.iter().map(file).collect::<Vec<_>>()});
    }
    document
}

/// A router on the public entry points, once in plain text and once under TLS, as there are any.
fn add(routers: &mut Map<String, Value>, config: &EdgeConfig, name: &str, router: &Value) {
    let secured = config.secured();
    for (is_secured, suffix) in [(false, ""), (true, "-tls")] {
        let here = |it: &(usize, &SocketAddr)| secured.contains(it.1) == is_secured;
        let points = config.listen.iter().enumerate().filter(here);
        let points: Vec<String> = points.map(|(number, _)| format!("public-{number}")).collect();
        if points.is_empty() {
            continue;
        }
        let mut router = router.clone();
        router["entryPoints"] = json!(points);
        if is_secured {
            router["tls"] = json!({});
        }
        routers.insert(format!("{name}{suffix}"), router);
    }
}

fn rule(site: &SiteRoute) -> String {
    site.hosts().map(|host| format!("Host(`{host}`)")).collect::<Vec<_>>().join(" || ")
}

/// An empty value takes a header away.
fn middlewares(config: &EdgeConfig) -> Value {
    let gate = json!({"X-Relight-Gate": ""});
    let mut visitor = json!({(VERIFY_HEADER): ""});
    if !config.upgrades {
        (visitor["Connection"], visitor["Upgrade"]) = (json!(""), json!(""));
    }
    let headers = |request: Value| {
        let both = json!({"customRequestHeaders": request, "customResponseHeaders": gate});
        json!({ "headers": both })
    };
    json!({
        "visitor": headers(visitor),
        "tester": headers(json!({(VERIFY_HEADER): "1"})),
        "canary": {"replacePath": {"path": CANARY_PATH}},
    })
}
