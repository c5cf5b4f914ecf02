//! Plans on their way: who has to agree, breaking glass, undoing, the protected list, looking.

use relight_engine::access::{Grant, Role, Scope};
use relight_engine::incident::{Authority, Entry, Phase, Rejected, Seat};
use relight_engine::plan::{Action, PLAN_AGE_MAX_S, Plan, PlanStale};
use relight_engine::policy::{Means, Person, Policy, Refusal};
use relight_engine::store::SiteMark;
use relight_engine::{EngineError, EngineErrorKind, Smashing, Undone};
use relight_model::{Digest, GateKey};

use crate::edge::key;
use crate::engine::{LOG4SHELL, Town, clock, log4j, name, pass};

fn town(count: usize) -> Town {
    let town = Town::new(count);
    town.incident(LOG4SHELL);
    town
}

/// Somebody of Command who is there.
fn commander(name: &str) -> Person {
    let grants = vec![Grant { role: Role::Commander, scope: Scope::root() }];
    Person { name: name.into(), grants, means: Means::Passkey }
}

#[test]
fn five_sites_need_one_person_six_two_and_vital_ones_the_command() {
    let town = town(250);
    let table = Policy::signed(Digest::default(), 5, 200);
    let seats = |plan: &Plan| table.seats(plan, plan.sites.len() <= 5);
    let of = |count: usize| town.plan(Action::Dark, &(0..count).collect::<Vec<_>>());
    assert_eq!(seats(&of(5)), [Seat::Operator]);
    assert_eq!(seats(&of(6)), [Seat::Operator, Seat::Second]);
    assert_eq!(seats(&of(200)), [Seat::Operator, Seat::Second]);
    assert_eq!(seats(&of(201)), [Seat::Operator, Seat::Command]);
    let mut vital = of(1);
    vital.sites[0].criticality = 1;
    assert_eq!(seats(&vital), [Seat::Operator, Seat::Command]);
}

#[test]
fn without_approval_nothing_is_journalled() {
    let town = town(6);
    let plan = town.plan(Action::Dark, &[0]);
    let one = town.engine.operator("A. Tremblay").unwrap();
    let table = Policy::signed(Digest::default(), 2, 200);
    assert!(town.engine.propose(&table, &one, &plan).unwrap().started);
    assert_eq!(town.phase(LOG4SHELL, 0), Some(Phase::Unknown), "nobody read it");
    // Slices of one day add up, whatever the plan says; and a plan has its time.
    let more = town.plan(Action::Dark, &[1, 2]);
    let refused = |plan: &Plan| town.engine.propose(&table, &one, plan).unwrap_err().kind;
    assert_eq!(refused(&more), EngineErrorKind::Refused(Refusal::NotCommander));
    let next = town.plan(Action::Dark, &[1]);
    pass(PLAN_AGE_MAX_S);
    assert_eq!(refused(&next), EngineErrorKind::Stale(PlanStale::Expired));
    let next = town.plan(Action::Dark, &[1]);
    assert!(town.engine.propose(&table, &one, &next).unwrap().started);
}

/// Goal: the operator of a machine has the command only where nobody can sign in. Method: one act
/// of each kind before and after the first account.
#[test]
fn the_operator_has_the_command_until_somebody_can_sign_in() {
    let town = town(3);
    let table = Policy::signed(Digest::default(), 5, 200);
    let one = || town.engine.operator("A. Tremblay").unwrap();
    let glass = |site: usize| {
        let plan = town.plan(Action::Dark, &[site]);
        let hash = plan.hash().unwrap();
        let smashing = Smashing { hash, reason: "exploited", proof: None };
        town.engine.smash_glass(&table, &one(), &plan, smashing).map(|()| hash)
    };
    town.engine.check_command(&table, &one()).unwrap();
    let [first, second] = [0, 1].map(|site| glass(site).unwrap());
    let undo = |plan| town.engine.take_order_back(&table, &one(), (LOG4SHELL, plan));
    assert_eq!(undo(first).unwrap().kept, [key(&name(0))]);
    town.engine.store().add_account("anna", 1, &[]).unwrap();
    let refused = EngineErrorKind::Refused(Refusal::NotCommander);
    assert_eq!(town.engine.check_command(&table, &one()).unwrap_err().kind, refused);
    assert_eq!(glass(2).unwrap_err().kind, refused);
    assert_eq!(undo(second).unwrap_err().kind, refused, "nobody proposed it");
    let plan = town.plan(Action::Dark, &[2]);
    assert!(town.engine.propose(&table, &one(), &plan).unwrap().started, "his own site");
    assert_eq!(undo(plan.hash().unwrap()).unwrap().kept, [key(&name(2))], "his own order");
}

#[test]
fn breaking_glass_takes_one_person_and_never_relights() {
    let town = town(300);
    let all: Vec<usize> = (0..300).collect();
    let plan = town.plan(Action::Dark, &all);
    smash(&town, &plan).unwrap();
    assert_eq!(town.journal()[1..3], ["break-glass", "dark-ordered"]);
    town.ingest(0, log4j("2.17.1"));
    let on = town.plan(Action::Relight, &[0]);
    let refused = smash(&town, &on).unwrap_err();
    assert_eq!(refused.kind, EngineErrorKind::Refused(Refusal::GlassRelights));
    assert_eq!(town.phase(LOG4SHELL, 0), Some(Phase::RelightEligible));
}

/// The operator of the machine breaks the glass.
fn smash(town: &Town, plan: &Plan) -> Result<(), EngineError> {
    let table = Policy::signed(Digest::default(), 5, 200);
    let one = town.engine.operator("A. Tremblay").unwrap();
    let smashing = Smashing { hash: plan.hash().unwrap(), reason: "exploited", proof: None };
    town.engine.smash_glass(&table, &one, plan, smashing)
}

/// What two people gave beforehand.
fn given(score_min: u16, sites_max: usize) -> Authority {
    Authority {
        name: "criticality 10".into(),
        score_min,
        known_exploited: false,
        sites_max,
        vital: false,
        order: "decree 1".into(),
        legal_basis: "section 12".into(),
        proposer: "Anna".into(),
        approver: "Zoe".into(),
        expires: clock() / 1_000 + 2 * 86_400,
    }
}

/// Goal: what is given beforehand darkens what its rule means, as far as it reaches within a day,
/// for somebody of Command who is there, and nothing else. Method: one plan on each side of each
/// limit; what the journal says of the first that goes.
#[test]
fn what_is_given_beforehand_darkens_what_its_rule_means_and_nothing_else() {
    let town = town(20);
    let (dark, on) = (Action::Dark, Action::Relight);
    let signed = Policy::signed(Digest::default(), 5, 200);
    let under = |given: Authority| Policy { standing: vec![given], ..signed.clone() };
    let ask = |policy: &Policy, person: &Person, plan: &Plan| {
        town.engine.propose(policy, person, plan).map(|acted| acted.started)
    };
    let chief = commander("A. Tremblay");
    let six = town.plan(dark, &[0, 1, 2, 3, 4, 5]);
    assert!(!ask(&under(given(101, 10)), &chief, &six).unwrap(), "another flaw");
    assert_eq!(town.journal()[1..], ["plan-proposed"]);
    let seven = town.plan(dark, &[0, 1, 2, 3, 4, 5, 6]);
    assert!(!ask(&under(given(100, 6)), &chief, &seven).unwrap(), "further");
    let unsigned = Policy { is_signed: false, ..under(given(100, 10)) };
    let eight = town.plan(dark, &[0, 1, 2, 3, 4, 5, 6, 7]);
    assert!(!ask(&unsigned, &chief, &eight).unwrap(), "nobody signed it");
    let absent = Person { means: Means::SignedIn, ..chief.clone() };
    let nine = town.plan(dark, &[0, 1, 2, 3, 4, 5, 6, 7, 8]);
    assert!(!ask(&under(given(100, 10)), &absent, &nine).unwrap(), "nobody is there");
    let program = Person { means: Means::Token, ..chief.clone() };
    let ten = town.plan(dark, &(0..10).collect::<Vec<_>>());
    assert!(!ask(&under(given(100, 10)), &program, &ten).unwrap(), "a program");
    let before = town.journal().len();
    let plan = town.plan(dark, &[5, 6, 7, 8, 9, 10]);
    assert!(ask(&under(given(100, 10)), &chief, &plan).unwrap());
    let told = ["authority-granted", "plan-proposed", "authority-used", "plan-started"];
    assert_eq!(town.journal()[before..before + 5], [&told[..], &["dark-ordered"]].concat());
    town.engine.with_ledger(|ledger| {
        let action = ledger.actions().of(&plan.hash().unwrap()).unwrap();
        assert_eq!(action.authority.as_deref(), Some("criticality 10"));
    });
    // Slices of one day add up; the next day counts anew.
    let more = town.plan(dark, &[11, 12, 13, 14, 15, 16]);
    assert!(!ask(&under(given(100, 10)), &chief, &more).unwrap(), "in slices");
    pass(86_400);
    let more = town.plan(dark, &[11, 12, 13, 14, 15, 17]);
    let before = town.journal().len();
    assert!(ask(&under(given(100, 10)), &chief, &more).unwrap());
    let told = town.journal().split_off(before);
    let granted = told.iter().filter(|kind| *kind == "authority-granted").count();
    assert_eq!(granted, 1, "it ends later now, and is given again");
    // It relights nothing.
    for site in 5..11 {
        town.ingest(site, log4j("2.17.1"));
    }
    let back = town.plan(on, &[5, 6, 7, 8, 9, 10]);
    assert!(!ask(&under(given(100, 100)), &chief, &back).unwrap(), "it relights nothing");
}

/// Whoever writes the entry: the journal itself lets no authority reach further.
#[test]
fn the_journal_refuses_what_no_authority_covers() {
    let town = town(8);
    let chief = commander("A. Tremblay");
    let table = Policy::signed(Digest::default(), 5, 200);
    let plan = town.plan(Action::Dark, &[0, 1, 2, 3, 4, 5]);
    town.engine.propose(&table, &chief, &plan).unwrap();
    let hash = plan.hash().unwrap();
    let used = || {
        let entry = Entry::AuthorityUsed { plan: hash, name: "criticality 10".into() };
        town.engine.append("mallory", vec![(LOG4SHELL.into(), entry)]).unwrap().remove(0)
    };
    assert_eq!(used(), Err(Rejected("no such authority is in force")));
    let give = |authority: Authority| {
        town.engine.record("relight", "", Entry::AuthorityGranted { authority }).unwrap();
    };
    give(given(100, 5));
    assert_eq!(used(), Err(Rejected("the authority does not reach so far")));
    give(given(100, 6));
    pass(2 * 86_400);
    assert_eq!(used(), Err(Rejected("no such authority is in force")));
}

#[test]
fn undoing_opens_what_is_clear_and_lists_the_rest() {
    let town = town(3);
    town.ingest(0, log4j("2.17.1"));
    let plan = town.plan(Action::Dark, &[0, 2]);
    let hash = plan.hash().unwrap();
    let nothing = town.engine.undo("Anna", LOG4SHELL, hash).unwrap_err();
    assert_eq!(nothing.kind, EngineErrorKind::NotFound);
    town.engine.execute(&plan, "Anna").unwrap();
    let undone = town.engine.undo("Anna", LOG4SHELL, hash).unwrap();
    let (opened, kept) = (vec![key(&name(0))], vec![key(&name(2))]);
    assert_eq!(undone, Undone { opened, kept, dark: None });
    assert_eq!(town.phase(LOG4SHELL, 2), Some(Phase::Unknown));
    assert!(town.engine.undo("Anna", LOG4SHELL, hash).is_err(), "once");
    let late = town.plan(Action::Dark, &[1]);
    town.engine.execute(&late, "Anna").unwrap();
    pass(601);
    let refused = town.engine.undo("Anna", LOG4SHELL, late.hash().unwrap()).unwrap_err();
    assert!(matches!(refused.kind, EngineErrorKind::Rejected(_)), "after ten minutes");
}

#[test]
fn the_protected_list_is_left_alone() {
    let town = town(2);
    let protected: GateKey = key(&name(0));
    let store = town.engine.store();
    store.set_mark(&protected, SiteMark::Protected, true, 0, "Anna").unwrap();
    town.engine.reload().unwrap();
    let plan = town.plan(Action::Dark, &[0, 1]);
    assert_eq!(plan.keys(), [key(&name(1))]);
    assert_eq!(
        (plan.skipped[0].site.clone(), plan.skipped[0].reason.as_str()),
        (protected, "protected")
    );
    let mut forced = plan.clone();
    forced.sites.push(forced.sites[0].clone());
    forced.sites[1].site = key(&name(0));
    forced.skipped.clear();
    assert!(smash(&town, &forced).is_err(), "not even by force");
}

/// Goal: a site that was dark before it was protected is not dark for ever. Method: it was opened
/// in vain once, so that only a person opens it.
#[test]
fn a_protected_site_that_is_dark_can_be_relit_by_a_person() {
    let town = town(1);
    town.ingest(0, log4j("2.17.1"));
    town.darken(&[0]);
    let site = key(&name(0));
    let sites = || vec![site.clone()];
    town.engine.analyse("Anna", LOG4SHELL, &sites()).unwrap();
    assert_eq!(town.engine.relight_ready().unwrap(), 1);
    let stopped =
        Entry::RelightStopped { sites: sites(), why: "not-proven".to_owned(), unseen: false };
    town.engine.record("relight", LOG4SHELL, stopped).unwrap();
    assert_eq!(town.engine.relight_ready().unwrap(), 0, "a person decides");
    town.engine.store().set_mark(&site, SiteMark::Protected, true, 0, "Anna").unwrap();
    town.engine.reload().unwrap();
    let plan = town.plan(Action::Relight, &[0]);
    assert_eq!(plan.keys(), std::slice::from_ref(&site));
    let table = Policy::signed(Digest::default(), 2, 200);
    let one = town.engine.operator("A. Tremblay").unwrap();
    assert!(town.engine.propose(&table, &one, &plan).unwrap().started);
}

#[test]
fn looking_tells_which_sites_need_a_fresh_inventory() {
    let town = town(3);
    town.ingest(0, log4j("2.14.1"));
    town.darken(&[0, 1, 2]);
    let sites: Vec<GateKey> = (0..3).map(|site| key(&name(site))).collect();
    let unknown = town.engine.analyse("Anna", LOG4SHELL, &sites).unwrap();
    assert_eq!(unknown, sites[1..]);
    let phases = [0, 1, 2].map(|site| town.phase(LOG4SHELL, site).unwrap());
    assert_eq!(phases, [Phase::Affected, Phase::Unknown, Phase::Unknown]);
    town.ingest(1, log4j("2.17.1"));
    assert_eq!(town.engine.analyse("Anna", LOG4SHELL, &sites).unwrap(), sites[2..]);
    assert_eq!(town.engine.analyse("Anna", LOG4SHELL, &[]).unwrap(), []);
}
