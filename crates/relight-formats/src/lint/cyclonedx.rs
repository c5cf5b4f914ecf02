//! Rules of CycloneDX 1.2 to 1.7.

use std::collections::HashSet;

use serde_json::Value;

use super::{Lint, digits_of, list, text};
use crate::time;

const VERSIONS: [&str; 8] = ["1.0", "1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "1.7"];

const TYPES: [&str; 13] = [
    "application",
    "framework",
    "library",
    "container",
    "platform",
    "operating-system",
    "device",
    "device-driver",
    "firmware",
    "file",
    "machine-learning-model",
    "data",
    "cryptographic-asset",
];

pub(super) fn check(document: &Value, lint: &mut Lint) {
    if text(document, "bomFormat") != "CycloneDX" {
        lint.form("bad-format", "bomFormat");
    }
    if !VERSIONS.contains(&text(document, "specVersion")) {
        lint.form("bad-version", "specVersion");
    }
    let serial = text(document, "serialNumber");
    if document.get("serialNumber").is_some() && !is_uuid(serial) {
        lint.form("bad-serial-number", "serialNumber");
    }
    let metadata = document.get("metadata").unwrap_or(&Value::Null);
    head(metadata, lint);
    let mut references = HashSet::new();
    if let Some(subject) = metadata.get("component") {
        component(subject, "metadata.component", &mut references, lint);
    }
    components(document, "components", &mut references, lint);
    services(document, &mut references, lint);
    dependencies(document, &named(document), lint);
    properties(document, "", lint);
}

/// Who made the document, and when.
fn head(metadata: &Value, lint: &mut Lint) {
    match metadata.get("timestamp") {
        None => lint.minimum("no-timestamp", "metadata"),
        Some(at) if at.as_str().and_then(time::parse).is_none() => {
            lint.form("bad-timestamp", "metadata.timestamp");
        }
        Some(_) => {}
    }
    let authors = ["authors", "tools", "manufacture", "manufacturer", "supplier"];
    if !authors.iter().any(|key| metadata.get(key).is_some()) {
        lint.minimum("no-author", "metadata");
    }
    for (index, license) in list(metadata, "licenses") {
        self::license(license, &format!("metadata.licenses[{index}]"), lint);
    }
    properties(metadata, "metadata.", lint);
}

fn components(parent: &Value, place: &str, references: &mut HashSet<String>, lint: &mut Lint) {
    match parent.get("components") {
        None => {}
        Some(Value::Array(items)) => {
            for (index, item) in items.iter().enumerate() {
                component(item, &format!("{place}[{index}]"), references, lint);
            }
        }
        Some(_) => lint.form("no-list", place),
    }
}

fn component(item: &Value, place: &str, references: &mut HashSet<String>, lint: &mut Lint) {
    if !item.is_object() {
        return lint.form("no-component", place);
    }
    if text(item, "name").is_empty() && item.get("name").is_none() {
        lint.form("no-name", place);
    }
    if !TYPES.contains(&text(item, "type")) {
        lint.form("bad-type", place);
    }
    let scopes = ["required", "optional", "excluded"];
    if item.get("scope").is_some() && !scopes.contains(&text(item, "scope")) {
        lint.form("bad-scope", place);
    }
    lint.unique(references, text(item, "bom-ref"), place);
    for (index, hash) in list(item, "hashes") {
        let place = format!("{place}.hashes[{index}]");
        lint.digest(digits_of(text(hash, "alg")), text(hash, "content"), &place);
    }
    for (index, license) in list(item, "licenses") {
        self::license(license, &format!("{place}.licenses[{index}]"), lint);
    }
    details(item, place, lint);
    minimum(item, place, lint);
    components(item, &format!("{place}.components"), references, lint);
}

/// Parts with rules of their own.
fn details(item: &Value, place: &str, lint: &mut Lint) {
    let incomplete = |swid: &&Value| ["tagId", "name"].iter().any(|key| swid.get(key).is_none());
    if item.get("swid").filter(incomplete).is_some() {
        lint.form("bad-swid", &format!("{place}.swid"));
    }
    let pedigree = item.get("pedigree").unwrap_or(&Value::Null);
    for (index, patch) in list(pedigree, "patches") {
        let place = format!("{place}.pedigree.patches[{index}]");
        if !["unofficial", "monkey", "backport", "cherry-pick"].contains(&text(patch, "type")) {
            lint.form("bad-patch", &place);
        }
        for (_, issue) in list(patch, "resolves") {
            if !["defect", "enhancement", "security"].contains(&text(issue, "type")) {
                lint.form("bad-issue", &place);
            }
        }
    }
    properties(item, &format!("{place}."), lint);
}

/// Supplier, version and another unique identifier.
fn minimum(item: &Value, place: &str, lint: &mut Lint) {
    if ["supplier", "publisher", "manufacturer", "author", "authors", "group"]
        .iter()
        .all(|key| item.get(key).is_none())
    {
        lint.minimum("no-supplier", place);
    }
    if text(item, "version").is_empty() {
        lint.minimum("no-version", place);
    }
    if ["purl", "cpe", "swid", "omniborId", "swhid"].iter().all(|key| item.get(key).is_none()) {
        lint.minimum("no-identifier", place);
    }
}

fn license(choice: &Value, place: &str, lint: &mut Lint) {
    let license = choice.get("license");
    let expression = choice.get("expression").is_some();
    match license {
        Some(_) if expression => lint.form("bad-license", place),
        None if !expression => lint.form("bad-license", place),
        Some(license) => {
            let named = license.get("name").is_some();
            let by_id = license.get("id").is_some();
            let encoding = license.get("text").map_or("base64", |it| match it.get("encoding") {
                None => "base64",
                Some(encoding) => encoding.as_str().unwrap_or_default(),
            });
            if named == by_id || encoding != "base64" {
                lint.form("bad-license", place);
            }
        }
        None => {}
    }
}

fn properties(owner: &Value, place: &str, lint: &mut Lint) {
    for (index, property) in list(owner, "properties") {
        let known = |key: &String| matches!(key.as_str(), "name" | "value");
        let fits = property.as_object().is_some_and(|map| map.keys().all(known));
        if !fits {
            lint.form("bad-property", &format!("{place}properties[{index}]"));
        }
    }
}

fn services(document: &Value, references: &mut HashSet<String>, lint: &mut Lint) {
    for (index, service) in list(document, "services") {
        let place = format!("services[{index}]");
        if service.get("name").is_none() {
            lint.form("no-name", &place);
        }
        lint.unique(references, text(service, "bom-ref"), &place);
        for (_, data) in list(service, "data") {
            let flows = ["inbound", "outbound", "bi-directional", "unknown"];
            if !flows.contains(&text(data, "flow")) || data.get("classification").is_none() {
                lint.form("bad-data", &place);
            }
        }
    }
}

/// Every `bom-ref` of a document: services, data and licences have some too.
fn named(document: &Value) -> HashSet<String> {
    let mut all = HashSet::new();
    let mut pending = vec![document];
    while let Some(value) = pending.pop() {
        match value {
            Value::Array(items) => pending.extend(items),
            Value::Object(fields) => {
                pending.extend(fields.values());
                all.extend(fields.get("bom-ref").and_then(Value::as_str).map(str::to_owned));
            }
            _ => {}
        }
    }
    all
}

fn dependencies(document: &Value, references: &HashSet<String>, lint: &mut Lint) {
    match document.get("dependencies") {
        None => lint.minimum("no-dependencies", ""),
        Some(Value::Array(items)) => {
            for (index, item) in items.iter().enumerate() {
                let place = format!("dependencies[{index}]");
                let targets = list(item, "dependsOn").map(|(_, it)| it.as_str());
                let from = item.get("ref").and_then(Value::as_str);
                for reference in targets.chain([from]) {
                    match reference {
                        None => lint.form("bad-dependency", &place),
                        Some(name) if !references.contains(name) => {
                            lint.form("dangling-reference", &place);
                        }
                        Some(_) => {}
                    }
                }
            }
        }
        Some(_) => lint.form("no-list", "dependencies"),
    }
}

/// `urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79`.
fn is_uuid(text: &str) -> bool {
    let Some(uuid) = text.strip_prefix("urn:uuid:") else { return false };
    let parts: Vec<&str> = uuid.split('-').collect();
    parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12])
        && parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_hexdigit()))
}
