//! Importing advisories: revisions, what vanished, and guards against a list that went wrong.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use relight_model::{Digest, Timestamp};
use rusqlite::Transaction;

use crate::advisory_import::head::Head;
use crate::advisory_import::repeated::{Seen, Waiting};
use crate::register::{Change, note_change};
use crate::store::Failure;
use crate::{Store, StoreError};

pub use self::keep::{Content, Kept, NewDocument};

mod finish;
mod head;
mod keep;
mod parts;
mod repeated;
#[cfg(test)]
mod tests;

/// Share of the records of a source by which a complete list may shrink, in percent.
pub const SHRINK_MAX: usize = 5;

/// Share of the records of a source whose matching may change in one import, in percent.
pub const CHANGE_MAX: usize = 5;

/// Records that may change whatever the share: small sources move by larger steps.
pub const CHANGE_FREE: usize = 20;

/// How far ahead of the clock a record may claim to have been changed, in seconds.
pub const AHEAD_S_MAX: i64 = 300;

/// What is done, for errors.
const DOING: &str = "importing advisories";

/// The source of advisories of our own, which only a person changes and retires, one by one.
pub const OWN_SOURCE: &str = "own";

/// Most revisions that are united under one id.
pub const PARTS_MAX: usize = 64;

/// One record to store.
#[derive(Clone, Copy, Debug)]
pub struct ImportRecord<'a> {
    /// Name of the source.
    pub source: &'a str,
    /// The source's own id.
    pub id: &'a str,
    /// The id of the document that it is a part of; empty when it is a document itself.
    pub document: &'a str,
    /// Digest of the content, as the reader of the record computes it.
    pub revision: Digest,
    /// Digest of what matching uses of it.
    pub matching: Digest,
    /// Version of the document; 0 when it has none.
    pub ordinal: i64,
    /// When the source says that it last changed it.
    pub modified: Option<Timestamp>,
    /// When the source has withdrawn it.
    pub withdrawn: Option<Timestamp>,
    /// A document that reads back as the record.
    pub content: Content<'a>,
}

/// What storing one record did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// The source had not told this id before.
    New,
    /// Another revision than the newest one known.
    Changed,
    /// It is already the newest.
    Same,
    /// A document of an older version than the newest one known.
    Older,
    /// The id came before in this import, with another content: both are kept, as one.
    United,
    /// It is larger than [`ADVISORY_BYTES_MAX`], or was united too often.
    TooLarge,
    /// Another revision of an advisory of our own, which nobody accepted: ours stays.
    Guarded,
}

/// What an import did to one source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceCounts {
    /// Ids that the source had not told before.
    pub new: usize,
    /// Ids with another revision.
    pub changed: usize,
    /// Of these, how many match otherwise than before.
    pub matching: usize,
    /// Records that are already the newest.
    pub same: usize,
    /// Documents older than what is known.
    pub older: usize,
    /// Records that were united under one id.
    pub united: usize,
    /// Records that have newly gone from a complete list, or from a new version of their document.
    pub vanished: usize,
    /// Records whose successor could not be read; the old revision stays in force.
    pub stale: usize,
    /// Records that claim an earlier change than before.
    pub went_back: usize,
    /// Why nothing of it was stored.
    pub refused: Option<Guard>,
}

/// Why a list was refused as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// A complete list has far fewer records than the one before.
    Shrunk {
        /// Records known before.
        before: usize,
        /// Records in the list.
        now: usize,
    },
    /// Far more records than usual match otherwise than before.
    Changed {
        /// Records known before.
        before: usize,
        /// Records that match otherwise.
        changed: usize,
    },
}

impl Guard {
    /// The stable name used in documents (`shrunk`).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Shrunk { .. } => "shrunk",
            Self::Changed { .. } => "changed",
        }
    }
}

/// A table of scores, to store as a whole.
#[derive(Clone, Copy, Debug)]
pub struct ScoreTable<'a> {
    /// Name of the table (`epss`).
    pub name: &'a str,
    /// The version of the model.
    pub model: &'a str,
    /// The day of the scores.
    pub at: Timestamp,
    /// How many there are.
    pub scores: usize,
    /// The document.
    pub bytes: &'a [u8],
}

/// Sources that pass their guards because a person looked, and who that is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Accepted<'a> {
    /// The names of the sources.
    pub sources: &'a [String],
    /// Who accepts them, as the register keeps it.
    pub actor: &'a str,
}

impl Accepted<'_> {
    fn has(&self, source: &str) -> bool {
        self.sources.iter().any(|it| it == source)
    }

    /// Keeps what was done that would have been refused otherwise.
    fn note(
        &self,
        transaction: &Transaction<'_>,
        at: Timestamp,
        what: &str,
    ) -> Result<(), rusqlite::Error> {
        let what = format!("advisories {what}");
        note_change(transaction, Change { at, actor: self.actor, what: &what }, "", "")
    }
}

/// One import: everything in one transaction, each source by itself refused or stored.
#[derive(Debug)]
pub struct Importer<'t> {
    transaction: &'t Transaction<'t>,
    path: &'t Path,
    now: Timestamp,
    accepted: Accepted<'t>,
    /// The newest record before this import.
    start: i64,
    /// Which file is being told, see [`Importer::file`].
    file: usize,
    sources: BTreeMap<String, Known>,
    /// The names of all sources that were known before, once somebody asked.
    names: Option<BTreeSet<String>>,
}

/// What is known of a source, and what the import told.
#[derive(Debug, Default)]
struct Known {
    heads: BTreeMap<String, Head>,
    /// The records that are marked, and whether as vanished.
    marks: HashMap<String, bool>,
    /// How many records were in force before.
    before: usize,
    /// The ids of this import with what came under them.
    seen: HashMap<String, Seen>,
    /// Parts of what was united before, by their ids, until the file ends.
    waiting: BTreeMap<String, Vec<Waiting>>,
    is_whole: bool,
    /// The newest date in a complete list.
    dated: Option<Timestamp>,
    counts: SourceCounts,
}

impl Known {
    fn of(transaction: &Transaction<'_>, source: &str) -> Result<Self, rusqlite::Error> {
        let (heads, marks) = (head::heads(transaction, source)?, head::marks(transaction, source)?);
        let before = heads.len().saturating_sub(marks.values().filter(|it| **it).count());
        Ok(Self { heads, marks, before, ..Self::default() })
    }
}

impl Store {
    /// Imports advisories in one transaction: `work` puts them, then each source is checked.
    /// What was accepted passes its guards; where one would have refused it, the register keeps who
    /// accepted it.
    ///
    /// # Errors
    /// `work` fails or the database cannot be written; then nothing is stored.
    pub fn import_advisories<T>(
        &self,
        now: Timestamp,
        accepted: Accepted<'_>,
        work: impl FnOnce(&mut Importer<'_>) -> Result<T, StoreError>,
    ) -> Result<(T, BTreeMap<String, SourceCounts>), StoreError> {
        self.write(DOING, |transaction| {
            let start =
                transaction.query_row("SELECT coalesce(max(seq), 0) FROM advisory", [], |row| {
                    row.get(0)
                })?;
            let (path, sources, names) = (self.path(), BTreeMap::new(), None);
            let file = 0;
            let mut importer =
                Importer { transaction, path, now, accepted, start, file, sources, names };
            let value = work(&mut importer).map_err(Failure::Rule)?;
            let counts = importer.finish()?;
            Ok((value, counts))
        })
    }
}

impl Importer<'_> {
    /// Stores one record.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn put(&mut self, record: &ImportRecord<'_>) -> Result<Stored, StoreError> {
        self.load(record.source)?;
        let stored = self.put_known(record).map_err(|error| self.failed(error))?;
        if let Some(known) = self.sources.get_mut(record.source) {
            let counts = &mut known.counts;
            match stored {
                Stored::New => counts.new += 1,
                Stored::Changed => counts.changed += 1,
                Stored::Same => counts.same += 1,
                Stored::Older => counts.older += 1,
                Stored::United => counts.united += 1,
                Stored::TooLarge => counts.stale += 1,
                Stored::Guarded => {}
            }
        }
        Ok(stored)
    }

    /// Says that this import lists everything that a source has.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn whole(&mut self, source: &str) -> Result<(), StoreError> {
        self.load(source)?;
        if let Some(known) = self.sources.get_mut(source) {
            known.is_whole = true;
        }
        Ok(())
    }

    /// Says that a complete list of a source speaks of this moment; of several the newest counts,
    /// and one that is still to come tells nothing. See [`Store::advisories_dated`].
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn dated(&mut self, source: &str, at: Timestamp) -> Result<(), StoreError> {
        self.load(source)?;
        if let Some(known) = self.sources.get_mut(source).filter(|_| at <= self.now) {
            known.dated = known.dated.max(Some(at));
        }
        Ok(())
    }

    /// Marks what is known under an id as out of date: its successor could not be read.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn refused(&mut self, id: &str) -> Result<(), StoreError> {
        for source in self.names()?.clone() {
            self.load(&source)?;
        }
        let (transaction, now, path) = (self.transaction, self.now, self.path);
        for (source, known) in &mut self.sources {
            // A list that holds the id once more, in order, has told it.
            if known.heads.contains_key(id) && !known.seen.contains_key(id) {
                head::mark(transaction, source, id, head::STALE, now)
                    .map_err(|error| StoreError::sql(DOING, path, error))?;
                known.counts.stale += 1;
            }
        }
        Ok(())
    }

    /// Stores a table of scores; one that shrank is refused, see [`SHRINK_MAX`].
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn put_scores(&mut self, table: &ScoreTable<'_>) -> Result<Option<Guard>, StoreError> {
        head::put_scores(self.transaction, table, self.now).map_err(|error| self.failed(error))
    }

    fn failed(&self, error: rusqlite::Error) -> StoreError {
        StoreError::sql(DOING, self.path, error)
    }

    fn load(&mut self, source: &str) -> Result<(), StoreError> {
        if !self.sources.contains_key(source) {
            let known = Known::of(self.transaction, source).map_err(|error| self.failed(error))?;
            self.sources.insert(source.to_owned(), known);
        }
        Ok(())
    }

    fn put_known(&mut self, record: &ImportRecord<'_>) -> Result<Stored, rusqlite::Error> {
        let Some(known) = self.sources.get_mut(record.source) else { return Ok(Stored::Same) };
        if record.content.is_too_large() {
            return Ok(Stored::TooLarge);
        }
        let seen = known.seen.entry(record.id.to_owned()).or_default();
        seen.turn(self.file);
        let is_first_after_another = seen.is_first_after_another();
        if seen.has(record.revision) {
            return Ok(Stored::Same);
        }
        if !seen.push(record.revision) {
            return Ok(Stored::TooLarge);
        }
        let head = known.heads.get(record.id);
        // What a newer version of the document no longer holds is not brought back by an older one.
        let document = head.or_else(|| known.heads.get(record.document));
        if document.is_some_and(|it| record.ordinal < it.ordinal) {
            return Ok(Stored::Older);
        }
        // Of two files the one with the later date counts, and all of it.
        if is_first_after_another && head.is_some_and(|it| record.modified < it.modified) {
            return Ok(Stored::Older);
        }
        if let Some(head) = head.filter(|it| it.holds(record.revision) && !it.is_vanished) {
            if head.revision == record.revision {
                known.seen.entry(record.id.to_owned()).or_default().counts();
            } else if record.source != OWN_SOURCE {
                let part = Waiting::of(record, self.transaction)?;
                known.waiting.entry(record.id.to_owned()).or_default().push(part);
            }
            return Ok(Stored::Same);
        }
        if head.is_some_and(|it| record.source == OWN_SOURCE && it.seq <= self.start) {
            if !self.accepted.has(OWN_SOURCE) {
                return Ok(Stored::Guarded);
            }
            let what = format!("import {}", record.id);
            self.accepted.note(self.transaction, self.now, &what)?;
        }
        known.part(self.transaction, (self.start, self.now), record.source, record.id)?;
        let head = known.heads.get(record.id);
        let is_repeated = known.seen.get_mut(record.id).is_some_and(Seen::counts);
        match head {
            // Of two versions in one import the newer one counts, as if it came later.
            Some(head) if is_repeated && record.ordinal == head.ordinal => {
                let united = head::unite(self.transaction, self.start, head, record)?;
                known.heads.insert(record.id.to_owned(), united);
                Ok(Stored::United)
            }
            head => {
                let written = head::write(self.transaction, self.now, head, record)?;
                known.counts.went_back += usize::from(written.went_back);
                let stored = if head.is_some() { Stored::Changed } else { Stored::New };
                known.counts.matching += usize::from(head.is_some_and(|it| it.differs(record)));
                known.heads.insert(record.id.to_owned(), written);
                Ok(stored)
            }
        }
    }
}
