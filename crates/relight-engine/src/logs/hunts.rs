//! Hunts over everything that is kept, with what is covered: outside of that nobody knows. And
//! erasure, by source.

use std::collections::BTreeMap;
use std::net::IpAddr;

use relight_model::{OrgId, SiteId, Timestamp};
use relight_store::{HeldWindow, Store};
use relight_watch::{Answered, Erased, Hit, Prey, Window, answered, hunt};

use super::compact::day_of;
use crate::engine::replay;
use crate::error::{EngineError, EngineErrorKind};

/// Contacts of a hunt that are shown; more are counted.
pub const HITS_MAX: usize = 10_000;

/// What a hunt gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hunted {
    /// Contacts, in order of time, at most [`HITS_MAX`].
    pub hits: Vec<Hit>,
    /// How many there were.
    pub total: usize,
    /// The days for which logs are there, by organisation: first and last day of each stretch, in
    /// days since 1970.
    pub covered: BTreeMap<OrgId, Vec<(i64, i64)>>,
    /// The same for each site that is named in logs: one that sends them says nothing of the
    /// others of its organisation.
    pub covered_sites: BTreeMap<SiteId, Vec<(i64, i64)>>,
    /// Where the path that was looked for was answered in an ordinary way. Who asked is not kept.
    pub answered: BTreeMap<Place, AnsweredDays>,
    /// Windows of that time that were full: contacts had to go, and nobody can tell which.
    pub full_windows: usize,
    /// Lines of windows of that time that no parser took: what was looked for may be in them.
    pub unread_lines: u64,
}

impl Hunted {
    /// The organisation and each of its sites sent logs of every day from the first to the last.
    pub fn is_covered(&self, org: OrgId, sites: &[SiteId], days: (i64, i64)) -> bool {
        is_whole(self.covered.get(&org), days)
            && sites.iter().all(|site| is_whole(self.covered_sites.get(site), days))
    }

    /// What is not among the contacts, or not answered, was perhaps there all the same.
    pub fn is_unsure(&self) -> bool {
        self.full_windows > 0
            || self.unread_lines > 0
            || self.answered.values().any(|it| it.is_unknown)
    }
}

/// A site of an organisation; `None` where the log does not tell.
pub type Place = (OrgId, Option<SiteId>);

/// On which days a path may have been answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AnsweredDays {
    /// First and last day of the windows that say so.
    pub days: Option<(i64, i64)>,
    /// Some window was full: nobody can tell of its days.
    pub is_unknown: bool,
}

impl Hunted {
    /// Notes where a window says that the path was answered.
    fn note(&mut self, window: &Window, path: &str, places: &[Place], since: Timestamp) {
        let stats = window.stats();
        let (Some(first), Some(last)) = (stats.first, stats.last) else { return };
        if last < since {
            return;
        }
        let (first, last) = (day_of(first), day_of(last));
        for (place, answer) in answered(window, path, places) {
            let known = self.answered.entry(place).or_default();
            match answer {
                Answered::Yes => {
                    let (from, to) = known.days.unwrap_or((first, last));
                    known.days = Some((from.min(first), to.max(last)));
                }
                Answered::Unknown => known.is_unknown = true,
            }
        }
    }
}

/// Looks for something in all windows, from a moment on.
///
/// # Errors
/// The store cannot be read, or a window in it is of another version.
pub fn hunt_all(store: &Store, prey: &Prey, since: Timestamp) -> Result<Hunted, EngineError> {
    let mut hunted = Hunted::default();
    let mut hits: BTreeMap<_, Hit> = BTreeMap::new();
    let places = places_of(store)?;
    for (org, bytes) in store.windows()? {
        let window = window(org, &bytes)?;
        let stats = window.stats();
        if stats.last.is_none_or(|last| last >= since) {
            hunted.full_windows += usize::from(window.is_full());
            hunted.unread_lines += stats.refused;
        }
        if let Prey::Path(path) = prey {
            let own = places.get(&org).map(Vec::as_slice).unwrap_or_default();
            hunted.note(&window, path, own, since);
        }
        for hit in hunt(&window, prey).into_iter().filter(|hit| hit.last >= since) {
            // The same contact in several windows is one.
            let key = (hit.org, hit.site, hit.source, hit.text.clone(), hit.class);
            let kept = hits.entry(key).or_insert_with(|| hit.clone());
            if hit.first < kept.first {
                (kept.first, kept.status) = (hit.first, hit.status);
            }
            kept.last = kept.last.max(hit.last);
        }
    }
    hunted.total = hits.len();
    hunted.hits = hits.into_values().collect();
    hunted.hits.sort();
    hunted.hits.truncate(HITS_MAX);
    for row in store.watch_days(day_of(since), i64::MAX)? {
        let stretches = hunted.covered.entry(row.org).or_default();
        stretches.push((row.day, row.day));
        if let Some(site) = row.site {
            hunted.covered_sites.entry(site).or_default().push((row.day, row.day));
        }
    }
    hunted.covered.values_mut().chain(hunted.covered_sites.values_mut()).for_each(join);
    Ok(hunted)
}

/// The places of each organisation.
fn places_of(store: &Store) -> Result<BTreeMap<OrgId, Vec<Place>>, EngineError> {
    let mut places: BTreeMap<OrgId, Vec<Place>> = BTreeMap::new();
    for site in store.sites()? {
        let own = places.entry(site.org).or_insert_with(|| vec![(site.org, None)]);
        own.push((site.org, Some(site.id)));
    }
    Ok(places)
}

fn window(OrgId(org): OrgId, bytes: &[u8]) -> Result<Window, EngineError> {
    Window::from_bytes(bytes).map_err(|error| {
        EngineError::because(format!("reading a window of organisation {org}"), error)
    })
}

/// One stretch holds every day from the first to the last.
fn is_whole(stretches: Option<&Vec<(i64, i64)>>, (first, last): (i64, i64)) -> bool {
    let stretches = stretches.map(Vec::as_slice).unwrap_or_default();
    matches!(stretches, [(from, to)] if *from <= first && last <= *to)
}

/// Days that follow one another become one stretch.
fn join(stretches: &mut Vec<(i64, i64)>) {
    stretches.sort_unstable();
    let mut joined: Vec<(i64, i64)> = Vec::new();
    for (from, to) in stretches.drain(..) {
        match joined.last_mut() {
            Some((_, end)) if from <= *end + 1 => *end = to.max(*end),
            _ => joined.push((from, to)),
        }
    }
    *stretches = joined;
}

/// What became of an erasure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Erasure {
    /// Contacts that were taken out of the windows.
    pub contacts: usize,
    /// Why pages of the register that are free may still hold what was deleted; the same may be
    /// asked again.
    pub left: Option<ErasureLeft>,
}

/// Why a register of an earlier version was not written anew: whoever darkens would wait for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErasureLeft {
    /// Somebody who runs controls it.
    Controlled,
    /// An incident is open.
    Incident,
    /// So many bytes must be free on its disk.
    NoRoom(u64),
}

/// Takes a source out of every window. Twice is once; a window that changed meanwhile is read
/// again. Who has read lines with it and not yet stored them leaves it out, whether that was before
/// or while it was erased; for that alone it is remembered for a day. Nothing else of it stays in
/// the files of the store, unless it is said why.
///
/// # Errors
/// The store cannot be read or written, or a window in it is of another version.
pub fn erase_source(store: &Store, source: IpAddr, now: Timestamp) -> Result<Erasure, EngineError> {
    store.put_erasure(now, source)?;
    let contacts = erase_windows(store, source)?;
    store.put_erasure(now, source)?;
    let left = write_anew(store)?;
    store.wipe_deleted()?;
    Ok(Erasure { contacts, left })
}

/// Writes a register anew in which what was deleted was not overwritten.
fn write_anew(store: &Store) -> Result<Option<ErasureLeft>, EngineError> {
    if store.is_overwritten()? {
        return Ok(None);
    }
    let Some(control) = store.take_control()? else { return Ok(Some(ErasureLeft::Controlled)) };
    if replay(store)?.0.open().next().is_some() {
        return Ok(Some(ErasureLeft::Incident));
    }
    Ok(store.write_anew(&control)?.map(ErasureLeft::NoRoom))
}

/// Organisations, and sites of them: wherever a source can have been.
pub(super) fn every_place(store: &Store) -> Result<Vec<Place>, EngineError> {
    let sites = store.sites()?.into_iter();
    Ok(sites.flat_map(|site| [(site.org, Some(site.id)), (site.org, None)]).collect())
}

fn erase_windows(store: &Store, source: IpAddr) -> Result<usize, EngineError> {
    let mut erased = 0;
    let places = every_place(store)?;
    for (org, day) in store.window_days()? {
        let mut tries = 0;
        loop {
            let (old, windows, found) = erased_day(store, (org, day), source, &places)?;
            if old.is_empty() {
                break;
            }
            match store.rewrite_windows(org, &old, &windows) {
                Ok(true) => {
                    erased += found;
                    break;
                }
                // Somebody joined the windows of that day meanwhile, or erased too.
                Ok(false) if tries < TRIES_MAX => tries += 1,
                Ok(false) => {
                    let what = "the windows of a day change all the time";
                    return Err(EngineError::new(EngineErrorKind::Other, what));
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(erased)
}

/// How often the windows of one day are read again.
const TRIES_MAX: u32 = 10;

type Rewritten = (Vec<HeldWindow>, Vec<Vec<u8>>, usize);

/// The windows of a day that hold the source, without it.
fn erased_day(
    store: &Store,
    day: (OrgId, i64),
    source: IpAddr,
    places: &[(OrgId, Option<SiteId>)],
) -> Result<Rewritten, EngineError> {
    let (mut old, mut windows, mut found) = (Vec::new(), Vec::new(), 0);
    for (held, bytes) in store.windows_of_day(day.0, day.1)? {
        let mut window = window(day.0, &bytes)?;
        let Erased { contacts, marks } = window.erase(source, places);
        if contacts + marks > 0 {
            old.push(held);
            windows.push(window.to_bytes());
            found += contacts;
        }
    }
    Ok((old, windows, found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_are_joined() {
        for (days, expected) in [
            (&[][..], &[][..]),
            (&[(3, 3), (1, 1), (2, 2), (2, 2)], &[(1, 3)]),
            (&[(1, 1), (3, 3)], &[(1, 1), (3, 3)]),
            (&[(5, 9), (6, 7), (10, 10)], &[(5, 10)]),
        ] {
            let mut stretches = days.to_vec();
            join(&mut stretches);
            assert_eq!(stretches, expected);
        }
    }
}
