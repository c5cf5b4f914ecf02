//! The options of `relight scan`, and what it does to the machine it runs on: nothing.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::symlink;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};

use crate::place::{Place, archive, log4j};

/// Every file and folder below a folder, sorted.
fn everything(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            found.push(path.display().to_string());
            if path.is_dir() && !path.is_symlink() {
                folders.push(path);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn a_target_may_say_what_it_is() {
    let place = Place::new();
    place.write("app/a.jar", log4j("2.14.1"));
    let plain = place.expect(0, &["scan", "app"]).stdout;
    assert_eq!(place.expect(0, &["scan", "dir:app"]).stdout, plain);
    assert_eq!(place.expect(0, &["scan", "file:app/a.jar"]).stdout, plain);
    place.expect(1, &["scan", "file:app"]);
    place.expect(1, &["scan", "dir:app/a.jar"]);
    let document = place.expect(0, &["scan", "dir:app", "--json"]).json();
    assert_eq!(document["target"], "dir:app");
}

#[test]
fn what_is_left_out_makes_the_answer_incomplete() {
    let place = Place::new();
    place.write("app/old/a.jar", log4j("2.14.1"));
    place.write("app/new/a.jar", log4j("2.17.1"));
    let document = place.expect(3, &["scan", "app", "--exclude", "old", "--json"]).json();
    assert_eq!(document["findings"].as_array().unwrap().len(), 0);
    assert_eq!(document["unread"][0]["path"], "old");
    assert_eq!(document["unread"][0]["reason"], "excluded-by-option");
    assert_eq!(document["complete"], false);
}

#[test]
fn links_to_the_outside_are_followed_when_asked_for() {
    let place = Place::new();
    place.write("lib/a.jar", log4j("2.14.1"));
    place.write("app/b.txt", "b");
    symlink("../lib", place.path("app/lib")).unwrap();
    place.expect(3, &["scan", "app", "--fail-on", "low"]);
    let followed = place.expect(10, &["scan", "app", "--follow", "--fail-on", "low"]);
    assert!(followed.stdout.contains("log4j-core 2.14.1  KEV  lib/a.jar"), "{followed:?}");
}

#[test]
fn places_that_were_not_read_go_to_a_file_of_their_own() {
    let place = Place::new();
    let jar = log4j("2.14.1");
    place.write("app/torn.jar", &jar[..jar.len() / 2]);
    place.expect(3, &["scan", "app", "--flaws", "flaws.jsonl"]);
    let bytes = jar.len() / 2;
    let text = fs::read_to_string(place.path("flaws.jsonl")).unwrap();
    let start = format!(
        "{{\"schema\":\"relight.flaws/1\"}}\n\
         {{\"path\":\"torn.jar\",\"reason\":\"truncated\",\"bytes\":{bytes}}}\n"
    );
    assert!(text.starts_with(&start), "{text}");
    // The class in which it was torn does not parse either.
    assert!(text.ends_with("\"reason\":\"class-malformed\",\"bytes\":19}\n"), "{text}");
    place.expect(2, &["scan", "app", "app", "--flaws", "x"]);
    place.expect(1, &["scan", "app", "--flaws", "nowhere/x"]);
}

/// Names of users in paths: in components, gaps, documents, the name of the target, progress.
#[test]
fn parts_of_paths_are_replaced_before_anything_leaves() {
    let place = Place::with_sites();
    let jar = log4j("2.14.1");
    place.write("home/alice/app/a.jar", &jar);
    place.write("home/alice/app/torn.jar", &jar[..jar.len() / 2]);
    let redact = ["--redact-paths", "home/[a-z]+=home/someone"];
    let files = ["--sbom", "out.cdx.json", "--flaws", "out.jsonl", "--progress", "jsonl"];
    let mut arguments = vec!["scan", "home/alice", "--redact-paths", "alice=someone"];
    arguments.extend(files);
    for more in [&[][..], &["--json"], &["--lang", "fr"], &["--site", "san-001"]] {
        arguments.extend(more);
        let outcome = place.run(&arguments);
        assert_eq!(outcome.status, 3, "{outcome:?}");
        assert!(!outcome.text().contains("alice"), "{outcome:?}");
        for file in ["out.cdx.json", "out.jsonl"] {
            assert!(!fs::read_to_string(place.path(file)).unwrap().contains("alice"), "{file}");
        }
    }
    let listed = place.expect(0, &["sites", "show", "san-001", "--json"]);
    assert!(!listed.text().contains("alice"), "{listed:?}");
    let whole = place.run(&["scan", ".", redact[0], redact[1]]);
    assert!(whole.stdout.contains("home/someone/app/a.jar"), "{whole:?}");
    let missing = place.expect(1, &["scan", "home/alice/x", redact[0], redact[1]]);
    assert!(missing.stderr.starts_with("error: cannot read home/someone/x\n"), "{missing:?}");
    let bad = place.expect(2, &["scan", ".", "--redact-paths", "(=x", "--lang", "fr"]);
    assert!(bad.stderr.starts_with("erreur\u{a0}: --redact-paths ne peut pas être"), "{bad:?}");
}

#[test]
fn progress_as_lines_begins_at_once_and_ends_with_the_whole() {
    let place = Place::new();
    place.write("app/a.jar", log4j("2.14.1"));
    let outcome = place.expect(0, &["scan", "app", "--progress", "jsonl"]);
    let lines: Vec<serde_json::Value> =
        outcome.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (first, last) = (&lines[0], &lines[lines.len() - 1]);
    assert_eq!((&first["schema"], &first["done"]), (&"relight.progress/1".into(), &false.into()));
    assert_eq!((&last["files"], &last["files_in_all"]), (&1.into(), &1.into()));
    assert_eq!((&last["archives"], &last["done"]), (&1.into(), &true.into()));
}

/// Goal: Ctrl-C ends a scan at once and leaves nothing behind, neither files nor a half inventory.
/// Method: a scan that would take minutes at the pace it was told; its first line of progress says
/// that it runs; then the signal that a terminal sends.
#[test]
fn an_interrupted_scan_leaves_nothing_behind() {
    let place = Place::with_sites();
    place.write("app/a.jar", log4j("2.17.1"));
    place.expect(0, &["scan", "app", "--site", "san-001"]);
    let before = place.expect(0, &["sites", "show", "san-001", "--json"]).stdout;
    place.write("app/big.bin", vec![1; 300 << 20]);
    let files = everything(&place.path("."));
    let arguments = [
        "scan",
        "app",
        "--max-read",
        "1",
        "--progress",
        "jsonl",
        "--site",
        "san-001",
        "--sbom",
        "out.cdx.json",
        "--flaws",
        "out.jsonl",
    ];
    let mut command = place.command(&arguments, &[]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    assert!(line.contains("\"done\":false"), "{line}");
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    let mut said = String::new();
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    let status = child.wait().unwrap();
    assert_eq!((status.signal(), said.as_str()), (Some(Signal::INT.as_raw()), ""));
    assert_eq!(everything(&place.path(".")), files);
    let after = place.expect(0, &["sites", "show", "san-001", "--json"]).stdout;
    assert_eq!(after, before, "the inventory of before stands");
}

/// Goal: who has less memory says so, and hears what that cost. Method: an archive in an archive
/// that must be held whole, with enough memory and with too little.
#[test]
fn what_needs_more_memory_than_was_given_counts_as_not_read() {
    let place = Place::new();
    let mut state = 1_u32;
    let noise: Vec<u8> = (0..6 << 20)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .collect();
    let inner = archive(&[("noise", &noise)]);
    place.write("app/a.zip", archive(&[("in.zip", &inner)]));
    let whole = place.expect(0, &["scan", "app", "--json"]).json();
    assert_eq!(whole["unread"], serde_json::json!([]));
    let little = place.expect(3, &["scan", "app", "--memory", "8", "--no-cache", "--json"]).json();
    let unread = &little["unread"][0];
    assert_eq!(
        (&unread["path"], &unread["reason"]),
        (&"a.zip!/in.zip".into(), &"limit-memory".into())
    );
    for refused in ["0", "7", "4097", "x"] {
        place.expect(2, &["scan", "app", "--memory", refused]);
    }
}

/// The tree is not ours: its configuration raises no limit (SCAN.md 9 and EXPERIENCE.md 2.4).
#[test]
fn a_configuration_in_the_scanned_tree_changes_nothing() {
    let place = Place::new();
    let zeros = vec![0; 40 << 20];
    place.write("app/bomb.zip", archive(&[("a", &zeros), ("b", &zeros), ("c", &zeros)]));
    let before = place.expect(3, &["scan", "app", "--json"]).json();
    let toml = "[scan]\ndepth = 9999\nexpanded_ratio_max = 1000000\nexclude = [\"*\"]\n";
    place.write("app/relight.toml", toml);
    place.write("app/policy.toml", toml);
    let after = place.expect(3, &["scan", "app", "--json"]).json();
    assert_eq!((&after["unread"], &after["findings"]), (&before["unread"], &before["findings"]));
    // Whoever stands in the tree is told, and nothing is done.
    place.write("relight.toml", "[scan]\nmemory = 4096\n");
    place.expect(2, &["scan", "app", "--json"]);
}

/// Goal (trap T14, goal S12): the first inventory needs neither a network, nor a home, nor any
/// file beside the program. Method: an empty environment and an empty folder for data.
#[test]
fn nothing_is_needed_but_the_program() {
    let place = Place::new();
    place.write("app/a.jar", log4j("2.14.1"));
    let expected = place.expect(0, &["scan", "app"]).stdout;
    // A file where the home should be: nothing can be made below it, by root either.
    let home = place.write("home", "").display().to_string();
    let data = format!("{home}/data");
    for variables in [
        &[("HOME", home.as_str()), ("RELIGHT_DATA", &data)][..],
        &[("HOME", &home), ("XDG_CACHE_HOME", &home)],
        &[("http_proxy", "http://127.0.0.1:9")],
    ] {
        let mut command = place.command(&["scan", "app"], variables);
        if !variables.iter().any(|(name, _)| *name == "RELIGHT_DATA") {
            command.env_remove("RELIGHT_DATA");
        }
        let output = command.output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!((said.as_str(), output.status.code()), (expected.as_str(), Some(0)));
    }
}

/// Goal (S15): the document is the same to the byte, on any number of threads and with the files
/// made in any order. Method: one set of files, whole and torn, written in two orders.
#[test]
fn the_document_is_the_same_to_the_byte() {
    let files: Vec<(String, Vec<u8>)> = (0..60)
        .map(|number| {
            let mut jar = log4j(&format!("2.{}.{}", number % 18, number % 3));
            jar.truncate(if number % 7 == 0 { jar.len() / 2 } else { jar.len() });
            (format!("app/{}/{number}.jar", number % 5), jar)
        })
        .collect();
    let mut documents = Vec::new();
    for order in [1_usize, 59, 23] {
        let place = Place::new();
        for step in 0..files.len() {
            let (name, bytes) = &files[step * order % files.len()];
            place.write(name, bytes);
        }
        for threads in ["1", "2", "8"] {
            let arguments = ["scan", "app", "--json", "--threads", threads];
            documents.push(place.expect(3, &arguments).stdout);
        }
    }
    assert!(documents[0].len() > 10_000);
    assert!(documents.iter().all(|document| *document == documents[0]));
}

/// Fast mode finds what metadata names, and never says that something is absent.
#[test]
fn fast_mode_finds_and_never_clears() {
    let place = Place::with_sites();
    place.write("app/a.jar", log4j("2.14.1"));
    place.write("clean/b.txt", "b");
    let found = place.expect(10, &["scan", "app", "--mode", "fast", "--fail-on", "kev", "--json"]);
    let found = found.json();
    let unread = serde_json::json!([{"path": "", "reason": "classes-not-read", "bytes": 0}]);
    assert_eq!((&found["complete"], &found["unread"]), (&false.into(), &unread));
    let clean = place.expect(3, &["scan", "clean", "--mode", "fast"]);
    assert!(clean.stderr.contains("hint: fast mode finds"), "{clean:?}");
}

/// The first hour of a site: what was found is affected, all else unknown, and nothing that a deep
/// scan knows is lost.
#[test]
fn a_fast_inventory_says_affected_or_unknown_and_never_takes_the_place_of_a_deep_one() {
    let place = Place::with_sites();
    place.write("app/a.jar", log4j("2.14.1"));
    place.write("clean/b.txt", "b");
    let answers = || {
        let asked = ["affected", "CVE-2021-44228", "--sites", "org:\"Santé Nord\"", "--json"];
        let total = place.run(&asked).json()["total"].clone();
        ["affected", "unknown", "clear"].map(|verdict| total[verdict].as_u64().unwrap())
    };
    let fast = ["--mode", "fast", "--site"];
    place.expect(3, &[&["scan", "app"][..], &fast, &["san-001"]].concat());
    place.expect(3, &[&["scan", "clean"][..], &fast, &["san-002"]].concat());
    assert_eq!(answers(), [1, 1, 0]);
    let alike = place.expect(3, &["affected", "--like", "app/a.jar", "--json"]);
    assert!(!alike.stdout.contains("\"clear\": 3"), "{alike:?}");
    // Again, as nothing better is known; then a deep one, which stays.
    place.expect(3, &[&["scan", "clean"][..], &fast, &["san-002"]].concat());
    place.expect(0, &["scan", "clean", "--site", "san-002"]);
    assert_eq!(answers(), [1, 0, 1]);
    let refused = place.expect(2, &[&["scan", "clean"][..], &fast, &["san-002"]].concat());
    assert!(refused.stderr.contains("san-002 has the inventory of a deep scan"), "{refused:?}");
    assert_eq!(answers(), [1, 0, 1]);
}

/// Goal (SCAN.md 11): no secret of a tree reaches anything that leaves the process or stays behind.
/// Method: a marker in every place that holds secrets, as content, as arguments and as environment;
/// then everything that the program said or wrote is searched for it.
#[test]
fn no_secret_of_the_tree_leaves_or_stays() {
    const MARK: &str = "marked-secret-7f3a";
    let place = Place::with_sites();
    let line = format!("password={MARK}\n");
    for name in [
        ".env",
        ".env.production",
        "tls/site.pem",
        "tls/site.key",
        ".ssh/id_rsa",
        ".npmrc",
        ".pypirc",
        ".netrc",
        ".m2/settings.xml",
        "keys.jks",
        "app/.git/config",
        ".aws/credentials",
        ".kube/config",
        "conf/application.properties",
        "torn.jar",
    ] {
        place.write(&format!("tree/{name}"), &line);
    }
    let lock = format!(
        "{{\"packages\":{{\"node_modules/x\":{{\"version\":\"1.0.0\",\
         \"resolved\":\"https://u:{MARK}@npm.example/x.tgz?t={MARK}\"}}}}}}"
    );
    place.write("tree/package-lock.json", lock);
    place.write(
        "tree/requirements.txt",
        format!("--index-url https://u:{MARK}@p.example\nsix==1.16.0\n"),
    );
    let manifest = format!("Manifest-Version: 1.0\nX-Token: {MARK}\nImplementation-Title: a\n");
    let inner =
        archive(&[("META-INF/MANIFEST.MF", manifest.as_bytes()), ("a.env", line.as_bytes())]);
    place.write("tree/a.jar", inner);
    let arguments = [
        "scan",
        "tree",
        "--json",
        "--progress",
        "jsonl",
        "--sbom",
        "out/o.cdx.json",
        "--flaws",
        "out/o.jsonl",
    ];
    fs::create_dir_all(place.path("out")).unwrap();
    for variables in [&[("TOKEN", MARK)][..], &[("RELIGHT_LANG", "fr"), ("PASSWORD", MARK)]] {
        let outcome = place.run_with(&arguments, variables);
        assert!(outcome.stdout.contains("relight.scan/1"), "{outcome:?}");
        assert!(!outcome.text().contains(MARK), "{}", outcome.text());
    }
    place.run(&["scan", "tree", "--site", "san-001"]);
    let mut searched = 0;
    for path in everything(&place.path(".")) {
        if path.contains("/tree") || Path::new(&path).is_dir() {
            continue;
        }
        let bytes = fs::read(&path).unwrap();
        let found = bytes.windows(MARK.len()).any(|window| window == MARK.as_bytes());
        assert!(!found, "{path}");
        searched += 1;
    }
    assert!(searched >= 4, "two documents, the cache and the register: {searched}");
}

/// An image on the command line: what is hidden is shown apart, and each component has its layer.
#[test]
fn an_image_and_what_its_layers_hide() {
    let place = Place::new();
    let layer = |names: &[(&str, &[u8])]| tar(names);
    let below = layer(&[("a.jar", &log4j("2.14.1")), ("b.jar", &log4j("2.17.1"))]);
    let above = layer(&[(".wh.a.jar", b"")]);
    let manifest = br#"[{"Config":"c.json","RepoTags":["x:1"],"Layers":["1.tar","2.tar"]}]"#;
    let image = layer(&[
        ("c.json", b"{}"),
        ("1.tar", &below),
        ("2.tar", &above),
        ("manifest.json", manifest),
    ]);
    place.write("i.tar", image);
    let target = "docker-archive:i.tar";
    let plain = place.expect(0, &["scan", target, "--fail-on", "low", "--json"]).json();
    assert_eq!(plain["components"].as_array().unwrap().len(), 1);
    assert_eq!((&plain["findings"], &plain["hidden"]), (&serde_json::json!([]), &().into()));
    let all = place.expect(0, &["scan", target, "--all-layers", "--json"]).json();
    assert_eq!(all["hidden"][0]["evidence"], "a.jar");
    let french = place.expect(0, &["scan", target, "--all-layers", "--lang", "fr"]);
    assert!(french.stdout.contains("1 composant caché par une couche supérieure"), "{french:?}");
    place.expect(1, &["scan", "oci:i.tar"]);
}

/// A tar archive (ustar) of files.
pub(crate) fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, bytes) in files {
        let mut header = vec![0_u8; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[124..135].copy_from_slice(format!("{:011o}", bytes.len()).as_bytes());
        header[156] = b'0';
        header[257..263].copy_from_slice(b"ustar\0");
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        out.extend(header);
        out.extend(*bytes);
        out.resize(out.len().next_multiple_of(512), 0);
    }
    out.resize(out.len() + 1_024, 0);
    out
}
