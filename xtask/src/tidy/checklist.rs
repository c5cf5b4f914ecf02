//! The checklist of the ASVS: every item of levels 1 and 2 is answered, and what is called met
//! names something that is there. A test that was renamed is none.
use std::collections::BTreeSet;

use super::Complaint;
use crate::tree::Tree;

/// The checklist.
const PATH: &str = "docs/asvs.md";

/// What stands in the last column of a row that has the tests of another one.
const AS_BEFORE: &str = "as ";

/// What stands there of an item about something that relight has not.
const NOT_APPLYING: &str = "does not apply";

/// What stands there of an item that is not met, or not wholly.
const OPEN: &str = "open";

/// Where the open items are counted.
const OPEN_HEADING: &str = "## Open items";

/// The chapters of version 5.0.0, and how many items of level 1 or 2 each of their sections has: in
/// a section these come first, and those of level 3 behind them.
const CHAPTERS: [&[u8]; 17] = [
    &[2, 9, 11, 3, 2],
    &[3, 3, 4, 1],
    &[0, 2, 4, 6, 5, 0, 2],
    &[3, 1, 2, 4],
    &[1, 3, 2, 3],
    &[3, 12, 4, 4, 5, 3, 0, 4],
    &[3, 4, 2, 5, 2, 2],
    &[2, 3, 1, 1],
    &[3, 4],
    &[2, 2, 4, 11, 5, 2, 3],
    &[2, 3, 3, 4, 1, 1, 0],
    &[3, 2, 4],
    &[1, 5, 2, 5],
    &[2, 4, 3],
    &[3, 3, 7, 0],
    &[1, 5, 4, 3, 3],
    &[1, 4, 2],
];

/// Chapter, section and number of an item.
type Item = [usize; 3];

/// Checks that every item has one row, and that each row says how it is answered.
pub(super) fn check(tree: &Tree, complaints: &mut Vec<Complaint>) {
    let Some(text) = tree.text(PATH) else { return };
    let answered = rows(tree, text, complaints);
    count_open(text, complaints);
    for item in required().filter(|item| !answered.contains(item)) {
        complaints.push(Complaint::new(PATH, 0, format!("no row answers {}", text_of(item))));
    }
}

/// The items of levels 1 and 2.
fn required() -> impl Iterator<Item = Item> {
    (1..).zip(CHAPTERS).flat_map(|(chapter, sections)| {
        (1..).zip(sections).flat_map(move |(section, count)| {
            (1..=usize::from(*count)).map(move |number| [chapter, section, number])
        })
    })
}

/// An item as it is written.
fn text_of(item: Item) -> String {
    item.map(|number| number.to_string()).join(".")
}

/// The items of all rows; each row is looked at.
fn rows(tree: &Tree, text: &str, complaints: &mut Vec<Complaint>) -> BTreeSet<Item> {
    let mut answered = BTreeSet::new();
    for (number, line) in (1..).zip(text.lines()) {
        let Some([items, _, answer, shown]) = cells_of(line) else { continue };
        let mut complain = |what| complaints.push(Complaint::new(PATH, number, what));
        if let Some(what) = fault_of(tree, &answered, answer, shown) {
            complain(what);
        }
        let Some(items) = items_of(items) else {
            complain(format!("`{items}` is no item, and no list or range of items"));
            continue;
        };
        for item in items {
            if !answered.insert(item) {
                complain(format!("{} has a row already", text_of(item)));
            }
        }
    }
    answered
}

/// Compares what the list says of open items at its end with its rows.
fn count_open(text: &str, complaints: &mut Vec<Complaint>) {
    let rows = text.lines().filter_map(cells_of).filter(|[.., shown]| *shown == OPEN);
    let open: BTreeSet<Item> = rows.filter_map(|[items, ..]| items_of(items)).flatten().collect();
    let mut lines = (1..).zip(text.lines()).skip_while(|(_, line)| *line != OPEN_HEADING);
    let told = lines.find(|(_, line)| line.starts_with(|sign: char| sign.is_ascii_digit()));
    let (number, told) = told.unwrap_or_default();
    let item = |word: &str| items_of(word.trim_end_matches(['.', ',']));
    let named: BTreeSet<Item> = told.split(' ').filter_map(item).flatten().collect();
    let count = format!("{} of {}: ", open.len(), required().count());
    if named != open || !told.starts_with(&count) {
        let open: Vec<String> = open.into_iter().map(text_of).collect();
        let what = format!("the rows say of open items: {count}{}", open.join(", "));
        complaints.push(Complaint::new(PATH, number, what));
    }
}

/// The four cells of a row whose first one is the number of an item.
fn cells_of(line: &str) -> Option<[&str; 4]> {
    let row = line.strip_prefix('|')?.strip_suffix('|')?;
    let cells: Vec<&str> = row.split('|').map(str::trim).collect();
    let cells: [&str; 4] = cells.try_into().ok()?;
    cells[0].starts_with(|sign: char| sign.is_ascii_digit()).then_some(cells)
}

/// The items of `2.2.1, 2.2.2`, of `6.2.1 to 6.2.12` and of `2.3.5 (level 3)`.
fn items_of(cell: &str) -> Option<Vec<Item>> {
    let item = |text: &str| -> Option<Item> {
        let numbers: Option<Vec<usize>> = text.split('.').map(|it| it.parse().ok()).collect();
        numbers?.try_into().ok()
    };
    let mut items = Vec::new();
    for part in cell.split(", ") {
        let words: Vec<&str> = part.split(' ').collect();
        match words[..] {
            [only] | [only, "(level", "3)"] => items.push(item(only)?),
            [first, "to", last] => {
                let ([chapter, section, first], last) = (item(first)?, item(last)?);
                if last[..2] != [chapter, section] || first >= last[2] {
                    return None;
                }
                items.extend((first..=last[2]).map(|number| [chapter, section, number]));
            }
            _ => return None,
        }
    }
    Some(items)
}

/// What is wrong with how a row is answered.
fn fault_of(tree: &Tree, answered: &BTreeSet<Item>, answer: &str, shown: &str) -> Option<String> {
    match shown {
        NOT_APPLYING => {
            let is_argued = answer.starts_with("because ");
            return (!is_argued).then(|| "say why: the answer begins with `because`".to_owned());
        }
        OPEN => return answer.is_empty().then(|| "say what is missing".to_owned()),
        _ => {}
    }
    if let Some(items) = shown.strip_prefix(AS_BEFORE).and_then(items_of)
        && items.iter().all(|item| answered.contains(item))
    {
        return None;
    }
    let names: Vec<&str> = shown.split('`').skip(1).step_by(2).collect();
    if names.is_empty() {
        let what = "no test for this item: name one in backticks, or the place that meets it";
        return Some(what.to_owned());
    }
    let missing = names.into_iter().find(|name| !is_there(tree, name))?;
    Some(format!("{missing} is no test and no file of this repository"))
}

/// Whether something is there: a file or a folder, or a function behind `#[test]` in a module of
/// that name.
pub(super) fn is_there(tree: &Tree, name: &str) -> bool {
    let Some((module, name)) = name.rsplit_once("::") else {
        return tree.text(name).is_some() || tree.under(&format!("{name}/"), "").next().is_some();
    };
    let module = module.rsplit("::").next().unwrap_or(module);
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

    /// What is complained about these rows, beside a small tree.
    fn found(text: &str) -> Vec<String> {
        let code = "#[test]\nfn limits_hold() {}\nfn helper() {}\n";
        let files = [
            (PATH, text),
            ("crates/a/src/limit.rs", code),
            ("crates/a/src/key_tests.rs", code),
            ("e2e/door.mjs", ""),
        ];
        let rule = |tree: &Tree, complaints: &mut Vec<Complaint>| {
            rows(tree, tree.text(PATH).unwrap(), complaints);
        };
        complaints_of(rule, &files)
    }

    #[test]
    fn a_row_without_a_test_and_a_test_that_is_gone_are_found() {
        for good in [
            "| 2.4.1 | x | y | `limit::limits_hold` |",
            "| 2.3.5 (level 3), 2.4.2 | x | y | `key::limits_hold`, `e2e/door.mjs` in a browser |",
            "| 2.4.1 | x | y | `limit::limits_hold` |\n| 6.3.1 | x | y | as 2.4.1 |",
            "| 2.4.1 | x | y | by construction: `crates/a`, `crates/a/src/limit.rs` |",
            "| 6.2.1 to 6.2.12 | x | because there are none | does not apply |",
            "| 2.4.1 | x | nobody did it yet | open |",
            "| item | what | answer | test |\n|---|---|---|---|\nfree text\n| 1.2 | x |",
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
            ("| 2.4.1 | x | y | `crates/b` |", "crates/b is no test"),
            ("| 2.4.1 | x | there are none | does not apply |", "say why"),
            ("| 2.4.1 | x | | open |", "say what is missing"),
            ("| 2.4 | x | y | `e2e/door.mjs` |", "`2.4` is no item"),
            ("| 2.4.1.1 | x | y | `e2e/door.mjs` |", "`2.4.1.1` is no item"),
            ("| 2.x | x | y | `e2e/door.mjs` |", "`2.x` is no item"),
            ("| 2.4.2 to 2.4.1 | x | y | `e2e/door.mjs` |", "is no item"),
            ("| 2.4.1 to 2.5.3 | x | y | `e2e/door.mjs` |", "is no item"),
            ("| 2.4.1, 2.4.1 | x | y | `e2e/door.mjs` |", "2.4.1 has a row already"),
        ] {
            let complaints = found(bad);
            assert!(complaints[0].contains(what), "{bad}: {complaints:?}");
            assert!(complaints[0].starts_with("docs/asvs.md:1: "), "{complaints:?}");
        }
    }

    /// Rows that are all open, each of one item, and the sentence that counts them.
    fn list(rows: &[String]) -> String {
        let items: Vec<&str> = rows.iter().filter_map(|row| row.split(' ').nth(1)).collect();
        let told = format!("{} of 253: {}.", items.len(), items.join(", "));
        format!("{}\n\n{OPEN_HEADING}\n\n{told}\n", rows.join("\n"))
    }

    #[test]
    fn open_items_are_counted_and_named() {
        let told = |told: &str| {
            let rows = "| 2.4.1, 2.4.2 | x | nobody | open |\n| 6.2.1 | x | y | as 2.4.1 |";
            let text = format!("{rows}\n{OPEN_HEADING}\n\n{told}\n\n9.9.9 is no item of it\n");
            complaints_of(|tree, out| count_open(tree.text(PATH).unwrap(), out), &[(PATH, &text)])
        };
        assert_eq!(told("2 of 253: 2.4.1 (its part of level 2) and 2.4.2."), [""; 0]);
        for bad in
            ["", "1 of 253: 2.4.1, 2.4.2", "2 of 253: 2.4.1.", "2 of 253: 2.4.1, 2.4.2, 6.2.1"]
        {
            let found = told(bad).concat();
            assert!(found.contains("open items: 2 of 253: 2.4.1, 2.4.2"), "{bad}: {found}");
        }
    }

    #[test]
    fn an_item_that_nobody_answered_is_found() {
        assert_eq!(required().count(), 70 + 183, "items of level 1, and of level 2");
        let row = |item| format!("| {} | x | nobody did it yet | open |", text_of(item));
        let rows: Vec<String> = required().map(row).collect();
        assert_eq!(complaints_of(check, &[(PATH, &list(&rows))]), Vec::<String>::new());
        for gone in 0..rows.len() {
            let mut rows = rows.clone();
            let item = rows.remove(gone).split(' ').nth(1).unwrap().to_owned();
            let complaints = complaints_of(check, &[(PATH, &list(&rows))]);
            assert_eq!(complaints, [format!("docs/asvs.md: no row answers {item}")]);
        }
        assert_eq!(complaints_of(check, &[]), Vec::<String>::new(), "other trees have no list");
    }
}
