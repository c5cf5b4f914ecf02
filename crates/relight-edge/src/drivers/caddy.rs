//! Caddy 2.6 with the file gate of `config::caddy`: each request looks for `$GATE/current/<key>`.
//!
//! The admin interface is read, never written: what somebody loaded through it may have dropped
//! the gate of a site, which no folder shows.

use std::collections::BTreeSet;
use std::path::PathBuf;

use relight_model::{Epoch, GateKey, INTERNAL_RANGES, READING_METHODS, Seen};
use serde_json::{Map, Value, json};

use crate::capability::Capabilities;
use crate::driver::{
    DriverKind, EdgeDriver, GateSet, GateView, Lint, Setting, Stage, Target, TunnelCount,
};
use crate::error::{EdgeError, EdgeErrorKind};
use crate::gate_driver::{GateDriver, reads_as_somebody_else};
use crate::http::Client;
use crate::lint::hands_on;

pub(super) const PLUGIN: Caddy = Caddy { capabilities: Capabilities::FILE_GATE };

/// Longest configuration that is read back, in bytes: 50,000 sites of 1.2 kB each.
const CONFIG_BYTES_MAX: usize = 64 << 20;
/// Deepest nesting that is searched for gates.
const DEPTH_MAX: usize = 64;

pub(super) struct Caddy {
    capabilities: Capabilities,
}

impl DriverKind for Caddy {
    fn name(&self) -> &'static str {
        "caddy"
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    fn settings(&self) -> &'static [Setting] {
        const {
            &[
                // Unix socket of the admin interface.
                Setting::optional("admin"),
                Setting::optional("origins"),
                Setting::optional("worker_user"),
                Setting::RELOAD,
                Setting::UPGRADES,
            ]
        }
    }

    fn open(&self, target: &Target) -> Result<Box<dyn EdgeDriver>, EdgeError> {
        let foreign_reader = reads_as_somebody_else(target);
        Ok(Box::new(CaddyEdge {
            edge: target.name.clone(),
            gate: GateDriver::create(target, self.capabilities, foreign_reader)?,
            root: target.gate.join("current").display().to_string(),
            admin: target.settings.get("admin").map(PathBuf::from),
            seen: Vec::new(),
            gated: BTreeSet::new(),
            generation: 0,
        }))
    }
}

/// One Caddy process.
struct CaddyEdge {
    edge: String,
    gate: GateDriver,
    /// What the root of a gate's matcher must be.
    root: String,
    admin: Option<PathBuf>,
    /// The configuration that was read last, and the keys whose gate is in it.
    seen: Vec<u8>,
    gated: BTreeSet<String>,
    /// How many configurations were seen.
    generation: u64,
}

impl CaddyEdge {
    /// Reads the configuration that is running and notes which keys have a gate in it.
    fn read_config(&mut self) -> Result<(), EdgeError> {
        let Some(admin) = &self.admin else { return Ok(()) };
        let mut client = Client::connect_unix(admin)?;
        client.body_bytes_max = CONFIG_BYTES_MAX;
        // On a unix socket Caddy takes requests for an empty host only.
        let answer = client.exchange(b"GET /config/ HTTP/1.1\r\nHost: \r\n\r\n", false)?;
        if answer.status != 200 || answer.truncated {
            let doing = format!("read the configuration from {}", admin.display());
            let cause = format!("status {}, {} bytes", answer.status, answer.body.len());
            return Err(EdgeError::new(EdgeErrorKind::Refused, doing).because(cause));
        }
        if answer.body == self.seen {
            return Ok(());
        }
        let document: Value = serde_json::from_slice(&answer.body).map_err(|cause| {
            let doing = format!("understand the configuration of {}", admin.display());
            EdgeError::new(EdgeErrorKind::Refused, doing).because(cause)
        })?;
        self.gated.clear();
        find_gates(&document, &self.root, &mut self.gated, 0);
        self.seen = answer.body;
        self.generation += 1;
        Ok(())
    }
}

/// Collects the keys of every route that asks for a file of the gate and answers by itself. The
/// gate of a part counts beside the one of its site only: a matcher that asks for more than the
/// file leaves visitors in.
fn find_gates(value: &Value, root: &str, gated: &mut BTreeSet<String>, depth: usize) {
    if depth > DEPTH_MAX {
        return;
    }
    let below = depth + 1;
    match value {
        Value::Array(items) => {
            let mut site = None;
            // Behind what hands requests on no gate is asked.
            let passed = items.iter().position(hands_on).unwrap_or(items.len());
            for (index, item) in items.iter().enumerate() {
                match gate_of(item, root).filter(|_| index < passed) {
                    None => find_gates(item, root, gated, below),
                    Some((key, Asks::File)) => {
                        site = Some(key);
                        gated.insert(key.to_owned());
                    }
                    Some((key, asks)) => {
                        let rest = site.and_then(|site| key.strip_prefix(site));
                        if rest.is_some_and(|rest| asks.is_of(rest)) {
                            gated.insert(key.to_owned());
                        }
                    }
                }
            }
        }
        Value::Object(fields) => {
            fields.values().for_each(|field| find_gates(field, root, gated, below));
        }
        _ => {}
    }
}

/// What the matcher of a gate asks for beside its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asks {
    /// Nothing: it closes the whole site.
    File,
    /// A path.
    Path,
    /// What `config::caddy` asks for of this class of visitors or methods.
    Class(&'static str),
    /// Something else.
    More,
}

impl Asks {
    fn of(set: &Map<String, Value>) -> Self {
        let rest: Vec<(&String, &Value)> = set.iter().filter(|(name, _)| *name != "file").collect();
        let [(name, value)] = rest.as_slice() else {
            return if rest.is_empty() { Self::File } else { Self::More };
        };
        let internet = json!([{"remote_ip": {"ranges": INTERNAL_RANGES}}]);
        match name.as_str() {
            "path_regexp" => Self::Path,
            "not" if **value == internet => Self::Class("@internet"),
            "not" if **value == json!([{"method": READING_METHODS}]) => Self::Class("@write"),
            _ => Self::More,
        }
    }

    /// Whether it makes the gate one of the part with this end of its key.
    fn is_of(self, rest: &str) -> bool {
        match self {
            Self::Path => rest.starts_with('.'),
            Self::Class(class) => rest == class,
            Self::File | Self::More => false,
        }
    }
}

/// The key of a gate, and what it asks for: one set of matchers, one file in it, and an answer of
/// its own.
fn gate_of<'a>(route: &'a Value, root: &str) -> Option<(&'a str, Asks)> {
    // A Caddyfile with `handle` makes groups: of each one route answers.
    let is_last = route.get("terminal").and_then(Value::as_bool) == Some(true)
        || route.get("group").is_some_and(Value::is_string);
    if !is_last || !closes(route.get("handle")?) {
        return None;
    }
    let [set] = route.get("match")?.as_array()?.as_slice() else { return None };
    let file = set.get("file")?;
    let [name] = file.get("try_files")?.as_array()?.as_slice() else { return None };
    let is_ours = file.get("root")?.as_str()? == root;
    let key = name.as_str()?.strip_prefix('/').filter(|_| is_ours)?;
    Some((key, Asks::of(set.as_object()?)))
}

/// Whether what is done ends in a 503 of Caddy itself.
fn closes(handle: &Value) -> bool {
    let text = handle.to_string();
    text.contains("503") && !text.contains("\"reverse_proxy\"")
}

impl EdgeDriver for CaddyEdge {
    fn capabilities(&self) -> Capabilities {
        self.gate.capabilities()
    }

    fn lint(&mut self) -> Result<Vec<Lint>, EdgeError> {
        let mut lints = self.gate.lint()?;
        match self.admin.clone() {
            None => lints.push(Lint::warning("caddy-admin-not-read", self.edge.as_str())),
            Some(admin) => {
                self.read_config().map_err(|error| error.at(&self.edge))?;
                if self.gated.is_empty() {
                    lints.push(Lint::error("gate-not-in-config", admin.display().to_string()));
                }
            }
        }
        Ok(lints)
    }

    fn owned(&mut self) -> Result<GateSet, EdgeError> {
        self.gate.owned()
    }

    /// A gate that is not in the running configuration lights its site, whatever the folder says.
    fn observe(&mut self, keys: &[GateKey]) -> Result<Vec<GateView>, EdgeError> {
        let mut views = self.gate.observe(keys)?;
        if self.admin.is_some() {
            let is_read = self.read_config().is_ok();
            for (key, view) in keys.iter().zip(&mut views) {
                if !is_read {
                    view.runtime = Seen::Unknown;
                } else if !self.gated.contains(key.as_str()) {
                    view.runtime = Seen::Lit;
                }
            }
        }
        Ok(views)
    }

    fn apply(&mut self, epoch: Epoch, stage: Stage, dark: &GateSet) -> Result<(), EdgeError> {
        self.gate.apply(epoch, stage, dark)
    }

    fn close(&mut self, epoch: Epoch, dark: &GateSet) -> Result<(), EdgeError> {
        self.gate.close(epoch, dark)
    }

    fn get_ready(
        &mut self,
        keys: &GateSet,
        is_over: &(dyn Fn() -> bool + Sync),
    ) -> Result<bool, EdgeError> {
        self.gate.get_ready(keys, is_over)
    }

    fn apply_changes(
        &mut self,
        epoch: Epoch,
        stage: Stage,
        dark: &GateSet,
        changed: &GateSet,
    ) -> Result<(), EdgeError> {
        self.gate.apply_changes(epoch, stage, dark, changed)
    }

    fn generation(&mut self) -> Result<u64, EdgeError> {
        self.read_config().map_err(|error| error.at(&self.edge))?;
        Ok(self.generation)
    }

    fn tunnels(&mut self, keys: &[GateKey]) -> Result<Vec<TunnelCount>, EdgeError> {
        self.gate.tunnels(keys)
    }

    fn cut(&mut self, epoch: Epoch, keys: &[GateKey]) -> Result<(), EdgeError> {
        self.gate.cut(epoch, keys)
    }
}

#[cfg(test)]
mod tests {
    use relight_model::SitePart;

    use super::*;
    use crate::config::{self, SiteRoute};

    /// What is read back of a site `a` with three parts, after somebody changed what is loaded.
    fn gated(change: impl FnOnce(&mut Value)) -> Vec<String> {
        let part = |text: &str| SitePart::parse(text).unwrap();
        let site = SiteRoute {
            key: GateKey::new("a").unwrap(),
            host: "a.example".into(),
            aliases: Vec::new(),
            upstream: "127.0.0.1:9000".parse().unwrap(),
            partial: ["booking=/booking", "@internet", "@write"].map(part).into(),
        };
        let config = config::example(vec![site]);
        let mut document: Value = serde_json::from_str(&config::caddy(&config).unwrap()).unwrap();
        let routes = "/apps/http/servers/relight/routes/2/handle/0/routes/0/handle/0/routes";
        change(document.pointer_mut(routes).unwrap());
        let mut gated = BTreeSet::new();
        find_gates(&document, "/srv/gate/current", &mut gated, 0);
        gated.remove(config::CANARY_KEY);
        gated.into_iter().collect()
    }

    /// Goal: only a gate that closes a site for everybody is read back as its gate. Method: ours,
    /// and ours as somebody may have loaded it: narrower, with another answer, or alone.
    #[test]
    fn a_gate_that_leaves_somebody_in_is_not_read_back() {
        let parts = ["a.booking", "a@internet", "a@write"];
        let all = ["a", "a.booking", "a@internet", "a@write"];
        assert_eq!(gated(|_| {}), all);
        let narrowed = |name: &str, value: Value| {
            let name = name.to_owned();
            gated(move |routes| routes[0]["match"][0][name] = value)
        };
        let inside = json!({"ranges": ["10.0.0.0/8"]});
        assert_eq!(narrowed("remote_ip", inside.clone()), [""; 0], "nor the parts without it");
        assert_eq!(narrowed("not", json!([{"remote_ip": inside.clone()}])), [""; 0]);
        assert_eq!(narrowed("path_regexp", json!({"pattern": "^/x"})), [""; 0]);
        let proxy = json!([{"handler": "reverse_proxy", "upstreams": [{"dial": "127.0.0.1:1"}]}]);
        assert_eq!(gated(|routes| routes[0]["handle"] = proxy.clone()), [""; 0]);
        assert_eq!(gated(|routes| routes[0]["handle"] = json!([{"handler": "vars"}])), [""; 0]);
        let open = json!({"handle": [{"handler": "subroute", "routes": [{"handle": proxy}]}]});
        let got = gated(|routes| routes.as_array_mut().unwrap().insert(0, open.clone()));
        assert_eq!(got, [""; 0], "behind a proxy");
        let acme = json!({"path": ["/.well-known/acme-challenge/*"]});
        for (sets, expected) in [
            (json!([acme]), &all[..]),
            (json!([{"not": [acme]}]), &[]),
            (json!([acme, {"path": ["/app/*"]}]), &[]),
            (json!([{"path_regexp": {"pattern": "^/.well-known/acme-challenge/|^/"}}]), &[]),
        ] {
            let mut open = open.clone();
            open["match"] = sets.clone();
            let got = gated(|routes| routes.as_array_mut().unwrap().insert(0, open));
            assert_eq!(got, expected, "behind a proxy of {sets}");
        }
        let grouped = gated(|routes| {
            let gate = routes[0].as_object_mut().unwrap();
            gate.remove("terminal");
            gate.insert("group".into(), "group1".into());
        });
        assert_eq!(grouped, all, "as `handle` of a Caddyfile is loaded");
        // A part is closed for all that belong to it.
        let of_part = |index: usize| {
            let inside = inside.clone();
            gated(move |routes| routes[index]["match"][0]["remote_ip"] = inside)
        };
        for (index, part) in parts.into_iter().enumerate() {
            let rest: Vec<&str> = all.into_iter().filter(|key| *key != part).collect();
            assert_eq!(of_part(index + 1), rest);
        }
        let other = json!([{"method": ["GET", "POST"]}]);
        let got = gated(|routes| routes[3]["match"][0]["not"] = other);
        assert_eq!(got, all[..3]);
    }
}
