//! `relight agent`: a real server and a real agent on the loopback.

use std::fs::{self, File};
use std::io::BufRead as _;
use std::os::unix::fs::PermissionsExt as _;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::incident::{POLICY, Town};
use crate::place::{Outcome, Place};
use crate::serve::Server;

/// An organisation of [`Place::with_sites`].
const ORG: &str = "Santé Nord";

const FREE: &str = "127.0.0.1:0";

/// A server that listens for agents, and where it does.
fn serve(place: &Place, listen: &str) -> (Server, String) {
    let words = ["--listen", FREE, "--public-listen", FREE, "--agent-listen", listen];
    let (server, started) = Server::run(place, &[&["serve", "--json"][..], &words].concat());
    let address = started["agents"].as_str().unwrap().to_owned();
    (server, address)
}

/// A command of the agent, whose data folder is another one than the server's.
fn agent(place: &Place, status: i32, words: &[&str]) -> Outcome {
    let folder = place.path("agent").display().to_string();
    place.expect(status, &[&["agent"][..], words, &["--data", &folder]].concat())
}

fn code(place: &Place, host: &str) -> String {
    code_of(place, ORG, host)
}

fn code_of(place: &Place, org: &str, host: &str) -> String {
    let made = place.expect(0, &["agent", "code", "--org", org, "--host", host]);
    assert!(made.stderr.contains("shown this once"), "{}", made.text());
    made.stdout.trim().to_owned()
}

/// Goal: the whole life of an agent, by the program alone. Method: a code is made, the agent
/// enrols, keeps in touch, the server goes and comes back, and the agent is revoked.
#[test]
fn an_agent_enrols_keeps_in_touch_and_is_revoked() {
    let place = Place::with_sites();
    let text = code(&place, "web-*");
    let (server, url) = serve(&place, FREE);
    // What is journalled here would end the server; it makes codes on its own page.
    place.expect(1, &["agent", "code", "--org", ORG, "--host", "a"]);
    place.expect(1, &["agent", "revoke", "1"]);
    agent(&place, 1, &["status"]);
    let before = agent(&place, 1, &["run", "--once"]);
    assert!(before.stderr.contains("has not enrolled"), "{}", before.text());
    let enrol = |status, code: &str, host: &str| {
        let words = ["enrol", "--server", &url, "--code", code, "--host", host, "--json"];
        agent(&place, status, &words)
    };
    enrol(4, &text, "db-1");
    enrol(2, "4KF9", "web-1");
    enrol(2, &text, "Web_1");
    let enrolled = enrol(0, &text, "web-1").json();
    assert_eq!(enrolled["schema"], "relight.agent-enrolled/1");
    assert_eq!((&enrolled["host"], &enrolled["organisation"]), (&"web-1".into(), &ORG.into()));
    let mode = |name: &str| fs::metadata(place.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("agent/agent.identity"), mode("data/agents.key")), (0o600, 0o600));
    enrol(2, &text, "web-1");
    let status = agent(&place, 0, &["status", "--json"]).json();
    assert!(status["last_contact"].is_string() && status["fault"].is_null(), "{status}");
    assert!([29, 30].contains(&status["days_left"].as_i64().unwrap()), "{status}");
    agent(&place, 0, &["run", "--once"]);
    let status = agent(&place, 0, &["status", "--json"]).json();
    assert!(status["last_contact"].is_string(), "{status}");
    let listed = place.expect(0, &["agent", "list", "--json"]).json();
    assert_eq!(
        (&listed["agents"][0]["host"], &listed["agents"][0]["live"]),
        (&"web-1".into(), &true.into())
    );
    assert!(listed["agents"][0]["seen"].is_string(), "{listed}");
    assert_eq!(listed["agents"][0]["version"], env!("CARGO_PKG_VERSION"));

    // It goes on while the server is away, and says so.
    let folder = place.path("agent").display().to_string();
    let run = ["agent", "run", "--every", "1", "--json", "--data", &folder];
    let (running, said) = Server::run(&place, &run);
    assert!(said["fault"].is_null(), "{said}");
    assert_eq!(server.terminate(), Some(0));
    assert_eq!(running.next()["fault"], "unreachable");
    let away = agent(&place, 3, &["status", "--json"]).json();
    assert_eq!(away["fault"]["code"], "unreachable");
    let second = agent(&place, 1, &["run", "--once"]);
    assert!(second.stderr.contains("runs already"), "{}", second.text());
    let (server, _) = serve(&place, url.trim_start_matches("https://"));
    assert!(running.next()["fault"].is_null());
    assert_eq!(server.terminate(), Some(0));
    place.expect(0, &["agent", "revoke", "1"]);
    place.expect(2, &["agent", "revoke", "1"]);
    let (server, _) = serve(&place, url.trim_start_matches("https://"));
    let mut said = running.next();
    while said["fault"] == "unreachable" {
        said = running.next();
    }
    assert_eq!(said["fault"], "not-let-in");
    assert_eq!(running.terminate(), Some(0));
    let refused = agent(&place, 4, &["run", "--once"]);
    assert!(refused.stderr.contains("revoked"), "{}", refused.text());
    let told = agent(&place, 3, &["status"]);
    assert!(told.stdout.contains("lets this agent in no more"), "{}", told.text());
    let listed = place.expect(0, &["agent", "list"]);
    assert!(listed.stdout.contains("revoked"), "{}", listed.text());
    assert_eq!(server.terminate(), Some(0));
    agent(&place, 1, &["run", "--once"]);
}

/// Goal: who enrols again beside a service that still runs is let in, and silence is told. Method:
/// an agent is revoked while it runs, and its machine enrols with another code.
#[test]
fn a_machine_that_enrols_again_is_followed_and_silence_is_told() {
    let place = Place::with_sites();
    let text = code(&place, "web-1");
    let (server, url) = serve(&place, FREE);
    agent(&place, 0, &["enrol", "--server", &url, "--code", &text, "--host", "web-1"]);
    assert_eq!(server.terminate(), Some(0));
    place.expect(0, &["agent", "revoke", "1"]);
    let again = code(&place, "web-1");
    let (_server, _) = serve(&place, url.trim_start_matches("https://"));
    let folder = place.path("agent").display().to_string();
    let run = ["agent", "run", "--every", "1", "--json", "--data", &folder];
    let (running, said) = Server::run(&place, &run);
    assert_eq!(said["fault"], "not-let-in");
    fs::remove_file(place.path("agent/agent.identity")).unwrap();
    let words = ["agent", "enrol", "--server", &url, "--host", "web-1", "--data", &folder];
    let tried = || place.feed(&words, format!("{text}\n").as_bytes());
    assert_eq!(tried().status, 4, "a code that was used");
    let many = (0..20).map(|_| tried()).find(|it| it.status != 4).unwrap();
    assert_eq!(many.status, 1, "nobody decided that: {}", many.text());
    let enrolled = place.feed(&words, format!("{again}\n").as_bytes());
    assert_eq!(enrolled.status, 0, "{}", enrolled.text());
    assert!(running.next()["fault"].is_null());
    agent(&place, 0, &["status"]);
    assert_eq!(running.terminate(), Some(0));

    // Nothing has run for an hour, and nothing wrote that down.
    let contact = place.path("agent/agent.contact");
    let read = fs::read(&contact).unwrap();
    let mut document: serde_json::Value = serde_json::from_slice(&read).unwrap();
    let at = document["at"].as_i64().unwrap();
    for (key, value) in [("at", at - 3_600), ("every", 10)] {
        document[key] = value.into();
    }
    document["fault"] = "".into();
    document["looks"] = json!({ "site": "san-001", "since": at - 3_700 });
    place.write("agent/agent.contact", document.to_string());
    let silent = agent(&place, 3, &["status"]);
    assert!(silent.stdout.contains("nothing has asked"), "{}", silent.text());
    assert!(!silent.stdout.contains("looks at"), "it may be gone: {}", silent.text());
    // One that looks longer than its answer counts is no good either.
    for (since, status) in [(at - 3_600, 0), (at - 7 * 3_600, 3)] {
        document["at"] = at.into();
        document["looks"]["since"] = since.into();
        place.write("agent/agent.contact", document.to_string());
        let told = agent(&place, status, &["status"]);
        assert!(told.stdout.contains("looks at san-001 since"), "{}", told.text());
        assert_eq!(told.stderr.contains("takes no answer"), status == 3, "{}", told.text());
    }
}

#[test]
fn codes_are_documents_and_a_damaged_identity_is_told() {
    let place = Place::with_sites();
    let empty = place.expect(0, &["agent", "list"]);
    assert!(empty.stderr.contains("No agent"), "{}", empty.text());
    assert!(!place.path("data/agents.key").exists(), "who only looks makes no key");
    let made = place.expect(0, &["agent", "code", "--org", ORG, "--host", "*", "--json"]).json();
    assert_eq!(made["schema"], "relight.agent-code/1");
    assert_eq!(made["code"].as_str().unwrap().len(), 49);
    place.expect(2, &["agent", "code", "--org", "nobody", "--host", "*"]);
    place.expect(2, &["agent", "code", "--org", ORG, "--host", "a b"]);
    place.write("agent/agent.identity", "{}");
    let open = agent(&place, 1, &["status"]);
    assert!(open.stderr.contains("chmod 600"), "{}", open.text());
    let path = place.path("agent/agent.identity");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let damaged = agent(&place, 1, &["run", "--once"]);
    assert!(damaged.stderr.contains("damaged"), "{}", damaged.text());
    let words = ["enrol", "--server", "https://127.0.0.1:1", "--code", "x"];
    let kept = agent(&place, 2, &words);
    assert!(kept.stderr.contains("enrolled already"), "{}", kept.text());
    fs::remove_file(path).unwrap();
    for (server, code, status) in [
        ("http://127.0.0.1:1", made["code"].as_str().unwrap(), 2),
        ("https://127.0.0.1:1", made["code"].as_str().unwrap(), 1),
        ("https://127.0.0.1:1", "4KF9", 2),
    ] {
        let words = ["enrol", "--server", server, "--code", code, "--host", "web-1"];
        agent(&place, status, &words);
    }
}

/// A town whose third site is dark, and unknown.
fn waiting() -> Town {
    let town = Town::new();
    town.place.write("data/policy.toml", POLICY);
    town.place.expect(0, &["incident", "open", "CVE-2021-44228"]);
    town.off(&["--yes"]);
    town.place.expect(3, &["incident", "analyse"]);
    town
}

/// A server, and an agent of the third site that has enrolled there.
fn enrolled(place: &Place) -> (Server, String) {
    let text = code_of(place, "Ville de X", "*");
    let (server, url) = serve(place, FREE);
    agent(place, 0, &["enrol", "--server", &url, "--code", &text, "--host", "town"]);
    (server, url)
}

/// Goal: a site that an incident waits for is looked at by its agent, and what is there decides.
/// Method: an unknown site is dark; its agent has an empty folder first, and a clear one then.
#[test]
fn a_site_that_an_incident_waits_for_is_looked_at_by_its_agent() {
    let town = waiting();
    let place = &town.place;
    let (server, _) = enrolled(place);
    agent(place, 0, &["run", "--once"]);
    let folder = place.path("srv").display().to_string();
    place.write(
        "agent/agent.toml",
        format!("[sites]\nmun-001 = \"{folder}\"\nsan-001 = \"{folder}\"\n"),
    );
    fs::create_dir(&folder).unwrap();
    let empty = agent(place, 1, &["run", "--once"]);
    assert!(empty.stderr.contains("holds no file"), "{}", empty.text());
    assert!(empty.stderr.contains("san-001"), "of another organisation: {}", empty.text());
    assert_eq!(town.status("mun1.example"), 503);
    place.write("srv/log4j.jar", crate::place::log4j("2.17.1"));
    let sent = agent(place, 0, &["run", "--once", "--json"]);
    let lines: Vec<&str> = sent.stdout.lines().collect();
    let document: serde_json::Value = serde_json::from_str(lines[1]).unwrap();
    assert_eq!(document["schema"], "relight.agent-inventory/1");
    assert_eq!((&document["site"], &document["complete"]), (&"mun-001".into(), &true.into()));
    // What is clear comes back by itself; the affected one stays dark.
    let began = Instant::now();
    while town.status("mun1.example") != 200 {
        assert!(began.elapsed() < Duration::from_secs(60), "it did not come back");
        thread::yield_now();
    }
    assert_eq!(town.status("san1.example"), 503);
    let again = agent(place, 0, &["run", "--once", "--json"]);
    assert_eq!(again.stdout.lines().count(), 1, "nobody waits any more: {}", again.text());
    let status = agent(place, 0, &["status", "--json"]).json();
    assert_eq!(status["sites"][0]["site"], "mun-001");
    assert_eq!(server.terminate(), Some(0));
    let affected = place.expect(0, &["affected", "CVE-2021-44228", "--json"]).json();
    assert_eq!(affected["total"]["unknown"], 0, "{affected}");
    let log = place.expect(0, &["incident", "log", "CVE-2021-44228", "--json"]).json();
    let by_agent = |entry: &serde_json::Value| entry["actor"] == "agent town";
    assert!(log["entries"].as_array().unwrap().iter().any(by_agent), "{log}");
}

/// A folder that takes an hour to read, and no room: its files are holes.
fn endless(place: &Place) -> Vec<File> {
    fs::create_dir(place.path("srv")).unwrap();
    let hole = |number: u32| {
        let file = File::create(place.path(&format!("srv/hole-{number}"))).unwrap();
        file.set_len(64 << 30).unwrap();
        file
    };
    (0..64).map(hole).collect()
}

/// Goal: a look holds up neither turns nor the end. Method: an agent looks at a folder that takes
/// an hour; its server goes and comes back, and then it is ended.
#[test]
fn an_agent_has_its_turns_while_it_looks_and_ends_when_it_is_asked_to() {
    let town = waiting();
    let place = &town.place;
    let (server, url) = enrolled(place);
    let _holes = endless(place);
    let folder = place.path("srv").display().to_string();
    place.write("agent/agent.toml", format!("[sites]\nmun-001 = \"{folder}\"\n"));
    let data = place.path("agent").display().to_string();
    let run = ["agent", "run", "--every", "1", "--json", "--data", &data];
    let (running, said) = Server::run(place, &run);
    assert!(said["fault"].is_null(), "{said}");
    let began = Instant::now();
    let looks = |status| agent(place, status, &["status", "--json"]).json()["looks"].clone();
    while looks(0)["site"] != "mun-001" {
        assert!(began.elapsed() < Duration::from_secs(60), "it does not look");
    }
    let text = |lang| agent(place, 0, &["status", "--lang", lang]).stdout;
    assert!(text("en").contains("looks at mun-001 since "), "{}", text("en"));
    assert!(text("fr").contains("regarde mun-001 depuis "), "{}", text("fr"));

    assert_eq!(server.terminate(), Some(0));
    assert_eq!(running.next()["fault"], "unreachable");
    assert_eq!(looks(3)["site"], "mun-001");
    let (_server, _) = serve(place, url.trim_start_matches("https://"));
    assert!(running.next()["fault"].is_null());
    assert_eq!(looks(0)["site"], "mun-001");
    let asked = Instant::now();
    assert_eq!(running.terminate(), Some(0));
    assert!(asked.elapsed() < Duration::from_secs(30), "{:?}", asked.elapsed());
    assert!(looks(0).is_null());

    // Whoever runs it once does not take a look that was ended for one that was sent.
    let (once, said) = Server::run(place, &["agent", "run", "--once", "--json", "--data", &data]);
    assert!(said["fault"].is_null(), "{said}");
    let began = Instant::now();
    while looks(0)["site"] != "mun-001" {
        assert!(began.elapsed() < Duration::from_secs(60), "it does not look");
    }
    assert_eq!(once.terminate(), Some(1));
}

/// Goal: `agent.toml` is read while the agent runs, and no turn makes the answer of a look that is
/// under way worthless. Method: while it looks, the file names another site, which is not its own,
/// says something wrong, and is right again; then the folder is emptied of all that takes time.
#[test]
fn a_file_that_changed_is_read_again_and_a_look_goes_on_meanwhile() {
    let town = waiting();
    let place = &town.place;
    let (_server, _) = enrolled(place);
    let holes = endless(place);
    let folder = place.path("srv").display().to_string();
    let data = place.path("agent").display().to_string();
    let run = ["agent", "run", "--every", "1", "--json", "--data", &data];
    let (mut running, said) = Server::run(place, &run);
    assert!(said["fault"].is_null(), "{said}");
    let mut told = running.stderr().lines().map(Result::unwrap);
    let mut heard = Vec::new();
    let mut hear = |words: &str| {
        while !heard.last().is_some_and(|line: &String| line.contains(words)) {
            heard.push(told.next().unwrap());
        }
        heard.push(String::new());
    };
    let own = format!("[sites]\nmun-001 = \"{folder}\"\n");
    place.write("agent/agent.toml", &own);
    hear("agent.toml again: 1 site");
    hear("looks at mun-001");
    // What is told of it was answered at a turn.
    place.write("agent/agent.toml", format!("{own}san-001 = \"{folder}\"\n"));
    hear("agent.toml again: 2 sites");
    hear("san-001: this site is not this agent");
    place.write("agent/agent.toml", "[sites]\nmun-001 = \"srv\"\n");
    hear("srv is no whole path");
    hear("what it said before holds");
    place.write("agent/agent.toml", &own);
    hear("agent.toml again: 1 site");
    holes.iter().for_each(|hole| hole.set_len(0).unwrap());
    let sent = running.next();
    assert_eq!(
        (&sent["schema"], &sent["site"]),
        (&"relight.agent-inventory/1".into(), &"mun-001".into())
    );
    assert_eq!(running.terminate(), Some(0));
    heard.extend(told);
    let count = |words: &str| heard.iter().filter(|line| line.contains(words)).count();
    assert_eq!(count("is no whole path"), 1, "{heard:?}");
    assert_eq!(count("this inventory no more"), 0, "{heard:?}");
    assert_eq!(count("looks at mun-001"), 1, "{heard:?}");
}

/// Goal: what was in the wrong folder says nothing of a site. Method: while an agent looks at an
/// endless folder, its file names another one; then the first one is emptied of all that takes
/// time.
#[test]
fn a_folder_that_was_corrected_is_looked_at_and_nothing_of_the_other_is_sent() {
    let town = waiting();
    let place = &town.place;
    let (_server, _) = enrolled(place);
    let holes = endless(place);
    place.write("right/log4j.jar", crate::place::log4j("2.17.1"));
    let is_in = |folder: &str| {
        let folder = place.path(folder).display().to_string();
        place.write("agent/agent.toml", format!("[sites]\nmun-001 = \"{folder}\"\n"));
    };
    is_in("srv");
    let data = place.path("agent").display().to_string();
    let run = ["agent", "run", "--every", "1", "--json", "--data", &data];
    let (mut running, said) = Server::run(place, &run);
    assert!(said["fault"].is_null(), "{said}");
    let mut told = running.stderr().lines().map(Result::unwrap);
    let mut hear = |words: &str| while !told.next().unwrap().contains(words) {};
    hear("looks at mun-001");
    is_in("right");
    hear("agent.toml again: 1 site");
    holes.iter().for_each(|hole| hole.set_len(0).unwrap());
    let sent = running.next();
    assert_eq!((&sent["site"], &sent["components"]), (&"mun-001".into(), &1.into()), "{sent}");
    assert_eq!(running.terminate(), Some(0));
}
