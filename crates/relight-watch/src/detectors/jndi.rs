//! Exploit attempts by JNDI lookup (CVE-2021-44228): a payload that would have worked on the
//! product it was written for. Not an indication of compromise.

use relight_model::{Detection, Severity};

use super::{Detector, Summary, detection};
use crate::contact::Class;

pub(super) const PLUGIN: Jndi = Jndi;

/// One payload is enough: the evaluator's verdict has no ordinary explanation.
pub(super) struct Jndi;

impl Detector for Jndi {
    fn name(&self) -> &'static str {
        "jndi"
    }

    fn judge(&self, summary: &Summary<'_>) -> Option<Detection> {
        let of_class =
            |class| summary.contacts.iter().filter(move |contact| contact.class == class).copied();
        of_class(Class::Exploit).next()?;
        let mut contacts: Vec<_> =
            of_class(Class::Exploit).chain(of_class(Class::Attempt)).collect();
        contacts.sort_unstable();
        detection(self.name(), Severity::ExploitAttempt, vec![summary.source], &contacts)
    }
}
