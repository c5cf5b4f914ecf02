//! The second barrier: another edge that closes what this one could not prove dark (INCIDENT 5).
//! It makes no site count as dark; only what a visitor sees does.

use std::ops::Range;
use std::time::Instant;

use relight_edge::{EdgeDriver, EdgeError, GateSet, Stage};
use relight_model::{Epoch, GateKey, Light, Seen};

use super::{EdgeLoop, Round, Want};
use crate::incident::{Entry, Gate};

/// The setting of an edge that names its second barrier, another edge of the register.
pub const BARRIER: &str = "barrier";

/// A barrier that failed is tried again no sooner, and what is closed there is looked at again as
/// often, in milliseconds: the edge in front of it waits meanwhile.
pub const BARRIER_AGAIN_MS: i64 = 5_000;

/// The other edge, and what is closed there.
pub(super) struct Barrier {
    name: String,
    driver: Box<dyn EdgeDriver>,
    /// What is closed there, as far as is known.
    closed: GateSet,
    /// Not before the first effect, when another controller may have closed something, and not
    /// after one that failed.
    is_sure: bool,
    looked_at: i64,
    /// When nothing is tried there, after a failure.
    rest: Option<Range<i64>>,
    /// What the journal was told last.
    told: Option<(GateSet, &'static str)>,
}

impl Barrier {
    /// Durable and runtime: it is closed and opened as a whole.
    fn apply(&mut self, epoch: Epoch, wanted: &GateSet, now_ms: i64) -> Result<(), EdgeError> {
        for stage in [Stage::Durable, Stage::Runtime] {
            self.driver.apply(epoch, stage, wanted)?;
        }
        (self.closed, self.is_sure, self.looked_at) = (wanted.clone(), true, now_ms);
        Ok(())
    }

    /// Whether the barrier lost what was closed there.
    fn has_lost(&mut self, now_ms: i64) -> Result<bool, EdgeError> {
        if self.closed.is_empty() || (0..BARRIER_AGAIN_MS).contains(&(now_ms - self.looked_at)) {
            return Ok(false);
        }
        let keys: Vec<GateKey> = self.closed.iter().cloned().collect();
        let views = self.driver.observe(&keys)?;
        self.looked_at = now_ms;
        Ok(views.iter().any(|view| view.durable == Seen::Lit || view.runtime == Seen::Lit))
    }

    /// Takes over what somebody closed there before: of the sites that are wanted dark and not
    /// proven, whatever is not seen lit there.
    fn take_over(
        &mut self,
        wants: &[Want],
        is_proven: &dyn Fn(&GateKey) -> bool,
    ) -> Result<(), EdgeError> {
        let keys: Vec<GateKey> = wants.iter().map(|want| want.target.key.clone()).collect();
        let views = if keys.is_empty() { Vec::new() } else { self.driver.observe(&keys)? };
        for ((want, key), view) in wants.iter().zip(keys).zip(views) {
            let is_lit = view.durable == Seen::Lit && view.runtime == Seen::Lit;
            let is_kept = match want.light {
                Light::Dark => !is_lit && !is_proven(&key),
                Light::Lit => view.runtime == Seen::Dark && !view.foreign,
            };
            if is_kept {
                self.closed.insert(key);
            }
        }
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
        self.barrier = Some(Barrier {
            name: name.to_owned(),
            driver,
            closed: GateSet::new(),
            is_sure: false,
            looked_at: 0,
            rest: None,
            told: None,
        });
    }

    /// Closes there what was not proven dark here in time; opens it once it is proven, or may be
    /// lit. Comes after the round, whose entries are in the journal by then: it may take long.
    pub fn tend_barrier(
        &mut self,
        wants: &[Want],
        epoch: Epoch,
        now_ms: i64,
        permits: &dyn Fn(&GateKey) -> bool,
        round: &Round,
    ) -> Option<Entry> {
        let mut barrier = self.barrier.take()?;
        let mut entry = None;
        if barrier.rest.as_ref().is_none_or(|rest| !rest.contains(&now_ms)) {
            let began = Instant::now();
            let looked = if barrier.is_sure {
                barrier.has_lost(now_ms)
            } else {
                barrier.take_over(wants, &|key| self.is_fresh(key, now_ms)).map(|()| true)
            };
            let wanted = self.to_bar(wants, now_ms, permits, round, &barrier.closed);
            let done = looked.and_then(|is_due| match is_due || barrier.closed != wanted {
                true => barrier.apply(epoch, &wanted, now_ms),
                false => Ok(()),
            });
            if done.is_err() {
                let took = i64::try_from(began.elapsed().as_millis()).unwrap_or(0);
                barrier.rest = Some(now_ms..now_ms + took + BARRIER_AGAIN_MS);
                barrier.closed.extend(wanted.iter().cloned());
                barrier.is_sure = false;
            }
            let why = done.err().map_or("", |error| error.kind.code());
            entry = barrier.tell(&self.name, wanted, why);
        }
        self.barrier = Some(barrier);
        entry
    }

    fn to_bar(
        &self,
        wants: &[Want],
        now_ms: i64,
        permits: &dyn Fn(&GateKey) -> bool,
        round: &Round,
        closed: &GateSet,
    ) -> GateSet {
        let failed_now = round.entries.iter().filter_map(|entry| match entry {
            Entry::EdgeFailed { sites, .. } => Some(sites),
            _ => None,
        });
        let failed_now: GateSet = failed_now.flatten().cloned().collect();
        let is_barred = |want: &&Want| {
            let key = &want.target.key;
            match want.light {
                Light::Lit => closed.contains(key) && !permits(key),
                Light::Dark if self.is_fresh(key, now_ms) => false,
                Light::Dark => {
                    want.gate == Gate::Failed || failed_now.contains(key) || closed.contains(key)
                }
            }
        };
        wants.iter().filter(is_barred).map(|want| want.target.key.clone()).collect()
    }
}
