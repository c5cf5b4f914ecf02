//! Waits until a person or the system asks the program to stop.

use tokio::signal::unix::{SignalKind, signal};

use crate::{ServerError, runtime};

/// Returns once Ctrl-C was pressed or the process was asked to terminate; calls `ready` when from
/// now on neither ends the process by itself. Not to be called from async code.
///
/// # Errors
/// When signals cannot be received.
pub fn wait(ready: impl FnOnce()) -> Result<(), ServerError> {
    let runtime = runtime::start("relight-signal")?;
    runtime.block_on(async {
        let failed = |error| ServerError::new(format!("wait for a signal: {error}"));
        let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
        ready();
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        Ok(())
    })
}
