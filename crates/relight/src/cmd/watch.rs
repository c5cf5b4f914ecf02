//! `relight watch`: who was looking for open doors in the logs, and how sure that is.
//!
//! Below signs of success no text may assert compromise: the fixed denial is told instead.

mod decode;
mod lines;
mod parse;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use relight_engine::store::Store;
use relight_engine::watch::{self, Feed, Reader};
use relight_engine::{Engine, LogReport, campaigns_of};
use relight_model::{Campaign, Severity};
use relight_server::web::number::rfc3339;
use relight_server::web::{Lang, texts, words};
use serde::Serialize;

use crate::context::Context;
use crate::failure::{Failure, coded};
use crate::inventory;
use crate::report::{Report, Style};

/// Sources of a campaign shown in one line; `--json` has all.
const SOURCES_SHOWN_MAX: usize = 3;

/// What to do with logs.
#[derive(Debug, Args)]
pub(crate) struct Watch {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Decode(decode::Decode),
    Ingest(Ingest),
    Campaigns,
    Explain(Explain),
    Parse(parse::Parse),
}

#[derive(Debug, Args)]
struct Ingest {
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[arg(long, value_name = "NAME")]
    org: String,
    #[arg(long, value_name = "SITE")]
    site: Option<String>,
    #[command(flatten)]
    options: parse::FeedOptions,
}

#[derive(Debug, Args)]
struct Explain {
    #[arg(value_name = "ID")]
    id: String,
}

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
    segments: u64,
    known: u64,
    formats: BTreeMap<&'static str, u64>,
    unknown_fields: u64,
    out_of_order: u64,
    late: u64,
    skewed: u64,
    duplicates: u64,
    refused: Vec<RefusedRow>,
}

#[derive(Serialize)]
struct RefusedRow {
    code: &'static str,
    lines: u64,
    first: u64,
}

#[derive(Serialize)]
struct CampaignsDocument {
    campaigns: Vec<CampaignRow>,
}

#[derive(Serialize)]
struct CampaignRow {
    id: String,
    severity: &'static str,
    confidence: f64,
    first: String,
    last: String,
    sources: Vec<String>,
    organisations: Vec<u32>,
    sites: Vec<u32>,
    compromise: Option<&'static str>,
}

#[derive(Serialize)]
struct ExplainDocument {
    campaign: CampaignRow,
    threshold: f64,
    likelihood: f64,
    contributions: Vec<ContributionRow>,
    changes: Vec<ChangeRow>,
    evidence: Vec<String>,
}

#[derive(Serialize)]
struct ContributionRow {
    class: &'static str,
    contacts: u32,
    likelihood: f64,
}

#[derive(Serialize)]
struct ChangeRow {
    without: &'static str,
    contacts: u32,
    likelihood: f64,
    confidence: f64,
    still_decided: bool,
}

impl Watch {
    pub(crate) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        match self.action {
            Action::Decode(decode) => decode.run(context, report),
            Action::Ingest(ingest) => ingest.run(context, report),
            Action::Campaigns => list(context, report),
            Action::Explain(explain) => explain.run(context, report),
            Action::Parse(parse) => parse.run(context, report),
        }
    }
}

impl Ingest {
    fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let mut reader = self.options.reader(self.feed(context)?, context)?;
        let engine = context.engine()?;
        let mut logs = Vec::new();
        for file in &self.files {
            let name = file.display().to_string();
            match read(&engine, &mut reader, file, context) {
                Ok(log) => {
                    tell(&name, &log, context, report);
                    logs.push(row(name, log));
                }
                // A log that cannot be read costs the others nothing.
                Err(failure) => report.fail(&failure),
            }
        }
        if context.json {
            report.document("relight.ingest/1", &IngestDocument { logs });
        } else {
            report.next("relight watch campaigns");
        }
        Ok(())
    }

    fn feed(&self, context: &Context) -> Result<Feed, Failure> {
        let store = context.existing_store()?;
        let failed = |error| context.store_failure(&error);
        let organisations = store.organisations().map_err(failed)?;
        let org = organisations.iter().find(|org| org.name == self.org).ok_or_else(|| {
            let names: Vec<&str> = organisations.iter().map(|org| org.name.as_str()).collect();
            let names = names[..names.len().min(10)].join(", ");
            Failure::new(texts::no_such_organisation(context.lang, &self.org))
                .hint(texts::no_such_organisation_remedy(context.lang, &names))
        })?;
        let Some(slug) = &self.site else {
            let sites =
                store.sites().map_err(failed)?.into_iter().filter(|site| site.org == org.id);
            let sites = sites.map(|site| (site.host().to_ascii_lowercase(), site.id)).collect();
            return Ok(Feed { org: org.id, sites, ..Feed::default() });
        };
        let site = store.site_by_slug(slug).map_err(failed)?;
        let site = site.filter(|site| site.org == org.id);
        let site = site.ok_or_else(|| inventory::unknown_site(context.lang, slug))?;
        let host = site.host().to_owned();
        Ok(Feed { org: org.id, site: Some(site.id), host, ..Feed::default() })
    }
}

fn read(
    engine: &Engine,
    reader: &mut Reader,
    file: &PathBuf,
    context: &Context,
) -> Result<LogReport, Failure> {
    let lang = context.lang;
    let failure = |error: &(dyn std::error::Error + 'static)| {
        Failure::new(texts::cannot_read(lang, &file.display().to_string()))
            .because(lang, error)
            .hint(texts::cannot_read_remedy(lang))
    };
    if file.as_os_str() == "-" {
        return engine.ingest_lines(reader, std::io::stdin()).map_err(|error| failure(&error));
    }
    let log = File::open(file).map_err(|error| failure(&error))?;
    engine.ingest_lines(reader, log).map_err(|error| failure(&error))
}

fn tell(name: &str, log: &LogReport, context: &Context, report: &mut Report) {
    let lang = context.lang;
    for (code, (lines, first)) in &log.tally.refused {
        let (_, remedy) = coded(lang, &format!("log-{code}"));
        let what = parse::refusal(lang, code);
        let remedy = if remedy.is_empty() { texts::log_refused_remedy(lang) } else { remedy };
        report.warn(&format!("{name}:{first}"), &texts::log_lines(lang, *lines, what), remedy);
    }
    if log.cut > 0 {
        let what = texts::log_lines(lang, log.cut, texts::log_cut(lang));
        report.warn(name, &what, texts::log_cut_remedy(lang));
    }
    if !context.json {
        let known =
            if log.known == log.segments && log.segments > 0 { texts::log_known(lang) } else { "" };
        let text = parse::summary(&log.tally, lang);
        report.line(format!("{}  {known}", texts::labelled(lang, name, &text)).trim_end());
    }
}

fn row(file: String, log: LogReport) -> LogRow {
    let LogReport { tally, cut, segments, known } = log;
    let refused = tally.refused.into_iter();
    let refused = refused.map(|(code, (lines, first))| RefusedRow { code, lines, first });
    LogRow {
        file,
        lines: tally.lines,
        events: tally.events,
        headers: tally.headers,
        cut,
        segments,
        known,
        formats: tally.formats,
        unknown_fields: tally.unknown_fields,
        out_of_order: tally.out_of_order,
        late: tally.late,
        skewed: tally.skewed,
        duplicates: tally.duplicates,
        refused: refused.collect(),
    }
}

/// Every campaign of the kept windows.
fn campaigns(store: &Store, context: &Context) -> Result<Vec<Campaign>, Failure> {
    campaigns_of(store).map_err(|error| Failure::engine(context.lang, &error))
}

fn list(context: &Context, report: &mut Report) -> Result<(), Failure> {
    let campaigns = campaigns(&*context.existing_store()?, context)?;
    if context.json {
        let campaigns = campaigns.iter().map(campaign_row).collect();
        report.document("relight.campaigns/1", &CampaignsDocument { campaigns });
        return Ok(());
    }
    for campaign in &campaigns {
        text(campaign, context.lang, report);
    }
    report.line(&texts::campaigns_found(context.lang, campaigns.len()));
    if let Some(first) = campaigns.first() {
        report.next(&format!("relight watch explain {}", first.id));
    }
    Ok(())
}

fn text(campaign: &Campaign, lang: Lang, report: &mut Report) {
    let title = report.paint(Style::Strong, &campaign.id);
    let days = (campaign.last - campaign.first).max(0).cast_unsigned() / 86_400 + 1;
    let (organisations, sites) = (campaign.organisations.len(), campaign.sites.len());
    let sources = campaign.sources.len();
    let severity = words::severity(lang, campaign.severity);
    let reach = texts::campaign_reach(lang, days, organisations, sites, sources);
    report.line(&format!("{title}  {severity}  {reach}  {}", share(lang, campaign.confidence)));
    let mut names: Vec<String> =
        campaign.sources.iter().take(SOURCES_SHOWN_MAX).map(ToString::to_string).collect();
    if sources > names.len() {
        names.push("…".to_owned());
    }
    let first = rfc3339(campaign.first);
    report.line(&format!("  {}  {first}", names.join(" ")));
    if let Some(denial) = denial(lang, campaign.severity) {
        report.line(&format!("  {denial}"));
    }
}

/// The sentence that every level below signs of success must carry.
fn denial(lang: Lang, severity: Severity) -> Option<&'static str> {
    (severity < Severity::SignsOfSuccess).then(|| texts::reconnaissance_note(lang))
}

/// A probability with two digits, in the locale's own writing.
fn share(lang: Lang, confidence: f64) -> String {
    let text = format!("{confidence:.2}");
    let text = if lang == Lang::Fr { text.replace('.', ",") } else { text };
    texts::confidence(lang, &text)
}

fn campaign_row(campaign: &Campaign) -> CampaignRow {
    CampaignRow {
        id: campaign.id.clone(),
        severity: campaign.severity.as_str(),
        confidence: campaign.confidence,
        first: rfc3339(campaign.first),
        last: rfc3339(campaign.last),
        sources: campaign.sources.iter().map(ToString::to_string).collect(),
        organisations: campaign.organisations.iter().map(|org| org.0).collect(),
        sites: campaign.sites.iter().map(|site| site.0).collect(),
        compromise: (campaign.severity >= Severity::SignsOfSuccess).then_some("signs"),
    }
}

impl Explain {
    fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let lang = context.lang;
        let campaigns = campaigns(&*context.existing_store()?, context)?;
        let campaign = campaigns.iter().find(|c| c.id.eq_ignore_ascii_case(&self.id));
        let campaign = campaign.ok_or_else(|| {
            Failure::new(texts::no_such_campaign(lang, &self.id))
                .hint(texts::no_such_campaign_remedy(lang))
        })?;
        let why = watch::explain(campaign);
        if context.json {
            report.document("relight.campaign/1", &explain_document(campaign, why));
            return Ok(());
        }
        text(campaign, lang, report);
        for part in &why.contributions {
            let class = class_words(lang, part.class);
            let points = points(lang, part.likelihood);
            let text = texts::campaign_part(lang, u64::from(part.contacts), &points);
            report.line(&format!("  + {}", texts::labelled(lang, class, &text)));
        }
        let (likelihood, threshold) = (points(lang, why.likelihood), points(lang, why.threshold));
        report.line(&format!("  {}", texts::campaign_decision(lang, &likelihood, &threshold)));
        for change in &why.changes {
            let class = class_words(lang, change.class);
            let confidence = share(lang, change.confidence);
            let text = texts::campaign_change(lang, class, &confidence);
            report.line(&format!("  - {text}"));
        }
        for line in &why.evidence {
            report.line(&format!("    {line}"));
        }
        Ok(())
    }
}

fn explain_document(campaign: &Campaign, why: watch::Explanation) -> ExplainDocument {
    let parts = why.contributions.into_iter().map(|part| ContributionRow {
        class: part.class,
        contacts: part.contacts,
        likelihood: part.likelihood,
    });
    let changes = why.changes.into_iter().map(|change| ChangeRow {
        without: change.class,
        contacts: change.contacts,
        likelihood: change.likelihood,
        confidence: change.confidence,
        still_decided: change.still_decided,
    });
    ExplainDocument {
        campaign: campaign_row(campaign),
        threshold: why.threshold,
        likelihood: why.likelihood,
        contributions: parts.collect(),
        changes: changes.collect(),
        evidence: why.evidence,
    }
}

fn class_words(lang: Lang, class: &'static str) -> &'static str {
    texts::by_code(lang, &format!("contact-{class}")).unwrap_or(class)
}

/// A log-likelihood with one decimal, in the locale's own writing.
fn points(lang: Lang, value: f64) -> String {
    let text = format!("{value:.1}");
    if lang == Lang::Fr { text.replace('.', ",") } else { text }
}
