//! Real sockets on loopback, on ports that the system gives.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on must stop")]

mod door_device;
mod door_support;
mod edge_bodies;
mod edge_gate;
mod edge_hosts;
mod edge_limits;
mod edge_proxying;
mod edge_tunnels;
mod edge_under_load;
mod oidc_provider;
mod receive;
mod support;
mod web_accounts;
mod web_acts;
mod web_affected;
mod web_api;
mod web_approvals;
mod web_console;
mod web_door;
mod web_edges;
mod web_flood;
mod web_glass;
mod web_keys;
mod web_metrics;
mod web_notices;
mod web_oidc;
mod web_paths;
mod web_posture;
mod web_public;
mod web_recovery;
mod web_refusals;
mod web_screen;
mod web_site_acts;
mod web_watch;
mod web_weak_keys;
