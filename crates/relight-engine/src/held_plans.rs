//! What news holds back is put to people: one plan for each incident, made again when it no longer
//! says what waits (INCIDENT 3.2).

use std::collections::{BTreeMap, BTreeSet};

use relight_model::{Digest, GateKey, Timestamp};

use crate::brake::is_out_of_reach;
use crate::engine::{ACTOR, Engine};
use crate::error::EngineError;
use crate::incident::{Action, Entry, Standing, same};
use crate::plan::{self, Plan, PlanAsk};
use crate::policy::{Policy, UNATTENDED_WAITING_MAX};
use crate::refusals::EDGE_LINT;

/// How long such a plan may be executed, in seconds: a day. Nobody asked for it, so nobody may be
/// there; that it is still what would be made is looked at when it is carried out, as of any plan.
pub const HELD_PLAN_AGE_MAX_S: i64 = 86_400;

/// How soon after a look at an incident its plan is looked at again, in seconds: sites that come to
/// wait one by one are not a plan each, which would be the whole list in the journal each time.
pub const HELD_LOOK_S: i64 = 300;

/// When what waits in each incident was last looked at.
#[derive(Clone, Debug, Default)]
pub struct HeldLooks(BTreeMap<String, Timestamp>);

/// What such a plan says, in words.
#[derive(Clone, Copy, Debug)]
pub struct HeldWords<'a> {
    /// Why it is asked for.
    pub reason: &'a str,
    /// Why it is taken back where another one, or none, is to be asked for.
    pub over: &'a str,
}

impl HeldLooks {
    /// A clock that was set back looks at once.
    fn is_due(&self, id: &str, now: Timestamp) -> bool {
        let is_new = |last: &Timestamp| (0..HELD_LOOK_S).contains(&(now - last));
        !self.0.get(id).is_some_and(is_new)
    }
}

impl Engine {
    /// Asks people, in every open incident, for a plan that darkens what news holds back, as far as
    /// no plan that waits names it and nobody refused the same. One that does not say any more what
    /// waits is taken back, unless somebody agreed to it. How many plans were asked for.
    ///
    /// # Errors
    /// The store or an edge's row cannot be read, or the journal cannot be written.
    pub fn propose_held(
        &self,
        policy: &Policy,
        looks: &mut HeldLooks,
        words: HeldWords<'_>,
        nonce: u64,
    ) -> Result<usize, EngineError> {
        let now = self.now();
        let waiting = self.waiting_by_news();
        looks.0.retain(|id, _| waiting.contains_key(id));
        // What is left of the room belongs to what people ask for.
        if self.store.is_short_of_space() {
            return Ok(0);
        }
        let mut done = Ok(0);
        for (id, held) in waiting {
            if !looks.is_due(&id, now) {
                continue;
            }
            let asked = self.ask_about_held(policy, (&id, held), words, nonce);
            looks.0.insert(id, now);
            done = match (done, asked) {
                (Ok(count), Ok(is_asked)) => Ok(count + usize::from(is_asked)),
                (Err(error), _) | (_, Err(error)) => Err(error),
            };
        }
        done
    }

    /// Whether an incident is due in which news waits, or did.
    pub fn has_held_to_ask(&self, looks: &HeldLooks) -> bool {
        let now = self.now();
        self.waiting_by_news().keys().any(|id| looks.is_due(id, now))
    }

    /// What news holds back and an order could darken, by incident; an empty set where nothing
    /// waits any more, and a plan of ours is left to take back.
    fn waiting_by_news(&self) -> BTreeMap<String, BTreeSet<GateKey>> {
        let (state, now) = (self.read(), self.now());
        let mut waiting: BTreeMap<String, BTreeSet<GateKey>> = BTreeMap::new();
        for (id, incident) in state.ledger.open() {
            let held = incident.held_by_news().filter(|site| !is_out_of_reach(&state, site));
            let held: BTreeSet<GateKey> = held.cloned().collect();
            let mut actions = state.ledger.actions().newest();
            if !held.is_empty() || actions.any(|it| is_of(it, id) && is_own(it, now)) {
                waiting.insert(id.to_owned(), held);
            }
        }
        waiting
    }

    fn ask_about_held(
        &self,
        policy: &Policy,
        (id, mut rest): (&str, BTreeSet<GateKey>),
        words: HeldWords<'_>,
        nonce: u64,
    ) -> Result<bool, EngineError> {
        let now = self.now();
        let all: Vec<Action> = self.with_ledger(|ledger| {
            ledger.actions().newest().filter(|it| is_of(it, id)).cloned().collect()
        });
        let is_good = |action: &Action| self.check_under(policy, &action.plan).is_ok();
        let (own, others): (Vec<&Action>, Vec<&Action>) =
            all.iter().filter(|it| it.is_open(now)).partition(|it| is_own(it, now));
        for action in others.into_iter().filter(|it| is_good(it)) {
            for site in action.plan.asked() {
                rest.remove(site);
            }
        }
        let mut kept = None;
        for it in own.iter().filter(|it| !rest.is_empty() && names(&it.plan, &rest)) {
            if kept.is_none() && is_good(it) && self.is_fitted(&it.plan)? {
                kept = Some(it.hash);
            }
        }
        let is_owed = kept.is_none() && !rest.is_empty() && !self.is_refused(id, &all, &rest);
        let is_asked = is_owed && self.ask_for(policy, (id, &rest), words.reason, nonce)?;
        if is_owed && !is_asked {
            // What was asked for before is better than nothing.
            return Ok(false);
        }
        let over = own.iter().map(|it| it.hash).filter(|hash| Some(*hash) != kept);
        self.take_held_back(id, over, words.over)?;
        Ok(is_asked)
    }

    /// Takes back those of these plans to which nobody agreed meanwhile. The edges were asked
    /// before: no act of a person waits for them.
    fn take_held_back(
        &self,
        id: &str,
        over: impl Iterator<Item = Digest>,
        why: &str,
    ) -> Result<(), EngineError> {
        let _one = self.one_act();
        let now = self.now();
        let is_ours = |hash: &Digest| {
            self.with_ledger(|ledger| ledger.actions().of(hash).is_some_and(|it| is_own(it, now)))
        };
        let refused = |plan| {
            let (by, why) = (ACTOR.to_owned(), why.to_owned());
            (id.to_owned(), Entry::PlanRefused { plan, by, why })
        };
        self.append(ACTOR, over.filter(is_ours).map(refused).collect()).map(drop)
    }

    /// An edge that had a fault when the plan was made has it still: else its sites would be left
    /// out for nothing.
    fn is_fitted(&self, plan: &Plan) -> Result<bool, EngineError> {
        if !plan.skipped.iter().any(|it| it.reason == EDGE_LINT) {
            return Ok(true);
        }
        let asked: Vec<GateKey> = plan.asked().cloned().collect();
        Ok(self.fitted(self.plan(plan.ask(), &asked)?)?.skipped == plan.skipped)
    }

    /// Somebody else than who proposed it refused a plan to darken all of these, as far as their
    /// edges can, under the advisories as they are.
    fn is_refused(&self, id: &str, all: &[Action], rest: &BTreeSet<GateKey>) -> bool {
        let revision = self.with_ledger(|ledger| Some(ledger.incident(id)?.revision));
        all.iter().any(|action| {
            let is_no = match &action.standing {
                Standing::Refused { by, .. } => by != ACTOR && !same(by, &action.plan.proposer),
                _ => false,
            };
            is_no
                && Some(action.plan.advisory_revision) == revision
                && would_darken(&action.plan, rest)
        })
    }

    /// Asks for a plan; not where there is nothing to switch, or no room beside those of people.
    fn ask_for(
        &self,
        policy: &Policy,
        (id, sites): (&str, &BTreeSet<GateKey>),
        reason: &str,
        nonce: u64,
    ) -> Result<bool, EngineError> {
        let now = self.now();
        let ask = PlanAsk {
            incident: id.to_owned(),
            action: plan::Action::Dark,
            part: None,
            reason: reason.to_owned(),
            advisory_revision: Digest::default(),
            policy: policy.digest,
            proposer: ACTOR.to_owned(),
            created: now,
        };
        let is_full = self.with_ledger(|ledger| {
            let waiting = ledger.actions().newest().filter(|action| action.is_open(now));
            waiting.count() >= UNATTENDED_WAITING_MAX
        });
        // Before edges are asked about their set-up.
        if is_full {
            return Ok(false);
        }
        let sites: Vec<GateKey> = sites.iter().cloned().collect();
        let plan = self.fitted(self.plan(ask, &sites)?)?;
        let plan = Plan { expires: now.saturating_add(HELD_PLAN_AGE_MAX_S), ..plan };
        if plan.sites.is_empty() {
            return Ok(false);
        }
        // As before any plan: the same answer counts as lit afterwards.
        drop(self.record_baselines(ACTOR, &plan, nonce));
        let seats = policy.seats(&plan, false);
        let proposed = Entry::PlanProposed { plan: Box::new(plan), seats, seat: None, proof: None };
        self.record(ACTOR, id, proposed)?;
        Ok(true)
    }
}

/// A plan that darkens sites in this incident.
fn is_of(action: &Action, id: &str) -> bool {
    action.plan.incident == id && action.plan.action == plan::Action::Dark
}

/// A plan of ours that waits, and to which nobody agreed yet. One of an account that has our name
/// lives as long as any other.
fn is_own(action: &Action, now: Timestamp) -> bool {
    let is_ours = action.plan.proposer == ACTOR
        && action.plan.expires == action.plan.created.saturating_add(HELD_PLAN_AGE_MAX_S);
    is_ours && action.is_open(now) && action.signatures.is_empty()
}

fn names(plan: &Plan, sites: &BTreeSet<GateKey>) -> bool {
    let named: BTreeSet<&GateKey> = plan.asked().collect();
    sites.iter().all(|site| named.contains(site))
}

/// Whether a plan would darken all of these, but for the fault of an edge.
fn would_darken(plan: &Plan, sites: &BTreeSet<GateKey>) -> bool {
    let left = plan.skipped.iter().filter(|it| it.reason == EDGE_LINT).map(|it| &it.site);
    let meant: BTreeSet<&GateKey> = plan.sites.iter().map(|it| &it.site).chain(left).collect();
    sites.iter().all(|site| meant.contains(site))
}
