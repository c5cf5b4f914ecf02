//! The heat map of the watch: in which sector and week doors of the catalogue were tried, on how
//! many sites.

use std::collections::{BTreeMap, BTreeSet};

use relight_engine::Engine;
use relight_engine::store::{SiteSet, StoreError};
use relight_web::register_views::{HeatMap, HeatRow};
use relight_web::{Lang, Number, number, texts, words};

/// Weeks of the map, up to the newest contact.
const WEEKS: i64 = 26;

/// Rows of the map, the most tried first.
const SECTORS_MAX: usize = 20;

/// Fewest sites of each step but the first, which is none.
const STEPS: [u64; 5] = [1, 2, 5, 15, 50];

/// Left edge of the first week, and width of each.
const LEFT: usize = 220;
const WIDTH: usize = 26;

/// Height of a row, and what stands below the last one.
const HEIGHT: usize = 17;
const BELOW: usize = 40;

/// The map of a register.
///
/// # Errors
/// The store cannot be read.
pub(super) fn of(engine: &Engine, lang: Lang) -> Result<HeatMap, StoreError> {
    let today = engine.now().div_euclid(86_400);
    let rows = engine.store().watch_probed_sites(0, today)?;
    let bodies = engine.store().organisations()?;
    let sector = |org| bodies.iter().find(|body| body.id == org).map(|body| body.sector.clone());
    let sites = engine.sites();
    let sectors = sites.iter().filter_map(|site| Some((site.id.0, sector(site.org)?))).collect();
    Ok(map(lang, &rows, &sectors))
}

/// Sites that were tried, by sector and week; weeks count from 0, the oldest.
type Weeks = BTreeMap<String, BTreeMap<usize, BTreeSet<u32>>>;

fn map(lang: Lang, rows: &[(i64, SiteSet)], sectors: &BTreeMap<u32, String>) -> HeatMap {
    let Some(newest) = rows.iter().map(|(day, _)| *day).max() else { return HeatMap::default() };
    let first = newest + 1 - WEEKS * 7;
    let mut weeks = Weeks::new();
    for (day, sites) in rows.iter().filter(|(day, _)| *day >= first) {
        let week = usize::try_from((day - first) / 7).unwrap_or(0);
        for site in sites {
            let Some(sector) = sectors.get(&site) else { continue };
            weeks.entry(sector.clone()).or_default().entry(week).or_default().insert(site);
        }
    }
    let all = |weeks: &BTreeMap<usize, BTreeSet<u32>>| -> usize {
        weeks.values().flatten().collect::<BTreeSet<_>>().len()
    };
    let mut ordered: Vec<_> = weeks.iter().map(|(code, it)| (all(it), code, it)).collect();
    ordered.sort_by(|a, b| (b.0, a.1).cmp(&(a.0, b.1)));
    ordered.truncate(SECTORS_MAX);
    let Some((most, code, _)) = ordered.first() else { return HeatMap::default() };
    let (until, sector) = (day_text(newest), words::sector(lang, code));
    HeatMap {
        sentence: texts::heat_sentence(lang, sector, *most, &until, WEEKS.unsigned_abs()),
        height: ordered.len() * HEIGHT + BELOW,
        first: day_text(first),
        columns: columns(first),
        key: key(lang),
        rows: ordered
            .iter()
            .enumerate()
            .map(|(at, (count, code, weeks))| HeatRow {
                name: words::sector(lang, code).to_owned(),
                y: at * HEIGHT,
                cells: cells(weeks),
                sites: Number::from(*count).text(lang),
                most: busiest(lang, weeks, first),
            })
            .collect(),
    }
}

fn place(week: usize) -> usize {
    LEFT + week * WIDTH
}

fn step(sites: usize) -> usize {
    STEPS.iter().filter(|least| sites as u64 >= **least).count()
}

fn cells(weeks: &BTreeMap<usize, BTreeSet<u32>>) -> Vec<(usize, usize)> {
    let count = |week: usize| weeks.get(&week).map_or(0, BTreeSet::len);
    (0..WEEKS.unsigned_abs() as usize).map(|week| (place(week), step(count(week)))).collect()
}

/// The week with the most sites, the newest of equals.
fn busiest(lang: Lang, weeks: &BTreeMap<usize, BTreeSet<u32>>, first: i64) -> String {
    let most = weeks.iter().max_by_key(|(week, sites)| (sites.len(), **week));
    let text = |(week, sites): (&usize, &BTreeSet<u32>)| {
        let day = day_text(first + 7 * i64::try_from(*week).unwrap_or(0));
        texts::heat_week(lang, &day, sites.len())
    };
    most.map(text).unwrap_or_default()
}

/// Every fifth week has its day below it, as long as that fits.
fn columns(first: i64) -> Vec<(usize, String)> {
    let text = |week: i64| (place(usize::try_from(week).unwrap_or(0)), day_text(first + 7 * week));
    (0..WEEKS - 4).step_by(5).map(text).collect()
}

fn key(lang: Lang) -> Vec<(usize, usize, String)> {
    let none = (0, LEFT, texts::heat_key_none(lang).to_owned());
    let steps = STEPS
        .iter()
        .zip(1..)
        .map(|(least, step)| (step, LEFT + step * 112, texts::heat_key(lang, *least)));
    std::iter::once(none).chain(steps).collect()
}

fn day_text(day: i64) -> String {
    number::rfc3339(day * 86_400).get(..10).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sectors() -> BTreeMap<u32, String> {
        let sector = |site: u32| if site < 100 { "health" } else { "energy" };
        (0..200).map(|site| (site, sector(site).to_owned())).collect()
    }

    fn set(sites: std::ops::Range<u32>) -> SiteSet {
        sites.collect()
    }

    #[test]
    fn a_site_counts_once_a_week_whatever_was_tried_on_it() {
        let rows =
            [(1_000, set(0..3)), (1_000, set(0..2)), (1_001, set(1..3)), (1_003, set(150..151))];
        let map = map(Lang::En, &rows, &sectors());
        let names: Vec<_> = map.rows.iter().map(|row| (row.name.as_str(), row.y)).collect();
        assert_eq!(names, [("Health network", 0), ("Energy", HEIGHT)]);
        assert_eq!(map.rows[0].sites, "3");
        let last = |row: &HeatRow| row.cells.last().copied();
        assert_eq!(last(&map.rows[0]), Some((place(25), step(3))));
        assert_eq!(last(&map.rows[1]), Some((place(25), 1)));
        assert!(map.rows[0].cells[..25].iter().all(|(_, step)| *step == 0));
        assert!(map.sentence.contains("until 1972-09-30: Health network most, 3 sites"), "{map:?}");
    }

    #[test]
    fn the_map_ends_at_the_newest_contact_and_forgets_what_is_older() {
        let old = 1_003 - WEEKS * 7;
        let rows = [(old, set(0..90)), (old + 1, set(0..2)), (1_003, set(0..1))];
        let map = map(Lang::Fr, &rows, &sectors());
        assert_eq!(map.rows.len(), 1);
        let steps: Vec<_> = map.rows[0].cells.iter().map(|(_, step)| *step).collect();
        assert_eq!((steps.len(), steps[0], steps[25]), (26, 2, 1));
        assert!(map.rows[0].most.ends_with("2"), "{}", map.rows[0].most);
    }

    #[test]
    fn steps_have_their_bounds_and_nothing_is_nothing() {
        let seen: Vec<_> = [0, 1, 2, 4, 5, 14, 15, 49, 50, 3_992].map(step).into();
        assert_eq!(seen, [0, 1, 2, 2, 3, 3, 4, 4, 5, 5]);
        assert!(map(Lang::Fr, &[], &sectors()).rows.is_empty());
        let unknown = [(1_000, set(500..501))];
        assert!(map(Lang::Fr, &unknown, &sectors()).rows.is_empty(), "no such site");
        let right = map(Lang::Fr, &[(1_000, set(0..1))], &sectors());
        assert!(right.key.iter().all(|(_, x, _)| x + 110 <= 900), "{:?}", right.key);
        assert!(place(25) + WIDTH <= 900);
    }

    #[test]
    fn a_map_shows_the_most_tried_sectors_only() {
        let sectors = (0..30).map(|site| (site, format!("sector-{site:02}"))).collect();
        let map = map(Lang::En, &[(1_000, set(0..30))], &sectors);
        assert_eq!(map.rows.len(), SECTORS_MAX);
    }
}
