//! Several incidents on one register: what each of them wants, and what the public page is told.

use relight_engine::drive::for_incidents;
use relight_engine::incident::{Counters, Entry, EvidenceKind, Ledger, Phase};
use relight_engine::live::{Board, Proofs};
use relight_engine::plan::{Action, Plan, PlanAsk};
use relight_engine::reconcile::{DARK_PROOF_MAX_MS, Round, wants};
use relight_engine::{REDARK_AUTO_MAX, board_of, replay};
use relight_model::{Digest, DisplayState, Epoch, GateKey, Light};

use crate::edge::key;
use crate::engine::{LOG4SHELL, RECURSION, Town, clock, log4j, name, pass};
use crate::loops::Bench;

/// What a round of the edge saw, told to every incident that it concerns.
fn see(town: &Town, entry: Entry) {
    let round = Round { entries: vec![entry], ..Round::default() };
    let told = town.engine.with_ledger(|ledger| for_incidents(ledger, &round));
    for result in town.engine.append("relight", told).unwrap() {
        result.unwrap();
    }
}

fn proved(site: usize, light: Light) -> Entry {
    let (sites, edge) = (vec![key(&name(site))], "east".to_owned());
    Entry::Proved { sites, light, edge, epoch: Epoch::default() }
}

fn drifted(site: usize, what: &str) -> Entry {
    let (sites, edge, what) = (vec![key(&name(site))], "east".to_owned(), what.to_owned());
    Entry::Drifted { sites, edge, what, since: None }
}

fn dark_plan(town: &Town, id: &str, sites: &[usize]) -> Plan {
    let ask = PlanAsk {
        incident: id.into(),
        action: Action::Dark,
        part: None,
        reason: "as a precaution".into(),
        advisory_revision: Digest::default(),
        policy: Digest::default(),
        proposer: "A. Tremblay".into(),
        created: town.engine.now(),
    };
    let sites: Vec<GateKey> = sites.iter().map(|site| key(&name(*site))).collect();
    town.engine.plan(ask, &sites).unwrap()
}

fn darken(town: &Town, id: &str, sites: &[usize]) {
    town.engine.execute(&dark_plan(town, id, sites), "A. Tremblay").unwrap();
}

fn shown(town: &Town, site: usize) -> (DisplayState, bool) {
    town.engine.with_ledger(|ledger| ledger.display(&key(&name(site))))
}

/// A life of a register from a fixed instant on: what the public page may follow afterwards, what
/// the console shows of the first site, and that a restart reads the same from the journal.
fn life(live: impl Fn(&Town, &Board)) -> (Proofs, DisplayState) {
    let began = clock();
    let town = Town::new(2);
    let board = town.engine.board().unwrap();
    live(&town, &board);
    pass((began - clock()) / 1_000);
    let (proofs, again) = (board.proofs(), board_of(town.engine.store()).unwrap().proofs());
    assert_eq!((&again.dark_since, &again.past), (&proofs.dark_since, &proofs.past));
    (proofs, shown(&town, 0).0)
}

/// Goal: nobody can tell from the public page what is vulnerable. Method: a site is proven dark
/// under one incident when another is opened whose id comes first; then a scan says that it is
/// affected, or clear. The proven lights are the same, and so is all that the page may follow.
#[test]
fn a_verdict_in_a_second_incident_is_nothing_that_the_public_page_follows() {
    let lived = |version: &str| {
        life(|town, _| {
            town.incident(RECURSION);
            darken(town, RECURSION, &[0]);
            pass(5);
            see(town, proved(0, Light::Dark));
            pass(600);
            town.incident(LOG4SHELL);
            pass(60);
            town.ingest(0, log4j(version));
            pass(5);
            see(town, proved(0, Light::Dark));
        })
    };
    let [(affected, state), (clear, other)] = ["2.14.1", "2.17.1"].map(lived);
    assert_eq!((state, other), (DisplayState::Affected, DisplayState::Dark));
    assert_eq!(affected, clear);
    assert!(affected.past.is_empty(), "the outage goes on");
    assert!(affected.dark_since.iter().any(Option::is_some));
}

/// The same while a site is being opened and was not seen open yet: bad news, a deployment that is
/// reported, or an opening in vain end no outage.
#[test]
fn an_outage_ends_when_the_site_is_seen_open_and_not_before() {
    let lived = |then: &dyn Fn(&Town)| {
        life(|town, _| {
            town.incident(LOG4SHELL);
            darken(town, LOG4SHELL, &[0]);
            see(town, proved(0, Light::Dark));
            town.ingest(0, log4j("2.17.1"));
            assert_eq!(town.engine.relight_ready().unwrap(), 1);
            pass(60);
            then(town);
        })
    };
    let site = || key(&name(0));
    let calm = lived(&|_| {});
    let bad = lived(&|town| town.ingest(0, log4j("2.14.1")));
    assert_eq!((calm.1, bad.1), (DisplayState::Dark, DisplayState::DarkRequested));
    let deployed = lived(&|town| {
        town.engine.report_deployed("deployer", &site(), Digest([7; 32])).unwrap();
    });
    let in_vain = lived(&|town| {
        let (sites, why) = (vec![site()], "not-permitted-or-not-proven".to_owned());
        see(town, Entry::RelightStopped { sites, why, unseen: false });
    });
    let silent = lived(&|town| {
        town.ingest(0, log4j("2.14.1"));
        see(town, proved(0, Light::Dark));
        see(town, drifted(0, "proof-expired"));
    });
    assert_eq!(silent.1, DisplayState::DarkRequested, "of an edge that is silent nobody knows");
    for (proofs, _) in [&bad, &deployed, &in_vain, &silent] {
        assert_eq!(proofs, &calm.0);
    }
    assert!(calm.0.past.is_empty());
    let open = lived(&|town| see(town, proved(0, Light::Lit)));
    let undone = lived(&|town| {
        town.ingest(0, log4j("2.14.1"));
        see(town, proved(0, Light::Dark));
        see(town, drifted(0, "gate-undone"));
    });
    for (proofs, _) in [open, undone] {
        assert_eq!((proofs.past.len(), proofs.dark_since), (1, vec![None, None]));
    }
}

/// Goal: a site that visitors see is not called offline. Method: its edge falls silent, the server
/// starts anew and has no proof of before, and the edge comes back with a site that nothing closes;
/// in between, the silence was told as a failure, or not.
#[test]
fn a_lit_site_that_cannot_be_closed_is_not_called_offline_after_a_restart() {
    for told in [false, true] {
        let town = Town::new(1);
        town.incident(LOG4SHELL);
        darken(&town, LOG4SHELL, &[0]);
        see(&town, proved(0, Light::Dark));
        see(&town, drifted(0, "proof-expired"));
        if told {
            let (sites, edge) = (vec![key(&name(0))], "east".to_owned());
            see(&town, Entry::EdgeFailed { sites, edge, why: "unreachable".into() });
        }
        assert!(shown(&town, 0).1, "nobody knows better");
        let mut bench = Bench::new(|edge| edge.bypass.extend([key(&name(0))]));
        let sites = town.engine.sites();
        let mut look = |ms: i64| {
            bench.now_ms += ms;
            let site_of = |key: &GateKey| sites.iter().find(|site| site.slug == *key);
            let wants = town.engine.with_ledger(|ledger| wants(ledger, "east", site_of));
            let (epoch, now_ms) = (bench.epoch, bench.now_ms);
            let round = bench.edge_loop.round(&wants, epoch, now_ms, &|_: &GateKey| true);
            round.entries.into_iter().for_each(|entry| see(&town, entry));
        };
        look(0);
        assert_eq!(shown(&town, 0).1, !told, "it may close yet");
        look(DARK_PROOF_MAX_MS);
        assert!(!shown(&town, 0).1);
        let journal = town.engine.store().verify_journal().unwrap().unwrap().entries;
        look(1_000);
        look(1_000);
        let after = town.engine.store().verify_journal().unwrap().unwrap().entries;
        assert_eq!(after, journal, "said once");
    }
}

/// The console shows the state furthest from lit, whichever incident it is of, and a lit site that
/// one of them calls affected as exposed.
#[test]
fn the_incident_furthest_from_lit_decides_what_is_shown() {
    for ids in [[LOG4SHELL, RECURSION], [RECURSION, LOG4SHELL]] {
        let town = Town::new(1);
        for id in ids {
            town.incident(id);
        }
        darken(&town, ids[0], &[0]);
        see(&town, proved(0, Light::Dark));
        assert_eq!(shown(&town, 0), (DisplayState::Dark, true));
        darken(&town, ids[1], &[0]);
        assert_eq!(shown(&town, 0), (DisplayState::Dark, true), "proven already");
        see(&town, proved(0, Light::Dark));
        town.ingest(0, log4j("2.17.1"));
        town.engine.relight("A. Tremblay", ids[0], &[key(&name(0))]).unwrap();
        assert_eq!(shown(&town, 0), (DisplayState::Dark, true), "one of them holds it");
        town.engine.relight("A. Tremblay", ids[1], &[key(&name(0))]).unwrap();
        // It is being opened, and may show already when the news comes.
        town.ingest(0, log4j("2.14.1"));
        assert_eq!(shown(&town, 0), (DisplayState::DarkRequested, true), "asked for, not proven");
        see(&town, proved(0, Light::Dark));
        assert_eq!(shown(&town, 0), (DisplayState::Affected, true));
        let sites = [key(&name(0))];
        town.engine.with_ledger(|ledger| {
            let counters = Counters::of_all(ledger, &sites, town.engine.now());
            assert_eq!(counters.states.keys().collect::<Vec<_>>(), [&DisplayState::Affected]);
        });
    }
}

/// Goal: opening an incident tells nobody outside that something is coming. Method: an outage that
/// is over; then an incident is opened, darkens, brings back and is closed.
#[test]
fn an_incident_is_public_from_its_first_proof_on_until_it_is_closed() {
    let town = Town::new(2);
    let board = town.engine.board().unwrap();
    let proofs = || board.proofs();
    let turn = |site: usize| {
        town.ingest(site, log4j("2.17.1"));
        assert_eq!(town.engine.relight_ready().unwrap(), 1);
        see(&town, proved(site, Light::Lit));
    };
    town.incident(LOG4SHELL);
    assert_eq!((proofs().version, proofs().begun), (0, vec![]), "nothing is dark");
    darken(&town, LOG4SHELL, &[0]);
    assert_eq!((proofs().version, proofs().begun), (0, vec![]), "nothing is proven");
    let first = town.engine.now();
    see(&town, proved(0, Light::Dark));
    assert_eq!(proofs().begun, [first]);
    turn(0);
    let before = proofs();
    assert_eq!(before.begun, [first], "not closed");
    pass(30 * 86_400);
    town.incident(RECURSION);
    assert_eq!(proofs(), before, "a second incident is opened, and nothing is dark");
    town.ingest(0, log4j("2.17.1"));
    town.engine.record("A. Tremblay", LOG4SHELL, Entry::Closed { current: true }).unwrap();
    assert_eq!((proofs().version, proofs().begun), (before.version + 1, vec![]));
    darken(&town, RECURSION, &[1]);
    let (version, second) = (proofs().version, town.engine.now());
    see(&town, proved(1, Light::Dark));
    assert_eq!((proofs().version, proofs().begun), (version + 1, vec![second]));
    let again = board_of(town.engine.store()).unwrap().proofs();
    assert_eq!((again.begun, again.dark_since), (proofs().begun, proofs().dark_since));
    let other = Town::new(1);
    let quiet = other.engine.board().unwrap();
    other.incident(LOG4SHELL);
    other.engine.record("A. Tremblay", LOG4SHELL, Entry::Closed { current: true }).unwrap();
    assert_eq!(quiet.proofs().version, 0, "one that nobody heard of is closed unheard");
}

/// Goal: a flaw that comes back is answered as it was the first time. Method: an incident is
/// closed, an old artifact is deployed, and a second one about the same flaw is opened, orders and
/// is replayed; the first one stays as it was reported.
#[test]
fn a_flaw_whose_incident_is_closed_has_a_second_one() {
    let town = Town::new(2);
    let board = town.engine.board().unwrap();
    assert_eq!(town.incident(LOG4SHELL), LOG4SHELL);
    darken(&town, LOG4SHELL, &[0]);
    see(&town, proved(0, Light::Dark));
    town.ingest(0, log4j("2.17.1"));
    assert_eq!(town.engine.relight_ready().unwrap(), 1);
    see(&town, proved(0, Light::Lit));
    town.engine.record("A. Tremblay", LOG4SHELL, Entry::Closed { current: true }).unwrap();
    let first = town.ledger().incident(LOG4SHELL).unwrap().clone();
    pass(86_400);
    town.ingest(0, log4j("2.14.1"));
    let about = |id: &str| {
        let kept = |ledger: &Ledger, known: &_| ledger.about(known, id).map(str::to_owned);
        town.engine.with_incidents(kept).unwrap()
    };
    assert_eq!([about(LOG4SHELL), about("CVE-2021-44228~1")], [LOG4SHELL; 2]);
    let second = town.incident(LOG4SHELL);
    assert_eq!(second, "CVE-2021-44228~2");
    assert_eq!(town.incident(LOG4SHELL), second, "it is open");
    assert_eq!([about(LOG4SHELL), about(&second)], [&*second; 2], "an open one comes first");
    assert_eq!(about("CVE-2021-44228~1"), LOG4SHELL);
    assert_eq!(board.headline().id, second);
    darken(&town, &second, &[0]);
    see(&town, proved(0, Light::Dark));
    assert_eq!(shown(&town, 0), (DisplayState::Dark, true));
    assert_eq!(board.proofs().begun, [town.engine.now()]);
    assert_eq!(town.ledger().incident(LOG4SHELL), Some(&first), "what is over stays as it was");
    assert_eq!(replay(town.engine.store()).unwrap().0, town.ledger());
    town.ingest(0, log4j("2.17.1"));
    assert_eq!(town.phase(&second, 0), Some(Phase::RelightEligible), "evidence finds it");
    assert_eq!(town.engine.relight("A. Tremblay", &second, &[key(&name(0))]).unwrap(), 1);
    see(&town, proved(0, Light::Lit));
    town.engine.record("A. Tremblay", &second, Entry::Closed { current: true }).unwrap();
    assert_eq!(about(LOG4SHELL), second, "the newest of those that are closed");
    assert_eq!(town.incident(LOG4SHELL), "CVE-2021-44228~3");
}

/// Goal: an incident has its own reason to keep a site dark. Method: a site that another incident
/// holds dark, and that it may open again; the second one asks for it as well.
#[test]
fn what_another_incident_holds_dark_is_in_the_plan_and_stays_dark() {
    let town = Town::new(2);
    town.incident(LOG4SHELL);
    darken(&town, LOG4SHELL, &[0]);
    see(&town, proved(0, Light::Dark));
    town.ingest(0, log4j("2.16.0"));
    assert_eq!(town.phase(LOG4SHELL, 0), Some(Phase::RelightEligible));
    town.incident(RECURSION);
    let plan = dark_plan(&town, RECURSION, &[0, 1]);
    assert_eq!(plan.keys(), [key(&name(0)), key(&name(1))]);
    town.engine.execute(&plan, "A. Tremblay").unwrap();
    assert_eq!(town.phase(RECURSION, 0), Some(Phase::DarkRequested));
    assert_eq!(shown(&town, 0), (DisplayState::Dark, true), "it was dark all the time");
    assert_eq!(town.engine.relight_ready().unwrap(), 0);
    assert_eq!(town.ledger().wants(&key(&name(0))), Light::Dark);
    let again = dark_plan(&town, RECURSION, &[0, 1]);
    assert_eq!(again.keys(), []);
    let reasons: Vec<&str> = again.skipped.iter().map(|it| it.reason.as_str()).collect();
    assert_eq!(reasons, ["already-so", "already-so"]);
}

/// News that darkens nothing, because the sites are dark, waits for nobody: else the first incident
/// would open what the second calls affected.
#[test]
fn bad_news_about_sites_that_are_dark_is_not_held_back() {
    let town = Town::new(REDARK_AUTO_MAX + 1);
    let all: Vec<usize> = (0..=REDARK_AUTO_MAX).collect();
    let sites: Vec<GateKey> = all.iter().map(|site| key(&name(*site))).collect();
    town.incident(LOG4SHELL);
    darken(&town, LOG4SHELL, &all);
    town.incident(RECURSION);
    let attach =
        |id: &str| town.engine.attach_evidence("scanner", id, &sites, EvidenceKind::Scan).unwrap();
    assert_eq!(attach(RECURSION), 0);
    let ledger = town.ledger();
    let incident = ledger.incident(RECURSION).unwrap();
    assert!(sites.iter().all(|site| incident.wants(site) == Light::Dark));
}

/// News that waits for a person holds a site that another incident darkened meanwhile.
#[test]
fn what_waits_for_a_person_is_not_opened_by_another_incident() {
    let town = Town::new(REDARK_AUTO_MAX + 2);
    let sites: Vec<GateKey> = (0..REDARK_AUTO_MAX + 2).map(|site| key(&name(site))).collect();
    town.ingest(0, log4j("2.16.0"));
    town.incident(RECURSION);
    town.incident(LOG4SHELL);
    let attach = |id: &str, sites: &[GateKey]| {
        town.engine.attach_evidence("scanner", id, sites, EvidenceKind::Scan).unwrap()
    };
    assert_eq!(attach(RECURSION, &sites), sites.len());
    darken(&town, LOG4SHELL, &[0]);
    assert_eq!(attach(LOG4SHELL, &sites[..1]), 0);
    assert_eq!(town.phase(LOG4SHELL, 0), Some(Phase::RelightEligible));
    assert_eq!(town.engine.relight_ready().unwrap(), 0);
    darken(&town, RECURSION, &[0]);
    assert_eq!(town.phase(RECURSION, 0), Some(Phase::DarkRequested));
}
