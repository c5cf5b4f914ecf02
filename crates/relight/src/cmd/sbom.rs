//! `relight sbom`: inventories as documents, out and in.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use relight_formats::{read_sbom, sbom_made_at, write_sbom};
use relight_model::{Sbom, Timestamp};
use relight_scan::Target;
use relight_server::web::number::moment;
use relight_server::web::texts;
use serde::Serialize;

use crate::cmd::fingerprints::installed;
use crate::cmd::scan::Look;
use crate::context::Context;
use crate::failure::Failure;
use crate::inventory::{self, Observed};
use crate::localise::one_of;
use crate::report::{Exit, Report};

mod diff;
mod export;
mod lint;

/// Largest document, in bytes.
const SBOM_BYTES_MAX: u64 = 1 << 30;

/// What to do with inventories.
#[derive(Debug, Args)]
pub(crate) struct SbomCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Create(Create),
    Import(Import),
    Export(export::Export),
    Diff(diff::Diff),
    Lint(lint::Lint),
}

/// The formats under the names of the command line, and the endings of files.
const FORMATS: [(&str, &str, &str); 3] = [
    ("cyclonedx-json", "cyclonedx", ".cdx.json"),
    ("spdx-json", "spdx2", ".spdx.json"),
    ("spdx3-json", "spdx3", ".spdx3.json"),
];

/// The names that `--format` takes.
const NAMES: &[&str] = &["cyclonedx-json", "spdx-json", "spdx3-json"];

/// The format that the name of a file asks for; CycloneDX where it does not say.
pub(crate) fn format_of(file: &Path) -> &'static str {
    let name = file.to_string_lossy();
    let found = FORMATS.iter().find(|(_, _, ending)| name.ends_with(ending));
    found.map_or("cyclonedx", |(_, format, _)| format)
}

/// Writes a document to stdout, of `at`. `format` is a name of [`NAMES`].
fn print(
    format: &str,
    (sbom, at): (&Sbom, Option<Timestamp>),
    name: &str,
    context: &Context,
    report: &mut Report,
) {
    let format = FORMATS.iter().find(|(known, ..)| *known == format).map_or("", |it| it.1);
    let text = write_sbom(format, sbom, name, at).unwrap_or_default();
    report.raw(text.trim_end());
    report.raw("\n");
    if !sbom.is_complete() {
        report.raise(Exit::Incomplete);
        report.hint(texts::scan_unread_remedy(context.lang));
    }
}

/// Reads a document of any format.
fn read(file: &Path, context: &Context, report: &mut Report) -> Result<Sbom, Failure> {
    read_dated(file, context, report).map(|(sbom, _)| sbom)
}

/// The same, and when the document says that it was made.
fn read_dated(
    file: &Path,
    context: &Context,
    report: &mut Report,
) -> Result<(Sbom, Option<Timestamp>), Failure> {
    let name = file.display().to_string();
    let bytes = context.read_file(file, SBOM_BYTES_MAX)?;
    let (sbom, warnings) = read_sbom(&bytes).map_err(|error| {
        Failure::new(texts::not_an_inventory(context.lang, &name))
            .because(context.lang, &error)
            .hint(texts::not_an_inventory_remedy(context.lang))
    })?;
    for warning in &warnings {
        inventory::warn(warning, Some(&name), report);
    }
    Ok((sbom, sbom_made_at(&bytes)))
}

#[derive(Debug, Args)]
struct Create {
    #[arg(value_name = "TARGET")]
    target: OsString,
    #[arg(short, long, default_value = "cyclonedx-json",
        value_parser = one_of(NAMES))]
    format: String,
}

#[derive(Debug, Args)]
struct Import {
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[arg(long, value_name = "SITE")]
    site: Option<String>,
    #[arg(long, value_name = "TIME", requires = "site")]
    observed: Option<String>,
}

#[derive(Serialize)]
struct ImportDocument {
    documents: Vec<DocumentRow>,
}

#[derive(Serialize)]
struct DocumentRow {
    file: String,
    components: usize,
    unread: usize,
    complete: bool,
}

impl SbomCommand {
    pub(crate) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        match self.action {
            Action::Create(create) => create.run(context, report),
            Action::Import(import) => import.run(context, report),
            Action::Export(export) => export.run(context, report),
            Action::Diff(diff) => diff.run(context, report),
            Action::Lint(lint) => lint.run(context, report),
        }
    }
}

impl Create {
    /// Without a time, so that the same tree gives the same bytes.
    fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        installed::warn(context, report);
        let scanned = Look::fresh(context)?.at(&Target::parse(&self.target), context)?;
        let name = self.target.to_string_lossy().into_owned();
        print(&self.format, (&scanned.sbom, None), &name, context, report);
        Ok(())
    }
}

impl Import {
    fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let lang = context.lang;
        if self.site.is_some() && self.files.len() > 1 {
            return Err(Failure::usage(texts::sbom_one_file(lang)));
        }
        let site = self.site.as_deref().map(|site| inventory::site(context, site)).transpose()?;
        let mut documents = Vec::new();
        for file in &self.files {
            let name = file.display().to_string();
            let (sbom, made_at) = match read_dated(file, context, report) {
                Ok(read) => read,
                // A document that cannot be read costs the others nothing.
                Err(failure) => {
                    report.fail(&failure);
                    continue;
                }
            };
            let (components, unread) = (sbom.components.len(), sbom.flaws.len());
            let complete = sbom.is_complete();
            if !context.json {
                let text = texts::sbom_summary(lang, components, unread);
                report.line(&texts::labelled(lang, &name, &text));
            }
            if !complete {
                report.raise(Exit::Incomplete);
            }
            if let Some(site) = &site {
                let at = self.observed_at(&name, made_at, complete, context)?;
                inventory::push(context, site, Observed { sbom, at, profiles: None }, report)?;
            }
            documents.push(DocumentRow { file: name, components, unread, complete });
        }
        if context.json {
            report.document("relight.sbom-import/1", &ImportDocument { documents });
        }
        Ok(())
    }

    /// When what the document says was so: as the operator or the document tells. One that tells
    /// nothing and claims to be complete would be proof of today, whenever it was made.
    fn observed_at(
        &self,
        file: &str,
        made_at: Option<Timestamp>,
        is_complete: bool,
        context: &Context,
    ) -> Result<Timestamp, Failure> {
        let (lang, now) = (context.lang, context.now());
        if let Some(text) = &self.observed {
            let at = moment(text).filter(|at| text.contains('T') && *at <= now);
            return at.ok_or_else(|| {
                Failure::usage(texts::affected_bad_time(lang, text))
                    .hint(texts::sbom_observed_remedy(lang))
            });
        }
        let untold = (!is_complete).then_some(now);
        made_at.map(|at| at.min(now)).or(untold).ok_or_else(|| {
            Failure::new(texts::sbom_without_time(lang, file))
                .hint(texts::sbom_observed_remedy(lang))
        })
    }
}
