//! Advisories of our own, before any CVE, and the statements of suppliers.

use expect_test::expect;

use crate::place::{Place, log4j};

/// One site with log4j-core 2.14.1, one with 2.17.1, one without any inventory.
fn place() -> Place {
    let place = Place::with_sites();
    place.write("old/log4j.jar", log4j("2.14.1"));
    place.write("new/log4j.jar", log4j("2.17.1"));
    place.expect(0, &["scan", "old", "--site", "san-001"]);
    place.expect(0, &["scan", "new", "--site", "san-002"]);
    place
}

const CORE: &str = "maven:org.apache.logging.log4j:log4j-core";

fn declare(place: &Place, range: &str, more: &[&str]) -> crate::place::Outcome {
    let start = ["advisories", "declare", "--range", range, "--reason", "a call on Friday"];
    place.run(&[&start[..], more].concat())
}

/// The number that the year of the clock is part of, in a stable form.
fn stable(text: &str) -> String {
    let at = text.find("RLT-local-").map(|at| at + "RLT-local-".len());
    at.map_or(text.to_owned(), |at| text.replace(&text[at..at + 4], "YEAR"))
}

/// Half a name, or that of a package that is built from another one, is in no inventory: everybody
/// would be clear of it.
#[test]
fn a_package_that_no_inventory_can_hold_is_refused() {
    let place = place();
    let half = declare(&place, "unknown", &["--package", "maven:log4j-core"]);
    assert_eq!(half.status, 2, "{}", half.text());
    let purl = "pkg:deb/debian/libssl3@3.0.11-1?distro=debian-12&upstream=openssl";
    let [deb, json] = [purl, "pkg:nuget/Newtonsoft.Json@9.0.1"]
        .map(|purl| serde_json::json!({ "type": "library", "name": "x", "purl": purl }));
    let document = serde_json::json!({
        "bomFormat": "CycloneDX", "specVersion": "1.6", "components": [deb, json],
    });
    place.write("deb.cdx.json", document.to_string());
    place.run(&["sbom", "import", "deb.cdx.json", "--site", "mun-001"]);
    let binary = declare(&place, "unknown", &["--package", "Debian:libssl3"]);
    assert_eq!(binary.status, 2, "{}", binary.text());
    assert!(binary.stderr.contains("--package Debian:openssl"), "{}", binary.text());
    let source = declare(&place, "<4", &["--package", "Debian:openssl", "--json"]);
    assert_eq!((source.status, &source.json()["affected"]), (0, &1.into()), "{}", source.text());
    // Letters in which an ecosystem does not tell names apart are no other name.
    let nuget = declare(&place, "<13", &["--package", "nuget:Newtonsoft.Json", "--json"]);
    assert_eq!((nuget.status, &nuget.json()["affected"]), (0, &1.into()), "{}", nuget.text());
}

#[test]
fn a_dry_run_tells_and_publishes_nothing() {
    let place = place();
    let package = ["--package", CORE];
    expect![[r#"
        RLT-local-YEAR-0001  affected 1, clear 1, unknown 1
          nothing was published; the same command with --yes does it
        --- stderr
        --- status 0
    "#]]
    .assert_eq(&stable(&declare(&place, ">=2.0,<2.15.0", &package).text()));
    let lang = ["--package", CORE, "--lang", "fr"];
    expect![[r#"
        RLT-local-YEAR-0001  touchés 1, hors de cause 1, inconnus 1
          rien n’a été publié; la même commande avec --yes le fait
        --- stderr
        --- status 0
    "#]]
    .assert_eq(&stable(&declare(&place, ">=2.0,<2.15.0", &lang).text()));
    let sources = place.expect(0, &["advisories", "sources", "--json"]).json();
    assert!(!sources["sources"].to_string().contains("\"own\""), "{sources}");
    // No range known: everybody who has the package, at once, and the unread site.
    let json = ["--package", CORE, "--json"];
    let unknown = declare(&place, "unknown", &json).json();
    assert_eq!((&unknown["affected"], &unknown["unknown"]), (&0.into(), &3.into()));
    for vector in ["banana", "CVSS:3.1/AV:N", ""] {
        let refused = declare(&place, "<2", &["--package", CORE, "--cvss", vector, "--yes"]);
        assert_eq!(refused.status, 2, "{vector}");
        assert!(refused.stderr.contains("CVSS:3.1/AV:N/AC:L"), "{}", refused.stderr);
    }
    let old = ["--package", CORE, "--cvss", "AV:N/AC:L/Au:N/C:C/I:C/A:C", "--json"];
    let kind = declare(&place, "<2", &old).json()["record"]["severity"][0]["type"].clone();
    assert_eq!(kind, "CVSS_V2");
    for (range, package) in [(">=2,>3", CORE), ("<2", "log4j-core"), ("", CORE)] {
        assert_eq!(declare(&place, range, &["--package", package]).status, 2, "{range} {package}");
    }
}

/// Goal: a start that does not belong to the range, a class that makes it vulnerable, and a day on
/// which somebody looks again. Method: the version at the start, a copy without the class, a record
/// that is read back after its day.
#[test]
fn a_start_that_is_left_out_a_class_and_an_expiry() {
    let place = place();
    let json = ["--package", CORE, "--yes", "--json"];
    let total = |id: &str| place.run(&["affected", id, "--json"]).json()["total"].to_string();
    let open = declare(&place, ">2.14.1,<=2.17.1", &json).json();
    assert_eq!(total(open["id"].as_str().unwrap()), r#"{"affected":1,"clear":1,"unknown":1}"#);
    let closed = declare(&place, ">=2.14.1,<=2.17.1", &json).json();
    assert_eq!(total(closed["id"].as_str().unwrap()), r#"{"affected":2,"clear":0,"unknown":1}"#);
    let class = ["--class", "org/example/Lookup"];
    let named = declare(&place, ">2.0", &[&json[..], &class].concat()).json();
    let entry = &named["record"]["affected"][0]["database_specific"];
    assert_eq!(entry["classes"], serde_json::json!(["org/example/Lookup"]));
    assert_eq!(declare(&place, "<3", &[&json[..], &["--expires", "soon"]].concat()).status, 2);
    let dated = declare(&place, "<3", &[&json[..], &["--expires", "14d"]].concat()).json();
    assert!(dated["record"]["database_specific"]["expires"].is_string(), "{dated}");
    // The same record, as if its day had come: it counts, and says what to do.
    let mut record = dated["record"].clone();
    record["database_specific"]["expires"] = "2001-01-01T00:00:00Z".into();
    place.write("own.json", record.to_string());
    place.expect(0, &["advisories", "import", "own.json", "--accept", "own"]);
    let id = record["id"].as_str().unwrap();
    let told = place.expect(3, &["affected", id]);
    assert!(
        told.stdout.contains("2001-01-01T00:00:00Z: amend it, or retire it"),
        "{}",
        told.stdout
    );
    assert_eq!(total(id), r#"{"affected":2,"clear":0,"unknown":1}"#);
}

#[test]
fn declared_amended_bound_and_retired() {
    let place = place();
    let published = declare(&place, ">=2.0,<2.18.0", &["--package", CORE, "--yes", "--json"]);
    let id = published.json()["id"].as_str().unwrap().to_owned();
    assert!(id.starts_with("RLT-local-") && id.ends_with("-0001"), "{id}");
    let total = |flaw: &str| {
        let answer = place.run(&["affected", flaw, "--json"]).json();
        answer["total"].to_string()
    };
    assert_eq!(total(&id), r#"{"affected":2,"clear":0,"unknown":1}"#);
    // A wrong first range is normal: who joined and who left is told.
    let amended = declare(&place, ">=2.0,<2.15.0", &["--amend", &id, "--yes", "--json"]).json();
    assert_eq!(amended["left"], serde_json::json!(["san-002"]));
    assert_eq!(total(&id), r#"{"affected":1,"clear":1,"unknown":1}"#);
    // A wider range of ours, bound to the CVE: sites that only we call affected stay affected.
    declare(&place, ">=2.0,<2.18.0", &["--amend", &id, "--yes"]);
    place.expect(0, &["advisories", "bind", &id, "cve-2021-44228"]);
    assert_eq!(total("CVE-2021-44228"), r#"{"affected":2,"clear":0,"unknown":1}"#);
    let purl = "pkg:maven/org.apache.logging.log4j/log4j-core@2.17.1";
    let said = place.expect(0, &["advisories", "explain", &id, purl, "--json"]).json();
    assert_eq!((&said["id"], &said["verdict"]), (&"CVE-2021-44228".into(), &"affected".into()));
    assert_eq!(said["flags"], serde_json::json!(["sources-disagree"]));
    let retire = ["advisories", "retire", &id, "--reason", "the CVE says it better"];
    place.expect(0, &retire);
    assert_eq!(total("CVE-2021-44228"), r#"{"affected":1,"clear":1,"unknown":1}"#);
    place.expect(2, &["advisories", "bind", &id, "flaw"]);
    place.expect(1, &["advisories", "retire", "RLT-local-1999-0001", "--reason", "none"]);
}

/// Goal: an incident is found, and found only once, after its flaw got a number. Method: an
/// incident about an advisory of one's own, which is bound to a CVE while it is open.
#[test]
fn an_incident_keeps_its_name_when_its_flaw_gets_a_number() {
    let place = place();
    place.write("data/policy.toml", "[operators]\nsingle = \"A. Tremblay\"\n");
    let more = ["--package", CORE, "--cvss", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H"];
    let published = declare(&place, ">=2.0,<2.15.0", &[&more[..], &["--yes", "--json"]].concat());
    let id = published.json()["id"].as_str().unwrap().to_owned();
    place.expect(0, &["incident", "open", &id]);
    place.expect(0, &["advisories", "bind", &id, "CVE-2021-44228"]);
    for name in [id.as_str(), "CVE-2021-44228", "cve-2021-44228"] {
        let status = place.expect(0, &["incident", "status", name, "--json"]).json();
        let incidents = status["incidents"].as_array().unwrap();
        assert_eq!((incidents.len(), &incidents[0]["id"]), (1, &id.as_str().into()), "{name}");
        let opened = place.expect(0, &["incident", "open", name, "--json"]).json();
        assert_eq!(opened["incident"], id.as_str(), "a second one was opened for {name}");
        place.expect(0, &["incident", "log", name]);
        place.expect(0, &["incident", "report", name]);
        let fix = ["incident", "fix", "san-001", "--note", "an update", "--incident", name];
        let answer = place.run(&fix);
        assert!(!answer.stderr.contains("no incident"), "{}", answer.stderr);
    }
    let listed = place.expect(0, &["incident", "list", "--json"]).json();
    let proposed = listed["proposals"].as_array().unwrap();
    assert!(proposed.iter().all(|it| it["advisory"] != "CVE-2021-44228"), "{listed}");
    place.expect(0, &["incident", "close", "CVE-2021-44228"]);
    let status = place.expect(0, &["incident", "status", "CVE-2021-44228", "--json"]).json();
    assert_eq!(status["incidents"][0]["closed"], true);
    // Whatever comes then is another incident.
    let opened = place.expect(0, &["incident", "open", &id, "--json"]).json();
    assert_eq!(opened["incident"], "CVE-2021-44228");
    let status = place.expect(0, &["incident", "status", &id, "--json"]).json();
    assert_eq!(status["incidents"][0]["id"], "CVE-2021-44228", "the one that is open");
}

/// A supplier states that log4j-core 2.14.1 is not affected.
pub(crate) const STATEMENT: &str = r#"{"@context":"https://openvex.dev/ns/v0.2.0",
"author":"Supplier",
"@id":"https://example.org/vex/1","timestamp":"2021-12-12T00:00:00Z","version":1,"statements":[
{"vulnerability":{"name":"CVE-2021-44228"},"status":"not_affected",
"products":[{"@id":"pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1"}],
"justification":"vulnerable_code_not_present"}]}"#;

#[test]
fn a_statement_has_an_effect_when_its_issuer_is_trusted() {
    let place = place();
    place.write("vex/a.vex.json", STATEMENT);
    place.expect(0, &["advisories", "update", "--offline", "vex"]);
    expect![[r#"
        CVE-2021-44228  Supplier: not affected
          pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1  2021-12-12T00:00:00Z
          no effect: the supplier is not trusted
        --- stderr
        --- status 0
    "#]]
    .assert_eq(&place.run(&["advisories", "vex", "CVE-2021-44228"]).text());
    let affected = || {
        let answer = place.run(&["affected", "CVE-2021-44228", "--json"]).json();
        answer["total"]["affected"].as_u64().unwrap()
    };
    assert_eq!(affected(), 1);
    let trusted = place.expect(0, &["advisories", "vex", "--trust", "Supplier", "--json"]).json();
    assert_eq!(trusted["trusted"], serde_json::json!(["Supplier"]));
    assert_eq!(trusted["statements"][0]["effect"], "clears");
    assert_eq!(affected(), 0);
    let purl = "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1";
    let said = place.expect(0, &["advisories", "explain", "CVE-2021-44228", purl, "--json"]);
    assert_eq!(said.json()["flags"], serde_json::json!(["by-statement"]));
    place.expect(0, &["advisories", "vex", "--distrust", "Supplier"]);
    assert_eq!(affected(), 1);
    place.expect(2, &["advisories", "vex", "--trust", "a", "--distrust", "b"]);
}

/// Goal: the operator's word about sources is checked, kept, and decides. Method: a product that
/// only a line of the operator binds to a package, and the rank of a source that disagrees.
#[test]
fn the_operator_binds_products_and_ranks_sources() {
    let place = place();
    let shown = || place.expect(0, &["advisories", "policy"]).stdout;
    assert!(shown().contains("nothing is set"));
    place.write("cve.json", CVE);
    place.expect(0, &["advisories", "import", "cve.json"]);
    let affected = || {
        let answer = place.run(&["affected", "CVE-2099-0100", "--json"]).json();
        answer["total"]["affected"].as_u64()
    };
    assert_eq!(affected(), Some(0), "a product is no package");
    place.write("policy.toml", POLICY);
    place.expect(0, &["advisories", "policy", "policy.toml"]);
    assert_eq!(affected(), Some(1));
    expect![[r#"
        ranks.house = vendor
        last_known_is_last ghsa
        example Example Server = Maven:org.apache.logging.log4j:log4j-core
          != Maven:org.apache.logging.log4j:log4j-api
          A. Tremblay · https://example.org/security
    "#]]
    .assert_eq(&shown());
    for (text, status) in [("[ranks]\nhouse = \"best\"", 2), ("[rank]", 2), ("[[bindings]]", 2)] {
        place.write("bad.toml", text);
        place.expect(status, &["advisories", "policy", "bad.toml"]);
    }
    assert_eq!(affected(), Some(1), "what cannot be read changes nothing");
}

/// A record of an assigner about a product that no shipped binding knows.
const CVE: &str = r#"{"dataType":"CVE_RECORD","dataVersion":"5.1","cveMetadata":{
"cveId":"CVE-2099-0100","assignerOrgId":"00000000-0000-4000-9000-000000000000",
"assignerShortName":"example","state":"PUBLISHED"},"containers":{"cna":{
"providerMetadata":{"orgId":"00000000-0000-4000-9000-000000000000","shortName":"example"},
"descriptions":[{"lang":"en","value":"A flaw of the server"}],"affected":[{"vendor":"Example",
"product":"Example Server","defaultStatus":"unaffected","versions":[{"version":"2.0",
"status":"affected","lessThan":"2.15.0","versionType":"maven"}]}]}}}"#;

const POLICY: &str = r#"last_known_is_last = ["ghsa"]
[ranks]
house = "vendor"
[[bindings]]
assigner = "example"
products = ["Example Server"]
affects = ["Maven:org.apache.logging.log4j:log4j-core"]
not_affects = ["Maven:org.apache.logging.log4j:log4j-api"]
reference = "https://example.org/security"
reviewer = "A. Tremblay"
"#;

/// A vendor's CSAF document alone: its bounds are the range, a range in prose leaves every holder
/// unknown, and one flaw of a bulletin is not another.
#[test]
fn bounds_of_a_csaf_document_answer_by_themselves() {
    let place = place();
    let product = |version: &str, category: &str| {
        serde_json::json!({"category": category, "name": version, "product": {
            "name": version, "product_id": version, "product_identification_helper":
                {"purl": "pkg:maven/org.apache.logging.log4j/log4j-core"}}})
    };
    let document = serde_json::json!({
        "document": {"csaf_version": "2.0", "category": "csaf_security_advisory", "title": "t",
            "publisher": {"namespace": "https://example.org", "name": "E", "category": "vendor"},
            "tracking": {"id": "EX-1", "version": "1", "status": "final"}},
        "product_tree": {"branches": [product("2.4", "product_version"),
            product("2.15.0", "product_version"), product("2.17.1", "product_version"),
            product("everything before Christmas", "product_version_range")]},
        "vulnerabilities": [
            {"cve": "CVE-2099-1", "product_status":
                {"first_affected": ["2.4"], "first_fixed": ["2.15.0"]}},
            {"cve": "CVE-2099-2", "product_status": {"last_affected": ["2.17.1"]}},
            {"cve": "CVE-2099-3", "product_status":
                {"known_affected": ["everything before Christmas"]}},
            {"cve": "CVE-2099-4", "product_status": {"known_affected": ["2.15.0"]}},
        ]
    });
    place.write("ex-1.json", document.to_string());
    place.expect(0, &["advisories", "import", "ex-1.json"]);
    let total = |id: &str| place.run(&["affected", id, "--json"]).json()["total"].to_string();
    // That it is the vendor's is its own word, until the operator says so.
    assert_eq!(total("CVE-2099-1"), r#"{"affected":1,"clear":0,"unknown":2}"#);
    place.expect(0, &["advisories", "vex", "--trust", "E"]);
    assert_eq!(total("CVE-2099-1"), r#"{"affected":1,"clear":1,"unknown":1}"#);
    assert_eq!(total("CVE-2099-2"), r#"{"affected":2,"clear":0,"unknown":1}"#);
    assert_eq!(total("CVE-2099-3"), r#"{"affected":0,"clear":0,"unknown":3}"#);
    assert_eq!(total("CVE-2099-4"), r#"{"affected":0,"clear":0,"unknown":3}"#);
    let purl = "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1";
    let told = place.run(&["advisories", "explain", "CVE-2099-1", purl, "--json"]).json();
    assert_eq!(told["verdict"], "affected", "{told}");
    assert!(told.to_string().contains("EX-1/CVE-2099-1"), "{told}");
}

/// Goal: nobody changes what answers rest on without a name. Method: each such command once, as the
/// operator that the policy names, and what the register kept of it.
#[test]
fn who_changed_what_counts_is_kept() {
    let place = place();
    place.expect(0, &["advisories", "changes"]);
    place.write("data/policy.toml", "[operators]\nsingle = \"Anna Roy\"\n");
    let record = declare(&place, "<2.15.0", &["--package", CORE, "--yes", "--json"]).json();
    let id = record["id"].as_str().unwrap();
    declare(&place, "<2.16.0", &["--amend", id, "--yes"]);
    // A dry run changes nothing.
    declare(&place, "<2.17.0", &["--amend", id]);
    place.expect(0, &["advisories", "bind", id, "CVE-2021-44228"]);
    place.expect(0, &["advisories", "retire", id, "--reason", "it was a rumour"]);
    place.write("policy.toml", "[proposals]\nscore = 9.0\nexploited = \"anywhere\"\n");
    let set = place.expect(0, &["advisories", "policy", "policy.toml", "--json"]).json();
    assert_eq!(set["proposals"], serde_json::json!({"score": 9.0, "exploited": "anywhere"}));
    place.expect(0, &["advisories", "sources", "disable", "relight"]);
    place.expect(2, &["advisories", "sources", "disable", "nobody"]);
    place.expect(0, &["advisories", "sources", "enable", "relight"]);
    place.expect(0, &["advisories", "vex", "--trust", "Supplier"]);
    place.expect(0, &["advisories", "vex", "--distrust", "Supplier"]);
    place.write("own.json", record["record"].to_string());
    place.expect(0, &["advisories", "import", "--accept", "own", "own.json"]);
    let kept = place.expect(0, &["advisories", "changes", "--json"]).json();
    let kept = kept["changes"].as_array().unwrap();
    assert!(
        kept.iter().all(|it| it["actor"].as_str().unwrap().starts_with("Anna Roy (uid ")),
        "{kept:?}"
    );
    let rows: Vec<String> = kept
        .iter()
        .map(|it| format!("{} {}", it["what"].as_str().unwrap(), it["after"].as_str().unwrap()))
        .collect();
    let wanted = [
        format!("declare {id} a call on Friday"),
        format!("amend {id} a call on Friday"),
        format!("bind {id} CVE-2021-44228"),
        format!("retire {id} it was a rumour"),
        "policy ".to_owned() + kept[4]["after"].as_str().unwrap(),
        "sources disable relight ".to_owned(),
        "sources enable relight ".to_owned(),
        "vex --trust Supplier ".to_owned(),
        "vex --distrust Supplier ".to_owned(),
        format!("import {id} "),
    ];
    assert_eq!(rows, wanted);
    assert!(rows[4].contains(r#""exploited":"anywhere""#), "{rows:?}");
    let told = place.expect(0, &["advisories", "changes"]).stdout;
    assert!(told.contains(&format!(")  retire {id}  it was a rumour\n")), "{told}");
    for (word, file) in [("score = 11", "score"), ("exploited = \"always\"", "where")] {
        place.write(file, format!("[proposals]\n{word}\n"));
        place.expect(2, &["advisories", "policy", file]);
    }
}

/// Without a policy it is the account of the system that is named: nobody is nameless, and nobody
/// is kept from publishing.
#[test]
fn without_a_policy_the_account_of_the_system_is_named() {
    let place = place();
    declare(&place, "<2.15.0", &["--package", CORE, "--yes"]);
    let kept = place.expect(0, &["advisories", "changes", "--json"]).json();
    let actor = kept["changes"][0]["actor"].as_str().unwrap();
    assert!(actor.strip_prefix("uid ").is_some_and(|it| it.parse::<u32>().is_ok()), "{actor}");
    let none = Place::with_sites().expect(0, &["advisories", "changes", "--lang", "fr"]).stdout;
    assert_eq!(none, "personne n’a encore rien changé\n");
}

/// Goal: a call on a Friday evening counts whatever became of the policy. Method: one that cannot
/// be parsed.
#[test]
fn with_a_broken_policy_the_account_is_named_and_it_is_told() {
    let place = place();
    place.write("data/policy.toml", "[operators");
    let told = declare(&place, "<2.15.0", &["--package", CORE, "--yes"]);
    assert_eq!(told.status, 0, "{}", told.text());
    assert!(told.stderr.contains("the account of the system is noted"), "{}", told.stderr);
    let kept = place.expect(0, &["advisories", "changes", "--json"]).json();
    assert!(kept["changes"][0]["actor"].as_str().unwrap().starts_with("uid "), "{kept}");
}

/// Goal: no file ends an advisory of our own. Method: the same id, withdrawn, from a file and from
/// a folder, alone and beside one that another node published.
#[test]
fn a_file_changes_an_advisory_of_our_own_only_where_a_person_accepts_it() {
    let place = place();
    let declared = declare(&place, "<2.15.0", &["--package", CORE, "--yes", "--json"]).json();
    let id = declared["id"].as_str().unwrap();
    let mut record = declared["record"].clone();
    place.write("same/own.json", record.to_string());
    place.expect(0, &["advisories", "import", "same"]);
    record["withdrawn"] = "2026-01-01T00:00:00Z".into();
    let mut other = declared["record"].clone();
    other["id"] = "RLT-other-2026-0001".into();
    place.write("feed/own.json", record.to_string());
    place.write("feed/other.json", other.to_string());
    let affected =
        |id: &str| place.run(&["affected", id, "--json"]).json()["total"]["affected"].clone();
    for command in [
        &["import", "feed"][..],
        &["update", "--offline", "feed"],
        &["import", "feed", "--accept", "ghsa"],
    ] {
        let told = place.run(&[&["advisories"][..], command].concat());
        assert_eq!(told.status, 1, "{}", told.text());
        for part in ["told otherwise", "--accept own", &format!("own.json {id}: ")] {
            assert!(told.stderr.contains(part), "{part} in {}", told.text());
        }
        assert_eq!((affected(id), affected("RLT-other-2026-0001")), (1.into(), 1.into()));
    }
    place.expect(0, &["advisories", "import", "feed/own.json", "--accept", "own"]);
    let group = place.expect(0, &["advisories", "show", id, "--json"]).json().to_string();
    assert!(group.contains("2026-01-01T00:00:00Z"), "{group}");
    let kept = place.expect(0, &["advisories", "changes", "--json"]).json();
    let kept: Vec<_> =
        kept["changes"].as_array().unwrap().iter().map(|it| it["what"].clone()).collect();
    assert_eq!(kept, [format!("declare {id}"), format!("import {id}")]);
}
