//! What news holds back is asked of people: one plan, once, and again when something else waits.

use std::sync::Arc;

use relight_engine::access::{Role, Scope};
use relight_engine::incident::{Action, EvidenceKind, Standing};
use relight_engine::plan;
use relight_engine::store::SiteMark;
use relight_engine::{HELD_LOOK_S, HELD_PLAN_AGE_MAX_S, HeldLooks, HeldWords, REDARK_AUTO_MAX};
use relight_model::{GateKey, Light};

use crate::acts::{chief, person, plan, table};
use crate::edge::key;
use crate::engine::{LOG4SHELL, Town, log4j, name, open, pass};

/// One more than news may darken.
const MANY: usize = REDARK_AUTO_MAX + 1;

const WORDS: HeldWords<'static> = HeldWords { reason: "news", over: "changed" };

/// A register in which news of all sites but the last few waits.
fn waiting(more: usize) -> Town {
    let town = Town::new(MANY + more);
    town.incident(LOG4SHELL);
    attach(&town, 0..MANY);
    town
}

fn attach(town: &Town, sites: impl IntoIterator<Item = usize>) {
    let sites: Vec<GateKey> = sites.into_iter().map(|site| key(&name(site))).collect();
    town.engine.attach_evidence("scanner", LOG4SHELL, &sites, EvidenceKind::Scan).unwrap();
}

pub(crate) fn look(town: &Town, looks: &mut HeldLooks) -> usize {
    town.engine.propose_held(&table(), looks, WORDS, 1).unwrap()
}

/// The plans that wait, newest first.
pub(crate) fn open_plans(town: &Town) -> Vec<Action> {
    let now = town.engine.now();
    town.engine.with_ledger(|ledger| {
        ledger.actions().newest().filter(|action| action.is_open(now)).cloned().collect()
    })
}

/// The same register after its server ended.
fn restarted(town: Town) -> Town {
    let Town { engine, folder } = town;
    let store = Arc::clone(engine.store());
    drop(engine);
    Town { engine: open(&store, "second").unwrap(), folder }
}

fn dark(town: &Town) -> usize {
    town.engine.with_ledger(|ledger| {
        ledger.sites().filter(|site| ledger.wants(site) == Light::Dark).count()
    })
}

/// Goal: people are asked once about what waits, and again when it grew; what they agree to goes
/// dark. Method: looks at one time, later, after a restart and after one more site came; a site
/// that is protected is not asked about; two people agree to the plan that is left.
#[test]
fn what_waits_is_asked_once_and_again_when_it_grew() {
    let town = waiting(2);
    let protected = key(&name(MANY + 1));
    town.engine.store().set_mark(&protected, SiteMark::Protected, true, 0, "Anna").unwrap();
    town.engine.reload().unwrap();
    attach(&town, [MANY + 1]);
    let mut looks = HeldLooks::default();
    assert_eq!(look(&town, &mut looks), 1);
    let first = open_plans(&town);
    let [asked] = &first[..] else { return assert_eq!(first.len(), 1) };
    assert_eq!((asked.plan.sites.len(), asked.plan.proposer.as_str()), (MANY, "relight"));
    assert_eq!((asked.seats.len(), asked.signatures.len()), (2, 0), "nobody agreed yet");
    assert_eq!(look(&town, &mut looks), 0);
    pass(HELD_LOOK_S);
    assert_eq!(look(&town, &mut looks), 0, "it is asked already");
    let town = restarted(town);
    assert_eq!(look(&town, &mut HeldLooks::default()), 0, "and after a restart");
    assert_eq!(open_plans(&town), first);

    let mut looks = HeldLooks::default();
    attach(&town, [MANY]);
    assert!(town.engine.has_held_to_ask(&looks));
    assert_eq!(look(&town, &mut looks), 1);
    assert!(!town.engine.has_held_to_ask(&looks));
    let plans = open_plans(&town);
    assert_eq!(plans.len(), 1, "the old one is taken back");
    assert_eq!(plans[0].plan.sites.len(), MANY + 1);
    let town = restarted(town);
    assert_eq!(open_plans(&town), plans);

    let (anna, zoe) = (chief("anna"), person("zoe", Role::Approver, &Scope::root()));
    let (number, hash, typed) = (plans[0].number, plans[0].hash, Some(MANY + 1));
    assert!(!town.engine.approve(&table(), &anna, number, hash, typed).unwrap().started);
    assert_eq!(dark(&town), 0);
    assert!(town.engine.approve(&table(), &zoe, number, hash, typed).unwrap().started);
    assert_eq!(dark(&town), MANY + 1);
    assert_eq!(look(&town, &mut HeldLooks::default()), 0);
    assert_eq!(open_plans(&town), []);
}

/// Goal: a plan that somebody agreed to is not taken from under the second person. Method: one of
/// two agrees, and one more site comes, which is asked about apart.
#[test]
fn a_plan_that_somebody_agreed_to_stays_and_what_came_since_is_asked_apart() {
    let town = waiting(1);
    assert_eq!(look(&town, &mut HeldLooks::default()), 1);
    let asked = open_plans(&town).remove(0);
    let (anna, zoe) = (chief("anna"), person("zoe", Role::Approver, &Scope::root()));
    let approve = |who| {
        town.engine.approve(&table(), who, asked.number, asked.hash, Some(MANY)).unwrap().started
    };
    assert!(!approve(&anna));
    attach(&town, [MANY]);
    assert_eq!(look(&town, &mut HeldLooks::default()), 1);
    let plans = open_plans(&town);
    let sizes: Vec<usize> = plans.iter().map(|it| it.plan.sites.len()).collect();
    assert_eq!(sizes, [1, MANY]);
    assert_eq!(look(&town, &mut HeldLooks::default()), 0);
    assert!(approve(&zoe));
    assert_eq!(dark(&town), MANY);
}

/// Goal: who refused is not asked the same again, who did not answer is, and nobody is asked about
/// what waits no longer. Method: a refusal, and one more site; a day without an answer, and a
/// clock that is set back; then a policy of other rules, and clear files of all.
#[test]
fn a_refusal_is_an_answer_and_silence_is_none() {
    let town = waiting(1);
    let anna = chief("anna");
    assert_eq!(look(&town, &mut HeldLooks::default()), 1);
    let asked = open_plans(&town).remove(0);
    town.engine.refuse(&table(), &anna, asked.number, asked.hash, "a forged feed").unwrap();
    assert_eq!(look(&town, &mut HeldLooks::default()), 0, "somebody decided");
    attach(&town, [MANY]);
    assert_eq!(look(&town, &mut HeldLooks::default()), 1);
    pass(HELD_PLAN_AGE_MAX_S);
    assert_eq!(open_plans(&town), []);
    let mut looks = HeldLooks::default();
    assert_eq!(look(&town, &mut looks), 1, "nobody answered for a day");
    pass(-1);
    assert_eq!(look(&town, &mut looks), 0);
    assert_eq!(open_plans(&town).len(), 1);

    let stricter = relight_engine::policy::Policy::signed(relight_model::Digest([9; 32]), 5, 100);
    let mut looks = HeldLooks::default();
    assert_eq!(town.engine.propose_held(&stricter, &mut looks, WORDS, 1).unwrap(), 1);
    let plans = open_plans(&town);
    assert_eq!((plans.len(), plans[0].plan.policy), (1, stricter.digest));
    for site in 0..=MANY {
        town.ingest(site, log4j("2.17.1"));
    }
    assert_eq!(look(&town, &mut HeldLooks::default()), 0);
    assert_eq!(open_plans(&town), []);
    let newest = town.engine.with_ledger(|it| it.actions().newest().next().cloned()).unwrap();
    let taken_back = Standing::Refused { by: "relight".into(), why: "changed".into() };
    assert_eq!(newest.standing, taken_back);
    assert!(!town.engine.has_held_to_ask(&HeldLooks::default()));
}

/// Goal: who takes back what he proposed himself refused nothing. Method: a plan for all that
/// waits, taken back by its proposer.
#[test]
fn a_plan_that_its_proposer_takes_back_is_no_answer() {
    let town = waiting(0);
    let anna = chief("anna");
    let all: Vec<usize> = (0..MANY).collect();
    let own = plan(&town, &anna, plan::Action::Dark, &all);
    let number = town.engine.propose(&table(), &anna, &own).unwrap().number;
    assert_eq!(look(&town, &mut HeldLooks::default()), 0, "it is asked already");
    town.engine.refuse(&table(), &anna, number, own.hash().unwrap(), "a typo").unwrap();
    assert_eq!(look(&town, &mut HeldLooks::default()), 1);
}
