//! Documents with one fault each, and what relight writes itself.

use super::*;
use crate::sbom::testing::any_sbom;
use crate::sbom::write_sbom;

fn codes(document: &str, rule: Rule) -> Vec<String> {
    let found = lint(document.as_bytes()).unwrap();
    let of_rule = found.iter().filter(|complaint| complaint.rule == rule);
    of_rule.map(|complaint| format!("{} {}", complaint.code, complaint.place)).collect()
}

/// A document of CycloneDX with this in it.
fn cyclonedx(parts: &str) -> String {
    format!("{{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.6\"{parts}}}")
}

#[test]
fn what_we_write_has_no_fault_of_form() {
    for seed in 0..60 {
        for format in ["cyclonedx", "spdx2", "spdx3"] {
            let text = write_sbom(format, &any_sbom(seed), "a site", Some(0)).unwrap();
            assert_eq!(codes(&text, Rule::Form), Vec::<String>::new(), "{format} {seed}\n{text}");
            let minimum = codes(&text, Rule::Minimum);
            let head = ["no-author", "no-timestamp", "no-dependencies"];
            if any_sbom(seed).components.is_empty() {
                continue;
            }
            let missing = minimum.iter().any(|it| head.iter().any(|code| it.starts_with(code)));
            assert!(!missing, "{format} {seed}: {minimum:?}");
        }
    }
}

#[test]
fn faults_of_cyclonedx() {
    for (parts, expected) in [
        ("", ""),
        (r#","serialNumber":"1""#, "bad-serial-number serialNumber"),
        (r#","components":{}"#, "no-list components"),
        (r#","components":[{"type":"library"}]"#, "no-name components[0]"),
        (r#","components":[{"type":"box","name":"a"}]"#, "bad-type components[0]"),
        (r#","components":[{"type":"file","name":"a","scope":"x"}]"#, "bad-scope components[0]"),
        (
            r#","components":[{"type":"file","name":"a","hashes":[{"alg":"MD5","content":"a"}]}]"#,
            "bad-digest components[0].hashes[0]",
        ),
        (
            r#","components":[{"type":"file","name":"a","hashes":[{"alg":"X","content":"a"}]}]"#,
            "unknown-algorithm components[0].hashes[0]",
        ),
        (
            r#","components":[{"type":"file","name":"a","licenses":[{"license":{}}]}]"#,
            "bad-license components[0].licenses[0]",
        ),
        (
            r#","components":[{"type":"file","name":"a","bom-ref":"1"},
                {"type":"file","name":"b",
                "components":[{"type":"file","name":"c","bom-ref":"1"}]}]"#,
            "doubled-reference components[1].components[0]",
        ),
        (r#","dependencies":[{"ref":"gone"}]"#, "dangling-reference dependencies[0]"),
        (r#","metadata":{"timestamp":"soon"}"#, "bad-timestamp metadata.timestamp"),
        (r#","properties":[{"name":"a","other":"b"}]"#, "bad-property properties[0]"),
    ] {
        assert_eq!(codes(&cyclonedx(parts), Rule::Form).join(", "), expected, "{parts}");
    }
    let other = cyclonedx("").replace("1.6", "9.9");
    assert_eq!(codes(&other, Rule::Form), ["bad-version specVersion"]);
}

#[test]
fn minimum_elements_of_cyclonedx() {
    let bare = cyclonedx(r#","components":[{"type":"library","name":"a"}]"#);
    assert_eq!(
        codes(&bare, Rule::Minimum),
        [
            "no-author metadata",
            "no-dependencies ",
            "no-identifier components[0]",
            "no-supplier components[0]",
            "no-timestamp metadata",
            "no-version components[0]",
        ]
    );
}

#[test]
fn faults_of_spdx() {
    let text = write_sbom("spdx2", &any_sbom(5), "a site", Some(0)).unwrap();
    for (from, to, expected) in [
        ("SPDX-2.3", "SPDX-2.9", "bad-version spdxVersion"),
        ("CC0-1.0", "MIT", "bad-data-license dataLicense"),
        ("\"documentNamespace\"", "\"other\"", "no-namespace documentNamespace"),
    ] {
        let broken = text.replace(from, to);
        assert_eq!(codes(&broken, Rule::Form), [expected]);
    }
    let text = write_sbom("spdx3", &any_sbom(5), "a site", Some(0)).unwrap();
    let broken = text.replace("\"SpdxDocument\"", "\"Other\"");
    assert_eq!(codes(&broken, Rule::Form), ["no-document @graph"]);
}

#[test]
fn complaints_are_limited() {
    let items = vec![r#"{"type":"library"}"#; 2 * COMPLAINTS_MAX].join(",");
    let found = lint(cyclonedx(&format!(",\"components\":[{items}]")).as_bytes()).unwrap();
    assert_eq!(found.len(), COMPLAINTS_MAX);
}

#[test]
fn what_is_no_inventory_is_an_error() {
    assert!(matches!(lint(b"{}"), Err(FormatError::Unknown)));
    assert!(matches!(lint(b"{\"bomFormat\":"), Err(FormatError::Json(_))));
}
