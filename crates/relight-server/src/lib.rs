//! Everything that speaks HTTP: the data plane of the built-in edge, a counting origin, steady
//! visitors, the console and the public page.

pub mod clock;
pub mod edge_proxy;
mod error;
mod host;
mod mix;
pub mod origin;
mod runtime;
pub mod traffic;

pub use error::ServerError;
