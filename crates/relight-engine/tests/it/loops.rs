//! One round of the loop of one edge, step by step, against the fake edge.

use relight_engine::edge::{Basis, Capabilities, EdgeErrorKind, ProbeTarget, Stage, Untried};
use relight_engine::incident::{Entry, Gate};
use relight_engine::reconcile::{
    CANARY_EVERY_MS, CANARY_KEY, DARK_PROOF_MAX_MS, EdgeLoop, LIT_PROOF_MAX_MS, PROOF_LATE_MS,
    PROOF_RENEW_MS, PROOF_TTL_MS, RENEWALS_MAX, Round, Want,
};
use relight_model::{Epoch, GateKey, Light, Seen};

use crate::edge::{Call, Edge, Fault, Shared, key, set};

use Gate::{Open, Proven, Requested};
use Light::{Dark, Lit};

/// More sites than one round renews proofs of.
const MANY: usize = RENEWALS_MAX + 50;

/// A loop, its edge, and the time.
pub(crate) struct Bench {
    pub(crate) edge: Shared,
    pub(crate) edge_loop: EdgeLoop,
    pub(crate) now_ms: i64,
    pub(crate) epoch: Epoch,
    pub(crate) permits: bool,
}

impl Bench {
    pub(crate) fn new(prepare: impl FnOnce(&mut Edge)) -> Self {
        let edge = Shared::default();
        prepare(&mut edge.lock());
        let edge_loop = EdgeLoop::new("east", Box::new(edge.clone()), Box::new(edge.clone()), 7);
        let epoch = Epoch { term: 2, seq: 1 };
        Self { edge, edge_loop, now_ms: 1_000_000, epoch, permits: true }
    }

    pub(crate) fn round(&mut self, wants: &[(&str, Light, Gate)]) -> Round {
        let wants: Vec<Want> = wants.iter().map(want).collect();
        let permits = self.permits;
        self.edge_loop.round(&wants, self.epoch, self.now_ms, &|_: &GateKey| permits)
    }

    /// A round some time later.
    pub(crate) fn later(&mut self, ms: i64, wants: &[(&str, Light, Gate)]) -> Round {
        self.now_ms += ms;
        self.round(wants)
    }

    pub(crate) fn set<T>(&self, change: impl FnOnce(&mut Edge) -> T) {
        change(&mut self.edge.lock());
    }

    /// What was done since it was last asked.
    pub(crate) fn calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.edge.lock().calls)
    }
}

fn want(&(name, light, gate): &(&str, Light, Gate)) -> Want {
    let target = ProbeTarget::site(key(name), format!("{name}.example"), None);
    Want { target, aliases: Vec::new(), light, gate, seen_dark: false }
}

/// An edge on which these sites are dark already.
pub(crate) fn dark(names: &'static [&'static str]) -> impl FnOnce(&mut Edge) {
    move |edge| {
        (edge.durable, edge.runtime, edge.own) = (set(names), set(names), set(names));
        edge.epoch = Some(Epoch { term: 2, seq: 0 });
    }
}

pub(crate) fn apply(stage: Stage, names: &[&str]) -> Call {
    Call::Apply(stage, owned(names))
}

pub(crate) fn probe(names: &[&str]) -> Call {
    Call::Probe(owned(names))
}

pub(crate) fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// `proved-dark a b`, `edge-failed a`: what a round has to journal, one text an entry.
pub(crate) fn told(round: &Round) -> Vec<String> {
    let tell = |entry: &Entry| {
        let light = match entry {
            Entry::Proved { light: Dark, .. } => "-dark",
            Entry::Proved { .. } => "-lit",
            _ => "",
        };
        let sites = entry.sites();
        let sites: Vec<&str> = sites.iter().map(GateKey::as_str).collect();
        format!("{}{light} {}", entry.kind(), sites.join(" "))
    };
    round.entries.iter().map(tell).collect()
}

#[test]
fn closing_shows_the_canary_then_writes_durable_then_runtime_then_probes() {
    let mut bench = Bench::new(|_| ());
    let round = bench.round(&[("a", Dark, Requested)]);
    let expected = [
        apply(Stage::Durable, &[CANARY_KEY]),
        apply(Stage::Runtime, &[CANARY_KEY]),
        probe(&[CANARY_KEY]),
        apply(Stage::Durable, &["a"]),
        apply(Stage::Runtime, &["a"]),
        probe(&["a"]),
    ];
    assert_eq!(bench.calls(), expected);
    assert_eq!(told(&round), ["proved-dark a"]);
    assert_eq!((round.canary, round.settled), (Some(Seen::Dark), true));
}

#[test]
fn the_canary_is_shown_once_and_opens_nothing_that_is_dark() {
    let mut bench = Bench::new(dark(&["a", "b"]));
    let wants = [("a", Dark, Proven), ("b", Lit, Proven), ("c", Dark, Requested)];
    bench.permits = false;
    let round = bench.round(&wants);
    assert_eq!(round.canary, Some(Seen::Dark));
    assert_eq!(bench.edge.lock().opened, [key(CANARY_KEY)]);
    bench.set(|edge| edge.runtime.remove(&key("a")));
    assert_eq!(bench.round(&wants).canary, None);
}

#[test]
fn a_canary_opens_no_site_of_which_the_read_back_knows_nothing() {
    let mut bench = Bench::new(dark(&["a"]));
    bench.set(|edge| edge.is_unreadable = true);
    bench.round(&[("a", Dark, Proven), ("b", Dark, Requested)]);
    assert_eq!(bench.edge.lock().opened, [key(CANARY_KEY)]);
}

#[test]
fn opening_writes_runtime_then_probes_twice_then_writes_durable() {
    let mut bench = Bench::new(dark(&["a", "b"]));
    let round = bench.round(&[("a", Lit, Proven), ("b", Dark, Proven)]);
    let expected = [
        probe(&["b"]),
        apply(Stage::Runtime, &["b"]),
        probe(&["a"]),
        probe(&["a"]),
        apply(Stage::Durable, &["b"]),
    ];
    assert_eq!(bench.calls(), expected);
    assert_eq!(told(&round), ["proved-lit a"]);
    assert!(round.settled);
    assert_eq!(bench.edge.lock().durable, set(&["b"]));
}

#[test]
fn an_opening_that_is_not_seen_stays_dark_in_the_durable_copy() {
    let mut bench = Bench::new(dark(&["a"]));
    bench.set(|edge| edge.blind.insert(key("a")));
    let round = bench.round(&[("a", Lit, Proven)]);
    assert_eq!((told(&round), round.settled), (vec![], false));
    assert_eq!(bench.edge.lock().durable, set(&["a"]));
}

#[test]
fn an_edge_that_says_yes_and_does_nothing_is_never_proven_and_fails_in_time() {
    let mut bench = Bench::new(|_| ());
    let wants = [("a", Dark, Requested)];
    for (passed_ms, expected) in
        [(0, None), (DARK_PROOF_MAX_MS - 1, None), (1, Some("edge-failed a"))]
    {
        bench.set(|edge| edge.faults = [Fault::Lie; 4].into());
        let round = bench.later(passed_ms, &wants);
        assert_eq!(told(&round), Vec::from_iter(expected));
        assert!(!round.settled);
    }
}

#[test]
fn an_unreachable_edge_fails_in_time_too() {
    let mut bench = Bench::new(|edge| edge.is_unreachable = true);
    let wants = [("a", Dark, Requested), ("b", Lit, Open)];
    let round = bench.round(&wants);
    assert_eq!(told(&round), [""; 0]);
    assert_eq!(round.error.map(|error| error.kind), Some(EdgeErrorKind::Unreachable));
    assert_eq!(told(&bench.later(DARK_PROOF_MAX_MS, &wants)), ["edge-failed a"]);
}

#[test]
fn a_proof_expires_when_the_edge_cannot_be_asked() {
    let mut bench = Bench::new(dark(&["a"]));
    bench.round(&[("a", Dark, Requested)]);
    bench.set(|edge| edge.is_unreachable = true);
    let wants = [("a", Dark, Proven)];
    assert_eq!(told(&bench.later(PROOF_TTL_MS - 1, &wants)), [""; 0]);
    let round = bench.later(1, &wants);
    assert_eq!((told(&round), round.settled), (vec!["drifted a".to_owned()], false));
}

#[test]
fn a_proof_is_renewed_before_it_expires_and_not_every_round() {
    let mut bench = Bench::new(dark(&["a"]));
    let wants = [("a", Dark, Proven)];
    bench.round(&wants);
    bench.calls();
    assert!(bench.later(PROOF_RENEW_MS - 1, &wants).settled);
    assert_eq!(bench.calls(), []);
    bench.later(1, &wants);
    assert_eq!(bench.calls(), [probe(&["a"])]);
}

/// Trap: 4,000 proofs renewed in one round made a site that had become clear wait for all of them.
#[test]
fn proofs_are_renewed_a_few_at_a_time_until_they_are_late() {
    let names: Vec<String> = (0..MANY).map(|number| format!("s{number}")).collect();
    let mut bench = Bench::new(|_| ());
    let wants = |gate| names.iter().map(|name| (name.as_str(), Dark, gate)).collect::<Vec<_>>();
    bench.round(&wants(Requested));
    bench.calls();
    let probed = |bench: &Bench| {
        let calls = bench.calls();
        let probes = calls.iter().map(|call| match call {
            Call::Probe(sites) => sites.len(),
            _ => 0,
        });
        probes.sum::<usize>()
    };
    for (passed_ms, expected, is_left) in
        [(PROOF_RENEW_MS, RENEWALS_MAX, true), (1, MANY - RENEWALS_MAX, false), (1, 0, false)]
    {
        let round = bench.later(passed_ms, &wants(Proven));
        assert_eq!((probed(&bench), round.renewals_left), (expected, is_left), "{passed_ms}");
        assert!(round.settled);
    }
    bench.later(PROOF_LATE_MS, &wants(Proven));
    assert_eq!(probed(&bench), MANY, "late proofs wait for nobody");
}

#[test]
fn a_proof_from_the_future_is_no_proof() {
    let mut bench = Bench::new(dark(&["a"]));
    let wants = [("a", Dark, Proven)];
    bench.round(&wants);
    bench.set(|edge| edge.bypass.insert(key("a")));
    let round = bench.later(-3_600_000, &wants);
    assert_eq!((told(&round), round.settled), (vec!["drifted a".to_owned()], false));
}

#[test]
fn a_site_that_a_probe_sees_lit_has_drifted_whatever_the_read_back_says() {
    let mut bench = Bench::new(dark(&["a"]));
    let wants = [("a", Dark, Proven)];
    bench.round(&wants);
    bench.set(|edge| edge.bypass.insert(key("a")));
    assert_eq!(told(&bench.later(PROOF_RENEW_MS, &wants)), ["drifted a"]);
}

#[test]
fn a_proof_of_before_an_opening_does_not_settle_the_next_closing() {
    let mut bench = Bench::new(dark(&["a"]));
    bench.round(&[("a", Dark, Requested)]);
    bench.set(|edge| edge.blind.insert(key("a")));
    bench.round(&[("a", Lit, Proven)]);
    bench.set(|edge| edge.faults = [Fault::Lie; 6].into());
    let round = bench.round(&[("a", Dark, Requested)]);
    assert_eq!(bench.edge.lock().serves(&key("a")), Seen::Lit);
    assert!(!round.settled);
}

#[test]
fn time_runs_while_the_same_light_is_wanted() {
    let mut bench = Bench::new(|edge| edge.is_unreachable = true);
    bench.round(&[("a", Dark, Requested)]);
    bench.later(DARK_PROOF_MAX_MS, &[("a", Lit, Requested)]);
    assert_eq!(told(&bench.later(1_000, &[("a", Dark, Requested)])), [""; 0]);
    let mut bench = Bench::new(dark(&["a"]));
    bench.set(|edge| edge.blind.insert(key("a")));
    bench.round(&[("a", Lit, Requested)]);
    bench.round(&[("a", Dark, Requested)]);
    assert_eq!(told(&bench.later(LIT_PROOF_MAX_MS, &[("a", Lit, Requested)])), [""; 0]);
}

#[test]
fn a_foreign_dark_entry_is_neither_opened_nor_reported() {
    let mut bench = Bench::new(dark(&["a"]));
    bench.set(|edge| edge.own.clear());
    let round = bench.round(&[("a", Lit, Requested)]);
    assert_eq!((told(&round), bench.calls()), (vec![], vec![]));
    assert_eq!(told(&bench.round(&[("a", Lit, Open)])), [""; 0]);
    bench.round(&[("a", Lit, Open), ("b", Dark, Requested)]);
    assert!(bench.edge.lock().runtime.contains(&key("a")), "another site's order opened it");
}

#[test]
fn a_lit_site_that_an_old_copy_made_dark_is_opened_with_permission_only() {
    let mut bench = Bench::new(dark(&["a"]));
    bench.permits = false;
    let round = bench.round(&[("a", Lit, Open), ("b", Dark, Requested)]);
    assert_eq!(told(&round), ["proved-dark b", "drifted a"]);
    assert!(bench.edge.lock().runtime.contains(&key("a")));
    assert_eq!(told(&bench.round(&[("a", Lit, Requested)])), ["relight-stopped a"]);
}

/// Found by the simulator: a site of which the read-back told nothing and that nothing permitted to
/// open was closed by the opening of another, in the running edge first.
#[test]
fn what_the_opening_of_others_closes_is_in_the_durable_copy_before() {
    let mut bench = Bench::new(dark(&["b"]));
    bench.set(|edge| edge.is_unreadable = true);
    let wants = [want(&("a", Lit, Requested)), want(&("b", Lit, Proven))];
    let permits = |site: &GateKey| site.as_str() == "b";
    bench.edge_loop.round(&wants, bench.epoch, bench.now_ms, &permits);
    let expected = [
        apply(Stage::Durable, &["a", "b"]),
        apply(Stage::Runtime, &["a"]),
        probe(&["b"]),
        probe(&["b"]),
        apply(Stage::Durable, &["a"]),
    ];
    assert_eq!(bench.calls(), expected);
    assert_eq!(bench.edge.lock().fragile, []);
}

/// A durable copy that cannot be written closes nothing in the running edge behind its back.
#[test]
fn a_closing_that_failed_in_the_durable_copy_is_not_done_by_the_next_opening() {
    let mut bench = Bench::new(dark(&["b"]));
    bench.round(&[("b", Dark, Requested)]);
    bench.set(|edge| edge.faults = [Fault::None, Fault::None, Fault::Before, Fault::Before].into());
    bench.calls();
    let round = bench.round(&[("a", Dark, Requested), ("b", Lit, Proven)]);
    assert!(round.error.is_some());
    assert_eq!(bench.edge.lock().runtime, set(&["b", CANARY_KEY]));
    assert_eq!(bench.edge.lock().fragile, []);
}

/// Found by the simulator: an old copy had made a lit site dark, the journal was full, and as soon
/// as the read-back told nothing the closing of another opened it, the durable copy first.
#[test]
fn a_lit_site_that_was_found_dark_stays_so_while_the_read_back_tells_nothing() {
    let mut bench = Bench::new(dark(&["a"]));
    bench.permits = false;
    let wants = [("a", Lit, Open), ("b", Dark, Requested)];
    bench.round(&wants);
    bench.set(|edge| edge.is_unreadable = true);
    bench.later(PROOF_RENEW_MS, &wants);
    assert_eq!(bench.edge.lock().opened, [key(CANARY_KEY)]);
    assert_eq!(bench.edge.lock().fragile, []);
    bench.set(|edge| edge.is_unreadable = false);
    bench.set(|edge| (edge.runtime.remove(&key("a")), edge.durable.remove(&key("a"))));
    bench.later(PROOF_RENEW_MS, &wants);
    bench.set(|edge| edge.is_unreadable = true);
    bench.later(PROOF_RENEW_MS, &wants);
    assert!(!bench.edge.lock().runtime.contains(&key("a")), "seen lit again, so not held");
}

/// A proxy that is down: its file is an old one, and nobody sees what it would do.
#[test]
fn a_lit_site_that_its_durable_copy_alone_shows_dark_is_opened_by_no_other_effect() {
    let mut bench = Bench::new(dark(&["a"]));
    bench.set(|edge| edge.is_half_readable = true);
    bench.epoch = Epoch { term: 3, seq: 1 };
    bench.permits = false;
    bench.round(&[("a", Lit, Open)]);
    assert_eq!(bench.calls(), [apply(Stage::Durable, &["a"])], "by a newer term");
    bench.round(&[("a", Lit, Open), ("b", Dark, Requested)]);
    assert_eq!(bench.edge.lock().opened, [key(CANARY_KEY)], "by an order for another site");
    assert_eq!(bench.edge.lock().durable, set(&["a", "b"]));
}

#[test]
fn a_site_that_cannot_be_darkened_holds_no_other_back() {
    let mut bench = Bench::new(dark(&["b"]));
    bench.set(|edge| edge.bypass.insert(key("a")));
    let round = bench.round(&[("a", Dark, Requested), ("b", Lit, Proven), ("c", Dark, Requested)]);
    assert_eq!(told(&round), ["proved-dark c", "proved-lit b"]);
    assert!(!round.settled);
}

#[test]
fn another_process_is_told_once_and_silence_each_time() {
    let mut bench = Bench::new(dark(&["a"]));
    assert!(!bench.edge_loop.took_over());
    assert_eq!(bench.edge.lock().forgotten, 0);
    bench.set(|edge| edge.generation = 7);
    assert_eq!((bench.edge_loop.took_over(), bench.edge_loop.took_over()), (true, false));
    assert_eq!(bench.edge.lock().forgotten, 1, "the one before may hold connections");
    bench.set(|edge| edge.is_unreachable = true);
    assert_eq!((bench.edge_loop.took_over(), bench.edge_loop.took_over()), (true, true));
    assert_eq!(bench.edge.lock().forgotten, 3);
}

#[test]
fn a_relight_that_is_not_proven_in_time_stops() {
    let mut bench = Bench::new(dark(&["a"]));
    bench.set(|edge| edge.blind.insert(key("a")));
    let wants = [("a", Lit, Proven)];
    assert_eq!(told(&bench.round(&wants)), [""; 0]);
    assert_eq!(told(&bench.later(LIT_PROOF_MAX_MS - 1, &wants)), [""; 0]);
    assert_eq!(told(&bench.later(1, &wants)), ["relight-stopped a"]);
}

#[test]
fn a_relight_stops_at_once_when_nothing_permits_it_any_more() {
    let mut bench = Bench::new(dark(&["a"]));
    bench.permits = false;
    let round = bench.round(&[("a", Lit, Proven)]);
    assert_eq!(told(&round), ["relight-stopped a"]);
    assert_eq!((round.settled, bench.calls()), (false, vec![]));
}

#[test]
fn a_controller_that_is_fenced_stops_writing_and_says_what_is_exposed() {
    let mut bench = Bench::new(dark(&["b"]));
    bench.set(|edge| edge.epoch = Some(Epoch { term: 3, seq: 0 }));
    let round = bench.round(&[("a", Dark, Requested), ("b", Lit, Proven)]);
    assert_eq!(round.error.as_ref().map(|error| error.kind), Some(EdgeErrorKind::Fenced));
    assert_eq!(told(&round), ["edge-failed a"], "at once: no wait will help");
    assert_eq!(bench.calls(), [probe(&["a"])], "it is looked at as before");
    assert_eq!(bench.edge.lock().runtime, set(&["b"]));
}

#[test]
fn a_new_controller_fences_the_one_of_before_although_nothing_is_to_do() {
    let mut bench = Bench::new(dark(&["a"]));
    bench.epoch = Epoch { term: 3, seq: 0 };
    assert!(bench.round(&[("a", Dark, Proven)]).settled);
    assert_eq!(bench.edge.lock().epoch, Some(bench.epoch));
    assert_eq!(bench.edge.lock().opened, []);
    bench.calls();
    bench.round(&[("a", Dark, Proven)]);
    assert_eq!(bench.calls(), [], "once is enough");
}

#[test]
fn an_edge_that_nobody_can_read_is_not_settled() {
    let mut bench = Bench::new(|edge| edge.is_unreadable = true);
    assert!(!bench.round(&[("a", Lit, Open)]).settled);
    bench.set(|edge| edge.is_unreadable = false);
    assert!(bench.round(&[("a", Lit, Open)]).settled);
}

#[test]
fn a_fault_at_any_call_falls_to_dark_and_the_next_round_repairs_it() {
    for fault in [Fault::Before, Fault::HalfWay, Fault::After, Fault::Lie] {
        for at in 0..4 {
            let mut bench = Bench::new(dark(&["a"]));
            let faults = (0..=at).map(|n| if n == at { fault } else { Fault::None }).collect();
            bench.set(|edge| edge.faults = faults);
            let wants = [("a", Lit, Proven), ("b", Dark, Requested)];
            bench.round(&wants);
            let is_lit = bench.edge.lock().serves(&key("a")) == Seen::Lit;
            let is_lit_after_restart = !bench.edge.lock().durable.contains(&key("a"));
            assert!(is_lit || !is_lit_after_restart, "{fault:?} at {at}: only a restart lights it");
            bench.set(|edge| edge.faults.clear());
            bench.round(&wants);
            assert_eq!(bench.edge.lock().runtime, set(&["b"]), "{fault:?} at {at}");
            assert_eq!(bench.edge.lock().durable, set(&["b"]), "{fault:?} at {at}");
        }
    }
}

/// An edge that cannot keep the gate over a reload, or of which somebody only says that it can,
/// shows dark and is not proven so.
#[test]
fn an_edge_that_cannot_do_what_dark_takes_is_never_proven_dark_and_fails_in_time() {
    let forgets = Capabilities { survives_reload: false, ..Capabilities::FILE_GATE };
    let blind = Capabilities { readback: false, ..Capabilities::FILE_GATE };
    let declared = Capabilities { basis: Basis::Declared, ..Capabilities::FILE_GATE };
    for capabilities in [forgets, blind, declared] {
        let mut bench = Bench::new(|edge| edge.capabilities = Some(capabilities));
        let wants = [("a", Dark, Requested), ("b", Lit, Open)];
        assert_eq!(told(&bench.round(&wants)), [""; 0]);
        let round = bench.later(DARK_PROOF_MAX_MS, &wants);
        let [Entry::EdgeFailed { why, .. }] = &round.entries[..] else { panic!("{round:?}") };
        assert_eq!((why.as_str(), round.settled), ("capability", false));
        assert_eq!(bench.edge.lock().serves(&key("a")), Seen::Dark, "it is closed all the same");
        let reload = Some(Untried { reload: true, tunnels: false });
        bench.edge_loop.set_drilled(reload);
        let rounds = told(&bench.round(&wants));
        assert!(!rounds.contains(&"proved-dark a".to_owned()), "nobody reloaded it");
        bench.edge_loop.set_drilled(Some(Untried::default()));
        let proven = told(&bench.round(&wants)).contains(&"proved-dark a".to_owned());
        assert_eq!(proven, capabilities.basis != Basis::Measured);
    }
}

/// Each site fails for its own reason, and one certificate is nobody else's trouble.
#[test]
fn a_site_under_a_wrong_certificate_is_named_and_never_proven_dark() {
    let mut bench = Bench::new(|edge| edge.misnamed = set(&["a"]));
    bench.set(|edge| edge.bypass = set(&["b"]));
    let wants = [("a", Dark, Requested), ("b", Dark, Requested), ("c", Dark, Requested)];
    assert_eq!(told(&bench.round(&wants)), ["proved-dark c"]);
    let wants = [("a", Dark, Requested), ("b", Dark, Requested), ("c", Dark, Proven)];
    let round = bench.later(DARK_PROOF_MAX_MS - 1, &wants);
    assert_eq!(told(&round), [""; 0]);
    let round = bench.later(1, &wants);
    let whys = round.entries.iter().map(|entry| match entry {
        Entry::EdgeFailed { sites, why, .. } => format!("{} {why}", sites[0]),
        other => format!("{other:?}"),
    });
    assert_eq!(whys.collect::<Vec<_>>(), ["a certificate", "b visitors-let-in"]);
    assert!(!round.settled);
}

#[test]
fn an_edge_in_rest_is_tried_on_its_canary_once_an_hour() {
    let mut bench = Bench::new(dark(&["a"]));
    let wants = [want(&("a", Dark, Proven)), want(&("b", Lit, Open))];
    let after = |bench: &mut Bench, ms: i64| {
        bench.now_ms += ms;
        bench.edge_loop.try_canary(&wants, bench.epoch, bench.now_ms)
    };
    assert_eq!(after(&mut bench, 0), None, "the hour begins");
    assert_eq!(after(&mut bench, CANARY_EVERY_MS - 1), None);
    assert_eq!(bench.calls(), []);
    assert_eq!(after(&mut bench, 1), Some(tried("")));
    let flipped = |stage| apply(stage, &["a", CANARY_KEY]);
    let expected = [
        flipped(Stage::Durable),
        flipped(Stage::Runtime),
        probe(&[CANARY_KEY]),
        apply(Stage::Runtime, &["a"]),
        probe(&[CANARY_KEY]),
        apply(Stage::Durable, &["a"]),
    ];
    assert_eq!(bench.calls(), expected);
    assert_eq!(after(&mut bench, 1), None, "not again at once");
    assert_eq!(after(&mut bench, -2 * CANARY_EVERY_MS), Some(tried("")), "the clock was set back");
    let edge = bench.edge.lock();
    assert_eq!((&edge.durable, &edge.runtime), (&set(&["a"]), &set(&["a"])));
}

#[test]
fn a_canary_says_how_it_fails() {
    type Prepare = fn(&mut Edge);
    let wants = [want(&("a", Dark, Proven))];
    let fails = |prepare: Prepare| {
        let mut bench = Bench::new(dark(&["a"]));
        bench.edge_loop.try_canary(&wants, bench.epoch, bench.now_ms);
        bench.set(prepare);
        bench.now_ms += CANARY_EVERY_MS;
        bench.edge_loop.try_canary(&wants, bench.epoch, bench.now_ms)
    };
    // The gate holds a site dark of which this journal knows nothing.
    fn unasked(edge: &mut Edge) {
        let site = set(&["z"]);
        for copy in [&mut edge.durable, &mut edge.runtime, &mut edge.own, &mut edge.unasked] {
            copy.extend(site.iter().cloned());
        }
    }
    let hides_nothing: Prepare = |edge| {
        unasked(edge);
        edge.bypass = set(&[CANARY_KEY]);
    };
    let cases: [(Prepare, Option<Entry>); 7] = [
        (unasked, Some(tried("dark-unasked"))),
        (hides_nothing, Some(tried("dark-not-seen"))),
        (|edge| edge.bypass = set(&[CANARY_KEY]), Some(tried("dark-not-seen"))),
        (|edge| edge.blind = set(&[CANARY_KEY]), Some(tried("dark-not-seen"))),
        (
            |edge| edge.faults = [Fault::None, Fault::None, Fault::Lie].into(),
            Some(tried("lit-not-seen")),
        ),
        (|edge| edge.is_unreachable = true, Some(tried("unreachable"))),
        (|edge| edge.epoch = Some(Epoch { term: 9, seq: 0 }), None),
    ];
    for (prepare, expected) in cases {
        assert_eq!(fails(prepare), expected);
    }
}

/// What the journal is told of a canary; nothing went wrong when it is empty.
fn tried(what: &str) -> Entry {
    let (edge, passed) = ("east".to_owned(), what.is_empty());
    Entry::CanaryTried { edge, passed, what: what.to_owned() }
}

/// Goal: a site is not on its way back for ever on an edge that nobody can look at, and a later
/// opening has its whole time.
#[test]
fn an_opening_that_cannot_be_looked_at_is_stopped_in_its_time() {
    let mut bench = Bench::new(dark(&["a", "b"]));
    bench.set(|edge| edge.is_unreachable = true);
    let wants = [("a", Lit, Proven), ("b", Dark, Proven)];
    let stops = |round: &Round| told(round).iter().any(|it| it == "relight-stopped a");
    assert!(!stops(&bench.round(&wants)));
    assert!(!stops(&bench.later(LIT_PROOF_MAX_MS - 1, &wants)));
    assert!(stops(&bench.later(1, &wants)));
    bench.later(1_000, &[("a", Dark, Requested), ("b", Dark, Proven)]);
    assert!(!stops(&bench.later(1_000, &wants)));
    bench.set(|edge| edge.is_unreachable = false);
    let round = bench.later(1_000, &wants);
    assert!(told(&round).contains(&"proved-lit a".to_owned()), "{:?}", told(&round));
}
