//! The report as something to hand on: a page of its own, or Markdown for another document.

use relight_engine::incident::flaw_of;
use relight_server::web::markup::escaped;
use relight_server::web::number::stamp;
use relight_server::web::{Lang, texts};

use super::{Row, columns, in_words};
use crate::attribution::Credit;
use crate::context::Context;
use crate::register::Register;
use crate::rows::{self, Form};
use crate::table::Align;
use crate::unseen;

/// Where the vendor stands: before the component.
const VENDOR: usize = 3;

/// Where the times stand: after the action.
const TIMES: usize = 6;

/// How the page looks, on a screen and on paper.
const STYLE: &str = "body{font:14px/1.4 system-ui,sans-serif;margin:2em;color:#111;background:#fff}\
    table{border-collapse:collapse;width:100%}\
    th,td{border-bottom:1px solid #999;padding:4px 8px;text-align:left;vertical-align:top}\
    .n{text-align:right;font-variant-numeric:tabular-nums}\
    @media print{body{margin:0;font-size:11px}thead{display:table-header-group}\
    tr{break-inside:avoid}}";

/// What the report says, in words.
pub(super) struct Told {
    lang: Lang,
    /// Of which flaw, and what it is called.
    title: String,
    name: String,
    /// When it was made.
    made: String,
    summary: String,
    rows: Vec<Vec<String>>,
    sources: Vec<String>,
}

impl Told {
    pub(super) fn of(register: &Register, id: &str, rows: &[Row], context: &Context) -> Self {
        let lang = context.lang;
        let incident = register.ledger.incident(id);
        let opened = incident.map_or(0, |incident| incident.opened);
        let (made, opened) = (stamp(lang, register.now), stamp(lang, opened));
        Self {
            lang,
            title: texts::report_of(lang, id),
            name: incident.map(|incident| incident.title.clone()).unwrap_or_default(),
            made: texts::report_made(lang, &made, &opened),
            summary: summary(register, id, rows.len(), lang),
            rows: handed_on(rows, lang),
            sources: Credit::of(&register.advisories, flaw_of(id))
                .iter()
                .map(Credit::line)
                .collect(),
        }
    }

    /// As Markdown.
    pub(super) fn markdown(&self) -> String {
        let (columns, plain) = (heads(self.lang), rows::escaped);
        let heads: Vec<String> = columns.iter().map(|(name, _)| (*name).to_owned()).collect();
        let mut text = format!("# {}\n\n{}\n\n", plain(&self.title), plain(&self.name));
        text += &format!("{} {}\n\n", self.made, plain(&self.summary));
        text += &rows::line(&heads, Form::Markdown);
        text += "|";
        for (_, align) in &columns {
            text += if *align == Align::Right { " ---: |" } else { " --- |" };
        }
        text.push('\n');
        self.rows.iter().for_each(|cells| text += &rows::line(cells, Form::Markdown));
        if !self.sources.is_empty() {
            text += &format!("\n## {}\n\n", texts::report_sources(self.lang));
            self.sources.iter().for_each(|it| text += &format!("- {}\n", plain(it)));
        }
        text
    }

    /// As a page that needs nothing from elsewhere.
    pub(super) fn html(&self) -> String {
        let (lang, title) = (self.lang.tag(), escaped(&self.title));
        let mut page = format!(
            "<!doctype html>\n<html lang=\"{lang}\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n\
             <style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n"
        );
        for text in [&self.name, &self.made, &self.summary] {
            page += &format!("<p>{}</p>\n", escaped(text));
        }
        let class = |align: Align| if align == Align::Right { " class=\"n\"" } else { "" };
        let columns = heads(self.lang);
        page += "<table>\n<thead>\n<tr>";
        for (name, align) in &columns {
            page += &format!("<th scope=\"col\"{}>{}</th>", class(*align), escaped(name));
        }
        page += "</tr>\n</thead>\n<tbody>\n";
        for cells in &self.rows {
            page += "<tr>";
            for (cell, (_, align)) in cells.iter().zip(&columns) {
                page += &format!("<td{}>{}</td>", class(*align), escaped(cell));
            }
            page += "</tr>\n";
        }
        page += "</tbody>\n</table>\n";
        if !self.sources.is_empty() {
            page += &format!("<h2>{}</h2>\n<ul>\n", escaped(texts::report_sources(self.lang)));
            self.sources.iter().for_each(|it| page += &format!("<li>{}</li>\n", escaped(it)));
            page += "</ul>\n";
        }
        page + "</main>\n</body>\n</html>\n"
    }
}

/// How many there are, and whether anybody looks at them.
fn summary(register: &Register, id: &str, count: usize, lang: Lang) -> String {
    let summary = texts::report_summary(lang, id, count);
    match unseen::sentence(register, lang) {
        Some(unseen) => format!("{summary} {unseen}."),
        None => summary,
    }
}

/// What is handed on of each site: what a terminal shows, and beside it who makes the component and
/// when it was taken off and put back, for which a terminal has no room.
fn heads(lang: Lang) -> Vec<(&'static str, Align)> {
    let mut heads = columns(lang).to_vec();
    heads.insert(VENDOR, (texts::column_vendor(lang), Align::Left));
    heads.insert(TIMES, (texts::column_ordered(lang), Align::Left));
    heads.insert(TIMES + 1, (texts::column_relit(lang), Align::Left));
    heads
}

/// The same of all of them. Times are those of UTC, as in every other form of the report.
fn handed_on(rows: &[Row], lang: Lang) -> Vec<Vec<String>> {
    let mut all = in_words(rows, lang);
    for (cells, row) in all.iter_mut().zip(rows) {
        cells.insert(VENDOR, row.vendor.clone());
        cells.insert(TIMES, row.ordered_at.clone().unwrap_or_default());
        cells.insert(TIMES + 1, row.relit_at.clone().unwrap_or_default());
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names of sites and bodies are what somebody typed or imported.
    #[test]
    fn nothing_that_was_imported_is_a_tag_or_another_row() {
        let evil = "<script>alert(1)</script>|\n|![x](https://a.example/) [x](b) `c\\".to_owned();
        let told = Told {
            lang: Lang::En,
            title: evil.clone(),
            name: evil.clone(),
            made: "made".into(),
            summary: evil.clone(),
            rows: vec![vec![evil.clone(); 10]],
            sources: vec![evil],
        };
        let (html, markdown) = (told.html(), told.markdown());
        assert!(!html.contains("<script") && !markdown.contains("<script"), "{html}{markdown}");
        assert_eq!(html.matches("&lt;script&gt;").count(), 15, "{html}");
        assert!(!markdown.contains("[x]"), "a picture that is fetched, or a link: {markdown}");
        assert!(!markdown.contains(" `c") && markdown.contains(" \\`c\\\\"), "{markdown}");
        let rows = markdown.lines().filter(|line| line.starts_with("| "));
        assert_eq!(rows.count(), 3, "heads, rule, row: {markdown}");
        assert!(
            markdown
                .contains("\n| --- | --- | --- | --- | --- | --- | --- | --- | ---: | ---: |\n")
        );
    }
}
