//! Approvals that were given beforehand, for a rule: journalled before they are used, and used for
//! plans that darken (INCIDENT 4 and Q1).

use relight_model::Digest;

use crate::engine::{ACTOR, Engine};
use crate::error::EngineError;
use crate::incident::{Actions, Authority, Circumstance, Entry};
use crate::plan::Plan;
use crate::policy::{Desk, Policy};

impl Engine {
    /// Journals what a signed policy gives beforehand, where the journal does not have it as it
    /// stands there. What the journal does not take (it is over, or ends too late) is not in force.
    ///
    /// # Errors
    /// The journal cannot be written.
    pub fn give_beforehand(&self, policy: &Policy) -> Result<(), EngineError> {
        if !policy.is_signed {
            return Ok(());
        }
        let now = self.now();
        let is_new = |it: &&Authority| {
            it.check(now).is_ok()
                && self.with_ledger(|ledger| ledger.authority(&it.name) != Some(*it))
        };
        let new = policy.standing.iter().filter(is_new);
        let entry =
            |it: &Authority| (String::new(), Entry::AuthorityGranted { authority: it.clone() });
        self.append(ACTOR, new.map(entry).collect()).map(drop)
    }

    /// The entry by which an authority stands for the second person under a plan that was just
    /// proposed; nothing where none does.
    pub(crate) fn authorised(
        &self,
        policy: &Policy,
        (plan, hash): (&Plan, Digest),
        (ahead, number): (&Actions, u32),
    ) -> Option<Entry> {
        if policy.standing.is_empty() {
            return None;
        }
        let (about, protected) = (self.circumstance(plan)?, self.read().protected.clone());
        let desk = Desk { policy, actions: ahead, protected: &protected, now: self.now() };
        let given = desk.authorise(number, hash, &about).ok()?;
        // A journal that cannot be written says so of the plan as well.
        self.give_beforehand(policy).ok()?;
        let is_given = self.with_ledger(|ledger| {
            ledger.authority(&given.name) == Some(given) && !ledger.is_authority_over(given)
        });
        let name = given.name.clone();
        is_given.then_some(Entry::AuthorityUsed { plan: hash, name })
    }

    /// What is known of the flaw of an incident, and of the sites of a plan. Nobody said of a site
    /// that it is inside: the internet reaches it.
    fn circumstance(&self, plan: &Plan) -> Option<Circumstance> {
        let state = self.read();
        let incident = state.ledger.incident(&plan.incident)?;
        let group = state.inventory.advisories().group(&incident.question)?;
        let is_outside = |site: &crate::plan::PlanSite| {
            let known = state.by_key.get(&site.site).and_then(|at| state.sites.get(*at));
            known.is_some_and(|it| it.exposure.faces_internet())
        };
        let faces_internet = plan.sites.iter().all(is_outside);
        let (score, known_exploited) = (group.score(), group.known_exploited());
        Some(Circumstance { score, known_exploited, faces_internet })
    }
}
