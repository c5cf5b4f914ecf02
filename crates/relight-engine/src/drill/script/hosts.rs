//! Names that nobody serves, and spellings of the one that is dark: none of them reaches a site.

use std::time::Instant;

use relight_edge::ProbeTarget;
use relight_edge::spelling::{HTTP2_UNSPOKEN, Spelled, lacks_http2, spell_canary};
use relight_model::GateKey;

use super::{Drill, Tried, chain};
use crate::reconcile::{CANARY_HOST, CANARY_KEY, SPELL_MAX};

impl Drill<'_> {
    /// Asks every listener in every spelling; says which of those under TLS does not speak HTTP/2.
    pub(super) fn hosts(&self) -> Result<Tried, String> {
        let mut without = Vec::new();
        let key = GateKey::new(CANARY_KEY).map_err(str::to_owned)?;
        let canary = ProbeTarget::site(key, CANARY_HOST.to_owned(), None);
        for listener in self.bed.listeners().map_err(|error| chain(&error))? {
            match spell_canary(&listener, &canary, Instant::now() + SPELL_MAX) {
                Spelled::Shut => {
                    let lacks = listener.is_secured() && lacks_http2(&listener);
                    without.extend(lacks.then(|| listener.to_string()));
                }
                Spelled::Past(what) => {
                    return Err(format!("reached the dark canary, or a site: {what}"));
                }
                Spelled::Untold(what) => return Err(format!("nobody knows: {what}")),
            }
        }
        Ok(match without.is_empty() {
            true => Tried::Yes,
            false => Tried::Partly(format!("{HTTP2_UNSPOKEN}: {}", without.join(" "))),
        })
    }
}
