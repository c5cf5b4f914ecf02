//! `cargo xtask vectors`: published test vectors against the matcher. They are no part of the
//! repository, because some of their licences forbid it.

use std::env;
use std::ffi::OsStr;
use std::path::Path;

use crate::{process, tree};

/// Where the vectors are when nothing else is said: beside the repository.
const FOLDER: &str = "../shared/data/vectors";

/// Where published payloads, logs and flows are: beside the repository.
const REAL_INPUTS: &str = "../shared/data";

/// What a folder means that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Absent {
    /// It is not run: whoever develops has it or not.
    NotRun,
    /// An error: a release is not let through by what nobody ran.
    Fails,
}

impl Absent {
    fn of(is_all: bool, ci: Option<&OsStr>) -> Self {
        let is_ci = ci.is_some_and(|value| !value.is_empty() && value != "false");
        if is_all || is_ci { Self::Fails } else { Self::NotRun }
    }
}

/// Counts what differs in each file of the vectors and of the documents of advisories beside them,
/// which are read whole, and of published payloads, logs and flows against the watch. With `--all`,
/// and where `CI` is set, a folder that is not there is an error; else it is not run.
///
/// # Errors
/// When a line, a score or a name is judged otherwise than its file says, or a record is not read.
pub(crate) fn run(words: &[&str]) -> Result<(), String> {
    let is_all = words.contains(&"--all");
    let words: Vec<&str> = words.iter().copied().filter(|word| *word != "--all").collect();
    let absent = Absent::of(is_all, env::var_os("CI").as_deref());
    match words[..] {
        [] => matched(&tree::root().join(FOLDER), absent).and(watch(absent)),
        ["watch"] => watch(absent),
        [folder] if !folder.starts_with('-') => matched(Path::new(folder), absent),
        _ => Err("cargo xtask vectors [watch|DIR] [--all]".to_owned()),
    }
}

fn matched(folder: &Path, absent: Absent) -> Result<(), String> {
    let failure = "some vectors are judged otherwise";
    let vectors = examine((folder, absent), "relight-match", "vectors", failure);
    let beside = folder.parent().unwrap_or(folder);
    // Both are tried, whichever differs.
    let failure = "some records are not read";
    vectors.and(examine((beside, absent), "relight-formats", "samples", failure))
}

/// Payloads, logs and flows that others published, against the watch.
fn watch(absent: Absent) -> Result<(), String> {
    let folder = tree::root().join(REAL_INPUTS);
    let failure = "some inputs are judged otherwise";
    examine((&folder, absent), "relight-watch", "real_inputs", failure)
}

/// Shows a folder to an example of a package.
fn examine(
    (folder, absent): (&Path, Absent),
    package: &str,
    example: &str,
    failure: &str,
) -> Result<(), String> {
    if !folder.is_dir() {
        let told = format!("not run: {} is not there", folder.display());
        if absent == Absent::Fails {
            return Err(told);
        }
        println!("{told}");
        return Ok(());
    }
    let folder = folder.canonicalize().map_err(|error| format!("{}: {error}", folder.display()))?;
    let folder = folder.to_string_lossy();
    let mut arguments = vec!["run", "--quiet", "--package", package];
    arguments.extend(["--example", example, "--", &folder]);
    let run = process::show(&tree::root(), "cargo", &arguments, &[])?;
    if run.success { Ok(()) } else { Err(failure.to_owned()) }
}

/// Random comparisons in every scheme, optimised: 10 million unless `COMPARISONS` says otherwise.
///
/// # Errors
/// When one panics, or a law of the order is broken.
pub(crate) fn fuzz(words: &[&str]) -> Result<(), String> {
    let mut arguments = vec!["run", "--quiet", "--profile", "profiling", "--package"];
    arguments.extend(["relight-match", "--example", "fuzz", "--"]);
    arguments.extend(words);
    let run = process::show(&tree::root(), "cargo", &arguments, &[])?;
    if run.success { Ok(()) } else { Err("a comparison broke a law of its order".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_fails_where_all_is_asked_for() {
        let nowhere = Path::new("/nowhere/at/all");
        for (is_all, ci, fails) in [
            (false, None, false),
            (false, Some(""), false),
            (false, Some("false"), false),
            (false, Some("true"), true),
            (true, None, true),
        ] {
            let absent = Absent::of(is_all, ci.map(OsStr::new));
            assert_eq!(matched(nowhere, absent).is_err(), fails, "{is_all} {ci:?}");
        }
        assert!(run(&["--every"]).is_err() && run(&["a", "b"]).is_err());
    }
}
