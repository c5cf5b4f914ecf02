//! The checklist of the ASVS: a row without a test is a wish, and a test that was renamed is none.
use std::collections::BTreeSet;

use super::Complaint;
use crate::tree::Tree;

/// The checklist.
const PATH: &str = "docs/asvs.md";

/// What stands in the last column of a row that has the tests of another one.
const AS_BEFORE: &str = "as ";

/// Checks that each item of the table names a test that is there.
pub(super) fn check(tree: &Tree, complaints: &mut Vec<Complaint>) {
    let Some(text) = tree.text(PATH) else { return };
    let mut items = BTreeSet::new();
    for (number, line) in (1..).zip(text.lines()) {
        let Some(cells) = cells_of(line) else { continue };
        let (Some(named), Some(tests)) = (cells.first(), cells.last()) else { continue };
        let mut complain = |what| complaints.push(Complaint::new(PATH, number, what));
        let tests: Vec<&str> = match tests.strip_prefix(AS_BEFORE) {
            Some(item) if items.contains(item.trim()) => continue,
            _ => tests.split('`').skip(1).step_by(2).collect(),
        };
        if tests.is_empty() {
            complain("no test for this item: name one in backticks".to_owned());
        }
        for test in tests.into_iter().filter(|test| !is_there(tree, test)) {
            complain(format!("{test} is no test of this repository"));
        }
        items.extend(named.split(", ").map(|item| item.split(' ').next().unwrap_or_default()));
    }
}

/// The cells of a row whose first one is the number of an item.
fn cells_of(line: &str) -> Option<Vec<&str>> {
    let row = line.strip_prefix('|')?.strip_suffix('|')?;
    let cells: Vec<&str> = row.split('|').map(str::trim).collect();
    let is_item = cells.first()?.starts_with(|sign: char| sign.is_ascii_digit());
    is_item.then_some(cells)
}

/// Whether a test is there: a file of the browser tests, or a function behind `#[test]` in a
/// module of that name.
fn is_there(tree: &Tree, test: &str) -> bool {
    if test.starts_with("e2e/") {
        return tree.text(test).is_some();
    }
    let mut parts = test.rsplit("::");
    let (Some(name), Some(module)) = (parts.next(), parts.next()) else { return false };
    let start = format!("fn {name}()");
    let is_test = |text: &str| {
        let mut before = "";
        text.lines().any(|line| {
            let found = line.trim_start().starts_with(&start) && before.contains("#[test]");
            before = line;
            found
        })
    };
    tree.rust().any(|(path, text)| is_module(path, module) && is_test(text))
}

/// Whether a file is a module, its tests, or a part of it.
fn is_module(path: &str, module: &str) -> bool {
    path.trim_end_matches(".rs").split('/').any(|part| {
        part == module || part.strip_suffix("_tests").is_some_and(|tested| tested == module)
    })
}

#[cfg(test)]
mod tests {
    use super::super::complaints_of;
    use super::*;

    #[test]
    fn a_row_without_a_test_and_a_test_that_is_gone_are_found() {
        let code = "#[test]\nfn limits_hold() {}\nfn helper() {}\n";
        let found = |rows: &str| {
            let files = [
                (PATH, rows),
                ("crates/a/src/limit.rs", code),
                ("crates/a/src/key_tests.rs", code),
                ("e2e/door.mjs", ""),
            ];
            complaints_of(check, &files)
        };
        for good in [
            "| 2.4.1 | x | y | `limit::limits_hold` |",
            "| 2.4.1 (level 3), 2.4.2 | x | y | `key::limits_hold`, `e2e/door.mjs` in a browser |",
            "| 2.4.1 | x | y | `limit::limits_hold` |\n| 6.3.1 | x | y | as 2.4.1 |",
            "| item | what | answer | test |\n|---|---|---|---|\nfree text",
        ] {
            assert_eq!(found(good), Vec::<String>::new(), "{good}");
        }
        for (bad, what) in [
            ("| 2.4.1 | x | y | we looked at it |", "no test for this item"),
            ("| 2.4.1 | x | y | |", "no test for this item"),
            ("| 2.4.1 | x | y | as 9.9.9 |", "no test for this item"),
            ("| 2.4.1 | x | y | `limit::limits_held` |", "limit::limits_held is no test"),
            ("| 2.4.1 | x | y | `other::limits_hold` |", "other::limits_hold is no test"),
            ("| 2.4.1 | x | y | `limit::helper` |", "limit::helper is no test"),
            ("| 2.4.1 | x | y | `limits_hold` |", "limits_hold is no test"),
            ("| 2.4.1 | x | y | `e2e/none.mjs` |", "e2e/none.mjs is no test"),
        ] {
            let complaints = found(bad);
            assert!(complaints[0].contains(what), "{bad}: {complaints:?}");
            assert!(complaints[0].starts_with("docs/asvs.md:1: "), "{complaints:?}");
        }
    }
}
