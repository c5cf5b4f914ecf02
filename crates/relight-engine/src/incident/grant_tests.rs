//! Acceptances, exemptions, mitigations, authorities, orders: what may be signed, and when it ends.

use relight_model::{Digest, GateKey, Light, UnknownReason, Verdict};

use super::entry::Entry;
use super::evidence::{Evidence, EvidenceKind};
use super::fold::{Incident, Rejected};
use super::grant::{Acceptance, GRANT_AGE_MAX_S, Ground, Mitigation};
use super::ledger::{Counters, Ledger};
use super::phase::{Gate, Phase};
use super::proof::{Proof, Witness};
use super::standing::{AUTHORITY_AGE_MAX_S, Authority, Circumstance, UNDO_AGE_MAX_S};
use super::terms::{Baseline, Seat};

const NOW: i64 = 1_000;
const END: i64 = NOW + 86_400;

fn key() -> GateKey {
    GateKey::new("a").unwrap()
}

fn evidence(artifact: u8, revision: u8, verdict: Verdict) -> Evidence {
    Evidence {
        site: key(),
        artifact_set: Some(Digest([artifact; 32])),
        advisory: "CVE-2021-44228".into(),
        advisory_revision: Digest([revision; 32]),
        statements_digest: Digest::default(),
        matcher_revision: 1,
        scanner: "relight test".into(),
        verdict,
        reasons: match verdict {
            Verdict::Unknown => vec![UnknownReason::PartialCorrupt],
            _ => Vec::new(),
        },
        found: Vec::new(),
        components: Vec::new(),
        inventories: Vec::new(),
        kind: EvidenceKind::Scan,
        made_at: NOW,
        expires_at: NOW + 90 * 86_400,
    }
}

fn attach(artifact: u8, revision: u8, verdict: Verdict) -> Entry {
    Entry::EvidenceAttached { evidence: evidence(artifact, revision, verdict) }
}

fn order() -> Entry {
    Entry::DarkOrdered { plan: Digest([7; 32]), sites: vec![key()], reason: "test".into() }
}

fn two(expires: i64) -> Acceptance {
    Acceptance {
        proposer: "A. Tremblay".into(),
        approver: "B. Roy".into(),
        reason: "the booking cannot wait".into(),
        expires,
    }
}

fn accept(expires: i64) -> Entry {
    let acceptance = two(expires);
    Entry::AcceptanceSigned { site: key(), acceptance, witness: None, weighed: true }
}

fn control(blocked: u32, expires: i64) -> Entry {
    let mitigation = Mitigation {
        control: "rule 1234".into(),
        place: "edge east".into(),
        owner: "C. Gagnon".into(),
        replayed: 20,
        blocked,
        expires,
    };
    Entry::Mitigated { site: key(), mitigation }
}

fn incident() -> Incident {
    let opened = Entry::Opened {
        question: "CVE-2021-44228".into(),
        title: "Log4Shell".into(),
        revision: Digest([2; 32]),
        statements: Digest::default(),
        policy: "demo".into(),
    };
    Incident::open(&opened, NOW, 1).unwrap()
}

fn after(entries: &[Entry]) -> Incident {
    let mut incident = incident();
    for entry in entries {
        incident.apply(entry, NOW).unwrap_or_else(|why| panic!("{entry:?}: {why:?}"));
    }
    incident
}

fn phase(incident: &Incident) -> Phase {
    incident.case(&key()).unwrap().phase
}

fn start(incident: &mut Incident, now: i64) -> Result<(), Rejected> {
    let evidence = incident.ground(&key(), now).ok_or(Rejected("no ground"))?;
    incident.apply(&Entry::RelightStarted { site: key(), evidence }, now)
}

fn mitigated(expires: i64) -> Incident {
    after(&[order(), attach(1, 2, Verdict::Affected), control(20, expires)])
}

#[test]
fn a_control_that_let_one_payload_through_is_none() {
    let mut incident = after(&[order(), attach(1, 2, Verdict::Affected)]);
    for (blocked, expires) in [(19, END), (0, END), (20, NOW), (20, NOW + GRANT_AGE_MAX_S + 1)] {
        assert!(incident.apply(&control(blocked, expires), NOW).is_err(), "{blocked} {expires}");
        assert_eq!(phase(&incident), Phase::Affected);
    }
    incident.apply(&control(20, NOW + GRANT_AGE_MAX_S), NOW).unwrap();
    assert_eq!((phase(&incident), incident.wants(&key())), (Phase::Mitigated, Light::Dark));
    assert!(start(&mut incident, NOW).is_err(), "a control is no clearance");
}

#[test]
fn a_mitigated_site_returns_under_two_names_and_goes_dark_at_the_first_end() {
    let mut incident = mitigated(END);
    incident.apply(&accept(END + 86_400), NOW).unwrap();
    assert_eq!(phase(&incident), Phase::RelightEligible);
    start(&mut incident, NOW).unwrap();
    assert_eq!(phase(&incident), Phase::Relighting);
    assert!(incident.permits(&key(), END - 1));
    assert!(!incident.permits(&key(), END), "the control ends before the acceptance");
    assert_eq!(incident.ended(END - 1), []);
    assert_eq!(incident.ended(END), [key()]);
    incident.apply(&Entry::Lapsed { sites: vec![key()] }, END).unwrap();
    assert_eq!((phase(&incident), incident.wants(&key())), (Phase::DarkRequested, Light::Dark));
}

#[test]
fn one_person_no_reason_and_no_end_are_no_acceptance() {
    let mut incident = mitigated(END);
    let with = |change: fn(&mut Acceptance)| {
        let mut acceptance = two(END);
        change(&mut acceptance);
        Entry::AcceptanceSigned { site: key(), acceptance, witness: None, weighed: true }
    };
    for entry in [
        with(|it| it.approver = "a. tremblay ".into()),
        with(|it| it.approver = String::new()),
        with(|it| it.reason = " ".into()),
        with(|it| it.expires = NOW),
        with(|it| it.expires = NOW + GRANT_AGE_MAX_S + 1),
    ] {
        let before = incident.clone();
        assert!(incident.apply(&entry, NOW).is_err(), "{entry:?}");
        assert_eq!(incident, before);
    }
    let mut affected = after(&[order(), attach(1, 2, Verdict::Affected)]);
    assert!(affected.apply(&accept(END), NOW).is_err(), "affected without a control");
    let mut unknown = after(&[order(), attach(1, 2, Verdict::Unknown)]);
    unknown.apply(&accept(END), NOW).unwrap();
    assert_eq!(phase(&unknown), Phase::RelightEligible, "a flaw of an inventory was accepted");
}

/// Goal: an acceptance dies with anything it was signed about. Method: relight under one, then
/// other artifacts, another revision, worse news; the same news again changes nothing.
#[test]
fn an_acceptance_covers_what_was_known_and_nothing_else() {
    let relit = || {
        let mut incident = mitigated(END);
        incident.apply(&accept(END), NOW).unwrap();
        start(&mut incident, NOW).unwrap();
        incident
    };
    let mut same = relit();
    same.apply(&attach(1, 2, Verdict::Affected), NOW).unwrap();
    assert_eq!(phase(&same), Phase::Relighting, "no news");
    let mut other = relit();
    other.apply(&attach(9, 2, Verdict::Affected), NOW).unwrap();
    assert_eq!((phase(&other), other.wants(&key())), (Phase::Affected, Light::Dark));
    let mut revised = relit();
    revised
        .apply(&Entry::Revised { revision: Digest([3; 32]), statements: Digest::default() }, NOW)
        .unwrap();
    assert!(!revised.permits(&key(), NOW));
    let mut deployed = relit();
    deployed.apply(&Entry::Deployed { site: key(), digest: Digest([8; 32]) }, NOW).unwrap();
    assert_eq!(deployed.wants(&key()), Light::Dark);
    let mut unknown = after(&[order(), attach(1, 2, Verdict::Unknown)]);
    unknown.apply(&accept(END), NOW).unwrap();
    start(&mut unknown, NOW).unwrap();
    unknown.apply(&attach(1, 2, Verdict::Affected), NOW).unwrap();
    assert_eq!(unknown.wants(&key()), Light::Dark, "affected is worse than what was accepted");
}

#[test]
fn the_same_news_leaves_a_control_where_it_is_and_other_news_voids_it() {
    let mut incident = mitigated(END);
    incident.apply(&attach(1, 2, Verdict::Affected), NOW).unwrap();
    assert_eq!(phase(&incident), Phase::Mitigated);
    incident.apply(&attach(4, 2, Verdict::Affected), NOW).unwrap();
    assert_eq!(phase(&incident), Phase::Affected);
    let mut fixed = mitigated(END);
    fixed.apply(&Entry::Deployed { site: key(), digest: Digest([5; 32]) }, NOW).unwrap();
    assert_eq!(phase(&fixed), Phase::FixDeployed);
    let mut over = mitigated(END);
    assert_eq!(over.ended(END), [key()]);
    over.apply(&Entry::Lapsed { sites: vec![key()] }, END).unwrap();
    assert_eq!(phase(&over), Phase::Affected);
}

/// What was signed waits no longer: it would be signed again by whoever is next.
#[test]
fn a_request_ends_when_it_is_signed() {
    let asked = Acceptance { approver: String::new(), ..two(END) };
    let Acceptance { proposer, reason, expires, .. } = asked.clone();
    let asks = Entry::AcceptanceProposed { site: key(), proposer, reason, expires, witness: None };
    let unknown = attach(1, 2, Verdict::Unknown);
    let mut dark = after(&[order(), unknown, asks.clone()]);
    assert_eq!(dark.proposed(&key()), Some(&asked));
    dark.apply(&accept(END), NOW).unwrap();
    assert_eq!(dark.request(&key()), None);
    let mut lit = after(&[asks]);
    assert!(lit.apply(&accept(END), NOW).is_err());
    assert!(lit.request(&key()).is_some(), "what was refused waits on");
    let exempt =
        Entry::Exempted { site: key(), ground: Ground::Acceptance(two(END)), witness: None };
    lit.apply(&exempt, NOW).unwrap();
    assert_eq!(lit.request(&key()), None);
}

/// A signature is about what was known when it was given: an inventory that comes before its entry
/// makes that entry nothing.
#[test]
fn a_signature_about_other_files_is_refused() {
    let mut incident = after(&[order(), attach(1, 2, Verdict::Unknown)]);
    let proof = || Proof {
        credential: String::new(),
        key: String::new(),
        client: String::new(),
        authenticator: String::new(),
        signature: String::new(),
        ticket: String::new(),
    };
    let signed = |about: Digest| Some(Box::new(Witness { about, proof: proof() }));
    let then = signed(incident.about(&key()));
    let Acceptance { proposer, reason, expires, .. } = two(END);
    let asks = |witness| Entry::AcceptanceProposed {
        site: key(),
        proposer: proposer.clone(),
        reason: reason.clone(),
        expires,
        witness,
    };
    let accepts = |witness| {
        let (site, acceptance) = (key(), two(END));
        Entry::AcceptanceSigned { site, acceptance, witness, weighed: true }
    };
    incident.apply(&attach(2, 3, Verdict::Unknown), NOW).unwrap();
    let changed = Err(Rejected("something else is known of the site by now"));
    assert_eq!(incident.apply(&asks(then.clone()), NOW), changed);
    assert_eq!(incident.apply(&accepts(then), NOW), changed);
    let now = signed(incident.about(&key()));
    incident.apply(&asks(now.clone()), NOW).unwrap();
    incident.apply(&accepts(now), NOW).unwrap();
}

/// A request is about what was known when it was asked: other files, another revision, other news
/// or another control void it, and the same news again does not.
#[test]
fn a_request_ends_with_what_it_was_about() {
    let Acceptance { proposer, reason, expires, .. } = two(END);
    let asks = Entry::AcceptanceProposed { site: key(), proposer, reason, expires, witness: None };
    let asked = || after(&[order(), attach(1, 2, Verdict::Unknown), asks.clone()]);
    let before = asked().request(&key());
    assert!(before.is_some());
    for (entry, is_void) in [
        (attach(1, 2, Verdict::Unknown), false),
        (attach(3, 2, Verdict::Unknown), true),
        (attach(1, 2, Verdict::Affected), true),
        (Entry::Deployed { site: key(), digest: Digest([7; 32]) }, true),
        (Entry::Revised { revision: Digest([9; 32]), statements: Digest::default() }, true),
    ] {
        let mut incident = asked();
        incident.apply(&entry, NOW).unwrap();
        let wanted = if is_void { None } else { before };
        assert_eq!(incident.request(&key()), wanted, "{entry:?}");
        // Whoever asks again asks about what is known now.
        incident.apply(&asks, NOW).unwrap();
        assert_eq!(incident.request(&key()) == before, !is_void, "{entry:?}");
    }
    let mut behind = mitigated(END);
    behind.apply(&asks, NOW).unwrap();
    assert!(behind.request(&key()).is_some());
    behind.apply(&Entry::Lapsed { sites: vec![key()] }, END).unwrap();
    assert_eq!(behind.request(&key()), None, "the control in front of it is gone");
}

#[test]
fn an_exemption_names_its_ground() {
    let mut silent = incident();
    let by =
        |id: Digest| Entry::Exempted { site: key(), ground: Ground::Evidence(id), witness: None };
    assert!(silent.apply(&by(Digest::default()), NOW).is_err(), "silence is no exemption");
    let mut clear = after(&[attach(1, 2, Verdict::Clear)]);
    let id = evidence(1, 2, Verdict::Clear).id().unwrap();
    assert!(clear.apply(&by(Digest([1; 32])), NOW).is_err(), "other evidence");
    clear.apply(&by(id), NOW).unwrap();
    assert_eq!((phase(&clear), clear.wants(&key())), (Phase::Exempt, Light::Lit));
    clear.apply(&attach(1, 2, Verdict::Affected), NOW).unwrap();
    assert_eq!(clear.wants(&key()), Light::Dark, "bad news about a lit site is never rejected");

    let signed =
        Entry::Exempted { site: key(), ground: Ground::Acceptance(two(END)), witness: None };
    let mut signed_for = after(std::slice::from_ref(&signed));
    assert!(signed_for.permits(&key(), END - 1));
    signed_for.apply(&attach(1, 2, Verdict::Unknown), NOW).unwrap();
    assert_eq!(phase(&signed_for), Phase::Exempt, "unknown is what was accepted");
    assert!(
        signed_for.apply(&Entry::Closed { current: true }, NOW).is_err(),
        "an exemption is open"
    );
    assert_eq!(signed_for.ended(END), [key()]);
    signed_for.apply(&Entry::Lapsed { sites: vec![key()] }, END).unwrap();
    assert_eq!(phase(&signed_for), Phase::DarkRequested, "at the end, without further order");
    let mut ordered = after(&[order()]);
    assert!(ordered.apply(&signed, NOW).is_err(), "a site that is ordered dark is not exempt");
    let mut exempt = after(&[signed]);
    exempt.apply(&order(), NOW).unwrap();
    assert_eq!(exempt.wants(&key()), Light::Dark, "an order goes before an exemption");
}

#[test]
fn an_exempt_site_is_never_touched_and_counts_once() {
    let mut ledger = Ledger::new(1);
    let opened = Entry::Opened {
        question: "CVE-2021-44228".into(),
        title: "Log4Shell".into(),
        revision: Digest([2; 32]),
        statements: Digest::default(),
        policy: "demo".into(),
    };
    ledger.apply("i", &opened, NOW).unwrap();
    let ground = Ground::Acceptance(two(END));
    ledger.apply("i", &Entry::Exempted { site: key(), ground, witness: None }, NOW).unwrap();
    let other = GateKey::new("b").unwrap();
    let sites = [key(), other];
    let counters = Counters::of_all(&ledger, &sites, NOW);
    assert_eq!(counters.phase(Phase::Exempt), 1);
    assert_eq!(counters.phases.values().sum::<usize>(), 2);
    assert_eq!(counters.exposed, 0);
    ledger.apply("i", &attach(1, 2, Verdict::Unknown), NOW).unwrap();
    assert_eq!(Counters::of_all(&ledger, &sites, END).exposed, 1, "the exemption is over");
    let (sites, edge, what) = (vec![key()], "e".into(), "x".into());
    let drift = Entry::Drifted { sites, edge, what, since: None };
    assert!(ledger.apply("i", &drift, NOW).is_err());
}

#[test]
fn the_first_baseline_counts() {
    let take = |class| Entry::BaselineTaken { statuses: vec![Baseline { site: key(), class }] };
    let incident = after(&[take(5), take(2), order()]);
    let case = incident.case(&key()).unwrap();
    assert_eq!((case.baseline, case.gate), (Some(5), Gate::Requested));
}

#[test]
fn an_order_is_undone_once_and_within_ten_minutes() {
    let undo = Entry::PlanUndone { plan: Digest([7; 32]) };
    let mut incident = after(&[order()]);
    assert_eq!(incident.orders.newest(), Some(Digest([7; 32])));
    assert!(incident.apply(&Entry::PlanUndone { plan: Digest([8; 32]) }, NOW).is_err());
    assert!(incident.clone().apply(&undo, NOW + UNDO_AGE_MAX_S + 1).is_err());
    incident.apply(&undo, NOW + UNDO_AGE_MAX_S).unwrap();
    assert!(incident.apply(&undo, NOW).is_err());
    assert_eq!(incident.wants(&key()), Light::Dark, "undoing opens nothing by itself");
    assert_eq!(incident.orders.newest(), None);
}

#[test]
fn nobody_fills_two_seats_and_a_refusal_is_final() {
    let plan = Digest([7; 32]);
    let by = |seat, by: &str| Entry::PlanApproved { plan, seat, by: by.into(), proof: None };
    let mut incident = after(&[by(Seat::Operator, "Anna")]);
    assert!(incident.apply(&by(Seat::Second, "anna"), NOW).is_err());
    assert!(incident.apply(&by(Seat::Operator, "Zoe"), NOW).is_err());
    incident.apply(&by(Seat::Command, "Zoe"), NOW).unwrap();
    let refuse = Entry::PlanRefused { plan, by: "Max".into(), why: "not now".into() };
    incident.apply(&refuse, NOW).unwrap();
    assert!(incident.apply(&by(Seat::Second, "Bob"), NOW).is_err());
    assert_eq!(incident.orders.refused_by(&plan), Some("Max"));
    assert!(after(&[order()]).apply(&refuse, NOW).is_err(), "it was executed");
}

#[test]
fn an_authority_names_its_basis_two_people_and_its_end() {
    let authority = Authority {
        name: "criticality-10".into(),
        score_min: 100,
        known_exploited: false,
        sites_max: 10,
        vital: false,
        order: "decree 1".into(),
        legal_basis: "section 12".into(),
        proposer: "Anna".into(),
        approver: "Zoe".into(),
        expires: NOW + AUTHORITY_AGE_MAX_S,
    };
    let mut ledger = Ledger::new(1);
    let grant = |authority: Authority| Entry::AuthorityGranted { authority };
    for bad in [
        Authority { approver: "ANNA".into(), ..authority.clone() },
        Authority { legal_basis: String::new(), ..authority.clone() },
        Authority { expires: NOW + AUTHORITY_AGE_MAX_S + 1, ..authority.clone() },
        Authority { expires: NOW, ..authority.clone() },
    ] {
        assert!(ledger.apply("", &grant(bad), NOW).is_err());
    }
    assert!(incident().apply(&grant(authority.clone()), NOW).is_err(), "it is of no incident");
    let end = authority.expires;
    ledger.apply("", &grant(authority.clone()), NOW).unwrap();
    assert_eq!(ledger.authority("criticality-10"), Some(&authority));
    let about = |score, known_exploited, faces_internet| Circumstance {
        score,
        known_exploited,
        faces_internet,
    };
    assert!(authority.covers(&about(Some(100), false, false), NOW));
    assert!(!authority.covers(&about(Some(99), true, true), NOW));
    assert!(!authority.covers(&about(None, false, true), NOW));
    assert!(!authority.covers(&about(Some(100), false, true), end));
    let exploited = Authority { known_exploited: true, ..authority };
    assert!(exploited.covers(&about(None, true, true), NOW));
    assert!(!exploited.covers(&about(None, true, false), NOW), "the internet does not reach it");
    assert!(!exploited.covers(&about(Some(99), false, true), NOW));
}

/// What is signed is all of what is asked, about this site of this incident as it was known; and
/// both people sign the same.
#[test]
fn the_terms_of_an_acceptance_are_all_that_it_says() {
    let terms = |it: &Acceptance, incident: &str, site: &str, about: u8| {
        it.terms((incident, &GateKey::new(site).unwrap()), &Digest([about; 32])).unwrap()
    };
    let asked = two(END);
    let whole = terms(&asked, "i", "a", 1);
    let agreed = Acceptance { approver: "somebody else".into(), ..asked.clone() };
    assert_eq!(terms(&agreed, "i", "a", 1), whole);
    let changed = [
        terms(&Acceptance { proposer: "eve".into(), ..asked.clone() }, "i", "a", 1),
        terms(&Acceptance { reason: "other".into(), ..asked.clone() }, "i", "a", 1),
        terms(&Acceptance { expires: END + 1, ..asked.clone() }, "i", "a", 1),
        terms(&asked, "ia", "a", 1),
        terms(&asked, "i", "b", 1),
        terms(&asked, "i", "a", 2),
    ];
    assert!(changed.iter().all(|it| *it != whole));
    assert_eq!(changed.iter().collect::<std::collections::BTreeSet<_>>().len(), changed.len());
}
