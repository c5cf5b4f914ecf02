//! Who takes over a register: under which term, and whether upon a journal that was written so.

use relight_store::{Lease, Store};

use crate::edges;
use crate::error::{EngineError, EngineErrorKind};

/// Whether the journal is verified before it is believed.
#[derive(Clone, Copy)]
pub(crate) enum Trust {
    /// Whoever acts upon it: a record that somebody changed must move no gate.
    Verify,
    /// Whoever only reads it; `audit verify` is for that.
    AsItIs,
}

impl Trust {
    pub(crate) fn check(self, store: &Store) -> Result<(), EngineError> {
        match self {
            Self::AsItIs => Ok(()),
            Self::Verify => store.verify_journal()?.map(drop).map_err(|fault| {
                let context = format!("the journal is broken at record {}", fault.seq);
                EngineError::new(EngineErrorKind::Broken, context)
            }),
        }
    }
}

/// The lease under a term above every one that an edge of the register has seen: one that was
/// restored from a copy would otherwise be refused everywhere (ruling 3). An edge whose epoch
/// cannot be read says so when it is written to, and so does one whose newer epochs stand in the
/// annotations of routes only, because its gate folder was not restored.
pub(crate) fn above_edges(store: &Store, lease: Lease) -> Result<Lease, EngineError> {
    let mut newest = 0;
    let rows = store.edges()?;
    // Those of a group are rows of their own.
    for row in &rows {
        let Ok(Some(target)) = edges::named(&row.name, &rows) else { continue };
        let seen = relight_edge::newest_epoch(&target).ok().flatten();
        newest = newest.max(seen.map_or(0, |epoch| epoch.term));
    }
    if newest < lease.term {
        return Ok(lease);
    }
    Ok(store.raise_lease(&lease, newest.saturating_add(1))?)
}
