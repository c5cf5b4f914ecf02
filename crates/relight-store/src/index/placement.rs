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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_directions_agree_whatever_the_order() {
        let pairs = [(3, 7), (1, 7), (1, 2), (2, 9)];
        let pairs = pairs.map(|(site, asset)| (SiteId(site), AssetId(asset)));
        let placement = Placement::new(pairs.to_vec());
        let assets = |site| placement.assets(SiteId(site)).map(|a| a.0).collect::<Vec<_>>();
        let sites = |asset| placement.sites(AssetId(asset)).map(|s| s.0).collect::<Vec<_>>();
        assert_eq!(
            [assets(0), assets(1), assets(2), assets(3)],
            [vec![], vec![2, 7], vec![9], vec![7]]
        );
        assert_eq!(
            [sites(2), sites(7), sites(8), sites(9)],
            [vec![1], vec![1, 3], vec![], vec![2]]
        );
    }

    #[test]
    fn nothing_is_placed_in_an_empty_register() {
        assert_eq!(Placement::default().assets(SiteId(0)).count(), 0);
        assert_eq!(Placement::default().sites(AssetId(u32::MAX)).count(), 0);
    }
}
