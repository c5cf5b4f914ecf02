//! Who may act on a register: not who is older than its edges, and nobody upon a journal that was
//! changed.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use relight_engine::drill::{DrillScope, Pace, StepName};
use relight_engine::drive::{Drive, for_incidents};
use relight_engine::edge::{GateSet, ProbeTarget, Target};
use relight_engine::edges;
use relight_engine::incident::{Acceptance, Entry, EvidenceKind, Gate, Ledger, Phase};
use relight_engine::plan::Action;
use relight_engine::reconcile::{CANARY_KEY, EdgeLoop, Want, dark_unasked, wants};
use relight_engine::store::{JOURNAL_LEASE, Store};
use relight_engine::{Engine, EngineErrorKind};
use relight_model::{Epoch, GateKey, Light};

use crate::edge::{Shared, key, set};
use crate::engine::{LOG4SHELL, Town, log4j, name, open, pass};

/// Longest wait for a thread of an edge.
const WAIT_MAX: Duration = Duration::from_secs(30);

fn wait(engine: &Engine, what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + WAIT_MAX;
    while !is_so() {
        assert!(Instant::now() < deadline, "waited for {what}");
        engine.wait_changed(engine.version(), Duration::from_millis(20));
    }
}

fn write_epoch(folder: &Path, epoch: &str) {
    fs::create_dir_all(folder.join("gate")).unwrap();
    fs::write(folder.join("gate/epoch"), format!("{epoch}\n")).unwrap();
}

fn term(engine: &Engine) -> u64 {
    engine.store().lease(JOURNAL_LEASE).unwrap().unwrap().term
}

/// What acted before the copy was made had a higher term: without a higher one still, no gate would
/// ever close again.
#[test]
fn a_register_that_was_restored_acts_above_the_terms_that_its_edges_have_seen() {
    let town = Town::new(1);
    let Town { engine, folder } = town;
    assert_eq!(term(&engine), 1);
    let store = Arc::clone(engine.store());
    drop(engine);
    write_epoch(folder.path(), "41-7");
    let engine = open(&store, "restored").unwrap();
    assert_eq!(term(&engine), 42);
    engine.check_lease().unwrap();
    let town = Town { engine, folder };
    town.incident(LOG4SHELL);
    town.darken(&[0]);
    let engine = Arc::new(town.engine);
    let drive = Drive::start(&engine).unwrap();
    let gate = town.folder.path().join("gate/current").join(name(0));
    wait(&engine, "the gate", || gate.exists());
    drop(drive);
    drop(engine);
    assert_eq!(term(&open(&store, "again").unwrap()), 43, "one more each time, as ever");
}

/// An edge and the loop over it, as the register of a town drives them.
pub(crate) struct Driven {
    edge: Shared,
    edge_loop: EdgeLoop,
}

impl Driven {
    /// One in which these sites are dark by what the register was before.
    pub(crate) fn holding(keys: &[&str]) -> Self {
        let edge = Shared::default();
        let edge_loop = EdgeLoop::new("east", Box::new(edge.clone()), Box::new(edge.clone()), 7);
        let driven = Self { edge, edge_loop };
        driven.bring_back(keys);
        driven
    }

    /// Its gate is what it was once.
    pub(crate) fn bring_back(&self, keys: &[&str]) {
        let (mut gate, held) = (self.edge.lock(), set(keys));
        (gate.durable, gate.runtime, gate.own) = (held.clone(), held.clone(), held);
    }

    pub(crate) fn round(&mut self, engine: &Engine) {
        let sites = engine.sites();
        let ledger = engine.with_ledger(Ledger::clone);
        let wants = wants(&ledger, "east", |key| sites.iter().find(|site| site.slug == *key));
        let epoch = Epoch { term: term(engine), seq: 1 };
        let permits = |site: &GateKey| engine.with_ledger(|it| it.permits(site, engine.now()));
        let round = self.edge_loop.round(&wants, epoch, engine.now_ms(), &permits);
        engine.append("east", for_incidents(&ledger, &round)).unwrap();
    }

    pub(crate) fn is_dark(&self, site: usize) -> bool {
        self.edge.lock().is_held(&key(&name(site)))
    }
}

/// Goal: a register that came back from a copy opens nothing on what it knew then: what came after
/// may have called it affected. Method: of two clear sites one came back before the copy was made,
/// and one was about to; the gate says that both went dark later, until they are scanned anew.
#[test]
fn what_a_restored_register_knew_opens_nothing_until_it_is_scanned_again() {
    let town = Town::new(2);
    town.ingest(0, log4j("2.17.1"));
    town.ingest(1, log4j("2.17.1"));
    town.incident(LOG4SHELL);
    town.darken(&[0, 1]);
    let mut before = Driven::holding(&[]);
    before.round(&town.engine);
    let both = [key(&name(0)), key(&name(1))];
    town.engine.attach_evidence("scanner", LOG4SHELL, &both, EvidenceKind::Scan).unwrap();
    town.engine.relight("A. Tremblay", LOG4SHELL, &both[..1]).unwrap();
    before.round(&town.engine);
    let phases = |town: &Town| [0, 1].map(|site| town.phase(LOG4SHELL, site).unwrap());
    assert_eq!(phases(&town), [Phase::RelitProven, Phase::RelightEligible]);
    assert!(!before.is_dark(0) && before.is_dark(1));

    let Town { engine, folder } = town;
    let store = Arc::clone(engine.store());
    drop(engine);
    pass(60);
    write_epoch(folder.path(), "1-900");
    let town = Town { engine: open(&store, "restored").unwrap(), folder };
    assert_eq!(town.journal().last().unwrap(), "restored");
    let mut edge = Driven::holding(&[&name(0), &name(1)]);
    for _ in 0..3 {
        edge.round(&town.engine);
        assert_eq!(town.engine.relight_ready().unwrap(), 0);
        assert!(edge.is_dark(0) && edge.is_dark(1));
    }
    assert_eq!(phases(&town), [Phase::RelightEligible; 2]);
    let plan = town.plan(Action::Relight, &[0, 1]);
    assert!(plan.sites.is_empty(), "no person can either");
    let skipped = plan.skipped.iter().map(|it| it.reason.as_str()).collect::<Vec<_>>();
    assert_eq!(skipped, ["restored"; 2]);
    let waiting = |town: &Town| {
        let now = town.engine.now();
        town.engine.with_ledger(|it| it.incident(LOG4SHELL).unwrap().held_by_restore(now))
    };
    assert_eq!(waiting(&town), 2);
    // Told once, and as long as the edge says so.
    let Town { engine, folder } = town;
    drop(engine);
    let town = Town { engine: open(&store, "again").unwrap(), folder };
    let count = |town: &Town| town.journal().iter().filter(|kind| *kind == "restored").count();
    assert_eq!(count(&town), 1);

    pass(1);
    town.ingest(0, log4j("2.17.1"));
    assert_eq!(waiting(&town), 1);
    town.ingest(1, log4j("2.17.1"));
    assert_eq!(town.engine.relight_ready().unwrap(), 2);
    edge.round(&town.engine);
    assert!(!edge.is_dark(0) && !edge.is_dark(1));
    // Another copy comes back: its edge was told more.
    let Town { engine, folder } = town;
    drop(engine);
    write_epoch(folder.path(), "9-901");
    let town = Town { engine: open(&store, "once more").unwrap(), folder };
    assert_eq!(count(&town), 2);
}

/// Goal: a signature opens nothing either that was given before the copy, and one given since does.
#[test]
fn what_was_signed_before_a_copy_opens_nothing() {
    let town = Town::new(3);
    town.ingest(2, log4j("2.17.1"));
    town.incident(LOG4SHELL);
    town.darken(&[0, 1, 2]);
    let mut dark = Driven::holding(&[]);
    dark.round(&town.engine);
    let all = [0, 1, 2].map(|site| key(&name(site)));
    town.engine.attach_evidence("scanner", LOG4SHELL, &all, EvidenceKind::Scan).unwrap();
    accept(&town, 0);
    let Town { engine, folder } = town;
    let store = Arc::clone(engine.store());
    drop(engine);
    write_epoch(folder.path(), "1-900");
    let town = Town { engine: open(&store, "restored").unwrap(), folder };
    accept(&town, 1);
    assert_eq!(town.engine.relight_ready().unwrap(), 1);
    let phases = [0, 1].map(|site| town.phase(LOG4SHELL, site).unwrap());
    assert_eq!(phases, [Phase::RelightEligible, Phase::Relighting]);
    // So may be signed what was signed or read before.
    accept(&town, 0);
    accept(&town, 2);
    assert_eq!(town.engine.relight_ready().unwrap(), 2);
    let phases = [0, 2].map(|site| town.phase(LOG4SHELL, site).unwrap());
    assert_eq!(phases, [Phase::Relighting; 2]);
    let again = open(&store, "again").unwrap();
    assert!(again.with_ledger(Ledger::clone) == town.ledger(), "the journal says all of it");
}

fn accept(town: &Town, site: usize) {
    let (proposer, approver) = ("A. Tremblay".into(), "B. Roy".into());
    let (reason, expires) = ("booking".to_owned(), town.engine.now() + 3_600);
    let acceptance = Acceptance { proposer, approver, reason, expires };
    let site = key(&name(site));
    let entry = Entry::AcceptanceSigned { site, acceptance, witness: None, weighed: true };
    town.engine.record("A. Tremblay", LOG4SHELL, entry).unwrap();
}

/// Goal: what an edge holds dark and the journal knows nothing of is not opened: the register was
/// restored from a copy of before the order. Method: the gate says what it was told under a newer
/// epoch; the canary is tried, another site is ordered dark, and at last the journal takes it over.
#[test]
fn what_is_dark_without_an_order_in_this_journal_stays_dark_and_is_told() {
    let town = Town::new(2);
    let Town { engine, folder } = town;
    let target = edges::from_row(&engine.store().edges().unwrap()[0]).unwrap();
    let mut driver = relight_engine::edge::open(&target).unwrap();
    let lost = GateSet::from([key(&name(0)), key("elsewhere")]);
    driver.close(Epoch { term: 41, seq: 7 }, &lost).unwrap();
    let store = Arc::clone(engine.store());
    drop(engine);
    let town = Town { engine: open(&store, "restored").unwrap(), folder };
    let gate = |key: &str| town.folder.path().join("gate/current").join(key).exists();
    let still = || gate(&name(0)) && gate("elsewhere");
    town.incident(LOG4SHELL);

    let mut edge = edges::open_loop(&target, 1).unwrap();
    edge.suspect();
    let epoch = |seq| Epoch { term: term(&town.engine), seq };
    let Some(Entry::CanaryTried { passed: false, what, .. }) =
        edge.try_canary(&[], epoch(1), 100_000)
    else {
        panic!("nobody was told")
    };
    // No proxy serves what this gate says, which is worse.
    assert_eq!(what, "dark-not-seen");
    assert!(still() && edge.has_unasked());
    let order = |site| want(site, Light::Dark, Gate::Requested);
    // The same from a loop that begins with an order, and whose opening is one.
    let mut edge = edges::open_loop(&target, 2).unwrap();
    edge.round(&[order(1)], epoch(2), 1_000, &|_| false);
    assert!(still() && gate(&name(1)) && edge.has_unasked());
    let lit = Want { light: Light::Lit, ..order(1) };
    edge.round(&[lit], epoch(3), 2_000, &|_| true);
    assert!(still());
    // Once it is ordered here it is ours, and returns as every other.
    edge.round(&[order(0)], epoch(4), 3_000, &|_| false);
    edge.round(&[Want { light: Light::Lit, ..order(0) }], epoch(5), 4_000, &|_| true);
    assert!(gate("elsewhere") && edge.has_unasked());
}

/// The edge of a town in the place of which two stand together, `left` and `right`, of which the
/// first site is dark at the left one.
fn pair(town: &Town) -> Target {
    let row = edges::from_row(&town.engine.store().edges().unwrap()[0]).unwrap();
    let member = |name: &str| Target {
        name: name.into(),
        gate: town.folder.path().join(name),
        listeners: Vec::new(),
        ..row.clone()
    };
    let members = vec![member("left"), member("right")];
    let dark = [GateSet::from([key(&name(0))]), GateSet::new()];
    for (target, dark) in members.iter().zip(dark) {
        let mut driver = relight_engine::edge::open(target).unwrap();
        driver.close(Epoch { term: 1, seq: 7 }, &dark).unwrap();
    }
    let settings = [("members".to_owned(), "left right".to_owned())].into();
    Target { kind: "group".into(), settings, members, ..row }
}

fn want(site: usize, light: Light, gate: Gate) -> Want {
    Want {
        target: ProbeTarget::site(key(&name(site)), "a.example".into(), None),
        aliases: Vec::new(),
        light,
        gate,
        seen_dark: false,
    }
}

/// Goal: what one proxy of a group holds dark unasked is opened there by nothing, also where the
/// other shows it lit, is opened by hand later, or cannot be read. Method: gates of two edges, of
/// which the journal explains neither; the canary is tried, and another site is ordered dark.
#[test]
fn what_one_of_a_group_holds_dark_unasked_is_opened_at_neither() {
    for is_readable in [true, false] {
        let town = Town::new(2);
        let (group, folder) = (pair(&town), town.folder.path());
        let epoch_of = folder.join("right/epoch");
        if !is_readable {
            fs::remove_file(&epoch_of).unwrap();
            fs::create_dir(&epoch_of).unwrap();
        }
        let at_left = |site: usize| folder.join("left/current").join(name(site)).exists();
        let mut edge = edges::open_loop(&group, 1).unwrap();
        edge.suspect();
        edge.try_canary(&[], Epoch { term: 2, seq: 1 }, 100_000).unwrap();
        assert!(at_left(0) && edge.has_unasked(), "{is_readable}");
        // Somebody opens it at the other by hand: where it was dark from the start it stays so.
        let opened = folder.join("right/current").join(name(0));
        assert_eq!(fs::remove_file(&opened).is_ok(), is_readable);
        let order = want(1, Light::Dark, Gate::Requested);
        edge.round(&[order], Epoch { term: 2, seq: 2 }, 101_000, &|_| false);
        assert!(at_left(0) && at_left(1) && edge.has_unasked(), "{is_readable}");
    }
}

/// Goal: a site that the journal calls lit, and that one proxy of a group came up with dark, is
/// opened there by what opens sites alone, which asks whether it may be. Method: its gate is dark
/// at one of two; a newer term, the canary, and an order for another site write to both.
#[test]
fn a_lit_site_that_one_of_a_group_shows_dark_is_opened_by_no_other_effect() {
    let town = Town::new(2);
    let group = pair(&town);
    let at_left = || town.folder.path().join("left/current").join(name(0)).exists();
    let lit = || want(0, Light::Lit, Gate::Open);
    let mut edge = edges::open_loop(&group, 1).unwrap();
    edge.suspect();
    edge.try_canary(&[lit()], Epoch { term: 2, seq: 1 }, 100_000).unwrap();
    assert!(at_left(), "by the canary");
    let mut edge = edges::open_loop(&group, 2).unwrap();
    let other = want(1, Light::Dark, Gate::Requested);
    edge.round(&[lit(), other], Epoch { term: 3, seq: 1 }, 101_000, &|_| false);
    assert!(at_left(), "by an order for another site");
}

/// Goal: a drill opens nothing that another register ordered dark at the same gate. Method: a gate
/// is told so under the epoch that it holds, and both ways into a drill are tried.
#[test]
fn a_drill_leaves_alone_what_another_register_holds_dark() {
    let town = Town::new(1);
    let engine = &town.engine;
    let target = edges::from_row(&engine.store().edges().unwrap()[0]).unwrap();
    let mut driver = relight_engine::edge::open(&target).unwrap();
    let epoch = Epoch { term: 1, seq: 7 };
    driver.close(epoch, &GateSet::from([key("elsewhere")])).unwrap();
    let scope = DrillScope::read(engine.store(), &[]).unwrap();
    let report = engine.with_ledger(|ledger| scope.edges()[0].run(ledger, &pace(), &mut || Ok(())));
    let failed = report.failed().unwrap();
    assert_eq!(failed.name, StepName::Reach);
    assert_eq!(failed.detail, "elsewhere is not seen lit at the gate");
    let mut began = || panic!("the second controller wrote to the gate");
    let held = engine.with_ledger(|it| scope.edges()[0].hold(epoch, it, &pace(), &mut began));
    assert!(held.is_err());
    assert!(town.folder.path().join("gate/current/elsewhere").exists());
}

/// Goal: a drill at an edge that no controller ever had is no order that this journal lost. Method:
/// it is run before anything was journalled, and the register is opened again.
#[test]
fn a_drill_before_the_first_record_is_no_lost_order() {
    let Town { engine, folder } = Town::new(1);
    let scope = DrillScope::read(engine.store(), &[]).unwrap();
    engine.with_ledger(|ledger| scope.edges()[0].run(ledger, &pace(), &mut || Ok(())));
    let held = fs::read_to_string(folder.path().join("gate/epoch")).unwrap();
    assert_eq!(held.lines().next(), Some("0-1"));
    let store = Arc::clone(engine.store());
    drop(engine);
    let town = Town { engine: open(&store, "again").unwrap(), folder };
    assert_eq!(town.journal(), Vec::<String>::new());
}

/// Goal: everybody who says what a gate holds dark unasked says the same. Method: each copy of a
/// gate is dark alone, one is lit, one was written by hand, and one is explained.
#[test]
fn dark_unasked_is_what_either_copy_of_a_gate_says() {
    let mut edge = Shared::default();
    {
        let mut gate = edge.lock();
        gate.runtime = set(&["running", "by-hand", "ours", CANARY_KEY]);
        gate.durable = set(&["kept"]);
        gate.own = set(&["running", "kept", "lit", "ours", CANARY_KEY]);
        gate.unasked = &gate.own | &set(&["by-hand"]);
    }
    let found = dark_unasked(&mut edge, |site| *site == key("ours")).unwrap();
    assert_eq!(found, set(&["kept", "running"]));
    edge.lock().is_unreachable = true;
    assert!(dark_unasked(&mut edge, |_| false).is_err(), "nobody knows");
}

/// An epoch that cannot be read says nothing about terms; the write to that edge says so.
#[test]
fn an_edge_without_an_epoch_raises_no_term() {
    for epoch in ["", "no epoch", "1-9"] {
        let town = Town::new(1);
        let store = Arc::clone(town.engine.store());
        write_epoch(town.folder.path(), epoch);
        assert_eq!(term(&open(&store, "second").unwrap()), 2, "{epoch:?}");
    }
}

/// Another controller took over the gate: what is ordered dark counts as exposed at once, everybody
/// is told, and the edge is looked at again and again.
#[test]
fn a_fenced_edge_is_told_and_not_left_alone() {
    let town = Town::new(1);
    town.incident(LOG4SHELL);
    write_epoch(town.folder.path(), "99-1");
    town.darken(&[0]);
    let Town { engine, folder } = town;
    let engine = Arc::new(engine);
    let drive = Drive::start(&engine).unwrap();
    let failed = || engine.phase(LOG4SHELL, &key(&name(0))) == Some(Phase::Failed);
    wait(&engine, "the failure", failed);
    let told = || engine.with_ledger(|ledger| ledger.canary_failure("east").cloned());
    wait(&engine, "the alarm", || told().is_some_and(|(_, what)| what == "fenced"));
    let gate = folder.path().join("gate/current").join(name(0));
    assert!(!gate.exists(), "an older epoch never overwrites a newer one");
    write_epoch(folder.path(), "1-0");
    wait(&engine, "the gate", || gate.exists());
    drop(drive);
}

#[test]
fn nobody_acts_upon_a_journal_that_was_changed() {
    let town = Town::new(2);
    town.ingest(0, log4j("2.14.1"));
    town.incident(LOG4SHELL);
    town.darken(&[0]);
    let plan = town.plan(Action::Dark, &[1]);
    town.engine.execute(&plan, "A. Tremblay").unwrap();
    let Town { engine, folder } = town;
    drop(engine);
    let path = folder.path().join("relight.db");
    let mut bytes = fs::read(&path).unwrap();
    let word = b"as a precaution";
    let at = bytes.windows(word.len()).position(|it| it == word).unwrap();
    bytes[at] = b'A';
    fs::write(&path, bytes).unwrap();
    let store = Arc::new(Store::open(folder.path()).unwrap());
    let error = open(&store, "later").unwrap_err();
    assert_eq!(error.kind, EngineErrorKind::Broken);
    assert!(error.to_string().starts_with("the journal is broken at record "), "{error}");
    assert!(!folder.path().join("gate/current").exists(), "no gate was touched");
}

fn pace() -> Pace {
    let clock = || 1_700_000_000_000;
    Pace { clock, nonce: 7, pause: Duration::ZERO, second: None, stop: None }
}
