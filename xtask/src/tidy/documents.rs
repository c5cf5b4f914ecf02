//! The documents: both languages say the same, links lead somewhere, every crate is described.
use std::collections::BTreeSet;

use super::Complaint;
use crate::tree::Tree;

/// Checks the documents at the root and under `docs/`.
pub(super) fn check(tree: &Tree, complaints: &mut Vec<Complaint>) {
    check_root_documents(tree, complaints);
    check_rows(tree, complaints);
    check_guide(tree, complaints);
    for (path, text) in tree.under("", ".md").filter(|(path, _)| !path.contains("/fixtures/")) {
        check_links(tree, path, text, complaints);
    }
    if let Some(architecture) = tree.text("ARCHITECTURE.md") {
        for (path, _) in tree.under("crates/", "/Cargo.toml") {
            let name = path.split('/').nth(1).unwrap_or_default();
            if !architecture.contains(&format!("| `{name}` |")) {
                let what = format!("no row for `{name}`: say what it does and what it keeps out");
                complaints.push(Complaint::new("ARCHITECTURE.md", 0, what));
            }
        }
    }
}

/// A link to a file of the repository leads to one.
fn check_links(tree: &Tree, path: &str, text: &str, complaints: &mut Vec<Complaint>) {
    let folder = path.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
    for (number, line) in text.lines().enumerate() {
        let targets = line.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
        for target in targets.filter(|target| !target.is_empty() && !target.contains("://")) {
            let wanted = format!("{folder}{target}");
            if tree.text(&wanted).is_none() {
                let what = format!("links to {wanted}, which is not there");
                complaints.push(Complaint::new(path, number + 1, what));
            }
        }
    }
}

/// README.md and LISEZMOI.md: as many headings, the same commands in the same order.
fn check_root_documents(tree: &Tree, complaints: &mut Vec<Complaint>) {
    let (Some(en), Some(fr)) = (tree.text("README.md"), tree.text("LISEZMOI.md")) else { return };
    let headings = |text: &str| text.lines().filter(|line| line.starts_with('#')).count();
    if headings(en) != headings(fr) {
        let what = "not as many headings as README.md: say the same in both";
        complaints.push(Complaint::new("LISEZMOI.md", 0, what));
    }
    if commands(en) != commands(fr) {
        let what = "not the commands of README.md, in its order: say the same in both";
        complaints.push(Complaint::new("LISEZMOI.md", 0, what));
    }
    let first: Vec<&str> = commands(en).into_iter().take(2).collect();
    if first != ["cargo run --release -- demo", "cargo xtask test"] {
        let what = "the first two commands are the demo and the tests: a newcomer types them first";
        complaints.push(Complaint::new("README.md", 0, what));
    }
}

/// A command has one row: two would say different things one day.
fn check_rows(tree: &Tree, complaints: &mut Vec<Complaint>) {
    for path in ["README.md", "LISEZMOI.md"] {
        let mut seen = BTreeSet::new();
        for (number, line) in tree.text(path).unwrap_or_default().lines().enumerate() {
            let command = line.strip_prefix("| `relight ").and_then(|row| row.split('`').next());
            let command = command.map(|it| it.split(' ').take(2).collect::<Vec<_>>());
            if command.is_some_and(|command| !seen.insert(command)) {
                complaints.push(Complaint::new(path, number + 1, "a second row of this command"));
            }
        }
    }
}

/// The pages of `docs/en` and `docs/fr`: the same names, headings of the same levels, the same
/// files and commands in the same order.
fn check_guide(tree: &Tree, complaints: &mut Vec<Complaint>) {
    for (own, other) in [("docs/en/", "docs/fr/"), ("docs/fr/", "docs/en/")] {
        for (path, text) in tree.under(own, ".md") {
            let twin = path.replacen(own, other, 1);
            let what = match tree.text(&twin) {
                Some(told) if frame(told) == frame(text) => continue,
                Some(_) => format!("not the headings, files and commands of {twin}"),
                None => format!("{twin} is missing: both languages are first"),
            };
            complaints.push(Complaint::new(path, 0, what));
        }
    }
}

/// What two pages that say the same have in common: levels of headings, commands, other blocks.
fn frame(text: &str) -> Vec<&str> {
    let mut frame = Vec::new();
    let mut block = None;
    for line in text.lines() {
        match (block, line.strip_prefix("```")) {
            (None, Some(kind)) => block = Some(kind),
            (Some(_), Some(_)) => block = None,
            (None, None) if line.starts_with('#') => {
                frame.push(line.split_once(' ').map_or(line, |(level, _)| level));
            }
            // What a command prints is in the language of the page.
            (Some("console"), None) if !line.starts_with("$ ") => {}
            (Some(_), None) => frame.push(line),
            (None, None) => {}
        }
    }
    frame
}

/// The lines of indented blocks without their remarks, and the start of each row of a table.
fn commands(text: &str) -> Vec<&str> {
    let block = |line: &'_ str| line.starts_with("    ");
    let lines = text.lines().filter(|line| block(line) || line.starts_with("| `relight "));
    lines
        .map(|line| match line.strip_prefix("| `relight ") {
            Some(row) => row.split([' ', '`']).next().unwrap_or_default(),
            None => line.split(" #").next().unwrap_or_default().trim(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::complaints_of;
    use super::*;

    #[test]
    fn root_documents_that_say_different_things_are_found() {
        let good = "# relight\n    cargo run --release -- demo   # x\n    cargo xtask test\n\
                    | `relight scan DIR` | x |\n";
        let both =
            |en: &str, fr: &str| complaints_of(check, &[("README.md", en), ("LISEZMOI.md", fr)]);
        assert_eq!(both(good, good), Vec::<String>::new());
        assert_eq!(both(good, &good.replace("scan DIR", "scan DOSSIER")), Vec::<String>::new());
        assert!(both(good, &good.replace("# relight", ""))[0].contains("headings"));
        assert!(both(good, &good.replace("scan", "serve"))[0].contains("commands of README.md"));
        let other = good.replace("cargo xtask test", "make");
        assert!(both(&other, &other)[0].contains("first two commands"));
    }

    #[test]
    fn a_second_row_of_a_command_is_found() {
        let text = "| `relight edge add`, `edge run` | x |\n| `relight edge lint FILE` | y |\n\
                    | `relight edge add KIND` | z |\n";
        let found = complaints_of(check_rows, &[("README.md", text)]);
        assert_eq!(found, ["README.md:3: a second row of this command"], "{found:?}");
    }

    #[test]
    fn pages_of_the_guide_that_differ_are_found() {
        let en = "# A\n```console\n$ relight scan x\nfound\n```\n```csv a.csv\na,b\n```\n## B\n";
        let fr = en.replace("# A", "# Un").replace("found", "trouvé");
        let both = |en: &str, fr: &str| {
            complaints_of(check, &[("docs/en/a.md", en), ("docs/fr/a.md", fr)])
        };
        assert_eq!(both(en, &fr), Vec::<String>::new());
        let twice = |fr: &str| assert_eq!(both(en, fr).len(), 2, "{fr}");
        twice(&fr.replace("scan x", "scan y"));
        twice(&fr.replace("a,b", "a,c"));
        twice(&fr.replace("## B", "### B"));
        let alone = complaints_of(check, &[("docs/en/a.md", en)]);
        assert_eq!(alone, ["docs/en/a.md: docs/fr/a.md is missing: both languages are first"]);
    }

    #[test]
    fn links_that_lead_nowhere_are_found() {
        let text = "[a](b.md) [c](https://example.org/) [d](#part) [e](b.md#part)\n";
        let found = complaints_of(check, &[("docs/a.md", text)]);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0], "docs/a.md:1: links to docs/b.md, which is not there");
        assert_eq!(complaints_of(check, &[("docs/a.md", text), ("docs/b.md", "")]).len(), 0);
    }

    #[test]
    fn a_crate_without_a_row_is_found() {
        let manifest = ("crates/relight-scan/Cargo.toml", "");
        let found = complaints_of(check, &[manifest, ("ARCHITECTURE.md", "| `relight` | x |")]);
        assert!(found[0].contains("no row for `relight-scan`"), "{found:?}");
        let row = ("ARCHITECTURE.md", "| `relight-scan` | x |");
        assert_eq!(complaints_of(check, &[manifest, row]).len(), 0);
    }
}
