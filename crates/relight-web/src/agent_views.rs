//! What the template of the page about agents shows.

use askama::Template;

use crate::door_views::Part;
use crate::texts;
use crate::views::Frame;

/// An agent.
#[derive(Clone, Debug)]
pub struct AgentCard {
    /// How a form names it.
    pub id: u32,
    /// Its machine.
    pub host: String,
    /// The name of its organisation.
    pub organisation: String,
    /// When it enrolled.
    pub enrolled: String,
    /// When it was last heard of.
    pub seen: String,
    /// Its version.
    pub version: String,
    /// Until when its certificate is good, or why it is let in no more.
    pub until: String,
    /// The reader may revoke it.
    pub acts: bool,
}

/// The agents that the reader may see.
#[derive(Template)]
#[template(path = "agents.html", whitespace = "minimize")]
pub struct AgentsPage {
    /// Around it.
    pub frame: Frame,
    /// What went wrong; empty when nothing did.
    pub problem: String,
    /// What was done; empty when nothing was.
    pub done: String,
    /// The server listens for agents.
    pub listens: bool,
    /// Those that are let in first, then by number.
    pub agents: Vec<AgentCard>,
    /// Which part of them that is.
    pub part: Part,
    /// The reader makes codes for some organisations.
    pub admits: bool,
    /// Their names; none where they are too many to choose from.
    pub organisations: Vec<String>,
    /// The passkey was shown lately.
    pub fresh: bool,
    /// How long a code is good for, in minutes.
    pub minutes: u64,
}
