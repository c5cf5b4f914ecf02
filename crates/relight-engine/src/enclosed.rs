//! Assets that are images of containers of which suppliers speak: what they hold is judged in
//! them. A match list cannot say it, because an identity is one in every asset that holds it.

use relight_match::{Advisories, Enclosure, Question};
use relight_model::{AssetId, Component, PackageName, Purl};
use relight_store::{IdentityId, Index};

/// The assets that are such an image, each with what encloses its components.
pub(crate) fn images(
    question: &Question,
    advisories: &Advisories,
    index: &Index,
) -> Vec<(AssetId, Enclosure)> {
    let named = question.images(advisories);
    if named.is_empty() {
        return Vec::new();
    }
    let is_named = |it: &Purl| it.image().is_some_and(|digest| named.contains(&digest));
    let assets = index.assets().filter(|(_, state)| state.images.iter().any(is_named));
    assets.map(|(asset, state)| (asset, Enclosure::of_image(&state.images))).collect()
}

/// The identities that an advisory may mean, each once.
pub(crate) fn meant<'a>(
    id: &str,
    advisories: &Advisories,
    index: &'a Index,
) -> Vec<(IdentityId, &'a Component)> {
    let packages: Vec<PackageName> =
        advisories.groups_of(id).flat_map(|group| group.packages()).collect();
    // Packages of an advisory may share a name, in several releases even.
    let mut meant: Vec<_> =
        packages.iter().flat_map(|package| index.identities_of(package)).collect();
    meant.sort_unstable_by_key(|(identity, _)| *identity);
    meant.dedup_by_key(|(identity, _)| *identity);
    meant
}

/// Those of them that an asset holds.
pub(crate) fn held_by<'a>(
    asset: AssetId,
    meant: &'a [(IdentityId, &'a Component)],
    index: &'a Index,
) -> impl Iterator<Item = (IdentityId, &'a Component)> {
    let is_held =
        move |identity| index.assets_with(identity).is_some_and(|it| it.contains(asset.0));
    meant.iter().copied().filter(move |(identity, _)| is_held(*identity))
}
