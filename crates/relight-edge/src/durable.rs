//! Files that survive a power cut: temporary, fsync, rename, fsync of the directory.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// How much younger a file is at least: Apache compares microseconds.
const TIME_STEP: Duration = Duration::from_millis(1);

/// Replaces `path` by `bytes`, readable by everybody: a reader sees the old file or the new one.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_younger(path, bytes, None, |_| Ok(()))
}

/// The same where the caller makes the name durable, once for many files ([`sync_folder`]).
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_younger(path, bytes, None, |_| Ok(()))
}

/// A file that is written and synced, and not in its place yet. Where it never comes there, nothing
/// is left of it.
pub(crate) struct Staged<'a> {
    temporary: PathBuf,
    path: &'a Path,
}

/// Writes and syncs what is to replace `path`.
pub(crate) fn stage<'a>(path: &'a Path, bytes: &[u8]) -> io::Result<Staged<'a>> {
    let staged = Staged { temporary: temporary(path), path };
    write_new(&staged.temporary, bytes)?.sync_all()?;
    Ok(staged)
}

impl Staged<'_> {
    /// Replaces the file, for good: a reader sees the old one or this one.
    pub(crate) fn place(self) -> io::Result<()> {
        fs::rename(&self.temporary, self.path)?;
        self.path.parent().map_or(Ok(()), sync_folder)
    }
}

impl Drop for Staged<'_> {
    fn drop(&mut self) {
        // Nothing is there once it has its place.
        drop(fs::remove_file(&self.temporary));
    }
}

fn temporary(path: &Path) -> PathBuf {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".new");
    temporary.into()
}

/// A new file that everybody can read: a private umask must not hide it from the workers of a
/// proxy, for gates fail open.
fn write_new(path: &Path, bytes: &[u8]) -> io::Result<File> {
    let mut file = File::create(path)?;
    file.set_permissions(fs::Permissions::from_mode(0o644))?;
    file.write_all(bytes)?;
    Ok(file)
}

/// As [`write`], with a time of change after `than`, whatever the clock says; `note` is told that
/// time before the new file takes the place of the old one. What fails leaves nothing behind: on a
/// disk that is full, half a file would keep the next one from being written.
pub(crate) fn write_younger(
    path: &Path,
    bytes: &[u8],
    than: Option<SystemTime>,
    note: impl FnOnce(SystemTime) -> io::Result<()>,
) -> io::Result<()> {
    replace_younger(path, bytes, than, note)?;
    path.parent().map_or(Ok(()), sync_folder)
}

fn replace_younger(
    path: &Path,
    bytes: &[u8],
    than: Option<SystemTime>,
    note: impl FnOnce(SystemTime) -> io::Result<()>,
) -> io::Result<()> {
    let temporary = temporary(path);
    let replace = || {
        let file = write_new(&temporary, bytes)?;
        if let Some(than) = than {
            let time = file.metadata()?.modified()?.max(than + TIME_STEP);
            file.set_modified(time)?;
            note(time)?;
        }
        file.sync_all()?;
        fs::rename(&temporary, path)
    };
    replace().inspect_err(|_| drop(fs::remove_file(&temporary)))
}

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Creates a folder that the workers of a proxy can enter, whatever our umask is.
pub(crate) fn create_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))
}

/// A temporary folder in memory where there is one: on a busy disk each fsync of a test waits for
/// everybody else's.
#[cfg(test)]
pub(crate) fn quick_folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_and_is_readable_by_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("epoch");
        write(&path, b"1-1\n").unwrap();
        write(&path, b"1-2\n").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"1-2\n");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_staged_is_in_its_place_when_that_is_said_and_leaves_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("map");
        write(&path, b"old\n").unwrap();
        drop(stage(&path, b"dropped\n").unwrap());
        let staged = stage(&path, b"new\n").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"old\n");
        staged.place().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new\n");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    /// What fails after the new file was begun, on a full disk say, leaves nothing of it behind.
    #[test]
    fn a_write_that_fails_takes_no_room() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("map");
        let refuse = |_| Err(io::ErrorKind::StorageFull.into());
        let failed = write_younger(&path, b"new\n", Some(SystemTime::UNIX_EPOCH), refuse);
        assert_eq!(failed.unwrap_err().kind(), io::ErrorKind::StorageFull);
        fs::create_dir(&path).unwrap();
        write(&path, b"new\n").unwrap_err();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "the folder in the way");
    }
}
