//! Which site runs on which asset: two sorted lists of pairs, because most sites have one asset.

use relight_model::{AssetId, SiteId};
use roaring::RoaringBitmap;

/// One marked asset in so many is looked up by itself; of more, the whole list is read once.
const SPARSE: usize = 16;

/// Both directions of the relation between sites and assets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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

    /// The sites that run on any of the marked assets, which have one bit each.
    pub(super) fn sites_of_marked(&self, marked: &[u64]) -> RoaringBitmap {
        let count: usize = marked.iter().map(|word| word.count_ones() as usize).sum();
        let mut sites: Vec<u32> = if count * SPARSE < self.by_asset.len() {
            each(marked).flat_map(|asset| self.sites(asset)).map(|site| site.0).collect()
        } else {
            let is_marked = |asset: AssetId| {
                let word = marked.get(asset.0 as usize / 64).copied().unwrap_or_default();
                word >> (asset.0 % 64) & 1 == 1
            };
            let held = self.by_asset.iter().filter(|(asset, _)| is_marked(*asset));
            held.map(|(_, site)| site.0).collect()
        };
        sites.sort_unstable();
        sites.dedup();
        RoaringBitmap::from_sorted_iter(sites).unwrap_or_default()
    }
}

/// The assets whose bit is set, in order.
fn each(marked: &[u64]) -> impl Iterator<Item = AssetId> {
    (0_u32..).step_by(64).zip(marked).flat_map(|(first, word)| {
        let mut left = *word;
        std::iter::from_fn(move || {
            let bit = (left != 0).then(|| left.trailing_zeros())?;
            left &= left - 1;
            Some(AssetId(first + bit))
        })
    })
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

    /// Goal: few marks and many give the same sites. Method: every third asset of a thousand, of
    /// ten, and the marks of assets that are not there.
    #[test]
    fn few_marks_and_many_are_mapped_alike() {
        let pairs: Vec<_> =
            (0..2_000).map(|at| (SiteId(at * 7 % 1_999), AssetId(at / 2))).collect();
        let placement = Placement::new(pairs.clone());
        for every in [1, 3, 64, 65, 500, 5_000] {
            let mut marked = vec![0_u64; 20];
            for asset in (0..1_280).step_by(every) {
                marked[asset / 64] |= 1 << (asset % 64);
            }
            let is_marked = |asset: AssetId| (asset.0 as usize).is_multiple_of(every);
            let held = pairs.iter().filter(|(_, asset)| is_marked(*asset));
            let wanted: RoaringBitmap = held.map(|(site, _)| site.0).collect();
            assert_eq!(placement.sites_of_marked(&marked), wanted, "{every}");
            assert_eq!(each(&marked).count(), 1_280_usize.div_ceil(every), "{every}");
        }
        assert!(placement.sites_of_marked(&[]).is_empty());
    }

    #[test]
    fn nothing_is_placed_in_an_empty_register() {
        assert_eq!(Placement::default().assets(SiteId(0)).count(), 0);
        assert_eq!(Placement::default().sites(AssetId(u32::MAX)).count(), 0);
    }
}
