//! What was under way when a gate closed: tunnels end at once, requests after a time of grace.
//!
//! Without an end, a client could open an upload, wait for the gate to close, and go on talking
//! to the origin behind it.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use relight_model::GateKey;
use tokio::sync::watch;
use tokio::time::{Instant, interval};

use super::gate::GateSeen;
use super::table::Edge;

/// How often the gates of sites with something under way are looked at.
const GATE_POLL: Duration = Duration::from_millis(250);

/// Tells a request that its time is over; `None` on the verification path, which has no gate.
pub(super) type Cut = Option<watch::Receiver<u64>>;

/// Ends when the request must end.
pub(super) async fn over(cut: Cut) {
    match cut {
        // The site lives as long as the edge, so it is the only one who can say it.
        Some(mut cut) => drop(cut.changed().await),
        None => std::future::pending().await,
    }
}

/// A streamed body that breaks off when its request must end.
pub(super) struct Streamed {
    body: Incoming,
    over: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Streamed {
    pub(super) fn new(body: Incoming, cut: Cut) -> Self {
        let over = cut.map(|cut| Box::pin(over(Some(cut))) as Pin<Box<_>>);
        Self { body, over }
    }
}

impl Body for Streamed {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.over.as_mut().is_some_and(|over| over.as_mut().poll(context).is_ready()) {
            self.over = None;
            return Poll::Ready(Some(Err("the gate of the site closed".into())));
        }
        Pin::new(&mut self.body).poll_frame(context).map_err(Into::into)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Ends what is under way on sites whose gate is not open, for ever.
pub(super) async fn watch_gates(edge: Arc<Edge>) {
    let mut ticks = interval(GATE_POLL);
    let mut closed_since: HashMap<GateKey, Instant> = HashMap::new();
    loop {
        ticks.tick().await;
        let mut still_closed = HashMap::new();
        for site in edge.busy_sites() {
            if edge.gate.look(&site.key) == GateSeen::Lit {
                continue;
            }
            site.cut_tunnels();
            let since = closed_since.get(&site.key).copied().unwrap_or_else(Instant::now);
            if since.elapsed() >= edge.limits.drain_grace {
                site.cut_requests();
            }
            still_closed.insert(site.key.clone(), since);
        }
        closed_since = still_closed;
    }
}
