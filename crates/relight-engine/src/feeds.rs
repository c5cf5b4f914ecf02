//! A folder into which advisories are dropped: which of its files are new and have settled.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Most files that one folder of feeds may hold, those of its folders included.
pub const FEED_FILES_MAX: usize = 100_000;

/// Deepest folder below the one that is watched.
pub const FEED_DEPTH_MAX: usize = 16;

/// What tells one state of a file from another without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    size: u64,
    modified: Option<SystemTime>,
}

/// What is known about one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Known {
    stamp: Stamp,
    taken: bool,
}

/// One folder under watch. A file is given once it looks the same at two looks in a row, so that
/// one that is still being written is not read half; who renames a finished file into the folder
/// is served at the second look. A file that changes later is given again.
///
/// Looks, instead of being told by the system: a folder may be on a network disk, where nobody
/// tells, and one listing of a small folder costs less than a hundredth of a millisecond.
#[derive(Debug)]
pub struct FeedFolder {
    root: PathBuf,
    known: BTreeMap<PathBuf, Known>,
}

/// What one look at the folder gave.
#[derive(Debug, Default)]
pub struct Look {
    /// Files to read now, sorted.
    pub ready: Vec<PathBuf>,
    /// Some files changed since the last look: look again soon.
    pub unsettled: bool,
    /// What could not be looked at: the place and the error.
    pub errors: Vec<(PathBuf, io::Error)>,
}

impl FeedFolder {
    /// A folder of which nothing is known yet.
    pub fn new(root: PathBuf) -> Self {
        Self { root, known: BTreeMap::new() }
    }

    /// Where it is.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Looks at the folder. Names that start with a dot or end in `.part` or `.tmp` are left
    /// alone: that is how files are called that somebody is still writing.
    pub fn look(&mut self) -> Look {
        let mut look = Look::default();
        let mut found = BTreeMap::new();
        list(&self.root, 0, &mut found, &mut look.errors);
        let mut known = BTreeMap::new();
        for (path, stamp) in found {
            let before = self.known.get(&path).filter(|before| before.stamp == stamp);
            let is_new = before.is_some_and(|before| !before.taken);
            look.unsettled |= before.is_none();
            known.insert(path.clone(), Known { stamp, taken: before.is_some() });
            if is_new {
                look.ready.push(path);
            }
        }
        self.known = known;
        look
    }

    /// Files that were given and could not be taken in: the next look gives them again, unless
    /// they changed.
    pub fn give_again(&mut self, files: &[PathBuf]) {
        for file in files {
            if let Some(known) = self.known.get_mut(file) {
                known.taken = false;
            }
        }
    }
}

/// The files below a folder, sorted, and what could not be looked at.
pub(crate) fn files_below(folder: &Path) -> (Vec<PathBuf>, Vec<(PathBuf, io::Error)>) {
    let (mut found, mut errors) = (BTreeMap::new(), Vec::new());
    list(folder, 0, &mut found, &mut errors);
    (found.into_keys().collect(), errors)
}

fn list(
    folder: &Path,
    depth: usize,
    found: &mut BTreeMap<PathBuf, Stamp>,
    errors: &mut Vec<(PathBuf, io::Error)>,
) {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => return errors.push((folder.to_owned(), error)),
    };
    for entry in entries {
        let path = entry.as_ref().map_or_else(|_| folder.to_owned(), |entry| entry.path());
        // The target of a link counts: feeds are often links to where a mirror puts them.
        let data = entry.and_then(|entry| fs::metadata(entry.path()));
        match data {
            Ok(_) if is_unfinished(&path) => {}
            Ok(data) if data.is_dir() && depth == FEED_DEPTH_MAX => {
                errors.push((path, io::Error::other("too many folders in each other")));
            }
            Ok(data) if data.is_dir() => list(&path, depth + 1, found, errors),
            Ok(data) if data.is_file() && found.len() == FEED_FILES_MAX => {
                errors.push((path, io::Error::other("too many files in the folder")));
                return;
            }
            Ok(data) if data.is_file() => {
                let stamp = Stamp { size: data.len(), modified: data.modified().ok() };
                found.insert(path, stamp);
            }
            Ok(_) => {}
            // Gone since it was listed.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => errors.push((path, error)),
        }
    }
}

fn is_unfinished(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with('.') || name.ends_with(".part") || name.ends_with(".tmp")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(look: &Look) -> Vec<String> {
        let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
        look.ready.iter().map(name).collect()
    }

    #[test]
    fn a_file_is_given_once_when_it_has_settled_and_again_when_it_changed() {
        let folder = tempfile::tempdir().unwrap();
        let mut feed = FeedFolder::new(folder.path().to_owned());
        fs::create_dir(folder.path().join("csaf")).unwrap();
        fs::write(folder.path().join("a.json"), "1").unwrap();
        fs::write(folder.path().join("csaf/b.json"), "1").unwrap();
        let first = feed.look();
        assert_eq!((names(&first), first.unsettled), (Vec::new(), true));
        let second = feed.look();
        assert_eq!(
            (names(&second), second.unsettled),
            (vec!["a.json".into(), "b.json".into()], false)
        );
        assert_eq!(names(&feed.look()), Vec::<String>::new());
        fs::write(folder.path().join("a.json"), "12").unwrap();
        assert!(feed.look().unsettled);
        assert_eq!(names(&feed.look()), ["a.json"]);
        assert_eq!(names(&feed.look()), Vec::<String>::new());
    }

    #[test]
    fn a_file_that_is_still_written_waits() {
        let folder = tempfile::tempdir().unwrap();
        let mut feed = FeedFolder::new(folder.path().to_owned());
        for text in ["{", "{\"id\"", "{\"id\":1}"] {
            fs::write(folder.path().join("a.json"), text).unwrap();
            assert_eq!(names(&feed.look()), Vec::<String>::new());
        }
        assert_eq!(names(&feed.look()), ["a.json"]);
    }

    #[test]
    fn unfinished_names_are_left_alone_and_links_are_followed() {
        let folder = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        fs::write(elsewhere.path().join("real.json"), "1").unwrap();
        for name in [".a.json", "b.json.part", "c.json.tmp"] {
            fs::write(folder.path().join(name), "1").unwrap();
        }
        let link = folder.path().join("d.json");
        std::os::unix::fs::symlink(elsewhere.path().join("real.json"), link).unwrap();
        std::os::unix::fs::symlink("/nowhere/at/all", folder.path().join("e.json")).unwrap();
        let mut feed = FeedFolder::new(folder.path().to_owned());
        feed.look();
        let look = feed.look();
        assert_eq!((names(&look), look.errors.len()), (vec!["d.json".into()], 0));
    }

    #[test]
    fn a_folder_that_cannot_be_read_and_one_in_itself_are_told() {
        let mut feed = FeedFolder::new(PathBuf::from("/nowhere/at/all"));
        assert_eq!(feed.look().errors.len(), 1);
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(folder.path(), folder.path().join("again")).unwrap();
        let look = FeedFolder::new(folder.path().to_owned()).look();
        assert_eq!(look.errors.len(), 1, "{look:?}");
    }
}
