//! Caddy's native JSON, with the same codes as the rules about Caddyfiles.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::pattern::{self, CHALLENGES};
use super::{ERROR, Examined, Found, Served};
use crate::http;

/// Deepest nesting of routes.
const ROUTE_DEPTH_MAX: usize = 32;

/// The header of a gate's answer.
const MARKER: &str = "X-Relight-Gate";

pub(super) fn examine(file: &Path, text: &str) -> Examined {
    let document: Value = serde_json::from_str(text).unwrap_or_default();
    let mut reader = Reader { file, text, examined: Examined::default() };
    let servers = document.pointer("/apps/http/servers").and_then(Value::as_object);
    for (name, server) in servers.into_iter().flatten() {
        let listen: Vec<String> = strings(&server["listen"]);
        if is_for_testers(server, &listen) {
            continue;
        }
        reader.server(name, server, &listen);
    }
    reader.examined
}

/// What only a unix socket of this machine reaches is the verification path, and so is an address
/// of this machine where whoever comes shows a certificate.
fn is_for_testers(server: &Value, listen: &[String]) -> bool {
    let policies = list(&server["tls_connection_policies"]);
    let asks = |policy: &&Value| policy["client_authentication"]["mode"] == "require_and_verify";
    let is_shown = !policies.is_empty() && policies.iter().all(asks);
    let is_private = |it: &String| {
        it.starts_with("unix/") || (is_shown && http::loopback(Path::new(it)).is_some())
    };
    !listen.is_empty() && listen.iter().all(is_private)
}

struct Reader<'a> {
    file: &'a Path,
    text: &'a str,
    examined: Examined,
}

impl Reader<'_> {
    /// JSON keeps no places: the line is the first one that holds the word.
    fn line(&self, word: &str) -> usize {
        let quoted = format!("\"{word}\"");
        self.text.lines().position(|line| line.contains(&quoted)).map_or(0, |index| index + 1)
    }

    fn tell(&mut self, code: &'static str, word: &str) {
        let (file, line, what) = (self.file.to_owned(), self.line(word), word.to_owned());
        self.examined.found.push(Found { file, line, code, severity: ERROR, what });
    }

    fn server(&mut self, name: &str, server: &Value, listen: &[String]) {
        let routes = list(&server["routes"]);
        let mut hosts = Vec::new();
        for route in &routes {
            sites(route, &mut hosts, 0);
        }
        // Gates may raise an error and leave the answer to the routes for errors.
        let marks_errors = text_of(&server["errors"]).contains(MARKER);
        for (names, routes) in hosts {
            self.site(names, &routes, listen, marks_errors);
        }
        let last = routes.last().is_some_and(|route| {
            route["match"].is_null() && text_of(route).contains("\"status_code\":421")
        });
        if !last {
            self.tell("default-open", name);
        }
    }

    fn site(
        &mut self,
        names: Vec<String>,
        routes: &[&Value],
        listen: &[String],
        marks_errors: bool,
    ) {
        let title = names.first().cloned().unwrap_or_default();
        let acme = |route: &Value| text_of(&route["match"]).contains("acme-challenge");
        // Behind what hands requests on no gate is asked.
        let mut asked = routes.iter().take_while(|it| !hands_on(it));
        let gate = asked.find(|route| is_gate(route));
        let all: String = routes.iter().map(|route| text_of(route)).collect();
        let proxied = all.contains("\"reverse_proxy\"");
        let key = gate.and_then(|gate| key_of(gate));
        match &key {
            None if routes.iter().any(|route| asks_for_file(route)) => {
                self.tell("gate-narrowed", &title);
            }
            None => self.tell("gate-missing", &title),
            Some(key) if key.contains('{') => self.tell("key-from-client", &title),
            Some(_) => {}
        }
        let marks = gate.is_some_and(|gate| {
            text_of(gate).contains(MARKER) || (marks_errors && raises_error(gate))
        });
        if key.is_some() && !marks {
            self.tell("gate-marker-missing", &title);
        }
        let removes = routes.iter().any(|route| {
            !is_gate(route) && text_of(route).contains("\"delete\":[\"X-Relight-Gate\"")
        });
        if key.is_some() && proxied && !removes {
            self.tell("gate-header-kept", &title);
        }
        if routes.iter().any(|route| acme(route) && is_proxied(route)) {
            self.tell("acme-proxied", &title);
        }
        if let Some(gate) = gate {
            let root = gate["match"][0]["file"]["root"].as_str().unwrap_or_default();
            let folder = PathBuf::from(root.trim_end_matches("/current"));
            if !self.examined.gates.contains(&folder) {
                self.examined.gates.push(folder);
            }
        }
        let (file, line) = (self.file.to_owned(), self.line(&title));
        let upstream = all.split("\"dial\":\"").nth(1).and_then(|rest| rest.split('"').next());
        self.examined.sites.push(Served {
            file,
            line,
            names,
            key,
            listen: listen.to_vec(),
            upstream: upstream.map(str::to_owned),
        });
    }
}

fn list(value: &Value) -> Vec<&Value> {
    value.as_array().map(|items| items.iter().collect()).unwrap_or_default()
}

fn strings(value: &Value) -> Vec<String> {
    list(value).into_iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn text_of(value: &Value) -> String {
    value.to_string()
}

/// The innermost routes that match a host, with what they do.
fn sites<'a>(route: &'a Value, found: &mut Vec<(Vec<String>, Vec<&'a Value>)>, depth: usize) {
    let hosts: Vec<String> = strings(&route["match"][0]["host"]);
    let inner: Vec<&Value> =
        list(&route["handle"]).into_iter().flat_map(|it| list(&it["routes"])).collect();
    let goes_on = inner.iter().any(|it| !it["match"][0]["host"].is_null());
    if goes_on && depth < ROUTE_DEPTH_MAX {
        for route in inner {
            sites(route, found, depth + 1);
        }
    } else if !hosts.is_empty() {
        let routes = if inner.is_empty() { vec![route] } else { inner };
        found.push((hosts, routes));
    }
}

/// Whether a route hands requests on to an origin: others than challenges.
pub(crate) fn hands_on(route: &Value) -> bool {
    is_proxied(route) && !is_of_challenges(route)
}

fn is_proxied(route: &Value) -> bool {
    text_of(&route["handle"]).contains("\"reverse_proxy\"")
}

/// Whether each set of matchers asks for challenges itself: of several sets one is enough, and what
/// stands in a `not` is asked for the other way round.
fn is_of_challenges(route: &Value) -> bool {
    let is_one = |set: &&Value| {
        let paths = strings(&set["path"]);
        let is_path = !paths.is_empty() && paths.iter().all(|it| it.starts_with(CHALLENGES));
        let regexp = set["path_regexp"]["pattern"].as_str();
        is_path || regexp.is_some_and(|it| pattern::is_below(it, CHALLENGES))
    };
    let sets = list(&route["match"]);
    !sets.is_empty() && sets.iter().all(is_one)
}

/// A gate closes everything: it asks for a file and nothing else.
fn is_gate(route: &Value) -> bool {
    let is_alone = route["match"][0].as_object().is_some_and(|it| it.len() == 1);
    is_alone && asks_for_file(route)
}

fn asks_for_file(route: &Value) -> bool {
    !route["match"][0]["file"].is_null() && text_of(route).contains("503")
}

fn raises_error(route: &Value) -> bool {
    list(&route["handle"]).iter().any(|it| it["handler"] == "error")
}

fn key_of(gate: &Value) -> Option<String> {
    let tried = gate["match"][0]["file"]["try_files"][0].as_str()?;
    Some(tried.trim_start_matches('/').to_owned())
}
