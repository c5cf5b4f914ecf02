//! What tests share: the fixture runner, seeded randomness and a small disk. std only, never
//! shipped.
#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot go on must stop")]

mod disk;
mod fixtures;
mod rng;

pub use disk::SmallDisk;
pub use fixtures::{Case, check_fixtures};
pub use rng::Rng;
