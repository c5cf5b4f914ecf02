//! The error of this crate: stored bytes that are not a window.

use std::{error, fmt};

/// What was being read, and why it could not be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WatchError {
    /// A stable code in kebab case (`window-truncated`).
    pub code: &'static str,
    /// Offset in bytes at which reading stopped.
    pub offset: usize,
}

impl fmt::Display for WatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "reading a window at byte {}: {}", self.offset, self.code)
    }
}

impl error::Error for WatchError {}
