//! An edge whose loop hangs, and one whose loop panics.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::thread;

use relight_edge::{ProbeResult, ProbeTarget, Target};
use relight_match::MATCHER_REVISION;
use relight_model::{Criticality, Digest, Epoch, Seen, Verdict};
use relight_store::{SiteRow, Store};

use super::*;
use crate::EngineOptions;
use crate::drive::loops::Loops;
use crate::drive::pressed::Pressed;
use crate::drive::{Rest, drive_edge, take_turn};
use crate::edges;
use crate::incident::{Evidence, EvidenceKind, Phase, UNSEEN_MAX};
use crate::reconcile::{BARRIER, EdgeLoop, Eyes};

/// Longest wait for something that is about to happen.
const WAIT_MAX: Duration = Duration::from_secs(60);

pub(in crate::drive) const INCIDENT: &str = "CVE-2099-1";

/// A site of the edge `east`.
pub(in crate::drive) fn row(slug: &str) -> SiteRow {
    SiteRow {
        line: 1,
        slug: GateKey::new(slug).unwrap(),
        name_fr: slug.to_uppercase(),
        name_en: slug.to_uppercase(),
        origin: format!("https://{slug}.example"),
        organisation: "Body".to_owned(),
        sector: "health".to_owned(),
        criticality: Criticality::Important,
        exposure: None,
        aliases: None,
        parts: None,
        channel_fr: None,
        channel_en: None,
        edge: "east".to_owned(),
        public: true,
    }
}

/// A register with one site on a gate in its folder, ordered dark.
pub(in crate::drive) fn dark_site(folder: &std::path::Path) -> (Engine, Target, GateKey) {
    let site = GateKey::new("a").unwrap();
    let store = Store::open(folder).unwrap();
    store.apply_import(&store.plan_import(&[row("a")]).unwrap(), 1, "test").unwrap();
    let target = Target {
        name: "east".into(),
        kind: "builtin".into(),
        gate: folder.join("gate"),
        listeners: Vec::new(),
        verify: None,
        settings: [].into(),
        members: Vec::new(),
    };
    let options = EngineOptions { holder: "test".into(), clock: || 1_000_000, inventory_ttl_s: 1 };
    let engine = Engine::open(Arc::new(store), options).unwrap();
    let opened = Entry::Opened {
        question: INCIDENT.to_owned(),
        title: String::new(),
        statements: Digest::default(),
        policy: String::new(),
        revision: Digest([1; 32]),
    };
    let (plan, reason, sites) = (Digest::default(), String::new(), vec![site.clone()]);
    let ordered = Entry::DarkOrdered { plan, sites, reason };
    for entry in [opened, ordered] {
        engine.record("test", INCIDENT, entry).unwrap();
    }
    (engine, target, site)
}

/// What is known of the gate of the site.
pub(in crate::drive) fn gate(engine: &Engine, site: &GateKey) -> Gate {
    engine.with_ledger(|ledger| ledger.incident(INCIDENT).unwrap().case(site).unwrap().gate)
}

/// The site was seen dark, whatever it waits for.
fn prove_again(engine: &Engine, site: &GateKey) {
    let (sites, light, epoch) = (vec![site.clone()], Light::Dark, Epoch::default());
    let proved = Entry::Proved { sites, light, edge: "east".into(), epoch };
    engine.record("relight", INCIDENT, proved).unwrap();
}

/// The site was seen dark.
pub(in crate::drive) fn prove(engine: &Engine, site: &GateKey) {
    prove_again(engine, site);
    assert_eq!(engine.phase(INCIDENT, site), Some(Phase::DarkProven));
}

/// The site is clear, and on its way back.
pub(in crate::drive) fn opening(engine: &Engine, site: &GateKey) {
    let evidence = Evidence {
        site: site.clone(),
        artifact_set: Some(Digest([1; 32])),
        advisory: INCIDENT.to_owned(),
        advisory_revision: Digest([1; 32]),
        statements_digest: Digest::default(),
        matcher_revision: MATCHER_REVISION,
        scanner: "test".to_owned(),
        verdict: Verdict::Clear,
        reasons: Vec::new(),
        found: Vec::new(),
        components: Vec::new(),
        inventories: Vec::new(),
        kind: EvidenceKind::Scan,
        made_at: engine.now(),
        expires_at: engine.now() + 1_000,
    };
    let id = evidence.id().unwrap();
    let started = Entry::RelightStarted { site: site.clone(), evidence: id };
    for entry in [Entry::EvidenceAttached { evidence }, started] {
        engine.record("test", INCIDENT, entry).unwrap();
    }
    assert_eq!(engine.phase(INCIDENT, site), Some(Phase::Relighting));
}

/// Eyes that panic at first, and then see what is closed.
struct Shaky(Arc<AtomicUsize>);

impl Eyes for Shaky {
    fn probe(&mut self, targets: &[ProbeTarget], _nonce: u64) -> Vec<ProbeResult> {
        let left = self.0.load(Ordering::Relaxed);
        if left > 0 {
            self.0.store(left - 1, Ordering::Relaxed);
            panic!("no thread for it");
        }
        vec![ProbeResult { seen: Seen::Dark, ..ProbeResult::default() }; targets.len()]
    }
}

/// Goal: a fault in one round does not end the loop of an edge. Method: its eyes panic three times.
#[test]
fn the_loop_of_an_edge_outlives_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, target, site) = dark_site(folder.path());
    let left = Arc::new(AtomicUsize::new(3));
    let driver = relight_edge::open(&target).unwrap();
    let mut edge = EdgeLoop::new("east", driver, Box::new(Shaky(Arc::clone(&left))), 1);
    let identity = edges::identity(&target).unwrap();
    let (engine, lookout) = (Arc::new(engine), Lookout::default());
    let (stop, until) = (Arc::new(AtomicBool::new(false)), Instant::now() + WAIT_MAX);
    let pressed = Pressed::new(Arc::clone(&engine), "east", Arc::clone(&stop));
    thread::scope(|scope| {
        scope.spawn(|| drive_edge(&engine, &mut edge, &identity, (&pressed, &lookout), &stop));
        while gate(&engine, &site) != Gate::Proven && Instant::now() < until {
            engine.wait_changed(engine.version(), Duration::from_millis(20));
        }
        stop.store(true, Ordering::Relaxed);
        engine.wake();
    });
    assert_eq!((left.load(Ordering::Relaxed), gate(&engine, &site)), (0, Gate::Proven));
}

/// Goal: an edge that does not answer was not looked at, however well the journal is told of that.
/// Method: a file stands where the gate has its folder.
#[test]
fn a_turn_in_which_the_edge_did_not_answer_was_no_look() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, target, _) = dark_site(folder.path());
    let identity = edges::identity(&target).unwrap();
    let engine = Arc::new(engine);
    let pressed = Pressed::new(Arc::clone(&engine), "east", Arc::default());
    let is_looked_at = |answers: bool| {
        let driver = relight_edge::open(&target).unwrap();
        if !answers {
            std::fs::remove_dir_all(&target.gate).unwrap();
            std::fs::write(&target.gate, "").unwrap();
        }
        let mut edge = EdgeLoop::new("east", driver, Box::new(Shaky(Arc::default())), 1);
        let times = (&mut Rest::default(), engine.version());
        take_turn(&engine, &mut edge, (&identity, &pressed), times, true)
    };
    assert_eq!((is_looked_at(true), is_looked_at(false)), (true, false));
}

/// Goal: what a loop that hangs proved is not proven for ever. Method: the end of its last turn is
/// older than is allowed; then it comes to the end of one, and hangs again.
#[test]
fn what_a_silent_loop_proved_expires_and_what_it_owes_has_failed() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, _, site) = dark_site(folder.path());
    let (lookout, mut owed, begin) = (Lookout::default(), Owed::new(), Instant::now());
    let mut look = |ms| {
        lookout.look(&engine, &mut owed, begin + millis(ms));
        gate(&engine, &site)
    };
    assert_eq!(look(PROOF_TTL_MS), Gate::Requested, "nobody drives it");
    lookout.begin("east", begin);
    for ms in [0, DARK_PROOF_MAX_MS, PROOF_TTL_MS - 1] {
        assert_eq!(look(ms), Gate::Requested, "it was looked at {ms} ms ago");
    }
    assert_eq!(look(PROOF_TTL_MS), Gate::Failed);
    lookout.note("east", begin + millis(PROOF_TTL_MS), true);
    prove(&engine, &site);
    assert_eq!(look(2 * PROOF_TTL_MS - 1), Gate::Proven);
    // Another loop in its place has not looked at the edge either.
    lookout.begin("east", begin + millis(2 * PROOF_TTL_MS));
    assert_eq!(look(2 * PROOF_TTL_MS), Gate::Requested, "nobody saw it since");
    let case = engine.with_ledger(|it| it.incident(INCIDENT).unwrap().case(&site).cloned());
    assert!(case.unwrap().seen_dark, "nothing was seen lit");
    assert_eq!(look(2 * PROOF_TTL_MS + DARK_PROOF_MAX_MS), Gate::Failed);
}

/// An order that comes while the loop hangs has as long as any other.
#[test]
fn what_is_ordered_of_a_silent_loop_fails_after_its_time() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, _, site) = dark_site(folder.path());
    let (lookout, mut owed, begin) = (Lookout::default(), Owed::new(), Instant::now());
    lookout.begin("east", begin);
    let mut look = |ms| {
        lookout.look(&engine, &mut owed, begin + millis(ms));
        gate(&engine, &site)
    };
    let ordered = 2 * PROOF_TTL_MS;
    for ms in [ordered, ordered + DARK_PROOF_MAX_MS - 1] {
        assert_eq!(look(ms), Gate::Requested, "{ms}");
    }
    assert_eq!(look(ordered + DARK_PROOF_MAX_MS), Gate::Failed);
    let mut journal = engine.store().journal(1).unwrap();
    let last = journal.pop().unwrap();
    assert!(last.body.contains(NO_ROUND), "{}", last.body);
    assert_eq!(look(ordered + 2 * DARK_PROOF_MAX_MS), Gate::Failed);
    assert_eq!(engine.store().journal(1).unwrap().pop().unwrap(), last, "told once");
}

/// The same register, whose site is on its way back.
fn relighting(folder: &std::path::Path) -> (Engine, GateKey) {
    let (engine, _, site) = dark_site(folder);
    prove(&engine, &site);
    opening(&engine, &site);
    (engine, site)
}

/// Goal: a site is not on its way for ever behind an edge whose loop hangs, where it would take the
/// place of another and keep its incident open. Method: it is looked at until its time is over, and
/// once more: from then on it is wanted dark, and has as long for that as any other.
#[test]
fn what_is_on_its_way_behind_a_silent_loop_is_stopped_after_its_time() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, site) = relighting(folder.path());
    let (lookout, mut owed, begin) = (Lookout::default(), Owed::new(), Instant::now());
    lookout.begin("east", begin);
    let mut look = |ms| {
        lookout.look(&engine, &mut owed, begin + millis(ms));
        (engine.phase(INCIDENT, &site).unwrap(), gate(&engine, &site))
    };
    let over = DARK_PROOF_MAX_MS + LIT_PROOF_MAX_MS;
    for ms in [DARK_PROOF_MAX_MS, over - 1] {
        assert_eq!(look(ms), (Phase::Relighting, Gate::Proven), "{ms}");
    }
    assert_eq!(look(over), (Phase::RelightEligible, Gate::Requested));
    let last = engine.store().journal(1).unwrap().pop().unwrap();
    assert_eq!(last.kind, "relight-stopped");
    assert!(last.body.contains(NO_ROUND), "{}", last.body);
    let is_stopped = || {
        engine.with_ledger(|it| it.incident(INCIDENT).unwrap().case(&site).unwrap().is_stopped())
    };
    for ms in [1, DARK_PROOF_MAX_MS] {
        assert_eq!(look(over + ms), (Phase::RelightEligible, Gate::Requested), "{ms}");
        assert!(!is_stopped(), "it may be proven dark yet, and comes back then");
    }
    let failed = look(over + 1 + DARK_PROOF_MAX_MS);
    assert_eq!(failed, (Phase::RelightEligible, Gate::Failed));
    assert!(is_stopped(), "a person is told, for as long as it is not");
    prove_again(&engine, &site);
    assert!(!is_stopped());
}

/// Goal: what goes dark again because its edge was slow comes back by itself once the edge was
/// looked at, and not before; one at which that happens again and again waits for a person.
/// Method: turns that do not end, one after the other, and the same entry of a journal of before.
#[test]
fn what_nobody_looked_at_to_the_end_was_not_opened_in_vain() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, site) = relighting(folder.path());
    let (lookout, mut owed, begin) = (Lookout::default(), Owed::new(), Instant::now());
    lookout.begin("east", begin);
    let case = || engine.with_ledger(|it| it.incident(INCIDENT).unwrap().case(&site).cloned());
    let over = DARK_PROOF_MAX_MS + LIT_PROOF_MAX_MS;
    for turn in 0..=i64::from(UNSEEN_MAX) {
        let began = turn * 2 * over;
        assert_eq!(case().unwrap().phase, Phase::Relighting, "{turn}");
        for ms in [0, DARK_PROOF_MAX_MS, over] {
            lookout.look(&engine, &mut owed, begin + millis(began + ms));
        }
        let last = turn == i64::from(UNSEEN_MAX);
        let stopped = case().unwrap();
        assert_eq!((stopped.phase, stopped.gate), (Phase::RelightEligible, Gate::Requested));
        assert_eq!(stopped.stopped, u32::from(last), "{turn}");
        assert_eq!(engine.relight_ready().unwrap(), 0, "{turn}: nobody looked since");
        prove_again(&engine, &site);
        lookout.note("east", begin + millis(began + 2 * over), true);
        assert_eq!(engine.relight_ready().unwrap(), usize::from(!last), "{turn}");
    }
    let before = r#"{"kind":"relight-stopped","sites":["a"],"why":"no-round"}"#;
    let before: Entry = serde_json::from_str(before).unwrap();
    assert!(matches!(before, Entry::RelightStopped { unseen: false, .. }), "{before:?}");
}

/// Goal: an edge that has no loop any more is not one that hangs. Method: an edge becomes the
/// second barrier of another, whose loop drives it from then on.
#[test]
fn the_lookout_follows_the_loops() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, east, _) = dark_site(folder.path());
    let (engine, lookout) = (Arc::new(engine), Arc::new(Lookout::default()));
    let west = Target { name: "west".into(), gate: folder.path().join("west"), ..east.clone() };
    let register = |target: &Target| {
        engine.store().put_edge(&edges::to_row(target).unwrap(), 1, "test").unwrap();
        engine.wake();
    };
    let watched = || -> Vec<String> {
        let all = lookout.silent(Instant::now() + WAIT_MAX, Duration::ZERO);
        all.into_iter().map(|(edge, _)| edge).collect()
    };
    register(&east);
    let (loops, _) = Loops::begin(&engine, &lookout).unwrap();
    assert_eq!(watched(), ["east"], "from the start on");
    let (stop, until) = (AtomicBool::new(false), Instant::now() + WAIT_MAX);
    let wait_for = |edges: &[&str]| {
        while watched() != edges && Instant::now() < until {
            engine.wait_changed(engine.version(), Duration::from_millis(20));
        }
        watched()
    };
    let seen = thread::scope(|scope| {
        scope.spawn(|| loops.follow(&stop));
        register(&west);
        let both = wait_for(&["east", "west"]);
        let settings = [(BARRIER.to_owned(), "west".to_owned())].into();
        register(&Target { settings, ..east.clone() });
        let one = wait_for(&["east"]);
        stop.store(true, Ordering::Relaxed);
        engine.wake();
        (both, one)
    });
    assert_eq!(seen, (vec!["east".into(), "west".into()], vec!["east".into()]));
}
