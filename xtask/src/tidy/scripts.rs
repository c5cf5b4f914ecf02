//! Rules about the scripts around the code, and about names that belong to one machine.
use super::Complaint;
use crate::tree::Tree;

const CI: &str = ".ci/run";
/// What `.ci/run` must say, with the reason.
const CI_SAYS: [(&str, &str); 4] = [
    ("CARGO_TARGET_DIR=\"$HOME/.cache/relight-ci\"", "its own target folder, never a person's"),
    ("CARGO_INCREMENTAL=0", "incremental builds cost more than they save here"),
    ("find crates xtask -name '*.rs' -exec touch {} +", "older files would run another's binary"),
    ("cargo xtask test", "the one command of the README"),
];
/// What the test command must say: `cargo fmt` does not see modules that a macro declares.
const TEST: &str = "xtask/src/test.rs";
const TEST_SAYS: [&str; 2] = ["\"rustfmt\"", "--check"];

/// Checks the scripts and looks for names of one machine.
pub(super) fn check(tree: &Tree, complaints: &mut Vec<Complaint>) {
    if let Some(text) = tree.text(CI) {
        for (say, why) in CI_SAYS.iter().filter(|(say, _)| !text.contains(say)) {
            complaints.push(Complaint::new(CI, 0, format!("must say `{say}`: {why}")));
        }
    }
    if let Some(text) = tree.text(TEST) {
        for say in TEST_SAYS.iter().filter(|say| !text.contains(**say)) {
            let what = format!("must say `{say}`: files are formatted one by one");
            complaints.push(Complaint::new(TEST, 0, what));
        }
    }
    check_whole_workspace(tree, complaints);
    check_machine_names(tree, complaints);
}

/// The whole workspace would build what the default members leave out on purpose.
fn check_whole_workspace(tree: &Tree, complaints: &mut Vec<Complaint>) {
    let flag = concat!("cargo test --work", "space");
    let flag = flag.rsplit(' ').next().unwrap_or_default();
    let places = tree.files.iter().filter(|(path, _)| {
        path.starts_with(".ci/") || (path.ends_with(".rs") && path.starts_with("xtask/"))
    });
    for (path, text) in places {
        for (number, line) in text.lines().enumerate().filter(|(_, line)| line.contains(flag)) {
            let what = format!("no `{}`: default members are what we test", line.trim());
            complaints.push(Complaint::new(path, number + 1, what));
        }
    }
}

/// Paths of one person's machine and registries that only one network reaches.
fn check_machine_names(tree: &Tree, complaints: &mut Vec<Complaint>) {
    let paths = [concat!("/ho", "me/"), concat!("/wo", "rk/"), concat!("/tmp", "/t-")];
    for (path, text) in tree.files.iter().filter(|(path, _)| !path.contains("/fixtures/")) {
        for (number, line) in text.lines().enumerate() {
            if let Some(found) = paths.iter().find(|found| line.contains(**found)) {
                let what = format!("names `{found}`, a path of one machine: use a relative one");
                complaints.push(Complaint::new(path, number + 1, what));
            }
        }
    }
    let public = "registry+https://github.com/rust-lang/crates.io-index";
    for (number, line) in tree.text("Cargo.lock").unwrap_or_default().lines().enumerate() {
        if line.starts_with("source = ") && !line.contains(public) {
            let what = "not from the public index: every reader must be able to fetch it";
            complaints.push(Complaint::new("Cargo.lock", number + 1, what));
        }
    }
    let config = ".cargo/config.toml";
    for (number, line) in tree.text(config).unwrap_or_default().lines().enumerate() {
        if line.starts_with("[source") || line.starts_with("[registr") {
            let what = "a registry of one network: it belongs to that machine's own configuration";
            complaints.push(Complaint::new(config, number + 1, what));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::complaints_of;
    use super::*;

    #[test]
    fn a_script_that_forgets_a_step_is_found() {
        let good: String = CI_SAYS.iter().map(|(say, _)| format!("{say}\n")).collect();
        assert_eq!(complaints_of(check, &[(CI, &good)]), Vec::<String>::new());
        for (say, _) in CI_SAYS {
            let found = complaints_of(check, &[(CI, &good.replace(say, ""))]);
            assert_eq!(found.len(), 1, "{say}");
            assert!(found[0].contains(say));
        }
    }

    #[test]
    fn a_test_command_without_rustfmt_on_files_is_found() {
        assert_eq!(complaints_of(check, &[(TEST, "\"cargo\", \"fmt\"")]).len(), 2);
    }

    #[test]
    fn the_whole_workspace_is_found() {
        let line = concat!("cargo nextest run --work", "space");
        assert_eq!(complaints_of(check, &[("xtask/src/a.rs", line)]).len(), 1);
        assert_eq!(complaints_of(check, &[("docs/a.md", line)]).len(), 0);
    }

    #[test]
    fn paths_of_one_machine_are_found() {
        let line = concat!("let a = \"/ho", "me/ann/relight\";");
        assert_eq!(complaints_of(check, &[("crates/a/src/lib.rs", line)]).len(), 1);
        assert_eq!(complaints_of(check, &[("crates/a/fixtures/p/c/x", line)]).len(), 0);
    }

    #[test]
    fn registries_of_one_network_are_found() {
        let lock = "source = \"registry+https://mirror.example/index\"\n";
        let config = "[source.mirror]\n";
        let found = complaints_of(check, &[("Cargo.lock", lock), (".cargo/config.toml", config)]);
        assert_eq!(found.len(), 2, "{found:?}");
    }
}
