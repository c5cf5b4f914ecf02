//! The rules of the house that neither rustc nor clippy checks, as a test and as a command.
mod checklist;
mod documents;
mod files;
mod libraries;
mod manifests;
mod plugins;
mod scripts;
mod texts;
mod threats;
mod typography;

use std::fmt;

use crate::metrics::Metrics;
use crate::tree::Tree;

/// One broken rule.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Complaint {
    /// The file, relative to the root.
    pub path: String,
    /// 1-based line; 0 when the whole file is meant.
    pub line: usize,
    /// What is wrong and how to mend it.
    pub what: String,
}

impl Complaint {
    /// A complaint about a line (1-based), or about a whole file with line 0.
    fn new(path: &str, line: usize, what: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, what: what.into() }
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.what),
            line => write!(f, "{}:{line}: {}", self.path, self.what),
        }
    }
}

/// Checks every rule; an empty list means tidy.
pub(crate) fn check(tree: &Tree) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    checklist::check(tree, &mut complaints);
    documents::check(tree, &mut complaints);
    files::check(tree, &mut complaints);
    libraries::check(tree, &mut complaints);
    manifests::check(tree, &mut complaints);
    plugins::check(tree, &mut complaints);
    texts::check(tree, &mut complaints);
    threats::check(tree, &mut complaints);
    typography::check(tree, &mut complaints);
    scripts::check(tree, &mut complaints);
    for row in Metrics::product(tree).rows().iter().filter(|row| row.required && !row.met) {
        let what = format!(
            "{} is {}, the goal is {}: `cargo xtask metrics` shows all figures",
            row.name, row.value, row.goal
        );
        complaints.push(Complaint::new("crates", 0, what));
    }
    complaints.sort();
    complaints
}

/// Runs one rule over a small tree and gives its complaints as text.
#[cfg(test)]
fn complaints_of(rule: fn(&Tree, &mut Vec<Complaint>), files: &[(&str, &str)]) -> Vec<String> {
    let mut complaints = Vec::new();
    rule(&Tree::of(files), &mut complaints);
    complaints.iter().map(Complaint::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree;

    #[test]
    fn the_repository_is_tidy() {
        let tree = Tree::read(&tree::root()).unwrap();
        let complaints: Vec<String> = check(&tree).iter().map(Complaint::to_string).collect();
        assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    }

    #[test]
    fn a_missed_figure_is_a_complaint() {
        let tree = Tree::of(&[("crates/a/src/lib.rs", "//! A.\npub fn a() { b.unwrap() }\n")]);
        let complaints: Vec<String> = check(&tree).iter().map(Complaint::to_string).collect();
        assert!(complaints.iter().any(|c| c.starts_with("crates: panics per 1,000 code lines")));
        assert!(complaints.iter().any(|c| c.starts_with("crates: public items documented")));
    }
}
