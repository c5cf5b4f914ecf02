//! What a gate holds dark although nothing in this journal asks for it: the register was restored
//! from a copy of before the order, or another register closes sites on the same edge. Nobody here
//! knows what may be lit there: it stays as it is, and a person is told.

use std::collections::BTreeSet;

use relight_edge::{EdgeDriver, EdgeError, GateSet, GateView};
use relight_model::{Epoch, GateKey, Seen};

use super::{CANARY_KEY, EdgeLoop, Want};

/// The code of it, where the edge is told about.
pub const DARK_UNASKED: &str = "dark-unasked";

/// What a gate has of relight although nothing explains it, with what is seen of it there. The
/// canary is every edge's own, and what others wrote by hand is told as that.
///
/// # Errors
/// The gate cannot be read.
pub fn unexplained(
    driver: &mut dyn EdgeDriver,
    is_explained: impl Fn(&GateKey) -> bool,
) -> Result<Vec<(GateKey, GateView)>, EdgeError> {
    let mut strange = strange(driver, is_explained)?;
    strange.retain(|(_, view)| !view.foreign);
    Ok(strange)
}

/// What of it is dark, or may be, in the running edge or in its durable copy: anybody may have
/// opened one. What is lit is not closed by this, but where several edges stand together: what one
/// of them holds dark is opened at none.
///
/// # Errors
/// The gate cannot be read.
pub fn dark_unasked(
    driver: &mut dyn EdgeDriver,
    is_explained: impl Fn(&GateKey) -> bool,
) -> Result<GateSet, EdgeError> {
    Ok(dark_views(driver, is_explained)?.into_iter().map(|(key, _)| key).collect())
}

/// The same with what is seen of each.
fn dark_views(
    driver: &mut dyn EdgeDriver,
    is_explained: impl Fn(&GateKey) -> bool,
) -> Result<Vec<(GateKey, GateView)>, EdgeError> {
    let mut dark = strange(driver, is_explained)?;
    dark.retain(|(_, view)| view.darkest() != Seen::Lit);
    Ok(dark)
}

fn strange(
    driver: &mut dyn EdgeDriver,
    is_explained: impl Fn(&GateKey) -> bool,
) -> Result<Vec<(GateKey, GateView)>, EdgeError> {
    let is_open = |key: &GateKey| key.as_str() != CANARY_KEY && !is_explained(key);
    let keys: Vec<GateKey> = driver.owned()?.into_iter().filter(is_open).collect();
    let views = if keys.is_empty() { Vec::new() } else { driver.observe(&keys)? };
    Ok(keys.into_iter().zip(views).collect())
}

impl EdgeLoop {
    /// Looks once more for what the gate holds dark and nothing in this journal explains. A site
    /// that an open incident ever ordered dark is explained, and no incident is closed before its
    /// sites were seen lit.
    pub(super) fn find_unasked(&mut self, wants: &[Want]) -> Result<&GateSet, EdgeError> {
        let wanted: BTreeSet<&GateKey> = wants.iter().map(|want| &want.target.key).collect();
        let found = dark_views(&mut *self.driver, |key| wanted.contains(key))?;
        self.has_loose = found.iter().any(|(_, view)| view.durable != Seen::Dark);
        self.unasked = found.into_iter().map(|(key, _)| key).collect();
        Ok(&self.unasked)
    }

    /// Whether there is any, as far as was seen last.
    pub fn has_unasked(&self) -> bool {
        !self.unasked.is_empty()
    }

    /// At the start: one that is found is told with the first trial of the canary, which is soon.
    /// And whether another controller was here is seen before the journal of this one grows: by the
    /// first round, which comes next, or here where nothing is wanted yet.
    pub fn look_first(&mut self, wants: &[Want], epoch: Epoch) {
        let canary = GateKey::new(CANARY_KEY).ok().filter(|_| wants.is_empty());
        if let Some(views) = canary.and_then(|key| self.driver.observe(&[key]).ok()) {
            self.meet(&views, epoch);
        }
        // An edge that does not answer is looked at before each effect.
        if self.find_unasked(wants).is_ok_and(|found| !found.is_empty()) {
            self.suspect();
        }
    }
}
