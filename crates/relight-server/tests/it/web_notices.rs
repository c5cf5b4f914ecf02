//! What people are told of their own accounts, on every page until they have seen it.

use crate::door_device::{Device, form};
use crate::door_support::{START, World, clock, with_key};
use crate::web_acts::field;

/// The lines of the notices on the page about oneself.
fn notices(world: &World, cookie: &str) -> Vec<String> {
    let page = world.get("/me?lang=en", cookie).2;
    let Some(part) = page.split("id=\"notices\"").nth(1) else { return Vec::new() };
    let part = part.split("</ul>").next().unwrap();
    let line = |it: &str| {
        it.split("</time>").nth(1).unwrap().split("</li>").next().unwrap().trim().to_owned()
    };
    part.split("<li>").skip(1).map(line).collect()
}

/// Whether a page says that something waits.
fn is_told(world: &World, cookie: &str) -> bool {
    world.get("/sites?lang=en", cookie).2.contains("class=\"told\"")
}

fn see(world: &World, cookie: &str) {
    assert_eq!(world.act(cookie, ("/me", "/me/notices/seen?lang=en"), &[]).0, 303);
}

#[test]
fn refused_sign_ins_and_changed_keys_are_told_until_they_are_seen() {
    clock!(now, now_set);
    now_set(START);
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().to_owned();
    let world = World::start_in(folder, now, |_| (), |_| ());
    let mut anna = Device::new(1);
    let cookie = world.first("anna", &anna);
    see(&world, &cookie);
    assert!(!is_told(&world, &cookie) && notices(&world, &cookie).is_empty());
    // Another key under the id of anna's, twice; and one that is nobody's.
    for number in [1, 1, 2] {
        let page = world.get("/sign-in", "").2;
        let shown = Device::new(number).get(&page, "/sign-in", &world.origin());
        assert_eq!(world.sign_in_with(&shown).0, 403);
    }
    assert!(is_told(&world, &cookie));
    assert_eq!(notices(&world, &cookie), ["Sign-in refused, from 127.0.0.1 (2 times)"]);
    now_set(START + 60);
    assert_eq!(world.confirm(&cookie, &mut anna), 303);
    assert_eq!(world.act(&cookie, ("/me", "/me/codes"), &[]).0, 200);
    assert_eq!(notices(&world, &cookie)[0], "New recovery codes were made");
    // What one person sees is nobody else's, and seen is seen.
    let link = world.new_account(&cookie, "zoe");
    let zoe = world.enter(&link, "", &Device::new(3));
    assert_eq!(notices(&world, &zoe), ["The link of the account was used, from 127.0.0.1"]);
    see(&world, &zoe);
    assert!(!is_told(&world, &zoe) && is_told(&world, &cookie));
    let grant = [("name", "zoe"), ("role", "viewer"), ("scope", "/")];
    assert_eq!(world.act(&cookie, ("/accounts", "/accounts/grant"), &grant).0, 200);
    assert_eq!(notices(&world, &zoe), ["A role was granted, by anna"]);
    // The journal keeps it, whatever becomes of the server.
    let World { store, engine, web, _folder } = world;
    web.stop();
    drop((store, engine));
    let again = World::start_in(_folder, now, |_| (), |_| ());
    assert!(place.exists());
    assert_eq!(notices(&again, &zoe), ["A role was granted, by anna"]);
    assert_eq!(notices(&again, &cookie).len(), 2);
    see(&again, &cookie);
    assert!(!is_told(&again, &cookie) && is_told(&again, &zoe));
    again.web.stop();
}

/// What came between the page and its button was never on the page.
#[test]
fn seen_is_what_stood_on_the_page() {
    clock!(now, now_set);
    now_set(START);
    let world = World::start(now, |_| ());
    let anna = world.first("anna", &Device::new(1));
    let link = world.new_account(&anna, "zoe");
    let zoe = world.enter(&link, "", &Device::new(2));
    let until = field(&world.get("/me?lang=en", &zoe).2, "until");
    now_set(START + 60);
    let grant = [("name", "zoe"), ("role", "viewer"), ("scope", "/")];
    assert_eq!(world.act(&anna, ("/accounts", "/accounts/grant"), &grant).0, 200);
    let seen = [("until", until.as_str())];
    assert_eq!(world.act(&zoe, ("/me", "/me/notices/seen?lang=en"), &seen).0, 303);
    assert_eq!(notices(&world, &zoe), ["A role was granted, by anna"]);
    world.web.stop();
}

/// Trap: of a flood of strangers the first sixty of a minute were written down, and after them no
/// refused sign-in of somebody who has an account, of which nobody was told then.
#[test]
fn no_flood_of_strangers_hides_a_refused_sign_in() {
    const URL: &str = "https://relight.example";
    clock!(now, now_set);
    now_set(START);
    let mut cookie = String::new();
    let world = World::start_at(now, Some(URL), |store| {
        cookie = with_key(store, "anna", 1, "viewer", &Device::new(1));
    });
    let tries = |address: usize, number: u8| {
        let shown = Device::new(number).get(&world.get("/sign-in", "").2, "/sign-in", URL);
        let fields = [("ticket", &*shown.ticket), ("answer", &*shown.answer), ("next", "/")];
        let from = format!("Origin: {URL}\r\nX-Forwarded-For: 203.0.113.{address}\r\n");
        assert_eq!(world.post_from("/sign-in", &from, &form(&fields)).0, 403);
    };
    for trial in 0..65 {
        tries(trial / 5, 9);
    }
    let told = |journal: &[String]| journal.iter().filter(|it| it.contains("refused")).count();
    assert_eq!(told(&world.journal()), 60, "the flood fills no disk");
    // Another key under the id of anna's.
    tries(99, 1);
    assert_eq!(notices(&world, &cookie), ["Sign-in refused, from 203.0.113.99"]);
    let journal = world.journal();
    assert_eq!(told(&journal), 61);
    assert!(journal.last().unwrap().starts_with("anna "), "{journal:?}");
    world.web.stop();
}
