//! What people attest about sites and bodies: who, when, on what evidence, and until when.

use relight_model::Timestamp;
use rusqlite::{Row, params};

use crate::register::{Change, note_change};
use crate::{Store, StoreError, StoreErrorKind};

/// Longest evidence of an attestation, in bytes.
pub const EVIDENCE_BYTES_MAX: usize = 500;

/// Attestations that are written at once.
pub const ATTESTATIONS_MAX: usize = 1_000;

/// One attestation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attestation {
    /// What it is about: `site SLUG` or `body NAME`.
    pub subject: String,
    /// Code of the measure (`mfa`).
    pub measure: String,
    /// The measure is in place.
    pub in_place: bool,
    /// Where that can be looked up: one line, at most [`EVIDENCE_BYTES_MAX`] bytes.
    pub evidence: String,
    /// Who attests it.
    pub actor: String,
    /// When.
    pub at: Timestamp,
    /// From when on it says nothing any more.
    pub expires: Timestamp,
}

impl Store {
    /// The newest attestation of each subject and measure, sorted by both; expired ones too.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn attestations(&self) -> Result<Vec<Attestation>, StoreError> {
        self.read("reading the attestations", |database| {
            let mut query = database.prepare_cached(
                "SELECT subject, measure, in_place, evidence, actor, at, expires FROM attestation
                 WHERE seq IN (SELECT max(seq) FROM attestation GROUP BY subject, measure)
                 ORDER BY subject, measure",
            )?;
            let rows = query.query_map([], attestation)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Adds attestations, all or none; each is a change of the register.
    ///
    /// # Errors
    /// One has no evidence or too much of it, or ends before it begins, or there are too many
    /// (`Limit`), or the database cannot be written.
    pub fn attest(&self, attestations: &[Attestation]) -> Result<(), StoreError> {
        if attestations.len() > ATTESTATIONS_MAX || !attestations.iter().all(is_whole) {
            let context =
                "an attestation needs evidence in one line, and an end after its beginning";
            return Err(StoreError::new(StoreErrorKind::Limit, context));
        }
        self.write("adding attestations", |transaction| {
            for attestation in attestations {
                let Attestation { subject, measure, in_place, evidence, actor, at, expires } =
                    attestation;
                transaction
                    .prepare_cached(
                        "INSERT INTO attestation
                         (subject, measure, in_place, evidence, actor, at, expires)
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                    )?
                    .execute(params![subject, measure, in_place, evidence, actor, at, expires])?;
                let what = format!("attestation of {subject}");
                let word = if *in_place { "yes" } else { "no" };
                let after = format!("{measure}={word}\t{evidence}\t{expires}");
                note_change(transaction, Change { at: *at, actor, what: &what }, "", &after)?;
            }
            Ok(())
        })
    }
}

/// One line of evidence, and a time in which it holds.
fn is_whole(attestation: &Attestation) -> bool {
    let text = &attestation.evidence;
    let is_line = !text.trim().is_empty() && !text.chars().any(char::is_control);
    is_line && text.len() <= EVIDENCE_BYTES_MAX && attestation.expires > attestation.at
}

fn attestation(row: &Row<'_>) -> Result<Attestation, rusqlite::Error> {
    Ok(Attestation {
        subject: row.get(0)?,
        measure: row.get(1)?,
        in_place: row.get(2)?,
        evidence: row.get(3)?,
        actor: row.get(4)?,
        at: row.get(5)?,
        expires: row.get(6)?,
    })
}

#[cfg(test)]
mod tests {
    use std::slice;

    use super::*;
    use crate::testing::open;

    fn mfa(subject: &str, in_place: bool, at: Timestamp) -> Attestation {
        Attestation {
            subject: subject.into(),
            measure: "mfa".into(),
            in_place,
            evidence: "audit 2026-4".into(),
            actor: "anna".into(),
            at,
            expires: at + 60,
        }
    }

    #[test]
    fn the_newest_counts_and_every_one_is_noted() {
        let (_folder, store) = open();
        assert_eq!(store.attestations().unwrap(), []);
        store.attest(&[mfa("site a", true, 1), mfa("body B", true, 1)]).unwrap();
        store.attest(&[mfa("site a", false, 2)]).unwrap();
        let found = store.attestations().unwrap();
        let told: Vec<_> = found.iter().map(|it| (it.subject.as_str(), it.in_place)).collect();
        assert_eq!(told, [("body B", true), ("site a", false)]);
        let changes = store.register_changes(1).unwrap();
        let told: Vec<_> = changes.iter().map(|it| it.after.as_str()).collect();
        let line = |word: &str, end: u8| format!("mfa={word}\taudit 2026-4\t{end}");
        assert_eq!(told, [line("yes", 61), line("yes", 61), line("no", 62)]);
        assert!(changes.iter().all(|it| it.actor == "anna"));
    }

    #[test]
    fn without_evidence_or_end_nothing_is_written() {
        let (_folder, store) = open();
        let good = mfa("site a", true, 1);
        let longest = Attestation { evidence: "x".repeat(EVIDENCE_BYTES_MAX), ..good.clone() };
        store.attest(slice::from_ref(&longest)).unwrap();
        let bad = [
            Attestation { evidence: " ".into(), ..good.clone() },
            Attestation { evidence: "two\nlines".into(), ..good.clone() },
            Attestation { evidence: "x".repeat(EVIDENCE_BYTES_MAX + 1), ..good.clone() },
            Attestation { expires: good.at, ..good.clone() },
        ];
        for bad in bad {
            let error = store.attest(&[good.clone(), bad]).unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::Limit);
        }
        let many = vec![good; ATTESTATIONS_MAX + 1];
        assert_eq!(store.attest(&many).unwrap_err().kind(), StoreErrorKind::Limit);
        assert_eq!(store.attestations().unwrap(), [longest], "all or none");
        store.attest(&many[..ATTESTATIONS_MAX]).unwrap();
    }
}
