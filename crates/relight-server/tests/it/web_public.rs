//! The public page over a real socket: it follows proof and has nothing but reading.

use relight_model::DisplayState;

use crate::web_console::{ask, get, start};

const PATHS: [&str; 8] = [
    "/",
    "/fr/",
    "/en/",
    "/fr/secteur/health",
    "/en/sector/health",
    "/sites.csv",
    "/summary.json",
    "/en/sector/energy",
];

#[test]
fn every_address_answers_without_cookies_and_without_scripts() {
    let (_, web) = start(20);
    for path in PATHS {
        let (status, head, body) = get(web.public_addr(), path);
        assert_eq!(status, 200, "{path}");
        assert!(!head.contains("set-cookie") && head.contains("default-src 'none'"), "{head}");
        assert!(!body.contains("<script") && !body.contains("<form"), "{path}");
    }
    let (_, _, first) = get(web.public_addr(), "/");
    assert!(first.contains("<html lang=\"fr\">"));
    for path in ["/fr/secteur/nowhere", "/sites", "/events", "/assets/public.css"] {
        assert_eq!(get(web.public_addr(), path).0, 404, "{path}");
    }
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
fn a_dark_order_is_not_told_before_it_is_proven() {
    let (board, web) = start(20);
    let csv = || get(web.public_addr(), "/sites.csv").2;
    assert_eq!(csv().matches(",online,").count(), 19);
    board.set(&[(0, DisplayState::DarkRequested, false), (1, DisplayState::Exposed, false)]);
    assert_eq!(csv().matches(",online,").count(), 19);
    board.set(&[(0, DisplayState::Affected, true)]);
    assert_eq!(csv().matches(",offline-precaution,").count(), 1);
    let (_, _, page) = get(web.public_addr(), "/en/");
    let sentence = "18 of 19 services are online. 1 is offline as a precaution.";
    assert!(page.contains(sentence), "{page}");
    assert!(!page.to_lowercase().contains("affected") && !page.contains("CVE"));
    web.stop();
}
