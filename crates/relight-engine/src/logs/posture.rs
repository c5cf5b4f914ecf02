//! What the logs of each site are like: whether they come, with which fields, and since when they
//! do not. An answer from logs says nothing about sites that send none.

use std::collections::{BTreeMap, BTreeSet};

use relight_model::{SiteId, Timestamp};
use relight_store::{DayRow, Store};
use relight_watch::{LogDay, Silence, fields_of, silence};

use super::compact::day_of;
use super::notes::{LogNotes, log_notes};
use super::signs::outbound;
use crate::error::EngineError;

/// Days that are looked at.
pub const POSTURE_DAYS: i64 = 90;

/// Days whose fields count.
const RECENT_DAYS: i64 = 28;

/// Stands among missing fields where more than one line in ten is of no known format: what is in
/// those nobody knows.
const RECOGNISED: &str = "recognised-lines";

/// Most stretches without a line that are told of a site: the last ones.
pub const LOG_GAPS_MAX: usize = 16;

/// Fields without which the log of a web site tells too little.
const WANTED: [&str; 4] = ["path", "status", "user-agent", "referer"];

/// What is known about the logs of a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogState {
    /// They come, with every field that is needed.
    Complete,
    /// They come, without these fields.
    Partial(Vec<&'static str>),
    /// They came until then, and the site has too few visitors to tell whether they still do.
    Quiet(Timestamp),
    /// They came until then.
    Silent(Timestamp),
    /// None ever came.
    Never,
}

impl LogState {
    /// The stable name used in documents.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Partial(_) => "partial",
            Self::Quiet(_) => "quiet",
            Self::Silent(_) => "silent",
            Self::Never => "never",
        }
    }
}

/// One feed of a site: lines of one format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedPosture {
    /// The format.
    pub format: String,
    /// Time of the last event.
    pub last: Timestamp,
    /// Events of the days that are looked at.
    pub events: u64,
    /// Days with events among [`POSTURE_DAYS`].
    pub days: u32,
    /// Fields that arrive.
    pub fields: Vec<&'static str>,
}

/// The logs of one site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SitePosture {
    /// The site.
    pub site: SiteId,
    /// See [`LogState`].
    pub state: LogState,
    /// Its feeds, by format.
    pub feeds: Vec<FeedPosture>,
    /// Stretches of days without a line between two with some, in days since 1970, both included;
    /// of the days that are looked at, and the last [`LOG_GAPS_MAX`] of them.
    pub gaps: Vec<(i64, i64)>,
    /// What was noted about its lines of late.
    pub notes: LogNotes,
    /// Until which day somebody looked at what it sent out; `None` when nobody ever did.
    pub outbound: Option<i64>,
}

/// The logs of these sites. `is_dark` says of which no requests are expected.
///
/// # Errors
/// The store cannot be read.
pub fn posture(
    store: &Store,
    sites: impl IntoIterator<Item = SiteId>,
    is_dark: &dyn Fn(SiteId) -> bool,
    now: Timestamp,
) -> Result<Vec<SitePosture>, EngineError> {
    let mut rows: BTreeMap<SiteId, Vec<DayRow>> = BTreeMap::new();
    // All days that are kept: a log that ended long ago is silent, not never there.
    for row in store.watch_days(0, day_of(now) + 1)? {
        if let Some(site) = row.site {
            rows.entry(site).or_default().push(row);
        }
    }
    let mut noted: BTreeMap<SiteId, LogNotes> = BTreeMap::new();
    for ((_, site), notes) in log_notes(store, now)? {
        noted.extend(site.map(|site| (site, notes)));
    }
    let mut looked: BTreeMap<SiteId, i64> = BTreeMap::new();
    for it in outbound(store)?.0 {
        let last = looked.entry(it.site).or_insert(it.last);
        *last = it.last.max(*last);
    }
    let nothing = Vec::new();
    let of = |site| {
        let rows = rows.get(&site).unwrap_or(&nothing);
        let notes = noted.remove(&site).unwrap_or_default();
        SitePosture {
            site,
            state: unread(state(rows, is_dark(site), now), &notes),
            feeds: feeds(rows, now),
            gaps: gaps(rows, now),
            notes,
            outbound: looked.get(&site).copied(),
        }
    };
    Ok(sites.into_iter().map(of).collect())
}

fn state(rows: &[DayRow], is_dark: bool, now: Timestamp) -> LogState {
    let Some(last) = rows.iter().map(|row| row.last).max() else { return LogState::Never };
    let days = rows.iter().map(|row| LogDay {
        day: row.day,
        events: row.events,
        hours: row.hours,
        last: row.last,
    });
    match silence(&days.collect::<Vec<_>>(), now) {
        Silence::Silent if !is_dark => return LogState::Silent(last),
        Silence::Quiet if !is_dark => return LogState::Quiet(last),
        _ => {}
    }
    let recent = rows.iter().filter(|row| row.day >= day_of(last) - RECENT_DAYS);
    let fields = fields_of(recent.fold(0, |all, row| all | row.fields));
    let missing: Vec<_> = WANTED.into_iter().filter(|wanted| !fields.contains(wanted)).collect();
    if missing.is_empty() { LogState::Complete } else { LogState::Partial(missing) }
}

/// Logs of which many lines are of no known format are not complete.
fn unread(state: LogState, notes: &LogNotes) -> LogState {
    match state {
        LogState::Complete if notes.is_unrecognised() => LogState::Partial(vec![RECOGNISED]),
        LogState::Partial(mut missing) if notes.is_unrecognised() => {
            missing.push(RECOGNISED);
            LogState::Partial(missing)
        }
        state => state,
    }
}

/// The stretches of days without a line.
fn gaps(rows: &[DayRow], now: Timestamp) -> Vec<(i64, i64)> {
    let days = rows.iter().map(|row| row.day).filter(|day| *day > day_of(now) - POSTURE_DAYS);
    let days: Vec<i64> = days.collect::<BTreeSet<_>>().into_iter().collect();
    let between = |pair: &[i64]| (pair[0] + 1, pair[1] - 1);
    let mut gaps: Vec<_> = days.windows(2).map(between).filter(|(from, to)| from <= to).collect();
    gaps.drain(..gaps.len().saturating_sub(LOG_GAPS_MAX));
    gaps
}

fn feeds(rows: &[DayRow], now: Timestamp) -> Vec<FeedPosture> {
    let mut feeds: BTreeMap<&str, (FeedPosture, u32, BTreeSet<i64>)> = BTreeMap::new();
    for row in rows {
        let (feed, bits, days) = feeds.entry(&row.format).or_insert_with(|| {
            let (format, last) = (row.format.clone(), row.last);
            let feed = FeedPosture { format, last, events: 0, days: 0, fields: Vec::new() };
            (feed, 0, BTreeSet::new())
        });
        feed.last = feed.last.max(row.last);
        if row.day > day_of(now) - POSTURE_DAYS {
            feed.events += row.events;
            *bits |= row.fields;
            days.insert(row.day);
        }
    }
    let whole = |(feed, bits, days): (FeedPosture, u32, BTreeSet<i64>)| FeedPosture {
        days: u32::try_from(days.len()).unwrap_or(u32::MAX),
        fields: fields_of(bits),
        ..feed
    };
    feeds.into_values().map(whole).collect()
}

#[cfg(test)]
mod tests {
    use relight_model::OrgId;
    use relight_watch::FIELDS;

    use super::*;

    /// A Monday, at noon.
    const NOW: Timestamp = 1_639_396_800;

    fn bits(names: &[&str]) -> u32 {
        let set = FIELDS.iter().enumerate().filter(|(_, name)| names.contains(name));
        set.map(|(bit, _)| 1 << bit).sum()
    }

    fn row(days_ago: i64, events: u64, hours: u32, fields: u32) -> DayRow {
        let day = day_of(NOW) - days_ago;
        let last_hour = 31 - i64::from(hours.leading_zeros());
        DayRow {
            org: OrgId(1),
            site: Some(SiteId(1)),
            format: "combined".to_owned(),
            day,
            events,
            hours,
            fields,
            first: day * 86_400,
            last: day * 86_400 + last_hour * 3_600,
        }
    }

    const ALL_DAY: u32 = 0xff_ffff;

    fn state_of(rows: &[DayRow]) -> LogState {
        state(rows, false, NOW)
    }

    #[test]
    fn fields_decide_while_lines_come() {
        let all = bits(&WANTED);
        assert_eq!(state_of(&[row(0, 100, 0xfff, all)]), LogState::Complete);
        let few = bits(&["path", "status", "host"]);
        let missing = LogState::Partial(vec!["user-agent", "referer"]);
        assert_eq!(state_of(&[row(0, 100, 0xfff, few)]), missing);
        // What one feed lacks another may have.
        let both = [row(0, 9, 0xfff, few), row(1, 9, 0xfff, bits(&["user-agent", "referer"]))];
        assert_eq!(state_of(&both), LogState::Complete);
        assert_eq!(state_of(&[]), LogState::Never);
    }

    #[test]
    fn silence_and_quiet_are_not_complete() {
        let all = bits(&WANTED);
        let busy: Vec<DayRow> = (2..20).map(|ago| row(ago, 500, ALL_DAY, all)).collect();
        let last = busy[0].last;
        assert_eq!(state_of(&busy), LogState::Silent(last));
        assert_eq!(state(&busy, true, NOW), LogState::Complete, "a dark site is not silent");
        // Few visitors: never complete while nobody can tell.
        let small: Vec<DayRow> = (0..21).map(|ago| row(ago, 2, 1 << 8 | 1 << 10, all)).collect();
        let last = small[0].last;
        let after = |hours: i64| state(&small, false, last + hours * 3_600);
        assert_eq!(after(20), LogState::Complete);
        assert_eq!(after(30), LogState::Quiet(last));
        assert_eq!(after(20 * 24), LogState::Silent(last));
        assert_eq!(state(&small, true, last + 20 * 86_400), LogState::Complete, "dark");
    }

    #[test]
    fn days_without_a_line_are_gaps_and_the_last_of_them_stay() {
        let found = |days: &[i64]| -> Vec<(i64, i64)> {
            let rows: Vec<DayRow> = days.iter().map(|ago| row(*ago, 1, 1, 0)).collect();
            let ago = |day: i64| day_of(NOW) - day;
            gaps(&rows, NOW).into_iter().map(|(from, to)| (ago(from), ago(to))).collect()
        };
        assert_eq!(found(&[]), []);
        assert_eq!(found(&[0, 1, 2, 2]), []);
        assert_eq!(found(&[120, 9, 8, 5, 3]), [(7, 6), (4, 4)], "what is older counts no more");
        let every_second: Vec<i64> = (0..60).step_by(2).collect();
        assert_eq!(found(&every_second).len(), LOG_GAPS_MAX);
        assert_eq!(found(&every_second).last(), Some(&(1, 1)));
    }

    #[test]
    fn logs_that_are_not_understood_are_not_complete() {
        let notes = LogNotes { lines: 1_000, unread: 101, ..LogNotes::default() };
        let few = LogNotes { unread: 100, ..notes.clone() };
        let with = |state: LogState, notes: &LogNotes| unread(state, notes);
        assert_eq!(with(LogState::Complete, &few), LogState::Complete);
        assert_eq!(with(LogState::Complete, &notes), LogState::Partial(vec![RECOGNISED]));
        let partial = || LogState::Partial(vec!["referer"]);
        assert_eq!(with(partial(), &few), partial());
        assert_eq!(with(partial(), &notes), LogState::Partial(vec!["referer", RECOGNISED]));
        assert_eq!(with(LogState::Silent(7), &notes), LogState::Silent(7));
    }

    #[test]
    fn feeds_are_kept_apart() {
        let mut old = row(200, 7, 1, bits(&["path"]));
        old.format = "asa".to_owned();
        let rows = [old, row(1, 5, 1, bits(&["path"])), row(0, 6, 1, bits(&["status"]))];
        let feeds = feeds(&rows, NOW);
        let seen: Vec<_> = feeds
            .iter()
            .map(|it| (it.format.as_str(), it.events, it.days, it.fields.len()))
            .collect();
        assert_eq!(seen, [("asa", 0, 0, 0), ("combined", 11, 2, 2)]);
    }
}
