//! A disk that is really full: what darkens is journalled all the same, and nothing else is.

use std::fs;
use std::sync::Arc;

use relight_engine::incident::Entry;
use relight_engine::plan::Action;
use relight_engine::store::{RESERVE_BYTES, RESERVE_FILE, Store};
use relight_model::{Digest, Light};
use testkit::SmallDisk;

use crate::edge::key;
use crate::engine::{LOG4SHELL, Town, name, open};

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
    let canary = || Entry::CanaryTried { edge: "east".into(), passed: false, what: "io".into() };
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
    let canary = || Entry::CanaryTried { edge: "east".into(), passed: false, what: "io".into() };
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
    let canary = || Entry::CanaryTried { edge: "east".into(), passed: false, what: "io".into() };
    let refused = town.engine.record("relight", "", canary()).unwrap_err();
    assert!(refused.to_string().starts_with("the disk is full"), "{refused}");
    fs::remove_file(&filled).unwrap();
    town.engine.record("relight", "", canary()).unwrap();
}
