//! CycloneDX JSON: written as 1.6, read in any 1.x.
//!
//! What the standard has no field for travels in properties named `relight:*`, so that reading
//! what we wrote gives the same inventory back.

use relight_model::{
    Basis, Component, Digest, Flaw, FlawCode, Purl, Sbom, Scope, Timestamp, Warning,
};
use serde_json::{Map, Value, json};

use super::{FormatError, SbomFormat};
use crate::time;

pub(super) const PLUGIN: CycloneDx = CycloneDx;

/// Largest document that is read, in bytes.
pub(super) const SBOM_BYTES_MAX: usize = 128 << 20;

const COMPLETE: &str = "relight:complete";
const ARTIFACT: &str = "relight:artifact";
const FLAW: &str = "relight:flaw";
const BASIS: &str = "relight:basis";
const SCOPE: &str = "relight:scope";
const REMOVED: &str = "relight:removed";
const OWNED_BY: &str = "relight:owned-by";
const IN_USE: &str = "relight:in-use";
const ALSO: &str = "relight:also";
const CANDIDATE: &str = "relight:candidate";
const CONFLICT: &str = "relight:identity-conflict";

/// The format. It has no settings.
pub(super) struct CycloneDx;

impl SbomFormat for CycloneDx {
    fn name(&self) -> &'static str {
        "cyclonedx"
    }

    fn recognises(&self, head: &[u8]) -> bool {
        let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
        head.trim_ascii_start().first() == Some(&b'{')
    }

    fn read(&self, bytes: &[u8]) -> Result<(Sbom, Vec<Warning>), FormatError> {
        if bytes.len() > SBOM_BYTES_MAX {
            return Err(FormatError::TooLarge(SBOM_BYTES_MAX));
        }
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let document: Value = serde_json::from_slice(bytes).map_err(FormatError::Json)?;
        if document.get("bomFormat").and_then(Value::as_str) != Some("CycloneDX") {
            return Err(FormatError::Shape("`bomFormat` is not `CycloneDX`"));
        }
        let mut reader = Reader::default();
        let metadata = document.get("metadata").unwrap_or(&Value::Null);
        reader.metadata(metadata);
        // The subject counts only if it is a package itself; a bare name is the name of the site.
        let subject = metadata.get("component").unwrap_or(&Value::Null);
        if subject.get("purl").is_some() {
            reader.component(subject, "metadata.component");
        }
        reader.components(subject, "metadata.component.components");
        reader.components(&document, "components");
        reader.sbom.normalise();
        Ok((reader.sbom, reader.warnings))
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
    fn metadata(&mut self, metadata: &Value) {
        self.sbom.tool = tool(metadata.get("tools").unwrap_or(&Value::Null));
        self.sbom.artifact = properties(metadata, ARTIFACT).next().and_then(Digest::parse);
        let complete = properties(metadata, COMPLETE).next() == Some("true");
        let mut codes_known = true;
        for text in properties(metadata, FLAW) {
            match flaw(text) {
                Some(flaw) => self.sbom.flaws.push(flaw),
                None => codes_known = false,
            }
        }
        if !codes_known {
            let message = "a flaw of a kind that this version does not know";
            self.warnings.push(Warning::new("cyclonedx-flaw", "metadata", message));
        }
        if !codes_known || (!complete && self.sbom.flaws.is_empty()) {
            let evidence = String::new();
            self.sbom.flaws.push(Flaw { code: FlawCode::Undeclared, evidence, bytes: 0 });
        }
    }

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
        let component = known_of(item, purl);
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
        let purl = match Purl::parse(stated) {
            Ok(purl) => purl,
            Err(_) if stated.is_empty() && NOT_PACKAGES.contains(&text("type")) => return None,
            Err(_) if text("name").is_empty() => {
                self.unusable(place, "has neither a usable purl nor a name");
                return None;
            }
            Err(_) if stated.is_empty() => by_name(),
            Err(fault) => {
                let message = format!("{fault}; the component is known by its name only");
                self.warnings.push(Warning::new("cyclonedx-purl", place, message));
                by_name()
            }
        };
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
        self.warnings.push(Warning::new("cyclonedx-component", place, message));
    }
}

/// What our own properties say of a component; without a place.
fn known_of(item: &Value, purl: Purl) -> Component {
    let basis = properties(item, BASIS).find_map(Basis::parse).unwrap_or(Basis::Document);
    let scope = properties(item, SCOPE).find_map(Scope::parse).unwrap_or(Scope::Declared);
    let mut removed: Vec<_> = properties(item, REMOVED).map(str::to_owned).collect();
    removed.sort();
    let mut also: Vec<_> = properties(item, ALSO).filter_map(Basis::parse).collect();
    also.sort();
    Component {
        also,
        candidates: properties(item, CANDIDATE).map(str::to_owned).collect(),
        conflict: properties(item, CONFLICT).next() == Some("true"),
        removed,
        owned_by: properties(item, OWNED_BY).find_map(|text| Purl::parse(text).ok()),
        hashes: sha256(item),
        in_use: properties(item, IN_USE).map(str::to_owned).collect(),
        ..Component::new(purl, "", basis, scope)
    }
}

/// Name and version of the first tool, in the form of 1.5 (`components`) or the one before.
fn tool(tools: &Value) -> String {
    let first = tools.get("components").unwrap_or(tools).get(0).unwrap_or(&Value::Null);
    let part = |key: &str| first.get(key).and_then(Value::as_str).unwrap_or_default();
    format!("{} {}", part("name"), part("version")).trim().to_owned()
}

/// The values of every property of this name.
fn properties<'a>(owner: &'a Value, name: &'a str) -> impl Iterator<Item = &'a str> {
    let all = owner.get("properties").and_then(Value::as_array).into_iter().flatten();
    all.filter(move |it| it.get("name").and_then(Value::as_str) == Some(name))
        .filter_map(|it| it.get("value")?.as_str())
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

/// `limit-depth 4096 app.war!/x.jar`: code, unread bytes, evidence.
fn flaw(text: &str) -> Option<Flaw> {
    let mut parts = text.splitn(3, ' ');
    Some(Flaw {
        code: FlawCode::parse(parts.next()?)?,
        bytes: parts.next()?.parse().ok()?,
        evidence: parts.next()?.to_owned(),
    })
}

/// Writes the document; see [`super::write_cyclonedx`].
pub(super) fn write(sbom: &Sbom, name: &str, at: Option<Timestamp>) -> String {
    let Sbom { components, tool, .. } = sbom;
    let mut metadata = Map::new();
    if let Some(at) = at {
        metadata.insert("timestamp".into(), json!(time::format(at)));
    }
    if !tool.is_empty() {
        metadata.insert("tools".into(), json!({"components": [tool_entry(tool)]}));
    }
    let subject = json!({"type": "application", "bom-ref": "subject", "name": name});
    metadata.insert("component".into(), subject);
    metadata.insert("properties".into(), coverage(sbom).into());
    let aggregate = if sbom.is_complete() { "complete" } else { "incomplete" };
    let components: Vec<_> = components.iter().enumerate().map(component).collect();
    let document = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": metadata,
        "components": components,
        "compositions": [{"aggregate": aggregate, "assemblies": ["subject"]}],
    });
    format!("{document:#}\n")
}

fn tool_entry(tool: &str) -> Value {
    let (name, version) = tool.rsplit_once(' ').unwrap_or((tool, ""));
    let mut entry = json!({"type": "application", "name": name});
    if !version.is_empty() {
        entry["version"] = json!(version);
    }
    entry
}

/// What was looked at and what could not be read.
fn coverage(sbom: &Sbom) -> Vec<Value> {
    let mut properties = vec![property(COMPLETE, &sbom.is_complete().to_string())];
    properties.extend(sbom.artifact.map(|digest| property(ARTIFACT, &digest.to_string())));
    for Flaw { code, evidence, bytes } in &sbom.flaws {
        properties.push(property(FLAW, &format!("{} {bytes} {evidence}", code.as_str())));
    }
    properties
}

fn component((index, component): (usize, &Component)) -> Value {
    let Component { purl, evidence, hashes, .. } = component;
    let mut out = json!({
        "type": "library",
        "bom-ref": format!("component-{}", index + 1),
        "name": purl.name,
        "purl": purl.to_string(),
        "properties": properties_of(component),
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
    if !evidence.is_empty() {
        out["evidence"] = json!({"occurrences": [{"location": evidence}]});
    }
    out
}

/// What the standard has no field for.
fn properties_of(component: &Component) -> Vec<Value> {
    let Component { basis, also, candidates, conflict, scope, .. } = component;
    let Component { removed, owned_by, in_use, .. } = component;
    let mut properties = vec![property(BASIS, basis.as_str()), property(SCOPE, scope.as_str())];
    properties.extend(also.iter().map(|basis| property(ALSO, basis.as_str())));
    properties.extend(candidates.iter().map(|version| property(CANDIDATE, version)));
    properties.extend(conflict.then(|| property(CONFLICT, "true")));
    properties.extend(removed.iter().map(|class| property(REMOVED, class)));
    properties.extend(owned_by.iter().map(|owner| property(OWNED_BY, &owner.to_string())));
    properties.extend(in_use.iter().map(|user| property(IN_USE, user)));
    properties
}

fn property(name: &str, value: &str) -> Value {
    json!({"name": name, "value": value})
}

#[cfg(test)]
mod tests {
    use testkit::Rng;

    use super::*;

    /// An inventory with everything that the model can hold.
    fn sbom(seed: u64) -> Sbom {
        let mut rng = Rng::new(seed);
        let mut sbom = Sbom { tool: "relight 0.1.0".into(), ..Sbom::default() };
        for number in 0..rng.below(8) {
            let version = if rng.chance(20) { String::new() } else { format!("{number}.0+é %") };
            let group = rng.pick::<&str>(&["", "org.example"]);
            let purl = Purl::new("maven", group, "a@b/c", &version);
            let purl = purl.with_qualifier("classifier", rng.pick::<&str>(&["", "sources"]));
            let evidence = *rng.pick(&["", "a.war!/b c.jar", "\n\"\\"]);
            let basis = *rng.pick(&Basis::ALL);
            let mut also = vec![*rng.pick(&Basis::ALL), *rng.pick(&Basis::ALL)];
            also.sort();
            also.truncate(rng.below(3));
            let mut some = |items: [&str; 2]| match rng.chance(30) {
                true => items.map(str::to_owned).to_vec(),
                false => Vec::new(),
            };
            let (removed, candidates) = (some(["a/B", "a/C"]), some(["2.4", "2.10"]));
            sbom.components.push(Component {
                also,
                candidates,
                conflict: rng.chance(30),
                removed,
                owned_by: rng.chance(30).then(|| Purl::new("deb", "debian", "a b", "1")),
                hashes: if rng.chance(30) { vec![Digest([3; 32])] } else { vec![] },
                in_use: if rng.chance(30) { vec!["a.service root".into()] } else { vec![] },
                ..Component::new(purl, evidence, basis, *rng.pick(&Scope::ALL))
            });
        }
        for _ in 0..rng.below(3) {
            let code = *rng.pick(&FlawCode::ALL);
            let evidence = (*rng.pick(&["", "x y.jar!/z "])).to_owned();
            sbom.flaws.push(Flaw { code, evidence, bytes: rng.next() });
        }
        sbom.artifact = rng.chance(50).then_some(Digest([7; 32]));
        sbom.normalise();
        sbom
    }

    #[test]
    fn reading_what_was_written_gives_the_same() {
        for seed in 0..300 {
            let sbom = sbom(seed);
            let text = write(&sbom, "a site", Some(1_639_096_841));
            assert_eq!(text, write(&sbom, "a site", Some(1_639_096_841)), "seed {seed}");
            let (back, warnings) = PLUGIN.read(text.as_bytes()).unwrap();
            assert_eq!((back, warnings), (sbom, vec![]), "seed {seed}\n{text}");
        }
    }

    #[test]
    fn the_moment_is_written_only_when_given() {
        let sbom = Sbom::default();
        assert!(!write(&sbom, "a", None).contains("timestamp"));
        assert!(write(&sbom, "a", Some(0)).contains("\"timestamp\": \"1970-01-01T00:00:00Z\""));
    }

    #[test]
    fn complete_is_said_and_only_then_believed() {
        let text = write(&Sbom::default(), "a", None);
        assert!(PLUGIN.read(text.as_bytes()).unwrap().0.is_complete());
        for silent in [text.replace("\"true\"", "\"false\""), text.replace(COMPLETE, "other")] {
            let (sbom, _) = PLUGIN.read(silent.as_bytes()).unwrap();
            assert_eq!(sbom.flaws[0].code, FlawCode::Undeclared);
        }
    }

    #[test]
    fn a_document_over_the_limit_is_refused() {
        let bytes = vec![b'x'; SBOM_BYTES_MAX + 1];
        let result = PLUGIN.read(&bytes);
        assert!(matches!(result, Err(FormatError::TooLarge(SBOM_BYTES_MAX))));
        assert!(matches!(PLUGIN.read(&bytes[1..]), Err(FormatError::Json(_))));
    }
}
