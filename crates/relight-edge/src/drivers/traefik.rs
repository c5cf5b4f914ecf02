//! Traefik with its file provider, experimental: one file of routers that send hosts to a holding
//! service before every other router, read back from the interface of Traefik.
//!
//! Traefik gathers changes for two seconds and drops what was in between, so nothing here is
//! quick, and what the file says is not what the routers do until they are read back.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;

use relight_model::{Epoch, GateKey, Seen};
use serde_json::{Map, Value, json};

use crate::capability::{Basis, Capabilities, CutsTunnels, Maturity};
use crate::driver::{
    DriverKind, EdgeDriver, GateSet, GateView, Lint, Setting, Stage, Target, TunnelCount,
};
use crate::durable;
use crate::error::{EdgeError, EdgeErrorKind};
use crate::fence::{self, Record};
use crate::gate::{Gate, check_size};
use crate::gate_driver::lint_folder;
use crate::json_api::{self, JsonApi};

pub(super) const PLUGIN: Traefik = Traefik {
    capabilities: Capabilities {
        maturity: Maturity::Experimental,
        basis: Basis::Documented,
        reload_free: false,
        cuts_tunnels: CutsTunnels::Nobody,
        section_gate: false,
        audience_gate: false,
        method_gate: false,
        ..Capabilities::FILE_GATE
    },
    priority: 1_000_000,
};

/// The service to which every router of ours leads.
const SERVICE: &str = "relight-hold";
/// Most hosts in one rule.
const RULE_HOSTS_MAX: usize = 64;
/// Routers on one page of the interface, and most pages.
const PAGE_ROUTERS: usize = 1000;
const PAGES_MAX: usize = 100;

pub(super) struct Traefik {
    capabilities: Capabilities,
    /// Above every router of a person, below those of Traefik itself.
    priority: u32,
}

impl DriverKind for Traefik {
    fn name(&self) -> &'static str {
        "traefik"
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    fn settings(&self) -> &'static [Setting] {
        const {
            &[
                // `relight-dark.yml` in the watched folder; JSON is YAML.
                Setting::required("file"),
                // Loopback address or unix socket of the interface.
                Setting::required("api"),
                // A list of `<host> <key>`.
                Setting::required("hosts"),
                // URL of the holding service.
                Setting::required("holding"),
                Setting::RELOAD,
                Setting::UPGRADES,
            ]
        }
    }

    fn epoch_beside(&self, target: &Target) -> Option<Epoch> {
        let bytes = std::fs::read(target.settings.get("file")?).ok()?;
        let document: Value = serde_json::from_slice(&bytes).ok()?;
        let routers = document.pointer("/http/routers")?.as_object()?;
        routers.keys().filter_map(|name| epoch_of(name)).max()
    }

    fn open(&self, target: &Target) -> Result<Box<dyn EdgeDriver>, EdgeError> {
        Ok(Box::new(TraefikEdge {
            edge: target.name.clone(),
            gate: Gate::create(&target.gate)?,
            api: JsonApi::of(target)?,
            file: target.required("file")?.into(),
            hosts: target.required("hosts")?.clone(),
            holding: target.required("holding")?.clone(),
            capabilities: target.able(self.capabilities),
            priority: self.priority,
        }))
    }
}

struct TraefikEdge {
    edge: String,
    gate: Gate,
    api: JsonApi,
    file: PathBuf,
    hosts: String,
    holding: String,
    capabilities: Capabilities,
    priority: u32,
}

/// Hosts that routers of ours send to the holding service, without and with TLS.
#[derive(Debug, Default, PartialEq, Eq)]
struct Covered {
    plain: BTreeSet<String>,
    tls: BTreeSet<String>,
    epoch: Option<Epoch>,
}

impl Covered {
    /// Adds a router, if it is one of ours (`relight-<term>-<seq>-<number>`) and still leads where
    /// we led it, before all others: by its name alone it darkens nothing.
    fn add(&mut self, name: &str, router: &Value, priority: u32) {
        let service = router.get("service").and_then(Value::as_str).unwrap_or_default();
        let is_kept = service.strip_suffix("@file").unwrap_or(service) == SERVICE
            && router.get("priority").and_then(Value::as_u64) == Some(priority.into());
        if !is_kept {
            return;
        }
        let Some(epoch) = epoch_of(name) else { return };
        self.epoch = self.epoch.max(Some(epoch));
        let rule = router.get("rule").and_then(Value::as_str).unwrap_or_default();
        let hosts = rule
            .split(" || ")
            .filter_map(|term| Some(term.strip_prefix("Host(`")?.strip_suffix("`)")?.to_owned()));
        let secured = router.get("tls").is_some_and(|tls| !tls.is_null());
        let list = if secured { &mut self.tls } else { &mut self.plain };
        list.extend(hosts);
    }

    /// Dark is every host both ways; some of it is neither dark nor lit.
    fn seen(&self, hosts: &[String]) -> Seen {
        let both = |host: &String| [self.plain.contains(host), self.tls.contains(host)];
        let all: Vec<bool> = hosts.iter().flat_map(both).collect();
        match (all.contains(&true), all.contains(&false)) {
            (true, false) => Seen::Dark,
            (false, true) => Seen::Lit,
            _ => Seen::Unknown,
        }
    }
}

/// The epoch in the name of a router of ours.
fn epoch_of(router: &str) -> Option<Epoch> {
    let (epoch, _) = router.strip_prefix("relight-")?.rsplit_once('-')?;
    fence::parse_epoch(epoch.strip_suffix("-tls").unwrap_or(epoch))
}

impl TraefikEdge {
    fn hosts_of_keys(&self) -> Result<BTreeMap<GateKey, Vec<String>>, EdgeError> {
        let mut hosts: BTreeMap<GateKey, Vec<String>> = BTreeMap::new();
        for (host, key) in json_api::pairs(&self.hosts)? {
            hosts.entry(json_api::key(&key, &self.hosts)?).or_default().push(host);
        }
        Ok(hosts)
    }

    fn durable(&self) -> Result<Covered, EdgeError> {
        let mut covered = Covered::default();
        let bytes = match std::fs::read(&self.file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(covered),
            read => read.map_err(EdgeError::io(format!("read {}", self.file.display())))?,
        };
        let document: Value = serde_json::from_slice(&bytes).map_err(|cause| {
            let doing = format!("understand {}", self.file.display());
            EdgeError::new(EdgeErrorKind::ForeignEdit, doing).because(cause)
        })?;
        let routers = document.pointer("/http/routers").and_then(Value::as_object);
        // A holding service that was moved holds nothing.
        let server = document.pointer("/http/services/relight-hold/loadBalancer/servers");
        if server != Some(&json!([{"url": self.holding}])) {
            return Ok(covered);
        }
        for (name, router) in routers.into_iter().flatten() {
            covered.add(name, router, self.priority);
        }
        Ok(covered)
    }

    /// Only routers that Traefik calls enabled count.
    fn runtime(&self) -> Result<Covered, EdgeError> {
        let mut covered = Covered::default();
        for page in 1..=PAGES_MAX {
            let uri = format!("/api/http/routers?per_page={PAGE_ROUTERS}&page={page}");
            let (answer, value) = self.api.get(&uri)?;
            let routers = value.as_array().filter(|_| answer.status == 200).ok_or_else(|| {
                let doing = format!("read the routers: status {}", answer.status);
                EdgeError::new(EdgeErrorKind::Refused, doing)
            })?;
            for router in routers {
                let text = |name: &str| router.get(name).and_then(Value::as_str);
                let name = text("name").and_then(|name| name.strip_suffix("@file"));
                if let (Some(name), Some("enabled")) = (name, text("status")) {
                    covered.add(name, router, self.priority);
                }
            }
            let next = answer.header("x-next-page").and_then(|next| next.parse::<usize>().ok());
            if next.is_none_or(|next| next <= page) {
                return Ok(covered);
            }
        }
        let doing = format!("read more than {PAGES_MAX} pages of routers");
        Err(EdgeError::new(EdgeErrorKind::Refused, doing))
    }

    fn write(&self, epoch: Epoch, hosts: &[&String]) -> Result<(), EdgeError> {
        let mut routers = Map::new();
        for (number, group) in hosts.chunks(RULE_HOSTS_MAX).enumerate() {
            let terms: Vec<String> = group.iter().map(|host| format!("Host(`{host}`)")).collect();
            let mut router = json!({
                "rule": terms.join(" || "), "service": SERVICE, "priority": self.priority,
            });
            let name = format!("relight-{}", fence::text(epoch));
            routers.insert(format!("{name}-{number}"), router.clone());
            router["tls"] = json!({});
            routers.insert(format!("{name}-tls-{number}"), router);
        }
        let server = json!({"url": self.holding});
        let mut http = json!({"services": {SERVICE: {"loadBalancer": {"servers": [server]}}}});
        // Traefik refuses an empty list.
        if !routers.is_empty() {
            http["routers"] = Value::Object(routers);
        }
        let text = format!("{:#}\n", json!({"http": http}));
        durable::write(&self.file, text.as_bytes())
            .map_err(EdgeError::io(format!("write {}", self.file.display())))
    }

    fn apply_stage(&self, epoch: Epoch, stage: Stage, wanted: &GateSet) -> Result<(), EdgeError> {
        check_size(wanted)?;
        let known = self.hosts_of_keys()?;
        let mut held = self.gate.fence.enter(epoch)?;
        // What nobody understands is written anew; what it darkened is not known.
        let file = match self.durable() {
            Err(error) if error.kind == EdgeErrorKind::ForeignEdit => Covered::default(),
            file => file?,
        };
        fence::refuse_older(epoch, file.epoch)?;
        let dark = |(key, hosts): (&GateKey, &Vec<String>)| {
            (file.seen(hosts) == Seen::Dark).then(|| key.clone())
        };
        let before: GateSet = known.iter().filter_map(dark).collect();
        let foreign = &before - &held.record.own;
        let own = &(&held.record.own | wanted) - &foreign;
        held.write(Record { epoch: Some(epoch), own })?;
        let target = wanted | &foreign;
        let hosts: Vec<&String> =
            target.iter().filter_map(|key| known.get(key)).flatten().collect();
        if before != target || file.epoch != Some(epoch) {
            self.write(epoch, &hosts)?;
        }
        if stage == Stage::Durable {
            held.write(Record { epoch: Some(epoch), own: wanted - &foreign })?;
        }
        match wanted.iter().find(|key| !known.contains_key(key)) {
            None => Ok(()),
            Some(key) => {
                let doing = format!("close {key}: {} names no host of it", self.hosts);
                Err(EdgeError::new(EdgeErrorKind::Lint, doing))
            }
        }
    }

    fn look(&self, keys: &[GateKey]) -> Result<Vec<GateView>, EdgeError> {
        self.gate.fence.peek(|record| {
            let known = self.hosts_of_keys()?;
            let file = self.durable().ok();
            let routers = self.runtime().ok();
            let record = record.as_ref().ok();
            let epochs = [&file, &routers].map(|copy| copy.as_ref().and_then(|copy| copy.epoch));
            let epoch = epochs.into_iter().max().flatten();
            let epoch = epoch.max(record.and_then(|record| record.epoch));
            let seen = |copy: &Option<Covered>, key: &GateKey| match (copy, known.get(key)) {
                (Some(copy), Some(hosts)) => copy.seen(hosts),
                _ => Seen::Unknown,
            };
            let view = |key: &GateKey| {
                let (durable, runtime) = (seen(&file, key), seen(&routers, key));
                let ours = record.is_none_or(|record| record.own.contains(key));
                let foreign = !ours && durable == Seen::Dark;
                GateView { durable, runtime, epoch, foreign, in_part: None }
            };
            Ok(keys.iter().map(view).collect())
        })
    }
}

impl EdgeDriver for TraefikEdge {
    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    fn lint(&mut self) -> Result<Vec<Lint>, EdgeError> {
        let mut lints = lint_folder(self.gate.folder(), &self.gate, Some(&self.file))?;
        for (code, result) in [
            ("hosts-unreadable", self.hosts_of_keys().map(drop)),
            ("file-not-ours", self.durable().map(drop)),
            ("api-unreadable", self.runtime().map(drop)),
        ] {
            if let Err(error) = result {
                lints.push(Lint::error(code, error.to_string()));
            }
        }
        lints.push(Lint::warning("experimental", self.edge.as_str()));
        Ok(lints)
    }

    fn owned(&mut self) -> Result<GateSet, EdgeError> {
        self.gate.fence.owned().map_err(|error| error.at(&self.edge))
    }

    fn observe(&mut self, keys: &[GateKey]) -> Result<Vec<GateView>, EdgeError> {
        self.look(keys).map_err(|error| error.at(&self.edge))
    }

    fn apply(&mut self, epoch: Epoch, stage: Stage, dark: &GateSet) -> Result<(), EdgeError> {
        self.apply_stage(epoch, stage, dark).map_err(|error| error.at(&self.edge))
    }

    fn tunnels(&mut self, keys: &[GateKey]) -> Result<Vec<TunnelCount>, EdgeError> {
        Ok(vec![TunnelCount::Unknown; keys.len()])
    }

    fn cut(&mut self, epoch: Epoch, _keys: &[GateKey]) -> Result<(), EdgeError> {
        self.gate.fence.enter(epoch).map_err(|error| error.at(&self.edge))?;
        let doing = "cut tunnels of Traefik: nobody here can";
        Err(EdgeError::new(EdgeErrorKind::Lint, doing).at(&self.edge))
    }
}
