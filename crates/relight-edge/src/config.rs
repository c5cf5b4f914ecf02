//! Complete configurations of nginx and HAProxy with the gate built in, for a list of sites.
//!
//! The gate is keyed by the site that the edge resolved, never by what a client sent: keyed by a
//! host header, 3 (nginx) or 6 (HAProxy) of 14 spellings of a name reached a dark origin.

mod haproxy;
mod nginx;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use relight_model::GateKey;

pub use haproxy::{Files, MAP_FILE, SOCKET, haproxy};
pub use nginx::nginx;

use crate::error::{EdgeError, EdgeErrorKind};

/// Host name of the site that every edge answers itself, to try its gate without touching a site.
pub const CANARY_HOST: &str = "relight-canary.invalid";
/// Gate key of that site.
pub const CANARY_KEY: &str = "relight-canary";
/// The request header by which an origin can tell verification from visitors; removed from what
/// visitors send.
pub const VERIFY_HEADER: &str = "X-Relight-Verify";
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
    /// Unix socket of the verification path behind the gate.
    pub verify: PathBuf,
    /// User of the workers where they have to be named (nginx started by root).
    pub user: Option<String>,
    /// Every site.
    pub sites: Vec<SiteRoute>,
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
}

impl SiteRoute {
    /// Every host name of the site, the canonical one first.
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.host).chain(&self.aliases).map(String::as_str)
    }
}

impl EdgeConfig {
    /// A name or key used twice would serve one site under the gate of another; a name or path
    /// with other characters could say anything in a configuration.
    fn check(&self) -> Result<(), EdgeError> {
        let refuse = |what: String| {
            Err(EdgeError::new(EdgeErrorKind::Refused, format!("write a configuration: {what}")))
        };
        let mut keys = BTreeSet::from([CANARY_KEY]);
        let mut hosts = BTreeSet::from([CANARY_HOST]);
        for site in &self.sites {
            if !keys.insert(site.key.as_str()) {
                return refuse(format!("key {} twice", site.key));
            }
            for host in site.hosts() {
                if !is_host(host) {
                    return refuse(format!("{host:?} is no host name"));
                }
                if !hosts.insert(host) {
                    return refuse(format!("host {host} twice"));
                }
            }
        }
        for path in [&self.folder, &self.gate, &self.hold, &self.acme, &self.verify] {
            if !is_plain(path) {
                return refuse(format!("{} is no plain absolute path", path.display()));
            }
        }
        if self.verify.as_os_str().len() > SOCKET_BYTES_MAX {
            return refuse(format!("{} is too long for a socket", self.verify.display()));
        }
        match &self.user {
            Some(user) if !user.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
                refuse(format!("{user:?} is no user"))
            }
            _ => Ok(()),
        }
    }
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
