//! `relight incident`: a town of three sites, from the alarm to the last light.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use expect_test::expect;
use relight_engine::edge::holding_page;
use relight_model::{GateKey, SitePart};
use relight_server::edge_proxy::{EdgeLimits, EdgeProxy, EdgeProxyConfig, EdgeProxyHandle, Route};
use relight_server::origin::{Origin, OriginConfig, OriginHandle, OriginSite};

use crate::place::{Outcome, Place, SITES, log4j, visitor};

pub(crate) const POLICY: &str = "[operators]\nsingle = \"A. Tremblay\"\n";

const QUERY: &str = "affected:CVE-2021-44228 or unknown";

/// What the edge of the town can close alone.
const PARTS: [&str; 3] = ["booking=/booking", "@internet", "@write"];

/// A town: three sites behind a real edge, one affected, one clear, one never read.
pub(crate) struct Town {
    pub(crate) place: Place,
    edge: EdgeProxyHandle,
    _origin: OriginHandle,
}

impl Town {
    pub(crate) fn new() -> Self {
        let place = Place::with_sites();
        let names = [("san-001", "san1"), ("san-002", "san2"), ("mun-001", "mun1")];
        let host = |short: &str| format!("{short}.example");
        let sites = names.map(|(slug, short)| OriginSite { host: host(short), name: slug.into() });
        let listen = "127.0.0.1:0".parse().unwrap();
        let origin = Origin::start(OriginConfig { listen, sites: sites.into() }).unwrap();
        let [gate, hold, acme] = ["gate", "hold", "acme"].map(|name| place.path(name));
        fs::create_dir_all(&acme).unwrap();
        holding_page::write(&hold, b"<p>closed</p>", b"{}").unwrap();
        let verify = place.path("verify.sock");
        let routes = names.map(|(slug, short)| Route {
            key: GateKey::new(slug).unwrap(),
            host: host(short),
            aliases: Vec::new(),
            parts: PARTS.map(|part| SitePart::parse(part).unwrap()).into(),
            upstream: origin.address(),
        });
        let edge = EdgeProxy::start(EdgeProxyConfig {
            listen: vec![listen],
            verify: Some(verify.clone()),
            testers: None,
            gate,
            hold,
            acme,
            routes: routes.into(),
            limits: EdgeLimits::default(),
        })
        .unwrap();
        let address = edge.addresses()[0].to_string();
        let verify = verify.display().to_string();
        let add = ["edge", "add", "builtin", "--name", "north", "--gate", "gate"];
        place.expect(0, &[&add[..], &["--listen", &address, "--verify", &verify]].concat());
        place.write("bad/log4j.jar", log4j("2.14.1"));
        place.write("good/log4j.jar", log4j("2.17.1"));
        place.expect(0, &["scan", "bad", "--site", "san-001"]);
        place.expect(0, &["scan", "good", "--site", "san-002"]);
        Self { place, edge, _origin: origin }
    }

    /// What a visitor of a site gets.
    pub(crate) fn status(&self, host: &str) -> u16 {
        let mut client = visitor(self.edge.addresses()[0]);
        client.get(host, "/").unwrap().status
    }

    /// What a visitor gets who asks otherwise.
    pub(crate) fn ask(&self, method: &str, host: &str, path: &str) -> u16 {
        let mut client = visitor(self.edge.addresses()[0]);
        let none: &[(&str, &str)] = &[("Content-Length", "0")];
        let headers = if method == "GET" { &[][..] } else { none };
        client.request(method, host, path, headers).unwrap().status
    }

    pub(crate) fn off(&self, more: &[&str]) -> Outcome {
        let order = ["incident", "off", "--sites", QUERY, "--reason", "Log4Shell"];
        self.place.run(&[&order[..], more].concat())
    }
}

#[test]
fn from_the_alarm_to_the_last_light() {
    let town = Town::new();
    let place = &town.place;
    place.write("data/policy.toml", POLICY);
    place.run(&["incident", "open", "CVE-2021-44228"]).matches("incident-open");
    let planned = town.off(&["--dry-run", "--json"]);
    assert_eq!((planned.status, planned.json()["applied"].clone()), (0, false.into()));
    assert_eq!([town.status("san1.example"), town.status("mun1.example")], [200, 200]);
    assert_eq!(town.off(&[]).status, 4, "nobody is there to confirm");

    let done = town.off(&["--yes"]);
    assert_eq!(done.status, 0, "{}", done.text());
    assert!(done.stdout.contains("2 of 2 sites proven dark"), "{}", done.text());
    let lights = ["san1.example", "san2.example", "mun1.example"].map(|host| town.status(host));
    assert_eq!(lights, [503, 200, 503], "clear sites are never darkened");
    place.expect(0, &["edge", "check"]);
    nobody_moves_a_dark_site(place);
    let on = place.expect(0, &["incident", "on", "--sites", "state:dark", "--yes"]);
    assert!(on.stdout.contains("no current evidence says clear"), "{}", on.text());
    assert_eq!(town.status("mun1.example"), 503);

    // The unknown one is read and clear: it may come back.
    place.expect(0, &["scan", "good", "--site", "mun-001"]);
    let on = place.expect(0, &["incident", "on", "--sites", "site:mun-001", "--yes"]);
    assert!(on.stdout.contains("1 of 1 site proven lit again"), "{}", on.text());
    assert_eq!(town.status("mun1.example"), 200);

    fix(&town);
    publish(place);
    close_while_somebody_watches(place);
    let audit = place.expect(0, &["audit", "verify", "--json"]).json();
    assert_eq!(audit["intact"], true);
    let log = place.expect(0, &["incident", "log", "CVE-2021-44228", "--json"]).json();
    let entries = log["entries"].as_array().unwrap();
    let by_hand = |entry: &&serde_json::Value| entry["actor"] == "A. Tremblay";
    let kinds: Vec<_> = entries.iter().filter(by_hand).map(|entry| &entry["kind"]).collect();
    let first = ["opened", "baseline-taken", "plan-proposed", "plan-started", "dark-ordered"];
    assert_eq!(kinds[..5], first);
    assert_eq!(kinds.last(), Some(&&"closed".into()));
}

/// Words for the public, from the command line.
fn publish(place: &Place) {
    let words = ["incident", "update", "--fr", "Tout est de retour.", "--en", "All is back."];
    expect![[r#"
        CVE-2021-44228: published, and on the public page as soon as it is written
        Next: relight public export
        --- stderr
        --- status 0
    "#]]
    .assert_eq(&place.run(&words).text());
    place.expect(1, &["incident", "update", "--fr", "  "]);
    place.expect(2, &["incident", "update", "--en", "French is not left out."]);
    place.expect(0, &["public", "export", "--languages", "fr,en"]);
    let half = place.expect(1, &["incident", "update", "--fr", "Rien de plus."]);
    assert!(half.stderr.contains("words are missing in a language"), "{}", half.text());
    assert!(half.stderr.contains("publish again with --fr and --en"), "{}", half.text());
    let page = |lang: &str| {
        fs::read_to_string(place.path(&format!("data/public/current/{lang}/index.html"))).unwrap()
    };
    assert!(page("fr").contains("Tout est de retour.") && page("en").contains("All is back."));
    place.expect(0, &["public", "export"]);
    place.expect(0, &["incident", "update", "--fr", "Rien de plus."]);
    place.expect(0, &["public", "export"]);
    assert!(page("fr").contains("Rien de plus."));
}

/// Whoever watches is shown the close, and is let go by it.
fn close_while_somebody_watches(place: &Place) {
    let mut command = place.command(&["incident", "status", "--watch", "--json"], &[]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let first: serde_json::Value = serde_json::from_str(&lines.next().unwrap()).unwrap();
    assert_eq!(first["schema"], "relight.status/1");
    assert_eq!(first["incidents"][0]["closed"], false);
    place.expect(0, &["incident", "close", "CVE-2021-44228"]);
    let last: serde_json::Value = serde_json::from_str(&lines.last().unwrap()).unwrap();
    assert_eq!(last["incidents"], serde_json::json!([]), "none is open any more");
    assert!(child.wait().unwrap().success());
    let told = place.expect(0, &["incident", "status", "CVE-2021-44228", "-w", "--lang", "fr"]);
    assert!(told.stdout.contains("\u{a0}min\u{a0}"), "when it was so: {}", told.text());
}

/// A supplier whom the operator trusts calls the library harmless, and nobody signed that: the site
/// is clear to whoever asks, and an incident still closes it and does not open it on that.
#[test]
fn an_unsigned_statement_opens_nothing() {
    let town = Town::new();
    let place = &town.place;
    place.write("data/policy.toml", POLICY);
    place.write("vex/a.vex.json", crate::own::STATEMENT);
    place.expect(0, &["advisories", "update", "--offline", "vex"]);
    place.expect(0, &["advisories", "vex", "--trust", "Supplier"]);
    let one = ["--sites", "site:san-001"];
    let asked = place.run(&[&["affected", "CVE-2021-44228", "--json"][..], &one].concat());
    assert_eq!(asked.json()["total"]["clear"], 1);
    place.expect(0, &["incident", "open", "CVE-2021-44228"]);
    let off = ["incident", "off", "--reason", "precaution", "--yes"];
    let done = place.run(&[&off[..], &one].concat());
    assert!(done.stdout.contains("1 of 1 site proven dark"), "{}", done.text());
    let on = place.run(&[&["incident", "on", "--yes"][..], &one].concat());
    assert!(on.stdout.contains("no current evidence says clear"), "{}", on.text());
    assert_eq!(town.status("san1.example"), 503);
}

/// Another edge in the register would leave the gate of this one to nobody.
fn nobody_moves_a_dark_site(place: &Place) {
    place.write("moved.csv", SITES.replace("2;north", "2;south").replace("3;north", "3;south"));
    let moved = place.expect(1, &["sites", "import", "moved.csv", "--dry-run"]);
    assert!(moved.stderr.contains("moved.csv:2"), "{}", moved.text());
    assert!(moved.stderr.contains("an incident keeps this site dark"), "{}", moved.text());
    // Nor is it taken off the public page, which would say that all are back.
    let hidden = SITES.replace(";oui\r\n", ";non\r\n");
    place.write("hidden.csv", &hidden);
    let told = place.expect(1, &["sites", "import", "hidden.csv", "--dry-run"]);
    assert!(told.stderr.contains("it stays on the public page"), "{}", told.text());
    let told = place.run(&["sites", "import", "hidden.csv", "--dry-run", "--lang", "fr"]);
    assert!(told.stderr.contains("il reste sur la page publique"), "{}", told.text());
    assert!(moved.stdout.contains("1 changed"), "the clear site may move: {}", moved.text());
}

/// The affected site is fixed, verified behind the closed gate, and brought back.
fn fix(town: &Town) {
    let place = &town.place;
    place.run(&["incident", "status", "--lang", "fr"]).matches("incident-status-fr");
    place.expect(1, &["incident", "close", "CVE-2021-44228"]);
    place.expect(0, &["incident", "fix", "san-001", "--note", "log4j-core 2.17.1"]);
    place.expect(1, &["incident", "verify", "san-001", "--target", "bad"]);
    place.write("torn/log4j.jar", &log4j("2.17.1")[..60]);
    place.expect(3, &["incident", "verify", "san-001", "--target", "torn"]);
    let wrong = ["incident", "verify", "san-001", "--target", "good", "--text", "not there"];
    place.expect(1, &wrong);
    assert_eq!(town.status("san1.example"), 503);
    place.write("fixed/log4j.jar", log4j("2.17.1"));
    place.write("fixed/release", "2");
    // Trap: no signs from an absence of logs.
    let none = ["incident", "verify", "san-001", "--target", "fixed", "--signs", "none"];
    let told = place.expect(1, &none);
    assert!(told.stderr.contains("cannot be said of san-001: no log of "), "{}", told.text());
    let verified = place.run(&["incident", "verify", "san-001", "--target", "fixed"]);
    expect![[r#"
        san-001: fix verified
        Next: relight incident on --sites site:san-001
        --- stderr
        --- status 0
    "#]]
    .assert_eq(&verified.text());
    assert_eq!(town.status("san1.example"), 503, "verified is not relit");
    place.expect(0, &["incident", "on", "--sites", "site:san-001", "--yes"]);
    assert_eq!(town.status("san1.example"), 200);
}

#[test]
fn nobody_switches_without_leave() {
    let town = Town::new();
    let place = &town.place;
    place.run(&["incident", "open", "CVE-2021-44228"]).matches("incident-no-operator");
    place.write("data/policy.toml", "[operators]\nsingle = \"A\"\nsecond = \"B\"\n");
    place.expect(2, &["incident", "open", "CVE-2021-44228"]);
    place.write("data/policy.toml", "[operators]\nsingle = \" \"\n");
    place.expect(2, &["incident", "open", "CVE-2021-44228"]);
    place.write("data/policy.toml", POLICY);
    let mut csv = String::from("slug,origin,organisation\n");
    for site in 0..3 {
        csv.push_str(&format!("more-{site},https://more{site}.example,Province\n"));
    }
    place.write("more.csv", csv);
    place.expect(0, &["sites", "import", "more.csv"]);
    expect![[r#"
        --- stderr
        erreur : un seul opérateur suffit jusqu’à 5 sites; ce registre en a 6
        conseil : il faut deux personnes et un serveur qui connaît les identités
        --- status 4
    "#]]
    .assert_eq(&place.run(&["incident", "open", "CVE-2021-44228", "--lang", "fr"]).text());
    assert_eq!(town.off(&["--yes"]).status, 4);
    assert_eq!(town.status("san1.example"), 200);
}

/// Goal: a flaw that comes back is ordered dark, listed and reported apart from the first time.
/// Method: an incident that is closed, and a second one about the same flaw.
#[test]
fn a_flaw_that_comes_back_has_a_second_incident() {
    let town = Town::new();
    let place = &town.place;
    place.write("data/policy.toml", POLICY);
    place.expect(0, &["incident", "open", "CVE-2021-44228"]);
    place.expect(0, &["incident", "close", "CVE-2021-44228"]);
    let second = place.expect(0, &["incident", "open", "CVE-2021-44228"]);
    let (opened, query) = (&second.stdout, "'affected:CVE-2021-44228 or unknown:CVE-2021-44228'");
    assert!(opened.starts_with("Incident CVE-2021-44228~2 opened"), "{opened}");
    assert!(opened.contains(query), "{opened}");
    let done = town.off(&["--yes"]);
    assert!(done.stdout.contains("2 of 2 sites proven dark"), "{}", done.text());
    place.expect(0, &["incident", "analyse", "--sites", "affected"]);
    let listed = place.expect(0, &["incident", "list", "--json"]).json();
    let told = |at: usize| {
        (listed["incidents"][at]["id"].clone(), listed["incidents"][at]["closed"].clone())
    };
    assert_eq!(told(0), ("CVE-2021-44228".into(), true.into()));
    assert_eq!(told(1), ("CVE-2021-44228~2".into(), false.into()));
    let report = |id: &str| place.expect(0, &["incident", "report", id, "--json"]).json();
    let (first, now) = (report("CVE-2021-44228~1"), report("CVE-2021-44228"));
    assert_eq!((&first["incident"], &now["incident"]), (&told(0).0, &told(1).0));
    let rows = |of: &serde_json::Value| of["rows"].as_array().map(Vec::len);
    assert_eq!((rows(&first), rows(&now)), (Some(0), Some(2)));
    assert_eq!(now["rows"][1]["product"], "log4j-core", "of the flaw, not of its name");
    assert_eq!(now["sources"], first["sources"]);
}

#[test]
fn an_incident_that_is_not_there_is_told() {
    let place = Place::with_sites();
    place.write("data/policy.toml", POLICY);
    let off = ["incident", "off", "--sites", "unknown", "--reason", "x", "--dry-run"];
    expect![[r#"
        --- stderr
        error: no incident is open
        hint: open one: relight incident open CVE-…
        --- status 1
    "#]]
    .assert_eq(&place.run(&off).text());
    place.expect(1, &["incident", "status", "CVE-2021-44228"]);
    place.expect(0, &["incident", "status"]);
    place.expect(2, &["incident", "open", "log4j-core<2"]);
    place.expect(1, &["incident", "open", "CVE-1999-0001"]);
    place.expect(1, &["incident", "fix", "nobody", "--note", "x"]);
    place.expect(0, &["incident", "open", "CVE-2021-44228"]);
    place.expect(0, &["incident", "open", "CVE-2021-45046"]);
    place.expect(2, &off);
}
