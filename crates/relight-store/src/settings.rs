//! Settings that are read and written together, in one transaction.

use std::path::Path;

use relight_model::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use crate::register::{Change, note_change};
use crate::store::Failure;
use crate::{Store, StoreError};

/// What is being done, for errors.
const DOING: &str = "changing settings";

/// Who changes something that answers rest on, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct By<'a> {
    /// Who, as the register records it.
    pub actor: &'a str,
    /// When.
    pub at: Timestamp,
}

/// The settings of a register, while nobody else can change any of them.
#[derive(Debug)]
pub struct Settings<'t> {
    transaction: &'t Transaction<'t>,
    path: &'t Path,
}

impl Store {
    /// Reads settings and sets others by them, in one transaction: what was read is so until `work`
    /// is done, also for other processes.
    ///
    /// # Errors
    /// `work` fails or the database cannot be written; then nothing is set.
    pub fn settings<T>(
        &self,
        work: impl FnOnce(&Settings<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.write(DOING, |transaction| {
            work(&Settings { transaction, path: self.path() }).map_err(Failure::Rule)
        })
    }
}

/// The value of a setting.
pub(crate) fn get(database: &Connection, key: &str) -> Result<Option<String>, rusqlite::Error> {
    let mut query = database.prepare_cached("SELECT value FROM meta WHERE key = ?1")?;
    query.query_row([key], |row| row.get(0)).optional()
}

/// Sets a setting.
pub(crate) fn put(database: &Connection, key: &str, value: &str) -> Result<(), rusqlite::Error> {
    let insert = "INSERT INTO meta (key, value) VALUES (?1, ?2)
                  ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    database.prepare_cached(insert)?.execute(params![key, value]).map(drop)
}

impl Settings<'_> {
    /// The value of a setting.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn get(&self, key: &str) -> Result<Option<String>, StoreError> {
        get(self.transaction, key).map_err(|error| StoreError::sql(DOING, self.path, error))
    }

    /// Sets a setting.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn put(&self, key: &str, value: &str) -> Result<(), StoreError> {
        put(self.transaction, key, value).map_err(|error| StoreError::sql(DOING, self.path, error))
    }

    /// Keeps who set what, as the register keeps its other changes: `before` and `after` in a line
    /// each.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn note(
        &self,
        by: By<'_>,
        what: &str,
        (before, after): (&str, &str),
    ) -> Result<(), StoreError> {
        let change = Change { at: by.at, actor: by.actor, what };
        note_change(self.transaction, change, before, after)
            .map_err(|error| StoreError::sql(DOING, self.path, error))
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::StoreErrorKind;
    use crate::testing::open;

    /// Counts in a setting.
    fn count(store: &Store) -> Result<u32, StoreError> {
        store.settings(|settings| {
            let before = settings.get("count")?.map_or(0, |text| text.parse().unwrap());
            settings.put("count", &(before + 1).to_string())?;
            Ok(before)
        })
    }

    /// Goal: nobody's change is lost between reading and writing. Method: four connections, each as
    /// another process has one, count at one moment.
    #[test]
    fn what_was_read_is_so_until_it_is_written() {
        let (folder, store) = open();
        let mut seen: Vec<u32> = thread::scope(|scope| {
            let work = || {
                let other = Store::open(folder.path()).unwrap();
                (0..25).map(|_| count(&other).unwrap()).collect::<Vec<_>>()
            };
            let all: Vec<_> = (0..4).map(|_| scope.spawn(work)).collect();
            all.into_iter().flat_map(|it| it.join().unwrap()).collect()
        });
        seen.sort_unstable();
        assert_eq!(seen, (0..100).collect::<Vec<_>>());
        assert_eq!(store.meta_get("count").unwrap().as_deref(), Some("100"));
    }

    #[test]
    fn work_that_fails_sets_nothing() {
        let (_folder, store) = open();
        count(&store).unwrap();
        let failed = store.settings(|settings| {
            settings.put("count", "7")?;
            settings.put("other", "7")?;
            settings.note(By { actor: "anna", at: 1 }, "other", ("", "7"))?;
            Err::<(), _>(StoreError::new(StoreErrorKind::Busy, "test"))
        });
        assert_eq!(failed.unwrap_err().kind(), StoreErrorKind::Busy);
        assert_eq!(store.meta_get("count").unwrap().as_deref(), Some("1"));
        assert_eq!(store.meta_get("other").unwrap(), None);
        assert_eq!(store.register_changes(0).unwrap(), [], "what was not done is not noted");
    }

    #[test]
    fn who_set_what_is_kept_with_it() {
        let (_folder, store) = open();
        let by = By { actor: "anna", at: 7 };
        let work = |settings: &Settings<'_>| {
            settings.put("colour", "red")?;
            settings.note(by, "setting colour", ("", "red"))
        };
        store.settings(work).unwrap();
        let noted = store.register_changes(0).unwrap();
        let noted: Vec<_> =
            noted.iter().map(|it| (it.at, &*it.actor, &*it.what, &*it.after)).collect();
        assert_eq!(noted, [(7, "anna", "setting colour", "red")]);
    }
}
