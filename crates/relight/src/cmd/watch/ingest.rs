//! `relight watch ingest`: logs in, from files, folders and standard input, once or for good.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use relight_engine::watch::{Feed, FormatChange};
use relight_engine::{Engine, LogReport, log_files};
use relight_model::Site;
use relight_server::web::texts;
use serde::Serialize;

use super::judging::Judging;
use super::parse::{FeedOptions, refusal, summary};
use super::receive::{Intake, Listeners, Look};
use crate::context::Context;
use crate::failure::{Failure, coded};
use crate::inventory;
use crate::report::Report;
use crate::stop::stop_on_interrupt;

#[derive(Debug, Args)]
pub(super) struct Ingest {
    #[arg(value_name = "FILE", required_unless_present_any = LISTENERS)]
    files: Vec<PathBuf>,
    #[arg(long, value_name = "NAME")]
    org: String,
    #[arg(long, value_name = "SITE")]
    site: Option<String>,
    #[command(flatten)]
    options: FeedOptions,
    #[arg(long)]
    follow: bool,
    #[command(flatten)]
    listeners: Listeners,
}

/// Options that make files unnecessary.
const LISTENERS: [&str; 4] = ["syslog_udp", "syslog_tcp", "syslog_tls", "flows"];

#[derive(Serialize)]
struct IngestDocument {
    logs: Vec<LogRow>,
}

#[derive(Serialize)]
struct LogRow {
    file: String,
    lines: u64,
    events: u64,
    headers: u64,
    cut: u64,
    overflow: u64,
    segments: u64,
    known: u64,
    skipped_bytes: u64,
    formats: BTreeMap<&'static str, u64>,
    unknown_fields: u64,
    out_of_order: u64,
    late: u64,
    skewed: u64,
    duplicates: u64,
    decode_limit: u64,
    unrecognised: bool,
    changes: Vec<ChangeRow>,
    refused: Vec<RefusedRow>,
}

/// From about that line on the format was another one; none where nobody understands most lines.
#[derive(Serialize)]
struct ChangeRow {
    line: u64,
    from: &'static str,
    to: Option<&'static str>,
}

#[derive(Serialize)]
struct RefusedRow {
    code: &'static str,
    lines: u64,
    first: u64,
}

impl Ingest {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let feed = feed(&self.org, self.site.as_deref(), context)?;
        // What is wrong with the options is told before anything is read.
        self.options.reader(feed.clone(), context)?;
        let engine = context.engine_beside()?;
        self.options.note_proxies(&engine, context)?;
        if self.follow || self.listeners.wanted(context)? {
            return self.follow(&engine, feed, context, report);
        }
        let (files, errors) = log_files(&self.files);
        for (folder, error) in errors {
            report.fail(&unreadable(&folder, &error, context));
        }
        let mut logs = Vec::new();
        for file in &files {
            let name = file.display().to_string();
            match self.read(&engine, &feed, file, context) {
                Ok(log) => {
                    tell(&name, &log, context, report);
                    logs.push(row(name, log));
                }
                // A log that cannot be read costs the others nothing.
                Err(failure) => report.fail(&failure),
            }
        }
        // What was read in pieces is joined, and what is too old is forgotten.
        if let Err(error) = engine.compact_windows() {
            report.fail(&Failure::engine(context.lang, &error));
        }
        if context.json {
            report.document("relight.ingest/1", &IngestDocument { logs });
        } else {
            report.next("relight watch campaigns");
        }
        Ok(())
    }

    fn read(
        &self,
        engine: &Engine,
        feed: &Feed,
        file: &Path,
        context: &Context,
    ) -> Result<LogReport, Failure> {
        let mut reader = self.options.reader(feed.clone(), context)?;
        let read = if file.as_os_str() == "-" {
            engine.ingest_lines(&mut reader, std::io::stdin())
        } else {
            engine.ingest_file(&mut reader, file)
        };
        read.map_err(|error| unreadable(file, &error, context))
    }

    fn follow(
        &self,
        engine: &Arc<Engine>,
        feed: Feed,
        context: &Context,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let stop = stop_on_interrupt();
        let readers = self.options.readers(feed, context)?;
        let intake = Intake::start(engine, readers, self.files.clone(), &self.listeners, context)?;
        intake.tell(context, report);
        let judging = Judging::start(engine, &stop);
        intake.run(&stop, |look| {
            tell_look(look, context, report);
            judging.tell(context, report, |_| ());
            report.flush();
        });
        Ok(())
    }
}

/// Lines of an organisation, and of one site of it when that is said.
pub(crate) fn feed(org: &str, site: Option<&str>, context: &Context) -> Result<Feed, Failure> {
    let store = context.existing_store()?;
    let failed = |error| context.store_failure(&error);
    let organisations = store.organisations().map_err(failed)?;
    let org = organisations.iter().find(|it| it.name == org).ok_or_else(|| {
        let names: Vec<&str> = organisations.iter().map(|org| org.name.as_str()).collect();
        let names = names[..names.len().min(10)].join(", ");
        Failure::new(texts::no_such_organisation(context.lang, org))
            .hint(texts::no_such_organisation_remedy(context.lang, &names))
    })?;
    let Some(slug) = site else {
        let sites = store.sites().map_err(failed)?.into_iter().filter(|site| site.org == org.id);
        let names = |site: Site| {
            let lower = |host: &str| (host.to_ascii_lowercase(), site.id);
            site.hosts().map(lower).collect::<Vec<_>>()
        };
        let sites = sites.flat_map(names).collect();
        return Ok(Feed { org: org.id, sites, ..Feed::default() });
    };
    let site = store.site_by_slug(slug).map_err(failed)?;
    let site = site.filter(|site| site.org == org.id);
    let site = site.ok_or_else(|| inventory::unknown_site(context.lang, slug))?;
    let host = site.host().to_owned();
    Ok(Feed { org: org.id, site: Some(site.id), host, ..Feed::default() })
}

fn unreadable(
    path: &Path,
    error: &(dyn std::error::Error + 'static),
    context: &Context,
) -> Failure {
    Failure::new(texts::cannot_read(context.lang, &path.display().to_string()))
        .because(context.lang, error)
        .hint(texts::cannot_read_remedy(context.lang))
}

/// What one look at what is followed gave.
pub(crate) fn tell_look(look: Look, context: &Context, report: &mut Report) {
    look.tell_received(context, report);
    for (path, error) in look.logs.errors {
        report.fail(&unreadable(&path, &error, context));
    }
    for (path, log) in look.logs.logs {
        let name = path.display().to_string();
        tell(&name, &log, context, report);
        if context.json {
            report.document_line("relight.ingest-log/1", &row(name, log));
        }
    }
}

fn tell(name: &str, log: &LogReport, context: &Context, report: &mut Report) {
    let lang = context.lang;
    for (code, (lines, first)) in &log.tally.refused {
        let (_, remedy) = coded(lang, &format!("log-{code}"));
        let what = refusal(lang, code);
        let remedy = if remedy.is_empty() { texts::log_refused_remedy(lang) } else { remedy };
        report.warn(&format!("{name}:{first}"), &texts::log_lines(lang, *lines, what), remedy);
    }
    if log.tally.is_unrecognised() {
        let what = texts::log_unrecognised(lang, log.tally.lines, log.tally.unread);
        report.warn(name, &what, texts::log_unrecognised_remedy(lang));
    }
    for FormatChange { line, from, to } in &log.tally.changes {
        let what = match to {
            Some(to) => texts::log_format_changed(lang, from, to),
            None => texts::log_format_lost(lang, from),
        };
        report.warn(&format!("{name}:{line}"), &what, texts::log_format_changed_remedy(lang));
    }
    if log.cut > 0 {
        let what = texts::log_lines(lang, log.cut, texts::log_cut(lang));
        report.warn(name, &what, texts::log_cut_remedy(lang));
    }
    if !context.json {
        let known = if log.is_known() { texts::log_known(lang) } else { "" };
        let text = summary(&log.tally, lang);
        report.line(format!("{}  {known}", texts::labelled(lang, name, &text)).trim_end());
        if log.overflow > 0 {
            report.line(&format!("  {}", texts::log_overflow(lang, log.overflow)));
        }
    }
}

fn row(file: String, log: LogReport) -> LogRow {
    let LogReport { tally, cut, overflow, segments, known, skipped_bytes } = log;
    let unrecognised = tally.is_unrecognised();
    let changes = tally.changes.into_iter();
    let changes = changes.map(|FormatChange { line, from, to }| ChangeRow { line, from, to });
    let refused = tally.refused.into_iter();
    let refused = refused.map(|(code, (lines, first))| RefusedRow { code, lines, first });
    LogRow {
        file,
        lines: tally.lines,
        events: tally.events,
        headers: tally.headers,
        cut,
        overflow,
        segments,
        known,
        skipped_bytes,
        formats: tally.formats,
        unknown_fields: tally.unknown_fields,
        out_of_order: tally.out_of_order,
        late: tally.late,
        skewed: tally.skewed,
        duplicates: tally.duplicates,
        decode_limit: tally.decode_limit,
        unrecognised,
        changes: changes.collect(),
        refused: refused.collect(),
    }
}
