//! Rules about HAProxy.

mod conditions;
mod routes;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{ERROR, Examined, Found, Places, Rule, Served, WARNING, apply};
use routes::{acme_proxied, default_open, gate_narrowed};

pub(super) const RULES: &[Rule<Config>] = &[
    Rule { code: "gate-missing", severity: ERROR, find: gate_missing },
    Rule { code: "gate-narrowed", severity: ERROR, find: gate_narrowed },
    Rule { code: "gate-marker-missing", severity: ERROR, find: marker_missing },
    Rule { code: "gate-header-kept", severity: ERROR, find: header_kept },
    Rule { code: "key-from-client", severity: ERROR, find: key_from_client },
    Rule { code: "default-open", severity: ERROR, find: default_open },
    Rule { code: "acme-proxied", severity: ERROR, find: acme_proxied },
    Rule { code: "no-admin-socket", severity: ERROR, find: no_admin_socket },
    Rule { code: "map-shared", severity: ERROR, find: map_shared },
    Rule { code: "bufsize-too-small", severity: ERROR, find: bufsize },
    Rule { code: "hsts-lost", severity: WARNING, find: hsts_lost },
    Rule { code: "no-hard-stop", severity: WARNING, find: no_hard_stop },
];

/// The smallest `tune.bufsize` with which a payload of 12,288 bytes is taken whole, in bytes.
const BUFSIZE_MIN: u64 = 16_384;

const SECTIONS: [&str; 13] = [
    "global",
    "defaults",
    "frontend",
    "backend",
    "listen",
    "userlist",
    "peers",
    "resolvers",
    "mailers",
    "cache",
    "program",
    "ring",
    "http-errors",
];

struct Line {
    words: Vec<String>,
    number: usize,
}

impl Line {
    fn text(&self) -> String {
        self.words.join(" ")
    }

    fn starts(&self, words: &[&str]) -> bool {
        words.len() <= self.words.len() && words.iter().zip(&self.words).all(|(a, b)| a == b)
    }

    /// The answer of a gate: a 503 while a map says so. Others than ours look for something else
    /// than a site (an address, a host), and do not say that it was the gate.
    fn is_gate(&self) -> bool {
        let is_site = |input: &str| input.starts_with("be_name") || input.starts_with("str(");
        let text = self.text();
        let marks = text.to_lowercase().contains("x-relight-gate");
        self.starts(&["http-request", "return"])
            && text.contains("503")
            && self.input().is_some_and(|input| marks || is_site(input))
    }

    /// What the map of a gate is asked for.
    fn input(&self) -> Option<&str> {
        let at = self.words.iter().position(|word| word == "if" || word == "unless")?;
        self.words[at..].iter().find_map(|word| word.find(",map").map(|end| &word[..end]))
    }

    /// Whether the gate is that of the section as a whole, and not of a part of a site.
    fn is_whole(&self, section: &Section) -> bool {
        let key = self.input().and_then(|input| input.strip_prefix("str(")?.strip_suffix(')'));
        key.is_none_or(|key| key == section.name)
    }

    /// The map that it looks into, and what stands for an entry that is not there.
    fn map(&self) -> Option<String> {
        self.map_call().and_then(|args| args.split(',').next().map(str::to_owned))
    }

    fn map_call(&self) -> Option<String> {
        let text = self.text();
        let at = ["map_str(", "map_beg(", "map_reg(", "map("]
            .into_iter()
            .find_map(|call| text.find(call).map(|at| at + call.len()))?;
        let end = text[at..].find(')')?;
        Some(text[at..at + end].to_owned())
    }
}

struct Section {
    kind: String,
    name: String,
    number: usize,
    /// Of the defaults that it builds on.
    parent: Option<usize>,
    lines: Vec<Line>,
}

/// A configuration, section by section.
pub(super) struct Config {
    file: PathBuf,
    sections: Vec<Section>,
}

pub(super) fn examine(file: &Path, text: &str) -> Examined {
    let config = Config { file: file.to_owned(), sections: sections(text) };
    let gates = config.gate_maps().into_iter().map(PathBuf::from).collect();
    let mut found = apply(RULES, &config);
    if let Some(index) = text.lines().position(|line| !is_whole(line)) {
        let (file, line, what) = (file.to_owned(), index + 1, "\"".to_owned());
        found.push(Found { file, line, code: "config-torn", severity: ERROR, what });
    }
    Examined { sites: config.served(), found, gates }
}

fn sections(text: &str) -> Vec<Section> {
    let mut found: Vec<Section> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let words = words(line);
        let Some(first) = words.first() else { continue };
        if SECTIONS.contains(&first.as_str()) {
            let name = words.get(1).filter(|name| *name != "from").cloned().unwrap_or_default();
            let parent = parent(&found, first, &words);
            let kind = first.clone();
            found.push(Section { kind, name, number: index + 1, parent, lines: Vec::new() });
        } else if let Some(section) = found.last_mut() {
            section.lines.push(Line { words, number: index + 1 });
        }
    }
    found
}

/// The defaults after `from`, else the last ones before a proxy.
fn parent(sections: &[Section], kind: &str, words: &[String]) -> Option<usize> {
    let named = words.iter().position(|word| word == "from").and_then(|at| words.get(at + 1));
    let is_named = |section: &Section| named.is_none_or(|name| section.name == *name);
    let may = matches!(kind, "frontend" | "backend" | "listen") || named.is_some();
    let found = sections.iter().rposition(|it| it.kind == "defaults" && is_named(it));
    found.filter(|_| may)
}

/// Whether every quotation mark of a line has its other half.
fn is_whole(line: &str) -> bool {
    split(line).1
}

fn words(line: &str) -> Vec<String> {
    split(line).0
}

/// The words of a line, and whether its quotation marks fit together.
fn split(line: &str) -> (Vec<String>, bool) {
    let mut found = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    let mut chars = line.chars();
    while let Some(char) = chars.next() {
        match (quote, char) {
            (Some(open), char) if char == open => quote = None,
            (Some('\''), char) => word.push(char),
            (_, '\\') => {
                word.push('\\');
                word.extend(chars.next());
            }
            (None, '"' | '\'') => quote = Some(char),
            (None, '#') => break,
            (None, char) if char.is_whitespace() => {
                if !word.is_empty() {
                    found.push(std::mem::take(&mut word));
                }
            }
            (_, char) => word.push(char),
        }
    }
    if !word.is_empty() {
        found.push(word);
    }
    (found, quote.is_none())
}

impl Config {
    fn place(&self, number: usize) -> (&Path, usize) {
        (&self.file, number)
    }

    fn of<'a>(&'a self, kinds: &'a [&'a str]) -> impl Iterator<Item = &'a Section> {
        self.sections.iter().filter(move |it| kinds.contains(&it.kind.as_str()))
    }

    /// The lines of a section with those of its defaults.
    fn effective<'a>(&'a self, section: &'a Section) -> Vec<&'a Line> {
        let mut lines: Vec<&Line> = section.lines.iter().collect();
        let mut parent = section.parent;
        while let Some(defaults) = parent.and_then(|index| self.sections.get(index)) {
            lines.extend(&defaults.lines);
            // Sections come in order, so this ends.
            parent = defaults.parent;
        }
        lines
    }

    /// The same in the order in which HAProxy goes through them.
    fn ordered<'a>(&'a self, section: &'a Section) -> Vec<&'a Line> {
        let mut levels = vec![&section.lines];
        let mut parent = section.parent;
        while let Some(defaults) = parent.and_then(|index| self.sections.get(index)) {
            levels.push(&defaults.lines);
            parent = defaults.parent;
        }
        levels.into_iter().rev().flatten().collect()
    }

    /// Backends with servers behind them, which speak HTTP.
    fn serving(&self) -> impl Iterator<Item = &Section> {
        self.of(&["backend", "listen"]).filter(|section| {
            let has_server = section.lines.iter().any(|line| line.starts(&["server"]));
            let mode = self.effective(section).into_iter().find(|line| line.starts(&["mode"]));
            has_server && mode.is_none_or(|line| line.starts(&["mode", "http"]))
        })
    }

    fn gates_of<'a>(&'a self, section: &'a Section) -> Vec<&'a Line> {
        self.effective(section).into_iter().filter(|line| line.is_gate()).collect()
    }

    fn gated(&self) -> impl Iterator<Item = (&Section, Vec<&Line>)> {
        let with = self.serving().map(|section| (section, self.gates_of(section)));
        with.filter(|(_, gates)| !gates.is_empty())
    }

    fn gate_maps(&self) -> Vec<String> {
        let gates = self.sections.iter().flat_map(|it| &it.lines).filter(|line| line.is_gate());
        let mut maps: Vec<String> = gates.filter_map(Line::map).collect();
        maps.sort();
        maps.dedup();
        maps
    }

    fn serves(&self, backend: &str) -> bool {
        self.serving().any(|section| section.name == backend)
    }

    fn served(&self) -> Vec<Served> {
        let names = self.names();
        let fronts = self.of(&["frontend", "listen"]).flat_map(|it| &it.lines);
        let binds = fronts.filter(|line| line.starts(&["bind"]));
        let listen: Vec<String> = binds.filter_map(|line| line.words.get(1).cloned()).collect();
        let site = |section: &Section| {
            let server = section.lines.iter().find(|line| line.starts(&["server"]));
            let by_name = |line: &&&Line| line.text().contains("be_name");
            let is_gated = self.gates_of(section).iter().find(by_name).is_some();
            Served {
                file: self.file.clone(),
                line: section.number,
                names: names.get(&section.name).cloned().unwrap_or_default(),
                key: is_gated.then(|| section.name.clone()),
                listen: listen.clone(),
                upstream: server.and_then(|line| line.words.get(2).cloned()),
            }
        };
        self.serving().map(site).collect()
    }

    /// Host names by backend: of maps of hosts that can be read, and of conditions on the host.
    fn names(&self) -> BTreeMap<String, Vec<String>> {
        let mut names: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for section in self.of(&["frontend", "listen"]) {
            let acls = section.lines.iter().filter(|line| line.starts(&["acl"]));
            let acls: BTreeMap<&str, Vec<String>> = acls
                .filter_map(|line| Some((line.words.get(1)?.as_str(), hosts(&line.words[2..]))))
                .collect();
            for line in section.lines.iter().filter(|line| line.starts(&["use_backend"])) {
                let backend = line.words.get(1).cloned().unwrap_or_default();
                if let Some(map) = line.map().filter(|_| backend.starts_with("%[")) {
                    self.read_hosts(&map, &mut names);
                    continue;
                }
                let of_acls =
                    line.words.iter().filter_map(|word| acls.get(word.as_str())).flatten();
                let found: Vec<String> = of_acls.cloned().chain(hosts(&line.words)).collect();
                names.entry(backend).or_default().extend(found);
            }
        }
        names
    }

    fn read_hosts(&self, map: &str, names: &mut BTreeMap<String, Vec<String>>) {
        let path = self.file.parent().unwrap_or(Path::new("/")).join(map);
        // Names are for people here; a map that cannot be read takes none of the faults away.
        let text = std::fs::read_to_string(path).unwrap_or_default();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            if let Some((host, backend)) = line.split_once(char::is_whitespace) {
                names.entry(backend.trim().to_owned()).or_default().push(host.to_owned());
            }
        }
    }
}

/// The names in a condition on the host header.
fn hosts(words: &[String]) -> Vec<String> {
    let Some(at) = words.iter().position(|word| word.contains("hdr(host)")) else {
        return Vec::new();
    };
    let rest = words[at + 1..].iter().take_while(|word| *word != "}");
    rest.filter(|word| !word.starts_with('-')).cloned().collect()
}

fn gate_missing(config: &Config, places: &mut Places) {
    let has_one =
        |section: &&Section| config.gates_of(section).iter().any(|line| line.is_whole(section));
    for section in config.serving().filter(|section| !has_one(section)) {
        places.add(config.place(section.number), section.name.clone());
    }
}

fn marker_missing(config: &Config, places: &mut Places) {
    for line in config.sections.iter().flat_map(|it| &it.lines).filter(|line| line.is_gate()) {
        if !line.text().to_lowercase().contains("x-relight-gate") {
            places.add(config.place(line.number), "X-Relight-Gate");
        }
    }
}

fn header_kept(config: &Config, places: &mut Places) {
    for (section, _) in config.gated() {
        let removes = |line: &&Line| {
            line.starts(&["http-response", "del-header"])
                && line.text().to_lowercase().contains("x-relight-gate")
        };
        if !config.effective(section).iter().any(removes) {
            places.add(config.place(section.number), section.name.clone());
        }
    }
}

/// The name of the backend, which HAProxy chose, or the key of a part as it is.
fn key_from_client(config: &Config, places: &mut Places) {
    for line in config.sections.iter().flat_map(|it| &it.lines).filter(|line| line.is_gate()) {
        let input = line.input().unwrap_or_default();
        let is_literal = input.starts_with("str(") && input.find(')') == Some(input.len() - 1);
        if input != "be_name" && !is_literal {
            places.add(config.place(line.number), input);
        }
    }
}

fn no_admin_socket(config: &Config, places: &mut Places) {
    let is_admin =
        |line: &Line| line.starts(&["stats", "socket"]) && line.text().contains("level admin");
    let global = config.of(&["global"]).next();
    if !config.of(&["global"]).flat_map(|it| &it.lines).any(is_admin) {
        places.add(config.place(global.map_or(1, |it| it.number)), "stats socket");
    }
}

fn map_shared(config: &Config, places: &mut Places) {
    let maps = config.gate_maps();
    for line in config.sections.iter().flat_map(|it| &it.lines).filter(|line| !line.is_gate()) {
        if let Some(map) = line.map().filter(|map| maps.contains(map)) {
            places.add(config.place(line.number), map);
        }
    }
}

fn bufsize(config: &Config, places: &mut Places) {
    for line in config.of(&["global"]).flat_map(|it| &it.lines) {
        let size = line.words.get(1).and_then(|word| word.parse::<u64>().ok());
        if line.starts(&["tune.bufsize"]) && size.is_none_or(|size| size < BUFSIZE_MIN) {
            places.add(config.place(line.number), line.text());
        }
    }
}

fn hsts_lost(config: &Config, places: &mut Places) {
    let hsts = |line: &Line| line.text().to_lowercase().contains("strict-transport-security");
    let fronts = || config.of(&["frontend", "listen"]).flat_map(|it| &it.lines);
    let by_front = fronts().any(|line| line.starts(&["http-after-response"]) && hsts(line));
    for (section, gates) in config.gated().filter(|_| !by_front) {
        let sets = config
            .effective(section)
            .into_iter()
            .chain(fronts())
            .any(|line| line.starts(&["http-response"]) && hsts(line));
        if sets && !gates.iter().all(|line| hsts(line)) {
            places.add(config.place(section.number), section.name.clone());
        }
    }
}

fn no_hard_stop(config: &Config, places: &mut Places) {
    if let Some(global) = config.of(&["global"]).next() {
        let is_set = |line: &Line| line.starts(&["hard-stop-after"]);
        if !config.of(&["global"]).flat_map(|it| &it.lines).any(is_set) {
            places.add(config.place(global.number), "hard-stop-after");
        }
    }
}
