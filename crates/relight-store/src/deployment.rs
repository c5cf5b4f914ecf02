//! Deployments: which artifact an asset was last reported to run.

use relight_model::{AssetId, Digest, Timestamp};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use crate::{
    Store, StoreError,
    inventory::{clamp, known_asset},
    inventory_left::mark_left,
    look::{self, Kind},
    store::Failure,
};

/// A report of what an asset runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeploymentDraft {
    /// The asset.
    pub asset: AssetId,
    /// Digest of the artifact set in service; `None` when something newer is there and nobody can
    /// say what (an upload that could not be read).
    pub digest: Option<Digest>,
    /// When it was true.
    pub at: Timestamp,
    /// When we learnt it.
    pub recorded_at: Timestamp,
}

impl Store {
    /// Notes what assets run, all or none; they are left for whoever controls the register, as
    /// those of [`Store::leave_snapshots`]. In the index, a report of the artifact that the present
    /// inventory describes confirms that inventory; any other makes the asset changed since. A
    /// report that is older than the newest one is kept and changes nothing. What it voids is no
    /// reason to be lit, so that on a full disk the reserve is given up for it.
    ///
    /// # Errors
    /// An asset is not in the register (`NotFound`), or the database cannot be written.
    pub fn report_deployed(&self, drafts: &[DeploymentDraft]) -> Result<(), StoreError> {
        self.write_news_on_reserve("noting deployments", |transaction| {
            drafts.iter().try_for_each(|draft| {
                let DeploymentDraft { asset, digest, at, recorded_at } = draft;
                let digest = digest.map(|digest| digest.to_string()).unwrap_or_default();
                put(transaction, draft)?;
                mark_left(transaction, *asset, &format!("deployed {digest} {at} {recorded_at}"))
            })
        })
    }

    /// Everything that an asset was reported to run, in the order of reports.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn deployments_of(&self, asset: AssetId) -> Result<Vec<Deployed>, StoreError> {
        self.read("reading deployments", |database| {
            let mut query = database.prepare_cached(
                "SELECT digest, at, last_confirmed FROM deployment WHERE asset = ?1 ORDER BY seq",
            )?;
            let rows = query.query_map([asset.0], |row| {
                let digest = row.get::<_, Option<[u8; 32]>>(0)?.map(Digest);
                Ok(Deployed { digest, at: row.get(1)?, last_confirmed: row.get(2)? })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

/// A stretch of time in which an asset was reported to run something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deployed {
    /// See [`DeploymentDraft::digest`].
    pub digest: Option<Digest>,
    /// When it was first true.
    pub at: Timestamp,
    /// When it was true last.
    pub last_confirmed: Timestamp,
}

impl Deployed {
    /// When it was last true at a moment, given the last look that is kept before it.
    pub(crate) fn confirmed_by(&self, at: Timestamp, look: Option<Timestamp>) -> Timestamp {
        if at < self.last_confirmed { look.unwrap_or(self.at) } else { self.last_confirmed }
    }
}

/// Whether, between two moments, both included, something else than an artifact was reported to
/// run. The first moment is that of the last look at it that is known: what lies between two looks
/// nobody knows, so everything since then counts.
pub fn deployed_otherwise<'a>(
    deployed: impl IntoIterator<Item = &'a Deployed>,
    artifact: Option<Digest>,
    (from, until): (Timestamp, Timestamp),
) -> bool {
    deployed.into_iter().any(|it| {
        let is_other = it.digest.is_none() || artifact.is_none() || it.digest != artifact;
        it.last_confirmed >= from && it.at <= until && is_other
    })
}

fn put(transaction: &Transaction<'_>, draft: &DeploymentDraft) -> Result<(), Failure> {
    let DeploymentDraft { asset, digest, at, recorded_at } = *draft;
    known_asset(transaction, asset)?;
    let (at, _) = clamp(at, recorded_at);
    let newest = newest(transaction, asset)?;
    let is_newest = newest.is_none_or(|newest| at >= newest.last_confirmed);
    let same = newest.filter(|newest| is_newest && digest.is_some() && newest.digest == digest);
    let seq = match same {
        Some(Newest { seq, .. }) => {
            transaction
                .prepare_cached("UPDATE deployment SET last_confirmed = ?2 WHERE seq = ?1")?
                .execute([seq, at])?;
            look::add(transaction, Kind::Deployment, seq, at)?;
            seq
        }
        None => {
            transaction
                .prepare_cached(
                    "INSERT INTO deployment (asset, digest, at, recorded_at, last_confirmed)
                     VALUES (?1, ?2, ?3, ?4, ?3)",
                )?
                .execute(params![asset.0, digest.map(|digest| digest.0), at, recorded_at])?;
            transaction.last_insert_rowid()
        }
    };
    if is_newest {
        transaction
            .prepare_cached("UPDATE asset SET deployment = ?2 WHERE id = ?1")?
            .execute(params![asset.0, seq])?;
    }
    Ok(())
}

#[derive(Clone, Copy)]
struct Newest {
    seq: i64,
    digest: Option<Digest>,
    last_confirmed: Timestamp,
}

fn newest(database: &Connection, asset: AssetId) -> Result<Option<Newest>, rusqlite::Error> {
    database
        .prepare_cached(
            "SELECT seq, digest, last_confirmed
             FROM asset JOIN deployment ON deployment.seq = asset.deployment WHERE asset.id = ?1",
        )?
        .query_row([asset.0], |row| {
            let digest = row.get::<_, Option<[u8; 32]>>(1)?.map(Digest);
            Ok(Newest { seq: row.get(0)?, digest, last_confirmed: row.get(2)? })
        })
        .optional()
}

#[cfg(test)]
mod tests {
    use relight_model::Sbom;

    use super::*;
    use crate::{
        Index, StoreErrorKind,
        testing::{open_with_sites, put as put_snapshot, sbom},
    };

    #[test]
    fn what_was_deployed_meanwhile_is_found() {
        let (_folder, store) = open_with_sites(1);
        let asset = AssetId(1);
        let report = |digest, at| {
            let draft = DeploymentDraft { asset, digest, at, recorded_at: at };
            store.report_deployed(&[draft]).unwrap();
        };
        report(Some(A), 100);
        report(Some(B), 200);
        report(None, 300);
        for (artifact, confirmed, until, otherwise) in [
            (Some(A), 50, 150, false),
            (Some(A), 50, 199, false),
            (Some(A), 50, 200, true),
            (Some(B), 150, 250, false),
            (Some(B), 150, 300, true),
            (None, 50, 100, true),
            (None, 50, 99, false),
            (Some(A), 301, 999, false),
        ] {
            let deployed = store.deployments_of(asset).unwrap();
            let found = deployed_otherwise(&deployed, artifact, (confirmed, until));
            assert_eq!(found, otherwise, "{artifact:?} {confirmed}..{until}");
        }
    }

    /// A report that is repeated, and reports that come in any order.
    #[test]
    fn what_was_deployed_meanwhile_is_found_in_any_order() {
        for (reports, between, otherwise) in [
            (vec![(B, 10), (B, 30)], (20, 40), true),
            (vec![(B, 10), (B, 30), (A, 35)], (20, 40), true),
            (vec![(B, 10), (A, 20)], (20, 40), false),
            (vec![(A, 60), (B, 40)], (5, 50), true),
            (vec![(A, 40), (B, 60)], (5, 50), false),
        ] {
            let (_folder, store) = open_with_sites(1);
            let asset = AssetId(1);
            for (digest, at) in &reports {
                let draft =
                    DeploymentDraft { asset, digest: Some(*digest), at: *at, recorded_at: *at };
                store.report_deployed(&[draft]).unwrap();
            }
            let found = deployed_otherwise(&store.deployments_of(asset).unwrap(), Some(A), between);
            assert_eq!(found, otherwise, "{reports:?} {between:?}");
        }
    }

    const A: Digest = Digest([0xaa; 32]);
    const B: Digest = Digest([0xbb; 32]);

    /// What a test does to the one asset.
    enum Step {
        /// Its inventory, of this artifact, at this time.
        Scan(Option<Digest>, Timestamp),
        /// It is reported to run this artifact since then.
        Deploy(Option<Digest>, Timestamp),
    }
    use Step::{Deploy, Scan};

    /// Whether it changed since, and when its inventory was last confirmed.
    fn after(steps: &[Step]) -> (bool, Option<Timestamp>) {
        let (_folder, store) = open_with_sites(1);
        for step in steps {
            match *step {
                Scan(artifact, at) => {
                    put_snapshot(&store, 1, &Sbom { artifact, ..sbom(&[]) }, at);
                }
                Deploy(digest, at) => {
                    let asset = AssetId(1);
                    let draft = DeploymentDraft { asset, digest, at, recorded_at: at };
                    store.report_deployed(&[draft]).unwrap();
                }
            }
        }
        let index = Index::build(&store).unwrap();
        let state = index.asset(AssetId(1)).unwrap();
        (state.changed_since, state.confirmed)
    }

    #[test]
    fn a_deployment_of_something_else_makes_the_asset_changed_since() {
        for (steps, expected) in [
            (vec![], (false, None)),
            (vec![Deploy(Some(A), 5)], (false, None)),
            (vec![Scan(Some(A), 10)], (false, Some(10))),
            (vec![Scan(Some(A), 10), Deploy(Some(B), 20)], (true, Some(10))),
            // Two digests that differ need no clock.
            (vec![Deploy(Some(B), 5), Scan(Some(A), 10)], (true, Some(10))),
            // The same digest confirms, and a rollback brings the older inventory back.
            (vec![Scan(Some(A), 10), Deploy(Some(A), 30)], (false, Some(30))),
            (vec![Scan(Some(A), 10), Deploy(Some(B), 20), Deploy(Some(A), 30)], (false, Some(30))),
            (vec![Scan(Some(A), 10), Deploy(Some(B), 20), Scan(Some(B), 30)], (false, Some(30))),
        ] {
            assert_eq!(after(&steps), expected);
        }
    }

    #[test]
    fn without_two_digests_time_decides_and_a_tie_is_changed() {
        for (steps, expected) in [
            (vec![Deploy(Some(A), 5), Scan(None, 10)], (false, Some(10))),
            (vec![Scan(None, 10), Deploy(Some(A), 10)], (true, Some(10))),
            (vec![Scan(Some(A), 10), Deploy(None, 20)], (true, Some(10))),
            (vec![Scan(Some(A), 10), Deploy(None, 20), Deploy(None, 30)], (true, Some(10))),
            (
                vec![Scan(Some(A), 10), Deploy(None, 20), Scan(Some(A), 25), Deploy(None, 30)],
                (true, Some(25)),
            ),
            (vec![Scan(Some(A), 10), Deploy(None, 20), Scan(Some(A), 25)], (false, Some(25))),
            // Running the same thing still is no news.
            (vec![Deploy(Some(A), 5), Scan(None, 10), Deploy(Some(A), 20)], (false, Some(10))),
        ] {
            assert_eq!(after(&steps), expected);
        }
    }

    #[test]
    fn a_late_report_changes_nothing() {
        for (steps, expected) in [
            (vec![Scan(Some(A), 10), Deploy(Some(A), 30), Deploy(Some(B), 20)], (false, Some(30))),
            (vec![Scan(Some(A), 10), Deploy(Some(B), 30), Deploy(Some(A), 20)], (true, Some(10))),
            (
                vec![
                    Scan(Some(A), 10),
                    Deploy(Some(A), 12),
                    Deploy(Some(A), 30),
                    Deploy(Some(B), 20),
                ],
                (false, Some(30)),
            ),
        ] {
            assert_eq!(after(&steps), expected);
        }
    }

    /// A scan takes time: a report that comes in meanwhile must not turn its result into history,
    /// because a newer scanner may see more in the very same artifact.
    #[test]
    fn a_confirmation_does_not_outrun_a_scan_of_the_same_artifact() {
        let (_folder, store) = open_with_sites(1);
        let asset = AssetId(1);
        let seen = |components| Sbom { artifact: Some(A), ..sbom(components) };
        put_snapshot(&store, 1, &seen(&[]), 10);
        let draft = DeploymentDraft { asset, digest: Some(A), at: 30, recorded_at: 30 };
        store.report_deployed(&[draft]).unwrap();
        put_snapshot(&store, 1, &seen(&[("pkg:npm/a@1", "x")]), 20);
        let index = Index::build(&store).unwrap();
        assert_eq!(index.identities_named("a").count(), 1);
        assert_eq!(index.asset(asset).unwrap().confirmed, Some(30));
    }

    #[test]
    fn a_report_from_the_future_confirms_only_until_now() {
        let (_folder, store) = open_with_sites(1);
        put_snapshot(&store, 1, &Sbom { artifact: Some(A), ..sbom(&[]) }, 10);
        let asset = AssetId(1);
        let draft = DeploymentDraft { asset, digest: Some(A), at: 90_000, recorded_at: 50 };
        store.report_deployed(&[draft]).unwrap();
        assert_eq!(Index::build(&store).unwrap().asset(asset).unwrap().confirmed, Some(50));
        let error = store.report_deployed(&[DeploymentDraft { asset: AssetId(9), ..draft }]);
        assert_eq!(error.unwrap_err().kind(), StoreErrorKind::NotFound);
    }
}
