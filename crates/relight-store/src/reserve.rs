//! Room that is kept for bad days: on a full disk a dark order is still journalled (INCIDENT 11).

use std::fs::{self, File};
use std::io;
use std::sync::atomic::Ordering;

use rustix::fs::{FallocateFlags, fallocate};

use crate::Store;

/// Bytes that are kept: the orders, proofs and failures of 4,000 sites, many times over.
pub const RESERVE_BYTES: u64 = 16 << 20;

/// Name of the file that keeps them, inside the data directory.
pub const RESERVE_FILE: &str = "reserve";

impl Store {
    /// Whether the reserve was given up because the disk is full. Looks whether there is room for
    /// it again: then it is kept anew, and this is over.
    pub fn is_short_of_space(&self) -> bool {
        let is_short = self.is_short.load(Ordering::Relaxed) && self.keep_reserve().is_err();
        self.is_short.store(is_short, Ordering::Relaxed);
        is_short
    }

    /// Takes the room for whoever begins to write the journal. Without room for it, the little
    /// that is left belongs to what darkens.
    pub(crate) fn begin_reserve(&self) {
        let is_short = self.keep_reserve().is_err();
        self.is_short.store(is_short, Ordering::Relaxed);
    }

    /// Takes the room, where it is not taken already; not at all or wholly.
    pub(crate) fn keep_reserve(&self) -> io::Result<()> {
        let path = self.path().with_file_name(RESERVE_FILE);
        if fs::metadata(&path).is_ok_and(|found| found.len() == RESERVE_BYTES) {
            return Ok(());
        }
        let taken = File::create(&path).and_then(|file| {
            // A file that was only made longer would hold no room.
            fallocate(&file, FallocateFlags::empty(), 0, RESERVE_BYTES)?;
            file.sync_all()
        });
        if taken.is_err() {
            let _ = fs::remove_file(&path);
        }
        taken
    }

    /// Gives the room up; false when there was none.
    pub(crate) fn release_reserve(&self) -> bool {
        self.is_short.store(true, Ordering::Relaxed);
        fs::remove_file(self.path().with_file_name(RESERVE_FILE)).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{drafts, open};
    use crate::{JOURNAL_LEASE, StoreErrorKind};

    #[test]
    fn room_is_taken_with_the_lease_and_given_up_once_when_the_disk_is_full() {
        let (folder, store) = open();
        let path = folder.path().join(RESERVE_FILE);
        assert!(!path.exists(), "readers keep nothing");
        let lease = store.take_lease(JOURNAL_LEASE, "test", 0).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().len(), RESERVE_BYTES);
        assert!(!store.is_short_of_space());
        // The database itself may not grow: room on the disk does not help, and the error is told.
        store.limit_pages(Some(0)).unwrap();
        let many = drafts("a", 4_000);
        assert_eq!(store.append(&lease, &many).unwrap_err().kind(), StoreErrorKind::Full);
        assert!(!path.exists());
        store.limit_pages(None).unwrap();
        assert!(!store.is_short_of_space(), "there is room again");
        assert_eq!(fs::metadata(&path).unwrap().len(), RESERVE_BYTES);
        assert_eq!(store.append(&lease, &many).unwrap().len(), many.len());
    }

    #[test]
    fn a_reserve_that_was_cut_is_taken_anew() {
        let (folder, store) = open();
        fs::write(folder.path().join(RESERVE_FILE), "short").unwrap();
        store.keep_reserve().unwrap();
        let found = fs::metadata(folder.path().join(RESERVE_FILE)).unwrap();
        assert_eq!(found.len(), RESERVE_BYTES);
        assert!(std::os::unix::fs::MetadataExt::blocks(&found) * 512 >= RESERVE_BYTES);
    }
}
