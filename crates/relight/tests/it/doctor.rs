//! `relight doctor`: what would stand in the way, each with the command that mends it.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::Stdio;
use std::sync::Arc;

use relight_engine::incident::Entry;
use relight_engine::store::{AccountChange, PasskeyRow, RawAdvisory, Store};
use relight_engine::{Engine, EngineOptions};
use relight_model::Digest;
use serde_json::Value;

use crate::incident::{POLICY, Town};
use crate::place::Place;

/// The health of what a check found.
fn health<'a>(document: &'a Value, check: &str) -> Vec<&'a str> {
    let checks = document["checks"].as_array().unwrap();
    let of = checks.iter().filter(|it| it["name"] == check);
    of.map(|it| it["health"].as_str().unwrap()).collect()
}

#[test]
fn a_town_that_is_ready_is_told_so_and_one_that_is_not_what_to_do() {
    let town = Town::new();
    let place = &town.place;
    let before = place.expect(0, &["doctor", "--json"]).json();
    assert_eq!(before["schema"], "relight.doctor/1");
    for (check, expected) in [
        ("store", "good"),
        ("journal", "good"),
        ("clock", "good"),
        ("advisories", "warning"),
        ("inventories", "warning"),
        ("edge", "good"),
        ("operator", "warning"),
        ("policy", "warning"),
        ("controller", "good"),
    ] {
        assert_eq!(health(&before, check), [expected], "{check}: {before}");
    }
    place.write("data/policy.toml", POLICY);
    place.expect(0, &["incident", "open", "CVE-2021-44228"]);
    let during = place.expect(0, &["doctor", "--json"]).json();
    assert_eq!(health(&during, "operator"), ["good"]);
    assert_eq!(health(&during, "controller"), ["warning"], "nobody keeps what it wants");
}

/// A key of RSA with 2,048 bits lets its owner in no more: whoever has no other one is named.
#[test]
fn whoever_has_no_passkey_that_counts_is_named() {
    let place = Place::with_sites();
    let store = Store::open(&place.path("data")).unwrap();
    let head = [0xa4, 0x01, 0x03, 0x03, 0x39, 0x01, 0x00, 0x20, 0x59, 0x01, 0x00, 0x80];
    let key = [&head[..], &[1; 255], &[0x21, 0x43, 0x01, 0x00, 0x01]].concat();
    let weak = AccountChange::AddKey(PasskeyRow {
        id: 0,
        account: 0,
        credential: vec![7; 16],
        key,
        name: "Windows Hello".into(),
        signatures: 0,
        created: 1,
        used: 1,
    });
    store.add_account("anna", 1, &[]).unwrap();
    assert!(health(&place.run(&["doctor", "--json"]).json(), "keys").is_empty());
    store.add_account("zoe", 1, &[weak]).unwrap();
    let told = place.run(&["doctor", "--json"]).json();
    assert_eq!(health(&told, "keys"), ["warning"]);
    let checks = told["checks"].as_array().unwrap();
    let found = checks.iter().find(|it| it["name"] == "keys").unwrap();
    let what = "1 person has no passkey that counts, only such as are too weak: zoe";
    assert_eq!(found["what"], what);
    let place_free = ["--listen", "127.0.0.1:0", "--public-listen", "127.0.0.1:0"];
    let mut serving = place.command(&[&["serve"][..], &place_free].concat(), &[]);
    let mut serving = serving.stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(serving.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.contains(what)), "the server told nobody");
    serving.kill().unwrap();
    serving.wait().unwrap();
    place.write("data/policy.toml", "[keys]\nrsa_bits_min = 2048\n");
    place.expect(0, &["policy", "sign", "--key", "policy.key"]);
    assert!(health(&place.run(&["doctor", "--json"]).json(), "keys").is_empty());
}

#[test]
fn a_source_that_is_switched_off_is_told() {
    let place = Place::with_sites();
    let osv = r#"{"id":"GHSA-1-2-3","modified":"2021-12-18T00:00:00Z","affected":[{"package":
        {"ecosystem":"npm","name":"left"},"versions":["1.0.0"]}]}"#;
    place.write("osv/x.json", osv);
    place.expect(0, &["advisories", "update", "--offline", "osv"]);
    for source in ["ghsa", "relight"] {
        place.expect(0, &["advisories", "sources", "disable", source]);
        let told = place.run(&["doctor"]);
        let next = format!("→ relight advisories sources enable {source}");
        let line = told.stdout.lines().find(|line| line.contains(&next));
        assert!(line.is_some_and(|it| it.contains("switched off")), "{}", told.text());
        place.expect(0, &["advisories", "sources", "enable", source]);
        assert!(!place.run(&["doctor"]).stdout.contains("switched off"));
    }
}

#[test]
fn a_kept_record_that_cannot_be_read_is_an_error() {
    let place = Place::with_sites();
    let store = Store::open(&place.path("data")).unwrap();
    let (bytes, revision) = (&b"{\"was\": \"CVE-2021-44228\"}"[..], Digest([1; 32]));
    let raw = RawAdvisory { id: "OLD-1", revision, bytes, recorded_at: 1 };
    store.put_advisories("old", &[raw]).unwrap();
    drop(store);
    let told = place.expect(1, &["doctor"]);
    assert!(told.stdout.contains("cannot be read any more"), "{}", told.text());
    let purl = "pkg:maven/org.apache.logging.log4j/log4j-core@2.17.1";
    let said = place.expect(3, &["advisories", "explain", "CVE-2021-44228", purl, "--json"]).json();
    assert_eq!((&said["verdict"], &said["why"]), (&"unknown".into(), &"unread".into()));
}

#[test]
fn what_would_fail_tonight_is_an_error() {
    let place = Place::with_sites();
    let none = place.expect(1, &["doctor"]);
    assert!(none.stdout.contains("✗ edge: none: no site can be taken dark"), "{}", none.text());
    // An edge that nobody reaches.
    let add = ["edge", "add", "builtin", "--name", "north", "--gate", "gate"];
    place.expect(0, &[&add[..], &["--listen", "127.0.0.1:9"]].concat());
    let silent = place.expect(1, &["doctor", "--lang", "fr"]);
    assert!(silent.stdout.contains("✗ frontal\u{a0}: north, "), "{}", silent.text());
    assert!(silent.stdout.contains("→ relight edge check"), "{}", silent.text());
    place.write("data/policy.toml", "[operators");
    let broken = place.expect(1, &["doctor", "--json"]).json();
    assert_eq!(health(&broken, "operator"), ["warning"]);
    assert_eq!(health(&broken, "policy"), ["bad"]);
}

/// Goal: who upgrades learns that an edge will not start as it did. Method: one kind of edge of
/// ours at an address of this machine, the same and another kind at addresses of all.
#[test]
fn an_edge_that_other_machines_reach_without_tls_is_told() {
    let place = Place::with_sites();
    for (kind, name, address) in [
        ("builtin", "near", "127.0.0.1:9"),
        ("builtin", "far", "0.0.0.0:9"),
        ("nginx_file", "theirs", "0.0.0.0:10"),
    ] {
        let add = ["edge", "add", kind, "--name", name, "--gate", name, "--listen", address];
        place.expect(0, &add);
    }
    let told = place.expect(1, &["doctor"]);
    let lines = told.stdout.lines().filter(|line| line.contains("--unencrypted"));
    assert_eq!(
        lines.collect::<Vec<_>>(),
        ["! edge: far: other machines reach 0.0.0.0:9 without TLS, and it starts with \
          --unencrypted only  → relight edge run --name far --unencrypted"],
        "{}",
        told.text()
    );
}

/// The first moment of 2099, in milliseconds.
fn in_2099() -> i64 {
    4_070_908_800_000
}

#[test]
fn a_clock_behind_the_journal_is_an_error() {
    let place = Place::with_sites();
    let store = Arc::new(Store::open(&place.path("data")).unwrap());
    let holder = "a machine whose clock was ahead".to_owned();
    let options = EngineOptions { holder, clock: in_2099, inventory_ttl_s: 1 };
    let engine = Engine::open(store, options).unwrap();
    let entry = Entry::CanaryTried { edge: "north".into(), passed: true, what: String::new() };
    engine.record("clock", "", entry).unwrap();
    drop(engine);
    let told = place.expect(1, &["doctor", "--json"]).json();
    assert_eq!(health(&told, "clock"), ["bad"]);
    assert_eq!(health(&told, "journal"), ["good"]);
}

#[test]
fn without_a_register_it_says_how_to_begin() {
    let nothing = Place::new().expect(1, &["doctor"]);
    assert!(nothing.stderr.contains("relight sites import"), "{}", nothing.text());
}

/// What is wrong with the files, in the words of the check.
fn files(document: &Value) -> Vec<String> {
    let checks = document["checks"].as_array().unwrap();
    let of = checks.iter().filter(|it| it["name"] == "files");
    of.map(|it| {
        assert_eq!(it["next"], "relight doctor --fix");
        format!("{} {}", it["health"].as_str().unwrap(), it["what"].as_str().unwrap())
    })
    .collect()
}

/// Sets the mode of a file.
fn mode(place: &Place, name: &str, mode: u32) {
    fs::set_permissions(place.path(name), fs::Permissions::from_mode(mode)).unwrap();
}

/// The mode that a file has.
fn mode_of(place: &Place, name: &str) -> u32 {
    fs::metadata(place.path(name)).unwrap().permissions().mode() & 0o777
}

const TOKEN: &str = "user/relight/tokens/http%3A%2F%2Fa";

/// Files that others read, and what runs that died left.
fn neglected() -> Place {
    let place = Place::with_sites();
    place.write(TOKEN, "rlt_a\n");
    place.write(&format!("{TOKEN}%new"), "rl");
    place.write("data/certificate-key", [7; 32]);
    place.write("data/agents.key", [7; 32]);
    place.write("data/fetching/0/1", "half of a docum");
    place.write("elsewhere", "not its own");
    symlink(place.path("elsewhere"), place.path("user/relight/tokens/link")).unwrap();
    for (name, bits) in [
        ("user/relight/tokens", 0o755),
        (TOKEN, 0o644),
        ("data/certificate-key", 0o644),
        ("data/agents.key", 0o660),
        ("data/relight.db", 0o644),
        ("data", 0o777),
        ("elsewhere", 0o644),
    ] {
        mode(&place, name, bits);
    }
    place
}

/// What it mends is its own: files that others read, and what runs that died left.
#[test]
fn what_needs_nobody_is_mended_and_told() {
    let place = neglected();
    let home = place.path("user").display().to_string();
    let doctor = |more: &[&str]| {
        place.run_with(&[&["doctor"][..], more].concat(), &[("XDG_CONFIG_HOME", &home)])
    };
    let found = files(&doctor(&["--json"]).json());
    let folder = "DIR/user/relight/tokens";
    assert_eq!(
        found,
        [
            "bad others may read or change DIR/data".to_owned(),
            "bad others may read or change DIR/data/relight.db".to_owned(),
            "bad others may read or change DIR/data/certificate-key".to_owned(),
            "bad others may read or change DIR/data/agents.key".to_owned(),
            format!("bad others may read or change {folder}"),
            format!("bad others may read or change {folder}/http%3A%2F%2Fa"),
            format!("warning a run that died left {folder}/http%3A%2F%2Fa%new"),
            "warning a run that died left DIR/data/fetching".to_owned(),
        ]
    );
    let shown = doctor(&["--fix", "--dry-run"]);
    let first = "would be mended: DIR/data is closed to others (chmod 755)\n\
                 would be mended: DIR/data/relight.db is closed to others (chmod 640)\n";
    assert!(shown.stdout.starts_with(first), "{}", shown.text());
    let shown = doctor(&["--fix", "--dry-run", "--json"]).json();
    let first = serde_json::json!({
        "path": "DIR/data",
        "act": "close",
        "done": false,
        "what": "DIR/data is closed to others (chmod 755)",
    });
    assert_eq!((&shown["dry_run"], &shown["mended"][0]), (&true.into(), &first));
    assert_eq!(
        (mode_of(&place, TOKEN), mode_of(&place, "data/relight.db")),
        (0o644, 0o644),
        "nothing was done"
    );
    let done = doctor(&["--fix"]);
    assert!(done.stdout.starts_with("mended: DIR/data is closed"), "{}", done.text());
    assert_eq!(done.stdout.matches("mended: ").count(), 8, "{}", done.text());
    assert!(!done.stdout.contains("others may read"), "{}", done.text());
    for (name, bits) in [
        ("user/relight/tokens", 0o700),
        (TOKEN, 0o600),
        // The right of a group to read stays.
        ("data/certificate-key", 0o640),
        ("data/agents.key", 0o640),
        ("data/relight.db", 0o640),
        ("data", 0o755),
        ("elsewhere", 0o644),
    ] {
        assert_eq!(mode_of(&place, name), bits, "{name}");
    }
    assert!(!place.path(&format!("{TOKEN}%new")).exists() && !place.path("data/fetching").exists());
    let again = doctor(&["--fix", "--json"]).json();
    assert_eq!((files(&again).len(), &again["mended"]), (0, &serde_json::json!([])));
    let french = doctor(&["--fix", "--lang", "fr"]).stdout;
    assert!(french.starts_with("rien à réparer sans personne\n"), "{french}");
    // In a folder that nobody else enters the mode of a file says nothing.
    mode(&place, "data", 0o700);
    mode(&place, "data/relight.db", 0o644);
    assert!(files(&doctor(&["--json"]).json()).is_empty());
    assert_eq!(place.run(&["doctor", "--dry-run"]).status, 2);
}

/// What lies behind a link is looked at as far as it is read, and changed nowhere.
#[test]
fn what_is_reached_by_a_link_is_told_and_left_alone() {
    let place = Place::with_sites();
    mode(&place, "data/relight.db", 0o604);
    mode(&place, "data", 0o755);
    let link = place.path("by link").display().to_string();
    symlink(place.path("data"), &link).unwrap();
    let home = place.path("user").display().to_string();
    let doctor = |more: &[&str]| {
        let variables = [("XDG_CONFIG_HOME", &*home), ("RELIGHT_DATA", &*link)];
        place.run_with(&[&["doctor"][..], more].concat(), &variables)
    };
    let linked = doctor(&["--json"]).json();
    assert_eq!(files(&linked), ["bad others may read or change DIR/by link/relight.db"]);
    mode(&place, "data", 0o775);
    let linked = doctor(&["--fix", "--json"]).json();
    let next = linked["checks"][0]["next"].as_str().unwrap();
    assert!(next == "chmod 755 'DIR/by link'" && linked["healthy"] == false, "{linked}");
    assert_eq!((mode_of(&place, "data"), mode_of(&place, "data/relight.db")), (0o775, 0o600));
    // A folder of tokens, with all that lies in it, is where somebody put it.
    for name in ["elsewhere/token", "elsewhere/half%new"] {
        place.write(name, "rl");
        mode(&place, name, 0o644);
    }
    fs::create_dir_all(place.path("user/relight")).unwrap();
    symlink(place.path("elsewhere"), place.path("user/relight/tokens")).unwrap();
    doctor(&["--fix"]);
    assert!(place.path("elsewhere/half%new").exists());
    assert_eq!(mode_of(&place, "elsewhere/token"), 0o644);
}

/// While somebody fetches, what lies there is no leftover.
#[test]
fn what_another_process_is_fetching_is_left_alone() {
    let place = Place::with_sites();
    place.write("data/fetching/0/1", "half of a docum");
    let lock = fs::File::create(place.path("data/fetching.lock")).unwrap();
    lock.lock().unwrap();
    assert!(files(&place.run(&["doctor", "--json"]).json()).is_empty());
    place.run(&["doctor", "--fix"]);
    assert!(place.path("data/fetching/0/1").exists());
    drop(lock);
    place.run(&["doctor", "--fix"]);
    assert!(!place.path("data/fetching").exists());
}

/// Goal: every ✗ names the next command. Method: registers that lack what can be lacking.
#[test]
fn whatever_is_bad_names_the_next_command() {
    let mut bad = 0;
    let mut look = |place: &Place| {
        let told = place.run(&["doctor", "--json"]).json();
        for check in told["checks"].as_array().unwrap().iter().filter(|it| it["health"] == "bad") {
            let next = check["next"].as_str().unwrap();
            assert!(!next.is_empty(), "{check}");
            bad += 1;
        }
    };
    let place = Place::with_sites();
    look(&place);
    place.write("data/policy.toml", "[operators\n");
    look(&place);
    let store = Store::open(&place.path("data")).unwrap();
    let (bytes, revision) = (&b"{\"was\": \"CVE-2021-44228\"}"[..], Digest([1; 32]));
    let raw = RawAdvisory { id: "OLD-1", revision, bytes, recorded_at: 1 };
    store.put_advisories("old", &[raw]).unwrap();
    drop(store);
    look(&place);
    assert!(bad >= 5, "{bad}");
}
