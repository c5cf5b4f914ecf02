//! Incidents: journal entries, the pure fold over them, evidence.

mod about;
mod actions;
mod course;
mod entry;
mod evidence;
mod fold;
#[cfg(test)]
mod fold_tests;
mod full_disk;
mod grant;
#[cfg(test)]
mod grant_tests;
mod held;
mod kinds;
mod ledger;
mod lies;
mod named;
mod over;
mod parts;
#[cfg(test)]
mod parts_tests;
mod phase;
mod proof;
mod rehearsed;
mod restored;
mod spelled;
mod standing;
mod terms;
mod tried;
mod update;
mod verified;
mod weigh;
#[cfg(test)]
mod weigh_tests;
pub(crate) mod wire;

pub use about::flaw_of;
pub(crate) use actions::same;
pub use actions::{
    ACTIONS_KEPT_MAX, ACTIONS_WAITING_MAX, Action, Actions, Behind, Ended, Glass, Signature,
    Standing,
};
pub use course::{Course, Forecast, Foretold, Pace, THEN, THEN_PER_HOUR_TENTHS, then_s};
pub use entry::Entry;
pub use evidence::{
    Current, Evidence, EvidenceKind, FOUND_MAX, INVENTORIES_MAX, SCANNER_CHARS_MAX, artifact_set,
};
pub use fold::{Case, HOST_SPELLING, Incident, Rejected};
pub(crate) use fold::{OTHER_FILES, PROOF_EXPIRED};
pub(crate) use grant::check_end;
pub use grant::{Acceptance, GRANT_AGE_MAX_S, Grant, Ground, Mitigation};
pub use ledger::{Barred, Counters, Ledger, OPEN_INCIDENTS_MAX};
pub(crate) use ledger::{NOT_SEEN_OPEN, STILL_CLOSED, is_exposed, is_proven};
pub(crate) use lies::LET_IN;
pub use lies::{CAUGHT_APART_S, CAUGHT_MIN, CAUGHT_WINDOW_S};
pub use named::first_named;
pub use parts::{PartCase, PartName, PartSeen};
pub use phase::{Gate, Phase, display};
pub use proof::{Proof, Witness};
pub use rehearsed::{Passed, Rehearsed};
#[cfg(test)]
pub(crate) use standing::UNSEEN_MAX;
pub use standing::{AUTHORITY_AGE_MAX_S, Authority, Circumstance, Orders, UNDO_AGE_MAX_S};
pub use terms::{Baseline, Compromise, Seat};
pub use tried::{DETAIL_BYTES_MAX, Tried};
pub use update::{Impact, NEXT_S_MAX, Particulars, UPDATE_BYTES_MAX, UPDATES_MAX, Update};
pub use verified::Checked;
