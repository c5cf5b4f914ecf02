//! `relight incident off --server`: a plan is asked for where people agree to it.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc;
use std::thread;

use relight_engine::store::{AccountChange, GrantRow, Store};
use serde_json::Value;

use crate::incident::{POLICY, Town};
use crate::place::{Outcome, Place, log4j};
use crate::serve::Server;

pub(crate) use crate::journals::LOG4SHELL;

/// Open incidents, a commander, and a token of his in a file.
pub(crate) fn ready(place: &Place, incidents: &[&str]) {
    place.write("data/policy.toml", POLICY);
    for incident in incidents {
        place.expect(0, &["incident", "open", incident]);
    }
    let store = Store::open(&place.path("data")).unwrap();
    let grant = AccountChange::Grant(GrantRow {
        account: 0,
        role: "commander".into(),
        scope: "/".into(),
        at: 1,
        by: "test".into(),
    });
    store.add_account("zoe", 1, &[grant]).unwrap();
    let create = ["token", "create", "zoe", "--role", "commander", "--days", "1"];
    let token = place.expect(0, &create).stdout;
    place.write("token", token);
}

fn proposed(place: &Place) -> Vec<Value> {
    let log = place.expect(0, &["audit", "export"]).stdout;
    let rows = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    rows.filter(|row| row["kind"] == "plan-proposed").collect()
}

/// Whatever is sent to it, this answers that all is well, and nothing else; what it was sent.
fn hollow() -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (told, sent) = mpsc::channel();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut read, mut byte) = (Vec::new(), [0]);
        // The document is the last thing that comes, and holds no other braces.
        while !read.ends_with(b"}") && stream.read(&mut byte).unwrap() > 0 {
            read.extend(byte);
        }
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
        let answer = format!("{head}Content-Length: 2\r\nConnection: close\r\n\r\n{{}}");
        stream.write_all(answer.as_bytes()).unwrap();
        told.send(String::from_utf8(read).unwrap()).unwrap();
    });
    (url, sent)
}

/// Where people sign in.
pub(crate) fn address(started: &Value) -> String {
    let console = started["console"].as_str().unwrap();
    console.trim_end_matches('/').replace("127.0.0.1", "localhost")
}

fn off(place: &Place, sites: &str, more: &[&str]) -> Outcome {
    let order = ["incident", "off", "--reason", "Log4Shell", "--sites", sites];
    place.run(&[&order[..], more].concat())
}

/// Before, nobody could ask from a terminal where people sign in: the command acted on the folder
/// of the machine only, and was refused beside a server.
#[test]
fn a_plan_is_asked_for_at_a_server_and_waits_for_people() {
    let town = Town::new();
    let place = &town.place;
    ready(place, &[LOG4SHELL]);
    let (server, started) = Server::start(place);
    let console = address(&started);
    let off = |more: &[&str]| {
        let at = ["--server", &console, "--token-file", "token"];
        off(place, "affected:CVE-2021-44228", &[&at[..], more].concat())
    };
    let shown = off(&["--dry-run"]);
    assert_eq!(shown.status, 0, "{}", shown.text());
    assert!(shown.stdout.contains("1 site to switch; 2 people have to agree"), "{}", shown.text());
    let shown = off(&["--dry-run", "--json"]).json();
    assert_eq!((&shown["standing"], &shown["action"]), (&"shown".into(), &Value::Null));
    assert!(proposed(place).is_empty());
    let asked = off(&[]);
    assert_eq!(asked.status, 4, "{}", asked.text());
    assert!(asked.stdout.contains("waiting for approval  A-0001  0 of 2"), "{}", asked.text());
    assert!(asked.stdout.contains(&format!("{console}/approve/A-0001")), "{}", asked.text());
    let rows = proposed(place);
    assert_eq!((rows.len(), rows[0]["actor"].as_str()), (1, Some("zoe")), "{rows:?}");
    assert_eq!(town.status("san1.example"), 200, "nothing is switched");
    let variables = [("RELIGHT_SERVER", &*console), ("RELIGHT_TOKEN_FILE", "token")];
    let again = ["incident", "off", "--sites", "site:san-002", "--reason", "x", "--json"];
    let again = place.run_with(&again, &variables);
    assert_eq!(again.status, 4, "{}", again.text());
    let again = again.json();
    assert_eq!((&again["standing"], &again["sites"]), (&"waiting".into(), &1.into()));
    assert_eq!((&again["seats"], &again["signed"]), (&2.into(), &0.into()));
    // What is kept once need not be named again.
    let home = place.path("home").display().to_string();
    let home = [("XDG_CONFIG_HOME", &*home)];
    let login = ["login", "--server", &console, "--token-file", "token"];
    let kept = place.run_with(&login, &home);
    assert_eq!(kept.status, 0, "{}", kept.text());
    let login = ["login", "--server", &console, "--token-file", "token", "--json"];
    let kept = place.run_with(&login, &home).json()["file"].as_str().unwrap().to_owned();
    let file = place.path(kept.strip_prefix("DIR/").unwrap());
    crate::settings::assert_own(&file);
    let at = ["incident", "off", "--sites", "site:san-002", "--reason", "x", "--server", &console];
    let shown = place.run_with(&[&at[..], &["--dry-run"]].concat(), &home);
    assert_eq!(shown.status, 0, "{}", shown.text());
    let told = place.run_with(&["logout", "--server", &console], &home);
    assert!(told.stdout.contains("is ended there and forgotten here"), "{}", told.text());
    assert!(!file.exists());
    let again = place.run_with(&login, &home);
    assert!(again.status != 0 && !file.exists(), "it is ended: {}", again.text());
    assert_eq!(place.run_with(&[&at[..], &["--dry-run"]].concat(), &home).status, 2);
    // Glass is broken here, and not proposed there, where the configuration names a server.
    let glass = ["incident", "off", "--sites", "site:san-002", "--reason", "x", "--break-glass"];
    let glass = place.run_with(&glass, &variables);
    assert!(glass.stderr.contains("a server that runs controls this register"), "{}", glass.text());
    let glass = off(&["--break-glass"]);
    assert_eq!(glass.status, 2, "{}", glass.text());
    assert_eq!(proposed(place).len(), 2);
    assert_eq!(server.terminate(), Some(0));
}

#[test]
fn bare_verdicts_are_those_of_the_incident_that_is_named() {
    let town = Town::new();
    let place = &town.place;
    place.write("mid/log4j.jar", log4j("2.16.0"));
    place.expect(0, &["scan", "mid", "--site", "mun-001"]);
    ready(place, &[LOG4SHELL, "CVE-2021-45105"]);
    let (server, started) = Server::start(place);
    let console = address(&started);
    for (incident, sites) in [(LOG4SHELL, 1), ("CVE-2021-45105", 2)] {
        let at = ["--server", &console, "--token-file", "token", "--incident", incident];
        let shown = off(place, "affected", &[&at[..], &["--dry-run", "--json"]].concat()).json();
        assert_eq!((&shown["incident"], &shown["sites"]), (&incident.into(), &sites.into()));
    }
    assert_eq!(server.terminate(), Some(0));
}

/// Each with what to do, and none with the token.
#[test]
fn what_is_not_done_is_told_and_the_token_is_not() {
    let town = Town::new();
    let place = &town.place;
    ready(place, &[LOG4SHELL]);
    let token = fs::read_to_string(place.path("token")).unwrap().trim().to_owned();
    place.write("wrong", "rlt_nothing\n");
    place.write("torn", format!("{token}\n{token}\n"));
    let (server, started) = Server::start(place);
    let console = address(&started);
    let elsewhere = format!("{console}/elsewhere");
    let (hollow, sent) = hollow();
    let every = "affected or unknown or clear";
    for (url, file, sites, status, told) in [
        (&*console, "wrong", every, 4, "not known there"),
        (&console, "torn", every, 2, "holds no token"),
        (&console, "missing", every, 1, "missing"),
        (&console, "", every, 2, "is not named"),
        (&console, "token", "site:nowhere", 1, "no site fits"),
        (&console, "token", "affected and", 2, "query"),
        ("http://relight.example", "token", every, 2, "not sent"),
        ("http://localhost:x@relight.example", "token", every, 2, "not sent"),
        ("http://localhost:1", "token", every, 1, "no answer"),
        (&elsewhere, "token", every, 1, ""),
        (&hollow, "token", every, 1, "no answer"),
    ] {
        let at = ["--server", url, "--token-file", file];
        let refused = off(place, sites, if file.is_empty() { &at[..2] } else { &at });
        assert_eq!(refused.status, status, "{url} {file}: {}", refused.text());
        let is_told = refused.stderr.contains(told) && refused.stderr.contains("hint:");
        assert!(is_told, "{url} {file}: {}", refused.text());
        assert!(refused.stdout.is_empty(), "{}", refused.text());
        assert!(!refused.text().contains(&token), "{url} {file}");
    }
    // Whoever shows a token means a server: nothing is done to the folder of this machine.
    assert_eq!(off(place, every, &["--token-file", "token", "--yes"]).status, 2);
    let sent = sent.recv().unwrap();
    assert!(sent.contains(&format!("Bearer {token}")), "{sent}");
    assert!(proposed(place).is_empty());
    assert_eq!(server.terminate(), Some(0));
}
