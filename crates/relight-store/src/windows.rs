//! Windows of the watch, one per log segment: the same segment again changes nothing.

use relight_model::{Digest, OrgId};
use rusqlite::{OptionalExtension, params};

use crate::{Store, StoreError, StoreErrorKind, blob};

/// Largest window, in bytes.
pub const WINDOW_BYTES_MAX: usize = 64 << 20;

impl Store {
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
        if bytes.len() > WINDOW_BYTES_MAX {
            let context = format!("storing a window: it is larger than {WINDOW_BYTES_MAX} bytes");
            return Err(StoreError::new(StoreErrorKind::Limit, context));
        }
        self.write("storing a window", |transaction| {
            let digest = blob::put(transaction, bytes)?;
            let insert = "INSERT INTO watch_window (segment, org, digest) VALUES (?1, ?2, ?3)
                          ON CONFLICT DO NOTHING";
            Ok(transaction.execute(insert, params![segment.0, org.0, digest.0])? == 1)
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
}
