//! A disk that is really full: what darkens is journalled all the same, and nothing else is.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use relight_engine::edge::exec;
use relight_engine::incident::Entry;
use relight_engine::plan::Action;
use relight_engine::store::{RESERVE_BYTES, RESERVE_FILE};
use relight_model::{Digest, Light};

use crate::edge::key;
use crate::engine::{LOG4SHELL, Town, name};

/// A file system in memory over a folder, until it is dropped.
struct Small(PathBuf);

impl Small {
    /// None where this process may not mount.
    fn over(folder: &Path) -> Option<Self> {
        let options = ["-t", "tmpfs", "-o", "size=24m", "tmpfs"];
        let is_mounted = exec::worker_user().is_some()
            && program("mount").args(options).arg(folder).status().is_ok_and(|it| it.success());
        is_mounted.then(|| Self(folder.to_owned()))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = program("umount").arg("-l").arg(&self.0).status();
    }
}

fn program(name: &str) -> Command {
    #[expect(clippy::disallowed_methods, reason = "a test that fills a disk has to make one")]
    Command::new(name)
}

/// Everything that is left, to the last byte.
fn fill(path: &Path) {
    let mut file = File::create(path).unwrap();
    for size in [64 << 10, 4 << 10, 1] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
}

#[test]
fn on_a_full_disk_orders_for_dark_are_journalled_and_nothing_else_is() {
    let folder = tempfile::tempdir().unwrap();
    let Some(_disk) = Small::over(folder.path()) else { return };
    let town = Town::at(folder, 3);
    town.incident(LOG4SHELL);
    let (reserve, filled) = (town.folder.path().join(RESERVE_FILE), town.folder.path().join("log"));
    assert_eq!(fs::metadata(&reserve).unwrap().len(), RESERVE_BYTES);
    fill(&filled);
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
    fs::remove_file(&filled).unwrap();
    town.engine.record("relight", "", canary()).unwrap();
    assert_eq!(fs::metadata(&reserve).unwrap().len(), RESERVE_BYTES, "kept for the next time");
    town.engine.store().verify_journal().unwrap().unwrap();
}
