//! SPDX 2.3 JSON, read in 2.2 and 2.3 (ISO/IEC 5962).
//!
//! What the standard has no field for travels in annotations whose comment is `relight:NAME TEXT`.

use std::collections::BTreeMap;

use relight_model::{Component, Digest, Flaw, FlawCode, Purl, Sbom, Timestamp, Warning};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::cyclonedx::trivy::with_source_info;
use super::{FormatError, SbomFormat, document, holds};
use crate::facts::{self, Fact, Facts};
use crate::time;

pub(super) const PLUGIN: Spdx2 = Spdx2;

/// The format. It has no settings.
pub(super) struct Spdx2;

impl SbomFormat for Spdx2 {
    fn name(&self) -> &'static str {
        "spdx2"
    }

    fn recognises(&self, bytes: &[u8]) -> bool {
        holds(bytes, b"\"spdxVersion\"")
    }

    fn read(&self, bytes: &[u8]) -> Result<(Sbom, Vec<Warning>), FormatError> {
        let document = document(bytes)?;
        let version = document.get("spdxVersion").and_then(Value::as_str).unwrap_or_default();
        if !version.starts_with("SPDX-2.") {
            return Err(FormatError::Shape("`spdxVersion` is not 2.x"));
        }
        let mut reader = Reader::default();
        reader.sbom.tool = tool(&document);
        facts(&document).inventory(&mut reader.sbom, &mut reader.warnings);
        reader.packages(&document);
        reader.sbom.normalise();
        Ok((reader.sbom, reader.warnings))
    }

    fn write(&self, sbom: &Sbom, name: &str, at: Option<Timestamp>) -> String {
        // The standard wants a moment; without one the document stays the same for the same tree.
        let created = time::format(at.unwrap_or(0));
        let mut packages = vec![json!({
            "SPDXID": "SPDXRef-subject",
            "name": name,
            "downloadLocation": "NOASSERTION",
            "filesAnalyzed": false,
            "primaryPackagePurpose": "APPLICATION",
        })];
        let described = sbom.components.iter().enumerate();
        packages.extend(described.map(|(index, component)| package(index, component, &created)));
        let creator = sbom
            .tool
            .rsplit_once(' ')
            .map_or(sbom.tool.clone(), |(name, version)| format!("{name}-{version}"));
        let creator = if creator.is_empty() { "relight" } else { &creator };
        let mut document = json!({
            "spdxVersion": "SPDX-2.3",
            "dataLicense": "CC0-1.0",
            "SPDXID": "SPDXRef-DOCUMENT",
            "name": name,
            "creationInfo": {"created": created, "creators": [format!("Tool: {creator}")]},
            "annotations": annotations(facts::of_inventory(sbom), &created),
            "packages": packages,
            "relationships": relationships(&sbom.components),
        });
        let digest = Digest(Sha256::digest(document.to_string()).into());
        document["documentNamespace"] = json!(format!("https://spdx.invalid/relight/{digest}"));
        format!("{document:#}\n")
    }
}

#[derive(Default)]
struct Reader {
    sbom: Sbom,
    warnings: Vec<Warning>,
}

impl Reader {
    fn packages(&mut self, document: &Value) {
        let subjects = subjects(document);
        match document.get("packages") {
            None | Some(Value::Null) => {}
            Some(Value::Array(packages)) => {
                for (index, package) in packages.iter().enumerate() {
                    self.package(package, &format!("packages[{index}]"), &subjects);
                }
            }
            Some(_) => self.unusable("packages", "is not a list"),
        }
    }

    fn package(&mut self, item: &Value, place: &str, subjects: &[&str]) {
        let text = |key: &str| item.get(key).and_then(Value::as_str).unwrap_or_default();
        let stated = purl_of(item);
        // What a document describes is its site, unless it is a package itself.
        if stated.is_empty() && subjects.contains(&text("SPDXID")) && subjects.len() == 1 {
            return;
        }
        let by_name = || Purl::new("generic", "", text("name"), known(text("versionInfo")));
        let purl = match Purl::parse_named(stated, text("name")) {
            Ok(purl) => purl,
            Err(_) if text("name").is_empty() => {
                return self.unusable(place, "has neither a usable purl nor a name");
            }
            Err(_) if stated.is_empty() => by_name(),
            Err(fault) => {
                let message = format!("{fault}; the package is known by its name only");
                self.warnings.push(Warning::new("sbom-purl", place, message));
                by_name()
            }
        };
        let purl = match purl.version.is_empty() {
            true => Purl { version: known(text("versionInfo")).to_owned(), ..purl },
            false => purl,
        };
        let purl = with_source_info(purl, text("sourceInfo"));
        let evidence = text("packageFileName").to_owned();
        let hashes = sha256(item);
        let component = Component { evidence, hashes, ..facts(item).component(purl) };
        self.sbom.components.push(component);
    }

    fn unusable(&mut self, place: &str, message: &str) {
        let evidence = place.to_owned();
        self.sbom.flaws.push(Flaw { code: FlawCode::CorruptEntry, evidence, bytes: 0 });
        self.warnings.push(Warning::new("sbom-component", place, message));
    }
}

/// The elements that the document describes.
fn subjects(document: &Value) -> Vec<&str> {
    let listed = document.get("documentDescribes").and_then(Value::as_array);
    let listed = listed.into_iter().flatten().filter_map(Value::as_str);
    let relationships = document.get("relationships").and_then(Value::as_array);
    let related = relationships.into_iter().flatten().filter_map(|it| {
        let described = it.get("relationshipType")?.as_str()? == "DESCRIBES";
        if described { it.get("relatedSpdxElement")?.as_str() } else { None }
    });
    let mut all: Vec<&str> = listed.chain(related).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// `NONE` and `NOASSERTION` are no values.
fn known(text: &str) -> &str {
    if matches!(text, "NONE" | "NOASSERTION") { "" } else { text }
}

fn purl_of(item: &Value) -> &str {
    let references = item.get("externalRefs").and_then(Value::as_array).into_iter().flatten();
    let mut purls = references.filter_map(|it| {
        let is_purl = it.get("referenceType")?.as_str()? == "purl";
        if is_purl { it.get("referenceLocator")?.as_str() } else { None }
    });
    purls.next().unwrap_or_default()
}

fn sha256(item: &Value) -> Vec<Digest> {
    let all = item.get("checksums").and_then(Value::as_array).into_iter().flatten();
    let mut found: Vec<_> = all
        .filter(|hash| hash.get("algorithm").and_then(Value::as_str) == Some("SHA256"))
        .filter_map(|hash| Digest::parse(hash.get("checksumValue")?.as_str()?))
        .collect();
    found.sort_unstable();
    found
}

/// `Tool: relight-0.1.0` is `relight 0.1.0`.
fn tool(document: &Value) -> String {
    let creators = document.pointer("/creationInfo/creators").and_then(Value::as_array);
    let mut creators = creators.into_iter().flatten().filter_map(Value::as_str);
    let tool = creators.find_map(|creator| creator.strip_prefix("Tool:")).unwrap_or_default();
    match tool.trim().rsplit_once('-') {
        Some((name, version)) if version.starts_with(|c: char| c.is_ascii_digit()) => {
            format!("{name} {version}")
        }
        _ => tool.trim().to_owned(),
    }
}

fn facts(owner: &Value) -> Facts<'_> {
    let all = owner.get("annotations").and_then(Value::as_array).into_iter().flatten();
    all.filter_map(|it| it.get("comment")?.as_str()?.split_once(' ')).collect()
}

fn annotations(facts: Vec<Fact>, created: &str) -> Vec<Value> {
    let annotation = |(name, text): Fact| {
        json!({
            "annotationDate": created,
            "annotationType": "OTHER",
            "annotator": "Tool: relight",
            "comment": format!("{name} {text}"),
        })
    };
    facts.into_iter().map(annotation).collect()
}

fn reference(index: usize) -> String {
    format!("SPDXRef-component-{}", index + 1)
}

fn package(index: usize, component: &Component, created: &str) -> Value {
    let Component { purl, evidence, hashes, .. } = component;
    let mut out = json!({
        "SPDXID": reference(index),
        "name": purl.name,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": false,
        "primaryPackagePurpose": "LIBRARY",
        "externalRefs": [{
            "referenceCategory": "PACKAGE-MANAGER",
            "referenceType": "purl",
            "referenceLocator": purl.to_string(),
        }],
        "annotations": annotations(facts::of_component(component), created),
    });
    if !purl.version.is_empty() {
        out["versionInfo"] = json!(purl.version);
    }
    if !evidence.is_empty() {
        out["packageFileName"] = json!(evidence);
    }
    if !hashes.is_empty() {
        let hash = |it: &Digest| json!({"algorithm": "SHA256", "checksumValue": it.to_string()});
        out["checksums"] = hashes.iter().map(hash).collect();
    }
    out
}

/// The document describes the subject; the subject and each archive contain what lies in them, and
/// a package of the system what it installed.
fn relationships(components: &[Component]) -> Vec<Value> {
    let relation = |from: &str, kind: &str, to: &str| {
        json!({
            "spdxElementId": from,
            "relationshipType": kind,
            "relatedSpdxElement": to,
        })
    };
    let mut all = vec![relation("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-subject")];
    let owners: BTreeMap<usize, Vec<usize>> = facts::ownership(components);
    for (index, container) in facts::containers(components).into_iter().enumerate() {
        let from = container.map_or_else(|| "SPDXRef-subject".to_owned(), reference);
        all.push(relation(&from, "CONTAINS", &reference(index)));
    }
    for (owner, owned) in owners {
        let contains = |index: usize| relation(&reference(owner), "CONTAINS", &reference(index));
        all.extend(owned.into_iter().map(contains));
    }
    all
}
