//! A plug-in is one file, one name in a `registry!` and one folder of fixtures: all three agree.
use std::collections::BTreeSet;

use super::Complaint;
use crate::source::Source;
use crate::tree::Tree;

/// One use of `registry!`.
struct Registry<'a> {
    /// The file that holds it.
    path: &'a str,
    /// 1-based line.
    line: usize,
    /// The names, as written.
    names: Vec<String>,
}

/// Checks every registry and every folder of fixtures.
pub(super) fn check(tree: &Tree, complaints: &mut Vec<Complaint>) {
    let registries: Vec<Registry<'_>> = tree.rust().filter_map(read).collect();
    for registry in &registries {
        check_order(registry, complaints);
        check_files(tree, registry, complaints);
        check_fixtures(tree, registry, complaints);
    }
    check_orphans(tree, &registries, complaints);
}

/// The registry of a file, if it has one outside tests and macro definitions.
fn read<'a>((path, text): (&'a str, &'a str)) -> Option<Registry<'a>> {
    let source = Source::parse(text);
    let at = source.code.find("registry! {")?;
    let line = source.code[..at].matches('\n').count();
    if source.is_test(line) || source.code[..at].contains("macro_rules!") {
        return None;
    }
    let body = &source.code[at..];
    let body = &body[..body.find('}')?];
    let (_, names) = body.rsplit_once(';')?;
    let names = names.split(',').map(|name| name.trim().to_owned());
    Some(Registry { path, line: line + 1, names: names.filter(|name| !name.is_empty()).collect() })
}

/// The folder of a crate: `crates/relight-scan`.
fn crate_of(path: &str) -> &str {
    path.split_once("/src/").map_or(path, |(folder, _)| folder)
}

fn check_order(registry: &Registry<'_>, complaints: &mut Vec<Complaint>) {
    if !registry.names.is_sorted() {
        let what = "put the names of the registry in alphabetical order";
        complaints.push(Complaint::new(registry.path, registry.line, what));
    }
}

/// A file beside its siblings but not in the list would never run.
fn check_files(tree: &Tree, registry: &Registry<'_>, complaints: &mut Vec<Complaint>) {
    let folder = registry.path.trim_end_matches(".rs");
    if folder.ends_with("/lib") || folder.ends_with("/main") {
        let what = "give the registry a file of its own, so that its folder holds plug-ins only";
        complaints.push(Complaint::new(registry.path, registry.line, what));
        return;
    }
    let folder = format!("{folder}/");
    let declared = Source::parse(tree.text(registry.path).unwrap_or_default()).code;
    for (path, _) in tree.under(&folder, ".rs") {
        let name = path[folder.len()..].trim_end_matches(".rs");
        let helper = declared.contains(&format!("mod {name};"));
        if !name.contains('/') && !helper && !registry.names.iter().any(|known| known == name) {
            let what = format!("not in {}: add `{name}` to its list", registry.path);
            complaints.push(Complaint::new(path, 0, what));
        }
    }
    for name in &registry.names {
        if tree.text(&format!("{folder}{name}.rs")).is_none() {
            let what = format!("`{name}` has no file: add {folder}{name}.rs");
            complaints.push(Complaint::new(registry.path, registry.line, what));
        }
    }
}

fn check_fixtures(tree: &Tree, registry: &Registry<'_>, complaints: &mut Vec<Complaint>) {
    for name in &registry.names {
        let folder = format!("{}/fixtures/{name}/", crate_of(registry.path));
        let mut files = tree.under(&folder, "").map(|(path, _)| &path[folder.len()..]).peekable();
        let what = if files.peek().is_none() {
            format!("`{name}` has no fixtures: add {folder}<case>/ and expected.txt")
        } else if !files.any(|path| path.starts_with("corrupt")) {
            format!("`{name}` has no `corrupt*` case: add one to {folder}")
        } else {
            continue;
        };
        complaints.push(Complaint::new(registry.path, registry.line, what));
    }
}

/// Fixtures whose plug-in is gone would never be read.
fn check_orphans(tree: &Tree, registries: &[Registry<'_>], complaints: &mut Vec<Complaint>) {
    let with_registry: BTreeSet<&str> = registries.iter().map(|r| crate_of(r.path)).collect();
    for home in with_registry {
        let prefix = format!("{home}/fixtures/");
        let known: BTreeSet<&str> = registries
            .iter()
            .filter(|registry| crate_of(registry.path) == home)
            .flat_map(|registry| registry.names.iter().map(String::as_str))
            .collect();
        let folders: BTreeSet<&str> = tree
            .under(&prefix, "")
            .filter_map(|(path, _)| path[prefix.len()..].split_once('/'))
            .map(|(folder, _)| folder)
            .collect();
        for folder in folders.difference(&known) {
            let quoted = format!("\"{folder}\"");
            let inside = format!("fixtures/{folder}");
            let mut sources = tree.under(home, ".rs").filter(|(p, _)| !p.contains("/fixtures/"));
            if !sources.any(|(_, text)| text.contains(&quoted) || text.contains(&inside)) {
                let what = "fixtures of nothing: remove the folder or register its plug-in";
                complaints.push(Complaint::new(&format!("{prefix}{folder}"), 0, what));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::complaints_of;
    use super::*;

    const LIST: (&str, &str) = (
        "crates/a/src/list.rs",
        "//! L.\nregistry! {\n    /// All; of them.\n    pub static L: dyn T, check = c;\n    \
         one, two\n}\nmod helper;\n",
    );
    const GOOD: [(&str, &str); 6] = [
        LIST,
        ("crates/a/src/list/helper.rs", ""),
        ("crates/a/src/list/one.rs", ""),
        ("crates/a/src/list/two.rs", ""),
        ("crates/a/fixtures/one/corrupt/in", ""),
        ("crates/a/fixtures/two/corrupt-x/in", ""),
    ];

    /// The good tree without the file at `without`, with `more` added.
    fn changed(without: usize, more: &[(&str, &str)]) -> Vec<String> {
        let mut files: Vec<(&str, &str)> = GOOD.to_vec();
        if without < files.len() {
            files.remove(without);
        }
        files.extend_from_slice(more);
        complaints_of(check, &files)
    }

    #[test]
    fn a_complete_registry_has_no_complaint() {
        assert_eq!(changed(99, &[]), Vec::<String>::new());
    }

    #[test]
    fn a_file_that_is_not_in_the_list_is_found() {
        let found = changed(99, &[("crates/a/src/list/three.rs", "")]);
        let wanted = "crates/a/src/list/three.rs: not in crates/a/src/list.rs: add `three` to its \
                      list";
        assert_eq!(found, [wanted]);
    }

    #[test]
    fn a_name_without_file_or_fixtures_is_found() {
        assert!(changed(2, &[])[0].contains("`one` has no file"));
        assert!(changed(4, &[])[0].contains("`one` has no fixtures"));
        let good_only = ("crates/a/fixtures/one/plain/in", "");
        assert!(changed(4, &[good_only])[0].contains("`one` has no `corrupt*` case"));
    }

    #[test]
    fn fixtures_of_nothing_are_found_unless_a_test_names_them() {
        let orphan = ("crates/a/fixtures/three/x", "");
        assert!(changed(99, &[orphan])[0].starts_with("crates/a/fixtures/three: fixtures of"));
        let named = ("crates/a/tests/it/main.rs", "const F: &str = \"three\";");
        assert_eq!(changed(99, &[orphan, named]), Vec::<String>::new());
    }

    #[test]
    fn names_out_of_order_are_found() {
        let list = LIST.1.replace("one, two", "two, one");
        let found = changed(0, &[(LIST.0, &list)]);
        assert!(found[0].ends_with(":2: put the names of the registry in alphabetical order"));
    }

    #[test]
    fn the_macro_itself_is_no_registry() {
        let text = "//! M.\nmacro_rules! registry { () => {} }\n// registry! {\n";
        assert_eq!(complaints_of(check, &[("crates/a/src/m.rs", text)]), Vec::<String>::new());
    }
}
