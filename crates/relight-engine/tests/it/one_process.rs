//! A process that takes over while sites are looked at: what the one before shows is no proof.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use relight_engine::edge::config::MAP_FILE;
use relight_engine::edge::{self, EdgeErrorKind, ProbeResult, ProbeTarget};
use relight_engine::incident::Gate;
use relight_engine::reconcile::{EdgeLoop, Eyes, Listeners, REWRITE_MS_MIN, Want};
use relight_model::{Epoch, GateKey, Light, Seen};

use crate::edge::{key, set};
use crate::loops::{Bench, dark, probe, told};
use crate::rig::{Kind, Rig, targets};

use Gate::{Proven, Requested};
use Light::Dark;

/// Longer than anything takes on a busy machine.
const PATIENT: Duration = Duration::from_secs(60);

/// An edge whose sites were closed already, the canary shown: the next look is at the sites.
fn closed() -> Bench {
    let mut bench = Bench::new(dark(&["a", "b"]));
    bench.set(|edge| edge.take_away(&key("a")));
    let wants = [("a", Dark, Requested), ("b", Dark, Proven)];
    assert_eq!(told(&bench.round(&wants)), ["proved-dark a"]);
    bench.set(|edge| edge.calls.clear());
    bench
}

/// Goal: a proof spans no change of the process. Method: the gate is lost and closed again; between
/// the closing and the probes a process takes over that read the empty file. What is read back, and
/// connections that were kept, show the one before, dark.
#[test]
fn a_process_that_takes_over_between_closing_and_probes_leaves_nothing_proven() {
    let mut bench = closed();
    bench.set(|edge| {
        edge.take_away(&key("a"));
        edge.successors.push_back(set(&[]));
    });
    let round = bench.later(1, &[("a", Dark, Proven)]);
    assert_eq!(bench.edge.lock().serves(&key("a")), Seen::Lit);
    assert_eq!(told(&round), ["drifted a"]);
    assert!(!round.settled && round.again_ms.is_none(), "the next round is not put off");
    assert_eq!(bench.edge.lock().forgotten, 1, "kept connections lead to the one before");
    let round = bench.later(REWRITE_MS_MIN, &[("a", Dark, Requested)]);
    assert_eq!((told(&round), round.settled), (vec!["proved-dark a".to_owned()], true));
    assert_eq!(bench.edge.lock().serves(&key("a")), Seen::Dark);
}

/// Goal: a proof that is only renewed is of the process that serves. Method: nothing is to close,
/// and a lit process takes over during the look.
#[test]
fn a_renewal_that_another_process_answers_is_none() {
    let mut bench = closed();
    bench.set(|edge| edge.successors.push_back(set(&[])));
    let round = bench.later(60_000, &[("a", Dark, Proven)]);
    assert_eq!((told(&round), round.settled), (vec!["drifted a".to_owned()], false));
}

/// Goal: a takeover that loses nothing costs one more look, in the same round. Method: the one that
/// takes over holds the site dark.
#[test]
fn a_process_that_took_over_dark_is_proven_in_the_same_round() {
    let mut bench = closed();
    bench.set(|edge| edge.successors.push_back(set(&["a", "b"])));
    let round = bench.round(&[("a", Dark, Proven), ("b", Dark, Requested)]);
    assert_eq!((told(&round), round.settled), (vec!["proved-dark b".to_owned()], true));
    assert_eq!(bench.calls(), [probe(&["b"]), probe(&["b"])]);
}

/// Goal: a light between two looks is told. Method: one that is lit takes over, and is seen; then
/// one that is dark.
#[test]
fn a_process_that_let_visitors_in_before_the_next_took_over_is_told() {
    let mut bench = closed();
    bench.set(|edge| edge.successors.extend([set(&[]), set(&["a", "b"])]));
    let round = bench.later(60_000, &[("a", Dark, Proven)]);
    assert_eq!((told(&round), round.settled), (vec!["drifted a".to_owned()], false));
}

/// Goal: looks come to an end, and prove nothing where none was of one process. Method: another one
/// takes over during each look.
#[test]
fn processes_that_take_over_each_time_prove_nothing() {
    let mut bench = closed();
    bench.set(|edge| edge.successors.extend(vec![set(&["a", "b"]); 9]));
    let round = bench.round(&[("b", Dark, Requested)]);
    assert_eq!((told(&round), round.settled), (Vec::new(), false));
    assert_eq!(round.error.map(|error| error.kind), Some(EdgeErrorKind::Unreachable));
    assert!(bench.calls().len() < 9);
}

/// Eyes of a real edge, after whose next look something happens to it.
struct Eventful {
    eyes: Listeners,
    then: Option<Box<dyn FnOnce() + Send>>,
}

impl Eyes for Eventful {
    fn probe(&mut self, targets: &[ProbeTarget], nonce: u64) -> Vec<ProbeResult> {
        let seen = self.eyes.probe(targets, nonce);
        let is_of_sites = seen.iter().any(|it| it.seen == Seen::Dark);
        if let Some(then) = self.then.take_if(|_| is_of_sites) {
            then();
        }
        seen
    }

    fn forget(&mut self) {
        self.eyes.forget();
    }
}

/// Goal: the same of a real one. Method: somebody reloads with an empty map, and the new process
/// takes over when the one before was read back and has answered dark.
#[test]
fn proxies_haproxy_that_takes_over_during_a_look_leaves_nothing_proven() {
    let folder = tempfile::tempdir().unwrap();
    let mut rig = Rig::start(folder.path(), Kind::Haproxy, 2);
    let (mut running, map) = (rig.running.take().unwrap(), rig.config.folder.join(MAP_FILE));
    let mut driver = edge::open(&rig.target).unwrap();
    let epoch = Epoch { term: 1, seq: 1 };
    driver.close(epoch, &[crate::rig::key(0)].into()).unwrap();
    let (keep, kept) = std::sync::mpsc::channel();
    let reload = move || {
        let ours = fs::read(&map).unwrap();
        fs::write(&map, "").unwrap();
        running.reload().unwrap();
        fs::write(&map, ours).unwrap();
        keep.send(running).unwrap();
    };
    let eyes = Listeners::new(vec![rig.prober()]);
    let eyes = Eventful { eyes, then: Some(Box::new(reload)) };
    let mut edge_loop = EdgeLoop::new("north", driver, Box::new(eyes), 7);
    let target = targets(0..1).remove(0);
    let want = Want { target, aliases: Vec::new(), light: Dark, gate: Requested, seen_dark: false };
    let begun = Instant::now();
    let mut round = |ms: i64| {
        let permits = |_: &GateKey| true;
        edge_loop.round(std::slice::from_ref(&want), epoch, 1_000_000 + ms, &permits)
    };
    let first = round(0);
    let _running = kept.try_recv().unwrap();
    assert_eq!((told(&first), first.settled), (Vec::new(), false));
    for ms in 1.. {
        assert!(begun.elapsed() < PATIENT, "not proven again");
        if told(&round(ms)).iter().any(|it| it.starts_with("proved-dark")) {
            break;
        }
        thread::yield_now();
    }
    assert_eq!(rig.prober().probe(&targets(0..1), 9)[0].seen, Seen::Dark);
}
