//! A clock that is set back puts no deadline off.

use std::collections::BTreeMap;

use relight_engine::incident::{Entry, Gate, Phase};
use relight_engine::plan::{Action, PLAN_AGE_MAX_S};
use relight_engine::policy::Refusal;
use relight_engine::reconcile::{DARK_PROOF_MAX_MS, LIT_PROOF_MAX_MS};
use relight_engine::{EngineErrorKind, INVENTORY_TTL_S, REMATCH_DEADLINE_MS};
use relight_model::Light;

use crate::acts::{chief, plan, table, town};
use crate::edge::{Call, key};
use crate::engine::{LOG4SHELL, Town, log4j, pass};
use crate::loops::{Bench, dark, told};

use Gate::{Failed, Proven, Requested};
use Light::{Dark, Lit};

const HOUR_MS: i64 = 3_600_000;

/// Goal: who is not proven dark is told in time, and so gets the second barrier. Method: the clock
/// goes back by an hour between the order and the deadline.
#[test]
fn what_is_not_proven_dark_fails_in_time() {
    let mut bench = Bench::new(|edge| edge.is_unreachable = true);
    let wants = [("a", Dark, Requested)];
    bench.round(&wants);
    assert_eq!(told(&bench.later(-HOUR_MS, &wants)), [""; 0]);
    assert_eq!(told(&bench.later(DARK_PROOF_MAX_MS - 1, &wants)), [""; 0]);
    assert_eq!(told(&bench.later(1, &wants)), ["edge-failed a"]);
}

/// The same of what was opened and is never seen lit.
#[test]
fn what_is_not_proven_lit_stops_in_time() {
    let mut bench = Bench::new(dark(&["a"]));
    bench.set(|edge| edge.blind.insert(key("a")));
    let wants = [("a", Lit, Proven)];
    bench.round(&wants);
    assert_eq!(told(&bench.later(-HOUR_MS, &wants)), [""; 0]);
    assert_eq!(told(&bench.later(LIT_PROOF_MAX_MS, &wants)), ["relight-stopped a"]);
}

/// The same of the grace of those who were there when the gate closed.
#[test]
fn connections_are_cut_after_the_grace() {
    let mut bench = Bench::new(|edge| {
        edge.has_tunnels = true;
        edge.tunnels.insert(key("a"), 2);
    });
    bench.edge_loop.set_grace(10_000);
    let wants = [("a", Dark, Requested)];
    bench.round(&wants);
    bench.later(-HOUR_MS, &wants);
    bench.calls();
    bench.later(10_000, &wants);
    assert!(bench.calls().contains(&Call::Cut(vec!["a".to_owned()])));
}

/// Goal: a proof of before is none any more when the clock shows its hour again. Method: a site is
/// proven dark; the clock goes back by an hour, nobody can see the site, and the hour passes.
#[test]
fn a_proof_of_before_is_none_when_its_hour_comes_again() {
    let mut bench = Bench::new(|_| ());
    assert_eq!(told(&bench.round(&[("a", Dark, Requested)])), ["proved-dark a"]);
    bench.set(|edge| edge.blind.insert(key("a")));
    assert_eq!(told(&bench.later(-HOUR_MS, &[("a", Dark, Proven)])), ["drifted a"]);
    let wants = [("a", Dark, Requested)];
    assert_eq!(told(&bench.later(DARK_PROOF_MAX_MS, &wants)), ["edge-failed a"]);
    let round = bench.later(HOUR_MS - DARK_PROOF_MAX_MS + 1_000, &[("a", Dark, Failed)]);
    assert!(!round.settled, "nobody has seen it since");
}

/// Goal: a lit site that has no current evidence goes dark in time. Method: its
/// inventory is too old, and the clock goes back by an hour between two looks.
#[test]
fn a_lit_site_without_evidence_goes_dark_in_time() {
    let town = Town::new(1);
    town.incident(LOG4SHELL);
    town.ingest(0, log4j("2.17.1"));
    pass(INVENTORY_TTL_S + 7_200);
    let mut since = BTreeMap::new();
    let mut look = |seconds| {
        pass(seconds);
        town.engine.lapse(&mut since).unwrap();
        town.phase(LOG4SHELL, 0)
    };
    assert_eq!([look(0), look(-3_600)], [Some(Phase::Online); 2]);
    assert_eq!(look(REMATCH_DEADLINE_MS / 1_000), Some(Phase::Unknown), "dark");
}

fn line() -> (String, Entry) {
    let (edge, what) = ("east".to_owned(), String::new());
    (String::new(), Entry::CanaryTried { edge, passed: true, what })
}

/// Goal: what was over opens nothing when the clock is set back, because the engine writes so
/// before the next line, and also where nobody writes one; whoever reads the journal again knows
/// it. Method: a dark site that is clear, a line after the end of that, and the clock before it.
#[test]
fn the_engine_writes_that_the_clock_was_set_back() {
    for writes in [true, false] {
        let town = Town::new(1);
        town.incident(LOG4SHELL);
        town.darken(&[0]);
        town.ingest(0, log4j("2.17.1"));
        let sites = [key("site-0000")];
        town.engine.analyse("A. Tremblay", LOG4SHELL, &sites).unwrap();
        let permits = |town: &Town| {
            let now = town.engine.now();
            town.ledger().incident(LOG4SHELL).unwrap().may_open(&sites[0], now)
        };
        assert!(permits(&town), "it is clear");
        pass(INVENTORY_TTL_S + 100);
        town.engine.append("test", vec![line()]).unwrap();
        pass(-1_000);
        let before = town.journal().len();
        match writes {
            true => drop(town.engine.append("test", vec![line()]).unwrap()),
            false => drop(town.engine.lapse(&mut BTreeMap::new()).unwrap()),
        }
        assert_eq!(town.journal()[before], "clock-set-back");
        assert!(!permits(&town));
        assert_eq!(town.engine.relight_ready().unwrap(), 0);
        let (written, _) = relight_engine::replay(town.engine.store()).unwrap();
        assert_eq!(written, town.ledger());
        pass(10);
        town.ingest(0, log4j("2.17.1"));
        town.engine.analyse("A. Tremblay", LOG4SHELL, &sites).unwrap();
        assert!(permits(&town), "what is scanned from then on opens");
    }
}

/// Goal: nobody is asked for a key for a plan that was over before the clock was set back. Method:
/// a plan that waits, a record after its end, and one at a time before it.
#[test]
fn a_plan_that_was_over_takes_no_further_key() {
    let town = town(8);
    let [anna, zoe] = ["anna", "zoe"].map(chief);
    let dark = plan(&town, &anna, Action::Dark, &[0, 1, 2, 3, 4, 5]);
    town.engine.propose(&table(), &anna, &dark).unwrap();
    pass(PLAN_AGE_MAX_S);
    town.engine.append("test", vec![line()]).unwrap();
    pass(-PLAN_AGE_MAX_S / 2);
    town.engine.append("test", vec![line()]).unwrap();
    let before = town.journal();
    let hash = dark.hash().unwrap();
    let error = town.engine.approve(&table(), &zoe, 1, hash, None).unwrap_err();
    assert_eq!(error.kind, EngineErrorKind::Refused(Refusal::Expired));
    assert_eq!(town.journal(), before, "nothing was journalled");
}
