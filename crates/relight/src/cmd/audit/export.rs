//! `relight audit export`: the journal as a file that can be verified, or for another system.

use clap::Args;
use relight_engine::store::JournalRecord;
use relight_server::web::number::rfc3339;
use relight_server::web::texts;

use super::{file, line};
use crate::context::Context;
use crate::failure::Failure;
use crate::localise::one_of;
use crate::report::Report;

/// In which form, and from when on.
#[derive(Debug, Args)]
pub(super) struct Export {
    #[arg(short, long, default_value = "jsonl", value_parser = one_of(&["jsonl", "ocsf", "cef"]))]
    format: String,
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
}

impl Export {
    /// The chain is verified over a whole journal only, so its own form knows no `--since`.
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let lang = context.lang;
        let since = self.since.unwrap_or_default();
        if !since.is_empty() && !is_moment(&since) {
            return Err(Failure::usage(texts::audit_bad_time(lang, &since))
                .hint(texts::audit_bad_time_remedy(lang)));
        }
        if self.format == "jsonl" {
            if since.is_empty() {
                return file::export(context, report);
            }
            return Err(Failure::usage(texts::audit_whole_only(lang))
                .hint(texts::audit_whole_only_remedy(lang)));
        }
        let store = context.existing_store()?;
        let failed = |error| context.store_failure(&error);
        // What is appended meanwhile belongs to the next export.
        let (entries, _) = store.journal_head().map_err(failed)?;
        let mut from = 1;
        while from <= entries {
            let page = store.journal_page(from).map_err(failed)?;
            let Some(last) = page.last() else { break };
            from = last.seq + 1;
            // Times in this form sort as texts do.
            let told =
                |record: &&JournalRecord| record.seq <= entries && rfc3339(record.time) >= since;
            page.iter().filter(told).for_each(|it| report.raw(&line::of(it, &self.format)));
        }
        Ok(())
    }
}

/// `2026-11-28` or `2026-11-28T20:00:00Z`.
fn is_moment(text: &str) -> bool {
    let form = "0000-00-00T00:00:00Z";
    let fits = |(sign, wanted): (char, char)| match wanted {
        '0' => sign.is_ascii_digit(),
        wanted => sign == wanted,
    };
    matches!(text.len(), 10 | 20) && text.is_ascii() && text.chars().zip(form.chars()).all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments() {
        for good in ["2026-11-28", "2026-11-28T20:00:00Z"] {
            assert!(is_moment(good), "{good}");
        }
        for bad in
            ["", "2026", "2026-11-28T20:00", "28-11-2026", "2026-11-28T20:00:00+", "2026/11/28"]
        {
            assert!(!is_moment(bad), "{bad}");
        }
        assert!(rfc3339(0).as_str() >= "1970-01-01" && rfc3339(0).as_str() < "1970-01-02");
    }
}
