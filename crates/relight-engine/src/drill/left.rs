//! Drills beside a running server: a command rehearses, and leaves what it showed for the
//! controller of the register, the only one who writes the journal. An edge is fenced by its epoch,
//! so an order that comes meanwhile ends the drill, and never the other way round.

use relight_store::Store;
use serde::{Deserialize, Serialize};

use super::{DrillEdge, DrillReport, Extent};
use crate::engine::{ACTOR, Engine};
use crate::error::EngineError;
use crate::incident::Entry;

/// What stands before the name of an edge in the setting that holds the beginning of its drill,
/// what it showed, and its end: in the order in which the journal gets them.
const KEYS: [&str; 3] = [BEGUN, SHOWN, ENDED];
const BEGUN: &str = "begun-drill:";
const SHOWN: &str = "left-drill:";
const ENDED: &str = "ended-drill:";

/// What a command left: who rehearsed, and the entry.
#[derive(Debug, Serialize, Deserialize)]
struct Left {
    actor: String,
    entry: Entry,
}

/// Leaves what drills showed for whoever controls the register, the newest one of each edge. What
/// the canary alone showed says nothing about an edge as a whole: of that the end is left alone.
///
/// # Errors
/// The store cannot be written.
pub fn leave(
    store: &Store,
    actor: &str,
    reports: &[DrillReport],
    extent: Extent,
) -> Result<(), EngineError> {
    for report in reports {
        if extent == Extent::Marked {
            put(store, actor, (SHOWN, &report.edge), report.entry())?;
        }
        if let Some(ended) = report.ended() {
            put(store, actor, (ENDED, &report.edge), ended)?;
        }
    }
    Ok(())
}

/// Leaves that a drill of this edge begins, for whoever controls the register. What was left of
/// the drill before has to be taken by then: its end would be taken as the end of this one.
///
/// # Errors
/// As [`leave`].
pub fn leave_begun(store: &Store, actor: &str, edge: &DrillEdge) -> Result<(), EngineError> {
    put(store, actor, (BEGUN, edge.name()), edge.begun())
}

/// Leaves that it did not begin after all: nobody took that it does. In whichever order a server
/// takes it later, nothing of it is under way.
///
/// # Errors
/// As [`leave`].
pub fn leave_unbegun(store: &Store, actor: &str, edge: &DrillEdge) -> Result<(), EngineError> {
    let (drill, name, left) = (true, edge.name(), Vec::new());
    let ended = Entry::DrillEnded { drill, edge: name.to_owned(), interrupted: false, left };
    put(store, actor, (ENDED, name), ended)
}

fn put(
    store: &Store,
    actor: &str,
    (what, edge): (&str, &str),
    entry: Entry,
) -> Result<(), EngineError> {
    let left = Left { actor: actor.to_owned(), entry };
    let text = serde_json::to_string(&left)
        .map_err(|error| EngineError::because("writing a drill down", error))?;
    Ok(store.meta_put(&key(what, edge), &text)?)
}

/// Whether nobody has taken all that was left of a drill of this edge yet.
///
/// # Errors
/// The store cannot be read.
pub fn is_left(store: &Store, edge: &str) -> Result<bool, EngineError> {
    for what in KEYS {
        if store.meta_get(&key(what, edge))?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

impl Engine {
    /// Journals what drills of other processes showed. What is no drill of that edge is journalled
    /// as refused, so that nothing that was left is passed over in silence.
    pub(crate) fn take_drills(&self) -> Result<(), EngineError> {
        for row in self.store.edges()? {
            for what in KEYS {
                let key = key(what, &row.name);
                let Some(text) = self.store.meta_get(&key)? else { continue };
                let (actor, entry) = read(&text, &row.name);
                self.append(&actor, vec![(String::new(), entry)])?;
                self.store.meta_remove(&key, &text)?;
            }
        }
        Ok(())
    }
}

fn key(what: &str, edge: &str) -> String {
    format!("{what}{edge}")
}

fn read(text: &str, name: &str) -> (String, Entry) {
    let of_edge = |entry: &Entry| match entry {
        Entry::Drilled { edge, .. }
        | Entry::DrillBegun { edge, .. }
        | Entry::DrillEnded { edge, interrupted: false, .. } => edge == name,
        _ => false,
    };
    match serde_json::from_str(text) {
        Ok(Left { actor, entry }) if of_edge(&entry) => (actor, entry),
        _ => {
            let why = format!("what was left is no drill of {name}");
            (ACTOR.to_owned(), Entry::Refused { entry: "drilled".to_owned(), why })
        }
    }
}
