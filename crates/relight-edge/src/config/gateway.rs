//! The Gateway API: the holding service in each namespace that has a site, the canary, and what
//! the controller may do. Written by the documentation and never run.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use super::holding::{Holding, holding};
use super::{CANARY_HOST, CANARY_KEY, CANARY_PATH, EdgeConfig, refuse};
use crate::error::EdgeError;
use crate::holding_page::OF_SITES;

/// The image of the holding service.
const IMAGE: &str = "nginx:1.26";
/// Its folders inside a container.
const FOLDER: &str = "/tmp";
const HOLD: &str = "/hold";
/// Where it listens there.
const PORT: u16 = 8080;

/// What the driver of this edge was told.
#[derive(Clone, Copy, Debug)]
pub struct GatewayPlaces<'a> {
    /// Namespace and name of the gateway that serves the canary.
    pub gateway: (&'a str, &'a str),
    /// Namespaces with routes of sites.
    pub namespaces: &'a BTreeSet<String>,
    /// Name and port of the holding service in each.
    pub service: (&'a str, u16),
}

/// A list for `kubectl apply -f`, as JSON. The pages of the holding service are ConfigMaps of
/// their own, made from the folder that `edge holding` wrote: `relight-hold-pages`, and for the
/// pages of single sites, which may be none, `relight-hold-of`. The keys of a ConfigMap have no
/// folders, and 1 MiB is all that it holds.
///
/// # Errors
/// `Refused` when a key, host or name cannot be written as it is.
pub fn gateway(config: &EdgeConfig, places: GatewayPlaces<'_>) -> Result<String, EdgeError> {
    let (names, service) = (places.namespaces, places.service);
    let of_gateway = [places.gateway.0, places.gateway.1, service.0];
    let all = names.iter().map(String::as_str).chain(of_gateway);
    if let Some(name) = all.into_iter().find(|name| !is_name(name)) {
        return refuse(format!("{name:?} is no name of Kubernetes"));
    }
    let Some(first) = names.first() else { return refuse("no namespace has a site".to_owned()) };
    let at = Holding {
        listen: ([0, 0, 0, 0], PORT).into(),
        folder: Path::new(FOLDER),
        hold: Path::new(HOLD),
    };
    let text = holding(config, at)?;
    let mut items = vec![json!({"apiVersion": "v1", "kind": "ServiceAccount",
        "metadata": {"name": "relight", "namespace": first}})];
    for namespace in names {
        items.extend(held(namespace, service, &text));
        items.extend(allowed(namespace, first));
    }
    items.push(canary(first, places));
    let list = json!({"apiVersion": "v1", "kind": "List", "items": items});
    Ok(format!("{list:#}\n"))
}

/// The holding service of one namespace: invalid references would answer 500, empty ones anything.
fn held(namespace: &str, (name, port): (&str, u16), text: &str) -> [Value; 3] {
    let metadata = json!({"name": name, "namespace": namespace});
    let labels = json!({"app": name});
    let (pages, of) = ("relight-hold-pages", "relight-hold-of");
    let container = json!({
        "name": "nginx", "image": IMAGE,
        "command": ["nginx", "-c", "/config/nginx.conf"],
        "ports": [{"containerPort": PORT}],
        "volumeMounts": [{"name": "config", "mountPath": "/config"},
                         {"name": "pages", "mountPath": HOLD},
                         {"name": "of", "mountPath": format!("{HOLD}/{OF_SITES}")}],
    });
    let template = json!({
        "metadata": {"labels": labels},
        "spec": {"containers": [container], "volumes": [
            {"name": "config", "configMap": {"name": name}},
            {"name": "pages", "configMap": {"name": pages}},
            {"name": "of", "configMap": {"name": of, "optional": true}},
        ]},
    });
    [
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata,
               "data": {"nginx.conf": text}}),
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {
            "replicas": 2, "selector": {"matchLabels": labels}, "template": template,
        }}),
        json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {
            "selector": labels, "ports": [{"port": port, "targetPort": PORT}],
        }}),
    ]
}

/// Routes are read and patched, and nothing else.
fn allowed(namespace: &str, account: &str) -> [Value; 2] {
    let metadata = json!({"name": "relight", "namespace": namespace});
    let group = "rbac.authorization.k8s.io";
    let rule = json!({"apiGroups": ["gateway.networking.k8s.io"], "resources": ["httproutes"],
        "verbs": ["get", "patch"]});
    [
        json!({"apiVersion": format!("{group}/v1"), "kind": "Role", "metadata": metadata,
               "rules": [rule]}),
        json!({"apiVersion": format!("{group}/v1"), "kind": "RoleBinding", "metadata": metadata,
               "roleRef": {"apiGroup": group, "kind": "Role", "name": "relight"},
               "subjects": [{"kind": "ServiceAccount", "name": "relight", "namespace": account}]}),
    ]
}

/// Lit: the lit answer of the holding service. Dark: the driver replaces the rules.
fn canary(namespace: &str, places: GatewayPlaces<'_>) -> Value {
    let (gateway, (service, port)) = (places.gateway, places.service);
    let path = json!({"type": "ReplaceFullPath", "replaceFullPath": CANARY_PATH});
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
        "metadata": {"name": CANARY_KEY, "namespace": namespace},
        "spec": {
            "parentRefs": [{"namespace": gateway.0, "name": gateway.1}],
            "hostnames": [CANARY_HOST],
            "rules": [{
                "filters": [{"type": "URLRewrite", "urlRewrite": {"path": path}}],
                "backendRefs": [{"name": service, "port": port}],
            }],
        },
    })
}

/// RFC 1123.
fn is_name(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(&b);
    text.bytes().all(plain) && text.starts_with(|first: char| first.is_ascii_alphanumeric())
}
