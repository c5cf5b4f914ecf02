//! `cargo xtask vectors`: published test vectors against the matcher. They are no part of the
//! repository, because some of their licences forbid it.

use std::path::{Path, PathBuf};

use crate::{process, tree};

/// Where the vectors are when nothing else is said: beside the repository.
const FOLDER: &str = "../shared/data/vectors";

/// Counts what differs in each file; a folder that is not there is not run.
///
/// # Errors
/// When a line, a score or a name is judged otherwise than its file says.
pub(crate) fn run(folder: Option<&str>) -> Result<(), String> {
    let root = tree::root();
    let folder = folder.map_or_else(|| root.join(FOLDER), PathBuf::from);
    if !Path::new(&folder).is_dir() {
        println!("not run: {} is not there", folder.display());
        return Ok(());
    }
    let folder = folder.canonicalize().map_err(|error| format!("{}: {error}", folder.display()))?;
    let folder = folder.to_string_lossy();
    let arguments =
        ["run", "--quiet", "--package", "relight-match", "--example", "vectors", "--", &folder];
    let run = process::show(&root, "cargo", &arguments, &[])?;
    if run.success { Ok(()) } else { Err("some vectors are judged otherwise".to_owned()) }
}

/// Where published payloads, logs and flows are: beside the repository.
const REAL_INPUTS: &str = "../shared/data";

/// Payloads, logs and flows that others published, against the watch. What is not there is not
/// run.
///
/// # Errors
/// When a line is judged otherwise than its file says, or is not read.
pub(crate) fn watch() -> Result<(), String> {
    let root = tree::root();
    let folder = root.join(REAL_INPUTS);
    if !folder.is_dir() {
        println!("not run: {} is not there", folder.display());
        return Ok(());
    }
    let folder = folder.canonicalize().map_err(|error| format!("{}: {error}", folder.display()))?;
    let folder = folder.to_string_lossy();
    let mut arguments = vec!["run", "--quiet", "--package", "relight-watch"];
    arguments.extend(["--example", "real_inputs", "--", &folder]);
    let run = process::show(&root, "cargo", &arguments, &[])?;
    if run.success { Ok(()) } else { Err("some inputs are judged otherwise".to_owned()) }
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
