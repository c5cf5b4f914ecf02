//! Plans on their way: who has to agree, breaking glass, undoing, the protected list, looking.

use relight_engine::approval::{Approval, Approvals, Journalled, seats};
use relight_engine::incident::{Authority, Entry, Phase, Seat};
use relight_engine::plan::{Action, PLAN_AGE_MAX_S, Plan, PlanStale};
use relight_engine::policy::{Policy, Refusal};
use relight_engine::store::SiteMark;
use relight_engine::{EngineErrorKind, Smashing, Undone};
use relight_model::{Digest, GateKey, Timestamp};

use crate::edge::key;
use crate::engine::{LOG4SHELL, Town, clock, log4j, name, pass};

/// Nobody who has to agree did.
struct Nobody;

impl Approvals for Nobody {
    fn state(&self, _plan: &Digest, _now: Timestamp) -> Approval {
        Approval::Needs(vec![Seat::Second])
    }
}

fn town(count: usize) -> Town {
    let town = Town::new(count);
    town.incident(LOG4SHELL);
    town
}

fn refusal(town: &Town, plan: &Plan, approvals: &dyn Approvals) -> EngineErrorKind {
    let before = town.journal();
    let refused = town.engine.execute_approved(plan, "A. Tremblay", approvals).unwrap_err();
    assert_eq!(town.journal(), before, "a plan that is not approved was journalled");
    refused.kind
}

#[test]
fn five_sites_need_one_person_six_two_and_vital_ones_the_command() {
    let town = town(250);
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
fn an_approval_covers_a_hash_and_not_a_name() {
    let town = town(8);
    let all: Vec<usize> = (0..8).collect();
    let plan = town.plan(Action::Dark, &all);
    let hash = plan.hash().unwrap();
    let state = |plan: &Plan, now: Timestamp| {
        town.engine.with_ledger(|ledger| {
            let incident = ledger.incident(LOG4SHELL).unwrap();
            Journalled { incident, plan }.state(&plan.hash().unwrap(), now)
        })
    };
    let now = town.engine.now();
    assert_eq!(state(&plan, now), Approval::Needs(vec![Seat::Operator, Seat::Second]));
    for (seat, by) in [(Seat::Operator, "Anna"), (Seat::Command, "Zoe")] {
        let entry = Entry::PlanApproved { plan: hash, seat, by: by.into(), proof: None };
        town.engine.record(by, LOG4SHELL, entry).unwrap();
    }
    let by = vec!["Anna".to_owned(), "Zoe".to_owned()];
    assert_eq!(state(&plan, now), Approval::Granted { by }, "the command sits anywhere");
    let other = town.plan(Action::Dark, &all[..7]);
    assert_eq!(state(&other, now), Approval::Needs(vec![Seat::Operator, Seat::Second]));
    assert_eq!(state(&plan, now + PLAN_AGE_MAX_S), Approval::Expired);
    let refused = Entry::PlanRefused { plan: hash, by: "Max".into(), why: "no".into() };
    town.engine.record("Max", LOG4SHELL, refused).unwrap();
    let denied = Approval::Denied { by: "Max".into(), reason: "no".into() };
    assert_eq!(state(&plan, now), denied);
}

#[test]
fn without_approval_nothing_is_journalled() {
    let town = town(6);
    let plan = town.plan(Action::Dark, &[0]);
    let needs = Approval::Needs(vec![Seat::Second]);
    assert_eq!(refusal(&town, &plan, &Nobody), EngineErrorKind::Approval(needs));
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
    town.engine.break_glass(&plan, "A. Tremblay", "it is being exploited").unwrap();
    assert_eq!(town.journal()[1..], ["break-glass", "dark-ordered"]);
    town.ingest(0, log4j("2.17.1"));
    let on = town.plan(Action::Relight, &[0]);
    let refused = town.engine.break_glass(&on, "A. Tremblay", "please").unwrap_err();
    assert!(refused.to_string().contains("nobody relights"), "{refused}");
    assert_eq!(town.phase(LOG4SHELL, 0), Some(Phase::RelightEligible));
}

#[test]
fn a_standing_authority_darkens_what_its_rule_means_and_nothing_else() {
    let town = town(6);
    let grant = |score_min: u16| {
        let authority = Authority {
            name: "criticality 10".into(),
            score_min,
            known_exploited: false,
            order: "decree 1".into(),
            legal_basis: "section 12".into(),
            proposer: "Anna".into(),
            approver: "Zoe".into(),
            expires: clock() / 1_000 + 86_400,
        };
        town.engine.record("Anna", "", Entry::AuthorityGranted { authority }).unwrap();
    };
    let plan = town.plan(Action::Dark, &[0]);
    grant(101);
    assert!(matches!(refusal(&town, &plan, &Nobody), EngineErrorKind::Approval(_)));
    grant(100);
    town.engine.execute_approved(&plan, "relight", &Nobody).unwrap();
    assert_eq!(town.journal()[3..], ["authority-used", "dark-ordered"]);
    town.ingest(0, log4j("2.17.1"));
    let on = town.plan(Action::Relight, &[0]);
    assert!(matches!(refusal(&town, &on, &Nobody), EngineErrorKind::Approval(_)));
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
    assert!(town.engine.break_glass(&forced, "Anna", "all").is_err(), "not even by force");
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
