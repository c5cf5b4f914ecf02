//! Read-only walks of the database files of package managers: SQLite, and the two formats of rpm.
//!
//! The SQL engine of the register has no place here: it wants a file of its own to lock, and what
//! is scanned may be a member of an image. A walk of one table is all that an inventory needs.

use crate::cataloger::ReadAt;

pub(crate) mod berkeley;
pub(crate) mod ndb;
pub(crate) mod sqlite;

/// Bytes of one value.
pub(crate) const VALUE_BYTES_MAX: usize = 32 << 20;

/// Pages that one walk visits: a file cannot hold more, but its links may go in circles.
pub(crate) const PAGES_MAX: u64 = 1 << 22;

/// Why a walk ended early.
pub(crate) type Damage = &'static str;

/// Bytes from a place; all of them, or damage.
fn read(source: &dyn ReadAt, start: u64, len: usize) -> Result<Vec<u8>, Damage> {
    let bytes = source.read_at(start, len).map_err(|_| "the file cannot be read")?;
    if bytes.len() == len { Ok(bytes) } else { Err("the file ends too early") }
}

#[cfg(test)]
mod tests;
