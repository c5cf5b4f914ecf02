//! Which part of a long list a page shows: a hundred rows, and only those that fit the words that
//! are looked for.

use relight_web::door_views::Part;
use relight_web::{Lang, texts};

use super::Asked;
use super::sites::ROWS_MAX;
use crate::page::encode;

/// The words that are looked for, in small letters.
pub(super) fn words(asked: &Asked) -> String {
    asked.q.trim().to_lowercase()
}

/// Names to choose from; none where they are too many to: then a name is written.
pub(super) fn few(names: Vec<String>) -> Vec<String> {
    if names.len() > ROWS_MAX { Vec::new() } else { names }
}

/// Which page of a list is asked for, of how many.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pager {
    /// From 1; the last one where there are not so many.
    pub(super) page: usize,
    pages: usize,
}

impl Pager {
    /// Of a list of so many rows.
    pub(super) fn of(asked: &Asked, rows: usize) -> Self {
        let pages = rows.div_ceil(ROWS_MAX).max(1);
        Self { page: asked.page.parse().unwrap_or(1).clamp(1, pages), pages }
    }

    /// Its rows, of all.
    pub(super) fn shown<I: IntoIterator>(self, all: I) -> impl Iterator<Item = I::Item> {
        all.into_iter().skip((self.page - 1) * ROWS_MAX).take(ROWS_MAX)
    }

    /// Which one it is, in words, and the addresses of the one before and of the next; empty where
    /// there is none.
    pub(super) fn around(self, lang: Lang, href: impl Fn(usize) -> String) -> [String; 3] {
        let link = |to: usize| match (1..=self.pages).contains(&to) {
            true => href(to),
            false => String::new(),
        };
        let text = texts::sites_page(lang, self.page, self.pages);
        [text, link(self.page - 1), link(self.page + 1)]
    }
}

/// The rows of the page that is asked for, how the list goes on, and the same page in the other
/// language; `path` is its plain address.
pub(super) fn part_of<T>(
    asked: &Asked,
    (path, lang): (&str, Lang),
    rows: Vec<T>,
) -> (Vec<T>, Part, String) {
    let pager = Pager::of(asked, rows.len());
    let looked_for = match asked.q.trim() {
        "" => String::new(),
        words => format!("&q={}", encode(words)),
    };
    let kept = |page: usize| match page {
        1 => looked_for.clone(),
        page => format!("&page={page}{looked_for}"),
    };
    let href = |lang: Lang, page: usize| format!("{path}?lang={}{}", lang.tag(), kept(page));
    let [page, previous, next] = pager.around(lang, |to| href(lang, to));
    let part = Part {
        words: asked.q.trim().to_owned(),
        kept: kept(pager.page),
        page: if pager.pages > 1 { page } else { String::new() },
        previous,
        next,
    };
    (pager.shown(rows).collect(), part, href(lang.other(), pager.page))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_is_not_there_is_the_nearest_one() {
        for (page, rows, wanted) in [
            ("", 0, ("Page 1 of 1", "", "", 0)),
            ("2", ROWS_MAX, ("Page 1 of 1", "", "", ROWS_MAX)),
            ("0", ROWS_MAX + 1, ("Page 1 of 2", "", "to 2", ROWS_MAX)),
            ("9", ROWS_MAX + 1, ("Page 2 of 2", "to 1", "", 1)),
            ("x", ROWS_MAX + 1, ("Page 1 of 2", "", "to 2", ROWS_MAX)),
        ] {
            let asked = Asked { page: page.to_owned(), ..Asked::default() };
            let pager = Pager::of(&asked, rows);
            let [text, previous, next] = pager.around(Lang::En, |to| format!("to {to}"));
            let seen = (&*text, &*previous, &*next, pager.shown(0..rows).count());
            assert_eq!(seen, wanted, "{page} {rows}");
        }
    }
}
