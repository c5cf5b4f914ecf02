//! Room that is kept for bad days: on a full disk a dark order is still journalled (INCIDENT 11).

use std::fs::{self, File};
use std::io;
use std::sync::atomic::Ordering;

use rusqlite::Connection;
use rustix::fs::{FallocateFlags, fallocate, statvfs};

use crate::{JOURNAL_LEASE, Store};

/// Bytes that are kept: the orders, proofs and failures of 4,000 sites, many times over.
pub const RESERVE_BYTES: u64 = 16 << 20;

/// Name of the file that keeps them, inside the data directory.
pub const RESERVE_FILE: &str = "reserve";

impl Store {
    /// Whether the reserve was given up because the disk is full. Looks whether there is room for
    /// it again: then this is over, and whoever controls the register keeps it anew.
    pub fn is_short_of_space(&self) -> bool {
        // Under the lock: an entry on its way does not lose the room that is tried for.
        self.is_still_short(&self.lock())
    }

    /// The same for whoever has the lock.
    pub(crate) fn is_still_short(&self, database: &Connection) -> bool {
        if self.is_short.load(Ordering::Relaxed) || self.is_given_up_elsewhere(database) {
            if self.is_controller.load(Ordering::Relaxed) {
                self.begin_reserve();
            } else {
                // Whoever gave it up is about to use it: nobody else takes it in between.
                self.is_short.store(!self.has_room(), Ordering::Relaxed);
            }
        }
        self.is_short.load(Ordering::Relaxed)
    }

    /// The disk has room for the reserve; one that cannot be asked says so to whoever writes.
    fn has_room(&self) -> bool {
        self.free_bytes().is_none_or(|free| free > RESERVE_BYTES)
    }

    /// Bytes that are free on the disk of the register, where it says so.
    pub(crate) fn free_bytes(&self) -> Option<u64> {
        let folder = self.path().parent().unwrap_or(self.path());
        statvfs(folder).ok().map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    /// Whether another process of this register gave the room up: it is kept from the first
    /// controller on, so that one that is missing was given up. What is imported beside a server
    /// must not use up what the server darkens with.
    fn is_given_up_elsewhere(&self, database: &Connection) -> bool {
        let was_kept = || {
            let query = "SELECT EXISTS (SELECT 1 FROM lease WHERE name = ?1)";
            database.query_row(query, [JOURNAL_LEASE], |row| row.get::<_, bool>(0))
        };
        let is_missing = !self.path().with_file_name(RESERVE_FILE).exists();
        // A register that cannot be asked says so to whoever writes.
        is_missing && !self.keeps_none.load(Ordering::Relaxed) && was_kept().unwrap_or(false)
    }

    /// Takes the room for whoever begins to write the journal. Without room for it, the little
    /// that is left belongs to what darkens.
    pub(crate) fn begin_reserve(&self) {
        self.is_controller.store(true, Ordering::Relaxed);
        // Where no file keeps room (not every file system offers it), how much is left is unknown.
        let full = [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded];
        let kept = self.keep_reserve().map_err(|error| full.contains(&error.kind()));
        self.is_short.store(kept == Err(true), Ordering::Relaxed);
        self.keeps_none.store(kept == Err(false), Ordering::Relaxed);
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
        let is_given = fs::remove_file(self.path().with_file_name(RESERVE_FILE)).is_ok();
        self.is_short.fetch_or(is_given, Ordering::Relaxed);
        is_given
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
    fn where_no_room_can_be_kept_one_full_disk_is_not_for_ever() {
        let (folder, store) = open();
        // A folder in its place stands for a file system on which no file keeps room.
        fs::create_dir(folder.path().join(RESERVE_FILE)).unwrap();
        let lease = store.take_lease(JOURNAL_LEASE, "test", 0).unwrap();
        assert!(!store.is_short_of_space());
        store.limit_pages(Some(0)).unwrap();
        let many = drafts("a", 4_000);
        assert_eq!(store.append(&lease, &many).unwrap_err().kind(), StoreErrorKind::Full);
        assert!(!store.is_short_of_space(), "nothing was given up");
        store.limit_pages(None).unwrap();
        store.append(&lease, &many).unwrap();
    }

    #[test]
    fn the_room_that_was_given_up_is_only_for_the_journal_and_for_sign_ins() {
        let folder = tempfile::tempdir().unwrap();
        let Some(disk) = testkit::SmallDisk::over(folder.path()) else { return };
        let store = Store::open(folder.path()).unwrap();
        let lease = store.take_lease(JOURNAL_LEASE, "test", 0).unwrap();
        let filled = disk.fill("log");
        while folder.path().join(RESERVE_FILE).exists() {
            store.append(&lease, &drafts("a", 100)).unwrap();
        }
        assert_eq!(store.meta_put("a", "b").unwrap_err().kind(), StoreErrorKind::Full);
        store.append(&lease, &drafts("a", 1)).unwrap();
        store.change_accounts(&[]).unwrap();
        fs::remove_file(filled).unwrap();
        store.meta_put("a", "b").unwrap();
        assert!(!store.is_short_of_space());
    }

    /// A second process on the register, an import beside a server say, leaves the room alone that
    /// the first gave up; and the first knows of what the second gave up.
    #[test]
    fn every_process_knows_that_the_room_was_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let Some(disk) = testkit::SmallDisk::over(folder.path()) else { return };
        let reserve = folder.path().join(RESERVE_FILE);
        let (first, second) =
            (Store::open(folder.path()).unwrap(), Store::open(folder.path()).unwrap());
        second.meta_put("a", "before any controller").unwrap();
        assert!(!reserve.exists(), "nobody keeps room before that");
        let lease = first.take_lease(JOURNAL_LEASE, "test", 0).unwrap();
        let filled = disk.fill("log");
        while reserve.exists() {
            first.append(&lease, &drafts("a", 100)).unwrap();
        }
        assert_eq!(second.meta_put("a", "b").unwrap_err().kind(), StoreErrorKind::Full);
        assert!(second.is_short_of_space());
        first.append(&lease, &drafts("a", 1)).unwrap();
        fs::remove_file(&filled).unwrap();
        second.meta_put("a", "b").unwrap();
        assert!(!reserve.exists(), "only a controller takes it");
        assert!(!first.is_short_of_space() && reserve.exists(), "kept for the next time");
        // The other way round.
        let filled = disk.fill("log");
        while reserve.exists() {
            second.change_accounts(&[]).unwrap();
            second
                .write_on_reserve("filling", |transaction| {
                    let sql = "INSERT INTO meta (key, value) VALUES (hex(randomblob(8)), ?1)";
                    transaction.execute(sql, ["x".repeat(50_000)])?;
                    Ok(())
                })
                .unwrap();
        }
        assert!(first.is_short_of_space());
        assert_eq!(first.meta_put("a", "c").unwrap_err().kind(), StoreErrorKind::Full);
        first.append(&lease, &drafts("a", 1)).unwrap();
        fs::remove_file(&filled).unwrap();
        assert!(!first.is_short_of_space());
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
