//! Statements of suppliers about images of containers, from a scan to the answer.

use relight_model::Digest;
use sha2::{Digest as _, Sha256};

use crate::place::{Place, log4j};
use crate::scan_options::tar;

fn sha256(bytes: &[u8]) -> String {
    Digest(Sha256::digest(bytes).into()).to_string()
}

/// Writes the layout of an image with one file, in a tar archive; gives the digest of its manifest.
fn layout(place: &Place, name: &str, file: &str) -> String {
    let layer = tar(&[(file, &log4j("2.14.1"))]);
    let config = br#"{"os":"linux","architecture":"amd64"}"#.to_vec();
    let descriptor =
        |bytes: &[u8]| format!(r#"{{"digest":"sha256:{}","size":{}}}"#, sha256(bytes), bytes.len());
    let manifest =
        format!(r#"{{"config":{},"layers":[{}]}}"#, descriptor(&config), descriptor(&layer));
    let index = format!(r#"{{"manifests":[{}]}}"#, descriptor(manifest.as_bytes()));
    let digest = sha256(manifest.as_bytes());
    let blob = |bytes: &[u8]| format!("blobs/sha256/{}", sha256(bytes));
    let members = [
        ("oci-layout".to_owned(), br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec()),
        ("index.json".to_owned(), index.into_bytes()),
        (blob(&layer), layer),
        (blob(&config), config),
        (blob(manifest.as_bytes()), manifest.into_bytes()),
    ];
    let members: Vec<_> = members.iter().map(|(name, it)| (name.as_str(), it.as_slice())).collect();
    place.write(name, tar(&members));
    digest
}

/// Goal: a supplier who says that log4j-core does not affect his image clears what was found in
/// that image, and nobody else (ADVISORIES.md 7.2). Method: two images and the same archive in a
/// folder, by the real scan and the store; then the same inventory through a document.
#[test]
fn m17_a_statement_about_an_image_clears_what_was_scanned_from_it() {
    let place = Place::with_sites();
    let image = layout(&place, "a.tar", "app/log4j.jar");
    layout(&place, "b.tar", "opt/log4j.jar");
    place.write("folder/log4j.jar", log4j("2.14.1"));
    place.expect(0, &["scan", "oci:a.tar", "--site", "san-001"]);
    place.expect(0, &["scan", "oci:b.tar", "--site", "san-002"]);
    place.expect(0, &["scan", "folder", "--site", "mun-001"]);
    let affected = || -> Vec<String> {
        let answer = place.run(&["affected", "CVE-2021-44228", "--json"]).json();
        let rows = answer["items"].as_array().unwrap();
        let affected = rows.iter().filter(|row| row["verdict"] == "affected");
        affected.map(|row| row["site"].as_str().unwrap().to_owned()).collect()
    };
    let says = |version: u8, subcomponent: &str| {
        let statement = format!(
            r#"{{"@context":"https://openvex.dev/ns/v0.2.0","author":"Supplier",
            "@id":"https://example.org/vex/1","timestamp":"2021-12-12T00:00:00Z",
            "version":{version},"statements":[{{"vulnerability":{{"name":"CVE-2021-44228"}},
            "status":"not_affected","justification":"vulnerable_code_not_in_execute_path",
            "products":[{{"@id":"pkg:oci/shop@sha256%3A{image}?repository_url=r.example/shop",
            "subcomponents":[{{"@id":"{subcomponent}"}}]}}]}}]}}"#
        );
        place.write("vex/a.vex.json", statement);
        place.expect(0, &["advisories", "update", "--offline", "vex"]);
    };
    let all = ["mun-001", "san-001", "san-002"];
    says(1, "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1");
    assert_eq!(affected(), all, "nobody trusts him");
    let told = place.expect(0, &["advisories", "vex", "CVE-2021-44228"]).stdout;
    assert!(told.contains("/shop → pkg:maven/org.apache.logging.log4j/log4j-core"), "{told}");
    place.expect(0, &["advisories", "vex", "--trust", "Supplier"]);
    assert_eq!(affected(), ["mun-001", "san-002"]);
    // The scan itself, and what it writes for others, know the image as well.
    let findings = |target: &str| {
        let found = place.run(&["scan", target, "--json"]).json();
        let ids = found["findings"].as_array().unwrap().iter().map(|it| it["id"].clone());
        ids.filter(|id| id == "CVE-2021-44228").count()
    };
    assert_eq!([findings("oci:a.tar"), findings("oci:b.tar"), findings("folder")], [0, 1, 1]);
    for file in ["a.cdx.json", "a.spdx.json", "a.spdx3.json"] {
        place.expect(0, &["scan", "oci:a.tar", "--sbom", file]);
        place.expect(0, &["sbom", "import", file, "--site", "mun-001"]);
        assert_eq!(affected(), ["san-002"], "{file}");
        place.expect(0, &["scan", "folder", "--site", "mun-001"]);
        assert_eq!(affected(), ["mun-001", "san-002"], "{file}");
    }
    // A document of somebody else that is about the image by its digest.
    let purl = |digest: &str| format!("pkg:oci/shop@sha256%3A{digest}?arch=amd64");
    let core = "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1";
    for (digest, wanted) in [(image.clone(), &all[2..]), ("ab".repeat(32), &["mun-001", all[2]])] {
        let subject = serde_json::json!(
            { "type": "container", "name": "shop", "purl": purl(&digest) });
        let document = serde_json::json!({
            "bomFormat": "CycloneDX", "specVersion": "1.6", "metadata": { "component": subject },
            "components": [{ "type": "library", "name": "log4j-core", "purl": core }],
        });
        place.write("foreign.cdx.json", document.to_string());
        place.run(&["sbom", "import", "foreign.cdx.json", "--site", "mun-001"]);
        assert_eq!(affected(), wanted, "{digest}");
    }
    says(2, "pkg:npm/other");
    assert_eq!(affected(), all);
}
