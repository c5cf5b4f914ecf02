//! Sites of which the journal says that a spelling of their name leads past their gate: what
//! `relight edge check` finds of them.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;

use relight_engine::incident::Entry;
use relight_model::{Digest, GateKey};
use serde_json::Value;

use crate::journals::{LOG4SHELL, opened, write};
use crate::place::Place;

/// What the edge does with the name of the site in capitals.
const LETS_IN: u8 = 0;
const REFUSES: u8 = 1;
/// It answers nothing any more.
const SILENT: u8 = 2;
/// Nobody listens any more.
const GONE: u8 = 3;

const DARK: &str = "HTTP/1.1 503 No\r\nX-Relight-Gate: dark=1; site=san-001\r\n\
    Cache-Control: no-store\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
const NOBODY: &str = "HTTP/1.1 421 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
const LIT: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";

/// An edge whose gate looks at the name that a visitor sent.
fn edge(way: Arc<AtomicU8>) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
            let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
            let is = |request: &str, host: &str| {
                let hosts: Vec<_> = head.iter().filter(|it| it.starts_with("Host:")).collect();
                head.first().is_some_and(|it| it == request)
                    && hosts.len() == 1
                    && *hosts[0] == format!("Host: {host}")
            };
            let answer = match way.load(Ordering::SeqCst) {
                SILENT => continue,
                GONE => break,
                LETS_IN if is("GET / HTTP/1.1", "SAN1.EXAMPLE") => LIT,
                _ if is("GET / HTTP/1.1", "san1.example") => DARK,
                _ => NOBODY,
            };
            drop(stream.write_all(answer.as_bytes()));
        }
    });
    address
}

/// What is found at the edge, by its code.
fn found(place: &Place, code: &str) -> Option<String> {
    let checked = place.run(&["edge", "check", "--json"]).json();
    let findings = checked["edges"][0]["findings"].as_array().unwrap().clone();
    let place = |it: &Value| it["place"].as_str().unwrap().to_owned();
    findings.iter().find(|it| it["code"] == code).map(place)
}

/// Goal: of a site that a spelling reached it is said which one does now, that none does, or, where
/// nobody can tell, which one did. Method: a journal that says so, and an edge that lets capitals
/// in, refuses them, answers no more, and is gone.
#[test]
fn what_led_past_a_gate_is_asked_for_and_named() {
    let place = Place::with_sites();
    let way = Arc::new(AtomicU8::new(LETS_IN));
    let address = edge(Arc::clone(&way)).to_string();
    let add = ["edge", "add", "nginx_file", "--name", "north", "--gate", "gate", "--listen"];
    let set = ["--set", "worker_user=self", "--set", "upgrades=refused"];
    place.run(&[&add[..], &[&address], &set].concat());
    let site = GateKey::new("san-001").unwrap();
    let (sites, plan) = (vec![site.clone()], Digest::default());
    let ordered = Entry::DarkOrdered { plan, sites: sites.clone(), reason: "test".into() };
    let (edge, why) = ("north".to_owned(), "host-spelling".to_owned());
    let failed = Entry::EdgeFailed { sites, edge: edge.clone(), why };
    let spelling = format!("{address}: trailing dot: 200");
    let led = Entry::LedPast { edge, site, spelling };
    write(&place, LOG4SHELL, [(1, opened(Digest::default())), (1, ordered)]);
    write(&place, "", [(1, led)]);
    write(&place, LOG4SHELL, [(1, failed)]);
    let past = found(&place, "host-spelling").unwrap();
    assert_eq!(past, format!("san1.example at {address}: upper case: 200"));
    way.store(REFUSES, Ordering::SeqCst);
    assert_eq!(["host-spelling", "spelling-untold"].map(|code| found(&place, code)), [None, None]);
    for way_of_none in [SILENT, GONE] {
        way.store(way_of_none, Ordering::SeqCst);
        while way_of_none == GONE && TcpStream::connect(&address).is_ok() {
            thread::yield_now();
        }
        let untold = found(&place, "spelling-untold").unwrap();
        assert!(untold.ends_with(&format!(" ({address}: trailing dot: 200)")), "{untold}");
    }
}
