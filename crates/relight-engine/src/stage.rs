//! How far a register is open: its journal, then its inventory, then what follows from both.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

/// How far it is. What the journal wants dark needs nothing more; questions need the inventory, and
/// whoever opens a site needs evidence that follows it.
#[derive(Debug, Default)]
pub(crate) struct Stage {
    known: Mutex<bool>,
    changed: Condvar,
    settled: AtomicBool,
    ahead: AtomicBool,
}

impl Stage {
    /// The inventory is there.
    pub(crate) fn know(&self) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    /// Waits until it is.
    pub(crate) fn wait_known(&self) {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_while(known, |known| !*known);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// The evidence of open incidents follows it.
    pub(crate) fn settle(&self) {
        self.settled.store(true, Ordering::Release);
    }

    /// Whether it does, and what is believed is in the journal.
    pub(crate) fn is_settled(&self) -> bool {
        self.settled.load(Ordering::Acquire) && !self.is_ahead()
    }

    /// More was folded than the journal holds.
    pub(crate) fn run_ahead(&self) {
        self.ahead.store(true, Ordering::Release);
    }

    /// Whether that is so.
    pub(crate) fn is_ahead(&self) -> bool {
        self.ahead.load(Ordering::Acquire)
    }

    /// Only what is in the journal is believed again.
    pub(crate) fn fell_back(&self) {
        self.ahead.store(false, Ordering::Release);
    }
}
