//! The table of phases, row by row, and what must never happen.

use relight_model::{Digest, Epoch, GateKey, Light, UnknownReason, Verdict};

use super::entry::Entry;
use super::evidence::{Evidence, EvidenceKind};
use super::fold::{Incident, Rejected};
use super::ledger::{Counters, Ledger};
use super::phase::{Gate, Phase};
use super::terms::Compromise;

const NOW: i64 = 1_000;

fn key(text: &str) -> GateKey {
    GateKey::new(text).unwrap()
}

fn opened() -> Entry {
    Entry::Opened {
        question: "CVE-2021-44228".into(),
        title: "Log4Shell".into(),
        revision: Digest([2; 32]),
        statements: Digest::default(),
        policy: "demo".into(),
    }
}

fn evidence(artifact: u8, revision: u8, verdict: Verdict) -> Evidence {
    let reasons = match verdict {
        Verdict::Unknown => vec![UnknownReason::PartialCorrupt],
        _ => Vec::new(),
    };
    Evidence {
        site: key("a"),
        artifact_set: Some(Digest([artifact; 32])),
        advisory: "CVE-2021-44228".into(),
        advisory_revision: Digest([revision; 32]),
        statements_digest: Digest::default(),
        matcher_revision: 1,
        scanner: "relight test".into(),
        verdict,
        reasons,
        found: Vec::new(),
        components: Vec::new(),
        inventories: Vec::new(),
        kind: EvidenceKind::Scan,
        made_at: NOW,
        expires_at: NOW + 86_400,
    }
}

fn attach(artifact: u8, revision: u8, verdict: Verdict) -> Entry {
    Entry::EvidenceAttached { evidence: evidence(artifact, revision, verdict) }
}

fn proved(light: Light) -> Entry {
    Entry::Proved { sites: vec![key("a")], light, edge: "e".into(), epoch: Epoch::default() }
}

const CLOSED: Entry = Entry::Closed { current: true };

fn order() -> Entry {
    Entry::DarkOrdered { plan: Digest::default(), sites: vec![key("a")], reason: "test".into() }
}

fn relight(artifact: u8) -> Entry {
    let evidence = evidence(artifact, 2, Verdict::Clear).id().unwrap();
    Entry::RelightStarted { site: key("a"), evidence }
}

fn verified(functional: bool, compromise: Compromise, vital: bool) -> Entry {
    Entry::Verified { site: key("a"), functional, compromise, vital, evidence: None, checks: None }
}

fn after(entries: &[Entry]) -> Incident {
    let mut incident = Incident::open(&opened(), NOW, 1).unwrap();
    for entry in entries {
        incident.apply(entry, NOW).unwrap_or_else(|why| panic!("{entry:?}: {why:?}"));
    }
    incident
}

fn phase(entries: &[Entry]) -> Phase {
    after(entries).case(&key("a")).unwrap().phase
}

/// Goal: who starts again knows whether an order still waits for its first proof. Method: an order,
/// and what can become of it; what was proven and is lost waits again.
#[test]
fn an_order_is_unproven_until_its_edge_says_anything() {
    let failed =
        || Entry::EdgeFailed { sites: vec![key("a")], edge: "e".into(), why: "unreachable".into() };
    let drifted = Entry::Drifted {
        sites: vec![key("a")],
        edge: "e".into(),
        what: "dark-not-seen".into(),
        since: None,
    };
    let cases = [
        (vec![], false),
        (vec![order()], true),
        (vec![order(), proved(Light::Dark)], false),
        (vec![order(), failed()], false),
        (vec![order(), proved(Light::Dark), drifted], true),
    ];
    for (entries, wanted) in cases {
        let mut ledger = Ledger::new(1);
        ledger.apply("i", &opened(), NOW).unwrap();
        for entry in &entries {
            ledger.apply("i", entry, NOW).unwrap();
        }
        assert_eq!(ledger.has_unproven(), wanted, "{entries:?}");
    }
}

fn rejected(entries: &[Entry], last: &Entry) -> Rejected {
    let mut incident = after(entries);
    let before = incident.clone();
    let why = incident.apply(last, NOW).expect_err("accepted");
    assert_eq!(incident, before, "a rejected entry changed the fold");
    why
}

use Light::{Dark, Lit};
use Verdict::{Affected, Clear, Unknown};

#[test]
fn the_way_of_a_clear_site() {
    let way = [order(), proved(Dark), attach(1, 2, Clear), relight(1), proved(Lit)];
    let phases = [
        Phase::DarkRequested,
        Phase::DarkProven,
        Phase::RelightEligible,
        Phase::Relighting,
        Phase::RelitProven,
    ];
    for (index, expected) in phases.into_iter().enumerate() {
        assert_eq!(phase(&way[..=index]), expected);
    }
}

/// Evidence names the statements that were applied: under others it opens nothing, whatever the
/// revision says. A journal of before names none.
#[test]
fn evidence_under_other_statements_opens_nothing() {
    let told = |statements: u8| {
        let statements = Digest([statements; 32]);
        Entry::Revised { revision: Digest([2; 32]), statements }
    };
    let under = |statements: u8| {
        let statements_digest = Digest([statements; 32]);
        Entry::EvidenceAttached {
            evidence: Evidence { statements_digest, ..evidence(1, 2, Clear) },
        }
    };
    let way = |entries: &[Entry]| phase(&[&[order(), proved(Dark)], entries].concat());
    assert_eq!(way(&[told(7), under(7)]), Phase::RelightEligible);
    for (in_force, applied) in [(7, 0), (7, 8), (0, 7)] {
        assert_ne!(way(&[told(in_force), under(applied)]), Phase::RelightEligible);
    }
    let incident = after(&[order(), proved(Dark), told(7), under(7), told(8)]);
    assert!(!incident.permits(&key("a"), NOW), "what was applied is not in force any more");
    let text = serde_json::to_string(&told(0)).unwrap();
    assert!(!text.contains("statements"), "{text}");
    assert_eq!(serde_json::from_str::<Entry>(&text).unwrap(), told(0));
}

/// A site that is being relit is not open yet, and its edge has to see it so.
#[test]
fn an_edge_is_at_work_from_the_order_until_the_site_is_seen_open() {
    let mut ledger = Ledger::new(1);
    ledger.apply("i", &opened(), NOW).unwrap();
    assert!(!ledger.is_at_work(&key("a")), "nobody knows it");
    for (entry, expected) in [
        (order(), true),
        (proved(Dark), true),
        (attach(1, 2, Clear), true),
        (relight(1), true),
        (proved(Lit), false),
    ] {
        ledger.apply("i", &entry, NOW).unwrap();
        assert_eq!(ledger.is_at_work(&key("a")), expected, "{entry:?}");
    }
    assert!(!ledger.is_at_work(&key("b")));
}

#[test]
fn the_way_of_an_affected_site_goes_through_a_verified_fix() {
    let way = [
        order(),
        proved(Dark),
        attach(1, 2, Affected),
        Entry::FixStarted { site: key("a"), note: "2.17.1".into() },
        Entry::Deployed { site: key("a"), digest: Digest([3; 32]) },
        Entry::VerificationStarted { site: key("a") },
        attach(3, 2, Clear),
        verified(true, Compromise::NoSigns, true),
        relight(3),
        proved(Lit),
    ];
    let incident = after(&way);
    let case = incident.case(&key("a")).unwrap();
    assert_eq!((case.phase, case.fixed, case.was_dark), (Phase::RelitProven, true, true));
}

#[test]
fn clear_evidence_for_a_new_digest_of_an_affected_site_only_leads_to_verification() {
    let way = [order(), attach(1, 2, Affected), attach(3, 2, Clear)];
    assert_eq!(phase(&way), Phase::Verifying);
    assert_eq!(rejected(&way, &relight(3)), Rejected("the phase of the site does not allow it"));
}

#[test]
fn a_failed_verification_leads_back_to_affected() {
    let way = [order(), attach(1, 2, Affected), attach(3, 2, Clear)];
    for (functional, compromise, vital, expected) in [
        (true, Compromise::NoSigns, true, Phase::RelightEligible),
        (true, Compromise::Unknown, false, Phase::RelightEligible),
        (true, Compromise::Unknown, true, Phase::Affected),
        (true, Compromise::Signs, false, Phase::Affected),
        (false, Compromise::NoSigns, false, Phase::Affected),
    ] {
        let mut entries = way.to_vec();
        entries.push(verified(functional, compromise, vital));
        assert_eq!(phase(&entries), expected, "{functional} {compromise:?} {vital}");
    }
}

/// What a list of checks gave counts of this list and of the files that are known, and all of it
/// has to have passed; the journal says so alone.
#[test]
fn a_fix_is_verified_only_once_the_checks_of_the_site_passed() {
    let known = |artifact| evidence(artifact, 2, Clear).id().ok();
    let [list, older] = [Digest([7; 32]), Digest([8; 32])];
    let ran = |list, artifact, passed: u32| {
        let (site, failed) = (key("a"), String::new());
        Entry::ChecksRun { site, evidence: known(artifact), list, of: 3, passed, failed }
    };
    let ends = |checks| Entry::Verified {
        site: key("a"),
        functional: true,
        compromise: Compromise::NoSigns,
        vital: true,
        evidence: known(3),
        checks,
    };
    let way = [order(), attach(1, 2, Affected), attach(3, 2, Clear)];
    let none = Entry::ChecksRun {
        site: key("a"),
        evidence: known(3),
        list: Digest([9; 32]),
        of: 0,
        passed: 0,
        failed: String::new(),
    };
    for (asked, checks, expected) in [
        (vec![], None, Phase::RelightEligible),
        (vec![], Some(list), Phase::Affected),
        (vec![ran(list, 3, 3)], Some(list), Phase::RelightEligible),
        (vec![ran(list, 3, 2)], Some(list), Phase::Affected),
        (vec![ran(older, 3, 3)], Some(list), Phase::Affected),
        (vec![ran(list, 3, 2), ran(list, 3, 3)], Some(list), Phase::RelightEligible),
        (vec![ran(list, 3, 3), ran(list, 3, 0)], Some(list), Phase::Affected),
        // A list that failed is not passed by taking it away in silence.
        (vec![ran(list, 3, 2)], None, Phase::Affected),
        (vec![ran(list, 3, 2), none], None, Phase::RelightEligible),
    ] {
        let entries = [way.as_slice(), asked.as_slice(), &[ends(checks)]].concat();
        assert_eq!(phase(&entries), expected, "{asked:?} {checks:?}");
        let last = entries.last().unwrap();
        assert_eq!(Entry::from_body(&last.to_body().unwrap()).unwrap(), *last);
    }
    let other = Rejected("other files were read than those that were tried");
    assert_eq!(rejected(&way, &ran(list, 1, 3)), other);
    let early = Rejected("no fix of the site is being verified");
    assert_eq!(rejected(&way[..2], &ran(list, 3, 3)), early);
    let again = [way.as_slice(), &[ran(list, 3, 3), attach(5, 2, Clear)]].concat();
    let incident = after(&again);
    let case = incident.case(&key("a")).unwrap();
    assert_eq!(case.phase, Phase::Verifying);
    let elsewhere = Entry::Verified {
        site: key("a"),
        functional: true,
        compromise: Compromise::NoSigns,
        vital: true,
        evidence: None,
        checks: Some(list),
    };
    let all = [again.as_slice(), &[elsewhere]].concat();
    assert_eq!(phase(&all), Phase::Affected, "other files were never asked");
    // A journal of before says nothing of checks.
    let before =
        r#"{"compromise":"no-signs","functional":true,"kind":"verified","site":"a","vital":true}"#;
    assert_eq!(Entry::from_body(before).unwrap(), verified(true, Compromise::NoSigns, true));
}

/// Trap: clear evidence that came too late took a fix out of verification, and newer evidence for
/// the same artifacts then either stayed refused for ever or skipped the verification.
#[test]
fn evidence_that_is_not_current_leaves_a_fix_to_be_verified() {
    let late = [order(), attach(1, 2, Affected), attach(3, 2, Clear), attach(3, 1, Clear)];
    assert_eq!(phase(&late), Phase::Affected);
    let entries = [&late[..], &[attach(3, 2, Clear)]].concat();
    assert_eq!(phase(&entries), Phase::Verifying);
}

#[test]
fn i1_nothing_is_relit_without_current_clear_evidence() {
    let eligible = [order(), proved(Dark), attach(1, 2, Clear)];
    let wrong_id = Entry::RelightStarted { site: key("a"), evidence: Digest([7; 32]) };
    rejected(&eligible, &wrong_id);
    let revised = Entry::Revised { revision: Digest([9; 32]), statements: Digest::default() };
    let mut entries = eligible.to_vec();
    entries.push(revised);
    assert_eq!(rejected(&entries, &relight(1)), Rejected("no current evidence says clear"));
    let deployed = Entry::Deployed { site: key("a"), digest: Digest([8; 32]) };
    let mut entries = eligible.to_vec();
    entries.push(deployed);
    assert_eq!(phase(&entries), Phase::Unknown);
    rejected(&entries, &relight(1));
    let mut expired = after(&eligible);
    assert!(expired.apply(&relight(1), NOW + 86_400).is_err(), "expired evidence");
}

#[test]
fn i5_unknown_is_not_clear() {
    assert_eq!(phase(&[order(), attach(1, 2, Unknown)]), Phase::Unknown);
    // Clear, but under an older revision than the latest.
    assert_eq!(phase(&[order(), attach(1, 1, Clear)]), Phase::Unknown);
    let mut reasons = evidence(1, 2, Clear);
    reasons.reasons.push(UnknownReason::Stale);
    assert_eq!(phase(&[order(), Entry::EvidenceAttached { evidence: reasons }]), Phase::Unknown);
}

#[test]
fn bad_news_about_a_lit_site_is_never_rejected() {
    for bad in [Affected, Unknown] {
        let relit = [order(), attach(1, 2, Clear), relight(1), proved(Lit)];
        for lit in [vec![attach(1, 2, Clear)], relit.to_vec(), relit[..3].to_vec()] {
            let mut entries = lit;
            entries.push(attach(1, 2, bad));
            let incident = after(&entries);
            assert_eq!(incident.wants(&key("a")), Dark);
            assert_eq!(incident.case(&key("a")).unwrap().gate, Gate::Requested);
        }
    }
}

#[test]
fn a_new_artifact_set_darkens_a_lit_site_and_old_evidence_does_not_lift_it() {
    let mut incident = after(&[order(), attach(1, 2, Clear), relight(1), proved(Lit)]);
    let deployed = Entry::Deployed { site: key("a"), digest: Digest([8; 32]) };
    incident.apply(&deployed, NOW + 10).unwrap();
    assert_eq!(incident.wants(&key("a")), Dark);
    assert!(incident.apply(&attach(1, 2, Clear), NOW + 11).is_err(), "evidence of before");
}

#[test]
fn a_rollback_to_affected_artifacts_is_no_fix() {
    let affected = [order(), attach(1, 2, Affected)];
    let same = Entry::Deployed { site: key("a"), digest: Digest([1; 32]) };
    rejected(&affected, &same);
    // The same artifacts become clear only under a newer revision.
    rejected(&affected, &attach(1, 2, Clear));
    let mut entries = affected.to_vec();
    entries.push(Entry::Revised { revision: Digest([4; 32]), statements: Digest::default() });
    entries.push(attach(1, 4, Clear));
    assert_eq!(phase(&entries), Phase::RelightEligible);
}

#[test]
fn a_lost_proof_keeps_the_phase_and_shows_as_exposed() {
    let (sites, edge, what) = (vec![key("a")], "e".into(), "x".into());
    let drifted = Entry::Drifted { sites, edge, what, since: None };
    let way = [order(), proved(Dark), attach(1, 2, Affected), drifted.clone()];
    let incident = after(&way);
    assert_eq!(incident.case(&key("a")).unwrap().phase, Phase::Affected);
    let counters = Counters::of(&incident, &[key("a"), key("b")], NOW);
    assert_eq!((counters.exposed, counters.phase(Phase::Online)), (1, 1));
    assert_eq!(phase(&[order(), proved(Dark), drifted.clone()]), Phase::DarkRequested);
    let relit = [order(), attach(1, 2, Clear), relight(1), proved(Lit), drifted];
    assert_eq!(phase(&relit), Phase::Relighting);
}

#[test]
fn i6_an_edge_that_fails_leaves_the_site_exposed_not_dark() {
    let failed = Entry::EdgeFailed { sites: vec![key("a")], edge: "e".into(), why: "x".into() };
    let incident = after(&[order(), failed.clone()]);
    assert_eq!(incident.case(&key("a")).unwrap().phase, Phase::Failed);
    assert_eq!(Counters::of(&incident, &[key("a")], NOW).exposed, 1);
    let incident = after(&[order(), failed, proved(Dark)]);
    assert_eq!(Counters::of(&incident, &[key("a")], NOW).exposed, 0);
}

#[test]
fn i7_counters_sum_to_the_sites() {
    let incident = after(&[order(), attach(1, 2, Unknown)]);
    let sites = [key("a"), key("b"), key("c")];
    let counters = Counters::of(&incident, &sites, NOW);
    assert_eq!(counters.phases.values().sum::<usize>(), 3);
    assert_eq!(counters.states.values().sum::<usize>(), 3);
}

#[test]
fn every_pair_outside_the_table_is_rejected_and_changes_nothing() {
    rejected(&[order(), proved(Dark)], &relight(1));
    rejected(&[order(), proved(Dark)], &proved(Lit));
    rejected(&[attach(1, 2, Clear)], &proved(Dark));
    rejected(&[order()], &Entry::VerificationStarted { site: key("a") });
    rejected(&[order()], &Entry::FixStarted { site: key("a"), note: String::new() });
    rejected(&[order()], &verified(true, Compromise::NoSigns, false));
    rejected(&[order()], &order());
    rejected(&[order()], &opened());
    rejected(&[order()], &CLOSED);
    rejected(&[], &proved(Dark));
    assert!(Incident::open(&order(), NOW, 1).is_err());
}

#[test]
fn a_site_is_dark_while_any_open_incident_wants_it() {
    let mut ledger = Ledger::new(1);
    let second = Entry::Opened {
        question: "CVE-2".into(),
        title: String::new(),
        revision: Digest::default(),
        statements: Digest::default(),
        policy: String::new(),
    };
    ledger.apply("I-1", &opened(), NOW).unwrap();
    ledger.apply("I-2", &second, NOW).unwrap();
    for entry in [order(), proved(Dark), attach(1, 2, Clear)] {
        ledger.apply("I-1", &entry, NOW).unwrap();
    }
    ledger.apply("I-2", &order(), NOW).unwrap();
    assert_eq!(
        ledger.apply("I-1", &relight(1), NOW),
        Err(Rejected("another incident wants the site dark"))
    );
    assert_eq!(ledger.wants(&key("a")), Dark);
    assert!(!ledger.permits(&key("a"), NOW));
    assert_eq!(ledger.sites().count(), 1);
}

#[test]
fn two_incidents_that_are_both_clear_do_not_wait_for_each_other() {
    let mut ledger = Ledger::new(1);
    for id in ["CVE-2021-44228", "CVE-2"] {
        let Entry::Opened { title, revision, policy, .. } = opened() else { panic!("no opening") };
        let opened = Entry::Opened {
            question: id.into(),
            title,
            revision,
            statements: Digest::default(),
            policy,
        };
        let evidence = Evidence { advisory: id.into(), ..evidence(1, 2, Clear) };
        for entry in [opened, order(), proved(Dark), Entry::EvidenceAttached { evidence }] {
            ledger.apply(id, &entry, NOW).unwrap();
        }
    }
    let start = |ledger: &mut Ledger, id: &str| {
        let case = ledger.incident(id).and_then(|incident| incident.case(&key("a"))).unwrap();
        let evidence = case.evidence.as_ref().unwrap().id().unwrap();
        ledger.apply(id, &Entry::RelightStarted { site: key("a"), evidence }, NOW)
    };
    start(&mut ledger, "CVE-2021-44228").unwrap();
    assert_eq!(ledger.wants(&key("a")), Dark, "the other has not started");
    start(&mut ledger, "CVE-2").unwrap();
    assert_eq!(ledger.wants(&key("a")), Lit);
    assert!(ledger.permits(&key("a"), NOW));
}

#[test]
fn a_closed_incident_wants_nothing_and_takes_nothing() {
    let mut incident = after(&[order(), attach(1, 2, Clear), relight(1), proved(Lit)]);
    incident.apply(&CLOSED, NOW).unwrap();
    assert!(incident.closed);
    assert!(incident.apply(&order(), NOW).is_err());
    assert_eq!(incident.wants(&key("a")), Lit);
}

#[test]
fn an_order_reaches_a_site_that_is_just_being_opened() {
    let way = [order(), proved(Dark), attach(1, 2, Clear), relight(1), order()];
    let incident = after(&way);
    assert_eq!(incident.wants(&key("a")), Dark);
    assert_eq!(incident.case(&key("a")).unwrap().gate, Gate::Requested);
}

#[test]
fn an_incident_does_not_close_over_a_site_that_is_not_lit_yet() {
    let way = [order(), proved(Dark), attach(1, 2, Clear), relight(1)];
    assert_eq!(rejected(&way, &CLOSED), Rejected("sites are still being relit"));
}

#[test]
fn openings_in_vain_are_counted_until_one_is_proven() {
    let stopped = Entry::RelightStopped { sites: vec![key("a")], why: "x".into(), unseen: false };
    let way = [order(), attach(1, 2, Clear), relight(1), stopped, relight(1), proved(Lit)];
    let counted = |count: usize| after(&way[..count]).case(&key("a")).unwrap().stopped;
    assert_eq!([counted(3), counted(4), counted(5), counted(6)], [0, 1, 1, 0]);
    assert_eq!(phase(&way[..4]), Phase::RelightEligible);
}

#[test]
fn an_opening_whose_evidence_lapsed_was_not_in_vain() {
    let mut incident = after(&[order(), attach(1, 2, Clear), relight(1)]);
    let stopped = Entry::RelightStopped { sites: vec![key("a")], why: "x".into(), unseen: false };
    incident.apply(&stopped, NOW + 86_400).unwrap();
    let case = incident.case(&key("a")).unwrap();
    assert_eq!((case.phase, case.stopped), (Phase::RelightEligible, 0));
    let before = incident.clone();
    assert!(incident.apply(&stopped, NOW).is_err(), "it is stopped already");
    assert_eq!(incident, before);
}

#[test]
fn signs_of_compromise_are_not_undone_by_a_new_revision() {
    let signs = verified(true, Compromise::Signs, false);
    let revised = Entry::Revised { revision: Digest([4; 32]), statements: Digest::default() };
    let way = [order(), attach(1, 2, Affected), attach(3, 2, Clear), signs, revised];
    for between in [None, Some(attach(3, 2, Affected))] {
        let mut entries = way.to_vec();
        entries.extend(between);
        entries.push(attach(3, 4, Clear));
        assert_eq!(phase(&entries), Phase::Verifying);
        entries.push(verified(true, Compromise::NoSigns, true));
        assert_eq!(phase(&entries), Phase::RelightEligible);
    }
}

#[test]
fn a_fix_that_was_unknown_at_first_can_still_be_verified() {
    let deployed = Entry::Deployed { site: key("a"), digest: Digest([3; 32]) };
    let way = [order(), attach(1, 2, Affected), deployed, attach(3, 2, Unknown)];
    assert_eq!(phase(&way), Phase::Affected);
    let mut entries = way.to_vec();
    entries.push(attach(3, 2, Clear));
    assert_eq!(phase(&entries), Phase::Verifying);
}

#[test]
fn late_evidence_of_an_older_revision_does_not_withdraw_a_finding() {
    let way = [order(), attach(1, 2, Affected)];
    rejected(&way, &attach(1, 1, Affected));
    rejected(&way, &attach(1, 2, Clear));
}

#[test]
fn evidence_from_a_clock_that_is_ahead_does_not_shut_out_what_comes_after() {
    let ahead = Evidence { made_at: NOW + 300, ..evidence(1, 2, Clear) };
    let way = [order(), Entry::EvidenceAttached { evidence: ahead }];
    assert_eq!(phase(&way), Phase::Unknown);
    let mut entries = way.to_vec();
    entries.push(attach(1, 2, Clear));
    assert_eq!(phase(&entries), Phase::RelightEligible);
}

#[test]
fn a_canary_fails_since_it_was_first_said_and_until_it_passes() {
    let mut ledger = Ledger::new(1);
    let tried = |what: &str| Entry::CanaryTried {
        edge: "north".into(),
        passed: what.is_empty(),
        what: what.into(),
    };
    assert_eq!(ledger.canary_failure("north"), None);
    ledger.apply("", &tried("dark-not-seen"), NOW).unwrap();
    assert_eq!(ledger.canary_failure("north"), Some(&(NOW, "dark-not-seen".to_owned())));
    assert_eq!(ledger.canary_failure("south"), None);
    ledger.apply("", &tried(""), NOW + 1).unwrap();
    assert_eq!(ledger.canary_failure("north"), None);
    rejected(&[order()], &tried(""));
}

/// A drill of the edge that had the name before says nothing about the one that has it now.
#[test]
fn a_drill_counts_for_the_edge_that_it_was_played_on() {
    let mut ledger = Ledger::new(1);
    let (was, is) = (Digest([1; 32]), Digest([2; 32]));
    let drilled = |passed: bool, target: Option<Digest>| {
        let (edge, failed) = ("north".to_owned(), None);
        Entry::Drilled { drill: true, edge, passed, failed, target, untried: Vec::new() }
    };
    ledger.apply("", &drilled(true, Some(was)), NOW).unwrap();
    assert_eq!(ledger.drilled("north", &was).map(|it| it.at), Some(NOW));
    assert_eq!(ledger.drilled("north", &is), None);
    assert_eq!(ledger.drilled("south", &was), None);
    ledger.apply("", &drilled(false, Some(is)), NOW + 1).unwrap();
    assert_eq!(ledger.drilled("north", &was), None, "what took its place failed");
    ledger.apply("", &drilled(true, None), NOW + 2).unwrap();
    let before = drilled(true, None).to_body().unwrap();
    assert_eq!(
        before,
        r#"{"drill":true,"edge":"north","failed":null,"kind":"drilled","passed":true}"#
    );
    assert_eq!(Entry::from_body(&before).unwrap(), drilled(true, None));
    assert_eq!(ledger.drilled("north", &was), None, "journals of before do not say which it was");
}
