//! A server signs how far the journal has come: at its start and at each close of an incident.

use std::fs;
use std::io::{BufRead as _, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use relight_engine::store::{AccountChange, GrantRow, SignInRow, Store};
use relight_model::Digest;
use relight_server::receive::{ReceiveConfig, ReceiveLimits, Receiver, TlsFiles};

use crate::place::Place;
use crate::serve::Server;

/// How long a server may take.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// Somebody with a role who has signed in just now: the cookie.
pub(crate) fn signed_in(place: &Place, role: &str) -> String {
    let now = relight_server::clock::now();
    // What the value of 32 zero bytes is in the cookie, and its digest.
    let (value, digest) = ("A".repeat(43), Digest::parse(ZEROS).unwrap());
    let [role, scope, by] = [role, "/", "test"].map(str::to_owned);
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
    let cookie = signed_in(&place, "commander");
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
    let cookie = signed_in(&place, "commander");
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

/// Goal: every entry of the journal is at another system while the server runs, none is lost when
/// that system is away. Method: our own receiver takes them over TLS, ends, and comes back after
/// more of them were written.
#[test]
fn the_journal_is_sent_at_once_and_what_was_missed_follows() {
    let place = Place::with_sites();
    let cookie = signed_in(&place, "commander");
    let (spool, way) = (tempfile::tempdir().unwrap(), Way::start());
    let fixtures =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../relight-server/fixtures/receive");
    let key = place.path("receiver.pem");
    fs::copy(fixtures.join("key.pem"), &key).unwrap();
    fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let files = TlsFiles { certificate: fixtures.join("certificate.pem"), key };
    let receive = || {
        let config = ReceiveConfig {
            folder: spool.path().to_owned(),
            syslog_udp: None,
            syslog_tcp: None,
            syslog_tls: Some((([127, 0, 0, 1], 0).into(), files.clone())),
            flows: None,
            limits: ReceiveLimits::default(),
        };
        let receiver = Receiver::start(&config).unwrap();
        way.leads_to(Some(receiver.addresses()[0].1));
        receiver
    };
    let first = receive();
    let (to, authority) = (format!("localhost:{}", way.port), fixtures.join("certificate.pem"));
    let free = ["serve", "--json", "--listen", "127.0.0.1:0", "--public-listen", "127.0.0.1:0"];
    let named = ["--journal-to", &to, "--journal-ca", authority.to_str().unwrap()];
    let (mut server, started) = Server::run(&place, &[&free[..], &named].concat());
    let console = started["console"].as_str().unwrap();
    let came = |wanted: &str| {
        let deadline = Instant::now() + WAIT_MAX;
        loop {
            let text = spooled(spool.path());
            if text.contains(wanted) {
                return text;
            }
            assert!(Instant::now() < deadline, "{wanted} did not come: {text}");
            std::thread::park_timeout(Duration::from_millis(50));
        }
    };
    let open = send(console, &cookie, "/api/v1/incidents", r#"{"advisory": "CVE-2021-44228"}"#);
    assert!(open.contains("201"), "{open}");
    let text = came(r#""kind":"opened""#);
    assert!(text.contains(" - relight - opened - {\"seq\":"), "{text}");
    way.leads_to(None);
    first.stop();
    let mut told = server.stderr().lines().map_while(Result::ok);
    let lost = told.find(|line| line.contains("the journal is not taken at")).unwrap();
    assert!(lost.starts_with("warning: "), "{lost}");
    let close = send(console, &cookie, "/api/v1/incidents/CVE-2021-44228/close", "{}");
    assert!(close.contains("200"), "{close}");
    let second = receive();
    assert!(told.any(|line| line.contains("taken again at")), "and that it is back");
    came(r#""kind":"closed""#);
    assert_eq!(server.terminate(), Some(0));
    second.stop();
    let text = spooled(spool.path());
    let whole = place.expect(0, &["audit", "export"]).stdout;
    for line in whole.lines().skip(1) {
        assert!(text.contains(line), "missing elsewhere: {line}");
    }
}

/// A port that stays ours while what is behind it comes and goes.
struct Way {
    port: u16,
    to: Arc<Mutex<Option<SocketAddr>>>,
}

impl Way {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, to) = (listener.local_addr().unwrap().port(), Arc::default());
        let leads: Arc<Mutex<Option<SocketAddr>>> = Arc::clone(&to);
        std::thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                // Whoever comes while nothing is behind it is sent away.
                let far = leads.lock().unwrap().map(TcpStream::connect);
                let Some(Ok(far)) = far else { continue };
                let ends = [(&near, &far), (&far, &near)]
                    .map(|(from, into)| (from.try_clone().unwrap(), into.try_clone().unwrap()));
                for (mut from, mut into) in ends {
                    std::thread::spawn(move || {
                        let _ = std::io::copy(&mut from, &mut into);
                        let _ = into.shutdown(std::net::Shutdown::Both);
                    });
                }
            }
        });
        Self { port, to }
    }

    fn leads_to(&self, address: Option<SocketAddr>) {
        *self.to.lock().unwrap() = address;
    }
}

/// All that a receiver wrote.
fn spooled(folder: &std::path::Path) -> String {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|row| row.unwrap().path()).collect();
    files.sort();
    files.iter().map(|path| fs::read_to_string(path).unwrap_or_default()).collect()
}

/// Goal: a key that a vault unseals for one service is used from there, and never written down.
/// Method: two folders of data that never saw it sign a head with one folder of credentials.
#[test]
fn a_key_of_a_vault_signs_and_stays_in_the_vault() {
    use std::os::unix::fs::PermissionsExt as _;
    let (place, elsewhere) = (Place::with_sites(), tempfile::tempdir().unwrap());
    let vault = tempfile::tempdir().unwrap();
    let sealed = vault.path().join("certificate-key");
    fs::write(&sealed, [7; 32]).unwrap();
    fs::set_permissions(&sealed, fs::Permissions::from_mode(0o400)).unwrap();
    let folder = elsewhere.path().display().to_string();
    let head = |variables: &[(&str, &str)]| {
        let words = ["audit", "head", &folder, "--json"];
        let done = place.command(&words, variables).output().unwrap();
        assert!(done.status.success(), "{done:?}");
        let document: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
        document["key"].as_str().unwrap().to_owned()
    };
    let variable = ("CREDENTIALS_DIRECTORY", vault.path().to_str().unwrap());
    let key = head(&[variable]);
    // Ed25519 of a seed of 32 sevens.
    assert_eq!(key, "ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c");
    // A vault that cannot be looked into is not one that is empty.
    let closed = ("CREDENTIALS_DIRECTORY", sealed.to_str().unwrap());
    let told = place.command(&["audit", "head", &folder], &[closed]).output().unwrap();
    assert!(!told.status.success(), "{told:?}");
    assert!(!place.path("data/certificate-key").exists(), "it was not written down");
    assert_ne!(head(&[]), key, "without the vault the folder has a key of its own");
    assert_eq!(head(&[variable]), key, "and the vault comes first");
    // Somebody else may read it: then it is no secret.
    fs::set_permissions(&sealed, fs::Permissions::from_mode(0o444)).unwrap();
    let told = place.command(&["audit", "head", &folder], &[variable]).output().unwrap();
    let error = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(!told.status.success() && error.contains("chmod 600"), "{error}");
}
