//! Reconnaissance by one source, however slow: Wald's sequential test over its distinct contacts
//! in all organisations together. No window and no rate; a contact counts once.

use relight_model::{Contribution, Detection, Severity};

use super::weights::{CLAIMED, explained_by_people};
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
            .map(|detection| less_of_many(detection, summary.homes))
            .map(|detection| if summary.claims { claimed(detection) } else { detection })
            .filter(|detection| detection.likelihood >= likelihood_threshold())
    }
}

/// Takes away the doors that the many people behind an address explain.
fn less_of_many(mut detection: Detection, homes: usize) -> Detection {
    for part in &mut detection.contributions {
        if part.class == Class::Probe.as_str() {
            let explained = explained_by_people(homes).min(part.likelihood);
            part.likelihood -= explained;
            detection.likelihood -= explained;
        }
    }
    detection
}

/// Adds that the source claims a name which is not its.
fn claimed(mut detection: Detection) -> Detection {
    let likelihood = CLAIMED;
    detection.contributions.push(Contribution { class: "name-claimed", contacts: 1, likelihood });
    detection.likelihood += likelihood;
    detection
}

#[cfg(test)]
mod tests {
    use relight_model::{OrgId, SiteId};

    use super::*;
    use crate::detectors::Contact;
    use crate::pool::Print;

    /// Trap: a pause over the change of a quarter. One door in each of four quarters is one story.
    #[test]
    fn no_quarter_is_forgotten_in_the_next() {
        let contact = |number: u32| Contact {
            first: i64::from(number) * 92 * 86_400,
            org: OrgId(number),
            site: Some(SiteId(number)),
            class: Class::Probe,
            text: "/.env",
            status: 404,
            last: i64::from(number) * 92 * 86_400,
            print: Print::default(),
            door: 1,
        };
        let decides = |doors: u32| {
            let contacts = (0..doors).map(contact).collect();
            let source = std::net::IpAddr::from([192, 0, 2, 1]);
            let summary = Summary { source, contacts, homes: 0, claims: false };
            PLUGIN.judge(&summary).map(|found| found.last - found.first)
        };
        assert_eq!((decides(3), decides(4)), (None, Some(3 * 92 * 86_400)));
    }

    /// Trap: a carrier's address with thousands of people behind it gathers a door now and then.
    /// Visits of an ordinary address explain nothing, however many they are.
    #[test]
    fn the_people_behind_a_shared_address_explain_some_doors_and_visits_explain_none() {
        let decides = |doors: u32, homes: usize| {
            let contact = |site| Contact {
                first: i64::from(site),
                org: OrgId(site % 40),
                site: Some(SiteId(site)),
                class: Class::Probe,
                text: "/.env",
                status: 404,
                last: i64::from(site),
                print: Print::default(),
                door: 1,
            };
            let contacts = (0..doors).map(contact).collect();
            let source = std::net::IpAddr::from([192, 0, 2, 1]);
            PLUGIN.judge(&Summary { source, contacts, homes, claims: false }).is_some()
        };
        assert!(decides(4, 0) && !decides(3, 0));
        assert!(!decides(16, 4_000) && decides(24, 4_000));
        assert!(decides(5, 100) && decides(8, 1_000), "at 1,000 sites four doors are explained");
    }
}
