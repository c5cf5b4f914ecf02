//! The decisions: each act of a person is one entry for the journal, or one refusal.

use std::collections::BTreeSet;

use relight_model::{Digest, GateKey, Timestamp};

use super::{Means, Person, Policy, Refusal};
use crate::access::{Role, Scope};
use crate::incident::{
    ACTIONS_WAITING_MAX, Action, Actions, Authority, Circumstance, Entry, Glass, Seat, Standing,
    UNDO_AGE_MAX_S,
};
use crate::plan::{self, Plan};

/// How soon somebody else looks at why glass was broken, in seconds.
pub const BREAK_GLASS_REVIEW_S: i64 = 24 * 3_600;

/// Most plans of one person that may wait for an answer at once, and as many of programs that ask
/// in that name.
pub const PROPOSER_WAITING_MAX: usize = 8;

/// Plans that may wait before what asks without a person being there has to wait itself: the other
/// places are for people.
pub const UNATTENDED_WAITING_MAX: usize = ACTIONS_WAITING_MAX / 2;

/// What a decision looks at: the rules, the journal, the protected list, the time.
#[derive(Clone, Copy, Debug)]
pub struct Desk<'a> {
    /// The rules.
    pub policy: &'a Policy,
    /// The plans in the journal.
    pub actions: &'a Actions,
    /// Sites that no plan may touch.
    pub protected: &'a BTreeSet<GateKey>,
    /// Now.
    pub now: Timestamp,
}

impl Desk<'_> {
    /// Somebody asks for a plan. A person who is there takes a seat by asking; a program does not.
    ///
    /// # Errors
    /// The rule that forbids it.
    pub fn propose(&self, person: &Person, plan: &Plan) -> Result<Entry, Refusal> {
        self.check_plan(plan)?;
        if !person.is(&plan.proposer) {
            return Err(Refusal::Proposer);
        }
        let is_for_one = self.is_for_one(person, plan);
        let commands = person.may_for(Role::Commander, plan);
        if !commands && !is_for_one {
            return Err(Refusal::NotCommander);
        }
        let seats = self.policy.seats(plan, is_for_one);
        // A plan of the machine waits for nobody: what takes two people is asked for where they
        // sign in.
        if person.means == Means::Operator && seats.len() > 1 {
            return Err(Refusal::NotCommander);
        }
        let wanted = if commands { Seat::Command } else { Seat::Operator };
        let seat = if seats.contains(&wanted) { wanted } else { Seat::Operator };
        let seat = person.is_present().then_some(seat);
        Ok(Entry::PlanProposed { plan: Box::new(plan.clone()), seats, seat, proof: None })
    }

    /// Room among the plans that wait, for one that would. Whoever was not there for what he asks,
    /// as a program is not, takes it neither from those who are, nor from himself.
    ///
    /// # Errors
    /// [`Refusal::TooManyWaiting`].
    pub fn check_room(&self, person: &Person) -> Result<(), Refusal> {
        let is_there = person.is_present();
        let waiting = || self.actions.newest().filter(|action| action.is_open(self.now));
        let is_alike = |action: &&Action| {
            person.is(&action.plan.proposer) && action.is_signed_by(&person.name) == is_there
        };
        let is_full = !is_there && waiting().count() >= UNATTENDED_WAITING_MAX;
        if is_full || waiting().filter(is_alike).count() >= PROPOSER_WAITING_MAX {
            return Err(Refusal::TooManyWaiting);
        }
        Ok(())
    }

    /// The seats that a plan would have if this person asked for it.
    pub fn seats(&self, person: &Person, plan: &Plan) -> Vec<Seat> {
        self.policy.seats(plan, self.is_for_one(person, plan))
    }

    /// The rule for one person: own sites, no vital one, no more than the policy lets one person
    /// switch within a day, whatever was switched in slices before.
    fn is_for_one(&self, person: &Person, plan: &Plan) -> bool {
        person.has_key() && person.owns(plan) && self.fits_one(&person.name, plan)
    }

    fn fits_one(&self, name: &str, plan: &Plan) -> bool {
        if self.policy.needs_number(plan) {
            return false;
        }
        let mut orgs: Vec<&str> = plan.sites.iter().map(|site| site.org.as_str()).collect();
        orgs.sort_unstable();
        orgs.dedup();
        let mut sites: BTreeSet<&GateKey> =
            self.actions.alone(name, &orgs, self.now).into_iter().collect();
        sites.extend(plan.sites.iter().map(|site| &site.site));
        sites.len() <= self.policy.alone_max
    }

    /// Somebody agrees to the plan with this hash.
    ///
    /// # Errors
    /// The rule that forbids it.
    pub fn approve(
        &self,
        person: &Person,
        number: u32,
        hash: Digest,
        typed: Option<usize>,
    ) -> Result<Entry, Refusal> {
        let action = self.waiting(number, hash)?;
        let plan = &*action.plan;
        check_signer(person)?;
        if person.is(&plan.proposer) {
            return Err(Refusal::Proposer);
        }
        if action.is_signed_by(&person.name) {
            return Err(Refusal::SignedAlready);
        }
        let commands = person.may_for(Role::Commander, plan);
        if !commands && !person.may_for(Role::Approver, plan) {
            return Err(Refusal::NotApprover);
        }
        if self.policy.needs_number(plan) && typed != Some(plan.sites.len()) {
            return Err(Refusal::WrongNumber);
        }
        let empty = action.empty();
        let fits = |seat: &&Seat| commands || **seat != Seat::Command;
        // The seat that fewest people may take is taken first.
        let seat = empty.iter().rev().find(fits).copied().ok_or(Refusal::NoSeat)?;
        Ok(Entry::PlanApproved { plan: hash, seat, by: person.name.clone(), proof: None })
    }

    /// An approval that was given beforehand stands for the second person under a plan that
    /// darkens. Somebody of Command who is there asked for it: that person took the first seat.
    ///
    /// # Errors
    /// The rule that forbids it; no authority covers the flaw, or reaches so far.
    pub fn authorise(
        &self,
        number: u32,
        hash: Digest,
        about: &Circumstance,
    ) -> Result<&Authority, Refusal> {
        let action = self.waiting(number, hash)?;
        self.check_plan(&action.plan)?;
        if action.signatures.is_empty() || !self.policy.is_signed {
            return Err(Refusal::SeatsEmpty);
        }
        let covers = |it: &&Authority| {
            let before = self.actions.authorised(&it.name, self.now);
            it.covers(about, self.now) && it.reaches(&action.plan, before)
        };
        self.policy.standing.iter().find(covers).ok_or(Refusal::SeatsEmpty)
    }

    /// Somebody refuses a plan, or takes back what he proposed.
    ///
    /// # Errors
    /// The rule that forbids it.
    pub fn refuse(
        &self,
        person: &Person,
        number: u32,
        hash: Digest,
        why: &str,
    ) -> Result<Entry, Refusal> {
        let action = self.waiting(number, hash)?;
        let plan = &action.plan;
        let may = person.may_for(Role::Commander, plan) || person.may_for(Role::Approver, plan);
        check_person(person)?;
        if !may && !person.is(&plan.proposer) {
            return Err(Refusal::NotApprover);
        }
        if why.trim().is_empty() {
            return Err(Refusal::NoReason);
        }
        let (by, why) = (person.name.clone(), why.trim().to_owned());
        Ok(Entry::PlanRefused { plan: hash, by, why })
    }

    /// A plan that everybody agreed to is carried out, without what is `left` of it. What one
    /// person switches alone is counted again, because two plans may have waited at the same time.
    ///
    /// # Errors
    /// The rule that forbids it.
    pub fn start(&self, number: u32, hash: Digest, left: Vec<GateKey>) -> Result<Entry, Refusal> {
        let action = self.waiting(number, hash)?;
        self.check_plan(&action.plan)?;
        if !action.empty().is_empty() {
            return Err(Refusal::SeatsEmpty);
        }
        let is_alone = action.seats.len() == 1;
        if is_alone && !self.fits_one(&action.plan.proposer, &action.plan) {
            return Err(Refusal::AloneTooMuch);
        }
        Ok(Entry::PlanStarted { plan: hash, left })
    }

    /// One person with a key of hardware darkens without the others, and is looked at afterwards.
    /// Where nobody can sign in, that is the operator of the machine, without a key.
    ///
    /// # Errors
    /// The rule that forbids it.
    pub fn break_glass(
        &self,
        person: &Person,
        plan: &Plan,
        reason: &str,
    ) -> Result<Entry, Refusal> {
        self.check_plan(plan)?;
        if !plan.action.is_closing() {
            return Err(Refusal::GlassRelights);
        }
        if person.means != Means::Operator {
            check_signer(person)?;
            if person.means != Means::HardwareKey {
                return Err(Refusal::NoHardwareKey);
            }
        }
        if !person.may_for(Role::Commander, plan) {
            return Err(Refusal::NotCommander);
        }
        if reason.trim().is_empty() {
            return Err(Refusal::NoReason);
        }
        let hash = plan.hash().map_err(|_| Refusal::OtherHash)?;
        let (reason, by) = (reason.trim().to_owned(), person.name.clone());
        Ok(Entry::BreakGlass { plan: hash, reason, by, proof: None })
    }

    /// Somebody else looked at why glass was broken.
    ///
    /// # Errors
    /// The rule that forbids it.
    pub fn review(&self, person: &Person, plan: Digest, note: &str) -> Result<Entry, Refusal> {
        let waits = |glass: &&Glass| glass.plan == plan && glass.reviewed.is_none();
        let glass = self.actions.glass().iter().find(waits);
        let glass = glass.ok_or(Refusal::UnknownAction)?;
        check_person(person)?;
        if person.means == Means::Operator {
            return Err(Refusal::NotPresent);
        }
        if person.is(&glass.by) {
            return Err(Refusal::OwnReview);
        }
        let reviews = [Role::Commander, Role::Approver, Role::Auditor];
        if !reviews.into_iter().any(|role| person.may(role, &Scope::root())) {
            return Err(Refusal::NotApprover);
        }
        if note.trim().is_empty() {
            return Err(Refusal::NoReason);
        }
        let (by, note) = (person.name.clone(), note.trim().to_owned());
        Ok(Entry::GlassReviewed { plan, by, note })
    }

    /// Whoever signed a plan takes it back within ten minutes, and what glass was broken for the
    /// command as well. The name in the policy of a machine is no signature under what people
    /// signed where they sign in. Taking back what opened more sites than one person switches
    /// darkens as many: who does it is there.
    ///
    /// # Errors
    /// The rule that forbids it.
    pub fn undo(&self, person: &Person, number: u32) -> Result<Entry, Refusal> {
        let action = self.actions.get(number).ok_or(Refusal::UnknownAction)?;
        check_person(person)?;
        let may_name = person.means != Means::Operator || action.seats.len() == 1;
        let signed = may_name && action.is_signed_by(&person.name);
        let is_broken = self.actions.glass().iter().any(|glass| glass.plan == action.hash);
        let commands = is_broken && person.may_for(Role::Commander, &action.plan);
        if !signed && !commands {
            return Err(Refusal::NotSigner);
        }
        if !action.plan.action.is_whole() {
            return Err(Refusal::PartsStay);
        }
        let darkens = action.plan.action == plan::Action::Relight;
        if darkens && !self.is_small(&action.plan) && !person.is_present() {
            return Err(Refusal::NotPresent);
        }
        match action.standing {
            Standing::Started { at } if (0..=UNDO_AGE_MAX_S).contains(&(self.now - at)) => {
                Ok(Entry::PlanUndone { plan: action.hash })
            }
            Standing::Started { .. } | Standing::Undone { .. } => Err(Refusal::Expired),
            _ => Err(Refusal::UnknownAction),
        }
    }

    /// No more sites than one person may switch, and no vital one.
    fn is_small(&self, plan: &Plan) -> bool {
        plan.sites.len() <= self.policy.alone_max && !self.policy.needs_number(plan)
    }

    /// What only the command of an incident does, beside plans: opening and closing it, and letting
    /// a site stay online.
    ///
    /// # Errors
    /// The rule that forbids it.
    pub fn command(&self, person: &Person) -> Result<(), Refusal> {
        check_person(person)?;
        if person.may(Role::Commander, &Scope::root()) {
            return Ok(());
        }
        Err(Refusal::NotCommander)
    }

    /// A plan that may be proposed or carried out at all.
    fn check_plan(&self, plan: &Plan) -> Result<(), Refusal> {
        if plan.sites.is_empty() {
            return Err(Refusal::Empty);
        }
        if self.now >= plan.expires {
            return Err(Refusal::Expired);
        }
        if plan.reason.trim().is_empty() {
            return Err(Refusal::NoReason);
        }
        // To bring one back that was dark before it was protected is no reason to refuse.
        let mut sites = plan.sites.iter();
        let is_closing = plan.action.is_closing();
        if is_closing && sites.any(|site| self.protected.contains(&site.site)) {
            return Err(Refusal::Protected);
        }
        Ok(())
    }

    /// The action, if it waits and has this hash.
    fn waiting(&self, number: u32, hash: Digest) -> Result<&Action, Refusal> {
        let action = self.actions.get(number).ok_or(Refusal::UnknownAction)?;
        match action.standing {
            Standing::Refused { .. } => return Err(Refusal::Refused),
            Standing::Started { .. } | Standing::Undone { .. } => return Err(Refusal::Done),
            Standing::Waiting if !action.is_open(self.now) => return Err(Refusal::Expired),
            Standing::Waiting => {}
        }
        if action.hash != hash {
            return Err(Refusal::OtherHash);
        }
        Ok(action)
    }
}

/// What people decide is decided by nobody else: not by a program, and not by a sign-in that a
/// provider gave without a second factor.
fn check_person(person: &Person) -> Result<(), Refusal> {
    match person.means {
        Means::Token => Err(Refusal::Token),
        Means::Named => Err(Refusal::NotPresent),
        _ => Ok(()),
    }
}

/// A signature is a person's who showed a passkey lately. Whoever sits at the machine signs for
/// nobody: whatever name stands in its policy, it is one person.
pub(super) fn check_signer(person: &Person) -> Result<(), Refusal> {
    match person.means {
        Means::Token => Err(Refusal::Token),
        Means::Operator => Err(Refusal::NotPresent),
        _ if !person.is_present() => Err(Refusal::NotPresent),
        _ => Ok(()),
    }
}
