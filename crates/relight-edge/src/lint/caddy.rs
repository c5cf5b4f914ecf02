//! Rules about Caddy: Caddyfiles, and its native JSON.

mod order;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use relight_model::GateKey;

use super::read::Files;
use super::tree::{self, Directive, Ends};
use super::{ERROR, Examined, Places, Rule, Served, WARNING, apply, caddy_json, pattern};
use order::before_gate;

pub(super) const RULES: &[Rule<Config>] = &[
    Rule { code: "gate-missing", severity: ERROR, find: gate_missing },
    Rule { code: "gate-narrowed", severity: ERROR, find: gate_narrowed },
    Rule { code: "gate-by-admin", severity: ERROR, find: gate_by_admin },
    Rule { code: "gate-marker-missing", severity: ERROR, find: marker_missing },
    Rule { code: "gate-header-kept", severity: ERROR, find: header_kept },
    Rule { code: "site-key-invalid", severity: ERROR, find: key_invalid },
    Rule { code: "site-key-twice", severity: ERROR, find: key_twice },
    Rule { code: "key-from-client", severity: ERROR, find: key_from_client },
    Rule { code: "default-open", severity: ERROR, find: default_open },
    Rule { code: "acme-proxied", severity: ERROR, find: acme_proxied },
    Rule { code: "hsts-lost", severity: WARNING, find: hsts_lost },
];

const HSTS: &str = "Strict-Transport-Security";

/// Directives that hand a request on.
const PROXIES: [&str; 2] = ["reverse_proxy", "php_fastcgi"];
/// Directives that answer one themselves.
const ANSWERS: [&str; 4] = ["file_server", "respond", "error", "abort"];

/// Deepest import of snippets in snippets.
const IMPORT_DEPTH_MAX: usize = 16;

/// A Caddyfile with its imports in place.
pub(super) struct Config {
    blocks: Vec<Directive>,
}

pub(super) fn examine(files: &mut Files, text: &str) -> Examined {
    let root = files.root().to_owned();
    if text.trim_start().starts_with('{') && serde_json::from_str::<serde_json::Value>(text).is_ok()
    {
        return caddy_json::examine(&root, text);
    }
    let parsed = tree::parse(files, &root, text, Ends::Line);
    let parsed = bring(files, parsed, &mut BTreeSet::new(), 0);
    let snippets: BTreeMap<String, Vec<Directive>> = parsed
        .iter()
        .filter(|it| is_snippet(it))
        .map(|it| (it.name[1..it.name.len() - 1].to_owned(), it.inner().to_vec()))
        .collect();
    let blocks = parsed.into_iter().filter(|it| !is_snippet(it)).collect();
    let config = Config { blocks: expand(files, &snippets, blocks, 0) };
    let sites = config.sites().map(served).collect();
    let mut gates: Vec<PathBuf> =
        config.gated().filter_map(|(_, gate)| Some(PathBuf::from(gate.root?))).collect();
    gates.sort();
    gates.dedup();
    Examined { sites, found: apply(RULES, &config), gates }
}

fn is_snippet(it: &Directive) -> bool {
    it.name.starts_with('(') && it.name.ends_with(')')
}

/// Puts files that are imported outside of sites in place: snippets may stand in them.
fn bring(
    files: &mut Files,
    directives: Vec<Directive>,
    snippets: &mut BTreeSet<String>,
    depth: usize,
) -> Vec<Directive> {
    snippets.extend(directives.iter().filter(|it| is_snippet(it)).map(|it| it.name.clone()));
    let mut found = Vec::with_capacity(directives.len());
    for directive in directives {
        let is_file = !snippets.contains(&format!("({})", directive.first()));
        if directive.name != "import" || !is_file || depth >= IMPORT_DEPTH_MAX {
            found.push(directive);
            continue;
        }
        for (path, text) in files.include(directive.first(), directive.place(), depth) {
            let mut parsed = tree::parse(files, &path, &text, Ends::Line);
            for it in &mut parsed {
                fill(it, directive.args.get(1..).unwrap_or_default());
            }
            found.extend(bring(files, parsed, snippets, depth + 1));
        }
    }
    found
}

/// Puts imported files and snippets in place; `{args[0]}` is the first argument of an import.
fn expand(
    files: &mut Files,
    snippets: &BTreeMap<String, Vec<Directive>>,
    directives: Vec<Directive>,
    depth: usize,
) -> Vec<Directive> {
    let mut found = Vec::with_capacity(directives.len());
    for mut directive in directives {
        if let Some(inner) = directive.block.take() {
            directive.block = Some(expand(files, snippets, inner, depth));
        }
        if directive.name != "import" || depth >= IMPORT_DEPTH_MAX {
            found.push(directive);
            continue;
        }
        let mut brought = match snippets.get(directive.first()) {
            Some(snippet) => snippet.clone(),
            None => {
                let texts = files.include(directive.first(), directive.place(), depth);
                let parse =
                    |(path, text): (PathBuf, String)| tree::parse(files, &path, &text, Ends::Line);
                texts.into_iter().flat_map(parse).collect()
            }
        };
        for it in &mut brought {
            fill(it, directive.args.get(1..).unwrap_or_default());
        }
        found.extend(expand(files, snippets, brought, depth + 1));
    }
    found
}

fn fill(directive: &mut Directive, args: &[String]) {
    for (index, arg) in args.iter().enumerate() {
        for form in [format!("{{args[{index}]}}"), format!("{{args.{index}}}")] {
            directive.name = directive.name.replace(&form, arg);
            for word in &mut directive.args {
                *word = word.replace(&form, arg);
            }
        }
    }
    for inner in directive.block.iter_mut().flatten() {
        fill(inner, args);
    }
}

/// The matcher that looks for the file of a site.
struct Gate<'a> {
    matcher: &'a Directive,
    root: Option<String>,
    key: String,
    /// What else the matcher asks for: it leaves visitors in.
    more: Option<&'a Directive>,
}

/// Finds a named matcher of the kind `file` below a gate folder that some answer of 503 uses: the
/// one of the whole site, where there are some of parts too.
fn gate(site: &Directive) -> Option<Gate<'_>> {
    let all = site.all();
    let mut narrowed = None;
    for matcher in all.iter().filter(|it| it.name.starts_with('@')) {
        let parts = matcher.all();
        let is_file = matcher.first() == "file" || parts.iter().any(|it| it.name == "file");
        let root = parts.iter().find(|it| it.name == "root").map(|it| it.first().to_owned());
        let root = root.as_deref().and_then(|root| root.strip_suffix("/current"));
        let tried = parts.iter().find(|it| it.name == "try_files").map(|it| it.first().to_owned());
        let (true, Some(root), Some(tried)) = (is_file, root, tried) else { continue };
        let uses = |it: &&&Directive| it.args.first() == Some(&matcher.name);
        let closes = all.iter().filter(uses).any(|user| answers_503(user));
        if closes {
            let key = tried.trim_start_matches('/').to_owned();
            let more = more(matcher);
            let found = Gate { matcher, root: Some(root.to_owned()), key, more };
            if found.more.is_none() {
                return Some(found);
            }
            narrowed.get_or_insert(found);
        }
    }
    narrowed
}

/// What a matcher asks for beside its file. Challenges may be left out: whether something else
/// answers them is looked at elsewhere.
fn more(matcher: &Directive) -> Option<&Directive> {
    if !matcher.args.is_empty() {
        return None;
    }
    matcher.inner().iter().find(|it| it.name != "file" && !leaves_acme_out(it))
}

fn leaves_acme_out(matcher: &Directive) -> bool {
    left_out(matcher).is_some()
}

/// The kind of a matcher that `not` turns round, and the paths of challenges in it.
fn left_out(matcher: &Directive) -> Option<(&str, &[String])> {
    let (kind, paths) = match (matcher.inner(), matcher.args.as_slice()) {
        ([], [kind, paths @ ..]) => (kind, paths),
        ([one], []) => (&one.name, one.args.as_slice()),
        _ => return None,
    };
    let is_token = |arg: &String| arg.contains("acme-challenge/");
    let is_ours = matcher.name == "not" && kind.starts_with("path");
    (is_ours && !paths.is_empty() && paths.iter().all(is_token)).then_some((kind, paths))
}

fn is_acme(it: &Directive) -> bool {
    it.words().contains("acme-challenge")
}

fn answers_503(it: &Directive) -> bool {
    it.all().iter().any(|it| it.words().split(' ').any(|word| word == "503"))
}

impl Config {
    /// Blocks of sites: all but the global options, named routes, and those that refuse every name.
    fn sites(&self) -> impl Iterator<Item = &Directive> {
        let is_route = |it: &Directive| it.name.starts_with("&(") || is_snippet(it);
        let blocks = self.blocks.iter().filter(|it| it.block.is_some() && !it.name.is_empty());
        blocks.filter(move |it| !is_route(it) && !refuses(it))
    }

    fn gated(&self) -> impl Iterator<Item = (&Directive, Gate<'_>)> {
        self.sites().filter_map(|site| gate(site).map(|gate| (site, gate)))
    }
}

fn refuses(site: &Directive) -> bool {
    site.named("respond").any(|it| it.words().contains("421"))
}

fn addresses(site: &Directive) -> Vec<String> {
    let words = std::iter::once(&site.name).chain(&site.args);
    words.map(|word| word.trim_end_matches(',').to_owned()).collect()
}

fn host(address: &str) -> String {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    rest.split([':', '/']).next().unwrap_or_default().to_owned()
}

fn served(site: &Directive) -> Served {
    let all = site.all();
    let proxy = all.iter().find(|it| it.name == "reverse_proxy");
    let to = proxy.and_then(|it| it.args.iter().rev().find(|arg| !arg.starts_with(['@', '/'])));
    Served {
        file: site.file.to_path_buf(),
        line: site.line,
        names: addresses(site).iter().map(|it| host(it)).filter(|it| !it.is_empty()).collect(),
        key: gate(site).map(|gate| gate.key),
        listen: addresses(site),
        upstream: to.cloned(),
    }
}

/// A constant answer of ours with nothing that looks at a file: somebody switches it through the
/// admin interface, which panics, resets connections and is lost at a reload.
fn is_switched(site: &Directive) -> bool {
    let marks = |it: &&Directive| it.words().contains("X-Relight-Gate") && it.name == "header";
    gate(site).is_none() && site.all().iter().any(marks)
}

fn gate_missing(config: &Config, places: &mut Places) {
    for site in config.sites().filter(|site| gate(site).is_none() && !is_switched(site)) {
        places.add(site.place(), site.name.trim_end_matches(','));
    }
}

fn gate_narrowed(config: &Config, places: &mut Places) {
    for (site, gate) in config.gated() {
        if let Some(more) = gate.more.or_else(|| before_gate(site, &gate)) {
            places.add(more.place(), site.name.trim_end_matches(','));
        }
    }
}

fn gate_by_admin(config: &Config, places: &mut Places) {
    for site in config.sites().filter(|site| is_switched(site)) {
        places.add(site.place(), site.name.trim_end_matches(','));
    }
}

fn marker_missing(config: &Config, places: &mut Places) {
    for (site, gate) in config.gated() {
        let says = |it: &&Directive| {
            (it.name == "header" || it.words().contains("header"))
                && it
                    .all()
                    .iter()
                    .any(|it| it.words().contains("X-Relight-Gate") || it.name == "X-Relight-Gate")
        };
        if !site.all().iter().any(says) {
            places.add(gate.matcher.place(), site.name.trim_end_matches(','));
        }
    }
}

fn header_kept(config: &Config, places: &mut Places) {
    for (site, _) in config.gated() {
        for proxy in site.all().into_iter().filter(|it| it.name == "reverse_proxy") {
            let removes = |it: &Directive| it.first().eq_ignore_ascii_case("-X-Relight-Gate");
            if !proxy.named("header_down").any(removes) {
                places.add(proxy.place(), site.name.trim_end_matches(','));
            }
        }
    }
}

fn key_invalid(config: &Config, places: &mut Places) {
    for (_, gate) in config.gated() {
        if !gate.key.contains('{') && GateKey::new(&gate.key).is_err() {
            places.add(gate.matcher.place(), gate.key);
        }
    }
}

fn key_twice(config: &Config, places: &mut Places) {
    let mut first: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (site, gate) in config.gated().filter(|(_, gate)| !gate.key.contains('{')) {
        let names: Vec<String> = addresses(site).iter().map(|it| host(it)).collect();
        match first.get(&gate.key) {
            Some(before) if !names.iter().any(|name| before.contains(name)) => {
                places.add(gate.matcher.place(), gate.key);
            }
            Some(_) => {}
            None => drop(first.insert(gate.key, names)),
        }
    }
}

fn key_from_client(config: &Config, places: &mut Places) {
    for (_, gate) in config.gated().filter(|(_, gate)| gate.key.contains('{')) {
        places.add(gate.matcher.place(), gate.key);
    }
}

/// Without it, names that nobody serves get an empty 200.
fn default_open(config: &Config, places: &mut Places) {
    let catches = |site: &Directive| addresses(site).iter().any(|it| host(it).is_empty());
    let is_closed = config.blocks.iter().any(|it| refuses(it) && catches(it));
    if let Some(first) = config.sites().next().filter(|_| !is_closed) {
        places.add(first.place(), ":80");
    }
}

fn sets_hsts(it: &Directive) -> bool {
    it.all().iter().any(|it| {
        let mut words = std::iter::once(&it.name).chain(&it.args);
        words.any(|word| word.trim_start_matches(['+', '?', '>']).eq_ignore_ascii_case(HSTS))
    })
}

/// A `header` of the site itself is on every answer; one that is beside the proxy, or has a matcher
/// of its own, is not on that of the gate.
fn hsts_lost(config: &Config, places: &mut Places) {
    for (site, gate) in config.gated() {
        let of_all = |it: &Directive| it.name == "header" && !it.first().starts_with(['@', '/']);
        let everywhere = site.named("header").any(|it| of_all(it) && sets_hsts(it));
        let all = site.all();
        let mut answers = all.iter().filter(|it| it.args.first() == Some(&gate.matcher.name));
        if sets_hsts(site) && !everywhere && !answers.any(|it| sets_hsts(it)) {
            places.add(gate.matcher.place(), site.name.trim_end_matches(','));
        }
    }
}

fn acme_proxied(config: &Config, places: &mut Places) {
    for (site, gate) in config.gated() {
        let all = site.all();
        let is_matcher = |it: &&&Directive| {
            it.name.starts_with('@') && is_acme(it) && it.name != gate.matcher.name
        };
        let matchers: Vec<&Directive> = all.iter().filter(is_matcher).copied().collect();
        let mut answered: Vec<(&str, &str)> = Vec::new();
        for it in all.iter().filter(|it| !it.name.starts_with('@') && it.name != "not") {
            let matcher = matchers.iter().find(|matcher| it.first() == matcher.name);
            if matcher.is_none() && !is_acme(it) {
                continue;
            }
            let below = it.all();
            if below.iter().any(|it| PROXIES.contains(&it.name.as_str())) {
                places.add(it.place(), site.name.trim_end_matches(','));
            }
            if below.iter().any(|it| ANSWERS.contains(&it.name.as_str())) {
                match matcher {
                    Some(matcher) => answered.extend(paths(matcher)),
                    None => answered.push(("path", it.first())),
                }
            }
        }
        // The gate lets the path through, and nothing but the site answers it.
        let is_open = |it: &&Directive| {
            let covers = |kind: &str, path: &String| {
                let same = |(own, answer): &(&str, &str)| covers((*own, *answer), (kind, path));
                answered.iter().any(same)
            };
            left_out(it).is_some_and(|(kind, paths)| !paths.iter().all(|path| covers(kind, path)))
        };
        if let Some(left_out) = gate.matcher.inner().iter().find(is_open) {
            places.add(left_out.place(), site.name.trim_end_matches(','));
        }
    }
}

/// The paths for which a named matcher asks, if it asks for nothing else.
fn paths(matcher: &Directive) -> Vec<(&str, &str)> {
    let (kind, args) = match (matcher.inner(), matcher.args.as_slice()) {
        ([], [kind, args @ ..]) => (kind, args),
        ([one], []) => (&one.name, one.args.as_slice()),
        _ => return Vec::new(),
    };
    args.iter().map(|arg| (kind.as_str(), arg.as_str())).collect()
}

/// Whether what is answered is all that is left out: the same paths, or everything below a folder
/// in which they are.
fn covers((own, answer): (&str, &str), (kind, path): (&str, &str)) -> bool {
    let is_below = |folder: &str| match kind {
        "path" => path.starts_with(folder),
        _ => pattern::is_below(path, folder),
    };
    let is_folder = own == "path" && answer.strip_suffix('*').is_some_and(is_below);
    is_folder || (own == kind && answer == path)
}
