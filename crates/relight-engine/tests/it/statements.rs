//! Statements of suppliers during an incident: what evidence says that it rests on.

use relight_engine::incident::{Entry, Phase};
use relight_engine::store::{By, RawAdvisory};
use relight_engine::trust;
use relight_model::Digest;

use crate::edge::key;
use crate::engine::{LOG4SHELL, Town, log4j, name, pass};

/// Goal: a relight rests on evidence under the statements that are in force (README, ruling 4).
/// Method: a clear site, dark; a trusted supplier says something of another version, says it anew,
/// and takes it back. After each the journal and the evidence name what is in force.
#[test]
fn evidence_names_the_statements_that_were_applied() {
    let town = Town::new(1);
    let store = town.engine.store();
    trust::trust(store, "Example", By { actor: "test", at: 1 }).unwrap();
    town.ingest(0, log4j("2.17.1"));
    town.incident(LOG4SHELL);
    town.darken(&[0]);
    let says = |status: &str, revision: u8| {
        let text = format!(
            r#"{{"@context":"https://openvex.dev/ns/v0.2.0","@id":"vex-1","author":"Example",
            "timestamp":"2021-12-11T00:00:00Z","version":1,"statements":[{{
            "vulnerability":{{"name":"{LOG4SHELL}"}},"products":[{{
            "@id":"pkg:maven/org.apache.logging.log4j/log4j-core@2.0"}}],"status":"{status}",
            "action_statement":"update"}}]}}"#
        );
        let (bytes, revision) = (text.as_bytes(), Digest([revision; 32]));
        let raw = RawAdvisory { id: "vex-1", revision, bytes, recorded_at: 1 };
        store.put_advisories("vex", &[raw]).unwrap();
    };
    let mut seen = Vec::new();
    for (revision, status) in [(1, "affected"), (2, "under_investigation"), (3, "affected")] {
        pass(1);
        says(status, revision);
        town.engine.follow_feeds().unwrap();
        let ledger = town.ledger();
        let incident = ledger.incident(LOG4SHELL).unwrap();
        let case = incident.case(&key(&name(0))).unwrap();
        let applied = case.evidence.as_ref().unwrap().statements_digest;
        assert_ne!(applied, Digest::default(), "{status}");
        assert_eq!(
            (incident.statements, case.phase),
            (applied, Phase::RelightEligible),
            "{status}"
        );
        assert!(incident.permits(&key(&name(0)), town.engine.now()), "{status}");
        seen.push(applied);
    }
    assert!(seen[0] != seen[1] && seen[0] == seen[2], "{seen:?}");
    let told: Vec<Digest> = store
        .journal(1)
        .unwrap()
        .iter()
        .filter_map(|record| match serde_json::from_str(&record.body).unwrap() {
            Entry::Revised { statements, .. } => Some(statements),
            _ => None,
        })
        .collect();
    assert_eq!(told, seen);
}
