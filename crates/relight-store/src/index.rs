//! The index: which assets hold which component, in memory, rebuilt from the store at start.
//!
//! Answers every "which sites" question. Postings go by asset, because most sites share a host
//! and freshness belongs to the asset; they are mapped to sites at the end. What an error leaves
//! out is never inventoried, hence unknown: it is never clear.

mod load;
mod placement;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use relight_model::{
    AssetId, Component, Digest, InventoryState, PackageName, SiteId, Timestamp, UnknownReason,
};
use roaring::RoaringBitmap;

use crate::{Store, StoreError};

use placement::Placement;

/// Dense number of an identity: everything that a component is judged by, and no place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdentityId(pub u32);

/// Which assets hold what, which sites run on them, and how far their inventories can be trusted.
///
/// A value without doors to the store: build it, share it, and replace it by a refreshed clone.
#[derive(Clone, Debug, Default)]
pub struct Index {
    identities: Vec<Arc<Component>>,
    numbers: HashMap<Arc<Component>, IdentityId>,
    postings: Vec<RoaringBitmap>,
    names: HashMap<String, Vec<IdentityId>>,
    assets: BTreeMap<AssetId, AssetState>,
    placement: Placement,
}

/// What the index knows about one asset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AssetState {
    /// The id of its present snapshot.
    pub snapshot: Option<Digest>,
    /// When that snapshot was last confirmed.
    pub confirmed: Option<Timestamp>,
    /// The artifact that the snapshot describes.
    pub artifact: Option<Digest>,
    /// The artifact that was last reported to be in service.
    pub deployed: Option<Digest>,
    /// What is in service is not known to be what the snapshot describes.
    pub changed_since: bool,
    /// The reasons of its flaws, sorted, without doubles.
    pub flaws: Box<[UnknownReason]>,
}

impl Index {
    /// Reads the present of every asset.
    ///
    /// # Errors
    /// A snapshot does not read back as it was written (`Corrupt`), or the database cannot be read.
    pub fn build(store: &Store) -> Result<Self, StoreError> {
        let mut index = Self::default();
        index.load_all(store)?;
        Ok(index)
    }

    /// Reads the present of these assets again, and the placement of all: after `put_snapshots`,
    /// `report_deployed` or an import. Equal to a new build.
    ///
    /// # Errors
    /// As [`Index::build`]; then assets among these may be left without inventory, hence unknown.
    pub fn refresh(&mut self, store: &Store, assets: &[AssetId]) -> Result<(), StoreError> {
        self.forget(assets);
        self.load_some(store, assets)
    }

    /// Every identity that at least one asset holds, with a component that has no evidence.
    pub fn identities(&self) -> impl Iterator<Item = (IdentityId, &Component)> {
        let numbered = self.identities.iter().zip(&self.postings).zip(0..);
        numbered
            .filter(|((_, posting), _)| !posting.is_empty())
            .map(|((component, _), number)| (IdentityId(number), component.as_ref()))
    }

    /// The identities whose name is this one, up to case and the signs `-`, `_` and `.`: a few
    /// more than the rules of any ecosystem allow, so that none is missed. Judge each.
    pub fn identities_named(&self, name: &str) -> impl Iterator<Item = (IdentityId, &Component)> {
        let named = self.names.get(&fold(name)).into_iter().flatten();
        named.filter_map(|&id| Some((id, self.identity(id)?))).filter(|(id, _)| self.is_held(*id))
    }

    /// The identities that may belong to a package: those of its name without its group or scope.
    pub fn identities_of(
        &self,
        package: &PackageName,
    ) -> impl Iterator<Item = (IdentityId, &Component)> {
        self.identities_named(package.name.rsplit([':', '/']).next().unwrap_or_default())
    }

    /// What an identity is; its evidence is empty.
    pub fn identity(&self, id: IdentityId) -> Option<&Component> {
        self.identities.get(id.0 as usize).map(AsRef::as_ref)
    }

    /// The numbers of the assets that hold an identity.
    pub fn assets_with(&self, id: IdentityId) -> Option<&RoaringBitmap> {
        self.postings.get(id.0 as usize)
    }

    /// The numbers of the sites that run on any of these assets.
    pub fn sites_of(&self, assets: &RoaringBitmap) -> RoaringBitmap {
        assets.iter().flat_map(|asset| self.placement.sites(AssetId(asset))).map(|s| s.0).collect()
    }

    /// The assets that a site runs on, sorted.
    pub fn assets_of(&self, site: SiteId) -> impl Iterator<Item = AssetId> {
        self.placement.assets(site)
    }

    /// What is known about an asset; `None` when it is not in the register.
    pub fn asset(&self, asset: AssetId) -> Option<&AssetState> {
        self.assets.get(&asset)
    }

    /// The states of all assets of a site, in the order of [`Index::assets_of`]: the input of
    /// [`relight_model::Coverage::of`].
    pub fn inventory_states(&self, site: SiteId) -> Vec<InventoryState> {
        let state = |asset| self.assets.get(&asset).map_or_else(never, inventory_state);
        self.assets_of(site).map(state).collect()
    }

    /// Where an asset holds an identity, sorted; read from the store on demand.
    ///
    /// # Errors
    /// The snapshot does not read back as it was written (`Corrupt`), or the database cannot be
    /// read.
    pub fn evidence(
        &self,
        store: &Store,
        id: IdentityId,
        asset: AssetId,
    ) -> Result<Vec<String>, StoreError> {
        let snapshot = self.assets.get(&asset).and_then(|state| state.snapshot);
        let Some((digest, identity)) = snapshot.zip(self.identity(id)) else {
            return Ok(Vec::new());
        };
        let mut places = Vec::new();
        for mut component in store.snapshot(digest)?.components {
            let place = std::mem::take(&mut component.evidence);
            if component == *identity {
                places.push(place);
            }
        }
        Ok(places)
    }

    fn is_held(&self, id: IdentityId) -> bool {
        self.assets_with(id).is_some_and(|assets| !assets.is_empty())
    }
}

const fn never() -> InventoryState {
    InventoryState { confirmed: None, changed_since: false, flaws: Vec::new() }
}

fn inventory_state(state: &AssetState) -> InventoryState {
    let AssetState { confirmed, changed_since, flaws, .. } = state;
    InventoryState { confirmed: *confirmed, changed_since: *changed_since, flaws: flaws.to_vec() }
}

/// The form in which names are looked up: lower case, one `-` for each run of `-`, `_` and `.`
/// (PEP 503; other ecosystems are stricter).
fn fold(name: &str) -> String {
    let mut folded = String::with_capacity(name.len());
    for char in name.chars() {
        match char {
            '-' | '_' | '.' if folded.ends_with('-') => {}
            '-' | '_' | '.' => folded.push('-'),
            _ => folded.extend(char.to_lowercase()),
        }
    }
    folded
}
