//! Reconnaissance by one source, however slow: Wald's sequential test over its distinct contacts
//! in all organisations together. No window and no rate; a contact counts once.

use relight_model::{Detection, Severity};

use super::{Detector, Summary, detection, likelihood_threshold};
use crate::contact::Class;

pub(super) const PLUGIN: SlowSweep = SlowSweep { contacts_min: 3 };

/// See the head of the file.
pub(super) struct SlowSweep {
    /// Fewest contacts besides exploit attempts, which `jndi` decides alone: one or two doors are
    /// no sweep, whatever they weigh.
    pub(super) contacts_min: usize,
}

impl Detector for SlowSweep {
    fn name(&self) -> &'static str {
        "slow_sweep"
    }

    fn judge(&self, summary: &Summary<'_>) -> Option<Detection> {
        let contacts: Vec<_> =
            summary.contacts.iter().filter(|contact| contact.class.counts()).copied().collect();
        let doors = contacts.iter().filter(|contact| contact.class != Class::Exploit).count();
        if doors < self.contacts_min {
            return None;
        }
        detection(self.name(), Severity::Reconnaissance, vec![summary.source], &contacts)
            .filter(|detection| detection.likelihood >= likelihood_threshold())
    }
}
