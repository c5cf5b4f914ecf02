//! Gates of a part of a site: a section, an audience or a class of methods. Which requests belong
//! to the part is said in the edge's configuration; a part that is dark leaves the site lit.

use std::fmt::Write as _;

use relight_model::GateKey;
use serde_json::{Value, json};

/// Addresses that no visitor from the internet has (RFC 1918, 4193, 3927, 4291, 1122).
const INTERNAL: [&str; 8] = [
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "169.254.0.0/16",
    "127.0.0.0/8",
    "::1/128",
    "fc00::/7",
    "fe80::/10",
];
/// Methods that change nothing (RFC 9110, section 9.2.1), without TRACE.
const READING: [&str; 3] = ["GET", "HEAD", "OPTIONS"];

/// A part of a site with a gate of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartialGate {
    /// `<site>.<name>`: everything below a path.
    Section {
        /// The last part of the key.
        name: String,
        /// Absolute path without a slash at its end (`/booking`).
        path: String,
    },
    /// `<site>@internet`: visitors whose address is not internal.
    Internet,
    /// `<site>@write`: every method but GET, HEAD and OPTIONS.
    Write,
}

impl PartialGate {
    /// The key of this part of a site.
    pub fn key(&self, site: &GateKey) -> String {
        match self {
            Self::Section { name, .. } => format!("{site}.{name}"),
            Self::Internet => format!("{site}@internet"),
            Self::Write => format!("{site}@write"),
        }
    }

    /// What cannot be written into a configuration as it is.
    pub(super) fn fault(&self, site: &GateKey) -> Option<String> {
        let key = self.key(site);
        if GateKey::new(&key).is_err() {
            return Some(format!("{key:?} is no gate key"));
        }
        match self {
            Self::Section { path, .. } if !is_path(path) => Some(format!("{path:?} is no path")),
            _ => None,
        }
    }

    /// The `if` that takes the part for gated, for nginx.
    pub(super) fn nginx(&self) -> String {
        match self {
            Self::Section { path, .. } => format!("$uri ~ \"^{}(/|$)\"", escaped(path)),
            Self::Internet => "$relight_internet".to_owned(),
            Self::Write => format!("$request_method !~ ^({})$", READING.join("|")),
        }
    }

    /// The conditions before the one of the map, for Apache.
    pub(super) fn apache(&self) -> String {
        match self {
            Self::Section { path, .. } => {
                let path = escaped(path).replace('/', "/+");
                format!("  RewriteCond %{{REQUEST_URI}} \"^{path}(/|$)\"\n")
            }
            Self::Internet => {
                let mut text = String::new();
                for range in INTERNAL {
                    let _ = writeln!(text, "  RewriteCond expr \"! -R '{range}'\"");
                }
                text
            }
            Self::Write => {
                format!("  RewriteCond %{{REQUEST_METHOD}} \"!^({})$\"\n", READING.join("|"))
            }
        }
    }

    /// The condition beside the one of the map, for HAProxy.
    pub(super) fn haproxy(&self) -> String {
        match self {
            // HAProxy takes paths as they were sent: dot segments count as everywhere.
            Self::Section { path, .. } => {
                let path = escaped(path).replace('/', "/+");
                format!(r"{{ path,url_dec -m reg -i ^{path}(/|$) /\.\.?(/|$) }}")
            }
            Self::Internet => format!("!{{ src {} }}", INTERNAL.join(" ")),
            Self::Write => format!("!{{ method {} }}", READING.join(" ")),
        }
    }

    /// The matcher beside the one of the file, for Caddy.
    pub(super) fn caddy(&self) -> Value {
        match self {
            Self::Section { path, .. } => json!({"path": [path, format!("{path}/*")]}),
            Self::Internet => json!({"not": [{"remote_ip": {"ranges": INTERNAL}}]}),
            Self::Write => json!({"not": [{"method": READING}]}),
        }
    }
}

/// The `geo` block by which nginx knows visitors from the internet.
pub(super) fn nginx_internet() -> String {
    let ranges: String = INTERNAL.map(|range| format!("  {range} \"\";\n")).concat();
    format!("geo $relight_internet {{\n  default 1;\n{ranges}}}\n")
}

fn is_path(path: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
    path.len() > 1
        && path.starts_with('/')
        && !path.ends_with('/')
        && !path.contains("//")
        && path.bytes().all(plain)
}

fn escaped(path: &str) -> String {
    path.replace('.', "\\.")
}
