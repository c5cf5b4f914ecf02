//! The journal: append only, synced before an append returns, one hash chain for everything.

use relight_model::{Digest, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use crate::{
    JournalRecord, Lease, Store, StoreError, StoreErrorKind, blob::not_what_was_written,
    chain::journal_hash, lease::check_journal_lease, store::Failure,
};

/// Most entries in one transaction; more are split over several.
pub const JOURNAL_BATCH_MAX: usize = 4_096;

/// Largest body of one entry, in bytes (a plan of 100,000 sites fits).
pub const JOURNAL_BODY_BYTES_MAX: usize = 32 << 20;

/// An entry that is not in the journal yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalDraft {
    /// When.
    pub time: Timestamp,
    /// Who does what it says.
    pub actor: String,
    /// What kind of entry it is.
    pub kind: String,
    /// Which incident it belongs to; empty when to none.
    pub incident: String,
    /// What it says, in canonical JSON.
    pub body: String,
}

impl Store {
    /// Appends entries and returns once they are on the disk. Up to [`JOURNAL_BATCH_MAX`] entries
    /// are one transaction; of a longer list the parts before an error stay appended.
    ///
    /// # Errors
    /// Somebody else took the lease (`Fenced`), a body is larger than [`JOURNAL_BODY_BYTES_MAX`]
    /// (`Limit`, and nothing is appended), the newest record is not the one that was appended last
    /// (`Corrupt`), or the database cannot be written.
    pub fn append(
        &self,
        lease: &Lease,
        drafts: &[JournalDraft],
    ) -> Result<Vec<JournalRecord>, StoreError> {
        check_sizes(drafts)?;
        let mut records = Vec::with_capacity(drafts.len());
        for batch in drafts.chunks(JOURNAL_BATCH_MAX) {
            let appended = self.write_on_reserve("appending to the journal", |transaction| {
                check_journal_lease(transaction, lease)?;
                append_batch(transaction, batch)
            });
            records.extend(appended?);
        }
        Ok(records)
    }

    /// The entries from number `from` on, oldest first. They are not verified.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn journal(&self, from: u64) -> Result<Vec<JournalRecord>, StoreError> {
        self.read("reading the journal", |database| {
            let mut query =
                database.prepare_cached(&format!("{QUERY} WHERE seq >= ?1 ORDER BY seq"))?;
            let rows = query.query_map([from.cast_signed()], record_of)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Number and hash of the entry that was appended last; zeros when there is none.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn journal_head(&self) -> Result<(u64, Digest), StoreError> {
        self.read("reading the head of the journal", |database| Ok(head_of(database)?))
    }

    /// At most [`JOURNAL_BATCH_MAX`] entries from number `from` on, for whoever reads them all and
    /// keeps none.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn journal_page(&self, from: u64) -> Result<Vec<JournalRecord>, StoreError> {
        self.journal_slice(from, JOURNAL_BATCH_MAX)
    }

    /// The same, of the entries of one kind.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn journal_page_of(&self, kind: &str, from: u64) -> Result<Vec<JournalRecord>, StoreError> {
        self.read("reading the journal", |database| {
            let query = format!("{QUERY} WHERE seq >= ?1 AND kind = ?2 ORDER BY seq LIMIT ?3");
            let mut query = database.prepare_cached(&query)?;
            let most = JOURNAL_BATCH_MAX as i64;
            let rows = query.query_map(params![from.cast_signed(), kind, most], record_of)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// At most `count` entries from number `from` on, oldest first. They are not verified.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn journal_slice(&self, from: u64, count: usize) -> Result<Vec<JournalRecord>, StoreError> {
        self.read("reading the journal", |database| {
            let query = format!("{QUERY} WHERE seq >= ?1 ORDER BY seq LIMIT ?2");
            let mut query = database.prepare_cached(&query)?;
            let rows = query.query_map(params![from.cast_signed(), count as i64], record_of)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

pub(crate) const QUERY: &str =
    "SELECT seq, time, actor, kind, incident, body, prev, hash FROM journal";

/// Refuses entries that are too large, before anything is written.
fn check_sizes(drafts: &[JournalDraft]) -> Result<(), StoreError> {
    let Some(large) = drafts.iter().find(|draft| draft.body.len() > JOURNAL_BODY_BYTES_MAX) else {
        return Ok(());
    };
    let context = format!(
        "appending `{}` to the journal: its body is larger than {JOURNAL_BODY_BYTES_MAX} bytes",
        large.kind
    );
    Err(StoreError::new(StoreErrorKind::Limit, context))
}

fn append_batch(
    transaction: &Transaction<'_>,
    drafts: &[JournalDraft],
) -> Result<Vec<JournalRecord>, Failure> {
    let (mut seq, mut prev) = checked_head(transaction)?;
    let mut insert = transaction.prepare_cached(
        "INSERT INTO journal (seq, time, actor, kind, incident, body, prev, hash)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    let mut records = Vec::with_capacity(drafts.len());
    for draft in drafts {
        seq += 1;
        let record = chained(seq, prev, draft);
        prev = record.hash;
        let JournalRecord { seq, time, actor, kind, incident, body, prev, hash } = &record;
        insert.execute(params![
            seq.cast_signed(),
            time,
            actor,
            kind,
            incident,
            body,
            prev.0,
            hash.0
        ])?;
        records.push(record);
    }
    set_head(transaction, seq, prev)?;
    Ok(records)
}

fn set_head(transaction: &Transaction<'_>, seq: u64, hash: Digest) -> Result<(), Failure> {
    transaction.execute("DELETE FROM journal_head", [])?;
    transaction
        .prepare_cached("INSERT INTO journal_head (seq, hash) VALUES (?1, ?2)")?
        .execute(params![seq.cast_signed(), hash.0])?;
    Ok(())
}

fn chained(seq: u64, prev: Digest, draft: &JournalDraft) -> JournalRecord {
    let JournalDraft { time, actor, kind, incident, body } = draft.clone();
    let hash = Digest::default();
    let mut record = JournalRecord { seq, time, actor, kind, incident, body, prev, hash };
    record.hash = journal_hash(&record);
    record
}

/// Number and hash of the newest record. A journal whose end is damaged is not continued: that
/// would bury the damage under records that verify.
fn checked_head(database: &Connection) -> Result<(u64, Digest), rusqlite::Error> {
    let head = head_of(database)?;
    let mut query = database.prepare_cached(&format!("{QUERY} ORDER BY seq DESC LIMIT 1"))?;
    let newest = query.query_row([], record_of).optional()?;
    let intact = newest.as_ref().is_none_or(|record| record.hash == journal_hash(record));
    let found = newest.map_or_else(Default::default, |record| (record.seq, record.hash));
    if intact && found == head {
        return Ok(head);
    }
    let what = format!("the journal ends with record {}, record {} was appended", found.0, head.0);
    Err(not_what_was_written(0, what))
}

pub(crate) fn head_of(database: &Connection) -> Result<(u64, Digest), rusqlite::Error> {
    let query = "SELECT seq, hash FROM journal_head";
    let head = database
        .prepare_cached(query)?
        .query_row([], |row| Ok((row.get::<_, i64>(0)?.cast_unsigned(), Digest(row.get(1)?))))
        .optional()?;
    Ok(head.unwrap_or_default())
}

fn record_of(row: &Row<'_>) -> Result<JournalRecord, rusqlite::Error> {
    Ok(JournalRecord {
        seq: row.get::<_, i64>(0)?.cast_unsigned(),
        time: row.get(1)?,
        actor: row.get(2)?,
        kind: row.get(3)?,
        incident: row.get(4)?,
        body: row.get(5)?,
        prev: Digest(row.get(6)?),
        hash: Digest(row.get(7)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        JOURNAL_LEASE, Verified,
        testing::{behind, drafts, open},
    };

    #[test]
    fn pages_of_the_journal_are_whole_and_end() {
        let (_folder, store) = open();
        assert_eq!(store.journal_head().unwrap(), (0, Digest::default()));
        assert!(store.journal_page(1).unwrap().is_empty());
        let lease = store.take_lease(JOURNAL_LEASE, "test", 0).unwrap();
        let written = store.append(&lease, &drafts("test", JOURNAL_BATCH_MAX + 3)).unwrap();
        let first = store.journal_page(1).unwrap();
        assert_eq!(first, written[..JOURNAL_BATCH_MAX]);
        let rest = store.journal_page(first.len() as u64 + 1).unwrap();
        assert_eq!(rest, written[JOURNAL_BATCH_MAX..]);
        let last = &written[written.len() - 1];
        assert_eq!(store.journal_head().unwrap(), (last.seq, last.hash));
        assert!(store.journal_page(last.seq + 1).unwrap().is_empty());
    }

    #[test]
    fn what_is_appended_is_read_back() {
        let (folder, store) = open();
        let lease = store.take_lease(JOURNAL_LEASE, "test", 0).unwrap();
        let first = store.append(&lease, &drafts("a", 2)).unwrap();
        let second = store.append(&lease, &drafts("b", 3)).unwrap();
        assert_eq!(store.append(&lease, &[]).unwrap(), []);
        assert_eq!(store.journal(1).unwrap(), [first, second.clone()].concat());
        assert_eq!(store.journal(3).unwrap(), second);
        drop(store);
        let store = Store::open(folder.path()).unwrap();
        let verified = store.verify_journal().unwrap().unwrap();
        assert_eq!(verified, Verified { entries: 5, head: second[2].hash });
    }

    #[test]
    fn a_damaged_end_is_not_continued() {
        for sql in [
            "DELETE FROM journal WHERE seq = 2",
            "UPDATE journal SET actor = 'b' WHERE seq = 2",
            "UPDATE journal_head SET seq = 7",
        ] {
            let (_folder, store) = open();
            let lease = store.take_lease(JOURNAL_LEASE, "test", 0).unwrap();
            store.append(&lease, &drafts("a", 2)).unwrap();
            behind(&store).execute_batch(sql).unwrap();
            let error = store.append(&lease, &drafts("a", 1)).unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{sql}");
            assert!(error.to_string().contains("relight.db"), "{error}");
        }
    }

    #[test]
    fn an_older_term_is_refused() {
        let (_folder, store) = open();
        let old = store.take_lease(JOURNAL_LEASE, "old", 0).unwrap();
        store.append(&old, &drafts("old", 1)).unwrap();
        let new = store.take_lease(JOURNAL_LEASE, "new", 1).unwrap();
        assert_eq!((old.term, new.term), (1, 2));
        let other = Lease { term: 2, ..store.take_lease("edge:a", "old", 2).unwrap() };
        for lease in [old, other, Lease { term: 3, ..new.clone() }] {
            let error = store.append(&lease, &drafts("x", 1)).unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::Fenced, "{lease:?}");
        }
        assert_eq!(store.append(&new, &drafts("new", 1)).unwrap()[0].seq, 2);
        assert_eq!(store.lease(JOURNAL_LEASE).unwrap(), Some(new));
        assert_eq!(store.lease("edge:b").unwrap(), None);
    }

    #[test]
    fn a_list_larger_than_a_batch_is_split() {
        let (_folder, store) = open();
        let lease = store.take_lease(JOURNAL_LEASE, "test", 0).unwrap();
        let records = store.append(&lease, &drafts("a", JOURNAL_BATCH_MAX + 1)).unwrap();
        assert_eq!(records.len(), JOURNAL_BATCH_MAX + 1);
        let verified = store.verify_journal().unwrap().unwrap();
        assert_eq!(verified.entries, JOURNAL_BATCH_MAX as u64 + 1);
    }

    #[test]
    fn a_body_over_the_limit_is_refused_and_nothing_of_its_list_is_appended() {
        let (_folder, store) = open();
        let lease = store.take_lease(JOURNAL_LEASE, "test", 0).unwrap();
        let mut list = drafts("a", 2);
        list[1].body = "x".repeat(JOURNAL_BODY_BYTES_MAX + 1);
        let error = store.append(&lease, &list).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Limit);
        assert!(store.journal(1).unwrap().is_empty());
    }
}
