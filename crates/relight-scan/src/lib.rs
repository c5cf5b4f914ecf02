//! Walks a tree once, opens what is an archive by its bytes, and hands bytes to catalogers.
//!
//! The scanner reads; it starts no process, opens no connection, writes no file and follows no
//! symbolic link. What it could not read is part of the result ([`relight_model::Flaw`]): an
//! inventory with a hole says so, because a site is lit again only on a complete one.

mod application;
mod archive;
mod bytes;
mod cache;
mod cataloger;
mod catalogers;
mod digest;
mod distribution;
mod dotnet;
mod evidence;
mod fingerprint;
mod folder;
mod identity;
mod image;
mod java;
mod limits;
mod mount;
mod output;
mod ownership;
mod profile;
mod program;
mod progress;
mod reader;
mod rpm_header;
mod scan;
mod secret;
mod sniff;
mod source;
mod steady;
mod stores;
mod table;
mod unpack;
mod walk;
mod window;
mod worker;

pub use bytes::scan_bytes;
pub use cache::Cache;
pub use cataloger::{Cataloger, ClassPrint, File, Kind, Listed, Listing, ReadAt, Select};
pub use catalogers::CATALOGERS;
pub use fingerprint::{
    Database, DatabaseError, Fingerprints, KnownRelease, LearntClass, NamedClass, Release,
    SEED_BYTES_MAX, release_of, write_database,
};
pub use limits::{
    BUFFERED_BYTES_MAX, CATALOG_BYTES_RATIO_MAX, CATALOG_SIZE_MAX, CLASS_SIZE_MAX, DEPTH_MAX,
    DIRECTORY_BYTES_MAX, ENTRIES_MAX, EXPANDED_FREE_BYTES, EXPANDED_RATIO_MAX, FILE_SIZE_MAX,
    FILE_TIME_MAX_S, FOLDER_CLASSES_MAX, MEMORY_BYTES, Mode, Options, PATH_BYTES_MAX,
};
pub use profile::{
    PROFILE_VALUES_MAX, PROFILE_VALUES_SCAN_MAX, PROFILES_MAX, Profiles, file_values,
};
pub use progress::{Current, Progress};
pub use scan::{Report, ScanError, Services, scan, scan_target};
pub use sniff::Gap;
pub use source::Target;
pub use unpack::{Account, fast_answer};
pub use window::Pace;
