//! Documents that are kept before the import that tells of them: what is large is written in many
//! short transactions, and the one that counts writes rows alone.

use std::borrow::Cow;
use std::collections::BTreeMap;

use relight_model::Digest;
use rusqlite::{OptionalExtension, Transaction, params};

use super::DOING;
use crate::{ADVISORY_BYTES_MAX, ContentDigest, Store, StoreError, blob};

/// A document that is to be kept, and the record that it is of.
#[derive(Clone, Copy, Debug)]
pub struct NewDocument<'a> {
    /// Name of the source.
    pub source: &'a str,
    /// The source's own id.
    pub id: &'a str,
    /// Digest of the content, as the reader of the record computes it.
    pub revision: Digest,
    /// A document that reads back as the record.
    pub bytes: &'a [u8],
    /// The digest of these bytes.
    pub content: ContentDigest,
}

/// The document of a record to import.
#[derive(Clone, Copy, Debug)]
pub enum Content<'a> {
    /// Its bytes, which the import writes itself.
    Bytes(&'a [u8]),
    /// It is in the store already, see [`Store::keep_documents`].
    Kept(Kept),
}

/// A document in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// `None` of one that is larger than [`ADVISORY_BYTES_MAX`].
    pub(super) digest: Option<Digest>,
}

impl Content<'_> {
    pub(super) const fn is_too_large(&self) -> bool {
        match self {
            Self::Bytes(bytes) => bytes.len() > ADVISORY_BYTES_MAX,
            Self::Kept(kept) => kept.digest.is_none(),
        }
    }

    /// Writes it where it is not in the store; of one that is too large nothing is.
    pub(super) fn put(&self, transaction: &Transaction<'_>) -> Result<Digest, rusqlite::Error> {
        match self {
            Self::Bytes(bytes) => blob::put(transaction, bytes),
            Self::Kept(kept) => Ok(kept.digest.unwrap_or_default()),
        }
    }

    /// The bytes, read back where they are in the store.
    pub(super) fn bytes(
        &self,
        transaction: &Transaction<'_>,
    ) -> Result<Cow<'_, [u8]>, rusqlite::Error> {
        match self {
            Self::Bytes(bytes) => Ok(Cow::Borrowed(bytes)),
            Self::Kept(kept) => {
                let mut query = transaction
                    .prepare_cached("SELECT digest, bytes FROM blob WHERE digest = ?1")?;
                let digest = kept.digest.unwrap_or_default();
                let (_, bytes) = query.query_row([digest.0], |row| blob::checked(row, 0))?;
                Ok(Cow::Owned(bytes))
            }
        }
    }
}

impl Store {
    /// Keeps documents for an import that is still to come, each once; of a record that has this
    /// revision already, the document that is there.
    ///
    /// Until that import tells of them they say nothing. Where it never comes, because a process
    /// dies or a guard refuses the list, they stay, and the next import of the same list finds
    /// them.
    ///
    /// # Errors
    /// The database cannot be written; then none of them is kept.
    pub fn keep_documents(&self, documents: &[NewDocument<'_>]) -> Result<Vec<Kept>, StoreError> {
        self.write(DOING, |transaction| {
            let (mut sources, mut kept) = (BTreeMap::new(), Vec::with_capacity(documents.len()));
            for document in documents {
                kept.push(keep(transaction, document, &mut sources)?);
            }
            Ok(kept)
        })
    }
}

/// Keeps one document; `sources` says of which something was stored before.
fn keep<'a>(
    transaction: &Transaction<'_>,
    document: &NewDocument<'a>,
    sources: &mut BTreeMap<&'a str, bool>,
) -> Result<Kept, rusqlite::Error> {
    let NewDocument { source, bytes, content, .. } = *document;
    if bytes.len() > ADVISORY_BYTES_MAX {
        return Ok(Kept { digest: None });
    }
    let is_known = match sources.get(source) {
        Some(is_known) => *is_known,
        None => is_source(transaction, source)?,
    };
    sources.insert(source, is_known);
    let there = if is_known { newest(transaction, document)? } else { None };
    let digest = match there {
        Some(digest) => digest,
        None => blob::put_digested(transaction, bytes, content)?,
    };
    Ok(Kept { digest: Some(digest) })
}

/// Whether anything of a source was ever stored.
fn is_source(transaction: &Transaction<'_>, source: &str) -> Result<bool, rusqlite::Error> {
    transaction.prepare_cached("SELECT 1 FROM advisory WHERE source = ?1 LIMIT 1")?.exists([source])
}

/// The document of a record, if this is its newest revision: whoever writes it with other blanks
/// says nothing new.
fn newest(
    transaction: &Transaction<'_>,
    document: &NewDocument<'_>,
) -> Result<Option<Digest>, rusqlite::Error> {
    let NewDocument { source, id, revision, .. } = *document;
    let newest: Option<([u8; 32], [u8; 32])> = transaction
        .prepare_cached(
            "SELECT revision, digest FROM advisory WHERE source = ?1 AND id = ?2
             ORDER BY seq DESC LIMIT 1",
        )?
        .query_row(params![source, id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(newest.filter(|(known, _)| *known == revision.0).map(|(_, digest)| Digest(digest)))
}
