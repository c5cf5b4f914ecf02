//! What the logs of each site are like: whether they come, with which fields, and since when they
//! do not. An answer from logs says nothing about sites that send none.

use std::collections::{BTreeMap, BTreeSet};

use relight_model::{SiteId, Timestamp};
use relight_store::{DayRow, Store};
use relight_watch::{LogDay, Silence, fields_of, silence};

use super::compact::day_of;
use crate::error::EngineError;

/// Days that are looked at.
pub const POSTURE_DAYS: i64 = 90;

/// Days whose fields count.
const RECENT_DAYS: i64 = 28;

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
    let nothing = Vec::new();
    let of = |site| {
        let rows = rows.get(&site).unwrap_or(&nothing);
        SitePosture { site, state: state(rows, is_dark(site), now), feeds: feeds(rows, now) }
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
