//! Content-addressed bytes: stored once under their SHA-256, checked whenever they are read.

use relight_model::Digest;
use rusqlite::{Connection, Row, params, types::Type};
use sha2::{Digest as _, Sha256};

/// The digest under which bytes are kept: whoever has many to keep computes it on threads of its
/// own, before anybody holds the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContentDigest(Digest);

impl ContentDigest {
    /// That of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(digest_of(bytes))
    }
}

/// The SHA-256 of some bytes.
pub(crate) fn digest_of(bytes: &[u8]) -> Digest {
    Digest(Sha256::digest(bytes).into())
}

/// Stores bytes unless they are there already, and says under which digest.
pub(crate) fn put(database: &Connection, bytes: &[u8]) -> Result<Digest, rusqlite::Error> {
    put_digested(database, bytes, ContentDigest::of(bytes))
}

/// As [`put`], of bytes whose digest is known.
pub(crate) fn put_digested(
    database: &Connection,
    bytes: &[u8],
    ContentDigest(digest): ContentDigest,
) -> Result<Digest, rusqlite::Error> {
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

#[cfg(test)]
mod tests {
    use crate::testing::{behind, open};

    use super::*;

    #[test]
    fn equal_bytes_are_kept_once_and_read_back_checked() {
        let (_folder, store) = open();
        let database = behind(&store);
        let digest = put(&database, b"abc").unwrap();
        // FIPS 180-4, the example of one block.
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(digest.to_string(), known);
        assert_eq!(put(&database, b"abc").unwrap(), digest);
        assert_ne!(put(&database, b"").unwrap(), digest);
        let read = || {
            let query = "SELECT digest, bytes FROM blob WHERE digest = ?1";
            database.query_row(query, [digest.0], |row| checked(row, 0))
        };
        assert_eq!(read().unwrap(), (digest, b"abc".to_vec()));
        let blobs = database.query_row("SELECT count(*) FROM blob", [], |row| row.get(0));
        assert_eq!(blobs, Ok(2));
        database.execute("UPDATE blob SET bytes = x'616264'", []).unwrap();
        assert!(read().unwrap_err().to_string().contains(known));
    }
}
