//! `relight advisories`: reading, showing, explaining.

use expect_test::expect;

use crate::place::{Place, log4j};

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
          no CVSS score · SSVC act
            CISA's tree says: as soon as possible
            a point of the tree is not known, and the worse one was taken
            new, and without a score of its chance of exploitation
            whether the site is reachable from the internet is not known
            without a CVSS score
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
    assert!(outcome.stdout.contains("the version is not known"), "{}", outcome.text());
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

/// GitHub's record of CVE-2021-45046 as it really is: it flags versions that Apache fixed.
const DISPUTED: &str = r#"{"id":"GHSA-7rjr-3q55-vv33","aliases":["CVE-2021-45046"],
"modified":"2022-01-01T00:00:00Z","summary":"Incomplete fix","affected":[{"package":
{"ecosystem":"Maven","name":"org.apache.logging.log4j:log4j-core"},"ranges":[{"type":"ECOSYSTEM",
"events":[{"introduced":"0"},{"fixed":"2.12.2"}]}]}]}"#;

#[test]
fn an_explanation_tells_who_decided_and_who_disagrees() {
    let place = Place::new();
    place.write("osv/ghsa.json", DISPUTED);
    place.expect(0, &["advisories", "update", "--offline", "osv"]);
    let explain = |version: &str, more: &[&str]| {
        let purl = format!("pkg:maven/org.apache.logging.log4j/log4j-core@{version}");
        let arguments = ["advisories", "explain", "CVE-2021-45046", &purl];
        place.run(&[&arguments[..], more].concat())
    };
    expect![[r#"
        CVE-2021-45046  pkg:maven/org.apache.logging.log4j/log4j-core@2.3.1  not affected
          decided by relight CVE-2021-45046 (vendor or assigner): in no interval: >=2.0-beta9,<2.3.1 || >=2.4,<2.12.2 || >=2.13.0,<2.16.0
          sources disagree
          not affected by precedence: a lighter source says affected
            affected  ghsa GHSA-7rjr-3q55-vv33 (reviewed): in >=0,<2.12.2
        --- stderr
        --- status 0
    "#]]
    .assert_eq(&explain("2.3.1", &[]).text());
    expect![[r#"
        CVE-2021-45046  pkg:maven/org.apache.logging.log4j/log4j-core@2.3.1  non touché
          selon relight CVE-2021-45046 (éditeur ou attributeur) : dans aucun intervalle : >=2.0-beta9,<2.3.1 || >=2.4,<2.12.2 || >=2.13.0,<2.16.0
          les sources se contredisent
          non touché par préséance : une source de moindre rang dit touché
            touché  ghsa GHSA-7rjr-3q55-vv33 (relu) : dans >=0,<2.12.2
        --- stderr
        --- status 0
    "#]]
    .assert_eq(&explain("2.3.1", &["--lang", "fr"]).text());
    let said = explain("2.3.1", &["--json"]).json();
    assert_eq!((&said["verdict"], &said["state"]), (&"not-affected".into(), &"clear".into()));
    let flags = ["sources-disagree", "by-precedence"];
    assert_eq!(said["flags"], serde_json::json!(flags));
    let opinions = said["opinions"].as_array().unwrap();
    let ranks: Vec<_> = opinions.iter().map(|it| (&it["rank"], &it["verdict"])).collect();
    let wanted = [(2.into(), "not-affected".into()), (3.into(), "affected".into())];
    assert_eq!(ranks, wanted.iter().map(|(a, b)| (a, b)).collect::<Vec<_>>());
    assert_eq!(opinions[1]["interval"], ">=0,<2.12.2");
    let both = explain("2.12.1", &["--json"]).json();
    assert_eq!((&both["verdict"], &both["flags"]), (&"affected".into(), &serde_json::json!([])));
    let none = explain("", &["--json"]);
    assert_eq!((none.status, &none.json()["why"]), (3, &"version-missing".into()));
}

/// Silence is no opinion: where no record names any package, an explanation says what an answer
/// says, and not "clear".
#[test]
fn a_flaw_of_which_nobody_names_a_package_is_unknown() {
    let place = Place::with_sites();
    place.write("osv/x.json", r#"{"id":"CVE-2099-7","modified":"2099-01-01T00:00:00Z"}"#);
    place.expect(0, &["advisories", "update", "--offline", "osv"]);
    let ask = ["advisories", "explain", "CVE-2099-7", "pkg:maven/a/b@1"];
    let said = place.expect(3, &[&ask[..], &["--json"]].concat()).json();
    let found = ["verdict", "state", "why"].map(|key| said[key].as_str().unwrap());
    assert_eq!(found, ["unknown", "range-unresolved", "no-package"]);
    let answer = place.run(&["affected", "CVE-2099-7"]);
    assert!(answer.stdout.contains("0 clear"), "{}", answer.text());
    let told = place.expect(3, &ask);
    assert!(told.stdout.contains("no record in force names a package"), "{}", told.text());
}

/// Whoever shows records names whose they are: in a search, among what is new, in a proposal.
#[test]
fn what_is_shown_names_its_licence() {
    let place = Place::with_sites();
    place.write("old/log4j.jar", crate::place::log4j("2.14.1"));
    place.expect(0, &["scan", "old", "--site", "san-001"]);
    place.write("osv/ghsa.json", DISPUTED);
    place.expect(0, &["advisories", "update", "--offline", "osv"]);
    let search = ["advisories", "search", "CVE-2021-45046"];
    let commands = [&search[..], &["advisories", "new"], &["incident", "list"]];
    for command in commands {
        let told = place.expect(0, command);
        let is_named = told.stdout.contains("ghsa GHSA-7rjr-3q55-vv33: CC-BY-4.0");
        assert!(is_named, "{}", told.text());
        let json = place.expect(0, &[command, &["--json"]].concat()).json();
        let of = if command[0] == "incident" { &json["proposals"][0] } else { &json };
        let sources = of["sources"].as_array().unwrap();
        let licences: Vec<_> = sources.iter().map(|it| it["licence"].as_str().unwrap()).collect();
        assert!(!licences.is_empty() && !licences.contains(&""), "{json}");
    }
}

#[test]
fn sources_are_counted() {
    expect![[r#"
        relight: 4 records, up to date
          Apache-2.0
        never updated: only the advisories that ship with relight are known
        --- stderr
        --- status 0
    "#]]
    .assert_eq(&Place::new().run(&["advisories", "sources"]).text());
    let (place, _) = updated();
    let sources = place.expect(0, &["advisories", "sources", "--json"]).json();
    let row = |at: usize| {
        let row = &sources["sources"][at];
        (row["name"].clone(), row["records"].clone(), row["state"].clone())
    };
    assert_eq!(row(0), ("relight".into(), 4.into(), "fresh".into()));
    assert_eq!(row(1), ("ghsa".into(), 2.into(), "fresh".into()));
    assert_eq!(sources["sources"][1]["licence"], "CC-BY-4.0");
    assert!(sources["updated"].as_str().unwrap().ends_with('Z'));
}

/// A source that somebody switched off is shown and does not count; its word returns.
#[test]
fn a_source_is_switched_off_and_on() {
    let place = Place::with_sites();
    place.write("good/log4j.jar", log4j("2.17.1"));
    place.expect(0, &["scan", "good", "--site", "san-002"]);
    let text = GOOD
        .replace("npm", "Maven")
        .replace(r#""name":"left-pad""#, r#""name":"org.apache.logging.log4j:log4j-core""#);
    place.write("osv/a.json", text.replace("1.3.0", "3.0.0"));
    place.expect(0, &["advisories", "update", "--offline", "osv"]);
    let affected =
        || place.run(&["affected", "CVE-2099-0001", "--json"]).json()["total"]["affected"].clone();
    assert_eq!(affected(), 1);
    let off = place.expect(0, &["advisories", "sources", "disable", "ghsa", "--json"]).json();
    assert_eq!(off["sources"][1]["state"], "disabled");
    assert!(off["sources"][1]["disabled_since"].is_string());
    assert_eq!(affected(), 0);
    let shown = place.expect(0, &["advisories", "show", "CVE-2099-0001", "--json"]).json();
    let row = &shown["sources"][0];
    assert!(row["source_disabled"].is_string() && row["withdrawn"].is_null(), "{row}");
    let purl = "pkg:maven/org.apache.logging.log4j/log4j-core@2.17.1";
    let why = place.run(&["advisories", "explain", "CVE-2099-0001", purl, "--json"]).json();
    assert_eq!(why["withdrawn"], serde_json::json!([]), "nobody took it back");
    let cpe = ["advisories", "explain", "CVE-2099-0001", "--cpe", "cpe:/a:apache:log4j:2.1"];
    let names = || {
        let explain = ["advisories", "explain", "CVE-2099-0001", purl];
        [&["affected", "CVE-2099-0001"][..], &explain, &cpe].map(|words| {
            place.run(&[words, &["--json"]].concat()).json()["sources_disabled"].clone()
        })
    };
    assert_eq!(names(), [(); 3].map(|()| serde_json::json!(["ghsa"])));
    let sentence = "switched off, so that what they say does not count: ghsa";
    for words in [
        &["affected", "CVE-2099-0001"][..],
        &["advisories", "show", "CVE-2099-0001", "--sources"],
        &["advisories", "explain", "CVE-2099-0001", purl],
        &cpe,
    ] {
        let told = place.run(words).stdout;
        assert!(told.contains(sentence), "{told}");
    }
    // What comes meanwhile is kept, and counts no more than the rest.
    place.expect(0, &["advisories", "import", "osv", "--whole"]);
    assert_eq!(affected(), 0);
    place.expect(0, &["advisories", "sources", "enable", "ghsa"]);
    assert_eq!(affected(), 1);
    assert_eq!(names(), [(); 3].map(|()| serde_json::Value::Null), "left out");
    expect![[r#"
        --- stderr
        error: no source is known by this name: nobody
        hint: relight advisories sources shows them
        --- status 2
    "#]]
    .assert_eq(&place.run(&["advisories", "sources", "disable", "nobody"]).text());
    place.expect(2, &["advisories", "sources", "disable", "own"]);
}

/// Scores are no records; who switched them off sees that they are off all the same.
#[test]
fn scores_that_are_switched_off_are_shown() {
    let place = Place::new();
    place.write(
        "e.csv",
        "#model_version:m,score_date:2025-08-25T00:00:00Z\ncve,epss,percentile\n\
         CVE-2021-44228,0.94,0.99\n",
    );
    place.expect(0, &["advisories", "import", "e.csv"]);
    let off = place.expect(0, &["advisories", "sources", "disable", "epss"]).stdout;
    for line in [
        "epss: 0 records, switched off: what it says does not count\n",
        "  FIRST terms of use · EPSS scores by FIRST.org · https://www.first.org/epss\n",
        "Next: relight advisories sources enable epss\n",
    ] {
        assert!(off.contains(line), "{off}");
    }
    let rows = place.expect(0, &["advisories", "sources", "--json"]).json()["sources"].clone();
    let row = rows.as_array().unwrap().iter().find(|it| it["name"] == "epss").unwrap();
    assert_eq!((&row["state"], &row["records"]), (&"disabled".into(), &0.into()));
    assert!(row["disabled_since"].is_string(), "{row}");
    let on = place.expect(0, &["advisories", "sources", "enable", "epss"]).stdout;
    assert!(!on.contains("epss"), "{on}");
}

/// NVD's record of Log4Shell, cut down: the library, and one product on one platform.
const NVD: &str = r#"{"resultsPerPage":1,"startIndex":0,"totalResults":1,"version":"2.0",
"vulnerabilities":[{"cve":{
"id":"CVE-2021-44228","vulnStatus":"Analyzed","descriptions":[],"configurations":[
{"nodes":[{"operator":"OR","negate":false,"cpeMatch":[{"vulnerable":true,
"criteria":"cpe:2.3:a:apache:log4j:*:*:*:*:*:*:*:*","versionStartIncluding":"2.0.1",
"versionEndExcluding":"2.3.1","matchCriteriaId":"1"}]}]},
{"operator":"AND","nodes":[{"operator":"OR","negate":false,"cpeMatch":[{"vulnerable":true,
"criteria":"cpe:2.3:a:example:console:1.0:*:*:*:*:*:*:*","matchCriteriaId":"2"}]},
{"operator":"OR","negate":false,"cpeMatch":[{"vulnerable":false,
"criteria":"cpe:2.3:o:example:os:-:*:*:*:*:*:*:*","matchCriteriaId":"3"}]}]}]}}]}"#;

/// Goal: CPE names answer on request, from names that a person stated, and clear no package.
#[test]
fn names_that_a_person_states_are_answered_by_cpe() {
    let place = Place::with_sites();
    place.write("nvd.json", NVD);
    place.expect(0, &["advisories", "import", "nvd.json"]);
    let ask = |status, names: &[&str]| {
        let names = names.iter().flat_map(|name| ["--cpe", name]);
        let words: Vec<&str> = ["advisories", "explain", "CVE-2021-44228", "--json"]
            .into_iter()
            .chain(names)
            .collect();
        place.expect(status, &words).json()
    };
    let log4j = |version: &str| format!("cpe:2.3:a:apache:log4j:{version}:*:*:*:*:*:*:*");
    assert_eq!(ask(0, &[&log4j("2.1")])["verdict"], "affected");
    assert_eq!(ask(0, &[&log4j("2.17.1")])["verdict"], "not-affected");
    assert_eq!(ask(3, &[&log4j("*")])["why"], "version-missing");
    let console = "cpe:2.3:a:example:console:1.0:*:*:*:*:*:*:*";
    assert_eq!(ask(3, &[console])["why"], "platform-unseen");
    place.expect(2, &["advisories", "explain", "CVE-2021-44228", "--cpe", "log4j"]);
    place.expect(2, &["advisories", "explain", "CVE-2021-44228"]);
    expect![[r#"
        CVE-2021-44228  cpe:2.3:a:example:console:1.0:*:*:*:*:*:*:*  unknown
          by the CPE name that you stated; packages are not asked
            nvd CVE-2021-44228: unknown, the flaw needs a platform that nobody stated
        --- stderr
        --- status 3
    "#]]
    .assert_eq(&place.run(&["advisories", "explain", "CVE-2021-44228", "--cpe", console]).text());
}

/// Names that people gave to sites answer when they are asked for: they add sites and doubts, and
/// clear nobody whose package is affected.
#[test]
fn sites_are_asked_by_the_cpe_names_that_people_gave_them() {
    let place = Place::with_sites();
    place.write("nvd.json", NVD);
    place.expect(0, &["advisories", "import", "nvd.json"]);
    place.write("old/log4j.jar", log4j("2.14.1"));
    place.write("new/log4j.jar", log4j("2.17.1"));
    place.expect(0, &["scan", "old", "--site", "mun-001"]);
    for site in ["san-001", "san-002"] {
        place.expect(0, &["scan", "new", "--site", site]);
    }
    let verdicts = |more: &[&str]| {
        let words = [&["affected", "CVE-2021-44228", "--json"][..], more].concat();
        let items = place.run(&words).json()["items"].clone();
        let verdict = |it: &serde_json::Value| it["verdict"].as_str().unwrap().to_owned();
        items.as_array().unwrap().iter().map(verdict).collect::<Vec<_>>().join(" ")
    };
    // In the order mun-001, san-001, san-002.
    assert_eq!(verdicts(&["--cpe"]), "affected clear clear");
    place.expect(0, &["sites", "set", "san-001", "cpe=cpe:/a:apache:log4j:2.1"]);
    place.expect(0, &["sites", "set", "san-002", "cpe=cpe:/a:example:console:1.0"]);
    place.expect(0, &["sites", "set", "mun-001", "cpe=cpe:/a:apache:log4j:2.17.1"]);
    assert_eq!(verdicts(&[]), "affected clear clear", "only on request");
    assert_eq!(verdicts(&["--cpe"]), "affected affected unknown");
    let told = place.run(&["affected", "CVE-2021-44228", "--cpe", "--by", "site"]).stdout;
    assert!(told.contains("cpe:2.3:a:apache:log4j:2.1:*:*:*:*:*:*:*"), "{told}");
    // Another product of the site is not named with the one that is affected.
    place.expect(0, &["sites", "set", "san-001", "cpe=cpe:/a:example:other:1.0"]);
    let told = place.run(&["affected", "CVE-2021-44228", "--cpe", "--by", "site"]).stdout;
    assert!(told.contains(":log4j:2.1:") && !told.contains(":other:"), "{told}");
    place.expect(2, &["sites", "set", "san-001", "cpe=log4j"]);
    place.expect(0, &["sites", "set", "san-001", "cpe=none"]);
    assert_eq!(verdicts(&["--cpe"]), "affected clear unknown");
}

/// Goal: nobody has to believe one number. Method: a flaw that three records rate, by vectors of
/// several versions, by one that cannot be read and has a number beside it, and in words.
#[test]
fn every_rating_is_shown_with_its_vector_and_who_gave_it() {
    let place = Place::new();
    let vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
    let ghsa = GOOD.replace(
        r#""affected""#,
        &format!(
            r#""severity":[{{"type":"CVSS_V3","score":"{vector}"}},{{"type":"CVSS_V2",
            "score":"AV:N/AC:L/Au:N/C:C/I:C/A:C"}},{{"type":"Ubuntu","score":"high"}}],"affected""#
        ),
    );
    place.write("osv/a.json", ghsa);
    let metric = r#"{"source":"nvd@nist.gov","cvssData":{"version":"3.1",
        "vectorString":"CVSS:3.1/AV:?","baseScore":7.5}}"#;
    let nvd = r#"{"id":"CVE-2099-0001","sourceIdentifier":"a@b.example","vulnStatus":"Analyzed",
        "published":"2099-01-01T00:00:00.000","lastModified":"2099-01-01T00:00:00.000",
        "descriptions":[],"metrics":{"cvssMetricV31":[METRIC]}}"#;
    let nvd = nvd.replace("METRIC", metric);
    place.write("osv/nvd.json", format!(r#"{{"cve":{nvd}}}"#));
    place.expect(0, &["advisories", "import", "osv"]);
    let shown = place.expect(0, &["advisories", "show", "CVE-2099-0001", "--json"]).json();
    assert_eq!(shown["score"], 9.8);
    let rows: Vec<String> = shown["ratings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| format!("{} {} {} {}", it["by"], it["version"], it["score"], it["stated"]))
        .collect();
    let wanted = [
        r#""ghsa" "2.0" 10.0 null"#,
        r#""ghsa" "3.1" 9.8 null"#,
        r#""Ubuntu" null null null"#,
        r#""nvd@nist.gov" "3" null 7.5"#,
    ];
    assert_eq!(rows, wanted);
    let text = place.expect(0, &["advisories", "show", "CVE-2099-0001"]).stdout;
    for line in [
        "    CVSS 2.0  10.0  AV:N/AC:L/Au:N/C:C/I:C/A:C  (ghsa)\n".to_owned(),
        format!("    CVSS 3.1  9.8  {vector}  (ghsa)\n"),
        "    high  (Ubuntu)\n".to_owned(),
        "    CVSS 3  7.5 as stated  CVSS:3.1/AV:?  (nvd@nist.gov)\n".to_owned(),
    ] {
        assert!(text.contains(&line), "{line} in {text}");
    }
    let french = place.expect(0, &["advisories", "show", "CVE-2099-0001", "--lang", "fr"]).stdout;
    assert!(french.contains("7,5 selon la source"), "{french}");
}
