//! `relight advisories`: reading, showing, explaining.

use expect_test::expect;

use crate::place::Place;

const GOOD: &str = r#"{"id":"GHSA-test-0001","aliases":["CVE-2099-0001"],
"modified":"2099-01-01T00:00:00Z","summary":"left-pad pads on the right",
"affected":[{"package":{"ecosystem":"npm","name":"left-pad"},
"ranges":[{"type":"SEMVER","events":[{"introduced":"1.0.0"},{"fixed":"1.3.0"}]}]}]}"#;

fn updated() -> (Place, String) {
    let place = Place::new();
    let other = GOOD.replace("0001", "0002");
    let lines = format!("{}\n{{\"id\": 7}}\n", other.replace('\n', ""));
    place.write("osv/a.json", GOOD);
    place.write("osv/more/b.jsonl", lines);
    let text = place.run(&["advisories", "update", "--offline", "osv"]).text();
    (place, text)
}

#[test]
fn a_bad_record_is_told_and_costs_no_other() {
    let (place, text) = updated();
    expect![[r#"
        Files: 2, advisories: 2; new: 2, changed: 0, unchanged: 0, refused: 1
        --- stderr
        warning: osv/more/b.jsonl:2: unusable OSV record
          technical detail: field `id` is not text; left out, correct it and import it again
        hint: the others were read; report this one to its source
        --- status 1
    "#]]
    .assert_eq(&text);
    let again = ["advisories", "update", "--offline", "osv", "--lang", "fr"];
    expect![[r#"
        Fichiers : 2, avis : 2; nouveaux : 0, changés : 0, inchangés : 2, refusés : 1
        --- stderr
        avertissement : osv/more/b.jsonl:2 : fiche OSV inutilisable
          détail technique : field `id` is not text; left out, correct it and import it again
        conseil : les autres ont été lus; signalez celui-ci à sa source
        --- status 1
    "#]]
    .assert_eq(&place.run(&again).text());
    let document = place.run(&["advisories", "update", "--offline", "osv", "--json"]);
    assert_eq!((document.status, &document.json()["same"]), (1, &2.into()));
    assert_eq!(document.json()["refused"][0]["code"], "osv-bad-record");
    place.expect(1, &["advisories", "update", "--offline", "nowhere"]);
    place.expect(2, &["advisories", "update"]);
}

#[test]
fn advisories_are_found_by_any_id_and_explained() {
    let (place, _) = updated();
    expect![[r#"
        CVE-2099-0001  left-pad pads on the right
          = GHSA-test-0001
          no CVSS score
          npm: left-pad
          affects >=1.0.0 <1.3.0
          fixed in 1.3.0
        Next: relight affected CVE-2099-0001
        --- stderr
        --- status 0
    "#]]
    .assert_eq(&place.run(&["advisories", "show", "ghsa-test-0001"]).text());
    let shown = place.expect(0, &["advisories", "show", "CVE-2021-44228", "--json"]).json();
    assert_eq!((&shown["score"], &shown["known_exploited"]), (&10.0.into(), &true.into()));
    assert_eq!(shown["sources"][0]["source"], "relight");
    place.expect(0, &["advisories", "show", "CVE-2021-44228", "--sources"]);
    for (version, state, status) in [("1.2.0", "affected", 0), ("1.3.0", "clear", 0)] {
        let purl = format!("pkg:npm/left-pad@{version}");
        let said =
            place.expect(status, &["advisories", "explain", "CVE-2099-0001", &purl, "--json"]);
        assert_eq!(said.json()["state"], state);
    }
    let unknown = ["advisories", "explain", "CVE-2099-0001", "pkg:npm/left-pad"];
    let outcome = place.expect(3, &unknown);
    assert!(outcome.stdout.contains("may be affected"), "{}", outcome.text());
    expect![[r#"
        --- stderr
        erreur : « left-pad » n’est pas une adresse de paquet (purl does not start with `pkg:`)
        conseil : par exemple pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1
        --- status 2
    "#]]
    .assert_eq(
        &place.run(&["advisories", "explain", "CVE-2099-0001", "left-pad", "--lang", "fr"]).text(),
    );
    place.expect(1, &["advisories", "show", "CVE-1999-0001"]);
}

#[test]
fn sources_are_counted() {
    expect![[r#"
        relight: 4 records
        never updated: only the advisories that ship with relight are known
        --- stderr
        --- status 0
    "#]]
    .assert_eq(&Place::new().run(&["advisories", "sources"]).text());
    let (place, _) = updated();
    let sources = place.expect(0, &["advisories", "sources", "--json"]).json();
    assert_eq!(sources["sources"], serde_json::json!({ "osv": 2, "relight": 4 }));
    assert!(sources["updated"].as_str().unwrap().ends_with('Z'));
}
