//! One request: whose it is, whether its gate is open, and who answers.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use hyper::header::EXPECT;
use hyper::{Method, Request, Response, StatusCode};
use relight_model::GateKey;
use tokio::time::timeout;

use super::acme;
use super::answer::{ResponseBody, own, plain};
use super::counters::count;
use super::drain;
use super::forward::{self, Failure, Passage};
use super::gate::GateSeen;
use super::headers::{self, Peer};
use super::holding;
use super::part;
use super::table::{Backend, Edge, Site};
use super::tunnel;
use crate::host::{self, HostError, Named};

/// Body of a refused request that is read and thrown away, in bytes, so that the client sees its
/// answer instead of a reset; a longer one is cut off.
const REFUSED_BODY_BYTES_MAX: usize = 1024 * 1024;
/// How long that may take.
const REFUSED_BODY_TIMEOUT: Duration = Duration::from_secs(5);

/// Answers one request; a failure is an answer too.
pub(super) async fn serve(
    edge: Arc<Edge>,
    peer: Peer,
    request: Request<Incoming>,
) -> Result<Response<ResponseBody>, Infallible> {
    let (site, host) = match site_of(&edge, &request) {
        Ok(found) => found,
        Err(status) => {
            let others = &edge.others;
            let misdirected = status == StatusCode::MISDIRECTED_REQUEST;
            count(if misdirected { &others.misdirected } else { &others.invalid });
            discard(request);
            return Ok(plain(status));
        }
    };
    if request.uri().path().starts_with(acme::PREFIX) {
        count(&edge.others.acme);
        let answer = acme::answer(&edge.acme, request.method(), request.uri().path());
        discard(request);
        return Ok(answer);
    }
    let keys = part::keys_of(&site, peer, request.method(), request.uri().path());
    if let Some(shut) = first_closed(&edge, peer, &keys) {
        let answer = closed(&edge, &site, shut, &Refused::of(&request));
        discard(request);
        return Ok(answer);
    }
    Ok(match &site.backend {
        Backend::Canary => {
            discard(request);
            own(StatusCode::OK, "relight canary\n")
        }
        Backend::Origin(pool) => {
            let passage = Passage { edge: &edge, site: &site, pool, peer, keys: &keys };
            pass(passage, host, request).await
        }
    })
}

/// The first gate that holds a request back; the verification path has none.
fn first_closed<'a>(
    edge: &Edge,
    peer: Peer,
    keys: &'a [GateKey],
) -> Option<(&'a GateKey, GateSeen)> {
    match peer {
        Peer::Public(_) => edge.gate.first_closed(keys),
        Peer::Verify => None,
    }
}

/// The site that a request names, and the host as it wrote it.
fn site_of(edge: &Edge, request: &Request<Incoming>) -> Result<(Arc<Site>, Named), StatusCode> {
    if request.method() == Method::CONNECT || request.method() == Method::TRACE {
        return Err(StatusCode::METHOD_NOT_ALLOWED);
    }
    match host::named(request.version(), request.uri(), request.headers()) {
        Ok(named) => match edge.site_by_host(&named.host) {
            Some(site) => Ok((Arc::clone(site), named)),
            None => Err(StatusCode::MISDIRECTED_REQUEST),
        },
        Err(HostError::Absent) => Err(StatusCode::MISDIRECTED_REQUEST),
        Err(HostError::Invalid) => Err(StatusCode::BAD_REQUEST),
    }
}

/// Sends a request through the open gate.
async fn pass(
    passage: Passage<'_>,
    host: Named,
    request: Request<Incoming>,
) -> Response<ResponseBody> {
    let refused = Refused::of(&request);
    let cut = match passage.peer {
        Peer::Public(_) => Some(passage.site.drain.subscribe()),
        Peer::Verify => None,
    };
    // It may have closed before this request counted as under way, and dark be proven since.
    if let Some(shut) = first_closed(passage.edge, passage.peer, passage.keys) {
        drop(cut);
        let answer = closed(passage.edge, passage.site, shut, &refused);
        discard(request);
        return answer;
    }
    let answering = async {
        if headers::is_websocket(request.headers()) {
            return tunnel::open(passage, host.as_sent, request, cut.clone()).await;
        }
        let outgoing = forward::to_origin(request, passage.peer, host.as_sent, cut.clone());
        let response = passage.exchange(outgoing).await?;
        Ok(forward::to_client(response, cut.clone()))
    };
    let answered = tokio::select! {
        answered = answering => answered,
        () = drain::over(cut.clone()) => Err(Failure::Drained),
    };
    // A body that was broken off makes the exchange fail too, and may be the first to say so.
    let drained = cut.is_some_and(|cut| cut.has_changed().unwrap_or(false));
    let answered = answered.map_err(|failure| if drained { Failure::Drained } else { failure });
    answered.unwrap_or_else(|failure| {
        let status = match failure {
            Failure::Gate(seen) => {
                // It may have opened again meanwhile; the answer is that of the request's time.
                let now = passage.edge.gate.first_closed(passage.keys);
                let shut = now.unwrap_or((&passage.site.key, seen));
                return closed(passage.edge, passage.site, shut, &refused);
            }
            Failure::Drained | Failure::TooManyTunnels => {
                return plain(StatusCode::SERVICE_UNAVAILABLE);
            }
            Failure::Origin => StatusCode::BAD_GATEWAY,
            Failure::TimedOut => StatusCode::GATEWAY_TIMEOUT,
        };
        count(&passage.site.counts.failed);
        plain(status)
    })
}

/// What a refusal needs of a request that may be gone by then.
struct Refused {
    method: Method,
    accept: hyper::HeaderMap,
}

impl Refused {
    fn of(request: &Request<Incoming>) -> Self {
        let name = hyper::header::ACCEPT;
        let values = request.headers().get_all(&name).iter();
        let accept = values.map(|value| (name.clone(), value.clone())).collect();
        Self { method: request.method().clone(), accept }
    }
}

/// The answer of a gate that is not open.
fn closed(
    edge: &Edge,
    site: &Site,
    (key, seen): (&GateKey, GateSeen),
    refused: &Refused,
) -> Response<ResponseBody> {
    let Refused { method, accept } = refused;
    if seen == GateSeen::Dark {
        count(&site.counts.refused);
        let draw = edge.held.fetch_add(1, Ordering::Relaxed);
        // What goes into a part is not told from what goes to the rest of its site.
        let is_busy = *key == site.key && site.is_busy();
        return holding::dark((&edge.hold, &site.key), (key, is_busy), method, accept, draw);
    }
    count(&site.counts.gate_unreadable);
    holding::unreadable((&edge.hold, &site.key), method, accept)
}

/// Reads the body of a request that nobody wants, within limits, beside its answer.
fn discard(request: Request<Incoming>) {
    // Who asked first (RFC 9110 10.1.1) has not sent a body, and reading would ask for it.
    if request.body().is_end_stream() || request.headers().contains_key(EXPECT) {
        return;
    }
    tokio::spawn(timeout(REFUSED_BODY_TIMEOUT, async move {
        let mut body = request.into_body();
        let mut left = REFUSED_BODY_BYTES_MAX;
        while let Some(Ok(frame)) = body.frame().await {
            let Some(rest) = left.checked_sub(frame.data_ref().map_or(0, |data| data.len())) else {
                return;
            };
            left = rest;
        }
    }));
}
