//! M6 and M7: somebody else's reloads and crashes while everything is dark, and `kill -9` of the
//! controller in the middle of a wave.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use relight_engine::edge::config::{self, EdgeConfig};
use relight_engine::edge::http::Client;
use relight_engine::replay;
use relight_engine::store::{JournalRecord, Store};
use relight_model::{GateKey, Light, Seen};
use serde_json::{Value, json};

use crate::origin::STARTED;
use crate::rig::{Kind, Rig, host, key, targets};
use crate::steps::steps;
use crate::town::{self, Town};
use crate::{Finish, Size, controller, pause};

/// Visitors of dark sites, half of them on kept connections.
const VISITORS: usize = 8;
/// After the order was journalled, in milliseconds.
const MOMENTS_MS: [u64; 6] = [20, 0, 80, 200, 5, 120];
/// Times that a gate is tried to be lost, and the longest wait for the first visitor after that.
const ATTEMPTS: usize = 5;
const LOST_MAX: Duration = Duration::from_secs(3);
/// Longest wait for a restarted controller.
const CONVERGE_MAX: Duration = Duration::from_secs(60);

/// Foreign reloads and one crash with a restart, under visitors of sites that are all dark.
pub(crate) fn reload(rig: &mut Rig, size: Size) -> Value {
    let town = Town::start(&rig.data, None);
    let sites: Vec<GateKey> = (0..rig.sites()).map(key).collect();
    town.darken(&sites);
    let before = rig.counts().sum(0..sites.len());
    let (sent, held) = (AtomicUsize::new(0), AtomicUsize::new(0));
    reloads(rig, size.reloads, &sent, &held);
    let exposed = rig.counts().sum(0..sites.len()) - before;
    if let Some(running) = &mut rig.running {
        running.kill();
    }
    rig.start_edge(|text| text);
    let lit = not_dark(rig, 7);
    let lost = match rig.kind {
        Kind::Caddy => Some(dropped(rig, &town, &sites)),
        Kind::Haproxy => Some(overtaken(rig, &town, &sites)),
        Kind::Nginx | Kind::Apache => None,
    };
    town.clear(&sites);
    drop(town);
    json!({"reloads": size.reloads, "requests": sent.into_inner(), "held": held.into_inner(),
           "exposed_requests": exposed, "lit_after_crash": lit, "gate_lost": lost})
}

/// Reloads under visitors, who ask until the last one is over.
fn reloads(rig: &mut Rig, count: usize, sent: &AtomicUsize, held: &AtomicUsize) {
    let counts = std::sync::Arc::clone(rig.counts());
    let (done, listener) = (AtomicBool::new(false), rig.listener());
    let running = rig.running.as_mut().unwrap();
    let visit = |number: usize| {
        let mut kept: Option<Client> = None;
        while !done.load(Ordering::Relaxed) {
            let client = kept.take().map_or_else(|| Client::connect(listener), Ok);
            let Ok(mut client) = client else { continue };
            let started = counts.now().to_string();
            let answer = client.request("GET", &host(number), "/", &[(STARTED, &started)]);
            sent.fetch_add(1, Ordering::Relaxed);
            held.fetch_add(usize::from(answer.is_ok_and(|it| it.status == 503)), Ordering::Relaxed);
            if number.is_multiple_of(2) && client.is_open() {
                kept = Some(client);
            }
        }
    };
    thread::scope(|scope| {
        let _end = Finish(&done);
        for number in 0..VISITORS {
            scope.spawn(move || visit(number));
        }
        for _ in 0..count {
            running.reload().unwrap();
            pause(Duration::from_millis(500));
        }
    });
}

/// Somebody loads a configuration without our gate: seconds until the journal says so. Then theirs
/// is taken back, and everything is proven dark again.
fn dropped(rig: &Rig, town: &Town, sites: &[GateKey]) -> Value {
    let elsewhere = EdgeConfig { gate: rig.folder.join("elsewhere"), ..rig.config.clone() };
    let running = rig.running.as_ref().unwrap();
    town.proofs.wait(sites, Light::Dark);
    town.proofs.forget_drift();
    running.load(config::caddy(&elsewhere).unwrap().as_bytes()).unwrap();
    let began = Instant::now();
    let seen = town.proofs.wait_drift().map(|at| (at - began).as_secs_f64());
    running.load(config::caddy(&rig.config).unwrap().as_bytes()).unwrap();
    let began = Instant::now();
    let dark = (town.proofs.wait(sites, Light::Dark) - began).as_secs_f64();
    json!({"seen_s": seen, "dark_again_s": dark.max(0.0), "not_dark": not_dark(rig, 11)})
}

/// How many sites do not answer that they are dark.
fn not_dark(rig: &Rig, nonce: u64) -> usize {
    let answers = rig.prober().probe(&targets(0..rig.sites()), nonce);
    answers.iter().filter(|it| it.seen != Seen::Dark).count()
}

/// Somebody reloads HAProxy beside an old copy of its map, which darkens nobody: seconds from the
/// first visitor who gets in until the journal says so, and until everything is proven dark again
/// by the loop of the edge alone.
fn overtaken(rig: &mut Rig, town: &Town, sites: &[GateKey]) -> Value {
    let (map, last) = (rig.config.folder.join(config::MAP_FILE), host(sites.len() - 1));
    for attempt in 1..=ATTEMPTS {
        town.proofs.wait(sites, Light::Dark);
        town.proofs.forget_drift();
        fs::write(&map, "").unwrap();
        let listener = rig.listener();
        let lit = thread::scope(|scope| {
            let lit = scope.spawn(|| first_lit(listener, &last));
            rig.running.as_mut().unwrap().reload().unwrap();
            lit.join().unwrap()
        });
        // The loop may have put the map right before the new process read it.
        let Some(lit) = lit else { continue };
        let since = |at: Instant| at.saturating_duration_since(lit).as_secs_f64();
        let seen = town.proofs.wait_drift().map(since);
        let mut dark = since(town.proofs.wait(sites, Light::Dark));
        let (mut left, mut early) = (not_dark(rig, 11), 0);
        // A proof may be about the process before, if the new one took over just then.
        while left > 0 && dark < LOST_MAX.as_secs_f64() {
            (left, early) = (not_dark(rig, 12 + early), early + 1);
            dark = since(Instant::now());
        }
        return json!({"attempts": attempt, "seen_s": seen, "dark_again_s": dark,
                      "early_proofs": early, "not_dark": left});
    }
    json!({"attempts": ATTEMPTS})
}

/// When a new visitor of a site first got in.
fn first_lit(listener: SocketAddr, host: &str) -> Option<Instant> {
    let began = Instant::now();
    while began.elapsed() < LOST_MAX {
        let answer = Client::connect(listener).and_then(|mut visitor| visitor.get(host, "/"));
        if answer.is_ok_and(|it| it.status == 200) {
            return Some(Instant::now());
        }
    }
    None
}

/// A controller killed in the middle of its wave, and the one that comes after it.
pub(crate) fn restart(rig: &mut Rig, size: Size) -> Value {
    let mut runs = Vec::new();
    for moment in MOMENTS_MS.into_iter().take(size.kills) {
        runs.push(restart_after(rig, size, moment));
    }
    // One in which all was proven before the kill has nothing to converge.
    let halved = |run: &&Value| run["proven_before"] == false;
    let worst = |name: &str| {
        let figures = runs.iter().filter(halved).map(|run| run[name].as_f64().unwrap_or(f64::NAN));
        figures.reduce(|a, b| if a >= b || a.is_nan() { a } else { b })
    };
    let steps = steps(rig, &data_after(rig, MOMENTS_MS[0]), size);
    let ratio = worst("converged_s").zip(worst("bare_s")).map(|(all, bare)| all / bare);
    json!({"converged_max_s": worst("converged_s"), "ratio": ratio, "steps": steps, "runs": runs})
}

/// The register of the run with this moment.
fn data_after(rig: &Rig, moment_ms: u64) -> PathBuf {
    rig.folder.join(format!("restart-{moment_ms}"))
}

fn restart_after(rig: &mut Rig, size: Size, moment_ms: u64) -> Value {
    let data = data_after(rig, moment_ms);
    town::copy(&rig.data, &data);
    let store = Store::open(&data).unwrap();
    let begin = store.journal(1).unwrap().len() as u64 + 1;
    let newer = || store.journal(begin).unwrap();
    // Whoever reads the whole journal again and again takes a core from what is measured.
    let is_new = || store.changed_elsewhere().unwrap();
    let mut killed = controller::spawn(&data, size.sites, "order");
    wait_for(|| is_new() && newer().iter().any(|record| record.kind == "dark-ordered"));
    pause(Duration::from_millis(moment_ms));
    killed.kill().unwrap();
    killed.wait().unwrap();
    let before = newer();
    let began = Instant::now();
    let mut second = controller::spawn(&data, size.sites, "resume");
    let proven = |records: &[JournalRecord]| controller::proven_dark(records) == size.sites;
    let proven_before = proven(&before);
    let mut is_proven = proven_before;
    wait_for(|| {
        is_proven = is_proven || (is_new() && proven(&newer()));
        is_proven && edge_is_claimed(rig, 2)
    });
    let converged = began.elapsed().as_secs_f64();
    second.kill().unwrap();
    second.wait().unwrap();
    let after = newer();
    let kept = after.starts_with(&before);
    let ordered = after.iter().filter(|record| record.kind == "dark-ordered").count();
    let verified = store.verify_journal().unwrap().is_ok();
    let began = Instant::now();
    replay(&store).unwrap();
    let replayed = began.elapsed().as_secs_f64();
    let began = Instant::now();
    let not_dark = not_dark(rig, 9);
    let swept = began.elapsed().as_secs_f64();
    rig.reset();
    json!({"killed_after_ms": moment_ms, "converged_s": converged, "replay_s": replayed,
           "sweep_s": swept, "bare_s": replayed + swept,
           "not_dark": not_dark, "proven_before": proven_before,
           "entries_kept": kept, "orders": ordered, "verified": verified})
}

/// The second controller has written under its own term. Whoever takes the lock of the gate to look
/// waits for what that one does next, which is to get ready for another order.
fn edge_is_claimed(rig: &Rig, term: u64) -> bool {
    let newest = relight_engine::edge::newest_epoch(&rig.target).unwrap();
    newest.is_some_and(|epoch| epoch.term > term)
}

fn wait_for(mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + CONVERGE_MAX;
    while !condition() {
        assert!(Instant::now() < deadline, "not within {CONVERGE_MAX:?}");
        pause(Duration::from_millis(1));
    }
}
