//! What the classes of the containers of present inventories are called: equal lists once.

use relight_model::{AssetId, ClassNames, Digest};
use rusqlite::Row;

use crate::profiles::ProfileLook;
use crate::{StoreError, blob};

/// Number of a distinct list of names of classes in this store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NamesId(i64);

impl ProfileLook<'_> {
    /// The distinct lists of names of classes, by their digest: equal lists have equal digests.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn names(&self) -> Result<Vec<(NamesId, Digest)>, StoreError> {
        self.named(|| {
            let mut query = self.database.prepare_cached("SELECT id, digest FROM class_names")?;
            let rows =
                query.query_map([], |row| Ok((NamesId(row.get(0)?), Digest(row.get(1)?))))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// One list of names of classes.
    ///
    /// # Errors
    /// It does not read back as it was written (`Corrupt`), or the database cannot be read.
    pub fn class_names(&self, id: NamesId) -> Result<ClassNames, StoreError> {
        self.named(|| {
            let mut query = self
                .database
                .prepare_cached("SELECT digest, bytes FROM class_names WHERE id = ?1")?;
            Ok(query.query_row([id.0], |row| names(row, 0))?)
        })
    }

    /// The assets whose inventory has profiles and was made before names of classes were kept,
    /// sorted: of those without a container, too, nobody knows the names.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn assets_of_before(&self) -> Result<Vec<AssetId>, StoreError> {
        self.named(|| {
            let mut query = self
                .database
                .prepare_cached("SELECT asset FROM profiled WHERE has_names = 0 ORDER BY asset")?;
            let rows = query.query_map([], |row| row.get(0).map(AssetId))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Where the containers with this list of names are, sorted; with `None`, those of which nobody
    /// kept the names.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn places_with(&self, id: Option<NamesId>) -> Result<Vec<(AssetId, String)>, StoreError> {
        self.named(|| {
            let mut query = self.database.prepare_cached(
                "SELECT asset, place FROM profile WHERE names IS ?1 ORDER BY asset, place",
            )?;
            let place = |row: &Row<'_>| Ok((AssetId(row.get(0)?), row.get(1)?));
            Ok(query.query_map([id.map(|it| it.0)], place)?.collect::<Result<_, _>>()?)
        })
    }
}

fn names(row: &Row<'_>, column: usize) -> Result<ClassNames, rusqlite::Error> {
    let (digest, bytes) = blob::checked(row, column)?;
    ClassNames::of_bytes(&bytes).ok_or_else(|| {
        blob::not_what_was_written(column + 1, format!("blob {digest} holds no names"))
    })
}

#[cfg(test)]
mod tests {
    use relight_model::{Profile, Sbom, Values};

    use super::*;
    use crate::schema::BEFORE_NAMES;
    use crate::testing::{behind, open_with_sites, sbom};
    use crate::{SnapshotDraft, Store, StoreErrorKind};

    fn profile(place: &str, names: Option<ClassNames>) -> Profile {
        let values = Values { members: vec![1], ..Values::default() };
        Profile { place: place.into(), values, names }
    }

    fn called(place: &str, list: &[&str]) -> Profile {
        let names = ClassNames::of(list.iter().map(|name| (*name).to_owned()), true);
        profile(place, Some(names))
    }

    fn put(store: &Store, asset: u32, sbom: &Sbom, at: i64, profiles: Option<&[Profile]>) {
        let asset = AssetId(asset);
        let draft = SnapshotDraft { asset, sbom, observed_at: at, recorded_at: at, profiles };
        store.put_snapshots(&[draft]).unwrap();
    }

    #[test]
    fn an_inventory_of_before_has_no_names() {
        let (folder, store) = open_with_sites(3);
        put(&store, 1, &sbom(&[]), 10, Some(&[called("a.jar", &["x/A"])]));
        // Containers that held nothing to compare were not kept.
        put(&store, 2, &sbom(&[]), 10, Some(&[]));
        put(&store, 3, &sbom(&[]), 10, None);
        behind(&store).execute_batch(BEFORE_NAMES).unwrap();
        drop(store);
        let store = Store::open(folder.path()).unwrap();
        let look = |look: &ProfileLook<'_>| Ok((look.names()?.len(), look.places_with(None)?));
        let wanted = (0, vec![(AssetId(1), "a.jar".to_owned())]);
        assert_eq!(store.look_at_profiles(look).unwrap(), wanted);
        let before = || store.look_at_profiles(|look| look.assets_of_before()).unwrap();
        assert_eq!(before(), [1, 2].map(AssetId));
        put(&store, 2, &sbom(&[]), 20, Some(&[]));
        assert_eq!(before(), [AssetId(1)]);
    }

    #[test]
    fn equal_names_are_kept_once_and_go_with_the_last_who_has_them() {
        let (_folder, store) = open_with_sites(3);
        let told = || {
            let told = |look: &ProfileLook<'_>| {
                let mut lines = Vec::new();
                for (id, _) in look.names()? {
                    let (names, places) = (look.class_names(id)?, look.places_with(Some(id))?);
                    let places: Vec<_> =
                        places.iter().map(|(asset, at)| format!("{} {at}", asset.0)).collect();
                    lines.push(format!("{}: {}", names.list().join(" "), places.join(", ")));
                }
                lines.sort();
                lines.push(format!("{:?}", look.places_with(None)?));
                let mut all = Vec::new();
                look.each_place(&mut |asset, place| all.push(format!("{} {place}", asset.0)))?;
                all.sort();
                lines.push(all.join(", "));
                Ok(lines.join("; "))
            };
            store.look_at_profiles(told).unwrap()
        };
        let (a, b) = (called("a.jar", &["x/A", "x/B"]), called("b.jar", &["C"]));
        put(&store, 1, &sbom(&[]), 10, Some(&[a.clone(), b.clone()]));
        put(&store, 2, &sbom(&[]), 10, Some(std::slice::from_ref(&a)));
        put(&store, 3, &sbom(&[]), 10, Some(&[profile("old.jar", None)]));
        let both = "C: 1 b.jar; x/A x/B: 1 a.jar, 2 a.jar; [(AssetId(3), \"old.jar\")]; ";
        assert_eq!(told(), format!("{both}1 a.jar, 1 b.jar, 2 a.jar, 3 old.jar"));
        put(&store, 1, &sbom(&[("pkg:npm/a@1", "x")]), 20, Some(&[]));
        put(&store, 3, &sbom(&[("pkg:npm/a@1", "x")]), 20, None);
        assert_eq!(told(), "x/A x/B: 2 a.jar; []; 2 a.jar");
        behind(&store).execute("UPDATE class_names SET bytes = bytes || x'00'", []).unwrap();
        let read = |look: &ProfileLook<'_>| look.class_names(look.names()?[0].0).map(drop);
        let error = store.look_at_profiles(read).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Corrupt);
    }
}
