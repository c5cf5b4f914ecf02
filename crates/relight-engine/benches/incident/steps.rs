//! What an order and a restart are made of, each step alone on an edge in rest: M1 and M7 allow
//! half of a bare sweep beside it, and this says what takes how much.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use relight_engine::edge::config::{CANARY_HOST, CANARY_KEY};
use relight_engine::edge::{GateSet, ProbeTarget, Stage};
use relight_engine::replay;
use relight_engine::store::Store;
use relight_model::{Epoch, GateKey};
use serde_json::Value;

use crate::figures::series;
use crate::rig::{Rig, key, targets};
use crate::{Size, controller, town};

/// Above those of every register.
const TERM: u64 = 1_000;

/// Seconds of each step, by its name.
#[derive(Default)]
struct Took(BTreeMap<&'static str, Vec<f64>>);

impl Took {
    fn time<T>(&mut self, name: &'static str, step: impl FnOnce() -> T) -> T {
        let began = Instant::now();
        let done = step();
        self.0.entry(name).or_default().push(began.elapsed().as_secs_f64());
        done
    }
}

/// The steps in the order in which they come, those of a start on a register with an order in its
/// journal; the edge is as new afterwards.
pub(crate) fn steps(rig: &mut Rig, data: &Path, size: Size) -> Value {
    let mut took = Took::default();
    for _ in 0..size.steps {
        of_start(data, &mut took);
    }
    of_edge(rig, size, &mut took);
    rig.reset();
    took.0.iter().map(|(name, seconds)| ((*name).to_owned(), series(seconds))).collect()
}

/// What a controller does before it looks at its edges; some of it at the same time.
fn of_start(data: &Path, took: &mut Took) {
    took.time("process", controller::start_and_end);
    let store = took.time("open", || Store::open(data).unwrap());
    // Another lease costs the same, and takes the register from nobody.
    took.time("lease", || store.take_lease("steps", "bench", town::clock() / 1_000).unwrap());
    let intact = took.time("verify", || store.verify_journal().unwrap());
    assert!(intact.is_ok(), "the journal is broken");
    took.time("replay", || replay(&store).unwrap());
    took.time("register", || store.sites().unwrap());
}

/// What an order does on an edge that got ready for it.
fn of_edge(rig: &Rig, size: Size, took: &mut Took) {
    let mut driver = relight_engine::edge::open(&rig.target).unwrap();
    let mut prober = rig.prober();
    let (keys, none) = ((0..size.sites).map(key).collect::<Vec<GateKey>>(), GateSet::new());
    let (all, targets) = (keys.iter().cloned().collect::<GateSet>(), targets(0..size.sites));
    let canary = GateKey::new(CANARY_KEY).unwrap();
    let look = [ProbeTarget::site(canary.clone(), CANARY_HOST.to_owned(), None)];
    let canary: GateSet = [canary].into();
    for turn in 0..size.steps as u64 {
        let epoch = |step| Epoch { term: TERM, seq: 10 * turn + step };
        driver.get_ready(&all, &|| false).unwrap();
        took.time("canary_close", || driver.close(epoch(1), &canary).unwrap());
        took.time("canary_look", || prober.probe(&look, 2 * turn));
        took.time("close", || driver.close(epoch(2), &all).unwrap());
        took.time("sweep", || prober.probe(&targets, 2 * turn + 1));
        took.time("read_back", || driver.observe(&keys).unwrap());
        took.time("count", || driver.tunnels(&keys).unwrap());
        for stage in [Stage::Runtime, Stage::Durable] {
            driver.apply(epoch(3), stage, &none).unwrap();
        }
    }
}
