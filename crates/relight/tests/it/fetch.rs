//! Feeds over the network, from a server on the loopback: `advisories feeds`, `update`, and
//! `serve --fetch`.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Stdio;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use expect_test::expect;
use serde_json::Value;

use crate::place::{Outcome, Place, log4j};
use crate::serve::Server;

const FEED: &str = r#"{"id":"GHSA-test-0010-feed","aliases":["CVE-2099-0010"],
"modified":"2099-01-01T00:00:00Z","summary":"log4j-core once more",
"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H"}],
"affected":[{"package":{"ecosystem":"Maven","name":"org.apache.logging.log4j:log4j-core"},
"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"2.17.0"},{"fixed":"2.17.2"}]}]}]}"#;

const WHAT: [&str; 3] = ["affected", "CVE-2099-0010", "--json"];

/// How long a program may take to come to a point.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// What a path gives: a text, or half of it and then nothing more.
#[derive(Clone)]
enum Page {
    Text(String),
    Stalls(String),
}

/// A server of documents; each path that is asked for is told before it is answered.
struct Mirror {
    port: u16,
    pages: Arc<Mutex<BTreeMap<String, Page>>>,
    asked: mpsc::Receiver<String>,
}

impl Mirror {
    fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let pages = Arc::<Mutex<BTreeMap<String, Page>>>::default();
        let (told, asked) = mpsc::channel();
        let shared = Arc::clone(&pages);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (pages, told) = (Arc::clone(&shared), told.clone());
                // A program that is killed in the middle is what one test is about.
                thread::spawn(move || drop(answer(stream, &pages, &told)));
            }
        });
        Self { port, pages, asked }
    }

    fn put(&self, path: &str, page: Page) {
        self.pages.lock().unwrap().insert(path.to_owned(), page);
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// What a run said, with a name for the port.
    fn plain(&self, outcome: &Outcome) -> String {
        outcome.text().replace(&self.port.to_string(), "PORT")
    }
}

fn answer(
    stream: TcpStream,
    pages: &Mutex<BTreeMap<String, Page>>,
    told: &mpsc::Sender<String>,
) -> io::Result<()> {
    let mut lines = BufReader::new(stream);
    let mut head = String::new();
    while lines.read_line(&mut head)? > 2 {}
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let page = pages.lock().unwrap().get(&path).cloned();
    let stream = lines.get_mut();
    let head = |status: &str, length: usize| {
        format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n")
    };
    match page {
        None => stream.write_all(head("404 Not Found", 0).as_bytes())?,
        Some(Page::Text(text)) => {
            stream.write_all(format!("{}{text}", head("200 OK", text.len())).as_bytes())?;
        }
        Some(Page::Stalls(text)) => {
            let half = &text[..text.len() / 2];
            stream.write_all(format!("{}{half}", head("200 OK", text.len())).as_bytes())?;
            told.send(path).unwrap();
            return io::copy(&mut lines, &mut io::sink()).map(drop);
        }
    }
    let _ = told.send(path);
    Ok(())
}

fn town() -> Place {
    let place = Place::with_sites();
    place.write("good/log4j.jar", log4j("2.17.1"));
    place.expect(0, &["scan", "good", "--site", "san-002"]);
    place
}

#[test]
fn nothing_is_fetched_that_nobody_named() {
    let place = Place::new();
    expect![[r#"
        --- stderr
        error: there is nothing to fetch: this register has no feeds
        hint: relight advisories feeds add kev epss osv/Maven; or without a network: relight advisories update --offline DIR
        --- status 2
    "#]]
    .assert_eq(&place.run(&["advisories", "update"]).text());
    place.expect(2, &["advisories", "update", "kev", "--offline", "osv"]);
    place.expect(2, &["serve", "--ca", "ca.pem"]);
    let none = place.expect(0, &["advisories", "feeds", "--json"]).json();
    assert_eq!(none["feeds"], Value::Array(Vec::new()));
}

/// Certificates are no remedy for a data folder that cannot be written.
#[test]
fn what_keeps_a_fetch_from_starting_is_told_with_its_own_remedy() {
    let place = Place::new();
    place.expect(0, &["advisories", "feeds", "add", "kev"]);
    let missing = place.expect(1, &["advisories", "update", "--ca", "nothing.pem"]).stderr;
    assert!(missing.contains("hint: name a file of certificates (PEM) with --ca"), "{missing}");
    place.write("data/fetching", "a file where a folder belongs");
    let unwritable = place.expect(1, &["advisories", "update"]).stderr;
    assert!(unwritable.contains("the data folder cannot be written"), "{unwritable}");
    assert!(!unwritable.contains("--ca"), "{unwritable}");
}

#[test]
fn feeds_are_named_shown_and_taken_away() {
    let place = Place::new();
    place.expect(0, &["advisories", "feeds", "add", "kev", "osv/Maven", "--every", "2h"]);
    expect![[r#"
        kev: never fetched whole
          https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json · every 120 min
          last good -, last tried -
        osv/Maven: never fetched whole
          https://osv-vulnerabilities.storage.googleapis.com/Maven · every 120 min
          last good -, last tried -
        Feeds known by name: alpine/vN.NN, csaf/DOMAIN, cve, debian, epss, kev, nvd, osv/ECOSYSTEM
        Next: relight advisories update
        --- stderr
        --- status 0
    "#]]
    .assert_eq(&place.run(&["advisories", "feeds"]).text());
    place.expect(0, &["advisories", "feeds", "remove", "osv/Maven", "--json"]);
    let add = |words: &[&str]| {
        place.run(&[&["advisories", "feeds", "add", "--lang", "fr"], words].concat()).text()
    };
    expect![[r#"
        --- stderr
        erreur : il y a déjà un fil de ce nom : kev
        conseil : relight advisories feeds remove avec son nom, puis l’ajouter de nouveau
        --- status 2
    "#]]
    .assert_eq(&add(&["kev"]));
    expect![[r#"
        --- stderr
        erreur : cette adresse n’est pas interrogée : http://feeds.example/a.json
        conseil : https, sans mot de passe; http sur cette machine seulement, car qui se trouve en chemin pourrait écrire des avis
        --- status 2
    "#]]
    .assert_eq(&add(&["ours", "--url", "http://feeds.example/a.json"]));
    for (words, what) in [
        (&["nobody"][..], "aucun fil n’est connu sous ce nom : nobody"),
        (&["epss", "--every", "10s"], "ce n’est pas un temps entre deux lectures : 10s"),
        (&["epss", "--every", "1m"], "ce n’est pas un temps entre deux lectures : 60"),
        (&["a", "b", "--url", "https://feeds.example/"], "une adresse sert à un seul fil : a, b"),
    ] {
        let (said, what) = (add(words), what.replace(" :", "\u{a0}:"));
        assert!(said.contains(&what) && said.ends_with("status 2\n"), "{said}");
    }
    place.expect(2, &["advisories", "feeds", "remove", "nobody"]);
    place.expect(2, &["advisories", "feeds", "add", "a", "--kind", "osv"]);
    let left = place.expect(0, &["advisories", "feeds", "--json"]).json();
    assert_eq!(left["feeds"].as_array().unwrap().len(), 1);
}

#[test]
fn a_feed_that_fails_is_told_and_takes_nothing_away() {
    let (place, mirror) = (town(), Mirror::start());
    mirror.put("/ours.json", Page::Text(FEED.to_owned()));
    for name in ["gone", "ours"] {
        let url = mirror.url(&format!("/{name}.json"));
        place.expect(0, &["advisories", "feeds", "add", name, "--url", &url]);
    }
    expect![[r#"
        gone: the server does not give the document; what was known stays
        ours: new: 1, changed: 0, unchanged: 0
        --- stderr
        warning: gone: feed that did not come
          technical detail: status: http://127.0.0.1:PORT/gone.json: 404 Not Found
        hint: what was known stays and counts; relight advisories feeds shows since when
        --- status 1
    "#]]
    .assert_eq(&mirror.plain(&place.run(&["advisories", "update"])));
    assert_eq!(place.expect(3, &WHAT).json()["total"]["affected"], 1);
    // Now the other one fails: what it said stays in force, and it says since when.
    mirror.put("/ours.json", Page::Text("<html>Please sign in</html>".to_owned()));
    let said = place.expect(1, &["advisories", "update", "ours", "--json"]).json();
    let row = &said["feeds"][0];
    assert_eq!(
        (&row["outcome"], &row["trouble"]["code"]),
        (&"failed".into(), &"nothing-usable".into())
    );
    assert_eq!(place.expect(3, &WHAT).json()["total"]["affected"], 1);
    let sources = place.expect(0, &["advisories", "sources", "--json"]).json();
    let feed = &sources["feeds"][1];
    assert_eq!((&feed["name"], &feed["errors"]), (&"ours".into(), &1.into()));
    assert!(feed["last_good"].is_string() && feed["trouble"]["code"] == "nothing-usable");
    let told = place.run(&["advisories", "sources"]).stdout;
    assert!(told.contains("what came holds no advisory: http://127.0.0.1:"), "{told}");
    mirror.put("/ours.json", Page::Text(FEED.to_owned()));
    let said = place.expect(0, &["advisories", "update", "ours", "--json"]).json();
    assert_eq!(
        (&said["feeds"][0]["outcome"], &said["feeds"][0]["same"]),
        (&"changed".into(), &1.into())
    );
    place.expect(2, &["advisories", "update", "nobody"]);
}

/// Killed while a document comes: the old state, and the next run is as good as the first.
#[test]
fn a_fetch_that_is_killed_leaves_the_old_state() {
    let (place, mirror) = (town(), Mirror::start());
    mirror.put("/ours.json", Page::Stalls(FEED.to_owned()));
    place.expect(0, &["advisories", "feeds", "add", "ours", "--url", &mirror.url("/ours.json")]);
    let mut command = place.command(&["advisories", "update"], &[]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    mirror.asked.recv_timeout(WAIT_MAX).unwrap();
    // Another command keeps out of its way.
    let beside = place.expect(1, &["advisories", "update"]);
    assert!(beside.stderr.contains("another process fetches"), "{}", beside.text());
    child.kill().unwrap();
    child.wait().unwrap();
    place.expect(1, &WHAT);
    assert!(place.path("data/fetching").exists(), "as it was left");
    mirror.put("/ours.json", Page::Text(FEED.to_owned()));
    place.expect(0, &["advisories", "update"]);
    assert_eq!(place.expect(3, &WHAT).json()["total"]["affected"], 1);
    assert!(!place.path("data/fetching").exists());
}

/// A server fetches what is due, changes its answers, and tells; a withdrawal that another command
/// fetches takes them back.
#[test]
fn a_server_that_is_told_to_fetches_what_is_due() {
    let (place, mirror) = (town(), Mirror::start());
    mirror.put("/ours.json", Page::Text(FEED.to_owned()));
    let free = ["--listen", "127.0.0.1:0", "--public-listen", "127.0.0.1:0"];
    let words = |more: &[&'static str]| [&["serve", "--json"][..], &free, more].concat();
    // One that was not told to asks nobody.
    let add = ["advisories", "feeds", "add", "ours", "--url", &mirror.url("/ours.json")];
    place.expect(0, &add);
    let (idle, _) = Server::run(&place, &words(&[]));
    assert_eq!(idle.terminate(), Some(0));
    assert!(mirror.asked.try_recv().is_err());
    let (server, _) = Server::run(&place, &words(&["--fetch"]));
    let fetched = server.next();
    assert_eq!(
        (&fetched["schema"], &fetched["feeds"][0]["new"]),
        (&"relight.advisories-fetch/1".into(), &1.into())
    );
    let notice = server.next();
    assert_eq!(
        (&notice["kind"], &notice["joined"]),
        (&"advisory".into(), &serde_json::json!(["san-002"]))
    );
    let withdrawn = FEED.replace(r#""aliases""#, r#""withdrawn":"2099-01-02T00:00:00Z","aliases""#);
    mirror.put("/ours.json", Page::Text(withdrawn));
    update_beside(&place);
    let notice = server.next();
    assert_eq!(
        (&notice["kind"], &notice["gone"]),
        (&"withdrawn".into(), &serde_json::json!(["san-002"]))
    );
    assert_eq!(server.terminate(), Some(0));
    let missing = place.run(&[&words(&["--fetch"])[..], &["--ca", "nothing.pem"]].concat());
    assert_eq!(missing.status, 1, "{}", missing.text());
}

/// Fetches by a command, once the server has done with its own look.
fn update_beside(place: &Place) {
    let deadline = Instant::now() + WAIT_MAX;
    while place.run(&["advisories", "update"]).status != 0 {
        assert!(Instant::now() < deadline, "the server keeps the right to fetch");
    }
}

/// Proxies are those of the environment.
#[test]
fn feeds_are_asked_through_the_proxy_of_the_environment() {
    let place = Place::new();
    let proxy = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = format!("http://{}", proxy.local_addr().unwrap());
    let line = thread::spawn(move || {
        let (mut stream, _) = proxy.accept().unwrap();
        // A head arrives in as many pieces as its sender wrote: it is read to its end.
        let head: Vec<String> = BufReader::new(&stream)
            .lines()
            .map(Result::unwrap)
            .take_while(|line| !line.is_empty())
            .collect();
        stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n").unwrap();
        head.first().cloned().unwrap_or_default()
    });
    let url = "https://feeds.example/a.json";
    place.expect(0, &["advisories", "feeds", "add", "ours", "--url", url]);
    let ca = fs::canonicalize("../relight-engine/fixtures/tls/ca.pem").unwrap();
    let said = place.run_with(
        &["advisories", "update", "--json"],
        &[("HTTPS_PROXY", &address), ("SSL_CERT_FILE", &ca.display().to_string())],
    );
    assert_eq!(line.join().unwrap(), "CONNECT feeds.example:443 HTTP/1.1");
    assert_eq!(said.json()["feeds"][0]["outcome"], "failed", "{}", said.text());
}
