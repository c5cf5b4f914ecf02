//! `/incident/ID`: each incident has its page, open or closed, and shows its reader what he reads.

use crate::door_device::form;
use crate::door_support::{START, World, clock, person, token};
use crate::web_acts::{LOG4SHELL, behind_an_edge, open_incident, propose};

const OTHER: &str = "CVE-2021-45105";

fn page(world: &World, cookie: &str, path: &str) -> String {
    let (status, _, page) = world.get(&format!("{path}?lang=en"), cookie);
    assert_eq!(status, 200, "{path}: {page}");
    page
}

fn send(world: &World, cookie: &str, to: &str, id: &str) -> u16 {
    let own = token(&world.get("/me", cookie).2);
    world.post(to, cookie, &form(&[("token", &own), ("incident", id)])).0
}

/// One incident only had a screen, the newest open one: of the others nobody saw what to do, and a
/// closed one could not be looked at.
#[test]
fn every_incident_has_its_page_open_or_closed() {
    clock!(now, now_set);
    now_set(START);
    let (mut chief, mut press, mut viewer) = Default::default();
    let world = World::start(now, |store| {
        behind_an_edge(store);
        chief = person(store, "chief", 1, &[("commander", "/")]);
        press = person(store, "press", 2, &[("publisher", "/")]);
        viewer = person(store, "viewer", 3, &[("viewer", "/")]);
    });
    let none = page(&world, &viewer, "/incident");
    assert!(none.contains("No open incident"), "{none}");
    open_incident(&world, &chief);
    now_set(START + 1);
    assert_eq!(send(&world, &chief, "/incident/open", OTHER), 303);
    let (first, second) = (format!("/incident/{LOG4SHELL}"), format!("/incident/{OTHER}"));
    for (path, own, other) in [(&first, LOG4SHELL, OTHER), (&second, OTHER, LOG4SHELL)] {
        let page = page(&world, &viewer, path);
        assert!(page.contains(&format!("<h1>{own} ")) && page.contains("open since"), "{page}");
        assert!(page.contains(&format!("href=\"/incident/{other}?lang=en\"")), "{page}");
    }
    let screen = page(&world, &viewer, "/");
    for path in [&first, &second] {
        assert!(screen.contains(&format!("href=\"{path}?lang=en\"")), "{path}: {screen}");
    }
    assert_eq!(world.get("/incident/CVE-2000-0001", &viewer).0, 404);
    assert_eq!(world.get(&first, "").0, 303, "whoever is not signed in is asked to");
    assert_eq!(propose(&world, &chief, "care").0, 303);
    assert!(page(&world, &viewer, &second).contains("A-0001"), "it is about the newest one");
    assert!(!page(&world, &viewer, &first).contains("A-0001"));
    assert_eq!(send(&world, &chief, "/incident/close", OTHER), 303);
    let closed = page(&world, &press, &second);
    assert!(closed.contains("closed; it was opened"), "{closed}");
    assert!(closed.contains("Write the report") && closed.contains("name=\"report\""), "{closed}");
    let about_data = page(&world, &chief, &second);
    assert!(about_data.contains("Write the report"), "he alone may write about data: {about_data}");
    assert!(!page(&world, &viewer, &second).contains("Write the report"));
    assert!(!page(&world, &press, &first).contains("Write the report"), "it goes on");
    world.web.stop();
}

/// Who reads one body had no screen of the incident at all.
#[test]
fn who_reads_a_part_sees_the_incident_in_that_part() {
    clock!(now, now_set);
    now_set(START);
    let (mut chief, mut owner) = Default::default();
    let world = World::start(now, |store| {
        behind_an_edge(store);
        chief = person(store, "chief", 1, &[("commander", "/")]);
        owner = person(store, "owner", 2, &[("site-owner", "health/Hospital")]);
    });
    open_incident(&world, &chief);
    assert_eq!(propose(&world, &chief, "care+power").0, 303);
    let path = format!("/incident/{LOG4SHELL}");
    let part = page(&world, &owner, &path);
    assert!(part.contains("the part of the incident that you read"), "{part}");
    assert!(!part.contains("power") && !part.contains("A-0001"), "{part}");
    let whole = page(&world, &chief, &path);
    assert!(!whole.contains("the part of the incident") && whole.contains("A-0001"), "{whole}");
    let own = page(&world, &owner, "/");
    assert!(own.contains(LOG4SHELL) && !own.contains("power") && !own.contains("A-0001"), "{own}");
    world.web.stop();
}
