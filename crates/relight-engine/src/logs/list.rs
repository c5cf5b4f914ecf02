//! The operator's own lists, beside the database in the data folder.

use std::collections::BTreeMap;
use std::{fs, io};

use relight_model::{Site, SiteId};
use relight_store::Store;

use crate::error::EngineError;

/// The text of a list, or none where there is no such file.
///
/// # Errors
/// The file is there and cannot be read; `doing` says what was tried.
pub(super) fn text(store: &Store, name: &str, doing: &'static str) -> Result<String, EngineError> {
    match fs::read_to_string(store.path().with_file_name(name)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        read => read.map_err(|error| EngineError::because(doing, error)),
    }
}

/// Sites by the names that lists give them.
pub(super) fn sites_by_name(sites: &[Site]) -> BTreeMap<&str, SiteId> {
    sites.iter().map(|site| (site.slug.as_str(), site.id)).collect()
}
