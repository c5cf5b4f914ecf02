//! `relight audit verify` and `audit export`: the journal is as it was written, record by record,
//! here or in a file that somebody took away.

mod export;
mod file;
mod line;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use relight_engine::store::{JournalFault, JournalFaultKind, Verified};
use relight_server::web::texts;
use serde::Serialize;

use crate::context::Context;
use crate::failure::Failure;
use crate::report::Report;

/// What to do with the journal.
#[derive(Debug, Args)]
pub(crate) struct Audit {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Verify(Verify),
    Export(export::Export),
}

#[derive(Debug, Args)]
struct Verify {
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

#[derive(Serialize)]
struct Document {
    intact: bool,
    entries: Option<u64>,
    head: Option<String>,
    fault: Option<FaultRow>,
}

#[derive(Serialize)]
struct FaultRow {
    seq: u64,
    code: &'static str,
}

impl Audit {
    pub(crate) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        match self.action {
            Action::Export(export) => export.run(context, report),
            Action::Verify(Verify { file: Some(path) }) => {
                tell(file::verify(&path, context)?, context, report)
            }
            Action::Verify(Verify { file: None }) => {
                let verified = context.existing_store()?.verify_journal();
                let verified = verified.map_err(|error| context.store_failure(&error))?;
                tell(verified, context, report)
            }
        }
    }
}

fn tell(
    verified: Result<Verified, JournalFault>,
    context: &Context,
    report: &mut Report,
) -> Result<(), Failure> {
    let lang = context.lang;
    let fault = verified.as_ref().err().map(|fault| (fault.seq, code(&fault.what)));
    if context.json {
        let whole = verified.as_ref().ok();
        report.document(
            "relight.audit/1",
            &Document {
                intact: fault.is_none(),
                entries: whole.map(|whole| whole.entries),
                head: whole.map(|whole| whole.head.to_string()),
                fault: fault.map(|(seq, code)| FaultRow { seq, code }),
            },
        );
    }
    if let Some((seq, code)) = fault {
        let why = texts::by_code(lang, &format!("fault-{code}")).unwrap_or(code);
        return Err(Failure::new(texts::journal_broken(lang, seq, why))
            .hint(texts::journal_broken_remedy(lang)));
    }
    if let (Ok(whole), false) = (&verified, context.json) {
        report.line(&texts::journal_intact(lang, whole.entries, &whole.head.to_string()));
    }
    Ok(())
}

const fn code(what: &JournalFaultKind) -> &'static str {
    match what {
        JournalFaultKind::Sequence => "sequence",
        JournalFaultKind::Previous => "previous",
        JournalFaultKind::Hash => "hash",
        JournalFaultKind::Unreadable => "unreadable",
        JournalFaultKind::TailMissing => "tail-missing",
    }
}
