//! M8: what a gate costs every request, with and without it in turns.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use relight_engine::edge::http::Client;
use serde_json::{Map, Value, json};

use crate::Size;
use crate::figures::quantile;
use crate::rig::{Kind, Rig, host};

/// Sites of the edges that are compared.
const SITES: usize = 400;
const CONNECTIONS: usize = 8;
const TURNS: usize = 40;
/// Which of the turns of a side stands for it: whatever else runs on the machine makes turns slower
/// and none faster, so the middle one says more about the machine than about the gate.
const TURN: f64 = 0.75;

pub(crate) fn gates(folder: &Path, size: Size) -> Value {
    let kinds = [Kind::Nginx, Kind::Haproxy];
    let kinds = kinds.map(|kind| (kind.name().to_owned(), gate(folder, kind, size)));
    Value::Object(Map::from_iter(kinds))
}

fn gate(folder: &Path, kind: Kind, size: Size) -> Value {
    let with = Rig::start(&folder.join(format!("{}-with", kind.name())), kind, SITES);
    let mut without = Rig::start(&folder.join(format!("{}-without", kind.name())), kind, SITES);
    without.start_edge(without_gate);
    let (mut gated, mut bare) = (Vec::new(), Vec::new());
    for turn in 0..TURNS {
        // Who comes first has the cache of the other one to get rid of: each does it half the time.
        let mut sides = [(&with, &mut gated), (&without, &mut bare)];
        if turn % 2 == 1 {
            sides.reverse();
        }
        for (rig, rates) in sides {
            rates.push(rate(rig.listener(), size.sweep / TURNS));
        }
    }
    let at = |rates: &[f64], turn| quantile(rates, turn);
    let (middle, middle_without) = (at(&gated, 0.5), at(&bare, 0.5));
    let (gated, bare) = (at(&gated, TURN), at(&bare, TURN));
    json!({"rps": gated, "rps_without": bare, "ratio": gated / bare, "turns": TURNS,
           "middle_rps": middle, "middle_rps_without": middle_without})
}

/// The same configuration without the lines of the gate.
fn without_gate(text: String) -> String {
    let gate = ["set $relight", "if ($", "if (-f", "http-request return status 503"];
    // A block of several lines belongs to the holding page, which nobody sees here.
    let is_gate = |line: &&str| {
        let line = line.trim();
        gate.iter().any(|start| line.starts_with(start)) && !line.ends_with('{')
    };
    let mut lines: Vec<&str> = text.lines().filter(|line| !is_gate(line)).collect();
    // Variables that are named in a header still have to exist.
    if text.contains("split_clients") {
        let site = lines.iter().position(|line| line.starts_with("http {")).unwrap();
        lines.insert(site + 1, "map $host $relight_gate { default \"\"; }");
        lines.insert(site + 1, "map $host $relight_site { default x; }");
    }
    lines.join("\n") + "\n"
}

/// Requests a second over a few kept connections.
fn rate(listener: SocketAddr, requests: usize) -> f64 {
    let next = AtomicUsize::new(0);
    let began = Instant::now();
    thread::scope(|scope| {
        for _ in 0..CONNECTIONS {
            scope.spawn(|| {
                let mut visitor = Client::connect(listener).unwrap();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= requests {
                        break;
                    }
                    let answer = visitor.get(&host(number % SITES), "/").unwrap();
                    assert_eq!(answer.status, 200);
                }
            });
        }
    });
    requests as f64 / began.elapsed().as_secs_f64()
}
