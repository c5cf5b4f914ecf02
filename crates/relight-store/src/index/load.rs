//! Filling the index from the store.
//!
//! Sites of one host have one inventory, and inventories are made of the same components: each text
//! is read once, and of a component that is known only what tells it apart is looked at.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use relight_model::{
    AssetId, Component, Digest, FlawCode, Purl, Stack, Timestamp, bare_name, fold_name,
};
use roaring::RoaringBitmap;
use rusqlite::{Connection, Row};
use xxhash_rust::xxh3::xxh3_64;

use super::{AssetState, IdentityId, Index, Mark, Placement};
use crate::blob::not_what_was_written;
use crate::inventory::read_snapshot;
use crate::register::placements_in;
use crate::snapshot_text::{identity_of, read_piece, read_pieces};
use crate::{Store, StoreError};

const QUERY: &str = "SELECT asset.id, snapshot.last_confirmed, artifact, snapshot.digest,
    deployment.at, deployment.last_confirmed, deployment.digest,
    asset.snapshot, asset.deployment
    FROM asset LEFT JOIN snapshot ON snapshot.seq = asset.snapshot
    LEFT JOIN deployment ON deployment.seq = asset.deployment";

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
            let mut snapshots = Snapshots::default();
            let mut query = database.prepare_cached(&format!("{QUERY} ORDER BY asset.id"))?;
            let mut rows = query.query([])?;
            while let Some(row) = rows.next()? {
                self.insert(row, &mut snapshots)?;
            }
            Ok(self.read_snapshots(database, snapshots)?)
        })
    }

    pub(super) fn load_some(
        &mut self,
        store: &Store,
        assets: &[AssetId],
    ) -> Result<(), StoreError> {
        store.read("refreshing the index", |database| {
            self.placement = Placement::new(placements_in(database)?);
            let mut snapshots = Snapshots::default();
            let mut query = database.prepare_cached(&format!("{QUERY} WHERE asset.id = ?1"))?;
            for asset in assets {
                let mut rows = query.query([asset.0])?;
                while let Some(row) = rows.next()? {
                    self.insert(row, &mut snapshots)?;
                }
            }
            Ok(self.read_snapshots(database, snapshots)?)
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

    /// Takes an asset in; one that has a snapshot is added to `snapshots` instead.
    fn insert(&mut self, row: &Row<'_>, snapshots: &mut Snapshots) -> Result<(), rusqlite::Error> {
        let asset = AssetId(row.get(0)?);
        let confirmed: Option<Timestamp> = row.get(1)?;
        let mut state =
            AssetState { confirmed, artifact: digest_in(row, 2)?, ..AssetState::default() };
        let mark = Mark {
            snapshot: row.get::<_, Option<i64>>(7)?.zip(confirmed),
            deployment: row.get::<_, Option<i64>>(8)?.zip(row.get(5)?),
        };
        if let Some(at) = row.get(4)? {
            let deployment = Deployment { at, last: row.get(5)?, digest: digest_in(row, 6)? };
            deployment.note(&mut state);
        }
        match digest_in(row, 3)? {
            Some(snapshot) => snapshots.add(snapshot, Waiting { asset, state, mark }),
            None => self.put(Waiting { asset, state, mark }),
        }
        Ok(())
    }

    pub(super) fn put(&mut self, Waiting { asset, state, mark }: Waiting) {
        self.marks.insert(asset, mark);
        self.assets.insert(asset, state);
    }

    /// An asset is there only once its snapshot is: an error leaves it never inventoried.
    pub(super) fn read_snapshots(
        &mut self,
        database: &Connection,
        snapshots: Snapshots,
    ) -> Result<(), rusqlite::Error> {
        let mut known = KnownTexts::default();
        snapshots.0.into_iter().try_for_each(|(digest, waiting)| {
            self.read_snapshot(database, &mut known, digest, waiting)
        })
    }

    /// Reads one of them, for all that have it.
    pub(super) fn read_snapshot(
        &mut self,
        database: &Connection,
        known: &mut KnownTexts,
        digest: Digest,
        waiting: Vec<Waiting>,
    ) -> Result<(), rusqlite::Error> {
        let assets: Vec<u32> = waiting.iter().map(|it| it.asset.0).collect();
        let mut query =
            database.prepare_cached("SELECT digest, bytes FROM blob WHERE digest = ?1")?;
        let mut rows = query.query([digest.0])?;
        let Some(row) = rows.next()? else {
            return Err(not_what_was_written(0, format!("snapshot {digest} is not there")));
        };
        let mut stack = Stack::default();
        let rest = read_snapshot(row, 0, |text| {
            read_pieces(text, &mut |piece| {
                let id = known.find(piece, |component| self.intern(component))?;
                self.postings[id.0 as usize].extend(&assets);
                stack = stack.and(self.stacks[id.0 as usize]);
                Some(())
            })
        })?;
        let codes: Vec<FlawCode> = rest.flaws.iter().map(|flaw| flaw.code).collect();
        let broad = codes.iter().filter(|code| code.hides().is_none());
        let reasons: BTreeSet<_> = broad.map(|code| code.reason()).collect();
        let hidden: BTreeSet<_> = codes.iter().filter_map(|code| code.hides()).flatten().collect();
        let (images, tool): (Arc<[Purl]>, Arc<str>) = (rest.images.into(), rest.tool.into());
        for mut it in waiting {
            it.state.snapshot = Some(digest);
            it.state.flaws = reasons.iter().copied().collect();
            it.state.hidden = hidden.iter().map(|kind| **kind).collect();
            it.state.images = Arc::clone(&images);
            it.state.tool = Arc::clone(&tool);
            it.state.stack = stack;
            self.put(it);
        }
        Ok(())
    }

    fn intern(&mut self, component: Component) -> IdentityId {
        let component = component.identity();
        if let Some(&id) = self.numbers.get(&component) {
            return id;
        }
        // Numbers are given once and never again: 2^32 identities do not fit into memory.
        let id = IdentityId(self.identities.len() as u32);
        for name in names_of(&component.purl) {
            self.names.entry(name).or_default().push(id);
        }
        let component = Arc::new(component);
        self.stacks.push(Stack::of(&component));
        self.identities.push(Arc::clone(&component));
        self.numbers.insert(component, id);
        self.postings.push(RoaringBitmap::new());
        id
    }
}

/// Every name under which a component is looked for, folded and without its group.
fn names_of(purl: &Purl) -> BTreeSet<String> {
    let mut names = BTreeSet::from([fold_name(bare_name(&purl.name))]);
    let whole = match purl.namespace.as_str() {
        "" => purl.name.clone(),
        namespace => format!("{namespace}/{}", purl.name),
    };
    // `v2` of `example.org/b` is `b`.
    names.insert(fold_name(bare_name(&whole)));
    // Records name the standard library, the repository of a step, the one of Swift without the
    // end of its address, the package without extras.
    let folded = fold_name(&whole);
    let other = match (purl.kind.as_str(), folded.as_str()) {
        ("golang", "std") => Some("stdlib"),
        ("golang", "cmd") => Some("toolchain"),
        ("github" | "githubactions", name) => name.split('/').nth(1),
        ("swift", name) => name.trim_end_matches('/').strip_suffix("-git").map(bare_name),
        ("pypi", name) => name.split_once('[').map(|(plain, _)| plain),
        _ => None,
    };
    names.extend(other.map(Into::into));
    // Trackers of distributions name source packages: `libc6` is looked for under `glibc`.
    names.extend(purl.upstream().map(|(source, _)| fold_name(&source)));
    names
}

/// An asset whose snapshot is to be read.
pub(super) struct Waiting {
    pub(super) asset: AssetId,
    pub(super) state: AssetState,
    pub(super) mark: Mark,
}

/// The snapshots that are to be read, in the order in which they were met, and whose they are.
#[derive(Default)]
pub(super) struct Snapshots(pub(super) Vec<(Digest, Vec<Waiting>)>, HashMap<Digest, usize>);

impl Snapshots {
    pub(super) fn add(&mut self, digest: Digest, asset: Waiting) {
        let Self(snapshots, numbers) = self;
        let at = *numbers.entry(digest).or_insert(snapshots.len());
        if at == snapshots.len() {
            snapshots.push((digest, Vec::new()));
        }
        snapshots[at].1.push(asset);
    }
}

/// The texts of components that were read already, without their places, by hash.
#[derive(Default)]
pub(super) struct KnownTexts {
    ids: HashMap<u64, (Box<[u8]>, IdentityId)>,
    /// The one that is looked for.
    text: Vec<u8>,
}

impl KnownTexts {
    /// The number of the component with these lines; `intern` gives one that was not met before
    /// its number. `None` when they cannot be read.
    fn find(
        &mut self,
        piece: &str,
        intern: impl FnOnce(Component) -> IdentityId,
    ) -> Option<IdentityId> {
        self.text.clear();
        identity_of(piece, &mut self.text);
        let hash = xxh3_64(&self.text);
        // Anybody can make two texts of one hash: only the text itself says that it is the same.
        match self.ids.get(&hash) {
            Some((text, id)) if **text == *self.text => Some(*id),
            _ => {
                let id = intern(read_piece(piece)?);
                self.ids.insert(hash, (self.text.as_slice().into(), id));
                Some(id)
            }
        }
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

pub(super) fn digest_in(row: &Row<'_>, column: usize) -> Result<Option<Digest>, rusqlite::Error> {
    Ok(row.get::<_, Option<[u8; 32]>>(column)?.map(Digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: what an ecosystem calls otherwise is kept under the name that its records have, or no
    /// record is ever asked about it. Method: the spellings of the matcher's own tests.
    #[test]
    fn a_component_is_kept_under_the_name_that_records_have() {
        for (purl, name) in [
            ("pkg:golang/std@1", "stdlib"),
            ("pkg:golang/STD@1", "stdlib"),
            ("pkg:golang/cmd@1", "toolchain"),
            ("pkg:githubactions/github/codeql-action/init@3", "codeql-action"),
            ("pkg:githubactions/github/codeql-action%2Finit@3", "codeql-action"),
            ("pkg:pypi/uvicorn%5Bstandard%5D@1", "uvicorn"),
            ("pkg:swift/github.com/apple/swift-nio.git@1", "swift-nio"),
            ("pkg:swift/github.com/Apple/Swift-NIO.GIT@1", "swift-nio"),
            ("pkg:rpm/suse/libssl1@1-1?upstream=openssl-1_1-1-1.src.rpm", "openssl-1-1"),
        ] {
            let names = names_of(&Purl::parse(purl).unwrap());
            assert!(names.contains(name), "{purl}: {names:?}");
        }
    }
}
