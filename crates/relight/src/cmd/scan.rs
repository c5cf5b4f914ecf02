//! `relight scan TARGET...`: what is in a folder or a file, and what is known about it.

pub(crate) mod document;
mod file_cache;
mod look;
mod pace;
mod text;
mod watch;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use relight_engine::matching::Advisories;
use relight_formats::write_sbom;
use relight_model::{Exhibit, GateKey, Glob, Timestamp};
use relight_scan::{Mode, Options, Profiles, Report as Scanned, Target};
use relight_server::web::texts;
use rustix::thread::disable_transparent_huge_pages;

use self::file_cache::FileCache;
pub(crate) use self::look::Look;
use crate::cmd::fingerprints;
use crate::cmd::sbom::format_of;
use crate::context::Context;
use crate::failure::Failure;
use crate::inventory::{self, Observed};
use crate::localise::one_of;
use crate::redact::Redaction;
use crate::report::{Exit, Report};
use crate::threshold::Threshold;

/// Most threads that may be asked for.
const THREADS_MAX: u16 = 256;

/// Least working memory that may be asked for, in MiB.
const MEMORY_MIB_MIN: u64 = 8;

/// Most working memory that may be asked for, in MiB.
const MEMORY_MIB_MAX: u64 = 4_096;

/// What to scan and what to do with it.
#[derive(Debug, Args)]
pub(crate) struct Scan {
    #[arg(required = true, value_name = "TARGET")]
    targets: Vec<OsString>,
    #[arg(long, value_name = "MODE", default_value = "deep",
        value_parser = one_of(&["fast", "deep"]))]
    mode: String,
    #[arg(long, value_name = "LEVEL", value_parser = one_of(Threshold::NAMES))]
    fail_on: Option<String>,
    #[arg(long, value_name = "N", default_value_t = relight_scan::DEPTH_MAX,
        value_parser = clap::value_parser!(u32).range(1..=i64::from(relight_scan::DEPTH_MAX)))]
    depth: u32,
    #[arg(long, value_name = "FILE")]
    fingerprints: Vec<PathBuf>,
    #[arg(long, value_name = "OS/ARCH")]
    platform: Option<String>,
    #[arg(long)]
    all_layers: bool,
    #[arg(long)]
    workflows: bool,
    #[arg(long)]
    follow: bool,
    #[arg(long, value_name = "GLOB")]
    exclude: Vec<String>,
    #[arg(long, value_name = "FILE")]
    sbom: Option<PathBuf>,
    #[arg(long, value_name = "FILE")]
    flaws: Option<PathBuf>,
    #[arg(long, value_name = "SITE")]
    site: Option<String>,
    #[arg(long, value_name = "REGEX=TEXT")]
    redact_paths: Vec<String>,
    #[arg(long, value_name = "N",
        value_parser = clap::value_parser!(u16).range(1..=i64::from(THREADS_MAX)))]
    threads: Option<u16>,
    #[arg(long, value_name = "N", default_value_t = relight_scan::MEMORY_BYTES >> 20,
        value_parser = clap::value_parser!(u64).range(MEMORY_MIB_MIN..=MEMORY_MIB_MAX))]
    memory: u64,
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_read: Option<u32>,
    #[arg(long)]
    no_cache: bool,
    #[arg(long, value_name = "FORM", default_value = "auto",
        value_parser = one_of(&["auto", "jsonl"]))]
    progress: String,
}

impl Scan {
    pub(crate) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let files = [&self.sbom, &self.flaws].into_iter().any(Option::is_some);
        if self.targets.len() > 1 && (files || self.site.is_some()) {
            return Err(Failure::usage(texts::scan_one_target(context.lang)));
        }
        let site = self.site.as_deref().map(|site| inventory::site(context, site)).transpose()?;
        self.check_place(site.as_ref(), context)?;
        let advisories = inventory::advisories(context)?;
        let look = self.look(&advisories, context)?;
        match site {
            Some(_) => fingerprints::installed::refuse(context)?,
            None => fingerprints::installed::warn(context, report),
        }
        // Huge pages count, and are zeroed, as a whole; much of one is never used. A kernel that
        // knows none is as good.
        disable_transparent_huge_pages(true).ok();
        for target in &self.targets {
            // What is deployed while the scan runs may be seen by a later one only.
            let at = context.now();
            // A target that is not there costs the others nothing.
            match look.at(&Target::parse(target), context) {
                Ok(scanned) => {
                    let name = look.redaction.path(&target.to_string_lossy()).into_owned();
                    self.tell(&name, &scanned, &advisories, context, report);
                    self.keep(&name, (scanned, at), site.as_ref(), context, report)?;
                }
                Err(failure) => report.fail(&failure),
            }
        }
        look.save_cache(report);
        Ok(())
    }

    /// Fast mode finds. It proves nothing absent, so it is never complete.
    fn is_fast(&self) -> bool {
        self.mode == "fast"
    }

    /// A fast inventory never takes the place of a deep one.
    fn check_place(&self, site: Option<&GateKey>, context: &Context) -> Result<(), Failure> {
        match site.filter(|_| self.is_fast()) {
            Some(site) if inventory::is_deep(context, site)? => {
                let failure = Failure::usage(texts::scan_fast_site(context.lang, site.as_str()));
                Err(failure.hint(texts::scan_fast_remedy(context.lang)))
            }
            _ => Ok(()),
        }
    }

    fn look(&self, advisories: &Advisories, context: &Context) -> Result<Look, Failure> {
        let redaction = Redaction::parse(&self.redact_paths).map_err(|value| {
            let failure = Failure::usage(texts::scan_bad_redaction(context.lang, value));
            failure.hint(texts::scan_bad_redaction_remedy(context.lang))
        })?;
        // The first hour reads directories: it has neither what classes are nor a digest of all.
        let keeps_all = self.site.is_some() && !self.is_fast();
        let means = |of: fn(&&Exhibit) -> bool| !self.is_fast() && has_exhibit(advisories, of);
        let digests = keeps_all || means(|it| matches!(it, Exhibit::File(_)));
        let compares = keeps_all || means(|it| !matches!(it, Exhibit::File(_)));
        let options = Options {
            fingerprints: fingerprints::databases(&self.fingerprints, context)?,
            depth_max: self.depth,
            mode: if self.is_fast() { Mode::Fast } else { Mode::Deep },
            artifact_digest: digests,
            profiles: if compares { Profiles::All } else { Profiles::None },
            exclude: self.exclude.iter().map(|pattern| Glob::new(pattern)).collect(),
            follow: self.follow,
            platform: self.platform.clone(),
            all_layers: self.all_layers,
            workflows: self.workflows,
            threads: self.threads.map(usize::from),
            ..Options::default().working_memory(self.memory << 20)
        };
        let progress_lines = self.progress == "jsonl";
        // Evidence never stands on a cache: a check sum in a directory proves nothing against
        // somebody who wants to be believed.
        // It keeps neither digests of all nor what containers are made of.
        let cached = !self.no_cache && self.site.is_none() && !digests && !compares;
        let cache = cached.then(|| context.cache_folder()).flatten();
        let cache = cache.map(|folder| FileCache::open(&folder, context.now()));
        Ok(Look { options, redaction, progress_lines, read_max: self.max_read, cache })
    }

    fn tell(
        &self,
        target: &str,
        scanned: &Scanned,
        advisories: &Advisories,
        context: &Context,
        report: &mut Report,
    ) {
        let hits = document::hits(scanned, advisories);
        let complete = scanned.sbom.is_complete() && !self.is_fast();
        if !complete || hits.iter().any(|hit| !hit.finding.state.is_affected()) {
            report.raise(Exit::Incomplete);
        }
        let threshold = self.fail_on.as_deref().and_then(Threshold::parse);
        if threshold.is_some_and(|level| hits.iter().any(|hit| level.is_met(&hit.finding))) {
            report.raise(Exit::Threshold);
        }
        if context.json {
            report
                .document("relight.scan/1", &document::document(target, scanned, &hits, complete));
        } else {
            text::text(scanned, &hits, context, report);
        }
        if self.is_fast() {
            if has_exhibit(advisories, |_| true) {
                report.note(texts::scan_fast_exhibits(context.lang));
            }
            report.hint(texts::scan_fast_remedy(context.lang));
        }
        if scanned.known > 0 {
            report.note(&texts::scan_known(context.lang, scanned.known));
        }
    }

    /// Writes what was asked for, and gives the inventory to its site.
    fn keep(
        &self,
        target: &str,
        (scanned, at): (Scanned, Timestamp),
        site: Option<&GateKey>,
        context: &Context,
        report: &mut Report,
    ) -> Result<(), Failure> {
        if let Some(file) = &self.sbom {
            let text =
                write_sbom(format_of(file), &scanned.sbom, target, Some(at)).unwrap_or_default();
            save(file, &text, context)?;
        }
        if let Some(file) = &self.flaws {
            let text = document::flaw_lines(&scanned.sbom.flaws);
            save(file, &text.map_err(|error| unwritable(file, &error, context))?, context)?;
        }
        match site {
            Some(site) => {
                // A deep one may have come while this one was made.
                self.check_place(Some(site), context)?;
                let profiles = (!self.is_fast()).then_some(scanned.profiles);
                let inventory = Observed { sbom: scanned.sbom, at, profiles };
                inventory::push(context, site, inventory, report)
            }
            None => Ok(()),
        }
    }
}

/// Whether some advisory means a file in this way.
fn has_exhibit(advisories: &Advisories, of: fn(&&Exhibit) -> bool) -> bool {
    advisories.groups().flat_map(|group| group.exhibits()).any(|it| of(&it))
}

/// Writes a document to a file.
fn save(file: &Path, text: &str, context: &Context) -> Result<(), Failure> {
    fs::write(file, text).map_err(|error| unwritable(file, &error, context))
}

fn unwritable(
    file: &Path,
    error: &(dyn std::error::Error + 'static),
    context: &Context,
) -> Failure {
    let message = texts::cannot_write(context.lang, &file.display().to_string());
    let failure = Failure::new(message).because(context.lang, error);
    failure.hint(texts::cannot_write_remedy(context.lang))
}
