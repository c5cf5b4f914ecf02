//! `relight scan TARGET...`: what is in a folder or a file, and what is known about it.

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;
use std::{fs, thread};

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget};
use relight_engine::matching::Advisories;
use relight_formats::write_cyclonedx;
use relight_model::{Component, Finding, Flaw, Purl};
use relight_scan::{Options, Progress, Report as Scanned};
use relight_server::web::{Lang, texts, words};
use serde::Serialize;

use crate::context::Context;
use crate::failure::Failure;
use crate::inventory;
use crate::localise::one_of;
use crate::report::{Exit, Report, Style};
use crate::threshold::Threshold;

/// Places that could not be read, shown as text; `--json` has all.
const UNREAD_SHOWN_MAX: usize = 20;

/// How often progress is drawn.
const DRAW_EVERY: Duration = Duration::from_millis(100);

/// What to scan and what to do with it.
#[derive(Debug, Args)]
pub(crate) struct Scan {
    #[arg(required = true, value_name = "TARGET")]
    targets: Vec<PathBuf>,
    #[arg(long, value_name = "LEVEL", value_parser = one_of(Threshold::NAMES))]
    fail_on: Option<String>,
    #[arg(long, value_name = "N", default_value_t = relight_scan::DEPTH_MAX,
        value_parser = clap::value_parser!(u32).range(1..=i64::from(relight_scan::DEPTH_MAX)))]
    depth: u32,
    #[arg(long, value_name = "FILE")]
    sbom: Option<PathBuf>,
    #[arg(long, value_name = "SITE")]
    site: Option<String>,
}

/// `relight.scan/1`; lists are sorted.
#[derive(Serialize)]
struct Document<'a> {
    target: String,
    files: u64,
    archives: u64,
    deepest: u32,
    bytes_read: u64,
    components: Vec<ComponentRow<'a>>,
    findings: Vec<FindingRow<'a>>,
    unread: Vec<UnreadRow<'a>>,
    complete: bool,
}

#[derive(Serialize)]
struct ComponentRow<'a> {
    purl: String,
    version: &'a str,
    evidence: &'a str,
    basis: &'a str,
    also: Vec<&'a str>,
    certainty: &'a str,
    candidates: &'a [String],
    identity_conflict: bool,
    scope: &'a str,
    removed: &'a [String],
}

#[derive(Serialize)]
struct FindingRow<'a> {
    id: &'a str,
    aliases: &'a [String],
    component: String,
    evidence: &'a str,
    state: &'a str,
    score: Option<f64>,
    known_exploited: bool,
}

#[derive(Serialize)]
struct UnreadRow<'a> {
    path: &'a str,
    reason: &'a str,
    bytes: u64,
}

/// A finding and the component it is about.
struct Hit<'a> {
    finding: Finding,
    purl: &'a Purl,
    evidence: &'a str,
}

impl Scan {
    pub(crate) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        if self.targets.len() > 1 && (self.sbom.is_some() || self.site.is_some()) {
            return Err(Failure::usage(texts::scan_one_target(context.lang)));
        }
        let site = self.site.as_deref().map(|site| inventory::site(context, site)).transpose()?;
        let advisories = inventory::advisories(context)?;
        let options = Options {
            depth_max: self.depth,
            artifact_digest: site.is_some(),
            ..Options::default()
        };
        for target in &self.targets {
            // A target that is not there costs the others nothing.
            let scanned = match look(target, &options, context) {
                Ok(scanned) => scanned,
                Err(failure) => {
                    report.fail(&failure);
                    continue;
                }
            };
            self.tell(target, &scanned, &advisories, context, report);
            if let Some(file) = &self.sbom {
                let name = target.display().to_string();
                save(file, &write_cyclonedx(&scanned.sbom, &name, Some(context.now())), context)?;
            }
            if let Some(site) = &site {
                inventory::push(context, site, scanned.sbom, report)?;
            }
        }
        Ok(())
    }

    fn tell(
        &self,
        target: &Path,
        scanned: &Scanned,
        advisories: &Advisories,
        context: &Context,
        report: &mut Report,
    ) {
        let hits = hits(scanned, advisories);
        if !scanned.sbom.is_complete() || hits.iter().any(|hit| !hit.finding.state.is_affected()) {
            report.raise(Exit::Incomplete);
        }
        let threshold = self.fail_on.as_deref().and_then(Threshold::parse);
        if threshold.is_some_and(|level| hits.iter().any(|hit| level.is_met(&hit.finding))) {
            report.raise(Exit::Threshold);
        }
        if context.json {
            report.document("relight.scan/1", &document(target, scanned, &hits));
        } else {
            text(scanned, &hits, context, report);
        }
    }
}

/// Scans one target, with progress on a terminal.
pub(crate) fn look(
    target: &Path,
    options: &Options,
    context: &Context,
) -> Result<Scanned, Failure> {
    let progress = Progress::default();
    let (done, wait) = mpsc::channel();
    let scanned = thread::scope(|scope| {
        scope.spawn(|| {
            let scanned = relight_scan::scan(target, options, &progress);
            // The receiver lives until this arrives.
            let _ = done.send(scanned);
        });
        let bar = ProgressBar::new_spinner();
        if !context.progress {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        loop {
            match wait.recv_timeout(DRAW_EVERY) {
                Ok(scanned) => {
                    bar.finish_and_clear();
                    return Some(scanned);
                }
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    let (files, archives) = (progress.files(), progress.archives());
                    bar.set_message(texts::scan_progress(context.lang, archives, files));
                    bar.tick();
                }
                Err(mpsc::RecvTimeoutError::Disconnected) => return None,
            }
        }
    });
    let path = target.display().to_string();
    let failure = || Failure::new(texts::cannot_read(context.lang, &path));
    match scanned {
        Some(Ok(scanned)) => Ok(scanned),
        Some(Err(error)) => Err(failure()
            .because(context.lang, &error)
            .hint(texts::cannot_read_remedy(context.lang))),
        None => Err(failure()),
    }
}

fn hits<'a>(scanned: &'a Scanned, advisories: &Advisories) -> Vec<Hit<'a>> {
    let mut hits = Vec::new();
    for component in &scanned.sbom.components {
        for finding in advisories.match_component(component) {
            hits.push(Hit { finding, purl: &component.purl, evidence: &component.evidence });
        }
    }
    hits.sort_by(|a, b| {
        (&a.finding.id, a.evidence, a.purl).cmp(&(&b.finding.id, b.evidence, b.purl))
    });
    hits
}

fn document<'a>(target: &Path, scanned: &'a Scanned, hits: &'a [Hit<'a>]) -> Document<'a> {
    let components = scanned.sbom.components.iter().map(component_row);
    let findings = hits.iter().map(|hit| FindingRow {
        id: &hit.finding.id,
        aliases: &hit.finding.aliases,
        component: hit.purl.to_string(),
        evidence: hit.evidence,
        state: hit.finding.state.as_str(),
        score: hit.finding.score.map(|tenths| f64::from(tenths) / 10.0),
        known_exploited: hit.finding.known_exploited,
    });
    let unread = scanned.sbom.flaws.iter().map(|flaw| UnreadRow {
        path: &flaw.evidence,
        reason: flaw.code.as_str(),
        bytes: flaw.bytes,
    });
    Document {
        target: target.display().to_string(),
        files: scanned.files,
        archives: scanned.archives,
        deepest: scanned.deepest,
        bytes_read: scanned.bytes_read,
        components: components.collect(),
        findings: findings.collect(),
        unread: unread.collect(),
        complete: scanned.sbom.is_complete(),
    }
}

fn component_row(component: &Component) -> ComponentRow<'_> {
    ComponentRow {
        purl: component.purl.to_string(),
        version: &component.purl.version,
        evidence: &component.evidence,
        basis: component.basis.as_str(),
        also: component.also.iter().map(|basis| basis.as_str()).collect(),
        certainty: component.basis.certainty().as_str(),
        candidates: &component.candidates,
        identity_conflict: component.conflict,
        scope: component.scope.as_str(),
        removed: &component.removed,
    }
}

fn text(scanned: &Scanned, hits: &[Hit<'_>], context: &Context, report: &mut Report) {
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
        let Purl { name, version, .. } = hit.purl;
        report.line(&format!("{mark}  {name} {version}{exploited}  {}{state}", hit.evidence));
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

/// Writes a document to a file.
pub(crate) fn save(file: &Path, text: &str, context: &Context) -> Result<(), Failure> {
    fs::write(file, text).map_err(|error| {
        let message = texts::cannot_write(context.lang, &file.display().to_string());
        Failure::new(message)
            .because(context.lang, &error)
            .hint(texts::cannot_write_remedy(context.lang))
    })
}
