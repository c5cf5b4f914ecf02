//! Sends one request on to its origin.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::{Either, Empty};
use hyper::body::{Body, Incoming};
use hyper::header::HeaderValue;
use hyper::{Method, Request, Response, StatusCode, Uri, Version};
use relight_model::GateKey;
use tokio::time::timeout;

use super::answer::{RequestBody, ResponseBody};
use super::counters::count;
use super::drain::{Cut, Streamed};
use super::gate::GateSeen;
use super::headers::{self, Peer};
use super::pool::{ConnectError, Pool, Sender};
use super::table::{Edge, Site};

/// How long an origin may take to answer a request that has a body, from its first byte on.
const UPLOAD_TIMEOUT: Duration = Duration::from_secs(600);

/// Why a request was not answered by its origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The gate closed, or became unreadable, while a connection was being made.
    Gate(GateSeen),
    /// The origin cannot be reached, broke off, or broke the protocol.
    Origin,
    /// The origin did not answer in time.
    TimedOut,
    /// The gate closed while the request was under way, and its time of grace is over.
    Drained,
    /// Too many tunnels are open.
    TooManyTunnels,
}

impl From<ConnectError> for Failure {
    fn from(error: ConnectError) -> Self {
        match error {
            ConnectError::Failed => Self::Origin,
            ConnectError::TimedOut => Self::TimedOut,
        }
    }
}

/// What a request towards an origin needs to know.
#[derive(Clone, Copy)]
pub(super) struct Passage<'a> {
    pub(super) edge: &'a Arc<Edge>,
    pub(super) site: &'a Arc<Site>,
    pub(super) pool: &'a Arc<Pool>,
    pub(super) peer: Peer,
    /// The gates that have to be open: that of the site, and those of parts.
    pub(super) keys: &'a [GateKey],
}

impl Passage<'_> {
    /// The gate as this request sees it: the verification path passes it.
    pub(super) fn gate(&self) -> GateSeen {
        match self.peer {
            Peer::Public(_) => {
                let closed = self.edge.gate.first_closed(self.keys);
                closed.map_or(GateSeen::Lit, |(_, seen)| seen)
            }
            Peer::Verify => GateSeen::Lit,
        }
    }

    /// A new connection, and the gate once more: making one may have taken seconds.
    pub(super) async fn connect(&self) -> Result<Sender, Failure> {
        let sender = self.pool.connect().await?;
        match self.gate() {
            GateSeen::Lit => Ok(sender),
            closed @ (GateSeen::Dark | GateSeen::Unreadable) => Err(Failure::Gate(closed)),
        }
    }

    /// Counts a request that goes to the origin now.
    pub(super) fn count(&self) {
        match self.peer {
            Peer::Public(_) => count(&self.site.counts.forwarded),
            Peer::Verify => count(&self.site.counts.verified),
        }
    }

    /// Sends `request`, on a kept connection if there is one.
    ///
    /// A kept connection may have died unseen. A request that was not sent goes out again on a
    /// new one; one that was sent does so once, if it has no body and may be repeated
    /// (RFC 9110 9.2.2).
    pub(super) async fn exchange(
        &self,
        mut request: Request<RequestBody>,
    ) -> Result<Response<Incoming>, Failure> {
        if let Some(sender) = self.pool.take() {
            let spare = copy(&request);
            self.count();
            match self.send(sender, request).await {
                Ok(response) => return Ok(response),
                Err(SendError::TimedOut) => return Err(Failure::TimedOut),
                Err(SendError::NotSent(unsent)) => request = *unsent,
                Err(SendError::Broken) => request = spare.ok_or(Failure::Origin)?,
            }
        } else {
            let sender = self.connect().await?;
            self.count();
            return self.send(sender, request).await.map_err(Failure::from);
        }
        let sender = self.connect().await?;
        self.send(sender, request).await.map_err(Failure::from)
    }

    async fn send(
        &self,
        mut sender: Sender,
        request: Request<RequestBody>,
    ) -> Result<Response<Incoming>, SendError> {
        let response = self.send_on(&mut sender, request).await?;
        self.pool.give_back(sender);
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            return Err(SendError::Broken);
        }
        Ok(response)
    }

    /// Sends `request` on this connection and waits for the head of the response.
    pub(super) async fn send_on(
        &self,
        sender: &mut Sender,
        request: Request<RequestBody>,
    ) -> Result<Response<Incoming>, SendError> {
        let wait = match request.body() {
            Either::Left(_) => self.edge.limits.response_timeout,
            Either::Right(_) => UPLOAD_TIMEOUT.max(self.edge.limits.response_timeout),
        };
        match timeout(wait, sender.try_send_request(request)).await {
            Err(_) => Err(SendError::TimedOut),
            Ok(Ok(response)) => Ok(response),
            Ok(Err(mut error)) => match error.take_message() {
                Some(request) => Err(SendError::NotSent(Box::new(request))),
                None => Err(SendError::Broken),
            },
        }
    }
}

/// How sending on one connection failed.
pub(super) enum SendError {
    /// Not one byte went out: here it is again.
    NotSent(Box<Request<RequestBody>>),
    /// It went out, at least in part.
    Broken,
    /// It went out, and no response came in time.
    TimedOut,
}

impl From<SendError> for Failure {
    fn from(error: SendError) -> Self {
        match error {
            SendError::NotSent(_) | SendError::Broken => Self::Origin,
            SendError::TimedOut => Self::TimedOut,
        }
    }
}

/// The request of a client as a request to its origin.
pub(super) fn to_origin(
    request: Request<Incoming>,
    peer: Peer,
    host: HeaderValue,
    cut: Cut,
) -> Request<RequestBody> {
    let (mut parts, body) = request.into_parts();
    // The origin form only (RFC 9112 3.2.1): the authority travels in `Host`.
    parts.uri = parts.uri.path_and_query().cloned().map(Uri::from).unwrap_or_default();
    parts.version = Version::HTTP_11;
    headers::to_origin(&mut parts.headers, peer, host);
    let body = match body.is_end_stream() {
        true => Either::Left(Empty::new()),
        false => Either::Right(Streamed::new(body, cut)),
    };
    let mut outgoing = Request::new(body);
    *outgoing.method_mut() = parts.method;
    *outgoing.uri_mut() = parts.uri;
    *outgoing.headers_mut() = parts.headers;
    outgoing
}

/// The response of an origin as a response to the client.
pub(super) fn to_client(response: Response<Incoming>, cut: Cut) -> Response<ResponseBody> {
    let (mut parts, body) = response.into_parts();
    headers::to_client(&mut parts.headers);
    parts.version = Version::HTTP_11;
    let mut outgoing = Response::new(Either::Right(Streamed::new(body, cut)));
    *outgoing.status_mut() = parts.status;
    *outgoing.headers_mut() = parts.headers;
    outgoing
}

/// A second copy of a request that may be sent twice.
fn copy(request: &Request<RequestBody>) -> Option<Request<RequestBody>> {
    let repeatable = [Method::GET, Method::HEAD, Method::OPTIONS, Method::PUT, Method::DELETE];
    if matches!(request.body(), Either::Right(_)) || !repeatable.contains(request.method()) {
        return None;
    }
    let mut again = Request::new(Either::Left(Empty::new()));
    *again.method_mut() = request.method().clone();
    *again.uri_mut() = request.uri().clone();
    *again.headers_mut() = request.headers().clone();
    Some(again)
}
