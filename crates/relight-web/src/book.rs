//! The guide, in the program: the pages of `docs/`, rendered when it is built, and chapters that
//! are made from the program itself, of its commands and of its codes.

use askama::Template;

use crate::Lang;
use crate::texts;
use crate::views::Frame;

include!(concat!(env!("OUT_DIR"), "/book.rs"));

/// One page of the guide.
#[derive(Clone, Copy, Debug)]
pub struct Chapter {
    /// Its name in addresses.
    pub name: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// What stands below it; links lead to `/docs`.
    pub html: &'static str,
    /// Its sections: anchor and heading.
    pub sections: &'static [(&'static str, &'static str)],
}

/// The pages of a language, in the order in which they are read.
pub fn chapters(lang: Lang) -> &'static [Chapter] {
    match lang {
        Lang::Fr => &FR,
        Lang::En => &EN,
    }
}

/// What a command says of itself: for its manual page and for the guide.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sheet {
    /// `relight-incident-off`.
    pub name: String,
    /// `relight incident off`.
    pub words: String,
    /// What it does.
    pub about: String,
    /// What is typed.
    pub usage: String,
    /// Its arguments and options, under their headings.
    pub groups: Vec<SheetGroup>,
    /// The command that it belongs to.
    pub above: Option<String>,
    /// The commands below it: name, and what each does.
    pub below: Vec<(String, String)>,
}

/// Options under one heading.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SheetGroup {
    /// The heading, without a colon.
    pub heading: String,
    /// Its options.
    pub options: Vec<SheetOption>,
}

/// One option or argument.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SheetOption {
    /// `-o` and `--output`; none of an argument.
    pub names: Vec<String>,
    /// What it takes.
    pub values: Vec<String>,
    /// It takes them more than once.
    pub repeats: bool,
    /// What it does.
    pub help: String,
}

impl Sheet {
    /// `incident` of `relight incident off`; `relight` of the program itself.
    pub fn group(&self) -> &str {
        self.words.split(' ').nth(1).unwrap_or(&self.words)
    }
}

/// A list of codes, as documents, answers and messages have them.
#[derive(Clone, Debug)]
pub struct Codes {
    /// The anchor.
    pub anchor: &'static str,
    /// What kind of codes these are.
    pub title: &'static str,
    /// Each code, its words, and what mends it.
    pub rows: Vec<(&'static str, &'static str, &'static str)>,
}

/// Every code that has words: exit statuses first.
pub fn codes(lang: Lang) -> Vec<Codes> {
    let kinds = [
        ("man-exit-", "exit", texts::book_exit(lang)),
        ("reason-", "reason", texts::book_reasons(lang)),
        ("flaw-", "flaw", texts::book_flaws(lang)),
        ("warning-", "warning", texts::book_warnings(lang)),
        ("refusal-", "refusal", texts::book_refusals(lang)),
        ("lint-", "lint", texts::book_lints(lang)),
    ];
    let list = |(prefix, anchor, title)| Codes { anchor, title, rows: rows(lang, prefix) };
    kinds.map(list).into()
}

/// The codes behind a prefix, with their words and what mends them.
fn rows(lang: Lang, prefix: &str) -> Vec<(&'static str, &'static str, &'static str)> {
    let words = |key: &str| texts::by_code(lang, key).unwrap_or_default();
    let codes = texts::keys().filter_map(|key| Some((key, key.strip_prefix(prefix)?)));
    let codes = codes.filter(|(_, code)| !code.ends_with("-remedy"));
    let mut rows: Vec<_> =
        codes.map(|(key, code)| (code, words(key), words(&format!("{key}-remedy")))).collect();
    // Statuses by their numbers, everything else as it is.
    rows.sort_by_key(|(code, ..)| code.parse::<u8>().unwrap_or_default());
    rows
}

/// What stands beside every page of the guide.
#[derive(Clone, Debug, Default)]
pub struct Contents {
    /// Every page: address, title, and whether it is this one.
    pub pages: Vec<(String, String, bool)>,
    /// The sections of this page: anchor and heading.
    pub sections: Vec<(String, String)>,
}

/// The first page of the guide: all others with their sections.
#[derive(Template)]
#[template(path = "book_index.html", whitespace = "minimize")]
pub struct BookIndexPage {
    /// Around it.
    pub frame: Frame,
    /// Beside it.
    pub contents: Contents,
    /// The pages, with their sections.
    pub chapters: &'static [Chapter],
    /// The commands of the first level: name, and what each does.
    pub commands: Vec<(String, String)>,
    /// The lists of codes.
    pub codes: Vec<Codes>,
}

/// One page of the guide.
#[derive(Template)]
#[template(path = "book_chapter.html", whitespace = "minimize")]
pub struct BookChapterPage {
    /// Around it.
    pub frame: Frame,
    /// Beside it.
    pub contents: Contents,
    /// The page.
    pub chapter: &'static Chapter,
}

/// A command with those below it.
#[derive(Template)]
#[template(path = "book_command.html", whitespace = "minimize")]
pub struct BookCommandPage {
    /// Around it.
    pub frame: Frame,
    /// Beside it.
    pub contents: Contents,
    /// It, and those below it.
    pub sheets: Vec<Sheet>,
}

/// What codes mean.
#[derive(Template)]
#[template(path = "book_codes.html", whitespace = "minimize")]
pub struct BookCodesPage {
    /// Around it.
    pub frame: Frame,
    /// Beside it.
    pub contents: Contents,
    /// The lists.
    pub codes: Vec<Codes>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_have_the_same_pages_and_as_many_sections() {
        let of = |lang| chapters(lang).iter().map(|it| (it.name, it.sections.len()));
        assert!(of(Lang::Fr).eq(of(Lang::En)));
        for chapter in Lang::ALL.into_iter().flat_map(chapters) {
            assert!(chapter.html.len() > 1_000 && !chapter.title.is_empty(), "{}", chapter.name);
            // The policy of the page takes neither styles nor scripts.
            for word in ["style=", "<script", "<img", "http-equiv", " onload"] {
                assert!(!chapter.html.contains(word), "{} {word}", chapter.name);
            }
        }
    }

    #[test]
    fn codes_are_told_with_their_words_and_what_mends_them() {
        for lang in Lang::ALL {
            let codes = codes(lang);
            let exit: Vec<&str> = codes[0].rows.iter().map(|(code, ..)| *code).collect();
            assert_eq!(exit, ["0", "1", "2", "3", "4", "10"]);
            for list in &codes {
                assert!(list.rows.len() > 5 && !list.title.is_empty(), "{list:?}");
                assert!(
                    list.rows.iter().all(|(code, words, _)| !code.is_empty() && !words.is_empty())
                );
            }
            let all: Vec<&str> =
                codes.iter().flat_map(|it| &it.rows).map(|(code, ..)| *code).collect();
            for word in ["label", "clean", "none", "remedy"] {
                assert!(!all.contains(&word), "{word} is no code");
            }
            let lints = &codes.last().unwrap().rows;
            let gate = lints.iter().find(|(code, ..)| *code == "gate-missing").unwrap();
            assert!(gate.2.contains("relight edge config"), "{gate:?}");
        }
    }

    #[test]
    fn a_command_knows_the_page_that_it_stands_on() {
        let of = |words: &str| Sheet { words: words.to_owned(), ..Sheet::default() };
        assert_eq!(of("relight incident off").group(), "incident");
        assert_eq!(of("relight").group(), "relight");
    }
}
