//! A server signs how far the journal has come: at its start and at each close of an incident.

use std::fs;
use std::io::{BufRead as _, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use relight_engine::store::{AccountChange, GrantRow, SignInRow, Store};
use relight_model::Digest;

use crate::place::Place;
use crate::serve::Server;

/// How long a server may take.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// Somebody of Command who has signed in just now: the cookie.
fn command(place: &Place) -> String {
    let now = relight_server::clock::now();
    // What the value of 32 zero bytes is in the cookie, and its digest.
    let (value, digest) = ("A".repeat(43), Digest::parse(ZEROS).unwrap());
    let (role, scope, by) = ("commander".into(), "/".into(), "test".into());
    let grant = GrantRow { account: 0, role, scope, at: now, by };
    let sign_in = SignInRow {
        digest,
        account: 0,
        factor: "passkey".into(),
        started: now,
        seen: now,
        shown: now,
        address: "127.0.0.1".into(),
        agent: "Test".into(),
    };
    let store = Store::open(&place.path("data")).unwrap();
    let changes = [AccountChange::Grant(grant), AccountChange::SignIn(sign_in)];
    store.add_account("anna", now, &changes).unwrap();
    format!("__Host-rl={value}")
}

/// SHA-256 of 32 zero bytes.
const ZEROS: &str = "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925";

/// Sends a document to the API of a server; the status line.
fn send(console: &str, cookie: &str, path: &str, body: &str) -> String {
    let address = console.trim_start_matches("http://").trim_end_matches('/');
    let port = address.rsplit(':').next().unwrap();
    let mut wire = TcpStream::connect(address).unwrap();
    wire.set_read_timeout(Some(WAIT_MAX)).unwrap();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n\
         Origin: http://localhost:{port}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    wire.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    wire.read_to_string(&mut answer).unwrap();
    answer.lines().next().unwrap_or_default().to_owned()
}

fn files(folder: &std::path::Path) -> Vec<PathBuf> {
    let rows = fs::read_dir(folder).map(|rows| rows.map(|row| row.unwrap().path()));
    let mut files: Vec<PathBuf> = rows.into_iter().flatten().collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "json"));
    files.sort();
    files
}

#[test]
fn a_server_signs_heads_at_its_start_and_at_each_close() {
    let place = Place::with_sites();
    let elsewhere = tempfile::tempdir().unwrap();
    let folder = elsewhere.path().display().to_string();
    let cookie = command(&place);
    let free = ["serve", "--json", "--listen", "127.0.0.1:0", "--public-listen", "127.0.0.1:0"];
    // The folder that they speak for is no place for them.
    place.expect(2, &[&free[..], &["--heads", "data/heads"]].concat());
    let (server, started) = Server::run(&place, &[&free[..], &["--heads", &folder]].concat());
    let console = started["console"].as_str().unwrap();
    assert_eq!(files(elsewhere.path()).len(), 1, "at its start");
    let open = send(console, &cookie, "/api/v1/incidents", r#"{"advisory": "CVE-2021-44228"}"#);
    assert!(open.contains("201"), "{open}");
    let close = send(console, &cookie, "/api/v1/incidents/CVE-2021-44228/close", "{}");
    assert!(close.contains("200"), "{close}");
    let deadline = Instant::now() + WAIT_MAX;
    while files(elsewhere.path()).len() < 2 && Instant::now() < deadline {
        std::thread::park_timeout(Duration::from_millis(50));
    }
    let found = files(elsewhere.path());
    assert!(found.len() >= 2, "{found:?}");
    assert_eq!(server.terminate(), Some(0));
    let newest = found.last().unwrap().display().to_string();
    let told = place.expect(0, &["audit", "verify", "--head", &newest]);
    assert!(told.stdout.contains("1 signed head agrees"), "{}", told.text());
    let head = fs::read_to_string(&newest).unwrap();
    let whole = place.expect(0, &["audit", "export"]).stdout;
    let mut rows = whole.lines().map(|it| serde_json::from_str::<serde_json::Value>(it).unwrap());
    let closed = rows.find(|row| row["kind"] == "closed").unwrap();
    let head: serde_json::Value = serde_json::from_str(&head).unwrap();
    let entries = head["entries"].as_u64();
    assert!(entries >= closed["seq"].as_u64(), "it speaks for the close: {head} {closed}");
}

/// Goal: a server whose folder of heads is away goes on, tells it, and ends well. Method: a file
/// takes the place of the folder before an incident is closed.
#[test]
fn a_head_that_cannot_be_written_is_told_and_no_failure_of_the_server() {
    let place = Place::with_sites();
    let elsewhere = tempfile::tempdir().unwrap();
    let folder = elsewhere.path().join("heads");
    let cookie = command(&place);
    let free = ["serve", "--json", "--listen", "127.0.0.1:0", "--public-listen", "127.0.0.1:0"];
    let named = ["--heads", folder.to_str().unwrap()];
    let (mut server, started) = Server::run(&place, &[&free[..], &named].concat());
    let console = started["console"].as_str().unwrap();
    fs::remove_dir_all(&folder).unwrap();
    fs::write(&folder, "").unwrap();
    let told = server.stderr();
    let open = send(console, &cookie, "/api/v1/incidents", r#"{"advisory": "CVE-2021-44228"}"#);
    assert!(open.contains("201"), "{open}");
    let close = send(console, &cookie, "/api/v1/incidents/CVE-2021-44228/close", "{}");
    assert!(close.contains("200"), "{close}");
    let name = folder.display().to_string();
    let mut lines = told.lines().map_while(Result::ok);
    let warned = lines.find(|line| line.contains(&name)).unwrap();
    assert!(warned.starts_with("warning: cannot write"), "{warned}");
    assert_eq!(server.terminate(), Some(0), "nothing failed but the disk elsewhere");
}
