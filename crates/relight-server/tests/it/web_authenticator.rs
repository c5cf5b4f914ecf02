//! Coming back with an authenticator app: its code stands in the place of a recovery code, with an
//! admin's link, once, and never for who decides about plans unless the policy says so.

use std::sync::Arc;

use relight_engine::store::AuthenticatorRow;
use relight_server::recover::{Owner, Recovery};
use totp_rs::{Builder, Secret};

use crate::door_device::{Device, cookie_set, form};
use crate::door_support::{START, World, clock, code_in, person, with_key};
use crate::web_recovery::{codes, enter, renew};

/// The code of a secret at a time.
pub(crate) fn code_at(secret: [u8; 20], now: i64) -> String {
    let codes = Builder::new().with_secret(Secret::new_stack(secret)).build().unwrap();
    codes.generate(now as u64).to_string()
}

/// An admin, somebody who decides about nothing, and an approver.
fn people(clock: fn() -> i64, totp_for_deciders: bool) -> (World, [String; 3]) {
    let mut cookies = [const { String::new() }; 3];
    let change = |config: &mut relight_server::WebConfig| {
        config.totp_for_deciders = totp_for_deciders;
    };
    let world = World::start_with(clock, change, |store| {
        cookies[0] = person(store, "admin", 1, &[("admin", "/")]);
        cookies[1] = person(store, "anna", 2, &[("analyst", "/")]);
        cookies[2] = person(store, "zoe", 3, &[("approver", "/")]);
    });
    (world, cookies)
}

/// Asks for a secret; gives it as the page shows it.
fn shown(world: &World, cookie: &str) -> [u8; 20] {
    let (status, _, page) = world.act(cookie, ("/me?lang=en", "/me/authenticator?lang=en"), &[]);
    assert_eq!(status, 200, "{page}");
    let text = code_in(&page);
    let uri = page.split("<code>").nth(2).unwrap().split('<').next().unwrap();
    assert!(uri.starts_with("otpauth://totp/relight%20localhost:"), "{uri}");
    assert!(uri.contains(&format!("?secret={text}&#38;issuer=relight%20localhost")), "{uri}");
    assert!(uri.ends_with("&#38;algorithm=SHA1&#38;digits=6&#38;period=30"), "{uri}");
    Secret::try_from_base32(text).unwrap().as_bytes().try_into().unwrap()
}

fn confirm(world: &World, cookie: &str, code: &str) -> (u16, String) {
    let paths = ("/me?lang=en", "/me/authenticator/confirm?lang=en");
    let (status, _, page) = world.act(cookie, paths, &[("code", code)]);
    (status, page)
}

/// Sets an app up at a time; gives its secret.
fn set_up(world: &World, cookie: &str, now: i64) -> [u8; 20] {
    let secret = shown(world, cookie);
    assert_eq!(confirm(world, cookie, &code_at(secret, now)).0, 303);
    secret
}

fn rows(world: &World) -> Vec<AuthenticatorRow> {
    world.store.account_tables().unwrap().authenticators
}

/// Goal: an app counts only once its first code was typed by somebody whose passkey was shown just
/// now; its secret is shown once, stored by then, and never journalled.
#[test]
fn an_app_counts_once_its_first_code_was_typed_and_its_secret_is_shown_once() {
    clock!(now, now_set);
    now_set(START);
    let (world, [admin, anna, _]) = people(now, false);
    assert!(world.get("/me?lang=en", &anna).2.contains("No app is set up"));
    assert_eq!(confirm(&world, &anna, "123456").0, 403, "no secret was shown");
    let first = shown(&world, &anna);
    let secret = shown(&world, &anna);
    assert_ne!(first, secret);
    let page = world.get("/me?lang=en", &anna).2;
    assert!(page.contains("/me/authenticator/confirm") && page.contains("No app is set up"));
    for wrong in ["", "12345", "x", &code_at(first, START), &code_at(secret, START + 300)] {
        let (status, page) = confirm(&world, &anna, wrong);
        assert_eq!(status, 403, "{wrong}");
        assert!(page.contains("not the code that the app shows now"), "{page}");
    }
    assert_eq!(confirm(&world, &admin, &code_at(secret, START)).0, 403, "that of somebody else");
    assert_eq!(rows(&world), [], "nothing is stored before");
    now_set(START + 299);
    let late = code_at(secret, START + 299 - 30);
    assert_eq!(confirm(&world, &anna, &format!("{} {}", &late[..3], &late[3..])).0, 303);
    let kept = rows(&world);
    assert_eq!((kept.len(), kept[0].secret), (1, secret));
    let page = world.get("/me?lang=en", &anna).2;
    assert!(page.contains("An app is set up"), "{page}");
    assert!(page.contains("An authenticator app was set up"), "told: {page}");
    let text = Secret::new_stack(secret).to_base32();
    let journal = world.journal().concat();
    assert!(journal.contains("authenticator-added"), "{journal}");
    assert!(!page.contains(&text) && !journal.contains(&text), "the secret is shown once");
    assert_eq!(confirm(&world, &anna, &code_at(secret, START + 299)).0, 403, "nothing waits");

    now_set(START + 300);
    for path in ["/me/authenticator", "/me/authenticator/confirm", "/me/authenticator/remove"] {
        assert_eq!(world.act(&anna, ("/me", path), &[("code", "123456")]).0, 403, "{path}");
    }
    assert_eq!(rows(&world), kept, "the passkey was shown too long ago");
    world.web.stop();
}

#[test]
fn a_secret_waits_ten_minutes_for_its_first_code() {
    clock!(now, now_set);
    now_set(START);
    let (mut device, mut anna) = (Device::new(9), String::new());
    let world = World::start(now, |store| anna = with_key(store, "anna", 2, "analyst", &device));
    let secret = shown(&world, &anna);
    for (at, status, told) in [(600, 403, "No secret waits"), (599, 303, "")] {
        now_set(START + at);
        // A passkey that is shown meanwhile gives it no longer.
        assert_eq!(world.confirm(&anna, &mut device), 303);
        let confirmed = confirm(&world, &anna, &code_at(secret, START + at));
        assert_eq!(confirmed.0, status, "{at} s");
        assert!(confirmed.1.contains(told), "{at} s: {}", confirmed.1);
    }
    world.web.stop();
}

/// Goal: whoever set up an app comes back with a link and its present code, once; with less nobody
/// does: not with a link, not with a code that was used, is older, late or of another app.
#[test]
fn who_set_up_an_app_comes_back_with_a_link_and_its_code_and_with_nothing_less() {
    clock!(now, now_set);
    now_set(START);
    let (world, [admin, anna, _]) = people(now, false);
    let secret = set_up(&world, &anna, START);
    let of_admin = set_up(&world, &admin, START);
    let used = code_at(secret, START);
    let link = renew(&world, &admin, "anna").unwrap();
    assert_eq!(rows(&world).len(), 2, "the link alone ends no app");
    let page = world.get(&link.replace('#', "?lang=en#"), "").2;
    assert!(page.contains("code of its authenticator app"), "{page}");
    let older = code_at(secret, START - 30);
    for (number, wrong) in (0..).zip(["", &used, &older, &code_at(of_admin, START + 30)]) {
        let (status, head, page) = enter(&world, &link, &Device::new(7), wrong);
        assert!(status == 403 && !head.contains("__Host-rl="), "{number} {wrong}: {page}");
        assert!(page.contains("no recovery code of the account"), "{page}");
        assert!(world.journal().pop().unwrap().contains(r#""why":"wrong-code""#));
    }
    assert_eq!(rows(&world).iter().map(|row| row.wrong).sum::<u32>(), 3);
    now_set(START + 120);
    for late in [START + 60, START + 180] {
        let code = code_at(secret, late);
        assert_eq!(enter(&world, &link, &Device::new(7), &code).0, 403, "two steps away");
    }
    let code = code_at(secret, START + 150);
    // Without the link a code is nothing at all.
    let bare = [("code", ""), ("recovery", code.as_str()), ("ticket", "x"), ("answer", "{}")];
    assert_eq!(world.post_raw("/start", "", &form(&bare)).0, 403);
    let (status, head, page) = enter(&world, &link, &Device::new(8), &code);
    assert_eq!(status, 303, "{page}");
    let page = world.get("/me?lang=en", &cookie_set(&head, status)).2;
    assert!(page.contains("Analyst") && page.contains("No app is set up"), "{page}");
    let journal = world.journal().concat();
    assert!(journal.contains(r#""by":"link and authenticator app""#), "{journal}");
    assert_eq!(rows(&world).len(), 1, "it ended as the keys did");
    let link = renew(&world, &admin, "anna").unwrap();
    assert!(!world.get(&link, "").2.contains("name=\"recovery\""), "the link is enough again");
    world.web.stop();
}

/// Goal: guessing ends, from wherever, and never opens what it did not open before.
#[test]
fn ten_wrong_codes_end_an_app_and_the_link_alone_lets_in_no_more_than_before() {
    clock!(now, now_set);
    now_set(START);
    let (world, [admin, anna, _]) = people(now, false);
    let secret = set_up(&world, &anna, START);
    let own = codes(&world, &anna);
    let link = renew(&world, &admin, "anna").unwrap();
    let wrong = code_at(secret, START + 86_400);
    for trial in 0..12 {
        now_set(START + 20 * trial);
        assert_eq!(enter(&world, &link, &Device::new(7), &wrong).0, 403);
    }
    let at = START + 250;
    now_set(at);
    assert_eq!(rows(&world)[0].wrong, 10, "nothing is counted beyond");
    assert_eq!(enter(&world, &link, &Device::new(7), &code_at(secret, at)).0, 403, "too late");
    assert_eq!(enter(&world, &link, &Device::new(7), "").0, 403, "a code is asked for still");
    let again = renew(&world, &admin, "anna").unwrap();
    assert_eq!(enter(&world, &again, &Device::new(7), &code_at(secret, at)).0, 403);
    assert_eq!(enter(&world, &again, &Device::new(8), &own[0]).0, 303, "a code on paper does");
    assert_eq!(rows(&world), []);
    world.web.stop();
}

#[test]
fn an_app_that_counts_no_more_without_codes_gets_no_link() {
    clock!(now, now_set);
    now_set(START);
    let (world, [admin, anna, _]) = people(now, false);
    let secret = set_up(&world, &anna, START);
    let link = renew(&world, &admin, "anna").unwrap();
    let wrong = code_at(secret, START + 86_400);
    for trial in 0..10 {
        now_set(START + 20 * trial);
        assert_eq!(enter(&world, &link, &Device::new(7), &wrong).0, 403);
    }
    let page = renew(&world, &admin, "anna").unwrap_err();
    assert!(page.contains("none that counts is left"), "{page}");
    world.web.stop();
}

/// Goal: the secret lies readable in the database, so who decides is brought back by recovery codes
/// only, whatever was set up before.
#[test]
fn codes_of_an_app_do_not_count_for_who_decides_unless_the_policy_says_so() {
    clock!(now, now_set);
    now_set(START);
    let (world, [admin, anna, zoe]) = people(now, false);
    let page = world.get("/me?lang=en", &zoe).2;
    assert!(page.contains("only recovery codes bring it back"), "{page}");
    assert!(!page.contains("action=\"/me/authenticator?"), "{page}");
    assert_eq!(world.act(&zoe, ("/me", "/me/authenticator"), &[]).0, 403);
    let secret = set_up(&world, &anna, START);
    let fields = [("name", "anna"), ("role", "commander"), ("scope", "/")];
    assert_eq!(world.act(&admin, ("/accounts", "/accounts/grant"), &fields).0, 200);
    let fields = [("id", "1"), ("answer", "confirm")];
    assert_eq!(world.act(&zoe, ("/accounts", "/accounts/settle"), &fields).0, 200);
    let page = world.get("/me?lang=en", &anna).2;
    assert!(page.contains("only recovery codes bring it back"), "{page}");
    let refused = renew(&world, &admin, "anna").unwrap_err();
    assert!(refused.contains("has no recovery codes"), "{refused}");
    let own = codes(&world, &anna);
    let link = renew(&world, &admin, "anna").unwrap();
    assert!(!world.get(&link.replace('#', "?lang=en#"), "").2.contains("authenticator app"));
    now_set(START + 60);
    assert_eq!(enter(&world, &link, &Device::new(7), &code_at(secret, START + 60)).0, 403);
    assert_eq!(enter(&world, &link, &Device::new(7), &own[0]).0, 303);
    world.web.stop();
}

#[test]
fn with_a_policy_that_says_so_who_decides_comes_back_with_an_app() {
    clock!(now, now_set);
    now_set(START);
    let (world, [admin, _, zoe]) = people(now, true);
    assert!(renew(&world, &admin, "zoe").is_err(), "neither app nor codes");
    let secret = set_up(&world, &zoe, START);
    let link = renew(&world, &admin, "zoe").unwrap();
    now_set(START + 60);
    assert_eq!(enter(&world, &link, &Device::new(7), "").0, 403);
    assert_eq!(enter(&world, &link, &Device::new(7), &code_at(secret, START + 60)).0, 303);
    world.web.stop();
}

#[test]
fn an_app_is_removed_by_its_person_and_ends_with_the_way_back_of_the_owner() {
    clock!(now, now_set);
    now_set(START);
    let (world, [admin, anna, _]) = people(now, false);
    set_up(&world, &anna, START);
    let remove = || world.act(&anna, ("/me", "/me/authenticator/remove"), &[]).0;
    assert_eq!((remove(), remove()), (303, 403));
    assert!(world.journal().concat().contains("authenticator-removed"));
    set_up(&world, &admin, START);
    assert_eq!(rows(&world).len(), 1);
    let recovery = Recovery::open(Arc::clone(&world.engine), "http://localhost:1").unwrap();
    let owner = Owner { name: "root", reason: "lost" };
    recovery.unwrap().admin(owner, "admin", &[]).unwrap();
    assert_eq!(rows(&world), [], "who owns the folder is asked for no code");
    world.web.stop();
}
