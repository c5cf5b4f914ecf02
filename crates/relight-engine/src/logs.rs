//! Logs in, campaigns out: windows are kept in the store, decisions are computed from all of them.

mod block;
mod compact;
mod file;
mod follow;
mod group;
mod heat;
mod hunts;
mod judge;
mod kept;
mod list;
mod names;
mod notes;
mod posture;
mod probed;
mod signs;
mod source;
mod tell;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::{self, Read};
use std::path::PathBuf;

use relight_formats::limited::{Limits, open_stream};
use relight_model::Digest;
use relight_store::LogPosition;
use relight_watch::{Daybook, Feed, Memory, Reader, Tally, Together, Window};

use crate::engine::Engine;
use crate::error::EngineError;
use crate::feeds::files_below;
use block::Block;
use file::LastLine;
use group::Group;
use source::{Next, Source};

pub use compact::{WATCH_DAYS_MAX, WINDOWS_OF_DAY_MAX, keep_days, kept_days};
pub use file::HEAD_BYTES;
pub use follow::{FOLLOWED_MAX, FollowReport, Follower};
pub use heat::{HeatMap, HeatRow, MAP_WEEKS_MAX, heat_map};
pub use hunts::{
    AnsweredDays, Erasure, ErasureLeft, HITS_MAX, Hunted, Place, erase_source, hunt_all,
};
pub use judge::{
    Faults, Judged, campaigns_of, judged, known_scanners, never_blocked, note_proxies, signs_seen,
};
pub(crate) use kept::KeptCampaigns;
pub use notes::{LogNotes, log_notes};
pub use posture::{FeedPosture, LOG_GAPS_MAX, LogState, POSTURE_DAYS, SitePosture, posture};
pub use probed::{OnThatDay, Probed, ProbedSite, probed};
pub use signs::{OUTBOUND, SignsGap, SignsOf, outbound, signs_of};
pub use tell::{TELLING_S, ToTell, begin_telling, campaigns_told, still_to_tell, tell_campaigns};

/// Bytes of log that become one window.
pub const SEGMENT_BYTES_MAX: usize = 8 << 20;

/// Most bytes of one log after unpacking.
pub const LOG_BYTES_MAX: u64 = 64 << 30;

/// Unpacked bytes of a log for each packed byte; real logs stay below 100.
const LOG_RATIO_MAX: u64 = 1_000;

/// Name of the list of scanners that mean well, in the data folder.
pub const KNOWN_SCANNERS: &str = "known-scanners.csv";

/// Name of the list of signs of success, in the data folder.
pub const SIGNS: &str = "signs.csv";

/// What a packed log may unpack to.
const LIMITS: Limits = Limits { bytes_max: LOG_BYTES_MAX, ratio_max: LOG_RATIO_MAX };

/// What became of one log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogReport {
    /// What its lines were. Lines of segments that were known are counted as lines only.
    pub tally: Tally,
    /// Lines longer than the limit; what is beyond was dropped.
    pub cut: u64,
    /// Contacts that were let go: beyond what is kept of one visit or one segment.
    pub overflow: u64,
    /// Segments read, and how many of them were known already and changed nothing.
    pub segments: u64,
    /// See `segments`.
    pub known: u64,
    /// Bytes of the file that had been read before, unpacked.
    pub skipped_bytes: u64,
}

impl LogReport {
    /// All of it was read before, and nothing changed.
    pub const fn is_known(&self) -> bool {
        let nothing_new = self.known == self.segments;
        nothing_new && (self.segments > 0 || self.skipped_bytes > 0)
    }
}

impl Engine {
    /// Reads one log (plain, gzip or zstd) of one feed. A line that is no event is counted with
    /// its number and costs nothing else; a segment that was read before changes nothing.
    ///
    /// # Errors
    /// The log cannot be read or unpacked, or the store cannot be written. The segments before
    /// that stay read.
    pub fn ingest_log(
        &self,
        feed: &Feed,
        log: impl Read + 'static,
    ) -> Result<LogReport, EngineError> {
        self.ingest_lines(&mut Reader::new(feed.clone()), log)
    }

    /// As [`Engine::ingest_log`], with a reader that goes on from log to log.
    ///
    /// # Errors
    /// As [`Engine::ingest_log`].
    pub fn ingest_lines(
        &self,
        reader: &mut Reader,
        log: impl Read + 'static,
    ) -> Result<LogReport, EngineError> {
        let before = reader.tally().clone();
        let mut report = LogReport::default();
        let read = self.ingest_segments(reader, log, &mut report);
        report.tally = reader.tally().since(&before);
        read.map(|()| report)
    }

    fn ingest_segments(
        &self,
        reader: &mut Reader,
        log: impl Read + 'static,
        report: &mut LogReport,
    ) -> Result<(), EngineError> {
        let mut stream = open_stream(log, LIMITS)
            .map_err(|error| EngineError::because("unpacking a log", error))?;
        let (mut block, mut group) = (Block::default(), Group::default());
        let mut source = Source::new(&mut *stream, &mut block);
        let read = loop {
            let taken = self.segment(reader, &mut source, LastLine::Counts, &mut group, report);
            match taken.failed {
                Some(error) => break Err(error),
                None if taken.bytes == 0 => break Ok(()),
                None if group.is_full() => self.keep(&mut group)?,
                None => {}
            }
        };
        // What was read before an error stays read.
        read.and(self.keep(&mut group))
    }

    /// Reads the next segment of a log into a group, which keeps it later; one that was read before
    /// changes nothing.
    fn segment(
        &self,
        reader: &mut Reader,
        source: &mut Source<'_>,
        last: LastLine,
        group: &mut Group,
        report: &mut LogReport,
    ) -> Taken {
        if let Err(error) = group.begin(&self.store) {
            return Taken { bytes: 0, first: Vec::new(), failed: Some(error) };
        }
        let mark = reader.mark();
        let mut read = read_segment(reader, source, last, group.together);
        if read.taken.bytes > 0 {
            report.segments += 1;
            report.cut += read.cut;
            // When that cannot be told now, it is looked at again before the segment is kept.
            let seen = self.store.segment_seen(read.digest).unwrap_or(false);
            if seen || group.holds(read.digest) {
                report.known += 1;
                reader.was_known(mark);
                // Its window goes, and the marks in it.
                group.together = Together::default();
            } else {
                group.together = read.together;
                report.overflow += read.window.stats().contact_overflow;
                read.window.name(head_of(read.digest));
                let tally = reader.tally().since(mark.tally());
                let notes = notes::rows(reader.feed(), &tally, self.now());
                let told = (&read.daybook, notes);
                self.group(group, (reader.feed().org, read.digest), read.window, told);
            }
        }
        read.taken
    }
}

/// How much of a log became a segment.
struct Taken {
    /// None when there is no more.
    bytes: usize,
    /// The first of them, [`HEAD_BYTES`] at most.
    first: Vec<u8>,
    /// Why the log could not be read any further.
    failed: Option<EngineError>,
}

/// What a segment gave.
struct ReadSegment {
    taken: Taken,
    digest: Digest,
    window: Window,
    daybook: Daybook,
    /// Lines that were cut.
    cut: u64,
    together: Together,
}

/// The position with the header that is in force there.
fn with_header(position: &LogPosition, reader: &Reader) -> LogPosition {
    LogPosition { header: reader.feed().header.clone(), ..position.clone() }
}

/// The log files among these places and below the folders among them, and the folders that could
/// not be listed.
pub fn log_files(places: &[PathBuf]) -> (BTreeSet<PathBuf>, Vec<(PathBuf, io::Error)>) {
    let (mut files, mut errors) = (BTreeSet::new(), Vec::new());
    for place in places {
        if place.is_dir() {
            let (found, failed) = files_below(place);
            files.extend(found);
            errors.extend(failed);
        } else {
            files.insert(place.clone());
        }
    }
    (files, errors)
}

thread_local! {
    /// Most logs are read by one thread, and many are followed at a time.
    static MEMORY: RefCell<Memory> = RefCell::new(Memory::default());
}

/// The number by which the window of a segment is told from others.
fn head_of(digest: Digest) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = digest.0;
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

/// Reads lines until the segment is full or there is no more. A segment is known again by its
/// digest, which is as hard to forge as SHA-256 and costs less; it is made of the same bytes as
/// they are read, because to bring them near a second time would cost as much again.
fn read_segment(
    reader: &mut Reader,
    source: &mut Source<'_>,
    last: LastLine,
    together: Together,
) -> ReadSegment {
    let mut hash = blake3::Hasher::new();
    hash.update(reader.feed().host.as_bytes()).update(&[0]);
    let (mut window, mut daybook) = (Window::new(0), Daybook::new());
    let mut taken = Taken { bytes: 0, first: Vec::new(), failed: None };
    let (cut, together) = MEMORY.with_borrow_mut(|memory| {
        let mut reading = reader.reading(memory, &mut window, &mut daybook, together);
        loop {
            let until = match source.next(taken.bytes, SEGMENT_BYTES_MAX) {
                Ok(Next::Lines(until)) => until,
                Ok(Next::End) if last == LastLine::Counts && !source.bytes().is_empty() => {
                    source.bytes().len()
                }
                Ok(Next::End | Next::Full) => break,
                Err(error) => {
                    taken.failed = Some(EngineError::because("reading a log", error));
                    break;
                }
            };
            let lines = &source.bytes()[..until];
            hash.update(lines);
            reading.lines(lines);
            let more = HEAD_BYTES.saturating_sub(taken.first.len()).min(until);
            taken.first.extend_from_slice(&lines[..more]);
            taken.bytes += until;
            source.drain(until);
        }
        reading.finish()
    });
    let digest = Digest(*hash.finalize().as_bytes());
    ReadSegment { taken, digest, window, daybook, cut, together }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;
    use std::sync::Arc;

    use relight_model::{Criticality, GateKey};
    use relight_store::{SiteRow, Store};

    use super::*;
    use crate::EngineOptions;

    #[test]
    fn empty_lines_are_counted_so_that_numbers_are_those_of_an_editor() {
        let log: &[u8] = b"\n\r\nnot a line of a log\n";
        let (_folder, engine) = engine();
        let org = engine.store().sites().unwrap().remove(0).org;
        let mut reader = Reader::new(Feed { org, ..Feed::default() });
        let report = engine.ingest_lines(&mut reader, log).unwrap();
        assert_eq!((report.tally.lines, report.tally.events, report.known), (3, 0, 0));
        let (count, first) = *report.tally.refused.values().next().unwrap();
        assert_eq!((count, first), (1, 3));
        let again = engine.ingest_lines(&mut reader, log).unwrap();
        assert_eq!((again.tally.lines, again.known), (3, 1), "a known segment counts the same");
    }

    /// What a log gave before it could not be read any further is kept, up to its last whole line.
    #[test]
    fn lines_before_an_error_are_kept() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
        }
        let line =
            "192.0.2.1 - - [10/Dec/2021:12:00:00 +0000] \"GET /a HTTP/1.1\" 404 9 \"-\" \"-\"";
        let log = Cursor::new(format!("{line}\n{line}\n{line}").into_bytes());
        let (_folder, engine) = engine();
        let org = engine.store().sites().unwrap().remove(0).org;
        let mut reader = Reader::new(Feed { org, ..Feed::default() });
        engine.ingest_lines(&mut reader, log.chain(Broken)).unwrap_err();
        let windows = engine.store().windows().unwrap();
        let window = Window::from_bytes(&windows[0].1).unwrap();
        assert_eq!((windows.len(), window.stats().events), (1, 2));
    }

    /// An engine with one site of one organisation.
    pub(super) fn engine() -> (tempfile::TempDir, Engine) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let site = SiteRow {
            line: 1,
            slug: GateKey::new("a").unwrap(),
            name_fr: "A".to_owned(),
            name_en: "A".to_owned(),
            origin: "https://a.example".to_owned(),
            organisation: "Body".to_owned(),
            sector: "health".to_owned(),
            criticality: Criticality::Important,
            exposure: None,
            aliases: None,
            parts: None,
            channel_fr: None,
            channel_en: None,
            edge: "east".to_owned(),
            public: true,
        };
        store.apply_import(&store.plan_import(&[site]).unwrap(), 1, "test").unwrap();
        let options = EngineOptions { holder: "test".into(), clock: || 0, inventory_ttl_s: 1 };
        let engine = Engine::open(Arc::new(store), options).unwrap();
        (folder, engine)
    }
}
