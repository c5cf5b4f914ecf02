//! `relight scan` and `relight sbom` on good and hostile trees.

use std::os::unix::fs::symlink;

use expect_test::expect;

use crate::place::{Place, archive, log4j};

#[test]
fn what_is_affected_is_named_with_its_place() {
    let place = Place::new();
    let war = archive(&[("WEB-INF/lib/log4j-core-2.14.1.jar", &log4j("2.14.1"))]);
    place.write("app/app.war", war);
    place.write("app/new.jar", log4j("2.17.1"));
    expect![[r#"
        2 files read, 3 archives (deepest 2), 2 components
        ◆ CVE-2021-44228  log4j-core 2.14.1  KEV  app.war!/WEB-INF/lib/log4j-core-2.14.1.jar
        ◆ CVE-2021-44832  log4j-core 2.14.1  app.war!/WEB-INF/lib/log4j-core-2.14.1.jar
        ◆ CVE-2021-45046  log4j-core 2.14.1  KEV  app.war!/WEB-INF/lib/log4j-core-2.14.1.jar
        ◆ CVE-2021-45105  log4j-core 2.14.1  app.war!/WEB-INF/lib/log4j-core-2.14.1.jar
        --- stderr
        --- status 0
    "#]]
    .assert_eq(&place.run(&["scan", "app"]).text());
    expect![[r#"
        2 fichiers lus, 3 archives (profondeur 2), 2 composants
        ◆ CVE-2021-44228  log4j-core 2.14.1  KEV  app.war!/WEB-INF/lib/log4j-core-2.14.1.jar
        ◆ CVE-2021-44832  log4j-core 2.14.1  app.war!/WEB-INF/lib/log4j-core-2.14.1.jar
        ◆ CVE-2021-45046  log4j-core 2.14.1  KEV  app.war!/WEB-INF/lib/log4j-core-2.14.1.jar
        ◆ CVE-2021-45105  log4j-core 2.14.1  app.war!/WEB-INF/lib/log4j-core-2.14.1.jar
        --- stderr
        --- status 0
    "#]]
    .assert_eq(&place.run(&["scan", "app", "--lang", "fr", "--no-cache"]).text());
    for (level, status) in [("critical", 10), ("kev", 10), ("low", 10)] {
        place.expect(status, &["scan", "app", "--fail-on", level]);
    }
    place.expect(0, &["scan", "app/new.jar", "--fail-on", "low"]);
    let document = place.expect(0, &["scan", "app", "--json"]).json();
    assert_eq!(document["schema"], "relight.scan/1");
    assert_eq!(document["complete"], true);
    assert_eq!(document["deepest"], 2);
    assert_eq!(document["findings"][0]["id"], "CVE-2021-44228");
    assert_eq!(document["findings"][0]["score"], 10.0);
    assert_eq!(document["findings"][0]["known_exploited"], true);
    let path = "app.war!/WEB-INF/lib/log4j-core-2.14.1.jar";
    assert_eq!(document["findings"][0]["evidence"], path);
    assert_eq!(document["components"][0]["evidence"], path);
    assert_eq!(document["components"][0]["basis"], "pom-properties");
}

/// A corrupt jar, a zip bomb and a symlink loop: each is named with its place and costs nothing
/// else of the tree.
#[test]
fn what_cannot_be_read_is_named_and_costs_nothing_else() {
    let place = Place::new();
    let jar = log4j("2.14.1");
    place.write("app/whole.jar", &jar);
    place.write("app/torn.jar", &jar[..jar.len() / 2]);
    let zeros = vec![0; 40 << 20];
    place.write("app/bomb.zip", archive(&[("a", &zeros), ("b", &zeros), ("c", &zeros)]));
    symlink("..", place.path("app/loop")).unwrap();
    symlink(".", place.path("app/self")).unwrap();
    expect![[r#"
        3 files read, 3 archives (deepest 1), 2 components
        ◆ CVE-2021-44228  log4j-core 2.14.1  KEV  torn.jar
        ◆ CVE-2021-44228  log4j-core 2.14.1  KEV  whole.jar
        ◆ CVE-2021-44832  log4j-core 2.14.1  torn.jar
        ◆ CVE-2021-44832  log4j-core 2.14.1  whole.jar
        ◆ CVE-2021-45046  log4j-core 2.14.1  KEV  torn.jar
        ◆ CVE-2021-45046  log4j-core 2.14.1  KEV  whole.jar
        ◆ CVE-2021-45105  log4j-core 2.14.1  torn.jar
        ◆ CVE-2021-45105  log4j-core 2.14.1  whole.jar
        ? 5 places unreadable
          bomb.zip!/c: unpacks to more bytes than the limit
          torn.jar: ends too early
          torn.jar!/org/apache/logging/log4j/core/lookup/JndiLookup.class: ends too early
          torn.jar!/org/apache/logging/log4j/core/lookup/JndiLookup.class: a class file that cannot be parsed
          loop: a symbolic link to somewhere outside the target
        --- stderr
        hint: what could not be read may hold anything: the answer is incomplete
        --- status 3
    "#]]
    .assert_eq(&place.run(&["scan", "app"]).text());
    expect![[r#"
        3 fichiers lus, 3 archives (profondeur 1), 2 composants
        ◆ CVE-2021-44228  log4j-core 2.14.1  KEV  torn.jar
        ◆ CVE-2021-44228  log4j-core 2.14.1  KEV  whole.jar
        ◆ CVE-2021-44832  log4j-core 2.14.1  torn.jar
        ◆ CVE-2021-44832  log4j-core 2.14.1  whole.jar
        ◆ CVE-2021-45046  log4j-core 2.14.1  KEV  torn.jar
        ◆ CVE-2021-45046  log4j-core 2.14.1  KEV  whole.jar
        ◆ CVE-2021-45105  log4j-core 2.14.1  torn.jar
        ◆ CVE-2021-45105  log4j-core 2.14.1  whole.jar
        ? 5 endroits illisibles
          bomb.zip!/c : plus d’octets décompressés que la limite
          torn.jar : fin prématurée
          torn.jar!/org/apache/logging/log4j/core/lookup/JndiLookup.class : fin prématurée
          torn.jar!/org/apache/logging/log4j/core/lookup/JndiLookup.class : classe illisible
          loop : lien symbolique vers l’extérieur de la cible
        --- stderr
        conseil : ce qui n’a pas pu être lu peut contenir n’importe quoi : la réponse est incomplète
        --- status 3
    "#]]
    .assert_eq(&place.run(&["scan", "app", "--lang", "fr", "--no-cache"]).text());
    let document = place.expect(10, &["scan", "app", "--json", "--fail-on", "kev"]).json();
    assert_eq!(document["complete"], false);
    let findings = document["findings"].as_array().unwrap();
    let whole = findings.iter().filter(|finding| finding["evidence"] == "whole.jar").count();
    assert_eq!(whole, 4);
}

#[test]
fn a_target_that_is_not_there_costs_the_others_nothing() {
    let place = Place::new();
    place.write("app/a.txt", "a");
    let outcome = place.expect(1, &["scan", "nowhere", "app"]);
    assert!(outcome.stdout.starts_with("1 file read"), "{}", outcome.text());
    assert!(outcome.stderr.starts_with("error: cannot read nowhere\n"), "{}", outcome.text());
    place.expect(2, &["scan", "app", "app", "--sbom", "x.cdx.json"]);
    place.expect(2, &["scan", "app", "--depth", "65"]);
}

#[test]
fn an_inventory_goes_out_and_comes_back() {
    let place = Place::with_sites();
    place.write("app/a.jar", log4j("2.14.1"));
    let created = place.expect(0, &["sbom", "create", "app"]);
    assert_eq!(created.stdout, place.expect(0, &["sbom", "create", "app"]).stdout, "deterministic");
    place.write("app.cdx.json", &created.stdout);
    // It was made without a time: of which day is it?
    let import = ["sbom", "import", "app.cdx.json", "--site", "san-001"];
    let untold = place.expect(1, &import);
    assert!(untold.stderr.contains("--observed"), "{}", untold.text());
    place.expect(2, &[&import[..], &["--observed", "2999-01-01T00:00:00Z"]].concat());
    place.expect(0, &[&import[..], &["--observed", "2026-01-02T03:04:05Z"]].concat());
    let answer = place.expect(3, &["affected", "CVE-2021-44228", "--json"]).json();
    assert_eq!(answer["total"]["affected"], 1);
    place.expect(0, &["scan", "app", "--sbom", "again.cdx.json"]);
    assert!(place.path("again.cdx.json").exists());
    place.write("not.json", "{}");
    expect![[r#"
        app.cdx.json: 1 component, 0 gaps
        --- stderr
        error: not.json is not an inventory that can be read
          technical detail: the document is no inventory in a known format
        hint: give JSON of CycloneDX 1.2 to 1.7, or of SPDX 2.2 to 3.0
        --- status 1
    "#]]
    .assert_eq(&place.run(&["sbom", "import", "not.json", "app.cdx.json"]).text());
    place.expect(2, &["sbom", "import", "a", "b", "--site", "san-001"]);
}

#[test]
fn every_format_carries_an_inventory_to_a_site_and_back() {
    let place = Place::with_sites();
    place.write("app/a.jar", log4j("2.14.1"));
    place.expect(1, &["sbom", "export", "san-001"]);
    for format in ["cyclonedx-json", "spdx-json", "spdx3-json"] {
        let created = place.expect(0, &["sbom", "create", "app", "-f", format]).stdout;
        place.write("a.json", &created);
        let at = ["--observed", "2026-01-02T03:04:05Z"];
        place.expect(0, &[&["sbom", "import", "a.json", "--site", "san-001"][..], &at].concat());
        place.write("b.json", place.expect(0, &["sbom", "export", "san-001", "-f", format]).stdout);
        // What was exported says of which day it is, so that another register takes it as it is.
        place.expect(0, &["sbom", "import", "b.json", "--site", "san-002"]);
        let old = ["--site", "san-002", "--observed", "2025-01-02T03:04:05Z"];
        let old = place.expect(0, &[&["sbom", "import", "a.json"][..], &old].concat());
        assert!(old.stderr.contains("2026-01-02T03:04:05Z is newer"), "{}", old.text());
        let same = place.expect(0, &["sbom", "diff", "a.json", "b.json"]);
        assert_eq!(same.stdout, "no difference\n", "{format}");
        let answer = place.expect(3, &["affected", "CVE-2021-44228", "--json"]).json();
        assert_eq!(answer["total"]["affected"], 2, "{format}");
        let lint = place.expect(0, &["sbom", "lint", "a.json", "--json"]).json();
        assert_eq!(lint["schema"], "relight.sbom-lint/1");
        let form = |row: &&serde_json::Value| row["rule"] == "form";
        assert_eq!(lint["complaints"].as_array().unwrap().iter().filter(form).count(), 0);
    }
    place.expect(0, &["scan", "app", "--sbom", "x.spdx.json"]);
    let spdx = std::fs::read_to_string(place.path("x.spdx.json")).unwrap();
    assert!(spdx.contains("SPDX-2.3"));
}

#[test]
fn a_difference_says_what_it_fixes() {
    let place = Place::new();
    for (folder, version) in [("old", "2.14.1"), ("new", "2.17.1")] {
        place.write(&format!("{folder}/a.jar"), log4j(version));
        let created = place.expect(0, &["sbom", "create", folder]).stdout;
        place.write(&format!("{folder}.cdx.json"), created);
    }
    expect![[r#"
        ~ pkg:maven/org.apache.logging.log4j/log4j-core  2.14.1 → 2.17.1
        fixes CVE-2021-44228, CVE-2021-44832, CVE-2021-45046, CVE-2021-45105
        --- stderr
        --- status 0
    "#]]
    .assert_eq(&place.run(&["sbom", "diff", "old.cdx.json", "new.cdx.json"]).text());
    let json = place.expect(0, &["sbom", "diff", "new.cdx.json", "old.cdx.json", "--json"]).json();
    assert_eq!(json["brings"].as_array().unwrap().len(), 4);
    assert_eq!(json["fixes"].as_array().unwrap().len(), 0);
}

#[test]
fn lint_names_faults_in_both_languages() {
    let place = Place::new();
    let broken = r#"{"bomFormat":"CycloneDX","specVersion":"1.6","dependencies":[{"ref":"x"}],
        "metadata":{"timestamp":"2024-01-01T00:00:00Z","authors":[]},
        "components":[{"type":"box","name":"a","version":"1","group":"g"}]}"#;
    place.write("a.cdx.json", broken);
    expect![[r#"
        2 faults of form
          components[0]: unknown type
          dependencies[0]: reference to nothing
        1 missing minimum element
          components[0]: no unique identifier
        --- stderr
        hint: correct the tool that writes it
        --- status 1
    "#]]
    .assert_eq(&place.run(&["sbom", "lint", "a.cdx.json"]).text());
    let french = place.expect(1, &["sbom", "lint", "a.cdx.json", "--lang", "fr"]).stdout;
    assert!(french.contains("components[0]\u{a0}: type inconnu"), "{french}");
    place.write("clean.json", "{}");
    place.expect(1, &["sbom", "lint", "clean.json"]);
}

/// What was clear in March proves nothing of June: a document of before a scan is history.
#[test]
fn an_old_inventory_does_not_take_the_place_of_a_new_one() {
    let place = Place::with_sites();
    place.write("app/a.jar", log4j("2.17.1"));
    let clean = place.expect(0, &["sbom", "create", "app"]).stdout;
    let dated = |time: &str| {
        let mut document: serde_json::Value = serde_json::from_str(&clean).unwrap();
        document["metadata"]["timestamp"] = time.into();
        place.write("old.cdx.json", document.to_string());
        place.expect(0, &["sbom", "import", "old.cdx.json", "--site", "san-001"]);
        place.run(&["affected", "CVE-2021-44228", "--sites", "site:san-001", "--json"]).json()
    };
    assert_eq!(dated("2026-03-01T00:00:00Z")["total"]["affected"], 0);
    place.write("app/a.jar", log4j("2.14.1"));
    place.expect(0, &["scan", "app", "--site", "san-001"]);
    let old = dated("2026-03-02T00:00:00Z");
    assert_eq!(old["total"]["affected"], 1, "{old}");
}

/// A lock file alone made a site affected, and no scan of what runs could change it.
#[test]
fn what_a_lock_file_names_is_possible_and_what_is_installed_decides() {
    let place = Place::with_sites();
    let lock = "org.apache.logging.log4j:log4j-core:2.14.1=runtimeClasspath\n";
    place.write("app/gradle.lockfile", lock);
    let question = ["affected", "CVE-2021-44228", "--sites", "site:san-001", "--json"];
    let check = |states: &[&str], status: i32, reasons: &serde_json::Value| {
        let document = place.run(&["scan", "app", "--json", "--no-cache"]).json();
        assert_eq!(document["complete"], true);
        let findings = document["findings"].as_array().unwrap();
        let of_flaw = findings.iter().filter(|it| it["id"] == "CVE-2021-44228");
        let found: Vec<_> = of_flaw.map(|it| it["state"].as_str().unwrap()).collect();
        assert_eq!(found, states);
        place.run(&["scan", "app", "--site", "san-001"]);
        let answer = place.expect(status, &question).json();
        assert_eq!(answer["reasons"], *reasons, "{answer}");
        answer["total"].clone()
    };
    let total = check(&["declared-only"], 3, &serde_json::json!({"declared-only": 1}));
    assert_eq!((&total["affected"], &total["unknown"]), (&0.into(), &1.into()));
    let text = place.run(&["scan", "app"]).stdout;
    assert!(text.contains("gradle.lockfile  (may be affected: only a lock file"), "{text}");
    place.write("app/lib/a.jar", log4j("2.17.1"));
    let total = check(&[], 0, &serde_json::json!({}));
    assert_eq!(total["clear"], 1);
    place.write("app/lib/a.jar", log4j("2.14.1"));
    place.write("app/gradle.lockfile", lock.replace("2.14.1", "2.17.1"));
    let total = check(&["affected"], 0, &serde_json::json!({}));
    assert_eq!(total["affected"], 1);
}

/// Somebody else's document that does not say that it is complete proves nothing.
#[test]
fn a_foreign_document_makes_the_site_unknown() {
    let place = Place::with_sites();
    let foreign = r#"{"bomFormat":"CycloneDX","specVersion":"1.5","components":[]}"#;
    place.write("foreign.cdx.json", foreign);
    place.expect(3, &["sbom", "import", "foreign.cdx.json", "--site", "san-001"]);
    let answer = place.expect(3, &["affected", "log4j-core", "--sites", "site:san-001", "--json"]);
    assert_eq!(answer.json()["reasons"]["declared-only"], 1);
}
