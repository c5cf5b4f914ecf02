//! What the console tells of a policy that was replaced, over real sockets.

use relight_engine::store::Store;
use relight_server::{policy_file, policy_journal};

use crate::door_support::{START, World, clock, person};

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
