//! Drills of edges that only a running server can ask: those that an agent writes. A command leaves
//! the wish in the register, the server rehearses, and leaves what it showed for the command.
//!
//! A wish names an edge and nothing else that is done. What may be closed there the server reads
//! from the register itself, as any drill does; the keys of the wish only say what was agreed to,
//! and where they are not the same any more nothing is closed.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use relight_edge::{AGENT, is_elsewhere};
use relight_model::{Digest, GateKey, Timestamp};
use relight_store::Store;
use serde::{Deserialize, Serialize};

use super::script::{DRILL_PAUSE, Pace};
use super::{DrillKey, DrillReport, DrillScope, STEPS, Step};
use crate::engine::Engine;
use crate::error::EngineError;

/// What stands before the name of an edge in the settings of a wish, and of what was shown.
const ASKED: &str = "asked-drill:";
const SHOWN: &str = "shown-drill:";

/// A wish that nobody began for so long is none any more, in seconds.
pub const ASKED_AGE_MAX_S: i64 = 30;

/// A wish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Wish {
    actor: String,
    at: Timestamp,
    /// The canary alone.
    canary: bool,
    /// What may be closed, as whoever asks knows it.
    keys: Vec<String>,
    /// Differs from any wish before.
    nonce: u64,
}

/// What a server says of a wish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Shown {
    nonce: u64,
    /// None where what may be closed is not what was agreed to.
    report: Option<Report>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Report {
    identity: String,
    keys: Vec<String>,
    steps: Vec<StepRow>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct StepRow {
    passed: bool,
    tried: bool,
    took_ms: i64,
    detail: String,
}

/// How far a drill goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// The canaries alone; what they show says nothing of an edge as a whole.
    Canary,
    /// The sites that somebody marked for it as well.
    Marked,
}

impl Extent {
    /// What may be closed on these edges.
    ///
    /// # Errors
    /// As [`DrillScope::read`].
    pub fn scope(self, store: &Store, names: &[String]) -> Result<DrillScope, EngineError> {
        match self {
            Self::Canary => DrillScope::canaries(store, names),
            Self::Marked => DrillScope::read(store, names),
        }
    }
}

/// A wish that was left, for whoever waits for its answer.
#[derive(Clone, Debug)]
pub struct Asked {
    edge: String,
    text: String,
    nonce: u64,
}

/// How a wish stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// No server began it yet.
    Waiting,
    /// A server rehearses.
    Begun,
    /// What it showed.
    Shown(Box<DrillReport>),
    /// Other sites are marked now than when it was asked for: nothing was closed.
    Changed,
}

impl Asked {
    /// Leaves the wish for a drill of one edge, of which this may be closed.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn leave(
        store: &Store,
        (edge, extent, scope): (&str, Extent, &DrillScope),
        actor: &str,
        (at, nonce): (Timestamp, u64),
    ) -> Result<Self, EngineError> {
        let keys = keys_of(scope);
        let canary = extent == Extent::Canary;
        let wish = Wish { actor: actor.to_owned(), at, canary, keys, nonce };
        let text = serde_json::to_string(&wish)?;
        let shown = key(SHOWN, edge);
        if let Some(before) = store.meta_get(&shown)? {
            store.meta_remove(&shown, &before)?;
        }
        store.meta_put(&key(ASKED, edge), &text)?;
        Ok(Self { edge: edge.to_owned(), text, nonce })
    }

    /// Where it stands; what was shown is taken.
    ///
    /// # Errors
    /// The store cannot be read or written.
    pub fn answer(&self, store: &Store) -> Result<Answer, EngineError> {
        let place = key(SHOWN, &self.edge);
        let text = store.meta_get(&place)?;
        let shown = text.as_deref().and_then(|it| serde_json::from_str::<Shown>(it).ok());
        if let (Some(text), Some(shown)) = (text, shown.filter(|it| it.nonce == self.nonce)) {
            store.meta_remove(&place, &text)?;
            let report = shown.report.and_then(|report| report.read(&self.edge));
            return Ok(report.map_or(Answer::Changed, |it| Answer::Shown(Box::new(it))));
        }
        let is_waiting = store.meta_get(&key(ASKED, &self.edge))?.as_ref() == Some(&self.text);
        Ok(if is_waiting { Answer::Waiting } else { Answer::Begun })
    }

    /// Takes the wish back.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn take_back(&self, store: &Store) -> Result<(), EngineError> {
        Ok(store.meta_remove(&key(ASKED, &self.edge), &self.text)?)
    }
}

impl Engine {
    /// Rehearses on the edges of agents for which somebody asked, one after the other, and journals
    /// what they showed.
    pub(crate) fn take_asked(&self, stop: &Arc<AtomicBool>) -> Result<(), EngineError> {
        for row in self.store.edges()? {
            let place = key(ASKED, &row.name);
            let Some(text) = self.store.meta_get(&place)? else { continue };
            let Ok(wish) = serde_json::from_str::<Wish>(&text) else {
                self.store.meta_remove(&place, &text)?;
                continue;
            };
            let names = [row.name.clone()];
            let extent = if wish.canary { Extent::Canary } else { Extent::Marked };
            let scope = extent.scope(&self.store, &names)?;
            let is_ours = |edge: &super::DrillEdge| {
                edge.target.all().any(|it| it.kind == AGENT) && !is_elsewhere(&edge.target)
            };
            if !scope.edges().iter().all(is_ours) {
                continue;
            }
            self.store.meta_remove(&place, &text)?;
            if !(0..=ASKED_AGE_MAX_S).contains(&(self.now() - wish.at)) {
                continue;
            }
            self.rehearse(&row.name, &wish, &scope, stop)?;
        }
        Ok(())
    }

    fn rehearse(
        &self,
        edge: &str,
        wish: &Wish,
        scope: &DrillScope,
        stop: &Arc<AtomicBool>,
    ) -> Result<(), EngineError> {
        let mut shown = Shown { nonce: wish.nonce, report: None };
        if keys_of(scope) == wish.keys
            && let [only] = scope.edges()
        {
            let ledger = self.with_ledger(Clone::clone);
            let (clock, nonce) = (self.clock(), wish.nonce.rotate_left(29));
            let stop = Some(Arc::clone(stop));
            let pace = Pace { clock, nonce, pause: DRILL_PAUSE, second: None, stop };
            let report = only.run(&ledger, &pace);
            // What the canary alone showed says nothing about the edge as a whole.
            if !wish.canary {
                self.append(&wish.actor, vec![(String::new(), report.entry())])?;
            }
            shown.report = Some(Report::of(&report));
        }
        self.store.meta_put(&key(SHOWN, edge), &serde_json::to_string(&shown)?)?;
        Ok(())
    }
}

impl Report {
    fn of(report: &DrillReport) -> Self {
        let step = |step: &Step| StepRow {
            passed: step.passed,
            tried: step.tried,
            took_ms: step.took_ms,
            detail: step.detail.clone(),
        };
        Self {
            identity: report.identity.to_string(),
            keys: report.keys.iter().map(ToString::to_string).collect(),
            steps: report.steps.iter().map(step).collect(),
        }
    }

    /// None where somebody else wrote it.
    fn read(self, edge: &str) -> Option<DrillReport> {
        let keys = self.keys.iter().map(|key| GateKey::new(key).ok()).collect::<Option<_>>()?;
        let steps = self.steps.into_iter().zip(STEPS).map(|(row, name)| Step {
            name,
            passed: row.passed,
            tried: row.tried,
            took_ms: row.took_ms,
            detail: row.detail,
        });
        let identity = Digest::parse(&self.identity)?;
        Some(DrillReport { edge: edge.to_owned(), identity, keys, steps: steps.collect() })
    }
}

/// What may be closed in a scope, in its order.
fn keys_of(scope: &DrillScope) -> Vec<String> {
    let keys = scope.edges().iter().flat_map(super::DrillEdge::keys).map(DrillKey::key);
    keys.map(ToString::to_string).collect()
}

fn key(what: &str, edge: &str) -> String {
    format!("{what}{edge}")
}
