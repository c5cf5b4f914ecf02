//! The directories of a walk, of which only the most recent are held open.
//!
//! A directory is found again through its parents, name by name, so that neither the length of a
//! path nor the number of levels is bounded by the system.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;
use std::sync::Arc;

use rustix::fs::{Mode, OFlags, fstat, openat};
use rustix::io::Errno;

/// Directories of a walk that are held open at one time.
const FOLDERS_OPEN_MAX: usize = 128;

/// How directories are opened; no terminal becomes ours.
const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// Device and inode: what a file or directory is, whatever it is called.
pub(crate) type Id = (u64, u64);

/// Whether a link as the last step is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Links {
    /// It is an error.
    Refuse,
    /// A person named it, or asked for it.
    Follow,
}

/// Opens a directory by its name in another.
///
/// # Errors
/// Those of the system; [`Errno::NOTDIR`] and [`Errno::LOOP`] when it is something else.
pub(crate) fn open(parent: impl AsFd, name: &CStr, links: Links) -> Result<OwnedFd, Errno> {
    let flags = match links {
        Links::Refuse => FOLDER.union(OFlags::NOFOLLOW),
        Links::Follow => FOLDER,
    };
    openat(parent, name, flags, Mode::empty())
}

/// Device and inode of something open.
///
/// # Errors
/// Those of the system.
pub(crate) fn id(handle: impl AsFd) -> Result<Id, Errno> {
    fstat(handle).map(|stat| (stat.st_dev, stat.st_ino))
}

/// A directory of the walk.
#[derive(Debug)]
pub(crate) struct Folder {
    parent: Option<Rc<Folder>>,
    name: CString,
    links: Links,
    id: Id,
    /// Length of its evidence path in bytes.
    pub(crate) path_len: usize,
    /// Its file system keeps files of this machine, so their stamps can be believed.
    pub(crate) is_local: bool,
    handle: RefCell<Option<Arc<OwnedFd>>>,
}

impl Folder {
    /// The root of a walk, which stays open.
    pub(crate) fn root(handle: OwnedFd, id: Id, is_local: bool) -> Rc<Self> {
        Rc::new(Self {
            parent: None,
            name: CString::default(),
            links: Links::Refuse,
            id,
            path_len: 0,
            is_local,
            handle: RefCell::new(Some(Arc::new(handle))),
        })
    }

    /// The device of its file system.
    pub(crate) const fn device(&self) -> u64 {
        self.id.0
    }
}

impl Drop for Folder {
    /// Without this, the end of a chain of a million parents would overflow the stack.
    fn drop(&mut self) {
        let mut next = self.parent.take();
        while let Some(parent) = next.and_then(Rc::into_inner) {
            let mut parent = parent;
            next = parent.parent.take();
        }
    }
}

/// A directory that waits to be entered.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) parent: Rc<Folder>,
    pub(crate) name: CString,
    pub(crate) links: Links,
    /// Length of its evidence path in bytes.
    pub(crate) path_len: usize,
}

/// The directories that are open.
#[derive(Debug, Default)]
pub(crate) struct Open {
    recent: VecDeque<Rc<Folder>>,
}

impl Open {
    /// Makes a directory that was just opened one of the walk.
    pub(crate) fn enter(
        &mut self,
        waiting: Waiting,
        handle: OwnedFd,
        id: Id,
        is_local: bool,
    ) -> Rc<Folder> {
        let Waiting { parent, name, links, path_len } = waiting;
        let (parent, closed) = (Some(parent), RefCell::new(None));
        let folder = Folder { parent, name, links, id, path_len, is_local, handle: closed };
        let folder = Rc::new(folder);
        self.keep(&folder, Arc::new(handle));
        folder
    }

    /// The handle of a directory, opened again if it was closed meanwhile.
    ///
    /// # Errors
    /// Those of the system; [`Errno::NOENT`] when another directory has taken its place.
    pub(crate) fn handle(&mut self, folder: &Rc<Folder>) -> Result<Arc<OwnedFd>, Errno> {
        let mut closed = Vec::new();
        let mut at = Rc::clone(folder);
        let mut handle = loop {
            if let Some(handle) = at.handle.borrow().as_ref() {
                break Arc::clone(handle);
            }
            let parent = at.parent.clone().ok_or(Errno::NOENT)?;
            closed.push(std::mem::replace(&mut at, parent));
        };
        for folder in closed.into_iter().rev() {
            let opened = open(&handle, &folder.name, folder.links)?;
            if id(&opened)? != folder.id {
                return Err(Errno::NOENT);
            }
            handle = Arc::new(opened);
            self.keep(&folder, Arc::clone(&handle));
        }
        Ok(handle)
    }

    fn keep(&mut self, folder: &Rc<Folder>, handle: Arc<OwnedFd>) {
        folder.handle.replace(Some(handle));
        self.recent.push_back(Rc::clone(folder));
        if self.recent.len() > FOLDERS_OPEN_MAX
            && let Some(oldest) = self.recent.pop_front()
        {
            oldest.handle.replace(None);
        }
    }
}
