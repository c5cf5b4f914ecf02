//! The console over a real socket: pages, assets, headers, and the stream.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use relight_engine::live::{Board, BoardSite, Headline};
use relight_model::DisplayState;
use relight_server::{WebConfig, WebHandle, WebServer};

use crate::support::{DEADLINE, Wire, wait_until};

/// A board of `count` sites in two sectors, and both pages of it.
pub(crate) fn start(count: usize) -> (Arc<Board>, WebHandle) {
    let site = |at: usize| BoardSite {
        sector: ["energy", "health"][at % 2].into(),
        organisation: "Organisme".into(),
        slug: format!("site-{at:04}"),
        name_fr: format!("Guichet {at}"),
        name_en: format!("Counter {at}"),
        public: at != 3,
        channel: Default::default(),
    };
    let headline = Headline { id: "CVE-2021-44228".into(), title: "<Log4j>".into(), opened: 0 };
    let board = Arc::new(Board::new(headline, (0..count).map(site).collect()));
    let handle = WebServer::start(WebConfig::loopback(Arc::clone(&board))).unwrap();
    (board, handle)
}

/// One request on its own connection: status, head, body.
pub(crate) fn ask(address: SocketAddr, request: &str) -> (u16, String, String) {
    ask_with_body(address, request, "")
}

/// The same with a body, whose length the request tells.
pub(crate) fn ask_with_body(
    address: SocketAddr,
    request: &str,
    body: &str,
) -> (u16, String, String) {
    let (status, head, body) = ask_raw(address, request, body);
    (status, head.to_lowercase(), body)
}

/// The same, with the head in its own letters.
pub(crate) fn ask_raw(address: SocketAddr, request: &str, body: &str) -> (u16, String, String) {
    let mut wire = Wire(TcpStream::connect(address).unwrap());
    wire.0.set_read_timeout(Some(DEADLINE)).unwrap();
    let host = if request.contains("Host:") { "" } else { "Host: localhost\r\n" };
    wire.send(&format!("{request}{host}Connection: close\r\n\r\n{body}"));
    let mut lines = BufReader::new(&wire.0);
    let mut text = String::new();
    std::io::Read::read_to_string(&mut lines, &mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.to_owned(), body.to_owned())
}

pub(crate) fn get(address: SocketAddr, path: &str) -> (u16, String, String) {
    ask(address, &format!("GET {path} HTTP/1.1\r\n"))
}

/// Reads a stream until `enough` of its lines have come.
pub(crate) fn follow(
    address: SocketAddr,
    request: &str,
    enough: impl Fn(&[String]) -> bool,
) -> Vec<String> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream.write_all(format!("{request}Host: localhost\r\n\r\n").as_bytes()).unwrap();
    let mut lines = Vec::new();
    for line in BufReader::new(stream).lines() {
        lines.push(line.unwrap());
        if enough(&lines) {
            break;
        }
    }
    lines
}

pub(crate) fn has(lines: &[String], start: &str) -> bool {
    lines.iter().any(|line| line.starts_with(start))
}

#[test]
fn every_page_in_both_languages_under_one_policy() {
    let (_, web) = start(250);
    for lang in ["fr", "en"] {
        for path in ["/", "/sites", "/sites?sector=health&state=alarm&page=2", "/nowhere"] {
            let sign = if path.contains('?') { '&' } else { '?' };
            let (status, head, body) = get(web.console_addr(), &format!("{path}{sign}lang={lang}"));
            assert_eq!(status, if path == "/nowhere" { 404 } else { 200 }, "{path}");
            assert!(body.contains(&format!("<html lang=\"{lang}\">")), "{path}");
            assert!(head.contains("content-security-policy: default-src 'none';"), "{head}");
            assert!(!head.contains("unsafe") && head.contains("nosniff"), "{head}");
            assert!(head.contains("cache-control: no-store") && !head.contains("set-cookie"));
            assert!(head.contains("cross-origin-opener-policy: same-origin\r\n"), "{head}");
            assert!(head.contains("cross-origin-resource-policy: same-origin\r\n"), "{head}");
            assert!(head.contains("referrer-policy: same-origin\r\n"), "{head}");
            for inline in [" style=", "<style", "onclick", "<script>"] {
                assert!(!body.contains(inline), "{path}: {inline}");
            }
        }
    }
    let (_, _, body) = get(web.console_addr(), "/");
    assert!(body.contains("<html lang=\"fr\">") && body.contains("&#60;Log4j&#62;"));
    web.stop();
}

/// Goal: no browser takes an answer for something else, and no page elsewhere reads one. Method:
/// every kind of answer of both listeners, asked for as a page of somebody else would.
#[test]
fn answers_say_what_they_are_and_nobody_elsewhere_reads_them() {
    let (_, web) = start(20);
    let (console, public) = (web.console_addr(), web.public_addr());
    let page = get(console, "/").2;
    let asset = |start: &str| {
        let rest = page.split(&format!("\"/assets/{start}.")).nth(1).unwrap();
        format!("/assets/{start}.{}", rest.split('"').next().unwrap())
    };
    let html = "text/html; charset=utf-8";
    for (address, path, kind) in [
        (console, "/", html),
        (console, "/sites?q=%3Cb%3E", html),
        (console, "/nowhere", html),
        (console, "/sites/rows?lang=en", "application/json"),
        (console, &asset("console"), "text/css; charset=utf-8"),
        (console, &asset("rl-wall"), "text/javascript; charset=utf-8"),
        (public, "/fr/", html),
        (public, "/sites.csv", "text/csv; charset=utf-8; header=present"),
        (public, "/services.json", "application/json"),
        (public, "/history.atom", "application/atom+xml; charset=utf-8"),
    ] {
        let foreign = format!("GET {path} HTTP/1.1\r\nOrigin: https://evil.example\r\n");
        let (_, head, _) = ask(address, &foreign);
        assert!(head.contains(&format!("\r\ncontent-type: {kind}\r\n")), "{path}: {head}");
        assert!(head.contains("x-content-type-options: nosniff"), "{path}: {head}");
        // The data of the public page are for everybody, and for nobody in particular.
        let shared = head.matches("access-control-allow-origin: *\r\n").count();
        assert_eq!(head.matches("access-control-").count(), shared, "{path}: {head}");
        assert!(shared == 0 || address == public, "{path}: {head}");
        for method in ["TRACE", "OPTIONS", "PATCH"] {
            let (status, head, _) = ask(address, &foreign.replacen("GET", method, 1));
            assert!([403, 404, 405].contains(&status), "{method} {path}: {head}");
            assert!(!head.contains("access-control-"), "{method} {path}: {head}");
        }
    }
    assert_eq!(get(console, "/sites?q=a&q=b").0, 400, "a name that comes twice");
    web.stop();
}

#[test]
fn the_wall_holds_one_letter_per_site_and_the_counts_sum() {
    let (board, web) = start(250);
    board.set(&[(0, DisplayState::Dark, true), (1, DisplayState::Exposed, false)]);
    let (_, _, body) = get(web.console_addr(), "/?lang=en");
    let letters = body.split("data-w=\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(letters.len(), 250);
    assert!(letters.starts_with("deo"));
    let count = |key: &str| -> usize {
        let part = body.split(&format!("data-t=\"{key}\">")).nth(1).unwrap();
        part.split('<').next().unwrap().parse().unwrap()
    };
    let states = ["o", "f", "e", "q", "v", "x", "a", "n", "d"];
    assert_eq!(states.iter().map(|key| count(key)).sum::<usize>(), 250);
    assert_eq!((count("lit"), count("dark"), count("todo"), count("alarm")), (249, 1, 1, 1));
    assert!(body.contains("<div class=\"alarm\"><dt>"));
    board.set(&[(1, DisplayState::Online, false)]);
    let (_, _, body) = get(web.console_addr(), "/?lang=en");
    assert!(body.contains("<div class=\"alarm\" hidden><dt>"));
    web.stop();
}

#[test]
fn the_table_shows_what_the_counters_count() {
    let (board, web) = start(250);
    board.set(&[(0, DisplayState::Affected, true), (7, DisplayState::Exposed, false)]);
    let rows = |path: &str| get(web.console_addr(), path).2.matches("<tr id=\"site-").count();
    assert_eq!(rows("/sites"), 100);
    assert_eq!(rows("/sites?page=3"), 50);
    assert_eq!(rows("/sites?page=99"), 50);
    assert_eq!(rows("/sites?page=0"), 100);
    assert_eq!(rows("/sites?state=todo"), 2);
    assert_eq!(rows("/sites?state=alarm"), 1);
    assert_eq!(rows("/sites?state=a&sector=energy"), 1);
    assert_eq!(rows("/sites?state=a&sector=health"), 0);
    assert_eq!(rows("/sites?state=v"), 0);
    let (status, head, _) = get(web.console_addr(), "/sites?site=130&lang=en");
    let place = "location: /sites?lang=en&sector=health&state=&page=1#site-130";
    assert!(status == 303 && head.contains(place), "{head}");
    assert_eq!(get(web.console_addr(), "/sites?site=250").0, 404);
    let (_, _, body) = get(web.console_addr(), "/site?site=0&lang=en");
    assert_eq!(body, "site-0000 · Affected · Counter 0 · Organisme");
    assert_eq!(get(web.console_addr(), "/site?site=250").0, 404);
    web.stop();
}

#[test]
fn names_are_found_by_words_and_pages_without_a_register_are_not_there() {
    let (_, web) = start(250);
    let rows = |path: &str| get(web.console_addr(), path).2.matches("<tr id=\"site-").count();
    assert_eq!(rows("/sites?q=SITE-0007"), 1);
    assert_eq!(rows("/sites?q=counter+12"), 11);
    assert_eq!(rows("/sites?q=counter+12&sector=energy"), 6);
    assert_eq!(rows("/sites?q=nothing"), 0);
    let (_, _, body) = get(web.console_addr(), "/sites?lang=en&q=%22%3E%3Cb%3E");
    assert!(!body.contains("\"><b>"), "{body}");
    for path in ["/site/site-0007", "/affected", "/watch"] {
        assert_eq!(get(web.console_addr(), path).0, 404, "{path}");
    }
    web.stop();
}

/// Goal: whoever types sees what the page itself would show. Method: each filter, language and page
/// is asked for both ways; count, links and each row must be those of the page.
#[test]
fn rows_that_come_while_somebody_types_are_those_of_the_page() {
    let (board, web) = start(250);
    board.set(&[(0, DisplayState::Affected, true), (7, DisplayState::Exposed, false)]);
    let mut seen = 0;
    for lang in ["fr", "en"] {
        for filter in ["", "&q=COUNTER+12", "&q=%3Cb%3E", "&state=todo", "&sector=energy&page=2"] {
            let asked = format!("lang={lang}{filter}");
            let (_, _, page) = get(web.console_addr(), &format!("/sites?{asked}"));
            let (status, head, body) = get(web.console_addr(), &format!("/sites/rows?{asked}"));
            assert!(status == 200 && head.contains("application/json"), "{head}");
            assert!(head.contains("cache-control: no-store"), "{head}");
            let told: serde_json::Value = serde_json::from_str(&body).unwrap();
            let text = |key: &str| told[key].as_str().unwrap().replace('&', "&#38;");
            assert!(page.contains(&format!("\"count\">{}</span>", text("count"))), "{asked}");
            for key in ["previous", "next", "switch"] {
                assert!(page.contains(&format!("href=\"{}\"", text(key))), "{asked} {key}");
            }
            assert!(page.contains(&format!("<span>{}</span>", text("page"))), "{asked}");
            let rows = told["rows"].as_array().unwrap();
            assert_eq!(rows.len(), page.matches("<tr id=\"site-").count(), "{asked}");
            for row in rows {
                let cell = |at: usize| row[at].as_str().unwrap().to_owned();
                let (start, letter) = (format!("<tr id=\"site-{}\">", row[0]), cell(3));
                let shown = page.split(&start).nth(1).unwrap().split("</tr>").next().unwrap();
                assert!(shown.contains(&format!("#s-{letter}\"")), "{shown}");
                for at in [2, 4, 5, 6, 7] {
                    assert!(shown.contains(&format!(">{}<", cell(at))), "{shown}: {}", cell(at));
                }
                seen += 1;
            }
        }
    }
    assert_eq!(seen, 2 * (100 + 11 + 2 + 25));
    web.stop();
}

#[test]
fn how_pages_look_is_kept_by_the_browser_and_by_nobody_else() {
    let (_, web) = start(10);
    let address = web.console_addr();
    let sheets = |cookie: &str| {
        let (_, _, body) = ask(address, &format!("GET /sites HTTP/1.1\r\nCookie: {cookie}\r\n"));
        let links = body.split("rel=\"stylesheet\"").skip(1);
        let media = links.map(|it| it.split('>').next().unwrap().split("media=\"").nth(1));
        let media = media.map(|it| it.map(|it| it.trim_end_matches('"').to_owned()));
        media.flatten().collect::<Vec<_>>()
    };
    let system = ["screen and (prefers-color-scheme: dark)", "(prefers-contrast: more)"];
    assert_eq!(sheets("a=b"), system);
    assert_eq!(sheets("__Host-rl-look=dark-more"), ["screen", "all"]);
    assert_eq!(sheets("__Host-rl-look=light"), [system[1]]);
    assert_eq!(sheets("__Host-rl-look=\"><b>"), system);
    let post = |from: &str, form: &str| {
        let length = form.len();
        let request = format!(
            "POST /look?lang=en HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {length}\r\n{from}"
        );
        ask_raw(address, &request, form)
    };
    let own = format!("Origin: http://localhost:{}\r\n", address.port());
    for (form, value, back) in [
        ("light=dark&contrast=more&next=%2Fsites%3Fq%3Da", "dark-more; ", "/sites?q=a"),
        ("light=light&contrast=system&next=%2F%2Fevil.example", "light; ", "/"),
        ("light=system", "system; Path=/; Max-Age=0;", "/"),
        ("light=%0D%0ASet-Cookie%3A+a&next=https%3A%2F%2Fevil.example", "system; ", "/"),
    ] {
        let (status, head, _) = post(&own, form);
        assert_eq!(status, 303, "{head}");
        assert!(head.contains(&format!("set-cookie: __Host-rl-look={value}")), "{head}");
        assert!(head.contains(&format!("location: {back}\r\n")), "{head}");
        assert_eq!(head.matches("set-cookie").count(), 1, "{head}");
    }
    for foreign in ["", "Origin: https://evil.example\r\n"] {
        let (status, head, _) = post(foreign, "light=dark");
        assert!(status == 403 && !head.contains("set-cookie"), "{head}");
    }
    web.stop();
}

#[test]
fn a_wall_in_a_room_has_no_controls() {
    let (_, web) = start(10);
    let (_, _, body) = get(web.console_addr(), "/?screen=wall&lang=en");
    assert!(body.contains("<rl-wall") && !body.contains("<nav") && !body.contains("<form"));
    web.stop();
}

#[test]
fn the_burn_down_is_there_once_a_site_was_dark_and_its_stream_fills_it() {
    let (board, web) = start(10);
    let chart = |body: &str| body.contains("<section class=\"panel burn\" hidden>");
    assert!(chart(&get(web.console_addr(), "/").2));
    board.set_at(60, &[(0, DisplayState::Dark, true), (1, DisplayState::Dark, true)]);
    board.set_at(120, &[(0, DisplayState::Online, false)]);
    let (_, _, body) = get(web.console_addr(), "/?lang=en");
    assert!(!chart(&body) && body.contains("Dark sites: peak 2, now 1"), "{body}");
    let lines = follow(web.console_addr(), "GET /events HTTP/1.1\r\n", |lines| {
        has(lines, "event: chart") && lines.last().is_some_and(|line| line.starts_with("data:"))
    });
    assert!(lines.iter().any(|line| line.contains("\"paths\"")), "{lines:?}");
    web.stop();
}

#[test]
fn assets_never_change_under_their_name() {
    let (_, web) = start(1);
    let (_, _, page) = get(web.console_addr(), "/");
    let mut seen = 0;
    for part in page.split("\"/assets/").skip(1) {
        let path = format!("/assets/{}", part.split('"').next().unwrap());
        let (status, head, body) = get(web.console_addr(), &path);
        assert!(status == 200 && head.contains("immutable") && !body.is_empty(), "{path}");
        let etag = head.split("etag: ").nth(1).unwrap().split("\r\n").next().unwrap();
        let again = format!("GET {path} HTTP/1.1\r\nIf-None-Match: {etag}\r\n");
        let (status, _, body) = ask(web.console_addr(), &again);
        assert!(status == 304 && body.is_empty());
        seen += 1;
    }
    assert_eq!(seen, 5);
    assert_eq!(get(web.console_addr(), "/assets/console.css").0, 404);
    web.stop();
}

#[test]
fn a_stream_tells_what_changed_since_the_page() {
    let (board, web) = start(4);
    let (_, _, page) = get(web.console_addr(), "/");
    let cursor = page.split("data-cursor=\"").nth(1).unwrap().split('"').next().unwrap();
    board.set(&[(2, DisplayState::DarkRequested, false)]);
    board.log(0, "log-relit", vec!["site-0001".into()]);
    let request = format!("GET /events?lang=en&since={cursor} HTTP/1.1\r\n");
    let lines = follow(web.console_addr(), &request, |lines| {
        has(lines, "event: log") && has(lines, "data: {\"alarm\"")
    });
    assert!(has(&lines, "data: {\"v\":1,\"c\":[[2,\"q\"]]}"), "{lines:?}");
    assert!(lines.iter().any(|line| line.contains("site-0001 is lit again")), "{lines:?}");
    assert!(has(&lines, ": beat"));
    let last = lines.iter().rev().find_map(|line| line.strip_prefix("id: ")).unwrap();

    // The browser comes back with the last id: nothing old is repeated.
    board.set(&[(0, DisplayState::Dark, true)]);
    let request = format!("GET /events?since={cursor} HTTP/1.1\r\nLast-Event-ID: {last}\r\n");
    let lines = follow(web.console_addr(), &request, |lines| has(lines, "event: counts"));
    assert!(has(&lines, "data: {\"v\":1,\"c\":[[0,\"d\"]]}"), "{lines:?}");
    assert!(!has(&lines, "event: log"), "{lines:?}");
    web.stop();
}

#[test]
fn a_page_of_another_life_is_told_to_start_again() {
    let (_, web) = start(4);
    let request = "GET /events?since=earlier.0.0 HTTP/1.1\r\n";
    let lines = follow(web.console_addr(), request, |lines| has(lines, "data:"));
    assert!(has(&lines, "event: reset"), "{lines:?}");
    web.stop();
}

#[test]
fn a_stopped_server_no_longer_listens() {
    let (_, web) = start(4);
    let (console, public) = (web.console_addr(), web.public_addr());
    let stream = TcpStream::connect(console).unwrap();
    web.stop();
    drop(stream);
    assert!(TcpStream::connect(console).is_err());
    assert!(TcpStream::connect(public).is_err());
}

#[test]
fn a_foreign_name_that_points_here_learns_nothing() {
    let (_, web) = start(4);
    for path in ["/", "/sites", "/events", "/site?site=0"] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: evil.example:8420\r\n");
        let (status, head, body) = ask(web.console_addr(), &request);
        assert_eq!(status, 421, "{path}");
        assert!(!body.contains("site-") && head.contains("content-security-policy"), "{body}");
    }
    web.stop();
}

#[test]
fn streams_are_bounded_and_their_places_come_back() {
    let (_, web) = start(4);
    let open = |path: &str| {
        let mut stream = TcpStream::connect(web.console_addr()).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream
            .write_all(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes())
            .unwrap();
        let mut line = String::new();
        BufReader::new(&stream).read_line(&mut line).unwrap();
        (stream, line)
    };
    let all = |path: &str| -> Vec<TcpStream> {
        let opened = (0..256).map(|_| open(path)).map(|(stream, line)| {
            assert!(line.contains(" 200 "), "{line}");
            stream
        });
        opened.collect()
    };
    // Lists that are left open take no wall its place.
    let lists = all("/events?topic=sites");
    assert!(open("/events?topic=sites").1.contains(" 503 "));
    let walls = all("/events");
    assert!(open("/events").1.contains(" 503 "));
    drop((lists, walls));
    for path in ["/events", "/events?topic=sites"] {
        wait_until("a place is free again", || open(path).1.contains(" 200 "));
    }
    web.stop();
}
