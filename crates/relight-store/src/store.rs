//! The store itself: one data directory, one database, one way in.

use std::{
    fs::DirBuilder,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use crate::{StoreError, StoreErrorKind, schema, settings};

/// How long an operation waits for another process that writes, in milliseconds.
pub const BUSY_MS_MAX: u64 = 5_000;

/// Most pages of a database (SQLite's own limit).
const PAGES_MAX: i64 = 4_294_967_294;

/// Name of the database inside the data directory.
pub const DATABASE_FILE: &str = "relight.db";

/// A state of the register, see [`Store::generation`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Generation {
    here: u64,
    elsewhere: i64,
}

/// The data directory: register, inventories, advisories, journal, windows and settings.
///
/// Every method is one transaction: after an error nothing of it was written, after success it is
/// on the disk (write-ahead log, `synchronous=FULL`). Threads may share it; they take turns.
#[derive(Debug)]
pub struct Store {
    database: Mutex<Connection>,
    path: PathBuf,
    /// The `data_version` of the last look at it.
    data_version: AtomicI64,
    /// Grows with each transaction of [`Store::write`].
    writes: AtomicU64,
    /// The reserve was given up, because the disk is full.
    pub(crate) is_short: AtomicBool,
    /// The file system keeps no room in a file.
    pub(crate) keeps_none: AtomicBool,
    /// This process took the journal once: the room is taken by such a one alone.
    pub(crate) is_controller: AtomicBool,
}

impl Store {
    /// Opens the data directory, creates it (mode 0700) when it is not there, and brings an older
    /// schema up to date.
    ///
    /// # Errors
    /// The directory cannot be created; the database is damaged or not ours (`Corrupt`), or was
    /// written by a newer relight (`NewerSchema`): then nothing is touched.
    pub fn open(directory: &Path) -> Result<Self, StoreError> {
        DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(|error| {
            StoreError::io(format!("creating the data directory {}", directory.display()), error)
        })?;
        let path = directory.join(DATABASE_FILE);
        refuse_empty(&path)?;
        let failed = |error| StoreError::sql("opening the database", &path, error);
        let mut database = connect(&path).map_err(failed)?;
        // Before anything is set: a database that is not ours stays as it is, byte for byte.
        schema::check(&database, &path)?;
        set_modes(&database).map_err(failed)?;
        schema::migrate(&mut database, &path)?;
        let data_version = AtomicI64::new(data_version(&database).map_err(failed)?);
        Ok(Self {
            database: Mutex::new(database),
            path,
            data_version,
            writes: AtomicU64::new(0),
            is_short: AtomicBool::new(false),
            keeps_none: AtomicBool::new(false),
            is_controller: AtomicBool::new(false),
        })
    }

    /// The database file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the whole database and looks for damage; minutes on a large one.
    ///
    /// # Errors
    /// `Corrupt`, with the first finding, when it is damaged.
    pub fn check(&self) -> Result<(), StoreError> {
        let found: String = self.read("checking the database", |database| {
            Ok(database.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?)
        })?;
        if found == "ok" {
            return Ok(());
        }
        Err(self.corrupt(&format!("checking the database: {found}")))
    }

    /// The value of a setting.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn meta_get(&self, key: &str) -> Result<Option<String>, StoreError> {
        self.read("reading a setting", |database| Ok(settings::get(database, key)?))
    }

    /// Sets a setting.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn meta_put(&self, key: &str, value: &str) -> Result<(), StoreError> {
        self.write("writing a setting", |transaction| Ok(settings::put(transaction, key, value)?))
    }

    /// Removes a setting that still has this value.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn meta_remove(&self, key: &str, value: &str) -> Result<(), StoreError> {
        self.write("removing a setting", |transaction| {
            let sql = "DELETE FROM meta WHERE key = ?1 AND value = ?2";
            transaction.execute(sql, params![key, value])?;
            Ok(())
        })
    }

    /// Whether another connection changed the database since the last call, or since this one was
    /// opened. Costs one look at the shared memory of the log.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn changed_elsewhere(&self) -> Result<bool, StoreError> {
        let version = self.read("looking for changes", |database| Ok(data_version(database)?))?;
        Ok(self.data_version.swap(version, Ordering::Relaxed) != version)
    }

    /// Which state of the register this is: whatever is computed from inventories, advisories and
    /// windows is as it was while this stays the same. Journal, accounts and leases are no part of
    /// it when they are written through this store.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn generation(&self) -> Result<Generation, StoreError> {
        self.read("looking for changes", |database| {
            let elsewhere = data_version(database)?;
            Ok(Generation { here: self.writes.load(Ordering::Relaxed), elsewhere })
        })
    }

    /// Lets the database grow by at most so many pages from now on, or as it likes again: beyond
    /// that, writing fails as on a full disk (`Full`).
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn limit_pages(&self, more: Option<u32>) -> Result<(), StoreError> {
        let set = || {
            let database = self.lock();
            let count: i64 = database.pragma_query_value(None, "page_count", |row| row.get(0))?;
            let most = more.map_or(PAGES_MAX, |more| count.saturating_add(more.into()));
            database.pragma_update(None, "max_page_count", most)
        };
        set().map_err(|error| StoreError::sql("limiting the database", &self.path, error))
    }

    /// One consistent read.
    pub(crate) fn read<T>(
        &self,
        doing: &str,
        work: impl FnOnce(&Connection) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        let mut database = self.lock();
        let run = || work(&*database.transaction()?);
        run().map_err(|failure: Failure| failure.named(doing, &self.path))
    }

    /// One transaction: committed and synced when `work` succeeds, else rolled back. Once the
    /// reserve was given up, it waits for room: logs and feeds would use it up.
    pub(crate) fn write<T>(
        &self,
        doing: &str,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        let mut database = self.lock();
        if self.is_still_short(&database) {
            let place = self.path.display();
            let context =
                format!("{doing}: the disk of {place} is full; hint: free space and repeat");
            return Err(StoreError::new(StoreErrorKind::Full, context));
        }
        // Also after an error: it may have come after the commit.
        self.count_write();
        self.transact(&mut database, doing, work)
    }

    /// Makes [`Store::generation`] another one.
    fn count_write(&self) {
        self.writes.fetch_add(1, Ordering::Relaxed);
    }

    /// As [`Store::write_on_reserve`], for what changes [`Store::generation`].
    pub(crate) fn write_news_on_reserve<T>(
        &self,
        doing: &str,
        work: impl Fn(&Transaction<'_>) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        let done = self.write_on_reserve(doing, work);
        // After it: what was answered meanwhile is not taken for what is answered from now on.
        self.count_write();
        done
    }

    /// The same for what may not wait for room: on a full disk the reserve is given up for it, and
    /// it is tried once more.
    pub(crate) fn write_on_reserve<T>(
        &self,
        doing: &str,
        work: impl Fn(&Transaction<'_>) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        // One lock for both: nobody else gets the room that was given up.
        let mut database = self.lock();
        match self.transact(&mut database, doing, &work) {
            Err(error) if error.kind() == StoreErrorKind::Full && self.release_reserve() => {
                self.transact(&mut database, doing, &work)
            }
            done => done,
        }
    }

    fn transact<T>(
        &self,
        database: &mut Connection,
        doing: &str,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        let run = || {
            let transaction = database.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let value = work(&transaction)?;
            transaction.commit()?;
            Ok(value)
        };
        run().map_err(|failure: Failure| failure.named(doing, &self.path))
    }

    /// An error that says that what was read back is not what was written.
    pub(crate) fn corrupt(&self, what: &str) -> StoreError {
        let hint = "hint: stop relight, move the file away and restore the last backup";
        let context = format!("{what}: {} is damaged; {hint}", self.path.display());
        StoreError::new(StoreErrorKind::Corrupt, context)
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Connection> {
        // A panic inside a transaction has rolled it back: the connection is as good as before.
        self.database.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nobody is at the database.
    #[cfg(test)]
    pub(crate) fn is_free(&self) -> bool {
        self.database.try_lock().is_ok()
    }
}

/// An empty file is what a torn copy leaves; SQLite would quietly start an empty register in it.
fn refuse_empty(path: &Path) -> Result<(), StoreError> {
    if !path.metadata().is_ok_and(|found| found.len() == 0) {
        return Ok(());
    }
    let context = format!(
        "opening the database: {} is empty; hint: restore the last backup, or remove the file to \
         start anew",
        path.display()
    );
    Err(StoreError::new(StoreErrorKind::Corrupt, context))
}

/// Why the work inside a transaction stopped: the database, or a rule of ours.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The database failed.
    Sql(rusqlite::Error),
    /// A rule was broken; the error is ready.
    Rule(StoreError),
}

impl Failure {
    /// A broken rule.
    pub(crate) fn rule(kind: StoreErrorKind, context: impl Into<String>) -> Self {
        Self::Rule(StoreError::new(kind, context))
    }

    pub(crate) fn named(self, doing: &str, path: &Path) -> StoreError {
        match self {
            Self::Sql(error) => StoreError::sql(doing, path, error),
            Self::Rule(error) => error,
        }
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

fn connect(path: &Path) -> Result<Connection, rusqlite::Error> {
    let database = Connection::open(path)?;
    database.busy_timeout(Duration::from_millis(BUSY_MS_MAX))?;
    database.set_prepared_statement_cache_capacity(64);
    Ok(database)
}

/// Changes whenever another connection has committed something (SQLite, `PRAGMA data_version`).
fn data_version(database: &Connection) -> Result<i64, rusqlite::Error> {
    database.pragma_query_value(None, "data_version", |row| row.get(0))
}

fn set_modes(database: &Connection) -> Result<(), rusqlite::Error> {
    database.pragma_update(None, "journal_mode", "WAL")?;
    database.pragma_update(None, "synchronous", "FULL")?;
    // What is deleted is overwritten: see `wipe`.
    database.pragma_update(None, "secure_delete", true)?;
    database.pragma_update(None, "foreign_keys", true)
}

#[cfg(test)]
mod tests {
    use std::{
        error::Error,
        fs::{self, File},
        os::unix::fs::PermissionsExt,
    };

    use testkit::Rng;

    use super::*;
    use crate::{
        JOURNAL_LEASE,
        testing::{behind, drafts, open, open_with_sites},
    };

    #[test]
    fn a_change_of_another_connection_is_seen_once() {
        let (folder, store) = open();
        store.meta_put("own", "1").unwrap();
        assert!(!store.changed_elsewhere().unwrap(), "its own change is none");
        Store::open(folder.path()).unwrap().meta_put("other", "1").unwrap();
        assert!(store.changed_elsewhere().unwrap());
        assert!(!store.changed_elsewhere().unwrap());
    }

    #[test]
    fn creates_a_private_folder_and_keeps_what_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("var/lib/relight");
        let store = Store::open(&data).unwrap();
        assert_eq!(fs::metadata(&data).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(store.meta_get("demo").unwrap(), None);
        store.meta_put("demo", "1").unwrap();
        store.meta_put("demo", "2").unwrap();
        store.check().unwrap();
        drop(store);
        assert_eq!(Store::open(&data).unwrap().meta_get("demo").unwrap().as_deref(), Some("2"));
    }

    #[test]
    fn threads_may_share_it() {
        fn shared<T: Send + Sync>() {}
        shared::<Store>();
        shared::<crate::Index>();
        shared::<StoreError>();
    }

    #[test]
    fn every_commit_is_synced() {
        let (_folder, store) = open();
        let pragma =
            |name| store.lock().pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(pragma("synchronous"), 2);
        assert_eq!(pragma("foreign_keys"), 1);
        assert_eq!(pragma("secure_delete"), 1);
        let mode = store.lock().pragma_query_value(None, "journal_mode", |row| row.get(0));
        assert_eq!(mode, Ok("wal".to_owned()));
    }

    /// The error of opening a folder with this file in it, which must not change.
    fn refusal(write: impl Fn(&Path)) -> StoreError {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(DATABASE_FILE);
        write(&path);
        let before = fs::read(&path).unwrap();
        let error = Store::open(folder.path()).unwrap_err();
        assert_eq!(fs::read(&path).unwrap(), before, "{error}");
        assert!(error.to_string().contains(DATABASE_FILE), "{error}");
        assert!(error.to_string().contains("hint: "), "{error}");
        error
    }

    #[test]
    fn refuses_what_is_not_its_database() {
        let garbage = refusal(|path| fs::write(path, "not a database".repeat(900)).unwrap());
        assert_eq!(garbage.kind(), StoreErrorKind::Corrupt);
        assert!(garbage.source().is_some());
        let empty = refusal(|path| drop(File::create(path).unwrap()));
        assert_eq!(empty.kind(), StoreErrorKind::Corrupt);
        let foreign = refusal(|path| {
            Connection::open(path).unwrap().execute_batch("CREATE TABLE a (b)").unwrap();
        });
        assert_eq!(foreign.kind(), StoreErrorKind::Corrupt);
    }

    #[test]
    fn a_torn_database_is_an_error_that_names_the_file() {
        let (folder, store) = open_with_sites(2_000);
        drop(store);
        let path = folder.path().join(DATABASE_FILE);
        let whole = fs::read(&path).unwrap();
        for quarter in 1..4 {
            fs::write(&path, &whole[..whole.len() * quarter / 4]).unwrap();
            let read = Store::open(folder.path()).and_then(|store| {
                store.check()?;
                store.sites()
            });
            let error = read.unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{error}");
            assert!(error.to_string().contains(DATABASE_FILE), "{error}");
        }
    }

    #[test]
    fn a_full_disk_is_an_error_and_nothing_is_half_written() {
        let (_folder, store) = open();
        let lease = store.take_lease(JOURNAL_LEASE, "test", 0).unwrap();
        store.limit_pages(Some(8)).unwrap();
        let mut appended = 0;
        let error = loop {
            match store.append(&lease, &drafts("a", 100)) {
                Ok(records) => appended += records.len(),
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), StoreErrorKind::Full);
        assert!(appended > 0);
        assert_eq!(store.verify_journal().unwrap().unwrap().entries, appended as u64);
        store.limit_pages(None).unwrap();
        assert_eq!(store.append(&lease, &drafts("a", 1)).unwrap()[0].seq, appended as u64 + 1);
    }

    /// A second process on the same folder sees what the first wrote, and takes over from it.
    #[test]
    fn two_stores_may_share_a_folder_and_the_newer_lease_writes() {
        let (folder, first) = open_with_sites(3);
        let second = Store::open(folder.path()).unwrap();
        assert_eq!(second.sites().unwrap(), first.sites().unwrap());
        let old = first.take_lease(JOURNAL_LEASE, "first", 1).unwrap();
        first.append(&old, &drafts("first", 2)).unwrap();
        let new = second.take_lease(JOURNAL_LEASE, "second", 2).unwrap();
        let refused = first.append(&old, &drafts("first", 1)).unwrap_err();
        assert_eq!(refused.kind(), StoreErrorKind::Fenced);
        assert!(refused.to_string().contains("`first` holds `journal` under term 1"), "{refused}");
        second.append(&new, &drafts("second", 1)).unwrap();
        assert_eq!(first.verify_journal().unwrap().unwrap().entries, 3);
    }

    #[test]
    fn a_panic_in_a_transaction_rolls_it_back_and_the_store_goes_on() {
        let (_folder, store) = open();
        let panicked = std::thread::scope(|scope| {
            let work = || {
                store.write::<()>("", |transaction| {
                    transaction.execute("INSERT INTO meta VALUES ('a', 'half')", [])?;
                    panic!("in the middle");
                })
            };
            scope.spawn(work).join().is_err()
        });
        assert!(panicked);
        assert_eq!(store.meta_get("a").unwrap(), None);
        store.meta_put("a", "whole").unwrap();
    }

    #[test]
    fn a_writer_that_is_in_the_way_for_too_long_is_busy() {
        let (_folder, store) = open();
        store.lock().busy_timeout(Duration::from_millis(1)).unwrap();
        let other = behind(&store);
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let error = store.meta_put("a", "b").unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Busy);
        other.execute_batch("ROLLBACK").unwrap();
        store.meta_put("a", "b").unwrap();
    }

    /// Goal: whatever was acknowledged is there after a crash. Method: after each append the files
    /// are copied as they lie on the disk, as a crash at that moment would leave them, and opened.
    /// Then the log of the last state is cut at random bytes: what is left is whole appends.
    #[test]
    fn what_append_returned_survives_a_crash() {
        let (folder, store) = open();
        let lease = store.take_lease(JOURNAL_LEASE, "test", 0).unwrap();
        let mut rng = Rng::new(5);
        let mut ends = vec![0];
        for _ in 0..40 {
            let records = store.append(&lease, &drafts("a", 1 + rng.below(50))).unwrap();
            ends.push(records.last().unwrap().seq);
            let copy = copy_of(folder.path());
            let after = Store::open(copy.path()).unwrap().verify_journal().unwrap().unwrap();
            assert_eq!(
                (after.entries, after.head),
                (ends[ends.len() - 1], records.last().unwrap().hash)
            );
        }
        for _ in 0..40 {
            let copy = copy_of(folder.path());
            let wal = copy.path().join("relight.db-wal");
            let length = fs::metadata(&wal).unwrap().len() as usize;
            let file = File::options().write(true).open(&wal).unwrap();
            file.set_len(rng.below(length) as u64).unwrap();
            let Ok(after) = Store::open(copy.path()) else { continue };
            let after = after.verify_journal().unwrap().unwrap();
            assert!(ends.contains(&after.entries), "{after:?}");
        }
    }

    fn copy_of(data: &Path) -> tempfile::TempDir {
        let copy = tempfile::tempdir().unwrap();
        for name in [DATABASE_FILE, "relight.db-wal"] {
            fs::copy(data.join(name), copy.path().join(name)).unwrap();
        }
        copy
    }
}
