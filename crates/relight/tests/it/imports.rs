//! `relight advisories import`, `search`, `new`: what a person sees of each.

use expect_test::expect;

use crate::place::{Place, archive};

fn osv(id: &str, name: &str, fixed: &str) -> String {
    let about = format!(r#""id":"{id}","aliases":["CVE-{id}"],"summary":"Flaw of {name}""#);
    let package = format!(r#""package":{{"ecosystem":"npm","name":"{name}"}}"#);
    let events = format!(r#"[{{"introduced":"0"}},{{"fixed":"{fixed}"}}]"#);
    let ranges = format!(r#""ranges":[{{"type":"SEMVER","events":{events}}}]"#);
    format!(r#"{{{about},"affected":[{{{package},{ranges}}}]}}"#)
}

fn feed(count: usize, fixed: &str) -> String {
    (0..count).map(|n| osv(&format!("GHSA-{n}"), "lib", fixed) + "\n").collect()
}

const KEV: &str = r#"{"catalogVersion":"1","vulnerabilities":[{"cveID":"CVE-GHSA-1",
"vulnerabilityName":"Flaw","dateAdded":"2024-01-01","knownRansomwareCampaignUse":"Known"}]}"#;

const EPSS: &str = "#model_version:v1,score_date:2025-08-25T00:00:00Z\ncve,epss,percentile\n\
                    CVE-GHSA-1,0.25,0.75\n";

#[test]
fn any_mixture_is_imported_and_the_same_is_only_counted() {
    let place = Place::new();
    place.write("in/feed.jsonl", feed(3, "2"));
    place.write("in/kev.json", KEV);
    place.write("in/epss.csv", EPSS);
    place.write("in/more.zip", archive(&[("a.json", osv("GO-1", "mod", "3").as_bytes())]));
    let import = ["advisories", "import", "in"];
    expect![[r#"
        Files: 4, advisories: 5; new: 5, changed: 0, unchanged: 0, refused: 0
        EPSS scores: 1
        --- stderr
        --- status 0
    "#]]
    .assert_eq(&place.run(&import).text());
    let again = place.expect(0, &["advisories", "import", "in", "--json"]).json();
    assert_eq!(again["schema"], "relight.advisories-import/1");
    assert_eq!((&again["same"], &again["new"]), (&5.into(), &0.into()));
    assert_eq!(again["formats"], serde_json::json!({ "osv": 2, "kev": 1, "epss": 1 }));
    assert_eq!(again["sources"]["kev/cisa"]["same"], 1);
    let shown = place.expect(0, &["advisories", "show", "CVE-GHSA-1", "--json"]).json();
    assert_eq!(shown["signals"][0]["kind"], "kev");
    assert_eq!(shown["signals"][0]["ransomware"], true);
    assert_eq!(
        (&shown["signals"][1]["kind"], &shown["signals"][1]["score"]),
        (&"epss".into(), &0.25.into())
    );
    expect![[r#"
        CVE-GHSA-1  Flaw
          = GHSA-1
          no CVSS score · KEV · SSVC act · EPSS 25.0%
            known to be exploited
            CISA's tree says: as soon as possible
            a point of the tree is not known, and the worse one was taken
            the chance of exploitation within 30 days, times criticality
            whether the site is reachable from the internet is not known
            without a CVSS score
          npm: lib
          affects <2
          fixed in 2
          ghsa  GHSA-1  -  bdfad715d305021cc7ed0f502c6124151b250cc59e19b633261c0043c79327b8
            CC-BY-4.0 · GitHub Advisory Database, CC-BY-4.0
          kev/cisa  CVE-GHSA-1  -  a5914a6ad4a0f85f360e65189c4833a6be4394294cedf1e6dbddc86462cc85cc
            CC0-1.0 · CISA Known Exploited Vulnerabilities
        Next: relight affected CVE-GHSA-1
        --- stderr
        --- status 0
    "#]]
    .assert_eq(&place.run(&["advisories", "show", "CVE-GHSA-1", "--sources"]).text());
}

#[test]
fn a_list_that_changed_too_much_is_refused_until_a_person_accepts_it() {
    let place = Place::new();
    place.write("feed.jsonl", feed(100, "2"));
    place.expect(0, &["advisories", "import", "feed.jsonl"]);
    place.write("feed.jsonl", feed(100, "1"));
    expect![[r#"
        Files: 1, advisories: 100; new: 0, changed: 0, unchanged: 0, refused: 0
        --- stderr
        warning: ghsa: list refused as a whole
          technical detail: 100 of 100 records would match otherwise
        hint: look at the list; when it is right: relight advisories import --accept with the name of the source
        --- status 1
    "#]]
    .assert_eq(&place.run(&["advisories", "import", "feed.jsonl"]).text());
    let explain = ["advisories", "explain", "GHSA-7", "pkg:npm/lib@1.5.0", "--json"];
    assert_eq!(place.expect(0, &explain).json()["state"], "affected");
    let state = |place: &Place| {
        let sources = place.expect(0, &["advisories", "sources", "--json"]).json();
        sources["sources"][1]["state"].clone()
    };
    assert_eq!(state(&place), "refused");
    // Whoever looks for trouble is told the same.
    let next = "relight advisories import --accept ghsa FILE";
    let told = place.expect(0, &["advisories", "sources"]).stdout;
    assert!(told.contains(next), "{told}");
    let checks = place.run(&["doctor", "--json"]).json()["checks"].clone();
    let of_source = |it: &&serde_json::Value| it["what"].to_string().contains("ghsa (");
    let check = checks.as_array().unwrap().iter().find(of_source).unwrap();
    assert_eq!((&check["health"], &check["next"]), (&"bad".into(), &next.into()));
    place.expect(0, &["advisories", "import", "feed.jsonl", "--accept", "ghsa"]);
    assert_eq!(place.expect(0, &explain).json()["state"], "clear");
    assert_eq!(state(&place), "fresh");
}

#[test]
fn a_short_list_is_refused_and_what_is_missing_is_told() {
    let place = Place::new();
    place.write("feed.jsonl", feed(50, "2"));
    place.expect(0, &["advisories", "import", "--whole", "feed.jsonl"]);
    place.write("feed.jsonl", feed(49, "2"));
    place.expect(0, &["advisories", "import", "--whole", "feed.jsonl"]);
    let text = place.run(&["advisories", "sources"]).text();
    assert!(text.contains("missing from the newest list: 1"), "{text}");
    place.write("feed.jsonl", feed(20, "2"));
    let refused = place.expect(1, &["advisories", "import", "--whole", "feed.jsonl", "--json"]);
    assert_eq!(refused.json()["sources"]["ghsa"]["refused"], "shrunk");
    let text = place.run(&["advisories", "sources", "--lang", "fr"]).text();
    assert!(text.contains("la dernière liste semblait fausse"), "{text}");
}

#[test]
fn words_find_advisories_and_the_newest_are_shown() {
    let place = Place::new();
    place.write("feed.jsonl", feed(3, "2"));
    place.expect(0, &["advisories", "import", "feed.jsonl"]);
    expect![[r#"
        CVE-2021-44228  10.0 · KEV · SSVC act  Log4Shell: text that is logged can make log4j-core load and run code from a remote server
          relight CVE-2021-44228: Apache-2.0
        --- stderr
        found: 1
        --- status 0
    "#]]
    .assert_eq(&place.run(&["advisories", "search", "LOG4J", "44228"]).text());
    let found = place.expect(0, &["advisories", "search", "flaw", "--limit", "2", "--json"]).json();
    assert_eq!((&found["found"], found["advisories"].as_array().unwrap().len()), (&3.into(), 2));
    let new = place.expect(0, &["advisories", "new", "--limit", "1", "--json"]).json();
    assert_eq!(new["revisions"][0]["id"], "GHSA-2");
    assert_eq!(new["revisions"].as_array().unwrap().len(), 1);
    place.expect(2, &["advisories", "search"]);
    place.expect(2, &["advisories", "new", "--limit", "0"]);
    let since = |time: &str| {
        let new = place.expect(0, &["advisories", "new", "--since", time, "--json"]).json();
        new["revisions"].as_array().unwrap().len()
    };
    assert_eq!((since("1d") > 1, since("2099-01-01")), (true, 0));
    place.expect(2, &["advisories", "new", "--since", "soon"]);
    // More than are shown where nobody says which.
    place.write("feed.jsonl", feed(25, "2"));
    place.expect(0, &["advisories", "import", "feed.jsonl"]);
    assert!(since("1d") >= 25, "{}", since("1d"));
    let cut = place.expect(0, &["advisories", "new", "--since", "1d", "--limit", "24"]);
    assert!(cut.stderr.contains("more came since then than the 24 newest"), "{}", cut.text());
    let all = place.expect(0, &["advisories", "new", "--since", "1d"]);
    assert!(!all.stderr.contains("more came"), "{}", all.text());
}
