//! Checks JSON documents against the schemas of `docs/schemas`.
//!
//! It knows the words of JSON Schema (2020-12) that those schemas use and no others: a word that it
//! does not know stops the test, so a schema never promises what is not checked. Libraries know all
//! words and bring forty crates and more into every build of the tests.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

use serde_json::Value;

/// Documents that are files of their own, or rows of a stream for another system: no command
/// prints them for `--json`.
pub(crate) const FILES: [&str; 4] = [
    "relight.demo-truth/1",
    "relight.exported-campaign/1",
    "relight.journal-export/1",
    "relight.truth/1",
];

/// Every schema, by the name of its document.
pub(crate) fn schemas() -> &'static BTreeMap<String, Value> {
    static ALL: OnceLock<BTreeMap<String, Value>> = OnceLock::new();
    ALL.get_or_init(|| {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/schemas");
        let mut all = BTreeMap::new();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let schema: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
            let name = schema["title"].as_str().unwrap().to_owned();
            let file = name.strip_prefix("relight.").unwrap().replace('/', "-v");
            assert_eq!(path.file_stem().unwrap().to_str().unwrap(), file);
            all.insert(name, schema);
        }
        all
    })
}

/// Checks every document of a text, if it is one or several; the names of those that it checked.
pub(crate) fn check(text: &str) -> BTreeSet<String> {
    let mut checked = BTreeSet::new();
    if !text.starts_with("{\n  \"schema\": \"relight.")
        && !text.starts_with("{\"schema\":\"relight.")
    {
        return checked;
    }
    for document in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
        // What follows a document may be text for people.
        let Ok(document) = document else { break };
        let Some(name) = document["schema"].as_str() else { break };
        if FILES.contains(&name) {
            break;
        }
        let schema = schemas().get(name).unwrap_or_else(|| panic!("{name} has no schema"));
        let faults = faults(schema, schema, &document, "");
        assert!(faults.is_empty(), "{name}: {faults:#?}\n{document:#}");
        checked.insert(name.to_owned());
    }
    checked
}

/// What of a value is not as a schema says, each with its place.
pub(crate) fn faults(root: &Value, schema: &Value, value: &Value, place: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (word, wanted) in schema.as_object().unwrap() {
        match word.as_str() {
            "$schema" | "$defs" | "title" | "description" => {}
            "$ref" => {
                let name = wanted.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                let there = &root["$defs"][name];
                assert!(there.is_object(), "no $defs/{name}");
                found.extend(faults(root, there, value, place));
            }
            "anyOf" => {
                let all = wanted.as_array().unwrap().iter();
                let all: Vec<_> = all.map(|one| faults(root, one, value, place)).collect();
                if !all.iter().any(Vec::is_empty) {
                    found.push(format!("{place}: none of {all:?}"));
                }
            }
            "const" if value != wanted => found.push(format!("{place}: not {wanted}")),
            "enum" if !wanted.as_array().unwrap().contains(value) => {
                found.push(format!("{place}: {value} is not one of {wanted}"));
            }
            "const" | "enum" => {}
            "type" if !is_of_type(wanted, value) => {
                found.push(format!("{place}: {value} is no {wanted}"));
            }
            "minimum" if value.as_f64().is_some_and(|it| it < wanted.as_f64().unwrap()) => {
                found.push(format!("{place}: {value} is below {wanted}"));
            }
            "type" | "minimum" => {}
            "properties" | "required" | "additionalProperties" => {
                let Some(object) = value.as_object() else { continue };
                found.extend(of_object(root, schema, object, word, place));
            }
            "items" | "prefixItems" | "minItems" | "maxItems" => {
                let Some(items) = value.as_array() else { continue };
                found.extend(of_array(root, schema, items, word, place));
            }
            unknown => panic!("{place}: the check does not know `{unknown}`"),
        }
    }
    found
}

fn of_object(
    root: &Value,
    schema: &Value,
    object: &serde_json::Map<String, Value>,
    word: &str,
    place: &str,
) -> Vec<String> {
    let known = schema["properties"].as_object();
    let below = |name: &str, schema: &Value, value: &Value| {
        faults(root, schema, value, &format!("{place}/{name}"))
    };
    match word {
        "properties" => {
            let both =
                known.unwrap().iter().filter_map(|(name, it)| Some((name, it, object.get(name)?)));
            both.flat_map(|(name, schema, value)| below(name, schema, value)).collect()
        }
        "required" => {
            let names =
                schema["required"].as_array().unwrap().iter().map(|it| it.as_str().unwrap());
            let missing = names.filter(|name| !object.contains_key(*name));
            missing.map(|name| format!("{place}: no {name}")).collect()
        }
        _ => {
            let is_new = |name: &String| known.is_none_or(|known| !known.contains_key(name));
            let others = object.iter().filter(|(name, _)| is_new(name));
            match &schema["additionalProperties"] {
                Value::Bool(true) => Vec::new(),
                Value::Bool(false) => others.map(|(name, _)| format!("{place}: {name}?")).collect(),
                each => others.flat_map(|(name, value)| below(name, each, value)).collect(),
            }
        }
    }
}

fn of_array(root: &Value, schema: &Value, items: &[Value], word: &str, place: &str) -> Vec<String> {
    let count = |word: &str| usize::try_from(schema[word].as_u64().unwrap()).unwrap();
    let below =
        |at: usize, schema: &Value| faults(root, schema, &items[at], &format!("{place}/{at}"));
    match word {
        "items" => (0..items.len()).flat_map(|at| below(at, &schema["items"])).collect(),
        "prefixItems" => {
            let each = schema["prefixItems"].as_array().unwrap();
            each.iter().take(items.len()).enumerate().flat_map(|(at, it)| below(at, it)).collect()
        }
        "minItems" if items.len() < count(word) => vec![format!("{place}: too few")],
        "maxItems" if items.len() > count(word) => vec![format!("{place}: too many")],
        _ => Vec::new(),
    }
}

fn is_of_type(wanted: &Value, value: &Value) -> bool {
    let is = |name: &str| match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("no type {other}"),
    };
    match wanted {
        Value::String(name) => is(name),
        names => names.as_array().unwrap().iter().any(|name| is(name.as_str().unwrap())),
    }
}
