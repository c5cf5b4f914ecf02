//! `relight sbom lint FILE`: what is wrong with an inventory.

use std::path::PathBuf;

use clap::Args;
use relight_formats::{COMPLAINTS_MAX, Complaint, Rule, lint};
use relight_server::web::texts;
use serde::Serialize;

use super::SBOM_BYTES_MAX;
use crate::context::Context;
use crate::failure::Failure;
use crate::report::{Exit, Report};

#[derive(Debug, Args)]
pub(super) struct Lint {
    #[arg(value_name = "FILE", id = "document")]
    document: PathBuf,
}

/// `relight.sbom-lint/1`.
#[derive(Serialize)]
struct Document {
    file: String,
    complaints: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    rule: &'static str,
    code: &'static str,
    place: String,
}

impl Lint {
    /// Status 1 when the form is broken; a missing minimum element is told and is no failure.
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let lang = context.lang;
        let file = self.document.display().to_string();
        let bytes = context.read_file(&self.document, SBOM_BYTES_MAX)?;
        let complaints = lint(&bytes).map_err(|error| {
            Failure::new(texts::not_an_inventory(lang, &file))
                .because(lang, &error)
                .hint(texts::not_an_inventory_remedy(lang))
        })?;
        let broken = complaints.iter().filter(|complaint| complaint.rule == Rule::Form).count();
        if broken > 0 {
            report.raise(Exit::Failed);
        }
        if context.json {
            report.document("relight.sbom-lint/1", &document(file, complaints));
        } else {
            text(&complaints, broken, context, report);
        }
        Ok(())
    }
}

fn document(file: String, complaints: Vec<Complaint>) -> Document {
    let rows = complaints.into_iter().map(|Complaint { rule, code, place }| Row {
        rule: rule.as_str(),
        code,
        place,
    });
    Document { file, complaints: rows.collect() }
}

fn text(complaints: &[Complaint], broken: usize, context: &Context, report: &mut Report) {
    let lang = context.lang;
    if complaints.is_empty() {
        return report.line(texts::complaints_none(lang));
    }
    for (rule, count) in [(Rule::Form, broken), (Rule::Minimum, complaints.len() - broken)] {
        if count == 0 {
            continue;
        }
        report.line(&match rule {
            Rule::Form => texts::lint_form(lang, count),
            Rule::Minimum => texts::lint_minimum(lang, count),
        });
        for complaint in complaints.iter().filter(|complaint| complaint.rule == rule) {
            let words = texts::by_code(lang, &format!("lint-{}", complaint.code));
            let words = words.unwrap_or(complaint.code);
            report.line(&match complaint.place.as_str() {
                "" => format!("  {words}"),
                place => format!("  {}", texts::labelled(lang, place, words)),
            });
        }
    }
    if complaints.len() == COMPLAINTS_MAX {
        report.line(&texts::lint_more(lang, COMPLAINTS_MAX));
    }
    if broken > 0 {
        report.hint(texts::complaints_remedy(lang));
    }
}
