//! Windows of the watch, one per log segment: the same segment again changes nothing.

use relight_model::{Digest, OrgId};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use crate::erasures::erasures;
use crate::watch_days::{self, DayRow, ProbeRow};
use crate::{Store, StoreError, StoreErrorKind, blob};

/// Largest window, in bytes.
pub const WINDOW_BYTES_MAX: usize = 64 << 20;

/// Segments that are remembered after their windows were joined; the oldest leave first. How far a
/// file was read is kept apart, so this matters only for logs without a file.
pub const SEGMENTS_SEEN_MAX: u32 = 1_000_000;

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

/// A window that was read: its place is taken by another only while it has the same bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldWindow {
    /// By which it is found.
    pub segment: Digest,
    /// Digest of its bytes.
    pub digest: Digest,
}

/// What some segments of a log gave.
#[derive(Clone, Copy, Debug)]
pub struct SegmentsDraft<'a> {
    /// Whose log it is.
    pub org: OrgId,
    /// Digests of the segments, none of them twice.
    pub segments: &'a [Digest],
    /// Their windows, joined into as few as one: the day of the last event in days since 1970, and
    /// the bytes.
    pub windows: &'a [(i64, Vec<u8>)],
    /// The day on which they were read: their time here counts from then.
    pub read_day: i64,
    /// Which sites were heard from.
    pub days: &'a [DayRow],
    /// The doors of the catalogue that were tried.
    pub probes: &'a [ProbeRow],
    /// How far the file was read with them.
    pub position: Option<&'a LogPosition>,
    /// Number of the last erasure whose source they leave out.
    pub erasures: u64,
}

impl Store {
    /// Keeps what was made of segments, in one transaction with how far their file was read. When
    /// one of them was seen, or a source was erased that they may hold, nothing changes, and the
    /// answer is false.
    ///
    /// # Errors
    /// A window is larger than [`WINDOW_BYTES_MAX`] (`Limit`), the organisation is not in the
    /// register, or the database cannot be written.
    pub fn put_segments(&self, draft: &SegmentsDraft<'_>) -> Result<bool, StoreError> {
        draft.windows.iter().try_for_each(|(_, bytes)| within_limit(bytes))?;
        self.write("storing windows", |transaction| {
            for segment in draft.segments {
                if seen(transaction, *segment)? {
                    return Ok(false);
                }
            }
            if erasures(transaction)?.last() != draft.erasures {
                return Ok(false);
            }
            if let Some(position) = draft.position {
                put_position(transaction, position)?;
            }
            put_windows(transaction, draft)?;
            watch_days::put(transaction, draft.read_day, draft.days, draft.probes)?;
            Ok(true)
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

    /// What was made of this segment is already kept.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn segment_seen(&self, segment: Digest) -> Result<bool, StoreError> {
        self.read("looking for a segment", |database| Ok(seen(database, segment)?))
    }

    /// Days of organisations with more windows than they should have: more than `most` on the day
    /// `today` and later, more than one before. The fullest come first, at most a thousand.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn crowded_days(&self, today: i64, most: u32) -> Result<Vec<(OrgId, i64)>, StoreError> {
        self.read("looking for crowded days", |database| {
            let mut query = database.prepare_cached(
                "SELECT org, day FROM watch_window GROUP BY org, day
                 HAVING count(*) > CASE WHEN day >= ?1 THEN ?2 ELSE 1 END
                 ORDER BY count(*) DESC, org, day LIMIT 1000",
            )?;
            let rows = query
                .query_map([today, i64::from(most)], |row| Ok((OrgId(row.get(0)?), row.get(1)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The windows of a day of an organisation, with the digests of their segments and bytes.
    ///
    /// # Errors
    /// As [`Store::windows`].
    pub fn windows_of_day(
        &self,
        org: OrgId,
        day: i64,
    ) -> Result<Vec<(HeldWindow, Vec<u8>)>, StoreError> {
        self.read("reading the windows of a day", |database| {
            let mut query = database.prepare_cached(
                "SELECT segment, blob.digest, blob.bytes
                 FROM watch_window JOIN blob ON blob.digest = watch_window.digest
                 WHERE org = ?1 AND day = ?2 ORDER BY watch_window.rowid",
            )?;
            let rows = query.query_map(params![org.0, day], |row| {
                let (digest, bytes) = blob::checked(row, 1)?;
                Ok((HeldWindow { segment: Digest(row.get(0)?), digest }, bytes))
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The days of organisations that have windows.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn window_days(&self) -> Result<Vec<(OrgId, i64)>, StoreError> {
        self.read("listing the days of windows", |database| {
            let query = "SELECT DISTINCT org, day FROM watch_window ORDER BY org, day";
            let mut query = database.prepare_cached(query)?;
            let rows = query.query_map([], |row| Ok((OrgId(row.get(0)?), row.get(1)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Puts other bytes in the place of each of these windows, and forgets the old bytes; false
    /// when one of them is gone or was changed meanwhile, and then nothing changes.
    ///
    /// # Errors
    /// A window is larger than [`WINDOW_BYTES_MAX`] (`Limit`), or the database cannot be written.
    pub fn rewrite_windows(
        &self,
        org: OrgId,
        old: &[HeldWindow],
        windows: &[Vec<u8>],
    ) -> Result<bool, StoreError> {
        windows.iter().try_for_each(|bytes| within_limit(bytes))?;
        self.write("rewriting windows", |transaction| {
            if !are_held(transaction, org, old)? {
                return Ok(false);
            }
            for (held, bytes) in old.iter().zip(windows) {
                let digest = blob::put(transaction, bytes)?;
                let put = "UPDATE watch_window SET digest = ?2 WHERE segment = ?1";
                transaction.prepare_cached(put)?.execute(params![held.segment.0, digest.0])?;
            }
            for held in old {
                transaction.prepare_cached(FORGET_BYTES)?.execute([held.digest.0])?;
            }
            Ok(true)
        })
    }

    /// Puts other windows in the place of these; false when one of them is gone or was changed
    /// meanwhile, and then nothing changes. The segments stay known.
    ///
    /// # Errors
    /// A window is larger than [`WINDOW_BYTES_MAX`] (`Limit`), or the database cannot be written.
    pub fn replace_windows(
        &self,
        (org, day): (OrgId, i64),
        old: &[HeldWindow],
        new: &[Vec<u8>],
    ) -> Result<bool, StoreError> {
        new.iter().try_for_each(|bytes| within_limit(bytes))?;
        self.write("joining windows", |transaction| {
            if !are_held(transaction, org, old)? {
                return Ok(false);
            }
            let query = "SELECT max(read_day) FROM watch_window WHERE org = ?1 AND day = ?2";
            let read_day = transaction.query_row(query, params![org.0, day], |row| row.get(0))?;
            remove(transaction, &old.iter().map(|held| held.segment).collect::<Vec<_>>())?;
            for bytes in new {
                // The digest of a window is that of no segment.
                put(transaction, org, blob::digest_of(bytes), bytes, (day, read_day))?;
            }
            Ok(true)
        })
    }

    /// Forgets what was read before a day: windows, daybooks and doors. Gives the number of
    /// windows.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn forget_windows(&self, before: i64) -> Result<usize, StoreError> {
        self.write("forgetting old windows", |transaction| {
            let mut query = transaction
                .prepare_cached("SELECT segment FROM watch_window WHERE read_day < ?1")?;
            let old: Vec<Digest> = query
                .query_map([before], |row| Ok(Digest(row.get(0)?)))?
                .collect::<Result<_, _>>()?;
            remove(transaction, &old)?;
            watch_days::forget(transaction, before)?;
            Ok(old.len())
        })
    }
}

/// Takes the bytes of a window away when no segment gives that window any more.
const FORGET_BYTES: &str = "DELETE FROM blob WHERE digest = ?1
    AND NOT EXISTS (SELECT 1 FROM watch_window WHERE watch_window.digest = ?1)";

/// The windows are there with the bytes that were read: whoever erased a source or joined them
/// meanwhile must not be undone.
fn are_held(
    transaction: &Connection,
    org: OrgId,
    windows: &[HeldWindow],
) -> rusqlite::Result<bool> {
    let find = "SELECT 1 FROM watch_window WHERE segment = ?1 AND org = ?2 AND digest = ?3";
    let mut find = transaction.prepare_cached(find)?;
    for held in windows {
        if !find.exists(params![held.segment.0, org.0, held.digest.0])? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn within_limit(bytes: &[u8]) -> Result<(), StoreError> {
    if bytes.len() > WINDOW_BYTES_MAX {
        let context = format!("storing a window: it is larger than {WINDOW_BYTES_MAX} bytes");
        return Err(StoreError::new(StoreErrorKind::Limit, context));
    }
    Ok(())
}

fn seen(database: &Connection, segment: Digest) -> rusqlite::Result<bool> {
    let query = "SELECT 1 FROM watch_window WHERE segment = ?1
                 UNION ALL SELECT 1 FROM watch_segment WHERE segment = ?1";
    database.prepare_cached(query)?.exists([segment.0])
}

/// The window of one segment has its name. Of joined ones the segments are noted, and each has the
/// digest of its bytes for a name, which is that of no segment.
fn put_windows(transaction: &Transaction<'_>, draft: &SegmentsDraft<'_>) -> rusqlite::Result<()> {
    let SegmentsDraft { org, read_day, .. } = *draft;
    if let ([segment], [(day, bytes)]) = (draft.segments, draft.windows) {
        return put(transaction, org, *segment, bytes, (*day, read_day));
    }
    note(transaction, draft.segments)?;
    for (day, bytes) in draft.windows {
        put(transaction, org, blob::digest_of(bytes), bytes, (*day, read_day))?;
    }
    Ok(())
}

fn put(
    transaction: &Transaction<'_>,
    org: OrgId,
    segment: Digest,
    bytes: &[u8],
    (day, read_day): (i64, i64),
) -> rusqlite::Result<()> {
    let digest = blob::put(transaction, bytes)?;
    let insert = "INSERT INTO watch_window (segment, org, digest, day, read_day)
                  VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING";
    let row = params![segment.0, org.0, digest.0, day, read_day];
    transaction.prepare_cached(insert)?.execute(row)?;
    Ok(())
}

/// Takes windows away; their segments stay known.
fn remove(transaction: &Transaction<'_>, segments: &[Digest]) -> rusqlite::Result<()> {
    let mut find =
        transaction.prepare_cached("SELECT digest FROM watch_window WHERE segment = ?1")?;
    let mut delete = transaction.prepare_cached("DELETE FROM watch_window WHERE segment = ?1")?;
    let mut bytes = transaction.prepare_cached(FORGET_BYTES)?;
    for segment in segments {
        let digest: Option<[u8; 32]> = find.query_row([segment.0], |row| row.get(0)).optional()?;
        delete.execute([segment.0])?;
        if let Some(digest) = digest {
            bytes.execute([digest])?;
        }
    }
    note(transaction, segments)
}

/// Makes segments known whose windows have other names; the oldest of them leave first.
fn note(transaction: &Transaction<'_>, segments: &[Digest]) -> rusqlite::Result<()> {
    let mut note =
        transaction.prepare_cached("INSERT OR IGNORE INTO watch_segment (segment) VALUES (?1)")?;
    for segment in segments {
        note.execute([segment.0])?;
    }
    transaction.execute(
        "DELETE FROM watch_segment WHERE seq <= (SELECT max(seq) FROM watch_segment) - ?1",
        [SEGMENTS_SEEN_MAX],
    )?;
    Ok(())
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

    fn put(store: &Store, org: u32, segment: &[u8], window: &[u8], day: i64) -> bool {
        try_put(store, org, segment, window, day, None).unwrap()
    }

    fn try_put(
        store: &Store,
        org: u32,
        segment: &[u8],
        window: &[u8],
        day: i64,
        position: Option<&LogPosition>,
    ) -> Result<bool, StoreError> {
        let (segments, windows) = ([blob::digest_of(segment)], [(day, window.to_vec())]);
        store.put_segments(&SegmentsDraft {
            segments: &segments,
            windows: &windows,
            position,
            ..draft(org, day)
        })
    }

    const fn draft(org: u32, read_day: i64) -> SegmentsDraft<'static> {
        let org = OrgId(org);
        SegmentsDraft {
            org,
            segments: &[],
            windows: &[],
            read_day,
            days: &[],
            probes: &[],
            position: None,
            erasures: 0,
        }
    }

    #[test]
    fn a_segment_counts_once() {
        let (_folder, store) = open_with_sites(20);
        let [first, second] = [b"first", b"other"].map(|log| blob::digest_of(log));
        assert!(!store.segment_seen(first).unwrap());
        assert!(put(&store, 2, b"first", b"window", 1));
        assert!(store.segment_seen(first).unwrap());
        assert!(!put(&store, 2, b"first", b"something else", 1));
        // Two segments may well give the same window.
        assert!(put(&store, 1, b"other", b"window", 1));
        assert!(store.segment_seen(second).unwrap());
        let windows = [(OrgId(1), b"window".to_vec()), (OrgId(2), b"window".to_vec())];
        assert_eq!(store.windows().unwrap(), windows);
        assert_eq!(store.windows_of(OrgId(2)).unwrap(), [b"window".to_vec()]);
        assert!(store.windows_of(OrgId(9)).unwrap().is_empty());
    }

    #[test]
    fn windows_of_a_day_become_fewer_and_their_segments_stay_known() {
        let (_folder, store) = open_with_sites(20);
        for number in 0..9_u8 {
            let window = [number / 2];
            put(&store, 1, &[number], &window, 5);
        }
        put(&store, 2, b"b", b"w", 4);
        assert_eq!(store.crowded_days(5, 8).unwrap(), [(OrgId(1), 5)]);
        assert_eq!(store.crowded_days(5, 9).unwrap(), []);
        assert_eq!(store.crowded_days(6, 9).unwrap(), [(OrgId(1), 5)], "that day is over");
        let old: Vec<HeldWindow> =
            store.windows_of_day(OrgId(1), 5).unwrap().into_iter().map(|(it, _)| it).collect();
        assert_eq!(old.len(), 9);
        let new = [b"joined".to_vec()];
        assert!(store.replace_windows((OrgId(1), 5), &old, &new).unwrap());
        assert!(!store.replace_windows((OrgId(1), 5), &old, &new).unwrap(), "they are gone");
        let windows = [(OrgId(1), b"joined".to_vec()), (OrgId(2), b"w".to_vec())];
        assert_eq!(store.windows().unwrap(), windows);
        for number in 0..9_u8 {
            assert!(!put(&store, 1, &[number], b"again", 5));
        }
        assert_eq!(store.windows().unwrap(), windows);
        let blobs: i64 = crate::testing::behind(&store)
            .query_row("SELECT count(*) FROM blob", [], |row| row.get(0))
            .unwrap();
        assert_eq!(blobs, 2, "what nobody names is gone");
        assert_eq!(store.forget_windows(5).unwrap(), 1);
        assert_eq!(store.windows().unwrap(), windows[..1]);
        assert!(store.segment_seen(blob::digest_of(b"b")).unwrap());
    }

    /// Trap: a window changed while somebody joined or rewrote what they had read of it.
    #[test]
    fn what_was_erased_meanwhile_is_not_put_back() {
        let (_folder, store) = open_with_sites(20);
        let day = (OrgId(1), 5);
        for (segment, window) in [(b"a", b"address"), (b"b", b"another")] {
            assert!(put(&store, 1, segment, window, 5));
        }
        let read = store.windows_of_day(day.0, day.1).unwrap();
        let old: Vec<HeldWindow> = read.iter().map(|(held, _)| *held).collect();
        assert!(store.rewrite_windows(day.0, &old[..1], &[b"erased".to_vec()]).unwrap());
        let after = store.windows().unwrap();
        assert!(!store.replace_windows(day, &old, &[b"address, another".to_vec()]).unwrap());
        assert!(!store.rewrite_windows(day.0, &old[..1], &[b"address".to_vec()]).unwrap());
        assert_eq!(store.windows().unwrap(), after);
        assert!(!store.rewrite_windows(OrgId(2), &old[1..], &[b"x".to_vec()]).unwrap());
        assert!(store.rewrite_windows(day.0, &old[1..], &[b"x".to_vec()]).unwrap());
    }

    #[test]
    fn windows_that_may_hold_what_was_erased_are_not_kept() {
        let (_folder, store) = open_with_sites(20);
        let (segments, windows) = ([blob::digest_of(b"a")], [(5, b"window".to_vec())]);
        let draft = SegmentsDraft { segments: &segments, windows: &windows, ..draft(1, 6) };
        store.put_erasure(0, [192, 0, 2, 1].into()).unwrap();
        assert!(!store.put_segments(&draft).unwrap());
        assert!(!store.segment_seen(segments[0]).unwrap());
        assert!(store.put_segments(&SegmentsDraft { erasures: 1, ..draft }).unwrap());
    }

    #[test]
    fn joined_windows_are_kept_together_or_not_at_all() {
        let (_folder, store) = open_with_sites(20);
        let of = |names: [&[u8]; 3]| names.map(blob::digest_of);
        let windows = [(5, b"joined".to_vec()), (6, b"other day".to_vec())];
        let at = position(1, 7, 2_000);
        let put = |segments: &[Digest]| {
            let draft = SegmentsDraft { segments, windows: &windows, ..draft(1, 6) };
            store.put_segments(&SegmentsDraft { position: Some(&at), ..draft }).unwrap()
        };
        assert!(super::tests::put(&store, 1, b"c", b"window", 5));
        assert!(!put(&of([b"a", b"b", b"c"])), "one of them was seen");
        assert!(!store.segment_seen(blob::digest_of(b"a")).unwrap());
        assert_eq!(store.log_positions("1/a.test").unwrap(), []);
        assert!(put(&of([b"a", b"b", b"d"])));
        assert!(!put(&of([b"a", b"b", b"d"])));
        let mut kept = store.windows_of(OrgId(1)).unwrap();
        kept.sort();
        assert_eq!(kept, [b"joined".to_vec(), b"other day".to_vec(), b"window".to_vec()]);
        assert!(of([b"a", b"b", b"d"]).iter().all(|it| store.segment_seen(*it).unwrap()));
        assert_eq!(store.window_days().unwrap(), [(OrgId(1), 5), (OrgId(1), 6)]);
        assert_eq!(store.log_positions("1/a.test").unwrap(), [at]);
    }

    #[test]
    fn refuses_a_window_over_the_limit_or_of_nobody() {
        let (_folder, store) = open();
        let large = vec![0; WINDOW_BYTES_MAX + 1];
        let error = try_put(&store, 1, b"log", &large, 1, None).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Limit);
        assert!(try_put(&store, 1, b"log", b"window", 1, None).is_err());
        assert!(!store.segment_seen(blob::digest_of(b"log")).unwrap());
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
        let (at, further) = (position(1, 7, 2_000), position(1, 7, 9_999));
        assert!(try_put(&store, 1, b"segment", b"window", 1, Some(&at)).unwrap());
        assert_eq!(store.log_positions("1/a.test").unwrap(), [position(1, 7, 2_000)]);
        store.put_log_position(&position(1, 7, 3_000)).unwrap();
        store.put_log_position(&position(1, u64::MAX, 5)).unwrap();
        let kept = [position(1, 7, 3_000), position(1, u64::MAX, 5)];
        assert_eq!(store.log_positions("1/a.test").unwrap(), kept);
        assert_eq!(store.log_positions("2/").unwrap(), []);
        let large = vec![0; WINDOW_BYTES_MAX + 1];
        assert!(try_put(&store, 1, b"more", &large, 1, Some(&further)).is_err());
        assert_eq!(store.log_positions("1/a.test").unwrap(), kept, "neither or both");
    }
}
