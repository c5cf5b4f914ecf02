//! INCIDENT 2.2: each invariant has a test of its name. The simulator tries them all at once and
//! at random; these say what each of them means.

use std::sync::Arc;
use std::time::{Duration, Instant};

use relight_engine::access::{Role, Scope};
use relight_engine::drive::{Drive, for_incidents};
use relight_engine::edge::EdgeErrorKind;
use relight_engine::incident::{
    Acceptance, Counters, Entry, Evidence, EvidenceKind, Gate, Ledger, Phase,
};
use relight_engine::plan::{Action, Plan};
use relight_engine::policy::{Person, Policy, Refusal};
use relight_engine::reconcile::{DARK_PROOF_MAX_MS, EdgeLoop, Want, wants};
use relight_engine::store::{JournalRecord, SiteRow, Store, Verified, verify_chain};
use relight_engine::waves::{Next, Waves};
use relight_engine::{Engine, Smashing, edges};
use relight_model::{
    Criticality, Digest, Epoch, GateKey, Light, Seen, Site, UnknownReason, Verdict,
};

use crate::acts::{self, chief, person, plan, refusal, table};
use crate::edge::{Call, Fault, Shared, key};
use crate::engine::{LOG4SHELL, Town, log4j, name, open, row};
use crate::sim::site;

/// How long somebody may take to close a gate.
const WAIT_MAX: Duration = Duration::from_secs(60);

const ID: &str = "i";
const EPOCH: Epoch = Epoch { term: 1, seq: 1 };

fn evidence(artifact: u8, revision: u8, verdict: Verdict) -> Evidence {
    Evidence {
        site: key("a"),
        artifact_set: Some(Digest([artifact; 32])),
        advisory: ID.into(),
        advisory_revision: Digest([revision; 32]),
        statements_digest: Digest::default(),
        matcher_revision: 1,
        scanner: "test".into(),
        verdict,
        reasons: match verdict {
            Verdict::Unknown => vec![UnknownReason::PartialCorrupt],
            _ => Vec::new(),
        },
        found: Vec::new(),
        components: Vec::new(),
        inventories: Vec::new(),
        kind: EvidenceKind::Scan,
        made_at: 0,
        expires_at: 1_000_000,
    }
}

/// One site on one fake edge, and the loop between them.
struct One {
    ledger: Ledger,
    edge: Shared,
    edge_loop: EdgeLoop,
    site: Site,
    now_ms: i64,
}

impl One {
    fn new() -> Self {
        let edge = Shared::default();
        let edge_loop = EdgeLoop::new("east", Box::new(edge.clone()), Box::new(edge.clone()), 7);
        let mut ledger = Ledger::new(1);
        let opened = Entry::Opened {
            question: ID.into(),
            title: "t".into(),
            revision: Digest([1; 32]),
            statements: Digest::default(),
            policy: "p".into(),
        };
        ledger.apply(ID, &opened, 0).unwrap();
        Self { ledger, edge, edge_loop, site: site("a", "east"), now_ms: 1_000 }
    }

    fn tell(&mut self, entry: &Entry) {
        self.ledger.apply(ID, entry, self.now_ms / 1_000).unwrap();
    }

    fn dark(&mut self) {
        let sites = vec![key("a")];
        self.tell(&Entry::DarkOrdered { plan: Digest::default(), sites, reason: "r".into() });
    }

    fn attach(&mut self, artifact: u8, revision: u8, verdict: Verdict) {
        self.tell(&Entry::EvidenceAttached { evidence: evidence(artifact, revision, verdict) });
    }

    fn start(&mut self, artifact: u8, revision: u8) {
        let evidence = evidence(artifact, revision, Verdict::Clear).id().unwrap();
        self.tell(&Entry::RelightStarted { site: key("a"), evidence });
    }

    fn wants(&self) -> Vec<Want> {
        wants(&self.ledger, "east", |_| Some(&self.site))
    }

    fn round(&mut self, epoch: Epoch) -> Option<EdgeErrorKind> {
        let wants = self.wants();
        let (ledger, now) = (&self.ledger, self.now_ms / 1_000);
        let permits = |site: &GateKey| ledger.permits(site, now);
        let round = self.edge_loop.round(&wants, epoch, self.now_ms, &permits);
        for (id, entry) in for_incidents(&self.ledger, &round) {
            self.ledger.apply(&id, &entry, now).unwrap();
        }
        self.now_ms += 100;
        round.error.map(|error| error.kind)
    }

    fn rounds(&mut self, count: usize) {
        for _ in 0..count {
            self.round(EPOCH);
        }
    }

    fn phase(&self) -> Phase {
        self.ledger.incident(ID).unwrap().case(&key("a")).unwrap().phase
    }

    fn gate(&self) -> Gate {
        self.ledger.incident(ID).unwrap().case(&key("a")).unwrap().gate
    }

    fn is_dark(&self) -> bool {
        let edge = self.edge.lock();
        edge.runtime.contains(&key("a")) && edge.durable.contains(&key("a"))
    }

    fn exposed(&self) -> usize {
        Counters::of_all(&self.ledger, &[key("a")], self.now_ms / 1_000).exposed
    }
}

/// Revised after the order to open, before the effect: the effect asks again.
#[test]
fn i1_a_gate_opens_only_under_current_clear_evidence_or_an_acceptance() {
    let mut one = One::new();
    one.dark();
    one.rounds(2);
    one.attach(1, 1, Verdict::Clear);
    one.start(1, 1);
    one.tell(&Entry::Revised { revision: Digest([2; 32]), statements: Digest::default() });
    one.rounds(3);
    assert!(one.is_dark(), "the revision died between decision and effect");
    one.attach(1, 2, Verdict::Clear);
    if one.phase() == Phase::RelightEligible {
        one.start(1, 2);
    }
    one.rounds(3);
    assert_eq!((one.phase(), one.is_dark()), (Phase::RelitProven, false));

    let mut signed = One::new();
    signed.dark();
    signed.rounds(2);
    signed.attach(1, 1, Verdict::Unknown);
    let acceptance = Acceptance {
        proposer: "Anna".into(),
        approver: "Zoe".into(),
        reason: "r".into(),
        expires: 500,
    };
    let ground = acceptance.id().unwrap();
    let (site, weighed) = (key("a"), true);
    signed.tell(&Entry::AcceptanceSigned { site, acceptance, witness: None, weighed });
    signed.tell(&Entry::RelightStarted { site: key("a"), evidence: ground });
    signed.rounds(3);
    assert!(!signed.is_dark());
}

/// Goal: what the journal does not hold is done at no edge. Method: another controller has the
/// journal, so that an order of this one is not written, and the loop of the edge runs; then the
/// other one orders, and what is on the disk is read by somebody else.
#[test]
fn i2_intent_is_journalled_and_synced_before_any_effect() {
    let town = Town::new(1);
    town.incident(LOG4SHELL);
    let sites = town.engine.sites();
    let has_effect = |engine: &Engine| {
        let edge = Shared::default();
        let eyes = Box::new(edge.clone());
        let mut edge_loop = EdgeLoop::new("east", Box::new(edge.clone()), eyes, 7);
        let site_of = |key: &GateKey| sites.iter().find(|site| site.slug == *key);
        let wants = engine.with_ledger(|ledger| wants(ledger, "east", site_of));
        edge_loop.round(&wants, EPOCH, 1_000, &|_: &GateKey| true);
        edge.lock().durable.contains(&key(&name(0)))
    };
    let is_on_disk = || {
        let journal = Store::open(town.folder.path()).unwrap().journal(1).unwrap();
        journal.iter().any(|record| record.kind == "dark-ordered")
    };
    let newer = open(town.engine.store(), "second").unwrap();
    let order = |engine: &Engine| {
        let (plan, sites, reason) = (Digest::default(), vec![key(&name(0))], "r".to_owned());
        engine.record("A. Tremblay", LOG4SHELL, Entry::DarkOrdered { plan, sites, reason })
    };
    assert!(order(&town.engine).is_err(), "its journal is another one's");
    assert_eq!((is_on_disk(), has_effect(&town.engine)), (false, false));
    order(&newer).unwrap();
    assert_eq!((is_on_disk(), has_effect(&newer)), (true, true));
}

#[test]
fn i3_close_is_durable_runtime_proof_and_open_is_runtime_proof_durable() {
    let mut one = One::new();
    one.dark();
    one.round(EPOCH);
    let calls = std::mem::take(&mut one.edge.lock().calls);
    let order: Vec<String> = calls.iter().filter_map(|call| shape(call, "a")).collect();
    assert_eq!(order, ["durable", "runtime", "probe"]);
    one.rounds(1);
    one.attach(1, 1, Verdict::Clear);
    one.start(1, 1);
    one.edge.lock().calls.clear();
    one.round(EPOCH);
    let calls = std::mem::take(&mut one.edge.lock().calls);
    let order: Vec<String> = calls.iter().filter_map(|call| shape(call, "a")).collect();
    assert_eq!(order.first().map(String::as_str), Some("probe"), "{calls:?}");
    let stages: Vec<&Call> = calls.iter().filter(|it| matches!(it, Call::Apply(..))).collect();
    assert!(format!("{:?}", stages[0]).contains("Runtime"), "{stages:?}");
    assert!(format!("{:?}", stages.last().unwrap()).contains("Durable"), "{stages:?}");
}

/// Calls that name the site: a copy that holds it dark, or a look at it.
fn shape(call: &Call, site: &str) -> Option<String> {
    match call {
        Call::Apply(stage, keys) if keys.iter().any(|it| it == site) => {
            Some(format!("{stage:?}").to_lowercase())
        }
        Call::Probe(keys) if keys.iter().any(|it| it == site) => Some("probe".into()),
        _ => None,
    }
}

#[test]
fn i4_an_older_epoch_never_overwrites_a_newer_one_and_twice_is_once() {
    let mut one = One::new();
    one.dark();
    one.rounds(2);
    let before = one.edge.lock().runtime.clone();
    one.rounds(3);
    assert_eq!(one.edge.lock().runtime, before, "twice is once");
    one.edge.lock().epoch = Some(Epoch { term: 2, seq: 0 });
    assert!(one.edge.lock().runtime.remove(&key("a")));
    assert_eq!(one.round(EPOCH), Some(EdgeErrorKind::Fenced));
    assert!(!one.edge.lock().runtime.contains(&key("a")), "the older one did not write");
}

#[test]
fn i5_unknown_is_not_clear() {
    let mut one = One::new();
    one.dark();
    one.rounds(2);
    one.attach(1, 1, Verdict::Unknown);
    assert_eq!(one.phase(), Phase::Unknown);
    let evidence = evidence(1, 1, Verdict::Unknown).id().unwrap();
    let start = Entry::RelightStarted { site: key("a"), evidence };
    assert!(one.ledger.apply(ID, &start, 1).is_err());
    one.rounds(3);
    assert!(one.is_dark());
}

#[test]
fn i6_an_unreachable_edge_is_not_dark_it_is_exposed() {
    let mut one = One::new();
    one.edge.lock().is_unreachable = true;
    one.dark();
    let rounds = usize::try_from(DARK_PROOF_MAX_MS / 100).unwrap() + 2;
    one.rounds(rounds);
    assert_eq!((one.phase(), one.gate()), (Phase::Failed, Gate::Failed));
    assert_eq!(one.exposed(), 1);
    one.edge.lock().is_unreachable = false;
    one.rounds(2);
    assert_eq!((one.phase(), one.exposed()), (Phase::DarkProven, 0));
}

/// An edge that says yes and does nothing is read back, and the site is never called dark.
#[test]
fn i6_an_edge_that_says_yes_and_does_nothing_is_exposed() {
    let mut one = One::new();
    one.dark();
    for _ in 0..60 {
        one.edge.lock().faults = [Fault::Lie; 6].into();
        one.round(EPOCH);
        assert_ne!(one.phase(), Phase::DarkProven);
    }
    assert_eq!((one.phase(), one.exposed()), (Phase::Failed, 1));
}

#[test]
fn i7_each_site_is_in_exactly_one_state_and_the_counters_sum() {
    let mut one = One::new();
    let second = Entry::Opened {
        question: "j".into(),
        title: "t".into(),
        revision: Digest([1; 32]),
        statements: Digest::default(),
        policy: "p".into(),
    };
    one.ledger.apply("j", &second, 0).unwrap();
    let sites: Vec<GateKey> = ["a", "b", "c"].map(key).into();
    let sum = |ledger: &Ledger| {
        let counters = Counters::of_all(ledger, &sites, 1);
        let [phases, states] =
            [counters.phases.values().sum::<usize>(), counters.states.values().sum::<usize>()];
        assert_eq!((phases, states), (3, 3));
        counters
    };
    sum(&one.ledger);
    one.dark();
    let order = Entry::DarkOrdered {
        plan: Digest::default(),
        sites: vec![key("a"), key("b")],
        reason: "r".into(),
    };
    one.ledger.apply("j", &order, 1).unwrap();
    one.attach(1, 1, Verdict::Affected);
    let counters = sum(&one.ledger);
    assert_eq!(counters.phase(Phase::DarkRequested), 2, "once, by the phase furthest from lit");
    assert_eq!(counters.phase(Phase::Affected), 0);
}

/// The canary is the most critical site, wherever it stands in the plan.
#[test]
fn i8_relight_goes_by_waves_canary_first_and_stops_on_errors() {
    let rows = (0..300).map(|number| {
        let criticality = if number == 299 { Criticality::Vital } else { Criticality::Essential };
        SiteRow { criticality, ..row(number, &name(number)) }
    });
    let town = Town::of(tempfile::tempdir().unwrap(), &rows.collect::<Vec<_>>());
    town.incident(LOG4SHELL);
    let all: Vec<usize> = (0..300).collect();
    let plan = town.plan(Action::Dark, &all);
    let mut waves = Waves::new(&plan.sites);
    assert_eq!(waves.sizes(), [1, 14, 60, 225]);
    assert_eq!(waves.step(), Next::Wave(vec![key(&name(299))]));
    waves.tell(1, 1);
    let Next::Stopped(left) = waves.step() else { panic!("the canary failed") };
    assert_eq!(left.len(), 299);
}

/// Goal: nobody agrees with himself, and a signature is one under exactly what was shown. Method:
/// an acceptance of one person under two spellings; and two plans, one of which is approved by who
/// proposed it, and under the hash of the other.
#[test]
fn i9_the_approver_is_not_the_proposer_and_an_approval_covers_a_hash() {
    let mut one = One::new();
    one.dark();
    one.attach(1, 1, Verdict::Unknown);
    let acceptance = Acceptance {
        proposer: "Anna".into(),
        approver: "anna".into(),
        reason: "r".into(),
        expires: 500,
    };
    let site = key("a");
    let signed = Entry::AcceptanceSigned { site, acceptance, witness: None, weighed: true };
    assert!(one.ledger.apply(ID, &signed, 1).is_err());
    let town = acts::town(7);
    let (anna, zoe) = (chief("anna"), person("zoe", Role::Approver, &Scope::root()));
    let [first, second] =
        [0..6, 1..7].map(|all| plan(&town, &anna, Action::Dark, &all.collect::<Vec<_>>()));
    let [number, _] =
        [&first, &second].map(|plan| town.engine.propose(&table(), &anna, plan).unwrap().number);
    let approve = |who: &Person, plan: &Plan| {
        town.engine.approve(&table(), who, number, plan.hash().unwrap(), None)
    };
    assert_eq!(refusal(approve(&anna, &first)), Refusal::Proposer);
    assert_eq!(refusal(approve(&zoe, &second)), Refusal::OtherHash);
    assert_eq!(town.phase(LOG4SHELL, 1), None, "nobody agreed to either");
    assert!(approve(&zoe, &first).unwrap().started);
    let wants = [0, 6].map(|site| town.ledger().wants(&key(&name(site))));
    assert_eq!(wants, [Light::Dark, Light::Lit]);
}

/// Goal: whoever has an export and a head that was kept elsewhere sees each change, without us.
/// Method: a record is changed, one in the middle is left out, and the end is.
#[test]
fn i10_the_journal_is_a_chain_that_is_verified_offline() {
    let town = Town::new(2);
    town.incident(LOG4SHELL);
    town.darken(&[0, 1]);
    let records = town.engine.store().journal(1).unwrap();
    let (entries, head) = town.engine.store().journal_head().unwrap();
    let kept = Verified { entries, head };
    let changed = |change: &dyn Fn(&mut Vec<JournalRecord>)| {
        let mut export = records.clone();
        change(&mut export);
        verify_chain(export).map_err(|fault| fault.seq)
    };
    assert_eq!(changed(&|_| ()), Ok(kept));
    let body = |it: &mut JournalRecord| it.body = it.body.replace("site-0000", "site-0009");
    assert_eq!(changed(&|export| body(&mut export[1])), Err(2));
    assert_eq!(changed(&|export| drop(export.remove(0))), Err(1));
    let cut = changed(&|export| drop(export.pop())).unwrap();
    assert_ne!(cut, kept, "only the head tells");
}

#[test]
fn i11_dark_never_needs_more_people_than_a_manual_relight() {
    let town = Town::new(260);
    town.incident(LOG4SHELL);
    let table = Policy::signed(Digest::default(), 5, 200);
    for count in [1, 5, 6, 200, 201, 260] {
        let sites: Vec<usize> = (0..count).collect();
        let dark = town.plan(Action::Dark, &sites);
        let mut on = dark.clone();
        on.action = Action::Relight;
        let seats = |plan: &Plan| table.seats(plan, count <= 5).len();
        assert!(seats(&dark) <= seats(&on), "{count}");
    }
    town.ingest(0, log4j("2.17.1"));
    let mut on = town.plan(Action::Dark, &[0]);
    on.action = Action::Relight;
    let smash = |plan: &Plan| {
        let one = town.engine.operator("A. Tremblay").unwrap();
        let smashing = Smashing { hash: plan.hash().unwrap(), reason: "r", proof: None };
        town.engine.smash_glass(&table, &one, plan, smashing)
    };
    assert!(smash(&on).is_err(), "there is no such relight");
    let dark = town.plan(Action::Dark, &[0]);
    smash(&dark).unwrap();
    let told = town.journal();
    let glass = told.iter().position(|kind| kind == "break-glass").unwrap();
    assert_eq!(told[glass + 1], "dark-ordered");
}

/// Goal: whatever ends relight opens nothing. Method: a real gate, which its threads closed, and
/// somebody else reads once they and the engine are gone.
#[test]
fn i12_the_death_of_relight_leaves_every_gate_as_it_is() {
    let town = Town::new(2);
    town.incident(LOG4SHELL);
    town.darken(&[0]);
    let rows = town.engine.store().edges().unwrap();
    let target = edges::from_row(&rows[0]).unwrap();
    let keys = [0, 1].map(|site| key(&name(site)));
    let mut other = relight_engine::edge::open(&target).unwrap();
    let mut seen = || {
        let views = other.observe(&keys).unwrap();
        views.iter().map(|view| (view.durable, view.runtime)).collect::<Vec<_>>()
    };
    let expected = [(Seen::Dark, Seen::Dark), (Seen::Lit, Seen::Lit)];
    let (engine, until) = (Arc::new(town.engine), Instant::now() + WAIT_MAX);
    let drive = Drive::edges_alone(&engine).unwrap();
    while seen() != expected && Instant::now() < until {
        engine.wait_changed(engine.version(), Duration::from_millis(20));
    }
    assert_eq!(seen(), expected);
    drop((drive, engine));
    assert_eq!(seen(), expected);
}
