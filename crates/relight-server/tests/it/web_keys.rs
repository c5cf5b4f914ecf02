//! Passkeys over a real socket: coming in, going out, and everything that is refused.

use relight_engine::store::Store;

use crate::door_device::{Device, ceremony, cookie_set, form};
use crate::door_support::{START, World, clock, code_in, person, token};
use crate::web_console::ask;

fn acts(world: &World) -> Vec<String> {
    let act = |line: String| {
        line.split("\"act\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    };
    world.journal().into_iter().map(act).collect()
}

#[test]
fn the_first_link_makes_the_admin_once_and_closes_the_console() {
    clock!(now, set);
    let world = World::start(now, |_| ());
    let old = world.web.first_link().unwrap().unwrap();
    let link = world.web.first_link().unwrap().unwrap();
    let path = |link: &str| link.strip_prefix(&world.origin()).unwrap().to_owned();
    assert_eq!(world.get(&path(&old), "").0, 404, "another link replaces the one before");
    set(START + 10 * 60);
    assert_eq!(world.get(&path(&link), "").0, 404, "ten minutes are over");
    let device = Device::new(1);
    let cookie = world.first("anna", &device);
    assert!(world.web.first_link().unwrap().is_none());
    assert_eq!(world.get(&path(&link), "").0, 404);
    assert_eq!(world.get("/sites", "").0, 303, "now reading needs a sign-in");
    let (_, _, page) = world.get("/accounts", &cookie);
    assert!(page.contains("anna") && page.contains("/accounts/grant"), "{page}");
    let journal = world.journal().concat();
    assert!(journal.contains(r#""bootstrap":"first-run""#), "{journal}");
    assert_eq!(world.store.verify_journal().unwrap().unwrap().entries, 1);
}

#[test]
fn a_name_that_is_none_makes_no_account() {
    clock!(now, _set);
    let world = World::start(now, |_| ());
    let link = world.web.first_link().unwrap().unwrap();
    let path = link.strip_prefix(&world.origin()).unwrap();
    for name in ["", "Anna Roy", "anna<script>"] {
        let shown = Device::new(1).create(&world.get(path, "").2, "/start", &world.origin());
        let code = path.split("code=").nth(1).unwrap();
        let fields =
            [("code", code), ("name", name), ("ticket", &shown.ticket), ("answer", &shown.answer)];
        let (status, head, page) = world.post_raw("/start", "", &form(&fields));
        assert!(status == 403 && !head.contains("set-cookie"), "{name}: {head}");
        assert!(!page.contains("<script>") && page.contains("role=\"alert\""), "{page}");
    }
    assert!(world.store.account_tables().unwrap().accounts.is_empty());
}

/// Goal: an answer signs in once, in time, and only for what it was made for. Method: one device;
/// good answers are sent again, late, with another ticket, to another page, from another origin.
#[test]
fn an_answer_signs_in_once_and_in_time_only() {
    clock!(now, set);
    let world = World::start(now, |_| ());
    let mut device = Device::new(1);
    let first = world.first("anna", &device);
    let origin = world.origin();
    let page = || world.get("/sign-in", "").2;
    let shown = device.get(&page(), "/sign-in", &origin);
    let (status, head) = world.sign_in_with(&shown);
    let cookie = cookie_set(&head, status);
    assert!(head.contains("location: /sites"), "{head}");
    assert_eq!(world.get("/sites", &cookie).0, 200);
    let refused = |what: &str, shown: &crate::door_device::Shown| {
        set(now() / 1_000 + 60);
        let (status, head) = world.sign_in_with(shown);
        assert!(status == 403 && !head.contains("set-cookie"), "{what}: {status} {head}");
    };
    refused("replayed", &shown);
    let told = world.journal().pop().unwrap();
    assert!(told.contains(r#""why":"expired""#), "it is no copy of the key: {told}");
    let other = ceremony(&page(), "/sign-in").0;
    let mixed = crate::door_device::Shown { ticket: other, ..shown };
    refused("another ticket", &mixed);
    let foreign = device.get(&page(), "/sign-in", "http://localhost.evil.example");
    refused("another origin", &foreign);
    let confirming = device.get(&world.get("/confirm", &first).2, "/confirm", &origin);
    refused("made to confirm, not to sign in", &confirming);
    let unknown = Device::new(2).get(&page(), "/sign-in", &origin);
    refused("a key that nobody registered", &unknown);
    let forged = Device::new(1).get(&page(), "/sign-in", &origin);
    refused("another key under the same id", &forged);
    let late = device.get(&page(), "/sign-in", &origin);
    set(now() / 1_000 + 5 * 60);
    refused("too late", &late);
    device.count = 0;
    let copied = device.get(&page(), "/sign-in", &origin);
    refused("a key that counted further", &copied);
    device.count = 50;
    set(now() / 1_000 + 60);
    assert_eq!(world.sign_in(&mut device).0, 303);
    let journal = world.journal().concat();
    for why in ["expired", "foreign-origin", "unregistered", "bad-signature", "copied"] {
        assert!(journal.contains(&format!(r#""why":"{why}""#)), "{why}: {journal}");
    }
}

#[test]
fn nobody_is_locked_out_by_the_trials_of_others() {
    clock!(now, set);
    let world = World::start(now, |_| ());
    let (mut anna, mut zoe) = (Device::new(1), Device::new(2));
    let admin = world.first("anna", &anna);
    let link = world.new_account(&admin, "zoe");
    world.enter(&link, "", &zoe);
    set(START + 60);
    // Somebody guesses at anna's key: only what is within the limit is looked at at all.
    let statuses: Vec<u16> = (0..40)
        .map(|_| {
            let page = world.get("/sign-in", "").2;
            world.sign_in_with(&Device::new(1).get(&page, "/sign-in", &world.origin())).0
        })
        .collect();
    assert_eq!(statuses.iter().filter(|status| **status == 403).count(), 5);
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 35);
    assert_eq!(world.sign_in(&mut anna).0, 429, "from this address anna has to wait");
    assert_eq!(world.sign_in(&mut zoe).0, 303, "zoe does not");
    assert_eq!(world.get("/sites", &admin).0, 200, "and the open sign-in of anna goes on");
    set(START + 120);
    assert_eq!(world.sign_in(&mut anna).0, 303);
    let told = acts(&world).iter().filter(|act| *act == "sign-in-refused").count();
    assert_eq!(told, 6, "five and the first beyond; the others are counted");
}

#[test]
fn a_link_lets_one_person_in_and_dies() {
    clock!(now, set);
    let world = World::start(now, |_| ());
    let admin = world.first("anna", &Device::new(1));
    let link = world.new_account(&admin, "zoe");
    let cookie = world.enter(&link, "", &Device::new(2));
    assert_eq!(world.get(&link, "").0, 404, "it was used");
    let (status, _, page) = world.get("/me", &cookie);
    assert!(status == 200 && page.contains("zoe"), "{page}");
    let link = world.new_account(&admin, "max");
    set(START + 24 * 3_600);
    assert_eq!(world.get(&link, "").0, 404, "a day is over");
    for bad in ["AAAA", "%00", "../../x"] {
        assert_eq!(world.get(&format!("/start#code={bad}"), "").0, 404, "{bad}");
    }
}

/// The code of a link stood in its address, and so in the log of every proxy on the way.
#[test]
fn the_code_of_a_link_is_in_no_address_that_a_server_sees() {
    clock!(now, _set);
    let world = World::start(now, |_| ());
    let link = world.web.first_link().unwrap().unwrap();
    let (address, code) = link.split_once("#code=").unwrap();
    assert_eq!(address, format!("{}/start", world.origin()));
    // In the address it opens nothing, and is asked for as if it were not there.
    for path in ["/start".to_owned(), format!("/start?code={code}")] {
        let (status, head, page) = world.get(&path, "");
        assert_eq!(status, 200);
        assert!(page.contains("data-link") && !page.contains("data-key=\"create\""), "{page}");
        assert!(!page.contains(code) && head.contains("referrer-policy: same-origin"), "{head}");
    }
    let (status, _, page) = world.get(&format!("/start#code={code}"), "");
    assert!(status == 200 && page.contains("data-key=\"create\""), "{page}");
    let addresses = page.split("href=\"").skip(1).chain(page.split("action=\"").skip(1));
    for address in addresses.map(|rest| rest.split('"').next().unwrap()) {
        let seen = address.split('#').next().unwrap();
        assert!(!seen.contains(code), "{address}");
    }
    let stranger = "Origin: https://evil.example\r\n";
    assert_eq!(world.post_from("/start", stranger, &format!("code={code}")).0, 403);
}

#[test]
fn other_sign_ins_end_when_a_key_comes_or_goes() {
    clock!(now, set);
    let world = World::start(now, |_| ());
    let mut device = Device::new(1);
    let here = world.first("anna", &device);
    let elsewhere = {
        let (status, head) = world.sign_in(&mut device);
        cookie_set(&head, status)
    };
    let add = |cookie: &str, number: u8| {
        let page = world.get("/me", cookie).2;
        let shown = Device::new(number).create(&page, "/me/key?", &world.origin());
        let fields = [("label", "second"), ("ticket", &*shown.ticket), ("answer", &*shown.answer)];
        world.act(cookie, ("/me", "/me/key"), &fields).0
    };
    assert_eq!(add(&here, 2), 303);
    assert_eq!(world.get("/me", &elsewhere).0, 303, "it ended");
    assert_eq!(world.get("/me", &here).0, 200);
    assert_eq!(add_again(&world, &here), 403, "the same key twice");
    let remove =
        |cookie: &str, id: &str| world.act(cookie, ("/me", "/me/key/remove"), &[("id", id)]).0;
    assert_eq!(remove(&here, "99"), 403);
    assert_eq!(remove(&here, "2"), 303);
    assert_eq!(remove(&here, "1"), 403, "the last one stays");
    set(START + 5 * 60);
    let (_, _, page) = world.get("/me", &here);
    assert!(!page.contains("/me/key\"") && page.contains("/confirm"), "not fresh any more");
    assert_eq!(remove(&here, "1"), 403);
    assert_eq!(world.confirm(&here, &mut device), 303);
    assert!(world.get("/me", &here).2.contains("/me/key"));
    let wanted = ["account-added", "signed-in", "key-added", "key-removed", "key-shown"];
    let mut all = acts(&world);
    assert_eq!(all.iter().filter(|act| *act == "request-refused").count(), 4);
    all.retain(|act| act != "request-refused");
    assert_eq!(all, wanted);
}

fn add_again(world: &World, cookie: &str) -> u16 {
    let page = world.get("/me", cookie).2;
    let shown = Device::new(2).create(&page, "/me/key?", &world.origin());
    let fields = [("label", "x"), ("ticket", &*shown.ticket), ("answer", &*shown.answer)];
    world.act(cookie, ("/me", "/me/key"), &fields).0
}

#[test]
fn a_sign_in_is_ended_by_its_owner_and_by_nobody_else() {
    clock!(now, _set);
    let mut cookies = Vec::new();
    let world = World::start(now, |store: &Store| {
        cookies.push(person(store, "anna", 1, &[("viewer", "/")]));
        cookies.push(person(store, "zoe", 2, &[("viewer", "/")]));
    });
    let digests: Vec<String> = {
        let rows = world.store.account_tables().unwrap().sign_ins;
        let mut rows: Vec<_> = rows.iter().map(|row| (row.account, row.digest)).collect();
        rows.sort();
        rows.into_iter().map(|(_, digest)| digest.to_string()).collect()
    };
    let end =
        |cookie: &str, id: &str| world.act(cookie, ("/me", "/me/sign-in/end"), &[("id", id)]).0;
    assert_eq!(end(&cookies[1], &digests[0]), 403);
    assert_eq!(end(&cookies[1], "no digest"), 403);
    assert_eq!(world.get("/me", &cookies[0]).0, 200);
    assert_eq!(end(&cookies[0], &digests[0]), 303);
    assert_eq!(world.get("/me", &cookies[0]).0, 303);
    assert_eq!(world.get("/me", &cookies[1]).0, 200);
}

#[test]
fn a_token_reads_what_its_role_covers_and_never_counts_as_a_person() {
    clock!(now, set);
    let mut cookie = String::new();
    let world = World::start(now, |store: &Store| {
        let grants = [("site-owner", "health"), ("approver", "/")];
        cookie = person(store, "anna", 1, &grants);
    });
    let make = |role: &str, days: &str| {
        let fields = [("label", "ci"), ("role", role), ("days", days)];
        world.act(&cookie, ("/me", "/me/token"), &fields)
    };
    for (role, days) in [
        ("approver /", "1"),
        ("admin /", "1"),
        ("site-owner /", "1"),
        ("site-owner health", "0"),
        ("site-owner health", "91"),
        ("root health", "1"),
    ] {
        assert_eq!(make(role, days).0, 403, "{role} {days}");
    }
    let (status, _, page) = make("site-owner health", "90");
    assert_eq!(status, 200, "{page}");
    let secret = code_in(&page);
    assert!(secret.starts_with("rlt_"));
    let as_token = |path: &str, more: &str| {
        let head = format!("Authorization: Bearer {secret}\r\nAccept: text/html\r\n{more}");
        ask(world.address(), &format!("GET {path} HTTP/1.1\r\n{head}"))
    };
    assert_eq!(as_token("/site/care", "").0, 200);
    assert_eq!(as_token("/site/power", "").0, 404);
    assert_eq!(as_token("/watch", "").0, 403, "a part of the register only");
    for page in ["/me", "/accounts", "/confirm"] {
        assert_eq!(as_token(page, "").0, 404, "{page}");
    }
    let (status, head, _) = ask(
        world.address(),
        &format!("GET /sites HTTP/1.1\r\nAuthorization: Bearer {secret}x\r\nCookie: {cookie}\r\n"),
    );
    assert!(status == 401 && head.contains("www-authenticate: bearer"), "no cookie helps: {head}");
    let add = format!("Authorization: Bearer {secret}\r\n");
    let wish = form(&[("label", "more"), ("role", "site-owner health"), ("days", "1")]);
    assert_eq!(world.post_from("/me/token", &add, &wish).0, 404, "no token makes another one");
    assert_eq!(world.store.account_tables().unwrap().tokens.len(), 1);
    assert_eq!(world.store.account_tables().unwrap().tokens[0].used, START);
    let page = world.get("/me", &cookie).2;
    assert!(page.contains("ci") && !page.contains(&secret), "it is shown once");
    set(START + 90 * 86_400);
    assert_eq!(as_token("/site/care", "").0, 401, "its time is over");
}

#[test]
fn a_token_ends_when_its_owner_removes_it() {
    clock!(now, _set);
    let mut cookie = String::new();
    let world = World::start(now, |store: &Store| {
        cookie = person(store, "anna", 1, &[("viewer", "/")]);
    });
    let fields = [("label", "ci"), ("role", "viewer /"), ("days", "1")];
    let page = world.act(&cookie, ("/me", "/me/token"), &fields).2;
    let secret = code_in(&page);
    let read = || {
        let head = format!("GET /sites HTTP/1.1\r\nAuthorization: Bearer {secret}\r\n");
        ask(world.address(), &head).0
    };
    assert_eq!(read(), 200);
    assert_eq!(world.act(&cookie, ("/me", "/me/token/remove"), &[("id", "1")]).0, 303);
    assert_eq!(read(), 401);
    assert!(!world.journal().concat().contains(&secret[4..]), "no secret in the journal");
    assert!(token(&world.get("/me", &cookie).2).len() > 40);
}
