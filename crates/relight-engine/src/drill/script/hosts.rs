//! Names that nobody serves, and spellings of the one that is dark: none of them reaches a site.

use std::time::Instant;

use relight_edge::ProbeTarget;
use relight_edge::spelling::{Spelled, spell_canary};
use relight_model::GateKey;

use super::{Drill, chain};
use crate::reconcile::{CANARY_HOST, CANARY_KEY, SPELL_MAX};

impl Drill<'_> {
    /// Asks every listener in every spelling.
    pub(super) fn hosts(&self) -> Result<(), String> {
        let key = GateKey::new(CANARY_KEY).map_err(str::to_owned)?;
        let canary = ProbeTarget::site(key, CANARY_HOST.to_owned(), None);
        for listener in self.bed.listeners().map_err(|error| chain(&error))? {
            match spell_canary(&listener, &canary, Instant::now() + SPELL_MAX) {
                Spelled::Shut => {}
                Spelled::Past(what) => {
                    return Err(format!("reached the dark canary, or a site: {what}"));
                }
                Spelled::Untold(what) => return Err(format!("nobody knows: {what}")),
            }
        }
        Ok(())
    }
}
