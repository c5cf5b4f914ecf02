//! When each request began: 16 bytes a request, with an upper bound that is never passed unseen.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Marks a request of the verification path in [`Record::site`].
const VERIFY_BIT: u32 = 1 << 31;

/// One request.
#[derive(Clone, Copy, Debug)]
struct Record {
    /// Nanoseconds since the start; enough for 584 years.
    nanos: u64,
    /// Number of the site, and [`VERIFY_BIT`].
    site: u32,
}

/// The requests of one origin.
#[derive(Debug)]
pub(super) struct Records {
    start: Instant,
    records_max: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    records: Vec<Record>,
    /// Visitors and verifications by site; also of requests that were not remembered.
    counts: HashMap<u32, (u64, u64)>,
    /// When the first request came that was not remembered.
    lost_from: Option<u64>,
}

impl Records {
    pub(super) fn new(start: Instant, records_max: usize) -> Self {
        Self { start, records_max, kept: Mutex::default() }
    }

    pub(super) fn add(&self, site: u32, at: Instant, verify: bool) {
        let nanos = self.nanos(at);
        let mut kept = self.lock();
        let (visitors, verifications) = kept.counts.entry(site).or_default();
        *(if verify { verifications } else { visitors }) += 1;
        if kept.records.len() < self.records_max {
            let bit = if verify { VERIFY_BIT } else { 0 };
            kept.records.push(Record { nanos, site: site | bit });
        } else {
            // Two requests may arrive here out of order; the earlier one decides.
            kept.lost_from = Some(kept.lost_from.map_or(nanos, |first| first.min(nanos)));
        }
    }

    /// Visitors and verifications of one site since the start.
    pub(super) fn counts(&self, site: u32) -> (u64, u64) {
        self.lock().counts.get(&site).copied().unwrap_or_default()
    }

    /// Requests that began in `from..to`; `None` when some of that time were not remembered.
    pub(super) fn between(
        &self,
        site: u32,
        from: Instant,
        to: Instant,
        include_verify: bool,
    ) -> Option<u64> {
        let (from, to) = (self.nanos(from), self.nanos(to));
        let kept = self.lock();
        if kept.lost_from.is_some_and(|lost| lost < to) {
            return None;
        }
        let wanted = |record: &&Record| {
            let is_site = record.site & !VERIFY_BIT == site;
            let counted = include_verify || record.site & VERIFY_BIT == 0;
            is_site && counted && (from..to).contains(&record.nanos)
        };
        Some(kept.records.iter().filter(wanted).count() as u64)
    }

    fn nanos(&self, at: Instant) -> u64 {
        let since = at.saturating_duration_since(self.start);
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn only_requests_of_that_site_and_time() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let records = Records::new(start, 100);
        for millis in 0..10 {
            records.add(7, at(millis), false);
            records.add(8, at(millis), false);
        }
        records.add(7, at(5), true);
        assert_eq!(records.between(7, at(3), at(6), false), Some(3));
        assert_eq!(records.between(7, at(3), at(6), true), Some(4));
        assert_eq!(records.between(9, at(0), at(9), true), Some(0));
        assert_eq!(records.counts(7), (10, 1));
    }

    #[test]
    fn what_was_not_remembered_is_not_zero() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let records = Records::new(start, 2);
        for millis in [1, 2, 3] {
            records.add(0, at(millis), false);
        }
        assert_eq!(records.between(0, at(0), at(3), false), Some(2));
        assert_eq!(records.between(0, at(0), at(4), false), None);
        assert_eq!(records.between(1, at(4), at(5), false), None);
        assert_eq!(records.counts(0), (3, 0));
    }
}
