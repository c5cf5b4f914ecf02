//! `relight advisories search` and `new`: advisories by words, and those that came last; what to
//! look at first comes first.

use clap::Args;
use relight_engine::matching::Group;
use relight_engine::store::RevisionRow;
use relight_server::web::number::{rfc3339, tenths};
use relight_server::web::texts;
use serde::Serialize;

use crate::attribution::Credit;
use crate::cmd::watch::since::Since;
use crate::context::Context;
use crate::failure::Failure;
use crate::inventory;
use crate::priority::{self, PriorityRow, Ranked, Told as _};
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

/// How many are shown where nobody says.
const NEW_SHOWN: u16 = 20;

/// How many; all that may be shown, where a time says which.
#[derive(Debug, Args)]
pub(super) struct New {
    #[arg(long, value_name = "COUNT",
        value_parser = clap::value_parser!(u16).range(1..=RESULTS_MAX as i64))]
    limit: Option<u16>,
    #[arg(long, value_name = "TIME", value_parser = Since::parse)]
    since: Option<Since>,
}

#[derive(Serialize)]
struct SearchDocument<'a> {
    found: usize,
    advisories: Vec<FoundRow<'a>>,
    /// Whose records these are, under which licence.
    sources: Vec<Credit<'a>>,
}

#[derive(Serialize)]
struct FoundRow<'a> {
    id: &'a str,
    aliases: &'a [String],
    summary: &'a str,
    score: Option<f64>,
    known_exploited: bool,
    priority: PriorityRow,
}

#[derive(Serialize)]
struct NewDocument<'a> {
    revisions: Vec<RevisionDocument>,
    /// Whether more came since the time that was asked for.
    more: bool,
    /// Whose records these are, under which licence.
    sources: Vec<Credit<'a>>,
}

#[derive(Serialize)]
struct RevisionDocument {
    source: String,
    id: String,
    recorded_at: String,
    modified: Option<String>,
    withdrawn: Option<String>,
    flags: String,
    /// Of the flaw that the record is about; null when no record in force knows it.
    priority: Option<PriorityRow>,
}

impl Search {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let known = inventory::advisories(context)?;
        let words: Vec<String> = self.words.iter().map(|word| word.to_lowercase()).collect();
        let store = context.store_if_any()?;
        let ranking = priority::ranking(store.as_deref(), context)?;
        let groups = known.groups().filter(|group| holds(group, &words));
        let mut found: Vec<(&Group, Ranked)> =
            groups.map(|group| (group, ranking.worst(group))).collect();
        found.sort_by(|(a, x), (b, y)| y.priority.cmp(&x.priority).then(a.id.cmp(&b.id)));
        let shown = || found.iter().take(usize::from(self.limit));
        let sources = Credit::of_groups(shown().map(|(group, _)| *group));
        if context.json {
            let advisories = shown().map(|(group, ranked)| row(group, ranked)).collect();
            let document = SearchDocument { found: found.len(), advisories, sources };
            report.document("relight.advisories-search/1", &document);
            return Ok(());
        }
        let lang = context.lang;
        for (group, ranked) in shown() {
            let score = group.score().map(|score| tenths(lang, u64::from(score)));
            let mut facts = vec![score.unwrap_or_else(|| "-".to_owned())];
            facts.extend(ranked.facts(lang));
            report.line(&format!("{}  {}  {}", group.id, facts.join(" · "), group.summary()));
        }
        sources.iter().for_each(|it| it.tell(report));
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

fn row<'a>(group: &'a Group, ranked: &Ranked) -> FoundRow<'a> {
    FoundRow {
        id: &group.id,
        aliases: &group.aliases,
        summary: group.summary(),
        score: group.score().map(|score| f64::from(score) / 10.0),
        known_exploited: group.known_exploited(),
        priority: ranked.row(),
    }
}

impl New {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let store = context.store_if_any()?;
        let limit = match (self.limit, &self.since) {
            (Some(limit), _) => usize::from(limit),
            (None, Some(_)) => RESULTS_MAX,
            (None, None) => usize::from(NEW_SHOWN),
        };
        let since = self.since.map(|since| since.from(context.now()));
        // One more than is shown tells whether there are more.
        let mut newest = match &store {
            Some(store) => {
                store.newest_advisories(limit + 1).map_err(|error| context.store_failure(&error))?
            }
            None => Vec::new(),
        };
        newest.retain(|row| since.is_none_or(|since| row.recorded_at >= since));
        let more = since.is_some() && newest.len() > limit;
        newest.truncate(limit);
        let known = inventory::advisories(context)?;
        let ranking = priority::ranking(store.as_deref(), context)?;
        let ranked = |row: &RevisionRow| known.group(&row.id).map(|group| ranking.worst(group));
        let mut rows: Vec<(RevisionRow, Option<Ranked>)> =
            newest.into_iter().map(|row| (ranked(&row), row)).map(|(it, row)| (row, it)).collect();
        // The newest stays first among those of one priority; what nobody knows comes last.
        rows.sort_by(|(_, a), (_, b)| {
            let place = |it: &Option<Ranked>| it.as_ref().map(|it| it.priority.clone());
            place(b).cmp(&place(a))
        });
        let named: Vec<(String, String)> =
            rows.iter().map(|(row, _)| (row.source.clone(), row.id.clone())).collect();
        let named = named.iter().map(|(source, id)| (source.as_str(), id.as_str()));
        let sources = Credit::of_records(named);
        if context.json {
            let revisions = rows.into_iter().map(|(row, ranked)| revision(row, ranked)).collect();
            report.document("relight.advisories-new/1", &NewDocument { revisions, more, sources });
            return Ok(());
        }
        for (row, ranked) in &rows {
            let withdrawn = row.withdrawn.map(|_| texts::revision_withdrawn(context.lang));
            let facts =
                ranked.as_ref().map(|it| it.facts(context.lang).join(" · ")).unwrap_or_default();
            let recorded = rfc3339(row.recorded_at);
            let more = [&*facts, withdrawn.unwrap_or_default()];
            let more: String = more
                .iter()
                .filter(|it| !it.is_empty())
                .fold(String::new(), |all, it| all + "  " + it);
            report.line(&format!("{recorded}  {}  {}{more}", row.source, row.id));
        }
        sources.iter().for_each(|it| it.tell(report));
        if more {
            report.note(&texts::advisories_new_more(context.lang, RESULTS_MAX, rows.len()));
        }
        Ok(())
    }
}

fn revision(row: RevisionRow, ranked: Option<Ranked>) -> RevisionDocument {
    let RevisionRow { seq: _, source, id, revision: _, recorded_at, modified, withdrawn, flags } =
        row;
    RevisionDocument {
        source,
        id,
        recorded_at: rfc3339(recorded_at),
        modified: modified.map(rfc3339),
        withdrawn: withdrawn.map(rfc3339),
        flags,
        priority: ranked.map(|it| it.row()),
    }
}
