//! `relight account recover`: the way back into a register that locked itself out, told to
//! everybody.

use relight_engine::store::{AccountChange, GrantRow, PasskeyRow, Store};
use serde_json::Value;

use crate::place::Place;
use crate::serve::Server;

/// The setting that the one grant without a second person was made.
const SECOND: &str = "access.second-granted";

fn add(store: &Store, name: &str, role: &str, has_key: bool) -> u32 {
    let grant =
        GrantRow { account: 0, role: role.into(), scope: "/".into(), at: 1, by: "test".into() };
    let key = PasskeyRow {
        id: 0,
        account: 0,
        credential: name.as_bytes().to_vec(),
        key: vec![1; 65],
        name: "key".into(),
        signatures: 0,
        created: 1,
        used: 1,
    };
    let keys = has_key.then_some(AccountChange::AddKey(key));
    let changes: Vec<AccountChange> =
        [AccountChange::Grant(grant)].into_iter().chain(keys).collect();
    store.add_account(name, 1, &changes).unwrap()
}

/// What the journal says of ways back: act, account and actor.
fn told(store: &Store) -> Vec<(String, String, String)> {
    let rows = store.journal(1).unwrap().into_iter().filter(|row| row.kind == "access");
    let told = rows.map(|row| {
        let body: Value = serde_json::from_str(&row.body).unwrap();
        let text = |name: &str| body[name].as_str().unwrap().to_owned();
        assert_eq!(body["facts"]["reason"], "Friday", "{body}");
        (text("act"), text("account"), row.actor)
    });
    told.collect()
}

fn keys(store: &Store) -> usize {
    store.account_tables().unwrap().passkeys.len()
}

const RECOVER: [&str; 4] = ["account", "recover", "--reason", "Friday"];

/// The only commander was ended, and nobody is there who confirms another one: no plan, no glass,
/// no incident, for ever.
#[test]
fn a_register_without_anybody_who_decides_gets_one_grant_again() {
    let place = Place::with_sites();
    let store = Store::open(&place.path("data")).unwrap();
    let none = place.expect(4, &RECOVER);
    assert!(none.stderr.contains("not there"), "there is no account: {}", none.text());
    add(&store, "anna", "admin", true);
    let zoe = add(&store, "zoe", "commander", true);
    store.meta_put(SECOND, "yes").unwrap();
    let refused = place.expect(4, &RECOVER);
    assert!(refused.stderr.contains("Somebody who decides can come in"), "{}", refused.text());
    let french = place.expect(4, &[&RECOVER[..], &["--lang", "fr"]].concat());
    assert!(french.stderr.contains("Quelqu’un qui décide peut entrer"), "{}", french.text());
    assert_eq!(store.meta_get(SECOND).unwrap().as_deref(), Some("yes"));
    assert!(told(&store).is_empty());
    store.change_accounts(&[AccountChange::End { account: zoe, at: 2 }]).unwrap();
    place.expect(2, &["account", "recover"]);
    place.expect(2, &["account", "recover", "--reason", " "]);
    let (server, _) = Server::start(&place);
    place.expect(1, &RECOVER);
    assert_eq!(server.terminate(), Some(0));
    assert!(told(&store).is_empty(), "nothing happens beside a server");
    let done = place.expect(0, &[&RECOVER[..], &["--json"]].concat()).json();
    assert!(done["account"].is_null() && done["link"].is_null(), "{done}");
    assert_eq!(store.meta_get(SECOND).unwrap().as_deref(), Some("again"));
    let told = told(&store);
    assert_eq!(
        (told.len(), told[0].0.as_str(), told[0].1.as_str()),
        (1, "account-recovered", "anna")
    );
    assert!(told[0].2.starts_with("uid "), "{told:?}");
    assert_eq!(keys(&store), 1, "no key ends");
}

#[test]
fn the_last_admin_gets_a_link_when_no_other_one_can_come_in() {
    let place = Place::with_sites();
    let store = Store::open(&place.path("data")).unwrap();
    for (name, role, has_key) in [
        ("anna", "admin", true),
        ("boss", "admin", true),
        ("lost", "admin", false),
        ("zoe", "commander", true),
    ] {
        add(&store, name, role, has_key);
    }
    let recover = |status: i32, more: &[&str]| place.expect(status, &[&RECOVER[..], more].concat());
    let refused = recover(4, &["anna"]);
    assert!(refused.stderr.contains("Another admin can come in"), "{}", refused.text());
    let refused = recover(4, &["zoe"]);
    assert!(refused.stderr.contains("no admin of everything"), "{}", refused.text());
    recover(4, &["anna", "--lost", "zoe"]);
    recover(4, &["nobody"]);
    recover(2, &["anna", "--console-url", "http://relight.example"]);
    recover(2, &["--lost", "boss"]);
    assert_eq!((told(&store).len(), keys(&store)), (0, 3), "nothing changed");
    let made = recover(0, &["anna", "--lost", "boss", "--console-url", "https://relight.example"]);
    let link = made.stdout.trim();
    assert!(link.starts_with("https://relight.example/start#code="), "{}", made.text());
    assert!(made.stderr.contains("anna registers a new key"), "{}", made.text());
    assert_eq!(keys(&store), 1, "the keys of both are worth nothing");
    let told = told(&store);
    let acts: Vec<(&str, &str)> = told.iter().map(|it| (&*it.0, &*it.1)).collect();
    let everybody = ["anna", "boss", "lost", "zoe"].map(|name| ("account-recovered", name));
    assert_eq!(acts[..4], everybody);
    assert_eq!(acts[4..], [("account-renewed", "anna"), ("account-renewed", "boss")]);
    let open = store.account_tables().unwrap().invitations;
    assert_eq!(open.len(), 1);
    let code = link.split("code=").nth(1).unwrap();
    let journal = store.journal(1).unwrap();
    assert!(!journal.iter().any(|row| row.body.contains(code)), "the link is in no journal");
    // Whoever holds the link can come in: it is that one who makes the next.
    recover(4, &["boss"]);
}
