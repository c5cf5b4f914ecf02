//! The whole journal against its hash chain, on every core.
//!
//! A record names the hash of the one before, so a stretch in the middle can be checked from the
//! stored hash before it: the stretch that holds that record vouches for it.

use std::path::Path;
use std::thread;

use relight_model::Digest;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Row};

use crate::chain::{BorrowedRecord, Chain};
use crate::journal::{QUERY, head_of};
use crate::store::Failure;
use crate::{JournalFault, JournalFaultKind, Store, StoreError, Verified};

/// Records that are worth a thread of their own.
const STRETCH_MIN: u64 = 20_000;

impl Store {
    /// Checks every record against the chain, and the end against the head that was kept.
    ///
    /// # Errors
    /// The database cannot be read; a broken chain is a value, the inner error.
    pub fn verify_journal(&self) -> Result<Result<Verified, JournalFault>, StoreError> {
        let threads = thread::available_parallelism().map_or(1, |count| count.get() as u64);
        self.read("verifying the journal", |database| {
            verify(database, self.path(), threads, STRETCH_MIN)
        })
    }
}

/// The first and the last number of a stretch.
type Stretch = (i64, i64);

fn verify(
    database: &Connection,
    path: &Path,
    threads: u64,
    stretch_min: u64,
) -> Result<Result<Verified, JournalFault>, Failure> {
    let newest: Option<i64> =
        database.query_row("SELECT max(seq) FROM journal", [], |row| row.get(0))?;
    let stretches = stretches(newest.unwrap_or(0), threads, stretch_min);
    let (first, others) = stretches.split_first().unwrap_or((&(0, 0), &[]));
    let followed = thread::scope(|scope| {
        let start = |stretch: &Stretch| {
            let stretch = *stretch;
            scope.spawn(move || follow(&reader(path)?, stretch))
        };
        let others: Vec<_> = others.iter().map(start).collect();
        let mut followed = vec![follow(database, *first)];
        followed.extend(
            others
                .into_iter()
                .map(|thread| thread.join().unwrap_or(Err(rusqlite::Error::InvalidQuery))),
        );
        followed
    });
    let mut chain = Chain::default();
    for stretch in followed {
        match stretch? {
            Ok(end) => chain = end,
            Err(fault) => return Ok(Err(fault)),
        }
    }
    let verified = chain.verified();
    if head_of(database)? == (verified.entries, verified.head) {
        return Ok(Ok(verified));
    }
    Ok(Err(JournalFault { seq: chain.next(), what: JournalFaultKind::TailMissing }))
}

/// Equal stretches up to the newest number, the first one from whatever number there is.
fn stretches(newest: i64, threads: u64, stretch_min: u64) -> Vec<Stretch> {
    let entries = newest.max(0).cast_unsigned();
    let count = (entries / stretch_min.max(1)).clamp(1, threads.max(1));
    let end = |number: u64| (entries * number / count).cast_signed();
    let mut all: Vec<Stretch> =
        (0..count).map(|number| (end(number) + 1, end(number + 1))).collect();
    all[0].0 = i64::MIN;
    all
}

/// Follows the records of one stretch; all of its numbers must be there.
fn follow(
    database: &Connection,
    (first, last): Stretch,
) -> Result<Result<Chain, JournalFault>, rusqlite::Error> {
    let mut chain = match u64::try_from(first.saturating_sub(1)) {
        Ok(before) if first > 1 => Chain::after(before, hash_of(database, before)?),
        _ => Chain::default(),
    };
    let mut query =
        database.prepare(&format!("{QUERY} WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq"))?;
    let mut rows = query.query([first, last])?;
    while let Some(row) = rows.next()? {
        let unreadable = JournalFault { seq: chain.next(), what: JournalFaultKind::Unreadable };
        let followed = borrowed(row).map_err(|_| unreadable).and_then(|it| chain.follow(&it));
        if let Err(fault) = followed {
            return Ok(Err(fault));
        }
    }
    if chain.verified().entries.cast_signed() < last {
        return Ok(Err(JournalFault { seq: chain.next(), what: JournalFaultKind::Sequence }));
    }
    Ok(Ok(chain))
}

/// The stored hash of a record; zero when it is gone, which its own stretch reports.
fn hash_of(database: &Connection, seq: u64) -> Result<Digest, rusqlite::Error> {
    let query = "SELECT hash FROM journal WHERE seq = ?1";
    let hash = database.query_row(query, [seq.cast_signed()], |row| {
        Ok(row.get(0).map_or_else(|_| Digest::default(), Digest))
    });
    Ok(hash.optional()?.unwrap_or_default())
}

fn reader(path: &Path) -> Result<Connection, rusqlite::Error> {
    Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )
}

fn borrowed<'a>(row: &'a Row<'_>) -> Result<BorrowedRecord<'a>, rusqlite::Error> {
    let text =
        |index: usize| -> Result<&'a str, rusqlite::Error> { Ok(row.get_ref(index)?.as_str()?) };
    Ok(BorrowedRecord {
        seq: row.get::<_, i64>(0)?.cast_unsigned(),
        time: row.get(1)?,
        actor: text(2)?,
        kind: text(3)?,
        incident: text(4)?,
        body: text(5)?,
        prev: Digest(row.get(6)?),
        hash: Digest(row.get(7)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        JOURNAL_LEASE,
        testing::{behind, drafts, open},
    };

    /// The fault after a change behind our back, the same however many stretches are followed.
    fn fault_after(sql: &str) -> JournalFault {
        let (_folder, store) = open();
        let lease = store.take_lease(JOURNAL_LEASE, "test", 0).unwrap();
        store.append(&lease, &drafts("a", 5)).unwrap();
        assert_eq!(store.verify_journal().unwrap().unwrap().entries, 5);
        behind(&store).execute_batch(sql).unwrap();
        let fault = store.verify_journal().unwrap().unwrap_err();
        for threads in 2..=5 {
            let again = verify(&behind(&store), store.path(), threads, 1).unwrap();
            assert_eq!(again, Err(fault), "{threads} stretches: {sql}");
        }
        fault
    }

    #[test]
    fn a_flipped_byte_a_removed_and_a_moved_record_are_found() {
        use JournalFaultKind::{Hash, Previous, Sequence, TailMissing, Unreadable};
        for (sql, seq, what) in [
            ("UPDATE journal SET body = replace(body, '2', '3') WHERE seq = 3", 3, Hash),
            ("UPDATE journal SET time = time + 1 WHERE seq = 1", 1, Hash),
            ("UPDATE journal SET hash = zeroblob(32) WHERE seq = 5", 5, Hash),
            ("UPDATE journal SET hash = zeroblob(31) WHERE seq = 2", 2, Unreadable),
            ("UPDATE journal SET body = x'ff' WHERE seq = 4", 4, Unreadable),
            ("DELETE FROM journal WHERE seq = 1", 1, Sequence),
            ("DELETE FROM journal WHERE seq = 3", 3, Sequence),
            ("DELETE FROM journal WHERE seq = 5", 5, TailMissing),
            ("DELETE FROM journal", 1, TailMissing),
            (
                "UPDATE journal SET seq = 9 WHERE seq = 2; UPDATE journal SET seq = 2 WHERE seq = 3;
                 UPDATE journal SET seq = 3 WHERE seq = 9",
                2,
                Previous,
            ),
        ] {
            assert_eq!(fault_after(sql), JournalFault { seq, what }, "{sql}");
        }
    }

    #[test]
    fn an_intact_journal_is_intact_in_any_number_of_stretches() {
        let (_folder, store) = open();
        let lease = store.take_lease(JOURNAL_LEASE, "test", 0).unwrap();
        for entries in 0..8 {
            let whole = store.verify_journal().unwrap().unwrap();
            assert_eq!(whole.entries, entries);
            for threads in 1..=9 {
                let again = verify(&behind(&store), store.path(), threads, 1).unwrap();
                assert_eq!(again, Ok(whole), "{threads} stretches");
            }
            store.append(&lease, &drafts("a", 1)).unwrap();
        }
    }

    #[test]
    fn stretches_hold_every_number_once() {
        for (newest, threads) in [(0, 4), (1, 4), (7, 3), (8, 1), (100, 64)] {
            let all = stretches(newest, threads, 1);
            assert_eq!((all[0].0, all[all.len() - 1].1), (i64::MIN, newest));
            assert!(all.windows(2).all(|pair| pair[0].1 + 1 == pair[1].0), "{all:?}");
        }
        assert_eq!(stretches(39_999, 8, STRETCH_MIN).len(), 1, "not worth a thread");
    }

    /// Goal of INCIDENT 11: one flipped byte, one removed and one reordered record are found in a
    /// journal that is followed in several stretches, and the first bad record is named.
    #[test]
    fn damage_in_a_long_journal_is_named() {
        const ENTRIES: usize = 45_000;
        for (sql, seq, what) in [
            ("UPDATE journal SET actor = 'x' WHERE seq = 30000", 30_000, JournalFaultKind::Hash),
            ("DELETE FROM journal WHERE seq = 22501", 22_501, JournalFaultKind::Sequence),
            (
                "UPDATE journal SET seq = 99999 WHERE seq = 44000;
                 UPDATE journal SET seq = 44000 WHERE seq = 44001;
                 UPDATE journal SET seq = 44001 WHERE seq = 99999",
                44_000,
                JournalFaultKind::Previous,
            ),
        ] {
            let (_folder, store) = open();
            let lease = store.take_lease(JOURNAL_LEASE, "test", 0).unwrap();
            store.append(&lease, &drafts("a", ENTRIES)).unwrap();
            behind(&store).execute_batch(sql).unwrap();
            let fault = verify(&behind(&store), store.path(), 2, STRETCH_MIN).unwrap();
            assert_eq!(fault, Err(JournalFault { seq, what }), "{sql}");
        }
    }
}
