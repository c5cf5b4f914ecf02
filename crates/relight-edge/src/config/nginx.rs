//! nginx: one server block per site, each with the file gate of INCIDENT 8.5.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use relight_model::SitePart;

use super::partial::{self, Gated as _};
use super::{
    CANARY_HOST, CANARY_KEY, EdgeConfig, MutualTls, RETRY_SECONDS, SiteRoute, VERIFY_HEADER,
};
use crate::error::EdgeError;
use crate::holding_page::OF_SITES;

/// Connections of one worker.
const WORKER_CONNECTIONS: usize = 4096;

/// A complete `nginx.conf`; it runs in the foreground and touches nothing outside its folder.
///
/// # Errors
/// `Refused` when a key or a host name is used twice, or a name or path cannot be written as it is.
pub fn nginx(config: &EdgeConfig) -> Result<String, EdgeError> {
    config.check()?;
    let mut text = main(config);
    let mut upstreams: Vec<_> = config.sites.iter().map(|site| site.upstream).collect();
    upstreams.sort();
    upstreams.dedup();
    for upstream in upstreams {
        // Connections to origins are kept: one each time would use up the local ports.
        let name = upstream_name(&upstream);
        let _ = writeln!(text, "upstream {name} {{ server {upstream}; keepalive 16; }}");
    }
    let listen = listen(config, "");
    let canary = "default_type text/plain;\n    return 200 \"relight canary\\n\";";
    let head = format!("{listen}{}", certificate(config.other_certificate()));
    server(&mut text, config, &head, (CANARY_KEY, CANARY_HOST), "", canary);
    for site in &config.sites {
        let names = site.hosts().collect::<Vec<_>>().join(" ");
        let upstream = upstream_name(&site.upstream);
        let proxy = format!("proxy_pass http://{upstream};");
        let parts: String = site.partial.iter().map(|part| gate_of(part, site, config)).collect();
        let file = config.tls.as_ref().map(|tls| tls.file(&site.host));
        let head = format!("{listen}{}", certificate(file));
        server(&mut text, config, &head, (site.key.as_str(), &names), &parts, &proxy);
    }
    text.push_str("}\n");
    Ok(text)
}

fn upstream_name(upstream: &std::net::SocketAddr) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    format!("origin_{}", upstream.to_string().chars().map(plain).collect::<String>())
}

fn listen(config: &EdgeConfig, suffix: &str) -> String {
    let mut text = String::new();
    for address in &config.listen {
        let ssl = if config.secured().contains(address) { " ssl http2" } else { "" };
        let _ = writeln!(text, "  listen {address}{ssl}{suffix};");
    }
    let _ = writeln!(text, "  listen unix:{}{suffix};", socket(config).display());
    text
}

/// The socket behind which the gate is not asked: that of testers, or one in the folder of the edge
/// to which nginx hands what testers with a certificate ask for. nginx opens it to everybody: who
/// may enter the folder passes the gate.
fn socket(config: &EdgeConfig) -> PathBuf {
    match config.testers {
        None => config.verify.clone(),
        Some(_) => config.folder.join("verify.sock"),
    }
}

/// Where testers show a certificate: nginx hands what they ask for to its own socket, because a
/// server that wants certificates refuses names that differ from the one that hands were shaken
/// for.
fn testers(config: &EdgeConfig) -> String {
    let Some(MutualTls { certificate, authorities }) = &config.testers else {
        return String::new();
    };
    format!(
        "server {{
  listen {verify} ssl default_server;
{shown}  ssl_client_certificate {authorities};
  ssl_verify_client on;
  location / {{ proxy_pass http://unix:{socket}:; }}
}}
",
        verify = config.verify.display(),
        shown = self::certificate(Some(certificate.display().to_string())),
        authorities = authorities.display(),
        socket = socket(config).display(),
    )
}

/// Chain and key from one file.
fn certificate(file: Option<String>) -> String {
    let lines = |file| format!("  ssl_certificate {file};\n  ssl_certificate_key {file};\n");
    file.map(lines).unwrap_or_default()
}

/// What is passed on of a wish for an upgrade.
fn upgrades(config: &EdgeConfig) -> &'static str {
    if config.upgrades {
        "map $http_upgrade $relight_connection { default upgrade; \"\" \"\"; }
proxy_set_header Upgrade $http_upgrade;
proxy_set_header Connection $relight_connection;
"
    } else {
        "proxy_set_header Upgrade \"\";\nproxy_set_header Connection \"\";\n"
    }
}

/// The gate of a part, after the one of the whole site, which wins.
fn gate_of(part: &SitePart, site: &SiteRoute, config: &EdgeConfig) -> String {
    let (gate, key) = (config.gate.display(), part.gate(&site.key));
    format!(
        "  set $relight_part \"\";
  if ({}) {{ set $relight_part {key}; }}
  if ($relight_gate) {{ set $relight_part \"\"; }}
  if (-f {gate}/current/$relight_part) {{ set $relight_gate 1; set $relight_site {key}; }}
",
        part.nginx()
    )
}

/// Everything before the first site. Hashes of names are sized for the list: nginx refuses to
/// start when its defaults are too small.
fn main(config: &EdgeConfig) -> String {
    let names = config.sites.iter().flat_map(|site| site.hosts());
    let (count, longest) = names.fold((1, CANARY_HOST.len()), |(count, longest), host| {
        (count + 1, longest.max(host.len()))
    });
    let hash_max = (2_usize * count).next_power_of_two().max(1024);
    let bucket = (longest + 32).next_power_of_two().max(128);
    let user = config.user.as_ref().map(|user| format!("user {user};\n")).unwrap_or_default();
    let folder = config.folder.display();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {folder}/temp_{name};\n"))
        .concat();
    format!(
        r#"{user}daemon off;
worker_processes auto;
worker_rlimit_nofile {files};
worker_shutdown_timeout 30s;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections {WORKER_CONNECTIONS}; }}
http {{
{temporary}access_log off;
server_tokens off;
server_names_hash_max_size {hash_max};
server_names_hash_bucket_size {bucket};
keepalive_requests 100000;
{maps}map $remote_addr $relight_verify {{ default ""; "unix:" 1; }}
{internet}proxy_http_version 1.1;
proxy_hide_header X-Relight-Gate;
proxy_set_header Host $host;
{upgrades}proxy_set_header {VERIFY_HEADER} $relight_verify;
server {{
{default}{reject}  return 421;
}}
{testers}"#,
        testers = testers(config),
        files = 2 * WORKER_CONNECTIONS + 512,
        maps = maps(),
        internet = partial::nginx_internet(),
        upgrades = upgrades(config),
        default = listen(config, " default_server"),
        // Nobody has a certificate for names that nobody serves.
        reject = if config.tls.is_some() { "  ssl_reject_handshake on;\n" } else { "" },
    )
}

/// What the holding page of a request depends on: when to come again, and in which form.
pub(super) fn maps() -> String {
    let [rest @ .., last] = RETRY_SECONDS;
    let lines: String = rest.iter().map(|seconds| format!("  9% {seconds};\n")).collect();
    format!(
        r#"split_clients "$remote_addr$request_id" $relight_retry {{
{lines}  * {last};
}}
map $http_accept $relight_ext {{
  default html;
  "~*application/(problem\+)?json" json;
}}
"#
    )
}

/// The holding page, with the marker of the gate.
pub(super) fn dark_location(hold: &Path, gate: &str) -> String {
    let hold = hold.display();
    format!(
        r#"  location @relight_dark {{
    root {hold};
    add_header Retry-After $relight_retry always;
    add_header Cache-Control no-store always;
    add_header Vary Accept always;
    add_header X-Relight-Gate "dark={gate}; site=$relight_site" always;
    if ($request_method !~ ^(GET|HEAD)$) {{ return 503; }}
    types {{ text/html html; application/problem+json json; }}
    if (-f {hold}/{OF_SITES}/$relight_site.$relight_ext) {{
      rewrite ^ /{OF_SITES}/$relight_site.$relight_ext break;
    }}
    rewrite ^ /hold.$relight_ext break;
  }}
"#
    )
}

/// One site. `return` in the server runs before any location, hence the exception for ACME among
/// the conditions; a static file would answer POST with 405, hence the bare 503.
fn server(
    text: &mut String,
    config: &EdgeConfig,
    listen: &str,
    (key, names): (&str, &str),
    parts: &str,
    answer: &str,
) {
    let (gate, acme) = (config.gate.display(), config.acme.display());
    let dark = dark_location(&config.hold, "$relight_gate");
    let _ = writeln!(
        text,
        r#"server {{
{listen}  server_name {names};
  set $relight_site {key};
  set $relight_gate "";
  if (-f {gate}/current/$relight_site) {{ set $relight_gate 1; }}
{parts}  if ($uri ~ ^/\.well-known/acme-challenge/[A-Za-z0-9_-]+$) {{ set $relight_gate ""; }}
  if ($remote_addr = "unix:") {{ set $relight_gate ""; }}
  if ($relight_gate) {{ return 503; }}
  location ^~ /.well-known/acme-challenge/ {{
    root {acme};
    default_type text/plain;
    try_files $uri =404;
  }}
  error_page 503 @relight_dark;
{dark}  location / {{
    {answer}
  }}
}}"#
    );
}
