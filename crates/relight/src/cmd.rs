//! The commands, one file each.

pub(crate) mod account;
pub(crate) mod advisories;
pub(crate) mod affected;
pub(crate) mod agent;
pub(crate) mod audit;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod edge;
pub(crate) mod fingerprints;
pub(crate) mod help;
pub(crate) mod incident;
pub(crate) mod login;
pub(crate) mod man;
pub(crate) mod policy;
pub(crate) mod public;
pub(crate) mod sbom;
pub(crate) mod scan;
pub(crate) mod serve;
pub(crate) mod sites;
pub(crate) mod status;
pub(crate) mod token;
pub(crate) mod watch;
