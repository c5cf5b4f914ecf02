//! A surge: far more sources than usual try a door of the catalogue, or payloads, in an hour.
//!
//! Distinct sources are counted, not requests: one broken client is no surge. The measure is the
//! same hour of the week and of the day in the four weeks before, and hours may differ by chance as
//! a negative binomial does. What is told is one surge with its beginning and its end, of all sites
//! or of one sector; who is in it has nothing else in common, so it joins no campaign.

use std::collections::{BTreeMap, HashMap};

use relight_model::Severity;

use super::Detector;
use super::alarm::{Alarm, Knocks, What, name_members, strongest};
use super::places::{Begins, Places, Sector};
use crate::chance::{real, surge_tail};
use crate::contact::Class;
use crate::pool::{Pool, Row};

pub(super) const PLUGIN: Spike = Spike;

/// Doors and classes, each in all and by sector, that are tested: the busiest ones.
pub const SPIKE_KEYS_MAX: usize = 1_024;

/// False surges in a quarter, in the whole pool.
const FALSE_A_QUARTER: f64 = 0.1;

/// Each key in each hour of a quarter is one test.
#[expect(clippy::cast_precision_loss, reason = "a small number")]
const TESTS_A_QUARTER: f64 = SPIKE_KEYS_MAX as f64 * 91.0 * 24.0;

/// Weeks before that are the measure; without them there is none.
const WEEKS: u32 = 4;

const HOUR: u32 = 3_600;
const WEEK_HOURS: u32 = 7 * 24;

/// Sources an hour that are usual where next to nobody comes.
const USUAL_MIN: f64 = 0.5;

/// Fewest sources of a surge in its best hour.
const SOURCES_MIN: u32 = 12;

/// Fewest organisations; or it is one site, and this many times what is usual there.
const ORGANISATIONS_MIN: usize = 3;
const ONE_SITE_TIMES: f64 = 16.0;

/// Hours without a surge that are still the same one.
const PAUSE_HOURS_MAX: u32 = 6;

/// Rows that are looked at together: 64 MB.
const BATCH_ROWS_MAX: u32 = 1 << 22;

/// A class or a door, in all or in one sector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Key {
    class: Class,
    door: Option<u32>,
    sector: Option<Sector>,
}

/// See the head of the file.
pub(super) struct Spike;

/// Distinct sources of an hour.
#[derive(Clone, Copy, Debug, Default)]
struct Sources {
    /// Anywhere: what is usual.
    all: u32,
    /// At places that were listened to for [`WEEKS`]: who joins brings what is usual there.
    measured: u32,
}

/// A stretch of hours that are far above what is usual.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Surge {
    start: u32,
    peak: u32,
    end: u32,
    sources: u32,
    usual: f64,
    likelihood: f64,
}

impl Detector for Spike {
    fn name(&self) -> &'static str {
        "spike"
    }

    fn alarms(&self, pool: &mut Pool, places: &Places) -> Vec<Alarm> {
        let mut found = surges(pool, places);
        let mut alarms: Vec<Alarm> = found.iter().map(|(key, it)| alarm(*key, it)).collect();
        let reaches = name_members(pool, places, &mut alarms);
        let mut reaches = reaches.iter().zip(&found).map(|(reach, (_, surge))| {
            let times = f64::from(surge.sources) / surge.usual;
            reach.organisations.len() >= ORGANISATIONS_MIN
                || reach.sites.len() == 1 && times >= ONE_SITE_TIMES
        });
        alarms.retain(|_| reaches.next().unwrap_or(false));
        found.clear();
        without_parts(&mut alarms);
        strongest(&mut alarms);
        alarms
    }
}

/// `ln(1/α)`, about 16.9.
fn threshold() -> f64 {
    (TESTS_A_QUARTER / FALSE_A_QUARTER).ln()
}

fn alarm(key: Key, surge: &Surge) -> Alarm {
    let is_payload = matches!(key.class, Class::Exploit | Class::Flaw);
    let knocks = Knocks {
        class: key.class,
        door: key.door,
        from: surge.start * HOUR,
        until: (surge.end + 1) * HOUR,
        sector: key.sector,
    };
    Alarm {
        detector: PLUGIN.name(),
        class: "surge",
        // A payload that would have worked is an attempt; everything else only looks around.
        severity: if is_payload { Severity::ExploitAttempt } else { Severity::Reconnaissance },
        what: What::Door(knocks),
        decided: (surge.start + 1) * HOUR - 1,
        likelihood: surge.likelihood,
        threshold: threshold(),
        members: Vec::new(),
    }
}

/// A surge of one sector that is also one of all sites is told once.
fn without_parts(alarms: &mut Vec<Alarm>) {
    let door = |alarm: &Alarm| match alarm.what {
        What::Door(knocks) => Some(knocks),
        What::Client { .. } => None,
    };
    let whole: Vec<Knocks> =
        alarms.iter().filter_map(door).filter(|it| it.sector.is_none()).collect();
    alarms.retain(|alarm| {
        let Some(part) = door(alarm).filter(|it| it.sector.is_some()) else { return true };
        let covers = |all: &Knocks| {
            let is_same = (all.class, all.door) == (part.class, part.door);
            is_same && all.from < part.until && part.from < all.until
        };
        !whole.iter().any(covers)
    });
}

/// What a row counts for: a payload for its class, a door of the catalogue for itself.
fn keys(row: &Row, places: &Places) -> impl Iterator<Item = Key> {
    let class = row.class();
    let door = class.is_door().then(|| row.door());
    let sector = places.sector(row.place());
    let of = move |sector| Key { class, door, sector };
    std::iter::once(of(None)).chain(sector.map(|sector| of(Some(sector))))
}

/// Every surge of every key.
fn surges(pool: &mut Pool, places: &Places) -> Vec<(Key, Surge)> {
    let mut totals: HashMap<Key, u32> = HashMap::new();
    let begins = places.begins(pool);
    for row in pool.strong.sorted().filter(|row| row.counts()) {
        keys(row, places).for_each(|key| *totals.entry(key).or_default() += 1);
    }
    let mut kept: Vec<(Key, u32)> =
        totals.into_iter().filter(|(_, count)| *count >= SOURCES_MIN).collect();
    kept.sort_unstable_by_key(|(key, count)| (std::cmp::Reverse(*count), *key));
    kept.truncate(SPIKE_KEYS_MAX);
    let mut found = Vec::new();
    let (mut batch, mut waiting) = (Vec::new(), 0);
    for (key, count) in kept {
        batch.push(key);
        waiting += count;
        if waiting > BATCH_ROWS_MAX {
            look(pool, places, &std::mem::take(&mut batch), &begins, &mut found);
            waiting = 0;
        }
    }
    look(pool, places, &batch, &begins, &mut found);
    found
}

/// Looks at the keys of one batch.
fn look(
    pool: &mut Pool,
    places: &Places,
    batch: &[Key],
    begins: &Begins,
    found: &mut Vec<(Key, Surge)>,
) {
    let numbers: HashMap<Key, u32> = batch.iter().copied().zip(0..).collect();
    // Of a source that is at both kinds of places in an hour, the measured one comes first.
    let mut knocks: Vec<(u32, u32, u64, bool)> = Vec::new();
    for row in pool.strong.sorted().filter(|row| row.counts()) {
        let hour = row.first / HOUR;
        let known_from = (begins.at(row.place()) / HOUR).saturating_add(WEEKS * WEEK_HOURS);
        let is_young = hour < known_from || !places.is_heard_before(row.place(), hour / 24, WEEKS);
        let known = keys(row, places).filter_map(|key| numbers.get(&key).copied());
        knocks.extend(known.map(|number| (number, hour, row.source.0, is_young)));
    }
    knocks.sort_unstable();
    knocks.dedup_by_key(|(number, hour, source, _)| (*number, *hour, *source));
    for of_key in knocks.chunk_by(|one, other| one.0 == other.0) {
        let mut hours: BTreeMap<u32, Sources> = BTreeMap::new();
        for (_, hour, _, is_young) in of_key {
            let sources = hours.entry(*hour).or_default();
            sources.all += 1;
            sources.measured += u32::from(!is_young);
        }
        let key = batch[of_key[0].0 as usize];
        found.extend(above(&hours).into_iter().map(|surge| (key, surge)));
    }
}

/// The surges of a series of distinct sources an hour.
fn above(hours: &BTreeMap<u32, Sources>) -> Vec<Surge> {
    let mut surges: Vec<Surge> = Vec::new();
    let measured = hours.iter().map(|(hour, sources)| (*hour, sources.measured));
    for (hour, sources) in measured.filter(|(_, sources)| *sources >= SOURCES_MIN) {
        let usual = usual(hours, hour);
        let likelihood = -surge_tail(usual, sources);
        if f64::from(sources) <= usual || likelihood < threshold() {
            continue;
        }
        let here = Surge { start: hour, peak: hour, end: hour, sources, usual, likelihood };
        match surges.last_mut() {
            Some(last) if hour <= last.end + PAUSE_HOURS_MAX => {
                let start = last.start;
                if here.likelihood > last.likelihood {
                    *last = here;
                }
                (last.start, last.end) = (start, hour);
            }
            _ => surges.push(here),
        }
    }
    surges
}

/// The median of the same hour of the week in the weeks before, or the mean of that hour of all
/// days, its busiest left out, if that is more: four numbers alone are often all small.
fn usual(hours: &BTreeMap<u32, Sources>, hour: u32) -> f64 {
    let before = |gap: u32| hours.get(&hour.saturating_sub(gap)).map_or(0, |it| it.all);
    let sorted = |step: u32| {
        let mut counts: Vec<u32> =
            (1..=WEEKS * WEEK_HOURS / step).map(|number| before(number * step)).collect();
        counts.sort_unstable();
        counts
    };
    let weeks = sorted(WEEK_HOURS);
    let median = real((weeks[1] + weeks[2]) as usize) / 2.0;
    let days = sorted(24);
    let rest = &days[..days.len() - 1];
    let mean = real(rest.iter().sum::<u32>() as usize) / real(rest.len());
    median.max(mean).max(USUAL_MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(days: u32, each: impl Fn(u32) -> u32) -> BTreeMap<u32, Sources> {
        let hours = (0..days * 24).map(|hour| (hour, of(hour, each(hour))));
        hours.filter(|(_, sources)| sources.all > 0).collect()
    }

    /// At places that are listened to since the first hour.
    fn of(hour: u32, all: u32) -> Sources {
        Sources { all, measured: if hour >= WEEKS * WEEK_HOURS { all } else { 0 } }
    }

    #[test]
    fn a_burst_is_one_surge_with_its_beginning_peak_and_end() {
        let burst = |hour: u32| match hour {
            900 => 60,
            901 => 400,
            902..=904 => 80,
            _ => 3,
        };
        let found = above(&series(60, burst));
        let [surge] = found[..] else { panic!("{found:?}") };
        assert_eq!((surge.start, surge.peak, surge.end), (900, 901, 904));
        assert_eq!((surge.sources, surge.usual), (400, 3.0));
    }

    #[test]
    fn what_comes_every_week_or_grows_slowly_is_none() {
        // Mondays at nine, always.
        assert_eq!(above(&series(90, |hour| if hour % 168 == 9 { 90 } else { 2 })), []);
        // Ten per cent more a week.
        assert_eq!(above(&series(90, |hour| 20 + hour / 84)), []);
        // Nobody knows what is usual before four weeks are there.
        assert_eq!(above(&series(27, |hour| if hour == 600 { 500 } else { 2 })), []);
        // Few sources are no surge, however rare they are.
        assert_eq!(above(&series(60, |hour| if hour == 900 { SOURCES_MIN - 1 } else { 0 })), []);
    }

    /// Sixty organisations join on one day, each with what is usual there: no surge, neither then
    /// nor four weeks later; and who was there before is measured on.
    #[test]
    fn who_joins_brings_no_surge() {
        let joined = |hour: u32| {
            let (old, new) = (3, if hour >= 900 { 60 } else { 0 });
            let is_measured = hour >= 900 + WEEKS * WEEK_HOURS;
            Sources { all: old + new, measured: old + if is_measured { new } else { 0 } }
        };
        let mut hours: BTreeMap<u32, Sources> =
            (WEEKS * WEEK_HOURS..2_400).map(|hour| (hour, joined(hour))).collect();
        assert_eq!(above(&hours), []);
        hours.insert(899, Sources { all: 400, measured: 400 });
        assert_eq!(above(&hours).len(), 1, "before they joined");
    }

    #[test]
    fn a_pause_of_a_few_hours_does_not_cut_a_surge() {
        let twice = |gap: u32| {
            let burst = move |hour: u32| if hour == 900 || hour == 900 + gap { 90 } else { 1 };
            above(&series(60, burst)).len()
        };
        assert_eq!((twice(PAUSE_HOURS_MAX), twice(PAUSE_HOURS_MAX + 1)), (1, 2));
    }

    /// Goal: the budget of false surges holds. Method: 256 series of a quarter whose hours differ
    /// as a negative binomial does, one seed; 0.03 surges are expected of them.
    #[test]
    fn chance_alone_makes_no_surge() {
        let mut rng = testkit::Rng::new(20_211_210);
        for key in 0..SPIKE_KEYS_MAX / 4 {
            let mean = [0.2, 2.0, 20.0, 70.0][key % 4];
            let hours = (0..91 * 24).map(|hour| (hour, of(hour, overdispersed(&mut rng, mean))));
            let found = above(&hours.collect());
            assert_eq!(found, [], "{mean}");
        }
    }

    /// A negative binomial of four successes: the failures before each of them.
    fn overdispersed(rng: &mut testkit::Rng, mean: f64) -> u32 {
        let fail = mean / (mean + 4.0);
        let mut unit = || (rng.next() >> 11) as f64 / (1_u64 << 53) as f64;
        (0..4).map(|_| ((1.0 - unit()).ln() / fail.ln()) as u32).sum()
    }
}
