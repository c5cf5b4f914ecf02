//! French documents are set as French is: a colon and guillemets keep their space, and never stand
//! alone at the begin or the end of a line. (Texts of the program are set by their own build.)
use super::Complaint;
use crate::tree::Tree;

/// Marks with a plain space where one that does not break belongs.
const PLAIN: [&str; 5] = [" : ", " :\n", "« ", "«\n", " »"];

/// Checks the documents in French, outside of code.
pub(super) fn check(tree: &Tree, complaints: &mut Vec<Complaint>) {
    let documents = tree.under("docs/fr/", ".md").chain(tree.under("LISEZMOI", ".md"));
    for (path, text) in documents {
        let (mut is_code, mut is_behind_code) = (false, true);
        for (number, line) in text.lines().enumerate() {
            let is_fence = line.trim_start().starts_with("```");
            is_code ^= is_fence;
            // Behind a line of text such a line is one of a list.
            let is_indented = line.starts_with("    ") && is_behind_code;
            is_behind_code = is_fence || is_code || is_indented || line.is_empty();
            if is_behind_code {
                continue;
            }
            // What stands between marks of code is every second part. A line begins after a space.
            let words = format!(" {line}\n").split('`').step_by(2).collect::<Vec<_>>().join("`");
            if let Some(mark) = PLAIN.iter().find(|mark| words.contains(**mark)) {
                let what = format!("`{}` with a plain space: use U+00A0", mark.trim_end());
                complaints.push(Complaint::new(path, number + 1, what));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::complaints_of;
    use super::*;

    #[test]
    fn a_plain_space_before_a_colon_or_in_guillemets_is_found() {
        for line in [
            "- a\n    Voici : un",
            "Voici : un",
            "Voici :",
            "dit « oui\u{a0}»",
            "dit «\u{a0}oui »",
            "dit «",
            "» dit-il",
            ": un",
        ] {
            let text = format!("Un.\n{line}\n");
            let found = complaints_of(check, &[("docs/fr/a.md", &text)]);
            assert_eq!(found.len(), 1, "{line}: {found:?}");
            let place = format!("docs/fr/a.md:{}: ", text.lines().count());
            assert!(found[0].starts_with(&place), "{found:?}");
        }
        let path = "LISEZMOI.md";
        assert_eq!(complaints_of(check, &[(path, "Un : deux\n")]).len(), 1);
    }

    #[test]
    fn code_english_and_spaces_that_do_not_break_are_fine() {
        let fine =
            "Voici\u{a0}: `a : b`, «\u{a0}c\u{a0}» http://d\n\n```\ne : f\n```\n\n    g : h\n";
        for path in ["docs/fr/a.md", "LISEZMOI.md"] {
            assert_eq!(complaints_of(check, &[(path, fine)]), Vec::<String>::new());
        }
        assert_eq!(complaints_of(check, &[("docs/en/a.md", "One : two\n")]).len(), 0);
    }
}
