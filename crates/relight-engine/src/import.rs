//! Files of advisories into the store: read in parallel, their documents kept batch by batch, and
//! what they tell written in one transaction. While one batch is kept, the next one is read;
//! between two of them everybody else gets at the store.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs::File;
use std::path::PathBuf;

use relight_formats::advisory::feed::{self, Document};
use relight_model::{Timestamp, Warning};
use relight_store::{Accepted, Guard, Importer, Kept, SourceCounts, Store, StoreError};

use self::readers::{Parsed, Readers};
use self::told::Told;

mod readers;
mod told;

/// Bytes of documents that are read before any is stored: an import holds two batches in memory.
pub const BATCH_BYTES: usize = 16 << 20;

/// Documents that are read before any is stored.
pub const BATCH_DOCUMENTS: usize = 1_024;

/// Warnings that are kept word for word; the rest is counted.
pub const WARNINGS_MAX: usize = 1_000;

/// What to import and how.
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// The files are complete lists of their sources: what is missing has vanished.
    pub is_whole: bool,
    /// Sources that pass their guards, because a person looked.
    pub accept: Vec<String>,
    /// Who accepts them, as the register keeps it.
    pub actor: String,
    /// When it is.
    pub now: Timestamp,
    /// Only documents of these formats count, whatever else comes; empty means all of them. Whoever
    /// is asked for one thing does not speak about another.
    pub formats: &'static [&'static str],
}

/// The setting that keeps when advisories were last updated, in seconds since 1970.
pub const UPDATED_KEY: &str = "advisories-updated";

/// A file to import, and what it is called where somebody reads about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staged {
    /// The file.
    pub path: PathBuf,
    /// Where it comes from.
    pub place: String,
    /// Of an archive, only the entries whose names begin like this; empty means all of them.
    pub entries: &'static str,
}

impl Staged {
    /// A file of which everything counts.
    pub const fn whole(path: PathBuf, place: String) -> Self {
        Self { path, place, entries: "" }
    }

    /// Whether a document of it counts. What is no entry of an archive always does.
    fn holds(&self, document: &str) -> bool {
        let entry = document.strip_prefix(&self.place).and_then(|rest| rest.strip_prefix("!/"));
        let name = entry.and_then(|entry| entry.rsplit('/').next());
        name.is_none_or(|name| name.starts_with(self.entries))
    }
}

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// Files that were read.
    pub files: usize,
    /// Documents in them: an archive holds several.
    pub documents: usize,
    /// Records in them that can be used.
    pub records: usize,
    /// Documents by format.
    pub formats: BTreeMap<&'static str, usize>,
    /// What was done, by source.
    pub sources: BTreeMap<String, SourceCounts>,
    /// How many records cannot be used, files that cannot be read included.
    pub rejects: usize,
    /// How many records were used in spite of something.
    pub notes: usize,
    /// The places of files of which something was not read, though it may hold records.
    pub unreadable: BTreeSet<String>,
    /// What was wrong, at most [`WARNINGS_MAX`]; rejects first.
    pub warnings: Vec<Warning>,
    /// Scores of exploitation that were stored.
    pub scores: usize,
    /// Why a table of scores was refused.
    pub scores_refused: Option<Guard>,
}

impl ImportReport {
    /// One figure over all sources.
    pub fn total(&self, of: impl Fn(&SourceCounts) -> usize) -> usize {
        self.sources.values().map(of).sum()
    }

    fn reject(&mut self, warning: Warning) {
        self.rejects += 1;
        if self.warnings.len() < WARNINGS_MAX {
            self.warnings.push(warning);
        }
    }

    /// Nobody knows what is in it, or in a part of it.
    fn unreadable(&mut self, place: &str, warning: Warning) {
        self.unreadable.insert(place.to_owned());
        self.reject(warning);
    }

    fn note(&mut self, warning: Warning) {
        self.notes += 1;
        if self.warnings.len() < WARNINGS_MAX {
            self.warnings.push(warning);
        }
    }
}

/// Imports files. `progress` is told after each batch: records so far, and the place.
///
/// # Errors
/// The store cannot be read or written; then nothing of the import counts.
pub fn import(
    store: &Store,
    files: &[PathBuf],
    options: &ImportOptions,
    progress: &mut dyn FnMut(usize, &str),
) -> Result<ImportReport, StoreError> {
    let staged = |file: &PathBuf| Staged::whole(file.clone(), file.display().to_string());
    let files: Vec<Staged> = files.iter().map(staged).collect();
    import_staged(store, &files, options, progress)
}

/// As [`import`], of files that come from elsewhere.
///
/// # Errors
/// As [`import`].
pub fn import_staged(
    store: &Store,
    files: &[Staged],
    options: &ImportOptions,
    progress: &mut dyn FnMut(usize, &str),
) -> Result<ImportReport, StoreError> {
    let (report, told) = (ImportReport::default(), Told::default());
    let (formats, readers) = (options.formats, Readers::start());
    let (batch, before) = (Batch::default(), Batch::default());
    let files_of = VecDeque::new();
    let mut run =
        Run { store, progress, formats, report, told, readers, files: files_of, batch, before };
    for file in files {
        run.file(file)?;
    }
    run.keep_rest()?;
    let Run { mut report, told, .. } = run;
    let work = |importer: &mut Importer<'_>| told.tell(importer, options.is_whole, &mut report);
    let accepted = Accepted { sources: &options.accept, actor: &options.actor };
    let ((), sources) = store.import_advisories(options.now, accepted, work)?;
    report.sources = sources;
    Ok(report)
}

struct Run<'r> {
    store: &'r Store,
    progress: &'r mut dyn FnMut(usize, &str),
    formats: &'static [&'static str],
    report: ImportReport,
    told: Told,
    readers: Readers,
    /// Of which file each document is that was given and not taken yet.
    files: VecDeque<usize>,
    /// What is being read, of one file or of several.
    batch: Batch,
    /// What is being read as well, and kept next.
    before: Batch,
}

/// How much was given to be read.
#[derive(Clone, Copy, Default)]
struct Batch {
    documents: usize,
    bytes: usize,
}

impl Batch {
    const fn is_full(self) -> bool {
        self.bytes >= BATCH_BYTES || self.documents >= BATCH_DOCUMENTS
    }
}

impl Run<'_> {
    fn file(&mut self, staged: &Staged) -> Result<(), StoreError> {
        let Staged { path, place, .. } = staged;
        self.report.files += 1;
        let opened = match File::open(path) {
            Ok(opened) => opened,
            Err(error) => {
                let message = format!("{error}; nothing of it was read");
                let warning = Warning::new("advisory-unreadable", place, message);
                self.report.unreadable(place, warning);
                return Ok(());
            }
        };
        let mut result = Ok(());
        feed::documents(opened, place, &mut |document| {
            match document {
                Ok(document) if !staged.holds(&document.place) => {}
                Ok(document) => {
                    self.batch.bytes += document.bytes.len();
                    self.batch.documents += 1;
                    self.files.push_back(self.report.files);
                    self.readers.give(document);
                }
                Err(warning) => self.report.unreadable(place, warning),
            }
            if self.batch.is_full() {
                result = self.turn();
            }
            result.is_ok()
        });
        result
    }

    /// Keeps the batch before the one that is full, while that one is read.
    fn turn(&mut self) -> Result<(), StoreError> {
        let before = std::mem::replace(&mut self.before, std::mem::take(&mut self.batch));
        self.keep(before)
    }

    fn keep_rest(&mut self) -> Result<(), StoreError> {
        self.turn()?;
        self.turn()
    }

    fn keep(&mut self, batch: Batch) -> Result<(), StoreError> {
        let take = |_| Some((self.files.pop_front()?, self.readers.take()?));
        let mut read: Vec<(usize, Parsed)> = (0..batch.documents).map_while(take).collect();
        let last = read.last().map(|(_, it)| it.document.place.clone());
        read.retain(|(_, parsed)| self.is_wanted(&parsed.document, parsed.format));
        let new = read.iter().flat_map(|(_, parsed)| parsed.documents());
        let mut kept = self.store.keep_documents(&new.collect::<Vec<_>>())?.into_iter();
        for (file, parsed) in read {
            self.told.file(file);
            self.tell(parsed, &mut kept);
        }
        if let Some(place) = last {
            (self.progress)(self.report.records, &place);
        }
        Ok(())
    }

    /// Counts a document, and says whether its form is one that counts.
    fn is_wanted(&mut self, document: &Document, format: &'static str) -> bool {
        self.report.documents += 1;
        if !format.is_empty() && !self.formats.is_empty() && !self.formats.contains(&format) {
            let wanted = self.formats.join(", ");
            let message = format!("is {format} where {wanted} is expected; left out");
            self.report.reject(Warning::new("advisory-format-other", &document.place, message));
            return false;
        }
        if !format.is_empty() {
            *self.report.formats.entry(format).or_default() += 1;
        }
        true
    }

    /// Takes down what a document tells, whose records are kept.
    fn tell(&mut self, parsed: Parsed, kept: &mut impl Iterator<Item = Kept>) {
        let Parsed { document, records, refused, notes, scores, whole, dated, extents, .. } =
            parsed;
        self.report.records += records.len();
        self.told.records(&document.place, records.into_iter().zip(kept).collect(), &extents);
        for refusal in refused {
            refusal.id.iter().for_each(|id| self.told.refused(id));
            self.report.reject(refusal.warning);
        }
        notes.into_iter().for_each(|note| self.report.note(note));
        self.told.whole(&whole, dated);
        if let Some(scores) = scores {
            self.told.scores(scores, document.bytes);
        }
    }
}

#[cfg(test)]
mod tests;
