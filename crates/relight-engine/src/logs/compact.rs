//! What is kept of logs does not grow with how often somebody looks, nor for ever.

use std::collections::BTreeMap;

use relight_model::{Digest, OrgId, Timestamp};
use relight_store::{DayRow, ProbeRow, SiteSet, Store, StoreErrorKind};
use relight_watch::{Daybook, Window};
use sha2::{Digest as _, Sha256};

use crate::engine::Engine;
use crate::error::EngineError;

/// Windows of one organisation on the day that is not over; more are joined.
pub const WINDOWS_OF_DAY_MAX: u32 = 8;

/// Most days that windows and daybooks are kept after they were read, and how many unless somebody
/// says fewer.
pub const WATCH_DAYS_MAX: i64 = 400;

/// The setting that says how many.
const KEPT_DAYS: &str = "watch-days";

/// Days before ours of which a daybook is kept: old logs are read too, made-up dates are not
/// kept.
const PAST_DAYS_MAX: i64 = 3_660;

/// Stands for "heard from" among the doors of the catalogue: no entry has an empty id.
pub(super) const HEARD: &str = "";

/// Days ahead of ours: a sender with a wrong clock is noted, one of another year is not.
const AHEAD_DAYS_MAX: i64 = 1;

/// Days that windows and daybooks are kept after they were read.
///
/// # Errors
/// The store cannot be read.
pub fn kept_days(store: &Store) -> Result<i64, EngineError> {
    let told = store.meta_get(KEPT_DAYS)?.and_then(|text| text.parse().ok());
    Ok(told.map_or(WATCH_DAYS_MAX, |days: i64| days.clamp(1, WATCH_DAYS_MAX)))
}

/// From now on they are kept that many days, [`WATCH_DAYS_MAX`] at most; what is older goes with
/// the next [`Engine::compact_windows`].
///
/// # Errors
/// The store cannot be written.
pub fn keep_days(store: &Store, days: i64) -> Result<(), EngineError> {
    Ok(store.meta_put(KEPT_DAYS, &days.clamp(1, WATCH_DAYS_MAX).to_string())?)
}

/// Days since 1970, UTC.
pub(super) const fn day_of(at: Timestamp) -> i64 {
    at.div_euclid(86_400)
}

/// The rows of a daybook that will be kept.
pub(super) fn rows_of(daybook: &Daybook, now: Timestamp) -> (Vec<DayRow>, Vec<ProbeRow>) {
    let today = day_of(now);
    let is_kept = |day: i64| (today - PAST_DAYS_MAX..=today + AHEAD_DAYS_MAX).contains(&day);
    let kept = daybook.rows().iter().filter(|(key, _)| is_kept(key.day));
    let days = kept.map(|(key, facts)| DayRow {
        org: key.org,
        site: key.site,
        format: key.format.to_owned(),
        day: key.day,
        events: facts.events,
        hours: facts.hours,
        fields: facts.fields,
        first: facts.first,
        last: facts.last,
    });
    let mut probes: BTreeMap<(&str, i64), SiteSet> = BTreeMap::new();
    for (entry, day, site) in daybook.probes().filter(|(_, day, _)| is_kept(*day)) {
        probes.entry((entry, day)).or_default().insert(site.0);
    }
    for (key, _) in daybook.rows().iter().filter(|(key, _)| is_kept(key.day)) {
        if let Some(site) = key.site {
            probes.entry((HEARD, key.day)).or_default().insert(site.0);
        }
    }
    let probes = probes.into_iter();
    let probes =
        probes.map(|((entry, day), sites)| ProbeRow { entry: entry.to_owned(), day, sites });
    (days.collect(), probes.collect())
}

impl Engine {
    /// Joins the windows of each day of an organisation into as few as hold them, and forgets
    /// those that are too old. Gives how many windows there are fewer.
    ///
    /// # Errors
    /// The store cannot be read or written, or a window in it is of another version: the first of
    /// these, after all other days were looked at.
    pub fn compact_windows(&self) -> Result<usize, EngineError> {
        let today = day_of(self.now());
        let mut fewer = self.store.forget_windows(today - kept_days(&self.store)?)?;
        self.store.forget_erasures(self.now())?;
        let mut failed = None;
        for (org, day) in self.store.crowded_days(today, WINDOWS_OF_DAY_MAX)? {
            match self.compact_day(org, day) {
                Ok(joined) => fewer += joined,
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(fewer), Err)
    }

    fn compact_day(&self, org: OrgId, day: i64) -> Result<usize, EngineError> {
        let (mut old, mut segments, mut windows) = (Vec::new(), Vec::new(), Vec::new());
        for (held, bytes) in self.store.windows_of_day(org, day)? {
            old.push(held);
            segments.push(held.segment);
            windows.push(Window::from_bytes(&bytes).map_err(|error| {
                EngineError::because(format!("reading a window of organisation {}", org.0), error)
            })?);
        }
        let folded = Window::fold(windows, |at| name_of(&segments, at));
        if folded.len() >= segments.len() {
            return Ok(0);
        }
        let fewer = segments.len() - folded.len();
        let new: Vec<Vec<u8>> = folded.iter().map(Window::to_bytes).collect();
        match self.store.replace_windows((org, day), &old, &new) {
            Ok(replaced) => Ok(if replaced { fewer } else { 0 }),
            // As they are they fit.
            Err(error) if error.kind() == StoreErrorKind::Limit => Ok(0),
            Err(error) => Err(error.into()),
        }
    }
}

/// A number that other segments give with no practical chance.
pub(super) fn name_of(segments: &[Digest], at: usize) -> u64 {
    let mut hash = Sha256::new();
    segments.iter().for_each(|segment| hash.update(segment.0));
    hash.update((at as u64).to_be_bytes());
    let digest: [u8; 32] = hash.finalize().into();
    let [a, b, c, d, e, f, g, h, ..] = digest;
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}
