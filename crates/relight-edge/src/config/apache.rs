//! Apache httpd 2.4: one virtual host per site, each with the map gate of INCIDENT 8.5, and the
//! same sites once more, without it, on a loopback listener for verification.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;

use super::partial::Gated as _;
use super::{
    CANARY_HOST, CANARY_KEY, EdgeConfig, MutualTls, RETRY_SECONDS, SiteRoute, VERIFY_HEADER,
};
use crate::drivers::APACHE_MAP;
use crate::durable;
use crate::error::EdgeError;

/// Modules that the gate and the proxy need; most of Debian's own are not loaded.
const MODULES: [&str; 7] =
    ["mpm_event", "authz_core", "alias", "headers", "rewrite", "proxy", "proxy_http"];
/// What the canary answers when it is lit: the text of `canary.txt`.
pub const CANARY_TEXT: &str = "relight canary\n";
/// Where Debian keeps them.
const MODULES_FOLDER: &str = "/usr/lib/apache2/modules";

/// What does not depend on the edge.
const SETTINGS: &str = "\
ServerName relight-none.invalid
ServerTokens Prod
UseCanonicalName On
StartServers 2
ServerLimit 8
ThreadsPerChild 64
MaxRequestWorkers 512
MaxConnectionsPerChild 0
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 60
GracefulShutdownTimeout 30
TraceEnable Off
ProxyPreserveHost On
ProxyTimeout 30
<Directory />
  AllowOverride None
  Require all denied
</Directory>
";
/// Headers hang on the redirect of our own gate: a condition on status 503 would mark the origin's
/// own errors as well.
const HEADERS: &str = r#"ErrorDocument 503 /.relight/hold.html
Header unset X-Relight-Gate
Header always unset X-Relight-Gate
Header always set Retry-After "%{REDIRECT_RELIGHT_RETRY}e" env=REDIRECT_RELIGHT_GATE
Header always set Cache-Control no-store env=REDIRECT_RELIGHT_GATE
Header always set Vary Accept env=REDIRECT_RELIGHT_GATE
Header always set X-Relight-Gate "dark=1; site=%{REDIRECT_RELIGHT_KEY}e" env=REDIRECT_RELIGHT_GATE
"#;

/// The files of one Apache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApacheFiles {
    /// `apache.conf`.
    pub config: String,
    /// `retry.txt`: the values of `Retry-After`, drawn for each answer.
    pub retry: String,
}

impl ApacheFiles {
    /// Writes the files into the folder of the edge.
    ///
    /// # Errors
    /// `Io` when a file cannot be written.
    pub fn write_into(&self, folder: &Path) -> Result<(), EdgeError> {
        let write = || {
            durable::create_folder(folder)?;
            durable::write(&folder.join("apache.conf"), self.config.as_bytes())?;
            durable::write(&folder.join("retry.txt"), self.retry.as_bytes())?;
            durable::write(&folder.join("canary.txt"), CANARY_TEXT.as_bytes())
        };
        write().map_err(EdgeError::io(format!("write the files of {}", folder.display())))
    }
}

/// Complete files for one Apache that runs in the foreground and touches nothing outside its
/// folder. Its verification path is a loopback listener (`verify` holds an address), because
/// Apache cannot listen on a unix socket: whoever has an account on that machine can use it, unless
/// testers have to show a certificate.
///
/// # Errors
/// `Refused` as for nginx, and when `verify` is no loopback address.
pub fn apache(config: &EdgeConfig) -> Result<ApacheFiles, EdgeError> {
    let verify = config.check_with_loopback()?;
    let mut text = head(config, verify);
    let verify_only = [(verify.to_string(), testers(config))];
    let other = config.other_certificate();
    for (listen, ssl) in listeners(config, other.as_deref()).iter().chain(&verify_only) {
        // The first virtual host of a listener gets every name that no other has.
        let _ = writeln!(
            text,
            "<VirtualHost {listen}>\n{ssl}  ServerName relight-none.invalid\n  RewriteEngine On\n  \
             RewriteRule ^ - [R=421,L]\n</VirtualHost>"
        );
    }
    let folder = config.folder.display();
    let canary = Block {
        names: format!("  ServerName {CANARY_HOST}\n"),
        key: CANARY_KEY,
        gates: Vec::new(),
        answer: format!("  AliasMatch ^ {folder}/canary.txt\n"),
        certificate: other,
    };
    let sites = config.sites.iter().map(|site| Block::of(site, config));
    for block in std::iter::once(canary).chain(sites) {
        block.write(&mut text, config, verify);
    }
    let retry = RETRY_SECONDS.map(|seconds| seconds.to_string()).join("|");
    Ok(ApacheFiles { config: text, retry: format!("retry {retry}\n") })
}

/// The public listeners as virtual hosts name them, and what makes those under TLS speak it: all in
/// plain text together, all others together.
fn listeners(config: &EdgeConfig, certificate: Option<&str>) -> Vec<(String, String)> {
    let together = |addresses: &[SocketAddr]| {
        addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    let ssl = certificate.map(|file| {
        format!("  SSLEngine On\n  SSLCertificateFile {file}\n  Protocols h2 http/1.1\n")
    });
    let secured = (together(config.secured()), ssl.unwrap_or_default());
    let all = [(together(&config.plain()), String::new()), secured];
    all.into_iter().filter(|(addresses, _)| !addresses.is_empty()).collect()
}

/// What makes the listener for verification ask for the certificate of a tester. HTTP/1.1 alone:
/// an answer to one name says nothing about the next one.
fn testers(config: &EdgeConfig) -> String {
    let Some(MutualTls { certificate, authorities }) = &config.testers else {
        return String::new();
    };
    format!(
        "  SSLEngine On\n  SSLCertificateFile {}\n  SSLCACertificateFile {}\n  \
         SSLVerifyClient require\n  Protocols http/1.1\n",
        certificate.display(),
        authorities.display()
    )
}

/// One site as virtual hosts: in plain text, under TLS, and for verification.
struct Block<'a> {
    names: String,
    key: &'a str,
    /// Condition and key of each partial gate.
    gates: Vec<(String, String)>,
    answer: String,
    /// What it shows under TLS.
    certificate: Option<String>,
}

impl<'a> Block<'a> {
    fn of(site: &'a SiteRoute, config: &EdgeConfig) -> Self {
        let mut names = format!("  ServerName {}\n", site.host);
        for alias in &site.aliases {
            let _ = writeln!(names, "  ServerAlias {alias}");
        }
        let upstream = site.upstream;
        let upgrade = if config.upgrades { "upgrade=ANY " } else { "" };
        let answer = format!(
            "  ProxyPass /.relight/ !\n  ProxyPass /.well-known/acme-challenge/ !\n  \
             ProxyPass / http://{upstream}/ {upgrade}retry=0 ttl=20\n"
        );
        let gates = site.partial.iter().map(|part| (part.apache(), part.gate(&site.key)));
        let certificate = config.tls.as_ref().map(|tls| tls.file(&site.host));
        Self { names, key: site.key.as_str(), gates: gates.collect(), answer, certificate }
    }

    fn write(&self, text: &mut String, config: &EdgeConfig, verify: SocketAddr) {
        let Self { names, key, answer, .. } = self;
        let map = format!("txt:{}/{APACHE_MAP}", config.gate.display());
        let retry = format!("rnd:{}/retry.txt", config.folder.display());
        let mut gates = self.gate("", key);
        for (condition, key) in &self.gates {
            gates.push_str(&self.gate(condition, key));
        }
        for (public, ssl) in listeners(config, self.certificate.as_deref()) {
            let _ = writeln!(
                text,
                r#"<VirtualHost {public}>
{ssl}{names}  RewriteEngine On
  RewriteMap relight_dark "{map}"
  RewriteMap relight_retry "{retry}"
  RewriteCond %{{ENV:REDIRECT_RELIGHT_GATE}} =1
  RewriteCond %{{HTTP_ACCEPT}} "application/(problem\+)?json" [NC]
  RewriteRule ^/\.relight/hold\.html$ /.relight/hold.json [PT,L]
{gates}{answer}</VirtualHost>"#
            );
        }
        let _ = writeln!(
            text,
            "<VirtualHost {verify}>\n{ssl}{names}  RequestHeader set {VERIFY_HEADER} 1\n\
             {answer}</VirtualHost>",
            ssl = testers(config),
        );
    }

    /// A literal key: a `Define` inside `${map:...}` is not expanded, and the gate never fires.
    fn gate(&self, condition: &str, key: &str) -> String {
        let retry = "E=RELIGHT_RETRY:${relight_retry:retry|3600}";
        format!(
            r"  RewriteCond %{{ENV:REDIRECT_RELIGHT_GATE}} !=1
  RewriteCond %{{REQUEST_URI}} !^/\.well-known/acme-challenge/[A-Za-z0-9_-]+$
{condition}  RewriteCond ${{relight_dark:{key}|0}} =1
  RewriteRule ^ - [R=503,L,E=RELIGHT_GATE:1,E=RELIGHT_KEY:{key},{retry}]
"
        )
    }
}

/// Everything before the first virtual host.
fn head(config: &EdgeConfig, verify: SocketAddr) -> String {
    let (folder, hold, acme) =
        (config.folder.display(), config.hold.display(), config.acme.display());
    let has_ssl = config.tls.is_some() || config.testers.is_some();
    let modules: String = MODULES
        .iter()
        .chain(has_ssl.then_some(&"ssl"))
        .chain(config.tls.is_some().then_some(&"http2"))
        .map(|name| {
            let file = format!("{MODULES_FOLDER}/mod_{name}.so");
            format!("<IfModule !{name}_module>\n  LoadModule {name}_module {file}\n</IfModule>\n")
        })
        .collect();
    let user = config.user.as_ref().map(|user| format!("User {user}\nGroup {user}\n"));
    let listen: String = config
        .listen
        .iter()
        .chain([&verify])
        .map(|address| format!("Listen {address}\n"))
        .collect();
    format!(
        r#"ServerRoot {folder}
DefaultRuntimeDir {folder}
PidFile {folder}/apache.pid
ErrorLog {folder}/error.log
Mutex pthread
{modules}{user}{listen}{SETTINGS}<Directory {folder}>
  ForceType text/plain
  Require all denied
  <Files canary.txt>
    Require all granted
  </Files>
</Directory>
<Directory {hold}>
  Require all granted
  <Files hold.html>
    ForceType text/html
  </Files>
  <Files hold.json>
    ForceType application/problem+json
  </Files>
</Directory>
<Directory {acme}>
  ForceType text/plain
  Require all granted
</Directory>
Alias /.relight/ {hold}/
Alias /.well-known/acme-challenge/ {acme}/.well-known/acme-challenge/
RequestHeader unset {VERIFY_HEADER}
{HEADERS}"#,
        user = user.unwrap_or_default(),
    )
}
