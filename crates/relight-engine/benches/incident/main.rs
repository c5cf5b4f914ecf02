//! The goals M1 to M10 of an incident against real proxies with thousands of virtual hosts. Leaves
//! one JSON document, anew after each part; `cargo xtask bench incident` runs it and judges the
//! figures. A part that fails is an error in it and costs no other part.
//!
//! Usage: `incident FOLDER quick|full [PART...]`: FOLDER is empty, on the disk that is meant;
//! the document is `incident.json` there.
//! `incident controller FOLDER ...` is the process that other parts kill.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark stops at any fault")]

mod controller;
mod cost;
mod dark;
mod faults;
mod figures;
mod lit;
mod origin;
mod rig;
mod spellings;
mod steps;
mod town;
mod visitors;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

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
    /// Reloads of an edge by somebody else.
    pub(crate) reloads: usize,
    /// How long visitors are counted after a reload of nginx, as the peer, in milliseconds.
    pub(crate) baseline_ms: u64,
    /// Requests of each side when the cost of a gate is measured.
    pub(crate) sweep: usize,
    /// Times that each step of a restart and of an order is measured alone.
    pub(crate) steps: usize,
    /// Times that the peer of an order is measured.
    pub(crate) map_reloads: usize,
}

const FULL: Size = Size {
    sites: 4_000,
    orders: 50,
    singles: 400,
    cycles: 100,
    requests: 1_000_000,
    kills: 6,
    reloads: 3,
    baseline_ms: 3_000,
    sweep: 100_000,
    steps: 9,
    map_reloads: 9,
};

const QUICK: Size = Size {
    sites: 4_000,
    orders: 3,
    singles: 40,
    cycles: 4,
    requests: 20_000,
    kills: 1,
    reloads: 1,
    baseline_ms: 1_000,
    sweep: 20_000,
    steps: 1,
    map_reloads: 1,
};

impl Size {
    /// Thousands of routes cost Caddy 24 ms a request: no goal is about that many.
    const fn sites_of(self, kind: Kind) -> usize {
        match kind {
            Kind::Nginx | Kind::Haproxy => self.sites,
            Kind::Apache | Kind::Caddy => FEW_SITES,
        }
    }
}

/// Virtual hosts of edges that no goal asks for thousands of.
const FEW_SITES: usize = 400;

type Part = fn(&mut Rig, Size) -> Value;

/// What is measured on edges, in this order, and on which: goals of dark and lit are for two of
/// them, what visitors notice is for all.
const PARTS: [(&str, &[Kind], Part); 6] = [
    ("restart", &[Kind::Nginx, Kind::Haproxy], faults::restart),
    ("order", &[Kind::Nginx, Kind::Haproxy], dark::order),
    ("relight", &[Kind::Nginx, Kind::Haproxy], lit::relight),
    ("untouched", &[Kind::Nginx, Kind::Haproxy], visitors::untouched),
    ("leaks", &Kind::ALL, visitors::leaks),
    ("reload", &Kind::ALL, faults::reload),
];

type Whole = fn(&Path, Size) -> Value;

/// What is measured once.
const WHOLE: [(&str, Whole); 2] = [("gate_cost", cost::gates), ("plan", dark::plan)];
const MEMORY: (&str, Whole) = ("memory", controller::memory);

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

/// The figures so far, on the disk: whatever comes next cannot lose them.
struct Document {
    file: PathBuf,
    sites: usize,
    load: String,
    figures: Map<String, Value>,
}

impl Document {
    /// Adds what a part gave; of one edge when it has one.
    fn put(&mut self, edge: Option<Kind>, part: &str, value: Value) {
        let list = match edge {
            None => &mut self.figures,
            Some(kind) => {
                let edge = self.figures.entry(kind.name()).or_insert_with(|| json!({}));
                edge.as_object_mut().unwrap()
            }
        };
        list.insert(part.to_owned(), value);
        let document = json!({"schema": "relight.bench-incident/4", "figures": self.figures,
            "sites": self.sites, "load_before": self.load, "load_after": load(),
            "programs": rig::versions()});
        fs::write(&self.file, format!("{document}\n")).unwrap();
    }
}

/// What is measured where, and what came of it so far.
struct Bench<'a> {
    folder: &'a Path,
    size: Size,
    parts: &'a [String],
    document: Mutex<Document>,
}

impl Bench<'_> {
    fn wants(&self, name: &str) -> bool {
        self.parts.is_empty() || self.parts.iter().any(|part| part == name)
    }

    fn put(&self, edge: Option<Kind>, part: &str, value: Value) {
        self.document.lock().unwrap().put(edge, part, value);
    }

    /// Every part of one edge, on one register.
    fn edge(&self, kind: Kind) {
        let (size, mut rig) = (self.size, None);
        for (name, kinds, part) in PARTS.iter().filter(|(name, ..)| self.wants(name)) {
            if !kinds.contains(&kind) {
                continue;
            }
            let figures = attempt(kind.name(), name, || {
                let rig = rig.get_or_insert_with(|| {
                    let folder = fresh(self.folder, kind.name());
                    let rig = Rig::start(&folder, kind, size.sites_of(kind));
                    town::register(&rig.data, rig.sites(), &rig.target);
                    rig
                });
                part(rig, size)
            });
            // Nobody knows in which state a part that failed left its edge.
            rig = rig.filter(|_| figures.get("error").is_none());
            self.put(Some(kind), name, figures);
        }
    }

    fn whole(&self, (name, part): (&str, Whole)) {
        if self.wants(name) {
            let figures = attempt("", name, || part(&fresh(self.folder, name), self.size));
            self.put(None, name, figures);
        }
    }
}

/// What is timed has the machine for itself; what only waits, or counts bytes, shares it.
fn measure(folder: &Path, size: Size, parts: &[String]) {
    let (file, figures) = (folder.join("incident.json"), Map::new());
    let document = Document { file, sites: size.sites, load: load(), figures };
    let bench = Bench { folder, size, parts, document: Mutex::new(document) };
    bench.edge(Kind::Nginx);
    bench.edge(Kind::Haproxy);
    for whole in WHOLE {
        bench.whole(whole);
    }
    thread::scope(|scope| {
        scope.spawn(|| bench.edge(Kind::Apache));
        scope.spawn(|| bench.edge(Kind::Caddy));
        bench.whole(MEMORY);
    });
}

/// Runs a part: its figures with the seconds that it took, or its error. Tells people on the error
/// stream, where the panic hook says the place.
fn attempt(edge: &str, name: &str, run: impl FnOnce() -> Value) -> Value {
    let began = Instant::now();
    let figures = catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        json!({"error": text.unwrap_or("a panic without words")})
    });
    let seconds = began.elapsed().as_secs_f64();
    eprintln(&format!("{edge} {name}: {seconds:.1} s"));
    match figures {
        Value::Object(mut figures) => {
            figures.insert("took_s".to_owned(), json!(seconds));
            Value::Object(figures)
        }
        other => other,
    }
}

/// Waits so long. Threads that ended, or a channel, may have left a wake-up behind, with which the
/// system's own wait is over at once.
pub(crate) fn pause(duration: Duration) {
    let until = Instant::now() + duration;
    while let Some(left) = until.checked_duration_since(Instant::now()).filter(|it| !it.is_zero()) {
        thread::park_timeout(left);
    }
}

/// Lets visitors go when a part ends, by a failure as well: they would wait for ever.
pub(crate) struct Finish<'a>(pub(crate) &'a AtomicBool);

impl Drop for Finish<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
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
