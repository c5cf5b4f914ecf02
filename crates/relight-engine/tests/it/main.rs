//! The engine from outside: the simulator and its mutants, the loop of one edge, a whole register.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on must stop")]

mod edge;
mod loops;
mod mutants;
mod oracle;
mod people;
mod sim;
