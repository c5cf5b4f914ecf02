//! `relight edge lint FILE`: what would leave a site lit although its gate is closed, in people's
//! own configuration, by file and line.

use std::path::PathBuf;

use clap::Args;
use relight_engine::edge::LintSeverity;
use relight_engine::edge::lint::{self, Dialect, Examined, Found};
use relight_server::web::texts;
use serde::Serialize;

use super::edge_failure;
use crate::context::Context;
use crate::failure::{Failure, coded};
use crate::report::{Exit, Report};

/// Largest part of a file that is looked at to tell its kind, in bytes.
const GUESS_BYTES_MAX: u64 = lint::CONFIG_BYTES_MAX;

#[derive(Debug, Args)]
pub(super) struct Lint {
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[arg(long, value_name = "KIND",
        value_parser = crate::localise::one_of(&["nginx", "haproxy", "apache", "caddy"]))]
    kind: Option<String>,
}

#[derive(Serialize)]
struct Document {
    kind: &'static str,
    sites: usize,
    gated: usize,
    refuses: bool,
    findings: Vec<FindingRow>,
}

#[derive(Serialize)]
pub(super) struct FindingRow {
    file: String,
    line: usize,
    code: &'static str,
    refuses: bool,
    what: String,
}

impl Lint {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let lang = context.lang;
        let (dialect, examined) = look(&self.file, self.kind.as_deref(), context)?;
        let gated = examined.sites.iter().filter(|site| site.key.is_some()).count();
        if examined.refuses() {
            report.raise(Exit::Failed);
        }
        if context.json {
            let document = Document {
                kind: dialect.as_str(),
                sites: examined.sites.len(),
                gated,
                refuses: examined.refuses(),
                findings: examined.found.iter().map(row).collect(),
            };
            report.document("relight.edge-lint/1", &document);
            return Ok(());
        }
        for found in &examined.found {
            tell(found, report);
        }
        let (sites, found) = (examined.sites.len(), examined.found.len());
        report.line(&texts::edge_linted(lang, found, gated, sites));
        Ok(())
    }
}

/// Reads a configuration, in the dialect that was named or that it looks like.
pub(super) fn look(
    file: &std::path::Path,
    kind: Option<&str>,
    context: &Context,
) -> Result<(Dialect, Examined), Failure> {
    let lang = context.lang;
    let dialect = match kind.and_then(Dialect::parse) {
        Some(dialect) => dialect,
        None => {
            let bytes = context.read_file(file, GUESS_BYTES_MAX)?;
            let text = String::from_utf8_lossy(&bytes);
            Dialect::guess(file, &text).ok_or_else(|| {
                Failure::usage(texts::edge_kind_unknown(lang, &file.display().to_string()))
                    .hint(texts::edge_kind_unknown_remedy(lang))
            })?
        }
    };
    let examined = lint::examine(dialect, file).map_err(|error| edge_failure(&error, context))?;
    Ok((dialect, examined))
}

pub(super) fn row(found: &Found) -> FindingRow {
    FindingRow {
        file: found.file.display().to_string(),
        line: found.line,
        code: found.code,
        refuses: found.severity == LintSeverity::Error,
        what: found.what.clone(),
    }
}

/// Where, what, and what to do.
pub(super) fn tell(found: &Found, report: &mut Report) {
    let (what, remedy) = coded(report.lang(), &format!("lint-{}", found.code));
    let place = format!("{}:{}", found.file.display(), found.line);
    let what = if what.is_empty() { found.code } else { what };
    if found.severity == LintSeverity::Error {
        let lang = report.lang();
        let text = texts::labelled(lang, &found.what, what);
        report.fault(&place, &text, remedy);
    } else {
        report.warn(&format!("{place}: {}", found.what), what, remedy);
    }
}
