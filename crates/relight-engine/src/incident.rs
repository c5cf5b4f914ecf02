//! Incidents: journal entries, the pure fold over them, evidence.

mod entry;
mod evidence;
mod fold;
#[cfg(test)]
mod fold_tests;
mod ledger;
mod phase;
pub(crate) mod wire;

pub use entry::{Compromise, Entry};
pub use evidence::{Current, Evidence, EvidenceKind, FOUND_MAX, artifact_set};
pub use fold::{Case, Incident, Rejected};
pub use ledger::{Counters, Ledger, OPEN_INCIDENTS_MAX};
pub use phase::{Gate, Phase, display};
