//! Waits until a person or the system asks the program to stop.

use tokio::signal::unix::{SignalKind, signal};

use crate::{ServerError, runtime};

/// Returns once Ctrl-C was pressed or the process was asked to terminate. Not to be called from
/// async code.
///
/// # Errors
/// When signals cannot be received.
pub fn wait() -> Result<(), ServerError> {
    let runtime = runtime::start("relight-signal")?;
    runtime.block_on(async {
        let failed = |error| ServerError::new(format!("wait for a signal: {error}"));
        let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        Ok(())
    })
}
