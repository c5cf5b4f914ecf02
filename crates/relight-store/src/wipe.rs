//! What was deleted leaves the files of the database too.
//!
//! What is deleted is overwritten with zeros at once (`secure_delete`). Registers of before have
//! pages in which it was not: such a one is written anew, once. And the write-ahead log, which
//! still has the pages as they were, is emptied.
//!
//! Whoever darkens never waits for that: a register is written anew only by its controller, who
//! looks for incidents before, and the log is emptied in short tries.

use std::{thread, time::Duration};

use rusqlite::Connection;

use crate::{BUSY_MS_MAX, Control, RESERVE_BYTES, Store, StoreError, StoreErrorKind, settings};

/// The setting that says that nothing was ever deleted without being overwritten, or that the
/// database was written anew since.
const OVERWRITTEN: &str = "deleted-overwritten";

/// How long one try to empty the log keeps others from writing, in milliseconds.
const HOLD_MS_MAX: u64 = 200;

/// The time between two tries, in milliseconds: longer than a writer sleeps who waits for his turn.
const PAUSE_MS: u64 = 250;

/// Tries to empty the log.
const TRIES: u32 = 10;

/// Notes that nothing that was deleted stands in free pages.
pub(crate) fn note_overwritten(database: &Connection) -> rusqlite::Result<()> {
    settings::put(database, OVERWRITTEN, "1")
}

impl Store {
    /// Whether everything that was ever deleted was overwritten. If not, pages that are free may
    /// still hold it, until the register is written anew.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn is_overwritten(&self) -> Result<bool, StoreError> {
        Ok(self.meta_get(OVERWRITTEN)?.is_some())
    }

    /// Writes the register anew, without what was deleted. Nobody else can write meanwhile, for
    /// minutes where it is large; hence only its controller does. Gives how many bytes must be free
    /// on its disk where they are not; nothing is done then.
    ///
    /// # Errors
    /// The database cannot be written; it is as it was, and its log takes no room.
    pub fn write_anew(&self, _: &Control) -> Result<Option<u64>, StoreError> {
        let database = self.lock();
        let failed = |error| StoreError::sql("writing the register anew", self.path(), error);
        let needed = room_for(&database).map_err(failed)?;
        if self.is_still_short(&database) || self.free_bytes().is_none_or(|free| free < needed) {
            return Ok(Some(needed));
        }
        rewrite(&database).map_err(failed)?;
        Ok(None)
    }

    /// Leaves nothing of what was deleted in the write-ahead log.
    ///
    /// # Errors
    /// The database cannot be written, or somebody reads it all the time (`Busy`): then the log
    /// holds that still, and the same may be asked again.
    pub fn wipe_deleted(&self) -> Result<(), StoreError> {
        let doing = "wiping what was deleted";
        let failed = |error| StoreError::sql(doing, self.path(), error);
        for tried in 0..TRIES {
            if tried > 0 {
                // Nobody tells when a reader is done, and writers have their turn meanwhile.
                thread::sleep(Duration::from_millis(PAUSE_MS));
            }
            if is_emptied(&self.lock()).map_err(failed)? {
                return Ok(());
            }
        }
        let place = self.path().display();
        let context = format!("{doing}: somebody reads {place}; hint: repeat");
        Err(StoreError::new(StoreErrorKind::Busy, context))
    }
}

/// Bytes that writing it anew takes: the new one beside the old one, both in the log once more, and
/// what is kept for bad days.
fn room_for(database: &Connection) -> rusqlite::Result<u64> {
    let number = |name| database.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let bytes = number("page_count")?.saturating_mul(number("page_size")?);
    Ok(bytes.cast_unsigned().saturating_mul(2).saturating_add(RESERVE_BYTES))
}

fn rewrite(database: &Connection) -> rusqlite::Result<()> {
    let rewritten = database.execute_batch("VACUUM").and_then(|()| note_overwritten(database));
    if rewritten.is_err() {
        // The log keeps its length, and with it the disk full, until somebody empties it.
        let _ = is_emptied(database);
    }
    rewritten
}

/// Empties the log; false when somebody reads it, so that it cannot be. Most of it is carried over
/// first, while others write.
fn is_emptied(database: &Connection) -> rusqlite::Result<bool> {
    let step = |mode: &str| {
        let checkpoint = format!("PRAGMA wal_checkpoint({mode})");
        database.query_row(&checkpoint, [], |row| row.get::<_, bool>(0))
    };
    step("PASSIVE")?;
    database.busy_timeout(Duration::from_millis(HOLD_MS_MAX))?;
    let is_busy = step("TRUNCATE");
    database.busy_timeout(Duration::from_millis(BUSY_MS_MAX))?;
    Ok(!is_busy?)
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
        store.wipe_deleted().unwrap();
        assert!(found(&store) > 1_000, "in free pages");
        assert!(!store.is_overwritten().unwrap());
        let control = store.take_control().unwrap().unwrap();
        assert_eq!(store.write_anew(&control).unwrap(), None);
        store.wipe_deleted().unwrap();
        assert_eq!(found(&store), 0);
        store.check().unwrap();
        assert!(store.is_overwritten().unwrap());
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
        // Whoever darkens writes meanwhile.
        let server = Store::open(store.path().parent().unwrap()).unwrap();
        server.lock().busy_timeout(Duration::from_secs(3)).unwrap();
        thread::scope(|scope| {
            let wiping = scope.spawn(|| store.wipe_deleted());
            while !wiping.is_finished() {
                server.meta_put("order", "dark").unwrap();
            }
            assert_eq!(wiping.join().unwrap().unwrap_err().kind(), StoreErrorKind::Busy);
        });
        drop(reading);
        store.wipe_deleted().unwrap();
        assert_eq!(found(&store), 1, "nobody erased it");
    }

    fn log_bytes(store: &Store) -> u64 {
        let log = fs::metadata(format!("{}-wal", store.path().display()));
        log.map_or(0, |log| log.len())
    }

    /// A register of before on a small disk: nothing is begun that has no room, and what fails half
    /// way gives its room back.
    #[test]
    fn a_register_that_has_no_room_to_be_written_anew_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let Some(disk) = testkit::SmallDisk::over(folder.path()) else { return };
        let store = Store::open(folder.path()).unwrap();
        store.meta_remove(OVERWRITTEN, "1").unwrap();
        for number in 0..8 {
            let noise = number.to_string().repeat(1 << 20);
            store.meta_put(&format!("large {number}"), &noise).unwrap();
        }
        let control = store.take_control().unwrap().unwrap();
        store.wipe_deleted().unwrap();
        let needed = store.write_anew(&control).unwrap().unwrap();
        assert!(needed > (16 << 20) + RESERVE_BYTES, "{needed}");
        assert!(!store.is_overwritten().unwrap());
        assert_eq!(log_bytes(&store), 0, "nothing was begun");
        // Whoever fills the disk meanwhile.
        let filled = disk.fill("other");
        fs::File::options().write(true).open(&filled).unwrap().set_len(9 << 20).unwrap();
        let error = rewrite(&store.lock()).unwrap_err();
        assert_eq!(error.sqlite_error_code(), Some(rusqlite::ErrorCode::DiskFull), "{error}");
        assert_eq!(log_bytes(&store), 0);
        assert!(!store.is_overwritten().unwrap());
        store.meta_put("order", "dark").unwrap();
        store.check().unwrap();
    }
}
