//! A door that is tried in one sector more than chance would, by strangers each of whom stays below
//! everything.
//!
//! Each source counts once, with the first place at which it tried the door, and each place once:
//! so neither one busy source nor one besieged site makes a sector. How many of the places are of a
//! sector is then a draw without return from all sites that were heard in that time, and its tail
//! is exact. A door that opened may be its owner's and is left out.

use std::collections::BTreeMap;

use relight_model::{OrgId, Severity};

use super::Detector;
use super::alarm::{Alarm, Knocks, What, name_members, strongest};
use super::places::{Places, Sector};
use crate::chance::{hypergeometric_tail, real};
use crate::contact::Class;
use crate::pool::{Pool, Row};

pub(super) const PLUGIN: Aim = Aim;

/// False ones in a quarter, in the whole pool.
const FALSE_A_QUARTER: f64 = 0.1;

/// Each door in each sector in each stretch of a quarter is one test.
const TESTS_A_QUARTER: f64 = 1_024.0 * 64.0 * 6.5;

/// Days that are looked at together, and after how many the next stretch begins.
const STRETCH_DAYS: u32 = 28;
const STEP_DAYS: u32 = 14;

const DAY: u32 = 86_400;

/// Fewest sites of the sector, and fewest organisations.
const SITES_MIN: usize = 5;
const ORGANISATIONS_MIN: usize = 3;

/// A door in a sector.
type Target = (u32, Sector);

/// See the head of the file.
pub(super) struct Aim;

/// A stretch of time in which a door was tried in a sector, and how sure that is.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Aimed {
    from: u32,
    until: u32,
    likelihood: f64,
}

impl Detector for Aim {
    fn name(&self) -> &'static str {
        "sector"
    }

    fn alarms(&self, pool: &mut Pool, places: &Places) -> Vec<Alarm> {
        let Some((first, last)) = pool_days(pool) else { return Vec::new() };
        let mut found: BTreeMap<Target, Vec<Aimed>> = BTreeMap::new();
        let mut from = first / STEP_DAYS * STEP_DAYS;
        while from <= last {
            look(pool, places, from, &mut found);
            from += STEP_DAYS;
        }
        let mut alarms: Vec<Alarm> = found
            .into_iter()
            .flat_map(|(target, all)| all.into_iter().map(move |aimed| alarm(target, &aimed)))
            .collect();
        strongest(&mut alarms);
        name_members(pool, places, &mut alarms);
        alarms
    }
}

/// `ln(1/α)`, about 15.3.
fn threshold() -> f64 {
    (TESTS_A_QUARTER / FALSE_A_QUARTER).ln()
}

fn alarm((door, sector): Target, aimed: &Aimed) -> Alarm {
    let knocks = Knocks {
        class: Class::Probe,
        door: Some(door),
        from: aimed.from,
        until: aimed.until,
        sector: Some(sector),
    };
    Alarm {
        detector: PLUGIN.name(),
        class: "sector",
        severity: Severity::TargetedReconnaissance,
        what: What::Door(knocks),
        decided: aimed.until - 1,
        likelihood: aimed.likelihood,
        threshold: threshold(),
        members: Vec::new(),
    }
}

/// First and last day of doors.
fn pool_days(pool: &mut Pool) -> Option<(u32, u32)> {
    let rows = pool.strong.sorted().filter(|row| is_knock(row)).map(|row| row.first / DAY);
    rows.fold(None, |span, day| {
        let (first, last) = span.unwrap_or((day, day));
        Some((first.min(day), last.max(day)))
    })
}

fn is_knock(row: &Row) -> bool {
    row.class().is_door() && row.counts() && !row.was_served()
}

/// Looks at one stretch of days.
fn look(pool: &mut Pool, places: &Places, from: u32, found: &mut BTreeMap<Target, Vec<Aimed>>) {
    let span = from..from + STRETCH_DAYS;
    let places = &*places.heard_in(span.clone());
    let in_span = pool
        .strong
        .sorted()
        .filter(|row| is_knock(row) && span.contains(&(row.first / DAY)))
        // What the log told no site of is no draw: nobody knows which it was.
        .filter(|row| places.is_site(row.place()));
    let mut knocks: Vec<(u32, u64, u32, u32)> =
        in_span.map(|row| (row.door(), row.source.0, row.first, row.place())).collect();
    knocks.sort_unstable();
    knocks.dedup_by_key(|(door, source, ..)| (*door, *source));
    for of_door in knocks.chunk_by(|one, other| one.0 == other.0) {
        let mut met: Vec<u32> = of_door.iter().map(|knock| knock.3).collect();
        met.sort_unstable();
        met.dedup();
        for (sector, likelihood) in aims(&met, places) {
            let aimed = Aimed { from: span.start * DAY, until: span.end * DAY, likelihood };
            join(found.entry((of_door[0].0, sector)).or_default(), aimed);
        }
    }
}

/// Stretches that touch are one.
fn join(all: &mut Vec<Aimed>, aimed: Aimed) {
    match all.last_mut() {
        Some(last) if aimed.from <= last.until => {
            last.until = aimed.until;
            last.likelihood = last.likelihood.max(aimed.likelihood);
        }
        _ => all.push(aimed),
    }
}

/// The sectors in which these places lie more often than chance would.
fn aims(met: &[u32], places: &Places) -> Vec<(Sector, f64)> {
    let mut hits: BTreeMap<Sector, Vec<OrgId>> = BTreeMap::new();
    for place in met {
        if let (Some(sector), Some(org)) = (places.sector(*place), places.org(*place)) {
            hits.entry(sector).or_default().push(org);
        }
    }
    let all = places.sites();
    let sure = |(sector, marked): (Sector, usize)| {
        let orgs = hits.get(&sector)?;
        let hit = orgs.len();
        let is_more = real(hit) * real(all) > real(marked) * real(met.len());
        let mut distinct = orgs.clone();
        distinct.sort_unstable();
        distinct.dedup();
        if hit < SITES_MIN || distinct.len() < ORGANISATIONS_MIN || !is_more {
            return None;
        }
        let tail = hypergeometric_tail(all, marked, met.len(), hit);
        let likelihood = -tail.max(f64::MIN_POSITIVE).ln();
        (likelihood >= threshold()).then_some((sector, likelihood))
    };
    places.sectors().filter_map(sure).collect()
}

#[cfg(test)]
mod tests {
    use relight_model::SiteId;

    use super::*;

    /// 400 sites of 40 organisations in eight sectors: site and organisation decide the sector.
    fn register() -> Places {
        let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
        let sites = (0..400).map(|site| {
            let org = site % 40;
            (SiteId(site), OrgId(org), names[org as usize % 8])
        });
        let sites: Vec<_> = sites.collect();
        Places::new(sites)
    }

    fn of_sector(sector: u32, count: u32) -> impl Iterator<Item = u32> {
        (0..400).filter(move |site| site % 40 % 8 == sector).take(count as usize)
    }

    #[test]
    fn a_sector_is_named_when_chance_does_not_explain_it() {
        let places = register();
        let alone: Vec<u32> = of_sector(2, 12).collect();
        assert_eq!(aims(&alone, &places).iter().map(|it| it.0).collect::<Vec<_>>(), [2]);
        let mut mixed: Vec<u32> = of_sector(2, 30).chain(of_sector(5, 8)).collect();
        mixed.sort_unstable();
        assert_eq!(aims(&mixed, &places).iter().map(|it| it.0).collect::<Vec<_>>(), [2]);
    }

    /// Goal: who sends no logs makes nobody an aim. Method: only the sites of one sector and a few
    /// others are heard, and a door is tried on all of them.
    #[test]
    fn sites_that_send_no_logs_make_no_aim() {
        let met: Vec<u32> = of_sector(2, 12).collect();
        let all = register();
        assert_eq!(aims(&met, &all).len(), 1, "nobody says which were heard");
        let heard = met.iter().map(|site| (3, SiteId(*site)));
        let all = all.heard(heard);
        assert_eq!(aims(&met, &all.heard_in(0..28)), [], "all that were heard were met");
    }

    #[test]
    fn one_organisation_few_sites_or_all_sites_are_no_sector() {
        let places = register();
        let one_org: Vec<u32> = (0..400).filter(|site| site % 40 == 2).collect();
        assert_eq!(aims(&one_org, &places), [], "an organisation is not a sector");
        let few: Vec<u32> = of_sector(2, 4).collect();
        assert_eq!(aims(&few, &places), []);
        let all: Vec<u32> = (0..400).collect();
        assert_eq!(aims(&all, &places), [], "everybody is met");
        let every_seventh: Vec<u32> = (0..400).step_by(7).collect();
        assert_eq!(aims(&every_seventh, &places), []);
    }

    /// Goal: the budget of false ones holds. Method: 20,000 draws of 5 to 200 sites by chance, one
    /// seed; of so many tests 0.005 false ones are expected.
    #[test]
    fn chance_alone_aims_at_nobody() {
        let (places, mut rng) = (register(), testkit::Rng::new(20_211_210));
        for _ in 0..20_000 {
            let drawn = 5 + rng.below(196);
            let mut met: Vec<u32> = (0..drawn).map(|_| rng.below(400) as u32).collect();
            met.sort_unstable();
            met.dedup();
            assert_eq!(aims(&met, &places), [], "{met:?}");
        }
    }

    #[test]
    fn stretches_that_touch_are_told_once() {
        let aimed = |day: u32, likelihood| Aimed {
            from: day * DAY,
            until: (day + STRETCH_DAYS) * DAY,
            likelihood,
        };
        let mut all = Vec::new();
        for (day, likelihood) in [(0, 16.0), (14, 30.0), (28, 17.0), (98, 18.0)] {
            join(&mut all, aimed(day, likelihood));
        }
        assert_eq!(all.len(), 2);
        assert_eq!((all[0].until, all[0].likelihood), (56 * DAY, 30.0));
    }
}
