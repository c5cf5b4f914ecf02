//! OpenVEX 0.0.1 and 0.2.0: statements of status about products.

use relight_model::{Advisory, Purl, VexProduct, VexStatement, VexStatus};
use serde_json::Value;

use super::json::{
    EVENTS_MAX, Fault, Object, PACKAGES_MAX, inner, list, moment, needed, objects, prose, text,
    texts,
};
use super::outline::Outline;
use super::pieces::split;
use super::{AdvisoryFormat, Input, Reading, canonical, ordinal};

pub(super) const PLUGIN: OpenVex = OpenVex;

/// The format. It has no settings.
pub(super) struct OpenVex;

impl AdvisoryFormat for OpenVex {
    fn name(&self) -> &'static str {
        "openvex"
    }

    fn recognises(&self, outline: &Outline<'_>) -> bool {
        outline.has(&["@context", "statements"])
            || outline.has(&["@context"]) && outline.says("openvex")
    }

    fn read(&self, input: &Input<'_>) -> Reading {
        let mut reading = Reading::default();
        let pieces = split(input.place, input.line, input.bytes);
        reading.take(input, "openvex", pieces, |object, notes| Ok(vec![record(object, notes)?]));
        for record in &mut reading.records {
            record.ordinal = ordinal(&record.advisory.status);
        }
        reading
    }
}

fn record(object: &Object, notes: &mut Vec<String>) -> Result<Advisory, Fault> {
    let author = prose(object, "author");
    let version = object.get("version").filter(|it| !it.is_null()).map(Value::to_string);
    let mut advisory = Advisory {
        source: format!("openvex/{author}"),
        id: needed(object, "@id")?.to_owned(),
        revision: canonical::digest(object),
        published: moment(object, "timestamp", notes),
        modified: moment(object, "last_updated", notes),
        status: version.unwrap_or_default().trim_matches('"').to_owned(),
        assigner: author,
        ..Advisory::default()
    };
    for (index, item) in objects(object, "statements", PACKAGES_MAX)?.into_iter().enumerate() {
        let within = |fault: Fault| format!("statements[{index}]: {fault}");
        let statement = statement(item, &advisory, notes).map_err(within)?;
        advisory.upstream.extend(statement.vulnerabilities.iter().cloned());
        if statement.products.is_empty() {
            notes.push(format!("statements[{index}] names no product and was not used"));
            continue;
        }
        advisory.statements.push(statement);
    }
    advisory.upstream.sort();
    advisory.upstream.dedup();
    Ok(advisory)
}

fn statement(
    item: &Object,
    advisory: &Advisory,
    notes: &mut Vec<String>,
) -> Result<VexStatement, Fault> {
    let justification = text(item, "justification")?.map(str::to_owned);
    let mut products = Vec::new();
    for value in list(item, "products", PACKAGES_MAX)? {
        products.push(product(value)?);
    }
    // Version 0.0.1 has the components of all products in one list.
    for value in list(item, "subcomponents", PACKAGES_MAX)? {
        let component = product(value)?;
        products.iter_mut().for_each(|it| it.subcomponents.push(component.clone()));
    }
    let texts = ["impact_statement", "action_statement", "status_notes"];
    let text = texts.iter().map(|key| prose(item, key)).find(|text| !text.is_empty());
    let at = moment(item, "timestamp", notes);
    Ok(VexStatement {
        issuer: advisory.assigner.clone(),
        document: format!("{} {}", advisory.id, advisory.status).trim().to_owned(),
        vulnerabilities: vulnerabilities(item)?,
        products,
        status: status(needed(item, "status")?, justification.as_deref())?,
        justification: justification.filter(|it| !it.is_empty()),
        text: text.unwrap_or_default(),
        at: at.or(advisory.modified).or(advisory.published),
    })
}

fn status(status: &str, justification: Option<&str>) -> Result<VexStatus, Fault> {
    match (status, justification) {
        ("affected", _) => Ok(VexStatus::Affected),
        ("fixed", _) => Ok(VexStatus::Fixed),
        ("under_investigation", _) => Ok(VexStatus::UnderInvestigation),
        // A mitigation never clears.
        ("not_affected", Some("inline_mitigations_already_exist")) => Ok(VexStatus::Mitigated),
        ("not_affected", _) => Ok(VexStatus::NotAffected),
        (other, _) => Err(format!("status `{other}` is not known")),
    }
}

/// The name of the flaw and its aliases; 0.0.1 has the name alone.
fn vulnerabilities(item: &Object) -> Result<Vec<String>, Fault> {
    let names = match inner(item, "vulnerability") {
        None => vec![needed(item, "vulnerability")?.to_owned()],
        Some(flaw) => {
            let name = text(flaw, "name")?.or(text(flaw, "@id")?).map(str::to_owned);
            name.into_iter().chain(texts(flaw, "aliases", EVENTS_MAX)?).collect()
        }
    };
    let names: Vec<String> = names.into_iter().filter(|name| !name.is_empty()).collect();
    if names.is_empty() { Err("field `vulnerability` names nothing".to_owned()) } else { Ok(names) }
}

/// A product is a text, or an object with identifiers, digests and components.
fn product(value: &Value) -> Result<VexProduct, Fault> {
    let object = match value {
        Value::String(id) => return Ok(named(id)),
        Value::Object(object) => object,
        _ => return Err("a product is neither text nor an object".to_owned()),
    };
    let mut product = named(text(object, "@id")?.unwrap_or_default());
    if let Some(identifiers) = inner(object, "identifiers") {
        for (kind, value) in identifiers {
            let value = value.as_str().ok_or("an identifier of a product is not text")?;
            match kind.as_str() {
                "purl" => {
                    let purl =
                        Purl::parse_exact(value).map_err(|why| format!("purl `{value}`: {why}"))?;
                    if !product.purls.contains(&purl) {
                        product.purls.push(purl);
                    }
                }
                "cpe22" | "cpe23" => product.cpes.push(value.to_owned()),
                _ => {}
            }
        }
    }
    if let Some(hashes) = inner(object, "hashes") {
        let pairs = hashes.iter().filter_map(|(kind, it)| Some((kind, it.as_str()?)));
        let lower =
            |(kind, it): (&String, &str)| (kind.to_ascii_lowercase(), it.to_ascii_lowercase());
        product.hashes.extend(pairs.map(lower));
    }
    for value in list(object, "subcomponents", PACKAGES_MAX)? {
        product.subcomponents.push(self::product(value)?);
    }
    Ok(product)
}

/// A product by its id, which may be a purl.
fn named(id: &str) -> VexProduct {
    let purls = Purl::parse_exact(id).into_iter().collect();
    VexProduct { id: id.to_owned(), purls, ..VexProduct::default() }
}
