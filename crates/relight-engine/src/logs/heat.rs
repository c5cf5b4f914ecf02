//! The map of heat: what was tried in which sector, week by week, and where nobody listened.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use relight_model::{SiteId, Timestamp};
use relight_store::Store;
use relight_watch::{Heat, Pool, ROWS_MAX, Spot, heat, monday_of, week_of};

use super::compact::day_of;
use super::judge::{Register, each_organisation};
use crate::error::EngineError;

/// Most weeks of a map: windows are kept for 400 days.
pub const MAP_WEEKS_MAX: u16 = 58;

/// See the head of the file.
#[derive(Clone, Debug, PartialEq)]
pub struct HeatMap {
    /// The first day of each week, in days since 1970.
    pub mondays: Vec<i64>,
    /// Sectors by name; the empty name is that of sites without one.
    pub rows: Vec<HeatRow>,
    /// Share of all sources whose contacts all fitted into memory.
    pub sources_kept: f64,
}

/// One sector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeatRow {
    /// Its name.
    pub sector: String,
    /// Its sites.
    pub sites: usize,
    /// Week by week; `None` where no log of it was heard.
    pub weeks: Vec<Option<Heat>>,
}

/// The map of so many weeks, the last of which holds this moment.
///
/// # Errors
/// The store cannot be read, or a window in it is of another version.
pub fn heat_map(store: &Store, weeks: u16, until: Timestamp) -> Result<HeatMap, EngineError> {
    let mut pool = Pool::new(ROWS_MAX);
    each_organisation(store, |_, windows, home| {
        windows.iter().for_each(|window| pool.add(window, home));
    })?;
    let register = Register::read(store)?;
    let last = week_of(day_of(until));
    let weeks = last + 1 - i64::from(weeks.clamp(1, MAP_WEEKS_MAX))..last + 1;
    let of_site: BTreeMap<SiteId, &str> =
        register.sites.iter().map(|site| (site.id, register.sector(site))).collect();
    let row_of = |spot| match spot {
        Spot::Site(site) => of_site.get(&site).copied().unwrap_or_default(),
        Spot::Organisation(org) => register.sectors.get(&org).map_or("", String::as_str),
    };
    let cells = heat(&mut pool, weeks.clone(), row_of);
    let heard = heard(&register, &weeks);
    let mut sectors: BTreeMap<&str, usize> =
        cells.keys().chain(&heard).map(|(sector, _)| (*sector, 0)).collect();
    of_site.values().for_each(|sector| *sectors.entry(sector).or_default() += 1);
    let rows = sectors.into_iter().map(|(sector, sites)| {
        let cell = |week| {
            let found = cells.get(&(sector, week)).copied();
            found.or_else(|| heard.contains(&(sector, week)).then(Heat::default))
        };
        HeatRow { sector: sector.to_owned(), sites, weeks: weeks.clone().map(cell).collect() }
    });
    let rows = rows.collect();
    let stats = pool.stats();
    let sources_kept = stats.strong_share.min(stats.weak_share);
    Ok(HeatMap { mondays: weeks.map(monday_of).collect(), rows, sources_kept })
}

/// In which weeks some log of a sector was heard.
fn heard<'a>(register: &'a Register, weeks: &Range<i64>) -> BTreeSet<(&'a str, i64)> {
    let mut heard = BTreeSet::new();
    for week in weeks.clone() {
        let day = |day: i64| u32::try_from(day.max(0)).unwrap_or(u32::MAX);
        let days = day(monday_of(week))..day(monday_of(week + 1));
        for site in &register.sites {
            if register.places.is_heard(site.id, days.clone()) {
                heard.insert((register.sector(site), week));
            }
        }
        for (org, sector) in &register.sectors {
            if register.places.is_heard_of_no_site(*org, days.clone()) {
                heard.insert((sector.as_str(), week));
            }
        }
    }
    heard
}
