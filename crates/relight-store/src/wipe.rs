//! What was deleted leaves the files of the database too.
//!
//! What is deleted is overwritten with zeros at once (`secure_delete`). Registers of before have
//! pages in which it was not: such a one is written anew, once. And the write-ahead log, which
//! still has the pages as they were, is emptied.

use rusqlite::{Connection, OptionalExtension};

use crate::{Store, StoreError, StoreErrorKind};

/// The setting that says that nothing was ever deleted without being overwritten, or that the
/// database was written anew since.
const OVERWRITTEN: &str = "deleted-overwritten";

/// Notes that a database is new.
pub(crate) fn note_new(database: &Connection) -> rusqlite::Result<()> {
    let put = "INSERT OR REPLACE INTO meta (key, value) VALUES (?1, '1')";
    database.execute(put, [OVERWRITTEN]).map(drop)
}

impl Store {
    /// Leaves nothing of what was deleted in the files of the database. The first time in a
    /// register of before it is written anew: nobody else can write meanwhile, and there must be
    /// room for it once more.
    ///
    /// # Errors
    /// The database cannot be written, or somebody reads it all the time (`Busy`): then it holds
    /// that still, and the same may be asked again.
    pub fn wipe_deleted(&self) -> Result<(), StoreError> {
        let doing = "wiping what was deleted";
        let database = self.lock();
        let is_busy = wiped(&database).map_err(|error| StoreError::sql(doing, self.path(), error));
        if is_busy? {
            let place = self.path().display();
            let context = format!("{doing}: somebody reads {place}; hint: repeat");
            return Err(StoreError::new(StoreErrorKind::Busy, context));
        }
        Ok(())
    }
}

/// True when somebody reads the log, so that it cannot be emptied.
fn wiped(database: &Connection) -> rusqlite::Result<bool> {
    let known = "SELECT 1 FROM meta WHERE key = ?1";
    if database.query_row(known, [OVERWRITTEN], |_| Ok(())).optional()?.is_none() {
        database.execute_batch("VACUUM")?;
        note_new(database)?;
    }
    database.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use relight_model::{Digest, OrgId};

    use super::*;
    use crate::testing::{behind, open_with_sites};
    use crate::{HeldWindow, SegmentsDraft};

    /// A text that stands often in a window, at its beginning and at its end.
    const SECRET: &[u8] = b"a source that is erased";

    fn window(number: u8, bytes: usize, secret: &[u8]) -> Vec<u8> {
        let mut window = vec![number; bytes];
        for at in (0..bytes - SECRET.len()).step_by(700) {
            window[at..at + secret.len()].copy_from_slice(secret);
        }
        window
    }

    fn put(store: &Store, number: u8, bytes: &[u8]) {
        let draft = SegmentsDraft {
            org: OrgId(1),
            segments: &[Digest([number; 32])],
            windows: &[(5, bytes.to_vec())],
            read_day: 5,
            days: &[],
            probes: &[],
            position: None,
            erasures: 0,
        };
        assert!(store.put_segments(&draft).unwrap());
    }

    /// How often the secret stands in the files of the database.
    fn found(store: &Store) -> usize {
        let names = ["", "-wal", "-shm"].map(|end| format!("{}{end}", store.path().display()));
        let files = names.iter().filter_map(|name| fs::read(name).ok());
        files.map(|bytes| bytes.windows(SECRET.len()).filter(|it| *it == SECRET).count()).sum()
    }

    fn rewrite_all(store: &Store) {
        let old: Vec<HeldWindow> =
            store.windows_of_day(OrgId(1), 5).unwrap().into_iter().map(|(it, _)| it).collect();
        let new: Vec<Vec<u8>> =
            (0..).map(|number| window(number, 900, b"")).take(old.len()).collect();
        assert!(store.rewrite_windows(OrgId(1), &old, &new).unwrap());
    }

    /// Windows of all sizes, other bytes that come and go between them, and then none of them.
    #[test]
    fn nothing_of_what_was_deleted_is_in_the_files() {
        let (_folder, store) = open_with_sites(20);
        store.lock().pragma_update(None, "wal_autocheckpoint", 0).unwrap();
        for number in 0..60 {
            put(&store, number, &window(number, 600 + 997 * usize::from(number), SECRET));
            store.meta_put(&format!("other {number}"), &"x".repeat(3_000)).unwrap();
        }
        assert!(found(&store) > 1_000);
        for number in 0..60 {
            let value = "x".repeat(3_000);
            store.meta_remove(&format!("other {number}"), &value).unwrap();
        }
        rewrite_all(&store);
        assert!(found(&store) > 1_000, "the log has it");
        store.wipe_deleted().unwrap();
        assert_eq!(found(&store), 0);
        store.check().unwrap();
    }

    /// A register in which nobody overwrote what was deleted.
    #[test]
    fn a_register_of_before_is_written_anew_once() {
        let (_folder, store) = open_with_sites(20);
        store.meta_remove(OVERWRITTEN, "1").unwrap();
        store.lock().pragma_update(None, "secure_delete", false).unwrap();
        for number in 0..30 {
            put(&store, number, &window(number, 40_000, SECRET));
        }
        rewrite_all(&store);
        behind(&store).execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
        assert!(found(&store) > 1_000, "in free pages");
        store.wipe_deleted().unwrap();
        assert_eq!(found(&store), 0);
        store.check().unwrap();
        assert_eq!(store.meta_get(OVERWRITTEN).unwrap().as_deref(), Some("1"));
        assert_eq!(store.windows().unwrap().len(), 30);
    }

    #[test]
    fn who_reads_all_the_time_is_told() {
        let (_folder, store) = open_with_sites(20);
        put(&store, 1, SECRET);
        let mut other = behind(&store);
        let reading = other.transaction().unwrap();
        let count = |_: &rusqlite::Row<'_>| Ok(());
        reading.query_row("SELECT count(*) FROM blob", [], count).unwrap();
        put(&store, 2, b"another");
        store.lock().busy_timeout(std::time::Duration::ZERO).unwrap();
        assert_eq!(store.wipe_deleted().unwrap_err().kind(), StoreErrorKind::Busy);
        drop(reading);
        store.wipe_deleted().unwrap();
        assert_eq!(found(&store), 1, "nobody erased it");
    }
}
