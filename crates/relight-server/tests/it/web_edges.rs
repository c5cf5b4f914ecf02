//! The page of the edges: what the journal knows of each, and who may see it.

use relight_engine::edges;
use relight_engine::incident::Entry;
use relight_engine::store::EdgeRow;
use relight_model::{Epoch, GateKey, Light};

use crate::door_support::{START, World, clock, person};
use crate::web_acts::{LOG4SHELL, behind_an_edge, decide, open_incident, propose};

/// Goal: at night one look says which edge needs somebody. Method: an edge goes through everything
/// that the journal can say of one.
#[test]
fn each_edge_says_whether_it_shows_what_is_wanted() {
    clock!(now, now_set);
    now_set(START);
    let (mut chief, mut zoe) = Default::default();
    let world = World::start(now, |store| {
        behind_an_edge(store);
        chief = person(store, "chief", 1, &[("commander", "/")]);
        zoe = person(store, "zoe", 2, &[("approver", "/")]);
    });
    let row = |lang: &str| {
        let (status, _, page) = world.get(&format!("/edges?lang={lang}"), &chief);
        assert_eq!(status, 200, "{page}");
        let row = page.split("<tr><th scope=\"row\">east").nth(1).unwrap();
        row.split("</tr>").next().unwrap().to_owned()
    };
    let says = |parts: &[&str], not: &[&str]| {
        let row = row("en");
        parts.iter().for_each(|part| assert!(row.contains(part), "{part}: {row}"));
        not.iter().for_each(|part| assert!(!row.contains(part), "{part}: {row}"));
    };
    says(&["builtin", "nothing is wanted", ">0</td>", ">3</td>"], &["/site/", "2027-"]);
    open_incident(&world, &chief);
    propose(&world, &chief, "care");
    says(&["nothing is wanted"], &["/site/"]);
    assert_eq!(decide(&world, &zoe, "A-0001", "decision=approve").0, 303);
    says(&["measure no", "differs", "/site/care?lang=en", ">1</td>"], &["/site/beds", "2027-"]);
    let seen = |light| Entry::Proved {
        sites: vec![GateKey::new("care").unwrap()],
        light,
        edge: "east".into(),
        epoch: Epoch::default(),
    };
    now_set(START + 60);
    world.engine.record("relight", LOG4SHELL, seen(Light::Dark)).unwrap();
    says(&["measure yes", "agrees", ">1</td>", "2027-01-15"], &["/site/", "since"]);
    assert!(row("fr").contains("conforme"), "{}", row("fr"));

    let tried = |passed, what: &str| {
        let what = what.to_owned();
        let entry = Entry::CanaryTried { edge: "east".into(), passed, what };
        world.engine.record("relight", "", entry).unwrap();
    };
    tried(false, "dark-not-seen");
    says(&["measure no", "its canary fails", "not seen dark, since 2027-01-15"], &["agrees"]);
    tried(false, "fenced");
    says(&["measure no", "fenced", "another controller commands this edge, since"], &["agrees"]);
    tried(true, "");
    says(&["agrees"], &["since"]);

    let target = world.store.edges().unwrap().remove(0);
    let identity = edges::identity(&edges::from_row(&target).unwrap()).unwrap();
    for (passed, moments) in [(true, 2), (false, 1)] {
        let (edge, target, untried) = ("east".to_owned(), Some(identity), Vec::new());
        let entry = Entry::Drilled { drill: true, edge, passed, failed: None, target, untried };
        world.engine.record("relight", "", entry).unwrap();
        assert_eq!(row("en").matches("2027-01-15").count(), moments, "{}", row("en"));
    }
    world.web.stop();
}

/// Goal: one look says which edge has a second barrier, and what that does. Method: none is named,
/// one that cannot be, a good one; then it closes a site, fails, and is done.
#[test]
fn each_edge_says_what_closes_what_it_does_not() {
    clock!(now, now_set);
    now_set(START);
    let mut viewer = String::new();
    let world = World::start(now, |store| {
        behind_an_edge(store);
        viewer = person(store, "viewer", 1, &[("viewer", "/")]);
    });
    let cell = |edge: &str, lang: &str| {
        let (_, _, page) = world.get(&format!("/edges?lang={lang}"), &viewer);
        let row = page.split(&format!("<tr><th scope=\"row\">{edge}<")).nth(1).unwrap();
        let label = if lang == "en" { "Second barrier" } else { "Seconde barrière" };
        let cell = row.split(&format!("data-label=\"{label}\">")).nth(1).unwrap();
        cell.split("</td>").next().unwrap().to_owned()
    };
    let says = |edge: &str, parts: &[&str]| {
        let cell = cell(edge, "en");
        parts.iter().for_each(|part| assert!(cell.contains(part), "{part}: {cell}"));
    };
    says("east", &["measure \"", "none", "what this edge fails to darken stays open"]);
    let east = world.store.edges().unwrap().remove(0);
    let put = |name: &str, barrier: &str| {
        let mut target = edges::from_row(&east).unwrap();
        target.name = name.into();
        if !barrier.is_empty() {
            target.settings.insert("barrier".into(), barrier.into());
        }
        world.store.put_edge(&edges::to_row(&target).unwrap(), START, "test").unwrap();
    };
    put("east", "wall");
    says("east", &["measure no", "wall", "no edge of the register has the name"]);
    put("wall", "");
    says("east", &["measure yes", "wall", "has nothing to close"]);
    says("wall", &["stands behind east"]);
    let barred_and = |sites: &[&str], held: &[&str], why: &str| {
        let [sites, held] =
            [sites, held].map(|all| all.iter().map(|site| GateKey::new(site).unwrap()).collect());
        let (edge, barrier, why) = ("east".to_owned(), "wall".to_owned(), why.to_owned());
        let entry = Entry::Barred { sites, held, edge, barrier, why };
        world.engine.record("relight", "", entry).unwrap();
    };
    let barred = |sites: &[&str], why: &str| barred_and(sites, &[], why);
    now_set(START + 60);
    barred(&["care"], "");
    says("east", &["measure yes", "closes 1 site"]);
    barred(&["care", "beds"], "unreachable");
    says("east", &["measure no", "does not close 2 sites: ", ", since 2027-01-15"]);
    assert!(cell("east", "fr").contains("ne ferme pas 2 sites\u{a0}: "), "{}", cell("east", "fr"));
    barred_and(&["care"], &["beds"], "still-closed");
    says("east", &["measure no", "closes 1 site, and does not open 1 site: "]);
    barred(&[], "");
    says("east", &["measure yes", "has nothing to close"]);
    // What one barrier did says nothing of another one.
    barred(&["care"], "unreachable");
    put("gate", "");
    put("east", "gate");
    says("east", &["measure yes", "gate", "has nothing to close"]);
    world.web.stop();
}

/// Goal: what relight cannot close is not left out. Method: sites behind no edge, and an entry that
/// is no edge.
#[test]
fn what_cannot_be_closed_is_told() {
    clock!(now, now_set);
    now_set(START);
    let mut viewer = String::new();
    let world = World::start(now, |store| {
        viewer = person(store, "viewer", 1, &[("viewer", "/")]);
    });
    let page = || world.get("/edges?lang=en", &viewer).2;
    assert!(page().contains("No edge is in the register."), "{}", page());
    assert!(page().contains("3 sites are behind no edge of the register"), "{}", page());
    assert!(world.get("/edges?lang=fr", &viewer).2.contains("3 sites ne sont derrière aucun"));
    let row = |name: &str| EdgeRow { name: name.into(), kind: "<b>".into(), target: "{}".into() };
    for number in 0..102 {
        world.store.put_edge(&row(&format!("edge-{number:03}")), START, "test").unwrap();
    }
    let page = page();
    assert!(page.contains("its entry cannot be read") && !page.contains("<b>"), "{page}");
    assert_eq!(page.matches("<tr><th scope=\"row\">").count(), 100, "the limit of rows");
    assert!(page.contains("102 edges") && page.contains("and 2 more"), "{page}");
    world.web.stop();
}

#[test]
fn whoever_reads_a_part_of_the_register_sees_no_edge() {
    clock!(now, now_set);
    now_set(START);
    let mut owner = String::new();
    let world = World::start(now, |store| {
        owner = person(store, "owner", 1, &[("site-owner", "health/Hospital")]);
    });
    assert_eq!(world.get("/edges", &owner).0, 403);
    assert_eq!(world.get("/edges", "").0, 303);
    assert!(!world.get("/sites", &owner).2.contains("href=\"/edges"));
    world.web.stop();
}
