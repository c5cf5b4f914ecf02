//! The private tokio runtime behind each blocking handle, and its listeners.

use std::net::{SocketAddr, TcpListener as StdListener};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;

use crate::ServerError;

/// Worker threads of one private runtime.
const WORKERS: usize = 2;
/// How long the end of a handle waits for its threads.
pub(crate) const STOP_TIMEOUT: Duration = Duration::from_secs(1);

/// Starts a runtime whose threads carry `name`.
pub(crate) fn start(name: &str) -> Result<Runtime, ServerError> {
    Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .thread_name(name)
        .enable_all()
        .build()
        .map_err(|cause| ServerError::caused(format!("start the threads of {name}"), cause))
}

/// Listens on `address`; port 0 takes a free one. Call it inside a runtime.
pub(crate) fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), ServerError> {
    let failed = |cause| ServerError::caused(format!("listen on {address}"), cause);
    let listener = StdListener::bind(address).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((TcpListener::from_std(listener).map_err(failed)?, bound))
}

/// Ends when `stop` says so, or when nobody is left to say it.
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|&stopped| stopped).await;
}
