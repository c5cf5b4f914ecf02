//! Import of sites as a plan: what would be added and changed, what conflicts; then apply it.

use std::collections::{HashMap, VecDeque};

use relight_model::{Criticality, Digest, GateKey, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use crate::{
    Store, StoreError, StoreErrorKind, blob,
    fields::write_line,
    register::{Change, criticality_of, newest_change, note_change, slug_of},
    store::Failure,
};

/// Most rows in one import.
pub const IMPORT_ROWS_MAX: usize = 100_000;

/// Longest text in one field of a row, in bytes.
pub const TEXT_BYTES_MAX: usize = 4_096;

/// Longest host name (RFC 1035), in bytes.
const HOST_BYTES_MAX: usize = 253;

/// One site, as a file tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteRow {
    /// Line in the file, from 1; 0 when it comes from the register.
    pub line: usize,
    /// The unique short name.
    pub slug: GateKey,
    /// Name in French.
    pub name_fr: String,
    /// Name in English.
    pub name_en: String,
    /// Scheme and host (`https://www.example.qc`), or the host alone.
    pub origin: String,
    /// Name of the body that answers for it; added to the register when it is new.
    pub organisation: String,
    /// Sector of that body.
    pub sector: String,
    /// How much depends on it.
    pub criticality: Criticality,
    /// Name of the edge that serves it; empty when it is not known.
    pub edge: String,
    /// Shown on the public page.
    pub public: bool,
}

/// What an import would do. Repeating an import after it was applied gives an empty plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportPlan {
    /// Number of the newest register change when the plan was made: on any other the plan is stale.
    pub base: u64,
    /// New sites, by line.
    pub added: Vec<SiteRow>,
    /// Changed sites, in an order in which no host name has two owners at any moment.
    pub changed: Vec<SiteChange>,
    /// Sites that are already as the file says.
    pub untouched: Vec<GateKey>,
    /// Rows that are not taken over, by line.
    pub conflicts: Vec<ImportConflict>,
}

/// A site before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteChange {
    /// As it is in the register.
    pub before: SiteRow,
    /// As the file says.
    pub after: SiteRow,
}

/// A row that is not taken over; the others are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportConflict {
    /// Line in the file.
    pub line: usize,
    /// The site that the row is about.
    pub slug: GateKey,
    /// What is wrong.
    pub conflict: Conflict,
}

/// What is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// The origin has no host name, or one that no host can have.
    BadOrigin,
    /// The row names no organisation.
    NoOrganisation,
    /// A text is longer than [`TEXT_BYTES_MAX`].
    TextTooLong,
    /// An earlier line is about the same site.
    SlugTwice {
        /// That line.
        first: usize,
    },
    /// An earlier line claims the same host name for another site.
    HostTwice {
        /// That line.
        first: usize,
    },
    /// The register has the host name under another site.
    HostTaken {
        /// That site.
        by: GateKey,
    },
    /// An earlier line puts the same organisation into another sector.
    SectorTwice {
        /// That line.
        first: usize,
    },
}

impl ImportPlan {
    /// Nothing would be written.
    pub const fn is_empty(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty()
    }

    /// Names exactly this plan on exactly this register: what was shown is what is applied.
    pub fn hash(&self) -> Digest {
        let mut text = String::new();
        write_line(&mut text, ["relight.import/1", &self.base.to_string()]);
        for row in &self.added {
            write_line(&mut text, ["add"]);
            row.write(&mut text);
        }
        for SiteChange { before, after } in &self.changed {
            write_line(&mut text, ["change"]);
            before.write(&mut text);
            after.write(&mut text);
        }
        blob::digest_of(text.as_bytes())
    }
}

impl Store {
    /// What importing these rows would do; nothing is written.
    ///
    /// # Errors
    /// More than [`IMPORT_ROWS_MAX`] rows (`Limit`), or the database cannot be read.
    pub fn plan_import(&self, rows: &[SiteRow]) -> Result<ImportPlan, StoreError> {
        if rows.len() > IMPORT_ROWS_MAX {
            let context = format!("importing {} rows: at most {IMPORT_ROWS_MAX}", rows.len());
            return Err(StoreError::new(StoreErrorKind::Limit, context));
        }
        let (held, base) = self.read("reading the register", |database| {
            Ok((rows_in(database)?, newest_change(database)?))
        })?;
        Ok(plan(&held, rows, base))
    }

    /// Writes what the plan says, in one transaction: each new site gets one asset of its name.
    ///
    /// # Errors
    /// The register changed since the plan was made (`PlanStale`), or the database cannot be
    /// written; then nothing is.
    pub fn apply_import(
        &self,
        plan: &ImportPlan,
        now: Timestamp,
        actor: &str,
    ) -> Result<(), StoreError> {
        self.write("importing sites", |transaction| {
            if newest_change(transaction)? != plan.base {
                let context = "importing sites: the register changed since the plan was made; \
                               hint: make the plan again";
                return Err(Failure::rule(StoreErrorKind::PlanStale, context));
            }
            let mut writer = Writer { transaction, now, actor, organisations: HashMap::new() };
            for SiteChange { before, after } in &plan.changed {
                writer.change(before, after)?;
            }
            for row in &plan.added {
                writer.add(row)?;
            }
            Ok(())
        })
    }
}

impl SiteRow {
    fn write(&self, out: &mut String) {
        let Self { line: _, slug, name_fr, name_en, origin, .. } = self;
        let Self { organisation, sector, criticality, edge, public, .. } = self;
        let criticality = criticality.number().to_string();
        let public = if *public { "public" } else { "hidden" };
        let names = [slug.as_str(), name_fr, name_en, origin, organisation, sector];
        write_line(out, names.into_iter().chain([criticality.as_str(), edge, public]));
    }

    fn text(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text.truncate(text.len() - 1);
        text
    }

    fn host(&self) -> &str {
        let rest = self.origin.split_once("://").map_or(self.origin.as_str(), |(_, rest)| rest);
        rest.split(['/', ':']).next().unwrap_or(rest)
    }

    /// The row with scheme and host in lower case, or what is wrong with it by itself.
    fn checked(&self) -> Result<Self, Conflict> {
        let texts = [&self.name_fr, &self.name_en, &self.origin, &self.organisation];
        let texts = texts.into_iter().chain([&self.sector, &self.edge]);
        if texts.into_iter().any(|text| text.len() > TEXT_BYTES_MAX) {
            return Err(Conflict::TextTooLong);
        }
        if self.organisation.is_empty() {
            return Err(Conflict::NoOrganisation);
        }
        let scheme = self.origin.find("://").map_or(0, |at| at + 3);
        let end = self.origin[scheme..].find('/').map_or(self.origin.len(), |at| scheme + at);
        let mut row = Self { line: 0, ..self.clone() };
        row.origin[..end].make_ascii_lowercase();
        let scheme_known = matches!(&row.origin[..scheme], "" | "http://" | "https://");
        let host = row.host();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let label = |label: &str| !label.is_empty() && label.bytes().all(plain);
        if !scheme_known || host.len() > HOST_BYTES_MAX || !host.split('.').all(label) {
            return Err(Conflict::BadOrigin);
        }
        Ok(row)
    }
}

/// Pure: what these rows would do to a register that holds those.
fn plan(held: &[SiteRow], rows: &[SiteRow], base: u64) -> ImportPlan {
    let (accepted, mut conflicts) = without_doubles(rows);
    let lines: HashMap<GateKey, usize> =
        accepted.iter().map(|(line, row)| (row.slug.clone(), *line)).collect();
    let by_slug: HashMap<&GateKey, &SiteRow> = held.iter().map(|row| (&row.slug, row)).collect();
    let mut owners: HashMap<String, GateKey> =
        held.iter().map(|row| (row.host().to_owned(), row.slug.clone())).collect();
    let (mut added, mut changed, mut untouched) = (Vec::new(), Vec::new(), Vec::new());
    // A row that claims a host name which another row of the file gives up waits for that row, so
    // the order of the lines does not matter and the same file again finds nothing to do.
    let mut waiting: HashMap<String, SiteRow> = HashMap::new();
    let mut queue: VecDeque<SiteRow> = accepted.into_iter().map(|(_, row)| row).collect();
    while let Some(row) = queue.pop_front() {
        if owners.get(row.host()).is_some_and(|owner| *owner != row.slug) {
            waiting.insert(row.host().to_owned(), row);
            continue;
        }
        match by_slug.get(&row.slug) {
            None => added.push(row),
            Some(before) if **before == row => untouched.push(row.slug),
            Some(before) => {
                if before.host() != row.host() {
                    owners.remove(before.host());
                    owners.insert(row.host().to_owned(), row.slug.clone());
                    queue.extend(waiting.remove(before.host()));
                }
                changed.push(SiteChange { before: (*before).clone(), after: row });
            }
        }
    }
    for (host, SiteRow { slug, .. }) in waiting {
        let Some(by) = owners.get(&host).cloned() else { continue };
        let line = lines.get(&slug).copied().unwrap_or_default();
        conflicts.push(ImportConflict { line, slug, conflict: Conflict::HostTaken { by } });
    }
    added.sort_by_key(|row| lines.get(&row.slug).copied());
    conflicts.sort_by_key(|conflict| conflict.line);
    ImportPlan { base, added, changed, untouched, conflicts }
}

/// The rows that contradict neither themselves nor an earlier row, with their lines.
fn without_doubles(rows: &[SiteRow]) -> (Vec<(usize, SiteRow)>, Vec<ImportConflict>) {
    let (mut slugs, mut hosts, mut sectors) = (HashMap::new(), HashMap::new(), HashMap::new());
    let (mut accepted, mut conflicts) = (Vec::new(), Vec::new());
    for given in rows {
        let line = given.line;
        let checked = given.checked().and_then(|row| {
            if let Some(&first) = slugs.get(&row.slug) {
                return Err(Conflict::SlugTwice { first });
            }
            if let Some(&first) = hosts.get(row.host()) {
                return Err(Conflict::HostTwice { first });
            }
            let known = sectors.get(&row.organisation);
            if let Some((first, _)) = known.filter(|(_, sector)| *sector != row.sector) {
                return Err(Conflict::SectorTwice { first: *first });
            }
            Ok(row)
        });
        match checked {
            Err(conflict) => {
                conflicts.push(ImportConflict { line, slug: given.slug.clone(), conflict });
            }
            Ok(row) => {
                slugs.insert(row.slug.clone(), line);
                hosts.insert(row.host().to_owned(), line);
                sectors.entry(row.organisation.clone()).or_insert((line, row.sector.clone()));
                accepted.push((line, row));
            }
        }
    }
    (accepted, conflicts)
}

/// The register's sites in the form of an import.
fn rows_in(database: &Connection) -> Result<Vec<SiteRow>, rusqlite::Error> {
    let mut query = database.prepare_cached(
        "SELECT slug, name_fr, name_en, origin, organisation.name, sector, criticality, edge, public
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
        let slug = slug.as_str();
        self.transaction
            .prepare_cached(
                "INSERT INTO site
                 (slug, name_fr, name_en, origin, host, org, criticality, edge, public)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
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
                public
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
        let slug = slug.as_str();
        self.transaction
            .prepare_cached(
                "UPDATE site SET name_fr = ?2, name_en = ?3, origin = ?4, host = ?5, org = ?6,
                 criticality = ?7, edge = ?8, public = ?9 WHERE slug = ?1",
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
                public
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
                let insert = "INSERT INTO organisation (name, sector) VALUES (?1, ?2) RETURNING id";
                let id = self
                    .transaction
                    .prepare_cached(insert)?
                    .query_row(params![name, sector], |row| row.get(0))?;
                self.note(&what, "", sector)?;
                id
            }
        };
        self.organisations.insert(name.clone(), id);
        Ok(id)
    }

    fn note(&self, what: &str, before: &str, after: &str) -> Result<(), rusqlite::Error> {
        let change = Change { at: self.now, actor: self.actor, what };
        note_change(self.transaction, change, before, after)
    }
}
