//! `relight affected --like`: the same classes and files in other archives, without a rescan.

use std::fs;
use std::ops::Range;

use crate::place::{Place, archive};

/// A class file with one method of its own: `number` tells its code from that of every other one.
pub(crate) fn class(name: &str, number: u16) -> Vec<u8> {
    let mut out = b"\xca\xfe\xba\xbe\0\0\0\x34\0\x08".to_vec();
    let mut text = |text: &str| {
        out.extend([1, 0, u8::try_from(text.len()).unwrap()]);
        out.extend(text.as_bytes());
    };
    ["java/lang/Object", "m", "()I", "Code", name].into_iter().for_each(&mut text);
    out.extend(
        b"\x07\0\x05\x07\0\x01\0\x21\0\x06\0\x07\0\0\0\0\0\x01\0\x01\0\x02\0\x03\0\x01\0\x04",
    );
    let [high, low] = number.to_be_bytes();
    let code = [0x11, high, low, 0x11, high, low, 0x60, 0xac];
    out.extend(20_u32.to_be_bytes());
    out.extend(b"\0\x02\0\x01");
    out.extend(8_u32.to_be_bytes());
    out.extend(code);
    out.extend([0; 6]);
    out
}

/// A jar of classes with these numbers in a package.
pub(crate) fn jar(package: &str, numbers: Range<u16>) -> Vec<u8> {
    let named = |number| {
        let name = format!("{package}/C{number}");
        (format!("{name}.class"), class(&name, number))
    };
    zip(numbers.map(named).collect())
}

pub(crate) fn zip(members: Vec<(String, Vec<u8>)>) -> Vec<u8> {
    let members: Vec<(&str, &[u8])> =
        members.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    archive(&members)
}

/// One site has the library in a fat jar under another package, one has other code, one was
/// imported as a document.
pub(crate) fn town() -> Place {
    let place = Place::with_sites();
    let mut fat: Vec<(String, Vec<u8>)> = (0..60)
        .map(|number| {
            let name = format!("shade/x/C{number}");
            (format!("{name}.class"), class(&name, number))
        })
        .collect();
    fat.push(("LICENSE".into(), b"the same licence everywhere ".repeat(9)));
    place.write("one/app.war", archive(&[("WEB-INF/lib/fat.jar", &zip(fat))]));
    place.write("two/other.jar", jar("org/other", 500..560));
    place.write("lib.jar", jar("org/example/lib", 0..20));
    place.expect(0, &["scan", "one", "--site", "san-001"]);
    place.expect(0, &["scan", "two", "--site", "san-002"]);
    place.expect(0, &["scan", "two", "--sbom", "two.cdx.json"]);
    place.expect(0, &["sbom", "import", "two.cdx.json", "--site", "mun-001"]);
    place
}

#[test]
fn the_same_classes_are_found_moved_and_without_a_rescan() {
    let place = town();
    // Nothing but the inventory is there to answer from.
    fs::remove_dir_all(place.path("one")).unwrap();
    fs::remove_dir_all(place.path("two")).unwrap();
    place.run(&["affected", "--like", "lib.jar"]).matches("alike-en");
    place.run(&["affected", "--like", "lib.jar", "--lang", "fr"]).matches("alike-fr");
    let document = place.expect(3, &["affected", "--like", "lib.jar", "--json"]).json();
    assert_eq!(document["schema"], "relight.alike/1");
    assert_eq!(document["total"], serde_json::json!({"affected": 1, "clear": 1, "unknown": 1}));
    assert_eq!(document["reasons"], serde_json::json!({"not-observable": 1}));
    let example = serde_json::json!(
        {"file": "lib.jar", "compared": "classes", "count": 20, "complete": true}
    );
    assert_eq!(document["examples"][0], example);
    let verdicts: Vec<_> = (0..3).map(|at| document["items"][at]["verdict"].clone()).collect();
    assert_eq!(verdicts, ["unknown", "affected", "clear"]);
    let found = serde_json::json!([{
        "place": "app.war!/WEB-INF/lib/fat.jar", "example": "lib.jar",
        "of_example": 1.0, "of_place": 0.333,
    }]);
    assert_eq!(document["items"][1]["matches"], found);
}

#[test]
fn an_example_may_be_a_class_a_part_or_larger_than_what_it_finds() {
    let place = town();
    let affected = |words: &[&str], status: i32, count: usize| {
        let words: Vec<&str> = ["affected", "--like"].iter().chain(words).copied().collect();
        let document = place.expect(status, &[&words[..], &["--json"]].concat()).json();
        assert_eq!(document["total"]["affected"], count, "{words:?}: {document}");
        document
    };
    place.write("Any.class", class("any/Name", 7));
    affected(&["Any.class"], 3, 1);
    place.write("None.class", class("any/Name", 400));
    affected(&["None.class"], 3, 0);
    // Of 100 classes 40 are there: under the half, unless less is asked for.
    place.write("mixed.jar", jar("org/mixed", 20..120));
    affected(&["mixed.jar"], 3, 1);
    place.write("wide.jar", jar("org/wide", 59..200));
    affected(&["wide.jar"], 3, 0);
    let mut both: Vec<(String, Vec<u8>)> =
        (0..20).map(|n| (format!("a/C{n}.class"), class(&format!("a/C{n}"), n))).collect();
    both.extend((700..900).map(|n| (format!("b/C{n}.class"), class(&format!("b/C{n}"), n))));
    place.write("both.jar", zip(both));
    affected(&["both.jar"], 3, 0);
    affected(&["both.jar", "--min-similarity", "0.05"], 3, 1);
    affected(&["both.jar", "--part", "a/"], 3, 1);
    affected(&["both.jar", "--part", "b/"], 3, 0);
    // The whole archive of a site lies inside the example.
    place.write("huge.jar", jar("org/huge", 0..560));
    affected(&["huge.jar"], 3, 2);
    let document = affected(&["lib.jar", "both.jar", "--sites", "site:mun-001"], 3, 0);
    assert_eq!(document["items"].as_array().unwrap().len(), 1, "{document}");
    affected(&["lib.jar", "--fail", "--sites", "site:san-001"], 10, 1);
    affected(&["lib.jar", "--sites", "site:san-002"], 0, 0);
}

#[test]
fn files_without_code_are_found_in_archives_and_are_never_clear() {
    let place = Place::with_sites();
    let script = b"<?php echo 'the same everywhere'; ".repeat(4);
    let page = b"<html>another file of the same size or so</html>".repeat(3);
    place.write("one/site.zip", archive(&[("www/a.php", &script), ("www/b.html", &page)]));
    place.write("two/a.php", &script);
    place.write("three/c.zip", archive(&[("www/b.html", &page)]));
    for (folder, site) in [("one", "san-001"), ("two", "san-002"), ("three", "mun-001")] {
        place.expect(0, &["scan", folder, "--site", site]);
    }
    place.write("evil.php", &script);
    place.run(&["affected", "--like", "evil.php"]).matches("alike-file");
    place.write("evil.zip", archive(&[("x/evil.php", &script)]));
    let document = place.expect(3, &["affected", "--like", "evil.zip", "--json"]).json();
    assert_eq!(document["total"], serde_json::json!({"affected": 1, "clear": 0, "unknown": 2}));
    assert_eq!(document["examples"][0]["compared"], "members");
    // What is too small or secret is no example.
    place.write("small.php", "<?php");
    place.expect(1, &["affected", "--like", "small.php"]);
    place.write("secret.zip", archive(&[("app/.env", &script)]));
    place.expect(1, &["affected", "--like", "secret.zip"]);
    place.expect(1, &["affected", "--like", "absent.zip"]);
}

#[test]
fn what_could_not_be_read_hides_and_a_new_inventory_replaces_the_old() {
    let place = town();
    let total = |status: i32| {
        let words = ["affected", "--like", "lib.jar", "--sites", "site:san-001", "--json"];
        place.expect(status, &words).json()["total"].to_string()
    };
    assert_eq!(total(0), r#"{"affected":1,"clear":0,"unknown":0}"#);
    place.write("one/app.war", jar("org/other", 500..560));
    place.expect(0, &["scan", "one", "--site", "san-001"]);
    assert_eq!(total(0), r#"{"affected":0,"clear":1,"unknown":0}"#);
    let torn = jar("org/example/lib", 0..20);
    for (eighths, status, expected) in [
        (1, 3, r#"{"affected":0,"clear":0,"unknown":1}"#),
        (4, 0, r#"{"affected":1,"clear":0,"unknown":0}"#),
    ] {
        place.write("one/torn.jar", &torn[..torn.len() * eighths / 8]);
        place.expect(3, &["scan", "one", "--site", "san-001"]);
        assert_eq!(total(status), expected, "{eighths} eighths are left");
    }
    place.expect(0, &["scan", "two", "--sbom", "two.cdx.json"]);
    place.expect(0, &["sbom", "import", "two.cdx.json", "--site", "san-001"]);
    assert_eq!(total(3), r#"{"affected":0,"clear":0,"unknown":1}"#);
}

#[test]
fn paths_are_stored_as_they_were_redacted() {
    let place = town();
    let words = ["scan", "one", "--site", "san-001", "--redact-paths", "WEB-INF/=hidden/"];
    place.expect(0, &words);
    let document = place.expect(3, &["affected", "--like", "lib.jar", "--json"]);
    assert!(!document.stdout.contains("WEB-INF"), "{document:?}");
    assert_eq!(document.json()["items"][1]["matches"][0]["place"], "app.war!/hidden/lib/fat.jar");
}

#[test]
fn what_cannot_be_asked_is_refused() {
    let place = town();
    for words in [
        &["affected"][..],
        &["affected", "CVE-2021-44228", "--like", "lib.jar"],
        &["affected", "CVE-2021-44228", "--part", "x"],
        &["affected", "--like"],
        &["affected", "--like", "lib.jar", "--by", "org"],
        &["affected", "--like", "lib.jar", "--min-similarity", "2"],
    ] {
        place.expect(2, words);
    }
}
