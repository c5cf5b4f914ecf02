//! Inventories and deployments that the journal does not know yet: whoever controls the register is
//! told which assets to look at. Only that one may write to it, and anybody may die before.

use relight_model::AssetId;
use rusqlite::{Transaction, params};

use crate::store::Failure;
use crate::{SnapshotDraft, SnapshotStored, Store, StoreError, inventory};

/// An asset whose inventory the controller of the register has not looked at yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftInventory {
    /// The asset.
    pub asset: AssetId,
    mark: String,
}

impl Store {
    /// As [`Store::put_snapshots`], where the incidents do not know of them yet: the assets are
    /// left for whoever controls the register.
    ///
    /// # Errors
    /// As [`Store::put_snapshots`].
    pub fn leave_snapshots(
        &self,
        drafts: &[SnapshotDraft<'_>],
    ) -> Result<Vec<SnapshotStored>, StoreError> {
        self.write("leaving inventories", |transaction| {
            let mut stored = Vec::with_capacity(drafts.len());
            for draft in drafts {
                let done = inventory::put(transaction, draft)?;
                let mark = format!("{} {} {}", done.digest, draft.observed_at, draft.recorded_at);
                mark_left(transaction, done.asset, &mark)?;
                stored.push(done);
            }
            Ok(stored)
        })
    }

    /// The assets that were left, sorted.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn left_inventories(&self) -> Result<Vec<LeftInventory>, StoreError> {
        self.read("looking for left inventories", |database| {
            let mut query =
                database.prepare_cached("SELECT asset, mark FROM inventory_left ORDER BY asset")?;
            let rows = query.query_map([], |row| {
                Ok(LeftInventory { asset: AssetId(row.get(0)?), mark: row.get(1)? })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// These were looked at. One that was left again meanwhile stays.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn take_left(&self, left: &[LeftInventory]) -> Result<(), StoreError> {
        if left.is_empty() {
            return Ok(());
        }
        self.write("taking left inventories", |transaction| {
            for LeftInventory { asset, mark } in left {
                transaction
                    .prepare_cached("DELETE FROM inventory_left WHERE asset = ?1 AND mark = ?2")?
                    .execute(params![asset.0, mark])?;
            }
            Ok(())
        })
    }
}

/// In the transaction that stores what is left.
pub(crate) fn mark_left(
    transaction: &Transaction<'_>,
    asset: AssetId,
    mark: &str,
) -> Result<(), Failure> {
    let insert = "INSERT INTO inventory_left (asset, mark) VALUES (?1, ?2)
                  ON CONFLICT (asset) DO UPDATE SET mark = excluded.mark";
    transaction.prepare_cached(insert)?.execute(params![asset.0, mark])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use relight_model::Sbom;

    use super::*;
    use crate::testing::{open_with_sites, sbom};

    fn leave(store: &Store, asset: u32, sbom: &Sbom, at: i64) {
        let draft = SnapshotDraft {
            asset: AssetId(asset),
            sbom,
            observed_at: at,
            recorded_at: at,
            profiles: None,
        };
        store.leave_snapshots(&[draft]).unwrap();
    }

    fn assets(left: &[LeftInventory]) -> Vec<u32> {
        left.iter().map(|it| it.asset.0).collect()
    }

    #[test]
    fn what_is_left_is_stored_and_told_until_it_is_taken() {
        let (_folder, store) = open_with_sites(3);
        let one = sbom(&[("pkg:npm/x@1", "a")]);
        leave(&store, 2, &one, 5);
        leave(&store, 1, &one, 5);
        let seen = store.left_inventories().unwrap();
        assert_eq!(assets(&seen), [1, 2]);
        assert_eq!(store.snapshots_of(AssetId(2)).unwrap().len(), 1);
        // The same inventory, seen once more while the first is looked at.
        leave(&store, 2, &one, 6);
        store.take_left(&seen).unwrap();
        let again = store.left_inventories().unwrap();
        assert_eq!(assets(&again), [2]);
        store.take_left(&again).unwrap();
        assert_eq!(store.left_inventories().unwrap(), []);
    }

    #[test]
    fn an_asset_that_is_not_registered_leaves_nothing() {
        let (_folder, store) = open_with_sites(1);
        let (good, empty) = (sbom(&[("pkg:npm/x@1", "a")]), Sbom::default());
        let draft = |asset, sbom| SnapshotDraft {
            asset: AssetId(asset),
            sbom,
            observed_at: 1,
            recorded_at: 1,
            profiles: None,
        };
        assert!(store.leave_snapshots(&[draft(1, &good), draft(9, &empty)]).is_err());
        assert_eq!(store.left_inventories().unwrap(), []);
        assert_eq!(store.snapshots_of(AssetId(1)).unwrap(), []);
    }
}
