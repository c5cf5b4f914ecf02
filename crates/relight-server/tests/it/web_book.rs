//! The guide on the console: every page of it leads somewhere, to all who may come in.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use relight_engine::live::{Board, Headline};
use relight_server::web::book::{Sheet, SheetGroup, SheetOption};
use relight_server::web::{Lang, book};
use relight_server::{WebConfig, WebServer};

use crate::door_support::{START, World, clock, person};
use crate::web_console::get;

/// Bytes of a page at most, as it is sent to who cannot unpack.
const BYTES_MAX: usize = 200_000;

/// Two commands, as the program would tell them.
fn manual(lang: Lang) -> Vec<Sheet> {
    let about = ["Coupe <vite>", "Cuts <fast>"][usize::from(lang == Lang::En)];
    let option = SheetOption {
        names: vec!["-a".to_owned(), "--all".to_owned()],
        values: vec!["WHAT".to_owned()],
        repeats: true,
        help: "x & y".to_owned(),
    };
    let group = SheetGroup { heading: "Options".to_owned(), options: vec![option] };
    let sheet = |words: &str| Sheet {
        name: words.replace(' ', "-"),
        words: words.to_owned(),
        about: about.to_owned(),
        usage: format!("{words} [-a]"),
        groups: vec![group.clone()],
        ..Sheet::default()
    };
    ["relight", "relight cut", "relight cut off"].map(sheet).into()
}

/// What stands between quotes behind a word.
fn quoted<'a>(page: &'a str, before: &'a str) -> impl Iterator<Item = &'a str> {
    page.split(before).skip(1).filter_map(|rest| rest.split('"').next())
}

/// A part of an address as a browser understands it.
fn decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).unwrap()
}

/// Goal: a reader gets from each page of the guide to every other one and to each place in it.
/// Method: follow every link from the first page on, and look for the places that they name.
#[test]
fn every_link_of_the_guide_leads_to_a_page_and_a_place_in_it() {
    let headline = Headline { id: "CVE-2021-44228".into(), title: String::new(), opened: 0 };
    let board = Arc::new(Board::new(headline, Vec::new()));
    let config = WebConfig { manual: Some(manual), ..WebConfig::loopback(board) };
    let web = WebServer::start(config).unwrap();
    for lang in Lang::ALL {
        let first = format!("/docs?lang={}", lang.tag());
        let (mut pages, mut waiting) = (BTreeMap::new(), vec![first.clone()]);
        let mut places = BTreeSet::new();
        while let Some(address) = waiting.pop() {
            if pages.contains_key(&address) {
                continue;
            }
            let (status, _, page) = get(web.console_addr(), &address);
            assert_eq!(status, 200, "{address}");
            assert!(page.contains(&format!("<html lang=\"{}\"", lang.tag())), "{address}");
            assert!(page.len() < BYTES_MAX, "{address}: {} bytes", page.len());
            let content = page.split("<main").nth(1).unwrap();
            for link in quoted(content, "href=\"") {
                let (to, place) = link.split_once('#').unwrap_or((link, ""));
                let to = if to.is_empty() { address.as_str() } else { to };
                assert!(to.starts_with("/docs") && to.ends_with(&first[5..]), "{address}: {link}");
                places.insert((to.to_owned(), place.to_owned()));
                waiting.push(to.to_owned());
            }
            pages.insert(address, page);
        }
        let wanted = book::chapters(lang).len() + ["/docs", "codes", "relight", "cut"].len();
        assert_eq!(pages.len(), wanted, "{:?}", pages.keys());
        for (to, place) in places.iter().filter(|(_, place)| !place.is_empty()) {
            let place = decoded(place);
            let found = quoted(&pages[to], " id=\"").filter(|id| *id == place).count();
            assert_eq!(found, 1, "{to}#{place}");
        }
        let cut = &pages[&format!("/docs/commands/cut{}", &first[5..])];
        for part in [
            ["Coupe &#60;vite&#62;", "Cuts &#60;fast&#62;"][usize::from(lang == Lang::En)],
            "<h2 id=\"relight-cut-off\">",
            "<b>-a</b>, <b>--all</b> <i>WHAT</i>...",
            "x &#38; y",
        ] {
            assert!(cut.contains(part), "{part}: {cut}");
        }
    }
    for nowhere in ["/docs/nowhere", "/docs/commands/nowhere", "/docs/commands", "/docs/town/x"] {
        assert_eq!(get(web.console_addr(), nowhere).0, 404, "{nowhere}");
    }
}

#[test]
fn the_guide_is_read_by_whoever_may_come_in_and_by_nobody_else() {
    clock!(now, now_set);
    now_set(START);
    let mut reader = String::new();
    let world = World::start(now, |store| {
        reader = person(store, "anna", 1, &[("viewer", "health/Hospital")]);
    });
    for path in ["/docs?lang=en", "/docs/sign-in?lang=en", "/docs/codes?lang=en"] {
        let (status, head, _) = world.get(path, "");
        assert_eq!((status, head.contains("location: /sign-in?next=")), (303, true), "{path}");
        let (status, _, page) = world.get(path, &reader);
        assert_eq!((status, page.contains("class=\"book\"")), (200, true), "{path}");
    }
}
