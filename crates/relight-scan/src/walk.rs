//! Lists a tree by directory descriptors, so that no path is ever too long for the system.
//!
//! Symbolic links are not followed: what they point at inside the root is visited by itself, and
//! what they point at outside is a flaw. File systems without files of their own (`proc`, `sysfs`)
//! are outside the scope; network file systems below the root are left out and listed.

use std::ffi::{CStr, CString, OsStr};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use relight_model::FlawCode;
use rustix::fs::{CWD, Dir, FileType, Mode, OFlags, fstat, fstatfs, openat, statat};
use rustix::io::Errno;

use crate::evidence::{escape, in_folder};
use crate::unpack::Found;

/// Files of one directory, handed to a worker.
pub(crate) struct Batch {
    /// The directory that holds them.
    pub(crate) folder: Arc<OwnedFd>,
    /// Name and evidence path.
    pub(crate) files: Vec<(CString, String)>,
}

/// Files in a batch: enough to make the queue cheap, few enough to share a large directory.
const BATCH_FILES_MAX: usize = 64;

/// How directories are opened; no terminal becomes ours, no link is followed.
const FOLDER: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// How files are opened: a FIFO does not block, a device does nothing.
const FILE: OFlags = OFlags::RDONLY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC);

/// Opens a directory for [`walk`]; the root may be a link, because a person named it.
pub(crate) fn open_root(root: &Path) -> io::Result<OwnedFd> {
    Ok(openat(CWD, root, FOLDER.difference(OFlags::NOFOLLOW), Mode::empty())?)
}

/// Opens what may be a regular file; the caller asks `fstat` before reading.
pub(crate) fn open_file(folder: impl AsFd, name: &CStr) -> io::Result<OwnedFd> {
    Ok(openat(folder, name, FILE, Mode::empty())?)
}

/// The code of an error of the system.
pub(crate) fn code_of(error: &io::Error) -> FlawCode {
    match error.kind() {
        io::ErrorKind::PermissionDenied => FlawCode::PermissionDenied,
        _ => FlawCode::IoError,
    }
}

/// A directory that waits to be listed.
struct Pending {
    parent: Arc<OwnedFd>,
    name: CString,
    path: String,
    device: u64,
}

/// The walk of one tree.
pub(crate) struct Walker<'a> {
    /// The real path of the root, to judge where links lead.
    pub(crate) root: PathBuf,
    /// Longest evidence path in bytes.
    pub(crate) path_bytes_max: usize,
    /// What could not be listed.
    pub(crate) found: &'a mut Found,
}

impl Walker<'_> {
    /// Lists everything below the root; `send` returns false when nobody listens any more.
    pub(crate) fn walk(&mut self, root: OwnedFd, send: &mut dyn FnMut(Batch) -> bool) {
        let device = fstat(&root).map(|stat| stat.st_dev).unwrap_or_default();
        let mut pending = Vec::new();
        let mut next = Some((Arc::new(root), String::new(), device));
        while let Some((folder, path, device)) = next {
            if !self.list(&folder, &path, device, &mut pending, send) {
                return;
            }
            drop(folder);
            next = None;
            while let Some(waiting) = pending.pop() {
                next = self.enter(waiting);
                if next.is_some() {
                    break;
                }
            }
        }
    }

    /// Opens a directory, unless its file system is outside the scope.
    fn enter(&mut self, waiting: Pending) -> Option<(Arc<OwnedFd>, String, u64)> {
        let Pending { parent, name, path, device } = waiting;
        let folder = match openat(&parent, &name, FOLDER, Mode::empty()) {
            Ok(folder) => folder,
            // Gone, or replaced by something else, since it was listed: there is nothing to read.
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return None,
            Err(error) => {
                self.found.flaw(code_of(&error.into()), &path, 0);
                return None;
            }
        };
        let inside = fstat(&folder).map(|stat| stat.st_dev).unwrap_or_default();
        if inside != device {
            let kind = fstatfs(&folder).map(|stat| stat.f_type).unwrap_or_default();
            match mount_of(kind) {
                Mount::Local => {}
                Mount::Pseudo => return None,
                Mount::Remote => {
                    self.found.flaw(FlawCode::ExcludedByOption, &path, 0);
                    return None;
                }
            }
        }
        Some((Arc::new(folder), path, inside))
    }

    fn list(
        &mut self,
        folder: &Arc<OwnedFd>,
        path: &str,
        device: u64,
        pending: &mut Vec<Pending>,
        send: &mut dyn FnMut(Batch) -> bool,
    ) -> bool {
        let entries = match Dir::read_from(folder) {
            Ok(entries) => entries,
            Err(error) => {
                self.found.flaw(code_of(&error.into()), path, 0);
                return true;
            }
        };
        let mut files = Vec::new();
        for entry in entries {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    self.found.flaw(code_of(&error.into()), path, 0);
                    break;
                }
            };
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            let inside = in_folder(path, &escape(name.to_bytes()));
            if inside.len() > self.path_bytes_max {
                self.found.flaw(FlawCode::LimitDepth, path, 0);
                continue;
            }
            match kind_of(folder, &entry) {
                FileType::Directory => pending.push(Pending {
                    parent: Arc::clone(folder),
                    name: name.to_owned(),
                    path: inside,
                    device,
                }),
                FileType::RegularFile | FileType::Unknown => files.push((name.to_owned(), inside)),
                FileType::Symlink => self.link(name, path, &inside),
                _ => {}
            }
            if files.len() == BATCH_FILES_MAX {
                let files = std::mem::take(&mut files);
                if !send(Batch { folder: Arc::clone(folder), files }) {
                    return false;
                }
            }
        }
        files.is_empty() || send(Batch { folder: Arc::clone(folder), files })
    }

    /// A link to a file or folder outside the root hides what it points at from the inventory.
    fn link(&mut self, name: &CStr, folder: &str, path: &str) {
        // The evidence path is the real one unless it holds escapes; those are rebuilt byte-wise.
        let mut link = self.root.clone();
        link.extend((!folder.is_empty()).then(|| unescape(folder)));
        link.push(OsStr::from_bytes(name.to_bytes()));
        let outside = match link.canonicalize() {
            Ok(target) => {
                !target.starts_with(&self.root)
                    && target.metadata().is_ok_and(|meta| meta.is_file() || meta.is_dir())
            }
            // Dangling and circular links lead nowhere; any other error leaves the target unknown.
            Err(error) => {
                let errno = error.raw_os_error().unwrap_or_default();
                let nowhere = [Errno::NOENT, Errno::NOTDIR, Errno::LOOP].map(Errno::raw_os_error);
                !nowhere.contains(&errno)
            }
        };
        if outside {
            self.found.flaw(FlawCode::LinkOutside, path, 0);
        }
    }
}

/// Reads an evidence path of the disk back into the bytes of its names.
fn unescape(path: &str) -> PathBuf {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        let digits = tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (first, byte) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            _ => bytes.push(*first),
        }
    }
    PathBuf::from(OsStr::from_bytes(&bytes))
}

/// Some file systems do not say the type while listing.
fn kind_of(folder: &OwnedFd, entry: &rustix::fs::DirEntry) -> FileType {
    match entry.file_type() {
        FileType::Unknown => {
            let flags = rustix::fs::AtFlags::SYMLINK_NOFOLLOW;
            let stat = statat(folder, entry.file_name(), flags);
            stat.map_or(FileType::Unknown, |stat| FileType::from_raw_mode(stat.st_mode))
        }
        known => known,
    }
}

/// What a mount below the root means for a scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mount {
    Local,
    /// Views of the kernel: nothing in them is a file of the machine.
    Pseudo,
    /// Reached over a network or a user process: slow, shared, and possibly endless.
    Remote,
}

/// Sorts file systems by their magic numbers (`linux/magic.h`, and each file system's source).
fn mount_of(kind: i64) -> Mount {
    match kind & 0xffff_ffff {
        // proc, sysfs, cgroup, cgroup2, devpts, debugfs, tracefs, securityfs, bpf, pstore, mqueue,
        // configfs, binfmt_misc, efivarfs, fusectl, nsfs, selinuxfs.
        0x9fa0 | 0x6265_6572 | 0x0027_e0eb | 0x6367_7270 | 0x1cd1 | 0x6462_6720 | 0x7472_6163
        | 0x7363_6673 | 0xcafe_4a11 | 0x6165_676c | 0x1980_0202 | 0x6265_6570 | 0x4249_4e4d
        | 0xde5e_81e4 | 0x6573_5543 | 0x6e73_6673 | 0xf97c_ff8c => Mount::Pseudo,
        // NFS, SMB, SMB2, CIFS, FUSE, Ceph, AFS, 9p, Coda.
        0x6969 | 0x517b | 0xfe53_4d42 | 0xff53_4d42 | 0x6573_5546 | 0x00c3_6400 | 0x5346_414f
        | 0x0102_1997 | 0x7375_7245 => Mount::Remote,
        _ => Mount::Local,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_read_back() {
        for name in [&b"a%b"[..], b"x\ny", b"\xff\xfe", b"50%25", "caf\u{e9}".as_bytes()] {
            assert_eq!(unescape(&escape(name)).as_os_str().as_bytes(), name);
        }
    }

    #[test]
    fn mounts() {
        assert_eq!(mount_of(0x9fa0), Mount::Pseudo);
        assert_eq!(mount_of(0xef53), Mount::Local);
        assert_eq!(mount_of(0x0102_1994), Mount::Local, "tmpfs holds files");
        assert_eq!(mount_of(0x6969), Mount::Remote);
    }
}
