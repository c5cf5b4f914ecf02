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
/// already is not written again, and what is no page of a site stays.
///
/// # Errors
/// As [`write`]; then some are of before.
pub fn write_of(
    folder: &Path,
    pages: &BTreeMap<GateKey, (String, String)>,
) -> Result<(), EdgeError> {
    for (site, (html, json)) in pages {
        check(&format!("{site}.html"), html.as_bytes())?;
        check(&format!("{site}.json"), json.as_bytes())?;
    }
    let folder = folder.join(OF_SITES);
    leave(&folder, pages)
        .map_err(EdgeError::io(format!("write the holding pages of sites in {}", folder.display())))
}

/// A page is never there without its document: that is what tells it from the files of others.
fn leave(folder: &Path, pages: &BTreeMap<GateKey, (String, String)>) -> io::Result<()> {
    durable::create_folder(folder)?;
    for (site, (html, json)) in pages {
        for (kind, text) in [("json", json), ("html", html)] {
            let path = folder.join(format!("{site}.{kind}"));
            if fs::read(&path).ok().as_deref() != Some(text.as_bytes()) {
                durable::replace(&path, text.as_bytes())?;
            }
        }
    }
    for site in keys(folder)?.into_iter().filter(|site| !pages.contains_key(site)) {
        for kind in ["html", "json"] {
            match fs::remove_file(folder.join(format!("{site}.{kind}"))) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
    }
    durable::sync_folder(folder)
}

/// The sites whose documents lie in a folder.
fn keys(folder: &Path) -> io::Result<Vec<GateKey>> {
    let mut keys = Vec::new();
    for found in fs::read_dir(folder)? {
        let found = found?;
        let name = found.file_name();
        let key = name.to_str().and_then(|name| GateKey::new(name.strip_suffix(".json")?).ok());
        if let Some(key) = key.filter(|_| found.file_type().is_ok_and(|it| it.is_file())) {
            keys.push(key);
        }
    }
    Ok(keys)
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

    /// The folder may be one of a web server, with files of others in it.
    #[test]
    fn what_is_no_page_of_a_site_stays() {
        let folder = tempfile::tempdir().unwrap();
        let of = folder.path().join(OF_SITES);
        let pages = [(GateKey::new("a").unwrap(), ("<p>".into(), "{}".into()))].into();
        write_of(folder.path(), &pages).unwrap();
        fs::create_dir(of.join("d.json")).unwrap();
        // The last one is being written by somebody who does the same.
        for name in ["readme.txt", "index.html", "Upper.json", "b.html.new"] {
            fs::write(of.join(name), "not ours").unwrap();
        }
        write_of(folder.path(), &BTreeMap::new()).unwrap();
        let mut left: Vec<_> =
            fs::read_dir(&of).unwrap().map(|it| it.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["Upper.json", "b.html.new", "d.json", "index.html", "readme.txt"]);
    }
}
