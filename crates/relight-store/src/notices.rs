//! Notices: what an advisory changed for the sites of the register, and what was told last.

use relight_model::{Digest, Timestamp};
use roaring::RoaringBitmap;
use rusqlite::{OptionalExtension, Row, Transaction, params};

use crate::blob::not_what_was_written;
use crate::store::Failure;
use crate::{Store, StoreError, settings};

/// Most notices that one reading gives; ask again after the last one.
pub const NOTICES_MAX: usize = 1_000;

/// The setting that keeps up to which record of the advisories people were told.
const TOLD_KEY: &str = "told-advisory-seq";

/// Why people are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NoticeKind {
    /// The first answer of an advisory that touches a site.
    Advisory,
    /// A later revision, or another record of the same flaw, changed the answer.
    Revised,
    /// No record in force speaks about it any more.
    Withdrawn,
    /// The day has come on which somebody meant to look at an advisory of one's own again: it
    /// counts all the same.
    Expired,
}

impl NoticeKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Advisory, Self::Revised, Self::Withdrawn, Self::Expired];

    /// The stable name used in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Advisory => "advisory",
            Self::Revised => "revised",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// The sites at which an alias group found something: numbers of sites.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Told {
    /// Revision of the group that this rests on.
    pub revision: Digest,
    /// Affected for certain, mitigated ones included.
    pub affected: RoaringBitmap,
    /// Perhaps affected: the version, or the range, cannot be judged.
    pub possible: RoaringBitmap,
}

/// One thing that people are told.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// Grows by one a notice; set by [`Store::put_notices`].
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub kind: NoticeKind,
    /// The id under which the alias group is shown.
    pub advisory: String,
    /// Revision of the group.
    pub revision: Digest,
    /// How many sites were affected then.
    pub affected: u64,
    /// How many sites were perhaps affected then.
    pub possible: u64,
    /// Sites that became affected: numbers of sites.
    pub joined: RoaringBitmap,
    /// Sites that ceased to be.
    pub gone: RoaringBitmap,
}

impl Store {
    /// Stores notices with what each told, and that every advisory up to record `seq` was looked
    /// at: one transaction, so that nobody is told twice, and nobody is forgotten. Gives the
    /// notices back with their numbers.
    ///
    /// # Errors
    /// The database cannot be written; then nothing is.
    pub fn put_notices(
        &self,
        notices: &[(Notice, Told)],
        seq: u64,
    ) -> Result<Vec<Notice>, StoreError> {
        self.write("storing notices", |transaction| {
            let mut stored = Vec::with_capacity(notices.len());
            for (notice, told) in notices {
                put_notice(transaction, notice)?;
                let seq = transaction.last_insert_rowid().cast_unsigned();
                put_told(transaction, &notice.advisory, told)?;
                stored.push(Notice { seq, ..notice.clone() });
            }
            put_told_seq(transaction, seq)?;
            Ok(stored)
        })
    }

    /// Takes down what is so already, without telling anybody: for a register that is looked at
    /// for the first time.
    ///
    /// # Errors
    /// The database cannot be written; then nothing is.
    pub fn put_baseline(&self, told: &[(String, Told)], seq: u64) -> Result<(), StoreError> {
        self.write("storing what is so already", |transaction| {
            for (advisory, told) in told {
                put_told(transaction, advisory, told)?;
            }
            put_told_seq(transaction, seq)
        })
    }

    /// Every alias group that people were told about, with the revision that it rested on.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn told_revisions(&self) -> Result<Vec<(String, Digest)>, StoreError> {
        self.read("reading what was told", |database| {
            let mut query =
                database.prepare_cached("SELECT advisory, revision FROM told ORDER BY advisory")?;
            let rows = query.query_map([], |row| Ok((row.get(0)?, Digest(row.get(1)?))))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// What people were told last about an alias group.
    ///
    /// # Errors
    /// The database cannot be read, or does not read back as it was written (`Corrupt`).
    pub fn told(&self, advisory: &str) -> Result<Option<Told>, StoreError> {
        self.read("reading what was told", |database| {
            let mut query = database.prepare_cached(
                "SELECT revision, affected, possible FROM told WHERE advisory = ?1",
            )?;
            Ok(query.query_row([advisory], |row| told_at(row, 0)).optional()?)
        })
    }

    /// What people were told of an alias group under one id is what they were told under another:
    /// that is what it is called from now on. Where something was told under that one too, it
    /// stands.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn rename_told(&self, from: &str, to: &str) -> Result<(), StoreError> {
        self.write("noting that an advisory is called otherwise", |transaction| {
            let update = "UPDATE OR IGNORE told SET advisory = ?2 WHERE advisory = ?1";
            transaction.execute(update, [from, to])?;
            transaction.execute("DELETE FROM told WHERE advisory = ?1", [from])?;
            Ok(())
        })
    }

    /// Up to which record of the advisories people were told; `None` before the first time.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn told_seq(&self) -> Result<Option<u64>, StoreError> {
        Ok(self.meta_get(TOLD_KEY)?.and_then(|text| text.parse().ok()))
    }

    /// The notices after `seq`, oldest first, at most [`NOTICES_MAX`].
    ///
    /// # Errors
    /// As [`Store::told`].
    pub fn notices(&self, seq: u64) -> Result<Vec<Notice>, StoreError> {
        self.read("reading the notices", |database| {
            let mut query = database.prepare_cached(
                "SELECT seq, at, kind, advisory, revision, affected, possible, joined, gone
                 FROM notice WHERE seq > ?1 ORDER BY seq LIMIT ?2",
            )?;
            let limit = i64::try_from(NOTICES_MAX).unwrap_or(i64::MAX);
            let rows = query.query_map(params![seq.cast_signed(), limit], stored)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

fn put_notice(transaction: &Transaction<'_>, notice: &Notice) -> Result<(), Failure> {
    let Notice { seq: _, at, kind, advisory, revision, affected, possible, joined, gone } = notice;
    transaction
        .prepare_cached(
            "INSERT INTO notice (at, kind, advisory, revision, affected, possible, joined, gone)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            at,
            kind.as_str(),
            advisory,
            revision.0,
            affected.cast_signed(),
            possible.cast_signed(),
            bytes_of(joined),
            bytes_of(gone),
        ])?;
    Ok(())
}

fn put_told_seq(transaction: &Transaction<'_>, seq: u64) -> Result<(), Failure> {
    Ok(settings::put(transaction, TOLD_KEY, &seq.to_string())?)
}

fn put_told(transaction: &Transaction<'_>, advisory: &str, told: &Told) -> Result<(), Failure> {
    let Told { revision, affected, possible } = told;
    transaction
        .prepare_cached(
            "INSERT INTO told (advisory, revision, affected, possible) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (advisory) DO UPDATE SET revision = excluded.revision,
                 affected = excluded.affected, possible = excluded.possible",
        )?
        .execute(params![advisory, revision.0, bytes_of(affected), bytes_of(possible)])?;
    Ok(())
}

fn stored(row: &Row<'_>) -> Result<Notice, rusqlite::Error> {
    let kind: String = row.get(2)?;
    let kind = NoticeKind::parse(&kind).ok_or_else(|| not_what_was_written(2, kind))?;
    Ok(Notice {
        seq: row.get::<_, i64>(0)?.cast_unsigned(),
        at: row.get(1)?,
        kind,
        advisory: row.get(3)?,
        revision: Digest(row.get(4)?),
        affected: row.get::<_, i64>(5)?.cast_unsigned(),
        possible: row.get::<_, i64>(6)?.cast_unsigned(),
        joined: bitmap(row, 7)?,
        gone: bitmap(row, 8)?,
    })
}

fn told_at(row: &Row<'_>, column: usize) -> Result<Told, rusqlite::Error> {
    Ok(Told {
        revision: Digest(row.get(column)?),
        affected: bitmap(row, column + 1)?,
        possible: bitmap(row, column + 2)?,
    })
}

fn bytes_of(set: &RoaringBitmap) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(set.serialized_size());
    // Writing into memory does not fail.
    drop(set.serialize_into(&mut bytes));
    bytes
}

fn bitmap(row: &Row<'_>, column: usize) -> Result<RoaringBitmap, rusqlite::Error> {
    let bytes: Vec<u8> = row.get(column)?;
    RoaringBitmap::deserialize_from(&bytes[..])
        .map_err(|error| not_what_was_written(column, error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StoreErrorKind;
    use crate::testing::{behind, open};

    fn notice(advisory: &str, affected: &[u32], joined: &[u32]) -> (Notice, Told) {
        let told = Told {
            revision: Digest([3; 32]),
            affected: affected.iter().copied().collect(),
            possible: [90].into_iter().collect(),
        };
        let notice = Notice {
            seq: 0,
            at: 7,
            kind: NoticeKind::Advisory,
            advisory: advisory.into(),
            revision: told.revision,
            affected: told.affected.len(),
            possible: told.possible.len(),
            joined: joined.iter().copied().collect(),
            gone: RoaringBitmap::new(),
        };
        (notice, told)
    }

    #[test]
    fn what_was_told_is_read_back_and_replaced() {
        let (_folder, store) = open();
        assert_eq!((store.told("CVE-1").unwrap(), store.told_seq().unwrap()), (None, None));
        store.put_notices(&[notice("CVE-1", &[1, 2], &[1, 2])], 5).unwrap();
        let stored = store.put_notices(&[notice("CVE-1", &[2, 3], &[3])], 9).unwrap();
        assert_eq!(stored[0].seq, 2);
        let told = store.told("CVE-1").unwrap().unwrap();
        assert_eq!(told.affected.iter().collect::<Vec<_>>(), [2, 3]);
        assert_eq!(store.told_seq().unwrap(), Some(9));
        let told: Vec<_> = store.notices(0).unwrap();
        assert_eq!(
            told.iter().map(|it| (it.seq, it.affected)).collect::<Vec<_>>(),
            [(1, 2), (2, 2)]
        );
        assert_eq!(store.notices(1).unwrap()[0].joined.iter().collect::<Vec<_>>(), [3]);
        assert_eq!(store.notices(2).unwrap(), []);
    }

    #[test]
    fn no_more_notices_are_read_at_once_than_the_limit() {
        let (_folder, store) = open();
        let many: Vec<_> = (0..=NOTICES_MAX).map(|n| notice(&format!("A-{n}"), &[], &[])).collect();
        store.put_notices(&many, 1).unwrap();
        let first = store.notices(0).unwrap();
        assert_eq!(first.len(), NOTICES_MAX);
        assert_eq!(store.notices(first[NOTICES_MAX - 1].seq).unwrap().len(), 1);
    }

    #[test]
    fn a_baseline_tells_nobody() {
        let (_folder, store) = open();
        let (_, told) = notice("CVE-1", &[1], &[]);
        store.put_baseline(&[("CVE-1".into(), told.clone())], 4).unwrap();
        assert_eq!(store.told("CVE-1").unwrap(), Some(told));
        assert_eq!(store.told_revisions().unwrap(), [("CVE-1".into(), Digest([3; 32]))]);
        assert_eq!((store.notices(0).unwrap(), store.told_seq().unwrap()), (Vec::new(), Some(4)));
    }

    #[test]
    fn a_damaged_set_is_no_empty_set() {
        let (_folder, store) = open();
        store.put_notices(&[notice("CVE-1", &[1], &[1])], 1).unwrap();
        behind(&store).execute("UPDATE told SET affected = x'07'", []).unwrap();
        assert_eq!(store.told("CVE-1").unwrap_err().kind(), StoreErrorKind::Corrupt);
        behind(&store).execute("UPDATE notice SET kind = 'rumour'", []).unwrap();
        assert_eq!(store.notices(0).unwrap_err().kind(), StoreErrorKind::Corrupt);
    }

    #[test]
    fn kinds_are_unique_and_read_back() {
        for kind in NoticeKind::ALL {
            assert_eq!(NoticeKind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(NoticeKind::parse("rumour"), None);
    }
}
