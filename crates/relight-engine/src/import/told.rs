//! What documents tell, in their order: small enough to be held until all of them were read, so
//! that a list counts as a whole or not at all, and nobody waits while it is read.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use relight_formats::advisory::{Extent, ExtentKind, Record, Scores};
use relight_model::{Digest, Signal, Timestamp, Warning};
use relight_store::{Content, Guard, ImportRecord, Importer, Kept, ScoreTable, StoreError, Stored};

use super::ImportReport;
use super::readers::ReadRecord;

/// Everything that was told.
#[derive(Debug, Default)]
pub(super) struct Told {
    steps: Vec<Step>,
    /// The file that is being told, of those that hold documents.
    file: usize,
    /// Names of sources and places, each once.
    names: BTreeSet<Arc<str>>,
}

/// One thing that was told.
#[derive(Debug)]
enum Step {
    /// What follows is of another file.
    File,
    Put(Put),
    /// The records of these steps are all of a document.
    All {
        kind: ExtentKind,
        id: Box<str>,
        records: Range<usize>,
    },
    /// A record of this id cannot be read.
    Refused(Box<str>),
    /// The source has nothing else.
    Whole(Arc<str>),
    /// The list of the source speaks of this moment.
    Dated(Arc<str>, Timestamp),
    Scores(Box<Scores>, Vec<u8>),
}

/// A record whose document is in the store already.
#[derive(Debug)]
struct Put {
    place: Arc<str>,
    source: Arc<str>,
    id: Box<str>,
    /// The id of the document that it is a part of.
    document: Arc<str>,
    revision: Digest,
    matching: Digest,
    ordinal: i64,
    modified: Option<Timestamp>,
    withdrawn: Option<Timestamp>,
    kept: Kept,
}

impl Told {
    /// What follows is of this file.
    pub(super) fn file(&mut self, number: usize) {
        if self.file != number {
            self.file = number;
            self.steps.push(Step::File);
        }
    }

    /// Takes the records of a document, whose contents are kept.
    pub(super) fn records(
        &mut self,
        place: &str,
        records: Vec<(ReadRecord, Kept)>,
        extents: &[Extent],
    ) {
        let place = self.name(place);
        let mut documents = extents.iter().peekable();
        let mut from = self.steps.len();
        for (at, (record, kept)) in records.into_iter().enumerate() {
            let within = documents.peek().filter(|it| it.records.contains(&at));
            let is_part = |it: &&&Extent| it.kind == ExtentKind::Ids && it.id != record.id;
            let document = within.filter(is_part).map_or("", |it| it.id.as_str());
            let document = self.name(document);
            let put = self.put((Arc::clone(&place), document), record, kept);
            self.steps.push(Step::Put(put));
            if let Some(Extent { kind, id, .. }) = documents.next_if(|it| it.records.end == at + 1)
            {
                let (kind, id, records) = (*kind, id.as_str().into(), from..self.steps.len());
                self.steps.push(Step::All { kind, id, records });
                from = self.steps.len();
            }
        }
    }

    fn put(
        &mut self,
        (place, document): (Arc<str>, Arc<str>),
        record: ReadRecord,
        kept: Kept,
    ) -> Put {
        let ReadRecord { source, id, revision, matching, ordinal, modified, withdrawn, .. } =
            record;
        let (source, id) = (self.name(&source), id.into());
        Put { place, source, id, document, revision, matching, ordinal, modified, withdrawn, kept }
    }

    /// A record that cannot be read.
    pub(super) fn refused(&mut self, id: &str) {
        self.steps.push(Step::Refused(id.into()));
    }

    /// Sources of which a document is a complete list, and how new that is: the dates of their
    /// entries tell, and all catalogues have those; the date of the list itself only one has.
    pub(super) fn whole(&mut self, sources: &[String], dated: Vec<(String, Timestamp)>) {
        for source in sources {
            let source = self.name(source);
            self.steps.push(Step::Whole(source));
        }
        for (source, at) in dated {
            let source = self.name(&source);
            self.steps.push(Step::Dated(source, at));
        }
    }

    /// A table of scores, and the document that it is.
    pub(super) fn scores(&mut self, scores: Scores, document: Vec<u8>) {
        self.steps.push(Step::Scores(Box::new(scores), document));
    }

    fn name(&mut self, text: &str) -> Arc<str> {
        match self.names.get(text) {
            Some(name) => Arc::clone(name),
            None => {
                let name: Arc<str> = text.into();
                self.names.insert(Arc::clone(&name));
                name
            }
        }
    }

    /// Tells everything, and that it was all where it was.
    pub(super) fn tell(
        &self,
        importer: &mut Importer<'_>,
        is_whole: bool,
        report: &mut ImportReport,
    ) -> Result<(), StoreError> {
        let mut sources = BTreeSet::new();
        for step in &self.steps {
            match step {
                Step::File => importer.file()?,
                Step::Put(put) => {
                    let stored = importer.put(&put.record())?;
                    put.report(stored, report);
                    sources.insert(&put.source);
                }
                Step::All { kind, id, records } => self.end_others(importer, *kind, id, records)?,
                Step::Refused(id) => importer.refused(id)?,
                Step::Whole(source) => importer.whole(source)?,
                Step::Dated(source, at) => importer.dated(source, *at)?,
                Step::Scores(scores, bytes) => {
                    report.scores_refused = put_scores(importer, scores, bytes)?;
                    let is_stored = report.scores_refused.is_none();
                    report.scores += if is_stored { scores.rows.len() } else { 0 };
                }
            }
        }
        // A list of which something could not be read is not a complete one.
        if is_whole && report.rejects == 0 {
            sources.iter().try_for_each(|source| importer.whole(source))?;
        }
        Ok(())
    }

    /// What a document in a file no longer holds ends.
    fn end_others(
        &self,
        importer: &mut Importer<'_>,
        kind: ExtentKind,
        id: &str,
        records: &Range<usize>,
    ) -> Result<(), StoreError> {
        let of_document = self.steps.get(records.clone()).unwrap_or_default().iter();
        let of_document = of_document.filter_map(|step| match step {
            Step::Put(put) => Some(put),
            _ => None,
        });
        let records: Vec<&Put> = of_document.collect();
        let Some(first) = records.first() else { return Ok(()) };
        match kind {
            ExtentKind::Ids => {
                let ids = records.iter().map(|it| &*it.id).collect();
                importer.all_parts(&first.source, id, first.ordinal, &ids)
            }
            ExtentKind::Containers => {
                let sources = records.iter().map(|it| &*it.source).collect();
                let base = first.source.split("-adp/").next().unwrap_or(&first.source);
                importer.all_containers(base, id, first.ordinal, &sources)
            }
        }
    }
}

impl Put {
    fn record(&self) -> ImportRecord<'_> {
        ImportRecord {
            source: &self.source,
            id: &self.id,
            document: &self.document,
            revision: self.revision,
            matching: self.matching,
            ordinal: self.ordinal,
            modified: self.modified,
            withdrawn: self.withdrawn,
            content: Content::Kept(self.kept),
        }
    }

    fn report(&self, stored: Stored, report: &mut ImportReport) {
        let place = || format!("{} {}", self.place, self.id);
        match stored {
            Stored::United => {
                let message = "the id came before with another content: both are kept as one";
                report.note(Warning::new("duplicate-id", place(), message));
            }
            Stored::TooLarge => {
                let message = "the record is too large; its old revision stays in force";
                report.reject(Warning::new("advisory-too-large", place(), message));
            }
            Stored::Guarded => {
                let message = "another revision of an advisory of your own, which stays in force; \
                               --accept own takes it";
                report.reject(Warning::new("advisory-own", place(), message));
            }
            _ => {}
        }
    }
}

fn put_scores(
    importer: &mut Importer<'_>,
    scores: &Scores,
    bytes: &[u8],
) -> Result<Option<Guard>, StoreError> {
    importer.put_scores(&ScoreTable {
        name: "epss",
        model: &scores.model,
        at: scores.date,
        scores: scores.rows.len(),
        bytes,
    })
}

/// The dates of the entries of catalogues of which a document is a complete list.
pub(super) fn dated(records: &[Record], whole: &[String]) -> Vec<(String, Timestamp)> {
    let listed = records.iter().filter(|it| whole.contains(&it.advisory.source));
    let signals = listed
        .flat_map(|it| it.advisory.signals.iter().map(|signal| (&it.advisory.source, signal)));
    let dates = signals.filter_map(|(source, signal)| match signal {
        Signal::Kev { added: Some(at), .. } => Some((source.clone(), *at)),
        _ => None,
    });
    dates.collect()
}
