//! A reload by other hands, while visitors ask.

use std::thread;

use relight_edge::Prober;
use relight_edge::exec::RELOAD;
use relight_model::Seen;

use super::super::DrillKey;
use super::{Drill, Tried, chain};
use crate::incident::Phase;

/// How often visitors ask after a reload, a pause apart.
const RELOAD_LOOKS: u64 = 100;

impl Drill<'_> {
    /// The program that the edge is registered with reloads it, as certificates and other hands
    /// do, while visitors go on asking.
    pub(super) fn reload(&mut self) -> Result<Tried, String> {
        let reloads = self.edge.target.all().filter_map(|edge| edge.settings.get(RELOAD));
        let reloads: Vec<&String> = reloads.collect();
        let left = self.edge.unshown_reload();
        let tried = Tried::but_for(!reloads.is_empty(), "reload-untried", &left);
        if reloads.is_empty() {
            return Ok(tried);
        }
        for reload in reloads {
            relight_edge::exec::reload(reload).map_err(|error| chain(&error))?;
        }
        let targets: Vec<_> = self.edge.keys.iter().map(DrillKey::target).collect();
        let mut eyes = Prober::all(&self.edge.target).map_err(|error| chain(&error))?;
        for nonce in 1..=RELOAD_LOOKS {
            for prober in &mut eyes {
                let seen = prober.probe(&targets, self.pace.nonce.rotate_left(19) ^ nonce);
                let lit = targets.iter().zip(seen).find(|(_, result)| result.seen == Seen::Lit);
                if let Some((target, _)) = lit {
                    return Err(format!("{} was lit by a reload", target.key));
                }
            }
            // As a visitor would: again and again while the old process goes and the new one comes.
            thread::sleep(self.pace.pause);
        }
        self.until(|phase| phase == Phase::DarkProven).map(|()| tried)
    }
}
