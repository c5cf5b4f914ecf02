//! `cargo xtask vectors`: published test vectors against the matcher. They are no part of the
//! repository, because some of their licences forbid it.

use std::path::{Path, PathBuf};

use crate::{process, tree};

/// Where the vectors are when nothing else is said: beside the repository.
const FOLDER: &str = "../shared/data/vectors";

/// Where published payloads, logs and flows are: beside the repository.
const REAL_INPUTS: &str = "../shared/data";

/// Counts what differs in each file; a folder that is not there is not run. The documents of
/// advisories in it, and in the folder `advisories` beside it, are read whole.
///
/// # Errors
/// When a line, a score or a name is judged otherwise than its file says, or a record is not read.
pub(crate) fn run(folder: Option<&str>) -> Result<(), String> {
    let folder = folder.map_or_else(|| tree::root().join(FOLDER), PathBuf::from);
    let vectors = examine(&folder, "relight-match", "vectors", "some vectors are judged otherwise");
    let beside = folder.parent().unwrap_or(&folder);
    // Both are tried, whichever differs.
    let samples = examine(beside, "relight-formats", "samples", "some records are not read");
    vectors.and(samples)
}

/// Payloads, logs and flows that others published, against the watch. What is not there is not
/// run.
///
/// # Errors
/// When a line is judged otherwise than its file says, or is not read.
pub(crate) fn watch() -> Result<(), String> {
    let folder = tree::root().join(REAL_INPUTS);
    examine(&folder, "relight-watch", "real_inputs", "some inputs are judged otherwise")
}

/// Shows a folder to an example of a package.
fn examine(folder: &Path, package: &str, example: &str, failure: &str) -> Result<(), String> {
    if !folder.is_dir() {
        println!("not run: {} is not there", folder.display());
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
