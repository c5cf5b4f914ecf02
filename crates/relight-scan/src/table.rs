//! Read-only walks of the database files of package managers: SQLite, and the two formats of rpm.
//!
//! The SQL engine of the register has no place here: it wants a file of its own to lock, and what
//! is scanned may be a member of an image. A walk of one table is all that an inventory needs.

use std::cell::Cell;

use crate::cataloger::ReadAt;

pub(crate) mod berkeley;
pub(crate) mod ndb;
pub(crate) mod sqlite;

/// Bytes of one value.
pub(crate) const VALUE_BYTES_MAX: usize = 32 << 20;

/// Pages that one walk visits: a file cannot hold more, but its links may go in circles.
pub(crate) const PAGES_MAX: u64 = 1 << 22;

/// Columns of one row: what SQLite allows unless it was built otherwise (`SQLITE_MAX_COLUMN`).
pub(crate) const COLUMNS_MAX: usize = 2_000;

/// What a walk may still take from its file. Links may go in circles, and any number of them may
/// lead to the same bytes; but no byte belongs to two values, and no page is needed more than
/// twice: on the way, and for its value.
pub(crate) struct Allowance {
    pages: Cell<u64>,
    value_bytes: Cell<u64>,
}

impl Allowance {
    /// For a file of so many bytes in pages of this size.
    pub(crate) fn new(size: u64, page_bytes: u64) -> Self {
        let pages = size / page_bytes.max(1);
        Self { pages: Cell::new(2 * pages + 2), value_bytes: Cell::new(size) }
    }

    /// One page is read.
    ///
    /// # Errors
    /// When every page was read twice.
    pub(crate) fn page(&self) -> Result<(), Damage> {
        let left = self.pages.get().checked_sub(1).ok_or("pages that point in a circle")?;
        self.pages.set(left);
        Ok(())
    }

    /// So many bytes of a value are shown.
    ///
    /// # Errors
    /// When the values are longer than the file.
    pub(crate) fn value(&self, bytes: usize) -> Result<(), Damage> {
        let left = self.value_bytes.get().checked_sub(bytes as u64);
        self.value_bytes.set(left.ok_or("values that share their bytes")?);
        Ok(())
    }
}

/// Why a walk ended early.
pub(crate) type Damage = &'static str;

/// Bytes from a place; all of them, or damage.
fn read(source: &dyn ReadAt, start: u64, len: usize) -> Result<Vec<u8>, Damage> {
    let bytes = source.read_at(start, len).map_err(|_| "the file cannot be read")?;
    if bytes.len() == len { Ok(bytes) } else { Err("the file ends too early") }
}

#[cfg(test)]
mod tests;
