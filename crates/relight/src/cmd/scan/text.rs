//! What was found in one target, for people.

use relight_model::{Flaw, Purl};
use relight_scan::Report as Scanned;
use relight_server::web::{Lang, texts, words};

use super::document::Hit;
use crate::context::Context;
use crate::inventory;
use crate::report::{Report, Style};

/// Places that could not be read, shown as text; `--json` has all.
const UNREAD_SHOWN_MAX: usize = 20;

/// The answer on a terminal.
pub(super) fn text(scanned: &Scanned, hits: &[Hit<'_>], context: &Context, report: &mut Report) {
    let lang = context.lang;
    let components = scanned.sbom.components.len();
    let deepest = u64::from(scanned.deepest);
    report.line(&texts::scan_summary(lang, scanned.archives, components, deepest, scanned.files));
    for hit in hits {
        let certain = hit.finding.state.is_affected();
        let glyph = if certain { "◆" } else { "?" };
        let style = if certain { Style::Bad } else { Style::Warn };
        let mark = report.paint(style, &format!("{glyph} {}", hit.finding.id));
        let exploited = if hit.finding.known_exploited { "  KEV" } else { "" };
        let state = match hit.finding.state {
            relight_model::FindingState::Affected => String::new(),
            other => format!("  ({})", inventory::state_words(lang, other)),
        };
        let named = |purl: &Purl| format!("{} {}", purl.name, purl.version);
        let what = hit.purl.map_or_else(|| texts::scan_file(lang).to_owned(), named);
        report.line(&format!("{mark}  {what}{exploited}  {}{state}", hit.evidence));
    }
    if !scanned.hidden.is_empty() {
        report.line(&texts::scan_hidden(lang, scanned.hidden.len()));
        for component in &scanned.hidden {
            let Purl { name, version, .. } = &component.purl;
            report.line(&format!("  {name} {version}  {}", component.evidence));
        }
    }
    unread(&scanned.sbom.flaws, lang, report);
}

/// The places that were not read, as far as they fit.
fn unread(flaws: &[Flaw], lang: Lang, report: &mut Report) {
    if flaws.is_empty() {
        return;
    }
    let mark = report.paint(Style::Warn, "?");
    report.line(&format!("{mark} {}", texts::scan_unread(lang, flaws.len())));
    for flaw in flaws.iter().take(UNREAD_SHOWN_MAX) {
        let line = texts::labelled(lang, &flaw.evidence, words::flaw(lang, flaw.code));
        report.line(&format!("  {line}"));
    }
    if flaws.len() > UNREAD_SHOWN_MAX {
        report.line(&texts::and_more_places(lang, flaws.len() - UNREAD_SHOWN_MAX));
    }
    report.hint(texts::scan_unread_remedy(lang));
}
