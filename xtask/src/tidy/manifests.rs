//! Rules about manifests: which crate may name which, and no dependency without a user.
use std::collections::BTreeSet;

use super::Complaint;
use crate::source::Source;
use crate::tree::Tree;

/// Each crate with the crates of the workspace it may name. A line names only earlier lines, so
/// a cycle cannot be written.
const LAYERS: &[(&str, &[&str])] = &[
    ("relight-model", &[]),
    ("relight-formats", &["relight-model"]),
    ("relight-match", &["relight-model"]),
    ("relight-scan", &["relight-formats", "relight-model"]),
    ("relight-watch", &["relight-model"]),
    ("relight-edge", &["relight-model"]),
    ("relight-store", &["relight-model"]),
    (
        "relight-engine",
        &[
            "relight-edge",
            "relight-formats",
            "relight-match",
            "relight-model",
            "relight-store",
            "relight-watch",
        ],
    ),
    ("relight-web", &["relight-model"]),
    ("relight-server", &["relight-engine", "relight-formats", "relight-model", "relight-web"]),
    (
        "relight",
        &["relight-engine", "relight-formats", "relight-model", "relight-scan", "relight-server"],
    ),
    ("fuzz", &["relight-formats", "relight-match", "relight-scan", "relight-watch"]),
    ("testkit", &[]),
    ("xtask", &[]),
];

/// Crates from outside that only these crates may name, with the reason.
const HOMES: &[(&str, &[&str], &str)] = &[
    ("rusqlite", &["relight-store"], "SQL"),
    ("cvss", &["relight-match"], "scores"),
    ("semver", &["relight-match"], "version order"),
    ("bzip2", &["relight-formats"], "decompression"),
    ("deflate64", &["relight-formats"], "decompression"),
    (
        "flate2",
        &["fuzz", "relight-formats", "relight-server"],
        "decompression; answers to browsers",
    ),
    ("ed25519-compact", &["relight-server"], "signatures"),
    ("rcgen", &["relight-server"], "certificates of agents"),
    ("ring", &["relight-server"], "signatures, seals and random bits of sign-in"),
    ("serde_urlencoded", &["relight-server"], "forms"),
    ("libdeflater", &["relight-formats"], "decompression"),
    ("lz4_flex", &["relight-formats"], "decompression"),
    ("lzma-rust2", &["relight-formats"], "decompression"),
    ("zstd", &["relight-formats"], "decompression"),
    ("axum", &["relight-server"], "connections"),
    ("hyper", &["relight-server"], "connections"),
    ("hyper-util", &["relight-server"], "connections"),
    ("tokio", &["relight-server"], "asynchronous code"),
    ("tokio-rustls", &["relight-server"], "connections"),
    ("ureq", &["relight-engine"], "fetching"),
    ("askama", &["relight-web"], "templates"),
    ("pulldown-cmark", &["relight-web"], "the guide, when it is built"),
    ("clap", &["relight"], "the command line"),
    ("mimalloc", &["relight"], "the allocator of the program"),
    ("anyhow", &["relight"], "errors without a type"),
];

/// One `name = …` line of a manifest.
struct Dependency<'a> {
    section: &'a str,
    name: &'a str,
    /// 1-based.
    line: usize,
}

/// Checks every manifest.
pub(super) fn check(tree: &Tree, complaints: &mut Vec<Complaint>) {
    for (path, text) in tree.under("", "/Cargo.toml").filter(|(p, _)| !p.contains("/fixtures/")) {
        check_crate(tree, path, text, complaints);
    }
    if let Some(text) = tree.text("Cargo.toml") {
        check_members(text, complaints);
        check_shared(tree, text, complaints);
        if section_of(text, "panic").is_some_and(|(_, value)| value.contains("abort")) {
            let what = "panics must unwind: one incident must not end the others";
            complaints.push(Complaint::new("Cargo.toml", 0, what));
        }
    }
}

fn check_crate(tree: &Tree, path: &str, text: &str, complaints: &mut Vec<Complaint>) {
    let folder = path.trim_end_matches("Cargo.toml");
    let name = folder.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    if section_of(text, "workspace").is_none_or(|(section, _)| section != "lints") {
        let what = "add `[lints]` with `workspace = true`";
        complaints.push(Complaint::new(path, 0, what));
    }
    if name == "relight" && section_of(text, "default-run").is_none() {
        let what = "add `default-run = \"relight\"`: the README starts with `cargo run`";
        complaints.push(Complaint::new(path, 0, what));
    }
    let Some((_, may_name)) = LAYERS.iter().find(|(layer, _)| *layer == name) else {
        let what = "add the crate to LAYERS in xtask/src/tidy/manifests.rs";
        complaints.push(Complaint::new(path, 0, what));
        return;
    };
    for dependency in dependencies(text) {
        if let Some(what) = misplaced(name, may_name, &dependency) {
            complaints.push(Complaint::new(path, dependency.line, what));
        }
        if !is_named(tree, folder, &dependency) {
            let what = format!("no source file names `{}`: remove it", dependency.name);
            complaints.push(Complaint::new(path, dependency.line, what));
        }
    }
}

/// Why this crate may not declare this dependency, if it may not.
fn misplaced(name: &str, may_name: &[&str], dependency: &Dependency<'_>) -> Option<String> {
    let shipped = dependency.section == "dependencies";
    if matches!(name, "relight-model" | "testkit" | "xtask") && shipped {
        return Some(format!("{name} has no dependency: use std"));
    }
    if dependency.name == "testkit" {
        return shipped.then(|| "testkit is for tests: move it to [dev-dependencies]".to_owned());
    }
    let ours = LAYERS.iter().any(|(layer, _)| *layer == dependency.name);
    if ours && !may_name.contains(&dependency.name) {
        return Some(format!("{name} may not name {}: see LAYERS", dependency.name));
    }
    let (_, homes, what) = HOMES.iter().find(|(outside, ..)| *outside == dependency.name)?;
    let elsewhere = shipped && !homes.contains(&name);
    elsewhere.then(|| format!("{what} lives in {} only", homes.join(" and ")))
}

/// Whether a source file of the crate names the dependency, comments and strings apart.
fn is_named(tree: &Tree, folder: &str, dependency: &Dependency<'_>) -> bool {
    let word = dependency.name.replace('-', "_");
    let build = format!("{folder}build");
    let names = |text: &str| {
        // Most files do not hold the word at all: look before taking them apart.
        let code = if text.contains(&word) { Source::parse(text).code } else { String::new() };
        code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|part| part == word)
    };
    tree.under(folder, ".rs").filter(|(path, _)| !path.contains("/fixtures/")).any(
        |(path, text)| {
            let in_build = path.starts_with(&build);
            let in_tests = path[folder.len()..].starts_with("tests/");
            let counts = match dependency.section {
                "dependencies" => !in_build && !in_tests,
                "build-dependencies" => in_build,
                _ => true,
            };
            counts && names(text)
        },
    )
}

/// Every dependency with its section.
fn dependencies(text: &str) -> Vec<Dependency<'_>> {
    let mut section = "";
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end().trim_end_matches(']');
        } else if section.ends_with("dependencies") && !line.trim_start().starts_with('#') {
            let end = line.find(['.', '=', ' ']).unwrap_or(0);
            if end > 0 {
                found.push(Dependency { section, name: &line[..end], line: number + 1 });
            }
        }
    }
    found
}

/// The section and the value of the first `key = value`.
fn section_of<'a>(text: &'a str, key: &str) -> Option<(&'a str, &'a str)> {
    let mut section = "";
    for line in text.lines() {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end().trim_end_matches(']');
        } else if let Some((left, right)) = line.split_once('=')
            && left.trim() == key
        {
            return Some((section, right.trim()));
        }
    }
    None
}

/// A crate that is no default member is never tested.
fn check_members(text: &str, complaints: &mut Vec<Complaint>) {
    let list = |key: &str| -> BTreeSet<String> {
        let start = text.lines().skip_while(|line| !line.starts_with(&format!("{key} = [")));
        let body = start.skip(1).take_while(|line| !line.starts_with(']'));
        body.filter_map(|line| line.split('"').nth(1)).map(str::to_owned).collect()
    };
    let (members, default) = (list("members"), list("default-members"));
    for missing in members.difference(&default) {
        let what = format!("`{missing}` is no default member, so no test of it runs: add it");
        complaints.push(Complaint::new("Cargo.toml", 0, what));
    }
    for unknown in default.difference(&members) {
        let what = format!("`{unknown}` is a default member but no member: add it");
        complaints.push(Complaint::new("Cargo.toml", 0, what));
    }
}

/// A shared dependency that no crate takes is a leftover.
fn check_shared(tree: &Tree, text: &str, complaints: &mut Vec<Complaint>) {
    let taken: BTreeSet<&str> = tree
        .under("", "/Cargo.toml")
        .flat_map(|(_, text)| dependencies(text))
        .map(|dependency| dependency.name)
        .collect();
    for dependency in dependencies(text) {
        if !taken.contains(dependency.name) {
            let what = format!("no crate takes `{}`: remove it", dependency.name);
            complaints.push(Complaint::new("Cargo.toml", dependency.line, what));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::complaints_of;
    use super::*;

    const LINTS: &str = "[lints]\nworkspace = true\n";

    fn of_crate(name: &str, manifest: &str, source: &str) -> Vec<String> {
        let path = format!("crates/{name}/Cargo.toml");
        let lib = format!("crates/{name}/src/lib.rs");
        complaints_of(check, &[(&path, &format!("{LINTS}{manifest}")), (&lib, source)])
    }

    #[test]
    fn every_layer_names_earlier_lines_only() {
        for (at, (name, may_name)) in LAYERS.iter().enumerate() {
            for lower in *may_name {
                let known = LAYERS[..at].iter().any(|(earlier, _)| earlier == lower);
                assert!(known, "{name} names {lower}, which is not above it");
            }
        }
    }

    #[test]
    fn a_dependency_against_the_layers_is_found() {
        let manifest = "[dependencies]\nrelight-store.workspace = true\n";
        let found = of_crate("relight-match", manifest, "use relight_store::Store;\n");
        assert_eq!(found.len(), 1);
        assert!(found[0].contains(":4: relight-match may not name relight-store"), "{found:?}");
        let found = of_crate("relight-engine", manifest, "use relight_store::Store;\n");
        assert_eq!(found, Vec::<String>::new());
    }

    #[test]
    fn a_dependency_that_nobody_names_is_found() {
        let manifest = "[dependencies]\nsha2 = { workspace = true }\n";
        let found = of_crate("relight-match", manifest, "// sha2\nconst A: &str = \"sha2\";\n");
        assert!(found[0].contains("no source file names `sha2`"), "{found:?}");
        assert_eq!(of_crate("relight-match", manifest, "use sha2::Digest;\n").len(), 0);
    }

    #[test]
    fn the_model_and_the_tools_have_no_dependency() {
        let manifest = "[dependencies]\nserde.workspace = true\n";
        for name in ["relight-model", "testkit"] {
            assert!(of_crate(name, manifest, "use serde as _;\n")[0].contains("use std"));
        }
    }

    #[test]
    fn testkit_is_for_tests() {
        let shipped = "[dependencies]\ntestkit.workspace = true\n";
        assert_eq!(of_crate("relight-scan", shipped, "use testkit::Rng;\n").len(), 1);
        let dev = "[dev-dependencies]\ntestkit.workspace = true\n";
        assert_eq!(of_crate("relight-scan", dev, "use testkit::Rng;\n").len(), 0);
    }

    #[test]
    fn some_crates_have_one_home() {
        let manifest = "[dependencies]\nrusqlite.workspace = true\n";
        let found = of_crate("relight-engine", manifest, "use rusqlite::Row;\n");
        assert!(found[0].contains("SQL lives in relight-store only"), "{found:?}");
        assert_eq!(of_crate("relight-store", manifest, "use rusqlite::Row;\n").len(), 0);
    }

    #[test]
    fn missing_lints_and_unknown_crates_are_found() {
        let found = complaints_of(check, &[("crates/relight-util/Cargo.toml", "[package]\n")]);
        assert!(found[0].contains("add `[lints]`"), "{found:?}");
        assert!(found[1].contains("LAYERS"), "{found:?}");
    }

    #[test]
    fn cargo_run_must_know_which_binary() {
        assert!(of_crate("relight", "[package]\n", "")[0].contains("add `default-run"));
        assert_eq!(of_crate("relight", "[package]\ndefault-run = \"relight\"\n", "").len(), 0);
    }

    #[test]
    fn members_and_default_members_must_agree() {
        let root = "members = [\n    \"a\",\n    \"b\",\n]\ndefault-members = [\n    \"a\",\n]\n";
        let found = complaints_of(check, &[("Cargo.toml", root)]);
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("`b` is no default member"), "{found:?}");
    }

    #[test]
    fn leftovers_and_aborting_panics_are_found_in_the_root() {
        let root = "[workspace.dependencies]\nsha2 = \"1\"\n[profile.release]\npanic = \"abort\"\n";
        let found = complaints_of(check, &[("Cargo.toml", root)]);
        assert!(found[0].contains("no crate takes `sha2`"), "{found:?}");
        assert!(found[1].contains("must unwind"), "{found:?}");
    }
}
