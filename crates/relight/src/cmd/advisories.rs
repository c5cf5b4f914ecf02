//! `relight advisories`: what is known to be bad, from whom, and why a component matches.

mod changes;
mod cvss;
mod explain;
mod feeds;
pub(crate) mod fetch;
mod import;
mod order;
mod own;
mod policy;
mod ratings;
mod search;
mod sources;
mod stated;
mod statements;

use std::collections::BTreeSet;

use clap::{Args, Subcommand};
use relight_engine::matching::{Advisories as Known, Group};
use relight_engine::store::{Store, StoreError};
use relight_formats::advisory::source_info;
use relight_model::{Example, Exhibit, RangeEvent, Signal, Timestamp};
use relight_server::clock;
use relight_server::web::number::{percent, rfc3339, tenths};
use relight_server::web::{Lang, texts};
use serde::Serialize;

use crate::context::Context;
use crate::failure::Failure;
use crate::inventory;
use crate::priority::{self, PriorityRow, Ranked, Told as _};
use crate::register::unknown_advisory;
use crate::report::{Report, Style};

pub(crate) use relight_engine::import::UPDATED_KEY;

pub(crate) use self::import::take_files;
use self::ratings::RatingRow;
pub(crate) use self::sources::Remedies;

/// What to do with advisories.
#[derive(Debug, Args)]
pub(crate) struct Advisories {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Import(import::Import),
    Update(import::Update),
    Show(Show),
    Explain(explain::Explain),
    Declare(own::Declare),
    Bind(own::Bind),
    Retire(own::Retire),
    Vex(statements::Vex),
    Policy(policy::SetPolicy),
    Changes(changes::Changes),
    Order(order::Order),
    Cvss(cvss::Cvss),
    Search(search::Search),
    New(search::New),
    Feeds(feeds::Feeds),
    Sources(sources::Sources),
}

#[derive(Debug, Args)]
struct Show {
    #[arg(value_name = "ID")]
    id: String,
    #[arg(long)]
    sources: bool,
    #[arg(long)]
    history: bool,
}

#[derive(Serialize)]
struct ShowDocument<'a> {
    id: &'a str,
    aliases: &'a [String],
    summary: &'a str,
    score: Option<f64>,
    ratings: Vec<RatingRow<'a>>,
    known_exploited: bool,
    revision: String,
    text_revision: String,
    packages: Vec<PackageRow>,
    priority: PriorityRow,
    signals: Vec<SignalRow>,
    sources: Vec<SourceRow<'a>>,
}

/// What is known about exploitation; fields that a kind does not have are left out.
#[derive(Default, Serialize)]
struct SignalRow {
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    catalogue: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    added: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    due: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ransomware: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    removed: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    percentile: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exploitation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    automatable: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    impact: Option<String>,
}

impl SignalRow {
    fn of(signal: Signal) -> Self {
        match signal {
            Signal::Kev { catalogue, added, due, ransomware, removed } => Self {
                kind: "kev",
                catalogue: Some(catalogue),
                added: added.map(rfc3339),
                due: due.map(rfc3339),
                ransomware: Some(ransomware),
                removed: removed.map(rfc3339),
                ..Self::default()
            },
            Signal::Epss { score, percentile, date, model } => Self {
                kind: "epss",
                score: Some(f64::from(score) / 1e6),
                percentile: Some(f64::from(percentile) / 1e6),
                added: Some(rfc3339(date)),
                model: Some(model),
                ..Self::default()
            },
            Signal::Ssvc { exploitation, automatable, impact, role: _, at } => Self {
                kind: "ssvc",
                exploitation: Some(exploitation),
                automatable: Some(automatable),
                impact: Some(impact),
                added: at.map(rfc3339),
                ..Self::default()
            },
        }
    }
}

#[derive(Serialize)]
struct PackageRow {
    ecosystem: String,
    name: String,
}

#[derive(Serialize)]
struct SourceRow<'a> {
    source: &'a str,
    id: &'a str,
    revision: String,
    modified: Option<String>,
    withdrawn: Option<String>,
    /// Since when nothing of its source counts; left out where it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    source_disabled: Option<String>,
    status: &'a str,
    licence: &'static str,
    attribution: &'static str,
    references: &'a [String],
    /// Every revision that was read, oldest first; left out unless it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<Vec<RevisionRow>>,
}

#[derive(Serialize)]
struct RevisionRow {
    recorded: String,
    revision: String,
    modified: Option<String>,
    withdrawn: Option<String>,
    flags: Vec<String>,
}

impl RevisionRow {
    /// The revisions of a record; those that ship with relight have none.
    fn all(record: &relight_model::Advisory, store: &Store) -> Result<Vec<Self>, StoreError> {
        let rows = store.advisory_history(&record.source, &record.id)?.into_iter();
        let row = |it: relight_engine::store::RevisionRow| Self {
            recorded: rfc3339(it.recorded_at),
            revision: it.revision.to_string(),
            modified: it.modified.map(rfc3339),
            withdrawn: it.withdrawn.map(rfc3339),
            flags: it.flags.split_whitespace().map(str::to_owned).collect(),
        };
        Ok(rows.map(row).collect())
    }

    fn tell(&self, lang: Lang, report: &mut Report) {
        let withdrawn = self.withdrawn.as_ref().map(|_| texts::revision_withdrawn(lang));
        let words = withdrawn.into_iter().chain(self.flags.iter().map(String::as_str));
        let words = words.collect::<Vec<_>>().join(", ");
        let line = format!("      {}  {}  {words}", self.recorded, self.revision);
        report.line(line.trim_end());
    }
}

impl<'a> SourceRow<'a> {
    fn of(record: &'a relight_model::Advisory, known: &Known) -> Self {
        let info = source_info(&record.source);
        let disabled = known.policy().disabled.get(&record.source).copied();
        Self {
            source_disabled: disabled.map(rfc3339),
            source: &record.source,
            id: &record.id,
            revision: record.revision.to_string(),
            modified: record.modified.map(rfc3339),
            withdrawn: withdrawn_at(record, known).map(rfc3339),
            status: &record.status,
            licence: info.map_or("", |info| info.licence),
            attribution: info.map_or("", |info| info.attribution),
            references: &record.references,
            history: None,
        }
    }

    /// As [`SourceRow::of`], with all revisions.
    fn with_history(
        record: &'a relight_model::Advisory,
        known: &Known,
        store: &Store,
    ) -> Result<Self, StoreError> {
        let history = Some(RevisionRow::all(record, store)?);
        Ok(Self { history, ..Self::of(record, known) })
    }

    fn tell(&self, lang: Lang, report: &mut Report) {
        let modified = self.modified.as_deref().unwrap_or("-");
        let disabled = self.source_disabled.as_ref().map(|_| texts::source_state_disabled(lang));
        let withdrawn = self.withdrawn.as_ref().map(|_| texts::revision_withdrawn(lang));
        let word = withdrawn.or(disabled).unwrap_or_default();
        let line = format!("  {}  {}  {modified}  {}", self.source, self.id, self.revision);
        report.line(format!("{line}  {word}").trim_end());
        if !self.attribution.is_empty() {
            report.line(&format!("    {} · {}", self.licence, self.attribution));
        }
        self.history.iter().flatten().for_each(|it| it.tell(lang, report));
    }
}

impl Advisories {
    pub(crate) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        match self.action {
            Action::Import(import) => import.run(context, report),
            Action::Update(update) => update.run(context, report),
            Action::Show(show) => show.run(context, report),
            Action::Explain(explain) => explain.run(context, report),
            Action::Declare(declare) => declare.run(context, report),
            Action::Bind(bind) => bind.run(context, report),
            Action::Retire(retire) => retire.run(context, report),
            Action::Vex(vex) => vex.run(context, report),
            Action::Policy(policy) => policy.run(context, report),
            Action::Changes(changes) => changes.run(context, report),
            Action::Order(order) => order.run(context, report),
            Action::Cvss(cvss) => cvss.run(context, report),
            Action::Search(search) => search.run(context, report),
            Action::New(new) => new.run(context, report),
            Action::Feeds(feeds) => feeds.run(context, report),
            Action::Sources(sources) => sources.run(context, report),
        }
    }
}

/// What the records in force of a group say: affected intervals, and versions that fix.
pub(crate) fn ranges(group: &Group) -> (Vec<String>, Vec<String>) {
    let (mut affects, mut fixed) = (BTreeSet::new(), BTreeSet::new());
    let in_force = group.records().filter(|record| record.withdrawn.is_none());
    for range in in_force.flat_map(|record| &record.affected).flat_map(|a| &a.ranges) {
        let mut parts = Vec::new();
        for event in &range.events {
            match event {
                RangeEvent::Introduced(version) if version == "0" => {}
                RangeEvent::Introduced(version) => parts.push(format!(">={version}")),
                RangeEvent::Fixed(version) => {
                    parts.push(format!("<{version}"));
                    fixed.insert(version.clone());
                }
                RangeEvent::LastAffected(version) => parts.push(format!("<={version}")),
                RangeEvent::Limit(version) => parts.push(format!("<{version}")),
            }
        }
        if !parts.is_empty() {
            affects.insert(parts.join(" "));
        }
    }
    (affects.into_iter().collect(), fixed.into_iter().collect())
}

fn tell_ranges(group: &Group, lang: Lang, report: &mut Report) {
    let (affects, fixed) = ranges(group);
    for range in affects {
        report.line(&format!("  {}", texts::affects_versions(lang, &range)));
    }
    if !fixed.is_empty() {
        report.line(&format!("  {}", texts::fixed_in(lang, &fixed.join(", "))));
    }
}

/// An advisory of our own that somebody meant to look at again by now: it counts all the same.
pub(crate) fn tell_expired(group: &Group, lang: Lang, report: &mut Report) {
    for record in group.records().filter(|it| it.is_in_force()) {
        if let Some(day) = record.expires.filter(|at| *at <= clock::now()) {
            let sentence = texts::own_expired(lang, &rfc3339(day));
            report.line(&report.paint(Style::Bad, &format!("  {} {sentence}", record.id)));
        }
    }
}

/// When its source took a record back: of a source that is switched off it only counts as if it
/// were, from that moment on.
fn withdrawn_at(record: &relight_model::Advisory, known: &Known) -> Option<Timestamp> {
    let disabled = known.policy().disabled.get(&record.source);
    record.withdrawn.filter(|at| Some(at) != disabled)
}

/// Sources of a group that are switched off: what they say does not count, whatever it is.
pub(crate) fn sources_disabled<'a>(known: &Known, group: &'a Group) -> BTreeSet<&'a str> {
    let disabled = &known.policy().disabled;
    let sources = group.records().map(|it| it.source.as_str());
    sources.filter(|source| disabled.contains_key(*source)).collect()
}

/// Says which sources of a group are switched off.
pub(crate) fn tell_disabled(known: &Known, group: &Group, lang: Lang, report: &mut Report) {
    let silent = sources_disabled(known, group);
    if !silent.is_empty() {
        let names: Vec<&str> = silent.into_iter().collect();
        let sentence = texts::sources_disabled(lang, &names.join(", "));
        report.line(&report.paint(Style::Bad, &format!("  {sentence}")));
    }
}

/// A file that a flaw means, in one line.
fn exhibit_line(exhibit: &Exhibit, lang: Lang) -> String {
    match exhibit {
        Exhibit::File(digest) => texts::exhibit_file(lang, &digest.to_string()),
        Exhibit::Like(Example { name, least, .. }) => {
            texts::exhibit_like(lang, name, &percent(lang, u64::from(*least), 1000))
        }
        Exhibit::Path(glob) => texts::exhibit_path(lang, glob.as_str()),
        Exhibit::Class(glob) => texts::exhibit_class(lang, glob.as_str()),
    }
}

fn find<'a>(known: &'a Known, id: &str, context: &Context) -> Result<&'a Group, Failure> {
    known.group(id).ok_or_else(|| unknown_advisory(id, context.lang))
}

impl Show {
    fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let known = inventory::advisories_about(context, &self.id)?;
        let group = find(&known, &self.id, context)?;
        let packages = group.packages().into_iter().map(|package| PackageRow {
            ecosystem: package.ecosystem.as_str().to_owned(),
            name: package.name,
        });
        let store = context.store_if_any()?;
        let ranking = priority::ranking(store.as_deref(), context)?;
        let ranked = ranking.worst(group);
        let sources = group.records().map(|record| match store.as_ref().filter(|_| self.history) {
            Some(store) => SourceRow::with_history(record, &known, store),
            None => Ok(SourceRow::of(record, &known)),
        });
        let sources = sources.collect::<Result<_, _>>();
        let signals = ranking.signals(group).into_iter().map(SignalRow::of);
        let document = ShowDocument {
            id: &group.id,
            aliases: &group.aliases,
            summary: group.summary(),
            score: group.score().map(|score| f64::from(score) / 10.0),
            ratings: RatingRow::all(group),
            known_exploited: group.known_exploited(),
            revision: group.revision().to_string(),
            text_revision: group.text_revision().to_string(),
            packages: packages.collect(),
            priority: ranked.row(),
            signals: signals.collect(),
            sources: sources.map_err(|error| context.store_failure(&error))?,
        };
        if context.json {
            report.document("relight.advisory/1", &document);
        } else {
            self.text(&document, (&known, group, &ranked), report);
        }
        Ok(())
    }

    fn text(
        &self,
        document: &ShowDocument<'_>,
        (known, group, ranked): (&Known, &Group, &Ranked),
        report: &mut Report,
    ) {
        let lang = report.lang();
        let title = report.paint(Style::Strong, document.id);
        report.line(&format!("{title}  {}", document.summary));
        if !document.aliases.is_empty() {
            report.line(&format!("  = {}", document.aliases.join(", ")));
        }
        let score = group.score().map(|score| format!("CVSS {}", tenths(lang, u64::from(score))));
        let score = score.unwrap_or_else(|| texts::not_scored(lang).to_owned());
        report.line(&format!("  {score} · {}", ranked.facts(lang).join(" · ")));
        document.ratings.iter().for_each(|row| row.tell(lang, report));
        for sentence in ranked.sentences(lang) {
            report.line(&format!("    {sentence}"));
        }
        tell_expired(group, lang, report);
        tell_disabled(known, group, lang, report);
        for package in &document.packages {
            report.line(&format!("  {}: {}", package.ecosystem, package.name));
        }
        for exhibit in group.exhibits() {
            report.line(&format!("  {}", exhibit_line(exhibit, lang)));
        }
        tell_ranges(group, lang, report);
        if self.sources || self.history {
            document.sources.iter().for_each(|row| row.tell(lang, report));
        }
        report.next(&format!("relight affected {}", document.id));
    }
}
