//! Drills that were interrupted: whoever rehearsed was killed, and what it closed is dark. The next
//! controller ends them in the journal, and the loops of the edges open what they left.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::left::is_left;
use crate::drive::Drive;
use crate::engine::{ACTOR, Engine};
use crate::error::EngineError;
use crate::incident::{Entry, Ledger};

/// Longest wait until what an interrupted drill left dark is lit, where no server runs.
pub const BACK_WAIT_MAX: Duration = Duration::from_secs(30);

impl Engine {
    /// Ends, in the journal, the drills that began and that nobody plays any more. What they may
    /// have left dark is wanted lit from there on.
    ///
    /// # Errors
    /// The store cannot be read, or the journal cannot be written.
    pub fn end_interrupted(&self) -> Result<(), EngineError> {
        let running: Vec<_> = self.with_ledger(|ledger| {
            let running = ledger.rehearsed().filter(|(_, it)| !it.running.is_empty());
            running.map(|(edge, it)| (edge.to_owned(), it.running.clone())).collect()
        });
        for (edge, keys) in running {
            let Some(_held) = self.store.take_drill(&edge)? else { continue };
            // Looked at while it is held: whoever ended it well has left that before letting go.
            let is_over = self.with_ledger(|ledger| {
                ledger.rehearsed_on(&edge).is_none_or(|it| it.running.is_empty())
            });
            if is_over || is_left(&self.store, &edge)? {
                continue;
            }
            let left = keys.into_iter().collect();
            let entry = Entry::DrillEnded { drill: true, edge, interrupted: true, left };
            self.append(ACTOR, vec![(String::new(), entry)])?;
        }
        Ok(())
    }

    /// The same, and waits until what they left on these edges is seen lit: where no server runs.
    ///
    /// # Errors
    /// As [`Engine::end_interrupted`] and [`Drive::start`].
    pub fn bring_back(self: &Arc<Self>, edges: &[String]) -> Result<(), EngineError> {
        self.end_interrupted()?;
        let is_dark = |ledger: &Ledger| {
            let mut all = ledger.rehearsed();
            all.any(|(edge, it)| !it.left.is_empty() && edges.iter().any(|name| name == edge))
        };
        if !self.with_ledger(is_dark) {
            return Ok(());
        }
        let (drive, until) = (Drive::edges_alone(self)?, Instant::now() + BACK_WAIT_MAX);
        loop {
            let version = self.version();
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || !self.with_ledger(is_dark) {
                break;
            }
            self.wait_changed(version, left);
        }
        drop(drive);
        Ok(())
    }
}
