//! What the register says to others of a flaw at a site: what it knows, and no more.

use serde_json::Value;

use crate::place::{Place, log4j};

const ID: &str = "CVE-2021-44228";

/// Status, justification and how many components, of the one statement about a site; and the exit
/// status.
fn stated(place: &Place, site: &str) -> (String, Value, usize, Option<i32>) {
    let outcome = place.run(&["advisories", "vex", ID, "--site", site, "--json"]);
    let document = outcome.json();
    let statements = document["statements"].as_array().unwrap();
    assert_eq!(statements.len(), 1, "{document:#}");
    let one = &statements[0];
    let count = one["components"].as_array().unwrap().len();
    let status = one["status"].as_str().unwrap().to_owned();
    (status, one["justification"].clone(), count, Some(outcome.status))
}

/// Goal: a statement says what the register has evidence for, and is never a way to clear anything.
/// Method: a site of each kind; then what was said of the clear one is imported again, from an
/// issuer who is trusted: nobody's answer changes.
#[test]
fn what_is_said_of_a_site_is_what_is_known_of_it_and_clears_nothing() {
    let place = Place::with_sites();
    place.write("bad/app.jar", log4j("2.14.1"));
    place.write("good/app.jar", log4j("2.17.1"));
    place.write("other/index.html", "<p>");
    place.expect(0, &["scan", "bad", "--site", "san-001"]);
    place.expect(0, &["scan", "good", "--site", "san-002"]);
    let of = |status: &str, justification: Value, count, code| {
        (status.to_owned(), justification, count, Some(code))
    };
    assert_eq!(stated(&place, "san-001"), of("affected", Value::Null, 1, 0));
    let other_version = of("not-affected", "vulnerable_code_not_present".into(), 1, 0);
    assert_eq!(stated(&place, "san-002"), other_version);
    assert_eq!(stated(&place, "mun-001"), of("under-investigation", Value::Null, 0, 3));
    place.expect(0, &["scan", "other", "--site", "mun-001"]);
    let absent = of("not-affected", "component_not_present".into(), 0, 0);
    assert_eq!(stated(&place, "mun-001"), absent);

    let answers = || {
        let answer = place.run(&["affected", ID, "--json"]).json();
        answer["items"].as_array().unwrap().iter().map(|it| it["verdict"].clone()).collect()
    };
    let before: Vec<Value> = answers();
    let author = ["--author", "Santé Nord"];
    place.expect(0, &["advisories", "vex", "--trust", "Santé Nord"]);
    for (format, file) in [("openvex", "vex/a.json"), ("cyclonedx", "vex/b.json")] {
        for site in ["san-002", "mun-001"] {
            let words = ["advisories", "vex", ID, "--site", site, "--format", format];
            let text = place.expect(0, &[&words[..], &author[..]].concat()).stdout;
            assert!(text.contains("not_affected") && text.contains(ID), "{text}");
            place.write(file, text);
            place.expect(0, &["advisories", "update", "--offline", "vex"]);
            assert_eq!(answers(), before, "{site} {format}");
        }
    }
    let listed = place.expect(0, &["advisories", "vex", ID, "--json"]).json();
    assert!(!listed["statements"].as_array().unwrap().is_empty(), "they were read: {listed:#}");
}

#[test]
fn it_is_told_to_people_in_their_language() {
    let place = Place::with_sites();
    place.write("bad/app.jar", log4j("2.14.1"));
    place.expect(0, &["scan", "bad", "--site", "san-001"]);
    for (lang, site, code, wanted) in [
        ("en", "san-001", 0, "It was found at this site."),
        ("fr", "san-001", 0, "La faille a été trouvée sur ce site."),
        ("en", "mun-001", 3, "Nobody can tell yet: "),
        ("fr", "mun-001", 3, "Personne ne peut encore le dire\u{a0}: "),
    ] {
        let words = ["advisories", "vex", ID, "--site", site, "--lang", lang];
        let told = place.expect(code, &words).stdout;
        assert!(told.contains(wanted), "{told}");
        let format = ["--format", "openvex"];
        let handed = place.expect(code, &[&words[..], &format[..]].concat()).stdout;
        let document: Value = serde_json::from_str(&handed).unwrap();
        let notes = document["statements"][0]["status_notes"].as_str().unwrap();
        assert!(notes.starts_with(wanted), "{notes}");
        // OpenVEX 0.2.0: what is affected says what to do about it.
        let is_affected = document["statements"][0]["status"] == "affected";
        assert_eq!(document["statements"][0]["action_statement"].is_string(), is_affected);
    }
    let nobody = place.expect(1, &["advisories", "vex", "CVE-1900-1", "--site", "san-001"]);
    assert!(nobody.text().contains("CVE-1900-1"), "{}", nobody.text());
    place.expect(2, &["advisories", "vex", ID, "--format", "openvex"]);
}
