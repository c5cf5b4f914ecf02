//! Who probed what we run, and was it vulnerable that day? Five answers, one a site, that add up to
//! the sites that were asked about.

use std::collections::{BTreeMap, HashMap};

use relight_model::{SiteId, Timestamp};
use relight_store::{SiteSet, Store, StoreError};

use super::compact::HEARD;
use crate::error::EngineError;

/// What is known about a site over one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OnThatDay {
    /// It certainly had none of the flaws, all day.
    Clear,
    /// Nobody can tell.
    Unknown,
    /// It had one of them at some time of the day.
    Affected,
}

/// The answer about one site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Probed {
    /// Tried on a day on which it was vulnerable, if only for a part of it.
    Affected,
    /// Tried, and on no such day for certain vulnerable, but perhaps.
    Unknown,
    /// Tried, and not vulnerable on any of those days.
    Clear,
    /// Its logs are there and hold no such try; see [`ProbedSite::unheard`].
    NotProbed,
    /// It sent no logs in that time: nobody can tell.
    NoLogs,
}

impl Probed {
    /// Every answer, the worst first.
    pub const ALL: [Self; 5] =
        [Self::Affected, Self::Unknown, Self::Clear, Self::NotProbed, Self::NoLogs];

    /// The stable name used in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Affected => "probed-affected",
            Self::Unknown => "probed-unknown",
            Self::Clear => "probed-clear",
            Self::NotProbed => "not-probed",
            Self::NoLogs => "no-logs",
        }
    }
}

/// One site with its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProbedSite {
    /// The site.
    pub site: SiteId,
    /// See [`Probed`].
    pub answer: Probed,
    /// First and last day on which it was tried, in days since 1970.
    pub days: Option<(i64, i64)>,
    /// Days without a log of it, of which nobody can tell. The last day does not count: it may not
    /// be over, or not be read yet.
    pub unheard: u32,
}

/// Asks about these sites, from one day to another, both included. `on` says the worst that is
/// known about a site between the first and the last second of a day: the hour of a try is not
/// kept, so a site that was patched on the day it was tried was perhaps tried before that.
///
/// # Errors
/// The store cannot be read, or `on` says so.
pub fn probed(
    store: &Store,
    entries: &[&str],
    sites: impl IntoIterator<Item = SiteId>,
    (from, to): (i64, i64),
    on: &dyn Fn(SiteId, (Timestamp, Timestamp)) -> Result<OnThatDay, StoreError>,
) -> Result<Vec<ProbedSite>, EngineError> {
    let tried = tried(store, entries, (from, to))?;
    let (heard, days) = heard(store, (from, to))?;
    let asked = u32::try_from((to - from).max(0)).unwrap_or(u32::MAX);
    let mut answers = Vec::new();
    for site in sites {
        let days = days.get(site.0 as usize).copied().unwrap_or(0);
        let unheard = asked.saturating_sub(days);
        let mut found = ProbedSite { site, answer: Probed::NoLogs, days: None, unheard };
        if heard.contains(site.0) {
            found.answer = Probed::NotProbed;
        }
        let mut worst = OnThatDay::Clear;
        for day in tried.get(&site.0).into_iter().flatten().copied() {
            found.days = Some((found.days.map_or(day, |(first, _)| first), day));
            if worst < OnThatDay::Affected {
                worst = worst.max(on(site, (day * 86_400, (day + 1) * 86_400 - 1))?);
            }
        }
        if found.days.is_some() {
            found.answer = match worst {
                OnThatDay::Affected => Probed::Affected,
                OnThatDay::Unknown => Probed::Unknown,
                OnThatDay::Clear => Probed::Clear,
            };
        }
        answers.push(found);
    }
    Ok(answers)
}

/// The sites of which a log came, and of each one on how many days before the last one.
fn heard(store: &Store, (from, to): (i64, i64)) -> Result<(SiteSet, Vec<u32>), StoreError> {
    let (mut heard, mut days) = (SiteSet::new(), Vec::new());
    for (day, set) in store.watch_probes(HEARD, from, to)? {
        if day < to {
            // Sites have numbers that follow one another.
            let end = set.max().map_or(0, |last| last as usize + 1);
            days.resize(end.max(days.len()), 0);
            set.iter().for_each(|site| days[site as usize] += 1);
        }
        heard |= set;
    }
    Ok((heard, days))
}

/// The days on which each site was tried, in order.
fn tried(
    store: &Store,
    entries: &[&str],
    (from, to): (i64, i64),
) -> Result<HashMap<u32, Vec<i64>>, StoreError> {
    let mut days: BTreeMap<i64, SiteSet> = BTreeMap::new();
    for entry in entries {
        for (day, set) in store.watch_probes(entry, from, to)? {
            *days.entry(day).or_default() |= set;
        }
    }
    let mut tried: HashMap<u32, Vec<i64>> = HashMap::new();
    for (day, set) in days {
        set.iter().for_each(|site| tried.entry(site).or_default().push(day));
    }
    Ok(tried)
}
