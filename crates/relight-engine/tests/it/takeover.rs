//! Who may act on a register: not who is older than its edges, and nobody upon a journal that was
//! changed.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use relight_engine::drive::Drive;
use relight_engine::incident::Phase;
use relight_engine::plan::Action;
use relight_engine::store::{JOURNAL_LEASE, Store};
use relight_engine::{Engine, EngineErrorKind};

use crate::edge::key;
use crate::engine::{LOG4SHELL, Town, log4j, name, open};

/// Longest wait for a thread of an edge.
const WAIT_MAX: Duration = Duration::from_secs(30);

fn wait(engine: &Engine, what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + WAIT_MAX;
    while !is_so() {
        assert!(Instant::now() < deadline, "waited for {what}");
        engine.wait_changed(engine.version(), Duration::from_millis(20));
    }
}

fn write_epoch(folder: &Path, epoch: &str) {
    fs::create_dir_all(folder.join("gate")).unwrap();
    fs::write(folder.join("gate/epoch"), format!("{epoch}\n")).unwrap();
}

fn term(engine: &Engine) -> u64 {
    engine.store().lease(JOURNAL_LEASE).unwrap().unwrap().term
}

/// What acted before the copy was made had a higher term: without a higher one still, no gate would
/// ever close again.
#[test]
fn a_register_that_was_restored_acts_above_the_terms_that_its_edges_have_seen() {
    let town = Town::new(1);
    let Town { engine, folder } = town;
    assert_eq!(term(&engine), 1);
    let store = Arc::clone(engine.store());
    drop(engine);
    write_epoch(folder.path(), "41-7");
    let engine = open(&store, "restored").unwrap();
    assert_eq!(term(&engine), 42);
    engine.check_lease().unwrap();
    let town = Town { engine, folder };
    town.incident(LOG4SHELL);
    town.darken(&[0]);
    let engine = Arc::new(town.engine);
    let drive = Drive::start(&engine).unwrap();
    let gate = town.folder.path().join("gate/current").join(name(0));
    wait(&engine, "the gate", || gate.exists());
    drop(drive);
    drop(engine);
    assert_eq!(term(&open(&store, "again").unwrap()), 43, "one more each time, as ever");
}

/// An epoch that cannot be read says nothing about terms; the write to that edge says so.
#[test]
fn an_edge_without_an_epoch_raises_no_term() {
    for epoch in ["", "no epoch", "1-9"] {
        let town = Town::new(1);
        let store = Arc::clone(town.engine.store());
        write_epoch(town.folder.path(), epoch);
        assert_eq!(term(&open(&store, "second").unwrap()), 2, "{epoch:?}");
    }
}

/// Another controller took over the gate: what is ordered dark counts as exposed at once, everybody
/// is told, and the edge is looked at again and again.
#[test]
fn a_fenced_edge_is_told_and_not_left_alone() {
    let town = Town::new(1);
    town.incident(LOG4SHELL);
    write_epoch(town.folder.path(), "99-1");
    town.darken(&[0]);
    let Town { engine, folder } = town;
    let engine = Arc::new(engine);
    let drive = Drive::start(&engine).unwrap();
    let failed = || engine.phase(LOG4SHELL, &key(&name(0))) == Some(Phase::Failed);
    wait(&engine, "the failure", failed);
    let told = || engine.with_ledger(|ledger| ledger.canary_failure("east").cloned());
    wait(&engine, "the alarm", || told().is_some_and(|(_, what)| what == "fenced"));
    let gate = folder.path().join("gate/current").join(name(0));
    assert!(!gate.exists(), "an older epoch never overwrites a newer one");
    write_epoch(folder.path(), "1-0");
    wait(&engine, "the gate", || gate.exists());
    drop(drive);
}

#[test]
fn nobody_acts_upon_a_journal_that_was_changed() {
    let town = Town::new(2);
    town.ingest(0, log4j("2.14.1"));
    town.incident(LOG4SHELL);
    town.darken(&[0]);
    let plan = town.plan(Action::Dark, &[1]);
    town.engine.execute(&plan, "A. Tremblay").unwrap();
    let Town { engine, folder } = town;
    drop(engine);
    let path = folder.path().join("relight.db");
    let mut bytes = fs::read(&path).unwrap();
    let word = b"as a precaution";
    let at = bytes.windows(word.len()).position(|it| it == word).unwrap();
    bytes[at] = b'A';
    fs::write(&path, bytes).unwrap();
    let store = Arc::new(Store::open(folder.path()).unwrap());
    let error = open(&store, "later").unwrap_err();
    assert_eq!(error.kind, EngineErrorKind::Broken);
    assert!(error.to_string().starts_with("the journal is broken at record "), "{error}");
    assert!(!folder.path().join("gate/current").exists(), "no gate was touched");
}
