//! Windows of the watch, one per log segment: the same segment again changes nothing.

use relight_model::{Digest, OrgId};
use rusqlite::{OptionalExtension, Transaction, params};

use crate::{Store, StoreError, StoreErrorKind, blob};

/// Largest window, in bytes.
pub const WINDOW_BYTES_MAX: usize = 64 << 20;

/// Positions that are kept for each feed; the oldest leave first.
pub const POSITIONS_MAX: u32 = 10_000;

/// How far a log file was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogPosition {
    /// Whose log it is.
    pub feed: String,
    /// Digest of its first `head_bytes` bytes, unpacked.
    pub head: Digest,
    /// See `head`.
    pub head_bytes: u32,
    /// Number of the file on its disk.
    pub inode: u64,
    /// Bytes read, unpacked.
    pub offset: u64,
    /// The last header lines, which name the columns of what follows.
    pub header: String,
}

impl Store {
    /// As [`Store::put_window`], and in the same transaction the file was read up to there.
    ///
    /// # Errors
    /// As [`Store::put_window`].
    pub fn put_window_at(
        &self,
        org: OrgId,
        segment: Digest,
        bytes: &[u8],
        position: &LogPosition,
    ) -> Result<bool, StoreError> {
        within_limit(bytes)?;
        self.write("storing a window", |transaction| {
            put_position(transaction, position)?;
            Ok(put(transaction, org, segment, bytes)?)
        })
    }

    /// A file was read up to there, and what was read changed nothing.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn put_log_position(&self, position: &LogPosition) -> Result<(), StoreError> {
        self.write("storing a position", |transaction| Ok(put_position(transaction, position)?))
    }

    /// How far the files of a feed were read.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn log_positions(&self, feed: &str) -> Result<Vec<LogPosition>, StoreError> {
        self.read("reading the positions", |database| {
            let mut query = database.prepare_cached(
                "SELECT head, head_bytes, inode, offset, header FROM watch_position
                 WHERE feed = ?1 ORDER BY rowid",
            )?;
            let rows = query.query_map([feed], |row| {
                Ok(LogPosition {
                    feed: feed.to_owned(),
                    head: Digest(row.get(0)?),
                    head_bytes: row.get(1)?,
                    inode: row.get::<_, i64>(2)?.cast_unsigned(),
                    offset: row.get::<_, i64>(3)?.cast_unsigned(),
                    header: row.get(4)?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Keeps the window that was made of a segment of an organisation's log; `segment` is the
    /// digest of that segment. Says whether it was new: a segment that was seen changes nothing.
    ///
    /// # Errors
    /// The window is larger than [`WINDOW_BYTES_MAX`] (`Limit`), the organisation is not in the
    /// register, or the database cannot be written.
    pub fn put_window(
        &self,
        org: OrgId,
        segment: Digest,
        bytes: &[u8],
    ) -> Result<bool, StoreError> {
        within_limit(bytes)?;
        self.write("storing a window", |transaction| Ok(put(transaction, org, segment, bytes)?))
    }

    /// Every window of an organisation.
    ///
    /// # Errors
    /// A window does not read back as it was written (`Corrupt`), or the database cannot be read.
    pub fn windows_of(&self, org: OrgId) -> Result<Vec<Vec<u8>>, StoreError> {
        self.read("reading the windows of an organisation", |database| {
            let mut query = database.prepare_cached(
                "SELECT blob.digest, blob.bytes
                 FROM watch_window JOIN blob ON blob.digest = watch_window.digest
                 WHERE org = ?1 ORDER BY segment",
            )?;
            let rows = query.query_map([org.0], |row| Ok(blob::checked(row, 0)?.1))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Every window, by organisation.
    ///
    /// # Errors
    /// A window does not read back as it was written (`Corrupt`), or the database cannot be read.
    pub fn windows(&self) -> Result<Vec<(OrgId, Vec<u8>)>, StoreError> {
        self.read("reading the windows", |database| {
            let mut query = database.prepare_cached(
                "SELECT org, blob.digest, blob.bytes
                 FROM watch_window JOIN blob ON blob.digest = watch_window.digest
                 ORDER BY org, segment",
            )?;
            let rows =
                query.query_map([], |row| Ok((OrgId(row.get(0)?), blob::checked(row, 1)?.1)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// A window of this segment is already kept.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn segment_seen(&self, segment: Digest) -> Result<bool, StoreError> {
        self.read("looking for a segment", |database| {
            let query = "SELECT 1 FROM watch_window WHERE segment = ?1";
            let found: Option<i64> =
                database.query_row(query, [segment.0], |row| row.get(0)).optional()?;
            Ok(found.is_some())
        })
    }
}

fn within_limit(bytes: &[u8]) -> Result<(), StoreError> {
    if bytes.len() > WINDOW_BYTES_MAX {
        let context = format!("storing a window: it is larger than {WINDOW_BYTES_MAX} bytes");
        return Err(StoreError::new(StoreErrorKind::Limit, context));
    }
    Ok(())
}

fn put(
    transaction: &Transaction<'_>,
    org: OrgId,
    segment: Digest,
    bytes: &[u8],
) -> rusqlite::Result<bool> {
    let digest = blob::put(transaction, bytes)?;
    let insert = "INSERT INTO watch_window (segment, org, digest) VALUES (?1, ?2, ?3)
                  ON CONFLICT DO NOTHING";
    Ok(transaction.execute(insert, params![segment.0, org.0, digest.0])? == 1)
}

fn put_position(transaction: &Transaction<'_>, at: &LogPosition) -> rusqlite::Result<()> {
    let put = "INSERT INTO watch_position (feed, head, head_bytes, inode, offset, header)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)
               ON CONFLICT (feed, head, inode) DO UPDATE SET offset = ?5, header = ?6";
    let (inode, offset) = (at.inode.cast_signed(), at.offset.cast_signed());
    let row = params![at.feed, at.head.0, at.head_bytes, inode, offset, at.header];
    transaction.execute(put, row)?;
    let prune = "DELETE FROM watch_position WHERE feed = ?1 AND rowid NOT IN
                 (SELECT rowid FROM watch_position WHERE feed = ?1 ORDER BY rowid DESC LIMIT ?2)";
    // Counting costs more than it saves, but for files that are new.
    if at.offset <= u64::from(at.head_bytes) {
        transaction.execute(prune, params![at.feed, POSITIONS_MAX])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{open, open_with_sites};

    #[test]
    fn a_segment_counts_once() {
        let (_folder, store) = open_with_sites(20);
        let [first, second] = [b"first", b"other"].map(|log| blob::digest_of(log));
        assert!(!store.segment_seen(first).unwrap());
        assert!(store.put_window(OrgId(2), first, b"window").unwrap());
        assert!(store.segment_seen(first).unwrap());
        assert!(!store.put_window(OrgId(2), first, b"something else").unwrap());
        // Two segments may well give the same window.
        assert!(store.put_window(OrgId(1), second, b"window").unwrap());
        let windows = [(OrgId(1), b"window".to_vec()), (OrgId(2), b"window".to_vec())];
        assert_eq!(store.windows().unwrap(), windows);
        assert_eq!(store.windows_of(OrgId(2)).unwrap(), [b"window".to_vec()]);
        assert!(store.windows_of(OrgId(9)).unwrap().is_empty());
    }

    #[test]
    fn refuses_a_window_over_the_limit_or_of_nobody() {
        let (_folder, store) = open();
        let segment = blob::digest_of(b"log");
        let large = vec![0; WINDOW_BYTES_MAX + 1];
        let error = store.put_window(OrgId(1), segment, &large).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Limit);
        assert!(store.put_window(OrgId(1), segment, b"window").is_err());
        assert!(!store.segment_seen(segment).unwrap());
        assert_eq!(store.windows().unwrap(), []);
    }

    fn position(head: u8, inode: u64, offset: u64) -> LogPosition {
        LogPosition {
            feed: "1/a.test".to_owned(),
            head: Digest([head; 32]),
            head_bytes: 1_024,
            inode,
            offset,
            header: "#Fields: a\n".to_owned(),
        }
    }

    #[test]
    fn a_window_and_how_far_it_was_read_are_one() {
        let (_folder, store) = open_with_sites(20);
        let segment = blob::digest_of(b"segment");
        assert!(store.put_window_at(OrgId(1), segment, b"window", &position(1, 7, 2_000)).unwrap());
        assert_eq!(store.log_positions("1/a.test").unwrap(), [position(1, 7, 2_000)]);
        store.put_log_position(&position(1, 7, 3_000)).unwrap();
        store.put_log_position(&position(1, u64::MAX, 5)).unwrap();
        let kept = [position(1, 7, 3_000), position(1, u64::MAX, 5)];
        assert_eq!(store.log_positions("1/a.test").unwrap(), kept);
        assert_eq!(store.log_positions("2/").unwrap(), []);
        let large = vec![0; WINDOW_BYTES_MAX + 1];
        assert!(store.put_window_at(OrgId(1), segment, &large, &position(1, 7, 9_999)).is_err());
        assert_eq!(store.log_positions("1/a.test").unwrap(), kept, "neither or both");
    }
}
