//! The page as a folder: each generation is a new folder, and the link `current` is swapped to it
//! by one rename, so that a web server never sees half of one.
//!
//! Nothing is synced to the disk: a page that a power cut loses is written again at the start.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::Files;
use crate::ServerError;

/// The link that a web server serves.
const CURRENT: &str = "current";

/// The folder of certificates, which never change and are never removed.
const CERTIFICATES: &str = "certificates";

const GENERATION: &str = "generation-";

/// A folder that holds the page.
#[derive(Debug)]
pub struct PublicFolder {
    root: PathBuf,
    /// Number of the newest generation.
    newest: u64,
}

impl PublicFolder {
    /// Opens a folder, which is created when it is not there.
    ///
    /// # Errors
    /// The folder cannot be created or listed, or holds something that is not ours.
    pub fn open(root: &Path) -> Result<Self, ServerError> {
        let failed = |cause| {
            ServerError::caused(
                format!("open the folder of the public page {}", root.display()),
                cause,
            )
        };
        match fs::create_dir_all(root.join(CERTIFICATES)) {
            // Made with the first page for which there is room.
            Err(error) if is_full(&error) && !root.exists() => {
                return Ok(Self { root: root.to_owned(), newest: 0 });
            }
            Err(error) if is_full(&error) => {}
            made => made.map_err(failed)?,
        }
        let mut newest = 0;
        for entry in fs::read_dir(root).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name().to_string_lossy().into_owned();
            let number = name.strip_prefix(GENERATION).and_then(|number| number.parse().ok());
            newest = newest.max(number.unwrap_or(0));
            if number.is_none() && !name.starts_with(CURRENT) && name != CERTIFICATES {
                let foreign =
                    io::Error::new(ErrorKind::AlreadyExists, format!("{name} is not ours"));
                return Err(failed(foreign));
            }
        }
        Ok(Self { root: root.to_owned(), newest })
    }

    /// The folder that a web server serves.
    pub fn current(&self) -> PathBuf {
        Self::current_of(&self.root)
    }

    /// The same of a folder that somebody else writes.
    pub fn current_of(root: &Path) -> PathBuf {
        root.join(CURRENT)
    }

    /// Writes a generation, makes it the current one, and removes all but the one before it,
    /// which a reader may still hold. What fails leaves the page as it was.
    pub(super) fn write(&mut self, files: &Files) -> io::Result<()> {
        let number = self.newest + 1;
        let name = format!("{GENERATION}{number}");
        let folder = self.root.join(&name);
        if let Err(error) = self.fill(&folder, files).and_then(|()| self.swap(&name)) {
            // What is half there must not be in the way of the next attempt.
            drop(fs::remove_dir_all(&folder));
            return Err(error);
        }
        self.newest = number;
        self.remove_older(number.saturating_sub(1))
    }

    fn fill(&self, folder: &Path, files: &Files) -> io::Result<()> {
        fs::create_dir_all(self.root.join(CERTIFICATES))?;
        fs::create_dir(folder)?;
        symlink(Path::new("..").join(CERTIFICATES), folder.join(CERTIFICATES))?;
        let mut made: BTreeSet<&Path> = BTreeSet::new();
        for (path, bytes) in files {
            let relative = Path::new(path);
            if let Some(parent) = relative.parent().filter(|parent| made.insert(parent)) {
                fs::create_dir_all(folder.join(parent))?;
            }
            fs::write(folder.join(relative), bytes)?;
        }
        Ok(())
    }

    /// Writes certificates that are not there yet. Those of before stay: they never change.
    pub(super) fn keep(&self, certificates: &[(String, Bytes)]) -> io::Result<()> {
        let part = self.root.join(format!("{CURRENT}.part"));
        fs::create_dir_all(self.root.join(CERTIFICATES))?;
        for (path, bytes) in certificates {
            let path = self.root.join(path);
            if fs::read(&path).is_ok_and(|there| there == *bytes) {
                continue;
            }
            fs::write(&part, bytes)?;
            fs::rename(&part, &path)?;
        }
        Ok(())
    }

    fn swap(&self, name: &str) -> io::Result<()> {
        let link = self.root.join(format!("{CURRENT}.new"));
        match fs::remove_file(&link) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => symlink(name, &link)?,
        }
        fs::rename(&link, self.current())
    }

    fn remove_older(&self, than: u64) -> io::Result<()> {
        for entry in fs::read_dir(&self.root)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let number: Option<u64> =
                name.strip_prefix(GENERATION).and_then(|number| number.parse().ok());
            if number.is_some_and(|number| number < than) {
                fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(())
    }
}

fn is_full(error: &io::Error) -> bool {
    [ErrorKind::StorageFull, ErrorKind::QuotaExceeded].contains(&error.kind())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(pairs: &[(&str, &'static str)]) -> Files {
        let pair = |(path, text): &(&str, &'static str)| ((*path).to_owned(), (*text).into());
        pairs.iter().map(pair).collect()
    }

    fn names(root: &Path) -> Vec<String> {
        let entries = fs::read_dir(root).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_generation_replaces_the_one_before_at_once() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("public");
        let mut folder = PublicFolder::open(&root).unwrap();
        for text in ["one", "two", "three"] {
            folder.keep(&[("certificates/a.json".to_owned(), "a".into())]).unwrap();
            folder.write(&files(&[("fr/index.html", text)])).unwrap();
            assert_eq!(fs::read_to_string(root.join("current/fr/index.html")).unwrap(), text);
            assert_eq!(fs::read_to_string(root.join("current/certificates/a.json")).unwrap(), "a");
        }
        let three = ["certificates", "current", "generation-2", "generation-3"];
        assert_eq!(names(&root), three);
        // Another life goes on where this one ended; certificates stay.
        let mut folder = PublicFolder::open(&root).unwrap();
        folder.write(&files(&[("index.html", "four")])).unwrap();
        assert_eq!(names(&root)[2..], ["generation-3", "generation-4"]);
        assert!(root.join("current/certificates/a.json").exists());
    }

    #[test]
    fn a_failure_leaves_the_old_page() {
        let place = tempfile::tempdir().unwrap();
        let mut folder = PublicFolder::open(place.path()).unwrap();
        folder.write(&files(&[("index.html", "old")])).unwrap();
        // A name that is a file cannot be a folder as well.
        let bad = files(&[("a", "file"), ("a/b", "inside")]);
        assert!(folder.write(&bad).is_err());
        assert_eq!(fs::read_to_string(folder.current().join("index.html")).unwrap(), "old");
        folder.write(&files(&[("index.html", "new")])).unwrap();
        assert_eq!(fs::read_to_string(folder.current().join("index.html")).unwrap(), "new");
    }

    #[test]
    fn a_folder_with_other_things_is_refused() {
        let place = tempfile::tempdir().unwrap();
        fs::write(place.path().join("thesis.txt"), "").unwrap();
        let error = PublicFolder::open(place.path()).unwrap_err();
        assert!(std::error::Error::source(&error).unwrap().to_string().contains("thesis.txt"));
    }
}
