//! Plans on their way to the edges: who agreed, what is undone, who is asked to look, and what
//! sites answered before they were taken dark.

use std::time::{Duration, Instant};

use relight_edge::{ProbeResult, ProbeTarget, Prober, Target};
use relight_model::{Digest, GateKey, Light, Seen};

use crate::at_once::at_once;
use crate::engine::Engine;
use crate::error::{EngineError, EngineErrorKind};
use crate::incident::{Baseline, Entry, EvidenceKind, Incident, Phase};
use crate::plan::Plan;
use crate::policy::{Person, Policy};
use crate::reconcile::{Eyes as _, Listeners};
use crate::switch::{find, site_of};

/// How long an order waits for what its sites answered before, of all edges together.
const BASELINES_WAIT_MAX: Duration = Duration::from_secs(2);

/// What was answered in time is not lost for a moment.
const BASELINES_GRACE: Duration = Duration::from_millis(500);

/// What undoing a dark order did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Undone {
    /// Sites that current evidence calls clear, and that are being opened.
    pub opened: Vec<GateKey>,
    /// Sites that stay dark, because nothing says that they may return.
    pub kept: Vec<GateKey>,
    /// The dark order for what a relight had opened: its gates are open until somebody drives the
    /// edges and it is proven.
    pub dark: Option<Box<Plan>>,
}

impl Engine {
    /// Takes a dark order back within ten minutes (ruling 1): what current evidence calls clear is
    /// opened, everything else stays dark and is listed.
    ///
    /// # Errors
    /// There is no such incident or order, it is too old, or the journal cannot be written.
    pub fn undo(&self, actor: &str, id: &str, plan: Digest) -> Result<Undone, EngineError> {
        let sites = self.with_ledger(|ledger| {
            let order = ledger.incident(id)?.orders.sites(&plan)?;
            Some(order.to_vec())
        });
        let sites = sites.ok_or_else(|| {
            let context = format!("no order of {id} has the hash {plan}");
            EngineError::new(EngineErrorKind::NotFound, context)
        })?;
        self.record(actor, id, Entry::PlanUndone { plan })?;
        self.attach_evidence(actor, id, &sites, EvidenceKind::Scan)?;
        self.relight(actor, id, &sites)?;
        let is_open = |site: &GateKey| self.with_ledger(|ledger| ledger.wants(site)) == Light::Lit;
        let (opened, kept) = sites.into_iter().partition(is_open);
        Ok(Undone { opened, kept, dark: None })
    }

    /// Somebody looks at sites that are wanted dark: the journal says so, and what the register
    /// knows about them now is their evidence. Those that stay unknown are returned: they need a
    /// fresh inventory.
    ///
    /// # Errors
    /// There is no such incident, or the journal cannot be written.
    pub fn analyse(
        &self,
        actor: &str,
        id: &str,
        sites: &[GateKey],
    ) -> Result<Vec<GateKey>, EngineError> {
        let begun = [Phase::DarkRequested, Phase::DarkProven, Phase::Failed];
        let looked = [Phase::Analysing, Phase::Unknown];
        let of = |phases: &[Phase]| -> Vec<GateKey> {
            let is_in =
                |site: &&GateKey| self.phase(id, site).is_some_and(|phase| phases.contains(&phase));
            sites.iter().filter(is_in).cloned().collect()
        };
        let fresh = of(&begun);
        if !fresh.is_empty() {
            self.record(actor, id, Entry::AnalysisStarted { sites: fresh })?;
        }
        self.attach_evidence(actor, id, &of(&looked), EvidenceKind::Scan)?;
        Ok(of(&looked))
    }

    /// Journals what the sites of a dark plan answer now, so that afterwards the same class of
    /// answer counts as lit: a site that answered 500 before is not broken by a relight. Every
    /// listener has to give the same class; a site that does not answer in time, or whose gate
    /// does, has no baseline. Nothing is asked for whom the policy lets propose no such plan.
    ///
    /// # Errors
    /// There is no such incident, the store cannot be read, or the journal cannot be written.
    pub fn take_baselines(
        &self,
        policy: &Policy,
        person: &Person,
        plan: &Plan,
        nonce: u64,
    ) -> Result<usize, EngineError> {
        if self.decide(policy, |desk| desk.propose(person, plan)).is_err() {
            return Ok(0);
        }
        self.record_baselines(&person.name, plan, nonce)
    }

    /// The same of a plan that the register itself asks for.
    pub(crate) fn record_baselines(
        &self,
        actor: &str,
        plan: &Plan,
        nonce: u64,
    ) -> Result<usize, EngineError> {
        let mut asked = Vec::new();
        for target in crate::edges::from_rows(&self.store.edges()?)? {
            let sites = self.unrecorded(plan, &target.name)?;
            if !sites.is_empty() {
                asked.push((target, sites));
            }
        }
        let deadline = Instant::now() + BASELINES_WAIT_MAX;
        let look = move |(target, sites): (Target, Vec<ProbeTarget>)| {
            let left = deadline.saturating_duration_since(Instant::now());
            baselines(&target, &sites, nonce, left)
        };
        // An edge that cannot be probed, or hangs, holds up no order about the others.
        let answers = at_once(asked, BASELINES_WAIT_MAX + BASELINES_GRACE, look);
        let statuses: Vec<Baseline> = answers.into_iter().flatten().flatten().collect();
        let count = statuses.len();
        if count > 0 {
            self.record(actor, &plan.incident, Entry::BaselineTaken { statuses })?;
        }
        Ok(count)
    }

    /// The sites of a plan on one edge whose answer was never recorded.
    fn unrecorded(&self, plan: &Plan, edge: &str) -> Result<Vec<ProbeTarget>, EngineError> {
        let state = self.read();
        let incident: &Incident = find(&state, &plan.incident)?;
        let on_edge = plan.sites.iter().filter(|site| site.edge == edge);
        let new = on_edge
            .filter(|site| incident.case(&site.site).is_none_or(|case| case.baseline.is_none()));
        let sites = new.filter_map(|site| site_of(&state, &site.site));
        let target = |site: &relight_model::Site| {
            ProbeTarget::site(site.slug.clone(), site.host().to_owned(), None)
        };
        Ok(sites.map(target).collect())
    }

    /// Refuses a plan that is not what would be made now.
    pub(crate) fn check(&self, plan: &Plan) -> Result<(), EngineError> {
        let rebuilt = self.rebuild(plan)?;
        plan.check(&rebuilt, self.now()).map_err(|stale| {
            EngineError::new(EngineErrorKind::Stale(stale), "the plan is not what was shown")
        })
    }
}

/// What every listener of an edge answers for its sites.
fn baselines(
    target: &Target,
    sites: &[ProbeTarget],
    nonce: u64,
    wait_max: Duration,
) -> Vec<Baseline> {
    let Ok(probers) = Prober::all(target) else { return Vec::new() };
    let seen = Listeners::new(probers).glance(sites, nonce, wait_max);
    let answered = sites.iter().zip(seen).filter(|(_, result)| is_own_answer(result));
    let baseline = |(target, result): (&ProbeTarget, ProbeResult)| Baseline {
        site: target.key.clone(),
        class: result.status / 100,
    };
    answered.map(baseline).collect()
}

/// 421 comes from the edge, which does not know the name, and so does what a gate answers; 0 is no
/// answer, or not the same at every listener.
fn is_own_answer(result: &ProbeResult) -> bool {
    let is_closed = result.is_gated || result.shows(Seen::Dark);
    result.status >= 100 && result.status != 421 && !is_closed && result.trouble.is_none()
}
