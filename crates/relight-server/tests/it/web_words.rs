//! Words for the public page: what they may not say, who stands for what, and what goes with them.

use relight_engine::incident::{Entry, Impact, Particulars};

use crate::door_device::form;
use crate::door_support::{START, World, clock, person, token};
use crate::web_acts::{LOG4SHELL, open_incident};

/// A commander, a publisher, and an open incident.
fn start(clock: fn() -> i64) -> (World, String, String) {
    let (mut chief, mut press) = Default::default();
    let world = World::start(clock, |store| {
        chief = person(store, "chief", 1, &[("commander", "/")]);
        press = person(store, "press", 2, &[("publisher", "/")]);
    });
    open_incident(&world, &chief);
    (world, chief, press)
}

fn send(world: &World, cookie: &str, to: &str, more: &[(&str, &str)]) -> (u16, String) {
    let own = token(&world.get("/me", cookie).2);
    let fields = [&[("token", own.as_str()), ("incident", LOG4SHELL)][..], more].concat();
    let (status, _, body) = world.post(&format!("{to}?lang=en"), cookie, &form(&fields));
    (status, body)
}

/// What was published: French words, and what goes with them.
fn published(world: &World) -> Vec<(String, Particulars)> {
    let entries = world.store.journal(1).unwrap().into_iter();
    let entries = entries.filter(|record| record.kind == "update-published");
    let told = entries.map(|record| match Entry::from_body(&record.body).unwrap() {
        Entry::UpdatePublished { fr, particulars, .. } => (fr, particulars),
        other => panic!("{other:?}"),
    });
    told.collect()
}

const UPDATE: &str = "/incident/update";

/// A publisher alone could write that no data was stolen, or which flaw is looked for.
#[test]
fn words_about_data_are_said_by_the_command_and_flaws_by_nobody() {
    clock!(now, now_set);
    now_set(START);
    let (world, chief, press) = start(now);
    let data = [("fr", "Aucune donnée n’a été volée."), ("en", "All is well.")];
    let meant = [&data[..], &[("about_data", "yes")]].concat();
    let (status, body) = send(&world, &press, UPDATE, &data);
    assert_eq!(status, 422, "{body}");
    assert!(body.contains("“donnée” says something about data"), "{body}");
    assert_eq!(send(&world, &press, UPDATE, &meant).0, 403, "that is for the command");
    assert_eq!(send(&world, &chief, UPDATE, &data).0, 403, "other words are the publisher's");
    let named = [("fr", "Bonjour"), ("en", "It is CVE-2021-44228."), ("about_data", "yes")];
    let (status, body) = send(&world, &chief, UPDATE, &named);
    assert!(status == 422 && body.contains("names what is looked for"), "{status} {body}");
    let (status, page) = send(&world, &press, "/incident/preview", &data);
    assert_eq!(status, 200, "{page}");
    assert!(page.contains("says something about data"), "{page}");
    assert!(!page.contains("action=\"/incident/update"), "it is not offered: {page}");
    assert!(published(&world).is_empty());
    let (_, page) = send(&world, &chief, "/incident/preview", &meant);
    assert!(page.contains("action=\"/incident/update") && page.contains("name=\"about_data\""));
    assert_eq!(send(&world, &chief, UPDATE, &meant).0, 303);
    let about = Particulars { about_data: true, ..Particulars::default() };
    assert_eq!(published(&world), [("Aucune donnée n’a été volée.".to_owned(), about)]);
    world.web.stop();
}

/// Goal: what goes with words is what was chosen, in its limits, and a report comes when it is
/// over.
#[test]
fn a_promise_and_an_impact_are_kept_and_a_report_comes_last() {
    clock!(now, now_set);
    now_set(START);
    let (world, chief, press) = start(now);
    let words = [("fr", "Bientôt"), ("en", "Soon")];
    let with = |more: &[(&'static str, &'static str)]| {
        send(&world, &press, UPDATE, &[&words[..], more].concat()).0
    };
    assert_eq!(with(&[("next", "60"), ("impact", "minor")]), 303);
    for wrong in [("next", "soon"), ("next", "0"), ("next", "99999"), ("impact", "huge")] {
        assert!(matches!(with(&[wrong]), 409 | 422), "{wrong:?}");
    }
    assert!(matches!(with(&[("report", "yes")]), 409 | 422), "it goes on");
    let own = token(&world.get("/me", &chief).2);
    let close = format!("token={own}&incident={LOG4SHELL}");
    assert_eq!(world.post("/incident/close?lang=en", &chief, &close).0, 303);
    assert!(matches!(with(&[]), 409 | 422), "it is over");
    assert_eq!(with(&[("report", "yes")]), 303);
    let (next, impact) = (Some(START + 3_600), Some(Impact::Minor));
    let first = Particulars { next, impact, ..Particulars::default() };
    let last = Particulars { report: true, ..Particulars::default() };
    let told: Vec<Particulars> = published(&world).into_iter().map(|it| it.1).collect();
    assert_eq!(told, [first, last]);
    world.web.stop();
}
