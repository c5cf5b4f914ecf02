//! M4: from clearance to proven lit, one site at a time and all of them one by one.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use relight_engine::incident::EvidenceKind;
use relight_model::{GateKey, Light};
use serde_json::{Value, json};

use crate::Size;
use crate::figures::series;
use crate::rig::{Rig, key};
use crate::town::{INCIDENT, Town};

/// Clearances under way at the same time: scanners and people of many bodies.
const CALLERS: usize = 64;

pub(crate) fn relight(rig: &mut Rig, size: Size) -> Value {
    let town = Town::start(&rig.data, None);
    let sites: Vec<GateKey> = (0..size.sites).map(key).collect();
    town.darken(&sites);
    let (alone, rest) = sites.split_at(size.singles.min(sites.len()));
    let waits: Vec<f64> = alone.iter().map(|site| town.clear(std::slice::from_ref(site))).collect();
    let seconds = one_by_one(&town, rest);
    let entries = town.engine.store().journal(1).unwrap().len();
    drop(town);
    let each: Vec<f64> = waits.iter().map(|wait| (wait * 1e5).round() / 1e2).collect();
    json!({"clearance_to_lit": series(&waits), "each_ms": each, "singles": rest.len(),
           "singles_s": seconds,
           "singles_s_of_4000": seconds * 4_000.0 / rest.len() as f64, "journal": entries})
}

/// Each site is cleared by a call of its own, whose audit entry is synced before it returns.
fn one_by_one(town: &Town, sites: &[GateKey]) -> f64 {
    let next = AtomicUsize::new(0);
    let began = Instant::now();
    thread::scope(|scope| {
        for _ in 0..CALLERS {
            scope.spawn(|| {
                while let Some(site) = sites.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let site = std::slice::from_ref(site);
                    let scan = EvidenceKind::Scan;
                    town.engine.attach_evidence("bench", INCIDENT, site, scan).unwrap();
                }
            });
        }
    });
    (town.proofs.wait(sites, Light::Lit) - began).as_secs_f64()
}
