//! What news may not darken without an order: too many sites, in however many pieces it comes, and
//! protected ones.

use std::collections::BTreeMap;
use std::sync::Barrier;
use std::thread;

use relight_engine::exposure::exposures;
use relight_engine::incident::{Acceptance, Counters, Entry, EvidenceKind, Ground, Ledger, Phase};
use relight_engine::plan::Action;
use relight_engine::store::{SiteMark, SiteRow};
use relight_engine::{INVENTORY_TTL_S, REDARK_AUTO_MAX, REMATCH_DEADLINE_MS};
use relight_model::{Digest, DisplayState, GateKey, Light, Sbom};

use crate::acts::{agree, chief, plan};
use crate::edge::key;
use crate::engine::{LOG4SHELL, RECURSION, Town, log4j, name, open, pass, row};
use crate::takeover::Driven;

const DAY_S: i64 = 86_400;

fn held(town: &Town) -> usize {
    town.engine.with_ledger(|ledger| ledger.incident(LOG4SHELL).unwrap().held_back().count())
}

fn dark(town: &Town) -> usize {
    town.engine.with_ledger(|ledger| {
        ledger.sites().filter(|site| ledger.wants(site) == Light::Dark).count()
    })
}

fn attach(town: &Town, sites: impl IntoIterator<Item = usize>) -> usize {
    let sites: Vec<GateKey> = sites.into_iter().map(|site| key(&name(site))).collect();
    town.engine.attach_evidence("scanner", LOG4SHELL, &sites, EvidenceKind::Scan).unwrap()
}

/// Goal: a scan of a site that waits for a person is no decision. Method: all are held back, and
/// then each is scanned alone, as every night.
#[test]
fn scans_of_one_night_do_not_darken_what_was_held_back() {
    let town = Town::new(REDARK_AUTO_MAX + 1);
    town.incident(LOG4SHELL);
    assert_eq!(attach(&town, 0..=REDARK_AUTO_MAX), REDARK_AUTO_MAX + 1);
    for site in 0..20 {
        town.ingest(site, log4j("2.14.1"));
    }
    assert_eq!((held(&town), dark(&town)), (REDARK_AUTO_MAX + 1, 0));
    // As many as may go dark are left, and still it is the news that waits for somebody.
    for site in 0..20 {
        town.ingest(site, log4j("2.17.1"));
    }
    assert_eq!((held(&town), dark(&town)), (REDARK_AUTO_MAX - 19, 0), "clear evidence answers it");
    town.ingest(20, log4j("2.14.1"));
    pass(2 * DAY_S);
    town.ingest(21, log4j("2.14.1"));
    assert_eq!((held(&town), dark(&town)), (REDARK_AUTO_MAX - 19, 0));
    // Other advisories are other news: these few go dark.
    let revised = Entry::Revised { revision: Digest([9; 32]), statements: Digest::default() };
    town.engine.record("feed", LOG4SHELL, revised).unwrap();
    assert_eq!(attach(&town, 20..22), 0);
    assert_eq!((held(&town), dark(&town)), (REDARK_AUTO_MAX - 21, 2));
}

/// Goal: so many sites a day, in however many pieces. Method: each is scanned alone from the start;
/// a day passes; and once more an order is given.
#[test]
fn news_site_by_site_stops_at_the_limit_of_a_day() {
    let town = Town::new(REDARK_AUTO_MAX + 6);
    town.incident(LOG4SHELL);
    assert_eq!(attach(&town, 0..REDARK_AUTO_MAX), 0);
    assert_eq!(attach(&town, [REDARK_AUTO_MAX]), 1);
    assert_eq!((held(&town), dark(&town)), (1, REDARK_AUTO_MAX));
    let exposed = town.engine.with_ledger(|ledger| {
        let sites = [key(&name(REDARK_AUTO_MAX))];
        Counters::of(ledger.incident(LOG4SHELL).unwrap(), &sites, town.engine.now()).exposed
    });
    assert_eq!(exposed, 1);
    // A site that came back is dark no more, and counts no more.
    town.ingest(0, log4j("2.17.1"));
    assert_eq!(town.phase(LOG4SHELL, 0), Some(Phase::RelightEligible));
    pass(DAY_S);
    assert_eq!(attach(&town, [REDARK_AUTO_MAX + 1]), 0, "the next day");
    assert_eq!(attach(&town, [REDARK_AUTO_MAX]), 1, "this one waits for an order");
    assert_eq!(attach(&town, [REDARK_AUTO_MAX + 2]), 0);
    let again = open(town.engine.store(), "second").unwrap();
    assert!(again.with_ledger(Clone::clone) == town.ledger(), "the journal says all of it");
    let town = Town::new(REDARK_AUTO_MAX + 6);
    town.incident(LOG4SHELL);
    attach(&town, 0..REDARK_AUTO_MAX);
    town.darken(&[REDARK_AUTO_MAX]);
    assert_eq!(attach(&town, [REDARK_AUTO_MAX + 1]), 1, "an order for another site");
    // An order that names what news darkened: somebody decided about these two.
    let (plan, reason) = (Digest::default(), "as a precaution".to_owned());
    let sites = [1, 2, REDARK_AUTO_MAX + 2].map(|site| key(&name(site))).into();
    let order = Entry::DarkOrdered { plan, sites, reason };
    town.engine.record("A. Tremblay", LOG4SHELL, order).unwrap();
    assert_eq!(attach(&town, [REDARK_AUTO_MAX + 3]), 0, "198 and the one that waits");
    assert_eq!(attach(&town, [REDARK_AUTO_MAX + 4]), 1);
}

/// Goal: a forged feed gets no more of a province by naming more flaws. Method: news of two open
/// incidents, about the same sites, which count once, and about others.
#[test]
fn news_of_all_incidents_together_stops_at_the_limit() {
    let town = Town::new(REDARK_AUTO_MAX + 2);
    town.incident(LOG4SHELL);
    town.incident(RECURSION);
    let other = |sites: std::ops::Range<usize>| {
        let sites: Vec<GateKey> = sites.map(|site| key(&name(site))).collect();
        town.engine.attach_evidence("scanner", RECURSION, &sites, EvidenceKind::Scan).unwrap()
    };
    assert_eq!(attach(&town, 0..150), 0);
    assert_eq!(other(100..200), 0, "a site that is dark already is no news");
    assert_eq!(dark(&town), 200);
    assert_eq!(other(200..201), 1);
    assert_eq!(attach(&town, [REDARK_AUTO_MAX + 1]), 1);
    assert_eq!(dark(&town), REDARK_AUTO_MAX);
}

/// Goal: what waits in one incident, maybe of a forged advisory, keeps no other's news from
/// darkening, and still all together stop at the limit. Method: one more than may go dark waits in
/// the first; then news of the second, about one that waits there, up to the limit and above it.
#[test]
fn what_waits_in_one_incident_keeps_no_news_of_another_away() {
    let town = Town::new(REDARK_AUTO_MAX + 4);
    town.incident(LOG4SHELL);
    town.incident(RECURSION);
    let other = |sites: std::ops::Range<usize>| {
        let sites: Vec<GateKey> = sites.map(|site| key(&name(site))).collect();
        town.engine.attach_evidence("scanner", RECURSION, &sites, EvidenceKind::Scan).unwrap()
    };
    assert_eq!(attach(&town, 0..=REDARK_AUTO_MAX), REDARK_AUTO_MAX + 1);
    assert_eq!((held(&town), dark(&town)), (REDARK_AUTO_MAX + 1, 0));
    assert_eq!(other(REDARK_AUTO_MAX + 1..REDARK_AUTO_MAX + 2), 0);
    assert_eq!(dark(&town), 1);
    assert_eq!(other(0..1), 0, "it waits in the first, and this is other news of it");
    assert_eq!(dark(&town), 2);
    assert_eq!(attach(&town, [REDARK_AUTO_MAX + 2]), 1, "the first still waits for an order");
    assert_eq!(other(1..REDARK_AUTO_MAX - 1), 0);
    assert_eq!(dark(&town), REDARK_AUTO_MAX);
    assert_eq!(other(REDARK_AUTO_MAX + 3..REDARK_AUTO_MAX + 4), 1);
    assert_eq!(dark(&town), REDARK_AUTO_MAX);
}

/// Goal: inventories that come at the same moment do not each find room. Method: as many threads as
/// would be twice too many begin together, again and again.
#[test]
fn news_that_comes_at_once_is_counted_together() {
    const THREADS: usize = 8;
    for _ in 0..5 {
        let town = Town::new(THREADS * 50);
        town.incident(LOG4SHELL);
        let together = Barrier::new(THREADS);
        let held: usize = thread::scope(|scope| {
            let news = |thread: usize| {
                let (town, together) = (&town, &together);
                scope.spawn(move || {
                    together.wait();
                    attach(town, thread * 50..(thread + 1) * 50)
                })
            };
            let all: Vec<_> = (0..THREADS).map(news).collect();
            all.into_iter().map(|it| it.join().unwrap()).sum()
        });
        assert_eq!((dark(&town), held), (REDARK_AUTO_MAX, THREADS * 50 - REDARK_AUTO_MAX));
    }
}

/// Goal: evidence that ends at different seconds is news in pieces as well. Method: sites that were
/// scanned one second after the other, and then nobody scans any more.
#[test]
fn evidence_that_ends_site_by_site_stops_at_the_limit_too() {
    let count = REDARK_AUTO_MAX + 10;
    let town = Town::new(count);
    town.incident(LOG4SHELL);
    for site in 0..count {
        if site % 42 == 0 {
            pass(1);
        }
        town.ingest(site, log4j("2.17.1"));
    }
    pass(INVENTORY_TTL_S - 6);
    let mut since = BTreeMap::new();
    for _ in 0..REMATCH_DEADLINE_MS / 1_000 + 10 {
        pass(1);
        town.engine.lapse(&mut since).unwrap();
    }
    assert_eq!(dark(&town) + held(&town), count);
    assert!(dark(&town) <= REDARK_AUTO_MAX, "{} went dark", dark(&town));
}

/// Goal: what waits for a person is matched again once, and not at every turn. Method: the matches
/// are counted, until other advisories come, and another process that may have another matcher.
#[test]
fn what_waits_for_a_person_is_matched_once_under_the_same_advisories() {
    let count = REDARK_AUTO_MAX + 1;
    let town = Town::new(count);
    town.incident(LOG4SHELL);
    for site in 0..count {
        town.ingest(site, log4j("2.17.1"));
    }
    pass(INVENTORY_TTL_S + 1);
    let mut since = BTreeMap::new();
    let mut matched = || {
        pass(REMATCH_DEADLINE_MS / 1_000);
        town.engine.lapse(&mut since).unwrap()
    };
    assert_eq!([matched(), matched(), matched(), matched()], [0, count, 0, 0]);
    assert_eq!((held(&town), dark(&town)), (count, 0));
    let revised = Entry::Revised { revision: Digest([9; 32]), statements: Digest::default() };
    town.engine.record("feed", LOG4SHELL, revised).unwrap();
    assert_eq!([matched(), matched()], [count, 0]);
    // One that somebody scanned is not asked about any more; the others wait as before.
    town.ingest(0, log4j("2.17.1"));
    assert_eq!(matched(), 0);
    assert_eq!((held(&town), dark(&town)), (count - 1, 0));
    let mut since = BTreeMap::new();
    assert_eq!(town.engine.lapse(&mut since).unwrap(), 0);
    pass(REMATCH_DEADLINE_MS / 1_000);
    assert_eq!(town.engine.lapse(&mut since).unwrap(), count - 1);
}

/// What ends at a time that somebody signed for is no news.
#[test]
fn signatures_that_end_count_as_nobodys_news() {
    let town = Town::new(REDARK_AUTO_MAX + 1);
    town.incident(LOG4SHELL);
    let now = town.engine.now();
    for site in 0..=REDARK_AUTO_MAX {
        exempt(&town, site, now + 60);
    }
    pass(60);
    town.engine.lapse(&mut BTreeMap::new()).unwrap();
    assert_eq!((held(&town), dark(&town)), (0, REDARK_AUTO_MAX + 1));
}

/// Two people answer for a site, until then.
pub(crate) fn exempt(town: &Town, site: usize, expires: i64) {
    let (site, reason) = (key(&name(site)), "booking".to_owned());
    let (proposer, approver) = ("A. Tremblay".into(), "B. Roy".into());
    let acceptance = Acceptance { proposer, approver, reason, expires };
    let ground = Ground::Acceptance(acceptance);
    town.engine
        .record("A. Tremblay", LOG4SHELL, Entry::Exempted { site, ground, witness: None })
        .unwrap();
}

fn protect(town: &Town, site: usize) {
    mark(town, site, true);
}

fn mark(town: &Town, site: usize, is_protected: bool) {
    let store = town.engine.store();
    store.set_mark(&key(&name(site)), SiteMark::Protected, is_protected, 0, "Anna").unwrap();
    town.engine.reload().unwrap();
}

/// Goal: news that waits for a person opens nothing that is dark. Method: two clear sites come
/// back, and then one incident, or another one, is told that they are affected, which is held back;
/// their gates are found dark, as after a restore of the edge's folder.
#[test]
fn a_site_that_is_held_back_is_not_opened_on_what_was_known_before() {
    let town = Town::new(2);
    (0..2).for_each(|site| town.ingest(site, log4j("2.16.0")));
    town.incident(LOG4SHELL);
    town.darken(&[0, 1]);
    let mut edge = Driven::holding(&[]);
    edge.round(&town.engine);
    assert_eq!(attach(&town, [0, 1]), 0);
    assert_eq!(town.engine.relight_ready().unwrap(), 2);
    edge.round(&town.engine);
    let phases = || [0, 1].map(|site| town.phase(LOG4SHELL, site).unwrap());
    assert_eq!(phases(), [Phase::RelitProven; 2]);
    (0..2).for_each(|site| protect(&town, site));
    town.ingest(0, log4j("2.14.1"));
    assert_eq!(held(&town), 1);
    town.incident(RECURSION);
    let other = [key(&name(1))];
    let held = town.engine.attach_evidence("scanner", RECURSION, &other, EvidenceKind::Scan);
    assert_eq!(held.unwrap(), 1);
    assert_eq!(phases(), [Phase::RelitProven; 2]);

    let both = [name(0), name(1)];
    edge.bring_back(&[&both[0], &both[1]]);
    for _ in 0..3 {
        edge.round(&town.engine);
        assert!(edge.is_dark(0) && edge.is_dark(1));
        assert_eq!(town.engine.relight_ready().unwrap(), 0);
    }
    assert_eq!(phases(), [Phase::Unknown, Phase::RelightEligible]);
    let again = open(town.engine.store(), "second").unwrap();
    assert!(again.with_ledger(Clone::clone) == town.ledger(), "the journal says all of it");
}

/// Goal: an opening that is under way stops when such news comes. Method: the gate is looked at
/// again before it is opened.
#[test]
fn news_that_is_held_back_stops_an_opening() {
    let town = Town::new(1);
    town.ingest(0, log4j("2.17.1"));
    town.incident(LOG4SHELL);
    town.darken(&[0]);
    let mut edge = Driven::holding(&[]);
    edge.round(&town.engine);
    attach(&town, [0]);
    assert_eq!(town.engine.relight_ready().unwrap(), 1);
    protect(&town, 0);
    town.ingest(0, log4j("2.14.1"));
    assert_eq!((town.phase(LOG4SHELL, 0), held(&town)), (Some(Phase::Relighting), 1));
    edge.round(&town.engine);
    assert!(edge.is_dark(0));
    assert_eq!(town.phase(LOG4SHELL, 0), Some(Phase::Unknown));
}

/// Goal: a site that may stay online because it was clear can be ordered dark once it is not.
/// Method: news about it is held back, whatever allowed it to stay.
#[test]
fn an_exempt_site_that_is_held_back_can_be_ordered_dark() {
    let town = Town::new(2);
    (0..2).for_each(|site| town.ingest(site, log4j("2.17.1")));
    town.incident(LOG4SHELL);
    town.engine.exempt("A. Tremblay", LOG4SHELL, &key(&name(0))).unwrap();
    exempt(&town, 1, town.engine.now() + 3_600);
    let ordered = |town: &Town| town.plan(Action::Dark, &[0, 1]).sites.len();
    assert_eq!(ordered(&town), 0);
    (0..2).for_each(|site| protect(&town, site));
    (0..2).for_each(|site| town.ingest(site, log4j("2.14.1")));
    assert_eq!((dark(&town), held(&town)), (0, 2));
    (0..2).for_each(|site| mark(&town, site, false));
    assert_eq!(ordered(&town), 2);
}

/// Goal: no news darkens a protected site, however few it is about. Method: each way in which a lit
/// site goes dark without an order.
#[test]
fn news_leaves_protected_sites_to_a_person() {
    let town = Town::new(6);
    for site in [2, 4] {
        town.ingest(site, log4j("2.17.1"));
    }
    town.incident(LOG4SHELL);
    (0..5).for_each(|site| protect(&town, site));
    let state = |site| town.engine.with_ledger(|ledger| ledger.display(&key(&name(site))).0);
    town.ingest(0, log4j("2.14.1"));
    assert_eq!(attach(&town, [1]), 1, "nobody knows what is in it");
    assert_eq!((dark(&town), held(&town)), (0, 2));
    // Other files are reported, and nobody has read them.
    attach(&town, [2, 4]);
    assert_eq!(state(2), DisplayState::Online);
    town.engine.report_deployed("owner", &key(&name(2)), Digest([7; 32])).unwrap();
    assert_eq!((dark(&town), held(&town)), (0, 3));
    assert_eq!(attach(&town, [2]), 1, "what is known of it is of other files");
    // A signature ends.
    exempt(&town, 3, town.engine.now() + 60);
    pass(60);
    let mut since = BTreeMap::new();
    town.engine.lapse(&mut since).unwrap();
    assert_eq!((dark(&town), held(&town)), (0, 4));
    // Nobody scans any more.
    pass(INVENTORY_TTL_S);
    town.engine.lapse(&mut since).unwrap();
    pass(REMATCH_DEADLINE_MS / 1_000);
    let journal = town.journal().len();
    town.engine.lapse(&mut since).unwrap();
    assert_eq!((dark(&town), held(&town)), (0, 5));
    assert_eq!(town.journal().len(), journal + 1, "told once");
    town.engine.lapse(&mut since).unwrap();
    assert_eq!(town.journal().len(), journal + 1, "told once");
    assert!((0..5).all(|site| state(site) == DisplayState::Exposed));
    // They use up nobody's limit, and clear files answer the news.
    assert_eq!(attach(&town, [5]), 0);
    assert_eq!(state(5), DisplayState::DarkRequested);
    town.ingest(0, log4j("2.17.1"));
    town.ingest(2, Sbom { artifact: Some(Digest([7; 32])), ..log4j("2.17.1") });
    assert_eq!([0, 2].map(state), [DisplayState::Online; 2]);
}

/// Goal: a site that an order cannot reach is counted, shown and reported as what it is: exposed.
/// Method: of five sites one is protected, one has no edge and one is clear; more than news may
/// darken are left so, and keep no news of others back; clear files answer for two.
#[test]
fn what_an_order_leaves_lit_is_exposed_until_a_person_decides() {
    let many = REDARK_AUTO_MAX + 5;
    let town = Town::new(many);
    let bare =
        (5..many).chain([2]).map(|site| SiteRow { edge: String::new(), ..row(site, &name(site)) });
    let store = town.engine.store();
    let import = store.plan_import(&bare.collect::<Vec<SiteRow>>()).unwrap();
    store.apply_import(&import, 0, "test").unwrap();
    protect(&town, 1);
    (0..3).for_each(|site| town.ingest(site, log4j("2.14.1")));
    town.ingest(3, log4j("2.17.1"));
    town.incident(LOG4SHELL);
    let all: Vec<usize> = (0..many).filter(|site| *site != 4).collect();
    town.darken(&all);
    let keys: Vec<GateKey> = (0..many).map(|site| key(&name(site))).collect();
    let exposed = |site: usize| {
        let (ledger, one) = (town.ledger(), [keys[site].clone()]);
        let counters = Counters::of(ledger.incident(LOG4SHELL).unwrap(), &one, town.engine.now());
        let is_shown = ledger.display(&one[0]).0 == DisplayState::Exposed;
        assert_eq!(counters.states.values().sum::<usize>(), 1);
        (counters.exposed == 1, is_shown)
    };
    assert_eq!([1, 2, 5].map(exposed), [(true, true); 3], "protected, without an edge");
    assert_eq!(exposed(4), (false, false), "nobody asked for it");
    assert_eq!(held(&town), many - 3);
    assert_eq!(dark(&town), 2, "also the clear one, which was named");
    let kinds = town.journal();
    assert_eq!(kinds.iter().filter(|kind| *kind == "held-back").count(), 1);
    assert!(is_told_at_once(&kinds), "{kinds:?}");
    pass(60);
    let rows = exposures(store, LOG4SHELL, town.engine.now()).unwrap();
    let told = |site: usize| {
        let row = rows.iter().find(|row| row.site == keys[site]).unwrap();
        (row.action(), row.exposed_s)
    };
    assert_eq!([told(1), told(2)], [("left-online", 60); 2]);
    // News about another site is heard, however many an order left.
    town.ingest(4, log4j("2.14.1"));
    assert_eq!(town.phase(LOG4SHELL, 4), Some(Phase::Affected));
    town.darken(&[1, 2]);
    assert_eq!(held(&town), many - 3, "told once");
    [1, 2].iter().for_each(|site| town.ingest(*site, log4j("2.17.1")));
    assert_eq!([1, 2].map(exposed), [(false, false); 2], "clear evidence answers it");
    let again = open(store, "second").unwrap();
    assert_eq!(again.with_ledger(Ledger::clone), town.ledger());
}

/// What an order left lit is told in the transaction of the order.
fn is_told_at_once(kinds: &[String]) -> bool {
    kinds.windows(2).any(|two| two[0] == "dark-ordered" && two[1] == "held-back")
}

/// Goal: no crash between an order and what it left lit. Method: two people agree on an order that
/// takes two, and one of its sites is protected.
#[test]
fn what_two_people_leave_lit_is_told_with_their_order() {
    let town = Town::new(7);
    town.incident(LOG4SHELL);
    protect(&town, 6);
    agree(&town, &plan(&town, &chief("anna"), Action::Dark, &[0, 1, 2, 3, 4, 5, 6]));
    assert_eq!((dark(&town), held(&town)), (6, 1));
    let kinds = town.journal();
    assert!(is_told_at_once(&kinds), "{kinds:?}");
}

/// Goal: a site that no edge switches goes dark by nothing: it could never come back. Method: an
/// order leaves them lit; one is repaired, the evidence of one ends, an acceptance of one, and the
/// advisory is revised.
#[test]
fn a_site_without_an_edge_goes_dark_by_nothing() {
    let town = Town::new(5);
    let bare = (0..4).map(|site| SiteRow { edge: String::new(), ..row(site, &name(site)) });
    let store = town.engine.store();
    let import = store.plan_import(&bare.collect::<Vec<SiteRow>>()).unwrap();
    store.apply_import(&import, 0, "test").unwrap();
    town.engine.reload().unwrap();
    town.incident(LOG4SHELL);
    exempt(&town, 2, town.engine.now() + 60);
    town.darken(&[0, 1, 2, 3, 4]);
    assert_eq!((dark(&town), held(&town)), (1, 3));
    town.engine.report_deployed("owner", &key(&name(0)), Digest([7; 32])).unwrap();
    town.ingest(1, log4j("2.17.1"));
    assert_eq!((dark(&town), held(&town)), (1, 2));
    let mut since = BTreeMap::new();
    for wait in [60, INVENTORY_TTL_S, REMATCH_DEADLINE_MS / 1_000] {
        pass(wait);
        town.engine.lapse(&mut since).unwrap();
    }
    assert_eq!((dark(&town), held(&town)), (1, 4));
    let revised = Entry::Revised { revision: Digest([9; 32]), statements: Digest::default() };
    town.engine.record("feed", LOG4SHELL, revised).unwrap();
    assert_eq!(attach(&town, 0..4), 4);
    town.engine.report_deployed("owner", &key(&name(0)), Digest([8; 32])).unwrap();
    assert_eq!((dark(&town), held(&town)), (1, 4));
}

/// Goal: what an order left lit keeps no news of others back, at no turn and under no advisories.
/// Method: more than may go dark are left; evidence of another one ends, the advisory is revised,
/// and news comes of a third.
#[test]
fn what_an_order_left_lit_keeps_no_news_back() {
    let left = REDARK_AUTO_MAX + 50;
    let town = Town::new(left + 2);
    town.incident(LOG4SHELL);
    let sites = (0..left).map(|site| key(&name(site))).collect();
    let entry = Entry::HeldBack { sites, voids: true, left: true };
    town.engine.record("A. Tremblay", LOG4SHELL, entry).unwrap();
    town.ingest(left, log4j("2.17.1"));
    let mut since = BTreeMap::new();
    for wait in [INVENTORY_TTL_S, REMATCH_DEADLINE_MS / 1_000] {
        pass(wait);
        town.engine.lapse(&mut since).unwrap();
    }
    assert_eq!((dark(&town), held(&town)), (1, left));
    let revised = Entry::Revised { revision: Digest([9; 32]), statements: Digest::default() };
    town.engine.record("feed", LOG4SHELL, revised).unwrap();
    assert_eq!(attach(&town, 0..left), left, "more than may go dark");
    assert_eq!(attach(&town, [left + 1]), 0);
    assert_eq!((dark(&town), held(&town)), (2, left));
}

/// Goal: a site that nobody can clear keeps no incident open for ever. Method: a protected site
/// without an inventory is held back by news, and then an order leaves it lit.
#[test]
fn an_incident_closes_over_what_an_order_left_lit() {
    let town = Town::new(2);
    town.incident(LOG4SHELL);
    protect(&town, 0);
    assert_eq!(attach(&town, [0]), 1);
    let close = || town.engine.record("A. Tremblay", LOG4SHELL, Entry::Closed { current: true });
    assert!(close().is_err(), "news waits for a person");
    town.ingest(1, log4j("2.17.1"));
    town.darken(&[0, 1]);
    let mut edge = Driven::holding(&[]);
    edge.round(&town.engine);
    attach(&town, [1]);
    assert_eq!(town.engine.relight_ready().unwrap(), 1);
    edge.round(&town.engine);
    close().unwrap();
    let rows = exposures(town.engine.store(), LOG4SHELL, town.engine.now()).unwrap();
    assert_eq!(rows.iter().find(|row| row.site == key(&name(0))).unwrap().action(), "left-online");
    let again = open(town.engine.store(), "second").unwrap();
    assert_eq!(again.with_ledger(Ledger::clone), town.ledger());
}
