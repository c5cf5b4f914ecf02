//! What people do through a server, each act one decision of the policy and one transaction of the
//! journal. One act at a time: what was decided on is what is written.

use std::sync::{Arc, MutexGuard, PoisonError};

use relight_model::{Digest, GateKey, Verdict};

use crate::access::Scope;
use crate::engine::Engine;
use crate::error::{EngineError, EngineErrorKind};
use crate::incident::{Action, Actions, Entry, EvidenceKind, Phase, Proof, Standing};
use crate::orders::Undone;
use crate::plan::{self, Plan, PlanAsk};
use crate::policy::{Desk, Person, Policy, Refusal};

/// What somebody says by approving.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approving {
    /// Hash of the plan that was read.
    pub hash: Digest,
    /// The number of sites, where it has to be typed.
    pub typed: Option<usize>,
    /// What a passkey signed for it.
    pub proof: Option<Proof>,
}

/// What somebody says by breaking glass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Smashing<'a> {
    /// Hash of the plan that was read.
    pub hash: Digest,
    /// Why it cannot wait.
    pub reason: &'a str,
    /// What the key signed for it.
    pub proof: Option<Proof>,
}

/// What became of an act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acted {
    /// Number of the action.
    pub number: u32,
    /// Its plan is being carried out.
    pub started: bool,
}

/// A plan that everybody agreed to.
struct Starting {
    /// Number of the action.
    number: u32,
    /// What is journalled before its start.
    before: Vec<Entry>,
    /// Its sites that are not switched.
    left: Vec<GateKey>,
}

impl Engine {
    /// Asks for a plan to be carried out. Where one person is enough, or what was given beforehand
    /// stands for the second, it is. Asking twice for the same plan is asking once.
    ///
    /// # Errors
    /// A rule forbids it ([`EngineErrorKind::Refused`]), the world differs from the one in which
    /// the plan was made, or the journal cannot be written.
    pub fn propose(
        &self,
        policy: &Policy,
        person: &Person,
        plan: &Plan,
    ) -> Result<Acted, EngineError> {
        self.propose_proven(policy, person, plan, None)
    }

    /// The same with what a passkey signed, which is kept with the proposal. That it is good was
    /// checked by whoever knows the keys.
    ///
    /// # Errors
    /// As [`Engine::propose`].
    pub fn propose_proven(
        &self,
        policy: &Policy,
        person: &Person,
        plan: &Plan,
        proof: Option<Proof>,
    ) -> Result<Acted, EngineError> {
        let _one = self.one_act();
        let hash = plan.hash()?;
        if let Some(acted) = self.asked_again(person, plan, &hash)? {
            return Ok(acted);
        }
        self.check_under(policy, plan)?;
        let proposed = self.decide(policy, |desk| desk.propose(person, plan))?;
        let proposed = with_proof(proposed, proof);
        self.check_edges(plan)?;
        let (ahead, number) = self.foresee(plan, &hash, &proposed)?;
        let needs_more = ahead.get(number).is_some_and(|action| !action.empty().is_empty());
        let used = match needs_more {
            true => self.authorised(policy, (plan, hash), (&ahead, number)),
            false => None,
        };
        if needs_more && used.is_none() {
            self.decide(policy, |desk| desk.check_room(person))?;
            self.record(&person.name, &plan.incident, proposed)?;
            return Ok(Acted { number, started: false });
        }
        let before = [proposed].into_iter().chain(used).collect();
        let starting = Starting { number, before, left: Vec::new() };
        self.start(policy, &person.name, &plan.incident, starting)?;
        Ok(Acted { number, started: true })
    }

    /// The one operator of this machine, as the policy sees him. Once somebody can sign in, those
    /// people have the command of incidents, and he has his own sites.
    ///
    /// # Errors
    /// The accounts cannot be read.
    pub fn operator(&self, name: &str) -> Result<Person, EngineError> {
        let nobody_signs_in = self.store.account_tables()?.accounts.is_empty();
        let state = self.read();
        let bodies = state.orgs.values().filter_map(|path| Scope::parse(path));
        let person = Person::operator(name, bodies);
        Ok(if nobody_signs_in { person.in_command() } else { person })
    }

    /// Refuses what only the command of an incident does.
    ///
    /// # Errors
    /// The rule that forbids it.
    pub fn check_command(&self, policy: &Policy, person: &Person) -> Result<(), EngineError> {
        self.decide(policy, |desk| desk.command(person))
    }

    /// The plans as they will be after a proposal, and its number.
    fn foresee(
        &self,
        plan: &Plan,
        hash: &Digest,
        proposed: &Entry,
    ) -> Result<(Actions, u32), EngineError> {
        let mut ahead = self.with_ledger(|ledger| ledger.actions().clone());
        ahead.apply(&plan.incident, proposed, self.now())?;
        let number = ahead.of(hash).map(|action| action.number);
        let number = number.ok_or_else(|| refused(Refusal::UnknownAction))?;
        Ok((ahead, number))
    }

    /// Agrees to the plan of an action; the last one to agree has it carried out.
    ///
    /// # Errors
    /// As [`Engine::propose`]. A plan that is stale is refused before anything is journalled.
    pub fn approve(
        &self,
        policy: &Policy,
        person: &Person,
        number: u32,
        hash: Digest,
        typed: Option<usize>,
    ) -> Result<Acted, EngineError> {
        self.approve_proven(policy, person, number, Approving { hash, typed, proof: None })
    }

    /// The same with what a passkey signed, which is kept with the approval. That it is good was
    /// checked by whoever knows the keys.
    ///
    /// # Errors
    /// As [`Engine::approve`].
    pub fn approve_proven(
        &self,
        policy: &Policy,
        person: &Person,
        number: u32,
        approving: Approving,
    ) -> Result<Acted, EngineError> {
        let _one = self.one_act();
        let Approving { hash, typed, proof } = approving;
        let approval = self.decide(policy, |desk| desk.approve(person, number, hash, typed))?;
        let approval = with_proof(approval, proof);
        let found = self.with_ledger(|ledger| {
            let action = ledger.actions().get(number)?;
            Some((Arc::clone(&action.plan), action.empty().len()))
        });
        let (plan, empty) = found.ok_or_else(|| refused(Refusal::UnknownAction))?;
        self.check_under(policy, &plan)?;
        let left = self.unswitched(&plan)?;
        if empty > 1 {
            self.record(&person.name, &plan.incident, approval)?;
            return Ok(Acted { number, started: false });
        }
        let starting = Starting { number, before: vec![approval], left };
        self.start(policy, &person.name, &plan.incident, starting)?;
        Ok(Acted { number, started: true })
    }

    /// Refuses the plan of an action, or takes back one's own.
    ///
    /// # Errors
    /// A rule forbids it, or the journal cannot be written.
    pub fn refuse(
        &self,
        policy: &Policy,
        person: &Person,
        number: u32,
        hash: Digest,
        why: &str,
    ) -> Result<(), EngineError> {
        let _one = self.one_act();
        let entry = self.decide(policy, |desk| desk.refuse(person, number, hash, why))?;
        let incident = self.incident_of(number)?;
        self.record(&person.name, &incident, entry)
    }

    /// Takes a plan back, by somebody who signed it, or by the command where glass was broken for
    /// it: a dark one as [`Engine::undo`] does; of one that relights, the waves stop and what it
    /// opened goes dark again, for which those who agreed to it need not be asked once more.
    ///
    /// # Errors
    /// A rule forbids it, it is too late, or the journal cannot be written.
    pub fn take_back(
        &self,
        policy: &Policy,
        person: &Person,
        number: u32,
    ) -> Result<Undone, EngineError> {
        let _one = self.one_act();
        self.decide(policy, |desk| desk.undo(person, number))?;
        let incident = self.incident_of(number)?;
        let relit = self.with_ledger(|ledger| {
            let plan = ledger.actions().get(number).map(|action| Arc::clone(&action.plan));
            plan.filter(|plan| plan.action == plan::Action::Relight)
        });
        if let Some(relit) = relit {
            return self.darken_again(policy, person, number, &relit);
        }
        let hash = self.with_ledger(|ledger| ledger.actions().get(number).map(|it| it.hash));
        self.undo(&person.name, &incident, hash.unwrap_or_default())
    }

    /// Takes the dark order under a plan back. One that nobody proposed, because glass was broken
    /// for it, or that is older than what people are asked for, is taken back by the command only.
    ///
    /// # Errors
    /// As [`Engine::take_back`].
    pub fn take_order_back(
        &self,
        policy: &Policy,
        person: &Person,
        (id, plan): (&str, Digest),
    ) -> Result<Undone, EngineError> {
        let number = self.with_ledger(|ledger| ledger.actions().of(&plan).map(|it| it.number));
        if let Some(number) = number {
            return self.take_back(policy, person, number);
        }
        let _one = self.one_act();
        self.check_command(policy, person)?;
        self.undo(&person.name, id, plan)
    }

    /// What a plan that relights opened goes dark again.
    fn darken_again(
        &self,
        policy: &Policy,
        person: &Person,
        number: u32,
        relit: &Plan,
    ) -> Result<Undone, EngineError> {
        let is_open = |site: &GateKey| {
            let phase = self.phase(&relit.incident, site);
            matches!(phase, Some(Phase::Relighting | Phase::RelitProven))
        };
        let sites: Vec<GateKey> = relit.keys().into_iter().filter(is_open).collect();
        let ask = PlanAsk {
            incident: relit.incident.clone(),
            action: plan::Action::Dark,
            part: None,
            reason: format!("A-{number:04} was taken back"),
            advisory_revision: Digest::default(),
            policy: policy.digest,
            proposer: person.name.clone(),
            created: self.now(),
        };
        let dark = self.plan(ask, &sites)?;
        let undone = Entry::PlanUndone { plan: relit.hash()? };
        let mut entries = vec![(relit.incident.clone(), undone)];
        if !dark.sites.is_empty() {
            let (plan, sites, reason) = (dark.hash()?, dark.keys(), dark.reason.clone());
            let order = Entry::DarkOrdered { plan, sites, reason };
            entries.push((relit.incident.clone(), order));
        }
        for result in self.append(&person.name, entries)? {
            result?;
        }
        let (kept, dark) = (dark.keys(), (!dark.sites.is_empty()).then(|| Box::new(dark)));
        Ok(Undone { opened: Vec::new(), kept, dark })
    }

    /// Darkens by one person with a key of hardware; journalled before anything happens.
    ///
    /// # Errors
    /// As [`Engine::propose`].
    pub fn smash_glass(
        &self,
        policy: &Policy,
        person: &Person,
        plan: &Plan,
        smashing: Smashing<'_>,
    ) -> Result<(), EngineError> {
        let _one = self.one_act();
        let Smashing { hash, reason, proof } = smashing;
        if plan.hash()? != hash {
            return Err(refused(Refusal::OtherHash));
        }
        let standing = self
            .with_ledger(|ledger| ledger.actions().of(&hash).map(|action| action.standing.clone()));
        // What was refused, or done, is not done by breaking glass.
        match standing {
            None | Some(Standing::Waiting) => {}
            Some(Standing::Refused { .. }) => return Err(refused(Refusal::Refused)),
            Some(_) => return Err(refused(Refusal::Done)),
        }
        self.check_under(policy, plan)?;
        let glass = self.decide(policy, |desk| desk.break_glass(person, plan, reason))?;
        let glass = with_proof(glass, proof);
        self.carry_out(&person.name, (plan, hash), vec![glass])
    }

    /// Says what somebody else found about broken glass.
    ///
    /// # Errors
    /// A rule forbids it, or the journal cannot be written.
    pub fn review_glass(
        &self,
        policy: &Policy,
        person: &Person,
        plan: Digest,
        note: &str,
    ) -> Result<(), EngineError> {
        let _one = self.one_act();
        let entry = self.decide(policy, |desk| desk.review(person, plan, note))?;
        let incident = self.with_ledger(|ledger| {
            let mut glass = ledger.actions().glass().iter();
            glass.find(|glass| glass.plan == plan).map(|glass| glass.incident.clone())
        });
        self.record(&person.name, &incident.unwrap_or_default(), entry)
    }

    /// Journals what was decided before, the start, and the order, in one transaction.
    fn start(
        &self,
        policy: &Policy,
        actor: &str,
        incident: &str,
        starting: Starting,
    ) -> Result<(), EngineError> {
        let Starting { number, before, left } = starting;
        let (mut ahead, protected, now) = {
            let state = self.read();
            (state.ledger.actions().clone(), state.protected.clone(), self.now())
        };
        for entry in &before {
            ahead.apply(incident, entry, now)?;
        }
        let hash = ahead.get(number).map(|action| action.hash);
        let hash = hash.ok_or_else(|| refused(Refusal::UnknownAction))?;
        let desk = Desk { policy, actions: &ahead, protected: &protected, now };
        let started = desk.start(number, hash, left).map_err(refused)?;
        ahead.apply(incident, &started, now)?;
        let carried = ahead.get(number).map(Action::carried);
        let carried = carried.ok_or_else(|| refused(Refusal::UnknownAction))?;
        let entries = before.into_iter().chain([started]).collect();
        self.carry_out(actor, (&carried, hash), entries)
    }

    /// The order after what allows it, under the hash that was agreed to. A relight is only allowed
    /// here: it goes by waves.
    fn carry_out(
        &self,
        actor: &str,
        (plan, hash): (&Plan, Digest),
        mut entries: Vec<Entry>,
    ) -> Result<(), EngineError> {
        entries.extend(self.order_under(plan, hash)?);
        self.append_order(actor, plan, entries)?;
        if plan.action == plan::Action::Dark {
            // What the inventory says is the first evidence. A site that it calls clear was
            // ordered dark all the same: calling it back at once is not what was asked.
            let known = plan.sites.iter().filter(|site| site.verdict != Verdict::Clear.as_str());
            let known: Vec<GateKey> = known.map(|site| site.site.clone()).collect();
            self.attach_evidence(actor, &plan.incident, &known, EvidenceKind::Scan)?;
        }
        Ok(())
    }

    /// Refuses a plan that is not what would be made now, or was made under other rules.
    pub(crate) fn check_under(&self, policy: &Policy, plan: &Plan) -> Result<(), EngineError> {
        self.check(plan)?;
        if plan.policy == policy.digest {
            return Ok(());
        }
        let stale = plan::PlanStale::Differs("policy");
        let context = "the policy changed since the plan was made";
        Err(EngineError::new(EngineErrorKind::Stale(stale), context))
    }

    /// Asks the policy, over the journal as it is.
    pub(crate) fn decide<T>(
        &self,
        policy: &Policy,
        ask: impl FnOnce(&Desk<'_>) -> Result<T, Refusal>,
    ) -> Result<T, EngineError> {
        let state = self.read();
        let now = self.now();
        let actions = state.ledger.actions();
        let desk = Desk { policy, actions, protected: &state.protected, now };
        ask(&desk).map_err(refused)
    }

    fn acted(&self, hash: &Digest) -> Option<Acted> {
        self.with_ledger(|ledger| {
            let action = ledger.actions().of(hash)?;
            let started = matches!(action.standing, Standing::Started { .. });
            Some(Acted { number: action.number, started })
        })
    }

    /// Where a plan stands that was proposed already, for who proposed it; one that can not be
    /// carried out any more is refused.
    fn asked_again(
        &self,
        person: &Person,
        plan: &Plan,
        hash: &Digest,
    ) -> Result<Option<Acted>, EngineError> {
        let now = self.now();
        let found = self.with_ledger(|ledger| {
            ledger.actions().of(hash).map(|action| (action.standing.clone(), action.is_open(now)))
        });
        let why = match found {
            None => return Ok(None),
            Some(_) if !person.is(&plan.proposer) => Refusal::OtherHash,
            Some((Standing::Started { .. }, _) | (_, true)) => return Ok(self.acted(hash)),
            Some((Standing::Refused { .. }, _)) => Refusal::Refused,
            Some((Standing::Undone { .. }, _)) => Refusal::Done,
            Some((Standing::Waiting, _)) => Refusal::Expired,
        };
        Err(refused(why))
    }

    fn incident_of(&self, number: u32) -> Result<String, EngineError> {
        let found = self.with_ledger(|ledger| {
            ledger.actions().get(number).map(|action| action.plan.incident.clone())
        });
        found.ok_or_else(|| refused(Refusal::UnknownAction))
    }

    pub(crate) fn one_act(&self) -> MutexGuard<'_, ()> {
        self.acts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn with_proof(approval: Entry, given: Option<Proof>) -> Entry {
    match approval {
        Entry::PlanApproved { plan, seat, by, .. } => {
            Entry::PlanApproved { plan, seat, by, proof: given.map(Box::new) }
        }
        Entry::BreakGlass { plan, reason, by, .. } => {
            Entry::BreakGlass { plan, reason, by, proof: given.map(Box::new) }
        }
        Entry::PlanProposed { plan, seats, seat, .. } => {
            Entry::PlanProposed { plan, seats, seat, proof: given.map(Box::new) }
        }
        other => other,
    }
}

fn refused(refusal: Refusal) -> EngineError {
    let context = format!("the policy forbids it: {}", refusal.as_str());
    EngineError::new(EngineErrorKind::Refused(refusal), context)
}
