//! `relight advisories`: what is known to be bad, from whom, and why a component matches.

mod cvss;
mod explain;
mod order;
mod own;
mod statements;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use relight_engine::matching::{Advisories as Known, Group};
use relight_engine::store::RawAdvisory;
use relight_formats::advisory::{self, Input, Record};
use relight_formats::limited::{self, Limits};
use relight_model::{Advisory, RangeEvent, Timestamp, Warning};
use relight_server::web::number::{rfc3339, tenths};
use relight_server::web::{Lang, texts};
use serde::Serialize;

use crate::context::Context;
use crate::failure::Failure;
use crate::inventory;
use crate::register::unknown_advisory;
use crate::report::{Exit, Report, Style};

/// The setting that keeps when advisories were last updated, in seconds since 1970.
pub(crate) const UPDATED_KEY: &str = "advisories-updated";

/// Largest file of advisories after unpacking, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 30;

/// Deepest folder below the one that was named.
const FOLDER_DEPTH_MAX: usize = 16;

/// What to do with advisories.
#[derive(Debug, Args)]
pub(crate) struct Advisories {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Update(Update),
    Show(Show),
    Explain(explain::Explain),
    Declare(own::Declare),
    Bind(own::Bind),
    Retire(own::Retire),
    Vex(statements::Vex),
    Order(order::Order),
    Cvss(cvss::Cvss),
    Sources,
}

#[derive(Debug, Args)]
struct Update {
    #[arg(long, value_name = "DIR", required = true)]
    offline: PathBuf,
}

#[derive(Debug, Args)]
struct Show {
    #[arg(value_name = "ID")]
    id: String,
    #[arg(long)]
    sources: bool,
}

#[derive(Default, Serialize)]
struct UpdateDocument {
    files: usize,
    records: usize,
    new: usize,
    changed: usize,
    same: usize,
    refused: Vec<RefusedRow>,
}

#[derive(Serialize)]
struct RefusedRow {
    place: String,
    code: &'static str,
    detail: String,
}

#[derive(Serialize)]
struct ShowDocument<'a> {
    id: &'a str,
    aliases: &'a [String],
    summary: &'a str,
    score: Option<f64>,
    known_exploited: bool,
    revision: String,
    packages: Vec<PackageRow>,
    sources: Vec<SourceRow<'a>>,
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
    references: &'a [String],
}

#[derive(Serialize)]
struct SourcesDocument {
    updated: Option<String>,
    sources: BTreeMap<String, usize>,
}

impl Advisories {
    pub(crate) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        match self.action {
            Action::Update(update) => update.run(context, report),
            Action::Show(show) => show.run(context, report),
            Action::Explain(explain) => explain.run(context, report),
            Action::Declare(declare) => declare.run(context, report),
            Action::Bind(bind) => bind.run(context, report),
            Action::Retire(retire) => retire.run(context, report),
            Action::Vex(vex) => vex.run(context, report),
            Action::Order(order) => order.run(context, report),
            Action::Cvss(cvss) => cvss.run(context, report),
            Action::Sources => sources(context, report),
        }
    }
}

impl Update {
    fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let lang = context.lang;
        let mut files = Vec::new();
        collect(&self.offline, 0, &mut files).map_err(|error| {
            Failure::new(texts::cannot_read(lang, &self.offline.display().to_string()))
                .because(lang, &error)
                .hint(texts::cannot_read_remedy(lang))
        })?;
        let store = context.store()?;
        let mut told = UpdateDocument::default();
        for file in &files {
            let warnings = take(file, context, &store, &mut told)?;
            for warning in warnings {
                inventory::warn(&warning, None, report);
                report.raise(Exit::Failed);
                told.refused.push(RefusedRow {
                    place: warning.evidence,
                    code: warning.code,
                    detail: warning.message,
                });
            }
        }
        if told.records > 0 {
            let now = context.now().to_string();
            let put = store.meta_put(UPDATED_KEY, &now);
            put.map_err(|error| context.store_failure(&error))?;
        }
        if context.json {
            report.document("relight.advisories-update/1", &told);
        } else {
            let UpdateDocument { files, records, new, changed, same, refused } = told;
            let refused = refused.len();
            let text = texts::update_summary(lang, changed, files, new, records, refused, same);
            report.line(&text);
        }
        Ok(())
    }
}

/// Reads files and stores their records; what could not be used is returned.
pub(crate) fn take_files(
    files: &[PathBuf],
    context: &Context,
    store: &relight_engine::store::Store,
) -> Result<Vec<Warning>, Failure> {
    let mut warnings = Vec::new();
    for file in files {
        warnings.extend(take(file, context, store, &mut UpdateDocument::default())?);
    }
    Ok(warnings)
}

/// Reads one file and stores its records; what could not be used is returned.
fn take(
    file: &Path,
    context: &Context,
    store: &relight_engine::store::Store,
    told: &mut UpdateDocument,
) -> Result<Vec<Warning>, Failure> {
    let place = file.display().to_string();
    told.files += 1;
    let bytes = match unpack(file) {
        Ok(bytes) => bytes,
        Err(message) => return Ok(vec![Warning::new("advisory-unreadable", place, message)]),
    };
    let reading = advisory::read(&Input::whole("", &place, &bytes));
    let mut warnings: Vec<Warning> = reading.refused.into_iter().map(|it| it.warning).collect();
    warnings.extend(reading.notes);
    let mut by_source: BTreeMap<&str, Vec<RawAdvisory<'_>>> = BTreeMap::new();
    for record in &reading.records {
        let source = record.advisory.source.as_str();
        by_source.entry(source).or_default().push(row(record, &bytes, context.now()));
    }
    for (source, rows) in by_source {
        let stored = store.put_advisories(source, &rows);
        let counts = stored.map_err(|error| context.store_failure(&error))?;
        told.new += counts.new;
        told.changed += counts.changed;
        told.same += counts.same;
        warnings.extend(counts.refused);
    }
    told.records += reading.records.len();
    Ok(warnings)
}

/// A record as the store takes it.
fn row<'a>(record: &'a Record, document: &'a [u8], recorded_at: Timestamp) -> RawAdvisory<'a> {
    let Advisory { id, revision, .. } = &record.advisory;
    let bytes = record.kept(document);
    RawAdvisory { id, revision: *revision, bytes, recorded_at }
}

/// The bytes of a plain, gzip or zstd file, or what was wrong, for logs.
fn unpack(file: &Path) -> Result<Vec<u8>, String> {
    let opened = std::fs::File::open(file).map_err(|error| error.to_string())?;
    let stream = limited::open_stream(opened, Limits::bytes(FILE_BYTES_MAX));
    let stream = stream.map_err(|error| error.to_string())?;
    limited::read_all(stream, FILE_BYTES_MAX).map_err(|error| error.to_string())
}

/// Every regular file below a folder, or the file itself, sorted. Links are not followed.
fn collect(path: &Path, depth: usize, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if depth == 0 && path.is_file() {
        files.push(path.to_owned());
        return Ok(());
    }
    if depth > FOLDER_DEPTH_MAX {
        return Err(std::io::Error::other(format!("{} is too deep", path.display())));
    }
    let mut entries = std::fs::read_dir(path)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let kind = entry.file_type()?;
        if kind.is_dir() {
            collect(&entry.path(), depth + 1, files)?;
        } else if kind.is_file() {
            files.push(entry.path());
        }
    }
    Ok(())
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

fn find<'a>(known: &'a Known, id: &str, context: &Context) -> Result<&'a Group, Failure> {
    known.group(id).ok_or_else(|| unknown_advisory(id, context.lang))
}

impl Show {
    fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let known = inventory::advisories(context)?;
        let group = find(&known, &self.id, context)?;
        let packages = group.packages().into_iter().map(|package| PackageRow {
            ecosystem: package.ecosystem.as_str().to_owned(),
            name: package.name,
        });
        let sources = group.records().map(|record| SourceRow {
            source: &record.source,
            id: &record.id,
            revision: record.revision.to_string(),
            modified: record.modified.map(rfc3339),
            withdrawn: record.withdrawn.map(rfc3339),
            references: &record.references,
        });
        let document = ShowDocument {
            id: &group.id,
            aliases: &group.aliases,
            summary: group.summary(),
            score: group.score().map(|score| f64::from(score) / 10.0),
            known_exploited: group.known_exploited(),
            revision: group.revision().to_string(),
            packages: packages.collect(),
            sources: sources.collect(),
        };
        if context.json {
            report.document("relight.advisory/1", &document);
        } else {
            self.text(&document, group, context, report);
        }
        Ok(())
    }

    fn text(
        &self,
        document: &ShowDocument<'_>,
        group: &Group,
        context: &Context,
        report: &mut Report,
    ) {
        let lang = context.lang;
        let title = report.paint(Style::Strong, document.id);
        report.line(&format!("{title}  {}", document.summary));
        if !document.aliases.is_empty() {
            report.line(&format!("  = {}", document.aliases.join(", ")));
        }
        let score = group.score().map(|score| format!("CVSS {}", tenths(lang, u64::from(score))));
        let score = score.unwrap_or_else(|| texts::not_scored(lang).to_owned());
        let exploited = if document.known_exploited { " · KEV" } else { "" };
        report.line(&format!("  {score}{exploited}"));
        for package in &document.packages {
            report.line(&format!("  {}: {}", package.ecosystem, package.name));
        }
        tell_ranges(group, lang, report);
        if self.sources {
            for row in &document.sources {
                let modified = row.modified.as_deref().unwrap_or("-");
                report.line(&format!("  {}  {}  {modified}  {}", row.source, row.id, row.revision));
            }
        }
        report.next(&format!("relight affected {}", document.id));
    }
}

fn sources(context: &Context, report: &mut Report) -> Result<(), Failure> {
    let failed = |error| context.store_failure(&error);
    let mut document = SourcesDocument { updated: None, sources: BTreeMap::new() };
    document.sources.insert(advisory::BUILTIN_SOURCE.to_owned(), advisory::BUILTIN.len());
    if let Some(store) = context.store_if_any()? {
        for record in store.advisories().map_err(failed)? {
            *document.sources.entry(record.source).or_default() += 1;
        }
        let updated = store.meta_get(UPDATED_KEY).map_err(failed)?;
        document.updated = updated.and_then(|text| text.parse().ok()).map(rfc3339);
    }
    if context.json {
        report.document("relight.sources/1", &document);
        return Ok(());
    }
    for (source, records) in &document.sources {
        report.line(&texts::source_records(context.lang, *records, source));
    }
    match &document.updated {
        Some(at) => report.line(&texts::sources_updated(context.lang, at)),
        None => report.line(texts::sources_never_updated(context.lang)),
    }
    Ok(())
}
