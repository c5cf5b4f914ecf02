//! Lists a tree by directory descriptors, so that no path is ever too long for the system.
//!
//! Symbolic links are not followed: what they point at inside the root is visited by itself, and
//! what they point at outside is a flaw, or visited when that was asked for. File systems without
//! files of their own (`proc`, `sysfs`) are outside the scope; network file systems below the root
//! are left out and listed.

use std::collections::{HashMap, HashSet};
use std::ffi::{CStr, CString, OsStr};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use relight_model::FlawCode;
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, RawDir, RawDirEntry, ResolveFlags};
use rustix::fs::{fstat, fstatfs, openat, openat2, readlinkat, statat};
use rustix::io::Errno;

use crate::evidence::{escape, file_name, in_folder, place_of, unescape};
use crate::folder::{self, Folder, Id, Links, Open, Waiting};
use crate::image::{self, Form, InFolder};
use crate::java;
use crate::limits::Options;
use crate::mount::{self, Mount};
use crate::unpack::{Found, NameSays, Shared};

/// Files of one directory, handed to a worker.
pub(crate) struct Batch {
    /// The directory that holds them.
    pub(crate) folder: Arc<OwnedFd>,
    /// Its evidence path.
    pub(crate) path: Arc<str>,
    /// Its file system keeps files of this machine.
    pub(crate) is_local: bool,
    /// Names, and whether one that is a link is followed.
    pub(crate) files: Vec<(CString, Links)>,
}

/// Files in a batch: enough to make the queue cheap, few enough to share a large directory.
const BATCH_FILES_MAX: usize = 64;

/// Entries of one directory that are held at one time, unless their order matters.
const ENTRIES_HELD_MAX: usize = 4_096;

/// Bytes of names that are asked for at one time; a name has at most 255.
const NAMES_BYTES: usize = 32 << 10;

/// How files are opened: a FIFO does not block, a device does nothing.
const FILE: OFlags =
    OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::CLOEXEC);

/// Opens a directory for [`Walker::walk`]; the root may be a link, because a person named it.
pub(crate) fn open_root(root: &Path) -> io::Result<OwnedFd> {
    let root = CString::new(root.as_os_str().as_bytes())?;
    Ok(folder::open(CWD, &root, Links::Follow)?)
}

/// Opens what may be a regular file; the caller asks `fstat` before reading.
pub(crate) fn open_file(folder: impl AsFd, name: &CStr, links: Links) -> io::Result<OwnedFd> {
    let flags = match links {
        Links::Refuse => FILE.union(OFlags::NOFOLLOW),
        Links::Follow => FILE,
    };
    Ok(openat(folder, name, flags, Mode::empty())?)
}

/// The code of an error of the system. What was listed and is gone, or has become something
/// else, has changed.
pub(crate) fn code_of(error: &io::Error) -> FlawCode {
    let gone = [Errno::NOENT, Errno::NOTDIR, Errno::LOOP, Errno::NXIO, Errno::NODEV, Errno::STALE];
    let is_gone = gone.iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()));
    match error.kind() {
        io::ErrorKind::PermissionDenied => FlawCode::PermissionDenied,
        _ if is_gone => FlawCode::ChangedDuringScan,
        _ => FlawCode::IoError,
    }
}

/// What is special about one walk.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    /// What has two names is visited once, under the first of them, unless another one says more.
    pub(crate) once: bool,
    /// What is mounted at some evidence paths, as the mount table says.
    pub(crate) mounts: HashMap<String, Mount>,
}

/// The walk of one tree.
pub(crate) struct Walker<'a> {
    /// The real path of the root, to judge where links lead.
    root: PathBuf,
    /// The root is that of a system: absolute links mean it, not the root of this machine.
    is_system: bool,
    /// The root once more, to follow links of a system in it.
    root_folder: Option<OwnedFd>,
    mounts: HashMap<String, Mount>,
    options: &'a Options,
    shared: &'a Shared<'a>,
    /// What could not be listed.
    found: &'a mut Found,
    /// The evidence path of the directory that was entered last.
    path: String,
    open: Open,
    waiting: Vec<Waiting>,
    /// Where names are read into.
    buffer: Vec<MaybeUninit<u8>>,
    /// What was visited, where the same can be met twice.
    seen: Option<HashSet<Id>>,
    /// The names under which archives and programs of several names were visited, as hashes.
    seen_names: HashSet<(Id, u64)>,
    /// Unpacked images, which are read layer by layer and not file by file.
    layouts: Vec<(Arc<OwnedFd>, String)>,
    /// The evidence paths of their layers.
    layers: HashSet<String>,
}

/// Who takes the batches; false when nobody listens any more.
pub(crate) type Send<'a> = dyn FnMut(Batch) -> bool + 'a;

impl<'a> Walker<'a> {
    /// A walk below the real path of a root.
    pub(crate) fn new(
        root: PathBuf,
        rules: Rules,
        shared: &'a Shared<'a>,
        found: &'a mut Found,
    ) -> Self {
        let Rules { once, mounts } = rules;
        let options = shared.options;
        let seen = (once || options.follow).then(HashSet::new);
        let (path, open, waiting) = (String::new(), Open::default(), Vec::new());
        let layouts = Vec::new();
        let is_system = is_system(&root);
        let (root_folder, buffer) = (None, vec![MaybeUninit::uninit(); NAMES_BYTES]);
        Self {
            root,
            is_system,
            root_folder,
            mounts,
            options,
            shared,
            found,
            path,
            open,
            waiting,
            buffer,
            seen,
            seen_names: HashSet::new(),
            layouts,
            layers: HashSet::new(),
        }
    }

    /// The images that were met, with their evidence paths, sorted.
    pub(crate) fn layouts(self) -> Vec<(Arc<OwnedFd>, String)> {
        let mut layouts = self.layouts;
        layouts.sort_by(|a, b| a.1.cmp(&b.1));
        layouts
    }

    /// Lists everything below the root.
    pub(crate) fn walk(&mut self, root: OwnedFd, send: &mut Send<'_>) {
        let id = folder::id(&root).unwrap_or_default();
        let is_local = mount_of(&root) == Mount::Local;
        self.is_new(id);
        self.root_folder = root.try_clone().ok().filter(|_| self.is_system);
        let mut next = Some(Folder::root(root, id, is_local));
        while let Some(folder) = next {
            if !self.list(&folder, send) {
                return;
            }
            drop(folder);
            next = None;
            while let Some(waiting) = self.waiting.pop() {
                next = self.enter(waiting);
                if next.is_some() {
                    break;
                }
            }
        }
    }

    /// Opens a directory, unless it was visited or its file system is outside the scope.
    fn enter(&mut self, waiting: Waiting) -> Option<Rc<Folder>> {
        // The last directory is below the parent of this one, so its path starts the same.
        self.path.truncate(waiting.parent.path_len);
        self.path = in_folder(&self.path, &escape(waiting.name.to_bytes()));
        let opened = self.open.handle(&waiting.parent).and_then(|parent| {
            let handle = folder::open(&parent, &waiting.name, waiting.links)?;
            let id = folder::id(&handle)?;
            Ok((handle, id))
        });
        let (handle, id) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                self.found.flaw(code_of(&error.into()), &self.path, 0);
                return None;
            }
        };
        let mut is_local = waiting.parent.is_local;
        if id.0 != waiting.parent.device() {
            let mount = mount_of(&handle);
            is_local = mount == Mount::Local;
            match mount {
                Mount::Local => {}
                Mount::Pseudo => return None,
                Mount::Remote => {
                    self.found.flaw(FlawCode::FileSystemExcluded, &self.path, 0);
                    return None;
                }
            }
        }
        self.is_new(id).then(|| self.open.enter(waiting, handle, id, is_local))
    }

    fn list(&mut self, folder: &Rc<Folder>, send: &mut Send<'_>) -> bool {
        let handle = match self.open.handle(folder) {
            Ok(handle) => handle,
            Err(error) => {
                self.found.flaw(code_of(&error.into()), &self.path, 0);
                return true;
            }
        };
        let mut buffer = std::mem::take(&mut self.buffer);
        // The handle is at its start: each is listed once, and otherwise only looked up in.
        let goes_on = self.list_names(folder, &handle, &mut buffer, send);
        self.buffer = buffer;
        goes_on
    }

    fn list_names(
        &mut self,
        folder: &Rc<Folder>,
        handle: &Arc<OwnedFd>,
        buffer: &mut [MaybeUninit<u8>],
        send: &mut Send<'_>,
    ) -> bool {
        let mut entries = RawDir::new(&**handle, buffer);
        let path: Arc<str> = self.path.as_str().into();
        let mut batch = Batch {
            folder: Arc::clone(handle),
            path,
            is_local: folder.is_local,
            files: Vec::new(),
        };
        let first = self.waiting.len();
        loop {
            let (names, is_end) = self.read_names(&mut entries, &batch.folder);
            if is_layout(&names) {
                self.layout(&batch.folder);
            }
            for (name, kind) in names {
                self.entry(folder, &mut batch, name, kind);
                if batch.files.len() >= BATCH_FILES_MAX && !send(batch.rest()) {
                    return false;
                }
            }
            if is_end {
                break;
            }
        }
        // The last one waiting is entered first.
        self.waiting[first..].reverse();
        batch.files.is_empty() || send(batch)
    }

    /// An unpacked image: its layers are read one above the other, and what else is there is read
    /// like everything else, blobs that belong to no image among it.
    fn layout(&mut self, folder: &Arc<OwnedFd>) {
        let store = InFolder::new(Arc::clone(folder), None);
        let layers = image::layers_of(&store, Form::Oci).into_iter();
        let place = |part: String| in_folder(&self.path, &escape(part.as_bytes()));
        self.layers.extend(layers.map(place));
        self.layouts.push((Arc::clone(folder), self.path.clone()));
    }

    /// The next entries of a directory, and whether these were the last; all of them in order where
    /// what is met twice is visited once, because the first path is the one that is told.
    fn read_names(
        &mut self,
        entries: &mut RawDir<'_, &OwnedFd>,
        folder: &OwnedFd,
    ) -> (Vec<(CString, FileType)>, bool) {
        let held_max = if self.seen.is_some() { usize::MAX } else { ENTRIES_HELD_MAX };
        let mut names = Vec::new();
        let mut is_end = false;
        while names.len() < held_max {
            let entry = match entries.next() {
                Some(Ok(entry)) => entry,
                last => {
                    if let Some(Err(error)) = last {
                        self.found.flaw(code_of(&error.into()), &self.path, 0);
                    }
                    // What follows an error is not known.
                    is_end = true;
                    break;
                }
            };
            if !matches!(entry.file_name().to_bytes(), b"." | b"..") {
                names.push((entry.file_name().to_owned(), kind_of(folder, &entry)));
            }
        }
        if self.seen.is_some() {
            names.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        }
        (names, is_end)
    }

    fn entry(&mut self, folder: &Rc<Folder>, batch: &mut Batch, name: CString, kind: FileType) {
        // A byte of a name takes up to three in a path.
        let len_max = batch.path.len() + 1 + name.to_bytes().len() * 3;
        let is_plain = kind == FileType::RegularFile
            && len_max <= self.options.path_bytes_max
            && self.options.exclude.is_empty()
            && self.mounts.is_empty()
            && self.layers.is_empty()
            && self.seen.is_none();
        if is_plain {
            return batch.files.push((name, Links::Refuse));
        }
        let path = in_folder(&batch.path, &escape(name.to_bytes()));
        if path.len() > self.options.path_bytes_max {
            self.found.flaw(FlawCode::LimitDepth, &batch.path, 0);
            return;
        }
        if self.options.exclude.iter().any(|glob| glob.fits(&path)) {
            self.found.flaw(FlawCode::ExcludedByOption, &path, 0);
            return;
        }
        if kind == FileType::RegularFile && self.layers.contains(&path) {
            return;
        }
        match self.mounts.get(&path) {
            None | Some(Mount::Local) => {}
            Some(Mount::Pseudo) => return,
            // Not even opened: that could mount it, or wait for a machine that does not answer.
            Some(Mount::Remote) => {
                return self.found.flaw(FlawCode::FileSystemExcluded, &path, 0);
            }
        }
        let (kind, links) = match kind {
            FileType::Symlink => (self.link(&batch.folder, &name, &path), Links::Follow),
            kind => (kind, Links::Refuse),
        };
        match kind {
            FileType::Directory => {
                let (parent, path_len) = (Rc::clone(folder), path.len());
                self.waiting.push(Waiting { parent, name, links, path_len });
            }
            FileType::RegularFile | FileType::Unknown
                if self.is_first_name(&batch.folder, &name, links, &path) =>
            {
                batch.files.push((name, links));
            }
            _ => {}
        }
    }

    /// A link to a file or folder outside the root hides what it points at from the inventory;
    /// says what to visit, and a socket (nothing) for everything else.
    fn link(&mut self, folder: &OwnedFd, name: &CStr, path: &str) -> FileType {
        let nothing = FileType::Socket;
        if java::may_lead_to_classes(name.to_bytes()) {
            self.found.link(path.to_owned());
        }
        if self.is_telling(folder, name, path) {
            return FileType::RegularFile;
        }
        // What it leads to below the root of a system is visited by itself, or is not there.
        let is_inside = || stays_inside(folder, name) == Ok(true) || self.in_root(path).is_ok();
        if self.is_system && !self.options.follow && is_inside() {
            if self.is_telling_in_root(folder, name, path) {
                self.found.flaw(FlawCode::LinkOutside, path, 0);
            }
            return nothing;
        }
        let kind = match leads_to(folder, name) {
            Ok((kind, real)) if !real.starts_with(&self.root) => kind,
            Ok(_) => return nothing,
            // Dangling and circular links lead nowhere; any other error leaves the target unknown.
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return nothing,
            Err(_) => FileType::Unknown,
        };
        match kind {
            FileType::Directory | FileType::RegularFile if self.options.follow => kind,
            FileType::Directory | FileType::RegularFile | FileType::Unknown => {
                self.found.flaw(FlawCode::LinkOutside, path, 0);
                nothing
            }
            _ => nothing,
        }
    }

    /// Whether a link means a file in the root, by a name that says what that of the file does not:
    /// where files are called by their digests (git-annex, stores of build tools), it is all.
    fn is_telling(&self, folder: &OwnedFd, name: &CStr, path: &str) -> bool {
        if !self.shared.says(path) {
            return false;
        }
        let Ok((FileType::RegularFile, real)) = leads_to(folder, name) else { return false };
        let Ok(inside) = real.strip_prefix(&self.root) else { return false };
        !self.shared.says(&place_of(inside.as_os_str().as_bytes()))
    }

    /// The same of a link that leads into the root only for who has it as theirs: this machine does
    /// not find the file by it.
    fn is_telling_in_root(&self, folder: &OwnedFd, name: &CStr, path: &str) -> bool {
        let first = || {
            let (root, target) =
                (self.root_folder.as_ref()?, readlinkat(folder, name, Vec::new()).ok()?);
            let target = target.as_bytes().strip_prefix(b"/")?;
            openat(root, target, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).ok()
        };
        let says = |path: &str| self.shared.says(path);
        let target = || match self.in_root(path) {
            Err(Errno::NOSYS) => first(),
            target => target.ok(),
        };
        says(path)
            && target().and_then(|it| place_in(&it).ok()).is_some_and(|(kind, real)| {
                let inside = real.strip_prefix(&self.root);
                let place = inside.map(|inside| place_of(inside.as_os_str().as_bytes()));
                kind == FileType::RegularFile && place.is_ok_and(|place| !says(&place))
            })
    }

    /// What a link of a system leads to in it, over any number of other links: those of
    /// `/etc/ssl/certs` are relative, and lead to an absolute one. A kernel before 5.6 does not
    /// say; then the first link decides.
    fn in_root(&self, path: &str) -> Result<OwnedFd, Errno> {
        let root = self.root_folder.as_ref().ok_or(Errno::NOENT)?;
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        openat2(root, unescape(path), flags, Mode::empty(), ResolveFlags::IN_ROOT)
    }

    /// Whether a file is met for the first time, or under a name that says something of it which
    /// the names before did not: in the store of a package manager files are called by their
    /// digests. Only those of several names can be met again.
    fn is_first_name(&mut self, folder: &OwnedFd, name: &CStr, links: Links, path: &str) -> bool {
        if self.seen.is_none() {
            return true;
        }
        let flags = match links {
            Links::Refuse => AtFlags::SYMLINK_NOFOLLOW,
            Links::Follow => AtFlags::empty(),
        };
        match statat(folder, name, flags) {
            Ok(stat) if stat.st_nlink > 1 || links == Links::Follow => {
                let id = (stat.st_dev, stat.st_ino);
                let is_new = self.is_new(id);
                match self.shared.name_says(path) {
                    NameSays::Nothing => is_new,
                    NameSays::Name => self.is_new_name(id, path) || is_new,
                    NameSays::Path => true,
                }
            }
            _ => true,
        }
    }

    fn is_new_name(&mut self, id: Id, path: &str) -> bool {
        let mut hasher = DefaultHasher::new();
        (file_name(path), self.shared.index.folders_that_count(path)).hash(&mut hasher);
        self.seen_names.insert((id, hasher.finish()))
    }

    fn is_new(&mut self, id: Id) -> bool {
        self.seen.as_mut().is_none_or(|seen| seen.insert(id))
    }
}

/// Whether a folder is the root of a system: an unpacked image, a chroot.
fn is_system(root: &Path) -> bool {
    let marks = ["etc/os-release", "usr/lib/os-release", "var/lib/dpkg"];
    marks.iter().any(|mark| root.join(mark).symlink_metadata().is_ok())
}

/// Whether a link names a place from the root on, as chroot would resolve it.
fn stays_inside(folder: &OwnedFd, name: &CStr) -> Result<bool, Errno> {
    let target = readlinkat(folder, name, Vec::new())?;
    Ok(target.as_bytes().starts_with(b"/"))
}

/// Whether these are the names of an unpacked image (OCI image-layout specification).
fn is_layout(names: &[(CString, FileType)]) -> bool {
    let has = |name: &CStr, kind| names.iter().any(|it| it.0.as_c_str() == name && it.1 == kind);
    has(c"oci-layout", FileType::RegularFile)
        && has(c"index.json", FileType::RegularFile)
        && has(c"blobs", FileType::Directory)
}

impl Batch {
    /// What it holds, while the listing of its directory goes on.
    fn rest(&mut self) -> Self {
        Self {
            folder: Arc::clone(&self.folder),
            path: Arc::clone(&self.path),
            is_local: self.is_local,
            files: std::mem::take(&mut self.files),
        }
    }
}

/// What a link leads to, and where that really is. Nothing is opened: a FIFO or a device behind a
/// link stays untouched.
fn leads_to(folder: &OwnedFd, name: &CStr) -> Result<(FileType, PathBuf), Errno> {
    place_in(&openat(folder, name, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?)
}

/// What something is, and where.
fn place_in(target: &OwnedFd) -> Result<(FileType, PathBuf), Errno> {
    let kind = FileType::from_raw_mode(fstat(target)?.st_mode);
    let real = readlinkat(CWD, format!("/proc/self/fd/{}", target.as_raw_fd()), Vec::new());
    // Without /proc nothing tells where it is; that is not "nowhere".
    let real = real.map_err(|_| Errno::ACCESS)?;
    Ok((kind, PathBuf::from(OsStr::from_bytes(real.as_bytes()))))
}

fn mount_of(folder: &OwnedFd) -> Mount {
    mount::by_magic(fstatfs(folder).map(|stat| stat.f_type).unwrap_or_default())
}

/// Some file systems do not say the type while listing.
fn kind_of(folder: &OwnedFd, entry: &RawDirEntry<'_>) -> FileType {
    match entry.file_type() {
        FileType::Unknown => {
            let stat = statat(folder, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW);
            stat.map_or(FileType::Unknown, |stat| FileType::from_raw_mode(stat.st_mode))
        }
        known => known,
    }
}

#[cfg(test)]
mod tests;
