//! Real nginx and HAProxy on loopback: what a gate promises, seen from outside.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on must stop")]
#![expect(clippy::print_stdout, reason = "the figures of the large tests are worth reading")]

mod bad_input;
mod cut;
mod foreign;
mod gate_contract;
mod haproxy_map;
mod haproxy_ready;
mod holding;
mod host_matrix;
mod http2;
mod http2_spellings;
mod many_sites;
mod partial;
mod reload;
mod support;
mod testers;
mod tls;
mod traffic;
mod writers;
