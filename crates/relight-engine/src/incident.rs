//! Incidents: journal entries, the pure fold over them, evidence.

mod entry;
mod evidence;
mod fold;
#[cfg(test)]
mod fold_tests;
mod grant;
#[cfg(test)]
mod grant_tests;
mod ledger;
mod phase;
mod standing;
pub(crate) mod wire;

pub use entry::{Baseline, Compromise, Entry, Seat};
pub use evidence::{Current, Evidence, EvidenceKind, FOUND_MAX, artifact_set};
pub use fold::{Case, Incident, Rejected};
pub use grant::{Acceptance, GRANT_AGE_MAX_S, Grant, Ground, Mitigation};
pub(crate) use ledger::is_exposed;
pub use ledger::{Counters, Ledger, OPEN_INCIDENTS_MAX};
pub use phase::{Gate, Phase, display};
pub use standing::{AUTHORITY_AGE_MAX_S, Authority, Orders, UNDO_AGE_MAX_S, Votes};
