//! Catalogues as tables (CSV): the columns have the names of the fields of JSON.

use relight_model::Warning;
use serde_json::Value;

use super::{entry, object_of};
use crate::advisory::outline::Outline;
use crate::advisory::{Input, Reading, Refusal};

/// Whether the first line names the columns of a catalogue.
pub(super) fn recognises(outline: &Outline<'_>) -> bool {
    catalogue(outline.head).is_some()
}

fn catalogue(head: &[u8]) -> Option<&'static str> {
    // Nearly every document is JSON, and many are one line.
    if matches!(head.first(), Some(b'{' | b'[')) {
        return None;
    }
    let line = head.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    let has = |name: &str| line.split(',').any(|it| it.trim().trim_matches('"') == name);
    match (has("cveID"), has("dateAdded"), has("dateReported")) {
        (true, true, _) => Some("cisa"),
        (true, _, true) => Some("enisa"),
        _ => None,
    }
}

/// Reads every row; one that is broken costs no other.
pub(super) fn read(input: &Input<'_>, reading: &mut Reading) {
    let outline = Outline::of(input.bytes);
    let catalogue = catalogue(outline.head).unwrap_or("cisa");
    let mut rows = csv::ReaderBuilder::new().flexible(true).from_reader(outline.body);
    let names: Vec<String> = match rows.headers() {
        Ok(names) => names.iter().map(|name| name.trim().to_owned()).collect(),
        Err(_) => return,
    };
    for row in rows.records() {
        let refuse = |line: u64, id: Option<String>, fault: &str| {
            let place = format!("{}:{line}", input.place);
            let message = format!("{fault}; left out, correct it and import it again");
            Refusal { id, warning: Warning::new("advisory-bad-record", place, message) }
        };
        let row = match row {
            Ok(row) => row,
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                reading.refused.push(refuse(line, None, "the row is not UTF-8"));
                continue;
            }
        };
        let line = row.position().map_or(0, csv::Position::line);
        let object = object_of(&names, &row);
        let mut notes = Vec::new();
        let read = match row.len() == names.len() {
            true => entry(catalogue, &object, &mut notes),
            false => Err("the row has another number of fields than the first line".to_owned()),
        };
        match read {
            Ok(records) => records.into_iter().for_each(|advisory| {
                let raw = raw(catalogue, &object);
                reading.push(input.source, advisory, 0..0);
                reading.records.iter_mut().rev().take(1).for_each(|it| it.raw = Some(raw.clone()));
            }),
            Err(fault) => reading.refused.push(refuse(line, row.get(0).map(str::to_owned), &fault)),
        }
        let place = format!("{}:{line}", input.place);
        reading
            .notes
            .extend(notes.into_iter().map(|note| Warning::new("advisory-note", &place, note)));
    }
}

/// The row as JSON, which is what is kept.
fn raw(catalogue: &str, object: &super::Object) -> Vec<u8> {
    let entry = Value::Object(object.clone());
    match catalogue {
        "cisa" => format!("{{\"catalogVersion\":\"\",\"vulnerabilities\":[{entry}]}}").into_bytes(),
        _ => entry.to_string().into_bytes(),
    }
}
