//! CVE records (format 5.x): each container is a source of its own, because the assigner of the
//! number and those who enrich it do not speak for each other.

use relight_model::{Advisory, Rating, RatingKind, Signal, Timestamp};
use serde_json::Value;

use super::cve::affected::entry;
use super::json::{
    Fault, Object, PACKAGES_MAX, inner, list, members, moment, needed, needed_object, objects,
    prose, tenths,
};
use super::outline::Outline;
use super::pieces::split;
use super::{AdvisoryFormat, ExtentKind, Input, Reading, canonical};
use crate::time;

mod affected;
mod versions;

pub(super) use versions::{is_version, operators};

pub(super) const PLUGIN: Cve = Cve;

/// The source of what the assigners of the numbers say.
const SOURCE: &str = "cve";

/// The format. It has no settings.
pub(super) struct Cve;

impl AdvisoryFormat for Cve {
    fn name(&self) -> &'static str {
        "cve"
    }

    fn recognises(&self, outline: &Outline<'_>) -> bool {
        outline.has(&["cveMetadata"])
            && (outline.has(&["containers"]) || outline.has(&["dataType"]))
    }

    fn read(&self, input: &Input<'_>) -> Reading {
        let mut reading = Reading::default();
        reading.take(input, "cve", split(input.place, input.line, input.bytes), record);
        for record in &mut reading.records {
            // Archives and deltas come in any order: an older record ends nothing of a newer one.
            let moment = record.advisory.modified.or(record.advisory.published);
            record.ordinal = moment.unwrap_or_default();
        }
        reading.extend(ExtentKind::Containers);
        reading
    }
}

fn record(object: &Object, notes: &mut Vec<String>) -> Result<Vec<Advisory>, Fault> {
    let metadata = needed_object(object, "cveMetadata")?;
    let base = Advisory {
        source: SOURCE.to_owned(),
        id: needed(metadata, "cveId")?.to_ascii_uppercase(),
        revision: canonical::digest(object),
        published: moment(metadata, "datePublished", notes),
        modified: moment(metadata, "dateUpdated", notes),
        withdrawn: rejected(metadata, notes),
        status: prose(metadata, "state"),
        assigner: prose(metadata, "assignerShortName"),
        ..Advisory::default()
    };
    let containers = needed_object(object, "containers")?;
    let mut records = Vec::new();
    if let Some(cna) = inner(containers, "cna") {
        records.push(container(cna, base.clone(), notes)?);
    }
    for adp in objects(containers, "adp", PACKAGES_MAX)? {
        let name = inner(adp, "providerMetadata").map(|it| prose(it, "shortName"));
        let name = name.filter(|it| !it.is_empty()).unwrap_or_else(|| "unnamed".to_owned());
        let source = format!("cve-adp/{name}");
        let base = Advisory { source, assigner: name, ..base.clone() };
        records.push(container(adp, base, notes)?);
    }
    if records.is_empty() {
        return Err("field `containers` holds no container".to_owned());
    }
    Ok(records)
}

/// When the number was rejected; where no moment is given, the beginning of time.
fn rejected(metadata: &Object, notes: &mut Vec<String>) -> Option<Timestamp> {
    let is_rejected = prose(metadata, "state").eq_ignore_ascii_case("REJECTED");
    is_rejected.then(|| {
        let at = moment(metadata, "dateRejected", notes);
        at.or_else(|| moment(metadata, "dateUpdated", notes)).unwrap_or(0)
    })
}

fn container(
    container: &Object,
    base: Advisory,
    notes: &mut Vec<String>,
) -> Result<Advisory, Fault> {
    let mut advisory = Advisory {
        summary: summary(container),
        references: members(container, "references", "url"),
        ..base
    };
    for item in objects(container, "affected", PACKAGES_MAX)? {
        entry(item, &mut advisory)?;
    }
    for metric in list(container, "metrics", PACKAGES_MAX)? {
        advisory.severities.extend(rating(metric));
        if let Some(other) = metric.get("other").and_then(Value::as_object) {
            match signal(other) {
                Ok(signals) => advisory.signals.extend(signals),
                Err(fault) => notes.push(fault),
            }
        }
    }
    Ok(advisory)
}

/// The title, or the first line of the English description.
fn summary(container: &Object) -> String {
    let title = prose(container, "title");
    if !title.is_empty() {
        return title;
    }
    let descriptions = container.get("descriptions").and_then(Value::as_array);
    let english = descriptions.into_iter().flatten().find(|it| {
        it.get("lang").and_then(Value::as_str).is_some_and(|lang| lang.starts_with("en"))
    });
    let text = english.and_then(|it| it.get("value")?.as_str()).unwrap_or_default();
    text.lines().next().unwrap_or_default().trim().to_owned()
}

fn rating(metric: &Value) -> Option<Rating> {
    const KINDS: [(&str, RatingKind); 4] = [
        ("cvssV4_0", RatingKind::CvssV4),
        ("cvssV3_1", RatingKind::CvssV3),
        ("cvssV3_0", RatingKind::CvssV3),
        ("cvssV2_0", RatingKind::CvssV2),
    ];
    let (kind, data) = KINDS.iter().find_map(|(key, kind)| Some((*kind, metric.get(key)?)))?;
    let vector = data.get("vectorString").and_then(Value::as_str).unwrap_or_default().to_owned();
    Some(Rating { kind, vector, stated: tenths(data.get("baseScore")), by: String::new() })
}

/// SSVC and KEV, as CISA adds them.
fn signal(other: &Object) -> Result<Option<Signal>, Fault> {
    let Some(content) = inner(other, "content") else { return Ok(None) };
    let at = |key: &str| content.get(key).and_then(Value::as_str).and_then(time::parse_lenient);
    match prose(other, "type").to_ascii_lowercase().as_str() {
        "kev" => Ok(Some(Signal::Kev {
            catalogue: "cisa".to_owned(),
            added: at("dateAdded"),
            due: None,
            ransomware: false,
            removed: None,
        })),
        "ssvc" => {
            let options = objects(content, "options", PACKAGES_MAX)?;
            let point = |name: &str| {
                let found = options.iter().find_map(|it| it.get(name)?.as_str());
                found.unwrap_or_default().to_ascii_lowercase()
            };
            Ok(Some(Signal::Ssvc {
                exploitation: point("Exploitation"),
                automatable: point("Automatable"),
                impact: point("Technical Impact"),
                role: prose(content, "role"),
                at: at("timestamp"),
            }))
        }
        _ => Ok(None),
    }
}
