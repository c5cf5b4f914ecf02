//! INCIDENT 8.1: a site with several names is dark only when each of them is.

use std::time::Duration;

use relight_engine::edge::{ProbeResult, ProbeTarget};
use relight_engine::incident::Gate;
use relight_engine::reconcile::{
    CANARY_KEY, DARK_PROOF_MAX_MS, EdgeLoop, Eyes, PROOF_RENEW_MS, RENEWALS_MAX, Round, Want,
};
use relight_model::{Epoch, Light, Seen};

use crate::edge::{Call, Shared, key};
use crate::loops::told;

/// An edge whose gate is not in the block of one name: that one is served whatever the gate says,
/// or answers nothing that counts.
struct Leaky(Shared, Seen);

impl Eyes for Leaky {
    fn probe(&mut self, targets: &[ProbeTarget], nonce: u64) -> Vec<ProbeResult> {
        let mut results = self.0.probe(targets, nonce);
        let others = targets.iter().zip(&mut results).filter(|(it, _)| it.host == "old.example");
        others.for_each(|(target, result)| {
            assert_eq!(target.baseline, None, "nobody asked it before the order");
            result.seen = if self.1 == Seen::Dark { result.seen } else { self.1 };
        });
        results
    }
}

fn want(light: Light, gate: Gate) -> Want {
    let target = ProbeTarget::site(key("a"), "a.example".into(), Some(2));
    Want {
        target,
        aliases: vec!["www.a.example".into(), "old.example".into()],
        light,
        gate,
        seen_dark: false,
    }
}

fn edge_loop(edge: &Shared, old: Seen) -> EdgeLoop {
    EdgeLoop::new("east", Box::new(edge.clone()), Box::new(Leaky(edge.clone(), old)), 7)
}

#[test]
fn a_site_is_dark_when_it_is_so_under_every_name() {
    for (old, late) in
        [(Seen::Dark, ""), (Seen::Lit, "edge-failed a"), (Seen::Unknown, "edge-failed a")]
    {
        let edge = Shared::default();
        let mut edge_loop = edge_loop(&edge, old);
        let mut round = |now_ms| {
            let wants = [want(Light::Dark, Gate::Requested)];
            edge_loop.round(&wants, Epoch { term: 1, seq: 1 }, now_ms, &|_| false)
        };
        let first = if late.is_empty() { vec!["proved-dark a"] } else { vec![] };
        assert_eq!(told(&round(1_000)), first, "{old:?}");
        let late = if late.is_empty() { first } else { vec![late] };
        assert_eq!(told(&round(1_000 + DARK_PROOF_MAX_MS)), late, "{old:?}");
        assert_eq!(edge.lock().serves(&key("a")), Seen::Dark, "its gate is closed all the same");
    }
}

#[test]
fn a_name_that_comes_back_alone_is_a_drift() {
    let edge = Shared::default();
    edge.lock().runtime.insert(key("a"));
    edge.lock().durable.insert(key("a"));
    edge.lock().own.insert(key("a"));
    let wants = [want(Light::Dark, Gate::Proven)];
    let round = edge_loop(&edge, Seen::Lit).round(&wants, Epoch::default(), 1_000, &|_| false);
    assert_eq!(told(&round), ["drifted a"]);
}

/// A proof is of the names that were asked: a new one is looked at in the next round, and the
/// second barrier stays closed until then.
#[test]
fn a_name_that_is_new_makes_an_older_proof_none() {
    for (old, first) in [(Seen::Lit, "drifted a"), (Seen::Unknown, "drifted a"), (Seen::Dark, "")] {
        let edge = Shared::default();
        let mut edge_loop = edge_loop(&edge, old);
        let mut round = |gate, aliases: &[&str], now_ms| {
            let aliases = aliases.iter().map(|it| (*it).to_owned()).collect();
            let wants = [Want { aliases, ..want(Light::Dark, gate) }];
            edge_loop.round(&wants, Epoch { term: 1, seq: 1 }, now_ms, &|_| false)
        };
        let before = ["www.a.example"];
        assert_eq!(told(&round(Gate::Requested, &before, 1_000)), ["proved-dark a"]);
        let now = round(Gate::Proven, &["old.example", "www.a.example"], 1_100);
        let first: &[&str] = if first.is_empty() { &[] } else { &[first] };
        assert_eq!(told(&now), first, "{old:?}");
        assert_eq!(now.settled, first.is_empty(), "{old:?}");
        // Without that name it is proven again, over those that are left.
        assert!(round(Gate::Proven, &before, 1_200).settled, "{old:?}");
    }
}

#[test]
fn a_second_barrier_is_not_opened_for_a_name_that_nobody_asked() {
    let (edge, behind) = (Shared::default(), Shared::default());
    let mut edge_loop = edge_loop(&edge, Seen::Lit);
    edge_loop
        .set_barrier("north", Box::new(behind.clone()), Default::default(), Duration::from_secs(20))
        .unwrap();
    let wants = |gate, names: &[&str]| {
        let aliases = names.iter().map(|it| (*it).to_owned()).collect();
        [Want { aliases, ..want(Light::Dark, gate) }]
    };
    let epoch = Epoch { term: 1, seq: 1 };
    let before = wants(Gate::Requested, &[]);
    assert_eq!(told(&edge_loop.round(&before, epoch, 1_000, &|_| false)), ["proved-dark a"]);
    let named = wants(Gate::Failed, &["old.example"]);
    edge_loop.tend_barrier(&named, epoch, 1_100, &|_| false, &Round::default());
    assert_eq!(behind.lock().serves(&key("a")), Seen::Dark);
    let unnamed = wants(Gate::Failed, &[]);
    edge_loop.tend_barrier(&unnamed, epoch, 1_200, &|_| false, &Round::default());
    assert_eq!(behind.lock().serves(&key("a")), Seen::Lit, "proven under every name that it has");
}

/// Five dark sites of forty names each.
fn forty(gate: Gate) -> Vec<Want> {
    let site = |site: &str| {
        let aliases = (1..40).map(|n| format!("n{n}.{site}.example")).collect();
        let host = format!("{site}.example");
        let target = ProbeTarget::site(key(site), host, None);
        Want { target, aliases, light: Light::Dark, gate, seen_dark: false }
    };
    ["a", "b", "c", "d", "e"].map(site).into()
}

/// A renewal costs a request for each name; and a site that is not renewed, as nobody can tell what
/// it shows, keeps no other from its turn.
#[test]
fn renewals_are_counted_by_name_and_each_site_has_its_turn() {
    let edge = Shared::default();
    let mut edge_loop = edge_loop(&edge, Seen::Dark);
    let mut round = |gate, now_ms| {
        edge.lock().calls.clear();
        let round = edge_loop.round(&forty(gate), Epoch::default(), now_ms, &|_| false);
        let calls = std::mem::take(&mut edge.lock().calls);
        let probed = calls.into_iter().find_map(|call| match call {
            Call::Probe(keys) if keys[0] != CANARY_KEY => Some(keys),
            _ => None,
        });
        let mut sites = probed.clone().unwrap_or_default();
        sites.dedup();
        (probed.map_or(0, |it| it.len()), sites.join(" "), round.renewals_left)
    };
    assert_eq!(round(Gate::Requested, 1_000), (200, "a b c d e".to_owned(), false), "no renewals");
    edge.lock().blind.insert(key("a"));
    const { assert!(RENEWALS_MAX == 100, "two sites of forty names") };
    for (ms, sites, is_left) in
        [(0, "a b", true), (50, "c d", true), (100, "e a", false), (150, "a", false)]
    {
        let expected = (20 * (sites.len() + 1), sites.to_owned(), is_left);
        assert_eq!(round(Gate::Proven, 1_000 + PROOF_RENEW_MS + ms), expected, "{ms}");
    }
}

/// What another name answered before nobody knows; all that it can say is that it is still dark.
#[test]
fn a_site_is_relit_unless_one_of_its_names_is_still_dark() {
    for (old, expected) in [(Seen::Lit, "proved-lit a"), (Seen::Unknown, "proved-lit a")] {
        let edge = Shared::default();
        let wants = [want(Light::Lit, Gate::Requested)];
        let round = edge_loop(&edge, old).round(&wants, Epoch::default(), 1_000, &|_| true);
        assert_eq!(told(&round), [expected], "{old:?}");
    }
    struct Stuck(Shared);
    impl Eyes for Stuck {
        fn probe(&mut self, targets: &[ProbeTarget], nonce: u64) -> Vec<ProbeResult> {
            let mut results = self.0.probe(targets, nonce);
            results.last_mut().into_iter().for_each(|it| it.seen = Seen::Dark);
            results
        }
    }
    let edge = Shared::default();
    let mut stuck = EdgeLoop::new("east", Box::new(edge.clone()), Box::new(Stuck(edge)), 7);
    let wants = [want(Light::Lit, Gate::Requested)];
    let round = stuck.round(&wants, Epoch::default(), 1_000, &|_| true);
    assert_eq!(told(&round), Vec::<String>::new());
    assert!(!round.settled);
}
