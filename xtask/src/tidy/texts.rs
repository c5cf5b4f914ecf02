//! The texts for people: French and English say the same things with the same arguments.
use std::collections::{BTreeMap, BTreeSet};

use super::Complaint;
use crate::tree::Tree;

const TEXTS: &str = "crates/relight-web/texts/";
/// Marks of files that somebody else wrote.
const FOREIGN: [&str; 5] =
    ["@license", "copyright", "licensed under", ".min.js", "sourcemappingurl"];

/// Message key to the arguments it names, and its 1-based line.
type Messages<'a> = BTreeMap<&'a str, (BTreeSet<&'a str>, usize)>;

/// Checks the catalogues, the two root documents and the assets.
pub(super) fn check(tree: &Tree, complaints: &mut Vec<Complaint>) {
    let (fr, en) = (format!("{TEXTS}fr/"), format!("{TEXTS}en/"));
    compare(tree, &fr, &en, complaints);
    compare(tree, &en, &fr, complaints);
    check_root_documents(tree, complaints);
    for (path, text) in tree.under("crates/", "").filter(|(path, _)| path.contains("/assets/")) {
        let name_and_text = format!("{path}\n{text}").to_lowercase();
        if let Some(mark) = FOREIGN.iter().find(|mark| name_and_text.contains(**mark)) {
            let what = format!("holds `{mark}`: assets are our own, nothing third-party");
            complaints.push(Complaint::new(path, 0, what));
        }
    }
}

/// Reports what `from` has and `to` lacks; different arguments are reported once, for French.
fn compare(tree: &Tree, from: &str, to: &str, complaints: &mut Vec<Complaint>) {
    for (path, text) in tree.under(from, ".ftl") {
        let other = format!("{to}{}", &path[from.len()..]);
        let Some(other_text) = tree.text(&other) else {
            complaints.push(Complaint::new(path, 0, format!("{other} is missing: translate it")));
            continue;
        };
        let others = messages(other_text);
        for (key, (arguments, line)) in messages(text) {
            match others.get(key) {
                None => {
                    let what = format!("`{key}` is missing in {other}: translate it");
                    complaints.push(Complaint::new(path, line, what));
                }
                Some((theirs, _)) if *theirs != arguments && from.ends_with("/fr/") => {
                    let what = format!("`{key}` has other arguments in {other}: use the same");
                    complaints.push(Complaint::new(path, line, what));
                }
                Some(_) => {}
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

/// The messages of one catalogue: a key at the start of a line, then all its indented lines.
fn messages(text: &str) -> Messages<'_> {
    let mut found = Messages::new();
    let mut current = None;
    for (number, line) in text.lines().enumerate() {
        if line.starts_with(|c: char| c.is_ascii_alphabetic() || c == '-')
            && let Some((key, _)) = line.split_once('=')
        {
            current = Some(key.trim());
            found.insert(key.trim(), (BTreeSet::new(), number + 1));
        } else if line.starts_with('#') {
            current = None;
        }
        if let Some((arguments, _)) = current.and_then(|key| found.get_mut(key)) {
            let named = line.split('$').skip(1).map(|rest| {
                rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-')
                    .next()
                    .unwrap_or_default()
            });
            arguments.extend(named);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::complaints_of;
    use super::*;

    const FR: &str = "crates/relight-web/texts/fr/console.ftl";
    const EN: &str = "crates/relight-web/texts/en/console.ftl";

    #[test]
    fn the_same_keys_and_arguments_are_fine() {
        let fr =
            "# { $x }\nsites = { $count ->\n    [one] un site\n   *[other] { $count } sites\n}\n";
        let en = "sites = { $count } site(s)\n";
        assert_eq!(complaints_of(check, &[(FR, fr), (EN, en)]), Vec::<String>::new());
    }

    #[test]
    fn a_missing_key_is_found_on_either_side() {
        let found = complaints_of(check, &[(FR, "a = A\nb = B\n"), (EN, "a = A\nc = C\n")]);
        assert_eq!(found.len(), 2);
        assert!(found[0].contains("fr/console.ftl:2: `b` is missing in"), "{found:?}");
        assert!(found[1].contains("en/console.ftl:2: `c` is missing in"), "{found:?}");
    }

    #[test]
    fn different_arguments_are_found_once() {
        let found = complaints_of(check, &[(FR, "a = { $site }\n"), (EN, "a = { $body }\n")]);
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("`a` has other arguments"), "{found:?}");
    }

    #[test]
    fn a_missing_catalogue_is_found() {
        let found = complaints_of(check, &[(FR, "a = A\n")]);
        assert!(found[0].ends_with("en/console.ftl is missing: translate it"), "{found:?}");
    }

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
    fn third_party_assets_are_found() {
        let path = "crates/relight-web/assets/js/chart.js";
        assert_eq!(complaints_of(check, &[(path, "/* Copyright Somebody */")]).len(), 1);
        assert_eq!(complaints_of(check, &[(path, "export const a = 1;")]).len(), 0);
    }
}
