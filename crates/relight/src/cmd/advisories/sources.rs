//! `relight advisories sources`: who says what is bad, under which licence, and how old it is.

use std::collections::{BTreeMap, BTreeSet};

use clap::{Args, Subcommand};
use relight_engine::fetch::late_after;
use relight_engine::matching::package_of;
use relight_engine::silenced::{disable_source, disabled_sources, enable_source};
use relight_engine::store::{self, LATE_S, SourceState, Store};
use relight_formats::advisory::{self, source_info};
use relight_model::Timestamp;
use relight_server::web::number::rfc3339;
use relight_server::web::texts;
use serde::Serialize;

use super::feeds::FeedRow;
use super::{UPDATED_KEY, changes};
use crate::context::Context;
use crate::failure::{Failure, coded};
use crate::inventory;
use crate::report::Report;

/// The state of a source that an operator has switched off.
const DISABLED: &str = "disabled";

#[derive(Serialize)]
struct Document {
    updated: Option<String>,
    sources: Vec<Row>,
    /// What is fetched over the network.
    feeds: Vec<FeedRow>,
    /// Ecosystems of the register that no source speaks about.
    gaps: Vec<String>,
}

#[derive(Serialize)]
struct Row {
    name: String,
    state: &'static str,
    records: u64,
    withdrawn: u64,
    vanished: u64,
    stale: u64,
    last_success: Option<String>,
    /// Since when nothing of it counts.
    disabled_since: Option<String>,
    licence: &'static str,
    attribution: &'static str,
    url: &'static str,
}

/// What to do with sources; nothing shows them.
#[derive(Debug, Args)]
pub(super) struct Sources {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    Disable(Named),
    Enable(Named),
}

#[derive(Debug, Args)]
struct Named {
    #[arg(value_name = "NAME")]
    name: String,
}

impl Sources {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let store_failed = |error| context.store_failure(&error);
        match self.action {
            None => {}
            Some(Action::Disable(Named { name })) => {
                let store = context.existing_store()?;
                let hand = changes::Hand::of(context, &store, report)?;
                disable_source(&store, &name, hand.by()).map_err(store_failed)?.map_err(
                    |fault| {
                        let (what, remedy) = coded(context.lang, fault.as_str());
                        Failure::usage(texts::labelled(context.lang, what, &name)).hint(remedy)
                    },
                )?;
            }
            Some(Action::Enable(Named { name })) => {
                let store = context.existing_store()?;
                let hand = changes::Hand::of(context, &store, report)?;
                enable_source(&store, &name, hand.by()).map_err(store_failed)?;
            }
        }
        show(context, report)
    }
}

/// Shows every source.
fn show(context: &Context, report: &mut Report) -> Result<(), Failure> {
    let failed = |error| context.store_failure(&error);
    let (sources, feeds, gaps_of_none) = (vec![builtin()], Vec::new(), Vec::new());
    let mut document = Document { updated: None, sources, feeds, gaps: gaps_of_none };
    if let Some(store) = context.store_if_any()? {
        let rows = store.advisory_sources().map_err(failed)?;
        let late = late_after(&store).map_err(failed)?;
        document.sources.extend(rows.into_iter().map(|it| row(it, &late, context.now())));
        let disabled = disabled_sources(&store).map_err(failed)?;
        // The scores of EPSS are no records: it has a row only while it is switched off.
        for name in disabled.keys() {
            if document.sources.iter().all(|row| row.name != *name) {
                document.sources.push(bare(name));
            }
        }
        for row in &mut document.sources {
            if let Some(at) = disabled.get(&row.name) {
                (row.state, row.disabled_since) = (DISABLED, Some(rfc3339(*at)));
            }
        }
        let updated = store.meta_get(UPDATED_KEY).map_err(failed)?;
        document.updated = updated.and_then(|text| text.parse().ok()).map(rfc3339);
        document.gaps = gaps(context, &store)?;
        document.feeds = FeedRow::all(&store, context)?;
    }
    if context.json {
        report.document("relight.sources/2", &document);
    } else {
        text(&document, context, report);
    }
    Ok(())
}

/// The records that ship with the program are as old as the program.
fn builtin() -> Row {
    let records = advisory::BUILTIN.len() as u64;
    Row { records, attribution: "", url: "", ..bare(advisory::BUILTIN_SOURCE) }
}

/// A source of which the register holds no records.
fn bare(name: &str) -> Row {
    let info = source_info(name);
    Row {
        name: name.to_owned(),
        state: SourceState::Fresh.as_str(),
        records: 0,
        withdrawn: 0,
        vanished: 0,
        stale: 0,
        last_success: None,
        disabled_since: None,
        licence: info.map_or("", |info| info.licence),
        attribution: info.map_or("", |info| info.attribution),
        url: info.map_or("", |info| info.url),
    }
}

fn row(source: store::SourceRow, late: &BTreeMap<String, i64>, now: Timestamp) -> Row {
    let info = source_info(&source.name);
    let late_s = late.get(&source.name).copied().unwrap_or(LATE_S);
    Row {
        state: source.state(now, late_s).as_str(),
        records: source.records,
        withdrawn: source.withdrawn,
        vanished: source.vanished,
        stale: source.stale,
        last_success: source.last_success.map(rfc3339),
        disabled_since: None,
        licence: info.map_or("", |info| info.licence),
        attribution: info.map_or("", |info| info.attribution),
        url: info.map_or("", |info| info.url),
        name: source.name,
    }
}

/// What to do about the state of a source, by what brings it.
pub(crate) struct Remedies(Vec<FeedRow>);

impl Remedies {
    /// Those of a register.
    pub(crate) fn of(store: &Store, context: &Context) -> Result<Self, Failure> {
        FeedRow::all(store, context).map(Self)
    }

    /// The command for a source in this state; nothing where it is as it should be.
    pub(crate) fn next(&self, source: &str, state: SourceState) -> Option<String> {
        next(source, state.as_str(), &self.0)
    }
}

/// What to do about the state of a source; nothing where it is as it should be.
fn next(source: &str, state: &str, feeds: &[FeedRow]) -> Option<String> {
    let feed = feeds.iter().find(|feed| feed.brings(source));
    let update = || match feed {
        Some(feed) => format!("relight advisories update {}", feed.name()),
        None => "relight advisories update --offline DIR".to_owned(),
    };
    let is = |it: SourceState| state == it.as_str();
    match () {
        () if state == DISABLED => Some(format!("relight advisories sources enable {source}")),
        () if is(SourceState::Refused) => Some(match feed {
            Some(_) => format!("{} --accept {source}", update()),
            None => format!("relight advisories import --accept {source} FILE"),
        }),
        // What its last documents were like stands in the warnings of reading them again.
        () if is(SourceState::Late) || is(SourceState::Never) || is(SourceState::Failing) => {
            Some(update())
        }
        () => None,
    }
}

/// Ecosystems that are installed somewhere and that no record names, and releases of
/// distributions of which none speaks though some does of others.
fn gaps(context: &Context, store: &Store) -> Result<Vec<String>, Failure> {
    let index = store::Index::build(store).map_err(|error| context.store_failure(&error))?;
    let named = index.identities().map(|(_, component)| component);
    let named: Vec<_> = named.filter(|it| it.purl.kind != "generic").collect();
    let held: BTreeSet<_> = named.iter().map(|it| package_of(&it.purl).ecosystem).collect();
    let known = inventory::advisories(context)?;
    let groups = known.groups().flat_map(|group| group.packages());
    let spoken: BTreeSet<_> = groups.map(|package| package.ecosystem).collect();
    let unspoken = named.iter().filter_map(|it| known.unspoken(it));
    let releases = unspoken
        .filter(|it| spoken.contains(&it.ecosystem))
        .filter_map(|it| Some(format!("{}:{}", it.ecosystem.as_str(), it.release?)));
    let ecosystems = held.difference(&spoken).map(|it| it.as_str().to_owned());
    let gaps: BTreeSet<String> = ecosystems.chain(releases).collect();
    Ok(gaps.into_iter().collect())
}

fn text(document: &Document, context: &Context, report: &mut Report) {
    let lang = context.lang;
    for row in &document.sources {
        let records = usize::try_from(row.records).unwrap_or(usize::MAX);
        let state = texts::by_code(lang, &format!("source-state-{}", row.state));
        let line = texts::source_records(lang, records, &row.name);
        report.line(&format!("{line}, {}", state.unwrap_or(row.state)));
        if !row.licence.is_empty() {
            let attribution = [row.licence, row.attribution, row.url];
            let parts: Vec<_> = attribution.into_iter().filter(|it| !it.is_empty()).collect();
            report.line(&format!("  {}", parts.join(" · ")));
        }
        let marks = [("vanished", row.vanished), ("stale-record", row.stale)];
        for (kind, count) in marks.into_iter().filter(|(_, count)| *count > 0) {
            let words = texts::by_code(lang, &format!("source-{kind}")).unwrap_or(kind);
            report.line(&format!("  {}", texts::labelled(lang, words, &count.to_string())));
        }
        if let Some(next) = next(&row.name, row.state, &document.feeds) {
            report.next(&next);
        }
    }
    document.feeds.iter().for_each(|row| row.tell(lang, report));
    for gap in &document.gaps {
        report.line(&texts::source_gap(lang, gap));
    }
    match &document.updated {
        Some(at) => report.line(&texts::sources_updated(lang, at)),
        None => report.line(texts::sources_never_updated(lang)),
    }
}
