//! Databases of one's own libraries: learnt, listed, verified, and damaged.

use std::fs;

use crate::place::{Place, log4j};

#[test]
fn a_database_is_learnt_listed_and_verified() {
    let place = Place::new();
    place.write("jars/log4j-core-2.14.1.jar", log4j("2.14.1"));
    place.write("jars/notes.txt", "no archive");
    let learnt = place.expect(0, &["fingerprints", "learn", "jars", "--to", "own.fp", "--json"]);
    let learnt = learnt.json();
    assert_eq!((&learnt["releases"], &learnt["classes"]), (&1.into(), &1.into()));
    let first = fs::read(place.path("own.fp")).unwrap();
    place.expect(0, &["fingerprints", "learn", "jars", "--to", "own.fp"]);
    assert_eq!(fs::read(place.path("own.fp")).unwrap(), first, "the same bytes");
    let listed = place.expect(0, &["fingerprints", "list", "own.fp", "--json"]).json();
    let purl = "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1";
    assert_eq!(listed["releases"][0]["purl"], purl);
    assert_eq!(listed["releases"][0]["origin"], "log4j-core-2.14.1.jar");
    let verified = place.expect(0, &["fingerprints", "verify", "own.fp", "--json"]).json();
    assert_eq!((&verified["intact"], &verified["digest"]), (&true.into(), &listed["digest"]));
    place.expect(0, &["fingerprints", "verify"]);
    place.expect(0, &["scan", "jars", "--fingerprints", "own.fp"]);
}

#[test]
fn what_is_no_database_or_a_damaged_one_is_refused() {
    let place = Place::new();
    place.write("jars/log4j-core-2.14.1.jar", log4j("2.14.1"));
    place.expect(0, &["fingerprints", "learn", "jars", "--to", "own.fp"]);
    let mut bytes = fs::read(place.path("own.fp")).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    place.write("own.fp", bytes);
    place.write("text.fp", "relight-fp/1");
    for file in ["own.fp", "text.fp", "absent.fp"] {
        let refused = place.expect(1, &["fingerprints", "verify", file]);
        assert!(refused.stderr.contains("hint: "), "{refused:?}");
    }
    place.expect(1, &["scan", "jars", "--fingerprints", "text.fp"]);
    place.write("empty/notes.txt", "no archive");
    place.expect(1, &["fingerprints", "learn", "empty", "--to", "none.fp"]);
    place.expect(1, &["fingerprints", "learn", "absent", "--to", "none.fp"]);
    assert!(!place.path("none.fp").exists());
}
