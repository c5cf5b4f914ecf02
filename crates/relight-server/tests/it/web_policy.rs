//! What the console tells of a policy that was replaced, over real sockets.

use relight_engine::store::Store;
use relight_server::policy_confirmed::CONFIRMED;
use relight_server::policy_file::{PolicyFile, Standing};
use relight_server::{FRESH_S_MAX, policy_file, policy_journal};

use crate::door_support::{START, World, clock, person, token};
use crate::web_acts::field;

/// Goal: nobody replaces the policy or its key unseen. Method: somebody signs one, and an auditor
/// reads the page of the journal.
#[test]
fn the_journal_page_tells_who_replaced_the_policy() {
    clock!(now, now_set);
    now_set(START);
    let mut auditor = String::new();
    let world = World::start(now, |store: &Store| {
        auditor = person(store, "audit", 1, &[("auditor", "/")]);
    });
    let folder = world.store.path().parent().unwrap();
    std::fs::write(folder.join(policy_file::POLICY_FILE), "").unwrap();
    policy_journal::signs(folder, &world.store, "Zoe (uid 7)").unwrap();
    let signed = policy_file::sign(folder, &world.store, &folder.join("key"), false).unwrap();
    assert!(policy_journal::note(folder, &world.engine).unwrap());
    let page = world.get("/audit?lang=en", &auditor).2;
    for part in [policy_journal::REPLACED, "Zoe (uid 7)", &signed.key] {
        assert!(page.contains(part), "{part}: {page}");
    }
    world.web.stop();
}

/// Signs a policy by which one person switches so many sites.
fn sign(store: &Store, alone: usize, key: &str) {
    let folder = store.path().parent().unwrap();
    let text = format!("[switching]\none_person_sites = {alone}\n");
    std::fs::write(folder.join(policy_file::POLICY_FILE), text).unwrap();
    policy_journal::signs(folder, store, "anna (uid 7)").unwrap();
    policy_file::sign(folder, store, &folder.join(key), true).unwrap();
}

/// The rules that hold: why, signed or not, and how many sites one person switches.
fn holds(store: &Store) -> (Standing, bool, usize) {
    let found = PolicyFile::read(store.path().parent().unwrap(), store).unwrap();
    (found.standing, found.policy.is_signed, found.policy.alone_max)
}

/// Before, whoever owned the data folder replaced rules and key alone, and both held at once.
#[test]
fn a_policy_that_is_replaced_holds_once_somebody_who_decides_confirms_it() {
    clock!(now, now_set);
    now_set(START);
    let (mut anna, mut zoe, mut viewer) = (String::new(), String::new(), String::new());
    let world = World::start(now, |store: &Store| {
        sign(store, 1, "key");
        anna = person(store, "anna", 1, &[("commander", "/")]);
        zoe = person(store, "zoe", 2, &[("approver", "/")]);
        viewer = person(store, "viewer", 3, &[("viewer", "/")]);
    });
    let (store, folder) = (&*world.store, world.store.path().parent().unwrap());
    policy_journal::note(folder, &world.engine).unwrap();
    assert_eq!(holds(store), (Standing::Signed, true, 1));
    sign(store, 5, "other");
    assert!(policy_journal::note(folder, &world.engine).unwrap());
    assert!(world.journal().last().unwrap().contains("unconfirmed"), "{:?}", world.journal());
    let before = (Standing::Unconfirmed, true, 1);
    assert_eq!(holds(store), before, "the rules of before go on");
    let form = |cookie: &str| {
        let page = world.get("/plans?lang=en", cookie).2;
        assert!(page.contains("one_person_sites = 5") && page.contains("anna (uid 7)"), "{page}");
        page.contains("action=\"/plans/policy?lang=en\"")
    };
    let page = world.get("/plans?lang=en", &zoe).2;
    assert_eq!([&anna, &zoe, &viewer].map(|it| form(it)), [false, true, false]);
    let (digest, key) = (field(&page, "digest"), field(&page, "key"));
    let confirm = |cookie: &str, digest: &str| {
        let own = token(&world.get("/plans", cookie).2);
        let form = format!("token={own}&digest={digest}&key={key}");
        world.post("/plans/policy?lang=en", cookie, &form)
    };
    for (cookie, digest, status) in
        [(&anna, &*digest, 403), (&viewer, &digest, 403), (&zoe, &"0".repeat(64), 409)]
    {
        let (answered, _, body) = confirm(cookie, digest);
        assert_eq!(answered, status, "{body}");
    }
    now_set(START + FRESH_S_MAX);
    let (status, head, _) = confirm(&zoe, &digest);
    assert!(status == 303 && head.contains("/confirm?next="), "{head}");
    assert!(!form(&zoe), "a passkey is shown first");
    assert_eq!(holds(store), before);
    now_set(START);
    assert_eq!(confirm(&zoe, &digest).0, 303);
    assert_eq!(holds(store), (Standing::Signed, true, 5));
    let told = world.journal();
    let last = told.last().unwrap();
    assert!(last.starts_with("zoe ") && last.contains(CONFIRMED) && last.contains(&digest));
    assert!(!world.get("/plans?lang=en", &zoe).2.contains("/plans/policy"), "once");
    assert_eq!(confirm(&zoe, &digest).0, 409, "none waits any more");
    // The one of before is another one again.
    sign(store, 1, "other");
    assert_eq!(holds(store), (Standing::Unconfirmed, true, 5));
    world.web.stop();
}

/// The first policy of a register with accounts loosens nothing alone either.
#[test]
fn a_first_policy_beside_accounts_waits_too() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    sign(&store, 5, "key");
    assert_eq!(holds(&store), (Standing::Signed, true, 5), "nobody else is there");
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    person(&store, "anna", 1, &[("commander", "/")]);
    sign(&store, 5, "key");
    assert_eq!(holds(&store), (Standing::Unconfirmed, false, 0));
}
