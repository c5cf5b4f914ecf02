//! Who does what a member of a group is asked, and how long it is waited for: threads and the
//! clock, and in a simulation whoever gives them.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// What a member was asked, to be done once.
pub type Work = Box<dyn FnOnce() + Send>;

/// How the members of a group are asked at the same time.
pub trait Pace: Send + Sync {
    /// Begins what the member of this name was asked, and does not wait for its end. Its thread, if
    /// it has one, is waited for when the group is dropped. Work that is dropped has failed.
    fn begin(&self, member: &str, work: Work) -> Option<JoinHandle<()>>;

    /// How long a member is waited for of which so much is known to make sense.
    fn patience(&self, known: Duration) -> Duration;
}

/// A thread for each of them.
#[derive(Debug)]
pub(super) struct Threads;

impl Pace for Threads {
    /// In a thread of its own, else, where the system gives none, in this one.
    fn begin(&self, _member: &str, work: Work) -> Option<JoinHandle<()>> {
        let work = Arc::new(Mutex::new(Some(work)));
        let shared = Arc::clone(&work);
        let begun = thread::Builder::new().spawn(move || {
            let work = shared.lock().unwrap_or_else(PoisonError::into_inner).take();
            work.into_iter().for_each(|work| work());
        });
        if begun.is_err() {
            let work = work.lock().unwrap_or_else(PoisonError::into_inner).take();
            work.into_iter().for_each(|work| work());
        }
        begun.ok()
    }

    fn patience(&self, known: Duration) -> Duration {
        known
    }
}
