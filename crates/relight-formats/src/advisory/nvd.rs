//! NVD 2.0: feeds and pages of its interface, both a list of CVE objects.
//!
//! NVD speaks of CPE names, never of packages: what it says of versions is kept as configurations.

use relight_model::{
    Advisory, Bound, CpeConfiguration, CpeMatch, CpeNode, CpeOperator, Rating, RatingKind, Signal,
};
use serde_json::Value;

use super::json::{
    EVENTS_MAX, Fault, Object, PACKAGES_MAX, inner, list, members, moment, needed, needed_object,
    objects, prose, tenths, text,
};
use super::outline::Outline;
use super::pieces::{list_under, split};
use super::{AdvisoryFormat, Input, Reading, canonical};

pub(super) const PLUGIN: Nvd = Nvd;

/// Most matches in one node.
const MATCHES_MAX: usize = 100_000;

/// The format. It has no settings.
pub(super) struct Nvd;

impl AdvisoryFormat for Nvd {
    fn name(&self) -> &'static str {
        "nvd"
    }

    /// A feed or a page, or one entry of it as it is kept.
    fn recognises(&self, outline: &Outline<'_>) -> bool {
        outline.has(&["vulnerabilities", "resultsPerPage"]) || outline.members == [b"cve"]
    }

    fn read(&self, input: &Input<'_>) -> Reading {
        let mut reading = Reading::default();
        let is_list = Outline::of(input.bytes).has(&["vulnerabilities"]);
        let pieces = match is_list {
            true => list_under(input.place, input.bytes, "vulnerabilities"),
            false => split(input.place, input.line, input.bytes),
        };
        reading.take(input, "nvd", pieces, |object, notes| Ok(vec![record(object, notes)?]));
        for record in &mut reading.records {
            // Feeds of years and of days come in any order.
            record.ordinal = record.advisory.modified.unwrap_or_default();
        }
        reading
    }
}

fn record(object: &Object, notes: &mut Vec<String>) -> Result<Advisory, Fault> {
    let cve = needed_object(object, "cve")?;
    let modified = moment(cve, "lastModified", notes);
    let status = prose(cve, "vulnStatus");
    let mut advisory = Advisory {
        source: "nvd".to_owned(),
        id: needed(cve, "id")?.to_ascii_uppercase(),
        revision: canonical::digest(object),
        published: moment(cve, "published", notes),
        modified,
        withdrawn: status.eq_ignore_ascii_case("Rejected").then(|| modified.unwrap_or(0)),
        assigner: prose(cve, "sourceIdentifier"),
        summary: summary(cve),
        signals: kev(cve, notes).into_iter().collect(),
        references: members(cve, "references", "url"),
        status,
        ..Advisory::default()
    };
    for item in objects(cve, "configurations", PACKAGES_MAX)? {
        advisory.configurations.push(configuration(item)?);
    }
    if let Some(metrics) = inner(cve, "metrics") {
        advisory.severities = ratings(metrics);
    }
    Ok(advisory)
}

fn summary(cve: &Object) -> String {
    let descriptions = cve.get("descriptions").and_then(Value::as_array);
    let mut descriptions = descriptions.into_iter().flatten();
    let english = descriptions.find(|it| it.get("lang").and_then(Value::as_str) == Some("en"));
    let text = english.and_then(|it| it.get("value")?.as_str()).unwrap_or_default();
    text.lines().next().unwrap_or_default().trim().to_owned()
}

/// NVD repeats what CISA's catalogue says.
fn kev(cve: &Object, notes: &mut Vec<String>) -> Option<Signal> {
    let added = moment(cve, "cisaExploitAdd", notes)?;
    Some(Signal::Kev {
        catalogue: "cisa".to_owned(),
        added: Some(added),
        due: moment(cve, "cisaActionDue", notes),
        ransomware: false,
        removed: None,
    })
}

fn configuration(item: &Object) -> Result<CpeConfiguration, Fault> {
    let mut nodes = Vec::new();
    for node in objects(item, "nodes", EVENTS_MAX)? {
        let matches = objects(node, "cpeMatch", MATCHES_MAX)?;
        let matches: Result<Vec<_>, Fault> = matches.into_iter().map(cpe_match).collect();
        let (operator, negate) = (operator(node)?, is_negated(node));
        nodes.push(CpeNode { operator, negate, matches: matches? });
    }
    Ok(CpeConfiguration { operator: operator(item)?, negate: is_negated(item), nodes })
}

fn operator(object: &Object) -> Result<CpeOperator, Fault> {
    match text(object, "operator")? {
        None | Some("OR") => Ok(CpeOperator::Or),
        Some("AND") => Ok(CpeOperator::And),
        Some(other) => Err(format!("operator `{other}` is not known")),
    }
}

fn is_negated(object: &Object) -> bool {
    object.get("negate").and_then(Value::as_bool).unwrap_or(false)
}

fn cpe_match(item: &Object) -> Result<CpeMatch, Fault> {
    let bound = |including: &str, excluding: &str| -> Result<Bound, Fault> {
        let inclusive = text(item, including)?.map(|it| Bound::Inclusive(it.to_owned()));
        let exclusive = text(item, excluding)?.map(|it| Bound::Exclusive(it.to_owned()));
        Ok(inclusive.or(exclusive).unwrap_or_default())
    };
    Ok(CpeMatch {
        cpe: needed(item, "criteria")?.to_owned(),
        // A platform that is not marked as one counts as vulnerable: the safe side.
        vulnerable: item.get("vulnerable").and_then(Value::as_bool).unwrap_or(true),
        lo: bound("versionStartIncluding", "versionStartExcluding")?,
        hi: bound("versionEndIncluding", "versionEndExcluding")?,
    })
}

fn ratings(metrics: &Object) -> Vec<Rating> {
    const KINDS: [(&str, RatingKind); 4] = [
        ("cvssMetricV2", RatingKind::CvssV2),
        ("cvssMetricV30", RatingKind::CvssV3),
        ("cvssMetricV31", RatingKind::CvssV3),
        ("cvssMetricV40", RatingKind::CvssV4),
    ];
    let mut ratings = Vec::new();
    for (key, kind) in KINDS {
        for metric in list(metrics, key, EVENTS_MAX).unwrap_or_default() {
            let Some(data) = metric.get("cvssData") else { continue };
            let text = |value: Option<&Value>| {
                value.and_then(Value::as_str).unwrap_or_default().to_owned()
            };
            let (vector, by) = (text(data.get("vectorString")), text(metric.get("source")));
            ratings.push(Rating { kind, vector, stated: tenths(data.get("baseScore")), by });
        }
    }
    ratings
}
