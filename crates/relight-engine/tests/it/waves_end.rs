//! A relight that was let go comes to its end, also when who went on with it is gone.

use std::thread;
use std::time::{Duration, Instant};

use relight_engine::Engine;
use relight_engine::access::{Role, Scope};
use relight_engine::incident::{Ended, Entry, Ledger, Phase};
use relight_engine::plan::{Action, PLAN_AGE_MAX_S};
use relight_model::{Epoch, GateKey, Light};

use crate::acts::{chief, person, plan, table, town};
use crate::edge::key;
use crate::engine::{LOG4SHELL, Town, log4j, name, open, pass};

/// What is told of sites that did not come back.
pub(crate) fn not_back(sites: Vec<GateKey>) -> Entry {
    Entry::RelightStopped { sites, why: "not-proven".into(), unseen: false }
}

/// How long somebody may take to see a site.
const WAIT_MAX: Duration = Duration::from_secs(60);

const SITES: [usize; 3] = [0, 1, 2];

fn seen(engine: &Engine, site: usize, light: Light) {
    let (sites, edge) = (vec![key(&name(site))], "east".to_owned());
    let entry = Entry::Proved { sites, light, edge, epoch: Epoch::default() };
    engine.record("edge", LOG4SHELL, entry).unwrap();
}

/// Three sites that are clear and came back in vain once, and a plan of two people for them of
/// which the canary was opened when the server ended. Gives the number of the plan.
fn cut_off() -> (Town, u32) {
    let town = town(3);
    town.darken(&SITES);
    for site in SITES {
        seen(&town.engine, site, Light::Dark);
    }
    pass(60);
    for site in SITES {
        town.ingest(site, log4j("2.17.1"));
    }
    let keys = SITES.map(|site| key(&name(site)));
    assert_eq!(town.engine.relight("relight", LOG4SHELL, &keys).unwrap(), 3);
    let stopped = not_back(keys.to_vec());
    town.engine.record("edge", LOG4SHELL, stopped).unwrap();
    for site in SITES {
        seen(&town.engine, site, Light::Dark);
    }
    assert_eq!(town.engine.relight_ready().unwrap(), 0, "nothing comes back by itself any more");
    let (anna, zoe) = (chief("anna"), person("zoe", Role::Approver, &Scope::root()));
    let relight = plan(&town, &anna, Action::Relight, &SITES);
    assert_eq!(relight.sites.len(), 3, "{:?}", relight.skipped);
    let number = town.engine.propose(&table(), &anna, &relight).unwrap().number;
    let hash = relight.hash().unwrap();
    assert!(town.engine.approve(&table(), &zoe, number, hash, None).unwrap().started);
    town.engine.relight("zoe", LOG4SHELL, &keys[..1]).unwrap();
    let Town { engine, folder } = town;
    let store = engine.store().clone();
    drop(engine);
    (Town { engine: open(&store, "second").unwrap(), folder }, number)
}

/// Its canary does not come back, so the plan leaves the others dark: before, what relight opens by
/// itself went on with them the second after. While the plan is under way nothing else opens them.
#[test]
fn what_a_plan_left_dark_waits_for_a_person() {
    let town = town(8);
    let sites: Vec<usize> = (0..8).collect();
    town.darken(&sites);
    pass(60);
    sites.iter().for_each(|site| town.ingest(*site, log4j("2.17.1")));
    let (anna, zoe) = (chief("anna"), person("zoe", Role::Approver, &Scope::root()));
    let relight = plan(&town, &anna, Action::Relight, &sites[..6]);
    let number = town.engine.propose(&table(), &anna, &relight).unwrap().number;
    let hash = relight.hash().unwrap();
    assert!(town.engine.approve(&table(), &zoe, number, hash, None).unwrap().started);
    assert_eq!(town.engine.relight_ready().unwrap(), 2, "those that the plan is not about");
    let in_phase = |phase: Phase| {
        let keys = relight.keys().into_iter();
        let keys = keys.filter(|site| town.engine.phase(LOG4SHELL, site) == Some(phase));
        keys.collect::<Vec<_>>()
    };
    let rollout = thread::scope(|scope| {
        // The edge does not show the canary.
        scope.spawn(|| {
            pass(60);
            let deadline = Instant::now() + WAIT_MAX;
            while in_phase(Phase::Relighting).is_empty() && Instant::now() < deadline {
                let version = town.engine.version();
                town.engine.wait_changed(version, Duration::from_millis(50));
            }
            let (sites, why) = (in_phase(Phase::Relighting), "not-proven".to_owned());
            town.engine
                .record("edge", LOG4SHELL, Entry::RelightStopped { sites, why, unseen: false })
                .unwrap();
        });
        town.engine.relight_by_waves("zoe", &relight).unwrap()
    });
    assert_eq!((rollout.open.len(), rollout.left.len()), (1, 5));
    assert_eq!(town.engine.relight_ready().unwrap(), 0);
    let (ledger, _) = relight_engine::replay(town.engine.store()).unwrap();
    assert_eq!(ledger, town.ledger(), "the journal says so alone");
    assert_eq!(ledger.incident(LOG4SHELL).unwrap().left().count(), 5);
    // An inventory that says the same again is no decision.
    town.ingest(5, log4j("2.17.1"));
    assert_eq!(town.engine.relight_ready().unwrap(), 0);
    assert_eq!(town.engine.relight("zoe", LOG4SHELL, &rollout.left).unwrap(), 5);
    assert_eq!(town.ledger().incident(LOG4SHELL).unwrap().left().count(), 0);
}

fn phases(town: &Town) -> [Option<Phase>; 3] {
    SITES.map(|site| town.phase(LOG4SHELL, site))
}

fn ended(town: &Town, number: u32) -> Option<Ended> {
    town.engine.with_ledger(|ledger| ledger.actions().get(number).unwrap().ended)
}

/// Before, the waves were a task of the process: all but the canary stayed dark for good, although
/// two people had agreed, and nothing said so.
#[test]
fn a_relight_that_a_restart_cut_off_goes_on_to_its_end() {
    let (town, number) = cut_off();
    let unfinished = town.engine.unfinished();
    assert_eq!(unfinished.iter().map(|action| action.number).collect::<Vec<_>>(), [number]);
    let rollout = thread::scope(|scope| {
        // Whoever drives the edges sees what was opened.
        scope.spawn(|| {
            pass(60);
            let deadline = Instant::now() + WAIT_MAX;
            while ended(&town, number).is_none() && Instant::now() < deadline {
                let version = town.engine.version();
                for (site, phase) in phases(&town).into_iter().enumerate() {
                    if phase == Some(Phase::Relighting) {
                        // The first was opened before; the others are by the waves of here.
                        let is_carried = site == 0 || town.engine.unfinished().is_empty();
                        assert!(is_carried, "one thread goes on with it");
                        seen(&town.engine, site, Light::Lit);
                    }
                }
                town.engine.wait_changed(version, Duration::from_millis(50));
            }
        });
        town.engine.go_on(&unfinished[0]).unwrap()
    });
    assert_eq!((rollout.open, rollout.left), (Vec::new(), Vec::new()));
    assert_eq!(phases(&town), [Some(Phase::RelitProven); 3]);
    assert_eq!(ended(&town, number), Some(Ended { failed: 0, left: 0, held: 0 }));
    assert!(town.engine.unfinished().is_empty(), "it is not gone on with twice");
    let last = town.engine.store().journal(1).unwrap().pop().unwrap();
    assert_eq!((last.kind.as_str(), last.actor.as_str()), ("plan-ended", "zoe"));
    let (ledger, _) = relight_engine::replay(town.engine.store()).unwrap();
    assert_eq!(ledger, town.ledger(), "the journal says so alone");
}

/// What two people agreed to a while ago opens nothing hours later: it ends, and says what waits.
#[test]
fn a_relight_that_was_cut_off_long_ago_is_called_over() {
    let (town, number) = cut_off();
    pass(PLAN_AGE_MAX_S);
    let unfinished = town.engine.unfinished();
    let rollout = town.engine.go_on(&unfinished[0]).unwrap();
    assert_eq!(rollout.left, [key(&name(1)), key(&name(2))]);
    assert_eq!(phases(&town)[1..], [Some(Phase::RelightEligible); 2]);
    assert_eq!(ended(&town, number), Some(Ended { failed: 0, left: 2, held: 0 }));
    assert!(town.engine.unfinished().is_empty());
}

/// Its sites are back, and somebody closes the incident before the last wave is called over: the
/// plan was "being carried out" for ever.
#[test]
fn a_relight_ends_also_when_its_incident_was_closed_meanwhile() {
    let (town, number) = cut_off();
    let unfinished = town.engine.unfinished();
    pass(60);
    town.engine.relight("zoe", LOG4SHELL, &[key(&name(1)), key(&name(2))]).unwrap();
    for site in SITES {
        seen(&town.engine, site, Light::Lit);
    }
    town.engine.record("anna", LOG4SHELL, Entry::Closed { current: true }).unwrap();
    pass(PLAN_AGE_MAX_S);
    assert!(town.engine.go_on(&unfinished[0]).unwrap().left.is_empty());
    assert_eq!(ended(&town, number), Some(Ended { failed: 0, left: 0, held: 0 }));
    let (ledger, _) = relight_engine::replay(town.engine.store()).unwrap();
    assert_eq!(ledger, town.ledger(), "the journal says so alone");
}

/// What was taken back has come to its end already.
#[test]
fn a_relight_that_was_taken_back_is_not_gone_on_with() {
    let (town, number) = cut_off();
    let unfinished = town.engine.unfinished();
    town.engine.take_back(&table(), &chief("anna"), number).unwrap();
    assert!(town.engine.unfinished().is_empty());
    let rollout = town.engine.go_on(&unfinished[0]).unwrap();
    assert_eq!((rollout.open, rollout.left), (Vec::new(), Vec::new()));
    assert_eq!(phases(&town)[1..], [Some(Phase::RelightEligible); 2]);
    assert_eq!(ended(&town, number), None);
    let left = |ledger: &Ledger| ledger.incident(LOG4SHELL).unwrap().left().count();
    assert_eq!(town.engine.with_ledger(left), 2, "it is a person who brings them back");
    // Also the one that was open already when it was taken back, whatever is found in it then.
    seen(&town.engine, 0, Light::Dark);
    pass(60);
    town.ingest(0, log4j("2.17.1"));
    assert_eq!(phases(&town), [Some(Phase::RelightEligible); 3]);
    assert_eq!(town.engine.relight_ready().unwrap(), 0);
    assert_eq!(town.engine.with_ledger(left), 3);
    let (ledger, _) = relight_engine::replay(town.engine.store()).unwrap();
    assert_eq!(ledger, town.ledger(), "the journal says so alone");
}
