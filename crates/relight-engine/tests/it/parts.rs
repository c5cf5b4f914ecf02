//! Parts of sites on the loop of one edge: closed, proven, opened, and never taken for dark sites.

use relight_engine::drive::for_incidents;
use relight_engine::edge::{Look, ProbeTarget, Stage};
use relight_engine::incident::{Entry, Ledger, PartName, PartSeen};
use relight_engine::reconcile::{
    BARRIER_WAIT_MAX, CANARY_KEY, DARK_PROOF_MAX_MS, LIT_PROOF_MAX_MS, Round, TUNNEL_GRACE_MS,
    Want, wants,
};
use relight_model::{Digest, GateKey, Light, SitePart};

use crate::edge::{Call, Fault, Shared, key, set};
use crate::loops::{Bench, apply, probe, told};
use crate::sim::site;

fn name(text: &str) -> PartName {
    PartName { site: key("a"), part: SitePart::parse(text).unwrap() }
}

/// One edge, one site, and the journal of one incident about it.
struct Desk {
    bench: Bench,
    ledger: Ledger,
}

impl Desk {
    fn new(bench: Bench) -> Self {
        let mut desk = Self { bench, ledger: Ledger::new(1) };
        desk.say(&Entry::Opened {
            question: "CVE-1".into(),
            title: "flaw".into(),
            revision: Digest([2; 32]),
            statements: Digest::default(),
            policy: "test".into(),
        });
        desk
    }

    fn say(&mut self, entry: &Entry) {
        self.ledger.apply("CVE-1", entry, 1_000).unwrap();
    }

    fn close(&mut self, parts: &[&str]) {
        let parts = parts.iter().map(|text| name(text)).collect();
        self.say(&Entry::PartsClosed { plan: Digest::default(), parts, reason: "test".into() });
    }

    fn wants(&self) -> Vec<Want> {
        let site = site("a", "east");
        wants(&self.ledger, "east", |_| Some(&site))
    }

    /// A round, and what the journal is told of it.
    fn round(&mut self) -> (Round, Vec<Entry>) {
        let wants = self.wants();
        let Bench { edge_loop, epoch, now_ms, permits, .. } = &mut self.bench;
        let permits = *permits;
        let round = edge_loop.round(&wants, *epoch, *now_ms, &|_: &GateKey| permits);
        let entries: Vec<Entry> =
            for_incidents(&self.ledger, &round).into_iter().map(|(_, entry)| entry).collect();
        for entry in &entries {
            self.say(entry);
        }
        (round, entries)
    }

    fn later(&mut self, ms: i64) -> (Round, Vec<Entry>) {
        self.bench.now_ms += ms;
        self.round()
    }

    fn state(&self, part: &str) -> &'static str {
        let incident = self.ledger.incident("CVE-1").unwrap();
        incident.part(&key(part)).map_or("none", |part| part.state())
    }

    /// Lets the part open: what evidence says is for the tests of the fold.
    fn open(&mut self, part: &str) {
        let acceptance = relight_engine::incident::Acceptance {
            proposer: "anna".into(),
            approver: "zoe".into(),
            reason: "test".into(),
            expires: 2_000,
        };
        let ground = relight_engine::incident::Ground::Acceptance(acceptance);
        self.say(&Entry::Exempted { site: key("a"), ground, witness: None });
        self.say(&Entry::PartsOpened { parts: vec![name(part)] });
    }
}

fn seen(entries: &[Entry]) -> Vec<PartSeen> {
    let seen = |entry: &Entry| {
        assert_eq!(entry.kind(), "parts-seen", "{entry:?} is about a whole site");
        if let Entry::PartsSeen { seen, .. } = entry { Some(*seen) } else { None }
    };
    entries.iter().filter_map(seen).collect()
}

#[test]
fn a_part_is_closed_durable_first_and_its_site_is_neither_touched_nor_proven() {
    let mut desk = Desk::new(Bench::new(|_| ()));
    desk.close(&["booking=/booking"]);
    let (round, entries) = desk.round();
    let expected = [
        apply(Stage::Durable, &[CANARY_KEY]),
        apply(Stage::Runtime, &[CANARY_KEY]),
        probe(&[CANARY_KEY]),
        apply(Stage::Durable, &["a.booking"]),
        apply(Stage::Runtime, &["a.booking"]),
        probe(&["a.booking"]),
    ];
    assert_eq!(desk.bench.calls(), expected);
    assert_eq!((seen(&entries), round.settled), (vec![PartSeen::Closed], true));
    assert_eq!(desk.state("a.booking"), "closed");
    assert_eq!(desk.ledger.wants(&key("a")), Light::Lit);
    assert!(!desk.ledger.display(&key("a")).1, "not dark");
    assert!(!desk.bench.edge.lock().touched.contains(&key("a")));
}

#[test]
fn an_edge_that_says_yes_and_does_nothing_has_not_closed_it() {
    let mut desk = Desk::new(Bench::new(|edge| edge.bypass = set(&["a.booking"])));
    desk.close(&["booking=/booking"]);
    assert_eq!(seen(&desk.round().1), []);
    let (_, entries) = desk.later(DARK_PROOF_MAX_MS);
    assert_eq!(seen(&entries), [PartSeen::Failed]);
    assert_eq!(desk.state("a.booking"), "not-closed");
    desk.bench.set(|edge| edge.bypass.clear());
    assert_eq!(seen(&desk.later(1_000).1), [PartSeen::Closed]);
    let lies = |edge: &mut crate::edge::Edge| edge.faults = vec![Fault::Lie; 8].into();
    let mut desk = Desk::new(Bench::new(lies));
    desk.close(&["booking=/booking"]);
    assert_eq!(seen(&desk.round().1), [], "the read-back says otherwise");
}

/// Whoever looks from inside cannot see the gate of the internet: nobody is asked.
#[test]
fn the_gate_of_an_audience_is_read_back_and_not_asked_for() {
    let mut desk = Desk::new(Bench::new(|_| ()));
    desk.close(&["@internet", "@write"]);
    let (_, entries) = desk.round();
    assert_eq!(seen(&entries), [PartSeen::Closed]);
    assert_eq!([desk.state("a@internet"), desk.state("a@write")], ["read-back", "closed"]);
    let probed: Vec<Call> =
        desk.bench.calls().into_iter().filter(|call| matches!(call, Call::Probe(_))).collect();
    assert_eq!(probed, [probe(&[CANARY_KEY]), probe(&["a@write"])]);
}

/// Connections to the rest of the site are nobody's business.
#[test]
fn no_connection_is_counted_or_cut_for_a_part() {
    let mut desk = Desk::new(Bench::new(|edge| {
        edge.has_tunnels = true;
        edge.tunnels = [(key("a"), 3), (key("a.booking"), 2)].into();
    }));
    desk.close(&["booking=/booking"]);
    assert_eq!(seen(&desk.round().1), [PartSeen::Closed]);
    desk.later(TUNNEL_GRACE_MS);
    assert!(!desk.bench.calls().iter().any(|call| matches!(call, Call::Cut(_))));
}

#[test]
fn a_part_that_somebody_opened_is_lost_and_closed_again() {
    let mut desk = Desk::new(Bench::new(|_| ()));
    desk.close(&["booking=/booking"]);
    desk.round();
    desk.bench.set(|edge| edge.runtime.clear());
    let (_, entries) = desk.later(100);
    assert_eq!(seen(&entries), [PartSeen::Lost, PartSeen::Closed]);
    assert_eq!(desk.state("a.booking"), "closed");
}

#[test]
fn a_part_opens_runtime_first_is_seen_twice_and_goes_back_when_it_is_not() {
    let mut desk = Desk::new(Bench::new(|_| ()));
    desk.close(&["booking=/booking"]);
    desk.round();
    desk.open("booking=/booking");
    desk.bench.calls();
    let (round, entries) = desk.later(100);
    let expected = [
        apply(Stage::Runtime, &[]),
        probe(&["a.booking"]),
        probe(&["a.booking"]),
        apply(Stage::Durable, &[]),
    ];
    assert_eq!(desk.bench.calls(), expected);
    assert_eq!((seen(&entries), round.settled), (vec![PartSeen::Open], true));

    let mut desk = Desk::new(Bench::new(|_| ()));
    desk.close(&["booking=/booking"]);
    desk.round();
    desk.open("booking=/booking");
    desk.bench.set(|edge| edge.blind = set(&["a.booking"]));
    assert_eq!(seen(&desk.later(100).1), []);
    desk.bench.set(|edge| edge.blind.clear());
    desk.bench.permits = false;
    let (_, entries) = desk.later(LIT_PROOF_MAX_MS);
    assert_eq!(seen(&entries), [PartSeen::Stopped]);
    assert_eq!(seen(&desk.later(100).1), [PartSeen::Closed]);
}

/// The site and its part side by side: each keeps its own gate, and its own proof.
#[test]
fn a_dark_site_keeps_its_closed_part_and_each_is_told_for_itself() {
    let mut desk = Desk::new(Bench::new(|_| ()));
    desk.close(&["booking=/booking"]);
    let sites = vec![key("a")];
    desk.say(&Entry::DarkOrdered { plan: Digest::default(), sites, reason: "test".into() });
    let (round, entries) = desk.round();
    assert_eq!(told(&round), ["proved-dark a a.booking"]);
    let kinds: Vec<&str> = entries.iter().map(Entry::kind).collect();
    assert_eq!(kinds, ["parts-seen", "proved"]);
    assert_eq!((entries[0].parts(), entries[1].sites()), (vec![key("a.booking")], vec![key("a")]));
    assert!(desk.ledger.display(&key("a")).1);
}

/// A barrier closes whole sites behind an edge: for a part it would close too much.
#[test]
fn a_second_barrier_is_never_told_of_a_part() {
    let mut bench = Bench::new(|edge| edge.bypass = set(&["a.booking"]));
    let barrier = Shared::default();
    bench
        .edge_loop
        .set_barrier("wall", Box::new(barrier.clone()), set(&[]), BARRIER_WAIT_MAX)
        .unwrap();
    let look = Look::Part { site: key("a"), part: SitePart::Write };
    let target =
        ProbeTarget { look, ..ProbeTarget::site(key("a@write"), "a.example".into(), None) };
    let gate = relight_engine::incident::Gate::Failed;
    let part = [Want { target, aliases: Vec::new(), light: Light::Dark, gate, seen_dark: false }];
    let never = |_: &GateKey| false;
    let told = bench.edge_loop.tend_barrier(&part, bench.epoch, 1, &never, &Round::default());
    assert_eq!(told, None);
    assert!(!bench.edge_loop.barrier_owes(&part, 1, &never));
    assert!(barrier.lock().durable.is_empty() && barrier.lock().touched.is_empty());
}
