//! INCIDENT 5.1: somebody undoes our gate again and again. And 5: an edge that does not answer is
//! not asked as fast as it can be.

use relight_engine::edge::Stage;
use relight_engine::incident::Gate;
use relight_engine::reconcile::{
    AGAIN_MS_MAX, AGAIN_MS_MIN, DARK_PROOF_MAX_MS, FIGHT_DRIFTS, FIGHT_QUIET_MS, FIGHT_WINDOW_MS,
    LIT_PROOF_MAX_MS, PROOF_TTL_MS, REWRITE_MS_MAX, REWRITE_MS_MIN, Round,
};
use relight_model::Light;

use crate::edge::{Call, Fault, key, set};
use crate::loops::{Bench, dark, told};

use Gate::{Failed, Proven, Requested};
use Light::{Dark, Lit};

/// Somebody opens the gate of a site in both copies.
fn undo(bench: &Bench, name: &str) {
    bench.set(|edge| (edge.durable.remove(&key(name)), edge.runtime.remove(&key(name))));
}

/// How often the running gate was written since it was last asked.
fn writes(bench: &Bench) -> usize {
    let calls = bench.calls();
    calls.iter().filter(|call| matches!(call, Call::Apply(Stage::Runtime, _))).count()
}

/// A bench on which `a` is proven dark and was undone as often as makes a fight.
fn fight() -> (Bench, Round) {
    let mut bench = Bench::new(|_| ());
    bench.round(&[("a", Dark, Requested)]);
    let mut round = Round::default();
    for _ in 0..FIGHT_DRIFTS {
        undo(&bench, "a");
        round = bench.later(REWRITE_MS_MAX, &[("a", Dark, Proven)]);
    }
    (bench, round)
}

#[test]
fn a_gate_that_was_undone_is_told_although_the_same_round_closes_it() {
    let mut bench = Bench::new(|_| ());
    bench.round(&[("a", Dark, Requested)]);
    undo(&bench, "a");
    let round = bench.later(1_000, &[("a", Dark, Proven)]);
    assert_eq!(told(&round), ["drifted a", "proved-dark a"]);
    assert!(!round.settled);
    assert!(bench.later(50, &[("a", Dark, Proven)]).settled);
    // The copy that a reload reads is as good as the running one.
    bench.set(|edge| edge.durable.remove(&key("a")));
    assert_eq!(told(&bench.later(50, &[("a", Dark, Proven)])), ["drifted a", "proved-dark a"]);
}

#[test]
fn a_gate_that_is_undone_again_and_again_is_told_as_fought_over_and_not_proven() {
    let (mut bench, round) = fight();
    assert_eq!(told(&round), ["drifted a", "edge-failed a"]);
    assert!(format!("{:?}", round.entries).contains(r#"why: "fought""#), "{:?}", round.entries);
    // It shows dark, and whoever undoes it has not gone away.
    for _ in 0..20 {
        let round = bench.later(FIGHT_QUIET_MS / 21, &[("a", Dark, Failed)]);
        assert_eq!((told(&round), round.settled), (vec![], false));
    }
    let round = bench.later(FIGHT_QUIET_MS / 21 + 10, &[("a", Dark, Failed)]);
    assert_eq!((told(&round), round.settled), (vec!["proved-dark a".to_owned()], true));
    // Once more within the window, and it goes on.
    undo(&bench, "a");
    let round = bench.later(1_000, &[("a", Dark, Proven)]);
    assert_eq!(told(&round), ["drifted a", "edge-failed a"]);
}

#[test]
fn only_what_is_undone_is_fought_over() {
    let mut bench = Bench::new(|_| ());
    bench.round(&[("a", Dark, Requested), ("b", Dark, Requested)]);
    let mut round = Round::default();
    for _ in 0..FIGHT_DRIFTS {
        undo(&bench, "a");
        round = bench.later(REWRITE_MS_MAX, &[("a", Dark, Proven), ("b", Dark, Proven)]);
    }
    assert_eq!(told(&round), ["drifted a", "edge-failed a"]);
    // An order about another site is done at once, and so is an opening.
    let wants = [("a", Dark, Failed), ("b", Lit, Requested), ("c", Dark, Requested)];
    let round = bench.later(10, &wants);
    assert_eq!(told(&round), ["proved-dark c", "proved-lit b"]);
}

/// Whoever turns to another site has not left that of before alone for long enough.
#[test]
fn each_site_has_to_be_quiet_for_itself() {
    let mut bench = Bench::new(|_| ());
    bench.round(&[("a", Dark, Requested), ("b", Dark, Requested)]);
    for _ in 0..FIGHT_DRIFTS {
        undo(&bench, "a");
        bench.later(REWRITE_MS_MAX, &[("a", Dark, Proven), ("b", Dark, Proven)]);
    }
    for time in 1..=FIGHT_DRIFTS {
        undo(&bench, "b");
        let round = bench.later(REWRITE_MS_MAX, &[("a", Dark, Failed), ("b", Dark, Proven)]);
        let last = if time == FIGHT_DRIFTS { "edge-failed b" } else { "proved-dark b" };
        assert!(told(&round).iter().any(|it| it == last), "{time}: {:?}", told(&round));
        assert!(!told(&round).iter().any(|it| it == "proved-dark a"), "{time}");
    }
    let wants = [("a", Dark, Failed), ("b", Dark, Failed)];
    let since = FIGHT_DRIFTS as i64 * REWRITE_MS_MAX;
    let quiet = bench.later(FIGHT_QUIET_MS - since - 1, &wants);
    assert_eq!(told(&quiet), Vec::<String>::new());
    assert_eq!(told(&bench.later(1, &wants)), ["proved-dark a"]);
    assert_eq!(told(&bench.later(since, &wants)), ["proved-dark a b"]);
}

/// Three sites that were opened once each are not fought over.
#[test]
fn a_fight_is_over_a_site_and_not_over_its_edge() {
    let mut bench = Bench::new(|_| ());
    bench.round(&["a", "b", "c"].map(|name| (name, Dark, Requested)));
    for name in ["a", "b", "c", "a", "b", "c"] {
        undo(&bench, name);
        let round = bench.later(REWRITE_MS_MAX, &["a", "b", "c"].map(|it| (it, Dark, Proven)));
        assert_eq!(told(&round), [format!("drifted {name}"), format!("proved-dark {name}")]);
    }
}

#[test]
fn a_few_times_in_a_long_time_are_no_fight() {
    let mut bench = Bench::new(|_| ());
    bench.round(&[("a", Dark, Requested)]);
    for _ in 0..3 * FIGHT_DRIFTS {
        undo(&bench, "a");
        let apart = FIGHT_WINDOW_MS / (FIGHT_DRIFTS as i64 - 1) + 1;
        let round = bench.later(apart, &[("a", Dark, Proven)]);
        assert_eq!(told(&round), ["drifted a", "proved-dark a"]);
    }
    // Neither is a clock that was set back.
    undo(&bench, "a");
    let round = bench.later(-FIGHT_WINDOW_MS, &[("a", Dark, Proven)]);
    assert_eq!(told(&round), ["drifted a", "proved-dark a"]);
}

/// Two programs that each put their own right: ours waits twice as long each time, up to a limit,
/// and not at all once it was quiet.
#[test]
fn a_gate_is_written_again_ever_more_seldom() {
    let mut bench = Bench::new(|_| ());
    bench.round(&[("a", Dark, Requested)]);
    bench.calls();
    let (mut waits, mut waited) = (Vec::new(), 0);
    while waits.len() < 10 {
        undo(&bench, "a");
        bench.later(50, &[("a", Dark, Requested)]);
        waited += 50;
        if writes(&bench) > 0 {
            waits.push(waited);
            waited = 0;
        }
    }
    assert_eq!(waits[..5], [50, 100, 200, 400, 800], "each time twice as long");
    assert_eq!(waits[8..], [REWRITE_MS_MAX; 2]);
    assert_eq!(REWRITE_MS_MIN, 100);
    bench.later(REWRITE_MS_MAX, &[("a", Dark, Requested)]);
    bench.later(FIGHT_QUIET_MS, &[("a", Dark, Requested)]);
    bench.calls();
    undo(&bench, "a");
    bench.later(50, &[("a", Dark, Requested)]);
    assert_eq!(writes(&bench), 1, "at once");
}

/// A gate that nobody told to close before is closed without any wait, whoever fights over another.
#[test]
fn a_new_order_waits_for_no_fight() {
    let (mut bench, _) = fight();
    undo(&bench, "a");
    bench.later(10, &[("a", Dark, Failed)]);
    bench.calls();
    bench.later(10, &[("a", Dark, Failed)]);
    assert_eq!(writes(&bench), 0);
    undo(&bench, "a");
    bench.later(10, &[("a", Dark, Failed), ("b", Dark, Requested)]);
    assert_eq!(writes(&bench), 1);
    assert_eq!(bench.edge.lock().runtime, set(&["a", "b"]));
}

#[test]
fn a_silent_edge_is_asked_again_after_half_of_its_silence() {
    let mut bench = Bench::new(dark(&["a"]));
    let wants = [("a", Dark, Requested)];
    assert_eq!(bench.round(&wants).again_ms, None);
    bench.set(|edge| edge.is_unreachable = true);
    let (start, mut waits) = (bench.now_ms, Vec::new());
    let mut again = bench.later(0, &wants).again_ms.unwrap();
    while bench.now_ms - start < 60_000 {
        waits.push(again);
        let silent = bench.now_ms - start;
        assert!(again <= (silent / 2).clamp(AGAIN_MS_MIN, AGAIN_MS_MAX), "{again} of {silent}");
        again = bench.later(again, &wants).again_ms.unwrap();
    }
    assert!((15..50).contains(&waits.len()), "{waits:?}");
    let late = &waits[waits.len() - 5..];
    assert!(late.iter().any(|wait| *wait != late[0]), "edges that failed together part: {waits:?}");
    // Answered once, it begins anew.
    bench.set(|edge| edge.is_unreachable = false);
    assert_eq!(bench.later(again, &wants).again_ms, None);
    // The canary is shown first, and a fault of it is no fault of a site.
    bench.edge.lock().faults.extend([Fault::Before; 2]);
    undo(&bench, "a");
    let first = bench.later(10, &wants).again_ms.unwrap();
    assert!(first <= AGAIN_MS_MIN, "{first}");
}

/// What is told of a silent edge is told when it becomes so, not at the next look.
#[test]
fn nobody_waits_past_the_instant_at_which_a_site_is_exposed() {
    for (prepare, gate, span, expected) in [
        (false, Requested, DARK_PROOF_MAX_MS, "edge-failed a"),
        (true, Proven, PROOF_TTL_MS, "drifted a"),
    ] {
        let mut bench = Bench::new(|edge| edge.is_unreachable = !prepare);
        let first = if prepare { Requested } else { gate };
        let mut again = bench.round(&[("a", Dark, first)]).again_ms.unwrap_or(0);
        bench.set(|edge| edge.is_unreachable = true);
        let start = bench.now_ms;
        loop {
            let round = bench.later(again, &[("a", Dark, gate)]);
            if !told(&round).is_empty() {
                assert_eq!(told(&round), [expected]);
                break;
            }
            again = round.again_ms.unwrap();
        }
        assert_eq!(bench.now_ms - start, span, "{expected}");
    }
}

/// An edge that falls silent while a site is being opened is asked when that has to end.
#[test]
fn a_site_that_was_opened_is_not_left_so_because_its_edge_is_silent() {
    let mut bench = Bench::new(dark(&["a"]));
    bench.set(|edge| edge.blind.insert(key("a")));
    let start = bench.now_ms;
    let mut again = bench.round(&[("a", Lit, Requested)]).again_ms.unwrap_or(0);
    bench.set(|edge| edge.is_unreachable = true);
    let mut asked = Vec::new();
    while bench.now_ms - start < 2 * LIT_PROOF_MAX_MS {
        again = bench.later(again, &[("a", Lit, Requested)]).again_ms.unwrap();
        asked.push(bench.now_ms - start);
    }
    assert!(asked.contains(&LIT_PROOF_MAX_MS), "{asked:?}");
    bench.set(|edge| edge.is_unreachable = false);
    assert_eq!(told(&bench.later(again, &[("a", Lit, Requested)])), ["relight-stopped a"]);
}
