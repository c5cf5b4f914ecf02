//! `relight advisories import` and `update`: advisories into the data folder, from files or feeds.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget};
use relight_engine::import::{ImportOptions, ImportReport, import};
use relight_engine::store::{Guard, SourceCounts, Store};
use relight_model::Warning;
use relight_server::web::texts;
use serde::Serialize;

use super::fetch::Fetch;
use super::{UPDATED_KEY, changes};
use crate::cmd::fingerprints::installed::{self, Taken};
use crate::context::Context;
use crate::failure::Failure;
use crate::inventory;
use crate::report::{Exit, Report, plain};

/// Deepest folder below the one that was named.
const FOLDER_DEPTH_MAX: usize = 16;

/// Files or folders to read.
#[derive(Debug, Args)]
pub(super) struct Import {
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    #[arg(long)]
    whole: bool,
    #[arg(long, value_name = "NAME")]
    accept: Vec<String>,
}

/// Feeds to fetch, or a folder to read instead.
#[derive(Debug, Args)]
pub(super) struct Update {
    #[arg(value_name = "FEED", conflicts_with = "offline")]
    feeds: Vec<String>,
    #[arg(long, value_name = "DIR")]
    offline: Option<PathBuf>,
    #[arg(long, value_name = "NAME")]
    accept: Vec<String>,
    #[arg(long, value_name = "FILE", conflicts_with = "offline")]
    ca: Option<PathBuf>,
}

#[derive(Serialize)]
struct Document<'a> {
    files: usize,
    documents: usize,
    records: usize,
    new: usize,
    changed: usize,
    same: usize,
    older: usize,
    united: usize,
    vanished: usize,
    stale: usize,
    scores: usize,
    rejects: usize,
    notes: usize,
    formats: &'a BTreeMap<&'static str, usize>,
    sources: BTreeMap<&'a str, SourceRow>,
    refused: Vec<WarningRow<'a>>,
    fingerprints: &'a [Taken],
}

#[derive(Serialize)]
struct SourceRow {
    new: usize,
    changed: usize,
    matching_changed: usize,
    same: usize,
    older: usize,
    united: usize,
    vanished: usize,
    stale: usize,
    modified_went_back: usize,
    refused: Option<&'static str>,
}

#[derive(Serialize)]
pub(super) struct WarningRow<'a> {
    place: &'a str,
    code: &'static str,
    detail: &'a str,
}

impl Import {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let Self { files, whole, accept } = self;
        let (is_whole, now) = (whole, context.now());
        let options = ImportOptions { is_whole, accept, now, ..ImportOptions::default() };
        run(&files, options, "relight.advisories-import/1", context, report)
    }
}

impl Update {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let Self { feeds: names, offline, accept, ca: authorities } = self;
        let Some(offline) = offline else {
            return Fetch { names, authorities, accept }.run(context, report);
        };
        let options = ImportOptions { accept, now: context.now(), ..ImportOptions::default() };
        run(&[offline], options, "relight.advisories-update/1", context, report)
    }
}

fn run(
    paths: &[PathBuf],
    options: ImportOptions,
    schema: &str,
    context: &Context,
    report: &mut Report,
) -> Result<(), Failure> {
    let mut files = Vec::new();
    for path in paths {
        collect(path, 0, &mut files).map_err(|error| {
            Failure::new(texts::cannot_read(context.lang, &path.display().to_string()))
                .because(context.lang, &error)
                .hint(texts::cannot_read_remedy(context.lang))
        })?;
    }
    let store = context.store()?;
    let databases = installed::apart(&mut files);
    let actor = changes::accepter(&options.accept, context, &store, report)?;
    let options = ImportOptions { actor, ..options };
    let told = take(&files, &options, context, &store)?;
    let fingerprints = installed::take(&databases, context, report);
    tell_warnings(&told, report);
    if context.json {
        report.document(schema, &document(&told, &fingerprints));
        return Ok(());
    }
    installed::tell(&fingerprints, context, report);
    if told.files == 0 && !fingerprints.is_empty() {
        return Ok(());
    }
    if told.files == 0 {
        report.note(texts::import_no_file(context.lang));
    }
    let ImportReport { files, records, rejects, .. } = told;
    let total = |of: fn(&SourceCounts) -> usize| told.total(of);
    let (new, changed, same) = (total(|it| it.new), total(|it| it.changed), total(|it| it.same));
    report.line(&texts::update_summary(context.lang, changed, files, new, records, rejects, same));
    if told.notes > 0 {
        report.line(&texts::import_notes(context.lang, told.notes));
    }
    if told.scores > 0 {
        report.line(&texts::import_scores(context.lang, told.scores));
    }
    Ok(())
}

/// Stores files and notes when; progress is drawn where somebody sees it.
fn take(
    files: &[PathBuf],
    options: &ImportOptions,
    context: &Context,
    store: &Store,
) -> Result<ImportReport, Failure> {
    let bar = ProgressBar::new_spinner();
    if !context.progress {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    let mut progress = |records: usize, place: &str| {
        bar.set_message(plain(&texts::import_progress(context.lang, place, records)));
        bar.tick();
    };
    let failed = |error| context.store_failure(&error);
    let told = import(store, files, options, &mut progress).map_err(failed)?;
    bar.finish_and_clear();
    if told.records > 0 || told.scores > 0 {
        store.meta_put(UPDATED_KEY, &options.now.to_string()).map_err(failed)?;
    }
    Ok(told)
}

/// Reads files and stores their records; what could not be used is returned.
pub(crate) fn take_files(
    files: &[PathBuf],
    context: &Context,
    store: &Store,
) -> Result<Vec<Warning>, Failure> {
    let options = ImportOptions { now: context.now(), ..ImportOptions::default() };
    let told = take(files, &options, context, store)?;
    let guards = told.sources.iter().filter_map(|(name, it)| Some((name, it.refused?)));
    let guards: Vec<_> = guards.map(|(name, guard)| guard_warning(name, guard)).collect();
    Ok(told.warnings.into_iter().chain(guards).collect())
}

fn guard_warning(source: &str, guard: Guard) -> Warning {
    let message = match guard {
        Guard::Shrunk { before, now } => format!("{now} records where {before} were known"),
        Guard::Changed { before, changed } => {
            format!("{changed} of {before} records would match otherwise")
        }
    };
    Warning::new("source-refused", source, message)
}

/// What was wrong. A note alone is no failure: the record was used.
pub(super) fn tell_warnings(told: &ImportReport, report: &mut Report) {
    for warning in &told.warnings {
        inventory::warn(warning, None, report);
    }
    let rest = (told.rejects + told.notes).saturating_sub(told.warnings.len());
    if rest > 0 {
        report.note(&texts::import_more_warnings(report.lang(), rest));
    }
    let epss = told.scores_refused.map(|guard| ("epss", guard));
    let sources = told.sources.iter().filter_map(|(name, it)| Some((name.as_str(), it.refused?)));
    for (name, guard) in sources.chain(epss) {
        inventory::warn(&guard_warning(name, guard), None, report);
        report.raise(Exit::Failed);
    }
    if told.rejects > 0 {
        report.raise(Exit::Failed);
    }
}

fn document<'a>(told: &'a ImportReport, fingerprints: &'a [Taken]) -> Document<'a> {
    let row = |it: &SourceCounts| SourceRow {
        new: it.new,
        changed: it.changed,
        matching_changed: it.matching,
        same: it.same,
        older: it.older,
        united: it.united,
        vanished: it.vanished,
        stale: it.stale,
        modified_went_back: it.went_back,
        refused: it.refused.map(Guard::as_str),
    };
    Document {
        files: told.files,
        documents: told.documents,
        records: told.records,
        new: told.total(|it| it.new),
        changed: told.total(|it| it.changed),
        same: told.total(|it| it.same),
        older: told.total(|it| it.older),
        united: told.total(|it| it.united),
        vanished: told.total(|it| it.vanished),
        stale: told.total(|it| it.stale),
        scores: told.scores,
        rejects: told.rejects,
        notes: told.notes,
        formats: &told.formats,
        sources: told.sources.iter().map(|(name, it)| (name.as_str(), row(it))).collect(),
        refused: told.warnings.iter().map(warning_row).collect(),
        fingerprints,
    }
}

pub(super) fn warning_row(warning: &Warning) -> WarningRow<'_> {
    let Warning { code, evidence, message } = warning;
    WarningRow { place: evidence, code, detail: message }
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
