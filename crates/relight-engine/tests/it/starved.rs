//! What is clear comes back whatever fails meanwhile: what other incidents hold, and edges that are
//! dead, take nobody's place (INCIDENT 4, 5, I8).

use relight_engine::incident::{Entry, PartName, PartSeen, Phase};
use relight_engine::store::SiteRow;
use relight_engine::waves::{AUTO_FIRST_MAX, AUTO_VAIN_MAX, Herds};
use relight_model::{Criticality, Digest, Epoch, GateKey, Light, SitePart};

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
    town.incident(RECURSION);
    let (plan, reason) = (Digest::default(), "as a precaution".to_owned());
    say(&town, RECURSION, Entry::DarkOrdered { plan, sites: keys(0..MANY), reason });
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
    town.incident(RECURSION);
    let (plan, reason) = (Digest::default(), "as a precaution".to_owned());
    say(&town, RECURSION, Entry::DarkOrdered { plan, sites: keys(0..AUTO_FIRST_MAX), reason });
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
    say(&town, LOG4SHELL, Entry::RelightStopped { sites, why: "unreachable".into() });
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
