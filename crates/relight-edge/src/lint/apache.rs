//! Rules about Apache httpd.

mod gate;
mod passes;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use relight_model::GateKey;

use super::pattern::{OTHER, TOKEN};
use super::read::Files;
use super::tree::Directive;
use super::{ERROR, Examined, Found, Places, Rule, Served, WARNING, apply};
use gate::{gate, leaves_out, narrowed};
use passes::handed_on;

pub(super) const RULES: &[Rule<Config>] = &[
    Rule { code: "gate-missing", severity: ERROR, find: gate_missing },
    Rule { code: "gate-narrowed", severity: ERROR, find: gate_narrowed },
    Rule { code: "gate-marker-missing", severity: ERROR, find: marker_missing },
    Rule { code: "gate-header-kept", severity: ERROR, find: header_kept },
    Rule { code: "rewrite-off", severity: ERROR, find: rewrite_off },
    Rule { code: "site-key-invalid", severity: ERROR, find: key_invalid },
    Rule { code: "site-key-twice", severity: ERROR, find: key_twice },
    Rule { code: "key-from-client", severity: ERROR, find: key_from_client },
    Rule { code: "canonical-name-off", severity: ERROR, find: canonical_name_off },
    Rule { code: "define-in-map", severity: ERROR, find: define_in_map },
    Rule { code: "default-open", severity: ERROR, find: default_open },
    Rule { code: "acme-proxied", severity: ERROR, find: acme_proxied },
    Rule { code: "hold-proxied", severity: ERROR, find: hold_proxied },
    Rule { code: "hsts-lost", severity: WARNING, find: hsts_lost },
    Rule { code: "no-shutdown-timeout", severity: WARNING, find: no_shutdown_timeout },
];

/// Where the call of the map begins in a condition.
const MAP_CALL: &str = "${relight_dark:";

/// A configuration with its includes in place.
pub(super) struct Config {
    main: Vec<Directive>,
}

pub(super) fn examine(files: &mut Files, text: &str) -> Examined {
    let root = files.root().to_owned();
    let config = Config { main: parse(files, &root, text, 0) };
    let sites = config.sites().map(served).collect();
    let maps = config.everything().into_iter().filter(|it| is(it, "RewriteMap"));
    let ours = maps.filter(|it| it.first() == "relight_dark");
    let path = |it: &Directive| Some(config.defined(it.args.get(1)?.strip_prefix("txt:")?).into());
    let mut gates: Vec<PathBuf> = ours.filter_map(path).collect();
    gates.sort();
    gates.dedup();
    Examined { sites, found: apply(RULES, &config), gates }
}

/// Directives and sections. A section that never ends, or ends twice, is told.
fn parse(files: &mut Files, file: &Path, text: &str, depth: usize) -> Vec<Directive> {
    let file = Rc::new(file.to_owned());
    let mut open: Vec<Directive> = Vec::new();
    let mut done: Vec<Directive> = Vec::new();
    let mut torn = None;
    for (line, text) in lines(text) {
        if text.starts_with("</") {
            let name = text.trim_start_matches("</").trim_end_matches('>').trim();
            match open.pop_if(|section| is(section, name)) {
                Some(section) => close(&mut open, &mut done, section),
                None => drop(torn.get_or_insert(line)),
            }
            continue;
        }
        let is_section = text.starts_with('<');
        let mut words = words(text.trim_start_matches('<').trim_end_matches('>')).into_iter();
        let name = words.next().unwrap_or_default();
        let args: Vec<String> = words.collect();
        let block = is_section.then(Vec::new);
        let directive = Directive { name, args, block, file: Rc::clone(&file), line };
        if is_section {
            open.push(directive);
            continue;
        }
        let included = is(&directive, "Include") || is(&directive, "IncludeOptional");
        let place = (file.as_path(), line);
        let texts =
            if included { files.include(directive.first(), place, depth) } else { Vec::new() };
        put(&mut open, &mut done, directive);
        for (path, text) in texts {
            for inner in parse(files, &path, &text, depth + 1) {
                put(&mut open, &mut done, inner);
            }
        }
    }
    while let Some(section) = open.pop() {
        torn.get_or_insert(section.line);
        close(&mut open, &mut done, section);
    }
    if let Some(line) = torn {
        let (file, what) = (file.to_path_buf(), "< >".to_owned());
        files.found.push(Found { file, line, code: "config-torn", severity: ERROR, what });
    }
    done
}

/// Sections that only ask what Apache is able to do: what they hold counts as if there were none.
const CONDITIONS: [&str; 3] = ["IfModule", "IfDefine", "IfVersion"];

fn close(open: &mut [Directive], done: &mut Vec<Directive>, mut section: Directive) {
    if !CONDITIONS.iter().any(|name| is(&section, name)) {
        return put(open, done, section);
    }
    for inner in section.block.take().unwrap_or_default() {
        put(open, done, inner);
    }
}

fn put(open: &mut [Directive], done: &mut Vec<Directive>, directive: Directive) {
    match open.last_mut().and_then(|section| section.block.as_mut()) {
        Some(inner) => inner.push(directive),
        None => done.push(directive),
    }
}

/// Lines without comments, continued lines as one, each with its number.
fn lines(text: &str) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let mut continues = false;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        let (part, goes_on) = match line.strip_suffix('\\') {
            Some(part) => (part, true),
            None => (line, false),
        };
        match found.last_mut() {
            Some((_, before)) if continues => before.push_str(part),
            _ if part.is_empty() || part.starts_with('#') => {}
            _ => found.push((index + 1, part.to_owned())),
        }
        continues = goes_on && !line.starts_with('#');
    }
    found
}

fn words(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (word, after) = match first {
            '"' | '\'' => rest[1..].split_once(first).unwrap_or((&rest[1..], "")),
            _ => rest.split_once(char::is_whitespace).unwrap_or((rest, "")),
        };
        found.push(word.to_owned());
        rest = after.trim_start();
    }
    found
}

/// Names of directives have no case.
fn is(directive: &Directive, name: &str) -> bool {
    directive.name.eq_ignore_ascii_case(name)
}

impl Config {
    fn everything(&self) -> Vec<&Directive> {
        self.main.iter().flat_map(Directive::all).collect()
    }

    /// A text with what `Define` says of its names.
    fn defined(&self, text: &str) -> String {
        let all = self.everything().into_iter().filter(|it| is(it, "Define"));
        all.fold(text.to_owned(), |text, it| {
            let value = it.args.get(1).map_or("", String::as_str);
            text.replace(&format!("${{{}}}", it.first()), value)
        })
    }

    fn hosts(&self) -> impl Iterator<Item = &Directive> {
        self.everything().into_iter().filter(|it| is(it, "VirtualHost"))
    }

    /// Virtual hosts that serve something to visitors: not those that refuse every name, and not
    /// the second one of a gated site that only this machine reaches.
    fn sites(&self) -> impl Iterator<Item = &Directive> {
        let gated: Vec<String> =
            self.hosts().filter(|host| gate(host).is_some()).filter_map(name_of).collect();
        self.hosts().filter(move |host| {
            let behind = name_of(host).is_some_and(|name| gated.contains(&name));
            let verifies = gate(host).is_none() && behind && is_local(host);
            !refuses(host) && !verifies
        })
    }

    fn gated(&self) -> impl Iterator<Item = (&Directive, &Directive)> {
        self.sites().filter_map(|host| gate(host).map(|gate| (host, gate)))
    }

    /// A directive in a virtual host, or outside of all.
    fn says(&self, host: &Directive, test: impl Fn(&Directive) -> bool) -> bool {
        let outside = self.main.iter().filter(|it| it.block.is_none());
        host.all().into_iter().chain(outside).any(test)
    }
}

fn is_local(host: &Directive) -> bool {
    let local = |arg: &String| ["127.", "[::1]", "localhost"].iter().any(|it| arg.starts_with(it));
    host.args.iter().all(local)
}

fn name_of(host: &Directive) -> Option<String> {
    let name = host.inner().iter().find(|it| is(it, "ServerName"))?;
    Some(name.first().to_lowercase())
}

fn refuses(host: &Directive) -> bool {
    let is_refusal = |it: &Directive| {
        (is(it, "RewriteRule") && it.words().contains("R=421"))
            || (is(it, "Redirect") && it.first().starts_with('4'))
    };
    host.inner().iter().any(is_refusal)
}

/// What the map is asked for.
fn asked(gate: &Directive) -> String {
    let words = gate.words();
    let rest = words.split_once(MAP_CALL).map_or("", |(_, rest)| rest);
    rest.split_once('|').map_or(rest, |(key, _)| key).trim_end_matches('}').to_owned()
}

fn key_of(host: &Directive, gate: &Directive) -> Option<String> {
    match asked(gate).as_str() {
        "%{SERVER_NAME" | "%{SERVER_NAME}" => name_of(host),
        key => Some(key.to_owned()),
    }
}

fn title(host: &Directive) -> String {
    name_of(host).unwrap_or_else(|| host.words())
}

fn served(host: &Directive) -> Served {
    let inner = host.inner();
    let aliases = inner.iter().filter(|it| is(it, "ServerAlias")).flat_map(|it| it.args.clone());
    let all = host.all();
    let passes = all.iter().filter(|it| is(it, "ProxyPass") || is(it, "ProxyPassMatch"));
    let passed = passes.flat_map(|it| &it.args).find(|to| to.contains("://"));
    Served {
        file: host.file.to_path_buf(),
        line: host.line,
        names: name_of(host).into_iter().chain(aliases).collect(),
        key: gate(host).and_then(|gate| key_of(host, gate)),
        listen: host.args.clone(),
        upstream: passed.cloned(),
    }
}

fn gate_missing(config: &Config, places: &mut Places) {
    for host in config.sites().filter(|host| gate(host).is_none()) {
        places.add(host.place(), title(host));
    }
}

fn gate_narrowed(config: &Config, places: &mut Places) {
    for (host, _) in config.gated() {
        if let Some(more) = narrowed(host) {
            places.add(more.place(), title(host));
        }
    }
}

fn is_marker(it: &Directive, action: &str) -> bool {
    let has = |word: &str| it.args.iter().any(|arg| arg.eq_ignore_ascii_case(word));
    is(it, "Header") && has(action) && has("X-Relight-Gate")
}

fn marker_missing(config: &Config, places: &mut Places) {
    for (host, _) in config.gated() {
        if !config.says(host, |it| is_marker(it, "set")) {
            places.add(host.place(), title(host));
        }
    }
}

fn header_kept(config: &Config, places: &mut Places) {
    for (host, _) in config.gated() {
        if !config.says(host, |it| is_marker(it, "unset")) {
            places.add(host.place(), title(host));
        }
    }
}

fn rewrite_off(config: &Config, places: &mut Places) {
    for (host, _) in config.gated() {
        let is_on =
            |it: &Directive| is(it, "RewriteEngine") && it.first().eq_ignore_ascii_case("on");
        if !host.inner().iter().any(is_on) {
            places.add(host.place(), title(host));
        }
    }
}

fn key_invalid(config: &Config, places: &mut Places) {
    for (_, gate) in config.gated() {
        let key = asked(gate);
        if !key.contains(['%', '$']) && GateKey::new(&key).is_err() {
            places.add(gate.place(), key);
        }
    }
}

fn key_twice(config: &Config, places: &mut Places) {
    let mut first: BTreeMap<String, Option<String>> = BTreeMap::new();
    for (host, gate) in config.gated() {
        let Some(key) = key_of(host, gate).filter(|key| !key.contains(['%', '$'])) else {
            continue;
        };
        let name = name_of(host);
        match first.get(&key) {
            Some(before) if *before != name => places.add(gate.place(), key),
            Some(_) => {}
            None => drop(first.insert(key, name)),
        }
    }
}

fn key_from_client(config: &Config, places: &mut Places) {
    for (_, gate) in config.gated() {
        let key = asked(gate);
        if key.contains('%') && !key.contains("SERVER_NAME") {
            places.add(gate.place(), key);
        }
    }
}

/// With it off, `SERVER_NAME` is what the client sent.
fn canonical_name_off(config: &Config, places: &mut Places) {
    let is_on =
        |it: &Directive| is(it, "UseCanonicalName") && it.first().eq_ignore_ascii_case("on");
    for (host, gate) in config.gated().filter(|(_, gate)| asked(gate).contains("SERVER_NAME")) {
        if !config.says(host, is_on) {
            places.add(gate.place(), title(host));
        }
    }
}

/// A `Define` inside the call of a map is not expanded: the gate never fires, and nothing says so.
fn define_in_map(config: &Config, places: &mut Places) {
    for (_, gate) in config.gated() {
        if asked(gate).contains("${") {
            places.add(gate.place(), asked(gate));
        }
    }
}

/// The first virtual host of an address answers for every name that no other has.
fn default_open(config: &Config, places: &mut Places) {
    let mut first: BTreeMap<&str, &Directive> = BTreeMap::new();
    let hosts: Vec<&Directive> = config.hosts().collect();
    for host in &hosts {
        for address in &host.args {
            first.entry(address).or_insert(host);
        }
    }
    for (address, host) in first.into_iter().filter(|(_, host)| !refuses(host)) {
        places.add(host.place(), address);
    }
}

fn acme_proxied(config: &Config, places: &mut Places) {
    for (host, _) in config.gated() {
        let other = [OTHER].into_iter().filter(|it| leaves_out(host, it));
        let mut paths = [TOKEN].into_iter().chain(other);
        if let Some(pass) = paths.find_map(|it| handed_on(&config.main, host, it)) {
            places.add(pass.place(), title(host));
        }
    }
}

/// The holding page would be asked of the origin that is to be closed.
fn hold_proxied(config: &Config, places: &mut Places) {
    for (host, _) in config.gated() {
        let page = error_page(config, host);
        let json = page.strip_suffix(".html").map(|name| format!("{name}.json"));
        let pages = std::iter::once(page).chain(json);
        if let Some(pass) = pages.into_iter().find_map(|it| handed_on(&config.main, host, &it)) {
            places.add(pass.place(), title(host));
        }
    }
}

/// The path that answers the 503 of the gate.
fn error_page(config: &Config, host: &Directive) -> String {
    let all = host.inner().iter().chain(&config.main);
    let mut pages = all.filter(|it| is(it, "ErrorDocument") && it.first() == "503");
    let path = pages.find_map(|it| it.args.get(1).filter(|to| to.starts_with('/')));
    path.map_or("/.relight/hold.html", String::as_str).to_owned()
}

fn hsts_lost(config: &Config, places: &mut Places) {
    let hsts =
        |it: &Directive| is(it, "Header") && it.words().contains("Strict-Transport-Security");
    for (host, _) in config.gated() {
        let always = |it: &Directive| hsts(it) && it.first().eq_ignore_ascii_case("always");
        if config.says(host, hsts) && !config.says(host, always) {
            places.add(host.place(), title(host));
        }
    }
}

fn no_shutdown_timeout(config: &Config, places: &mut Places) {
    let is_set = config.main.iter().any(|it| is(it, "GracefulShutdownTimeout"));
    let whole = config.main.iter().find(|it| is(it, "Listen"));
    if let Some(listen) = whole.filter(|_| !is_set) {
        places.add(listen.place(), "GracefulShutdownTimeout");
    }
}
