//! A small disk of its own, for tests of a full one.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A file system of 24 MiB and some thousand files in memory over a folder, until it is dropped.
#[derive(Debug)]
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// None where this process may not mount.
    pub fn over(folder: &Path) -> Option<Self> {
        let options = ["-t", "tmpfs", "-o", "size=24m,nr_inodes=4096", "tmpfs"];
        let mounted = program("mount").args(options).arg(folder).output();
        mounted.is_ok_and(|it| it.status.success()).then(|| Self(folder.to_owned()))
    }

    /// Writes this file of it until nothing is left, to the last byte.
    ///
    /// # Panics
    /// The file cannot be made.
    pub fn fill(&self, name: &str) -> PathBuf {
        let path = self.0.join(name);
        let mut file = File::create(&path).expect("a file on the small disk");
        for size in [64 << 10, 4 << 10, 1] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
        path
    }

    /// Fills it in a folder of this name, and makes files there until there can be no other.
    ///
    /// # Panics
    /// The folder cannot be made.
    pub fn crowd(&self, name: &str) -> PathBuf {
        let folder = self.0.join(name);
        fs::create_dir(&folder).expect("a folder on the small disk");
        self.fill(&format!("{name}/bytes"));
        let mut number = 0;
        while File::create(folder.join(format!("{number}"))).is_ok() {
            number += 1;
        }
        folder
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = program("umount").arg("-l").arg(&self.0).output();
    }
}

fn program(name: &str) -> Command {
    #[expect(clippy::disallowed_methods, reason = "a test that fills a disk has to make one")]
    Command::new(name)
}
