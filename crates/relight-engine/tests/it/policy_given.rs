//! What is given beforehand, in the property test of the policy: used at random, and judged by an
//! oracle that says its bounds in other words.

use std::collections::BTreeMap;

use relight_engine::access::{Grant, Role, Scope};
use relight_engine::incident::{Authority, Circumstance, Entry, Standing};
use relight_engine::plan::{Action, Plan};
use relight_engine::policy::{Means, Person, Policy};
use relight_model::{Digest, Timestamp};
use testkit::Rng;

use crate::policy::{ID, World};
use crate::policy_mutants::Mutant;

const DAY: i64 = 86_400;
/// Most sites within a day.
const SITES_MAX: usize = 40;
/// From when on it is worth nothing.
const EXPIRES: Timestamp = 1_000 + 4 * DAY;

/// What was rested on an authority: about which flaw; and what was darkened so, and when.
#[derive(Debug, Default)]
pub(crate) struct Given {
    used: BTreeMap<Digest, Circumstance>,
    darkened: Vec<(Timestamp, usize)>,
}

impl Given {
    pub(crate) fn is_for(&self, hash: &Digest) -> bool {
        self.used.contains_key(hash)
    }
}

/// Some policies give something beforehand; those that nobody signed say it in vain.
pub(crate) fn with_authority(policy: Policy, rng: &mut Rng) -> Policy {
    let authority = Authority {
        name: "criticality 10".into(),
        score_min: 100,
        known_exploited: true,
        sites_max: SITES_MAX,
        vital: false,
        order: "decree 1".into(),
        legal_basis: "section 12".into(),
        proposer: "Anna".into(),
        approver: "Zoe".into(),
        expires: EXPIRES,
    };
    let standing = if rng.chance(60) { vec![authority] } else { Vec::new() };
    Policy { standing, ..policy }
}

impl World {
    /// An authority is asked whether it stands for the second person.
    pub(crate) fn authorise(&mut self, hash: Digest) {
        let about = Circumstance {
            score: *self.rng.pick(&[None, Some(99), Some(100)]),
            known_exploited: self.rng.chance(40),
            faces_internet: self.rng.chance(50),
        };
        let mut seen = about;
        match self.mutant {
            Mutant::GivenForAnyFlaw => seen.score = Some(100),
            Mutant::GivenForInside => seen.faces_internet = true,
            _ => {}
        }
        let action = self.ledger.actions().of(&hash);
        let Some(number) = action.filter(|it| !it.empty().is_empty()).map(|it| it.number) else {
            return;
        };
        let name = self
            .ask(None, |desk| desk.authorise(number, hash, &seen).map(|given| given.name.clone()));
        let Ok(name) = name else { return };
        let entry = Entry::AuthorityUsed { plan: hash, name };
        if self.ledger.apply(ID, &entry, self.now).is_ok() {
            self.given.used.insert(hash, about);
        }
    }

    /// One person and an authority carried a plan out.
    pub(crate) fn judge_given(
        &mut self,
        plan: &Plan,
        hash: Digest,
        is_commanded: bool,
    ) -> Result<(), String> {
        let about = self.given.used[&hash];
        let count = plan.sites.len();
        let wrong = |what: &str| Err(format!("given beforehand, {what}: {count} sites, {about:?}"));
        let is_critical = about.score == Some(100);
        let is_exploited = about.known_exploited && about.faces_internet;
        if !(is_critical || is_exploited) {
            return wrong("another flaw");
        }
        if !self.policy.is_signed || self.policy.standing.is_empty() {
            return wrong("by nobody");
        }
        if self.now >= EXPIRES {
            return wrong("until yesterday");
        }
        if plan.action != Action::Dark || !is_commanded {
            return wrong("for something else, or somebody else");
        }
        if plan.sites.iter().any(|site| self.vital.contains(&site.site)) {
            return wrong("without vital sites");
        }
        let now = self.now;
        let today = self.given.darkened.iter().filter(|(at, _)| now - at < DAY);
        if today.map(|(_, count)| count).sum::<usize>() + count > SITES_MAX {
            return wrong("for fewer sites");
        }
        self.given.darkened.push((now, count));
        self.count("given");
        Ok(())
    }
}

#[test]
fn an_order_under_a_plan_that_waits_is_refused_by_the_journal() {
    let chief = Grant { role: Role::Commander, scope: Scope::root() };
    let grants = vec![chief];
    let person = Person { name: "chief".into(), grants, means: Means::Passkey };
    let asked = |seed| {
        let mut world = World::new(seed, Mutant::None);
        let plan = world.plan("chief");
        // Some plans hold sites that no plan may touch.
        let entry = world.ask(Some(&plan), |desk| desk.propose(&person, &plan)).ok()?;
        Some((world, plan, entry))
    };
    let (mut world, plan, entry) = (0..20).find_map(asked).unwrap();
    world.ledger.apply(ID, &entry, world.now).unwrap();
    let hash = plan.hash().unwrap();
    let order = Entry::DarkOrdered { plan: hash, sites: plan.keys(), reason: String::new() };
    let why = world.ledger.apply(ID, &order, world.now).unwrap_err();
    assert_eq!(why.0, "the plan waits for its approval");
    let started = Entry::PlanStarted { plan: hash, left: Vec::new() };
    assert_eq!(
        world.ledger.apply(ID, &started, world.now).unwrap_err().0,
        "seats of the plan are empty"
    );
    assert!(world.ledger.apply(ID, &entry, world.now).is_err(), "twice");
    let action = world.ledger.actions().newest().next().unwrap();
    assert_eq!((action.id().as_str(), &action.standing), ("A-0001", &Standing::Waiting));
    for text in ["A-0001", "a-1", "1", " A0001 "] {
        assert_eq!(world.ledger.actions().find(text).map(|it| it.number), Some(1), "{text}");
    }
    assert!(
        world.ledger.actions().find("A-2").is_none() && world.ledger.actions().find("").is_none()
    );
}
