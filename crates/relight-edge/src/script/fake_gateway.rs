//! What the Kubernetes API and a gateway's controller promise about one kind of object.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// HTTPRoutes by their address.
#[derive(Default)]
pub(super) struct FakeGateway {
    routes: BTreeMap<String, Value>,
    /// Somebody else writes just before each patch.
    races: bool,
    /// The controller does not follow.
    stalls: bool,
    forbids: bool,
}

impl FakeGateway {
    /// A cluster with the routes `a` to `d` in the namespace `web`.
    pub(super) fn new() -> Self {
        let mut fake = Self::default();
        for name in ["a", "b", "c", "d"] {
            let uri = "/apis/gateway.networking.k8s.io/v1/namespaces/web/httproutes/";
            let route = json!({
                "metadata": {"name": name, "generation": 1, "resourceVersion": "1"},
                "spec": {"rules": [{"backendRefs": [{"name": format!("{name}-web"), "port": 80}]}]},
            });
            fake.routes.insert(format!("{uri}{name}"), route);
        }
        fake.follow();
        fake
    }

    /// What a script orders: `race`, `stall` and `forbid` until `calm`, `show`, or the edit of a
    /// person.
    pub(super) fn order(&mut self, order: &[&str]) -> Vec<String> {
        match order {
            ["race"] => self.races = true,
            ["stall"] => self.stalls = true,
            ["forbid"] => self.forbids = true,
            ["calm"] => {
                (self.races, self.stalls, self.forbids) = (false, false, false);
                self.follow();
            }
            ["edit", name, pointer, value] => self.edit(name, pointer, value),
            ["show"] => {
                return self.routes.values().map(|it| it["spec"]["rules"].to_string()).collect();
            }
            _ => panic!("no such order: {order:?}"),
        }
        Vec::new()
    }

    /// The controller takes over what it has not seen yet.
    fn follow(&mut self) {
        for route in self.routes.values_mut().filter(|_| !self.stalls) {
            let generation = route["metadata"]["generation"].clone();
            let condition =
                |kind| json!({"type": kind, "status": "True", "observedGeneration": generation});
            let conditions = [condition("Accepted"), condition("ResolvedRefs")];
            route["status"] = json!({"parents": [{"conditions": conditions}]});
        }
    }

    /// Edits of a person: the rules in the annotation of a route, or the rules themselves.
    fn edit(&mut self, name: &str, pointer: &str, value: &str) {
        let route = self.routes.iter_mut().find(|(uri, _)| uri.ends_with(&format!("/{name}")));
        *route.unwrap().1.pointer_mut(pointer).unwrap() = serde_json::from_str(value).unwrap();
        self.follow();
    }

    pub(super) fn answer(&mut self, method: &str, uri: &str, body: &str) -> (u16, String) {
        let status = |code: u16, message: &str| {
            (code, json!({"kind": "Status", "code": code, "message": message}).to_string())
        };
        if self.forbids {
            return status(403, "httproutes is forbidden");
        }
        let Some(route) = self.routes.get_mut(uri) else {
            return status(404, "httproutes not found");
        };
        if method == "GET" {
            return (200, route.to_string());
        }
        if self.races {
            let version: u64 =
                route["metadata"]["resourceVersion"].as_str().unwrap().parse().unwrap();
            route["metadata"]["resourceVersion"] = json!((version + 1).to_string());
        }
        let operations: Vec<Value> = serde_json::from_str(body).unwrap();
        let mut patched = route.clone();
        for operation in &operations {
            if let Err(message) = patch(&mut patched, operation) {
                return status(422, &message);
            }
        }
        if patched["spec"] != route["spec"] {
            let generation = route["metadata"]["generation"].as_u64().unwrap();
            patched["metadata"]["generation"] = json!(generation + 1);
        }
        let version: u64 = route["metadata"]["resourceVersion"].as_str().unwrap().parse().unwrap();
        patched["metadata"]["resourceVersion"] = json!((version + 1).to_string());
        *route = patched;
        let answer = route.to_string();
        self.follow();
        (200, answer)
    }
}

/// One operation of RFC 6902, as far as the driver uses it.
fn patch(object: &mut Value, operation: &Value) -> Result<(), String> {
    let text = |name: &str| operation[name].as_str().unwrap_or_default().to_owned();
    let (path, value) = (text("path"), operation["value"].clone());
    let (parent, name) = path.rsplit_once('/').ok_or("no path")?;
    let name = name.replace("~1", "/");
    let parent = object.pointer_mut(parent).and_then(Value::as_object_mut).ok_or("no parent")?;
    match text("op").as_str() {
        "test" if parent.get(&name) == Some(&value) => Ok(()),
        "test" => Err(format!("testing path {path} failed")),
        "replace" | "remove" if !parent.contains_key(&name) => Err(format!("{path} is not there")),
        "remove" => parent.remove(&name).map(drop).ok_or_else(String::new),
        "add" | "replace" => {
            parent.insert(name, value);
            Ok(())
        }
        other => Err(format!("unknown operation {other}")),
    }
}
