//! What an answer proves, and how an edge is asked.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use super::*;
use crate::tls::tests::{dark_to_http1, protocol, secured};

fn target(baseline: Option<u16>) -> ProbeTarget {
    let key = GateKey::new("site").unwrap();
    ProbeTarget::site(key, "site.example".into(), baseline)
}

fn seen(baseline: Option<u16>, status: u16, headers: &[(&str, &str)]) -> Seen {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let headers = headers.iter().map(owned).collect();
    let answer = Response { status, headers, body: Vec::new(), truncated: false };
    judge(&target(baseline), &answer).seen
}

#[test]
fn dark_is_our_page_for_that_very_site() {
    let marker = ("x-relight-gate", "dark=1; site=site");
    let store = ("cache-control", "private, No-Store");
    assert_eq!(seen(None, 503, &[marker, store]), Seen::Dark);
    assert_eq!(seen(Some(2), 503, &[marker, store]), Seen::Dark);
    for (status, headers) in [
        (503, &[marker][..]),
        (503, &[store]),
        (200, &[marker, store]),
        (503, &[("x-relight-gate", "dark=1; site=other"), store]),
        (503, &[("x-relight-gate", "dark=1; site=site2"), store]),
        (503, &[("x-relight-gate", "dark=1"), store]),
        (503, &[("x-relight-gate", "dark=; site=site"), store]),
        (503, &[("x-relight-gate", "dark=draining; site=site"), store]),
        (503, &[marker, marker, store]),
    ] {
        assert_eq!(seen(None, status, headers), Seen::Unknown, "{status} {headers:?}");
    }
}

#[test]
fn lit_is_the_usual_class_of_status_without_our_marker() {
    for (baseline, status, light) in [
        (Some(2), 204, Seen::Lit),
        (Some(5), 500, Seen::Lit),
        (Some(2), 302, Seen::Unknown),
        (Some(2), 502, Seen::Unknown),
        (None, 404, Seen::Lit),
        (None, 503, Seen::Unknown),
        (None, 421, Seen::Unknown),
        (Some(4), 421, Seen::Unknown),
    ] {
        assert_eq!(seen(baseline, status, &[]), light, "{baseline:?} {status}");
    }
    assert_eq!(seen(None, 200, &[("x-relight-gate", "dark=; site=site")]), Seen::Lit);
    assert_eq!(seen(None, 200, &[("x-relight-gate", "dark=; site=other")]), Seen::Unknown);
}

/// A part is closed under its own key or under that of its site; a site is not dark under the
/// key of a part, and proven lit by it only where that audience was to be kept out.
#[test]
fn a_part_has_a_gate_of_its_own_and_is_not_its_site() {
    let site = GateKey::new("site").unwrap();
    let of = |text: &str| {
        let (site, part) = (site.clone(), SitePart::parse(text).unwrap());
        let key = part.key(&site).unwrap();
        let look = Look::Part { site, part };
        ProbeTarget { key, host: "site.example".into(), baseline: None, look }
    };
    let whole = |look| ProbeTarget { look, ..target(None) };
    let behind = Look::Behind(GateKey::new("site@internet").unwrap());
    let seen = |target: &ProbeTarget, status, marker: &str| {
        let headers = [("x-relight-gate", marker), ("cache-control", "no-store")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let answer = Response { status, headers, body: Vec::new(), truncated: false };
        judge(target, &answer).seen
    };
    use Seen::{Dark, Lit, Unknown};
    let (booking, write) = (of("booking=/booking"), of("@write"));
    let (plain, behind) = (whole(Look::Site), whole(behind));
    for (target, status, marker, is) in [
        (&booking, 503, "dark=1; site=site.booking", Dark),
        (&booking, 503, "dark=1; site=site", Dark),
        (&booking, 503, "dark=1; site=site.other", Unknown),
        (&booking, 503, "dark=1; site=site@write", Unknown),
        (&booking, 200, "dark=; site=site", Lit),
        (&booking, 404, "dark=; site=site", Lit),
        (&booking, 501, "dark=; site=site", Unknown),
        (&booking, 200, "dark=1; site=site.booking", Unknown),
        (&write, 503, "dark=1; site=site@write", Dark),
        (&write, 501, "dark=; site=site", Lit),
        (&write, 405, "dark=; site=site", Lit),
        (&write, 503, "dark=; site=site", Unknown),
        (&plain, 503, "dark=1; site=site.booking", Unknown),
        (&plain, 503, "dark=1; site=site@internet", Unknown),
        (&behind, 503, "dark=1; site=site@internet", Lit),
        (&behind, 503, "dark=1; site=site", Dark),
        (&behind, 503, "dark=1; site=site@write", Unknown),
    ] {
        assert_eq!(seen(target, status, marker), is, "{:?} {status} {marker}", target.look);
    }
}

#[test]
fn each_part_is_asked_for_in_its_own_way() {
    let (address, log) = edge(usize::MAX);
    let parts = ["booking=/fr/booking", "@write", "@internet"].map(|text| {
        let (site, part) = (GateKey::new("site").unwrap(), SitePart::parse(text).unwrap());
        ProbeTarget { look: Look::Part { site, part }, ..target(None) }
    });
    let results = Prober::new(address).probe(&parts, 1);
    assert!(results.iter().all(|result| result.seen == Seen::Lit), "{results:?}");
    let log = log.lock().unwrap();
    for start in ["GET /fr/booking?relight-probe=", "PROPFIND /?relight", "GET /?relight"] {
        assert_eq!(log.iter().filter(|line| line.starts_with(start)).count(), 1, "{start}");
    }
}

/// Counts connections, notes every line of request, and closes after `answers` answers.
fn edge(answers: usize) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let log = Arc::new(Mutex::new(Vec::new()));
    let shared = Arc::clone(&log);
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let log = Arc::clone(&shared);
            log.lock().unwrap().push("connection".to_owned());
            thread::spawn(move || {
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                for _ in 0..answers {
                    let Some(Ok(first)) = lines.next() else { return };
                    log.lock().unwrap().push(first);
                    while lines.next().unwrap().is_ok_and(|line| !line.is_empty()) {}
                    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
                    stream.write_all(answer).unwrap();
                }
            });
        }
    });
    (address, log)
}

#[test]
fn eight_connections_stay_open_between_rounds_and_every_request_is_new() {
    let (address, log) = edge(usize::MAX);
    let mut prober = Prober::new(address);
    let targets = vec![target(None); 200];
    for nonce in 0..2 {
        let results = prober.probe(&targets, nonce);
        assert!(results.iter().all(|result| result.seen == Seen::Lit));
    }
    let mut lines = log.lock().unwrap().clone();
    let connections = lines.iter().filter(|line| *line == "connection").count();
    assert!(connections <= CONNECTIONS_MAX, "{connections} connections");
    lines.retain(|line| line != "connection");
    lines.sort();
    lines.dedup();
    assert_eq!(lines.len(), 400, "a cache could have answered");
}

#[test]
fn an_edge_that_closes_kept_connections_is_asked_again() {
    let (address, _) = edge(3);
    let results = Prober::new(address).probe(&vec![target(None); 50], 1);
    assert!(results.iter().all(|result| result.seen == Seen::Lit), "{results:?}");
}

/// A dead listener must not cost a wait per site.
#[test]
fn a_thread_gives_up_after_a_few_connections() {
    let listener = crate::exec::free_address().unwrap();
    let listener = &Listener::from(listener);
    let targets = vec![target(None); 100];
    let (next, deadline) = (AtomicUsize::new(0), Instant::now() + ROUND_WAIT_MAX);
    let seen = &Mutex::new(vec![ProbeResult::default(); 100]);
    let round = Round { listener, targets: &targets, nonce: 1, next, deadline, seen };
    round.work(&mut None);
    assert_eq!(round.next.into_inner(), CONNECT_FAILURES_MAX);
    let seen = seen.lock().unwrap();
    let why = seen.iter().map(|result| result.trouble);
    assert_eq!(why.filter(Option::is_some).count(), CONNECT_FAILURES_MAX);
}

/// What one thread sees of a few sites that are all asked for where HTTP/2 is offered.
fn offering(address: SocketAddr, count: usize) -> Vec<ProbeResult> {
    let listener = &secured(address);
    let targets = vec![target(None); count];
    let seen = &Mutex::new(vec![ProbeResult::default(); count]);
    let of = |nonce| {
        let (next, deadline) = (AtomicUsize::new(0), Instant::now() + ROUND_WAIT_MAX);
        Round { listener, targets: &targets, nonce, next, deadline, seen }
    };
    let round = (0..).map(of).find(|round| (0..count).all(|index| round.is_http2(index)));
    round.unwrap().work(&mut None);
    seen.lock().unwrap().clone()
}

/// Goal: sites that do not answer hide no others. Method: more of them than connections may fail,
/// each over HTTP/2 on a good connection.
#[test]
fn an_answer_that_fails_is_not_a_dead_listener() {
    let count = CONNECT_FAILURES_MAX + 2;
    let address = crate::tls::tests::listener(|_| vec!["h2"], |_| Ok(()));
    let unreachable = Some(EdgeErrorKind::Unreachable);
    let failed = ProbeResult { trouble: unreachable, ..ProbeResult::default() };
    assert_eq!(offering(address, count), vec![failed; count]);
}

/// Goal: a name without HTTP/2 is looked at on the same connection, and turns it off for no other.
/// Method: the first connection agrees to HTTP/1 only, and the peer notes what was agreed to.
#[test]
fn a_name_without_http2_is_asked_for_as_was_agreed() {
    let agreed = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&agreed);
    let offers = |index| if index == 0 { vec!["http/1.1"] } else { vec!["h2", "http/1.1"] };
    let address = crate::tls::tests::listener(offers, move |stream| {
        let protocol = protocol(&stream);
        noted.lock().unwrap().push(protocol.clone());
        if protocol == "h2" { Ok(()) } else { dark_to_http1(stream) }
    });
    let seen: Vec<Seen> = offering(address, 3).iter().map(|result| result.seen).collect();
    assert_eq!(seen, [Seen::Dark, Seen::Unknown, Seen::Unknown]);
    assert_eq!(*agreed.lock().unwrap(), ["http/1.1", "h2", "h2"]);
}

#[test]
fn a_round_ends_in_time_and_the_rest_is_unknown() {
    let (address, log) = edge(usize::MAX);
    let mut prober = Prober::new(address);
    assert_eq!(prober.round_wait_max, ROUND_WAIT_MAX);
    prober.round_wait_max = Duration::ZERO;
    let results = prober.probe(&vec![target(None); 50], 1);
    assert_eq!(results, vec![ProbeResult::default(); 50]);
    assert!(log.lock().unwrap().is_empty());
}

#[test]
fn a_page_longer_than_a_probe_reads_is_still_lit() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let length = PAGE_BYTES_MAX + 1;
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
            let _ = stream.write_all(head.as_bytes());
            let _ = stream.write_all(&vec![b'x'; length]);
            let _ = BufReader::new(stream).lines().count();
        }
    });
    let results = Prober::new(address).probe(&[target(Some(2)), target(Some(2))], 1);
    assert!(results.iter().all(|result| result.seen == Seen::Lit), "{results:?}");
}

#[test]
fn no_target_needs_no_edge() {
    let listener = crate::exec::free_address().unwrap();
    assert!(Prober::new(listener).probe(&[], 1).is_empty());
}

/// Goal: an edge that cannot be reached is called so for each of its sites. Method: more sites
/// than are asked before everybody gives up.
#[test]
fn who_is_not_asked_any_more_is_as_unreachable_as_who_was() {
    let listener = crate::exec::free_address().unwrap();
    let results = Prober::new(listener).probe(&vec![target(None); 100], 1);
    let unreachable = Some(EdgeErrorKind::Unreachable);
    assert!(results.iter().all(|result| result.trouble == unreachable), "{results:?}");
}

/// Goal: a light that one listener shows is not lost where another shows something else.
#[test]
fn listeners_that_differ_still_say_which_lights_there_are() {
    let of = |seen| ProbeResult { seen, status: 200, ..ProbeResult::default() };
    use Seen::{Dark, Lit, Unknown};
    for (all, seen, lit, dark) in [
        (&[Dark, Dark, Dark][..], Dark, false, true),
        (&[Lit, Lit], Lit, true, false),
        (&[Dark, Lit], Unknown, true, true),
        (&[Lit, Unknown, Dark], Unknown, true, true),
        (&[Unknown, Lit], Unknown, true, false),
        (&[Dark, Unknown, Dark], Unknown, false, true),
        (&[Unknown, Unknown], Unknown, false, false),
    ] {
        let both = all.iter().map(|seen| of(*seen)).reduce(ProbeResult::and).unwrap();
        assert_eq!((both.seen, both.shows(Lit), both.shows(Dark)), (seen, lit, dark), "{all:?}");
    }
}
