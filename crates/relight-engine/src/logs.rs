//! Logs in, campaigns out: windows are kept in the store, decisions are computed from all of them.

use std::collections::BTreeMap;
use std::io::Read;

use relight_formats::limited::{self, Limits};
use relight_model::{Campaign, Digest, OrgId};
use relight_store::Store;
use relight_watch::line::text;
use relight_watch::{Feed, PARSERS, Window, campaigns, judge};
use sha2::{Digest as _, Sha256};

use crate::engine::Engine;
use crate::error::EngineError;

/// Bytes of log that become one window.
pub const SEGMENT_BYTES_MAX: usize = 8 << 20;

/// Most bytes of one log after unpacking.
pub const LOG_BYTES_MAX: u64 = 64 << 30;

/// Unpacked bytes of a log for each packed byte; real logs stay below 100.
const LOG_RATIO_MAX: u64 = 1_000;

/// What became of one log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogReport {
    /// Lines read.
    pub lines: u64,
    /// Lines that were events.
    pub events: u64,
    /// Lines that were refused, by code: how many, and the number of the first one.
    pub refused: BTreeMap<&'static str, (u64, u64)>,
    /// Lines longer than the limit; what is beyond was dropped.
    pub cut: u64,
    /// Segments read, and how many of them were known already and changed nothing.
    pub segments: u64,
    /// See `segments`.
    pub known: u64,
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
        let limits = Limits { bytes_max: LOG_BYTES_MAX, ratio_max: LOG_RATIO_MAX };
        let mut stream = limited::open_stream(log, limits)
            .map_err(|error| EngineError::because("unpacking a log", error))?;
        let mut report = LogReport::default();
        let mut block = Vec::new();
        loop {
            let missing = (SEGMENT_BYTES_MAX - block.len()) as u64;
            let read = stream
                .by_ref()
                .take(missing)
                .read_to_end(&mut block)
                .map_err(|error| EngineError::because("reading a log", error))?;
            if block.is_empty() {
                return Ok(report);
            }
            // A segment ends with a line; what is left of a longer line is read as a line of its
            // own, because a segment must not grow without limit.
            let whole = block.iter().rposition(|byte| *byte == b'\n').map(|at| at + 1);
            let end =
                if read as u64 == missing { whole.unwrap_or(block.len()) } else { block.len() };
            self.segment(feed, &block[..end], &mut report)?;
            block.drain(..end);
        }
    }

    fn segment(
        &self,
        feed: &Feed,
        bytes: &[u8],
        report: &mut LogReport,
    ) -> Result<(), EngineError> {
        let mut hash = Sha256::new();
        hash.update(feed.host.as_bytes());
        hash.update([0]);
        hash.update(bytes);
        let digest = Digest(hash.finalize().into());
        report.segments += 1;
        if self.store.segment_seen(digest)? {
            report.known += 1;
            report.lines += lines_of(bytes).count() as u64;
            return Ok(());
        }
        let window = read_segment(feed, bytes, digest, report);
        self.store.put_window(feed.org, digest, &window.to_bytes())?;
        Ok(())
    }
}

/// Every campaign that the kept windows of all organisations together show. Takes no lease:
/// whoever controls the register goes on undisturbed.
///
/// # Errors
/// The store cannot be read, or a window in it is of another version.
pub fn campaigns_of(store: &Store) -> Result<Vec<Campaign>, EngineError> {
    let mut pool = Window::new(0);
    for (OrgId(org), bytes) in store.windows()? {
        let window = Window::from_bytes(&bytes).map_err(|error| {
            EngineError::because(format!("reading a window of organisation {org}"), error)
        })?;
        pool.merge(&window);
    }
    Ok(campaigns(&judge(&pool)))
}

/// The lines of a segment, empty ones too: people count them all.
fn lines_of(segment: &[u8]) -> impl Iterator<Item = &[u8]> {
    let whole = segment.strip_suffix(b"\n").unwrap_or(segment);
    whole.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

fn read_segment(feed: &Feed, bytes: &[u8], digest: Digest, report: &mut LogReport) -> Window {
    let [a, b, c, d, e, f, g, h, ..] = digest.0;
    let mut window = Window::new(u64::from_be_bytes([a, b, c, d, e, f, g, h]));
    for line in lines_of(bytes) {
        report.lines += 1;
        if line.is_empty() {
            continue;
        }
        let (line, cut) = text(line);
        report.cut += u64::from(cut);
        let mut refused = "no-parser";
        let event = PARSERS.iter().find_map(|parser| match parser.parse(feed, &line) {
            Ok(event) => Some(event),
            Err(code) => {
                refused = code;
                None
            }
        });
        match event {
            Some(event) => {
                report.events += 1;
                window.observe(&event);
            }
            None => {
                // A payload in a torn line is an attempt all the same.
                window.observe_refused(feed.org, &line);
                report.refused.entry(refused).or_insert((0, report.lines)).0 += 1;
            }
        }
    }
    window
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_lines_are_counted_so_that_numbers_are_those_of_an_editor() {
        let log = b"\n\r\nnot a line of a log\n";
        let mut report = LogReport::default();
        let window = read_segment(&Feed::default(), log, Digest([1; 32]), &mut report);
        assert_eq!((report.lines, report.events), (3, 0));
        let (count, first) = *report.refused.values().next().unwrap();
        assert_eq!((count, first), (1, 3));
        assert_eq!(window.stats().events, 0);
        assert_eq!(lines_of(log).count(), 3, "a known segment counts the same");
    }
}
