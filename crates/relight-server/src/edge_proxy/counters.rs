//! What the edge counts: per site, and over all.

use std::sync::atomic::{AtomicU64, Ordering};

/// Requests of one site since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SiteCounters {
    /// Sent on to the origin by a public listener.
    pub forwarded: u64,
    /// Answered with the holding page because the gate was closed.
    pub refused: u64,
    /// Answered 503 without a marker because the gate could not be read.
    pub gate_unreadable: u64,
    /// Sent on to the origin by the verification path.
    pub verified: u64,
    /// Answered 502 or 504 because the origin failed.
    pub failed: u64,
}

/// Requests over all sites since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EdgeTotals {
    /// The sum over all sites.
    pub sites: SiteCounters,
    /// Answered 400 or 405: broken requests, CONNECT and TRACE.
    pub invalid: u64,
    /// Answered 421: the host is not in the table.
    pub misdirected: u64,
    /// ACME challenges answered by the edge.
    pub acme: u64,
}

/// The counting side of [`SiteCounters`].
#[derive(Debug, Default)]
pub(super) struct SiteCounts {
    pub(super) forwarded: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) gate_unreadable: AtomicU64,
    pub(super) verified: AtomicU64,
    pub(super) failed: AtomicU64,
}

impl SiteCounts {
    pub(super) fn read(&self) -> SiteCounters {
        let Self { forwarded, refused, gate_unreadable, verified, failed } = self;
        SiteCounters {
            forwarded: forwarded.load(Ordering::Relaxed),
            refused: refused.load(Ordering::Relaxed),
            gate_unreadable: gate_unreadable.load(Ordering::Relaxed),
            verified: verified.load(Ordering::Relaxed),
            failed: failed.load(Ordering::Relaxed),
        }
    }
}

/// The counting side of what belongs to no site.
#[derive(Debug, Default)]
pub(super) struct OtherCounts {
    pub(super) invalid: AtomicU64,
    pub(super) misdirected: AtomicU64,
    pub(super) acme: AtomicU64,
}

impl OtherCounts {
    /// The totals, given the counters of every site.
    pub(super) fn totals(&self, sites: impl Iterator<Item = SiteCounters>) -> EdgeTotals {
        let mut sum = SiteCounters::default();
        for SiteCounters { forwarded, refused, gate_unreadable, verified, failed } in sites {
            sum.forwarded += forwarded;
            sum.refused += refused;
            sum.gate_unreadable += gate_unreadable;
            sum.verified += verified;
            sum.failed += failed;
        }
        EdgeTotals {
            sites: sum,
            invalid: self.invalid.load(Ordering::Relaxed),
            misdirected: self.misdirected.load(Ordering::Relaxed),
            acme: self.acme.load(Ordering::Relaxed),
        }
    }
}

/// Adds one.
pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
