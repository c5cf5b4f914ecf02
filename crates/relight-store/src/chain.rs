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
    let JournalRecord { seq, time, actor, kind, incident, body, prev, hash: _ } = record;
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
        chain.follow(&record)?;
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
    /// Goes one record further.
    pub(crate) fn follow(&mut self, record: &JournalRecord) -> Result<(), JournalFault> {
        let fault = |what| Err(JournalFault { seq: self.entries + 1, what });
        if record.seq != self.entries + 1 {
            return fault(JournalFaultKind::Sequence);
        }
        if record.prev != self.head {
            return fault(JournalFaultKind::Previous);
        }
        if record.hash != journal_hash(record) {
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
