//! Words for the public page, as people published them.

use relight_model::Timestamp;

use super::fold::{Incident, Rejected};

/// Longest text of an update in one language, in bytes.
pub const UPDATE_BYTES_MAX: usize = 4_000;

/// Most updates of one incident.
pub const UPDATES_MAX: usize = 1_000;

/// Words that a person published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// When.
    pub at: Timestamp,
    /// In French.
    pub fr: String,
    /// In English; empty where that language is not published.
    pub en: String,
    /// Who.
    pub by: String,
}

impl Incident {
    pub(super) fn publish(
        &mut self,
        fr: &str,
        en: &str,
        by: &str,
        at: Timestamp,
    ) -> Result<(), Rejected> {
        if fr.trim().is_empty() {
            return Err(Rejected("an update has words in French"));
        }
        if fr.len().max(en.len()) > UPDATE_BYTES_MAX {
            return Err(Rejected("an update is longer than 4,000 bytes"));
        }
        if self.updates.len() >= UPDATES_MAX {
            return Err(Rejected("an incident has at most 1,000 updates"));
        }
        let (fr, en, by) = (fr.trim().to_owned(), en.trim().to_owned(), by.to_owned());
        self.updates.push(Update { at, fr, en, by });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use relight_model::Digest;

    use super::*;
    use crate::incident::Entry;

    fn publish(incident: &mut Incident, fr: &str, en: &str) -> Result<(), Rejected> {
        let (fr, en, by) = (fr.to_owned(), en.to_owned(), "anna".to_owned());
        incident.apply(&Entry::UpdatePublished { fr, en, by }, 7)
    }

    fn incident() -> Incident {
        let (question, title, policy) = ("CVE-1".to_owned(), String::new(), String::new());
        let opened = Entry::Opened {
            question,
            title,
            statements: Digest::default(),
            policy,
            revision: Digest::default(),
        };
        Incident::open(&opened, 1, 1).unwrap()
    }

    #[test]
    fn words_need_french_and_have_their_limits() {
        let mut incident = incident();
        let long = "x".repeat(UPDATE_BYTES_MAX + 1);
        for (fr, en) in [("", "Hello"), (" ", ""), (&long, ""), ("Bonjour", &long)] {
            assert!(publish(&mut incident, fr, en).is_err());
        }
        assert_eq!(publish(&mut incident, " Bonjour ", &long[1..]), Ok(()));
        assert_eq!((incident.updates[0].fr.as_str(), incident.updates[0].at), ("Bonjour", 7));
        while incident.updates.len() < UPDATES_MAX {
            publish(&mut incident, "Bonjour", "").unwrap();
        }
        assert!(publish(&mut incident, "Bonjour", "").is_err());
    }
}
