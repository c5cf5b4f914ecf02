//! Reads a file that may change meanwhile: once more when it did, and then it is said.

use std::fs::File;
use std::io;
use std::sync::Arc;

use rustix::fs::{FileType, Stat, fstat};

/// What the system says about a file: when two are equal, nobody has written to it in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) device: u64,
    pub(crate) inode: u64,
    pub(crate) size: u64,
    /// Seconds and nanoseconds.
    pub(crate) modified: (i64, i64),
    /// Seconds and nanoseconds; no program can set it.
    pub(crate) changed: (i64, i64),
}

impl Stamp {
    /// The stamp of a regular file; `None` for anything else.
    pub(crate) fn of_file(stat: &Stat) -> Option<Self> {
        let is_file = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
        is_file.then(|| Self::of(stat))
    }

    fn of(stat: &Stat) -> Self {
        Self {
            device: stat.st_dev,
            inode: stat.st_ino,
            size: u64::try_from(stat.st_size).unwrap_or_default(),
            modified: (stat.st_mtime, i64::try_from(stat.st_mtime_nsec).unwrap_or_default()),
            changed: (stat.st_ctime, i64::try_from(stat.st_ctime_nsec).unwrap_or_default()),
        }
    }
}

/// What became of a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Steady<T> {
    /// It is no regular file.
    Other,
    /// Nobody wrote to it while it was read.
    Same(T),
    /// It changed, and changed again while it was read a second time.
    Changed(T, u64),
}

/// Opens and reads a file; `read` gets it with its stamp.
///
/// # Errors
/// Those of opening it, the second time included: then it has gone meanwhile.
pub(crate) fn read<T>(
    mut open: impl FnMut() -> io::Result<File>,
    mut read: impl FnMut(&Arc<File>, Stamp) -> T,
) -> io::Result<Steady<T>> {
    let mut once = || -> io::Result<Steady<T>> {
        let file = Arc::new(open()?);
        let Some(before) = Stamp::of_file(&fstat(&*file)?) else { return Ok(Steady::Other) };
        let value = read(&file, before);
        let after = Stamp::of(&fstat(&*file)?);
        let is_same = before == after;
        Ok(if is_same { Steady::Same(value) } else { Steady::Changed(value, after.size) })
    };
    match once()? {
        Steady::Changed(..) => once(),
        steady => Ok(steady),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use super::*;

    /// A file that `change` touches during each of the first `times` readings.
    fn check(times: u32, expected: &Steady<u32>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "a").unwrap();
        let mut readings = 0;
        let got = read(
            || File::open(&path),
            |_, _| {
                readings += 1;
                if readings <= times {
                    let mut file = File::options().append(true).open(&path).unwrap();
                    file.write_all(b"b").unwrap();
                }
                readings
            },
        );
        assert_eq!(got.unwrap(), *expected);
    }

    #[test]
    fn a_file_that_changes_is_read_once_more() {
        check(0, &Steady::Same(1));
        check(1, &Steady::Same(2));
        check(2, &Steady::Changed(2, 3));
        check(9, &Steady::Changed(2, 3));
    }

    #[test]
    fn one_that_is_replaced_or_taken_away_has_changed() {
        let folder = tempfile::tempdir().unwrap();
        let (path, next) = (folder.path().join("a"), folder.path().join("b"));
        fs::write(&path, "a").unwrap();
        fs::write(&next, "other").unwrap();
        let mut sizes = Vec::new();
        let replaced = read(
            || File::open(&path),
            |_, stamp| {
                sizes.push(stamp.size);
                let _ = fs::rename(&next, &path);
            },
        );
        assert_eq!((replaced.unwrap(), sizes), (Steady::Same(()), vec![1, 5]));
        let gone = read(|| File::open(&path), |_, _| fs::remove_file(&path).unwrap());
        assert_eq!(gone.unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn only_regular_files_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let got = read(|| File::open(folder.path()), |_, _| ());
        assert_eq!(got.unwrap(), Steady::Other);
    }
}
