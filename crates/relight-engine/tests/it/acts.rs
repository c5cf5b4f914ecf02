//! Acts of people on a whole register: proposed, approved, carried out, refused, taken back; and
//! what is stale or changed meanwhile is refused and loses nothing.

use std::sync::{Arc, Mutex};

use relight_engine::access::{Grant, Role, Scope};
use relight_engine::incident::{ACTIONS_KEPT_MAX, Phase};
use relight_engine::plan::{Action, PLAN_AGE_MAX_S, Plan, PlanAsk, PlanStale};
use relight_engine::policy::{Means, PROPOSER_WAITING_MAX, Person, Policy, Refusal};
use relight_engine::{Acted, EngineError, EngineErrorKind, Smashing};
use relight_model::{Digest, GateKey};

use crate::edge::key;
use crate::engine::{LOG4SHELL, Town, log4j, name, pass};

pub(crate) fn table() -> Policy {
    Policy::signed(Digest([7; 32]), 5, 200)
}

pub(crate) fn person(name: &str, role: Role, at: &Scope) -> Person {
    let grants = vec![Grant { role, scope: at.clone() }];
    Person { name: name.to_owned(), grants, means: Means::Passkey }
}

pub(crate) fn chief(name: &str) -> Person {
    person(name, Role::Commander, &Scope::root())
}

/// The body of every site of the town.
fn body(town: &Town) -> Scope {
    let body = &town.engine.organisations().unwrap()[0];
    Scope::of_body(&body.sector, &body.name)
}

pub(crate) fn plan(town: &Town, person: &Person, action: Action, sites: &[usize]) -> Plan {
    plan_of(town, person, (action, None), sites)
}

pub(crate) fn plan_of(
    town: &Town,
    person: &Person,
    (action, part): (Action, Option<&str>),
    sites: &[usize],
) -> Plan {
    let ask = PlanAsk {
        incident: LOG4SHELL.into(),
        action,
        part: part.map(str::to_owned),
        reason: "as a precaution".into(),
        advisory_revision: Digest::default(),
        policy: table().digest,
        proposer: person.name.clone(),
        created: town.engine.now(),
    };
    let sites: Vec<GateKey> = sites.iter().map(|site| key(&name(*site))).collect();
    town.engine.plan(ask, &sites).unwrap()
}

/// Two people agree to a plan of the first, who may not carry it out alone; its number.
pub(crate) fn agree(town: &Town, plan: &Plan) -> u32 {
    let (anna, zoe) = (chief("anna"), person("zoe", Role::Approver, &Scope::root()));
    let acted = town.engine.propose(&table(), &anna, plan).unwrap();
    assert!(!acted.started, "it takes two people");
    let hash = plan.hash().unwrap();
    assert!(town.engine.approve(&table(), &zoe, acted.number, hash, None).unwrap().started);
    acted.number
}

pub(crate) fn refusal(result: Result<Acted, EngineError>) -> Refusal {
    let refusal = match result.unwrap_err().kind {
        EngineErrorKind::Refused(refusal) => Ok(refusal),
        other => Err(other),
    };
    refusal.unwrap()
}

pub(crate) fn town(count: usize) -> Town {
    let town = Town::new(count);
    town.incident(LOG4SHELL);
    town
}

#[test]
fn two_people_darken_what_one_may_not() {
    let town = town(8);
    let (anna, zoe) = (chief("anna"), person("zoe", Role::Approver, &Scope::root()));
    let dark = plan(&town, &anna, Action::Dark, &[0, 1, 2, 3, 4, 5]);
    let acted = town.engine.propose(&table(), &anna, &dark).unwrap();
    assert_eq!(acted, Acted { number: 1, started: false });
    assert_eq!(town.engine.propose(&table(), &anna, &dark).unwrap(), acted, "twice is once");
    assert_eq!(town.phase(LOG4SHELL, 0), None, "nothing is switched");
    let hash = dark.hash().unwrap();
    let approve = |who: &Person| town.engine.approve(&table(), who, 1, hash, None);
    assert_eq!(refusal(approve(&anna)), Refusal::Proposer);
    let token = Person { means: Means::Token, ..zoe.clone() };
    assert_eq!(refusal(approve(&token)), Refusal::Token);
    let viewer = person("max", Role::Viewer, &Scope::root());
    assert_eq!(refusal(approve(&viewer)), Refusal::NotApprover);
    let other = town.engine.approve(&table(), &zoe, 1, Digest([1; 32]), None);
    assert_eq!(refusal(other), Refusal::OtherHash);
    let before = town.journal();
    assert_eq!(approve(&zoe).unwrap(), Acted { number: 1, started: true });
    let journal = town.journal();
    assert_eq!(journal[before.len()..][..3], ["plan-approved", "plan-started", "dark-ordered"]);
    assert_eq!(
        town.phase(LOG4SHELL, 5),
        Some(Phase::Unknown),
        "dark, and nothing is known about it"
    );
    assert_eq!(refusal(approve(&zoe)), Refusal::Done);
}

/// Nothing of an act is in the journal without its rest: a crash in between would leave a plan
/// that nobody has to agree to and nobody carries out.
#[test]
fn a_plan_for_one_person_is_proposed_and_carried_out_in_one_transaction() {
    let town = town(3);
    let anna = person("anna", Role::SiteOwner, &body(&town));
    let dark = plan(&town, &anna, Action::Dark, &[0]);
    let (before, commits) = (town.journal().len(), Arc::new(Mutex::new(Vec::new())));
    let seen = Arc::clone(&commits);
    town.engine.listen(Box::new(move |_, appended| {
        let kinds = appended.entries.iter().map(|(_, entry)| entry.kind()).collect::<Vec<_>>();
        seen.lock().unwrap().push(kinds);
    }));
    let acted = town.engine.propose(&table(), &anna, &dark).unwrap();
    assert_eq!(acted, Acted { number: 1, started: true });
    assert_eq!(commits.lock().unwrap()[0], ["plan-proposed", "plan-started", "dark-ordered"]);
    assert_eq!(town.journal()[before..][..3], ["plan-proposed", "plan-started", "dark-ordered"]);
    assert_eq!(town.engine.propose(&table(), &anna, &dark).unwrap(), acted, "twice is once");
}

#[test]
fn a_plan_that_is_over_is_not_asked_for_again() {
    let town = town(8);
    let (anna, zoe) = (chief("anna"), chief("zoe"));
    let dark = plan(&town, &anna, Action::Dark, &[0, 1, 2, 3, 4, 5]);
    town.engine.propose(&table(), &anna, &dark).unwrap();
    let again = |who: &Person| refusal(town.engine.propose(&table(), who, &dark));
    assert_eq!(again(&zoe), Refusal::OtherHash, "the plan of somebody else tells nobody anything");
    town.engine.refuse(&table(), &zoe, 1, dark.hash().unwrap(), "not tonight").unwrap();
    assert_eq!(again(&anna), Refusal::Refused);
    let later = plan(&town, &anna, Action::Dark, &[0, 1, 2, 3, 4, 6]);
    town.engine.propose(&table(), &anna, &later).unwrap();
    pass(PLAN_AGE_MAX_S);
    assert_eq!(refusal(town.engine.propose(&table(), &anna, &later)), Refusal::Expired);
}

#[test]
fn a_plan_that_waits_is_not_forgotten_for_younger_ones() {
    let town = town(8);
    let (anna, zoe) = (chief("anna"), chief("zoe"));
    let first = plan(&town, &anna, Action::Dark, &[0, 1, 2, 3, 4, 5]);
    town.engine.propose(&table(), &anna, &first).unwrap();
    for _ in 0..ACTIONS_KEPT_MAX {
        pass(1);
        let other = plan(&town, &anna, Action::Dark, &[0, 1, 2, 3, 4, 6]);
        let number = town.engine.propose(&table(), &anna, &other).unwrap().number;
        let hash = other.hash().unwrap();
        town.engine.refuse(&table(), &zoe, number, hash, "not this one").unwrap();
    }
    let kept = town
        .engine
        .with_ledger(|ledger| [1, 2, 3].map(|number| ledger.actions().get(number).is_some()));
    assert_eq!(kept, [true, false, true], "the oldest of which nothing can come any more is gone");
    let approved = town.engine.approve(&table(), &zoe, 1, first.hash().unwrap(), None);
    assert_eq!(approved.unwrap(), Acted { number: 1, started: true });
}

/// Goal: nothing that runs wild keeps people from darkening. Method: programs ask as often as they
/// may; then the person in whose name they ask, and another one, ask as well.
#[test]
fn programs_that_ask_without_end_leave_room_for_people() {
    let town = town(8);
    let ask = |who: &Person| {
        pass(1);
        town.engine.propose(&table(), who, &plan(&town, who, Action::Dark, &[0, 1, 2, 3, 4, 5]))
    };
    let full = |who: &Person| assert_eq!(refusal(ask(who)), Refusal::TooManyWaiting, "{who:?}");
    let program = |name: &str| Person { means: Means::Token, ..chief(name) };
    for name in ["anna", "zoe", "max", "eve"] {
        (0..PROPOSER_WAITING_MAX).for_each(|_| assert!(!ask(&program(name)).unwrap().started));
        full(&program(name));
    }
    let absent = Person { means: Means::SignedIn, ..chief("boss") };
    [&program("boss"), &absent].into_iter().for_each(full);
    for name in ["anna", "boss"] {
        (0..PROPOSER_WAITING_MAX).for_each(|_| assert!(!ask(&chief(name)).unwrap().started));
        full(&chief(name));
    }
    // What waits for nobody takes nobody's place.
    let owner = person("anna", Role::SiteOwner, &body(&town));
    let alone = plan(&town, &owner, Action::Dark, &[7]);
    assert!(town.engine.propose(&table(), &owner, &alone).unwrap().started);
    pass(PLAN_AGE_MAX_S);
    ask(&program("anna")).unwrap();
}

#[test]
fn a_stale_plan_is_refused_and_loses_nothing() {
    let town = town(8);
    let (anna, zoe) = (chief("anna"), chief("zoe"));
    let dark = plan(&town, &anna, Action::Dark, &[0, 1, 2, 3, 4, 5]);
    town.engine.propose(&table(), &anna, &dark).unwrap();
    let hash = dark.hash().unwrap();
    let stale = |policy: &Policy| {
        let before = town.journal();
        let error = town.engine.approve(policy, &zoe, 1, hash, None).unwrap_err();
        assert_eq!(town.journal(), before, "nothing was journalled");
        error.kind
    };
    let stricter = Policy { digest: Digest([8; 32]), ..table() };
    assert_eq!(stale(&stricter), EngineErrorKind::Stale(PlanStale::Differs("policy")));
    town.ingest(0, log4j("2.17.1"));
    assert_eq!(stale(&table()), EngineErrorKind::Stale(PlanStale::Differs("sites")));
    pass(PLAN_AGE_MAX_S);
    assert_eq!(stale(&table()), EngineErrorKind::Refused(Refusal::Expired));
    let again = plan(&town, &anna, Action::Dark, &[0, 1, 2, 3, 4, 5]);
    assert_eq!(town.engine.propose(&table(), &anna, &again).unwrap().number, 2);
}

#[test]
fn slices_of_one_owner_add_up_over_a_day() {
    let town = town(8);
    let owner = person("owner", Role::SiteOwner, &body(&town));
    let propose = |sites: &[usize]| {
        let dark = plan(&town, &owner, Action::Dark, sites);
        town.engine.propose(&table(), &owner, &dark)
    };
    assert!(propose(&[0, 1, 2]).unwrap().started, "his own, and no more than five");
    assert_eq!(
        town.phase(LOG4SHELL, 2),
        Some(Phase::Unknown),
        "dark, and nothing is known about it"
    );
    assert_eq!(refusal(propose(&[3, 4, 5])), Refusal::NotCommander, "six within a day");
    assert!(propose(&[3, 4]).unwrap().started);
    // Somebody else of the same body gains nothing from another account.
    let second = person("second", Role::SiteOwner, &body(&town));
    let more = plan(&town, &second, Action::Dark, &[5]);
    let more = town.engine.propose(&table(), &second, &more);
    assert_eq!(refusal(more), Refusal::NotCommander);
    pass(24 * 3_600 - 1);
    assert_eq!(refusal(propose(&[5])), Refusal::NotCommander);
    pass(1);
    assert!(propose(&[5, 6, 7]).unwrap().started);
}

#[test]
fn without_a_signed_policy_two_people_agree_to_everything() {
    let town = town(2);
    let owner = person("owner", Role::SiteOwner, &body(&town));
    let dark = Plan { policy: Digest::default(), ..plan(&town, &owner, Action::Dark, &[0]) };
    let strict = Policy::strictest();
    let refused = town.engine.propose(&strict, &owner, &dark);
    assert_eq!(refusal(refused), Refusal::NotCommander);
    let anna = chief("anna");
    let dark = Plan { policy: Digest::default(), ..plan(&town, &anna, Action::Dark, &[0]) };
    assert!(!town.engine.propose(&strict, &anna, &dark).unwrap().started);
}

#[test]
fn what_is_refused_stays_refused_and_what_is_done_is_taken_back() {
    let town = town(8);
    town.ingest(0, log4j("2.17.1"));
    let (anna, zoe) = (chief("anna"), chief("zoe"));
    let all: Vec<usize> = (0..8).collect();
    let dark = plan(&town, &anna, Action::Dark, &all);
    let hash = dark.hash().unwrap();
    town.engine.propose(&table(), &anna, &dark).unwrap();
    let nameless = town.engine.refuse(&table(), &zoe, 1, hash, " ").unwrap_err();
    assert_eq!(nameless.kind, EngineErrorKind::Refused(Refusal::NoReason));
    town.engine.refuse(&table(), &zoe, 1, hash, "not tonight").unwrap();
    let late = town.engine.approve(&table(), &zoe, 1, hash, None);
    assert_eq!(refusal(late), Refusal::Refused);
    pass(1);
    let dark = plan(&town, &anna, Action::Dark, &all);
    town.engine.propose(&table(), &anna, &dark).unwrap();
    town.engine.approve(&table(), &zoe, 2, dark.hash().unwrap(), None).unwrap();
    let viewer = person("max", Role::Viewer, &Scope::root());
    let foreign = town.engine.take_back(&table(), &viewer, 2).unwrap_err();
    assert_eq!(foreign.kind, EngineErrorKind::Refused(Refusal::NotSigner));
    let stranger = town.engine.take_back(&table(), &chief("boss"), 2).unwrap_err();
    assert_eq!(stranger.kind, EngineErrorKind::Refused(Refusal::NotSigner), "he signed nothing");
    let undone = town.engine.take_back(&table(), &zoe, 2).unwrap();
    assert_eq!(
        (undone.opened.len(), undone.kept.len()),
        (1, 7),
        "undo never opens what is not clear"
    );
    assert!(town.engine.take_back(&table(), &zoe, 2).is_err(), "once");
}

#[test]
fn broken_glass_is_journalled_first_and_reviewed_by_somebody_else() {
    let town = town(8);
    let anna = Person { means: Means::HardwareKey, ..chief("anna") };
    let dark = plan(&town, &anna, Action::Dark, &[0, 1, 2, 3, 4, 5, 6]);
    let without = Person { means: Means::Passkey, ..anna.clone() };
    let smashing = || Smashing { hash: dark.hash().unwrap(), reason: "fire", proof: None };
    let refused = town.engine.smash_glass(&table(), &without, &dark, smashing()).unwrap_err();
    assert_eq!(refused.kind, EngineErrorKind::Refused(Refusal::NoHardwareKey));
    town.engine.smash_glass(&table(), &anna, &dark, smashing()).unwrap();
    assert_eq!(town.journal()[1..3], ["break-glass", "dark-ordered"]);
    let hash = dark.hash().unwrap();
    let own = town.engine.review_glass(&table(), &anna, hash, "fine").unwrap_err();
    assert_eq!(own.kind, EngineErrorKind::Refused(Refusal::OwnReview));
    town.engine.review_glass(&table(), &chief("zoe"), hash, "it was right").unwrap();
    assert!(town.engine.review_glass(&table(), &chief("max"), hash, "again").is_err());
    let (replayed, _) = relight_engine::replay(town.engine.store()).unwrap();
    let reviewed = replayed.actions().glass()[0].reviewed.clone();
    assert_eq!(reviewed.as_deref(), Some("zoe"), "a replayed journal says the same");
}

/// Goal: nobody darkens many alone by taking a relight back. Method: a relight of more sites than
/// one person switches, signed by two: a third commander, and a signer who was not seen lately.
#[test]
fn a_relight_of_many_is_taken_back_by_a_signer_who_is_there() {
    let town = town(6);
    let (anna, zoe) = (chief("anna"), person("zoe", Role::Approver, &Scope::root()));
    let all: Vec<usize> = (0..6).collect();
    let agree = |action: Action| {
        let plan = plan(&town, &anna, action, &all);
        let number = town.engine.propose(&table(), &anna, &plan).unwrap().number;
        let hash = plan.hash().unwrap();
        assert!(town.engine.approve(&table(), &zoe, number, hash, None).unwrap().started);
        number
    };
    agree(Action::Dark);
    pass(60);
    all.iter().for_each(|site| town.ingest(*site, log4j("2.17.1")));
    let number = agree(Action::Relight);
    let sites: Vec<GateKey> = all.iter().map(|site| key(&name(*site))).collect();
    town.engine.relight("anna", LOG4SHELL, &sites).unwrap();
    let refused = |who: &Person| {
        let kind = town.engine.take_back(&table(), who, number).unwrap_err().kind;
        assert_eq!(town.phase(LOG4SHELL, 0), Some(Phase::Relighting));
        kind
    };
    assert_eq!(refused(&chief("boss")), EngineErrorKind::Refused(Refusal::NotSigner));
    let absent = Person { means: Means::SignedIn, ..zoe.clone() };
    assert_eq!(refused(&absent), EngineErrorKind::Refused(Refusal::NotPresent));
    assert_eq!(town.engine.take_back(&table(), &zoe, number).unwrap().kept.len(), 6);
}

/// Glass that was broken for a plan that waited is nobody's signature: the command takes it back.
#[test]
fn what_glass_was_broken_for_is_taken_back_by_the_command() {
    let town = town(6);
    let anna = Person { means: Means::HardwareKey, ..chief("anna") };
    let dark = plan(&town, &anna, Action::Dark, &[0, 1, 2, 3, 4, 5]);
    let number = town.engine.propose(&table(), &anna, &dark).unwrap().number;
    let smashing = Smashing { hash: dark.hash().unwrap(), reason: "fire", proof: None };
    town.engine.smash_glass(&table(), &anna, &dark, smashing).unwrap();
    let approver = person("zoe", Role::Approver, &Scope::root());
    let kind = town.engine.take_back(&table(), &approver, number).unwrap_err().kind;
    assert_eq!(kind, EngineErrorKind::Refused(Refusal::NotSigner));
    assert_eq!(town.engine.take_back(&table(), &chief("boss"), number).unwrap().kept.len(), 6);
}

/// Goal: a relight is taken back like a dark order. Method: a plan of two sites, of which one was
/// opened when somebody who signed it takes it back; waves that are still under way open nothing.
#[test]
fn a_relight_that_is_taken_back_stops_and_goes_dark_again() {
    let town = town(2);
    let (anna, zoe) = (chief("anna"), person("zoe", Role::Approver, &Scope::root()));
    let agree = |plan: &Plan| {
        let number = town.engine.propose(&table(), &anna, plan).unwrap().number;
        let hash = plan.hash().unwrap();
        assert!(town.engine.approve(&table(), &zoe, number, hash, None).unwrap().started);
        number
    };
    agree(&plan(&town, &anna, Action::Dark, &[0, 1]));
    pass(60);
    for site in [0, 1] {
        town.ingest(site, log4j("2.17.1"));
    }
    let eligible = Some(Phase::RelightEligible);
    assert_eq!([0, 1].map(|site| town.phase(LOG4SHELL, site)), [eligible; 2]);
    let relight = plan(&town, &anna, Action::Relight, &[0, 1]);
    let number = agree(&relight);
    town.engine.relight("anna", LOG4SHELL, &[key(&name(0))]).unwrap();
    let stranger = chief("max");
    let absent = Person { means: Means::Token, ..stranger.clone() };
    assert!(town.engine.take_back(&table(), &absent, number).is_err());
    // Any name may stand in the policy of a machine.
    let machine = Person::operator("anna", [body(&town)].into_iter());
    let unsigned = town.engine.take_back(&table(), &machine, number).unwrap_err().kind;
    assert_eq!(unsigned, EngineErrorKind::Refused(Refusal::NotSigner));
    let undone = town.engine.take_back(&table(), &zoe, number).unwrap();
    assert_eq!((undone.opened, undone.kept), (Vec::new(), vec![key(&name(0))]));
    let after = [Some(Phase::DarkRequested), eligible];
    assert_eq!([0, 1].map(|site| town.phase(LOG4SHELL, site)), after);
    let rollout = town.engine.relight_by_waves("anna", &relight).unwrap();
    assert_eq!((rollout.open, rollout.left), (Vec::new(), Vec::new()));
    assert_eq!([0, 1].map(|site| town.phase(LOG4SHELL, site)), after, "no wave goes any more");
    let twice = town.engine.take_back(&table(), &zoe, number).unwrap_err().kind;
    assert_eq!(twice, EngineErrorKind::Refused(Refusal::Expired));
    let (ledger, _) = relight_engine::replay(town.engine.store()).unwrap();
    assert_eq!(ledger, town.ledger(), "the journal says so alone");
}

/// Goal: waves open nothing that people were not asked about. Method: a relight that nobody
/// proposed, and one that waits for its second person.
#[test]
fn a_relight_that_is_not_agreed_to_opens_nothing() {
    let town = town(2);
    let (anna, zoe) = (chief("anna"), person("zoe", Role::Approver, &Scope::root()));
    town.darken(&[0, 1]);
    pass(60);
    (0..2).for_each(|site| town.ingest(site, log4j("2.17.1")));
    let eligible = [Some(Phase::RelightEligible); 2];
    let phases = || [0, 1].map(|site| town.phase(LOG4SHELL, site));
    let relight = plan(&town, &anna, Action::Relight, &[0, 1]);
    town.engine.relight_by_waves("anna", &relight).unwrap();
    assert_eq!(phases(), eligible, "nobody proposed it");
    let acted = town.engine.propose(&table(), &anna, &relight).unwrap();
    assert!(!acted.started, "it takes two people");
    town.engine.relight_by_waves("anna", &relight).unwrap();
    assert_eq!(phases(), eligible, "one of them has not agreed");
    let hash = relight.hash().unwrap();
    assert!(town.engine.approve(&table(), &zoe, acted.number, hash, None).unwrap().started);
}
