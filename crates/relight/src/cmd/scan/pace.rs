//! `--max-read`: a scan that takes no more than its share of a disk.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use relight_scan::Pace;

/// Bytes in a megabyte, as makers of disks count.
const MEGABYTE: u64 = 1_000_000;

/// Lets through so many bytes a second, all threads together.
#[derive(Debug)]
pub(super) struct Limit {
    bytes_per_s: u64,
    start: Instant,
    bytes: AtomicU64,
}

impl Limit {
    /// A limit in megabytes a second, which begins now.
    pub(super) fn new(megabytes_per_s: u32) -> Self {
        let bytes_per_s = u64::from(megabytes_per_s.max(1)) * MEGABYTE;
        Self { bytes_per_s, start: Instant::now(), bytes: AtomicU64::new(0) }
    }

    /// When so many bytes may have been read, from the start.
    fn due(&self, bytes: u64) -> Duration {
        Duration::from_secs_f64(bytes as f64 / self.bytes_per_s as f64)
    }
}

impl Pace for Limit {
    fn read(&self, bytes: u64) {
        let bytes = self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let early = self.due(bytes).saturating_sub(self.start.elapsed());
        // The whole point of the option is to be slower than the disk.
        thread::sleep(early);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_megabyte_takes_its_part_of_a_second() {
        let limit = Limit::new(4);
        assert_eq!(limit.due(0), Duration::ZERO);
        assert_eq!(limit.due(MEGABYTE), Duration::from_millis(250));
        assert_eq!(limit.due(8 * MEGABYTE), Duration::from_secs(2));
        assert_eq!(Limit::new(0).due(MEGABYTE), Duration::from_secs(1), "never endless");
        let before = Instant::now();
        limit.read(40_000);
        limit.read(40_000);
        assert!(before.elapsed() >= Duration::from_millis(15), "two reads of 10 ms each");
    }
}
