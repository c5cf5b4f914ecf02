//! Advisories as their sources wrote them: the newest revision of each, and all older ones.

use aho_corasick::AhoCorasickBuilder;
use memchr::memmem;
use relight_model::{Digest, Timestamp, Warning};
use rusqlite::{OptionalExtension, Row, Transaction, params};

use crate::register::{Change, note_change};
use crate::store::Failure;
use crate::{By, Store, StoreError, StoreErrorKind, blob};

/// Largest record of one advisory, in bytes; see `RECORD_BYTES_MAX` of its readers.
pub const ADVISORY_BYTES_MAX: usize = 32 << 20;

/// One record of a source.
#[derive(Clone, Copy, Debug)]
pub struct RawAdvisory<'a> {
    /// The source's own id.
    pub id: &'a str,
    /// Digest of the revision, as the reader of the record computes it.
    pub revision: Digest,
    /// The record.
    pub bytes: &'a [u8],
    /// When we learnt it.
    pub recorded_at: Timestamp,
}

/// One record, read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAdvisory {
    /// Name of the source.
    pub source: String,
    /// The source's own id.
    pub id: String,
    /// Digest of the revision.
    pub revision: Digest,
    /// The record.
    pub bytes: Vec<u8>,
    /// When it went missing from a list that is made anew: its opinion ended then.
    pub ended: Option<Timestamp>,
}

/// What storing records did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AdvisoryCounts {
    /// Ids that the source had not told before.
    pub new: usize,
    /// Ids with another revision than the newest one known.
    pub changed: usize,
    /// Records that are already the newest.
    pub same: usize,
    /// Records that are too large.
    pub refused: Vec<Warning>,
}

impl Store {
    /// Stores records of a source; a bad one does not stop the others.
    ///
    /// # Errors
    /// The database cannot be written; then nothing is.
    pub fn put_advisories(
        &self,
        source: &str,
        records: &[RawAdvisory<'_>],
    ) -> Result<AdvisoryCounts, StoreError> {
        self.write("storing advisories", |transaction| {
            let mut counts = AdvisoryCounts::default();
            for record in records {
                if record.bytes.len() > ADVISORY_BYTES_MAX {
                    let place = format!("{source}:{}", record.id);
                    let message = format!("record is larger than {ADVISORY_BYTES_MAX} bytes");
                    counts.refused.push(Warning::new("advisory-too-large", place, message));
                    continue;
                }
                match put(transaction, source, record)? {
                    Put::New => counts.new += 1,
                    Put::Changed => counts.changed += 1,
                    Put::Same => counts.same += 1,
                }
            }
            Ok(counts)
        })
    }

    /// Stores a record that a person of this register publishes, and who did: both or none.
    ///
    /// # Errors
    /// It is larger than [`ADVISORY_BYTES_MAX`] (`Limit`), or the database cannot be written.
    pub fn publish_advisory(
        &self,
        source: &str,
        record: &RawAdvisory<'_>,
        by: By<'_>,
        (what, after): (&str, &str),
    ) -> Result<(), StoreError> {
        self.write("publishing an advisory", |transaction| {
            if record.bytes.len() > ADVISORY_BYTES_MAX {
                let context = format!("{}: more than {ADVISORY_BYTES_MAX} bytes", record.id);
                return Err(Failure::rule(StoreErrorKind::Limit, context));
            }
            put(transaction, source, record)?;
            let change = Change { at: by.at, actor: by.actor, what };
            Ok(note_change(transaction, change, "", after)?)
        })
    }

    /// The newest revision of every record of every source, sorted by source and id.
    ///
    /// # Errors
    /// A record does not read back as it was written (`Corrupt`), or the database cannot be read.
    pub fn advisories(&self) -> Result<Vec<StoredAdvisory>, StoreError> {
        self.advisories_since(0)
    }

    /// As [`Store::advisories`], of the records that got a revision after record `seq`.
    ///
    /// # Errors
    /// As [`Store::advisories`].
    pub fn advisories_since(&self, seq: u64) -> Result<Vec<StoredAdvisory>, StoreError> {
        self.read("reading the advisories", |database| {
            let mut query = database.prepare_cached(
                "SELECT source, id, revision, blob.digest, blob.bytes, withdrawn, flags
                 FROM advisory JOIN blob ON blob.digest = advisory.digest
                 WHERE seq IN (SELECT max(seq) FROM advisory WHERE seq > ?1 GROUP BY source, id)
                 ORDER BY source, id",
            )?;
            let rows = query.query_map([seq.cast_signed()], stored)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// As [`Store::advisories`], of the records whose document holds one of these ids, in any case
    /// and anywhere in its text: a few more than those that name one. Reads every document and
    /// parses none.
    ///
    /// # Errors
    /// As [`Store::advisories`].
    pub fn advisories_holding(&self, ids: &[String]) -> Result<Vec<StoredAdvisory>, StoreError> {
        let finder = AhoCorasickBuilder::new().ascii_case_insensitive(true).build(ids);
        // Ids that no automaton holds are looked for by reading everything.
        let Ok(finder) = finder else { return self.advisories() };
        self.read("reading the advisories", |database| {
            let mut query = database.prepare_cached(
                "SELECT source, id, revision, blob.digest, blob.bytes, withdrawn, flags
                 FROM advisory JOIN blob ON blob.digest = advisory.digest
                 WHERE seq IN (SELECT max(seq) FROM advisory GROUP BY source, id)
                 ORDER BY source, id",
            )?;
            let mut rows = query.query([])?;
            let mut held = Vec::new();
            while let Some(row) = rows.next()? {
                let id = row.get_ref(1)?.as_bytes().map_err(rusqlite::Error::from)?;
                let bytes = row.get_ref(4)?.as_bytes().map_err(rusqlite::Error::from)?;
                if finder.is_match(id) || finder.is_match(bytes) || has_escaped_letter(bytes) {
                    held.push(stored(row)?);
                }
            }
            Ok(held)
        })
    }

    /// The number of the newest record; 0 when there is none.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn advisory_seq(&self) -> Result<u64, StoreError> {
        self.read("reading the advisories", |database| {
            let newest =
                database.query_row("SELECT coalesce(max(seq), 0) FROM advisory", [], |row| {
                    row.get::<_, i64>(0)
                })?;
            Ok(newest.cast_unsigned())
        })
    }

    /// The ids of the records that were stored after record `seq`, sorted, without doubles.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn advisories_after(&self, seq: u64) -> Result<Vec<String>, StoreError> {
        self.read("reading the advisories", |database| {
            let mut query = database
                .prepare_cached("SELECT DISTINCT id FROM advisory WHERE seq > ?1 ORDER BY id")?;
            let rows = query.query_map([seq.cast_signed()], |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The revisions of one record that were ever stored, oldest first, with when we learnt them.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn advisory_revisions(
        &self,
        source: &str,
        id: &str,
    ) -> Result<Vec<(Timestamp, Digest)>, StoreError> {
        self.read("reading the revisions of an advisory", |database| {
            let mut query = database.prepare_cached(
                "SELECT recorded_at, revision FROM advisory
                 WHERE source = ?1 AND id = ?2 ORDER BY seq",
            )?;
            let rows =
                query.query_map([source, id], |row| Ok((row.get(0)?, Digest(row.get(1)?))))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

/// Whether JSON hides a letter, a digit or a hyphen behind an escape (`\u0043VE`): then its text
/// does not tell which ids it holds.
fn has_escaped_letter(bytes: &[u8]) -> bool {
    let code = |at: usize| bytes.get(at + 4..at + 6).and_then(|it| std::str::from_utf8(it).ok());
    let mut escapes = memmem::find_iter(bytes, br"\u00");
    escapes.any(|at| {
        let value = code(at).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        value.is_some_and(|it| it == b'-' || it.is_ascii_alphanumeric())
    })
}

fn stored(row: &Row<'_>) -> Result<StoredAdvisory, rusqlite::Error> {
    let (_, bytes) = blob::checked(row, 3)?;
    let (source, id, flags): (_, _, String) = (row.get(0)?, row.get(1)?, row.get(6)?);
    let withdrawn: Option<Timestamp> = row.get(5)?;
    let ended = withdrawn.filter(|_| flags.split(' ').any(|flag| flag == "vanished"));
    Ok(StoredAdvisory { source, id, revision: Digest(row.get(2)?), bytes, ended })
}

enum Put {
    New,
    Changed,
    Same,
}

fn put(
    transaction: &Transaction<'_>,
    source: &str,
    record: &RawAdvisory<'_>,
) -> Result<Put, rusqlite::Error> {
    let RawAdvisory { id, revision, bytes, recorded_at } = *record;
    let newest: Option<[u8; 32]> = transaction
        .prepare_cached(
            "SELECT revision FROM advisory WHERE source = ?1 AND id = ?2 ORDER BY seq DESC LIMIT 1",
        )?
        .query_row([source, id], |row| row.get(0))
        .optional()?;
    if newest == Some(revision.0) {
        return Ok(Put::Same);
    }
    let digest = blob::put(transaction, bytes)?;
    transaction
        .prepare_cached(
            "INSERT INTO advisory (source, id, revision, recorded_at, digest)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![source, id, revision.0, recorded_at, digest.0])?;
    Ok(if newest.is_none() { Put::New } else { Put::Changed })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{behind, open};

    fn record<'a>(id: &'a str, text: &'a str, recorded_at: Timestamp) -> RawAdvisory<'a> {
        let bytes = text.as_bytes();
        RawAdvisory { id, revision: blob::digest_of(bytes), bytes, recorded_at }
    }

    fn counts(new: usize, changed: usize, same: usize) -> AdvisoryCounts {
        AdvisoryCounts { new, changed, same, refused: Vec::new() }
    }

    fn texts(store: &Store) -> Vec<(String, String)> {
        let all = store.advisories().unwrap();
        all.into_iter().map(|a| (a.id, String::from_utf8(a.bytes).unwrap())).collect()
    }

    #[test]
    fn the_newest_revision_is_read_and_older_ones_are_kept() {
        let (_folder, store) = open();
        let put = |records: &[RawAdvisory<'_>]| store.put_advisories("ghsa", records).unwrap();
        assert_eq!(put(&[record("B", "b1", 1), record("A", "a1", 1)]), counts(2, 0, 0));
        assert_eq!(put(&[record("A", "a2", 2), record("B", "b1", 2)]), counts(0, 1, 1));
        assert_eq!(texts(&store), [("A".into(), "a2".into()), ("B".into(), "b1".into())]);
        // A source that goes back to an earlier revision is believed.
        assert_eq!(put(&[record("A", "a1", 3)]), counts(0, 1, 0));
        assert_eq!(texts(&store)[0].1, "a1");
        let [first, second] = ["a1", "a2"].map(|text| blob::digest_of(text.as_bytes()));
        let revisions = store.advisory_revisions("ghsa", "A").unwrap();
        assert_eq!(revisions, [(1, first), (2, second), (3, first)]);
    }

    #[test]
    fn documents_that_hold_an_id_are_found_however_they_write_it() {
        let (_folder, store) = open();
        let records = [
            record("A-1", r#"{"aliases":["cve-2021-1"]}"#, 1),
            record("A-2", r#"{"aliases":["\u0043VE-2021-1"]}"#, 1),
            record("A-3", r#"{"summary":"see CVE-2021-1"}"#, 1),
            record("A-4", r#"{"summary":"\u003cnot this one\u003e"}"#, 1),
            record("CVE-2021-1", "{}", 1),
            record("A-5", r#"{"aliases":["CVE-2021-2"]}"#, 1),
        ];
        store.put_advisories("osv", &records).unwrap();
        let held = |ids: &[&str]| -> Vec<String> {
            let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
            store.advisories_holding(&ids).unwrap().into_iter().map(|it| it.id).collect()
        };
        assert_eq!(held(&["CVE-2021-1"]), ["A-1", "A-2", "A-3", "CVE-2021-1"]);
        assert_eq!(held(&["CVE-2021-2", "A-4"]), ["A-2", "A-4", "A-5"]);
        assert_eq!(held(&[]), ["A-2"]);
        // An older revision that named it does not count.
        store.put_advisories("osv", &[record("A-1", "{}", 2)]).unwrap();
        assert_eq!(held(&["CVE-2021-1"]), ["A-2", "A-3", "CVE-2021-1"]);
    }

    #[test]
    fn sources_do_not_mix() {
        let (_folder, store) = open();
        store.put_advisories("one", &[record("A", "same", 1)]).unwrap();
        assert_eq!(
            store.put_advisories("two", &[record("A", "same", 1)]).unwrap(),
            counts(1, 0, 0)
        );
        let sources: Vec<_> = store.advisories().unwrap().into_iter().map(|a| a.source).collect();
        assert_eq!(sources, ["one", "two"]);
    }

    #[test]
    fn a_record_over_the_limit_does_not_stop_the_others() {
        let (_folder, store) = open();
        let large = "x".repeat(ADVISORY_BYTES_MAX + 1);
        let records = [record("A", &large, 1), record("B", "b", 1)];
        let counts = store.put_advisories("ghsa", &records).unwrap();
        assert_eq!((counts.new, counts.refused.len()), (1, 1));
        assert_eq!(counts.refused[0].evidence, "ghsa:A");
        assert_eq!(texts(&store).len(), 1);
    }

    #[test]
    fn what_a_person_publishes_is_stored_with_the_name_or_not_at_all() {
        let (_folder, store) = open();
        let by = By { actor: "anna", at: 7 };
        let publish = |text: &str| {
            let record = record("RLT-1", text, 7);
            store.publish_advisory("own", &record, by, ("advisories declare RLT-1", "a call"))
        };
        publish("one").unwrap();
        let large = "x".repeat(ADVISORY_BYTES_MAX + 1);
        assert_eq!(publish(&large).unwrap_err().kind(), StoreErrorKind::Limit);
        assert_eq!(texts(&store), [("RLT-1".into(), "one".into())]);
        let noted = store.register_changes(0).unwrap();
        assert_eq!(noted.len(), 1);
        let found = (&*noted[0].actor, &*noted[0].what, &*noted[0].after);
        assert_eq!(found, ("anna", "advisories declare RLT-1", "a call"));
    }

    #[test]
    fn a_changed_record_is_found() {
        let (_folder, store) = open();
        store.put_advisories("ghsa", &[record("A", "a1", 1)]).unwrap();
        behind(&store).execute("UPDATE blob SET bytes = x'00'", []).unwrap();
        assert_eq!(store.advisories().unwrap_err().kind(), StoreErrorKind::Corrupt);
    }
}
