//! Inventory snapshots: what is known about an asset now, and everything that ever was.

use relight_model::{AssetId, Digest, Profile, Sbom, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use crate::{
    Store, StoreError, StoreErrorKind, blob,
    look::{self, Kind},
    profiles, snapshot_text,
    store::Failure,
};

/// How far `observed_at` may lie after `recorded_at`, in seconds; beyond it is set to
/// `recorded_at`, because a clock that is ahead must not make an inventory look fresh for longer.
pub const FUTURE_SECONDS_MAX: i64 = 300;

/// One inventory of one asset.
#[derive(Clone, Copy, Debug)]
pub struct SnapshotDraft<'a> {
    /// What was looked at.
    pub asset: AssetId,
    /// What was seen.
    pub sbom: &'a Sbom,
    /// When it was true.
    pub observed_at: Timestamp,
    /// When we learnt it.
    pub recorded_at: Timestamp,
    /// What its containers are made of, each place once; `None` when nobody looked.
    pub profiles: Option<&'a [Profile]>,
}

/// What storing one inventory did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotStored {
    /// The asset.
    pub asset: AssetId,
    /// The id of the snapshot: the SHA-256 of its canonical form.
    pub digest: Digest,
    /// What became of it.
    pub outcome: SnapshotOutcome,
    /// Its `observed_at` lay more than [`FUTURE_SECONDS_MAX`] in the future and was set back.
    pub clamped: bool,
}

/// What became of an inventory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SnapshotOutcome {
    /// It is the present now.
    Present,
    /// It is the same as the present: only `last_confirmed` moved.
    Confirmed,
    /// It is older than the present: it went into history only.
    History,
}

/// One run of equal inventories of one asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotRow {
    /// The id of the snapshot.
    pub digest: Digest,
    /// What it says about the artifact that was read.
    pub artifact: Option<Digest>,
    /// When it was first true.
    pub observed_at: Timestamp,
    /// When we learnt it.
    pub recorded_at: Timestamp,
    /// When it was last seen to be true still.
    pub last_confirmed: Timestamp,
}

impl SnapshotRow {
    /// When it was last known to be true at a moment, of the looks that are kept: the first and
    /// the last one, and those between them, see [`Store::looks_of`].
    pub fn confirmed_by(&self, at: Timestamp, looks: &[Timestamp]) -> Timestamp {
        if at >= self.last_confirmed {
            return self.last_confirmed;
        }
        let until = looks.partition_point(|look| *look <= at);
        let last = looks.get(..until).and_then(<[_]>::last);
        last.copied().unwrap_or(self.observed_at).max(self.observed_at)
    }
}

impl Store {
    /// Stores inventories, all or none. The same inventory again only moves `last_confirmed` and
    /// keeps the look; one that is older than the present goes into history and changes nothing
    /// else.
    ///
    /// # Errors
    /// An asset is not in the register (`NotFound`), an inventory is larger than
    /// [`crate::SNAPSHOT_BYTES_MAX`] (`Limit`), or the database cannot be written.
    pub fn put_snapshots(
        &self,
        drafts: &[SnapshotDraft<'_>],
    ) -> Result<Vec<SnapshotStored>, StoreError> {
        self.write("storing inventories", |transaction| {
            drafts.iter().map(|draft| put(transaction, draft)).collect()
        })
    }

    /// The inventory with this id.
    ///
    /// # Errors
    /// There is none (`NotFound`), it does not read back as it was written (`Corrupt`), or the
    /// database cannot be read.
    pub fn snapshot(&self, digest: Digest) -> Result<Sbom, StoreError> {
        self.read("reading an inventory", |database| {
            let mut query =
                database.prepare_cached("SELECT digest, bytes FROM blob WHERE digest = ?1")?;
            query.query_row([digest.0], |row| sbom_of(row, 0)).optional()?.ok_or_else(|| {
                let context = format!("reading an inventory: there is no snapshot {digest}");
                Failure::rule(StoreErrorKind::NotFound, context)
            })
        })
    }

    /// Every inventory that was ever stored for an asset, by the time of observation; the last one
    /// is the present.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn snapshots_of(&self, asset: AssetId) -> Result<Vec<SnapshotRow>, StoreError> {
        self.read("reading the history of an asset", |database| {
            let mut query = database.prepare_cached(
                "SELECT digest, artifact, observed_at, recorded_at, last_confirmed
                 FROM snapshot WHERE asset = ?1 ORDER BY observed_at, seq",
            )?;
            let rows = query.query_map([asset.0], snapshot_row)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

/// Reads an inventory from a blob in columns `column` (digest) and `column + 1` (bytes).
pub(crate) fn sbom_of(row: &Row<'_>, column: usize) -> Result<Sbom, rusqlite::Error> {
    read_snapshot(row, column, snapshot_text::read)
}

/// Has `read` read the text of an inventory in columns `column` (digest) and `column + 1` (bytes).
pub(crate) fn read_snapshot<T>(
    row: &Row<'_>,
    column: usize,
    read: impl FnOnce(&str) -> Result<T, String>,
) -> Result<T, rusqlite::Error> {
    let (digest, bytes) = blob::checked(row, column)?;
    let damaged = |why| blob::not_what_was_written(column, format!("snapshot {digest}: {why}"));
    let text = String::from_utf8(bytes).map_err(|error| damaged(error.to_string()))?;
    read(&text).map_err(damaged)
}

/// `at`, or `recorded_at` when `at` lies too far after it; and whether it did.
pub(crate) const fn clamp(at: Timestamp, recorded_at: Timestamp) -> (Timestamp, bool) {
    if at > recorded_at.saturating_add(FUTURE_SECONDS_MAX) {
        (recorded_at, true)
    } else {
        (at, false)
    }
}

/// The asset is in the register.
pub(crate) fn known_asset(database: &Connection, asset: AssetId) -> Result<(), Failure> {
    let query = "SELECT 1 FROM asset WHERE id = ?1";
    let found: Option<i64> =
        database.prepare_cached(query)?.query_row([asset.0], |row| row.get(0)).optional()?;
    found.map(|_| ()).ok_or_else(|| {
        let context = format!("asset {} is not in the register", asset.0);
        Failure::rule(StoreErrorKind::NotFound, context)
    })
}

pub(crate) fn put(
    transaction: &Transaction<'_>,
    draft: &SnapshotDraft<'_>,
) -> Result<SnapshotStored, Failure> {
    let SnapshotDraft { asset, sbom, observed_at, recorded_at, profiles } = *draft;
    known_asset(transaction, asset)?;
    let text = snapshot_text::write(sbom).map_err(Failure::Rule)?;
    let digest = blob::put(transaction, text.as_bytes())?;
    let (observed_at, clamped) = clamp(observed_at, recorded_at);
    let present = present(transaction, asset)?;
    let outcome = match present {
        Some((_, present)) if observed_at < present.last_confirmed => SnapshotOutcome::History,
        Some((_, present)) if present.digest == digest => SnapshotOutcome::Confirmed,
        _ => SnapshotOutcome::Present,
    };
    let artifact = sbom.artifact;
    let row =
        SnapshotRow { digest, artifact, observed_at, recorded_at, last_confirmed: observed_at };
    match (outcome, present) {
        (SnapshotOutcome::Confirmed, Some((present, _))) => {
            confirm(transaction, present, observed_at)?;
        }
        (SnapshotOutcome::History, Some((present, _))) => {
            insert_history(transaction, asset, &row, present)?;
        }
        _ => {
            make_present(transaction, asset, &row)?;
        }
    }
    profiles::put(transaction, asset, profiles, outcome, artifact.is_some())?;
    Ok(SnapshotStored { asset, digest, outcome, clamped })
}

/// Moves the confirmation of a run to `at`, if that is later, and keeps the look.
fn confirm(database: &Connection, run: i64, at: Timestamp) -> Result<(), rusqlite::Error> {
    database
        .prepare_cached(
            "UPDATE snapshot SET last_confirmed = max(last_confirmed, ?2) WHERE seq = ?1",
        )?
        .execute(params![run, at])?;
    look::add(database, Kind::Snapshot, run, at)
}

/// Puts an older inventory into history. One that falls into a run of others splits that run, so
/// that the history stays in order of observation and ends with the present.
fn insert_history(
    transaction: &Transaction<'_>,
    asset: AssetId,
    row: &SnapshotRow,
    present: i64,
) -> Result<(), Failure> {
    let known: Option<i64> = transaction
        .prepare_cached(
            "SELECT seq FROM snapshot WHERE asset = ?1 AND digest = ?2
             AND observed_at <= ?3 AND last_confirmed >= ?3",
        )?
        .query_row(params![asset.0, row.digest.0, row.observed_at], |row| row.get(0))
        .optional()?;
    if let Some(run) = known {
        return Ok(look::add(transaction, Kind::Snapshot, run, row.observed_at)?);
    }
    let around = transaction
        .prepare_cached(
            "SELECT digest, artifact, observed_at, recorded_at, last_confirmed, seq
             FROM snapshot WHERE asset = ?1 AND observed_at <= ?2 AND last_confirmed > ?2",
        )?
        .query_row(params![asset.0, row.observed_at], numbered_row)
        .optional()?;
    insert(transaction, asset, row)?;
    let Some((seq, run)) = around else { return Ok(()) };
    let (before, after) = look::around(transaction, seq, row.observed_at)?;
    transaction
        .prepare_cached("UPDATE snapshot SET last_confirmed = ?2 WHERE seq = ?1")?
        .execute([seq, before.unwrap_or(run.observed_at)])?;
    let tail = SnapshotRow { observed_at: after.unwrap_or(run.last_confirmed), ..run };
    let rest = if seq == present {
        make_present(transaction, asset, &tail)?
    } else {
        insert(transaction, asset, &tail)?
    };
    Ok(look::hand_over(transaction, seq, rest, tail.observed_at)?)
}

fn make_present(
    transaction: &Transaction<'_>,
    asset: AssetId,
    row: &SnapshotRow,
) -> Result<i64, rusqlite::Error> {
    let seq = insert(transaction, asset, row)?;
    transaction
        .prepare_cached("UPDATE asset SET snapshot = ?2 WHERE id = ?1")?
        .execute(params![asset.0, seq])?;
    Ok(seq)
}

fn insert(
    transaction: &Transaction<'_>,
    asset: AssetId,
    row: &SnapshotRow,
) -> Result<i64, rusqlite::Error> {
    let SnapshotRow { digest, artifact, observed_at, recorded_at, last_confirmed } = row;
    let artifact = artifact.map(|digest| digest.0);
    transaction
        .prepare_cached(
            "INSERT INTO snapshot
             (asset, digest, artifact, observed_at, recorded_at, last_confirmed)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![asset.0, digest.0, artifact, observed_at, recorded_at, last_confirmed])?;
    Ok(transaction.last_insert_rowid())
}

fn present(
    database: &Connection,
    asset: AssetId,
) -> Result<Option<(i64, SnapshotRow)>, rusqlite::Error> {
    database
        .prepare_cached(
            "SELECT snapshot.digest, artifact, observed_at, recorded_at, last_confirmed, seq
             FROM asset JOIN snapshot ON snapshot.seq = asset.snapshot WHERE asset.id = ?1",
        )?
        .query_row([asset.0], numbered_row)
        .optional()
}

fn numbered_row(row: &Row<'_>) -> Result<(i64, SnapshotRow), rusqlite::Error> {
    Ok((row.get(5)?, snapshot_row(row)?))
}

fn snapshot_row(row: &Row<'_>) -> Result<SnapshotRow, rusqlite::Error> {
    Ok(SnapshotRow {
        digest: Digest(row.get(0)?),
        artifact: row.get::<_, Option<[u8; 32]>>(1)?.map(Digest),
        observed_at: row.get(2)?,
        recorded_at: row.get(3)?,
        last_confirmed: row.get(4)?,
    })
}

#[cfg(test)]
mod tests {
    use testkit::Rng;

    use super::*;
    use crate::testing::{any_sbom, behind, open_with_sites, put, sbom};

    const ASSET: AssetId = AssetId(1);

    /// The history of the first asset: `digest of the n-th inventory @ from-to`.
    fn history(store: &Store, known: &[&Sbom]) -> String {
        let names: Vec<_> = known
            .iter()
            .map(|sbom| blob::digest_of(snapshot_text::write(sbom).unwrap().as_bytes()))
            .collect();
        let rows = store.snapshots_of(ASSET).unwrap();
        let name = |row: &SnapshotRow| names.iter().position(|name| *name == row.digest).unwrap();
        let text =
            |row: &SnapshotRow| format!("{}@{}-{}", name(row), row.observed_at, row.last_confirmed);
        rows.iter().map(text).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn inventories_come_back_and_equal_ones_share_a_blob() {
        let (_folder, store) = open_with_sites(3);
        let sboms: Vec<_> = (0..2).map(|seed| any_sbom(&mut Rng::new(seed))).collect();
        let drafts = [(1, 0), (2, 1), (3, 0)].map(|(asset, sbom)| SnapshotDraft {
            asset: AssetId(asset),
            sbom: &sboms[sbom],
            observed_at: 10,
            recorded_at: 12,
            profiles: None,
        });
        let stored = store.put_snapshots(&drafts).unwrap();
        assert_eq!(stored[0].digest, stored[2].digest);
        assert!(stored.iter().all(|stored| stored.outcome == SnapshotOutcome::Present));
        assert_eq!(store.snapshot(stored[1].digest).unwrap(), sboms[1]);
        let blobs = behind(&store).query_row("SELECT count(*) FROM blob", [], |row| row.get(0));
        assert_eq!(blobs, Ok(2));
        let row = store.snapshots_of(AssetId(2)).unwrap()[0];
        assert_eq!((row.observed_at, row.recorded_at, row.artifact), (10, 12, sboms[1].artifact));
    }

    #[test]
    fn the_same_again_only_confirms_and_an_older_one_only_enters_history() {
        let (_folder, store) = open_with_sites(1);
        let [a, b] = [sbom(&[("pkg:npm/a@1", "x")]), sbom(&[])];
        assert_eq!(put(&store, 1, &a, 100), SnapshotOutcome::Present);
        assert_eq!(put(&store, 1, &a, 120), SnapshotOutcome::Confirmed);
        assert_eq!(put(&store, 1, &a, 120), SnapshotOutcome::Confirmed);
        assert_eq!(put(&store, 1, &b, 50), SnapshotOutcome::History);
        assert_eq!(put(&store, 1, &b, 50), SnapshotOutcome::History);
        assert_eq!(history(&store, &[&a, &b]), "1@50-50 0@100-120");
        assert_eq!(put(&store, 1, &b, 130), SnapshotOutcome::Present);
        assert_eq!(put(&store, 1, &a, 130), SnapshotOutcome::Present);
        assert_eq!(history(&store, &[&a, &b]), "1@50-50 0@100-120 1@130-130 0@130-130");
    }

    #[test]
    fn an_older_one_inside_the_run_of_the_present_splits_it() {
        let (_folder, store) = open_with_sites(1);
        let [a, b] = [sbom(&[("pkg:npm/a@1", "x")]), sbom(&[])];
        put(&store, 1, &a, 100);
        put(&store, 1, &a, 200);
        assert_eq!(put(&store, 1, &b, 150), SnapshotOutcome::History);
        assert_eq!(history(&store, &[&a, &b]), "0@100-100 1@150-150 0@200-200");
        assert_eq!(put(&store, 1, &a, 210), SnapshotOutcome::Confirmed);
    }

    #[test]
    fn a_run_is_split_between_the_looks_that_are_kept() {
        let (_folder, store) = open_with_sites(1);
        let [a, b] = [sbom(&[("pkg:npm/a@1", "x")]), sbom(&[])];
        for day in 0..7 {
            put(&store, 1, &a, day * 100_000);
        }
        assert_eq!(put(&store, 1, &b, 250_000), SnapshotOutcome::History);
        let halves = "0@0-200000 1@250000-250000 0@300000-600000";
        assert_eq!(history(&store, &[&a, &b]), halves);
        // And a run that is no longer the present.
        put(&store, 1, &b, 700_000);
        put(&store, 1, &b, 450_000);
        let rows = store.snapshots_of(ASSET).unwrap();
        let confirmed = |at| {
            let row = rows.iter().rev().find(|row| row.observed_at <= at).unwrap();
            row.confirmed_by(at, &store.looks_of(ASSET).unwrap())
        };
        let last: Vec<_> =
            [99, 150_000, 299_999, 300_000, 449_999, 499_999, 500_000, 599_999, 650_000]
                .map(confirmed)
                .into();
        let expected = [0, 100_000, 250_000, 300_000, 400_000, 450_000, 500_000, 500_000, 600_000];
        assert_eq!(last, expected);
    }

    /// Goal: uploads may come late and in any order. Method: the same observations, one for each
    /// second, in seeded orders; the present must always be the last observation.
    #[test]
    fn any_order_of_uploads_gives_the_same_present() {
        let sboms = [sbom(&[("pkg:npm/a@1", "x")]), sbom(&[("pkg:npm/b@1", "x")]), sbom(&[])];
        for seed in 0..30 {
            let mut rng = Rng::new(seed);
            let (_folder, store) = open_with_sites(1);
            let mut uploads: Vec<_> = (0..12).map(|at| (at, rng.pick(&sboms))).collect();
            let last = uploads[11].1;
            for place in (1..uploads.len()).rev() {
                uploads.swap(place, rng.below(place + 1));
            }
            let draft = |(at, sbom)| SnapshotDraft {
                asset: ASSET,
                sbom,
                observed_at: at,
                recorded_at: at,
                profiles: None,
            };
            let drafts: Vec<_> = uploads.into_iter().map(draft).collect();
            store.put_snapshots(&drafts).unwrap();
            let rows = store.snapshots_of(ASSET).unwrap();
            let present = store.read("", |database| Ok(present(database, ASSET)?)).unwrap();
            let present = present.unwrap().1;
            assert_eq!(store.snapshot(present.digest).unwrap(), *last, "seed {seed}");
            assert_eq!(present.last_confirmed, 11, "seed {seed}");
            assert_eq!(rows.last(), Some(&present), "seed {seed}");
            let runs = rows.windows(2).all(|pair| pair[0].last_confirmed < pair[1].observed_at);
            assert!(runs, "seed {seed}: {}", history(&store, &sboms.each_ref()));
        }
    }

    #[test]
    fn a_clock_that_is_ahead_does_not_make_an_inventory_fresh() {
        let (_folder, store) = open_with_sites(2);
        let sbom = sbom(&[]);
        let (recorded_at, edge) = (1_000, 1_000 + FUTURE_SECONDS_MAX);
        let draft = |asset, observed_at| SnapshotDraft {
            asset: AssetId(asset),
            sbom: &sbom,
            observed_at,
            recorded_at,
            profiles: None,
        };
        let stored = store.put_snapshots(&[draft(1, edge), draft(2, edge + 1)]).unwrap();
        assert_eq!(stored.iter().map(|s| s.clamped).collect::<Vec<_>>(), [false, true]);
        assert_eq!(store.snapshots_of(AssetId(1)).unwrap()[0].observed_at, edge);
        assert_eq!(store.snapshots_of(AssetId(2)).unwrap()[0].observed_at, recorded_at);
    }

    #[test]
    fn all_or_none() {
        let (_folder, store) = open_with_sites(1);
        let sbom = sbom(&[]);
        let draft = |asset| SnapshotDraft {
            asset: AssetId(asset),
            sbom: &sbom,
            observed_at: 1,
            recorded_at: 1,
            profiles: None,
        };
        let error = store.put_snapshots(&[draft(1), draft(9)]).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::NotFound);
        assert_eq!(store.snapshots_of(ASSET).unwrap(), []);
    }

    #[test]
    fn a_changed_blob_is_found_and_an_absent_one_named() {
        let (_folder, store) = open_with_sites(1);
        put(&store, 1, &sbom(&[("pkg:npm/a@1", "x")]), 1);
        let digest = store.snapshots_of(ASSET).unwrap()[0].digest;
        behind(&store)
            .execute("UPDATE blob SET bytes = cast(replace(bytes, 'npm', 'pypi') AS BLOB)", [])
            .unwrap();
        let error = store.snapshot(digest).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Corrupt);
        let absent = store.snapshot(Digest([7; 32])).unwrap_err();
        assert_eq!(absent.kind(), StoreErrorKind::NotFound);
    }
}
