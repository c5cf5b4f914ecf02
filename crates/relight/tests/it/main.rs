//! Transcripts of the command line: arguments in, streams and status out.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

mod account;
mod affected;
mod agent;
mod agent_edges;
mod alike;
mod beside;
mod book;
mod copies;
mod doctor;
mod drill_killed;
mod edge_groups;
mod edge_run;
mod edge_tools;
mod edges;
mod exhibits;
mod fetch;
mod fingerprints;
mod full_disk;
mod heads;
mod held_asked;
mod image_vex;
mod imports;
mod incident;
mod incident_rules;
mod journals;
mod kill;
mod languages;
mod login;
#[expect(dead_code, reason = "the simulator needs more of it")]
#[path = "../../../relight-engine/tests/it/oracle.rs"]
mod oracle;
#[expect(dead_code, reason = "the benchmark needs more of it")]
#[path = "../../../relight-engine/benches/incident/origin.rs"]
mod origin;
mod own;
mod pace;
mod parts;
mod place;
mod policy;
mod proxies_builtin;
mod remote;
mod remote_reads;
mod report_ends;
mod restored;
mod revisions;
mod scan;
mod scan_cache;
mod scan_options;
mod schema_check;
mod schemas;
mod serve;
mod settings;
mod sites;
#[path = "../../../relight-engine/tests/it/soak.rs"]
mod soak;
mod sources;
mod spelled_past;
mod stage;
mod stated;
mod token;
mod unseen;
mod versions;
mod watch;
mod watch_campaigns;
mod watch_feeds;
mod watch_out;
