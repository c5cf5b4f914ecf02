//! Files that are cheap to write and were endless to read. None of these tests looks at a clock:
//! what each of them reads took hours before it was bounded, and is killed if it does again.

use relight_scan::Options;

use crate::{one, one_with};

/// Bytes of a text that is one token again and again: a look from each of them to the end of the
/// text is more than 10^11 steps.
const TOKENS_BYTES: usize = 2 << 20;

fn again(token: &str) -> String {
    token.repeat(TOKENS_BYTES / token.len())
}

#[test]
fn attributes_without_quotes() {
    let config = format!("<packages><package {}></packages>", again(" id="));
    assert_eq!(one("packages.config", config.as_bytes()), "");
}

#[test]
fn tags_without_an_end() {
    let flaw = "flaw corrupt-entry x.nuspec\n";
    assert_eq!(one("x.nuspec", again("<id").as_bytes()), flaw);
}

#[test]
fn steps_of_a_workflow_on_one_line() {
    let path = ".github/workflows/x.yml";
    let options = Options { workflows: true, ..Options::default() };
    let one = |path: &str, bytes: &[u8]| one_with(&options, path, bytes);
    for line in [again("{uses: a,"), again("{uses:,") + "\n" + &again(" ") + "x@"] {
        assert_eq!(one(path, line.as_bytes()), "");
    }
    let good = format!("- {{uses: a/b@v1, {}}}", again("c"));
    assert_eq!(one(path, good.as_bytes()), format!("pkg:github/a/b@v1 in {path}\n"));
}

#[test]
fn requirements_and_replacements_of_go() {
    let mut project = String::from("module m\nreplace (\n");
    for number in 0..200_000 {
        project += &format!("a/r{number} => b v1\n");
    }
    project += ")\nrequire (\n";
    for number in 0..40_000 {
        project += &format!("a/q{number} v1\n");
    }
    project += "a/r7 v1\n)\n";
    let got = one("go.mod", project.as_bytes());
    assert_eq!(got.lines().count(), 40_001, "{}", &got[..100]);
    assert!(!got.contains("flaw") && !got.contains("a/r7") && got.contains("pkg:golang/b@v1"));
}

/// An ELF file with so many sections called `.rodata`, each of which is all of these bytes.
fn program(sections: u16, bytes: &[u8]) -> Vec<u8> {
    let mut file = b"\x7fELF\x02\x01\x01".to_vec();
    file.resize(64, 0);
    let (start, names) = (64 + bytes.len() as u64, b"\0.rodata\0");
    file[0x28..0x30].copy_from_slice(&(start + names.len() as u64).to_le_bytes());
    file[0x3a] = 64;
    file[0x3c..0x3e].copy_from_slice(&(sections + 1).to_le_bytes());
    file.extend(bytes);
    file.extend(names);
    let header = |kind: u32, at: u64, len: u64| {
        let mut header = [1, kind].map(u32::to_le_bytes).concat();
        header.extend([0, 0, at, len].map(u64::to_le_bytes).concat());
        header.resize(64, 0);
        header
    };
    // The table of names is the first of them.
    file.extend(header(3, start, names.len() as u64));
    file.extend(header(1, 64, bytes.len() as u64).repeat(usize::from(sections)));
    file
}

#[test]
fn folders_of_crates_without_an_end() {
    assert_eq!(one("p", &program(1, "registry/".repeat(1 << 17).as_bytes())), "");
}

/// What catalogers read of a program is bounded by its size, however often its table names it.
#[test]
fn sections_that_are_all_of_the_program() {
    let bytes = vec![b'x'; 1 << 20];
    assert_eq!(one("p", &program(4, &bytes)), "");
    assert_eq!(one("p", &program(4_000, &bytes)), "flaw limit-expanded p\n");
}
