//! What is clear comes back whatever fails meanwhile: what other incidents hold, and edges that are
//! dead, take nobody's place (INCIDENT 4, 5, I8).

use std::thread;
use std::time::{Duration, Instant};

use relight_engine::access::{Role, Scope};
use relight_engine::incident::{Ended, Entry, PartName, PartSeen, Phase};
use relight_engine::plan::{Action, Plan};
use relight_engine::rollout::Rollout;
use relight_engine::store::SiteRow;
use relight_engine::waves::{AUTO_FIRST_MAX, AUTO_VAIN_MAX, Herds};
use relight_model::{Criticality, Digest, Epoch, GateKey, Light, SitePart};

use crate::acts::{chief, person, plan, table};
use crate::edge::key;
use crate::engine::{LOG4SHELL, RECURSION, Town, log4j, name, row};

/// More sites than go on their way together at first.
const MANY: usize = 2 * AUTO_FIRST_MAX;

/// A register with the first sites vital and behind one edge, and the others behind another.
fn town(first: (usize, &str), others: (usize, &str)) -> Town {
    let rows = (0..first.0 + others.0).map(|number| {
        let is_first = number < first.0;
        let edge = if is_first { first.1 } else { others.1 }.to_owned();
        let criticality = if is_first { Criticality::Vital } else { Criticality::Essential };
        SiteRow { edge, criticality, ..row(number, &name(number)) }
    });
    let rows: Vec<SiteRow> = rows.collect();
    Town::of(tempfile::tempdir().unwrap(), &rows)
}

/// Every site is ordered dark, and clear.
fn clear(town: &Town, sites: usize) {
    town.incident(LOG4SHELL);
    town.darken(&(0..sites).collect::<Vec<_>>());
    (0..sites).for_each(|site| town.ingest(site, log4j("2.17.1")));
}

fn keys(sites: std::ops::Range<usize>) -> Vec<GateKey> {
    sites.map(|site| key(&name(site))).collect()
}

/// How many of the sites of a range are in this phase.
fn count(town: &Town, phase: Phase, sites: std::ops::Range<usize>) -> usize {
    sites.filter(|site| town.phase(LOG4SHELL, *site) == Some(phase)).count()
}

/// Another incident orders these dark.
fn hold(town: &Town, sites: std::ops::Range<usize>) {
    town.incident(RECURSION);
    let (plan, reason) = (Digest::default(), "as a precaution".to_owned());
    say(town, RECURSION, Entry::DarkOrdered { plan, sites: keys(sites), reason });
}

fn say(town: &Town, id: &str, entry: Entry) {
    town.engine.record("relight", id, entry).unwrap();
}

/// The edge shows whatever is on its way there.
fn show(town: &Town, edge: &str, sites: std::ops::Range<usize>) {
    let under_way = |site: &usize| town.phase(LOG4SHELL, *site) == Some(Phase::Relighting);
    let sites: Vec<GateKey> = sites.filter(under_way).map(|site| key(&name(site))).collect();
    let (light, edge, epoch) = (Light::Lit, edge.to_owned(), Epoch::default());
    say(town, LOG4SHELL, Entry::Proved { sites, light, edge, epoch });
}

/// Goal: what another incident holds dark keeps nobody waiting. Method: the vital sites are clear
/// in one incident and ordered dark in another; as many as go together, and more, are clear and in
/// the first one only.
#[test]
fn sites_that_another_incident_holds_take_nobodys_place() {
    let town = town((MANY, "east"), (MANY, "east"));
    clear(&town, 2 * MANY);
    hold(&town, 0..MANY);
    assert_eq!(town.engine.relight_ready().unwrap(), AUTO_FIRST_MAX);
    show(&town, "east", MANY..2 * MANY);
    assert_eq!(town.engine.relight_ready().unwrap(), MANY - AUTO_FIRST_MAX);
    assert_eq!(count(&town, Phase::RelightEligible, 0..MANY), MANY, "they are held");
}

/// Goal: the same of sites that are on their way in one incident, and that another one holds.
/// Method: the other one orders them dark once they were started.
#[test]
fn sites_that_are_held_on_their_way_take_nobodys_place() {
    let town = town((AUTO_FIRST_MAX, "east"), (MANY, "east"));
    clear(&town, AUTO_FIRST_MAX + MANY);
    assert_eq!(town.engine.relight_ready().unwrap(), AUTO_FIRST_MAX);
    assert_eq!(count(&town, Phase::Relighting, 0..AUTO_FIRST_MAX), AUTO_FIRST_MAX);
    assert_eq!(town.engine.relight_ready().unwrap(), 0, "they are on their way");
    hold(&town, 0..AUTO_FIRST_MAX);
    assert_eq!(town.engine.relight_ready().unwrap(), AUTO_FIRST_MAX);
}

/// Goal: a dead edge keeps nobody waiting behind another. Method: the vital sites stand behind one
/// that does not answer; they are on their way for as long as that may take, and then in vain.
#[test]
fn a_dead_edge_ends_the_return_behind_no_other() {
    let (dead, alive) = (0..MANY, MANY..2 * MANY);
    let town = town((MANY, "dead"), (MANY, "east"));
    clear(&town, 2 * MANY);
    assert_eq!(town.engine.relight_ready().unwrap(), 2 * AUTO_FIRST_MAX, "ten behind each");
    assert_eq!(count(&town, Phase::Relighting, dead.clone()), AUTO_FIRST_MAX);
    let sites = dead.clone().filter(|it| town.phase(LOG4SHELL, *it) == Some(Phase::Relighting));
    let sites: Vec<GateKey> = sites.map(|site| key(&name(site))).collect();
    assert!(sites.len() >= AUTO_VAIN_MAX);
    say(
        &town,
        LOG4SHELL,
        Entry::RelightStopped { sites, why: "unreachable".into(), unseen: false },
    );
    show(&town, "east", alive.clone());
    assert_eq!(town.engine.relight_ready().unwrap(), MANY - AUTO_FIRST_MAX);
    show(&town, "east", alive.clone());
    assert_eq!(count(&town, Phase::RelitProven, alive), MANY);
    assert_eq!(count(&town, Phase::RelightEligible, dead), MANY, "a person decides about these");
    let ledger = town.ledger();
    let edge_of = |site: &GateKey| if *site < key(&name(MANY)) { "dead" } else { "east" };
    let herds = Herds::of_sites(ledger.incident(LOG4SHELL).unwrap(), edge_of);
    assert_eq!((herds.is_stopped("dead"), herds.is_stopped("east")), (true, false));
    assert_eq!(herds.waiting(), MANY - AUTO_FIRST_MAX);
}

/// The same of parts of sites, which another incident may hold as well.
#[test]
fn parts_that_are_held_or_behind_a_dead_edge_take_nobodys_place() {
    let town = town((MANY, "dead"), (2 * MANY, "east"));
    town.incident(LOG4SHELL);
    let part_of = |site: usize| PartName { site: key(&name(site)), part: SitePart::Write };
    let close = |id: &str, sites: std::ops::Range<usize>| {
        let (plan, parts) = (Digest::default(), sites.map(part_of).collect());
        say(&town, id, Entry::PartsClosed { plan, parts, reason: "test".into() });
    };
    close(LOG4SHELL, 0..3 * MANY);
    (0..3 * MANY).for_each(|site| town.ingest(site, log4j("2.17.1")));
    // Of those behind the edge that answers, the first are closed in another incident as well.
    town.incident(RECURSION);
    close(RECURSION, MANY..2 * MANY);
    let opening = |sites: std::ops::Range<usize>| -> Vec<PartName> {
        let ledger = town.ledger();
        let incident = ledger.incident(LOG4SHELL).unwrap();
        let is_opening = |it: &PartName| incident.part(&it.key().unwrap()).unwrap().state();
        sites.map(part_of).filter(|it| is_opening(it) == "opening").collect()
    };
    for _ in 0..3 {
        town.engine.relight_ready().unwrap();
    }
    let dead = opening(0..MANY);
    assert_eq!(dead.len(), AUTO_FIRST_MAX);
    assert_eq!(opening(2 * MANY..3 * MANY).len(), AUTO_FIRST_MAX, "the held ones are passed by");
    let (edge, seen, why) = ("dead".to_owned(), PartSeen::Stopped, String::new());
    say(&town, LOG4SHELL, Entry::PartsSeen { parts: dead, edge, seen, why });
    let (edge, seen, why) = ("east".to_owned(), PartSeen::Open, String::new());
    let parts = opening(2 * MANY..3 * MANY);
    say(&town, LOG4SHELL, Entry::PartsSeen { parts, edge, seen, why });
    town.engine.relight_ready().unwrap();
    assert_eq!(opening(2 * MANY..3 * MANY).len(), MANY - AUTO_FIRST_MAX);
    assert_eq!(opening(0..MANY), [], "those wait for a person");
}

/// Longest wait of an edge of the tests for the end of a plan.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// A plan of two people that brings back the first sites, let go.
fn let_go(town: &Town, sites: usize) -> Plan {
    let (anna, zoe) = (chief("anna"), person("zoe", Role::Approver, &Scope::root()));
    let relight = plan(town, &anna, Action::Relight, &(0..sites).collect::<Vec<_>>());
    let number = town.engine.propose(&table(), &anna, &relight).unwrap().number;
    let hash = relight.hash().unwrap();
    assert!(town.engine.approve(&table(), &zoe, number, hash, None).unwrap().started);
    relight
}

/// Carries a plan out in front of an edge that shows what may be seen. `meanwhile` is told of those
/// that are on their way, before they are shown; what it holds is not.
fn carry_out(town: &Town, relight: &Plan, meanwhile: impl Fn(&[GateKey]) + Send) -> Rollout {
    let under_way = || -> Vec<GateKey> {
        let is_so = |site: &GateKey| {
            let phase = town.engine.phase(LOG4SHELL, site);
            let wants = town.engine.with_ledger(|ledger| ledger.wants(site));
            phase == Some(Phase::Relighting) && wants == Light::Lit
        };
        relight.keys().into_iter().filter(is_so).collect()
    };
    thread::scope(|scope| {
        scope.spawn(move || {
            let deadline = Instant::now() + WAIT_MAX;
            while ended(town).is_none() && Instant::now() < deadline {
                let version = town.engine.version();
                meanwhile(&under_way());
                let (sites, light, edge) = (under_way(), Light::Lit, "east".to_owned());
                if !sites.is_empty() {
                    let epoch = Epoch::default();
                    say(town, LOG4SHELL, Entry::Proved { sites, light, edge, epoch });
                }
                town.engine.wait_changed(version, Duration::from_millis(50));
            }
        });
        town.engine.relight_by_waves("zoe", relight).unwrap()
    })
}

/// How the only plan that was let go ended.
fn ended(town: &Town) -> Option<Ended> {
    town.engine.with_ledger(|ledger| ledger.actions().newest().find_map(|action| action.ended))
}

/// A register whose sites are ordered dark and clear.
fn all_clear(sites: usize) -> Town {
    let town = Town::new(sites);
    clear(&town, sites);
    town
}

/// Goal: a site that another incident holds stops no plan. Method: it sorts first, so that it would
/// be the canary; the plan leaves it out, names it, and brings back the others.
#[test]
fn a_plan_leaves_out_what_another_incident_holds() {
    let town = all_clear(MANY);
    hold(&town, 0..1);
    let relight = let_go(&town, MANY);
    let skipped = relight.skipped.iter().map(|it| (it.site.clone(), it.reason.as_str()));
    assert_eq!(skipped.collect::<Vec<_>>(), [(key(&name(0)), "held-elsewhere")]);
    assert_eq!(carry_out(&town, &relight, |_| {}), Rollout::default());
    assert_eq!(count(&town, Phase::RelitProven, 0..MANY), MANY - 1);
    assert_eq!(ended(&town), Some(Ended { failed: 0, left: 0, held: 0 }));
}

/// Goal: a hold that comes after the plan does not stop it, and what stands in the place of the
/// canary goes alone. Method: the two that sort first are ordered dark before the waves begin, and
/// the third while it is on its way.
#[test]
fn what_comes_to_be_held_before_its_wave_is_no_failure() {
    let town = all_clear(MANY);
    let relight = let_go(&town, MANY);
    hold(&town, 0..2);
    let rollout = carry_out(&town, &relight, |going| {
        if count(&town, Phase::RelitProven, 0..MANY) == 0 {
            assert!(going.len() <= 1, "it is the canary");
        }
        if going == keys(2..3) {
            hold(&town, 2..3);
        }
    });
    assert_eq!(rollout, Rollout { held: keys(0..3), ..Rollout::default() });
    assert_eq!(count(&town, Phase::RelitProven, 3..MANY), MANY - 3);
    assert_eq!(ended(&town), Some(Ended { failed: 0, left: 0, held: 3 }));
    let (ledger, _) = relight_engine::replay(town.engine.store()).unwrap();
    assert_eq!(ledger, town.ledger(), "the journal says so alone");
    // They come back without a person when nothing holds them any more.
    (0..3).for_each(|site| town.ingest(site, log4j("2.17.1")));
    town.engine.relight_ready().unwrap();
    town.engine.relight_ready().unwrap();
    assert_eq!(count(&town, Phase::Relighting, 0..3), 3);
}

/// The same of all sites of a plan: nothing is opened, nothing failed, and it is over.
#[test]
fn a_plan_of_which_all_is_held_ends_and_opens_nothing() {
    let town = all_clear(MANY);
    let relight = let_go(&town, MANY);
    hold(&town, 0..MANY);
    let rollout = town.engine.relight_by_waves("zoe", &relight).unwrap();
    assert_eq!(rollout, Rollout { held: keys(0..MANY), ..Rollout::default() });
    assert_eq!(count(&town, Phase::RelightEligible, 0..MANY), MANY);
    assert_eq!(ended(&town), Some(Ended { failed: 0, left: 0, held: MANY }));
    assert_eq!(town.engine.unfinished(), []);
    let none = plan(&town, &chief("anna"), Action::Relight, &[0, 1]);
    assert_eq!((none.sites.len(), none.skipped.len()), (0, 2));
}
