//! `relight audit verify` and `audit export`: the journal is as it was written, record by record,
//! here or in a file that somebody took away.

mod approvals;
mod export;
mod file;
mod line;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use relight_engine::store::{JournalFault, Store, StoreError, Verified};
use relight_server::web::texts;
use serde::Serialize;

use self::approvals::{Approvals, Counts};
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
    /// Approvals of plans, and how many a passkey signed.
    approvals: Option<Counts>,
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
                let (verified, approvals) = file::verify(&path, context)?;
                tell(verified, approvals, context, report)
            }
            Action::Verify(Verify { file: None }) => {
                let store = context.existing_store()?;
                let failed = |error| context.store_failure(&error);
                let verified = store.verify_journal().map_err(failed)?;
                let approvals = approvals_in(&store).map_err(failed)?;
                tell(verified, approvals, context, report)
            }
        }
    }
}

/// Looks at the signatures beside the approvals of a store.
fn approvals_in(store: &Store) -> Result<Approvals, StoreError> {
    let (mut approvals, mut from) = (Approvals::default(), 1);
    loop {
        let page = store.journal_page(from)?;
        let Some(last) = page.last() else { return Ok(approvals) };
        from = last.seq + 1;
        page.iter().for_each(|record| approvals.look(record));
    }
}

/// The code of an approval whose signature is not what it says.
const APPROVAL: &str = "approval";

fn tell(
    verified: Result<Verified, JournalFault>,
    approvals: Approvals,
    context: &Context,
    report: &mut Report,
) -> Result<(), Failure> {
    let lang = context.lang;
    let approvals = approvals.end();
    // A broken chain says more than a broken signature in it.
    let fault = verified.as_ref().err().map(|fault| (fault.seq, fault.what.as_str()));
    let fault = fault.or_else(|| approvals.err().map(|seq| (seq, APPROVAL)));
    if context.json {
        let whole = verified.as_ref().ok();
        report.document(
            "relight.audit/1",
            &Document {
                intact: fault.is_none(),
                entries: whole.map(|whole| whole.entries),
                head: whole.map(|whole| whole.head.to_string()),
                approvals: approvals.ok().filter(|_| whole.is_some()),
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
        let Counts { signed, unsigned, .. } = approvals.unwrap_or_default();
        if signed + unsigned > 0 {
            report.line(&texts::journal_approvals(lang, signed, unsigned));
        }
    }
    Ok(())
}
