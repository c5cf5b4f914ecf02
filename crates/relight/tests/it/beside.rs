//! What a province does with its edges whatever its size, and beside a server that runs.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use relight_engine::access::{Grant, Role, Scope};
use relight_engine::incident::Entry;
use relight_engine::plan::{Action, PlanAsk};
use relight_engine::policy::{Means, Person, Policy};
use relight_engine::store::Store;
use relight_engine::{Engine, EngineOptions, INVENTORY_TTL_S};
use relight_model::{Digest, GateKey};
use relight_server::clock::now_ms;
use serde_json::{Value, json};

use crate::incident::{POLICY, Town};
use crate::place::{Place, log4j};
use crate::serve::Server;

/// How long a server may take to bring a site back.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// Makes a register too large for one operator.
fn grow(place: &Place) {
    let head = "slug;origin;organisation;sector;criticality;edge\n";
    let row = |at: usize| format!("far-{at:03};https://far{at}.example;Office {at};energy;3;\n");
    let rows: String = (0..12).map(row).collect();
    place.write("far.csv", format!("{head}{rows}"));
    place.expect(0, &["sites", "import", "far.csv"]);
}

/// What the journal says of drills.
fn drilled(place: &Place) -> Vec<Value> {
    let log = place.expect(0, &["audit", "export"]).stdout;
    let rows = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    rows.filter(|row| row["kind"] == "drilled").collect()
}

/// Goal: a province rehearses: its drill can touch nothing that visitors need. Method: a register
/// above the limit of one operator, without any policy; then beside a server, which goes on.
#[test]
fn a_drill_asks_for_nobodys_leave_in_a_register_of_any_size_and_beside_a_server() {
    let town = Town::new();
    let place = &town.place;
    grow(place);
    place.expect(0, &["sites", "set", "mun-001", "drill_ok=yes"]);
    let alone = place.expect(0, &["drill", "--json"]).json();
    assert_eq!(alone["edges"][0]["keys"], json!(["relight-canary", "mun-001"]), "{alone}");
    assert_eq!(drilled(place).len(), 1);
    let (server, _) = Server::start(place);
    let beside = place.expect(0, &["drill", "--edges", "north", "--json"]).json();
    assert_eq!(beside["passed"], true, "{beside}");
    let deadline = Instant::now() + WAIT_MAX;
    while drilled(place).len() < 2 && Instant::now() < deadline {
        // The server takes what the drill left behind, in its own time.
        thread::park_timeout(Duration::from_millis(50));
    }
    let rows = drilled(place);
    assert_eq!(rows.len(), 2, "the server took it: {rows:?}");
    let last = &rows[1];
    assert_eq!((&last["actor"], &last["incident"]), (&json!("relight drill"), &json!("")));
    let entry: Value = serde_json::from_str(last["body"].as_str().unwrap()).unwrap();
    assert_eq!((&entry["edge"], &entry["passed"]), (&json!("north"), &json!(true)));
    assert_eq!(server.terminate(), Some(0), "it was not ended");
    assert_eq!(place.expect(0, &["audit", "verify", "--json"]).json()["intact"], true);
}

/// Goal: what one person sets about advisories on the command line is in the journal that everybody
/// reads. Method: each such act beside a server that runs.
#[test]
fn what_is_set_about_advisories_beside_a_server_is_journalled() {
    let town = Town::new();
    let place = &town.place;
    let (server, _) = Server::start(place);
    let told = place.expect(
        0,
        &["advisories", "declare", "--class", "*Lookup", "--reason", "a call", "--yes", "--json"],
    );
    let id = told.json()["id"].as_str().unwrap().to_owned();
    place.expect(0, &["advisories", "retire", &id, "--reason", "it was not that"]);
    place.expect(0, &["advisories", "vex", "--trust", "https://vendor.example"]);
    place.write("ghsa.json", r#"{"id":"GHSA-aaaa-bbbb-cccc","affected":[]}"#);
    place.expect(0, &["advisories", "import", "ghsa.json"]);
    place.expect(0, &["advisories", "sources", "disable", "ghsa"]);
    let set = || {
        let log = place.expect(0, &["audit", "export"]).stdout;
        let rows = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        rows.filter(|row| row["kind"] == "advisories-set").collect::<Vec<_>>()
    };
    let deadline = Instant::now() + WAIT_MAX;
    while set().len() < 4 && Instant::now() < deadline {
        // The server takes in what others wrote, in its own time.
        thread::park_timeout(Duration::from_millis(50));
    }
    let rows = set();
    let wanted = [
        format!("declare {id}"),
        format!("retire {id}"),
        "vex --trust https://vendor.example".to_owned(),
        "sources disable ghsa".to_owned(),
    ];
    let what = rows.iter().map(|row| {
        let entry: Value = serde_json::from_str(row["body"].as_str().unwrap()).unwrap();
        entry["what"].as_str().unwrap().to_owned()
    });
    assert_eq!(what.collect::<Vec<_>>(), wanted);
    assert!(rows.iter().all(|row| row["actor"].as_str().unwrap().contains("uid ")), "{rows:?}");
    assert_eq!(server.terminate(), Some(0), "it was not ended");
    assert_eq!(place.expect(0, &["audit", "verify", "--json"]).json()["intact"], true);
}

/// Goal: where people sign in, the marks of one person close no more than that person may switch.
/// Method: a register with an account and no signed policy, which lets nobody switch alone; the
/// command of the controller, too. The canary is nobody's site.
#[test]
fn a_drill_closes_no_more_than_one_person_may_switch_where_people_sign_in() {
    let town = Town::new();
    let place = &town.place;
    place.expect(0, &["sites", "set", "mun-001", "drill_ok=yes"]);
    let store = relight_engine::store::Store::open(&place.path("data")).unwrap();
    store.add_account("anna", 1, &[]).unwrap();
    drop(store);
    let told = place.expect(4, &["drill"]);
    assert!(told.stderr.contains("1 marked site (vital: 0)"), "{}", told.text());
    assert!(told.stderr.contains("[drill] sites of policy.toml"), "{}", told.text());
    place.expect(4, &["drill", "--hold", "north", "--term", "1", "--seq", "1"]);
    assert!(drilled(place).is_empty());
    place.expect(0, &["edge", "test", "north"]);
    place.expect(0, &["sites", "set", "mun-001", "drill_ok=no"]);
    let policy = place.path("data/policy.toml");
    // Whatever the rules are: no policy is read for what needs nobody.
    for unreadable in [None, Some("alone = [")] {
        unreadable.iter().for_each(|text| std::fs::write(&policy, text).unwrap());
        let canary = place.expect(0, &["drill", "--json"]).json();
        assert_eq!(canary["edges"][0]["keys"], json!(["relight-canary"]), "{canary}");
    }
    place.expect(0, &["sites", "set", "mun-001", "drill_ok=yes"]);
    assert_ne!(place.run(&["drill"]).status, 0);
}

/// Goal: the whole way of a fixed site under a server, without anybody: declared, read again, asked
/// behind its closed gate, relit. Method: the program, a real edge, visitors.
#[test]
fn a_declared_fix_that_was_read_again_comes_back_by_itself_under_a_server() {
    let town = Town::new();
    let place = &town.place;
    place.write("data/policy.toml", POLICY);
    place.expect(0, &["incident", "open", "CVE-2021-44228"]);
    assert_eq!(town.off(&["--yes"]).status, 0);
    place.expect(0, &["incident", "fix", "san-001", "--note", "2.17.1"]);
    grow(place);
    let (server, _) = Server::start(place);
    place.write("fixed/log4j.jar", log4j("2.17.1"));
    place.write("fixed/release", "2");
    place.expect(0, &["scan", "fixed", "--site", "san-001"]);
    let deadline = Instant::now() + WAIT_MAX;
    while town.status("san1.example") != 200 && Instant::now() < deadline {
        // Another process verifies and relights: visitors are what is waited for.
        thread::park_timeout(Duration::from_millis(50));
    }
    assert_eq!(town.status("san1.example"), 200);
    assert_eq!(town.status("mun1.example"), 503, "nobody knows what runs there");
    assert_eq!(server.terminate(), Some(0));
    let log = place.expect(0, &["incident", "log", "CVE-2021-44228", "--json"]).json();
    let rows = log["entries"].as_array().unwrap().iter();
    let alone: Vec<&str> = rows
        .filter(|row| row["actor"] == "relight" && row["body"].to_string().contains("san-001"))
        .map(|row| row["kind"].as_str().unwrap())
        .collect();
    for kind in ["evidence-attached", "verified", "relight-started", "proved"] {
        assert!(alone.contains(&kind), "{kind} in {alone:?}");
    }
}

/// Goal: what differs is repaired beside a server, which is the one who writes.
#[test]
fn a_repair_beside_a_server_waits_for_it() {
    let town = Town::new();
    let place = &town.place;
    place.write("data/policy.toml", POLICY);
    place.expect(0, &["incident", "open", "CVE-2021-44228"]);
    assert_eq!(town.off(&["--yes"]).status, 0);
    grow(place);
    let (server, _) = Server::start(place);
    std::fs::remove_file(place.path("gate/current/san-001")).unwrap();
    place.expect(0, &["edge", "check", "--repair"]);
    assert_eq!(town.status("san1.example"), 503);
    // A site that an incident ordered dark is no site to rehearse on, not even a marked one.
    place.expect(0, &["sites", "set", "mun-001", "drill_ok=yes"]);
    let busy = place.expect(1, &["drill", "--json"]).json();
    assert!(busy.to_string().contains("an incident wants san-001 dark"), "{busy}");
    assert_eq!(town.status("mun1.example"), 503);
    assert_eq!(server.terminate(), Some(0));
    // Without it, and above the limit of one operator, the command does it itself.
    std::fs::remove_file(place.path("gate/current/san-001")).unwrap();
    place.expect(0, &["edge", "check", "--repair"]);
    assert_eq!(town.status("san1.example"), 503);
}

/// Goal: a register of before is never written anew where an order to darken would wait for it.
/// Method: an erasure beside an open incident, beside a server, and then alone.
#[test]
fn an_erasure_waits_for_incidents_and_servers_not_they_for_it() {
    let place = Place::with_sites();
    place.write("data/policy.toml", POLICY);
    let line = "9.9.9.9 - - [03/Nov/2025:10:00:00 +0000] \"GET /remote/login HTTP/1.1\" 404 9\n";
    place.write("access.log", line);
    place.expect(0, &["watch", "ingest", "access.log", "--org", "Santé Nord"]);
    let store = Store::open(&place.path("data")).unwrap();
    store.meta_remove("deleted-overwritten", "1").unwrap();
    let erase = ["watch", "erase", "9.9.9.9", "--reason", "request 12"];
    let french = [&erase[..], &["--lang", "fr"]].concat();
    place.expect(0, &["incident", "open", "CVE-2021-44228"]);
    let told = place.expect(1, &erase);
    assert_eq!(told.stdout, "1 contact erased\n", "{}", told.text());
    assert!(told.stderr.contains("may still hold what was erased"), "{}", told.text());
    assert!(told.stderr.contains("an incident is open"), "{}", told.text());
    assert!(place.expect(1, &french).stderr.contains("un incident est ouvert"));
    let notes = place.expect(0, &["watch", "notes"]).stdout;
    assert!(notes.contains("1 contacts, free pages not yet overwritten: request 12"), "{notes}");
    place.expect(0, &["incident", "close", "CVE-2021-44228"]);
    let (server, _) = Server::start(&place);
    let told = place.expect(1, &erase);
    assert!(told.stderr.contains("a server that runs controls it"), "{}", told.text());
    assert!(place.expect(1, &french).stderr.contains("un serveur en marche le tient"));
    assert_eq!(server.terminate(), Some(0));
    assert!(!store.is_overwritten().unwrap());
    place.expect(0, &erase);
    assert!(store.is_overwritten().unwrap());
}

/// Two people agree to open a site that came back in vain before; nobody goes on with it.
fn agreed_and_cut_off(place: &Place) {
    let store = Arc::new(Store::open(&place.path("data")).unwrap());
    let options = EngineOptions {
        holder: "a server of before".into(),
        clock: now_ms,
        inventory_ttl_s: INVENTORY_TTL_S,
    };
    let engine = Engine::open(store, options).unwrap();
    let (id, site) = ("CVE-2021-44228", GateKey::new("mun-001").unwrap());
    let sites = std::slice::from_ref(&site);
    assert_eq!(engine.relight("relight", id, sites).unwrap(), 1);
    let stopped =
        Entry::RelightStopped { sites: sites.to_vec(), why: "not-proven".into(), unseen: false };
    engine.record("edge", id, stopped).unwrap();
    let root = |role| vec![Grant { role, scope: Scope::root() }];
    let someone =
        |name: &str, role| Person { name: name.into(), grants: root(role), means: Means::Passkey };
    let (anna, zoe) = (someone("anna", Role::Commander), someone("zoe", Role::Approver));
    let policy = Policy::strictest();
    let ask = PlanAsk {
        incident: id.into(),
        action: Action::Relight,
        part: None,
        reason: "it is repaired".into(),
        advisory_revision: Digest::default(),
        policy: policy.digest,
        proposer: anna.name.clone(),
        created: engine.now(),
    };
    let plan = engine.plan(ask, sites).unwrap();
    let number = engine.propose(&policy, &anna, &plan).unwrap().number;
    let agreed = engine.approve(&policy, &zoe, number, plan.hash().unwrap(), None).unwrap();
    assert!(agreed.started);
}

/// Goal: what two people agreed to is done, also when the server that began it was ended. Method: a
/// site that does not come back by itself any more; the program, a real edge, visitors.
#[test]
fn a_server_goes_on_with_a_relight_that_another_one_left() {
    let town = Town::new();
    let place = &town.place;
    place.write("data/policy.toml", POLICY);
    place.expect(0, &["incident", "open", "CVE-2021-44228"]);
    assert_eq!(town.off(&["--yes"]).status, 0);
    place.write("new/log4j.jar", log4j("2.17.1"));
    place.expect(0, &["scan", "new", "--site", "mun-001"]);
    assert_eq!(town.status("mun1.example"), 503);
    agreed_and_cut_off(place);
    let (server, _) = Server::start(place);
    let ends = || {
        let log = place.expect(0, &["audit", "export"]).stdout;
        let rows = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        rows.filter(|row| row["kind"] == "plan-ended").collect::<Vec<_>>()
    };
    let deadline = Instant::now() + WAIT_MAX;
    while ends().is_empty() && Instant::now() < deadline {
        // Another process opens the site.
        thread::park_timeout(Duration::from_millis(50));
    }
    assert_eq!(town.status("mun1.example"), 200);
    let rows = ends();
    assert_eq!((rows.len(), &rows[0]["actor"]), (1, &json!("zoe")), "{rows:?}");
    let body: Value = serde_json::from_str(rows[0]["body"].as_str().unwrap()).unwrap();
    assert_eq!((&body["failed"], &body["left"]), (&json!([]), &json!([])));
    assert_eq!(server.terminate(), Some(0));
}
