//! The files of the repository in memory, so that every rule can be tried on a small bad tree.
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::process;

/// Path relative to the root, with `/`, to text. Files that are not UTF-8 keep an empty text.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// The files, in order of their paths.
    pub files: BTreeMap<String, String>,
}

impl Tree {
    /// Reads every file below `root` that git knows or would add; without git, all but `target`.
    pub(crate) fn read(root: &Path) -> io::Result<Self> {
        let mut tree = Self::default();
        for path in list(root)? {
            match fs::read(root.join(&path)) {
                Ok(bytes) => {
                    tree.files.insert(path, String::from_utf8(bytes).unwrap_or_default());
                }
                // A file that is deleted but not yet committed, or a link that leads nowhere.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) if error.kind() == io::ErrorKind::IsADirectory => {}
                Err(error) => return Err(error),
            }
        }
        Ok(tree)
    }

    /// A tree of the given files, for tests of the rules.
    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(path, text)| (path.to_string(), text.to_string()));
        Self { files: files.collect() }
    }

    /// The text of one file.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// The files whose path starts with `prefix` and ends with `suffix`.
    pub(crate) fn under<'a>(
        &'a self,
        prefix: &'a str,
        suffix: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.files
            .iter()
            .filter(move |(path, _)| path.starts_with(prefix) && path.ends_with(suffix))
            .map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// Every Rust file that is not a fixture.
    pub(crate) fn rust(&self) -> impl Iterator<Item = (&str, &str)> {
        self.under("", ".rs").filter(|(path, _)| !path.contains("/fixtures/"))
    }
}

/// The root of the repository: the folder above this crate.
pub(crate) fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_path_buf()
}

/// Paths relative to `root`, sorted.
fn list(root: &Path) -> io::Result<Vec<String>> {
    let arguments = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let mut paths = match process::output(root, "git", &arguments) {
        Ok(text) if !text.is_empty() => {
            text.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect()
        }
        _ => {
            let mut paths = Vec::new();
            walk(root, root, &mut paths)?;
            paths
        }
    };
    paths.sort();
    Ok(paths)
}

fn walk(root: &Path, folder: &Path, paths: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        let name = entry.file_name();
        if entry.file_type()?.is_dir() {
            if !["target", ".git", "node_modules"]
                .map(std::ffi::OsStr::new)
                .contains(&name.as_os_str())
            {
                walk(root, &path, paths)?;
            }
        } else if let Ok(relative) = path.strip_prefix(root) {
            paths.push(relative.to_string_lossy().into_owned());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_walk_and_git_list_the_manifest_and_not_the_target_folder() {
        let root = root();
        let mut walked = Vec::new();
        walk(&root, &root.join("xtask"), &mut walked).unwrap();
        assert!(walked.contains(&"xtask/Cargo.toml".to_owned()));
        let listed = list(&root).unwrap();
        assert!(listed.contains(&"xtask/Cargo.toml".to_owned()));
        assert!(!listed.iter().any(|path| path.starts_with("target/")));
    }

    #[test]
    fn a_tree_gives_files_by_prefix_and_suffix() {
        let tree = Tree::of(&[("a/x.rs", "1"), ("a/fixtures/y.rs", "2"), ("b/z.toml", "3")]);
        assert_eq!(tree.rust().collect::<Vec<_>>(), [("a/x.rs", "1")]);
        assert_eq!(tree.under("b/", ".toml").count(), 1);
        assert_eq!(tree.text("b/z.toml"), Some("3"));
        assert_eq!(tree.text("missing"), None);
    }
}
