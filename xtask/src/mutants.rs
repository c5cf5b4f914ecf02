//! `cargo xtask mutants`: the matcher with one known fault at a time, in a copy; its tests have to
//! catch each. A fault that they let pass is one that nobody would notice.
use std::fs;
use std::path::Path;

use crate::process::{self, Run};
use crate::tree::{self, Tree};

/// One fault: a text of one file and what stands there instead.
struct Mutant {
    name: &'static str,
    file: &'static str,
    from: &'static str,
    to: &'static str,
}

const fn mutant(
    name: &'static str,
    file: &'static str,
    from: &'static str,
    to: &'static str,
) -> Mutant {
    Mutant { name, file, from, to }
}

/// Faults that other matchers have or had, each in the form that it would take here.
const MUTANTS: [Mutant; 12] = [
    mutant(
        "a version that is fixed and introduced closes what was open",
        "range.rs",
        "        if self.introduced {\n            told.has_ignored |= !self.fixed;",
        "        if self.introduced && !self.fixed {\n            told.has_ignored |= !self.fixed;",
    ),
    mutant(
        "a range of commits ends the search in the others",
        "entry.rs",
        "let ranges = affected.ranges.iter().filter(move |range| range.kind == kind);",
        "let ranges = affected.ranges.iter().take_while(|it| it.kind != RangeKind::Git);
            let ranges = ranges.filter(move |range| range.kind == kind);",
    ),
    mutant(
        "ranges hide listed versions",
        "entry.rs",
        "        if self.lists(asked) {\n",
        "        if self.ranges.is_empty() && self.lists(asked) {\n",
    ),
    mutant(
        "a version without a place is clear",
        "entry.rs",
        "Place::Unsure => unsure = Some(no_place),",
        "Place::Unsure => {}",
    ),
    mutant(
        "a bulletin merges the flaws that it names",
        "alias.rs",
        "        for cve in &self.cves {\n            let group",
        "        for cve in self.cves.iter().take(1) {\n            let group",
    ),
    mutant(
        "related ids merge",
        "alias.rs",
        "record.aliases.iter().chain([&record.id]).map(|text| id(text)).collect();",
        "record.aliases.iter().chain(&record.related).chain([&record.id]).map(|text| id(text))
                .collect();",
    ),
    mutant(
        "epochs are dropped",
        "version/rpm.rs",
        "Some(rest) => (digits, rest),",
        "Some(rest) if digits.is_empty() => (digits, rest),\n        Some(rest) => (\"0\", rest),",
    ),
    mutant(
        "ranges of others reach packages of a distribution",
        "package.rs",
        "            (_, false) => Self::Package,\n",
        "            (kind, false) if distro::KINDS.contains(&kind) => Self::AnyEcosystem,
            (_, false) => Self::Package,\n",
    ),
    mutant(
        "builds of a release stand outside of an inclusive bound",
        "range.rs",
        "order.is_some_and(Ordering::is_le) || version.is_of_release(&hi.version)",
        "order.is_some_and(Ordering::is_le)",
    ),
    mutant(
        "withdrawn records speak on",
        "record.rs",
        "let entries = if record.is_in_force() { entries(&record, policy) } else { Vec::new() };",
        "let entries = entries(&record, policy);",
    ),
    mutant(
        "a statement about one version clears all",
        "vex.rs",
        "fn is_same_version(stated: &Purl, found: &Purl) -> bool {\n",
        "fn is_same_version(stated: &Purl, found: &Purl) -> bool {
    if !stated.version.is_empty() {
        return true;
    }\n",
    ),
    mutant(
        "Maven versions without an order get a key",
        "version/maven.rs",
        "Item::Word(_) => return None,",
        "Item::Word(word) => word.write(out),",
    ),
];

/// Where the files of the matcher are.
const SOURCE: &str = "crates/relight-match/src";

/// Plants one fault after the other and runs the tests of the matcher.
///
/// # Errors
/// When the tests fail without any fault, when a fault cannot be planted or does not compile, or
/// when the tests let one pass.
pub(crate) fn run() -> Result<(), String> {
    let root = tree::root();
    let copy = super::bench::target(&root).join("mutants");
    copy_tree(&root, &copy)?;
    if !tests(&copy, false)?.success {
        return Err("the tests fail without any fault".to_owned());
    }
    let mut missed = Vec::new();
    for mutant in &MUTANTS {
        let path = copy.join(SOURCE).join(mutant.file);
        let sound = read(&path)?;
        write(&path, &mutant.plant(&sound)?)?;
        let is_caught = match tests(&copy, true)?.success {
            true => !tests(&copy, false)?.success,
            false => return Err(format!("{}: does not compile any more", mutant.name)),
        };
        println!("{} {}", if is_caught { "caught" } else { "MISSED" }, mutant.name);
        missed.extend((!is_caught).then_some(mutant.name));
        write(&path, &sound)?;
    }
    match missed.len() {
        0 => Ok(()),
        count => Err(format!("{count} of {} faults are missed", MUTANTS.len())),
    }
}

impl Mutant {
    fn plant(&self, sound: &str) -> Result<String, String> {
        match sound.matches(self.from).count() {
            1 => Ok(sound.replace(self.from, self.to)),
            count => Err(format!("{}: {count} places in {}", self.name, self.file)),
        }
    }
}

fn tests(copy: &Path, only_compile: bool) -> Result<Run, String> {
    // Its own: cargo tells two copies of a workspace in one folder apart by nothing but time.
    let built = copy.join("target");
    let built = built.to_string_lossy();
    let mut words = vec!["test", "--quiet", "--package", "relight-match", "--lib", "--test", "it"];
    words.extend(["--target-dir", &*built]);
    words.extend(only_compile.then_some("--no-run"));
    process::quiet(copy, "cargo", &words)
}

/// The files of the repository; what is the same already keeps its time, so that little is
/// compiled again.
fn copy_tree(root: &Path, copy: &Path) -> Result<(), String> {
    let tree = Tree::read(root).map_err(|error| format!("read {}: {error}", root.display()))?;
    for path in tree.files.keys() {
        let (from, to) = (root.join(path), copy.join(path));
        let bytes = fs::read(&from).map_err(|error| format!("read {path}: {error}"))?;
        if fs::read(&to).is_ok_and(|there| there == bytes) {
            continue;
        }
        let folder = to.parent().unwrap_or(copy);
        let made = fs::create_dir_all(folder).and_then(|()| fs::write(&to, &bytes));
        made.map_err(|error| format!("write {}: {error}", to.display()))?;
    }
    Ok(())
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("read {}: {error}", path.display()))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("write {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_has_its_one_place() {
        let source = tree::root().join(SOURCE);
        for mutant in &MUTANTS {
            let sound = read(&source.join(mutant.file)).unwrap();
            let planted = mutant.plant(&sound).unwrap();
            assert_ne!(planted, sound, "{}", mutant.name);
        }
        let gone = mutant("none", "range.rs", "no such text", "");
        assert!(gone.plant("range").unwrap_err().contains("0 places"));
        assert!(mutant("two", "f", "a", "b").plant("a a").unwrap_err().contains("2 places"));
    }
}
