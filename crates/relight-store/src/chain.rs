//! The hash chain of the journal: whoever changes, removes or reorders a record breaks it.

use std::fmt;

use relight_model::{Digest, Timestamp};
use sha2::{Digest as _, Sha256};

/// First field of what is hashed.
const DOMAIN: &[u8] = b"relight.journal/1";

/// One entry of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalRecord {
    /// Its number, without gaps from 1.
    pub seq: u64,
    /// When it was appended.
    pub time: Timestamp,
    /// Who did what it says.
    pub actor: String,
    /// What kind of entry it is.
    pub kind: String,
    /// Which incident it belongs to; empty when to none.
    pub incident: String,
    /// What it says, in canonical JSON.
    pub body: String,
    /// Hash of the record before; 32 zero bytes in the first.
    pub prev: Digest,
    /// Its own hash, see [`journal_hash`].
    pub hash: Digest,
}

/// A journal without faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// How many records it has.
    pub entries: u64,
    /// Hash of the newest one; 32 zero bytes when there is none.
    pub head: Digest,
}

/// The first record that is not as it was appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalFault {
    /// The number that the record has, or should have.
    pub seq: u64,
    /// What is wrong.
    pub what: JournalFaultKind,
}

/// What is wrong with a record of the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JournalFaultKind {
    /// Another number stands where this one should: a record was removed, added or moved.
    Sequence,
    /// It does not follow the record before it.
    Previous,
    /// Its fields do not have its hash.
    Hash,
    /// A field cannot even be read.
    Unreadable,
    /// It was appended, and the journal ends before it.
    TailMissing,
}

impl JournalFaultKind {
    /// The stable name used in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sequence => "sequence",
            Self::Previous => "previous",
            Self::Hash => "hash",
            Self::Unreadable => "unreadable",
            Self::TailMissing => "tail-missing",
        }
    }
}

impl fmt::Display for JournalFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.what {
            JournalFaultKind::Sequence => "another record stands in its place",
            JournalFaultKind::Previous => "it does not follow the record before it",
            JournalFaultKind::Hash => "it was changed after it was written",
            JournalFaultKind::Unreadable => "it cannot be read",
            JournalFaultKind::TailMissing => "it is missing from the end",
        };
        write!(f, "journal record {}: {what}", self.seq)
    }
}

/// SHA-256 over, in this order: `relight.journal/1`, `seq`, `time`, `actor`, `kind`, `incident`,
/// `prev`, `body`. Each field is its length in bytes as 8 bytes, big-endian, and then its bytes:
/// numbers as 8 bytes, big-endian (`time` in two's complement), texts as UTF-8, `prev` as 32 bytes.
pub fn journal_hash(record: &JournalRecord) -> Digest {
    record.borrowed().hashed()
}

/// A record whose texts lie elsewhere: a million are checked without copying one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BorrowedRecord<'a> {
    pub(crate) seq: u64,
    pub(crate) time: Timestamp,
    pub(crate) actor: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) incident: &'a str,
    pub(crate) body: &'a str,
    pub(crate) prev: Digest,
    pub(crate) hash: Digest,
}

impl BorrowedRecord<'_> {
    fn hashed(&self) -> Digest {
        let Self { seq, time, actor, kind, incident, body, prev, hash: _ } = self;
        let (seq, time) = (seq.to_be_bytes(), time.to_be_bytes());
        let texts = [actor.as_bytes(), kind.as_bytes(), incident.as_bytes()];
        let mut hash = Sha256::new();
        let fields = [DOMAIN, &seq, &time].into_iter().chain(texts);
        for field in fields.chain([prev.0.as_slice(), body.as_bytes()]) {
            hash.update((field.len() as u64).to_be_bytes());
            hash.update(field);
        }
        Digest(hash.finalize().into())
    }
}

impl JournalRecord {
    fn borrowed(&self) -> BorrowedRecord<'_> {
        let Self { seq, time, actor, kind, incident, body, prev, hash } = self;
        BorrowedRecord {
            seq: *seq,
            time: *time,
            actor,
            kind,
            incident,
            body,
            prev: *prev,
            hash: *hash,
        }
    }
}

/// Checks a whole journal, record by record from the first; works on an export, without a store.
/// A missing end does not show here: compare the head with one that was kept elsewhere.
///
/// # Errors
/// The first record that is not as it was appended.
pub fn verify_chain(
    records: impl IntoIterator<Item = JournalRecord>,
) -> Result<Verified, JournalFault> {
    let mut chain = Chain::default();
    for record in records {
        chain.follow(&record.borrowed())?;
    }
    Ok(chain.verified())
}

/// How far a chain was followed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Chain {
    entries: u64,
    head: Digest,
}

impl Chain {
    /// A chain that goes on after a record whose hash somebody else checks.
    pub(crate) const fn after(entries: u64, head: Digest) -> Self {
        Self { entries, head }
    }

    /// Goes one record further.
    pub(crate) fn follow(&mut self, record: &BorrowedRecord<'_>) -> Result<(), JournalFault> {
        let fault = |what| Err(JournalFault { seq: self.entries + 1, what });
        if record.seq != self.entries + 1 {
            return fault(JournalFaultKind::Sequence);
        }
        if record.prev != self.head {
            return fault(JournalFaultKind::Previous);
        }
        if record.hash != record.hashed() {
            return fault(JournalFaultKind::Hash);
        }
        *self = Self { entries: record.seq, head: record.hash };
        Ok(())
    }

    /// The number that the next record must have.
    pub(crate) const fn next(&self) -> u64 {
        self.entries + 1
    }

    /// What was followed so far is a whole journal.
    pub(crate) const fn verified(self) -> Verified {
        Verified { entries: self.entries, head: self.head }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(count: u64) -> Vec<JournalRecord> {
        let mut prev = Digest::default();
        let record = |seq| {
            let [actor, kind, incident, body] =
                ["anna", "DarkOrdered", "INC-1", "{}"].map(str::to_owned);
            let (time, hash) = (0x6553_f100, Digest::default());
            let mut record = JournalRecord { seq, time, actor, kind, incident, body, prev, hash };
            record.hash = journal_hash(&record);
            prev = record.hash;
            record
        };
        (1..=count).map(record).collect()
    }

    /// The layout is a promise to whoever verifies an export with another program: these bytes
    /// are written out by hand, not by the code under test.
    #[test]
    fn the_hashed_bytes_are_the_documented_ones() {
        let record = &chain(1)[0];
        let mut bytes = Vec::new();
        bytes.extend(b"\0\0\0\0\0\0\0\x11relight.journal/1");
        bytes.extend(b"\0\0\0\0\0\0\0\x08\0\0\0\0\0\0\0\x01");
        bytes.extend(b"\0\0\0\0\0\0\0\x08\0\0\0\0\x65\x53\xf1\x00");
        bytes.extend(b"\0\0\0\0\0\0\0\x04anna");
        bytes.extend(b"\0\0\0\0\0\0\0\x0bDarkOrdered");
        bytes.extend(b"\0\0\0\0\0\0\0\x05INC-1");
        bytes.extend(b"\0\0\0\0\0\0\0\x20");
        bytes.extend([0; 32]);
        bytes.extend(b"\0\0\0\0\0\0\0\x02{}");
        assert_eq!(record.hash, Digest(Sha256::digest(&bytes).into()));
    }

    #[test]
    fn an_intact_chain_verifies() {
        let records = chain(5);
        let head = records[4].hash;
        assert_eq!(verify_chain(records), Ok(Verified { entries: 5, head }));
        assert_eq!(verify_chain([]), Ok(Verified { entries: 0, head: Digest::default() }));
    }

    #[test]
    fn every_change_of_any_field_of_any_record_is_found() {
        let changes: [fn(&mut JournalRecord); 8] = [
            |record| record.seq += 1,
            |record| record.time ^= 1,
            |record| record.actor.push('a'),
            |record| record.kind = "Closed".into(),
            |record| record.incident.clear(),
            |record| record.body = "{ }".into(),
            |record| record.prev.0[31] ^= 1,
            |record| record.hash.0[0] ^= 0x80,
        ];
        for place in 0..5 {
            for (number, change) in changes.iter().enumerate() {
                let mut records = chain(5);
                change(&mut records[place]);
                let fault = verify_chain(records).unwrap_err();
                assert_eq!(fault.seq, place as u64 + 1, "change {number}");
            }
        }
    }

    /// Moving text from one field into the next keeps the joined bytes; the lengths tell.
    #[test]
    fn text_cannot_move_between_fields() {
        let mut records = chain(1);
        records[0].actor = "annaDark".into();
        records[0].kind = "Ordered".into();
        let fault = JournalFault { seq: 1, what: JournalFaultKind::Hash };
        assert_eq!(verify_chain(records), Err(fault));
    }

    #[test]
    fn a_removed_an_added_and_a_moved_record_are_found() {
        let fault = |records: Vec<JournalRecord>| verify_chain(records).unwrap_err();
        let sequence = |seq| JournalFault { seq, what: JournalFaultKind::Sequence };
        let mut removed = chain(5);
        removed.remove(2);
        assert_eq!(fault(removed), sequence(3));
        let mut doubled = chain(5);
        doubled.insert(2, doubled[1].clone());
        assert_eq!(fault(doubled), sequence(3));
        let mut moved = chain(5);
        moved.swap(1, 3);
        assert_eq!(fault(moved), sequence(2));
        // Even when the numbers are made to fit.
        let mut renumbered = chain(5);
        renumbered.remove(2);
        for (record, seq) in renumbered.iter_mut().zip(1..) {
            record.seq = seq;
        }
        assert_eq!(fault(renumbered), JournalFault { seq: 3, what: JournalFaultKind::Previous });
    }

    #[test]
    fn a_fault_says_which_record_and_what() {
        let kinds = [
            (JournalFaultKind::Sequence, "stands in its place"),
            (JournalFaultKind::Previous, "does not follow"),
            (JournalFaultKind::Hash, "was changed"),
            (JournalFaultKind::Unreadable, "cannot be read"),
            (JournalFaultKind::TailMissing, "missing from the end"),
        ];
        for (what, expected) in kinds {
            let text = JournalFault { seq: 7, what }.to_string();
            assert!(text.starts_with("journal record 7: ") && text.contains(expected), "{text}");
        }
    }
}
