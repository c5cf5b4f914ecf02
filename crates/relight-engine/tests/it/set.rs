//! What people set about advisories on the command line, beside whoever controls the register.

use std::sync::Arc;

use relight_engine::incident::{Entry, Ledger};
use relight_engine::store::{By, RawAdvisory, Store};
use relight_model::Digest;

use crate::engine::{Town, open};

/// Goal: the journal names who published, retired or trusted, and what: once, also after a restart.
/// Method: changes by another process, among changes of other things, and a long reason.
#[test]
fn what_was_set_beside_the_controller_is_journalled_once() {
    let town = Town::new(1);
    let before = town.journal().len();
    let beside = Arc::new(Store::open(town.folder.path()).unwrap());
    let publish = |number: u8, what: &str, why: &str| {
        let id = format!("RLT-x-2031-000{number}");
        let revision = Digest([number; 32]);
        let record = RawAdvisory { id: &id, revision, bytes: b"{}", recorded_at: 1 };
        let by = By { actor: "anna (uid 7)", at: 1 };
        beside.publish_advisory("own", &record, by, (what, why)).unwrap();
    };
    publish(1, "advisories declare RLT-x-2031-0001", "a call");
    publish(2, "something else", "");
    publish(3, "advisories retire RLT-x-2031-0003", &"é".repeat(1_000));
    for _ in 0..2 {
        town.engine.follow_store().unwrap();
    }
    assert_eq!(town.journal()[before..], ["advisories-set"; 2]);
    let store = town.engine.store();
    let rows = store.journal(before as u64 + 1).unwrap();
    assert!(rows.iter().all(|row| row.actor == "anna (uid 7)" && row.incident.is_empty()));
    assert!(rows[0].body.contains(r#""said":"a call""#), "{}", rows[0].body);
    // When it was done, and not when it was taken in.
    assert!(rows.iter().all(|row| row.body.contains(r#""at":1,"#) && row.time > 1), "{rows:?}");
    assert!(rows[1].body.contains("retire RLT-x-2031-0003") && rows[1].body.len() < 1_000);
    // A journal of before kept no such time.
    let of_before = rows[0].body.replace(r#""at":1,"#, "");
    let Ok(Entry::AdvisoriesSet { at: 0, said, .. }) = Entry::from_body(&of_before) else {
        panic!("{of_before}");
    };
    assert_eq!(said, "a call");
    // Whoever takes over has replayed them.
    publish(4, "advisories bind RLT-x-2031-0004", "CVE-2031-0001");
    let second = open(&Arc::new(Store::open(town.folder.path()).unwrap()), "second").unwrap();
    second.follow_store().unwrap();
    assert_eq!(town.journal()[before..], ["advisories-set"; 3]);
    let third = open(&beside, "third").unwrap();
    assert_eq!(third.with_ledger(Ledger::clone), second.with_ledger(Ledger::clone));
}
