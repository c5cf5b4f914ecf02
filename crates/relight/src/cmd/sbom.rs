//! `relight sbom`: inventories as documents, out and in.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use relight_formats::{read_sbom, write_cyclonedx};
use relight_scan::Target;
use relight_server::web::texts;
use serde::Serialize;

use crate::cmd::scan::Look;
use crate::context::Context;
use crate::failure::Failure;
use crate::inventory;
use crate::localise::one_of;
use crate::report::{Exit, Report};

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
}

#[derive(Debug, Args)]
struct Create {
    #[arg(value_name = "TARGET")]
    target: OsString,
    #[arg(short, long, default_value = "cyclonedx-json",
        value_parser = one_of(&["cyclonedx-json"]))]
    format: String,
}

#[derive(Debug, Args)]
struct Import {
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[arg(long, value_name = "SITE")]
    site: Option<String>,
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
        }
    }
}

impl Create {
    /// Without a time, so that the same tree gives the same bytes.
    fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let scanned = Look::fresh().at(&Target::parse(&self.target), context)?;
        let name = self.target.to_string_lossy().into_owned();
        let text = write_cyclonedx(&scanned.sbom, &name, None);
        report.raw(text.trim_end());
        report.raw("\n");
        if !scanned.sbom.is_complete() {
            report.raise(Exit::Incomplete);
            report.hint(texts::scan_unread_remedy(context.lang));
        }
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
            let read = context.read_file(file, SBOM_BYTES_MAX).and_then(|bytes| {
                read_sbom(&bytes).map_err(|error| {
                    Failure::new(texts::not_an_inventory(lang, &name))
                        .because(lang, &error)
                        .hint(texts::not_an_inventory_remedy(lang))
                })
            });
            let (sbom, warnings) = match read {
                Ok(read) => read,
                // A document that cannot be read costs the others nothing.
                Err(failure) => {
                    report.fail(&failure);
                    continue;
                }
            };
            for warning in &warnings {
                inventory::warn(warning, Some(&name), report);
            }
            let (components, unread) = (sbom.components.len(), sbom.flaws.len());
            let complete = sbom.is_complete();
            if !context.json {
                let text = texts::sbom_summary(lang, components, unread);
                report.line(&texts::labelled(lang, &name, &text));
            }
            if !complete {
                report.raise(Exit::Incomplete);
            }
            documents.push(DocumentRow { file: name, components, unread, complete });
            if let Some(site) = &site {
                inventory::push(context, site, sbom, report)?;
            }
        }
        if context.json {
            report.document("relight.sbom-import/1", &ImportDocument { documents });
        }
        Ok(())
    }
}
