//! M7: a journal of a million entries verified, and one flipped byte, one removed and one
//! reordered record found. Prints one JSON document; `cargo xtask bench incident` judges it.
//!
//! Usage: `journal FOLDER ENTRIES`.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark stops at any fault")]

use std::env;
use std::path::Path;
use std::time::Instant;

use relight_store::{JOURNAL_BATCH_MAX, JOURNAL_LEASE, JournalDraft, Store};
use rusqlite::Connection;

const REPEATS: usize = 5;

fn main() {
    // Cargo adds `--bench`.
    let arguments: Vec<String> = env::args().skip(1).filter(|it| !it.starts_with("--")).collect();
    let [folder, entries] = &arguments[..] else {
        println!("usage: journal FOLDER ENTRIES");
        return;
    };
    let entries: usize = entries.parse().unwrap();
    let store = Store::open(Path::new(folder)).unwrap();
    let lease = store.take_lease(JOURNAL_LEASE, "bench", 0).unwrap();
    let began = Instant::now();
    for first in (0..entries).step_by(JOURNAL_BATCH_MAX) {
        let last = (first + JOURNAL_BATCH_MAX).min(entries);
        let drafts: Vec<JournalDraft> = (first..last).map(draft).collect();
        store.append(&lease, &drafts).unwrap();
    }
    let appended = began.elapsed().as_secs_f64();
    let mut times: Vec<f64> = (0..REPEATS).map(|_| verified(&store, entries)).collect();
    times.sort_by(f64::total_cmp);
    let seconds = times[REPEATS / 2];
    let of_a_million = seconds * 1e6 / entries as f64;
    let found: Vec<String> = damages(entries).map(|damage| find(&store, &damage)).into();
    print!(r#"{{"entries":{entries},"append_s":{appended},"verify_s":{seconds},"#);
    println!(r#""verify_s_of_a_million":{of_a_million},"damage":[{}]}}"#, found.join(","));
}

fn verified(store: &Store, entries: usize) -> f64 {
    let began = Instant::now();
    let verified = store.verify_journal().unwrap().unwrap();
    assert_eq!(verified.entries, entries as u64);
    began.elapsed().as_secs_f64()
}

/// An entry as an incident writes it.
fn draft(number: usize) -> JournalDraft {
    let sites = format!(r#""sites":["site-{number}"]"#);
    JournalDraft {
        time: 1_639_137_600 + number as i64,
        actor: "relight".into(),
        kind: "proved".into(),
        incident: "CVE-2021-44228".into(),
        body: format!(
            r#"{{"edge":"north","epoch":"1-{number}","kind":"proved","light":"dark",{sites}}}"#
        ),
    }
}

struct Damage {
    name: &'static str,
    first_bad: usize,
    sql: [String; 2],
}

/// Each damage with how it is undone.
fn damages(entries: usize) -> [Damage; 3] {
    let (flipped, removed, moved) = (entries / 3, entries / 2, entries - 10);
    let swap = format!(
        "UPDATE journal SET seq = -1 WHERE seq = {moved};
         UPDATE journal SET seq = {moved} WHERE seq = {moved} + 1;
         UPDATE journal SET seq = {moved} + 1 WHERE seq = -1"
    );
    let flip = |from: &str, to: &str| {
        format!("UPDATE journal SET body = replace(body, '{from}', '{to}') WHERE seq = {flipped}")
    };
    let remove = format!(
        "CREATE TABLE aside AS SELECT * FROM journal WHERE seq = {removed};
         DELETE FROM journal WHERE seq = {removed}"
    );
    let put_back = "INSERT INTO journal SELECT * FROM aside; DROP TABLE aside";
    [
        Damage {
            name: "flipped",
            first_bad: flipped,
            sql: [flip("\"dark\"", "\"darj\""), flip("\"darj\"", "\"dark\"")],
        },
        Damage { name: "removed", first_bad: removed, sql: [remove, put_back.to_owned()] },
        Damage { name: "reordered", first_bad: moved, sql: [swap.clone(), swap] },
    ]
}

/// Damages the journal, has the damage found, and undoes it.
fn find(store: &Store, damage: &Damage) -> String {
    let behind = Connection::open(store.path()).unwrap();
    behind.execute_batch(&damage.sql[0]).unwrap();
    let began = Instant::now();
    let fault = store.verify_journal().unwrap().unwrap_err();
    let seconds = began.elapsed().as_secs_f64();
    behind.execute_batch(&damage.sql[1]).unwrap();
    store.verify_journal().unwrap().unwrap();
    let (name, named) = (damage.name, fault.seq);
    let right = named == damage.first_bad as u64;
    format!(r#"{{"damage":"{name}","seconds":{seconds},"named":{named},"right":{right}}}"#)
}
