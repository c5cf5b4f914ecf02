//! Puts the holding page where an edge serves it from; the bytes are the caller's.

use std::path::Path;

use crate::durable;
use crate::error::{EdgeError, EdgeErrorKind};

/// Longest page or problem document, in bytes: HAProxy keeps it in one buffer with its headers.
pub const PAGE_BYTES_MAX: usize = 10_000;

/// Writes `hold.html` and `hold.json` (RFC 9457) into `folder`, which is created if needed.
///
/// # Errors
/// `Refused` when one of them is longer than [`PAGE_BYTES_MAX`] or empty; nothing is written then.
/// `Io` when a file could not be written.
pub fn write(folder: &Path, html: &[u8], json: &[u8]) -> Result<(), EdgeError> {
    for (name, bytes) in [("hold.html", html), ("hold.json", json)] {
        if bytes.is_empty() || bytes.len() > PAGE_BYTES_MAX {
            let doing = format!("use {name} of {} bytes (1 to {PAGE_BYTES_MAX})", bytes.len());
            return Err(EdgeError::new(EdgeErrorKind::Refused, doing));
        }
    }
    let write = || {
        durable::create_folder(folder)?;
        durable::write(&folder.join("hold.html"), html)?;
        durable::write(&folder.join("hold.json"), json)
    };
    write().map_err(EdgeError::io(format!("write the holding page in {}", folder.display())))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn writes_both_and_refuses_what_no_edge_can_keep() {
        let folder = tempfile::tempdir().unwrap();
        let hold = folder.path().join("hold");
        let full = vec![b'x'; PAGE_BYTES_MAX];
        write(&hold, &full, b"{}").unwrap();
        assert_eq!(fs::read(hold.join("hold.html")).unwrap(), full);
        for (html, json) in [(&full[..], &b""[..]), (&vec![b'x'; PAGE_BYTES_MAX + 1], b"{}")] {
            assert_eq!(write(&hold, html, json).unwrap_err().kind, EdgeErrorKind::Refused);
        }
        assert_eq!(fs::read(hold.join("hold.json")).unwrap(), b"{}");
    }
}
