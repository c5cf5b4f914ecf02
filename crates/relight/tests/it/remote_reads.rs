//! Commands that only read, with `--server`: what a server answers is what its data folder says.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use relight_engine::store::{AccountChange, GrantRow, Store};
use serde_json::{Value, json};

use crate::incident::Town;
use crate::place::{Outcome, Place};
use crate::remote::{LOG4SHELL, address, ready};
use crate::serve::Server;

/// How long anything may take.
const WAIT_MAX: Duration = Duration::from_secs(90);

/// A document without what no two answers share.
fn timeless(outcome: &Outcome) -> Value {
    let mut document = outcome.json();
    for name in ["at", "entry"] {
        let object = document.as_object_mut().unwrap();
        object.remove(name);
    }
    document
}

/// Asks the data folder and the server the same, as a document and as text.
fn is_answered_alike(place: &Place, at: &[&str], words: &[&str], status: i32) {
    let run = |more: &[&str]| place.run(&[words, more].concat());
    let began = Instant::now();
    // The server goes on with its incident between two questions.
    let (here, there) = loop {
        let (here, there) = (run(&["--json"]), run(&[at, &["--json"]].concat()));
        let is_same = || timeless(&here) == timeless(&there);
        if status == 1 || status == 2 || is_same() || began.elapsed() > WAIT_MAX {
            break (here, there);
        }
    };
    assert_eq!((here.status, there.status), (status, status), "{words:?}: {}", there.text());
    if [1, 2].contains(&status) {
        assert!(there.stdout.is_empty() && there.stderr.contains("hint:"), "{}", there.text());
        return;
    }
    assert_eq!(timeless(&there), timeless(&here), "{words:?}");
    let (here, there) = (run(&[]), run(at));
    assert_eq!((here.status, there.status), (status, status), "{words:?}: {}", there.text());
    if words[0] == "affected" {
        let counts = |text: &str| {
            text.lines().find(|line| line.contains(" affected, ")).map(ToOwned::to_owned)
        };
        assert!(counts(&there.stdout).is_some(), "{}", there.text());
        assert_eq!(counts(&there.stdout), counts(&here.stdout));
    } else {
        let lines = |outcome: &Outcome| {
            let lines = outcome.stdout.lines().filter(|line| !line.contains("entry"));
            lines.map(ToOwned::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(lines(&there), lines(&here), "{words:?}");
    }
}

/// Goal: it is one question wherever it is asked. Method: each command in the data folder and at
/// the server that runs on it, as document and as text, with its status.
#[test]
fn a_server_answers_as_its_data_folder_does() {
    let town = Town::new();
    let place = &town.place;
    ready(place, &[LOG4SHELL]);
    let (server, started) = Server::start(place);
    let console = address(&started);
    let at = ["--server", &console, "--token-file", "token"];
    // By the inventories of this moment, whenever it is asked again.
    let known = place.run(&["affected", LOG4SHELL, "--json"]).json()["at"].clone();
    let known = known.as_str().unwrap().to_owned();
    for (words, status) in [
        (&["affected", LOG4SHELL][..], 3),
        (&["affected", LOG4SHELL, "--sites", "site:san-001"], 0),
        (&["affected", LOG4SHELL, "--sites", "affected", "--fail"], 10),
        (&["affected", "log4j-core<2.15", "--by", "none", "--paths"], 3),
        (&["affected", "pkg:npm/left-pad", "--sites", "site:san-002"], 0),
        (&["affected", LOG4SHELL, "--at", "2021-12-10"], 3),
        (&["affected", LOG4SHELL, "--at", &known], 3),
        (&["affected", LOG4SHELL, "--at", &known, "--sites", "affected", "--fail"], 10),
        (&["affected", LOG4SHELL, "--at", "2021-12-10", "--sites", "affected", "--fail"], 0),
        (&["affected", LOG4SHELL, "--at", "2999-01-01"], 2),
        (&["affected", "CVE-1999-0001"], 1),
        (&["affected", "log4j-core<"], 2),
        (&["sites", "list"], 0),
        (&["sites", "list", "sector:health or site:mun-001", "--limit", "2"], 0),
        (&["sites", "list", "org:SAN crt<=2"], 2),
        (&["incident", "list"], 0),
        (&["incident", "status"], 0),
        (&["incident", "status", "cve-2021-44228"], 0),
        (&["incident", "status", "CVE-1999-0001"], 1),
    ] {
        is_answered_alike(place, &at, words, status);
    }
    let wrong = ["sites", "list", "org:SAN crt<=2", "--lang", "fr"];
    let told = place.run(&[&wrong[..], &at].concat()).stderr;
    assert!(told.contains("clé inconnue") && told.contains("à l’octet 8"), "{told}");
    let told = place.run(&[&["affected", LOG4SHELL, "--paths"][..], &at].concat()).stdout;
    assert!(told.contains("san-001  affected  log4j.jar\n"), "{told}");
    assert!(told.contains(" ◆ san-001  log4j.jar\n") && !told.contains("san-002"), "{told}");
    // A server that is only set in the configuration is asked by what acts.
    let set = [("RELIGHT_SERVER", "https://127.0.0.1:1")];
    assert_eq!(place.run_with(&["affected", LOG4SHELL], &set).status, 3);
    for words in [
        &["affected", LOG4SHELL, "--by", "sector"][..],
        &["affected", "--like", "bad/log4j.jar"],
        &["incident", "status", "--watch"],
    ] {
        assert_eq!(place.run(&[words, &at].concat()).status, 2, "{words:?}");
    }
    assert_eq!(place.run(&["affected", LOG4SHELL, "--token-file", "token"]).status, 2);
    assert_eq!(server.terminate(), Some(0));
}

/// Goal: whoever may read a part hears of that part, and that it is one. Method: an account of one
/// body asks; its sites are all it is told of.
#[test]
fn a_token_reads_what_its_account_may_read() {
    let town = Town::new();
    let place = &town.place;
    ready(place, &[LOG4SHELL]);
    let (role, scope, by) = ("viewer".into(), "municipal/Ville de X".into(), "test".into());
    let grant = AccountChange::Grant(GrantRow { account: 0, role, scope, at: 1, by });
    let store = Store::open(&place.path("data")).unwrap();
    store.add_account("max", 1, &[grant]).unwrap();
    drop(store);
    let scope = "municipal/Ville de X";
    let create = ["token", "create", "max", "--role", "viewer", "--scope", scope, "--days", "1"];
    place.write("own", place.expect(0, &create).stdout);
    let (server, started) = Server::start(place);
    let console = address(&started);
    let ask = |words: &[&str]| {
        let at = ["--server", &console, "--token-file", "own"];
        place.run(&[words, &at].concat())
    };
    let told = ask(&["affected", LOG4SHELL, "--json"]);
    assert_eq!(told.status, 3, "{}", told.text());
    let told = told.json();
    assert_eq!((&told["part"], &told["total"]["unknown"]), (&json!(true), &json!(1)));
    assert_eq!(told["items"].as_array().unwrap().len(), 1);
    assert_eq!(told["items"][0]["site"], "mun-001");
    let then = ask(&["affected", LOG4SHELL, "--at", told["at"].as_str().unwrap(), "--json"]).json();
    assert_eq!((&then["part"], &then["items"]), (&told["part"], &told["items"]), "{then:#}");
    for (lang, part) in [("en", "there are others"), ("fr", "il y en a d’autres")] {
        let told = ask(&["affected", LOG4SHELL, "--lang", lang]);
        assert!(told.stdout.contains(part) && !told.text().contains("san-"), "{}", told.text());
    }
    // A query that means others finds none, and tells nothing of them.
    // And that is not known to be clear.
    let none = ["affected", LOG4SHELL, "--sites", "site:san-001", "--fail"];
    assert_eq!(ask(&none).status, 3);
    let told = ask(&[&none[..], &["--json"]].concat());
    assert_eq!((told.status, &told.json()["items"]), (3, &json!([])), "{}", told.text());
    let told = ask(&["sites", "list", "--json"]).json();
    assert_eq!((&told["total"], &told["sites"][0]["slug"]), (&json!(1), &json!("mun-001")));
    for words in [&["incident", "list"][..], &["incident", "status", LOG4SHELL]] {
        let told = ask(words);
        assert_eq!(told.status, 4, "incidents count sites of everybody: {}", told.text());
        assert!(told.stdout.is_empty(), "{}", told.text());
    }
    assert_eq!(server.terminate(), Some(0));
}

/// A server that answers each question so.
fn says(document: Value) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, mut head, mut byte) = (stream.unwrap(), Vec::new(), [0]);
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() > 0 {
                head.extend(byte);
            }
            let body = document.to_string();
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
                 Connection: close\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    url
}

/// Goal: what cannot be made out is no answer, and never a clear site. Method: answers that are
/// right but for one thing.
#[test]
fn an_answer_that_cannot_be_relied_on_is_none() {
    let place = Place::new();
    place.write("token", "rlt_x");
    let item = |verdict: &str, reasons: &[&str]| {
        json!({"site": "a", "verdict": verdict, "reasons": reasons, "evidence": [],
            "exposure": "unknown", "priority": null})
    };
    let answer = |query: &str, counts: [u64; 3], item: Value| {
        let [affected, clear, unknown] = counts;
        json!({"query": query, "at": "2026-01-01T00:00:00Z", "seq": 1, "advisories_at": null,
            "priority": null, "sources_disabled": [], "part": false,
            "total": {"affected": affected, "clear": clear, "unknown": unknown},
            "reasons": if unknown > 0 { json!({"no-asset": unknown}) } else { json!({}) },
            "items": [item]})
    };
    let ask = |document: Value| {
        let url = says(document);
        place.run(&["affected", "x<1", "--server", &url, "--token-file", "token"])
    };
    let good = ask(answer("x<1", [0, 1, 0], item("clear", &[])));
    assert_eq!(good.status, 0, "{}", good.text());
    let good = ask(answer("x<1", [0, 0, 1], item("unknown", &["of-the-future"])));
    assert!(good.status == 3 && good.stdout.contains("of-the-future"), "{}", good.text());
    for bad in [
        json!({}),
        answer("y<1", [0, 1, 0], item("clear", &[])),
        answer("x<1", [0, 1, 0], item("fine", &[])),
        answer("x<1", [0, 2, 0], item("clear", &[])),
        answer("x<1", [0, 1, 0], item("unknown", &["no-asset"])),
        answer("x<1", [0, 0, 1], item("unknown", &[])),
    ] {
        let told = ask(bad.clone());
        assert_eq!(told.status, 1, "{bad}: {}", told.text());
        assert!(told.stdout.is_empty() && told.stderr.contains("no answer"), "{}", told.text());
    }
    let short = json!({"entry": 1, "incidents": [{"id": "i", "title": "", "closed": false,
        "opened": "2026-01-01T00:00:00Z", "entry": 1, "sites": 2, "cases": 0, "phases": [],
        "states": [{"state": "online", "sites": 1}], "exposed": 0, "closed_parts": [],
        "unverified": [], "held_back": 0, "held_by_restore": 0,
        "waiting": {"sites": 0, "left": 0, "parts": 0}}],
        "proposals": []});
    let ends = json!({"total": 4_000, "sites": []});
    for (words, document) in [(["incident", "status"], short), (["sites", "list"], ends)] {
        let at = ["--server", &says(document), "--token-file", "token"];
        for (lang, detail) in [("en", "lacks some"), ("fr", "il manque à la réponse")] {
            let told = place.run(&[&words[..], &at, &["--lang", lang]].concat());
            assert!(told.status == 1 && told.stdout.is_empty(), "{}", told.text());
            assert!(told.stderr.contains(detail), "{}", told.text());
        }
    }
    assert!(fs::read_dir(place.path("data")).is_err(), "and nothing is written here");
}
