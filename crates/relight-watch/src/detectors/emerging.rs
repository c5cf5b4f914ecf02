//! A door that many begin to try and that nobody tried before: the first sign of a search for
//! something that has no name yet.
//!
//! A page that is nowhere is asked for by mistake, but not by three strangers at three
//! organisations within three days, when nobody asked for it in ninety. Doors of the catalogue are
//! known, and are left to other detectors. Whoever tries the same new door has nothing else in
//! common, so it joins no campaign; and it is reconnaissance, however new.

use std::collections::BTreeSet;

use relight_model::Severity;

use super::Detector;
use super::alarm::{Alarm, Knocks, What, name_members, strongest};
use super::places::Places;
use crate::chance::real;
use crate::pool::{Pool, Row};

pub(super) const PLUGIN: Emerging = Emerging;

/// False ones in a quarter, in the whole pool.
const FALSE_A_QUARTER: f64 = 0.1;

/// Paths that nobody asked for before, in a quarter: each is one test.
const DOORS_A_QUARTER: f64 = 1e6;

/// That a stranger at another organisation misses just this path by mistake (1e-3).
const NEW_DOOR: f64 = 6.8;

const DAY: u32 = 86_400;

/// For how long nobody may have tried it, in seconds. Where logs are younger, since they begin,
/// if that is long enough.
const UNSEEN_S: u32 = 90 * DAY;
const HISTORY_S_MIN: u32 = 28 * DAY;

/// Within how long sources and organisations must meet, in seconds.
const WITHIN_S: u32 = 3 * DAY;

/// Fewest sources, and fewest organisations.
const SOURCES_MIN: usize = 3;
const ORGANISATIONS_MIN: usize = 3;

/// Doors are looked at in parts, so that memory stays small: a part of a full table is 5 MB.
const PART_BITS: u32 = 4;

/// See the head of the file.
pub(super) struct Emerging;

/// One knock at a door: door, second, organisation, source.
type Knock = (u32, u32, u32, u64);

/// When a door began to be tried, when that was certain, and by how many organisations.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Onset {
    from: u32,
    decided: u32,
    organisations: usize,
}

impl Detector for Emerging {
    fn name(&self) -> &'static str {
        "emerging"
    }

    fn alarms(&self, pool: &mut Pool, places: &Places) -> Vec<Alarm> {
        let first = |rows: &mut dyn Iterator<Item = &Row>| rows.map(|row| row.first).min();
        let begins = [first(&mut pool.strong.sorted()), first(&mut pool.weak.sorted())];
        let Some(begins) = begins.into_iter().flatten().min() else { return Vec::new() };
        let mut alarms = Vec::new();
        for part in 0..1 << PART_BITS {
            let mut knocks = knocks(pool, places, part);
            knocks.sort_unstable();
            for of_door in knocks.chunk_by(|one, other| one.0 == other.0) {
                if let Some(onset) = onset(of_door, begins) {
                    alarms.push(alarm(of_door[0].0, onset));
                }
            }
        }
        strongest(&mut alarms);
        name_members(pool, places, &mut alarms);
        alarms
    }
}

/// `ln(1/α)`, about 16.1.
fn threshold() -> f64 {
    (DOORS_A_QUARTER / FALSE_A_QUARTER).ln()
}

fn alarm(door: u32, onset: Onset) -> Alarm {
    let Onset { from, decided, organisations } = onset;
    let class = crate::contact::Class::NotFoundCold;
    let knocks = Knocks { class, door: Some(door), from, until: u32::MAX, sector: None };
    Alarm {
        detector: PLUGIN.name(),
        class: "new-door",
        severity: Severity::Reconnaissance,
        what: What::Door(knocks),
        decided,
        likelihood: NEW_DOOR * real(organisations),
        threshold: threshold(),
        members: Vec::new(),
    }
}

/// What strangers asked for and did not get, of one part of all doors.
fn knocks(pool: &mut Pool, places: &Places, part: u32) -> Vec<Knock> {
    let is_of_part = |row: &&Row| row.door() >> (28 - PART_BITS) == part && row.counts();
    let knock = |row: &Row| {
        let org = places.org(row.place()).map_or(u32::MAX, |org| org.0);
        (row.door(), row.first, org, row.source.0)
    };
    pool.weak.sorted().filter(is_of_part).map(knock).collect()
}

/// The last time that a door began to be tried, in order of time.
fn onset(knocks: &[Knock], begins: u32) -> Option<Onset> {
    let mut found = None;
    let mut last: Option<u32> = None;
    for (at, (_, first, _, _)) in knocks.iter().enumerate() {
        let is_new = match last {
            Some(last) => first - last >= UNSEEN_S,
            None => first - begins >= HISTORY_S_MIN,
        };
        last = Some(*first);
        if is_new {
            found = spread(&knocks[at..]).or(found);
        }
    }
    found
}

/// Whether enough of them come soon enough.
fn spread(knocks: &[Knock]) -> Option<Onset> {
    let from = knocks[0].1;
    let (mut sources, mut organisations) = (BTreeSet::new(), BTreeSet::new());
    let mut decided = None;
    for (_, first, org, source) in knocks.iter().take_while(|it| it.1 - from <= WITHIN_S) {
        sources.insert(source);
        organisations.insert(org);
        if sources.len() >= SOURCES_MIN && organisations.len() >= ORGANISATIONS_MIN {
            decided = decided.or(Some(*first));
        }
    }
    // A stranger counts once, at one organisation.
    let organisations = organisations.len().min(sources.len());
    decided.map(|decided| Onset { from, decided, organisations })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(days: u32, org: u32, source: u64) -> Knock {
        (7, days * DAY, org, source)
    }

    #[test]
    fn three_strangers_at_three_organisations_within_three_days() {
        let onset = |knocks: &[Knock]| onset(knocks, 0).map(|it| it.decided / DAY);
        assert_eq!(onset(&[at(100, 1, 1), at(101, 2, 2), at(103, 3, 3)]), Some(103));
        assert_eq!(onset(&[at(100, 1, 1), at(101, 2, 2), at(104, 3, 3)]), None, "too slow");
        assert_eq!(onset(&[at(100, 1, 1), at(100, 2, 2), at(100, 2, 3)]), None, "two places");
        assert_eq!(onset(&[at(100, 1, 1), at(100, 2, 1), at(100, 3, 2)]), None, "two strangers");
        assert_eq!(onset(&[at(27, 1, 1), at(27, 2, 2), at(27, 3, 3)]), None, "logs too young");
        assert_eq!(onset(&[at(28, 1, 1), at(28, 2, 2), at(28, 3, 3)]), Some(28));
        let before = [at(11, 9, 9), at(100, 1, 1), at(100, 2, 2), at(100, 3, 3)];
        assert_eq!(onset(&before), None, "somebody tried it 89 days before");
        let again = [at(10, 9, 9), at(100, 1, 1), at(100, 2, 2), at(100, 3, 3)];
        assert_eq!(onset(&again), Some(100), "forgotten for 90 days");
    }

    #[test]
    fn three_are_enough_and_two_would_not_be() {
        assert!(3.0 * NEW_DOOR >= threshold() && 2.0 * NEW_DOOR < threshold());
    }
}
