//! How the sources of advisories are doing, and the history of each record.

use std::collections::BTreeSet;

use relight_model::{Digest, Timestamp};
use rusqlite::{OptionalExtension, Row, params};

use crate::{Store, StoreError, blob};

/// A source that no feed brings is late without success for this long, in seconds: two periods of a
/// day, as people carry files.
pub const LATE_S: i64 = 2 * 86_400;

/// Before the name of a source: the setting that holds the newest date in its complete list.
pub(crate) const DATED_KEY: &str = "advisory-dated ";

/// Failures in a row that make a source failing.
const ERRORS_MAX: u32 = 3;

/// How a source is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceState {
    /// Nothing of it was ever stored.
    Never,
    /// Its last import went well, not long ago.
    Fresh,
    /// No success for two periods: [`LATE_S`], or what its feed says.
    Late,
    /// Three imports in a row gave nothing that can be used.
    Failing,
    /// A guard refused its last list.
    Refused,
}

impl SourceState {
    /// The stable name used in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Fresh => "fresh",
            Self::Late => "late",
            Self::Failing => "failing",
            Self::Refused => "refused",
        }
    }
}

/// One source and its records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceRow {
    /// Its name.
    pub name: String,
    /// Records that are known, withdrawn ones included.
    pub records: u64,
    /// How many of them are withdrawn.
    pub withdrawn: u64,
    /// How many are missing from its newest complete list.
    pub vanished: u64,
    /// How many have a successor that could not be read.
    pub stale: u64,
    /// When anything of it came last.
    pub last_success: Option<Timestamp>,
    /// Failures in a row.
    pub errors: u32,
    /// Which guard refused its last list; empty when none did.
    pub refused: String,
}

impl SourceRow {
    /// How it is doing at a moment; after `late_s` seconds without success it is late.
    pub fn state(&self, now: Timestamp, late_s: i64) -> SourceState {
        match self.last_success {
            _ if !self.refused.is_empty() => SourceState::Refused,
            _ if self.errors >= ERRORS_MAX => SourceState::Failing,
            None => SourceState::Never,
            // Of a clock that was wrong then or is now: nobody knows how long ago it was.
            Some(at) if at > now || now.saturating_sub(at) > late_s => SourceState::Late,
            Some(_) => SourceState::Fresh,
        }
    }
}

/// One revision of a record, without its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevisionRow {
    /// Its number among all that was stored.
    pub seq: u64,
    /// Name of the source.
    pub source: String,
    /// The source's own id.
    pub id: String,
    /// Digest of the content.
    pub revision: Digest,
    /// When we learnt it.
    pub recorded_at: Timestamp,
    /// When the source says that it changed it.
    pub modified: Option<Timestamp>,
    /// When the source withdrew it.
    pub withdrawn: Option<Timestamp>,
    /// Words: `modified-went-back`, `modified-clamped`, `vanished`.
    pub flags: String,
}

/// A mark on a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarkRow {
    /// Name of the source.
    pub source: String,
    /// The source's own id.
    pub id: String,
    /// `vanished` or `stale-record`.
    pub kind: String,
    /// Since when.
    pub since: Timestamp,
}

/// A table of scores, read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredScores {
    /// The version of the model.
    pub model: String,
    /// The day of the scores.
    pub at: Timestamp,
    /// The document.
    pub bytes: Vec<u8>,
}

impl Store {
    /// Every source of which something is known, by name.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn advisory_sources(&self) -> Result<Vec<SourceRow>, StoreError> {
        self.read("reading the sources", |database| {
            let mut query = database.prepare_cached(
                "SELECT name, last_success, errors, refused,
                 (SELECT count(DISTINCT id) FROM advisory WHERE source = name),
                 (SELECT count(*) FROM advisory WHERE source = name AND withdrawn IS NOT NULL
                  AND seq IN (SELECT max(seq) FROM advisory WHERE source = name GROUP BY id)),
                 (SELECT count(*) FROM advisory_mark WHERE source = name AND kind = 'vanished'),
                 (SELECT count(*) FROM advisory_mark WHERE source = name AND kind = 'stale-record')
                 FROM (SELECT name, last_success, errors, refused FROM advisory_source
                       UNION ALL SELECT DISTINCT source, NULL, 0, '' FROM advisory
                       WHERE source NOT IN (SELECT name FROM advisory_source))
                 ORDER BY name",
            )?;
            let rows = query.query_map([], source_row)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Notes that these sources were asked and have nothing new: they are as good as read at this
    /// moment. One whose list was refused stays so.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn confirm_sources(
        &self,
        names: &BTreeSet<String>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.write("noting that sources have nothing new", |transaction| {
            let mut update = transaction.prepare_cached(
                "UPDATE advisory_source SET last_attempt = ?2, last_success = ?2, errors = 0
                 WHERE name = ?1 AND refused = ''",
            )?;
            for name in names {
                update.execute(params![name, now])?;
            }
            Ok(())
        })
    }

    /// The newest date in the complete lists of sources whose names begin like this: how new they
    /// are, not when they were read. `None` when no complete list said any, see
    /// [`crate::Importer::dated`].
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn advisories_dated(&self, prefix: &str) -> Result<Option<Timestamp>, StoreError> {
        self.read("reading how new the lists of sources are", |database| {
            let mut query = database.prepare_cached(
                "SELECT max(CAST(value AS INTEGER)) FROM meta
                 WHERE substr(key, 1, length(?1)) = ?1",
            )?;
            Ok(query.query_row([format!("{DATED_KEY}{prefix}")], |row| row.get(0))?)
        })
    }

    /// The newest revisions that were stored, newest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn newest_advisories(&self, count: usize) -> Result<Vec<RevisionRow>, StoreError> {
        self.read("reading the newest advisories", |database| {
            let mut query = database.prepare_cached(
                "SELECT seq, source, id, revision, recorded_at, modified, withdrawn, flags
                 FROM advisory ORDER BY seq DESC LIMIT ?1",
            )?;
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            let rows = query.query_map([count], revision_row)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Every revision of one record, oldest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn advisory_history(&self, source: &str, id: &str) -> Result<Vec<RevisionRow>, StoreError> {
        self.read("reading the history of an advisory", |database| {
            let mut query = database.prepare_cached(
                "SELECT seq, source, id, revision, recorded_at, modified, withdrawn, flags
                 FROM advisory WHERE source = ?1 AND id = ?2 ORDER BY seq",
            )?;
            let rows = query.query_map([source, id], revision_row)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Every mark, by source and id.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn advisory_marks(&self) -> Result<Vec<MarkRow>, StoreError> {
        self.read("reading the marks of advisories", |database| {
            let mut query = database.prepare_cached(
                "SELECT source, id, kind, since FROM advisory_mark ORDER BY source, id, kind",
            )?;
            let rows = query.query_map([], |row| {
                let (source, id) = (row.get(0)?, row.get(1)?);
                Ok(MarkRow { source, id, kind: row.get(2)?, since: row.get(3)? })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// A table of scores, if there is one.
    ///
    /// # Errors
    /// The table does not read back as it was written (`Corrupt`), or the database cannot be read.
    pub fn advisory_scores(&self, name: &str) -> Result<Option<StoredScores>, StoreError> {
        self.read("reading scores", |database| {
            let mut query = database.prepare_cached(
                "SELECT model, at, blob.digest, blob.bytes FROM advisory_scores
                 JOIN blob ON blob.digest = advisory_scores.digest WHERE name = ?1",
            )?;
            let scores = query.query_row([name], |row| {
                let (_, bytes) = blob::checked(row, 2)?;
                Ok(StoredScores { model: row.get(0)?, at: row.get(1)?, bytes })
            });
            Ok(scores.optional()?)
        })
    }
}

fn source_row(row: &Row<'_>) -> Result<SourceRow, rusqlite::Error> {
    let count = |column| row.get::<_, i64>(column).map(i64::cast_unsigned);
    Ok(SourceRow {
        name: row.get(0)?,
        last_success: row.get(1)?,
        errors: row.get(2)?,
        refused: row.get(3)?,
        records: count(4)?,
        withdrawn: count(5)?,
        vanished: count(6)?,
        stale: count(7)?,
    })
}

fn revision_row(row: &Row<'_>) -> Result<RevisionRow, rusqlite::Error> {
    Ok(RevisionRow {
        seq: row.get::<_, i64>(0)?.cast_unsigned(),
        source: row.get(1)?,
        id: row.get(2)?,
        revision: Digest(row.get(3)?),
        recorded_at: row.get(4)?,
        modified: row.get(5)?,
        withdrawn: row.get(6)?,
        flags: row.get(7)?,
    })
}
