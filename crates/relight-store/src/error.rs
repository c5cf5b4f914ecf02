//! The error of the store: what was being done, to what, and what a caller can do about it.

use std::{error::Error, fmt, path::Path, sync::Arc};

/// What a caller does differently about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StoreErrorKind {
    /// The database is damaged or is not ours: restore it, nothing was changed.
    Corrupt,
    /// The database was written by a newer relight: update this program.
    NewerSchema,
    /// Somebody else took the lease: stop acting.
    Fenced,
    /// A plan was made on an older state: make it again.
    PlanStale,
    /// The disk is full: nothing of the operation was written.
    Full,
    /// Another process holds the database for longer than [`crate::BUSY_MS_MAX`]: try again.
    Busy,
    /// Something named in the request is not in the store.
    NotFound,
    /// Something is larger than a limit.
    Limit,
    /// Anything else from the disk or the database.
    Other,
}

/// A failed operation of the store. Nothing of the transaction it belongs to was written.
#[derive(Clone, Debug)]
pub struct StoreError {
    kind: StoreErrorKind,
    context: String,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl StoreError {
    /// What was stored is not what this program stores, or is of a newer one.
    pub fn not_understood(context: impl Into<String>) -> Self {
        Self::new(StoreErrorKind::Corrupt, context)
    }

    pub(crate) fn new(kind: StoreErrorKind, context: impl Into<String>) -> Self {
        Self { kind, context: context.into(), source: None }
    }

    pub(crate) fn sql(context: &str, place: &Path, source: rusqlite::Error) -> Self {
        let kind = kind_of(&source);
        let place = place.display();
        let context = match kind {
            StoreErrorKind::Corrupt => format!(
                "{context}: {place} is damaged or is not a relight database; hint: stop relight, \
                 move the file away and restore the last backup"
            ),
            StoreErrorKind::Full => {
                format!("{context}: the disk of {place} is full; hint: free space and repeat")
            }
            _ => format!("{context} in {place}"),
        };
        Self { kind, context, source: Some(Arc::new(source)) }
    }

    pub(crate) fn io(context: impl Into<String>, source: std::io::Error) -> Self {
        Self {
            kind: StoreErrorKind::Other,
            context: context.into(),
            source: Some(Arc::new(source)),
        }
    }

    /// What a caller can do about it.
    pub const fn kind(&self) -> StoreErrorKind {
        self.kind
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.context)
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| source.as_ref() as &(dyn Error + 'static))
    }
}

fn kind_of(error: &rusqlite::Error) -> StoreErrorKind {
    use rusqlite::ErrorCode;
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreErrorKind::Corrupt,
        Some(ErrorCode::DiskFull) => StoreErrorKind::Full,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreErrorKind::Busy,
        Some(_) => StoreErrorKind::Other,
        // A value of the wrong type or length, where our own schema allows only the right one.
        None => match error {
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::Utf8Error(..)
            | rusqlite::Error::InvalidColumnType(..) => StoreErrorKind::Corrupt,
            _ => StoreErrorKind::Other,
        },
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::{Connection, types::Type};

    use super::*;

    #[test]
    fn says_what_was_done_to_what_and_keeps_the_cause_apart() {
        let cause = Connection::open_in_memory().unwrap().execute("NONSENSE", []).unwrap_err();
        let error = StoreError::sql("reading the sites", Path::new("/data/relight.db"), cause);
        assert_eq!(error.to_string(), "reading the sites in /data/relight.db");
        assert!(error.source().unwrap().to_string().contains("NONSENSE"));
        assert_eq!(error.kind(), StoreErrorKind::Other);
        let rule = StoreError::new(StoreErrorKind::Limit, "too much");
        assert!(rule.source().is_none());
    }

    #[test]
    fn kinds_that_a_caller_acts_on() {
        use rusqlite::{Error, ffi};
        let sqlite = |code| Error::SqliteFailure(ffi::Error::new(code), None);
        for (cause, kind, hint) in [
            (sqlite(ffi::SQLITE_CORRUPT), StoreErrorKind::Corrupt, "restore the last backup"),
            (sqlite(ffi::SQLITE_NOTADB), StoreErrorKind::Corrupt, "restore the last backup"),
            (sqlite(ffi::SQLITE_FULL), StoreErrorKind::Full, "free space"),
            (sqlite(ffi::SQLITE_BUSY), StoreErrorKind::Busy, "/d"),
            (sqlite(ffi::SQLITE_CONSTRAINT), StoreErrorKind::Other, "/d"),
            (Error::IntegralValueOutOfRange(0, -1), StoreErrorKind::Corrupt, "backup"),
            (Error::InvalidColumnType(0, "a".into(), Type::Null), StoreErrorKind::Corrupt, "/d"),
            (Error::QueryReturnedNoRows, StoreErrorKind::Other, "/d"),
        ] {
            let error = StoreError::sql("reading", Path::new("/d"), cause);
            assert_eq!(error.kind(), kind, "{error}");
            assert!(error.to_string().contains(hint), "{error}");
        }
    }
}
