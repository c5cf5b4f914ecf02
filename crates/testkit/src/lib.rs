//! What tests share: the fixture runner, seeded randomness, a small disk and an application behind
//! a gate. std only, never shipped.
#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot go on must stop")]

mod behind;
mod disk;
mod fixtures;
mod rng;

pub use behind::behind_the_gate;
pub use disk::SmallDisk;
pub use fixtures::{Case, check_fixtures};
pub use rng::Rng;
