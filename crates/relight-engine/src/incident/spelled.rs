//! Which spelling of a name led past a closed gate, as the journal says.

use relight_edge::config::CANARY_KEY;
use relight_model::GateKey;

use super::fold::HOST_SPELLING;
use super::ledger::Ledger;

impl Ledger {
    /// Which spelling led past the gate of a site at an edge, or of its canary, the last time: at
    /// which listener, and what was answered. None in journals of before.
    pub fn spelling(&self, edge: &str, site: &GateKey) -> Option<&str> {
        self.spelled.get(&(edge.to_owned(), site.clone())).map(String::as_str)
    }

    /// The same of the canary of an edge, while that is why it fails.
    pub fn canary_spelling(&self, edge: &str) -> Option<&str> {
        self.canary_failure(edge).filter(|(_, what)| what == HOST_SPELLING)?;
        self.spelling(edge, &GateKey::new(CANARY_KEY).ok()?)
    }
}
