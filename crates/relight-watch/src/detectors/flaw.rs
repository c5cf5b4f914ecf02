//! Requests that use a known flaw: doors of the catalogue of kind `exploit`, which have no ordinary
//! use. One is enough, as one payload is; whether the site had the flaw at that hour is told by
//! the register later. An attempt, and not an indication of compromise.

use relight_model::{Detection, Severity};

use super::{Detector, Summary, detection};
use crate::contact::Class;

pub(super) const PLUGIN: Flaw = Flaw;

/// See the head of the file.
pub(super) struct Flaw;

impl Detector for Flaw {
    fn name(&self) -> &'static str {
        "flaw"
    }

    fn judge(&self, summary: &Summary<'_>) -> Option<Detection> {
        let uses = summary.contacts.iter().filter(|contact| contact.class == Class::Flaw);
        let contacts: Vec<_> = uses.copied().collect();
        detection(self.name(), Severity::ExploitAttempt, vec![summary.source], &contacts)
    }
}
