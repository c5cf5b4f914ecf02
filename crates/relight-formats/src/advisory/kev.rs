//! Catalogues of known exploited vulnerabilities: CISA (JSON, CSV), ENISA (JSON, CSV), VulnCheck
//! (JSON). Each catalogue is a source, each entry a record; what leaves a catalogue is seen because
//! a catalogue is always whole.

use relight_model::{Advisory, Signal};
use serde_json::{Value, json};

use super::json::{EVENTS_MAX, Fault, Object, moment, needed, prose, text, texts};
use super::outline::Outline;
use super::pieces::{list_under, split};
use super::{AdvisoryFormat, Input, Reading, canonical};

mod table;

pub(super) const PLUGIN: Kev = Kev;

/// The format. It has no settings.
pub(super) struct Kev;

impl AdvisoryFormat for Kev {
    fn name(&self) -> &'static str {
        "kev"
    }

    fn recognises(&self, outline: &Outline<'_>) -> bool {
        let is_cisa = outline.has(&["catalogVersion", "vulnerabilities"]);
        is_cisa || catalogue_of(outline).is_some() || table::recognises(outline)
    }

    fn is_whole(&self) -> bool {
        true
    }

    fn read(&self, input: &Input<'_>) -> Reading {
        let mut reading = Reading::default();
        let outline = Outline::of(input.bytes);
        if table::recognises(&outline) {
            table::read(input, &mut reading);
            return reading;
        }
        let (catalogue, pieces) = match catalogue_of(&outline) {
            Some(catalogue) => (catalogue, split(input.place, input.line, input.bytes)),
            None => ("cisa", list_under(input.place, input.bytes, "vulnerabilities")),
        };
        reading.take(input, "kev", pieces, |object, notes| entry(catalogue, object, notes));
        // A record of CISA is read back only as what it is: inside of its catalogue.
        for record in reading.records.iter_mut().filter(|_| catalogue == "cisa") {
            let raw = input.bytes.get(record.range.clone()).unwrap_or_default();
            let raw = String::from_utf8_lossy(raw);
            record.raw = Some(
                format!("{{\"catalogVersion\":\"\",\"vulnerabilities\":[{raw}]}}").into_bytes(),
            );
        }
        reading
    }
}

/// Which catalogue a list of entries is, by the names of their fields.
fn catalogue_of(outline: &Outline<'_>) -> Option<&'static str> {
    let is_enisa = outline.has(&["cveID", "euvdID"]) || outline.has(&["cveID", "dateReported"]);
    let is_vulncheck = outline.has(&["cve", "date_added"]);
    match (is_enisa, is_vulncheck) {
        (true, _) => Some("enisa"),
        (false, true) => Some("vulncheck"),
        (false, false) => None,
    }
}

/// The records of one entry: VulnCheck names several numbers in one.
fn entry(
    catalogue: &str,
    object: &Object,
    notes: &mut Vec<String>,
) -> Result<Vec<Advisory>, Fault> {
    let ids = match object.get("cve") {
        Some(Value::Array(_)) => texts(object, "cve", EVENTS_MAX)?,
        Some(_) => vec![needed(object, "cve")?.to_owned()],
        None => vec![match text(object, "cveID")?.map(str::trim).filter(|id| !id.is_empty()) {
            Some(id) => id.to_owned(),
            None => needed(object, "euvdID").map_err(|_| "field `cveID` is missing")?.to_owned(),
        }],
    };
    if ids.is_empty() {
        return Err("field `cve` is empty".to_owned());
    }
    let first = |names: &[&str]| {
        let found = names.iter().find(|name| object.contains_key(**name));
        found.map_or_else(String::new, |name| prose(object, name))
    };
    let date = |names: &[&str], notes: &mut Vec<String>| {
        let found = names.iter().find(|name| object.contains_key(**name))?;
        moment(object, found, notes)
    };
    let added = date(&["dateAdded", "date_added", "dateReported"], notes);
    let signal = Signal::Kev {
        catalogue: catalogue.to_owned(),
        added,
        due: date(&["dueDate", "due_date"], notes),
        ransomware: is_ransomware(object),
        removed: None,
    };
    let record = |id: String| Advisory {
        source: format!("kev/{catalogue}"),
        id: id.trim().to_ascii_uppercase(),
        revision: canonical::digest(object),
        published: added,
        summary: first(&["vulnerabilityName", "shortDescription", "short_description"]),
        signals: vec![signal.clone()],
        ..Advisory::default()
    };
    Ok(ids.into_iter().map(record).collect())
}

fn is_ransomware(object: &Object) -> bool {
    let says = |name: &str, word: &str| prose(object, name).to_ascii_lowercase().contains(word);
    says("knownRansomwareCampaignUse", "known") && !says("knownRansomwareCampaignUse", "unknown")
        || says("exploitationType", "ransomware")
}

/// A row of a table as the object that the same catalogue publishes as JSON.
fn object_of(names: &[String], fields: &csv::StringRecord) -> Object {
    let pairs = names.iter().zip(fields.iter());
    pairs.map(|(name, field)| (name.clone(), json!(field))).collect()
}
