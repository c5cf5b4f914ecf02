//! `cargo xtask mutants`: the matcher and the watch with one known fault at a time, in a copy;
//! their tests have to catch each. A fault that they let pass is one that nobody would notice.

mod matching;
mod watch;

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

/// A crate and the faults that its tests have to catch.
struct Subject {
    /// The word on the command line.
    word: &'static str,
    name: &'static str,
    mutants: &'static [Mutant],
}

const SUBJECTS: [Subject; 2] = [
    Subject { word: "match", name: "relight-match", mutants: matching::MUTANTS },
    Subject { word: "watch", name: "relight-watch", mutants: watch::MUTANTS },
];

/// Plants one fault after the other in a crate, or in each, and runs its tests.
///
/// # Errors
/// When no crate is called so, when tests fail without any fault, when a fault cannot be planted
/// or does not compile, or when the tests let one pass.
pub(crate) fn run(words: &[&str]) -> Result<(), String> {
    let is_asked = |subject: &&Subject| words.is_empty() || words.contains(&subject.word);
    let asked: Vec<&Subject> = SUBJECTS.iter().filter(is_asked).collect();
    if asked.len() < words.len() {
        return Err("mutants [match] [watch]".to_owned());
    }
    let root = tree::root();
    let copy = super::bench::target(&root).join("mutants");
    copy_tree(&root, &copy)?;
    let (mut planted, mut missed) = (0, 0);
    for subject in asked {
        planted += subject.mutants.len();
        missed += subject.missed(&copy)?;
    }
    match missed {
        0 => Ok(()),
        count => Err(format!("{count} of {planted} faults are missed")),
    }
}

impl Subject {
    /// How many faults the tests let pass.
    fn missed(&self, copy: &Path) -> Result<usize, String> {
        if !self.tests(copy, false)?.success {
            return Err(format!("the tests of {} fail without any fault", self.name));
        }
        let mut missed = 0;
        for mutant in self.mutants {
            let path = copy.join(self.source()).join(mutant.file);
            let sound = read(&path)?;
            write(&path, &mutant.plant(&sound)?)?;
            let is_caught = match self.tests(copy, true)?.success {
                true => !self.tests(copy, false)?.success,
                false => return Err(format!("{}: does not compile any more", mutant.name)),
            };
            println!("{} {}", if is_caught { "caught" } else { "MISSED" }, mutant.name);
            missed += usize::from(!is_caught);
            write(&path, &sound)?;
        }
        Ok(missed)
    }

    /// Where its files are.
    fn source(&self) -> String {
        format!("crates/{}/src", self.name)
    }

    fn tests(&self, copy: &Path, only_compile: bool) -> Result<Run, String> {
        // Its own: cargo tells two copies of a workspace in one folder apart by nothing but time.
        let built = copy.join("target");
        let built = built.to_string_lossy();
        let mut words = vec!["test", "--quiet", "--package", self.name, "--tests"];
        words.extend(["--target-dir", &*built]);
        words.extend(only_compile.then_some("--no-run"));
        process::quiet(copy, "cargo", &words)
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
        for subject in &SUBJECTS {
            let source = tree::root().join(subject.source());
            for mutant in subject.mutants {
                let sound = read(&source.join(mutant.file)).unwrap();
                let planted = mutant.plant(&sound).unwrap();
                assert_ne!(planted, sound, "{}", mutant.name);
            }
        }
        let gone = mutant("none", "range.rs", "no such text", "");
        assert!(gone.plant("range").unwrap_err().contains("0 places"));
        assert_eq!(run(&["other"]).unwrap_err(), "mutants [match] [watch]");
        assert!(mutant("two", "f", "a", "b").plant("a a").unwrap_err().contains("2 places"));
    }
}
