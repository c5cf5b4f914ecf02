//! `relight edge lint`, `discover`, `test` and `relight drill`.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::Stdio;
use std::time::{Duration, Instant};

use relight_engine::store::{JOURNAL_LEASE, JournalDraft, SiteMark, Store};
use relight_model::GateKey;
use serde_json::json;

use crate::incident::{POLICY, Town};
use crate::place::Place;

const OPEN: &str = "\
worker_shutdown_timeout 30s;
http {
  server { listen 80 default_server; return 421; }
  server {
    listen 80;
    server_name www.san1.example;
    location / { proxy_pass http://127.0.0.1:9001; }
  }
}
";

fn steps(edge: &serde_json::Value) -> Vec<&str> {
    let steps = edge["steps"].as_array().unwrap();
    steps.iter().map(|step| step["step"].as_str().unwrap()).collect()
}

#[test]
fn a_fault_is_named_with_its_file_its_line_and_what_to_do() {
    let place = Place::new();
    place.write("nginx.conf", OPEN);
    let told = place.expect(1, &["edge", "lint", "nginx.conf"]);
    expect_test::expect![[r#"
        0 of 1 site behind the gate, 1 finding
        --- stderr
        error: nginx.conf:4: www.san1.example: serves visitors without the gate
        hint: paste the gate of `relight edge config` into this block
        --- status 1
    "#]]
    .assert_eq(&told.text());
    let document = place.expect(1, &["edge", "lint", "nginx.conf", "--json"]).json();
    assert_eq!(document["findings"][0]["code"], "gate-missing");
    assert_eq!((&document["refuses"], &document["kind"]), (&json!(true), &json!("nginx")));
    place.write("notes.txt", "hello");
    place.expect(2, &["edge", "lint", "notes.txt"]);
    place.expect(1, &["edge", "lint", "notes.txt", "--kind", "caddy"]);
    place.expect(1, &["edge", "lint", "gone.conf"]);
}

#[test]
fn what_was_discovered_can_be_imported() {
    let place = Place::new();
    // The other names are none that a site may have; they cost the row nothing.
    let names = "server_name _ .san1.example dot.san1.example. a_b.example *.x.example \
        www.san1.example OLD.san1.example;";
    let open = OPEN.replace("server_name www.san1.example;", names);
    assert!(open.contains("a_b"), "{open}");
    place.write("nginx.conf", open);
    // A block that leads from one site to another has the name of both.
    let both = "http {\n  server {\n    listen 80;\n    \
        server_name other.example www.san1.example;\n    \
        return 301 https://other.example/;\n  }\n}\n";
    place.write("both.conf", both);
    let files = ["nginx.conf", "both.conf", "--name", "north"];
    let found = place.expect(0, &[&["edge", "discover"][..], &files].concat());
    assert!(found.stderr.contains("2 sites found, 2 without a gate yet"), "{}", found.text());
    let filled = found.stdout.replace(",,,4", ",Ville de X,municipal,4");
    place.write("sites.csv", filled);
    place.expect(0, &["sites", "import", "sites.csv"]);
    let site = place.expect(0, &["sites", "show", "san1.example", "--json"]).json();
    assert!(site.to_string().contains("http://www.san1.example"), "{site}");
    let sites = Store::open(&place.path("data")).unwrap().sites().unwrap();
    let aliases = |host: &str| &sites.iter().find(|site| site.host() == host).unwrap().aliases;
    assert_eq!(aliases("www.san1.example"), &["old.san1.example"]);
    assert!(aliases("other.example").is_empty(), "the name is that of the other site");
}

/// The first site is dark in an incident.
fn town_with_one_dark() -> Town {
    let town = Town::new();
    let place = &town.place;
    place.write("data/policy.toml", POLICY);
    place.expect(0, &["incident", "open", "CVE-2021-44228"]);
    let one = ["--sites", "site:san-001", "--yes"];
    place.expect(0, &[&["incident", "off", "--reason", "Log4Shell"][..], &one].concat());
    town
}

/// Goal: the controller that a drill kills opens nothing of an incident, whoever started it and
/// under whatever epoch. Method: one dark site, and that controller beside it.
#[test]
fn the_controller_of_a_drill_opens_nothing_of_an_incident() {
    let town = town_with_one_dark();
    let place = &town.place;
    assert_eq!(town.status("san1.example"), 503);
    for [term, seq] in [["0", "1"], ["99", "1"]] {
        let told = place.expect(1, &["drill", "--hold", "north", "--term", term, "--seq", seq]);
        assert!(told.stderr.contains("an incident wants san-001 dark"), "{}", told.text());
        assert_eq!(town.status("san1.example"), 503);
    }
    place.expect(2, &["drill", "--hold", "north"]);
}

/// The gate of another edge that still holds the site of an incident was explained by that
/// incident, although nothing asks for it there: it is said, with the edge that serves the site.
#[test]
fn what_another_edge_holds_dark_is_explained_by_no_incident_elsewhere() {
    let town = town_with_one_dark();
    let place = &town.place;
    place.write("old/epoch", "0-1\nsan-001\nsan-002\n");
    place.write("old/gen-0-1/san-001", "");
    place.write("old/gen-0-1/san-002", "");
    std::os::unix::fs::symlink("gen-0-1", place.path("old/current")).unwrap();
    let old = ["edge", "add", "builtin", "--name", "old", "--gate", "old"];
    let list = place.expect(0, &["edge", "list", "--json"]).json();
    let listener = list["edges"][0]["listeners"][0].as_str().unwrap();
    place.expect(0, &[&old[..], &["--listen", listener]].concat());
    let checked = place.run(&["edge", "check", "--json"]).json();
    let places = |name: &str| -> Vec<String> {
        let rows = checked["edges"].as_array().unwrap();
        let row = rows.iter().find(|row| row["name"] == name).unwrap();
        let findings = row["findings"].as_array().unwrap().iter();
        let unasked = findings.filter(|found| found["code"] == "dark-unasked");
        unasked.map(|found| found["place"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(places("old"), ["san-001 (north)", "san-002"], "{checked}");
    assert_eq!(places("north"), [""; 0], "{checked}");
}

/// Goal: a drill closes the canary and what is marked for it, and nothing else. Method: a real
/// edge with three sites, one of them marked; the journal and the lights afterwards.
#[test]
fn a_drill_touches_canaries_and_marked_sites_only() {
    let town = Town::new();
    let place = &town.place;
    place.write("data/policy.toml", POLICY);
    let alone = place.expect(0, &["drill", "--json"]).json();
    assert_eq!(alone["edges"][0]["keys"], json!(["relight-canary"]));
    assert_eq!(steps(&alone["edges"][0]).len(), 13, "{alone}");
    place.expect(0, &["sites", "set", "mun-001", "drill_ok=yes"]);
    let signed = ["drill", "--edges", "north", "--json", "--report", "drill.json"];
    let drilled = place.expect(0, &signed).json();
    let checked = place.expect(0, &["drill", "--check", "drill.json"]);
    let shown: serde_json::Value = serde_json::from_str(&checked.stdout).unwrap();
    assert_eq!((&shown["passed"], &shown["edges"]), (&drilled["passed"], &drilled["edges"]));
    let other = "0".repeat(64);
    let told = place.expect(1, &["drill", "--check", "drill.json", "--key", &other]);
    assert!(told.stderr.contains("another key signed it"), "{}", told.text());
    let text = fs::read_to_string(place.path("drill.json")).unwrap();
    place.write("changed.json", text.replacen("\\\"passed\\\":true", "\\\"passed\\\":false", 1));
    let told = place.expect(1, &["drill", "--check", "changed.json"]);
    assert!(told.stderr.contains("it is not what was signed"), "{}", told.text());
    assert_eq!(drilled["edges"][0]["keys"], json!(["relight-canary", "mun-001"]));
    assert_eq!(drilled["passed"], true, "{drilled}");
    for host in ["san1.example", "san2.example", "mun1.example"] {
        assert_eq!(town.status(host), 200, "{host}");
    }
    place.expect(1, &["drill", "--edges", "nowhere"]);
    place.expect(0, &["audit", "verify"]);
    let export = place.expect(0, &["audit", "export"]).stdout;
    place.write("journal.jsonl", &export);
    let here = place.expect(0, &["audit", "verify", "--json"]).json();
    assert_eq!(place.expect(0, &["audit", "verify", "journal.jsonl", "--json"]).json(), here);
    place.write("journal.jsonl", export.replace("drill-begun", "drill-eaten"));
    let broken = place.expect(1, &["audit", "verify", "journal.jsonl"]);
    assert!(broken.stderr.contains("entry 1 of the journal is not as"), "{}", broken.text());
    place.expect(1, &["audit", "verify", "nowhere.jsonl"]);
    heads(place, &export);
    let store = Store::open(&place.path("data")).unwrap();
    let bodies: Vec<String> = store.journal(1).unwrap().into_iter().map(|it| it.body).collect();
    assert_eq!(bodies.len(), 6, "each begins, shows something and ends");
    assert!(bodies.iter().all(|body| body.contains(r#""drill":true"#)), "{bodies:?}");
    let san = GateKey::new("san-001").unwrap();
    store.set_mark(&san, SiteMark::Protected, true, 0, "test").unwrap();
    drop(store);
    place.expect(1, &["sites", "set", "san-001", "drill_ok=yes"]);
    place.expect(2, &["sites", "set", "san-001", "public=yes"]);
}

/// Goal: a head that was signed finds out a journal that was cut or written anew, here and in an
/// export, and only the right key signs. Method: heads of this journal, beside it and its changes.
fn heads(place: &Place, export: &str) {
    let elsewhere = tempfile::tempdir().unwrap();
    let folder = elsewhere.path().display().to_string();
    let signed = place.expect(0, &["audit", "head", &folder, "--json"]).json();
    let (file, key) = (signed["file"].as_str().unwrap(), signed["key"].as_str().unwrap());
    assert_eq!(signed["entries"], 6);
    // The data folder by other ways: through a link, and round a folder that is not there.
    symlink(place.path("data"), elsewhere.path().join("link")).unwrap();
    let (link, round) = (format!("{folder}/link/heads"), "nowhere/../data/heads");
    for inside in ["data/heads", "data", &link, round] {
        place.expect(2, &["audit", "head", inside]);
    }
    fs::remove_file(elsewhere.path().join("link")).unwrap();
    assert!(!place.path("data/heads").exists() && !place.path("nowhere").exists());
    let told = place.expect(0, &["audit", "verify", "--head", file]);
    assert!(told.stdout.contains("1 signed head agrees"), "{}", told.text());
    let whole = place.path("whole.jsonl").display().to_string();
    place.write("whole.jsonl", export);
    let beside =
        place.expect(0, &["audit", "verify", &whole, "--head", file, "--key", key, "--json"]);
    assert_eq!(beside.json()["heads"], 1);
    // A journal of the same length that is whole by itself, and one that ends before.
    let other = Place::with_sites();
    let named = ["--head", file, "--key", key];
    let cut = other.expect(1, &[&["audit", "verify"][..], &named].concat());
    assert!(cut.stderr.contains("shorter than it was"), "{}", cut.text());
    let store = Store::open(&other.path("data")).unwrap();
    let lease = store.take_lease(JOURNAL_LEASE, "test", 0).unwrap();
    let draft = JournalDraft {
        time: 1,
        actor: "mallory".into(),
        kind: "note".into(),
        incident: String::new(),
        body: "{}".into(),
    };
    store.append(&lease, &vec![draft; 6]).unwrap();
    drop(store);
    let anew = other.expect(1, &[&["audit", "verify", "--json"][..], &named].concat());
    assert_eq!(anew.json()["fault"], json!({"seq": 6, "code": "head-differs"}));
    // A file beside that is no head hides nothing, and by itself it is no entry of the journal.
    other.write("12", "no head");
    let verify = ["audit", "verify", "--head", "12"];
    let both = other.expect(1, &[&verify[..], &named].concat());
    assert!(both.stderr.contains("signed at entry 6: its entry is another"), "{}", both.text());
    let alone = other.run(&[&verify[..], &["--key", key]].concat());
    assert!(alone.stderr.contains("was not compared with 12: the file is"), "{}", alone.text());
    assert!(!alone.stderr.contains("backup"), "nothing was found out: {}", alone.text());
    let alone = other.expect(1, &[&verify[..], &["--key", key, "--json"]].concat());
    assert_eq!(alone.json()["fault"], json!({"seq": 0, "code": "head-unreadable"}));
    // Another key, a changed head, and a head whose key nobody named.
    let stranger = place.run(&["audit", "verify", "--head", file, "--key", &"0".repeat(64)]);
    assert!(stranger.stderr.contains("another key signed it"), "{}", stranger.text());
    other.expect(2, &["audit", "verify", "--head", file]);
    let forged = fs::read_to_string(file).unwrap().replace("\"entries\":6", "\"entries\":5");
    let forged = place.write("forged.json", forged).display().to_string();
    let told = place.expect(1, &["audit", "verify", "--head", &forged]);
    assert!(told.stderr.contains("the signature is of something else"), "{}", told.text());
}

/// Goal: a report is signed with the key that a vault unseals, nothing of it is written down, and
/// what a drill showed is told even where its report has no place. Method: a real edge; a folder of
/// credentials with a key that is known.
#[test]
fn a_report_is_signed_with_the_key_of_the_vault_and_told_before() {
    let town = Town::new();
    let place = &town.place;
    place.write("data/policy.toml", POLICY);
    let vault = tempfile::tempdir().unwrap();
    let sealed = vault.path().join("certificate-key");
    fs::write(&sealed, [7; 32]).unwrap();
    fs::set_permissions(&sealed, fs::Permissions::from_mode(0o400)).unwrap();
    let variable = ("CREDENTIALS_DIRECTORY", vault.path().to_str().unwrap());
    let drilled = place.run_with(&["drill", "--report", "drill.json"], &[variable]);
    assert_eq!(drilled.status, 0, "{}", drilled.text());
    assert!(!place.path("data/certificate-key").exists(), "it was not written down");
    // Ed25519 of a seed of 32 sevens.
    let key = "ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c";
    place.expect(0, &["drill", "--check", "drill.json", "--key", key]);
    let own = place.run_with(&["drill", "--check", "drill.json"], &[variable]);
    assert_eq!(own.status, 0, "{}", own.text());
    let lost = place.run_with(&["drill", "--report", "nowhere/drill.json"], &[variable]);
    assert_eq!(lost.status, 1, "{}", lost.text());
    assert!(lost.stderr.contains("cannot write nowhere/drill.json"), "{}", lost.text());
    assert!(lost.stdout.contains("north: 11 of 13 steps passed"), "{}", lost.text());
}

/// Goal: the controller that a drill kills touches what the drill may touch, and nothing else.
/// Method: it runs as a drill starts it, and the gate is read until all of that was seen closed.
#[test]
fn the_controller_that_a_drill_kills_touches_nothing_else() {
    let town = Town::new();
    let place = &town.place;
    place.write("data/policy.toml", POLICY);
    place.expect(0, &["sites", "set", "mun-001", "drill_ok=yes"]);
    let current = place.path("gate/current");
    let (both, canary) = (["mun-001", "relight-canary"], ["relight-canary"]);
    let epoch = ["--term", "0", "--seq", "1"];
    // The canary first: what a kill left closed is not in the way of those that may close it.
    for (words, allowed) in
        [(&["--canary", "--hold", "north"][..], &canary[..]), (&["--hold", "north"], &both)]
    {
        let mut command = place.command(&[&["drill"], words, &epoch].concat(), &[]);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "north\n", "it says that it has begun");
        let (mut seen, deadline) = (BTreeSet::new(), Instant::now() + Duration::from_secs(60));
        while seen.len() < allowed.len() && Instant::now() < deadline {
            let names = fs::read_dir(&current).into_iter().flatten().flatten();
            seen.extend(names.map(|it| it.file_name().into_string().unwrap()));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(seen.iter().eq(allowed), "{seen:?}");
    }
    place.expect(1, &[&["drill", "--hold", "nowhere"][..], &epoch].concat());
}

/// Bad input: what an edge does not have was never tried, and is not called done.
#[test]
fn an_edge_without_a_path_behind_its_gate_is_not_tried_there() {
    let town = Town::new();
    let place = &town.place;
    let store = Store::open(&place.path("data")).unwrap();
    let mut row = store.edges().unwrap().remove(0);
    let mut target: serde_json::Value = serde_json::from_str(&row.target).unwrap();
    target["verify"] = serde_json::Value::Null;
    row.target = target.to_string();
    store.put_edge(&row, 0, "test").unwrap();
    drop(store);
    let tested = place.expect(0, &["edge", "test", "north", "--json"]).json();
    let of = |step: &str| {
        let steps = tested["edges"][0]["steps"].as_array().unwrap();
        let step = steps.iter().find(|it| it["step"] == step).unwrap();
        [&step["passed"], &step["tried"]].map(|it| it.as_bool().unwrap())
    };
    assert_eq!((of("behind"), of("fence"), of("dark")), ([true, false], [true; 2], [true; 2]));
    let told = place.expect(0, &["edge", "test", "north"]);
    assert!(told.stdout.contains("north: 10 of 13 steps passed"), "{}", told.text());
    assert!(told.stdout.contains("(not tried: "), "{}", told.text());
}

#[test]
fn the_canary_of_an_edge_is_tried_without_anybodys_leave() {
    let town = Town::new();
    let place = &town.place;
    let tested = place.expect(0, &["edge", "test", "north", "--json"]).json();
    assert_eq!(tested["edges"][0]["keys"], json!(["relight-canary"]));
    let french = place.expect(0, &["edge", "test", "north", "--lang", "fr"]);
    assert!(french.stdout.contains("11 étapes réussies sur 13"), "{}", french.text());
    place.write("data/policy.toml", POLICY);
    place.expect(0, &["incident", "open", "CVE-2021-44228"]);
    town.off(&["--yes"]);
    let busy = place.expect(1, &["edge", "test", "north", "--json"]).json();
    assert_eq!(steps(&busy["edges"][0]), ["reach"]);
    assert!(busy.to_string().contains("an incident wants"), "{busy}");
    assert_eq!(town.status("san1.example"), 503, "what is dark stays dark");
}

/// Bad input: an edge that nobody reaches is named, and it is an error.
#[test]
fn an_edge_that_does_not_answer_is_named() {
    let place = Place::with_sites();
    let add = ["edge", "add", "builtin", "--name", "north", "--gate", "gate"];
    place.expect(0, &[&add[..], &["--listen", "127.0.0.1:9"]].concat());
    let checked = place.expect(1, &["edge", "check"]);
    assert!(checked.stderr.contains("north"), "{}", checked.text());
    let tested = place.expect(1, &["edge", "test", "north", "--json"]).json();
    assert_eq!(tested["edges"][0]["steps"][0]["passed"], false);
}

#[test]
fn what_differs_is_repaired() {
    let town = Town::new();
    let place = &town.place;
    place.write("data/policy.toml", POLICY);
    place.expect(0, &["incident", "open", "CVE-2021-44228"]);
    town.off(&["--yes"]);
    let gone = place.path("gate/current/san-001");
    std::fs::remove_file(gone).unwrap();
    assert_eq!(town.status("san1.example"), 200, "somebody opened it by hand");
    place.expect(1, &["edge", "check"]);
    place.expect(0, &["edge", "check", "--repair"]);
    assert_eq!(town.status("san1.example"), 503);
}
