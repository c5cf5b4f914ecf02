//! Notes about the watch: why somebody looked at what several organisations have together, and
//! what was erased. Only ever added to.

use relight_model::Timestamp;
use rusqlite::params;

use crate::{Store, StoreError};

/// One note: when, who, what kind, and what.
pub type WatchNote = (Timestamp, String, String, String);

impl Store {
    /// Adds a note.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn put_watch_note(
        &self,
        at: Timestamp,
        actor: &str,
        kind: &str,
        what: &str,
    ) -> Result<(), StoreError> {
        self.write("noting a look", |transaction| {
            let add = "INSERT INTO watch_note (at, actor, kind, what) VALUES (?1, ?2, ?3, ?4)";
            transaction.prepare_cached(add)?.execute(params![at, actor, kind, what])?;
            Ok(())
        })
    }

    /// Every note, oldest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn watch_notes(&self) -> Result<Vec<WatchNote>, StoreError> {
        self.read("reading the notes", |database| {
            let query = "SELECT at, actor, kind, what FROM watch_note ORDER BY seq";
            let mut query = database.prepare_cached(query)?;
            let rows = query
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::open;

    #[test]
    fn notes_stay_in_order() {
        let (_folder, store) = open();
        assert_eq!(store.watch_notes().unwrap(), []);
        store.put_watch_note(9, "a", "export", "C-0001 stix").unwrap();
        store.put_watch_note(3, "b", "erase", "").unwrap();
        let row = |at, actor: &str, kind: &str, what: &str| {
            (at, actor.to_owned(), kind.to_owned(), what.to_owned())
        };
        let notes = [row(9, "a", "export", "C-0001 stix"), row(3, "b", "erase", "")];
        assert_eq!(store.watch_notes().unwrap(), notes);
    }
}
