//! `relight advisories search` and `new`: advisories by words, and those that came last.

use clap::Args;
use relight_engine::matching::Group;
use relight_engine::store::RevisionRow;
use relight_server::web::number::{rfc3339, tenths};
use relight_server::web::texts;
use serde::Serialize;

use crate::context::Context;
use crate::failure::Failure;
use crate::inventory;
use crate::report::Report;

/// Most results that are shown.
const RESULTS_MAX: usize = 1_000;

/// Words that an advisory must hold.
#[derive(Debug, Args)]
pub(super) struct Search {
    #[arg(value_name = "WORD", required = true)]
    words: Vec<String>,
    #[arg(long, value_name = "COUNT", default_value_t = 20,
        value_parser = clap::value_parser!(u16).range(1..=RESULTS_MAX as i64))]
    limit: u16,
}

/// How many.
#[derive(Debug, Args)]
pub(super) struct New {
    #[arg(long, value_name = "COUNT", default_value_t = 20,
        value_parser = clap::value_parser!(u16).range(1..=RESULTS_MAX as i64))]
    limit: u16,
}

#[derive(Serialize)]
struct SearchDocument<'a> {
    found: usize,
    advisories: Vec<FoundRow<'a>>,
}

#[derive(Serialize)]
struct FoundRow<'a> {
    id: &'a str,
    aliases: &'a [String],
    summary: &'a str,
    score: Option<f64>,
    known_exploited: bool,
}

#[derive(Serialize)]
struct NewDocument {
    revisions: Vec<RevisionDocument>,
}

#[derive(Serialize)]
struct RevisionDocument {
    source: String,
    id: String,
    recorded_at: String,
    modified: Option<String>,
    withdrawn: Option<String>,
    flags: String,
}

impl Search {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let known = inventory::advisories(context)?;
        let words: Vec<String> = self.words.iter().map(|word| word.to_lowercase()).collect();
        let found: Vec<&Group> = known.groups().filter(|group| holds(group, &words)).collect();
        let shown = found.iter().take(usize::from(self.limit));
        let rows: Vec<_> = shown.map(|group| row(group)).collect();
        if context.json {
            let document = SearchDocument { found: found.len(), advisories: rows };
            report.document("relight.advisories-search/1", &document);
            return Ok(());
        }
        let lang = context.lang;
        for (row, group) in rows.iter().zip(&found) {
            let score = group.score().map(|score| tenths(lang, u64::from(score)));
            let exploited = if row.known_exploited { " · KEV" } else { "" };
            let score = score.unwrap_or_else(|| "-".to_owned());
            report.line(&format!("{}  {score}{exploited}  {}", row.id, row.summary));
        }
        report.note(&texts::search_found(lang, found.len()));
        Ok(())
    }
}

/// Every word stands in an id, the summary, or the name of a package.
fn holds(group: &Group, words: &[String]) -> bool {
    let names = group.packages().into_iter().map(|package| package.name);
    let ids = group.aliases.iter().chain([&group.id]).cloned();
    let texts = ids.chain(names).chain([group.summary().to_owned()]);
    let text = texts.map(|text| text.to_lowercase()).collect::<Vec<_>>().join("\n");
    words.iter().all(|word| text.contains(word))
}

fn row(group: &Group) -> FoundRow<'_> {
    FoundRow {
        id: &group.id,
        aliases: &group.aliases,
        summary: group.summary(),
        score: group.score().map(|score| f64::from(score) / 10.0),
        known_exploited: group.known_exploited(),
    }
}

impl New {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let newest = match context.store_if_any()? {
            Some(store) => store
                .newest_advisories(usize::from(self.limit))
                .map_err(|error| context.store_failure(&error))?,
            None => Vec::new(),
        };
        let revisions: Vec<_> = newest.into_iter().map(revision).collect();
        if context.json {
            report.document("relight.advisories-new/1", &NewDocument { revisions });
            return Ok(());
        }
        for it in &revisions {
            let withdrawn = match it.withdrawn {
                Some(_) => format!("  {}", texts::revision_withdrawn(context.lang)),
                None => String::new(),
            };
            report.line(&format!("{}  {}  {}{withdrawn}", it.recorded_at, it.source, it.id));
        }
        Ok(())
    }
}

fn revision(row: RevisionRow) -> RevisionDocument {
    let RevisionRow { seq: _, source, id, revision: _, recorded_at, modified, withdrawn, flags } =
        row;
    RevisionDocument {
        source,
        id,
        recorded_at: rfc3339(recorded_at),
        modified: modified.map(rfc3339),
        withdrawn: withdrawn.map(rfc3339),
        flags,
    }
}
