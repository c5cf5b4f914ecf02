//! The schema and its versions: an older database is brought up to date, a newer one is refused.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use crate::{StoreError, StoreErrorKind, wipe};

/// Step `n` brings a database of version `n` to `n + 1`; steps are only ever appended.
const MIGRATIONS: &[&str] = &[
    include_str!("schema.sql"),
    include_str!("schema_notice.sql"),
    include_str!("schema_advisory.sql"),
    include_str!("schema_left.sql"),
    include_str!("schema_mark.sql"),
    include_str!("schema_profile.sql"),
    include_str!("schema_position.sql"),
    include_str!("schema_account.sql"),
    include_str!("schema_place.sql"),
    include_str!("schema_watch.sql"),
    include_str!("schema_identity.sql"),
    include_str!("schema_attestation.sql"),
    include_str!("schema_exposure.sql"),
    include_str!("schema_campaign.sql"),
    include_str!("schema_look.sql"),
    include_str!("schema_alias.sql"),
    include_str!("schema_debian.sql"),
    include_str!("schema_part.sql"),
    include_str!("schema_check.sql"),
    include_str!("schema_channel.sql"),
    include_str!("schema_names.sql"),
    include_str!("schema_named.sql"),
    include_str!("schema_agent.sql"),
    include_str!("schema_agent_site.sql"),
    include_str!("schema_agent_lookup.sql"),
    include_str!("schema_agent_version.sql"),
    include_str!("schema_authenticator.sql"),
];

/// The version that this program reads and writes.
const VERSION: usize = MIGRATIONS.len();

/// Brings the database to [`VERSION`], in one transaction.
///
/// # Errors
/// As [`check`].
pub(crate) fn migrate(database: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let failed = |error| StoreError::sql("bringing the schema up to date", path, error);
    let transaction =
        database.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    let steps = check(&transaction, path)?;
    if steps.is_empty() {
        return Ok(());
    }
    for step in steps {
        transaction.execute_batch(step).map_err(failed)?;
    }
    if steps.len() == VERSION {
        wipe::note_overwritten(&transaction).map_err(failed)?;
    }
    transaction.execute("DELETE FROM schema_version", []).map_err(failed)?;
    transaction
        .execute("INSERT INTO schema_version VALUES (?1)", [VERSION as i64])
        .map_err(failed)?;
    transaction.commit().map_err(failed)
}

/// The steps that the database lacks; changes nothing.
///
/// # Errors
/// The database is damaged or not ours (`Corrupt`), or newer than this program (`NewerSchema`).
pub(crate) fn check(
    database: &Connection,
    path: &Path,
) -> Result<&'static [&'static str], StoreError> {
    let place = path.display();
    let found = version_of(database)
        .map_err(|error| StoreError::sql("reading the schema", path, error))?
        .ok_or_else(|| {
            let context = format!("{place} is a database, but not relight's; hint: move it away");
            StoreError::new(StoreErrorKind::Corrupt, context)
        })?;
    MIGRATIONS.get(found..).ok_or_else(|| {
        let context = format!(
            "{place} has schema {found}, this program knows {VERSION}; hint: use the newer \
             relight that wrote it"
        );
        StoreError::new(StoreErrorKind::NewerSchema, context)
    })
}

/// The version of the database: 0 when it is empty, `None` when it is somebody else's.
fn version_of(database: &Connection) -> Result<Option<usize>, rusqlite::Error> {
    let tables: i64 = database.query_row("SELECT count(*) FROM sqlite_master", [], |r| r.get(0))?;
    if tables == 0 {
        return Ok(Some(0));
    }
    let ours: i64 = database.query_row(
        "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'schema_version'",
        [],
        |row| row.get(0),
    )?;
    if ours == 0 {
        return Ok(None);
    }
    let version: i64 =
        database.query_row("SELECT max(version) FROM schema_version", [], |row| row.get(0))?;
    Ok(usize::try_from(version).ok().filter(|&version| version > 0))
}

/// Takes steps 21 to 27 back.
#[cfg(test)]
pub(crate) const BEFORE_NAMES: &str = "DROP TABLE authenticator;
    DROP TABLE agent_site; DROP TABLE agent_certificate; DROP TABLE agent;
    DROP TABLE agent_code; DROP INDEX profile_by_names;
    ALTER TABLE profile DROP COLUMN names; DROP TABLE class_names;
    ALTER TABLE profiled DROP COLUMN has_names;
    UPDATE schema_version SET version = 20";

#[cfg(test)]
mod tests {
    use std::{env, fs};

    use relight_model::Digest;

    use super::*;
    use crate::{
        RawAdvisory, Store,
        testing::{behind, open},
    };

    /// The golden file is what is on the disk of every installation: a change of it needs a new
    /// step in [`MIGRATIONS`], never a change of an old one.
    #[test]
    fn the_schema_is_the_golden_one() {
        let (_folder, store) = open();
        let database = behind(&store);
        let mut query = database
            .prepare("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type, name")
            .unwrap();
        let rows = query.query_map([], |row| row.get::<_, String>(0)).unwrap();
        let schema: String = rows.map(|sql| sql.unwrap() + ";\n").collect();
        let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/schema.sql");
        if env::var_os("UPDATE_EXPECT").is_some() {
            fs::write(golden, &schema).unwrap();
        }
        assert_eq!(schema, fs::read_to_string(golden).unwrap(), "UPDATE_EXPECT=1 rewrites it");
    }

    #[test]
    fn a_newer_schema_is_refused_and_left_alone() {
        let (folder, store) = open();
        let change = "UPDATE schema_version SET version = version + 1";
        behind(&store).execute(change, []).unwrap();
        drop(store);
        for _ in 0..2 {
            let error = Store::open(folder.path()).unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::NewerSchema);
            assert!(error.to_string().contains(&format!("schema {}", VERSION + 1)), "{error}");
        }
    }

    #[test]
    fn what_debian_says_in_two_places_becomes_two_sources() {
        let (folder, store) = open();
        let record =
            |id| RawAdvisory { id, revision: Digest([1; 32]), bytes: b"{}", recorded_at: 1 };
        let records = ["DSA-1-1", "DEBIAN-CVE-1", "debian/p/CVE-1"].map(record);
        store.put_advisories("debian", &records).unwrap();
        store.put_advisories("ghsa", &records[..1]).unwrap();
        let marks = "INSERT INTO advisory_mark VALUES ('debian', 'DSA-1-1', 'vanished', 1),
                     ('debian', 'debian/p/CVE-1', 'vanished', 1)";
        behind(&store).execute(marks, []).unwrap();
        // As it was before that step: what later ones add is not there yet.
        let before = "DROP TABLE site_check; ALTER TABLE site DROP COLUMN parts;
                      ALTER TABLE site DROP COLUMN channel_fr;
                      ALTER TABLE site DROP COLUMN channel_en;
                      UPDATE schema_version SET version = 16";
        behind(&store).execute_batch(BEFORE_NAMES).unwrap();
        behind(&store).execute_batch(before).unwrap();
        drop(store);
        let store = Store::open(folder.path()).unwrap();
        let all = store.advisories().unwrap();
        let all: Vec<_> = all.iter().map(|it| format!("{} {}", it.source, it.id)).collect();
        let wanted = [
            "debian debian/p/CVE-1",
            "ghsa DSA-1-1",
            "osv-debian DEBIAN-CVE-1",
            "osv-debian DSA-1-1",
        ];
        assert_eq!(all, wanted);
        let marks = store.advisory_marks().unwrap();
        let marks: Vec<_> = marks.iter().map(|it| (it.source.as_str(), it.id.as_str())).collect();
        assert_eq!(marks, [("debian", "debian/p/CVE-1"), ("osv-debian", "DSA-1-1")]);
    }

    #[test]
    fn a_schema_without_version_is_not_ours() {
        let (folder, store) = open();
        behind(&store).execute("UPDATE schema_version SET version = -1", []).unwrap();
        drop(store);
        let error = Store::open(folder.path()).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Corrupt);
    }
}
