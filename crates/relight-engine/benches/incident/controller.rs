//! The controller as a process of its own, so that it can be killed and its memory counted.

use std::env;
use std::fs;
use std::io::{Read as _, stdin};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use relight_model::{GateKey, Light};
use serde_json::{Value, json};

use crate::rig::key;
use crate::town::{self, Town};
use crate::{Size, pause};

/// Sites of the register whose controller is weighed.
const WEIGHED: usize = 10_000;

/// How long a controller is there before it gives its order.
const REST: Duration = Duration::from_secs(1);

/// `controller FOLDER SITES order|resume`: orders every site dark or goes on, and stays until its
/// input ends.
pub(crate) fn run(words: &[String]) {
    let [folder, sites, action] = words else { return };
    let sites: Vec<GateKey> = (0..sites.parse().unwrap()).map(key).collect();
    // Whoever started it closes the pipe, or kills it.
    let stay = || drop(stdin().read_to_end(&mut Vec::new()));
    if action != "order" {
        let _driven = town::drive(Path::new(folder));
        return stay();
    }
    let town = Town::start(Path::new(folder), None);
    // A server that has been there for a while: its edge got ready for an order.
    pause(REST);
    let plan = town.plan(&sites);
    town.engine.execute(&plan, "bench").unwrap();
    stay();
}

/// Starts this program again as a controller.
pub(crate) fn spawn(folder: &Path, sites: usize, action: &str) -> Child {
    #[expect(clippy::disallowed_methods, reason = "the benchmark kills a real process")]
    let mut command = Command::new(env::current_exe().unwrap());
    command.arg("controller").arg(folder).arg(sites.to_string()).arg(action);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap()
}

/// Starts this program as a controller that has nothing to do.
pub(crate) fn start_and_end() {
    #[expect(clippy::disallowed_methods, reason = "the benchmark measures a real process")]
    let mut command = Command::new(env::current_exe().unwrap());
    assert!(command.arg("controller").status().unwrap().success());
}

/// Peak memory of a controller of 10,000 sites that orders them all dark on a gate folder.
pub(crate) fn memory(folder: &Path, _: Size) -> Value {
    let gate = folder.join("gate");
    let target = relight_engine::edge::Target {
        name: "north".into(),
        kind: "builtin".into(),
        gate: gate.clone(),
        listeners: Vec::new(),
        verify: None,
        settings: [].into(),
        members: Vec::new(),
    };
    let data = folder.join("data");
    town::register(&data, WEIGHED, &target);
    let mut controller = spawn(&data, WEIGHED, "order");
    let deadline = Instant::now() + Duration::from_secs(60);
    let dark = || fs::read_dir(gate.join("current")).map_or(0, Iterator::count);
    while dark() < WEIGHED && Instant::now() < deadline {
        pause(Duration::from_millis(20));
    }
    // A few more rounds, in which it tries to prove what nobody serves.
    pause(Duration::from_secs(2));
    let status = fs::read_to_string(format!("/proc/{}/status", controller.id())).unwrap();
    let kib = |name: &str| -> f64 {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    };
    let figures = json!({"sites": WEIGHED, "dark": dark(), "peak_mb": kib("VmHWM:") / 1e3 * 1.024,
                         "resident_mb": kib("VmRSS:") / 1e3 * 1.024});
    drop(controller.stdin.take());
    let _ = controller.wait();
    figures
}

/// Sites whose newest proof in the journal says dark.
pub(crate) fn proven_dark(records: &[relight_engine::store::JournalRecord]) -> usize {
    use relight_engine::incident::Entry;
    let mut dark = std::collections::BTreeSet::new();
    for record in records.iter().filter(|record| record.kind == "proved") {
        if let Ok(Entry::Proved { sites, light: Light::Dark, .. }) = Entry::from_body(&record.body)
        {
            dark.extend(sites);
        }
    }
    dark.len()
}
