//! Rules about single files: size, first line, comments, and words that have no place in them.
use super::Complaint;
use crate::source::{Comment, Source};
use crate::test_files::TestFiles;
use crate::tree::Tree;

/// Lines of one file.
const FILE_LINES_MAX: usize = 600;
/// Lines of one function, from `fn` to its closing brace.
const FUNCTION_LINES_MAX: usize = 70;
/// Characters of one line.
const COLUMNS_MAX: usize = 100;
/// Lines between a reason and what it is about.
const REASON_LINES_MAX: usize = 3;
/// The only crate that may be asynchronous.
const ASYNC_HOME: &str = "crates/relight-server/";

/// Checks every file.
pub(super) fn check(tree: &Tree, complaints: &mut Vec<Complaint>) {
    let tests = TestFiles::of(tree.rust());
    for (path, text) in tree.rust() {
        check_shape(path, text, complaints);
        let source = Source::parse(text);
        check_functions(path, &source, complaints);
        check_comments(path, &source.comments, complaints);
        check_words(path, &source, tests.contains(path), complaints);
    }
    for (path, text) in tree.files.iter().filter(|(path, _)| is_prose(path)) {
        check_prose(path, text, complaints);
    }
    check_test_binaries(tree, complaints);
}

/// How the text that a program is expected to print begins and ends in a test.
const TRANSCRIPT_START: &str = "expect![[r#\"";
const TRANSCRIPT_END: &str = "\"#]]";

/// Text files that people edit, Rust apart.
fn is_prose(path: &str) -> bool {
    let suffixes = [".toml", ".md", ".sh", ".ftl", ".css", ".js", ".html", ".ci/run"];
    !path.contains("/fixtures/") && suffixes.iter().any(|suffix| path.ends_with(suffix))
}

fn check_shape(path: &str, text: &str, complaints: &mut Vec<Complaint>) {
    if !text.starts_with("//!") {
        complaints.push(Complaint::new(path, 1, "start with `//! What this file is for.`"));
    }
    let count = text.lines().count();
    if count > FILE_LINES_MAX {
        let what = format!("{count} lines, at most {FILE_LINES_MAX}: split the file by subject");
        complaints.push(Complaint::new(path, 0, what));
    }
    let mut in_transcript = false;
    for (number, line) in text.lines().enumerate() {
        // What a program prints stands in a test as it is, however wide.
        in_transcript &= !line.trim_start().starts_with(TRANSCRIPT_END);
        let columns = line.chars().count();
        if columns > COLUMNS_MAX && !in_transcript {
            let what = format!("{columns} columns, at most {COLUMNS_MAX}: break the line");
            complaints.push(Complaint::new(path, number + 1, what));
        }
        check_line_end(path, number, line, complaints);
        in_transcript |= line.ends_with(TRANSCRIPT_START);
    }
}

fn check_line_end(path: &str, number: usize, line: &str, complaints: &mut Vec<Complaint>) {
    if line.ends_with([' ', '\t', '\r']) {
        complaints.push(Complaint::new(path, number + 1, "space at the end: remove it"));
    }
}

fn check_prose(path: &str, text: &str, complaints: &mut Vec<Complaint>) {
    for (number, line) in text.lines().enumerate() {
        check_line_end(path, number, line, complaints);
    }
}

fn check_functions(path: &str, source: &Source, complaints: &mut Vec<Complaint>) {
    for function in source.functions().iter().filter(|f| f.length > FUNCTION_LINES_MAX) {
        let what = format!(
            "`{}` has {} lines, at most {FUNCTION_LINES_MAX}: split it",
            function.name, function.length
        );
        complaints.push(Complaint::new(path, function.line + 1, what));
    }
}

fn check_comments(path: &str, comments: &[Comment], complaints: &mut Vec<Complaint>) {
    for comment in comments {
        let words = comment.text.split(|c: char| !c.is_ascii_alphanumeric());
        if words.into_iter().any(|word| word == "TODO" || word == "FIXME" || word == "XXX") {
            let what = "a task in a comment: do it, or file an issue";
            complaints.push(Complaint::new(path, comment.line + 1, what));
        }
        if is_commented_out(&comment.text) {
            let what = "commented-out code: remove it, history keeps it";
            complaints.push(Complaint::new(path, comment.line + 1, what));
        }
    }
}

/// Whether a plain comment reads like a statement. Doc comments may show code.
fn is_commented_out(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("//") else { return false };
    if rest.starts_with(['/', '!']) {
        return false;
    }
    let rest = rest.trim();
    let starts = ["let ", "use ", "pub ", "fn ", "return ", "if ", "for ", "match ", "}", "#["];
    let statement = rest.ends_with(';')
        && (starts.iter().any(|word| rest.starts_with(word))
            || rest.split(' ').next().is_some_and(|word| word.contains('('))
            || rest.contains(" = "));
    let block = rest.ends_with('{') && starts.iter().any(|word| rest.starts_with(word));
    statement || block || rest == "}" || rest.starts_with("#[")
}

fn check_words(path: &str, source: &Source, whole_file: bool, complaints: &mut Vec<Complaint>) {
    for (number, line) in source.lines() {
        let mut complain = |what: &str| complaints.push(Complaint::new(path, number + 1, what));
        if line.contains("#[ignore") {
            complain("an ignored test proves nothing: repair it or remove it");
        }
        if line.contains("should_panic") {
            complain("`should_panic` passes for any panic: assert on the error instead");
        }
        if is_call(line, "sleep") {
            if whole_file || source.is_test(number) {
                complain("tests do not sleep: wait for the condition with a deadline");
            } else if !has_reason(source, number, line) {
                complain("say in a comment above why it must wait here");
            }
        }
        let asynchronous = has_word(line, "async") || line.contains(".await");
        if asynchronous && !path.starts_with(ASYNC_HOME) {
            complain("asynchronous code lives in relight-server only: block on a thread");
        }
        if has_word(line, "allow") && line.contains("#") && line.contains("[allow(") {
            complain("use #[expect(lint, reason = \"...\")]: it tells when it is not needed");
        }
    }
}

/// Whether a comment says why this 0-based line waits: close above it, or above the constant that
/// it waits for.
fn has_reason(source: &Source, line: usize, text: &str) -> bool {
    let commented = |line: usize| {
        let close = line.saturating_sub(REASON_LINES_MAX)..=line;
        let mut comments = source.comments.iter().filter(|c| !c.text.starts_with("//!"));
        comments.any(|comment| close.contains(&comment.line))
    };
    let argument = text.split_once("sleep(").map_or("", |(_, rest)| rest);
    let name = argument.split(|c: char| !c.is_ascii_uppercase() && c != '_').next().unwrap_or("");
    let declaration = format!("const {name}:");
    let mut lines = source.lines();
    commented(line)
        || (!name.is_empty()
            && lines.any(|(at, line)| line.contains(&declaration) && commented(at)))
}

fn is_call(line: &str, name: &str) -> bool {
    positions(line, name).any(|at| line[at + name.len()..].starts_with('('))
}

fn has_word(line: &str, word: &str) -> bool {
    positions(line, word).next().is_some()
}

/// Where `word` stands as a word of its own.
fn positions<'a>(line: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).map(|(at, _)| at).filter(move |at| {
        !line[..*at].ends_with(is_word) && !line[at + word.len()..].starts_with(is_word)
    })
}

/// Each crate links one integration test binary at most: `tests/it/main.rs`.
fn check_test_binaries(tree: &Tree, complaints: &mut Vec<Complaint>) {
    for (path, _) in tree.rust() {
        let Some((_, inside)) = path.split_once("/tests/") else { continue };
        let binary = !inside.contains('/') || inside.ends_with("/main.rs");
        if path.starts_with("crates/") && binary && inside != "it/main.rs" {
            let what = "one test binary a crate: make it a module of tests/it/main.rs";
            complaints.push(Complaint::new(path, 0, what));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::complaints_of;
    use super::*;

    fn complaints(path: &str, text: &str) -> Vec<String> {
        complaints_of(check, &[(path, text)])
    }

    #[test]
    fn a_good_file_has_no_complaint() {
        let text = "//! Good.\n\n// Because of the proxy; see the manual (1.2);\nfn a() {}\n";
        assert_eq!(complaints("crates/a/src/lib.rs", text), Vec::<String>::new());
    }

    #[test]
    fn a_file_without_introduction_is_found() {
        let found = complaints("a/src/lib.rs", "fn a() {}\n");
        assert_eq!(found, ["a/src/lib.rs:1: start with `//! What this file is for.`"]);
    }

    #[test]
    fn long_files_functions_and_lines_are_found() {
        let long_file = format!("//! A.\n{}", "\n".repeat(600));
        assert!(complaints("a.rs", &long_file)[0].starts_with("a.rs: 601 lines"));
        let long_function = format!("//! A.\nfn f() {{\n{}}}\n", "\n".repeat(69));
        assert!(complaints("a.rs", &long_function)[0].starts_with("a.rs:2: `f` has 71 lines"));
        let long_line = format!("//! {}\n", "é".repeat(97));
        assert!(complaints("a.rs", &long_line)[0].starts_with("a.rs:1: 101 columns"));
        let wide = "x".repeat(101);
        let transcript = format!("//! A.\nexpect![[r#\"\n{wide}\n\"#]]\n{wide}\n");
        assert_eq!(
            complaints("a.rs", &transcript),
            ["a.rs:5: 101 columns, at most 100: break the line"]
        );
        let at_the_limit = format!("//! {}\n{}", "é".repeat(96), "\n".repeat(599));
        assert_eq!(complaints("a.rs", &at_the_limit), Vec::<String>::new());
    }

    #[test]
    fn spaces_at_line_ends_are_found_in_every_text() {
        assert_eq!(complaints("a.rs", "//! A. \n").len(), 1);
        assert_eq!(
            complaints("docs/a.md", "a\nb\t\n"),
            ["docs/a.md:2: space at the end: remove it"]
        );
        assert_eq!(complaints("x/fixtures/a/b.md", "a \n").len(), 0);
    }

    #[test]
    fn tasks_in_comments_are_found_but_not_in_strings() {
        assert_eq!(complaints("a.rs", "//! A.\n// TODO: later\n").len(), 1);
        assert_eq!(complaints("a.rs", "//! A.\n/* FIXME */\n").len(), 1);
        assert_eq!(complaints("a.rs", "//! A.\nconst A: &str = \"// TODO\";\n").len(), 0);
    }

    #[test]
    fn commented_out_code_is_found_but_prose_is_not() {
        for code in ["let a = 1;", "a.push(b);", "}", "#[test]", "fn a() {", "x = y;"] {
            assert_eq!(complaints("a.rs", &format!("//! A.\n// {code}\n")).len(), 1, "{code}");
        }
        for prose in ["First this; then that.", "The edge forgets;", "if it fails"] {
            assert_eq!(complaints("a.rs", &format!("//! A.\n// {prose}\n")).len(), 0, "{prose}");
        }
    }

    #[test]
    fn tests_that_prove_nothing_are_found() {
        assert_eq!(complaints("a.rs", "//! A.\n#[ignore = \"slow\"]\nfn a() {}\n").len(), 1);
        assert_eq!(complaints("a.rs", "//! A.\n#[should_panic]\nfn a() {}\n").len(), 1);
    }

    #[test]
    fn sleeping_needs_a_reason_and_has_none_in_tests() {
        let bare = "//! A.\nfn a() {\n    thread::sleep(B);\n}\n";
        assert!(complaints("crates/a/src/a.rs", bare)[0].contains(":3: say in a comment"));
        let reason = "//! A.\nfn a() {\n    // The edge needs it.\n    thread::sleep(B);\n}\n";
        assert_eq!(complaints("crates/a/src/a.rs", reason).len(), 0);
        let named = "//! A.\n\n/// Why.\nconst PAUSE: u8 = 1;\n\n\n\nfn a() { sleep(PAUSE) }\n";
        assert_eq!(complaints("crates/a/src/a.rs", named).len(), 0);
        let unnamed = named.replace("/// Why.", "");
        assert_eq!(complaints("crates/a/src/a.rs", &unnamed).len(), 1);
        assert!(complaints("crates/a/tests/it/a.rs", reason)[0].contains("do not sleep"));
        let module =
            "//! A.\n#[cfg(test)]\nmod tests {\n    // Why.\n    fn a() { sleep(B); }\n}\n";
        assert!(complaints("crates/a/src/a.rs", module)[0].contains("do not sleep"));
    }

    #[test]
    fn asynchronous_code_has_one_home() {
        let text = "//! A.\nasync fn a() { b().await }\n";
        assert_eq!(complaints("crates/relight-engine/src/a.rs", text).len(), 1);
        assert_eq!(complaints("crates/relight-server/src/a.rs", text).len(), 0);
        assert_eq!(complaints("crates/a/src/a.rs", "//! A.\nfn async_free() {}\n").len(), 0);
    }

    #[test]
    fn allow_is_found() {
        assert_eq!(complaints("a.rs", "//! A.\n#[allow(dead_code)]\nfn a() {}\n").len(), 1);
        assert_eq!(complaints("a.rs", "//! A.\n#![allow(dead_code)]\n").len(), 1);
    }

    #[test]
    fn a_second_test_binary_is_found() {
        let text = "//! A.\n";
        assert_eq!(complaints("crates/a/tests/it/main.rs", text).len(), 0);
        assert_eq!(complaints("crates/a/tests/it/other.rs", text).len(), 0);
        assert_eq!(complaints("crates/a/tests/second.rs", text).len(), 1);
        assert_eq!(complaints("crates/a/tests/second/main.rs", text).len(), 1);
    }
}
