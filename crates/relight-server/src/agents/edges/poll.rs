//! The request of an agent that has time for a question about one of its edges: it brings the
//! answer to the one before, and is held until there is a question.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Extension;
use axum::body::{HttpBody as _, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use relight_engine::edge::Capabilities;
use relight_model::Digest;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::{timeout, timeout_at};

use super::Mailbox;
use super::post::{Taken, Told};
use super::words::{AskWords, EdgeAnswer, EdgeRequest, QuestionWords};
use crate::agents::serve::{BODY_WAIT_MAX, Peer, document, refusal, status};
use crate::agents::wire::{EDGE_BYTES_MAX, REQUEST_BYTES_MAX};
use crate::agents::{AgentDesk, Refused};
use crate::shares::{Most, Shares};

/// How long a request without a question is held.
pub(super) const HELD_MAX: Duration = Duration::from_secs(20);

/// Requests that are held at a time; another one is answered at once.
const HELD_REQUESTS_MAX: usize = 512;

/// Long answers that are read at a time; another one waits.
const LONG_ANSWERS_MAX: usize = 4;

/// Long answers of one agent, also of those that wait; another one is told to come again.
const LONG_OF_ONE: Most = Most { own: 1, all: HELD_REQUESTS_MAX };

/// What requests about edges share.
pub(in crate::agents) struct Held {
    places: Semaphore,
    long: Semaphore,
    long_of: Shares<u32>,
    held_max: Duration,
}

impl Held {
    pub(in crate::agents) fn new() -> Self {
        let (places, long) = (HELD_REQUESTS_MAX, LONG_ANSWERS_MAX);
        let (places, long) = (Semaphore::new(places), Semaphore::new(long));
        Self { places, long, long_of: Shares::default(), held_max: HELD_MAX }
    }
}

pub(in crate::agents) async fn edge(
    State(desk): State<Arc<AgentDesk>>,
    Extension(peer): Extension<Peer>,
    Extension(held): Extension<Arc<Held>>,
    request: Request,
) -> Response {
    match polled(desk, peer.fingerprint, &held, request).await {
        Ok(answer) => document(StatusCode::OK, &answer),
        Err(fault) => fault,
    }
}

async fn polled(
    desk: Arc<AgentDesk>,
    fingerprint: Option<Digest>,
    held: &Held,
    request: Request,
) -> Result<EdgeAnswer, Response> {
    let Some(mailbox) = desk.mailbox.clone() else { return Err(forbidden("foreign-edge")) };
    // Nobody who has no edge makes us read that much.
    let (number, own) = edges_of(&desk, fingerprint).await?;
    if own.is_empty() {
        return Err(forbidden("foreign-edge"));
    }
    let asked = read(held, number, request).await?;
    let began = Instant::now();
    let agent = admitted(&desk, fingerprint, &asked.edge).await?;
    let edge = asked.edge;
    if let Some(answer) = asked.answer {
        let words = answer.reply.answer(&edge);
        let reply = words.ok_or_else(|| refusal(StatusCode::BAD_REQUEST, "malformed"))?;
        mailbox.take_in(&edge, agent, &answer.ticket, reply);
    }
    let able = Capabilities::parse(&asked.able);
    let turn = Turn::begin(&mailbox, &edge, agent, Told { able, generation: asked.generation });
    let place = held.places.try_acquire();
    let wait = if place.is_ok() { held.held_max } else { Duration::ZERO };
    let deadline = tokio::time::Instant::from_std(began + wait);
    while turn.waits(deadline).await {
        // Whoever was let in when this began may be out by now, or another may have the edge.
        admitted(&desk, fingerprint, &edge).await?;
        if let Some(taken) = turn.take() {
            return Ok(answer(Some(&taken), began));
        }
    }
    Ok(answer(None, began))
}

/// One request, for as long as it is held: an agent that breaks off is not waited for.
struct Turn<'a> {
    mailbox: &'a Mailbox,
    edge: &'a str,
    agent: u32,
    number: u64,
    asked: Arc<tokio::sync::Notify>,
}

impl<'a> Turn<'a> {
    fn begin(mailbox: &'a Mailbox, edge: &'a str, agent: u32, told: Told) -> Self {
        let (number, asked) = mailbox.post().begin(edge, agent, told);
        Self { mailbox, edge, agent, number, asked }
    }

    /// Waits for a question; false when there is none until then, or another request took over.
    async fn waits(&self, deadline: tokio::time::Instant) -> bool {
        loop {
            let mut news = std::pin::pin!(self.asked.notified());
            // From here on nothing that comes is missed.
            news.as_mut().enable();
            let (is_newest, has_question) = {
                let post = self.mailbox.post();
                (post.is_newest(self.edge, self.number), post.has_question(self.edge))
            };
            if !is_newest {
                return false;
            }
            if has_question {
                return true;
            }
            if timeout_at(deadline, news).await.is_err() {
                return false;
            }
        }
    }

    fn take(&self) -> Option<Taken> {
        let taken = self.mailbox.post().take(self.edge, (self.number, self.agent), Instant::now());
        // Whoever waits for one that was thrown away is to hear so.
        self.mailbox.answered.notify_all();
        taken
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.mailbox.post().end(self.edge, self.number, Instant::now());
    }
}

fn answer(taken: Option<&Taken>, began: Instant) -> EdgeAnswer {
    let question = taken.map(|Taken { ticket, ask, left }| QuestionWords {
        ticket: ticket.clone(),
        left_ms: millis(*left),
        ask: AskWords::of(ask),
    });
    EdgeAnswer { question, held_ms: millis(began.elapsed()) }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Reads what is asked, within limits of time and size.
async fn read(held: &Held, agent: u32, request: Request) -> Result<EdgeRequest, Response> {
    let malformed = |status| refusal(status, "malformed");
    let size = request.body().size_hint().exact();
    let is_long = size.is_none_or(|size| size > REQUEST_BYTES_MAX as u64);
    let busy = |_| refusal(StatusCode::SERVICE_UNAVAILABLE, "busy");
    let work = async {
        // Whoever sends slowly, or without end, is in the way of nobody else.
        let share = is_long.then(|| held.long_of.take(agent, LONG_OF_ONE));
        let _share = share.transpose().map_err(busy)?;
        // Those that are long wait for each other: they are held in memory.
        let _place = match is_long {
            true => held.long.acquire().await.ok(),
            false => None,
        };
        let bytes_max = if is_long { EDGE_BYTES_MAX } else { REQUEST_BYTES_MAX };
        let body = to_bytes(request.into_body(), bytes_max).await;
        let body = body.map_err(|_| malformed(StatusCode::PAYLOAD_TOO_LARGE))?;
        let parsed = spawn_blocking(move || serde_json::from_slice(&body)).await;
        let parsed = parsed.map_err(|_| refusal(StatusCode::INTERNAL_SERVER_ERROR, "failed"))?;
        parsed.map_err(|_| malformed(StatusCode::BAD_REQUEST))
    };
    let late = |_| malformed(StatusCode::REQUEST_TIMEOUT);
    timeout(BODY_WAIT_MAX, work).await.map_err(late)?
}

async fn edges_of(
    desk: &Arc<AgentDesk>,
    fingerprint: Option<Digest>,
) -> Result<(u32, Vec<String>), Response> {
    let asking = Arc::clone(desk);
    let worked = spawn_blocking(move || asking.edges_of(fingerprint)).await;
    let found = worked.map_err(|_| refusal(StatusCode::INTERNAL_SERVER_ERROR, "failed"))?;
    let (row, own) = found.map_err(|refused| refusal(status(&refused), refused.code()))?;
    Ok((row.id, own))
}

/// The agent behind a certificate, if this edge is its own.
async fn admitted(
    desk: &Arc<AgentDesk>,
    fingerprint: Option<Digest>,
    edge: &str,
) -> Result<u32, Response> {
    let (agent, own) = edges_of(desk, fingerprint).await?;
    if own.iter().any(|name| name == edge) { Ok(agent) } else { Err(forbidden("foreign-edge")) }
}

fn forbidden(code: &'static str) -> Response {
    refusal(status(&Refused::Rule(code)), code)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::future::{Future as _, poll_fn};
    use std::pin::{Pin, pin};
    use std::task::{Context, Poll};

    use axum::body::{Body, Bytes};

    use super::*;

    /// A body that never ends.
    struct Endless;

    impl axum::body::HttpBody for Endless {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<hyper::body::Frame<Bytes>, Infallible>>> {
            Poll::Pending
        }
    }

    /// Safety: answers without end of one agent leave the places to the others, whose edges would
    /// get no order else.
    #[test]
    fn long_answers_of_one_agent_take_one_place() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let held = Held::new();
            let endless = || read(&held, 1, Request::new(Body::new(Endless)));
            let mut first = pin!(endless());
            let begun = poll_fn(|context| Poll::Ready(first.as_mut().poll(context).is_pending()));
            assert!(begun.await);
            for _ in 0..LONG_ANSWERS_MAX {
                let refused = endless().await.unwrap_err();
                assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
            }
            let space = " ".repeat(REQUEST_BYTES_MAX);
            let long = format!(r#"{{"edge":"north","able":{{}},"generation":7}}{space}"#);
            let asked = read(&held, 2, Request::new(Body::from(long))).await.unwrap();
            assert_eq!((asked.edge.as_str(), asked.generation), ("north", Some(7)));
        });
    }
}
