//! The index as of a moment in the past: per asset, the last inventory that was true by then.
//!
//! Where sites run is what it is today: earlier places are not kept.

use std::collections::{BTreeMap, HashMap};

use relight_model::{AssetId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row};

use super::load::{KnownTexts, Snapshots, Waiting, digest_in};
use super::{AssetState, Index, Mark};
use crate::{Deployed, SnapshotRow, Store, StoreError, deployed_otherwise};

/// Of each asset the last inventory of that moment, or none.
const SNAPSHOTS: &str = "SELECT asset.id, past.digest, past.artifact, past.observed_at,
    past.recorded_at, past.last_confirmed,
    (SELECT max(at) FROM snapshot_look WHERE run = past.seq AND at <= ?1)
    FROM asset LEFT JOIN snapshot AS past ON past.seq = (
        SELECT seq FROM snapshot WHERE snapshot.asset = asset.id AND observed_at <= ?1
        ORDER BY observed_at DESC, seq DESC LIMIT 1)
    ORDER BY asset.id";

const DEPLOYMENTS: &str = "SELECT asset, digest, at, last_confirmed,
    (SELECT max(look.at) FROM deployment_look AS look WHERE run = seq AND look.at <= ?1)
    FROM deployment WHERE at <= ?1 ORDER BY asset, seq";

impl Index {
    /// This index as it would have answered at a moment, by what is known today: a report that
    /// came late counts from when it was true. Costs one look at each asset, and reading the
    /// inventories that are not those of this index; others get at the store between two of them.
    ///
    /// # Errors
    /// As [`Index::build`].
    pub fn as_of(self, store: &Store, at: Timestamp) -> Result<Self, StoreError> {
        self.back_to(store, at, &mut || {})
    }

    /// The same; `between` is called before each inventory is read.
    fn back_to(
        mut self,
        store: &Store,
        at: Timestamp,
        between: &mut dyn FnMut(),
    ) -> Result<Self, StoreError> {
        let doing = "reading the inventories of a day";
        let states = store.read(doing, |database| Ok(states_at(database, at)?))?;
        let mut known = KnownTexts::default();
        for (digest, waiting) in self.turn_to(states).0 {
            between();
            store.read(doing, |database| {
                Ok(self.read_snapshot(database, &mut known, digest, waiting)?)
            })?;
        }
        Ok(self)
    }

    /// Takes in what needs no reading; gives what does.
    fn turn_to(&mut self, states: BTreeMap<AssetId, AssetState>) -> Snapshots {
        let present = |asset: &AssetId| self.assets.get(asset).and_then(|it| it.snapshot);
        let (moved, same): (BTreeMap<_, _>, BTreeMap<_, _>) =
            states.into_iter().partition(|(asset, state)| present(asset) != state.snapshot);
        for (asset, state) in same {
            let before = self.assets.remove(&asset).unwrap_or_default();
            let AssetState { flaws, hidden, images, tool, stack, .. } = before;
            let state = AssetState { flaws, hidden, images, tool, stack, ..state };
            self.assets.insert(asset, state);
        }
        self.forget(&moved.keys().copied().collect::<Vec<_>>());
        let mut snapshots = Snapshots::default();
        for (asset, state) in moved {
            let it = Waiting { asset, mark: Mark::default(), state };
            match it.state.snapshot {
                Some(digest) => snapshots.add(digest, it),
                None => self.put(it),
            }
        }
        snapshots
    }

    /// When the oldest inventory of the register was true; `None` without any.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn oldest(store: &Store) -> Result<Option<Timestamp>, StoreError> {
        store.read("looking for the oldest inventory", |database| {
            let mut query = database.prepare_cached("SELECT min(observed_at) FROM snapshot")?;
            Ok(query.query_row([], |row| row.get(0)).optional()?.flatten())
        })
    }
}

/// What is known about each asset at a moment, without the flaws of its inventory.
fn states_at(
    database: &Connection,
    at: Timestamp,
) -> Result<BTreeMap<AssetId, AssetState>, rusqlite::Error> {
    let deployed = deployed_by(database, at)?;
    let mut query = database.prepare_cached(SNAPSHOTS)?;
    let rows = query.query_map([at], |row| {
        let asset = AssetId(row.get(0)?);
        let deployed = deployed.get(&asset).map(Vec::as_slice).unwrap_or_default();
        Ok((asset, state_at(seen_in(row, at)?, deployed, at)))
    })?;
    rows.collect()
}

/// An inventory, and when it was last confirmed by a moment.
struct Seen {
    run: SnapshotRow,
    confirmed: Timestamp,
}

/// A report, and when it was last repeated by a moment.
struct Reported {
    run: Deployed,
    confirmed: Timestamp,
}

fn seen_in(row: &Row<'_>, at: Timestamp) -> Result<Option<Seen>, rusqlite::Error> {
    let Some(digest) = digest_in(row, 1)? else { return Ok(None) };
    let run = SnapshotRow {
        digest,
        artifact: digest_in(row, 2)?,
        observed_at: row.get(3)?,
        recorded_at: row.get(4)?,
        last_confirmed: row.get(5)?,
    };
    let look: Option<Timestamp> = row.get(6)?;
    Ok(Some(Seen { confirmed: run.confirmed_by(at, look.as_slice()), run }))
}

/// What each asset was reported to run until then, in the order of reports.
fn deployed_by(
    database: &Connection,
    at: Timestamp,
) -> Result<HashMap<AssetId, Vec<Reported>>, rusqlite::Error> {
    let mut all: HashMap<AssetId, Vec<Reported>> = HashMap::new();
    let mut query = database.prepare_cached(DEPLOYMENTS)?;
    let mut rows = query.query([at])?;
    while let Some(row) = rows.next()? {
        let run =
            Deployed { digest: digest_in(row, 1)?, at: row.get(2)?, last_confirmed: row.get(3)? };
        let look: Option<Timestamp> = row.get(4)?;
        let confirmed = run.confirmed_by(at, look);
        all.entry(AssetId(row.get(0)?)).or_default().push(Reported { run, confirmed });
    }
    Ok(all)
}

/// The rules of the present, at a moment. Of the looks of one day only the first one is known: it
/// is as old as that, and a report of anything else since then counts.
fn state_at(seen: Option<Seen>, deployed: &[Reported], at: Timestamp) -> AssetState {
    let newest = deployed.iter().max_by_key(|it| it.confirmed);
    let mut state =
        AssetState { deployed: newest.and_then(|it| it.run.digest), ..AssetState::default() };
    let Some(Seen { run: seen, confirmed }) = seen else { return state };
    state.snapshot = Some(seen.digest);
    state.artifact = seen.artifact;
    state.confirmed = Some(confirmed);
    let Some(newest) = newest else { return state };
    match (newest.run.digest, seen.artifact) {
        (Some(runs), Some(read)) if runs == read => {
            state.confirmed = Some(confirmed.max(newest.confirmed));
        }
        (Some(_), Some(_)) => state.changed_since = true,
        _ => state.changed_since = newest.run.at >= confirmed,
    }
    let is_inside = at < seen.last_confirmed || at < newest.run.last_confirmed;
    let runs = deployed.iter().map(|it| &it.run);
    state.changed_since |= is_inside && deployed_otherwise(runs, seen.artifact, (confirmed, at));
    state
}

#[cfg(test)]
mod tests {
    use relight_model::{Coverage, Digest, Sbom, SiteId, UnknownReason};
    use testkit::Rng;

    use super::super::tests::told;
    use super::*;
    use crate::DeploymentDraft;
    use crate::testing::{any_sbom, open_with_sites, put, sbom};

    const LOG4J: &str = "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1";
    const FIXED: &str = "pkg:maven/org.apache.logging.log4j/log4j-core@2.17.1";

    fn report(store: &Store, asset: u32, digest: Option<Digest>, at: Timestamp) {
        let draft = DeploymentDraft { asset: AssetId(asset), digest, at, recorded_at: at };
        store.report_deployed(&[draft]).unwrap();
    }

    fn versions(index: &Index) -> Vec<(String, Vec<u32>)> {
        let found = index.identities_named("log4j-core");
        let holders = |id| index.assets_with(id).unwrap().iter().collect();
        found.map(|(id, it)| (it.purl.version.clone(), holders(id))).collect()
    }

    #[test]
    fn each_day_has_the_inventory_that_was_true_by_then() {
        let (_folder, store) = open_with_sites(2);
        put(&store, 1, &sbom(&[(LOG4J, "a")]), 100);
        put(&store, 1, &sbom(&[(FIXED, "a")]), 200);
        put(&store, 2, &sbom(&[(LOG4J, "b")]), 150);
        let at = |at| Index::build(&store).unwrap().as_of(&store, at).unwrap();
        let version = |text: &str, assets: &[u32]| (text.to_owned(), assets.to_vec());
        assert_eq!(versions(&at(99)), []);
        assert_eq!(versions(&at(100)), [version("2.14.1", &[1])]);
        assert_eq!(versions(&at(199)), [version("2.14.1", &[1, 2])]);
        let mut last = versions(&at(200));
        last.sort();
        assert_eq!(last, [version("2.14.1", &[2]), version("2.17.1", &[1])]);
        let reasons =
            |index: &Index, at| Coverage::reasons(&index.inventory_states(SiteId(2)), at, 60);
        assert_eq!(reasons(&at(149), 149), [UnknownReason::NeverInventoried]);
        assert_eq!(reasons(&at(150), 150), []);
        // Fresh or not is judged at that moment, not today.
        assert_eq!(reasons(&at(500), 500), [UnknownReason::Stale]);
        let evidence = at(120).evidence(&store, at(120).identities().next().unwrap().0, AssetId(1));
        assert_eq!(evidence.unwrap(), ["a"]);
        assert_eq!(Index::oldest(&store).unwrap(), Some(100));
    }

    /// What closes sites writes to the same store: it may wait for one inventory, not for all.
    #[test]
    fn others_get_at_the_store_between_two_inventories() {
        let (_folder, store) = open_with_sites(3);
        for asset in 1..=3 {
            put(&store, asset, &sbom(&[(LOG4J, &format!("at/{asset}"))]), 100);
            put(&store, asset, &sbom(&[(FIXED, "a")]), 200);
        }
        let mut turns = 0;
        let mut between = || {
            assert!(store.is_free());
            turns += 1;
            report(&store, turns, None, 300);
        };
        let present = Index::build(&store).unwrap();
        let past = present.back_to(&store, 150, &mut between).unwrap();
        assert_eq!(turns, 3);
        assert_eq!(versions(&past), [("2.14.1".to_owned(), vec![1, 2, 3])]);
    }

    #[test]
    fn a_register_without_inventories_has_no_oldest_one() {
        let (_folder, store) = open_with_sites(1);
        assert_eq!(Index::oldest(&store).unwrap(), None);
        assert_eq!(versions(&Index::build(&store).unwrap().as_of(&store, 9).unwrap()), []);
    }

    /// What was put into service between two equal looks is not clear in between.
    #[test]
    fn what_ran_in_between_is_not_forgotten() {
        let (_folder, store) = open_with_sites(1);
        let seen = Digest([1; 32]);
        let read = Sbom { artifact: Some(seen), ..Sbom::default() };
        put(&store, 1, &read, 100);
        put(&store, 1, &read, 400);
        report(&store, 1, Some(seen), 90);
        report(&store, 1, Some(Digest([2; 32])), 200);
        report(&store, 1, Some(seen), 300);
        let changed = |at| {
            let index = Index::build(&store).unwrap().as_of(&store, at).unwrap();
            index.asset(AssetId(1)).unwrap().changed_since
        };
        let seen: Vec<_> = [150, 199, 200, 250, 350, 400].map(changed).into();
        assert_eq!(seen, [false, false, true, true, true, false]);
    }

    /// Between two equal looks, or two equal reports, nobody had looked: a later one says nothing
    /// about how fresh the first was.
    #[test]
    fn a_later_look_does_not_make_an_earlier_one_fresh() {
        let artifact = Digest([1; 32]);
        let read = Sbom { artifact: Some(artifact), ..Sbom::default() };
        let confirmed = |store: &Store, at| {
            let index = Index::build(store).unwrap().as_of(store, at).unwrap();
            let reasons = Coverage::reasons(&index.inventory_states(SiteId(1)), at, 60);
            (index.asset(AssetId(1)).unwrap().confirmed, reasons)
        };
        let stale = || vec![UnknownReason::Stale];
        let (_folder, store) = open_with_sites(1);
        put(&store, 1, &read, 100);
        put(&store, 1, &read, 400);
        assert_eq!(confirmed(&store, 160), (Some(100), vec![]));
        assert_eq!(confirmed(&store, 161), (Some(100), stale()));
        assert_eq!(confirmed(&store, 399), (Some(100), stale()));
        assert_eq!(confirmed(&store, 400), (Some(400), vec![]));
        let (_folder, store) = open_with_sites(1);
        put(&store, 1, &read, 100);
        report(&store, 1, Some(artifact), 150);
        report(&store, 1, Some(artifact), 400);
        assert_eq!(confirmed(&store, 210), (Some(150), vec![]));
        assert_eq!(confirmed(&store, 399), (Some(150), stale()));
        assert_eq!(confirmed(&store, 400), (Some(400), vec![]));
    }

    /// Goal: the past is never surer than the present was. Method: seeded uploads and reports, of
    /// which a second store gets those up to a moment: it holds the same inventories, and trusts
    /// them at least as much, because it knows its last look while it is inside a run.
    #[test]
    fn the_past_is_the_present_of_a_register_that_ends_there() {
        for seed in 0..20 {
            let mut rng = Rng::new(seed);
            let (_whole, whole) = open_with_sites(4);
            let (_early, early) = open_with_sites(4);
            let until = 5 + rng.below(10) as i64;
            for at in 0..20_i64 {
                let asset = 1 + rng.below(4) as u32;
                let digest = rng.chance(70).then(|| Digest([rng.below(3) as u8; 32]));
                let scanned = rng.chance(60);
                let artifact = rng.chance(70).then(|| Digest([rng.below(3) as u8; 32]));
                let seen = any_sbom(&mut Rng::new(rng.next() % 6));
                let seen = Sbom { artifact, ..seen };
                for store in [Some(&whole), (at <= until).then_some(&early)].into_iter().flatten() {
                    if scanned {
                        put(store, asset, &seen, at);
                    } else {
                        report(store, asset, digest, at);
                    }
                }
            }
            let present = Index::build(&whole).unwrap();
            let same = present.clone().as_of(&whole, 20).unwrap();
            assert_eq!(told(&same), told(&present), "seed {seed}");
            let past = present.as_of(&whole, until).unwrap();
            let then = Index::build(&early).unwrap();
            for asset in (1..=4).map(AssetId) {
                let (past, then) = (past.asset(asset).unwrap(), then.asset(asset).unwrap());
                assert_eq!(past.snapshot, then.snapshot, "seed {seed} {asset:?}");
                assert_eq!(past.flaws, then.flaws, "seed {seed} {asset:?}");
                assert_eq!(past.hidden, then.hidden, "seed {seed} {asset:?}");
                assert!(past.confirmed <= then.confirmed, "seed {seed} {asset:?}");
                assert_eq!(past.confirmed.is_some(), then.confirmed.is_some(), "seed {seed}");
                assert!(
                    past.changed_since || !then.changed_since,
                    "seed {seed} {asset:?}: {past:?} {then:?}"
                );
            }
            let holders = |index: &Index| -> Vec<String> {
                let lines = told(index);
                let held = lines.lines().filter(|line| line.starts_with("Component"));
                held.map(str::to_owned).collect()
            };
            assert_eq!(holders(&past), holders(&then), "seed {seed}");
        }
    }
}
