//! Statements of suppliers during an incident: what evidence says that it rests on.

use relight_engine::incident::{Entry, Phase};
use relight_engine::matching::Question;
use relight_engine::store::{By, RawAdvisory};
use relight_engine::trust;
use relight_model::{
    Basis, Component, Digest, Purl, Sbom, Scope, UnknownReason, Verdict, VexStatus,
};

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

/// Goal: what a supplier says of an image is true of what stands in that image, in every answer,
/// and of nothing else (ADVISORIES.md 7.2). Method: the same archive in the image, in another one
/// and in none; statements that clear it, and one that affects what no range does. An incident
/// takes no word that nobody signed, so the image is unknown to it and never clear.
#[test]
fn a_statement_about_an_image_speaks_of_what_stands_in_it() {
    let town = Town::new(3);
    let store = town.engine.store();
    trust::trust(store, "Example", By { actor: "test", at: 1 }).unwrap();
    let (image, other) = ("ab".repeat(32), "cd".repeat(32));
    let within = |version: &str, digest: &str| Sbom {
        images: vec![Purl::new("oci", "", "app", &format!("sha256:{digest}"))],
        ..log4j(version)
    };
    let says = |status: &str, part: &str, revision: u8| {
        let text = format!(
            r#"{{"@context":"https://openvex.dev/ns/v0.2.0","@id":"vex-1","author":"Example",
            "timestamp":"2021-12-11T00:00:00Z","version":1,"statements":[{{
            "vulnerability":{{"name":"{LOG4SHELL}"}},"products":[{{
            "@id":"pkg:oci/shop@sha256%3A{image}?repository_url=registry.example/shop"{part}}}],
            "status":"{status}","justification":"vulnerable_code_not_present",
            "action_statement":"update"}}]}}"#
        );
        let (bytes, revision) = (text.as_bytes(), Digest([revision; 32]));
        let raw = RawAdvisory { id: "vex-1", revision, bytes, recorded_at: 1 };
        store.put_advisories("vex", &[raw]).unwrap();
        town.engine.follow_feeds().unwrap();
    };
    let core = r#","subcomponents":[{"@id":"pkg:maven/org.apache.logging.log4j/log4j-core"}]"#;
    let npm = r#","subcomponents":[{"@id":"pkg:npm/other"}]"#;
    let look = || {
        let answers = town.engine.ask(&Question::Advisory(LOG4SHELL.into()));
        let found = town.engine.found(LOG4SHELL);
        let verdicts: Vec<_> = answers.sites.iter().map(|it| it.answer.verdict()).collect();
        let reasons = answers.sites[0].reasons.clone();
        let numbers = |it: &roaring::RoaringBitmap| it.iter().collect::<Vec<u32>>();
        (verdicts, reasons, numbers(&found.affected), numbers(&found.possible))
    };
    let asked = town.engine.ask(&Question::Advisory(LOG4SHELL.into()));
    let ids: Vec<u32> = asked.sites.iter().map(|it| it.site.0).collect();
    let (yes, no, open) = (Verdict::Affected, Verdict::Clear, Verdict::Unknown);
    town.ingest(0, within("2.14.1", &image));
    town.ingest(1, within("2.14.1", &other));
    town.ingest(2, log4j("2.14.1"));
    assert_eq!(look(), (vec![yes; 3], vec![], ids.clone(), vec![]));
    for (part, revision) in [(core, 1), ("", 2)] {
        says("not_affected", part, revision);
        let possible = vec![UnknownReason::PossibleMatch];
        assert_eq!(look(), (vec![open, yes, yes], possible, ids[1..].to_vec(), vec![]), "{part}");
        // Nor is a supplier's word said again to others as if somebody had looked.
        let stated = |site| town.engine.stated(LOG4SHELL, &key(&name(site))).unwrap().statements;
        let [asked, found] = [0, 1].map(|site| stated(site).remove(0).status);
        assert_eq!((asked, found), (VexStatus::UnderInvestigation, VexStatus::Affected));
    }
    says("not_affected", npm, 3);
    assert_eq!(look(), (vec![yes; 3], vec![], ids.clone(), vec![]));
    says("affected", core, 4);
    for (site, sbom) in
        [(0, within("2.17.1", &image)), (1, within("2.17.1", &other)), (2, log4j("2.17.1"))]
    {
        pass(1);
        town.ingest(site, sbom);
    }
    assert_eq!(look(), (vec![yes, no, no], vec![], ids[..1].to_vec(), vec![]));
}

/// What has the name of the package in another ecosystem is not what the flaw is in: to others it
/// is neither held in another version nor fixed.
#[test]
fn a_namesake_is_not_said_to_be_held() {
    let town = Town::new(2);
    let gem = Purl::new("gem", "", "log4j-core", "2.14.1");
    let gem = Component::new(gem, "gems/x", Basis::PomProperties, Scope::Installed);
    let only = Sbom { components: vec![gem.clone()], ..log4j("2.17.1") };
    town.ingest(0, only);
    let mut both = log4j("2.17.1");
    both.components.push(gem);
    let named = both.components[0].purl.to_string();
    town.ingest(1, both);
    let said = [0, 1].map(|site| {
        let stated = town.engine.stated(LOG4SHELL, &key(&name(site))).unwrap().statements;
        assert!(stated.len() == 1 && stated[0].status == VexStatus::NotAffected, "{stated:?}");
        (stated[0].justification, stated[0].components.clone())
    });
    let absent = (Some("component_not_present"), Vec::new());
    assert_eq!(said, [absent, (Some("vulnerable_code_not_present"), vec![named])]);
}
