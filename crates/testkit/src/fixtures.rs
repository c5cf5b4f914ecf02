//! Runs one plug-in over `fixtures/<plug-in>/<case>/` and compares text with `expected.txt`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// One folder of inputs.
#[derive(Debug)]
pub struct Case {
    /// Folder name; names that start with `corrupt` hold bad input.
    pub name: String,
    /// Every file below the folder but `expected.txt`: path relative to it with `/`, and bytes;
    /// sorted by path.
    pub files: Vec<(String, Vec<u8>)>,
}

/// Runs `run` on every case of `<root>/<plugin>/` and compares with its `expected.txt`;
/// with `UPDATE_EXPECT=1` the files are rewritten instead.
///
/// `root` is `concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures")` of the calling crate.
///
/// # Panics
/// With one sentence for each thing that is wrong: no folder, no case, no `corrupt*` case, or
/// output that differs.
pub fn check_fixtures(root: &str, plugin: &str, run: impl Fn(&Case) -> String) {
    let folder = Path::new(root).join(plugin);
    let mut complaints = String::new();
    let cases = subfolders(&folder);
    if cases.is_empty() {
        panic!("`{plugin}` has no fixtures: add {}/<case>/ and expected.txt", folder.display());
    }
    if !cases.iter().any(|case| file_name(case).starts_with("corrupt")) {
        let _ = writeln!(complaints, "`{plugin}` has no `corrupt*` case");
    }
    for path in cases {
        let mut files = Vec::new();
        collect(&path, &path, &mut files);
        files.sort();
        files.retain(|(name, _)| name != "expected.txt");
        let case = Case { name: file_name(&path), files };
        let got = run(&case);
        let expected_path = path.join("expected.txt");
        let expected = fs::read_to_string(&expected_path).unwrap_or_default();
        if got == expected {
            continue;
        }
        if env::var_os("UPDATE_EXPECT").is_some() {
            fs::write(&expected_path, &got).expect("write expected.txt");
        } else {
            let _ = writeln!(
                complaints,
                "{} differs (UPDATE_EXPECT=1 rewrites it)\n\
                 --- expected\n{expected}\n--- got\n{got}",
                expected_path.display()
            );
        }
    }
    assert!(complaints.is_empty(), "{complaints}");
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn subfolders(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<_> =
        entries.filter_map(Result::ok).map(|entry| entry.path()).filter(|p| p.is_dir()).collect();
    paths.sort();
    paths
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(folder).expect("read a fixture folder") {
        let path = entry.expect("read a fixture folder").path();
        if path.is_dir() {
            collect(root, &path, files);
            continue;
        }
        let name = path.strip_prefix(root).expect("a path below the root").to_string_lossy();
        files.push((name.into_owned(), fs::read(&path).expect("read a fixture")));
    }
}
