//! Puts the holding page where an edge serves it from, and those of sites that have one of their
//! own; the bytes are the caller's.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

use relight_model::GateKey;

use crate::durable;
use crate::error::{EdgeError, EdgeErrorKind};

/// Longest page or problem document, in bytes: HAProxy keeps it in one buffer with its headers.
pub const PAGE_BYTES_MAX: usize = 10_000;

/// The folder of the pages of single sites inside that of the holding page: `SITE.html` and
/// `SITE.json`. Edges that take a page for all of their sites do not look there.
pub const OF_SITES: &str = "of";

/// Writes `hold.html` and `hold.json` (RFC 9457) into `folder`, which is created if needed.
///
/// # Errors
/// `Refused` when one of them is longer than [`PAGE_BYTES_MAX`] or empty; nothing is written then.
/// `Io` when a file could not be written.
pub fn write(folder: &Path, html: &[u8], json: &[u8]) -> Result<(), EdgeError> {
    check("hold.html", html)?;
    check("hold.json", json)?;
    let write = || {
        durable::create_folder(folder)?;
        durable::write(&folder.join("hold.html"), html)?;
        durable::write(&folder.join("hold.json"), json)
    };
    write().map_err(EdgeError::io(format!("write the holding page in {}", folder.display())))
}

fn check(name: &str, bytes: &[u8]) -> Result<(), EdgeError> {
    if bytes.is_empty() || bytes.len() > PAGE_BYTES_MAX {
        let doing = format!("use {name} of {} bytes (1 to {PAGE_BYTES_MAX})", bytes.len());
        return Err(EdgeError::new(EdgeErrorKind::Refused, doing));
    }
    Ok(())
}

/// Leaves these sites, and no others, a page of their own: (page, document) of each. What is there
/// already is not written again.
///
/// # Errors
/// As [`write`]; then some are of before.
pub fn write_of(
    folder: &Path,
    pages: &BTreeMap<GateKey, (String, String)>,
) -> Result<(), EdgeError> {
    let mut files = BTreeMap::new();
    for (site, (html, json)) in pages {
        for (kind, text) in [("html", html), ("json", json)] {
            let name = format!("{site}.{kind}");
            check(&name, text.as_bytes())?;
            files.insert(name, text.as_bytes());
        }
    }
    let folder = folder.join(OF_SITES);
    leave(&folder, &files)
        .map_err(EdgeError::io(format!("write the holding pages of sites in {}", folder.display())))
}

fn leave(folder: &Path, files: &BTreeMap<String, &[u8]>) -> io::Result<()> {
    durable::create_folder(folder)?;
    for (name, bytes) in files {
        let path = folder.join(name);
        if fs::read(&path).ok().as_deref() != Some(*bytes) {
            durable::write(&path, bytes)?;
        }
    }
    for found in fs::read_dir(folder)? {
        let found = found?;
        if !found.file_name().to_str().is_some_and(|name| files.contains_key(name)) {
            fs::remove_file(found.path())?;
        }
    }
    durable::sync_folder(folder)
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn a_site_has_its_own_page_as_long_as_it_is_given_one() {
        let folder = tempfile::tempdir().unwrap();
        let page = |text: &str| (format!("<p>{text}"), format!("{{\"a\":\"{text}\"}}"));
        let give = |sites: &[(&str, &str)]| {
            let one = |&(site, text): &(&str, &str)| (GateKey::new(site).unwrap(), page(text));
            write_of(folder.path(), &sites.iter().map(one).collect())
        };
        give(&[("a", "1"), ("b.c", "2")]).unwrap();
        let read = |name: &str| fs::read_to_string(folder.path().join(OF_SITES).join(name)).ok();
        assert_eq!(read("a.html").as_deref(), Some("<p>1"));
        assert_eq!(read("b.c.json").as_deref(), Some("{\"a\":\"2\"}"));
        give(&[("b.c", "3")]).unwrap();
        assert_eq!((read("a.html"), read("a.json")), (None, None), "its channel is gone");
        assert_eq!(read("b.c.html").as_deref(), Some("<p>3"));
        let long = "x".repeat(PAGE_BYTES_MAX);
        assert_eq!(give(&[("b.c", &long)]).unwrap_err().kind, EdgeErrorKind::Refused);
        assert_eq!(read("b.c.html").as_deref(), Some("<p>3"));
    }
}
