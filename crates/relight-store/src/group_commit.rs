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
    result: Arc<Mutex<Option<Appended>>>,
}

type Appended = Result<Vec<JournalRecord>, StoreError>;

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

#[cfg(test)]
mod tests {
    use std::{
        collections::BTreeSet,
        thread,
        time::{Duration, Instant},
    };

    use super::*;
    use crate::{
        JOURNAL_LEASE,
        testing::{drafts, open},
    };

    #[test]
    fn threads_share_the_appender_and_each_gets_its_own_records() {
        let (_folder, store) = open();
        let store = Arc::new(store);
        let lease = store.take_lease(JOURNAL_LEASE, "test", 0).unwrap();
        let appender = GroupCommit::new(Arc::clone(&store), lease);
        let work = |thread: usize| {
            let mut records = Vec::new();
            for round in 0..20 {
                let actor = format!("{thread}/{round}");
                let appended = appender.append(drafts(&actor, 1 + round % 3)).unwrap();
                assert_eq!(appended.len(), 1 + round % 3);
                assert!(appended.iter().all(|record| record.actor == actor));
                assert!(appended.windows(2).all(|pair| pair[0].hash == pair[1].prev));
                records.extend(appended);
            }
            records
        };
        let mut seen = BTreeSet::new();
        thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|n| scope.spawn(move || work(n))).collect();
            for thread in threads {
                seen.extend(thread.join().unwrap().into_iter().map(|record| record.seq));
            }
        });
        let entries = store.verify_journal().unwrap().unwrap().entries;
        assert_eq!(seen, (1..=entries).collect());
        assert_eq!(entries, 8 * (7 + 7 * 2 + 6 * 3));
    }

    #[test]
    fn everybody_in_a_group_gets_its_own_part_and_a_group_has_an_upper_bound() {
        let (_folder, store) = open();
        let lease = store.take_lease(JOURNAL_LEASE, "test", 0).unwrap();
        let appender = GroupCommit::new(Arc::new(store), lease);
        let half = JOURNAL_BATCH_MAX / 2;
        let lengths = [half, half, 1, 0, JOURNAL_BATCH_MAX + 1, 2];
        let mut results = Vec::new();
        for length in lengths {
            let result = Arc::new(Mutex::new(None));
            let drafts = drafts("a", length);
            lock(&appender.waiting).push(Waiting { drafts, result: Arc::clone(&result) });
            results.push(result);
        }
        for left in [4, 2, 1, 0] {
            assert!(appender.commit_next());
            assert_eq!(lock(&appender.waiting).len(), left);
        }
        assert!(!appender.commit_next());
        let taken = results.iter().map(|result| lock(result).take().unwrap().unwrap().len());
        assert_eq!(taken.collect::<Vec<_>>(), lengths);
    }

    #[test]
    fn a_lost_lease_is_told_to_everybody() {
        let (_folder, store) = open();
        let store = Arc::new(store);
        let lease = store.take_lease(JOURNAL_LEASE, "old", 0).unwrap();
        let appender = GroupCommit::new(Arc::clone(&store), lease);
        store.take_lease(JOURNAL_LEASE, "new", 1).unwrap();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let error = appender.append(drafts("a", 1)).unwrap_err();
                    assert_eq!(error.kind(), StoreErrorKind::Fenced);
                });
            }
        });
        assert!(store.journal(1).unwrap().is_empty());
    }

    /// Goal: a caller is never left waiting. Method: its entries are taken out of the queue by
    /// somebody who then disappears, as a thread that panics while it commits does.
    #[test]
    fn a_caller_whose_committer_died_gets_an_error() {
        let (_folder, store) = open();
        let lease = store.take_lease(JOURNAL_LEASE, "test", 0).unwrap();
        let appender = GroupCommit::new(Arc::new(store), lease);
        thread::scope(|scope| {
            let committing = lock(&appender.committing);
            let caller = scope.spawn(|| appender.append(drafts("a", 1)));
            let deadline = Instant::now() + Duration::from_secs(30);
            while lock(&appender.waiting).is_empty() {
                assert!(Instant::now() < deadline, "the caller never came");
                thread::yield_now();
            }
            drop(appender.next_group());
            drop(committing);
            let error = caller.join().unwrap().unwrap_err();
            assert!(error.to_string().contains("died"), "{error}");
        });
        assert_eq!(appender.append(drafts("b", 1)).unwrap()[0].seq, 1);
    }

    #[test]
    fn a_body_over_the_limit_is_refused_before_it_joins_a_group() {
        let (_folder, store) = open();
        let lease = store.take_lease(JOURNAL_LEASE, "test", 0).unwrap();
        let appender = GroupCommit::new(Arc::new(store), lease);
        let mut list = drafts("a", 1);
        list[0].body = "x".repeat(crate::JOURNAL_BODY_BYTES_MAX + 1);
        assert_eq!(appender.append(list).unwrap_err().kind(), StoreErrorKind::Limit);
        assert!(lock(&appender.waiting).is_empty());
    }
}
