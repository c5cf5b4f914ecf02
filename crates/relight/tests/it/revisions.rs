//! What a new version of a document no longer says: it ends, it stays readable, and nobody else's
//! word ends with it.

use serde_json::{Value, json};

use crate::place::{Place, log4j};

const PURL: &str = "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1";

/// A bulletin of a vendor in this version: one flaw for each number, all about log4j-core 2.14.1.
fn bulletin(version: &str, status: &str, flaws: &[&str]) -> String {
    let product = json!({"category": "product_version", "name": "2.14.1", "product": {
        "name": "core", "product_id": "core", "product_identification_helper": {"purl": PURL}}});
    let flaw = |cve: &&str| json!({"cve": cve, "product_status": {"known_affected": ["core"]}});
    let flaws: Vec<Value> = flaws.iter().map(flaw).collect();
    json!({
        "document": {"csaf_version": "2.0", "category": "csaf_security_advisory", "title": "t",
            "publisher": {"namespace": "https://example.org", "name": "E", "category": "vendor"},
            "tracking": {"id": "EX-1", "version": version, "status": status}},
        "product_tree": {"branches": [product]},
        "vulnerabilities": flaws
    })
    .to_string()
}

fn affected(place: &Place, flaw: &str) -> u64 {
    let answer = place.run(&["affected", flaw, "--json"]).json();
    answer["total"]["affected"].as_u64().unwrap()
}

fn import(place: &Place, name: &str, document: impl AsRef<[u8]>) -> Value {
    place.write(name, document);
    place.expect(0, &["advisories", "import", name, "--json"]).json()
}

/// One site with log4j-core 2.14.1.
fn place() -> Place {
    let place = Place::with_sites();
    place.write("old/log4j.jar", log4j("2.14.1"));
    place.expect(0, &["scan", "old", "--site", "san-001"]);
    place
}

/// Goal: a part that leaves a bulletin ends as a withdrawn record does. Method: three versions of a
/// bulletin, and another source that says of the same flaw what the bulletin said.
#[test]
fn a_flaw_that_leaves_its_bulletin_is_withdrawn_and_no_other_source_with_it() {
    let place = place();
    let flaws = ["CVE-2099-1", "CVE-2099-2", "CVE-2099-3"];
    import(&place, "1.json", bulletin("1", "final", &flaws));
    let count = || flaws.map(|flaw| affected(&place, flaw));
    assert_eq!(count(), [1, 1, 1]);
    import(&place, "osv.json", OTHER);
    let told = import(&place, "2.json", bulletin("2", "final", &flaws[..2]));
    assert_eq!(told["vanished"], 1, "{told}");
    // The other source still says the third.
    assert_eq!(count(), [1, 1, 1]);
    import(&place, "3.json", bulletin("3", "final", &flaws[..1]));
    assert_eq!(count(), [1, 0, 1]);
    // The older version again changes nothing.
    let told = import(&place, "1.json", bulletin("1", "final", &flaws));
    assert_eq!((&told["older"], &told["vanished"]), (&4.into(), &0.into()));
    assert_eq!(count(), [1, 0, 1]);
    // Nobody in force names a package: that is silence, and no opinion.
    let said = place.expect(3, &["advisories", "explain", "CVE-2099-2", PURL, "--json"]).json();
    assert_eq!((&said["verdict"], &said["why"]), (&"unknown".into(), &"no-package".into()));
    assert_eq!(said["withdrawn"][0]["record"], "EX-1/CVE-2099-2");
    let said = place.expect(3, &["advisories", "explain", "CVE-2099-2", PURL]).stdout;
    assert!(said.contains("csaf/https://example.org EX-1/CVE-2099-2 was withdrawn 20"), "{said}");
    let shown = place.expect(0, &["advisories", "show", "CVE-2099-2", "--history", "--json"]);
    let sources = shown.json()["sources"].as_array().unwrap().clone();
    let part = sources.iter().find(|it| it["id"] == "EX-1/CVE-2099-2").unwrap();
    assert!(part["withdrawn"].is_string(), "{part}");
    let history: Vec<bool> =
        part["history"].as_array().unwrap().iter().map(|it| it["withdrawn"].is_null()).collect();
    assert_eq!(history, [true, true, false], "{part}");
    let shown = place.expect(0, &["advisories", "show", "CVE-2099-2", "--history", "--lang", "fr"]);
    assert!(shown.stdout.contains("  retiré, vanished\n"), "{}", shown.stdout);
    // It comes back with a newer version.
    import(&place, "4.json", bulletin("4", "final", &flaws[..2]));
    assert_eq!(count(), [1, 1, 1]);
}

/// The same of the third flaw, by a database that speaks OSV.
const OTHER: &str = r#"{"id":"GHSA-aaaa-bbbb-cccc","aliases":["CVE-2099-3"],"affected":[{
"package":{"ecosystem":"Maven","name":"org.apache.logging.log4j:log4j-core"},
"versions":["2.14.1"]}]}"#;

/// A document by its author, version and status.
type Form = dyn Fn(&str, u64, &str) -> String;

/// Goal: a later document takes the place of an earlier one, and only that of its own issuer.
/// Method: two versions of statements in each form of VEX, in both orders of arrival.
#[test]
fn a_later_statement_takes_the_place_of_an_earlier_one() {
    let open_vex = |author: &str, version: u64, status: &str| {
        let mut statement = json!({"vulnerability": {"name": "CVE-2021-44228"}, "status": status,
            "products": [{"@id": PURL}]});
        if status == "not_affected" {
            statement["justification"] = "vulnerable_code_not_present".into();
        }
        json!({"@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://example.org/vex/1",
            "author": author, "timestamp": "2021-12-12T00:00:00Z", "version": version,
            "statements": [statement]})
        .to_string()
    };
    let cyclone = |author: &str, version: u64, status: &str| {
        let state = if status == "affected" { "exploitable" } else { status };
        json!({"bomFormat": "CycloneDX", "specVersion": "1.5", "version": version,
            "serialNumber": "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79",
            "metadata": {"timestamp": "2021-12-12T00:00:00Z", "authors": [{"name": author}]},
            "vulnerabilities": [{"id": "CVE-2021-44228", "affects": [{"ref": PURL}],
                "analysis": {"state": state, "justification": "code_not_present"}}]})
        .to_string()
    };
    let forms: [&Form; 2] = [&open_vex, &cyclone];
    for form in forms {
        let place = place();
        place.expect(0, &["advisories", "vex", "--trust", "Supplier"]);
        import(&place, "1.json", form("Supplier", 1, "not_affected"));
        assert_eq!(affected(&place, "CVE-2021-44228"), 0);
        import(&place, "2.json", form("Supplier", 2, "affected"));
        assert_eq!(affected(&place, "CVE-2021-44228"), 1);
        let told = import(&place, "1.json", form("Supplier", 1, "not_affected"));
        assert_eq!(told["older"], 1, "{told}");
        assert_eq!(affected(&place, "CVE-2021-44228"), 1);
        // Somebody else with the id of the document is somebody else.
        import(&place, "3.json", form("Stranger", 3, "not_affected"));
        assert_eq!(affected(&place, "CVE-2021-44228"), 1);
        import(&place, "4.json", form("Supplier", 4, "not_affected"));
        assert_eq!(affected(&place, "CVE-2021-44228"), 0);
    }
}

/// Goal: both versions in one folder are not united. Method: names that put either one first.
#[test]
fn two_versions_in_one_folder_are_the_newer_one() {
    for names in [["a.json", "b.json"], ["b.json", "a.json"]] {
        let place = place();
        place.write(
            &format!("feed/{}", names[0]),
            bulletin("1", "final", &["CVE-2099-1", "CVE-2099-2"]),
        );
        place.write(
            &format!("feed/{}", names[1]),
            bulletin("2", "final", &["CVE-2099-1", "CVE-2099-3"]),
        );
        let told = place.expect(0, &["advisories", "update", "--offline", "feed", "--json"]).json();
        assert_eq!(told["united"], 0, "{told}");
        let count = ["CVE-2099-1", "CVE-2099-3"].map(|flaw| affected(&place, flaw));
        assert_eq!(count, [1, 1], "{names:?}");
        let gone = place.run(&["affected", "CVE-2099-2", "--json"]);
        let clears = gone.status == 1 || gone.json()["total"]["affected"] == 0;
        assert!(clears, "{names:?}: {gone:?}");
    }
}

/// Goal: a container that leaves a CVE record takes its opinion along. Method: an enricher that
/// names one version more than the assigner, and then is gone.
#[test]
fn a_container_that_leaves_a_cve_record_takes_its_opinion_along() {
    let record = |adp: Value| {
        let versions = |version: &str| {
            json!([{"packageURL": "pkg:maven/org.apache.logging.log4j/log4j-core",
                "defaultStatus": "unaffected", "versions": [
                    {"version": version, "status": "affected", "versionType": "maven"}]}])
        };
        let mut record = json!({"dataType": "CVE_RECORD", "dataVersion": "5.1",
            "cveMetadata": {"cveId": "CVE-2099-0200", "state": "PUBLISHED",
                "assignerOrgId": "00000000-0000-4000-9000-000000000000",
                "assignerShortName": "example"},
            "containers": {"cna": {"providerMetadata": {"shortName": "example"},
                "affected": versions("2.14.0")}}});
        if adp.is_string() {
            record["containers"]["adp"] = json!([{"providerMetadata": {"shortName": adp},
                "affected": versions("2.14.1")}]);
        }
        record.to_string()
    };
    let place = place();
    let opinions = || {
        let said = place.run(&["advisories", "explain", "CVE-2099-0200", PURL, "--json"]).json();
        let of = |key: &str| said[key].as_array().unwrap().iter();
        let in_force: Vec<_> = of("opinions").map(|it| it["source"].clone()).collect();
        let ended: Vec<_> = of("withdrawn").map(|it| it["source"].clone()).collect();
        format!("{} - {}", json!(in_force), json!(ended))
    };
    import(&place, "1.json", record("enricher".into()));
    assert_eq!(opinions(), r#"["cve","cve-adp/enricher"] - []"#);
    import(&place, "2.json", record(Value::Null));
    assert_eq!(opinions(), r#"["cve"] - ["cve-adp/enricher"]"#);
    import(&place, "3.json", record("enricher".into()));
    assert_eq!(opinions(), r#"["cve","cve-adp/enricher"] - []"#);
}
