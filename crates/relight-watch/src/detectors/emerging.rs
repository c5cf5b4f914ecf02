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
use super::places::{Begins, Places};
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

/// One knock at a door: door, second, organisation, source, and whether its place was listened to
/// for long enough to say that nobody asked for it there.
type Knock = (u32, u32, u32, u64, bool);

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
        let begins = places.begins(pool);
        let mut alarms = Vec::new();
        for part in 0..1 << PART_BITS {
            let mut knocks = knocks(pool, places, &begins, part);
            knocks.sort_unstable();
            for of_door in knocks.chunk_by(|one, other| one.0 == other.0) {
                if let Some(onset) = onset(of_door) {
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
fn knocks(pool: &mut Pool, places: &Places, begins: &Begins, part: u32) -> Vec<Knock> {
    let is_of_part = |row: &&Row| {
        row.door() >> (28 - PART_BITS) == part && row.class().is_page() && row.counts()
    };
    let knock = |row: &Row| {
        let org = places.org(row.place()).map_or(u32::MAX, |org| org.0);
        (row.door(), row.first, org, row.source.0, is_seasoned(row, places, begins))
    };
    pool.weak.sorted().filter(is_of_part).map(knock).collect()
}

/// A place was listened to for long enough when a contact was made there, and not only once, long
/// before.
fn is_seasoned(row: &Row, places: &Places, begins: &Begins) -> bool {
    row.first >= begins.at(row.place()).saturating_add(HISTORY_S_MIN)
        && places.is_heard_before(row.place(), row.first / DAY, HISTORY_S_MIN / (7 * DAY))
}

/// The last time that a door began to be tried, in order of time.
fn onset(knocks: &[Knock]) -> Option<Onset> {
    let mut found = None;
    let mut last: Option<u32> = None;
    for (at, knock) in knocks.iter().enumerate() {
        let is_new = last.is_none_or(|last| knock.1 - last >= UNSEEN_S);
        last = Some(knock.1);
        if is_new {
            found = spread(&knocks[at..]).or(found);
        }
    }
    found
}

/// Whether enough of them come soon enough, at places whose logs are old enough.
fn spread(knocks: &[Knock]) -> Option<Onset> {
    let from = knocks[0].1;
    let (mut sources, mut organisations) = (BTreeSet::new(), BTreeSet::new());
    let mut decided = None;
    let soon = knocks.iter().take_while(|it| it.1 - from <= WITHIN_S);
    for (_, first, org, source, _) in soon.filter(|it| it.4) {
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
        since(0, (7, days * DAY, org, source, true))
    }

    /// At a place whose log began on a day.
    fn since(begins: u32, knock: Knock) -> Knock {
        (knock.0, knock.1, knock.2, knock.3, knock.1 >= begins * DAY + HISTORY_S_MIN)
    }

    #[test]
    fn three_strangers_at_three_organisations_within_three_days() {
        let onset = |knocks: &[Knock]| onset(knocks).map(|it| it.decided / DAY);
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

    /// Of a place whose log began last week nobody knows what was tried there before: it neither
    /// decides nor makes a door known.
    #[test]
    fn places_that_joined_lately_decide_nothing() {
        let old = [at(100, 1, 1), at(101, 2, 2), at(102, 3, 3)];
        let with = |begins: u32| [old[0], old[1], since(begins, old[2])];
        assert!(onset(&with(74)).is_some() && onset(&with(75)).is_none());
        let joined = old.map(|knock| since(90, knock));
        assert_eq!(onset(&joined), None, "three strangers at three places of ten days");
        let first = [since(99, at(100, 9, 9)), at(101, 1, 1), at(101, 2, 2), at(102, 3, 3)];
        assert_eq!(onset(&first).map(|it| it.decided / DAY), Some(102), "it began there");
    }

    /// A door that is new at three organisations of which one has a log of a week, and one line of
    /// a wrong clock a year before.
    #[test]
    fn a_line_of_a_wrong_clock_makes_no_log_old() {
        use crate::contact::{Class, Facts};
        use crate::pool::{Print, SourceKey};
        use relight_model::{OrgId, SiteId};
        let site = |number: u32| (SiteId(number), OrgId(number), "");
        let facts = Facts {
            first: (i64::from(500 * DAY), 404, String::new(), Print::default()),
            last: i64::from(500 * DAY),
            in_site: false,
            served: false,
        };
        let mut pool = Pool::new(64);
        for number in 1..=3_u32 {
            let (site, org, _) = site(number);
            let source = SourceKey::of(std::net::IpAddr::from([192, 0, 2, number as u8]));
            let at = (org, Some(site));
            pool.insert(Row::new(source, Class::NotFoundCold, 1 << 40, at, &facts));
        }
        let mut decided = |days: Vec<i64>| {
            let of_others = (400..500).flat_map(|day| [1, 2].map(|site| (day, SiteId(site))));
            let heard = of_others.chain(days.into_iter().map(|day| (day, SiteId(3))));
            let places = Places::new((1..=3).map(site)).heard(heard);
            !Emerging.alarms(&mut pool, &places).is_empty()
        };
        assert!(decided((450..500).collect()), "known for long");
        assert!(!decided((493..500).collect()), "known for a week");
        assert!(!decided([100].into_iter().chain(493..500).collect()), "and for one line");
    }

    #[test]
    fn three_are_enough_and_two_would_not_be() {
        assert!(3.0 * NEW_DOOR >= threshold() && 2.0 * NEW_DOOR < threshold());
    }
}
