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

/// Checks the catalogues and the assets.
pub(super) fn check(tree: &Tree, complaints: &mut Vec<Complaint>) {
    let (fr, en) = (format!("{TEXTS}fr/"), format!("{TEXTS}en/"));
    compare(tree, &fr, &en, complaints);
    compare(tree, &en, &fr, complaints);
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
    fn third_party_assets_are_found() {
        let path = "crates/relight-web/assets/js/chart.js";
        assert_eq!(complaints_of(check, &[(path, "/* Copyright Somebody */")]).len(), 1);
        assert_eq!(complaints_of(check, &[(path, "export const a = 1;")]).len(), 0);
    }
}
