//! Rules of SPDX 2.2, 2.3 and 3.0.

use std::collections::HashSet;

use serde_json::Value;

use super::{Lint, digits_of, list, text};
use crate::time;

/// Checks a document of version 2.
pub(super) fn check_2(document: &Value, lint: &mut Lint) {
    if !["SPDX-2.2", "SPDX-2.3"].contains(&text(document, "spdxVersion")) {
        lint.form("bad-version", "spdxVersion");
    }
    for (key, code) in [("name", "no-name"), ("documentNamespace", "no-namespace")] {
        if text(document, key).is_empty() {
            lint.form(code, key);
        }
    }
    if text(document, "dataLicense") != "CC0-1.0" {
        lint.form("bad-data-license", "dataLicense");
    }
    let creation = document.get("creationInfo").unwrap_or(&Value::Null);
    moment(creation, "created", "creationInfo", lint);
    if list(creation, "creators").next().is_none() {
        lint.minimum("no-author", "creationInfo");
    }
    let mut references = HashSet::from([text(document, "SPDXID").to_owned()]);
    for (index, package) in list(document, "packages") {
        self::package(package, &format!("packages[{index}]"), &mut references, lint);
    }
    for key in ["files", "snippets"] {
        for (index, element) in list(document, key) {
            lint.unique(&mut references, text(element, "SPDXID"), &format!("{key}[{index}]"));
        }
    }
    relationships(document, &references, lint);
}

fn moment(owner: &Value, key: &str, place: &str, lint: &mut Lint) {
    match owner.get(key) {
        None => lint.minimum("no-timestamp", place),
        Some(at) if at.as_str().and_then(time::parse).is_none() => {
            lint.form("bad-timestamp", &format!("{place}.{key}"));
        }
        Some(_) => {}
    }
}

fn package(item: &Value, place: &str, references: &mut HashSet<String>, lint: &mut Lint) {
    if text(item, "name").is_empty() {
        lint.form("no-name", place);
    }
    let id = text(item, "SPDXID");
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    if !id.strip_prefix("SPDXRef-").is_some_and(|id| !id.is_empty() && id.chars().all(plain)) {
        lint.form("bad-reference", place);
    }
    lint.unique(references, id, place);
    if text(item, "downloadLocation").is_empty() {
        lint.form("no-download-location", place);
    }
    for (index, hash) in list(item, "checksums") {
        let place = format!("{place}.checksums[{index}]");
        lint.digest(digits_of(text(hash, "algorithm")), text(hash, "checksumValue"), &place);
    }
    for (code, key) in [("no-supplier", "supplier"), ("no-version", "versionInfo")] {
        if matches!(text(item, key), "" | "NOASSERTION") {
            lint.minimum(code, place);
        }
    }
    if list(item, "externalRefs").next().is_none() {
        lint.minimum("no-identifier", place);
    }
}

fn relationships(document: &Value, references: &HashSet<String>, lint: &mut Lint) {
    let mut any = false;
    for (index, relation) in list(document, "relationships") {
        let place = format!("relationships[{index}]");
        any |= text(relation, "relationshipType") != "DESCRIBES";
        for key in ["spdxElementId", "relatedSpdxElement"] {
            let name = text(relation, key);
            let outside =
                name.starts_with("DocumentRef-") || matches!(name, "NONE" | "NOASSERTION");
            if !outside && !references.contains(name) {
                lint.form("dangling-reference", &place);
            }
        }
    }
    if !any {
        lint.minimum("no-dependencies", "");
    }
}

/// Checks a graph of version 3.
pub(super) fn check_3(document: &Value, lint: &mut Lint) {
    let mut references = HashSet::new();
    let mut kinds = HashSet::new();
    for (index, element) in list(document, "@graph") {
        let place = format!("@graph[{index}]");
        let kind = text(element, "type");
        kinds.insert(kind);
        let id = text(element, "spdxId");
        match kind {
            "" => lint.form("bad-type", &place),
            "CreationInfo" => {
                moment(element, "created", &place, lint);
                if list(element, "createdBy").next().is_none() {
                    lint.minimum("no-author", &place);
                }
            }
            _ if id.is_empty() => lint.form("bad-reference", &place),
            _ => lint.unique(&mut references, id, &place),
        }
        if kind == "software_Package" {
            package_3(element, &place, lint);
        }
    }
    if !kinds.contains("SpdxDocument") {
        lint.form("no-document", "@graph");
    }
    if !kinds.contains("Relationship") {
        lint.minimum("no-dependencies", "");
    }
}

fn package_3(item: &Value, place: &str, lint: &mut Lint) {
    if text(item, "name").is_empty() {
        lint.form("no-name", place);
    }
    for (index, hash) in list(item, "verifiedUsing").filter(|(_, it)| text(it, "type") == "Hash") {
        let place = format!("{place}.verifiedUsing[{index}]");
        lint.digest(digits_of(text(hash, "algorithm")), text(hash, "hashValue"), &place);
    }
    if item.get("suppliedBy").is_none() {
        lint.minimum("no-supplier", place);
    }
    if text(item, "software_packageVersion").is_empty() {
        lint.minimum("no-version", place);
    }
    let identifiers = list(item, "externalIdentifier").next().is_some();
    if text(item, "software_packageUrl").is_empty() && !identifiers {
        lint.minimum("no-identifier", place);
    }
}
