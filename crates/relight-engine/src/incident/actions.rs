//! Plans that were proposed, from the journal: where each stands, what people switched alone, and
//! whose broken glass waits for a review.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use relight_model::{Digest, GateKey, Timestamp};

use super::entry::Entry;
use super::fold::Rejected;
use super::standing::UNDO_AGE_MAX_S;
use super::terms::Seat;
use crate::plan::{self, Plan};
use crate::policy::ALONE_WINDOW_S;
use crate::refusals::EDGE_LINT;

/// Most plans that may wait for an answer at once.
pub const ACTIONS_WAITING_MAX: usize = 64;

/// Plans that are kept whole; older ones can be read in the journal.
pub const ACTIONS_KEPT_MAX: usize = 256;

/// How long a plan that relights is kept for its end, in seconds: one day.
const UNDER_WAY_MAX_S: i64 = 24 * 3_600;

/// Where a plan stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Seats are empty, or nobody carried it out yet.
    Waiting,
    /// Somebody refused it.
    Refused {
        /// Who.
        by: String,
        /// Why.
        why: String,
    },
    /// It was carried out.
    Started {
        /// When.
        at: Timestamp,
    },
    /// It was carried out and taken back.
    Undone {
        /// When it was carried out.
        at: Timestamp,
    },
}

/// What stands behind a seat that somebody took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behind {
    /// Somebody was there and asked for the plan.
    Asking,
    /// A passkey signed it.
    Passkey,
    /// Nothing that is kept: a provider of identities vouched for whoever agreed.
    Word,
}

/// How the waves of a plan that relights came to their end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Sites that were opened and did not come back.
    pub failed: usize,
    /// Sites that nobody opened.
    pub left: usize,
    /// Sites that something else kept dark.
    pub held: usize,
}

/// One seat that somebody took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The seat.
    pub seat: Seat,
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// What stands behind it.
    pub behind: Behind,
}

/// A plan that somebody proposed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// Counts from 1; people say `A-0001`.
    pub number: u32,
    /// The plan.
    pub plan: Arc<Plan>,
    /// Its name: what people sign.
    pub hash: Digest,
    /// Who has to agree.
    pub seats: Vec<Seat>,
    /// Who agreed so far, in order; first whoever proposed it, if a person was there.
    pub signatures: Vec<Signature>,
    /// The approval given beforehand that stands for whoever did not sign.
    pub authority: Option<String>,
    /// Where it stands.
    pub standing: Standing,
    /// How its waves ended; none while they go on, for what has none, and in journals from before
    /// that was kept.
    pub ended: Option<Ended>,
    /// Its sites that were left as they are when it was started, because the set-up of their edge
    /// would have left them lit.
    pub unswitched: BTreeSet<GateKey>,
    /// It became too old, whatever the clock says since.
    is_over: bool,
}

impl Action {
    /// How people call it: `A-0112`.
    pub fn id(&self) -> String {
        format!("A-{:04}", self.number)
    }

    /// The seats that nobody took, and for which no authority stands.
    pub fn empty(&self) -> Vec<Seat> {
        if self.authority.is_some() {
            return Vec::new();
        }
        let is_taken = |seat: &Seat| self.signatures.iter().any(|it| it.seat == *seat);
        self.seats.iter().copied().filter(|seat| !is_taken(seat)).collect()
    }

    /// The plan as it was carried out: without what was left of it, which it names.
    pub fn carried(&self) -> Arc<Plan> {
        if self.unswitched.is_empty() {
            return Arc::clone(&self.plan);
        }
        let plan = Plan::clone(&self.plan);
        Arc::new(plan.leaving(EDGE_LINT, |site| self.unswitched.contains(&site.site)))
    }

    /// True when somebody with this name took a seat.
    pub fn is_signed_by(&self, name: &str) -> bool {
        self.signatures.iter().any(|it| same(&it.by, name))
    }

    /// When it was let go, if its waves are still to go on or to be called over.
    pub fn under_way(&self) -> Option<Timestamp> {
        match self.standing {
            Standing::Started { at }
                if self.plan.action == plan::Action::Relight && self.ended.is_none() =>
            {
                Some(at)
            }
            _ => None,
        }
    }

    /// True when it waits, and is not too old.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.standing == Standing::Waiting && !self.is_over && now < self.plan.expires
    }

    fn sign(
        &mut self,
        (seat, behind): (Seat, Behind),
        by: &str,
        at: Timestamp,
    ) -> Result<(), Rejected> {
        if self.is_over || at >= self.plan.expires {
            return Err(Rejected("the plan is too old"));
        }
        if self.standing != Standing::Waiting {
            return Err(Rejected("the plan does not wait any more"));
        }
        if same(&self.plan.proposer, by) {
            return Err(Rejected("the approver is the proposer"));
        }
        if by.trim().is_empty() || self.is_signed_by(by) {
            return Err(Rejected("the approver approved already"));
        }
        if !self.empty().contains(&seat) {
            return Err(Rejected("the seat is filled"));
        }
        self.signatures.push(Signature { seat, by: by.to_owned(), at, behind });
        Ok(())
    }
}

/// A site that one person switched alone.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Alone {
    by: String,
    site: GateKey,
    org: String,
    at: Timestamp,
}

/// Glass that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glass {
    /// The incident.
    pub incident: String,
    /// Hash of the plan.
    pub plan: Digest,
    /// Who broke it.
    pub by: String,
    /// Why it could not wait.
    pub reason: String,
    /// When.
    pub at: Timestamp,
    /// Who looked at it afterwards.
    pub reviewed: Option<String>,
}

/// Every plan that was proposed, and what it left behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actions {
    count: u32,
    kept: BTreeMap<u32, Action>,
    alone: Vec<Alone>,
    glass: Vec<Glass>,
    /// Which authority darkened how many sites, and when.
    authorised: Vec<(String, Timestamp, usize)>,
}

impl Actions {
    /// The action with this number.
    pub fn get(&self, number: u32) -> Option<&Action> {
        self.kept.get(&number)
    }

    /// The action that people call so: `A-0112`, `a-112`, `112`.
    pub fn find(&self, text: &str) -> Option<&Action> {
        let digits = text.trim().trim_start_matches(['a', 'A']).trim_start_matches('-');
        self.get(digits.parse().ok()?)
    }

    /// The newest action with this plan.
    pub fn of(&self, hash: &Digest) -> Option<&Action> {
        self.kept.values().rev().find(|action| action.hash == *hash)
    }

    /// Every action that is kept, newest first.
    pub fn newest(&self) -> impl Iterator<Item = &Action> {
        self.kept.values().rev()
    }

    /// Glass that was broken, oldest first.
    pub fn glass(&self) -> &[Glass] {
        &self.glass
    }

    /// Glass that nobody looked at yet.
    pub fn unreviewed(&self) -> impl Iterator<Item = &Glass> {
        self.glass.iter().filter(|glass| glass.reviewed.is_none())
    }

    /// The sites that count against the rule for one person: those that this person switched
    /// alone, and those of these bodies that anybody did. An account that somebody invents gains
    /// nothing, because its body has switched them already.
    pub fn alone(&self, by: &str, orgs: &[&str], now: Timestamp) -> Vec<&GateKey> {
        let counts = |it: &&Alone| {
            now - it.at < ALONE_WINDOW_S && (same(&it.by, by) || orgs.contains(&it.org.as_str()))
        };
        let mut sites: Vec<&GateKey> =
            self.alone.iter().filter(counts).map(|it| &it.site).collect();
        sites.sort();
        sites.dedup();
        sites
    }

    /// How many sites an authority darkened within the last day: slices add up.
    pub fn authorised(&self, name: &str, now: Timestamp) -> usize {
        let counts =
            |(by, at, _): &&(String, Timestamp, usize)| by == name && now - at < ALONE_WINDOW_S;
        self.authorised.iter().filter(counts).map(|(.., sites)| sites).sum()
    }

    /// When the plans that wait become too old.
    pub(super) fn ends(&self) -> impl Iterator<Item = Timestamp> {
        let waits = |it: &&Action| it.standing == Standing::Waiting && !it.is_over;
        self.kept.values().filter(waits).map(|action| action.plan.expires)
    }

    pub(super) fn end_by(&mut self, then: Timestamp) {
        for action in self.kept.values_mut() {
            action.is_over |= action.plan.expires <= then;
        }
    }

    /// True for the entries that [`Actions::apply`] folds in.
    pub(super) const fn is_about(entry: &Entry) -> bool {
        matches!(
            entry,
            Entry::PlanProposed { .. }
                | Entry::PlanApproved { .. }
                | Entry::PlanRefused { .. }
                | Entry::PlanStarted { .. }
                | Entry::PlanEnded { .. }
                | Entry::AuthorityUsed { .. }
                | Entry::PlanUndone { .. }
                | Entry::DarkOrdered { .. }
                | Entry::BreakGlass { .. }
                | Entry::GlassReviewed { .. }
        )
    }

    /// The plan which relights that this entry takes back.
    pub(crate) fn relight_undone(&self, entry: &Entry) -> Option<&Plan> {
        let Entry::PlanUndone { plan } = entry else { return None };
        let action = self.of(plan)?;
        (action.plan.action == plan::Action::Relight).then_some(&action.plan)
    }

    /// Folds one entry in; what is not about a plan passes.
    pub(crate) fn apply(
        &mut self,
        id: &str,
        entry: &Entry,
        now: Timestamp,
    ) -> Result<(), Rejected> {
        match entry {
            Entry::PlanProposed { plan, seats, seat, proof } => {
                let behind = if proof.is_some() { Behind::Passkey } else { Behind::Asking };
                self.propose((id, plan), seats, (*seat, behind), now)
            }
            Entry::PlanApproved { plan, seat, by, proof } => match self.find_mut(plan) {
                Some(action) => {
                    let behind = if proof.is_some() { Behind::Passkey } else { Behind::Word };
                    action.sign((*seat, behind), by, now)
                }
                None => Ok(()),
            },
            Entry::PlanRefused { plan, by, why } => self.refuse(plan, by, why),
            Entry::PlanStarted { plan, left } => self.start(plan, left, now),
            Entry::PlanEnded { plan, failed, left, held } => {
                let [failed, left, held] = [failed, left, held].map(Vec::len);
                self.end(plan, Ended { failed, left, held })
            }
            Entry::AuthorityUsed { plan, name } => self.authorise(plan, name, now),
            Entry::PlanUndone { plan } => {
                if let Some(action) = self.find_mut(plan)
                    && let Standing::Started { at } = action.standing
                {
                    action.standing = Standing::Undone { at };
                }
                Ok(())
            }
            Entry::DarkOrdered { plan, sites, .. } => self.check_order(plan, sites),
            Entry::BreakGlass { plan, reason, by, .. } => {
                self.glass.push(Glass {
                    incident: id.to_owned(),
                    plan: *plan,
                    by: by.clone(),
                    reason: reason.clone(),
                    at: now,
                    reviewed: None,
                });
                // A plan that waited for the others waits no longer.
                if let Some(action) = self.find_mut(plan)
                    && action.standing == Standing::Waiting
                {
                    action.standing = Standing::Started { at: now };
                }
                Ok(())
            }
            Entry::GlassReviewed { plan, by, .. } => self.review(plan, by),
            _ => Ok(()),
        }
    }

    fn propose(
        &mut self,
        (id, plan): (&str, &Plan),
        seats: &[Seat],
        (seat, behind): (Option<Seat>, Behind),
        now: Timestamp,
    ) -> Result<(), Rejected> {
        if plan.incident != id {
            return Err(Rejected("the plan is about another incident"));
        }
        let hash = plan.hash().map_err(|_| Rejected("the plan has no hash"))?;
        if self.of(&hash).is_some() {
            return Err(Rejected("the plan was proposed already"));
        }
        if self.kept.values().filter(|action| action.is_open(now)).count() >= ACTIONS_WAITING_MAX {
            return Err(Rejected("64 plans wait for an answer"));
        }
        if seats.is_empty() || seat.is_some_and(|seat| !seats.contains(&seat)) {
            return Err(Rejected("the plan has no such seat"));
        }
        self.count += 1;
        let by = plan.proposer.clone();
        let signature = seat.map(|seat| Signature { seat, by, at: now, behind });
        self.kept.insert(
            self.count,
            Action {
                number: self.count,
                plan: Arc::new(plan.clone()),
                hash,
                seats: seats.to_vec(),
                signatures: signature.into_iter().collect(),
                authority: None,
                standing: Standing::Waiting,
                ended: None,
                unswitched: BTreeSet::new(),
                is_over: false,
            },
        );
        self.forget(now);
        Ok(())
    }

    /// Forgets the oldest plans of which nothing can come any more: not those that wait, which an
    /// order must not pass by, nor those that can be taken back or are on their way.
    fn forget(&mut self, now: Timestamp) {
        let is_over = |action: &Action| match action.standing {
            Standing::Started { at } if action.under_way().is_some() => now - at > UNDER_WAY_MAX_S,
            Standing::Started { at } => now - at > UNDO_AGE_MAX_S,
            _ => !action.is_open(now),
        };
        while self.kept.len() > ACTIONS_KEPT_MAX {
            let over = self.kept.values().find(|action| is_over(action));
            let Some(number) = over.map(|action| action.number) else { return };
            self.kept.remove(&number);
        }
    }

    fn refuse(&mut self, plan: &Digest, by: &str, why: &str) -> Result<(), Rejected> {
        let Some(action) = self.find_mut(plan) else { return Ok(()) };
        if action.standing != Standing::Waiting {
            return Err(Rejected("the plan does not wait any more"));
        }
        action.standing = Standing::Refused { by: by.to_owned(), why: why.to_owned() };
        Ok(())
    }

    /// An authority stands for the second person: somebody who was there asked.
    fn authorise(&mut self, plan: &Digest, name: &str, now: Timestamp) -> Result<(), Rejected> {
        let action = self.find_mut(plan).ok_or(Rejected("nobody proposed the plan"))?;
        if !action.is_open(now) {
            return Err(Rejected("the plan does not wait any more"));
        }
        if action.signatures.is_empty() || action.authority.is_some() {
            return Err(Rejected("an authority stands for one person beside another"));
        }
        action.authority = Some(name.to_owned());
        let sites = action.plan.sites.len();
        self.authorised.retain(|(_, at, _)| now - at < ALONE_WINDOW_S);
        self.authorised.push((name.to_owned(), now, sites));
        Ok(())
    }

    fn start(&mut self, plan: &Digest, left: &[GateKey], now: Timestamp) -> Result<(), Rejected> {
        let action = self.find_mut(plan).ok_or(Rejected("nobody proposed the plan"))?;
        if !action.is_open(now) {
            return Err(Rejected("the plan does not wait any more"));
        }
        if !action.empty().is_empty() {
            return Err(Rejected("seats of the plan are empty"));
        }
        action.standing = Standing::Started { at: now };
        action.unswitched = left.iter().cloned().collect();
        let (plan, signatures) = (Arc::clone(&action.plan), action.signatures.clone());
        let is_alone = action.authority.is_none();
        if is_alone && let [signature] = signatures.as_slice() {
            self.alone.retain(|it| now - it.at < ALONE_WINDOW_S);
            self.alone.extend(plan.sites.iter().map(|site| Alone {
                by: signature.by.clone(),
                site: site.site.clone(),
                org: site.org.clone(),
                at: now,
            }));
        }
        Ok(())
    }

    /// The waves of a plan that relights are over.
    fn end(&mut self, plan: &Digest, ended: Ended) -> Result<(), Rejected> {
        let Some(action) = self.find_mut(plan) else { return Ok(()) };
        if action.under_way().is_none() {
            return Err(Rejected("the plan is not under way"));
        }
        action.ended = Some(ended);
        Ok(())
    }

    /// An order under a plan that people were asked about needs what they were asked for.
    fn check_order(&self, plan: &Digest, sites: &[GateKey]) -> Result<(), Rejected> {
        let Some(action) = self.of(plan) else { return Ok(()) };
        let is_broken = self.glass.iter().any(|glass| glass.plan == *plan);
        match action.standing {
            Standing::Started { .. } if sites.iter().any(|it| action.unswitched.contains(it)) => {
                Err(Rejected("the plan was started without these sites"))
            }
            Standing::Started { .. } => Ok(()),
            _ if is_broken => Ok(()),
            _ => Err(Rejected("the plan waits for its approval")),
        }
    }

    fn review(&mut self, plan: &Digest, by: &str) -> Result<(), Rejected> {
        let waiting = |glass: &&mut Glass| glass.plan == *plan && glass.reviewed.is_none();
        let glass = self.glass.iter_mut().find(waiting).ok_or(Rejected("nothing to review"))?;
        if by.trim().is_empty() || same(&glass.by, by) {
            return Err(Rejected("whoever broke the glass does not review it"));
        }
        glass.reviewed = Some(by.to_owned());
        Ok(())
    }

    fn find_mut(&mut self, hash: &Digest) -> Option<&mut Action> {
        self.kept.values_mut().rev().find(|action| action.hash == *hash)
    }
}

/// Two names that mean one account.
pub(crate) fn same(left: &str, right: &str) -> bool {
    left.trim().to_lowercase() == right.trim().to_lowercase()
}
