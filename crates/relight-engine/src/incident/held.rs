//! News that would darken more lit sites than may go dark without an order: a forged or broken feed
//! must not darken a province. They count as exposed until somebody decides (INCIDENT 3.2).

use relight_model::{GateKey, Light, Timestamp};

use super::fold::{Case, Incident, Rejected};

impl Incident {
    /// Lit sites that are held back for a person to decide about.
    pub fn held_back(&self) -> impl Iterator<Item = &GateKey> {
        self.cases().iter().filter(|(_, case)| case.held_back).map(|(site, _)| site)
    }

    pub(super) fn hold_back(&mut self, sites: &[GateKey], now: Timestamp) -> Result<(), Rejected> {
        let mut held = Err(Rejected("no site is lit that is not held back already"));
        for site in sites {
            let case = self.cases.entry(site.clone()).or_insert_with(|| Case::new(now));
            if case.phase.wants() == Light::Lit && !case.held_back {
                case.held_back = true;
                held = Ok(());
            }
        }
        held
    }
}
