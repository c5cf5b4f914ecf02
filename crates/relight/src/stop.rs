//! Ctrl-C, as a flag that long work looks at.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

use relight_server::interrupt;

/// Set once somebody presses Ctrl-C, or the system asks the process to end: work then ends in
/// order and stops what it started.
pub(crate) fn stop_on_interrupt() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    let (ready, stands) = mpsc::channel::<()>();
    thread::spawn(move || {
        // Without signals Ctrl-C ends the process as it ends any other.
        if interrupt::wait(move || drop(ready)).is_ok() {
            flag.store(true, Ordering::Relaxed);
        }
    });
    // Nothing is ever sent: this ends when signals are heard, or cannot be. Whoever says only then
    // that it runs can be ended in order from its first word on.
    let _ = stands.recv();
    stop
}
