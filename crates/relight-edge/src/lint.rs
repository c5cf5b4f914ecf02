//! Lint of people's own proxy configuration: what would leave a site lit although its gate is
//! closed (INCIDENT 8.3). Reads files; changes nothing and starts nothing.
//!
//! One rule is one line of a table and one function; each has a fixture in `fixtures/lint`.

mod apache;
mod caddy;
mod caddy_json;
mod codes;
mod haproxy;
mod listeners;
mod nginx;
mod pattern;
mod read;
#[cfg(test)]
mod tests;
mod tree;

use std::path::{Path, PathBuf};

pub(crate) use caddy_json::hands_on;
pub use codes::code_of;
pub use listeners::unregistered;
pub use read::{CONFIG_BYTES_MAX, INCLUDE_DEPTH_MAX, INCLUDE_FILES_MAX};

use crate::driver::{LintSeverity, Target};
use crate::drivers::APACHE_MAP;
use crate::error::{EdgeError, EdgeErrorKind};
use read::Files;

/// Sites above which a reload takes more than a second (4,000 took 0.9 to 5.8 s).
pub(crate) const SITES_QUICK_MAX: usize = 700;

/// One thing that is wrong with a configuration, and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// The file.
    pub file: PathBuf,
    /// Its line, from 1; 0 for the file as a whole.
    pub line: usize,
    /// Stable code in kebab case (`gate-missing`).
    pub code: &'static str,
    /// How bad it is.
    pub severity: LintSeverity,
    /// What it is about: a server name, a directive.
    pub what: String,
}

/// Whose configuration language it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dialect {
    /// `nginx.conf`.
    Nginx,
    /// `haproxy.cfg`.
    Haproxy,
    /// `apache2.conf`.
    Apache,
    /// A Caddyfile.
    Caddy,
}

impl Dialect {
    /// Every dialect.
    pub const ALL: [Self; 4] = [Self::Nginx, Self::Haproxy, Self::Apache, Self::Caddy];

    /// The stable name used in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Haproxy => "haproxy",
            Self::Apache => "apache",
            Self::Caddy => "caddy",
        }
    }

    /// The dialect of this name, or of the kind of edge of this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dialect| text.starts_with(dialect.as_str()))
    }

    /// The dialect that a file is most likely in: by its name, else by its first words.
    pub fn guess(path: &Path, text: &str) -> Option<Self> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        let by_name = ["nginx", "haproxy", "apache", "httpd", "caddy"];
        if let Some(found) = by_name.into_iter().find(|part| name.contains(part)) {
            return Self::parse(if found == "httpd" { "apache" } else { found });
        }
        let has = |word: &str| text.lines().any(|line| line.trim_start().starts_with(word));
        if has("<VirtualHost") {
            Some(Self::Apache)
        } else if has("frontend ") || has("backend ") || has("defaults") {
            Some(Self::Haproxy)
        } else if has("server {") || has("http {") || has("server_name") {
            Some(Self::Nginx)
        } else if has("reverse_proxy") || has("handle") {
            Some(Self::Caddy)
        } else {
            None
        }
    }
}

/// One site that a configuration serves, as far as it can be read from it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Served {
    /// Where it begins.
    pub file: PathBuf,
    /// The line of that.
    pub line: usize,
    /// Its names, the canonical one first.
    pub names: Vec<String>,
    /// Its gate key, when the gate is there.
    pub key: Option<String>,
    /// Addresses that it is reached at, as written.
    pub listen: Vec<String>,
    /// Its origin, as written.
    pub upstream: Option<String>,
}

/// What a configuration says: the sites in it, and what is wrong with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Examined {
    /// The sites.
    pub sites: Vec<Served>,
    /// What is wrong, by place.
    pub found: Vec<Found>,
    /// Gate folders or map files that the configuration looks into.
    pub gates: Vec<PathBuf>,
}

impl Examined {
    /// True when a plan for the edge has to be refused.
    pub fn refuses(&self) -> bool {
        self.found.iter().any(|found| found.severity == LintSeverity::Error)
    }
}

/// Reads a configuration with everything that it includes.
///
/// # Errors
/// The file itself cannot be read. An included one that cannot be is a finding.
pub fn examine(dialect: Dialect, path: &Path) -> Result<Examined, EdgeError> {
    let mut files = Files::new(path);
    let text = files.first().map_err(|cause| {
        let doing = format!("read the configuration {}", path.display());
        EdgeError::new(EdgeErrorKind::Io, doing).because(cause)
    })?;
    let mut examined = match dialect {
        Dialect::Nginx => nginx::examine(&mut files, &text),
        Dialect::Haproxy => haproxy::examine(path, &text),
        Dialect::Apache => apache::examine(&mut files, &text),
        Dialect::Caddy => caddy::examine(&mut files, &text),
    };
    examined.found.append(&mut files.found);
    if examined.sites.is_empty() {
        // A file in which nothing was understood must not pass as one without a fault.
        examined.found.push(Found {
            file: path.to_owned(),
            line: 0,
            code: "no-site",
            severity: LintSeverity::Error,
            what: dialect.as_str().to_owned(),
        });
    }
    if examined.sites.len() > SITES_QUICK_MAX {
        let what = examined.sites.len().to_string();
        let (file, severity) = (path.to_owned(), LintSeverity::Warning);
        examined.found.push(Found { file, line: 0, code: "reload-slow", severity, what });
    }
    examined.found.sort();
    examined.found.dedup();
    Ok(examined)
}

/// One rule: its code, how bad it is, and what finds it.
struct Rule<T: ?Sized> {
    code: &'static str,
    severity: LintSeverity,
    find: fn(&T, &mut Places),
}

/// Where one rule found something.
#[derive(Debug, Default)]
struct Places(Vec<(PathBuf, usize, String)>);

impl Places {
    fn add(&mut self, place: (&Path, usize), what: impl Into<String>) {
        self.0.push((place.0.to_owned(), place.1, what.into()));
    }
}

fn apply<T: ?Sized>(rules: &[Rule<T>], on: &T) -> Vec<Found> {
    let mut found = Vec::new();
    for Rule { code, severity, find } in rules {
        let mut places = Places::default();
        find(on, &mut places);
        found.extend(places.0.into_iter().map(|(file, line, what)| Found {
            file,
            line,
            code,
            severity: *severity,
            what,
        }));
    }
    found
}

const ERROR: LintSeverity = LintSeverity::Error;
const WARNING: LintSeverity = LintSeverity::Warning;

/// What the driver of an edge writes, as the configuration of its program has to name it: the
/// folder of its gate, or its map.
fn written(target: &Target) -> PathBuf {
    match Dialect::parse(&target.kind) {
        Some(Dialect::Haproxy) => target.settings.get("map").map(PathBuf::from).unwrap_or_default(),
        Some(Dialect::Apache) => target.gate.join(APACHE_MAP),
        _ => target.gate.clone(),
    }
}

/// What is wrong with the configuration of this edge: also when it looks into another gate, or into
/// one that is not there.
pub fn with_gate(examined: Examined, target: &Target) -> Vec<Found> {
    let Examined { sites, mut found, gates } = examined;
    let first = sites.first();
    let mut tell = |code, severity, path: &Path| {
        found.push(Found {
            file: first.map(|site| site.file.clone()).unwrap_or_default(),
            line: first.map_or(0, |site| site.line),
            code,
            severity,
            what: path.display().to_string(),
        });
    };
    let written = written(target);
    // The same by another way is the same.
    let real = written.canonicalize().ok();
    for path in &gates {
        let is_ours = *path == written || (real.is_some() && path.canonicalize().ok() == real);
        if !is_ours {
            tell("gate-other-path", ERROR, path);
        }
        if !path.exists() {
            tell("gate-path-missing", ERROR, path);
        } else if read::is_in_memory(path) {
            tell("gate-on-tmpfs", WARNING, path);
        }
    }
    found.sort();
    found
}
