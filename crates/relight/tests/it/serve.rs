//! `relight serve`: a feed folder of a running server changes answers, and people are told.

use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};
use std::{fs, thread};

use serde_json::Value;

use crate::place::{Place, log4j, visitor};

/// An advisory of our own about a library that one of the sites has.
pub(crate) const FEED: &str = r#"{"schema_version":"1.7.0","id":"GHSA-test-0009-feed",
"aliases":["CVE-2099-0009"],"modified":"2099-01-01T00:00:00Z","summary":"log4j-core again",
"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H"}],
"affected":[{"package":{"ecosystem":"Maven","name":"org.apache.logging.log4j:log4j-core"},
"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"2.17.0"},{"fixed":"2.17.2"}]}]}]}"#;

/// The supplier of that library says that one version of it is not affected.
const VEX: &str = r#"{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://example.org/vex/9",
"author":"Example Supplier","timestamp":"2099-01-01T00:00:00Z","version":1,"statements":[{
"vulnerability":{"name":"CVE-2099-0009"},"status":"not_affected",
"justification":"vulnerable_code_not_present",
"products":[{"@id":"pkg:maven/org.apache.logging.log4j/log4j-core@2.17.1"}]}]}"#;

const WHAT: [&str; 3] = ["affected", "CVE-2099-0009", "--json"];

/// How long a server may take to say something.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// A server on free ports of the loopback, killed when the test ends before it.
pub(crate) struct Server {
    child: Child,
    lines: Receiver<String>,
}

impl Server {
    pub(crate) fn start(place: &Place) -> (Self, Value) {
        let free = ["--listen", "127.0.0.1:0", "--public-listen", "127.0.0.1:0"];
        let arguments = [&["serve", "--json"][..], &free].concat();
        let (server, started) = Self::run(place, &arguments);
        assert_eq!(started["schema"], "relight.serve/1");
        (server, started)
    }

    /// A command that goes on until it is ended, and its first document.
    pub(crate) fn run(place: &Place, arguments: &[&str]) -> (Self, Value) {
        Self::spawn(place.command(arguments, &[]))
    }

    fn spawn(mut command: Command) -> (Self, Value) {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (told, lines) = mpsc::channel();
        thread::spawn(move || {
            stdout.lines().map_while(Result::ok).try_for_each(|line| told.send(line))
        });
        let server = Self { child, lines };
        let started = server.next();
        (server, started)
    }

    /// The next document.
    pub(crate) fn next(&self) -> Value {
        let line = self.lines.recv_timeout(WAIT_MAX).expect("no document in time");
        serde_json::from_str(&line).unwrap()
    }

    /// What it tells people.
    pub(crate) fn stderr(&mut self) -> BufReader<ChildStderr> {
        BufReader::new(self.child.stderr.take().unwrap())
    }

    /// Asks it to end, as an init system does; gives the status.
    pub(crate) fn terminate(mut self) -> Option<i32> {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        self.child.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Drops a file as a mirror does: written under another name, then renamed.
fn drop_feed(place: &Place, name: &str, text: &str) {
    let part = place.write(&format!("data/feeds/{name}.part"), text);
    fs::rename(part, place.path(&format!("data/feeds/{name}"))).unwrap();
}

fn town() -> Place {
    let place = Place::with_sites();
    place.write("good/log4j.jar", log4j("2.17.1"));
    place.expect(0, &["scan", "good", "--site", "san-002"]);
    place
}

fn slugs(answer: &Value) -> Vec<&str> {
    answer.as_array().unwrap().iter().map(|slug| slug.as_str().unwrap()).collect()
}

/// Trap: connections to the public page that say nothing took every file that the process may have
/// open; nothing was read any more, no gate written, and the console did not answer.
#[test]
fn silent_connections_to_the_public_page_take_no_files_from_the_rest() {
    const FILES: usize = 256;
    let place = town();
    let free = ["--listen", "127.0.0.1:0", "--public-listen", "127.0.0.1:0"];
    let plain = place.command(&[&["serve", "--json"][..], &free].concat(), &[]);
    #[expect(clippy::disallowed_methods, reason = "the program in a shell that limits it")]
    let mut limited = Command::new("/bin/sh");
    limited.args(["-c", &format!("ulimit -n {FILES} && exec \"$0\" \"$@\"")]);
    limited.arg(plain.get_program()).args(plain.get_args());
    limited.current_dir(place.path("")).env_clear().env("RELIGHT_DATA", place.path("data"));
    let (server, started) = Server::spawn(limited);
    let address = |listener: &str| -> SocketAddr {
        let text = started[listener].as_str().unwrap();
        text.trim_start_matches("http://").trim_end_matches('/').parse().unwrap()
    };
    let public = address("public");
    let silent: Vec<_> = (0..2 * FILES).map(|_| TcpStream::connect(public).unwrap()).collect();
    let request = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    assert_eq!(visitor(address("console")).exchange(request, false).unwrap().status, 200);
    drop_feed(&place, "new.json", FEED);
    assert_eq!(server.next()["advisory"], "CVE-2099-0009");
    drop(silent);
    assert_eq!(server.terminate(), Some(0));
}

#[test]
fn a_feed_changes_answers_and_proposals_without_a_restart_and_a_withdrawal_takes_them_back() {
    let place = town();
    let (server, _) = Server::start(&place);
    place.expect(1, &WHAT);
    drop_feed(&place, "new.json", FEED);
    let notice = server.next();
    assert_eq!(
        (&notice["kind"], &notice["advisory"]),
        (&"advisory".into(), &"CVE-2099-0009".into())
    );
    assert_eq!((slugs(&notice["joined"]), &notice["proposed"]), (vec!["san-002"], &true.into()));
    let affected = place.expect(3, &WHAT).json();
    assert_eq!(affected["total"]["affected"], 1, "{affected}");
    let listed = place.expect(0, &["incident", "list", "--json"]).json();
    assert_eq!(listed["proposals"][0]["advisory"], "CVE-2099-0009");
    let withdrawn = FEED.replace(r#""aliases""#, r#""withdrawn":"2099-01-02T00:00:00Z","aliases""#);
    drop_feed(&place, "gone.json", &withdrawn);
    let notice = server.next();
    assert_eq!((&notice["kind"], slugs(&notice["gone"])), (&"withdrawn".into(), vec!["san-002"]));
    assert_eq!(place.run(&WHAT).json()["total"]["affected"], 0);
    let listed = place.expect(0, &["incident", "list", "--json"]).json();
    assert_eq!(listed["proposals"], Value::Array(Vec::new()));
    assert_eq!(server.terminate(), Some(0));
}

/// Goal: the strictest rules do not come to hold unseen while a server runs. Method: the policy is
/// broken, and another process writes twice, each of which makes the server look at it.
#[test]
fn a_policy_that_breaks_while_a_server_runs_is_told_once() {
    let place = town();
    let (mut server, _) = Server::start(&place);
    let mut stderr = server.stderr();
    place.write("data/policy.toml", "[operators");
    let withdrawn = FEED.replace(r#""aliases""#, r#""withdrawn":"2099-01-02T00:00:00Z","aliases""#);
    for (feed, text, kind) in
        [("new.json", FEED, "advisory"), ("gone.json", withdrawn.as_str(), "withdrawn")]
    {
        place.expect(0, &["scan", "good", "--site", "san-001"]);
        drop_feed(&place, feed, text);
        // What is told comes after the policy was looked at.
        while server.next()["kind"] != kind {}
    }
    assert_eq!(server.terminate(), Some(0), "it ends in order");
    let mut told = String::new();
    stderr.read_to_string(&mut told).unwrap();
    assert_eq!(told.matches("policy.toml cannot be used").count(), 1, "{told}");
}

#[test]
fn what_changed_while_no_server_ran_is_told_at_the_next_start() {
    let place = town();
    let (server, _) = Server::start(&place);
    assert_eq!(server.terminate(), Some(0));
    place.write("osv/new.json", FEED);
    place.expect(0, &["advisories", "update", "--offline", "osv"]);
    let (server, _) = Server::start(&place);
    assert_eq!(server.next()["advisory"], "CVE-2099-0009");
}

#[test]
fn another_command_on_the_same_register_is_seen() {
    let place = town();
    let (server, _) = Server::start(&place);
    place.write("osv/new.json", FEED);
    place.expect(0, &["advisories", "update", "--offline", "osv"]);
    assert_eq!(server.next()["advisory"], "CVE-2099-0009");
}

/// Goal: commands that add inventories or advisories leave a running server alone, and it takes in
/// what they brought. Method: each kind of command beside one server, which has to tell.
#[test]
fn inventories_and_trust_from_other_commands_reach_a_running_server() {
    let place = town();
    let (server, _) = Server::start(&place);
    place.write("osv/new.json", FEED);
    place.expect(0, &["advisories", "import", "osv/new.json"]);
    assert_eq!(slugs(&server.next()["joined"]), ["san-002"]);
    // Another site gets the same library; the next revision tells both.
    place.write("other/log4j.jar", log4j("2.17.0"));
    place.expect(0, &["scan", "other", "--site", "san-001"]);
    place.write("osv/new.json", FEED.replace("2.17.2", "2.17.3"));
    place.expect(0, &["advisories", "import", "osv/new.json"]);
    let notice = server.next();
    assert_eq!((&notice["affected"], slugs(&notice["joined"])), (&2.into(), vec!["san-001"]));
    // The word of a supplier counts from the moment when the operator trusts it.
    place.write("vex/one.json", VEX);
    place.expect(0, &["advisories", "import", "vex/one.json"]);
    place.expect(0, &["advisories", "vex", "--trust", "Example Supplier"]);
    assert_eq!(slugs(&server.next()["gone"]), ["san-002"]);
    place.expect(0, &["advisories", "vex", "--distrust", "Example Supplier"]);
    assert_eq!(slugs(&server.next()["joined"]), ["san-002"]);
    assert_eq!(server.terminate(), Some(0));
}

/// Goal: sites that come, change and go beside a running server are so on its pages. Method: lists
/// imported by another command; the notice of a feed says that the server has looked.
#[test]
fn sites_from_another_command_are_on_the_pages_of_a_running_server() {
    let place = town();
    let (server, started) = Server::start(&place);
    let csv = || {
        let read = fs::read_to_string(place.path("data/public/current/sites.csv"));
        read.unwrap_or_default()
    };
    let public = |holds: &dyn Fn(&str) -> bool| {
        let started = Instant::now();
        while !holds(&csv()) {
            assert!(started.elapsed() < WAIT_MAX, "{}", csv());
            thread::yield_now();
        }
    };
    let sites = |rows: &str| {
        place.write("more.csv", format!("{HEAD}{rows}"));
        place.expect(0, &["sites", "import", "more.csv"]);
    };
    assert!(!page(&started, "/sites?lang=en").1.contains("aaa-001"));
    sites("aaa-001;Aaa;Aaa first;https://aaa.example;Office A;energy;2;north;yes\n");
    drop_feed(&place, "new.json", FEED);
    assert_eq!(server.next()["advisory"], "CVE-2099-0009");
    let (_, shown) = page(&started, "/sites?lang=en");
    for text in ["aaa-001", "Aaa first", "Office A", "san-002"] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    let (_, sectors) = page(&started, "/sites?lang=en&sector=energy");
    assert!(sectors.contains("aaa-001") && !sectors.contains("san-002"), "{sectors}");
    assert!(page(&started, "/?lang=en").1.contains("4 lights"));
    public(&|csv| csv.contains("aaa-001,") && csv.contains("san-002,"));
    // A name that changes is another name, and what is not public any more is not there.
    sites("aaa-001;Aaa;Renamed;https://aaa.example;Office A;energy;2;north;no\n");
    drop_feed(&place, "new.json", &FEED.replace("2.17.2", "2.17.1"));
    assert_eq!(slugs(&server.next()["gone"]), ["san-002"]);
    assert!(page(&started, "/sites?lang=en").1.contains("Renamed"));
    public(&|csv| !csv.contains("aaa-001,") && csv.contains("san-002,"));
    assert_eq!(server.terminate(), Some(0));
}

/// The columns of a list of sites.
const HEAD: &str = "slug;name_fr;name_en;origin;organisation;sector;criticality;edge;public\n";

/// Nobody takes the register from a server by the way: what would is refused and says so, and what
/// writes nothing to the journal goes on beside it.
#[test]
fn commands_beside_a_server_never_end_it() {
    let place = town();
    place.write("data/policy.toml", "[operators]\nsingle = \"A. Tremblay\"\n");
    let (server, _) = Server::start(&place);
    for command in [
        &["incident", "open", "CVE-2021-44228"][..],
        &["incident", "off", "--sites", "site:san-001", "--reason", "a drill", "--yes"],
    ] {
        let told = place.expect(1, command);
        assert!(told.stderr.contains("a server that runs controls this register"), "{command:?}");
    }
    let line = "san1.example:443 8.8.4.4 - - [09/Nov/2025:10:00:00 +0000] \"GET / HTTP/1.1\" 200 9 \
                \"-\" \"Mozilla/5.0\"\n";
    place.write("access.log", line);
    place.expect(0, &["watch", "ingest", "access.log", "--org", "Santé Nord"]);
    // It lives: a feed that comes now is read and told.
    drop_feed(&place, "new.json", FEED);
    assert_eq!(server.next()["advisory"], "CVE-2099-0009");
    assert_eq!(server.terminate(), Some(0));
    let told = place.run(&["incident", "open", "CVE-2099-0009"]);
    assert!(!told.stderr.contains("a server that runs"), "{}", told.text());
}

#[test]
fn a_bad_record_in_a_feed_costs_no_other_and_stops_nothing() {
    let place = town();
    let (server, started) = Server::start(&place);
    drop_feed(&place, "a-bad.json", "{\"id\": 7}");
    drop_feed(&place, "b-cut.json", &FEED[..FEED.len() / 2]);
    drop_feed(&place, "c-good.json", FEED);
    assert_eq!(server.next()["advisory"], "CVE-2099-0009");
    let console = started["console"].as_str().unwrap().trim_start_matches("http://");
    let address = console.trim_end_matches('/').parse().unwrap();
    let page = visitor(address).get("localhost", "/").unwrap();
    assert_eq!(page.status, 200);
    assert_eq!(server.terminate(), Some(0));
}

/// A page of the console of a running server.
fn page(started: &Value, path: &str) -> (u16, String) {
    let console = started["console"].as_str().unwrap().trim_start_matches("http://");
    let address = console.trim_end_matches('/').parse().unwrap();
    let page = visitor(address).get("localhost", path).unwrap();
    (page.status, String::from_utf8_lossy(&page.body).into_owned())
}

#[test]
fn the_console_answers_which_of_our_sites_and_shows_one_with_its_evidence() {
    let place = town();
    place.write("bad/log4j.jar", log4j("2.14.1"));
    place.expect(0, &["scan", "bad", "--site", "san-001"]);
    let (server, started) = Server::start(&place);
    let (status, answer) = page(&started, "/affected?lang=en&q=CVE-2021-44228");
    assert_eq!(status, 200);
    assert!(answer.contains("1 of ") && answer.contains("/site/san-001?lang=en"), "{answer}");
    assert!(answer.contains("<code>log4j.jar</code>"), "{answer}");
    let (_, clear) = page(&started, "/affected?lang=en&q=CVE-2021-44228&state=clear");
    assert!(clear.contains("/site/san-002?") && !clear.contains("/site/san-001?"), "{clear}");
    let (status, site) = page(&started, "/site/san-001?lang=fr");
    assert_eq!(status, 200);
    for text in ["CVE-2021-44228", "CVSS 10,0", "log4j-core", "2.14.1", "log4j.jar"] {
        assert!(site.contains(text), "{text}: {site}");
    }
    assert_eq!(page(&started, "/site/nowhere").0, 404);
    let (_, unknown) = page(&started, "/affected?lang=en&q=CVE-1900-1");
    assert!(unknown.contains("role=\"alert\"") && unknown.contains("CVE-1900-1"), "{unknown}");
    let (_, bad) = page(&started, "/affected?lang=fr&q=%3C%3Cscript%3E");
    assert!(bad.contains("role=\"alert\"") && !bad.contains("<<script>"), "{bad}");
    let (_, watch) = page(&started, "/watch?lang=fr");
    assert!(watch.contains("Une reconnaissance n’est pas un signe de compromission."), "{watch}");
    assert_eq!(server.terminate(), Some(0));
}

#[test]
fn the_public_page_is_exported_and_served_without_a_console() {
    let place = town();
    let outcome = place.expect(1, &["public", "serve", "--listen", "127.0.0.1:0"]);
    assert!(outcome.stderr.contains("relight public export"), "{}", outcome.stderr);
    let document = place.expect(0, &["public", "export", "--json"]).json();
    assert_eq!(document["schema"], "relight.public-export/1");
    let current = place.path("data/public/current");
    let csv = fs::read_to_string(current.join("sites.csv")).unwrap();
    assert!(csv.contains("san-002,") && csv.contains(",online,"), "{csv}");
    assert!(current.join("api/v2/summary.json").is_file());
    place.write("mine/thesis.txt", "");
    let outcome = place.expect(1, &["public", "export", "mine"]);
    assert!(outcome.stderr.contains("thesis.txt"), "{}", outcome.stderr);
}

#[test]
fn a_server_writes_the_public_page_of_its_register() {
    let place = town();
    let (server, started) = Server::start(&place);
    let page = place.path("data/public/current/fr/index.html");
    assert!(fs::read_to_string(page).unwrap().contains("en ligne"));
    assert!(started["public"].as_str().unwrap().starts_with("http://127.0.0.1:"));
    assert_eq!(server.terminate(), Some(0));
}

#[test]
fn the_console_is_for_this_machine_only() {
    let place = town();
    let outcome = place.expect(2, &["serve", "--listen", "0.0.0.0:8420"]);
    assert!(outcome.stderr.contains("ssh -L"), "{}", outcome.stderr);
    let outcome = place.expect(1, &["serve", "--feeds", "nowhere", "--listen", "127.0.0.1:0"]);
    assert!(outcome.stderr.contains("nowhere"), "{}", outcome.stderr);
}
