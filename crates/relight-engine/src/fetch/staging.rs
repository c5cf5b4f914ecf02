//! Where documents lie between their server and the store: a folder that one process at a time
//! uses. What a process that died left in it is thrown away by the next one.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The folder, inside the data folder.
const FOLDER: &str = "fetching";

/// The file whose lock says who uses it; the system lifts it when its holder ends.
const LOCK_FILE: &str = "fetching.lock";

/// The folder, ours as long as this lives.
#[derive(Debug)]
pub(super) struct Staging {
    folder: PathBuf,
    next: AtomicUsize,
    _lock: File,
}

impl Staging {
    /// Takes the folder and empties it; `None` when another process has it.
    pub(super) fn take(data: &Path) -> io::Result<Option<Self>> {
        let lock = data.join(LOCK_FILE);
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(lock)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let folder = data.join(FOLDER);
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir(&folder)?;
        Ok(Some(Self { folder, next: AtomicUsize::new(0), _lock: lock }))
    }

    /// A folder in it that nobody else has.
    pub(super) fn desk(&self) -> io::Result<Desk> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let folder = self.folder.join(number.to_string());
        fs::create_dir(&folder)?;
        Ok(Desk { folder, files: 0 })
    }
}

/// What a fetch that died left in a data folder, if anything, and if nobody fetches now.
pub fn leftovers(data: &Path) -> Option<PathBuf> {
    let folder = data.join(FOLDER);
    let is_there = fs::symlink_metadata(&folder).is_ok_and(|it| it.is_dir());
    // Looking makes no file: without one that could be locked nobody fetches.
    let is_idle = || match File::open(data.join(LOCK_FILE)) {
        Ok(lock) => lock.try_lock().is_ok(),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    };
    (is_there && is_idle()).then_some(folder)
}

/// Throws away what a fetch that died left in a data folder, unless somebody fetches now.
///
/// # Errors
/// Those of the system; `WouldBlock` while somebody fetches.
pub fn clear_leftovers(data: &Path) -> io::Result<()> {
    Staging::take(data)?.map(drop).ok_or_else(|| io::ErrorKind::WouldBlock.into())
}

impl Drop for Staging {
    fn drop(&mut self) {
        // What stays is thrown away by the next one.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// One folder for the documents of one look; it goes with them.
#[derive(Debug)]
pub(super) struct Desk {
    folder: PathBuf,
    files: usize,
}

impl Desk {
    /// The path of the next file.
    pub(super) fn next_file(&mut self) -> PathBuf {
        self.files += 1;
        self.folder.join(self.files.to_string())
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_and_nothing_of_another_stays() {
        let data = tempfile::tempdir().unwrap();
        let left = data.path().join(FOLDER).join("7");
        fs::create_dir_all(&left).unwrap();
        fs::write(left.join("1"), "half of a docum").unwrap();
        assert_eq!(leftovers(data.path()), Some(data.path().join(FOLDER)));
        let staging = Staging::take(data.path()).unwrap().unwrap();
        assert!(!left.exists());
        assert_eq!(leftovers(data.path()), None, "somebody fetches");
        assert!(Staging::take(data.path()).unwrap().is_none());
        let busy = clear_leftovers(data.path()).unwrap_err();
        assert_eq!(busy.kind(), io::ErrorKind::WouldBlock);
        let (mut one, mut two) = (staging.desk().unwrap(), staging.desk().unwrap());
        let paths = [one.next_file(), one.next_file(), two.next_file()];
        assert!(paths[0] != paths[1] && paths[0] != paths[2]);
        fs::write(&paths[0], "a").unwrap();
        drop(one);
        assert!(!paths[0].exists() && paths[2].parent().unwrap().exists());
        drop(staging);
        assert!(!data.path().join(FOLDER).exists());
        assert!(Staging::take(data.path()).unwrap().is_some());
        clear_leftovers(data.path()).unwrap();
        assert!(Staging::take(Path::new("/nowhere/at/all")).is_err());
    }
}
