//! Databases of one's own libraries: learnt, listed, verified, and damaged.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use crate::place::{Place, archive, log4j};

#[test]
fn a_database_is_learnt_listed_and_verified() {
    let place = Place::new();
    place.write("jars/log4j-core-2.14.1.jar", log4j("2.14.1"));
    place.write("jars/notes.txt", "no archive");
    let learn = ["fingerprints", "learn", "jars", "--to", "own.fp", "--built", "7", "--json"];
    let learnt = place.expect(0, &learn).json();
    assert_eq!((&learnt["releases"], &learnt["classes"]), (&1.into(), &1.into()));
    let first = fs::read(place.path("own.fp")).unwrap();
    place.expect(0, &learn);
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

/// A class whose code names this text and nothing else.
fn class(text: &str) -> Vec<u8> {
    let mut file = b"\xca\xfe\xba\xbe\0\0\0\x34\0\x0a".to_vec();
    let name = |file: &mut Vec<u8>, name: &str| {
        file.extend([1, 0, name.len() as u8]);
        file.extend(name.as_bytes());
    };
    name(&mut file, "A");
    file.extend(b"\x07\0\x01");
    name(&mut file, "java/lang/Object");
    file.extend(b"\x07\0\x03");
    name(&mut file, "f");
    name(&mut file, "Ljava/lang/String;");
    name(&mut file, "ConstantValue");
    file.extend(b"\x08\0\x09");
    name(&mut file, text);
    // Two fields, and that is the value of the second: a class of one member says nothing.
    file.extend(b"\0\x21\0\x02\0\x04\0\0\0\x02\0\x18\0\x05\0\x06\0\0");
    file.extend(b"\0\x18\0\x05\0\x06\0\x01\0\x07\0\0\0\x02\0\x08\0\0\0\0");
    file
}

/// A library of ten classes, with what says its name or without.
fn library(version: &str, is_named: bool) -> Vec<u8> {
    let classes: Vec<_> = (0..10).map(|number| class(&format!("{version} {number}"))).collect();
    let names: Vec<_> = (0..10).map(|number| format!("own/C{number}.class")).collect();
    let names = names.iter().map(String::as_str);
    let mut files: Vec<_> = names.zip(classes.iter().map(Vec::as_slice)).collect();
    let pom = format!("groupId=g\nartifactId=own\nversion={version}\n");
    if is_named {
        files.push(("META-INF/maven/g/own/pom.properties", pom.as_bytes()));
    }
    archive(&files)
}

/// Goal: no part of a release is learnt as if it were the release, and what was not read is told.
/// Method: a whole library beside one that was cut, and one that is both the only one.
#[test]
fn a_cut_archive_is_told_and_not_learnt() {
    let place = Place::new();
    place.write("jars/own-1.0.jar", library("1.0", true));
    let cut = library("1.1", true);
    place.write("jars/own-1.1.jar", &cut[..cut.len() / 2]);
    place.write("cut/own-1.1.jar", &cut[..cut.len() / 2]);
    let learn = ["fingerprints", "learn", "jars", "--to", "own.fp", "--built", "7"];
    let learnt = place.expect(3, &learn);
    let told = learnt.stderr.lines().filter(|line| line.contains("own-1.1.jar")).count();
    assert!(told > 0 && learnt.stderr.contains("so not learnt: "), "{learnt:?}");
    let json = place.expect(3, &[&learn[..], &["--json"]].concat()).json();
    assert_eq!(json["releases"], 1);
    assert!(json["unread"][0]["path"].as_str().unwrap().starts_with("own-1.1.jar"), "{json}");
    let listed = place.expect(0, &["fingerprints", "list", "own.fp", "--json"]).json();
    assert_eq!(listed["releases"].as_array().unwrap().len(), 1);
    assert_eq!(listed["releases"][0]["purl"], "pkg:maven/g/own@1.0");
    place.expect(1, &["fingerprints", "learn", "cut", "--to", "none.fp"]);
    assert!(!place.path("none.fp").exists());
}

/// Goal: what a folder of advisories brings is used by every scan of the data folder, is verified,
/// and is never replaced by something that is older or broken. Method: a library that nothing but
/// its code names, before and after, and each state of the database.
#[test]
fn a_folder_of_advisories_brings_fingerprints() {
    let place = Place::new();
    place.write("jars/own-1.0.jar", library("1.0", true));
    place.write("www/x.jar", library("1.0", false));
    let found = || {
        let scanned = place.expect(0, &["scan", "www", "--json"]).json();
        let components = scanned["components"].as_array().unwrap();
        components.iter().any(|it| it["purl"].as_str().unwrap().starts_with("pkg:maven/g/own"))
    };
    let learn = |built: &str| {
        let to = ["--to", "feed/more/own.fp", "--built", built];
        place.expect(0, &[&["fingerprints", "learn", "jars"][..], &to].concat());
    };
    let update = |code: i32| {
        let update = ["advisories", "update", "--offline", "feed", "--json"];
        let told = place.expect(code, &update).json();
        told["fingerprints"].clone()
    };
    let states = |told: serde_json::Value| {
        let rows = told.as_array().unwrap().clone();
        rows.iter().map(|it| it["state"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    fs::create_dir_all(place.path("feed/more")).unwrap();
    learn("10");
    assert!(!found());
    let told = update(0);
    assert_eq!((&told[0]["database"], &told[0]["artifacts"]), (&"own.fp".into(), &1.into()));
    assert_eq!(states(told), ["new"]);
    assert!(found());
    assert_eq!(states(update(0)), ["same"]);
    place.write("jars/own-1.1.jar", library("1.1", true));
    learn("9");
    assert_eq!(states(update(0)), ["older"]);
    learn("11");
    assert_eq!(states(update(0)), ["changed"]);
    // One that was damaged on its way is told, and what is kept stays.
    let mut bytes = fs::read(place.path("feed/more/own.fp")).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    place.write("feed/more/own.fp", bytes.clone());
    assert!(states(update(1)).is_empty());
    assert!(found());
    let kept = place.path("data/fingerprints");
    let names: Vec<_> = fs::read_dir(&kept).unwrap().map(|it| it.unwrap().file_name()).collect();
    assert_eq!(names, ["own.fp"]);
    // One that is damaged where it is kept stops scans, which would find less in silence, and is
    // replaced.
    fs::write(kept.join("own.fp"), "relight-fp/1").unwrap();
    let refused = place.expect(1, &["scan", "www"]);
    assert!(refused.stderr.contains("own.fp"), "{refused:?}");
    learn("10");
    assert_eq!(states(update(0)), ["changed"]);
    assert!(found());
}

/// Goal: nothing that is kept gives way to a database that is not said to be newer, and of two that
/// have one name neither is lost in silence. Method: databases without a date and with the same
/// one, and two folders with an `own.fp` each.
#[test]
fn a_database_without_a_date_replaces_none() {
    let place = Place::new();
    place.write("jars/own-1.0.jar", library("1.0", true));
    let learn = |to: &str, built: &[&str]| {
        let learn = ["fingerprints", "learn", "jars", "--to", to];
        place.expect(0, &[&learn[..], built].concat());
    };
    let update = |code: i32| {
        let told = place.expect(code, &["advisories", "update", "--offline", "feed", "--json"]);
        let states = told.json()["fingerprints"].as_array().unwrap().clone();
        let states = states.iter().map(|it| it["state"].as_str().unwrap().to_owned());
        (states.collect::<Vec<_>>().join(" "), told.stderr)
    };
    let kept = || fs::read(place.path("data/fingerprints/own.fp")).unwrap();
    fs::create_dir_all(place.path("feed/a")).unwrap();
    // Without `--built`, it is that of today.
    learn("feed/a/own.fp", &[]);
    assert_eq!(update(0).0, "new");
    let first = kept();
    place.write("jars/own-1.1.jar", library("1.1", true));
    learn("feed/a/own.fp", &["--built", "0"]);
    let (states, told) = update(1);
    assert!(states.is_empty() && told.contains("own.fp") && told.contains("hint: "), "{told}");
    assert_eq!(kept(), first);
    learn("feed/a/own.fp", &["--built", "99999999999"]);
    assert_eq!(update(0).0, "changed");
    let second = kept();
    place.write("jars/own-1.2.jar", library("1.2", true));
    learn("feed/a/own.fp", &["--built", "99999999999"]);
    assert!(update(1).0.is_empty());
    assert_eq!(kept(), second);
    // The same one twice is one; another one of its name is told.
    place.write("feed/a/own.fp", second);
    fs::create_dir_all(place.path("feed/b")).unwrap();
    fs::copy(place.path("feed/a/own.fp"), place.path("feed/b/own.fp")).unwrap();
    assert_eq!(update(0).0, "same same");
    learn("feed/b/own", &["--built", "100000000000"]);
    fs::remove_file(place.path("feed/b/own.fp")).unwrap();
    let (states, told) = update(1);
    assert!(states == "same" && told.contains("own.fp"), "{told}");
}

/// Goal: who may not read the databases is told that less is found, and nobody decides about a site
/// without them. Method: somebody else, where the test is root, and a folder that nobody may read.
#[test]
fn databases_that_may_not_be_read_are_told_and_decide_about_no_site() {
    let place = Place::with_sites();
    place.write("www/x.jar", library("1.0", false));
    place.write("data/fingerprints/own.fp", "relight-fp/1");
    let program = place.path("relight");
    fs::copy(env!("CARGO_BIN_EXE_relight"), &program).unwrap();
    let open = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    for entry in fs::read_dir(place.path("data")).unwrap() {
        open(&entry.unwrap().path(), 0o666);
    }
    for (name, mode) in [("", 0o755), ("data", 0o777), ("data/fingerprints", 0)] {
        open(&place.path(name), mode);
    }
    let scan = |more: &[&str]| {
        #[expect(clippy::disallowed_methods, reason = "the program as somebody else runs it")]
        let mut command = Command::new(&program);
        command.args(["scan", "www"]).args(more).current_dir(place.path(""));
        command.env_clear().env("RELIGHT_DATA", place.path("data"));
        if rustix::process::geteuid().is_root() {
            command.uid(65_534).gid(65_534);
        }
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (status, told) = scan(&["--lang", "en"]);
    assert_eq!(status, Some(0), "{told}");
    assert!(told.contains("may not read the fingerprint databases"), "{told}");
    let (_, told) = scan(&["--lang", "fr"]);
    assert!(told.contains("n’a pas le droit de lire les bases"), "{told}");
    let (status, told) = scan(&["--site", "san-001", "--lang", "en"]);
    assert_eq!(status, Some(1), "{told}");
    assert!(told.contains("may not read the fingerprint databases"), "{told}");
    open(&place.path("data/fingerprints"), 0o755);
}

/// Goal: what every scan uses beside the built-in database is shown, and one can be taken away by
/// somebody who was told what it alone knew. Method: two databases, of which one knows a release
/// that the other one knows as well; then one that is damaged.
#[test]
fn a_database_that_is_kept_is_listed_and_removed() {
    let place = Place::new();
    let learn = |to: &str, built: &str| {
        let learn = ["fingerprints", "learn", "jars", "--to", to, "--built", built];
        place.expect(0, &learn);
    };
    fs::create_dir_all(place.path("feed")).unwrap();
    place.write("jars/own-1.0.jar", library("1.0", true));
    learn("feed/first.fp", "7");
    place.write("jars/own-1.1.jar", library("1.1", true));
    learn("feed/second.fp", "86400");
    let list = || place.expect(0, &["fingerprints", "list", "--json"]).json();
    assert_eq!(list()["installed"], serde_json::json!([]));
    place.expect(0, &["advisories", "update", "--offline", "feed"]);
    let listed = list();
    let row = |at: usize| {
        let row = &listed["installed"][at];
        assert!(
            row["kept"].as_i64().unwrap() > 0 && row["path"].as_str().unwrap().contains("data")
        );
        let content = &row["content"];
        let numbers = ["built", "artifacts", "releases"].map(|it| content[it].as_i64().unwrap());
        (row["database"].as_str().unwrap().to_owned(), numbers)
    };
    assert_eq!(row(0), ("first.fp".to_owned(), [7, 1, 1]));
    assert_eq!(row(1), ("second.fp".to_owned(), [86_400, 1, 2]));
    let told = place.expect(0, &["fingerprints", "list"]).stdout;
    let line = "second.fp: 1 library, 2 releases, made 1970-01-02T00:00:00Z, kept since ";
    assert!(told.contains(line), "{told}");
    let one = place.expect(0, &["fingerprints", "list", "feed/first.fp", "--json"]).json();
    assert!(one.get("installed").is_none());

    place.write("www/x.jar", library("1.1", false));
    let found = || {
        let scanned = place.expect(0, &["scan", "www", "--json"]).json();
        scanned["components"].to_string().contains("pkg:maven/g/own")
    };
    let remove = |code: i32, options: &[&str]| {
        place.expect(code, &[&["fingerprints", "remove"][..], options].concat())
    };
    let removed = |options: &[&str]| remove(0, options).json();
    assert!(found());
    let dry = removed(&["second.fp", "--dry-run", "--json"]);
    assert_eq!((&dry["removed"], &dry["lost"][0]), (&false.into(), &"pkg:maven/g/own@1.1".into()));
    assert!(found());
    let told = remove(0, &["second.fp"]);
    assert!(told.stdout.ends_with("\n- pkg:maven/g/own@1.1\n"), "{told:?}");
    assert!(told.stdout.contains("1 release is known to no other"), "{told:?}");
    assert!(told.stderr.contains("hint: "), "{told:?}");
    assert!(!found());
    // Names are those of the list, and lead nowhere else.
    for name in ["second.fp", "relight", "../feed/first.fp", ""] {
        let refused = remove(1, &[name]);
        assert!(refused.stderr.contains("fingerprints list"), "{refused:?}");
    }
    // One that is damaged stops scans; it is shown, and may go.
    place.write("data/fingerprints/first.fp", "relight-fp/1");
    let refused = place.expect(1, &["scan", "www"]);
    assert!(refused.stderr.contains("fingerprints remove first.fp"), "{refused:?}");
    assert_eq!(list()["installed"][0]["content"], serde_json::Value::Null);
    let told = place.expect(0, &["fingerprints", "list"]);
    assert!(told.stderr.contains("fingerprints remove first.fp"), "{told:?}");
    let gone = removed(&["first.fp", "--json"]);
    assert_eq!((&gone["removed"], &gone["lost"]), (&true.into(), &serde_json::Value::Null));
    assert!(!found() && place.path("feed/first.fp").exists());
}
