//! Log files, read from where they were left: under any name, packed or not.
//!
//! A file is known by the digest of its beginning, because rotation renames it and packing copies
//! it. The window of a segment and the position behind it are one transaction, so a crash loses
//! nothing and counts nothing twice.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use relight_formats::limited::open_stream;
use relight_model::Digest;
use relight_store::{LogPosition, Store};
use relight_watch::{Feed, Reader};
use sha2::{Digest as _, Sha256};

use super::block::Block;
use super::group::Group;
use super::source::Source;
use super::{LIMITS, LogReport, Taken, notes, with_header};
use crate::engine::Engine;
use crate::error::EngineError;

/// Bytes at the beginning of a file by which it is known. The second line of a log differs from
/// that of any other.
pub const HEAD_BYTES: usize = 1_024;

/// An open log file and how far it was read.
pub(super) struct LogFile {
    stream: Box<dyn Read>,
    /// Its first bytes, as far as they are there.
    head: Vec<u8>,
    pub(super) position: LogPosition,
    /// Bytes that were read and not yet taken.
    block: Block,
    /// What was taken and is not yet stored.
    group: Group,
}

impl LogFile {
    /// Opens a file where it was left; the reader gets the header that was in force there.
    pub(super) fn open(
        store: &Store,
        reader: &mut Reader,
        path: &Path,
    ) -> Result<Self, EngineError> {
        let feed = feed_name(reader.feed());
        let positions = store.log_positions(&feed)?;
        let failed = |error| EngineError::because(format!("reading {}", path.display()), error);
        let mut log = Self::at_start(path, feed.clone()).map_err(failed)?;
        let inode = log.position.inode;
        if let Some(known) = find(positions, &log.head, inode) {
            log.position = known;
            if !log.skip().map_err(failed)? {
                // Shorter than it was: somebody emptied it and wrote the same beginning again.
                log = Self::at_start(path, feed).map_err(failed)?;
                log.block = Block::of(&log.head);
            }
        } else {
            log.block = Block::of(&log.head);
        }
        reader.restore_header(&log.position.header);
        if let Some(format) = notes::usual_format(store, reader.feed())? {
            reader.was_of(&format);
        }
        Ok(log)
    }

    fn at_start(path: &Path, feed: String) -> io::Result<Self> {
        let file = File::open(path)?;
        let inode = file.metadata()?.ino();
        let mut stream = open_stream(file, LIMITS).map_err(io::Error::other)?;
        let mut head = Vec::new();
        stream.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut head)?;
        let (position, block) = (new_position(feed, inode), Block::default());
        Ok(Self { stream, head, position, block, group: Group::default() })
    }

    /// Goes to where the file was left; false when it is not that long.
    fn skip(&mut self) -> io::Result<bool> {
        let offset = usize::try_from(self.position.offset).unwrap_or(usize::MAX);
        if let Some(rest) = self.head.get(offset..) {
            self.block = Block::of(rest);
            return Ok(true);
        }
        let beyond = self.position.offset - self.head.len() as u64;
        Ok(io::copy(&mut self.stream.by_ref().take(beyond), &mut io::sink())? == beyond)
    }

    /// Takes what the file holds now, segment by segment; a last line without its end waits,
    /// unless it is `final_line`. What the store refused before is put again first.
    pub(super) fn take(
        &mut self,
        engine: &Engine,
        reader: &mut Reader,
        end: LastLine,
        report: &mut LogReport,
    ) -> Result<(), EngineError> {
        engine.keep(&mut self.group)?;
        let taken = self.take_segments(engine, reader, end, report);
        // What was read before an error stays read.
        taken.and(engine.keep(&mut self.group))
    }

    fn take_segments(
        &mut self,
        engine: &Engine,
        reader: &mut Reader,
        end: LastLine,
        report: &mut LogReport,
    ) -> Result<(), EngineError> {
        let Self { stream, head, position, block, group } = self;
        let mut source = Source::new(&mut **stream, block);
        loop {
            // Who follows a log for weeks receives its lines now, not when it began.
            if reader.feed().received > 0 {
                reader.received(engine.now());
            }
            let taken = engine.segment(reader, &mut source, LastLine::Waits, group, report);
            if taken.bytes > 0 {
                advance(position, head, &taken);
                group.reached(with_header(position, reader));
            }
            match taken.failed {
                Some(error) => return Err(error),
                None if taken.bytes == 0 => break,
                None if group.is_full() => engine.keep(group)?,
                None => {}
            }
        }
        self.block.shrink();
        if end == LastLine::Counts && !self.block.bytes().is_empty() {
            // Should the line grow later, it is read again, whole.
            let (mut nothing, mut rest) = (io::empty(), Block::of(self.block.bytes()));
            let mut source = Source::new(&mut nothing, &mut rest);
            engine.segment(reader, &mut source, LastLine::Counts, &mut self.group, report);
        }
        Ok(())
    }

    /// Whoever writes the file took back the line that he could not finish: it ends now where the
    /// last whole line did, and what was read of that line is none.
    pub(super) fn is_taken_back(&self, size: u64) -> bool {
        size > 0 && self.position.offset == size && !self.block.bytes().is_empty()
    }

    /// All bytes of a file of that size were taken, but for a line that waits for its end.
    pub(super) fn is_read(&self, size: u64) -> bool {
        let all = self.position.offset + self.block.bytes().len() as u64 >= size;
        all && self.block.lines_end(usize::MAX).is_none()
    }
}

/// The file was read so far; what it begins with is noted once.
fn advance(position: &mut LogPosition, head: &mut Vec<u8>, taken: &Taken) {
    if position.head_bytes == 0 {
        if head.len() < taken.first.len() {
            taken.first.clone_into(head);
        }
        position.head_bytes = u32::try_from(head.len()).unwrap_or(u32::MAX);
        position.head = digest(head);
    }
    position.offset += taken.bytes as u64;
}

/// What a last line without its end is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LastLine {
    /// A line like any other: nobody writes on.
    Counts,
    /// Somebody is still writing it.
    Waits,
}

fn new_position(feed: String, inode: u64) -> LogPosition {
    let (head, header) = (Digest([0; 32]), String::new());
    LogPosition { feed, head, head_bytes: 0, inode, offset: 0, header }
}

/// The organisation and the site, or the name of the host.
fn feed_name(feed: &Feed) -> String {
    format!("{}/{}", feed.org.0, feed.host)
}

/// The position of a file with this beginning. A short beginning may be that of many files, so
/// then the number of the file counts too.
fn find(positions: Vec<LogPosition>, head: &[u8], inode: u64) -> Option<LogPosition> {
    let is_it = |position: &LogPosition| {
        let bytes = position.head_bytes as usize;
        let same = head.get(..bytes).is_some_and(|start| digest(start) == position.head);
        same && bytes > 0 && (position.inode == inode || bytes == HEAD_BYTES)
    };
    let found = positions.into_iter().filter(is_it);
    let best = found.max_by_key(|position| (position.inode == inode, position.offset))?;
    Some(LogPosition { inode, ..best })
}

fn digest(bytes: &[u8]) -> Digest {
    Digest(Sha256::digest(bytes).into())
}

impl Engine {
    /// Reads a log file (plain, gzip, zstd or xz) from where it was left, whatever it was called
    /// then. A last line without its end is read, and read again once it is whole.
    ///
    /// # Errors
    /// The file cannot be read or unpacked, or the store cannot be written. What was read before
    /// that stays read.
    pub fn ingest_file(&self, reader: &mut Reader, path: &Path) -> Result<LogReport, EngineError> {
        let before = reader.tally().clone();
        let mut report = LogReport::default();
        let mut log = LogFile::open(self.store(), reader, path)?;
        report.skipped_bytes = log.position.offset;
        let taken = log.take(self, reader, LastLine::Counts, &mut report);
        report.tally = reader.tally().since(&before);
        taken.map(|()| report)
    }
}
