//! WebSockets: copied both ways, counted per site, cut when the gate closes.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::HeaderValue;
use hyper::upgrade::{self, OnUpgrade};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
use tokio::sync::watch;
use tokio::time::timeout;

use super::answer::{ResponseBody, own};
use super::drain::Cut;
use super::forward::{Failure, Passage, to_client, to_origin};
use super::gate::GateSeen;
use super::headers::{self, Peer};
use super::table::{Edge, Site};
use super::websocket::{CLOSE_SERVICE_RESTART, Frames};

/// How long the farewell to the client of a cut tunnel may take.
const FAREWELL_TIMEOUT: Duration = Duration::from_millis(250);
/// How long the second direction may go on after the first one ended.
const HALF_CLOSED_TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes copied at once in one direction.
const COPY_BYTES: usize = 16 * 1024;

/// A place among the open tunnels, given back when it is dropped.
struct Place {
    edge: Arc<Edge>,
    /// The site, unless the tunnel belongs to the verification path.
    site: Option<Arc<Site>>,
    cut: watch::Receiver<u64>,
}

impl Place {
    fn take(passage: &Passage<'_>) -> Option<Self> {
        let edge = Arc::clone(passage.edge);
        let (site, cut) = match passage.peer {
            Peer::Public(_) => (Some(Arc::clone(passage.site)), passage.site.cut.subscribe()),
            Peer::Verify => (None, edge.cut_verify.subscribe()),
        };
        if edge.tunnels.fetch_add(1, Ordering::SeqCst) >= edge.limits.tunnels_max {
            edge.tunnels.fetch_sub(1, Ordering::SeqCst);
            return None;
        }
        if let Some(site) = &site {
            site.tunnels.fetch_add(1, Ordering::SeqCst);
        }
        Some(Self { edge, site, cut })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.edge.tunnels.fetch_sub(1, Ordering::SeqCst);
        if let Some(site) = &self.site {
            site.tunnels.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

/// Sends a request for a WebSocket, and becomes a tunnel if the origin agrees.
pub(super) async fn open(
    passage: Passage<'_>,
    host: HeaderValue,
    mut request: Request<Incoming>,
    request_cut: Cut,
) -> Result<Response<ResponseBody>, Failure> {
    // Counted first, gate second: once the gate is closed, a count of 0 stays 0.
    let place = Place::take(&passage).ok_or(Failure::TooManyTunnels)?;
    match passage.gate() {
        GateSeen::Lit => {}
        closed @ (GateSeen::Dark | GateSeen::Unreadable) => return Err(Failure::Gate(closed)),
    }
    let client = upgrade::on(&mut request);
    let mut outgoing = to_origin(request, passage.peer, host, request_cut.clone());
    headers::set_websocket(outgoing.headers_mut());
    let mut sender = passage.connect().await?;
    passage.count();
    let mut response = passage.send_on(&mut sender, outgoing).await?;
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        passage.pool.give_back(sender);
        return Ok(to_client(response, request_cut));
    }
    if !headers::is_websocket(response.headers()) {
        return Err(Failure::Origin);
    }
    let origin = upgrade::on(&mut response);
    tokio::spawn(run(place, client, origin));
    headers::to_client(response.headers_mut());
    let mut answer = own(StatusCode::SWITCHING_PROTOCOLS, "");
    *answer.headers_mut() = std::mem::take(response.headers_mut());
    headers::set_websocket(answer.headers_mut());
    Ok(answer)
}

/// Copies until both directions end or the tunnel is cut.
async fn run(mut place: Place, client: OnUpgrade, origin: OnUpgrade) {
    let mut cut = place.cut.clone();
    let both = async { tokio::try_join!(client, origin) };
    tokio::pin!(both);
    let upgraded = tokio::select! {
        upgraded = &mut both => upgraded.ok(),
        // Cut this early, the client may have read its 101 already: it still gets its goodbye.
        _ = cut.changed() => timeout(FAREWELL_TIMEOUT, both).await.ok().and_then(Result::ok),
    };
    let Some((client, origin)) = upgraded else { return };
    let (mut from_client, mut to_client) = split(TokioIo::new(client));
    let (mut from_origin, mut to_origin) = split(TokioIo::new(origin));
    let (mut frames_down, mut frames_up) = (Frames::default(), Frames::default());
    let copying = async {
        let up = copy(&mut from_client, &mut to_origin, &mut frames_up);
        let down = copy(&mut from_origin, &mut to_client, &mut frames_down);
        tokio::pin!(up, down);
        tokio::select! {
            () = &mut up => drop(timeout(HALF_CLOSED_TIMEOUT, down).await),
            () = &mut down => drop(timeout(HALF_CLOSED_TIMEOUT, up).await),
        }
    };
    tokio::select! {
        () = copying => return,
        _ = place.cut.changed() => {}
    }
    // In the middle of a frame a close frame would be payload: then the end is abrupt.
    let close = frames_down.at_boundary().then_some(CLOSE_SERVICE_RESTART);
    drop(to_origin);
    drop(from_origin);
    let _ = timeout(FAREWELL_TIMEOUT, farewell(&mut from_client, &mut to_client, close)).await;
}

/// Copies one direction, telling `frames` what has really been written.
async fn copy(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    frames: &mut Frames,
) {
    let mut buffer = vec![0; COPY_BYTES];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        let mut rest = &buffer[..length];
        while !rest.is_empty() {
            // `write`, not `write_all`: a cut must know where the stream stands.
            let Ok(written @ 1..) = to.write(rest).await else { return };
            frames.feed(&rest[..written]);
            rest = &rest[written..];
        }
    }
    let _ = to.shutdown().await;
}

/// Says goodbye to the client and waits for it to hang up, so that the goodbye is not lost.
async fn farewell(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    close: Option<[u8; 4]>,
) {
    if let Some(frame) = close
        && to.write_all(&frame).await.is_err()
    {
        return;
    }
    let _ = to.shutdown().await;
    let mut unread = vec![0; COPY_BYTES];
    while let Ok(1..) = from.read(&mut unread).await {}
}
