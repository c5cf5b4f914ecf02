//! Parts of sites in an incident: what closes them, what opens them, and that no site is dark by
//! one.

use relight_model::{Digest, GateKey, Light, Site, SitePart, Verdict};

use super::entry::Entry;
use super::evidence::{Evidence, EvidenceKind};
use super::fold::{Incident, Rejected};
use super::grant::{Acceptance, Ground};
use super::ledger::{Counters, Ledger};
use super::parts::{PartName, PartSeen};
use super::phase::{Gate, Phase};
use crate::reconcile;

const NOW: i64 = 1_000;

fn key(text: &str) -> GateKey {
    GateKey::new(text).unwrap()
}

fn part(text: &str) -> PartName {
    PartName { site: key("a"), part: SitePart::parse(text).unwrap() }
}

fn booking() -> Vec<PartName> {
    vec![part("booking=/booking")]
}

fn closed(parts: &[PartName]) -> Entry {
    Entry::PartsClosed { plan: Digest::default(), parts: parts.to_vec(), reason: "test".into() }
}

fn opened(parts: &[PartName]) -> Entry {
    Entry::PartsOpened { parts: parts.to_vec() }
}

fn seen(seen: PartSeen) -> Entry {
    Entry::PartsSeen { parts: booking(), edge: "e".into(), seen, why: "probe-disagrees".into() }
}

fn attach(verdict: Verdict) -> Entry {
    let evidence = Evidence {
        site: key("a"),
        artifact_set: Some(Digest([1; 32])),
        advisory: "CVE-1".into(),
        advisory_revision: Digest([2; 32]),
        statements_digest: Digest::default(),
        matcher_revision: 1,
        scanner: "relight test".into(),
        verdict,
        reasons: Vec::new(),
        found: Vec::new(),
        components: Vec::new(),
        inventories: Vec::new(),
        kind: EvidenceKind::Scan,
        made_at: NOW,
        expires_at: NOW + 86_400,
    };
    Entry::EvidenceAttached { evidence }
}

fn exempted() -> Entry {
    let acceptance = Acceptance {
        proposer: "anna".into(),
        approver: "zoe".into(),
        reason: "information pages only".into(),
        expires: NOW + 600,
    };
    Entry::Exempted { site: key("a"), ground: Ground::Acceptance(acceptance), witness: None }
}

fn ledger(entries: &[Entry]) -> Ledger {
    let mut ledger = Ledger::new(1);
    let first = Entry::Opened {
        question: "CVE-1".into(),
        title: "flaw".into(),
        revision: Digest([2; 32]),
        statements: Digest::default(),
        policy: "test".into(),
    };
    for entry in std::iter::once(&first).chain(entries) {
        let applied = ledger.apply("CVE-1", entry, NOW);
        applied.unwrap_or_else(|why| panic!("{entry:?}: {why:?}"));
    }
    ledger
}

fn after(entries: &[Entry]) -> Incident {
    ledger(entries).incident("CVE-1").unwrap().clone()
}

fn state(entries: &[Entry]) -> &'static str {
    after(entries).part(&key("a.booking")).unwrap().state()
}

fn rejected(entries: &[Entry], last: &Entry) -> Rejected {
    let mut incident = after(entries);
    let before = incident.clone();
    let why = incident.apply(last, NOW).expect_err("accepted");
    assert_eq!(incident, before, "a rejected entry changed the fold");
    why
}

/// Phase counts, and how many are exposed.
fn counted(entries: &[Entry]) -> (Phase, usize) {
    let counters = Counters::of(&after(entries), &[key("a")], NOW);
    assert_eq!(counters.phases.len(), 1, "one site is in one phase");
    (*counters.phases.keys().next().unwrap(), counters.exposed)
}

use PartSeen::{Closed, Failed, Lost, Open, Stopped};
use Verdict::{Affected, Clear, Unknown};

#[test]
fn the_way_of_a_part() {
    let way = [
        closed(&booking()),
        seen(Failed),
        seen(Closed),
        seen(Lost),
        seen(Closed),
        attach(Clear),
        opened(&booking()),
        seen(Stopped),
        seen(Closed),
        opened(&booking()),
        seen(Open),
        seen(Lost),
        seen(Open),
    ];
    let states = [
        "closing",
        "not-closed",
        "closed",
        "closing",
        "closed",
        "closed",
        "opening",
        "closing",
        "closed",
        "opening",
        "open",
        "opening",
        "open",
    ];
    for (index, expected) in states.into_iter().enumerate() {
        assert_eq!(state(&way[..=index]), expected, "after {:?}", way[index]);
    }
    assert_eq!(after(&way).part(&key("a.booking")).unwrap().stopped, 1);
}

#[test]
fn a_site_is_not_dark_by_a_closed_part() {
    let entries = [closed(&booking()), seen(Closed)];
    let ledger = ledger(&entries);
    assert_eq!(ledger.wants(&key("a")), Light::Lit);
    let (_, is_dark) = ledger.display(&key("a"));
    assert!(!is_dark, "never counted in proven dark");
    assert_eq!(counted(&entries).0, Phase::Online);
}

/// What stays open needs evidence of its own, whether the part is closed or not.
#[test]
fn a_site_with_a_closed_part_is_exposed_until_evidence_or_two_people_speak_for_the_rest() {
    let close = closed(&booking());
    assert_eq!(counted(&[close.clone(), seen(Closed)]), (Phase::Online, 1));
    assert_eq!(counted(&[attach(Clear), close.clone(), seen(Closed)]), (Phase::Online, 0));
    assert_eq!(counted(&[attach(Clear), close.clone()]), (Phase::Online, 1), "not proven");
    assert_eq!(counted(&[attach(Clear), close.clone(), seen(Failed)]), (Phase::Online, 1));
    let exempt = [exempted(), close.clone(), seen(Closed)];
    assert_eq!(counted(&exempt), (Phase::Exempt, 0));
    let late = Counters::of(&after(&exempt), &[key("a")], NOW + 600);
    assert_eq!(late.exposed, 1, "the acceptance is over");
    let bad = [close, seen(Closed), attach(Affected)];
    assert_eq!(counted(&bad).0, Phase::Affected, "bad news darkens the whole site");
}

#[test]
fn a_part_opens_only_under_evidence_or_an_acceptance() {
    let shut = [closed(&booking()), seen(Closed)];
    for bad in [None, Some(attach(Affected)), Some(attach(Unknown))] {
        let entries: Vec<Entry> = shut.iter().cloned().chain(bad).collect();
        rejected(&entries, &opened(&booking()));
    }
    for good in [attach(Clear), exempted()] {
        let entries = [good, shut[0].clone(), shut[1].clone(), opened(&booking())];
        assert_eq!(state(&entries), "opening");
    }
    let never = rejected(&[attach(Clear)], &opened(&booking()));
    assert_eq!(never.0, "no current evidence says clear");
}

/// Who closes what the inventory calls clear does not want it back at once; newer evidence does.
#[test]
fn a_part_opens_by_itself_only_after_newer_evidence() {
    let cleared = |entries: &[Entry]| after(entries).parts_cleared(NOW).len();
    let close = closed(&booking());
    assert_eq!(cleared(&[attach(Clear), close.clone()]), 0);
    assert_eq!(cleared(&[close.clone(), attach(Clear)]), 1);
    assert_eq!(cleared(&[close.clone(), attach(Clear), attach(Unknown)]), 0);
    assert_eq!(cleared(&[close.clone(), exempted()]), 0, "a signature calls nothing clear");
    let vain = [close, attach(Clear), opened(&booking()), seen(Stopped)];
    assert_eq!(cleared(&vain), 0, "opened in vain: a person decides");
    assert_eq!(after(&vain[..2]).parts_cleared(NOW + 86_400).len(), 0, "the evidence expired");
}

#[test]
fn what_does_not_follow_changes_nothing() {
    let close = closed(&booking());
    rejected(std::slice::from_ref(&close), &close);
    rejected(&[], &seen(Closed));
    for other in [Open, Stopped] {
        rejected(std::slice::from_ref(&close), &seen(other));
    }
    let opening = [close, attach(Clear), opened(&booking())];
    for other in [Closed, Failed] {
        rejected(&opening, &seen(other));
    }
}

#[test]
fn an_incident_is_not_closed_over_a_closed_part() {
    let way = [closed(&booking()), seen(Closed), attach(Clear), opened(&booking()), seen(Open)];
    for end in 1..way.len() {
        let why = rejected(&way[..end], &Entry::Closed { current: true });
        assert_eq!(why.0, "parts of sites are still closed", "after {:?}", way[end - 1]);
    }
    after(&way).apply(&Entry::Closed { current: true }, NOW).unwrap();
}

/// Its edge keeps the names and the place of a site whose part is closed.
#[test]
fn an_edge_is_at_work_while_a_part_is_closed() {
    let way = [closed(&booking()), seen(Closed), attach(Clear), opened(&booking()), seen(Open)];
    for end in 1..=way.len() {
        assert_eq!(ledger(&way[..end]).is_at_work(&key("a")), end < way.len(), "{end}");
    }
}

#[test]
fn entries_about_parts_read_back_and_name_them() {
    for entry in [closed(&booking()), opened(&[part("@write")]), seen(Lost)] {
        assert_eq!(Entry::from_body(&entry.to_body().unwrap()).unwrap(), entry);
        assert_eq!(entry.sites(), [key("a")]);
    }
    assert_eq!(opened(&[part("@write")]).parts(), [key("a@write")]);
    let body = closed(&booking()).to_body().unwrap();
    assert!(body.contains(r#""parts":[{"part":"booking=/booking","site":"a"}]"#), "{body}");
    let torn = body.replace("booking=/booking", "booking=/../x");
    assert!(Entry::from_body(&torn).is_err(), "{torn}");
}

fn site() -> Site {
    Site {
        id: relight_model::SiteId(0),
        slug: key("a"),
        name_fr: "a".into(),
        name_en: "a".into(),
        origin: "https://a.example".into(),
        aliases: vec!["www.a.example".into()],
        parts: Vec::new(),
        org: relight_model::OrgId(0),
        criticality: relight_model::Criticality::Normal,
        exposure: relight_model::SiteExposure::Internet,
        edge: "e".into(),
        public: true,
        channel: Default::default(),
    }
}

/// What the edges are asked for: the part under every name, the site only once it was ordered.
#[test]
fn a_part_is_wanted_beside_its_site() {
    let site = site();
    let wants = |entries: &[Entry]| {
        let ledger = ledger(entries);
        reconcile::wants(&ledger, "e", |_| Some(&site))
    };
    let wanted = |entries: &[Entry]| -> Vec<(String, Light, Gate)> {
        let all = wants(entries);
        all.iter().map(|it| (it.target.key.to_string(), it.light, it.gate)).collect()
    };
    let close = closed(&[part("booking=/booking"), part("@internet")]);
    let parts = [
        ("a.booking".to_owned(), Light::Dark, Gate::Requested),
        ("a@internet".to_owned(), Light::Dark, Gate::Requested),
    ];
    assert_eq!(wanted(std::slice::from_ref(&close)), parts);
    assert!(wants(std::slice::from_ref(&close)).iter().all(|want| want.names().count() == 2));
    let order = Entry::DarkOrdered {
        plan: Digest::default(),
        sites: vec![key("a")],
        reason: "test".into(),
    };
    let both = wanted(&[close.clone(), order.clone()]);
    assert_eq!(both[0], ("a".to_owned(), Light::Dark, Gate::Requested));
    assert_eq!(both[1..], parts);
    let behind = relight_edge::Look::Behind(key("a@internet"));
    assert_eq!(wants(&[close, order.clone()])[0].target.look, behind);
    assert_eq!(wants(&[order])[0].target.look, relight_edge::Look::Site);
    let elsewhere = Site { edge: "other".into(), ..site.clone() };
    let ledger = ledger(&[closed(&booking())]);
    assert!(reconcile::wants(&ledger, "e", |_| Some(&elsewhere)).is_empty());
}

/// A part may open when its site may be lit in every incident that closed it, and at no other time.
#[test]
fn every_incident_that_closed_a_part_has_to_agree() {
    let mut ledger = ledger(&[closed(&booking()), seen(Closed)]);
    let permits = |ledger: &Ledger| ledger.permits(&key("a.booking"), NOW);
    assert!(!permits(&ledger));
    for entry in [attach(Clear), opened(&booking())] {
        ledger.apply("CVE-1", &entry, NOW).unwrap();
    }
    assert!(permits(&ledger));
    let second = Entry::Opened {
        question: "CVE-2".into(),
        title: "flaw".into(),
        revision: Digest([2; 32]),
        statements: Digest::default(),
        policy: "test".into(),
    };
    ledger.apply("CVE-2", &second, NOW).unwrap();
    ledger.apply("CVE-2", &closed(&booking()), NOW).unwrap();
    assert!(!permits(&ledger), "the other incident wants it closed");
}
