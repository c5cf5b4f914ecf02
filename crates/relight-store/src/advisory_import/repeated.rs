//! An id that comes again in one import: from one file its records are united, of two files the
//! newer one counts.

use relight_model::{Digest, Timestamp};
use rusqlite::Transaction;

use super::head::{self, Head};
use super::{Content, DOING, ImportRecord, Importer, Kept, Known, PARTS_MAX};
use crate::StoreError;

/// What came under an id.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// The file that told it last.
    file: usize,
    /// The revisions that came in that.
    revisions: Vec<Digest>,
    /// An earlier file told it too.
    is_after_another: bool,
    /// One of that file counts.
    has_counted: bool,
}

impl Seen {
    /// A record of this file comes.
    pub(super) fn turn(&mut self, file: usize) {
        if self.file != file && !self.revisions.is_empty() {
            *self = Self { is_after_another: true, ..Self::default() };
        }
        self.file = file;
    }

    /// Whether nothing of its file counts yet, and an earlier one told the id.
    pub(super) const fn is_first_after_another(&self) -> bool {
        self.is_after_another && !self.has_counted
    }

    pub(super) fn has(&self, revision: Digest) -> bool {
        self.revisions.contains(&revision)
    }

    /// `false` when it came too often.
    pub(super) fn push(&mut self, revision: Digest) -> bool {
        if self.revisions.len() >= PARTS_MAX {
            return false;
        }
        self.revisions.push(revision);
        true
    }

    /// A record counts; whether another one of its file did before.
    pub(super) fn counts(&mut self) -> bool {
        std::mem::replace(&mut self.has_counted, true)
    }
}

/// A record that is one of several that were united before.
#[derive(Debug)]
pub(super) struct Waiting {
    document: String,
    revision: Digest,
    matching: Digest,
    ordinal: i64,
    modified: Option<Timestamp>,
    withdrawn: Option<Timestamp>,
    kept: Kept,
}

impl Waiting {
    pub(super) fn of(
        record: &ImportRecord<'_>,
        transaction: &Transaction<'_>,
    ) -> Result<Self, rusqlite::Error> {
        let ImportRecord { revision, matching, ordinal, modified, withdrawn, .. } = *record;
        let document = record.document.to_owned();
        let kept = Kept { digest: Some(record.content.put(transaction)?) };
        Ok(Self { document, revision, matching, ordinal, modified, withdrawn, kept })
    }

    fn record<'a>(&'a self, source: &'a str, id: &'a str) -> ImportRecord<'a> {
        let Self { document, revision, matching, ordinal, modified, withdrawn, kept } = self;
        ImportRecord {
            source,
            id,
            document,
            revision: *revision,
            matching: *matching,
            ordinal: *ordinal,
            modified: *modified,
            withdrawn: *withdrawn,
            content: Content::Kept(*kept),
        }
    }
}

impl Importer<'_> {
    /// Says that what is put from now on is of another file: records of one id are united where one
    /// list repeats it, not where two files are of two days.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn file(&mut self) -> Result<(), StoreError> {
        self.part_all().map_err(|error| StoreError::sql(DOING, self.path, error))?;
        self.file += 1;
        Ok(())
    }

    /// Of what was united before, and now came in part, the others have gone.
    pub(super) fn part_all(&mut self) -> Result<(), rusqlite::Error> {
        for (source, known) in &mut self.sources {
            let ids: Vec<String> = known.waiting.keys().cloned().collect();
            for id in ids {
                let told = known.waiting.get(&id).map_or(0, Vec::len);
                let all = known.heads.get(&id).map_or(0, Head::parts_count);
                if told == all {
                    known.waiting.remove(&id);
                } else {
                    known.part(self.transaction, (self.start, self.now), source, &id)?;
                }
            }
        }
        Ok(())
    }
}

impl Known {
    /// Puts what came of an id in the place of all that was united under it.
    pub(super) fn part(
        &mut self,
        transaction: &Transaction<'_>,
        (start, now): (i64, Timestamp),
        source: &str,
        id: &str,
    ) -> Result<(), rusqlite::Error> {
        let waiting = self.waiting.remove(id).unwrap_or_default();
        for (at, part) in waiting.iter().enumerate() {
            let record = part.record(source, id);
            let (before, counts) = (self.heads.get(id), &mut self.counts);
            // When it came it was one of those that are there already.
            counts.same = counts.same.saturating_sub(1);
            let next = match before.filter(|_| at > 0) {
                Some(head) => {
                    counts.united += 1;
                    head::unite(transaction, start, head, &record)?
                }
                None => {
                    counts.matching += usize::from(before.is_some_and(|it| it.differs(&record)));
                    counts.changed += 1;
                    let written = head::write(transaction, now, before, &record)?;
                    counts.went_back += usize::from(written.went_back);
                    written
                }
            };
            self.heads.insert(id.to_owned(), next);
            if let Some(seen) = self.seen.get_mut(id) {
                seen.counts();
            }
        }
        Ok(())
    }
}
