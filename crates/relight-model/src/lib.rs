//! The vocabulary of relight: what every other crate talks about.
//!
//! No dependency, no I/O, no clock. Wire, row and template types live in the crates that own the
//! boundary and are converted by hand.

mod advisory;
mod answer;
mod asked_class;
mod campaign;
mod catalog;
mod class_names;
mod component;
mod detection;
mod digest;
mod ecosystem;
mod event;
mod exhibit;
mod finding;
mod glob;
mod light;
mod name;
mod part;
mod product;
mod profile;
mod purl;
mod range;
mod registry;
mod sbom;
mod scopes;
mod signal;
mod site;
mod stack;
mod vex;
mod warning;

pub use advisory::{Advisory, Affected, Effect, PackageName, Stance, Why};
pub use answer::{Answer, Coverage, InventoryState, UnknownReason, Verdict};
pub use asked_class::AskedClass;
pub use campaign::{Campaign, Matched};
pub use catalog::{CATALOG_BYTES_MAX, CATALOG_WARNINGS_MAX, Catalog, Dotnet, Owned};
pub use class_names::ClassNames;
pub use component::{Basis, Certainty, Component, Scope};
pub use detection::{Attempt, Contribution, Detection, Exposure, Severity, Sign, Tried};
pub use digest::Digest;
pub use ecosystem::{BASE_OF_RED_HAT, Ecosystem, FIRST_BY_MINOR_OF_RED_HAT};
pub use event::{Escape, Event, Outcome};
pub use exhibit::{Example, Exhibit};
pub use finding::{Finding, FindingState};
pub use glob::Glob;
pub use light::{DisplayState, Epoch, Light, Seen};
pub use name::{bare_name, begins_as_cve, fold_name, fold_name_into, folds_to, is_cve};
pub use part::{INTERNAL_RANGES, PART_PATH_BYTES_MAX, READING_METHODS, SitePart};
pub use product::{CpeConfiguration, CpeMatch, CpeNode, CpeOperator, Product};
pub use profile::{Profile, ProfileGap, ValueKind, Values};
pub use purl::{PURL_BYTES_MAX, Purl, PurlReference, Upstream};
pub use range::{AffectedRange, Bound, BoundBasis, Grammar, Interval, NativeRange};
pub use range::{RangeEvent, RangeKind, RangeStatus};
pub use sbom::{Flaw, FlawCode, Sbom};
pub use signal::{Rating, RatingKind, Signal};
pub use site::{
    AssetId, Channel, Criticality, GATE_KEY_BYTES_MAX, GateKey, OrgId, Organisation, Site,
    SiteExposure, SiteId,
};
pub use stack::{Built, STACKS, Stack};
pub use vex::{VexProduct, VexStatement, VexStatus};
pub use warning::Warning;

/// Seconds since 1970-01-01T00:00:00Z. Always passed in: the clock is read at the rim.
pub type Timestamp = i64;
