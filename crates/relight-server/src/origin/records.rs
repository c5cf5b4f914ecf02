//! When each request began: 8 bytes a request, with an upper bound that is never passed unseen.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// The requests of one origin.
#[derive(Debug)]
pub(super) struct Records {
    start: Instant,
    records_max: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    sites: HashMap<u32, Requests>,
    /// Requests remembered, over all sites.
    length: usize,
    /// When the first request came that was not remembered, in nanoseconds since the start.
    lost_from: Option<u64>,
}

/// The requests of one site.
#[derive(Debug, Default)]
struct Requests {
    /// Nanoseconds since the start, times 2, plus 1 for the verification path: 292 years.
    began: Vec<u64>,
    /// All of visitors; also those that were not remembered.
    visitors: u64,
    /// All of the verification path; also those that were not remembered.
    verifications: u64,
}

impl Records {
    pub(super) fn new(start: Instant, records_max: usize) -> Self {
        Self { start, records_max, kept: Mutex::default() }
    }

    pub(super) fn add(&self, site: u32, at: Instant, verify: bool) {
        let nanos = self.nanos(at);
        let mut kept = self.lock();
        let fits = kept.length < self.records_max;
        let requests = kept.sites.entry(site).or_default();
        *(if verify { &mut requests.verifications } else { &mut requests.visitors }) += 1;
        if fits {
            requests.began.push(nanos << 1 | u64::from(verify));
            kept.length += 1;
        } else {
            // Two requests may arrive here out of order; the earlier one decides.
            kept.lost_from = Some(kept.lost_from.map_or(nanos, |first| first.min(nanos)));
        }
    }

    /// Visitors and verifications of one site since the start.
    pub(super) fn counts(&self, site: u32) -> (u64, u64) {
        let kept = self.lock();
        kept.sites.get(&site).map_or((0, 0), |one| (one.visitors, one.verifications))
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
        let wanted = |began: &&u64| {
            (include_verify || **began & 1 == 0) && (from..to).contains(&(**began >> 1))
        };
        Some(kept.sites.get(&site).map_or(0, |one| one.began.iter().filter(wanted).count() as u64))
    }

    fn nanos(&self, at: Instant) -> u64 {
        let since = at.saturating_duration_since(self.start);
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX).min(u64::MAX >> 1)
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
