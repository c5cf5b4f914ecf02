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
    expect![[r#""#]].assert_eq(&place.run(&["scan", "app"]).text());
    expect![[r#""#]].assert_eq(&place.run(&["scan", "app", "--lang", "fr"]).text());
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
    expect![[r#""#]].assert_eq(&place.run(&["scan", "app"]).text());
    expect![[r#""#]].assert_eq(&place.run(&["scan", "app", "--lang", "fr"]).text());
    let document = place.expect(10, &["scan", "app", "--json", "--fail-on", "kev"]).json();
    assert_eq!(document["complete"], false);
    assert_eq!(document["findings"].as_array().unwrap().len(), 4);
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
    place.expect(0, &["sbom", "import", "app.cdx.json", "--site", "san-001"]);
    let answer = place.expect(3, &["affected", "CVE-2021-44228", "--json"]).json();
    assert_eq!(answer["total"]["affected"], 1);
    place.expect(0, &["scan", "app", "--sbom", "again.cdx.json"]);
    assert!(place.path("again.cdx.json").exists());
    place.write("not.json", "{}");
    expect![[r#""#]].assert_eq(&place.run(&["sbom", "import", "not.json", "app.cdx.json"]).text());
    place.expect(2, &["sbom", "import", "a", "b", "--site", "san-001"]);
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
