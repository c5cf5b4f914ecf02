//! Which incident is about an advisory, whatever its group is called today.
//!
//! An incident is kept under the id that its group had when it was opened. A group that gains a CVE
//! later, because an advisory of one's own is bound or an alias comes a day late, is shown under
//! that from then on. A second incident about a flaw whose first one is closed has a number behind
//! a tilde (`CVE-2021-44228~2`): a closed one is over, and stays as it was reported.

use std::iter;

use relight_match::Advisories;

use super::fold::Incident;
use super::ledger::Ledger;

/// Stands between the flaw of an incident and its number. No source has it in its ids, and
/// addresses, shells and names of files have it as it is.
const NUMBER: char = '~';

/// The flaw of the incident with this id, as it was called when the incident was opened.
pub fn flaw_of(id: &str) -> &str {
    numbered(id).map_or(id, |(flaw, _)| flaw)
}

/// The flaw and the number of an incident, spelled as it is kept; none of a first one.
fn numbered(id: &str) -> Option<(&str, &str)> {
    let is_one = |number: &str| number.parse::<u32>().is_ok_and(|it| it.to_string() == number);
    id.rsplit_once(NUMBER).filter(|(_, number)| is_one(number))
}

impl Ledger {
    /// The id of the next incident about a flaw.
    pub(crate) fn next_id(&self, flaw: &str) -> String {
        let is_free = |id: &String| self.incident(id).is_none();
        let later = (2_u32..).map(|number| format!("{flaw}{NUMBER}{number}"));
        iter::once(flaw.to_owned()).chain(later).find(is_free).unwrap_or_default()
    }

    /// The incident about an advisory, by the id under which it is kept or any id of its group: an
    /// open one before those that are closed, of several those of this very id, and of these the
    /// newest. The first one of several is named by its number as well (`CVE-2021-44228~1`).
    pub fn about(&self, known: &Advisories, id: &str) -> Option<&str> {
        if let Some((flaw, "1")) = numbered(id) {
            return self.incidents().map(|(kept, _)| kept).find(|kept| *kept == flaw);
        }
        let is_about = |(kept, incident): &(&str, &Incident)| {
            *kept == id || is_one_group(known, &incident.question, id)
        };
        let all: Vec<_> = self.incidents().filter(is_about).collect();
        let best = all.iter().max_by_key(|(kept, it)| (!it.closed, flaw_of(kept) == id, it.opened));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_spelled_in_one_way() {
        assert_eq!(["CVE-1", "CVE-1~2", "CVE-1~10"].map(flaw_of), ["CVE-1"; 3]);
        for id in ["CVE-1~+2", "CVE-1~02", "CVE-1~", "CVE-1~-1"] {
            assert_eq!(flaw_of(id), id);
        }
    }
}
