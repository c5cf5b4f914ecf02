//! For how long each site was dark, and for how long it was exposed, by the journal alone.

use relight_engine::INVENTORY_TTL_S;
use relight_engine::exposure::exposures;
use relight_engine::incident::{Entry, EvidenceKind, Phase, SCANNER_CHARS_MAX};
use relight_match::MATCHER_REVISION;
use relight_model::{Digest, Flaw, FlawCode, Sbom};

use crate::brake::exempt;
use crate::edge::key;
use crate::engine::{LOG4SHELL, Town, log4j, name, pass};
use crate::takeover::Driven;

/// Goal: a site that is being opened counts as dark no more. Method: it takes 30 s to come back.
#[test]
fn an_opening_is_no_time_in_the_dark() {
    let town = Town::new(1);
    town.ingest(0, log4j("2.17.1"));
    town.incident(LOG4SHELL);
    town.darken(&[0]);
    Driven::holding(&[]).round(&town.engine);
    pass(100);
    let site = [key(&name(0))];
    town.engine.attach_evidence("scanner", LOG4SHELL, &site, EvidenceKind::Scan).unwrap();
    assert_eq!(town.engine.relight_ready().unwrap(), 1);
    assert_eq!(town.phase(LOG4SHELL, 0), Some(Phase::Relighting));
    pass(30);
    let rows = exposures(town.engine.store(), LOG4SHELL, town.engine.now()).unwrap();
    assert_eq!(rows[0].dark_s, 100);
}

/// Seconds that the only site was exposed.
fn exposed_s(town: &Town) -> i64 {
    let all = exposures(town.engine.store(), LOG4SHELL, town.engine.now()).unwrap();
    assert_eq!(all.len(), 1);
    all[0].exposed_s
}

/// Goal: what a site is lit on ends at its instant, whether anybody writes it down or not. Method:
/// evidence that grows old in a register that nobody runs; with a signature beside it, the end of
/// that; and again once new evidence came.
#[test]
fn a_lit_site_is_exposed_from_the_end_of_its_evidence() {
    let town = Town::new(1);
    town.incident(LOG4SHELL);
    town.ingest(0, log4j("2.17.1"));
    pass(INVENTORY_TTL_S);
    assert_eq!(exposed_s(&town), 0);
    pass(3_600);
    assert_eq!(exposed_s(&town), 3_600);
    town.ingest(0, log4j("2.17.1"));
    pass(60);
    assert_eq!(exposed_s(&town), 3_600);

    let town = Town::new(1);
    town.incident(LOG4SHELL);
    town.ingest(0, log4j("2.17.1"));
    exempt(&town, 0, town.engine.now() + INVENTORY_TTL_S + 600);
    let action =
        || exposures(town.engine.store(), LOG4SHELL, town.engine.now()).unwrap()[0].action();
    assert_eq!(action(), "exempt", "its evidence says clear");
    pass(INVENTORY_TTL_S + 599);
    assert_eq!((exposed_s(&town), action()), (0, "risk-accepted"));
    pass(61);
    assert_eq!(exposed_s(&town), 60);
}

/// Goal: evidence of another matcher allows nothing. Method: the entry that says which one runs,
/// which is of no incident; in an incident where nobody had a case before nothing changes.
#[test]
fn a_lit_site_is_exposed_while_its_evidence_is_of_another_matcher() {
    let town = Town::new(1);
    town.incident(LOG4SHELL);
    town.ingest(0, log4j("2.17.1"));
    pass(100);
    let runs = Entry::MatcherRuns { revision: MATCHER_REVISION + 1 };
    town.engine.record("relight", "", runs).unwrap();
    pass(60);
    // Somebody writes something else about it in the end.
    let revised = Entry::Revised { revision: Digest([9; 32]), statements: Digest::default() };
    town.engine.record("feed", LOG4SHELL, revised).unwrap();
    assert_eq!(exposed_s(&town), 60);
}

/// Goal: evidence names what was judged, and who read it, and is the same evidence however often it
/// is attached. Method: an inventory of another tool with a name without end, matched again under
/// another actor; then one that was partly read.
#[test]
fn evidence_names_the_inventory_and_the_tool_that_made_it() {
    let town = Town::new(1);
    town.incident(LOG4SHELL);
    let known = || {
        town.engine.with_ledger(|ledger| {
            let case = ledger.incident(LOG4SHELL).unwrap().case(&key(&name(0))).unwrap();
            case.evidence.clone().unwrap()
        })
    };
    town.ingest(0, Sbom { tool: "syft 1.2.3".into(), ..log4j("2.14.1") });
    let evidence = known();
    assert_eq!((evidence.scanner.as_str(), evidence.coverage()), ("syft 1.2.3", "complete"));
    assert_eq!(evidence.components, ["pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1"]);
    assert_eq!(evidence.inventories.len(), 1);
    let inventory = Digest::parse(&evidence.inventories[0]).unwrap();
    let read = town.engine.store().snapshot(inventory).unwrap();
    assert_eq!(read.tool, "syft 1.2.3");
    let site = [key(&name(0))];
    town.engine.attach_evidence("anna", LOG4SHELL, &site, EvidenceKind::Scan).unwrap();
    assert_eq!(known().id().unwrap(), evidence.id().unwrap());
    let flaw = Flaw { code: FlawCode::Encrypted, evidence: "secret.zip".into(), bytes: 9 };
    town.ingest(0, Sbom { tool: "x".repeat(300), flaws: vec![flaw], ..log4j("2.14.1") });
    let evidence = known();
    assert_eq!((evidence.scanner.len(), evidence.coverage()), (SCANNER_CHARS_MAX, "partial"));
}
