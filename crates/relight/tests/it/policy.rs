//! `relight policy`: the rules that hold, and the signature without which the strictest do.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use relight_engine::access::{Grant, Role, Scope};
use relight_engine::plan::{Action, PlanAsk};
use relight_engine::policy::{Means, Person, Policy};
use relight_engine::store::{JournalRecord, Store};
use relight_engine::{Engine, EngineOptions, INVENTORY_TTL_S};
use relight_model::{Digest, GateKey};
use relight_server::clock;

use crate::incident::POLICY;
use crate::place::Place;
use crate::serve::Server;

#[test]
fn the_strictest_rules_hold_until_a_policy_is_signed() {
    let place = Place::with_sites();
    let show = |flags: &[&str]| place.run(&[&["policy", "show"][..], flags].concat());
    show(&[]).matches("policy-missing");
    place.write("apart/note", "");
    place.write("data/policy.toml", POLICY);
    show(&["--lang", "fr"]).matches("policy-unsigned-fr");
    place.expect(1, &["policy", "check"]);
    let signed = place.expect(0, &["policy", "sign", "--key", "apart/policy.key"]);
    assert!(signed.stdout.contains("from now on only this key signs: "), "{}", signed.text());
    place.expect(0, &["policy", "check"]);
    let document = show(&["--json"]).json();
    assert_eq!(document["standing"], "signed");
    assert_eq!(
        (document["one_person_sites"].as_u64(), document["single"].as_str()),
        (Some(5), Some("A. Tremblay"))
    );
    // A changed file is loosened by nobody.
    place.write("data/policy.toml", format!("{POLICY}[switching]\none_person_sites = 4\n"));
    let document = show(&["--json"]).json();
    assert_eq!(
        (document["standing"].as_str(), document["one_person_sites"].as_u64()),
        (Some("wrong-signature"), Some(0))
    );
    place.expect(1, &["policy", "sign", "--key", "apart/other.key"]).matches("policy-other-key");
    place.expect(0, &["policy", "sign", "--key", "apart/other.key", "--new-key"]);
    place.expect(0, &["policy", "check"]);
    let store = Store::open(&place.path("data")).unwrap();
    let told: Vec<_> = store.journal(1).unwrap().into_iter().filter(is_of_policy).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told.iter().all(|it| it.actor.starts_with("A. Tremblay (uid ")), "{told:?}");
    let key = document["key"].as_str().unwrap();
    assert!(told[0].body.contains(key) && told[1].body.contains(&format!("\"was-key\":\"{key}")));
    place.write("data/policy.toml", "[switching]\none_person_sites = 50\n");
    place.expect(2, &["policy", "show"]);
    place.expect(1, &["policy", "sign", "--key", "apart/other.key"]);
    place.expect(2, &["policy", "sign"]);
}

fn is_of_policy(record: &JournalRecord) -> bool {
    record.kind == "access" && record.body.contains("\"policy-replaced\"")
}

/// Goal: the policy of a server that runs is not replaced unseen either. Method: it is signed
/// beside one, which journals it and goes on.
#[test]
fn a_policy_that_is_signed_beside_a_server_is_journalled_by_it() {
    let place = Place::with_sites();
    let store = Store::open(&place.path("data")).unwrap();
    let (server, _) = Server::start(&place);
    place.write("data/policy.toml", "[switching]\none_person_sites = 1\n");
    place.expect(0, &["policy", "sign", "--key", "policy.key"]);
    let began = Instant::now();
    let told = loop {
        let mut told = store.journal(1).unwrap().into_iter().filter(is_of_policy);
        if let Some(told) = told.find(|it| it.body.contains("\"standing\":\"signed\"")) {
            break told;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "it was not journalled");
        thread::yield_now();
    };
    assert!(told.actor.starts_with("uid "), "{told:?}");
    assert_eq!(server.terminate(), Some(0));
}

/// A commander, as a server knows one.
fn commander(name: &str) -> Person {
    let grants = vec![Grant { role: Role::Commander, scope: Scope::root() }];
    Person { name: name.to_owned(), grants, means: Means::Passkey }
}

/// A plan that somebody asked for, on a register as a server leaves it.
fn asked(place: &Place) -> Engine {
    let store = Arc::new(Store::open(&place.path("data")).unwrap());
    let options = EngineOptions {
        holder: "test".into(),
        clock: clock::now_ms,
        inventory_ttl_s: INVENTORY_TTL_S,
    };
    let engine = Engine::open(store, options).unwrap();
    engine.open_incident("anna", "CVE-2021-44228", "test").unwrap();
    let ask = PlanAsk {
        incident: "CVE-2021-44228".into(),
        action: Action::Dark,
        part: None,
        reason: "Log4Shell".into(),
        advisory_revision: Digest::default(),
        policy: Policy::strictest().digest,
        proposer: "anna".into(),
        created: engine.now(),
    };
    let plan = engine.plan(ask, &[GateKey::new("san-001").unwrap()]).unwrap();
    engine.propose(&Policy::strictest(), &commander("anna"), &plan).unwrap();
    engine
}

#[test]
fn approving_leads_to_the_page_and_tells_how_it_ended() {
    let place = Place::with_sites();
    let approve = |more: &[&str]| place.run(&[&["incident", "approve"][..], more].concat());
    let engine = asked(&place);
    approve(&["A-0001", "--no-wait"]).matches("approve-waiting");
    let refusing = approve(&["1", "--refuse", "--reason", "not tonight", "--no-wait", "--json"]);
    let document = refusing.json();
    assert_eq!((refusing.status, document["standing"].as_str()), (4, Some("waiting")));
    let page = "http://localhost:8420/approve/A-0001?reason=not%20tonight";
    assert_eq!(document["page"], page);
    approve(&["A-0002", "--lang", "fr"]).matches("approve-unknown-fr");
    assert_eq!(approve(&["A-0001", "--reason", "x"]).status, 2, "a reason is for a refusal");
    let hash = engine.with_ledger(|ledger| ledger.actions().get(1).map(|action| action.hash));
    let zoe = commander("zoe");
    engine.refuse(&Policy::strictest(), &zoe, 1, hash.unwrap(), "not tonight").unwrap();
    approve(&["A-0001"]).matches("approve-refused");
}

#[test]
fn approving_waits_until_somebody_decides() {
    let place = Place::with_sites();
    let engine = asked(&place);
    let waiting = place.command(&["incident", "approve", "A-0001"], &[]).spawn().unwrap();
    let hash = engine.with_ledger(|ledger| ledger.actions().get(1).map(|action| action.hash));
    let (policy, zoe) = (Policy::strictest(), commander("zoe"));
    engine.approve(&policy, &zoe, 1, hash.unwrap(), Some(1)).unwrap();
    assert!(waiting.wait_with_output().unwrap().status.success());
}
