//! What tests share: the fixture runner and seeded randomness. std only, never shipped.
#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot go on must stop")]

mod fixtures;
mod rng;

pub use fixtures::{Case, check_fixtures};
pub use rng::Rng;
