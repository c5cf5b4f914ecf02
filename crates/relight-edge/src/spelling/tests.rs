//! What answers to spellings prove, and what they do not.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use relight_model::GateKey;

use super::*;

const DARK: &str = "503 Service Unavailable\r\nX-Relight-Gate: dark=1; site=a";

/// What a listener does with a request: a status with headers, the end of the connection, or
/// silence until the visitor goes.
#[derive(Clone, Copy, Debug)]
enum Does {
    Say(&'static str),
    End,
    Hang,
}

use Does::{End, Hang, Say};

/// A listener that does so for each request.
fn listener(does: impl Fn(&str) -> Does + Send + 'static) -> Listener {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address: SocketAddr = socket.local_addr().unwrap();
    thread::spawn(move || {
        for stream in socket.incoming().map_while(Result::ok) {
            drop(serve(stream, &does));
        }
    });
    Listener::from(address)
}

fn serve(mut stream: TcpStream, does: &impl Fn(&str) -> Does) -> std::io::Result<()> {
    let mut request = vec![0; 4096];
    let size = stream.read(&mut request)?;
    match does(&String::from_utf8_lossy(&request[..size])) {
        Say(head) => {
            let answer =
                format!("HTTP/1.1 {head}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes())
        }
        End => Ok(()),
        Hang => stream.read_to_end(&mut request).map(drop),
    }
}

fn is_plain(request: &str) -> bool {
    request == "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"
}

fn is_of_nobody(request: &str) -> bool {
    !request.to_lowercase().contains("a.example")
}

/// An edge that refuses everything, but for what `of` says of it.
fn gated(of: impl Fn(&str) -> Option<Does> + Send + 'static) -> Listener {
    listener(move |request| {
        let refusal = if is_of_nobody(request) { "421 -" } else { DARK };
        of(request).unwrap_or(Say(refusal))
    })
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

fn site(baseline: Option<u16>) -> ProbeTarget {
    ProbeTarget::site(GateKey::new("a").unwrap(), "a.example".to_owned(), baseline)
}

/// In one word.
fn word(spelled: &Spelled) -> &'static str {
    match spelled {
        Spelled::Shut => "shut",
        Spelled::Past(_) => "past",
        Spelled::Untold(_) => "untold",
    }
}

/// Goal: a leak that is known counts as shut only where the edge refuses every spelling of the
/// site itself. Method: one of them is answered otherwise.
#[test]
fn only_refusals_of_the_edge_show_that_a_site_is_shut() {
    let upper = |does: Does| {
        let edge = gated(move |request| request.contains("A.EXAMPLE").then_some(does));
        word(&spell_site(&edge, &site(Some(2)), soon()))
    };
    for refusal in [DARK, "421 -", "400 -"] {
        assert_eq!(upper(Say(refusal)), "shut", "{refusal}");
    }
    assert_eq!(upper(Say("204 -")), "past");
    let others = [Say("502 -"), Say("404 -"), Say("403 -"), Say("500 -"), Say("503 -"), End, Hang];
    for does in others {
        assert_eq!(upper(does), "untold", "{does:?}");
    }
}

/// Goal: nobody is accused for what another may have answered. Method: names that nobody serves
/// have the same answer, or none.
#[test]
fn what_names_of_nobody_are_answered_shows_nothing_of_a_site() {
    let spelled = |nobody: Does, upper: Does| {
        let edge = gated(move |request| {
            let of_nobody = is_of_nobody(request).then_some(nobody);
            of_nobody.or(request.contains("A.EXAMPLE").then_some(upper))
        });
        word(&spell_site(&edge, &site(Some(2)), soon()))
    };
    assert_eq!(spelled(Say("200 -"), Say("200 -")), "untold");
    assert_eq!(spelled(End, Say("200 -")), "past");
    assert_eq!(spelled(End, Say(DARK)), "shut");
    assert_eq!(spelled(Say("200 -"), Say(DARK)), "shut");
}

/// Goal: a gate that is open is none that a spelling gets past. Method: the name as it is shows
/// the site from the beginning, or from the second time on.
#[test]
fn a_gate_that_is_open_is_no_spelling() {
    let open = gated(|_| Some(Say("200 -")));
    assert_eq!(word(&spell_site(&open, &site(Some(2)), soon())), "untold");
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let opened = gated(move |request| {
        let before = asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        (before > 0 && (is_plain(request) || request.contains("A.EXAMPLE"))).then_some(Say("200 -"))
    });
    assert_eq!(word(&spell_site(&opened, &site(Some(2)), soon())), "untold");
}

/// Goal: an edge that refuses methods is not called leaking. Method: nobody knows how the site
/// looks lit; the canary is asked as those who write do.
#[test]
fn an_edge_that_refuses_methods_leaks_nothing() {
    let asked = |status: &'static str| {
        let edge = gated(move |it| it.starts_with("PROPFIND").then_some(Say(status)));
        word(&spell_site(&edge, &site(None), soon()))
    };
    assert_eq!(["403 -", "405 -", "501 -"].map(asked), ["untold"; 3]);
    assert_eq!(asked("207 -"), "past");
    let host = CANARY_HOST.to_owned();
    let canary = ProbeTarget::site(GateKey::new("a").unwrap(), host, None);
    let edge = |method: &'static str| {
        listener(move |it| Say(if it.starts_with(method) { "405 -" } else { DARK }))
    };
    assert_eq!(word(&spell_canary(&edge("PROPFIND"), &canary, soon())), "shut");
    assert_eq!(word(&spell_canary(&edge("POST"), &canary, soon())), "past");
}

/// Goal: one spelling that hangs hides none of the others, and is not taken for refused. Method:
/// the second one hangs.
#[test]
fn a_spelling_that_hangs_hides_no_other() {
    let host = CANARY_HOST.to_owned();
    let canary = ProbeTarget::site(GateKey::new("a").unwrap(), host, None);
    let edge = |of_post: &'static str| {
        listener(move |it| match () {
            () if it.contains("HTTP/1.0") => Hang,
            () if it.starts_with("POST") => Say(of_post),
            () => Say(DARK),
        })
    };
    assert_eq!(word(&spell_canary(&edge("200 -"), &canary, soon())), "past");
    assert_eq!(word(&spell_canary(&edge(DARK), &canary, soon())), "untold");
    let refusing = edge(DARK);
    assert_eq!(word(&spell_canary(&refusing, &canary, Instant::now())), "untold", "no time");
    assert_eq!(word(&spell_site(&refusing, &site(None), Instant::now())), "untold", "no time");
}

/// Goal: an answer that nobody can read is not taken for a refusal, as its end is. Method: one
/// spelling of the canary has no status, or more headers than are read.
#[test]
fn an_answer_that_cannot_be_read_is_no_refusal() {
    let host = CANARY_HOST.to_owned();
    let canary = ProbeTarget::site(GateKey::new("a").unwrap(), host, None);
    let spelled = |does: Does| {
        let edge = listener(move |it| if it.contains("HTTP/1.0") { does } else { Say(DARK) });
        word(&spell_canary(&edge, &canary, soon()))
    };
    let many = format!("200 -{}", "\r\na: b".repeat(crate::http::HEADERS_MAX));
    assert_eq!(spelled(Say(many.leak())), "untold");
    assert_eq!(spelled(Say("abc")), "untold");
    assert_eq!(spelled(End), "shut");
}

/// Goal: an edge that serves names of nobody is told. Method: it does, or refuses, or ends.
#[test]
fn a_default_that_answers_is_told() {
    for (does, expected) in [(Say("200 -"), 1), (Say("421 -"), 0), (End, 0)] {
        let address = listener(move |_| does).to_string().parse().unwrap();
        let target = Target {
            name: "north".into(),
            kind: "nginx_file".into(),
            gate: "/gate".into(),
            listeners: vec![address],
            verify: None,
            settings: std::collections::BTreeMap::new(),
            members: Vec::new(),
        };
        assert_eq!(open_to_nobody(&target).unwrap().len(), expected, "{does:?}");
    }
}
