//! SPDX 3.0 in JSON-LD: a graph of elements.
//!
//! What the standard has no field for travels in its extension for properties of CycloneDX.

use relight_model::{Component, Digest, Flaw, FlawCode, Purl, Sbom, Timestamp, Warning};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::cyclonedx::trivy::with_source_info;
use super::{FormatError, SbomFormat, document, holds};
use crate::facts::{self, Fact, Facts};
use crate::time;

pub(super) const PLUGIN: Spdx3 = Spdx3;

/// The format. It has no settings.
pub(super) struct Spdx3;

impl SbomFormat for Spdx3 {
    fn name(&self) -> &'static str {
        "spdx3"
    }

    fn recognises(&self, bytes: &[u8]) -> bool {
        holds(bytes, b"spdx.org/rdf/3.") && holds(bytes, b"\"@graph\"")
    }

    fn read(&self, bytes: &[u8]) -> Result<(Sbom, Vec<Warning>), FormatError> {
        let document = document(bytes)?;
        let Some(graph) = document.get("@graph").and_then(Value::as_array) else {
            return Err(FormatError::Shape("`@graph` is not a list"));
        };
        let mut reader = Reader::default();
        let of_kind = |kind: &'static str| graph.iter().filter(move |it| is(it, kind));
        reader.sbom.tool =
            of_kind("Tool").map(|tool| text(tool, "name").to_owned()).next().unwrap_or_default();
        let inventory = of_kind("software_Sbom").next().unwrap_or(&Value::Null);
        facts(inventory).inventory(&mut reader.sbom, &mut reader.warnings);
        let roots: Vec<&str> = strings(inventory, "rootElement").collect();
        for (index, element) in graph.iter().enumerate() {
            if !element.is_object() {
                let evidence = format!("@graph[{index}]");
                reader.sbom.flaws.push(Flaw { code: FlawCode::CorruptEntry, evidence, bytes: 0 });
            }
            if is(element, "software_Package") {
                reader.package(element, &format!("@graph[{index}]"), &roots);
            }
        }
        reader.sbom.normalise();
        Ok((reader.sbom, reader.warnings))
    }

    fn write(&self, sbom: &Sbom, name: &str, at: Option<Timestamp>) -> String {
        // The standard wants a moment; without one the document stays the same for the same tree.
        let created = time::format(at.unwrap_or(0));
        let digest = Sha256::digest(super::cyclonedx::PLUGIN.write(sbom, name, at));
        let ids = Ids(format!("https://spdx.invalid/relight/{}#", Digest(digest.into())));
        let mut graph = frame(sbom, name, &created, &ids);
        let packages = sbom.components.iter().enumerate();
        graph.extend(packages.map(|(index, component)| package(index, component, &ids)));
        graph.extend(relationships(sbom, &ids));
        let document = json!({
            "@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld",
            "@graph": graph,
        });
        format!("{document:#}\n")
    }
}

#[derive(Default)]
struct Reader {
    sbom: Sbom,
    warnings: Vec<Warning>,
}

impl Reader {
    fn package(&mut self, item: &Value, place: &str, roots: &[&str]) {
        let stated = purl_of(item);
        if stated.is_empty() && roots == [text(item, "spdxId")] {
            return;
        }
        let version = text(item, "software_packageVersion");
        let by_name = || Purl::new("generic", "", text(item, "name"), version);
        let purl = match Purl::parse_named(stated, text(item, "name")) {
            Ok(purl) => purl,
            Err(_) if text(item, "name").is_empty() => {
                let evidence = place.to_owned();
                self.sbom.flaws.push(Flaw { code: FlawCode::CorruptEntry, evidence, bytes: 0 });
                let message = "has neither a usable purl nor a name";
                return self.warnings.push(Warning::new("sbom-component", place, message));
            }
            Err(_) if stated.is_empty() => by_name(),
            Err(fault) => {
                let message = format!("{fault}; the package is known by its name only");
                self.warnings.push(Warning::new("sbom-purl", place, message));
                by_name()
            }
        };
        let purl = match purl.version.is_empty() {
            true => Purl { version: version.to_owned(), ..purl },
            false => purl,
        };
        let purl = with_source_info(purl, text(item, "software_sourceInfo"));
        // The standard has no field for where a package was found but its source.
        let evidence = text(item, "software_sourceInfo").to_owned();
        let hashes = sha256(item);
        let component = Component { evidence, hashes, ..facts(item).component(purl) };
        self.sbom.components.push(component);
    }
}

fn is(element: &Value, kind: &str) -> bool {
    text(element, "type") == kind || text(element, "@type") == kind
}

fn text<'a>(element: &'a Value, key: &str) -> &'a str {
    element.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn list<'a>(element: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    element.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn strings<'a>(element: &'a Value, key: &str) -> impl Iterator<Item = &'a str> {
    list(element, key).filter_map(Value::as_str)
}

fn purl_of(item: &Value) -> &str {
    let mut identifiers = list(item, "externalIdentifier")
        .filter(|it| text(it, "externalIdentifierType") == "packageUrl")
        .map(|it| text(it, "identifier"));
    match text(item, "software_packageUrl") {
        "" => identifiers.next().unwrap_or_default(),
        purl => purl,
    }
}

fn sha256(item: &Value) -> Vec<Digest> {
    let mut found: Vec<_> = list(item, "verifiedUsing")
        .filter(|hash| text(hash, "algorithm") == "sha256")
        .filter_map(|hash| Digest::parse(text(hash, "hashValue")))
        .collect();
    found.sort_unstable();
    found
}

fn facts(owner: &Value) -> Facts<'_> {
    list(owner, "extension")
        .flat_map(|extension| list(extension, "extension_cdxProperty"))
        .map(|it| (text(it, "extension_cdxPropName"), text(it, "extension_cdxPropValue")))
        .collect()
}

fn extension(facts: Vec<Fact>) -> Value {
    let entry = |(name, value): Fact| {
        json!({
            "type": "extension_CdxPropertyEntry",
            "extension_cdxPropName": name,
            "extension_cdxPropValue": value,
        })
    };
    let entries: Vec<_> = facts.into_iter().map(entry).collect();
    json!([{"type": "extension_CdxPropertiesExtension", "extension_cdxProperty": entries}])
}

/// The names of elements, all in one namespace.
struct Ids(String);

impl Ids {
    fn of(&self, name: &str) -> String {
        format!("{}{name}", self.0)
    }

    fn component(&self, index: usize) -> String {
        self.of(&format!("component-{}", index + 1))
    }
}

/// Who wrote the document, the document, the inventory and its subject.
fn frame(sbom: &Sbom, name: &str, created: &str, ids: &Ids) -> Vec<Value> {
    let tool = if sbom.tool.is_empty() { "relight" } else { &sbom.tool };
    let components = 0..sbom.components.len();
    let elements: Vec<_> =
        std::iter::once(ids.of("subject")).chain(components.map(|it| ids.component(it))).collect();
    let element = |kind: &str, id: &str, name: &str| {
        json!({
            "type": kind, "spdxId": ids.of(id), "creationInfo": "_:creation", "name": name,
        })
    };
    let mut document = element("SpdxDocument", "document", name);
    document["rootElement"] = json!([ids.of("sbom")]);
    document["profileConformance"] = json!(["core", "software", "extension"]);
    document["element"] = json!(elements);
    let mut inventory = element("software_Sbom", "sbom", name);
    inventory["rootElement"] = json!([ids.of("subject")]);
    inventory["element"] = json!(elements);
    inventory["extension"] = extension(facts::of_inventory(sbom));
    let mut subject = element("software_Package", "subject", name);
    subject["software_primaryPurpose"] = json!("application");
    vec![
        json!({
            "type": "CreationInfo", "@id": "_:creation", "specVersion": "3.0.1",
            "created": created, "createdBy": [ids.of("agent")], "createdUsing": [ids.of("tool")],
        }),
        element("SoftwareAgent", "agent", tool),
        element("Tool", "tool", tool),
        document,
        inventory,
        subject,
    ]
}

fn package(index: usize, component: &Component, ids: &Ids) -> Value {
    let Component { purl, evidence, hashes, .. } = component;
    let mut out = json!({
        "type": "software_Package",
        "spdxId": ids.component(index),
        "creationInfo": "_:creation",
        "name": purl.name,
        "software_packageUrl": purl.to_string(),
        "software_primaryPurpose": "library",
        "extension": extension(facts::of_component(component)),
    });
    if !purl.version.is_empty() {
        out["software_packageVersion"] = json!(purl.version);
    }
    if !evidence.is_empty() {
        out["software_sourceInfo"] = json!(evidence);
    }
    if !hashes.is_empty() {
        let hash = |it: &Digest| {
            json!({
                "type": "Hash",
                "algorithm": "sha256",
                "hashValue": it.to_string(),
            })
        };
        out["verifiedUsing"] = hashes.iter().map(hash).collect();
    }
    out
}

/// The subject and each archive contain what lies in them; whether that is all is said.
fn relationships(sbom: &Sbom, ids: &Ids) -> Vec<Value> {
    let completeness = if sbom.is_complete() { "complete" } else { "incomplete" };
    let mut inside: Vec<(Option<usize>, usize)> = Vec::new();
    for (index, container) in facts::containers(&sbom.components).into_iter().enumerate() {
        inside.push((container, index));
    }
    for (owner, owned) in facts::ownership(&sbom.components) {
        inside.extend(owned.into_iter().map(|index| (Some(owner), index)));
    }
    inside.sort_unstable();
    inside.dedup();
    let groups = inside.chunk_by(|a, b| a.0 == b.0).enumerate();
    let relation = |(number, group): (usize, &[(Option<usize>, usize)])| {
        let from = group[0].0.map_or_else(|| ids.of("subject"), |index| ids.component(index));
        let to: Vec<_> = group.iter().map(|(_, index)| ids.component(*index)).collect();
        json!({
            "type": "Relationship",
            "spdxId": ids.of(&format!("relationship-{}", number + 1)),
            "creationInfo": "_:creation",
            "from": from,
            "relationshipType": "contains",
            "to": to,
            "completeness": completeness,
        })
    };
    groups.map(relation).collect()
}
