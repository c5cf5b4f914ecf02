//! Lists of people and machines: no page grows with their number.

use relight_engine::store::{AgentCodeRow, Enrolment, Store};
use relight_model::Digest;

use crate::door_support::{START, World, clock, person};

/// How many agents there are, and accounts that may do nothing.
const MANY: usize = 120;

/// Those of them that are over: the first ones.
const OVER: usize = 10;

/// Agents of one organisation, and accounts.
fn fill(store: &Store) {
    let org = store.organisations().unwrap()[0].id;
    for at in 0..MANY {
        let mut digest = [0; 32];
        digest[0] = u8::try_from(at).unwrap();
        let (code, made_by, name) = (Digest(digest), "root".to_owned(), format!("web-{at:0>3}"));
        let expires = i64::MAX;
        let row = AgentCodeRow { digest: code, org, host: name.clone(), expires, made_by };
        store.put_agent_code(&row, START).unwrap();
        let (host, fingerprint, now) = (&*name, code, START);
        let id = store.enrol_agent(Enrolment { code, host, fingerprint, expires, now }).unwrap();
        if at < OVER {
            assert!(store.revoke_agent(id, START).unwrap());
        }
        store.add_account(&format!("p{at:0>3}"), START, &[]).unwrap();
    }
}

/// Goal: a page of agents has a hundred rows at most, whoever is let in no more stands last, and
/// one is found by its name. Method: 120 agents, of which the first ten are revoked.
#[test]
fn a_page_of_agents_has_a_hundred_rows_and_revoked_ones_are_last() {
    clock!(now, _set);
    let mut root = String::new();
    let world = World::start(now, |store| {
        fill(store);
        root = person(store, "root", 1, &[("admin", "/")]);
    });
    let page = |what: &str| {
        let (status, _, page) = world.get(&format!("/agents?lang=en{what}"), &root);
        assert_eq!(status, 200, "{what}");
        (page.matches("<tr><th scope=\"row\">").count(), page)
    };
    let (rows, first) = page("");
    assert_eq!(rows, 100);
    assert!(first.contains("Page 1 of 2") && first.contains(">web-010<"), "{first}");
    assert!(!first.contains(">web-000<") && !first.contains("rel=\"prev\""), "{first}");
    assert!(first.contains("href=\"/agents?lang=en&#38;page=2\" rel=\"next\""), "{first}");
    let (rows, second) = page("&page=2");
    assert_eq!(rows, MANY - 100);
    let at = |name: &str| second.find(&format!(">{name}<")).unwrap();
    assert!(at("web-119") < at("web-000"), "those that are over stand last");
    assert!(second.contains("href=\"/agents?lang=fr&#38;page=2\""), "the same in French: {second}");
    assert!(page("&page=99").1.contains("Page 2 of 2"), "there is no other");
    let (rows, found) = page("&q=WEB-00");
    assert_eq!(rows, OVER);
    assert!(found.contains("value=\"WEB-00\"") && !found.contains("Page 1"), "{found}");
    assert_eq!(page("&q=hospital").0, 100, "by its organisation");
    let (rows, none) = page("&q=nobody");
    assert!(rows == 0 && none.contains("Nothing fits."), "{none}");
}

/// Goal: the same of accounts, whose roles are rows, and whose names are in no list that grows.
/// Method: 120 accounts, of which ten end, and one with 150 roles.
#[test]
fn a_page_of_accounts_has_a_hundred_lines_and_no_endless_choice() {
    clock!(now, _set);
    let mut root = String::new();
    let scopes: Vec<String> = (0..150).map(|at| format!("health/Body {at}")).collect();
    let grants: Vec<(&str, &str)> = scopes.iter().map(|scope| ("viewer", &**scope)).collect();
    let world = World::start(now, |store| {
        root = person(store, "root", 1, &[("admin", "/")]);
        person(store, "many", 2, &grants);
        fill(store);
    });
    let page = |what: &str| world.get(&format!("/accounts?lang=en{what}"), &root).2;
    let all: Vec<String> = (1..=3).map(|at| page(&format!("&page={at}"))).collect();
    let held = |page: &String| page.matches("<tr><th scope=\"row\">").count();
    let cards = |page: &String| page.matches("<section class=\"panel door\"><h2>").count();
    assert_eq!(all.iter().map(held).collect::<Vec<_>>(), [100, 51, 0]);
    assert!(all.iter().all(|page| cards(page) <= 101), "and the panel of the forms");
    assert!(all[0].contains("Page 1 of 3") && all[1].contains("<h2>many</h2>"));
    assert!(!all.concat().contains("<option>"), "whom a role is for is written");
    for name in ["p000", "p009"] {
        assert_eq!(world.act(&root, ("/accounts", "/accounts/end"), &[("name", name)]).0, 200);
    }
    let last = page("&page=3");
    assert!(last.find("<h2>p119<").unwrap() < last.find("<h2>p000<").unwrap());
    assert_eq!(cards(&page("&q=p00")), 11);
    // The answer to a form is the page that it was sent from.
    let path = "/accounts/end?lang=en&page=3";
    let (_, _, page) = world.act(&root, ("/accounts", path), &[("name", "p118")]);
    assert!(page.contains("Page 3 of 3") && page.contains("/accounts/end?lang=en&#38;page=3\""));
    let grant = [("name", "p020"), ("role", "viewer"), ("scope", "/")];
    assert_eq!(world.act(&root, ("/accounts", "/accounts/grant"), &grant).0, 200);
}
