//! The door of the console: who comes in, what they see, and which requests are really theirs.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;

use relight_engine::store::Store;
use relight_server::web::views::Stage;

use crate::door_support::{START, World, clock, person, token};
use crate::oidc_provider::Provider;
use crate::support::wait_until;
use crate::web_console::{ask, ask_with_body, follow};

/// Every page of the console that shows something of the register.
const READING: [&str; 10] = [
    "/",
    "/edges",
    "/sites",
    "/sites/rows",
    "/site/care",
    "/site?site=0",
    "/affected",
    "/watch",
    "/events",
    "/nowhere",
];

#[test]
fn before_the_first_account_the_console_is_read_on_this_machine() {
    clock!(now, _set);
    let world = World::start(now, |_| ());
    for path in ["/", "/sites", "/site/care", "/affected", "/watch"] {
        assert_eq!(world.get(path, "").0, 200, "{path}");
    }
}

#[test]
fn from_the_first_account_on_every_page_asks_to_sign_in() {
    clock!(now, _set);
    let world = World::start(now, |store| drop(person(store, "anna", 1, &[("viewer", "/")])));
    for path in READING {
        let (status, head, body) = world.get(path, "");
        assert!(!body.contains("care") && !body.contains("power"), "{path}");
        if path == "/events" {
            assert_eq!(status, 401);
            continue;
        }
        assert_eq!(status, 303, "{path}");
        assert!(head.contains("location: /sign-in?next=%2f"), "{path}: {head}");
        let plain = format!("GET {path} HTTP/1.1\r\nAccept: application/json\r\n");
        assert_eq!(ask(world.address(), &plain).0, 401, "{path}");
    }
    let asset = world.get("/assets/nothing.css", "").0;
    assert_eq!(asset, 404, "what a page needs is shown to everybody");
}

#[test]
fn a_sign_in_reads_until_it_is_idle_or_old() {
    clock!(now, set);
    let mut cookie = String::new();
    let world = World::start(now, |store| cookie = person(store, "anna", 1, &[("viewer", "/")]));
    let at = |seconds: i64, cookie: &str| {
        set(START + seconds);
        world.get("/sites", cookie).0
    };
    assert_eq!(at(0, &cookie), 200);
    assert_eq!(at(29 * 60, &cookie), 200);
    assert_eq!(at(58 * 60, &cookie), 200, "being used keeps it");
    assert_eq!(at(88 * 60, &cookie), 303, "half an hour of silence ends it");
    assert_eq!(at(0, &cookie.replace("__Host-rl", "rl")), 303);
    assert_eq!(at(0, &format!("{cookie}A")), 303);
    for half_hour in 0..25 {
        set(START + half_hour * 1_790);
        world.get("/sites", &cookie);
    }
    assert_eq!(at(12 * 3_600 - 1, &cookie), 200);
    assert_eq!(at(12 * 3_600, &cookie), 303, "twelve hours end it");
}

/// What pages ask for by themselves is no use of a sign-in. Trap: two pages that were left open
/// asked in turn, and kept a sign-in for twelve hours at which nobody sat.
#[test]
fn what_pages_ask_by_themselves_keeps_no_sign_in() {
    clock!(now, set);
    let mut cookie = String::new();
    let world = World::start(now, |store| cookie = person(store, "anna", 1, &[("viewer", "/")]));
    let send = |what: &str, seconds: i64| {
        set(START + seconds);
        // A stream has no end: its head is enough.
        let request = format!("{what} HTTP/1.1\r\nCookie: {cookie}\r\n");
        follow(world.address(), &request, |lines| lines.iter().any(String::is_empty))
    };
    let status = |what: &str, seconds: i64| {
        let line = send(what, seconds).swap_remove(0);
        line.split(' ').nth(1).unwrap().to_owned()
    };
    let by_themselves = ["HEAD /me", "HEAD /events", "GET /events"];
    for (minute, what) in (10..).step_by(5).zip(by_themselves) {
        assert_eq!(status(what, minute * 60), "200", "{what}");
    }
    // Nobody has to be there for what a browser reports.
    set(START + 27 * 60);
    let kind = "Content-Type: application/csp-report\r\n";
    let report = r#"{"csp-report":{"document-uri":"http://localhost/sites","effective-directive":
        "script-src-elem","blocked-uri":"https://evil.example/x"}}"#;
    let head = format!(
        "POST /policy-reports HTTP/1.1\r\n{kind}Cookie: {cookie}\r\nContent-Length: {}\r\n",
        report.len()
    );
    assert_eq!(ask_with_body(world.address(), &head, report).0, 204);
    let head = send("HEAD /me", 29 * 60);
    assert!(head.iter().any(|line| line == "rl-left: 60"), "what is left is said: {head:?}");
    assert_eq!(status("GET /me", 29 * 60), "200", "somebody is there");
    assert_eq!(status("HEAD /me", 59 * 60 - 1), "200", "which counts from then on");
    for what in by_themselves {
        assert_eq!(status(what, 59 * 60), "401", "{what}");
    }
    assert_eq!(status("GET /me", 59 * 60), "303");
    world.web.stop();
}

#[test]
fn a_scope_shows_its_own_sites_and_nothing_of_the_others() {
    clock!(now, _set);
    let mut cookies = Vec::new();
    let world = World::start(now, |store: &Store| {
        cookies.push(person(store, "anna", 1, &[("site-owner", "health/Hospital")]));
        cookies.push(person(store, "zoe", 2, &[]));
        cookies.push(person(store, "root", 3, &[("auditor", "/")]));
    });
    let (own, nobody, all) = (&cookies[0], &cookies[1], &cookies[2]);
    let (_, _, body) = world.get("/sites", own);
    assert!(body.contains("care") && body.contains("beds") && !body.contains("power"));
    assert_eq!(world.get("/site/care", own).0, 200);
    for cookie in [own, nobody] {
        assert_eq!(world.get("/site/power", cookie).0, 404, "not even that it is there");
        assert_eq!(world.get("/site/nothing", cookie).0, 404);
        for path in ["/edges", "/watch", "/watch/actors", "/metrics"] {
            assert_eq!(world.get(path, cookie).0, 403, "{path}");
        }
        for path in ["/", "/affected", "/affected?q=log4j-core%3C2.15&site=power", "/incident"] {
            let (status, _, body) = world.get(path, cookie);
            let is_led = cookie == nobody && path != "/incident";
            assert_eq!(status, if is_led { 303 } else { 200 }, "{path}");
            assert!(!body.contains("Utility") && !body.contains("Name power"), "{path}: {body}");
        }
    }
    for path in ["/", "/affected", "/affected?q=log4j-core&at=2026-01-01"] {
        let (status, head, _) = world.get(path, nobody);
        assert!(status == 303 && head.contains("location: /sites"), "{path}: {head}");
    }
    assert_eq!(world.get("/events", nobody).0, 403);
    let sites = |cookie: &str| {
        (0..3).filter(|at| world.get(&format!("/site?site={at}"), cookie).0 == 200).count()
    };
    assert_eq!([sites(own), sites(nobody), sites(all)], [2, 0, 3]);
    let rows = |cookie: &str| {
        (0..3).filter(|at| world.get(&format!("/sites?site={at}"), cookie).0 == 303).count()
    };
    assert_eq!([rows(own), rows(nobody), rows(all)], [2, 0, 3], "nor where its row would be");
    let (_, _, body) = world.get("/sites/rows?q=name&lang=en", own);
    assert!(body.contains("Name care") && !body.contains("power"), "{body}");
    for path in ["/sites", "/sites/rows"] {
        let (_, _, body) = world.get(path, nobody);
        assert!(!body.contains("care") && !body.contains("power"), "{path}");
    }
    for path in ["/", "/sites", "/site/power", "/affected", "/watch"] {
        assert_eq!(world.get(path, all).0, 200, "{path}");
    }
}

/// Goal: nothing but a form of our own page ends a sign-in. Method: each part of what such a form
/// carries is left out or replaced; the sign-in still reads afterwards.
#[test]
fn a_form_counts_only_with_its_origin_and_its_token() {
    clock!(now, _set);
    let mut cookies = Vec::new();
    let world = World::start(now, |store: &Store| {
        cookies.push(person(store, "anna", 1, &[("viewer", "/")]));
        cookies.push(person(store, "zoe", 2, &[("viewer", "/")]));
    });
    let (anna, zoe) = (&cookies[0], &cookies[1]);
    let own = format!("token={}", token(&world.get("/sites", anna).2));
    let foreign = format!("token={}", token(&world.get("/sites", zoe).2));
    let origin = format!("Origin: {}\r\n", world.origin());
    let cookie = format!("Cookie: {anna}\r\n");
    for (headers, form, status) in [
        (cookie.clone(), own.clone(), 403),
        (format!("{cookie}Origin: https://evil.example\r\n"), own.clone(), 403),
        (format!("{cookie}Origin: null\r\n"), own.clone(), 403),
        (format!("{cookie}{origin}Sec-Fetch-Site: cross-site\r\n"), own.clone(), 403),
        (format!("{cookie}{origin}"), String::new(), 403),
        (format!("{cookie}{origin}"), "token=".to_owned(), 403),
        (format!("{cookie}{origin}"), foreign, 403),
        (format!("{cookie}{origin}"), format!("{own}&{own}"), 403),
        (origin.clone(), own.clone(), 401),
        (format!("{cookie}{origin}"), "x".repeat((64 << 10) + 1), 413),
    ] {
        let (got, _, _) = world.post_from("/sign-out", &headers, &form);
        assert_eq!(got, status, "{headers} {form:.60}");
        assert_eq!(world.get("/sites", anna).0, 200);
    }
    assert_eq!(world.get("/sign-out", anna).0, 405, "unsafe acts are never a GET");
    let (status, head, _) = world.post("/sign-out", anna, &own);
    assert!(status == 303 && head.contains("set-cookie: __host-rl=; path=/; max-age=0"), "{head}");
    assert!(head.contains("clear-site-data: \"cache\", \"storage\"\r\n"), "{head}");
    assert_eq!(world.get("/sites", anna).0, 303);
    assert_eq!(world.get("/sites", zoe).0, 200);
    let wanted = r#"anna {"account":"anna","act":"signed-out","facts":{},"kind":"access"}"#;
    let mut journal = world.journal();
    assert_eq!(journal.pop().as_deref(), Some(wanted));
    assert_eq!(journal.len(), 10, "and each of the others is told: {journal:?}");
    assert!(journal.iter().all(|it| it.contains("\"act\":\"request-refused\"")), "{journal:?}");
}

/// Whom a proxy lets through is not on this machine: the whole register stood open to everybody
/// until somebody had opened the first link.
#[test]
fn behind_a_proxy_nobody_reads_before_the_first_account() {
    clock!(now, _set);
    let world = World::start_at(now, Some("https://relight.example/"), |_| ());
    let get = |path: &str| {
        ask(world.address(), &format!("GET {path} HTTP/1.1\r\nHost: relight.example\r\n"))
    };
    for path in READING {
        let (status, head, body) = get(path);
        assert!(!body.contains("care") && !body.contains("power"), "{path}");
        match path {
            "/events" => assert_eq!(status, 401),
            _ => assert!(status == 303 && head.contains("location: /sign-in?"), "{path}: {head}"),
        }
    }
    assert_eq!(get("/sign-in").0, 200, "and leads nowhere else");
    assert_eq!(get("/assets/nothing.css").0, 404);
    let link = world.web.first_link().unwrap().unwrap();
    let code = link.strip_prefix("https://relight.example/start#code=").unwrap();
    let head = "Host: relight.example\r\nOrigin: https://relight.example\r\n";
    let (status, _, page) = world.post_from("/start", head, &format!("code={code}"));
    assert!(status == 200 && page.contains("data-key=\"create\""), "{page}");
}

#[test]
fn behind_a_proxy_its_name_is_the_console_and_browsers_stay_with_tls() {
    clock!(now, _set);
    let mut cookie = String::new();
    let world = World::start_at(now, Some("https://relight.example/"), |store| {
        cookie = person(store, "anna", 1, &[("viewer", "/")]);
    });
    let get = |host: &str| {
        let head = format!("GET /sites HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n");
        ask(world.address(), &head)
    };
    let (status, head, page) = get("relight.example");
    assert_eq!(status, 200);
    let wanted = "strict-transport-security: max-age=63072000; includesubdomains\r\n";
    assert!(head.contains(wanted), "{head}");
    assert_eq!(get("other.example").0, 421);
    let form = format!("token={}", token(&page));
    let send = |origin: &str| {
        let host = "Host: relight.example\r\n";
        let headers = format!("{host}Cookie: {cookie}\r\nOrigin: {origin}\r\n");
        world.post_from("/sign-out", &headers, &form).0
    };
    assert_eq!(send(&world.origin()), 403, "localhost is another origin");
    assert_eq!(send("https://relight.example"), 303);
    let (_, head, _) = ask(world.address(), "GET /sites HTTP/1.1\r\nHost: localhost\r\n");
    assert!(head.contains("303"), "{head}");
}

/// Whether an open stream ends because of what is done meanwhile.
fn ends(world: &World, cookie: &str, meanwhile: impl FnOnce()) {
    let mut stream = TcpStream::connect(world.address()).unwrap();
    let head = "GET /events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
    stream.write_all(format!("{head}Cookie: {cookie}\r\n\r\n").as_bytes()).unwrap();
    let mut lines = BufReader::new(stream);
    let mut first = String::new();
    lines.read_line(&mut first).unwrap();
    assert!(first.contains(" 200 "), "{first}");
    let reading = std::thread::spawn(move || lines.read_to_string(&mut String::new()).unwrap());
    meanwhile();
    wait_until("the end of the stream", || reading.is_finished());
}

#[test]
fn a_stream_ends_with_the_role_that_reads_it_and_with_the_register() {
    clock!(now, _set);
    let (mut admin, mut anna, mut zoe) = Default::default();
    let world = World::start(now, |store| {
        admin = person(store, "admin", 1, &[("admin", "/")]);
        anna = person(store, "anna", 2, &[("viewer", "/")]);
        zoe = person(store, "zoe", 3, &[("viewer", "/")]);
    });
    ends(&world, &anna, || {
        let fields = [("name", "anna"), ("role", "viewer"), ("scope", "/")];
        assert_eq!(world.act(&admin, ("/accounts", "/accounts/revoke"), &fields).0, 200);
    });
    // Lists that nobody can read any more must not stand there as if they were of now.
    ends(&world, &zoe, || {
        let database = rusqlite::Connection::open(world.store.path()).unwrap();
        database.execute_batch("ALTER TABLE organisation RENAME TO elsewhere").unwrap();
    });
    world.web.stop();
}

/// A campaign of a drill, sent on, would be a real one to whoever blocks by it.
#[test]
fn a_campaign_that_was_played_leaves_nowhere() {
    clock!(now, _set);
    for (stage, expected) in [(Stage::Real, 404), (Stage::Drill, 409), (Stage::Demo, 409)] {
        let mut chief = String::new();
        let world = World::start_with(
            now,
            |config| config.stage = stage,
            |store| chief = person(store, "chief", 1, &[("commander", "/")]),
        );
        let token = token(&world.get("/plans", &chief).2);
        for format in ["stix", "misp", "csv", "blocklist"] {
            let form = format!("token={token}&id=C-1&format={format}&purpose=CERT");
            let (status, _, page) = world.post("/watch/export?lang=en", &chief, &form);
            assert_eq!(status, expected, "{stage:?} {format}: {page}");
            assert_eq!(page.contains("was played"), stage.is_played(), "{page}");
        }
        assert_eq!(world.store.watch_notes().unwrap().len(), 0, "nothing left");
        world.web.stop();
    }
}

/// Goal: nobody is signed in without an act of its own. Method: pages elsewhere, and on neighbours
/// of ours, lead to the way out, which would come back by itself while the provider knows the
/// browser.
#[test]
fn no_page_elsewhere_begins_a_sign_in() {
    clock!(now, now_set);
    now_set(START);
    let provider = Provider::start();
    let world = World::start_with(now, provider.configured(), |store| {
        person(store, "anna", 1, &[("viewer", "/")]);
    });
    let asked = |site: &str| {
        let path = "/sign-in/oidc?lang=en&next=%2Fsites%3Fq%3Da%26b";
        let request = format!("GET {path} HTTP/1.1\r\nSec-Fetch-Site: {site}\r\n");
        let (status, head, _) = ask(world.address(), &request);
        assert_eq!(status, 303, "{site}");
        head
    };
    for site in ["cross-site", "same-site", "new-word"] {
        let head = asked(site);
        let page = "location: /sign-in?next=%2fsites%3fq%3da%26b%26lang%3den&lang=en\r\n";
        assert!(head.contains(page) && !head.contains("set-cookie"), "{site}: {head}");
    }
    for site in ["same-origin", "none"] {
        let head = asked(site);
        assert!(head.contains(&format!("location: {}/auth?", provider.issuer)), "{site}: {head}");
    }
    world.web.stop();
}
