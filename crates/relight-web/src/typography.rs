//! How each language sets its signs, checked on the catalogue as it is written: texts with
//! arguments cannot be checked one by one when they are rendered.

use std::fs;
use std::path::Path;

/// (file, 1-based line, text) of every line of a language that is not a comment.
fn lines(lang: &str) -> Vec<(String, usize, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("texts").join(lang);
    let mut lines = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        let kept = text.lines().zip(1..).filter(|(line, _)| !line.starts_with('#'));
        lines.extend(kept.map(|(line, number)| (name.clone(), number, line.to_owned())));
    }
    lines
}

/// A space of any kind.
fn is_space(letter: Option<char>) -> bool {
    letter.is_some_and(|letter| [' ', '\u{a0}', '\u{202f}'].contains(&letter))
}

/// What people type with a colon at its end: the colon is part of the word.
const TYPED: [&str; 7] = ["dir", "file", "oci", "docker-archive", "host", "image", "unix"];

/// A directive whose last word is `!`.
const DIRECTIVE: &str = "ProxyPass /.relight/ !";

/// Whether the word before a place is one that is typed so.
fn is_typed(letters: &[char], end: usize) -> bool {
    let start = letters[..end].iter().rposition(|letter| is_space(Some(*letter)));
    let word: String = letters[start.map_or(0, |at| at + 1)..end].iter().collect();
    TYPED.contains(&word.as_str())
}

/// What is wrong with a line of French, if anything: no space before `;`, `!` and `?`, one before
/// a colon that ends a word, and inside of « ».
fn wrong_in_french(line: &str) -> Option<&'static str> {
    let text = line.split_once(" = ").map_or(line, |(_, text)| text).replace(DIRECTIVE, "");
    let letters: Vec<char> = text.chars().collect();
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).map(|at| letters[at]);
        let after = letters.get(at + 1).copied();
        let ends = after.is_none() || is_space(after);
        match letter {
            ';' | '!' | '?' if ends && is_space(before) => return Some("a space before ; ! or ?"),
            ':' if ends && before.is_some() && !is_space(before) && !is_typed(&letters, at) => {
                return Some("no space before a colon");
            }
            '«' if !is_space(after) => return Some("no space after «"),
            '»' if !is_space(before) => return Some("no space before »"),
            _ => {}
        }
    }
    None
}

/// What is wrong with a line of English: a space before any of these signs, and French quotes.
fn wrong_in_english(line: &str) -> Option<&'static str> {
    let text = line.split_once(" = ").map_or(line, |(_, text)| text).replace(DIRECTIVE, "");
    let letters: Vec<char> = text.chars().collect();
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).map(|at| letters[at]);
        let after = letters.get(at + 1).copied();
        let ends = after.is_none() || is_space(after);
        match letter {
            // A lone sign, as in a list of signs, has a comma or nothing after it.
            ';' | ':' | '!' if ends && is_space(before) && at > 1 => {
                return Some("a space before a sign");
            }
            '«' | '»' => return Some("French quotes"),
            _ => {}
        }
    }
    None
}

fn check(lang: &str, wrong: impl Fn(&str) -> Option<&'static str>) {
    let found: Vec<String> = lines(lang)
        .iter()
        .filter_map(|(file, number, line)| {
            Some(format!("{lang}/{file}:{number}: {}: {line}", wrong(line)?))
        })
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn every_line_of_french_is_set_as_french() {
    check("fr", wrong_in_french);
}

#[test]
fn every_line_of_english_is_set_as_english() {
    check("en", wrong_in_english);
}

#[test]
fn mistakes_are_seen() {
    for line in ["a = non ; oui", "a = quoi ?", "a = ici: là", "a = «mot»", "a = fin :\u{a0}; x"]
    {
        assert!(wrong_in_french(line).is_some(), "{line}");
    }
    for line in [
        "a = non; oui",
        "a = quoi? dir:x",
        "a = ici : là",
        "a = « mot »",
        "a = http://x",
        "a = oci: suivi",
    ] {
        assert_eq!(wrong_in_french(line), None, "{line}");
    }
    for line in ["a = here : there", "a = « word »", "a = no !"] {
        assert!(wrong_in_english(line).is_some(), "{line}");
    }
    assert_eq!(wrong_in_english("a = here: there; no! dir:x"), None);
}
