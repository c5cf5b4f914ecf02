//! Tables of documents that end in "shown by": what they name there is a test or a file of this
//! repository.
use super::Complaint;
use super::checklist::is_there;
use crate::tree::Tree;

/// How the head of such a table ends, in the languages of the documents.
const HEADS: [&str; 2] = ["| shown by |", "| montré par |"];

/// The checklist has rules of its own.
const CHECKLIST: &str = "docs/asvs.md";

/// Checks each row of such tables.
pub(super) fn check(tree: &Tree, complaints: &mut Vec<Complaint>) {
    let documents = tree.under("", ".md").filter(|(path, _)| !path.contains("/fixtures/"));
    for (path, text) in documents.filter(|(path, _)| *path != CHECKLIST) {
        let mut is_table = false;
        for (number, line) in (1..).zip(text.lines()) {
            is_table =
                line.starts_with('|') && (is_table || HEADS.iter().any(|it| line.ends_with(it)));
            let is_head = HEADS.iter().any(|it| line.ends_with(it)) || line.starts_with("|-");
            if !is_table || is_head {
                continue;
            }
            if let Some(what) = fault_of(tree, line) {
                complaints.push(Complaint::new(path, number, what));
            }
        }
    }
}

fn fault_of(tree: &Tree, line: &str) -> Option<String> {
    let shown = line.trim_end_matches('|').rsplit('|').next().unwrap_or_default();
    let names: Vec<&str> = shown.split('`').skip(1).step_by(2).collect();
    if names.is_empty() {
        return Some("nothing shows this: name a test or a place in backticks".to_owned());
    }
    let missing = names.into_iter().find(|name| !is_there(tree, name))?;
    Some(format!("{missing} is no test and no file of this repository"))
}

#[cfg(test)]
mod tests {
    use super::super::complaints_of;
    use super::*;

    #[test]
    fn what_shows_nothing_and_what_is_not_there_is_found() {
        let test = ("crates/a/src/limit.rs", "//! A.\n#[test]\nfn five_and_no_more() {}\n");
        let of = |rows: &str| {
            let text = format!("| who | shown by |\n|---|---|\n{rows}\n| after | a table |\n");
            complaints_of(check, &[test, ("T.md", &text)])
        };
        assert_eq!(of("| a | `limit::five_and_no_more`, `T.md` |\n"), Vec::<String>::new());
        let gone = of("| a | `limit::six_and_no_more` |\n");
        assert_eq!(
            gone,
            ["T.md:3: limit::six_and_no_more is no test and no file of this repository"]
        );
        assert!(of("| a | nothing |\n")[0].starts_with("T.md:3: nothing shows this"));
        let french = "| qui | montré par |\n|---|---|\n| a | `b.md` |\n";
        assert_eq!(complaints_of(check, &[("T.md", french)]).len(), 1);
    }
}
