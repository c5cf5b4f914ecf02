//! What waits for a reader is told where that reader is: on the wall as it happens, and on every
//! page.

use std::thread;

use crate::door_support::{START, World, clock, person};
use crate::web_acts::{behind_an_edge, decide, open_incident, propose};
use crate::web_console::{follow, has};

/// What the stream of somebody says waits, until a line has this in it.
fn told(world: &World, cookie: &str, until: &'static str) -> thread::JoinHandle<Vec<String>> {
    let (address, cookie) = (world.address(), cookie.to_owned());
    thread::spawn(move || {
        let request = format!("GET /events?lang=en HTTP/1.1\r\nCookie: {cookie}\r\n");
        let lines = follow(address, &request, |lines| {
            lines.iter().any(|line| line.contains("\"plans\"") && line.contains(until))
        });
        lines.into_iter().filter(|line| line.contains("\"plans\"")).collect()
    })
}

/// Goal: an approver who looks at the wall learns of a plan at once, and again when it is settled.
/// Method: three streams that were open before; then agreement.
#[test]
fn a_plan_is_told_to_whom_it_asks() {
    clock!(now, now_set);
    now_set(START);
    let (mut chief, mut zoe, mut owner) = Default::default();
    let world = World::start(now, |store| {
        behind_an_edge(store);
        chief = person(store, "chief", 1, &[("commander", "/")]);
        zoe = person(store, "zoe", 2, &[("approver", "/"), ("publisher", "/"), ("auditor", "/")]);
        owner = person(store, "owner", 3, &[("site-owner", "energy/Utility")]);
    });
    open_incident(&world, &chief);
    let calm = told(&world, &zoe, "\"plans\":\"\"").join().unwrap();
    assert!(calm[0].contains("\"asked\":\"\"") && calm[0].contains("\"glass\":false"), "{calm:?}");
    let (asks, asked) = (told(&world, &chief, "A-0001"), told(&world, &zoe, "A-0001"));
    assert_eq!(propose(&world, &chief, "care").0, 303);
    let line = asked.join().unwrap().pop().unwrap();
    assert!(line.contains("\"asked\":\"A-0001 waits for your agreement\""), "{line}");
    assert!(line.contains("A-0001 waits: 1 of 2 agreed"), "{line}");
    let line = asks.join().unwrap().pop().unwrap();
    assert!(line.contains("\"asked\":\"\""), "nobody agrees to his own: {line}");
    let page = world.get("/?lang=en", &zoe).2;
    assert!(page.contains("data-asked=\"A-0001 waits for your agreement\""), "{page}");
    assert!(page.contains("<span>Approver, Publisher, +1</span>"), "who somebody is: {page}");
    // Who reads another part of the register hears nothing of it.
    let page = world.get("/?lang=en", &owner).2;
    assert!(page.contains("data-asked=\"\"") && !page.contains("A-0001"), "{page}");
    let settled = told(&world, &zoe, "\"plans\":\"\"");
    assert_eq!(decide(&world, &zoe, "A-0001", "decision=approve").0, 303);
    let lines = settled.join().unwrap();
    assert!(has(&lines, "data: {\"asked\":\"\""), "{lines:?}");
    world.web.stop();
}

/// The other language is the same page: what was checked, and a reason that was written, stay.
#[test]
fn the_other_language_loses_nothing_of_the_page() {
    clock!(now, now_set);
    now_set(START);
    let (mut chief, mut zoe) = Default::default();
    let world = World::start(now, |store| {
        behind_an_edge(store);
        chief = person(store, "chief", 1, &[("commander", "/")]);
        zoe = person(store, "zoe", 2, &[("approver", "/"), ("auditor", "/")]);
    });
    open_incident(&world, &chief);
    assert_eq!(propose(&world, &chief, "care").0, 303);
    let leads = |path: &str, to: &str| {
        let page = world.get(path, &zoe).2;
        assert!(page.contains(&format!("href=\"{}\"", to.replace('&', "&#38;"))), "{page}");
    };
    let approve = "/approve/A-0001?lang=";
    leads(&format!("{approve}en&reason=too+late"), &format!("{approve}fr&reason=too%20late"));
    leads("/audit?lang=en&page=1&state=verify", "/audit?lang=fr&page=1&state=verify");
    leads("/audit?lang=en&page=1", "/audit?lang=fr&page=1");
    // Every page, whatever it was asked, and also what is none.
    for (path, query) in [
        ("/", "order=state"),
        ("/site/care", "a=b"),
        ("/edges", "a=b"),
        ("/plans", "a=b&c=d"),
        ("/incident/CVE-2021-44228", ""),
        ("/me", "a=b"),
        ("/look", ""),
        ("/nothing/here", "a=b"),
    ] {
        let and = if query.is_empty() { "" } else { "&" };
        leads(&format!("{path}?lang=en{and}{query}"), &format!("{path}?lang=fr{and}{query}"));
        leads(&format!("{path}?{query}{and}lang=en"), &format!("{path}?lang=fr{and}{query}"));
    }
    let page = world.get("//evil.example/?lang=en", &zoe).2;
    assert!(!page.contains("href=\"//evil"), "an address of somebody else: {page}");
    world.web.stop();
}
