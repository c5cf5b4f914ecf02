//! `relight serve` asks people about what news holds back.

use relight_engine::incident::Entry;
use relight_engine::store::{AccountChange, GrantRow, Store};
use relight_model::{Digest, GateKey};
use serde_json::Value;

use crate::agent_edges::wait_until;
use crate::journals::{LOG4SHELL, opened, write};
use crate::place::Place;
use crate::serve::Server;

/// One more than news may darken.
const MANY: usize = 201;

fn plans(place: &Place) -> Vec<Value> {
    let log = place.expect(0, &["incident", "log", LOG4SHELL, "--json"]).json();
    let entries = log["entries"].as_array().unwrap().iter();
    let proposed = entries.filter(|entry| entry["kind"] == "plan-proposed");
    proposed.map(|entry| entry["body"]["plan"].clone()).collect()
}

/// Goal: what waits for a person is put to people by the server, in its words. Method: a journal in
/// which one site more is held back than news may darken, and an account.
#[test]
fn a_server_asks_the_people_who_sign_in() {
    let place = Place::new();
    let key = |site: usize| GateKey::new(&format!("site-{site:03}")).unwrap();
    let mut csv = String::from("slug,origin,organisation,edge\n");
    for site in 0..MANY {
        csv.push_str(&format!("{},https://{}.example,Province,north\n", key(site), key(site)));
    }
    place.write("sites.csv", csv);
    place.expect(0, &["sites", "import", "sites.csv"]);
    let sites = (0..MANY).map(key).collect();
    let held = Entry::HeldBack { sites, voids: true, left: false };
    write(&place, LOG4SHELL, [(1, opened(Digest::default())), (1, held)]);
    let store = Store::open(&place.path("data")).unwrap();
    let (role, scope, by) = ("commander".into(), "/".into(), "test".into());
    let grant = GrantRow { account: 0, role, scope, at: 1, by };
    store.add_account("anna", 1, &[AccountChange::Grant(grant)]).unwrap();
    drop(store);
    let (_server, _) = Server::start(&place);
    wait_until("somebody is asked", || !plans(&place).is_empty());
    let asked = plans(&place);
    let sites = asked[0]["sites"].as_array().unwrap();
    assert_eq!((asked.len(), sites.len()), (1, MANY));
    assert_eq!((&asked[0]["proposer"], &asked[0]["action"]), (&"relight".into(), &"dark".into()));
    let reason = asked[0]["reason"].as_str().unwrap();
    assert!(reason.contains("more sites than may go dark without an order"), "{reason}");
}
