//! The checks of a site: asked behind the gate of its own edge, in the journal, and in the way of a
//! fix that does not pass them.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread;

use relight_engine::FunctionalTest;
use relight_engine::fixes::{TRY_AGAIN_S_MAX, Tries};
use relight_engine::incident::{Compromise, Entry, Phase};
use relight_engine::store::{SiteCheck, SiteChecks};
use relight_model::GateKey;

use crate::edge::key;
use crate::engine::{LOG4SHELL, Town, log4j, name, pass};
use crate::fixes::{declare, fixed, town, why};

/// Path, status, body.
type Page = (&'static str, u16, String);

/// An application with pages: what each answers, and what was asked for, in order.
#[derive(Clone, Default)]
struct Pages {
    answers: Arc<Mutex<Vec<Page>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Pages {
    fn of(town: &Town) -> Self {
        let pages = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        town.verify_at(listener.local_addr().unwrap());
        pages.serve(listener);
        pages
    }

    fn serve(&self, listener: TcpListener) {
        let pages = self.clone();
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                let head: Vec<String> = lines
                    .by_ref()
                    .map_while(Result::ok)
                    .take_while(|line| !line.is_empty())
                    .collect();
                let Some(first) = head.first().cloned() else { continue };
                let request = first.trim_end_matches(" HTTP/1.1");
                let host = head.iter().find_map(|line| line.strip_prefix("Host: "));
                let host = host.unwrap_or_default();
                pages.asked.lock().unwrap().push(format!("{request} at {host}"));
                let path = request.split(' ').nth(1).unwrap_or_default();
                let answers = pages.answers.lock().unwrap().clone();
                let answer = answers.into_iter().find(|(known, ..)| *known == path);
                let (_, status, body) = answer.unwrap_or(("", 404, String::new()));
                let length = body.len();
                let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n\r\n");
                let body = if request.starts_with("HEAD ") { "" } else { &body };
                drop(stream.write_all(format!("{head}{body}").as_bytes()));
            }
        });
    }

    fn say(&self, path: &'static str, status: u16, body: &str) {
        let mut answers = self.answers.lock().unwrap();
        answers.retain(|(known, ..)| *known != path);
        answers.push((path, status, body.to_owned()));
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

fn list(town: &Town, site: usize, checks: &[&str]) {
    let checks = checks.iter().map(|check| SiteCheck::parse(check).unwrap()).collect();
    let lists = [(key(&name(site)), SiteChecks::new(checks).unwrap())].into();
    town.engine.store().set_checks(&lists, 0, "anna").unwrap();
}

fn usual() -> FunctionalTest {
    FunctionalTest { uri: "/".into(), status: 200, text: String::new() }
}

fn by_hand(town: &Town, test: &FunctionalTest) -> bool {
    let site: GateKey = key(&name(0));
    if town.phase(LOG4SHELL, 0) == Some(Phase::Affected) {
        pass(1);
        town.ingest(0, log4j("2.17.1"));
    }
    town.engine.verify_scanned("anna", LOG4SHELL, &site, test, Compromise::NoSigns).unwrap()
}

/// What the journal says of checks, oldest first: how many passed of how many, and which did not.
fn told(town: &Town) -> Vec<(u32, u32, String)> {
    let records = town.engine.store().journal(0).unwrap();
    let entries = records.iter().filter_map(|record| Entry::from_body(&record.body).ok());
    let ran = |entry| match entry {
        Entry::ChecksRun { passed, of, failed, .. } => Some((passed, of, failed)),
        _ => None,
    };
    entries.filter_map(ran).collect()
}

/// Goal: a fix whose site does not do what its list asks is not verified, whoever verifies it, and
/// says which request did not give what it must.
#[test]
fn a_site_that_does_not_pass_its_checks_stays_dark_and_says_which() {
    let town = town(1);
    let pages = Pages::of(&town);
    fixed(&town, 0);
    list(&town, 0, &["/ -> Bienvenue", "HEAD /health -> 204", "/rdv?x=1 -> 200 Rendez-vous"]);
    pages.say("/", 200, "Bienvenue");
    pages.say("/health", 204, "");
    pages.say("/rdv?x=1", 500, "Rendez-vous");
    let mut tries = Tries::default();
    assert_eq!(town.engine.verify_ready(&mut tries).unwrap(), 0);
    assert_eq!(town.phase(LOG4SHELL, 0), Some(Phase::Verifying), "it stays dark and waits");
    let host = format!("{}.example", name(0));
    let asked = pages.asked();
    assert_eq!(asked.len(), 4, "{asked:?}");
    assert!(asked.iter().all(|it| it.ends_with(&format!(" at {host}"))), "{asked:?}");
    assert!(asked[2].starts_with("HEAD /health "), "{asked:?}");
    let failed = (2, 3, "GET /rdv?x=1 -> 200 Rendez-vous".to_owned());
    assert_eq!(told(&town), std::slice::from_ref(&failed));
    let tried = town.engine.tried(LOG4SHELL, &key(&name(0))).unwrap();
    assert_eq!(tried.why, "other-status");
    assert_eq!(tried.detail, "GET /rdv?x=1 -> 200 Rendez-vous: 500");
    pass(TRY_AGAIN_S_MAX);
    town.engine.verify_ready(&mut tries).unwrap();
    assert_eq!(told(&town).len(), 1, "the same again is no news");
    pages.say("/rdv?x=1", 200, "Maintenance");
    pages.asked();
    assert!(!by_hand(&town, &usual()));
    assert_eq!(pages.asked().len(), 3, "the list alone, and no more than up to what fails");
    assert_eq!(
        (town.phase(LOG4SHELL, 0), why(&town, 0)),
        (Some(Phase::Affected), "other-text".into())
    );
    assert_eq!(told(&town), [failed.clone(), failed]);
    pass(1);
    town.ingest(0, log4j("2.17.1"));
    assert!(declare(&town, 0));
    pages.say("/rdv?x=1", 200, "Prenez rendez-vous: Rendez-vous en ligne");
    assert_eq!(town.engine.verify_ready(&mut Tries::default()).unwrap(), 1);
    assert_eq!(
        (town.phase(LOG4SHELL, 0), why(&town, 0)),
        (Some(Phase::RelightEligible), String::new())
    );
    assert_eq!(told(&town).pop(), Some((3, 3, String::new())));
    let (replayed, _) = relight_engine::replay(town.engine.store()).unwrap();
    let now = town.ledger();
    assert_eq!(replayed.incident(LOG4SHELL), now.incident(LOG4SHELL), "the journal says so alone");
}

/// Another test by a person comes on top of the list, never instead of it; a list that was taken
/// away is told so.
#[test]
fn a_list_is_asked_beside_what_a_person_asks_and_its_end_is_journalled() {
    let town = town(1);
    let pages = Pages::of(&town);
    fixed(&town, 0);
    list(&town, 0, &["/other -> 200"]);
    pages.say("/", 200, "hello");
    let hello = FunctionalTest { text: "hello".into(), ..usual() };
    assert!(!by_hand(&town, &hello), "its list does not pass");
    assert_eq!(told(&town), [(0, 1, "GET /other -> 200".to_owned())]);
    let bye = FunctionalTest { text: "bye".into(), ..usual() };
    pages.say("/other", 200, "");
    assert!(!by_hand(&town, &bye), "what a person asks does not");
    assert_eq!(told(&town).len(), 1, "the list was not asked");
    list(&town, 0, &[]);
    assert!(by_hand(&town, &usual()));
    assert_eq!(told(&town).pop(), Some((0, 0, String::new())), "there is no list any more");
    assert_eq!(town.phase(LOG4SHELL, 0), Some(Phase::RelightEligible));
}

/// A list that changes while it is asked was not the one that was asked for.
#[test]
fn a_list_that_changes_meanwhile_is_asked_again() {
    let town = town(1);
    let pages = Pages::of(&town);
    fixed(&town, 0);
    list(&town, 0, &["/ -> 200", "/slow -> 200"]);
    pages.say("/", 200, "");
    pages.say("/slow", 200, "");
    let held = pages.answers.lock().unwrap();
    let engine = &town.engine;
    let passed = thread::scope(|scope| {
        let trial = scope.spawn(|| engine.verify_ready(&mut Tries::default()));
        while pages.asked.lock().unwrap().is_empty() && !trial.is_finished() {
            thread::yield_now();
        }
        list(&town, 0, &["/ -> 200", "/new -> 200"]);
        drop(held);
        trial.join().unwrap().unwrap()
    });
    assert_eq!((passed, town.phase(LOG4SHELL, 0)), (0, Some(Phase::Verifying)));
    assert_eq!(town.engine.verify_ready(&mut Tries::default()).unwrap(), 0);
    assert_eq!(why(&town, 0), "other-status");
    pages.say("/new", 200, "");
    assert_eq!(town.engine.verify_ready(&mut Tries::default()).unwrap(), 1);
}

/// Bad input: an edge without a path behind its gate, one that leads nowhere, an answer longer than
/// is looked at, and one that never ends.
#[test]
fn checks_that_cannot_be_asked_do_not_pass() {
    let town = town(1);
    fixed(&town, 0);
    list(&town, 0, &["/long -> 200 end"]);
    let no_path = by_hand(&town, &usual());
    assert_eq!((no_path, why(&town, 0).as_str()), (false, "no-path"));
    let pages = Pages::of(&town);
    let limit = relight_engine::edge::http::BODY_BYTES_MAX;
    pages.say("/long", 200, &format!("{}end", "x".repeat(limit)));
    assert_eq!((by_hand(&town, &usual()), why(&town, 0).as_str()), (false, "other-text"));
    pages.say("/long", 200, &format!("{}end", "x".repeat(limit - 3)));
    assert!(by_hand(&town, &usual()), "all of it is looked at, up to the limit");
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address: SocketAddr = silent.local_addr().unwrap();
    let town = crate::fixes::town(1);
    town.verify_at(address);
    fixed(&town, 0);
    list(&town, 0, &["/ -> 200"]);
    assert_eq!((by_hand(&town, &usual()), why(&town, 0).as_str()), (false, "no-answer"));
    assert_eq!(told(&town), [(0, 1, "GET / -> 200".to_owned())]);
}
