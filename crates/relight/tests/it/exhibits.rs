//! An advisory of our own about a file: by digest, and by example.

use sha2::{Digest as _, Sha256};

use crate::alike::{class, jar, town, zip};
use crate::place::{Outcome, Place, SITES, log4j};

fn declare(place: &Place, more: &[&str]) -> Outcome {
    place.run(&[&["advisories", "declare", "--reason", "a call"][..], more].concat())
}

fn id_of(outcome: &Outcome) -> String {
    assert_eq!(outcome.status, 0, "{outcome:?}");
    outcome.json()["id"].as_str().unwrap().to_owned()
}

fn total(place: &Place, id: &str) -> String {
    place.run(&["affected", id, "--json"]).json()["total"].to_string()
}

/// Goal: an example is an advisory like any other: dry run, answers, reasons, evidence, incident,
/// proposal, change and end. Method: one site that holds its code under another name, one that was
/// looked into and holds other code, one whose inventory says nothing of archives.
#[test]
fn an_example_is_answered_for_from_the_inventory() {
    let place = town();
    let query = ["--query", "lib.jar", "--cvss", VECTOR, "--json"];
    let dry = declare(&place, &query).json();
    assert_eq!((&dry["published"], &dry["affected"]), (&false.into(), &1.into()), "{dry}");
    let id = id_of(&declare(&place, &[&query[..], &["--yes"]].concat()));
    let answer = place.expect(3, &["affected", &id, "--json"]).json();
    assert_eq!(answer["total"].to_string(), r#"{"affected":1,"clear":1,"unknown":1}"#);
    assert_eq!(answer["reasons"], serde_json::json!({"not-observable": 1}));
    let item = answer["items"].as_array().unwrap().iter().find(|it| it["site"] == "san-001");
    assert_eq!(item.unwrap()["evidence"], serde_json::json!(["app.war!/WEB-INF/lib/fat.jar"]));
    let told = place.expect(3, &["affected", &id, "--by", "site"]).stdout;
    assert!(told.contains("app.war!/WEB-INF/lib/fat.jar"), "{told}");
    let shown = place.expect(0, &["advisories", "show", &id]).stdout;
    assert!(shown.contains("any archive like lib.jar, from 50.0%"), "{shown}");
    // A name does not tell whether it is the file.
    let purl = "pkg:maven/org.example/lib@1";
    let said = place.expect(3, &["advisories", "explain", &id, purl, "--json"]).json();
    assert_eq!((&said["verdict"], &said["why"]), (&"unknown".into(), &"exhibit".into()));
    let said = place.expect(3, &["advisories", "explain", &id, purl, "--lang", "fr"]).stdout;
    assert!(said.contains("inconnu") && said.contains("des fichiers ou des classes"), "{said}");
    // An incident is opened about it, and says what it rests on.
    let proposed = place.expect(0, &["incident", "list", "--json"]).json();
    assert_eq!(proposed["proposals"][0]["advisory"], id.as_str(), "{proposed}");
    place.write("data/policy.toml", "[operators]\nsingle = \"A. Tremblay\"\n");
    place.expect(0, &["incident", "open", &id]);
    // Nothing is left of it where it is retired.
    place.expect(0, &["advisories", "retire", &id, "--reason", "it was not that"]);
    assert_eq!(total(&place, &id), r#"{"affected":0,"clear":0,"unknown":3}"#);
}

/// Goal: a scan of a folder that belongs to no site asks about the files of advisories of one's own
/// too. Method: a digest, an example that was moved into another archive, and a folder without.
#[test]
fn a_scan_without_a_site_is_asked_about_files_too() {
    let place = town();
    let found = |target: &str| {
        let scanned = place.run(&["scan", target, "--json"]);
        let findings = scanned.json()["findings"].clone();
        let line = |it: &serde_json::Value| {
            let word = |key: &str| it[key].as_str().unwrap().to_owned();
            format!("{} {}", word("id"), word("evidence"))
        };
        findings.as_array().unwrap().iter().map(line).collect::<Vec<_>>()
    };
    assert_eq!(found("one"), Vec::<String>::new());
    let id = id_of(&declare(&place, &["--query", "lib.jar", "--json", "--yes"]));
    assert_eq!(found("one"), [format!("{id} app.war!/WEB-INF/lib/fat.jar")]);
    assert_eq!(found("two"), Vec::<String>::new());
    // The first hour reads neither classes nor whole files, and says so.
    let fast = |lang| place.expect(3, &["scan", "one", "--mode", "fast", "--lang", lang]).stderr;
    let (said, dit) = ("that advisories of your own mean", "que visent vos propres avis");
    assert!(fast("en").contains(said) && fast("fr").contains(dit), "{}", fast("en"));
    place.expect(0, &["advisories", "retire", &id, "--reason", "it was not that"]);
    assert_eq!(found("one"), Vec::<String>::new());
    assert!(!fast("en").contains(said));
    let bytes = log4j("2.17.1");
    place.write("files/what.jar", &bytes);
    assert_eq!(found("files"), Vec::<String>::new());
    let hash: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let id = id_of(&declare(&place, &["--hash", &hash, "--cvss", VECTOR, "--json", "--yes"]));
    assert_eq!(found("files"), [format!("{id} what.jar")]);
    assert_eq!(place.run(&["scan", "files", "--fail-on", "critical"]).status, 10);
}

const VECTOR: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H";

/// Goal: a digest finds the file that a scan or a document named, and clears nobody. Method: the
/// file itself, another digest, a changed advisory, and words that are no digest.
#[test]
fn a_digest_finds_and_leaves_the_others_unknown() {
    let place = Place::with_sites();
    let (old, new) = (log4j("2.14.1"), log4j("2.17.1"));
    let hash = |bytes: &[u8]| -> String {
        Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
    };
    place.write("old/lib/a.jar", &old);
    place.write("new/lib/b.jar", &new);
    place.expect(0, &["scan", "old", "--site", "san-001"]);
    place.expect(0, &["scan", "new", "--site", "san-002"]);
    let with = format!("sha256:{}", hash(&old).to_uppercase());
    let words = ["--hash", &with, &hash(b"other"), "--json", "--yes"];
    let id = id_of(&declare(&place, &words));
    let answer = place.expect(3, &["affected", &id, "--json"]).json();
    assert_eq!(answer["total"].to_string(), r#"{"affected":1,"clear":0,"unknown":2}"#);
    assert_eq!(answer["items"][1]["evidence"], serde_json::json!(["lib/a.jar"]), "{answer}");
    // The next revision means another file; the package stays what it was: none.
    let words = ["--amend", &id, "--hash", &hash(&new), "--json", "--yes"];
    let amended = declare(&place, &words).json();
    assert_eq!(amended["joined"], serde_json::json!(["san-002"]));
    assert_eq!(amended["left"], serde_json::json!(["san-001"]));
    // With a package besides, each of them affects.
    let core = "maven:org.apache.logging.log4j:log4j-core";
    let words = ["--amend", &id, "--package", core, "--range", "<2.15", "--json", "--yes"];
    declare(&place, &words);
    assert_eq!(total(&place, &id), r#"{"affected":2,"clear":0,"unknown":1}"#);
    let short = &hash(b"x")[..63];
    for words in [
        &["--hash", short][..],
        &["--hash", "sha1:0"],
        &["--hash", ""],
        &["--package", core],
        &["--range", "<2"],
        &[],
    ] {
        assert_eq!(declare(&place, words).status, 2, "{words:?}");
    }
    let refused = declare(&place, &["--hash", short, "--lang", "fr"]).stderr;
    assert!(refused.contains("ce n’est pas un SHA-256"), "{refused}");
}

/// Sites: the class and the file under a name that is meant, others, a document of others. A third
/// was read in the first hour, a fourth not whole.
fn town_of_questions() -> Place {
    let place = town();
    let rows = "fast-001;Vite;Fast;https://fast.example;Ville de X;municipal;4;north;non\r\n\
                part-001;Partie;Part;https://part.example;Ville de X;municipal;4;north;non\r\n";
    place.write("sites.csv", format!("{SITES}{rows}"));
    place.expect(0, &["sites", "import", "sites.csv"]);
    place.write("fast/lib/log4j-9.jar", jar("org/example/lib", 0..20));
    place.expect(3, &["scan", "fast", "--mode", "fast", "--site", "fast-001"]);
    place.write("part/lib/bad.jar", &jar("org/cut", 0..20)[..900]);
    place.expect(3, &["scan", "part", "--site", "part-001"]);
    place
}

/// Goal: a question about a class or a path is an advisory like any other, from the dry run to its
/// end. Method: real scans: with the class, without it, as a document, in fast mode, not whole.
#[test]
fn a_class_is_answered_for_from_the_inventory() {
    let place = town_of_questions();
    let dry = declare(&place, &["--class", "*C59", "--json"]).json();
    let counts = |it: &serde_json::Value| {
        ["affected", "clear", "unknown"].map(|key| it[key].as_u64().unwrap())
    };
    assert_eq!((counts(&dry), &dry["published"]), ([1, 1, 3], &false.into()), "{dry}");
    let words = ["--class", "shade.*.C59", "--cvss", VECTOR, "--json", "--yes"];
    let id = id_of(&declare(&place, &words));
    let answer = place.expect(3, &["affected", &id, "--json"]).json();
    assert_eq!(answer["total"].to_string(), r#"{"affected":1,"clear":1,"unknown":3}"#);
    let item = |slug: &str| {
        let items = answer["items"].as_array().unwrap().iter();
        items.clone().find(|it| it["site"] == slug).unwrap().clone()
    };
    let found = ["app.war!/WEB-INF/lib/fat.jar!/shade/x/C59"];
    assert_eq!(item("san-001")["evidence"], serde_json::json!(found));
    for slug in ["mun-001", "fast-001", "part-001"] {
        let reasons = item(slug)["reasons"].to_string();
        assert!(reasons.contains("not-observable"), "{slug}: {reasons}");
    }
    let shown = place.expect(0, &["advisories", "show", &id]).stdout;
    assert!(shown.contains("any class whose name ends like shade/*/C59"), "{shown}");
    let montre = place.expect(0, &["advisories", "show", &id, "--lang", "fr"]).stdout;
    assert!(montre.contains("toute classe dont le nom finit comme shade/*/C59"), "{montre}");
    let purl = "pkg:maven/org.example/lib@1";
    let said = place.expect(3, &["advisories", "explain", &id, purl, "--json"]).json();
    assert_eq!((&said["verdict"], &said["why"]), (&"unknown".into(), &"exhibit".into()));
    let proposed = place.expect(0, &["incident", "list", "--json"]).json();
    assert_eq!(proposed["proposals"][0]["advisory"], id.as_str(), "{proposed}");
    // Another class: who joined, and who left.
    let words = ["--amend", &id, "--class", "org/other/C500", "--json", "--yes"];
    let amended = declare(&place, &words).json();
    assert_eq!(amended["joined"], serde_json::json!(["san-002"]));
    assert_eq!(amended["left"], serde_json::json!(["san-001"]));
    // Bound to a CVE the question is asked under its name too.
    place.expect(0, &["advisories", "bind", &id, "CVE-2031-0001"]);
    assert_eq!(total(&place, "CVE-2031-0001"), r#"{"affected":1,"clear":1,"unknown":3}"#);
    place.expect(0, &["advisories", "retire", &id, "--reason", "it was not that"]);
    assert_eq!(total(&place, &id), r#"{"affected":0,"clear":0,"unknown":5}"#);
}

#[test]
fn a_path_finds_and_leaves_the_others_unknown() {
    let place = town_of_questions();
    let query = "has(path:*/fat*.jar) or has(path:lib/log4j-?.jar) or has(path:**/bad.jar)";
    let id = id_of(&declare(&place, &["--query", query, "--json", "--yes"]));
    let answer = place.expect(3, &["affected", &id, "--json"]).json();
    assert_eq!(answer["total"].to_string(), r#"{"affected":3,"clear":0,"unknown":2}"#);
    let evidence = |slug: &str| {
        let items = answer["items"].as_array().unwrap().iter();
        items.clone().find(|it| it["site"] == slug).unwrap()["evidence"].to_string()
    };
    assert_eq!(evidence("san-001"), r#"["app.war!/WEB-INF/lib/fat.jar"]"#);
    // What could not be read has its path all the same.
    assert_eq!(evidence("part-001"), r#"["lib/bad.jar"]"#);
    // The first hour reads no code, and tells of the archives in which it could not.
    assert_eq!(evidence("fast-001"), r#"["lib/log4j-9.jar"]"#);
    let nowhere = declare(&place, &["--query", "has(path:*/log4j-8.jar)", "--json"]).json();
    let counts = ["affected", "clear", "unknown"].map(|key| nowhere[key].as_u64().unwrap());
    assert_eq!(counts, [0, 0, 5]);
    let found = |target: &str| {
        let findings = place.run(&["scan", target, "--json"]).json()["findings"].clone();
        let of_own = findings
            .as_array()
            .unwrap()
            .iter()
            .filter(|it| it["id"].as_str().unwrap().starts_with("RLT-"));
        of_own.map(|it| it["evidence"].to_string()).collect::<Vec<_>>()
    };
    assert_eq!(found("fast"), [r#""lib/log4j-9.jar""#]);
    assert_eq!(found("two"), Vec::<String>::new());
    let id = id_of(&declare(&place, &["--class", "org.other.C501", "--json", "--yes"]));
    assert_eq!(found("two"), [r#""other.jar!/org/other/C501""#]);
    assert_eq!(total(&place, &id), r#"{"affected":1,"clear":1,"unknown":3}"#);
    for words in [
        &["--query", "has(path:**)"][..],
        &["--query", "has(name:a)"],
        &["--query", "has(path:a) and has(path:b)"],
        &["--class", "*"],
    ] {
        let refused = declare(&place, words);
        assert_eq!(refused.status, 2, "{words:?}");
        assert!(refused.stderr.contains("has(path:*/log4j*.jar)"), "{refused:?}");
    }
}

/// Goal: a class finds in every spelling in which people and records give one. Method: a nested
/// class, and records of other hands; what can be no name is refused.
#[test]
fn a_class_is_found_in_every_spelling() {
    let place = town_of_questions();
    let inner = "org/nested/Outer$Inner";
    place.write("nested/a.jar", zip(vec![(format!("{inner}.class"), class(inner, 1))]));
    let deep = "nested/app/WEB-INF/classes/org/deep/Place";
    place.write(&format!("{deep}.class"), class("org/deep/Place", 2));
    place.expect(0, &["scan", "nested", "--site", "mun-001"]);
    let spelled = ["org.nested.Outer.Inner", inner, "Outer.Inner", "Inner", "*inNER"];
    // In a folder of a class path relight says where that is, too.
    for name in spelled.into_iter().chain(["org.deep.Place", deep]) {
        let query = format!("has(class:{name})");
        let dry = declare(&place, &["--query", &query, "--json"]).json();
        assert_eq!(dry["affected"], 1, "{name}: {dry}");
    }
    for (number, name) in (1..).zip(["shade.x.C59", "/shade/x/C59", "shade/x/C59.class"]) {
        let id = format!("RLT-far-2031-000{number}");
        let named = serde_json::json!({ "class_names": [name] });
        let record = format!(r#"{{"id":"{id}","database_specific":{named},"affected":[]}}"#);
        place.write("own.json", record);
        place.expect(0, &["advisories", "import", "own.json"]);
        assert_eq!(total(&place, &id), r#"{"affected":1,"clear":2,"unknown":2}"#, "{name}");
    }
    // The last one is how relight itself names what it found.
    let place_of_it = "nested/a.jar!/shade/x/C59";
    let members = ["org.nested.Outer#close", "org.nested.Outer.close"];
    for class in members.into_iter().chain(["org.nested", "log4j-core", "“*C59”", place_of_it])
    {
        let refused = declare(&place, &["--class", class]);
        assert_eq!(refused.status, 2, "{class}: {refused:?}");
    }
}

/// A pattern is a question of its own beside a package; a class without one is of the package.
#[test]
fn a_class_beside_a_package() {
    let place = town_of_questions();
    let core = ["--package", "maven:org.apache.logging.log4j:log4j-core", "--range", "<2.15"];
    let record = |class: &str| {
        let told = declare(&place, &[&core[..], &["--class", class, "--json"]].concat()).json();
        let of_package = &told["record"]["affected"][0]["database_specific"]["classes"];
        let asked = &told["record"]["database_specific"]["class_names"];
        (of_package.to_string(), asked.to_string(), told["affected"].to_string())
    };
    let words = |a: &str, b: &str, c: &str| (a.to_owned(), b.to_owned(), c.to_owned());
    assert_eq!(record("shade/x/C1"), words(r#"["shade/x/C1"]"#, "null", "0"));
    assert_eq!(record("*/x/C1"), words("null", r#"["*/x/C1"]"#, "1"));
}

#[test]
fn an_example_that_cannot_be_read_whole_is_refused() {
    let place = town();
    place.write("empty.bin", "");
    place.write("cut.jar", &jar("org/cut", 0..20)[..900]);
    for (file, status) in [("empty.bin", 1), ("cut.jar", 1), ("nowhere.jar", 1)] {
        let refused = declare(&place, &["--query", file]);
        assert_eq!(refused.status, status, "{file}: {refused:?}");
        assert!(refused.stdout.is_empty() && refused.stderr.contains(file), "{refused:?}");
    }
    let share = declare(&place, &["--query", "lib.jar", "--min-similarity", "2"]);
    assert_eq!(share.status, 2, "{share:?}");
}

/// Goal: a record of ours that came as a file is refused whole if one of its files cannot be read.
/// Method: each field broken in turn.
#[test]
fn a_broken_exhibit_costs_its_record() {
    let place = Place::with_sites();
    let record = |specific: &str| {
        format!(r#"{{"id":"RLT-far-2026-0001","database_specific":{specific},"affected":[]}}"#)
    };
    let example = |fields: &str| record(&format!(r#"{{"examples":[{{{fields}}}]}}"#));
    for (text, word) in [
        (record(r#"{"hashes":["abc"]}"#), "`abc` in field `hashes` is no SHA-256"),
        (record(r#"{"hashes":[7]}"#), "field `hashes` holds something that is not text"),
        (record(r#"{"hashes":"abc"}"#), "field `hashes`"),
        (record(r#"{"paths":["**"]}"#), "`**` in field `paths` says nothing"),
        (record(r#"{"class_names":[""]}"#), "`` in field `class_names` says nothing"),
        (record(r#"{"class_names":["La/B;"]}"#), "`La/B;` in field `class_names` says nothing"),
        (record(r#"{"class_names":["a..B"]}"#), "`a..B` in field `class_names` says nothing"),
        (record(r#"{"class_names":7}"#), "field `class_names`"),
        (example(r#""name":"a","least":500"#), "holds nothing to compare"),
        (example(r#""name":"a","least":0,"classes":["00000000000000ff"]"#), "field `least`"),
        (example(r#""name":"a","least":1001,"classes":["00000000000000ff"]"#), "field `least`"),
        (example(r#""name":"a","least":500,"classes":["ff"]"#), "no number of 16 digits"),
        (example(r#""name":"a","least":500,"members":["+0000000000000ff"]"#), "no number of 16"),
        (example(r#""least":500,"classes":["00000000000000ff"]"#), "`name`"),
    ] {
        place.write("own.json", &text);
        let told = place.expect(1, &["advisories", "import", "own.json"]);
        assert!(told.stderr.contains(word), "{text}: {}", told.stderr);
    }
    let good = example(r#""name":"a","least":500,"classes":["00000000000000ff"]"#);
    place.write("own.json", good);
    place.expect(0, &["advisories", "import", "own.json"]);
    assert_eq!(total(&place, "RLT-far-2026-0001"), r#"{"affected":0,"clear":0,"unknown":3}"#);
}
