//! The agent's end: it asks for a question about one of its edges, and brings the answer to the one
//! before. What it is asked is carried out by the driver of that edge on this machine, and nothing
//! is begun for which the server no longer waits.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use relight_engine::edge::{Ask, Capabilities, EdgeError, Reply};

use super::poll::HELD_MAX;
use super::words::{AnswerWords, EdgeAnswer, EdgeRequest, ReplyWords};
use crate::agents::client::{AgentFault, line};
use crate::agents::identity::Identity;
use crate::agents::line::Line;
use crate::agents::wire::{EDGE, EDGE_BYTES_MAX};

/// How much longer than the server holds a request its agent waits for the answer.
const MARGIN: Duration = Duration::from_secs(10);

/// What an agent says of an edge with each request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EdgeState {
    /// What it can do.
    pub able: Capabilities,
    /// See `EdgeDriver::generation`; none where it does not answer.
    pub generation: Option<u64>,
}

/// A question, and until when it may be begun.
#[derive(Clone, Debug)]
pub struct Order {
    ticket: String,
    ask: Ask,
    until: Instant,
}

impl Order {
    /// Carries it out, unless its time is over: then nobody waits for it any more.
    pub fn carry_out(
        &self,
        now: Instant,
        work: impl FnOnce(&Ask) -> Result<Reply, EdgeError>,
    ) -> Option<Done> {
        if now >= self.until {
            return None;
        }
        let reply = ReplyWords::of(&work(&self.ask));
        Some(Done(AnswerWords { ticket: self.ticket.clone(), reply }))
    }
}

/// An answer on its way.
#[derive(Debug)]
pub struct Done(AnswerWords);

/// The line of one edge to its server.
#[derive(Debug)]
pub struct EdgeLine {
    path: PathBuf,
    identity: Identity,
    line: Line,
    /// Set when nobody waits for answers any more.
    stop: Arc<AtomicBool>,
}

impl EdgeLine {
    /// The one of the agent that this file is about, for as long as a flag is not set.
    ///
    /// # Errors
    /// What stands there cannot be read or used.
    pub fn open(path: &Path, stop: Arc<AtomicBool>) -> Result<Self, AgentFault> {
        let identity = Identity::read(path);
        let identity = identity.map_err(|error| AgentFault {
            code: "disk".to_owned(),
            detail: format!("{}: {error}", path.display()),
        })?;
        let line = line(&identity, &stop)?;
        Ok(Self { path: path.to_owned(), identity, line, stop })
    }

    /// Asks for a question about this edge and brings an answer, if there is one, until the server
    /// has it; waits until there is a question, or until `is_over`, which is asked again and again,
    /// says that something else is to do. Whoever is not let in may have got another certificate
    /// meanwhile: then that one is shown.
    ///
    /// # Errors
    /// The server does not answer, is another one, or does not let this agent have this edge.
    pub fn poll(
        &mut self,
        edge: &str,
        state: EdgeState,
        done: &mut Option<Done>,
        is_over: &mut dyn FnMut() -> bool,
    ) -> Result<Option<Order>, AgentFault> {
        let able = state.able.record().map(|(name, value)| (name.to_owned(), value.to_owned()));
        let request = EdgeRequest {
            edge: edge.to_owned(),
            able: able.into(),
            generation: state.generation,
            answer: done.take().map(|Done(words)| words),
        };
        let mut asked = self.ask(&request, is_over);
        if asked.as_ref().is_err_and(|fault| fault.code == "not-let-in") && self.follow() {
            asked = self.ask(&request, is_over);
        }
        let (has_answered, order) = match asked {
            Ok(answered) => (answered.is_some(), Ok(answered.flatten())),
            Err(fault) => (false, Err(fault)),
        };
        // Whether the server got it nobody knows: it throws away what it has already. What it
        // cannot make out, or could not wait for, is not brought again: the next answer goes first.
        let is_through = has_answered || order.as_ref().is_err_and(|it| it.code == "malformed");
        *done = request.answer.filter(|_| !is_through).map(Done);
        order
    }

    /// What was answered, if it was, and the question in it.
    fn ask(
        &self,
        request: &EdgeRequest,
        is_over: &mut dyn FnMut() -> bool,
    ) -> Result<Option<Option<Order>>, AgentFault> {
        let began = Instant::now();
        let limits = (HELD_MAX + MARGIN, EDGE_BYTES_MAX);
        let asked = self.line.ask_unless(limits, EDGE, request, is_over)?;
        let Some(EdgeAnswer { question, held_ms }) = asked else { return Ok(None) };
        let Some(question) = question else { return Ok(Some(None)) };
        // The clocks of both machines count for nothing: what the server did not hold it for was
        // spent on the way, and all of that may have been on the way back.
        let until = until(began, began.elapsed(), held_ms, question.left_ms);
        let ask = question.ask.ask().ok_or_else(|| AgentFault {
            code: "answer".to_owned(),
            detail: "it is no question about an edge".to_owned(),
        })?;
        Ok(Some(Some(Order { ticket: question.ticket, ask, until })))
    }

    /// Another certificate than the one that is shown, if there is one.
    fn follow(&mut self) -> bool {
        let written = Identity::read(&self.path).ok();
        let Some(next) = written.filter(|next| !next.is_same(&self.identity)) else { return false };
        let Ok(line) = line(&next, &self.stop) else { return false };
        (self.identity, self.line) = (next, line);
        true
    }
}

/// Until when a question may be begun that came after `waited`, of which the server held the
/// request for `held_ms`: what is left, less all that was spent on the way.
fn until(began: Instant, waited: Duration, held_ms: u64, left_ms: u64) -> Instant {
    let on_the_way = waited.saturating_sub(Duration::from_millis(held_ms));
    let left = Duration::from_millis(left_ms).min(super::BEGIN_MAX);
    began + waited + left.saturating_sub(on_the_way)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_spent_on_the_way_is_taken_from_the_time_in_which_it_may_be_begun() {
        let began = Instant::now();
        let second = Duration::from_secs(1);
        let left = |waited: u32, held_ms, left_ms| {
            let until = until(began, waited * second, held_ms, left_ms);
            until.duration_since(began + waited * second).as_millis()
        };
        assert_eq!(left(12, 11_900, 5_000), 4_900);
        assert_eq!(left(12, 9_000, 5_000), 2_000, "a slow line");
        assert_eq!(left(12, 1_000, 5_000), 0, "it lay somewhere for longer than that");
        assert_eq!(left(12, 12_000, 700), 700);
        assert_eq!(left(1, 9_000_000, u64::MAX), 5_000, "whatever the server says");
    }

    /// Safety: what nobody waits for any more is not begun.
    #[test]
    fn an_order_whose_time_is_over_is_not_carried_out() {
        let now = Instant::now();
        let order = Order { ticket: "t".to_owned(), ask: Ask::Owned, until: now };
        let mut asked = 0;
        let mut try_at = |now| {
            let work = |_: &Ask| {
                asked += 1;
                Ok(Reply::Done)
            };
            order.carry_out(now, work).is_some()
        };
        let before = now.checked_sub(Duration::from_millis(1)).unwrap();
        assert_eq!((try_at(before), try_at(now)), (true, false));
        assert_eq!(asked, 1);
    }
}
