//! Looks: on which days the same inventory was seen again, or the same report repeated.
//!
//! One look a day is kept, because freshness is counted in days: a look an hour would be most of a
//! register, and the question "was it still known that day?" needs no more.

use relight_model::{AssetId, Timestamp};
use rusqlite::{Connection, params};

use crate::{Store, StoreError};

const DAY_SECONDS: i64 = 86_400;

/// What a run is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// Equal inventories.
    Snapshot,
    /// Equal reports.
    Deployment,
}

impl Kind {
    /// Adds a look unless its day has one; `?1` run, `?2` time, `?3` and `?4` ends of its day.
    const fn add(self) -> &'static str {
        match self {
            Self::Snapshot => {
                "INSERT INTO snapshot_look (run, at) SELECT seq, ?2 FROM snapshot
                 WHERE seq = ?1 AND observed_at < ?3 AND NOT EXISTS (
                     SELECT 1 FROM snapshot_look WHERE run = ?1 AND at BETWEEN ?3 AND ?4)"
            }
            Self::Deployment => {
                "INSERT INTO deployment_look (run, at) SELECT seq, ?2 FROM deployment
                 WHERE seq = ?1 AND deployment.at < ?3 AND NOT EXISTS (
                     SELECT 1 FROM deployment_look AS look
                     WHERE look.run = ?1 AND look.at BETWEEN ?3 AND ?4)"
            }
        }
    }
}

/// Keeps a look at a run, unless one of the same day is known.
pub(crate) fn add(
    database: &Connection,
    kind: Kind,
    run: i64,
    at: Timestamp,
) -> Result<(), rusqlite::Error> {
    let midnight = at.saturating_sub(at.rem_euclid(DAY_SECONDS));
    let last = midnight.saturating_add(DAY_SECONDS - 1);
    database.prepare_cached(kind.add())?.execute(params![run, at, midnight, last])?;
    Ok(())
}

/// The last kept look at a run of inventories before a moment, and the first one after it.
pub(crate) fn around(
    database: &Connection,
    run: i64,
    at: Timestamp,
) -> Result<(Option<Timestamp>, Option<Timestamp>), rusqlite::Error> {
    database
        .prepare_cached(
            "SELECT (SELECT max(at) FROM snapshot_look WHERE run = ?1 AND at <= ?2),
                    (SELECT min(at) FROM snapshot_look WHERE run = ?1 AND at > ?2)",
        )?
        .query_row(params![run, at], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Gives the looks at a run of inventories from a moment on to another run.
pub(crate) fn hand_over(
    database: &Connection,
    from: i64,
    to: i64,
    since: Timestamp,
) -> Result<(), rusqlite::Error> {
    database
        .prepare_cached("UPDATE snapshot_look SET run = ?2 WHERE run = ?1 AND at >= ?3")?
        .execute(params![from, to, since])?;
    Ok(())
}

impl Store {
    /// The looks that are kept of an asset's inventories besides the first and the last one of
    /// each run: at most one for each UTC day, by time. Runs do not overlap, so neither do their
    /// looks.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn looks_of(&self, asset: AssetId) -> Result<Vec<Timestamp>, StoreError> {
        self.read("reading when an asset was looked at", |database| {
            let mut query = database.prepare_cached(
                "SELECT snapshot_look.at FROM snapshot JOIN snapshot_look ON run = seq
                 WHERE asset = ?1 ORDER BY snapshot_look.at",
            )?;
            let rows = query.query_map([asset.0], |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

#[cfg(test)]
mod tests {
    use relight_model::{Coverage, Digest, Sbom, SiteId, UnknownReason};
    use testkit::Rng;

    use super::*;
    use crate::testing::{open_with_sites, put, sbom};
    use crate::{DeploymentDraft, Index};

    const ASSET: AssetId = AssetId(1);
    const WEEK: i64 = 7 * DAY_SECONDS;

    /// Why a site was unknown at a moment, with inventories that hold for a week.
    fn reasons(store: &Store, at: Timestamp) -> Vec<UnknownReason> {
        let index = Index::build(store).unwrap().as_of(store, at).unwrap();
        Coverage::reasons(&index.inventory_states(SiteId(1)), at, WEEK)
    }

    #[test]
    fn what_is_looked_at_daily_was_known_on_each_of_these_days() {
        let (_folder, store) = open_with_sites(1);
        for day in 0..40 {
            put(&store, 1, &sbom(&[]), day * DAY_SECONDS + 7_200);
        }
        assert_eq!(store.snapshots_of(ASSET).unwrap().len(), 1);
        assert_eq!(store.looks_of(ASSET).unwrap().len(), 39);
        for day in 1..40 {
            assert_eq!(reasons(&store, day * DAY_SECONDS), [], "day {day}");
        }
        let last = 39 * DAY_SECONDS + 7_200;
        assert_eq!(reasons(&store, last + WEEK), []);
        assert_eq!(reasons(&store, last + WEEK + 1), [UnknownReason::Stale]);
    }

    #[test]
    fn a_hole_between_two_looks_stays_a_hole() {
        let (_folder, store) = open_with_sites(1);
        for day in [0, 3, 20, 21] {
            put(&store, 1, &sbom(&[]), day * DAY_SECONDS);
        }
        let stale = |day: i64| !reasons(&store, day * DAY_SECONDS).is_empty();
        let days: Vec<i64> = (0..29).filter(|&day| stale(day)).collect();
        assert_eq!(days, (11..20).collect::<Vec<_>>());
    }

    #[test]
    fn many_looks_a_day_are_kept_once() {
        let (_folder, store) = open_with_sites(1);
        let hour = 3_600;
        for at in 0..72 {
            put(&store, 1, &sbom(&[]), at * hour);
        }
        assert_eq!(store.looks_of(ASSET).unwrap(), [24 * hour, 48 * hour]);
        // One that comes late, of a day that is known, and of one before anything was seen.
        put(&store, 1, &sbom(&[]), 30 * hour);
        put(&store, 1, &sbom(&[]), -50 * hour);
        assert_eq!(store.looks_of(ASSET).unwrap(), [24 * hour, 48 * hour]);
        assert_eq!(store.snapshots_of(ASSET).unwrap().len(), 2);
    }

    #[test]
    fn a_report_that_is_repeated_daily_keeps_an_inventory_fresh_in_the_past_too() {
        let (_folder, store) = open_with_sites(1);
        let artifact = Some(Digest([1; 32]));
        put(&store, 1, &Sbom { artifact, ..sbom(&[]) }, 0);
        for day in 0..30 {
            let at = day * DAY_SECONDS + 60;
            let draft = DeploymentDraft { asset: ASSET, digest: artifact, at, recorded_at: at };
            store.report_deployed(&[draft]).unwrap();
        }
        for day in 1..30 {
            assert_eq!(reasons(&store, day * DAY_SECONDS), [], "day {day}");
        }
        assert_eq!(store.deployments_of(ASSET).unwrap().len(), 1);
    }

    /// Goal: the order in which looks arrive changes nothing about the past. Method: one look a
    /// day, some days without, in seeded orders; at the end of each day the asset has the
    /// inventory of the last look until then, and as its confirmation the time of that look.
    #[test]
    fn any_order_of_looks_gives_the_same_past() {
        let sboms = [sbom(&[("pkg:npm/a@1", "x")]), sbom(&[])];
        for seed in 0..40 {
            let mut rng = Rng::new(seed);
            let (_folder, store) = open_with_sites(1);
            let days: Vec<i64> = (0..14).filter(|_| rng.chance(80)).collect();
            let mut look = |day| (day * DAY_SECONDS + rng.below(80_000) as i64, rng.below(2));
            let mut looks: Vec<(i64, usize)> = days.into_iter().map(&mut look).collect();
            let truth = looks.clone();
            for place in (1..looks.len()).rev() {
                looks.swap(place, rng.below(place + 1));
            }
            for (at, which) in looks {
                put(&store, 1, &sboms[which], at);
            }
            let present = Index::build(&store).unwrap();
            for day in 1..=14 {
                let at = day * DAY_SECONDS - 1;
                let past = present.clone().as_of(&store, at).unwrap();
                let state = past.asset(ASSET).unwrap();
                let last = truth.iter().rev().find(|look| look.0 <= at);
                assert_eq!(state.confirmed, last.map(|it| it.0), "seed {seed} day {day}");
                let held = state.snapshot.map(|digest| store.snapshot(digest).unwrap());
                let expected = last.map(|it| sboms[it.1].clone());
                assert_eq!(held, expected, "seed {seed} day {day}");
            }
        }
    }
}
