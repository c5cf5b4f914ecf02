//! A disk that is really full: what darkens is journalled all the same, and nothing else is.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use relight_engine::INVENTORY_TTL_S;
use relight_engine::access::{Role, Scope};
use relight_engine::drill::{DrillReport, Extent, leave as leave_drill};
use relight_engine::drive::for_incidents;
use relight_engine::incident::{Authority, Counters, Entry, EvidenceKind, PartName, Phase};
use relight_engine::plan::Action;
use relight_engine::policy::Policy;
use relight_engine::reconcile::Round;
use relight_engine::store::{RESERVE_BYTES, RESERVE_FILE, Store};
use relight_model::{Digest, Epoch, GateKey, Light, SitePart};
use testkit::SmallDisk;

use crate::acts::{chief, person, plan, table};
use crate::brake::exempt;
use crate::edge::key;
use crate::engine::{LOG4SHELL, RECURSION, Town, log4j, name, open, pass};
use crate::follow::bring;

#[test]
fn on_a_full_disk_orders_for_dark_are_journalled_and_nothing_else_is() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::over(folder.path()) else { return };
    let town = Town::at(folder, 3);
    town.incident(LOG4SHELL);
    town.engine.tell_changes().unwrap();
    let reserve = town.folder.path().join(RESERVE_FILE);
    assert_eq!(fs::metadata(&reserve).unwrap().len(), RESERVE_BYTES);
    let filled = disk.fill("log");
    let glass = || {
        let (plan, reason) = (Digest([1; 32]), "x".repeat(100_000));
        Entry::BreakGlass { plan, reason, by: "A. Tremblay".into(), proof: None }
    };
    // The log of the database has some room of its own before it has to grow.
    let mut entries = 0;
    while reserve.exists() {
        town.engine.record("A. Tremblay", LOG4SHELL, glass()).unwrap();
        entries += 1;
        assert!(entries < 1_000, "the disk is not full");
    }
    let canary = || Entry::CanaryTried { edge: "east".into(), passed: true, what: String::new() };
    let refused = town.engine.record("relight", "", canary()).unwrap_err();
    assert!(refused.to_string().starts_with("the disk is full"), "{refused}");
    let (before, dark) = (town.journal().len(), town.plan(Action::Dark, &[0, 1]));
    town.engine.execute(&dark, "A. Tremblay").unwrap();
    assert_eq!(town.journal()[before..], ["dark-ordered"]);
    assert_eq!(town.ledger().wants(&key(&name(1))), Light::Dark);
    town.engine.tell_changes().expect("there is nothing to tell, and nothing to write");
    fs::remove_file(&filled).unwrap();
    town.engine.record("relight", "", canary()).unwrap();
    assert_eq!(fs::metadata(&reserve).unwrap().len(), RESERVE_BYTES, "kept for the next time");
    town.engine.store().verify_journal().unwrap().unwrap();
}

#[test]
fn a_controller_starts_on_a_full_disk_and_only_darkens_there() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::over(folder.path()) else { return };
    let town = Town::at(folder, 3);
    town.incident(LOG4SHELL);
    let filled = disk.fill("log");
    let store = Arc::new(Store::open(town.folder.path()).unwrap());
    let engine = open(&store, "second").unwrap();
    assert!(!town.folder.path().join(RESERVE_FILE).exists(), "given up");
    let canary = || Entry::CanaryTried { edge: "east".into(), passed: true, what: String::new() };
    let refused = engine.record("relight", "", canary()).unwrap_err();
    assert!(refused.to_string().starts_with("the disk is full"), "{refused}");
    let (plan, reason) = (Digest([1; 32]), "x".into());
    let glass = Entry::BreakGlass { plan, reason, by: "A. Tremblay".into(), proof: None };
    engine.record("A. Tremblay", LOG4SHELL, glass).unwrap();
    fs::remove_file(&filled).unwrap();
    engine.record("relight", "", canary()).unwrap();
}

#[test]
fn what_is_left_below_the_reserve_belongs_to_what_darkens_from_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let Some(_disk) = SmallDisk::over(folder.path()) else { return };
    let filled = folder.path().join("log");
    fs::write(&filled, vec![1; 12 << 20]).unwrap();
    let town = Town::at(folder, 3);
    let canary = || Entry::CanaryTried { edge: "east".into(), passed: true, what: String::new() };
    let refused = town.engine.record("relight", "", canary()).unwrap_err();
    assert!(refused.to_string().starts_with("the disk is full"), "{refused}");
    fs::remove_file(&filled).unwrap();
    town.engine.record("relight", "", canary()).unwrap();
}

/// Goal: a full disk lights nothing longer than people allowed. Method: a signature ends there, one
/// of two inventories grows old, and the other is clear.
#[test]
fn on_a_full_disk_what_is_over_goes_dark_and_bad_news_is_heard() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::over(folder.path()) else { return };
    let town = Town::at(folder, 3);
    town.incident(LOG4SHELL);
    town.ingest(2, log4j("2.17.1"));
    pass(INVENTORY_TTL_S - 100);
    town.ingest(1, log4j("2.17.1"));
    exempt(&town, 0, town.engine.now() + 200);
    let filled = fill(&town, &disk);
    pass(200);
    let sites = [0, 1, 2].map(|site| key(&name(site)));
    let exposed = |town: &Town| {
        let (ledger, now) = (town.ledger(), town.engine.now());
        Counters::of(ledger.incident(LOG4SHELL).unwrap(), &sites, now).exposed
    };
    assert_eq!(exposed(&town), 2, "nothing says any more that they may be lit");
    town.engine.lapse(&mut BTreeMap::new()).unwrap();
    assert_eq!(town.ledger().wants(&sites[0]), Light::Dark, "the signature is over");
    let both = &sites[1..];
    let attached = town.engine.attach_evidence("relight", LOG4SHELL, both, EvidenceKind::Scan);
    assert!(attached.is_err(), "good news waits for room");
    assert_eq!(town.ledger().wants(&sites[1]), Light::Lit);
    assert_eq!(town.ledger().wants(&sites[2]), Light::Dark, "bad news does not");
    fs::remove_file(&filled).unwrap();
    town.engine.attach_evidence("relight", LOG4SHELL, both, EvidenceKind::Scan).unwrap();
}

/// A disk that is full, and a controller that has nothing left of its reserve to give up.
fn fill(town: &Town, disk: &SmallDisk) -> PathBuf {
    let filled = disk.fill("log");
    while town.folder.path().join(RESERVE_FILE).exists() {
        let (plan, reason) = (Digest([1; 32]), "x".repeat(100_000));
        let glass = Entry::BreakGlass { plan, reason, by: "A. Tremblay".into(), proof: None };
        town.engine.record("A. Tremblay", LOG4SHELL, glass).unwrap();
    }
    filled
}

/// Goal: what is left of a full disk is not used up by one piece of news. Method: an inventory
/// that is affected was left beside one that is clear, and whoever follows tries again and again.
#[test]
fn on_a_full_disk_bad_news_is_journalled_once() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::over(folder.path()) else { return };
    let town = Town::at(folder, 3);
    town.incident(LOG4SHELL);
    bring(&town, town.engine.store(), 0, log4j("2.14.1"));
    bring(&town, town.engine.store(), 1, log4j("2.17.1"));
    let filled = fill(&town, &disk);
    assert!(town.engine.follow_store().is_err(), "good news waits for room");
    assert_eq!(town.ledger().wants(&key(&name(0))), Light::Dark);
    let once = town.journal();
    for _ in 0..2 {
        assert!(town.engine.follow_store().is_err(), "good news waits for room");
        assert_eq!(town.journal(), once);
    }
    fs::remove_file(&filled).unwrap();
    town.engine.follow_store().unwrap();
    assert_eq!(town.phase(LOG4SHELL, 1), Some(Phase::Online));
    assert_eq!(town.engine.store().left_inventories().unwrap(), []);
}

/// Goal: bad news of one incident waits for no good news of another. Method: what was left is clear
/// of the first one and affected by the second, and a drill waits for room before both.
#[test]
fn on_a_full_disk_no_incident_waits_for_another() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::over(folder.path()) else { return };
    let town = Town::at(folder, 3);
    for id in [LOG4SHELL, RECURSION] {
        town.incident(id);
    }
    town.ingest(0, log4j("2.17.1"));
    pass(1);
    bring(&town, town.engine.store(), 0, log4j("2.16.0"));
    let (edge, identity) = ("east".to_owned(), Digest([7; 32]));
    let (keys, steps, left) = (Vec::new(), Vec::new(), Vec::new());
    let report = DrillReport { edge, identity, keys, steps, left };
    leave_drill(town.engine.store(), "anna", &[report], Extent::Marked).unwrap();
    let filled = fill(&town, &disk);
    assert_eq!(town.ledger().wants(&key(&name(0))), Light::Lit);
    assert!(town.engine.follow_store().is_err(), "good news waits for room");
    assert_eq!(town.phase(RECURSION, 0), Some(Phase::Affected));
    assert_eq!(town.ledger().wants(&key(&name(0))), Light::Dark);
    fs::remove_file(&filled).unwrap();
    town.engine.follow_store().unwrap();
    assert_eq!(town.engine.store().left_inventories().unwrap(), []);
}

/// Goal: what is known of files that are no longer in service keeps nothing lit, however full the
/// disk is. Method: another artifact is reported; the inventory stays that of the one before.
#[test]
fn on_a_full_disk_a_deployment_voids_what_was_known() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::over(folder.path()) else { return };
    let town = Town::at(folder, 3);
    town.incident(LOG4SHELL);
    town.ingest(0, log4j("2.17.1"));
    let filled = fill(&town, &disk);
    pass(1);
    let (site, before) = (key(&name(0)), town.engine.store().generation().unwrap());
    assert_eq!(town.ledger().wants(&site), Light::Lit);
    town.engine.report_deployed("ci", &site, Digest([9; 32])).unwrap();
    assert_eq!(town.ledger().wants(&site), Light::Dark);
    assert_ne!(town.engine.store().generation().unwrap(), before, "answers are made anew");
    fs::remove_file(&filled).unwrap();
    town.engine.follow_store().unwrap();
    assert_eq!(town.ledger().wants(&site), Light::Dark);
    assert_eq!(town.engine.store().left_inventories().unwrap(), []);
}

/// Goal: people who opened sites can darken them again, however full the disk is. Method: two
/// people's relight is taken back there, and an order for dark is not.
#[test]
fn on_a_full_disk_a_relight_is_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::over(folder.path()) else { return };
    let town = Town::at(folder, 3);
    town.incident(LOG4SHELL);
    let (anna, zoe) = (chief("anna"), person("zoe", Role::Approver, &Scope::root()));
    let agree = |action: Action, sites: &[usize]| {
        let plan = plan(&town, &anna, action, sites);
        let acted = town.engine.propose(&table(), &anna, &plan).unwrap();
        if !acted.started {
            let hash = plan.hash().unwrap();
            town.engine.approve(&table(), &zoe, acted.number, hash, None).unwrap();
        }
        acted.number
    };
    agree(Action::Dark, &[0, 1]);
    pass(60);
    for site in [0, 1] {
        town.ingest(site, log4j("2.17.1"));
    }
    let relight = agree(Action::Relight, &[0, 1]);
    let sites = [0, 1].map(|site| key(&name(site)));
    town.engine.relight("anna", LOG4SHELL, &sites).unwrap();
    assert_eq!(sites.each_ref().map(|site| town.ledger().wants(site)), [Light::Lit; 2]);
    let dark = agree(Action::Dark, &[2]);
    let filled = fill(&town, &disk);
    town.engine.take_back(&table(), &anna, relight).unwrap();
    assert_eq!(sites.each_ref().map(|site| town.ledger().wants(site)), [Light::Dark; 2]);
    assert!(town.engine.take_back(&table(), &anna, dark).is_err(), "what opens waits for room");
    fs::remove_file(&filled).unwrap();
    town.engine.take_back(&table(), &anna, dark).unwrap();
}

/// Goal: a part that opens keeps no site of its edge from being proven dark. Method: it was ordered
/// open before the disk was full; one round of the edge sees both.
#[test]
fn on_a_full_disk_a_part_that_opens_silences_no_edge() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::over(folder.path()) else { return };
    let town = Town::at(folder, 3);
    town.incident(LOG4SHELL);
    town.ingest(1, log4j("2.17.1"));
    let record = |entry| town.engine.record("A. Tremblay", LOG4SHELL, entry).unwrap();
    let parts = vec![PartName { site: key(&name(1)), part: SitePart::Write }];
    let (plan, reason) = (Digest::default(), "test".to_owned());
    record(Entry::PartsClosed { plan, parts: parts.clone(), reason });
    record(Entry::PartsOpened { parts: parts.clone() });
    town.darken(&[0]);
    let filled = fill(&town, &disk);
    let (edge, epoch) = ("east".to_owned(), Epoch::default());
    let proved = |key: GateKey, light| {
        let edge = edge.clone();
        Entry::Proved { sites: vec![key], light, edge, epoch }
    };
    let entries =
        vec![proved(parts[0].key().unwrap(), Light::Lit), proved(key(&name(0)), Light::Dark)];
    let round = Round { entries, ..Round::default() };
    let told = town.engine.with_ledger(|ledger| for_incidents(ledger, &round));
    let kinds: Vec<&str> = told.iter().map(|(_, entry)| entry.kind()).collect();
    assert_eq!(kinds, ["parts-seen", "proved"]);
    town.engine.append("relight", told).unwrap();
    assert_eq!(town.phase(LOG4SHELL, 0), Some(Phase::DarkProven));
    fs::remove_file(&filled).unwrap();
}

/// Goal: an order that was approved beforehand waits for no second person because the disk is
/// full. Method: a policy was signed that nobody used before; one person proposes there.
#[test]
fn on_a_full_disk_what_was_given_beforehand_stands_for_the_second_person() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::over(folder.path()) else { return };
    let town = Town::at(folder, 6);
    town.incident(LOG4SHELL);
    let authority = Authority {
        name: "criticality 10".into(),
        score_min: 100,
        known_exploited: true,
        sites_max: 40,
        vital: false,
        order: "decree 1".into(),
        legal_basis: "section 12".into(),
        proposer: "Nora".into(),
        approver: "Zoe".into(),
        expires: town.engine.now() + 86_400,
    };
    let (policy, anna) = (Policy { standing: vec![authority], ..table() }, chief("anna"));
    let filled = fill(&town, &disk);
    let plan = plan(&town, &anna, Action::Dark, &[0, 1, 2, 3, 4, 5]);
    let acted = town.engine.propose(&policy, &anna, &plan).unwrap();
    assert!(acted.started, "the authority stands for the second person");
    assert_eq!(town.ledger().wants(&key(&name(0))), Light::Dark);
    fs::remove_file(&filled).unwrap();
}
