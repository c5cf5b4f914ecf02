//! Who takes over a register: under which term, whether upon a journal that was written so, and
//! whether upon all of it.

use std::sync::PoisonError;

use relight_model::Epoch;
use relight_store::{Lease, Store};

use crate::edges;
use crate::engine::{ACTOR, Engine};
use crate::error::{EngineError, EngineErrorKind};
use crate::incident::Entry;

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

/// A register that was taken from whoever controlled it.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) lease: Lease,
    /// The newest epoch of each edge that tells one.
    pub(crate) epochs: Vec<Epoch>,
}

impl Taken {
    /// The lease under a term above every one that an edge of the register has seen: one that was
    /// restored from a copy would otherwise be refused everywhere (ruling 3). An edge whose epoch
    /// cannot be read says so when it is written to, and so does one whose newer epochs stand in
    /// the annotations of routes only, because its gate folder was not restored.
    pub(crate) fn above_edges(store: &Store, lease: Lease) -> Result<Self, EngineError> {
        let epochs = epochs(store)?;
        let newest = epochs.iter().map(|epoch| epoch.term).max().unwrap_or(0);
        if newest < lease.term {
            return Ok(Self { lease, epochs });
        }
        let lease = store.raise_lease(&lease, newest.saturating_add(1))?;
        Ok(Self { lease, epochs })
    }
}

/// The newest epoch of each edge of the register that tells one.
fn epochs(store: &Store) -> Result<Vec<Epoch>, EngineError> {
    let rows = store.edges()?;
    // Those of a group are rows of their own.
    let targets = rows.iter().filter_map(|row| edges::named(&row.name, &rows).ok().flatten());
    let seen = |target| relight_edge::newest_epoch(&target).ok().flatten();
    Ok(targets.filter_map(seen).collect())
}

impl Engine {
    /// Looks once for orders that edges hold and the journal does not, before any edge is told
    /// anything: each order was journalled before it was carried out (I2), and its epoch has the
    /// number of the newest record of then. Terms count from 1: below stands a drill at an edge
    /// that no controller ever had, which is no order and may be younger than the first record.
    pub(crate) fn look_for_lost_orders(&self, epochs: Vec<Epoch>) -> Result<(), EngineError> {
        let (seq, known) = {
            let state = self.journalled();
            (state.seq, state.ledger.restored())
        };
        let orders = epochs.into_iter().filter(|epoch| epoch.term > 0);
        let lost = orders.filter(|epoch| epoch.seq > seq && Some(*epoch) > known).max();
        *self.lost.lock().unwrap_or_else(PoisonError::into_inner) = lost;
        match self.tell_restored() {
            // Nothing is opened before it is told.
            Err(_) if self.store.is_short_of_space() => Ok(()),
            told => told,
        }
    }

    /// Journals what was found then, once.
    pub(crate) fn tell_restored(&self) -> Result<(), EngineError> {
        let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(epoch) = *lost {
            self.record(ACTOR, "", Entry::Restored { epoch })?;
            *lost = None;
        }
        Ok(())
    }
}
