//! Carrying a plan out to its end: the wait for proofs, and relight by waves.

use std::collections::BTreeSet;
use std::sync::{MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use relight_model::{Digest, GateKey, Light};

use crate::engine::{ACTOR, Engine};
use crate::error::EngineError;
use crate::incident::{self, Entry, Gate, Phase};
use crate::plan::{self, PLAN_AGE_MAX_S, Plan};
use crate::waves::{Next, Waves};

/// Longest wait until every site of one wave is proven.
pub const PROOF_WAIT_MAX: Duration = Duration::from_secs(30);

/// How a plan ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rollout {
    /// Sites that were switched and are not proven.
    pub open: Vec<GateKey>,
    /// Sites that were left alone, because too many before them did not come back.
    pub left: Vec<GateKey>,
    /// Sites that something else keeps dark since the plan was made: another incident holds them,
    /// or what was known of them changed. They failed at nothing, and are left as they were.
    pub held: Vec<GateKey>,
}

/// Of the sites of a wave, those that are on their way, and those that something else keeps dark.
type Parted = (Vec<GateKey>, Vec<GateKey>);

/// A plan that this thread carries out; it is given up also where that panics.
struct Carrying<'a> {
    engine: &'a Engine,
    hash: Digest,
}

impl Drop for Carrying<'_> {
    fn drop(&mut self) {
        self.engine.carried().remove(&self.hash);
    }
}

impl Engine {
    /// Opens a canary, then the rest by waves, the most critical first; when more than one in a
    /// hundred does not come back, the others stay dark. Somebody else drives the edges. The end
    /// is journalled. Where another thread does so already, nothing is done.
    ///
    /// # Errors
    /// There is no such incident, or the journal cannot be written.
    pub fn relight_by_waves(&self, actor: &str, plan: &Plan) -> Result<Rollout, EngineError> {
        let mut rollout = Rollout::default();
        // Once for all waves: it may be over thousands of sites.
        let hash = plan.hash()?;
        let Some(_carrying) = self.carry(hash) else { return Ok(rollout) };
        let mut waves = Waves::new(&plan.sites);
        loop {
            match waves.step() {
                Next::Wave(wave) => {
                    let Some((going, held)) = self.let_wave_go(actor, plan, &hash, wave)? else {
                        return Ok(rollout);
                    };
                    rollout.held.extend(held);
                    let open = self.wait_proven(plan, &going).into_iter();
                    let (held, open): Parted = self.with_ledger(|ledger| {
                        open.partition(|site| ledger.is_dark_elsewhere(&plan.incident, site))
                    });
                    waves.tell(going.len() - held.len(), open.len());
                    rollout.open.extend(open);
                    rollout.held.extend(held);
                }
                Next::Done => break,
                Next::Stopped(left) => {
                    rollout.left = left;
                    break;
                }
            }
        }
        self.end(actor, plan, hash, &rollout)?;
        Ok(rollout)
    }

    /// The plans that relight, were let go, and came to no end, and that no thread of this process
    /// carries: whoever went on with them is gone. Only who controls the register may ask; before
    /// that the other may still be at it.
    pub fn unfinished(&self) -> Vec<incident::Action> {
        let mut found: Vec<incident::Action> = self.with_ledger(|ledger| {
            let is_open = |id: &str| ledger.incident(id).is_some_and(|incident| !incident.closed);
            let actions = ledger.actions().newest();
            let is_so = |action: &&incident::Action| {
                action.under_way().is_some() && is_open(&action.plan.incident)
            };
            actions.filter(is_so).cloned().collect()
        });
        let carried = self.carried();
        found.retain(|action| !carried.contains(&action.hash));
        found.reverse();
        found
    }

    fn carried(&self) -> MutexGuard<'_, BTreeSet<Digest>> {
        self.carried.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a plan for this thread, until what is given goes; nothing where another has it.
    fn carry(&self, hash: Digest) -> Option<Carrying<'_>> {
        self.carried().insert(hash).then_some(Carrying { engine: self, hash })
    }

    /// Goes on with the waves of a plan that came to no end, in the name of who let it go; one that
    /// is too old for that ends here, and what waits of it needs a new plan.
    ///
    /// # Errors
    /// The journal cannot be written.
    pub fn go_on(&self, action: &incident::Action) -> Result<Rollout, EngineError> {
        let plan = &*action.plan;
        let signer = action.signatures.last().map_or(&plan.proposer, |it| &it.by);
        let Some(started) = action.under_way() else { return Ok(Rollout::default()) };
        if (0..PLAN_AGE_MAX_S).contains(&(self.now() - started)) {
            return self.relight_by_waves(signer, plan);
        }
        let waits =
            |site: &GateKey| self.phase(&plan.incident, site) == Some(Phase::RelightEligible);
        let left = plan.keys().into_iter().filter(waits).collect();
        let rollout = Rollout { left, ..Rollout::default() };
        self.end(ACTOR, plan, action.hash, &rollout)?;
        Ok(rollout)
    }

    /// The plan was started, and neither came to its end nor was taken back.
    fn is_under_way(&self, hash: &Digest) -> bool {
        self.with_ledger(|ledger| {
            ledger.actions().of(hash).is_some_and(|action| action.under_way().is_some())
        })
    }

    /// Journals how the waves ended, unless the plan was taken back meanwhile.
    fn end(
        &self,
        actor: &str,
        plan: &Plan,
        hash: Digest,
        rollout: &Rollout,
    ) -> Result<(), EngineError> {
        let _one = self.one_act();
        if !self.is_under_way(&hash) {
            return Ok(());
        }
        let Rollout { open: failed, left, held } = rollout.clone();
        self.record(actor, &plan.incident, Entry::PlanEnded { plan: hash, failed, left, held })
    }

    /// Opens the sites of one wave, if the plan was started and not taken back meanwhile: whoever
    /// takes it back does so between two waves.
    fn let_wave_go(
        &self,
        actor: &str,
        plan: &Plan,
        hash: &Digest,
        wave: Vec<GateKey>,
    ) -> Result<Option<Parted>, EngineError> {
        let _one = self.one_act();
        if !self.is_under_way(hash) {
            return Ok(None);
        }
        let started = self.start_relight(actor, &plan.incident, &wave)?;
        Ok(Some(self.with_ledger(|ledger| {
            let incident = ledger.incident(&plan.incident);
            let is_lit = |site: &GateKey| {
                let case = incident.and_then(|it| it.case(site));
                case.is_some_and(|case| case.phase.wants() == Light::Lit)
            };
            wave.into_iter().partition(|site| {
                (started.contains(site) || is_lit(site))
                    && !ledger.is_dark_elsewhere(&plan.incident, site)
            })
        })))
    }

    /// Waits until every one of these sites of the plan is proven, or has failed; those that are
    /// not after [`PROOF_WAIT_MAX`].
    pub fn wait_proven(&self, plan: &Plan, sites: &[GateKey]) -> Vec<GateKey> {
        let deadline = Instant::now() + PROOF_WAIT_MAX;
        let asked: BTreeSet<&GateKey> = sites.iter().collect();
        loop {
            let version = self.version();
            let open: Vec<GateKey> =
                asked.iter().filter(|site| !self.is_proven(plan, site)).copied().cloned().collect();
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || open.iter().all(|site| self.has_failed(plan, site)) {
                return open;
            }
            self.wait_changed(version, left);
        }
    }

    fn is_proven(&self, plan: &Plan, site: &GateKey) -> bool {
        if let Some(gate) = self.part_gate(plan, site) {
            return gate
                == if plan.action == plan::Action::Close { Gate::Proven } else { Gate::Open };
        }
        self.with_ledger(|ledger| {
            let case = ledger.incident(&plan.incident).and_then(|incident| incident.case(site));
            case.is_some_and(|case| match plan.action {
                // Clear evidence may have called it back already.
                plan::Action::Dark => {
                    case.gate == Gate::Proven
                        || matches!(case.phase, Phase::Relighting | Phase::RelitProven)
                }
                plan::Action::Relight => case.phase == Phase::RelitProven,
                plan::Action::Close | plan::Action::Open => false,
            })
        })
    }

    /// The gate of the part of a site that a plan is about.
    fn part_gate(&self, plan: &Plan, site: &GateKey) -> Option<Gate> {
        let name = plan.part.as_deref()?;
        self.with_ledger(|ledger| {
            let mut parts = ledger.incident(&plan.incident)?.parts_of(site);
            parts.find(|part| part.name.part.name() == name).map(|part| part.gate)
        })
    }

    /// Dark could not be proven, and everybody was told; or what was to open is not being opened
    /// any more, or another incident keeps it dark.
    fn has_failed(&self, plan: &Plan, site: &GateKey) -> bool {
        if let Some(gate) = self.part_gate(plan, site) {
            return plan.action == plan::Action::Close && gate == Gate::Failed;
        }
        self.with_ledger(|ledger| {
            let case = ledger.incident(&plan.incident).and_then(|incident| incident.case(site));
            case.is_some_and(|case| match plan.action {
                plan::Action::Dark => case.gate == Gate::Failed,
                plan::Action::Relight => {
                    case.phase != Phase::Relighting || ledger.wants(site) == Light::Dark
                }
                plan::Action::Close | plan::Action::Open => false,
            })
        })
    }
}
