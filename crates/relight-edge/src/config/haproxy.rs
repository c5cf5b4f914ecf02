//! HAProxy 2.6 or newer: one backend per site, named by its gate key, and the map gate of
//! INCIDENT 8.5 in the defaults that all of them share.

use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use super::partial::Gated as _;
use super::{
    CANARY_HOST, CANARY_KEY, EdgeConfig, MutualTls, ORIGIN_SERVER, SiteRoute, VERIFY_HEADER,
};
use crate::durable;
use crate::error::{EdgeError, EdgeErrorKind};

/// Name of the map file of the gate, in the folder of the edge.
pub const MAP_FILE: &str = "dark.map";
/// Name of the list of certificates, in the folder of the edge.
pub const CERTIFICATES: &str = "certificates.txt";
/// Name of the socket of the runtime API, in the folder of the edge.
pub const SOCKET: &str = "admin.sock";

/// The files of one HAProxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// `haproxy.cfg`.
    pub config: String,
    /// `hosts.map`: host name to backend.
    pub hosts: String,
    /// `certificates.txt`: the certificate of each name; empty without a listener under TLS.
    pub certificates: String,
}

impl Files {
    /// Writes the files into the folder of the edge. The map of the gate and the map of ACME
    /// tokens (`acme.map`: token, then key authorisation) are created empty when missing and never
    /// overwritten: what is dark stays dark.
    ///
    /// # Errors
    /// `Io` when a file cannot be written.
    pub fn write_into(&self, folder: &Path) -> Result<(), EdgeError> {
        let write = || {
            durable::create_folder(folder)?;
            durable::write(&folder.join("haproxy.cfg"), self.config.as_bytes())?;
            durable::write(&folder.join("hosts.map"), self.hosts.as_bytes())?;
            if !self.certificates.is_empty() {
                durable::write(&folder.join(CERTIFICATES), self.certificates.as_bytes())?;
            }
            for name in [MAP_FILE, "acme.map"] {
                if !fs::exists(folder.join(name))? {
                    durable::write(&folder.join(name), b"")?;
                }
            }
            Ok(())
        };
        write().map_err(EdgeError::io(format!("write the files of {}", folder.display())))
    }
}

/// Complete files for one HAProxy.
///
/// # Errors
/// `Refused` as for nginx, and for a key with `@`, which HAProxy does not take in a name.
pub fn haproxy(config: &EdgeConfig) -> Result<Files, EdgeError> {
    config.check()?;
    if let Some(site) = config.sites.iter().find(|site| site.key.as_str().contains('@')) {
        let doing = format!("name a backend {}", site.key);
        return Err(EdgeError::new(EdgeErrorKind::Refused, doing));
    }
    let mut text = head(config);
    let mut hosts = format!("{CANARY_HOST} {CANARY_KEY}\n");
    for site in &config.sites {
        let (key, upstream) = (&site.key, site.upstream);
        let _ =
            writeln!(text, "backend {key} from relight-site\n  server {ORIGIN_SERVER} {upstream}");
        for part in &site.partial {
            text.push_str(&gate(config, &part.gate(&site.key), &part.haproxy()));
        }
        for host in site.hosts() {
            let _ = writeln!(hosts, "{host} {key}");
        }
    }
    Ok(Files { config: text, hosts, certificates: certificates(config) })
}

/// The first one is shown for names that have none.
fn certificates(config: &EdgeConfig) -> String {
    let Some(tls) = &config.tls else { return String::new() };
    let line = |site: &SiteRoute| {
        let names = site.hosts().collect::<Vec<_>>().join(" ");
        format!("{} {names}\n", tls.file(&site.host))
    };
    let lines: String = config.sites.iter().map(line).collect();
    let other = || format!("{}\n", tls.file(CANARY_HOST));
    if lines.is_empty() { other() } else { lines }
}

/// Everything before the first site. Names of our own backends are in upper case: no gate key is.
fn head(config: &EdgeConfig) -> String {
    let folder = config.folder.display();
    let bind = |address: &SocketAddr| match config.secured().contains(address) {
        true => format!("  bind {address} ssl crt-list {folder}/{CERTIFICATES} alpn h2,http/1.1\n"),
        false => format!("  bind {address}\n"),
    };
    let binds: String = config.listen.iter().map(bind).collect();
    let text = "content-type text/plain";
    let whole = gate(config, "%[be_name]", "");
    format!(
        r#"global
  maxconn 4000
  no strict-limits
  hard-stop-after 30s
  stats socket {folder}/{SOCKET} mode 600 level admin expose-fd listeners
defaults relight-base
  mode http
  retries 1
  timeout connect 2s
  timeout client 30s
  timeout server 30s
  timeout tunnel 1h
frontend RELIGHT from relight-base
{binds}  bind {verify} name verify{testers}
  http-request del-header {VERIFY_HEADER}
  http-request set-header {VERIFY_HEADER} 1 if {{ so_name verify }}
  http-request set-var(txn.h) req.hdr(host),host_only,lower,regsub(\.$,)
  use_backend RELIGHT_ACME if {{ path_reg ^/\.well-known/acme-challenge/[A-Za-z0-9_-]+$ }}
  use_backend %[var(txn.h),map_str({folder}/hosts.map,RELIGHT_NONE)]
  default_backend RELIGHT_NONE
backend RELIGHT_NONE from relight-base
  http-request return status 421 {text} string "misdirected request"
backend RELIGHT_ACME from relight-base
  http-request set-var(txn.token) path,field(4,/),map_str({folder}/acme.map)
  http-request return status 200 {text} lf-string %[var(txn.token)] if {{ var(txn.token) -m found }}
  http-request return status 404
defaults relight-site from relight-base
{whole}  http-response del-header X-Relight-Gate
backend {CANARY_KEY} from relight-site
  http-request return status 200 {text} string "relight canary"
"#,
        verify = match config.testers {
            None => format!("unix@{}", config.verify.display()),
            Some(_) => config.verify.display().to_string(),
        },
        testers = match &config.testers {
            None => {
                let group = config.verify_group.iter().map(|group| format!(" group {group}"));
                format!(" mode 660{}", group.collect::<String>())
            }
            Some(MutualTls { certificate, authorities }) => format!(
                " ssl crt {} ca-file {} verify required",
                certificate.display(),
                authorities.display()
            ),
        },
    )
}

/// The gate of one key: `%[be_name]` in what all sites share, the key itself for a part of a site.
fn gate(config: &EdgeConfig, key: &str, condition: &str) -> String {
    let (folder, hold) = (config.folder.display(), config.hold.display());
    let name = if condition.is_empty() { "be_name".to_owned() } else { format!("str({key})") };
    // Without a value for keys that are not there: most are not, and then nothing is compared.
    let closed = format!("{{ {name},map_str({folder}/{MAP_FILE}) -m str 1 }}");
    let dark = format!("{closed} !{{ so_name verify }} {condition}");
    let accept_json = "req.hdr(accept) -m sub application/json application/problem+json";
    let json = format!("content-type application/problem+json file {hold}/hold.json");
    let html = format!("content-type text/html file {hold}/hold.html");
    let headers = format!(
        "hdr Retry-After %[rand(600),add(3300)] hdr Cache-Control no-store hdr Vary Accept \
         hdr X-Relight-Gate \"dark=1; site={key}\""
    );
    format!(
        "  http-request return status 503 {json} {headers} if {dark} {{ {accept_json} }}
  http-request return status 503 {html} {headers} if {dark}
"
    )
}
