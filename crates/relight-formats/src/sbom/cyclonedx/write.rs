//! The document of CycloneDX 1.6: same inventory, name and moment, same bytes.

use relight_model::{Basis, Component, Digest, Sbom, Scope, Timestamp};
use serde_json::{Map, Value, json};

use crate::facts::{self, Fact};
use crate::time;

/// Levels of components inside components. JSON is read to a depth of 128, and a level takes two.
const NEST_MAX: usize = 24;

pub(super) fn document(sbom: &Sbom, name: &str, at: Option<Timestamp>) -> String {
    let tree = Tree::of(&sbom.components);
    let aggregate = if sbom.is_complete() { "complete" } else { "incomplete" };
    let document = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": metadata(sbom, name, at),
        "components": tree.list(&tree.roots),
        "dependencies": tree.dependencies(),
        "compositions": [{"aggregate": aggregate, "assemblies": ["subject"]}],
    });
    format!("{document:#}\n")
}

fn metadata(sbom: &Sbom, name: &str, at: Option<Timestamp>) -> Map<String, Value> {
    let mut metadata = Map::new();
    if let Some(at) = at {
        metadata.insert("timestamp".into(), json!(time::format(at)));
    }
    if !sbom.tool.is_empty() {
        metadata.insert("tools".into(), json!({"components": [tool(&sbom.tool)]}));
    }
    let subject = json!({"type": "application", "bom-ref": "subject", "name": name});
    metadata.insert("component".into(), subject);
    // The tool has a field of its own.
    let facts = facts::of_inventory(sbom).into_iter().filter(|(name, _)| *name != "relight:tool");
    metadata.insert("properties".into(), facts.map(property).collect());
    metadata
}

fn tool(tool: &str) -> Value {
    let (name, version) = tool.rsplit_once(' ').unwrap_or((tool, ""));
    let mut entry = json!({"type": "application", "name": name});
    if !version.is_empty() {
        entry["version"] = json!(version);
    }
    entry
}

fn property((name, value): Fact) -> Value {
    json!({"name": name, "value": value})
}

/// Which component lies in which, and who owns whom.
struct Tree<'a> {
    components: &'a [Component],
    roots: Vec<usize>,
    children: Vec<Vec<usize>>,
}

impl<'a> Tree<'a> {
    fn of(components: &'a [Component]) -> Self {
        let parents = facts::containers(components);
        let mut children = vec![Vec::new(); components.len()];
        let mut roots = Vec::new();
        for index in 0..components.len() {
            let depth = std::iter::successors(parents[index], |at| parents[*at]).count();
            match parents[index].filter(|_| depth < NEST_MAX) {
                Some(parent) => children[parent].push(index),
                None => roots.push(index),
            }
        }
        Self { components, roots, children }
    }

    fn list(&self, indices: &[usize]) -> Vec<Value> {
        let written = indices.iter().map(|&index| {
            let mut value = component(index, &self.components[index]);
            if !self.children[index].is_empty() {
                value["components"] = self.list(&self.children[index]).into();
            }
            value
        });
        written.collect()
    }

    /// The subject has what lies in no archive, an archive what lies in it, and a package of the
    /// system what it installed.
    fn dependencies(&self) -> Vec<Value> {
        let entry = |from: String, to: &[usize]| {
            let to: Vec<_> = to.iter().map(|index| reference(*index)).collect();
            json!({"ref": from, "dependsOn": to})
        };
        let mut all = vec![entry("subject".to_owned(), &self.roots)];
        let owned = facts::ownership(self.components);
        for (index, children) in self.children.iter().enumerate() {
            let mut to = children.clone();
            to.extend(owned.get(&index).into_iter().flatten());
            to.sort_unstable();
            to.dedup();
            if !to.is_empty() {
                all.push(entry(reference(index), &to));
            }
        }
        all
    }
}

fn reference(index: usize) -> String {
    format!("component-{}", index + 1)
}

fn component(index: usize, component: &Component) -> Value {
    let Component { purl, hashes, scope, .. } = component;
    let facts = facts::of_component(component).into_iter().map(property);
    let mut out = json!({
        "type": "library",
        "bom-ref": reference(index),
        "name": purl.name,
        "purl": purl.to_string(),
        "scope": match scope {
            Scope::Installed => "required",
            Scope::Declared | Scope::Superseded => "optional",
            Scope::Build => "excluded",
        },
        "evidence": evidence(component),
        "properties": facts.collect::<Vec<_>>(),
    });
    if !purl.namespace.is_empty() {
        out["group"] = json!(purl.namespace);
    }
    if !purl.version.is_empty() {
        out["version"] = json!(purl.version);
    }
    if !hashes.is_empty() {
        let hash = |it: &Digest| json!({"alg": "SHA-256", "content": it.to_string()});
        out["hashes"] = hashes.iter().map(hash).collect();
    }
    out
}

/// How it was recognised and where.
fn evidence(component: &Component) -> Value {
    let ways = std::iter::once(&component.basis).chain(&component.also);
    let methods = ways.map(|basis| {
        json!({
            "technique": technique(*basis),
            "confidence": facts::confidence(*basis),
            "value": basis.as_str(),
        })
    });
    let mut out = json!({"identity": [{
        "field": "purl",
        "confidence": facts::confidence(component.basis),
        "methods": methods.collect::<Vec<_>>(),
    }]});
    if !component.evidence.is_empty() {
        out["occurrences"] = json!([{"location": component.evidence}]);
    }
    out
}

/// The word of the standard for a way of recognition.
const fn technique(basis: Basis) -> &'static str {
    match basis {
        Basis::ArchiveDigest | Basis::CrcSet => "hash-comparison",
        Basis::FingerprintExact
        | Basis::FingerprintPartial
        | Basis::NamedClass
        | Basis::ClassName
        | Basis::PathString => "binary-analysis",
        Basis::PackageDatabase
        | Basis::PomProperties
        | Basis::InstalledMetadata
        | Basis::Manifest
        | Basis::LockFile => "manifest-analysis",
        Basis::FileName => "filename",
        Basis::Document => "other",
    }
}
