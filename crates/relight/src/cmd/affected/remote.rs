//! `relight affected --server`: the answer of a server, about the sites that its caller may read.

use relight_model::{UnknownReason, Verdict};
use relight_server::web::number::rfc3339;
use relight_server::web::{Lang, texts, words};

use super::document::{Document, Item};
use super::{Affected, number, place};
use crate::cmd::incident::remote::unreached;
use crate::context::Context;
use crate::failure::Failure;
use crate::register::past_moment;
use crate::report::{Exit, Report, Style};
use crate::table::{Align, Table};

/// Sites shown when nobody asked for every one.
const ROWS_SHOWN_MAX: usize = 20;

impl Affected {
    /// Asks a server, and tells what it says. What cannot be made out is no answer.
    pub(super) fn ask(
        &self,
        server: &str,
        what: &str,
        context: &Context,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let lang = context.lang;
        if let Some(by) = self.by.as_deref().filter(|by| !["site", "none"].contains(by)) {
            let refused = texts::usage_bad_value(lang, "--by", by);
            return Err(Failure::usage(refused).hint(texts::affected_remote_by_remedy(lang)));
        }
        let now = context.now();
        let at = self.at.as_deref().map(|at| past_moment(at, now, lang)).transpose()?;
        let mut query = vec![("q", what), ("sites", self.sites.as_str())];
        query.extend(self.at.as_deref().map(|at| ("at", at)));
        let answer: Document = self.remote.read(server, ("/api/v1/affected", &query), context)?;
        // The end of today is now, and now is another moment there, of the same day.
        let is_today = |at: &str| answer.at.get(..10).is_some_and(|day| at.starts_with(day));
        let is_of_then = |at| answer.at == rfc3339(at) || at == now && is_today(&rfc3339(at));
        let is_of_then = at.is_none_or(is_of_then);
        if !answer.answers(what.trim()) || !is_of_then {
            return Err(unreached(texts::remote_not_this_question(lang), server, context));
        }
        if context.json {
            report.document("relight.answer/1", &answer);
        } else {
            self.tell(&answer, lang, report);
        }
        self.raise(|verdict| answer.count(verdict), report);
        // Of sites that may not be read nothing is known: it is no "none of them".
        if answer.part && answer.items.is_empty() {
            report.raise(Exit::Incomplete);
        }
        Ok(())
    }

    fn tell(&self, answer: &Document, lang: Lang, report: &mut Report) {
        let title = report.paint(Style::Strong, &answer.query);
        report.line(&title);
        if !answer.sources_disabled.is_empty() {
            let names: Vec<&str> = answer.sources_disabled.iter().map(String::as_str).collect();
            let sentence = texts::sources_disabled(lang, &names.join(", "));
            report.line(&report.paint(Style::Bad, &format!("  {sentence}")));
        }
        let [affected, clear, unknown] =
            [Verdict::Affected, Verdict::Clear, Verdict::Unknown].map(|it| answer.count(it));
        let total = answer.items.len();
        report.line(&texts::affected_summary(lang, affected, clear, total, unknown));
        if answer.part {
            report.line(texts::affected_part(lang));
        }
        self.by_item(answer, lang, report);
        for (reason, count) in &answer.reasons {
            let why = texts::labelled(lang, why(lang, reason), &number(lang, *count));
            report.line(&format!(" ? {why}"));
        }
        for item in answer.items.iter().filter(|_| self.paths) {
            item.evidence.iter().for_each(|path| report.line(&format!(" ◆ {}  {path}", item.site)));
        }
    }

    /// One line a site: those that need somebody first.
    fn by_item(&self, answer: &Document, lang: Lang, report: &mut Report) {
        let is_all = self.by.as_deref() == Some("none");
        let placed = |item| Some((place(Item::verdict(item)?), item));
        let mut rows: Vec<(u8, &Item)> = answer.items.iter().filter_map(placed).collect();
        rows.retain(|(at, _)| is_all || *at != place(Verdict::Clear));
        // A stable sort: by short name within.
        rows.sort_by_key(|(at, _)| *at);
        let shown = if self.by.is_some() { rows.len() } else { ROWS_SHOWN_MAX };
        let mut table = Table::new(&[
            (texts::column_site(lang), Align::Left),
            (texts::column_verdict(lang), Align::Left),
            (texts::column_reason(lang), Align::Left),
        ]);
        for (_, item) in rows.iter().take(shown) {
            let Some(verdict) = item.verdict() else { continue };
            let why = match verdict {
                Verdict::Affected => item.evidence.join(", "),
                _ => item.reasons.iter().map(|code| why(lang, code)).collect::<Vec<_>>().join(", "),
            };
            table.row(vec![item.site.clone(), words::verdict(lang, verdict).to_owned(), why]);
        }
        table.print(report);
        if rows.len() > shown {
            report.line(&texts::and_more_places(lang, rows.len() - shown));
        }
    }
}

/// A reason in words; one that only a newer server has, by its name.
fn why(lang: Lang, code: &str) -> &str {
    UnknownReason::parse(code).map_or(code, |reason| words::reason(lang, reason))
}
