//! The threads that read documents, for as long as an import runs. What a record is made of is
//! given back where it was allocated: between threads goes only what the store needs. Threads of
//! their own for each batch cost a third of an import, for new memory that the system had to clear.

use std::any::Any;
use std::collections::BTreeMap;
use std::num::NonZero;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use relight_formats::advisory::feed::Document;
use relight_formats::advisory::{self, Extent, Input, Reading, Record, Refusal, Scores};
use relight_match::{cvss_fault, cvss_scores};
use relight_model::{Advisory, Digest, Rating, RatingKind, Timestamp, Warning};
use relight_store::{ContentDigest, NewDocument};

use super::told;

/// Threads that read documents.
const THREADS_MAX: usize = 8;

/// A document that was read.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) document: Document,
    pub(super) format: &'static str,
    pub(super) records: Vec<ReadRecord>,
    pub(super) refused: Vec<Refusal>,
    /// What was wrong with records that count, their scores included.
    pub(super) notes: Vec<Warning>,
    pub(super) scores: Option<Scores>,
    pub(super) whole: Vec<String>,
    pub(super) dated: Vec<(String, Timestamp)>,
    pub(super) extents: Vec<Extent>,
}

/// What the store is told of a record.
#[derive(Debug)]
pub(super) struct ReadRecord {
    pub(super) source: String,
    pub(super) id: String,
    pub(super) revision: Digest,
    pub(super) matching: Digest,
    pub(super) ordinal: i64,
    pub(super) modified: Option<Timestamp>,
    pub(super) withdrawn: Option<Timestamp>,
    /// The digest of what is kept of it.
    content: ContentDigest,
    range: Range<usize>,
    raw: Option<Vec<u8>>,
}

impl Parsed {
    fn of(document: Document) -> Self {
        let Document { place, line, bytes } = &document;
        let reading = advisory::read(&Input { source: "", place, line: *line, bytes });
        let Reading { format, records, refused, mut notes, scores, whole, extents } = reading;
        notes.extend(records.iter().flat_map(|it| wrong_scores(place, &it.advisory)));
        let dated = told::dated(&records, &whole);
        let records = records.into_iter().map(|it| ReadRecord::of(it, bytes)).collect();
        Self { format, records, refused, notes, scores, whole, dated, extents, document }
    }

    /// The documents of its records.
    pub(super) fn documents(&self) -> impl Iterator<Item = NewDocument<'_>> {
        self.records.iter().map(|record| {
            let inside = self.document.bytes.get(record.range.clone()).unwrap_or_default();
            NewDocument {
                source: &record.source,
                id: &record.id,
                revision: record.revision,
                bytes: record.raw.as_deref().unwrap_or(inside),
                content: record.content,
            }
        })
    }
}

impl ReadRecord {
    fn of(record: Record, document: &[u8]) -> Self {
        let matching = advisory::matching_digest(&record.advisory);
        let content = ContentDigest::of(record.kept(document));
        let Record { advisory, range, ordinal, raw } = record;
        let Advisory { source, id, revision, modified, withdrawn, .. } = advisory;
        Self { source, id, revision, matching, ordinal, modified, withdrawn, content, range, raw }
    }
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

/// A document under the number of its turn, read or not.
type Numbered<T> = (usize, T);

/// What reading came to; a thread that panicked found a bug of ours.
type Outcome = Result<Box<Parsed>, Box<dyn Any + Send>>;

/// The threads. Whoever gives them documents bounds how many are on the way.
pub(super) struct Readers {
    waiting: Sender<Numbered<Document>>,
    done: Receiver<Numbered<Outcome>>,
    /// What was read before its turn.
    early: BTreeMap<usize, Outcome>,
    given: usize,
    taken: usize,
}

impl Readers {
    /// They end when nobody can give them anything any more.
    pub(super) fn start() -> Self {
        let (waiting, documents) = mpsc::channel();
        let (outcomes, done) = mpsc::channel();
        let documents = Arc::new(Mutex::new(documents));
        let threads = thread::available_parallelism().map_or(1, NonZero::get).min(THREADS_MAX);
        for _ in 0..threads {
            let (documents, outcomes) = (Arc::clone(&documents), outcomes.clone());
            thread::spawn(move || work(&documents, &outcomes));
        }
        Self { waiting, done, early: BTreeMap::new(), given: 0, taken: 0 }
    }

    /// Has a document read.
    pub(super) fn give(&mut self, document: Document) {
        // They end only with this end of the channel.
        let _ = self.waiting.send((self.given, document));
        self.given += 1;
    }

    /// The next document in the order in which they were given; `None` when all were taken.
    pub(super) fn take(&mut self) -> Option<Parsed> {
        while self.taken < self.given {
            if let Some(outcome) = self.early.remove(&self.taken) {
                self.taken += 1;
                return Some(*outcome.unwrap_or_else(|panic| resume_unwind(panic)));
            }
            let (at, outcome) = self.done.recv().ok()?;
            self.early.insert(at, outcome);
        }
        None
    }
}

fn work(documents: &Mutex<Receiver<Numbered<Document>>>, outcomes: &Sender<Numbered<Outcome>>) {
    loop {
        let next = documents.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((at, document)) = next else { return };
        let read = catch_unwind(AssertUnwindSafe(|| Box::new(Parsed::of(document))));
        if outcomes.send((at, read)).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: what is read on several threads comes in the order in which it was given. Method: many
    /// documents, long and short by turns, taken while more are given.
    #[test]
    fn documents_come_in_their_order() {
        let mut readers = Readers::start();
        let give = |readers: &mut Readers, at: usize| {
            let words = "x".repeat(if at.is_multiple_of(7) { 200_000 } else { 1 });
            let text = format!(r#"{{"id":"X-{at}","summary":"{words}","affected":[]}}"#);
            let (place, bytes) = (at.to_string(), text.into_bytes());
            readers.give(Document { place, line: 1, bytes });
        };
        (0..50).for_each(|at| give(&mut readers, at));
        let mut seen = Vec::new();
        for at in 50..100 {
            seen.push(readers.take().unwrap());
            give(&mut readers, at);
        }
        seen.extend(std::iter::from_fn(|| readers.take()));
        let ids: Vec<_> = seen.iter().map(|it| it.records[0].id.clone()).collect();
        assert_eq!(ids, (0..100).map(|at| format!("X-{at}")).collect::<Vec<_>>());
        assert!(seen.iter().enumerate().all(|(at, it)| it.document.place == at.to_string()));
        assert!(readers.take().is_none());
    }
}
