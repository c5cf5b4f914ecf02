//! What the tests share: origins, edges with their drivers, and patience with a deadline.

mod origin;
mod rig;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

pub(crate) use origin::Origin;
pub(crate) use rig::{Kind, Rig, epoch, host, key, set};

/// Waits until `condition` holds; fails with `what` when it does not within five seconds.
pub(crate) fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(5);
    while !condition() {
        assert!(Instant::now() < deadline, "not within five seconds: {what}");
        std::thread::yield_now();
    }
}

/// Lets the visitors go when the test ends, by a failure as well.
pub(crate) struct Finish<'a>(pub(crate) &'a AtomicBool);

impl Drop for Finish<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
