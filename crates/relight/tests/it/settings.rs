//! Configuration files, the environment, forms of output, and the token that is kept for a server.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::place::{Outcome, Place, log4j};

fn value(outcome: &Outcome, key: &str) -> (String, String) {
    let document = outcome.json();
    let keys = document["keys"].as_array().unwrap();
    let row = keys.iter().find(|row| row["key"] == key).unwrap();
    let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
    (text("value"), text("origin"))
}

fn is(value: (String, String)) -> String {
    format!("{} {}", value.0, value.1)
}

/// Goal: defaults < the user's file < that of the folder < variables < options, and each is told
/// with its place. Before, there was no configuration at all.
#[test]
fn the_strongest_place_counts_and_is_told() {
    let place = Place::new();
    let home = place.path("user").display().to_string();
    let own = "lang = \"fr\"\n[scan]\nmemory = 65\nplatform = \"a/b\"\ndepth = 4\n";
    place.write("user/relight/relight.toml", own);
    let here = "[scan]\ndepth = 5\nplatform = \"c/d\"\n[output]\ncolor = \"never\"\n";
    place.write("relight.toml", here);
    let variables = [("XDG_CONFIG_HOME", &*home), ("RELIGHT_SCAN__DEPTH", "6")];
    let show = ["config", "show", "--json"];
    let shown = place.run_with(&show, &variables);
    assert_eq!(shown.status, 0, "{}", shown.text());
    assert_eq!(is(value(&shown, "lang")), "fr file");
    assert_eq!(is(value(&shown, "scan.memory")), "65 file");
    // What is scanned sets no option of a scan that its user set.
    assert_eq!(is(value(&shown, "scan.platform")), "a/b file");
    assert_eq!(is(value(&shown, "output.color")), "never file");
    assert_eq!(is(value(&shown, "scan.depth")), "6 variable");
    assert_eq!(is(value(&shown, "scan.mode")), "deep default");
    assert_eq!(is(value(&shown, "data")), "DIR/data variable");
    let named = [&["--data", "other", "--color", "always"], &show[..]].concat();
    let shown = place.run_with(&named, &variables);
    assert_eq!(is(value(&shown, "data")), "other option");
    assert_eq!(is(value(&shown, "output.color")), "always option");
    let text = place.run_with(&["config", "show", "--origin"], &variables);
    assert!(text.stdout.contains("DIR/user/relight/relight.toml:3"), "{}", text.text());
    assert!(text.stdout.starts_with(" Clé"), "{}", text.text());
    let verbose = place.run_with(&["config", "show", "-vv", "--lang", "en"], &variables);
    assert!(verbose.stderr.contains("scan.memory = 65  (DIR/user/relight/relight.toml:3)"));
    assert!(verbose.stderr.contains("data folder: DIR/data\n"), "{}", verbose.text());
}

/// A value of the configuration does what its option does.
#[test]
fn what_is_set_is_what_the_option_does() {
    let place = Place::new();
    place.write("app/log4j.jar", log4j("2.14.1"));
    assert!(place.run(&["scan", "app"]).stdout.contains("1 component"));
    place.write("own.toml", "[scan]\nexclude = [\"*.jar\"]\n");
    let scanned = place.run(&["--config", "own.toml", "scan", "app"]);
    assert!(scanned.stdout.contains("0 components"), "{}", scanned.text());
    place.write("relight.toml", "[output]\nformat = \"json\"\n");
    assert_eq!(place.run(&["scan", "app"]).json()["schema"], "relight.scan/1");
}

/// A tree that is scanned chooses no server, token, data folder or address; and nothing that is not
/// understood is ignored.
#[test]
fn a_folder_of_a_stranger_sets_only_how_it_is_scanned_and_shown() {
    let place = Place::new();
    for (text, what) in [
        ("data = \"/tmp/x\"\n", "relight.toml:1: “data” may not be set in the folder"),
        ("server = \"https://evil.example\"\n", "relight.toml:1: “server” may not be set"),
        ("\ntoken_file = \"t\"\n", "relight.toml:2: “token_file” may not be set"),
        ("[serve]\nlisten = \"0.0.0.0:1\"\n", "relight.toml:2: “serve.listen” may not be set"),
        ("[scan]\nmemory = 4096\n", "relight.toml:2: “scan.memory” may not be set"),
        ("[scan]\nexclude = [\"*\"]\n", "relight.toml:2: “scan.exclude” may not be set"),
        ("[scan]\nfingerprints = [\"f\"]\n", "relight.toml:2: “scan.fingerprints” may not"),
        ("[scan]\nmod = \"fast\"\n", "relight.toml:2: unknown key “scan.mod”"),
        ("[scan]\nsite = \"san-001\"\n", "relight.toml:2: unknown key “scan.site”"),
        ("[scan\n", "relight.toml:1: this is not TOML"),
    ] {
        place.write("relight.toml", text);
        let told = place.expect(2, &["scan", "."]);
        assert!(told.stderr.starts_with(&format!("error: {what}")), "{text}: {}", told.text());
        assert!(told.stderr.contains("\nhint: ") && told.stdout.is_empty(), "{}", told.text());
        // The way out: help is there, and another file may be named.
        place.expect(0, &["scan", "--help"]);
        place.write("own.toml", "lang = \"fr\"\n");
        place.expect(0, &["--config", "own.toml", "help"]);
    }
}

/// Goal: what is scanned turns off no threshold. Method: the user's own, and another one in the
/// tree, which fails nothing.
#[test]
fn a_folder_of_a_stranger_turns_off_no_threshold() {
    let place = Place::new();
    place.write("app/log4j.jar", log4j("2.14.1"));
    let home = place.path("user").display().to_string();
    place.write("user/relight/relight.toml", "[scan]\nfail_on = \"any\"\n");
    let scan = |variables: &[(&str, &str)]| place.run_with(&["scan", "app"], variables).status;
    let own = [("XDG_CONFIG_HOME", &*home)];
    let (without, with) = (scan(&[]), scan(&own));
    assert_ne!(without, with, "the threshold is reached");
    place.write("relight.toml", "[scan]\nfail_on = \"kev\"\n");
    assert_eq!(scan(&own), with);
}

/// Goal: what a file or a variable says counts for options that need another one. Method: a server
/// from a variable and its token as an option; a listener whose certificate nobody named.
#[test]
fn what_is_set_counts_where_an_option_needs_it() {
    let place = Place::with_sites();
    let off = ["incident", "off", "--sites", "x", "--reason", "x", "--token-file", "t"];
    let told = place.run(&off);
    assert_eq!(told.status, 2);
    assert!(told.stderr.contains("--server"), "{}", told.text());
    let told = place.run_with(&off, &[("RELIGHT_SERVER", "https://127.0.0.1:1")]);
    assert!(!told.stderr.contains("--server <URL>"), "{}", told.text());
    place.write("own.toml", "[serve]\nsyslog_tls = \"127.0.0.1:0\"\n");
    let listen = ["--listen", "127.0.0.1:0", "--public-listen", "127.0.0.1:0"];
    let told = place.run(&[&["--config", "own.toml", "serve"][..], &listen].concat());
    assert_eq!(told.status, 2, "{}", told.text());
    assert!(told.stderr.contains("belong together"), "{}", told.text());
}

/// Goal: a file that somebody left in a folder keeps nobody from an incident. Method: one that is
/// no TOML, and commands that scan and that do not.
#[test]
fn a_faulty_file_of_the_folder_stops_scans_only() {
    let place = Place::with_sites();
    place.write("relight.toml", "[scan\n");
    place.expect(2, &["scan", "."]);
    let told = place.expect(0, &["sites", "list"]);
    assert!(told.stderr.starts_with("warning: relight.toml:1"), "{}", told.text());
    assert!(place.expect(0, &["sites", "list", "-q"]).stderr.starts_with("warning: "));
    assert_eq!(place.expect(0, &["sites", "list", "-qq"]).stderr, "");
    let told = place.expect(2, &["incident", "off", "--sitse", "x"]);
    assert!(told.stderr.contains("--sitse"), "{}", told.text());
    let told = place.run_with(&["sites", "list"], &[("RELIGHT_SCAN__MOD", "fast")]);
    assert_eq!(told.status, 2, "a variable is no stranger's: {}", told.text());
}

/// A locale of no language of ours leaves the choice to the next place, as ever.
#[test]
fn a_locale_of_another_language_refuses_nothing() {
    let place = Place::new();
    for lang in ["C", "es_ES.UTF-8"] {
        let told = place.run_with(&["config", "show"], &[("RELIGHT_LANG", lang)]);
        assert_eq!(told.status, 0, "{lang}: {}", told.text());
    }
}

/// Where data are asked for as rows, there is nothing else among them.
#[test]
fn lists_are_written_as_rows() {
    let place = Place::with_sites();
    let csv = place.expect(0, &["sites", "list", "-o", "csv"]).stdout;
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 4, "{csv}");
    assert!(lines[0].starts_with("slug,name_fr,name_en,origin,"), "{csv}");
    assert!(lines.iter().any(|line| line.starts_with("san-001,Clinique,Clinic,")), "{csv}");
    let table = place.expect(0, &["sites", "list", "-o", "markdown", "--lang", "fr"]).stdout;
    assert!(table.starts_with("| slug | name_fr |"), "{table}");
    assert_eq!(table.lines().count(), 5, "{table}");
    let lines = place.expect(0, &["sites", "list", "-o", "jsonl"]).stdout;
    assert_eq!(lines.lines().count(), 1, "{lines}");
}

/// `-qq` leaves out warnings, never errors and the status.
#[test]
fn silence_keeps_errors_and_the_status() {
    let place = Place::new();
    place.write("app/bad.jar", "no archive");
    let told = place.run(&["scan", "app", "-q"]);
    let silent = place.run(&["scan", "app", "-qq"]);
    assert_eq!(told.status, silent.status);
    let told = place.expect(1, &["incident", "status", "-qq"]);
    assert!(told.stderr.starts_with("error: "), "{}", told.text());
    assert_eq!(place.run(&["status", "-q", "-v"]).status, 2, "loud and quiet at once");
}

#[test]
fn the_overview_says_what_waits_and_what_is_next() {
    let place = Place::new();
    place.expect(1, &["status"]);
    let place = Place::with_sites();
    let told = place.expect(0, &["status"]).stdout;
    assert!(told.contains("DIR/data  3 sites\nno server runs: relight serve\n"), "{told}");
    assert!(told.ends_with("Next: relight doctor\n"), "{told}");
    let french = place.expect(0, &["status", "--lang", "fr"]).stdout;
    assert!(french.contains("3 sites\naucun serveur ne fonctionne\u{a0}: relight serve\n"));
    assert_eq!(place.expect(0, &["status", "--json"]).json()["served"], false);
}

#[test]
fn a_token_that_no_server_knows_is_kept_nowhere() {
    let place = Place::new();
    let home = place.path("user").display().to_string();
    place.write("token", "rlt_x\n");
    let at = ["login", "--server", "http://127.0.0.1:1", "--token-file", "token"];
    let told = place.run_with(&at, &[("XDG_CONFIG_HOME", &*home)]);
    assert_eq!(told.status, 1, "{}", told.text());
    assert!(!place.path("user").exists());
    let insecure = ["login", "--server", "http://relight.example", "--token-file", "token"];
    assert_eq!(place.run_with(&insecure, &[("XDG_CONFIG_HOME", &*home)]).status, 2);
    assert_eq!(place.run(&at).status, 1, "there is no folder to keep it in");
    let out = ["logout", "--server", "http://127.0.0.1:1", "--json"];
    let out = place.run_with(&out, &[("XDG_CONFIG_HOME", &*home)]).json();
    assert_eq!(out["done"], "nothing");
}

/// Only the user reads what is kept.
pub(crate) fn assert_own(path: &std::path::Path) {
    assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    let folder = path.parent().unwrap();
    assert_eq!(fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700);
}
