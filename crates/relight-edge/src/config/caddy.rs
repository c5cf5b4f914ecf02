//! Caddy 2.6: the file gate of INCIDENT 8.5 as native JSON, once with the gate and once without
//! it, on a unix socket, for verification.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::partial::Gated as _;
use super::{
    CANARY_HOST, CANARY_KEY, EdgeConfig, MutualTls, RETRY_SECONDS, Secured, SiteRoute,
    VERIFY_HEADER,
};
use crate::error::EdgeError;

/// Name of the socket of the admin interface, in the folder of the edge. We only read it: on
/// 2.6.2 a change through it panicked, reset connections and closed tunnels.
pub const CADDY_ADMIN: &str = "caddy-admin.sock";
/// Tag of the certificate of the verification path.
const TESTERS: &str = "relight-testers";
/// Most sites behind one route: thousands of top-level routes cost 24 ms a request.
const GROUP_SITES_MAX: usize = 64;
/// A token of ACME, answered by the edge and never proxied.
const ACME_TOKEN: &str = r"^/\.well-known/acme-challenge/[A-Za-z0-9_-]+$";

/// A complete `caddy.json`; Caddy keeps everything in its folder.
///
/// # Errors
/// `Refused` as for nginx.
pub fn caddy(config: &EdgeConfig) -> Result<String, EdgeError> {
    config.check()?;
    let folder = config.folder.display();
    let addresses = |list: &[SocketAddr]| list.iter().map(ToString::to_string).collect();
    let verify = match config.testers {
        None => format!("unix/{}", config.verify.display()),
        Some(_) => config.verify.display().to_string(),
    };
    let server = |listen: Vec<String>, gated: bool| {
        json!({
            "listen": listen,
            "automatic_https": {"disable": true},
            "routes": routes(config, gated),
            "errors": {"routes": [holding(config)]},
        })
    };
    let mut servers = json!({"verify": server(vec![verify], false)});
    if !config.plain().is_empty() {
        servers["relight"] = server(addresses(&config.plain()), true);
    }
    let mut apps = json!({});
    if let Some(tls) = &config.tls {
        servers["relight_tls"] = server(addresses(&tls.listeners), true);
        servers["relight_tls"]["tls_connection_policies"] = policies();
        apps["tls"] = certificates(config, tls);
    }
    if let Some(testers) = &config.testers {
        servers["verify"]["tls_connection_policies"] = json!([mutual(testers)]);
        // Names are asked for under one certificate, that of the address.
        servers["verify"]["strict_sni_host"] = json!(false);
        servers["verify"]["protocols"] = json!(["h1"]);
        let file = testers.certificate.display().to_string();
        let shown = json!({"certificate": file, "key": file, "tags": [TESTERS]});
        let files = &mut apps["tls"]["certificates"]["load_files"];
        match files.as_array_mut() {
            Some(files) => files.push(shown),
            None => *files = json!([shown]),
        }
    }
    apps["http"] = json!({"grace_period": "30s", "servers": servers});
    let document = json!({
        "admin": {"listen": format!("unix/{folder}/{CADDY_ADMIN}"), "config": {"persist": false}},
        "logging": {"logs": {"default": {
            "writer": {"output": "file", "filename": format!("{folder}/error.log")},
            "level": "ERROR",
        }}},
        "storage": {"module": "file_system", "root": format!("{folder}/storage")},
        "apps": apps,
    });
    serde_json::to_string_pretty(&document).map_err(|error| {
        let doing = format!("write the configuration of {folder}: {error}");
        EdgeError::new(crate::error::EdgeErrorKind::Refused, doing)
    })
}

/// The certificates, from files. The canary has a name that none of them is for: of all of them it
/// shows one, because visitors never ask for it.
fn certificates(config: &EdgeConfig, tls: &Secured) -> Value {
    let file = |name: &str| {
        let file = tls.file(name);
        json!({"certificate": file, "key": file, "tags": [name]})
    };
    let mut files: Vec<Value> = config.sites.iter().map(|site| file(&site.host)).collect();
    if files.is_empty() {
        files.push(file(CANARY_HOST));
    }
    json!({"certificates": {"load_files": files}})
}

/// Every tester shows a certificate of our authorities.
fn mutual(testers: &MutualTls) -> Value {
    json!({
        "certificate_selection": {"any_tag": [TESTERS]},
        "client_authentication": {
            "mode": "require_and_verify",
            "trusted_ca_certs_pem_files": [testers.authorities.display().to_string()],
        },
    })
}

fn policies() -> Value {
    let any = json!({"serial_number": []});
    json!([
        {"match": {"sni": [CANARY_HOST]}, "certificate_selection": any},
        {},
    ])
}

/// Groups of sites by host, and 421 for every other name: without a last route Caddy answers an
/// empty 200.
fn routes(config: &EdgeConfig, gated: bool) -> Vec<Value> {
    let text = json!({"Content-Type": ["text/plain"]});
    let canary = json!({
        "handler": "static_response", "status_code": 200, "headers": text,
        "body": "relight canary\n",
    });
    let acme = json!({
        "match": [{"path_regexp": {"pattern": ACME_TOKEN}}],
        "handle": [{"handler": "file_server", "root": config.acme.display().to_string()}],
        "terminal": true,
    });
    let canary = site(config, &[CANARY_HOST], CANARY_KEY, &[], canary, gated);
    let mut routes = vec![acme, canary];
    for group in config.sites.chunks(GROUP_SITES_MAX) {
        let hosts: Vec<&str> = group.iter().flat_map(SiteRoute::hosts).collect();
        let inner: Vec<Value> = group.iter().map(|route| proxied(config, route, gated)).collect();
        routes.push(json!({
            "match": [{"host": hosts}],
            "handle": [{"handler": "subroute", "routes": inner}],
            "terminal": true,
        }));
    }
    routes.push(json!({"handle": [{
        "handler": "static_response", "status_code": 421, "headers": text,
        "body": "misdirected request\n",
    }]}));
    routes
}

fn proxied(config: &EdgeConfig, route: &SiteRoute, gated: bool) -> Value {
    let mut request = if gated {
        json!({"delete": [VERIFY_HEADER]})
    } else {
        json!({"set": {VERIFY_HEADER: ["1"]}, "delete": []})
    };
    if let (false, Some(deleted)) = (config.upgrades, request["delete"].as_array_mut()) {
        deleted.extend([json!("Connection"), json!("Upgrade")]);
    }
    let proxy = json!({
        "handler": "reverse_proxy",
        "upstreams": [{"dial": route.upstream.to_string()}],
        "headers": {"request": request, "response": {"delete": ["X-Relight-Gate"]}},
    });
    let hosts: Vec<&str> = route.hosts().collect();
    let parts: Vec<(Value, String)> =
        route.partial.iter().map(|part| (part.caddy(), part.gate(&route.key))).collect();
    site(config, &hosts, route.key.as_str(), &parts, proxy, gated)
}

/// One site: its gates, then what it is.
fn site(
    config: &EdgeConfig,
    hosts: &[&str],
    key: &str,
    parts: &[(Value, String)],
    answer: Value,
    gated: bool,
) -> Value {
    let mut routes = Vec::new();
    if gated {
        routes.push(gate(config, key, None));
        routes.extend(parts.iter().map(|(part, key)| gate(config, key, Some(part))));
    }
    routes.push(json!({"handle": [answer]}));
    json!({
        "match": [{"host": hosts}],
        "handle": [{"handler": "subroute", "routes": routes}],
        "terminal": true,
    })
}

/// The gate of one key: a literal name, never one made from what a client sent. The page is
/// written once for all sites, where Caddy handles errors: with a page in each site, 4,000 sites
/// took 2.6 times as long to start.
fn gate(config: &EdgeConfig, key: &str, part: Option<&Value>) -> Value {
    let mut matcher = part.cloned().unwrap_or_else(|| json!({}));
    matcher["file"] = json!({
        "root": config.gate.join("current").display().to_string(),
        "try_files": [format!("/{key}")],
    });
    json!({
        "match": [matcher],
        "handle": [
            {"handler": "vars", "relight_key": key, "relight_retry": retry(key).to_string()},
            {"handler": "error", "status_code": 503},
        ],
        "terminal": true,
    })
}

/// The answer of every gate; other errors have no key and stay as they are. A file server answers
/// POST with 405, hence the bare 503 for all but GET and HEAD.
fn holding(config: &EdgeConfig) -> Value {
    let headers = json!({
        "Retry-After": ["{http.vars.relight_retry}"],
        "Cache-Control": ["no-store"],
        "Vary": ["Accept"],
        "X-Relight-Gate": ["dark=1; site={http.vars.relight_key}"],
    });
    let hold = config.hold.display().to_string();
    let page = |name: &str, content_type: &str| {
        json!([
            {"handler": "headers", "response": {"set": {"Content-Type": [content_type]}}},
            {"handler": "rewrite", "uri": format!("/{name}")},
            {"handler": "file_server", "root": hold, "status_code": "503"},
        ])
    };
    let pages = json!([
        {
            "match": [{"not": [{"method": ["GET", "HEAD"]}]}],
            "handle": [{"handler": "static_response", "status_code": 503}],
            "terminal": true,
        },
        {
            "match": [{"header_regexp": {"Accept": {"pattern": r"application/(problem\+)?json"}}}],
            "handle": page("hold.json", "application/problem+json"),
            "terminal": true,
        },
        {"handle": page("hold.html", "text/html")},
    ]);
    // The name of a variable is matched as well as its value: `relight_key` would match itself.
    let closed = json!({"{http.vars.relight_key}": {"pattern": "^[a-z0-9]"}});
    json!({
        "match": [{"vars_regexp": closed}],
        "handle": [
            {"handler": "headers", "response": {"set": headers}},
            {"handler": "subroute", "routes": pages},
        ],
        "terminal": true,
    })
}

/// Caddy cannot draw a number for each answer, so each site has one of its own.
fn retry(key: &str) -> u32 {
    let sum = key.bytes().fold(7_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    RETRY_SECONDS[sum as usize % RETRY_SECONDS.len()]
}
