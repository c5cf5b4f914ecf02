//! Which incident is about an advisory, whatever its group is called today.
//!
//! An incident is kept under the id that its group had when it was opened. A group that gains a CVE
//! later, because an advisory of one's own is bound or an alias comes a day late, is shown under
//! that from then on.

use relight_match::Advisories;

use super::fold::Incident;
use super::ledger::Ledger;

impl Ledger {
    /// The incident about an advisory, by the id under which it is kept or any id of its group: an
    /// open one before those that are closed, and of several that of this very id.
    pub fn about(&self, known: &Advisories, id: &str) -> Option<&str> {
        let is_about = |(kept, incident): &(&str, &Incident)| {
            *kept == id || is_one_group(known, &incident.question, id)
        };
        let all: Vec<_> = self.incidents().filter(is_about).collect();
        let best = all.iter().max_by_key(|(kept, it)| (!it.closed, *kept == id, it.opened));
        best.map(|(kept, _)| *kept)
    }

    /// The open incident about an advisory, as [`Ledger::about`].
    pub fn open_about(&self, known: &Advisories, id: &str) -> Option<&str> {
        self.about(known, id).filter(|kept| self.incident(kept).is_some_and(|it| !it.closed))
    }
}

/// Whether two ids are of one flaw.
fn is_one_group(known: &Advisories, one: &str, other: &str) -> bool {
    let (one, other) = (known.group(one), known.group(other));
    one.zip(other).is_some_and(|(one, other)| one.id == other.id)
}
