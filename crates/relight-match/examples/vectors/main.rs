//! Published test vectors against this crate: `cargo xtask vectors [DIR]`. They are not part of the
//! repository; a folder that is not there is told as "not run".
#![expect(clippy::print_stdout, reason = "a program for developers")]

mod npm;
mod purls;
mod scores;
mod truth;
mod versions;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What one file of vectors gave.
struct Count {
    name: String,
    cases: usize,
    /// The first differences, for people.
    shown: Vec<String>,
    different: usize,
}

/// Differences that are shown of each file.
const SHOWN_MAX: usize = 10;

impl Count {
    fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), cases: 0, shown: Vec::new(), different: 0 }
    }

    /// Counts a case; `difference` tells about one that failed.
    fn add(&mut self, difference: Option<String>) {
        self.cases += 1;
        if let Some(text) = difference {
            self.different += 1;
            if self.shown.len() < SHOWN_MAX {
                self.shown.push(text);
            }
        }
    }
}

fn main() -> ExitCode {
    let folder = std::env::args().nth(1).map_or_else(|| PathBuf::from("."), PathBuf::from);
    let counts = [
        versions::run(&folder),
        npm::run(&folder),
        scores::run(&folder),
        purls::run(&folder),
        truth::run(&folder),
    ];
    let (mut cases, mut different) = (0, 0);
    for count in counts.iter().flatten() {
        println!("{:45} {:6} cases, {} different", count.name, count.cases, count.different);
        count.shown.iter().for_each(|line| println!("    {line}"));
        cases += count.cases;
        different += count.different;
    }
    if cases == 0 {
        println!("not run: there are no vectors in {}", folder.display());
        return ExitCode::SUCCESS;
    }
    println!("{:45} {cases:6} cases, {different} different", "all");
    if different == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The files of a folder, sorted; none where there is no such folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    files.retain(|path| path.is_file());
    files
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
