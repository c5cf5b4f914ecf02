//! M1 over many edges: an order for 4,000 sites on 40 edges of five kinds, each a process of its
//! own with its own folder, until each site is proven dark, beside a bare sweep of the same
//! requests; and M3 on a built-in edge, the spellings of a host. Prints one JSON document;
//! `cargo xtask bench incident` runs it and judges the figures.
//!
//! Usage: `edges FOLDER quick|full`: FOLDER is empty, on the disk that is meant.
//! `edges builtin FOLDER FIRST LISTENER ORIGIN` is the process of a built-in edge, and
//! `edges keeper` the one that ends the programs of all others if this one is killed.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark stops at any fault")]

#[path = "../../../relight-engine/benches/incident/figures.rs"]
mod figures;
mod fleet;
#[expect(dead_code, reason = "the benchmark of incidents needs more of it")]
#[path = "../../../relight-engine/benches/incident/origin.rs"]
mod origin;
#[expect(dead_code, reason = "the benchmark of incidents needs more of it")]
#[path = "../../../relight-engine/benches/incident/rig.rs"]
mod rig;
#[path = "../../../relight-engine/benches/incident/spellings.rs"]
mod spellings;
#[expect(dead_code, reason = "the benchmark of incidents needs more of it")]
#[path = "../../../relight-engine/benches/incident/town.rs"]
mod town;

use std::collections::BTreeMap;
use std::env;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use relight_engine::edge::Prober;
use relight_engine::edge::http::Client;
// The register that is shared with the benchmark of incidents reads its advisory with it.
use relight_formats as _;
use relight_model::{GateKey, Light, Seen};
use serde_json::{Value, json};

use figures::{quantile, series};
use fleet::{BUILTIN, EDGES, Edge, Fleet, SITES_OF_EDGE};
use origin::Origin;
use rig::{key, targets, twin, versions};
use spellings::matrix;
use town::Town;

const SITES: usize = EDGES * SITES_OF_EDGE;
/// How long a server is there before the first order.
const REST: Duration = Duration::from_secs(1);

/// Orders for all sites; each comes back before the next.
const ORDERS: usize = 50;
const ORDERS_QUICK: usize = 2;

fn main() {
    // Cargo adds `--bench`.
    let words: Vec<String> = env::args().skip(1).filter(|it| !it.starts_with("--")).collect();
    match &words[..] {
        [word, rest @ ..] if word == "builtin" => fleet::builtin(rest),
        [word] if word == "keeper" => fleet::keep(),
        [folder, size] => {
            let orders = if size == "full" { ORDERS } else { ORDERS_QUICK };
            println!("{}", measure(Path::new(folder), orders));
        }
        _ => println!("usage: edges FOLDER quick|full"),
    }
}

fn measure(folder: &Path, orders: usize) -> Value {
    let origin = Origin::start(SITES);
    let began = Instant::now();
    let fleet = Fleet::start(folder, &origin);
    let started = began.elapsed().as_secs_f64();
    let (data, all) = (folder.join("data"), fleet.targets());
    town::register_on(&data, SITES, &all);
    let town = Town::start(&data, None);
    thread::park_timeout(REST);
    let rounds: Vec<Round> = (0..orders).map(|round| Round::run(&town, &fleet, round)).collect();
    let spellings = spelled(&town, &fleet, &origin);
    drop(town);
    let of = |figure: fn(&Round) -> f64| rounds.iter().map(figure).collect::<Vec<f64>>();
    let (pairs, proven, sweeps) =
        (of(|it| it.proven / it.sweep), of(|it| it.proven), of(|it| it.sweep));
    let mut kinds: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for (edge, proven) in rounds.iter().flat_map(|round| fleet.edges.iter().zip(&round.edges)) {
        kinds.entry(edge.kind).or_default().push(*proven);
    }
    let kinds: BTreeMap<&str, Value> =
        kinds.into_iter().map(|(kind, waits)| (kind, series(&waits))).collect();
    json!({"schema": "relight.bench-edges/3", "edges": EDGES, "sites": SITES,
           "kinds": fleet::KINDS, "processes": "one an edge", "start_s": started,
           "proven": series(&of(|it| it.proven)), "journalled": series(&of(|it| it.journalled)),
           "lit": series(&of(|it| it.lit)), "sweep": series(&of(|it| it.sweep)),
           "ratio_p95": quantile(&proven, 0.95) / quantile(&sweeps, 0.95),
           "pair_p50": quantile(&pairs, 0.5), "pair_p95": quantile(&pairs, 0.95),
           "edge_proven": kinds, "spellings": spellings, "programs": versions()})
}

/// What spellings of a host reach through a built-in edge, on all of its listeners.
fn spelled(town: &Town, fleet: &Fleet, origin: &Origin) -> Value {
    let edge = fleet.edges.iter().find(|edge| edge.kind == BUILTIN).unwrap();
    let first = edge.target.listeners[0];
    let mut listeners = vec![first, twin(first)];
    listeners.retain(|listener| Client::connect(*listener).is_ok());
    matrix(town, &listeners, edge.sites.start, &origin.counts)
}

/// All sites dark and lit again, once; in seconds.
struct Round {
    /// From the order until it is in the journal.
    journalled: f64,
    /// From the order until each site was proven dark.
    proven: f64,
    /// The same for the sites of each edge.
    edges: Vec<f64>,
    /// A bare sweep of the same requests, all edges at the same time.
    sweep: f64,
    /// From the clearance until each site was proven lit.
    lit: f64,
}

impl Round {
    fn run(town: &Town, fleet: &Fleet, round: usize) -> Self {
        let sites: Vec<GateKey> = (0..SITES).map(key).collect();
        let plan = town.plan(&sites);
        let ordered = Instant::now();
        town.engine.execute(&plan, "bench").unwrap();
        let journalled = ordered.elapsed().as_secs_f64();
        let of = |sites: &[GateKey]| (town.proofs.wait(sites, Light::Dark) - ordered).as_secs_f64();
        let proven = of(&sites);
        let edges = sites.chunks(SITES_OF_EDGE).map(of).collect();
        let sweep = sweep(&fleet.edges, 1_000 + round as u64);
        let lit = town.clear(&sites);
        Self { journalled, proven, edges, sweep, lit }
    }
}

/// Seconds until every site of every edge answered dark, and nothing else was done.
fn sweep(edges: &[Edge], nonce: u64) -> f64 {
    let mut probers: Vec<_> = edges.iter().map(Edge::prober).collect();
    let began = Instant::now();
    let lit: Vec<&str> = thread::scope(|scope| {
        let ask = |edge: &Edge, prober: &mut Prober| {
            let seen = prober.probe(&targets(edge.sites.clone()), nonce);
            seen.iter().any(|result| result.seen != Seen::Dark)
        };
        let pairs = edges.iter().zip(&mut probers);
        let asked: Vec<_> =
            pairs.map(|(edge, prober)| (edge, scope.spawn(move || ask(edge, prober)))).collect();
        let lit = asked.into_iter().filter_map(|(edge, it)| it.join().unwrap().then_some(edge));
        lit.map(|edge| edge.target.name.as_str()).collect()
    });
    let swept = began.elapsed().as_secs_f64();
    assert!(lit.is_empty(), "a proof was none on {}", lit.join(", "));
    swept
}
