//! What a receiver counts, and the last trouble of its spool.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use relight_engine::watch::FlowTally;

/// What was received, and what was not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReceiveTally {
    /// Lines written to the spool.
    pub lines: u64,
    /// Lines of datagrams for which there was no room, and lines that could not be written.
    pub dropped: u64,
    /// Datagrams that the system dropped before they came here; `None` where it does not say.
    pub dropped_by_system: Option<u64>,
    /// Lines that were longer than the limit.
    pub cut: u64,
    /// Lines whose connection ended, or was ended, before they did.
    pub torn: u64,
    /// Connections that were ended because a line took too long.
    pub slow: u64,
    /// Connections that were closed because there were too many.
    pub crowded: u64,
    /// Connections that failed, in the TLS handshake or later.
    pub failed: u64,
    /// Flow datagrams.
    pub flows: FlowTally,
}

/// The same, while it is counted.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) lines: AtomicU64,
    pub(super) dropped: AtomicU64,
    pub(super) dropped_by_system: AtomicU64,
    /// Sockets of which the system does not say what it dropped.
    pub(super) sockets_untold: AtomicU64,
    pub(super) cut: AtomicU64,
    pub(super) torn: AtomicU64,
    pub(super) slow: AtomicU64,
    pub(super) crowded: AtomicU64,
    pub(super) failed: AtomicU64,
    flows: Mutex<FlowTally>,
    trouble: Mutex<Option<io::Error>>,
}

/// Adds to a counter.
pub(super) fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}

impl Counters {
    pub(super) fn tally(&self) -> ReceiveTally {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        ReceiveTally {
            lines: read(&self.lines),
            dropped: read(&self.dropped),
            dropped_by_system: match read(&self.sockets_untold) {
                0 => Some(read(&self.dropped_by_system)),
                _ => None,
            },
            cut: read(&self.cut),
            torn: read(&self.torn),
            slow: read(&self.slow),
            crowded: read(&self.crowded),
            failed: read(&self.failed),
            flows: self.flows.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }

    pub(super) fn set_flows(&self, tally: &FlowTally) {
        self.flows.lock().unwrap_or_else(PoisonError::into_inner).clone_from(tally);
    }

    pub(super) fn set_trouble(&self, error: io::Error) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }

    pub(super) fn trouble(&self) -> Option<io::Error> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
