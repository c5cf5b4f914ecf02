//! The listener of agents: TLS with a certificate of the server's own authority, and an agent is
//! who shows one of it. Without one, nobody gets further than enrolment.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use relight_model::Digest;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::server::TlsStream;

use super::authority::believing;
use super::edges::poll::{self, Held};
use super::greetings::Greeting;
use super::places::Places;
use super::wire::{
    EDGE, ENROL, INVENTORY, INVENTORY_BYTES_MAX, RENEW, REQUEST_BYTES_MAX, Refusal, TURN,
};
use super::{AgentDesk, Refused};
use crate::access::digest_of;
use crate::listen::{HEAD_BYTES_MAX, HEAD_WAIT_MAX, Peered, accepted};
use crate::runtime::STOP_TIMEOUT;
use crate::{ServerError, runtime};

/// Connections of agents at a time; another one waits to be taken.
pub const CONNECTIONS_MAX: usize = 1_024;

/// Inventories that are read at a time; another one is told to come again.
pub const INVENTORIES_MAX: usize = 2;

/// Connections of one address (of one network of IPv6) at a time.
pub const OF_ONE_MAX: usize = 256;

/// Connections at a time of those who show no certificate.
pub const STRANGERS_MAX: usize = 64;

/// Longest time for all that somebody without a certificate asks.
pub const STRANGER_WAIT_MAX: Duration = Duration::from_secs(20);

/// Handshakes at a time; when another one begins, the oldest is cut of the network that has most.
pub const GREETINGS_MAX: usize = 512;

/// Longest time for a handshake.
pub const HANDSHAKE_MAX: Duration = Duration::from_secs(10);

/// Longest time in which a request must have come.
pub(super) const BODY_WAIT_MAX: Duration = Duration::from_secs(10);

/// Longest time in which an inventory must have come.
const INVENTORY_WAIT_MAX: Duration = Duration::from_secs(120);

/// What is taken at most.
#[derive(Clone, Copy, Debug)]
pub struct AgentLimits {
    /// See [`CONNECTIONS_MAX`].
    pub connections: usize,
    /// See [`OF_ONE_MAX`].
    pub of_one: usize,
    /// See [`GREETINGS_MAX`]; never more than half of the connections.
    pub greetings: usize,
    /// See [`STRANGERS_MAX`].
    pub strangers: usize,
    /// See [`STRANGER_WAIT_MAX`].
    pub stranger_wait: Duration,
    /// See [`HANDSHAKE_MAX`].
    pub handshake: Duration,
}

impl Default for AgentLimits {
    fn default() -> Self {
        Self {
            connections: CONNECTIONS_MAX,
            of_one: OF_ONE_MAX,
            greetings: GREETINGS_MAX,
            strangers: STRANGERS_MAX,
            stranger_wait: STRANGER_WAIT_MAX,
            handshake: HANDSHAKE_MAX,
        }
    }
}

/// A running listener of agents; dropping it stops it.
#[derive(Debug)]
pub struct AgentListener {
    runtime: Option<Runtime>,
    address: SocketAddr,
}

impl AgentListener {
    /// Starts it. It answers when this returns.
    ///
    /// # Errors
    /// The listener cannot be opened, or the certificate cannot be made.
    pub fn start(
        desk: Arc<AgentDesk>,
        address: SocketAddr,
        limits: AgentLimits,
    ) -> Result<Self, ServerError> {
        let (acceptor, places) = (acceptor(&desk)?, Places::new(limits));
        let runtime = runtime::start("relight-agents")?;
        let entered = runtime.enter();
        let (listener, address) = runtime::listen(address)?;
        let router = TowerToHyperService::new(router(desk));
        runtime.spawn(accept(listener, Door { acceptor, router, places, limits }));
        drop(entered);
        Ok(Self { runtime: Some(runtime), address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for AgentListener {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(STOP_TIMEOUT);
        }
    }
}

/// TLS 1.3 only: both ends are ours. A certificate of anybody else ends the handshake.
fn acceptor(desk: &AgentDesk) -> Result<TlsAcceptor, ServerError> {
    let failed = |error: &dyn std::error::Error| {
        ServerError::caused("speak TLS with agents", error.to_string())
    };
    let provider = Arc::new(ring::default_provider());
    let authority = desk.authority();
    let roots = Arc::new(believing(authority.certificate())?);
    let clients = WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(&provider));
    let clients = clients.allow_unauthenticated().build().map_err(|error| failed(&error))?;
    let (certificate, key) = authority.for_server()?;
    let chain = vec![certificate, authority.certificate().clone()];
    let versions = [&tokio_rustls::rustls::version::TLS13];
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&versions)
        .map_err(|error| failed(&error))?
        .with_client_cert_verifier(clients)
        .with_single_cert(chain, PrivatePkcs8KeyDer::from(key).into())
        .map_err(|error| failed(&error))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Who asks.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    address: String,
    /// Digest of the certificate that it showed.
    pub(super) fingerprint: Option<Digest>,
}

/// What all connections share.
#[derive(Clone)]
struct Door {
    acceptor: TlsAcceptor,
    router: TowerToHyperService<Router>,
    places: Arc<Places>,
    limits: AgentLimits,
}

async fn accept(listener: TcpListener, door: Door) {
    loop {
        let Some(room) = door.places.room().await else { return };
        let (stream, peer) = accepted(&listener).await;
        let (door, greeting) = (door.clone(), door.places.greet(peer.ip()));
        tokio::spawn(async move {
            if let Some(stream) = greeted(stream, &door, greeting).await {
                connection(stream, peer, door).await;
            }
            drop(room);
        });
    }
}

/// The handshake, unless it takes too long or is cut.
async fn greeted(
    stream: TcpStream,
    door: &Door,
    mut greeting: Greeting,
) -> Option<TlsStream<TcpStream>> {
    let through = timeout(door.limits.handshake, door.acceptor.accept(stream));
    tokio::select! {
        greeted = through => greeted.ok()?.ok(),
        () = greeting.cut() => None,
    }
}

/// One request on one connection: whoever has its answer gives the place to the next.
async fn connection(stream: TlsStream<TcpStream>, peer: SocketAddr, door: Door) {
    let Some(_place) = door.places.take(peer.ip()) else { return };
    let shown = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
    let fingerprint = shown.map(|certificate| digest_of(certificate));
    let peer = Peer { address: peer.ip().to_string(), fingerprint };
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WAIT_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), Peered { router: door.router, peer });
    // Whoever breaks off, or is too slow, has no answer to get.
    if fingerprint.is_some() {
        let _ = served.await;
    } else if let Some(_share) = door.places.stranger() {
        let _ = timeout(door.limits.stranger_wait, served).await;
    }
}

fn router(desk: Arc<AgentDesk>) -> Router {
    Router::new()
        .route(ENROL, post(enrol))
        .route(RENEW, post(renew))
        .route(TURN, post(turn))
        .route(INVENTORY, post(inventory))
        .route(EDGE, post(poll::edge))
        .fallback(async || StatusCode::NOT_FOUND)
        .layer(Extension(Arc::new(Room(Semaphore::new(INVENTORIES_MAX)))))
        .layer(Extension(Arc::new(Held::new())))
        .with_state(desk)
}

async fn enrol(
    State(desk): State<Arc<AgentDesk>>,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> Response {
    answered(request, move |asked| desk.enrol(&asked, &peer.address)).await
}

async fn renew(
    State(desk): State<Arc<AgentDesk>>,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> Response {
    answered(request, move |asked| desk.renew(peer.fingerprint, &asked)).await
}

async fn turn(
    State(desk): State<Arc<AgentDesk>>,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> Response {
    answered(request, move |asked| desk.turn(peer.fingerprint, &asked)).await
}

/// Room for inventories in memory.
struct Room(Semaphore);

async fn inventory(
    State(desk): State<Arc<AgentDesk>>,
    Extension(peer): Extension<Peer>,
    Extension(room): Extension<Arc<Room>>,
    request: Request,
) -> Response {
    // Nobody who is not let in makes us read that much.
    let admitting = Arc::clone(&desk);
    let admitted = tokio::task::spawn_blocking(move || admitting.admitted(peer.fingerprint)).await;
    match admitted {
        Ok(Ok(_)) => {}
        Ok(Err(refused)) => return refusal(status(&refused), refused.code()),
        Err(_) => return refusal(StatusCode::INTERNAL_SERVER_ERROR, "failed"),
    }
    let Ok(_place) = room.0.try_acquire() else {
        return refusal(StatusCode::SERVICE_UNAVAILABLE, "busy");
    };
    within(request, (INVENTORY_BYTES_MAX, INVENTORY_WAIT_MAX), move |asked| {
        // What was true before the body came counts no more.
        let (agent, _) = desk.admitted(peer.fingerprint)?;
        desk.take_inventory(&agent, &asked)
    })
    .await
}

/// Reads what is asked, within limits of time and size, and answers it.
async fn answered<I: DeserializeOwned + Send + 'static, O: Serialize>(
    request: Request,
    work: impl FnOnce(I) -> Result<O, Refused> + Send + 'static,
) -> Response {
    within(request, (REQUEST_BYTES_MAX, BODY_WAIT_MAX), work).await
}

async fn within<I: DeserializeOwned + Send + 'static, O: Serialize>(
    request: Request,
    (bytes_max, wait_max): (usize, Duration),
    work: impl FnOnce(I) -> Result<O, Refused> + Send + 'static,
) -> Response {
    let read = timeout(wait_max, to_bytes(request.into_body(), bytes_max)).await;
    let body = match read {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return refusal(StatusCode::PAYLOAD_TOO_LARGE, "malformed"),
        Err(_) => return refusal(StatusCode::REQUEST_TIMEOUT, "malformed"),
    };
    let Ok(asked) = serde_json::from_slice::<I>(&body) else {
        return refusal(StatusCode::BAD_REQUEST, "malformed");
    };
    // The register is read and written where that holds nobody else up.
    let worked = tokio::task::spawn_blocking(move || match work(asked) {
        Ok(done) => document(StatusCode::OK, &done),
        Err(refused) => refusal(status(&refused), refused.code()),
    });
    worked.await.unwrap_or_else(|_| refusal(StatusCode::INTERNAL_SERVER_ERROR, "failed"))
}

pub(super) fn status(refused: &Refused) -> StatusCode {
    match refused {
        Refused::Rule("too-many-trials") => StatusCode::TOO_MANY_REQUESTS,
        Refused::Rule(_) => StatusCode::FORBIDDEN,
        Refused::Failed(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

pub(super) fn refusal(status: StatusCode, code: &str) -> Response {
    document(status, &Refusal { refused: code.to_owned() })
}

pub(super) fn document(status: StatusCode, document: &impl Serialize) -> Response {
    match serde_json::to_vec(document) {
        Ok(body) => (status, [(header::CONTENT_TYPE, "application/json")], body).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
