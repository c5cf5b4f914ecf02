//! The critical section of a gate: one writer at a time, and never an older epoch over a newer.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use relight_model::{Epoch, GateKey};

use crate::driver::GateSet;
use crate::durable;
use crate::error::{EdgeError, EdgeErrorKind};

/// Longest wait for another writer of the same gate.
const LOCK_WAIT_MAX: Duration = Duration::from_secs(5);
/// Largest epoch file: 50,000 keys of 128 bytes and a line end each, and the epoch.
const RECORD_BYTES_MAX: u64 = 8 << 20;

/// What `$GATE/epoch` holds: the newest epoch on its first line, then the keys that we own.
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
}

impl Fence {
    pub(crate) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), lock_wait_max: LOCK_WAIT_MAX }
    }

    /// Takes the lock and compares epochs: older is `Fenced`, equal is allowed.
    pub(crate) fn enter(&self, epoch: Epoch) -> Result<Held, EdgeError> {
        let lock = self.lock(File::try_lock)?;
        let record = self.read()?;
        if let Some(newest) = record.epoch.filter(|newest| *newest > epoch) {
            let doing = format!("write epoch {} over {}", text(epoch), text(newest));
            return Err(EdgeError::new(EdgeErrorKind::Fenced, doing));
        }
        Ok(Held { _lock: lock, path: self.path(), record })
    }

    /// Runs `look` on the record while nobody writes.
    pub(crate) fn peek<T>(
        &self,
        look: impl FnOnce(&Result<Record, EdgeError>) -> Result<T, EdgeError>,
    ) -> Result<T, EdgeError> {
        let _lock = self.lock(File::try_lock_shared)?;
        look(&self.read())
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

    fn read(&self) -> Result<Record, EdgeError> {
        let path = self.path();
        let doing = format!("read {}", path.display());
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Record::default()),
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
        parse_record(&text).ok_or_else(foreign)
    }
}

impl Held {
    /// Writes epoch and owned keys durably; does nothing when they are there already.
    pub(crate) fn write(&mut self, record: Record) -> Result<(), EdgeError> {
        if self.record == record {
            return Ok(());
        }
        let mut lines = record.epoch.map(text).unwrap_or_default();
        lines.push('\n');
        for key in &record.own {
            lines.push_str(key.as_str());
            lines.push('\n');
        }
        durable::write(&self.path, lines.as_bytes())
            .map_err(EdgeError::io(format!("write {}", self.path.display())))?;
        self.record = record;
        Ok(())
    }
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
    let mut lines = text.lines();
    let epoch = Some(parse_epoch(lines.next()?)?);
    let own = lines.map(|line| GateKey::new(line).ok()).collect::<Option<_>>()?;
    Some(Record { epoch, own })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn kind_after(content: &[u8]) -> Option<EdgeErrorKind> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("epoch"), content).unwrap();
        Fence::new(folder.path()).enter(Epoch { term: 1, seq: 0 }).err().map(|error| error.kind)
    }

    #[test]
    fn an_epoch_file_that_is_not_ours_is_not_guessed() {
        assert_eq!(kind_after(b"1-0\nkey\n"), None);
        assert_eq!(kind_after(b"0-99\n"), None);
        assert_eq!(kind_after(b"1-1\n"), Some(EdgeErrorKind::Fenced));
        for garbled in [&b""[..], b"1\n", b"1-x\n", b"-1-1\n", b"1-0\nKey\n", b"\xff\xfe\n"] {
            assert_eq!(kind_after(garbled), Some(EdgeErrorKind::ForeignEdit), "{garbled:?}");
        }
        let long = "x".repeat(usize::try_from(RECORD_BYTES_MAX).unwrap() + 1);
        assert_eq!(kind_after(long.as_bytes()), Some(EdgeErrorKind::ForeignEdit));
    }

    #[test]
    fn the_largest_gate_fits_into_its_record() {
        let folder = tempfile::tempdir().unwrap();
        let key = |n: usize| GateKey::new(&format!("{n:0>128}")).unwrap();
        let own: GateSet = (0..crate::gate::GATE_KEYS_MAX).map(key).collect();
        let epoch = Epoch { term: u64::MAX, seq: u64::MAX };
        let fence = Fence::new(folder.path());
        let record = Record { epoch: Some(epoch), own };
        fence.enter(epoch).unwrap().write(record.clone()).unwrap();
        assert_eq!(fence.enter(epoch).unwrap().record, record);
    }

    #[test]
    fn readers_do_not_keep_each_other_out() {
        let folder = tempfile::tempdir().unwrap();
        let fence = Fence::new(folder.path());
        fence.peek(|_| fence.peek(|_| Ok(()))).unwrap();
    }

    /// A writer that hangs must not hang its successor for ever.
    #[test]
    fn a_lock_that_is_never_released_is_an_error_after_a_while() {
        let folder = tempfile::tempdir().unwrap();
        let mut fence = Fence::new(folder.path());
        assert_eq!(fence.lock_wait_max, LOCK_WAIT_MAX);
        fence.lock_wait_max = Duration::from_millis(50);
        let epoch = Epoch { term: 1, seq: 1 };
        let held = fence.enter(epoch).unwrap();
        let start = Instant::now();
        assert_eq!(fence.enter(epoch).unwrap_err().kind, EdgeErrorKind::Unreachable);
        assert!(start.elapsed() >= fence.lock_wait_max);
        drop(held);
        assert!(fence.enter(epoch).is_ok());
    }
}
