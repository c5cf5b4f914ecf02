//! `cargo xtask package deb`: the Debian package, tried (by root) before it is named.
mod deb;
mod trial;

use std::fs;
use std::path::{Path, PathBuf};

use crate::bench;
use crate::e2e::Place;
use crate::{process, tree};

/// What makes the package and installs it, of the packages `dpkg`, `gzip`, `systemd` of Debian.
const PROGRAMS: [&str; 5] = ["dpkg", "dpkg-deb", "gzip", "systemd-sysusers", "systemd-tmpfiles"];

/// Builds the program as it is packaged, unless `--program` names one, and the package in
/// `target/package` or the folder that is named.
///
/// # Errors
/// With what is missing, could not be built, or did not stand the trial.
pub(crate) fn run(words: &[&str]) -> Result<(), String> {
    let root = tree::root();
    let (mut program, mut folder) = (None, None);
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match *word {
            "--program" => {
                let file = words.next().ok_or("package: --program needs a file")?;
                program = Some(PathBuf::from(file));
            }
            other if !other.starts_with('-') && folder.is_none() => {
                folder = Some(PathBuf::from(other));
            }
            other => return Err(format!("package: no such option: {other}")),
        }
    }
    if let Some(missing) = missing() {
        return Err(format!("{missing} cannot be found: packages are made on Debian"));
    }
    let program = program.map_or_else(|| bench::program(&root, "dist"), Ok)?;
    let folder = folder.unwrap_or_else(|| bench::target(&root).join("package"));
    fs::create_dir_all(&folder).map_err(|error| format!("create {}: {error}", folder.display()))?;
    let place = Place::new()?;
    let package = tried(&root, &program, &place.path, deb::Effort::Small)?;
    let name = package.file_name().unwrap_or_default();
    let to = folder.join(name);
    fs::copy(&package, &to).map_err(|error| format!("write {}: {error}", to.display()))?;
    println!("{}", to.display());
    Ok(())
}

/// The first program that is missing.
pub(crate) fn missing() -> Option<&'static str> {
    PROGRAMS.into_iter().find(|name| !process::is_there(name))
}

/// As the test command does it: a package of the program that the tests use, installed and removed.
///
/// # Errors
/// As [`run`].
pub(crate) fn check(root: &Path, program: &Path) -> Result<(), String> {
    let place = Place::new()?;
    tried(root, program, &place.path, deb::Effort::Quick).map(drop)
}

/// Builds the package twice, which must give the same bytes, and puts it through its trial.
fn tried(
    root: &Path,
    program: &Path,
    place: &Path,
    effort: deb::Effort,
) -> Result<PathBuf, String> {
    let read = |path: &Path| fs::read(path).map_err(|e| format!("read {}: {e}", path.display()));
    let quick = |name| deb::build(root, program, &place.join(name), deb::Effort::Quick);
    let (once, again) = (quick("once")?, quick("twice")?);
    if read(&once)? != read(&again)? {
        return Err("package: two builds of the same program differ".to_owned());
    }
    let package = match effort {
        deb::Effort::Quick => once,
        deb::Effort::Small => deb::build(root, program, &place.join("small"), effort)?,
    };
    trial::install(root, &package, &place.join("installed"))?;
    Ok(package)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_that_are_none_are_refused() {
        assert_eq!(run(&["--fast"]).unwrap_err(), "package: no such option: --fast");
        assert_eq!(run(&["a", "b"]).unwrap_err(), "package: no such option: b");
        assert_eq!(run(&["--program"]).unwrap_err(), "package: --program needs a file");
    }
}
