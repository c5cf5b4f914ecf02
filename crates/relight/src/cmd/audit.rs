//! `relight audit verify`, `audit export`, `audit head`: the journal is as it was written, record
//! by record, here or in a file that somebody took away, and as it was when a head was signed.

mod approvals;
mod export;
pub(crate) mod file;
pub(crate) mod head;
mod line;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use relight_engine::store::{JournalFault, JournalRecord, Store, StoreError, Verified};
use relight_server::web::texts;
use serde::Serialize;

use self::approvals::{Approvals, Counts};
use self::head::Compared;
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
    Head(head::Head),
}

#[derive(Debug, Args)]
struct Verify {
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    heads: head::Heads,
}

#[derive(Serialize)]
struct Document {
    intact: bool,
    entries: Option<u64>,
    head: Option<String>,
    /// Approvals of plans, and how many a passkey signed.
    approvals: Option<Counts>,
    /// Signed heads that the journal agrees with.
    heads: Option<u64>,
    fault: Option<FaultRow>,
}

#[derive(Serialize)]
struct FaultRow {
    /// The entry; 0 where the fault is in the file of a head.
    seq: u64,
    code: &'static str,
}

impl Audit {
    pub(crate) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        match self.action {
            Action::Export(export) => export.run(context, report),
            Action::Head(head) => head.run(context, report),
            Action::Verify(verify) => verify.run(context, report),
        }
    }
}

impl Verify {
    fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let (mut approvals, mut heads) = (Approvals::default(), self.heads.read(context)?);
        let mut look = |record: &JournalRecord| {
            approvals.look(record);
            heads.look(record);
        };
        let verified = match &self.file {
            Some(path) => file::verify(path, &mut look, context)?,
            None => {
                let store = context.existing_store()?;
                let failed = |error| context.store_failure(&error);
                let verified = store.verify_journal().map_err(failed)?;
                each(&store, &mut look).map_err(failed)?;
                verified
            }
        };
        tell(verified, approvals, heads, context, report)
    }
}

/// Shows every entry of a store.
fn each(store: &Store, look: &mut dyn FnMut(&JournalRecord)) -> Result<(), StoreError> {
    let mut from = 1;
    loop {
        let page = store.journal_page(from)?;
        let Some(last) = page.last() else { return Ok(()) };
        from = last.seq + 1;
        page.iter().for_each(&mut *look);
    }
}

/// The code of an approval whose signature is not what it says.
const APPROVAL: &str = "approval";

fn tell(
    verified: Result<Verified, JournalFault>,
    approvals: Approvals,
    heads: Compared,
    context: &Context,
    report: &mut Report,
) -> Result<(), Failure> {
    let lang = context.lang;
    let approvals = approvals.end();
    // A broken chain says more than a broken signature in it.
    let fault = verified.as_ref().err().map(|fault| (fault.seq, fault.what.as_str()));
    let fault = fault.or_else(|| approvals.err().map(|seq| (seq, APPROVAL)));
    let heads = heads.end();
    let head = heads.as_ref().err().map(|(at, fault)| (at, fault.as_str()));
    let head = head.filter(|_| fault.is_none());
    if context.json {
        let whole = verified.as_ref().ok();
        report.document(
            "relight.audit/1",
            &Document {
                intact: fault.is_none() && head.is_none(),
                entries: whole.map(|whole| whole.entries),
                head: whole.map(|whole| whole.head.to_string()),
                approvals: approvals.ok().filter(|_| whole.is_some()),
                heads: heads.as_ref().ok().copied().filter(|_| fault.is_none()),
                fault: fault.map(|(seq, code)| FaultRow { seq, code }).or_else(|| {
                    let (at, code) = head.as_ref()?;
                    Some(FaultRow { seq: at.seq(), code })
                }),
            },
        );
    }
    if let Some((seq, code)) = fault {
        let why = texts::by_code(lang, &format!("fault-{code}")).unwrap_or(code);
        return Err(Failure::new(texts::journal_broken(lang, seq, why))
            .hint(texts::journal_broken_remedy(lang)));
    }
    if let Some((at, code)) = head {
        let why = texts::by_code(lang, &format!("fault-{code}")).unwrap_or(code);
        return Err(Failure::new(at.tell(lang, why)).hint(at.remedy(lang)));
    }
    if let (Ok(whole), false) = (&verified, context.json) {
        report.line(&texts::journal_intact(lang, whole.entries, &whole.head.to_string()));
        let Counts { signed, unsigned, .. } = approvals.unwrap_or_default();
        if signed + unsigned > 0 {
            report.line(&texts::journal_approvals(lang, signed, unsigned));
        }
        if let Some(count) = heads.ok().filter(|count| *count > 0) {
            report.line(&texts::heads_agree(lang, count));
        }
    }
    Ok(())
}
