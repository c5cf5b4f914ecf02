//! Which site runs on which asset: two sorted lists of pairs, because most sites have one asset.

use relight_model::{AssetId, SiteId};

/// Both directions of the relation between sites and assets.
#[derive(Clone, Debug, Default)]
pub(super) struct Placement {
    by_site: Vec<(SiteId, AssetId)>,
    by_asset: Vec<(AssetId, SiteId)>,
}

impl Placement {
    pub(super) fn new(mut pairs: Vec<(SiteId, AssetId)>) -> Self {
        pairs.sort_unstable();
        let mut by_asset: Vec<_> = pairs.iter().map(|&(site, asset)| (asset, site)).collect();
        by_asset.sort_unstable();
        Self { by_site: pairs, by_asset }
    }

    /// The assets of a site, sorted.
    pub(super) fn assets(&self, site: SiteId) -> impl Iterator<Item = AssetId> {
        range(&self.by_site, site)
    }

    /// The sites of an asset, sorted.
    pub(super) fn sites(&self, asset: AssetId) -> impl Iterator<Item = SiteId> {
        range(&self.by_asset, asset)
    }
}

fn range<K: Ord + Copy, V: Copy>(pairs: &[(K, V)], key: K) -> impl Iterator<Item = V> {
    let start = pairs.partition_point(|(k, _)| *k < key);
    pairs[start..].iter().take_while(move |(k, _)| *k == key).map(|&(_, value)| value)
}
