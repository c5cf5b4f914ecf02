//! The data directory and the database: register, inventories, advisories, journal, index.
//!
//! One concrete [`Store`]; SQL is known nowhere else. What is read back is checked against its
//! digest, and which sites are affected is answered by [`Index`], never by SQL.

mod accounts;
mod advisories;
mod advisory_import;
mod advisory_sources;
mod agents;
mod attestations;
mod blob;
mod chain;
mod checks;
mod class_names;
mod control;
mod deployment;
mod erasures;
mod error;
mod fields;
mod hashed;
mod holders;
mod import;
mod index;
mod inventory;
mod inventory_left;
mod journal;
mod lease;
mod look;
mod marks;
mod notices;
mod profiles;
mod register;
mod reserve;
mod rows;
mod schema;
mod settings;
mod snapshot_text;
mod store;
#[cfg(test)]
mod testing;
mod verify;
mod watch_campaigns;
mod watch_days;
mod watch_notes;
mod windows;
mod windows_state;
mod wipe;

pub use accounts::{
    ACCOUNTS_MAX, AccountChange, AccountRow, AccountTables, AuthenticatorRow, GrantRow,
    IDENTITIES_MAX, IdentityRow, InvitationRow, PASSKEYS_MAX, PasskeyRow, ProposalRow,
    RECOVERY_CODES_MAX, RecoveryCodeRow, SIGN_INS_MAX, SignInRow, TOKENS_MAX, TokenRow,
};
pub use advisories::{ADVISORY_BYTES_MAX, AdvisoryCounts, RawAdvisory, StoredAdvisory};
pub use advisory_import::{
    AHEAD_S_MAX, Accepted, CHANGE_FREE, CHANGE_MAX, Content, Guard, ImportRecord, Importer, Kept,
    NewDocument, OWN_SOURCE, PARTS_MAX, SHRINK_MAX, ScoreTable, SourceCounts, Stored,
};
pub use advisory_sources::{LATE_S, MarkRow, RevisionRow, SourceRow, SourceState, StoredScores};
pub use agents::{
    AGENT_CODES_MAX, AGENTS_MAX, AgentCodeRow, AgentRow, Enrolment, ShownRow, Vacancy,
};
pub use attestations::{ATTESTATIONS_MAX, Attestation, EVIDENCE_BYTES_MAX};
pub use blob::ContentDigest;
pub use chain::{
    JournalFault, JournalFaultKind, JournalRecord, Verified, journal_hash, verify_chain,
};
pub use checks::{
    BadCheck, CHECK_PATH_BYTES_MAX, CHECK_TEXT_BYTES_MAX, CHECKS_MAX, SiteCheck, SiteChecks,
};
pub use class_names::NamesId;
pub use control::Control;
pub use deployment::{Deployed, DeploymentDraft, deployed_otherwise};
pub use erasures::{ERASED_KEPT_S, Erasures};
pub use error::{StoreError, StoreErrorKind};
pub use hashed::step_like;
pub use holders::{Held, Holders, VALUES_AT_A_TIME_MAX};
pub use import::{
    ALIASES_MAX, Conflict, IMPORT_ROWS_MAX, ImportConflict, ImportPlan, SITE_PARTS_MAX, SiteChange,
    SiteRow, TEXT_BYTES_MAX, is_host,
};
pub use index::{AssetState, IdentityId, Index};
pub use inventory::{
    FUTURE_SECONDS_MAX, SnapshotDraft, SnapshotOutcome, SnapshotRow, SnapshotStored,
};
pub use inventory_left::LeftInventory;
pub use journal::{JOURNAL_BATCH_MAX, JOURNAL_BODY_BYTES_MAX, JournalDraft};
pub use lease::{JOURNAL_LEASE, Lease};
pub use marks::{SITE_CPES_MAX, SiteMark};
pub use notices::{NOTICES_MAX, Notice, NoticeKind, Told};
pub use roaring::RoaringBitmap as SiteSet;

pub use profiles::{ContainerId, ProfileLook};
pub use register::{Asset, EdgeRow, RegisterChange};
pub use reserve::{RESERVE_BYTES, RESERVE_FILE};
pub use settings::{By, Settings};
pub use snapshot_text::SNAPSHOT_BYTES_MAX;
pub use store::{BUSY_MS_MAX, DATABASE_FILE, Generation, Store};
pub use watch_campaigns::CampaignRow;
pub use watch_days::{DayRow, NOTE, ProbeRow};
pub use watch_notes::WatchNote;
pub use windows::{
    HeldWindow, LogPosition, POSITIONS_MAX, SEGMENTS_SEEN_MAX, SegmentsDraft, WINDOW_BYTES_MAX,
};
