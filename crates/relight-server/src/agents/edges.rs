//! Edges that agents write on their own machines: the mailbox between their drivers here, which
//! wait for answers, and the agents, which ask for questions.
//!
//! An edge has the agent that the register names for it, and no other. What nobody answers in time
//! is an edge that cannot be reached: its sites count as exposed, and never as dark.

pub mod hand;
pub(super) mod poll;
mod post;
#[cfg(test)]
mod tests;
mod words;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use relight_engine::edge::{
    self, AGENT, AGENT_SETTING, AgentLine, Ask, Capabilities, Carried, EdgeError, EdgeErrorKind,
    GATE_KEYS_MAX, Reply, Target,
};
use relight_engine::edges;
use relight_engine::store::{AgentRow, EdgeRow};
use relight_model::Digest;

use self::post::{BEGIN_MAX, Outcome, Post, QUESTIONS_MAX, Silence, Void};
use super::{AgentDesk, Refused};
use crate::ServerError;
use crate::access::secret::{self, random};

/// The folder in which what such edges were told is noted, in the data folder of the server.
const NOTES_FOLDER: &str = "agent-edges";

/// Where what an edge of this name was told is noted.
pub fn notes_of(data: &Path, edge: &str) -> PathBuf {
    // A name may hold anything; a file name may not.
    notes(data).join(secret::encode(edge.as_bytes()))
}

fn notes(data: &Path) -> PathBuf {
    std::path::absolute(data).unwrap_or_else(|_| data.to_owned()).join(NOTES_FOLDER)
}

/// The mailbox of one server.
#[derive(Debug)]
pub struct Mailbox {
    post: Mutex<Post>,
    /// Told when an answer came, or when a question is not begun any more.
    answered: Condvar,
}

impl Mailbox {
    /// An empty one, which carries the questions to the edges of this data folder for as long as
    /// what comes with it is held.
    #[must_use]
    pub fn open(data: &Path) -> (Arc<Self>, Carried) {
        let (post, answered) = (Mutex::new(Post::new(Instant::now())), Condvar::new());
        let mailbox = Arc::new(Self { post, answered });
        let carried = edge::carry(&notes(data), Arc::<Self>::clone(&mailbox));
        (mailbox, carried)
    }

    fn post(&self) -> MutexGuard<'_, Post> {
        self.post.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in an answer; one that nobody waits for any more is thrown away.
    fn take_in(&self, edge: &str, agent: u32, ticket: &str, answer: post::Answer) {
        if self.post().answer(edge, agent, ticket, answer) {
            self.answered.notify_all();
        }
    }
}

impl AgentLine for Mailbox {
    fn ask(&self, name: &str, ask: Ask) -> Result<Reply, EdgeError> {
        refuse_too_many(&ask)?;
        let ticket = random::<16>().map_err(|error| {
            EdgeError::new(EdgeErrorKind::Unreachable, format!("ask the agent of an edge: {error}"))
        })?;
        let ticket = secret::encode(&ticket);
        // A group tells its edges something newer while this one waits for its agent.
        let is_void = Void(Arc::new(edge::superseded()));
        let mut post = self.post();
        post.put(name, (&ticket, ask, is_void), Instant::now()).map_err(silent)?;
        loop {
            let now = Instant::now();
            match post.outcome(name, &ticket, now) {
                Outcome::Done(answer) => return answer,
                Outcome::Silent(why) => return Err(silent(why)),
                Outcome::Waiting(until) => {
                    let left = until.saturating_duration_since(now);
                    let waited = self.answered.wait_timeout(post, left);
                    post = waited.unwrap_or_else(PoisonError::into_inner).0;
                }
            }
        }
    }

    fn capabilities(&self, edge: &str) -> Option<Capabilities> {
        self.post().able(edge)
    }

    fn generation(&self, edge: &str) -> Result<u64, EdgeError> {
        let told = self.post().generation(edge, Instant::now());
        told.ok_or_else(|| silent(Silence::Away))
    }
}

/// Refuses what no gate holds, before it is sent anywhere.
fn refuse_too_many(ask: &Ask) -> Result<(), EdgeError> {
    let keys = match ask {
        Ask::Lint | Ask::Owned => 0,
        Ask::Observe(keys) | Ask::Tunnels(keys) | Ask::Cut { keys, .. } => keys.len(),
        Ask::Apply { dark, .. } | Ask::Close { dark, .. } | Ask::GetReady(dark) => dark.len(),
    };
    if keys <= GATE_KEYS_MAX + 1 {
        return Ok(());
    }
    let doing = format!("ask an agent about {keys} keys, at most {GATE_KEYS_MAX}");
    Err(EdgeError::new(EdgeErrorKind::Refused, doing))
}

/// Nobody answered: nothing is known of the edge.
fn silent(why: Silence) -> EdgeError {
    let doing = match why {
        Silence::Away => "reach the agent of this edge: it asks for nothing".to_owned(),
        Silence::Full => format!("ask the agent of this edge: {QUESTIONS_MAX} questions wait"),
        Silence::NotBegun => "hear of the agent of this edge: it did not begin in time".to_owned(),
        Silence::NotAnswered(wait) => {
            format!("hear of the agent of this edge: no answer within {} s", wait.as_secs())
        }
    };
    EdgeError::new(EdgeErrorKind::Unreachable, doing)
}

/// Whether the register names this agent for an edge: by its number, or by the name of its machine
/// where no other agent that is let in has it too. `live` are those that are.
pub fn is_agent_of(setting: &str, agent: (u32, &str), live: &[(u32, String)]) -> bool {
    let (number, host) = agent;
    if let Ok(named) = setting.parse::<u32>() {
        return named == number;
    }
    let is_other = |other: &(u32, String)| other.0 != number && other.1 == setting;
    setting == host && !live.iter().any(is_other)
}

/// The edges of a register that agents write, each with what says which agent.
pub fn of_agents(rows: &[EdgeRow]) -> Vec<(Target, String)> {
    let rows = rows.iter().filter(|row| row.kind == AGENT);
    let with_setting = |target: Target| {
        let setting = target.settings.get(AGENT_SETTING)?.clone();
        Some((target, setting))
    };
    rows.filter_map(|row| edges::from_row(row).ok().and_then(with_setting)).collect()
}

impl AgentDesk {
    /// This desk, for a server whose agents write edges.
    #[must_use]
    pub fn with_edges(mut self, mailbox: Arc<Mailbox>) -> Self {
        self.mailbox = Some(mailbox);
        self
    }

    /// The agent behind a certificate, and the names of its edges.
    ///
    /// # Errors
    /// As [`Self::admitted`]; or the register cannot be read.
    pub(super) fn edges_of(
        &self,
        fingerprint: Option<Digest>,
    ) -> Result<(AgentRow, Vec<String>), Refused> {
        let (row, _) = self.admitted(fingerprint)?;
        let (store, now) = (self.engine.store(), self.now());
        let rows = store.edges();
        let rows = rows.map_err(|error| ServerError::caused("read the edges", error))?;
        let all = of_agents(&rows);
        if all.is_empty() {
            return Ok((row, Vec::new()));
        }
        let agents = store.agents();
        let agents = agents.map_err(|error| ServerError::caused("read the agents", error))?;
        let live = agents.into_iter().filter(|it| it.is_live(now)).map(|it| (it.id, it.host));
        let live: Vec<(u32, String)> = live.collect();
        let own =
            all.into_iter().filter(|(_, setting)| is_agent_of(setting, (row.id, &row.host), &live));
        let own = own.map(|(target, _)| target.name).collect();
        Ok((row, own))
    }
}
