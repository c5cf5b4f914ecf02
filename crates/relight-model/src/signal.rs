//! How bad a flaw is said to be, and what is known about its use by attackers.

use crate::Timestamp;

/// One rating of severity, as published.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rating {
    /// What the vector is written in.
    pub kind: RatingKind,
    /// The vector (`CVSS:3.1/AV:N/…`), or the words of the source; empty when only a number is
    /// given.
    pub vector: String,
    /// The score that stands beside it, in tenths, as stated.
    pub stated: Option<u16>,
    /// Who rated it; empty for the source itself.
    pub by: String,
}

/// What a rating is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RatingKind {
    /// CVSS 2.0.
    CvssV2,
    /// CVSS 3.0 or 3.1.
    CvssV3,
    /// CVSS 4.0.
    CvssV4,
    /// Words or a scale of the source's own (`High`, `Important`).
    Other,
}

impl Rating {
    /// A vector without more; its kind is what its prefix says, version 2 having none.
    pub fn of_vector(vector: &str) -> Self {
        let kind = match vector.get(..7) {
            Some("CVSS:3.") => RatingKind::CvssV3,
            Some("CVSS:4.") => RatingKind::CvssV4,
            _ if vector.starts_with("AV:") || vector.starts_with("(AV:") => RatingKind::CvssV2,
            _ => RatingKind::Other,
        };
        Self { kind, vector: vector.to_owned(), stated: None, by: String::new() }
    }
}

/// One thing that is known about the exploitation of a flaw. Signals order work; they never change
/// a verdict.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Signal {
    /// In a catalogue of known exploited vulnerabilities.
    Kev {
        /// Whose (`cisa`, `enisa`, `vulncheck`).
        catalogue: String,
        /// When it was added.
        added: Option<Timestamp>,
        /// Until when those it binds must have acted.
        due: Option<Timestamp>,
        /// Known to be used for ransomware.
        ransomware: bool,
        /// When it was seen to have left the catalogue.
        removed: Option<Timestamp>,
    },
    /// Exploit Prediction Scoring System (FIRST).
    Epss {
        /// Probability of exploitation in 30 days, in millionths.
        score: u32,
        /// Share of flaws that score no higher, in millionths.
        percentile: u32,
        /// The day of the score.
        date: Timestamp,
        /// The version of the model; scores of two models do not compare.
        model: String,
    },
    /// Stakeholder-specific vulnerability categorisation; the points as published.
    Ssvc {
        /// `none`, `poc`, `active`.
        exploitation: String,
        /// `yes`, `no`.
        automatable: String,
        /// Technical impact: `partial`, `total`.
        impact: String,
        /// Who decided (`CISA Coordinator`).
        role: String,
        /// When.
        at: Option<Timestamp>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_of_a_vector_is_its_kind() {
        for (vector, kind) in [
            ("CVSS:3.0/AV:N", RatingKind::CvssV3),
            ("CVSS:3.1/AV:N", RatingKind::CvssV3),
            ("CVSS:4.0/AV:N", RatingKind::CvssV4),
            ("AV:N/AC:L/Au:N/C:P/I:P/A:P", RatingKind::CvssV2),
            ("(AV:N/AC:L/Au:N/C:P/I:P/A:P)", RatingKind::CvssV2),
            ("CVSS:5.0/AV:N", RatingKind::Other),
            ("High", RatingKind::Other),
            ("", RatingKind::Other),
        ] {
            assert_eq!(Rating::of_vector(vector).kind, kind, "{vector}");
        }
    }
}
