//! Data plane of the built-in edge: each site, or its holding page while its gate is closed.
//!
//! It only reads the gate directory, once per request, and keeps no gate state of its own: a dead
//! controller leaves every gate as it is. pingora-proxy was tried and left out: it wants cmake and
//! 197 crates, while hyper comes with the console anyway.

mod acme;
mod answer;
mod counters;
mod drain;
mod forward;
mod gate;
mod headers;
mod holding;
mod listener;
mod part;
mod pool;
mod serve;
mod table;
mod testers;
mod tunnel;
mod websocket;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use relight_engine::edge::config::MutualTls;
use relight_model::{GateKey, SitePart};
use tokio::runtime::Runtime;
use tokio::time::timeout;

pub use crate::host::normal as host_of;
pub use counters::{EdgeTotals, SiteCounters};

use crate::{ServerError, runtime};
use listener::Listeners;
use table::Edge;

/// Host name of the canary: answered by the edge itself, gated like a site.
pub const CANARY_HOST: &str = "relight-canary.invalid";
/// Gate key of the canary.
pub const CANARY_KEY: &str = "relight-canary";
/// Open client connections at once, over all listeners; later ones wait in the listen queue.
pub const CONNECTIONS_MAX: usize = 4_096;
/// Open tunnels (WebSockets) at once, over all sites; later ones get 503.
pub const TUNNELS_MAX: usize = 2_048;
/// Size of a request head and of a response head, in bytes; a longer one gets 431 or 502.
pub const HEADER_BYTES_MAX: usize = 32 * 1024;
/// How long an origin may take to begin its answer to a request without a body; then 504.
pub const RESPONSE_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a request that was under way may go on after the gate of its site has closed.
pub const DRAIN_GRACE: Duration = Duration::from_secs(10);
/// How long `stop` waits for requests in flight.
pub const STOP_GRACE: Duration = Duration::from_secs(10);

/// One site behind the edge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Its gate.
    pub key: GateKey,
    /// Its canonical host name.
    pub host: String,
    /// Other host names that lead to it.
    pub aliases: Vec<String>,
    /// Parts with a gate of their own.
    pub parts: Vec<SitePart>,
    /// Its origin, spoken to in HTTP/1.1.
    pub upstream: SocketAddr,
}

/// Upper bounds of one edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EdgeLimits {
    /// Open client connections at once.
    pub connections_max: usize,
    /// Open tunnels at once.
    pub tunnels_max: usize,
    /// How long an origin may take to begin its answer to a request without a body.
    pub response_timeout: Duration,
    /// How long a request may go on after the gate of its site has closed.
    pub drain_grace: Duration,
}

impl Default for EdgeLimits {
    fn default() -> Self {
        Self {
            connections_max: CONNECTIONS_MAX,
            tunnels_max: TUNNELS_MAX,
            response_timeout: RESPONSE_TIMEOUT,
            drain_grace: DRAIN_GRACE,
        }
    }
}

/// What an edge serves, and from where.
#[derive(Clone, Debug)]
pub struct EdgeProxyConfig {
    /// Public listeners; port 0 takes a free one.
    pub listen: Vec<SocketAddr>,
    /// The verification path, which passes the gate: a unix socket, made with mode 0660, or an
    /// address on loopback where testers show a certificate.
    pub verify: Option<PathBuf>,
    /// What such an address shows, and whom it lets in.
    pub testers: Option<MutualTls>,
    /// Gate directory: `<gate>/current/<key>` exists = dark.
    pub gate: PathBuf,
    /// Folder with `hold.html` and `hold.json`.
    pub hold: PathBuf,
    /// Folder with the ACME challenge answers, one file a token.
    pub acme: PathBuf,
    /// Every site.
    pub routes: Vec<Route>,
    /// Upper bounds; `EdgeLimits::default()` outside tests.
    pub limits: EdgeLimits,
}

/// The data plane of the built-in edge.
#[derive(Debug)]
pub struct EdgeProxy;

impl EdgeProxy {
    /// Starts an edge on two threads of its own. Not to be called from async code.
    ///
    /// # Errors
    /// When a route is malformed, doubled or leads back to the edge, or when a listener cannot be
    /// bound.
    pub fn start(config: EdgeProxyConfig) -> Result<EdgeProxyHandle, ServerError> {
        let EdgeProxyConfig { listen, verify, testers, gate, hold, acme, routes, limits } = config;
        if let Some(route) = routes.iter().find(|route| listen.contains(&route.upstream)) {
            let to = route.upstream;
            return Err(ServerError::new(format!("route {}: {to} is the edge itself", route.key)));
        }
        let edge = Arc::new(Edge::new(gate, hold, acme, routes, limits)?);
        let runtime = runtime::start("relight-edge")?;
        let guard = runtime.enter();
        let listeners = Listeners::start(&edge, &listen, verify.as_deref(), testers.as_ref())?;
        runtime.spawn(drain::watch_gates(Arc::clone(&edge)));
        drop(guard);
        Ok(EdgeProxyHandle { edge, listeners, runtime: Some(runtime) })
    }
}

/// A running edge; dropping it closes everything at once.
#[derive(Debug)]
pub struct EdgeProxyHandle {
    edge: Arc<Edge>,
    listeners: Listeners,
    runtime: Option<Runtime>,
}

impl EdgeProxyHandle {
    /// The addresses of the public listeners, in the order of the configuration.
    pub fn addresses(&self) -> &[SocketAddr] {
        self.listeners.addresses()
    }

    /// The counters of one site; `None` when the edge has no such site.
    pub fn counters(&self, key: &GateKey) -> Option<SiteCounters> {
        self.edge.site_by_key(key).map(|site| site.counts.read())
    }

    /// The counters over all sites.
    pub fn totals(&self) -> EdgeTotals {
        self.edge.totals()
    }

    /// Open tunnels of one site; `None` when the edge has no such site.
    pub fn tunnels(&self, key: &GateKey) -> Option<usize> {
        self.edge.site_by_key(key).map(|site| site.tunnels.load(Ordering::SeqCst))
    }

    /// Stops accepting, lets requests in flight finish for at most [`STOP_GRACE`], cuts tunnels,
    /// and returns the last totals. Not to be called from async code.
    pub fn stop(mut self) -> EdgeTotals {
        if let Some(runtime) = self.runtime.take() {
            self.listeners.stop();
            self.edge.cut_all();
            let idle = self.listeners.idle();
            let quiet = async {
                idle.await;
                self.edge.without_tunnels().await;
            };
            // After the grace the rest is closed with the runtime; there is nothing else to do.
            let _ = runtime.block_on(async { timeout(STOP_GRACE, quiet).await });
            runtime.shutdown_timeout(runtime::STOP_TIMEOUT);
        }
        self.edge.totals()
    }
}

impl Drop for EdgeProxyHandle {
    fn drop(&mut self) {
        self.listeners.stop();
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
