//! Reconnaissance by many sources that look alike, each of which stays below everything.
//!
//! Whoever uses the same client (TLS fingerprint or user agent) is a group, if hardly anybody uses
//! it in an ordinary way: a client that people use cannot be told from them. Sources that explore
//! with a client are none of its users, so an actor cannot hide behind pages that it visits.
//! What counts is how many doors a group tries that it never tried before: broken programs under
//! ever new addresses repeat their doors, an explorer does not. Page's cumulative sum of the
//! log-likelihood against several times the background is the evidence.

use std::collections::{BTreeMap, HashMap, HashSet};

use relight_model::{Severity, Timestamp};

use super::alarm::{Alarm, What};
use super::places::Places;
use super::{Contact, Detector, RARE_USERS_MAX, SourceKey};
use crate::pool::{Count, Pool, Print, Row, pair};

pub(super) const PLUGIN: GroupSweep = GroupSweep;

/// See the head of the file.
pub(super) struct GroupSweep;

impl Detector for GroupSweep {
    fn name(&self) -> &'static str {
        "group_sweep"
    }

    fn alarms(&self, pool: &mut Pool, _: &Places) -> Vec<Alarm> {
        groups(pool).into_iter().map(Group::alarm).collect()
    }
}

/// Most fingerprints that are tested.
pub const GROUPS_MAX: usize = 20_000;

/// False campaigns that groups may cause in a quarter, in the whole pool.
const FALSE_CAMPAIGNS_A_QUARTER: f64 = 0.4;

/// Each fingerprint on each day of a quarter is one test.
#[expect(clippy::cast_precision_loss, reason = "a small number")]
const TESTS_A_QUARTER: f64 = GROUPS_MAX as f64 * 91.0;

/// New doors a day that any TLS client may try without being looked for.
const BACKGROUND: f64 = 0.3;

/// The same for a user agent: whoever likes copies one, so strangers share it.
const BACKGROUND_OF_AGENTS: f64 = 3.0;

/// How many times the background is supposed of an explorer; the best one counts.
const TIMES: [f64; 4] = [2.0, 4.0, 16.0, 64.0];

/// Fewest new doors of a group, and fewest sources.
const TARGETS_MIN: u32 = 6;
const SOURCES_MIN: usize = 2;

/// New doors of fingerprints that are looked at together: 24 MB.
const BATCH_TARGETS_MAX: u32 = 1 << 20;

const DAY: u32 = 86_400;

/// `ln(1/α)`, about 15.3.
pub fn group_threshold() -> f64 {
    (TESTS_A_QUARTER / FALSE_CAMPAIGNS_A_QUARTER).ln()
}

/// A fingerprint whose sources explore.
#[derive(Clone, Debug, PartialEq)]
struct Group {
    /// The fingerprint.
    value: Value,
    /// Start of the day on which it began.
    onset: u32,
    /// End of the day after which the evidence was enough.
    decided: u32,
    /// The largest sum.
    likelihood: f64,
    /// Sources with that fingerprint since then, sorted: the first [`MEMBERS_MAX`].
    members: Vec<SourceKey>,
}

/// Most sources of a group that are looked up by name. Which ones is left to their keys.
pub const MEMBERS_MAX: usize = 10_000;

/// A fingerprint: whether it is of TLS, and its hash.
pub(crate) type Value = (bool, u32);

/// One door at one place that clients with a fingerprint tried, and when first.
type Target = (Value, u32, u32, u32);

/// Hardly anybody uses it in an ordinary way, or most of those who use it explore: pages that an
/// actor visits from some addresses do not make its client a browser.
pub(super) fn is_rare(count: &Count) -> bool {
    count.sampled <= RARE_USERS_MAX || count.users <= f64::from(count.explorers)
}

fn values(print: Print) -> impl Iterator<Item = Value> {
    [(true, print.tls), (false, print.agent)].into_iter().filter(|value| value.1 != 0)
}

/// Tests every fingerprint of the pool.
fn groups(pool: &mut Pool) -> Vec<Group> {
    let users = ordinary_users(pool);
    let mut totals: HashMap<Value, u32> = HashMap::new();
    let (mut from, mut until) = (u32::MAX, 0);
    for row in pool.strong.sorted().filter(|row| row.counts()) {
        values(row.print).for_each(|value| *totals.entry(value).or_default() += 1);
        (from, until) = (from.min(row.first / DAY), until.max(row.first / DAY));
    }
    if totals.is_empty() {
        return Vec::new();
    }
    let days = until - from + 1;
    let mut groups = Vec::new();
    let mut batch: BTreeMap<Value, u32> = BTreeMap::new();
    let mut waiting = 0;
    for (value, total) in candidates(&totals, &users) {
        batch.insert(value, total);
        waiting += total;
        if waiting > BATCH_TARGETS_MAX {
            test(pool, &batch, (from, days), &mut groups);
            batch.clear();
            waiting = 0;
        }
    }
    test(pool, &batch, (from, days), &mut groups);
    name_members(pool, &mut groups);
    groups.retain(|group| group.members.len() >= SOURCES_MIN);
    groups
}

/// How many sources use each client and do not explore with it.
pub(super) fn ordinary_users(pool: &mut Pool) -> BTreeMap<u32, Count> {
    let rows = pool.strong.sorted().filter(|row| row.counts());
    let explorers: HashSet<u64> =
        rows.flat_map(|row| values(row.print).map(|value| pair(row.source, value.1))).collect();
    pool.users.counts(&explorers)
}

/// New doors a day that a client may try without being looked for.
const fn background(value: Value) -> f64 {
    if value.0 { BACKGROUND } else { BACKGROUND_OF_AGENTS }
}

/// Fingerprints with enough doors that hardly anybody uses, the ones with most doors if there are
/// too many; sorted.
fn candidates(totals: &HashMap<Value, u32>, users: &BTreeMap<u32, Count>) -> Vec<(Value, u32)> {
    // Of user agents, which anybody may copy, not even two people may have it.
    let is_group = |value: &Value| match users.get(&value.1) {
        None => true,
        Some(count) if value.0 => is_rare(count),
        Some(count) => count.sampled <= RARE_USERS_MAX,
    };
    let mut kept: Vec<(Value, u32)> = totals
        .iter()
        .map(|(value, total)| (*value, *total))
        .filter(|(value, total)| *total >= TARGETS_MIN && is_group(value))
        .collect();
    kept.sort_unstable_by_key(|(value, total)| (std::cmp::Reverse(*total), *value));
    kept.truncate(GROUPS_MAX);
    kept.sort_unstable();
    kept
}

/// Tests the fingerprints of one batch.
fn test(
    pool: &mut Pool,
    batch: &BTreeMap<Value, u32>,
    (from, days): (u32, u32),
    groups: &mut Vec<Group>,
) {
    let mut targets: Vec<Target> = Vec::new();
    for row in pool.strong.sorted().filter(|row| row.counts()) {
        for value in values(row.print).filter(|value| batch.contains_key(value)) {
            targets.push((value, row.place(), row.door(), row.first));
        }
    }
    targets.sort_unstable();
    targets.dedup_by_key(|(value, place, door, _)| (*value, *place, *door));
    for group in targets.chunk_by(|one, other| one.0 == other.0) {
        let mut series = vec![0_u32; days as usize];
        group.iter().for_each(|target| series[(target.3 / DAY - from) as usize] += 1);
        let value = group[0].0;
        if let Some(found) = changed(&series, background(value)) {
            groups.push(Group {
                value,
                onset: (from + found.onset) * DAY,
                decided: (from + found.decided + 1) * DAY - 1,
                likelihood: found.sum,
                members: Vec::new(),
            });
        }
    }
}

/// Where a series of daily counts left its background.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Changed {
    onset: u32,
    decided: u32,
    sum: f64,
}

/// Page's test with Poisson counts, for each of [`TIMES`]; the first to decide counts.
fn changed(series: &[u32], background: f64) -> Option<Changed> {
    let decisions = TIMES.iter().filter_map(|times| {
        let (mut sum, mut onset, mut decided) = (0.0, 0, None::<Changed>);
        for (day, count) in (0..).zip(series) {
            sum += f64::from(*count) * times.ln() - background * (times - 1.0);
            if sum <= 0.0 {
                (sum, onset) = (0.0, day + 1);
            }
            match &mut decided {
                Some(found) => found.sum = found.sum.max(sum),
                None if sum >= group_threshold() => {
                    decided = Some(Changed { onset, decided: day, sum });
                }
                None => {}
            }
        }
        decided
    });
    decisions.reduce(|one, other| Changed {
        onset: one.onset.min(other.onset),
        decided: one.decided.min(other.decided),
        sum: one.sum.max(other.sum),
    })
}

/// Sources with the fingerprint of a group that tried a door since it began; with a fingerprint of
/// TLS, any door at any time.
fn name_members(pool: &mut Pool, groups: &mut [Group]) {
    let places: HashMap<Value, usize> =
        groups.iter().enumerate().map(|(at, group)| (group.value, at)).collect();
    pool.each_source(|source, rows| {
        for row in rows.iter().filter(|row| row.counts()) {
            for at in values(row.print).filter_map(|value| places.get(&value)) {
                let group = &mut groups[*at];
                let is_new = group.members.last() != Some(&source);
                if group.has(row) && is_new && group.members.len() < MEMBERS_MAX {
                    group.members.push(source);
                }
            }
        }
    });
}

impl Group {
    const fn has(&self, row: &Row) -> bool {
        self.value.0 || row.class().is_strong() && row.first >= self.onset
    }

    fn alarm(self) -> Alarm {
        Alarm {
            detector: PLUGIN.name(),
            class: "group",
            severity: Severity::Reconnaissance,
            what: What::Client { value: self.value, since: self.onset },
            decided: self.decided,
            likelihood: self.likelihood,
            threshold: group_threshold(),
            members: self.members,
        }
    }
}

/// Whether a contact is one of those that count for a client since a moment.
pub(super) fn counts(value: Value, since: u32, contact: &Contact<'_>) -> bool {
    let is_like = values(contact.print).any(|it| it == value);
    let later = contact.first >= Timestamp::from(since);
    is_like && (value.0 || contact.class.is_strong() && later) && contact.class.counts()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_that_leaves_its_background_is_found_and_one_that_does_not_is_not() {
        let day = |series: &[u32], background| changed(series, background).map(|it| it.decided);
        assert_eq!(day(&[0; 90], 0.3), None);
        let once_in_a_while: Vec<u32> = (0..90).map(|day| u32::from(day % 4 == 0)).collect();
        assert_eq!(day(&once_in_a_while, 0.3), None);
        let three_a_day = [3; 30];
        assert!(day(&three_a_day, 0.3).is_some_and(|day| day <= 6), "{:?}", day(&three_a_day, 0.3));
        assert_eq!(day(&three_a_day, 3.0), None, "that is what its users explain");
        assert_eq!(day(&[40], 0.3), Some(0), "one loud day");
        let mut later = vec![0; 60];
        later.extend([2; 30]);
        let found = changed(&later, 0.3).unwrap();
        assert!(found.onset == 60 && found.decided < 75, "{found:?}");
    }

    /// Goal: the budget of false alarms holds. Method: 2,000 series of a quarter at the background
    /// itself, one seed; with the threshold of 20,000 of them 0.04 alarms are expected.
    #[test]
    fn chance_alone_stays_below_the_threshold() {
        let mut rng = testkit::Rng::new(20_211_210);
        for mean in [0.3, 3.0, 30.0] {
            for _ in 0..2_000 {
                let series: Vec<u32> = (0..91).map(|_| poisson(&mut rng, mean)).collect();
                assert_eq!(changed(&series, mean), None, "{mean}: {series:?}");
            }
        }
    }

    fn poisson(rng: &mut testkit::Rng, mean: f64) -> u32 {
        let (limit, mut product, mut count) = ((-mean).exp(), 1.0, 0);
        loop {
            product *= (rng.next() >> 11) as f64 / (1_u64 << 53) as f64;
            if product <= limit {
                return count;
            }
            count += 1;
        }
    }

    #[test]
    fn a_client_is_rare_when_those_who_use_it_explore() {
        let count = |sampled, explorers| Count { sampled, users: f64::from(sampled), explorers };
        assert!(is_rare(&count(0, 1)) && is_rare(&count(1, 1)) && !is_rare(&count(8, 7)));
        assert!(is_rare(&count(8, 8)), "addresses that only visit pages hide nobody");
        assert!(!is_rare(&count(5_000, 900)));
    }
}
