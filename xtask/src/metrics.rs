//! The figures of ARCHITECTURE.md section "Figures": length, documentation, panics, tests.
use std::fmt;

use crate::source::Source;
use crate::test_files::TestFiles;
use crate::tree::Tree;

/// Words that stop a thread. `expect` counts with a literal only: parsers have an `expect` too.
const PANICS: [&str; 6] =
    [".unwrap()", ".expect(\"", "panic!(", "unreachable!(", "todo!(", "unimplemented!("];
/// Words that start a public item. `pub mod` is left out: its text is the file's first line.
const ITEMS: [&str; 10] = [
    "fn ",
    "async fn ",
    "const ",
    "struct ",
    "enum ",
    "trait ",
    "type ",
    "static ",
    "union ",
    "unsafe ",
];

/// What was counted over one set of files.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    /// Lines of each product file, ascending.
    pub file_lengths: Vec<usize>,
    /// Lines of each product function, ascending.
    pub function_lengths: Vec<usize>,
    /// Product files whose first line starts with `//!`.
    pub files_introduced: usize,
    /// Public items outside tests.
    pub items: usize,
    /// Those of them with a doc comment.
    pub items_documented: usize,
    /// Calls and macros that panic, outside tests.
    pub panics: usize,
    /// Where panics and items without a doc comment are: `path:line`.
    pub places: Vec<String>,
    /// Lines outside tests that hold code.
    pub code_lines: usize,
    /// All lines of Rust.
    pub lines: usize,
    /// Those of them that are tests.
    pub test_lines: usize,
}

/// One row of the table.
#[derive(Debug)]
pub(crate) struct Row {
    /// What is counted.
    pub name: &'static str,
    /// The figure, with its unit.
    pub value: String,
    /// The goal, as people read it.
    pub goal: &'static str,
    /// Whether the figure meets the goal.
    pub met: bool,
    /// Whether a missed goal fails tidy.
    pub required: bool,
}

impl Metrics {
    /// Counts the product: everything under `crates/` but the crate for tests.
    pub(crate) fn product(tree: &Tree) -> Self {
        let product =
            |path: &str| path.starts_with("crates/") && !path.starts_with("crates/testkit/");
        Self::of(tree.rust().filter(|(path, _)| product(path)))
    }

    /// Counts the given files.
    pub(crate) fn of<'a>(files: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let mut metrics = Self::default();
        let files: Vec<_> = files.collect();
        let tests = TestFiles::of(files.iter().copied());
        for (path, text) in files {
            metrics.lines += text.lines().count();
            if tests.contains(path) {
                metrics.test_lines += text.lines().count();
            } else {
                metrics.add(path, text);
            }
        }
        metrics.file_lengths.sort_unstable();
        metrics.function_lengths.sort_unstable();
        metrics
    }

    fn add(&mut self, path: &str, text: &str) {
        let source = Source::parse(text);
        self.file_lengths.push(text.lines().count());
        self.files_introduced += usize::from(text.starts_with("//!"));
        self.test_lines += source.test_lines.iter().filter(|is_test| **is_test).count();
        let functions = source.functions().into_iter().filter(|f| !source.is_test(f.line));
        self.function_lengths.extend(functions.map(|function| function.length));
        let original: Vec<&str> = text.lines().collect();
        for (number, line) in source.lines().filter(|(number, _)| !source.is_test(*number)) {
            self.code_lines += usize::from(!line.trim().is_empty());
            let panics: usize = PANICS.iter().map(|word| line.matches(word).count()).sum();
            let item = is_public_item(line);
            let documented = item && is_documented(&original, number);
            self.panics += panics;
            self.items += usize::from(item);
            self.items_documented += usize::from(documented);
            if panics > 0 || item != documented {
                self.places.push(format!("{path}:{}: {}", number + 1, original[number].trim()));
            }
        }
    }

    /// The table: each figure with its goal.
    pub(crate) fn rows(&self) -> Vec<Row> {
        let (file, function) = (p95(&self.file_lengths), p95(&self.function_lengths));
        let introduced = percent(self.files_introduced, self.file_lengths.len());
        let documented = 100.0 - percent(self.items - self.items_documented, self.items);
        let panics = 1000.0 * ratio(self.panics, self.code_lines);
        let tests = percent(self.test_lines, self.lines);
        let row = |name, value, goal, met| Row { name, value, goal, met, required: true };
        vec![
            row("file length p95", format!("{file} lines"), "at most 450", file <= 450),
            row("function length p95", format!("{function} lines"), "at most 32", function <= 32),
            row(
                "files that start with //!",
                format!("{introduced:.1} %"),
                "100 %",
                self.files_introduced == self.file_lengths.len(),
            ),
            row(
                "public items documented",
                format!("{documented:.1} %"),
                "at least 96 %",
                documented >= 96.0,
            ),
            row(
                "panics per 1,000 code lines",
                format!("{panics:.2}"),
                "at most 0.7",
                panics <= 0.7,
            ),
            Row {
                name: "lines that are tests",
                value: format!("{tests:.1} %"),
                goal: "40 to 60 %",
                met: (40.0..=60.0).contains(&tests),
                required: false,
            },
        ]
    }
}

impl fmt::Display for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<28} {:>12}  goal", "", "")?;
        for row in self.rows() {
            let verdict = if row.met { "" } else { "   MISSED" };
            writeln!(f, "{:<28} {:>12}  {}{verdict}", row.name, row.value, row.goal)?;
        }
        let (files, functions) = (self.file_lengths.len(), self.function_lengths.len());
        let (longest, longest_function) =
            (self.file_lengths.last().unwrap_or(&0), self.function_lengths.last().unwrap_or(&0));
        write!(
            f,
            "{files} files (longest {longest}), {functions} functions (longest \
             {longest_function}), {} code lines outside tests, {} lines in all",
            self.code_lines, self.lines
        )?;
        // The exceptions, so that nobody has to look for them.
        self.places.iter().try_for_each(|place| write!(f, "\n  {place}"))
    }
}

/// Whether the masked line starts an item that other crates may name.
fn is_public_item(line: &str) -> bool {
    let Some(rest) = line.trim_start().strip_prefix("pub ") else { return false };
    ITEMS.iter().any(|word| rest.starts_with(word))
}

/// Whether a doc comment stands above the item, attributes between them.
fn is_documented(lines: &[&str], item: usize) -> bool {
    let above = lines[..item].iter().rev().map(|line| line.trim());
    let mut inside_attribute = false;
    for line in above {
        if line.starts_with("///") || line.starts_with("#[doc") {
            return true;
        }
        inside_attribute = match line {
            _ if line.starts_with("#[") => false,
            _ if line.ends_with(")]") => true,
            _ if inside_attribute => true,
            _ => return false,
        };
    }
    false
}

/// The smallest value that at least 95 % of the sorted values do not exceed; 0 for none.
fn p95(sorted: &[usize]) -> usize {
    let rank = (sorted.len() * 95).div_ceil(100);
    rank.checked_sub(1).and_then(|at| sorted.get(at)).copied().unwrap_or(0)
}

fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn percent(part: usize, whole: usize) -> f64 {
    100.0 * ratio(part, whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "//! A file.\n\n/// Documented.\n#[derive(Debug)]\npub struct A;\n\n\
        pub fn bare() {\n    a.unwrap();\n    let _ = \"b.unwrap()\"; // c.unwrap()\n}\n\n\
        #[cfg(test)]\nmod tests {\n    fn x() { y.unwrap(); }\n}\n";

    #[test]
    fn a_file_is_counted_outside_its_tests() {
        let files = [("crates/a/src/lib.rs", FILE), ("crates/a/tests/it/main.rs", "a\nb\n")];
        let metrics = Metrics::of(files.into_iter());
        assert_eq!(metrics.file_lengths, [15]);
        assert_eq!(metrics.function_lengths, [4]);
        assert_eq!((metrics.files_introduced, metrics.panics), (1, 1));
        assert_eq!((metrics.items, metrics.items_documented), (2, 1));
        let places =
            ["crates/a/src/lib.rs:7: pub fn bare() {", "crates/a/src/lib.rs:8: a.unwrap();"];
        assert_eq!(metrics.places, places);
        assert_eq!((metrics.lines, metrics.test_lines, metrics.code_lines), (17, 6, 6));
    }

    #[test]
    fn testkit_and_xtask_are_not_the_product() {
        let tree = Tree::of(&[
            ("crates/a/src/lib.rs", "//! A.\n"),
            ("crates/testkit/src/lib.rs", "//! T.\n"),
            ("xtask/src/main.rs", "//! X.\n"),
        ]);
        assert_eq!(Metrics::product(&tree).file_lengths, [1]);
    }

    #[test]
    fn p95_is_the_value_at_the_rank() {
        assert_eq!(p95(&[]), 0);
        assert_eq!(p95(&[7]), 7);
        assert_eq!(p95(&(1..=100).collect::<Vec<_>>()), 95);
        assert_eq!(p95(&(1..=20).collect::<Vec<_>>()), 19);
    }

    #[test]
    fn every_goal_can_be_missed() {
        let metrics = Metrics {
            file_lengths: vec![451],
            function_lengths: vec![33],
            items: 100,
            items_documented: 95,
            panics: 1,
            places: Vec::new(),
            code_lines: 1000,
            lines: 100,
            test_lines: 39,
            files_introduced: 0,
        };
        let missed = metrics.rows().iter().filter(|row| !row.met).count();
        assert_eq!(missed, metrics.rows().len(), "{metrics}");
    }

    #[test]
    fn a_long_attribute_between_text_and_item_is_skipped() {
        let lines = ["/// Text.", "#[expect(", "    x,", ")]", "pub fn a() {}"];
        assert!(is_documented(&lines, 4));
        assert!(!is_documented(&lines[1..], 3));
    }
}
