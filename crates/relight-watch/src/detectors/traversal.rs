//! Climbing out of the folder of the web server, again and again. No test against a real server
//! says what would have worked, so this is reconnaissance: never more, and no compromise.

use relight_model::{Detection, Severity};

use super::{Contact, Detector, Summary, detection, likelihood_threshold};
use crate::contact::Class;
use crate::traversal::is_climb;

pub(super) const PLUGIN: Traversal = Traversal;

/// Three sites decide, or five such requests at one: see the weights of attempts.
pub(super) struct Traversal;

impl Detector for Traversal {
    fn name(&self) -> &'static str {
        "traversal"
    }

    fn judge(&self, summary: &Summary<'_>) -> Option<Detection> {
        let climbs = |it: &&Contact<'_>| it.class == Class::Attempt && is_climb(it.door, it.text);
        let contacts: Vec<_> = summary.contacts.iter().filter(climbs).copied().collect();
        let severity = Severity::Reconnaissance;
        let mut made = detection(self.name(), severity, vec![summary.source], &contacts)?;
        made.contributions.iter_mut().for_each(|part| part.class = self.name());
        (made.likelihood >= likelihood_threshold()).then_some(made)
    }
}
