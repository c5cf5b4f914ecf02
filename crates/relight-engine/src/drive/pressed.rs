//! Whether something has to be closed that waits for the end of a look.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use relight_model::{GateKey, Light};

use crate::engine::Engine;
use crate::reconcile::Want;

/// What one edge is asked about while it is looked at for long.
pub(super) struct Pressed {
    engine: Arc<Engine>,
    edge: String,
    stop: Arc<AtomicBool>,
    /// The version that was looked at last, and what was wanted dark when the round began.
    known: Mutex<(u64, BTreeSet<GateKey>)>,
}

impl Pressed {
    pub(super) fn new(engine: Arc<Engine>, edge: &str, stop: Arc<AtomicBool>) -> Self {
        Self { engine, edge: edge.to_owned(), stop, known: Mutex::default() }
    }

    /// A round begins that knows of these.
    pub(super) fn begin(&self, version: u64, wants: &[Want]) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = (version, dark(wants));
    }

    /// Another site has to be closed than when the round began, or everybody stops.
    pub(super) fn is_so(&self) -> bool {
        if self.stop.load(Ordering::Relaxed) {
            return true;
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let version = self.engine.version();
        if version == known.0 {
            return false;
        }
        let (wants, _) = self.engine.wants_of(&self.edge);
        let is_pressed = !dark(&wants).is_subset(&known.1);
        if !is_pressed {
            known.0 = version;
        }
        is_pressed
    }
}

fn dark(wants: &[Want]) -> BTreeSet<GateKey> {
    let dark = wants.iter().filter(|want| want.light == Light::Dark);
    dark.map(|want| want.target.key.clone()).collect()
}
