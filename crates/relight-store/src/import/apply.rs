//! Writing an import plan into the register, and reading the register in the form of an import.

use std::collections::HashMap;

use relight_model::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::{ImportPlan, SiteChange, SiteRow};
use crate::register::{
    Change, aliases_of, criticality_of, exposure_of, note_change, parts_of, slug_of,
};

/// Writes what a plan says, in the order of the plan.
pub(super) fn write(
    transaction: &Transaction<'_>,
    plan: &ImportPlan,
    now: Timestamp,
    actor: &str,
) -> Result<(), rusqlite::Error> {
    let mut writer = Writer { transaction, now, actor, organisations: HashMap::new() };
    for SiteChange { before, after } in &plan.changed {
        writer.change(before, after)?;
    }
    for row in &plan.added {
        writer.add(row)?;
    }
    Ok(())
}

/// The register's sites in the form of an import.
pub(super) fn rows_in(database: &Connection) -> Result<Vec<SiteRow>, rusqlite::Error> {
    let mut query = database.prepare_cached(
        "SELECT slug, name_fr, name_en, origin, organisation.name, sector, criticality, edge,
                public, exposure, aliases, parts, channel_fr, channel_en
         FROM site JOIN organisation ON organisation.id = site.org ORDER BY site.id",
    )?;
    let rows = query.query_map([], |row: &Row<'_>| {
        Ok(SiteRow {
            line: 0,
            slug: slug_of(row, 0)?,
            name_fr: row.get(1)?,
            name_en: row.get(2)?,
            origin: row.get(3)?,
            organisation: row.get(4)?,
            sector: row.get(5)?,
            criticality: criticality_of(row, 6)?,
            edge: row.get(7)?,
            public: row.get(8)?,
            exposure: Some(exposure_of(row, 9)?),
            aliases: Some(aliases_of(row, 10)?),
            parts: Some(parts_of(row, 11)?),
            channel_fr: Some(row.get(12)?),
            channel_en: Some(row.get(13)?),
        })
    })?;
    rows.collect()
}

/// Writes the rows of one import.
struct Writer<'a> {
    transaction: &'a Transaction<'a>,
    now: Timestamp,
    actor: &'a str,
    organisations: HashMap<String, u32>,
}

impl Writer<'_> {
    fn add(&mut self, row: &SiteRow) -> Result<(), rusqlite::Error> {
        let org = self.organisation(row)?;
        let SiteRow { slug, name_fr, name_en, origin, criticality, edge, public, .. } = row;
        let exposure = row.exposure.unwrap_or_default().as_str();
        let slug = slug.as_str();
        self.transaction
            .prepare_cached(
                "INSERT INTO site
                 (slug, name_fr, name_en, origin, host, org, criticality, edge, public, exposure,
                  aliases, parts, channel_fr, channel_en)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
            )?
            .execute(params![
                slug,
                name_fr,
                name_en,
                origin,
                row.host(),
                org,
                criticality.number(),
                edge,
                public,
                exposure,
                row.other_names(),
                row.part_texts(),
                row.channel_texts().0,
                row.channel_texts().1,
            ])?;
        let site = self.transaction.last_insert_rowid();
        self.transaction
            .prepare_cached("INSERT INTO asset (kind, key, org) VALUES ('application', ?1, ?2)")?
            .execute(params![slug, org])?;
        let asset = self.transaction.last_insert_rowid();
        self.transaction
            .prepare_cached("INSERT INTO site_asset (site, asset) VALUES (?1, ?2)")?
            .execute([site, asset])?;
        self.note(&format!("site {slug}"), "", &row.text())
    }

    fn change(&mut self, before: &SiteRow, after: &SiteRow) -> Result<(), rusqlite::Error> {
        let org = self.organisation(after)?;
        let SiteRow { slug, name_fr, name_en, origin, criticality, edge, public, .. } = after;
        let exposure = after.exposure.unwrap_or_default().as_str();
        let slug = slug.as_str();
        self.transaction
            .prepare_cached(
                "UPDATE site SET name_fr = ?2, name_en = ?3, origin = ?4, host = ?5, org = ?6,
                 criticality = ?7, edge = ?8, public = ?9, exposure = ?10, aliases = ?11,
                 parts = ?12, channel_fr = ?13, channel_en = ?14
                 WHERE slug = ?1",
            )?
            .execute(params![
                slug,
                name_fr,
                name_en,
                origin,
                after.host(),
                org,
                criticality.number(),
                edge,
                public,
                exposure,
                after.other_names(),
                after.part_texts(),
                after.channel_texts().0,
                after.channel_texts().1,
            ])?;
        self.transaction
            .prepare_cached("UPDATE asset SET org = ?2 WHERE key = ?1")?
            .execute(params![slug, org])?;
        self.note(&format!("site {slug}"), &before.text(), &after.text())
    }

    /// The number of the row's organisation, which is added or moved to the row's sector.
    fn organisation(&mut self, row: &SiteRow) -> Result<u32, rusqlite::Error> {
        let SiteRow { organisation: name, sector, .. } = row;
        if let Some(&id) = self.organisations.get(name) {
            return Ok(id);
        }
        let held: Option<(u32, String)> = self
            .transaction
            .prepare_cached("SELECT id, sector FROM organisation WHERE name = ?1")?
            .query_row([name], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let what = format!("organisation {name}");
        let id = match held {
            Some((id, before)) => {
                if before != *sector {
                    let update = "UPDATE organisation SET sector = ?2 WHERE id = ?1";
                    self.transaction.execute(update, params![id, sector])?;
                    self.note(&what, &before, sector)?;
                }
                id
            }
            None => {
                self.note(&what, "", sector)?;
                self.insert_organisation(name, sector)?
            }
        };
        self.organisations.insert(name.clone(), id);
        Ok(id)
    }

    fn insert_organisation(&self, name: &str, sector: &str) -> Result<u32, rusqlite::Error> {
        let insert = "INSERT INTO organisation (name, sector) VALUES (?1, ?2) RETURNING id";
        let mut insert = self.transaction.prepare_cached(insert)?;
        insert.query_row([name, sector], |row| row.get(0))
    }

    fn note(&self, what: &str, before: &str, after: &str) -> Result<(), rusqlite::Error> {
        let change = Change { at: self.now, actor: self.actor, what };
        note_change(self.transaction, change, before, after)
    }
}
