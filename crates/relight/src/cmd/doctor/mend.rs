//! What `relight doctor --fix` mends by itself: files of relight's own that others may read, and
//! what runs that died left behind. Nothing of an edge, of the register's content or of the policy:
//! for these it names the command. Locks are never left behind, the system lifts them.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use relight_engine::fetch::{clear_leftovers, leftovers};
use relight_engine::store::DATABASE_FILE;
use relight_server::agents::AGENT_KEY_FILE;
use relight_server::web::texts;

use super::quoted;
use crate::cmd::login;
use crate::cmd::public::CERTIFICATE_KEY;
use crate::context::Context;

/// Bits by which somebody else reads or changes a file: everybody, and the group's right to write.
/// A group may read, as everywhere in this program.
const OPEN: u32 = 0o027;

/// The same, of what is one person's alone.
const OPEN_TO_ANYBODY: u32 = 0o077;

/// Bits by which somebody else puts another file in the place of one.
const WRITABLE: u32 = 0o022;

/// Something that can be mended without a person.
#[derive(Debug)]
pub(super) struct Mend {
    path: PathBuf,
    act: Act,
    /// Whoever runs this owns it, and it lies there itself: what belongs to somebody else is told
    /// and left to its owner, what a link leads to as well.
    is_own: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    /// Others may read or change it, by these bits; without them it has this mode.
    Close { bits: u32, mode: u32 },
    /// A run that died left it.
    Remove,
    /// The same, of what was fetched.
    RemoveFetched,
}

/// Everything that can be mended now, and what only its owner can.
pub(super) fn found(context: &Context) -> Vec<Mend> {
    let mut all = Vec::new();
    // Where nobody else comes into the folder, the modes of what is in it say nothing.
    if fs::metadata(&context.data).is_ok_and(|it| it.is_dir() && it.mode() & 0o011 != 0) {
        all.extend(open(context.data.clone(), WRITABLE));
        for end in ["", "-wal", "-shm"] {
            all.extend(open(context.data.join(format!("{DATABASE_FILE}{end}")), OPEN));
        }
    }
    // A secret is refused when others may read it, wherever it lies.
    for secret in [CERTIFICATE_KEY, AGENT_KEY_FILE] {
        all.extend(open(context.secret(secret), OPEN));
    }
    all.extend(login::folder().into_iter().flat_map(tokens));
    let fetched = leftovers(&context.data).filter(|path| is_own(path));
    all.extend(fetched.map(|path| Mend { path, act: Act::RemoveFetched, is_own: true }));
    all
}

/// The same in the folder of tokens; one that is a link is somebody's own arrangement.
fn tokens(folder: PathBuf) -> Vec<Mend> {
    if !fs::symlink_metadata(&folder).is_ok_and(|it| it.is_dir()) {
        return Vec::new();
    }
    let files = fs::read_dir(&folder).into_iter().flatten().filter_map(Result::ok);
    let mut files: Vec<PathBuf> = files.map(|file| file.path()).collect();
    files.sort();
    let mut all = Vec::from_iter(open(folder, OPEN_TO_ANYBODY));
    for path in files {
        match login::is_leftover(&path) && is_own(&path) {
            true => all.push(Mend { path, act: Act::Remove, is_own: true }),
            false if path.is_symlink() => {}
            false => all.extend(open(path, OPEN_TO_ANYBODY)),
        }
    }
    all
}

/// A file or folder that is open by these bits.
fn open(path: PathBuf, bits: u32) -> Option<Mend> {
    let metadata = fs::metadata(&path).ok()?;
    let own = rustix::process::geteuid().as_raw();
    judged(path, &metadata, (bits, own))
}

fn judged(path: PathBuf, metadata: &Metadata, (bits, own): (u32, u32)) -> Option<Mend> {
    let mode = metadata.mode() & 0o7777;
    let is_open = (metadata.is_file() || metadata.is_dir()) && mode & bits != 0;
    let is_own = metadata.uid() == own && !path.is_symlink();
    is_open.then_some(Mend { path, act: Act::Close { bits, mode: mode & !bits }, is_own })
}

/// Whether whoever runs this owns it.
fn is_own(path: &Path) -> bool {
    let own = rustix::process::geteuid().as_raw();
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.uid() == own)
}

impl Mend {
    /// It keeps something from working, or a secret is open.
    pub(super) const fn is_grave(&self) -> bool {
        matches!(self.act, Act::Close { .. })
    }

    /// Whether it is mended without anybody else.
    pub(super) const fn is_own(&self) -> bool {
        self.is_own
    }

    /// The command that mends it.
    pub(super) fn next(&self) -> String {
        match self.act {
            Act::Close { mode, .. } if !self.is_own => {
                format!("chmod {mode:o} {}", quoted(&self.path))
            }
            _ => "relight doctor --fix".to_owned(),
        }
    }

    /// What is done, for programs.
    pub(super) const fn act(&self) -> &'static str {
        match self.act {
            Act::Close { .. } => "close",
            Act::Remove | Act::RemoveFetched => "remove",
        }
    }

    pub(super) fn path(&self) -> String {
        self.path.display().to_string()
    }

    /// What is wrong.
    pub(super) fn fault(&self, context: &Context) -> String {
        let path = self.path.display().to_string();
        match self.act {
            Act::Close { .. } => texts::doctor_file_open(context.lang, &path),
            Act::Remove | Act::RemoveFetched => texts::doctor_file_left(context.lang, &path),
        }
    }

    /// What is done about it.
    pub(super) fn deed(&self, context: &Context) -> String {
        let path = self.path.display().to_string();
        match self.act {
            Act::Close { mode, .. } => {
                texts::doctor_mends_mode(context.lang, &format!("{mode:o}"), &path)
            }
            Act::Remove | Act::RemoveFetched => texts::doctor_mends_left(context.lang, &path),
        }
    }

    /// Does it.
    ///
    /// # Errors
    /// Those of the system; it is as it was.
    pub(super) fn mend(&self, context: &Context) -> io::Result<()> {
        match self.act {
            Act::Close { bits, .. } => {
                let file = opened(&self.path)?;
                let mode = file.metadata()?.mode() & 0o7777 & !bits;
                file.set_permissions(fs::Permissions::from_mode(mode))
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever looks after a server is not who it runs as.
    #[test]
    fn a_file_of_somebody_else_is_told_and_left_to_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("it's a key");
        fs::write(&file, "key").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o664)).unwrap();
        let metadata = fs::metadata(&file).unwrap();
        let own = metadata.uid();
        let judge = |own| judged(file.clone(), &metadata, (OPEN, own)).unwrap();
        assert!(judge(own).is_own() && judge(own).next() == "relight doctor --fix");
        let foreign = judge(own + 1);
        assert!(!foreign.is_own() && foreign.is_grave());
        let place = folder.path().display();
        assert_eq!(foreign.next(), format!("chmod 640 '{place}/it'\\''s a key'"));
    }
}
