//! Names that nobody serves, and spellings of the one that is dark: none of them reaches a site.

use relight_edge::ProbeTarget;
use relight_edge::spelling::{Spelled, spell_canary};
use relight_model::GateKey;

use super::{Drill, chain};
use crate::reconcile::{CANARY_HOST, CANARY_KEY};

impl Drill<'_> {
    /// Asks every listener in every spelling.
    pub(super) fn hosts(&self) -> Result<(), String> {
        let key = GateKey::new(CANARY_KEY).map_err(str::to_owned)?;
        let canary = ProbeTarget::site(key, CANARY_HOST.to_owned(), None);
        for listener in self.bed.listeners().map_err(|error| chain(&error))? {
            let spelled = spell_canary(&listener, &canary).map_err(|error| chain(&error))?;
            if let Spelled::Past(what) = spelled {
                return Err(format!("reached the dark canary, or a site: {what}"));
            }
        }
        Ok(())
    }
}
