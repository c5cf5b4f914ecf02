//! Rules about nginx.

mod challenges;
mod gate;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use relight_model::GateKey;

use super::read::{Files, is_glob};
use super::tree::{self, Directive, Ends};
use super::{ERROR, Examined, Places, Rule, Served, WARNING, apply};
use crate::http;
use gate::{KEY, bypass, gate_path, is_gated};

pub(super) const RULES: &[Rule<Config>] = &[
    Rule { code: "gate-missing", severity: ERROR, find: gate_missing },
    Rule { code: "gate-narrowed", severity: ERROR, find: gate_narrowed },
    Rule { code: "gate-marker-missing", severity: ERROR, find: marker_missing },
    Rule { code: "gate-header-kept", severity: ERROR, find: header_kept },
    Rule { code: "site-key-missing", severity: ERROR, find: key_missing },
    Rule { code: "site-key-invalid", severity: ERROR, find: key_invalid },
    Rule { code: "site-key-twice", severity: ERROR, find: key_twice },
    Rule { code: "key-from-client", severity: ERROR, find: key_from_client },
    Rule { code: "pattern-name", severity: ERROR, find: pattern_name },
    Rule { code: "default-open", severity: ERROR, find: default_open },
    Rule { code: "file-cache-errors", severity: ERROR, find: file_cache_errors },
    Rule { code: "acme-proxied", severity: ERROR, find: acme_proxied },
    Rule { code: "real-ip-unix", severity: ERROR, find: real_ip_unix },
    Rule { code: "file-cache", severity: WARNING, find: file_cache },
    Rule { code: "include-glob", severity: WARNING, find: include_glob },
    Rule { code: "hsts-lost", severity: WARNING, find: hsts_lost },
    Rule { code: "no-shutdown-timeout", severity: WARNING, find: no_shutdown_timeout },
];

/// A configuration with its includes in place.
pub(super) struct Config {
    main: Vec<Directive>,
}

pub(super) fn examine(files: &mut Files, text: &str) -> Examined {
    let root = files.root().to_owned();
    let parsed = tree::parse(files, &root, text, Ends::Semicolon);
    let config = Config { main: expand(files, parsed, 0) };
    let sites = config.sites().map(served).collect();
    let mut gates: Vec<PathBuf> = config.sites().filter_map(gate_folder).collect();
    gates.sort();
    gates.dedup();
    Examined { sites, found: apply(RULES, &config), gates }
}

/// Puts included directives behind the `include` that brings them.
fn expand(files: &mut Files, directives: Vec<Directive>, depth: usize) -> Vec<Directive> {
    let mut found = Vec::with_capacity(directives.len());
    for mut directive in directives {
        if let Some(inner) = directive.block.take() {
            directive.block = Some(expand(files, inner, depth));
        }
        let included = directive.name == "include" && directive.block.is_none();
        let texts = if included {
            files.include(directive.first(), directive.place(), depth)
        } else {
            Vec::new()
        };
        found.push(directive);
        for (path, text) in texts {
            let parsed = tree::parse(files, &path, &text, Ends::Semicolon);
            found.extend(expand(files, parsed, depth + 1));
        }
    }
    found
}

impl Config {
    /// The directives of the `http` level: of a file of sites alone, those of the file.
    fn http(&self) -> impl Iterator<Item = &Directive> {
        let blocks = self.main.iter().filter(|it| it.name == "http");
        let has_http = blocks.clone().next().is_some();
        let alone = self.main.iter().filter(move |_| !has_http);
        blocks.flat_map(|it| it.inner()).chain(alone)
    }

    fn servers(&self) -> impl Iterator<Item = &Directive> {
        let is_server = |it: &&Directive| it.name == "server" && it.block.is_some();
        self.http().filter(is_server).filter(|server| !is_for_testers(server))
    }

    /// The servers that serve something: all but those that refuse every request.
    fn sites(&self) -> impl Iterator<Item = &Directive> {
        self.servers().filter(|server| !refuses(server))
    }

    fn gated(&self) -> impl Iterator<Item = &Directive> {
        self.sites().filter(|server| is_gated(server))
    }

    fn everything(&self) -> Vec<&Directive> {
        self.main.iter().flat_map(Directive::all).collect()
    }
}

/// The verification path: no other machine reaches it, and whoever comes shows a certificate.
fn is_for_testers(server: &Directive) -> bool {
    let is_private = |it: &Directive| http::loopback(Path::new(it.first())).is_some();
    let mut listens = server.named("listen").peekable();
    let has_some = listens.peek().is_some();
    let is_shown = server.named("ssl_verify_client").any(|it| it.first() == "on");
    has_some && is_shown && listens.all(is_private)
}

fn refuses(server: &Directive) -> bool {
    let is_refusal = |it: &Directive| it.first().len() == 3 && it.first().starts_with('4');
    server.named("return").any(is_refusal) && !is_gated(server)
}

fn gate_folder(server: &Directive) -> Option<PathBuf> {
    Some(PathBuf::from(gate_path(server)?.split("/current/").next()?))
}

fn key_of(server: &Directive) -> Option<String> {
    let set = server.named("set").find(|it| it.first() == KEY);
    if let Some(set) = set {
        return Some(set.args.get(1).cloned().unwrap_or_default());
    }
    let path = gate_path(server)?;
    let (_, key) = path.rsplit_once('/')?;
    (key != KEY).then(|| key.to_owned())
}

fn names(server: &Directive) -> Vec<String> {
    server.named("server_name").flat_map(|it| it.args.clone()).collect()
}

fn title(server: &Directive) -> String {
    names(server).first().cloned().unwrap_or_else(|| "server".to_owned())
}

fn served(server: &Directive) -> Served {
    let all = server.all();
    let passed = all.iter().find(|it| it.name == "proxy_pass");
    Served {
        file: server.file.to_path_buf(),
        line: server.line,
        names: names(server),
        key: key_of(server).filter(|_| is_gated(server)),
        listen: server.named("listen").map(|it| it.first().to_owned()).collect(),
        upstream: passed.map(|it| it.first().to_owned()),
    }
}

fn gate_missing(config: &Config, places: &mut Places) {
    for server in config.sites().filter(|server| !is_gated(server)) {
        places.add(server.place(), title(server));
    }
}

fn gate_narrowed(config: &Config, places: &mut Places) {
    for server in config.gated() {
        if let Some(bypass) = bypass(server) {
            places.add(bypass.place(), title(server));
        }
    }
}

fn marker_missing(config: &Config, places: &mut Places) {
    for server in config.gated() {
        let says = |it: &&Directive| {
            it.name == "add_header" && it.first().eq_ignore_ascii_case("X-Relight-Gate")
        };
        if !server.all().iter().any(says) {
            places.add(server.place(), title(server));
        }
    }
}

/// An origin that sends the marker itself would pass as dark. The nearest level that hides any
/// header decides.
fn header_kept(config: &Config, places: &mut Places) {
    let hidden = |level: &mut dyn Iterator<Item = &Directive>| -> Option<bool> {
        let hides: Vec<&Directive> = level.filter(|it| it.name == "proxy_hide_header").collect();
        let ours = |it: &&Directive| it.first().eq_ignore_ascii_case("X-Relight-Gate");
        (!hides.is_empty()).then(|| hides.iter().any(ours))
    };
    let above = hidden(&mut config.http()).unwrap_or(false);
    for server in config.gated() {
        let here = hidden(&mut server.inner().iter()).unwrap_or(above);
        for location in server.all().into_iter().filter(|it| it.name == "location") {
            let proxies = location.named("proxy_pass").next().is_some();
            if proxies && !hidden(&mut location.inner().iter()).unwrap_or(here) {
                places.add(location.place(), title(server));
            }
        }
    }
}

fn key_missing(config: &Config, places: &mut Places) {
    for server in config.gated().filter(|it| key_of(it).is_none_or(|key| key.is_empty())) {
        places.add(server.place(), title(server));
    }
}

fn key_invalid(config: &Config, places: &mut Places) {
    for server in config.gated() {
        let key = key_of(server).unwrap_or_default();
        if !key.is_empty() && !key.contains('$') && GateKey::new(&key).is_err() {
            places.add(server.place(), key);
        }
    }
}

/// One key for two sites: closing the one closes the other. The same site on two ports is one.
fn key_twice(config: &Config, places: &mut Places) {
    let mut first: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for server in config.gated() {
        let Some(key) = key_of(server).filter(|key| !key.contains('$') && !key.is_empty()) else {
            continue;
        };
        let names: BTreeSet<String> = names(server).into_iter().collect();
        match first.get(&key) {
            Some(before) if before.is_disjoint(&names) => places.add(server.place(), key),
            Some(_) => {}
            None => drop(first.insert(key, names)),
        }
    }
}

/// `$server_name` is what nginx resolved; every other variable may be what a client sent.
fn key_from_client(config: &Config, places: &mut Places) {
    for server in config.gated() {
        let keys = [key_of(server), gate_path(server)];
        let bad = |text: &String| {
            let rest = text.replace("$relight_site", "").replace("$server_name", "");
            rest.contains('$')
        };
        if let Some(key) = keys.into_iter().flatten().find(bad) {
            places.add(server.place(), key);
        }
    }
}

fn pattern_name(config: &Config, places: &mut Places) {
    for server in config.gated() {
        let is_literal = key_of(server).is_some_and(|key| !key.contains('$'));
        let is_pattern = |name: &String| name.starts_with(['~', '.']) || name.contains('*');
        if let Some(name) = names(server).into_iter().find(is_pattern).filter(|_| !is_literal) {
            places.add(server.place(), name);
        }
    }
}

/// The server that answers for names that nobody serves, at each address.
fn default_open(config: &Config, places: &mut Places) {
    let mut defaults: BTreeMap<String, &Directive> = BTreeMap::new();
    let mut named = BTreeSet::new();
    for server in config.servers() {
        for (address, is_default) in addresses(server) {
            if is_default && named.insert(address.clone()) {
                defaults.insert(address, server);
            } else {
                defaults.entry(address).or_insert(server);
            }
        }
    }
    for (address, server) in defaults {
        if !refuses(server) {
            places.add(server.place(), address);
        }
    }
}

/// The addresses of a server, each in one form, and whether the server is the default one there.
/// One that names none is at port 80 of every interface.
fn addresses(server: &Directive) -> Vec<(String, bool)> {
    let is_default = |arg: &String| arg == "default_server" || arg == "default";
    let of = |it: &Directive| (address(it.first()), it.args.iter().any(is_default));
    let found: Vec<(String, bool)> = server.named("listen").map(of).collect();
    if found.is_empty() { vec![(address("80"), false)] } else { found }
}

/// `80`, `*:80` and `0.0.0.0:80` are one address.
fn address(written: &str) -> String {
    if written.starts_with("unix:") {
        return written.to_owned();
    }
    let is_port = !written.is_empty() && written.bytes().all(|byte| byte.is_ascii_digit());
    let (host, port) = match written.rsplit_once(':') {
        _ if is_port => ("*", written),
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (written, "80"),
    };
    let host = if host == "0.0.0.0" { "*" } else { host };
    format!("{host}:{port}")
}

fn cache_of<'a>(found: &[&'a Directive], name: &str) -> Option<&'a Directive> {
    found.iter().find(|it| it.name == name && it.first() != "off").copied()
}

fn file_cache_errors(config: &Config, places: &mut Places) {
    let all = config.everything();
    if let (Some(_), Some(errors)) =
        (cache_of(&all, "open_file_cache"), cache_of(&all, "open_file_cache_errors"))
    {
        places.add(errors.place(), "open_file_cache_errors on");
    }
}

fn file_cache(config: &Config, places: &mut Places) {
    if let Some(cache) = cache_of(&config.everything(), "open_file_cache") {
        places.add(cache.place(), "open_file_cache");
    }
}

fn acme_proxied(config: &Config, places: &mut Places) {
    let above: Vec<&Directive> = config.http().collect();
    for server in config.gated() {
        if let Some(way) = challenges::proxied(server, &above) {
            places.add(way.place(), title(server));
        }
    }
}

fn real_ip_unix(config: &Config, places: &mut Places) {
    for it in config.everything() {
        if it.name == "set_real_ip_from" && it.first() == "unix:" {
            places.add(it.place(), "set_real_ip_from unix:");
        }
    }
}

fn include_glob(config: &Config, places: &mut Places) {
    for server in config.servers() {
        for it in server.all().into_iter().filter(|it| it.name == "include") {
            if is_glob(it.first()) {
                places.add(it.place(), it.first());
            }
        }
    }
}

fn is_hsts(it: &Directive) -> bool {
    it.name == "add_header" && it.first().eq_ignore_ascii_case("Strict-Transport-Security")
}

/// `add_header` of a server is not inherited by a location that has one of its own.
fn hsts_lost(config: &Config, places: &mut Places) {
    let above = config.http().any(is_hsts);
    for server in config.gated() {
        let has_hsts = above || server.inner().iter().any(is_hsts);
        for dark in server.named("location").filter(|it| it.words().contains("@relight")) {
            if has_hsts && !dark.inner().iter().any(is_hsts) {
                places.add(dark.place(), title(server));
            }
        }
    }
}

fn no_shutdown_timeout(config: &Config, places: &mut Places) {
    let whole = config.main.iter().find(|it| it.name == "http");
    let is_set = config.main.iter().any(|it| it.name == "worker_shutdown_timeout");
    if let Some(http) = whole.filter(|_| !is_set) {
        places.add(http.place(), "worker_shutdown_timeout");
    }
}
