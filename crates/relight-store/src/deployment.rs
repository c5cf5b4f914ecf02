//! Deployments: which artifact an asset was last reported to run.

use relight_model::{AssetId, Digest, Timestamp};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use crate::{
    Store, StoreError,
    inventory::{clamp, confirm, known_asset},
    store::Failure,
};

/// A report of what an asset runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeploymentDraft {
    /// The asset.
    pub asset: AssetId,
    /// Digest of the artifact set in service; `None` when something newer is there and nobody can
    /// say what (an upload that could not be read).
    pub digest: Option<Digest>,
    /// When it was true.
    pub at: Timestamp,
    /// When we learnt it.
    pub recorded_at: Timestamp,
}

impl Store {
    /// Notes what assets run, all or none. A report of the artifact that the present inventory
    /// describes confirms that inventory; any other makes the asset changed since. A report that
    /// is older than the newest one is kept and changes nothing.
    ///
    /// # Errors
    /// An asset is not in the register (`NotFound`), or the database cannot be written.
    pub fn report_deployed(&self, drafts: &[DeploymentDraft]) -> Result<(), StoreError> {
        self.write("noting deployments", |transaction| {
            drafts.iter().try_for_each(|draft| put(transaction, draft))
        })
    }
}

fn put(transaction: &Transaction<'_>, draft: &DeploymentDraft) -> Result<(), Failure> {
    let DeploymentDraft { asset, digest, at, recorded_at } = *draft;
    known_asset(transaction, asset)?;
    let (at, _) = clamp(at, recorded_at);
    let newest = newest(transaction, asset)?;
    let is_newest = newest.is_none_or(|newest| at >= newest.last_confirmed);
    let same = newest.filter(|newest| is_newest && digest.is_some() && newest.digest == digest);
    let seq = match same {
        Some(Newest { seq, .. }) => {
            transaction
                .prepare_cached("UPDATE deployment SET last_confirmed = ?2 WHERE seq = ?1")?
                .execute([seq, at])?;
            seq
        }
        None => {
            transaction
                .prepare_cached(
                    "INSERT INTO deployment (asset, digest, at, recorded_at, last_confirmed)
                     VALUES (?1, ?2, ?3, ?4, ?3)",
                )?
                .execute(params![asset.0, digest.map(|digest| digest.0), at, recorded_at])?;
            transaction.last_insert_rowid()
        }
    };
    if !is_newest {
        return Ok(());
    }
    transaction
        .prepare_cached("UPDATE asset SET deployment = ?2 WHERE id = ?1")?
        .execute(params![asset.0, seq])?;
    if digest.is_some() && digest == present_artifact(transaction, asset)? {
        confirm(transaction, asset, at)?;
    }
    Ok(())
}

#[derive(Clone, Copy)]
struct Newest {
    seq: i64,
    digest: Option<Digest>,
    last_confirmed: Timestamp,
}

fn newest(database: &Connection, asset: AssetId) -> Result<Option<Newest>, rusqlite::Error> {
    database
        .prepare_cached(
            "SELECT seq, digest, last_confirmed
             FROM asset JOIN deployment ON deployment.seq = asset.deployment WHERE asset.id = ?1",
        )?
        .query_row([asset.0], |row| {
            let digest = row.get::<_, Option<[u8; 32]>>(1)?.map(Digest);
            Ok(Newest { seq: row.get(0)?, digest, last_confirmed: row.get(2)? })
        })
        .optional()
}

fn present_artifact(
    database: &Connection,
    asset: AssetId,
) -> Result<Option<Digest>, rusqlite::Error> {
    let artifact: Option<Option<[u8; 32]>> = database
        .prepare_cached(
            "SELECT artifact FROM asset JOIN snapshot ON snapshot.seq = asset.snapshot
             WHERE asset.id = ?1",
        )?
        .query_row([asset.0], |row| row.get(0))
        .optional()?;
    Ok(artifact.flatten().map(Digest))
}
