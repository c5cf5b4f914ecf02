//! The goals M1 to M10 of an incident against real proxies with thousands of virtual hosts. Prints
//! one JSON document; `cargo xtask bench incident` runs it and judges the figures.
//!
//! Usage: `incident FOLDER quick|full [PART...]`: FOLDER is empty, on the disk that is meant;
//! `incident controller FOLDER ...` is the process that other parts kill.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark stops at any fault")]

mod controller;
mod cost;
mod dark;
mod faults;
mod lit;
mod origin;
mod rig;
mod town;
mod visitors;

use std::path::{Path, PathBuf};
use std::time::Instant;
use std::{env, fs};

use serde_json::{Map, Value, json};

use rig::{Kind, Rig};

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    /// Virtual hosts of an edge.
    pub(crate) sites: usize,
    /// Orders for all of them.
    pub(crate) orders: usize,
    /// Sites that come back one after the other, each waited for.
    pub(crate) singles: usize,
    /// Cycles of dark and lit beside untouched visitors.
    pub(crate) cycles: usize,
    /// Requests of untouched visitors that the cycles must last for.
    pub(crate) requests: usize,
    /// Moments at which a controller is killed.
    pub(crate) kills: usize,
    /// Requests of each side when the cost of a gate is measured.
    pub(crate) sweep: usize,
}

const FULL: Size = Size {
    sites: 4_000,
    orders: 50,
    singles: 400,
    cycles: 100,
    requests: 1_000_000,
    kills: 6,
    sweep: 100_000,
};

const QUICK: Size = Size {
    sites: 4_000,
    orders: 3,
    singles: 40,
    cycles: 6,
    requests: 20_000,
    kills: 1,
    sweep: 6_000,
};

type Part = fn(&mut Rig, Size) -> Value;

/// What is measured on each edge, in this order.
const PARTS: [(&str, Part); 6] = [
    ("restart", faults::restart),
    ("order", dark::order),
    ("relight", lit::relight),
    ("untouched", visitors::untouched),
    ("leaks", visitors::leaks),
    ("reload", faults::reload),
];

type Whole = fn(&Path, Size) -> Value;

/// What is measured once.
const WHOLE: [(&str, Whole); 3] =
    [("gate_cost", cost::gates), ("memory", controller::memory), ("plan", dark::plan)];

fn main() {
    // Cargo adds `--bench`.
    let arguments: Vec<String> = env::args().skip(1).filter(|it| !it.starts_with("--")).collect();
    match &arguments[..] {
        [word, rest @ ..] if word == "controller" => controller::run(rest),
        [folder, size, parts @ ..] => {
            let size = if size == "full" { FULL } else { QUICK };
            measure(Path::new(folder), size, parts);
        }
        _ => println!("usage: incident FOLDER quick|full [PART...]"),
    }
}

fn measure(folder: &Path, size: Size, parts: &[String]) {
    let wanted = |name: &str| parts.is_empty() || parts.iter().any(|part| part == name);
    let mut figures = Map::new();
    for kind in Kind::ALL {
        if !PARTS.iter().any(|(name, _)| wanted(name)) {
            continue;
        }
        let mut edge = Map::new();
        let mut rig = Rig::start(&fresh(folder, kind.name()), kind, size.sites);
        // The one part that has registers of its own comes first.
        for (name, part) in PARTS.iter().filter(|(name, _)| wanted(name)) {
            if *name != "restart" && !rig.data.exists() {
                town::register(&rig.data, size.sites, &rig.target);
            }
            timed(kind.name(), name, || edge.insert((*name).to_owned(), part(&mut rig, size)));
        }
        figures.insert(kind.name().to_owned(), Value::Object(edge));
    }
    for (name, part) in WHOLE.into_iter().filter(|(name, _)| wanted(name)) {
        let folder = fresh(folder, name);
        timed("", name, || figures.insert(name.to_owned(), part(&folder, size)));
    }
    let document = json!({"schema": "relight.bench-incident/1", "figures": figures,
        "sites": size.sites, "load": load(), "programs": rig::versions()});
    println!("{document}");
}

/// Runs a part; tells people on the error stream how long it took.
fn timed<T>(edge: &str, name: &str, run: impl FnOnce() -> T) {
    let began = Instant::now();
    run();
    let seconds = began.elapsed().as_secs_f64();
    eprintln(&format!("{edge} {name}: {seconds:.1} s"));
}

#[expect(clippy::print_stderr, reason = "progress for people; the document is on the other stream")]
fn eprintln(line: &str) {
    eprintln!("{line}");
}

fn fresh(folder: &Path, name: &str) -> PathBuf {
    let folder = folder.join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn load() -> String {
    fs::read_to_string("/proc/loadavg").unwrap_or_default().trim().to_owned()
}

/// The value at a fraction of the sorted values; not a number without any.
pub(crate) fn quantile(values: &[f64], at: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().saturating_sub(1);
    sorted.get(((last as f64) * at).ceil() as usize).copied().unwrap_or(f64::NAN)
}

/// The usual figures of a series, in milliseconds.
pub(crate) fn series(seconds: &[f64]) -> Value {
    let at = |fraction| quantile(seconds, fraction) * 1e3;
    json!({"count": seconds.len(), "p50_ms": at(0.5), "p95_ms": at(0.95), "p99_ms": at(0.99),
           "max_ms": at(1.0)})
}
