//! SHA-256 of bytes on the disk and in memory.

use std::io::{self, Read};

use relight_model::Digest;
use sha2::{Digest as _, Sha256};

use crate::window::Window;

/// Bytes that are read at one time.
const PIECE_BYTES: usize = 64 << 10;

/// The digest of a whole window.
///
/// # Errors
/// Those of the file.
pub(crate) fn of_window(window: &Window) -> io::Result<Digest> {
    let mut hasher = Sha256::new();
    let mut reader = window.reader();
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let read = reader.read(&mut piece)?;
        if read == 0 {
            return Ok(Digest(hasher.finalize().into()));
        }
        hasher.update(&piece[..read]);
    }
}

/// The digest of bytes in memory.
pub(crate) fn of_bytes(bytes: &[u8]) -> Digest {
    Digest(Sha256::digest(bytes).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_agree() {
        let bytes = vec![7; PIECE_BYTES * 2 + 3];
        assert_eq!(of_window(&Window::of_memory(bytes.clone())).unwrap(), of_bytes(&bytes));
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(of_bytes(b"").to_string(), empty);
    }
}
