//! What the containers of inventories are made of: distinct values once, places by asset.
//!
//! Only the present inventory of an asset has profiles. One that comes without them takes them
//! away, unless it proves by its artifact that it is of the same bytes.

use std::{cell::RefCell, path::Path, rc::Rc};

use relight_model::{AssetId, ClassNames, Profile, ProfileGap, ValueKind, Values};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use crate::{
    SnapshotOutcome, Store, StoreError, StoreErrorKind, blob,
    holders::{self, Holders, VALUES_AT_A_TIME_MAX},
    store::Failure,
};

const MAGIC: &[u8] = b"relight.values/1\n";
const DOING: &str = "reading what containers are made of";

/// Number of a distinct container in this store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContainerId(pub(crate) i64);

impl Store {
    /// One consistent look at what the containers of the present inventories are made of.
    ///
    /// # Errors
    /// What `work` says, or the database cannot be read.
    pub fn look_at_profiles<T>(
        &self,
        work: impl FnOnce(&ProfileLook<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.read(DOING, |database| {
            let [classes, members] = ValueKind::ALL.map(|_| RefCell::default());
            let look = ProfileLook { database, store: self, holders: [classes, members] };
            work(&look).map_err(Failure::Rule)
        })
    }
}

/// One consistent look at what the containers of the present inventories are made of.
pub struct ProfileLook<'a> {
    pub(crate) database: &'a Connection,
    store: &'a Store,
    /// By kind; made when they are asked for.
    holders: [RefCell<Option<Rc<Holders>>>; 2],
}

impl ProfileLook<'_> {
    /// The assets whose inventory has profiles, sorted.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn assets(&self) -> Result<Vec<AssetId>, StoreError> {
        self.named(|| {
            let mut query =
                self.database.prepare_cached("SELECT asset FROM profiled ORDER BY asset")?;
            let rows = query.query_map([], |row| row.get(0).map(AssetId))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Who holds the values of a kind.
    ///
    /// # Errors
    /// Values do not read back as they were written (`Corrupt`), or the database cannot be read.
    pub fn holders(&self, kind: ValueKind) -> Result<Rc<Holders>, StoreError> {
        let place = &self.holders[kind as usize];
        if let Some(holders) = &*place.borrow() {
            return Ok(Rc::clone(holders));
        }
        let holders = Rc::new(self.made(kind, false)?);
        *place.borrow_mut() = Some(Rc::clone(&holders));
        Ok(holders)
    }

    /// Folds the holders of every value, in the order of the values, which are sorted; `start` gets
    /// who there is. It may begin a second time, where the file of holders is damaged.
    ///
    /// # Errors
    /// As for `holders`.
    pub fn fold<T>(
        &self,
        (kind, values): (ValueKind, &[u64]),
        start: impl Fn(&Holders) -> T,
        each: impl Fn(&mut T, &[u32]),
    ) -> Result<(T, Rc<Holders>), StoreError> {
        for is_last in [false, true] {
            let holders = self.holders(kind)?;
            let mut folded = start(&holders);
            if holders.each(values, |it| each(&mut folded, it)).is_ok() {
                return Ok((folded, holders));
            }
            if !is_last {
                let made = Rc::new(self.made(kind, true)?);
                *self.holders[kind as usize].borrow_mut() = Some(made);
            }
        }
        let path = holders::path(self.folder(), kind);
        let what = format!("{} does not read back as it was just written", path.display());
        let hint = "hint: delete it; the next question makes it again, and nothing is lost";
        Err(StoreError::new(StoreErrorKind::Other, format!("{what}; {hint}")))
    }

    fn folder(&self) -> &Path {
        self.store.path().parent().unwrap_or(Path::new("."))
    }

    /// Where these containers are: each with its assets and evidence paths, sorted.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn places_of(
        &self,
        containers: &[ContainerId],
    ) -> Result<Vec<Vec<(AssetId, String)>>, StoreError> {
        self.named(|| {
            let mut query = self.database.prepare_cached(
                "SELECT asset, place FROM profile WHERE container = ?1 ORDER BY asset, place",
            )?;
            let mut all = Vec::with_capacity(containers.len());
            for container in containers {
                let place = |row: &Row<'_>| Ok((AssetId(row.get(0)?), row.get(1)?));
                all.push(query.query_map([container.0], place)?.collect::<Result<_, _>>()?);
            }
            Ok(all)
        })
    }

    /// Calls `each` with every place of a container.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn each_place(&self, each: &mut dyn FnMut(AssetId, &str)) -> Result<(), StoreError> {
        self.named(|| {
            let mut query = self.database.prepare_cached("SELECT asset, place FROM profile")?;
            let mut rows = query.query([])?;
            while let Some(row) = rows.next()? {
                each(AssetId(row.get(0)?), row.get_ref(1)?.as_str().unwrap_or_default());
            }
            Ok(())
        })
    }

    fn made(&self, kind: ValueKind, is_anew: bool) -> Result<Holders, StoreError> {
        let folder = self.folder();
        let at_a_time = VALUES_AT_A_TIME_MAX;
        let place = holders::Place { database: self.database, folder, kind, at_a_time };
        self.named(|| place.holders(is_anew))
    }

    pub(crate) fn named<T>(
        &self,
        work: impl FnOnce() -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        work().map_err(|failure| failure.named(DOING, self.store.path()))
    }
}

/// What one container is made of.
pub(crate) fn values_of(database: &Connection, id: ContainerId) -> Result<Values, Failure> {
    let mut query = database.prepare_cached("SELECT digest, bytes FROM container WHERE id = ?1")?;
    Ok(query.query_row([id.0], |row| values(row, 0))?)
}

/// Takes in the profiles that came with an inventory, in its transaction.
pub(crate) fn put(
    transaction: &Transaction<'_>,
    asset: AssetId,
    profiles: Option<&[Profile]>,
    outcome: SnapshotOutcome,
    is_proven: bool,
) -> Result<(), Failure> {
    match (outcome, profiles) {
        (SnapshotOutcome::History, _) => Ok(()),
        (SnapshotOutcome::Confirmed, None) if is_proven => Ok(()),
        (_, profiles) => {
            forget(transaction, asset)?;
            profiles.map_or(Ok(()), |profiles| insert(transaction, asset, profiles))
        }
    }
}

fn insert(
    transaction: &Transaction<'_>,
    asset: AssetId,
    profiles: &[Profile],
) -> Result<(), Failure> {
    let row = "INSERT INTO profiled (asset, has_names) VALUES (?1, 1)";
    transaction.prepare_cached(row)?.execute([asset.0])?;
    for Profile { place, values, names } in profiles {
        let container = kept_once(transaction, "container", &write(values))?;
        let names = names.as_ref().map(ClassNames::bytes);
        let kept = |bytes: &Vec<u8>| kept_once(transaction, "class_names", bytes);
        let names = names.as_ref().map(kept).transpose()?;
        let row = "INSERT INTO profile (asset, place, container, names) VALUES (?1, ?2, ?3, ?4)";
        transaction.prepare_cached(row)?.execute(params![asset.0, place, container, names])?;
    }
    Ok(())
}

/// The number of these bytes in a table that has each once.
fn kept_once(
    transaction: &Transaction<'_>,
    table: &str,
    bytes: &[u8],
) -> Result<i64, rusqlite::Error> {
    let digest = blob::digest_of(bytes);
    let known: Option<i64> = transaction
        .prepare_cached(&format!("SELECT id FROM {table} WHERE digest = ?1"))?
        .query_row([digest.0], |row| row.get(0))
        .optional()?;
    if let Some(known) = known {
        return Ok(known);
    }
    transaction
        .prepare_cached(&format!("INSERT INTO {table} (digest, bytes) VALUES (?1, ?2)"))?
        .execute(params![digest.0, bytes])?;
    Ok(transaction.last_insert_rowid())
}

/// Removes the profiles of an asset, and containers and lists of names that nobody else has.
fn forget(transaction: &Transaction<'_>, asset: AssetId) -> Result<(), Failure> {
    let only_here = |column: &str| -> Result<Vec<i64>, rusqlite::Error> {
        let mut query = transaction.prepare_cached(&format!(
            "SELECT DISTINCT {column} FROM profile WHERE asset = ?1 AND {column} IS NOT NULL
             AND NOT EXISTS (SELECT 1 FROM profile AS other
                             WHERE other.{column} = profile.{column} AND other.asset <> ?1)",
        ))?;
        query.query_map([asset.0], |row| row.get(0))?.collect()
    };
    let (containers, names) = (only_here("container")?, only_here("names")?);
    for table in ["DELETE FROM profile WHERE asset = ?1", "DELETE FROM profiled WHERE asset = ?1"] {
        transaction.prepare_cached(table)?.execute([asset.0])?;
    }
    for (table, ids) in [("container", containers), ("class_names", names)] {
        let delete = format!("DELETE FROM {table} WHERE id = ?1");
        for id in ids {
            transaction.prepare_cached(&delete)?.execute([id])?;
        }
    }
    Ok(())
}

/// Gap, number of classes, classes, members; numbers in little-endian order.
fn write(values: &Values) -> Vec<u8> {
    let Values { classes, members, gap } = values;
    let mut bytes = Vec::with_capacity(MAGIC.len() + 9 + 8 * (classes.len() + members.len()));
    bytes.extend_from_slice(MAGIC);
    bytes.push(gap.code());
    bytes.extend_from_slice(&(classes.len() as u64).to_le_bytes());
    for value in classes.iter().chain(members) {
        bytes.extend_from_slice(&value.to_le_bytes());
    }
    bytes
}

fn read(bytes: &[u8]) -> Option<Values> {
    let (gap, rest) = bytes.strip_prefix(MAGIC)?.split_first()?;
    let (numbers, []) = rest.as_chunks::<8>() else { return None };
    let (count, numbers) = numbers.split_first()?;
    let count = usize::try_from(u64::from_le_bytes(*count)).ok()?;
    let (classes, members) = numbers.split_at_checked(count)?;
    let number = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes);
    let values = Values {
        classes: classes.iter().map(number).collect(),
        members: members.iter().map(number).collect(),
        gap: ProfileGap::of_code(*gap)?,
    };
    let is_sorted = |values: &[u64]| values.is_sorted_by(|a, b| a < b);
    (is_sorted(&values.classes) && is_sorted(&values.members)).then_some(values)
}

fn values(row: &Row<'_>, column: usize) -> Result<Values, rusqlite::Error> {
    let (digest, bytes) = blob::checked(row, column)?;
    read(&bytes).ok_or_else(|| {
        blob::not_what_was_written(column + 1, format!("blob {digest} holds no values"))
    })
}

#[cfg(test)]
mod tests {
    use relight_model::{Digest, Sbom};
    use testkit::Rng;

    use super::*;
    use crate::testing::{behind, open_with_sites, sbom};
    use crate::{SnapshotDraft, StoreErrorKind};

    fn profile(place: &str, members: &[u64]) -> Profile {
        let values = Values { members: members.to_vec(), ..Values::default() };
        Profile { place: place.into(), values, names: None }
    }

    fn put(store: &Store, asset: u32, sbom: &Sbom, at: i64, profiles: Option<&[Profile]>) {
        let asset = AssetId(asset);
        let draft = SnapshotDraft { asset, sbom, observed_at: at, recorded_at: at, profiles };
        store.put_snapshots(&[draft]).unwrap();
    }

    /// `values: asset place, ...` of every container.
    fn told(store: &Store) -> String {
        let told = |look: &ProfileLook<'_>| {
            let holders = look.holders(ValueKind::Members)?;
            let ids: Vec<ContainerId> = holders.containers().iter().map(|it| it.id).collect();
            let line = |(id, places): (&ContainerId, &Vec<(AssetId, String)>)| {
                let values = values_of(look.database, *id).unwrap();
                let places: Vec<_> = places.iter().map(|(a, at)| format!("{} {at}", a.0)).collect();
                format!("{:?}: {}", values.members, places.join(", "))
            };
            let places = look.places_of(&ids)?;
            Ok(ids.iter().zip(&places).map(line).collect::<Vec<_>>().join("; "))
        };
        store.look_at_profiles(told).unwrap()
    }

    fn profiled(store: &Store) -> Vec<AssetId> {
        store.look_at_profiles(|look| look.assets()).unwrap()
    }

    #[test]
    fn equal_containers_are_kept_once_and_go_with_the_last_who_has_them() {
        let (_folder, store) = open_with_sites(3);
        let (a, b) = (profile("lib/a.jar", &[1, 2]), profile("b.jar", &[3]));
        put(&store, 1, &sbom(&[]), 10, Some(&[a.clone(), b.clone()]));
        put(&store, 2, &sbom(&[]), 10, Some(std::slice::from_ref(&a)));
        put(&store, 3, &sbom(&[]), 10, Some(&[]));
        assert_eq!(told(&store), "[1, 2]: 1 lib/a.jar, 2 lib/a.jar; [3]: 1 b.jar");
        assert_eq!(profiled(&store), [1, 2, 3].map(AssetId));
        put(&store, 1, &sbom(&[("pkg:npm/a@1", "x")]), 20, Some(std::slice::from_ref(&b)));
        assert_eq!(told(&store), "[1, 2]: 2 lib/a.jar; [3]: 1 b.jar");
        put(&store, 2, &sbom(&[]), 20, Some(&[]));
        assert_eq!(told(&store), "[3]: 1 b.jar");
    }

    /// An inventory without profiles says nothing about what containers are made of.
    #[test]
    fn profiles_are_those_of_the_present_inventory() {
        let (_folder, store) = open_with_sites(1);
        let unproven = sbom(&[]);
        let proven = Sbom { artifact: Some(Digest([7; 32])), ..unproven.clone() };
        let (a, b) = ([profile("a.jar", &[1])], [profile("b.jar", &[2])]);
        for (inventory, at, profiles, expected) in [
            (&proven, 10, Some(&a), "[1]: 1 a.jar"),
            (&proven, 20, None, "[1]: 1 a.jar"),
            (&unproven, 5, Some(&b), "[1]: 1 a.jar"),
            (&unproven, 15, None, "[1]: 1 a.jar"),
            (&unproven, 30, Some(&b), "[2]: 1 b.jar"),
            (&unproven, 40, Some(&a), "[1]: 1 a.jar"),
            (&unproven, 50, None, ""),
            (&proven, 60, Some(&a), "[1]: 1 a.jar"),
            (&unproven, 70, None, ""),
        ] {
            put(&store, 1, inventory, at, profiles.map(|it| it.as_slice()));
            assert_eq!(told(&store), expected, "{at}");
            assert_eq!(profiled(&store).is_empty(), expected.is_empty(), "{at}");
        }
    }

    #[test]
    fn any_values_come_back_and_damaged_ones_do_not() {
        for seed in 0..200 {
            let mut rng = Rng::new(seed);
            let mut values = Values { gap: *rng.pick(&ProfileGap::ALL), ..Values::default() };
            values.classes.extend((0..rng.below(9)).map(|_| rng.next() >> rng.below(64)));
            values.members.extend((0..rng.below(9)).map(|_| rng.next() >> rng.below(64)));
            values.normalise();
            let bytes = write(&values);
            assert_eq!(read(&bytes), Some(values), "seed {seed}");
            assert_eq!(read(&bytes[..bytes.len() - 1]), None, "seed {seed}");
        }
        let two = Values { classes: vec![1, 2], ..Values::default() };
        for (at, bit) in [(MAGIC.len(), 2), (MAGIC.len() + 1, 2), (MAGIC.len() + 9, 1), (0, 1)] {
            let mut bytes = write(&two);
            bytes[at] ^= 1 << bit;
            assert_eq!(read(&bytes), None, "{at}");
        }
        let (_folder, store) = open_with_sites(1);
        put(&store, 1, &sbom(&[]), 1, Some(&[profile("a", &[1])]));
        behind(&store).execute("UPDATE container SET bytes = bytes || x'00'", []).unwrap();
        let holders = |look: &ProfileLook<'_>| look.holders(ValueKind::Members).map(drop);
        let error = store.look_at_profiles(holders).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Corrupt);
    }
}
