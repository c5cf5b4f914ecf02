//! Gates of a part of a site: a section, an audience or a class of methods. Which requests belong
//! to the part is said in the edge's configuration; a part that is closed leaves the site lit.

use std::fmt::Write as _;

use relight_model::{GateKey, INTERNAL_RANGES, READING_METHODS, SitePart};
use serde_json::{Value, json};

/// A part of a site in the configuration of each kind of edge.
pub(super) trait Gated {
    /// The key of this part of a site. Empty for a part that [`Gated::fault`] refuses.
    fn gate(&self, site: &GateKey) -> String;

    /// What cannot be written into a configuration as it is.
    fn fault(&self, site: &GateKey) -> Option<String>;

    /// The `if` that takes the part for gated, for nginx.
    fn nginx(&self) -> String;

    /// The conditions before the one of the map, for Apache.
    fn apache(&self) -> String;

    /// The condition beside the one of the map, for HAProxy.
    fn haproxy(&self) -> String;

    /// The matcher beside the one of the file, for Caddy.
    fn caddy(&self) -> Value;
}

impl Gated for SitePart {
    fn gate(&self, site: &GateKey) -> String {
        self.key(site).map(|key| key.to_string()).unwrap_or_default()
    }

    /// Reads it again: its fields are public, and what stands in a configuration could say
    /// anything.
    fn fault(&self, site: &GateKey) -> Option<String> {
        let read = Self::parse(&self.to_string()).and_then(|part| part.key(site));
        read.err().map(|why| format!("{self} of {site}: {why}"))
    }

    fn nginx(&self) -> String {
        match self {
            Self::Section { path, .. } => format!("$uri ~* \"^{}\"", pattern(path)),
            Self::Internet => "$relight_internet".to_owned(),
            Self::Write => format!("$request_method !~ ^({})$", READING_METHODS.join("|")),
        }
    }

    fn apache(&self) -> String {
        match self {
            Self::Section { path, .. } => {
                format!("  RewriteCond %{{REQUEST_URI}} \"^{}\" [NC]\n", pattern(path))
            }
            Self::Internet => {
                let mut text = String::new();
                for range in INTERNAL_RANGES {
                    let _ = writeln!(text, "  RewriteCond expr \"! -R '{range}'\"");
                }
                text
            }
            Self::Write => {
                format!(
                    "  RewriteCond %{{REQUEST_METHOD}} \"!^({})$\"\n",
                    READING_METHODS.join("|")
                )
            }
        }
    }

    fn haproxy(&self) -> String {
        match self {
            // HAProxy takes paths as they were sent.
            Self::Section { path, .. } => {
                format!("{{ path,url_dec -m reg -i ^{} }}", pattern(path))
            }
            Self::Internet => format!("!{{ src {} }}", INTERNAL_RANGES.join(" ")),
            Self::Write => format!("!{{ method {} }}", READING_METHODS.join(" ")),
        }
    }

    fn caddy(&self) -> Value {
        match self {
            Self::Section { path, .. } => {
                json!({"path_regexp": {"pattern": format!("(?i)^{}", pattern(path))}})
            }
            Self::Internet => json!({"not": [{"remote_ip": {"ranges": INTERNAL_RANGES}}]}),
            Self::Write => json!({"not": [{"method": READING_METHODS}]}),
        }
    }
}

/// Everything below a path, in whatever way an origin may read it: slashes may be doubled, and a
/// segment may carry parameters, an empty one too (`/;a/booking;b=1` is `/booking` to a servlet).
/// A dot segment that no proxy resolved (`/x/..;/booking`) counts as within every section.
fn pattern(path: &str) -> String {
    let segments = path.split('/').skip(1).map(|segment| segment.replace('.', "\\."));
    let all: String = segments.map(|it| format!("(/(;[^/]*)?)+{it}(;[^/]*)?")).collect();
    format!(r"{all}(/|$)|/\.\.?(;|/|$)")
}

/// The `geo` block by which nginx knows visitors from the internet.
pub(super) fn nginx_internet() -> String {
    let ranges: String = INTERNAL_RANGES.map(|range| format!("  {range} \"\";\n")).concat();
    format!("geo $relight_internet {{\n  default 1;\n{ranges}}}\n")
}
