//! The critical section of a gate: one writer at a time, and never an older epoch over a newer.

mod beside;
mod order;
mod overtaken;

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{iter, thread};

use relight_model::{Epoch, GateKey};

use crate::driver::GateSet;
use crate::durable;
use crate::error::{EdgeError, EdgeErrorKind};
use beside::Beside;

pub(crate) use order::{Order, Orders};
pub use order::{is_superseded, superseded};
pub use overtaken::Overtaken;

/// Longest wait for another writer of the same gate.
const LOCK_WAIT_MAX: Duration = Duration::from_secs(5);
/// Largest epoch file: 50,000 keys of 128 bytes and a line end each, and the epoch.
const RECORD_BYTES_MAX: u64 = 8 << 20;
/// What a record may be longer than twice its keys before it is written anew, in bytes.
const APPEND_SLACK_BYTES: u64 = 4 << 10;
/// The same where keys are let go of one by one: seldom enough that nobody waits for it.
const RELEASE_SLACK_BYTES: u64 = 16 << 10;
/// Length from which a record is written anew instead of appended to, in bytes.
const APPEND_BYTES_MAX: u64 = 7 << 20;

/// What `$GATE/epoch` holds: the newest epoch on its first line, then the keys that we own. Lines
/// that were appended follow: `=` and an epoch, `+` and a key that came, `-` and one that went.
///
/// We own a key from before its entry is written until after its entry is gone for good, so that a
/// kill at any instant never makes an entry of ours look like one that somebody else wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) epoch: Option<Epoch>,
    pub(crate) own: GateSet,
}

/// The lock and the epoch of one gate directory.
#[derive(Debug)]
pub(crate) struct Fence {
    folder: PathBuf,
    lock_wait_max: Duration,
}

/// The right to write: held until dropped.
#[derive(Debug)]
pub(crate) struct Held {
    _lock: File,
    path: PathBuf,
    pub(crate) record: Record,
    /// Length of the file, in bytes, where lines can be appended to it: it is there and its last
    /// line is whole.
    appendable: Option<u64>,
}

impl Fence {
    pub(crate) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), lock_wait_max: LOCK_WAIT_MAX }
    }

    /// Takes the lock and compares epochs: older is `Fenced`, equal is allowed, and what stands
    /// beside the record counts as much as it does. An order
    /// that waited here until this process gave a newer one is `Fenced`, whatever its epoch.
    pub(crate) fn enter(&self, epoch: Epoch) -> Result<Held, EdgeError> {
        let lock = self.lock(File::try_lock)?;
        if is_superseded() {
            let doing = "carry out an order after a newer one was given";
            return Err(EdgeError::new(EdgeErrorKind::Fenced, doing));
        }
        let (record, appendable) = self.read_lines()?;
        let beside = Beside::read(&self.folder);
        refuse_older(epoch, self.newest_of(&record, &beside)?)?;
        beside.note(&lock, epoch.term);
        Ok(Held { _lock: lock, path: self.path(), record, appendable })
    }

    /// Runs `look` on the record while nobody writes.
    pub(crate) fn peek<T>(
        &self,
        look: impl FnOnce(&Result<Record, EdgeError>) -> Result<T, EdgeError>,
    ) -> Result<T, EdgeError> {
        let _lock = self.lock(File::try_lock_shared)?;
        look(&self.read())
    }

    /// The keys that were closed here and not opened again.
    pub(crate) fn owned(&self) -> Result<GateSet, EdgeError> {
        let _lock = self.lock(File::try_lock_shared)?;
        Ok(self.read()?.own)
    }

    /// Keeps writers and readers out for as long as it is held, whatever the epoch: for what is
    /// neither closed nor opened by it.
    pub(crate) fn alone(&self) -> Result<File, EdgeError> {
        self.lock(File::try_lock)
    }

    /// The newest epoch, without a lock: an older one may be read while somebody writes.
    pub(crate) fn newest(&self) -> Result<Option<Epoch>, EdgeError> {
        Ok(self.read()?.epoch)
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.join("epoch")
    }

    fn lock(&self, take: fn(&File) -> Result<(), TryLockError>) -> Result<File, EdgeError> {
        let path = self.folder.join("lock");
        let doing = format!("lock {}", path.display());
        let mut options = OpenOptions::new();
        let file = options.create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(EdgeError::io(doing.clone()))?;
        let deadline = Instant::now() + self.lock_wait_max;
        loop {
            match take(&file) {
                Ok(()) => return Ok(file),
                Err(TryLockError::Error(cause)) => return Err(EdgeError::io(doing)(cause)),
                Err(TryLockError::WouldBlock) if Instant::now() >= deadline => {
                    return Err(EdgeError::unreachable(doing)(io::ErrorKind::TimedOut.into()));
                }
                // A lock can be waited for without any limit, or asked for.
                Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(1)),
            }
        }
    }

    /// The record, with the newest epoch that the folder tells.
    fn read(&self) -> Result<Record, EdgeError> {
        let (record, _) = self.read_lines()?;
        let epoch = self.newest_of(&record, &Beside::read(&self.folder))?;
        Ok(Record { epoch, ..record })
    }

    /// The newest epoch of a record and of what stands beside it. Where there is no record, what
    /// cannot be made out may tell of any.
    fn newest_of(&self, record: &Record, beside: &Beside) -> Result<Option<Epoch>, EdgeError> {
        if record.epoch.is_none() && beside.is_unclear {
            let doing = format!("tell the epoch of {} without a record", self.folder.display());
            return Err(EdgeError::new(EdgeErrorKind::ForeignEdit, doing));
        }
        Ok(record.epoch.max(beside.newest))
    }

    /// The record, and its length in bytes where lines can be appended to it.
    fn read_lines(&self) -> Result<(Record, Option<u64>), EdgeError> {
        let path = self.path();
        let doing = format!("read {}", path.display());
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok((Record::default(), None));
            }
            opened => opened.map_err(EdgeError::io(doing.clone()))?,
        };
        let mut text = String::new();
        let read = file.take(RECORD_BYTES_MAX + 1).read_to_string(&mut text);
        // Guessing an epoch could let a stale controller in: a person has to look at the file.
        let foreign = || EdgeError::new(EdgeErrorKind::ForeignEdit, doing.clone());
        let size = read.map_err(|cause| foreign().because(cause))? as u64;
        if size > RECORD_BYTES_MAX {
            return Err(foreign().because(format!("more than {RECORD_BYTES_MAX} bytes")));
        }
        // A kill while lines were appended leaves part of one: it was not in force yet.
        let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
        let is_appendable = whole.len() == text.len() && size < APPEND_BYTES_MAX;
        let appendable = is_appendable.then_some(size);
        parse_record(whole).map(|record| (record, appendable)).ok_or_else(foreign)
    }
}

/// `Fenced` where something tells of an epoch beyond the one that is to act.
pub(crate) fn refuse_older(epoch: Epoch, newest: Option<Epoch>) -> Result<(), EdgeError> {
    let Some(newest) = newest.filter(|newest| *newest > epoch) else { return Ok(()) };
    let doing = format!("write epoch {} over {}", text(epoch), text(newest));
    Err(EdgeError::new(EdgeErrorKind::Fenced, doing))
}

/// How lines that were appended get to the disk.
type Sync = fn(&File) -> io::Result<()>;

impl Held {
    /// Writes epoch and owned keys durably; does nothing when they are there already. Lines are
    /// appended while that leaves a file of twice its length at most: one sync instead of two, on
    /// the way between an order and the gate that closes.
    pub(crate) fn write(&mut self, record: Record) -> Result<(), EdgeError> {
        if self.record == record {
            return Ok(());
        }
        let bytes_max = 2 * length(&record) + APPEND_SLACK_BYTES;
        self.lengthen(record, bytes_max, File::sync_data)
    }

    /// Lets go of every key but these, once the entries of the others are gone for good. Nobody
    /// waits for the disk: a record that still has them after a power cut is what a kill a moment
    /// before would have left.
    pub(crate) fn let_go(&mut self, kept: &GateSet) -> Result<(), EdgeError> {
        let record = Record { epoch: self.record.epoch, own: &self.record.own & kept };
        if self.record == record {
            return Ok(());
        }
        let bytes_max = 2 * length(&record) + APPEND_SLACK_BYTES;
        self.lengthen(record, bytes_max, |_| Ok(()))
    }

    /// Appends what leads to a record while that leaves a file of so many bytes at most, and never
    /// one that is too long to be read; else writes it anew.
    fn lengthen(&mut self, record: Record, bytes_max: u64, sync: Sync) -> Result<(), EdgeError> {
        let lines = self.lines_to(&record);
        let bytes_max = bytes_max.min(APPEND_BYTES_MAX);
        match self.appendable {
            Some(size) if size + lines.len() as u64 <= bytes_max => {
                self.append_lines(&lines, record, sync)
            }
            _ => self.rewrite(record),
        }
    }

    fn rewrite(&mut self, record: Record) -> Result<(), EdgeError> {
        let mut lines = record.epoch.map(text).unwrap_or_default();
        lines.push('\n');
        for key in &record.own {
            lines.push_str(key.as_str());
            lines.push('\n');
        }
        durable::write(&self.path, lines.as_bytes())
            .map_err(EdgeError::io(format!("write {}", self.path.display())))?;
        self.record = record;
        self.appendable = Some(lines.len() as u64);
        Ok(())
    }

    /// Notes a newer epoch, keys that are about to be ours and keys that are gone for good: one
    /// short write and one sync, however long the record is. A file that is mostly about keys that
    /// are gone is written anew: the next order for all of them has its lines appended, too.
    pub(crate) fn append(
        &mut self,
        epoch: Epoch,
        came: &GateSet,
        gone: &GateSet,
    ) -> Result<(), EdgeError> {
        let mut record = Record { epoch: Some(epoch), own: &self.record.own | came };
        record.own.retain(|key| !gone.contains(key));
        let bytes_max = 2 * length(&record) + RELEASE_SLACK_BYTES;
        self.lengthen(record, bytes_max, File::sync_data)
    }

    /// The lines that lead from the record to another one.
    fn lines_to(&self, record: &Record) -> String {
        let mut lines = String::new();
        if let Some(epoch) = record.epoch.filter(|_| self.record.epoch != record.epoch) {
            lines = format!("={}\n", text(epoch));
        }
        let new = record.own.difference(&self.record.own).map(|key| ('+', key));
        let old = self.record.own.difference(&record.own).map(|key| ('-', key));
        for (sign, key) in new.chain(old) {
            lines.push(sign);
            lines.push_str(key.as_str());
            lines.push('\n');
        }
        lines
    }

    fn append_lines(&mut self, lines: &str, record: Record, sync: Sync) -> Result<(), EdgeError> {
        if !lines.is_empty() {
            let append = || {
                let mut file = OpenOptions::new().append(true).open(&self.path)?;
                file.write_all(lines.as_bytes())?;
                sync(&file)
            };
            append().map_err(|cause| {
                self.appendable = None;
                EdgeError::io(format!("append to {}", self.path.display()))(cause)
            })?;
        }
        self.appendable = self.appendable.map(|size| size + lines.len() as u64);
        self.record = record;
        Ok(())
    }
}

/// How long the lines of all keys of a record are, in bytes.
fn length(record: &Record) -> u64 {
    record.own.iter().map(|key| key.as_str().len() as u64 + 1).sum()
}

/// An epoch as gates write it: `<term>-<seq>`.
pub(crate) fn text(epoch: Epoch) -> String {
    format!("{}-{}", epoch.term, epoch.seq)
}

/// The epoch that [`text`] wrote.
pub(crate) fn parse_epoch(text: &str) -> Option<Epoch> {
    let (term, seq) = text.split_once('-')?;
    Some(Epoch { term: term.parse().ok()?, seq: seq.parse().ok()? })
}

fn parse_record(text: &str) -> Option<Record> {
    let mut lines = text.lines().peekable();
    let mut epoch = parse_epoch(lines.next()?)?;
    // The keys of the last whole record, in order: a set is made of them at once.
    let whole = iter::from_fn(|| lines.next_if(|line| !line.starts_with(['=', '+', '-'])));
    let mut own: GateSet = whole.map(|line| GateKey::new(line).ok()).collect::<Option<_>>()?;
    for line in lines {
        if let Some(text) = line.strip_prefix('=') {
            epoch = epoch.max(parse_epoch(text)?);
        } else if let Some(text) = line.strip_prefix('-') {
            own.remove(&GateKey::new(text).ok()?);
        } else {
            own.insert(GateKey::new(line.strip_prefix('+').unwrap_or(line)).ok()?);
        }
    }
    Some(Record { epoch: Some(epoch), own })
}

#[cfg(test)]
mod tests;
