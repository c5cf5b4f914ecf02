//! The store itself: one data directory, one database, one way in.

use std::{
    fs::DirBuilder,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use crate::{StoreError, StoreErrorKind, schema};

/// How long an operation waits for another process that writes, in milliseconds.
pub const BUSY_MS_MAX: u64 = 5_000;

/// Name of the database inside the data directory.
pub const DATABASE_FILE: &str = "relight.db";

/// The data directory: register, inventories, advisories, journal, windows and settings.
///
/// Every method is one transaction: after an error nothing of it was written, after success it is
/// on the disk (write-ahead log, `synchronous=FULL`). Threads may share it; they take turns.
#[derive(Debug)]
pub struct Store {
    database: Mutex<Connection>,
    path: PathBuf,
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
        let mut database = connect(&path)
            .map_err(|error| StoreError::sql("opening the database", &path, error))?;
        schema::migrate(&mut database, &path)?;
        Ok(Self { database: Mutex::new(database), path })
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
        self.read("reading a setting", |database| {
            let mut statement = database.prepare_cached("SELECT value FROM meta WHERE key = ?1")?;
            Ok(statement.query_row([key], |row| row.get(0)).optional()?)
        })
    }

    /// Sets a setting.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn meta_put(&self, key: &str, value: &str) -> Result<(), StoreError> {
        self.write("writing a setting", |transaction| {
            transaction.execute(
                "INSERT INTO meta (key, value) VALUES (?1, ?2)
                 ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                params![key, value],
            )?;
            Ok(())
        })
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

    /// One transaction: committed and synced when `work` succeeds, else rolled back.
    pub(crate) fn write<T>(
        &self,
        doing: &str,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        let mut database = self.lock();
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

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // A panic inside a transaction has rolled it back: the connection is as good as before.
        self.database.lock().unwrap_or_else(PoisonError::into_inner)
    }
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

    fn named(self, doing: &str, path: &Path) -> StoreError {
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
    database.pragma_update(None, "journal_mode", "WAL")?;
    database.pragma_update(None, "synchronous", "FULL")?;
    database.pragma_update(None, "foreign_keys", true)?;
    database.set_prepared_statement_cache_capacity(64);
    Ok(database)
}
