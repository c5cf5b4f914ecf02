//! Caddy 2.6 with the file gate of `config::caddy`: each request looks for `$GATE/current/<key>`.
//!
//! The admin interface is read, never written: what somebody loaded through it may have dropped
//! the gate of a site, which no folder shows.

use std::collections::BTreeSet;
use std::path::PathBuf;

use relight_model::{Epoch, GateKey, Seen};
use serde_json::Value;

use crate::capability::Capabilities;
use crate::driver::{
    DriverKind, EdgeDriver, GateSet, GateView, Lint, Setting, Stage, Target, TunnelCount,
};
use crate::error::{EdgeError, EdgeErrorKind};
use crate::gate_driver::{GateDriver, reads_as_somebody_else};
use crate::http::Client;

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

/// Collects the keys of every route that asks for a file of the gate and answers by itself.
fn find_gates(value: &Value, root: &str, gated: &mut BTreeSet<String>, depth: usize) {
    if depth > DEPTH_MAX {
        return;
    }
    let below = depth + 1;
    match value {
        Value::Array(items) => {
            items.iter().for_each(|item| find_gates(item, root, gated, below));
        }
        Value::Object(fields) => {
            let terminal = fields.get("terminal").and_then(Value::as_bool) == Some(true);
            if terminal && let Some(key) = fields.get("match").and_then(|sets| key_of(sets, root)) {
                gated.insert(key.to_owned());
                return;
            }
            fields.values().for_each(|field| find_gates(field, root, gated, below));
        }
        _ => {}
    }
}

/// The key of a gate's matchers: one set, one matcher in it, one file.
fn key_of<'a>(sets: &'a Value, root: &str) -> Option<&'a str> {
    let [set] = sets.as_array()?.as_slice() else { return None };
    let file = set.get("file")?;
    let [name] = file.get("try_files")?.as_array()?.as_slice() else { return None };
    let is_ours = file.get("root")?.as_str()? == root;
    name.as_str()?.strip_prefix('/').filter(|_| is_ours)
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
