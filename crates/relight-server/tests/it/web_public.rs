//! The public page over a real socket: it follows proof and has nothing but reading.

use std::io::Read as _;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{fs, thread};

use relight_engine::live::{Board, Headline};
use relight_model::DisplayState;
use relight_server::web::views::Stage;
use relight_server::{WebConfig, WebServer};
use serde_json::Value;

use crate::support::{DEADLINE, Wire, wait_until, within_a_second};
use crate::web_console::{ask, get, start};

const PATHS: [&str; 11] = [
    "/",
    "/fr/",
    "/en/",
    "/fr/secteur/health/",
    "/en/sector/health/",
    "/en/a-z/",
    "/sites.csv",
    "/services.json",
    "/api/v2/summary.json",
    "/history.atom",
    "/certificates/key.json",
];

#[test]
fn every_address_answers_without_cookies_and_without_scripts() {
    let (_, web) = start(20);
    for path in PATHS {
        let (status, head, body) = get(web.public_addr(), path);
        assert_eq!(status, 200, "{path}");
        assert!(!head.contains("set-cookie") && head.contains("default-src 'none'"), "{head}");
        assert!(!body.contains("<form"), "{path}");
        // The search is a file of its own, beside a list that does the same.
        assert_eq!(body.matches("<script").count(), usize::from(path == "/en/a-z/"), "{path}");
        assert!(!body.contains("<script>"), "{path}");
    }
    let (_, _, first) = get(web.public_addr(), "/");
    assert!(first.contains("<html lang=\"fr\">"));
    for path in ["/fr/secteur/nowhere/", "/sites", "/events", "/assets/public.css", "/../key"] {
        assert_eq!(get(web.public_addr(), path).0, 404, "{path}");
    }
    let (status, head, _) = get(web.public_addr(), "/en");
    assert!(status == 301 && head.contains("location: /en/"), "{head}");
    web.stop();
}

#[test]
fn only_reading_is_possible() {
    let (_, web) = start(20);
    for path in PATHS {
        for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
            let request = format!("{method} {path} HTTP/1.1\r\nContent-Length: 0\r\n");
            assert_eq!(ask(web.public_addr(), &request).0, 405, "{method} {path}");
        }
        let (status, _, body) = ask(web.public_addr(), &format!("HEAD {path} HTTP/1.1\r\n"));
        assert!(status == 200 && body.is_empty(), "{path}");
    }
    web.stop();
}

#[test]
fn a_dark_order_is_not_told_before_it_is_proven_and_proof_is_told_within_a_second() {
    within_a_second(publish_a_proof);
}

/// How long after a proof it was published.
fn publish_a_proof() -> Duration {
    let (board, web) = start(20);
    let csv = || get(web.public_addr(), "/sites.csv").2;
    let dark = || csv().matches(",offline-precaution,").count();
    assert_eq!(csv().matches(",online,").count(), 19);
    let requested = [(0, DisplayState::DarkRequested, false), (1, DisplayState::Exposed, false)];
    board.set_at(0, &requested);
    // The proof of another site comes after the request: a page with the one has seen the other.
    board.set_at(60, &[(2, DisplayState::Affected, true)]);
    let proven = Instant::now();
    wait_until("the proof is published", || dark() == 1);
    let told = proven.elapsed();
    assert!(csv().contains("site-0004,Guichet 4,Counter 4,energy,offline-precaution,"));
    let (_, _, page) = get(web.public_addr(), "/en/");
    let sentence = "18 of 19 services are online. 1 is offline as a precaution.";
    assert!(page.contains(sentence), "{page}");
    assert!(!page.to_lowercase().contains("affected") && !page.contains("CVE"));
    web.stop();
    told
}

fn with_folder(folder: &Path) -> (Arc<Board>, WebConfig) {
    let (board, web) = start(20);
    web.stop();
    let board = Arc::new(Board::new(Headline::default(), board.sites().to_vec()));
    let config = WebConfig {
        public_folder: Some(folder.join("public")),
        certificate_key: Some(folder.join("key")),
        ..WebConfig::loopback(Arc::clone(&board))
    };
    (board, config)
}

#[test]
fn the_page_outlives_the_console() {
    let place = tempfile::tempdir().unwrap();
    let (board, config) = with_folder(place.path());
    let web = WebServer::start(config.clone()).unwrap();
    board.set_at(60, &[(0, DisplayState::Dark, true)]);
    let current = place.path().join("public/current");
    let written = || fs::read_to_string(current.join("sites.csv")).unwrap();
    wait_until("the folder follows", || written().contains(",offline-precaution,"));
    // The folder is written first, and served a moment later.
    let served = || get(web.public_addr(), "/en/").2;
    wait_until("the page follows", || served().contains("1 is offline as a precaution"));
    let served = served();
    web.stop();
    let public = WebServer::public_only(current.clone(), config.public).unwrap();
    assert_eq!(get(public.address(), "/en/").2, served);
    assert_eq!(get(public.address(), "/certificates/key.json").0, 200);
    for path in ["/../key", "/%2e%2e/key", "/..%2fkey", "/certificates/../../../key"] {
        assert_eq!(get(public.address(), path).0, 404, "{path}");
    }
    public.stop();
}

/// Goal: whoever reads the folder at any moment finds one whole generation. Method: a reader
/// follows the link while the page changes; the counts of its files always agree.
#[test]
fn readers_of_the_folder_never_see_half_a_page() {
    let place = tempfile::tempdir().unwrap();
    let (board, config) = with_folder(place.path());
    let web = WebServer::start(config).unwrap();
    let current = place.path().join("public/current");
    let changes = thread::spawn(move || {
        for round in 0..20 {
            let states = [DisplayState::Dark, DisplayState::Online];
            board.set_at(round, &[(0, states[usize::from(round % 2 == 1)], round % 2 == 0)]);
            board.wait_newer(u64::MAX, Duration::from_millis(60));
        }
    });
    while !changes.is_finished() {
        // The link is read once, as a web server finds the folder for a request.
        let Ok(name) = fs::read_link(&current) else { panic!("no current page") };
        let generation = current.with_file_name(name);
        let Ok(csv) = fs::read_to_string(generation.join("sites.csv")) else { continue };
        let Ok(json) = fs::read_to_string(generation.join("api/v2/summary.json")) else { continue };
        let dark = csv.matches(",offline-precaution,").count();
        assert!(json.contains(&format!("\"offline_precaution\":{dark}")), "{dark}: {json}");
    }
    changes.join().unwrap();
    web.stop();
}

#[test]
fn a_folder_that_cannot_be_written_keeps_the_old_page_and_is_told() {
    let place = tempfile::tempdir().unwrap();
    let (board, config) = with_folder(place.path());
    let web = WebServer::start(config).unwrap();
    let root = place.path().join("public");
    let old = fs::canonicalize(root.join("current")).unwrap();
    // A file where the next generation has to be.
    fs::write(root.join("generation-2"), "").unwrap();
    board.set_at(60, &[(0, DisplayState::Dark, true)]);
    wait_until("the trouble is told", || web.public_trouble().is_some());
    assert_eq!(fs::canonicalize(root.join("current")).unwrap(), old);
    web.stop();
}

/// The answer to a browser that accepts gzip: its head, and its bytes.
fn packed(address: SocketAddr, path: &str) -> (String, Vec<u8>) {
    let mut wire = Wire(TcpStream::connect(address).unwrap());
    wire.0.set_read_timeout(Some(DEADLINE)).unwrap();
    wire.send(&format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip, br\r\n\
         Connection: close\r\n\r\n"
    ));
    let mut bytes = Vec::new();
    wire.0.read_to_end(&mut bytes).unwrap();
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap().to_lowercase();
    (head, bytes[end + 4..].to_vec())
}

#[test]
fn answers_are_packed_for_those_who_can_read_it() {
    let (_, web) = start(250);
    for (address, path) in [(web.console_addr(), "/"), (web.public_addr(), "/")] {
        let (head, body) = packed(address, path);
        assert!(head.contains("content-encoding: gzip") && head.contains("vary:"), "{head}");
        assert_eq!(body[..2], [0x1f, 0x8b]);
        let (_, head, plain) = get(address, path);
        assert!(!head.contains("content-encoding") && body.len() * 3 < plain.len() * 2, "{head}");
    }
    web.stop();
}

/// Programs see no stripes: each row and each document says it, and a drill shows no past outage.
fn open_data_says_what_it_is(address: SocketAddr, stage: Stage, word: &str) {
    let services: Value = serde_json::from_str(&get(address, "/services.json").2).unwrap();
    assert_eq!(services["stage"], stage.code());
    let since = services["services"].as_array().unwrap().iter().filter(|it| !it["since"].is_null());
    assert_eq!(since.count(), usize::from(stage != Stage::Drill), "{services}");
    let (_, _, csv) = get(address, "/sites.csv");
    let mut rows = csv.lines();
    assert!(rows.next().is_some_and(|head| head.ends_with(",updated_at,stage")), "{csv}");
    let without_since = rows.clone().filter(|row| row.contains(",online,,")).count();
    assert_eq!(without_since, rows.clone().count() - usize::from(stage != Stage::Drill), "{csv}");
    assert!(rows.all(|row| row.ends_with(&format!("Z,{}", stage.code()))), "{csv}");
    let (_, _, catalogue) = get(address, "/dcat.jsonld");
    let is_marked = catalogue.contains(&format!("\"@value\":\"[{word}]"));
    assert_eq!(is_marked, !word.is_empty(), "{catalogue}");
}

#[test]
fn a_drill_stands_in_stripes_and_tells_nobody() {
    let (board, web) = start(4);
    web.stop();
    let config = |stage| WebConfig { stage, ..WebConfig::loopback(Arc::clone(&board)) };
    let outage = |at| {
        board.set_at(at, &[(0, DisplayState::Dark, true)]);
        board.set_at(at + 60, &[(0, DisplayState::Online, false)]);
    };
    // An outage of the last 90 days is shown, and an older one is not.
    outage(relight_server::clock::now() - 3_600);
    for (stage, word, feeds) in [
        (Stage::Drill, "EXERCICE", 404),
        (Stage::Demo, "DÉMONSTRATION", 200),
        (Stage::Real, "", 200),
    ] {
        let web = WebServer::start(config(stage)).unwrap();
        let console = ["/", "/?screen=wall", "/sites", "/nowhere"];
        let pages = console.map(|path| get(web.console_addr(), path).2);
        let public = ["/fr/", "/fr/secteur/energy/", "/fr/a-z/"];
        for page in pages.into_iter().chain(public.map(|path| get(web.public_addr(), path).2)) {
            let is_played = page.contains("<aside class=\"stage\"") && page.contains("played");
            assert_eq!(is_played, !word.is_empty(), "{stage:?} {page}");
            assert!(word.is_empty() || page.contains(&format!("<title>[{word}] ")), "{page}");
        }
        for feed in ["/history.atom", "/feed.json", "/fr/history.atom", "/en/feed.json"] {
            assert_eq!(get(web.public_addr(), feed).0, feeds, "{stage:?} {feed}");
        }
        let (_, _, page) = get(web.public_addr(), "/fr/");
        assert_eq!(page.contains("history.atom"), feeds == 200);
        let (_, _, sector) = get(web.public_addr(), "/fr/secteur/energy/");
        assert_eq!(sector.contains("/certificates/"), feeds == 200, "nothing signed: {sector}");
        let (_, _, summary) = get(web.public_addr(), "/api/v2/summary.json");
        let marked = summary.contains(&format!("\"name\":\"[{word}]"));
        assert_eq!(marked, !word.is_empty(), "{summary}");
        open_data_says_what_it_is(web.public_addr(), stage, word);
        web.stop();
    }
}
