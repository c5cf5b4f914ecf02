//! What matching costs on a large register: 5 million component rows against tens of thousands of
//! advisories. Prints one JSON document; `cargo xtask bench match` runs it and judges the figures.
//!
//! Usage: `matching FOLDER ADVISORIES [ROWS]`: FOLDER is empty and takes the register, ADVISORIES
//! holds OSV records as JSON lines; without any, the generator writes some. `matching FOLDER` then
//! starts on that register in a process of its own: how long that takes, and what it holds.
//! `matching --only-import FOLDER ADVISORIES` imports alone, several times into registers that are
//! empty, beside parsing the same bytes.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark stops at any fault")]

mod portfolio;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;
use std::{env, fs};

use mimalloc::MiMalloc;
use portfolio::Portfolio;
use relight_engine::import::{self, ImportOptions};
use relight_engine::matching::Question;
use relight_engine::store::{RawAdvisory, Store};
use relight_engine::{Engine, EngineOptions, INVENTORY_TTL_S};
use relight_formats::advisory::{self, Input};
use relight_formats::write_sbom;
use relight_model::Advisory;
use serde_json::{Value, json};

/// That of the program.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

const SEED: u64 = 20_211_210;
const SITES: usize = 4_000;
/// Component rows unless the command line says otherwise.
const ROWS: usize = 5_000_000;
/// Advisories that are pushed one by one.
const PUSHES: usize = 100;
/// Ids whose identities are judged one by one.
const JUDGED: usize = 20;
/// Ids that are asked about a hundred times.
const ASKED_AGAIN: usize = 10_000;
/// Full matches.
const REPEATS: usize = 9;
/// Imports, where nothing else is measured.
const IMPORTS: usize = 7;
/// Inventories that are written out for a peer to read again.
const EXPORTED: usize = 20;

fn clock() -> i64 {
    1_639_137_600_000
}

fn main() {
    let is_import_alone = env::args().any(|it| it == "--only-import");
    // Cargo adds `--bench`.
    let arguments: Vec<String> = env::args().skip(1).filter(|it| !it.starts_with("--")).collect();
    let (folder, advisories, rest) = match &arguments[..] {
        [folder] => return println!("{}", start(Path::new(folder))),
        [folder, advisories] if is_import_alone => {
            let files = documents(Path::new(advisories));
            return println!("{}", imports(Path::new(folder), &files));
        }
        [folder, advisories, rest @ ..] => (folder, advisories, rest),
        [] => return println!("usage: matching FOLDER [ADVISORIES [ROWS]]"),
    };
    let rows = rest.first().map_or(ROWS, |text| text.parse().unwrap());
    let folder = PathBuf::from(folder);
    let store = Arc::new(Store::open(&folder).unwrap());
    let files = documents(Path::new(advisories));
    let mut figures = BTreeMap::new();
    figures.insert("import", import(&store, &files));
    let portfolio = Portfolio::generate(&store, SITES, rows, SEED);
    figures.insert("portfolio", portfolio.describe());
    export(&folder, &portfolio);
    let engine = open(&store);
    engine.tell_changes().unwrap();
    figures.insert("full_match", full_match(&engine));
    figures.insert("which_sites", which_sites(&engine));
    figures.insert("push", push(&engine, &portfolio));
    println!("{}", json!({"schema": "relight.bench-match/1", "seed": SEED, "figures": figures}));
}

fn open(store: &Arc<Store>) -> Engine {
    let options = EngineOptions { holder: "bench".into(), clock, inventory_ttl_s: INVENTORY_TTL_S };
    Engine::open(Arc::clone(store), options).unwrap()
}

/// A start on a register that is there, as a server makes it, and what the process holds in memory
/// once it can answer: everything, the advisories and the program included.
fn start(folder: &Path) -> Value {
    let store = Arc::new(Store::open(folder).unwrap());
    let before = resident_bytes();
    let began = Instant::now();
    let engine = open(&store);
    let seconds = began.elapsed().as_secs_f64();
    let rows = engine.rows();
    json!({"seconds": seconds, "rows": rows, "resident_bytes": resident_bytes(),
           "resident_bytes_before": before})
}

/// What Linux says that this process holds.
fn resident_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib * 1_024
}

/// The files of a folder; a generated one when it has none.
fn documents(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.filter(|it| it.extension() == Some("jsonl".as_ref())).collect();
    files.sort();
    if files.is_empty() {
        files.push(folder.join("generated.jsonl"));
        fs::write(&files[0], portfolio::advisories(SEED)).unwrap();
    }
    files
}

/// Reading, matching forms, storing and syncing every record, beside parsing the same bytes and
/// keeping nothing.
fn import(store: &Store, files: &[PathBuf]) -> Value {
    let (began, cpu) = (Instant::now(), cpu_seconds());
    let report = import::import(store, files, &ImportOptions::default(), &mut |_, _| {}).unwrap();
    let (seconds, cpu) = (began.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    let (parse, bytes) = parse(files);
    let per_second = report.records as f64 / seconds;
    json!({"records": report.records, "bytes": bytes, "seconds": seconds, "cpu_seconds": cpu,
           "per_second": per_second, "parse_only_seconds": parse})
}

/// Several imports, each into a register of its own; the median counts.
fn imports(folder: &Path, files: &[PathBuf]) -> Value {
    let rounds: Vec<Value> = (0..IMPORTS)
        .map(|round| {
            let folder = folder.join(round.to_string());
            let figures = import(&Store::open(&folder).unwrap(), files);
            fs::remove_dir_all(&folder).unwrap();
            figures
        })
        .collect();
    let median = |key: &str| {
        let mut values: Vec<f64> = rounds.iter().filter_map(|it| it[key].as_f64()).collect();
        quantile(&mut values, 0.5)
    };
    let [seconds, cpu, parse] = ["seconds", "cpu_seconds", "parse_only_seconds"].map(median);
    let per_second = median("per_second");
    json!({"records": rounds[0]["records"], "bytes": rounds[0]["bytes"], "seconds": seconds,
           "cpu_seconds": cpu, "per_second": per_second, "parse_only_seconds": parse,
           "rounds": rounds})
}

/// Seconds and bytes of parsing alone.
fn parse(files: &[PathBuf]) -> (f64, usize) {
    let (began, mut bytes) = (Instant::now(), 0);
    for file in files {
        let text = fs::read(file).unwrap();
        bytes += text.len();
        for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            serde_json::from_slice::<serde::de::IgnoredAny>(line).unwrap();
        }
    }
    (began.elapsed().as_secs_f64(), bytes)
}

/// What Linux says that this process has spent on processors, all threads together.
fn cpu_seconds() -> f64 {
    /// Ticks a second, which Linux has told every program for thirty years.
    const TICKS: f64 = 100.0;
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    // Behind the name, which may hold anything: user and system time are the 12th and 13th.
    let behind = stat.rsplit_once(')').unwrap().1;
    let ticks = behind.split_whitespace().skip(11).take(2).map(|it| it.parse::<f64>().unwrap());
    ticks.sum::<f64>() / TICKS
}

/// Inventories as documents, for a peer that has to read them again for each new advisory.
fn export(folder: &Path, portfolio: &Portfolio) {
    let out = folder.join("sboms");
    fs::create_dir_all(&out).unwrap();
    for (number, sbom) in portfolio.bodies.iter().take(EXPORTED).enumerate() {
        let text = write_sbom("cyclonedx", sbom, &format!("body-{number}"), Some(1)).unwrap();
        fs::write(out.join(format!("{number}.cdx.json")), text).unwrap();
    }
}

fn full_match(engine: &Engine) -> Value {
    let mut times = Vec::new();
    for _ in 0..REPEATS {
        let began = Instant::now();
        let differs = engine.rematch();
        assert!(differs.is_empty(), "a full match differs from what followed: {differs:?}");
        times.push(began.elapsed().as_secs_f64());
    }
    let rows = engine.matched_rows();
    json!({"seconds": times, "median_seconds": quantile(&mut times, 0.5), "matched_rows": rows})
}

/// Every id, from the match list; beside it, judging the identities of its packages one by one.
fn which_sites(engine: &Engine) -> Value {
    let ids: Vec<String> = engine.with_inventory(|_, known| {
        let ids = known.groups().flat_map(|group| group.aliases.iter().chain([&group.id]));
        ids.cloned().collect()
    });
    let mut times = Vec::with_capacity(ids.len());
    let mut found = 0;
    for id in &ids {
        let began = Instant::now();
        let sites = engine.found(id);
        times.push(began.elapsed().as_secs_f64());
        found += usize::from(!sites.affected.is_empty() || !sites.possible.is_empty());
    }
    // The same question again, as a page that is looked at asks it; the 99th of a hundred.
    let mut again = Vec::with_capacity(ids.len());
    for id in ids.iter().step_by((ids.len() / ASKED_AGAIN).max(1)) {
        let mut asked = Vec::with_capacity(100);
        for _ in 0..100 {
            let began = Instant::now();
            engine.found(id);
            asked.push(began.elapsed().as_secs_f64());
        }
        again.push(quantile(&mut asked, 0.99));
    }
    let every = (ids.len() / JUDGED).max(1);
    let mut linear = Vec::new();
    for id in ids.iter().step_by(every) {
        let began = Instant::now();
        engine.findings(&Question::Advisory(id.clone()));
        linear.push(began.elapsed().as_secs_f64());
    }
    json!({
        "ids": ids.len(), "ids_with_sites": found,
        "p50_us": quantile(&mut times, 0.5) * 1e6, "p99_us": quantile(&mut times, 0.99) * 1e6,
        "p999_us": quantile(&mut times, 0.999) * 1e6, "max_us": quantile(&mut times, 1.0) * 1e6,
        "again_p99_us_of_999_ids": quantile(&mut again, 0.999) * 1e6,
        "linear_p50_us": quantile(&mut linear, 0.5) * 1e6,
        "linear_p99_us": quantile(&mut linear, 0.99) * 1e6,
        "linear_max_us": quantile(&mut linear, 1.0) * 1e6,
    })
}

/// One new advisory after the other: read, stored, matched, told; then withdrawn again.
fn push(engine: &Engine, portfolio: &Portfolio) -> Value {
    let (mut pushed, mut withdrawn, mut told) = (Vec::new(), Vec::new(), 0);
    for number in 0..PUSHES {
        let (package, version) = portfolio.popular(number);
        for (times, state) in
            [(&mut pushed, ""), (&mut withdrawn, r#""withdrawn":"2021-12-20T00:00:00Z","#)]
        {
            let text = portfolio::advisory(number, &package, &version, state);
            let began = Instant::now();
            take(engine, &text);
            told += engine.tell_changes().unwrap().len();
            times.push(began.elapsed().as_secs_f64());
        }
    }
    let row = |times: &mut Vec<f64>| {
        let [p50, p99] = [0.5, 0.99].map(|at| quantile(times, at) * 1e3);
        json!({"p50_ms": p50, "p99_ms": p99})
    };
    json!({"new": row(&mut pushed), "withdrawn": row(&mut withdrawn), "notices": told})
}

fn take(engine: &Engine, text: &str) {
    assert_eq!(keep(engine.store(), "push", text.as_bytes()), 1);
    engine.follow_feeds().unwrap();
}

/// Stores the records of a document, each under its source; how many they are.
fn keep(store: &Store, place: &str, text: &[u8]) -> usize {
    let reading = advisory::read(&Input::whole("", place, text));
    let mut by_source: BTreeMap<&str, Vec<RawAdvisory<'_>>> = BTreeMap::new();
    for record in &reading.records {
        let Advisory { source, id, revision, .. } = &record.advisory;
        let bytes = record.kept(text);
        let row = RawAdvisory { id, revision: *revision, bytes, recorded_at: 1 };
        by_source.entry(source).or_default().push(row);
    }
    for (source, rows) in by_source {
        store.put_advisories(source, &rows).unwrap();
    }
    reading.records.len()
}

/// The nearest rank: of a hundred values the 99th is the one that 99 do not exceed.
fn quantile(values: &mut [f64], at: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let rank = (values.len() as f64 * at).ceil() as usize;
    values[rank.max(1) - 1]
}
