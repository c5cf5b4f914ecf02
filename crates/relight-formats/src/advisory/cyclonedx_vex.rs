//! CycloneDX VEX (JSON and XML, 1.4 to 1.7): `vulnerabilities` of a document, with what the author
//! found out about each for the components that it affects.

use relight_model::{Advisory, Purl, Rating, VexProduct, VexStatement, VexStatus, Warning};
use serde_json::Value;

use super::cyclonedx_vex::components::Components;
use super::json::{
    EVENTS_MAX, Fault, Object, PACKAGES_MAX, RECORD_BYTES_MAX, inner, list, moment, needed,
    objects, prose, tenths, text,
};
use super::outline::Outline;
use super::pieces::split;
use super::{AdvisoryFormat, Input, Reading, Refusal, canonical, ordinal};
use crate::cyclonedx_xml;

mod components;

pub(super) const PLUGIN: CycloneDxVex = CycloneDxVex;

/// The format. It has no settings.
pub(super) struct CycloneDxVex;

impl AdvisoryFormat for CycloneDxVex {
    fn name(&self) -> &'static str {
        "cyclonedx_vex"
    }

    fn recognises(&self, outline: &Outline<'_>) -> bool {
        outline.has(&["bomFormat"]) || cyclonedx_xml::recognises(outline.body)
    }

    fn read(&self, input: &Input<'_>) -> Reading {
        let mut reading = Reading::default();
        let outline = Outline::of(input.bytes);
        if cyclonedx_xml::recognises(outline.body) {
            let mut notes = Vec::new();
            let read = cyclonedx_xml::object(outline.body, RECORD_BYTES_MAX);
            let read = read.and_then(|it| record(&it, &mut notes));
            match read {
                Ok(advisory) => reading.push(input.source, advisory, 0..input.bytes.len()),
                Err(fault) => {
                    let message = format!("{fault}; left out, correct it and import it again");
                    let warning = Warning::new("advisory-bad-record", input.place, message);
                    reading.refused.push(Refusal { id: None, warning });
                }
            }
            let note = |note| Warning::new("advisory-note", input.place, note);
            reading.notes.extend(notes.into_iter().map(note));
        } else {
            let pieces = split(input.place, input.line, input.bytes);
            reading.take(input, "cyclonedx_vex", pieces, |object, notes| {
                Ok(vec![record(object, notes)?])
            });
        }
        for record in &mut reading.records {
            record.ordinal = ordinal(&record.advisory.status);
        }
        reading
    }
}

fn record(object: &Object, notes: &mut Vec<String>) -> Result<Advisory, Fault> {
    let revision = canonical::digest(object);
    let empty = Object::new();
    let metadata = inner(object, "metadata").unwrap_or(&empty);
    let author = author(metadata);
    let id = text(object, "serialNumber")?.filter(|it| !it.is_empty());
    if id.is_none() {
        let note = "field `serialNumber` is missing: a later version does not replace this one";
        notes.push(note.to_owned());
    }
    let version = object.get("version").and_then(Value::as_u64).unwrap_or(1);
    let mut advisory = Advisory {
        source: format!("cyclonedx-vex/{author}"),
        id: id.map_or_else(|| format!("urn:sha256:{revision}"), str::to_owned),
        revision,
        published: moment(metadata, "timestamp", notes),
        status: version.to_string(),
        assigner: author,
        ..Advisory::default()
    };
    let components = Components::of(object)?;
    let flaws = objects(object, "vulnerabilities", PACKAGES_MAX)?;
    for (index, flaw) in flaws.iter().enumerate() {
        let within = |fault: Fault| format!("vulnerabilities[{index}]: {fault}");
        let names = names(flaw).map_err(within)?;
        advisory.upstream.extend(names.iter().cloned());
        let made = statements(flaw, &names, &components, &advisory, notes).map_err(within)?;
        advisory.statements.extend(made);
    }
    if let [flaw] = &flaws[..] {
        advisory.severities = ratings(flaw)?;
    }
    advisory.upstream.sort();
    advisory.upstream.dedup();
    Ok(advisory)
}

fn author(metadata: &Object) -> String {
    let list = metadata.get("authors").and_then(Value::as_array);
    let first = list.into_iter().flatten().find_map(|it| it.get("name")?.as_str());
    let supplier = metadata.get("supplier").and_then(|it| it.get("name")?.as_str());
    first.or(supplier).unwrap_or_default().to_owned()
}

/// The id of a flaw and the ids under which others know it.
fn names(flaw: &Object) -> Result<Vec<String>, Fault> {
    let mut names: Vec<String> = text(flaw, "id")?.map(str::to_owned).into_iter().collect();
    for reference in objects(flaw, "references", EVENTS_MAX)? {
        names.extend(text(reference, "id")?.map(str::to_owned));
    }
    names.retain(|name| !name.is_empty());
    Ok(names)
}

/// One statement for each status that a flaw has in the document.
fn statements(
    flaw: &Object,
    names: &[String],
    components: &Components,
    advisory: &Advisory,
    notes: &mut Vec<String>,
) -> Result<Vec<VexStatement>, Fault> {
    let analysis = inner(flaw, "analysis");
    let state = match analysis {
        Some(analysis) => state(analysis)?,
        None => None,
    };
    let mut all: Vec<(VexStatus, Vec<VexProduct>)> = Vec::new();
    let mut add = |status, product| match all.iter_mut().find(|(it, _)| *it == status) {
        Some((_, products)) => products.push(product),
        None => all.push((status, vec![product])),
    };
    for affects in objects(flaw, "affects", PACKAGES_MAX)? {
        let reference = needed(affects, "ref")?;
        let product = components.find(reference);
        let versions = objects(affects, "versions", EVENTS_MAX)?;
        match state {
            Some(state) => add(state, with_versions(product, &versions)?),
            None => {
                for version in versions {
                    // Each is said of its own versions, not of the one in the document.
                    let (status, mut product) = (of_version(version)?, product.clone());
                    product.purls.iter_mut().for_each(|purl| purl.version.clear());
                    add(status, with_versions(product, &[version])?);
                }
            }
        }
    }
    if names.is_empty() && !all.is_empty() {
        notes.push("a flaw without id was not used".to_owned());
        return Ok(Vec::new());
    }
    let justification = analysis.map(|it| prose(it, "justification")).filter(|it| !it.is_empty());
    let false_positive = analysis
        .filter(|it| prose(it, "state") == "false_positive")
        .map(|_| "false_positive".to_owned());
    let statement = |(status, products)| VexStatement {
        issuer: advisory.assigner.clone(),
        document: format!("{} {}", advisory.id, advisory.status),
        vulnerabilities: names.to_vec(),
        products,
        status,
        justification: justification.clone().or_else(|| false_positive.clone()),
        text: analysis.map(|it| prose(it, "detail")).unwrap_or_default(),
        at: advisory.published,
    };
    Ok(all.into_iter().map(statement).collect())
}

/// What the author says of the flaw. Whatever stands in front of it never clears.
fn state(analysis: &Object) -> Result<Option<VexStatus>, Fault> {
    let is_mitigated = matches!(
        prose(analysis, "justification").as_str(),
        "protected_by_mitigating_control" | "protected_at_perimeter" | "protected_at_runtime"
    );
    Ok(Some(match text(analysis, "state")?.unwrap_or_default() {
        "" => return Ok(None),
        "exploitable" => VexStatus::Affected,
        "in_triage" => VexStatus::UnderInvestigation,
        "resolved" | "resolved_with_pedigree" => VexStatus::Fixed,
        "not_affected" | "false_positive" if is_mitigated => VexStatus::Mitigated,
        "not_affected" | "false_positive" => VexStatus::NotAffected,
        other => return Err(format!("state `{other}` is not known")),
    }))
}

fn of_version(version: &Object) -> Result<VexStatus, Fault> {
    match text(version, "status")?.unwrap_or("affected") {
        "affected" => Ok(VexStatus::Affected),
        "unaffected" => Ok(VexStatus::NotAffected),
        "unknown" => Ok(VexStatus::UnderInvestigation),
        other => Err(format!("status `{other}` is not known")),
    }
}

/// Versions limit a product only where its own purl has none.
fn with_versions(mut product: VexProduct, versions: &[&Object]) -> Result<VexProduct, Fault> {
    let has_version = product.purls.iter().any(|purl: &Purl| !purl.version.is_empty());
    for version in versions.iter().filter(|_| !has_version) {
        let words = text(version, "range")?.or(text(version, "version")?);
        product.versions.extend(words.map(str::to_owned));
    }
    Ok(product)
}

/// Ratings; a vector of CVSS 3 may lack its prefix here.
fn ratings(flaw: &Object) -> Result<Vec<Rating>, Fault> {
    let mut ratings = Vec::new();
    for item in list(flaw, "ratings", EVENTS_MAX)?.iter().filter_map(Value::as_object) {
        let vector = prose(item, "vector");
        let prefix = match prose(item, "method").as_str() {
            "CVSSv3" => "CVSS:3.0/",
            "CVSSv31" => "CVSS:3.1/",
            "CVSSv4" => "CVSS:4.0/",
            _ => "",
        };
        let is_bare = !vector.is_empty() && !vector.starts_with("CVSS:");
        let vector = if is_bare { format!("{prefix}{vector}") } else { vector };
        let by = inner(item, "source").map(|it| prose(it, "name")).unwrap_or_default();
        ratings.push(Rating {
            stated: tenths(item.get("score")),
            by,
            ..Rating::of_vector(&vector)
        });
    }
    Ok(ratings)
}
