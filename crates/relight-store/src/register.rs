//! The register: organisations, sites, assets, edges, and every change of them.

use relight_model::{
    AssetId, Channel, Criticality, GateKey, OrgId, Organisation, Site, SiteExposure, SiteId,
    SitePart, Timestamp,
};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::{Store, StoreError, blob::not_what_was_written, fields::write_line};

/// The thing that has an inventory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asset {
    /// Its number.
    pub id: AssetId,
    /// What it is (`application`).
    pub kind: String,
    /// Its unique name; an imported site's own asset has the slug of the site.
    pub key: String,
    /// The body that answers for it.
    pub org: OrgId,
}

/// An edge, as it was configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeRow {
    /// Its unique name, the one that sites carry.
    pub name: String,
    /// Name of the driver (`nginx_file`).
    pub kind: String,
    /// Everything else about it, in a form that only the engine reads.
    pub target: String,
}

/// One change of one register row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisterChange {
    /// Its number; changes are numbered without gaps from 1.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// Which row (`site san-005`).
    pub what: String,
    /// The row before, fields separated by tabs; empty when it is new.
    pub before: String,
    /// The row after, in the same form.
    pub after: String,
}

impl Store {
    /// Every organisation, by number.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn organisations(&self) -> Result<Vec<Organisation>, StoreError> {
        self.read("reading the organisations", |database| {
            let mut query =
                database.prepare_cached("SELECT id, name, sector FROM organisation ORDER BY id")?;
            let rows = query.query_map([], |row| {
                let (id, name, sector) = (OrgId(row.get(0)?), row.get(1)?, row.get(2)?);
                Ok(Organisation { id, name, sector })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Every site, by number.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn sites(&self) -> Result<Vec<Site>, StoreError> {
        self.read("reading the sites", |database| {
            let mut query = database.prepare_cached(&format!("{SITE_QUERY} ORDER BY id"))?;
            let rows = query.query_map([], site_of)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The site with this short name.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn site_by_slug(&self, slug: &str) -> Result<Option<Site>, StoreError> {
        self.read("reading a site", |database| {
            let mut query = database.prepare_cached(&format!("{SITE_QUERY} WHERE slug = ?1"))?;
            Ok(query.query_row([slug], site_of).optional()?)
        })
    }

    /// Every asset, by number.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn assets(&self) -> Result<Vec<Asset>, StoreError> {
        self.read("reading the assets", |database| {
            let mut query =
                database.prepare_cached("SELECT id, kind, key, org FROM asset ORDER BY id")?;
            let rows = query.query_map([], |row| {
                let (id, kind, key) = (AssetId(row.get(0)?), row.get(1)?, row.get(2)?);
                Ok(Asset { id, kind, key, org: OrgId(row.get(3)?) })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The asset with this unique name.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn asset_by_key(&self, key: &str) -> Result<Option<AssetId>, StoreError> {
        self.read("reading an asset", |database| {
            let mut query = database.prepare_cached("SELECT id FROM asset WHERE key = ?1")?;
            Ok(query.query_row([key], |row| row.get(0)).optional()?.map(AssetId))
        })
    }

    /// Which site runs on which asset, sorted.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn placements(&self) -> Result<Vec<(SiteId, AssetId)>, StoreError> {
        self.read("reading the placements", |database| Ok(placements_in(database)?))
    }

    /// Adds an edge, or replaces the one of the same name; the same again changes nothing.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn put_edge(&self, edge: &EdgeRow, now: Timestamp, actor: &str) -> Result<(), StoreError> {
        let EdgeRow { name, kind, target } = edge;
        self.write("writing an edge", |transaction| {
            let before = transaction
                .query_row("SELECT name, kind, target FROM edge WHERE name = ?1", [name], edge_of)
                .optional()?;
            if before.as_ref() == Some(edge) {
                return Ok(());
            }
            transaction.execute(
                "INSERT INTO edge (name, kind, target) VALUES (?1, ?2, ?3)
                 ON CONFLICT (name) DO UPDATE SET kind = excluded.kind, target = excluded.target",
                params![name, kind, target],
            )?;
            let before = before.map_or_else(String::new, |edge| edge_text(&edge));
            let change = Change { at: now, actor, what: &format!("edge {name}") };
            Ok(note_change(transaction, change, &before, &edge_text(edge))?)
        })
    }

    /// Takes an edge out of the register, unless sites stand on it: how many do.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn remove_edge(
        &self,
        name: &str,
        now: Timestamp,
        actor: &str,
    ) -> Result<usize, StoreError> {
        self.write("removing an edge", |transaction| {
            let sites: i64 = transaction.query_row(
                "SELECT count(*) FROM site WHERE edge = ?1",
                [name],
                |row| row.get(0),
            )?;
            let query = "SELECT name, kind, target FROM edge WHERE name = ?1";
            let before = transaction.query_row(query, [name], edge_of).optional()?;
            if let Some(before) = before.filter(|_| sites == 0) {
                transaction.execute("DELETE FROM edge WHERE name = ?1", [name])?;
                let change = Change { at: now, actor, what: &format!("edge {name}") };
                note_change(transaction, change, &edge_text(&before), "")?;
            }
            Ok(usize::try_from(sites).unwrap_or(usize::MAX))
        })
    }

    /// Every edge, by name.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn edges(&self) -> Result<Vec<EdgeRow>, StoreError> {
        self.read("reading the edges", |database| {
            let mut query =
                database.prepare_cached("SELECT name, kind, target FROM edge ORDER BY name")?;
            let rows = query.query_map([], edge_of)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The changes of the register from number `from` on, oldest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn register_changes(&self, from: u64) -> Result<Vec<RegisterChange>, StoreError> {
        self.read("reading the register's changes", |database| {
            let mut query = database.prepare_cached(
                "SELECT seq, at, actor, what, before, after FROM register_change
                 WHERE seq >= ?1 ORDER BY seq",
            )?;
            let rows = query.query_map([from.cast_signed()], |row| {
                Ok(RegisterChange {
                    seq: row.get::<_, i64>(0)?.cast_unsigned(),
                    at: row.get(1)?,
                    actor: row.get(2)?,
                    what: row.get(3)?,
                    before: row.get(4)?,
                    after: row.get(5)?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

/// Which site runs on which asset, sorted.
pub(crate) fn placements_in(
    database: &Connection,
) -> Result<Vec<(SiteId, AssetId)>, rusqlite::Error> {
    let mut query =
        database.prepare_cached("SELECT site, asset FROM site_asset ORDER BY site, asset")?;
    let rows = query.query_map([], |row| Ok((SiteId(row.get(0)?), AssetId(row.get(1)?))))?;
    rows.collect()
}

/// Who changes which row, and when.
pub(crate) struct Change<'a> {
    pub(crate) at: Timestamp,
    pub(crate) actor: &'a str,
    pub(crate) what: &'a str,
}

/// Keeps the row before and after a change.
pub(crate) fn note_change(
    database: &Connection,
    change: Change<'_>,
    before: &str,
    after: &str,
) -> Result<(), rusqlite::Error> {
    let Change { at, actor, what } = change;
    database
        .prepare_cached(
            "INSERT INTO register_change (at, actor, what, before, after)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![at, actor, what, before, after])?;
    Ok(())
}

/// Number of the newest change of the register; 0 when there is none.
pub(crate) fn newest_change(database: &Connection) -> Result<u64, rusqlite::Error> {
    let query = "SELECT coalesce(max(seq), 0) FROM register_change";
    database.query_row(query, [], |row| Ok(row.get::<_, i64>(0)?.cast_unsigned()))
}

const SITE_QUERY: &str =
    "SELECT id, slug, name_fr, name_en, origin, org, criticality, edge, public, exposure,
     aliases, parts, channel_fr, channel_en FROM site";

fn site_of(row: &Row<'_>) -> Result<Site, rusqlite::Error> {
    Ok(Site {
        id: SiteId(row.get(0)?),
        slug: slug_of(row, 1)?,
        name_fr: row.get(2)?,
        name_en: row.get(3)?,
        origin: row.get(4)?,
        org: OrgId(row.get(5)?),
        criticality: criticality_of(row, 6)?,
        edge: row.get(7)?,
        public: row.get(8)?,
        exposure: exposure_of(row, 9)?,
        aliases: aliases_of(row, 10)?,
        parts: parts_of(row, 11)?,
        channel: channel_of(row, 12)?,
    })
}

/// Reads a gate key; one that breaks its own rules is damage.
pub(crate) fn slug_of(row: &Row<'_>, column: usize) -> Result<GateKey, rusqlite::Error> {
    let text: String = row.get(column)?;
    GateKey::new(&text).map_err(|why| not_what_was_written(column, why))
}

/// Reads a criticality; one out of its range is damage.
pub(crate) fn criticality_of(row: &Row<'_>, column: usize) -> Result<Criticality, rusqlite::Error> {
    Criticality::from_number(row.get(column)?)
        .ok_or_else(|| not_what_was_written(column, "a criticality is 1 to 4"))
}

/// Reads an exposure; a name that nobody writes is damage.
pub(crate) fn exposure_of(row: &Row<'_>, column: usize) -> Result<SiteExposure, rusqlite::Error> {
    let name: String = row.get(column)?;
    SiteExposure::parse(&name)
        .ok_or_else(|| not_what_was_written(column, "internet, controlled, internal or unknown"))
}

/// Reads the other names of a site.
pub(crate) fn aliases_of(row: &Row<'_>, column: usize) -> Result<Vec<String>, rusqlite::Error> {
    let text: String = row.get(column)?;
    Ok(text.split_ascii_whitespace().map(str::to_owned).collect())
}

/// Reads how else a service is reached: in French, and in English in the next column.
pub(crate) fn channel_of(row: &Row<'_>, column: usize) -> Result<Channel, rusqlite::Error> {
    Ok(Channel { fr: row.get(column)?, en: row.get(column + 1)? })
}

/// Reads the parts of a site; one that breaks its own rules is damage.
pub(crate) fn parts_of(row: &Row<'_>, column: usize) -> Result<Vec<SitePart>, rusqlite::Error> {
    let text: String = row.get(column)?;
    let parts = text.split_ascii_whitespace().map(SitePart::parse);
    parts.collect::<Result<_, _>>().map_err(|why| not_what_was_written(column, why))
}

fn edge_of(row: &Row<'_>) -> Result<EdgeRow, rusqlite::Error> {
    Ok(EdgeRow { name: row.get(0)?, kind: row.get(1)?, target: row.get(2)? })
}

fn edge_text(edge: &EdgeRow) -> String {
    let EdgeRow { name, kind, target } = edge;
    let mut text = String::new();
    write_line(&mut text, [name.as_str(), kind, target]);
    text.truncate(text.len() - 1);
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::open;

    #[test]
    fn an_edge_is_added_replaced_and_noted_once() {
        let (_folder, store) = open();
        let edge = |name: &str, target: &str| EdgeRow {
            name: name.into(),
            kind: "nginx_file".into(),
            target: target.into(),
        };
        store.put_edge(&edge("b", "gate=/b\nverify=/v"), 1, "anna").unwrap();
        store.put_edge(&edge("a", "gate=/a"), 2, "anna").unwrap();
        store.put_edge(&edge("a", "gate=/c"), 3, "zoe").unwrap();
        store.put_edge(&edge("a", "gate=/c"), 4, "zoe").unwrap();
        assert_eq!(store.edges().unwrap(), [edge("a", "gate=/c"), edge("b", "gate=/b\nverify=/v")]);
        let changes = store.register_changes(2).unwrap();
        let kept: Vec<_> = changes.iter().map(|c| (c.at, c.before.as_str())).collect();
        assert_eq!(kept, [(2, ""), (3, "a\tnginx_file\tgate=/a")]);
        assert_eq!(changes[1].after, "a\tnginx_file\tgate=/c");
    }

    #[test]
    fn an_edge_is_removed_and_noted_once_and_one_with_sites_stays() {
        let (_folder, store) = crate::testing::open_with_sites(1);
        let edge = |name: &str| EdgeRow {
            name: name.into(),
            kind: "builtin".into(),
            target: "gate=/g".into(),
        };
        let names = || store.edges().unwrap().into_iter().map(|it| it.name).collect::<Vec<_>>();
        let used = store.sites().unwrap()[0].edge.clone();
        for name in ["a", &used] {
            store.put_edge(&edge(name), 1, "anna").unwrap();
        }
        let from = store.register_changes(1).unwrap().len() as u64 + 1;
        assert_eq!(store.remove_edge(&used, 2, "zoe").unwrap(), 1);
        assert_eq!(store.remove_edge("a", 3, "zoe").unwrap(), 0);
        assert_eq!(store.remove_edge("a", 4, "zoe").unwrap(), 0);
        assert_eq!(names(), [used]);
        let changes = store.register_changes(from).unwrap();
        let kept: Vec<_> = changes.iter().map(|it| (it.at, &*it.actor, &*it.before)).collect();
        assert_eq!(kept, [(3, "zoe", "a\tbuiltin\tgate=/g")]);
        assert_eq!((changes[0].what.as_str(), changes[0].after.as_str()), ("edge a", ""));
    }
}
