//! Kept connections to one origin.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::HEADER_BYTES_MAX;
use super::answer::RequestBody;

/// Idle connections kept for one origin; more are closed when they come back.
const IDLE_MAX: usize = 128;
/// How long an idle connection is kept. Shorter than what origins allow in practice, so that it
/// is seldom found dead.
const IDLE_AGE_MAX: Duration = Duration::from_secs(4);
/// How long connecting to an origin may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// One connection to an origin, ready for one request at a time.
pub(super) type Sender = SendRequest<RequestBody>;

/// The connections to one origin.
#[derive(Debug)]
pub(super) struct Pool {
    upstream: SocketAddr,
    idle: Mutex<Vec<Idle>>,
}

#[derive(Debug)]
struct Idle {
    sender: Sender,
    since: Instant,
}

/// Why there is no connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ConnectError {
    /// Refused, reset or not routed.
    Failed,
    /// No answer in time.
    TimedOut,
}

impl Pool {
    pub(super) fn new(upstream: SocketAddr) -> Self {
        Self { upstream, idle: Mutex::new(Vec::new()) }
    }

    /// The connection that came back last and is still usable.
    pub(super) fn take(&self) -> Option<Sender> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(Idle { sender, since }) = idle.pop() {
            if since.elapsed() > IDLE_AGE_MAX {
                // The ones below came back earlier still.
                idle.clear();
                return None;
            }
            if sender.is_ready() && !sender.is_closed() {
                return Some(sender);
            }
        }
        None
    }

    /// A new connection.
    pub(super) async fn connect(&self) -> Result<Sender, ConnectError> {
        let connected = timeout(CONNECT_TIMEOUT, TcpStream::connect(self.upstream)).await;
        let stream =
            connected.map_err(|_| ConnectError::TimedOut)?.map_err(|_| ConnectError::Failed)?;
        stream.set_nodelay(true).map_err(|_| ConnectError::Failed)?;
        let (mut sender, connection) = Builder::new()
            .max_header_size(HEADER_BYTES_MAX)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|_| ConnectError::Failed)?;
        // Its error is told to the request that was on it.
        tokio::spawn(connection.with_upgrades());
        sender.ready().await.map_err(|_| ConnectError::Failed)?;
        Ok(sender)
    }

    /// Takes a connection back as soon as the response on it has been read to its end.
    pub(super) fn give_back(self: &Arc<Self>, mut sender: Sender) {
        let pool = Arc::clone(self);
        tokio::spawn(async move {
            if sender.ready().await.is_ok() {
                let mut idle = pool.idle.lock().unwrap_or_else(PoisonError::into_inner);
                if idle.len() < IDLE_MAX {
                    idle.push(Idle { sender, since: Instant::now() });
                }
            }
        });
    }
}
