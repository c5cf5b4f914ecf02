//! Every document for programs has its schema, every schema its document, and what the program
//! prints is what the schema says. [`Place`] checks each document of each test besides.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::place::{Place, log4j};
use crate::schema_check::{FILES, check, faults, schemas};

/// The names of documents in a text of the sources.
fn names(text: &str) -> impl Iterator<Item = String> {
    text.split("\"relight.").skip(1).filter_map(|rest| {
        let name = rest.split('"').next()?;
        let (thing, version) = name.split_once('/')?;
        let plain = thing.chars().all(|c| c.is_ascii_lowercase() || c == '-');
        (plain && version.parse::<u8>().is_ok()).then(|| format!("relight.{name}"))
    })
}

fn sources(folder: &Path, all: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, all);
        } else {
            all.extend(names(&fs::read_to_string(path).unwrap()));
        }
    }
}

#[test]
fn every_document_has_a_schema_and_every_schema_a_document() {
    let mut printed = BTreeSet::new();
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    // What the public page says is for programs too.
    for folder in ["src", "../relight-server/src/public"] {
        sources(&here.join(folder), &mut printed);
    }
    printed.retain(|name| !FILES.contains(&name.as_str()));
    let known: BTreeSet<String> = schemas().keys().cloned().collect();
    assert_eq!(printed, known);
}

/// Goal: a schema says all there is to say. Method: of a document that fits, each field at each
/// depth is left out, made another type, or joined by an unknown one; the schema refuses each.
#[test]
fn a_document_that_differs_in_one_field_is_refused() {
    let place = Place::with_sites();
    place.write("app.jar", log4j("2.14.1"));
    for words in [
        &["sites", "list", "--json"][..],
        &["watch", "posture", "--json"],
        &["scan", "app.jar", "--json"],
    ] {
        let document = place.run(words).json();
        let schema = &schemas()[document["schema"].as_str().unwrap()];
        let mut places = Vec::new();
        walk(&document, String::new(), &mut places);
        assert!(places.len() >= 4, "{document:#}");
        for at in places {
            let mut changed = document.clone();
            changed.pointer_mut(&at).unwrap()["never-heard-of"] = json!(1);
            assert!(!faults(schema, schema, &changed, "").is_empty(), "{words:?} {at} with more");
            let fields: Vec<String> =
                document.pointer(&at).unwrap().as_object().unwrap().keys().cloned().collect();
            for field in fields {
                let mut changed = document.clone();
                let value = &mut changed.pointer_mut(&at).unwrap()[&field];
                *value = if value.is_object() { json!([[]]) } else { json!({"a": {}}) };
                let found = faults(schema, schema, &changed, "");
                assert!(!found.is_empty(), "{words:?} {at}/{field} of another type");
            }
        }
    }
}

/// The places of objects with named fields.
fn walk(value: &Value, at: String, places: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            // A table by name has no fields of its own.
            if !at.ends_with("/counts") {
                places.push(at.clone());
            }
            object.iter().for_each(|(name, value)| walk(value, format!("{at}/{name}"), places));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, it)| walk(it, format!("{at}/{n}"), places));
        }
        _ => {}
    }
}

/// Each command is run once with `--json`: the document is the one that is named, and fits.
#[test]
fn documents_are_what_their_schemas_say() {
    let place = Place::with_sites();
    place.write("app.jar", log4j("2.14.1"));
    place.expect(0, &["scan", "app.jar", "--site", "san-001", "--sbom", "a.cdx.json"]);
    place.expect(0, &["scan", "app.jar", "--sbom", "b.cdx.json"]);
    for (name, words) in [
        ("sites", "sites list"),
        ("site", "sites show san-001"),
        ("gaps", "sites gaps"),
        ("marks", "sites set san-002 drill_ok=yes"),
        ("checks", "sites checks san-002"),
        ("import", "sites import sites.csv"),
        ("answer", "affected CVE-2021-44228"),
        ("advisory", "advisories show CVE-2021-44228"),
        ("advisories-search", "advisories search log4j"),
        ("advisories-new", "advisories new"),
        ("sources", "advisories sources"),
        ("sources-policy", "advisories policy"),
        ("statements", "advisories vex CVE-2021-44228"),
        ("vex", "advisories vex CVE-2021-44228 --site san-001"),
        ("scan", "scan app.jar"),
        ("sbom-diff", "sbom diff a.cdx.json b.cdx.json"),
        ("sbom-lint", "sbom lint a.cdx.json"),
        ("sbom-import", "sbom import a.cdx.json --site san-002"),
        ("attestation", "watch attest mfa=yes --site san-001 --evidence x --by anna"),
        ("posture", "watch posture"),
        ("campaigns", "watch campaigns"),
        ("catalogue", "watch catalogue list"),
        ("watch-notes", "watch notes"),
        ("status", "incident status"),
        ("incidents", "incident list"),
        ("edges", "edge list"),
        ("edge-check", "edge check"),
        ("policy", "policy show"),
        ("tokens", "token list"),
        ("audit", "audit verify"),
        ("doctor", "doctor"),
        ("public-export", "public export page"),
    ] {
        let mut words: Vec<&str> = words.split(' ').collect();
        words.push("--json");
        let outcome = place.run(&words);
        let checked = check(&outcome.stdout);
        let version = if name == "sources" { 2 } else { 1 };
        let wanted = format!("relight.{name}/{version}");
        assert!(checked.contains(&wanted), "{words:?}: {checked:?} {}", outcome.text());
    }
}

#[test]
fn the_check_finds_each_kind_of_fault() {
    let schema = json!({
        "type": "object",
        "properties": {
            "n": {"type": "integer", "minimum": 0},
            "s": {"type": ["string", "null"]},
            "e": {"enum": ["a", "b"]},
            "t": {"type": "array", "prefixItems": [{"type": "string"}], "minItems": 1,
            "maxItems": 2,
            },
            "l": {"type": "array", "items": {"$ref": "#/$defs/x"}},
            "m": {"type": "object", "additionalProperties": {"type": "number"}},
            "u": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/x"}]},
        },
        "required": ["n"],
        "additionalProperties": false,
        "$defs": {"x": {"const": "x"}},
    });
    for (value, count) in [
        (json!({"n": 0}), 0),
        (json!({"n": 1, "e": "b", "t": ["a", 1], "l": ["x"], "m": {"a": 0.5}, "u": "x"}), 0),
        (json!({}), 1),
        (json!({"n": -1}), 1),
        (json!({"n": 1.5}), 1),
        (json!({"n": "1"}), 1),
        (json!({"n": 1, "z": 1}), 1),
        (json!({"n": 1, "s": 1, "e": "c"}), 2),
        (json!({"n": 1, "t": []}), 1),
        (json!({"n": 1, "t": [1]}), 1),
        (json!({"n": 1, "t": ["a", 1, 2]}), 1),
        (json!({"n": 1, "l": ["x", "y", "z"]}), 2),
        (json!({"n": 1, "m": {"a": "b"}}), 1),
        (json!({"n": 1, "u": "y"}), 1),
        (json!([]), 1),
    ] {
        assert_eq!(faults(&schema, &schema, &value, "").len(), count, "{value}");
    }
}
