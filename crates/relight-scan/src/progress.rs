//! Counters and the current place of a scan, for whoever watches it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// What another thread may see while a scan runs.
#[derive(Debug, Default)]
pub struct Progress {
    pub(crate) files: AtomicU64,
    pub(crate) listed: AtomicU64,
    pub(crate) is_listed: AtomicBool,
    pub(crate) archives: AtomicU64,
    pub(crate) deepest: AtomicU32,
    pub(crate) bytes_read: AtomicU64,
    pub(crate) flaws: AtomicU64,
    pub(crate) known: AtomicU64,
    /// What each worker reads: the number of the file, and its evidence path.
    current: Mutex<BTreeMap<u64, String>>,
    number: AtomicU64,
}

impl Progress {
    /// Regular files done.
    pub fn files(&self) -> u64 {
        self.files.load(Ordering::Relaxed)
    }

    /// How many files there are, once every directory was listed.
    pub fn files_in_all(&self) -> Option<u64> {
        let is_listed = self.is_listed.load(Ordering::Acquire);
        is_listed.then(|| self.listed.load(Ordering::Relaxed))
    }

    /// Archives opened.
    pub fn archives(&self) -> u64 {
        self.archives.load(Ordering::Relaxed)
    }

    /// Deepest level opened.
    pub fn deepest(&self) -> u32 {
        self.deepest.load(Ordering::Relaxed)
    }

    /// Bytes read from the disk.
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read.load(Ordering::Relaxed)
    }

    /// Flaws so far.
    pub fn flaws(&self) -> u64 {
        self.flaws.load(Ordering::Relaxed)
    }

    /// Files that were not read again because the cache knows them.
    pub fn known(&self) -> u64 {
        self.known.load(Ordering::Relaxed)
    }

    /// The files that are being read, each with a number that only it has, the oldest first.
    pub fn current(&self) -> Vec<(u64, String)> {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        current.iter().map(|(number, path)| (*number, path.clone())).collect()
    }

    /// Says that a file is being read, until the value that is returned is dropped.
    pub fn begin(&self, path: &str) -> Current<'_> {
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        current.insert(number, path.to_owned());
        Current { progress: self, number }
    }
}

/// One file that is being read.
#[derive(Debug)]
pub struct Current<'a> {
    progress: &'a Progress,
    number: u64,
}

impl Drop for Current<'_> {
    fn drop(&mut self) {
        let mut current = self.progress.current.lock().unwrap_or_else(PoisonError::into_inner);
        current.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_named_while_it_is_read() {
        let progress = Progress::default();
        let first = progress.begin("a.jar");
        let second = progress.begin("b.jar");
        let paths = || progress.current().into_iter().map(|(_, path)| path).collect::<Vec<_>>();
        assert_eq!(paths(), ["a.jar", "b.jar"]);
        drop(first);
        assert_eq!(paths(), ["b.jar"]);
        drop(second);
        assert!(paths().is_empty());
        assert_eq!(progress.files_in_all(), None, "nobody knows before the walk is done");
    }
}
