//! What the tests share: origins, edges with their drivers, and patience with a deadline.

mod http2;
mod origin;
mod rig;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use relight_edge::EdgeError;
use relight_edge::http::Client;

pub(crate) use http2::Http2;
pub(crate) use origin::Origin;
pub(crate) use rig::{Kind, Rig, epoch, host, key, set};

/// No step of a test takes longer, however busy the machine is.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// Waits until `condition` holds; fails with `what` when it does not in time.
pub(crate) fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !condition() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        std::thread::yield_now();
    }
}

/// Whole tries at something that has a goal in time.
const TRIES_MAX: usize = 5;

/// The goal is that of a quiet machine: a busy one gets more tries, each of them whole.
pub(crate) fn within(goal: Duration, mut once: impl FnMut() -> Duration) {
    let mut times = Vec::new();
    while times.iter().all(|time| *time >= goal) {
        assert!(times.len() < TRIES_MAX, "over {goal:?} each time: {times:?}");
        times.push(once());
    }
}

/// A visitor with a connection of its own, and with patience.
pub(crate) fn visitor(listener: SocketAddr) -> Result<Client, EdgeError> {
    let mut client = Client::connect(listener)?;
    client.answer_wait_max = DEADLINE;
    Ok(client)
}

/// Lets the visitors go when the test ends, by a failure as well.
pub(crate) struct Finish<'a>(pub(crate) &'a AtomicBool);

impl Drop for Finish<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
