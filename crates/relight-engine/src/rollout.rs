//! Carrying a plan out to its end: the wait for proofs, and relight by waves.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use relight_model::GateKey;

use crate::engine::Engine;
use crate::error::EngineError;
use crate::incident::{Gate, Phase, Standing};
use crate::plan::{Action, Plan};
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
}

impl Engine {
    /// Opens a canary, then the rest by waves, the most critical first; when more than one in a
    /// hundred does not come back, the others stay dark. Somebody else drives the edges.
    ///
    /// # Errors
    /// There is no such incident, or the journal cannot be written.
    pub fn relight_by_waves(&self, actor: &str, plan: &Plan) -> Result<Rollout, EngineError> {
        let mut waves = Waves::new(&plan.sites);
        let mut rollout = Rollout::default();
        loop {
            match waves.step() {
                Next::Wave(wave) => {
                    if !self.let_wave_go(actor, plan, &wave)? {
                        return Ok(rollout);
                    }
                    let open = self.wait_proven(plan, &wave);
                    waves.tell(wave.len(), open.len());
                    rollout.open.extend(open);
                }
                Next::Done => return Ok(rollout),
                Next::Stopped(left) => {
                    rollout.left = left;
                    return Ok(rollout);
                }
            }
        }
    }

    /// Opens the sites of one wave, if the plan was started and not taken back meanwhile: whoever
    /// takes it back does so between two waves.
    fn let_wave_go(&self, actor: &str, plan: &Plan, wave: &[GateKey]) -> Result<bool, EngineError> {
        let _one = self.one_act();
        let hash = plan.hash()?;
        let is_started = self.with_ledger(|ledger| {
            let action = ledger.actions().of(&hash);
            action.is_some_and(|it| matches!(it.standing, Standing::Started { .. }))
        });
        if is_started {
            self.relight(actor, &plan.incident, wave)?;
        }
        Ok(is_started)
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
            return gate == if plan.action == Action::Close { Gate::Proven } else { Gate::Open };
        }
        self.with_ledger(|ledger| {
            let case = ledger.incident(&plan.incident).and_then(|incident| incident.case(site));
            case.is_some_and(|case| match plan.action {
                // Clear evidence may have called it back already.
                Action::Dark => {
                    case.gate == Gate::Proven
                        || matches!(case.phase, Phase::Relighting | Phase::RelitProven)
                }
                Action::Relight => case.phase == Phase::RelitProven,
                Action::Close | Action::Open => false,
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

    /// Dark could not be proven, and everybody was told.
    fn has_failed(&self, plan: &Plan, site: &GateKey) -> bool {
        if let Some(gate) = self.part_gate(plan, site) {
            return plan.action == Action::Close && gate == Gate::Failed;
        }
        self.with_ledger(|ledger| {
            let case = ledger.incident(&plan.incident).and_then(|incident| incident.case(site));
            plan.action == Action::Dark && case.is_some_and(|case| case.gate == Gate::Failed)
        })
    }
}
