//! Group commit: callers that append at the same moment share one transaction, and one fsync.
//!
//! The first to come leads: it folds and writes whatever waits, its own entries among them; those
//! who came meanwhile find their results ready, or lead the next group (INCIDENT 11).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use relight_model::Timestamp;
use relight_store::{JOURNAL_BATCH_MAX, JOURNAL_BODY_BYTES_MAX, JournalDraft, StoreErrorKind};

use crate::engine::{ACTOR, Appended, Engine, State, replay};
use crate::error::{EngineError, EngineErrorKind};
use crate::incident::{Entry, Ledger, Rejected};

/// What became of each entry of one caller.
type Results = Vec<Result<(), Rejected>>;

/// Where a caller finds what became of its entries.
type Answer = Arc<Mutex<Option<Result<Results, EngineError>>>>;

/// The entries of one caller on their way to the journal.
struct Waiting {
    actor: String,
    entries: Vec<(String, Entry)>,
    bodies: Vec<String>,
    answer: Answer,
}

/// Callers that wait for the next transaction, and the right to write it.
#[derive(Default)]
pub(crate) struct Commits {
    waiting: Mutex<Vec<Waiting>>,
    leader: Mutex<()>,
}

impl Commits {
    fn join(&self, waiting: Waiting) {
        lock(&self.waiting).push(waiting);
    }

    /// The callers of the next transaction, in the order in which they came: at least one, and no
    /// more than a transaction holds.
    fn next_group(&self) -> Vec<Waiting> {
        let mut waiting = lock(&self.waiting);
        let mut entries = 0;
        let fits = waiting.iter().take_while(|caller| {
            entries += caller.entries.len();
            entries <= JOURNAL_BATCH_MAX
        });
        let count = fits.count().max(1).min(waiting.len());
        waiting.drain(..count).collect()
    }
}

impl Engine {
    /// Journals entries and folds them in: all are synced in one commit before anybody acts on
    /// any of them. An entry that does not follow is journalled as refused and changes nothing;
    /// its result says why. Callers that come at the same moment share a commit.
    ///
    /// # Errors
    /// The journal cannot be written: then the fold is rebuilt from what is on the disk.
    pub fn append(
        &self,
        actor: &str,
        entries: Vec<(String, Entry)>,
    ) -> Result<Results, EngineError> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        self.append_with_owed(actor, entries)
    }

    /// Journals what has to stand before the next entry, without one.
    ///
    /// # Errors
    /// As [`Engine::append`].
    pub(crate) fn append_owed(&self) -> Result<(), EngineError> {
        self.append_with_owed(ACTOR, Vec::new()).map(drop)
    }

    fn append_with_owed(
        &self,
        actor: &str,
        entries: Vec<(String, Entry)>,
    ) -> Result<Results, EngineError> {
        let began = Instant::now();
        let (bodies, answer) = (bodies_of(&entries)?, Answer::default());
        let actor = actor.to_owned();
        self.commits.join(Waiting { actor, entries, bodies, answer: Arc::clone(&answer) });
        let _leader = lock(&self.commits.leader);
        loop {
            if let Some(results) = lock(&answer).take() {
                return results;
            }
            let group = self.commits.next_group();
            if group.is_empty() {
                let context = "the commit that these entries were in was broken off";
                return Err(EngineError::new(EngineErrorKind::Other, context));
            }
            self.commit(began, group);
        }
    }

    /// On a full disk what is left of it belongs to what darkens, to bad news, and to what was seen
    /// of both.
    fn admitted(&self, group: Vec<Waiting>, ledger: &Ledger) -> Vec<Waiting> {
        if !self.store.is_short_of_space() {
            return group;
        }
        // To take a relight back darkens; to take an order for dark back waits.
        let is_for_it = |(_, entry): &(String, Entry)| {
            entry.is_for_a_full_disk() || ledger.actions().relight_undone(entry).is_some()
        };
        let darkens = |it: &Waiting| it.entries.iter().all(is_for_it);
        let (admitted, refused): (Vec<_>, Vec<_>) = group.into_iter().partition(darkens);
        let context = "the disk is full: until there is room again, only sign-ins, what \
                       darkens, bad news and proofs are journalled";
        fail(&refused, &EngineError::new(EngineErrorKind::Other, context));
        admitted
    }

    /// Where a commit failed, what was folded of it stands in no journal: it is folded anew from
    /// what does. Nothing is accepted, and nothing is opened, before that could be done.
    pub(crate) fn fall_back(&self, state: &mut State) -> Result<(), EngineError> {
        if self.stage.is_ahead() {
            (state.ledger, state.seq) = replay(&self.store)?;
            self.stage.fell_back();
        }
        Ok(())
    }

    /// One transaction for a group of callers.
    fn commit(&self, began: Instant, group: Vec<Waiting>) {
        let mut guard = self.journalling();
        let state = &mut *guard;
        let now = self.now();
        let group = self.admitted(group, &state.ledger);
        if let Err(error) = self.fall_back(state) {
            return fail(&group, &error);
        }
        let (mut drafts, mut results) = (Vec::new(), Vec::with_capacity(group.len()));
        let owed = [state.ledger.owed_clock(now), state.ledger.owed_matcher()];
        for entry in owed.into_iter().flatten().filter(|_| !group.is_empty()) {
            let applied = state.ledger.apply("", &entry, now);
            // A number: it has a canonical form.
            let body = entry.to_body().unwrap_or_default();
            drafts.push(draft(ACTOR, "", (&entry, &body), &applied, now));
        }
        for Waiting { actor, entries, bodies, .. } in &group {
            let fold = |((incident, entry), body): (&(String, Entry), &String)| {
                let result = state.ledger.apply(incident, entry, now);
                drafts.push(draft(actor, incident, (entry, body), &result, now));
                result
            };
            results.push(entries.iter().zip(bodies).map(fold).collect::<Results>());
        }
        match self.store.append(&self.lease, &drafts) {
            Ok(records) => state.seq = records.last().map_or(state.seq, |record| record.seq),
            Err(error) => {
                self.stage.run_ahead();
                // The end of the journal is not what was appended: no second try mends that.
                let is_broken = error.kind() == StoreErrorKind::Corrupt;
                let mut error = EngineError::from(error);
                if is_broken {
                    error.kind = EngineErrorKind::Broken;
                }
                let rebuilt = self.fall_back(state);
                return fail(&group, &rebuilt.err().unwrap_or(error));
            }
        }
        drop(guard);
        self.wake();
        for (Waiting { entries, answer, .. }, results) in group.iter().zip(results) {
            self.tell(&Appended { began, entries, results: &results });
            *lock(answer) = Some(Ok(results));
        }
    }
}

/// The same error for every caller of a transaction that was not written.
fn fail(group: &[Waiting], error: &EngineError) {
    for caller in group {
        *lock(&caller.answer) = Some(Err(error.shared()));
    }
}

/// Written before the others are made to wait; one that no journal takes fails its caller alone.
fn bodies_of(entries: &[(String, Entry)]) -> Result<Vec<String>, EngineError> {
    let body = |(_, entry): &(String, Entry)| {
        let body = entry.to_body()?;
        if body.len() <= JOURNAL_BODY_BYTES_MAX {
            return Ok(body);
        }
        let context = format!("`{}` is larger than {JOURNAL_BODY_BYTES_MAX} bytes", entry.kind());
        Err(EngineError::new(EngineErrorKind::Other, context))
    };
    entries.iter().map(body).collect()
}

fn draft(
    actor: &str,
    incident: &str,
    (entry, body): (&Entry, &str),
    result: &Result<(), Rejected>,
    time: Timestamp,
) -> JournalDraft {
    let (actor, incident) = (actor.to_owned(), incident.to_owned());
    match result {
        Ok(()) => {
            let (kind, body) = (entry.kind().to_owned(), body.to_owned());
            JournalDraft { time, actor, kind, incident, body }
        }
        Err(Rejected(why)) => {
            let (entry, why) = (entry.kind().to_owned(), (*why).to_owned());
            let refused = Entry::Refused { entry, why };
            // Two short texts: they have a canonical form.
            let body = refused.to_body().unwrap_or_default();
            JournalDraft { time, actor, kind: refused.kind().to_owned(), incident, body }
        }
    }
}

/// A caller that panicked left nothing half-done behind these locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::thread::{self, ScopedJoinHandle};

    use relight_model::Digest;
    use relight_store::{JOURNAL_LEASE, Store};

    use super::*;
    use crate::EngineOptions;

    const CALLERS: usize = 32;

    fn engine() -> (tempfile::TempDir, Engine) {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(folder.path()).unwrap());
        let options =
            EngineOptions { holder: "test".into(), clock: || 1_000_000, inventory_ttl_s: 1 };
        (folder, Engine::open(store, options).unwrap())
    }

    fn opened(number: usize) -> (String, Entry) {
        let (question, title, policy) = (format!("CVE-{number}"), String::new(), String::new());
        let entry = Entry::Opened {
            question: question.clone(),
            title,
            statements: Digest::default(),
            policy,
            revision: Digest([1; 32]),
        };
        (question, entry)
    }

    /// All callers wait behind a leader that does nothing; then they may go on.
    fn together<T: Send>(engine: &Engine, call: impl Fn(usize) -> T + Sync) -> Vec<T> {
        thread::scope(|scope| {
            let held = lock(&engine.commits.leader);
            let call = &call;
            let start = |number| scope.spawn(move || call(number));
            let callers: Vec<ScopedJoinHandle<'_, T>> = (0..CALLERS).map(start).collect();
            while lock(&engine.commits.waiting).len() < CALLERS {
                thread::yield_now();
            }
            drop(held);
            callers.into_iter().map(|caller| caller.join().unwrap()).collect()
        })
    }

    #[test]
    fn callers_that_come_at_the_same_moment_share_one_commit() {
        let (_folder, engine) = engine();
        let before = engine.version();
        let results = together(&engine, |number| {
            // Every fourth caller says something that does not follow.
            let entry = match number % 4 {
                0 => (format!("CVE-{number}"), Entry::Closed { current: true }),
                _ => opened(number),
            };
            engine.append("test", vec![entry]).unwrap()
        });
        assert_eq!(engine.version(), before + 1, "one commit wakes the loops once");
        for (number, results) in results.iter().enumerate() {
            assert_eq!(results.len(), 1);
            assert_eq!(results[0].is_err(), number % 4 == 0, "caller {number}");
        }
        assert_eq!(engine.with_ledger(|ledger| ledger.open().count()), CALLERS * 3 / 4);
        let journal = engine.store().journal(1).unwrap();
        assert_eq!(journal.len(), CALLERS);
        let refused = journal.iter().filter(|record| record.kind == "refused").count();
        assert_eq!(refused, CALLERS / 4);
        engine.store().verify_journal().unwrap().unwrap();
    }

    #[test]
    fn a_commit_that_fails_fails_for_every_caller_and_changes_nothing() {
        let (_folder, engine) = engine();
        engine.append("test", vec![opened(99)]).unwrap();
        engine.store().take_lease(JOURNAL_LEASE, "somebody else", 1).unwrap();
        let errors = together(&engine, |number| {
            engine.append("test", vec![opened(number)]).unwrap_err().kind
        });
        assert!(errors.iter().all(|kind| *kind == EngineErrorKind::Fenced), "{errors:?}");
        assert_eq!(engine.with_ledger(|ledger| ledger.open().count()), 1);
        assert_eq!(engine.store().journal(1).unwrap().len(), 1);
    }

    /// Goal: whoever is told that the end of the journal is damaged is told what to do about it,
    /// also by a server that ran when it was.
    #[test]
    fn a_damaged_end_is_told_as_a_broken_journal() {
        let (folder, engine) = engine();
        engine.append("test", vec![opened(1)]).unwrap();
        let database = folder.path().join(relight_store::DATABASE_FILE);
        let database = rusqlite::Connection::open(database).unwrap();
        database.execute("UPDATE journal SET actor = 'else'", []).unwrap();
        let error = engine.append("test", vec![opened(2)]).unwrap_err();
        assert_eq!(error.kind, EngineErrorKind::Broken, "{error}");
    }

    /// Goal: what no journal holds opens nothing, and nothing is built upon it. Method: a commit
    /// that fails, and a journal that cannot be replayed either.
    #[test]
    fn what_was_folded_and_could_not_be_taken_back_is_not_believed() {
        let (_folder, engine) = engine();
        engine.append("test", vec![opened(1)]).unwrap();
        assert!(engine.stage.is_settled());
        let lease = engine.store().take_lease(JOURNAL_LEASE, "somebody else", 1).unwrap();
        let (actor, incident) = ("test".to_owned(), "CVE-1".to_owned());
        let (kind, body) = ("opened".to_owned(), "{}".to_owned());
        let unread = JournalDraft { time: 1, actor, kind, incident, body };
        engine.store().append(&lease, &[unread]).unwrap();
        let append = |number| engine.append("test", vec![opened(number)]).unwrap_err().kind;
        assert_ne!(append(2), EngineErrorKind::Fenced, "the journal cannot be read");
        assert!(!engine.stage.is_settled());
        append(3);
        assert!(engine.settle_evidence().is_err());
        assert!(!engine.stage.is_settled(), "nothing is opened");
        assert_eq!(engine.with_ledger(|ledger| ledger.open().count()), 2, "nor built upon it");
    }

    #[test]
    fn a_group_holds_no_more_than_a_transaction_and_at_least_one_caller() {
        let commits = Commits::default();
        let caller = |count: usize| Waiting {
            actor: String::new(),
            entries: (0..count).map(opened).collect(),
            bodies: vec![String::new(); count],
            answer: Answer::default(),
        };
        for count in [JOURNAL_BATCH_MAX - 1, 1, 1, JOURNAL_BATCH_MAX + 1, 2] {
            commits.join(caller(count));
        }
        let sizes: Vec<usize> = (0..5).map(|_| commits.next_group().len()).collect();
        assert_eq!(sizes, [2, 1, 1, 1, 0]);
    }

    #[test]
    fn an_entry_that_no_journal_takes_fails_alone() {
        let (_folder, engine) = engine();
        let (id, mut entry) = opened(1);
        if let Entry::Opened { title, .. } = &mut entry {
            *title = "x".repeat(JOURNAL_BODY_BYTES_MAX);
        }
        let error = engine.append("test", vec![(id, entry)]).unwrap_err();
        assert!(error.to_string().contains("`opened` is larger than"), "{error}");
        assert!(engine.append("test", vec![opened(2)]).unwrap()[0].is_ok());
    }
}
