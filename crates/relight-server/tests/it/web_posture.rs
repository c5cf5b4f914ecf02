//! The posture: who sees which body, who attests what, and what is refused.

use crate::door_support::{START, World, clock, person, token};
use crate::web_console::start as start_board;

/// The people of a test, by their cookies.
#[derive(Default)]
struct People {
    owner: String,
    viewer: String,
    admin: String,
}

fn start(clock: fn() -> i64) -> (World, People) {
    let mut people = People::default();
    let world = World::start(clock, |store| {
        people.owner = person(store, "owner", 1, &[("site-owner", "health/Hospital")]);
        people.viewer = person(store, "viewer", 2, &[("viewer", "/")]);
        people.admin = person(store, "admin", 3, &[("admin", "/")]);
    });
    (world, people)
}

const HOSPITAL: &str = "/posture?lang=en&org=Hospital";

/// Sends the form with these fields over those of a good one; status and page, or where it leads.
fn attest(world: &World, cookie: &str, other: &[(&str, &str)]) -> (u16, String) {
    let page = world.get("/me?lang=en", cookie).2;
    let mut fields = [
        ("org", "Hospital"),
        ("site", ""),
        ("measure", "mfa"),
        ("value", "yes"),
        ("evidence", "report+7"),
        ("days", "30"),
    ];
    for (name, value) in other {
        fields.iter_mut().find(|(key, _)| key == name).unwrap().1 = value;
    }
    let mut form = format!("token={}", token(&page));
    fields.iter().for_each(|(name, value)| form.push_str(&format!("&{name}={value}")));
    let (status, head, body) = world.post("/posture/attest?lang=en", cookie, &form);
    (status, format!("{head}{body}"))
}

#[test]
fn a_body_attests_and_every_page_says_who_and_until_when() {
    clock!(now, _set);
    let (world, people) = start(now);
    let page = world.get(HOSPITAL, &people.owner).2;
    assert!(page.contains("nobody attested it") && page.contains("an asset was never inventoried"));
    assert_eq!(page.matches("<ol class=\"checklist\">").count(), 1);
    assert_eq!(page.matches("class=\"measure unknown\"").count(), 10 + 2 * 2, "{page}");
    let (status, head) = attest(&world, &people.owner, &[]);
    assert!(status == 303 && head.contains("/posture?lang=en&org=hospital"), "{head}");
    attest(&world, &people.owner, &[("measure", "action-3"), ("value", "no")]);
    attest(&world, &people.owner, &[("site", "beds"), ("value", "no")]);
    let page = world.get(HOSPITAL, &people.viewer).2;
    let told = "attested by owner on 2027-01-15, until 2027-02-14";
    assert_eq!(page.matches(told).count(), 3, "{page}");
    assert!(page.contains("1 yes, 1 no, 0 unknown"), "of the site itself before its body: {page}");
    let all = world.get("/posture?lang=en&q=hospi", &people.viewer).2;
    assert!(all.contains("1 of 2") && all.contains("0 of 10") && !all.contains("Utility"), "{all}");
    let rows = world.store.attestations().unwrap();
    assert!(rows.iter().all(|row| row.actor == "owner" && row.at == START));
}

#[test]
fn an_attestation_ends() {
    clock!(now, set);
    let (world, people) = start(now);
    attest(&world, &people.owner, &[("days", "1")]);
    let mfa = |page: String| page.matches("2 yes, 0 no, 0 unknown").count();
    let again = person(&world.store, "again", 9, &[("viewer", "/")]);
    assert_eq!(mfa(world.get(HOSPITAL, &people.viewer).2), 1);
    // Within the sign-in of twelve hours, and after the attestation of a minute less than a day.
    let mut row = world.store.attestations().unwrap().remove(0);
    row.expires = START + 60;
    world.store.attest(&[row]).unwrap();
    set(START + 60);
    let page = world.get(HOSPITAL, &people.viewer).2;
    assert!(mfa(page.clone()) == 0 && page.contains("attested by owner, expired on"), "{page}");
    drop(again);
}

#[test]
fn what_is_not_theirs_or_not_whole_is_refused_and_changes_nothing() {
    clock!(now, _set);
    let (world, people) = start(now);
    for (who, cookie, other, status) in [
        ("viewer", &people.viewer, ("days", "30"), 403),
        ("owner", &people.owner, ("org", "Utility"), 404),
        ("owner", &people.owner, ("site", "power"), 422),
        ("owner", &people.owner, ("site", "nowhere"), 422),
        ("owner", &people.owner, ("measure", "action-11"), 422),
        ("owner", &people.owner, ("value", "perhaps"), 422),
        ("owner", &people.owner, ("evidence", "+"), 422),
        ("owner", &people.owner, ("evidence", "a%0Ab"), 422),
        ("owner", &people.owner, ("days", "0"), 422),
        ("owner", &people.owner, ("days", "367"), 422),
        ("owner", &people.owner, ("days", "many"), 422),
    ] {
        let (seen, page) = attest(&world, cookie, &[other]);
        assert_eq!(seen, status, "{who} {other:?}: {page}");
        let is_form = status == 404 || other.1 == "many";
        assert!(is_form || page.contains("role=\"alert\""), "{who} {other:?} says why: {page}");
    }
    let of_site = attest(&world, &people.owner, &[("site", "care"), ("measure", "action-1")]);
    assert!(of_site.0 == 422 && of_site.1.contains("multi-factor sign-in only"), "{of_site:?}");
    assert_eq!(world.post("/posture/attest", &people.owner, "org=Hospital").0, 403, "no token");
    assert_eq!(world.store.attestations().unwrap(), []);
    assert_eq!(attest(&world, &people.admin, &[("org", "Utility")]).0, 303, "an admin may");
}

#[test]
fn a_body_that_is_not_theirs_is_not_there() {
    clock!(now, _set);
    let (world, people) = start(now);
    let all = world.get("/posture?lang=en", &people.owner).2;
    assert!(all.contains("Hospital") && !all.contains("Utility") && !all.contains("power"));
    assert_eq!(world.get("/posture?org=Utility", &people.owner).0, 404);
    assert_eq!(world.get("/posture?org=Utility", &people.viewer).0, 200);
    assert_eq!(world.get("/posture?org=%22%3E%3Cb%3E", &people.viewer).0, 404);
    let page = world.get(HOSPITAL, &people.viewer).2;
    assert!(!page.contains("/posture/attest"), "who may not attest sees no form");
    assert_eq!(world.get("/posture", "").0, 303);
    let (_, web) = start_board(3);
    assert_eq!(crate::web_console::get(web.console_addr(), "/posture").0, 404, "no register");
    web.stop();
}
