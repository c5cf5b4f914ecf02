//! Log files that grow, are renamed, packed and emptied: every line counts once.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use relight_engine::store::SegmentsDraft;
use relight_engine::watch::{Feed, Reader, Window};
use relight_engine::{
    FollowReport, Follower, HEAD_BYTES, LogReport, WATCH_DAYS_MAX, WINDOWS_OF_DAY_MAX, keep_days,
    kept_days,
};
use relight_model::Digest;
use testkit::Rng;

use crate::engine::{Town, pass};

/// A folder of logs beside a register.
struct Logs {
    town: Town,
    folder: PathBuf,
    written: u64,
}

impl Logs {
    fn new() -> Self {
        let town = Town::new(1);
        let folder = town.folder.path().join("logs");
        fs::create_dir(&folder).unwrap();
        Self { town, folder, written: 0 }
    }

    fn reader(&self) -> Reader {
        let org = self.town.engine.organisations().unwrap()[0].id;
        Reader::new(Feed { org, ..Feed::default() })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The next lines of a log, each unlike all others.
    fn lines(&mut self, count: u64) -> String {
        let line = |number: u64| {
            let (hour, minute, second) = (number / 3600 % 24, number / 60 % 60, number % 60);
            format!(
                "192.0.2.1 - - [10/Dec/2021:{hour:02}:{minute:02}:{second:02} +0000] \
                 \"GET /{number} HTTP/1.1\" 200 9 \"-\" \"-\"\n"
            )
        };
        let lines = (self.written..self.written + count).map(line).collect();
        self.written += count;
        lines
    }

    fn append(&mut self, name: &str, count: u64) {
        let lines = self.lines(count);
        self.append_text(name, &lines);
    }

    fn append_text(&self, name: &str, text: &str) {
        let path = self.path(name);
        let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    fn ingest(&self, name: &str) -> LogReport {
        self.town.engine.ingest_file(&mut self.reader(), &self.path(name)).unwrap()
    }

    /// Events in all windows together.
    fn counted(&self) -> u64 {
        let mut pool = Window::new(0);
        for (_, bytes) in self.town.engine.store().windows().unwrap() {
            pool.merge(&Window::from_bytes(&bytes).unwrap());
        }
        pool.stats().events
    }

    fn look(&self, follower: &mut Follower) -> FollowReport {
        follower.look(&self.town.engine, &|| Some(self.reader()))
    }

    /// Files that went, and what was told.
    fn remove_read(&self, follower: &mut Follower) -> (usize, FollowReport) {
        let mut report = FollowReport::default();
        let removed = follower.remove_read(&self.town.engine, &self.folder, &mut report);
        (removed.unwrap(), report)
    }

    /// The store takes no more, or again.
    fn refuse(&self, more: Option<u32>) {
        self.town.engine.store().limit_pages(more).unwrap();
    }
}

fn gzip(path: &Path) {
    let plain = fs::read(path).unwrap();
    let name = path.with_extension("gz");
    let file = fs::File::create(&name).unwrap();
    let mut encoder = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
    encoder.write_all(&plain).unwrap();
    encoder.finish().unwrap();
    fs::remove_file(path).unwrap();
}

#[test]
fn a_log_is_read_from_where_it_was_left() {
    let mut logs = Logs::new();
    logs.append("access.log", 30);
    let first = logs.ingest("access.log");
    assert_eq!((first.tally.events, first.skipped_bytes, first.is_known()), (30, 0, false));
    assert!(logs.ingest("access.log").is_known());
    logs.append("access.log", 2);
    let second = logs.ingest("access.log");
    assert_eq!((second.tally.lines, second.tally.events), (2, 2));
    assert_eq!(logs.counted(), 32);
}

#[test]
fn a_renamed_and_packed_log_is_the_same_log() {
    let mut logs = Logs::new();
    logs.append("access.log", 50);
    logs.ingest("access.log");
    logs.append("access.log", 5);
    fs::rename(logs.path("access.log"), logs.path("access.log.1")).unwrap();
    logs.append("access.log", 7);
    assert_eq!(logs.ingest("access.log").tally.events, 7);
    gzip(&logs.path("access.log.1"));
    let packed = logs.ingest("access.log.gz");
    assert_eq!((packed.tally.events, packed.skipped_bytes > HEAD_BYTES as u64), (5, true));
    assert_eq!(logs.counted(), logs.written);
}

#[test]
fn an_unfinished_line_is_read_again_once_it_is_whole() {
    let mut logs = Logs::new();
    let lines = logs.lines(3);
    let (start, rest) = lines.split_at(lines.len() - 20);
    logs.append_text("access.log", start);
    let first = logs.ingest("access.log");
    assert_eq!((first.tally.events, first.tally.refused.len()), (2, 1), "it is said");
    logs.append_text("access.log", rest);
    assert_eq!(logs.ingest("access.log").tally.events, 1);
    assert_eq!(logs.counted(), 3);
}

#[test]
fn a_follower_leaves_an_unfinished_line_to_its_writer() {
    let mut logs = Logs::new();
    let mut follower = Follower::new(vec![logs.folder.clone()]);
    let lines = logs.lines(3);
    let (start, rest) = lines.split_at(lines.len() - 20);
    logs.append_text("access.log", start);
    let look = logs.look(&mut follower);
    assert_eq!(look.logs[0].1.tally.events, 2);
    assert!(look.logs[0].1.tally.refused.is_empty());
    logs.append_text("access.log", rest);
    assert_eq!(logs.look(&mut follower).logs[0].1.tally.events, 1);
    assert_eq!(logs.counted(), 3);
}

#[test]
fn columns_are_known_behind_a_restart() {
    let logs = Logs::new();
    logs.append_text("iis.log", "#Fields: date time c-ip cs-method cs-uri-stem sc-status\n");
    logs.append_text("iis.log", "2021-12-10 02:05:58 192.0.2.4 GET /a 403\n");
    assert_eq!(logs.ingest("iis.log").tally.events, 1);
    logs.append_text("iis.log", "2021-12-10 02:05:59 192.0.2.4 GET /b 403\n");
    let second = logs.ingest("iis.log").tally;
    assert_eq!((second.events, second.lines), (1, 1));
}

#[test]
fn what_cannot_be_read_is_told_once() {
    let logs = Logs::new();
    fs::write(logs.path("cut.gz"), b"\x1f\x8b\x08\x00").unwrap();
    let mut follower = Follower::new(vec![logs.folder.clone(), logs.path("nowhere.log")]);
    assert_eq!(logs.look(&mut follower).errors.len(), 1, "a log may come later");
    assert_eq!(logs.look(&mut follower).errors.len(), 0);
}

#[test]
fn a_log_that_was_emptied_starts_anew() {
    let mut logs = Logs::new();
    let mut follower = Follower::new(vec![logs.folder.clone()]);
    logs.append("access.log", 40);
    logs.look(&mut follower);
    fs::write(logs.path("access.log"), b"").unwrap();
    logs.look(&mut follower);
    logs.append("access.log", 4);
    logs.look(&mut follower);
    assert_eq!(logs.counted(), 44);
}

/// Somebody looks every five seconds for a day: what is kept does not grow with that.
#[test]
fn windows_of_a_follower_stay_few() {
    let mut logs = Logs::new();
    let mut follower = Follower::new(vec![logs.folder.clone()]);
    let mut most = 0;
    for _ in 0..400 {
        logs.append("access.log", 1);
        logs.look(&mut follower);
        pass(5);
        most = most.max(logs.town.engine.store().windows().unwrap().len());
    }
    // Twelve looks a minute, and what was joined before.
    assert!(most <= 12 + usize::try_from(WINDOWS_OF_DAY_MAX).unwrap(), "{most} windows");
    assert_eq!(logs.counted(), 400);
    pass(24 * 3_600);
    logs.town.engine.compact_windows().unwrap();
    assert_eq!(logs.town.engine.store().windows().unwrap().len(), 1, "the day is over");
    assert_eq!(logs.counted(), 400);
    let days = logs.town.engine.store().watch_days(0, i64::MAX).unwrap();
    assert_eq!(days.iter().map(|row| row.events).sum::<u64>(), 400);
    // A segment that was read counts once, also after its window was joined.
    let text = fs::read_to_string(logs.path("access.log")).unwrap();
    let first = format!("{}\n", text.lines().next().unwrap()).into_bytes();
    let again = logs.town.engine.ingest_lines(&mut logs.reader(), std::io::Cursor::new(first));
    assert!(again.unwrap().is_known());
    assert_eq!(logs.counted(), 400);
    pass((WATCH_DAYS_MAX - 1) * 24 * 3_600);
    assert_eq!(logs.town.engine.compact_windows().unwrap(), 0);
    pass(24 * 3_600);
    assert_eq!(logs.town.engine.compact_windows().unwrap(), 1);
    assert_eq!(logs.counted(), 0, "its time is over");
}

/// A follower to whom nobody writes forgets what is too old all the same.
#[test]
fn old_windows_go_without_new_lines() {
    let mut logs = Logs::new();
    logs.append("access.log", 1);
    let mut follower = Follower::new(vec![logs.folder.clone()]);
    logs.look(&mut follower);
    assert_eq!(logs.counted(), 1);
    pass((WATCH_DAYS_MAX + 1) * 24 * 3_600);
    logs.look(&mut follower);
    assert_eq!(logs.counted(), 0);
}

/// Who must keep less says so; nobody can keep more.
#[test]
fn logs_are_kept_for_as_long_as_somebody_says() {
    let mut logs = Logs::new();
    let store = logs.town.engine.store().clone();
    assert_eq!(kept_days(&store).unwrap(), WATCH_DAYS_MAX);
    logs.append("access.log", 1);
    logs.look(&mut Follower::new(vec![logs.folder.clone()]));
    pass(31 * 24 * 3_600);
    assert_eq!(logs.town.engine.compact_windows().unwrap(), 0);
    keep_days(&store, 31).unwrap();
    assert_eq!(logs.town.engine.compact_windows().unwrap(), 0, "the last of these days");
    keep_days(&store, 30).unwrap();
    assert_eq!(logs.town.engine.compact_windows().unwrap(), 1);
    assert_eq!(logs.counted(), 0);
    for (told, kept) in [(0, 1), (WATCH_DAYS_MAX + 1, WATCH_DAYS_MAX)] {
        keep_days(&store, told).unwrap();
        assert_eq!(kept_days(&store).unwrap(), kept);
    }
}

/// A window that cannot be read costs its own day, and is told.
#[test]
fn windows_of_other_days_are_joined_beside_one_that_cannot_be_read() {
    let mut logs = Logs::new();
    let org = logs.town.engine.organisations().unwrap()[0].id;
    let store = logs.town.engine.store();
    for number in 0..2 {
        let draft = SegmentsDraft {
            org,
            segments: &[Digest([number; 32])],
            windows: &[(10, b"of another version".to_vec())],
            read_day: logs.town.engine.now() / 86_400,
            days: &[],
            probes: &[],
            position: None,
            erasures: 0,
        };
        store.put_segments(&draft).unwrap();
    }
    logs.append("a.log", 1);
    logs.append("b.log", 1);
    logs.ingest("a.log");
    logs.ingest("b.log");
    pass(24 * 3_600);
    logs.town.engine.compact_windows().unwrap_err();
    assert_eq!(logs.town.engine.store().windows().unwrap().len(), 3);
}

/// Lines that are written weeks after the follower began are not from the future.
#[test]
fn a_follower_keeps_the_time() {
    let mut logs = Logs::new();
    let mut follower = Follower::new(vec![logs.folder.clone()]);
    let org = logs.town.engine.organisations().unwrap()[0].id;
    let received = logs.town.engine.now();
    let reader = move || Some(Reader::new(Feed { org, received, ..Feed::default() }));
    let skewed = |logs: &mut Logs, follower: &mut Follower| {
        logs.append("access.log", 3);
        let look = follower.look(&logs.town.engine, &reader);
        look.logs[0].1.tally.skewed
    };
    // The lines are of the tenth, at midnight; the clock stands at noon of that day.
    assert_eq!(skewed(&mut logs, &mut follower), 0);
    pass(-2 * 24 * 3_600);
    assert_eq!(skewed(&mut logs, &mut follower), 3, "now they are");
    pass(3 * 24 * 3_600);
    assert_eq!(skewed(&mut logs, &mut follower), 0);
}

/// Files of a spool go once they were read, all but the one that is written.
#[test]
fn a_spool_is_emptied_as_it_is_read() {
    let mut logs = Logs::new();
    let mut follower = Follower::new(vec![logs.folder.clone()]);
    for name in ["1.log", "2.log", "3.log"] {
        logs.append(name, 5);
    }
    assert_eq!(logs.remove_read(&mut follower).0, 0, "not yet read");
    logs.look(&mut follower);
    logs.append("2.log", 1);
    assert_eq!(logs.remove_read(&mut follower).0, 1);
    logs.append_text("2.log", "a line that was torn by a crash");
    logs.look(&mut follower);
    assert_eq!(logs.remove_read(&mut follower).0, 1);
    assert!(!logs.path("1.log").exists() && logs.path("3.log").exists());
    assert_eq!(logs.counted(), 16);
}

/// Goal: a line that its writer could not finish and writes elsewhere counts once. Method: half of
/// it is read, taken back and written whole into the next file of the spool; the writer of the
/// first file goes on in it, or not.
#[test]
fn half_a_line_that_was_taken_back_is_none() {
    for goes_on in [false, true] {
        let mut logs = Logs::new();
        let mut follower = Follower::new(vec![logs.folder.clone()]);
        let (whole, torn) = (logs.lines(2), logs.lines(1));
        logs.append_text("1.log", &whole);
        // As it is written it looks like a line of another format.
        logs.append_text("1.log", torn.split_at(torn.find(" \"-\"").unwrap()).0);
        logs.look(&mut follower);
        let file = OpenOptions::new().write(true).open(logs.path("1.log")).unwrap();
        file.set_len(whole.len() as u64).unwrap();
        logs.append_text("2.log", &torn);
        if goes_on {
            logs.look(&mut follower);
            logs.append("1.log", 3);
        }
        logs.look(&mut follower);
        assert_eq!(logs.remove_read(&mut follower).0, 1);
        logs.look(&mut follower);
        assert_eq!(logs.counted(), if goes_on { 6 } else { 3 });
    }
}

/// The disk is full: what could not be kept is read again later, and no spool file goes before.
#[test]
fn what_the_store_refuses_stays_to_be_read() {
    let mut logs = Logs::new();
    let stranger = |number: u32| {
        let [_, _, a, b] = number.to_be_bytes();
        format!("198.51.{a}.{b} - - [10/Dec/2021:01:00:00 +0000] \"GET /.env HTTP/1.1\" 404 9\n")
    };
    let strangers: String = (0..3_000).map(stranger).collect();
    logs.append_text("1.log", &strangers);
    logs.append("2.log", 1);
    let mut follower = Follower::new(vec![logs.path("1.log")]);
    logs.refuse(Some(0));
    for told in [1, 0] {
        assert_eq!(logs.look(&mut follower).errors.len(), told, "told once");
        assert_eq!(logs.remove_read(&mut follower).0, 0);
    }
    assert_eq!(logs.counted(), 0);
    logs.refuse(None);
    logs.append("1.log", 2);
    assert!(logs.look(&mut follower).errors.is_empty());
    assert_eq!(logs.counted(), 3_002);
    assert_eq!(logs.remove_read(&mut follower).0, 1);
    assert_eq!(logs.counted(), 3_002);
}

/// The same for last lines without an end, which are read when their file goes.
#[test]
fn a_spool_file_whose_last_line_was_refused_stays() {
    const FILES: u64 = 300;
    let mut logs = Logs::new();
    for file in 0..=FILES {
        let line = logs.lines(1);
        logs.append_text(&format!("{file:03}.log"), line.trim_end());
    }
    let mut follower = Follower::new(vec![logs.folder.clone()]);
    assert!(logs.look(&mut follower).errors.is_empty());
    logs.refuse(Some(0));
    let (removed, report) = logs.remove_read(&mut follower);
    assert!(removed < FILES as usize);
    assert_eq!(logs.counted(), removed as u64);
    assert_eq!(report.errors.len(), FILES as usize - removed, "each is told");
    logs.refuse(None);
    assert_eq!(removed + logs.remove_read(&mut follower).0, FILES as usize);
    assert_eq!(logs.counted(), FILES);
}

/// Goal: neither lost nor counted twice. Method: lines are written in pieces of any size while the
/// log is renamed, packed, and the follower is stopped and started, from seeds.
#[test]
fn every_line_counts_once_through_rotation_and_restart() {
    for seed in 0..6 {
        println!("seed {seed}");
        let mut rng = Rng::new(seed);
        let mut logs = Logs::new();
        let mut follower = Follower::new(vec![logs.folder.clone()]);
        let mut waiting = String::new();
        let mut rotated = 0;
        for _ in 0..60 {
            match rng.below(8) {
                0..=3 => {
                    let count = 1 + rng.below(40) as u64;
                    waiting.push_str(&logs.lines(count));
                    let until = rng.below(waiting.len() + 1);
                    logs.append_text("access.log", &waiting[..until]);
                    waiting.drain(..until);
                }
                4 | 5 => assert!(logs.look(&mut follower).errors.is_empty()),
                6 => follower = Follower::new(vec![logs.folder.clone()]),
                _ if logs.path("access.log").exists() => {
                    // Who rotates lets the writer finish its line.
                    let end = waiting.find('\n').map_or(0, |at| at + 1);
                    logs.append_text("access.log", &waiting[..end]);
                    waiting.drain(..end);
                    rotated += 1;
                    let name = logs.path(&format!("old{rotated}.log"));
                    fs::rename(logs.path("access.log"), &name).unwrap();
                    if rng.chance(50) {
                        gzip(&name);
                    }
                }
                _ => {}
            }
        }
        logs.append_text("access.log", &waiting);
        logs.look(&mut follower);
        assert_eq!(logs.counted(), logs.written, "seed {seed}");
    }
}
