//! Coming back after losing every key: an admin's link and a code of one's own, and neither alone.

use crate::door_device::{Device, Shown, cookie_set, form};
use crate::door_support::{START, World, clock, person};

/// A register with an admin and an approver.
fn start(clock: fn() -> i64) -> (World, String, String) {
    let (mut admin, mut zoe) = Default::default();
    let world = World::start(clock, |store| {
        admin = person(store, "admin", 1, &[("admin", "/")]);
        zoe = person(store, "zoe", 2, &[("approver", "/")]);
    });
    (world, admin, zoe)
}

/// Makes codes; gives their texts.
pub(crate) fn codes(world: &World, cookie: &str) -> Vec<String> {
    let (status, _, page) = world.act(cookie, ("/me", "/me/codes"), &[]);
    assert_eq!(status, 200, "{page}");
    let lines = page.split("<p class=\"secret\"><code>").skip(1);
    lines.map(|line| line.split('<').next().unwrap().to_owned()).collect()
}

/// The path of a new link for an account; the page instead when it is refused.
pub(crate) fn renew(world: &World, admin: &str, name: &str) -> Result<String, String> {
    let (status, _, page) =
        world.act(admin, ("/accounts?lang=en", "/accounts/renew?lang=en"), &[("name", name)]);
    let code = page.split("/start#code=").nth(1).and_then(|rest| rest.split('<').next());
    match code.filter(|_| status == 200) {
        Some(code) => Ok(format!("/start#code={code}")),
        None => Err(page),
    }
}

/// Registers a key through a link with a code; status, head and page.
pub(crate) fn enter(
    world: &World,
    path: &str,
    device: &Device,
    recovery: &str,
) -> (u16, String, String) {
    let (_, _, page) = world.get(path, "");
    let Shown { ticket, answer } = device.create(&page, "/start", &world.origin());
    let code = path.split("code=").nth(1).unwrap();
    let fields = form(&[
        ("code", code),
        ("label", "new key"),
        ("recovery", recovery),
        ("ticket", &ticket),
        ("answer", &answer),
    ]);
    world.post_raw("/start?lang=en", "", &fields)
}

/// Goal: somebody who decides about plans comes back with a link and a code, once, and keeps the
/// roles; a link alone, a code alone, and codes of others or of before let nobody in.
#[test]
fn who_decides_comes_back_with_a_link_and_a_code_and_with_nothing_less() {
    clock!(now, now_set);
    now_set(START);
    let (world, admin, zoe) = start(now);
    let page = renew(&world, &admin, "zoe").unwrap_err();
    assert!(page.contains("has no recovery codes"), "{page}");
    let (old, of_admin) = (codes(&world, &zoe), codes(&world, &admin));
    let own = codes(&world, &zoe);
    assert_eq!((own.len(), own[0].len()), (8, 35));
    assert!(own.iter().all(|code| !old.contains(code)));
    let link = renew(&world, &admin, "zoe").unwrap();
    assert_eq!(world.get("/me", &zoe).0, 303, "the old sign-ins are over");
    let page = world.get(&link.replace('#', "?lang=en#"), "").2;
    assert!(
        page.contains("the link is not enough") && page.contains("name=\"recovery\""),
        "{page}"
    );
    for (number, wrong) in (1..).zip(["", "x", &old[0], &of_admin[0]]) {
        now_set(START + 60 * number);
        let (status, head, page) = enter(&world, &link, &Device::new(7), wrong);
        assert!(status == 403 && !head.contains("__Host-rl="), "{wrong}: {page}");
        assert!(page.contains("no recovery code of the account"), "{page}");
        assert!(world.journal().pop().unwrap().contains(r#""why":"wrong-code""#));
    }
    // A code without a link is nothing at all.
    let bare = form(&[("code", ""), ("recovery", &own[0]), ("ticket", ""), ("answer", "")]);
    let (_, head, page) = world.post_raw("/start", "", &bare);
    assert!(!head.contains("__Host-rl=") && page.contains("data-link"), "{head}");
    let bare = form(&[("code", ""), ("recovery", &own[0]), ("ticket", "x"), ("answer", "{}")]);
    assert_eq!(world.post_raw("/start", "", &bare).0, 403);
    now_set(START + 6 * 60);
    let mut device = Device::new(8);
    let typed = own[0].to_lowercase().replace('-', " ");
    let (status, head, page) = enter(&world, &link, &device, &typed);
    assert_eq!(status, 303, "{page}");
    let cookie = cookie_set(&head, status);
    let page = world.get("/me?lang=en", &cookie).2;
    assert!(page.contains("7 codes are left") && page.contains("Approver"), "{page}");
    let journal = world.journal().concat();
    assert!(journal.contains(r#""by":"link and recovery code""#), "{journal}");
    assert!(own.iter().all(|code| !journal.contains(code.as_str())), "no code is journalled");
    now_set(START + 8 * 60);
    assert_eq!(world.sign_in(&mut device).0, 303);
    assert_eq!(world.store.account_tables().unwrap().recovery_codes.len(), 8 + 7);
    world.web.stop();
}

#[test]
fn a_code_is_used_up_and_another_one_is_needed_the_next_time() {
    clock!(now, now_set);
    now_set(START);
    let (world, admin, zoe) = start(now);
    let own = codes(&world, &zoe);
    let link = renew(&world, &admin, "zoe").unwrap();
    assert_eq!(enter(&world, &link, &Device::new(8), &own[3]).0, 303);
    let link = renew(&world, &admin, "zoe").unwrap();
    assert_eq!(enter(&world, &link, &Device::new(9), &own[3]).0, 403, "used");
    assert_eq!(enter(&world, &link, &Device::new(9), &own[4]).0, 303);
    assert_eq!(world.get(&link, "").0, 404, "the link is dead");
    world.web.stop();
}

/// Who does not decide needs the link alone, as before: an admin could grant the same to anybody.
#[test]
fn who_does_not_decide_needs_no_code() {
    clock!(now, now_set);
    now_set(START);
    let (world, admin, _) = start(now);
    let link = world.new_account(&admin, "anna");
    assert!(!world.get(&link, "").2.contains("name=\"recovery\""));
    world.enter(&link, "", &Device::new(3));
    assert!(renew(&world, &admin, "anna").is_ok());
    world.web.stop();
}

#[test]
fn codes_are_made_with_a_passkey_shown_just_now_and_shown_once() {
    clock!(now, now_set);
    now_set(START);
    let (world, _, zoe) = start(now);
    let own = codes(&world, &zoe);
    let page = world.get("/me?lang=en", &zoe).2;
    assert!(
        page.contains("8 codes are left") && own.iter().all(|code| !page.contains(code.as_str()))
    );
    let tables = world.store.account_tables().unwrap();
    assert_eq!(tables.recovery_codes.len(), 8);
    now_set(START + 5 * 60);
    assert_eq!(world.act(&zoe, ("/me", "/me/codes"), &[]).0, 403);
    assert_eq!(world.store.account_tables().unwrap().recovery_codes, tables.recovery_codes);
    world.web.stop();
}
