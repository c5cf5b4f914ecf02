//! From inventories and advisories to lights: answers, incidents, reconciliation, verification.
//!
//! Decides; never serves HTTP, never scans, never starts a process. The clock is a parameter.

pub mod demo;
pub mod incident;
pub mod live;
pub mod plan;
pub mod reconcile;
