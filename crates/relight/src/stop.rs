//! Ctrl-C, as a flag that long work looks at.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use relight_server::interrupt;

/// Set once somebody presses Ctrl-C, or the system asks the process to end: work then ends in
/// order and stops what it started.
pub(crate) fn stop_on_interrupt() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    thread::spawn(move || {
        // Without signals Ctrl-C ends the process as it ends any other.
        if interrupt::wait().is_ok() {
            flag.store(true, Ordering::Relaxed);
        }
    });
    stop
}
