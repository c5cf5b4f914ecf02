//! A server that was killed: what it had proven is proven no more, and everybody is told.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::incident::{POLICY, Town};
use crate::place::Place;
use crate::serve::Server;

/// How long a server may take to do something.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// How long a proof lasts, and a second.
const EXPIRED: Duration = Duration::from_secs(16);

fn status(place: &Place) -> Value {
    place.expect(0, &["incident", "status", "CVE-2021-44228", "--json"]).json()
}

/// Reads where it stands until so many sites are exposed.
fn wait_exposed(place: &Place, count: usize) -> Value {
    let until = Instant::now() + WAIT_MAX;
    loop {
        let status = status(place);
        if status["incidents"][0]["exposed"] == count {
            return status;
        }
        assert!(Instant::now() < until, "{status:#}");
        thread::yield_now();
    }
}

/// Goal: while a server lives, what it proves stays proven; once it was killed, no reader goes on
/// calling it so, and the next server says since when nobody looked. Method: a real server on a
/// real edge is killed outright, which writes nothing.
#[test]
fn what_a_killed_server_had_proven_is_exposed_for_everybody_who_reads() {
    let town = Town::new();
    let place = &town.place;
    place.write("data/policy.toml", POLICY);
    place.expect(0, &["incident", "open", "CVE-2021-44228"]);
    let done = town.off(&["--yes"]);
    assert!(done.stderr.contains("this command looks no longer"), "{}", done.text());
    let (server, _) = Server::start(place);
    // Whoever reads meanwhile disturbs nothing.
    let began = Instant::now();
    while began.elapsed() < EXPIRED {
        status(place);
    }
    let alive = wait_exposed(place, 0);
    assert_eq!(alive["unseen"], Value::Null, "somebody looks: {alive:#}");
    // SIGKILL.
    drop(server);
    let dead = wait_exposed(place, 2);
    assert_eq!(dead["unseen"]["sites"], 2);
    assert!(dead["unseen"]["since"].is_string(), "{dead:#}");
    assert_eq!(dead["incidents"][0]["states"], json!({"dark-requested": 2, "online": 1}));
    let told = place.run(&["incident", "status"]).text();
    assert!(told.contains("2 sites were proven dark and count as exposed: nobody has"), "{told}");
    assert!(told.contains("relight serve looks at the edges"), "{told}");
    let report = place.expect(0, &["incident", "report", "--format", "json"]).json();
    assert_eq!((&report["exposed"], &report["unseen"]), (&json!(2), &dead["unseen"]));
    let overview = place.run(&["status", "--json"]).json();
    assert_eq!(overview["unseen"], dead["unseen"]);
    let doctor = place.run(&["doctor", "--json"]).json();
    let checks = doctor["checks"].as_array().unwrap();
    let controller = checks.iter().find(|it| it["name"] == "controller").unwrap();
    assert_eq!(controller["health"], "bad", "{controller}");
    assert_eq!(town.status("san1.example"), 503, "its gate is as it was");

    let (_server, _) = Server::start(place);
    let again = wait_exposed(place, 0);
    assert_eq!(again["unseen"], Value::Null);
    let log = place.expect(0, &["incident", "log", "CVE-2021-44228", "--json"]).json();
    let entries = log["entries"].as_array().unwrap();
    let drifted = entries.iter().find(|entry| entry["kind"] == "drifted").unwrap();
    assert_eq!(drifted["body"]["what"], "proof-expired");
    assert!(drifted["body"]["since"].is_i64(), "{drifted}");
}
