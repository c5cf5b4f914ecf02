//! Documents to model and back: OSV advisories, CycloneDX inventories; the only decompressor.
//!
//! Bytes in, model values out. Nothing here opens a file or a connection. Bad input is a
//! [`Warning`](relight_model::Warning) that names the record; it never costs the other records.

pub mod advisory;
pub mod limited;
pub mod sbom;
mod time;

pub use advisory::{builtin_advisories, read_advisories};
pub use sbom::{FormatError, read_sbom, write_cyclonedx};
