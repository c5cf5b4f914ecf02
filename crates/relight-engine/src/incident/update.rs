//! Words for the public page, as people published them.

use relight_model::Timestamp;
use serde::{Deserialize, Serialize};

use super::fold::{Incident, Rejected};

/// Longest text of an update in one language, in bytes.
pub const UPDATE_BYTES_MAX: usize = 4_000;

/// Most updates of one incident.
pub const UPDATES_MAX: usize = 1_000;

/// Latest next update that may be promised, in seconds after the one that promises it.
pub const NEXT_S_MAX: i64 = 7 * 24 * 3_600;

/// How bad an outage is for people, in Statuspage's words: whoever publishes chooses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Impact {
    /// Nobody misses anything.
    None,
    /// Few miss something.
    Minor,
    /// Many miss something.
    Major,
    /// Many miss what they cannot do without.
    Critical,
}

impl Impact {
    /// Each, the least first.
    pub const ALL: [Self; 4] = [Self::None, Self::Minor, Self::Major, Self::Critical];

    /// The stable name used in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Minor => "minor",
            Self::Major => "major",
            Self::Critical => "critical",
        }
    }

    /// The impact of this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == text)
    }
}

/// What goes with words, beside the words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Particulars {
    /// When the next words are promised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Timestamp>,
    /// How bad it is, from these words on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub impact: Option<Impact>,
    /// They say something about data or a compromise, and Command stands for that.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub about_data: bool,
    /// They are the report after it was over.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub report: bool,
}

impl Particulars {
    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

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
    /// What goes with them.
    pub particulars: Particulars,
}

impl Incident {
    pub(super) fn publish(
        &mut self,
        (fr, en): (&str, &str),
        by: &str,
        particulars: Particulars,
        at: Timestamp,
    ) -> Result<(), Rejected> {
        if particulars.report != self.closed {
            return Err(Rejected("a report comes after the incident, and other words before"));
        }
        if particulars.next.is_some_and(|next| !(1..=NEXT_S_MAX).contains(&(next - at))) {
            return Err(Rejected("the next update is within seven days"));
        }
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
        self.updates.push(Update { at, fr, en, by, particulars });
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
        let particulars = Particulars::default();
        incident.apply(&Entry::UpdatePublished { fr, en, by, particulars }, 7)
    }

    fn with(incident: &mut Incident, particulars: Particulars) -> Result<(), Rejected> {
        let (fr, en, by) = ("Bonjour".to_owned(), String::new(), "anna".to_owned());
        incident.apply(&Entry::UpdatePublished { fr, en, by, particulars }, 7)
    }

    #[test]
    fn a_promise_is_kept_soon_and_a_report_comes_last() {
        let mut incident = incident();
        let next = |next| Particulars { next: Some(next), ..Particulars::default() };
        for wrong in [7, 0, 8 + NEXT_S_MAX] {
            assert!(with(&mut incident, next(wrong)).is_err(), "{wrong}");
        }
        assert_eq!(with(&mut incident, next(8)), Ok(()));
        let report = Particulars { report: true, ..Particulars::default() };
        assert!(with(&mut incident, report).is_err(), "it is open");
        incident.apply(&Entry::Closed { current: true }, 8).unwrap();
        assert!(with(&mut incident, Particulars::default()).is_err(), "it is over");
        assert_eq!(with(&mut incident, report), Ok(()));
        let bare = Entry::from_body(r#"{"by":"a","en":"","fr":"x","kind":"update-published"}"#);
        assert_eq!(bare.unwrap().to_body().unwrap().matches("particulars").count(), 0);
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
