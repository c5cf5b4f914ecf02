//! Content-addressed bytes: stored once under their SHA-256, checked whenever they are read.

use relight_model::Digest;
use rusqlite::{Connection, Row, params, types::Type};
use sha2::{Digest as _, Sha256};

/// The SHA-256 of some bytes.
pub(crate) fn digest_of(bytes: &[u8]) -> Digest {
    Digest(Sha256::digest(bytes).into())
}

/// Stores bytes unless they are there already, and says under which digest.
pub(crate) fn put(database: &Connection, bytes: &[u8]) -> Result<Digest, rusqlite::Error> {
    let digest = digest_of(bytes);
    database
        .prepare_cached("INSERT INTO blob (digest, bytes) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
        .execute(params![digest.0, bytes])?;
    Ok(digest)
}

/// Reads bytes from column `column + 1` of a row and checks them against the digest in `column`.
pub(crate) fn checked(row: &Row<'_>, column: usize) -> Result<(Digest, Vec<u8>), rusqlite::Error> {
    let digest = Digest(row.get(column)?);
    let bytes: Vec<u8> = row.get(column + 1)?;
    let found = digest_of(&bytes);
    if found == digest {
        return Ok((digest, bytes));
    }
    Err(not_what_was_written(column + 1, format!("blob {digest} reads back as {found}")))
}

/// A damaged value, in the form in which the database reports its own: it becomes `Corrupt`.
pub(crate) fn not_what_was_written(column: usize, what: impl Into<String>) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Blob, what.into().into())
}
