//! Whether windows changed since somebody looked.

use relight_model::Digest;
use sha2::{Digest as _, Sha256};

use crate::{Store, StoreError};

impl Store {
    /// A digest of which windows there are: it changes whenever one comes, goes or is rewritten.
    /// Reads names only, about a hundred bytes a window.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn windows_state(&self) -> Result<Digest, StoreError> {
        self.read("looking at which windows there are", |database| {
            let query = "SELECT org, segment, digest FROM watch_window ORDER BY segment";
            let mut query = database.prepare_cached(query)?;
            let mut rows = query.query([])?;
            let mut hash = Sha256::new();
            while let Some(row) = rows.next()? {
                hash.update(row.get::<_, u32>(0)?.to_le_bytes());
                for at in [1, 2] {
                    hash.update(row.get::<_, Vec<u8>>(at)?);
                }
            }
            Ok(Digest(hash.finalize().into()))
        })
    }
}
