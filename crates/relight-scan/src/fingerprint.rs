//! Java classes recognised by what they do: wherever they were moved and whatever they are called.

use std::fmt;
use std::sync::{Arc, OnceLock};

mod archives;
pub(crate) mod class;
#[cfg(test)]
mod class_tests;
#[cfg(test)]
pub(crate) mod class_writer;
mod codec;
mod coordinates;
mod database;
mod known;
mod learn;
mod matching;
#[cfg(test)]
mod matching_tests;
mod release;

pub(crate) use archives::{Learnt, Member as LearntMember};
pub(crate) use class::simple_hash;
pub(crate) use database::FeatureKind;
pub(crate) use known::Known;
pub(crate) use learn::member_value;
pub(crate) use matching::{Around, Match, Recognised, Seen, Versions, recognise};
pub(crate) use release::is_above;

pub use coordinates::release_of;
pub use database::{Database, DatabaseError, KnownRelease, SEED_BYTES_MAX};
pub use learn::{LearntClass, NamedClass, Release, write_database};

/// The fingerprint databases of a scan. Cheap to clone; what was read of a database is shared.
#[derive(Clone)]
pub struct Fingerprints(Arc<Known>);

impl Fingerprints {
    /// No database: libraries are known by their metadata alone.
    pub fn none() -> Self {
        Self(Arc::new(Known::default()))
    }

    /// The embedded database, and these.
    pub fn with(more: Vec<Database>) -> Self {
        let seed = Database::seed().ok();
        Self(Arc::new(Known::new(seed.into_iter().chain(more).collect())))
    }

    /// These databases only.
    pub fn only(databases: Vec<Database>) -> Self {
        Self(Arc::new(Known::new(databases)))
    }

    pub(crate) fn known(&self) -> &Known {
        &self.0
    }
}

impl Default for Fingerprints {
    fn default() -> Self {
        static SEED: OnceLock<Fingerprints> = OnceLock::new();
        SEED.get_or_init(|| Self::with(Vec::new())).clone()
    }
}

impl PartialEq for Fingerprints {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Fingerprints {}

impl fmt::Debug for Fingerprints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What was read of a database so far is no part of it: keys of caches are made of this.
        f.debug_list().entries(self.0.digests()).finish()
    }
}
