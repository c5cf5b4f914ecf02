//! `/docs`: the guide of this version, with the commands and the codes of the program. It needs no
//! network, and says nothing of the register: whoever may come in reads it.

use std::sync::{Arc, OnceLock};

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use relight_web::book::{
    BookChapterPage, BookCodesPage, BookCommandPage, BookIndexPage, Chapter, Contents, Sheet,
    chapters, codes,
};
use relight_web::views::Frame;
use relight_web::{Lang, texts};

use super::{Asked, Console};
use crate::page;

/// Where the guide is.
pub(crate) const PATH: &str = "/docs";

/// What every command says of itself, in a language.
pub type Manual = fn(Lang) -> Vec<Sheet>;

/// The commands of the program, asked for when somebody wants to read of them.
#[derive(Debug, Default)]
pub(crate) struct Commands {
    manual: Option<Manual>,
    sheets: [OnceLock<Vec<Sheet>>; 2],
}

impl Commands {
    pub(crate) fn new(manual: Option<Manual>) -> Self {
        Self { manual, ..Self::default() }
    }

    fn all(&self, lang: Lang) -> &[Sheet] {
        let Some(manual) = self.manual else { return &[] };
        let [fr, en] = &self.sheets;
        let sheets = match lang {
            Lang::Fr => fr,
            Lang::En => en,
        };
        sheets.get_or_init(|| manual(lang))
    }

    /// The program, and the commands of the first level.
    fn first(&self, lang: Lang) -> impl Iterator<Item = &Sheet> {
        let all = self.all(lang).iter();
        all.filter(|sheet| sheet.words.split(' ').count() <= 2)
    }
}

pub(super) async fn index(State(console): State<Arc<Console>>, asked: Asked) -> Response {
    let lang = console.lang(&asked);
    let first = console.commands.first(lang);
    let page = BookIndexPage {
        contents: contents(&console, lang, PATH, &[]),
        chapters: chapters(lang),
        commands: first.map(|it| (it.group().to_owned(), it.about.clone())).collect(),
        codes: codes(lang),
        frame: frame(&console, &asked, texts::book_title(lang), PATH),
    };
    page::html(StatusCode::OK, relight_web::render(&page))
}

pub(super) async fn chapter(
    State(console): State<Arc<Console>>,
    Path(name): Path<String>,
    asked: Asked,
) -> Response {
    let lang = console.lang(&asked);
    let Some(chapter) = chapters(lang).iter().find(|chapter| chapter.name == name) else {
        return console.nothing(&asked);
    };
    let path = format!("{PATH}/{name}");
    let Chapter { title, sections, .. } = chapter;
    let page = BookChapterPage {
        contents: contents(&console, lang, &path, sections),
        chapter,
        frame: frame(&console, &asked, title, &path),
    };
    page::html(StatusCode::OK, relight_web::render(&page))
}

pub(super) async fn command(
    State(console): State<Arc<Console>>,
    Path(name): Path<String>,
    asked: Asked,
) -> Response {
    let lang = console.lang(&asked);
    let all = console.commands.all(lang).iter();
    let sheets: Vec<Sheet> = all.filter(|sheet| sheet.group() == name).cloned().collect();
    let Some(first) = sheets.first() else { return console.nothing(&asked) };
    let path = format!("{PATH}/commands/{name}");
    let below = sheets.iter().skip(1).map(|it| (it.name.as_str(), it.words.as_str()));
    let page = BookCommandPage {
        contents: contents(&console, lang, &path, &below.collect::<Vec<_>>()),
        frame: frame(&console, &asked, &first.words.clone(), &path),
        sheets,
    };
    page::html(StatusCode::OK, relight_web::render(&page))
}

pub(super) async fn all_codes(State(console): State<Arc<Console>>, asked: Asked) -> Response {
    let lang = console.lang(&asked);
    let (path, codes) = (format!("{PATH}/codes"), codes(lang));
    let sections: Vec<_> = codes.iter().map(|list| (list.anchor, list.title)).collect();
    let page = BookCodesPage {
        contents: contents(&console, lang, &path, &sections),
        frame: frame(&console, &asked, texts::book_codes(lang), &path),
        codes,
    };
    page::html(StatusCode::OK, relight_web::render(&page))
}

fn frame(console: &Console, asked: &Asked, title: &str, path: &str) -> Frame {
    let switch = format!("{path}?lang={}", console.lang(asked).other().tag());
    console.frame(asked, title, "docs", switch)
}

/// Every page of the guide, and the sections of the one at `path`.
fn contents(console: &Console, lang: Lang, path: &str, sections: &[(&str, &str)]) -> Contents {
    let to = |at: &str| format!("{at}?lang={}", lang.tag());
    let entry = |at: String, title: &str| (to(&at), title.to_owned(), at == path);
    let mut pages = vec![entry(PATH.to_owned(), texts::book_title(lang))];
    let texts_of = chapters(lang).iter().map(|it| (format!("{PATH}/{}", it.name), it.title));
    pages.extend(texts_of.map(|(at, title)| entry(at, title)));
    let commands = console.commands.first(lang);
    pages.extend(commands.map(|it| entry(format!("{PATH}/commands/{}", it.group()), &it.words)));
    pages.push(entry(format!("{PATH}/codes"), texts::book_codes(lang)));
    let owned = |(anchor, title): &(&str, &str)| ((*anchor).to_owned(), (*title).to_owned());
    Contents { pages, sections: sections.iter().map(owned).collect() }
}
