//! Plans on their way to the edges: who agreed, what is undone, who is asked to look, and what
//! sites answered before they were taken dark.

use relight_edge::{ProbeTarget, Prober};
use relight_model::{Digest, GateKey, Light};

use crate::approval::{Approval, Approvals, Fictional};
use crate::engine::Engine;
use crate::error::{EngineError, EngineErrorKind};
use crate::incident::{Baseline, Entry, EvidenceKind, Incident, Phase, Seat};
use crate::plan::{Action, Plan};
use crate::switch::{find, site_of};

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
    /// Executes a plan that those who have to agree agreed to, or that a standing authority
    /// covers. An authority darkens; it never relights.
    ///
    /// # Errors
    /// Approval is missing, was denied or is over ([`EngineErrorKind::Approval`]); else as
    /// [`Engine::execute`].
    pub fn execute_approved(
        &self,
        plan: &Plan,
        actor: &str,
        approvals: &dyn Approvals,
    ) -> Result<(), EngineError> {
        self.admit(plan, actor, approvals)?;
        self.execute(plan, actor)
    }

    /// As [`Engine::execute_approved`], and executes nothing: for a relight that goes by waves.
    ///
    /// # Errors
    /// As [`Engine::execute_approved`].
    pub fn admit(
        &self,
        plan: &Plan,
        actor: &str,
        approvals: &dyn Approvals,
    ) -> Result<(), EngineError> {
        let hash = plan.hash()?;
        let state = approvals.state(&hash, self.now());
        if matches!(state, Approval::Granted { .. }) {
            return self.check(plan);
        }
        let authority = self.authority_for(plan).filter(|_| matches!(state, Approval::Needs(_)));
        let Some(name) = authority else { return Err(not_approved(state)) };
        self.check(plan)?;
        self.record(actor, &plan.incident, Entry::AuthorityUsed { plan: hash, name })
    }

    /// As [`Engine::admit`] where everybody plays every part, and journals the plan as one that was
    /// agreed to: waves go under no other.
    ///
    /// # Errors
    /// As [`Engine::admit`].
    pub fn admit_played(&self, plan: &Plan, actor: &str) -> Result<(), EngineError> {
        self.admit(plan, actor, &Fictional)?;
        let (seats, seat) = (vec![Seat::Command], Some(Seat::Command));
        let proposed = Entry::PlanProposed { plan: Box::new(plan.clone()), seats, seat };
        let entries = [proposed, Entry::PlanStarted { plan: plan.hash()? }];
        let entries = entries.into_iter().map(|entry| (plan.incident.clone(), entry)).collect();
        for result in self.append(actor, entries)? {
            result?;
        }
        Ok(())
    }

    /// Takes sites dark, or closes parts of them, without the approvals that the policy asks for:
    /// one person, journalled before anything happens, to be reviewed. There is no such way to
    /// relight (I11).
    ///
    /// # Errors
    /// The plan is no dark plan, or as [`Engine::execute`].
    pub fn break_glass(&self, plan: &Plan, actor: &str, reason: &str) -> Result<(), EngineError> {
        if !plan.action.is_closing() {
            let context = "nobody relights by breaking glass";
            return Err(EngineError::new(EngineErrorKind::Other, context));
        }
        self.check(plan)?;
        let entry = Entry::BreakGlass {
            plan: plan.hash()?,
            reason: reason.to_owned(),
            by: actor.to_owned(),
            proof: None,
        };
        self.record(actor, &plan.incident, entry)?;
        self.execute(plan, actor)
    }

    /// The name of the authority given beforehand that covers a dark plan.
    fn authority_for(&self, plan: &Plan) -> Option<String> {
        let state = self.read();
        let incident = state.ledger.incident(&plan.incident)?;
        let group = state.inventory.advisories().group(&incident.question)?;
        let is_dark = plan.action == Action::Dark;
        let found = state.ledger.authority(group.score(), group.known_exploited(), self.now());
        found.filter(|_| is_dark).map(|authority| authority.name.clone())
    }

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
    /// answer counts as lit: a site that answered 500 before is not broken by a relight. A site
    /// that does not answer has no baseline.
    ///
    /// # Errors
    /// There is no such incident, the store cannot be read, or the journal cannot be written.
    pub fn take_baselines(
        &self,
        actor: &str,
        plan: &Plan,
        nonce: u64,
    ) -> Result<usize, EngineError> {
        let mut statuses = Vec::new();
        for row in self.store.edges()? {
            let target = crate::edges::from_row(&row)?;
            let sites = self.unrecorded(plan, &target.name)?;
            // An edge that cannot be probed holds up no order about the others.
            let probers = match Prober::all(&target) {
                Ok(probers) if !sites.is_empty() => probers,
                _ => continue,
            };
            let Some(mut prober) = probers.into_iter().next() else { continue };
            let seen = prober.probe(&sites, nonce);
            let answered =
                sites.iter().zip(seen).filter(|(_, result)| is_own_answer(result.status));
            statuses.extend(answered.map(|(target, result)| Baseline {
                site: target.key.clone(),
                class: result.status / 100,
            }));
        }
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

/// 421 comes from the edge, which does not know the name; 0 is no answer.
const fn is_own_answer(status: u16) -> bool {
    status >= 100 && status != 421
}

fn not_approved(approval: Approval) -> EngineError {
    EngineError::new(EngineErrorKind::Approval(approval), "the plan is not approved")
}
