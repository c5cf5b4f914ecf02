//! Group commit: threads that append at the same time share one transaction and one sync.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{
    JOURNAL_BATCH_MAX, JournalDraft, JournalRecord, Lease, Store, StoreError, StoreErrorKind,
    journal::check_sizes,
};

/// The one appender of the journal, shared by threads.
///
/// There is no thread of its own: the first caller commits for all who came while the disk was
/// busy. The queue has no limit of its own, because each waiting caller is a blocked thread.
#[derive(Debug)]
pub struct GroupCommit {
    store: Arc<Store>,
    lease: Lease,
    waiting: Mutex<Vec<Waiting>>,
    committing: Mutex<()>,
}

/// One caller's entries, and where its result goes.
#[derive(Debug)]
struct Waiting {
    drafts: Vec<JournalDraft>,
    result: Arc<Mutex<Option<Result<Vec<JournalRecord>, StoreError>>>>,
}

impl GroupCommit {
    /// An appender under this lease on the journal ([`crate::JOURNAL_LEASE`]).
    pub fn new(store: Arc<Store>, lease: Lease) -> Self {
        Self { store, lease, waiting: Mutex::default(), committing: Mutex::default() }
    }

    /// Appends entries next to each other and returns once they are on the disk.
    ///
    /// # Errors
    /// As [`Store::append`]; an error of the shared transaction goes to everybody who shares it.
    pub fn append(&self, drafts: Vec<JournalDraft>) -> Result<Vec<JournalRecord>, StoreError> {
        check_sizes(&drafts)?;
        let result = Arc::new(Mutex::new(None));
        lock(&self.waiting).push(Waiting { drafts, result: Arc::clone(&result) });
        let _committing = lock(&self.committing);
        loop {
            if let Some(result) = lock(&result).take() {
                return result;
            }
            if !self.commit_next() {
                // Only a panic of the thread that took our entries leads here.
                let context = "appending to the journal: the thread that committed for us died";
                return Err(StoreError::new(StoreErrorKind::Other, context));
            }
        }
    }

    /// Commits the oldest waiting entries, up to one batch; false when nobody waits.
    fn commit_next(&self) -> bool {
        let mut group = self.next_group();
        let mut drafts = Vec::new();
        let lengths: Vec<usize> = group.iter().map(|waiting| waiting.drafts.len()).collect();
        for waiting in &mut group {
            drafts.append(&mut waiting.drafts);
        }
        let mut appended = self.store.append(&self.lease, &drafts).map(Vec::into_iter);
        for (waiting, length) in group.iter().zip(lengths) {
            let result = match &mut appended {
                Ok(records) => Ok(records.by_ref().take(length).collect()),
                Err(error) => Err(error.clone()),
            };
            *lock(&waiting.result) = Some(result);
        }
        !group.is_empty()
    }

    fn next_group(&self) -> Vec<Waiting> {
        let mut queue = lock(&self.waiting);
        let mut entries = 0;
        let fits = |waiting: &&Waiting| {
            entries += waiting.drafts.len();
            entries <= JOURNAL_BATCH_MAX
        };
        // A caller with more than one batch goes alone.
        let count = queue.iter().take_while(fits).count().max(1).min(queue.len());
        queue.drain(..count).collect()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
