//! The index: which assets hold which component, in memory, rebuilt from the store at start.
//!
//! Answers every "which sites" question. Postings go by asset, because most sites share a host
//! and freshness belongs to the asset; they are mapped to sites at the end. What an error leaves
//! out is never inventoried, hence unknown: it is never clear.

mod built;
mod load;
mod past;
mod placement;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use relight_model::{
    AssetId, Component, Digest, InventoryState, PackageName, Purl, SiteId, Stack, Timestamp,
    UnknownReason, bare_name, fold_name,
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
    /// What each of them shows of what something is built with.
    stacks: Vec<Stack>,
    numbers: HashMap<Arc<Component>, IdentityId>,
    postings: Vec<RoaringBitmap>,
    names: HashMap<String, Vec<IdentityId>>,
    assets: BTreeMap<AssetId, AssetState>,
    /// What the present of each asset was when it was read.
    marks: BTreeMap<AssetId, Mark>,
    placement: Placement,
}

/// Tells one present of an asset from another: the numbers of its snapshot and of its deployment,
/// and when each was last confirmed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Mark {
    snapshot: Option<(i64, Timestamp)>,
    deployment: Option<(i64, Timestamp)>,
}

/// What the index knows about one asset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AssetState {
    /// The id of its present snapshot.
    pub snapshot: Option<Digest>,
    /// When that snapshot was last confirmed, by a scan or by a report of its artifact in service.
    pub confirmed: Option<Timestamp>,
    /// The artifact that the snapshot describes.
    pub artifact: Option<Digest>,
    /// The image that the snapshot describes ([`relight_model::Sbom::images`]).
    pub images: Arc<[Purl]>,
    /// Name and version of the tool that made the snapshot ([`relight_model::Sbom::tool`]).
    pub tool: Arc<str>,
    /// The artifact that was last reported to be in service.
    pub deployed: Option<Digest>,
    /// What is in service is not known to be what the snapshot describes.
    pub changed_since: bool,
    /// The reasons of its flaws that can hide anything, sorted, without doubles.
    pub flaws: Box<[UnknownReason]>,
    /// What its other flaws can hide ([`relight_model::FlawCode::hides`]), sorted, without doubles.
    pub hidden: Box<[&'static str]>,
    /// What its components show that it is built with.
    pub stack: Stack,
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

    /// Reads again whatever somebody else changed since it was read; says whether there was
    /// anything. Equal to a new build, for the price of what changed and one look at each asset.
    ///
    /// # Errors
    /// As [`Index::refresh`].
    pub fn follow(&mut self, store: &Store) -> Result<bool, StoreError> {
        let (marks, placement) = load::present(store)?;
        let gone = self.marks.keys().filter(|asset| !marks.contains_key(asset));
        let changed = marks.iter().filter(|(asset, mark)| self.marks.get(asset) != Some(*mark));
        let assets: Vec<AssetId> = gone.chain(changed.map(|(asset, _)| asset)).copied().collect();
        if assets.is_empty() && placement == self.placement {
            return Ok(false);
        }
        self.refresh(store, &assets)?;
        Ok(true)
    }

    /// Every identity that at least one asset holds, with a component that has no evidence.
    pub fn identities(&self) -> impl Iterator<Item = (IdentityId, &Component)> {
        let numbered = self.identities.iter().zip(&self.postings).zip(0..);
        numbered
            .filter(|((_, posting), _)| !posting.is_empty())
            .map(|((component, _), number)| (IdentityId(number), component.as_ref()))
    }

    /// As [`Index::identities`] for numbers from `first` on, with those that no asset holds.
    pub fn identities_from(
        &self,
        first: u32,
    ) -> impl Iterator<Item = (IdentityId, &Arc<Component>)> {
        let numbered = (0..).zip(&self.identities).skip(first as usize);
        numbered.map(|(number, component)| (IdentityId(number), component))
    }

    /// The identities whose name, without its group, is this one, up to case and the signs `-`,
    /// `_` and `.`: a few more than the rules of any ecosystem allow, so that none is missed. Judge
    /// each.
    pub fn identities_named(&self, name: &str) -> impl Iterator<Item = (IdentityId, &Component)> {
        let named = self.names.get(&fold_name(name)).into_iter().flatten();
        named.filter_map(|&id| Some((id, self.identity(id)?))).filter(|(id, _)| self.is_held(*id))
    }

    /// The identities that may belong to a package: those of its name without its group or scope.
    pub fn identities_of(
        &self,
        package: &PackageName,
    ) -> impl Iterator<Item = (IdentityId, &Component)> {
        self.identities_named(bare_name(&package.name))
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

    /// The numbers of the sites that run on any asset of any of these sets. One bit an asset: a
    /// flaw of a kernel means thousands of identities, and uniting their sets pair by pair costs
    /// the size of the result each time.
    pub fn sites_of_all<'a>(
        &self,
        sets: impl IntoIterator<Item = &'a RoaringBitmap>,
    ) -> RoaringBitmap {
        let last = self.assets.last_key_value().map_or(0, |(asset, _)| asset.0 as usize);
        let mut bits = vec![0_u64; last / 64 + 1];
        for set in sets {
            for asset in set {
                if let Some(word) = bits.get_mut(asset as usize / 64) {
                    *word |= 1 << (asset % 64);
                }
            }
        }
        self.placement.sites_of_marked(&bits)
    }

    /// The assets that a site runs on, sorted.
    pub fn assets_of(&self, site: SiteId) -> impl Iterator<Item = AssetId> {
        self.placement.assets(site)
    }

    /// Every asset of the register with what is known about it, by number.
    pub fn assets(&self) -> impl Iterator<Item = (AssetId, &AssetState)> {
        self.assets.iter().map(|(asset, state)| (*asset, state))
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
            if component.identity() == *identity {
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
    InventoryState { confirmed: None, changed_since: false, flaws: Vec::new(), hidden: Vec::new() }
}

fn inventory_state(state: &AssetState) -> InventoryState {
    let (flaws, hidden) = (state.flaws.to_vec(), state.hidden.to_vec());
    InventoryState { confirmed: state.confirmed, changed_since: state.changed_since, flaws, hidden }
}

#[cfg(test)]
mod tests {
    use relight_model::{Coverage, Ecosystem, Flaw, FlawCode, Sbom};
    use testkit::Rng;

    use super::*;
    use crate::{
        SnapshotDraft, StoreErrorKind,
        testing::{any_sbom, behind, component, import, open_with_sites, put, rows, sbom},
    };

    const LOG4J: &str = "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1";

    /// Everything that an index says, as text, so that two can be compared.
    pub(super) fn told(index: &Index) -> String {
        let mut lines = Vec::new();
        for (id, component) in index.identities() {
            let assets: Vec<u32> = index.assets_with(id).unwrap().iter().collect();
            lines.push(format!("{component:?} {assets:?}"));
        }
        lines.extend(index.assets.iter().map(|asset| format!("{asset:?}")));
        lines.push(format!("{:?}", index.placement));
        lines.sort();
        lines.join("\n")
    }

    /// The sites that hold an identity of this name, by answer of the index.
    fn sites_with(index: &Index, name: &str) -> Vec<u32> {
        let mut assets = RoaringBitmap::new();
        for (id, _) in index.identities_named(name) {
            assets |= index.assets_with(id).unwrap();
        }
        index.sites_of(&assets).iter().collect()
    }

    #[test]
    fn from_a_name_to_sites_and_places() {
        let (_folder, store) = open_with_sites(4);
        let affected = sbom(&[(LOG4J, "b.war!/l.jar"), (LOG4J, "a/l.jar"), ("pkg:npm/x@1", "x")]);
        put(&store, 1, &affected, 1);
        put(&store, 2, &sbom(&[("pkg:npm/x@1", "other/place")]), 1);
        put(&store, 4, &affected, 1);
        let index = Index::build(&store).unwrap();
        assert_eq!(sites_with(&index, "log4j-core"), [1, 4]);
        assert_eq!(sites_with(&index, "x"), [1, 2, 4]);
        assert_eq!(sites_with(&index, "log4j"), []);
        let (id, found) = index.identities_named("log4j-core").next().unwrap();
        assert_eq!(*found, component(LOG4J, ""));
        let evidence = |asset| index.evidence(&store, id, AssetId(asset)).unwrap();
        assert_eq!(evidence(1), ["a/l.jar", "b.war!/l.jar"]);
        assert_eq!([evidence(2), evidence(3), evidence(9)], [[""; 0]; 3]);
        assert_eq!(index.identities().count(), 2);
    }

    #[test]
    fn what_a_component_is_judged_by_tells_identities_apart() {
        let (_folder, store) = open_with_sites(1);
        let plain = component(LOG4J, "a");
        let patched = Component { removed: vec!["JndiLookup".into()], ..component(LOG4J, "b") };
        let named = Component { basis: relight_model::Basis::FileName, ..component(LOG4J, "c") };
        let components = vec![plain, patched, named];
        put(&store, 1, &Sbom { components, ..Sbom::default() }, 1);
        let index = Index::build(&store).unwrap();
        for (id, component) in index.identities_named("log4j-core") {
            let place = &index.evidence(&store, id, AssetId(1)).unwrap()[0];
            let expected = match place.as_str() {
                "a" => component.removed.is_empty(),
                "b" => component.removed == ["JndiLookup"],
                _ => component.basis == relight_model::Basis::FileName,
            };
            assert!(expected, "{component:?} at {place}");
        }
        assert_eq!(index.identities().count(), 3);
    }

    #[test]
    fn a_name_is_found_however_an_ecosystem_may_write_it() {
        let (_folder, store) = open_with_sites(3);
        put(&store, 1, &sbom(&[("pkg:pypi/Zope.Interface@1", "a")]), 1);
        put(&store, 2, &sbom(&[("pkg:pypi/zope__interface@1", "a")]), 1);
        put(&store, 3, &sbom(&[("pkg:npm/%40scope/Zope-Interface@1", "a")]), 1);
        let index = Index::build(&store).unwrap();
        assert_eq!(sites_with(&index, "ZOPE-_interface"), [1, 2, 3]);
        let package = |ecosystem, name: &str| {
            let name = PackageName { ecosystem, release: None, name: name.into() };
            index.identities_of(&name).count()
        };
        assert_eq!(package(Ecosystem::Npm, "@scope/zope-interface"), 3);
        assert_eq!(package(Ecosystem::Maven, "org.zope:zope.interface"), 3);
        assert_eq!(package(Ecosystem::PyPi, "zope"), 0);
        // What documents call by a name alone, with its group in the name or as a group.
        put(&store, 1, &sbom(&[("pkg:generic/%40scope/zope.interface@1", "a")]), 2);
        put(&store, 2, &sbom(&[("pkg:generic/example.org%2Fb%2Fv2@1", "a")]), 2);
        put(&store, 3, &sbom(&[("pkg:golang/example.org/b/v2@1", "a")]), 2);
        let index = Index::build(&store).unwrap();
        let package = |ecosystem, name: &str| {
            let name = PackageName { ecosystem, release: None, name: name.into() };
            index.identities_of(&name).map(|(_, it)| it.purl.to_string()).collect::<Vec<_>>()
        };
        let scoped = package(Ecosystem::Npm, "@scope/zope-interface");
        assert_eq!(scoped, ["pkg:generic/%40scope/zope.interface@1"]);
        let ssl = "pkg:rpm/suse/libssl1@1-1?upstream=openssl-1_1-1-1.src.rpm";
        put(&store, 1, &sbom(&[(ssl, "a")]), 3);
        let index = Index::build(&store).unwrap();
        let package = |ecosystem, name: &str| {
            let name = PackageName { ecosystem, release: None, name: name.into() };
            index.identities_of(&name).map(|(_, it)| it.purl.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(package(Ecosystem::Suse, "openssl-1_1"), [ssl]);
        let mut later = package(Ecosystem::Go, "example.org/b/v2");
        later.sort();
        let go = "pkg:golang/example.org/b/v2@1";
        assert_eq!(later, ["pkg:generic/example.org%2Fb%2Fv2@1", go]);
    }

    #[test]
    fn states_give_the_coverage_of_a_site() {
        let (_folder, store) = open_with_sites(4);
        let flaw = |code, evidence: &str| Flaw { code, evidence: evidence.into(), bytes: 1 };
        let flaws = vec![
            flaw(FlawCode::Truncated, "a"),
            flaw(FlawCode::CorruptEntry, "b"),
            flaw(FlawCode::Encrypted, "c"),
        ];
        put(&store, 1, &sbom(&[]), 100);
        put(&store, 1, &sbom(&[]), 150);
        put(&store, 2, &Sbom { flaws, ..Sbom::default() }, 100);
        let unlisted = [FlawCode::RustUnlisted, FlawCode::CodeUnreadable, FlawCode::SystemUnlisted];
        let flaws = unlisted.iter().zip(["a", "b", "c"]).map(|(code, at)| flaw(*code, at));
        put(&store, 3, &Sbom { flaws: flaws.collect(), ..Sbom::default() }, 150);
        let index = Index::build(&store).unwrap();
        let hidden: Vec<_> =
            index.inventory_states(SiteId(3)).into_iter().map(|it| it.hidden).collect();
        let of_systems = ["alpm", "apk", "deb", "ebuild", "opkg", "rpm"];
        let of_code = ["cargo", "gem", "maven", "npm", "nuget", "pub", "pypi"];
        let mut all = [&of_systems[..], &of_code].concat();
        all.sort_unstable();
        assert_eq!(hidden, [all]);
        let reasons = |site| Coverage::reasons(&index.inventory_states(SiteId(site)), 200, 60);
        assert_eq!(reasons(1), []);
        use UnknownReason::{NeverInventoried, NoAsset, NotObservable};
        use UnknownReason::{PartialCorrupt, PartialEncrypted, Stale};
        assert_eq!(reasons(2), [Stale, PartialEncrypted, PartialCorrupt]);
        assert_eq!(reasons(3), [NotObservable]);
        assert_eq!(reasons(4), [NeverInventoried]);
        assert_eq!(reasons(5), [NoAsset]);
    }

    #[test]
    fn a_host_shared_by_sites_is_one_asset_for_all_of_them() {
        let (_folder, store) = open_with_sites(3);
        behind(&store)
            .execute_batch(
                "INSERT INTO asset (id, kind, key, org) VALUES (9, 'host', 'web-1', 1);
                 INSERT INTO site_asset (site, asset) VALUES (1, 9), (3, 9)",
            )
            .unwrap();
        put(&store, 9, &sbom(&[(LOG4J, "a")]), 1);
        let index = Index::build(&store).unwrap();
        assert_eq!(sites_with(&index, "log4j-core"), [1, 3]);
        assert_eq!(index.assets_of(SiteId(3)).collect::<Vec<_>>(), [AssetId(3), AssetId(9)]);
        let states = index.inventory_states(SiteId(3));
        let confirmed: Vec<_> = states.iter().map(|state| state.confirmed).collect();
        assert_eq!(confirmed, [None, Some(1)]);
        let host = index.asset(AssetId(9)).unwrap();
        assert_eq!(host.snapshot.map(|digest| store.snapshot(digest).unwrap().tool), {
            Some("test 1".to_owned())
        });
    }

    /// Goal: a refreshed index is the index that a new build gives, and the postings are what the
    /// snapshots say. Method: seeded uploads, refreshed in small batches.
    #[test]
    fn a_refreshed_index_equals_a_new_one_and_the_snapshots() {
        for seed in 0..10 {
            let mut rng = Rng::new(seed);
            let (_folder, store) = open_with_sites(8);
            let mut index = Index::build(&store).unwrap();
            let mut present = BTreeMap::new();
            for at in 1..12 {
                let changed: Vec<_> = (0..3).map(|_| AssetId(1 + rng.below(8) as u32)).collect();
                let sboms: Vec<_> =
                    changed.iter().map(|_| any_sbom(&mut Rng::new(rng.next() % 30))).collect();
                let draft = |(&asset, sbom)| SnapshotDraft {
                    asset,
                    sbom,
                    observed_at: at,
                    recorded_at: at,
                    profiles: None,
                };
                let drafts: Vec<_> = changed.iter().zip(&sboms).map(draft).collect();
                store.put_snapshots(&drafts).unwrap();
                present.extend(changed.iter().copied().zip(sboms.iter().cloned()));
                if at % 2 == 0 {
                    index.refresh(&store, &changed).unwrap();
                } else {
                    assert!(index.follow(&store).unwrap(), "seed {seed}");
                    assert!(!index.follow(&store).unwrap(), "seed {seed}");
                }
            }
            assert_eq!(told(&index), told(&Index::build(&store).unwrap()), "seed {seed}");
            for (id, component) in index.identities() {
                let is_it = |c: &Component| c.clone().identity() == *component;
                let has = |sbom: &Sbom| sbom.components.iter().any(is_it);
                let holders = present.iter().filter(|(_, sbom)| has(sbom));
                let expected: RoaringBitmap = holders.map(|(asset, _)| asset.0).collect();
                assert_eq!(index.assets_with(id), Some(&expected), "seed {seed}");
            }
        }
    }

    #[test]
    fn a_refresh_sees_new_sites_too() {
        let (_folder, store) = open_with_sites(1);
        let mut index = Index::build(&store).unwrap();
        import(&store, &rows(2));
        put(&store, 2, &sbom(&[(LOG4J, "a")]), 1);
        index.refresh(&store, &[AssetId(2)]).unwrap();
        assert_eq!(sites_with(&index, "log4j-core"), [2]);
        assert_eq!(told(&index), told(&Index::build(&store).unwrap()));
    }

    #[test]
    fn whatever_somebody_else_changes_is_followed() {
        let (folder, store) = open_with_sites(2);
        let other = Store::open(folder.path()).unwrap();
        let mut index = Index::build(&store).unwrap();
        let mut follow = || {
            let moved = index.follow(&store).unwrap();
            assert_eq!(told(&index), told(&Index::build(&store).unwrap()));
            moved
        };
        assert!(!follow());
        let held = sbom(&[(LOG4J, "a")]);
        put(&other, 2, &held, 1);
        assert!(follow());
        // Only confirmed.
        put(&other, 2, &held, 2);
        assert!(follow());
        // Older than what is known: history alone.
        put(&other, 2, &sbom(&[]), 0);
        assert!(!follow());
        import(&other, &rows(3));
        assert!(follow());
        let report = |at| crate::DeploymentDraft {
            asset: AssetId(2),
            digest: Some(Digest([7; 32])),
            at,
            recorded_at: at,
        };
        other.report_deployed(&[report(3)]).unwrap();
        assert!(follow());
        other.report_deployed(&[report(4)]).unwrap();
        assert!(follow());
        behind(&other).execute("DELETE FROM site_asset WHERE site = 1", []).unwrap();
        assert!(follow());
        assert!(!follow());
    }

    #[test]
    fn an_identity_that_nobody_holds_any_more_is_not_told() {
        let (_folder, store) = open_with_sites(2);
        put(&store, 1, &sbom(&[(LOG4J, "a")]), 1);
        let mut index = Index::build(&store).unwrap();
        let (id, _) = index.identities_named("log4j-core").next().unwrap();
        put(&store, 1, &sbom(&[]), 2);
        index.refresh(&store, &[AssetId(1)]).unwrap();
        assert_eq!(index.identities().count(), 0);
        assert_eq!(index.identities_named("log4j-core").count(), 0);
        assert_eq!(index.assets_with(id), Some(&RoaringBitmap::new()));
        assert_eq!(index.evidence(&store, id, AssetId(1)).unwrap(), [""; 0]);
        // Its number stays its own when it comes back.
        put(&store, 2, &sbom(&[(LOG4J, "b")]), 3);
        index.refresh(&store, &[AssetId(2)]).unwrap();
        assert_eq!(index.identities_named("log4j-core").next().unwrap().0, id);
    }

    #[test]
    fn what_is_not_in_the_register_has_no_answer() {
        let (_folder, store) = open_with_sites(1);
        let index = Index::build(&store).unwrap();
        assert_eq!(index.identity(IdentityId(0)), None);
        assert_eq!(index.assets_with(IdentityId(0)), None);
        assert_eq!(index.asset(AssetId(2)), None);
        assert_eq!(index.inventory_states(SiteId(2)), []);
        let nowhere = RoaringBitmap::from([2, 900_000]);
        assert!(index.sites_of(&nowhere).is_empty());
        assert!(index.sites_of_all([&nowhere]).is_empty());
    }

    /// An inventory that cannot be read must never look like an inventory without findings.
    #[test]
    fn what_cannot_be_read_is_never_inventoried() {
        let (_folder, store) = open_with_sites(2);
        put(&store, 1, &sbom(&[(LOG4J, "a")]), 1);
        put(&store, 2, &sbom(&[("pkg:npm/x@1", "a")]), 1);
        let mut index = Index::build(&store).unwrap();
        behind(&store)
            .execute(
                "UPDATE blob SET bytes = x'00'
                 WHERE digest = (SELECT digest FROM snapshot WHERE asset = 1)",
                [],
            )
            .unwrap();
        assert_eq!(Index::build(&store).unwrap_err().kind(), StoreErrorKind::Corrupt);
        let error = index.refresh(&store, &[AssetId(2), AssetId(1)]).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Corrupt);
        assert_eq!(index.inventory_states(SiteId(1)), [never()]);
        assert_eq!(sites_with(&index, "log4j-core"), []);
        assert_eq!(index.inventory_states(SiteId(2))[0].confirmed, Some(1));
    }

    #[test]
    fn a_portfolio_of_4000_sites_is_indexed() {
        let (_folder, store) = open_with_sites(4_000);
        let sboms: Vec<_> = (0..4_000).map(any_inventory).collect();
        let drafts: Vec<_> = (1..)
            .zip(&sboms)
            .map(|(asset, sbom)| SnapshotDraft {
                asset: AssetId(asset),
                sbom,
                observed_at: 1,
                recorded_at: 1,
                profiles: None,
            })
            .collect();
        store.put_snapshots(&drafts).unwrap();
        let index = Index::build(&store).unwrap();
        let sets = || index.identities().filter_map(|(id, _)| index.assets_with(id));
        let united = sets().fold(RoaringBitmap::new(), |all, set| all | set);
        assert_eq!(index.sites_of_all(sets()), index.sites_of(&united));
        assert_eq!(index.sites_of_all(sets().skip(290)), {
            index.sites_of(&sets().skip(290).fold(RoaringBitmap::new(), |all, set| all | set))
        });
        assert_eq!(sites_with(&index, "log4j-core").len(), 4_000 / 25);
        assert_eq!(sites_with(&index, "lib-7").len(), 400);
        assert_eq!(index.identities().count(), 301);
    }

    /// Ten libraries, of a hundred; every 25th site has the affected one.
    fn any_inventory(number: usize) -> Sbom {
        let libraries: Vec<_> = (0..10)
            .map(|library| {
                let name = (number + library * 10) % 100;
                (format!("pkg:npm/lib-{name}@1.{}", number % 3), format!("app/lib-{name}.js"))
            })
            .collect();
        let mut list: Vec<_> = libraries.iter().map(|(p, e)| (p.as_str(), e.as_str())).collect();
        if number.is_multiple_of(25) {
            list.push((LOG4J, "app/WEB-INF/lib/log4j-core-2.14.1.jar"));
        }
        sbom(&list)
    }
}
