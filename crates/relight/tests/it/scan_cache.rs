//! The cache of scans: where it is, who uses it, and that it changes nothing but the time.

use std::fs;

use crate::place::{Place, archive, log4j};

const KNOWN: &str = "2 files were not read again";

fn place() -> Place {
    let place = Place::new();
    place.write("app/a.jar", log4j("2.14.1"));
    place.write("app/b.war", archive(&[("WEB-INF/lib/log4j-core-2.17.1.jar", &log4j("2.17.1"))]));
    place
}

#[test]
fn the_second_answer_is_the_first_and_says_that_it_was_known() {
    let place = place();
    let scan = ["scan", "app", "--json"];
    let first = place.expect(0, &scan);
    let second = place.expect(0, &scan);
    assert_eq!((&first.stdout, first.stderr.as_str()), (&second.stdout, ""));
    assert!(second.stderr.starts_with(KNOWN), "{second:?}");
    let again = place.expect(0, &["scan", "app", "--json", "--no-cache"]);
    assert_eq!((&again.stdout, again.stderr.as_str()), (&first.stdout, ""));
    let lines = place.expect(0, &["scan", "app", "--progress", "jsonl", "--quiet"]);
    let last: serde_json::Value =
        serde_json::from_str(lines.stderr.lines().last().unwrap()).unwrap();
    assert_eq!((&last["known"], &last["bytes_read"]), (&2.into(), &first.json()["bytes_read"]));
}

/// Evidence stands on bytes: an inventory for a site, a document, and the check of a fix.
#[test]
fn evidence_is_never_taken_from_a_cache() {
    let place = Place::with_sites();
    place.write("app/a.jar", log4j("2.17.1"));
    place.expect(0, &["scan", "app"]);
    for arguments in [&["scan", "app", "--site", "san-001"][..], &["sbom", "create", "app"]] {
        let outcome = place.expect(0, arguments);
        assert!(!outcome.stderr.contains("not read again"), "{outcome:?}");
    }
}

/// A cached answer of before must not outlive a change of the file, whatever its date says.
#[test]
fn a_file_with_an_old_date_is_read_all_the_same() {
    let place = place();
    place.expect(0, &["scan", "app"]);
    let path = place.path("app/a.jar");
    let date = fs::metadata(&path).unwrap().modified().unwrap();
    let (old, new) = (log4j("2.14.1"), log4j("2.17.1"));
    assert_eq!(old.len(), new.len());
    fs::write(&path, new).unwrap();
    fs::File::options().append(true).open(&path).unwrap().set_modified(date).unwrap();
    let outcome = place.expect(0, &["scan", "app", "--fail-on", "low"]);
    assert!(!outcome.stdout.contains("2.14.1"), "{outcome:?}");
}

#[test]
fn a_damaged_cache_costs_time_and_is_said() {
    let place = place();
    let first = place.expect(0, &["scan", "app"]).stdout;
    let path = place.path("data/cache/scan.cache");
    let mut bytes = fs::read(&path).unwrap();
    for byte in &mut bytes[60..] {
        *byte ^= 0x55;
    }
    fs::write(&path, bytes).unwrap();
    let outcome = place.expect(0, &["scan", "app"]);
    assert_eq!(outcome.stdout, first);
    let said = place.expect(0, &["scan", "app"]).stderr;
    fs::write(&path, "not a cache").unwrap();
    let french = place.expect(0, &["scan", "app", "--lang", "fr"]);
    assert!(french.stderr.contains("le cache était endommagé"), "{french:?}");
    assert!(said.starts_with(KNOWN), "thrown away, and filled again: {said}");
    assert!(place.expect(0, &["scan", "app"]).stderr.starts_with(KNOWN));
}

#[test]
fn the_cache_is_in_the_folder_that_is_meant_for_it() {
    let place = place();
    let (home, xdg) = (place.path("home"), place.path("xdg"));
    fs::create_dir_all(&home).unwrap();
    let (home, xdg) = (home.display().to_string(), xdg.display().to_string());
    let run = |variables: &[(&str, &str)]| {
        let mut command = place.command(&["scan", "app"], variables);
        assert!(command.env_remove("RELIGHT_DATA").output().unwrap().status.success());
    };
    run(&[("HOME", &home)]);
    assert!(place.path("home/.cache/relight/scan.cache").exists());
    run(&[("HOME", &home), ("XDG_CACHE_HOME", &xdg)]);
    assert!(place.path("xdg/relight/scan.cache").exists());
    assert!(!place.path("data").exists());
    place.write("blocked/cache", "a file where a folder should be");
    let blocked = place.path("blocked").display().to_string();
    let outcome = place.run_with(&["scan", "app"], &[("RELIGHT_DATA", &blocked)]);
    assert_eq!(outcome.status, 0);
    assert!(outcome.stderr.contains("the cache could not be written"), "{outcome:?}");
}
