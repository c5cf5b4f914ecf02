//! CycloneDX: JSON is written as 1.6 and read in any 1.x; XML is read.
//!
//! What the standard has no field for travels in properties named `relight:*`, so that reading
//! what we wrote gives the same inventory back.

use relight_model::{Component, Digest, Flaw, FlawCode, Purl, Sbom, Timestamp, Warning};
use serde_json::Value;

use super::{FormatError, SBOM_BYTES_MAX, SbomFormat, document, holds};
use crate::cyclonedx_xml;
use crate::facts::Facts;

pub(super) mod trivy;
mod write;

pub(super) const PLUGIN: CycloneDx = CycloneDx;

/// The format. It has no settings.
pub(super) struct CycloneDx;

impl SbomFormat for CycloneDx {
    fn name(&self) -> &'static str {
        "cyclonedx"
    }

    fn recognises(&self, bytes: &[u8]) -> bool {
        holds(bytes, b"\"bomFormat\"") || cyclonedx_xml::recognises(bytes)
    }

    fn read(&self, bytes: &[u8]) -> Result<(Sbom, Vec<Warning>), FormatError> {
        let document = read_document(bytes)?;
        let mut reader = Reader::default();
        let metadata = document.get("metadata").unwrap_or(&Value::Null);
        reader.sbom.tool = tool(metadata.get("tools").unwrap_or(&Value::Null));
        facts(metadata).inventory(&mut reader.sbom, &mut reader.warnings);
        // The subject counts only if it is a package itself; a bare name is the name of the site.
        let subject = metadata.get("component").unwrap_or(&Value::Null);
        if subject.get("purl").is_some() {
            reader.component(subject, "metadata.component");
        }
        // The image that the whole document is about, by its digest.
        let purl = subject.get("purl").and_then(Value::as_str).map(Purl::parse);
        let image = purl.and_then(Result::ok).filter(|purl| purl.image().is_some());
        reader.sbom.images.extend(image);
        reader.components(subject, "metadata.component.components");
        reader.components(&document, "components");
        reader.sbom.normalise();
        Ok((reader.sbom, reader.warnings))
    }

    fn write(&self, sbom: &Sbom, name: &str, at: Option<Timestamp>) -> String {
        write::document(sbom, name, at)
    }
}

/// A document as the object that it is, or would be, in JSON.
fn read_document(bytes: &[u8]) -> Result<Value, FormatError> {
    if cyclonedx_xml::recognises(bytes) {
        let read = cyclonedx_xml::object(bytes, SBOM_BYTES_MAX);
        return read.map(Value::Object).map_err(FormatError::Xml);
    }
    let document = document(bytes)?;
    match document.get("bomFormat").and_then(Value::as_str) {
        Some("CycloneDX") => Ok(document),
        _ => Err(FormatError::Shape("`bomFormat` is not `CycloneDX`")),
    }
}

/// Kinds of CycloneDX components that are no packages unless they carry a purl.
const NOT_PACKAGES: [&str; 6] =
    ["file", "data", "device", "machine-learning-model", "cryptographic-asset", "operating-system"];

#[derive(Default)]
struct Reader {
    sbom: Sbom,
    warnings: Vec<Warning>,
}

impl Reader {
    /// The list `components` of a document or of a component, and the lists inside it.
    ///
    /// The depth is bounded by the depth of JSON that is read at all (128).
    fn components(&mut self, parent: &Value, place: &str) {
        match parent.get("components") {
            None | Some(Value::Null) => {}
            Some(Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    let place = format!("{place}[{index}]");
                    self.component(item, &place);
                    self.components(item, &format!("{place}.components"));
                }
            }
            Some(_) => self.unusable(place, "is not a list"),
        }
    }

    fn component(&mut self, item: &Value, place: &str) {
        let Some(purl) = self.purl(item, place) else { return };
        let component = Component { hashes: sha256(item), ..facts(item).component(purl) };
        let before = self.sbom.components.len();
        for location in occurrences(item) {
            let evidence = location.to_owned();
            self.sbom.components.push(Component { evidence, ..component.clone() });
        }
        if self.sbom.components.len() == before {
            self.sbom.components.push(component);
        }
    }

    /// What a component is called; `None` for what is no package, or has no name.
    fn purl(&mut self, item: &Value, place: &str) -> Option<Purl> {
        let text = |key: &str| item.get(key).and_then(Value::as_str).unwrap_or_default();
        let stated = text("purl");
        let by_name = || Purl::new("generic", text("group"), text("name"), text("version"));
        let purl = match Purl::parse_named(stated, text("name")) {
            Ok(purl) => purl,
            Err(_) if stated.is_empty() && NOT_PACKAGES.contains(&text("type")) => return None,
            Err(_) if text("name").is_empty() => {
                self.unusable(place, "has neither a usable purl nor a name");
                return None;
            }
            Err(_) if stated.is_empty() => by_name(),
            Err(fault) => {
                let message = format!("{fault}; the component is known by its name only");
                self.warnings.push(Warning::new("sbom-purl", place, message));
                by_name()
            }
        };
        let purl = trivy::with_source(purl, item);
        match text("version") {
            version if purl.version.is_empty() => {
                Some(Purl { version: version.to_owned(), ..purl })
            }
            _ => Some(purl),
        }
    }

    fn unusable(&mut self, place: &str, message: &str) {
        let evidence = place.to_owned();
        self.sbom.flaws.push(Flaw { code: FlawCode::CorruptEntry, evidence, bytes: 0 });
        self.warnings.push(Warning::new("sbom-component", place, message));
    }
}

/// Name and version of the first tool, in the form of 1.5 (`components`) or the one before.
fn tool(tools: &Value) -> String {
    let first = tools.get("components").unwrap_or(tools).get(0).unwrap_or(&Value::Null);
    let part = |key: &str| first.get(key).and_then(Value::as_str).unwrap_or_default();
    format!("{} {}", part("name"), part("version")).trim().to_owned()
}

/// Our own properties of an object.
fn facts(owner: &Value) -> Facts<'_> {
    let all = owner.get("properties").and_then(Value::as_array).into_iter().flatten();
    all.filter_map(|it| Some((it.get("name")?.as_str()?, it.get("value")?.as_str()?))).collect()
}

/// The SHA-256 digests of a component, sorted; other algorithms are not kept.
fn sha256(item: &Value) -> Vec<Digest> {
    let all = item.get("hashes").and_then(Value::as_array).into_iter().flatten();
    let mut found: Vec<_> = all
        .filter(|hash| hash.get("alg").and_then(Value::as_str) == Some("SHA-256"))
        .filter_map(|hash| Digest::parse(hash.get("content")?.as_str()?))
        .collect();
    found.sort_unstable();
    found
}

fn occurrences(item: &Value) -> impl Iterator<Item = &str> {
    let all = item.pointer("/evidence/occurrences").and_then(Value::as_array);
    all.into_iter().flatten().filter_map(|it| it.get("location")?.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sbom::testing::any_sbom;

    #[test]
    fn the_moment_is_written_only_when_given() {
        let sbom = Sbom::default();
        assert!(!PLUGIN.write(&sbom, "a", None).contains("timestamp"));
        let text = PLUGIN.write(&sbom, "a", Some(0));
        assert!(text.contains("\"timestamp\": \"1970-01-01T00:00:00Z\""));
    }

    /// Some tools put what stands behind the third part of a module's name behind a `#`.
    #[test]
    fn the_path_behind_a_module_belongs_to_its_name() {
        let module = "github.com/aws/aws-sdk-go-v2/service/s3";
        let purl = "pkg:golang/github.com/aws/aws-sdk-go-v2@v1.0.0#service/s3";
        let component = |name: &str| {
            let document = serde_json::json!({
                "bomFormat": "CycloneDX", "specVersion": "1.5",
                "components": [{"type": "library", "name": name, "purl": purl}],
            });
            PLUGIN.read(document.to_string().as_bytes()).unwrap().0.components[0].purl.to_string()
        };
        assert_eq!(component(module), format!("pkg:golang/{module}@v1.0.0"));
        assert_eq!(component("s3"), "pkg:golang/github.com/aws/aws-sdk-go-v2@v1.0.0");
    }

    #[test]
    fn complete_is_said_and_only_then_believed() {
        let text = PLUGIN.write(&Sbom::default(), "a", None);
        assert!(text.contains("\"aggregate\": \"complete\""));
        assert!(PLUGIN.read(text.as_bytes()).unwrap().0.is_complete());
        let other = text.replace("relight:complete", "other");
        for silent in [text.replace("\"true\"", "\"false\""), other] {
            let (sbom, _) = PLUGIN.read(silent.as_bytes()).unwrap();
            assert_eq!(sbom.flaws[0].code, FlawCode::Undeclared);
        }
    }

    /// An inventory with a flaw must never say that it is complete.
    #[test]
    fn a_flaw_makes_the_composition_incomplete() {
        for seed in 0..50 {
            let sbom = any_sbom(seed);
            let text = PLUGIN.write(&sbom, "a", None);
            let says = text.contains("\"aggregate\": \"complete\"");
            assert_eq!(says, sbom.is_complete(), "seed {seed}");
        }
    }
}
