//! What is said of feeds themselves, and what members see together.

use crate::place::Place;

/// Goal: a product that writes otherwise after an update is noticed, in the run that reads it and
/// in what the posture says later.
#[test]
fn a_feed_of_another_format_is_told_and_its_logs_are_not_complete() {
    let place = Place::with_sites();
    let line = |at: u32| {
        let (minute, second) = (at / 60 % 60, at % 60);
        format!(
            "192.0.2.1 - - [10/Nov/2025:02:{minute:02}:{second:02} +0000] \"GET / HTTP/1.1\" 200 1 \
             \"-\" \"x\"\n"
        )
    };
    place.write("old.log", (0..1_200).map(line).collect::<String>());
    place.write("new.log", (0..1_200).map(|at| format!("level=info n={at}\n")).collect::<String>());
    let read = |name: &str| {
        place.expect(0, &["watch", "ingest", name, "--org", "Santé Nord", "--site", "san-001"])
    };
    assert_eq!(read("old.log").stderr, "");
    let told = read("new.log").stderr;
    assert!(told.contains("more than one line in ten is of no known format: 1,200 of 1,200"));
    assert!(told.contains("no longer of the format combined, and most are of none"), "{told}");
    let posture = place.expect(0, &["watch", "posture", "--json"]).json();
    let reading = &posture["sites"][0]["reading"];
    assert_eq!((&reading["unread"], &reading["unrecognised"]), (&1_200.into(), &true.into()));
    assert_eq!(reading["changes"][0]["from"], "combined");
    let told = place.expect(0, &["watch", "posture"]).stdout;
    assert!(told.contains("1,200 of 2,400 lines of the last 28 days are of no known"), "{told}");
}

/// Six members, none of whom can decide alone; the pool can, and names nobody.
#[test]
fn members_see_together_what_none_sees_alone() {
    let key = "0123456789abcdef".repeat(4);
    let mut places = Vec::new();
    let pool = Place::new();
    let quarters = ["Q1", "Q2", "Q3", "Q4"].map(|quarter| {
        (2026..2040).map(|year| format!("{year}-{quarter} {key}\n")).collect::<String>()
    });
    let keys = quarters.concat();
    for number in 0..6 {
        let place = Place::with_sites();
        let line = |door: &str| {
            format!(
                "198.51.100.7 - - [0{}/Nov/2025:10:00:00 +0000] \"GET {door} HTTP/1.1\" 404 9\n",
                number + 1
            )
        };
        let log: String = ["/.env", "/.git/config", "/remote/login"].map(line).concat();
        place.write("a.log", log);
        place.write("keys", &keys);
        place.expect(0, &["watch", "ingest", "a.log", "--org", "Santé Nord", "--site", "san-001"]);
        assert_eq!(
            place.expect(0, &["watch", "campaigns", "--json"]).json()["campaigns"],
            serde_json::json!([])
        );
        let member = format!("member {number}");
        place.expect(0, &["watch", "share", "out", "--key", "keys", "--member", &member]);
        pool.write(&format!("{number}.share"), std::fs::read(place.path("out")).unwrap());
        places.push(place);
    }
    let files: Vec<String> = (0..6).map(|number| format!("{number}.share")).collect();
    let mut arguments = vec!["watch", "pool", "--json"];
    arguments.extend(files.iter().map(String::as_str));
    let told = pool.expect(0, &arguments);
    let document = told.json();
    assert_eq!(
        (&document["members"], document["campaigns"].as_array().unwrap().len()),
        (&6.into(), 1)
    );
    assert_eq!(document["campaigns"][0]["organisations"], 6);
    assert!(!told.stdout.contains("198.51.100"), "{}", told.stdout);
    // Of a campaign at one member nobody is told how many organisations and sites it met.
    let alone = Place::with_sites();
    let payload = "198.51.100.9 - - [01/Nov/2025:10:00:00 +0000] \
                   \"GET /?q=${jndi:ldap://x.test/a} HTTP/1.1\" 200 9 \"-\" \"-\"\n";
    alone.write("a.log", payload);
    alone.write("keys", &keys);
    alone.expect(0, &["watch", "ingest", "a.log", "--org", "Santé Nord", "--site", "san-001"]);
    alone.expect(0, &["watch", "share", "out", "--key", "keys", "--member", "alone"]);
    let told = alone.expect(0, &["watch", "pool", "out", "--json"]).json();
    let campaign = &told["campaigns"][0];
    assert!(campaign["organisations"].is_null() && campaign["sites"].is_null(), "{told}");
    let told = alone.expect(0, &["watch", "pool", "out"]).stdout;
    assert!(told.contains("fewer than 3 organisations, 1 source\n"), "{told}");
    // A member with the key knows which of its own sources that is.
    let member = &places[3];
    for file in &files {
        member.write(file, std::fs::read(pool.path(file)).unwrap());
    }
    let told = member.expect(0, &[&arguments[..], &["--key", "keys"]].concat()).json();
    assert_eq!(told["campaigns"][0]["mine"], serde_json::json!(["198.51.100.7"]));
    member.write("keys", "1999-Q1 00\n");
    let told = member.expect(1, &["watch", "share", "out", "--key", "keys", "--member", "a"]);
    assert!(told.stderr.contains("holds no key of the quarter"), "{}", told.text());
    member.write("bad.share", "something else");
    member.expect(1, &["watch", "pool", "bad.share"]);
}
