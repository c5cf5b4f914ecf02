//! An edge that `relight agent` writes on its own machine, with the driver of what stands there.
//! Here is the other end: each call is a question to that agent, and without an answer nothing is
//! known.
//!
//! What was ordered is noted here as well, in the folder of the edge, before the agent is asked: so
//! an older controller is refused without it, and an edge that was told to hold sites dark is known
//! to be when it is to leave the register. What the edge shows is never taken from there.
//!
//! What an agent told of a newer controller is noted apart from what was ordered: it holds for that
//! agent, for what its group opens, and for the next start, at which the register takes itself for
//! one that was restored. No other edge is kept from being closed by it.

use std::path::Path;
use std::sync::Arc;

use relight_model::{Epoch, GateKey, Seen};

use crate::agent_line::{AgentLine, Ask, Reply, line_of};
use crate::capability::{Capabilities, Maturity};
use crate::driver::{
    self, DriverKind, EdgeDriver, GateSet, GateView, Lint, Setting, Stage, Target, TunnelCount,
};
use crate::durable;
use crate::error::{EdgeError, EdgeErrorKind};
use crate::fence::{self, Fence};

/// The kind of edge that an agent writes.
pub const AGENT: &str = "agent";

/// The setting that says which agent: its number, or the name of its machine.
pub const AGENT_SETTING: &str = "agent";

/// An agent that tells of a newer controller is believed so many terms ahead: a number without end
/// would leave no later one to anybody.
const TERMS_AHEAD_MAX: u64 = 1_000_000;

/// The folder, in that of what was ordered, of the newest epoch that the agent told.
const TOLD_FOLDER: &str = "told";

/// The newest epoch that the agent of an edge told, beyond what it was ordered; none of an edge
/// that no agent writes.
pub(crate) fn told_epoch(target: &Target) -> Result<Option<Epoch>, EdgeError> {
    if target.kind == AGENT { told(target).newest() } else { Ok(None) }
}

fn told(target: &Target) -> Fence {
    Fence::new(&target.gate.join(TOLD_FOLDER))
}

/// Takes from what an edge of an agent shows that it has seen a newer controller than this
/// register ordered there: in a group that would keep the others from being closed.
pub(super) fn without_told(target: &Target, views: &mut [GateView]) {
    if target.kind == AGENT {
        let ordered = driver::ordered_epoch(target).ok().flatten();
        for view in views {
            view.epoch = view.epoch.min(ordered);
        }
    }
}

pub(super) const PLUGIN: AgentKind = AgentKind;

pub(super) struct AgentKind;

impl DriverKind for AgentKind {
    fn name(&self) -> &'static str {
        AGENT
    }

    /// What the agent says of each edge, which is not known here: nothing but that it was tried
    /// with real ones.
    fn capabilities(&self) -> Capabilities {
        Capabilities { maturity: Maturity::Tested, ..Capabilities::NONE }
    }

    fn capabilities_of(&self, target: &Target) -> Capabilities {
        let told = line_of(&target.gate).and_then(|line| line.capabilities(&target.name));
        // Testers come from this machine, and what leads behind the gate is on that one.
        told.map_or(Capabilities::NONE, |able| Capabilities { verify_bypass: false, ..able })
    }

    fn settings(&self) -> &'static [Setting] {
        const { &[Setting::required(AGENT_SETTING), Setting::RELOAD] }
    }

    fn open(&self, target: &Target) -> Result<Box<dyn EdgeDriver>, EdgeError> {
        target.required(AGENT_SETTING)?;
        let agent = Agent { target: target.clone(), fence: Fence::new(&target.gate) };
        agent.line()?;
        Ok(Box::new(agent))
    }
}

struct Agent {
    target: Target,
    fence: Fence,
}

impl Agent {
    fn line(&self) -> Result<Arc<dyn AgentLine>, EdgeError> {
        line_of(&self.target.gate).ok_or_else(|| {
            let doing = "ask the agent of this edge: only a server that listens for agents can";
            EdgeError::new(EdgeErrorKind::Elsewhere, doing).at(&self.target.name)
        })
    }

    fn ask(&self, ask: Ask) -> Result<Reply, EdgeError> {
        let edge = &self.target.name;
        self.line()?.ask(edge, ask).map_err(|error| error.at(edge))
    }

    fn effect(&self, ask: Ask) -> Result<(), EdgeError> {
        match self.ask(ask)? {
            Reply::Done => Ok(()),
            _ => Err(self.misunderstood()),
        }
    }

    /// An order goes out: noted first. A folder that cannot be written keeps nothing from closing,
    /// for the gate is fenced where it is.
    fn order(&self, epoch: Epoch, dark: &GateSet, ask: Ask) -> Result<(), EdgeError> {
        match self.note(epoch, dark) {
            Err(error) if error.kind == EdgeErrorKind::Fenced => Err(error.at(&self.target.name)),
            _ => self.effect(ask),
        }
    }

    fn note(&self, epoch: Epoch, dark: &GateSet) -> Result<(), EdgeError> {
        let told = told_epoch(&self.target).ok().flatten();
        if let Some(newer) = told.filter(|told| *told > epoch) {
            let (old, new) = (fence::text(epoch), fence::text(newer));
            let doing = format!("act under epoch {old}: its agent has seen {new}");
            return Err(EdgeError::new(EdgeErrorKind::Fenced, doing));
        }
        create(&self.target.gate)?;
        self.fence.enter(epoch)?.append(epoch, dark, &GateSet::new())
    }

    /// What a look told: keys that are lit in each copy are held no more, and a newer controller is
    /// known here too. A look of before the last order says nothing of what that one closed.
    fn note_look(&self, keys: &[GateKey], views: &[GateView]) -> Result<(), EdgeError> {
        let folder = &self.target.gate;
        let ordered = self.fence.newest()?;
        let own = if folder.is_dir() { self.fence.owned()? } else { GateSet::new() };
        let is_lit = |view: &GateView| {
            let is_lit = [view.durable, view.runtime, view.darkest()] == [Seen::Lit; 3];
            is_lit && !view.foreign && view.epoch >= ordered
        };
        let lit = keys.iter().zip(views).filter(|(key, view)| own.contains(*key) && is_lit(view));
        let gone: GateSet = lit.map(|(key, _)| key.clone()).collect();
        if let Some(epoch) = ordered.filter(|_| !gone.is_empty()) {
            self.fence.enter(epoch)?.append(epoch, &GateSet::new(), &gone)?;
        }
        let seen = views.iter().filter_map(|view| view.epoch).max();
        let known = ordered.max(told_epoch(&self.target)?);
        let most = ordered.unwrap_or_default().term.saturating_add(TERMS_AHEAD_MAX);
        let newer = seen.filter(|seen| Some(*seen) > known && seen.term <= most);
        let Some(epoch) = newer else { return Ok(()) };
        create(&folder.join(TOLD_FOLDER))?;
        told(&self.target).enter(epoch)?.append(epoch, &GateSet::new(), &GateSet::new())
    }

    fn misunderstood(&self) -> EdgeError {
        let doing = "make out what the agent answered: it is no answer to that";
        EdgeError::new(EdgeErrorKind::Refused, doing).at(&self.target.name)
    }

    /// One answer for each key, or none that counts.
    fn each<T>(&self, keys: &[GateKey], answers: Vec<T>) -> Result<Vec<T>, EdgeError> {
        if answers.len() == keys.len() { Ok(answers) } else { Err(self.misunderstood()) }
    }
}

fn create(folder: &Path) -> Result<(), EdgeError> {
    let doing = || format!("create {}", folder.display());
    durable::create_folder(folder).map_err(|cause| EdgeError::io(doing())(cause))
}

impl EdgeDriver for Agent {
    fn capabilities(&self) -> Capabilities {
        PLUGIN.capabilities_of(&self.target)
    }

    fn lint(&mut self) -> Result<Vec<Lint>, EdgeError> {
        let Reply::Lints(mut lints) = self.ask(Ask::Lint)? else {
            return Err(self.misunderstood());
        };
        if self.fence.newest().is_err() {
            lints.push(Lint::error("epoch-unreadable", self.fence.path().display().to_string()));
        }
        Ok(lints)
    }

    fn observe(&mut self, keys: &[GateKey]) -> Result<Vec<GateView>, EdgeError> {
        let Reply::Views(views) = self.ask(Ask::Observe(keys.to_vec()))? else {
            return Err(self.misunderstood());
        };
        let views = self.each(keys, views)?;
        // It is for a later start, and for whoever removes the edge: nothing here rests on it.
        drop(self.note_look(keys, &views));
        Ok(views)
    }

    fn owned(&mut self) -> Result<GateSet, EdgeError> {
        match self.ask(Ask::Owned)? {
            Reply::Keys(keys) => Ok(keys),
            _ => Err(self.misunderstood()),
        }
    }

    fn apply(&mut self, epoch: Epoch, stage: Stage, dark: &GateSet) -> Result<(), EdgeError> {
        let ask = Ask::Apply { epoch, stage, dark: dark.clone(), changed: None };
        self.order(epoch, dark, ask)
    }

    fn close(&mut self, epoch: Epoch, dark: &GateSet) -> Result<(), EdgeError> {
        self.order(epoch, dark, Ask::Close { epoch, dark: dark.clone() })
    }

    /// One slice of it: the agent stops soon by itself, and is asked again.
    fn get_ready(
        &mut self,
        keys: &GateSet,
        is_over: &(dyn Fn() -> bool + Sync),
    ) -> Result<bool, EdgeError> {
        while !is_over() {
            match self.ask(Ask::GetReady(keys.clone()))? {
                Reply::Ready(true) => return Ok(true),
                Reply::Ready(false) => {}
                _ => return Err(self.misunderstood()),
            }
        }
        Ok(false)
    }

    fn apply_changes(
        &mut self,
        epoch: Epoch,
        stage: Stage,
        dark: &GateSet,
        changed: &GateSet,
    ) -> Result<(), EdgeError> {
        let ask = Ask::Apply { epoch, stage, dark: dark.clone(), changed: Some(changed.clone()) };
        self.order(epoch, dark, ask)
    }

    fn generation(&mut self) -> Result<u64, EdgeError> {
        let edge = &self.target.name;
        self.line()?.generation(edge).map_err(|error| error.at(edge))
    }

    fn tunnels(&mut self, keys: &[GateKey]) -> Result<Vec<TunnelCount>, EdgeError> {
        match self.ask(Ask::Tunnels(keys.to_vec()))? {
            Reply::Tunnels(counts) => self.each(keys, counts),
            _ => Err(self.misunderstood()),
        }
    }

    fn cut(&mut self, epoch: Epoch, keys: &[GateKey]) -> Result<(), EdgeError> {
        self.order(epoch, &GateSet::new(), Ask::Cut { epoch, keys: keys.to_vec() })
    }
}

#[cfg(test)]
mod tests;
