//! Drills beside a running server: a command rehearses, and leaves what it showed for the
//! controller of the register, the only one who writes the journal. An edge is fenced by its epoch,
//! so an order that comes meanwhile ends the drill, and never the other way round.

use relight_store::Store;
use serde::{Deserialize, Serialize};

use super::DrillReport;
use crate::engine::{ACTOR, Engine};
use crate::error::EngineError;
use crate::incident::Entry;

/// What stands before the name of an edge in the setting that holds its drill.
const KEY: &str = "left-drill:";

/// What a command left: who rehearsed, and the entry.
#[derive(Debug, Serialize, Deserialize)]
struct Left {
    actor: String,
    entry: Entry,
}

/// Leaves what drills showed for whoever controls the register, the newest one of each edge.
///
/// # Errors
/// The store cannot be written.
pub fn leave(store: &Store, actor: &str, reports: &[DrillReport]) -> Result<(), EngineError> {
    for report in reports {
        let left = Left { actor: actor.to_owned(), entry: report.entry() };
        let text = serde_json::to_string(&left)
            .map_err(|error| EngineError::because("writing a drill down", error))?;
        store.meta_put(&key(&report.edge), &text)?;
    }
    Ok(())
}

/// Whether nobody has taken what these drills showed yet.
///
/// # Errors
/// The store cannot be read.
pub fn are_left(store: &Store, reports: &[DrillReport]) -> Result<bool, EngineError> {
    for report in reports {
        if store.meta_get(&key(&report.edge))?.is_some() {
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
            let key = key(&row.name);
            let Some(text) = self.store.meta_get(&key)? else { continue };
            let (actor, entry) = read(&text, &row.name);
            self.append(&actor, vec![(String::new(), entry)])?;
            self.store.meta_remove(&key, &text)?;
        }
        Ok(())
    }
}

fn key(edge: &str) -> String {
    format!("{KEY}{edge}")
}

fn read(text: &str, name: &str) -> (String, Entry) {
    let of_edge = |entry: &Entry| matches!(entry, Entry::Drilled { edge, .. } if edge == name);
    match serde_json::from_str(text) {
        Ok(Left { actor, entry }) if of_edge(&entry) => (actor, entry),
        _ => {
            let why = format!("what was left is no drill of {name}");
            (ACTOR.to_owned(), Entry::Refused { entry: "drilled".to_owned(), why })
        }
    }
}
