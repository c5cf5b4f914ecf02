//! Files of advisories into the store: read in parallel, their documents kept batch by batch, and
//! what they tell written in one transaction. While one batch is kept, the next one is read;
//! between two of them everybody else gets at the store.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::num::NonZero;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use relight_formats::advisory::feed::{self, Document};
use relight_formats::advisory::{self, Input, Reading, Record};
use relight_match::{cvss_fault, cvss_scores};
use relight_model::{Advisory, Digest, Rating, RatingKind, Timestamp, Warning};
use relight_store::{Guard, Importer, Kept, NewDocument, SourceCounts, Store, StoreError};

use self::told::Told;

mod told;

/// Bytes of documents that are read before any is stored: an import holds two batches in memory.
pub const BATCH_BYTES: usize = 16 << 20;

/// Documents that are read before any is stored.
pub const BATCH_DOCUMENTS: usize = 1_024;

/// Threads that read documents.
const THREADS_MAX: usize = 8;

/// Warnings that are kept word for word; the rest is counted.
pub const WARNINGS_MAX: usize = 1_000;

/// What to import and how.
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// The files are complete lists of their sources: what is missing has vanished.
    pub is_whole: bool,
    /// Sources that pass their guards, because a person looked.
    pub accept: Vec<String>,
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
    let (batch, reading) = (Batch::default(), None);
    let mut run = Run { store, progress, formats: options.formats, report, told, batch, reading };
    for file in files {
        run.file(file)?;
    }
    run.keep_rest()?;
    let Run { mut report, told, .. } = run;
    let work = |importer: &mut Importer<'_>| told.tell(importer, options.is_whole, &mut report);
    let ((), sources) = store.import_advisories(options.now, &options.accept, work)?;
    report.sources = sources;
    Ok(report)
}

struct Run<'r> {
    store: &'r Store,
    progress: &'r mut dyn FnMut(usize, &str),
    formats: &'static [&'static str],
    report: ImportReport,
    told: Told,
    /// What comes next, of one file or of several.
    batch: Batch,
    /// The batch that is being read meanwhile.
    reading: Option<JoinHandle<(Batch, Vec<Parsed>)>>,
}

/// Documents that were not read yet.
#[derive(Default)]
struct Batch {
    documents: Vec<Document>,
    bytes: usize,
}

impl Batch {
    const fn is_full(&self) -> bool {
        self.bytes >= BATCH_BYTES || self.documents.len() >= BATCH_DOCUMENTS
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
                    self.batch.documents.push(document);
                }
                Err(warning) => self.report.unreadable(place, warning),
            }
            if self.batch.is_full() {
                result = self.read();
            }
            result.is_ok()
        });
        result
    }

    /// Begins to read the batch, and keeps the one before.
    fn read(&mut self) -> Result<(), StoreError> {
        let (batch, before) = (std::mem::take(&mut self.batch), self.reading.take());
        self.reading = Some(thread::spawn(move || {
            let read = read_all(&batch.documents);
            (batch, read)
        }));
        self.keep(before)
    }

    fn keep_rest(&mut self) -> Result<(), StoreError> {
        self.read()?;
        let last = self.reading.take();
        self.keep(last)
    }

    fn keep(
        &mut self,
        reading: Option<JoinHandle<(Batch, Vec<Parsed>)>>,
    ) -> Result<(), StoreError> {
        let Some(reading) = reading else { return Ok(()) };
        // A thread that panicked found a bug of ours: it goes on in this one.
        let (batch, read) = reading.join().unwrap_or_else(|panic| resume_unwind(panic));
        let last = batch.documents.last().map(|it| it.place.clone());
        let mut read: Vec<_> = batch.documents.into_iter().zip(read).collect();
        read.retain(|(document, parsed)| self.is_wanted(document, parsed.reading.format));
        let new = read.iter().flat_map(|(document, parsed)| parsed.documents(document));
        let mut kept = self.store.keep_documents(&new.collect::<Vec<_>>())?.into_iter();
        for (document, parsed) in read {
            self.tell(document, parsed, &mut kept);
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
    fn tell(&mut self, document: Document, parsed: Parsed, kept: &mut impl Iterator<Item = Kept>) {
        let Parsed { reading, matching, scores: wrong } = parsed;
        let Reading { format: _, records, refused, notes, scores, whole, extents } = reading;
        self.report.records += records.len();
        let dated = told::dated(&records, &whole);
        let kept = records.into_iter().zip(matching).zip(kept);
        let records = kept.map(|((record, matching), kept)| (record, matching, kept)).collect();
        self.told.records(&document.place, records, &extents);
        for refusal in refused {
            refusal.id.iter().for_each(|id| self.told.refused(id));
            self.report.reject(refusal.warning);
        }
        notes.into_iter().chain(wrong).for_each(|note| self.report.note(note));
        self.told.whole(&whole, dated);
        if let Some(scores) = scores {
            self.told.scores(scores, document.bytes);
        }
    }
}

/// A document that was read, with the matching form of each record.
struct Parsed {
    reading: Reading,
    matching: Vec<Digest>,
    /// What is wrong with the scores of the records, which stay in use.
    scores: Vec<Warning>,
}

impl Parsed {
    /// The documents of its records.
    fn documents<'a>(&'a self, of: &'a Document) -> impl Iterator<Item = NewDocument<'a>> {
        self.reading.records.iter().map(|record| NewDocument {
            source: &record.advisory.source,
            id: &record.advisory.id,
            revision: record.advisory.revision,
            bytes: record.kept(&of.bytes),
        })
    }
}

fn parse(document: &Document) -> Parsed {
    let Document { place, line, bytes } = document;
    let reading = advisory::read(&Input { source: "", place, line: *line, bytes });
    let digest = |record: &Record| advisory::matching_digest(&record.advisory);
    let matching = reading.records.iter().map(digest).collect();
    let scores = reading.records.iter().flat_map(|it| wrong_scores(place, &it.advisory)).collect();
    Parsed { reading, matching, scores }
}

/// Vectors that cannot be read, and numbers beside a vector that are not its score.
fn wrong_scores<'a>(place: &'a str, advisory: &'a Advisory) -> impl Iterator<Item = Warning> + 'a {
    let ratings = advisory.severities.iter().filter(|it| it.kind != RatingKind::Other);
    ratings.filter_map(wrong_score).map(move |message| {
        Warning::new("advisory-note", format!("{place} {}", advisory.id), message)
    })
}

fn wrong_score(Rating { vector, stated, .. }: &Rating) -> Option<String> {
    if vector.is_empty() {
        return None;
    }
    if let Some(fault) = cvss_fault(vector) {
        return Some(format!("the vector `{vector}` was not used: {}", fault.code));
    }
    let stated = (*stated)?;
    let scores = cvss_scores(vector).ok()?;
    if stated == scores.base || stated == scores.overall() {
        return None;
    }
    let shown = |score: u16| format!("{}.{}", score / 10, score % 10);
    let (stated, right) = (shown(stated), shown(scores.base));
    Some(format!("the score {stated} is not that of its vector, which is {right}"))
}

/// Reads documents on several threads; the result is in their order.
fn read_all(documents: &[Document]) -> Vec<Parsed> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(THREADS_MAX);
    if threads == 1 || documents.len() < 2 {
        return documents.iter().map(parse).collect();
    }
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(documents.len())));
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((at, document)) = take(&next, documents) {
                    let parsed = parse(document);
                    done.lock().unwrap_or_else(PoisonError::into_inner).push((at, parsed));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_unstable_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, parsed)| parsed).collect()
}

fn take<'a>(next: &AtomicUsize, documents: &'a [Document]) -> Option<(usize, &'a Document)> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    documents.get(at).map(|document| (at, document))
}

#[cfg(test)]
mod tests;
