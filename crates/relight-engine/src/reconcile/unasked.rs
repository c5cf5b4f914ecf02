//! What a gate holds dark although nothing in this journal asks for it: the register was restored
//! from a copy of before the order, or another register closes sites on the same edge. Nobody here
//! knows what may be lit there: it stays as it is, and a person is told.

use relight_edge::{EdgeError, GateSet, GateView};
use relight_model::{GateKey, Seen};

use super::{CANARY_KEY, EdgeLoop, Want};

/// The code of it, where the edge is told about.
pub const DARK_UNASKED: &str = "dark-unasked";

impl EdgeLoop {
    /// Looks once more for what the gate holds dark and nothing in this journal explains. A site
    /// that an open incident ever ordered dark is explained, and no incident is closed before its
    /// sites were seen lit.
    pub(super) fn find_unasked(&mut self, wants: &[Want]) -> Result<&GateSet, EdgeError> {
        let mut owned = self.driver.owned()?;
        for want in wants {
            owned.remove(&want.target.key);
        }
        owned.retain(|key| key.as_str() != CANARY_KEY);
        let keys: Vec<GateKey> = owned.into_iter().collect();
        let views = if keys.is_empty() { Vec::new() } else { self.driver.observe(&keys)? };
        // Anybody may have opened one: what is lit is not closed by this.
        let is_dark =
            |view: &GateView| !view.foreign && [view.durable, view.runtime].contains(&Seen::Dark);
        let all = keys.into_iter().zip(views);
        self.unasked = all.filter(|(_, view)| is_dark(view)).map(|(key, _)| key).collect();
        Ok(&self.unasked)
    }

    /// Whether there is any, as far as was seen last.
    pub fn has_unasked(&self) -> bool {
        !self.unasked.is_empty()
    }

    /// At the start: one that is found is told with the first trial of the canary, which is soon.
    pub fn look_for_unasked(&mut self, wants: &[Want]) {
        // An edge that does not answer is looked at before each effect.
        if self.find_unasked(wants).is_ok_and(|found| !found.is_empty()) {
            self.suspect();
        }
    }
}
