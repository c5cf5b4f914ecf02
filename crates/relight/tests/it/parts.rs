//! Parts of a site that are closed while the rest stays open: from the register to the report.

use std::sync::Arc;

use relight_engine::incident::{Entry, PartName, PartSeen};
use relight_engine::store::Store;
use relight_engine::waves::AUTO_VAIN_MAX;
use relight_engine::{Engine, EngineOptions};
use relight_model::{Digest, GateKey, SitePart};
use relight_server::clock::now_ms;
use serde_json::{Value, json};

use crate::incident::{POLICY, Town};
use crate::place::log4j;

const PARTS: &str = "slug;origin;organisation;sector;criticality;edge;parts\n\
    san-001;https://san1.example;Santé Nord;health;2;north;booking=/booking @write @internet\n";

fn town() -> Town {
    let town = Town::new();
    town.place.write("data/policy.toml", POLICY);
    town.place.expect(0, &["incident", "open", "CVE-2021-44228"]);
    town.place.write("parts.csv", PARTS);
    town.place.expect(0, &["sites", "import", "parts.csv"]);
    town
}

fn order(town: &Town, words: &[&str], part: &str) -> String {
    let rest = ["--sites", "site:san-001", "--part", part, "--reason", "test", "--yes"];
    let done = town.place.run(&[&["incident"], words, &rest].concat());
    done.text()
}

fn status(town: &Town) -> Value {
    let told = town.place.expect(0, &["incident", "status", "--json"]).json();
    told["incidents"][0].clone()
}

fn report(town: &Town) -> Value {
    let told = town.place.expect(0, &["incident", "report", "--format", "json"]).json();
    let rows = told["rows"].as_array().unwrap().clone();
    rows.into_iter().find(|row| row["site"] == "san-001").unwrap_or_default()
}

#[test]
fn a_section_is_closed_reported_as_such_and_opened_under_evidence() {
    let town = town();
    let place = &town.place;
    let ask = |path: &str| town.ask("GET", "san1.example", path);
    let closed = order(&town, &["off"], "booking");
    assert!(closed.contains("1 of 1 parts are closed; their sites are not dark"), "{closed}");
    assert_eq!(
        [ask("/"), ask("/booking"), ask("/booking/x"), ask("/bookings")],
        [200, 503, 503, 200]
    );

    let told = status(&town);
    assert_eq!(told["closed_parts"][0]["part"], "booking=/booking");
    assert_eq!(told["closed_parts"][0]["state"], "closed");
    assert_eq!(told["phases"], json!({"online": 3}), "no site is dark");
    assert_eq!(told["exposed"], 1, "what stays open has no evidence of its own");
    let text = place.expect(0, &["incident", "status"]).stdout;
    assert!(text.contains("no site is dark by it"), "{text}");
    let french = place.expect(0, &["incident", "status", "--lang", "fr"]).stdout;
    assert!(french.contains("aucun site n’est éteint par elle"), "{french}");
    let row = report(&town);
    assert_eq!(row["closed_parts"], json!(["booking=/booking (closed)"]));
    let table = place.expect(0, &["incident", "report", "--lang", "fr"]).stdout;
    assert!(table.contains("booking=/booking (fermée)"), "{table}");
    assert_eq!((&row["phase"], &row["dark_minutes"]), (&json!("online"), &json!(0)));
    let log = place.expect(0, &["incident", "log"]).stdout;
    assert!(log.contains("parts ordered closed  san-001.booking"), "{log}");
    let again = order(&town, &["off"], "booking");
    assert!(again.contains("is so already"), "{again}");

    let early = order(&town, &["on"], "booking");
    assert!(early.contains("no current evidence says clear"), "{early}");
    place.write("bad/log4j.jar", log4j("2.17.1"));
    place.expect(0, &["scan", "bad", "--site", "san-001"]);
    let opened = order(&town, &["on"], "booking");
    assert!(opened.contains("1 of 1 parts are open again"), "{opened}");
    assert_eq!(ask("/booking"), 200);
    assert_eq!(status(&town)["closed_parts"], json!([]));
    assert_eq!(status(&town)["exposed"], 0);
    place.expect(0, &["incident", "close", "CVE-2021-44228"]);
    let audit = place.expect(0, &["audit", "verify", "--json"]).json();
    assert_eq!(audit["intact"], true);
}

/// Writing is refused and reading is not; a part that only visitors of the internet see is believed
/// as it is read back, and that is said.
#[test]
fn methods_and_audiences_are_closed_too() {
    let town = town();
    let closed = order(&town, &["off"], "@write");
    assert!(closed.contains("1 of 1 parts are closed"), "{closed}");
    let ask = |method: &str| town.ask(method, "san1.example", "/");
    assert_eq!([ask("GET"), ask("POST"), ask("DELETE")], [200, 503, 503]);
    let read_back = order(&town, &["off"], "@internet");
    assert!(read_back.contains("closed as read back at the edge"), "{read_back}");
    assert_eq!(ask("GET"), 200, "this visitor is no visitor from the internet");
    let states: Vec<Value> = status(&town)["closed_parts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| part["state"].clone())
        .collect();
    assert_eq!(states, ["read-back", "closed"], "in the order of their keys");
    // The whole site closes over its parts; they stay closed when it is dark.
    town.off(&["--yes"]);
    assert_eq!([ask("GET"), ask("POST")], [503, 503]);
    assert_eq!(status(&town)["closed_parts"].as_array().unwrap().len(), 2);
}

/// Writes into the journal what a server that ran here would have written.
fn record(town: &Town, entries: Vec<Entry>) {
    let store = Arc::new(Store::open(&town.place.path("data")).unwrap());
    let options = EngineOptions { holder: "test".into(), clock: now_ms, inventory_ttl_s: 86_400 };
    let engine = Engine::open(store, options).unwrap();
    for entry in entries {
        engine.record("test", "CVE-2021-44228", entry).unwrap();
    }
}

/// Whoever has to close it learns what is in the way.
#[test]
fn why_a_part_is_not_closed_is_told() {
    let town = town();
    let parts = vec![PartName { site: GateKey::new("san-001").unwrap(), part: SitePart::Write }];
    let (plan, reason) = (Digest::default(), "test".to_owned());
    let (edge, why) = ("north".to_owned(), "unreachable".to_owned());
    let closed = Entry::PartsClosed { plan, parts: parts.clone(), reason };
    record(&town, vec![closed, Entry::PartsSeen { parts, edge, seen: PartSeen::Failed, why }]);
    let part = status(&town)["closed_parts"][0].clone();
    assert_eq!((&part["state"], &part["why"]), (&json!("not-closed"), &json!("unreachable")));
    let told = town.place.expect(0, &["incident", "status"]).stdout;
    let wanted = "@write: not closed: its site is exposed (the edge does not answer)\n";
    assert!(told.contains(wanted), "{told}");
}

/// As many parts were opened in vain as stop the rest: two more that are clear.
fn opened_in_vain(town: &Town) {
    let part = |number| PartName {
        site: GateKey::new("san-001").unwrap(),
        part: SitePart::parse(&format!("part-{number:02}=/{number}")).unwrap(),
    };
    let parts: Vec<PartName> = (0..AUTO_VAIN_MAX + 2).map(part).collect();
    let vain = parts[..AUTO_VAIN_MAX].to_vec();
    let (plan, reason) = (Digest::default(), "test".to_owned());
    record(town, vec![Entry::PartsClosed { plan, parts, reason }]);
    town.place.write("bad/log4j.jar", log4j("2.17.1"));
    town.place.expect(0, &["scan", "bad", "--site", "san-001"]);
    let opened = Entry::PartsOpened { parts: vain.clone() };
    let (edge, why) = ("north".to_owned(), String::new());
    let seen = Entry::PartsSeen { parts: vain, edge, seen: PartSeen::Stopped, why };
    record(town, vec![opened, seen]);
}

/// Nothing opens these but a person, so he is told.
#[test]
fn parts_that_wait_for_a_person_are_told() {
    let town = town();
    assert_eq!(status(&town)["waiting_for_a_person"], 0);
    opened_in_vain(&town);
    assert_eq!(status(&town)["waiting_for_a_person"], 2);
    let told = town.place.expect(0, &["incident", "status"]).text();
    assert!(told.contains("opens no more there by itself: 2 parts wait"), "{told}");
    assert!(told.contains("relight incident on --sites … --part …"), "{told}");
    let french = town.place.expect(0, &["incident", "status", "--lang", "fr"]).text();
    assert!(french.contains("2 parties attendent"), "{french}");
}

#[test]
fn a_part_that_nobody_knows_or_no_edge_can_close_is_left_alone() {
    let town = town();
    let unknown = order(&town, &["off"], "calendar");
    assert!(unknown.contains("has no part of that name"), "{unknown}");
    let place = &town.place;
    let add = ["edge", "add", "gateway_api", "--name", "north", "--gate", "other"];
    let more = ["--listen", "127.0.0.1:9", "--set", "api=http://127.0.0.1:9", "--set"];
    let added = place.run(&[&add[..], &more, &["routes=routes.txt"]].concat());
    if added.status == 0 {
        let unable = order(&town, &["off"], "@write");
        assert!(unable.contains("no gate for such a part"), "{unable}");
    }
    assert_eq!(town.ask("GET", "san1.example", "/"), 200);
}

#[test]
fn configurations_and_exports_have_the_parts() {
    let town = town();
    let place = &town.place;
    let exported = place.expect(0, &["sites", "export", "site:san-001"]).stdout;
    assert!(exported.ends_with(",booking=/booking @internet @write,,\n"), "{exported}");
    let shown = place.expect(0, &["sites", "show", "san-001"]).stdout;
    assert!(shown.contains("booking=/booking, @internet, @write"), "{shown}");
    for (kind, name, signs) in [
        ("nginx_file", "n", ["san-001.booking", "san-001@internet", "san-001@write"]),
        ("haproxy", "h", ["str(san-001.booking)", "str(san-001@internet)", "str(san-001@write)"]),
        ("caddy", "c", ["/san-001.booking", "/san-001@internet", "/san-001@write"]),
    ] {
        let add = ["edge", "add", kind, "--name", name, "--gate", name];
        let more = ["--listen", "127.0.0.1:8080", "--verify", "v.sock"];
        let [socket, map] =
            ["socket", "map"].map(|it| format!("{it}={}", place.path(it).display()));
        let own = ["--set", &socket, "--set", &map];
        let own = if kind == "haproxy" { &own[..] } else { &[] };
        place.run(&[&add[..], &more, own].concat());
        place.write("moved.csv", PARTS.replace("2;north", &format!("2;{name}")));
        place.expect(0, &["sites", "import", "moved.csv"]);
        let config = ["edge", "config", kind, "--name", name];
        let rest = ["--upstream", "127.0.0.1:9", "--folder", "edge"];
        let printed = place.expect(0, &[&config[..], &rest].concat()).stdout;
        for sign in signs {
            assert!(printed.contains(sign), "{kind}: {sign}\n{printed}");
        }
    }
}
