//! Kubernetes Gateway API, experimental: the rules of a site's HTTPRoute are replaced by one that
//! leads to the holding service, and kept in an annotation and in our own folder.
//!
//! A route laid over another cannot win (equal matches go to the oldest), and `spec.rules` is one
//! atomic list; hence a JSON Patch that first tests the version it was made for.

use std::collections::BTreeMap;
use std::path::PathBuf;

use relight_model::{Epoch, GateKey, Seen};
use serde_json::{Value, json};

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

pub(super) const PLUGIN: GatewayApi = GatewayApi {
    capabilities: Capabilities {
        maturity: Maturity::Experimental,
        basis: Basis::Documented,
        atomic_batch: false,
        cuts_tunnels: CutsTunnels::Nobody,
        section_gate: false,
        audience_gate: false,
        method_gate: false,
        ..Capabilities::FILE_GATE
    },
};

/// Annotations: the rules of before, and whose they are.
const RULES: &str = "relight/rules";
const EPOCH: &str = "relight/epoch";

pub(super) struct GatewayApi {
    capabilities: Capabilities,
}

impl DriverKind for GatewayApi {
    fn name(&self) -> &'static str {
        "gateway_api"
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    fn settings(&self) -> &'static [Setting] {
        const {
            &[
                // Loopback address or unix socket of `kubectl proxy`.
                Setting::required("api"),
                // A list of `<key> <namespace>/<name>`.
                Setting::required("routes"),
                // `<service>:<port>` in the namespace of each route.
                Setting::required("holding"),
                Setting::RELOAD,
                Setting::UPGRADES,
            ]
        }
    }

    fn open(&self, target: &Target) -> Result<Box<dyn EdgeDriver>, EdgeError> {
        let holding = target.required("holding")?;
        let parts =
            holding.split_once(':').and_then(|(name, port)| Some((name, port.parse().ok()?)));
        let (service, port) = parts.ok_or_else(|| {
            let doing = format!("use {holding:?} as `holding`: a service and its port");
            EdgeError::new(EdgeErrorKind::Lint, doing)
        })?;
        Ok(Box::new(Gateway {
            edge: target.name.clone(),
            gate: Gate::create(&target.gate)?,
            api: JsonApi::of(target)?,
            routes: target.required("routes")?.clone(),
            service: service.to_owned(),
            port,
            capabilities: target.able(self.capabilities),
        }))
    }
}

struct Gateway {
    edge: String,
    gate: Gate,
    api: JsonApi,
    routes: String,
    service: String,
    port: u16,
    capabilities: Capabilities,
}

/// One HTTPRoute as it was read.
struct Route {
    key: GateKey,
    uri: String,
    object: Value,
}

impl Route {
    fn annotation(&self, name: &str) -> Option<&str> {
        self.object.get("metadata")?.get("annotations")?.get(name)?.as_str()
    }

    fn epoch(&self) -> Option<Epoch> {
        self.annotation(EPOCH).and_then(fence::parse_epoch)
    }

    fn rules(&self) -> &Value {
        self.object.pointer("/spec/rules").unwrap_or(&Value::Null)
    }

    /// Whether every gateway has taken over this very version with all that it refers to.
    fn is_settled(&self) -> bool {
        let generation = self.object.pointer("/metadata/generation");
        let parents = self.object.pointer("/status/parents").and_then(Value::as_array);
        let holds = |parent: &Value, kind: &str| {
            let conditions = parent.get("conditions").and_then(Value::as_array);
            conditions.into_iter().flatten().any(|condition| {
                condition.get("type").and_then(Value::as_str) == Some(kind)
                    && condition.get("status").and_then(Value::as_str) == Some("True")
                    && condition.get("observedGeneration") == generation
            })
        };
        generation.is_some()
            && parents.is_some_and(|parents| {
                !parents.is_empty()
                    && parents.iter().all(|it| holds(it, "Accepted") && holds(it, "ResolvedRefs"))
            })
    }
}

impl Gateway {
    /// Where the route of each key is.
    fn uris(&self) -> Result<BTreeMap<GateKey, String>, EdgeError> {
        let mut uris = BTreeMap::new();
        for (key, place) in json_api::pairs(&self.routes)? {
            let parts = place.split_once('/').filter(|(a, b)| is_name(a) && is_name(b));
            let Some((namespace, name)) = parts else {
                let doing = format!("use {place:?} in {}: <namespace>/<name>", self.routes);
                return Err(EdgeError::new(EdgeErrorKind::Lint, doing));
            };
            let uri = format!(
                "/apis/gateway.networking.k8s.io/v1/namespaces/{namespace}/httproutes/{name}"
            );
            uris.insert(json_api::key(&key, &self.routes)?, uri);
        }
        Ok(uris)
    }

    fn read(&self, key: &GateKey, uris: &BTreeMap<GateKey, String>) -> Result<Route, EdgeError> {
        let uri = uris.get(key).ok_or_else(|| {
            let doing = format!("find the route of {key} in {}", self.routes);
            EdgeError::new(EdgeErrorKind::Lint, doing)
        })?;
        let (answer, object) = self.api.get(uri)?;
        checked(answer.status, &format!("read {uri}"), &object)?;
        Ok(Route { key: key.clone(), uri: uri.clone(), object })
    }

    /// Whether the rules are the one that leads to the holding service; the server adds fields.
    fn is_dark(&self, route: &Route) -> bool {
        let Some([rule]) = route.rules().as_array().map(Vec::as_slice) else { return false };
        let backends = rule.get("backendRefs").and_then(Value::as_array);
        let Some([backend]) = backends.map(Vec::as_slice) else { return false };
        // A filter may still send each request to the origin, and a service of that name may be
        // somebody else's or none.
        let is_bare = rule.get("filters").is_none_or(|it| it.as_array().is_some_and(Vec::is_empty));
        let namespace = route.object.pointer("/metadata/namespace");
        let is_ours = backend.get("namespace").is_none_or(|it| Some(it) == namespace)
            && backend.get("kind").is_none_or(|it| it == "Service")
            && backend.get("group").is_none_or(|it| it == "");
        is_bare
            && is_ours
            && backend.get("name").and_then(Value::as_str) == Some(&self.service)
            && backend.get("port").and_then(Value::as_u64) == Some(self.port.into())
    }

    fn kept(&self, key: &GateKey) -> PathBuf {
        self.gate.folder().join("rules").join(key.as_str())
    }

    /// Our own copy first: an annotation alone could be edited into anything.
    fn close(&self, epoch: Epoch, route: &Route) -> Result<(), EdgeError> {
        if self.is_dark(route) {
            return self.mark(epoch, route);
        }
        let (rules, kept) = (route.rules().to_string(), self.kept(&route.key));
        let keep = || {
            durable::create_folder(&self.gate.folder().join("rules"))?;
            durable::write(&kept, rules.as_bytes())
        };
        keep().map_err(EdgeError::io(format!("keep the rules in {}", kept.display())))?;
        let rule = json!({"backendRefs": [{"name": self.service, "port": self.port}]});
        let rules = json!({"op": "add", "path": annotation(RULES), "value": rules});
        self.patch(epoch, route, vec![rules], &json!([rule]))
    }

    fn open_route(&self, epoch: Epoch, route: &Route) -> Result<(), EdgeError> {
        if !self.is_dark(route) {
            return self.mark(epoch, route);
        }
        let kept = self.kept(&route.key);
        let text = std::fs::read_to_string(&kept)
            .map_err(EdgeError::io(format!("read the rules in {}", kept.display())))?;
        let rules = serde_json::from_str::<Value>(&text).ok();
        let (Some(rules), true) = (rules, route.annotation(RULES) == Some(&text)) else {
            let doing = format!("restore {}: its kept rules are not those that we kept", route.uri);
            return Err(EdgeError::new(EdgeErrorKind::ForeignEdit, doing));
        };
        let gone = json!({"op": "remove", "path": annotation(RULES)});
        self.patch(epoch, route, vec![gone], &rules)
    }

    /// A route that is as it should be gets the epoch of a new controller: from then on the one of
    /// before is fenced off, wherever it runs.
    fn mark(&self, epoch: Epoch, route: &Route) -> Result<(), EdgeError> {
        match route.epoch() {
            Some(before) if before.term < epoch.term => {
                self.patch(epoch, route, Vec::new(), route.rules())
            }
            _ => Ok(()),
        }
    }

    fn patch(
        &self,
        epoch: Epoch,
        route: &Route,
        more: Vec<Value>,
        rules: &Value,
    ) -> Result<(), EdgeError> {
        let version = route.object.pointer("/metadata/resourceVersion");
        let mut patch =
            vec![json!({"op": "test", "path": "/metadata/resourceVersion", "value": version})];
        if route.object.pointer("/metadata/annotations").is_none() {
            patch.push(json!({"op": "add", "path": "/metadata/annotations", "value": {}}));
        }
        patch.extend(more);
        let text = fence::text(epoch);
        patch.push(json!({"op": "add", "path": annotation(EPOCH), "value": text}));
        patch.push(json!({"op": "replace", "path": "/spec/rules", "value": rules}));
        let (kind, body) = ("application/json-patch+json", Value::from(patch).to_string());
        let (answer, object) = self.api.call("PATCH", &route.uri, kind, &body)?;
        checked(answer.status, &format!("change {}", route.uri), &object)
    }

    fn apply_stage(&self, epoch: Epoch, stage: Stage, wanted: &GateSet) -> Result<(), EdgeError> {
        check_size(wanted)?;
        let uris = self.uris()?;
        let mut held = self.gate.fence.enter(epoch)?;
        let (mut routes, mut trouble) = (Vec::new(), None);
        for key in &held.record.own | wanted {
            match self.read(&key, &uris) {
                Ok(route) if route.epoch().is_some_and(|newest| newest > epoch) => {
                    let doing = format!("write over the newer epoch of {}", route.uri);
                    return Err(EdgeError::new(EdgeErrorKind::Fenced, doing));
                }
                Ok(route) => routes.push(route),
                Err(error) => trouble = Some(error),
            }
        }
        let is_foreign =
            |route: &&Route| self.is_dark(route) && !held.record.own.contains(&route.key);
        let foreign: GateSet = routes.iter().filter(is_foreign).map(|it| it.key.clone()).collect();
        let own = &(&held.record.own | wanted) - &foreign;
        held.write(Record { epoch: Some(epoch), own })?;
        let (closing, opening): (Vec<&Route>, Vec<&Route>) =
            routes.iter().partition(|route| wanted.contains(&route.key));
        // Not atomic: what fails is told, what comes after it is done all the same.
        let closed = closing.into_iter().map(|route| self.close(epoch, route));
        let mut done: Vec<Result<(), EdgeError>> = closed.collect();
        for route in opening {
            let opened = self.open_route(epoch, route);
            if opened.is_ok() && stage == Stage::Durable {
                let own =
                    held.record.own.iter().filter(|key| **key != route.key).cloned().collect();
                held.write(Record { epoch: Some(epoch), own })?;
            }
            done.push(opened);
        }
        done.into_iter().collect::<Result<(), _>>()?;
        trouble.map_or(Ok(()), Err)
    }

    fn look(&self, keys: &[GateKey]) -> Result<Vec<GateView>, EdgeError> {
        self.gate.fence.peek(|record| {
            let uris = self.uris()?;
            let record = record.as_ref().ok();
            let view = |key: &GateKey| {
                let recorded = record.and_then(|record| record.epoch);
                let Ok(route) = self.read(key, &uris) else {
                    return GateView { epoch: recorded, ..GateView::default() };
                };
                let durable = if self.is_dark(&route) { Seen::Dark } else { Seen::Lit };
                let runtime = if route.is_settled() { durable } else { Seen::Unknown };
                let ours = record.is_none_or(|record| record.own.contains(key));
                let foreign = !ours && durable == Seen::Dark;
                let epoch = route.epoch().max(recorded);
                GateView { durable, runtime, epoch, foreign, in_part: None }
            };
            Ok(keys.iter().map(view).collect())
        })
    }
}

/// A conflict, or a test that failed: somebody else changed the route since it was read.
fn checked(status: u16, doing: &str, object: &Value) -> Result<(), EdgeError> {
    if status == 200 {
        return Ok(());
    }
    let why = object.get("message").and_then(Value::as_str).unwrap_or("no reason given");
    let kind = if status == 404 { EdgeErrorKind::Lint } else { EdgeErrorKind::Refused };
    let error = EdgeError::new(kind, format!("{doing}: status {status}")).because(why);
    Err(if [409, 422, 429, 500, 503].contains(&status) { error.worth_a_retry() } else { error })
}

/// A name of Kubernetes (RFC 1123 and dots).
fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
    text.bytes().all(plain) && text.starts_with(|first: char| first.is_ascii_alphanumeric())
}

/// The JSON pointer (RFC 6901) of an annotation.
fn annotation(name: &str) -> String {
    format!("/metadata/annotations/{}", name.replace('/', "~1"))
}

impl EdgeDriver for Gateway {
    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    fn lint(&mut self) -> Result<Vec<Lint>, EdgeError> {
        let mut lints = lint_folder(self.gate.folder(), &self.gate, None)?;
        match self.uris() {
            Err(error) => lints.push(Lint::error("routes-unreadable", error.to_string())),
            Ok(uris) => {
                for key in uris.keys() {
                    match self.read(key, &uris) {
                        Err(error) => {
                            lints.push(Lint::error("route-unreadable", error.to_string()))
                        }
                        Ok(route) => lints.extend(fights(&route)),
                    }
                }
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
        let doing = "cut tunnels behind the Gateway API: what it does with them is not specified";
        Err(EdgeError::new(EdgeErrorKind::Lint, doing).at(&self.edge))
    }
}

/// Whether somebody's tool will write the route back to what it was.
fn fights(route: &Route) -> Option<Lint> {
    let metadata = route.object.get("metadata")?;
    let owners = [
        ("labels", "app.kubernetes.io/managed-by"),
        ("annotations", "argocd.argoproj.io/tracking-id"),
        ("labels", "kustomize.toolkit.fluxcd.io/name"),
    ];
    let is_there =
        |(list, name): &&(&str, &str)| metadata.get(list).and_then(|list| list.get(name)).is_some();
    owners
        .iter()
        .find(is_there)
        .map(|(_, name)| Lint::warning("route-managed-elsewhere", format!("{}: {name}", route.uri)))
}
