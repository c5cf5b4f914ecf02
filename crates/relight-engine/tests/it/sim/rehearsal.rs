//! Drills in the middle of everything: on the canary and on the one site that is marked for them.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use relight_engine::drill::{Bed, DrillReport, DrillScope, Pace};
use relight_engine::edge::{EdgeDriver, EdgeError, GateSet, Listener};
use relight_engine::edges;
use relight_engine::incident::Ledger;
use relight_engine::reconcile::{CANARY_KEY, Eyes};
use relight_engine::store::{SiteMark, SiteRow, Store};
use relight_model::{GateKey, Light, Seen};

use super::{EAST, Sim};
use crate::edge::{Shared, builtin, key};
use crate::engine::row;
use crate::mutants::Mutant;
use crate::oracle::MATCHER;

/// How often somebody rehearses, in percent of the steps.
const DRILL_PERCENT: usize = 4;

/// The site that is marked for drills, which no incident is ever about.
const MARKED: &str = "outside";

thread_local! {
    /// What the clock of a drill shows, in milliseconds.
    static NOW_MS: Cell<i64> = const { Cell::new(0) };
}

/// Passes a little with each look.
fn clock() -> i64 {
    NOW_MS.with(|now| {
        now.set(now.get() + 25);
        now.get()
    })
}

/// The edge as a drill comes to it.
struct Stage(Shared);

impl Bed for Stage {
    fn driver(&self) -> Result<Box<dyn EdgeDriver>, EdgeError> {
        Ok(Box::new(self.0.clone()))
    }

    fn eyes(&self) -> Result<Box<dyn Eyes>, EdgeError> {
        Ok(Box::new(self.0.clone()))
    }

    fn listeners(&self) -> Result<Vec<Listener>, EdgeError> {
        Ok(Vec::new())
    }
}

/// What a drill may close, as the register of the simulation says; read once.
fn scope() -> &'static DrillScope {
    static SCOPE: OnceLock<DrillScope> = OnceLock::new();
    SCOPE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let site = |(number, name): (usize, &&str)| SiteRow {
            slug: key(name),
            edge: "east".into(),
            ..row(number, name)
        };
        let rows: Vec<SiteRow> = EAST.iter().enumerate().map(site).collect();
        store.apply_import(&store.plan_import(&rows).unwrap(), 1, "test").unwrap();
        let target = builtin(folder.path(), "east");
        store.put_edge(&edges::to_row(&target).unwrap(), 1, "test").unwrap();
        store.set_mark(&key(MARKED), SiteMark::DrillOk, true, 1, "test").unwrap();
        DrillScope::read(&store, &["east".to_owned()]).unwrap()
    })
}

/// Without what a drill may touch.
fn others(set: &GateSet) -> GateSet {
    let is_own = |key: &GateKey| [CANARY_KEY, MARKED].contains(&key.as_str());
    set.iter().filter(|key| !is_own(key)).cloned().collect()
}

impl Sim {
    /// Somebody rehearses on the edge, beside whoever drives it.
    pub(super) fn rehearse(&mut self) {
        let is_alone = self.late.is_none() && !self.is_overtaken;
        if !self.faults.drills || !is_alone || !self.last.chance(DRILL_PERCENT) {
            return;
        }
        let edge = self.edge.clone();
        let mut sites = EAST.iter().map(|name| key(name));
        let wanted = sites.find(|site| self.oracle.wanted(site) == Light::Dark);
        let before = edge.lock().state();
        NOW_MS.with(|now| now.set(self.now_ms));
        edge.lock().forget_effects();
        let nonce = self.last.next();
        let pace = Pace { clock, nonce, pause: Duration::ZERO, second: None, stop: None };
        let report = self.drill(&edge, &pace);
        self.say(|| format!("drill: {:?}", report.failed()));
        self.check_drill(wanted, before, &report);
        // Whatever it could not open, a person does.
        let mut edge = edge.lock();
        for own in [CANARY_KEY, MARKED].map(key) {
            edge.durable.remove(&own);
            edge.runtime.remove(&own);
            edge.own.remove(&own);
        }
        edge.calls.clear();
        edge.forget_effects();
    }

    fn drill(&self, edge: &Shared, pace: &Pace) -> DrillReport {
        let nothing = Ledger::new(MATCHER);
        let ledger = if self.mutant == Mutant::DrillBlind { &nothing } else { &self.ledger };
        let report = scope().edges()[0].run_on(&Stage(edge.clone()), ledger, pace);
        if self.mutant == Mutant::DrillLeaves && report.passed() {
            edge.lock().runtime.insert(key(MARKED));
        }
        report
    }

    /// (o): a drill touches the canary and what is marked, begins only where nothing is wanted
    /// dark, leaves everything as it was, and fences nobody off.
    fn check_drill(
        &mut self,
        wanted: Option<GateKey>,
        (durable, runtime, epoch): super::fate::State,
        report: &DrillReport,
    ) {
        let edge = self.edge.clone();
        let edge = edge.lock();
        if let Some(site) = others(&edge.touched).first() {
            self.blame(|| format!("(o) a drill touched {site}"));
        }
        if let Some(site) = wanted.filter(|_| !edge.touched.is_empty()) {
            self.blame(|| format!("(o) a drill began although {site} is wanted dark"));
        }
        if (others(&durable), others(&runtime)) != (others(&edge.durable), others(&edge.runtime)) {
            self.blame(|| "(o) a drill left other sites as they were not".to_owned());
        }
        let newest = epoch.unwrap_or_default().max(relight_model::Epoch { term: 0, seq: 1 });
        if edge.epoch.is_some_and(|now| now > newest) {
            self.blame(|| "(o) a drill acted under an epoch of its own".to_owned());
        }
        let is_lit = |name: &str| edge.serves(&key(name)) == Seen::Lit;
        let is_left = report.passed() && !(is_lit(CANARY_KEY) && is_lit(MARKED));
        if is_left {
            self.blame(|| "(o) a drill that passed left something dark".to_owned());
        }
    }
}

/// An edge of which whoever rehearses ends as soon as it is dark, and which may be away from then
/// on.
struct Ending {
    stage: Stage,
    stop: Arc<AtomicBool>,
    is_lost: bool,
}

impl Bed for Ending {
    fn driver(&self) -> Result<Box<dyn EdgeDriver>, EdgeError> {
        let mut edge = self.stage.0.lock();
        if edge.runtime.contains(&key(MARKED)) {
            self.stop.store(true, Ordering::Relaxed);
            edge.is_unreachable = self.is_lost;
        }
        drop(edge);
        self.stage.driver()
    }

    fn eyes(&self) -> Result<Box<dyn Eyes>, EdgeError> {
        self.stage.eyes()
    }

    fn listeners(&self) -> Result<Vec<Listener>, EdgeError> {
        self.stage.listeners()
    }
}

/// Goal: whoever ends in the middle of a drill opens what it closed, or says what is dark still.
/// Method: the end comes before the order, once everything is dark, and there while the edge is
/// lost.
#[test]
fn a_drill_whose_controller_ends_leaves_nothing_dark_or_says_so() {
    for (is_over, is_lost, left) in [(true, false, 0), (false, false, 0), (false, true, 2)] {
        NOW_MS.with(|now| now.set(1_000_000));
        let (edge, stop) = (Shared::default(), Arc::new(AtomicBool::new(is_over)));
        let bed = Ending { stage: Stage(edge.clone()), stop: Arc::clone(&stop), is_lost };
        let (nonce, pause) = (7, Duration::ZERO);
        let pace = Pace { clock, nonce, pause, second: None, stop: Some(Arc::clone(&stop)) };
        let report = scope().edges()[0].run_on(&bed, &Ledger::new(MATCHER), &pace);
        assert!(!report.passed() && stop.load(Ordering::Relaxed));
        if !is_lost {
            assert_eq!(report.failed().unwrap().detail, "whoever rehearsed ended");
        }
        assert_eq!(report.left.len(), left, "{:?}", report.failed());
        let edge = edge.lock();
        assert_eq!((edge.runtime.len(), edge.durable.len()), (left, left));
        assert_eq!(edge.touched.is_empty(), is_over, "nothing is closed after the end");
    }
}
