//! What the register says about where contacts were made: whose site it is, and of which sector.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use relight_model::{OrgId, SiteId};

use crate::pool::{Pool, place_of};
use crate::window::Window;

/// Most sectors that are told apart.
pub const SECTORS_MAX: usize = 256;

/// A sector, as a number.
pub(crate) type Sector = u16;

/// See the head of the file.
#[derive(Clone, Debug, Default)]
pub struct Places {
    sites: BTreeMap<u32, (OrgId, Option<Sector>)>,
    /// Sites of each sector.
    counts: Vec<usize>,
    /// The days since 1970 on which each place was heard, in order; `None` when every one is heard
    /// every day.
    heard: Option<BTreeMap<u32, Vec<u32>>>,
}

impl Places {
    /// From every site with its organisation and its sector; an empty sector is none.
    pub fn new<'a>(sites: impl IntoIterator<Item = (SiteId, OrgId, &'a str)>) -> Self {
        let mut places = Self::default();
        let mut sectors: BTreeMap<&str, Sector> = BTreeMap::new();
        for (site, org, sector) in sites {
            let next = Sector::try_from(sectors.len()).unwrap_or(Sector::MAX);
            let is_known = sectors.contains_key(sector) || sectors.len() < SECTORS_MAX;
            let number =
                (!sector.is_empty() && is_known).then(|| *sectors.entry(sector).or_insert(next));
            if let Some(number) = number {
                places.counts.resize(sectors.len(), 0);
                places.counts[usize::from(number)] += 1;
            }
            places.sites.insert(place_of(org, Some(site)), (org, number));
        }
        places
    }

    /// With the days since 1970 on which each site sent a line: one that sent none in a stretch of
    /// time may have been tried then as well, so it counts neither way.
    #[must_use]
    pub fn heard(mut self, days: impl IntoIterator<Item = (i64, SiteId)>) -> Self {
        let days = days.into_iter().map(|(day, site)| (day, place_of(OrgId(0), Some(site))));
        self.hear(days);
        self
    }

    /// With the days on which the log of each organisation told of something and not at which site.
    #[must_use]
    pub fn heard_of_no_site(mut self, days: impl IntoIterator<Item = (i64, OrgId)>) -> Self {
        self.hear(days.into_iter().map(|(day, org)| (day, place_of(org, None))));
        self
    }

    fn hear(&mut self, days: impl IntoIterator<Item = (i64, u32)>) {
        let heard = self.heard.get_or_insert_default();
        for (day, place) in days {
            if let Ok(day) = u32::try_from(day) {
                heard.entry(place).or_default().push(day);
            }
        }
        heard.values_mut().for_each(|days| days.sort_unstable());
    }

    /// Whether a site was heard on one of these days since 1970.
    pub fn is_heard(&self, site: SiteId, days: Range<u32>) -> bool {
        self.is_heard_at(place_of(OrgId(0), Some(site)), days)
    }

    /// Whether the log of an organisation told of something and not at which site, on one of these
    /// days since 1970.
    pub fn is_heard_of_no_site(&self, org: OrgId, days: Range<u32>) -> bool {
        self.is_heard_at(place_of(org, None), days)
    }

    fn is_heard_at(&self, place: u32, days: Range<u32>) -> bool {
        let Some(heard) = &self.heard else { return true };
        heard.get(&place).is_some_and(|all| is_any_of(all, days))
    }

    /// The sites that were heard on one of these days; the numbers of sectors stay.
    pub(crate) fn heard_in(&self, days: Range<u32>) -> Cow<'_, Self> {
        if self.heard.is_none() {
            return Cow::Borrowed(self);
        }
        let mut there = Self { counts: vec![0; self.counts.len()], ..Self::default() };
        for (place, known) in &self.sites {
            if self.is_heard_at(*place, days.clone()) {
                there.sites.insert(*place, *known);
                known.1.into_iter().for_each(|sector| there.counts[usize::from(sector)] += 1);
            }
        }
        Cow::Owned(there)
    }

    /// Of what a window tells itself: organisations, no sectors.
    pub(crate) fn of_window(window: &Window) -> Self {
        let visits = window.contacts.keys().map(|key| (key.visit.org, key.visit.site));
        let sites: BTreeSet<(OrgId, SiteId)> =
            visits.filter_map(|(org, site)| Some((org, site?))).collect();
        Self::new(sites.into_iter().map(|(org, site)| (site, org, "")))
    }

    /// Since when each place is listened to, by what a pool holds.
    pub(crate) fn begins(&self, pool: &mut Pool) -> Begins {
        let mut all = u32::MAX;
        let mut by_place: BTreeMap<u32, u32> = BTreeMap::new();
        let mut heard = |place: u32, second: u32| {
            let first = by_place.entry(place).or_insert(second);
            *first = (*first).min(second);
        };
        for row in pool.strong.sorted() {
            all = all.min(row.first);
            heard(row.place(), row.first);
        }
        for row in pool.weak.sorted() {
            all = all.min(row.first);
            heard(row.place(), row.first);
        }
        for (place, days) in self.heard.iter().flatten() {
            if let Some(first) = days.first() {
                heard(*place, first.saturating_mul(86_400));
            }
        }
        Begins { all, by_place: self.heard.is_some().then_some(by_place) }
    }

    /// Whose place it is; `None` for a site that nobody registered.
    pub(crate) fn org(&self, place: u32) -> Option<OrgId> {
        crate::pool::org_only(place).or_else(|| self.sites.get(&place).map(|(org, _)| *org))
    }

    /// Whether it is a registered site.
    pub(crate) fn is_site(&self, place: u32) -> bool {
        self.sites.contains_key(&place)
    }

    /// Whether a place was heard in each of so many weeks before a day: what was silent for a month
    /// and speaks again has nothing that is usual, and one line of a wrong clock, years before all
    /// others, makes nothing old. Not asked of sites that are not registered and of organisations
    /// that are not ours, and where nobody says which were heard.
    pub(crate) fn is_heard_before(&self, place: u32, day: u32, weeks: u32) -> bool {
        let Some(heard) = &self.heard else { return true };
        let Some(days) = heard.get(&place) else { return !self.is_site(place) };
        (0..weeks).all(|week| {
            let until = day.saturating_sub(7 * week);
            is_any_of(days, until.saturating_sub(7)..until)
        })
    }

    /// The sector of a place.
    pub(crate) fn sector(&self, place: u32) -> Option<Sector> {
        self.sites.get(&place).and_then(|(_, sector)| *sector)
    }

    /// Registered sites.
    pub(crate) fn sites(&self) -> usize {
        self.sites.len()
    }

    /// The sectors with how many sites each has.
    pub(crate) fn sectors(&self) -> impl Iterator<Item = (Sector, usize)> + '_ {
        (0..).zip(self.counts.iter().copied())
    }
}

/// One of the days, which are in order, is one of these.
fn is_any_of(all: &[u32], days: Range<u32>) -> bool {
    let next = all.partition_point(|day| *day < days.start);
    all.get(next).is_some_and(|day| *day < days.end)
}

/// Since when places are listened to, in seconds.
pub(crate) struct Begins {
    all: u32,
    /// `None` when every place is heard every day.
    by_place: Option<BTreeMap<u32, u32>>,
}

impl Begins {
    /// Of this place: the first line of its log that is known, or its first contact.
    pub(crate) fn at(&self, place: u32) -> u32 {
        let of_place = |all: &BTreeMap<u32, u32>| all.get(&place).copied();
        self.by_place.as_ref().map_or(Some(self.all), of_place).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contact::{Class, Facts};
    use crate::pool::{Print, Row, SourceKey};

    const DAY_S: u32 = 86_400;

    #[test]
    fn sectors_are_counted_and_strangers_have_none() {
        let places = Places::new([
            (SiteId(1), OrgId(7), "health"),
            (SiteId(2), OrgId(7), "health"),
            (SiteId(3), OrgId(8), "schools"),
            (SiteId(4), OrgId(9), ""),
        ]);
        let place = |site| place_of(OrgId(0), Some(SiteId(site)));
        assert_eq!(places.sectors().collect::<Vec<_>>(), [(0, 2), (1, 1)]);
        assert_eq!((places.sector(place(2)), places.sector(place(4))), (Some(0), None));
        assert_eq!((places.org(place(3)), places.org(place(5))), (Some(OrgId(8)), None));
        assert_eq!(places.org(place_of(OrgId(6), None)), Some(OrgId(6)));
        assert_eq!(places.sites(), 4);
        assert!(places.is_site(place(4)) && !places.is_site(place(5)));
        assert!(!places.is_site(place_of(OrgId(7), None)), "a draw of no site");
    }

    #[test]
    fn a_site_that_was_silent_is_known_again_after_some_weeks() {
        let place = |site| place_of(OrgId(0), Some(SiteId(site)));
        let places = Places::new([(SiteId(1), OrgId(7), "a")]);
        assert!(places.is_heard_before(place(1), 0, 4), "nobody says which were heard");
        // A line a week is enough; then a month of silence.
        let days = (0..300).step_by(7).chain(335..400);
        let places = places.heard(days.map(|day| (day, SiteId(1))));
        let known = |day| places.is_heard_before(place(1), day, 4);
        assert_eq!([3, 20, 29, 300, 303].map(known), [false, false, true, true, false]);
        let after = [335, 340, 350, 356, 357, 399].map(known);
        assert_eq!(after, [false, false, false, false, true, true]);
        assert!(places.is_heard_before(place(2), 340, 4), "no registered site");
        let no_site = |org| place_of(OrgId(org), None);
        assert!(places.is_heard_before(no_site(7), 340, 4), "nothing is known of it");
        // A log without sites has days of its own, whenever those of its sites began.
        let places = places.heard_of_no_site((330..400).map(|day| (day, OrgId(7))));
        let known = |day| places.is_heard_before(no_site(7), day, 4);
        assert_eq!([340, 351, 352, 399].map(known), [false, false, true, true]);
        assert!(places.is_heard_before(no_site(8), 340, 4), "of another member");
        assert!(places.is_heard_before(place(1), 300, 4), "the days of sites stay");
    }

    /// A wrong clock writes a line of 2019 and one of 1970 into a log that is a week old.
    #[test]
    fn a_line_of_a_wrong_clock_makes_no_log_old() {
        let place = place_of(OrgId(0), Some(SiteId(1)));
        let days = [0, 17_900].into_iter().chain(20_000..20_060);
        let places = Places::new([(SiteId(1), OrgId(7), "a")]);
        let mut places = places.heard(days.map(|day| (day, SiteId(1))));
        let known = |places: &Places, day| places.is_heard_before(place, day, 4);
        assert_eq!(
            [17_901, 17_930, 20_000, 20_007, 20_021, 20_022, 20_059].map(|day| known(&places, day)),
            [false, false, false, false, false, true, true]
        );
        // Nor does a whole day of them, nor one after the other for a week.
        places = places.heard((17_900..17_907).map(|day| (day, SiteId(1))));
        assert!(!known(&places, 17_908) && !known(&places, 20_007) && known(&places, 20_040));
    }

    #[test]
    fn sites_that_were_not_heard_in_a_stretch_are_not_counted_in_it() {
        let site = |number| (SiteId(number), OrgId(7), if number < 3 { "a" } else { "b" });
        let all = Places::new((0..6).map(site));
        assert_eq!(all.heard_in(0..28).sites(), 6, "nobody says which were heard");
        let heard = [(3, SiteId(0)), (4, SiteId(0)), (27, SiteId(3)), (28, SiteId(1))];
        let all = all.heard(heard.into_iter().chain([(-1, SiteId(2)), (5, SiteId(99))]));
        let there = all.heard_in(0..28);
        assert_eq!((all.sites(), there.sites()), (6, 2));
        assert_eq!(there.sectors().collect::<Vec<_>>(), [(0, 1), (1, 1)]);
        let later = all.heard_in(28..56);
        assert_eq!(later.sectors().collect::<Vec<_>>(), [(0, 1), (1, 0)]);
    }

    #[test]
    fn a_place_begins_with_its_log_and_not_with_its_first_contact() {
        let site = |number: u32| (SiteId(number), OrgId(7 + number / 2), "a");
        let mut pool = Pool::new(16);
        let facts = |first: i64| Facts {
            first: (first, 404, String::new(), Print::default()),
            last: first,
            in_site: false,
            served: false,
        };
        let source = SourceKey::of(std::net::IpAddr::from([192, 0, 2, 1]));
        for (number, first) in [(0, 50 * DAY_S), (1, 60 * DAY_S), (3, 70 * DAY_S)] {
            let (site, org, _) = site(number);
            let at = (org, Some(site));
            pool.insert(Row::new(source, Class::Probe, 1 << 40, at, &facts(i64::from(first))));
        }
        let all = Places::new((0..4).map(site));
        let at = |begins: &Begins, number: u32| begins.at(place_of(OrgId(0), Some(SiteId(number))));
        let begins = all.begins(&mut pool);
        assert_eq!([0, 1, 3].map(|number| at(&begins, number)), [50 * DAY_S; 3], "nobody says");
        let all = all.heard([(20, SiteId(0)), (30, SiteId(2)), (65, SiteId(1))]);
        let begins = all.begins(&mut pool);
        let days = [20, 60, 30, 70].map(|day| day * DAY_S);
        assert_eq!([0, 1, 2, 3].map(|number| at(&begins, number)), days);
        let org = |begins: &Begins, number| begins.at(place_of(OrgId(number), None));
        assert_eq!([7, 8].map(|number| org(&begins, number)), [u32::MAX; 2], "it has no log");
        let begins = all.heard_of_no_site([(45, OrgId(7)), (40, OrgId(7))]).begins(&mut pool);
        assert_eq!([7, 8].map(|number| org(&begins, number)), [40 * DAY_S, u32::MAX]);
    }

    #[test]
    fn the_limit_of_sectors_is_reached_and_harmless() {
        let names: Vec<String> = (0..=SECTORS_MAX).map(|number| format!("s{number}")).collect();
        let sites = (0..).zip(&names).map(|(site, name)| (SiteId(site), OrgId(1), name.as_str()));
        let places = Places::new(sites);
        assert_eq!(places.sectors().count(), SECTORS_MAX);
        let last = place_of(OrgId(1), Some(SiteId(SECTORS_MAX as u32)));
        assert_eq!((places.sector(last), places.org(last)), (None, Some(OrgId(1))));
    }
}
