//! Which files are tests as a whole: by their folder, or because `#[cfg(test)]` declares them.
use std::collections::BTreeSet;

use crate::source::Source;

/// Folders whose Rust files are not part of what is shipped.
const FOLDERS: [&str; 4] = ["tests", "benches", "examples", "fuzz"];

/// The files that are tests as a whole.
#[derive(Debug, Default)]
pub(crate) struct TestFiles {
    /// Module paths without `.rs`, as `#[cfg(test)] mod …;` declares them.
    modules: BTreeSet<String>,
}

impl TestFiles {
    /// Looks for declarations of test modules in the given files.
    pub(crate) fn of<'a>(files: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let mut found = Self::default();
        for (path, text) in files.filter(|(_, text)| text.contains("#[cfg(test)]")) {
            let source = Source::parse(text);
            let original: Vec<&str> = text.lines().collect();
            for (number, line) in source.lines().filter(|(number, _)| source.is_test(*number)) {
                let declared =
                    line.trim().strip_suffix(';').and_then(|rest| rest.split_once("mod "));
                let Some((before, name)) = declared else { continue };
                if !before.is_empty() && !before.starts_with("pub") {
                    continue;
                }
                let above = number.checked_sub(1).map_or("", |above| original[above].trim());
                found.add(path, name, above);
            }
        }
        found
    }

    /// Notes the module `name` that the file at `path` declares; `above` is the line before it.
    fn add(&mut self, path: &str, name: &str, above: &str) {
        let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
        if let Some(other) = above.strip_prefix("#[path = \"").and_then(|o| o.split_once(".rs\"")) {
            self.modules.insert(format!("{folder}/{}", other.0));
            return;
        }
        let stem = file.trim_end_matches(".rs");
        let home = match stem {
            "lib" | "main" | "mod" => folder.to_owned(),
            _ => format!("{folder}/{stem}"),
        };
        self.modules.insert(format!("{home}/{name}"));
    }

    /// Whether the whole file is a test, a benchmark or an example.
    pub(crate) fn contains(&self, path: &str) -> bool {
        if path.split('/').any(|part| FOLDERS.contains(&part)) || path.ends_with("/tests.rs") {
            return true;
        }
        let mut module = path.trim_end_matches(".rs").trim_end_matches("/mod");
        loop {
            if self.modules.contains(module) {
                return true;
            }
            let Some((parent, _)) = module.rsplit_once('/') else { return false };
            module = parent;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_and_declarations_make_a_test_file() {
        let files = [
            ("a/src/lib.rs", "#[cfg(test)]\nmod contrast;\nmod product;\n"),
            ("a/src/fold.rs", "#[cfg(test)]\n#[path = \"fold_tests.rs\"]\nmod tests;\n"),
            ("a/src/plan.rs", "#[cfg(test)]\nmod cases;\nuse x;\n"),
        ];
        let tests = TestFiles::of(files.into_iter());
        for path in [
            "a/src/contrast.rs",
            "a/src/contrast/deep.rs",
            "a/src/fold_tests.rs",
            "a/src/plan/cases.rs",
            "a/tests/it/main.rs",
            "a/src/tests.rs",
        ] {
            assert!(tests.contains(path), "{path}");
        }
        for path in ["a/src/lib.rs", "a/src/product.rs", "a/src/cases.rs", "a/src/fold.rs"] {
            assert!(!tests.contains(path), "{path}");
        }
    }

    #[test]
    fn a_test_module_with_a_body_declares_no_file() {
        let files = [("a/src/lib.rs", "#[cfg(test)]\nmod tests {\n    use super::*;\n}\n")];
        assert!(!TestFiles::of(files.into_iter()).contains("a/src/super.rs"));
    }
}
