//! Complete configurations of each kind of edge with the gate built in, for a list of sites.
//!
//! The gate is keyed by the site that the edge resolved, never by what a client sent: keyed by a
//! host header, 3 (nginx) or 6 (HAProxy) of 14 spellings of a name reached a dark origin.

mod apache;
mod caddy;
mod gateway;
mod haproxy;
mod holding;
mod nginx;
mod partial;
mod traefik;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use relight_model::{GateKey, SitePart};

pub use apache::{ApacheFiles, CANARY_TEXT, apache};
pub use caddy::{CADDY_ADMIN, caddy};
pub use gateway::{GatewayPlaces, gateway};
pub use haproxy::{CERTIFICATES, Files, MAP_FILE, SOCKET, haproxy};
pub use holding::{CANARY_PATH, Holding, holding};
pub use nginx::nginx;
use partial::Gated as _;
pub use traefik::{TraefikFiles, TraefikPlaces, traefik};

use crate::error::{EdgeError, EdgeErrorKind};
use crate::http;

/// Host name of the site that every edge answers itself, to try its gate without touching a site.
pub const CANARY_HOST: &str = "relight-canary.invalid";
/// Gate key of that site.
pub const CANARY_KEY: &str = "relight-canary";
/// A program for an edge of kind `command`, to start from: `observe` and `apply` on one file.
pub const COMMAND_EXAMPLE: &str = include_str!("config/command.py");
/// The request header by which an origin can tell verification from visitors; removed from what
/// visitors send.
pub const VERIFY_HEADER: &str = "X-Relight-Verify";
/// 3,300 to 3,900 seconds: one fixed value would bring all clients back together.
pub(crate) const RETRY_SECONDS: [u32; 11] =
    [3300, 3360, 3420, 3480, 3540, 3600, 3660, 3720, 3780, 3840, 3900];
/// Name of the one server in every backend of HAProxy.
pub(crate) const ORIGIN_SERVER: &str = "origin";
/// Longest host name, in bytes (RFC 1035, section 2.3.4).
const HOST_BYTES_MAX: usize = 253;
/// Longest path of a unix socket, in bytes.
const SOCKET_BYTES_MAX: usize = 100;

/// What an edge serves, and from where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeConfig {
    /// Its own folder: process id, logs, temporary files.
    pub folder: PathBuf,
    /// The gate directory.
    pub gate: PathBuf,
    /// Folder of `hold.html` and `hold.json`.
    pub hold: PathBuf,
    /// Web root of ACME tokens (`<acme>/.well-known/acme-challenge/<token>`); never proxied.
    pub acme: PathBuf,
    /// Public listeners.
    pub listen: Vec<SocketAddr>,
    /// Unix socket of the verification path behind the gate; for Apache, which cannot listen on
    /// one, an address on loopback, and for every program where testers show a certificate.
    pub verify: PathBuf,
    /// Testers come under TLS and show a certificate.
    pub testers: Option<MutualTls>,
    /// Group that may use that socket, where the program can be told one (HAProxy).
    pub verify_group: Option<String>,
    /// User of the workers where they have to be named (nginx or Apache started by root).
    pub user: Option<String>,
    /// Connections may be upgraded (WebSockets). Where they may not, no tunnel outlives the closing
    /// of a gate, and nothing has to be counted before dark is proven.
    pub upgrades: bool,
    /// The public listeners that speak TLS, if any do.
    pub tls: Option<Secured>,
    /// Every site.
    pub sites: Vec<SiteRoute>,
}

/// Listeners that speak TLS, and the certificates that they show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secured {
    /// Which of the public listeners.
    pub listeners: Vec<SocketAddr>,
    /// Folder with one file a site, `<canonical host>.pem`: its certificate for all of its names,
    /// those of the authorities, and its key.
    pub certificates: PathBuf,
}

/// What a verification path on loopback shows, and whom it lets in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MutualTls {
    /// Its certificate, good for its address, those of the authorities, and its key.
    pub certificate: PathBuf,
    /// Authorities of testers: whoever shows a certificate of theirs comes in.
    pub authorities: PathBuf,
}

impl Secured {
    /// The certificate of a site.
    fn file(&self, host: &str) -> String {
        self.certificates.join(format!("{host}.pem")).display().to_string()
    }
}

/// One site of an edge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteRoute {
    /// Its gate key.
    pub key: GateKey,
    /// Its canonical host name, lower case, without port.
    pub host: String,
    /// Its other host names.
    pub aliases: Vec<String>,
    /// Where its origin listens.
    pub upstream: SocketAddr,
    /// Parts with a gate of their own: none of them makes the site dark.
    pub partial: Vec<SitePart>,
}

impl SiteRoute {
    /// Every host name of the site, the canonical one first.
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.host).chain(&self.aliases).map(String::as_str)
    }
}

impl EdgeConfig {
    /// The listeners in plain text.
    fn plain(&self) -> Vec<SocketAddr> {
        let secured = self.secured();
        self.listen.iter().filter(|address| !secured.contains(address)).copied().collect()
    }

    /// The listeners under TLS.
    fn secured(&self) -> &[SocketAddr] {
        self.tls.as_ref().map_or(&[], |tls| &tls.listeners)
    }

    /// The certificate of a virtual host that is no site: that of the first site. It is good for
    /// neither, and the canary is asked under any.
    fn other_certificate(&self) -> Option<String> {
        let host = self.sites.first().map_or(CANARY_HOST, |site| &site.host);
        self.tls.as_ref().map(|tls| tls.file(host))
    }

    /// A name or key used twice would serve one site under the gate of another; a name or path
    /// with other characters could say anything in a configuration.
    fn check(&self) -> Result<(), EdgeError> {
        if self.testers.is_some() {
            return self.check_with_loopback().map(drop);
        }
        self.check_rest()?;
        if !is_plain(&self.verify) {
            return refuse(format!("{} is no plain absolute path", self.verify.display()));
        }
        if self.verify.as_os_str().len() > SOCKET_BYTES_MAX {
            return refuse(format!("{} is too long for a socket", self.verify.display()));
        }
        Ok(())
    }

    /// The same for a program that cannot listen on a unix socket: its verification path is an
    /// address that no other machine reaches.
    fn check_with_loopback(&self) -> Result<SocketAddr, EdgeError> {
        self.check_rest()?;
        match http::loopback(&self.verify) {
            Some(address) => Ok(address),
            None => refuse(format!("{} is no loopback address", self.verify.display())),
        }
    }

    fn check_rest(&self) -> Result<(), EdgeError> {
        if let Some(fault) = self.fault_of_names() {
            return refuse(fault);
        }
        if let Some(address) = self.secured().iter().find(|it| !self.listen.contains(it)) {
            return refuse(format!("{address} speaks TLS and is no listener"));
        }
        let certificates = self.tls.iter().map(|tls| &tls.certificates);
        let testers = self.testers.iter().flat_map(|it| [&it.certificate, &it.authorities]);
        let folders = [&self.folder, &self.gate, &self.hold, &self.acme];
        for path in folders.into_iter().chain(certificates).chain(testers) {
            if !is_plain(path) {
                return refuse(format!("{} is no plain absolute path", path.display()));
            }
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
        let is_bad = |name: &&String| name.is_empty() || !name.bytes().all(plain);
        if let Some(group) = self.verify_group.as_ref().filter(is_bad) {
            return refuse(format!("{group:?} is no group"));
        }
        match &self.user {
            Some(user) if !user.bytes().all(plain) => refuse(format!("{user:?} is no user")),
            _ => Ok(()),
        }
    }

    /// What is wrong with keys and hosts: each must be usable and stand for one site.
    fn fault_of_names(&self) -> Option<String> {
        let mut keys = BTreeSet::from([CANARY_KEY]);
        let mut hosts = BTreeSet::from([CANARY_HOST]);
        let mut parts = Vec::new();
        for site in &self.sites {
            if !keys.insert(site.key.as_str()) {
                return Some(format!("key {} twice", site.key));
            }
            for host in site.hosts() {
                if !is_host(host) {
                    return Some(format!("{host:?} is no host name"));
                }
                if !hosts.insert(host) {
                    return Some(format!("host {host} twice"));
                }
            }
            for part in &site.partial {
                if let Some(fault) = part.fault(&site.key) {
                    return Some(fault);
                }
                parts.push(part.gate(&site.key));
            }
        }
        parts.sort();
        let double = parts.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0].as_str());
        let taken = || parts.iter().map(String::as_str).find(|part| keys.contains(part));
        double.or_else(taken).map(|key| format!("key {key} twice"))
    }
}

fn refuse<T>(what: String) -> Result<T, EdgeError> {
    Err(EdgeError::new(EdgeErrorKind::Refused, format!("write a configuration: {what}")))
}

/// Lower-case letters, digits, hyphens and dots; no empty label.
fn is_host(text: &str) -> bool {
    let label = |label: &str| {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b);
        !label.is_empty() && label.bytes().all(plain)
    };
    text.len() <= HOST_BYTES_MAX && text.split('.').all(label)
}

fn is_plain(path: &Path) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/._-".contains(&b);
    path.is_absolute() && path.as_os_str().as_encoded_bytes().iter().all(|byte| plain(*byte))
}

/// An edge on two loopback addresses, for the tests of what is printed and of what reads it.
#[cfg(test)]
pub(crate) fn example(sites: Vec<SiteRoute>) -> EdgeConfig {
    EdgeConfig {
        folder: "/srv/edge".into(),
        gate: "/srv/gate".into(),
        hold: "/srv/hold".into(),
        acme: "/srv/acme".into(),
        listen: vec!["127.0.0.1:8080".parse().unwrap(), "[::1]:8080".parse().unwrap()],
        verify: "/srv/verify.sock".into(),
        testers: None,
        verify_group: None,
        user: None,
        upgrades: true,
        tls: None,
        sites,
    }
}

#[cfg(test)]
mod tests {
    use super::example as config;
    use super::*;

    fn site(key: &str, host: &str, aliases: &[&str]) -> SiteRoute {
        SiteRoute {
            key: GateKey::new(key).unwrap(),
            host: host.into(),
            aliases: aliases.iter().map(|alias| (*alias).to_owned()).collect(),
            upstream: "127.0.0.1:9000".parse().unwrap(),
            partial: Vec::new(),
        }
    }

    /// The same with the verification path that Apache takes.
    fn by_loopback(config: &EdgeConfig) -> EdgeConfig {
        EdgeConfig { verify: "127.0.0.1:9443".into(), ..config.clone() }
    }

    fn refused(config: &EdgeConfig) -> String {
        let (nginx, haproxy) = (nginx(config).unwrap_err(), haproxy(config).unwrap_err());
        let caddy = caddy(config).unwrap_err();
        assert_eq!(nginx.to_string(), haproxy.to_string());
        assert_eq!(nginx.to_string(), caddy.to_string());
        assert_eq!(nginx.kind, EdgeErrorKind::Refused);
        if config.verify == Path::new("/srv/verify.sock") {
            assert_eq!(nginx.to_string(), apache(&by_loopback(config)).unwrap_err().to_string());
        }
        nginx.doing
    }

    /// nginx would serve the second of two sites of one name as the first, under its gate.
    #[test]
    fn doubles_are_refused() {
        for (sites, reason) in [
            (vec![site("a", "a.example", &[]), site("a", "b.example", &[])], "key a twice"),
            (
                vec![site("a", "a.example", &[]), site("b", "a.example", &[])],
                "host a.example twice",
            ),
            (vec![site("a", "a.example", &["a.example"])], "host a.example twice"),
            (vec![site(CANARY_KEY, "a.example", &[])], "key relight-canary twice"),
            (vec![site("a", CANARY_HOST, &[])], "host relight-canary.invalid twice"),
        ] {
            assert!(refused(&config(sites)).ends_with(reason), "{reason}");
        }
    }

    /// A name out of a register must not become a line of a configuration.
    #[test]
    fn what_is_no_host_name_or_path_is_refused() {
        let long = format!("{}.example", "x".repeat(HOST_BYTES_MAX));
        for host in ["", "A.example", "a..b", "a;return 200", "*.example", "a b", "é.qc", &long] {
            assert!(
                refused(&config(vec![site("a", host, &[])])).contains("no host name"),
                "{host}"
            );
        }
        let with = |change: fn(&mut EdgeConfig)| {
            let mut config = config(Vec::new());
            change(&mut config);
            refused(&config)
        };
        assert!(with(|config| config.gate = "relative".into()).contains("no plain absolute path"));
        assert!(with(|config| config.hold = "/a b".into()).contains("no plain absolute path"));
        assert!(with(|config| config.acme = "/$host".into()).contains("no plain absolute path"));
        let socket = |config: &mut EdgeConfig| {
            config.verify = format!("/{}", "x".repeat(SOCKET_BYTES_MAX)).into();
        };
        assert!(with(socket).contains("too long for a socket"));
        assert!(with(|config| config.user = Some("root;".into())).contains("no user"));
        let group = |config: &mut EdgeConfig| config.verify_group = Some("a b".into());
        assert!(with(group).contains("no group"));
    }

    #[test]
    fn every_site_has_its_gate_and_unknown_hosts_end_in_421() {
        let sites = vec![site("a", "a.example", &["www.a.example"]), site("b", "b.example", &[])];
        let text = nginx(&config(sites.clone())).unwrap();
        assert_eq!(text.matches("server_name ").count(), 3, "two sites and the canary");
        assert_eq!(text.matches("if (-f /srv/gate/current/$relight_site)").count(), 3);
        assert_eq!(text.matches("default_server;").count(), 3, "two listeners and the socket");
        assert!(text.contains("server_name a.example www.a.example;\n  set $relight_site a;"));
        let files = haproxy(&config(sites)).unwrap();
        assert_eq!(files.config.matches(" from relight-site\n").count(), 3);
        let hosts = "relight-canary.invalid relight-canary\na.example a\nwww.a.example a\n\
                     b.example b\n";
        assert_eq!(files.hosts, hosts);
    }

    /// The socket of testers is for their group where the program can be told so, and no other
    /// program prints a word that it does not know.
    #[test]
    fn the_group_of_testers_is_said_to_haproxy() {
        let plain = config(vec![site("a", "a.example", &[])]);
        let group = Some("relight-verify".to_owned());
        let named = EdgeConfig { verify_group: group, ..plain.clone() };
        let said = |config: &EdgeConfig| haproxy(config).unwrap().config;
        let line = "bind unix@/srv/verify.sock name verify mode 660";
        assert!(said(&plain).contains(&format!("{line}\n")));
        assert!(said(&named).contains(&format!("{line} group relight-verify\n")));
        assert_eq!(nginx(&named).unwrap(), nginx(&plain).unwrap());
        assert_eq!(caddy(&named).unwrap(), caddy(&plain).unwrap());
    }

    /// Plain text stays plain, each server under TLS shows the certificate of its site, and whoever
    /// wants no upgrades gets a configuration that passes none on.
    #[test]
    fn listeners_under_tls_and_upgrades_are_said_in_each_dialect() {
        let sites = vec![site("a", "a.example", &["www.a.example"]), site("b", "b.example", &[])];
        let mut config = config(sites);
        let upgraded = |config: &EdgeConfig| {
            let nginx = nginx(config).unwrap().contains("$http_upgrade");
            let apache = apache(&by_loopback(config)).unwrap().config.contains("upgrade=ANY");
            [nginx, apache, !caddy(config).unwrap().contains("\"Upgrade\"")]
        };
        assert_eq!(upgraded(&config), [true; 3]);
        config.upgrades = false;
        assert_eq!(upgraded(&config), [false; 3]);
        let (listeners, certificates) = (vec![config.listen[1]], "/srv/tls".into());
        config.tls = Some(Secured { listeners, certificates });
        let text = nginx(&config).unwrap();
        assert_eq!(text.matches("listen [::1]:8080 ssl http2").count(), 4);
        assert_eq!(text.matches("listen 127.0.0.1:8080;").count(), 3);
        assert_eq!(text.matches("ssl_certificate /srv/tls/a.example.pem;").count(), 2, "canary");
        assert_eq!(text.matches("ssl_certificate_key /srv/tls/b.example.pem;").count(), 1);
        let files = haproxy(&config).unwrap();
        let bind = "bind [::1]:8080 ssl crt-list /srv/edge/certificates.txt alpn h2,http/1.1\n";
        assert!(files.config.contains(bind));
        assert!(files.config.contains("bind 127.0.0.1:8080\n"));
        let list =
            "/srv/tls/a.example.pem a.example www.a.example\n/srv/tls/b.example.pem b.example\n";
        assert_eq!(files.certificates, list);
        let text = apache(&by_loopback(&config)).unwrap().config;
        assert_eq!(text.matches("<VirtualHost [::1]:8080>\n  SSLEngine On\n").count(), 4);
        assert_eq!(text.matches("SSLCertificateFile /srv/tls/b.example.pem\n").count(), 1);
        let text = caddy(&config).unwrap();
        assert_eq!(text.matches("/srv/tls/b.example.pem").count(), 2, "certificate and key");
        config.tls.as_mut().unwrap().listeners = vec!["127.0.0.1:1".parse().unwrap()];
        assert!(refused(&config).contains("speaks TLS and is no listener"));
    }

    #[test]
    fn a_key_of_a_section_is_refused_where_no_backend_can_have_its_name() {
        let section = config(vec![site("a@internet", "a.example", &[])]);
        assert!(nginx(&section).is_ok());
        assert_eq!(haproxy(&section).unwrap_err().kind, EdgeErrorKind::Refused);
    }

    /// Other machines must not reach what leads behind the gate.
    #[test]
    fn apache_verifies_on_loopback_only() {
        let with = |verify: &str| EdgeConfig { verify: verify.into(), ..config(Vec::new()) };
        for verify in ["127.0.0.1:9443", "[::1]:9443"] {
            let text = apache(&with(verify)).unwrap().config;
            assert!(text.contains(&format!("Listen {verify}\n")), "{verify}");
        }
        for verify in ["/srv/verify.sock", "10.0.0.1:80", "0.0.0.0:80", "localhost:80", ""] {
            let error = apache(&with(verify)).unwrap_err();
            assert!(error.to_string().ends_with("is no loopback address"), "{verify}: {error}");
        }
    }

    /// Testers show certificates to programs that can ask for them, where no other machine comes.
    #[test]
    fn testers_with_certificates_come_to_an_address_of_this_machine() {
        let testers =
            Some(MutualTls { certificate: "/srv/edge.pem".into(), authorities: "/srv/ca".into() });
        let with = |verify: &str| EdgeConfig {
            verify: verify.into(),
            testers: testers.clone(),
            ..config(Vec::new())
        };
        for verify in ["/srv/other.sock", "10.0.0.1:80"] {
            let told = refused(&with(verify));
            assert!(told.ends_with("is no loopback address"), "{verify}: {told}");
        }
        let mut odd = with("127.0.0.1:9443");
        odd.testers =
            Some(MutualTls { certificate: "/srv/a;b".into(), authorities: "/srv/ca".into() });
        assert!(refused(&odd).contains("no plain absolute path"));
        let (watched, api) = (Path::new("/srv/w"), "127.0.0.1:1".parse().unwrap());
        let places = TraefikPlaces { watched, api, holding: "http://127.0.0.1:2" };
        let told = traefik(&with("127.0.0.1:9443"), places).unwrap_err().to_string();
        assert!(told.contains("for Traefik testers show no certificate"), "{told}");
    }

    /// A part under the key of another site would close that site, or be closed with it.
    #[test]
    fn parts_have_keys_and_paths_of_their_own() {
        let section = |name: &str, path: &str| SitePart::Section {
            name: name.to_owned(),
            path: path.to_owned(),
        };
        let with = |parts: Vec<SitePart>| {
            let mut sites = vec![site("a", "a.example", &[]), site("a.x", "x.example", &[])];
            sites[0].partial = parts;
            config(sites)
        };
        for (parts, reason) in [
            (vec![section("x", "/x")], "key a.x twice"),
            (vec![section("y", "/x"), section("y", "/y")], "key a.y twice"),
            (vec![SitePart::Write, SitePart::Write], "key a@write twice"),
            (vec![section("Y", "/y")], "only a-z, 0-9, - and _"),
            (vec![section("y y", "/y")], "only a-z, 0-9, - and _"),
            (vec![section("y", "y")], "starts with /"),
            (vec![section("y", "/")], "no empty segment and none of dots"),
            (vec![section("y", "/y/")], "no empty segment and none of dots"),
            (vec![section("y", "/y;return")], "letters, digits and / . _ -"),
            (vec![section("y", "/(a|b)")], "letters, digits and / . _ -"),
        ] {
            assert!(refused(&with(parts)).ends_with(reason), "{reason}");
        }
        let all = with(vec![section("y", "/y"), SitePart::Internet, SitePart::Write]);
        assert!(nginx(&all).is_ok() && haproxy(&all).is_ok() && caddy(&all).is_ok());
    }

    /// What is dark stays dark when a configuration is written again.
    #[test]
    fn the_map_of_the_gate_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let files = haproxy(&config(Vec::new())).unwrap();
        files.write_into(folder.path()).unwrap();
        let map = folder.path().join(MAP_FILE);
        assert_eq!(std::fs::read_to_string(&map).unwrap(), "");
        std::fs::write(&map, "a 1\n").unwrap();
        files.write_into(folder.path()).unwrap();
        assert_eq!(std::fs::read_to_string(&map).unwrap(), "a 1\n");
    }
}
