//! Files that survive a power cut: temporary, fsync, rename, fsync of the directory.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
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
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".new");
    let temporary = Path::new(&temporary);
    let mut file = File::create(temporary)?;
    let replace = || {
        // A private umask must not hide the file from the workers of a proxy: gates fail open.
        file.set_permissions(fs::Permissions::from_mode(0o644))?;
        file.write_all(bytes)?;
        if let Some(than) = than {
            let time = file.metadata()?.modified()?.max(than + TIME_STEP);
            file.set_modified(time)?;
            note(time)?;
        }
        file.sync_all()?;
        fs::rename(temporary, path)
    };
    replace().inspect_err(|_| drop(fs::remove_file(temporary)))
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
