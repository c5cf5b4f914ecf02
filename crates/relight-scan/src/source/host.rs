//! The running host: its file systems by the mount table, and what its processes use.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::mounts::{self, TABLE_BYTES_MAX};
use super::process::InUse;
use crate::folder::Id;
use crate::mount::Mount;
use crate::steady::Stamp;
use crate::unpack::Found;

/// What is known about a host before its files are read.
#[derive(Debug, Default)]
pub(crate) struct Host {
    pub(crate) in_use: InUse,
    /// Mount points that are not simply local, by their evidence path.
    pub(crate) mounts: HashMap<String, Mount>,
}

impl Host {
    /// Looks at the host whose file system is at `root` and whose processes are at `proc`.
    pub(crate) fn read(root: &Path, proc: &Path) -> Self {
        let mut table = String::new();
        let read = File::open(proc.join("self/mountinfo"))
            .and_then(|file| file.take(TABLE_BYTES_MAX).read_to_string(&mut table));
        let mut in_use = InUse::read(proc, root);
        in_use.is_partial |= read.is_err();
        Self { in_use, mounts: mounts::read_table(&table) }
    }

    /// Says who uses a file, at each component of it.
    pub(crate) fn mark(&self, stamp: Stamp, found: &mut Found) {
        let file: Id = (stamp.device, stamp.inode);
        let Some(users) = self.in_use.by_file.get(&file) else { return };
        mark(users, found);
    }
}

/// Says who uses what was found.
fn mark(users: &BTreeSet<String>, found: &mut Found) {
    for component in &mut found.components {
        component.in_use = users.iter().cloned().collect();
    }
}
