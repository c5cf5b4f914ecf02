//! Where and when doors are tried: distinct contacts by place and week, for a map of heat.

use std::collections::BTreeMap;
use std::ops::Range;

use relight_model::{OrgId, SiteId};

use crate::contact::Class;
use crate::pool::{Pool, Row, org_only};

/// Where a contact was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spot {
    /// At a site.
    Site(SiteId),
    /// At an organisation whose log told no site.
    Organisation(OrgId),
}

/// What was tried in a week. A contact counts in the week in which it was made first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heat {
    /// Distinct contacts that are evidence: one source, one site, one door.
    pub contacts: u64,
    /// Of these, doors of the catalogue.
    pub probes: u64,
    /// Of these, payloads.
    pub attempts: u64,
    /// Distinct sources.
    pub sources: u64,
}

/// The week of a day since 1970: weeks begin on Monday.
pub const fn week_of(day: i64) -> i64 {
    (day + 3).div_euclid(7)
}

/// The first day of a week, in days since 1970.
pub const fn monday_of(week: i64) -> i64 {
    week * 7 - 3
}

/// What a pool holds of these weeks, by row of a map and week.
pub fn heat<K: Ord + Copy>(
    pool: &mut Pool,
    weeks: Range<i64>,
    row_of: impl Fn(Spot) -> K,
) -> BTreeMap<(K, i64), Heat> {
    let mut map: BTreeMap<(K, i64), Heat> = BTreeMap::new();
    pool.each_source(|_, rows| {
        let mut seen = Vec::new();
        for row in rows.iter().filter(|row| row.counts()) {
            let week = week_of(i64::from(row.first) / 86_400);
            if weeks.contains(&week) {
                let key = (row_of(spot(row)), week);
                map.entry(key).or_default().add(row.class());
                seen.push(key);
            }
        }
        seen.sort_unstable();
        seen.dedup();
        for key in seen {
            map.entry(key).or_default().sources += 1;
        }
    });
    map
}

impl Heat {
    fn add(&mut self, class: Class) {
        self.contacts += 1;
        self.probes += u64::from(class.is_door());
        self.attempts += u64::from(matches!(class, Class::Exploit | Class::Attempt));
    }
}

fn spot(row: &Row) -> Spot {
    org_only(row.place()).map_or(Spot::Site(SiteId(row.place())), Spot::Organisation)
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::contact::Facts;
    use crate::pool::{Print, SourceKey};

    const DAY_S: i64 = 86_400;

    #[test]
    fn weeks_begin_on_monday() {
        // 1970-01-01 was a Thursday, 2021-12-13 a Monday.
        assert_eq!([-4, -3, 0, 3, 4].map(week_of), [-1, 0, 0, 0, 1]);
        assert_eq!([18_973, 18_974, 18_980, 18_981].map(week_of), [2_710, 2_711, 2_711, 2_712]);
        for day in -30..30 {
            let monday = monday_of(week_of(day));
            assert!((monday..monday + 7).contains(&day), "{day}");
        }
    }

    fn contact(pool: &mut Pool, source: u8, class: Class, site: Option<u32>, day: i64) {
        let facts = Facts {
            first: (day * DAY_S, 404, String::new(), Print::default()),
            last: day * DAY_S,
            in_site: false,
            served: false,
        };
        let key = SourceKey::of(IpAddr::from([192, 0, 2, source]));
        let at = (OrgId(7), site.map(SiteId));
        pool.insert(Row::new(key, class, u64::from(source) << 40, at, &facts));
    }

    #[test]
    fn contacts_are_counted_by_row_and_week_and_sources_once() {
        let mut pool = Pool::new(64);
        contact(&mut pool, 1, Class::Probe, Some(1), 4);
        contact(&mut pool, 1, Class::NotFoundCold, Some(2), 10);
        contact(&mut pool, 1, Class::Exploit, Some(3), 4);
        contact(&mut pool, 2, Class::Attempt, Some(1), 5);
        contact(&mut pool, 2, Class::RefusedCold, None, 11);
        contact(&mut pool, 3, Class::Probe, Some(1), 18);
        contact(&mut pool, 4, Class::Probe, Some(1), 3);
        let map = heat(&mut pool, 1..3, |spot| match spot {
            Spot::Site(SiteId(site)) => site.min(2),
            Spot::Organisation(OrgId(org)) => org,
        });
        let of = |row, week| {
            let heat = map.get(&(row, week)).copied().unwrap_or_default();
            [heat.contacts, heat.probes, heat.attempts, heat.sources]
        };
        assert_eq!(of(1, 1), [2, 1, 1, 2], "one week of one site, two sources");
        assert_eq!(of(2, 1), [2, 0, 1, 1], "two sites in a row, one source");
        assert_eq!((of(7, 2), of(1, 2)), ([1, 0, 0, 1], [0; 4]));
        assert_eq!(map.len(), 3, "other weeks are left out");
    }
}
