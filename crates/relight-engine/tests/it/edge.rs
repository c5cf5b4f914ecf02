//! A fake edge that can do everything wrong that real ones were seen to do.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use relight_engine::edge::spelling::Spelled;
use relight_engine::edge::{
    Capabilities, CutsTunnels, EdgeDriver, EdgeError, EdgeErrorKind, GateSet, GateView, Lint,
    ProbeResult, ProbeTarget, Stage, Target, TunnelCount, is_superseded,
};
use relight_engine::reconcile::{Asking, CANARY_KEY, Eyes, Want};
use relight_model::{Epoch, GateKey, Light, Seen};

/// What goes wrong with one `apply`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// It times out before anything happens.
    Before,
    /// The durable copy is written, the running edge is not reached.
    HalfWay,
    /// It times out after everything happened.
    After,
    /// It says yes and does nothing.
    Lie,
}

/// What somebody did to the edge, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// A copy was made to hold this set.
    Apply(Stage, Vec<String>),
    /// These sites were looked at from outside.
    Probe(Vec<String>),
    /// Connections of these sites were cut.
    Cut(Vec<String>),
    /// A name was asked for in every spelling.
    Spell(String),
}

/// The edge itself, shared between its driver, the eyes of the engine and the test.
#[derive(Debug, Default)]
pub(crate) struct Edge {
    /// What a restart reads.
    pub(crate) durable: GateSet,
    /// What visitors are refused by.
    pub(crate) runtime: GateSet,
    /// Entries that the driver wrote.
    pub(crate) own: GateSet,
    /// What the record of the gate names beyond what is wanted.
    pub(crate) unasked: GateSet,
    /// A durable copy that somebody kept, with what the driver knew of it.
    pub(crate) backup: Option<(GateSet, GateSet)>,
    /// That copy came back once.
    pub(crate) was_restored: bool,
    /// Nobody has looked at the edge since.
    pub(crate) is_unseen: bool,
    /// Sites that are served whatever the gate says.
    pub(crate) bypass: GateSet,
    /// Sites that a second listener serves whatever the gate says.
    pub(crate) second: GateSet,
    /// Whoever looks asks the first listener alone.
    pub(crate) has_one_listener: bool,
    /// Whoever reads it back is not told who wrote last.
    pub(crate) hides_epoch: bool,
    /// The record of the gate is read.
    pub(crate) has_record: bool,
    /// An order is carried out also after a newer one was given.
    pub(crate) obeys_the_old: bool,
    /// Names that some spelling reaches whatever the gate says.
    pub(crate) spelled: BTreeSet<String>,
    /// Names of which some spelling has an answer that tells nothing.
    pub(crate) untold: BTreeSet<String>,
    /// Sites of which probes learn nothing.
    pub(crate) blind: GateSet,
    /// Sites that are served under a wrong certificate.
    pub(crate) misnamed: GateSet,
    /// Read-back does not know.
    pub(crate) is_unreadable: bool,
    /// Read-back knows the durable copy alone.
    pub(crate) is_half_readable: bool,
    /// Nothing answers at all.
    pub(crate) is_unreachable: bool,
    /// What it can do, where that is not everything.
    pub(crate) capabilities: Option<Capabilities>,
    /// Counting connections fails.
    pub(crate) is_uncountable: bool,
    /// The driver counts and cuts tunnels.
    pub(crate) has_tunnels: bool,
    /// It says so once, and then no more.
    pub(crate) forgets_tunnels: bool,
    /// Sites whose connections nobody can tell from those of others.
    pub(crate) uncounted: GateSet,
    /// Sites whose origin lit sites share.
    pub(crate) shared: GateSet,
    /// What was told to be cut stays open.
    pub(crate) is_uncuttable: bool,
    /// Which process serves.
    pub(crate) generation: u64,
    /// What the processes hold that take over during the next looks, one in each.
    pub(crate) successors: VecDeque<GateSet>,
    /// What the process held to which connections lead that whoever looks kept.
    pub(crate) before: Option<GateSet>,
    /// How often whoever looks was told to begin with new connections.
    pub(crate) forgotten: usize,
    /// Open connections behind the gate.
    pub(crate) tunnels: BTreeMap<GateKey, u64>,
    /// The newest epoch that wrote.
    pub(crate) epoch: Option<Epoch>,
    /// What goes wrong with the next calls.
    pub(crate) faults: VecDeque<Fault>,
    /// What was done.
    pub(crate) calls: Vec<Call>,
    /// What the driver was last told to hold dark.
    pub(crate) told: GateSet,
    /// What the running edge was last told to hold dark, and did not refuse.
    pub(crate) told_runtime: GateSet,
    /// What the durable copy was last said to hold, when that was a lie: the engine relies on that
    /// until it looks again.
    pub(crate) promised: GateSet,
    /// Sites that a crash between two effects would have left to the next reload to light.
    pub(crate) fragile: Vec<GateKey>,
    /// Sites that have to close before anything opens.
    pub(crate) must_close: GateSet,
    /// Sites that were opened before all of those were told to close.
    pub(crate) rash: Vec<GateKey>,
    /// Sites that went from dark to lit by our hand.
    pub(crate) opened: Vec<GateKey>,
    /// Sites whose gate was changed by our hand, either way.
    pub(crate) touched: GateSet,
}

impl Edge {
    /// What a visitor of a site gets, at the worst of two listeners.
    pub(crate) fn serves(&self, key: &GateKey) -> Seen {
        if self.second.contains(key) { Seen::Lit } else { self.serves_first(key) }
    }

    /// What one of the first listener gets.
    fn serves_first(&self, key: &GateKey) -> Seen {
        self.serves_by(&self.runtime, key)
    }

    fn serves_by(&self, runtime: &GateSet, key: &GateKey) -> Seen {
        let dark = runtime.contains(key) && !self.bypass.contains(key);
        if dark { Seen::Dark } else { Seen::Lit }
    }

    /// Another process takes over. Connections that were kept go on to lead to the one before.
    fn take_over(&mut self, runtime: GateSet) {
        let before = std::mem::replace(&mut self.runtime, runtime);
        self.before.get_or_insert(before);
        self.generation += 1;
    }

    /// Dark by somebody else's entry.
    pub(crate) fn is_foreign(&self, key: &GateKey) -> bool {
        (self.durable.contains(key) || self.runtime.contains(key)) && !self.own.contains(key)
    }

    /// One of the copies holds it dark.
    pub(crate) fn is_held(&self, key: &GateKey) -> bool {
        self.durable.contains(key) || self.runtime.contains(key)
    }

    /// What is dark in both copies, and who wrote it.
    pub(crate) fn state(&self) -> (GateSet, GateSet, Option<Epoch>) {
        (self.durable.clone(), self.runtime.clone(), self.epoch)
    }

    /// Sites that are wanted dark and are not, before a round.
    pub(crate) fn expect_closing(&mut self, wants: &[Want]) {
        let dark = wants.iter().filter(|want| want.light == Light::Dark);
        let open = dark.map(|want| want.target.key.clone());
        self.must_close =
            open.filter(|key| !self.is_unreadable && !self.runtime.contains(key)).collect();
    }

    /// The edge comes back with a copy from before.
    pub(crate) fn restore(&mut self) {
        if let Some((durable, own)) = self.backup.clone() {
            (self.runtime, self.durable, self.own) = (durable.clone(), durable, own);
            self.was_restored = true;
            self.wait_for_a_look();
        }
    }

    /// Somebody else opens a site, in both copies.
    pub(crate) fn take_away(&mut self, key: &GateKey) {
        self.runtime.remove(key);
        self.durable.remove(key);
    }

    /// Read-back stops or goes on to tell nothing. What an old copy made dark again and nobody has
    /// seen so is beyond any engine: it may open it by writing the whole set.
    pub(crate) fn blur(&mut self) {
        self.is_unreadable = !self.is_unreadable && !self.is_unseen;
    }

    /// An engine that has just begun has seen nothing.
    pub(crate) fn forget_looks(&mut self) {
        if self.was_restored {
            self.wait_for_a_look();
        }
    }

    /// What was done so far was not done by whom the test is about.
    pub(crate) fn forget_effects(&mut self) {
        self.opened.clear();
        self.rash.clear();
        self.fragile.clear();
        self.touched.clear();
    }

    fn wait_for_a_look(&mut self) {
        (self.is_unseen, self.is_unreadable) = (true, false);
    }

    /// Everything that fails stops failing; a person takes foreign entries away.
    pub(crate) fn heal(&mut self) {
        self.durable = &self.durable & &self.own;
        self.runtime = &self.runtime & &self.own;
        self.bypass.clear();
        self.second.clear();
        self.blind.clear();
        (self.is_unreadable, self.is_unreachable) = (false, false);
    }

    fn apply(&mut self, epoch: Epoch, stage: Stage, dark: &GateSet) -> Result<(), EdgeError> {
        if self.is_unreachable {
            return Err(error(EdgeErrorKind::Unreachable, "connect"));
        }
        if self.epoch.is_some_and(|newest| epoch < newest) {
            return Err(error(EdgeErrorKind::Fenced, "write over a newer epoch"));
        }
        if is_superseded() && !self.obeys_the_old {
            return Err(error(EdgeErrorKind::Fenced, "carry out an order of before"));
        }
        let fault = self.faults.pop_front().unwrap_or(Fault::None);
        self.watch_order(stage, dark, fault);
        self.calls.push(Call::Apply(stage, names(dark)));
        match (fault, stage) {
            (Fault::Before, _) | (Fault::HalfWay, Stage::Runtime) => {
                return Err(error(EdgeErrorKind::Unreachable, "write in time"));
            }
            (Fault::Lie, _) => {
                self.told.clone_from(dark);
                return Ok(());
            }
            _ => {}
        }
        self.told.clone_from(dark);
        self.epoch = Some(epoch);
        self.write(stage, dark);
        match fault {
            Fault::After => Err(error(EdgeErrorKind::Unreachable, "answer in time")),
            _ => Ok(()),
        }
    }

    /// Closing goes durable copy first, opening runtime first, and closings go before openings;
    /// what the edge makes of it is another matter: the engine may rely on an answer that is a lie
    /// until it looks again, and on none that was an error.
    fn watch_order(&mut self, stage: Stage, dark: &GateSet, fault: Fault) {
        match stage {
            Stage::Runtime => {
                let is_shut = |key: &&GateKey| {
                    self.told_runtime.contains(*key) && self.runtime.contains(*key)
                };
                let is_kept =
                    |key: &&GateKey| self.durable.contains(*key) || self.promised.contains(*key);
                let closed = dark.iter().filter(|key| !is_shut(key) && !is_canary(key));
                self.fragile.extend(closed.filter(|key| !is_kept(key)).cloned());
                let is_ours = |key: &&GateKey| self.own.contains(*key) && !is_canary(key);
                let opened = self.runtime.difference(dark).filter(is_ours);
                if !self.must_close.is_subset(dark) {
                    self.rash.extend(opened.cloned());
                }
                if !matches!(fault, Fault::Before | Fault::HalfWay) {
                    self.told_runtime.clone_from(dark);
                }
            }
            Stage::Durable => {
                let opened = self.durable.difference(dark).filter(|key| !is_canary(key));
                let is_shut = |key: &&GateKey| {
                    [&self.own, &self.runtime, &self.told_runtime]
                        .iter()
                        .all(|it| it.contains(*key))
                };
                self.fragile.extend(opened.filter(is_shut).cloned());
                let is_lie = fault == Fault::Lie;
                self.promised = if is_lie { dark.clone() } else { GateSet::new() };
            }
        }
        self.must_close.retain(|key| !dark.contains(key));
    }

    /// Foreign dark entries stay; everything else becomes what is wanted.
    fn write(&mut self, stage: Stage, dark: &GateSet) {
        let foreign = &(&self.durable | &self.runtime) - &self.own;
        let (copy, other) = match stage {
            Stage::Durable => (&mut self.durable, &self.runtime),
            Stage::Runtime => (&mut self.runtime, &self.durable),
        };
        let target = dark | &(&foreign & copy);
        self.own = &(&(&self.own & other) | dark) - &foreign;
        self.touched.extend(target.symmetric_difference(copy).cloned());
        if stage == Stage::Runtime {
            self.opened.extend(copy.difference(&target).cloned());
        }
        *copy = target;
    }
}

/// The edge as its driver, its visitors and the test share it.
#[derive(Clone, Default)]
pub(crate) struct Shared(Arc<Mutex<Edge>>);

impl Shared {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Edge> {
        self.0.lock().unwrap()
    }
}

impl EdgeDriver for Shared {
    fn capabilities(&self) -> Capabilities {
        let mut edge = self.lock();
        let driver = edge.has_tunnels;
        edge.has_tunnels &= !edge.forgets_tunnels;
        Capabilities {
            cuts_tunnels: if driver { CutsTunnels::Driver } else { CutsTunnels::DataPlane },
            ..edge.capabilities.unwrap_or(Capabilities::FILE_GATE)
        }
    }

    fn lint(&mut self) -> Result<Vec<Lint>, EdgeError> {
        Ok(Vec::new())
    }

    fn observe(&mut self, keys: &[GateKey]) -> Result<Vec<GateView>, EdgeError> {
        let mut edge = self.lock();
        if edge.is_unreachable {
            return Err(error(EdgeErrorKind::Unreachable, "read the gate"));
        }
        edge.is_unseen &= edge.is_unreadable;
        let seen = |copy: &GateSet, key: &GateKey| match (edge.is_unreadable, copy.contains(key)) {
            (true, _) => Seen::Unknown,
            (false, true) => Seen::Dark,
            (false, false) => Seen::Lit,
        };
        let view = |key: &GateKey| GateView {
            durable: seen(&edge.durable, key),
            runtime: match edge.is_half_readable {
                true => Seen::Unknown,
                false => seen(&edge.runtime, key),
            },
            epoch: edge.epoch.filter(|_| !edge.hides_epoch),
            foreign: !edge.is_unreadable && edge.is_foreign(key),
            in_part: None,
        };
        Ok(keys.iter().map(view).collect())
    }

    fn owned(&mut self) -> Result<GateSet, EdgeError> {
        let edge = self.lock();
        Ok(if edge.has_record { &edge.own | &edge.unasked } else { edge.unasked.clone() })
    }

    fn apply(&mut self, epoch: Epoch, stage: Stage, dark: &GateSet) -> Result<(), EdgeError> {
        self.lock().apply(epoch, stage, dark)
    }

    fn get_ready(&mut self, _: &GateSet, _: &(dyn Fn() -> bool + Sync)) -> Result<bool, EdgeError> {
        match self.lock().is_unreachable {
            true => Err(error(EdgeErrorKind::Unreachable, "get ready")),
            false => Ok(true),
        }
    }

    fn generation(&mut self) -> Result<u64, EdgeError> {
        let edge = self.lock();
        match edge.is_unreachable {
            true => Err(error(EdgeErrorKind::Unreachable, "ask which process serves")),
            false => Ok(edge.generation),
        }
    }

    fn tunnels(&mut self, keys: &[GateKey]) -> Result<Vec<TunnelCount>, EdgeError> {
        let edge = self.lock();
        if edge.is_uncountable {
            return Err(error(EdgeErrorKind::Unreachable, "count sessions"));
        }
        let count = |key: &GateKey| match edge.uncounted.contains(key) {
            _ if edge.shared.contains(key) => TunnelCount::Shared,
            true => TunnelCount::Unknown,
            false => TunnelCount::Open(edge.tunnels.get(key).copied().unwrap_or_default()),
        };
        Ok(keys.iter().map(count).collect())
    }

    fn cut(&mut self, _epoch: Epoch, keys: &[GateKey]) -> Result<(), EdgeError> {
        let mut edge = self.lock();
        edge.calls.push(Call::Cut(keys.iter().map(ToString::to_string).collect()));
        if !edge.is_uncuttable {
            edge.tunnels.retain(|key, _| !keys.contains(key));
        }
        Ok(())
    }
}

impl Eyes for Shared {
    fn spell(&mut self, names: &[ProbeTarget], _: Duration) -> Asking {
        let mut edge = self.lock();
        for name in names {
            edge.calls.push(Call::Spell(name.host.clone()));
            if edge.spelled.contains(&name.host) {
                return Asking::over(Spelled::Past("upper case: 200".into()));
            }
            let told = edge.untold.contains(&name.host).then(|| "port: 502".to_owned());
            if let Some(what) = told.or(edge.is_unreachable.then(String::new)) {
                return Asking::over(Spelled::Untold(what));
            }
        }
        Asking::over(Spelled::Shut)
    }

    fn forget(&mut self) {
        let mut edge = self.lock();
        (edge.forgotten, edge.before) = (edge.forgotten + 1, None);
    }

    fn probe(&mut self, targets: &[ProbeTarget], _nonce: u64) -> Vec<ProbeResult> {
        let mut edge = self.lock();
        if !targets.is_empty() {
            let keys = targets.iter().map(|target| target.key.to_string());
            edge.calls.push(Call::Probe(keys.collect()));
            if let Some(runtime) = edge.successors.pop_front() {
                edge.take_over(runtime);
            }
        }
        let kept = edge.before.as_ref().unwrap_or(&edge.runtime);
        let first = |target: &ProbeTarget| match edge.serves_by(kept, &target.key) {
            _ if edge.misnamed.contains(&target.key) => {
                let trouble = Some(EdgeErrorKind::Certificate);
                ProbeResult { trouble, ..ProbeResult::default() }
            }
            _ if edge.is_unreachable || edge.blind.contains(&target.key) => ProbeResult::default(),
            Seen::Dark => ProbeResult { seen: Seen::Dark, status: 503, ..ProbeResult::default() },
            seen => ProbeResult { seen, status: 200, ..ProbeResult::default() },
        };
        let is_read = |target: &ProbeTarget| {
            !edge.is_unreachable && !edge.has_one_listener && edge.second.contains(&target.key)
        };
        let lit = ProbeResult { seen: Seen::Lit, status: 200, ..ProbeResult::default() };
        let see = |target: &ProbeTarget| match is_read(target) {
            true => first(target).and(lit),
            false => first(target),
        };
        targets.iter().map(see).collect()
    }
}

/// A key that a test wrote down.
pub(crate) fn key(text: &str) -> GateKey {
    GateKey::new(text).unwrap()
}

/// A built-in edge with its gate in a folder of its name.
pub(crate) fn builtin(folder: &Path, name: &str) -> Target {
    Target {
        name: name.into(),
        kind: "builtin".into(),
        gate: folder.join(name),
        listeners: Vec::new(),
        verify: None,
        settings: BTreeMap::new(),
        members: Vec::new(),
    }
}

/// The set of these keys.
pub(crate) fn set(keys: &[&str]) -> GateSet {
    keys.iter().map(|text| key(text)).collect()
}

/// True for the key on which edges are tried.
pub(crate) fn is_canary(key: &GateKey) -> bool {
    key.as_str() == CANARY_KEY
}

fn names(keys: &GateSet) -> Vec<String> {
    keys.iter().map(ToString::to_string).collect()
}

fn error(kind: EdgeErrorKind, doing: &str) -> EdgeError {
    EdgeError::new(kind, doing)
}
