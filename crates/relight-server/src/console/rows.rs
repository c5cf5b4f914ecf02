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

/// The rows of the page that is asked for, how the list goes on, and the same page in the other
/// language; `path` is its plain address.
pub(super) fn part_of<T>(
    asked: &Asked,
    (path, lang): (&str, Lang),
    rows: Vec<T>,
) -> (Vec<T>, Part, String) {
    let pages = rows.len().div_ceil(ROWS_MAX).max(1);
    let page = asked.page.parse().unwrap_or(1).clamp(1, pages);
    let looked_for = match asked.q.trim() {
        "" => String::new(),
        words => format!("&q={}", encode(words)),
    };
    let kept = |page: usize| match page {
        1 => looked_for.clone(),
        page => format!("&page={page}{looked_for}"),
    };
    let href = |lang: Lang, page: usize| format!("{path}?lang={}{}", lang.tag(), kept(page));
    let link = |to: usize| match (1..=pages).contains(&to) {
        true => href(lang, to),
        false => String::new(),
    };
    let part = Part {
        words: asked.q.trim().to_owned(),
        kept: kept(page),
        page: if pages > 1 { texts::sites_page(lang, page, pages) } else { String::new() },
        previous: link(page - 1),
        next: link(page + 1),
    };
    let shown = rows.into_iter().skip((page - 1) * ROWS_MAX).take(ROWS_MAX).collect();
    (shown, part, href(lang.other(), page))
}
