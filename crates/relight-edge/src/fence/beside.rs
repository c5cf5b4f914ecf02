//! What else in the folder of a gate tells of its newest epoch: a record that was lost, or that
//! somebody put an old copy of in its place, lets no older controller in.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use relight_model::Epoch;

use super::parse_epoch;

/// What stands beside the record.
#[derive(Debug, Default)]
pub(super) struct Beside {
    /// The newest term that entered, as the file of the lock keeps it.
    term: Option<u64>,
    /// The newest epoch of all that can be read here.
    pub(super) newest: Option<Epoch>,
    /// Something is there that cannot be made out: it may tell of a newer one.
    pub(super) is_unclear: bool,
}

impl Beside {
    pub(super) fn read(folder: &Path) -> Self {
        let (term, generation) = (term(folder), generation(folder));
        let is_unclear = term.is_err() || generation.is_err();
        let (term, generation) = (term.ok().flatten(), generation.ok().flatten());
        // Of the term it is known that it began, and nothing of its orders.
        let begun = term.map(|term| Epoch { term, seq: 0 });
        Self { term, newest: begun.max(generation), is_unclear }
    }

    /// Notes a term that enters, once, before anything is done under it. Nobody is kept from
    /// closing because it cannot be noted: the record carries it as well.
    pub(super) fn note(&self, lock: &File, term: u64) {
        if self.term.unwrap_or_default() < term {
            let text = format!("{term}\n");
            let written = lock.write_all_at(text.as_bytes(), 0);
            let cut = written.and_then(|()| lock.set_len(text.len() as u64));
            drop(cut.and_then(|()| lock.sync_data()));
        }
    }
}

/// The term in the file of the lock; none in one that is empty or not there, as of gates from
/// before it was kept.
fn term(folder: &Path) -> Result<Option<u64>, ()> {
    let text = match fs::read_to_string(folder.join("lock")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        read => read.map_err(drop)?,
    };
    if text.is_empty() {
        return Ok(None);
    }
    text.trim_end().parse().map(Some).map_err(drop)
}

/// The epoch for which the current generation was built: later ones may have changed it in place.
fn generation(folder: &Path) -> Result<Option<Epoch>, ()> {
    let link = match fs::read_link(folder.join("current")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        link => link.map_err(drop)?,
    };
    let name = link.to_str().and_then(|name| name.strip_prefix("gen-")).ok_or(())?;
    parse_epoch(name.strip_suffix('b').unwrap_or(name)).map(Some).ok_or(())
}
