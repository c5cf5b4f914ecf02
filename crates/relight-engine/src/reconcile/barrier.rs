//! The second barrier: another edge that closes what this one could not prove dark (INCIDENT 5).
//! It makes no site count as dark; only what a visitor sees does.

use relight_edge::{EdgeDriver, EdgeError, GateSet, Stage};
use relight_model::{Epoch, Light};

use super::{EdgeLoop, Turn};
use crate::incident::{Entry, Gate};

/// The setting of an edge that names its second barrier, another edge of the register.
pub const BARRIER: &str = "barrier";

/// The other edge, and what is closed there.
pub(super) struct Barrier {
    name: String,
    driver: Box<dyn EdgeDriver>,
    /// Not known before the first effect: another controller may have closed something.
    closed: Option<GateSet>,
    /// What the journal was told last.
    told: Option<(GateSet, &'static str)>,
}

impl Barrier {
    /// Durable and runtime: it is closed and opened as a whole.
    fn apply(&mut self, epoch: Epoch, wanted: &GateSet) -> Result<(), EdgeError> {
        for stage in [Stage::Durable, Stage::Runtime] {
            self.driver.apply(epoch, stage, wanted)?;
        }
        self.closed = Some(wanted.clone());
        Ok(())
    }

    /// What became of it, unless the journal knows.
    fn tell(&mut self, edge: &str, wanted: GateSet, why: &'static str) -> Option<Entry> {
        let is_known = self.told.as_ref().is_some_and(|told| *told == (wanted.clone(), why));
        let is_nothing = self.told.is_none() && wanted.is_empty() && why.is_empty();
        if is_known || is_nothing {
            return None;
        }
        let (edge, barrier, why_text) = (edge.to_owned(), self.name.clone(), why.to_owned());
        let sites = wanted.iter().cloned().collect();
        self.told = Some((wanted, why));
        Some(Entry::Barred { sites, edge, barrier, why: why_text })
    }
}

impl EdgeLoop {
    /// Gives this edge a second barrier.
    pub fn set_barrier(&mut self, name: &str, driver: Box<dyn EdgeDriver>) {
        let name = name.to_owned();
        self.barrier = Some(Barrier { name, driver, closed: None, told: None });
    }

    /// Closes there what was not proven dark here in time; opens it once it is proven, or may be
    /// lit.
    pub(super) fn tend_barrier(&mut self, turn: &mut Turn<'_>) {
        let Some(mut barrier) = self.barrier.take() else { return };
        let wanted = self.to_bar(turn, barrier.closed.as_ref());
        if barrier.closed.as_ref() != Some(&wanted) {
            let done = barrier.apply(turn.epoch, &wanted);
            let why = done.err().map_or("", |error| error.kind.code());
            turn.round.barred = barrier.tell(&self.name, wanted, why);
        }
        self.barrier = Some(barrier);
    }

    fn to_bar(&self, turn: &Turn<'_>, closed: Option<&GateSet>) -> GateSet {
        let failed_now = turn.round.entries.iter().filter_map(|entry| match entry {
            Entry::EdgeFailed { sites, .. } => Some(sites),
            _ => None,
        });
        let failed_now: GateSet = failed_now.flatten().cloned().collect();
        let is_barred = |want: &&super::Want| {
            let key = &want.target.key;
            match want.light {
                Light::Lit => {
                    closed.is_some_and(|closed| closed.contains(key)) && !(turn.permits)(key)
                }
                Light::Dark if self.is_fresh(key, turn.now_ms) => false,
                Light::Dark => {
                    want.gate == Gate::Failed
                        || failed_now.contains(key)
                        || closed.is_some_and(|closed| closed.contains(key))
                }
            }
        };
        turn.wants.iter().filter(is_barred).map(|want| want.target.key.clone()).collect()
    }
}
