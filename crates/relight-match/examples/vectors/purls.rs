//! The test suite of the package-url specification: `purl/**/*.json`.

use std::fs;
use std::path::Path;

use relight_model::{Purl, PurlReference};
use serde_json::Value;

use crate::{Count, files, name};

pub(crate) fn run(folder: &Path) -> Vec<Count> {
    let folders = [folder.join("purl/spec"), folder.join("purl/types")];
    let mut count = Count::new("purl");
    for path in folders.iter().flat_map(|folder| files(folder)) {
        let text = fs::read_to_string(&path).unwrap_or_default();
        let document: Value = serde_json::from_str(&text).unwrap_or_default();
        for case in document["tests"].as_array().into_iter().flatten() {
            let difference = difference(case);
            let group = case["test_group"].as_str().unwrap_or_default();
            count.add(difference.map(|what| format!("{} {group}: {what}", name(&path))));
        }
    }
    if count.cases == 0 { Vec::new() } else { vec![count] }
}

fn difference(case: &Value) -> Option<String> {
    let input = &case["input"];
    let ours = match case["test_type"].as_str().unwrap_or_default() {
        "build" => build(input).map(|built| Value::String(built.to_string())),
        "parse" => PurlReference::parse(input.as_str().unwrap_or_default()).map(|it| parts(&it)),
        _ => PurlReference::normalised(input.as_str().unwrap_or_default())
            .map(|it| Value::String(it.to_string())),
    };
    let fails = case["expected_failure"] == true;
    let fine = if fails { ours.is_err() } else { ours.as_ref() == Ok(&case["expected_output"]) };
    (!fine).then(|| {
        format!("{} of {input}: {ours:?}, expected {}", case["test_type"], case["expected_output"])
    })
}

fn build(input: &Value) -> Result<PurlReference, &'static str> {
    let part = |key: &str| input[key].as_str().unwrap_or_default();
    let mut purl = Purl::new(part("type"), part("namespace"), part("name"), part("version"));
    for (key, value) in input["qualifiers"].as_object().into_iter().flatten() {
        purl = purl.with_qualifier(key, value.as_str().unwrap_or_default());
    }
    PurlReference::build(&purl, part("subpath"))
}

fn parts(reference: &PurlReference) -> Value {
    let text = |part: &str| if part.is_empty() { Value::Null } else { part.into() };
    let purl = &reference.purl;
    let qualifiers = purl.qualifiers.iter().map(|(key, value)| (key.clone(), text(value)));
    let qualifiers =
        if purl.qualifiers.is_empty() { Value::Null } else { Value::Object(qualifiers.collect()) };
    serde_json::json!({
        "type": text(&purl.kind),
        "namespace": text(&purl.namespace),
        "name": text(&purl.name),
        "version": text(&purl.version),
        "qualifiers": qualifiers,
        "subpath": text(&reference.subpath),
    })
}
