//! M1 and M10: an order for every site until each is proven dark, and its dry run.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use relight_engine::edge::http::Client;
use relight_model::{GateKey, Seen};
use serde_json::{Value, json};

use crate::figures::{quantile, series};
use crate::rig::{Kind, Rig, host, key, targets};
use crate::town::{self, Town};
use crate::{Finish, Size, pause};

/// Longest wait for a reload to take effect.
const EFFECT_MAX: Duration = Duration::from_secs(60);
/// How often a visitor of the last site asks meanwhile: one that asks without a pause takes a core
/// from the order, and nobody takes one from the bare sweep.
const EFFECT_LOOK: Duration = Duration::from_millis(1);
/// Answers in a row that show that no old worker is left.
const STEADY: usize = 20;

/// All sites dark and proven, beside a bare sweep of the same requests, one after the other. What
/// is judged is the slow end of both against each other: of a pair, either may be slow by chance.
pub(crate) fn order(rig: &mut Rig, size: Size) -> Value {
    let town = Town::start(&rig.data, None);
    let sites: Vec<GateKey> = (0..size.sites).map(key).collect();
    let (targets, mut prober) = (targets(0..size.sites), rig.prober());
    let (mut orders, mut sweeps, mut effects) = (Vec::new(), Vec::new(), Vec::new());
    let mut journalled = Vec::new();
    for round in 0..size.orders {
        let last = host(size.sites - 1);
        let done = AtomicBool::new(false);
        let listener = rig.listener();
        thread::scope(|scope| {
            let began = Instant::now();
            let effect = scope.spawn(|| first_dark(listener, &last, &done));
            {
                let _end = Finish(&done);
                let (journal, proven) = town.darken_by_steps(&sites);
                journalled.push(journal);
                orders.push(proven);
            }
            effects.extend(effect.join().unwrap().map(|at| (at - began).as_secs_f64()));
        });
        let began = Instant::now();
        let seen = prober.probe(&targets, 1_000 + round as u64);
        sweeps.push(began.elapsed().as_secs_f64());
        assert!(seen.iter().all(|result| result.seen == Seen::Dark), "a proof was none");
        town.clear(&sites);
    }
    drop(town);
    let pairs: Vec<f64> = orders.iter().zip(&sweeps).map(|(order, sweep)| order / sweep).collect();
    let reload = (rig.kind == Kind::Nginx).then(|| series(&map_reloads(rig, size)));
    json!({"proven": series(&orders), "journalled": series(&journalled),
           "sweep": series(&sweeps), "effective": series(&effects),
           "ratio_p95": quantile(&orders, 0.95) / quantile(&sweeps, 0.95),
           "pair_p50": quantile(&pairs, 0.5), "pair_p95": quantile(&pairs, 0.95),
           "map_reload_effective": reload})
}

/// When a visitor of a site first got the holding page.
fn first_dark(listener: std::net::SocketAddr, host: &str, done: &AtomicBool) -> Option<Instant> {
    let mut visitor = Client::connect(listener).unwrap();
    while !done.load(Ordering::Relaxed) {
        if visitor.get(host, "/").unwrap().status == 503 {
            return Some(Instant::now());
        }
        pause(EFFECT_LOOK);
    }
    None
}

/// The peer: the same sites in an nginx `map` file and a reload, as people do it by hand; seconds
/// until new connections get 503 and go on getting it.
fn map_reloads(rig: &mut Rig, size: Size) -> Vec<f64> {
    let map = rig.folder.join("dark.map");
    fs::write(&map, "").unwrap();
    let include = format!(
        "http {{\nmap_hash_max_size 65536;\nmap_hash_bucket_size 128;\n\
         map $relight_site $relight_map {{ default \"\"; include {}; }}",
        map.display()
    );
    let gate = format!("if (-f {}/current/$relight_site)", rig.config.gate.display());
    rig.start_edge(|text| text.replacen("http {", &include, 1).replace(&gate, "if ($relight_map)"));
    let keys: String = (0..size.sites).map(|site| format!("{} 1;\n", key(site))).collect();
    let last = host(size.sites - 1);
    assert_eq!(rig.visitor().get(&last, "/").unwrap().status, 200);
    let mut waits = Vec::new();
    for turn in 0..size.map_reloads {
        if turn > 0 {
            map_reload(rig, &map, "", &last, 200);
        }
        waits.push(map_reload(rig, &map, &keys, &last, 503));
    }
    rig.start_edge(|text| text);
    waits
}

/// Seconds from another map until all new connections to a site get this status.
fn map_reload(rig: &mut Rig, map: &Path, keys: &str, last: &str, status: u16) -> f64 {
    let began = Instant::now();
    fs::write(map, keys).unwrap();
    rig.running.as_mut().unwrap().reload().unwrap();
    let mut steady: Option<Instant> = None;
    let mut count = 0;
    while count < STEADY && began.elapsed() < EFFECT_MAX {
        let is_so = Client::connect(rig.listener())
            .and_then(|mut visitor| visitor.get(last, "/"))
            .is_ok_and(|answer| answer.status == status);
        if is_so {
            steady.get_or_insert_with(Instant::now);
            count += 1;
        } else {
            (steady, count) = (None, 0);
        }
    }
    steady.map_or(f64::NAN, |at| (at - began).as_secs_f64())
}

/// A dry run for every site, the plan that its execution rebuilds, and execution without effects.
pub(crate) fn plan(folder: &Path, size: Size) -> Value {
    let target = relight_engine::edge::Target {
        name: "nowhere".into(),
        kind: "builtin".into(),
        gate: folder.join("gate"),
        listeners: Vec::new(),
        verify: None,
        settings: [].into(),
        members: Vec::new(),
    };
    let data = folder.join("data");
    town::register(&data, size.sites, &target);
    let engine = town::open(&data);
    let sites: Vec<GateKey> = (0..size.sites).map(key).collect();
    let mut dry = Vec::new();
    let mut plans = Vec::new();
    for _ in 0..9 {
        let began = Instant::now();
        plans.push(town::plan(&engine, &sites));
        dry.push(began.elapsed().as_secs_f64());
    }
    let shown = plans.pop().unwrap();
    let began = Instant::now();
    engine.execute(&shown, "bench").unwrap();
    let executed = began.elapsed().as_secs_f64();
    let journal = engine.store().journal(1).unwrap();
    let ordered = journal.iter().rfind(|record| record.kind == "dark-ordered").unwrap();
    let identical = ordered.body.contains(&shown.hash().unwrap().to_string());
    json!({"dry_run": series(&dry), "execution_s": executed, "identical": identical,
           "ratio": quantile(&dry, 0.5) / executed})
}
