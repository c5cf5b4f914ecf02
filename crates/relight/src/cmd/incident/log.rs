//! `relight incident log`: what happened.

use clap::Args;
use relight_engine::incident::Entry;
use relight_engine::store::JournalRecord;
use relight_model::GateKey;
use relight_server::web::number::rfc3339;
use relight_server::web::texts;
use serde::Serialize;

use super::choose;
use crate::context::Context;
use crate::failure::Failure;
use crate::register::Register;
use crate::report::Report;

/// Sites named in one line of the log; `--json` has all.
const SITES_SHOWN_MAX: usize = 8;

#[derive(Debug, Args)]
pub(super) struct Log {
    #[arg(value_name = "ID")]
    id: Option<String>,
}

#[derive(Serialize)]
struct LogDocument<'a> {
    incident: &'a str,
    entries: Vec<EntryRow<'a>>,
}

#[derive(Serialize)]
struct EntryRow<'a> {
    seq: u64,
    time: String,
    actor: &'a str,
    kind: &'a str,
    body: serde_json::Value,
    hash: String,
}

impl Log {
    pub(super) fn run(self, context: &Context, report: &mut Report) -> Result<(), Failure> {
        let register = Register::open(context)?;
        let id = choose(&register.ledger, &register.advisories, self.id.as_deref(), context)?;
        let records = register.store.journal(1).map_err(|error| context.store_failure(&error))?;
        let records: Vec<JournalRecord> =
            records.into_iter().filter(|record| record.incident == id).collect();
        if context.json {
            let entries = records.iter().map(|record| EntryRow {
                seq: record.seq,
                time: rfc3339(record.time),
                actor: &record.actor,
                kind: &record.kind,
                body: serde_json::from_str(&record.body).unwrap_or_default(),
                hash: record.hash.to_string(),
            });
            let document = LogDocument { incident: &id, entries: entries.collect() };
            report.document("relight.log/1", &document);
            return Ok(());
        }
        for record in &records {
            line(record, context, report);
        }
        Ok(())
    }
}

fn line(record: &JournalRecord, context: &Context, report: &mut Report) {
    let lang = context.lang;
    let what = texts::by_code(lang, &format!("entry-{}", record.kind)).unwrap_or(&record.kind);
    let named = |entry: Entry| match entry.parts() {
        parts if parts.is_empty() => entry.sites(),
        parts => parts,
    };
    let sites = Entry::from_body(&record.body).map(named).unwrap_or_default();
    let mut names: Vec<&str> = sites.iter().map(GateKey::as_str).take(SITES_SHOWN_MAX).collect();
    if sites.len() > names.len() {
        names.push("…");
    }
    let (seq, time, actor) = (record.seq, rfc3339(record.time), &record.actor);
    let line = format!("{seq:>5}  {time}  {actor}  {what}  {}", names.join(" "));
    report.line(line.trim_end());
}
