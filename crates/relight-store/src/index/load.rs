//! Filling the index from the store.

use std::collections::BTreeMap;
use std::sync::Arc;

use relight_model::{AssetId, Component, Digest, Flaw, Sbom, Timestamp};
use roaring::RoaringBitmap;
use rusqlite::Row;

use super::{AssetState, IdentityId, Index, Mark, Placement, fold};
use crate::{Store, StoreError, inventory::sbom_of, register::placements_in};

const QUERY: &str = "SELECT asset.id, snapshot.last_confirmed, artifact, blob.digest, blob.bytes,
    deployment.at, deployment.last_confirmed, deployment.digest,
    asset.snapshot, asset.deployment
    FROM asset LEFT JOIN snapshot ON snapshot.seq = asset.snapshot
    LEFT JOIN deployment ON deployment.seq = asset.deployment
    LEFT JOIN blob ON blob.digest = snapshot.digest";

const MARKS: &str = "SELECT asset.id, asset.snapshot, snapshot.last_confirmed, asset.deployment,
    deployment.last_confirmed
    FROM asset LEFT JOIN snapshot ON snapshot.seq = asset.snapshot
    LEFT JOIN deployment ON deployment.seq = asset.deployment";

/// What the present of every asset is, without reading any, and where sites run.
pub(super) fn present(store: &Store) -> Result<(BTreeMap<AssetId, Mark>, Placement), StoreError> {
    store.read("looking for changed assets", |database| {
        let mut query = database.prepare_cached(MARKS)?;
        let rows = query.query_map([], |row| {
            let snapshot = row.get::<_, Option<i64>>(1)?.zip(row.get(2)?);
            let deployment = row.get::<_, Option<i64>>(3)?.zip(row.get(4)?);
            Ok((AssetId(row.get(0)?), Mark { snapshot, deployment }))
        })?;
        let marks = rows.collect::<Result<_, _>>()?;
        Ok((marks, Placement::new(placements_in(database)?)))
    })
}

impl Index {
    pub(super) fn load_all(&mut self, store: &Store) -> Result<(), StoreError> {
        store.read("building the index", |database| {
            self.placement = Placement::new(placements_in(database)?);
            let mut query = database.prepare_cached(&format!("{QUERY} ORDER BY asset.id"))?;
            let mut rows = query.query([])?;
            while let Some(row) = rows.next()? {
                self.insert(row)?;
            }
            Ok(())
        })
    }

    pub(super) fn load_some(
        &mut self,
        store: &Store,
        assets: &[AssetId],
    ) -> Result<(), StoreError> {
        store.read("refreshing the index", |database| {
            self.placement = Placement::new(placements_in(database)?);
            let mut query = database.prepare_cached(&format!("{QUERY} WHERE asset.id = ?1"))?;
            for asset in assets {
                let mut rows = query.query([asset.0])?;
                while let Some(row) = rows.next()? {
                    self.insert(row)?;
                }
            }
            Ok(())
        })
    }

    /// Makes assets never inventoried. One pass over the postings, however many assets they are,
    /// costs less than keeping the components of each asset.
    pub(super) fn forget(&mut self, assets: &[AssetId]) {
        for asset in assets {
            self.assets.remove(asset);
            self.marks.remove(asset);
        }
        let assets: RoaringBitmap = assets.iter().map(|asset| asset.0).collect();
        for posting in &mut self.postings {
            *posting -= &assets;
        }
    }

    fn insert(&mut self, row: &Row<'_>) -> Result<(), rusqlite::Error> {
        let asset = AssetId(row.get(0)?);
        let confirmed: Option<Timestamp> = row.get(1)?;
        let mut state =
            AssetState { confirmed, artifact: digest_in(row, 2)?, ..AssetState::default() };
        if let Some(snapshot) = digest_in(row, 3)? {
            let Sbom { components, flaws, artifact: _, tool: _ } = sbom_of(row, 3)?;
            for component in components {
                let id = self.intern(component);
                self.postings[id.0 as usize].insert(asset.0);
            }
            let mut reasons: Vec<_> = flaws.iter().map(|flaw: &Flaw| flaw.code.reason()).collect();
            reasons.sort_unstable();
            reasons.dedup();
            state.snapshot = Some(snapshot);
            state.flaws = reasons.into();
        }
        let mark = Mark {
            snapshot: row.get::<_, Option<i64>>(8)?.zip(confirmed),
            deployment: row.get::<_, Option<i64>>(9)?.zip(row.get(6)?),
        };
        self.marks.insert(asset, mark);
        if let Some(at) = row.get(5)? {
            let deployment = Deployment { at, last: row.get(6)?, digest: digest_in(row, 7)? };
            deployment.note(&mut state);
        }
        self.assets.insert(asset, state);
        Ok(())
    }

    fn intern(&mut self, component: Component) -> IdentityId {
        let component = component.identity();
        if let Some(&id) = self.numbers.get(&component) {
            return id;
        }
        // Numbers are given once and never again: 2^32 identities do not fit into memory.
        let id = IdentityId(self.identities.len() as u32);
        let name = fold(&component.purl.name);
        // Trackers of distributions name source packages: `libc6` is looked for under `glibc`.
        let upstream = component.purl.qualifier("upstream");
        let source = upstream.map(|text| fold(text.split('@').next().unwrap_or(text)));
        if let Some(source) = source.filter(|source| *source != name) {
            self.names.entry(source).or_default().push(id);
        }
        self.names.entry(name).or_default().push(id);
        let component = Arc::new(component);
        self.identities.push(Arc::clone(&component));
        self.numbers.insert(component, id);
        self.postings.push(RoaringBitmap::new());
        id
    }
}

/// The newest report of what an asset runs: what, since when, and when it was last said.
struct Deployment {
    digest: Option<Digest>,
    at: Timestamp,
    last: Timestamp,
}

impl Deployment {
    /// Confirms the present snapshot, or says that it may not describe what is in service. Two
    /// digests decide for good; without them time does, and a tie counts as changed.
    fn note(&self, state: &mut AssetState) {
        state.deployed = self.digest;
        let Some(confirmed) = state.confirmed else { return };
        match (self.digest, state.artifact) {
            (Some(deployed), Some(seen)) if deployed == seen => {
                state.confirmed = Some(confirmed.max(self.last));
            }
            (Some(_), Some(_)) => state.changed_since = true,
            _ => state.changed_since = self.at >= confirmed,
        }
    }
}

fn digest_in(row: &Row<'_>, column: usize) -> Result<Option<Digest>, rusqlite::Error> {
    Ok(row.get::<_, Option<[u8; 32]>>(column)?.map(Digest))
}
