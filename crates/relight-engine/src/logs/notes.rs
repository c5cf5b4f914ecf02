//! What is noted about the lines of logs themselves, by the day on which they were read: how many
//! nobody understood, how far their clock is from ours, and when a feed became one of another
//! format. Kept beside the days of logs, and counted as none of them.

use std::collections::BTreeMap;

use relight_model::{OrgId, SiteId, Timestamp};
use relight_store::{DayRow, Store};
use relight_watch::{Feed, RECOGNISED_LINES_MIN, Tally};

use super::compact::day_of;
use crate::error::EngineError;

/// Lines that were read as events or not at all, and among them those of no known format.
const LINES: &str = "-lines";
const UNREAD: &str = "-unread";

/// Seconds by which events were ahead of our clock.
const AHEAD: &str = "-ahead";

/// Seconds by which the newest events were behind our clock when they were read.
const BEHIND: &str = "-behind";

/// Seconds by which lines may be late and still be those of a feed; older ones are of an archive.
const BEHIND_S_MAX: Timestamp = 7 * 86_400;

/// `-changed FROM TO`, without the last where nobody understood most lines.
const CHANGED: &str = "-changed ";

/// Seconds by which a clock may be ahead before anybody is told.
const AHEAD_S_MIN: Timestamp = 120;

/// Days of reading that count.
const NOTED_DAYS: i64 = 28;

/// A feed is of a format when it makes nine in ten of its events of late.
const USUAL_TENTHS: u64 = 9;

/// What was noted about the lines of a site, or of an organisation that are of no site.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogNotes {
    /// Lines that were read as events or not at all.
    pub lines: u64,
    /// Lines among them that are of no known format.
    pub unread: u64,
    /// By how many seconds events were ahead of our clock, at most; none below two minutes.
    pub ahead_s: Option<Timestamp>,
    /// By how many seconds the newest events were behind our clock when they were read: the least
    /// and the most.
    pub behind_s: Option<(Timestamp, Timestamp)>,
    /// From which format to which the lines changed, and when that was noticed first in the days of
    /// reading that count. Each log that is opened notices it again.
    pub changes: Vec<(String, Option<String>, Timestamp)>,
}

impl LogNotes {
    /// More than one line in ten is of no known format (code `unrecognised`).
    pub const fn is_unrecognised(&self) -> bool {
        self.lines >= RECOGNISED_LINES_MIN && 10 * self.unread > self.lines
    }

    /// Rows come by format, and of each the oldest first.
    fn add(&mut self, row: &DayRow) {
        match row.format.as_str() {
            LINES => self.lines += row.events,
            UNREAD => self.unread += row.events,
            AHEAD => self.ahead_s = self.ahead_s.max(Some(row.last)),
            BEHIND => {
                let (least, most) = self.behind_s.unwrap_or((row.first, row.last));
                self.behind_s = Some((least.min(row.first), most.max(row.last)));
            }
            other => {
                let mut formats = other.strip_prefix(CHANGED).unwrap_or_default().split(' ');
                if let Some(from) = formats.next().filter(|from| !from.is_empty()) {
                    let to = formats.next();
                    let is_told = |(told, told_to, _): &(String, Option<String>, _)| {
                        told == from && told_to.as_deref() == to
                    };
                    if !self.changes.last().is_some_and(is_told) {
                        let to = to.map(str::to_owned);
                        self.changes.push((from.to_owned(), to, row.first));
                    }
                }
            }
        }
    }
}

/// What a segment of a feed told about its lines.
pub(super) fn rows(feed: &Feed, tally: &Tally, now: Timestamp) -> Vec<DayRow> {
    let row = |format: &str, events: u64, (first, last): (Timestamp, Timestamp)| DayRow {
        org: feed.org,
        site: feed.site,
        format: format.to_owned(),
        day: day_of(now),
        events,
        hours: 0,
        fields: 0,
        first,
        last,
    };
    let mut rows = Vec::new();
    let lines = tally.events + tally.unread;
    if lines > 0 {
        rows.push(row(LINES, lines, (now, now)));
    }
    if tally.unread > 0 {
        rows.push(row(UNREAD, tally.unread, (now, now)));
    }
    if tally.ahead_s > AHEAD_S_MIN {
        rows.push(row(AHEAD, tally.skewed, (tally.ahead_s, tally.ahead_s)));
    }
    if let Some(newest) = tally.newest.filter(|_| tally.events > 0 && feed.received > 0) {
        let behind = (feed.received - newest).max(0);
        if behind <= BEHIND_S_MAX {
            rows.push(row(BEHIND, tally.late, (behind, behind)));
        }
    }
    for change in &tally.changes {
        let to = change.to.map(|to| format!(" {to}")).unwrap_or_default();
        rows.push(row(&format!("{CHANGED}{}{to}", change.from), 1, (now, now)));
    }
    rows
}

/// What was noted of late, by organisation and site.
///
/// # Errors
/// The store cannot be read.
pub fn log_notes(
    store: &Store,
    now: Timestamp,
) -> Result<BTreeMap<(OrgId, Option<SiteId>), LogNotes>, EngineError> {
    let mut notes: BTreeMap<_, LogNotes> = BTreeMap::new();
    for row in store.watch_day_notes(day_of(now) - NOTED_DAYS)? {
        notes.entry((row.org, row.site)).or_default().add(&row);
    }
    Ok(notes)
}

/// The format of which nearly all lines of a feed were of late, where it is that of one site.
pub(super) fn usual_format(store: &Store, feed: &Feed) -> Result<Option<String>, EngineError> {
    let Some(site) = feed.site else { return Ok(None) };
    let formats = store.watch_formats(feed.org, site, NOTED_DAYS)?;
    let all: u64 = formats.iter().map(|(_, events)| events).sum();
    let most = formats.into_iter().next();
    Ok(most.filter(|(_, events)| 10 * events >= USUAL_TENTHS * all).map(|(format, _)| format))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write as _;
    use std::path::Path;

    use relight_watch::Reader;

    use super::super::follow::Follower;
    use super::super::judge::tests;
    use super::*;
    use crate::engine::{Engine, EngineOptions};

    /// When everything is read.
    const NOW: Timestamp = 1_639_101_600;

    /// One site of a register, read at that time: days of the future are not kept.
    fn one_site() -> (tempfile::TempDir, Engine, Feed) {
        let (folder, engine, feed) = tests::one_site();
        let engine = later(&engine, || NOW * 1_000);
        (folder, engine, feed)
    }

    /// The same register, later.
    fn later(engine: &Engine, clock: fn() -> i64) -> Engine {
        let store = std::sync::Arc::clone(&engine.store);
        let options = EngineOptions { holder: "test".into(), clock, inventory_ttl_s: 1 };
        Engine::open(store, options).unwrap()
    }

    /// A line of so many seconds after that time.
    fn line(after: i64, tail: &str) -> String {
        let at = after + 9 * 86_400 + 7_200;
        let (day, at) = (1 + at / 86_400, at % 86_400);
        let (hour, minute, second) = (at / 3_600, at / 60 % 60, at % 60);
        format!(
            "192.0.2.1 - - [{day:02}/Dec/2021:{hour:02}:{minute:02}:{second:02} +0000] \
             \"GET / HTTP/1.1\" 200 1{tail}\n"
        )
    }

    fn read(engine: &Engine, feed: &Feed, folder: &Path, name: &str, lines: &[String]) -> Tally {
        let path = folder.join(name);
        fs::write(&path, lines.concat()).unwrap();
        let mut reader = Reader::new(feed.clone());
        engine.ingest_file(&mut reader, &path).unwrap().tally
    }

    /// Goal: a product that was updated is noticed when its next log is read, also by another
    /// process, and stays noticed. Method: a log of one format, one of another, one of none.
    #[test]
    fn another_format_than_before_is_noticed_from_log_to_log_and_kept() {
        let (folder, engine, feed) = one_site();
        let feed = Feed { received: NOW, ..feed };
        let combined: Vec<String> = (0..1_200).map(|at| line(at, " \"-\" \"x\"")).collect();
        let common: Vec<String> = (0..1_200).map(|at| line(at, "")).collect();
        let torn: Vec<String> = (0..1_200).map(|at| format!("torn {at}\n")).collect();
        let told = |name: &str, lines: &[String]| -> Vec<(&str, Option<&str>)> {
            let tally = read(&engine, &feed, folder.path(), name, lines);
            tally.changes.iter().map(|change| (change.from, change.to)).collect()
        };
        assert_eq!(told("one", &combined), []);
        assert_eq!(told("two", &combined[..1_100]), []);
        assert_eq!(told("three", &common), [("combined", Some("common"))]);
        let notes = |feed: &Feed| {
            let notes = log_notes(engine.store(), engine.now()).unwrap();
            notes.get(&(feed.org, feed.site)).cloned().unwrap_or_default()
        };
        assert!(!notes(&feed).is_unrecognised());
        assert_eq!(told("four", &torn).len(), 0, "two formats: none is the usual one");
        let kept = notes(&feed);
        assert_eq!((kept.lines, kept.unread), (4_700, 1_200));
        assert!(kept.is_unrecognised());
        let change = ("combined".to_owned(), Some("common".to_owned()), engine.now());
        assert_eq!(kept.changes, [change]);
        assert_eq!(kept.behind_s, Some((0, 0)), "the lines are of the minutes to come");
        let nobody = Feed { site: None, ..feed };
        assert_eq!(notes(&nobody), LogNotes::default());
    }

    /// Goal: since when nobody understands the lines of a site is the day on which that began, told
    /// once. Method: logs of no known format, read on two days.
    #[test]
    fn a_change_that_later_logs_show_again_is_told_once_since_the_first_of_them() {
        let (folder, today, feed) = one_site();
        let tomorrow = later(&today, || (NOW + 86_400) * 1_000);
        let combined: Vec<String> = (0..1_200).map(|at| line(at, " \"-\" \"x\"")).collect();
        // Each is another log: the same lines would be those of one that was read.
        let torn = |day: &str| -> Vec<String> {
            (0..1_200).map(|at| format!("torn {day} {at}\n")).collect()
        };
        let told = |engine: &Engine, name: &str, lines: &[String]| {
            read(engine, &feed, folder.path(), name, lines).changes.len()
        };
        assert_eq!(told(&today, "one", &combined), 0);
        assert_eq!(told(&today, "two", &torn("today")), 1);
        assert_eq!(
            told(&tomorrow, "three", &torn("tomorrow")),
            1,
            "each log that is opened tells it"
        );
        let notes = log_notes(today.store(), tomorrow.now()).unwrap();
        let changes = &notes.values().next().unwrap().changes;
        assert_eq!(changes[..], [("combined".to_owned(), None, NOW)]);
    }

    #[test]
    fn how_far_the_clock_of_a_feed_is_from_ours_is_kept() {
        let (folder, engine, feed) = one_site();
        let feed = Feed { received: NOW, ..feed };
        for (after, ahead, behind) in [
            (-30, None, (30, 30)),
            (100, None, (0, 30)),
            (121, Some(121), (0, 30)),
            (900, Some(900), (0, 30)),
            (-7_200, Some(900), (0, 7_200)),
            (-9 * 86_400, Some(900), (0, 7_200)),
        ] {
            let name = format!("log{after}");
            read(&engine, &feed, folder.path(), &name, &[line(after, " \"-\" \"x\"")]);
            let notes = log_notes(engine.store(), engine.now()).unwrap();
            let notes = notes.values().next().unwrap();
            assert_eq!((notes.ahead_s, notes.behind_s), (ahead, Some(behind)), "{after}");
        }
    }

    /// Goal: a clock that was put right is not said to be wrong on the days that follow. Method: a
    /// log that one reader follows over two days, of which the first line is of the future.
    #[test]
    fn a_clock_that_was_put_right_is_not_ahead_on_a_later_day() {
        let (folder, today, feed) = one_site();
        let tomorrow = later(&today, || (NOW + 86_400) * 1_000);
        let feed = Feed { received: NOW, ..feed };
        let path = folder.path().join("log");
        let mut follower = Follower::new(vec![path.clone()]);
        let mut look = |engine: &Engine, after: i64| {
            let mut log = fs::File::options().append(true).create(true).open(&path).unwrap();
            log.write_all(line(after, " \"-\" \"x\"").as_bytes()).unwrap();
            let report = follower.look(engine, &|| Some(Reader::new(feed.clone())));
            assert_eq!((report.logs.len(), report.errors.len()), (1, 0));
        };
        look(&today, 600);
        look(&tomorrow, 86_400);
        // The days of which is told end at this one, so that the first one is too old.
        let notes_at = |now: Timestamp| {
            let notes = log_notes(today.store(), now).unwrap();
            let notes = notes.values().next().unwrap();
            (notes.lines, notes.ahead_s)
        };
        assert_eq!(notes_at(NOW + 86_400), (2, Some(600)));
        assert_eq!(notes_at(NOW + (NOTED_DAYS + 1) * 86_400), (1, None));
    }
}
