//! What `relight doctor --fix` mends by itself: files of relight's own that others may read, and
//! what runs that died left behind. Nothing of an edge, of the register's content or of the policy:
//! for these it names the command. Locks are never left behind, the system lifts them.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use relight_engine::fetch::{clear_leftovers, leftovers};
use relight_engine::store::DATABASE_FILE;
use relight_server::web::texts;

use crate::cmd::login;
use crate::cmd::public::CERTIFICATE_KEY;
use crate::context::Context;

/// The mode of a file of relight's own.
const OWN_FILE: u32 = 0o600;

/// The mode of a folder of relight's own.
const OWN_FOLDER: u32 = 0o700;

/// Something that can be mended without a person.
#[derive(Debug)]
pub(super) struct Mend {
    path: PathBuf,
    act: Act,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    /// Others may read or change it, and it holds a secret.
    Close(u32),
    /// A run that died left it.
    Remove,
    /// The same, of what was fetched.
    RemoveFetched,
}

/// Everything that can be mended now.
pub(super) fn found(context: &Context) -> Vec<Mend> {
    let mut all = Vec::new();
    // Where nobody else comes into the folder, the modes of what is in it say nothing.
    if mode_of(&context.data).is_some_and(|mode| mode & 0o011 != 0) {
        for end in ["", "-wal", "-shm"] {
            let file = context.data.join(format!("{DATABASE_FILE}{end}"));
            all.extend(open_file(file, 0o027));
        }
    }
    // A key is refused when others may read it, wherever it lies.
    all.extend(open_file(context.data.join(CERTIFICATE_KEY), 0o027));
    if let Some(folder) = login::folder() {
        let is_open = mode_of(&folder).is_some_and(|mode| mode & 0o077 != 0);
        if is_open && is_own(&folder) {
            all.push(Mend { path: folder.clone(), act: Act::Close(OWN_FOLDER) });
        }
        let files = fs::read_dir(&folder).into_iter().flatten().filter_map(Result::ok);
        let mut files: Vec<PathBuf> = files.map(|file| file.path()).collect();
        files.sort();
        for file in files {
            match login::is_leftover(&file) && is_own(&file) {
                true => all.push(Mend { path: file, act: Act::Remove }),
                false => all.extend(open_file(file, 0o077)),
            }
        }
    }
    let fetched = leftovers(&context.data);
    all.extend(fetched.map(|path| Mend { path, act: Act::RemoveFetched }));
    all
}

/// A file of one's own that is open by these bits.
fn open_file(path: PathBuf, bits: u32) -> Option<Mend> {
    let metadata = fs::symlink_metadata(&path).ok()?;
    let is_open = metadata.is_file() && metadata.permissions().mode() & bits != 0;
    (is_open && is_own(&path)).then_some(Mend { path, act: Act::Close(OWN_FILE) })
}

fn mode_of(path: &Path) -> Option<u32> {
    let metadata = fs::symlink_metadata(path).ok()?;
    metadata.is_dir().then(|| metadata.permissions().mode())
}

/// Whether whoever runs this owns it: what belongs to somebody else is none of its business.
fn is_own(path: &Path) -> bool {
    let own = rustix::process::geteuid().as_raw();
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.uid() == own)
}

impl Mend {
    /// It keeps something from working, or a secret is open.
    pub(super) const fn is_grave(&self) -> bool {
        matches!(self.act, Act::Close(_))
    }

    /// What is wrong.
    pub(super) fn fault(&self, context: &Context) -> String {
        let path = self.path.display().to_string();
        match self.act {
            Act::Close(_) => texts::doctor_file_open(context.lang, &path),
            Act::Remove | Act::RemoveFetched => texts::doctor_file_left(context.lang, &path),
        }
    }

    /// What is done about it.
    pub(super) fn deed(&self, context: &Context) -> String {
        let path = self.path.display().to_string();
        match self.act {
            Act::Close(mode) => texts::doctor_mends_mode(context.lang, &format!("{mode:o}"), &path),
            Act::Remove | Act::RemoveFetched => texts::doctor_mends_left(context.lang, &path),
        }
    }

    /// Does it.
    ///
    /// # Errors
    /// Those of the system; it is as it was.
    pub(super) fn mend(&self, context: &Context) -> io::Result<()> {
        match self.act {
            Act::Close(mode) => {
                opened(&self.path)?.set_permissions(fs::Permissions::from_mode(mode))
            }
            Act::Remove => fs::remove_file(&self.path),
            Act::RemoveFetched => clear_leftovers(&context.data),
        }
    }
}

/// The file itself, never what a link that was put there meanwhile leads to.
fn opened(path: &Path) -> io::Result<File> {
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::CLOEXEC;
    let flags = i32::try_from(flags.bits()).map_err(io::Error::other)?;
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}
